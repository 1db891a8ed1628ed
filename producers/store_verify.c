/*
 * Reading everything that is stored in one snapshot: the SQL and its rows.
 */
#include "producers/store_verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producers/store_internal.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define SQL_BYTES 4096
/* Lists of one fact. */
#define ARENA_BYTES_MAX ((size_t)16 * 1024 * 1024)
/* The last text of all: U+10FFFF, beyond which no client's name can begin. */
#define LAST_NAME "\xF4\x8F\xBF\xBF"

struct uw_pgaudit {
    struct uw_postgres *postgres;
    struct uw_arena arena;
    char *municipality, *client; /* NULL: all */
    struct uw_columns names;     /* of the clients of a step */
    char *after, *until;         /* names between which the rows of a step lie, the first one excluded */
    uint32_t found;              /* clients of a step */
};

/* Rows of a step are those of the named clients, or all of a range of names. */
#define OF_NAMES "JOIN unnest($3::text[]) w (client) ON w.client = f.client" \
                 " WHERE $1::text IS NOT NULL AND $2::text IS NOT NULL"
#define OF_RANGE "WHERE f.client > $1::text AND f.client <= $2::text"

static const char clients_of_all[] =
    "SELECT client, partition, CASE WHEN next_change_on < '5874897-12-31' THEN next_change_on END, rules_version"
    " FROM urenwacht_data.client_known WHERE client > $1::text AND $3::text IS NULL AND $4::text IS NULL"
    " ORDER BY client LIMIT $2::bigint";
static const char clients_of_filter[] =
    "SELECT client, partition, CASE WHEN next_change_on < '5874897-12-31' THEN next_change_on END, rules_version"
    " FROM urenwacht_data.client_known c WHERE client > $1::text AND ($4::text IS NULL OR client = $4::text)"
    " AND ($3::text IS NULL"
    " OR EXISTS (SELECT FROM urenwacht_data.decision_fact f WHERE f.client = c.client AND f.municipality = $3::text)"
    " OR EXISTS (SELECT FROM urenwacht_data.declaration_fact f WHERE f.client = c.client AND f.municipality = $3::text)"
    " OR EXISTS (SELECT FROM urenwacht_data.no_show_fact f WHERE f.client = c.client AND f.municipality = $3::text)"
    " OR EXISTS (SELECT FROM urenwacht_data.evaluation_fact f WHERE f.client = c.client AND f.municipality = $3::text))"
    " ORDER BY client LIMIT $2::bigint";

/* %s stands for OF_NAMES or OF_RANGE. */
#define STEP_FACTS(columns, table)                                                                                     \
    "SELECT f.client, f.partition, f.kafka_offset, f.redelivery, " columns " FROM urenwacht_data." table " f %s"       \
    " ORDER BY f.redelivery, f.client, f.partition, f.kafka_offset"
static const struct {
    const char *name, *sql;
} step_queries[] = {
    {"step_decisions", STEP_FACTS(UW_STORED_DECISION, "decision_fact")},
    {"step_declarations", STEP_FACTS(UW_STORED_DECLARATION, "declaration_fact")},
    {"step_no_shows", STEP_FACTS(UW_STORED_NO_SHOW, "no_show_fact")},
    {"step_evaluations", STEP_FACTS(UW_STORED_EVALUATION, "evaluation_fact")},
    {"step_accounts",
     "SELECT f.client, f.municipality, f.decision, f.segment_from, f.period_from, f.period_to, f.model,"
     " f.allotted_minutes, f.minimum_minutes, f.used_minutes, f.delivered_minutes, f.no_show_minutes"
     " FROM urenwacht_data.account_state f %s ORDER BY f.client, f.municipality, f.decision, f.segment_from,"
     " f.period_from"},
    {"step_alerts",
     "SELECT f.client, f.alert_id, f.kind, f.status, f.severity, f.municipality, f.decision, f.provider,"
     " f.segment_from, f.period_from, f.threshold, f.effective_on, f.revision FROM urenwacht_data.alert_state f %s"
     " ORDER BY f.client"},
    {"step_anomalies",
     "SELECT f.client, f.anomaly_id, f.kind, f.status, f.municipality, f.decision, f.provider, f.revision, f.subject,"
     " f.subject_kind, f.subject_provider, f.subject_id, f.subject_version FROM urenwacht_data.anomaly_state f %s"
     " ORDER BY f.client"},
};
#define STEP_QUERY_COUNT COUNT_OF(step_queries)

