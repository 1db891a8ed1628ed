/*
 * The SQL of the store. Rows come as one array a column; every statement is prepared once a connection.
 */
#include "producers/store_internal.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

#define FACT_COLUMNS "partition, kafka_offset, accepted_at, redelivery, event_id, event_id_upper, recorded_at, " \
                     "client, municipality, decision"
#define FACT_ARRAYS "$1::integer[], $2::bigint[], $3::timestamptz[], $4::boolean[], $5::uuid[], $6::integer[], " \
                    "$7::timestamptz[], $8::text[], $9::text[], $10::text[]"
#define FACT_TYPES UW_COLUMN_INT4, UW_COLUMN_INT8, UW_COLUMN_TIMESTAMPTZ, UW_COLUMN_BOOL, UW_COLUMN_UUID, \
                   UW_COLUMN_INT4, UW_COLUMN_TIMESTAMPTZ, UW_COLUMN_TEXT, UW_COLUMN_TEXT, UW_COLUMN_TEXT

#define DECISION_COLUMNS FACT_COLUMNS ", provider, version, status, law, product_category, product, care, " \
    "valid_from, valid_to, effective_from, model, frequency, volume_minutes, min_minutes, max_minutes, " \
    "minutes_per_year, minutes_per_week, surplus_minutes, price_cents, expected_minutes_per_week, result, " \
    "billable_percent, max_per_month, notice_hours, counts_to_budget, evaluation_months, rate_cents_per_hour"
#define DECLARATION_COLUMNS FACT_COLUMNS ", provider, line, kind, corrects, performed_on, performed_until, " \
    "started_at, minutes, staff"
#define NO_SHOW_COLUMNS FACT_COLUMNS ", provider, no_show, status, appointment_on, appointment_at, " \
    "planned_minutes, reason, notice_minutes, staff"
#define EVALUATION_COLUMNS FACT_COLUMNS ", held_on, outcome"

static const enum uw_column_type decision_types[] = {
    FACT_TYPES,       UW_COLUMN_TEXT, UW_COLUMN_INT4, UW_COLUMN_INT2, UW_COLUMN_INT2, UW_COLUMN_TEXT,
    UW_COLUMN_TEXT,   UW_COLUMN_INT2, UW_COLUMN_DATE, UW_COLUMN_DATE, UW_COLUMN_DATE, UW_COLUMN_INT2,
    UW_COLUMN_INT2,   UW_COLUMN_INT4, UW_COLUMN_INT4, UW_COLUMN_INT4, UW_COLUMN_INT4, UW_COLUMN_INT4,
    UW_COLUMN_INT4,   UW_COLUMN_INT4, UW_COLUMN_INT4, UW_COLUMN_TEXT, UW_COLUMN_INT2, UW_COLUMN_INT4,
    UW_COLUMN_INT2,   UW_COLUMN_BOOL, UW_COLUMN_INT4_LIST, UW_COLUMN_INT4,
};
static const enum uw_column_type declaration_types[] = {
    FACT_TYPES,     UW_COLUMN_TEXT, UW_COLUMN_TEXT,        UW_COLUMN_INT2, UW_COLUMN_TEXT,
    UW_COLUMN_DATE, UW_COLUMN_DATE, UW_COLUMN_TIMESTAMPTZ, UW_COLUMN_INT4, UW_COLUMN_TEXT,
};
static const enum uw_column_type no_show_types[] = {
    FACT_TYPES,            UW_COLUMN_TEXT, UW_COLUMN_TEXT, UW_COLUMN_INT2, UW_COLUMN_DATE,
    UW_COLUMN_TIMESTAMPTZ, UW_COLUMN_INT4, UW_COLUMN_INT2, UW_COLUMN_INT4, UW_COLUMN_TEXT,
};
static const enum uw_column_type evaluation_types[] = {FACT_TYPES, UW_COLUMN_DATE, UW_COLUMN_INT2};

