#include "tests/support/hostile.h"

#include <stdio.h>
#include <string.h>

#include "core/fold.h"

static struct uw_random *dice(struct uw_hostile *hostile)
{
    return &hostile->random;
}

static struct uw_str keep(struct uw_hostile *hostile, const char *text)
{
    struct uw_str kept = uw_arena_copy(&hostile->arena, uw_str_from(text));
    if (kept.data == NULL) {
        abort();
    }
    return kept;
}

static struct uw_str numbered(struct uw_hostile *hostile, const char *prefix, uint32_t number)
{
    char text[40];
    snprintf(text, sizeof text, "%s%u", prefix, (unsigned)number);
    return keep(hostile, text);
}

static struct uw_str pick_text(struct uw_hostile *hostile, const char *const *texts, uint32_t count)
{
    const char *text = texts[uw_random_below(dice(hostile), count)];
    return text == NULL ? UW_STR_NULL : uw_str_from(text);
}

#define PICK_TEXT(hostile, ...)                                                                                        \
    pick_text((hostile), (const char *const[]){__VA_ARGS__},                                                           \
              (uint32_t)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))

static struct uw_str a_provider(struct uw_hostile *hostile)
{
    return PICK_TEXT(hostile, "41410001", "41410001", "41410002", "00000003");
}

static struct uw_str a_municipality(struct uw_hostile *hostile)
{
    return PICK_TEXT(hostile, "0363", "0363", "0363", "0599");
}

static struct uw_str a_decision(struct uw_hostile *hostile)
{
    return PICK_TEXT(hostile, "WMO-1", "WMO-1", "WMO-2", "JW-\xCE\xA9");
}

static struct uw_str a_staff(struct uw_hostile *hostile)
{
    return PICK_TEXT(hostile, NULL, NULL, "s1", "Zo\xC3\xAB", "s2");
}

static struct uw_uuid a_uuid(struct uw_hostile *hostile)
{
    struct uw_uuid uuid = {{0}, 0};
    for (uint32_t i = 0; i < 16; i++) {
        uuid.bytes[i] = (uint8_t)uw_random_bits(dice(hostile));
    }
    /* Sources that write capitals; a digit has no case. */
    for (uint32_t digit = 0; digit < 32 && uw_random_chance(dice(hostile), 5); digit++) {
        uint32_t value = digit % 2 == 0 ? uuid.bytes[digit / 2] >> 4 : uuid.bytes[digit / 2] & 15u;
        uuid.upper |= (uint32_t)(value > 9) << digit;
    }
    return uuid;
}

static int32_t a_day(struct uw_hostile *hostile)
{
    int32_t day = hostile->as_of_day + uw_random_between(dice(hostile), -300, 80);
    switch (uw_random_below(dice(hostile), 10)) {
    case 0:
        return uw_month_end(day);
    case 1: /* the turn of the ISO year */
        return uw_day_from_civil(uw_civil_from_day(day).year, 12, 27) + uw_random_between(dice(hostile), 0, 9);
    case 2:
        return uw_day_from_civil(uw_civil_from_day(day).year, 2, 27) + uw_random_between(dice(hostile), 0, 3);
    case 3:
        return hostile->as_of_day - UW_RANDOM_PICK(dice(hostile), 0, 1, 14, 15, 27, 28, 29, 56, 57, -1, -14);
    default:
        return day;
    }
}

static int64_t instant(struct uw_hostile *hostile, int32_t day)
{
    int32_t minute = uw_random_chance(dice(hostile), 30) ? 0 : uw_random_between(dice(hostile), 0, 1439);
    return day * UW_MS_PER_DAY + minute * INT64_C(60000);
}

static int64_t recorded_near(struct uw_hostile *hostile, int32_t day)
{
    return instant(hostile, day + UW_RANDOM_PICK(dice(hostile), 0, 0, 1, 2, 7, 14, 30, 92, 93, 94, -1, -2, -3));
}

