/*
 * The feeder: an idempotent producer without transactions, for events on their way into the input topics.
 */
#ifndef UW_PRODUCERS_FEEDER_H
#define UW_PRODUCERS_FEEDER_H

#include "consumers/kafka_conf.h"
#include "core/event.h"

struct uw_feeder;

struct uw_feeder_options {
    const struct uw_property *properties;
    uint32_t property_count;
    const char *topics[UW_TOPIC_COUNT];
    int32_t timeout_ms; /* how long send waits for room, and open for an answer */
    struct uw_kafka_log log;
};

struct uw_feeder_statistics {
    uint64_t accepted;  /* by send */
    uint64_t delivered; /* acknowledged by the broker, all in-sync replicas */
    uint64_t failed;
    uint64_t bytes;     /* keys and values accepted */
};

/* UW_CLASS_RETRY when no broker answers; UW_ECONFIG when a topic is missing or partition counts are unequal. */
enum uw_code uw_feeder_open(const struct uw_feeder_options *options, struct uw_feeder **feeder,
                            struct uw_error *error) UW_MUST_USE;
/* Throws away what was not flushed. */
void uw_feeder_close(struct uw_feeder **feeder);

/* Copies key and value. Blocks while the queue is full, up to the timeout (UW_ETIMEOUT, UW_CLASS_RETRY). A value
 * that is too large for the client: UW_ELIMIT, UW_CLASS_INPUT. Equal keys go to equal partitions, in order. A null
 * key or value is sent as null. */
enum uw_code uw_feeder_send(struct uw_feeder *feeder, enum uw_topic topic, struct uw_str key, struct uw_str value,
                            struct uw_error *error) UW_MUST_USE;
/* Waits up to timeout_ms until everything is acknowledged or failed. UW_ETIMEOUT with UW_CLASS_RETRY when
 * something is still under way; UW_EIO when deliveries failed since open, with their number and the first reason. */
enum uw_code uw_feeder_flush(struct uw_feeder *feeder, int32_t timeout_ms, struct uw_error *error) UW_MUST_USE;
void uw_feeder_statistics(const struct uw_feeder *feeder, struct uw_feeder_statistics *statistics);

#endif
