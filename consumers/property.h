/*
 * A name and a value as the user wrote them, on their way to a library that knows what they mean.
 */
#ifndef UW_CONSUMERS_PROPERTY_H
#define UW_CONSUMERS_PROPERTY_H

struct uw_property {
    const char *name, *value;
};

#endif
