/*
 * Connecting to PostgreSQL and talking with it, with a deadline on every wait.
 */
#include "producers/postgres.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What the network may take on top of the statement's own timeout. */
#define NETWORK_MS 5000
#define INTEGER_TEXT_BYTES 16
#define BINARY 1

struct uw_postgres {
    PGconn *connection;
    char *dsn, *application_name;
    int32_t timeout_ms;
    int64_t patience_ms;
    uint32_t pipelined; /* statements sent since pipeline_begin */
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- open and close ---- */

/* libpq's own text may quote the dsn, which may hold a password; only an option's name is safe to tell. */
static enum uw_code check_dsn(const char *dsn, struct uw_error *error)
{
    static const char unknown_option[] = "invalid connection option";
    char *text = NULL;
    PQconninfoOption *parsed;
    enum uw_code code = UW_OK;

    if (dsn[0] == '\0') {
        return UW_OK;
    }
    parsed = PQconninfoParse(dsn, &text);
    if (parsed == NULL) {
        if (text != NULL && strncmp(text, unknown_option, strlen(unknown_option)) == 0) {
            text[strcspn(text, "\n")] = '\0';
            code = uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "database.dsn: %s", text);
        } else {
            code = uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                                "database.dsn is neither a connection URI nor a list of key=value settings");
        }
    }
    PQconninfoFree(parsed);
    PQfreemem(text);
    return code;
}

enum uw_code uw_postgres_open(const struct uw_postgres_options *options, struct uw_postgres **postgres,
                              struct uw_error *error)
{
    struct uw_postgres *made;
    enum uw_code code = check_dsn(options->dsn, error);

    if (code != UW_OK) {
        return code;
    }
    made = calloc(1, sizeof *made);
    if (made != NULL) {
        made->dsn = strdup(options->dsn);
        made->application_name = strdup(options->application_name);
        made->timeout_ms = options->timeout_ms;
        uw_postgres_set_patience(made, 0);
    }
    if (made == NULL || made->dsn == NULL || made->application_name == NULL) {
        uw_postgres_close(&made);
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "database: out of memory");
    }
    *postgres = made;
    return UW_OK;
}

void uw_postgres_close(struct uw_postgres **postgres)
{
    if (*postgres == NULL) {
        return;
    }
    uw_postgres_drop(*postgres);
    free((*postgres)->dsn);
    free((*postgres)->application_name);
    free(*postgres);
    *postgres = NULL;
}

void uw_postgres_drop(struct uw_postgres *postgres)
{
    PQfinish(postgres->connection);
    postgres->connection = NULL;
}

bool uw_postgres_is_connected(const struct uw_postgres *postgres)
{
    return postgres->connection != NULL && PQstatus(postgres->connection) == CONNECTION_OK;
}

PGconn *uw_postgres_handle(struct uw_postgres *postgres)
{
    return postgres->connection;
}

void uw_postgres_set_patience(struct uw_postgres *postgres, int32_t timeout_ms)
{
    postgres->patience_ms = (int64_t)(timeout_ms > 0 ? timeout_ms : postgres->timeout_ms) + NETWORK_MS;
}

/* ---- waiting ---- */

/* Of a connection that cannot be used any more; what the server said at last is the better reason. */
static enum uw_code lost(struct uw_postgres *postgres, struct uw_error *error)
{
    enum uw_code code = uw_postgres_connection_error(postgres->connection, false, error);

    uw_postgres_drop(postgres);
    return code;
}

/* Nothing is known of the server's state after a deadline, so the connection goes. */
static enum uw_code too_late(struct uw_postgres *postgres, struct uw_error *error)
{
    uw_postgres_drop(postgres);
    return uw_error_set(error, UW_ETIMEOUT, UW_CLASS_RETRY, "database: no answer within the timeout");
}

