/*
 * The four kinds of event as the core sees them (SPEC section 2), and the rules by which one is refused.
 *
 * Strings are borrowed from the decoded bytes and live as long as those.
 */
#ifndef UW_CORE_EVENT_H
#define UW_CORE_EVENT_H

#include "date.h"
#include "types.h"

/* The input topics in the order in which they are stored and numbered everywhere. */
enum uw_topic {
    UW_TOPIC_DECISIONS,
    UW_TOPIC_DECLARATIONS,
    UW_TOPIC_NO_SHOWS,
    UW_TOPIC_EVALUATIONS,
};
#define UW_TOPIC_COUNT 4

/* Enumerations have the order of the Avro symbols, so that a value is also the encoded index. */
enum uw_decision_status { UW_DECISION_ACTIVE, UW_DECISION_WITHDRAWN };
enum uw_law { UW_LAW_WMO, UW_LAW_JEUGDWET, UW_LAW_PARTICIPATIEWET };
enum uw_care { UW_CARE_CONTINUOUS, UW_CARE_INTENSIVE };
enum uw_frequency {
    UW_FREQUENCY_DAY,
    UW_FREQUENCY_WEEK,
    UW_FREQUENCY_FOUR_WEEKS,
    UW_FREQUENCY_MONTH,
    UW_FREQUENCY_YEAR,
    UW_FREQUENCY_TOTAL,
};
enum uw_line_kind { UW_LINE_DEBIT, UW_LINE_CREDIT };
enum uw_no_show_status { UW_NO_SHOW_REPORTED, UW_NO_SHOW_WITHDRAWN };
enum uw_no_show_reason { UW_REASON_CLIENT_ABSENT, UW_REASON_CLIENT_CANCELLED, UW_REASON_PROVIDER_CANCELLED };
enum uw_outcome_of_evaluation {
    UW_EVALUATION_CONTINUE,
    UW_EVALUATION_ADJUST,
    UW_EVALUATION_DOWNSCALE,
    UW_EVALUATION_END
};

/* The funding forms, in the order of the Avro union `terms` (SPEC section 3). */
enum uw_model {
    UW_MODEL_PXQ,
    UW_MODEL_BANDWIDTH,
    UW_MODEL_YEAR_BUDGET,
    UW_MODEL_FIXED_PLUS_SURPLUS,
    UW_MODEL_RESULT,
    UW_MODEL_TASK,
};
#define UW_MODEL_COUNT 6

struct uw_terms {
    enum uw_model model;
    /* Bandwidth's `per` has its own Avro enum (WEEK, FOUR_WEEKS, MONTH); here it is the same frequency. */
    enum uw_frequency frequency;       /* Pxq, Bandwidth */
    int32_t volume_minutes;            /* Pxq */
    int32_t min_minutes, max_minutes;  /* Bandwidth */
    int32_t minutes_per_year;          /* YearBudget */
    int32_t minutes_per_week;          /* FixedPlusSurplus */
    int32_t surplus_minutes;           /* FixedPlusSurplus */
    int32_t price_cents;               /* Result */
    int32_t expected_minutes_per_week; /* Result; UW_INT_NONE is null */
    struct uw_str result;              /* Result */
};

struct uw_no_show_policy {
    int32_t billable_percent; /* 0..100 */
    int32_t max_per_month;    /* UW_INT_NONE is null: no limit */
    int32_t notice_hours;     /* 0..168 */
    bool counts_to_budget;
};

struct uw_decision {
    int32_t version;
    enum uw_decision_status status;
    enum uw_law law;
    struct uw_str product_category, product;
    enum uw_care care;
    int32_t valid_from_day, valid_to_day; /* valid_to is inclusive; UW_DAY_NONE is open-ended */
    int32_t effective_from_day;
    struct uw_terms terms;
    struct uw_no_show_policy no_show;
    /* As written, borrowed: order and repeats mean nothing to the rules, but they are content. */
    const int32_t *evaluation_list;
    uint32_t evaluation_count;
    int32_t rate_cents_per_hour; /* UW_INT_NONE is null */
};

struct uw_declaration {
    struct uw_str line;
    enum uw_line_kind kind;
    struct uw_str corrects; /* null unless given */
    int32_t performed_on_day, performed_until_day; /* UW_DAY_NONE is null */
    int64_t started_at_ms;                         /* UW_INSTANT_NONE is null */
    int32_t minutes;
    struct uw_str staff; /* may be null */
};

