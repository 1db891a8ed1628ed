#include "dashboard/workflow.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/date.h"
#include "core/fold.h"
#include "dashboard/answer.h"
#include "dashboard/lists.h"

#define NAME_CHARACTERS_MAX 100
#define NOTE_CHARACTERS_MAX 4000
#define NO_ALERT "there is no such alert among what this token sees"
#define NO_ANOMALY "there is no such anomaly among what this token sees"

#define WORKFLOW_AFTER                                                                                               \
    "SELECT (" UW_WORKFLOW_JSON ")::text FROM urenwacht_api.alert a WHERE a.alert_id = ($1::text)::uuid"

/* ---- bodies ---- */

/* A text of the body: null, absent, or min to max characters. */
static bool take_text(json_t *body, const char *key, int64_t min, int64_t max, bool nullable, bool optional,
                      struct uw_str *text)
{
    json_t *value = json_object_get(body, key);
    int64_t length;
    if (value == NULL || json_is_null(value)) {
        *text = UW_STR_NULL;
        return value == NULL ? optional : nullable;
    }
    if (!json_is_string(value)) {
        return false;
    }
    *text = (struct uw_str){json_string_value(value), (uint32_t)json_string_length(value)};
    length = uw_utf8_length(*text);
    return length >= min && length <= max;
}

/* Whether the body has only keys of `keys` (" a b "). */
static bool only_keys(json_t *body, const char *keys)
{
    const char *key;
    json_t *value;
    char padded[64];
    json_object_foreach(body, key, value)
    {
        int length = snprintf(padded, sizeof padded, " %s ", key);
        if (length < 0 || (size_t)length >= sizeof padded || strstr(keys, padded) == NULL) {
            return false;
        }
    }
    return true;
}

static bool is_date_or_null(struct uw_str text)
{
    int32_t day;
    return uw_str_is_null(text) || uw_date_parse(text, &day);
}

/* ---- one change: what it does, that it was done, and how it stands then ---- */

struct change {
    const char *sql;     /* changes the row and returns one row when the subject is seen; $1 is the subject */
    const char *after;   /* reads what is answered; $1 is the subject */
    const char *missing;
    struct uw_str arguments[6];
    uint32_t argument_count;
    const char *action;
    bool is_signal;
    struct uw_str value, note;
    int status;
};

static enum uw_code run_one(struct uw_desk *desk, const char *sql, const struct uw_str *arguments,
                            uint32_t argument_count, struct uw_arena *arena, bool *found, struct uw_str *first,
                            struct uw_error *error)
{
    PGresult *result = NULL;
    enum uw_code code = uw_desk_query(desk, sql, arguments, argument_count, &result, error);
    if (code != UW_OK) {
        return code;
    }
    *found = PQntuples(result) == 1;
    if (*found && first != NULL) {
        *first = uw_arena_copy(arena, uw_desk_field(result, 0, 0));
    }
    PQclear(result);
    return UW_OK;
}

static enum uw_code apply(struct uw_desk *desk, const struct uw_principal *principal, struct uw_arena *arena,
                          const struct change *change, bool *found, struct uw_str *body, struct uw_error *error)
{
    static const char note_sql[] =
        "INSERT INTO urenwacht_data.action (subject_id, is_signal, municipality, action, value, note, by_name, "
        "token_id) VALUES (($1::text)::uuid, ($2::text)::boolean, $3::text, $4::text, $5::text, $6::text, $7::text, "
        "($8::text)::bigint) RETURNING json_build_object('action', action, 'value', value, 'note', note, 'by', "
        "by_name, 'at', at)::text";
    char token[24];
    struct uw_str municipality = UW_STR_NULL, written = UW_STR_NULL;
    bool noted = false;
    enum uw_code code = uw_desk_begin(desk, principal, true, error);
    snprintf(token, sizeof token, "%" PRId64, principal->token_id);
    if (code == UW_OK) {
        code = run_one(desk, change->sql, change->arguments, change->argument_count, arena, found, &municipality,
                       error);
    }
    if (code == UW_OK && !*found) {
        uw_desk_rollback(desk);
        return UW_OK;
    }
    if (code == UW_OK) {
        const struct uw_str arguments[] = {change->arguments[0],
                                           change->is_signal ? UW_STR("true") : UW_STR("false"),
                                           municipality,
                                           uw_str_from(change->action),
                                           change->value,
                                           change->note,
                                           uw_str_from(principal->name),
                                           uw_str_from(token)};
        code = run_one(desk, note_sql, arguments, 8, arena, &noted, &written, error);
    }
    if (code == UW_OK && change->after != NULL) {
        code = run_one(desk, change->after, change->arguments, 1, arena, found, body, error);
    } else {
        *body = written;
    }
    return code == UW_OK ? uw_desk_commit(desk, error) : code;
}

