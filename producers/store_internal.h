/*
 * What the files of the store share: the handle, the statements, and the rows of a batch.
 */
#ifndef UW_PRODUCERS_STORE_INTERNAL_H
#define UW_PRODUCERS_STORE_INTERNAL_H

#include "producers/postgres_columns.h"
#include "producers/store.h"
#include "producers/waiting.h"
#include "producers/written.h"

#define UW_COMMIT_MARK_BYTES 16

/* Rows that go to PostgreSQL together, one kind after another. New ones have a kind of their own, since no row has to
 * be looked for: many of them go by COPY. */
enum uw_table {
    UW_TABLE_DECISIONS,
    UW_TABLE_DECLARATIONS,
    UW_TABLE_NO_SHOWS,
    UW_TABLE_EVALUATIONS,
    UW_TABLE_CLIENTS_NEW,
    UW_TABLE_CLIENTS,
    UW_TABLE_CLIENTS_WAITING,
    UW_TABLE_PARTITIONS_WAITED, /* whose lists go */
    UW_TABLE_ACCOUNTS_REMOVED,
    UW_TABLE_ACCOUNTS_NEW,
    UW_TABLE_ACCOUNTS,
    UW_TABLE_ALERTS_NEW,
    UW_TABLE_ALERTS,
    UW_TABLE_ALERTS_QUIET,
    UW_TABLE_ANOMALIES_NEW,
    UW_TABLE_ANOMALIES,
    UW_TABLE_ANOMALIES_QUIET,
    UW_TABLE_AGGREGATE_KEYS_NEW,
    UW_TABLE_AGGREGATE_KEYS,
    UW_TABLE_AGGREGATES_NEW,
    UW_TABLE_AGGREGATES,
    UW_TABLE_AGGREGATES_SHRUNK,
    UW_TABLE_OUTBOX,
    UW_TABLE_ACCOUNTS_DROPPED, /* first of all, see store_commit.c */
};
#define UW_TABLE_COUNT 24

struct uw_table_shape {
    const char *statement; /* name of the prepared statement that takes a column as an array each, or NULL */
    const char *copy;      /* COPY of the same columns, or NULL */
    const char *sql;       /* the statement; NULL where it is that of another kind */
    const enum uw_column_type *types;
    uint32_t column_count;
};

/* Which backend served us, so that the next connection can end it: it may still hold our locks. */
struct uw_backend {
    bool known;
    int32_t pid;
    uint8_t started[8]; /* PostgreSQL's binary timestamp */
};

struct uw_pgstore {
    struct uw_postgres *postgres;
    char *owner;
    char *topics[UW_TOPIC_COUNT];
    int32_t timeout_ms;
    int32_t slot; /* -1: none was asked for */
    struct uw_written sums; /* and their keys, of this slot, on this connection */
    struct uw_waiting waiting; /* of the partitions that were claimed here */
    bool claims;               /* it has claimed one; otherwise others know who waits */
    struct uw_backend backend;
    bool has_mark;
    uint8_t mark[UW_COMMIT_MARK_BYTES]; /* of the last commit; raised for every one, never used again */
    struct uw_columns tables[UW_TABLE_COUNT];
    struct uw_arena arena; /* of one call */
};

/* ---- store_open.c ---- */

/* Connects if need be, and prepares what a new connection needs. */
enum uw_code uw_pgstore_ready(struct uw_pgstore *store, struct uw_error *error) UW_MUST_USE;

/* ---- store_statements.c ---- */

enum uw_code uw_pgstore_prepare(struct uw_postgres *postgres, struct uw_error *error) UW_MUST_USE;
const struct uw_table_shape *uw_table_shape(enum uw_table table);

/* ---- store_load.c ---- */

/* What a stored fact consists of, in the order in which uw_pgstore_read_fact takes it; `f` is the table's alias. */
#define UW_STORED_FACT "f.event_id, f.event_id_upper, f.recorded_at, f.municipality, f.decision"
#define UW_STORED_DECISION                                                                                             \
    UW_STORED_FACT ", f.provider, f.version, f.status, f.law, f.product_category, f.product, f.care,"                  \
                   " f.valid_from, f.valid_to, f.effective_from, f.model, f.frequency, f.volume_minutes,"              \
                   " f.min_minutes, f.max_minutes, f.minutes_per_year, f.minutes_per_week, f.surplus_minutes,"         \
                   " f.price_cents, f.expected_minutes_per_week, f.result, f.billable_percent, f.max_per_month,"       \
                   " f.notice_hours, f.counts_to_budget, f.rate_cents_per_hour, f.evaluation_months"
