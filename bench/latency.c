/*
 * How long it takes from producing an event until the alert that it causes is seen by a consumer that reads
 * committed records only, at a steady rate. The processor must be running on the topics. Prints one JSON line.
 *
 * Every client has one decision of no minutes a day, so that its first declaration causes exactly one alert, and
 * causes it at once: the key of the alert says which event it belongs to.
 *
 * What is produced in the first WARM_UP seconds does not count: a broker and a database that have just been started
 * compile, allocate and extend their files for the first time. The worst of every second is printed, so that it can be
 * seen whether one moment or all of them made the 99th percentile.
 *
 * usage: bench_latency BROKERS TOPIC_PREFIX RATE SECONDS WARM_UP
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/stream.h"
#include "schemas/codec.h"

#define TEXT_BYTES 512
#define CLIENT_FORMAT "bench-%07" PRIu32
#define NUMBER_AT 6
#define CLIENTS_MAX 1000000u
#define BATCH 1000
#define READY_S 120.0
#define LAST_S 30.0
#define DAY 20811 /* 2026-12-24: not so long ago that its care has stalled */
#define DAY_MS (DAY * INT64_C(86400000))

struct run {
    struct uw_codec *codec;
    struct uw_arena arena;
    rd_kafka_t *producer, *consumer;
    rd_kafka_queue_t *queue;
    char prefix[TEXT_BYTES / 2];
    double *produced_s, *delay_s; /* by client; 0: not yet */
    uint32_t clients, seen;
};

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[TEXT_BYTES];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        uw_bench_fail(text);
    }
}

static void open_clients(struct run *run, const char *brokers)
{
    char text[TEXT_BYTES];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    set(conf, "linger.ms", "5"); /* as librdkafka has it, and most sources */
    run->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    set(conf, "group.id", "urenwacht-bench-latency");
    set(conf, "isolation.level", "read_committed");
    set(conf, "enable.auto.commit", "false");
    set(conf, "auto.offset.reset", "earliest");
    set(conf, "fetch.wait.max.ms", "100");
    run->consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (run->producer == NULL || run->consumer == NULL) {
        uw_bench_fail(text);
    }
    (void)rd_kafka_poll_set_consumer(run->consumer);
    run->queue = rd_kafka_queue_get_consumer(run->consumer);
    snprintf(text, sizeof text, "%s.alerts", run->prefix);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(UW_STREAM_PARTITIONS);
    for (int32_t partition = 0; partition < UW_STREAM_PARTITIONS; partition++) {
        rd_kafka_topic_partition_list_add(list, text, partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    if (rd_kafka_assign(run->consumer, list) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        uw_bench_fail("the alerts cannot be consumed");
    }
    rd_kafka_topic_partition_list_destroy(list);
}

static struct uw_event event_of(uint32_t number, struct uw_str client)
{
    struct uw_event event = {.recorded_at_ms = DAY_MS,
                             .municipality = UW_STR("0000"),
                             .client = client,
                             .decision = UW_STR("bench"),
                             .provider = UW_STR("41410000")};
    memcpy(event.event_id.bytes, &number, sizeof number);
    return event;
}

static struct uw_event decision_of(uint32_t number, struct uw_str client)
{
    struct uw_event event = event_of(number, client);
    event.topic = UW_TOPIC_DECISIONS;
    event.of.decision = (struct uw_decision){.version = 1,
                                             .product_category = UW_STR("02"),
                                             .product = UW_STR("02A03"),
                                             .valid_from_day = DAY,
                                             .valid_to_day = UW_DAY_NONE,
                                             .effective_from_day = DAY,
                                             .terms = {.model = UW_MODEL_PXQ, .frequency = UW_FREQUENCY_DAY},
                                             .no_show = {.max_per_month = UW_INT_NONE},
                                             .rate_cents_per_hour = UW_INT_NONE};
    return event;
}

static struct uw_event declaration_of(uint32_t number, struct uw_str client)
{
    struct uw_event event = event_of(number, client);
    event.topic = UW_TOPIC_DECLARATIONS;
    event.of.declaration = (struct uw_declaration){.line = UW_STR("L1"),
                                                   .corrects = UW_STR_NULL,
                                                   .performed_on_day = DAY,
                                                   .performed_until_day = UW_DAY_NONE,
                                                   .started_at_ms = UW_INSTANT_NONE,
                                                   .minutes = 1,
                                                   .staff = UW_STR_NULL};
    return event;
}

static void produce(struct run *run, uint32_t number, bool decision)
{
    char client[32], topic[TEXT_BYTES];
    int length = snprintf(client, sizeof client, CLIENT_FORMAT, number);
    struct uw_str name = {client, (uint32_t)length};
    struct uw_event event = decision ? decision_of(number, name) : declaration_of(number, name);
    struct uw_str value;
    uw_arena_reset(&run->arena);
    if (uw_codec_encode(run->codec, &event, &run->arena, &value) != UW_OK) {
        uw_bench_fail("out of memory");
    }
    snprintf(topic, sizeof topic, "%s.%s", run->prefix, uw_topic_name(event.topic));
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u = {.cstr = topic}},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u = {.mem = {client, (size_t)length}}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u = {.mem = {(void *)(uintptr_t)value.data, value.length}}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u = {.i = RD_KAFKA_MSG_F_COPY}},
    };
    rd_kafka_resp_err_t failed;
    do {
        rd_kafka_error_t *error = rd_kafka_produceva(run->producer, parts, sizeof parts / sizeof parts[0]);
        failed = error != NULL ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
        if (error != NULL) {
            rd_kafka_error_destroy(error);
        }
        (void)rd_kafka_poll(run->producer, failed == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : 10);
    } while (failed == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) {
        uw_bench_fail(rd_kafka_err2str(failed));
    }
}