static void answer(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                   const struct change *change)
{
    struct uw_error error = {.text = ""};
    struct uw_str body = UW_STR_NULL;
    bool found = false;
    enum uw_code code = apply(desk, principal, &request->arena, change, &found, &body, &error);
    if (code != UW_OK) {
        uw_answer_error(request, code, &error);
    } else if (!found) {
        uw_http_problem(request, 404, "%s", change->missing);
    } else {
        request->answer.status = change->status;
        request->answer.content_type = UW_JSON;
        request->answer.body = body;
    }
}

/* ---- alerts ---- */

/* The alert's row of the workflow, made when it is missing; `sets` names columns and values. */
#define UPSERT(columns, values, sets)                                                                                \
    "INSERT INTO urenwacht_data.alert_workflow AS w (alert_id, municipality, " columns                               \
    ") SELECT s.alert_id, s.municipality, " values                                                                   \
    " FROM urenwacht_data.alert_state s WHERE s.alert_id = ($1::text)::uuid ON CONFLICT (alert_id) DO UPDATE SET "   \
    sets " RETURNING w.municipality"

void uw_workflow_assign(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                        struct uw_str subject)
{
    struct uw_str assignee;
    json_t *body = uw_answer_json(request);
    if (body == NULL) {
        return;
    }
    if (!only_keys(body, " assignee ") ||
        !take_text(body, "assignee", 1, NAME_CHARACTERS_MAX, true, false, &assignee)) {
        uw_http_problem(request, 400, "the body is {\"assignee\": a name of 1 to 100 characters, or null}");
    } else {
        const struct change change = {
            UPSERT("assignee", "$2::text", "assignee = excluded.assignee"), WORKFLOW_AFTER, NO_ALERT,
            {subject, assignee}, 2, "ASSIGN", false, assignee, UW_STR_NULL, 200};
        answer(desk, principal, request, &change);
    }
    json_decref(body);
}

void uw_workflow_acknowledge(struct uw_desk *desk, const struct uw_principal *principal,
                             struct uw_http_request *request, struct uw_str subject)
{
    struct uw_str note;
    json_t *body = uw_answer_json(request);
    if (body == NULL) {
        return;
    }
    if (!only_keys(body, " note ") || !take_text(body, "note", 0, NOTE_CHARACTERS_MAX, false, false, &note)) {
        uw_http_problem(request, 400, "the body is {\"note\": a text of at most 4000 characters}");
    } else {
        const struct change change = {
            UPSERT("acknowledged_revision, acknowledged_by, acknowledged_at, note",
                   "s.revision, $3::text, now(), $2::text",
                   "acknowledged_revision = excluded.acknowledged_revision, acknowledged_by = "
                   "excluded.acknowledged_by, acknowledged_at = excluded.acknowledged_at, note = excluded.note"),
            WORKFLOW_AFTER, NO_ALERT, {subject, note, uw_str_from(principal->name)}, 3, "ACKNOWLEDGE", false,
            UW_STR_NULL, note, 200};
        answer(desk, principal, request, &change);
    }
    json_decref(body);
}

void uw_workflow_snooze(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                        struct uw_str subject)
{
    struct uw_str until, note;
    json_t *body = uw_answer_json(request);
    if (body == NULL) {
        return;
    }
    if (!only_keys(body, " until note ") || !take_text(body, "until", 10, 10, true, false, &until) ||
        !is_date_or_null(until) || !take_text(body, "note", 0, NOTE_CHARACTERS_MAX, true, true, &note)) {
        uw_http_problem(request, 400, "the body is {\"until\": a date or null, \"note\": a text}; the note may be "
                                      "absent");
    } else {
        const struct change change = {
            UPSERT("snoozed_until, note", "($2::text)::date, $3::text",
                   "snoozed_until = excluded.snoozed_until, note = coalesce(excluded.note, w.note)"),
            WORKFLOW_AFTER, NO_ALERT, {subject, until, note}, 3, "SNOOZE", false, until, note, 200};
        answer(desk, principal, request, &change);
    }
    json_decref(body);
}

