/*
 * What PostgreSQL's errors mean: who may try again, and who has to give up.
 */
#include "producers/postgres.h"

#include <string.h>

#define SQLSTATE_LENGTH 5

static bool is_state(const char *sqlstate, const char *prefix)
{
    return strncmp(sqlstate, prefix, strlen(prefix)) == 0;
}

static bool any_state(const char *sqlstate, const char *const *prefixes)
{
    for (; *prefixes != NULL; prefixes++) {
        if (is_state(sqlstate, *prefixes)) {
            return true;
        }
    }
    return false;
}

/* One line, without the newline at the end and without the lines that libpq adds. */
static void first_line(const char *text, char *line, size_t size)
{
    size_t length = 0;

    while (text[length] != '\0' && text[length] != '\n' && length + 1 < size) {
        line[length] = (unsigned char)text[length] < ' ' ? ' ' : text[length];
        length++;
    }
    line[length] = '\0';
}

enum uw_code uw_postgres_classify(const char *sqlstate, const char *text, struct uw_error *error)
{
    /* Connection exceptions, a rollback by the server, too few resources, an operator's hand, the system. A
     * read-only server is a standby that has not been promoted yet. */
    static const char *const passing[] = {"08",    "40",    "53",    "57P01", "57P02", "57P03",
                                          "57P05", "55P03", "55006", "25006", "25P03", "58",    NULL};
    /* Access refused; unknown database, schema, table, column, function or type; no permission. */
    static const char *const settings[] = {"28",    "3D",    "3F",    "42P01", "42501", "42703",
                                           "42883", "42704", "57P04", "0P",    "26000", NULL};
    char line[UW_ERROR_TEXT_BYTES - 64];

    first_line(text == NULL ? "" : text, line, sizeof line);
    if (sqlstate == NULL || strlen(sqlstate) != SQLSTATE_LENGTH) {
        return uw_error_set(error, UW_EIO, UW_CLASS_RETRY, "database: %s", line);
    }
    if (is_state(sqlstate, UW_SQLSTATE_FENCED)) {
        return uw_error_set(error, UW_EFENCED, UW_CLASS_FENCED, "database: %s", line);
    }
    if (is_state(sqlstate, "57014")) {
        return uw_error_set(error, UW_ETIMEOUT, UW_CLASS_RETRY, "database: %s (%s)", line, sqlstate);
    }
    if (any_state(sqlstate, passing)) {
        return uw_error_set(error, UW_EIO, UW_CLASS_RETRY, "database: %s (%s)", line, sqlstate);
    }
    if (any_state(sqlstate, settings)) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "database: %s (%s)", line, sqlstate);
    }
    return uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL, "database: %s (%s)", line, sqlstate);
}

enum uw_code uw_postgres_result_error(const PGresult *result, struct uw_error *error)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (text == NULL) {
        text = PQresultErrorMessage(result);
    }
    return uw_postgres_classify(sqlstate, text, error);
}

/* libpq tells the SQLSTATE of a refused connection only in its verbose text: "FATAL:  28P01: password ...". Returns
 * what follows the state, which is copied to `sqlstate`, or NULL. */
static const char *find_state(const char *text, char sqlstate[SQLSTATE_LENGTH + 1])
{
    const char *place = text;

    while ((place = strstr(place, ":  ")) != NULL) {
        place += strlen(":  ");
        if (strspn(place, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == SQLSTATE_LENGTH &&
            place[SQLSTATE_LENGTH] == ':') {
            memcpy(sqlstate, place, SQLSTATE_LENGTH);
            sqlstate[SQLSTATE_LENGTH] = '\0';
            place += SQLSTATE_LENGTH + 1;
            return place + strspn(place, " ");
        }
    }
    return NULL;
}

enum uw_code uw_postgres_connection_error(const PGconn *connection, bool connecting, struct uw_error *error)
{
    char sqlstate[SQLSTATE_LENGTH + 1];
    const char *text = connection == NULL ? "out of memory" : PQerrorMessage(connection);
    const char *message = find_state(text, sqlstate);
    char line[UW_ERROR_TEXT_BYTES - 64];

    if (message != NULL) {
        return uw_postgres_classify(sqlstate, message, error);
    }
    if (connecting && connection != NULL && PQconnectionNeedsPassword(connection) != 0) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "database: the server asks for a password");
    }
    first_line(text, line, sizeof line);
    if (connecting) {
        return uw_error_set(error, UW_EIO, UW_CLASS_RETRY, "database: no connection: %s", line);
    }
    return uw_error_set(error, UW_EIO, UW_CLASS_RETRY, "database: connection lost: %s", line);
}
