/* Thresholds that differ, for tests in which they are replaced. */
#ifndef UW_TESTS_THRESHOLDS_H
#define UW_TESTS_THRESHOLDS_H

#include "core/settings.h"

#define UW_THRESHOLD_CHOICES 3u

/* The figures of SPEC; others; those of SPEC with rules for some decisions. */
static inline struct uw_settings uw_threshold_choice(uint32_t choice, struct uw_threshold_rule rules[2])
{
    struct uw_settings settings = {.rules = rules, .rule_count = 0};
    uw_thresholds_default(&settings.defaults);
    if (choice == 1) {
        settings.defaults = (struct uw_thresholds){.surplus_thresholds_percent = {3, {1, 50, 120}},
                                                   .budget_thresholds_percent = {2, {33, 100}},
                                                   .projection_min_days = 2,
                                                   .projection_percent = 60,
                                                   .bandwidth_grace_days = 0,
                                                   .evaluation_notice_days = 90,
                                                   .evaluation_overdue_days = 1,
                                                   .ending_notice_days = 400,
                                                   .stalled_days = 1};
    } else if (choice == 2) {
        rules[0] = (struct uw_threshold_rule){.municipality = UW_STR("0363"),
                                              .law = -1,
                                              .members = UW_SET_STALLED_DAYS | UW_SET_BANDWIDTH_GRACE_DAYS,
                                              .values = {.stalled_days = 90, .bandwidth_grace_days = 40}};
        rules[1] = (struct uw_threshold_rule){.law = UW_LAW_JEUGDWET,
                                              .product = UW_STR("02A03"),
                                              .members = UW_SET_EVALUATION_NOTICE_DAYS | UW_SET_STALLED_DAYS,
                                              .values = {.evaluation_notice_days = 0, .stalled_days = 2}};
        settings.rule_count = 2;
        uw_settings_sort(&settings);
    }
    return settings;
}

#endif
