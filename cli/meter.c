#include "cli/meter.h"

#include <time.h>

#include "cli/command.h"

int64_t uw_meter_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void count_commit(struct uw_commit_figures *commits, enum uw_code code, int64_t begun_us)
{
    if (code == UW_OK) {
        uw_histogram_add(&commits->durations, uw_meter_now_us() - begun_us);
        commits->last_ms = uw_clock_ms();
    } else {
        commits->failures++;
    }
}

static void count_changes(struct uw_meter_figures *figures, const struct uw_changes *changes)
{
    for (uint32_t i = 0; i < changes->fact_count; i++) {
        figures->accepted += changes->facts[i].redelivery ? 0u : 1u;
        figures->redelivered += changes->facts[i].redelivery ? 1u : 0u;
    }
    for (uint32_t i = 0; i < changes->partition_count; i++) {
        figures->refused += changes->partitions[i].refused;
    }
    for (uint32_t i = 0; i < changes->alert_count; i++) {
        const struct uw_alert_change *alert = &changes->alerts[i];
        figures->alerts[alert->kind][alert->status] += alert->quiet ? 0u : 1u;
    }
    for (uint32_t i = 0; i < changes->anomaly_count; i++) {
        const struct uw_anomaly_change *anomaly = &changes->anomalies[i];
        figures->anomalies[anomaly->kind][anomaly->status] += anomaly->quiet ? 0u : 1u;
    }
}

void uw_meter_add(struct uw_meter_figures *sum, const struct uw_meter_figures *figures)
{
    for (int i = 0; i < UW_COMMIT_TARGETS; i++) {
        struct uw_commit_figures *commits = &sum->commits[i];
        uw_histogram_merge(&commits->durations, &figures->commits[i].durations);
        commits->failures += figures->commits[i].failures;
        commits->last_ms = commits->last_ms > figures->commits[i].last_ms ? commits->last_ms
                                                                          : figures->commits[i].last_ms;
    }
    uw_histogram_merge(&sum->batches, &figures->batches);
    sum->accepted += figures->accepted;
    sum->redelivered += figures->redelivered;
    sum->refused += figures->refused;
    sum->skipped += figures->skipped;
    for (int status = 0; status < 2; status++) {
        for (int kind = 0; kind < UW_ALERT_KIND_COUNT; kind++) {
            sum->alerts[kind][status] += figures->alerts[kind][status];
        }
        for (int kind = 0; kind < UW_ANOMALY_KIND_COUNT; kind++) {
            sum->anomalies[kind][status] += figures->anomalies[kind][status];
        }
    }
    for (int i = 0; i < UW_OUTPUT_COUNT; i++) {
        sum->records[i] += figures->records[i];
    }
    sum->clients_judged += figures->clients_judged;
    sum->cache_hits += figures->cache_hits;
    sum->cache_misses += figures->cache_misses;
    sum->searches += figures->searches;
}

/* ---- the wrapped ports ---- */

static enum uw_code metered_claim(void *context, int32_t partition, int32_t rules_version, struct uw_claim *claim,
                                  struct uw_error *error)
{
    struct uw_meter *meter = context;
    return meter->store.claim(meter->store.context, partition, rules_version, claim, error);
}

static enum uw_code metered_load(void *context, const struct uw_str *clients, uint32_t client_count,
                                 const struct uw_load_sink *sink, struct uw_error *error)
{
    struct uw_meter *meter = context;
    return meter->store.load(meter->store.context, clients, client_count, sink, error);
}

static enum uw_code metered_commit(void *context, const struct uw_changes *changes, struct uw_error *error)
{
    struct uw_meter *meter = context;
    int64_t begun_us = uw_meter_now_us();
    enum uw_code code = meter->store.commit(meter->store.context, changes, error);
    count_commit(&meter->figures.commits[UW_COMMIT_POSTGRESQL], code, begun_us);
    if (code == UW_OK) {
        count_changes(&meter->figures, changes);
    }
    return code;
}

static enum uw_code metered_outbox(void *context, int32_t partition, int64_t after, uint32_t limit,
                                   uw_outbox_visit *visit, void *visit_context, struct uw_error *error)
{
    struct uw_meter *meter = context;
    return meter->store.outbox(meter->store.context, partition, after, limit, visit, visit_context, error);
}

static enum uw_code metered_due(void *context, int32_t partition, int32_t as_of_day, uint32_t limit,
                                uw_client_visit *visit, void *visit_context, struct uw_error *error)
{
    struct uw_meter *meter = context;
    return meter->store.due(meter->store.context, partition, as_of_day, limit, visit, visit_context, error);
}

