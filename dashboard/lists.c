#include "dashboard/lists.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define IN(column) column " = ANY (string_to_array($, ','))"
/* A condition on the latest version of the row's decision. */
#define BY_DECISION(column)                                                                                          \
    "EXISTS (SELECT FROM urenwacht_api.decision v WHERE v.municipality = a.municipality AND v.decision = a.decision " \
    "AND v.client = a.client AND v." column " = ANY (string_to_array($, ',')))"

#define STATUS_WORDS " OPEN RESOLVED "
#define LAW_WORDS " WMO JEUGDWET PARTICIPATIEWET "
#define MODEL_WORDS " Pxq Bandwidth YearBudget FixedPlusSurplus Result Task "
#define ALERT_WORDS                                                                                                  \
    " SURPLUS_LOW SURPLUS_EXHAUSTED BUDGET_LOW BUDGET_EXHAUSTED PROJECTED_EXHAUSTION PERIOD_EXCEEDED "             \
    "BANDWIDTH_ABOVE BANDWIDTH_BELOW EVALUATION_DUE DECISION_ENDING CARE_STALLED "
#define ANOMALY_WORDS                                                                                                \
    " VERSION_CONFLICT DUPLICATE_CONFLICT ORPHAN_CREDIT CREDIT_MISMATCH DOUBLE_CREDIT UNKNOWN_DECISION "           \
    "OUTSIDE_DECISION WRONG_PROVIDER LATE_DECLARATION FUTURE_DECLARATION IMPLAUSIBLE_DURATION DOUBLE_DECLARATION " \
    "CLIENT_OVERLAP DECLARED_NO_SHOW "

#define MUNICIPALITY {"municipality", UW_FILTER_MUNICIPALITIES, NULL, IN("a.municipality"), NULL}
#define DECISION {"decision", UW_FILTER_TEXT, NULL, "a.decision = $", NULL}
/* A part of the decision's id, as people remember it. */
#define SEARCH {"search", UW_FILTER_TEXT, NULL, "strpos(lower(a.decision), lower($)) > 0", NULL}
#define IDS(column) {column, UW_FILTER_IDS, NULL, "a." column " = ANY (string_to_array($, ',')::uuid[])", NULL}
#define CLIENT {"client", UW_FILTER_TEXT, NULL, "a.client = $", NULL}
#define ASSIGNEE {"assignee", UW_FILTER_TEXT, NULL, "coalesce(a.assignee, '') = $", NULL}

/* ---- alerts ---- */

static const struct uw_list_filter alert_filters[] = {
    IDS("alert_id"),
    {"status", UW_FILTER_WORDS, STATUS_WORDS, IN("a.status"), "OPEN"},
    {"kind", UW_FILTER_WORDS, ALERT_WORDS, IN("a.kind"), NULL},
    {"severity", UW_FILTER_WORDS, " INFO WARNING CRITICAL ", IN("a.severity"), NULL},
    MUNICIPALITY,
    {"provider", UW_FILTER_TEXTS, NULL, IN("a.provider"), NULL},
    {"product", UW_FILTER_TEXTS, NULL, BY_DECISION("product"), NULL},
    {"law", UW_FILTER_WORDS, LAW_WORDS, BY_DECISION("law"), NULL},
    {"model", UW_FILTER_WORDS, MODEL_WORDS, BY_DECISION("model"), NULL},
    DECISION,
    SEARCH,
    CLIENT,
    {"effective_from", UW_FILTER_DATE, NULL, "a.effective_on >= $::date", NULL},
    {"effective_to", UW_FILTER_DATE, NULL, "a.effective_on <= $::date", NULL},
    {"valid_on", UW_FILTER_DATE, NULL,
     "EXISTS (SELECT FROM urenwacht_api.decision v WHERE v.municipality = a.municipality AND v.decision = a.decision "
     "AND v.client = a.client AND v.status = 'ACTIVE' AND $::date BETWEEN v.valid_from AND coalesce(v.valid_to, "
     "'infinity'))",
     NULL},
    {"active_on", UW_FILTER_DATE, NULL,
     "EXISTS (SELECT FROM urenwacht_api.account p WHERE p.client = a.client AND p.municipality = a.municipality AND "
     "p.decision = a.decision AND p.segment_from = a.segment_from AND p.period_from = a.period_from AND $::date "
     "BETWEEN p.period_from AND coalesce(p.period_to, 'infinity'))",
     NULL},
    ASSIGNEE,
    {"state", UW_FILTER_WORDS, " NEW ASSIGNED ACKNOWLEDGED SNOOZED ", IN("a.state"), NULL},
};
/* Open alerts lie in the indexes alert_state_listed and alert_state_observed by kind, so that there is a stream for
 * each kind and severity, or for each kind; most are short, and a page needs the first rows of each. */