#define ALL_FACTS(columns)                                                                                             \
    "SELECT " columns " FROM urenwacht_data.decision_fact UNION ALL SELECT " columns                                   \
    " FROM urenwacht_data.declaration_fact UNION ALL SELECT " columns " FROM urenwacht_data.no_show_fact"              \
    " UNION ALL SELECT " columns " FROM urenwacht_data.evaluation_fact"
#define FACTS_BY_OFFSET(columns, table)                                                                                \
    "SELECT f.client, f.partition, f.kafka_offset, f.redelivery, " columns " FROM urenwacht_data." table " f"          \
    " WHERE ($1::text IS NULL OR f.municipality = $1::text) AND ($2::text IS NULL OR f.client = $2::text)"               \
    " ORDER BY f.partition, f.kafka_offset"

/* `same` compares what a revision stands for, which every revision changes. The last revision is the current row. */
#define HISTORIES(name, parts)                                                                                         \
    "WITH h AS (SELECT " name "_id AS id, count(*) AS revisions, min(revision) AS first, max(revision) AS last,"       \
    " bool_or(same) AS same, bool_or(revision = 1 AND status <> 'OPEN') AS closed FROM (SELECT " name "_id, revision," \
    " status, (" parts ") IS NOT DISTINCT FROM lag((" parts ")) OVER (PARTITION BY " name "_id ORDER BY revision)"     \
    " AS same FROM (SELECT " name "_id, revision, " parts " FROM urenwacht_data." name "_history UNION ALL"            \
    " SELECT " name "_id, revision, " parts " FROM urenwacht_data." name "_state) u) r GROUP BY " name "_id),"         \
    " checked AS (SELECT h.id::text AS id, s.kind, s.client, s.municipality, s.decision,"                              \
    " CASE WHEN s." name "_id IS NULL THEN 'revisions without the " name " itself'"                                    \
    " WHEN h.first <> 1 OR h.revisions <> h.last OR h.last <> s.revision"                                              \
    " THEN h.revisions || ' from ' || h.first || ' to ' || h.last"                                                     \
    " WHEN h.closed THEN 'the first revision is not OPEN'"                                                             \
    " WHEN h.same THEN 'a revision changes nothing' END"                                                               \
    " AS stored, 'revisions 1 to ' || coalesce(s.revision, 0) || ', the last one as the current row' AS expected"      \
    " FROM h LEFT JOIN urenwacht_data." name "_state s ON h.id = s." name "_id"                                        \
    " WHERE ($1::text IS NULL OR s.municipality = $1::text) AND ($2::text IS NULL OR s.client = $2::text))"            \
    " SELECT * FROM (SELECT id, kind, client, municipality, decision, stored, expected, NULL::bigint AS counted"       \
    " FROM checked WHERE stored IS NOT NULL ORDER BY client, id) f"                                                    \
    " UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, count(*) FROM checked"