static const enum uw_column_type client_types[] = {UW_COLUMN_TEXT, UW_COLUMN_INT4, UW_COLUMN_DATE, UW_COLUMN_INT4};

static const enum uw_column_type waiting_types[] = {UW_COLUMN_TEXT, UW_COLUMN_INT4};
static const enum uw_column_type partition_types[] = {UW_COLUMN_INT4};

static const enum uw_column_type account_types[] = {
    UW_COLUMN_TEXT, UW_COLUMN_TEXT, UW_COLUMN_TEXT, UW_COLUMN_DATE, UW_COLUMN_DATE, UW_COLUMN_DATE,
    UW_COLUMN_INT2, UW_COLUMN_INT8, UW_COLUMN_INT8, UW_COLUMN_INT8, UW_COLUMN_INT8, UW_COLUMN_INT8,
};
/* The first five of account_types; the first of them is the client. */
#define ACCOUNT_KEY_COUNT 5

static const enum uw_column_type alert_types[] = {
    UW_COLUMN_UUID, UW_COLUMN_INT4, UW_COLUMN_TEXT, UW_COLUMN_TEXT,  UW_COLUMN_TEXT,
    UW_COLUMN_TEXT, UW_COLUMN_TEXT, UW_COLUMN_TEXT, UW_COLUMN_TEXT,  UW_COLUMN_DATE,
    UW_COLUMN_DATE, UW_COLUMN_INT4, UW_COLUMN_DATE, UW_COLUMN_JSONB, UW_COLUMN_TIMESTAMPTZ,
};
static const enum uw_column_type quiet_types[] = {UW_COLUMN_UUID, UW_COLUMN_TEXT};

static const enum uw_column_type anomaly_types[] = {
    UW_COLUMN_UUID, UW_COLUMN_INT4, UW_COLUMN_TEXT, UW_COLUMN_TEXT,  UW_COLUMN_TEXT,
    UW_COLUMN_TEXT, UW_COLUMN_TEXT, UW_COLUMN_TEXT, UW_COLUMN_TEXT,  UW_COLUMN_JSONB,
    UW_COLUMN_TIMESTAMPTZ, UW_COLUMN_INT2, UW_COLUMN_TEXT, UW_COLUMN_TEXT, UW_COLUMN_INT4,
};

static const enum uw_column_type aggregate_key_types[] = {
    UW_COLUMN_UUID, UW_COLUMN_INT4, UW_COLUMN_INT4, UW_COLUMN_TEXT, UW_COLUMN_TEXT,
    UW_COLUMN_TEXT, UW_COLUMN_TEXT, UW_COLUMN_INT2, UW_COLUMN_INT2, UW_COLUMN_INT2,
};
static const enum uw_column_type aggregate_types[] = {
    UW_COLUMN_UUID, UW_COLUMN_INT2, UW_COLUMN_DATE, UW_COLUMN_INT8, UW_COLUMN_INT8, UW_COLUMN_INT8,
    UW_COLUMN_INT8, UW_COLUMN_INT8, UW_COLUMN_INT8, UW_COLUMN_INT8, UW_COLUMN_INT8,
};
/* The first three of aggregate_types. */
#define AGGREGATE_KEY_COUNT 3

static const enum uw_column_type outbox_types[] = {UW_COLUMN_INT4,  UW_COLUMN_INT8,  UW_COLUMN_INT2,
                                                   UW_COLUMN_BYTEA, UW_COLUMN_BYTEA, UW_COLUMN_BYTEA};

static const char insert_declarations[] =
    "INSERT INTO urenwacht_data.declaration_fact (" DECLARATION_COLUMNS ") SELECT * FROM unnest(" FACT_ARRAYS
    ", $11::text[], $12::text[], $13::smallint[], $14::text[], $15::date[], $16::date[], $17::timestamptz[],"
    " $18::integer[], $19::text[])";