/* Waits until the socket can be read (and written, when asked) or the deadline passed: > 0, or 0. */
static int wait_socket(const PGconn *connection, bool want_read, bool want_write, int64_t until_ms)
{
    struct pollfd entry = {.fd = PQsocket(connection)};

    entry.events = (short)((want_read ? POLLIN : 0) | (want_write ? POLLOUT : 0));
    for (;;) {
        int64_t left_ms = until_ms - now_ms();
        int ready;

        if (left_ms <= 0) {
            return 0;
        }
        ready = poll(&entry, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
        if (ready > 0 || (ready < 0 && errno != EINTR)) {
            return 1;
        }
    }
}

/* Sends what is queued and reads until an answer is complete. */
static enum uw_code wait_answer(struct uw_postgres *postgres, struct uw_error *error)
{
    int64_t until_ms = now_ms() + postgres->patience_ms;

    for (;;) {
        int unsent = PQflush(postgres->connection);

        /* A connection that cannot be written may still hold the server's reason: read before giving up. */
        if (PQisBusy(postgres->connection) == 0) {
            return UW_OK;
        }
        if (PQsocket(postgres->connection) < 0) {
            return lost(postgres, error);
        }
        if (wait_socket(postgres->connection, true, unsent > 0, until_ms) == 0) {
            return too_late(postgres, error);
        }
        if (PQconsumeInput(postgres->connection) == 0 && PQisBusy(postgres->connection) != 0) {
            return lost(postgres, error);
        }
    }
}

static enum uw_code flush(struct uw_postgres *postgres, struct uw_error *error)
{
    int64_t until_ms = now_ms() + postgres->patience_ms;
    int unsent;

    while ((unsent = PQflush(postgres->connection)) > 0) {
        if (wait_socket(postgres->connection, true, true, until_ms) == 0) {
            return too_late(postgres, error);
        }
        if (PQconsumeInput(postgres->connection) == 0) {
            return lost(postgres, error);
        }
    }
    return unsent < 0 ? lost(postgres, error) : UW_OK;
}

/* The next result, NULL after the last one of a statement. */
static enum uw_code next_result(struct uw_postgres *postgres, PGresult **result, struct uw_error *error)
{
    enum uw_code code = wait_answer(postgres, error);

    if (code == UW_OK) {
        *result = PQgetResult(postgres->connection);
    }
    return code;
}

/* Reads all results of a statement and returns the first failure; keeps the last result in *kept unless NULL. */
static enum uw_code drain(struct uw_postgres *postgres, PGresult **kept, struct uw_error *error)
{
    enum uw_code first = UW_OK;

    for (;;) {
        PGresult *result = NULL;
        enum uw_code code = next_result(postgres, &result, first == UW_OK ? error : NULL);

        if (code != UW_OK) {
            return first == UW_OK ? code : first;
        }
        if (result == NULL) {
            break;
        }
        switch (PQresultStatus(result)) {
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
            if (kept != NULL && first == UW_OK) {
                PQclear(*kept);
                *kept = result;
                continue;
            }
            break;
        case PGRES_EMPTY_QUERY:
        case PGRES_COPY_OUT:
        case PGRES_COPY_IN:
        case PGRES_BAD_RESPONSE:
        case PGRES_NONFATAL_ERROR:
        case PGRES_FATAL_ERROR:
        case PGRES_COPY_BOTH:
        case PGRES_SINGLE_TUPLE:
        case PGRES_PIPELINE_SYNC:
        case PGRES_PIPELINE_ABORTED:
            if (first == UW_OK) {
                first = uw_postgres_result_error(result, error);
            }
            break;
        }
        PQclear(result);
    }
    return first;
}

/* ---- connecting ---- */

static void ignore_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

static enum uw_code poll_connection(struct uw_postgres *postgres, struct uw_error *error)
{
    int64_t until_ms = now_ms() + postgres->patience_ms;
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;

    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED) {
            return uw_postgres_connection_error(postgres->connection, true, error);
        }
        if (wait_socket(postgres->connection, state == PGRES_POLLING_READING, state == PGRES_POLLING_WRITING,
                        until_ms) == 0) {
            return uw_error_set(error, UW_ETIMEOUT, UW_CLASS_RETRY, "database: no connection within the timeout");
        }
        state = PQconnectPoll(postgres->connection);
    }
    return UW_OK;
}

