/*
 * /api/v1/webhooks. Row-level security decides which webhooks a token sees: those that see no more than it does.
 */
#include <inttypes.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dashboard/admin.h"
#include "dashboard/answer.h"
#include "dashboard/webhook_parts.h"

#define NAME_CHARACTERS_MAX 100
#define OVERLAP_HOURS_DEFAULT 24
#define OPEN_STATES "('NEW', 'WAITING', 'READY')"

#define MEMBERS                                                                                                      \
    "'id', w.id, 'name', w.name, 'url', w.url, 'filter', w.filter, 'state', w.state, 'state_reason', w.state_reason, " \
    "'state_at', w.state_at, 'token_id', w.token_id, 'made_by', w.made_by, 'municipalities', w.municipalities, "     \
    "'signals', w.signals, 'created_at', w.created_at, 'changed_at', w.changed_at, 'last_delivered_at', "            \
    "w.last_delivered_at, 'failing_since', w.failing_since, 'held_until', CASE WHEN w.held_until > now() THEN "      \
    "w.held_until END, 'behind', num_nonnulls(w.behind, w.replay_since, w.replay_from) > 0, 'gap_at', w.gap_at, "    \
    "'secrets_until', (SELECT max(s.until) FROM urenwacht_data.webhook_secret s WHERE s.webhook_id = w.id AND " \
    "s.until > " \
    "now()), 'queued', (SELECT count(*) FROM urenwacht_data.webhook_delivery d WHERE d.webhook_id = w.id AND " \
    "d.state IN " \
    OPEN_STATES "), 'oldest_queued_at', (SELECT min(d.queued_at) FROM urenwacht_data.webhook_delivery d WHERE "      \
    "d.webhook_id = w.id AND d.state IN " OPEN_STATES "), 'failed', (SELECT count(*) FROM "                           \
    "urenwacht_data.webhook_delivery d WHERE d.webhook_id = w.id AND d.state = 'FAILED')"
#define ONE "SELECT json_build_object(" MEMBERS ")::text FROM urenwacht_data.webhook w WHERE w.id = ($1::text)::bigint"

/* ---- one change and its answer ---- */

/* Runs a statement that changes one row as the token, then answers with the webhook. When no row was changed: 404 when
 * it is not seen, or else 409 with `conflict`. */
static void change(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                   const char *sql, const struct uw_str *arguments, uint32_t argument_count, const char *conflict)
{
    struct uw_error error = {.text = ""};
    int64_t rows = 0, seen = 1;
    enum uw_code code;
    if (!uw_admin_names(request, arguments[0], UW_WEBHOOK_MISSING)) {
        return;
    }
    code = uw_desk_begin(desk, principal, true, &error);
    if (code == UW_OK) {
        code = uw_webhook_run(desk, sql, arguments, argument_count, &rows, &error);
    }
    if (code == UW_OK && rows == 0) {
        code = uw_webhook_run(desk, UW_WEBHOOK_SEEN_SQL, arguments, 1, &seen, &error);
    }
    if (code == UW_OK) {
        code = uw_desk_commit(desk, &error);
    }
    if (code != UW_OK) {
        uw_answer_error(request, code, &error);
    } else if (rows == 0) {
        uw_http_problem(request, seen == 0 ? 404 : 409, "%s", seen == 0 ? UW_WEBHOOK_MISSING : conflict);
    } else {
        uw_answer_query(desk, principal, request, ONE, arguments, 1, UW_WEBHOOK_MISSING);
        request->answer.tagged = false;
    }
}

/* ---- bodies ---- */

struct wish {
    const char *name, *url;
    struct uw_str filter;
};

