/* The names of enumerations, as they stand in Avro schemas, tables and messages. */
#include "core/event.h"
#include "core/outcome.h"

#include <stdio.h>
#include <string.h>

static const char *const topic_names[] = {"decisions", "declarations", "no-shows", "evaluations"};
static const char *const decision_status_names[] = {"ACTIVE", "WITHDRAWN"};
static const char *const law_names[] = {"WMO", "JEUGDWET", "PARTICIPATIEWET"};
static const char *const care_names[] = {"CONTINUOUS", "INTENSIVE"};
static const char *const frequency_names[] = {"DAY", "WEEK", "FOUR_WEEKS", "MONTH", "YEAR", "TOTAL"};
static const char *const model_names[] = {"Pxq", "Bandwidth", "YearBudget", "FixedPlusSurplus", "Result", "Task"};
static const char *const line_kind_names[] = {"DEBIT", "CREDIT"};
static const char *const no_show_status_names[] = {"REPORTED", "WITHDRAWN"};
static const char *const no_show_reason_names[] = {"CLIENT_ABSENT", "CLIENT_CANCELLED", "PROVIDER_CANCELLED"};
static const char *const evaluation_outcome_names[] = {"CONTINUE", "ADJUST", "DOWNSCALE", "END"};
static const char *const refusal_reason_names[] = {"NONE",      "EMPTY_VALUE",    "TOO_LARGE", "NOT_AVRO",
                                                   "UNKNOWN_SCHEMA", "WRONG_SCHEMA",   "TRUNCATED", "TRAILING_BYTES",
                                                   "MALFORMED", "WRONG_KEY",      "RULE"};
static const char *const alert_kind_names[UW_ALERT_KIND_COUNT] = {
    "SURPLUS_LOW",     "SURPLUS_EXHAUSTED", "BUDGET_LOW",     "BUDGET_EXHAUSTED", "PROJECTED_EXHAUSTION",
    "PERIOD_EXCEEDED", "BANDWIDTH_ABOVE",   "BANDWIDTH_BELOW", "EVALUATION_DUE",   "DECISION_ENDING",
    "CARE_STALLED"};
static const char *const anomaly_kind_names[UW_ANOMALY_KIND_COUNT] = {
    "VERSION_CONFLICT",  "DUPLICATE_CONFLICT", "ORPHAN_CREDIT",       "CREDIT_MISMATCH",      "DOUBLE_CREDIT",
    "UNKNOWN_DECISION",  "OUTSIDE_DECISION",   "WRONG_PROVIDER",      "LATE_DECLARATION",     "FUTURE_DECLARATION",
    "IMPLAUSIBLE_DURATION", "DOUBLE_DECLARATION", "CLIENT_OVERLAP",   "DECLARED_NO_SHOW"};
static const char *const severity_names[] = {"INFO", "WARNING", "CRITICAL"};
static const char *const status_names[] = {"OPEN", "RESOLVED"};
static const char *const subject_kind_names[] = {"line", "no-show", "version"};
static const char *const grain_names[] = {"WEEK", "MONTH"};

/* A two-way table for each enumeration, so that neither way can forget a member. */
#define NAMES(function, type)                                                                                          \
    const char *uw_##function##_name(enum type value)                                                                  \
    {                                                                                                                  \
        size_t index = (size_t)value;                                                                                  \
        return index < sizeof function##_names / sizeof function##_names[0] ? function##_names[index] : "?";           \
    }
#define PARSE(function, type)                                                                                          \
    bool uw_##function##_parse(struct uw_str name, enum type *value)                                                   \
    {                                                                                                                  \
        for (size_t i = 0; i < sizeof function##_names / sizeof function##_names[0]; i++) {                            \
            if (uw_str_equal(name, uw_str_from(function##_names[i]))) {                                                \
                *value = (enum type)i;                                                                                 \
                return true;                                                                                           \
            }                                                                                                          \
        }                                                                                                              \
        return false;                                                                                                  \
    }

NAMES(topic, uw_topic)
NAMES(refusal_reason, uw_refusal_reason)
NAMES(subject_kind, uw_subject_kind)
NAMES(grain, uw_grain)
NAMES(decision_status, uw_decision_status)
PARSE(decision_status, uw_decision_status)
NAMES(law, uw_law)
PARSE(law, uw_law)
NAMES(care, uw_care)
PARSE(care, uw_care)
NAMES(frequency, uw_frequency)
PARSE(frequency, uw_frequency)
NAMES(model, uw_model)
PARSE(model, uw_model)
NAMES(line_kind, uw_line_kind)
PARSE(line_kind, uw_line_kind)
NAMES(no_show_status, uw_no_show_status)
PARSE(no_show_status, uw_no_show_status)
NAMES(no_show_reason, uw_no_show_reason)
PARSE(no_show_reason, uw_no_show_reason)
NAMES(evaluation_outcome, uw_outcome_of_evaluation)
PARSE(evaluation_outcome, uw_outcome_of_evaluation)
NAMES(alert_kind, uw_alert_kind)
PARSE(alert_kind, uw_alert_kind)
NAMES(anomaly_kind, uw_anomaly_kind)
PARSE(anomaly_kind, uw_anomaly_kind)
NAMES(severity, uw_severity)
PARSE(severity, uw_severity)
NAMES(status, uw_status)
PARSE(status, uw_status)

size_t uw_subject_format(const struct uw_subject *subject, char *text, size_t size)
{
    int length = 0;
    switch (subject->kind) {
    case UW_SUBJECT_LINE:
    case UW_SUBJECT_NO_SHOW:
        length = snprintf(text, size, "%s:%.*s/%.*s", uw_subject_kind_name(subject->kind),
                          (int)subject->provider.length, subject->provider.data, (int)subject->id.length,
                          subject->id.data);
        break;
    case UW_SUBJECT_VERSION:
        length = snprintf(text, size, "version:%d", (int)subject->version);
        break;
    }
    return length < 0 ? 0 : (size_t)length;
}

struct uw_alert_figures uw_alert_figures_none(void)
{
    return (struct uw_alert_figures){
        .allotted_minutes = UW_MINUTES_NONE,
        .used_minutes = UW_MINUTES_NONE,
        .remaining_minutes = UW_MINUTES_NONE,
        .minimum_minutes = UW_MINUTES_NONE,
        .delivered_minutes = UW_MINUTES_NONE,
        .no_show_minutes = UW_MINUTES_NONE,
        .expected_minutes = UW_MINUTES_NONE,
        .ratio_percent = UW_MINUTES_NONE,
        .last_care_day = UW_DAY_NONE,
        .period_to_day = UW_DAY_NONE,
    };
}