/* Every statement of ours finds its rows by an index, whatever the statistics say at the time when its plan is
 * made; the plan is made once, also for the empty tables of the first day. */
static enum uw_code set_session(struct uw_postgres *postgres, struct uw_error *error)
{
    char sql[1024];

    snprintf(sql, sizeof sql,
             "SET statement_timeout = %d; SET lock_timeout = %d; SET idle_in_transaction_session_timeout = %d;"
             "SET synchronous_commit = on; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET jit = off;"
             "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off;"
             "SET enable_mergejoin = off; SET client_min_messages = warning;"
             "SET default_transaction_isolation = 'read committed'",
             (int)postgres->timeout_ms, (int)(postgres->timeout_ms / 2), (int)postgres->timeout_ms);
    return uw_postgres_run(postgres, sql, error);
}

static enum uw_code make_connection(struct uw_postgres *postgres, struct uw_error *error)
{
    char user_timeout[INTEGER_TEXT_BYTES];
    enum uw_code code;

    /* What stands before dbname gives way to the dsn, what stands behind it does not. */
    const char *const names[] = {"fallback_application_name", "keepalives", "keepalives_idle", "keepalives_interval",
                                 "keepalives_count", "tcp_user_timeout", "dbname", "client_encoding", NULL};
    const char *const values[] = {postgres->application_name, "1", "10", "5", "3", user_timeout, postgres->dsn,
                                  "UTF8", NULL};

    snprintf(user_timeout, sizeof user_timeout, "%d", (int)postgres->timeout_ms);
    postgres->connection = PQconnectStartParams(names, values, 1);
    if (postgres->connection == NULL || PQstatus(postgres->connection) == CONNECTION_BAD) {
        code = uw_postgres_connection_error(postgres->connection, true, error);
        goto out;
    }
    PQsetNoticeReceiver(postgres->connection, ignore_notice, NULL);
    PQsetErrorVerbosity(postgres->connection, PQERRORS_VERBOSE);
    code = poll_connection(postgres, error);
    if (code != UW_OK) {
        goto out;
    }
    PQsetErrorVerbosity(postgres->connection, PQERRORS_TERSE);
    if (PQsetnonblocking(postgres->connection, 1) != 0) {
        code = uw_postgres_connection_error(postgres->connection, true, error);
        goto out;
    }
    code = set_session(postgres, error);
out:
    if (code != UW_OK) {
        uw_postgres_drop(postgres);
    }
    return code;
}

/* A server that went away has closed its end; that is seen by reading, before anything is sent. */
static bool is_usable(struct uw_postgres *postgres)
{
    struct pollfd entry;

    if (!uw_postgres_is_connected(postgres) || PQtransactionStatus(postgres->connection) != PQTRANS_IDLE ||
        PQpipelineStatus(postgres->connection) != PQ_PIPELINE_OFF) {
        return false;
    }
    entry = (struct pollfd){.fd = PQsocket(postgres->connection), .events = POLLIN};
    while (poll(&entry, 1, 0) > 0) {
        if (PQconsumeInput(postgres->connection) == 0 || PQstatus(postgres->connection) != CONNECTION_OK) {
            return false;
        }
        (void)PQisBusy(postgres->connection);
    }
    return true;
}

enum uw_code uw_postgres_connect(struct uw_postgres *postgres, bool *fresh, struct uw_error *error)
{
    enum uw_code code;

    if (is_usable(postgres)) {
        *fresh = false;
        return UW_OK;
    }
    uw_postgres_drop(postgres);
    code = make_connection(postgres, error);
    if (code == UW_OK) {
        *fresh = true;
    }
    return code;
}

