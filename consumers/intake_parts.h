/*
 * The inside of the intake, for its three files: intake.c (open, close, questions), intake_group.c (what is
 * assigned and where reading stands) and intake_messages.c (collecting).
 */
#ifndef UW_CONSUMERS_INTAKE_PARTS_H
#define UW_CONSUMERS_INTAKE_PARTS_H

#include "consumers/intake.h"

/* Messages that came while a batch was in the caller's hands. When there are more, they are dropped and read again. */
#define UW_INTAKE_CARRY_MAX 256u
/* Places of the headers of a batch. A batch ends before it; a message with more of its own comes without its headers,
 * which only a dead letter would carry on. */
#define UW_INTAKE_HEADER_BYTES_MAX (64u * 1024u * 1024u)

/* Where reading stands in partition p of the four topics. */
struct uw_intake_slot {
    bool assigned;
    int64_t position[UW_TOPIC_COUNT]; /* after what was handed over; 0: the beginning */
    int64_t fetched[UW_TOPIC_COUNT];  /* after what came out of librdkafka; from here on nothing may be older */
    int64_t timestamp_ms[UW_TOPIC_COUNT]; /* Kafka's, of the last message that was handed over; 0: none */
    bool ended[UW_TOPIC_COUNT];
    int64_t end[UW_TOPIC_COUNT]; /* where the partition was last found to end; behind its last message may be markers */
    /* What was there when the partition was given to us, as the broker said then; `fetched` once its end was met. */
    int64_t high[UW_TOPIC_COUNT];
};

struct uw_intake {
    struct uw_kafka_link link; /* first: the clients' opaque */
    rd_kafka_t *client;
    rd_kafka_queue_t *queue; /* the client's, of what came and was not taken yet */
    bool wakes;              /* librdkafka is of a version that must be woken when its queue has room again */
    struct uw_intake_listener listener;
    char *topics[UW_TOPIC_COUNT];
    int32_t partition_count;
    int32_t timeout_ms;

    struct uw_intake_slot *slots; /* by partition */
    int32_t slot_count;
    int32_t *assigned; /* ascending */
    uint32_t assigned_count;
    /* KIP-848: an assignment changes by parts, and rd_kafka_assign would be refused. Known from the configuration:
     * rd_kafka_rebalance_protocol asks the group's thread, which at the end of a membership may go without an answer. */
    bool by_parts;
    bool is_static, subscribed;
    bool leaving;         /* what is assigned now is not wanted any more */
    bool joined;          /* an assignment came, be it empty, and none is awaited */
    bool seek;            /* positions were set back: assign again before the next poll */
    bool heading;         /* only decisions are read, until their end */
    bool behind;          /* more waited at the assignment than a batch may hold: `focus` alone is read */
    int32_t focus;        /* -1: none */
    bool far;             /* more waited in it alone, when it came into focus */
    uint64_t rebalances;  /* so that a heartbeat sees that one happened */
    struct uw_error stop; /* code UW_OK: none */

    rd_kafka_message_t **raw; /* of `messages` */
    struct uw_message *messages;
    uint32_t capacity, count;
    size_t bytes;
    bool handed; /* to the caller, who has not released them yet */
    rd_kafka_message_t *carried[UW_INTAKE_CARRY_MAX];
    uint32_t carried_from, carried_count;
    struct uw_arena headers;
    const rd_kafka_topic_t *known[UW_TOPIC_COUNT]; /* librdkafka's handles, valid until the next assignment */
};

/* ---- intake_group.c ---- */

void uw_intake_on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list,
                            void *opaque);
/* Assigns what is assigned again, at the positions; used after rewinds. */
void uw_intake_assign_again(struct uw_intake *intake);
/* A topic's partition was met at its end. */
void uw_intake_ended(struct uw_intake *intake, int topic, int32_t partition, int64_t offset);
/* Goes on to what is to be read next when nothing waits any more in what was to be read first. What is collected
 * stays. */
void uw_intake_go_on(struct uw_intake *intake);
/* Whether messages are known to wait in a topic's partition. */
bool uw_intake_waits(const struct uw_intake_slot *slot, int topic);
/* What is known to wait in a partition, in all topics; at most, since it may begin behind offset 0, and not everything
 * in it is a message. */
int64_t uw_intake_waiting(const struct uw_intake_slot *slot);
/* Index of a topic among the four, or -1. */
int uw_intake_topic_index(const struct uw_intake *intake, const char *topic);
/* The first reason to stop stays. */
void uw_intake_stop(struct uw_intake *intake, const struct uw_error *error);

/* ---- intake_messages.c ---- */

/* Forgets what is carried, and with `collected` also what is collected. True when there was anything. */
bool uw_intake_drop(struct uw_intake *intake, bool collected);

#endif