#define KIND_STREAM "unnest(string_to_array(btrim('" ALERT_WORDS "'), ' '))"
#define STREAM                                                                                                        \
    "(SELECT k.kind, r.severity, r.severity_rank FROM " KIND_STREAM " k (kind) CROSS JOIN (VALUES ('INFO', 0), "       \
    "('WARNING', 1), ('CRITICAL', 2)) r (severity, severity_rank)) s"
#define OF_STREAM "a.kind = s.kind AND a.severity = s.severity"
/* A stream of the severity at which the page before ended goes on at its day, those of the next from their start. */
static const struct uw_list_streams most_severe = {
    STREAM, OF_STREAM,
    "s.severity_rank <= -($0::integer) AND a.effective_on >= CASE s.severity_rank WHEN -($0::integer) THEN $1::date "
    "ELSE '-infinity' END",
    NULL, 1,
};
static const struct uw_list_streams least_severe = {
    STREAM, OF_STREAM,
    "s.severity_rank >= $0::integer AND a.effective_on >= CASE s.severity_rank WHEN $0::integer THEN $1::date ELSE "
    "'-infinity' END",
    NULL, 1,
};
static const struct uw_list_streams effective = {
    STREAM, OF_STREAM, "a.effective_on >= $0::date", "a.effective_on <= $0::date", 0,
};
static const struct uw_list_streams observed = {
    KIND_STREAM " s (kind)", "a.kind = s.kind",
    "a.observed_at >= $0::timestamptz", "a.observed_at <= $0::timestamptz", 0,
};
static const struct uw_list_sort alert_sorts[] = {
    /* The most severe first, and of those what is due first. */
    {"severity", {"-a.severity_rank", "a.effective_on", "a.alert_id"}, {"integer", "date", "uuid"}, true, &most_severe},
    {"severity", {"a.severity_rank", "a.effective_on", "a.alert_id"}, {"integer", "date", "uuid"}, false,
     &least_severe},
    {"effective_on", {"a.effective_on", "a.alert_id"}, {"date", "uuid"}, false, &effective},
    {"observed_at", {"a.observed_at", "a.alert_id"}, {"timestamptz", "uuid"}, false, &observed},
};
static const struct uw_list_column alert_columns[] = {
    {"alert_id", "a.alert_id"}, {"revision", "a.revision"}, {"status", "a.status"}, {"kind", "a.kind"},
    {"severity", "a.severity"}, {"client", "a.client"}, {"municipality", "a.municipality"},
    {"decision", "a.decision"}, {"provider", "a.provider"}, {"segment_from", "a.segment_from"},
    {"period_from", "a.period_from"}, {"threshold", "a.threshold"}, {"effective_on", "a.effective_on"},
    {"allotted_minutes", "a.payload->>'allotted_minutes'"}, {"used_minutes", "a.payload->>'used_minutes'"},
    {"remaining_minutes", "a.payload->>'remaining_minutes'"},
    {"delivered_minutes", "a.payload->>'delivered_minutes'"},
    {"no_show_minutes", "a.payload->>'no_show_minutes'"}, {"expected_minutes", "a.payload->>'expected_minutes'"},
    {"ratio_percent", "a.payload->>'ratio_percent'"}, {"observed_at", "a.observed_at"},
    {"product_category", "d.product_category"}, {"product", "d.product"}, {"law", "d.law"}, {"model", "d.model"},
    {"state", "a.state"}, {"assignee", "a.assignee"}, {"acknowledged_by", "a.acknowledged_by"},
    {"acknowledged_at", "a.acknowledged_at"}, {"note", "a.note"}, {"snoozed_until", "a.snoozed_until"},
};
const struct uw_list uw_list_alerts = {
    .from = "urenwacht_api.alert a",
    .late = UW_LATEST,
    .json = "json_build_object(" UW_ALERT_MEMBERS ")",
    .columns = alert_columns,
    .column_count = COUNT(alert_columns),
    .filters = alert_filters,
    .filter_count = COUNT(alert_filters),
    .sorts = alert_sorts,
    .sort_count = COUNT(alert_sorts),
    .sort_default = "-severity",
    .id = "alert_id",
    .narrow = " alert_id client status ",
};
static const struct uw_list_column count_sums[] = {{"count", "count(*)"}};
static const struct uw_list_dimension alert_dimensions[] = {
    {"kind", "a.kind", NULL}, {"severity", "a.severity", NULL}, {"municipality", "a.municipality", NULL},
    {"provider", "a.provider", NULL}, {"product", "d.product", UW_LATEST}, {"law", "d.law", UW_LATEST},
    {"model", "d.model", UW_LATEST}, {"state", "a.state", NULL}, {"assignee", "a.assignee", NULL},
    {"month", "to_char(a.effective_on, 'YYYY-MM-01')", NULL},
};
const struct uw_group uw_group_alerts = {
    &uw_list_alerts, alert_dimensions, COUNT(alert_dimensions), 1, 3, "'count', count(*)", count_sums,
    COUNT(count_sums), NULL, "count(*) DESC", 5000, false,
};

