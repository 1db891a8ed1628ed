/*
 * What people do about alerts and anomalies: kept in PostgreSQL with who and when, under row-level security.
 */
#ifndef UW_DASHBOARD_WORKFLOW_H
#define UW_DASHBOARD_WORKFLOW_H

#include "dashboard/desk.h"
#include "producers/feeder.h"
#include "schemas/codec.h"

/* Sends evaluations; the feeder is opened with the first one. Shared by all workers. */
struct uw_reporter;
enum uw_code uw_reporter_open(const struct uw_feeder_options *options, struct uw_reporter **reporter,
                              struct uw_error *error) UW_MUST_USE;
void uw_reporter_close(struct uw_reporter **reporter);

/* `subject` is the alert's or anomaly's id, a UUID. */
void uw_workflow_assign(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                        struct uw_str subject);
void uw_workflow_acknowledge(struct uw_desk *desk, const struct uw_principal *principal,
                             struct uw_http_request *request, struct uw_str subject);
void uw_workflow_snooze(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                        struct uw_str subject);
void uw_workflow_evaluate(struct uw_reporter *reporter, struct uw_desk *desk, const struct uw_principal *principal,
                          struct uw_http_request *request, struct uw_str subject);
void uw_workflow_set_case(struct uw_desk *desk, const struct uw_principal *principal,
                          struct uw_http_request *request, struct uw_str subject);
void uw_workflow_add_note(struct uw_desk *desk, const struct uw_principal *principal,
                          struct uw_http_request *request, struct uw_str subject);

#endif
