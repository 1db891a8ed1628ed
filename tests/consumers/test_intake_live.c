/*
 * The intake against a real broker: what it hands over, in which order, where it starts, and what it refuses.
 */
#include "tests/consumers/intake_live.h"

#include <inttypes.h>
#include <poll.h>

#include "consumers/intake_parts.h"

static void reads_everything_in_order(void **state)
{
    struct region region;
    struct uw_intake *intake;
    int64_t counts[PARTITIONS][UW_TOPIC_COUNT], next[PARTITIONS][UW_TOPIC_COUNT];
    const int32_t *partitions;

    (void)state;
    live_require();
    region_init(&region);
    fill(&region, 25);
    region.starts[1].next_offset[UW_TOPIC_NO_SHOWS] = 20;
    region.starts[2].next_offset[UW_TOPIC_DECISIONS] = 25; /* the end: nothing, and no error */
    intake = opened(&region);
    assert_int_equal(uw_intake_partition_count(intake), PARTITIONS);
    assert_false(uw_intake_idle(intake));
    read_all(intake, counts, next);
    for (int p = 0; p < PARTITIONS; p++) {
        for (int t = 0; t < UW_TOPIC_COUNT; t++)
            assert_int_equal(counts[p][t], 25 - region.starts[p].next_offset[t]);
    }
    assert_int_equal(uw_intake_assignment(intake, &partitions), PARTITIONS);
    for (int p = 0; p < PARTITIONS; p++)
        assert_int_equal(partitions[p], p);
    assert_int_equal(uw_intake_lag(intake), 0);
    /* One batch was aborted: its partition is read again, the others are not. */
    uw_intake_rewind(intake, 3, (const int64_t[]){0, 10, 24, 25});
    assert_false(uw_intake_idle(intake));
    read_all(intake, counts, next);
    for (int p = 0; p < PARTITIONS; p++) {
        assert_int_equal(counts[p][0], p == 3 ? 25 : 0);
        assert_int_equal(counts[p][1], p == 3 ? 15 : 0);
        assert_int_equal(counts[p][2], p == 3 ? 1 : 0);
        assert_int_equal(counts[p][3], 0);
    }
    uw_intake_close(&intake);
    assert_null(intake);
    assert_int_equal(region.revoked_calls, 1);
}

/* What was read of decisions up to the last of them, when the first message of another topic came. */
static void reads_decisions_first(void **state)
{
    const int per_partition = 500;
    struct region region;
    struct uw_intake *intake;
    int64_t deadline_ms = live_deadline_ms();
    int64_t decisions = 0, others = 0;

    (void)state;
    if (getenv("URENWACHT_TEST_GROUP_PROTOCOL") != NULL)
        skip(); /* an assignment by parts cannot be split */
    live_require();
    region_init(&region);
    fill(&region, per_partition);
    intake = opened(&region);
    while (!uw_intake_idle(intake)) {
        const struct uw_message *messages;
        uint32_t count = 0;

        count = poll_in_time(intake, 200, 100, deadline_ms, &messages);
        for (uint32_t i = 0; i < count; i++) {
            if (messages[i].topic == UW_TOPIC_DECISIONS) {
                assert_int_equal(others, 0);
                decisions++;
            } else {
                assert_int_equal(decisions, per_partition * PARTITIONS);
                others++;
            }
        }
        uw_intake_release(intake);
    }
    assert_int_equal(others, (UW_TOPIC_COUNT - 1) * per_partition * PARTITIONS);
    uw_intake_close(&intake);
}

/* Reads until idle in batches of `max`, each of which must be of one partition as long as `total` has not come; notes in
 * which order the partitions came. Where `ordered`, no other topic may come before the last of a partition's decisions, and
 * the partition is said to be far behind until all of it has come, be it that its end was not met; a batch then has
 * decisions or others. */