/* Notes the alerts that have come; waits for up to a millisecond when there are none. */
static void take_alerts(struct run *run)
{
    rd_kafka_message_t *batch[BATCH];
    ssize_t count = rd_kafka_consume_batch_queue(run->queue, 1, batch, BATCH);
    double now_s = uw_bench_wall_s();
    for (ssize_t i = 0; i < count; i++) {
        if (batch[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR && batch[i]->key_len > NUMBER_AT) {
            char digits[32] = "";
            size_t length = batch[i]->key_len - NUMBER_AT;
            memcpy(digits, (const char *)batch[i]->key + NUMBER_AT, length < sizeof digits ? length : sizeof digits - 1);
            uint32_t number = (uint32_t)strtoul(digits, NULL, 10);
            if (number < run->clients && run->produced_s[number] > 0 && run->delay_s[number] <= 0) {
                run->delay_s[number] = now_s - run->produced_s[number];
                run->seen++;
            }
        }
        rd_kafka_message_destroy(batch[i]);
    }
}

/* The last client's decision and event go through first, which shows that the processor is there. */
static void wait_until_ready(struct run *run)
{
    for (uint32_t i = 0; i < run->clients; i++) {
        produce(run, i, true);
    }
    (void)rd_kafka_flush(run->producer, 30000);
    double until_s = uw_bench_wall_s() + READY_S;
    run->produced_s[run->clients - 1] = uw_bench_wall_s();
    produce(run, run->clients - 1, false);
    while (run->seen == 0) {
        take_alerts(run);
        if (uw_bench_wall_s() > until_s) {
            uw_bench_fail("no alert comes: is the processor running?");
        }
    }
    /* The decisions of the other partitions may still be under way. */
    double rest_until_s = uw_bench_wall_s() + 3;
    while (uw_bench_wall_s() < rest_until_s) {
        take_alerts(run);
    }
}

static void measure(struct run *run, double rate)
{
    double started_s = uw_bench_wall_s();
    for (uint32_t next = 0; next + 1 < run->clients;) {
        double now_s = uw_bench_wall_s();
        while (next + 1 < run->clients && (double)next / rate <= now_s - started_s) {
            /* When it should have been produced: a late producer must not make the figure look better. */
            run->produced_s[next] = started_s + (double)next / rate;
            produce(run, next++, false);
        }
        take_alerts(run);
    }
    double until_s = uw_bench_wall_s() + LAST_S;
    while (run->seen < run->clients && uw_bench_wall_s() < until_s) {
        take_alerts(run);
    }
}

static void print_worst(const struct run *run, uint32_t first, uint32_t count, uint32_t a_second)
{
    for (uint32_t from = first; from < count; from += a_second) {
        double worst_s = 0;
        for (uint32_t i = from; i < count && i < from + a_second; i++) {
            worst_s = run->delay_s[i] > worst_s ? run->delay_s[i] : worst_s;
        }
        printf("%s%.0f", from == first ? "" : ", ", worst_s * 1e3);
    }
}

static int compare_delays(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
    double rate = argc == 6 ? strtod(argv[3], NULL) : 0, seconds = argc == 6 ? strtod(argv[4], NULL) : 0,
           warm_up = argc == 6 ? strtod(argv[5], NULL) : -1;
    if (rate < 1 || seconds <= 0 || warm_up < 0 || rate * (seconds + warm_up) >= CLIENTS_MAX ||
        strlen(argv[2]) >= TEXT_BYTES / 2) {
        uw_bench_fail("usage: bench_latency BROKERS TOPIC_PREFIX RATE SECONDS WARM_UP");
    }
    struct run run = {.clients = (uint32_t)(rate * (seconds + warm_up)) + 1};
    struct uw_error error = {.text = ""};
    snprintf(run.prefix, sizeof run.prefix, "%s", argv[2]);
    run.produced_s = calloc(run.clients, sizeof *run.produced_s);
    run.delay_s = calloc(run.clients, sizeof *run.delay_s);
    uw_arena_init(&run.arena, (size_t)1024 * 1024);
    if (run.produced_s == NULL || run.delay_s == NULL || uw_codec_open(NULL, &run.codec, &error) != UW_OK) {
        uw_bench_fail("out of memory");
    }
    open_clients(&run, argv[1]);
    wait_until_ready(&run);
    measure(&run, rate);
    if (run.seen < run.clients) {
        uw_bench_fail("not all alerts came");
    }
    uint32_t first = (uint32_t)(rate * warm_up), count = run.clients - 1 - first; /* without the one that came first */
    double *counted_s = run.delay_s + first;
    printf("{\"bench\": \"latency\", \"events\": %" PRIu32 ", \"rate\": %.0f, \"worst_ms_by_second\": [", count,
           rate);
    print_worst(&run, first, run.clients - 1, (uint32_t)rate);
    qsort(counted_s, count, sizeof *counted_s, compare_delays);
    printf("], \"p50_ms\": %.1f, \"p99_ms\": %.1f, \"worst_ms\": %.1f}\n", counted_s[count / 2] * 1e3,
           counted_s[(uint64_t)count * 99 / 100] * 1e3, counted_s[count - 1] * 1e3);
    rd_kafka_queue_destroy(run.queue);
    rd_kafka_consumer_close(run.consumer);
    rd_kafka_destroy(run.consumer);
    rd_kafka_destroy(run.producer);
    uw_codec_close(&run.codec);
    uw_arena_close(&run.arena);
    free(run.produced_s);
    free(run.delay_s);
    return 0;
}
