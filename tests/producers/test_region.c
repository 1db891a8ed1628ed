/* The region: the same events for the same options, all of them valid, shares within their bounds, every funding
 * form and every planted kind, and memory that does not grow with the length of the run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producers/region.h"
#include "producers/region_parts.h"

/* What one run of a region shows. */
struct tally {
    uint64_t hash, events, topics[UW_TOPIC_COUNT], models[UW_MODEL_COUNT], cares[2], laws[3], frequencies[6];
    uint64_t debits, credits, periods, period_credits, new_periods, absences, withdrawn_no_shows, withdrawn_decisions;
    uint64_t later_versions, unknown_staff;
    uint64_t planted, kinds[UW_ANOMALY_KIND_COUNT];
    int64_t first_recorded_ms, last_recorded_ms;
    size_t peak_bytes;
};

static void add_bytes(uint64_t *hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        *hash = (*hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(1099511628211);
    }
}

static void add_string(uint64_t *hash, struct uw_str string)
{
    add_bytes(hash, string.data != NULL ? string.data : "", string.length);
}

static void count_decision(struct tally *tally, const struct uw_decision *decision)
{
    tally->models[decision->terms.model]++;
    tally->cares[decision->care]++;
    tally->laws[decision->law]++;
    if (decision->terms.model == UW_MODEL_PXQ) {
        tally->frequencies[decision->terms.frequency]++;
    }
    tally->later_versions += decision->version > 1;
    tally->withdrawn_decisions += decision->status == UW_DECISION_WITHDRAWN;
}

static void count_event(struct tally *tally, const struct uw_event *event)
{
    struct uw_refusal refusal;
    if (uw_event_validate(event, &refusal) != UW_OK) {
        fail_msg("event %llu: %s", (unsigned long long)tally->events, refusal.text);
    }
    assert_true(event->recorded_at_ms >= tally->last_recorded_ms);
    tally->first_recorded_ms = tally->events == 0 ? event->recorded_at_ms : tally->first_recorded_ms;
    tally->last_recorded_ms = event->recorded_at_ms;
    tally->events++;
    tally->topics[event->topic]++;
    add_bytes(&tally->hash, &event->event_id.bytes, 16);
    add_bytes(&tally->hash, &event->recorded_at_ms, sizeof(event->recorded_at_ms));
    add_string(&tally->hash, event->client);
    add_string(&tally->hash, event->decision);
    switch (event->topic) {
    case UW_TOPIC_DECISIONS:
        count_decision(tally, &event->of.decision);
        break;
    case UW_TOPIC_DECLARATIONS: {
        tally->debits += event->of.declaration.kind == UW_LINE_DEBIT;
        tally->credits += event->of.declaration.kind == UW_LINE_CREDIT;
        bool period = event->of.declaration.performed_until_day != UW_DAY_NONE;
        tally->periods += period && event->of.declaration.kind == UW_LINE_DEBIT;
        tally->period_credits += period && event->of.declaration.kind == UW_LINE_CREDIT;
        tally->new_periods += period && event->of.declaration.line.data[0] == 'R';
        tally->unknown_staff += uw_str_is_null(event->of.declaration.staff);
        add_string(&tally->hash, event->of.declaration.line);
        add_bytes(&tally->hash, &event->of.declaration.minutes, sizeof(event->of.declaration.minutes));
        break;
    }
    case UW_TOPIC_NO_SHOWS:
        tally->withdrawn_no_shows += event->of.no_show.status == UW_NO_SHOW_WITHDRAWN;
        tally->absences += event->of.no_show.reason != UW_REASON_PROVIDER_CANCELLED &&
                           event->of.no_show.status == UW_NO_SHOW_REPORTED;
        break;
    case UW_TOPIC_EVALUATIONS:
        assert_true(uw_str_is_null(event->provider));
        break;
    }
}

