/*
 * Reading to the end, against a real broker: what a transaction has not ended yet is waited for, by the audit and by
 * the tail. A commit is answered before its markers stand in the partitions, so an end that leaves open transactions out
 * would be short now and then of what was committed long before.
 */
#include "tests/support/kafka_live.h"

#include <inttypes.h>

#include "consumers/audit.h"
#include "consumers/tail.h"

/* After which a reader says that nothing came. */
#define SHORT_MS 500

static rd_kafka_t *producer_with_open_transaction(const char *topic, int committed, int open)
{
    char id[96];
    rd_kafka_t *producer;

    live_topic_create(topic, 1);
    live_name("txn", id, sizeof(id));
    producer = live_producer(id);
    live_ok(rd_kafka_begin_transaction(producer));
    for (int i = 0; i < committed; i++)
        live_produce(producer, topic, 0, "key", "committed");
    live_ok(rd_kafka_commit_transaction(producer, LIVE_PATIENCE_MS));
    live_ok(rd_kafka_begin_transaction(producer));
    for (int i = 0; i < open; i++)
        live_produce(producer, topic, 0, "key", "open");
    assert_int_equal(rd_kafka_flush(producer, LIVE_PATIENCE_MS), 0);
    return producer;
}

/* Reads on as far as it goes; the code is that of the last call. */
static enum uw_code audit_on(struct uw_audit *audit, int *count, struct uw_error *error)
{
    for (;;) {
        const struct uw_audit_message *message = NULL;
        enum uw_code code = uw_audit_next(audit, &message, error);

        if (code != UW_OK || message == NULL)
            return code;
        (*count)++;
    }
}

static void audit_waits_for_open_transactions(void **state)
{
    struct uw_property properties[] = {{"bootstrap.servers", live_brokers()}};
    struct uw_audit_options options = {.properties = properties, .property_count = 1, .timeout_ms = SHORT_MS};
    struct uw_error error = {.text = ""};
    struct uw_audit *audit = NULL;
    int64_t low = -1, high = -1, deadline_ms = live_deadline_ms();
    rd_kafka_t *producer;
    char topic[96];
    int count = 0;

    (void)state;
    live_require();
    live_name("ends", topic, sizeof(topic));
    producer = producer_with_open_transaction(topic, 3, 2);
    assert_int_equal(uw_audit_open(&options, &audit, &error), UW_OK);
    while (uw_audit_range(audit, topic, 0, &low, &high, &error) != UW_OK)
        live_again(deadline_ms, &error);
    assert_int_equal(low, 0);
    assert_int_equal(high, 6); /* with the marker of the first transaction */
    assert_int_equal(uw_audit_start(audit, topic, 0, low, high, &error), UW_OK);
    /* A broker that is slow to answer is none that says where the end is. */
    deadline_ms = live_deadline_ms();
    do {
        assert_int_equal(audit_on(audit, &count, &error), UW_ETIMEOUT);
        live_again(deadline_ms, &error);
    } while (strstr(error.text, "offset 4 belongs to a transaction") == NULL);
    assert_int_equal(count, 3);
    live_ok(rd_kafka_commit_transaction(producer, LIVE_PATIENCE_MS));
    deadline_ms = live_deadline_ms();
    while (audit_on(audit, &count, &error) != UW_OK)
        live_again(deadline_ms, &error);
    assert_int_equal(count, 5);
    uw_audit_close(&audit);
    rd_kafka_destroy(producer);
}

static void tail_is_not_idle_before_open_transactions_end(void **state)
{
    struct uw_property properties[] = {{"bootstrap.servers", live_brokers()}};
    struct uw_tail_options options = {.properties = properties, .property_count = 1, .topic_count = 1,
                                      .start = UW_TAIL_FROM_BEGINNING, .timeout_ms = LIVE_PATIENCE_MS};
    const struct uw_tail_message *message = NULL;
    struct uw_error error = {.text = ""};
    struct uw_tail *tail = NULL;
    int64_t deadline_ms;
    rd_kafka_t *producer;
    char topic[96];
    int count = 0;

    (void)state;
    live_require();
    live_name("ends", topic, sizeof(topic));
    producer = producer_with_open_transaction(topic, 2, 3);
    options.topics[0] = topic;
    assert_int_equal(uw_tail_open(&options, &tail, &error), UW_OK);
    deadline_ms = live_deadline_ms();
    while (count < 2) {
        live_in_time(deadline_ms, "what is committed");
        assert_int_equal(uw_tail_next(tail, SHORT_MS, &message, &error), UW_OK);
        count += message == NULL ? 0 : 1;
    }
    /* Time enough for the end of what is committed to be told. */
    assert_int_equal(uw_tail_next(tail, SHORT_MS, &message, &error), UW_OK);
    assert_null(message);
    assert_false(uw_tail_idle(tail));
    live_ok(rd_kafka_abort_transaction(producer, LIVE_PATIENCE_MS));
    deadline_ms = live_deadline_ms();
    while (!uw_tail_idle(tail)) {
        live_in_time(deadline_ms, "the end");
        assert_int_equal(uw_tail_next(tail, SHORT_MS, &message, &error), UW_OK);
        assert_null(message);
    }
    uw_tail_close(&tail);
    rd_kafka_destroy(producer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audit_waits_for_open_transactions),
        cmocka_unit_test(tail_is_not_idle_before_open_transactions_end),
    };

    return cmocka_run_group_tests_name("ends of partitions, real broker", tests, NULL, NULL);
}
