/* SPEC section 3: latest version, versions in force, segments, account periods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/hostile.h"
#include "tests/support/sample.h"

#define FROM UW_DATE(2026, 1, 1)

static struct uw_event version(int32_t number, int32_t effective_from_day, int32_t volume_minutes)
{
    struct uw_event event = uw_sample_decision((uint32_t)number);
    event.of.decision.version = number;
    event.of.decision.effective_from_day = effective_from_day;
    event.of.decision.terms = uw_sample_pxq(UW_FREQUENCY_WEEK, volume_minutes);
    return event;
}

/* The segments of the only case, as (from, to, volume). */
static void check_segments(const struct uw_subject_under_test *subject, uint32_t count, const int32_t expected[][3])
{
    const struct uw_fold *fold = &subject->fold;
    assert_int_equal(fold->case_count, 1);
    assert_int_equal(fold->cases[0].segment_count, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct uw_segment *segment = &fold->segments[fold->cases[0].segment_first + i];
        assert_int_equal(segment->from_day, expected[i][0]);
        assert_int_equal(segment->to_day, expected[i][1]);
        assert_int_equal(segment->terms->first, expected[i][2]);
    }
}

static void test_one_version(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    uw_subject_open(&subject);
    struct uw_event event = version(1, FROM, 10);
    uw_subject_add(&subject, &event);
    uw_subject_fold(&subject, FROM);
    check_segments(&subject, 1, (const int32_t[][3]){{FROM, UW_DAY_NONE, 10}});
    uw_subject_close(&subject);
}

/* A gap before the first effective_from belongs to the lowest version of all. */
static void test_the_lowest_is_in_force_before_all(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    uw_subject_open(&subject);
    struct uw_event first = version(2, FROM + 30, 10), second = version(3, FROM + 10, 20);
    uw_subject_add(&subject, &first);
    uw_subject_add(&subject, &second);
    uw_subject_fold(&subject, FROM);
    /* Version 2 is the lowest, and never in force by its own date: version 3 is higher and starts before. */
    check_segments(&subject, 2, (const int32_t[][3]){{FROM, FROM + 9, 10}, {FROM + 10, UW_DAY_NONE, 20}});
    uw_subject_close(&subject);
}

static void test_a_chain_of_versions(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    uw_subject_open(&subject);
    struct uw_event events[] = {version(1, FROM, 10), version(2, FROM + 50, 20), version(3, FROM + 20, 30),
                                version(4, FROM + 80, 40), version(5, FROM + 80, 50)};
    for (uint32_t i = 0; i < 5; i++) {
        uw_subject_add(&subject, &events[i]);
    }
    uw_subject_fold(&subject, FROM);
    /* 2 is hidden by 3, which is higher and starts before; 4 by 5, which starts on the same day. */
    check_segments(&subject, 3,
                   (const int32_t[][3]){{FROM, FROM + 19, 10}, {FROM + 20, FROM + 79, 30}, {FROM + 80, UW_DAY_NONE, 50}});
    uw_subject_close(&subject);
}

/* Equal terms run on through a new provider, rate or policy, and through a version in between that is the same. */
static void test_equal_terms_are_one_segment(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    uw_subject_open(&subject);
    struct uw_event events[] = {version(1, FROM, 10), version(2, FROM + 10, 10), version(3, FROM + 20, 99),
                                version(4, FROM + 30, 10)};
    events[1].provider = UW_STR("41410002");
    events[1].of.decision.rate_cents_per_hour = 1;
    events[1].of.decision.no_show.billable_percent = 1;
    for (uint32_t i = 0; i < 4; i++) {
        uw_subject_add(&subject, &events[i]);
    }
    uw_subject_fold(&subject, FROM);
    /* Terms that come back later are another segment. */
    check_segments(&subject, 3,
                   (const int32_t[][3]){{FROM, FROM + 19, 10}, {FROM + 20, FROM + 29, 99}, {FROM + 30, UW_DAY_NONE, 10}});
    const struct uw_case *care = &subject.fold.cases[0];
    assert_int_equal(care->interval_count, 4);
    assert_int_equal(uw_case_interval(&subject.fold, care, FROM + 9)->version->version, 1);
    assert_int_equal(uw_case_interval(&subject.fold, care, FROM + 10)->version->version, 2);
    assert_int_equal(uw_case_interval(&subject.fold, care, FROM - 5)->version->version, 1);
    assert_int_equal(uw_case_interval(&subject.fold, care, FROM + 5000)->version->version, 4);
    uw_subject_close(&subject);
}

