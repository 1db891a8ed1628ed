/* SPEC sections 3 and 4: what each funding form allots and uses, and the alerts of its pools at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "tests/support/sample.h"

#define FROM UW_DATE(2026, 1, 1) /* a Thursday */
#define MONDAY UW_DATE(2026, 1, 5)

static void start(struct uw_subject_under_test *subject, struct uw_terms terms, int32_t valid_to_day)
{
    uw_subject_open(subject);
    struct uw_event decision = uw_sample_decision(1);
    decision.of.decision.terms = terms;
    decision.of.decision.valid_to_day = valid_to_day;
    uw_subject_add(subject, &decision);
}

/* A line of so many days; a number names it. */
static void deliver_days(struct uw_subject_under_test *subject, uint32_t number, int32_t day, int32_t days,
                         int32_t minutes)
{
    char name[16];
    snprintf(name, sizeof name, "L%u", (unsigned)number);
    struct uw_event line = uw_sample_line(100 + number, name, day, minutes);
    line.of.declaration.performed_until_day = days > 1 ? day + days - 1 : UW_DAY_NONE;
    uw_subject_add(subject, &line);
}

static void deliver(struct uw_subject_under_test *subject, uint32_t number, int32_t day, int32_t minutes)
{
    deliver_days(subject, number, day, 1, minutes);
}

static void check_account(const struct uw_subject_under_test *subject, int32_t period_from_day, int32_t period_to_day,
                          int64_t allotted_minutes, int64_t used_minutes)
{
    const struct uw_account *account = uw_subject_account(subject, period_from_day);
    assert_non_null(account);
    assert_int_equal(account->period_to_day, period_to_day);
    assert_int_equal(account->allotted_minutes, allotted_minutes);
    assert_int_equal(account->used_minutes, used_minutes);
}

/* The alert of a kind is there from `minutes` on, and not at one less; returns nothing else. */
static void check_alert_from(struct uw_terms terms, int32_t valid_to_day, enum uw_alert_kind kind, int32_t minutes)
{
    for (int32_t less = 0; less <= 1; less++) {
        struct uw_subject_under_test subject;
        start(&subject, terms, valid_to_day);
        if (minutes - less > 0) {
            deliver_days(&subject, 1, MONDAY, 2, minutes - less);
        }
        uw_subject_fold(&subject, MONDAY + 1);
        assert_int_equal(uw_subject_count(&subject, kind), 1 - less);
        uw_subject_close(&subject);
    }
}

/* ---- Pxq ---- */

static void test_pxq_of_a_week(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, uw_sample_pxq(UW_FREQUENCY_WEEK, 100), UW_DAY_NONE);
    deliver(&subject, 1, FROM, 60);       /* a broken week counts whole */
    deliver(&subject, 2, MONDAY - 1, 40); /* its Sunday */
    deliver(&subject, 3, MONDAY, 101);
    uw_subject_fold(&subject, FROM);
    assert_int_equal(subject.fold.account_count, 2);
    check_account(&subject, FROM, MONDAY - 1, 100, 100);
    check_account(&subject, MONDAY, MONDAY + 6, 100, 101);
    const struct uw_alert *alert = uw_subject_alert(&subject, UW_ALERT_PERIOD_EXCEEDED);
    assert_non_null(alert);
    assert_int_equal(alert->state.period_from_day, MONDAY);
    assert_int_equal(alert->state.segment_from_day, FROM);
    assert_int_equal(alert->state.effective_on_day, MONDAY);
    assert_int_equal(alert->state.severity, UW_SEVERITY_WARNING);
    assert_int_equal(alert->state.threshold, -1);
    assert_int_equal(alert->figures.remaining_minutes, -1);
    uw_subject_close(&subject);
}