static enum uw_code metered_mark_all_due(void *context, int32_t partition, int64_t epoch, uint64_t rules_fingerprint,
                                         struct uw_error *error)
{
    struct uw_meter *meter = context;
    return meter->store.mark_all_due(meter->store.context, partition, epoch, rules_fingerprint, error);
}

static enum uw_code metered_sweep(void *context, int32_t rules_version, uint32_t limit, bool *more,
                                  struct uw_error *error)
{
    struct uw_meter *meter = context;
    return meter->store.sweep(meter->store.context, rules_version, limit, more, error);
}

static enum uw_code metered_standing(void *context, int32_t partition, int64_t epoch, int64_t *next_sequence,
                                     struct uw_error *error)
{
    struct uw_meter *meter = context;
    return meter->store.standing(meter->store.context, partition, epoch, next_sequence, error);
}

static enum uw_code metered_published(void *context, int32_t partition, int64_t *sequence, struct uw_error *error)
{
    struct uw_meter *meter = context;
    return meter->publisher.published(meter->publisher.context, partition, sequence, error);
}

static enum uw_code metered_search(void *context, const struct uw_outbox_record *records, uint32_t record_count,
                                   bool begin, bool *found, bool *complete, struct uw_error *error)
{
    struct uw_meter *meter = context;
    return meter->publisher.search(meter->publisher.context, records, record_count, begin, found, complete, error);
}

/* What is counted is what the processor waits for Kafka: between the two calls it applies the next batch. */
static enum uw_code metered_start(void *context, const struct uw_outbox_record *records, uint32_t record_count,
                                  const struct uw_published *positions, uint32_t position_count,
                                  struct uw_error *error)
{
    struct uw_meter *meter = context;
    int64_t begun_us = uw_meter_now_us();
    for (uint32_t i = 0; i < UW_OUTPUT_COUNT; i++) {
        meter->begun_records[i] = 0;
    }
    for (uint32_t i = 0; i < record_count; i++) {
        meter->begun_records[records[i].output]++;
    }
    enum uw_code code =
        meter->publisher.start(meter->publisher.context, records, record_count, positions, position_count, error);
    meter->start_us = uw_meter_now_us() - begun_us;
    if (code != UW_OK) {
        count_commit(&meter->figures.commits[UW_COMMIT_KAFKA], code, begun_us);
    }
    return code;
}

static enum uw_code metered_finish(void *context, struct uw_error *error)
{
    struct uw_meter *meter = context;
    int64_t begun_us = uw_meter_now_us() - meter->start_us;
    enum uw_code code = meter->publisher.finish(meter->publisher.context, error);
    count_commit(&meter->figures.commits[UW_COMMIT_KAFKA], code, begun_us);
    for (uint32_t i = 0; code == UW_OK && i < UW_OUTPUT_COUNT; i++) {
        meter->figures.records[i] += meter->begun_records[i];
    }
    return code;
}

/* ---- */

void uw_meter_wrap(struct uw_meter *meter, struct uw_store *store, struct uw_publisher *publisher)
{
    meter->store = *store;
    meter->publisher = *publisher;
    meter->counted = (struct uw_engine_statistics){0};
    *store = (struct uw_store){.context = meter,
                               .claim = metered_claim,
                               .load = metered_load,
                               .commit = metered_commit,
                               .outbox = metered_outbox,
                               .due = metered_due,
                               .mark_all_due = metered_mark_all_due,
                               .sweep = metered_sweep,
                               .standing = metered_standing};
    *publisher = (struct uw_publisher){meter, metered_published, metered_search, metered_start, metered_finish};
}

void uw_meter_take(struct uw_meter *meter, const struct uw_engine_statistics *statistics)
{
    struct uw_meter_figures *figures = &meter->figures;
    figures->skipped += statistics->skipped - meter->counted.skipped;
    figures->clients_judged += statistics->clients_judged - meter->counted.clients_judged;
    figures->cache_hits += statistics->clients_found - meter->counted.clients_found;
    figures->cache_misses += statistics->clients_loaded - meter->counted.clients_loaded;
    figures->searches += statistics->searches - meter->counted.searches;
    meter->counted = *statistics;
}

void uw_meter_batch(struct uw_meter *meter, int64_t begun_us)
{
    uw_histogram_add(&meter->figures.batches, uw_meter_now_us() - begun_us);
}
