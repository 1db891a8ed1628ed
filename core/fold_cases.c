/* SPEC section 3: decisions, versions in force, segments, account periods. */
#include "core/fold_internal.h"

#include <string.h>

static bool terms_equal(const struct uw_version_terms *a, const struct uw_version_terms *b)
{
    return a->model == b->model && a->frequency == b->frequency && a->first == b->first && a->second == b->second &&
           a->result == b->result;
}

bool uw_case_covers(const struct uw_case *care, int32_t day)
{
    return care->active && day >= care->latest->valid_from_day &&
           (care->latest->valid_to_day == UW_DAY_NONE || day <= care->latest->valid_to_day);
}

const struct uw_interval *uw_case_interval(const struct uw_fold *fold, const struct uw_case *care, int32_t day)
{
    if (care->interval_count == 0) {
        return NULL;
    }
    const struct uw_interval *intervals = &fold->intervals[care->interval_first];
    uint32_t low = 0, high = care->interval_count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        if (intervals[middle].from_day <= day) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return &intervals[low];
}

const struct uw_case *uw_fold_case(const struct uw_fold *fold, uw_text decision)
{
    uint32_t low = 0, high = fold->case_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (fold->cases[middle].decision < decision) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < fold->case_count && fold->cases[low].decision == decision ? &fold->cases[low] : NULL;
}

static void add_interval(struct uw_fold *fold, struct uw_case *care, int32_t from_day, int32_t to_day,
                         const struct uw_version *version)
{
    struct uw_interval *last = care->interval_count > 0 ? &fold->intervals[fold->interval_count - 1] : NULL;
    if (last != NULL && last->version == version) {
        last->to_day = to_day;
        return;
    }
    if (!uw_reserve((void **)&fold->intervals, &fold->interval_capacity, fold->interval_count + 1,
                    sizeof *fold->intervals)) {
        fold->failed = true;
        return;
    }
    fold->intervals[fold->interval_count++] = (struct uw_interval){from_day, to_day, version, 0};
    care->interval_count++;
}

/*
 * The version in force on a day is the highest whose effective_from is not after it, or else the lowest of all.
 * Seen from the highest version down, a version is in force before the earliest effective_from of those above
 * it; so the list of starts is a chain of ever earlier days. `winners` are the case's versions, ascending.
 */
static void build_intervals(struct uw_fold *fold, struct uw_case *care, const uint32_t *winners, uint32_t count)
{
    const struct uw_version *versions = fold->client->versions;
    int32_t valid_from = care->latest->valid_from_day, valid_to = care->latest->valid_to_day;
    int32_t end = valid_to == UW_DAY_NONE ? INT32_MAX : valid_to;
    care->interval_first = fold->interval_count;
    /* A version stays in the chain when no higher one starts on or before its own start. */
    uint32_t *chain = fold->order + count;
    uint32_t length = 0;
    int32_t earliest = INT32_MAX;
    for (uint32_t i = count; i-- > 0;) {
        if (versions[winners[i]].effective_from_day < earliest) {
            earliest = versions[winners[i]].effective_from_day;
            chain[length++] = winners[i];
        }
    }
    if (earliest > valid_from) {
        int32_t until = earliest > end ? valid_to : earliest - 1;
        add_interval(fold, care, valid_from, until, &versions[winners[0]]);
    }
    for (uint32_t i = length; i-- > 0 && !fold->failed;) {
        int32_t from = versions[chain[i]].effective_from_day;
        int32_t next = i > 0 ? versions[chain[i - 1]].effective_from_day : INT32_MAX;
        if (from > end || next <= valid_from) {
            continue;
        }
        int32_t until = next > end || next == INT32_MAX ? valid_to : next - 1;
        add_interval(fold, care, from < valid_from ? valid_from : from, until, &versions[chain[i]]);
    }
}

static void build_segments(struct uw_fold *fold, struct uw_case *care)
{
    care->segment_first = fold->segment_count;
    for (uint32_t i = 0; i < care->interval_count; i++) {
        struct uw_interval *interval = &fold->intervals[care->interval_first + i];
        struct uw_segment *last = care->segment_count > 0 ? &fold->segments[fold->segment_count - 1] : NULL;
        if (last != NULL && terms_equal(last->terms, &interval->version->terms)) {
            last->to_day = interval->to_day;
        } else {
            if (!uw_reserve((void **)&fold->segments, &fold->segment_capacity, fold->segment_count + 1,
                            sizeof *fold->segments)) {
                fold->failed = true;
                return;
            }
            fold->segments[fold->segment_count++] =
                (struct uw_segment){interval->from_day, interval->to_day, &interval->version->terms};
            care->segment_count++;
        }
        interval->segment = fold->segment_count - 1;
    }
}

