/*
 * The publisher's error classes, with errors injected into librdkafka's mock cluster. It proves what is made of
 * an error, never exactly-once: that is test_publisher_live.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>
#include <string.h>

#include "producers/positions.h"
#include "producers/publisher.h"

/*
 * What the leak sanitizer must not tell, and this program's settings of it; both names are the sanitizer's.
 *
 * A transaction that fails while its positions are on their way ends the call that sent them. When the producer is then
 * thrown away before the coordinator has answered, librdkafka (2.0.2, and its newest as well) returns from
 * rd_kafka_txn_handle_TxnOffsetCommit, at RD_KAFKA_RESP_ERR__DESTROY, without giving back the operation with its copies
 * of positions and group: 2.5 kB a time. A program of librdkafka alone, without a line of ours, leaks the same. So what
 * was taken within that call is passed over, and nothing else; the whole stack is needed to see that it was.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:rd_kafka_send_offsets_to_transaction";
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "fast_unwind_on_malloc=0";
}

/* Numbers of Kafka's protocol requests. */
#define PRODUCE 0
#define ADD_PARTITIONS 24
#define ADD_OFFSETS 25
#define END_TXN 26
#define TXN_OFFSET_COMMIT 28
#define INIT_PRODUCER_ID 22

/* What is not about time gets so much of it that a machine with other things to do does not matter. */
#define PATIENT_MS 60000
/* What is about time: calls are given up after the first, and what comes late comes after the second. */
#define IMPATIENT_MS 1000
#define TOO_LATE_MS 30000
/* Within this everything must have come right again. */
#define HEALING_MS 120000

struct bench {
    rd_kafka_t *keeper; /* the mock cluster lives in some client */
    rd_kafka_mock_cluster_t *cluster;
    struct uw_property bootstrap;
    struct uw_transactor_options options;
    struct uw_transactor *transactor;
};

static enum uw_code group_metadata(void *context, void *buffer, size_t *size, struct uw_error *error)
{
    rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata_new("group");
    void *written;
    size_t written_size;

    (void)context;
    (void)error;
    assert_null(rd_kafka_consumer_group_metadata_write(metadata, &written, &written_size));
    assert_true(written_size <= *size);
    memcpy(buffer, written, written_size);
    *size = written_size;
    free(written);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    return UW_OK;
}

#define GROUP_BROKER 2

/* Takes longer to write than the broker takes to refuse a partition. */
#define MANY_RECORDS 100000

static void set_apart(struct bench *bench)
{
    static const char *const outputs[UW_OUTPUT_COUNT] = {"alerts", "anomalies", "dead-letters"};

    rd_kafka_mock_coordinator_set(bench->cluster, "transaction", "test-1", 1);
    rd_kafka_mock_coordinator_set(bench->cluster, "group", "group", GROUP_BROKER);
    for (int i = 0; i < UW_OUTPUT_COUNT; i++) {
        rd_kafka_mock_partition_set_leader(bench->cluster, outputs[i], 0, 1);
        rd_kafka_mock_partition_set_leader(bench->cluster, outputs[i], 1, 1);
    }
}

static bool open_transactor(struct bench *bench)
{
    int64_t until_ms = uw_kafka_clock_ms() + HEALING_MS;
    struct uw_error error = {.text = ""};
    enum uw_code code;

    do {
        code = uw_transactor_open(&bench->options, &bench->transactor, &error);
    } while (code != UW_OK && error.class == UW_CLASS_RETRY && uw_kafka_clock_ms() < until_ms);
    if (code != UW_OK)
        print_error("%s\n", error.text);
    return code == UW_OK;
}

static int open_brokers(void **state, int32_t timeout_ms, int broker_count)
{
    static struct bench bench;
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const struct uw_transactor_options options = {
        .properties = &bench.bootstrap,
        .property_count = 1,
        .transactional_id = "test-1",
        .group_id = "group",
        .outputs = {"alerts", "anomalies", "dead-letters"},
        .topics = {"decisions", "declarations", "no-shows", "evaluations"},
        .group_metadata = group_metadata,
        .timeout_ms = timeout_ms,
        .transaction_timeout_ms = 2 * PATIENT_MS,
    };

    memset(&bench, 0, sizeof(bench));
    bench.options = options;
    bench.keeper = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    bench.cluster = rd_kafka_mock_cluster_new(bench.keeper, broker_count);
    for (int i = 0; i < UW_OUTPUT_COUNT; i++)
        rd_kafka_mock_topic_create(bench.cluster, options.outputs[i], 2, 1);
    /* Newer ones take positions of topics that there are only. */
    for (int i = 0; i < UW_TOPIC_COUNT; i++)
        rd_kafka_mock_topic_create(bench.cluster, options.topics[i], 2, 1);
    bench.bootstrap = (struct uw_property){"bootstrap.servers", rd_kafka_mock_cluster_bootstraps(bench.cluster)};
    if (!open_transactor(&bench))
        return -1;
    *state = &bench;
    return 0;
}

