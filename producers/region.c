#include "producers/region_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_MS 1000u
#define HOUR_MS 3600000u
#define ITEMS_PER_DAY_MAX (64u * 1024u * 1024u)
#define BUCKET_CAPACITY_MIN 64
#define SAMPLE_CARES 2000          /* of which the number of lines is counted when it is to be scaled */
#define DAYS_AHEAD 40              /* days known after the last one: a line may be declared in advance */
#define VISITS_SCALE_MAX 100000
#define DAYS_MIN 28                /* of a period that is chosen by the number of lines */
#define DAYS_MAX (5 * 366)

void uw_region_options_default(struct uw_region_options *options)
{
    *options = (struct uw_region_options){
        .seed = 1,
        .clients = 2000,
        .from_day = uw_day_from_civil(2026, 1, 1),
        .until_day = uw_day_from_civil(2026, 12, 31),
        .switch_day = UW_DAY_NONE,
        .no_show_percent = -1,
        .credit_percent = 3,
        .redelivery_percent = 1,
        .late_percent = 5,
        .irregular_per_10000 = 20,
    };
}

static enum uw_code bad_option(struct uw_error *error, const char *name, int64_t min, int64_t max)
{
    return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "%s must be %" PRId64 " to %" PRId64, name, min, max);
}

/* Everything derived from these days must stay inside the years that an event may carry. */
static enum uw_code check_days(struct uw_region_options *options, struct uw_error *error)
{
    bool given = options->until_day != UW_DAY_NONE;
    if (options->until_day == UW_DAY_NONE && options->declarations == 0) {
        options->until_day = uw_add_months(options->from_day, 12) - 1;
    }
    int32_t until_day = options->until_day == UW_DAY_NONE ? options->from_day + DAYS_MAX : options->until_day;
    if (options->from_day < UW_DAY_MIN + UW_REGION_DAYS_MAX || until_day > UW_DAY_MAX - UW_REGION_DAYS_MAX) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "from and until must lie in the years 1921 to 2179");
    }
    if (given && (until_day < options->from_day || until_day - options->from_day >= UW_REGION_DAYS_MAX)) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "until must lie 0 to %d days after from",
                            UW_REGION_DAYS_MAX - 1);
    }
    return UW_OK;
}

/* Fills in what depends on the number of clients, and the last day where nobody has to count lines for it. */
static enum uw_code check_options(struct uw_region_options *options, struct uw_error *error)
{
    const struct {
        const char *name;
        int64_t value, min, max;
    } ranges[] = {
        {"clients", options->clients, 1, UW_REGION_CLIENTS_MAX},
        {"municipalities", options->municipalities, 0, UW_REGION_MUNICIPALITIES_MAX},
        {"providers", options->providers, 0, UW_REGION_PROVIDERS_MAX},
        {"declarations", options->declarations, 0, INT64_C(1000000000)},
        {"no-show-percent", options->no_show_percent, -1, 50},
        {"credit-percent", options->credit_percent, 0, 50},
        {"redelivery-percent", options->redelivery_percent, 0, 50},
        {"late-percent", options->late_percent, 0, 50},
        {"irregular-per-10000", options->irregular_per_10000, 0, 1000},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (ranges[i].value < ranges[i].min || ranges[i].value > ranges[i].max) {
            return bad_option(error, ranges[i].name, ranges[i].min, ranges[i].max);
        }
    }
    if (options->municipalities == 0) {
        int32_t count = options->clients / 2500 + 2;
        options->municipalities = count > UW_REGION_MUNICIPALITIES_MAX ? UW_REGION_MUNICIPALITIES_MAX : count;
    }
    if (options->providers == 0) {
        int32_t providers = options->clients / 150 + 6;
        options->providers = providers > UW_REGION_PROVIDERS_MAX ? UW_REGION_PROVIDERS_MAX : providers;
    }
    return check_days(options, error);
}

static void fill_cares(struct uw_region *region)
{
    uint32_t number = 0;
    for (uint32_t client = 0; client < (uint32_t)region->options.clients; client++) {
        uw_region_fill_care(region, number, client, 0, &region->cares[number]);
        number++;
        if (uw_region_has_second_care(region, client)) {
            uw_region_fill_care(region, number, client, 1, &region->cares[number]);
            number++;
        }
    }
}