static struct uw_terms some_terms(struct uw_hostile *hostile)
{
    struct uw_random *random = dice(hostile);
    struct uw_terms terms;
    memset(&terms, 0, sizeof terms);
    terms.model = (enum uw_model)UW_RANDOM_PICK(random, UW_MODEL_PXQ, UW_MODEL_PXQ, UW_MODEL_PXQ, UW_MODEL_BANDWIDTH,
                                                UW_MODEL_BANDWIDTH, UW_MODEL_YEAR_BUDGET, UW_MODEL_YEAR_BUDGET,
                                                UW_MODEL_FIXED_PLUS_SURPLUS, UW_MODEL_FIXED_PLUS_SURPLUS,
                                                UW_MODEL_RESULT, UW_MODEL_TASK);
    switch (terms.model) {
    case UW_MODEL_PXQ:
        terms.volume_minutes = UW_RANDOM_PICK(random, 0, 60, 240, 600, 3000);
        terms.frequency = (enum uw_frequency)uw_random_below(random, 6);
        break;
    case UW_MODEL_BANDWIDTH:
        terms.min_minutes = UW_RANDOM_PICK(random, 0, 60, 200);
        terms.max_minutes = terms.min_minutes + UW_RANDOM_PICK(random, 0, 60, 400);
        terms.frequency =
            (enum uw_frequency)UW_RANDOM_PICK(random, UW_FREQUENCY_WEEK, UW_FREQUENCY_FOUR_WEEKS, UW_FREQUENCY_MONTH);
        break;
    case UW_MODEL_YEAR_BUDGET:
        terms.minutes_per_year = UW_RANDOM_PICK(random, 0, 365, 1500, 6000, 20000);
        break;
    case UW_MODEL_FIXED_PLUS_SURPLUS:
        terms.minutes_per_week = UW_RANDOM_PICK(random, 0, 60, 120);
        terms.surplus_minutes = UW_RANDOM_PICK(random, 0, 100, 600, 1200, 5000);
        break;
    case UW_MODEL_RESULT:
        terms.result = PICK_TEXT(hostile, "structuur", "");
        terms.price_cents = UW_RANDOM_PICK(random, 0, 99999);
        terms.expected_minutes_per_week = UW_RANDOM_PICK(random, UW_INT_NONE, 0, 120);
        break;
    case UW_MODEL_TASK:
        break;
    }
    return terms;
}

static struct uw_no_show_policy some_policy(struct uw_hostile *hostile)
{
    struct uw_random *random = dice(hostile);
    return (struct uw_no_show_policy){.billable_percent = UW_RANDOM_PICK(random, 0, 33, 50, 100),
                                      .max_per_month = UW_RANDOM_PICK(random, UW_INT_NONE, 0, 1, 2),
                                      .notice_hours = UW_RANDOM_PICK(random, 0, 24, 168),
                                      .counts_to_budget = uw_random_chance(random, 75)};
}

static void some_months(struct uw_hostile *hostile, struct uw_decision *decision)
{
    static const int32_t lists[][3] = {{3, 0, 0}, {3, 3, 0}, {6, 3, 0}, {1, 2, 3}, {12, 120, 1}};
    uint32_t choice = uw_random_below(dice(hostile), 7);
    decision->evaluation_list = lists[choice < 5 ? choice : 0];
    decision->evaluation_count = 0;
    while (choice < 6 && decision->evaluation_count < 3 && decision->evaluation_list[decision->evaluation_count] > 0) {
        decision->evaluation_count++;
    }
}

static struct uw_event *next_event(struct uw_hostile *hostile, enum uw_topic topic)
{
    if (hostile->count == hostile->capacity) {
        abort();
    }
    struct uw_event *event = &hostile->events[hostile->count++];
    memset(event, 0, sizeof *event);
    event->topic = topic;
    event->event_id = a_uuid(hostile);
    return event;
}

/* An event of the topic that was made before, NULL when none is found. */
static const struct uw_event *some_event(struct uw_hostile *hostile, enum uw_topic topic)
{
    for (uint32_t tries = 0; tries < 20 && hostile->count > 0; tries++) {
        const struct uw_event *event = &hostile->events[uw_random_below(dice(hostile), hostile->count)];
        if (event->topic == topic) {
            return event;
        }
    }
    return NULL;
}

/* ---- decisions ---- */

