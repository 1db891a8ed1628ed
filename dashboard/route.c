#include "dashboard/route.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/date.h"
#include "dashboard/access.h"
#include "dashboard/admin.h"
#include "dashboard/answer.h"
#include "dashboard/contract.h"
#include "dashboard/lists.h"

#define ALL_ROLES 0xfu
#define ROLE(name) (1u << UW_ROLE_##name)
#define SIGNALS (ROLE(REGIONAL) | ROLE(FRAUD) | ROLE(ADMIN))
#define CASES (ROLE(FRAUD) | ROLE(ADMIN))
#define MANAGERS (ROLE(CONTRACT_MANAGER) | ROLE(REGIONAL) | ROLE(ADMIN))

#define NO_DECISION "there is no such decision among what this token sees"

/* One call of a path. */
struct call {
    struct uw_server *server;
    struct uw_desk *desk;
    uint32_t worker;
    const struct uw_principal *principal;
    struct uw_http_request *request;
    struct uw_str rest[3]; /* what the pattern's * stood for */
};

typedef void call_run(const struct call *call);

/* ---- lists and groups ---- */

static void run_alerts(const struct call *call)
{
    uw_list_answer(call->desk, call->principal, call->request, &uw_list_alerts, NULL, 0);
}

static void run_anomalies(const struct call *call)
{
    uw_list_answer(call->desk, call->principal, call->request, &uw_list_anomalies, NULL, 0);
}

static void run_decisions(const struct call *call)
{
    uw_list_answer(call->desk, call->principal, call->request, &uw_list_decisions, NULL, 0);
}

static void run_accounts(const struct call *call)
{
    uw_list_answer(call->desk, call->principal, call->request, &uw_list_accounts, NULL, 0);
}

static void run_facts(const struct call *call)
{
    struct uw_str arguments[2] = {uw_http_parameter(call->request, "municipality"),
                                  uw_http_parameter(call->request, "decision")};
    bool of_client = !uw_str_is_null(uw_http_parameter(call->request, "client"));
    bool of_decision = !uw_str_is_null(arguments[0]) && !uw_str_is_null(arguments[1]);
    if (!of_client && !of_decision) {
        uw_http_problem(call->request, 400, "facts need a client, or a municipality and a decision");
        return;
    }
    if (of_client) {
        arguments[0] = arguments[1] = UW_STR_NULL;
    }
    uw_list_answer(call->desk, call->principal, call->request, &uw_list_facts, arguments, 2);
}

static void run_alert_counts(const struct call *call)
{
    uw_group_answer(call->desk, call->principal, call->request, &uw_group_alerts, NULL, NULL, 0);
}

static void run_anomaly_counts(const struct call *call)
{
    uw_group_answer(call->desk, call->principal, call->request, &uw_group_anomalies, NULL, NULL, 0);
}

static void run_decision_counts(const struct call *call)
{
    uw_group_answer(call->desk, call->principal, call->request, &uw_group_decisions, NULL, NULL, 0);
}

static void run_aggregates(const struct call *call)
{
    struct uw_str total = uw_http_parameter(call->request, "total");
    bool weekly = uw_str_equal(call->rest[0], UW_STR("weekly"));
    if (!weekly && !uw_str_equal(call->rest[0], UW_STR("monthly"))) {
        uw_http_problem(call->request, 404, "aggregates are weekly or monthly");
        return;
    }
    if (!uw_str_is_null(total) && !uw_str_equal(total, UW_STR("true")) && !uw_str_equal(total, UW_STR("false"))) {
        uw_http_problem(call->request, 400, "total: true or false");
        return;
    }
    uw_group_answer(call->desk, call->principal, call->request, weekly ? &uw_group_weekly : &uw_group_monthly,
                    uw_str_equal(total, UW_STR("true")) ? &uw_dimension_no_period : &uw_dimension_period, NULL, 0);
}

/* ---- single things ---- */

#define ACTIONS_JSON(of)                                                                                             \
    "(SELECT coalesce(json_agg(json_build_object('action', t.action, 'value', t.value, 'note', t.note, 'by', "      \
    "t.by_name, 'at', t.at) ORDER BY t.id DESC), '[]') FROM urenwacht_data.action t WHERE t.subject_id = " of ")"