static const struct {
    const char *name, *sql;
} queries[] = {
    {"partitions",
     "WITH f AS (SELECT partition, count(*) AS facts FROM (" ALL_FACTS("partition") ") u GROUP BY partition),"
     " o AS (SELECT partition, count(*) AS records, min(sequence) AS first, max(sequence) AS last"
     " FROM urenwacht_data.outbox GROUP BY partition)"
     " SELECT coalesce(s.partition, f.partition, o.partition), s.partition IS NOT NULL, s.topics[1], s.topics[2],"
     " s.topics[3], s.topics[4], s.decisions_offset, s.declarations_offset, s.no_shows_offset, s.evaluations_offset,"
     " s.as_of, s.next_sequence, s.published_sequence, s.rules_fingerprint, s.events, s.refused,"
     " coalesce(f.facts, 0), coalesce(o.records, 0), coalesce(o.first, 0), coalesce(o.last, 0)"
     " FROM urenwacht_data.partition_state s FULL JOIN f ON f.partition = s.partition"
     " FULL JOIN o ON o.partition = coalesce(s.partition, f.partition) ORDER BY 1"},
    {"client_count", "SELECT count(*) FROM urenwacht_data.client_known"},
    {"alert_histories", HISTORIES("alert", "status, severity, effective_on")},
    {"anomaly_histories", HISTORIES("anomaly", "status")},
    {"aggregates",
     "SELECT grain, period_from, municipality, provider, product_category, product, law, care, model,"
     " sum(clients)::bigint, sum(decisions)::bigint, sum(delivered_minutes)::bigint, sum(no_show_minutes)::bigint,"
     " sum(used_minutes)::bigint, sum(allotted_minutes)::bigint, sum(priced_minutes)::bigint,"
     " sum(cost_sixtieths)::bigint FROM urenwacht_data.aggregate WHERE rules_version ="
     " (SELECT urenwacht_data.shown_rules())"
     " AND ($1::text IS NULL OR municipality = $1::text)"
     " GROUP BY grain, period_from, municipality, provider, product_category, product, law, care, model"
     " ORDER BY grain, period_from, municipality, provider, product_category, product, law, care, model"},
    {"outbox_behind", "SELECT partition, sequence, output, key, value, headers FROM urenwacht_data.outbox"
                      " WHERE output = $1::smallint AND (partition, sequence) > ($2::integer, $3::bigint)"
                      " ORDER BY partition, sequence LIMIT $4::bigint"},
    {"find_alert_revisions",
     "SELECT EXISTS (SELECT FROM urenwacht_api.alert_revision h WHERE h.alert_id = w.id AND h.revision = w.revision)"
     " FROM unnest($1::uuid[], $2::integer[]) WITH ORDINALITY w (id, revision, place) ORDER BY w.place"},
    {"find_anomaly_revisions",
     "SELECT EXISTS (SELECT FROM urenwacht_api.anomaly_revision h WHERE h.anomaly_id = w.id"
     " AND h.revision = w.revision)"
     " FROM unnest($1::uuid[], $2::integer[]) WITH ORDINALITY w (id, revision, place) ORDER BY w.place"},
    {"facts_decisions", FACTS_BY_OFFSET(UW_STORED_DECISION, "decision_fact")},
    {"facts_declarations", FACTS_BY_OFFSET(UW_STORED_DECLARATION, "declaration_fact")},
    {"facts_no_shows", FACTS_BY_OFFSET(UW_STORED_NO_SHOW, "no_show_fact")},
    {"facts_evaluations", FACTS_BY_OFFSET(UW_STORED_EVALUATION, "evaluation_fact")},
};

/* Statements over whole tables want the plans that the store's own short ones must not get. */
static const char plan_whole[] = "SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on;"
                                 "SET LOCAL enable_mergejoin = on; SET LOCAL work_mem = '64MB'";
static const char plan_short[] = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off;"
                                 "SET LOCAL enable_mergejoin = off";

/* ---- open and close ---- */

static enum uw_code out_of_memory(struct uw_error *error)
{
    return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "database: out of memory");
}

/* A copy with a NUL; NULL for the null string, and *failed when memory is refused. */
static char *copy_text(struct uw_str text, bool *failed)
{
    char *copy = uw_str_is_null(text) ? NULL : malloc((size_t)text.length + 1);

    if (copy != NULL) {
        memcpy(copy, text.data, text.length);
        copy[text.length] = '\0';
    }
    *failed = *failed || (copy == NULL && !uw_str_is_null(text));
    return copy;
}

static bool is_filtered(const struct uw_pgaudit *audit)
{
    return audit->municipality != NULL || audit->client != NULL;
}

static enum uw_code prepare(struct uw_pgaudit *audit, struct uw_error *error)
{
    char sql[SQL_BYTES];
    enum uw_code code = uw_postgres_prepare(audit->postgres, "step_clients",
                                            is_filtered(audit) ? clients_of_filter : clients_of_all, error);

    for (uint32_t i = 0; i < STEP_QUERY_COUNT && code == UW_OK; i++) {
        const char *mark = strstr(step_queries[i].sql, "%s");

        (void)snprintf(sql, sizeof sql, "%.*s%s%s", (int)(mark - step_queries[i].sql), step_queries[i].sql,
                       is_filtered(audit) ? OF_NAMES : OF_RANGE, mark + 2);
        code = uw_postgres_prepare(audit->postgres, step_queries[i].name, sql, error);
    }
    for (uint32_t i = 0; i < COUNT_OF(queries) && code == UW_OK; i++) {
        code = uw_postgres_prepare(audit->postgres, queries[i].name, queries[i].sql, error);
    }
    return code;
}