static void run_region(const struct uw_region_options *options, struct tally *tally)
{
    struct uw_region *region = NULL;
    struct uw_region_statistics statistics;
    struct uw_error error = {0};
    *tally = (struct tally){.hash = UINT64_C(14695981039346656037), .last_recorded_ms = INT64_MIN};
    assert_int_equal(uw_region_open(options, &region, &error), UW_OK);
    for (;;) {
        struct uw_event event;
        bool end;
        assert_int_equal(uw_region_next(region, &event, &end, &error), UW_OK);
        if (end) {
            break;
        }
        count_event(tally, &event);
        const struct uw_irregularity *irregularity = uw_region_irregularity(region);
        if (irregularity != NULL) {
            tally->planted++;
            tally->kinds[irregularity->kind]++;
        }
        uw_region_statistics(region, &statistics);
        tally->peak_bytes = statistics.memory_bytes > tally->peak_bytes ? statistics.memory_bytes : tally->peak_bytes;
    }
    uw_region_statistics(region, &statistics);
    assert_int_equal(statistics.irregularities, tally->planted);
    assert_int_equal(statistics.events[UW_TOPIC_DECLARATIONS], tally->topics[UW_TOPIC_DECLARATIONS]);
    uw_region_close(&region);
    assert_null(region);
}

static void test_the_same_seed_gives_the_same_events(void **state)
{
    (void)state;
    struct uw_region_options options;
    struct tally first, second, other;
    uw_region_options_default(&options);
    options.clients = 200;
    run_region(&options, &first);
    run_region(&options, &second);
    assert_int_equal(first.hash, second.hash);
    assert_int_equal(first.events, second.events);
    options.seed = 2;
    run_region(&options, &other);
    assert_true(first.hash != other.hash);
}

static void assert_share(uint64_t part, uint64_t whole, uint64_t min_permille, uint64_t max_permille)
{
    assert_in_range(part * 1000 / whole, min_permille, max_permille);
}

static void test_a_believable_year(void **state)
{
    (void)state;
    struct uw_region_options options;
    struct tally tally;
    uw_region_options_default(&options);
    options.clients = 2000;
    options.switch_day = uw_day_from_civil(2026, 7, 1);
    run_region(&options, &tally);
    for (size_t i = 0; i < UW_MODEL_COUNT; i++) {
        assert_share(tally.models[i], tally.topics[UW_TOPIC_DECISIONS], 50, 450);
    }
    for (size_t i = 0; i < 6; i++) {
        assert_true(tally.frequencies[i] > 0);
    }
    assert_true(tally.laws[0] > 0 && tally.laws[1] > 0 && tally.laws[2] > 0);
    assert_share(tally.cares[UW_CARE_INTENSIVE], tally.topics[UW_TOPIC_DECISIONS], 50, 250);
    assert_share(tally.periods, tally.debits, 10, 200);
    /* What one month's line sums up is missing among the visits, so the bounds are wider than 3 and 6 percent. */
    assert_share(tally.absences, tally.absences + tally.debits, 25, 80);
    assert_share(tally.credits, tally.debits, 20, 40);
    assert_share(tally.period_credits, tally.periods, 15, 45);
    assert_share(tally.new_periods, tally.period_credits, 650, 950);
    assert_share(tally.planted, tally.events, 1, 5);
    assert_true(tally.withdrawn_no_shows > 0);
    assert_true(tally.withdrawn_decisions > 0);
    assert_true(tally.later_versions > 0);
    assert_true(tally.unknown_staff > tally.periods);
    assert_true(uw_utc_day(tally.first_recorded_ms) >= options.from_day - UW_REGION_LEAD_DAYS);
    assert_true(uw_utc_day(tally.last_recorded_ms) <= options.until_day);
}

static void test_every_kind_is_planted(void **state)
{
    (void)state;
    struct uw_region_options options;
    struct tally tally;
    uw_region_options_default(&options);
    options.clients = 500;
    options.irregular_per_10000 = 500;
    run_region(&options, &tally);
    for (size_t i = 0; i < UW_ANOMALY_KIND_COUNT; i++) {
        assert_true(tally.kinds[i] > 0);
    }
    options.irregular_per_10000 = 0;
    run_region(&options, &tally);
    assert_int_equal(tally.planted, 0);
}