static void test_pxq_exceeded_at_its_edge(void **state)
{
    (void)state;
    for (enum uw_frequency frequency = UW_FREQUENCY_WEEK; frequency <= UW_FREQUENCY_MONTH; frequency++) {
        check_alert_from(uw_sample_pxq(frequency, 120), UW_DAY_NONE, UW_ALERT_PERIOD_EXCEEDED, 121);
        check_alert_from(uw_sample_pxq(frequency, 0), UW_DAY_NONE, UW_ALERT_PERIOD_EXCEEDED, 1);
    }
}

static void test_pxq_of_a_day(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, uw_sample_pxq(UW_FREQUENCY_DAY, 60), UW_DAY_NONE);
    deliver(&subject, 1, MONDAY, 60);
    deliver(&subject, 2, MONDAY + 1, 61);
    uw_subject_fold(&subject, FROM);
    assert_int_equal(subject.fold.account_count, 2);
    const struct uw_alert *alert = uw_subject_alert(&subject, UW_ALERT_PERIOD_EXCEEDED);
    assert_non_null(alert);
    assert_int_equal(alert->state.effective_on_day, MONDAY + 1);
    uw_subject_close(&subject);
}

static void test_pxq_of_a_year_and_total_are_budgets(void **state)
{
    (void)state;
    check_alert_from(uw_sample_pxq(UW_FREQUENCY_YEAR, 1000), UW_DAY_NONE, UW_ALERT_BUDGET_LOW, 800);
    check_alert_from(uw_sample_pxq(UW_FREQUENCY_YEAR, 1000), UW_DAY_NONE, UW_ALERT_BUDGET_EXHAUSTED, 1000);
    check_alert_from(uw_sample_pxq(UW_FREQUENCY_TOTAL, 1000), UW_DAY_NONE, UW_ALERT_BUDGET_LOW, 800);
    check_alert_from(uw_sample_pxq(UW_FREQUENCY_TOTAL, 1000), MONDAY + 90, UW_ALERT_BUDGET_EXHAUSTED, 1000);
    check_alert_from(uw_sample_pxq(UW_FREQUENCY_TOTAL, 999), MONDAY + 90, UW_ALERT_BUDGET_LOW, 800); /* 799.2 */
    check_alert_from(uw_sample_pxq(UW_FREQUENCY_TOTAL, 0), MONDAY + 90, UW_ALERT_BUDGET_LOW, 1);
    check_alert_from(uw_sample_pxq(UW_FREQUENCY_TOTAL, 0), MONDAY + 90, UW_ALERT_BUDGET_EXHAUSTED, 1);
}

static void test_total_always_exists(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, uw_sample_pxq(UW_FREQUENCY_TOTAL, 500), UW_DAY_NONE);
    uw_subject_fold(&subject, FROM);
    assert_int_equal(subject.fold.account_count, 1);
    check_account(&subject, FROM, UW_DAY_NONE, 500, 0);
    assert_int_equal(subject.fold.alert_count, 0);
    uw_subject_close(&subject);
    start(&subject, uw_sample_year(500), UW_DAY_NONE);
    uw_subject_fold(&subject, FROM);
    assert_int_equal(subject.fold.account_count, 0);
    uw_subject_close(&subject);
}

/* LOW stays open beside EXHAUSTED; each has the first day on which it held. */
static void test_thresholds_cross_on_their_days(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, uw_sample_pxq(UW_FREQUENCY_YEAR, 100), UW_DAY_NONE);
    deliver(&subject, 1, MONDAY, 79);
    deliver(&subject, 2, MONDAY + 1, 1);
    deliver(&subject, 3, MONDAY + 2, 19);
    deliver(&subject, 4, MONDAY + 3, 5);
    uw_subject_fold(&subject, FROM);
    const struct uw_alert *low = uw_subject_alert(&subject, UW_ALERT_BUDGET_LOW);
    const struct uw_alert *exhausted = uw_subject_alert(&subject, UW_ALERT_BUDGET_EXHAUSTED);
    assert_true(low != NULL && exhausted != NULL);
    assert_int_equal(low->state.effective_on_day, MONDAY + 1);
    assert_int_equal(low->state.threshold, 80);
    assert_int_equal(low->state.severity, UW_SEVERITY_WARNING);
    assert_int_equal(exhausted->state.effective_on_day, MONDAY + 3);
    assert_int_equal(exhausted->state.threshold, 100);
    assert_int_equal(exhausted->state.severity, UW_SEVERITY_CRITICAL);
    assert_int_equal(exhausted->figures.used_minutes, 104);
    uw_subject_close(&subject);
}

