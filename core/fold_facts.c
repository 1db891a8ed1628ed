/* SPEC section 3, What counts: winners, credits, and which decision a line or a no-show counts toward. */
#include "core/fold_internal.h"

#include <string.h>

enum uw_verdict uw_fold_judge(struct uw_fold *fold, uw_text decision, int32_t first_day, int32_t last_day,
                              uw_text provider)
{
    const struct uw_case *care = uw_fold_case(fold, decision);
    if (care == NULL) {
        return UW_VERDICT_UNKNOWN_DECISION;
    }
    if (!uw_case_covers(care, first_day) || !uw_case_covers(care, last_day)) {
        return UW_VERDICT_OUTSIDE_DECISION;
    }
    if (uw_case_interval(fold, care, first_day)->version->provider != provider) {
        return UW_VERDICT_WRONG_PROVIDER;
    }
    return UW_VERDICT_COUNTS;
}

void uw_fold_signal(struct uw_fold *fold, enum uw_verdict verdict, enum uw_subject_kind subject, uint32_t fact)
{
    if (verdict == UW_VERDICT_OUTSIDE_DECISION) {
        uw_fold_add_anomaly(fold, UW_ANOMALY_OUTSIDE_DECISION, subject, fact);
    } else if (verdict == UW_VERDICT_WRONG_PROVIDER) {
        uw_fold_add_anomaly(fold, UW_ANOMALY_WRONG_PROVIDER, subject, fact);
    } else if (verdict == UW_VERDICT_UNKNOWN_DECISION) {
        const struct uw_stamp *stamp = subject == UW_SUBJECT_LINE ? &fold->client->lines[fact].stamp
                                                                  : &fold->client->absences[fact].stamp;
        int32_t due_day = uw_utc_day(stamp->recorded_at_ms) + UW_WAITING_DAYS;
        if (fold->as_of_day >= due_day) {
            uw_fold_add_anomaly(fold, UW_ANOMALY_UNKNOWN_DECISION, subject, fact);
        }
        uw_fold_consider(fold, due_day);
    }
}

/* ---- lines ---- */

static bool same_line_key(const struct uw_line *a, const struct uw_line *b)
{
    return a->provider == b->provider && a->line == b->line;
}