/* Of a hundred credited lines, a hundred credits and eighty new lines are lines as well. */
static int64_t line_permille(const struct uw_region *region)
{
    return 1000 + region->options.credit_percent * 18 + region->options.redelivery_percent * 10;
}

static int32_t draw(const struct uw_region *region, enum uw_region_ask ask, const struct uw_region_care *care,
                    int32_t which, int32_t span)
{
    return (int32_t)(uw_region_hash(region, ask, care->number, which) % (uint64_t)span);
}

/* When the line of a month, which ends on this day or with the care, is recorded; UW_DAY_NONE: there is none. */
static int32_t period_recorded_day(const struct uw_region *region, const struct uw_region_care *care, int32_t day,
                                   int32_t *first)
{
    if (day != uw_month_end(day) && day != care->last_day) {
        return UW_DAY_NONE;
    }
    int32_t month_start = uw_month_start(day);
    *first = month_start > care->valid_from_day ? month_start : care->valid_from_day;
    if (uw_region_period_minutes(region, care, *first, day) == 0) {
        return UW_DAY_NONE;
    }
    int32_t recorded_day = day + 3 + draw(region, ASK_DELAY, care, day, 10);
    if (draw(region, ASK_LATE, care, day, 100) < region->options.late_percent) {
        recorded_day += 10 + draw(region, ASK_LATE, care, -day, 50);
    }
    return recorded_day;
}

/* Lines of appointments and of months that are recorded in time, among every so many cares. */
static void count_sample(const struct uw_region *region, uint32_t step, int64_t *visits, int64_t *months)
{
    *visits = 0;
    *months = 0;
    for (uint32_t i = 0; i < region->care_count; i += step) {
        const struct uw_region_care *care = &region->cares[i];
        int32_t until = region->options.until_day, last = care->last_day < until ? care->last_day : until;
        bool period = region->providers[care->provider].delivery == DELIVERY_PERIOD;
        for (int32_t day = care->valid_from_day; day <= last; day++) {
            struct uw_region_visit visit;
            if (period) {
                int32_t first, recorded_day = period_recorded_day(region, care, day, &first);
                *months += recorded_day != UW_DAY_NONE && recorded_day <= until;
                continue;
            }
            uw_region_visit(region, care, day, &visit);
            *visits += visit.outcome == OUTCOME_VISIT && day + uw_region_delay(region, care, day) <= until;
        }
    }
}

/* About so many lines arise from the cares as they are. Visits are those of one in `step`. */
static int64_t count_lines(const struct uw_region *region, uint32_t step, int64_t *visits, int64_t *months)
{
    count_sample(region, step, visits, months);
    return (*visits + *months) * line_permille(region) / 1000 * step;
}

/* Scales the visits so that about options.declarations lines arise, and fills the cares anew. */
static enum uw_code scale_visits(struct uw_region *region, struct uw_error *error)
{
    int64_t wanted = region->options.declarations, visits, months, reached = 0;
    uint32_t step = region->care_count / SAMPLE_CARES + 1;
    for (int round = 0; round < 6; round++) {
        reached = count_lines(region, step, &visits, &months);
        int64_t distance = reached > wanted ? reached - wanted : wanted - reached;
        int64_t visits_wanted = wanted / step * 1000 / line_permille(region) - months;
        if (distance * 100 <= wanted || visits == 0) {
            break;
        }
        int64_t scale = visits_wanted > 0 ? region->scale_milli * visits_wanted / visits : 1;
        region->scale_milli = (int32_t)(scale < 1 ? 1 : scale > VISITS_SCALE_MAX ? VISITS_SCALE_MAX : scale);
        fill_cares(region);
    }
    if (reached * 10 < wanted * 9 || reached * 10 > wanted * 11 + 100) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "declarations: so many clients in so many days give about %" PRId64 " lines, not %" PRId64
                            "; change the clients or the days",
                            reached, wanted);
    }
    return UW_OK;
}

static enum uw_code no_memory(struct uw_error *error)
{
    return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the region");
}

/* The cares of a period that ends on this day. */
static enum uw_code fill_until(struct uw_region *region, int32_t until_day, struct uw_error *error)
{
    region->options.until_day = until_day;
    region->days_to = until_day + DAYS_AHEAD;
    uint8_t *days = realloc(region->days, (size_t)(region->days_to - region->days_from) + 1);
    if (days == NULL) {
        return no_memory(error);
    }
    region->days = days;
    uw_region_fill_days(region->days_from, region->days_to, region->days);
    fill_cares(region);
    return UW_OK;
}

