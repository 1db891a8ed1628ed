/* A publisher for what is not about Kafka: what is published goes nowhere, succeeds, and costs nothing. */
#ifndef UW_TESTS_SUPPORT_NOWHERE_H
#define UW_TESTS_SUPPORT_NOWHERE_H

#include "core/ports.h"

static inline enum uw_code uw_nowhere_published(void *context, int32_t partition, int64_t *sequence,
                                                struct uw_error *error)
{
    (void)context;
    (void)partition;
    (void)error;
    *sequence = 0;
    return UW_OK;
}

static inline enum uw_code uw_nowhere_search(void *context, const struct uw_outbox_record *records,
                                             uint32_t record_count, bool begin, bool *found, bool *complete,
                                             struct uw_error *error)
{
    (void)context;
    (void)records;
    (void)begin;
    (void)error;
    for (uint32_t i = 0; i < record_count; i++) {
        found[i] = false;
    }
    *complete = true;
    return UW_OK;
}

static inline enum uw_code uw_nowhere_begin(void *context, const struct uw_outbox_record *records,
                                            uint32_t record_count, const struct uw_published *positions,
                                            uint32_t position_count, struct uw_error *error)
{
    (void)context;
    (void)records;
    (void)record_count;
    (void)positions;
    (void)position_count;
    (void)error;
    return UW_OK;
}

static inline enum uw_code uw_nowhere_end(void *context, struct uw_error *error)
{
    (void)context;
    (void)error;
    return UW_OK;
}

static inline struct uw_publisher uw_nowhere(void)
{
    return (struct uw_publisher){NULL, uw_nowhere_published, uw_nowhere_search, uw_nowhere_begin, uw_nowhere_end};
}

#endif