static bool refuse_parameters(const struct call *call, const char *known)
{
    for (uint32_t i = 0; i < call->request->parameter_count; i++) {
        struct uw_str name = call->request->parameters[i].name;
        char padded[64];
        int length = snprintf(padded, sizeof padded, " %.50s ", name.data);
        if (length < 3 || name.length > 50 || strchr(name.data, ' ') != NULL || strstr(known, padded) == NULL) {
            uw_http_problem(call->request, 400, "%.60s: there is no such parameter here", name.data);
            return true;
        }
    }
    return false;
}

static void run_alert(const struct call *call)
{
    static const char sql[] =
        "SELECT json_build_object(" UW_ALERT_MEMBERS
        ", 'revisions', (SELECT json_agg(json_build_object('revision', h.revision, 'status', h.status, 'severity', "
        "h.severity, 'provider', h.provider, 'effective_on', h.effective_on, 'payload', h.payload, 'observed_at', "
        "h.observed_at) ORDER BY h.revision DESC) FROM urenwacht_api.alert_revision h WHERE h.alert_id = a.alert_id), "
        "'actions', " ACTIONS_JSON("a.alert_id") ")::text FROM urenwacht_api.alert a " UW_LATEST
        " WHERE a.alert_id = ($1::text)::uuid";
    if (!refuse_parameters(call, "")) {
        uw_answer_query(call->desk, call->principal, call->request, sql, call->rest, 1,
                        "there is no such alert among what this token sees");
    }
}

/* Of a report `f` of a version: what it says of the fields in which the reports of that version differ. */
#define DIFFERS                                                                                                      \
    "CASE f.topic WHEN 'DECISION' THEN (SELECT jsonb_object_agg(e.key, e.value) FROM "                              \
    "urenwacht_api.decision_content c, jsonb_each(c.content) e WHERE (c.client, c.partition, c.kafka_offset) = "     \
    "(f.client, f.partition, f.kafka_offset) AND EXISTS (SELECT FROM urenwacht_api.decision_content o WHERE "        \
    "o.client = c.client AND o.municipality = c.municipality AND o.decision = c.decision AND o.version = c.version " \
    "AND o.content->e.key <> e.value)) END"

static void run_anomaly(const struct call *call)
{
    static const char sql[] =
        "SELECT json_build_object(" UW_ANOMALY_MEMBERS
        ", 'revisions', (SELECT json_agg(json_build_object('revision', h.revision, 'status', h.status, 'provider', "
        "h.provider, 'payload', h.payload, 'observed_at', h.observed_at) ORDER BY h.revision DESC) FROM "
        "urenwacht_api.anomaly_revision h WHERE h.anomaly_id = a.anomaly_id), 'evidence', (SELECT "
        "coalesce(json_agg(json_build_object('role', CASE f.subject WHEN a.subject THEN 'SUBJECT' ELSE 'OTHER' END, "
        "'topic', f.topic, 'subject', f.subject, 'what', f.what, 'provider', f.provider, 'decision', f.decision, "
        "'first_day', f.first_day, 'last_day', f.last_day, 'started_at', f.started_at, 'minutes', f.minutes, 'staff', "
        "f.staff, 'corrects', f.corrects, 'recorded_at', f.recorded_at, 'event_id', f.event_id, 'differs', " DIFFERS
        ") ORDER BY f.subject <> a.subject, f.recorded_at, f.event_id), '[]') FROM urenwacht_api.fact f WHERE "
        "f.client = a.client AND NOT f.redelivery AND f.subject IN (a.subject, a.payload->>'other') AND (f.topic <> "
        "'DECISION' OR (f.municipality = a.municipality AND f.decision = a.decision))), 'diary', "
        ACTIONS_JSON("a.anomaly_id")
        ")::text FROM urenwacht_api.anomaly a WHERE a.anomaly_id = ($1::text)::uuid";
    if (!refuse_parameters(call, "")) {
        uw_answer_query(call->desk, call->principal, call->request, sql, call->rest, 1,
                        "there is no such anomaly among what this token sees");
    }
}