/* Validity may shrink so far that what was delivered lies outside. */
static void revise_decision(struct uw_hostile *hostile, struct uw_event *event)
{
    struct uw_random *random = dice(hostile);
    struct uw_decision *decision = &event->of.decision;
    decision->version = UW_RANDOM_PICK(random, decision->version, decision->version + 1, decision->version + 1,
                                       uw_random_between(random, 1, 4));
    decision->effective_from_day = decision->valid_from_day + uw_random_between(random, -5, 200);
    for (uint32_t changes = 1 + uw_random_below(random, 3); changes > 0; changes--) {
        switch (uw_random_below(random, 7)) {
        case 0:
        case 1:
            decision->terms = some_terms(hostile);
            break;
        case 2:
            event->provider = a_provider(hostile);
            break;
        case 3:
            decision->no_show = some_policy(hostile);
            break;
        case 4:
            decision->valid_to_day = uw_random_chance(random, 40)
                                         ? UW_DAY_NONE
                                         : decision->valid_from_day + uw_random_between(random, 0, 300);
            break;
        case 5:
            decision->status = uw_random_chance(random, 30) ? UW_DECISION_WITHDRAWN : UW_DECISION_ACTIVE;
            break;
        default:
            some_months(hostile, decision);
            decision->law = (enum uw_law)uw_random_below(random, 3);
            break;
        }
    }
}

static void new_decision(struct uw_hostile *hostile, struct uw_event *event)
{
    struct uw_random *random = dice(hostile);
    struct uw_decision *decision = &event->of.decision;
    event->municipality = a_municipality(hostile);
    /* The first decisions go round, so that nobody is left without one. */
    uint32_t client = hostile->count <= hostile->client_count ? hostile->count - 1
                                                              : uw_random_below(random, hostile->client_count);
    event->client = numbered(hostile, "c", client);
    event->decision = a_decision(hostile);
    event->provider = a_provider(hostile);
    decision->version = UW_RANDOM_PICK(random, 1, 1, 1, 2);
    decision->status = uw_random_chance(random, 5) ? UW_DECISION_WITHDRAWN : UW_DECISION_ACTIVE;
    decision->law = (enum uw_law)uw_random_below(random, 3);
    decision->product_category = PICK_TEXT(hostile, "02", "4\xC3\xA9");
    decision->product = PICK_TEXT(hostile, "02A03", "");
    decision->care = (enum uw_care)uw_random_below(random, 2);
    decision->valid_from_day = a_day(hostile);
    if (uw_random_chance(random, 15)) {
        int32_t year = uw_civil_from_day(decision->valid_from_day).year;
        decision->valid_from_day = uw_day_from_civil(year - year % 4, 2, 29); /* an anchor that clamps */
    }
    int32_t days = uw_random_chance(random, 50) ? uw_random_between(random, 1, 400) : uw_random_between(random, 60, 700);
    int32_t near = hostile->as_of_day + UW_RANDOM_PICK(random, -1, 0, 1, 55, 56, 57);
    decision->valid_to_day = UW_RANDOM_PICK(random, UW_DAY_NONE, decision->valid_from_day,
                                            decision->valid_from_day + days, decision->valid_from_day + days, near);
    if (decision->valid_to_day < decision->valid_from_day) {
        decision->valid_to_day = UW_DAY_NONE;
    }
    decision->effective_from_day = decision->valid_from_day + UW_RANDOM_PICK(random, 0, 0, 0, -10, 10);
    decision->terms = some_terms(hostile);
    decision->no_show = some_policy(hostile);
    some_months(hostile, decision);
    decision->rate_cents_per_hour =
        UW_RANDOM_PICK(random, UW_INT_NONE, 0, 6230, UW_RATE_CENTS_MAX, UW_RATE_CENTS_MAX + 1);
}

static void add_decision(struct uw_hostile *hostile)
{
    const struct uw_event *before = some_event(hostile, UW_TOPIC_DECISIONS);
    struct uw_event *event = next_event(hostile, UW_TOPIC_DECISIONS);
    if (before != NULL && hostile->count > hostile->client_count && uw_random_chance(dice(hostile), 60)) {
        struct uw_uuid event_id = event->event_id;
        *event = *before;
        event->event_id = event_id;
        revise_decision(hostile, event);
    } else {
        new_decision(hostile, event);
    }
    event->recorded_at_ms = recorded_near(hostile, event->of.decision.effective_from_day);
}

