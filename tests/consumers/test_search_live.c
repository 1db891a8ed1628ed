/*
 * Looking for records of an outbox in their topics, against a real broker: what a subscriber sees is found, what is
 * aborted or another record is not, what is in the air is waited for, and of topics that were emptied nothing is concluded.
 */
#include "tests/support/kafka_live.h"

#include "consumers/search.h"

#define RECORDS_MAX 8u
#define STEP_MS 200

/* live_produce's. */
static const struct uw_header header = {{"kind", 4}, {"test", 4}};

struct place {
    char alerts[96], letters[96];
    struct uw_property properties[2];
    struct uw_search_options options;
};

/* The tests' keys are numbers of partitions. */
static int32_t partition_of(struct uw_str key, int32_t partition_count)
{
    return (key.data[0] - '0') % partition_count;
}

static void place_make(struct place *place)
{
    live_require();
    memset(place, 0, sizeof(*place));
    live_name("search-alerts", place->alerts, sizeof(place->alerts));
    live_name("search-letters", place->letters, sizeof(place->letters));
    live_topic_create(place->alerts, 2);
    live_topic_create(place->letters, 1);
    place->properties[0] = (struct uw_property){"bootstrap.servers", live_brokers()};
    /* What the processor insists on, a user may say. */
    place->properties[1] = (struct uw_property){"isolation.level", "read_committed"};
    place->options = (struct uw_search_options){.properties = place->properties,
                                                .property_count = 2,
                                                .outputs = {place->alerts, "no-such-topic", place->letters},
                                                .partition_of = partition_of,
                                                .timeout_ms = LIVE_PATIENCE_MS};
}

static struct uw_outbox_record record_of(enum uw_output output, const char *key, const char *value)
{
    static int64_t sequence;

    return (struct uw_outbox_record){.partition = 3,
                                     .sequence = ++sequence,
                                     .output = output,
                                     .key = uw_str_from(key),
                                     .value = value == NULL ? UW_STR_NULL : uw_str_from(value),
                                     .headers = &header,
                                     .header_count = 1};
}

/* A whole search; the code is that of its last step. */
static enum uw_code search(const struct place *place, const struct uw_outbox_record *records, uint32_t count,
                           int32_t step_ms, bool *found, struct uw_error *error)
{
    struct uw_search *search = NULL;
    bool complete = false;
    enum uw_code code = uw_search_open(&place->options, records, count, &search, error);

    if (code != UW_OK)
        return code;
    while (code == UW_OK && !complete)
        code = uw_search_step(search, records, step_ms, found, &complete, error);
    assert_true(uw_search_read(search) > 0 || code != UW_OK || !found[0]);
    uw_search_close(&search);
    assert_null(search);
    return code;
}

static rd_kafka_t *producer_begin(void)
{
    char id[96];
    rd_kafka_t *producer;

    live_name("search", id, sizeof(id));
    producer = live_producer(id);
    live_ok(rd_kafka_begin_transaction(producer));
    return producer;
}

static void finds_what_is_committed(void **state)
{
    struct place place;
    struct uw_error error = {.text = ""};
    bool found[RECORDS_MAX] = {false};
    struct uw_header other = {{"kind", 4}, {"tesu", 4}};
    struct uw_outbox_record records[RECORDS_MAX];
    static const bool want[] = {true, false, false, false, true, false, false};
    rd_kafka_t *producer;
    char filler[32];

    (void)state;
    place_make(&place);
    records[0] = record_of(UW_OUTPUT_ALERTS, "0", "committed");
    records[1] = record_of(UW_OUTPUT_ALERTS, "1", "aborted");
    records[2] = record_of(UW_OUTPUT_ALERTS, "1", "nowhere");
    /* Equal to a record that is there but for its header, its topic, and where its key ends. */
    records[3] = records[0];
    records[3].headers = &other;
    records[4] = record_of(UW_OUTPUT_DEAD_LETTERS, "1", NULL);
    records[5] = records[4];
    records[5].output = UW_OUTPUT_ALERTS;
    records[6] = record_of(UW_OUTPUT_ALERTS, "0c", "ommitted");
    producer = producer_begin();
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(filler, sizeof(filler), "other %d", i);
        live_produce(producer, place.alerts, i % 2, "1", filler);
    }
    live_produce(producer, place.alerts, 0, "0", "committed");
    live_produce(producer, place.letters, 0, "1", NULL);
    live_ok(rd_kafka_commit_transaction(producer, LIVE_PATIENCE_MS));
    live_ok(rd_kafka_begin_transaction(producer));
    live_produce(producer, place.alerts, 1, "1", "aborted");
    assert_int_equal(rd_kafka_flush(producer, LIVE_PATIENCE_MS), 0);
    live_ok(rd_kafka_abort_transaction(producer, LIVE_PATIENCE_MS));
    for (int32_t step_ms = 1; step_ms <= LIVE_PATIENCE_MS; step_ms += LIVE_PATIENCE_MS - 1) {
        memset(found, 0, sizeof(found));
        if (search(&place, records, 7, step_ms, found, &error) != UW_OK)
            fail_msg("%s", error.text);
        for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
            assert_int_equal(found[i], want[i]);
    }
    rd_kafka_destroy(producer);
}