/* ---- anomalies ---- */

static const struct uw_list_filter anomaly_filters[] = {
    IDS("anomaly_id"),
    {"status", UW_FILTER_WORDS, STATUS_WORDS, IN("a.status"), "OPEN"},
    {"kind", UW_FILTER_WORDS, ANOMALY_WORDS, IN("a.kind"), NULL},
    MUNICIPALITY,
    {"provider", UW_FILTER_TEXTS, NULL, IN("a.provider"), NULL},
    DECISION,
    SEARCH,
    CLIENT,
    /* Splitting nothing by a pattern gives one empty text: those without staff. */
    {"staff", UW_FILTER_TEXTS_OR_NONE, NULL, "coalesce(a.staff, '') = ANY (regexp_split_to_array($, ','))", NULL},
    {"state", UW_FILTER_WORDS, " NEW IN_RESEARCH FOUNDED UNFOUNDED ", IN("a.state"), NULL},
    ASSIGNEE,
};
static const struct uw_list_sort anomaly_sorts[] = {
    {"observed_at", {"a.observed_at", "a.anomaly_id"}, {"timestamptz", "uuid"}, false, NULL},
    {"provider", {"a.provider", "a.anomaly_id"}, {"text", "uuid"}, false, NULL},
    {"kind", {"a.kind", "a.anomaly_id"}, {"text", "uuid"}, false, NULL},
};
static const struct uw_list_column anomaly_columns[] = {
    {"anomaly_id", "a.anomaly_id"}, {"revision", "a.revision"}, {"status", "a.status"}, {"kind", "a.kind"},
    {"client", "a.client"}, {"municipality", "a.municipality"}, {"decision", "a.decision"},
    {"provider", "a.provider"}, {"subject", "a.subject"}, {"staff", "a.staff"},
    {"first_day", "a.payload->>'first_day'"}, {"last_day", "a.payload->>'last_day'"},
    {"minutes", "a.payload->>'minutes'"}, {"recorded_at", "a.payload->>'recorded_at'"},
    {"other", "a.payload->>'other'"}, {"observed_at", "a.observed_at"}, {"state", "a.state"},
    {"assignee", "a.assignee"}, {"changed_by", "a.changed_by"}, {"changed_at", "a.changed_at"},
};
const struct uw_list uw_list_anomalies = {
    .from = "urenwacht_api.anomaly a",
    .late = "",
    .json = "json_build_object(" UW_ANOMALY_MEMBERS ")",
    .columns = anomaly_columns,
    .column_count = COUNT(anomaly_columns),
    .filters = anomaly_filters,
    .filter_count = COUNT(anomaly_filters),
    .sorts = anomaly_sorts,
    .sort_count = COUNT(anomaly_sorts),
    .sort_default = "-observed_at",
};
static const struct uw_list_dimension anomaly_dimensions[] = {
    {"kind", "a.kind", NULL}, {"municipality", "a.municipality", NULL}, {"provider", "a.provider", NULL},
    {"staff", "a.staff", NULL}, {"state", "a.state", NULL}, {"assignee", "a.assignee", NULL},
};
const struct uw_group uw_group_anomalies = {
    &uw_list_anomalies, anomaly_dimensions, COUNT(anomaly_dimensions), 1, 3, "'count', count(*)", count_sums,
    COUNT(count_sums), NULL, "count(*) DESC", 5000, false,
};