/* ---- care ---- */

/* Fills what every fact has, mostly aimed at a decision that exists; returns a day in or near it. */
static int32_t aim(struct uw_hostile *hostile, struct uw_event *event)
{
    struct uw_random *random = dice(hostile);
    const struct uw_event *target = some_event(hostile, UW_TOPIC_DECISIONS);
    if (target == NULL || uw_random_chance(random, 6)) {
        event->municipality = a_municipality(hostile);
        event->client = numbered(hostile, "c", uw_random_below(random, hostile->client_count));
        event->decision = PICK_TEXT(hostile, "WMO-1", "WMO-2", "WMO-none");
        event->provider = a_provider(hostile);
        return a_day(hostile);
    }
    event->municipality = target->municipality;
    event->client = target->client;
    event->decision = target->decision;
    event->provider = uw_random_chance(random, 92) ? target->provider : a_provider(hostile);
    const struct uw_decision *decision = &target->of.decision;
    int32_t length = decision->valid_to_day == UW_DAY_NONE ? 300 : decision->valid_to_day - decision->valid_from_day;
    length = length > 300 ? 300 : length;
    int32_t inside = uw_random_between(random, 0, length);
    return decision->valid_from_day +
           UW_RANDOM_PICK(random, 0, length, -1, length + 1, inside, inside, inside, inside, inside);
}

/* A few more ids than there are lines, so that keys collide now and then. */
static uint32_t an_id(struct uw_hostile *hostile)
{
    return uw_random_below(dice(hostile), 4 + hostile->capacity * 3 / (2 * hostile->client_count));
}

static void add_debit(struct uw_hostile *hostile)
{
    struct uw_random *random = dice(hostile);
    struct uw_event *event = next_event(hostile, UW_TOPIC_DECLARATIONS);
    int32_t day = aim(hostile, event);
    struct uw_declaration *line = &event->of.declaration;
    int32_t days = uw_random_chance(random, 12) ? UW_RANDOM_PICK(random, 1, 2, 7, 28, 31, 60, 366) : 1;
    line->line = numbered(hostile, "L", an_id(hostile));
    line->kind = UW_LINE_DEBIT;
    line->corrects = uw_random_chance(random, 3) ? numbered(hostile, "L", an_id(hostile)) : UW_STR_NULL;
    line->performed_on_day = day;
    line->performed_until_day = days > 1 || uw_random_chance(random, 10) ? day + days - 1 : UW_DAY_NONE;
    line->started_at_ms = UW_INSTANT_NONE;
    if (days == 1 && uw_random_chance(random, 70)) {
        line->started_at_ms =
            day * UW_MS_PER_DAY + UW_RANDOM_PICK(random, 540, 555, 570, 600, 1430) * INT64_C(60000);
    }
    line->minutes = days == 1 ? UW_RANDOM_PICK(random, 1, 15, 30, 60, 61, 120, 240, 720, 721, 1440)
                              : UW_RANDOM_PICK(random, 1, days - 1, days, 60 * days, 1440 * days);
    line->staff = a_staff(hostile);
    event->recorded_at_ms = recorded_near(hostile, day);
}

static void add_credit(struct uw_hostile *hostile)
{
    struct uw_random *random = dice(hostile);
    const struct uw_event *before = some_event(hostile, UW_TOPIC_DECLARATIONS);
    if (before == NULL) {
        add_debit(hostile);
        return;
    }
    struct uw_event *event = next_event(hostile, UW_TOPIC_DECLARATIONS);
    struct uw_uuid event_id = event->event_id;
    *event = *before;
    event->event_id = event_id;
    struct uw_declaration *line = &event->of.declaration;
    line->corrects = uw_random_chance(random, 90) ? line->line : numbered(hostile, "L", an_id(hostile));
    line->line = uw_random_chance(random, 95) ? numbered(hostile, "C", an_id(hostile)) : line->line;
    line->kind = UW_LINE_CREDIT;
    switch (uw_random_below(random, 10)) {
    case 0:
        line->minutes = line->minutes > 1 ? line->minutes - 1 : 1;
        break;
    case 1:
        event->decision = a_decision(hostile);
        break;
    case 2:
        event->provider = a_provider(hostile);
        break;
    default:
        break;
    }
    event->recorded_at_ms += UW_RANDOM_PICK(random, -1, 0, 1, 5) * UW_MS_PER_DAY;
    if (uw_random_chance(random, 20)) {
        /* Around the patience of 14 days. */
        event->recorded_at_ms = instant(hostile, hostile->as_of_day - UW_RANDOM_PICK(random, 13, 14, 15));
    }
}

