/*
 * The publisher against a real broker: all of a transaction or nothing, positions with their metadata, and who is
 * fenced.
 */
#include "tests/support/kafka_live.h"

#include "core/ports.h"
#include "producers/feeder.h"
#include "producers/publisher.h"
#include "schemas/position.h"

struct place {
    char outputs[UW_OUTPUT_COUNT][96], topics[UW_TOPIC_COUNT][96];
    char group[96], id[96];
    /* The group metadata that goes along, as a member wrote it once; size 0: of a group without members. */
    char member[4096];
    size_t member_size;
};

static void place_init(struct place *place)
{
    memset(place, 0, sizeof(*place));
    live_name("group", place->group, sizeof(place->group));
    live_name("txn", place->id, sizeof(place->id));
    for (int i = 0; i < UW_OUTPUT_COUNT; i++) {
        live_name("out", place->outputs[i], sizeof(place->outputs[i]));
        live_topic_create(place->outputs[i], 3);
    }
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        live_name("in", place->topics[i], sizeof(place->topics[i]));
        live_topic_create(place->topics[i], 3);
    }
}

static enum uw_code group_metadata(void *context, void *buffer, size_t *size, struct uw_error *error)
{
    const struct place *place = context;
    rd_kafka_consumer_group_metadata_t *metadata;
    void *written;
    size_t written_size;

    (void)error;
    if (place->member_size > 0) {
        memcpy(buffer, place->member, place->member_size);
        *size = place->member_size;
        return UW_OK;
    }
    metadata = rd_kafka_consumer_group_metadata_new(place->group);
    live_ok(rd_kafka_consumer_group_metadata_write(metadata, &written, &written_size));
    assert_true(written_size <= *size);
    memcpy(buffer, written, written_size);
    *size = written_size;
    free(written);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    return UW_OK;
}

/* A member that has got its partitions. */
static rd_kafka_t *member_joined(const struct place *place)
{
    const char *topics[UW_TOPIC_COUNT];
    rd_kafka_t *member;
    int64_t deadline_ms = live_deadline_ms();
    int count = 0;

    for (int i = 0; i < UW_TOPIC_COUNT; i++)
        topics[i] = place->topics[i];
    member = live_member(place->group, topics, UW_TOPIC_COUNT);
    while (count == 0) {
        rd_kafka_topic_partition_list_t *list = NULL;
        rd_kafka_message_t *message = rd_kafka_consumer_poll(member, 100);

        live_in_time(deadline_ms, "partitions");
        if (message != NULL)
            rd_kafka_message_destroy(message);
        assert_int_equal(rd_kafka_assignment(member, &list), 0);
        count = list->cnt;
        rd_kafka_topic_partition_list_destroy(list);
    }
    return member;
}

static void member_freeze(struct place *place, rd_kafka_t *member)
{
    rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata(member);
    void *written;

    live_ok(rd_kafka_consumer_group_metadata_write(metadata, &written, &place->member_size));
    assert_true(place->member_size <= sizeof(place->member));
    memcpy(place->member, written, place->member_size);
    free(written);
    rd_kafka_consumer_group_metadata_destroy(metadata);
}

static struct uw_transactor *place_open(struct place *place)
{
    const struct uw_property properties[] = {{"bootstrap.servers", live_brokers()}};
    struct uw_transactor_options options = {
        .properties = properties,
        .property_count = 1,
        .transactional_id = place->id,
        .group_id = place->group,
        .group_context = place,
        .group_metadata = group_metadata,
        .timeout_ms = LIVE_PATIENCE_MS,
    };
    struct uw_transactor *transactor = NULL;
    struct uw_error error = {.text = ""};

    for (int i = 0; i < UW_OUTPUT_COUNT; i++)
        options.outputs[i] = place->outputs[i];
    for (int i = 0; i < UW_TOPIC_COUNT; i++)
        options.topics[i] = place->topics[i];
    if (uw_transactor_open(&options, &transactor, &error) != UW_OK)
        fail_msg("%s", error.text);
    return transactor;
}

