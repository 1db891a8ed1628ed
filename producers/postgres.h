/*
 * A connection to PostgreSQL of which every wait has a deadline: what the store and the migrations share.
 *
 * libpq is used without blocking, because its blocking calls wait forever on a half-open connection.
 */
#ifndef UW_PRODUCERS_POSTGRES_H
#define UW_PRODUCERS_POSTGRES_H

#include <libpq-fe.h>

#include "core/types.h"

struct uw_postgres;

struct uw_postgres_options {
    const char *dsn;              /* libpq conninfo or URI */
    const char *application_name; /* shown in pg_stat_activity */
    int32_t timeout_ms;           /* of connecting and of a statement */
};

/* Parses the dsn and does not connect. UW_ECONFIG (FATAL) or UW_ENOMEM. */
enum uw_code uw_postgres_open(const struct uw_postgres_options *options, struct uw_postgres **postgres,
                              struct uw_error *error) UW_MUST_USE;
void uw_postgres_close(struct uw_postgres **postgres);

/* Connects unless the connection is good and idle; *fresh says that it is a new one, with none of the old one's
 * prepared statements, temporary tables and locks. A transaction that was left open is given up with its
 * connection. */
enum uw_code uw_postgres_connect(struct uw_postgres *postgres, bool *fresh, struct uw_error *error) UW_MUST_USE;
/* Drops the connection at once. */
void uw_postgres_drop(struct uw_postgres *postgres);
bool uw_postgres_is_connected(const struct uw_postgres *postgres);
/* For the calls of libpq that do not wait. NULL while not connected. */
PGconn *uw_postgres_handle(struct uw_postgres *postgres);

/* How long a wait for one statement lasts at most: the statement's timeout and some time for the network.
 * 0 restores it. */
void uw_postgres_set_patience(struct uw_postgres *postgres, int32_t timeout_ms);

/* One argument of a statement, in PostgreSQL's binary format; data NULL is null. */
struct uw_argument {
    const void *data;
    size_t length;
};
#define UW_ARGUMENTS_MAX 40

/* Prepares a statement; the types are those that PostgreSQL finds. */
enum uw_code uw_postgres_prepare(struct uw_postgres *postgres, const char *name, const char *sql,
                                 struct uw_error *error) UW_MUST_USE;
/* Runs SQL without arguments, several statements too, and throws the rows away. */
enum uw_code uw_postgres_run(struct uw_postgres *postgres, const char *sql, struct uw_error *error) UW_MUST_USE;
/* Runs a prepared statement; *result has binary columns and is the caller's to PQclear. */
enum uw_code uw_postgres_query(struct uw_postgres *postgres, const char *name, const struct uw_argument *arguments,
                               uint32_t argument_count, PGresult **result, struct uw_error *error) UW_MUST_USE;

/* The same, row by row in bounded memory: `visit` gets results of one row. After an error of `visit` the rest of the
 * rows is read and forgotten. */
typedef enum uw_code uw_postgres_visit(void *context, const PGresult *row);
enum uw_code uw_postgres_each(struct uw_postgres *postgres, const char *name, const struct uw_argument *arguments,
                              uint32_t argument_count, uw_postgres_visit *visit, void *visit_context,
                              struct uw_error *error) UW_MUST_USE;

/* Statements sent one after another without waiting for answers. `begin`, any number of `send`, then `finish`,
 * which waits for all. The first error wins: the server skips what follows it. */
enum uw_code uw_postgres_pipeline_begin(struct uw_postgres *postgres, struct uw_error *error) UW_MUST_USE;
enum uw_code uw_postgres_pipeline_send(struct uw_postgres *postgres, const char *name,
                                       const struct uw_argument *arguments, uint32_t argument_count,
                                       struct uw_error *error) UW_MUST_USE;
enum uw_code uw_postgres_pipeline_finish(struct uw_postgres *postgres, struct uw_error *error) UW_MUST_USE;

/* COPY ... FROM STDIN: `begin` with the command, `data` any number of times, `end`. */
enum uw_code uw_postgres_copy_begin(struct uw_postgres *postgres, const char *sql, struct uw_error *error) UW_MUST_USE;
enum uw_code uw_postgres_copy_data(struct uw_postgres *postgres, const void *data, size_t length,
                                   struct uw_error *error) UW_MUST_USE;
enum uw_code uw_postgres_copy_end(struct uw_postgres *postgres, struct uw_error *error) UW_MUST_USE;

/* ---- errors (postgres_error.c) ---- */

/* What an SQLSTATE means for the caller; `text` is the server's primary message. Anything that is not five
 * characters stands for a broken connection. */
enum uw_code uw_postgres_classify(const char *sqlstate, const char *text, struct uw_error *error);
/* Of a failed result; only its primary message is told, since the details may quote rows. */
enum uw_code uw_postgres_result_error(const PGresult *result, struct uw_error *error);
/* Of a connection that could not be made or broke. */
enum uw_code uw_postgres_connection_error(const PGconn *connection, bool connecting, struct uw_error *error);

/* Raised by urenwacht_data.advance() when a partition is not as the batch found it. */
#define UW_SQLSTATE_FENCED "UW001"

#endif
