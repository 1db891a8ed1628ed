/*
 * Adding input positions to a transaction, with a deadline that holds.
 *
 * rd_kafka_send_offsets_to_transaction takes a timeout, but waits without one for the group's coordinator, and when the
 * broker that it knows as such is lost at the wrong moment, nothing wakes it up until some other connection comes or
 * goes (librdkafka issues 5456 and 5511, in all versions up to 2.16 at least; the second since 2.12). So the call is made
 * by a thread of its own, and who does not come back in time is left behind with the producer. That is safe: the
 * next producer of the same transactional.id fences it.
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

#endif