/* ---- decisions ---- */

/* The days at which evaluations of the row are due; those of a withdrawn decision are not. */
#define DUES                                                                                                         \
    "urenwacht_api.evaluation_dues(a.client, a.municipality, a.decision, a.valid_from, a.valid_to, "                 \
    "a.evaluation_months) e WHERE a.status = 'ACTIVE' AND NOT e.held"

static const struct uw_list_filter decision_filters[] = {
    MUNICIPALITY,
    {"provider", UW_FILTER_TEXTS, NULL, IN("a.provider"), NULL},
    {"product", UW_FILTER_TEXTS, NULL, IN("a.product"), NULL},
    {"law", UW_FILTER_WORDS, LAW_WORDS, IN("a.law"), NULL},
    {"model", UW_FILTER_WORDS, MODEL_WORDS, IN("a.model"), NULL},
    DECISION,
    SEARCH,
    CLIENT,
    {"valid_on", UW_FILTER_DATE, NULL,
     "a.status = 'ACTIVE' AND $::date BETWEEN a.valid_from AND coalesce(a.valid_to, 'infinity')", NULL},
    {"evaluation_month", UW_FILTER_DATE, NULL,
     "EXISTS (SELECT FROM " DUES " AND to_char(e.due_on, 'YYYY-MM') = left($, 7))", NULL},
};
static const struct uw_list_sort decision_sorts[] = {
    {"decision", {"a.municipality", "a.decision", "a.client"}, {"text", "text", "text"}, false, NULL},
    {"valid_from", {"a.valid_from", "a.municipality", "a.decision", "a.client"}, {"date", "text", "text", "text"},
     false, NULL},
    {"evaluation_due", {"coalesce((SELECT min(e.due_on) FROM " DUES "), 'infinity')", "a.municipality", "a.decision",
     "a.client"}, {"date", "text", "text", "text"}, false, NULL},
};
static const struct uw_list_column decision_columns[] = {
    {"client", "a.client"}, {"municipality", "a.municipality"}, {"decision", "a.decision"},
    {"version", "a.version"}, {"status", "a.status"}, {"law", "a.law"}, {"product_category", "a.product_category"},
    {"product", "a.product"}, {"care", "a.care"}, {"provider", "a.provider"}, {"valid_from", "a.valid_from"},
    {"valid_to", "a.valid_to"}, {"effective_from", "a.effective_from"}, {"model", "a.model"},
    {"frequency", "a.frequency"}, {"volume_minutes", "a.volume_minutes"}, {"min_minutes", "a.min_minutes"},
    {"max_minutes", "a.max_minutes"}, {"minutes_per_year", "a.minutes_per_year"},
    {"minutes_per_week", "a.minutes_per_week"}, {"surplus_minutes", "a.surplus_minutes"},
    {"price_cents", "a.price_cents"}, {"expected_minutes_per_week", "a.expected_minutes_per_week"},
    {"result", "a.result"}, {"billable_percent", "a.billable_percent"}, {"max_per_month", "a.max_per_month"},
    {"notice_hours", "a.notice_hours"}, {"counts_to_budget", "a.counts_to_budget"},
    {"evaluation_months", "array_to_string(a.evaluation_months, ' ')"},
    {"rate_cents_per_hour", "a.rate_cents_per_hour"}, {"recorded_at", "a.recorded_at"},
    {"evaluations_due", "array_to_string(d.evaluations_due, ' ')"},
};
const struct uw_list uw_list_decisions = {
    .from = "urenwacht_api.decision a",
    .late = "CROSS JOIN LATERAL (SELECT coalesce(array_agg(e.due_on ORDER BY e.due_on), '{}') AS evaluations_due FROM "
            DUES ") d",
    .json = "(to_jsonb(a) - '{k0,k1,k2,k3}'::text[]) || jsonb_build_object('evaluations_due', d.evaluations_due)",
    .columns = decision_columns,
    .column_count = COUNT(decision_columns),
    .filters = decision_filters,
    .filter_count = COUNT(decision_filters),
    .sorts = decision_sorts,
    .sort_count = COUNT(decision_sorts),
    .sort_default = "decision",
};
static const struct uw_list_dimension decision_dimensions[] = {
    {"municipality", "a.municipality", NULL}, {"provider", "a.provider", NULL},
    {"product", "a.product", NULL}, {"law", "a.law", NULL}, {"model", "a.model", NULL}, {"care", "a.care", NULL},
    {"status", "a.status", NULL},
};
const struct uw_group uw_group_decisions = {
    &uw_list_decisions, decision_dimensions, COUNT(decision_dimensions), 1, 3, "'count', count(*)", count_sums,
    COUNT(count_sums), NULL, "count(*) DESC", 5000, false,
};