static enum uw_code begin(struct uw_pgaudit *audit, struct uw_error *error)
{
    char sql[SQL_BYTES];
    bool fresh = false;
    enum uw_code code = uw_postgres_connect(audit->postgres, &fresh, error);

    if (code != UW_OK) {
        return code;
    }
    uw_postgres_set_patience(audit->postgres, UW_PGAUDIT_TIMEOUT_MS);
    /* Nothing of this connection holds others up, and Kafka may be slow while a statement waits for its reader. */
    (void)snprintf(sql, sizeof sql,
                   "SET statement_timeout = %d; SET idle_in_transaction_session_timeout = 0;"
                   "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                   UW_PGAUDIT_TIMEOUT_MS);
    code = uw_postgres_run(audit->postgres, sql, error);
    return code == UW_OK ? prepare(audit, error) : code;
}

enum uw_code uw_pgaudit_open(const struct uw_pgaudit_options *options, struct uw_pgaudit **audit,
                             struct uw_error *error)
{
    static const enum uw_column_type name_type[] = {UW_COLUMN_TEXT};
    const struct uw_postgres_options connection = {options->dsn, "urenwacht verify", options->timeout_ms};
    struct uw_pgaudit *made = calloc(1, sizeof *made);
    bool failed = made == NULL;
    enum uw_code code;

    if (failed) {
        return out_of_memory(error);
    }
    uw_arena_init(&made->arena, ARENA_BYTES_MAX);
    uw_columns_init(&made->names, name_type, 1);
    made->municipality = copy_text(options->municipality, &failed);
    made->client = copy_text(options->client, &failed);
    made->after = copy_text(UW_STR(""), &failed);
    code = failed ? out_of_memory(error) : uw_postgres_open(&connection, &made->postgres, error);
    if (code == UW_OK) {
        code = begin(made, error);
    }
    if (code != UW_OK) {
        uw_pgaudit_close(&made);
        return code;
    }
    *audit = made;
    return UW_OK;
}

void uw_pgaudit_close(struct uw_pgaudit **audit)
{
    struct uw_pgaudit *closing = *audit;

    if (closing == NULL) {
        return;
    }
    uw_postgres_close(&closing->postgres);
    uw_columns_close(&closing->names);
    uw_arena_close(&closing->arena);
    free(closing->municipality);
    free(closing->client);
    free(closing->after);
    free(closing->until);
    free(closing);
    *audit = NULL;
}

static struct uw_argument text_argument(const char *text)
{
    return (struct uw_argument){text, text == NULL ? 0 : strlen(text)};
}

/* A statement over whole tables. */
static enum uw_code each_whole(struct uw_pgaudit *audit, const char *name, const struct uw_argument *arguments,
                               uint32_t argument_count, uw_postgres_visit *visit, void *context,
                               struct uw_error *error)
{
    struct uw_error second = {.text = ""};
    enum uw_code code = uw_postgres_run(audit->postgres, plan_whole, error);

    if (code != UW_OK) {
        return code;
    }
    code = uw_postgres_each(audit->postgres, name, arguments, argument_count, visit, context, error);
    /* After a failed statement the transaction takes no more of them; the first error is the one to tell. */
    if (code == UW_OK && uw_postgres_run(audit->postgres, plan_short, &second) != UW_OK) {
        *error = second;
        code = second.code;
    }
    return code;
}

/* ---- partitions ---- */

struct visiting {
    struct uw_pgaudit *audit;
    union {
        uw_audit_partition_visit *partition;
        uw_audit_fault_visit *fault;
        uw_audit_aggregate_visit *aggregate;
        uw_outbox_visit *record;
        uw_audit_fact_visit *fact;
    } visit;
    void *context;
    const struct uw_audit_sink *sink;
    enum uw_topic topic;
    bool is_alert;
    int64_t *count;
    bool *found;
    uint32_t found_count;
};

static int64_t long_or_zero(const PGresult *row, int field)
{
    return PQgetisnull(row, 0, field) != 0 ? 0 : uw_field_int8(row, field);
}

static enum uw_code visit_partition(void *context, const PGresult *row)
{
    const struct visiting *visiting = context;
    struct uw_audit_partition partition = {.partition = uw_field_int4(row, 0), .known = uw_field_bool(row, 1)};

    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        partition.topics[i] = uw_field_string(row, 2 + i);
        partition.next_offset[i] = long_or_zero(row, 6 + i);
    }
    partition.as_of_day = uw_field_day(row, 10);
    partition.next_sequence = long_or_zero(row, 11);
    partition.published_sequence = long_or_zero(row, 12);
    partition.rules_fingerprint = (uint64_t)long_or_zero(row, 13);
    partition.events = long_or_zero(row, 14);
    partition.refused = long_or_zero(row, 15);
    partition.facts = uw_field_int8(row, 16);
    partition.outbox_count = uw_field_int8(row, 17);
    partition.outbox_first = uw_field_int8(row, 18);
    partition.outbox_last = uw_field_int8(row, 19);
    return visiting->visit.partition(visiting->context, &partition);
}

