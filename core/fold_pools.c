/* SPEC sections 3 and 4: accounts, and the alerts that hang on them. */
#include "core/fold_internal.h"

#include <string.h>

/* A pool while its days are walked through. */
struct pool {
    const struct uw_case *care;
    const struct uw_segment *segment;
    struct uw_period period;
    int64_t allotted_minutes;
    int64_t used_minutes, delivered_minutes, no_show_minutes;
    int64_t used_as_of_minutes; /* c(as_of) */
    int32_t week_day;           /* Monday of the week that is being summed */
    int64_t week_minutes;
    const struct uw_percents *percents; /* NULL: this kind of pool has no thresholds */
    int32_t crossed_day[UW_PERCENT_THRESHOLDS_MAX];
    int32_t exceeded_day; /* first day on which more than the allotment was used */
    int64_t price_sixtieths; /* of the period, in sixtieths of a cent; UW_MINUTES_NONE: not a result */
    int32_t shared_day[UW_GRAIN_COUNT]; /* through this day the allotment and the price are in the shares */
};

/* Where the shares are being summed, and for which days the cursor is good. */
struct share_cursor {
    bool open;
    int32_t from_day[UW_GRAIN_COUNT], to_day[UW_GRAIN_COUNT];
    int32_t interval_to_day; /* of the version in force, whose provider and rate these are */
    int32_t rate_cents_per_hour; /* UW_INT_NONE: none */
    uw_text provider;
    enum uw_model model;
};

static void add_share(struct uw_fold *fold, const struct share_cursor *cursor, const struct uw_case *care,
                      enum uw_grain grain)
{
    struct uw_share_list *list = &fold->shares[grain];
    if (!uw_reserve((void **)&list->items, &list->capacity, list->count + 1, sizeof *list->items)) {
        fold->failed = true;
        return;
    }
    list->items[list->count++] = (struct uw_share){.period_from_day = cursor->from_day[grain],
                                                   .case_index = (uint32_t)(care - fold->cases),
                                                   .provider = cursor->provider,
                                                   .model = cursor->model};
}

/* Brings the cursor to a day; days come in order. Computing a month's bounds costs more than all the rest. */
static void move_cursor(struct uw_fold *fold, struct share_cursor *cursor, const struct pool *pool, int32_t day)
{
    bool moved[UW_GRAIN_COUNT] = {!cursor->open || day > cursor->to_day[UW_GRAIN_WEEK],
                                  !cursor->open || day > cursor->to_day[UW_GRAIN_MONTH]};
    if (moved[UW_GRAIN_WEEK]) {
        cursor->from_day[UW_GRAIN_WEEK] = uw_week_start(day);
        cursor->to_day[UW_GRAIN_WEEK] = cursor->from_day[UW_GRAIN_WEEK] + 6;
    }
    if (moved[UW_GRAIN_MONTH]) {
        cursor->from_day[UW_GRAIN_MONTH] = uw_month_start(day);
        cursor->to_day[UW_GRAIN_MONTH] = uw_month_end(day);
    }
    bool differs = !cursor->open || cursor->model != pool->segment->terms->model;
    if (differs || day > cursor->interval_to_day) {
        const struct uw_interval *interval = uw_case_interval(fold, pool->care, day);
        differs = differs || cursor->provider != interval->version->provider;
        cursor->interval_to_day = interval->to_day == UW_DAY_NONE ? INT32_MAX : interval->to_day;
        cursor->provider = interval->version->provider;
        cursor->rate_cents_per_hour = interval->version->rate_cents_per_hour;
        cursor->model = pool->segment->terms->model;
    }
    cursor->open = true;
    for (enum uw_grain grain = UW_GRAIN_WEEK; grain <= UW_GRAIN_MONTH; grain++) {
        if (differs || moved[grain]) {
            add_share(fold, cursor, pool->care, grain);
        }
    }
}

/* Day i of a period's n gets floor(A·(i+1)/n) − floor(A·i/n) of an amount: the sum over the days is the amount. */
static int64_t spread(int64_t amount, const struct uw_period *period, int32_t from_day, int32_t to_day)
{
    if (amount == UW_MINUTES_NONE || period->to_day == UW_DAY_NONE) {
        return 0;
    }
    int64_t days = period->to_day - period->from_day + 1;
    int64_t first = (from_day > period->from_day ? from_day : period->from_day) - period->from_day;
    int64_t end = (to_day < period->to_day ? to_day : period->to_day) - period->from_day + 1;
    return amount * end / days - amount * first / days;
}