/* ---- statements ---- */

/* Most functions need a connection that an earlier call of the same batch may have lost. */
static enum uw_code need_connection(struct uw_postgres *postgres, struct uw_error *error)
{
    if (uw_postgres_is_connected(postgres)) {
        return UW_OK;
    }
    return uw_error_set(error, UW_EIO, UW_CLASS_RETRY, "database: connection lost");
}

enum uw_code uw_postgres_prepare(struct uw_postgres *postgres, const char *name, const char *sql,
                                 struct uw_error *error)
{
    enum uw_code code = need_connection(postgres, error);

    if (code != UW_OK) {
        return code;
    }
    if (PQsendPrepare(postgres->connection, name, sql, 0, NULL) == 0) {
        return lost(postgres, error);
    }
    return drain(postgres, NULL, error);
}

enum uw_code uw_postgres_run(struct uw_postgres *postgres, const char *sql, struct uw_error *error)
{
    enum uw_code code = need_connection(postgres, error);

    if (code != UW_OK) {
        return code;
    }
    if (PQsendQuery(postgres->connection, sql) == 0) {
        return lost(postgres, error);
    }
    return drain(postgres, NULL, error);
}

static enum uw_code send_prepared(struct uw_postgres *postgres, const char *name, const struct uw_argument *arguments,
                                  uint32_t argument_count, struct uw_error *error)
{
    const char *values[UW_ARGUMENTS_MAX];
    int lengths[UW_ARGUMENTS_MAX], formats[UW_ARGUMENTS_MAX];
    enum uw_code code = need_connection(postgres, error);

    if (code != UW_OK) {
        return code;
    }
    if (argument_count > UW_ARGUMENTS_MAX) {
        return uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL, "database: too many arguments for %s", name);
    }
    for (uint32_t i = 0; i < argument_count; i++) {
        if (arguments[i].length > INT32_MAX) {
            return uw_error_set(error, UW_ELIMIT, UW_CLASS_FATAL, "database: an argument of %s is too large", name);
        }
        values[i] = arguments[i].data;
        lengths[i] = (int)arguments[i].length;
        formats[i] = BINARY;
    }
    if (PQsendQueryPrepared(postgres->connection, name, (int)argument_count, values, lengths, formats, BINARY) == 0) {
        return lost(postgres, error);
    }
    return UW_OK;
}

enum uw_code uw_postgres_query(struct uw_postgres *postgres, const char *name, const struct uw_argument *arguments,
                               uint32_t argument_count, PGresult **result, struct uw_error *error)
{
    PGresult *kept = NULL;
    enum uw_code code = send_prepared(postgres, name, arguments, argument_count, error);

    if (code == UW_OK) {
        code = drain(postgres, &kept, error);
    }
    if (code == UW_OK && kept == NULL) {
        code = uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "database: out of memory");
    }
    if (code != UW_OK) {
        PQclear(kept);
        return code;
    }
    *result = kept;
    return UW_OK;
}

enum uw_code uw_postgres_each(struct uw_postgres *postgres, const char *name, const struct uw_argument *arguments,
                              uint32_t argument_count, uw_postgres_visit *visit, void *visit_context,
                              struct uw_error *error)
{
    enum uw_code first = send_prepared(postgres, name, arguments, argument_count, error);

    if (first != UW_OK) {
        return first;
    }
    if (PQsetSingleRowMode(postgres->connection) == 0) {
        return lost(postgres, error);
    }
    for (;;) {
        PGresult *result = NULL;
        ExecStatusType status;
        enum uw_code code = next_result(postgres, &result, first == UW_OK ? error : NULL);

        if (code != UW_OK) {
            return first == UW_OK ? code : first;
        }
        if (result == NULL) {
            return first;
        }
        status = PQresultStatus(result);
        if (status == PGRES_SINGLE_TUPLE && first == UW_OK) {
            first = visit(visit_context, result);
            if (first != UW_OK) {
                uw_error_set(error, first, UW_CLASS_FATAL, "database: stored rows could not be taken in");
            }
        } else if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK && first == UW_OK) {
            first = uw_postgres_result_error(result, error);
        }
        PQclear(result);
    }
}

