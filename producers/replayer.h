/*
 * Sends records to the input topics again, in Kafka transactions of its own: all of one call or none.
 *
 * Two replayers with the same transactional id exclude each other: opening the second one ends what the first one
 * left open, and fences it. So whoever opens one, and then reads the topics, sees everything that was ever replayed
 * under that id.
 */
#ifndef UW_PRODUCERS_REPLAYER_H
#define UW_PRODUCERS_REPLAYER_H

#include "consumers/kafka_conf.h"
#include "core/ports.h"

struct uw_replayer;

struct uw_replayer_options {
    const struct uw_property *properties;
    uint32_t property_count;
    const char *transactional_id;
    int32_t timeout_ms; /* of opening, and of one transaction */
    struct uw_kafka_log log;
};

/* UW_CLASS_RETRY when no broker answers. */
enum uw_code uw_replayer_open(const struct uw_replayer_options *options, struct uw_replayer **replayer,
                              struct uw_error *error) UW_MUST_USE;
/* Gives up a transaction that was not committed. */
void uw_replayer_close(struct uw_replayer **replayer);

/* Adds a record to the transaction, which is begun by the first one. Copies all of it. */
enum uw_code uw_replayer_send(struct uw_replayer *replayer, const char *topic, int32_t partition, struct uw_str key,
                              struct uw_str value, const struct uw_header *headers, uint32_t header_count,
                              struct uw_error *error) UW_MUST_USE;
/* Commits what was sent; nothing to do when nothing was. After an error of this or of uw_replayer_send the replayer
 * can only be closed: the transaction is void, or (a commit whose answer was lost) whole. */
enum uw_code uw_replayer_commit(struct uw_replayer *replayer, struct uw_error *error) UW_MUST_USE;

#endif
