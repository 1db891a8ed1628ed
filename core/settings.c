#include "core/settings.h"

#include <string.h>

void uw_thresholds_default(struct uw_thresholds *thresholds)
{
    *thresholds = (struct uw_thresholds){
        .surplus_thresholds_percent = {2, {80, 100}},
        .budget_thresholds_percent = {2, {80, 100}},
        .projection_min_days = 28,
        .projection_percent = 110,
        .bandwidth_grace_days = 14,
        .evaluation_notice_days = 14,
        .evaluation_overdue_days = 28,
        .ending_notice_days = 56,
        .stalled_days = 28,
    };
}

static uint32_t selector_count(const struct uw_threshold_rule *rule)
{
    return (uint32_t)!uw_str_is_null(rule->municipality) + (uint32_t)(rule->law >= 0) +
           (uint32_t)!uw_str_is_null(rule->product);
}

void uw_settings_sort(struct uw_settings *settings)
{
    /* Insertion keeps the order of the file among equals; the list is short and sorted once. */
    for (uint32_t i = 1; i < settings->rule_count; i++) {
        struct uw_threshold_rule rule = settings->rules[i];
        uint32_t place = i;
        while (place > 0 && selector_count(&settings->rules[place - 1]) > selector_count(&rule)) {
            settings->rules[place] = settings->rules[place - 1];
            place--;
        }
        settings->rules[place] = rule;
    }
}

static void overlay(struct uw_thresholds *thresholds, const struct uw_threshold_rule *rule)
{
    const struct uw_thresholds *values = &rule->values;
    if (rule->members & UW_SET_SURPLUS_THRESHOLDS) {
        thresholds->surplus_thresholds_percent = values->surplus_thresholds_percent;
    }
    if (rule->members & UW_SET_BUDGET_THRESHOLDS) {
        thresholds->budget_thresholds_percent = values->budget_thresholds_percent;
    }
    if (rule->members & UW_SET_PROJECTION_MIN_DAYS) {
        thresholds->projection_min_days = values->projection_min_days;
    }
    if (rule->members & UW_SET_PROJECTION_PERCENT) {
        thresholds->projection_percent = values->projection_percent;
    }
    if (rule->members & UW_SET_BANDWIDTH_GRACE_DAYS) {
        thresholds->bandwidth_grace_days = values->bandwidth_grace_days;
    }
    if (rule->members & UW_SET_EVALUATION_NOTICE_DAYS) {
        thresholds->evaluation_notice_days = values->evaluation_notice_days;
    }
    if (rule->members & UW_SET_EVALUATION_OVERDUE_DAYS) {
        thresholds->evaluation_overdue_days = values->evaluation_overdue_days;
    }
    if (rule->members & UW_SET_ENDING_NOTICE_DAYS) {
        thresholds->ending_notice_days = values->ending_notice_days;
    }
    if (rule->members & UW_SET_STALLED_DAYS) {
        thresholds->stalled_days = values->stalled_days;
    }
}

void uw_settings_resolve(const struct uw_settings *settings, struct uw_str municipality, enum uw_law law,
                         struct uw_str product, struct uw_thresholds *thresholds)
{
    struct uw_thresholds resolved = settings->defaults;
    for (uint32_t i = 0; i < settings->rule_count; i++) {
        const struct uw_threshold_rule *rule = &settings->rules[i];
        bool applies = (uw_str_is_null(rule->municipality) || uw_str_equal(rule->municipality, municipality)) &&
                       (rule->law < 0 || rule->law == (int32_t)law) &&
                       (uw_str_is_null(rule->product) || uw_str_equal(rule->product, product));
        if (applies) {
            overlay(&resolved, rule);
        }
    }
    *thresholds = resolved;
}

/* FNV-1a over 64 bits: enough to notice a change; nothing is looked up by it. */
#define FNV_START UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

static uint64_t mix(uint64_t hash, int64_t value)
{
    for (uint32_t i = 0; i < 8; i++) {
        hash = (hash ^ ((uint64_t)value >> (8 * i) & 0xFF)) * FNV_PRIME;
    }
    return hash;
}

static uint64_t mix_text(uint64_t hash, struct uw_str text)
{
    hash = mix(hash, uw_str_is_null(text) ? -1 : (int64_t)text.length);
    for (uint32_t i = 0; i < text.length; i++) {
        hash = (hash ^ (uint8_t)text.data[i]) * FNV_PRIME;
    }
    return hash;
}

static uint64_t mix_percents(uint64_t hash, const struct uw_percents *percents)
{
    hash = mix(hash, percents->count);
    for (uint32_t i = 0; i < percents->count; i++) {
        hash = mix(hash, percents->values[i]);
    }
    return hash;
}

static uint64_t mix_thresholds(uint64_t hash, const struct uw_thresholds *thresholds)
{
    hash = mix_percents(hash, &thresholds->surplus_thresholds_percent);
    hash = mix_percents(hash, &thresholds->budget_thresholds_percent);
    hash = mix(hash, thresholds->projection_min_days);
    hash = mix(hash, thresholds->projection_percent);
    hash = mix(hash, thresholds->bandwidth_grace_days);
    hash = mix(hash, thresholds->evaluation_notice_days);
    hash = mix(hash, thresholds->evaluation_overdue_days);
    hash = mix(hash, thresholds->ending_notice_days);
    return mix(hash, thresholds->stalled_days);
}

uint64_t uw_settings_fingerprint(const struct uw_settings *settings)
{
    uint64_t hash = mix_thresholds(FNV_START, &settings->defaults);
    for (uint32_t i = 0; i < settings->rule_count; i++) {
        /* Members that a rule does not set are not part of its meaning. */
        struct uw_threshold_rule rule = settings->rules[i];
        struct uw_thresholds set;
        memset(&set, 0, sizeof set);
        overlay(&set, &rule);
        hash = mix_text(hash, rule.municipality);
        hash = mix(hash, rule.law);
        hash = mix_text(hash, rule.product);
        hash = mix(hash, rule.members);
        hash = mix_thresholds(hash, &set);
    }
    /* 0 stands for "never judged" in the store. */
    return hash == 0 ? 1 : hash;
}