/* Reads {"name", "url", "filter"}; false with the problem as the answer. */
static bool take_wish(struct uw_webhooks *webhooks, const struct uw_principal *principal,
                      struct uw_http_request *request, json_t *body, struct wish *wish)
{
    struct uw_stream_filter filter = {.allowed = NULL};
    struct uw_stream_refusal refusal = {.status = 400};
    const char *why = "";
    json_t *object = NULL;
    char *text;
    bool good;
    if (json_unpack(body, "{s:s, s:s, s?o !}", "name", &wish->name, "url", &wish->url, "filter", &object) != 0 ||
        uw_utf8_length(uw_str_from(wish->name)) < 1 || uw_utf8_length(uw_str_from(wish->name)) > NAME_CHARACTERS_MAX) {
        uw_http_problem(request, 400, "the body is {\"name\": 1 to 100 characters, \"url\": a URL, \"filter\": an "
                                      "object with "
                                      "parameters of the stream}; the filter may be absent");
        return false;
    }
    if (!uw_guard_url(&webhooks->options.guard, wish->url, &why)) {
        uw_http_problem(request, 400, "url: %s", why);
        return false;
    }
    text = object == NULL ? strdup("{}") : json_dumps(object, JSON_COMPACT | JSON_ENCODE_ANY);
    wish->filter = text == NULL ? UW_STR_NULL : uw_arena_copy(&request->arena, uw_str_from(text));
    free(text);
    good = !uw_str_is_null(wish->filter) && uw_webhook_filter_make(wish->filter, principal, &filter, &refusal);
    uw_stream_filter_close(&filter);
    if (uw_str_is_null(wish->filter)) {
        uw_http_problem(request, 503, "no memory");
    } else if (!good) {
        uw_http_problem(request, refusal.status, "%s", refusal.text);
    }
    return good;
}

/* An optional whole number of the body, which has no other key; false with the problem as the answer. A body may be
 * absent. */
static bool take_hours(struct uw_http_request *request, const char *key, int64_t max, int64_t *number)
{
    json_int_t value = *number;
    json_t *body;
    bool good;
    if (request->body.length == 0) {
        return true;
    }
    body = uw_answer_json(request);
    if (body == NULL) {
        return false;
    }
    good = json_unpack(body, "{s?I !}", key, &value) == 0 && value >= 0 && value <= max;
    json_decref(body);
    *number = value;
    if (!good) {
        uw_http_problem(request, 400, "the body is {\"%s\": 0 to %" PRId64 "}, or absent", key, max);
    }
    return good;
}

static void no_body(struct uw_http_request *request)
{
    request->answer = (struct uw_http_answer){.status = 204, .body = UW_STR("")};
}

/* ---- secrets ---- */

static void hex_of(const unsigned char *key, char hex[2 * UW_WEBHOOK_KEY_BYTES + 1])
{
    for (size_t i = 0; i < UW_WEBHOOK_KEY_BYTES; i++) {
        snprintf(hex + 2 * i, 3, "%02x", key[i]);
    }
}

/* Makes a secret and stores it; within the token's transaction. */
static enum uw_code store_secret(struct uw_desk *desk, struct uw_str id, char secret[UW_WEBHOOK_SECRET_TEXT_BYTES],
                                 struct uw_error *error)
{
    unsigned char key[UW_WEBHOOK_KEY_BYTES];
    char hex[2 * UW_WEBHOOK_KEY_BYTES + 1];
    enum uw_code code = uw_webhook_key_make(key, secret, error);
    if (code == UW_OK) {
        hex_of(key, hex);
        const struct uw_str arguments[] = {id, uw_str_from(hex)};
        code = uw_webhook_run(desk,
                              "INSERT INTO urenwacht_data.webhook_secret (webhook_id, secret) VALUES "
                              "(($1::text)::bigint, "
                              "decode($2::text, 'hex'))",
                              arguments, 2, NULL, error);
    } else {
        uw_desk_rollback(desk);
    }
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(hex, sizeof hex);
    return code;
}

/* Answers with the webhook and, this once, the secret. */
static void answer_secret(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                          struct uw_str id, const char *secret, int status)
{
    const struct uw_str arguments[] = {id, uw_str_from(secret)};
    uw_answer_query(desk, principal, request,
                    "SELECT json_build_object(" MEMBERS ", 'secret', $2::text)::text FROM urenwacht_data.webhook w "
                                                        "WHERE w.id = "
                    "($1::text)::bigint",
                    arguments, 2, UW_WEBHOOK_MISSING);
    request->answer.tagged = false;
    request->answer.status = request->answer.status == 200 ? status : request->answer.status;
}

