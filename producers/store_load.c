/*
 * Loading what is stored of clients, row by row.
 */
#include "producers/store_internal.h"

#include <stdlib.h>
#include <string.h>

/* An array of integers in PostgreSQL's binary format: see postgres_columns.c. */
#define LIST_HEADER_BYTES 20
#define LIST_ITEM_BYTES 8
/* Clients of one statement; bounds the size of an argument, not of the answer, which is read row by row. */
#define CLIENTS_PER_STATEMENT 10000

struct load {
    const struct uw_load_sink *sink;
    const struct uw_str *clients;
    uint32_t *asked, asked_count; /* the places in the caller's list of those that a statement is asked for */
    uint32_t *known, known_count; /* of those that have a row of their own */
    enum uw_topic topic;
    struct uw_arena *arena;
};

static uint32_t client_index(const struct load *load, const PGresult *row)
{
    return load->asked[uw_field_int4(row, 0)];
}

/* Reads field after field of a row. */
struct cursor {
    const PGresult *row;
    int field;
};

static int32_t take_code(struct cursor *cursor)
{
    int field = cursor->field++;

    return PQgetisnull(cursor->row, 0, field) != 0 ? 0 : uw_field_int2(cursor->row, field);
}

static int32_t take_int(struct cursor *cursor)
{
    return uw_field_int4_or_none(cursor->row, cursor->field++);
}

/* A term of another funding form is null in the row and 0 in the struct, as a decoded event has it. */
static int32_t take_term(struct cursor *cursor)
{
    int field = cursor->field++;

    return PQgetisnull(cursor->row, 0, field) != 0 ? 0 : uw_field_int4(cursor->row, field);
}

static int32_t take_day(struct cursor *cursor)
{
    return uw_field_day(cursor->row, cursor->field++);
}

static int64_t take_instant(struct cursor *cursor)
{
    return uw_field_instant(cursor->row, cursor->field++);
}

static struct uw_str take_string(struct cursor *cursor)
{
    return uw_field_string(cursor->row, cursor->field++);
}

static enum uw_code take_list(struct cursor *cursor, struct uw_arena *arena, const int32_t **list, uint32_t *count)
{
    int field = cursor->field++;
    const uint8_t *data = (const uint8_t *)PQgetvalue(cursor->row, 0, field);
    int length = PQgetlength(cursor->row, 0, field);
    uint32_t found = length < LIST_HEADER_BYTES ? 0 : (uint32_t)(length - LIST_HEADER_BYTES) / LIST_ITEM_BYTES;
    int32_t *values = uw_arena_take(arena, found * sizeof *values);

    if (values == NULL) {
        return UW_ENOMEM;
    }
    for (uint32_t i = 0; i < found; i++) {
        values[i] = uw_get_int32(data + LIST_HEADER_BYTES + i * LIST_ITEM_BYTES + LIST_ITEM_BYTES / 2);
    }
    *list = values;
    *count = found;
    return UW_OK;
}

static void take_terms(struct cursor *cursor, struct uw_terms *terms)
{
    terms->model = (enum uw_model)take_code(cursor);
    terms->frequency = (enum uw_frequency)take_code(cursor);
    terms->volume_minutes = take_term(cursor);
    terms->min_minutes = take_term(cursor);
    terms->max_minutes = take_term(cursor);
    terms->minutes_per_year = take_term(cursor);
    terms->minutes_per_week = take_term(cursor);
    terms->surplus_minutes = take_term(cursor);
    terms->price_cents = take_term(cursor);
    if (terms->model == UW_MODEL_RESULT) {
        terms->expected_minutes_per_week = take_int(cursor);
    } else {
        terms->expected_minutes_per_week = take_term(cursor);
    }
    terms->result = take_string(cursor);
}

static enum uw_code take_decision(struct cursor *cursor, struct uw_arena *arena, struct uw_decision *decision)
{
    decision->version = take_int(cursor);
    decision->status = (enum uw_decision_status)take_code(cursor);
    decision->law = (enum uw_law)take_code(cursor);
    decision->product_category = take_string(cursor);
    decision->product = take_string(cursor);
    decision->care = (enum uw_care)take_code(cursor);
    decision->valid_from_day = take_day(cursor);
    decision->valid_to_day = take_day(cursor);
    decision->effective_from_day = take_day(cursor);
    take_terms(cursor, &decision->terms);
    decision->no_show.billable_percent = take_code(cursor);
    decision->no_show.max_per_month = take_int(cursor);
    decision->no_show.notice_hours = take_code(cursor);
    decision->no_show.counts_to_budget = uw_field_bool(cursor->row, cursor->field++);
    decision->rate_cents_per_hour = take_int(cursor);
    uw_arena_reset(arena);
    return take_list(cursor, arena, &decision->evaluation_list, &decision->evaluation_count);
}

