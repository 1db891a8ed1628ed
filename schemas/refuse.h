/*
 * Filling a refusal. All parts of the codec say so in the same way: "field: what is wrong".
 */
#ifndef UW_SCHEMAS_REFUSE_H
#define UW_SCHEMAS_REFUSE_H

#include "core/event.h"

/* Sets both parts and returns UW_EINPUT. Bytes that are not printable ASCII become '?', so that the text is
 * one line of any encoding whatever names a writer's schema holds. */
enum uw_code uw_refuse(struct uw_refusal *refusal, enum uw_refusal_reason reason, const char *format, ...)
    UW_PRINTF(3, 4);

#endif
