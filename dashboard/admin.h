/* Tokens over HTTP, for administrators. */
#ifndef UW_DASHBOARD_ADMIN_H
#define UW_DASHBOARD_ADMIN_H

#include "dashboard/desk.h"

void uw_admin_tokens(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request);
void uw_admin_token_create(struct uw_desk *desk, const struct uw_principal *principal,
                           struct uw_http_request *request);
void uw_admin_token_revoke(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                           struct uw_str id);

/* The number of a path; false for what is none. */
bool uw_admin_id(struct uw_str text, int64_t *id) UW_MUST_USE;

#endif
