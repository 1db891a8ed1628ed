/* SPEC section 5: the signals over net lines. */
#include "core/fold_internal.h"
#include "core/sort.h"

#include <string.h>

#define LATE_DAYS 92
#define FUTURE_DAYS 1
#define IMPLAUSIBLE_MINUTES 720
#define MS_PER_MINUTE INT64_C(60000)

static bool is_net(const struct uw_fold *fold, uint32_t index)
{
    switch ((enum uw_verdict)fold->line_verdicts[index]) {
    case UW_VERDICT_COUNTS:
    case UW_VERDICT_UNKNOWN_DECISION:
    case UW_VERDICT_OUTSIDE_DECISION:
    case UW_VERDICT_WRONG_PROVIDER:
        return true;
    case UW_VERDICT_SUPERSEDED:
    case UW_VERDICT_REVERSED:
    case UW_VERDICT_CREDIT:
    case UW_VERDICT_CREDIT_ORPHAN:
    case UW_VERDICT_CREDIT_MISMATCH:
    case UW_VERDICT_CREDIT_DOUBLE:
    case UW_VERDICT_WITHDRAWN:
    case UW_VERDICT_NOT_BILLABLE:
    case UW_VERDICT_NOT_TO_BUDGET:
    case UW_VERDICT_OVER_MAXIMUM:
        return false;
    }
    return false;
}

static bool is_one_day(const struct uw_line *line)
{
    return line->performed_until_day == UW_DAY_NONE || line->performed_until_day == line->performed_on_day;
}

static void signal_single(struct uw_fold *fold, uint32_t index)
{
    const struct uw_line *line = &fold->client->lines[index];
    int32_t last_day = is_one_day(line) ? line->performed_on_day : line->performed_until_day;
    int32_t recorded_day = uw_utc_day(line->stamp.recorded_at_ms);
    if (recorded_day - last_day > LATE_DAYS) {
        uw_fold_add_anomaly(fold, UW_ANOMALY_LATE_DECLARATION, UW_SUBJECT_LINE, index);
    }
    if (last_day - recorded_day > FUTURE_DAYS) {
        uw_fold_add_anomaly(fold, UW_ANOMALY_FUTURE_DECLARATION, UW_SUBJECT_LINE, index);
    }
    if (is_one_day(line) && line->minutes > IMPLAUSIBLE_MINUTES) {
        uw_fold_add_anomaly(fold, UW_ANOMALY_IMPLAUSIBLE_DURATION, UW_SUBJECT_LINE, index);
    }
}

static void signal_pair(struct uw_fold *fold, enum uw_anomaly_kind kind, uint32_t index,
                        enum uw_subject_kind other_kind, uint32_t other)
{
    struct uw_anomaly *anomaly = uw_fold_add_anomaly(fold, kind, UW_SUBJECT_LINE, index);
    if (anomaly != NULL) {
        anomaly->has_other = true;
        anomaly->other_kind = other_kind;
        anomaly->other_fact = other;
    }
}

/* ---- doubles and overlaps ---- */

/* By start, then provider and staff, then SPEC's order: the doubles of a line stand beside it, the first first. */
static int compare_starts(const struct uw_client *client, const void *a, const void *b)
{
    const uint32_t *left_index = a, *right_index = b;
    const struct uw_line *left = &client->lines[*left_index], *right = &client->lines[*right_index];
    if (left->started_at_ms != right->started_at_ms) {
        return left->started_at_ms < right->started_at_ms ? -1 : 1;
    }
    if (left->provider != right->provider) {
        return left->provider < right->provider ? -1 : 1;
    }
    if (left->staff != right->staff) {
        return left->staff < right->staff ? -1 : 1;
    }
    return uw_line_compare(client, left, right);
}

static bool is_double(const struct uw_line *a, const struct uw_line *b)
{
    return a->started_at_ms == b->started_at_ms && a->provider == b->provider && a->staff == b->staff;
}

static int64_t end_of(const struct uw_line *line)
{
    return line->started_at_ms + line->minutes * MS_PER_MINUTE;
}

/* An earlier net line that overlaps line `at` of the list and is no double of it; the first in SPEC's order, so
 * that the evidence is the same whatever the order of arrival. UINT32_MAX: none. */
static uint32_t find_overlap(const struct uw_fold *fold, uint32_t count, uint32_t at, int64_t longest_ms)
{
    const struct uw_client *client = fold->client;
    const struct uw_line *line = &client->lines[fold->order[at]];
    uint32_t best = UINT32_MAX;
    uint32_t first = at;
    while (first > 0 && client->lines[fold->order[first - 1]].started_at_ms > line->started_at_ms - longest_ms) {
        first--;
    }
    for (uint32_t i = first; i < count; i++) {
        uint32_t candidate = fold->order[i];
        const struct uw_line *other = &client->lines[candidate];
        if (other->started_at_ms >= end_of(line)) {
            break;
        }
        if (i == at || is_double(other, line) || end_of(other) <= line->started_at_ms ||
            uw_line_compare(client, other, line) > 0) {
            continue;
        }
        if (best == UINT32_MAX || uw_line_compare(client, other, &client->lines[best]) < 0) {
            best = candidate;
        }
    }
    return best;
}