/* About the shortest period in which visits as agreed give so many lines. */
static enum uw_code choose_until(struct uw_region *region, struct uw_error *error)
{
    int32_t low = DAYS_MIN - 1, high = DAYS_MAX - 1;
    int64_t visits, months;
    uint32_t step = region->care_count / SAMPLE_CARES + 1;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        enum uw_code code = fill_until(region, region->options.from_day + middle, error);
        if (code != UW_OK) {
            return code;
        }
        if (count_lines(region, step, &visits, &months) < region->options.declarations) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return fill_until(region, region->options.from_day + low, error);
}

static enum uw_code build(struct uw_region *region, struct uw_error *error)
{
    const struct uw_region_options *options = &region->options;
    region->days_from = options->from_day - UW_REGION_LEAD_DAYS;
    region->care_count = (uint32_t)options->clients;
    for (uint32_t client = 0; client < (uint32_t)options->clients; client++) {
        region->care_count += uw_region_has_second_care(region, client);
    }
    region->cares = calloc(region->care_count, sizeof(*region->cares));
    if (region->cares == NULL || uw_region_make_contracts(region) != UW_OK) {
        return no_memory(error);
    }
    region->scale_milli = 1000;
    enum uw_code code = options->until_day == UW_DAY_NONE ? choose_until(region, error)
                                                          : fill_until(region, options->until_day, error);
    if (code == UW_OK && options->declarations > 0) {
        code = scale_visits(region, error);
    }
    region->memory_bytes += sizeof(*region) + (size_t)(region->days_to - region->days_from) + 1 +
                            region->care_count * sizeof(*region->cares);
    region->day = region->days_from - 1;
    region->statistics.first_day = region->days_from;
    region->statistics.last_day = options->until_day;
    for (uint32_t i = 0; i < region->care_count; i++) {
        region->cares[i].milestone_day = region->days_from;
    }
    return code;
}

enum uw_code uw_region_open(const struct uw_region_options *options, struct uw_region **region, struct uw_error *error)
{
    struct uw_region *opened = calloc(1, sizeof(*opened));
    if (opened == NULL) {
        return no_memory(error);
    }
    opened->options = *options;
    enum uw_code code = check_options(&opened->options, error);
    if (code == UW_OK) {
        code = build(opened, error);
    }
    if (code != UW_OK) {
        uw_region_close(&opened);
        return code;
    }
    *region = opened;
    return UW_OK;
}

void uw_region_close(struct uw_region **region)
{
    struct uw_region *closing = *region;
    if (closing == NULL) {
        return;
    }
    for (size_t i = 0; i < UW_REGION_HORIZON_DAYS; i++) {
        free(closing->buckets[i].items);
    }
    free(closing->days);
    free(closing->providers);
    free(closing->choices);
    free(closing->choice_starts);
    free(closing->cares);
    free(closing);
    *region = NULL;
}

static struct uw_region_bucket *bucket_of(struct uw_region *region, int32_t day)
{
    return &region->buckets[(uint32_t)(day - region->days_from) % UW_REGION_HORIZON_DAYS];
}

/* A second of the office's day; of its evening for what is reported on the day itself. */
static uint32_t draw_time(const struct uw_region *region, const struct uw_region_item *item, int32_t recorded_day)
{
    uint64_t hash = uw_region_hash(region, ASK_TIME, item->care * 32u + item->kind, item->day * 2 + item->redelivery);
    bool same_day = recorded_day == item->day && item->kind == ITEM_NO_SHOW;
    uint32_t from = same_day ? 18 * HOUR_MS : 5 * HOUR_MS, hours = same_day ? 4 : 14;
    return from + (uint32_t)(hash % (hours * 3600)) * SECOND_MS;
}