static void run_dimensions(const struct call *call)
{
    static const char sql[] =
        "WITH d AS (SELECT DISTINCT municipality, provider, product_category, product, law, model FROM "
        "urenwacht_api.decision) SELECT json_build_object("
        "'municipalities', (SELECT coalesce(json_agg(DISTINCT municipality ORDER BY municipality), '[]') FROM d), "
        "'providers', (SELECT coalesce(json_agg(DISTINCT provider ORDER BY provider), '[]') FROM d), "
        "'products', (SELECT coalesce(json_agg(json_build_object('product_category', p.product_category, 'product', "
        "p.product)), '[]') FROM (SELECT DISTINCT product_category, product FROM d ORDER BY 1, 2) p), "
        "'laws', (SELECT coalesce(json_agg(DISTINCT law ORDER BY law), '[]') FROM d), "
        "'models', (SELECT coalesce(json_agg(DISTINCT model ORDER BY model), '[]') FROM d), "
        "'alert_kinds', (SELECT coalesce(json_agg(DISTINCT kind ORDER BY kind), '[]') FROM "
        "urenwacht_data.alert_state), 'anomaly_kinds', (SELECT coalesce(json_agg(DISTINCT kind ORDER BY kind), '[]') "
        "FROM urenwacht_data.anomaly_state), "
        "'assignees', (SELECT coalesce(json_agg(x.assignee), '[]') FROM (SELECT assignee FROM "
        "urenwacht_data.alert_workflow WHERE assignee IS NOT NULL UNION SELECT assignee FROM "
        "urenwacht_data.anomaly_case WHERE assignee IS NOT NULL ORDER BY 1) x))::text";
    if (!refuse_parameters(call, "")) {
        uw_answer_query(call->desk, call->principal, call->request, sql, NULL, 0, "");
    }
}

static void run_progress(const struct call *call)
{
    static const char sql[] =
        "SELECT json_build_object('as_of', min(p.as_of), 'partitions', coalesce(json_agg(json_build_object('topic', "
        "p.topic, 'partition', p.partition, 'next_offset', p.next_offset, 'as_of', p.as_of) ORDER BY p.topic, "
        "p.partition), '[]'))::text FROM urenwacht.progress p";
    if (!refuse_parameters(call, "")) {
        uw_answer_query(call->desk, call->principal, call->request, sql, NULL, 0, "");
    }
}

/* ---- a decision ---- */

/* The clients of whom the decision is, as far as they are seen. UW_ELIMIT with the problem as the answer when there is
 * not exactly one to go on with. */
static bool find_client(const struct call *call, struct uw_str *client)
{
    static const char sql[] =
        "SELECT x.client FROM (SELECT client FROM urenwacht_data.decision_fact WHERE municipality = $1::text AND "
        "decision = $2::text UNION SELECT client FROM urenwacht_data.anomaly_state WHERE municipality = $1::text AND "
        "decision = $2::text) x WHERE $3::text IS NULL OR x.client = $3::text ORDER BY 1 LIMIT 100";
    struct uw_error error = {.text = ""};
    struct uw_http_request *request = call->request;
    struct uw_str arguments[3] = {call->rest[0], call->rest[1], uw_http_parameter(request, "client")};
    PGresult *result = NULL;
    struct uw_text text;
    int count;
    enum uw_code code = uw_desk_begin(call->desk, call->principal, false, &error);
    if (code == UW_OK) {
        code = uw_desk_query(call->desk, sql, arguments, 3, &result, &error);
    }
    if (code != UW_OK) {
        uw_answer_error(request, code, &error);
        return false;
    }
    uw_desk_rollback(call->desk);
    count = PQntuples(result);
    if (count == 0) {
        uw_http_problem(request, 404, NO_DECISION);
    } else if (count == 1) {
        *client = uw_arena_copy(&request->arena, uw_desk_field(result, 0, 0));
    } else {
        uw_text_init(&text, &request->arena);
        uw_text_add_literal(&text, "{\"type\": \"about:blank\", \"title\": \"Not possible now\", \"status\": 409, "
                                   "\"detail\": \"several clients have a decision of this id; choose one\", "
                                   "\"clients\": [");
        for (int i = 0; i < count; i++) {
            uw_text_add_literal(&text, i == 0 ? "" : ", ");
            uw_text_add_json_string(&text, uw_desk_field(result, i, 0));
        }
        uw_text_add_literal(&text, "]}");
        uw_http_body(request, 409, "application/problem+json", &text);
    }
    PQclear(result);
    return count == 1 && !uw_str_is_null(*client);
}