/* ---- accounts ---- */

static const struct uw_list_filter account_filters[] = {
    MUNICIPALITY,
    {"provider", UW_FILTER_TEXTS, NULL, BY_DECISION("provider"), NULL},
    {"product", UW_FILTER_TEXTS, NULL, BY_DECISION("product"), NULL},
    {"law", UW_FILTER_WORDS, LAW_WORDS, BY_DECISION("law"), NULL},
    {"model", UW_FILTER_WORDS, MODEL_WORDS, IN("a.model"), NULL},
    DECISION,
    CLIENT,
    {"active_on", UW_FILTER_DATE, NULL, "$::date BETWEEN a.period_from AND coalesce(a.period_to, 'infinity')", NULL},
    {"used_percent_min", UW_FILTER_INTEGER, NULL, "a.used_percent >= $::integer", NULL},
};
#define ACCOUNT_KEY "(a.segment_from::text || '/' || a.period_from::text || '/' || a.client) COLLATE \"C\""
static const struct uw_list_sort account_sorts[] = {
    {"decision", {"a.municipality", "a.decision", ACCOUNT_KEY}, {"text", "text", "text"}, false, NULL},
    {"period_from", {"a.period_from", "a.municipality", "a.decision", ACCOUNT_KEY}, {"date", "text", "text", "text"},
     false, NULL},
    {"used_percent", {"coalesce(a.used_percent, -1)", "a.municipality", "a.decision", ACCOUNT_KEY},
     {"bigint", "text", "text", "text"}, false, NULL},
};
static const struct uw_list_column account_columns[] = {
    {"client", "a.client"}, {"municipality", "a.municipality"}, {"decision", "a.decision"},
    {"segment_from", "a.segment_from"}, {"period_from", "a.period_from"}, {"period_to", "a.period_to"},
    {"model", "a.model"}, {"allotted_minutes", "a.allotted_minutes"}, {"minimum_minutes", "a.minimum_minutes"},
    {"used_minutes", "a.used_minutes"}, {"delivered_minutes", "a.delivered_minutes"},
    {"no_show_minutes", "a.no_show_minutes"}, {"used_percent", "a.used_percent"}, {"provider", "d.provider"},
    {"product_category", "d.product_category"}, {"product", "d.product"}, {"law", "d.law"},
};
const struct uw_list uw_list_accounts = {
    .from = "urenwacht_api.account a",
    .late = UW_LATEST,
    .json = "json_build_object(" UW_ACCOUNT_MEMBERS ")",
    .columns = account_columns,
    .column_count = COUNT(account_columns),
    .filters = account_filters,
    .filter_count = COUNT(account_filters),
    .sorts = account_sorts,
    .sort_count = COUNT(account_sorts),
    .sort_default = "decision",
};