static const char insert_no_shows[] =
    "INSERT INTO urenwacht_data.no_show_fact (" NO_SHOW_COLUMNS ") SELECT * FROM unnest(" FACT_ARRAYS
    ", $11::text[], $12::text[], $13::smallint[], $14::date[], $15::timestamptz[], $16::integer[],"
    " $17::smallint[], $18::integer[], $19::text[])";
static const char insert_evaluations[] =
    "INSERT INTO urenwacht_data.evaluation_fact (" EVALUATION_COLUMNS ") SELECT * FROM unnest(" FACT_ARRAYS
    ", $11::date[], $12::smallint[])";

#define CLIENT_COLUMNS "client, partition, next_change_on, rules_version"

static const char add_clients[] =
    "INSERT INTO urenwacht_data.client (" CLIENT_COLUMNS ")"
    " SELECT * FROM unnest($1::text[], $2::integer[], $3::date[], $4::integer[])";
/* A row that stays the same is not written again. Of an INSERT that meets the row each would be locked first, which
 * costs a fifth more. */
static const char update_clients[] =
    "UPDATE urenwacht_data.client c SET partition = w.partition, next_change_on = w.next_change_on,"
    " rules_version = w.rules_version"
    " FROM unnest($1::text[], $2::integer[], $3::date[], $4::integer[])"
    " w (client, partition, next_change_on, rules_version) WHERE c.client = w.client"
    " AND (c.partition, c.next_change_on, c.rules_version)"
    " IS DISTINCT FROM (w.partition, w.next_change_on, w.rules_version)";

/* A list for each partition of the batch. */
static const char add_waiting[] =
    "INSERT INTO urenwacht_data.client_waiting (partition, clients)"
    " SELECT w.partition, array_agg(w.client) FROM unnest($1::text[], $2::integer[]) w (client, partition)"
    " GROUP BY w.partition";
static const char delete_waiting[] =
    "DELETE FROM urenwacht_data.client_waiting WHERE partition = ANY ($1::integer[])";

#define ACCOUNT_COLUMNS "client, municipality, decision, segment_from, period_from, period_to, model," \
    " allotted_minutes, minimum_minutes, used_minutes, delivered_minutes, no_show_minutes"

static const char write_accounts[] =
    "INSERT INTO urenwacht_data.account_state (" ACCOUNT_COLUMNS ")"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::date[], $6::date[], $7::smallint[],"
    " $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])"
    " ON CONFLICT (client, municipality, decision, segment_from, period_from) DO UPDATE SET"
    " period_to = excluded.period_to, model = excluded.model, allotted_minutes = excluded.allotted_minutes,"
    " minimum_minutes = excluded.minimum_minutes, used_minutes = excluded.used_minutes,"
    " delivered_minutes = excluded.delivered_minutes, no_show_minutes = excluded.no_show_minutes";
static const char delete_accounts[] =
    "DELETE FROM urenwacht_data.account_state a"
    " USING unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::date[])"
    " w (client, municipality, decision, segment_from, period_from)"
    " WHERE a.client = w.client AND a.municipality = w.municipality AND a.decision = w.decision"
    " AND a.segment_from = w.segment_from AND a.period_from = w.period_from";

static const char drop_accounts[] = "DELETE FROM urenwacht_data.account_state WHERE client = ANY ($1::text[])";

#define ALERT_COLUMNS "alert_id, revision, status, kind, severity, client, municipality, decision, provider," \
    " segment_from, period_from, threshold, effective_on, payload, observed_at"
#define ALERT_HISTORY_COLUMNS "alert_id, revision, status, severity, provider, effective_on, payload, observed_at"