/* Puts an event on the day on which it is recorded; one after the last day is dropped. */
static enum uw_code push(struct uw_region *region, const struct uw_region_care *care, int32_t recorded_day,
                         enum uw_region_item_kind kind, int32_t day, uint8_t variant, bool redelivery)
{
    if (recorded_day > region->options.until_day) {
        return UW_OK;
    }
    struct uw_region_bucket *bucket = bucket_of(region, recorded_day);
    if (bucket->count == bucket->capacity) {
        size_t capacity = bucket->capacity > 0 ? bucket->capacity * 2 : BUCKET_CAPACITY_MIN;
        struct uw_region_item *items =
            capacity <= ITEMS_PER_DAY_MAX ? realloc(bucket->items, capacity * sizeof(*items)) : NULL;
        if (items == NULL) {
            return UW_ENOMEM;
        }
        region->memory_bytes += (capacity - bucket->capacity) * sizeof(*items);
        bucket->items = items;
        bucket->capacity = capacity;
    }
    struct uw_region_item *item = &bucket->items[bucket->count++];
    *item = (struct uw_region_item){
        .care = care->number, .day = day, .kind = (uint8_t)kind, .variant = variant, .redelivery = redelivery};
    item->ms_of_day = draw_time(region, item, recorded_day);
    return UW_OK;
}

static bool is_redelivered(const struct uw_region *region, const struct uw_region_care *care, int32_t which)
{
    return draw(region, ASK_REDELIVERY, care, which, 100) < region->options.redelivery_percent;
}

/* Pushes what is recorded today and keeps the first day of what is recorded later. */
static enum uw_code take_milestone(struct uw_region *region, const struct uw_region_care *care, int32_t recorded_day,
                                   enum uw_region_item_kind kind, uint8_t variant, int32_t today, int32_t *next_day)
{
    if (recorded_day > today && recorded_day < *next_day) {
        *next_day = recorded_day;
    }
    if (recorded_day != today) {
        return UW_OK;
    }
    enum uw_code code = push(region, care, today, kind, today, variant, false);
    if (code == UW_OK && kind != ITEM_CONFLICTING_VERSION && is_redelivered(region, care, today)) {
        code = push(region, care, today + 1 + draw(region, ASK_DELAY, care, today, 5), kind, today, variant, true);
    }
    return code;
}

static enum uw_code plan_milestones(struct uw_region *region, struct uw_region_care *care, int32_t today)
{
    struct uw_region_version versions[UW_REGION_VERSIONS_MAX];
    struct uw_region_evaluation evaluations[UW_REGION_EVALUATIONS_MAX];
    uint8_t version_count = uw_region_versions(region, care, versions);
    uint8_t evaluation_count = uw_region_evaluations(region, care, evaluations);
    int32_t next_day = INT32_MAX;
    enum uw_code code = UW_OK;
    for (uint8_t i = 0; code == UW_OK && i < version_count; i++) {
        code = take_milestone(region, care, versions[i].recorded_day, ITEM_VERSION, i, today, &next_day);
    }
    if (code == UW_OK && draw(region, ASK_CONFLICT, care, 0, 10000) < region->options.irregular_per_10000 * 2) {
        int32_t day = versions[0].recorded_day + 3 + draw(region, ASK_CONFLICT, care, 1, 20);
        code = take_milestone(region, care, day, ITEM_CONFLICTING_VERSION, 0, today, &next_day);
    }
    for (uint8_t i = 0; code == UW_OK && i < evaluation_count; i++) {
        if (evaluations[i].recorded_day != UW_DAY_NONE) {
            code = take_milestone(region, care, evaluations[i].recorded_day, ITEM_EVALUATION, i, today, &next_day);
        }
    }
    care->milestone_day = next_day;
    return code;
}

/* What comes beside or after the line of an appointment that was given a planted irregularity. */
static enum uw_code plan_planted(struct uw_region *region, const struct uw_region_care *care, int32_t day,
                                 int32_t recorded_day, enum uw_anomaly_kind kind)
{
    int32_t later = recorded_day + 2 + draw(region, ASK_DELAY, care, day, 8);
    enum uw_code code;
    switch (kind) {
    case UW_ANOMALY_DUPLICATE_CONFLICT:
        return push(region, care, later, ITEM_CONFLICTING_LINE, day, 0, false);
    case UW_ANOMALY_ORPHAN_CREDIT:
        return push(region, care, later, ITEM_ORPHAN_CREDIT, day, 0, false);
    case UW_ANOMALY_CREDIT_MISMATCH:
        return push(region, care, later, ITEM_MISMATCHED_CREDIT, day, 0, false);
    case UW_ANOMALY_DOUBLE_CREDIT:
        code = push(region, care, later, ITEM_CREDIT, day, 0, false);
        return code == UW_OK ? push(region, care, later + 3, ITEM_SECOND_CREDIT, day, 0, false) : code;
    case UW_ANOMALY_DOUBLE_DECLARATION:
        return push(region, care, later, ITEM_DOUBLE_LINE, day, 0, false);
    case UW_ANOMALY_CLIENT_OVERLAP:
        return push(region, care, later, ITEM_OVERLAPPING_LINE, day, 0, false);
    case UW_ANOMALY_VERSION_CONFLICT:
    case UW_ANOMALY_UNKNOWN_DECISION:
    case UW_ANOMALY_OUTSIDE_DECISION:
    case UW_ANOMALY_WRONG_PROVIDER:
    case UW_ANOMALY_LATE_DECLARATION:
    case UW_ANOMALY_FUTURE_DECLARATION:
    case UW_ANOMALY_IMPLAUSIBLE_DURATION:
    case UW_ANOMALY_DECLARED_NO_SHOW:
        break; /* the line itself is the irregular one */
    }
    return UW_OK;
}