/* One case out of the versions [first, end), all of one decision. Room for two lists is in fold->order. */
static void build_case(struct uw_fold *fold, uint32_t first, uint32_t end)
{
    const struct uw_client *client = fold->client;
    uint32_t *winners = fold->order;
    uint32_t count = 0;
    for (uint32_t i = first; i < end; i++) {
        if (i > first && client->versions[i - 1].version == client->versions[i].version) {
            continue; /* not the winner of its version */
        }
        winners[count++] = i;
        if (i + 1 < end && client->versions[i + 1].version == client->versions[i].version) {
            uw_fold_add_anomaly(fold, UW_ANOMALY_VERSION_CONFLICT, UW_SUBJECT_VERSION, i);
        }
    }
    struct uw_case *care = &fold->cases[fold->case_count++];
    memset(care, 0, sizeof *care);
    care->decision = client->versions[first].decision;
    care->latest = &client->versions[winners[count - 1]];
    care->active = care->latest->status == UW_DECISION_ACTIVE;
    if (fold->settings != NULL) {
        uw_settings_resolve(fold->settings, uw_client_municipality(client, care->decision),
                            (enum uw_law)care->latest->law, uw_client_text(client, care->latest->product),
                            &care->thresholds);
    }
    build_intervals(fold, care, winners, count);
    if (!fold->failed && care->active) {
        build_segments(fold, care);
    }
}

void uw_fold_cases(struct uw_fold *fold)
{
    const struct uw_client *client = fold->client;
    uint32_t count = client->version_count;
    if (count > UINT32_MAX / 2 ||
        !uw_reserve((void **)&fold->order, &fold->order_capacity, 2 * count, sizeof *fold->order) ||
        !uw_reserve((void **)&fold->cases, &fold->case_capacity, count, sizeof *fold->cases)) {
        fold->failed = true;
        return;
    }
    for (uint32_t first = 0; first < count && !fold->failed;) {
        uint32_t end = first + 1;
        while (end < count && client->versions[end].decision == client->versions[first].decision) {
            end++;
        }
        build_case(fold, first, end);
        first = end;
    }
}

/* ---- account periods ---- */

static struct uw_period cut(const struct uw_segment *segment, int32_t from_day, int32_t to_day)
{
    struct uw_period period = {from_day, to_day, to_day - from_day + 1};
    if (period.from_day < segment->from_day) {
        period.from_day = segment->from_day;
    }
    if (segment->to_day != UW_DAY_NONE && period.to_day > segment->to_day) {
        period.to_day = segment->to_day;
    }
    return period;
}

/* Years run from the segment's start: anchor + 12·i months, always counted from the anchor. */
static struct uw_period year_period(const struct uw_segment *segment, int32_t day)
{
    int32_t index = uw_civil_from_day(day).year - uw_civil_from_day(segment->from_day).year;
    if (uw_add_months(segment->from_day, 12 * index) > day) {
        index--;
    }
    return cut(segment, uw_add_months(segment->from_day, 12 * index),
               uw_add_months(segment->from_day, 12 * (index + 1)) - 1);
}

static struct uw_period whole_segment(const struct uw_segment *segment)
{
    bool ends = segment->to_day != UW_DAY_NONE;
    return (struct uw_period){segment->from_day, segment->to_day, ends ? segment->to_day - segment->from_day + 1 : 0};
}

static struct uw_period unit_period(const struct uw_segment *segment, enum uw_frequency frequency, int32_t day)
{
    switch (frequency) {
    case UW_FREQUENCY_DAY:
        return cut(segment, day, day);
    case UW_FREQUENCY_WEEK:
        return cut(segment, uw_week_start(day), uw_week_start(day) + 6);
    case UW_FREQUENCY_FOUR_WEEKS: {
        int32_t from = segment->from_day + (day - segment->from_day) / 28 * 28;
        return cut(segment, from, from + 27);
    }
    case UW_FREQUENCY_MONTH:
        return cut(segment, uw_month_start(day), uw_month_end(day));
    case UW_FREQUENCY_YEAR:
        return year_period(segment, day);
    case UW_FREQUENCY_TOTAL:
        return whole_segment(segment);
    }
    return whole_segment(segment);
}

struct uw_period uw_segment_period(const struct uw_segment *segment, int32_t day)
{
    switch (segment->terms->model) {
    case UW_MODEL_PXQ:
    case UW_MODEL_BANDWIDTH:
        return unit_period(segment, segment->terms->frequency, day);
    case UW_MODEL_YEAR_BUDGET:
        return year_period(segment, day);
    case UW_MODEL_FIXED_PLUS_SURPLUS:
        return whole_segment(segment);
    case UW_MODEL_RESULT:
    case UW_MODEL_TASK:
        return unit_period(segment, UW_FREQUENCY_MONTH, day);
    }
    return whole_segment(segment);
}

int64_t uw_period_allotted(const struct uw_version_terms *terms, const struct uw_period *period)
{
    switch (terms->model) {
    case UW_MODEL_PXQ:
        return terms->first;
    case UW_MODEL_BANDWIDTH:
    case UW_MODEL_FIXED_PLUS_SURPLUS:
        return terms->second;
    case UW_MODEL_YEAR_BUDGET: {
        int64_t days = period->to_day - period->from_day + 1;
        return ((int64_t)terms->first * days + period->full_days - 1) / period->full_days;
    }
    case UW_MODEL_RESULT:
    case UW_MODEL_TASK:
        return UW_MINUTES_NONE;
    }
    return UW_MINUTES_NONE;
}

int64_t uw_period_minimum(const struct uw_version_terms *terms, const struct uw_period *period)
{
    if (terms->model != UW_MODEL_BANDWIDTH) {
        return UW_MINUTES_NONE;
    }
    return (int64_t)terms->first * (period->to_day - period->from_day + 1) / period->full_days;
}
