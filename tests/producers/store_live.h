/*
 * For tests against a real PostgreSQL, named by URENWACHT_TEST_DSN; without it the tests are skipped, saying so.
 *
 * The schemas urenwacht and urenwacht_data of that database are dropped and made again: give it one of its own.
 * Programs that use it wait for each other.
 */
#ifndef UW_TESTS_PRODUCERS_STORE_LIVE_H
#define UW_TESTS_PRODUCERS_STORE_LIVE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "producers/migrate.h"
#include "producers/store.h"

#define LIVE_TIMEOUT_MS 60000
#define LIVE_AT_MS INT64_C(1772366400123) /* 2026-03-01T12:00:00.123Z */

/* Held as long as the program runs, so that no other one empties the database. */
static PGconn *live_guard;

static inline const char *live_dsn(void)
{
    return getenv("URENWACHT_TEST_DSN");
}

static inline void live_sleep_ms(int32_t sleep_ms)
{
    const struct timespec pause = {sleep_ms / 1000, (long)(sleep_ms % 1000) * 1000000L};

    (void)nanosleep(&pause, NULL);
}

/* Runs SQL on a connection of its own and returns the first field as a number, or INT64_MIN without a row. */
static inline int64_t live_number(const char *sql)
{
    PGconn *connection = PQconnectdb(live_dsn());
    PGresult *result = PQexec(connection, sql);
    int64_t number = INT64_MIN;

    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    }
    if (PQntuples(result) > 0 && !PQgetisnull(result, 0, 0)) {
        number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    }
    PQclear(result);
    PQfinish(connection);
    return number;
}

/* The same for text, which is cut at `size`. */
static inline void live_text(const char *sql, char *text, size_t size)
{
    PGconn *connection = PQconnectdb(live_dsn());
    PGresult *result = PQexec(connection, sql);

    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1) {
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    }
    snprintf(text, size, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    PQfinish(connection);
}

static inline void live_empty(void)
{
    (void)live_number("SET client_min_messages = error;"
                      "DROP SCHEMA IF EXISTS urenwacht_api CASCADE; DROP SCHEMA IF EXISTS urenwacht CASCADE;"
                      "DROP SCHEMA IF EXISTS urenwacht_data CASCADE");
}

static inline void live_migrate(void)
{
    const struct uw_migrate_options options = {.dsn = live_dsn(), .timeout_ms = LIVE_TIMEOUT_MS};
    struct uw_error error = {.text = ""};
    int32_t version;

    if (uw_migrate(&options, &version, &error) != UW_OK) {
        fail_msg("%s", error.text);
    }
}

/* Group set-up: waits for other programs of tests. Without a database it does nothing. */
static inline int live_start(void **state)
{
    PGresult *result;

    (void)state;
    if (live_dsn() == NULL) {
        return 0;
    }
    live_guard = PQconnectdb(live_dsn());
    result = PQexec(live_guard, "SELECT pg_advisory_lock(8317701126)");
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        print_error("%s", PQerrorMessage(live_guard));
        PQclear(result);
        return -1;
    }
    PQclear(result);
    return 0;
}

static inline int live_stop(void **state)
{
    (void)state;
    PQfinish(live_guard);
    live_guard = NULL;
    return 0;
}

/* Ends the connections of stores to this database, and waits until their processes are gone. */
static inline void live_end_backends(void)
{
    (void)live_number("SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity WHERE application_name ="
                      " 'urenwacht' AND datname = current_database()");
}

/* The server needs a moment to see that a connection was closed, and then gives its slot back. */
static inline void live_wait_for_slots(void)
{
    for (int tries = 0; tries < 2000; tries++) {
        if (live_number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1433883500 AND"
                        " database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 0) {
            return;
        }
        live_sleep_ms(50);
    }
    fail_msg("slots of closed connections are still taken");
}

/* Skips the running test when there is no database; otherwise gives it an empty schema
 * and all slots. */
static inline void live_require(void)
{
    if (live_dsn() == NULL) {
        print_message("skipped: URENWACHT_TEST_DSN names no database\n");
        skip();
    }
    /* A test that failed left its store open, with its slot: the next ones are not to fail for that. */
    live_end_backends();
    live_wait_for_slots();
    live_empty();
    live_migrate();
}

static inline struct uw_pgstore *live_open_at(const char *dsn, const char *owner, int32_t timeout_ms)
{
    const struct uw_pgstore_options options = {
        .dsn = dsn, .owner = owner, .topics = {"t.decisions", "t.declarations", "t.no-shows", "t.evaluations"},
        .timeout_ms = timeout_ms};
    struct uw_error error = {.text = ""};
    struct uw_pgstore *store = NULL;

    if (uw_pgstore_open(&options, &store, &error) != UW_OK) {
        fail_msg("%s", error.text);
    }
    return store;
}

static inline struct uw_pgstore *live_open(const char *owner)
{
    return live_open_at(live_dsn(), owner, LIVE_TIMEOUT_MS);
}

/* Claims a partition and fills in what a commit has to name. */
static inline struct uw_partition_change live_claim(struct uw_pgstore *store, int32_t partition)
{
    struct uw_error error = {.text = ""};
    struct uw_partition_change change = {.partition = partition, .as_of_day = 20500};
    struct uw_claim claim;
    struct uw_store port;

    uw_pgstore_port(store, &port);
    if (port.claim(port.context, partition, 1, &claim, &error) != UW_OK) {
        fail_msg("%s", error.text);
    }
    change.epoch = claim.epoch;
    memcpy(change.from_offset, claim.next_offset, sizeof change.from_offset);
    memcpy(change.to_offset, claim.next_offset, sizeof change.to_offset);
    change.from_sequence = change.to_sequence = claim.next_sequence;
    change.published_sequence = claim.published_sequence;
    return change;
}

static inline enum uw_code live_commit(struct uw_pgstore *store, const struct uw_changes *changes,
                                       struct uw_error *error)
{
    struct uw_store port;

    uw_pgstore_port(store, &port);
    return port.commit(port.context, changes, error);
}

/* A declaration line of the client; every `number` is another fact. */
static inline struct uw_event live_line(const char *client, int32_t number)
{
    struct uw_event event = {.topic = UW_TOPIC_DECLARATIONS,
                             .recorded_at_ms = LIVE_AT_MS + number,
                             .municipality = UW_STR("0363"),
                             .decision = UW_STR("WMO-1"),
                             .provider = UW_STR("12345678")};

    event.client = uw_str_from(client);
    event.event_id.bytes[0] = (uint8_t)((uint32_t)number >> 8);
    event.event_id.bytes[1] = (uint8_t)number;
    event.of.declaration = (struct uw_declaration){.line = UW_STR("line"),
                                                   .performed_on_day = 20500,
                                                   .performed_until_day = UW_DAY_NONE,
                                                   .started_at_ms = UW_INSTANT_NONE,
                                                   .minutes = 60};
    return event;
}

#endif