static int setup(void **state)
{
    return open_brokers(state, PATIENT_MS, 1);
}

static int setup_impatient(void **state)
{
    return open_brokers(state, IMPATIENT_MS, 1);
}

/* The second broker coordinates the group, and nothing else. */
static int setup_two_impatient(void **state)
{
    if (open_brokers(state, IMPATIENT_MS, 2) != 0)
        return -1;
    set_apart(*state);
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    uw_transactor_close(&bench->transactor);
    rd_kafka_mock_cluster_destroy(bench->cluster);
    rd_kafka_destroy(bench->keeper);
    return 0;
}

static enum uw_code publish(struct bench *bench, struct uw_error *error)
{
    static const struct uw_header headers[] = {{{"id", 2}, {"a", 1}}, {{"null", 4}, {NULL, 0}}};
    const struct uw_outbox_record records[] = {
        {.partition = 0, .sequence = 1, .output = UW_OUTPUT_ALERTS, .key = {"c1", 2}, .value = {"one", 3},
         .headers = headers, .header_count = 2},
        {.partition = 0, .sequence = 2, .output = UW_OUTPUT_DEAD_LETTERS, .key = {NULL, 0}, .value = {NULL, 0}},
    };
    const struct uw_published position = {.partition = 0, .next_offset = {1, 0, 5, 0}, .sequence = 2};

    *error = (struct uw_error){.text = ""};
    return uw_transactor_publish(bench->transactor, records, 2, &position, 1, error);
}

/* Publishes, as often as the classes of errors allow it. */
static void publish_at_last(struct bench *bench)
{
    int64_t until_ms = uw_kafka_clock_ms() + HEALING_MS;
    struct uw_error error;

    while (publish(bench, &error) != UW_OK) {
        if ((error.class != UW_CLASS_RETRY && error.class != UW_CLASS_ABORT) || uw_kafka_clock_ms() > until_ms)
            fail_msg("it does not heal: %s", error.text);
    }
}

static uint64_t transactions(const struct bench *bench)
{
    struct uw_transactor_statistics statistics;

    uw_transactor_statistics(bench->transactor, &statistics);
    return statistics.transactions;
}

static uint64_t producers(const struct bench *bench)
{
    struct uw_transactor_statistics statistics;

    uw_transactor_statistics(bench->transactor, &statistics);
    return statistics.producers;
}

static void publishes(void **state)
{
    struct bench *bench = *state;
    struct uw_error error;
    struct uw_transactor_statistics statistics;
    const struct uw_published position = {.partition = 1, .next_offset = {1, 2, 3, 4}, .sequence = 0};

    if (publish(bench, &error) != UW_OK)
        fail_msg("%s", error.text);
    assert_int_equal(uw_transactor_publish(bench->transactor, NULL, 0, &position, 1, &error), UW_OK);
    assert_int_equal(uw_transactor_publish(bench->transactor, NULL, 0, NULL, 0, &error), UW_OK);
    uw_transactor_statistics(bench->transactor, &statistics);
    assert_int_equal(statistics.transactions, 2);
    assert_int_equal(statistics.records, 2);
    assert_int_equal(statistics.aborted, 0);
    assert_int_equal(statistics.producers, 1);
}