/* A share of the lines is taken back after some days, and most of these are declared anew. */
static enum uw_code plan_correction(struct uw_region *region, const struct uw_region_care *care, int32_t day,
                                    int32_t item_day, int32_t recorded_day, enum uw_region_item_kind credit,
                                    enum uw_region_item_kind new_line)
{
    if (draw(region, ASK_CREDIT, care, day, 100) >= region->options.credit_percent) {
        return UW_OK;
    }
    int32_t credit_day = recorded_day + 3 + draw(region, ASK_DELAY, care, day, 12);
    enum uw_code code = push(region, care, credit_day, credit, item_day, 0, false);
    if (code == UW_OK && draw(region, ASK_CREDIT, care, -day, 100) < 80) {
        code = push(region, care, credit_day + 1, new_line, item_day, 0, false);
    }
    return code;
}

static enum uw_code plan_line(struct uw_region *region, const struct uw_region_care *care, int32_t day)
{
    enum uw_anomaly_kind kind;
    int32_t delay = uw_region_delay(region, care, day);
    if (delay < 0) {
        return UW_OK; /* declared in advance, see plan_advance */
    }
    int32_t recorded_day = day + delay;
    enum uw_code code = push(region, care, recorded_day, ITEM_LINE, day, 0, false);
    if (code != UW_OK) {
        return code;
    }
    if (uw_region_plant(region, care, day, OUTCOME_VISIT, &kind)) {
        return plan_planted(region, care, day, recorded_day, kind);
    }
    code = plan_correction(region, care, day, day, recorded_day, ITEM_CREDIT, ITEM_NEW_LINE);
    if (code == UW_OK && is_redelivered(region, care, day)) {
        int32_t again_day = recorded_day + 1 + draw(region, ASK_DELAY, care, -day, 5);
        code = push(region, care, again_day, ITEM_LINE, day, 0, true);
    }
    return code;
}

static enum uw_code plan_no_show(struct uw_region *region, const struct uw_region_care *care, int32_t day,
                                 const struct uw_region_visit *visit)
{
    enum uw_anomaly_kind kind;
    bool period = region->providers[visit->provider].delivery == DELIVERY_PERIOD;
    bool planted = !period && visit->reason != UW_REASON_PROVIDER_CANCELLED &&
                   uw_region_plant(region, care, day, OUTCOME_NO_SHOW, &kind);
    int32_t later = day + 1 + draw(region, ASK_DELAY, care, day, 5);
    enum uw_code code = push(region, care, day, ITEM_NO_SHOW, day, 0, false);
    if (code == UW_OK && planted) {
        code = push(region, care, later, ITEM_LINE_OF_NO_SHOW, day, 0, false);
    } else if (code == UW_OK && draw(region, ASK_CREDIT, care, day, 100) < 2) {
        code = push(region, care, later, ITEM_WITHDRAWN_NO_SHOW, day, 0, false);
    }
    if (code == UW_OK && is_redelivered(region, care, day)) {
        code = push(region, care, later, ITEM_NO_SHOW, day, 0, true);
    }
    return code;
}

/* The planted line that is declared before its appointment. */
static enum uw_code plan_advance(struct uw_region *region, const struct uw_region_care *care, int32_t today)
{
    struct uw_region_visit visit;
    enum uw_anomaly_kind kind;
    int32_t day = today + 7;
    if (!uw_region_plant(region, care, day, OUTCOME_VISIT, &kind) || kind != UW_ANOMALY_FUTURE_DECLARATION) {
        return UW_OK;
    }
    uw_region_visit(region, care, day, &visit);
    return visit.outcome == OUTCOME_VISIT ? push(region, care, today, ITEM_LINE, day, 0, false) : UW_OK;
}