static uint32_t read_by_partition(struct uw_intake *intake, uint32_t max, int64_t total, int64_t decisions_each,
                                  bool ordered, int32_t order[], uint32_t order_max)
{
    int64_t deadline_ms = live_deadline_ms(), read = 0, decisions = 0, from = 0;
    uint32_t seen = 0;

    while (!uw_intake_idle(intake)) {
        const struct uw_message *messages;
        uint32_t count = 0;

        count = poll_in_time(intake, 200, max, deadline_ms, &messages);
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(messages[i].partition, messages[0].partition);
            if (seen == 0 || order[seen - 1] != messages[i].partition) {
                assert_true(seen < order_max);
                order[seen++] = messages[i].partition;
                decisions = 0;
                from = read + i;
            }
            decisions += messages[i].topic == UW_TOPIC_DECISIONS ? 1 : 0;
            assert_true(!ordered || messages[i].topic == UW_TOPIC_DECISIONS || decisions == decisions_each);
            assert_int_equal(ordered && messages[i].topic == UW_TOPIC_DECISIONS,
                             ordered && messages[0].topic == UW_TOPIC_DECISIONS);
        }
        read += count;
        if (count > 0 && ordered && read - from < decisions_each * UW_TOPIC_COUNT)
            assert_int_equal(uw_intake_far_behind(intake), messages[0].partition);
        else if (count > 0 && ordered)
            assert_int_not_equal(uw_intake_far_behind(intake), messages[0].partition);
        else if (!ordered)
            assert_int_equal(uw_intake_far_behind(intake), -1);
        uw_intake_release(intake);
    }
    assert_int_equal(read, total);
    assert_int_equal(uw_intake_far_behind(intake), -1);
    return seen;
}

/* More waits than a batch may hold: one partition comes after the other, each from its decisions on. */
static void reads_one_partition_after_the_other_when_behind(void **state)
{
    enum { EACH = 60, ALL = EACH * UW_TOPIC_COUNT * PARTITIONS };
    struct region region;
    struct uw_intake *intake;
    const struct uw_message *messages;
    int32_t order[2 * PARTITIONS];
    uint32_t count = 0;
    int64_t deadline_ms = live_deadline_ms();

    (void)state;
    if (getenv("URENWACHT_TEST_GROUP_PROTOCOL") != NULL)
        skip(); /* an assignment by parts cannot be split */
    live_require();
    region_init(&region);
    region.batch_messages_max = 100;
    fill(&region, EACH);
    intake = opened(&region);
    while (count == 0) {
        count = poll_in_time(intake, 200, 100, deadline_ms, &messages);
    }
    assert_int_equal(messages[0].partition, 0);
    assert_int_equal(messages[0].topic, UW_TOPIC_DECISIONS);
    /* All of it is known to wait, what is not read yet as well. */
    assert_int_equal(uw_intake_lag(intake), ALL - count);
    uw_intake_release(intake);
    /* The batch was aborted: the same partition comes again, and before the others. */
    uw_intake_rewind(intake, 0, (const int64_t[]){0, 0, 0, 0});
    assert_int_equal(read_by_partition(intake, EACH, ALL, EACH, true, order, 2 * PARTITIONS), PARTITIONS);
    for (int32_t p = 0; p < PARTITIONS; p++)
        assert_int_equal(order[p], p);
    assert_int_equal(uw_intake_lag(intake), 0);
    /* What was set back after all of it was read comes again, nothing else. */
    uw_intake_rewind(intake, 2, (const int64_t[]){EACH, EACH - 5, EACH, EACH});
    assert_int_equal(read_by_partition(intake, 100, 5, 0, false, order, 2 * PARTITIONS), 1);
    assert_int_equal(order[0], 2);
    uw_intake_close(&intake);
    assert_int_equal(region.revoked_calls, 1);
}

