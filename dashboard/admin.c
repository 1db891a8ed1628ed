#include "dashboard/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dashboard/access.h"
#include "dashboard/answer.h"

#define TOKEN_MEMBERS                                                                                                \
    "'id', t.id, 'name', t.name, 'role', t.role, 'municipalities', t.municipalities, 'created_at', t.created_at, "  \
    "'expires_at', t.expires_at, 'last_used_at', t.last_used_at, 'revoked_at', t.revoked_at"
#define DAYS_DEFAULT 365
#define DAYS_MAX 3650

bool uw_admin_names(struct uw_http_request *request, struct uw_str text, const char *missing)
{
    if (text.length < 1 || text.length > 18 || strspn(text.data, "0123456789") != text.length) {
        uw_http_problem(request, 404, "%s", missing);
        return false;
    }
    return true;
}

void uw_admin_tokens(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request)
{
    (void)principal;
    uw_answer_query(desk, NULL, request,
                    "SELECT json_build_object('items', coalesce(json_agg(json_build_object(" TOKEN_MEMBERS
                    ") ORDER BY t.id), '[]'))::text FROM urenwacht_data.token t",
                    NULL, 0, "");
}

/* The body's list of codes as a text with commas; false for what is no such list. */
static bool take_municipalities(json_t *list, char text[UW_MUNICIPALITIES_BYTES], bool *all)
{
    size_t length = 0;
    *all = list == NULL || json_is_null(list);
    if (*all) {
        return true;
    }
    if (!json_is_array(list) || json_array_size(list) < 1 || json_array_size(list) > UW_MUNICIPALITIES_MAX - 1) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *code = json_string_value(json_array_get(list, i));
        if (code == NULL || strlen(code) != 4) {
            return false;
        }
        length += (size_t)snprintf(text + length, UW_MUNICIPALITIES_BYTES - length, "%s%s", i == 0 ? "" : ",", code);
    }
    return uw_municipalities_valid(uw_str_from(text));
}

static bool take_order(json_t *body, char municipalities[UW_MUNICIPALITIES_BYTES], struct uw_token_order *order)
{
    const char *role = NULL, *name = NULL;
    json_t *list = NULL;
    json_int_t days = DAYS_DEFAULT;
    bool all = false;
    if (json_unpack(body, "{s:s, s:s, s?o, s?I !}", "name", &name, "role", &role, "municipalities", &list, "days",
                    &days) != 0 ||
        !uw_role_parse(uw_str_from(role), &order->role) || days < 1 || days > DAYS_MAX ||
        uw_utf8_length(uw_str_from(name)) < 1 || uw_utf8_length(uw_str_from(name)) > 100 ||
        !take_municipalities(list, municipalities, &all) || (all && order->role == UW_ROLE_CONTRACT_MANAGER)) {
        return false;
    }
    order->name = name;
    order->days = (int32_t)days;
    order->municipalities = all ? NULL : municipalities;
    return true;
}

void uw_admin_token_create(struct uw_desk *desk, const struct uw_principal *principal,
                           struct uw_http_request *request)
{
    struct uw_error error = {.text = ""};
    struct uw_token_order order;
    char municipalities[UW_MUNICIPALITIES_BYTES], secret[UW_SECRET_TEXT_BYTES], id_text[24];
    int64_t id = 0;
    json_t *body = uw_answer_json(request);
    (void)principal;
    if (body == NULL) {
        return;
    }
    if (!take_order(body, municipalities, &order)) {
        uw_http_problem(request, 400,
                        "the body is {\"name\", \"role\", \"municipalities\": [codes] or null, \"days\": 1 to "
                        "3650}; a contract-manager has municipalities");
    } else {
        enum uw_code code = uw_token_create(desk, &order, &id, secret, &error);
        snprintf(id_text, sizeof id_text, "%" PRId64, id);
        if (code != UW_OK) {
            uw_answer_error(request, code, &error);
        } else {
            const struct uw_str arguments[] = {uw_str_from(id_text), uw_str_from(secret)};
            uw_answer_query(desk, NULL, request,
                            "SELECT json_build_object(" TOKEN_MEMBERS
                            ", 'secret', $2::text)::text FROM urenwacht_data.token t WHERE t.id = ($1::text)::bigint",
                            arguments, 2, "the token is gone");
            request->answer.status = request->answer.status == 200 ? 201 : request->answer.status;
        }
    }
    json_decref(body);
}

void uw_admin_token_revoke(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                           struct uw_str id_text)
{
    struct uw_error error = {.text = ""};
    bool found = false;
    enum uw_code code;
    (void)principal;
    if (!uw_admin_names(request, id_text, "there is no such token")) {
        return;
    }
    code = uw_token_revoke(desk, strtoll(id_text.data, NULL, 10), &found, &error);
    if (code != UW_OK) {
        uw_answer_error(request, code, &error);
    } else if (!found) {
        uw_http_problem(request, 404, "there is no such token, or it was revoked before");
    } else {
        request->answer = (struct uw_http_answer){.status = 204, .body = UW_STR("")};
    }
}