/* A result is paid by its price, whatever the rate; other care by the rate of the version in force. */
static void price_day(struct uw_share *share, const struct share_cursor *cursor, const struct pool *pool,
                      int64_t delivered_minutes)
{
    int32_t rate = cursor->rate_cents_per_hour;
    if (pool->price_sixtieths != UW_MINUTES_NONE) {
        share->priced_minutes += delivered_minutes;
    } else if (rate != UW_INT_NONE && rate <= UW_RATE_CENTS_MAX) {
        share->priced_minutes += delivered_minutes;
        share->cost_sixtieths += delivered_minutes * rate;
    }
}

static void share_day(struct uw_fold *fold, struct share_cursor *cursor, struct pool *pool, int32_t day,
                      int64_t delivered_minutes, int64_t no_show_minutes, int64_t used_minutes)
{
    move_cursor(fold, cursor, pool, day);
    for (enum uw_grain grain = UW_GRAIN_WEEK; grain <= UW_GRAIN_MONTH && !fold->failed; grain++) {
        struct uw_share *share = &fold->shares[grain].items[fold->shares[grain].count - 1];
        share->delivered_minutes += delivered_minutes;
        share->no_show_minutes += no_show_minutes;
        share->used_minutes += used_minutes;
        price_day(share, cursor, pool, delivered_minutes);
        if (day > pool->shared_day[grain]) {
            int32_t from_day = cursor->from_day[grain], to_day = cursor->to_day[grain];
            share->allotted_minutes += spread(pool->allotted_minutes, &pool->period, from_day, to_day);
            share->cost_sixtieths += spread(pool->price_sixtieths, &pool->period, from_day, to_day);
            pool->shared_day[grain] = to_day;
        }
    }
}

/* ---- the days of a pool ---- */

static bool is_budget(const struct uw_version_terms *terms)
{
    return terms->model == UW_MODEL_YEAR_BUDGET ||
           (terms->model == UW_MODEL_PXQ &&
            (terms->frequency == UW_FREQUENCY_YEAR || terms->frequency == UW_FREQUENCY_TOTAL));
}

static bool is_whole_segment(const struct uw_version_terms *terms)
{
    return terms->model == UW_MODEL_FIXED_PLUS_SURPLUS ||
           (terms->model == UW_MODEL_PXQ && terms->frequency == UW_FREQUENCY_TOTAL);
}

static void open_pool(const struct uw_case *care, const struct uw_segment *segment, int32_t day, struct pool *pool)
{
    memset(pool, 0, sizeof *pool);
    pool->care = care;
    pool->segment = segment;
    pool->period = uw_segment_period(segment, day);
    pool->allotted_minutes = uw_period_allotted(segment->terms, &pool->period);
    pool->price_sixtieths =
        segment->terms->model == UW_MODEL_RESULT ? (int64_t)segment->terms->first * 60 : UW_MINUTES_NONE;
    pool->week_day = UW_DAY_NONE;
    pool->exceeded_day = UW_DAY_NONE;
    pool->shared_day[UW_GRAIN_WEEK] = pool->shared_day[UW_GRAIN_MONTH] = INT32_MIN;
    if (segment->terms->model == UW_MODEL_FIXED_PLUS_SURPLUS) {
        pool->percents = &care->thresholds.surplus_thresholds_percent;
    } else if (is_budget(segment->terms)) {
        pool->percents = &care->thresholds.budget_thresholds_percent;
    }
    for (uint32_t i = 0; i < UW_PERCENT_THRESHOLDS_MAX; i++) {
        pool->crossed_day[i] = UW_DAY_NONE;
    }
}

/* What a day adds to the used minutes: for FixedPlusSurplus what exceeds the fixed hours of its ISO week. */
static int64_t used_on_day(struct pool *pool, int32_t day, int64_t delivered_minutes)
{
    if (pool->segment->terms->model != UW_MODEL_FIXED_PLUS_SURPLUS) {
        return delivered_minutes;
    }
    int32_t week_day = uw_week_start(day);
    if (week_day != pool->week_day) {
        pool->week_day = week_day;
        pool->week_minutes = 0;
    }
    int64_t fixed = pool->segment->terms->first;
    int64_t before = pool->week_minutes > fixed ? pool->week_minutes - fixed : 0;
    pool->week_minutes += delivered_minutes;
    int64_t after = pool->week_minutes > fixed ? pool->week_minutes - fixed : 0;
    return after - before;
}