static void test_settable_thresholds(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, uw_sample_year(365), UW_DAY_NONE);
    subject.settings.defaults.budget_thresholds_percent = (struct uw_percents){3, {50, 99, 150}};
    subject.settings.defaults.surplus_thresholds_percent = (struct uw_percents){1, {1}};
    deliver(&subject, 1, MONDAY, 548); /* 150 percent are 547.5 */
    uw_subject_fold(&subject, FROM);
    assert_int_equal(uw_subject_count(&subject, UW_ALERT_BUDGET_LOW), 2);
    assert_non_null(uw_subject_alert(&subject, UW_ALERT_BUDGET_EXHAUSTED));
    uw_subject_close(&subject);
}

/* ---- Bandwidth ---- */

static void test_bandwidth_above(void **state)
{
    (void)state;
    check_alert_from(uw_sample_bandwidth(UW_FREQUENCY_WEEK, 0, 120), UW_DAY_NONE, UW_ALERT_BANDWIDTH_ABOVE, 121);
    check_alert_from(uw_sample_bandwidth(UW_FREQUENCY_MONTH, 0, 0), UW_DAY_NONE, UW_ALERT_BANDWIDTH_ABOVE, 1);
}

/* The minimum of a cut period is in proportion, rounded down; the maximum counts whole. */
static void test_bandwidth_of_a_cut_week(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, uw_sample_bandwidth(UW_FREQUENCY_WEEK, 100, 200), UW_DAY_NONE);
    deliver(&subject, 1, FROM, 57);
    uw_subject_fold(&subject, FROM);
    const struct uw_account *account = uw_subject_account(&subject, FROM);
    assert_non_null(account);
    assert_int_equal(account->minimum_minutes, 57); /* 100 · 4 / 7 = 57.1 */
    assert_int_equal(account->allotted_minutes, 200);
    uw_subject_close(&subject);
    for (int32_t less = 0; less <= 1; less++) {
        start(&subject, uw_sample_bandwidth(UW_FREQUENCY_WEEK, 100, 200), MONDAY - 1);
        deliver(&subject, 1, FROM, 57 - less);
        uw_subject_fold(&subject, MONDAY + 100);
        assert_int_equal(uw_subject_count(&subject, UW_ALERT_BANDWIDTH_BELOW), less);
        uw_subject_close(&subject);
    }
}

/* period end + 14 < as_of; periods without any delivery too, from the segment's start on. */
static void test_bandwidth_below_waits(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, uw_sample_bandwidth(UW_FREQUENCY_WEEK, 100, 200), UW_DAY_NONE);
    int32_t sunday = MONDAY - 1;
    uw_subject_fold(&subject, sunday + 14);
    assert_int_equal(uw_subject_count(&subject, UW_ALERT_BANDWIDTH_BELOW), 0);
    assert_int_equal(subject.fold.next_change_day, sunday + 15);
    uw_subject_fold(&subject, sunday + 15);
    const struct uw_alert *alert = uw_subject_alert(&subject, UW_ALERT_BANDWIDTH_BELOW);
    assert_non_null(alert);
    assert_int_equal(alert->state.effective_on_day, sunday);
    assert_int_equal(alert->state.period_from_day, FROM);
    assert_int_equal(alert->figures.minimum_minutes, 57);
    assert_int_equal(alert->figures.used_minutes, 0);
    uw_subject_fold(&subject, sunday + 7 + 15);
    assert_int_equal(uw_subject_count(&subject, UW_ALERT_BANDWIDTH_BELOW), 2);
    uw_subject_fold(&subject, sunday + 7 * 10 + 14);
    assert_int_equal(uw_subject_count(&subject, UW_ALERT_BANDWIDTH_BELOW), 10);
    subject.settings.defaults.bandwidth_grace_days = 0;
    uw_subject_fold(&subject, sunday + 1);
    assert_int_equal(uw_subject_count(&subject, UW_ALERT_BANDWIDTH_BELOW), 1);
    uw_subject_close(&subject);
}