/* What an alert was moves into the history. Both parts of the statement see the rows as they were before it. */
static const char write_alerts[] =
    "WITH over AS (INSERT INTO urenwacht_data.alert_history (" ALERT_HISTORY_COLUMNS ")"
    " SELECT alert_id, s.revision, s.status, s.severity, coalesce(s.revision_provider, s.provider), s.effective_on,"
    " s.payload, s.observed_at FROM unnest($1::uuid[]) w (alert_id) JOIN urenwacht_data.alert_state s USING (alert_id))"
    " INSERT INTO urenwacht_data.alert_state (" ALERT_COLUMNS ")"
    " SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],"
    " $8::text[], $9::text[], $10::date[], $11::date[], $12::integer[], $13::date[], $14::jsonb[], $15::timestamptz[])"
    " ON CONFLICT (alert_id) DO UPDATE SET revision = excluded.revision, status = excluded.status,"
    " severity = excluded.severity, provider = excluded.provider, effective_on = excluded.effective_on,"
    " payload = excluded.payload, observed_at = excluded.observed_at, revision_provider = NULL";
/* The revision keeps the provider with which it was told. */
static const char correct_alerts[] =
    "UPDATE urenwacht_data.alert_state a SET provider = w.provider,"
    " revision_provider = coalesce(a.revision_provider, a.provider)"
    " FROM unnest($1::uuid[], $2::text[]) w (alert_id, provider) WHERE a.alert_id = w.alert_id";

#define ANOMALY_COLUMNS "anomaly_id, revision, status, kind, client, municipality, decision, provider, subject, payload," \
    " observed_at, subject_kind, subject_provider, subject_id, subject_version"
#define ANOMALY_HISTORY_COLUMNS "anomaly_id, revision, status, provider, payload, observed_at"

static const char write_anomalies[] =
    "WITH over AS (INSERT INTO urenwacht_data.anomaly_history (" ANOMALY_HISTORY_COLUMNS ")"
    " SELECT anomaly_id, s.revision, s.status, coalesce(s.revision_provider, s.provider), s.payload, s.observed_at"
    " FROM unnest($1::uuid[]) w (anomaly_id) JOIN urenwacht_data.anomaly_state s USING (anomaly_id))"
    " INSERT INTO urenwacht_data.anomaly_state (" ANOMALY_COLUMNS ")"
    " SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],"
    " $8::text[], $9::text[], $10::jsonb[], $11::timestamptz[], $12::smallint[], $13::text[], $14::text[],"
    " $15::integer[])"
    " ON CONFLICT (anomaly_id) DO UPDATE SET revision = excluded.revision, status = excluded.status,"
    " provider = excluded.provider, payload = excluded.payload, observed_at = excluded.observed_at,"
    " revision_provider = NULL";
static const char correct_anomalies[] =
    "UPDATE urenwacht_data.anomaly_state a SET provider = w.provider,"
    " revision_provider = coalesce(a.revision_provider, a.provider)"
    " FROM unnest($1::uuid[], $2::text[]) w (anomaly_id, provider) WHERE a.anomaly_id = w.anomaly_id";

#define AGGREGATE_KEY_COLUMNS "id, rules_version, writer, municipality, provider, product_category, product, law, care," \
    " model"

/* Rows are never changed: the id follows from them. */
static const char add_aggregate_keys[] =
    "INSERT INTO urenwacht_data.aggregate_key (" AGGREGATE_KEY_COLUMNS ")"
    " SELECT * FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[],"
    " $8::smallint[], $9::smallint[], $10::smallint[]) ON CONFLICT (rules_version, id) DO NOTHING";
#define AGGREGATE_COLUMNS "key, grain, period_from, clients, decisions, delivered_minutes," \
    " no_show_minutes, used_minutes, allotted_minutes, priced_minutes, cost_sixtieths"

static const char add_aggregates[] =
    "INSERT INTO urenwacht_data.aggregate_sum AS a (" AGGREGATE_COLUMNS ")"
    " SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::date[], $4::bigint[], $5::bigint[], $6::bigint[],"
    " $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])"
    " ON CONFLICT (key, period_from, grain) DO UPDATE SET"
    " clients = a.clients + excluded.clients, decisions = a.decisions + excluded.decisions,"
    " delivered_minutes = a.delivered_minutes + excluded.delivered_minutes,"
    " no_show_minutes = a.no_show_minutes + excluded.no_show_minutes,"
    " used_minutes = a.used_minutes + excluded.used_minutes,"
    " allotted_minutes = a.allotted_minutes + excluded.allotted_minutes,"
    " priced_minutes = a.priced_minutes + excluded.priced_minutes,"
    " cost_sixtieths = a.cost_sixtieths + excluded.cost_sixtieths";
