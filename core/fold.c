#include "core/fold_internal.h"
#include "core/sort.h"

#include <stdlib.h>
#include <string.h>

void uw_fold_init(struct uw_fold *fold)
{
    memset(fold, 0, sizeof *fold);
}

void uw_fold_close(struct uw_fold *fold)
{
    free(fold->cases);
    free(fold->intervals);
    free(fold->segments);
    free(fold->entries);
    free(fold->line_verdicts);
    free(fold->absence_verdicts);
    free(fold->reversed_by);
    free(fold->accounts);
    free(fold->alerts);
    free(fold->anomalies);
    for (uint32_t i = 0; i < UW_GRAIN_COUNT; i++) {
        free(fold->shares[i].items);
    }
    free(fold->order);
    free(fold->sorted);
    uw_fold_init(fold);
}

const char *uw_verdict_name(enum uw_verdict verdict)
{
    switch (verdict) {
    case UW_VERDICT_COUNTS:
        return "COUNTS";
    case UW_VERDICT_SUPERSEDED:
        return "SUPERSEDED";
    case UW_VERDICT_REVERSED:
        return "REVERSED";
    case UW_VERDICT_CREDIT:
        return "CREDIT";
    case UW_VERDICT_CREDIT_ORPHAN:
        return "ORPHAN_CREDIT";
    case UW_VERDICT_CREDIT_MISMATCH:
        return "CREDIT_MISMATCH";
    case UW_VERDICT_CREDIT_DOUBLE:
        return "DOUBLE_CREDIT";
    case UW_VERDICT_WITHDRAWN:
        return "WITHDRAWN";
    case UW_VERDICT_UNKNOWN_DECISION:
        return "UNKNOWN_DECISION";
    case UW_VERDICT_OUTSIDE_DECISION:
        return "OUTSIDE_DECISION";
    case UW_VERDICT_WRONG_PROVIDER:
        return "WRONG_PROVIDER";
    case UW_VERDICT_NOT_BILLABLE:
        return "NOT_BILLABLE";
    case UW_VERDICT_NOT_TO_BUDGET:
        return "NOT_TO_BUDGET";
    case UW_VERDICT_OVER_MAXIMUM:
        return "OVER_MAXIMUM";
    }
    return "?";
}

struct uw_alert *uw_fold_add_alert(struct uw_fold *fold, const struct uw_case *care, enum uw_alert_kind kind,
                                   enum uw_severity severity, int32_t effective_on_day)
{
    if (!uw_reserve((void **)&fold->alerts, &fold->alert_capacity, fold->alert_count + 1, sizeof *fold->alerts)) {
        fold->failed = true;
        return NULL;
    }
    struct uw_alert *alert = &fold->alerts[fold->alert_count++];
    memset(alert, 0, sizeof *alert);
    /* SPEC section 4: the provider in force on effective_on, on valid_to where that lies before. */
    const struct uw_interval *interval = uw_case_interval(fold, care, effective_on_day);
    alert->state.decision = care->decision;
    alert->state.provider = interval->version->provider;
    alert->state.segment_from_day = UW_DAY_NONE;
    alert->state.period_from_day = UW_DAY_NONE;
    alert->state.effective_on_day = effective_on_day;
    alert->state.threshold = -1;
    alert->state.kind = (uint8_t)kind;
    alert->state.severity = (uint8_t)severity;
    alert->figures = uw_alert_figures_none();
    return alert;
}

struct uw_anomaly *uw_fold_add_anomaly(struct uw_fold *fold, enum uw_anomaly_kind kind, enum uw_subject_kind subject,
                                       uint32_t fact)
{
    if (!uw_reserve((void **)&fold->anomalies, &fold->anomaly_capacity, fold->anomaly_count + 1,
                    sizeof *fold->anomalies)) {
        fold->failed = true;
        return NULL;
    }
    struct uw_anomaly *anomaly = &fold->anomalies[fold->anomaly_count++];
    memset(anomaly, 0, sizeof *anomaly);
    anomaly->fact = fact;
    anomaly->state.kind = (uint8_t)kind;
    anomaly->state.subject_kind = (uint8_t)subject;
    const struct uw_client *client = fold->client;
    switch (subject) {
    case UW_SUBJECT_LINE:
        anomaly->state.decision = client->lines[fact].decision;
        anomaly->state.provider = anomaly->state.subject_provider = client->lines[fact].provider;
        anomaly->state.subject_id = client->lines[fact].line;
        break;
    case UW_SUBJECT_NO_SHOW:
        anomaly->state.decision = client->absences[fact].decision;
        anomaly->state.provider = anomaly->state.subject_provider = client->absences[fact].provider;
        anomaly->state.subject_id = client->absences[fact].no_show;
        break;
    case UW_SUBJECT_VERSION:
        anomaly->state.decision = client->versions[fact].decision;
        anomaly->state.provider = client->versions[fact].provider;
        anomaly->state.subject_version = client->versions[fact].version;
        break;
    }
    return anomaly;
}

void uw_fold_add_entry(struct uw_fold *fold, const struct uw_case *care, int32_t day, int32_t minutes, bool is_no_show,
                       uint32_t fact)
{
    if (!uw_reserve((void **)&fold->entries, &fold->entry_capacity, fold->entry_count + 1, sizeof *fold->entries)) {
        fold->failed = true;
        return;
    }
    fold->entries[fold->entry_count++] =
        (struct uw_entry){(uint32_t)(care - fold->cases), day, minutes, is_no_show, fact};
}