enum uw_code uw_pgaudit_partitions(struct uw_pgaudit *audit, uw_audit_partition_visit *visit, void *visit_context,
                                   struct uw_error *error)
{
    struct visiting visiting = {.audit = audit, .visit.partition = visit, .context = visit_context};

    return each_whole(audit, "partitions", NULL, 0, visit_partition, &visiting, error);
}

enum uw_code uw_pgaudit_client_count(struct uw_pgaudit *audit, int64_t *count, struct uw_error *error)
{
    PGresult *result = NULL;
    enum uw_code code;

    if (is_filtered(audit)) {
        *count = 0;
        return UW_OK;
    }
    code = uw_postgres_query(audit->postgres, "client_count", NULL, 0, &result, error);
    if (code == UW_OK) {
        *count = uw_field_int8(result, 0);
    }
    PQclear(result);
    return code;
}

/* ---- a step of clients ---- */

static enum uw_code visit_client(void *context, const PGresult *row)
{
    const struct visiting *visiting = context;
    struct uw_pgaudit *audit = visiting->audit;
    struct uw_str name = uw_field_string(row, 0);
    uint32_t place = 0;
    bool failed = false;
    char *until = copy_text(name, &failed);

    if (failed) {
        return UW_ENOMEM;
    }
    free(audit->until);
    audit->until = until;
    audit->found++;
    uw_columns_string(&audit->names, &place, name);
    return visiting->sink->client(visiting->sink->context, name, uw_field_int4(row, 1), uw_field_day(row, 2),
                                  uw_field_int4(row, 3));
}

static enum uw_code read_fact(const struct visiting *visiting, const PGresult *row, struct uw_audit_fact *fact)
{
    memset(fact, 0, sizeof *fact);
    fact->event.topic = visiting->topic;
    fact->event.client = uw_field_string(row, 0);
    fact->partition = uw_field_int4(row, 1);
    fact->offset = uw_field_int8(row, 2);
    fact->redelivery = uw_field_bool(row, 3);
    return uw_pgstore_read_fact(row, 4, &visiting->audit->arena, &fact->event);
}

static enum uw_code visit_step_fact(void *context, const PGresult *row)
{
    const struct visiting *visiting = context;
    struct uw_audit_fact fact;
    enum uw_code code = read_fact(visiting, row, &fact);

    return code == UW_OK ? visiting->sink->fact(visiting->sink->context, &fact) : code;
}

static enum uw_code visit_account(void *context, const PGresult *row)
{
    const struct visiting *visiting = context;
    const struct uw_account_change account = {
        .client = uw_field_string(row, 0),
        .municipality = uw_field_string(row, 1),
        .decision = uw_field_string(row, 2),
        .segment_from_day = uw_field_day(row, 3),
        .period_from_day = uw_field_day(row, 4),
        .period_to_day = uw_field_day(row, 5),
        .model = (enum uw_model)uw_field_int2(row, 6),
        .allotted_minutes = PQgetisnull(row, 0, 7) != 0 ? UW_MINUTES_NONE : uw_field_int8(row, 7),
        .minimum_minutes = PQgetisnull(row, 0, 8) != 0 ? UW_MINUTES_NONE : uw_field_int8(row, 8),
        .used_minutes = uw_field_int8(row, 9),
        .delivered_minutes = uw_field_int8(row, 10),
        .no_show_minutes = uw_field_int8(row, 11),
    };

    return visiting->sink->account(visiting->sink->context, &account);
}