static void test_shares_follow_the_options(void **state)
{
    (void)state;
    struct uw_region_options options;
    struct tally tally;
    uw_region_options_default(&options);
    options.clients = 500;
    options.no_show_percent = 20;
    options.credit_percent = 20;
    run_region(&options, &tally);
    assert_share(tally.absences, tally.absences + tally.debits, 150, 250);
    assert_share(tally.credits, tally.debits, 120, 200);
    options.no_show_percent = 0;
    options.credit_percent = 0;
    options.irregular_per_10000 = 0;
    run_region(&options, &tally);
    assert_int_equal(tally.credits, 0);
    assert_share(tally.absences, tally.absences + tally.debits, 0, 10); /* sickness remains */
}

static void test_as_many_declarations_as_asked(void **state)
{
    (void)state;
    static const int64_t asked[] = {8000, 40000, 120000};
    struct uw_region *region = NULL;
    struct uw_error error = {0};
    struct uw_region_options options;
    struct tally tally;
    uw_region_options_default(&options);
    options.clients = 1000;
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        options.declarations = asked[i];
        run_region(&options, &tally);
        assert_in_range(tally.topics[UW_TOPIC_DECLARATIONS], asked[i] * 85 / 100, asked[i] * 115 / 100);
    }
    options.declarations = 10000000;
    assert_int_equal(uw_region_open(&options, &region, &error), UW_ECONFIG);
    assert_null(region);
    assert_non_null(strstr(error.text, "declarations: so many clients"));
}

/* Without a last day, visits as agreed decide how long it takes; only what is outside of that is scaled. */
static void test_as_many_days_as_the_declarations_need(void **state)
{
    (void)state;
    static const struct {
        int64_t declarations;
        int32_t days_min, days_max;
    } cases[] = {{0, 365, 365}, {1000, 28, 28}, {10000, 40, 80}, {90000, 500, 800}, {260000, 1830, 1830}};
    struct uw_error error = {0};
    struct uw_region_statistics statistics;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct uw_region *region = NULL;
        struct uw_region_options options;
        struct tally tally;
        uw_region_options_default(&options);
        options.clients = 1000;
        options.declarations = cases[i].declarations;
        options.until_day = UW_DAY_NONE;
        assert_int_equal(uw_region_open(&options, &region, &error), UW_OK);
        uw_region_statistics(region, &statistics);
        uw_region_close(&region);
        assert_in_range(statistics.last_day - options.from_day + 1, cases[i].days_min, cases[i].days_max);
        if (cases[i].declarations > 0) {
            run_region(&options, &tally);
            assert_in_range(tally.topics[UW_TOPIC_DECLARATIONS], cases[i].declarations * 90 / 100,
                            cases[i].declarations * 110 / 100);
        }
    }
}

/* Four years hold no more than one: what was recorded is forgotten. */
static void test_memory_does_not_grow_with_the_run(void **state)
{
    (void)state;
    struct uw_region_options options;
    struct tally one, four;
    uw_region_options_default(&options);
    options.clients = 500;
    run_region(&options, &one);
    options.until_day = uw_add_months(options.from_day, 48) - 1;
    run_region(&options, &four);
    assert_true(four.events > one.events * 2);
    assert_true(four.peak_bytes < one.peak_bytes + one.peak_bytes / 4);
    assert_true(one.peak_bytes / 500 < 2048); /* of a client, everything included */
}