/* ---- YearBudget ---- */

/* minutes × days / days of the full year, rounded up. */
static void test_year_budget_of_a_cut_year(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, uw_sample_year(1000), FROM + 99); /* 100 days: 273.97 */
    deliver(&subject, 1, MONDAY, 10);
    uw_subject_fold(&subject, FROM);
    check_account(&subject, FROM, FROM + 99, 274, 10);
    uw_subject_close(&subject);
    start(&subject, uw_sample_year(1000), UW_DAY_NONE);
    deliver(&subject, 1, UW_DATE(2026, 12, 31), 10);
    deliver(&subject, 2, UW_DATE(2027, 1, 1), 20);
    uw_subject_fold(&subject, FROM);
    check_account(&subject, FROM, UW_DATE(2026, 12, 31), 1000, 10);
    check_account(&subject, UW_DATE(2027, 1, 1), UW_DATE(2027, 12, 31), 1000, 20);
    uw_subject_close(&subject);
}

static void test_large_numbers(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, uw_sample_year(INT32_MAX), UW_DATE(2026, 12, 30)); /* 364 of 365 days */
    deliver_days(&subject, 1, FROM, 100, 144000);
    uw_subject_fold(&subject, FROM + 200);
    check_account(&subject, FROM, UW_DATE(2026, 12, 30), 2141600131, 144000); /* 2141600130.2 */
    uw_subject_close(&subject);
}

/* ---- FixedPlusSurplus ---- */

static void test_surplus_by_iso_week(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, uw_sample_surplus(100, 50), UW_DAY_NONE);
    deliver(&subject, 1, MONDAY, 100);         /* exactly the fixed hours */
    deliver(&subject, 2, MONDAY + 7, 60);      /* 130 in the week: 30 */
    deliver(&subject, 3, MONDAY + 13, 70);     /* its Sunday */
    deliver(&subject, 4, MONDAY + 14, 109);    /* 9 */
    uw_subject_fold(&subject, FROM);
    check_account(&subject, FROM, UW_DAY_NONE, 50, 39);
    assert_int_equal(uw_subject_count(&subject, UW_ALERT_SURPLUS_LOW), 0);
    deliver(&subject, 5, MONDAY + 20, 1); /* 40 of 50 are 80 percent */
    uw_subject_fold(&subject, FROM);
    const struct uw_alert *low = uw_subject_alert(&subject, UW_ALERT_SURPLUS_LOW);
    assert_non_null(low);
    assert_int_equal(low->state.effective_on_day, MONDAY + 20);
    assert_int_equal(low->figures.used_minutes, 40);
    assert_int_equal(uw_subject_count(&subject, UW_ALERT_SURPLUS_EXHAUSTED), 0);
    deliver(&subject, 6, MONDAY + 13, 10);
    uw_subject_fold(&subject, FROM);
    assert_non_null(uw_subject_alert(&subject, UW_ALERT_SURPLUS_EXHAUSTED));
    /* What came late on an earlier day brings LOW forward. */
    low = uw_subject_alert(&subject, UW_ALERT_SURPLUS_LOW);
    assert_non_null(low);
    assert_int_equal(low->state.effective_on_day, MONDAY + 13);
    uw_subject_close(&subject);
}