static void run_decision(const struct call *call)
{
    static const char sql[] =
        "SELECT json_build_object('client', $3::text, 'municipality', $1::text, 'decision', $2::text, 'versions', "
        "(SELECT coalesce(json_agg(to_jsonb(v) ORDER BY v.version DESC), '[]') FROM urenwacht_api.decision_version v "
        "WHERE v.client = $3::text AND v.municipality = $1::text AND v.decision = $2::text), 'accounts', (SELECT "
        "coalesce(json_agg(json_build_object(" UW_ACCOUNT_MEMBERS
        ") ORDER BY a.segment_from, a.period_from), '[]') FROM urenwacht_api.account a " UW_LATEST
        " WHERE a.client = $3::text AND a.municipality = $1::text AND a.decision = $2::text), 'alerts', (SELECT "
        "coalesce(json_agg(json_build_object(" UW_ALERT_MEMBERS
        ") ORDER BY a.severity_rank DESC, a.effective_on), '[]') FROM urenwacht_api.alert a " UW_LATEST
        " WHERE a.client = $3::text AND a.municipality = $1::text AND a.decision = $2::text AND a.status = "
        "'OPEN'))::text";
    struct uw_str arguments[3] = {call->rest[0], call->rest[1], UW_STR_NULL};
    if (!refuse_parameters(call, " client ") && find_client(call, &arguments[2])) {
        uw_answer_query(call->desk, call->principal, call->request, sql, arguments, 3, NO_DECISION);
    }
}