/* ---- webhooks ---- */

void uw_webhook_list(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                     struct uw_http_request *request, struct uw_str id, struct uw_str delivery)
{
    (void)webhooks;
    (void)id;
    (void)delivery;
    uw_answer_query(desk, principal, request,
                    "SELECT json_build_object('items', coalesce(json_agg(json_build_object(" MEMBERS
                    ") ORDER BY w.id), '[]'))::text FROM urenwacht_data.webhook w",
                    NULL, 0, "");
}

void uw_webhook_show(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                     struct uw_http_request *request, struct uw_str id, struct uw_str delivery)
{
    (void)webhooks;
    (void)delivery;
    if (uw_admin_names(request, id, UW_WEBHOOK_MISSING)) {
        uw_answer_query(desk, principal, request, ONE, &id, 1, UW_WEBHOOK_MISSING);
    }
}

/* Refuses when there are too many, of the token or of all, with the problem as the answer; *refused says so. The lock
 * is a statement of its own, so that the one that counts sees what those before it have made. */
static enum uw_code check_room(struct uw_webhooks *webhooks, struct uw_desk *desk, struct uw_http_request *request,
                               struct uw_str token, bool *refused, struct uw_error *error)
{
    PGresult *result = NULL;
    int64_t of_token, of_all;
    enum uw_code code =
        uw_webhook_run(desk, "SELECT pg_advisory_xact_lock(8462121524226843498)", NULL, 0, NULL, error);
    if (code == UW_OK) {
        code = uw_desk_query(desk,
                             "SELECT count(*)::text, urenwacht_data.webhook_count()::text FROM urenwacht_data.webhook "
                             "WHERE token_id = ($1::text)::bigint",
                             &token, 1, &result, error);
    }
    if (code != UW_OK) {
        return code;
    }
    of_token = uw_desk_integer(result, 0, 0);
    of_all = uw_desk_integer(result, 0, 1);
    PQclear(result);
    *refused = true;
    if (of_token >= webhooks->options.per_token_max) {
        uw_http_problem(request, 409, "this token has as many webhooks as it may have: %" PRId32,
                        webhooks->options.per_token_max);
    } else if (of_all >= UW_WEBHOOKS_MAX) {
        uw_http_problem(request, 409, "there are as many webhooks as there may be in all: %d", UW_WEBHOOKS_MAX);
    } else {
        *refused = false;
    }
    return UW_OK;
}

/* Stores the webhook unless there are too many; then *id is null, and the problem is the answer. */
static enum uw_code insert(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                           struct uw_http_request *request, const struct wish *wish, struct uw_str *id,
                           char secret[UW_WEBHOOK_SECRET_TEXT_BYTES], struct uw_error *error)
{
    static const char sql[] =
        "INSERT INTO urenwacht_data.webhook (token_id, made_by, municipalities, signals, name, url, filter) VALUES "
        "(($1::text)::bigint, $2::text, string_to_array($3::text, ','), ($4::text)::boolean, $5::text, $6::text, "
        "($7::text)::jsonb) RETURNING id::text";
    char token[24];
    PGresult *result = NULL;
    bool refused = false;
    snprintf(token, sizeof token, "%" PRId64, principal->token_id);
    const struct uw_str arguments[] = {uw_str_from(token),
                                       uw_str_from(principal->name),
                                       principal->everywhere ? UW_STR_NULL : uw_str_from(principal->municipalities),
                                       uw_principal_sees_signals(principal) ? UW_STR("true") : UW_STR("false"),
                                       uw_str_from(wish->name),
                                       uw_str_from(wish->url),
                                       wish->filter};
    enum uw_code code = uw_desk_begin(desk, principal, true, error);
    *id = UW_STR_NULL;
    if (code == UW_OK) {
        code = check_room(webhooks, desk, request, arguments[0], &refused, error);
    }
    if (code != UW_OK || refused) {
        uw_desk_rollback(desk);
        return code;
    }
    code = uw_desk_query(desk, sql, arguments, 7, &result, error);
    if (code != UW_OK) {
        return code;
    }
    *id = uw_arena_copy(&request->arena, uw_desk_field(result, 0, 0));
    PQclear(result);
    code = store_secret(desk, *id, secret, error);
    return code == UW_OK ? uw_desk_commit(desk, error) : code;
}