/* Validity, status and evaluations are the latest version's, also from before its effective_from. */
static void test_the_latest_gives_validity(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    uw_subject_open(&subject);
    struct uw_event first = version(1, FROM, 10), second = version(2, FROM + 40, 20);
    first.of.decision.status = UW_DECISION_WITHDRAWN;
    second.of.decision.valid_from_day = FROM + 5;
    second.of.decision.valid_to_day = FROM + 30; /* before its own effective_from */
    uw_subject_add(&subject, &second);
    uw_subject_add(&subject, &first);
    uw_subject_fold(&subject, FROM);
    check_segments(&subject, 1, (const int32_t[][3]){{FROM + 5, FROM + 30, 10}});
    const struct uw_case *care = &subject.fold.cases[0];
    assert_false(uw_case_covers(care, FROM + 4));
    assert_true(uw_case_covers(care, FROM + 5));
    assert_true(uw_case_covers(care, FROM + 30));
    assert_false(uw_case_covers(care, FROM + 31));
    uw_subject_close(&subject);
}

static void test_edges_of_validity(void **state)
{
    (void)state;
    static const int32_t starts[] = {-1, 0, 1, 9, 10, 11};
    for (uint32_t i = 0; i < 6; i++) {
        struct uw_subject_under_test subject;
        uw_subject_open(&subject);
        struct uw_event first = version(1, FROM - 50, 10), second = version(2, FROM + starts[i], 20);
        second.of.decision.valid_to_day = FROM + 10;
        uw_subject_add(&subject, &first);
        uw_subject_add(&subject, &second);
        uw_subject_fold(&subject, FROM);
        if (starts[i] <= 0) {
            check_segments(&subject, 1, (const int32_t[][3]){{FROM, FROM + 10, 20}});
        } else if (starts[i] > 10) {
            check_segments(&subject, 1, (const int32_t[][3]){{FROM, FROM + 10, 10}});
        } else {
            check_segments(&subject, 2, (const int32_t[][3]){{FROM, FROM + starts[i] - 1, 10},
                                                             {FROM + starts[i], FROM + 10, 20}});
        }
        uw_subject_close(&subject);
    }
}

static void test_withdrawn_has_nothing(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    uw_subject_open(&subject);
    struct uw_event first = version(1, FROM, 10), second = version(2, FROM, 10);
    struct uw_event line = uw_sample_line(9, "L1", FROM + 1, 1000);
    second.of.decision.status = UW_DECISION_WITHDRAWN;
    uw_subject_add(&subject, &first);
    uw_subject_add(&subject, &line);
    uw_subject_fold(&subject, FROM + 300);
    assert_int_equal(subject.fold.account_count, 1);
    assert_true(subject.fold.alert_count > 0);
    uw_subject_add(&subject, &second);
    uw_subject_fold(&subject, FROM + 300);
    assert_int_equal(subject.fold.account_count, 0);
    assert_int_equal(subject.fold.alert_count, 0);
    assert_non_null(uw_subject_anomaly(&subject, UW_ANOMALY_OUTSIDE_DECISION));
    uw_subject_close(&subject);
}

/* For random versions, each day's version by the words of SPEC. */
static void test_in_force_on_every_day(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= uw_test_rounds(500); seed++) {
        struct uw_random random = uw_random_from(seed);
        struct uw_subject_under_test subject;
        int32_t starts[8], count = uw_random_between(&random, 1, 7);
        uw_subject_open(&subject);
        for (int32_t i = 0; i < count; i++) {
            starts[i] = FROM + uw_random_between(&random, -10, 40);
            struct uw_event event = version(i + 1, starts[i], uw_random_between(&random, 1, 3));
            event.of.decision.valid_to_day = uw_random_chance(&random, 50) ? UW_DAY_NONE : FROM + 25;
            uw_subject_add(&subject, &event);
        }
        uw_subject_fold(&subject, FROM);
        const struct uw_fold *fold = &subject.fold;
        const struct uw_case *care = &fold->cases[0];
        const struct uw_segment *before = NULL;
        for (int32_t day = FROM; day < FROM + 60 && uw_case_covers(care, day); day++) {
            int32_t expected = 1;
            for (int32_t i = count; i > 0 && expected == 1; i--) {
                expected = starts[i - 1] <= day ? i : 1;
            }
            const struct uw_interval *interval = uw_case_interval(fold, care, day);
            assert_int_equal(interval->version->version, expected);
            const struct uw_segment *segment = &fold->segments[interval->segment];
            assert_true(segment->from_day <= day && (segment->to_day == UW_DAY_NONE || day <= segment->to_day));
            assert_int_equal(segment->terms->first, interval->version->terms.first);
            assert_true(before == NULL || before == segment || before->terms->first != segment->terms->first);
            before = segment;
        }
        uw_subject_close(&subject);
    }
}

/* ---- account periods ---- */

static void check_period(const struct uw_terms *terms, int32_t from, int32_t to, int32_t day, int32_t period_from,
                         int32_t period_to, int32_t full_days)
{
    struct uw_version_terms packed = {.model = terms->model, .frequency = terms->frequency};
    const struct uw_segment segment = {from, to, &packed};
    struct uw_period period = uw_segment_period(&segment, day);
    assert_int_equal(period.from_day, period_from);
    assert_int_equal(period.to_day, period_to);
    assert_int_equal(period.full_days, full_days);
}