/* What passes by itself is not even an error. */
static void bears_what_passes(void **state)
{
    static const struct {
        int16_t request;
        rd_kafka_resp_err_t err;
    } cases[] = {
        {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS},
        {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS},
        {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_NOT_COORDINATOR},
        {ADD_OFFSETS, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS},
        {ADD_OFFSETS, RD_KAFKA_RESP_ERR_NOT_COORDINATOR},
        {ADD_OFFSETS, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_NOT_COORDINATOR},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS},
        {END_TXN, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS},
        {END_TXN, RD_KAFKA_RESP_ERR_NOT_COORDINATOR},
        {END_TXN, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS},
        {PRODUCE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION},
        /* A broker that gave up waiting for another one, and one that is not there at the moment. */
        {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE},
        {PRODUCE, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT},
        {ADD_OFFSETS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE},
        {ADD_OFFSETS, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT},
        {END_TXN, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE},
    };
    struct bench *bench = *state;
    struct uw_error error;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rd_kafka_mock_push_request_errors(bench->cluster, cases[i].request, 1, cases[i].err);
        if (publish(bench, &error) != UW_OK)
            fail_msg("case %zu: %s", i, error.text);
        rd_kafka_mock_clear_request_errors(bench->cluster, cases[i].request);
    }
    assert_int_equal(producers(bench), 1);
}

struct judged {
    int16_t request;
    rd_kafka_resp_err_t err;
    enum uw_code code;
    enum uw_class class;
};

static void judges(void **state)
{
    static const struct judged cases[] = {
        {PRODUCE, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, UW_ECONFIG, UW_CLASS_FATAL},
        {PRODUCE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, UW_ECONFIG, UW_CLASS_FATAL},
        {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, UW_ECONFIG, UW_CLASS_FATAL},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, UW_EFENCED, UW_CLASS_FENCED},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, UW_EFENCED, UW_CLASS_FENCED},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, UW_EFENCED, UW_CLASS_FENCED},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, UW_ECONFIG, UW_CLASS_FATAL},
        {ADD_OFFSETS, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, UW_EFENCED, UW_CLASS_FENCED},
        {END_TXN, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, UW_EFENCED, UW_CLASS_FENCED},
        {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, UW_EFENCED, UW_CLASS_FENCED},
        {PRODUCE, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, UW_EFENCED, UW_CLASS_FENCED},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, UW_EFENCED, UW_CLASS_FENCED},
        {END_TXN, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, UW_EFENCED, UW_CLASS_FENCED},
        {END_TXN, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, UW_ECONFIG, UW_CLASS_FATAL},
        {END_TXN, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, UW_EIO, UW_CLASS_ABORT},
        {END_TXN, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, UW_EIO, UW_CLASS_RETRY},
        {PRODUCE, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, UW_EIO, UW_CLASS_ABORT},
        {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, UW_ETIMEOUT, UW_CLASS_ABORT},
        {END_TXN, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, UW_ETIMEOUT, UW_CLASS_ABORT},
    };
    struct bench *bench = *state;
    struct uw_error error;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t before = producers(bench);

        rd_kafka_mock_push_request_errors(bench->cluster, cases[i].request, 1, cases[i].err);
        assert_int_not_equal(publish(bench, &error), UW_OK);
        print_message("%s: %s: code %d class %d\n", rd_kafka_err2name(cases[i].err), error.text, (int)error.code,
                      (int)error.class);
        if (error.code != cases[i].code || error.class != cases[i].class)
            fail_msg("case %zu: code %d class %d: %s", i, (int)error.code, (int)error.class, error.text);
        rd_kafka_mock_clear_request_errors(bench->cluster, cases[i].request);
        if (publish(bench, &error) != UW_OK)
            fail_msg("after case %zu: %s", i, error.text);
        /* The next transaction is another producer's, and succeeds. */
        assert_int_equal(producers(bench) - before, 1);
    }
}

/* A partition that is refused while positions are on their way: the reason is the refusal, whichever call hears it. */
static void names_the_reason_under_way(void **state)
{
    struct bench *bench = *state;
    struct uw_error error;

    for (int i = 0; i < 6; i++) {
        assert_int_equal(publish(bench, &error), UW_OK);
        rd_kafka_mock_broker_push_request_error_rtts(bench->cluster, 1, ADD_PARTITIONS, 1,
                                                     RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 40 * i);
        rd_kafka_mock_broker_push_request_error_rtts(bench->cluster, 1, ADD_OFFSETS, 1, RD_KAFKA_RESP_ERR_NO_ERROR, 60);
        rd_kafka_mock_broker_push_request_error_rtts(bench->cluster, 1, TXN_OFFSET_COMMIT, 1,
                                                     RD_KAFKA_RESP_ERR_NO_ERROR, 60);
        assert_int_not_equal(publish(bench, &error), UW_OK);
        if (error.code != UW_ECONFIG || error.class != UW_CLASS_FATAL)
            fail_msg("delay %d ms: code %d class %d: %s", 40 * i, (int)error.code, (int)error.class, error.text);
        rd_kafka_mock_clear_request_errors(bench->cluster, ADD_PARTITIONS);
        rd_kafka_mock_clear_request_errors(bench->cluster, ADD_OFFSETS);
        rd_kafka_mock_clear_request_errors(bench->cluster, TXN_OFFSET_COMMIT);
    }
}