void uw_webhook_create(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                       struct uw_http_request *request, struct uw_str id, struct uw_str delivery)
{
    struct uw_error error = {.text = ""};
    struct wish wish;
    char secret[UW_WEBHOOK_SECRET_TEXT_BYTES];
    json_t *body = uw_answer_json(request);
    (void)delivery;
    if (body == NULL) {
        return;
    }
    if (take_wish(webhooks, principal, request, body, &wish)) {
        enum uw_code code = insert(webhooks, desk, principal, request, &wish, &id, secret, &error);
        if (code != UW_OK) {
            uw_answer_error(request, code, &error);
        } else if (!uw_str_is_null(id)) {
            answer_secret(desk, principal, request, id, secret, 201);
        }
        OPENSSL_cleanse(secret, sizeof secret);
    }
    json_decref(body);
}

void uw_webhook_change(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                       struct uw_http_request *request, struct uw_str id, struct uw_str delivery)
{
    struct wish wish;
    json_t *body = uw_answer_json(request);
    (void)delivery;
    if (body == NULL) {
        return;
    }
    if (take_wish(webhooks, principal, request, body, &wish)) {
        const struct uw_str arguments[] = {id, uw_str_from(wish.name), uw_str_from(wish.url), wish.filter};
        change(desk, principal, request,
               "UPDATE urenwacht_data.webhook SET name = $2::text, url = $3::text, filter = ($4::text)::jsonb, "
               "changed_at = now(), "
               "held_until = NULL, failures = 0 WHERE id = ($1::text)::bigint",
               arguments, 4, "");
    }
    json_decref(body);
}

void uw_webhook_delete(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                       struct uw_http_request *request, struct uw_str id, struct uw_str delivery)
{
    struct uw_error error = {.text = ""};
    int64_t rows = 0;
    enum uw_code code;
    (void)webhooks;
    (void)delivery;
    if (!uw_admin_names(request, id, UW_WEBHOOK_MISSING)) {
        return;
    }
    code = uw_desk_begin(desk, principal, true, &error);
    if (code == UW_OK) {
        /* The sender takes a delivery before its webhook; the other way round the two would wait for each other. */
        code = uw_webhook_run(desk,
                              "SELECT FROM urenwacht_data.webhook_delivery WHERE webhook_id = ($1::text)::bigint AND "
                              "state IN ('NEW', 'WAITING', 'READY') ORDER BY id FOR UPDATE",
                              &id, 1, NULL, &error);
    }
    if (code == UW_OK) {
        code = uw_webhook_run(desk, "DELETE FROM urenwacht_data.webhook WHERE id = ($1::text)::bigint", &id, 1, &rows,
                              &error);
    }
    if (code == UW_OK) {
        code = uw_desk_commit(desk, &error);
    }
    if (code != UW_OK) {
        uw_answer_error(request, code, &error);
    } else if (rows == 0) {
        uw_http_problem(request, 404, UW_WEBHOOK_MISSING);
    } else {
        no_body(request);
    }
}

/* ---- states ---- */

void uw_webhook_pause(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                      struct uw_http_request *request, struct uw_str id, struct uw_str delivery)
{
    (void)webhooks;
    (void)delivery;
    change(desk, principal, request,
           "UPDATE urenwacht_data.webhook SET state = 'PAUSED', state_reason = 'BY_HAND', state_at = now() WHERE id = "
           "($1::text)::bigint AND state IN ('ACTIVE', 'DISABLED', 'PAUSED')",
           &id, 1, "it has stopped with its token");
}

void uw_webhook_resume(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                       struct uw_http_request *request, struct uw_str id, struct uw_str delivery)
{
    (void)webhooks;
    (void)delivery;
    change(desk, principal, request,
           "UPDATE urenwacht_data.webhook SET state = 'ACTIVE', state_reason = NULL, state_at = now(), held_until = "
           "NULL, failures "
           "= 0 WHERE id = ($1::text)::bigint AND state IN ('ACTIVE', 'DISABLED', 'PAUSED')",
           &id, 1, "it has stopped with its token; take it over first");
}