static enum uw_code plan_period(struct uw_region *region, const struct uw_region_care *care, int32_t today)
{
    int32_t first, recorded_day = period_recorded_day(region, care, today, &first);
    if (recorded_day == UW_DAY_NONE) {
        return UW_OK;
    }
    enum uw_code code = push(region, care, recorded_day, ITEM_PERIOD_LINE, first, 0, false);
    if (code == UW_OK) {
        code = plan_correction(region, care, today, first, recorded_day, ITEM_PERIOD_CREDIT, ITEM_NEW_PERIOD_LINE);
    }
    if (code == UW_OK && is_redelivered(region, care, today)) {
        code = push(region, care, recorded_day + 2, ITEM_PERIOD_LINE, first, 0, true);
    }
    return code;
}

static enum uw_code plan_care(struct uw_region *region, struct uw_region_care *care, int32_t today)
{
    struct uw_region_visit visit;
    enum uw_code code = UW_OK;
    if (today >= care->milestone_day) {
        code = plan_milestones(region, care, today);
    }
    if (code != UW_OK || today < care->valid_from_day || today > care->last_day) {
        return code;
    }
    bool period = region->providers[uw_region_provider_on(care, today)].delivery == DELIVERY_PERIOD;
    uw_region_visit(region, care, today, &visit);
    if (visit.outcome == OUTCOME_NO_SHOW) {
        code = plan_no_show(region, care, today, &visit);
    } else if (visit.outcome == OUTCOME_VISIT && !period) {
        code = plan_line(region, care, today);
    }
    if (code == UW_OK && !period) {
        code = plan_advance(region, care, today);
    } else if (code == UW_OK) {
        code = plan_period(region, care, today);
    }
    return code;
}

/* A total order, so that the result does not depend on how qsort treats equals. */
static int compare_items(const void *left, const void *right)
{
    const struct uw_region_item *a = left, *b = right;
    const int64_t keys[6][2] = {{a->ms_of_day, b->ms_of_day}, {a->care, b->care},       {a->day, b->day},
                                {a->kind, b->kind},           {a->variant, b->variant}, {a->redelivery, b->redelivery}};
    for (size_t i = 0; i < 6; i++) {
        if (keys[i][0] != keys[i][1]) {
            return keys[i][0] < keys[i][1] ? -1 : 1;
        }
    }
    return 0;
}

/* Gives today's items back and plans the next day. */
static enum uw_code turn_day(struct uw_region *region)
{
    if (region->day >= region->days_from) {
        struct uw_region_bucket *over = bucket_of(region, region->day);
        region->memory_bytes -= over->capacity * sizeof(*over->items);
        free(over->items);
        *over = (struct uw_region_bucket){0};
    }
    region->day++;
    region->position = 0;
    for (uint32_t i = 0; i < region->care_count; i++) {
        enum uw_code code = plan_care(region, &region->cares[i], region->day);
        if (code != UW_OK) {
            return code;
        }
    }
    struct uw_region_bucket *bucket = bucket_of(region, region->day);
    if (bucket->count > 0) {
        qsort(bucket->items, bucket->count, sizeof(*bucket->items), compare_items);
    }
    return UW_OK;
}

enum uw_code uw_region_next(struct uw_region *region, struct uw_event *event, bool *end, struct uw_error *error)
{
    while (region->day < region->days_from || region->position == bucket_of(region, region->day)->count) {
        if (region->day == region->options.until_day) {
            region->irregular = false;
            *end = true;
            return UW_OK;
        }
        if (turn_day(region) != UW_OK) {
            return no_memory(error);
        }
    }
    uw_region_event(region, &bucket_of(region, region->day)->items[region->position++], region->day, event);
    region->statistics.events[event->topic]++;
    region->statistics.irregularities += region->irregular;
    *end = false;
    return UW_OK;
}

const struct uw_irregularity *uw_region_irregularity(const struct uw_region *region)
{
    return region->irregular ? &region->irregularity : NULL;
}

void uw_region_statistics(const struct uw_region *region, struct uw_region_statistics *statistics)
{
    *statistics = region->statistics;
    statistics->day = region->day;
    statistics->memory_bytes = region->memory_bytes;
}
