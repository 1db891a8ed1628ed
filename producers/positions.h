/*
 * Adding input positions to a transaction, with a deadline that holds.
 *
 * rd_kafka_send_offsets_to_transaction takes a timeout, but waits without one for the group's coordinator (librdkafka
 * issue 5456; seen with 2.0.2 and 2.16). And when the broker that it takes for the coordinator was dropped from the
 * client's list meanwhile, nothing wakes it up until another connection comes or goes (issue 5511; seen with 2.16). So
 * a thread of its own makes the call, and one that does not come back in time is left behind with its producer. That is
 * safe: the next producer of the same transactional.id fences it.
 */
#ifndef UW_PRODUCERS_POSITIONS_H
#define UW_PRODUCERS_POSITIONS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

/* What the call needs; all of it belongs to the thread once it is left behind. */
struct uw_positions_call {
    rd_kafka_t *client;
    rd_kafka_topic_partition_list_t *positions;
    rd_kafka_consumer_group_metadata_t *group;
    int timeout_ms; /* what librdkafka is told */
    /* Called from the thread that was left behind, after it came back and has destroyed all of the above. */
    void *context;
    void (*gone)(void *context);
};

/* Waits for the call until deadline_ms (of uw_kafka_clock_ms). True: it came back, *failure is what it said (NULL:
 * success, otherwise to be destroyed by the caller), and all is the caller's as before. False: it is left behind. */
bool uw_positions_send(const struct uw_positions_call *call, int64_t deadline_ms, rd_kafka_error_t **failure);

/* How many calls of this process were left behind and have not come back. */
uint32_t uw_positions_left(void);

#endif
