/*
 * What the core says about clients: accounts, alerts, anomalies and the sums for dashboards (SPEC sections 3-6).
 *
 * These structs are what adapters store and publish. Strings are borrowed from the batch that made them.
 */
#ifndef UW_CORE_OUTCOME_H
#define UW_CORE_OUTCOME_H

#include "event.h"

enum uw_alert_kind {
    UW_ALERT_SURPLUS_LOW,
    UW_ALERT_SURPLUS_EXHAUSTED,
    UW_ALERT_BUDGET_LOW,
    UW_ALERT_BUDGET_EXHAUSTED,
    UW_ALERT_PROJECTED_EXHAUSTION,
    UW_ALERT_PERIOD_EXCEEDED,
    UW_ALERT_BANDWIDTH_ABOVE,
    UW_ALERT_BANDWIDTH_BELOW,
    UW_ALERT_EVALUATION_DUE,
    UW_ALERT_DECISION_ENDING,
    UW_ALERT_CARE_STALLED,
};
#define UW_ALERT_KIND_COUNT 11

enum uw_anomaly_kind {
    UW_ANOMALY_VERSION_CONFLICT,
    UW_ANOMALY_DUPLICATE_CONFLICT,
    UW_ANOMALY_ORPHAN_CREDIT,
    UW_ANOMALY_CREDIT_MISMATCH,
    UW_ANOMALY_DOUBLE_CREDIT,
    UW_ANOMALY_UNKNOWN_DECISION,
    UW_ANOMALY_OUTSIDE_DECISION,
    UW_ANOMALY_WRONG_PROVIDER,
    UW_ANOMALY_LATE_DECLARATION,
    UW_ANOMALY_FUTURE_DECLARATION,
    UW_ANOMALY_IMPLAUSIBLE_DURATION,
    UW_ANOMALY_DOUBLE_DECLARATION,
    UW_ANOMALY_CLIENT_OVERLAP,
    UW_ANOMALY_DECLARED_NO_SHOW,
};
#define UW_ANOMALY_KIND_COUNT 14

enum uw_severity { UW_SEVERITY_INFO, UW_SEVERITY_WARNING, UW_SEVERITY_CRITICAL };
enum uw_status { UW_STATUS_OPEN, UW_STATUS_RESOLVED };
enum uw_subject_kind { UW_SUBJECT_LINE, UW_SUBJECT_NO_SHOW, UW_SUBJECT_VERSION };
enum uw_grain { UW_GRAIN_WEEK, UW_GRAIN_MONTH };

/* One row of urenwacht.account. `removed` says that an account that stood there exists no more, `created` that none
 * stood there. */
struct uw_account_change {
    struct uw_str client, municipality, decision;
    int32_t segment_from_day, period_from_day;
    int32_t period_to_day; /* UW_DAY_NONE: no end */
    enum uw_model model;
    int64_t allotted_minutes, minimum_minutes; /* UW_MINUTES_NONE: null */
    int64_t used_minutes, delivered_minutes, no_show_minutes;
    bool created, removed;
};

/* Figures at the moment of the judgement; UW_MINUTES_NONE where the kind has none. */
struct uw_alert_figures {
    int64_t allotted_minutes, used_minutes, remaining_minutes;
    int64_t minimum_minutes;                     /* BANDWIDTH_BELOW */
    int64_t delivered_minutes, no_show_minutes;  /* EVALUATION_DUE: since valid_from, all that counts */
    int64_t expected_minutes;                    /* EVALUATION_DUE, PROJECTED_EXHAUSTION (at the end b) */
    int64_t ratio_percent;                       /* EVALUATION_DUE: floor(100 * delivered / expected) */
    int32_t last_care_day;                       /* CARE_STALLED; UW_DAY_NONE: none yet */
    int32_t period_to_day;                       /* end of the pool, of the decision; UW_DAY_NONE: none */
};

