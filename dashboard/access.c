#include "dashboard/access.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dashboard/answer.h"

#define SECRET_BYTES 32
#define BEARER "Bearer "

/* Columns of a principal; the token is valid now. */
#define PRINCIPAL                                                                                                    \
    "t.id::text, t.name, t.role::text, array_to_string(t.municipalities, ','), to_char(least(t.expires_at, %s), "  \
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), (t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute')::text"
enum principal_column {
    COLUMN_ID,
    COLUMN_NAME,
    COLUMN_ROLE,
    COLUMN_MUNICIPALITIES,
    COLUMN_EXPIRES_AT,
    COLUMN_UNUSED, /* its last use was noted long enough ago */
};
#define VALID "t.revoked_at IS NULL AND t.expires_at > now()"

enum uw_code uw_secret_make(const char *prefix, char secret[UW_SECRET_TEXT_BYTES], struct uw_error *error)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[SECRET_BYTES + 1] = {0};
    int length = snprintf(secret, UW_SECRET_TEXT_BYTES, "%s_", prefix);
    if (RAND_bytes(bytes, SECRET_BYTES) != 1) {
        return uw_error_set(error, UW_EIO, UW_CLASS_FATAL, "the system gives no random numbers");
    }
    /* 43 digits of six bits hold 256 bits. */
    for (int i = 0; i < 43; i++) {
        unsigned bit = (unsigned)i * 6;
        unsigned pair = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
        secret[length++] = digits[pair >> (10 - bit % 8) & 63];
    }
    secret[length] = '\0';
    OPENSSL_cleanse(bytes, sizeof bytes);
    return UW_OK;
}

static void to_hex(const unsigned char *bytes, char hex[UW_HASH_TEXT_BYTES])
{
    for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i++) {
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    }
}

void uw_secret_hash(struct uw_str secret, char hash[UW_HASH_TEXT_BYTES])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)secret.data, secret.length, digest);
    to_hex(digest, hash);
}

void uw_hmac_hex(struct uw_str key, struct uw_str text, char hex[UW_HASH_TEXT_BYTES])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    unsigned int length = sizeof digest;
    (void)HMAC(EVP_sha256(), key.data, (int)key.length, (const unsigned char *)text.data, text.length, digest, &length);
    to_hex(digest, hex);
}

bool uw_same_secret(struct uw_str a, struct uw_str b)
{
    return a.length == b.length && CRYPTO_memcmp(a.data, b.data, a.length) == 0;
}

bool uw_municipalities_valid(struct uw_str list)
{
    if (list.length % 5 != 4 || list.length >= UW_MUNICIPALITIES_BYTES) {
        return false;
    }
    for (uint32_t i = 0; i < list.length; i++) {
        bool digit = list.data[i] >= '0' && list.data[i] <= '9';
        if (i % 5 == 4 ? list.data[i] != ',' : !digit) {
            return false;
        }
    }
    return true;
}

/* ---- who asks ---- */

static bool copy_text(struct uw_str from, char *to, size_t size)
{
    if (uw_str_is_null(from) || from.length >= size) {
        return false;
    }
    memcpy(to, from.data, from.length);
    to[from.length] = '\0';
    return true;
}

static bool take_principal(const PGresult *result, struct uw_principal *principal)
{
    struct uw_str municipalities = uw_desk_field(result, 0, COLUMN_MUNICIPALITIES);
    principal->token_id = uw_desk_integer(result, 0, COLUMN_ID);
    principal->everywhere = uw_str_is_null(municipalities);
    return copy_text(uw_desk_field(result, 0, COLUMN_NAME), principal->name, sizeof principal->name) &&
           uw_role_parse(uw_desk_field(result, 0, COLUMN_ROLE), &principal->role) &&
           copy_text(uw_desk_field(result, 0, COLUMN_EXPIRES_AT), principal->expires_at,
                     sizeof principal->expires_at) &&
           (principal->everywhere || (uw_municipalities_valid(municipalities) &&
                                      copy_text(municipalities, principal->municipalities,
                                                sizeof principal->municipalities)));
}

