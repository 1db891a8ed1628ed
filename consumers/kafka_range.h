/*
 * Where partitions begin and end, whatever the transactions in them have come to.
 *
 * A reader of committed transactions is told an end that lies before the first record of a transaction that is not
 * ended everywhere. That holds for a moment after each commit too: the coordinator answers as soon as the commit is
 * certain, and writes the markers into the partitions behind that. Who wants to read all that was committed before
 * must read up to the end that is told here.
 */
#ifndef UW_CONSUMERS_KAFKA_RANGE_H
#define UW_CONSUMERS_KAFKA_RANGE_H

#include "consumers/kafka_conf.h"

/* A client that asks only; to be given to rd_kafka_destroy. `link` outlives it. */
enum uw_code uw_kafka_asker_open(const struct uw_property *properties, uint32_t property_count,
                                 struct uw_kafka_link *link, rd_kafka_t **asker, struct uw_error *error) UW_MUST_USE;

/* The first offset that the partition still holds, and the one behind its last record. A partition without a leader
 * is asked for again, up to timeout_ms. Unreachable: UW_CLASS_RETRY. */
enum uw_code uw_kafka_range(rd_kafka_t *asker, const struct uw_kafka_link *link, const char *topic, int32_t partition,
                            int32_t timeout_ms, int64_t *low, int64_t *high, struct uw_error *error) UW_MUST_USE;

#endif