/* The winner of a line's key, or UINT32_MAX. */
static uint32_t find_line(const struct uw_client *client, uw_text provider, uw_text line)
{
    uint32_t low = 0, high = client->line_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct uw_line *other = &client->lines[middle];
        if (other->provider < provider || (other->provider == provider && other->line < line)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < client->line_count && client->lines[low].provider == provider && client->lines[low].line == line;
    return found ? low : UINT32_MAX;
}

/* Insertion into a sorted list of credits: they are few, and mostly come in order. */
static void insert_credit(struct uw_fold *fold, uint32_t count, uint32_t index)
{
    const struct uw_line *lines = fold->client->lines;
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (uw_line_compare(fold->client, &lines[fold->order[middle]], &lines[index]) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    memmove(&fold->order[low + 1], &fold->order[low], (count - low) * sizeof *fold->order);
    fold->order[low] = index;
}

static void apply_credit(struct uw_fold *fold, uint32_t index)
{
    const struct uw_line *credit = &fold->client->lines[index];
    uint32_t target = find_line(fold->client, credit->provider, credit->corrects);
    if (target == UINT32_MAX || fold->client->lines[target].kind != UW_LINE_DEBIT) {
        fold->line_verdicts[index] = UW_VERDICT_CREDIT_ORPHAN;
        int32_t due_day = uw_utc_day(credit->stamp.recorded_at_ms) + UW_WAITING_DAYS;
        if (fold->as_of_day >= due_day) {
            uw_fold_add_anomaly(fold, UW_ANOMALY_ORPHAN_CREDIT, UW_SUBJECT_LINE, index);
        }
        uw_fold_consider(fold, due_day);
        return;
    }
    const struct uw_line *debit = &fold->client->lines[target];
    struct uw_anomaly *anomaly = NULL;
    if (debit->minutes != credit->minutes || debit->decision != credit->decision) {
        fold->line_verdicts[index] = UW_VERDICT_CREDIT_MISMATCH;
        anomaly = uw_fold_add_anomaly(fold, UW_ANOMALY_CREDIT_MISMATCH, UW_SUBJECT_LINE, index);
    } else if (fold->line_verdicts[target] == UW_VERDICT_REVERSED) {
        fold->line_verdicts[index] = UW_VERDICT_CREDIT_DOUBLE;
        anomaly = uw_fold_add_anomaly(fold, UW_ANOMALY_DOUBLE_CREDIT, UW_SUBJECT_LINE, index);
    } else {
        fold->line_verdicts[index] = UW_VERDICT_CREDIT;
        fold->line_verdicts[target] = UW_VERDICT_REVERSED;
        fold->reversed_by[target] = index;
    }
    if (anomaly != NULL) {
        anomaly->has_other = true;
        anomaly->other_kind = UW_SUBJECT_LINE;
        anomaly->other_fact = target;
    }
}

/* Winners get UW_VERDICT_COUNTS for the time being; returns the number of credits, listed in fold->order. */
static uint32_t mark_winners(struct uw_fold *fold)
{
    const struct uw_client *client = fold->client;
    uint32_t credits = 0;
    for (uint32_t i = 0; i < client->line_count; i++) {
        fold->reversed_by[i] = UINT32_MAX;
        if (i > 0 && same_line_key(&client->lines[i - 1], &client->lines[i])) {
            fold->line_verdicts[i] = UW_VERDICT_SUPERSEDED;
            continue;
        }
        fold->line_verdicts[i] = UW_VERDICT_COUNTS;
        if (i + 1 < client->line_count && same_line_key(&client->lines[i], &client->lines[i + 1])) {
            uw_fold_add_anomaly(fold, UW_ANOMALY_DUPLICATE_CONFLICT, UW_SUBJECT_LINE, i);
        }
        if (client->lines[i].kind == UW_LINE_CREDIT) {
            insert_credit(fold, credits++, i);
        }
    }
    return credits;
}

/* A line over n days gives day i floor(m·(i+1)/n) − floor(m·i/n) minutes (SPEC section 3). */
static void spread_line(struct uw_fold *fold, const struct uw_case *care, uint32_t index)
{
    const struct uw_line *line = &fold->client->lines[index];
    if (line->performed_until_day == UW_DAY_NONE || line->performed_until_day == line->performed_on_day) {
        uw_fold_add_entry(fold, care, line->performed_on_day, line->minutes, false, index);
        return;
    }
    int64_t days = line->performed_until_day - line->performed_on_day + 1;
    int64_t before = 0;
    for (int64_t i = 0; i < days; i++) {
        int64_t through = line->minutes * (i + 1) / days;
        if (through > before) {
            uw_fold_add_entry(fold, care, line->performed_on_day + (int32_t)i, (int32_t)(through - before), false,
                              index);
        }
        before = through;
    }
}

void uw_fold_lines(struct uw_fold *fold)
{
    const struct uw_client *client = fold->client;
    if (!uw_reserve((void **)&fold->order, &fold->order_capacity, client->line_count, sizeof *fold->order)) {
        fold->failed = true;
        return;
    }
    uint32_t credits = mark_winners(fold);
    for (uint32_t i = 0; i < credits; i++) {
        apply_credit(fold, fold->order[i]);
    }
    for (uint32_t i = 0; i < client->line_count && !fold->failed; i++) {
        const struct uw_line *line = &client->lines[i];
        if (fold->line_verdicts[i] != UW_VERDICT_COUNTS) {
            continue;
        }
        int32_t last_day = line->performed_until_day == UW_DAY_NONE ? line->performed_on_day
                                                                    : line->performed_until_day;
        enum uw_verdict verdict =
            uw_fold_judge(fold, line->decision, line->performed_on_day, last_day, line->provider);
        fold->line_verdicts[i] = (uint8_t)verdict;
        uw_fold_signal(fold, verdict, UW_SUBJECT_LINE, i);
        if (verdict == UW_VERDICT_COUNTS) {
            spread_line(fold, uw_fold_case(fold, line->decision), i);
        }
    }
}

/* ---- no-shows ---- */

static bool same_absence_key(const struct uw_absence *a, const struct uw_absence *b)
{
    return a->provider == b->provider && a->no_show == b->no_show;
}

static bool is_billable(const struct uw_absence *absence, const struct uw_no_show_policy *policy)
{
    if (absence->reason == UW_REASON_CLIENT_ABSENT) {
        return true;
    }
    int32_t notice_minutes = absence->notice_minutes == UW_INT_NONE ? 0 : absence->notice_minutes;
    return absence->reason == UW_REASON_CLIENT_CANCELLED && notice_minutes < policy->notice_hours * 60;
}

static const struct uw_no_show_policy *policy_of(const struct uw_fold *fold, const struct uw_absence *absence)
{
    const struct uw_case *care = uw_fold_case(fold, absence->decision);
    return &uw_case_interval(fold, care, absence->appointment_on_day)->version->no_show;
}

/* The order in which the billable no-shows of a decision take their ranks. */
static int compare_ranks(const struct uw_client *client, const struct uw_absence *a, const struct uw_absence *b)
{
    if (a->decision != b->decision) {
        return a->decision < b->decision ? -1 : 1;
    }
    if (a->appointment_on_day != b->appointment_on_day) {
        return a->appointment_on_day < b->appointment_on_day ? -1 : 1;
    }
    if (a->appointment_at_ms != b->appointment_at_ms) {
        /* UW_INSTANT_NONE is the smallest number: null comes first. */
        return a->appointment_at_ms < b->appointment_at_ms ? -1 : 1;
    }
    int order = uw_str_compare(uw_client_text(client, a->provider), uw_client_text(client, b->provider));
    return order != 0 ? order
                      : uw_str_compare(uw_client_text(client, a->no_show), uw_client_text(client, b->no_show));
}

static void insert_rank(struct uw_fold *fold, uint32_t count, uint32_t index)
{
    const struct uw_absence *absences = fold->client->absences;
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_ranks(fold->client, &absences[fold->order[middle]], &absences[index]) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    memmove(&fold->order[low + 1], &fold->order[low], (count - low) * sizeof *fold->order);
    fold->order[low] = index;
}

/* Ranks run within a decision and a calendar month; each no-show is billed by the policy of its own day. */
static void bill(struct uw_fold *fold, uint32_t count)
{
    const struct uw_absence *absences = fold->client->absences;
    int32_t rank = 0;
    for (uint32_t i = 0; i < count && !fold->failed; i++) {
        const struct uw_absence *absence = &absences[fold->order[i]];
        const struct uw_absence *before = i > 0 ? &absences[fold->order[i - 1]] : NULL;
        bool same_month = before != NULL && before->decision == absence->decision &&
                          uw_month_start(before->appointment_on_day) == uw_month_start(absence->appointment_on_day);
        rank = same_month ? rank + 1 : 0;
        const struct uw_no_show_policy *policy = policy_of(fold, absence);
        int32_t minutes = (int32_t)((int64_t)absence->planned_minutes * policy->billable_percent / 100);
        enum uw_verdict verdict = UW_VERDICT_COUNTS;
        if (!policy->counts_to_budget) {
            verdict = UW_VERDICT_NOT_TO_BUDGET;
        } else if (policy->max_per_month != UW_INT_NONE && rank >= policy->max_per_month) {
            verdict = UW_VERDICT_OVER_MAXIMUM;
        } else if (minutes > 0) {
            uw_fold_add_entry(fold, uw_fold_case(fold, absence->decision), absence->appointment_on_day, minutes, true,
                              fold->order[i]);
        }
        fold->absence_verdicts[fold->order[i]] = (uint8_t)verdict;
    }
}

/* The end of the group of versions that starts at `first`, and whether any of them withdraws the no-show. */
static uint32_t absence_group(struct uw_fold *fold, uint32_t first, bool *withdrawn)
{
    const struct uw_client *client = fold->client;
    uint32_t end = first;
    *withdrawn = false;
    while (end < client->absence_count && same_absence_key(&client->absences[first], &client->absences[end])) {
        *withdrawn = *withdrawn || client->absences[end].status == UW_NO_SHOW_WITHDRAWN;
        fold->absence_verdicts[end++] = UW_VERDICT_SUPERSEDED;
    }
    return end;
}

void uw_fold_absences(struct uw_fold *fold)
{
    const struct uw_client *client = fold->client;
    if (!uw_reserve((void **)&fold->order, &fold->order_capacity, client->absence_count, sizeof *fold->order)) {
        fold->failed = true;
        return;
    }
    uint32_t billable = 0;
    for (uint32_t first = 0, end = 0; first < client->absence_count && !fold->failed; first = end) {
        const struct uw_absence *absence = &client->absences[first];
        bool withdrawn;
        end = absence_group(fold, first, &withdrawn);
        if (withdrawn) {
            fold->absence_verdicts[first] = UW_VERDICT_WITHDRAWN;
            continue;
        }
        if (end - first > 1) {
            uw_fold_add_anomaly(fold, UW_ANOMALY_DUPLICATE_CONFLICT, UW_SUBJECT_NO_SHOW, first);
        }
        enum uw_verdict verdict = uw_fold_judge(fold, absence->decision, absence->appointment_on_day,
                                                absence->appointment_on_day, absence->provider);
        uw_fold_signal(fold, verdict, UW_SUBJECT_NO_SHOW, first);
        if (verdict == UW_VERDICT_COUNTS && !is_billable(absence, policy_of(fold, absence))) {
            verdict = UW_VERDICT_NOT_BILLABLE;
        }
        fold->absence_verdicts[first] = (uint8_t)verdict;
        if (verdict == UW_VERDICT_COUNTS) {
            insert_rank(fold, billable++, first);
        }
    }
    bill(fold, billable);
}
