/*
 * A member's place in its group, against a real broker: how partitions are shared, how a membership ends, and what the
 * group is asked. URENWACHT_TEST_GROUP_PROTOCOL=consumer runs them with KIP-848, where librdkafka has it.
 */
/* RTLD_NEXT is an extension. */
#define _GNU_SOURCE
#include "tests/consumers/intake_live.h"

#include <dlfcn.h>
#include <poll.h>
#include <unistd.h>

#include "schemas/position.h"

/* While a membership ends. */
static bool leaving;

/*
 * The tests' own, which calls librdkafka's. It asks the group's thread and waits for the answer without a deadline. At the
 * end of a membership that thread may go without having answered: then rd_kafka_consumer_close never returns, which
 * happened once in a few hundred ends on a busy machine.
 */
const char *rd_kafka_rebalance_protocol(rd_kafka_t *client)
{
    const char *(*real)(rd_kafka_t *) = NULL;
    void *found = dlsym(RTLD_NEXT, "rd_kafka_rebalance_protocol");

    assert_false(leaving);
    assert_non_null(found);
    memcpy(&real, &found, sizeof(real));
    return real(client);
}

/* Two members share the partitions, each with all four topics of its own; when one leaves the other has all. */
static void members_share_whole_partitions(void **state)
{
    struct region left, right;
    struct uw_intake *one, *two;
    struct uw_error error = {.text = ""};
    int64_t deadline_ms = live_deadline_ms();
    const struct uw_message *messages;
    const int32_t *partitions;

    (void)state;
    live_require();
    region_init(&left);
    fill(&left, 5);
    right = left;
    one = opened(&left);
    while (uw_intake_assignment(one, &partitions) != PARTITIONS) {
        (void)poll_in_time(one, 100, 100, deadline_ms, &messages);
        uw_intake_release(one);
    }
    two = opened(&right);
    while (uw_intake_assignment(two, &partitions) != PARTITIONS / 2 ||
           uw_intake_assignment(one, &partitions) != PARTITIONS / 2) {
        (void)poll_in_time(one, 100, 100, deadline_ms, &messages);
        uw_intake_release(one);
        (void)poll_in_time(two, 100, 100, deadline_ms, &messages);
        uw_intake_release(two);
    }
    for (int p = 0; p < PARTITIONS; p++)
        assert_true(left.owned[p] != right.owned[p]);
    /* The batch in hand is void when the partitions change under it. */
    uw_intake_close(&two);
    for (;;) {
        enum uw_code code = uw_intake_heartbeat(one, &error);

        if (code == UW_OK) {
            live_in_time(deadline_ms, "the other one has left");
            poll(NULL, 0, 20);
            continue;
        }
        assert_int_equal(error.class, UW_CLASS_ABORT);
        break;
    }
    while (uw_intake_assignment(one, &partitions) != PARTITIONS) {
        (void)poll_in_time(one, 100, 100, deadline_ms, &messages);
        uw_intake_release(one);
    }
    uw_intake_close(&one);
}

static void asks_nothing_at_its_end(void **state)
{
    struct region region;
    struct uw_intake *intake;
    int64_t counts[PARTITIONS][UW_TOPIC_COUNT], next[PARTITIONS][UW_TOPIC_COUNT];

    (void)state;
    live_require();
    region_init(&region);
    fill(&region, 1);
    intake = opened(&region);
    read_all(intake, counts, next);
    leaving = true;
    uw_intake_close(&intake);
    leaving = false;
    for (int p = 0; p < PARTITIONS; p++)
        assert_false(region.owned[p]);
}

/* Whatever the group is doing: joining, assigning, reading. */
static void ends_at_any_moment(void **state)
{
    struct region region;

    (void)state;
    live_require();
    region_init(&region);
    fill(&region, 5);
    alarm(3 * LIVE_PATIENCE_MS / 1000);
    for (int i = 0; i < 40; i++) {
        int pause_ms = i * 7 % 60, poll_ms = i % 3 * 40;
        struct uw_intake *intake = opened(&region);
        const struct uw_message *messages;
        struct uw_error error = {.text = ""};
        uint32_t count;

        poll(NULL, 0, pause_ms);
        if (poll_ms > 0)
            assert_int_equal(uw_intake_poll(intake, poll_ms, 7, 1 << 20, 1, &messages, &count, &error), UW_OK);
        uw_intake_close(&intake);
        for (int p = 0; p < PARTITIONS; p++)
            assert_false(region.owned[p]);
    }
    alarm(0);
}

static void positions_commit(rd_kafka_t *producer, struct region *region, int32_t partition, const char *metadata)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(UW_TOPIC_COUNT);
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata_new(region->group);

    for (int t = 0; t < UW_TOPIC_COUNT; t++) {
        rd_kafka_topic_partition_t *element = rd_kafka_topic_partition_list_add(list, region->topics[t], partition);

        element->offset = 1;
        element->metadata = strdup(metadata);
        element->metadata_size = strlen(metadata);
    }
    live_ok(rd_kafka_send_offsets_to_transaction(producer, list, group, LIVE_PATIENCE_MS));
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(list);
}

