#include "schemas/shape.h"

#include <assert.h>

static_assert(sizeof(enum uw_law) == 4 && sizeof(enum uw_model) == 4 && sizeof(enum uw_alert_kind) == 4,
              "enumerations are read and written as 4 bytes");

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define SYMBOLS(name, first, ...)                                                                                      \
    static const char *const name##_names[] = {__VA_ARGS__};                                                           \
    static const struct uw_symbols name = {name##_names, COUNT(name##_names), first}

SYMBOLS(decision_status, 0, "ACTIVE", "WITHDRAWN");
SYMBOLS(law, 0, "WMO", "JEUGDWET", "PARTICIPATIEWET");
SYMBOLS(care, 0, "CONTINUOUS", "INTENSIVE");
SYMBOLS(frequency, 0, "DAY", "WEEK", "FOUR_WEEKS", "MONTH", "YEAR", "TOTAL");
SYMBOLS(bandwidth_period, UW_FREQUENCY_WEEK, "WEEK", "FOUR_WEEKS", "MONTH");
SYMBOLS(line_kind, 0, "DEBIT", "CREDIT");
SYMBOLS(no_show_status, 0, "REPORTED", "WITHDRAWN");
SYMBOLS(no_show_reason, 0, "CLIENT_ABSENT", "CLIENT_CANCELLED", "PROVIDER_CANCELLED");
SYMBOLS(evaluation_outcome, 0, "CONTINUE", "ADJUST", "DOWNSCALE", "END");
SYMBOLS(status, 0, "OPEN", "RESOLVED");
/* UNKNOWN is no C value: a reader that finds it refuses the message, a writer never writes it. */
SYMBOLS(severity, -1, "UNKNOWN", "INFO", "WARNING", "CRITICAL");
SYMBOLS(alert_kind, -1, "UNKNOWN", "SURPLUS_LOW", "SURPLUS_EXHAUSTED", "BUDGET_LOW", "BUDGET_EXHAUSTED",
        "PROJECTED_EXHAUSTION", "PERIOD_EXCEEDED", "BANDWIDTH_ABOVE", "BANDWIDTH_BELOW", "EVALUATION_DUE",
        "DECISION_ENDING", "CARE_STALLED");
SYMBOLS(anomaly_kind, -1, "UNKNOWN", "VERSION_CONFLICT", "DUPLICATE_CONFLICT", "ORPHAN_CREDIT", "CREDIT_MISMATCH",
        "DOUBLE_CREDIT", "UNKNOWN_DECISION", "OUTSIDE_DECISION", "WRONG_PROVIDER", "LATE_DECLARATION",
        "FUTURE_DECLARATION", "IMPLAUSIBLE_DURATION", "DOUBLE_DECLARATION", "CLIENT_OVERLAP", "DECLARED_NO_SHOW");

/* A field of struct `owner` (set by each table below) at `member`. */
#define FIELD(text, type, member) {.name = text, .kind = UW_VALUE_##type, .offset = offsetof(struct OWNER, member)}
#define NULLABLE(text, type, member)                                                                                   \
    {.name = text, .kind = UW_VALUE_##type, .nullable = true, .offset = offsetof(struct OWNER, member)}
#define ENUM(text, set, member)                                                                                        \
    {.name = text, .kind = UW_VALUE_ENUM, .offset = offsetof(struct OWNER, member), .symbols = &(set)}
#define NESTED(text, shape) {.name = text, .kind = UW_VALUE_RECORD, .records = &(shape), .record_count = 1}
#define SHAPE(text, table) {text, table, COUNT(table)}

#define OWNER uw_event

#define HEAD                                                                                                           \
    FIELD("event_id", UUID, event_id), FIELD("recorded_at", INSTANT, recorded_at_ms),                                  \
        FIELD("municipality", TEXT, municipality), FIELD("client", TEXT, client), FIELD("decision", TEXT, decision)

static const struct uw_shape_field pxq_fields[] = {
    FIELD("volume_minutes", INT, of.decision.terms.volume_minutes),
    ENUM("frequency", frequency, of.decision.terms.frequency),
};
static const struct uw_shape_field bandwidth_fields[] = {
    FIELD("min_minutes", INT, of.decision.terms.min_minutes),
    FIELD("max_minutes", INT, of.decision.terms.max_minutes),
    ENUM("per", bandwidth_period, of.decision.terms.frequency),
};
static const struct uw_shape_field year_budget_fields[] = {
    FIELD("minutes_per_year", INT, of.decision.terms.minutes_per_year),
};
static const struct uw_shape_field fixed_plus_surplus_fields[] = {
    FIELD("minutes_per_week", INT, of.decision.terms.minutes_per_week),
    FIELD("surplus_minutes", INT, of.decision.terms.surplus_minutes),
};
static const struct uw_shape_field result_fields[] = {
    FIELD("result", TEXT, of.decision.terms.result),
    FIELD("price_cents", INT, of.decision.terms.price_cents),
    NULLABLE("expected_minutes_per_week", INT, of.decision.terms.expected_minutes_per_week),
};
/* In the order of enum uw_model. */
static const struct uw_shape terms_shapes[UW_MODEL_COUNT] = {
    SHAPE("Pxq", pxq_fields),
    SHAPE("Bandwidth", bandwidth_fields),
    SHAPE("YearBudget", year_budget_fields),
    SHAPE("FixedPlusSurplus", fixed_plus_surplus_fields),
    SHAPE("Result", result_fields),
    {"Task", NULL, 0},
};

static const struct uw_shape_field policy_fields[] = {
    FIELD("billable_percent", INT, of.decision.no_show.billable_percent),
    NULLABLE("max_per_month", INT, of.decision.no_show.max_per_month),
    FIELD("notice_hours", INT, of.decision.no_show.notice_hours),
    FIELD("counts_to_budget", BOOLEAN, of.decision.no_show.counts_to_budget),
};
static const struct uw_shape policy_shape = SHAPE("NoShowPolicy", policy_fields);

static const struct uw_shape_field decision_fields[] = {
    HEAD,
    FIELD("version", INT, of.decision.version),
    ENUM("status", decision_status, of.decision.status),
    ENUM("law", law, of.decision.law),
    FIELD("product_category", TEXT, of.decision.product_category),
    FIELD("product", TEXT, of.decision.product),
    ENUM("care", care, of.decision.care),
    FIELD("provider", TEXT, provider),
    FIELD("valid_from", DATE, of.decision.valid_from_day),
    NULLABLE("valid_to", DATE, of.decision.valid_to_day),
    FIELD("effective_from", DATE, of.decision.effective_from_day),
    {.name = "terms",
     .kind = UW_VALUE_CHOICE,
     .offset = offsetof(struct uw_event, of.decision.terms.model),
     .records = terms_shapes,
     .record_count = UW_MODEL_COUNT},
    NESTED("no_show", policy_shape),
    {.name = "evaluation_months",
     .kind = UW_VALUE_LIST,
     .offset = offsetof(struct uw_event, of.decision.evaluation_list),
     .count_offset = offsetof(struct uw_event, of.decision.evaluation_count)},
    NULLABLE("rate_cents_per_hour", INT, of.decision.rate_cents_per_hour),
};

static const struct uw_shape_field declaration_fields[] = {
    HEAD,
    FIELD("provider", TEXT, provider),
    FIELD("line", TEXT, of.declaration.line),
    ENUM("kind", line_kind, of.declaration.kind),
    NULLABLE("corrects", TEXT, of.declaration.corrects),
    FIELD("performed_on", DATE, of.declaration.performed_on_day),
    NULLABLE("performed_until", DATE, of.declaration.performed_until_day),
    NULLABLE("started_at", INSTANT, of.declaration.started_at_ms),
    FIELD("minutes", INT, of.declaration.minutes),
    NULLABLE("staff", TEXT, of.declaration.staff),
};

static const struct uw_shape_field no_show_fields[] = {
    HEAD,
    FIELD("provider", TEXT, provider),
    FIELD("no_show", TEXT, of.no_show.no_show),
    ENUM("status", no_show_status, of.no_show.status),
    FIELD("appointment_on", DATE, of.no_show.appointment_on_day),
    NULLABLE("appointment_at", INSTANT, of.no_show.appointment_at_ms),
    FIELD("planned_minutes", INT, of.no_show.planned_minutes),
    ENUM("reason", no_show_reason, of.no_show.reason),
    NULLABLE("notice_minutes", INT, of.no_show.notice_minutes),
    NULLABLE("staff", TEXT, of.no_show.staff),
};

static const struct uw_shape_field evaluation_fields[] = {
    HEAD,
    FIELD("held_on", DATE, of.evaluation.held_on_day),
    ENUM("outcome", evaluation_outcome, of.evaluation.outcome),
};

#undef OWNER
#define OWNER uw_alert_record

static const struct uw_shape_field figures_fields[] = {
    NULLABLE("allotted_minutes", LONG, alert.figures.allotted_minutes),
    NULLABLE("used_minutes", LONG, alert.figures.used_minutes),
    NULLABLE("remaining_minutes", LONG, alert.figures.remaining_minutes),
    NULLABLE("minimum_minutes", LONG, alert.figures.minimum_minutes),
    NULLABLE("delivered_minutes", LONG, alert.figures.delivered_minutes),
    NULLABLE("no_show_minutes", LONG, alert.figures.no_show_minutes),
    NULLABLE("expected_minutes", LONG, alert.figures.expected_minutes),
    NULLABLE("ratio_percent", LONG, alert.figures.ratio_percent),
    NULLABLE("last_care_on", DATE, alert.figures.last_care_day),
    NULLABLE("period_to", DATE, alert.figures.period_to_day),
};
static const struct uw_shape figures_shape = SHAPE("AlertFigures", figures_fields);

static const struct uw_shape_field alert_fields[] = {
    FIELD("alert_id", UUID, alert_id),
    FIELD("revision", INT, alert.revision),
    ENUM("status", status, alert.status),
    ENUM("kind", alert_kind, alert.kind),
    ENUM("severity", severity, alert.severity),
    FIELD("client", TEXT, alert.client),
    FIELD("municipality", TEXT, alert.municipality),
    FIELD("decision", TEXT, alert.decision),
    FIELD("provider", TEXT, alert.provider),
    NULLABLE("segment_from", DATE, alert.segment_from_day),
    NULLABLE("period_from", DATE, alert.period_from_day),
    NULLABLE("threshold", INT, alert.threshold),
    FIELD("effective_on", DATE, alert.effective_on_day),
    FIELD("observed_at", INSTANT, observed_at_ms),
    NESTED("figures", figures_shape),
};

#undef OWNER
#define OWNER uw_anomaly_record

static const struct uw_shape_field evidence_fields[] = {
    NULLABLE("first_day", DATE, anomaly.first_day),
    NULLABLE("last_day", DATE, anomaly.last_day),
    NULLABLE("minutes", LONG, anomaly.minutes),
    NULLABLE("recorded_at", INSTANT, anomaly.recorded_at_ms),
    NULLABLE("staff", TEXT, anomaly.staff),
    NULLABLE("other", TEXT, other),
};
static const struct uw_shape evidence_shape = SHAPE("AnomalyEvidence", evidence_fields);

static const struct uw_shape_field anomaly_fields[] = {
    FIELD("anomaly_id", UUID, anomaly_id),
    FIELD("revision", INT, anomaly.revision),
    ENUM("status", status, anomaly.status),
    ENUM("kind", anomaly_kind, anomaly.kind),
    FIELD("client", TEXT, anomaly.client),
    FIELD("municipality", TEXT, anomaly.municipality),
    FIELD("decision", TEXT, anomaly.decision),
    FIELD("provider", TEXT, anomaly.provider),
    FIELD("subject", TEXT, subject),
    FIELD("observed_at", INSTANT, observed_at_ms),
    NESTED("evidence", evidence_shape),
};

static const struct uw_shape shapes[UW_SHAPE_COUNT] = {
    [UW_SHAPE_DECISION] = SHAPE("Decision", decision_fields),
    [UW_SHAPE_DECLARATION] = SHAPE("Declaration", declaration_fields),
    [UW_SHAPE_NO_SHOW] = SHAPE("NoShow", no_show_fields),
    [UW_SHAPE_EVALUATION] = SHAPE("Evaluation", evaluation_fields),
    [UW_SHAPE_ALERT] = SHAPE("Alert", alert_fields),
    [UW_SHAPE_ANOMALY] = SHAPE("Anomaly", anomaly_fields),
};

const struct uw_shape *uw_shape_of(enum uw_shape_id id)
{
    return &shapes[id];
}