/* The transaction fails while there are records to be written yet: the reason is the refusal, not that the next record
 * comes too late. */
static void names_the_reason_while_writing(void **state)
{
    static struct uw_outbox_record records[MANY_RECORDS];
    static const struct judged cases[] = {
        {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, UW_ECONFIG, UW_CLASS_FATAL},
        {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, UW_ETIMEOUT, UW_CLASS_ABORT},
        {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, UW_EFENCED, UW_CLASS_FENCED},
        {PRODUCE, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, UW_EIO, UW_CLASS_ABORT},
    };
    const struct uw_published position = {.partition = 0, .next_offset = {1, 0, 5, 0}, .sequence = MANY_RECORDS};
    struct bench *bench = *state;
    struct uw_error error;

    for (uint32_t i = 0; i < MANY_RECORDS; i++)
        records[i] = (struct uw_outbox_record){
            .partition = 0, .sequence = i + 1, .output = UW_OUTPUT_ALERTS, .key = {"c1", 2}, .value = {"one", 3}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rd_kafka_mock_push_request_errors(bench->cluster, cases[i].request, 1, cases[i].err);
        assert_int_not_equal(
            uw_transactor_publish(bench->transactor, records, MANY_RECORDS, &position, 1, &error), UW_OK);
        print_message("%s: %s\n", rd_kafka_err2name(cases[i].err), error.text);
        if (error.code != cases[i].code || error.class != cases[i].class)
            fail_msg("case %zu: code %d class %d: %s", i, (int)error.code, (int)error.class, error.text);
        rd_kafka_mock_clear_request_errors(bench->cluster, cases[i].request);
        assert_int_equal(publish(bench, &error), UW_OK);
    }
}

/* The producer of a transaction that went wrong is thrown away; the next one has to be initialised. */
static void discard_producer(struct bench *bench)
{
    struct uw_error error;

    rd_kafka_mock_push_request_errors(bench->cluster, END_TXN, 1, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE);
    assert_int_not_equal(publish(bench, &error), UW_OK);
    assert_int_equal(error.class, UW_CLASS_ABORT);
    rd_kafka_mock_clear_request_errors(bench->cluster, END_TXN);
}

/* A new producer right after a dead one of its name: the broker is still busy ending what that one left. */
static void starts_when_it_may(void **state)
{
    static const rd_kafka_resp_err_t errs[] = {
        RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS,
        RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
        RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
        uint64_t before = transactions(bench);

        discard_producer(bench);
        rd_kafka_mock_push_request_errors(bench->cluster, INIT_PRODUCER_ID, 2, errs[i], errs[i]);
        publish_at_last(bench);
        rd_kafka_mock_clear_request_errors(bench->cluster, INIT_PRODUCER_ID);
        assert_int_equal(transactions(bench), before + 1);
    }
}

