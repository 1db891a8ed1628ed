/*
 * The store: struct uw_store of core/ports.h on PostgreSQL (DESIGN section 1; tables in schemas/sql).
 *
 * One handle is one connection and belongs to one thread. It connects on the first call and again after a
 * connection was lost, never inside a half-done batch. Every wait has a deadline on this side too, so that a
 * half-open connection cannot hang the process.
 *
 * Errors by class: RETRY when the server is away, starting, full or busy, and the call may be made again; ABORT
 * when a commit is known not to be applied; FENCED when another instance owns a partition; FATAL with UW_ECONFIG
 * for a wrong password, an unknown database, a missing table or permission.
 */
#ifndef UW_PRODUCERS_STORE_H
#define UW_PRODUCERS_STORE_H

#include "core/ports.h"

struct uw_pgstore;

#define UW_PGSTORE_SLOT_COUNT 256

struct uw_pgstore_options {
    const char *dsn;                    /* libpq conninfo or URI; "" lets libpq use its own environment */
    const char *owner;                  /* name of this instance, for people who look at the tables */
    const char *topics[UW_TOPIC_COUNT]; /* names of the input topics, for urenwacht.progress */
    int32_t timeout_ms;                 /* of a statement, of connecting, and of settling a lost commit */
};

/* Copies what it needs. Does not connect. UW_ECONFIG: the dsn cannot be parsed; UW_ENOMEM. */
enum uw_code uw_pgstore_open(const struct uw_pgstore_options *options, struct uw_pgstore **store,
                             struct uw_error *error) UW_MUST_USE;
/* Gives slot and connection back. NULL is allowed. */
void uw_pgstore_close(struct uw_pgstore **store);

/* The operations; valid as long as the handle. */
void uw_pgstore_port(struct uw_pgstore *store, struct uw_store *port);

/* Connects when there is no connection. */
enum uw_code uw_pgstore_connect(struct uw_pgstore *store, struct uw_error *error) UW_MUST_USE;

/* Takes the first free slot 0 .. UW_PGSTORE_SLOT_COUNT - 1 of the database for as long as the handle lives: a
 * name that no other instance on the database has. After a lost connection the same slot is taken again before
 * anything else; when another instance got it in between, every call fails with UW_EFENCED. The second call
 * returns the slot of the first. The slot is also the writer of aggregate rows, 0 without one.
 * UW_ELIMIT (FATAL): all are taken. */
enum uw_code uw_pgstore_slot(struct uw_pgstore *store, int32_t *slot, struct uw_error *error) UW_MUST_USE;
/* Changes the owner's name, for instances that are called after their slot. */
enum uw_code uw_pgstore_rename(struct uw_pgstore *store, const char *owner, struct uw_error *error) UW_MUST_USE;

/* How many clients of the partition are due, counted up to `limit`. With UW_DAY_BEFORE_ALL those that are due whatever
 * the date is: never judged, or marked for judging. */
enum uw_code uw_pgstore_due_count(struct uw_pgstore *store, int32_t partition, int32_t as_of_day, uint32_t limit,
                                  int64_t *count, struct uw_error *error) UW_MUST_USE;

/* Visits up to `limit` clients of the decision, in the order of their names; usually one: those with versions of it or
 * an open UNKNOWN_DECISION that names it, and where there are none, those with no-shows or evaluations that do. What a client has is
 * then read with the port's `load`. */
enum uw_code uw_pgstore_decision_clients(struct uw_pgstore *store, struct uw_str municipality, struct uw_str decision,
                                         uint32_t limit, uw_client_visit *visit, void *visit_context,
                                         struct uw_error *error) UW_MUST_USE;

#endif
