/* Small things that all paths of the API share. */
#ifndef UW_DASHBOARD_ANSWER_H
#define UW_DASHBOARD_ANSWER_H

#include <jansson.h>

#include "dashboard/desk.h"

#define UW_JSON "application/json"
#define UW_CSV "text/csv; charset=utf-8; header=present"

/* Today in Europe/Amsterdam; UW_DAY_NONE when the zone is not installed. */
int32_t uw_answer_today(void);
/* The body as a JSON object, to be json_decref'ed; or NULL, and the problem is the answer. */
json_t *uw_answer_json(struct uw_http_request *request);
/* The answer for an error of the database or of Kafka: 400, 503 or 500; its text stays here. */
void uw_answer_error(struct uw_http_request *request, enum uw_code code, const struct uw_error *error);
/* Runs a statement of one row and one column of JSON under the rights of `principal`, and answers with it; 404 with
 * `missing` when there is no row. Adds an ETag to a GET. */
void uw_answer_query(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                     const char *sql, const struct uw_str *arguments, uint32_t argument_count, const char *missing);
/* Who logs what went wrong; one line, no client ids. */
void uw_answer_log(void (*log)(void *context, const char *text), void *context);

#endif