/* A name that another instance has taken, or that this one may not use: nothing that trying again would mend. */
static void is_refused_at_start(void **state)
{
    static const rd_kafka_resp_err_t fencings[] = {RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
                                                   RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH};
    struct bench *bench = *state;
    struct uw_error error;

    discard_producer(bench);
    rd_kafka_mock_push_request_errors(bench->cluster, INIT_PRODUCER_ID, 1,
                                      RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    assert_int_equal(publish(bench, &error), UW_ECONFIG);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    rd_kafka_mock_clear_request_errors(bench->cluster, INIT_PRODUCER_ID);
    publish_at_last(bench);
    for (size_t i = 0; i < sizeof(fencings) / sizeof(fencings[0]); i++) {
        discard_producer(bench);
        rd_kafka_mock_push_request_errors(bench->cluster, INIT_PRODUCER_ID, 1, fencings[i]);
        assert_int_equal(publish(bench, &error), UW_EFENCED);
        assert_int_equal(error.class, UW_CLASS_FENCED);
        rd_kafka_mock_clear_request_errors(bench->cluster, INIT_PRODUCER_ID);
        publish_at_last(bench);
    }
}

/* A new producer's first transaction only ends what a broker may have forgotten to end. What says no to the position itself is
 * as good as a yes; whom the transaction's coordinator refuses has nothing to publish either. */
static void ends_what_was_forgotten(void **state)
{
    static const struct {
        int16_t call;
        rd_kafka_resp_err_t err;
        enum uw_code code;
        enum uw_class class;
    } turns[] = {
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, UW_OK, UW_CLASS_NONE},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, UW_OK, UW_CLASS_NONE},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, UW_OK, UW_CLASS_NONE},
        {ADD_OFFSETS, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, UW_OK, UW_CLASS_NONE},
        {ADD_OFFSETS, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, UW_OK, UW_CLASS_NONE},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, UW_OK, UW_CLASS_NONE},
        {ADD_OFFSETS, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, UW_EFENCED, UW_CLASS_FENCED},
        {END_TXN, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, UW_OK, UW_CLASS_NONE},
        {END_TXN, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, UW_EFENCED, UW_CLASS_FENCED},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
        struct uw_error error = {UW_OK, UW_CLASS_NONE, ""};
        uint64_t before = transactions(bench);
        enum uw_code code;

        discard_producer(bench);
        rd_kafka_mock_push_request_errors(bench->cluster, turns[i].call, 1, turns[i].err);
        code = publish(bench, &error);
        if (code != turns[i].code || error.class != turns[i].class)
            fail_msg("turn %zu: code %d, class %d: %s", i, (int)code, (int)error.class, error.text);
        rd_kafka_mock_clear_request_errors(bench->cluster, turns[i].call);
        if (code != UW_OK)
            publish_at_last(bench);
        assert_int_equal(transactions(bench), before + 1);
    }
}

static const int16_t calls[] = {ADD_PARTITIONS, PRODUCE, ADD_OFFSETS, TXN_OFFSET_COMMIT, END_TXN};

/* Every call of a transaction answered late, yet in time. */
static void bears_slowness(void **state)
{
    struct bench *bench = *state;
    struct uw_error error;

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        int64_t began_ms = uw_kafka_clock_ms();

        rd_kafka_mock_broker_push_request_error_rtts(bench->cluster, 1, calls[i], 1, RD_KAFKA_RESP_ERR_NO_ERROR, 400);
        if (publish(bench, &error) != UW_OK)
            fail_msg("case %zu: %s", i, error.text);
        assert_true(uw_kafka_clock_ms() - began_ms >= 400);
    }
    assert_int_equal(producers(bench), 1);
}

/* Every call of a transaction answered too late: whether it was committed is not known, and the producer whose
 * delayed request might end another one is gone. */
static void gives_a_late_producer_up(void **state)
{
    struct bench *bench = *state;
    struct uw_error error;

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        uint64_t made, done;

        publish_at_last(bench);
        made = producers(bench);
        done = transactions(bench);
        rd_kafka_mock_broker_push_request_error_rtts(bench->cluster, 1, calls[i], 1, RD_KAFKA_RESP_ERR_NO_ERROR,
                                                     TOO_LATE_MS);
        assert_int_not_equal(publish(bench, &error), UW_OK);
        print_message("request %d: %s\n", (int)calls[i], error.text);
        if (error.class != UW_CLASS_ABORT || transactions(bench) != done)
            fail_msg("request %d: class %d: %s", (int)calls[i], (int)error.class, error.text);
        publish_at_last(bench);
        assert_int_equal(transactions(bench), done + 1);
        if (producers(bench) == made)
            fail_msg("request %d: the late producer went on", (int)calls[i]);
    }
}

/* Initialising comes late: there was no transaction, so it is simply tried again. On a busy machine librdkafka may ask once
 * more over another connection (seen in 1 of 700 runs), and that answer is to be late as well. */