static bool entry_before(const struct uw_entry *a, const struct uw_entry *b)
{
    return a->case_index != b->case_index ? a->case_index < b->case_index : a->day < b->day;
}

/* A merge sort: runs are long already, since period lines give rising days and most sources rise too. */
static void merge_entries(struct uw_entry *from, struct uw_entry *to, uint32_t count)
{
    for (uint32_t width = 1; width < count; width *= 2) {
        for (uint32_t start = 0; start < count; start += 2 * width) {
            uint32_t middle = count - start < width ? count : start + width;
            uint32_t end = count - start < 2 * width ? count : start + 2 * width;
            uint32_t left = start, right = middle;
            for (uint32_t out = start; out < end; out++) {
                bool take_left = left < middle && (right >= end || !entry_before(&from[right], &from[left]));
                to[out] = take_left ? from[left++] : from[right++];
            }
        }
        memcpy(from, to, count * sizeof *from);
        if (width > UINT32_MAX / 4) {
            break;
        }
    }
}

void uw_fold_sort_entries(struct uw_fold *fold)
{
    bool sorted = true;
    for (uint32_t i = 1; i < fold->entry_count && sorted; i++) {
        sorted = !entry_before(&fold->entries[i], &fold->entries[i - 1]);
    }
    if (!sorted) {
        if (!uw_reserve((void **)&fold->sorted, &fold->sorted_capacity, fold->entry_count, sizeof *fold->sorted)) {
            fold->failed = true;
            return;
        }
        merge_entries(fold->entries, fold->sorted, fold->entry_count);
    }
    for (uint32_t i = 0; i < fold->entry_count;) {
        struct uw_case *care = &fold->cases[fold->entries[i].case_index];
        care->entry_first = i;
        while (i < fold->entry_count && &fold->cases[fold->entries[i].case_index] == care) {
            i++;
        }
        care->entry_count = i - care->entry_first;
    }
}

/* ---- the order of results ---- */

static int compare_accounts(const struct uw_client *client, const void *a, const void *b)
{
    const struct uw_account *left = a, *right = b;
    if (left->decision != right->decision) {
        return uw_str_compare(uw_client_text(client, left->decision), uw_client_text(client, right->decision));
    }
    if (left->segment_from_day != right->segment_from_day) {
        return left->segment_from_day < right->segment_from_day ? -1 : 1;
    }
    return (left->period_from_day > right->period_from_day) - (left->period_from_day < right->period_from_day);
}

static int compare_alerts(const struct uw_client *client, const void *a, const void *b)
{
    const struct uw_alert *left = a, *right = b;
    return uw_alert_state_compare(client, &left->state, &right->state);
}

static int compare_anomalies(const struct uw_client *client, const void *a, const void *b)
{
    const struct uw_anomaly *left = a, *right = b;
    return uw_anomaly_state_compare(client, &left->state, &right->state);
}

/* ---- the whole ---- */

static void start(struct uw_fold *fold, const struct uw_client *client)
{
    fold->client = client;
    fold->failed = false;
    fold->case_count = fold->interval_count = fold->segment_count = fold->entry_count = 0;
    fold->account_count = fold->alert_count = fold->anomaly_count = 0;
    fold->shares[UW_GRAIN_WEEK].count = fold->shares[UW_GRAIN_MONTH].count = 0;
    fold->next_change_day = UW_DAY_NONE;
    if (!uw_reserve((void **)&fold->line_verdicts, &fold->line_verdict_capacity, client->line_count, 1) ||
        !uw_reserve((void **)&fold->absence_verdicts, &fold->absence_verdict_capacity, client->absence_count, 1) ||
        !uw_reserve((void **)&fold->reversed_by, &fold->reversed_by_capacity, client->line_count,
                    sizeof *fold->reversed_by)) {
        fold->failed = true;
    }
}

static enum uw_code run(struct uw_fold *fold, bool with_alerts)
{
    void (*const steps[])(struct uw_fold *) = {uw_fold_cases, uw_fold_lines, uw_fold_absences, uw_fold_sort_entries};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && !fold->failed; i++) {
        steps[i](fold);
    }
    if (!fold->failed) {
        uw_fold_pools(fold, with_alerts);
    }
    if (!fold->failed && with_alerts) {
        uw_fold_line_signals(fold);
    }
    if (fold->failed) {
        return UW_ENOMEM;
    }
    const struct uw_client *client = fold->client;
    uw_sort(client, fold->accounts, fold->account_count, sizeof *fold->accounts, compare_accounts);
    uw_sort(client, fold->alerts, fold->alert_count, sizeof *fold->alerts, compare_alerts);
    uw_sort(client, fold->anomalies, fold->anomaly_count, sizeof *fold->anomalies, compare_anomalies);
    return UW_OK;
}

enum uw_code uw_fold_run(struct uw_fold *fold, const struct uw_client *client, const struct uw_settings *settings,
                         int32_t as_of_day)
{
    start(fold, client);
    fold->settings = settings;
    fold->as_of_day = as_of_day;
    return fold->failed ? UW_ENOMEM : run(fold, true);
}

enum uw_code uw_fold_run_sums(struct uw_fold *fold, const struct uw_client *client)
{
    start(fold, client);
    fold->settings = NULL;
    /* Before every date: signals that wait for a day are not reached, and are not asked for. */
    fold->as_of_day = INT32_MIN + 1;
    return fold->failed ? UW_ENOMEM : run(fold, false);
}
