/* What can be listed and counted, and the JSON of one row of each. */
#ifndef UW_DASHBOARD_LISTS_H
#define UW_DASHBOARD_LISTS_H

#include "dashboard/list.h"

extern const struct uw_list uw_list_alerts, uw_list_anomalies, uw_list_decisions, uw_list_accounts, uw_list_facts;
extern const struct uw_group uw_group_alerts, uw_group_anomalies, uw_group_decisions, uw_group_weekly, uw_group_monthly;
extern const struct uw_list_dimension uw_dimension_period, uw_dimension_no_period;

/* Expressions over a row `a` (and `d` where the join stands), as literals for other statements. */
#define UW_WORKFLOW_JSON                                                                                             \
    "json_build_object('state', a.state, 'assignee', a.assignee, 'acknowledged_by', a.acknowledged_by, "            \
    "'acknowledged_at', a.acknowledged_at, 'note', a.note, 'snoozed_until', a.snoozed_until, "                      \
    "'evaluation_reported_at', a.evaluation_reported_at)"
#define UW_ALERT_MEMBERS                                                                                             \
    "'alert_id', a.alert_id, 'revision', a.revision, 'status', a.status, 'kind', a.kind, 'severity', a.severity, "  \
    "'client', a.client, 'municipality', a.municipality, 'decision', a.decision, 'provider', a.provider, "          \
    "'segment_from', a.segment_from, 'period_from', a.period_from, 'threshold', a.threshold, 'effective_on', "      \
    "a.effective_on, 'payload', a.payload, 'observed_at', a.observed_at, 'product_category', d.product_category, "  \
    "'product', d.product, 'law', d.law, 'model', d.model, 'workflow', " UW_WORKFLOW_JSON
#define UW_CASE_JSON                                                                                                 \
    "json_build_object('state', a.state, 'assignee', a.assignee, 'changed_by', a.changed_by, 'changed_at', "        \
    "a.changed_at)"
#define UW_ANOMALY_MEMBERS                                                                                           \
    "'anomaly_id', a.anomaly_id, 'revision', a.revision, 'status', a.status, 'kind', a.kind, 'client', a.client, "  \
    "'municipality', a.municipality, 'decision', a.decision, 'provider', a.provider, 'subject', a.subject, "        \
    "'payload', a.payload, 'observed_at', a.observed_at, 'case', " UW_CASE_JSON
#define UW_ACCOUNT_MEMBERS                                                                                           \
    "'client', a.client, 'municipality', a.municipality, 'decision', a.decision, 'segment_from', a.segment_from, "  \
    "'period_from', a.period_from, 'period_to', a.period_to, 'model', a.model, 'allotted_minutes', "                \
    "a.allotted_minutes, 'minimum_minutes', a.minimum_minutes, 'used_minutes', a.used_minutes, "                    \
    "'delivered_minutes', a.delivered_minutes, 'no_show_minutes', a.no_show_minutes, 'used_percent', "              \
    "a.used_percent, 'provider', d.provider, 'product_category', d.product_category, 'product', d.product, 'law', " \
    "d.law"
/* The latest version of the decision of `a`. */
#define UW_LATEST                                                                                                    \
    "LEFT JOIN LATERAL (SELECT v.provider, v.product_category, v.product, v.law, v.model FROM "                     \
    "urenwacht_api.decision v WHERE v.municipality = a.municipality AND v.decision = a.decision AND v.client = "    \
    "a.client LIMIT 1) d ON true"

#endif
