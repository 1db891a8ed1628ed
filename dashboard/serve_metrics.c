/* Figures for Prometheus, in the text format 0.0.4; without names of clients, decisions or people. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dashboard/answer.h"
#include "dashboard/route.h"

#define LINE_BYTES 300

static void add_line(struct uw_text *text, const char *format, ...) UW_PRINTF(2, 3);

static void add_line(struct uw_text *text, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    uw_text_add_literal(text, line);
    uw_text_add_literal(text, "\n");
}

static void add_head(struct uw_text *text, const char *name, const char *type, const char *help)
{
    add_line(text, "# HELP %s %s", name, help);
    add_line(text, "# TYPE %s %s", name, type);
}

static void add_http(struct uw_text *text, struct uw_http *http)
{
    struct uw_http_statistics s;
    uint64_t all = 0;
    uw_http_statistics(http, &s);
    add_head(text, "urenwacht_http_requests_total", "counter", "Requests by the class of their status; 0: ended before an answer.");
    for (int i = 0; i < 6; i++) {
        add_line(text, "urenwacht_http_requests_total{class=\"%d\"} %" PRIu64, i, s.requests[i]);
        all += i == 0 ? 0 : s.requests[i];
    }
    add_head(text, "urenwacht_http_duration_seconds", "histogram", "From the whole request to the answer.");
    for (int i = 0; i < 12; i++) {
        add_line(text, "urenwacht_http_duration_seconds_bucket{le=\"%g\"} %" PRIu64, uw_http_bucket_us[i] / 1e6, s.buckets[i]);
    }
    add_line(text, "urenwacht_http_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64, all);
    add_line(text, "urenwacht_http_duration_seconds_sum %.6f", (double)s.microseconds / 1e6);
    add_line(text, "urenwacht_http_duration_seconds_count %" PRIu64, all);
    add_head(text, "urenwacht_http_connections", "gauge", "Open connections.");
    add_line(text, "urenwacht_http_connections %" PRIu64, s.connections);
    add_head(text, "urenwacht_http_refused_total", "counter", "Requests and connections that were refused, by why.");
    add_line(text, "urenwacht_http_refused_total{why=\"busy\"} %" PRIu64, s.refused_busy);
    add_line(text, "urenwacht_http_refused_total{why=\"slow\"} %" PRIu64, s.too_slow);
}

static void add_stream(struct uw_text *text, struct uw_stream *stream)
{
    struct uw_stream_statistics s;
    uw_stream_statistics(stream, &s);
    add_head(text, "urenwacht_stream_subscribers", "gauge", "Subscribers of the live stream.");
    add_line(text, "urenwacht_stream_subscribers %" PRIu64, s.subscribers);
    add_head(text, "urenwacht_stream_reading", "gauge", "1 when the topics are being read.");
    add_line(text, "urenwacht_stream_reading %d", s.reading ? 1 : 0);
    add_head(text, "urenwacht_stream_kept_events", "gauge", "Events that are kept in memory for subscribers.");
    add_line(text, "urenwacht_stream_kept_events %" PRIu64, s.events);
    add_head(text, "urenwacht_stream_kept_bytes", "gauge", "Their size.");
    add_line(text, "urenwacht_stream_kept_bytes %" PRIu64, s.bytes);
    add_head(text, "urenwacht_stream_received_total", "counter", "Events read from the topics.");
    add_line(text, "urenwacht_stream_received_total %" PRIu64, s.received);
    add_head(text, "urenwacht_stream_sent_total", "counter", "Events sent to subscribers.");
    add_line(text, "urenwacht_stream_sent_total %" PRIu64, s.sent);
    add_head(text, "urenwacht_stream_dropped_total", "counter", "Subscribers that were too slow.");
    add_line(text, "urenwacht_stream_dropped_total %" PRIu64, s.dropped);
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
    add_head(text, name, "gauge", help);
    for (int row = 0; row < PQntuples(result); row++) {
        struct uw_str key = uw_desk_field(result, row, 0), value = uw_desk_field(result, row, 1);
        if (label == NULL) {
            add_line(text, "%s %.*s", name, (int)value.length, value.data);
        } else {
            add_line(text, "%s{%s=\"%.*s\"} %.*s", name, label, (int)key.length, key.data, (int)value.length, value.data);
        }
    }
    PQclear(result);
}

void uw_metrics_answer(struct uw_server *server, struct uw_desk *desk, struct uw_http_request *request)
{
    struct uw_error error = {.text = ""};
    struct uw_text text;
    uw_text_init(&text, &request->arena);
    add_http(&text, server->http);
    add_stream(&text, server->stream);
    /* The counts are the owner's view: figures of the whole installation. */
    bool up = uw_desk_begin(desk, NULL, false, &error) == UW_OK;
    add_head(&text, "urenwacht_database_up", "gauge", "1 when the database answers.");
    add_line(&text, "urenwacht_database_up %d", up ? 1 : 0);
    if (up) {
        add_rows(desk, &text, "urenwacht_open_alerts", "kind", "Open alerts.",
                 "SELECT kind, count(*)::text FROM urenwacht_data.alert_state WHERE status = 'OPEN' GROUP BY kind ORDER BY "
                 "kind");
        add_rows(desk, &text, "urenwacht_open_anomalies", "kind", "Open anomalies.",
                 "SELECT kind, count(*)::text FROM urenwacht_data.anomaly_state WHERE status = 'OPEN' GROUP BY kind ORDER "
                 "BY kind");
        add_rows(desk, &text, "urenwacht_judged_days_behind", NULL, "Days between today and the date as of which the last partition was judged.",
                 "SELECT '', ((now() AT TIME ZONE 'Europe/Amsterdam')::date - min(as_of))::text FROM "
                 "urenwacht_data.partition_state HAVING min(as_of) IS NOT NULL");
        add_rows(desk, &text, "urenwacht_outbox_records", NULL, "Records that are decided and not known to be in Kafka.",
                 "SELECT '', coalesce(sum(next_sequence - 1 - published_sequence), 0)::text FROM "
                 "urenwacht_data.partition_state");
        add_rows(desk, &text, "urenwacht_events_applied", NULL, "Events applied since the beginning.",
                 "SELECT '', coalesce(sum(events), 0)::text FROM urenwacht_data.partition_state");
        add_rows(desk, &text, "urenwacht_dead_letters", NULL, "Events refused since the beginning.",
                 "SELECT '', coalesce(sum(refused), 0)::text FROM urenwacht_data.partition_state");
        uw_desk_rollback(desk);
    }
    uw_http_body(request, 200, "text/plain; version=0.0.4; charset=utf-8", &text);
}