struct uw_no_show {
    struct uw_str no_show;
    enum uw_no_show_status status;
    int32_t appointment_on_day;
    int64_t appointment_at_ms; /* UW_INSTANT_NONE is null */
    int32_t planned_minutes;
    enum uw_no_show_reason reason;
    int32_t notice_minutes; /* UW_INT_NONE is null */
    struct uw_str staff;    /* may be null */
};

struct uw_evaluation {
    int32_t held_on_day;
    enum uw_outcome_of_evaluation outcome;
};

struct uw_event {
    enum uw_topic topic; /* which member of `of` is set */
    struct uw_uuid event_id;
    int64_t recorded_at_ms;
    struct uw_str municipality, client, decision;
    struct uw_str provider; /* null for an evaluation */
    union {
        struct uw_decision decision;
        struct uw_declaration declaration;
        struct uw_no_show no_show;
        struct uw_evaluation evaluation;
    } of;
};

/* The largest value that is looked at; a longer one is refused as TOO_LARGE. */
#define UW_EVENT_BYTES_MAX (256u * 1024u)
/* A line that sums a period covers at most this many days (iWmo 323). */
#define UW_LINE_DAYS_MAX 366

/* Why an event is refused; the name without the prefix stands in the dead letter's error code. */
enum uw_refusal_reason {
    UW_REFUSED_NOT = 0,
    UW_REFUSED_EMPTY_VALUE,
    UW_REFUSED_TOO_LARGE,
    UW_REFUSED_NOT_AVRO,       /* neither single-object encoding nor the Confluent format */
    UW_REFUSED_UNKNOWN_SCHEMA, /* no schema with this fingerprint or id */
    UW_REFUSED_WRONG_SCHEMA,   /* a known schema that cannot be read as this topic's record */
    UW_REFUSED_TRUNCATED,
    UW_REFUSED_TRAILING_BYTES,
    UW_REFUSED_MALFORMED,      /* bytes that Avro does not allow: overlong number, bad UTF-8, unknown symbol */
    UW_REFUSED_WRONG_KEY,      /* the Kafka key is not the client */
    UW_REFUSED_RULE,           /* a rule of SPEC section 2; the text names the field */
};
const char *uw_refusal_reason_name(enum uw_refusal_reason reason);

#define UW_REFUSAL_TEXT_BYTES 160

struct uw_refusal {
    enum uw_refusal_reason reason;
    char text[UW_REFUSAL_TEXT_BYTES]; /* what is wrong, with the field's name; no client id in it */
};

/* SPEC section 2: every rule on a single event. Returns UW_OK, or UW_EINPUT and fills *refusal. */
enum uw_code uw_event_validate(const struct uw_event *event, struct uw_refusal *refusal) UW_MUST_USE;

/* The eleven-test of a Burgerservicenummer over 8 or 9 digits. */
bool uw_is_bsn(struct uw_str text);

/* Days that a line covers, 1 or more. */
int32_t uw_declaration_last_day(const struct uw_declaration *declaration);

const char *uw_topic_name(enum uw_topic topic); /* "decisions", "declarations", "no-shows", "evaluations" */
const char *uw_decision_status_name(enum uw_decision_status status);
const char *uw_law_name(enum uw_law law);
const char *uw_care_name(enum uw_care care);
const char *uw_frequency_name(enum uw_frequency frequency);
const char *uw_model_name(enum uw_model model); /* "Pxq", "Bandwidth", ... */
const char *uw_line_kind_name(enum uw_line_kind kind);
const char *uw_no_show_status_name(enum uw_no_show_status status);
const char *uw_no_show_reason_name(enum uw_no_show_reason reason);
const char *uw_evaluation_outcome_name(enum uw_outcome_of_evaluation outcome);

/* The reverse of the names: false when `name` is not one of them. */
bool uw_decision_status_parse(struct uw_str name, enum uw_decision_status *status) UW_MUST_USE;
bool uw_law_parse(struct uw_str name, enum uw_law *law) UW_MUST_USE;
bool uw_care_parse(struct uw_str name, enum uw_care *care) UW_MUST_USE;
bool uw_frequency_parse(struct uw_str name, enum uw_frequency *frequency) UW_MUST_USE;
bool uw_model_parse(struct uw_str name, enum uw_model *model) UW_MUST_USE;
bool uw_line_kind_parse(struct uw_str name, enum uw_line_kind *kind) UW_MUST_USE;
bool uw_no_show_status_parse(struct uw_str name, enum uw_no_show_status *status) UW_MUST_USE;
bool uw_no_show_reason_parse(struct uw_str name, enum uw_no_show_reason *reason) UW_MUST_USE;
bool uw_evaluation_outcome_parse(struct uw_str name, enum uw_outcome_of_evaluation *outcome) UW_MUST_USE;

#endif