static void explain(const struct call *call, const char *client, int32_t as_of_day, bool dutch)
{
    const struct uw_serve_options *options = call->server->options;
    struct uw_http_request *request = call->request;
    struct uw_error error = {.text = ""};
    char *bytes = NULL;
    size_t size = 0;
    bool found = false;
    FILE *file = open_memstream(&bytes, &size);
    if (file == NULL) {
        uw_http_problem(request, 503, "no memory");
        return;
    }
    enum uw_code code = options->explain(options->explain_context, call->worker, call->rest[0].data, call->rest[1].data,
                                         client, as_of_day, dutch, uw_principal_sees_signals(call->principal), file,
                                         &found, &error);
    if (fclose(file) != 0 && code == UW_OK) {
        code = uw_error_set(&error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for an explanation");
    }
    if (code == UW_OK && found) {
        request->answer.body = uw_arena_copy(&request->arena, (struct uw_str){bytes, (uint32_t)size});
    }
    free(bytes);
    if (code != UW_OK) {
        uw_answer_error(request, code, &error);
    } else if (!found) {
        uw_http_problem(request, 404, NO_DECISION);
    } else if (uw_str_is_null(request->answer.body)) {
        uw_http_problem(request, 422, "the explanation is too large");
    } else {
        request->answer.status = 200;
        request->answer.content_type = UW_JSON;
        request->answer.tagged = true;
    }
}

static void run_explanation(const struct call *call)
{
    struct uw_str as_of = uw_http_parameter(call->request, "as_of"), lang = uw_http_parameter(call->request, "lang");
    struct uw_str client;
    int32_t as_of_day = UW_DAY_NONE;
    if (refuse_parameters(call, " client as_of lang ")) {
        return;
    }
    if (!uw_str_is_null(as_of) && !uw_date_parse(as_of, &as_of_day)) {
        uw_http_problem(call->request, 400, "as_of: a date such as 2026-03-01");
        return;
    }
    if (!uw_str_is_null(lang) && !uw_str_equal(lang, UW_STR("nl")) && !uw_str_equal(lang, UW_STR("en"))) {
        uw_http_problem(call->request, 400, "lang: nl or en");
        return;
    }
    if (find_client(call, &client)) {
        char *name = uw_arena_take(&call->request->arena, (size_t)client.length + 1);
        if (name == NULL) {
            uw_http_problem(call->request, 503, "no memory");
            return;
        }
        memcpy(name, client.data, client.length);
        name[client.length] = '\0';
        explain(call, name, as_of_day, uw_str_is_null(lang) || uw_str_equal(lang, UW_STR("nl")));
    }
}

/* ---- actions ---- */

static void run_assign(const struct call *call)
{
    uw_workflow_assign(call->desk, call->principal, call->request, call->rest[0]);
}

static void run_acknowledge(const struct call *call)
{
    uw_workflow_acknowledge(call->desk, call->principal, call->request, call->rest[0]);
}

static void run_snooze(const struct call *call)
{
    uw_workflow_snooze(call->desk, call->principal, call->request, call->rest[0]);
}

static void run_evaluate(const struct call *call)
{
    uw_workflow_evaluate(call->server->reporter, call->desk, call->principal, call->request, call->rest[0]);
}

static void run_case(const struct call *call)
{
    uw_workflow_set_case(call->desk, call->principal, call->request, call->rest[0]);
}

static void run_diary(const struct call *call)
{
    uw_workflow_add_note(call->desk, call->principal, call->request, call->rest[0]);
}

/* ---- access, stream, administration ---- */

static void run_session(const struct call *call)
{
    uw_session_show(call->desk, call->principal, call->request);
}

static void run_logout(const struct call *call)
{
    uw_session_end(call->desk, call->principal, call->request);
}

static void run_stream(const struct call *call)
{
    if (call->request->method == UW_METHOD_HEAD) {
        uw_http_problem(call->request, 405, "a stream is read with GET");
    } else if (!refuse_parameters(call, " last_event_id from topics kind severity status municipality provider "
                                        "decision client ")) {
        uw_stream_answer(call->server->stream, call->principal, call->request);
    }
}

static void run_tokens(const struct call *call)
{
    uw_admin_tokens(call->desk, call->principal, call->request);
}

static void run_token_create(const struct call *call)
{
    uw_admin_token_create(call->desk, call->principal, call->request);
}

static void run_token_revoke(const struct call *call)
{
    uw_admin_token_revoke(call->desk, call->principal, call->request, call->rest[0]);
}

/* ---- webhooks ---- */

#define WEBHOOK(name)                                                                                                \
    static void run_##name(const struct call *call)                                                                  \
    {                                                                                                                \
        uw_##name(call->server->webhooks, call->desk, call->principal, call->request, call->rest[0], call->rest[1]); \
    }
WEBHOOK(webhook_list)
WEBHOOK(webhook_create)
WEBHOOK(webhook_show)
WEBHOOK(webhook_change)
WEBHOOK(webhook_delete)
WEBHOOK(webhook_pause)
WEBHOOK(webhook_resume)
WEBHOOK(webhook_take)
WEBHOOK(webhook_rotate)
WEBHOOK(webhook_test)
WEBHOOK(webhook_replay)
WEBHOOK(webhook_deliveries)
WEBHOOK(webhook_delivery)
WEBHOOK(webhook_replay_delivery)

/* ---- the table ---- */

struct route {
    enum uw_method method;
    const char *path; /* below /api/v1/; * is any segment, # a UUID */
    unsigned roles;   /* bits */
    call_run *run;
};

static const struct route routes[] = {
    {UW_METHOD_GET, "session", ALL_ROLES, run_session},
    {UW_METHOD_DELETE, "session", ALL_ROLES, run_logout},
    {UW_METHOD_GET, "dimensions", ALL_ROLES, run_dimensions},
    {UW_METHOD_GET, "progress", ALL_ROLES, run_progress},
    {UW_METHOD_GET, "alerts", ALL_ROLES, run_alerts},
    {UW_METHOD_GET, "alerts/counts", ALL_ROLES, run_alert_counts},
    {UW_METHOD_GET, "alerts/#", ALL_ROLES, run_alert},
    {UW_METHOD_PUT, "alerts/#/assignment", MANAGERS, run_assign},
    {UW_METHOD_PUT, "alerts/#/acknowledgement", MANAGERS, run_acknowledge},
    {UW_METHOD_PUT, "alerts/#/snooze", MANAGERS, run_snooze},
    {UW_METHOD_POST, "alerts/#/evaluation", MANAGERS, run_evaluate},
    {UW_METHOD_GET, "anomalies", SIGNALS, run_anomalies},
    {UW_METHOD_GET, "anomalies/counts", SIGNALS, run_anomaly_counts},
    {UW_METHOD_GET, "anomalies/#", SIGNALS, run_anomaly},
    {UW_METHOD_PUT, "anomalies/#/case", CASES, run_case},
    {UW_METHOD_POST, "anomalies/#/diary", CASES, run_diary},
    {UW_METHOD_GET, "decisions", ALL_ROLES, run_decisions},
    {UW_METHOD_GET, "decisions/counts", ALL_ROLES, run_decision_counts},
    {UW_METHOD_GET, "decisions/*/*", ALL_ROLES, run_decision},
    {UW_METHOD_GET, "decisions/*/*/explanation", ALL_ROLES, run_explanation},
    {UW_METHOD_GET, "accounts", ALL_ROLES, run_accounts},
    {UW_METHOD_GET, "facts", ALL_ROLES, run_facts},
    {UW_METHOD_GET, "aggregates/*", ALL_ROLES, run_aggregates},
    {UW_METHOD_GET, "stream", ALL_ROLES, run_stream},
    {UW_METHOD_GET, "tokens", ROLE(ADMIN), run_tokens},
    {UW_METHOD_POST, "tokens", ROLE(ADMIN), run_token_create},
    {UW_METHOD_DELETE, "tokens/*", ROLE(ADMIN), run_token_revoke},
    {UW_METHOD_GET, "webhooks", ALL_ROLES, run_webhook_list},
    {UW_METHOD_POST, "webhooks", ALL_ROLES, run_webhook_create},
    {UW_METHOD_GET, "webhooks/*", ALL_ROLES, run_webhook_show},
    {UW_METHOD_PUT, "webhooks/*", ALL_ROLES, run_webhook_change},
    {UW_METHOD_DELETE, "webhooks/*", ALL_ROLES, run_webhook_delete},
    {UW_METHOD_POST, "webhooks/*/pause", ALL_ROLES, run_webhook_pause},
    {UW_METHOD_POST, "webhooks/*/resume", ALL_ROLES, run_webhook_resume},
    {UW_METHOD_POST, "webhooks/*/owner", ALL_ROLES, run_webhook_take},
    {UW_METHOD_POST, "webhooks/*/secret", ALL_ROLES, run_webhook_rotate},
    {UW_METHOD_POST, "webhooks/*/test", ALL_ROLES, run_webhook_test},
    {UW_METHOD_POST, "webhooks/*/replay", ALL_ROLES, run_webhook_replay},
    {UW_METHOD_GET, "webhooks/*/deliveries", ALL_ROLES, run_webhook_deliveries},
    {UW_METHOD_GET, "webhooks/*/deliveries/*", ALL_ROLES, run_webhook_delivery},
    {UW_METHOD_POST, "webhooks/*/deliveries/*/replay", ALL_ROLES, run_webhook_replay_delivery},
};

static bool is_uuid(struct uw_str text)
{
    struct uw_uuid uuid;
    return uw_uuid_parse(text, &uuid);
}

/* Whether the request's segments after api/v1 are the pattern's. */
static bool matches(const struct uw_http_request *request, const char *pattern, struct uw_str rest[3])
{
    uint32_t at = 2, rest_count = 0;
    for (const char *piece = pattern; *piece != '\0'; at++) {
        size_t length = strcspn(piece, "/");
        if (at >= request->segment_count) {
            return false;
        }
        struct uw_str segment = request->segments[at];
        if (length == 1 && (piece[0] == '*' || piece[0] == '#')) {
            if (piece[0] == '#' && !is_uuid(segment)) {
                return false;
            }
            rest[rest_count++] = segment;
        } else if (segment.length != length || memcmp(segment.data, piece, length) != 0) {
            return false;
        }
        piece += length;
        piece += *piece == '/';
    }
    return at == request->segment_count;
}

static const struct route *find_route(struct uw_http_request *request, struct uw_str rest[3])
{
    enum uw_method method = request->method == UW_METHOD_HEAD ? UW_METHOD_GET : request->method;
    bool other_method = false;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (matches(request, routes[i].path, rest)) {
            if (routes[i].method == method) {
                return &routes[i];
            }
            other_method = true;
        }
    }
    if (other_method) {
        uw_http_problem(request, 405, "this path has other methods");
    } else {
        uw_http_problem(request, 404, "there is nothing at this path");
    }
    return NULL;
}