/* Adds the entries of one day, which starts at `first`; returns the index after them. */
static uint32_t add_day(struct uw_fold *fold, struct pool *pool, uint32_t first, uint32_t end,
                        struct share_cursor *cursor)
{
    int32_t day = fold->entries[first].day;
    int64_t delivered = 0, no_show = 0;
    uint32_t i = first;
    for (; i < end && fold->entries[i].day == day; i++) {
        delivered += fold->entries[i].minutes;
        no_show += fold->entries[i].is_no_show ? fold->entries[i].minutes : 0;
    }
    int64_t used = used_on_day(pool, day, delivered);
    pool->delivered_minutes += delivered;
    pool->no_show_minutes += no_show;
    pool->used_minutes += used;
    if (day <= fold->as_of_day) {
        pool->used_as_of_minutes = pool->used_minutes;
    }
    for (uint32_t k = 0; pool->percents != NULL && k < pool->percents->count; k++) {
        if (pool->crossed_day[k] == UW_DAY_NONE && pool->used_minutes > 0 &&
            (uw_wide)pool->used_minutes * 100 >=
                (uw_wide)pool->allotted_minutes * (uw_wide)pool->percents->values[k]) {
            pool->crossed_day[k] = day;
        }
    }
    if (pool->exceeded_day == UW_DAY_NONE && pool->used_minutes > pool->allotted_minutes) {
        pool->exceeded_day = day;
    }
    share_day(fold, cursor, pool, day, delivered, no_show, used);
    return i;
}

static void add_account(struct uw_fold *fold, const struct pool *pool)
{
    if (!uw_reserve((void **)&fold->accounts, &fold->account_capacity, fold->account_count + 1,
                    sizeof *fold->accounts)) {
        fold->failed = true;
        return;
    }
    fold->accounts[fold->account_count++] = (struct uw_account){
        .decision = pool->care->decision,
        .segment_from_day = pool->segment->from_day,
        .period_from_day = pool->period.from_day,
        .period_to_day = pool->period.to_day,
        .model = pool->segment->terms->model,
        .allotted_minutes = pool->allotted_minutes,
        .minimum_minutes = uw_period_minimum(pool->segment->terms, &pool->period),
        .used_minutes = pool->used_minutes,
        .delivered_minutes = pool->delivered_minutes,
        .no_show_minutes = pool->no_show_minutes,
    };
}

/* ---- alerts of a pool ---- */

static struct uw_alert *add_pool_alert(struct uw_fold *fold, const struct pool *pool, enum uw_alert_kind kind,
                                       enum uw_severity severity, int32_t effective_on_day)
{
    struct uw_alert *alert = uw_fold_add_alert(fold, pool->care, kind, severity, effective_on_day);
    if (alert != NULL) {
        alert->state.segment_from_day = pool->segment->from_day;
        alert->state.period_from_day = pool->period.from_day;
        alert->figures.allotted_minutes = pool->allotted_minutes;
        alert->figures.used_minutes = pool->used_minutes;
        alert->figures.remaining_minutes = pool->allotted_minutes - pool->used_minutes;
        alert->figures.period_to_day = pool->period.to_day;
    }
    return alert;
}

static void alert_thresholds(struct uw_fold *fold, const struct pool *pool)
{
    bool surplus = pool->segment->terms->model == UW_MODEL_FIXED_PLUS_SURPLUS;
    for (uint32_t i = 0; i < pool->percents->count; i++) {
        if (pool->crossed_day[i] == UW_DAY_NONE) {
            continue;
        }
        int32_t percent = pool->percents->values[i];
        enum uw_alert_kind low = surplus ? UW_ALERT_SURPLUS_LOW : UW_ALERT_BUDGET_LOW;
        enum uw_alert_kind exhausted = surplus ? UW_ALERT_SURPLUS_EXHAUSTED : UW_ALERT_BUDGET_EXHAUSTED;
        struct uw_alert *alert =
            add_pool_alert(fold, pool, percent >= 100 ? exhausted : low,
                           percent >= 100 ? UW_SEVERITY_CRITICAL : UW_SEVERITY_WARNING, pool->crossed_day[i]);
        if (alert != NULL) {
            alert->state.threshold = (int16_t)percent;
        }
    }
}

/*
 * The share of the pool that is used runs ahead of the share of its days that has passed. While nothing is
 * delivered the condition can only end as days pass; the day on which it does so is known exactly.
 */