static const char delete_aggregates[] =
    "DELETE FROM urenwacht_data.aggregate_sum a"
    " USING unnest($1::uuid[], $2::smallint[], $3::date[]) w (key, grain, period_from)"
    " WHERE a.key = w.key AND a.grain = w.grain AND a.period_from = w.period_from"
    " AND (a.clients, a.decisions, a.delivered_minutes, a.no_show_minutes, a.used_minutes, a.allotted_minutes,"
    " a.priced_minutes, a.cost_sixtieths) = (0, 0, 0, 0, 0, 0, 0, 0)";

#define OUTBOX_COLUMNS "partition, sequence, output, key, value, headers"

static const char insert_outbox[] =
    "INSERT INTO urenwacht_data.outbox (" OUTBOX_COLUMNS ")"
    " SELECT * FROM unnest($1::integer[], $2::bigint[], $3::smallint[], $4::bytea[], $5::bytea[], $6::bytea[])";

#define COPY_ROWS(table, columns) "COPY urenwacht_data." table " (" columns ") FROM STDIN (FORMAT binary)"

/* Decisions have no statement: a list in every row cannot be unnested. They are few and always copied. */
static const struct uw_table_shape shapes[UW_TABLE_COUNT] = {
    [UW_TABLE_DECISIONS] = {NULL, COPY_ROWS("decision_fact", DECISION_COLUMNS), NULL, decision_types,
                            COUNT_OF(decision_types)},
    [UW_TABLE_DECLARATIONS] = {"insert_declarations", COPY_ROWS("declaration_fact", DECLARATION_COLUMNS),
                               insert_declarations, declaration_types, COUNT_OF(declaration_types)},
    [UW_TABLE_NO_SHOWS] = {"insert_no_shows", COPY_ROWS("no_show_fact", NO_SHOW_COLUMNS), insert_no_shows,
                           no_show_types, COUNT_OF(no_show_types)},
    [UW_TABLE_EVALUATIONS] = {"insert_evaluations", COPY_ROWS("evaluation_fact", EVALUATION_COLUMNS),
                              insert_evaluations, evaluation_types, COUNT_OF(evaluation_types)},
    [UW_TABLE_CLIENTS_NEW] = {"add_clients", COPY_ROWS("client", CLIENT_COLUMNS), add_clients, client_types,
                              COUNT_OF(client_types)},
    [UW_TABLE_CLIENTS] = {"update_clients", NULL, update_clients, client_types, COUNT_OF(client_types)},
    [UW_TABLE_CLIENTS_WAITING] = {"add_waiting", NULL, add_waiting, waiting_types, COUNT_OF(waiting_types)},
    [UW_TABLE_PARTITIONS_WAITED] = {"delete_waiting", NULL, delete_waiting, partition_types,
                                    COUNT_OF(partition_types)},
    [UW_TABLE_ACCOUNTS_REMOVED] = {"delete_accounts", NULL, delete_accounts, account_types, ACCOUNT_KEY_COUNT},
    [UW_TABLE_ACCOUNTS_NEW] = {"write_accounts", COPY_ROWS("account_state", ACCOUNT_COLUMNS), NULL, account_types,
                               COUNT_OF(account_types)},
    [UW_TABLE_ACCOUNTS] = {"write_accounts", NULL, write_accounts, account_types, COUNT_OF(account_types)},
    [UW_TABLE_ALERTS_NEW] = {"write_alerts", COPY_ROWS("alert_state", ALERT_COLUMNS), NULL, alert_types,
                             COUNT_OF(alert_types)},
    [UW_TABLE_ALERTS] = {"write_alerts", NULL, write_alerts, alert_types, COUNT_OF(alert_types)},
    [UW_TABLE_ALERTS_QUIET] = {"correct_alerts", NULL, correct_alerts, quiet_types, COUNT_OF(quiet_types)},
    [UW_TABLE_ANOMALIES_NEW] = {"write_anomalies", COPY_ROWS("anomaly_state", ANOMALY_COLUMNS), NULL, anomaly_types,
                                COUNT_OF(anomaly_types)},
    [UW_TABLE_ANOMALIES] = {"write_anomalies", NULL, write_anomalies, anomaly_types, COUNT_OF(anomaly_types)},
    [UW_TABLE_ANOMALIES_QUIET] = {"correct_anomalies", NULL, correct_anomalies, quiet_types, COUNT_OF(quiet_types)},
    [UW_TABLE_AGGREGATE_KEYS_NEW] = {"add_aggregate_keys", COPY_ROWS("aggregate_key", AGGREGATE_KEY_COLUMNS), NULL,
                                     aggregate_key_types, COUNT_OF(aggregate_key_types)},
    [UW_TABLE_AGGREGATE_KEYS] = {"add_aggregate_keys", NULL, add_aggregate_keys, aggregate_key_types,
                                 COUNT_OF(aggregate_key_types)},
    [UW_TABLE_AGGREGATES_NEW] = {"add_aggregates", COPY_ROWS("aggregate_sum", AGGREGATE_COLUMNS), NULL,
                                 aggregate_types, COUNT_OF(aggregate_types)},
    [UW_TABLE_AGGREGATES] = {"add_aggregates", NULL, add_aggregates, aggregate_types, COUNT_OF(aggregate_types)},
    [UW_TABLE_AGGREGATES_SHRUNK] = {"delete_aggregates", NULL, delete_aggregates, aggregate_types,
                                    AGGREGATE_KEY_COUNT},
    [UW_TABLE_OUTBOX] = {"insert_outbox", COPY_ROWS("outbox", OUTBOX_COLUMNS), insert_outbox, outbox_types,
                         COUNT_OF(outbox_types)},
    [UW_TABLE_ACCOUNTS_DROPPED] = {"drop_accounts", NULL, drop_accounts, account_types, 1},
};