static void test_periods(void **state)
{
    (void)state;
    int32_t from = UW_DATE(2026, 1, 15), to = UW_DATE(2027, 3, 10); /* a Thursday; a Wednesday */
    struct uw_terms day = uw_sample_pxq(UW_FREQUENCY_DAY, 1), week = uw_sample_pxq(UW_FREQUENCY_WEEK, 1);
    struct uw_terms four = uw_sample_bandwidth(UW_FREQUENCY_FOUR_WEEKS, 1, 2), month = uw_sample_task();
    struct uw_terms year = uw_sample_year(1), total = uw_sample_pxq(UW_FREQUENCY_TOTAL, 1);
    check_period(&day, from, to, from + 3, from + 3, from + 3, 1);
    check_period(&week, from, to, from, from, UW_DATE(2026, 1, 18), 7);
    check_period(&week, from, to, UW_DATE(2026, 1, 19), UW_DATE(2026, 1, 19), UW_DATE(2026, 1, 25), 7);
    check_period(&week, from, to, to, UW_DATE(2027, 3, 8), to, 7);
    check_period(&week, from, to, UW_DATE(2027, 1, 3), UW_DATE(2026, 12, 28), UW_DATE(2027, 1, 3), 7);
    check_period(&four, from, to, from + 27, from, from + 27, 28);
    check_period(&four, from, to, from + 28, from + 28, from + 55, 28);
    check_period(&four, from, to, to, from + 14 * 28, to, 28);
    check_period(&month, from, to, UW_DATE(2026, 1, 31), from, UW_DATE(2026, 1, 31), 31);
    check_period(&month, from, to, UW_DATE(2026, 2, 1), UW_DATE(2026, 2, 1), UW_DATE(2026, 2, 28), 28);
    check_period(&month, from, to, to, UW_DATE(2027, 3, 1), to, 31);
    check_period(&year, from, to, UW_DATE(2027, 1, 14), from, UW_DATE(2027, 1, 14), 365);
    check_period(&year, from, to, UW_DATE(2027, 1, 15), UW_DATE(2027, 1, 15), to, 365);
    check_period(&total, from, to, to, from, to, to - from + 1);
    check_period(&total, from, UW_DAY_NONE, to, from, UW_DAY_NONE, 0);
    check_period(&week, from, UW_DAY_NONE, UW_DAY_MAX, uw_week_start(UW_DAY_MAX), uw_week_start(UW_DAY_MAX) + 6, 7);
}

/* From 29 February: 28 February in common years, 29 February again in leap years (SPEC section 3). */
static void test_years_from_a_leap_day(void **state)
{
    (void)state;
    int32_t from = UW_DATE(2024, 2, 29);
    struct uw_terms year = uw_sample_year(1);
    check_period(&year, from, UW_DAY_NONE, UW_DATE(2025, 2, 27), from, UW_DATE(2025, 2, 27), 365);
    check_period(&year, from, UW_DAY_NONE, UW_DATE(2025, 2, 28), UW_DATE(2025, 2, 28), UW_DATE(2026, 2, 27), 365);
    check_period(&year, from, UW_DAY_NONE, UW_DATE(2028, 2, 28), UW_DATE(2027, 2, 28), UW_DATE(2028, 2, 28), 366);
    check_period(&year, from, UW_DAY_NONE, UW_DATE(2028, 2, 29), UW_DATE(2028, 2, 29), UW_DATE(2029, 2, 27), 365);
}

/* Every period holds its day, touches the next one, and the segment's ends cut it. */
static void test_periods_follow_on_each_other(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 300; seed++) {
        struct uw_random random = uw_random_from(seed);
        struct uw_version_terms terms = {.model = UW_MODEL_PXQ,
                                         .frequency = (enum uw_frequency)uw_random_below(&random, 5)};
        int32_t from = UW_DATE(2023, 1, 1) + uw_random_between(&random, 0, 900);
        const struct uw_segment segment = {from, from + uw_random_between(&random, 0, 900), &terms};
        int32_t day = from;
        while (day <= segment.to_day) {
            struct uw_period period = uw_segment_period(&segment, day);
            assert_int_equal(period.from_day, day);
            assert_true(period.to_day >= day && period.to_day <= segment.to_day);
            assert_true(period.full_days >= period.to_day - period.from_day + 1);
            for (int32_t each = day; each <= period.to_day; each += 3) {
                struct uw_period same = uw_segment_period(&segment, each);
                assert_true(same.from_day == period.from_day && same.to_day == period.to_day);
            }
            day = period.to_day + 1;
        }
        assert_int_equal(day, segment.to_day + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_version),
        cmocka_unit_test(test_the_lowest_is_in_force_before_all),
        cmocka_unit_test(test_a_chain_of_versions),
        cmocka_unit_test(test_equal_terms_are_one_segment),
        cmocka_unit_test(test_the_latest_gives_validity),
        cmocka_unit_test(test_edges_of_validity),
        cmocka_unit_test(test_withdrawn_has_nothing),
        cmocka_unit_test(test_in_force_on_every_day),
        cmocka_unit_test(test_periods),
        cmocka_unit_test(test_years_from_a_leap_day),
        cmocka_unit_test(test_periods_follow_on_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
