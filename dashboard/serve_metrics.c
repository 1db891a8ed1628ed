/* The figures of `serve`; without names of clients, decisions or people. */
#include <inttypes.h>

#include "dashboard/answer.h"
#include "dashboard/exposition.h"
#include "dashboard/route.h"

static void add_number(struct uw_text *text, const char *name, const char *type, const char *help, uint64_t number)
{
    uw_exposition_head(text, name, type, help);
    uw_exposition_line(text, "%s %" PRIu64, name, number);
}

static void add_http(struct uw_text *text, struct uw_http *http)
{
    struct uw_http_statistics s;
    uint64_t all = 0;
    uw_http_statistics(http, &s);
    uw_exposition_head(text, "urenwacht_http_requests_total", "counter",
                       "Requests by the class of their status; 0: ended before an answer.");
    for (int i = 0; i < 6; i++) {
        uw_exposition_line(text, "urenwacht_http_requests_total{class=\"%d\"} %" PRIu64, i, s.requests[i]);
        all += i == 0 ? 0 : s.requests[i];
    }
    uw_exposition_head(text, "urenwacht_http_duration_seconds", "histogram", "From the whole request to the answer.");
    for (int i = 0; i < 12; i++) {
        uw_exposition_line(text, "urenwacht_http_duration_seconds_bucket{le=\"%g\"} %" PRIu64,
                           uw_http_bucket_us[i] / 1e6, s.buckets[i]);
    }
    uw_exposition_line(text, "urenwacht_http_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64, all);
    uw_exposition_line(text, "urenwacht_http_duration_seconds_sum %.6f", (double)s.microseconds / 1e6);
    uw_exposition_line(text, "urenwacht_http_duration_seconds_count %" PRIu64, all);
    add_number(text, "urenwacht_http_connections", "gauge", "Open connections.", s.connections);
    uw_exposition_head(text, "urenwacht_http_refused_total", "counter",
                       "Requests and connections that were refused, by why.");
    uw_exposition_line(text, "urenwacht_http_refused_total{why=\"busy\"} %" PRIu64, s.refused_busy);
    uw_exposition_line(text, "urenwacht_http_refused_total{why=\"slow\"} %" PRIu64, s.too_slow);
}

static void add_stream(struct uw_text *text, struct uw_stream *stream)
{
    struct uw_stream_statistics s;
    uw_stream_statistics(stream, &s);
    add_number(text, "urenwacht_stream_subscribers", "gauge", "Subscribers of the live stream.", s.subscribers);
    add_number(text, "urenwacht_stream_reading", "gauge", "1 when the topics are being read.", s.reading ? 1 : 0);
    add_number(text, "urenwacht_stream_kept_events", "gauge", "Events kept in memory for subscribers.", s.events);
    add_number(text, "urenwacht_stream_kept_bytes", "gauge", "Their size.", s.bytes);
    add_number(text, "urenwacht_stream_received_total", "counter", "Events read from the topics.", s.received);
    add_number(text, "urenwacht_stream_sent_total", "counter", "Events sent to subscribers.", s.sent);
    add_number(text, "urenwacht_stream_dropped_total", "counter", "Subscribers that were too slow.", s.dropped);
    add_number(text, "urenwacht_stream_caught_up_total", "counter",
               "Subscribers that were read for from Kafka, since memory did not reach back far enough.", s.caught_up);
    uw_exposition_head(text, "urenwacht_stream_last_event_timestamp_seconds", "gauge",
                       "Kafka's time of the last event that was read; 0: none yet.");
    uw_exposition_line(text, "urenwacht_stream_last_event_timestamp_seconds %.3f", (double)s.last_observed_ms / 1000.0);
}

/* Rows of a name, a label and a number. */
static void add_rows(struct uw_desk *desk, struct uw_text *text, const char *name, const char *label, const char *help,
                     const char *sql)
{
    struct uw_error error = {.text = ""};
    PGresult *result = NULL;
    if (uw_desk_query(desk, sql, NULL, 0, &result, &error) != UW_OK) {
        return;
    }
    uw_exposition_head(text, name, "gauge", help);
    for (int row = 0; row < PQntuples(result); row++) {
        struct uw_str key = uw_desk_field(result, row, 0), value = uw_desk_field(result, row, 1);
        if (label == NULL) {
            uw_exposition_line(text, "%s %.*s", name, (int)value.length, value.data);
        } else {
            uw_exposition_line(text, "%s{%s=\"%.*s\"} %.*s", name, label, (int)key.length, key.data, (int)value.length,
                               value.data);
        }
    }
    PQclear(result);
}

static const struct {
    const char *name, *label, *help, *sql;
} database_figures[] = {
    {"urenwacht_open_alerts", "kind", "Open alerts.",
     "SELECT kind, count(*)::text FROM urenwacht_data.alert_state WHERE status = 'OPEN' GROUP BY kind ORDER BY kind"},
    {"urenwacht_open_anomalies", "kind", "Open anomalies.",
     "SELECT kind, count(*)::text FROM urenwacht_data.anomaly_state WHERE status = 'OPEN' GROUP BY kind ORDER BY kind"},
    {"urenwacht_judged_behind_seconds", NULL,
     "Between today and the date as of which the last partition was judged.",
     "SELECT '', (((now() AT TIME ZONE 'Europe/Amsterdam')::date - min(as_of)) * 86400)::text FROM "
     "urenwacht_data.partition_state HAVING min(as_of) IS NOT NULL"},
    {"urenwacht_clients_due", NULL, "Clients that wait to be judged (again) as of their partition's date.",
     "SELECT '', count(c.client)::text FROM urenwacht_data.partition_state s JOIN urenwacht_data.client_known c ON "
     "c.partition = s.partition AND c.next_change_on <= s.as_of"},
    {"urenwacht_outbox_records", NULL, "Records that are decided and not known to be in Kafka.",
     "SELECT '', coalesce(sum(next_sequence - 1 - published_sequence), 0)::text FROM urenwacht_data.partition_state"},
    {"urenwacht_events_applied", NULL, "Events applied since the beginning.",
     "SELECT '', coalesce(sum(events), 0)::text FROM urenwacht_data.partition_state"},
    {"urenwacht_dead_letters", NULL, "Events refused since the beginning.",
     "SELECT '', coalesce(sum(refused), 0)::text FROM urenwacht_data.partition_state"},
};

static void add_database(struct uw_desk *desk, struct uw_text *text)
{
    for (size_t i = 0; i < sizeof database_figures / sizeof database_figures[0]; i++) {
        add_rows(desk, text, database_figures[i].name, database_figures[i].label, database_figures[i].help,
                 database_figures[i].sql);
    }
}

void uw_metrics_answer(struct uw_server *server, struct uw_desk *desk, struct uw_http_request *request)
{
    struct uw_error error = {.text = ""};
    struct uw_text text;
    uw_text_init(&text, &request->arena);
    uw_exposition_process(&text);
    add_http(&text, server->http);
    add_stream(&text, server->stream);
    /* The counts are the owner's view: figures of the whole installation. */
    bool up = uw_desk_begin(desk, NULL, false, &error) == UW_OK;
    add_number(&text, "urenwacht_database_up", "gauge", "1 when the database answers.", up ? 1 : 0);
    if (up) {
        add_database(desk, &text);
    }
    uw_webhook_metrics(server->webhooks, up ? desk : NULL, &text);
    uw_desk_rollback(desk);
    uw_http_body(request, 200, UW_EXPOSITION_TYPE, &text);
}