static void alert_projection(struct uw_fold *fold, const struct pool *pool, int32_t next_used_day)
{
    const struct uw_thresholds *thresholds = &pool->care->thresholds;
    int64_t from = pool->period.from_day, to = pool->period.to_day;
    if (pool->period.to_day == UW_DAY_NONE || pool->used_minutes >= pool->allotted_minutes) {
        return;
    }
    uw_fold_consider(fold, from + thresholds->projection_min_days - 1);
    uw_fold_consider(fold, from);
    uw_fold_consider(fold, to + 1);
    if (next_used_day != UW_DAY_NONE) {
        uw_fold_consider(fold, next_used_day);
    }
    int64_t elapsed = (int64_t)fold->as_of_day - from + 1, total = to - from + 1;
    if (fold->as_of_day < from || fold->as_of_day > to || elapsed < thresholds->projection_min_days) {
        return;
    }
    uw_wide ahead = (uw_wide)pool->used_as_of_minutes * (uw_wide)total * 100;
    uw_wide pace = (uw_wide)pool->allotted_minutes * (uw_wide)thresholds->projection_percent;
    const uw_wide passed_days = (uw_wide)elapsed;
    if (ahead <= pace * passed_days) {
        return;
    }
    /* It holds while elapsed · pace < ahead; pace is not 0, since 0 <= used < allotted. */
    uw_fold_consider(fold, from - 1 + (int64_t)((ahead + pace - 1) / pace));
    struct uw_alert *alert =
        add_pool_alert(fold, pool, UW_ALERT_PROJECTED_EXHAUSTION, UW_SEVERITY_WARNING, pool->period.to_day);
    if (alert != NULL) {
        alert->figures.expected_minutes =
            (int64_t)((uw_wide)pool->used_as_of_minutes * (uw_wide)total / (uw_wide)elapsed);
    }
}

static void alert_pool(struct uw_fold *fold, const struct pool *pool, int32_t next_used_day)
{
    const struct uw_version_terms *terms = pool->segment->terms;
    if (pool->percents != NULL) {
        alert_thresholds(fold, pool);
        alert_projection(fold, pool, next_used_day);
    } else if (terms->model == UW_MODEL_PXQ && pool->exceeded_day != UW_DAY_NONE) {
        add_pool_alert(fold, pool, UW_ALERT_PERIOD_EXCEEDED, UW_SEVERITY_WARNING, pool->exceeded_day);
    } else if (terms->model == UW_MODEL_BANDWIDTH && pool->exceeded_day != UW_DAY_NONE) {
        add_pool_alert(fold, pool, UW_ALERT_BANDWIDTH_ABOVE, UW_SEVERITY_WARNING, pool->exceeded_day);
    }
}

/* Every period of the segment counts, also one without any delivery, from the segment's start on. Accounts of
 * the segment are those from `first_account` to the end, ascending. */
static void alert_minimum(struct uw_fold *fold, const struct uw_case *care, const struct uw_segment *segment,
                          uint32_t first_account)
{
    if (segment->terms->first == 0) {
        return;
    }
    int64_t grace = care->thresholds.bandwidth_grace_days;
    uint32_t account = first_account;
    for (int32_t day = segment->from_day; segment->to_day == UW_DAY_NONE || day <= segment->to_day;) {
        struct pool pool;
        open_pool(care, segment, day, &pool);
        while (account < fold->account_count && fold->accounts[account].period_from_day < pool.period.from_day) {
            account++;
        }
        bool has_account =
            account < fold->account_count && fold->accounts[account].period_from_day == pool.period.from_day;
        pool.used_minutes = has_account ? fold->accounts[account].used_minutes : 0;
        int64_t minimum = uw_period_minimum(segment->terms, &pool.period);
        bool below = pool.used_minutes < minimum;
        if (below && pool.period.to_day + grace >= fold->as_of_day) {
            uw_fold_consider(fold, pool.period.to_day + grace + 1);
            return;
        }
        if (below) {
            struct uw_alert *alert =
                add_pool_alert(fold, &pool, UW_ALERT_BANDWIDTH_BELOW, UW_SEVERITY_WARNING, pool.period.to_day);
            if (alert == NULL) {
                return;
            }
            alert->figures.minimum_minutes = minimum;
        }
        day = pool.period.to_day + 1;
    }
}

/* ---- segments and cases ---- */