static bool may(const struct call *call, const struct route *route)
{
    const struct uw_principal *principal = call->principal;
    struct uw_http_request *request = call->request;
    bool reads = route->method == UW_METHOD_GET;
    if (principal->by_cookie && !reads &&
        (request->csrf == NULL ||
         !uw_same_secret(uw_str_from(request->csrf), uw_str_from(principal->csrf_token)))) {
        uw_http_problem(request, 403, "the header X-CSRF-Token is missing or is not this session's");
        return false;
    }
    if ((route->roles & 1u << principal->role) == 0) {
        uw_http_problem(request, 403, "the role %s may not do this", uw_role_name(principal->role));
        return false;
    }
    /* Whoever hands out rights must have them all. */
    if (route->roles == ROLE(ADMIN) && !principal->everywhere) {
        uw_http_problem(request, 403, "administration needs a token for all municipalities");
        return false;
    }
    return true;
}

static void answer_api(struct uw_server *server, uint32_t worker, struct uw_http_request *request)
{
    struct uw_desk *desk = server->desks[worker];
    struct uw_error error = {.text = ""};
    struct uw_principal principal;
    struct call call = {
        .server = server, .desk = desk, .worker = worker, .principal = &principal, .request = request};
    const struct route *route;
    bool known = false;
    enum uw_code code;
    if (request->segment_count == 3 && uw_str_equal(request->segments[2], UW_STR("session")) &&
        request->method == UW_METHOD_POST) {
        uw_session_create(desk, request, server->options->cookie_secure);
        return;
    }
    code = uw_access_check(desk, request, &principal, &known, &error);
    if (code != UW_OK) {
        uw_answer_error(request, code, &error);
        return;
    }
    if (!known) {
        uw_http_problem(request, 401, "a token or a session is needed that is known, not expired and not revoked");
        return;
    }
    route = find_route(request, call.rest);
    if (route != NULL && may(&call, route)) {
        route->run(&call);
    }
}

