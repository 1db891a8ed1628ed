#include "dashboard/desk.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Statements that a connection keeps prepared; when another one comes, all are forgotten. */
#define STATEMENTS_MAX 200
#define STATEMENT_NAME_BYTES 24
#define BEGIN_BYTES (UW_MUNICIPALITIES_BYTES + 400)

struct uw_desk {
    struct uw_postgres *postgres;
    int32_t timeout_ms;
    char *statements[STATEMENTS_MAX];
    uint32_t statement_count;
    bool in_transaction;
};

static const char *const role_names[UW_ROLE_COUNT] = {"contract-manager", "regional", "fraud", "admin"};

const char *uw_role_name(enum uw_role role)
{
    return role_names[role];
}

bool uw_role_parse(struct uw_str name, enum uw_role *role)
{
    for (size_t i = 0; i < UW_ROLE_COUNT; i++) {
        if (uw_str_equal(name, uw_str_from(role_names[i]))) {
            *role = (enum uw_role)i;
            return true;
        }
    }
    return false;
}

bool uw_principal_sees_signals(const struct uw_principal *principal)
{
    switch (principal->role) {
    case UW_ROLE_CONTRACT_MANAGER:
        return false;
    case UW_ROLE_REGIONAL:
    case UW_ROLE_FRAUD:
    case UW_ROLE_ADMIN:
        return true;
    }
    return false;
}

enum uw_code uw_desk_open(const char *dsn, int32_t timeout_ms, struct uw_desk **desk, struct uw_error *error)
{
    const struct uw_postgres_options options = {dsn, "urenwacht serve", timeout_ms};
    struct uw_desk *made = calloc(1, sizeof *made);
    enum uw_code code;
    if (made == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for a connection");
    }
    made->timeout_ms = timeout_ms;
    code = uw_postgres_open(&options, &made->postgres, error);
    if (code != UW_OK) {
        uw_desk_close(&made);
        return code;
    }
    *desk = made;
    return UW_OK;
}

static void forget_statements(struct uw_desk *desk)
{
    for (uint32_t i = 0; i < desk->statement_count; i++) {
        free(desk->statements[i]);
    }
    desk->statement_count = 0;
}

void uw_desk_close(struct uw_desk **desk)
{
    if (*desk == NULL) {
        return;
    }
    forget_statements(*desk);
    uw_postgres_close(&(*desk)->postgres);
    free(*desk);
    *desk = NULL;
}

static enum uw_code connect_desk(struct uw_desk *desk, struct uw_error *error)
{
    bool fresh = false;
    enum uw_code code = uw_postgres_connect(desk->postgres, &fresh, error);
    desk->in_transaction = false;
    if (code == UW_OK && fresh) {
        forget_statements(desk);
        /* Texts of instants are read by programs; plans are made for the values that are asked. */
        code = uw_postgres_run(desk->postgres,
                               "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET plan_cache_mode = "
                               "force_custom_plan; SET jit = off; SET idle_in_transaction_session_timeout = '60s'",
                               error);
    }
    return code;
}

enum uw_code uw_desk_prepare(struct uw_desk *desk, struct uw_error *error)
{
    enum uw_code code = connect_desk(desk, error);
    if (code == UW_OK) {
        /* Two servers that start together would grant the same at once, which PostgreSQL refuses. */
        code = uw_postgres_run(desk->postgres,
                               "BEGIN; SELECT pg_advisory_xact_lock(8462121524226843497); SELECT "
                               "urenwacht_data.dashboard_prepare(); SELECT urenwacht_data.webhook_prepare(); COMMIT",
                               error);
    }
    if (code != UW_OK && error->class == UW_CLASS_FATAL) {
        uw_postgres_drop(desk->postgres);
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "the role urenwacht_dashboard cannot be used; a superuser makes it once: CREATE ROLE "
                            "urenwacht_dashboard NOLOGIN; GRANT urenwacht_dashboard TO (the user of database.dsn)");
    }
    return code;
}

