/*
 * The fold: state = F(facts of one client, as_of), recomputed whole (SPEC section 1).
 *
 * A struct uw_fold is working memory that is used for one client after another. Its results refer to the
 * client's texts and are valid until the next fold or change of the client. Nothing in here depends on the
 * order in which the client's facts came.
 */
#ifndef UW_CORE_FOLD_H
#define UW_CORE_FOLD_H

#include "client.h"
#include "settings.h"

/* An evaluation answers a due from this many days before it (SPEC section 4, EVALUATION_DUE); no setting changes it. */
#define UW_EVALUATION_EARLY_DAYS 14

/* Why a fact counts or does not (SPEC section 3, What counts). */
enum uw_verdict {
    UW_VERDICT_COUNTS,
    UW_VERDICT_SUPERSEDED,       /* another version of the fact wins */
    UW_VERDICT_REVERSED,         /* taken back by a credit */
    UW_VERDICT_CREDIT,           /* a credit that takes a line back */
    UW_VERDICT_CREDIT_ORPHAN,    /* no such debit line */
    UW_VERDICT_CREDIT_MISMATCH,  /* other minutes, municipality or decision than the debit line */
    UW_VERDICT_CREDIT_DOUBLE,    /* the line was taken back already */
    UW_VERDICT_WITHDRAWN,        /* a no-show that was withdrawn */
    UW_VERDICT_UNKNOWN_DECISION,
    UW_VERDICT_OUTSIDE_DECISION,
    UW_VERDICT_WRONG_PROVIDER,
    UW_VERDICT_NOT_BILLABLE,     /* a no-show that is not the client's fault, or was announced in time */
    UW_VERDICT_NOT_TO_BUDGET,    /* a billable no-show whose policy does not count it */
    UW_VERDICT_OVER_MAXIMUM,     /* a billable no-show over the month's maximum */
};
const char *uw_verdict_name(enum uw_verdict verdict);

/* A maximal run of days with one version in force. */
struct uw_interval {
    int32_t from_day, to_day; /* inclusive; UW_DAY_NONE: no end */
    const struct uw_version *version;
    uint32_t segment; /* index in the fold's segments */
};

struct uw_segment {
    int32_t from_day, to_day; /* UW_DAY_NONE: no end */
    const struct uw_version_terms *terms;
};

/* One decision of the client; arrays are ranges of the fold's vectors. */
struct uw_case {
    uw_text decision;
    const struct uw_version *latest;
    bool active;
    uint32_t interval_first, interval_count;
    uint32_t segment_first, segment_count;
    uint32_t entry_first, entry_count; /* by day */
    struct uw_thresholds thresholds;
};

/* Minutes of one fact on one day that count toward a case. */
struct uw_entry {
    uint32_t case_index;
    int32_t day;
    int32_t minutes; /* > 0 */
    bool is_no_show;
    uint32_t fact; /* index in the client's lines or absences */
};

struct uw_account {
    uw_text decision;
    int32_t segment_from_day, period_from_day, period_to_day;
    enum uw_model model;
    int64_t allotted_minutes, minimum_minutes;
    int64_t used_minutes, delivered_minutes, no_show_minutes;
};

struct uw_alert {
    struct uw_alert_state state; /* revision and status are set by whoever compares */
    struct uw_alert_figures figures;
};

struct uw_anomaly {
    struct uw_anomaly_state state;
    uint32_t fact;       /* index in lines, absences or versions, by subject_kind */
    bool has_other;
    enum uw_subject_kind other_kind;
    uint32_t other_fact; /* index in lines or absences */
};

/* What one decision delivered in a week or a month under one provider and funding form: its share of an aggregate
 * row. The allotment of a pool that has an end is spread evenly over its days; what falls in the week or month
 * belongs to the share of the first day on which the pool delivered in it; so does the price of a month's result
 * (docs/tables.md). */
struct uw_share {
    int32_t period_from_day;
    uint32_t case_index;
    uw_text provider;
    enum uw_model model;
    int64_t delivered_minutes, no_show_minutes, used_minutes, allotted_minutes;
    int64_t priced_minutes, cost_sixtieths; /* as in struct uw_aggregate_change */
};

/* A higher rate, in cents an hour, is a mistake and no price: sums of what is priced stay far within 64 bits. */
#define UW_RATE_CENTS_MAX 1000000

struct uw_share_list {
    struct uw_share *items;
    uint32_t count, capacity;
};

#define UW_GRAIN_COUNT 2

struct uw_fold_scratch;

struct uw_fold {
    const struct uw_client *client;
    const struct uw_settings *settings;
    int32_t as_of_day;
    bool failed; /* memory was refused */

    struct uw_case *cases; /* in the order of the client's versions */
    struct uw_interval *intervals;
    struct uw_segment *segments;
    struct uw_entry *entries;
    uint8_t *line_verdicts, *absence_verdicts; /* enum uw_verdict of each fact */
    uint32_t *reversed_by;                     /* of a line: index of the credit that takes it back */
    uint32_t case_count, case_capacity, interval_count, interval_capacity, segment_count, segment_capacity,
        entry_count, entry_capacity, line_verdict_capacity, absence_verdict_capacity, reversed_by_capacity;

    /* Results, sorted by identity. */
    struct uw_account *accounts;
    struct uw_alert *alerts;
    struct uw_anomaly *anomalies;
    struct uw_share_list shares[UW_GRAIN_COUNT]; /* by enum uw_grain; by case, rising periods */
    uint32_t account_count, account_capacity, alert_count, alert_capacity, anomaly_count, anomaly_capacity;
    /* The first day after as_of on which alerts or anomalies can differ without an event; UW_DAY_NONE: never. */
    int32_t next_change_day;

    /* Working arrays of single steps. */
    uint32_t *order;
    struct uw_entry *sorted;
    uint32_t order_capacity, sorted_capacity;
};

void uw_fold_init(struct uw_fold *fold);
void uw_fold_close(struct uw_fold *fold);

/* Recomputes everything. `client` and `settings` are borrowed while the results are used. */
enum uw_code uw_fold_run(struct uw_fold *fold, const struct uw_client *client, const struct uw_settings *settings,
                         int32_t as_of_day) UW_MUST_USE;
/* Accounts and shares only, which do not depend on as_of or settings: the state before a batch. */
enum uw_code uw_fold_run_sums(struct uw_fold *fold, const struct uw_client *client) UW_MUST_USE;

/* The account period of a day of a segment: the calendar unit or run cut at the segment's ends. */
struct uw_period {
    int32_t from_day, to_day; /* to_day UW_DAY_NONE: no end */
    int32_t full_days;        /* of the unit before cutting; 0 when it has no end */
};
struct uw_period uw_segment_period(const struct uw_segment *segment, int32_t day);
/* What a period may use, UW_MINUTES_NONE: no limit (SPEC section 3, allotted; iWmo IV077, IV078). */
int64_t uw_period_allotted(const struct uw_version_terms *terms, const struct uw_period *period);
/* Bandwidth's minimum in a period, UW_MINUTES_NONE for other terms. */
int64_t uw_period_minimum(const struct uw_version_terms *terms, const struct uw_period *period);

/* The version in force on a day of a case; outside its validity the nearest one. NULL: no interval at all. */
const struct uw_interval *uw_case_interval(const struct uw_fold *fold, const struct uw_case *care, int32_t day);
bool uw_case_covers(const struct uw_case *care, int32_t day);
/* The case of a decision, NULL when unknown. */
const struct uw_case *uw_fold_case(const struct uw_fold *fold, uw_text decision);

#endif
