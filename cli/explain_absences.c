/* No-shows with their ranks (SPEC section 3), and the dues of evaluations (SPEC section 4). */
#include "cli/explain.h"

#include <stdlib.h>
#include <string.h>

/* What qsort's comparison needs, which gets no context. */
struct ranked {
    struct uw_explain_absence absence;
    int32_t day;
    int64_t at_ms;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    if (left->day != right->day) {
        return left->day < right->day ? -1 : 1;
    }
    if (left->at_ms != right->at_ms) {
        return left->at_ms < right->at_ms ? -1 : 1; /* UW_INSTANT_NONE, null, is the smallest */
    }
    int order = uw_str_compare(left->absence.provider, right->absence.provider);
    return order != 0 ? order : uw_str_compare(left->absence.id, right->absence.id);
}

static bool is_billable(enum uw_verdict verdict)
{
    return verdict == UW_VERDICT_COUNTS || verdict == UW_VERDICT_NOT_TO_BUDGET || verdict == UW_VERDICT_OVER_MAXIMUM;
}

static struct ranked describe(const struct uw_explanation *explanation, uint32_t index)
{
    const struct uw_absence *absence = &explanation->client->absences[index];
    enum uw_verdict verdict = (enum uw_verdict)explanation->fold->absence_verdicts[index];
    struct ranked ranked = {.day = absence->appointment_on_day, .at_ms = absence->appointment_at_ms};
    ranked.absence = (struct uw_explain_absence){
        .fact = index,
        .verdict = verdict,
        .billable = is_billable(verdict),
        .counts_toward = is_billable(verdict) || verdict == UW_VERDICT_NOT_BILLABLE,
        .rank = -1,
        .provider = uw_client_text(explanation->client, absence->provider),
        .id = uw_client_text(explanation->client, absence->no_show),
    };
    if (ranked.absence.counts_toward) {
        ranked.absence.policy =
            &uw_case_interval(explanation->fold, explanation->care, absence->appointment_on_day)->version->no_show;
    }
    if (verdict == UW_VERDICT_COUNTS) {
        ranked.absence.minutes =
            (int32_t)((int64_t)absence->planned_minutes * ranked.absence.policy->billable_percent / 100);
    }
    return ranked;
}

void uw_explain_build_absences(struct uw_explanation *explanation)
{
    const struct uw_client *client = explanation->client;
    struct ranked *list = uw_arena_take(explanation->arena, client->absence_count * sizeof *list);
    explanation->absences =
        uw_arena_take(explanation->arena, client->absence_count * sizeof *explanation->absences);
    if (list == NULL || explanation->absences == NULL) {
        explanation->failed = true;
        return;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < client->absence_count; i++) {
        enum uw_verdict verdict = (enum uw_verdict)explanation->fold->absence_verdicts[i];
        if (client->absences[i].decision == explanation->decision && verdict != UW_VERDICT_SUPERSEDED &&
            verdict != UW_VERDICT_WITHDRAWN) {
            list[count++] = describe(explanation, i);
        }
    }
    qsort(list, count, sizeof *list, compare_ranked);
    int32_t rank = 0, month = UW_DAY_NONE;
    for (uint32_t i = 0; i < count; i++) {
        if (uw_month_start(list[i].day) != month) {
            month = uw_month_start(list[i].day);
            rank = 0;
        }
        if (list[i].absence.billable) {
            list[i].absence.rank = rank++;
        }
        explanation->absences[i] = list[i].absence;
    }
    explanation->absence_count = count;
}

static uint32_t count_held(const struct uw_explanation *explanation, const struct uw_explain_due *due)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < explanation->client->review_count; i++) {
        const struct uw_review *review = &explanation->client->reviews[i];
        count += review->decision == explanation->decision && review->held_on_day >= due->from_day &&
                 (due->before_day == UW_DAY_NONE || review->held_on_day < due->before_day);
    }
    return count;
}

/* The distinct months of the latest version, ascending, of which the day is not after valid_to + 1. */
void uw_explain_build_dues(struct uw_explanation *explanation)
{
    const struct uw_version *latest = explanation->care == NULL ? NULL : explanation->care->latest;
    if (latest == NULL || !explanation->care->active) {
        return;
    }
    struct uw_str months = uw_client_text(explanation->client, latest->evaluation_months);
    for (int32_t month = 1; month <= UW_EXPLAIN_DUES_MAX; month++) {
        bool wanted = false;
        for (uint32_t i = 0; i < months.length; i++) {
            wanted = wanted || (uint8_t)months.data[i] == month;
        }
        int32_t day = uw_add_months(latest->valid_from_day, month);
        if (wanted && (latest->valid_to_day == UW_DAY_NONE || day <= latest->valid_to_day + 1)) {
            explanation->dues[explanation->due_count++] = (struct uw_explain_due){
                .due_day = day, .from_day = day - UW_EVALUATION_EARLY_DAYS, .before_day = UW_DAY_NONE, .months = month};
        }
    }
    for (uint32_t i = 0; i < explanation->due_count; i++) {
        if (i + 1 < explanation->due_count) {
            explanation->dues[i].before_day = explanation->dues[i + 1].due_day - UW_EVALUATION_EARLY_DAYS;
        }
        explanation->dues[i].held_count = count_held(explanation, &explanation->dues[i]);
    }
}