/* ---- facts ---- */

static const struct uw_list_filter fact_filters[] = {
    MUNICIPALITY,
    DECISION,
    CLIENT,
    {"topic", UW_FILTER_WORDS, " DECISION DECLARATION NO_SHOW EVALUATION ", IN("a.topic"), NULL},
};
static const struct uw_list_sort fact_sorts[] = {
    {"first_day", {"a.first_day", "a.kind", "a.partition", "a.kafka_offset"}, {"date", "integer", "integer", "bigint"},
     false, NULL},
    {"recorded_at", {"a.recorded_at", "a.kind", "a.partition", "a.kafka_offset"},
     {"timestamptz", "integer", "integer", "bigint"}, false, NULL},
};
static const struct uw_list_column fact_columns[] = {
    {"topic", "a.topic"}, {"client", "a.client"}, {"municipality", "a.municipality"}, {"decision", "a.decision"},
    {"provider", "a.provider"}, {"subject", "a.subject"}, {"first_day", "a.first_day"}, {"last_day", "a.last_day"},
    {"what", "a.what"}, {"minutes", "a.minutes"}, {"staff", "a.staff"}, {"recorded_at", "a.recorded_at"},
    {"event_id", "a.event_id"}, {"redelivery", "a.redelivery"},
};
/* A decision leads to its clients, whose facts have an index; the lines have none by decision. $1 and $2 are the
 * decision, or null; then the filter `client` is there. */
const struct uw_list uw_list_facts = {
    .from = "urenwacht_api.fact a",
    .where = "($1::text IS NULL OR a.client IN (SELECT d.client FROM urenwacht_data.decision_fact d WHERE "
             "d.municipality = $1::text AND d.decision = $2::text UNION SELECT s.client FROM "
             "urenwacht_data.anomaly_state s WHERE s.municipality = $1::text AND s.decision = $2::text AND s.kind = "
             "'UNKNOWN_DECISION'))",
    .late = "",
    .json = "json_build_object('topic', a.topic, 'client', a.client, 'municipality', a.municipality, 'decision', "
            "a.decision, 'provider', a.provider, 'subject', a.subject, 'first_day', a.first_day, 'last_day', "
            "a.last_day, 'what', a.what, 'minutes', a.minutes, 'staff', a.staff, 'recorded_at', a.recorded_at, "
            "'event_id', a.event_id, 'redelivery', a.redelivery)",
    .columns = fact_columns,
    .column_count = COUNT(fact_columns),
    .filters = fact_filters,
    .filter_count = COUNT(fact_filters),
    .sorts = fact_sorts,
    .sort_count = COUNT(fact_sorts),
    .sort_default = "first_day",
};

