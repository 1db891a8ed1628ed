/*
 * Looking at the partitions of other members, against a real broker: what counts as left, and what does not.
 */
#include "tests/support/kafka_live.h"

#include <inttypes.h>

#include "consumers/others.h"
#include "schemas/position.h"

#define PARTITIONS 2

struct region {
    char topics[UW_TOPIC_COUNT][96];
    char group[96];
};

static enum uw_code on_assigned(void *context, const int32_t *partitions, uint32_t count,
                                struct uw_intake_start *starts, struct uw_error *error)
{
    (void)context;
    (void)partitions;
    (void)error;
    memset(starts, 0, count * sizeof(*starts));
    return UW_OK;
}

static void on_revoked(void *context, const int32_t *partitions, uint32_t count, bool lost)
{
    (void)context;
    (void)partitions;
    (void)count;
    (void)lost;
}

static void region_init(struct region *region)
{
    live_name("group", region->group, sizeof(region->group));
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        live_name(uw_topic_name((enum uw_topic)i), region->topics[i], sizeof(region->topics[i]));
        live_topic_create(region->topics[i], PARTITIONS);
    }
}

/* A member that never polls has no partitions: all of them are others'. */
static struct uw_intake *member(struct region *region, const struct uw_property *properties)
{
    struct uw_intake_options options = {.properties = properties, .property_count = 1, .group_id = region->group,
                                        .batch_messages_max = 10, .timeout_ms = LIVE_PATIENCE_MS,
                                        .listener = {region, on_assigned, on_revoked}};
    struct uw_error error = {.text = ""};
    struct uw_intake *intake = NULL;

    for (int i = 0; i < UW_TOPIC_COUNT; i++)
        options.topics[i] = region->topics[i];
    if (uw_intake_open(&options, &intake, &error) != UW_OK)
        fail_msg("%s", error.text);
    return intake;
}

static struct uw_others_left look(struct uw_intake *intake, struct uw_audit *audit)
{
    int64_t deadline_ms = live_deadline_ms();
    struct uw_others_left left = {"nothing was said", -1, -1, -1};
    struct uw_error error = {.text = ""};

    while (uw_others_look(intake, audit, LIVE_PATIENCE_MS, &left, &error) != UW_OK)
        live_again(deadline_ms, &error);
    return left;
}

/* As a processor commits: the positions of one partition, in a transaction. */
static void commit(rd_kafka_t *producer, struct region *region, int32_t partition, int64_t declarations)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata_new(region->group);
    rd_kafka_topic_partition_t *element =
        rd_kafka_topic_partition_list_add(list, region->topics[UW_TOPIC_DECLARATIONS], partition);
    char text[UW_POSITION_TEXT_BYTES];

    uw_position_format(1, text);
    element->offset = declarations;
    element->metadata = strdup(text);
    element->metadata_size = strlen(text);
    live_ok(rd_kafka_begin_transaction(producer));
    live_ok(rd_kafka_send_offsets_to_transaction(producer, list, group, LIVE_PATIENCE_MS));
    live_ok(rd_kafka_commit_transaction(producer, LIVE_PATIENCE_MS));
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(list);
}

static void produce(rd_kafka_t *producer, struct region *region, int count)
{
    live_ok(rd_kafka_begin_transaction(producer));
    for (int i = 0; i < count; i++)
        live_produce(producer, region->topics[UW_TOPIC_DECLARATIONS], 1, "client", "event");
    live_ok(rd_kafka_commit_transaction(producer, LIVE_PATIENCE_MS));
}

static void tells_what_is_left(void **state)
{
    struct region region;
    struct uw_error error = {.text = ""};
    struct uw_audit *audit = NULL;
    struct uw_intake *intake;
    struct uw_others_left left;
    rd_kafka_t *producer;
    char id[96];

    (void)state;
    live_require();
    region_init(&region);
    live_name("txn", id, sizeof(id));
    producer = live_producer(id);
    {
        struct uw_property properties[] = {{"bootstrap.servers", live_brokers()}};
        struct uw_audit_options options = {.properties = properties, .property_count = 1,
                                           .timeout_ms = LIVE_PATIENCE_MS};

        intake = member(&region, properties);
        assert_int_equal(uw_audit_open(&options, &audit, &error), UW_OK);
    }
    assert_null(look(intake, audit).topic);

    produce(producer, &region, 3);
    left = look(intake, audit);
    assert_string_equal(left.topic, region.topics[UW_TOPIC_DECLARATIONS]);
    assert_int_equal(left.partition, 1);
    assert_int_equal(left.committed, 0);
    assert_true(left.end >= 3);

    commit(producer, &region, 1, 2);
    left = look(intake, audit);
    assert_string_equal(left.topic, region.topics[UW_TOPIC_DECLARATIONS]);
    assert_int_equal(left.committed, 2);

    /* Behind the third message lies the marker of its transaction only. */
    commit(producer, &region, 1, 3);
    assert_null(look(intake, audit).topic);

    uw_audit_close(&audit);
    uw_intake_close(&intake);
    rd_kafka_destroy(producer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_is_left),
    };

    return cmocka_run_group_tests_name("partitions of others, real broker", tests, NULL, NULL);
}
