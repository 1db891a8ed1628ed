/* Figures of the webhooks for /metrics. */
#include <inttypes.h>

#include "dashboard/exposition.h"
#include "dashboard/webhook_parts.h"

static void add_counters(struct uw_text *text, const struct uw_webhook_statistics *s)
{
    uw_exposition_head(text, "urenwacht_webhook_attempts_total", "counter",
             "Requests of this server to receivers: accepted, refused by status, without an answer, not allowed.");
    uw_exposition_line(text, "urenwacht_webhook_attempts_total{outcome=\"delivered\"} %" PRIu64, s->delivered);
    uw_exposition_line(text, "urenwacht_webhook_attempts_total{outcome=\"refused\"} %" PRIu64, s->refused);
    uw_exposition_line(text, "urenwacht_webhook_attempts_total{outcome=\"unreachable\"} %" PRIu64, s->unreachable);
    uw_exposition_line(text, "urenwacht_webhook_attempts_total{outcome=\"blocked\"} %" PRIu64, s->blocked);
    uw_exposition_head(text, "urenwacht_webhook_queued_total", "counter", "Deliveries that this server queued.");
    uw_exposition_line(text, "urenwacht_webhook_queued_total %" PRIu64, s->queued);
    uw_exposition_head(text, "urenwacht_webhook_given_up_total", "counter", "Deliveries that this server gave up "
                                                                            "after the last retry.");
    uw_exposition_line(text, "urenwacht_webhook_given_up_total %" PRIu64, s->given_up);
    uw_exposition_head(text, "urenwacht_webhook_task", "gauge", "1 when this server does the task for all.");
    uw_exposition_line(text, "urenwacht_webhook_task{task=\"feed\"} %d", s->feeding ? 1 : 0);
    uw_exposition_line(text, "urenwacht_webhook_task{task=\"send\"} %d", s->sending ? 1 : 0);
}

static void add_gauge(struct uw_text *text, const PGresult *result, int column, const char *name, const char *help)
{
    uw_exposition_head(text, name, "gauge", help);
    uw_exposition_line(text, "%s %" PRId64, name, uw_desk_integer(result, 0, column));
}

void uw_webhook_metrics(struct uw_webhooks *webhooks, struct uw_desk *desk, struct uw_text *text)
{
    static const char sql[] =
        "SELECT (SELECT count(*) FROM urenwacht_data.webhook_delivery WHERE state IN ('NEW', 'WAITING', "
        "'READY'))::text, (SELECT "
        "coalesce(max(extract(epoch FROM now() - (SELECT min(d.queued_at) FROM urenwacht_data.webhook_delivery d WHERE "
        "d.webhook_id = w.id AND d.state IN ('NEW', 'WAITING', 'READY'))))::bigint, 0) FROM urenwacht_data.webhook w "
        "WHERE w.state "
        "= 'ACTIVE')::text, (SELECT count(*) FROM urenwacht_data.webhook_delivery WHERE state = 'FAILED')::text, "
        "(SELECT count(*) "
        "FROM urenwacht_data.webhook WHERE num_nonnulls(behind, replay_since, replay_from) > 0)::text, (SELECT "
        "count(*) FROM "
        "urenwacht_data.webhook WHERE state = 'ACTIVE')::text, (SELECT count(*) FROM urenwacht_data.webhook WHERE "
        "state = "
        "'PAUSED')::text, (SELECT count(*) FROM urenwacht_data.webhook WHERE state = 'DISABLED')::text, (SELECT "
        "count(*) FROM "
        "urenwacht_data.webhook WHERE state = 'STOPPED')::text, (SELECT count(*) FROM urenwacht_data.webhook WHERE "
        "failing_since "
        "IS NOT NULL AND state = 'ACTIVE')::text";
    static const char *const states[] = {"active", "paused", "disabled", "stopped"};
    struct uw_webhook_statistics statistics;
    struct uw_error error = {.text = ""};
    PGresult *result = NULL;
    uw_webhooks_statistics(webhooks, &statistics);
    add_counters(text, &statistics);
    if (desk == NULL || uw_desk_query(desk, sql, NULL, 0, &result, &error) != UW_OK) {
        return;
    }
    add_gauge(text, result, 0, "urenwacht_webhook_queue", "Deliveries that are not over.");
    add_gauge(text, result, 1, "urenwacht_webhook_oldest_seconds",
                    "Age of the oldest delivery that is not over, of active webhooks.");
    add_gauge(text, result, 2, "urenwacht_webhook_failed", "Deliveries in the log that were given up.");
    add_gauge(text, result, 3, "urenwacht_webhook_behind", "Webhooks that are fed from an earlier place.");
    add_gauge(text, result, 8, "urenwacht_webhook_failing", "Active webhooks whose last request failed.");
    uw_exposition_head(text, "urenwacht_webhooks", "gauge", "Webhooks by state.");
    for (int i = 0; i < 4; i++) {
        uw_exposition_line(text, "urenwacht_webhooks{state=\"%s\"} %" PRId64, states[i],
                           uw_desk_integer(result, 0, 4 + i));
    }
    PQclear(result);
}