static void add_no_show(struct uw_hostile *hostile)
{
    struct uw_random *random = dice(hostile);
    const struct uw_event *line = some_event(hostile, UW_TOPIC_DECLARATIONS);
    struct uw_event *event = next_event(hostile, UW_TOPIC_NO_SHOWS);
    int32_t day = aim(hostile, event);
    if (line != NULL && uw_random_chance(random, 40)) {
        /* On the day of a line, so that what did not take place was declared. */
        event->municipality = line->municipality;
        event->client = line->client;
        event->decision = line->decision;
        event->provider = line->provider;
        day = line->of.declaration.performed_on_day;
    }
    int32_t notice = UW_RANDOM_PICK(random, 0, 24, 168) * 60;
    struct uw_no_show *no_show = &event->of.no_show;
    no_show->no_show = numbered(hostile, "N", an_id(hostile));
    no_show->status = uw_random_chance(random, 6) ? UW_NO_SHOW_WITHDRAWN : UW_NO_SHOW_REPORTED;
    no_show->appointment_on_day = day;
    no_show->appointment_at_ms = UW_INSTANT_NONE;
    if (uw_random_chance(random, 50)) {
        no_show->appointment_at_ms =
            day * UW_MS_PER_DAY + UW_RANDOM_PICK(random, 540, 555, 600, 615) * INT64_C(60000);
    }
    no_show->planned_minutes = UW_RANDOM_PICK(random, 1, 45, 60, 61, 1440);
    no_show->reason = (enum uw_no_show_reason)UW_RANDOM_PICK(random, 0, 0, 1, 1, 2);
    no_show->notice_minutes = UW_RANDOM_PICK(random, UW_INT_NONE, 0, notice > 0 ? notice - 1 : 0, notice, notice + 1);
    no_show->staff = a_staff(hostile);
    event->recorded_at_ms = recorded_near(hostile, day);
}

static void add_evaluation(struct uw_hostile *hostile)
{
    const struct uw_event *decision = some_event(hostile, UW_TOPIC_DECISIONS);
    struct uw_event *event = next_event(hostile, UW_TOPIC_EVALUATIONS);
    int32_t day = aim(hostile, event);
    event->provider = UW_STR_NULL;
    if (decision != NULL) {
        event->municipality = decision->municipality;
        event->client = decision->client;
        event->decision = decision->decision;
        day = decision->of.decision.valid_from_day +
              UW_RANDOM_PICK(dice(hostile), 30, 59, 60, 61, 76, 77, 78, 90, 91, 92, 200);
    }
    event->of.evaluation = (struct uw_evaluation){day, (enum uw_outcome_of_evaluation)uw_random_below(dice(hostile), 4)};
    event->recorded_at_ms = recorded_near(hostile, day);
}

/* A redelivery, an exact tie with other content, or a correction of what was sent. */
static void add_again(struct uw_hostile *hostile)
{
    struct uw_random *random = dice(hostile);
    const struct uw_event *before = &hostile->events[uw_random_below(random, hostile->count)];
    struct uw_event *event = next_event(hostile, before->topic);
    struct uw_uuid event_id = event->event_id;
    *event = *before;
    uint32_t kind = uw_random_below(random, 4);
    if (kind == 1 || kind == 3) {
        event->event_id = event_id;
        event->recorded_at_ms += UW_RANDOM_PICK(random, 0, 0, -1, 1, 60000, 86400000);
    }
    if (kind < 2) {
        return;
    }
    switch (event->topic) {
    case UW_TOPIC_DECISIONS:
        event->of.decision.terms = some_terms(hostile);
        break;
    case UW_TOPIC_DECLARATIONS:
        event->of.declaration.minutes = event->of.declaration.minutes / 2 + 1;
        break;
    case UW_TOPIC_NO_SHOWS:
        event->of.no_show.planned_minutes = uw_random_between(random, 1, 128);
        event->of.no_show.status = uw_random_chance(random, 30) ? UW_NO_SHOW_WITHDRAWN : UW_NO_SHOW_REPORTED;
        break;
    case UW_TOPIC_EVALUATIONS:
        event->of.evaluation.held_on_day += uw_random_between(random, -20, 20);
        break;
    }
}