static void test_edges_of_the_options(void **state)
{
    (void)state;
    struct uw_region *region = NULL;
    struct uw_error error = {0};
    struct uw_region_options standard, options;
    struct tally tally;
    uw_region_options_default(&standard);
    /* The smallest region, over a leap day. */
    options = standard;
    options.clients = options.municipalities = options.providers = 1;
    options.from_day = options.until_day = uw_day_from_civil(2028, 2, 29);
    run_region(&options, &tally);
    options.until_day = options.from_day + 400;
    run_region(&options, &tally);
    options = standard;
    options.clients = 0;
    assert_int_equal(uw_region_open(&options, &region, &error), UW_ECONFIG);
    assert_string_equal(error.text, "clients must be 1 to 1000000");
    options = standard;
    options.until_day = options.from_day - 1;
    assert_int_equal(uw_region_open(&options, &region, &error), UW_ECONFIG);
    assert_string_equal(error.text, "until must lie 0 to 7319 days after from");
    options = standard;
    options.from_day = UW_DAY_MIN;
    assert_int_equal(uw_region_open(&options, &region, &error), UW_ECONFIG);
    options = standard;
    options.municipalities = UW_REGION_MUNICIPALITIES_MAX + 1;
    assert_int_equal(uw_region_open(&options, &region, &error), UW_ECONFIG);
    options = standard;
    options.clients = UW_REGION_CLIENTS_MAX + 1;
    assert_int_equal(uw_region_open(&options, &region, &error), UW_ECONFIG);
    options = standard;
    options.providers = UW_REGION_PROVIDERS_MAX + 1;
    assert_int_equal(uw_region_open(&options, &region, &error), UW_ECONFIG);
    assert_string_equal(error.text, "providers must be 0 to 5000");
    options = standard;
    options.until_day = options.from_day + UW_REGION_DAYS_MAX;
    assert_int_equal(uw_region_open(&options, &region, &error), UW_ECONFIG);
    /* The largest in everything but the clients, which would take long to make. */
    options.until_day--;
    options.clients = 10;
    options.municipalities = UW_REGION_MUNICIPALITIES_MAX;
    options.providers = UW_REGION_PROVIDERS_MAX;
    assert_int_equal(uw_region_open(&options, &region, &error), UW_OK);
    uw_region_close(&region);
    options = standard;
    options.irregular_per_10000 = 1001;
    assert_int_equal(uw_region_open(&options, &region, &error), UW_ECONFIG);
    assert_null(region);
}

static void test_calendar(void **state)
{
    (void)state;
    static const int32_t easters[][3] = {{1900, 4, 15}, {2000, 4, 23}, {2008, 3, 23}, {2024, 3, 31},
                                         {2025, 4, 20}, {2026, 4, 5},  {2038, 4, 25}, {2100, 3, 28}};
    uint8_t days[366];
    int32_t start = uw_day_from_civil(2026, 1, 1);
    for (size_t i = 0; i < sizeof(easters) / sizeof(easters[0]); i++) {
        assert_int_equal(uw_region_easter(easters[i][0]),
                         uw_day_from_civil(easters[i][0], easters[i][1], easters[i][2]));
    }
    uw_region_fill_days(start, start + 364, days);
    int holidays = 0;
    for (int i = 0; i < 365; i++) {
        holidays += (days[i] & DAY_HOLIDAY) != 0;
    }
    assert_int_equal(holidays, 7); /* New Year, Easter Monday, King's Day, Ascension, Whit Monday, Christmas twice */
    assert_true((days[uw_day_from_civil(2026, 4, 6) - start] & DAY_HOLIDAY) != 0);
    assert_true((days[uw_day_from_civil(2026, 5, 14) - start] & DAY_HOLIDAY) != 0);
    assert_true((days[uw_day_from_civil(2026, 5, 25) - start] & DAY_HOLIDAY) != 0);
    assert_true((days[uw_day_from_civil(2026, 3, 28) - start] & DAY_SUMMER_TIME) == 0);
    assert_true((days[uw_day_from_civil(2026, 3, 29) - start] & DAY_SUMMER_TIME) != 0);
    assert_true((days[uw_day_from_civil(2026, 10, 24) - start] & DAY_SUMMER_TIME) != 0);
    assert_true((days[uw_day_from_civil(2026, 10, 25) - start] & DAY_SUMMER_TIME) == 0);
    /* King's Day moves to Saturday when the 27th of April is a Sunday. */
    start = uw_day_from_civil(2025, 4, 26);
    uw_region_fill_days(start, start + 1, days);
    assert_int_equal(days[0] & DAY_HOLIDAY, DAY_HOLIDAY);
    assert_int_equal(days[1] & DAY_HOLIDAY, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_seed_gives_the_same_events),
        cmocka_unit_test(test_a_believable_year),
        cmocka_unit_test(test_every_kind_is_planted),
        cmocka_unit_test(test_shares_follow_the_options),
        cmocka_unit_test(test_as_many_declarations_as_asked),
        cmocka_unit_test(test_as_many_days_as_the_declarations_need),
        cmocka_unit_test(test_memory_does_not_grow_with_the_run),
        cmocka_unit_test(test_edges_of_the_options),
        cmocka_unit_test(test_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
