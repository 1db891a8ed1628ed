/* The processor's figures as text. Names and labels are a contract with deploy/prometheus and deploy/grafana. */
#include <inttypes.h>

#include "cli/monitor.h"

#define NAME(rest) "urenwacht_processor_" rest
#define DAY_SECONDS INT64_C(86400)

static void add_number(struct uw_text *text, const char *name, const char *type, const char *help, int64_t number)
{
    uw_exposition_head(text, name, type, help);
    uw_exposition_line(text, "%s %" PRId64, name, number);
}

static void add_lags(struct uw_text *text, const struct uw_monitor_figures *figures)
{
    uw_exposition_head(text, NAME("lag_events"), "gauge", "Events that wait in the partitions of this instance.");
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        uw_exposition_line(text, NAME("lag_events") "{topic=\"%s\"} %" PRId64, uw_topic_name((enum uw_topic)i),
                           figures->lags[i].messages);
    }
    uw_exposition_head(text, NAME("lag_seconds"), "gauge",
                       "How old the last event is that was taken from the partition furthest behind; 0: none waits.");
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        uw_exposition_line(text, NAME("lag_seconds") "{topic=\"%s\"} %.3f", uw_topic_name((enum uw_topic)i),
                           (double)figures->lags[i].age_ms / 1000.0);
    }
}

static void add_commits(struct uw_text *text, const struct uw_meter_figures *meter)
{
    static const char *const targets[UW_COMMIT_TARGETS] = {"postgresql", "kafka"};
    static const char *const labels[UW_COMMIT_TARGETS] = {"target=\"postgresql\"", "target=\"kafka\""};
    uw_exposition_head(text, NAME("batch_duration_seconds"), "histogram",
                       "From the events in hand to their records in Kafka.");
    uw_exposition_histogram(text, NAME("batch_duration_seconds"), "", &meter->batches);
    uw_exposition_head(text, NAME("commits_total"), "counter", "Transactions that succeeded.");
    for (int i = 0; i < UW_COMMIT_TARGETS; i++) {
        uw_exposition_line(text, NAME("commits_total") "{target=\"%s\"} %" PRIu64, targets[i],
                           meter->commits[i].durations.count);
    }
    uw_exposition_head(text, NAME("commit_failures_total"), "counter", "Transactions that failed.");
    for (int i = 0; i < UW_COMMIT_TARGETS; i++) {
        uw_exposition_line(text, NAME("commit_failures_total") "{target=\"%s\"} %" PRIu64, targets[i],
                           meter->commits[i].failures);
    }
    uw_exposition_head(text, NAME("commit_duration_seconds"), "histogram", "Of the transactions that succeeded.");
    for (int i = 0; i < UW_COMMIT_TARGETS; i++) {
        uw_exposition_histogram(text, NAME("commit_duration_seconds"), labels[i], &meter->commits[i].durations);
    }
    uw_exposition_head(text, NAME("last_commit_timestamp_seconds"), "gauge",
                       "When the last transaction succeeded; 0: none did since the start.");
    for (int i = 0; i < UW_COMMIT_TARGETS; i++) {
        uw_exposition_line(text, NAME("last_commit_timestamp_seconds") "{target=\"%s\"} %.3f", targets[i],
                           (double)meter->commits[i].last_ms / 1000.0);
    }
}

static void add_events(struct uw_text *text, const struct uw_meter_figures *meter)
{
    static const char *const outputs[UW_OUTPUT_COUNT] = {"alerts", "anomalies", "dead-letters"};
    const struct {
        const char *outcome;
        uint64_t count;
    } outcomes[] = {{"accepted", meter->accepted},
                    {"redelivered", meter->redelivered},
                    {"refused", meter->refused},
                    {"skipped", meter->skipped}};
    uw_exposition_head(text, NAME("events_total"), "counter",
                       "Events that were applied; redelivered: the fact was there; refused: a dead letter; skipped: "
                       "applied before.");
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        uw_exposition_line(text, NAME("events_total") "{outcome=\"%s\"} %" PRIu64, outcomes[i].outcome,
                           outcomes[i].count);
    }
    uw_exposition_head(text, NAME("records_published_total"), "counter", "Records published, by output topic.");
    for (int i = 0; i < UW_OUTPUT_COUNT; i++) {
        uw_exposition_line(text, NAME("records_published_total") "{topic=\"%s\"} %" PRIu64, outputs[i],
                           meter->records[i]);
    }
    add_number(text, NAME("searches_total"), "counter",
               "Times that Kafka's offsets did not say what is published, and the topics were searched.",
               (int64_t)meter->searches);
    add_number(text, NAME("dead_letters_total"), "counter", "Events that were refused.", (int64_t)meter->refused);
}