/* ---- anomalies ---- */

void uw_workflow_set_case(struct uw_desk *desk, const struct uw_principal *principal,
                          struct uw_http_request *request, struct uw_str subject)
{
    static const char states[] = " NEW IN_RESEARCH FOUNDED UNFOUNDED ";
    struct uw_str state, assignee, note;
    char padded[24], *value;
    json_t *body = uw_answer_json(request);
    if (body == NULL) {
        return;
    }
    bool good = only_keys(body, " state assignee note ") && take_text(body, "state", 3, 11, false, false, &state) &&
                take_text(body, "assignee", 1, NAME_CHARACTERS_MAX, true, false, &assignee) &&
                take_text(body, "note", 0, NOTE_CHARACTERS_MAX, true, true, &note);
    if (good) {
        snprintf(padded, sizeof padded, " %.12s ", state.data);
        good = strchr(state.data, ' ') == NULL && strstr(states, padded) != NULL;
    }
    value = good ? uw_arena_take(&request->arena, 600) : NULL;
    if (!good || value == NULL) {
        uw_http_problem(request, 400, "the body is {\"state\": NEW, IN_RESEARCH, FOUNDED or UNFOUNDED, \"assignee\": "
                                      "a name or null, \"note\": a text}; the note may be absent");
    } else {
        snprintf(value, 600, "%s%s%s", state.data, uw_str_is_null(assignee) ? "" : " ",
                 uw_str_is_null(assignee) ? "" : assignee.data);
        const struct change change = {
            "INSERT INTO urenwacht_data.anomaly_case AS c (anomaly_id, municipality, state, assignee, changed_by, "
            "changed_at) SELECT s.anomaly_id, s.municipality, $2::text, $3::text, $4::text, now() FROM "
            "urenwacht_data.anomaly_state s WHERE s.anomaly_id = ($1::text)::uuid ON CONFLICT (anomaly_id) DO UPDATE "
            "SET state = excluded.state, assignee = excluded.assignee, changed_by = excluded.changed_by, changed_at = "
            "excluded.changed_at RETURNING c.municipality",
            "SELECT (" UW_CASE_JSON ")::text FROM urenwacht_api.anomaly a WHERE a.anomaly_id = ($1::text)::uuid",
            NO_ANOMALY, {subject, state, assignee, uw_str_from(principal->name)}, 4, "STATE", true,
            uw_str_from(value), note, 200};
        answer(desk, principal, request, &change);
    }
    json_decref(body);
}

void uw_workflow_add_note(struct uw_desk *desk, const struct uw_principal *principal,
                          struct uw_http_request *request, struct uw_str subject)
{
    struct uw_str note;
    json_t *body = uw_answer_json(request);
    if (body == NULL) {
        return;
    }
    if (!only_keys(body, " note ") || !take_text(body, "note", 1, NOTE_CHARACTERS_MAX, false, false, &note)) {
        uw_http_problem(request, 400, "the body is {\"note\": a text of 1 to 4000 characters}");
    } else {
        const struct change change = {
            "SELECT s.municipality FROM urenwacht_data.anomaly_state s WHERE s.anomaly_id = ($1::text)::uuid", NULL,
            NO_ANOMALY, {subject}, 1, "NOTE", true, UW_STR_NULL, note, 201};
        answer(desk, principal, request, &change);
    }
    json_decref(body);
}

/* ---- an evaluation was held ---- */

struct uw_reporter {
    struct uw_feeder_options options;
    pthread_mutex_t lock; /* all below */
    struct uw_feeder *feeder;
    struct uw_codec *codec;
};

enum uw_code uw_reporter_open(const struct uw_feeder_options *options, struct uw_reporter **reporter,
                              struct uw_error *error)
{
    struct uw_reporter *made = calloc(1, sizeof *made);
    enum uw_code code;
    if (made == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for reporting evaluations");
    }
    made->options = *options;
    pthread_mutex_init(&made->lock, NULL);
    code = uw_codec_open(NULL, &made->codec, error);
    if (code != UW_OK) {
        uw_reporter_close(&made);
        return code;
    }
    *reporter = made;
    return UW_OK;
}