static void take_declaration(struct cursor *cursor, struct uw_declaration *declaration)
{
    declaration->line = take_string(cursor);
    declaration->kind = (enum uw_line_kind)take_code(cursor);
    declaration->corrects = take_string(cursor);
    declaration->performed_on_day = take_day(cursor);
    declaration->performed_until_day = take_day(cursor);
    declaration->started_at_ms = take_instant(cursor);
    declaration->minutes = take_int(cursor);
    declaration->staff = take_string(cursor);
}

static void take_no_show(struct cursor *cursor, struct uw_no_show *no_show)
{
    no_show->no_show = take_string(cursor);
    no_show->status = (enum uw_no_show_status)take_code(cursor);
    no_show->appointment_on_day = take_day(cursor);
    no_show->appointment_at_ms = take_instant(cursor);
    no_show->planned_minutes = take_int(cursor);
    no_show->reason = (enum uw_no_show_reason)take_code(cursor);
    no_show->notice_minutes = take_int(cursor);
    no_show->staff = take_string(cursor);
}

enum uw_code uw_pgstore_read_fact(const PGresult *row, int field, struct uw_arena *arena, struct uw_event *event)
{
    struct cursor cursor = {row, field};
    enum uw_code code = UW_OK;

    memcpy(event->event_id.bytes, PQgetvalue(row, 0, cursor.field++), sizeof event->event_id.bytes);
    event->event_id.upper = (uint32_t)take_term(&cursor);
    event->recorded_at_ms = take_instant(&cursor);
    event->municipality = take_string(&cursor);
    event->decision = take_string(&cursor);
    switch (event->topic) {
    case UW_TOPIC_DECISIONS:
        event->provider = take_string(&cursor);
        code = take_decision(&cursor, arena, &event->of.decision);
        break;
    case UW_TOPIC_DECLARATIONS:
        event->provider = take_string(&cursor);
        take_declaration(&cursor, &event->of.declaration);
        break;
    case UW_TOPIC_NO_SHOWS:
        event->provider = take_string(&cursor);
        take_no_show(&cursor, &event->of.no_show);
        break;
    case UW_TOPIC_EVALUATIONS:
        event->of.evaluation.held_on_day = take_day(&cursor);
        event->of.evaluation.outcome = (enum uw_outcome_of_evaluation)take_code(&cursor);
        break;
    }
    return code;
}

static enum uw_code visit_fact(void *context, const PGresult *row)
{
    const struct load *load = context;
    struct uw_event event;
    uint32_t client = client_index(load, row);
    enum uw_code code;

    memset(&event, 0, sizeof event);
    event.topic = load->topic;
    event.client = load->clients[client];
    code = uw_pgstore_read_fact(row, 1, load->arena, &event);
    return code == UW_OK ? load->sink->fact(load->sink->context, client, &event) : code;
}

static enum uw_code visit_alert(void *context, const PGresult *row)
{
    const struct load *load = context;
    struct cursor cursor = {row, 1};
    struct uw_alert_change alert;
    uint32_t client = client_index(load, row);

    memset(&alert, 0, sizeof alert);
    alert.client = load->clients[client];
    if (!uw_alert_kind_parse(take_string(&cursor), &alert.kind) ||
        !uw_status_parse(take_string(&cursor), &alert.status) ||
        !uw_severity_parse(take_string(&cursor), &alert.severity)) {
        return UW_EINTERNAL;
    }
    alert.municipality = take_string(&cursor);
    alert.decision = take_string(&cursor);
    alert.provider = take_string(&cursor);
    alert.segment_from_day = take_day(&cursor);
    alert.period_from_day = take_day(&cursor);
    alert.threshold = take_int(&cursor);
    alert.effective_on_day = take_day(&cursor);
    alert.revision = take_int(&cursor);
    return load->sink->alert(load->sink->context, client, &alert);
}

static enum uw_code visit_anomaly(void *context, const PGresult *row)
{
    const struct load *load = context;
    struct cursor cursor = {row, 1};
    struct uw_anomaly_change anomaly;
    uint32_t client = client_index(load, row);

    memset(&anomaly, 0, sizeof anomaly);
    anomaly.client = load->clients[client];
    if (!uw_anomaly_kind_parse(take_string(&cursor), &anomaly.kind) ||
        !uw_status_parse(take_string(&cursor), &anomaly.status)) {
        return UW_EINTERNAL;
    }
    anomaly.municipality = take_string(&cursor);
    anomaly.decision = take_string(&cursor);
    anomaly.provider = take_string(&cursor);
    anomaly.revision = take_int(&cursor);
    anomaly.subject.kind = (enum uw_subject_kind)take_code(&cursor);
    anomaly.subject.provider = take_string(&cursor);
    anomaly.subject.id = take_string(&cursor);
    anomaly.subject.version = take_term(&cursor);
    return load->sink->anomaly(load->sink->context, client, &anomaly);
}