static enum uw_code visit_alert(void *context, const PGresult *row)
{
    const struct visiting *visiting = context;
    struct uw_audit_outcome outcome;
    struct uw_alert_change *alert = &outcome.alert;

    memset(&outcome, 0, sizeof outcome);
    outcome.client = alert->client = uw_field_string(row, 0);
    memcpy(outcome.id.bytes, PQgetvalue(row, 0, 1), sizeof outcome.id.bytes);
    outcome.readable = uw_alert_kind_parse(uw_field_string(row, 2), &alert->kind) &&
                       uw_status_parse(uw_field_string(row, 3), &alert->status) &&
                       uw_severity_parse(uw_field_string(row, 4), &alert->severity);
    alert->municipality = uw_field_string(row, 5);
    alert->decision = uw_field_string(row, 6);
    alert->provider = uw_field_string(row, 7);
    alert->segment_from_day = uw_field_day(row, 8);
    alert->period_from_day = uw_field_day(row, 9);
    alert->threshold = uw_field_int4_or_none(row, 10);
    alert->effective_on_day = uw_field_day(row, 11);
    alert->revision = uw_field_int4(row, 12);
    return visiting->sink->alert(visiting->sink->context, &outcome);
}

static enum uw_code visit_anomaly(void *context, const PGresult *row)
{
    const struct visiting *visiting = context;
    struct uw_audit_outcome outcome;
    struct uw_anomaly_change *anomaly = &outcome.anomaly;
    char subject[UW_SUBJECT_TEXT_BYTES];
    int16_t subject_kind = uw_field_int2(row, 9);

    memset(&outcome, 0, sizeof outcome);
    outcome.client = anomaly->client = uw_field_string(row, 0);
    memcpy(outcome.id.bytes, PQgetvalue(row, 0, 1), sizeof outcome.id.bytes);
    anomaly->municipality = uw_field_string(row, 4);
    anomaly->decision = uw_field_string(row, 5);
    anomaly->provider = uw_field_string(row, 6);
    anomaly->revision = uw_field_int4(row, 7);
    outcome.readable = uw_anomaly_kind_parse(uw_field_string(row, 2), &anomaly->kind) &&
                       uw_status_parse(uw_field_string(row, 3), &anomaly->status) && subject_kind >= UW_SUBJECT_LINE &&
                       subject_kind <= UW_SUBJECT_VERSION;
    if (outcome.readable) {
        anomaly->subject.kind = (enum uw_subject_kind)subject_kind;
        anomaly->subject.provider = uw_field_string(row, 10);
        anomaly->subject.id = uw_field_string(row, 11);
        anomaly->subject.version = PQgetisnull(row, 0, 12) != 0 ? 0 : uw_field_int4(row, 12);
        (void)uw_subject_format(&anomaly->subject, subject, sizeof subject);
        outcome.readable = uw_str_equal(uw_str_from(subject), uw_field_string(row, 8));
    }
    return visiting->sink->anomaly(visiting->sink->context, &outcome);
}

/* The clients of the step: *last when no further ones follow. */
static enum uw_code find_clients(struct visiting *visiting, uint32_t limit, bool *last, struct uw_error *error)
{
    struct uw_pgaudit *audit = visiting->audit;
    uint8_t count[8];
    const struct uw_argument arguments[] = {text_argument(audit->after), {count, sizeof count},
                                            text_argument(audit->municipality), text_argument(audit->client)};
    enum uw_code code;

    uw_put_int64(count, limit);
    uw_columns_reset(&audit->names);
    audit->found = 0;
    code = uw_postgres_each(audit->postgres, "step_clients", arguments, COUNT_OF(arguments), visit_client, visiting,
                            error);
    if (code != UW_OK) {
        return code;
    }
    *last = audit->found < limit;
    /* The one client that is asked for may have no row of its own. */
    if (audit->client != NULL && audit->found == 0) {
        uint32_t place = 0;

        uw_columns_string(&audit->names, &place, uw_str_from(audit->client));
    }
    return audit->names.failed ? out_of_memory(error) : UW_OK;
}

enum uw_code uw_pgaudit_step(struct uw_pgaudit *audit, uint32_t limit, const struct uw_audit_sink *sink, bool *more,
                             struct uw_error *error)
{
    static uw_postgres_visit *const visits[STEP_QUERY_COUNT] = {
        visit_step_fact, visit_step_fact, visit_step_fact, visit_step_fact, visit_account, visit_alert, visit_anomaly};
    struct visiting visiting = {.audit = audit, .sink = sink};
    struct uw_argument arguments[3];
    bool last = false;
    uint32_t argument_count = is_filtered(audit) ? 3 : 2;
    enum uw_code code = find_clients(&visiting, limit, &last, error);

