/*
 * Everything that is stored, read for a check: one connection, one REPEATABLE READ READ ONLY transaction from open
 * to close, so that all answers are of the same moment however long the check takes and whatever is committed
 * meanwhile. Nothing is locked but the removal of old row versions.
 *
 * Rows are handed over one by one; memory does not grow with what is stored. One thread.
 */
#ifndef UW_PRODUCERS_STORE_VERIFY_H
#define UW_PRODUCERS_STORE_VERIFY_H

#include "core/ports.h"

struct uw_pgaudit;

/* A statement of a check may run over whole tables. */
#define UW_PGAUDIT_TIMEOUT_MS (6 * 60 * 60 * 1000)
/* Clients of one step; bounds the memory of a check together with what a single client has. */
#define UW_PGAUDIT_CLIENTS_MAX 2000u

struct uw_pgaudit_options {
    const char *dsn;
    int32_t timeout_ms;         /* of connecting */
    struct uw_str municipality; /* only clients with a fact of it; null: all */
    struct uw_str client;       /* only this one; null: all */
};

/* Connects and takes the snapshot. Errors as of uw_pgstore_connect. */
enum uw_code uw_pgaudit_open(const struct uw_pgaudit_options *options, struct uw_pgaudit **audit,
                             struct uw_error *error) UW_MUST_USE;
void uw_pgaudit_close(struct uw_pgaudit **audit);

/* A partition, and what there is of it. */
struct uw_audit_partition {
    int32_t partition;
    bool known;                          /* false: rows of a partition that nobody ever claimed */
    struct uw_str topics[UW_TOPIC_COUNT]; /* names, as of the last claim */
    int64_t next_offset[UW_TOPIC_COUNT];
    int32_t as_of_day; /* UW_DAY_NONE: nothing was ever applied */
    int64_t next_sequence, published_sequence;
    uint64_t rules_fingerprint;
    int64_t events, refused;                         /* as counted batch by batch */
    int64_t facts;                                   /* rows there are */
    int64_t outbox_count, outbox_first, outbox_last; /* rows there are, and their least and greatest number */
};
typedef enum uw_code uw_audit_partition_visit(void *context, const struct uw_audit_partition *partition);
/* Ascending. */
enum uw_code uw_pgaudit_partitions(struct uw_pgaudit *audit, uw_audit_partition_visit *visit, void *visit_context,
                                   struct uw_error *error) UW_MUST_USE;
/* How many clients uw_pgaudit_step will hand over at least. */
enum uw_code uw_pgaudit_client_count(struct uw_pgaudit *audit, int64_t *count, struct uw_error *error) UW_MUST_USE;

struct uw_audit_fact {
    struct uw_event event;
    int32_t partition;
    int64_t offset;
    bool redelivery;
};

/* Of an alert or an anomaly as it is stored. */
struct uw_audit_outcome {
    struct uw_uuid id;
    struct uw_str client;
    bool readable; /* false: kind, status, severity or subject is no text of ours; the members below are then unset */
    struct uw_alert_change alert; /* without figures */
    struct uw_anomaly_change anomaly;
};

/* What is stored of some clients. Rows of a table come in the order of the clients' names, accounts of a client in
 * that of their identity. Facts that count come before redeliveries, and both by partition and offset. Borrowed for
 * the call. */
struct uw_audit_sink {
    void *context;
    /* A row of the table of clients; next_change_day as in struct uw_client_change, and lower than every day for
     * one that is marked for judging; rules_version is that under which it was judged last. Comes before everything
     * else of the step. */
    enum uw_code (*client)(void *context, struct uw_str client, int32_t partition, int32_t next_change_day,
                           int32_t rules_version);
    enum uw_code (*fact)(void *context, const struct uw_audit_fact *fact);
    enum uw_code (*account)(void *context, const struct uw_account_change *account);
    enum uw_code (*alert)(void *context, const struct uw_audit_outcome *outcome);
    enum uw_code (*anomaly)(void *context, const struct uw_audit_outcome *outcome);
};

/* The next `limit` (at most UW_PGAUDIT_CLIENTS_MAX) clients by name, and all rows up to the last of them: without
 * municipality and client every row of every table comes in one of the steps, also those of clients that have no
 * row of their own. *more: call again. */
enum uw_code uw_pgaudit_step(struct uw_pgaudit *audit, uint32_t limit, const struct uw_audit_sink *sink, bool *more,
                             struct uw_error *error) UW_MUST_USE;

/* What is wrong with the history of an alert or anomaly: revisions 1 .. n without gap or repetition, of which the
 * first is OPEN and the last is the current row. Texts are null where the row is missing. */
struct uw_audit_fault {
    bool is_alert;
    struct uw_str id, kind, client, municipality, decision;
    struct uw_str stored, expected;
};
typedef enum uw_code uw_audit_fault_visit(void *context, const struct uw_audit_fault *fault);
/* *count: of the histories that were looked at. */
enum uw_code uw_pgaudit_histories(struct uw_pgaudit *audit, uw_audit_fault_visit *visit, void *visit_context,
                                  int64_t *count, struct uw_error *error) UW_MUST_USE;

/* Sums over all rows with the same dimensions that the views show, in the order of grain, period_from,
 * municipality, provider, product_category, product, law, care, model. With a municipality only its own. */
typedef enum uw_code uw_audit_aggregate_visit(void *context, const struct uw_aggregate_change *row);
enum uw_code uw_pgaudit_aggregates(struct uw_pgaudit *audit, uw_audit_aggregate_visit *visit, void *visit_context,
                                   struct uw_error *error) UW_MUST_USE;

/* What waits to be published in that output, by partition and sequence: up to `limit` records (0: all) behind the one
 * named, which at first is {-1, 0}. */
enum uw_code uw_pgaudit_outbox(struct uw_pgaudit *audit, enum uw_output output, int32_t after_partition,
                               int64_t after_sequence, uint32_t limit, uw_outbox_visit *visit, void *visit_context,
                               struct uw_error *error) UW_MUST_USE;
/* found[i]: the history of alerts (or else anomalies) has that revision of that id. */
enum uw_code uw_pgaudit_find_revisions(struct uw_pgaudit *audit, bool alerts, const struct uw_uuid *ids,
                                       const int32_t *revisions, uint32_t count, bool *found,
                                       struct uw_error *error) UW_MUST_USE;

/* The facts of a topic by partition and offset; of the municipality or client only, where one was given. */
typedef enum uw_code uw_audit_fact_visit(void *context, const struct uw_audit_fact *fact);
enum uw_code uw_pgaudit_facts(struct uw_pgaudit *audit, enum uw_topic topic, uw_audit_fact_visit *visit,
                              void *visit_context, struct uw_error *error) UW_MUST_USE;

#endif