const struct uw_table_shape *uw_table_shape(enum uw_table table)
{
    return &shapes[table];
}

#define LOAD_FROM(table) " FROM unnest($1::text[]) WITH ORDINALITY w (client, place)" \
                         " JOIN urenwacht_data." table " f ON f.client = w.client"
#define LOAD_PLACE "SELECT (w.place - 1)::integer, "

static const struct {
    const char *name, *sql;
} others[] = {
    {"begin", "BEGIN"},
    {"commit", "COMMIT"},
    {"backend", "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"},
    {"end_backend", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid = $1::integer AND backend_start = $2::timestamptz"},
    /* Ends the session that holds the partition's row, if the server waits for its client: a process that was frozen in
     * the middle of a batch, or is gone without a word. No timeout of the server ends a COPY whose data do not come
     * (the statement's does so only when they come again). A former owner that works is waited for;
     * one that is only slow to send may be ended as well, which costs it its batch and nothing else. */
    {"end_holder", "SELECT pg_terminate_backend(a.pid) FROM urenwacht_data.partition_state s"
                   " JOIN pg_locks l ON l.locktype = 'transactionid' AND l.granted AND l.transactionid = s.xmax"
                   " JOIN pg_stat_activity a ON a.pid = l.pid"
                   " WHERE s.partition = $1::integer AND a.wait_event_type = 'Client'"},
    {"new_mark", "SELECT gen_random_uuid()"},
    {"no_sums", "SELECT NOT EXISTS (SELECT FROM urenwacht_data.aggregate_sum)"
                " AND NOT EXISTS (SELECT FROM urenwacht_data.aggregate_key)"},
    {"try_slot", "SELECT pg_try_advisory_lock($1::integer, $2::integer)"},
    {"claim", "INSERT INTO urenwacht_data.partition_state AS s (partition, epoch, owner, claimed_at, topics,"
              " rules_version) SELECT $1::integer, 1, $2::text, now(), $3::text[], $4::integer"
              " WHERE NOT EXISTS (SELECT FROM urenwacht_data.input WHERE partition_count <= $1::integer)"
              " ON CONFLICT (partition) DO UPDATE SET epoch = s.epoch + 1, owner = excluded.owner,"
              " claimed_at = excluded.claimed_at, topics = excluded.topics, rules_version = excluded.rules_version"
              " WHERE s.rules_version <= excluded.rules_version"
              " RETURNING epoch, decisions_offset, declarations_offset, no_shows_offset, evaluations_offset,"
              " next_sequence, published_sequence, rules_fingerprint, as_of"},
    {"standing", "SELECT epoch, next_sequence FROM urenwacht_data.partition_state WHERE partition = $1::integer"},
    {"unclaimed", "SELECT coalesce((SELECT partition_count FROM urenwacht_data.input), $1::integer + 1),"
                  " coalesce((SELECT rules_version FROM urenwacht_data.partition_state"
                  " WHERE partition = $1::integer), 0)"},
    /* An update of nothing returns the row, which a second INSERT would not. */
    {"check_partitions", "INSERT INTO urenwacht_data.input AS i (partition_count) VALUES ($1::integer)"
                         " ON CONFLICT (single) DO UPDATE SET partition_count = i.partition_count"
                         " RETURNING i.partition_count"},
    {"advance", "SELECT urenwacht_data.advance($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[],"
                " $5::bigint[], $6::date[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::uuid)"},
    /* Waits for a transaction that is still under way, so that what is read is settled. */
    {"settle", "SELECT epoch, last_commit IS NOT DISTINCT FROM $2::uuid FROM urenwacht_data.partition_state"
               " WHERE partition = ANY ($1::integer[]) ORDER BY partition FOR UPDATE"},
    {"load_decisions", LOAD_PLACE UW_STORED_DECISION LOAD_FROM("decision_fact") " WHERE NOT f.redelivery"},
    {"load_declarations", LOAD_PLACE UW_STORED_DECLARATION LOAD_FROM("declaration_fact") " WHERE NOT f.redelivery"},
    {"load_no_shows", LOAD_PLACE UW_STORED_NO_SHOW LOAD_FROM("no_show_fact") " WHERE NOT f.redelivery"},
    {"load_evaluations", LOAD_PLACE UW_STORED_EVALUATION LOAD_FROM("evaluation_fact") " WHERE NOT f.redelivery"},
    {"load_alerts", "SELECT (w.place - 1)::integer, f.kind, f.status, f.severity, f.municipality, f.decision,"
                    " f.provider, f.segment_from, f.period_from, f.threshold, f.effective_on, f.revision"
                    LOAD_FROM("alert_state")},
    {"load_anomalies", "SELECT (w.place - 1)::integer, f.kind, f.status, f.municipality, f.decision, f.provider,"
                       " f.revision, f.subject_kind, f.subject_provider, f.subject_id, f.subject_version"
                       LOAD_FROM("anomaly_state")},
    {"load_clients", "SELECT (w.place - 1)::integer, f.next_change_on, f.rules_version" LOAD_FROM("client")},
    {"load_known_clients",
     "SELECT (w.place - 1)::integer, f.next_change_on, f.rules_version" LOAD_FROM("client")
     " UNION ALL SELECT DISTINCT (w.place - 1)::integer, '-infinity'::date, 0"
     " FROM (SELECT unnest(clients) AS client FROM urenwacht_data.client_waiting) l"
     " JOIN unnest($1::text[]) WITH ORDINALITY w (client, place) ON w.client = l.client"
     " WHERE NOT EXISTS (SELECT FROM urenwacht_data.client c WHERE c.client = l.client)"},
    {"outbox", "SELECT sequence, output, key, value, headers FROM urenwacht_data.outbox"
               " WHERE partition = $1::integer AND sequence > $2::bigint ORDER BY sequence LIMIT $3::bigint"},
    {"due", "SELECT client FROM urenwacht_data.client WHERE partition = $1::integer AND next_change_on <= $2::date"
            " ORDER BY next_change_on LIMIT $3::bigint"},
    {"due_count", "SELECT count(*) FROM (SELECT FROM urenwacht_data.client_known WHERE partition = $1::integer"
                  " AND next_change_on <= $2::date LIMIT $3::bigint) c"},
    {"mark_state", "UPDATE urenwacht_data.partition_state SET rules_fingerprint = $3::bigint"
                   " WHERE partition = $1::integer AND epoch = $2::bigint RETURNING 1"},
    {"mark_clients", "UPDATE urenwacht_data.client SET next_change_on = '-infinity'"
                     " WHERE partition = $1::integer AND next_change_on IS DISTINCT FROM '-infinity'"},
    /* Keys with all their rows, of which a year makes some 64. */
    {"sweep", "WITH former AS MATERIALIZED (SELECT id, ctid AS place FROM urenwacht_data.aggregate_key"
              " WHERE rules_version < $1::integer"
              " AND NOT EXISTS (SELECT FROM urenwacht_data.client WHERE rules_version < $1::integer)"
              " AND NOT EXISTS (SELECT FROM urenwacht_data.partition_state WHERE rules_version < $1::integer)"
              " LIMIT greatest($2::bigint / 64, 1)),"
              " sums AS (DELETE FROM urenwacht_data.aggregate_sum WHERE ctid = ANY (ARRAY(SELECT s.ctid FROM former f"
              " JOIN urenwacht_data.aggregate_sum s ON s.key = f.id)) RETURNING 1),"
              " keys AS (DELETE FROM urenwacht_data.aggregate_key WHERE rules_version < $1::integer"
              " AND ctid = ANY (ARRAY(SELECT place FROM former)) RETURNING 1)"
              " SELECT (SELECT count(*) FROM sums) + (SELECT count(*) FROM keys)"},
    /* Usually the decision is known. Where it is not, facts that name it are looked for in all of their table, of which the
     * lines are too many; those are told of by an anomaly. */
    {"decision_clients", "WITH known AS MATERIALIZED (SELECT client FROM urenwacht_data.decision_fact"
                         " WHERE municipality = $1::text AND decision = $2::text"
                         " UNION SELECT client FROM urenwacht_data.anomaly_state"
                         " WHERE municipality = $1::text AND decision = $2::text AND status = 'OPEN'"
                         " AND kind = 'UNKNOWN_DECISION')"
                         " SELECT client FROM (SELECT client FROM known"
                         " UNION SELECT client FROM urenwacht_data.no_show_fact"
                         " WHERE municipality = $1::text AND decision = $2::text AND NOT EXISTS (SELECT FROM known)"
                         " UNION SELECT client FROM urenwacht_data.evaluation_fact"
                         " WHERE municipality = $1::text AND decision = $2::text AND NOT EXISTS (SELECT FROM known)) u"
                         " ORDER BY client LIMIT $3::bigint"},
};

enum uw_code uw_pgstore_prepare(struct uw_postgres *postgres, struct uw_error *error)
{
    enum uw_code code = UW_OK;

    for (uint32_t i = 0; i < COUNT_OF(others) && code == UW_OK; i++) {
        code = uw_postgres_prepare(postgres, others[i].name, others[i].sql, error);
    }
    for (uint32_t i = 0; i < UW_TABLE_COUNT && code == UW_OK; i++) {
        if (shapes[i].sql != NULL) {
            code = uw_postgres_prepare(postgres, shapes[i].statement, shapes[i].sql, error);
        }
    }
    return code;
}