    if (code != UW_OK) {
        return code;
    }
    arguments[0] = text_argument(audit->after);
    arguments[1] = text_argument(last ? LAST_NAME : audit->until);
    uw_columns_arguments(&audit->names, &arguments[2]);
    for (uint32_t i = 0; i < STEP_QUERY_COUNT && code == UW_OK; i++) {
        /* The first four are numbered as the topics are. */
        visiting.topic = i < UW_TOPIC_COUNT ? (enum uw_topic)i : UW_TOPIC_DECISIONS;
        code = uw_postgres_each(audit->postgres, step_queries[i].name, arguments, argument_count, visits[i], &visiting,
                                error);
    }
    if (code != UW_OK) {
        return code;
    }
    if (!last) {
        free(audit->after);
        audit->after = audit->until;
        audit->until = NULL;
    }
    *more = !last;
    return UW_OK;
}

/* ---- whole tables ---- */

static enum uw_code visit_fault(void *context, const PGresult *row)
{
    const struct visiting *visiting = context;
    const struct uw_audit_fault fault = {
        .is_alert = visiting->is_alert,
        .id = uw_field_string(row, 0),
        .kind = uw_field_string(row, 1),
        .client = uw_field_string(row, 2),
        .municipality = uw_field_string(row, 3),
        .decision = uw_field_string(row, 4),
        .stored = uw_field_string(row, 5),
        .expected = uw_field_string(row, 6),
    };

    /* The last row is the count. */
    if (PQgetisnull(row, 0, 7) == 0) {
        *visiting->count += uw_field_int8(row, 7);
        return UW_OK;
    }
    return visiting->visit.fault(visiting->context, &fault);
}

enum uw_code uw_pgaudit_histories(struct uw_pgaudit *audit, uw_audit_fault_visit *visit, void *visit_context,
                                  int64_t *count, struct uw_error *error)
{
    const struct uw_argument arguments[] = {text_argument(audit->municipality), text_argument(audit->client)};
    int64_t counted = 0;
    struct visiting visiting = {
        .audit = audit, .visit.fault = visit, .context = visit_context, .is_alert = true, .count = &counted};
    enum uw_code code = each_whole(audit, "alert_histories", arguments, 2, visit_fault, &visiting, error);

    visiting.is_alert = false;
    if (code == UW_OK) {
        code = each_whole(audit, "anomaly_histories", arguments, 2, visit_fault, &visiting, error);
    }
    if (code == UW_OK) {
        *count = counted;
    }
    return code;
}

static enum uw_code visit_aggregate(void *context, const PGresult *row)
{
    const struct visiting *visiting = context;
    const struct uw_aggregate_change change = {
        .grain = (enum uw_grain)uw_field_int2(row, 0),
        .period_from_day = uw_field_day(row, 1),
        .municipality = uw_field_string(row, 2),
        .provider = uw_field_string(row, 3),
        .product_category = uw_field_string(row, 4),
        .product = uw_field_string(row, 5),
        .law = (enum uw_law)uw_field_int2(row, 6),
        .care = (enum uw_care)uw_field_int2(row, 7),
        .model = (enum uw_model)uw_field_int2(row, 8),
        .clients = uw_field_int8(row, 9),
        .decisions = uw_field_int8(row, 10),
        .delivered_minutes = uw_field_int8(row, 11),
        .no_show_minutes = uw_field_int8(row, 12),
        .used_minutes = uw_field_int8(row, 13),
        .allotted_minutes = uw_field_int8(row, 14),
        .priced_minutes = uw_field_int8(row, 15),
        .cost_sixtieths = uw_field_int8(row, 16),
    };

    return visiting->visit.aggregate(visiting->context, &change);
}

enum uw_code uw_pgaudit_aggregates(struct uw_pgaudit *audit, uw_audit_aggregate_visit *visit, void *visit_context,
                                   struct uw_error *error)
{
    const struct uw_argument argument = text_argument(audit->municipality);
    struct visiting visiting = {.audit = audit, .visit.aggregate = visit, .context = visit_context};

