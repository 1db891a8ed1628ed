/*
 * A worker's desk: one connection to PostgreSQL, and who is being served on it.
 *
 * Everything that a token asks for is read and written as the role urenwacht_dashboard, under row-level security
 * (schemas/sql/005_dashboard.sql): a transaction that does not say what may be seen sees nothing. Tokens,
 * sessions and the secrets of webhooks are the owner's, and are never read as that role.
 */
#ifndef UW_DASHBOARD_DESK_H
#define UW_DASHBOARD_DESK_H

#include "dashboard/http.h"
#include "producers/postgres.h"

#define UW_DESK_ARGUMENTS_MAX 32
#define UW_NAME_BYTES_MAX 400 /* 100 characters */
#define UW_MUNICIPALITIES_MAX 400
#define UW_MUNICIPALITIES_BYTES (UW_MUNICIPALITIES_MAX * 5)

enum uw_role { UW_ROLE_CONTRACT_MANAGER, UW_ROLE_REGIONAL, UW_ROLE_FRAUD, UW_ROLE_ADMIN };
#define UW_ROLE_COUNT 4
const char *uw_role_name(enum uw_role role);
bool uw_role_parse(struct uw_str name, enum uw_role *role) UW_MUST_USE;

/* Who asks. */
struct uw_principal {
    int64_t token_id;
    char name[UW_NAME_BYTES_MAX + 1];
    enum uw_role role;
    bool everywhere;                               /* all municipalities */
    char municipalities[UW_MUNICIPALITIES_BYTES];  /* codes with commas; digits and commas only */
    char expires_at[40];
    bool by_cookie;
    char csrf_token[65]; /* with the cookie */
};

/* Whether anomalies may be seen. */
bool uw_principal_sees_signals(const struct uw_principal *principal);

struct uw_desk;

enum uw_code uw_desk_open(const char *dsn, int32_t timeout_ms, struct uw_desk **desk, struct uw_error *error)
    UW_MUST_USE;
void uw_desk_close(struct uw_desk **desk);
/* The role is there and may read; the schema is the program's. UW_ECONFIG says what to do. */
enum uw_code uw_desk_prepare(struct uw_desk *desk, struct uw_error *error) UW_MUST_USE;

/* A transaction as the role with the rights of `principal`, or as the owner when it is NULL. `writes` false: READ
 * ONLY and repeatable. */
enum uw_code uw_desk_begin(struct uw_desk *desk, const struct uw_principal *principal, bool writes,
                           struct uw_error *error) UW_MUST_USE;
enum uw_code uw_desk_commit(struct uw_desk *desk, struct uw_error *error) UW_MUST_USE;
/* Gives the transaction up, when there is one. */
void uw_desk_rollback(struct uw_desk *desk);

/* Runs one statement; every argument is text ($1::text), null data is null; every column should be text. *result is
 * the caller's to PQclear. The transaction is over after an error. UW_EINPUT: PostgreSQL refuses a value (class 22)
 * or a rule of a table (class 23). */
enum uw_code uw_desk_query(struct uw_desk *desk, const char *sql, const struct uw_str *arguments,
                           uint32_t argument_count, PGresult **result, struct uw_error *error) UW_MUST_USE;

/* A field of a result; null for null. */
struct uw_str uw_desk_field(const PGresult *result, int row, int column);
int64_t uw_desk_integer(const PGresult *result, int row, int column);

#endif