/* What comes to a partition that has been read already is read when all has been read once, nothing twice. */
static void reads_what_comes_meanwhile(void **state)
{
    enum { EACH = 20, ALL = EACH * UW_TOPIC_COUNT * PARTITIONS };
    struct region region;
    struct uw_intake *intake;
    int64_t deadline_ms = live_deadline_ms();
    int64_t counts[PARTITIONS] = {0};
    rd_kafka_t *producer;
    bool added = false;

    (void)state;
    if (getenv("URENWACHT_TEST_GROUP_PROTOCOL") != NULL)
        skip();
    live_require();
    region_init(&region);
    region.batch_messages_max = EACH * UW_TOPIC_COUNT;
    fill(&region, EACH);
    intake = opened(&region);
    producer = live_producer(NULL);
    while (!uw_intake_idle(intake)) {
        const struct uw_message *messages;
        uint32_t count = 0;

        count = poll_in_time(intake, 200, EACH * UW_TOPIC_COUNT, deadline_ms, &messages);
        for (uint32_t i = 0; i < count; i++)
            counts[messages[i].partition]++;
        if (count > 0 && !added) {
            live_produce(producer, region.topics[UW_TOPIC_DECLARATIONS], messages[0].partition, "later", "later");
            assert_int_equal(rd_kafka_flush(producer, LIVE_PATIENCE_MS), 0);
            added = true;
        }
        uw_intake_release(intake);
    }
    for (int32_t p = 0; p < PARTITIONS; p++)
        assert_int_equal(counts[p], EACH * UW_TOPIC_COUNT + (p == 0 ? 1 : 0));
    rd_kafka_destroy(producer);
    uw_intake_close(&intake);
}

/* How many polls of 500 messages stood still for a good part of the second after which librdkafka looks again by itself. */
static int count_stalls(struct uw_intake *intake, int total)
{
    const int64_t stall_ms = 250;
    int64_t deadline_ms = live_deadline_ms();
    int stalls = 0;

    for (int read = 0; read < total;) {
        const struct uw_message *messages;
        int64_t started_ms = uw_kafka_clock_ms();
        int count = (int)poll_in_time(intake, 2000, 500, deadline_ms, &messages);

        stalls += read > 0 && uw_kafka_clock_ms() - started_ms > stall_ms;
        read += count;
        uw_intake_release(intake);
        /* As if they were applied: meanwhile what may be held in advance becomes full. */
        (void)poll(NULL, 0, 100);
    }
    return stalls;
}

/* What may be held in advance is full again and again: librdkafka is told when there is room, and does not sleep on. */
static void fetches_on_when_there_is_room(void **state)
{
    const int total = 20000;
    static struct region region;
    struct uw_intake *intake;
    rd_kafka_t *producer;
    int stalls;

    (void)state;
    live_require();
    region_init(&region);
    producer = live_producer(NULL);
    for (int i = 0; i < total; i++) {
        live_produce(producer, region.topics[UW_TOPIC_DECLARATIONS], 0, "c", "value");
        /* Batches that are smaller than what may be held. */
        if (i % 100 == 99)
            assert_int_equal(rd_kafka_flush(producer, LIVE_PATIENCE_MS), 0);
    }
    rd_kafka_destroy(producer);
    region.batch_messages_max = 500;
    region.more[0] = (struct uw_property){"queued.min.messages", "1000"};
    region.more[1] = (struct uw_property){"fetch.message.max.bytes", "8192"};
    intake = opened(&region);
    stalls = count_stalls(intake, total);
    uw_intake_close(&intake);
    /* Some twelve, if it were not told. */
    if (stalls > 6)
        fail_msg("%d of 40 polls waited for librdkafka to look again", stalls);
}