    return each_whole(audit, "aggregates", &argument, 1, visit_aggregate, &visiting, error);
}

static enum uw_code visit_record(void *context, const PGresult *row)
{
    const struct visiting *visiting = context;
    struct uw_outbox_record record = {.partition = uw_field_int4(row, 0)};
    struct uw_header *headers = NULL;
    int16_t output = uw_field_int2(row, 2);
    enum uw_code code;

    if (output < 0 || output >= UW_OUTPUT_COUNT) {
        return UW_EINTERNAL;
    }
    record.sequence = uw_field_int8(row, 1);
    record.output = (enum uw_output)output;
    record.key = uw_field_string(row, 3);
    record.value = uw_field_string(row, 4);
    uw_arena_reset(&visiting->audit->arena);
    code = uw_pgstore_unpack_headers(uw_field_string(row, 5), &visiting->audit->arena, &headers, &record.header_count);
    if (code != UW_OK) {
        return code;
    }
    record.headers = headers;
    return visiting->visit.record(visiting->context, &record);
}

enum uw_code uw_pgaudit_outbox(struct uw_pgaudit *audit, enum uw_output output, int32_t after_partition,
                               int64_t after_sequence, uint32_t limit, uw_outbox_visit *visit, void *visit_context,
                               struct uw_error *error)
{
    struct visiting visiting = {.audit = audit, .visit.record = visit, .context = visit_context};
    uint8_t number[2] = {0, (uint8_t)output}, partition[4], sequence[8], count[8];
    const struct uw_argument arguments[] = {{number, sizeof number}, {partition, sizeof partition},
                                            {sequence, sizeof sequence}, {limit == 0 ? NULL : count, sizeof count}};

    uw_put_int32(partition, after_partition);
    uw_put_int64(sequence, after_sequence);
    uw_put_int64(count, limit);
    return uw_postgres_each(audit->postgres, "outbox_behind", arguments, COUNT_OF(arguments), visit_record, &visiting,
                            error);
}

static enum uw_code visit_found(void *context, const PGresult *row)
{
    struct visiting *visiting = context;

    visiting->found[visiting->found_count++] = uw_field_bool(row, 0);
    return UW_OK;
}

enum uw_code uw_pgaudit_find_revisions(struct uw_pgaudit *audit, bool alerts, const struct uw_uuid *ids,
                                       const int32_t *revisions, uint32_t count, bool *found, struct uw_error *error)
{
    static const enum uw_column_type types[] = {UW_COLUMN_UUID, UW_COLUMN_INT4};
    struct visiting visiting = {.audit = audit, .found = found};
    struct uw_argument arguments[2];
    struct uw_columns columns;
    enum uw_code code;

    uw_columns_init(&columns, types, 2);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = 0;

        uw_columns_uuid(&columns, &place, ids[i].bytes);
        uw_columns_int4(&columns, &place, revisions[i]);
    }
    uw_columns_arguments(&columns, arguments);
    code = columns.failed
               ? out_of_memory(error)
               : uw_postgres_each(audit->postgres, alerts ? "find_alert_revisions" : "find_anomaly_revisions",
                                  arguments, 2, visit_found, &visiting, error);
    uw_columns_close(&columns);
    return code;
}

static enum uw_code visit_fact_by_offset(void *context, const PGresult *row)
{
    const struct visiting *visiting = context;
    struct uw_audit_fact fact;
    enum uw_code code = read_fact(visiting, row, &fact);

    return code == UW_OK ? visiting->visit.fact(visiting->context, &fact) : code;
}

/* Sorted by PostgreSQL, in files of its own when they are many: no index has that order. */
enum uw_code uw_pgaudit_facts(struct uw_pgaudit *audit, enum uw_topic topic, uw_audit_fact_visit *visit,
                              void *visit_context, struct uw_error *error)
{
    static const char *const names[UW_TOPIC_COUNT] = {"facts_decisions", "facts_declarations", "facts_no_shows",
                                                      "facts_evaluations"};
    struct visiting visiting = {.audit = audit, .visit.fact = visit, .context = visit_context, .topic = topic};
    const struct uw_argument arguments[] = {text_argument(audit->municipality), text_argument(audit->client)};

    return each_whole(audit, names[topic], arguments, COUNT_OF(arguments), visit_fact_by_offset, &visiting, error);
}