/* ---- aggregates ---- */

static const struct uw_list_filter aggregate_filters[] = {
    MUNICIPALITY,
    {"provider", UW_FILTER_TEXTS, NULL, IN("a.provider"), NULL},
    {"product", UW_FILTER_TEXTS, NULL, IN("a.product"), NULL},
    {"law", UW_FILTER_WORDS, LAW_WORDS, IN("a.law"), NULL},
    {"model", UW_FILTER_WORDS, MODEL_WORDS, IN("a.model"), NULL},
    {"care", UW_FILTER_WORDS, " CONTINUOUS INTENSIVE ", IN("a.care"), NULL},
    {"from", UW_FILTER_DATE, NULL, "a.period_from >= $::date", NULL},
    {"to", UW_FILTER_DATE, NULL, "a.period_from <= $::date", NULL},
};
static const struct uw_list weekly = {
    .from = "urenwacht_api.aggregate a",
    .where = "a.grain = 0",
    .filters = aggregate_filters,
    .filter_count = COUNT(aggregate_filters),
};
static const struct uw_list monthly = {
    .from = "urenwacht_api.aggregate a",
    .where = "a.grain = 1",
    .filters = aggregate_filters,
    .filter_count = COUNT(aggregate_filters),
};
static const struct uw_list_dimension aggregate_dimensions[] = {
    {"municipality", "a.municipality", NULL}, {"provider", "a.provider", NULL},
    {"product", "a.product", NULL}, {"product_category", "a.product_category", NULL}, {"law", "a.law", NULL},
    {"care", "a.care", NULL}, {"model", "a.model", NULL},
};
const struct uw_list_dimension uw_dimension_period = {"period_from", "a.period_from", NULL};
const struct uw_list_dimension uw_dimension_no_period = {"period_from", "NULL::date", NULL};
#define COST_CENTS "div(sum(a.cost_sixtieths), 60)"
#define SUMS                                                                                                         \
    "'clients', sum(a.clients), 'decisions', sum(a.decisions), 'delivered_minutes', sum(a.delivered_minutes), "     \
    "'no_show_minutes', sum(a.no_show_minutes), 'used_minutes', sum(a.used_minutes), 'allotted_minutes', "          \
    "sum(a.allotted_minutes), 'priced_minutes', sum(a.priced_minutes), 'cost_cents', " COST_CENTS
static const struct uw_list_column aggregate_sums[] = {
    {"clients", "sum(a.clients)"}, {"decisions", "sum(a.decisions)"},
    {"delivered_minutes", "sum(a.delivered_minutes)"}, {"no_show_minutes", "sum(a.no_show_minutes)"},
    {"used_minutes", "sum(a.used_minutes)"}, {"allotted_minutes", "sum(a.allotted_minutes)"},
    {"priced_minutes", "sum(a.priced_minutes)"}, {"cost_cents", COST_CENTS},
};
/* Rows of which all sums are 0 are what writers took away from each other. */
#define NOT_EMPTY                                                                                                    \
    "(sum(a.clients), sum(a.decisions), sum(a.delivered_minutes), sum(a.no_show_minutes), sum(a.used_minutes), "    \
    "sum(a.allotted_minutes), sum(a.priced_minutes), sum(a.cost_sixtieths)) <> (0, 0, 0, 0, 0, 0, 0, 0)"
const struct uw_group uw_group_weekly = {
    &weekly, aggregate_dimensions, COUNT(aggregate_dimensions), 0, 4, SUMS, aggregate_sums, COUNT(aggregate_sums),
    NOT_EMPTY, NULL, 20000, true,
};
const struct uw_group uw_group_monthly = {
    &monthly, aggregate_dimensions, COUNT(aggregate_dimensions), 0, 4, SUMS, aggregate_sums, COUNT(aggregate_sums),
    NOT_EMPTY, NULL, 20000, true,
};
