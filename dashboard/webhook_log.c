/* /api/v1/webhooks/{id}/...: deliveries, and sending again. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/date.h"
#include "dashboard/admin.h"
#include "dashboard/answer.h"
#include "dashboard/list.h"
#include "dashboard/webhook_parts.h"

#define NO_DELIVERY "there is no such delivery of this webhook"
#define DELIVERY                                                                                                     \
    "'id', a.id, 'event_id', a.event_id, 'event_type', a.event_type, 'municipality', nullif(a.municipality, ''), " \
    "'state', " \
    "a.state, 'queued_at', a.queued_at, 'due_at', CASE WHEN a.state = 'READY' THEN a.due_at END, 'attempts', " \
    "a.attempts, " \
    "'first_attempt_at', a.first_attempt_at, 'last_attempt_at', a.last_attempt_at, 'last_status', a.last_status, "   \
    "'last_error', a.last_error, 'last_duration_ms', a.last_duration_ms, 'finished_at', a.finished_at"
#define WORDS " NEW WAITING READY DELIVERED FAILED CANCELLED "

static const struct uw_list_filter filters[] = {
    {"state", UW_FILTER_WORDS, WORDS, "a.state = ANY (string_to_array($, ','))", NULL},
    {"event_id", UW_FILTER_TEXT, NULL, "a.event_id = $", NULL},
};
static const struct uw_list_sort sorts[] = {
    {"id", {"a.id"}, {"bigint"}, false, NULL},
};
static const struct uw_list_column columns[] = {
    {"id", "a.id"}, {"event_id", "a.event_id"}, {"event_type", "a.event_type"}, {"municipality", "a.municipality"},
    {"state", "a.state"}, {"queued_at", "a.queued_at"}, {"attempts", "a.attempts"},
    {"first_attempt_at", "a.first_attempt_at"}, {"last_attempt_at", "a.last_attempt_at"},
    {"last_status", "a.last_status"}, {"last_error", "a.last_error"}, {"last_duration_ms", "a.last_duration_ms"},
    {"finished_at", "a.finished_at"},
};
static const struct uw_list deliveries = {
    .from = "urenwacht_data.webhook_delivery a",
    .where = "a.webhook_id = ($1::text)::bigint",
    .late = "",
    .json = "json_build_object(" DELIVERY ")",
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .filters = filters,
    .filter_count = sizeof filters / sizeof filters[0],
    .sorts = sorts,
    .sort_count = sizeof sorts / sizeof sorts[0],
    .sort_default = "-id",
};

/* Whether the token sees the webhook; false with the answer. */
static bool is_seen(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                    struct uw_str id)
{
    struct uw_error error = {.text = ""};
    int64_t rows = 0;
    enum uw_code code;
    if (!uw_admin_names(request, id, UW_WEBHOOK_MISSING)) {
        return false;
    }
    code = uw_desk_begin(desk, principal, false, &error);
    if (code == UW_OK) {
        code = uw_webhook_run(desk, UW_WEBHOOK_SEEN_SQL, &id, 1, &rows, &error);
    }
    if (code == UW_OK) {
        code = uw_desk_commit(desk, &error);
    }
    if (code != UW_OK) {
        uw_answer_error(request, code, &error);
    } else if (rows == 0) {
        uw_http_problem(request, 404, UW_WEBHOOK_MISSING);
    }
    return code == UW_OK && rows == 1;
}

void uw_webhook_deliveries(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                           struct uw_http_request *request, struct uw_str id, struct uw_str delivery)
{
    (void)webhooks;
    (void)delivery;
    if (is_seen(desk, principal, request, id)) {
        uw_list_answer(desk, principal, request, &deliveries, &id, 1);
    }
}

void uw_webhook_delivery(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                         struct uw_http_request *request, struct uw_str id, struct uw_str delivery)
{
    const struct uw_str arguments[] = {id, delivery};
    (void)webhooks;
    if (uw_admin_names(request, id, UW_WEBHOOK_MISSING) && uw_admin_names(request, delivery, NO_DELIVERY)) {
        uw_answer_query(desk, principal, request,
                        "SELECT json_build_object(" DELIVERY
                        ", 'event', a.body::json)::text FROM urenwacht_data.webhook_delivery a WHERE a.webhook_id = "
                        "($1::text)::bigint AND a.id = ($2::text)::bigint",
                        arguments, 2, NO_DELIVERY);
    }
}