#define UW_STORED_DECLARATION                                                                                          \
    UW_STORED_FACT ", f.provider, f.line, f.kind, f.corrects, f.performed_on, f.performed_until, f.started_at,"        \
                   " f.minutes, f.staff"
#define UW_STORED_NO_SHOW                                                                                              \
    UW_STORED_FACT ", f.provider, f.no_show, f.status, f.appointment_on, f.appointment_at, f.planned_minutes,"         \
                   " f.reason, f.notice_minutes, f.staff"
#define UW_STORED_EVALUATION UW_STORED_FACT ", f.held_on, f.outcome"

/* The event of a row whose columns from `field` on are those above; all but `topic` and the client, which are the
 * caller's. Strings are borrowed from the row, a decision's list from the arena, which is reset. UW_ENOMEM. */
enum uw_code uw_pgstore_read_fact(const PGresult *row, int field, struct uw_arena *arena,
                                  struct uw_event *event) UW_MUST_USE;

/* ---- store_slot.c ---- */

/* "UwSl": the class of the advisory locks of slots. */
#define UW_SLOT_LOCK_CLASS 0x5577536c

enum uw_code uw_pgstore_retake_slot(struct uw_pgstore *store, struct uw_error *error) UW_MUST_USE;
/* Sleeps, for waits between attempts. */
void uw_pgstore_sleep_ms(int32_t sleep_ms);
int64_t uw_pgstore_now_ms(void);

/* ---- store_rows.c, store_facts.c, store_outcomes.c, store_sums.c: from `changes` to rows ---- */

/* Forgets the rows of a batch, and gives most of their memory back. */
void uw_pgstore_clear(struct uw_pgstore *store);
/* All rows of a batch, and who joins and leaves those who wait; UW_ENOMEM. */
enum uw_code uw_pgstore_fill(struct uw_pgstore *store, const struct uw_changes *changes) UW_MUST_USE;
void uw_pgstore_add_fact(struct uw_columns *tables, const struct uw_fact_change *change, int64_t accepted_at_ms);
enum uw_code uw_pgstore_add_sums(struct uw_pgstore *store, const struct uw_changes *changes) UW_MUST_USE;
enum uw_code uw_pgstore_add_alert(struct uw_pgstore *store, const struct uw_alert_change *alert,
                                  int64_t observed_at_ms) UW_MUST_USE;
enum uw_code uw_pgstore_add_anomaly(struct uw_pgstore *store, const struct uw_anomaly_change *anomaly,
                                    int64_t observed_at_ms) UW_MUST_USE;

/* ---- store_outbox.c ---- */

/* Headers as the column keeps them: each as length and bytes of name and value, big-endian, -1 for a null value. */
enum uw_code uw_pgstore_pack_headers(const struct uw_header *headers, uint32_t header_count, struct uw_arena *arena,
                                     struct uw_str *packed) UW_MUST_USE;
/* UW_EINTERNAL: the bytes are not of that form. */
enum uw_code uw_pgstore_unpack_headers(struct uw_str packed, struct uw_arena *arena, struct uw_header **headers,
                                       uint32_t *header_count) UW_MUST_USE;

/* ---- store_settle.c ---- */

/* After the connection broke while COMMIT was under way: whether the batch with the store's mark was applied.
 * UW_OK: it was. ABORT: it was not, or nobody answered within the timeout. */
enum uw_code uw_pgstore_settle(struct uw_pgstore *store, const struct uw_changes *changes,
                               struct uw_error *error) UW_MUST_USE;

/* ---- the operations of the port ---- */

enum uw_code uw_pgstore_claim(void *context, int32_t partition, int32_t rules_version, struct uw_claim *claim,
                              struct uw_error *error);
enum uw_code uw_pgstore_load(void *context, const struct uw_str *clients, uint32_t client_count,
                             const struct uw_load_sink *sink, struct uw_error *error);
enum uw_code uw_pgstore_commit(void *context, const struct uw_changes *changes, struct uw_error *error);
enum uw_code uw_pgstore_outbox(void *context, int32_t partition, int64_t after, uint32_t limit,
                               uw_outbox_visit *visit, void *visit_context, struct uw_error *error);
enum uw_code uw_pgstore_due(void *context, int32_t partition, int32_t as_of_day, uint32_t limit,
                            uw_client_visit *visit, void *visit_context, struct uw_error *error);
enum uw_code uw_pgstore_mark_all_due(void *context, int32_t partition, int64_t epoch, uint64_t rules_fingerprint,
                                     struct uw_error *error);
enum uw_code uw_pgstore_sweep(void *context, int32_t rules_version, uint32_t limit, bool *more,
                              struct uw_error *error);
enum uw_code uw_pgstore_standing(void *context, int32_t partition, int64_t epoch, int64_t *next_sequence,
                                 struct uw_error *error);

#endif