/* Runs a statement about the token of this number in a transaction of its own; *found: it returned a row. */
static enum uw_code run_on_token(struct uw_desk *desk, const char *sql, int64_t token_id, bool writes, bool *found,
                                 struct uw_error *error)
{
    char id[24];
    struct uw_str argument;
    PGresult *result = NULL;
    bool one = false;
    enum uw_code code = uw_desk_begin(desk, NULL, writes, error);
    snprintf(id, sizeof id, "%" PRId64, token_id);
    argument = uw_str_from(id);
    if (code == UW_OK) {
        code = uw_desk_query(desk, sql, &argument, 1, &result, error);
    }
    if (code == UW_OK) {
        one = PQntuples(result) == 1;
        PQclear(result);
        code = uw_desk_commit(desk, error);
    }
    if (code == UW_OK) {
        *found = one;
    }
    return code;
}

static enum uw_code find_principal(struct uw_desk *desk, const char *sql, struct uw_str secret,
                                   struct uw_principal *principal, bool *known, struct uw_error *error)
{
    char hash[UW_HASH_TEXT_BYTES];
    struct uw_str argument;
    PGresult *result = NULL;
    bool note_use = false, noted = false;
    enum uw_code code;
    uw_secret_hash(secret, hash);
    argument = (struct uw_str){hash, UW_HASH_TEXT_BYTES - 1};
    code = uw_desk_begin(desk, NULL, false, error);
    if (code == UW_OK) {
        code = uw_desk_query(desk, sql, &argument, 1, &result, error);
    }
    if (code != UW_OK) {
        return code;
    }
    if (PQntuples(result) == 1) {
        *known = take_principal(result, principal);
        note_use = *known && uw_str_equal(uw_desk_field(result, 0, COLUMN_UNUSED), UW_STR("true"));
    }
    PQclear(result);
    code = uw_desk_commit(desk, error);
    if (code == UW_OK && note_use) {
        code = run_on_token(desk,
                            "UPDATE urenwacht_data.token SET last_used_at = now() WHERE id = ($1::text)::bigint",
                            principal->token_id, true, &noted, error);
    }
    return code;
}

/* Everything that is no token is turned away before the database is asked. */
static bool looks_like(struct uw_str secret, const char *prefix)
{
    size_t length = strlen(prefix);
    if (secret.length != length + 1 + 43 || strncmp(secret.data, prefix, length) != 0) {
        return false;
    }
    return secret.data[length] == '_';
}

static enum uw_code find_token(struct uw_desk *desk, struct uw_str token, struct uw_principal *principal, bool *known,
                               struct uw_error *error)
{
    static const char sql_format[] = "SELECT " PRINCIPAL " FROM urenwacht_data.token t WHERE t.secret_hash = "
                                     "decode($1::text, 'hex') AND " VALID;
    char sql[sizeof sql_format + 40];
    if (!looks_like(token, "uw")) {
        return UW_OK;
    }
    snprintf(sql, sizeof sql, sql_format, "t.expires_at");
    return find_principal(desk, sql, token, principal, known, error);
}

static enum uw_code find_session(struct uw_desk *desk, struct uw_str secret, struct uw_principal *principal,
                                 bool *known, struct uw_error *error)
{
    static const char sql_format[] =
        "SELECT " PRINCIPAL " FROM urenwacht_data.session s JOIN urenwacht_data.token t ON t.id = s.token_id WHERE "
        "s.secret_hash = decode($1::text, 'hex') AND s.expires_at > now() AND " VALID;
    char sql[sizeof sql_format + 40];
    enum uw_code code;
    if (!looks_like(secret, "uws")) {
        return UW_OK;
    }
    snprintf(sql, sizeof sql, sql_format, "s.expires_at");
    code = find_principal(desk, sql, secret, principal, known, error);
    principal->by_cookie = true;
    uw_hmac_hex(secret, UW_STR("csrf"), principal->csrf_token);
    return code;
}

