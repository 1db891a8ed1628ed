#include "dashboard/answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/date.h"

/* Set once, before any thread starts. */
static void (*log_line)(void *context, const char *text);
static void *log_context;

void uw_answer_log(void (*log)(void *context, const char *text), void *context)
{
    log_line = log;
    log_context = context;
}

/* The process's zone is Europe/Amsterdam: uw_serve_run sees to that. */
int32_t uw_answer_today(void)
{
    time_t now = time(NULL);
    struct tm local;
    if (localtime_r(&now, &local) == NULL) {
        return UW_DAY_NONE;
    }
    return uw_day_from_civil(local.tm_year + 1900, local.tm_mon + 1, local.tm_mday);
}

json_t *uw_answer_json(struct uw_http_request *request)
{
    json_error_t why;
    json_t *body;
    const char *type = request->content_type;
    if (type == NULL || strncasecmp(type, UW_JSON, strlen(UW_JSON)) != 0 ||
        strchr("; \t", type[strlen(UW_JSON)]) == NULL) {
        uw_http_problem(request, 415, "the body has to be application/json");
        return NULL;
    }
    body = json_loadb(request->body.data, request->body.length, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(body)) {
        json_decref(body);
        uw_http_problem(request, 400, "the body is not a JSON object");
        return NULL;
    }
    return body;
}

void uw_answer_error(struct uw_http_request *request, enum uw_code code, const struct uw_error *error)
{
    switch (code) {
    case UW_EINPUT:
        uw_http_problem(request, 400, "a value cannot be used");
        return;
    case UW_ETIMEOUT:
        uw_http_problem(request, 503, "the database took too long; ask for less");
        break;
    case UW_ELIMIT:
    case UW_ENOMEM:
        uw_http_problem(request, 422, "the answer is too large; ask for less at a time");
        break;
    case UW_OK:
    case UW_EIO:
    case UW_EFENCED:
    case UW_ECONFIG:
    case UW_EINTERNAL:
        uw_http_problem(request, error->class == UW_CLASS_RETRY ? 503 : 500, "%s",
                        error->class == UW_CLASS_RETRY ? "a server behind this one does not answer" :
                                                         "the server made a mistake; its log tells more");
        break;
    }
    if (log_line != NULL) {
        log_line(log_context, error->text);
    }
}

void uw_answer_query(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                     const char *sql, const struct uw_str *arguments, uint32_t argument_count, const char *missing)
{
    struct uw_error error = {.text = ""};
    PGresult *result = NULL;
    struct uw_str body = UW_STR_NULL;
    enum uw_code code = uw_desk_begin(desk, principal, false, &error);
    if (code == UW_OK) {
        code = uw_desk_query(desk, sql, arguments, argument_count, &result, &error);
    }
    if (code == UW_OK) {
        if (PQntuples(result) == 1) {
            body = uw_arena_copy(&request->arena, uw_desk_field(result, 0, 0));
        }
        bool found = PQntuples(result) == 1;
        PQclear(result);
        code = uw_desk_commit(desk, &error);
        if (code == UW_OK && !found) {
            uw_http_problem(request, 404, "%s", missing);
            return;
        }
    }
    if (code == UW_OK && uw_str_is_null(body)) {
        code = UW_ENOMEM;
    }
    if (code != UW_OK) {
        uw_answer_error(request, code, &error);
        return;
    }
    request->answer.status = 200;
    request->answer.content_type = UW_JSON;
    request->answer.body = body;
    request->answer.tagged = request->method == UW_METHOD_GET || request->method == UW_METHOD_HEAD;
}