/* ---- sending again ---- */

/* Answers 202 with what the statement returns; when it returns nothing, 409. */
static void queue_one(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                      struct uw_http_request *request, const char *sql, const struct uw_str *arguments,
                      uint32_t argument_count, const char *conflict)
{
    struct uw_error error = {.text = ""};
    struct uw_str body = UW_STR_NULL;
    PGresult *result = NULL;
    bool found = false;
    enum uw_code code = uw_desk_begin(desk, principal, true, &error);
    if (code == UW_OK) {
        code = uw_desk_query(desk, sql, arguments, argument_count, &result, &error);
    }
    if (code == UW_OK) {
        found = PQntuples(result) == 1;
        body = found ? uw_arena_copy(&request->arena, uw_desk_field(result, 0, 0)) : UW_STR_NULL;
        PQclear(result);
        code = uw_desk_commit(desk, &error);
    }
    if (code != UW_OK) {
        uw_answer_error(request, code, &error);
    } else if (!found) {
        uw_http_problem(request, 409, "%s", conflict);
    } else {
        request->answer.status = 202;
        request->answer.content_type = UW_JSON;
        request->answer.body = body;
        atomic_store(&webhooks->awake, true);
        (void)curl_multi_wakeup(webhooks->multi);
    }
}

void uw_webhook_replay_delivery(struct uw_webhooks *webhooks, struct uw_desk *desk,
                                const struct uw_principal *principal, struct uw_http_request *request,
                                struct uw_str id, struct uw_str delivery)
{
    const struct uw_str arguments[] = {id, delivery};
    struct uw_error error = {.text = ""};
    int64_t rows = 0;
    enum uw_code code;
    if (!uw_admin_names(request, delivery, NO_DELIVERY) || !is_seen(desk, principal, request, id)) {
        return;
    }
    code = uw_desk_begin(desk, principal, false, &error);
    if (code == UW_OK) {
        code = uw_webhook_run(desk,
                              "SELECT 'x' FROM urenwacht_data.webhook_delivery WHERE webhook_id = ($1::text)::bigint "
                              "AND id = "
                              "($2::text)::bigint",
                              arguments, 2, &rows, &error);
    }
    if (code == UW_OK) {
        code = uw_desk_commit(desk, &error);
    }
    if (code != UW_OK) {
        uw_answer_error(request, code, &error);
        return;
    }
    if (rows == 0) {
        uw_http_problem(request, 404, NO_DELIVERY);
        return;
    }
    queue_one(webhooks, desk, principal, request,
              "UPDATE urenwacht_data.webhook_delivery a SET state = 'NEW', queued_at = now(), due_at = now(), "
              "attempts = 0, first_attempt_at = NULL, finished_at = NULL WHERE a.webhook_id = ($1::text)::bigint AND "
              "a.id = ($2::text)::bigint AND a.state IN ('DELIVERED', 'FAILED', 'CANCELLED') RETURNING "
              "json_build_object(" DELIVERY ")::text",
              arguments, 2, "it has not been delivered yet, and is tried again anyway");
}

