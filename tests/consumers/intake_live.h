/*
 * What the tests of the intake against a real broker share: a region's four topics, a group, and what the store would
 * say. URENWACHT_TEST_GROUP_PROTOCOL=consumer runs them with KIP-848, where librdkafka has it.
 */
#ifndef UW_TESTS_CONSUMERS_INTAKE_LIVE_H
#define UW_TESTS_CONSUMERS_INTAKE_LIVE_H

#include "tests/support/kafka_live.h"

#include "consumers/intake.h"

#define PARTITIONS 4
#define REGION_PROPERTIES 2

struct region {
    char topics[UW_TOPIC_COUNT][96];
    char group[96];
    struct uw_intake_start starts[PARTITIONS]; /* what the store would say */
    bool owned[PARTITIONS];
    int assigned_calls, revoked_calls;
    bool refuse;
    uint32_t batch_messages_max; /* 0: more than any test has */
    struct uw_property more[REGION_PROPERTIES]; /* of librdkafka; the first without a name ends them */
};

static inline enum uw_code on_assigned(void *context, const int32_t *partitions, uint32_t count,
                                       struct uw_intake_start *starts, struct uw_error *error)
{
    struct region *region = context;

    region->assigned_calls++;
    if (region->refuse)
        return uw_error_set(error, UW_EIO, UW_CLASS_RETRY, "the store is away");
    for (uint32_t i = 0; i < count; i++) {
        assert_in_range(partitions[i], 0, PARTITIONS - 1);
        assert_false(region->owned[partitions[i]]);
        region->owned[partitions[i]] = true;
        starts[i] = region->starts[partitions[i]];
    }
    return UW_OK;
}

static inline void on_revoked(void *context, const int32_t *partitions, uint32_t count, bool lost)
{
    struct region *region = context;

    (void)lost;
    region->revoked_calls++;
    for (uint32_t i = 0; i < count; i++) {
        assert_true(region->owned[partitions[i]]);
        region->owned[partitions[i]] = false;
    }
}

static inline void region_init(struct region *region)
{
    memset(region, 0, sizeof(*region));
    live_name("group", region->group, sizeof(region->group));
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        live_name(uw_topic_name((enum uw_topic)i), region->topics[i], sizeof(region->topics[i]));
        live_topic_create(region->topics[i], PARTITIONS);
    }
}

static inline enum uw_code region_open(struct region *region, struct uw_intake **intake, struct uw_error *error)
{
    const char *protocol = getenv("URENWACHT_TEST_GROUP_PROTOCOL");
    struct uw_property properties[2 + REGION_PROPERTIES] = {
        {"bootstrap.servers", live_brokers()},
        {protocol == NULL ? "session.timeout.ms" : "group.protocol", protocol == NULL ? "45000" : protocol},
    };
    struct uw_intake_options options = {
        .properties = properties,
        .property_count = 2,
        .group_id = region->group,
        .batch_messages_max = region->batch_messages_max == 0 ? 10000 : region->batch_messages_max,
        .timeout_ms = LIVE_PATIENCE_MS,
        .listener = {region, on_assigned, on_revoked},
    };

    while (options.property_count < 2 + REGION_PROPERTIES && region->more[options.property_count - 2].name != NULL) {
        properties[options.property_count] = region->more[options.property_count - 2];
        options.property_count++;
    }
    for (int i = 0; i < UW_TOPIC_COUNT; i++)
        options.topics[i] = region->topics[i];
    return uw_intake_open(&options, intake, error);
}

static inline struct uw_intake *opened(struct region *region)
{
    struct uw_intake *intake = NULL;
    struct uw_error error = {.text = ""};

    if (region_open(region, &intake, &error) != UW_OK)
        fail_msg("%s", error.text);
    return intake;
}

static inline void fill(struct region *region, int per_partition)
{
    rd_kafka_t *producer = live_producer(NULL);
    char key[32], value[48];

    for (int i = 0; i < per_partition; i++) {
        for (int t = 0; t < UW_TOPIC_COUNT; t++) {
            for (int p = 0; p < PARTITIONS; p++) {
                (void)snprintf(key, sizeof(key), "c%d", p);
                (void)snprintf(value, sizeof(value), "%d/%d/%d", t, p, i);
                live_produce(producer, region->topics[t], p, key, value);
            }
        }
    }
    assert_int_equal(rd_kafka_flush(producer, LIVE_PATIENCE_MS), 0);
    rd_kafka_destroy(producer);
}

/* The messages of one poll, to be released; the test fails on an error and after the deadline. */
static inline uint32_t poll_in_time(struct uw_intake *intake, int32_t timeout_ms, uint32_t max_messages,
                                    int64_t deadline_ms, const struct uw_message **messages)
{
    struct uw_error error = {.text = ""};
    uint32_t count = 0;

    live_in_time(deadline_ms, "a batch");
    if (uw_intake_poll(intake, timeout_ms, max_messages, 1 << 20, 10, messages, &count, &error) != UW_OK)
        fail_msg("%s", error.text);
    return count;
}

/* Reads until idle; checks order; counts[partition][topic] are what came, next the last offset + 1. */
static inline void read_all(struct uw_intake *intake, int64_t counts[PARTITIONS][UW_TOPIC_COUNT],
                            int64_t next[PARTITIONS][UW_TOPIC_COUNT])
{
    int64_t deadline_ms = live_deadline_ms();

    memset(counts, 0, sizeof(int64_t) * PARTITIONS * UW_TOPIC_COUNT);
    memset(next, 0, sizeof(int64_t) * PARTITIONS * UW_TOPIC_COUNT);
    while (!uw_intake_idle(intake)) {
        const struct uw_message *messages;
        uint32_t count = 0;

        count = poll_in_time(intake, 200, 7, deadline_ms, &messages);
        assert_in_range(count, 0, 7);
        for (uint32_t i = 0; i < count; i++) {
            int64_t *expected = &next[messages[i].partition][messages[i].topic];

            assert_true(messages[i].offset >= *expected);
            *expected = messages[i].offset + 1;
            counts[messages[i].partition][messages[i].topic]++;
        }
        uw_intake_release(intake);
    }
}

#endif
