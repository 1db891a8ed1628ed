/*
 * A subscriber without a group: reads all partitions of some topics, committed transactions only. It commits
 * nothing and disturbs nobody; alert ids and revisions let whoever reads twice recognise what was seen.
 */
#ifndef UW_CONSUMERS_TAIL_H
#define UW_CONSUMERS_TAIL_H

#include "consumers/kafka_conf.h"
#include "core/ports.h"

struct uw_tail;

#define UW_TAIL_TOPICS_MAX 8

enum uw_tail_start { UW_TAIL_FROM_NOW, UW_TAIL_FROM_BEGINNING, UW_TAIL_FROM_TIME };

struct uw_tail_options {
    const struct uw_property *properties;
    uint32_t property_count;
    const char *topics[UW_TAIL_TOPICS_MAX];
    uint32_t topic_count;
    enum uw_tail_start start;
    int64_t since_ms; /* UW_TAIL_FROM_TIME: the first message written at or after this instant */
    int32_t timeout_ms;
    struct uw_kafka_log log;
};

/* One message without its headers; borrowed until the next call of uw_tail_next. */
struct uw_tail_message {
    uint32_t topic; /* index in the options' topics */
    int32_t partition;
    int64_t offset;
    struct uw_str key, value;
    int64_t timestamp_ms; /* 0 when unknown */
};

/* UW_CLASS_RETRY when no broker answers; UW_ECONFIG for a missing topic or refused credentials. */
enum uw_code uw_tail_open(const struct uw_tail_options *options, struct uw_tail **tail,
                          struct uw_error *error) UW_MUST_USE;
void uw_tail_close(struct uw_tail **tail);
/* Waits up to timeout_ms; *message is NULL when nothing came. */
enum uw_code uw_tail_next(struct uw_tail *tail, int32_t timeout_ms, const struct uw_tail_message **message,
                          struct uw_error *error) UW_MUST_USE;
/* Every partition was read to the end of what is committed, and at least to the end that it had when reading began,
 * so that nothing is missed which a transaction had committed by then (kafka_range.h). */
bool uw_tail_idle(const struct uw_tail *tail);

#endif
