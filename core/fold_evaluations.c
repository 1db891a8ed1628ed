/* SPEC section 4, EVALUATION_DUE: the municipality's review of the hours made, after three months or as agreed. */
#include "core/fold_internal.h"

#include <string.h>

#define MONTHS_MAX 120

/* The dues in days, ascending and distinct, not after valid_to + 1; returns their number. */
static uint32_t list_dues(const struct uw_fold *fold, const struct uw_case *care, int32_t dues[MONTHS_MAX])
{
    struct uw_str months = uw_client_text(fold->client, care->latest->evaluation_months);
    bool wanted[MONTHS_MAX + 1];
    memset(wanted, 0, sizeof wanted);
    for (uint32_t i = 0; i < months.length; i++) {
        wanted[(uint8_t)months.data[i]] = true;
    }
    uint32_t count = 0;
    for (int32_t month = 1; month <= MONTHS_MAX; month++) {
        if (!wanted[month]) {
            continue;
        }
        int32_t due = uw_add_months(care->latest->valid_from_day, month);
        if (care->latest->valid_to_day != UW_DAY_NONE && due > care->latest->valid_to_day + 1) {
            break;
        }
        dues[count++] = due;
    }
    return count;
}

static bool held_between(const struct uw_fold *fold, uw_text decision, int32_t from_day, int64_t before_day)
{
    const struct uw_client *client = fold->client;
    for (uint32_t i = 0; i < client->review_count; i++) {
        const struct uw_review *review = &client->reviews[i];
        if (review->decision == decision && review->held_on_day >= from_day && review->held_on_day < before_day) {
            return true;
        }
    }
    return false;
}

/* ---- what the evaluation is about ---- */

/* Minutes expected of one segment before `due`; UW_MINUTES_NONE when its terms expect none. */
static int64_t expected_of_segment(const struct uw_segment *segment, int32_t due)
{
    const struct uw_version_terms *terms = segment->terms;
    bool weekly = terms->model == UW_MODEL_FIXED_PLUS_SURPLUS || terms->model == UW_MODEL_RESULT;
    int64_t per_week = terms->model == UW_MODEL_RESULT ? terms->second : terms->first;
    if (terms->model == UW_MODEL_TASK || (terms->model == UW_MODEL_RESULT && terms->second == UW_INT_NONE)) {
        return UW_MINUTES_NONE;
    }
    int64_t expected = 0;
    int32_t last = segment->to_day != UW_DAY_NONE && segment->to_day < due - 1 ? segment->to_day : due - 1;
    for (int32_t day = segment->from_day; day <= last;) {
        struct uw_period period = uw_segment_period(segment, day);
        if (weekly) {
            period = (struct uw_period){day, uw_week_start(day) + 6, 7};
            if (segment->to_day != UW_DAY_NONE && period.to_day > segment->to_day) {
                period.to_day = segment->to_day;
            }
        }
        if (period.to_day == UW_DAY_NONE) {
            return UW_MINUTES_NONE; /* a TOTAL without an end cannot be said to be due by a date */
        }
        int64_t elapsed = (period.to_day < last ? period.to_day : last) - period.from_day + 1;
        int64_t minimum = uw_period_minimum(terms, &period);
        int64_t volume = weekly ? per_week : minimum != UW_MINUTES_NONE ? minimum : uw_period_allotted(terms, &period);
        /* A volume that is prorated to the cut period already is spread over the cut period's days. */
        bool prorated = terms->model == UW_MODEL_BANDWIDTH || terms->model == UW_MODEL_YEAR_BUDGET;
        int64_t days = prorated ? period.to_day - period.from_day + 1 : period.full_days;
        expected += volume * elapsed / days;
        day = period.to_day + 1;
    }
    return expected;
}

static int64_t expected_by(const struct uw_fold *fold, const struct uw_case *care, int32_t due)
{
    int64_t expected = 0;
    for (uint32_t i = 0; i < care->segment_count; i++) {
        const struct uw_segment *segment = &fold->segments[care->segment_first + i];
        if (segment->from_day >= due) {
            break;
        }
        int64_t part = expected_of_segment(segment, due);
        if (part == UW_MINUTES_NONE) {
            return UW_MINUTES_NONE;
        }
        expected += part;
    }
    return expected;
}

static void fill_figures(const struct uw_fold *fold, const struct uw_case *care, int32_t due,
                         struct uw_alert_figures *figures)
{
    int64_t delivered = 0, no_show = 0;
    for (uint32_t i = 0; i < care->entry_count; i++) {
        const struct uw_entry *entry = &fold->entries[care->entry_first + i];
        delivered += entry->minutes;
        no_show += entry->is_no_show ? entry->minutes : 0;
    }
    figures->delivered_minutes = delivered;
    figures->no_show_minutes = no_show;
    figures->expected_minutes = expected_by(fold, care, due);
    if (figures->expected_minutes != UW_MINUTES_NONE && figures->expected_minutes > 0) {
        figures->ratio_percent = (int64_t)((uw_wide)delivered * 100 / (uw_wide)figures->expected_minutes);
    }
}

static void alert_due(struct uw_fold *fold, const struct uw_case *care, int32_t due)
{
    const struct uw_thresholds *thresholds = &care->thresholds;
    int64_t notice_day = (int64_t)due - thresholds->evaluation_notice_days;
    int64_t overdue_day = (int64_t)due + thresholds->evaluation_overdue_days + 1;
    uw_fold_consider(fold, notice_day);
    uw_fold_consider(fold, due);
    uw_fold_consider(fold, overdue_day);
    if (fold->as_of_day < notice_day) {
        return;
    }
    enum uw_severity severity = fold->as_of_day < due           ? UW_SEVERITY_INFO
                                : fold->as_of_day < overdue_day ? UW_SEVERITY_WARNING
                                                                : UW_SEVERITY_CRITICAL;
    struct uw_alert *alert = uw_fold_add_alert(fold, care, UW_ALERT_EVALUATION_DUE, severity, due);
    if (alert != NULL) {
        alert->state.period_from_day = due;
        fill_figures(fold, care, due, &alert->figures);
    }
}

void uw_fold_evaluations(struct uw_fold *fold, const struct uw_case *care)
{
    int32_t dues[MONTHS_MAX];
    uint32_t count = list_dues(fold, care, dues);
    for (uint32_t i = 0; i < count && !fold->failed; i++) {
        int64_t before_day = i + 1 < count ? dues[i + 1] - UW_EVALUATION_EARLY_DAYS : INT64_MAX;
        if (!held_between(fold, care->decision, dues[i] - UW_EVALUATION_EARLY_DAYS, before_day)) {
            alert_due(fold, care, dues[i]);
        }
    }
}