void uw_hostile_make(struct uw_hostile *hostile, uint64_t seed, uint32_t client_count, uint32_t event_count)
{
    static const int32_t awkward[][3] = {{2024, 2, 29}, {2024, 3, 1},   {2025, 2, 28},  {2021, 1, 3},  {2020, 12, 31},
                                         {2027, 1, 3},  {2024, 12, 30}, {2026, 7, 15},  {2026, 3, 31}, {2028, 2, 29}};
    memset(hostile, 0, sizeof *hostile);
    hostile->random = uw_random_from(seed);
    uw_arena_init(&hostile->arena, (size_t)1 << 28);
    hostile->events = uw_arena_take(&hostile->arena, event_count * sizeof *hostile->events);
    if (hostile->events == NULL) {
        abort();
    }
    hostile->capacity = event_count;
    hostile->client_count = client_count;
    const int32_t *date = awkward[uw_random_below(dice(hostile), (uint32_t)(sizeof awkward / sizeof awkward[0]))];
    hostile->as_of_day = uw_day_from_civil(date[0], date[1], date[2]);
    while (hostile->count < event_count) {
        uint32_t kind = uw_random_below(dice(hostile), 92);
        if (hostile->count < 2 * client_count || kind < 4) {
            add_decision(hostile);
        } else if (kind < 54) {
            add_debit(hostile);
        } else if (kind < 62) {
            add_credit(hostile);
        } else if (kind < 78) {
            add_no_show(hostile);
        } else if (kind < 82) {
            add_evaluation(hostile);
        } else {
            add_again(hostile);
        }
    }
}

void uw_hostile_close(struct uw_hostile *hostile)
{
    uw_arena_close(&hostile->arena);
}

/* ---- copies ---- */

static bool copy_text(struct uw_arena *arena, struct uw_str *text)
{
    if (uw_str_is_null(*text)) {
        return true;
    }
    *text = uw_arena_copy(arena, *text);
    return !uw_str_is_null(*text);
}

bool uw_event_copy(const struct uw_event *event, struct uw_arena *arena, struct uw_event *copy)
{
    struct uw_event made = *event;
    bool good = copy_text(arena, &made.municipality) && copy_text(arena, &made.client) &&
                copy_text(arena, &made.decision) && copy_text(arena, &made.provider);
    switch (made.topic) {
    case UW_TOPIC_DECISIONS: {
        struct uw_decision *decision = &made.of.decision;
        size_t bytes = decision->evaluation_count * sizeof *decision->evaluation_list;
        int32_t *months = uw_arena_take(arena, bytes);
        good = good && months != NULL && copy_text(arena, &decision->product_category) &&
               copy_text(arena, &decision->product) && copy_text(arena, &decision->terms.result);
        if (good && bytes > 0) {
            memcpy(months, decision->evaluation_list, bytes);
        }
        decision->evaluation_list = months;
        break;
    }
    case UW_TOPIC_DECLARATIONS:
        good = good && copy_text(arena, &made.of.declaration.line) && copy_text(arena, &made.of.declaration.corrects) &&
               copy_text(arena, &made.of.declaration.staff);
        break;
    case UW_TOPIC_NO_SHOWS:
        good = good && copy_text(arena, &made.of.no_show.no_show) && copy_text(arena, &made.of.no_show.staff);
        break;
    case UW_TOPIC_EVALUATIONS:
        break;
    }
    if (good) {
        *copy = made;
    }
    return good;
}
