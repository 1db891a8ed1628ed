/*
 * Tokens and sessions: who asks, and what a token is made of.
 *
 * A token is "uw_" and 43 characters: 256 random bits. The database has its SHA-256 only; a plain hash is enough for
 * what nobody can guess. A cookie's value is made the same way and lives no longer than its token.
 */
#ifndef UW_DASHBOARD_ACCESS_H
#define UW_DASHBOARD_ACCESS_H

#include "dashboard/desk.h"

#define UW_SECRET_TEXT_BYTES 64
#define UW_SESSION_HOURS 12
#define UW_SESSION_COOKIE "urenwacht_session"

/* "PREFIX_" and 43 characters of 256 random bits, NUL-terminated. UW_EIO: the system has no randomness. */
enum uw_code uw_secret_make(const char *prefix, char secret[UW_SECRET_TEXT_BYTES], struct uw_error *error) UW_MUST_USE;
/* SHA-256 in hexadecimal. */
#define UW_HASH_TEXT_BYTES 65
void uw_secret_hash(struct uw_str secret, char hash[UW_HASH_TEXT_BYTES]);
/* HMAC-SHA256 in hexadecimal. */
void uw_hmac_hex(struct uw_str key, struct uw_str text, char hex[UW_HASH_TEXT_BYTES]);
/* Compares without telling by its time where they differ. */
bool uw_same_secret(struct uw_str a, struct uw_str b);

/* Finds out who asks; UW_OK with *known false when nobody that is known. One transaction. */
enum uw_code uw_access_check(struct uw_desk *desk, const struct uw_http_request *request,
                             struct uw_principal *principal, bool *known, struct uw_error *error) UW_MUST_USE;
/* Whether a stream that began with the token may go on. */
enum uw_code uw_access_still(struct uw_desk *desk, int64_t token_id, bool *valid, struct uw_error *error) UW_MUST_USE;

/* Checks "0363,0362": codes of four digits with commas. */
bool uw_municipalities_valid(struct uw_str list);

struct uw_token_order {
    const char *name;
    enum uw_role role;
    const char *municipalities; /* with commas; NULL: all */
    int32_t days;
};
/* Stores a new token; `secret` is the only time that it is seen. UW_EINPUT: the database's rules refuse it. */
enum uw_code uw_token_create(struct uw_desk *desk, const struct uw_token_order *order, int64_t *id,
                             char secret[UW_SECRET_TEXT_BYTES], struct uw_error *error) UW_MUST_USE;
/* *found false: there is no such token, or it was revoked before. */
enum uw_code uw_token_revoke(struct uw_desk *desk, int64_t id, bool *found, struct uw_error *error) UW_MUST_USE;

/* ---- paths ---- */

void uw_session_create(struct uw_desk *desk, struct uw_http_request *request, bool cookie_secure);
void uw_session_show(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request);
void uw_session_end(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request);

#endif
