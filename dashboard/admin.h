/* Tokens over HTTP, for administrators. */
#ifndef UW_DASHBOARD_ADMIN_H
#define UW_DASHBOARD_ADMIN_H

#include "dashboard/desk.h"

void uw_admin_tokens(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request);
void uw_admin_token_create(struct uw_desk *desk, const struct uw_principal *principal,
                           struct uw_http_request *request);
void uw_admin_token_revoke(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                           struct uw_str id);

/* Whether a part of a path can be the number of a row; false with the answer 404 and `missing`. */
bool uw_admin_names(struct uw_http_request *request, struct uw_str text, const char *missing) UW_MUST_USE;

#endif