static void hands_over_key_value_and_headers(void **state)
{
    struct region region;
    struct uw_intake *intake;
    rd_kafka_t *producer;
    const struct uw_message *messages;
    uint32_t count = 0;

    (void)state;
    live_require();
    region_init(&region);
    producer = live_producer(NULL);
    live_produce(producer, region.topics[2], 1, "client", NULL);
    live_produce(producer, region.topics[2], 1, "client", "");
    assert_int_equal(rd_kafka_flush(producer, LIVE_PATIENCE_MS), 0);
    rd_kafka_destroy(producer);
    intake = opened(&region);
    assert_int_equal(uw_intake_poll(intake, LIVE_PATIENCE_MS, 2, 1000, LIVE_PATIENCE_MS, &messages, &count, NULL),
                     UW_OK);
    assert_int_equal(count, 2);
    assert_int_equal(messages[0].topic, UW_TOPIC_NO_SHOWS);
    assert_int_equal(messages[0].partition, 1);
    assert_true(uw_str_equal(messages[0].key, UW_STR("client")));
    assert_null(messages[0].value.data);
    assert_int_equal(messages[0].header_count, 1);
    assert_true(uw_str_equal(messages[0].headers[0].name, UW_STR("kind")));
    assert_true(uw_str_equal(messages[0].headers[0].value, UW_STR("test")));
    assert_true(messages[0].timestamp_ms > 0);
    assert_int_equal(messages[1].value.length, 0);
    uw_intake_release(intake);
    uw_intake_close(&intake);
}

static void produce_with_headers(rd_kafka_t *producer, const char *topic, int header_count)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new((size_t)header_count);

    for (int i = 0; i < header_count; i++)
        assert_int_equal(rd_kafka_header_add(headers, "h", 1, "v", 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    const rd_kafka_vu_t arguments[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = 0},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {"v", 1}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    live_ok(rd_kafka_produceva(producer, arguments, sizeof(arguments) / sizeof(arguments[0])));
}

/* The limit is lowered to three headers a batch: up to it, one more than it, and alone more than it. */
static void headers_have_a_limit(void **state)
{
    static const int sent[] = {2, 1, 1, 3, 4};
    static const uint32_t batches[] = {2, 1, 2};
    struct region region;
    struct uw_intake *intake;
    struct uw_error error = {.text = ""};
    const struct uw_message *messages;
    rd_kafka_t *producer;
    uint32_t count = 0, seen = 0;

    (void)state;
    live_require();
    region_init(&region);
    producer = live_producer(NULL);
    for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
        produce_with_headers(producer, region.topics[UW_TOPIC_DECLARATIONS], sent[i]);
    assert_int_equal(rd_kafka_flush(producer, LIVE_PATIENCE_MS), 0);
    rd_kafka_destroy(producer);
    intake = opened(&region);
    intake->headers.limit_bytes = 3 * sizeof(struct uw_header);
    for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
        /* Nothing comes after the last one that would end its batch. */
        uint32_t max = i + 1 == sizeof(batches) / sizeof(batches[0]) ? batches[i] : 100;

        if (uw_intake_poll(intake, LIVE_PATIENCE_MS, max, 1 << 20, LIVE_PATIENCE_MS, &messages, &count, &error) !=
            UW_OK)
            fail_msg("%s", error.text);
        assert_int_equal(count, batches[i]);
        for (uint32_t m = 0; m < count; m++, seen++)
            assert_int_equal(messages[m].header_count, sent[seen] > 3 ? 0 : sent[seen]);
        uw_intake_release(intake);
    }
    uw_intake_close(&intake);
}

static void keeps_what_came_in_a_heartbeat(void **state)
{
    struct region region;
    struct uw_intake *intake;
    struct uw_error error = {.text = ""};
    const struct uw_message *messages;
    uint32_t count = 0;
    int64_t counts[PARTITIONS][UW_TOPIC_COUNT], next[PARTITIONS][UW_TOPIC_COUNT];

    (void)state;
    live_require();
    region_init(&region);
    fill(&region, 100);
    intake = opened(&region);
    assert_int_equal(uw_intake_poll(intake, LIVE_PATIENCE_MS, 5, 1 << 20, LIVE_PATIENCE_MS, &messages, &count, &error),
                     UW_OK);
    assert_int_equal(count, 5);
    for (int i = 0; i < 700; i++) { /* more than can be carried */
        if (uw_intake_heartbeat(intake, &error) != UW_OK)
            fail_msg("%s", error.text);
    }
    assert_false(uw_intake_idle(intake));
    uw_intake_release(intake);
    read_all(intake, counts, next);
    count = 0;
    for (int p = 0; p < PARTITIONS; p++) {
        for (int t = 0; t < UW_TOPIC_COUNT; t++) {
            count += (uint32_t)counts[p][t];
            assert_int_equal(next[p][t], 100);
        }
    }
    assert_int_equal(count, 100 * PARTITIONS * UW_TOPIC_COUNT - 5);
    uw_intake_close(&intake);
}

