/*
 * Sends records to given partitions of the input topics again: an idempotent producer without transactions, since
 * their marks would stay behind in topics that have none.
 */
#ifndef UW_PRODUCERS_REPLAYER_H
#define UW_PRODUCERS_REPLAYER_H

#include "consumers/kafka_conf.h"
#include "core/ports.h"

struct uw_replayer;

struct uw_replayer_options {
    const struct uw_property *properties;
    uint32_t property_count;
    int32_t timeout_ms; /* of waiting for room, and of a flush */
    struct uw_kafka_log log;
};

enum uw_code uw_replayer_open(const struct uw_replayer_options *options, struct uw_replayer **replayer,
                              struct uw_error *error) UW_MUST_USE;
/* Throws away what was not flushed. */
void uw_replayer_close(struct uw_replayer **replayer);

/* Copies all of it. A null key or value is sent as null, a null header value as well. UW_ETIMEOUT (RETRY): no room
 * within the timeout. */
enum uw_code uw_replayer_send(struct uw_replayer *replayer, const char *topic, int32_t partition, struct uw_str key,
                              struct uw_str value, const struct uw_header *headers, uint32_t header_count,
                              struct uw_error *error) UW_MUST_USE;
/* Waits until every record is acknowledged by all in-sync replicas. The error of the first one that was not. */
enum uw_code uw_replayer_flush(struct uw_replayer *replayer, struct uw_error *error) UW_MUST_USE;

#endif