/* An open transaction is waited for only when one of the records stands in it: another may be one that a broker has
 * forgotten to end. */
static void waits_only_for_its_own(void **state)
{
    struct place place;
    struct uw_error error = {.text = ""};
    bool found[2] = {true, true};
    struct uw_outbox_record records[2];
    rd_kafka_t *producer;
    int64_t deadline_ms = live_deadline_ms();

    (void)state;
    place_make(&place);
    records[0] = record_of(UW_OUTPUT_ALERTS, "0", "mine");
    records[1] = record_of(UW_OUTPUT_ALERTS, "1", "mine too");
    producer = producer_begin();
    live_produce(producer, place.alerts, 0, "0", "another's");
    assert_int_equal(rd_kafka_flush(producer, LIVE_PATIENCE_MS), 0);
    if (search(&place, records, 2, STEP_MS, found, &error) != UW_OK)
        fail_msg("%s", error.text);
    assert_false(found[0] || found[1]);
    live_produce(producer, place.alerts, 0, "0", "mine");
    assert_int_equal(rd_kafka_flush(producer, LIVE_PATIENCE_MS), 0);
    assert_int_equal(search(&place, records, 2, STEP_MS, found, &error), UW_ETIMEOUT);
    assert_int_equal(error.class, UW_CLASS_RETRY);
    assert_non_null(strstr(error.text, "offset 1, where a transaction has not ended yet"));
    live_ok(rd_kafka_commit_transaction(producer, LIVE_PATIENCE_MS));
    /* The commit is answered before its marker is in the partition. */
    while (search(&place, records, 2, STEP_MS, found, &error) != UW_OK)
        live_again(deadline_ms, &error);
    assert_true(found[0] && !found[1]);
    rd_kafka_destroy(producer);
}

static void concludes_nothing_from_emptied_topics(void **state)
{
    struct place place;
    struct uw_error error = {.text = ""};
    bool found[2] = {true, true};
    struct uw_outbox_record records[2];
    rd_kafka_t *producer;

    (void)state;
    place_make(&place);
    records[0] = record_of(UW_OUTPUT_ALERTS, "0", "mine");
    records[1] = record_of(UW_OUTPUT_ALERTS, "1", "mine too");
    producer = producer_begin();
    live_produce(producer, place.alerts, 0, "0", "mine");
    live_ok(rd_kafka_commit_transaction(producer, LIVE_PATIENCE_MS));
    live_records_delete(place.alerts, 0, 2);
    /* Nothing was ever in the partition of the other one. */
    if (search(&place, records, 2, STEP_MS, found, &error) != UW_OK)
        fail_msg("%s", error.text);
    assert_false(found[0] || found[1]);
    assert_int_equal(search(&place, records, 1, STEP_MS, found, &error), UW_ECONFIG);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_non_null(strstr(error.text, "were emptied"));
    /* One without a key may have been in any partition. */
    records[0].key = UW_STR_NULL;
    assert_int_equal(search(&place, records, 1, STEP_MS, found, &error), UW_OK);
    rd_kafka_destroy(producer);
}

static void topics_must_exist(void **state)
{
    struct place place;
    struct uw_error error = {.text = ""};
    bool found[1] = {false};
    struct uw_outbox_record record = record_of(UW_OUTPUT_ANOMALIES, "0", "mine");

    (void)state;
    place_make(&place);
    assert_int_equal(search(&place, &record, 1, STEP_MS, found, &error), UW_ECONFIG);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_non_null(strstr(error.text, "no-such-topic"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_committed),
        cmocka_unit_test(waits_only_for_its_own),
        cmocka_unit_test(concludes_nothing_from_emptied_topics),
        cmocka_unit_test(topics_must_exist),
    };

    return cmocka_run_group_tests_name("search in the outputs, real broker", tests, NULL, NULL);
}