static void starts_late(void **state)
{
    struct bench *bench = *state;
    struct uw_error error;

    publish_at_last(bench);
    discard_producer(bench);
    for (int i = 0; i < 3; i++)
        rd_kafka_mock_broker_push_request_error_rtts(bench->cluster, 1, INIT_PRODUCER_ID, 1, RD_KAFKA_RESP_ERR_NO_ERROR,
                                                     TOO_LATE_MS);
    assert_int_equal(publish(bench, &error), UW_ETIMEOUT);
    assert_int_equal(error.class, UW_CLASS_RETRY);
    publish_at_last(bench);
}

static void waits_for_an_absent_broker(void **state)
{
    struct bench *bench = *state;
    struct uw_error error;

    publish_at_last(bench);
    rd_kafka_mock_broker_set_down(bench->cluster, 1);
    assert_int_not_equal(publish(bench, &error), UW_OK);
    print_message("%s\n", error.text);
    assert_int_equal(error.class, UW_CLASS_ABORT);
    assert_int_not_equal(publish(bench, &error), UW_OK);
    print_message("%s\n", error.text);
    assert_int_equal(error.class, UW_CLASS_RETRY);
    rd_kafka_mock_broker_set_up(bench->cluster, 1);
    publish_at_last(bench);
}

static void wait_for_those_left(const struct bench *bench)
{
    int64_t until_ms = uw_kafka_clock_ms() + HEALING_MS;

    while (uw_positions_left() > 0) {
        assert_true(uw_kafka_clock_ms() < until_ms);
        rd_kafka_poll(bench->keeper, 50);
    }
}

/* Librdkafka waits for the group's coordinator without an end. The publisher does not, and leaves the producer behind;
 * not too many of them, whoever left them, since each has threads of its own. */
static void leaves_a_call_that_does_not_end(void **state)
{
    struct bench *bench = *state;
    struct uw_error error;

    publish_at_last(bench);
    wait_for_those_left(bench); /* by the tests before */
    rd_kafka_mock_broker_set_down(bench->cluster, GROUP_BROKER);
    for (uint32_t i = 0; i <= UW_TRANSACTOR_LEFT_MAX; i++) {
        int64_t began_ms = uw_kafka_clock_ms();

        /* On a busy machine another call may have been given up before it came to this one. */
        while (publish(bench, &error) == UW_OK || error.class == UW_CLASS_RETRY ||
               (error.class == UW_CLASS_ABORT && uw_positions_left() == i))
            assert_true(uw_kafka_clock_ms() - began_ms < HEALING_MS);
        print_message("%s\n", error.text);
        assert_int_equal(error.class, i < UW_TRANSACTOR_LEFT_MAX ? UW_CLASS_ABORT : UW_CLASS_FATAL);
        assert_int_equal(uw_positions_left(), i + 1);
        if (i == 1) {
            uw_transactor_close(&bench->transactor);
            assert_true(open_transactor(bench));
        }
    }
    assert_non_null(strstr(error.text, "5 times"));
    rd_kafka_mock_broker_set_up(bench->cluster, GROUP_BROKER);
    publish_at_last(bench);
    assert_true(producers(bench) > UW_TRANSACTOR_LEFT_MAX - 1);
    /* Once the coordinator answers they come back, and give back what they have; with librdkafka 2.16 some of them never
     * do (issue 5511, producers/positions.h). */
    if (rd_kafka_version() < 0x02100000)
        wait_for_those_left(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(publishes, setup, teardown),
        cmocka_unit_test_setup_teardown(bears_what_passes, setup, teardown),
        cmocka_unit_test_setup_teardown(judges, setup, teardown),
        cmocka_unit_test_setup_teardown(names_the_reason_under_way, setup, teardown),
        cmocka_unit_test_setup_teardown(names_the_reason_while_writing, setup, teardown),
        cmocka_unit_test_setup_teardown(starts_when_it_may, setup, teardown),
        cmocka_unit_test_setup_teardown(is_refused_at_start, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_what_was_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(bears_slowness, setup, teardown),
        cmocka_unit_test_setup_teardown(gives_a_late_producer_up, setup_impatient, teardown),
        cmocka_unit_test_setup_teardown(starts_late, setup_impatient, teardown),
        cmocka_unit_test_setup_teardown(waits_for_an_absent_broker, setup_impatient, teardown),
        cmocka_unit_test_setup_teardown(leaves_a_call_that_does_not_end, setup_two_impatient, teardown),
    };

    return cmocka_run_group_tests_name("publisher, mock cluster", tests, NULL, NULL);
}