void uw_webhook_test(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                     struct uw_http_request *request, struct uw_str id, struct uw_str delivery)
{
    /* A lane of its own, so that a test neither waits nor makes anything wait. */
    static const char sql[] =
        "INSERT INTO urenwacht_data.webhook_delivery AS a (webhook_id, event_id, event_type, municipality, lane, "
        "body) SELECT w.id, "
        "e.id, 'nl.urenwacht.webhook.test', '', -(random() * 1e15)::bigint - 1, json_build_object('specversion', "
        "'1.0', 'id', e.id, "
        "'source', $2::text, 'type', 'nl.urenwacht.webhook.test', 'time', to_char(now() AT TIME ZONE 'UTC', "
        "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), 'datacontenttype', 'application/json', 'data', "
        "json_build_object('webhook_id', w.id, "
        "'name', w.name))::text FROM urenwacht_data.webhook w CROSS JOIN (SELECT 'test-' || gen_random_uuid() AS id) "
        "e WHERE w.id = "
        "($1::text)::bigint AND w.state <> 'STOPPED' AND (SELECT count(*) FROM urenwacht_data.webhook_delivery q "
        "WHERE q.webhook_id = w.id AND q.state IN ('NEW', 'WAITING', 'READY')) < ($3::text)::integer RETURNING "
        "json_build_object(" DELIVERY ")::text";
    char max[24];
    (void)delivery;
    snprintf(max, sizeof max, "%" PRId32, webhooks->options.queued_max);
    const struct uw_str arguments[] = {id, uw_str_from(webhooks->options.source), uw_str_from(max)};
    if (is_seen(desk, principal, request, id)) {
        queue_one(webhooks, desk, principal, request, sql, arguments, 3,
                  "it has stopped with its token, or its queue is full");
    }
}

/* ---- everything since ---- */

static bool two_digits(const char *text, int32_t max, int32_t *number)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') {
        return false;
    }
    *number = (text[0] - '0') * 10 + (text[1] - '0');
    return *number <= max;
}

/* "2026-03-01T12:00:00Z", a fraction of a second allowed, not later than now. */
static bool is_instant(const char *text)
{
    struct uw_str date = {text, 10};
    size_t length = strlen(text);
    int32_t day, hour, minute, second;
    if (length < 20 || length > 30 || !uw_date_parse(date, &day) || text[10] != 'T' ||
        !two_digits(text + 11, 23, &hour) || text[13] != ':' || !two_digits(text + 14, 59, &minute) ||
        text[16] != ':' || !two_digits(text + 17, 59, &second)) {
        return false;
    }
    size_t end = 19;
    if (text[end] == '.') {
        end += 1 + strspn(text + end + 1, "0123456789");
    }
    int64_t instant = (int64_t)day * 86400 + hour * 3600 + minute * 60 + second;
    return strcmp(text + end, "Z") == 0 && instant <= (int64_t)time(NULL);
}

static bool take_place(struct uw_http_request *request, json_t *body, struct uw_str *since, struct uw_str *from)
{
    const char *since_text = NULL, *from_text = NULL;
    bool good = json_unpack(body, "{s?s, s?s !}", "since", &since_text, "from", &from_text) == 0 &&
                (since_text == NULL) != (from_text == NULL);
    if (good && since_text != NULL) {
        good = is_instant(since_text);
        *since = uw_str_from(since_text);
    } else if (good) {
        good = uw_position_read(&request->arena, uw_str_from(from_text), NULL, 0, 0);
        *from = uw_str_from(from_text);
    }
    if (!good) {
        uw_http_problem(request, 400, "the body is {\"since\": an instant in UTC that has passed} or {\"from\": an id "
                                      "of an event of "
                                      "the stream}");
    }
    return good;
}

void uw_webhook_replay(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                       struct uw_http_request *request, struct uw_str id, struct uw_str delivery)
{
    /* From here on it is not fed with the others; where they are now is the least that it has to be fed from. */
    static const char sql[] =
        "UPDATE urenwacht_data.webhook w SET behind = coalesce(w.behind, (SELECT k.position FROM "
        "urenwacht_data.webhook_task k "
        "WHERE k.task = 'feed')), replay_since = least(w.replay_since, ($2::text)::timestamptz), replay_from = "
        "coalesce($3::text, w.replay_from) WHERE w.id = ($1::text)::bigint AND w.state <> 'STOPPED' RETURNING "
        "json_build_object('id', w.id, 'behind', true)::text";
    struct uw_str arguments[] = {id, UW_STR_NULL, UW_STR_NULL};
    json_t *body = uw_answer_json(request);
    (void)delivery;
    if (body == NULL) {
        return;
    }
    if (take_place(request, body, &arguments[1], &arguments[2]) && is_seen(desk, principal, request, id)) {
        queue_one(webhooks, desk, principal, request, sql, arguments, 3, "it has stopped with its token; take it over "
                                                                         "first");
    }
    json_decref(body);
}