static uint32_t fold_segment(struct uw_fold *fold, const struct uw_case *care, const struct uw_segment *segment,
                             uint32_t first, uint32_t end, bool with_alerts, struct share_cursor *cursor)
{
    uint32_t first_account = fold->account_count;
    bool always = is_whole_segment(segment->terms);
    while (!fold->failed) {
        bool any = first < end && (segment->to_day == UW_DAY_NONE || fold->entries[first].day <= segment->to_day);
        if (!any && !always) {
            break;
        }
        struct pool pool;
        open_pool(care, segment, any ? fold->entries[first].day : segment->from_day, &pool);
        int32_t next_used_day = UW_DAY_NONE;
        while (first < end && (pool.period.to_day == UW_DAY_NONE || fold->entries[first].day <= pool.period.to_day)) {
            if (next_used_day == UW_DAY_NONE && fold->entries[first].day > fold->as_of_day) {
                next_used_day = fold->entries[first].day;
            }
            first = add_day(fold, &pool, first, end, cursor);
        }
        if (fold->failed) {
            break;
        }
        add_account(fold, &pool);
        if (with_alerts) {
            alert_pool(fold, &pool, next_used_day);
        }
        if (always) {
            break;
        }
    }
    if (with_alerts && !fold->failed && segment->terms->model == UW_MODEL_BANDWIDTH) {
        alert_minimum(fold, care, segment, first_account);
    }
    return first;
}

/* SPEC section 4, DECISION_ENDING: in the last weeks of a decision that has an end. */
static void alert_ending(struct uw_fold *fold, const struct uw_case *care)
{
    int32_t valid_from = care->latest->valid_from_day, valid_to = care->latest->valid_to_day;
    if (valid_to == UW_DAY_NONE) {
        return;
    }
    int64_t notice_day = (int64_t)valid_to - care->thresholds.ending_notice_days;
    notice_day = notice_day > valid_from ? notice_day : valid_from;
    uw_fold_consider(fold, notice_day);
    uw_fold_consider(fold, (int64_t)valid_to + 1);
    if (fold->as_of_day >= notice_day && fold->as_of_day <= valid_to) {
        struct uw_alert *alert =
            uw_fold_add_alert(fold, care, UW_ALERT_DECISION_ENDING, UW_SEVERITY_INFO, valid_to);
        if (alert != NULL) {
            alert->figures.period_to_day = valid_to;
        }
    }
}

/* SPEC section 4, CARE_STALLED: no care (no-shows are not care) for some weeks, by terms that expect hours. */
static void alert_stalled(struct uw_fold *fold, const struct uw_case *care)
{
    uw_fold_consider(fold, care->latest->valid_from_day);
    if (care->latest->valid_to_day != UW_DAY_NONE) {
        uw_fold_consider(fold, (int64_t)care->latest->valid_to_day + 1);
    }
    int32_t last_care_day = UW_DAY_NONE;
    for (uint32_t i = 0; i < care->entry_count; i++) {
        const struct uw_entry *entry = &fold->entries[care->entry_first + i];
        if (entry->is_no_show) {
            continue;
        }
        if (entry->day > fold->as_of_day) {
            uw_fold_consider(fold, entry->day);
            break;
        }
        last_care_day = entry->day;
    }
    if (!uw_case_covers(care, fold->as_of_day)) {
        return;
    }
    const struct uw_interval *interval = uw_case_interval(fold, care, fold->as_of_day);
    const struct uw_version_terms *terms = &interval->version->terms;
    if (interval->to_day != UW_DAY_NONE) {
        uw_fold_consider(fold, (int64_t)interval->to_day + 1);
    }
    if (terms->model == UW_MODEL_TASK || (terms->model == UW_MODEL_RESULT && terms->second == UW_INT_NONE)) {
        return;
    }
    int32_t since_day = last_care_day == UW_DAY_NONE ? care->latest->valid_from_day : last_care_day;
    int64_t stalled_day = (int64_t)since_day + care->thresholds.stalled_days;
    uw_fold_consider(fold, stalled_day);
    if (stalled_day <= fold->as_of_day) {
        struct uw_alert *alert =
            uw_fold_add_alert(fold, care, UW_ALERT_CARE_STALLED, UW_SEVERITY_WARNING, (int32_t)stalled_day);
        if (alert != NULL) {
            alert->figures.last_care_day = last_care_day;
        }
    }
}

void uw_fold_pools(struct uw_fold *fold, bool with_alerts)
{
    for (uint32_t i = 0; i < fold->case_count && !fold->failed; i++) {
        const struct uw_case *care = &fold->cases[i];
        if (!care->active) {
            continue;
        }
        struct share_cursor cursor = {.open = false};
        uint32_t entry = care->entry_first, end = care->entry_first + care->entry_count;
        for (uint32_t k = 0; k < care->segment_count && !fold->failed; k++) {
            entry = fold_segment(fold, care, &fold->segments[care->segment_first + k], entry, end, with_alerts,
                                 &cursor);
        }
        if (with_alerts && !fold->failed) {
            uw_fold_evaluations(fold, care);
            alert_ending(fold, care);
            alert_stalled(fold, care);
        }
    }
}
