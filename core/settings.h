/*
 * The thresholds of SPEC section 4 (the figures in brackets), settable per municipality, law and product.
 */
#ifndef UW_CORE_SETTINGS_H
#define UW_CORE_SETTINGS_H

#include "event.h"

#define UW_PERCENT_THRESHOLDS_MAX 8

/* Ascending, without repeats, each 1..1000. One below 100 is a LOW, one of 100 or more an EXHAUSTED. */
struct uw_percents {
    uint32_t count;
    int32_t values[UW_PERCENT_THRESHOLDS_MAX];
};

struct uw_thresholds {
    struct uw_percents surplus_thresholds_percent; /* [80, 100] */
    struct uw_percents budget_thresholds_percent;  /* [80, 100] */
    int32_t projection_min_days;                   /* [28] */
    int32_t projection_percent;                    /* [110] */
    int32_t bandwidth_grace_days;                  /* [14] */
    int32_t evaluation_notice_days;                /* [14] */
    int32_t evaluation_overdue_days;               /* [28] */
    int32_t ending_notice_days;                    /* [56] */
    int32_t stalled_days;                          /* [28] */
};

/* Which of the members a rule sets, as bits. */
enum uw_threshold_member {
    UW_SET_SURPLUS_THRESHOLDS = 1 << 0,
    UW_SET_BUDGET_THRESHOLDS = 1 << 1,
    UW_SET_PROJECTION_MIN_DAYS = 1 << 2,
    UW_SET_PROJECTION_PERCENT = 1 << 3,
    UW_SET_BANDWIDTH_GRACE_DAYS = 1 << 4,
    UW_SET_EVALUATION_NOTICE_DAYS = 1 << 5,
    UW_SET_EVALUATION_OVERDUE_DAYS = 1 << 6,
    UW_SET_ENDING_NOTICE_DAYS = 1 << 7,
    UW_SET_STALLED_DAYS = 1 << 8,
};

/* One override. A null selector matches everything. Rules with fewer selectors apply first, then in the order
 * of the file, so that the more particular and then the later one wins. `product` selects by the product code. */
struct uw_threshold_rule {
    struct uw_str municipality; /* null: any */
    int32_t law;                /* enum uw_law, or -1: any */
    struct uw_str product;      /* null: any */
    uint32_t members;           /* bits of uw_threshold_member */
    struct uw_thresholds values;
};

#define UW_THRESHOLD_RULES_MAX 4096

/* Borrowed by whoever folds; must be sorted by uw_settings_sort before use. */
struct uw_settings {
    struct uw_thresholds defaults;
    struct uw_threshold_rule *rules;
    uint32_t rule_count;
};

/* The figures of SPEC section 4. */
void uw_thresholds_default(struct uw_thresholds *thresholds);
/* Brings the rules into the order in which they apply. Stable. */
void uw_settings_sort(struct uw_settings *settings);
void uw_settings_resolve(const struct uw_settings *settings, struct uw_str municipality, enum uw_law law,
                         struct uw_str product, struct uw_thresholds *thresholds);
/* A number that differs when any judgement could differ: two instances compare it, and a changed one makes
 * the processor judge all clients again. */
uint64_t uw_settings_fingerprint(const struct uw_settings *settings);

#endif