/* ---- what needs no token ---- */

static void answer_text(struct uw_http_request *request, int status, const char *text)
{
    request->answer.status = status;
    request->answer.content_type = "text/plain; charset=utf-8";
    request->answer.body = uw_str_from(text);
}

static void answer_ready(struct uw_server *server, struct uw_desk *desk, struct uw_http_request *request)
{
    struct uw_stream_statistics statistics;
    struct uw_error error = {.text = ""};
    enum uw_code code = uw_desk_begin(desk, NULL, false, &error);
    uw_desk_rollback(desk);
    uw_stream_statistics(server->stream, &statistics);
    if (code != UW_OK) {
        answer_text(request, 503, "the database does not answer\n");
    } else if (!statistics.reading) {
        answer_text(request, 503, "the topics are not being read\n");
    } else {
        answer_text(request, 200, "ready\n");
    }
}

static bool is_path(const struct uw_http_request *request, const char *path)
{
    return strcmp(request->path, path) == 0;
}

static void answer_metrics(struct uw_server *server, struct uw_desk *desk, struct uw_http_request *request)
{
    struct uw_error error = {.text = ""};
    struct uw_principal principal;
    bool known = false;
    /* Behind a proxy everybody comes from loopback; the proxy then keeps this path to itself, as docs/api.md says. */
    if (!request->from_loopback || request->authorization != NULL) {
        enum uw_code code = uw_access_check(desk, request, &principal, &known, &error);
        if (code != UW_OK) {
            uw_answer_error(request, code, &error);
            return;
        }
        if (!known || principal.role != UW_ROLE_ADMIN) {
            uw_http_problem(request, known ? 403 : 401, "the figures are for loopback or the role admin");
            return;
        }
    }
    uw_metrics_answer(server, desk, request);
}

void uw_route(void *context, uint32_t worker, struct uw_http_request *request)
{
    struct uw_server *server = context;
    struct uw_desk *desk = server->desks[worker];
    bool reads = request->method == UW_METHOD_GET || request->method == UW_METHOD_HEAD;
    bool api = request->segment_count >= 1 && uw_str_equal(request->segments[0], UW_STR("api"));
    if (api && !is_path(request, "/api/v1/openapi.yaml")) {
        if (request->segment_count < 3 || !uw_str_equal(request->segments[1], UW_STR("v1"))) {
            uw_http_problem(request, 404, "there is nothing at this path");
            return;
        }
        answer_api(server, worker, request);
        uw_desk_rollback(desk);
        return;
    }
    if (!reads) {
        uw_http_problem(request, 405, "this path is only read");
    } else if (api) {
        request->answer = (struct uw_http_answer){
            .status = 200,
            .content_type = "application/yaml",
            .tagged = true,
            .body = {(const char *)uw_contract_text, (uint32_t)uw_contract_bytes}};
    } else if (is_path(request, "/healthz")) {
        answer_text(request, 200, "alive\n");
    } else if (is_path(request, "/readyz")) {
        answer_ready(server, desk, request);
    } else if (is_path(request, "/metrics")) {
        answer_metrics(server, desk, request);
    } else if (!uw_page_answer(server->page, request)) {
        uw_http_problem(request, 404, "there is nothing at this path");
    }
}