/* ---- pipeline ---- */

enum uw_code uw_postgres_pipeline_begin(struct uw_postgres *postgres, struct uw_error *error)
{
    enum uw_code code = need_connection(postgres, error);

    if (code != UW_OK) {
        return code;
    }
    if (PQenterPipelineMode(postgres->connection) == 0) {
        return lost(postgres, error);
    }
    postgres->pipelined = 0;
    return UW_OK;
}

enum uw_code uw_postgres_pipeline_send(struct uw_postgres *postgres, const char *name,
                                       const struct uw_argument *arguments, uint32_t argument_count,
                                       struct uw_error *error)
{
    enum uw_code code = send_prepared(postgres, name, arguments, argument_count, error);

    if (code == UW_OK) {
        postgres->pipelined++;
    }
    return code;
}

enum uw_code uw_postgres_pipeline_finish(struct uw_postgres *postgres, struct uw_error *error)
{
    enum uw_code first = need_connection(postgres, error);
    PGresult *result = NULL;

    if (first != UW_OK) {
        return first;
    }
    if (PQpipelineSync(postgres->connection) == 0) {
        return lost(postgres, error);
    }
    for (uint32_t i = 0; i < postgres->pipelined; i++) {
        enum uw_code code = drain(postgres, NULL, first == UW_OK ? error : NULL);

        first = first == UW_OK ? code : first;
        if (!uw_postgres_is_connected(postgres)) {
            return first != UW_OK ? first : lost(postgres, error);
        }
    }
    postgres->pipelined = 0;
    if (next_result(postgres, &result, first == UW_OK ? error : NULL) != UW_OK) {
        return first != UW_OK ? first : UW_EIO;
    }
    if (PQresultStatus(result) != PGRES_PIPELINE_SYNC || PQexitPipelineMode(postgres->connection) == 0) {
        /* Only a connection that ended gives something else here. */
        PQclear(result);
        return first != UW_OK ? (uw_postgres_drop(postgres), first) : lost(postgres, error);
    }
    PQclear(result);
    return first;
}

/* ---- COPY ---- */

enum uw_code uw_postgres_copy_begin(struct uw_postgres *postgres, const char *sql, struct uw_error *error)
{
    PGresult *result = NULL;
    enum uw_code code = need_connection(postgres, error);

    if (code != UW_OK) {
        return code;
    }
    if (PQsendQuery(postgres->connection, sql) == 0) {
        return lost(postgres, error);
    }
    code = next_result(postgres, &result, error);
    if (code != UW_OK) {
        return code;
    }
    if (PQresultStatus(result) == PGRES_COPY_IN) {
        PQclear(result);
        return UW_OK;
    }
    code = uw_postgres_result_error(result, error);
    PQclear(result);
    (void)drain(postgres, NULL, NULL);
    return code;
}

enum uw_code uw_postgres_copy_data(struct uw_postgres *postgres, const void *data, size_t length,
                                   struct uw_error *error)
{
    enum uw_code code = need_connection(postgres, error);

    if (code != UW_OK) {
        return code;
    }
    if (length > INT32_MAX || PQputCopyData(postgres->connection, data, (int)length) < 0) {
        return lost(postgres, error);
    }
    return flush(postgres, error);
}

enum uw_code uw_postgres_copy_end(struct uw_postgres *postgres, struct uw_error *error)
{
    enum uw_code code = need_connection(postgres, error);

    if (code != UW_OK) {
        return code;
    }
    if (PQputCopyEnd(postgres->connection, NULL) < 0) {
        return lost(postgres, error);
    }
    return drain(postgres, NULL, error);
}