/* What the group has committed is told of partitions that this member does not have. */
static void asks_what_others_are_through_with(void **state)
{
    struct region region;
    struct uw_intake *intake;
    struct uw_error error = {.text = ""};
    rd_kafka_t *producer;
    char id[96], text[UW_POSITION_TEXT_BYTES];
    int64_t through[UW_TOPIC_COUNT] = {7, 7, 7, 7}, deadline_ms;

    (void)state;
    live_require();
    region_init(&region);
    live_name("txn", id, sizeof(id));
    producer = live_producer(id);
    intake = opened(&region);
    deadline_ms = live_deadline_ms();
    while (uw_intake_committed(intake, 1, LIVE_PATIENCE_MS, through, &error) != UW_OK)
        live_again(deadline_ms, &error);
    for (int t = 0; t < UW_TOPIC_COUNT; t++)
        assert_int_equal(through[t], 0);
    uw_position_format(5, text);
    live_ok(rd_kafka_begin_transaction(producer));
    positions_commit(producer, &region, 1, text);
    live_ok(rd_kafka_commit_transaction(producer, LIVE_PATIENCE_MS));
    deadline_ms = live_deadline_ms();
    while (uw_intake_committed(intake, 1, LIVE_PATIENCE_MS, through, &error) != UW_OK)
        live_again(deadline_ms, &error);
    for (int t = 0; t < UW_TOPIC_COUNT; t++)
        assert_int_equal(through[t], 1);
    uw_intake_close(&intake);
    rd_kafka_destroy(producer);
}

static void asks_what_is_published(void **state)
{
    enum uw_code code;
    struct region region;
    struct uw_intake *intake;
    struct uw_error error = {.text = ""};
    rd_kafka_t *producer;
    char id[96], text[UW_POSITION_TEXT_BYTES];
    int64_t sequence = -1, deadline_ms = live_deadline_ms();
    int64_t counts[PARTITIONS][UW_TOPIC_COUNT], next[PARTITIONS][UW_TOPIC_COUNT];

    (void)state;
    live_require();
    region_init(&region);
    intake = opened(&region);
    read_all(intake, counts, next);
    while (uw_intake_published(intake, 2, &sequence, &error) != UW_OK)
        live_again(deadline_ms, &error);
    assert_int_equal(sequence, 0);
    live_name("txn", id, sizeof(id));
    producer = live_producer(id);
    uw_position_format(123, text);
    live_ok(rd_kafka_begin_transaction(producer));
    positions_commit(producer, &region, 2, text);
    /* Pending: neither the old nor the new answer is true yet. */
    uw_intake_close(&intake);
    {
        struct uw_property properties[] = {{"bootstrap.servers", live_brokers()}};
        struct uw_intake_options options = {.properties = properties, .property_count = 1, .group_id = region.group,
                                            .batch_messages_max = 10, .timeout_ms = 1500,
                                            .listener = {&region, on_assigned, on_revoked}};

        for (int i = 0; i < UW_TOPIC_COUNT; i++)
            options.topics[i] = region.topics[i];
        deadline_ms = live_deadline_ms();
        while (uw_intake_open(&options, &intake, &error) != UW_OK)
            live_again(deadline_ms, &error);
    }
    read_all(intake, counts, next);
    sequence = -1;
    assert_int_not_equal(uw_intake_published(intake, 2, &sequence, &error), UW_OK);
    print_message("%s\n", error.text);
    assert_int_equal(error.class, UW_CLASS_RETRY);
    assert_int_equal(sequence, -1);
    live_ok(rd_kafka_commit_transaction(producer, LIVE_PATIENCE_MS));
    deadline_ms = live_deadline_ms();
    while (uw_intake_published(intake, 2, &sequence, &error) != UW_OK)
        live_again(deadline_ms, &error);
    assert_int_equal(sequence, 123);
    live_ok(rd_kafka_begin_transaction(producer));
    positions_commit(producer, &region, 2, "somebody else");
    live_ok(rd_kafka_commit_transaction(producer, LIVE_PATIENCE_MS));
    /* A commit is answered before the group's coordinator has heard of it. */
    deadline_ms = live_deadline_ms();
    while ((code = uw_intake_published(intake, 2, &sequence, &error)) != UW_OK && error.class == UW_CLASS_RETRY)
        live_again(deadline_ms, &error);
    assert_int_equal(code, UW_ECONFIG);
    print_message("%s\n", error.text);
    uw_intake_close(&intake);
    rd_kafka_destroy(producer);
}

static void writes_the_groups_metadata(void **state)
{
    struct region region;
    struct uw_intake *intake;
    struct uw_error error = {.text = ""};
    char buffer[UW_GROUP_METADATA_BYTES];
    size_t size = 3;
    rd_kafka_consumer_group_metadata_t *group = NULL;

    (void)state;
    live_require();
    region_init(&region);
    intake = opened(&region);
    assert_int_equal(uw_intake_group_metadata(intake, buffer, &size, &error), UW_ELIMIT);
    size = sizeof(buffer);
    assert_int_equal(uw_intake_group_metadata(intake, buffer, &size, &error), UW_OK);
    live_ok(rd_kafka_consumer_group_metadata_read(&group, buffer, size));
    rd_kafka_consumer_group_metadata_destroy(group);
    uw_intake_close(&intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_share_whole_partitions),
        cmocka_unit_test(asks_nothing_at_its_end),
        cmocka_unit_test(ends_at_any_moment),
        cmocka_unit_test(asks_what_others_are_through_with),
        cmocka_unit_test(asks_what_is_published),
        cmocka_unit_test(writes_the_groups_metadata),
    };

    return cmocka_run_group_tests_name("membership, real broker", tests, NULL, NULL);
}