/* It lives on by the rights of the token that asks, which sees at least as much. */
void uw_webhook_take(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                     struct uw_http_request *request, struct uw_str id, struct uw_str delivery)
{
    char token[24], max[24];
    (void)delivery;
    snprintf(token, sizeof token, "%" PRId64, principal->token_id);
    snprintf(max, sizeof max, "%" PRId32, webhooks->options.per_token_max);
    const struct uw_str arguments[] = {id,
                                       uw_str_from(token),
                                       uw_str_from(principal->name),
                                       principal->everywhere ? UW_STR_NULL : uw_str_from(principal->municipalities),
                                       uw_principal_sees_signals(principal) ? UW_STR("true") : UW_STR("false"),
                                       uw_str_from(max)};
    change(desk, principal, request,
           "UPDATE urenwacht_data.webhook w SET token_id = ($2::text)::bigint, made_by = $3::text, municipalities = "
           "string_to_array($4::text, ','), signals = ($5::text)::boolean, state = CASE w.state WHEN 'STOPPED' THEN "
           "'ACTIVE' ELSE "
           "w.state END, state_reason = nullif(w.state_reason, 'TOKEN'), state_at = CASE w.state WHEN 'STOPPED' THEN "
           "now() ELSE "
           "w.state_at END, changed_at = now() WHERE w.id = ($1::text)::bigint AND (SELECT count(*) FROM "
           "urenwacht_data.webhook o "
           "WHERE o.token_id = ($2::text)::bigint AND o.id <> w.id) < ($6::text)::integer",
           arguments, 6, "this token has as many webhooks as it may have");
}

void uw_webhook_rotate(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                       struct uw_http_request *request, struct uw_str id, struct uw_str delivery)
{
    /* The present one goes on for a while; one that was going on already ends, so that there are never three. */
    static const char end_sql[] =
        "WITH gone AS (DELETE FROM urenwacht_data.webhook_secret WHERE webhook_id = ($1::text)::bigint AND until IS "
        "NOT NULL) "
        "UPDATE urenwacht_data.webhook_secret SET until = now() + ($2::text)::integer * interval '1 hour' WHERE "
        "webhook_id = "
        "($1::text)::bigint AND until IS NULL";
    struct uw_error error = {.text = ""};
    int64_t hours = OVERLAP_HOURS_DEFAULT, rows = 0;
    char hours_text[24], secret[UW_WEBHOOK_SECRET_TEXT_BYTES];
    enum uw_code code;
    (void)webhooks;
    (void)delivery;
    if (!uw_admin_names(request, id, UW_WEBHOOK_MISSING) ||
        !take_hours(request, "overlap_hours", UW_WEBHOOK_OVERLAP_HOURS_MAX, &hours)) {
        return;
    }
    snprintf(hours_text, sizeof hours_text, "%" PRId64, hours);
    const struct uw_str arguments[] = {id, uw_str_from(hours_text)};
    code = uw_desk_begin(desk, principal, true, &error);
    if (code == UW_OK) {
        code = uw_webhook_run(desk, UW_WEBHOOK_SEEN_SQL " FOR UPDATE", &id, 1, &rows, &error);
    }
    if (code == UW_OK && rows == 0) {
        uw_desk_rollback(desk);
        uw_http_problem(request, 404, UW_WEBHOOK_MISSING);
        return;
    }
    if (code == UW_OK) {
        code = uw_webhook_run(desk, end_sql, arguments, 2, NULL, &error);
    }
    if (code == UW_OK) {
        code = store_secret(desk, id, secret, &error);
    }
    if (code == UW_OK) {
        code = uw_desk_commit(desk, &error);
    }
    if (code != UW_OK) {
        uw_answer_error(request, code, &error);
        return;
    }
    answer_secret(desk, principal, request, id, secret, 200);
    OPENSSL_cleanse(secret, sizeof secret);
}