static enum uw_code publish(struct uw_transactor *transactor, int count, int64_t sequence, struct uw_error *error)
{
    struct uw_outbox_record records[64];
    struct uw_published position = {.partition = 1, .next_offset = {sequence, 0, 2, 3}, .sequence = sequence};
    static char keys[64][8];

    for (int i = 0; i < count; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "c%d", i % 100);
        records[i] = (struct uw_outbox_record){
            .partition = 1, .sequence = i + 1, .output = UW_OUTPUT_ALERTS, .key = uw_str_from(keys[i]),
            .value = UW_STR("alert")};
    }
    *error = (struct uw_error){.text = ""};
    return uw_transactor_publish(transactor, records, (uint32_t)count, &position, 1, error);
}

/* The group's committed offset of the first topic's partition 1, and its metadata's sequence. */
static int64_t committed(const struct place *place, int64_t *sequence)
{
    rd_kafka_t *reader = live_member(place->group, NULL, 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t offset;

    rd_kafka_topic_partition_list_add(list, place->topics[0], 1);
    assert_int_equal(rd_kafka_committed(reader, list, LIVE_PATIENCE_MS), 0);
    offset = list->elems[0].offset;
    if (offset >= 0)
        assert_true(uw_position_parse(
            (struct uw_str){list->elems[0].metadata, (uint32_t)list->elems[0].metadata_size}, sequence));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_close(reader);
    rd_kafka_destroy(reader);
    return offset;
}

static void commits_records_with_positions(void **state)
{
    struct place place;
    struct uw_transactor *transactor;
    struct uw_error error;
    int64_t sequence = -1;

    (void)state;
    live_require();
    place_init(&place);
    assert_true(committed(&place, &sequence) < 0);
    transactor = place_open(&place);
    if (publish(transactor, 60, 60, &error) != UW_OK)
        fail_msg("%s", error.text);
    assert_int_equal(live_count(place.outputs[0], 3), 60);
    assert_int_equal(committed(&place, &sequence), 60);
    assert_int_equal(sequence, 60);
    if (publish(transactor, 0, 61, &error) != UW_OK)
        fail_msg("%s", error.text);
    assert_int_equal(committed(&place, &sequence), 61);
    assert_int_equal(sequence, 61);
    uw_transactor_close(&transactor);
}

/* A restarted process takes its name over; the one that comes back from the dead changes nothing any more. */
static void fences_the_older_of_two(void **state)
{
    struct place place;
    struct uw_transactor *zombie, *successor;
    struct uw_error error;
    int64_t sequence = -1;

    (void)state;
    live_require();
    place_init(&place);
    zombie = place_open(&place);
    assert_int_equal(publish(zombie, 3, 3, &error), UW_OK);
    successor = place_open(&place);
    assert_int_not_equal(publish(zombie, 5, 8, &error), UW_OK);
    print_message("%s\n", error.text);
    assert_int_equal(error.code, UW_EFENCED);
    assert_int_equal(error.class, UW_CLASS_FENCED);
    assert_int_equal(publish(successor, 4, 7, &error), UW_OK);
    assert_int_equal(live_count(place.outputs[0], 3), 7);
    assert_int_equal(committed(&place, &sequence), 7);
    assert_int_equal(sequence, 7);
    uw_transactor_close(&zombie);
    uw_transactor_close(&successor);
}

/* Its member was replaced in the group while it slept: what it would publish belongs to another one now. */
static void fences_an_older_generation(void **state)
{
    struct place place;
    struct uw_transactor *transactor;
    struct uw_error error;
    rd_kafka_t *member, *other;
    int64_t sequence = -1;

    (void)state;
    live_require();
    place_init(&place);
    member = member_joined(&place);
    member_freeze(&place, member);
    transactor = place_open(&place);
    if (publish(transactor, 2, 2, &error) != UW_OK)
        fail_msg("%s", error.text);
    rd_kafka_consumer_close(member);
    other = member_joined(&place);
    assert_int_not_equal(publish(transactor, 3, 5, &error), UW_OK);
    print_message("%s\n", error.text);
    assert_int_equal(error.class, UW_CLASS_FENCED);
    assert_int_equal(live_count(place.outputs[0], 3), 2);
    assert_int_equal(committed(&place, &sequence), 2);
    assert_int_equal(sequence, 2);
    /* With the new member's papers it is welcome. */
    member_freeze(&place, other);
    if (publish(transactor, 1, 3, &error) != UW_OK)
        fail_msg("%s", error.text);
    assert_int_equal(live_count(place.outputs[0], 3), 3);
    uw_transactor_close(&transactor);
    rd_kafka_destroy(member);
    rd_kafka_consumer_close(other);
    rd_kafka_destroy(other);
}

static void refuses_a_record_that_is_too_large(void **state)
{
    struct place place;
    struct uw_transactor *transactor;
    struct uw_error error = {.text = ""};
    struct uw_outbox_record record = {.output = UW_OUTPUT_DEAD_LETTERS};
    size_t size = 20000000; /* more than any broker's default */
    char *noise;
    uint32_t seed = 1;

    (void)state;
    live_require();
    noise = malloc(size);
    assert_non_null(noise);
    for (size_t i = 0; i < size; i++)
        noise[i] = (char)((seed = seed * 1664525u + 1013904223u) >> 24);
    place_init(&place);
    transactor = place_open(&place);
    record.value = (struct uw_str){noise, (uint32_t)size};
    assert_int_not_equal(uw_transactor_publish(transactor, &record, 1, NULL, 0, &error), UW_OK);
    print_message("%s\n", error.text);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_non_null(strstr(error.text, "max.message.bytes"));
    /* The next ones go on. */
    assert_int_equal(publish(transactor, 2, 2, &error), UW_OK);
    uw_transactor_close(&transactor);
    free(noise);
}

static void feeds(void **state)
{
    struct place place;
    const struct uw_property properties[] = {{"bootstrap.servers", live_brokers()}};
    struct uw_feeder_options options = {.properties = properties, .property_count = 1, .timeout_ms = LIVE_PATIENCE_MS};
    struct uw_feeder_statistics statistics;
    struct uw_feeder *feeder = NULL;
    struct uw_error error = {.text = ""};

    (void)state;
    live_require();
    place_init(&place);
    for (int i = 0; i < UW_TOPIC_COUNT; i++)
        options.topics[i] = place.topics[i];
    if (uw_feeder_open(&options, &feeder, &error) != UW_OK)
        fail_msg("%s", error.text);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(uw_feeder_send(feeder, UW_TOPIC_DECISIONS, UW_STR("c"), UW_STR("v"), &error), UW_OK);
    assert_int_equal(uw_feeder_send(feeder, UW_TOPIC_DECISIONS, UW_STR_NULL, UW_STR_NULL, &error), UW_OK);
    {
        struct uw_str large = {calloc(1, 4000000), 4000000};

        assert_int_equal(uw_feeder_send(feeder, UW_TOPIC_DECISIONS, UW_STR("c"), large, &error), UW_ELIMIT);
        assert_int_equal(error.class, UW_CLASS_INPUT);
        free((char *)(uintptr_t)large.data);
    }
    if (uw_feeder_flush(feeder, LIVE_PATIENCE_MS, &error) != UW_OK)
        fail_msg("%s", error.text);
    uw_feeder_statistics(feeder, &statistics);
    assert_int_equal(statistics.accepted, 5001);
    assert_int_equal(statistics.delivered, 5001);
    assert_int_equal(statistics.failed, 0);
    assert_int_equal(live_count(place.topics[0], 3), 5001);
    uw_feeder_close(&feeder);
    options.topics[2] = "uwtest.no-such-topic";
    assert_int_equal(uw_feeder_open(&options, &feeder, &error), UW_ECONFIG);
    print_message("%s\n", error.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_records_with_positions),
        cmocka_unit_test(fences_the_older_of_two),
        cmocka_unit_test(fences_an_older_generation),
        cmocka_unit_test(refuses_a_record_that_is_too_large),
        cmocka_unit_test(feeds),
    };

    return cmocka_run_group_tests_name("publisher and feeder, real broker", tests, NULL, NULL);
}