enum uw_code uw_access_check(struct uw_desk *desk, const struct uw_http_request *request,
                             struct uw_principal *principal, bool *known, struct uw_error *error)
{
    *known = false;
    *principal = (struct uw_principal){0};
    if (request->authorization != NULL) {
        if (strncasecmp(request->authorization, BEARER, sizeof BEARER - 1) != 0) {
            return UW_OK;
        }
        return find_token(desk, uw_str_from(request->authorization + sizeof BEARER - 1), principal, known, error);
    }
    if (request->cookie != NULL) {
        struct uw_str secret = uw_http_cookie(request->cookie, UW_SESSION_COOKIE);
        return uw_str_is_null(secret) ? UW_OK : find_session(desk, secret, principal, known, error);
    }
    return UW_OK;
}

enum uw_code uw_access_still(struct uw_desk *desk, int64_t token_id, bool *valid, struct uw_error *error)
{
    return run_on_token(desk,
                        "SELECT 'x' FROM urenwacht_data.token t WHERE t.id = ($1::text)::bigint AND " VALID, token_id,
                        false, valid, error);
}

/* ---- tokens ---- */

enum uw_code uw_token_create(struct uw_desk *desk, const struct uw_token_order *order, int64_t *id,
                             char secret[UW_SECRET_TEXT_BYTES], struct uw_error *error)
{
    char hash[UW_HASH_TEXT_BYTES], days[16];
    PGresult *result = NULL;
    enum uw_code code = uw_secret_make("uw", secret, error);
    if (code != UW_OK) {
        return code;
    }
    uw_secret_hash(uw_str_from(secret), hash);
    snprintf(days, sizeof days, "%" PRId32, order->days);
    const struct uw_str arguments[] = {
        uw_str_from(order->name), uw_str_from(uw_role_name(order->role)),
        order->municipalities == NULL ? UW_STR_NULL : uw_str_from(order->municipalities), uw_str_from(hash),
        uw_str_from(days)};
    code = uw_desk_begin(desk, NULL, true, error);
    if (code == UW_OK) {
        code = uw_desk_query(desk,
                             "INSERT INTO urenwacht_data.token (name, role, municipalities, secret_hash, expires_at) "
                             "VALUES ($1::text, $2::text, string_to_array($3::text, ','), decode($4::text, 'hex'), "
                             "now() + make_interval(days => ($5::text)::integer)) RETURNING id::text",
                             arguments, 5, &result, error);
    }
    if (code == UW_OK) {
        *id = uw_desk_integer(result, 0, 0);
        PQclear(result);
        code = uw_desk_commit(desk, error);
    }
    return code;
}

enum uw_code uw_token_revoke(struct uw_desk *desk, int64_t id, bool *found, struct uw_error *error)
{
    return run_on_token(desk,
                        "WITH gone AS (DELETE FROM urenwacht_data.session WHERE token_id = ($1::text)::bigint) "
                        "UPDATE urenwacht_data.token SET revoked_at = now() WHERE id = ($1::text)::bigint AND "
                        "revoked_at IS NULL RETURNING id::text",
                        id, true, found, error);
}

/* ---- sessions ---- */

static void show_principal(const struct uw_principal *principal, struct uw_http_request *request)
{
    struct uw_text text;
    uw_text_init(&text, &request->arena);
    uw_text_add_literal(&text, "{\"name\": ");
    uw_text_add_json_string(&text, uw_str_from(principal->name));
    uw_text_add_literal(&text, ", \"role\": ");
    uw_text_add_json_string(&text, uw_str_from(uw_role_name(principal->role)));
    uw_text_add_literal(&text, ", \"municipalities\": ");
    if (principal->everywhere) {
        uw_text_add_literal(&text, "null");
    } else {
        uw_text_add_literal(&text, "[");
        for (size_t at = 0; at < strlen(principal->municipalities); at += 5) {
            uw_text_add_literal(&text, at == 0 ? "" : ", ");
            uw_text_add_json_string(&text, (struct uw_str){principal->municipalities + at, 4});
        }
        uw_text_add_literal(&text, "]");
    }
    uw_text_add_literal(&text, ", \"expires_at\": ");
    uw_text_add_json_string(&text, uw_str_from(principal->expires_at));
    uw_text_add_literal(&text, ", \"csrf_token\": ");
    if (principal->by_cookie) {
        uw_text_add_json_string(&text, uw_str_from(principal->csrf_token));
    } else {
        uw_text_add_literal(&text, "null");
    }
    uw_text_add_literal(&text, ", \"today\": ");
    uw_text_add_json_date(&text, uw_answer_today());
    uw_text_add_literal(&text, "}");
    uw_http_body(request, 200, UW_JSON, &text);
}