void uw_reporter_close(struct uw_reporter **reporter)
{
    if (*reporter == NULL) {
        return;
    }
    if ((*reporter)->feeder != NULL) {
        uw_feeder_close(&(*reporter)->feeder);
    }
    if ((*reporter)->codec != NULL) {
        uw_codec_close(&(*reporter)->codec);
    }
    pthread_mutex_destroy(&(*reporter)->lock);
    free(*reporter);
    *reporter = NULL;
}

static enum uw_code send_event(struct uw_reporter *reporter, const struct uw_event *event, struct uw_arena *arena,
                               struct uw_error *error)
{
    struct uw_str value;
    enum uw_code code = UW_OK;
    pthread_mutex_lock(&reporter->lock);
    if (reporter->feeder == NULL) {
        code = uw_feeder_open(&reporter->options, &reporter->feeder, error);
    }
    if (code == UW_OK) {
        code = uw_codec_encode(reporter->codec, event, arena, &value);
    }
    if (code == UW_OK) {
        code = uw_feeder_send(reporter->feeder, UW_TOPIC_EVALUATIONS, event->client, value, error);
    }
    if (code == UW_OK) {
        code = uw_feeder_flush(reporter->feeder, reporter->options.timeout_ms, error);
    }
    if (code != UW_OK && reporter->feeder != NULL) {
        /* Failures of a feeder stay with it; the next report begins anew. */
        uw_feeder_close(&reporter->feeder);
    }
    pthread_mutex_unlock(&reporter->lock);
    return code;
}

/* What is known of the alert whose evaluation was held. */
struct due {
    struct uw_str client, municipality, decision, status, kind, due, next_due;
};

static enum uw_code read_due(struct uw_desk *desk, const struct uw_principal *principal, struct uw_arena *arena,
                             struct uw_str subject, struct due *due, bool *found, struct uw_error *error)
{
    static const char sql[] =
        "SELECT a.client, a.municipality, a.decision, a.status, a.kind, a.period_from::text, (SELECT "
        "min((d.valid_from + make_interval(months => m))::date) FROM unnest(d.evaluation_months) m WHERE (d.valid_from "
        "+ make_interval(months => m))::date > a.period_from AND (d.valid_to IS NULL OR (d.valid_from + "
        "make_interval(months => m))::date <= d.valid_to + 1))::text FROM urenwacht_api.alert a LEFT JOIN "
        "urenwacht_api.decision d ON d.municipality = a.municipality AND d.decision = a.decision AND d.client = "
        "a.client WHERE a.alert_id = ($1::text)::uuid";
    struct uw_str *const fields[] = {&due->client, &due->municipality, &due->decision, &due->status,
                                     &due->kind,   &due->due,          &due->next_due};
    PGresult *result = NULL;
    enum uw_code code = uw_desk_begin(desk, principal, false, error);
    if (code == UW_OK) {
        code = uw_desk_query(desk, sql, &subject, 1, &result, error);
    }
    if (code != UW_OK) {
        return code;
    }
    *found = PQntuples(result) == 1;
    for (int i = 0; *found && i < 7; i++) {
        struct uw_str field = uw_desk_field(result, 0, i);
        *fields[i] = uw_arena_copy(arena, field);
        code = uw_str_is_null(*fields[i]) == uw_str_is_null(field) ? code : UW_ENOMEM;
    }
    PQclear(result);
    if (code != UW_OK) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for an alert");
    }
    return uw_desk_commit(desk, error);
}

/* Whether an evaluation of that day answers the due (SPEC section 4, EVALUATION_DUE). */
static bool closes(const struct due *due, int32_t held_on_day)
{
    int32_t due_day, next_day;
    if (!uw_date_parse(due->due, &due_day) || held_on_day < due_day - UW_EVALUATION_EARLY_DAYS) {
        return false;
    }
    return uw_str_is_null(due->next_due) || !uw_date_parse(due->next_due, &next_day) ||
           held_on_day < next_day - UW_EVALUATION_EARLY_DAYS;
}

/* A version 4 UUID of now. */
static bool fill_event(struct uw_event *event, const struct due *due, int32_t held_on_day,
                       enum uw_outcome_of_evaluation outcome)
{
    struct timespec now;
    *event = (struct uw_event){.topic = UW_TOPIC_EVALUATIONS,
                               .client = due->client,
                               .municipality = due->municipality,
                               .decision = due->decision};
    event->of.evaluation.held_on_day = held_on_day;
    event->of.evaluation.outcome = outcome;
    clock_gettime(CLOCK_REALTIME, &now);
    event->recorded_at_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (RAND_bytes(event->event_id.bytes, sizeof event->event_id.bytes) != 1) {
        return false;
    }
    event->event_id.bytes[6] = (uint8_t)((event->event_id.bytes[6] & 0x0f) | 0x40);
    event->event_id.bytes[8] = (uint8_t)((event->event_id.bytes[8] & 0x3f) | 0x80);
    return true;
}