static void signal_doubles_and_overlaps(struct uw_fold *fold, uint32_t count)
{
    const struct uw_client *client = fold->client;
    uw_sort(client, fold->order, count, sizeof *fold->order, compare_starts);
    int64_t longest_ms = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct uw_line *line = &client->lines[fold->order[i]];
        int64_t length_ms = end_of(line) - line->started_at_ms;
        longest_ms = length_ms > longest_ms ? length_ms : longest_ms;
    }
    uint32_t original = 0; /* the first of the run of doubles */
    for (uint32_t i = 0; i < count && !fold->failed; i++) {
        uint32_t index = fold->order[i];
        if (i > 0 && is_double(&client->lines[fold->order[original]], &client->lines[index])) {
            signal_pair(fold, UW_ANOMALY_DOUBLE_DECLARATION, index, UW_SUBJECT_LINE, fold->order[original]);
        } else {
            original = i;
        }
        uint32_t other = find_overlap(fold, count, i, longest_ms);
        if (other != UINT32_MAX) {
            signal_pair(fold, UW_ANOMALY_CLIENT_OVERLAP, index, UW_SUBJECT_LINE, other);
        }
    }
}

/* ---- declared no-shows ---- */

static bool declares(const struct uw_line *line, const struct uw_absence *absence)
{
    if (absence->reason == UW_REASON_PROVIDER_CANCELLED || absence->decision != line->decision ||
        absence->provider != line->provider || absence->appointment_on_day != line->performed_on_day) {
        return false;
    }
    if (line->started_at_ms != UW_INSTANT_NONE && absence->appointment_at_ms != UW_INSTANT_NONE) {
        return absence->appointment_at_ms < end_of(line) &&
               line->started_at_ms < absence->appointment_at_ms + absence->planned_minutes * MS_PER_MINUTE;
    }
    return line->staff != UW_TEXT_NULL && line->staff == absence->staff;
}

static bool exists(const struct uw_fold *fold, uint32_t absence)
{
    return fold->absence_verdicts[absence] != UW_VERDICT_SUPERSEDED &&
           fold->absence_verdicts[absence] != UW_VERDICT_WITHDRAWN;
}

/* No-shows by day in fold->order[0, count): days are compared first, most lines have none. */
static uint32_t list_absences(struct uw_fold *fold)
{
    const struct uw_client *client = fold->client;
    uint32_t count = 0;
    for (uint32_t i = 0; i < client->absence_count; i++) {
        if (!exists(fold, i)) {
            continue;
        }
        uint32_t place = count++;
        int32_t day = client->absences[i].appointment_on_day;
        while (place > 0 && client->absences[fold->order[place - 1]].appointment_on_day > day) {
            fold->order[place] = fold->order[place - 1];
            place--;
        }
        fold->order[place] = i;
    }
    return count;
}

static void signal_declared_no_show(struct uw_fold *fold, uint32_t index, uint32_t absence_count)
{
    const struct uw_client *client = fold->client;
    const struct uw_line *line = &client->lines[index];
    uint32_t low = 0, high = absence_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (client->absences[fold->order[middle]].appointment_on_day < line->performed_on_day) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    uint32_t best = UINT32_MAX;
    for (uint32_t i = low; i < absence_count; i++) {
        uint32_t candidate = fold->order[i];
        if (client->absences[candidate].appointment_on_day != line->performed_on_day) {
            break;
        }
        if (declares(line, &client->absences[candidate]) &&
            (best == UINT32_MAX ||
             uw_absence_compare(client, &client->absences[candidate], &client->absences[best]) < 0)) {
            best = candidate;
        }
    }
    if (best != UINT32_MAX) {
        signal_pair(fold, UW_ANOMALY_DECLARED_NO_SHOW, index, UW_SUBJECT_NO_SHOW, best);
    }
}

void uw_fold_line_signals(struct uw_fold *fold)
{
    const struct uw_client *client = fold->client;
    uint32_t needed = client->line_count > client->absence_count ? client->line_count : client->absence_count;
    if (!uw_reserve((void **)&fold->order, &fold->order_capacity, needed, sizeof *fold->order)) {
        fold->failed = true;
        return;
    }
    uint32_t started = 0;
    for (uint32_t i = 0; i < client->line_count && !fold->failed; i++) {
        if (is_net(fold, i)) {
            signal_single(fold, i);
            if (client->lines[i].started_at_ms != UW_INSTANT_NONE) {
                fold->order[started++] = i;
            }
        }
    }
    signal_doubles_and_overlaps(fold, started);
    uint32_t absences = list_absences(fold);
    for (uint32_t i = 0; i < client->line_count && absences > 0 && !fold->failed; i++) {
        if (is_net(fold, i) && is_one_day(&client->lines[i])) {
            signal_declared_no_show(fold, i, absences);
        }
    }
}