static bool all_ended(const struct uw_intake *intake)
{
    uint32_t ended = 0;

    for (uint32_t i = 0; i < intake->assigned_count; i++) {
        for (int t = 0; t < UW_TOPIC_COUNT; t++)
            ended += intake->slots[intake->assigned[i]].ended[t];
    }
    return ended == PARTITIONS * UW_TOPIC_COUNT;
}

/* The end of a partition is told once. When that happens in a heartbeat, before the messages that the heartbeat has
 * kept are handed over, it is still the end afterwards. */
static void finds_the_end_in_a_heartbeat(void **state)
{
    struct region region;
    struct uw_intake *intake;
    struct uw_error error = {.text = ""};
    const struct uw_message *messages;
    uint32_t count = 0;
    int64_t counts[PARTITIONS][UW_TOPIC_COUNT], next[PARTITIONS][UW_TOPIC_COUNT];
    int64_t position[UW_TOPIC_COUNT], end[UW_TOPIC_COUNT], deadline_ms = live_deadline_ms();

    (void)state;
    live_require();
    region_init(&region);
    fill(&region, 3);
    intake = opened(&region);
    assert_int_equal(uw_intake_poll(intake, LIVE_PATIENCE_MS, 1, 1 << 20, 0, &messages, &count, &error), UW_OK);
    assert_int_equal(count, 1);
    while (!all_ended(intake)) {
        live_in_time(deadline_ms, "the ends of all partitions");
        if (uw_intake_heartbeat(intake, &error) != UW_OK)
            fail_msg("%s", error.text);
        (void)poll(NULL, 0, 1);
    }
    uw_intake_release(intake);
    assert_int_equal(intake->carried_count, 3 * PARTITIONS * UW_TOPIC_COUNT - 1);
    /* What waits is not read, so that nobody may be told of an end behind it. */
    assert_false(uw_intake_end(intake, 0, position, end));
    assert_false(uw_intake_idle(intake));
    read_all(intake, counts, next);
    assert_int_equal(next[0][0], 3);
    assert_true(uw_intake_end(intake, 0, position, end));
    assert_memory_equal(position, end, sizeof(end));
    uw_intake_close(&intake);
}

static size_t bytes_of(const struct uw_message *messages, uint32_t count)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < count; i++)
        bytes += messages[i].key.length + messages[i].value.length;
    return bytes;
}

/* A batch ends at so many messages and at so many bytes of keys and values; a larger message comes alone. */
static void batches_have_limits(void **state)
{
    struct region region;
    struct uw_intake *intake;
    struct uw_error error = {.text = ""};
    const struct uw_message *messages;
    uint32_t count = 0;
    int64_t counts[PARTITIONS][UW_TOPIC_COUNT], next[PARTITIONS][UW_TOPIC_COUNT];
    int64_t left = 20 * PARTITIONS * UW_TOPIC_COUNT;

    (void)state;
    live_require();
    region_init(&region);
    fill(&region, 20);
    intake = opened(&region);
    for (int i = 0; i < 20; i++) {
        bool alone = i % 2 == 0;
        size_t max_bytes = alone ? 1 : 40;

        /* There is always more, so that a limit ends each of them, and no time. */
        assert_int_equal(uw_intake_poll(intake, LIVE_PATIENCE_MS, 5, max_bytes, LIVE_PATIENCE_MS, &messages, &count,
                                        &error),
                         UW_OK);
        assert_in_range(count, alone ? 1 : 2, alone ? 1 : 5);
        assert_true(alone || bytes_of(messages, count) <= max_bytes);
        left -= count;
        uw_intake_release(intake);
    }
    read_all(intake, counts, next);
    for (int p = 0; p < PARTITIONS; p++) {
        for (int t = 0; t < UW_TOPIC_COUNT; t++)
            left -= counts[p][t];
    }
    assert_int_equal(left, 0);
    uw_intake_close(&intake);
}

