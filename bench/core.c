/*
 * The core alone, one thread: events of a simulated region through the batch protocol (cache, fold, differences)
 * with ports that cost nothing. Prints one JSON line.
 *
 * usage: bench_core [CLIENTS [DECLARATIONS [BATCH [SEED]]]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/stream.h"
#include "core/engine.h"
#include "tests/support/nowhere.h"

/* ---- ports that do nothing ---- */

static uint64_t rows, revisions;

static enum uw_code claim(void *context, int32_t partition, int32_t rules_version, struct uw_claim *out,
                          struct uw_error *error)
{
    (void)context;
    (void)rules_version;
    (void)error;
    *out = (struct uw_claim){.partition = partition, .epoch = 1, .next_sequence = 1, .as_of_day = UW_DAY_NONE};
    return UW_OK;
}

static enum uw_code load(void *context, const struct uw_str *clients, uint32_t count, const struct uw_load_sink *sink,
                         struct uw_error *error)
{
    (void)context;
    (void)clients;
    (void)count;
    (void)sink;
    (void)error;
    return UW_OK;
}

static enum uw_code commit(void *context, const struct uw_changes *changes, struct uw_error *error)
{
    (void)context;
    (void)error;
    rows += (uint64_t)changes->fact_count + changes->account_count + changes->alert_count + changes->anomaly_count +
            changes->aggregate_count + changes->client_count;
    revisions += (uint64_t)changes->alert_count + changes->anomaly_count;
    return UW_OK;
}

static enum uw_code outbox(void *context, int32_t partition, int64_t after, uint32_t limit, uw_outbox_visit *visit,
                           void *visit_context, struct uw_error *error)
{
    (void)context;
    (void)partition;
    (void)after;
    (void)limit;
    (void)visit;
    (void)visit_context;
    (void)error;
    return UW_OK;
}

static enum uw_code due(void *context, int32_t partition, int32_t as_of_day, uint32_t limit, uw_client_visit *visit,
                        void *visit_context, struct uw_error *error)
{
    (void)context;
    (void)partition;
    (void)as_of_day;
    (void)limit;
    (void)visit;
    (void)visit_context;
    (void)error;
    return UW_OK;
}

static enum uw_code mark(void *context, int32_t partition, int64_t epoch, uint64_t fingerprint, struct uw_error *error)
{
    (void)context;
    (void)partition;
    (void)epoch;
    (void)fingerprint;
    (void)error;
    return UW_OK;
}

static enum uw_code sweep(void *context, int32_t rules_version, uint32_t limit, bool *more, struct uw_error *error)
{
    (void)context;
    (void)rules_version;
    (void)limit;
    (void)error;
    *more = false;
    return UW_OK;
}

static enum uw_code standing(void *context, int32_t partition, int64_t epoch, int64_t *next_sequence,
                             struct uw_error *error)
{
    (void)context;
    (void)partition;
    (void)epoch;
    (void)next_sequence;
    return uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL, "nobody else is here");
}

/* The value is the event itself. */
static enum uw_code decode(void *context, enum uw_topic topic, struct uw_str value, struct uw_arena *arena,
                           struct uw_event *event, struct uw_refusal *refusal, struct uw_error *error)
{
    (void)context;
    (void)topic;
    (void)arena;
    (void)refusal;
    (void)error;
    memcpy(event, value.data, sizeof *event);
    return UW_OK;
}

static enum uw_code encode_alert(void *context, const struct uw_alert_change *alert, int64_t now_ms,
                                 struct uw_arena *arena, struct uw_outbox_record *record)
{
    (void)context;
    (void)alert;
    (void)now_ms;
    (void)arena;
    (void)record;
    return UW_OK;
}

static enum uw_code encode_anomaly(void *context, const struct uw_anomaly_change *anomaly, int64_t now_ms,
                                   struct uw_arena *arena, struct uw_outbox_record *record)
{
    (void)context;
    (void)anomaly;
    (void)now_ms;
    (void)arena;
    (void)record;
    return UW_OK;
}

static enum uw_code encode_dead_letter(void *context, const struct uw_message *message,
                                       const struct uw_refusal *refusal, struct uw_arena *arena,
                                       struct uw_outbox_record *record)
{
    (void)context;
    (void)message;
    (void)refusal;
    (void)arena;
    (void)record;
    return UW_EINTERNAL;
}

int main(int argc, char **argv)
{
    int32_t clients = argc > 1 ? (int32_t)strtol(argv[1], NULL, 10) : 10000;
    int64_t declarations = argc > 2 ? strtoll(argv[2], NULL, 10) : 100000;
    uint32_t batch = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 20000;
    uint64_t seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
    struct uw_stream stream;
    uw_stream_open(&stream, clients, declarations, seed);

    struct uw_settings settings = {.rules = NULL};
    uw_thresholds_default(&settings.defaults);
    struct uw_error error = {.text = ""};
    struct uw_engine *engine;
    struct uw_engine_options options = {.decoder = {NULL, decode},
                                        .encoder = {NULL, encode_alert, encode_anomaly, encode_dead_letter},
                                        .store = {NULL, claim, load, commit, outbox, due, mark, sweep, standing},
                                        .publisher = uw_nowhere(),
                                        .settings = &settings,
                                        .cache_max_bytes = (size_t)4 * 1024 * 1024 * 1024,
                                        .as_of_day = stream.last_day};
    if (uw_engine_open(&options, &engine, &error) != UW_OK) {
        uw_bench_fail(error.text);
    }
    for (int32_t partition = 0; partition < UW_STREAM_PARTITIONS; partition++) {
        int64_t next_offset[UW_TOPIC_COUNT];
        if (uw_engine_claim(engine, partition, next_offset, &error) != UW_OK) {
            uw_bench_fail(error.text);
        }
    }
    double started = uw_bench_cpu_s();
    if (uw_engine_recover(engine, &error) != UW_OK) {
        uw_bench_fail(error.text);
    }
    for (uint32_t at = 0; at < stream.count; at += batch) {
        uint32_t count = stream.count - at < batch ? stream.count - at : batch;
        if (uw_engine_apply(engine, stream.messages + at, count, 0, &error) != UW_OK ||
            uw_engine_publish(engine, &error) != UW_OK) {
            uw_bench_fail(error.text);
        }
    }
    double span = uw_bench_cpu_s() - started;
    struct uw_engine_statistics statistics;
    uw_engine_statistics(engine, &statistics);
    printf("{\"bench\": \"core\", \"clients\": %" PRId32 ", \"events\": %" PRIu32 ", \"batch\": %" PRIu32
           ", \"seconds\": %.3f, \"events_per_s\": %.0f, \"rows\": %" PRIu64 ", \"revisions\": %" PRIu64
           ", \"cache_bytes_per_fact\": %.1f}\n",
           clients, stream.count, batch, span, stream.count / span, rows, revisions,
           (double)statistics.cache_bytes / (double)(statistics.cache_facts > 0 ? statistics.cache_facts : 1));
    uw_engine_close(&engine);
    uw_stream_close(&stream);
    return 0;
}