static enum uw_code add_known(struct load *load, uint32_t client, int32_t next_change_day, int32_t rules_version)
{
    load->known[load->known_count++] = client;
    if (load->sink->client == NULL) {
        return UW_OK;
    }
    return load->sink->client(load->sink->context, client, next_change_day, rules_version);
}

static enum uw_code visit_client(void *context, const PGresult *row)
{
    struct load *load = context;

    return add_known(load, client_index(load, row), uw_field_day(row, 1), uw_field_int4(row, 2));
}

struct query {
    const char *statement;
    uw_postgres_visit *visit;
};

/* Asks some statements for the same clients. */
static enum uw_code ask(struct uw_pgstore *store, struct load *load, const struct query *queries, uint32_t query_count,
                        struct uw_error *error)
{
    static const enum uw_column_type text_type[] = {UW_COLUMN_TEXT};
    struct uw_columns names;
    struct uw_argument argument;
    enum uw_code code = UW_OK;

    if (load->asked_count == 0) {
        return UW_OK;
    }
    uw_columns_init(&names, text_type, 1);
    for (uint32_t i = 0; i < load->asked_count; i++) {
        uint32_t place = 0;

        uw_columns_string(&names, &place, load->clients[load->asked[i]]);
    }
    if (names.failed) {
        code = uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "database: out of memory");
    }
    uw_columns_arguments(&names, &argument);
    for (uint32_t i = 0; i < query_count && code == UW_OK; i++) {
        /* The first four are numbered as the topics are. */
        load->topic = i < UW_TOPIC_COUNT ? (enum uw_topic)i : UW_TOPIC_DECISIONS;
        code = uw_postgres_each(store->postgres, queries[i].statement, &argument, 1, queries[i].visit, load, error);
    }
    uw_columns_close(&names);
    return code;
}

/* Those who wait to be judged for the first time have no row yet. Who has one left them with a batch that was applied,
 * though nobody could be asked whether it was. */
static enum uw_code add_waiting(struct uw_pgstore *store, struct load *load, uint32_t first, uint32_t count)
{
    enum uw_code code = UW_OK;

    for (uint32_t i = 0; i < load->known_count && store->waiting.waiting_count > 0; i++) {
        uw_waiting_drop(&store->waiting, load->clients[load->known[i]]);
    }
    for (uint32_t i = first; i < first + count && store->waiting.waiting_count > 0 && code == UW_OK; i++) {
        if (uw_waiting_has(&store->waiting, load->clients[i])) {
            code = add_known(load, i, UW_DAY_BEFORE_ALL, 0);
        }
    }
    return code;
}

/* A client's own row is written with its first facts, or it stands in a list: of those that are in neither nothing else is
 * looked for. While a region is read for the first time these are nearly all. */
static enum uw_code load_some(struct uw_pgstore *store, struct load *load, uint32_t first, uint32_t count,
                              struct uw_error *error)
{
    const struct query own_row = {store->claims ? "load_clients" : "load_known_clients", visit_client};
    static const struct query others[] = {{"load_decisions", visit_fact}, {"load_declarations", visit_fact},
                                          {"load_no_shows", visit_fact},  {"load_evaluations", visit_fact},
                                          {"load_alerts", visit_alert},   {"load_anomalies", visit_anomaly}};
    uint32_t *places = malloc(2 * sizeof *places * count);
    enum uw_code code;

    if (places == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "database: out of memory");
    }
    load->asked = places;
    load->known = places + count;
    load->known_count = 0;
    load->asked_count = count;
    for (uint32_t i = 0; i < count; i++) {
        places[i] = first + i;
    }
    code = ask(store, load, &own_row, 1, error);
    if (code == UW_OK) {
        code = add_waiting(store, load, first, count);
    }
    load->asked = load->known;
    load->asked_count = load->known_count;
    if (code == UW_OK) {
        code = ask(store, load, others, sizeof others / sizeof others[0], error);
    }
    free(places);
    return code;
}

enum uw_code uw_pgstore_load(void *context, const struct uw_str *clients, uint32_t client_count,
                             const struct uw_load_sink *sink, struct uw_error *error)
{
    struct uw_pgstore *store = context;
    struct load load = {.sink = sink, .clients = clients, .arena = &store->arena};
    enum uw_code code = client_count == 0 ? UW_OK : uw_pgstore_ready(store, error);

    for (uint32_t first = 0; first < client_count && code == UW_OK; first += CLIENTS_PER_STATEMENT) {
        uint32_t left = client_count - first;

        code = load_some(store, &load, first, left < CLIENTS_PER_STATEMENT ? left : CLIENTS_PER_STATEMENT, error);
    }
    return code;
}