struct report {
    struct uw_str held_on, outcome, note;
    int32_t held_on_day;
    enum uw_outcome_of_evaluation kind;
};

static bool take_report(struct uw_http_request *request, json_t *body, struct report *report)
{
    if (!only_keys(body, " held_on outcome note ") ||
        !take_text(body, "held_on", 10, 10, false, false, &report->held_on) ||
        !uw_date_parse(report->held_on, &report->held_on_day) ||
        !take_text(body, "outcome", 1, 20, false, false, &report->outcome) ||
        !uw_evaluation_outcome_parse(report->outcome, &report->kind) ||
        !take_text(body, "note", 0, NOTE_CHARACTERS_MAX, true, true, &report->note)) {
        uw_http_problem(request, 400, "the body is {\"held_on\": a date, \"outcome\": CONTINUE, ADJUST, DOWNSCALE or "
                                      "END, \"note\": a text}; the note may be absent");
        return false;
    }
    if (report->held_on_day > uw_answer_today() || report->held_on_day < UW_DAY_MIN) {
        uw_http_problem(request, 400, "held_on: a day that has come");
        return false;
    }
    return true;
}

static void report_held(struct uw_reporter *reporter, struct uw_desk *desk, const struct uw_principal *principal,
                        struct uw_http_request *request, struct uw_str subject, const struct report *report)
{
    struct uw_error error = {.text = ""};
    struct uw_refusal refusal;
    struct uw_event event;
    struct due due;
    struct uw_str body = UW_STR_NULL;
    bool found = false;
    char value[40], id[UW_UUID_TEXT_BYTES + 1] = "";
    struct uw_text text;
    enum uw_code code = read_due(desk, principal, &request->arena, subject, &due, &found, &error);
    if (code == UW_OK && !found) {
        uw_http_problem(request, 404, NO_ALERT);
        return;
    }
    if (code == UW_OK &&
        (!uw_str_equal(due.kind, UW_STR("EVALUATION_DUE")) || !uw_str_equal(due.status, UW_STR("OPEN")))) {
        uw_http_problem(request, 409, "this alert is not an open EVALUATION_DUE");
        return;
    }
    if (code == UW_OK && (!fill_event(&event, &due, report->held_on_day, report->kind) ||
                          uw_event_validate(&event, &refusal) != UW_OK)) {
        uw_http_problem(request, 400, "this is no evaluation that the processor would take");
        return;
    }
    if (code == UW_OK) {
        code = send_event(reporter, &event, &request->arena, &error);
    }
    snprintf(value, sizeof value, "%s %s", report->outcome.data, report->held_on.data);
    if (code == UW_OK) {
        const struct change change = {
            UPSERT("evaluation_reported_at, note", "now(), $2::text",
                   "evaluation_reported_at = excluded.evaluation_reported_at, note = coalesce(excluded.note, w.note)"),
            NULL, NO_ALERT, {subject, report->note}, 2, "EVALUATION", false, uw_str_from(value), report->note, 202};
        code = apply(desk, principal, &request->arena, &change, &found, &body, &error);
    }
    if (code != UW_OK) {
        uw_answer_error(request, code, &error);
        return;
    }
    uw_uuid_format(&event.event_id, id);
    uw_text_init(&text, &request->arena);
    uw_text_add_literal(&text, "{\"event_id\": ");
    uw_text_add_json_string(&text, uw_str_from(id));
    uw_text_add_literal(&text, ", \"closes\": ");
    uw_text_add_literal(&text, closes(&due, report->held_on_day) ? "true}" : "false}");
    uw_http_body(request, 202, UW_JSON, &text);
}

void uw_workflow_evaluate(struct uw_reporter *reporter, struct uw_desk *desk, const struct uw_principal *principal,
                          struct uw_http_request *request, struct uw_str subject)
{
    struct report report;
    json_t *body = uw_answer_json(request);
    if (body == NULL) {
        return;
    }
    if (take_report(request, body, &report)) {
        report_held(reporter, desk, principal, request, subject, &report);
    }
    json_decref(body);
}