static enum uw_code session_store(struct uw_desk *desk, const char *secret, const struct uw_principal *principal,
                                  struct uw_error *error)
{
    char hash[UW_HASH_TEXT_BYTES], id[24];
    PGresult *result = NULL;
    enum uw_code code = uw_desk_begin(desk, NULL, true, error);
    uw_secret_hash(uw_str_from(secret), hash);
    snprintf(id, sizeof id, "%" PRId64, principal->token_id);
    const struct uw_str arguments[] = {uw_str_from(hash), uw_str_from(id)};
    if (code == UW_OK) {
        /* Old sessions go with the new one; nobody else tidies up. */
        code = uw_desk_query(desk,
                             "WITH old AS (DELETE FROM urenwacht_data.session WHERE expires_at < now()) INSERT INTO "
                             "urenwacht_data.session (secret_hash, token_id, expires_at) SELECT "
                             "decode($1::text, 'hex'), id, least(expires_at, now() + interval '12 hours') FROM "
                             "urenwacht_data.token WHERE id = ($2::text)::bigint",
                             arguments, 2, &result, error);
    }
    if (code == UW_OK) {
        PQclear(result);
        code = uw_desk_commit(desk, error);
    }
    return code;
}

void uw_session_create(struct uw_desk *desk, struct uw_http_request *request, bool cookie_secure)
{
    struct uw_principal principal = {0};
    struct uw_error error = {.text = ""};
    char secret[UW_SECRET_TEXT_BYTES], cookie[200];
    bool known = false;
    json_t *body = uw_answer_json(request);
    const char *token = NULL;
    enum uw_code code;
    if (body == NULL) {
        return;
    }
    if (json_object_size(body) != 1 || json_unpack(body, "{s:s}", "token", &token) != 0) {
        uw_http_problem(request, 400, "the body is {\"token\": \"...\"}");
        json_decref(body);
        return;
    }
    code = find_token(desk, uw_str_from(token), &principal, &known, &error);
    json_decref(body);
    if (code == UW_OK && !known) {
        uw_http_problem(request, 401, "this token is unknown, has expired or was revoked");
        return;
    }
    if (code == UW_OK) {
        code = uw_secret_make("uws", secret, &error);
    }
    if (code == UW_OK) {
        code = session_store(desk, secret, &principal, &error);
    }
    known = false;
    if (code == UW_OK) {
        code = find_session(desk, uw_str_from(secret), &principal, &known, &error);
    }
    if (code != UW_OK || !known) {
        uw_answer_error(request, code == UW_OK ? UW_EIO : code, &error);
        return;
    }
    show_principal(&principal, request);
    snprintf(cookie, sizeof cookie, UW_SESSION_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d%s", secret,
             UW_SESSION_HOURS * 3600, cookie_secure ? "; Secure" : "");
    uw_http_header(request, "Set-Cookie", cookie);
}

void uw_session_show(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request)
{
    (void)desk;
    show_principal(principal, request);
}

void uw_session_end(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request)
{
    struct uw_error error = {.text = ""};
    char hash[UW_HASH_TEXT_BYTES];
    PGresult *result = NULL;
    struct uw_str argument;
    enum uw_code code = UW_OK;
    if (principal->by_cookie) {
        uw_secret_hash(uw_http_cookie(request->cookie, UW_SESSION_COOKIE), hash);
        argument = uw_str_from(hash);
        code = uw_desk_begin(desk, NULL, true, &error);
        if (code == UW_OK) {
            code = uw_desk_query(desk, "DELETE FROM urenwacht_data.session WHERE secret_hash = decode($1::text, 'hex')",
                                 &argument, 1, &result, &error);
        }
        if (code == UW_OK) {
            PQclear(result);
            code = uw_desk_commit(desk, &error);
        }
    }
    if (code != UW_OK) {
        uw_answer_error(request, code, &error);
        return;
    }
    request->answer = (struct uw_http_answer){.status = 204, .body = UW_STR("")};
    uw_http_header(request, "Set-Cookie", UW_SESSION_COOKIE "=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
}