/* minutes_per_week is not prorated in a cut week. */
static void test_surplus_of_cut_weeks(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, uw_sample_surplus(100, 50), MONDAY + 1);
    deliver(&subject, 1, MONDAY - 1, 101);
    deliver(&subject, 2, MONDAY + 1, 102);
    uw_subject_fold(&subject, FROM);
    check_account(&subject, FROM, MONDAY + 1, 50, 3);
    uw_subject_close(&subject);
}

static void test_surplus_of_nothing(void **state)
{
    (void)state;
    check_alert_from(uw_sample_surplus(100, 0), UW_DAY_NONE, UW_ALERT_SURPLUS_EXHAUSTED, 101);
    check_alert_from(uw_sample_surplus(0, 0), UW_DAY_NONE, UW_ALERT_SURPLUS_LOW, 1);
}

/* ---- Result and Task ---- */

static void test_result_and_task_have_months_without_a_limit(void **state)
{
    (void)state;
    const struct uw_terms terms[] = {uw_sample_result(60), uw_sample_task()};
    for (uint32_t i = 0; i < 2; i++) {
        struct uw_subject_under_test subject;
        start(&subject, terms[i], UW_DAY_NONE);
        deliver(&subject, 1, MONDAY, 1440);
        uw_subject_fold(&subject, MONDAY + 1);
        check_account(&subject, FROM, UW_DATE(2026, 1, 31), UW_MINUTES_NONE, 1440);
        assert_int_equal(subject.fold.accounts[0].minimum_minutes, UW_MINUTES_NONE);
        assert_int_equal(subject.fold.alert_count, 0);
        uw_subject_close(&subject);
    }
}

/* ---- a change of form in the middle ---- */

/* Each segment keeps its own pools; a week that both share is cut in two. */
static void test_pools_of_two_segments(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, uw_sample_pxq(UW_FREQUENCY_WEEK, 100), UW_DAY_NONE);
    struct uw_event second = uw_sample_decision(2);
    second.of.decision.version = 2;
    second.of.decision.effective_from_day = MONDAY + 2;
    second.of.decision.terms = uw_sample_pxq(UW_FREQUENCY_WEEK, 90);
    uw_subject_add(&subject, &second);
    deliver_days(&subject, 1, MONDAY, 7, 147); /* 21 a day: a period line falls into both */
    uw_subject_fold(&subject, FROM);
    assert_int_equal(subject.fold.account_count, 2);
    check_account(&subject, MONDAY, MONDAY + 1, 100, 42);
    check_account(&subject, MONDAY + 2, MONDAY + 6, 90, 105);
    assert_int_equal(subject.fold.accounts[0].segment_from_day, FROM);
    assert_int_equal(subject.fold.accounts[1].segment_from_day, MONDAY + 2);
    uw_subject_close(&subject);
}

/* ---- PROJECTED_EXHAUSTION ---- */

static void check_projection(int32_t day, int32_t minutes, bool expected)
{
    struct uw_subject_under_test subject;
    start(&subject, uw_sample_pxq(UW_FREQUENCY_TOTAL, 1000), FROM + 99); /* 10 a day */
    deliver(&subject, 1, FROM, minutes);
    uw_subject_fold(&subject, day);
    const struct uw_alert *alert = uw_subject_alert(&subject, UW_ALERT_PROJECTED_EXHAUSTION);
    assert_int_equal(alert != NULL, expected);
    assert_true(alert == NULL || alert->state.effective_on_day == FROM + 99);
    uw_subject_close(&subject);
}

static void test_projection_at_its_edges(void **state)
{
    (void)state;
    /* On day 50 more than 50 · 10 · 1.1 = 550. */
    check_projection(FROM + 49, 550, false);
    check_projection(FROM + 49, 551, true);
    /* Not before day 28; then more than 308. */
    check_projection(FROM + 26, 700, false);
    check_projection(FROM + 27, 308, false);
    check_projection(FROM + 27, 309, true);
    /* Not when it is used up, and not after the end; 999 are ahead until day 90. */
    check_projection(FROM + 49, 1000, false);
    check_projection(FROM + 89, 999, true);
    check_projection(FROM + 90, 999, false);
    check_projection(FROM + 100, 999, false);
}

