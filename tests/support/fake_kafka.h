/*
 * Kafka in memory, shared by all instances of a test: the input topics with offsets that have gaps, committed
 * transactions with offsets' metadata, and a group that fences who does not own a partition. With it the decoder
 * and the encoder of core/ports.h: a message's value is the number of an event.
 */
#ifndef UW_TESTS_FAKE_KAFKA_H
#define UW_TESTS_FAKE_KAFKA_H

#include "tests/support/fake_store.h"
#include "tests/support/hostile.h"

#define UW_FAKE_NOBODY (-1)

struct uw_fake_log {
    struct uw_message *messages; /* offsets rise, with gaps */
    uint32_t count, capacity;
};

struct uw_fake_kafka {
    struct uw_arena arena;
    const struct uw_hostile *hostile;
    int32_t partition_count;
    struct uw_fake_log inputs[UW_TOPIC_COUNT][UW_FAKE_PARTITIONS_MAX];
    struct uw_outbox_record *committed; /* what read_committed consumers see */
    uint32_t committed_count, committed_capacity;
    uint64_t transactions; /* that were committed */
    /* What the group's offsets say is published, which a test may set back. */
    int64_t told_sequence[UW_FAKE_PARTITIONS_MAX];
    uint32_t search_steps; /* that a search takes besides the last */
    uint32_t searches;     /* that came to their end */
    int64_t published_sequence[UW_FAKE_PARTITIONS_MAX], published_offset[UW_FAKE_PARTITIONS_MAX][UW_TOPIC_COUNT];
    int32_t owner[UW_FAKE_PARTITIONS_MAX]; /* number of the member, or UW_FAKE_NOBODY */
    /* Raised with the owner: who began a transaction under a former one is fenced, though it owns the partition again. */
    uint64_t generation[UW_FAKE_PARTITIONS_MAX];
    char problem[256];
};

struct uw_fake_transaction {
    bool is_open;
    struct uw_outbox_record *records;
    struct uw_published *positions;
    uint32_t record_count, position_count;
    uint64_t generation[UW_FAKE_PARTITIONS_MAX];
};

/* One instance as the group knows it. */
struct uw_fake_member {
    struct uw_fake_kafka *kafka;
    struct uw_faults *faults;
    int32_t number;
    struct uw_fake_transaction transaction;
    /* Of the search under way. */
    uint32_t search_left;
    int64_t search_first, search_last; /* sequences; 0: there is none */
};

/* Fills the topics with the events in a random order, some twice, and with messages that must be refused. */
void uw_fake_kafka_init(struct uw_fake_kafka *kafka, const struct uw_hostile *hostile, int32_t partition_count,
                        uint64_t seed);
void uw_fake_kafka_close(struct uw_fake_kafka *kafka);
/* The first message of a topic and partition at or after the offset, NULL at the end. */
const struct uw_message *uw_fake_kafka_at(const struct uw_fake_kafka *kafka, enum uw_topic topic, int32_t partition,
                                          int64_t offset);

struct uw_publisher uw_fake_publisher_port(struct uw_fake_member *member);
struct uw_decoder uw_fake_decoder_port(struct uw_fake_member *member);
struct uw_encoder uw_fake_encoder_port(void);

/* The state that a published record of an alert or an anomaly carries: everything that makes a revision. */
#define UW_FAKE_STATE_BYTES 120
void uw_fake_alert_state(const struct uw_alert_change *alert, char state[UW_FAKE_STATE_BYTES]);
void uw_fake_anomaly_state(const struct uw_anomaly_change *anomaly, char state[UW_FAKE_STATE_BYTES]);

#endif