enum uw_code uw_desk_begin(struct uw_desk *desk, const struct uw_principal *principal, bool writes,
                           struct uw_error *error)
{
    char sql[BEGIN_BYTES];
    enum uw_code code = connect_desk(desk, error);
    int length;
    if (code != UW_OK) {
        return code;
    }
    length = snprintf(sql, sizeof sql, "BEGIN %s; SET LOCAL statement_timeout = %" PRId32,
                      writes ? "READ WRITE" : "ISOLATION LEVEL REPEATABLE READ, READ ONLY", desk->timeout_ms);
    if (principal != NULL) {
        /* Only digits and commas are in it, or it would have been refused when it was read. */
        assert(strspn(principal->municipalities, "0123456789,") == strlen(principal->municipalities));
        length += snprintf(sql + length, sizeof sql - (size_t)length,
                           "; SET LOCAL ROLE urenwacht_dashboard; SET LOCAL urenwacht.municipalities = '%s'; SET LOCAL "
                           "urenwacht.signals = '%s'",
                           principal->everywhere ? "*" : principal->municipalities,
                           uw_principal_sees_signals(principal) ? "yes" : "no");
    }
    assert(length > 0 && (size_t)length < sizeof sql);
    code = uw_postgres_run(desk->postgres, sql, error);
    desk->in_transaction = code == UW_OK;
    return code;
}

enum uw_code uw_desk_commit(struct uw_desk *desk, struct uw_error *error)
{
    desk->in_transaction = false;
    return uw_postgres_run(desk->postgres, "COMMIT", error);
}

void uw_desk_rollback(struct uw_desk *desk)
{
    struct uw_error error;
    if (desk->in_transaction && uw_postgres_is_connected(desk->postgres) &&
        uw_postgres_run(desk->postgres, "ROLLBACK", &error) != UW_OK) {
        uw_postgres_drop(desk->postgres);
    }
    desk->in_transaction = false;
}

static enum uw_code find_statement(struct uw_desk *desk, const char *sql, char name[STATEMENT_NAME_BYTES],
                                   struct uw_error *error)
{
    enum uw_code code;
    for (uint32_t i = 0; i < desk->statement_count; i++) {
        if (strcmp(desk->statements[i], sql) == 0) {
            snprintf(name, STATEMENT_NAME_BYTES, "s%" PRIu32, i);
            return UW_OK;
        }
    }
    if (desk->statement_count == STATEMENTS_MAX) {
        code = uw_postgres_run(desk->postgres, "DEALLOCATE ALL", error);
        if (code != UW_OK) {
            return code;
        }
        forget_statements(desk);
    }
    snprintf(name, STATEMENT_NAME_BYTES, "s%" PRIu32, desk->statement_count);
    code = uw_postgres_prepare(desk->postgres, name, sql, error);
    if (code == UW_OK) {
        char *copy = strdup(sql);
        if (copy == NULL) {
            uw_postgres_drop(desk->postgres);
            return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for a statement");
        }
        desk->statements[desk->statement_count++] = copy;
    }
    return code;
}

/* The adapter's text ends with the SQLSTATE: class 22 is a bad value, class 23 one that a table's rules refuse. */
static bool is_refused_value(const struct uw_error *error)
{
    const char *state = strrchr(error->text, '(');
    return error->code == UW_EINTERNAL && state != NULL &&
           (strncmp(state, "(22", 3) == 0 || strncmp(state, "(23", 3) == 0);
}

enum uw_code uw_desk_query(struct uw_desk *desk, const char *sql, const struct uw_str *arguments,
                           uint32_t argument_count, PGresult **result, struct uw_error *error)
{
    struct uw_argument bound[UW_DESK_ARGUMENTS_MAX];
    char name[STATEMENT_NAME_BYTES];
    enum uw_code code = find_statement(desk, sql, name, error);
    assert(argument_count <= UW_DESK_ARGUMENTS_MAX);
    for (uint32_t i = 0; i < argument_count; i++) {
        bound[i] = (struct uw_argument){arguments[i].data, arguments[i].length};
    }
    if (code == UW_OK) {
        code = uw_postgres_query(desk->postgres, name, bound, argument_count, result, error);
    }
    if (code != UW_OK) {
        uw_desk_rollback(desk);
        if (is_refused_value(error)) {
            code = uw_error_set(error, UW_EINPUT, UW_CLASS_INPUT, "a value cannot be used");
        }
    }
    return code;
}

struct uw_str uw_desk_field(const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column) == 1) {
        return UW_STR_NULL;
    }
    return (struct uw_str){PQgetvalue(result, row, column), (uint32_t)PQgetlength(result, row, column)};
}

int64_t uw_desk_integer(const PGresult *result, int row, int column)
{
    char digits[24];
    struct uw_str field = uw_desk_field(result, row, column);
    if (uw_str_is_null(field) || field.length >= sizeof digits) {
        return 0;
    }
    memcpy(digits, field.data, field.length);
    digits[field.length] = '\0';
    return strtoll(digits, NULL, 10);
}