static enum uw_code poll_until_error(struct uw_intake *intake, struct uw_error *error)
{
    int64_t deadline_ms = live_deadline_ms();
    enum uw_code code = UW_OK;

    while (code == UW_OK && live_clock_ms() < deadline_ms) {
        const struct uw_message *messages;
        uint32_t count;

        code = uw_intake_poll(intake, 100, 1000, 1 << 20, 10, &messages, &count, error);
        if (code == UW_OK)
            uw_intake_release(intake);
    }
    return code;
}

static void refuses_an_offset_that_is_not_there(void **state)
{
    struct region region;
    struct uw_intake *intake;
    struct uw_error error = {.text = ""};

    (void)state;
    live_require();
    region_init(&region);
    fill(&region, 10);
    region.starts[2].next_offset[UW_TOPIC_DECLARATIONS] = 500;
    intake = opened(&region);
    assert_int_equal(poll_until_error(intake, &error), UW_ECONFIG);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    print_message("%s\n", error.text);
    assert_non_null(strstr(error.text, region.topics[UW_TOPIC_DECLARATIONS]));
    assert_non_null(strstr(error.text, "partition 2"));
    assert_non_null(strstr(error.text, "offset 500, but the broker has 0 to 10"));
    assert_int_equal(poll_until_error(intake, &error), UW_ECONFIG); /* it stays */
    uw_intake_close(&intake);

    /* Deleted before it was read; but where nothing was ever read, the beginning is where the topic begins. */
    live_records_delete(region.topics[UW_TOPIC_DECISIONS], 0, 6);
    memset(region.starts, 0, sizeof(region.starts));
    region.starts[0].next_offset[UW_TOPIC_DECISIONS] = 3;
    intake = opened(&region);
    assert_int_equal(poll_until_error(intake, &error), UW_ECONFIG);
    print_message("%s\n", error.text);
    assert_non_null(strstr(error.text, "offset 3, but the broker has 6 to 10: retention"));
    uw_intake_close(&intake);
    region.starts[0].next_offset[UW_TOPIC_DECISIONS] = 0;
    intake = opened(&region);
    {
        int64_t counts[PARTITIONS][UW_TOPIC_COUNT], next[PARTITIONS][UW_TOPIC_COUNT];

        read_all(intake, counts, next);
        assert_int_equal(counts[0][UW_TOPIC_DECISIONS], 4);
        assert_int_equal(counts[1][UW_TOPIC_DECISIONS], 10);
    }
    uw_intake_close(&intake);
}

static void stops_when_the_listener_fails(void **state)
{
    struct region region;
    struct uw_intake *intake;
    struct uw_error error = {.text = ""};

    (void)state;
    live_require();
    region_init(&region);
    region.refuse = true;
    intake = opened(&region);
    assert_int_equal(poll_until_error(intake, &error), UW_EIO);
    assert_int_equal(error.class, UW_CLASS_RETRY);
    assert_string_equal(error.text, "the store is away");
    uw_intake_close(&intake);
    assert_int_equal(region.assigned_calls, 1);
    assert_int_equal(region.revoked_calls, 0);
}

