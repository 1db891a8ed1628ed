#include <inttypes.h>

#include "cli/worker_parts.h"
#include "producers/store_partitions.h"

/* The figures are shown this often; clients that are due are counted less often, and so far only. */
#define SHOW_MS 1000
#define COUNT_DUE_MS 10000
#define COUNT_DUE_MAX 100000u
#define REPORT_MS 10000

void uw_worker_show_figures(struct uw_worker *worker)
{
    struct uw_engine_statistics statistics;
    struct uw_monitor_figures figures;
    int64_t now_ms = uw_clock_monotonic_ms();
    const int32_t *partitions;
    if (worker->monitor == NULL || worker->intake == NULL ||
        (worker->shown_ms != 0 && now_ms - worker->shown_ms < SHOW_MS)) {
        return;
    }
    worker->shown_ms = now_ms;
    uw_engine_statistics(worker->engine, &statistics);
    uw_meter_take(&worker->meter, &statistics);
    figures = (struct uw_monitor_figures){.meter = worker->meter.figures,
                                          .cache_bytes = statistics.cache_bytes,
                                          .cache_clients = statistics.cache_clients,
                                          .cache_facts = statistics.cache_facts,
                                          .cache_max_bytes = (int64_t)uw_worker_cache_bytes(worker),
                                          .clients_due = worker->clients_due,
                                          .partitions_owned = uw_intake_assignment(worker->intake, &partitions),
                                          .partition_count = uw_intake_partition_count(worker->intake),
                                          .as_of_day = worker->as_of_day};
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        uw_intake_topic_lag(worker->intake, (enum uw_topic)i, uw_clock_ms(), &figures.lags[i]);
    }
    uw_monitor_show(worker->monitor, worker->number, &figures);
}

void uw_worker_report(struct uw_worker *worker, bool last)
{
    int64_t now_ms = uw_clock_monotonic_ms();
    if (!last && now_ms - worker->report_ms < REPORT_MS) {
        return;
    }
    struct uw_engine_statistics statistics;
    uw_engine_statistics(worker->engine, &statistics);
    uint64_t applied = statistics.events + statistics.refused;
    if (last) {
        const struct uw_crew_totals totals = {.events = applied,
                                              .redelivered = statistics.redeliveries,
                                              .refused = statistics.refused,
                                              .batches = statistics.batches,
                                              .records = statistics.records_published + statistics.recovered_records,
                                              .started_ms = worker->started_ms,
                                              .ended_ms = now_ms};
        uw_crew_say("", &totals);
        uw_crew_add(worker->crew, &totals);
        return;
    }
    if (applied != worker->reported_events) {
        int64_t span_ms = now_ms - worker->report_ms;
        uw_log(UW_LOG_INFO,
               "%" PRIu64 " events, %" PRIu64 "/s, lag %" PRId64 ", %" PRIu64 " clients in %" PRIu64 " MiB",
               applied, (applied - worker->reported_events) * 1000 / (uint64_t)span_ms,
               uw_intake_lag(worker->intake), statistics.cache_clients, statistics.cache_bytes >> 20);
    }
    worker->report_ms = now_ms;
    worker->reported_events = applied;
}

/* The clients that wait to be judged; what cannot be counted now is counted next time. */
static void count_due(struct uw_worker *worker, int64_t now_ms)
{
    const int32_t *partitions;
    uint32_t count = uw_intake_assignment(worker->intake, &partitions);
    int64_t sum = 0;
    /* While it catches up they wait for its end. */
    if (!uw_engine_has_due(worker->engine) && !uw_intake_catches_up(worker->intake)) {
        worker->clients_due = 0;
        worker->due_ms = 0;
        return;
    }
    if (worker->due_ms != 0 && now_ms - worker->due_ms < COUNT_DUE_MS) {
        return;
    }
    worker->due_ms = now_ms;
    for (uint32_t i = 0; i < count && sum < COUNT_DUE_MAX; i++) {
        struct uw_error error = {.text = ""};
        int64_t due = 0;
        if (uw_pgstore_due_count(worker->store, partitions[i], worker->as_of_day, COUNT_DUE_MAX, &due, &error) !=
            UW_OK) {
            return;
        }
        sum += due;
    }
    worker->clients_due = sum;
}

void uw_worker_show(struct uw_worker *worker)
{
    enum uw_stage stage = UW_STAGE_WORKING;
    if (worker->monitor == NULL) {
        return;
    }
    if (!uw_intake_joined(worker->intake)) {
        stage = UW_STAGE_JOINING;
    } else if (uw_engine_needs_recovery(worker->engine)) {
        stage = UW_STAGE_RECOVERING;
    }
    uw_monitor_stage(worker->monitor, worker->number, stage);
    count_due(worker, uw_clock_monotonic_ms());
    uw_worker_show_figures(worker);
}