/* The day on which it ends by time alone is foretold exactly: 551 is ahead while 11 · days < 551. */
static void test_projection_foretells_its_end(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, uw_sample_pxq(UW_FREQUENCY_TOTAL, 1000), FROM + 99);
    subject.settings.defaults.stalled_days = 1000;
    deliver(&subject, 1, FROM, 551);
    uw_subject_fold(&subject, FROM + 30);
    assert_non_null(uw_subject_alert(&subject, UW_ALERT_PROJECTED_EXHAUSTION));
    assert_int_equal(subject.fold.next_change_day, FROM + 43); /* DECISION_ENDING */
    uw_subject_fold(&subject, FROM + 43);
    assert_int_equal(subject.fold.next_change_day, FROM + 50); /* day 51: 561 */
    uw_subject_fold(&subject, FROM + 49);
    assert_non_null(uw_subject_alert(&subject, UW_ALERT_PROJECTED_EXHAUSTION));
    uw_subject_fold(&subject, FROM + 50);
    assert_null(uw_subject_alert(&subject, UW_ALERT_PROJECTED_EXHAUSTION));
    uw_subject_close(&subject);
}

/* What is dated after as_of counts for `used`, and not for c(as_of). */
static void test_projection_does_not_look_ahead(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, uw_sample_pxq(UW_FREQUENCY_TOTAL, 1000), FROM + 99);
    deliver(&subject, 1, FROM + 60, 700);
    uw_subject_fold(&subject, FROM + 49);
    assert_int_equal(uw_subject_count(&subject, UW_ALERT_PROJECTED_EXHAUSTION), 0);
    assert_true(subject.fold.next_change_day <= FROM + 60);
    uw_subject_fold(&subject, FROM + 60); /* day 61: 671 */
    assert_int_equal(uw_subject_count(&subject, UW_ALERT_PROJECTED_EXHAUSTION), 1);
    uw_subject_close(&subject);
    /* A pool without an end has no pace. */
    start(&subject, uw_sample_pxq(UW_FREQUENCY_TOTAL, 1000), UW_DAY_NONE);
    deliver(&subject, 1, FROM, 700);
    uw_subject_fold(&subject, FROM + 30);
    assert_int_equal(uw_subject_count(&subject, UW_ALERT_PROJECTED_EXHAUSTION), 0);
    uw_subject_close(&subject);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pxq_of_a_week),
        cmocka_unit_test(test_pxq_exceeded_at_its_edge),
        cmocka_unit_test(test_pxq_of_a_day),
        cmocka_unit_test(test_pxq_of_a_year_and_total_are_budgets),
        cmocka_unit_test(test_total_always_exists),
        cmocka_unit_test(test_thresholds_cross_on_their_days),
        cmocka_unit_test(test_settable_thresholds),
        cmocka_unit_test(test_bandwidth_above),
        cmocka_unit_test(test_bandwidth_of_a_cut_week),
        cmocka_unit_test(test_bandwidth_below_waits),
        cmocka_unit_test(test_year_budget_of_a_cut_year),
        cmocka_unit_test(test_large_numbers),
        cmocka_unit_test(test_surplus_by_iso_week),
        cmocka_unit_test(test_surplus_of_cut_weeks),
        cmocka_unit_test(test_surplus_of_nothing),
        cmocka_unit_test(test_result_and_task_have_months_without_a_limit),
        cmocka_unit_test(test_pools_of_two_segments),
        cmocka_unit_test(test_projection_at_its_edges),
        cmocka_unit_test(test_projection_foretells_its_end),
        cmocka_unit_test(test_projection_does_not_look_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
