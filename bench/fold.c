/*
 * The fold alone, one thread: every event of a simulated region is added to its client (uw_client_add), and every
 * client is folded once over all its events (uw_fold_run): a full recomputation of accounts, alerts, anomalies and
 * shares of aggregates. Neither cache nor differences. Prints one JSON line.
 *
 * usage: bench_fold [CLIENTS [DECLARATIONS [SEED [REPEAT]]]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/stream.h"
#include "core/fold.h"

struct totals {
    uint64_t accounts, alerts, anomalies, redeliveries;
    double add_s, fold_s;
};

struct work {
    struct uw_client *clients;
    uint32_t client_count, client_capacity;
};

static void add_all(const struct uw_stream *stream, struct work *work, struct totals *totals)
{
    double started = uw_bench_cpu_s();
    struct uw_client *client = NULL;
    for (uint32_t i = 0; i < stream->count; i++) {
        if (i == 0 || !uw_str_equal(stream->messages[i].key, stream->messages[i - 1].key)) {
            client = &work->clients[work->client_count++];
            uw_client_init(client);
        }
        bool redelivery;
        if (uw_client_add(client, uw_stream_event(stream, i), &redelivery) != UW_OK) {
            uw_bench_fail("out of memory");
        }
        totals->redeliveries += redelivery;
    }
    totals->add_s += uw_bench_cpu_s() - started;
}

static void fold_all(const struct work *work, int32_t as_of_day, const struct uw_settings *settings,
                     struct totals *totals)
{
    struct uw_fold fold;
    uw_fold_init(&fold);
    double started = uw_bench_cpu_s();
    for (uint32_t i = 0; i < work->client_count; i++) {
        if (uw_fold_run(&fold, &work->clients[i], settings, as_of_day) != UW_OK) {
            uw_bench_fail("out of memory");
        }
        totals->accounts += fold.account_count;
        totals->alerts += fold.alert_count;
        totals->anomalies += fold.anomaly_count;
    }
    totals->fold_s += uw_bench_cpu_s() - started;
    uw_fold_close(&fold);
}

int main(int argc, char **argv)
{
    int32_t clients = argc > 1 ? (int32_t)strtol(argv[1], NULL, 10) : 10000;
    int64_t declarations = argc > 2 ? strtoll(argv[2], NULL, 10) : 100000;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    int32_t repeat = argc > 4 ? (int32_t)strtol(argv[4], NULL, 10) : 1;
    struct uw_settings settings = {.rules = NULL};
    uw_thresholds_default(&settings.defaults);
    struct uw_stream stream;
    uw_stream_open(&stream, clients, declarations, seed);
    uw_stream_group_by_client(&stream);

    struct totals totals = {0};
    for (int32_t i = 0; i < repeat; i++) {
        struct work work = {.clients = NULL};
        if (!uw_reserve((void **)&work.clients, &work.client_capacity, (uint32_t)clients, sizeof *work.clients)) {
            uw_bench_fail("out of memory");
        }
        add_all(&stream, &work, &totals);
        fold_all(&work, stream.last_day, &settings, &totals);
        for (uint32_t k = 0; k < work.client_count; k++) {
            uw_client_close(&work.clients[k]);
        }
        free(work.clients);
    }
    double events = (double)stream.count * repeat;
    printf("{\"bench\": \"fold\", \"clients\": %" PRId32 ", \"events\": %.0f, \"cpu_s\": %.3f, \"events_per_s\": %.0f, "
           "\"add_events_per_s\": %.0f, \"fold_events_per_s\": %.0f, \"accounts\": %" PRIu64 ", \"alerts\": %" PRIu64
           ", \"anomalies\": %" PRIu64 ", \"redeliveries\": %" PRIu64 "}\n",
           clients, events, totals.add_s + totals.fold_s, events / (totals.add_s + totals.fold_s),
           events / totals.add_s, events / totals.fold_s, totals.accounts / (uint64_t)repeat,
           totals.alerts / (uint64_t)repeat, totals.anomalies / (uint64_t)repeat,
           totals.redeliveries / (uint64_t)repeat);
    uw_stream_close(&stream);
    return 0;
}
