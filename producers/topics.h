/*
 * The topics that Urenwacht needs: creating them with settings that fit, and checking those that exist.
 */
#ifndef UW_PRODUCERS_TOPICS_H
#define UW_PRODUCERS_TOPICS_H

#include "consumers/kafka_conf.h"
#include "core/ports.h"

/* Inputs in the order of enum uw_topic, then outputs in the order of enum uw_output. */
#define UW_TOPICS_COUNT (UW_TOPIC_COUNT + UW_OUTPUT_COUNT)

struct uw_topics_options {
    const struct uw_property *properties;
    uint32_t property_count;
    const char *topics[UW_TOPIC_COUNT];
    const char *outputs[UW_OUTPUT_COUNT];
    int32_t partitions;  /* of topics that are created */
    int32_t replication; /* -1: the broker's default */
    int32_t timeout_ms;
    struct uw_kafka_log log;
};

enum uw_topic_state {
    UW_TOPIC_STATE_GOOD,
    UW_TOPIC_STATE_DOUBTFUL, /* works, but a setting may lose or refuse data */
    UW_TOPIC_STATE_BAD,      /* missing or unequal: `process` would refuse to start */
};

#define UW_TOPIC_REMARK_BYTES 200

struct uw_topic_report {
    const char *name; /* borrowed from the options */
    bool exists;
    bool created; /* by this call */
    int32_t partitions, replication;
    int64_t max_message_bytes; /* -1: unknown */
    char cleanup_policy[32];   /* "": unknown */
    int64_t retention_ms;      /* -1: for ever; -2: unknown */
    enum uw_topic_state state;
    char remark[UW_TOPIC_REMARK_BYTES]; /* "" when good */
};

/* Fills UW_TOPICS_COUNT reports; what is wrong with the topics is in the reports, not in the returned code.
 * UW_CLASS_RETRY when no broker answers, UW_ECONFIG when it refuses us. */
enum uw_code uw_topics_check(const struct uw_topics_options *options, struct uw_topic_report *reports,
                             struct uw_error *error) UW_MUST_USE;
/* Creates those that are missing, then checks all. Running it again changes nothing. */
enum uw_code uw_topics_create(const struct uw_topics_options *options, struct uw_topic_report *reports,
                              struct uw_error *error) UW_MUST_USE;
/* For `process` at start: one clear line (UW_ECONFIG, UW_CLASS_FATAL) about the first bad report, if any. */
enum uw_code uw_topics_require(const struct uw_topic_report *reports, struct uw_error *error) UW_MUST_USE;
const char *uw_topic_state_name(enum uw_topic_state state); /* "good", "doubtful", "bad" */

#endif