/* Figures of which none is known. */
struct uw_alert_figures uw_alert_figures_none(void);

/* One revision of an alert (SPEC section 4). The identity is (kind, client, municipality, decision,
 * segment_from, period_from, threshold). */
struct uw_alert_change {
    enum uw_alert_kind kind;
    struct uw_str client, municipality, decision;
    int32_t segment_from_day, period_from_day; /* UW_DAY_NONE: null */
    int32_t threshold;                         /* percent; UW_INT_NONE: null */
    struct uw_str provider;
    enum uw_status status;
    enum uw_severity severity;
    int32_t effective_on_day;
    int32_t revision; /* from 1, rising by one */
    /* Only the provider changed: the row is corrected, no revision is made and nothing is published. */
    bool quiet;
    struct uw_alert_figures figures;
};

/* Identity: (kind, client, municipality, decision, subject). The subject's text is `line:PROVIDER/LINE`,
 * `no-show:PROVIDER/NO_SHOW` or `version:N`. */
struct uw_subject {
    enum uw_subject_kind kind;
    struct uw_str provider; /* null for a version */
    struct uw_str id;       /* line or no-show; null for a version */
    int32_t version;        /* of a version */
};

struct uw_anomaly_change {
    enum uw_anomaly_kind kind;
    struct uw_str client, municipality, decision;
    struct uw_subject subject;
    struct uw_str provider; /* the fact's provider */
    enum uw_status status;
    int32_t revision;
    bool quiet; /* as in uw_alert_change */
    /* Evidence at that moment. */
    int32_t first_day, last_day;  /* of the line or no-show; UW_DAY_NONE for a version */
    int64_t minutes;              /* UW_MINUTES_NONE for a version */
    int64_t recorded_at_ms;
    struct uw_str staff;          /* may be null */
    bool has_other;
    struct uw_subject other;      /* the other line, credit's line or no-show that makes it one */
};

/* What one client adds to or takes from an aggregate row; summed over a batch. Dimensions of a day: provider
 * of the version in force on it; product, law and care of the latest version; model of its segment. */
struct uw_aggregate_change {
    enum uw_grain grain;
    int32_t period_from_day; /* Monday, or the first of the month */
    struct uw_str municipality, provider, product_category, product;
    enum uw_law law;
    enum uw_care care;
    enum uw_model model;
    int64_t clients, decisions; /* with delivered minutes in this period */
    int64_t delivered_minutes, no_show_minutes, used_minutes;
    int64_t allotted_minutes; /* of pools that delivered in the period, spread evenly over their days */
    int64_t priced_minutes;   /* of the delivered minutes: those with a known price */
    int64_t cost_sixtieths;   /* of a cent: minutes × cents an hour, and 60 × the prices of results */
};

const char *uw_alert_kind_name(enum uw_alert_kind kind);
const char *uw_anomaly_kind_name(enum uw_anomaly_kind kind);
const char *uw_severity_name(enum uw_severity severity);
const char *uw_status_name(enum uw_status status);
const char *uw_subject_kind_name(enum uw_subject_kind kind); /* "line", "no-show", "version" */
const char *uw_grain_name(enum uw_grain grain);              /* "WEEK", "MONTH" */
bool uw_alert_kind_parse(struct uw_str name, enum uw_alert_kind *kind) UW_MUST_USE;
bool uw_anomaly_kind_parse(struct uw_str name, enum uw_anomaly_kind *kind) UW_MUST_USE;
bool uw_severity_parse(struct uw_str name, enum uw_severity *severity) UW_MUST_USE;
bool uw_status_parse(struct uw_str name, enum uw_status *status) UW_MUST_USE;

/* Writes the subject's text and returns its length without the NUL; like snprintf, the text is cut at `size`. */
#define UW_SUBJECT_TEXT_BYTES 320
size_t uw_subject_format(const struct uw_subject *subject, char *text, size_t size);

#endif