static void add_outcomes(struct uw_text *text, const struct uw_meter_figures *meter)
{
    static const char *const statuses[] = {"open", "resolved"};
    uw_exposition_head(text, NAME("alert_revisions_total"), "counter",
                       "Revisions of alerts that were decided, by the status they have since.");
    for (int kind = 0; kind < UW_ALERT_KIND_COUNT; kind++) {
        for (int status = 0; status < 2; status++) {
            uw_exposition_line(text, NAME("alert_revisions_total") "{kind=\"%s\",status=\"%s\"} %" PRIu64,
                               uw_alert_kind_name((enum uw_alert_kind)kind), statuses[status],
                               meter->alerts[kind][status]);
        }
    }
    uw_exposition_head(text, NAME("anomaly_revisions_total"), "counter", "The same of anomalies.");
    for (int kind = 0; kind < UW_ANOMALY_KIND_COUNT; kind++) {
        for (int status = 0; status < 2; status++) {
            uw_exposition_line(text, NAME("anomaly_revisions_total") "{kind=\"%s\",status=\"%s\"} %" PRIu64,
                               uw_anomaly_kind_name((enum uw_anomaly_kind)kind), statuses[status],
                               meter->anomalies[kind][status]);
        }
    }
}

static void add_clients(struct uw_text *text, const struct uw_monitor_figures *figures)
{
    const struct uw_meter_figures *meter = &figures->meter;
    add_number(text, NAME("cache_bytes"), "gauge", "Memory of the clients' facts.", (int64_t)figures->cache_bytes);
    add_number(text, NAME("cache_max_bytes"), "gauge", "Its limit.", figures->cache_max_bytes);
    add_number(text, NAME("cache_clients"), "gauge", "Clients in memory.", (int64_t)figures->cache_clients);
    add_number(text, NAME("cache_facts"), "gauge", "Their facts.", (int64_t)figures->cache_facts);
    uw_exposition_head(text, NAME("cache_lookups_total"), "counter",
                       "Clients that a batch touched; hit: in memory, miss: loaded from PostgreSQL.");
    uw_exposition_line(text, NAME("cache_lookups_total") "{result=\"hit\"} %" PRIu64, meter->cache_hits);
    uw_exposition_line(text, NAME("cache_lookups_total") "{result=\"miss\"} %" PRIu64, meter->cache_misses);
    add_number(text, NAME("clients_judged_total"), "counter", "Clients that were judged.",
               (int64_t)meter->clients_judged);
    add_number(text, NAME("clients_due"), "gauge", "Clients of this instance that wait to be judged (again).",
               figures->clients_due);
}

void uw_monitor_add(struct uw_monitor_figures *sum, const struct uw_monitor_figures *figures)
{
    uw_meter_add(&sum->meter, &figures->meter);
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        sum->lags[i].messages += figures->lags[i].messages;
        sum->lags[i].age_ms = sum->lags[i].age_ms > figures->lags[i].age_ms ? sum->lags[i].age_ms
                                                                            : figures->lags[i].age_ms;
    }
    sum->cache_bytes += figures->cache_bytes;
    sum->cache_clients += figures->cache_clients;
    sum->cache_facts += figures->cache_facts;
    sum->cache_max_bytes += figures->cache_max_bytes;
    sum->clients_due += figures->clients_due;
    sum->partitions_owned += figures->partitions_owned;
    sum->partition_count = sum->partition_count > figures->partition_count ? sum->partition_count
                                                                           : figures->partition_count;
    sum->as_of_day = sum->as_of_day > figures->as_of_day ? sum->as_of_day : figures->as_of_day;
}

void uw_monitor_write(struct uw_text *text, const struct uw_monitor_figures *figures, bool ready, int64_t silent_ms,
                      int64_t stalled_ms)
{
    uw_exposition_process(text);
    add_number(text, NAME("ready"), "gauge", "1 as /readyz is 200.", ready ? 1 : 0);
    uw_exposition_head(text, NAME("silent_seconds"), "gauge", "Since the main loop was last seen.");
    uw_exposition_line(text, NAME("silent_seconds") " %.3f", (double)silent_ms / 1000.0);
    uw_exposition_head(text, NAME("stalled_seconds"), "gauge",
                       "Since events wait and none was applied; 0: none waits.");
    uw_exposition_line(text, NAME("stalled_seconds") " %.3f", (double)stalled_ms / 1000.0);
    add_number(text, NAME("partitions_owned"), "gauge", "Partitions of this instance.", figures->partitions_owned);
    add_number(text, NAME("partitions"), "gauge", "Partitions of each input topic; 0: not known yet.",
               figures->partition_count);
    add_number(text, NAME("as_of_timestamp_seconds"), "gauge", "The date as of which is judged, its midnight in UTC.",
               (int64_t)figures->as_of_day * DAY_SECONDS);
    add_lags(text, figures);
    add_commits(text, &figures->meter);
    add_events(text, &figures->meter);
    add_outcomes(text, &figures->meter);
    add_clients(text, figures);
}