static void says_what_is_wrong_with_the_topics(void **state)
{
    struct region region;
    struct uw_intake *intake = NULL;
    struct uw_error error = {.text = ""};

    (void)state;
    live_require();
    region_init(&region);
    live_name("odd", region.topics[3], sizeof(region.topics[3]));
    assert_int_equal(region_open(&region, &intake, &error), UW_ECONFIG);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    print_message("%s\n", error.text);
    assert_non_null(strstr(error.text, "does not exist"));
    live_topic_create(region.topics[3], PARTITIONS + 1);
    assert_int_equal(region_open(&region, &intake, &error), UW_ECONFIG);
    print_message("%s\n", error.text);
    assert_non_null(strstr(error.text, "equally many"));
    assert_null(intake);
}

static void sees_committed_transactions_only(void **state)
{
    struct region region;
    struct uw_intake *intake;
    rd_kafka_t *producer;
    char id[96];
    int64_t counts[PARTITIONS][UW_TOPIC_COUNT], next[PARTITIONS][UW_TOPIC_COUNT];
    int64_t position[UW_TOPIC_COUNT], end[UW_TOPIC_COUNT];

    (void)state;
    live_require();
    region_init(&region);
    live_name("txn", id, sizeof(id));
    producer = live_producer(id);
    live_ok(rd_kafka_begin_transaction(producer));
    live_produce(producer, region.topics[0], 0, "c", "aborted");
    assert_int_equal(rd_kafka_flush(producer, LIVE_PATIENCE_MS), 0);
    live_ok(rd_kafka_abort_transaction(producer, LIVE_PATIENCE_MS));
    live_ok(rd_kafka_begin_transaction(producer));
    live_produce(producer, region.topics[0], 0, "c", "committed");
    live_ok(rd_kafka_commit_transaction(producer, LIVE_PATIENCE_MS));
    live_ok(rd_kafka_begin_transaction(producer));
    live_produce(producer, region.topics[0], 0, "c", "pending");
    assert_int_equal(rd_kafka_flush(producer, LIVE_PATIENCE_MS), 0);
    intake = opened(&region);
    read_all(intake, counts, next);
    assert_int_equal(counts[0][0], 1);
    assert_int_equal(next[0][0], 3); /* aborted 0, its marker 1, committed 2 */
    /* Behind it stands its marker 3, which is read too; what is pending is not. Elsewhere nothing stands. */
    assert_true(uw_intake_end(intake, 0, position, end));
    assert_int_equal(position[0], 3);
    assert_int_equal(end[0], 4);
    assert_int_equal(position[1], 0);
    assert_int_equal(end[1], 0);
    assert_false(uw_intake_end(intake, PARTITIONS, position, end));
    /* What is to be read again has no end yet. */
    uw_intake_rewind(intake, 0, (const int64_t[]){2, 0, 0, 0});
    assert_false(uw_intake_end(intake, 0, position, end));
    read_all(intake, counts, next);
    assert_int_equal(counts[0][0], 1);
    live_ok(rd_kafka_commit_transaction(producer, LIVE_PATIENCE_MS));
    uw_intake_close(&intake);
    rd_kafka_destroy(producer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_everything_in_order),
        cmocka_unit_test(reads_decisions_first),
        cmocka_unit_test(reads_one_partition_after_the_other_when_behind),
        cmocka_unit_test(reads_what_comes_meanwhile),
        cmocka_unit_test(fetches_on_when_there_is_room),
        cmocka_unit_test(hands_over_key_value_and_headers),
        cmocka_unit_test(keeps_what_came_in_a_heartbeat),
        cmocka_unit_test(finds_the_end_in_a_heartbeat),
        cmocka_unit_test(batches_have_limits),
        cmocka_unit_test(headers_have_a_limit),
        cmocka_unit_test(refuses_an_offset_that_is_not_there),
        cmocka_unit_test(stops_when_the_listener_fails),
        cmocka_unit_test(says_what_is_wrong_with_the_topics),
        cmocka_unit_test(sees_committed_transactions_only),
    };

    return cmocka_run_group_tests_name("intake, real broker", tests, NULL, NULL);
}
