/* SPEC section 4: the alerts that come and go with the date alone: evaluations, endings, care that stalled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/sample.h"

#define FROM UW_DATE(2026, 1, 1)

static void start(struct uw_subject_under_test *subject, const int32_t *months, uint32_t month_count,
                  int32_t valid_to_day)
{
    uw_subject_open(subject);
    struct uw_event decision = uw_sample_decision(1);
    decision.of.decision.evaluation_list = months;
    decision.of.decision.evaluation_count = month_count;
    decision.of.decision.valid_to_day = valid_to_day;
    uw_subject_add(subject, &decision);
}

static const struct uw_alert *due_at(struct uw_subject_under_test *subject, int32_t as_of_day)
{
    uw_subject_fold(subject, as_of_day);
    return uw_subject_alert(subject, UW_ALERT_EVALUATION_DUE);
}

/* ---- EVALUATION_DUE ---- */

static void test_severity_by_date(void **state)
{
    (void)state;
    static const int32_t months[] = {3};
    int32_t due = UW_DATE(2026, 4, 1);
    struct uw_subject_under_test subject;
    start(&subject, months, 1, UW_DAY_NONE);
    assert_null(due_at(&subject, due - 15));
    assert_int_equal(due_at(&subject, due - 14)->state.severity, UW_SEVERITY_INFO);
    assert_int_equal(due_at(&subject, due - 1)->state.severity, UW_SEVERITY_INFO);
    assert_int_equal(due_at(&subject, due)->state.severity, UW_SEVERITY_WARNING);
    assert_int_equal(due_at(&subject, due + 28)->state.severity, UW_SEVERITY_WARNING);
    const struct uw_alert *alert = due_at(&subject, due + 29);
    assert_int_equal(alert->state.severity, UW_SEVERITY_CRITICAL);
    assert_int_equal(alert->state.effective_on_day, due);
    assert_int_equal(alert->state.period_from_day, due);
    assert_int_equal(alert->state.segment_from_day, UW_DAY_NONE);
    uw_subject_close(&subject);
}

/* An evaluation held in [due − 14, next due − 14) answers; for the last one without an end. */
static void test_windows(void **state)
{
    (void)state;
    static const int32_t months[] = {6, 3, 3};
    int32_t first = UW_DATE(2026, 4, 1), second = UW_DATE(2026, 7, 1);
    static const struct {
        int32_t month, day; /* held on, in 2026 or beyond */
        bool answers_first, answers_second;
    } cases[] = {{3, 17, false, false}, {3, 18, true, false}, {6, 16, true, false}, {6, 17, false, true},
                 {12, 31, false, true}};
    for (uint32_t i = 0; i < 5; i++) {
        struct uw_subject_under_test subject;
        start(&subject, months, 3, UW_DAY_NONE);
        struct uw_event held = uw_sample_evaluation(2, UW_DATE(2026, cases[i].month, cases[i].day));
        uw_subject_add(&subject, &held);
        uw_subject_fold(&subject, second);
        bool first_open = false, second_open = false;
        for (uint32_t k = 0; k < subject.fold.alert_count; k++) {
            const struct uw_alert_state *alert = &subject.fold.alerts[k].state;
            bool is_due = alert->kind == UW_ALERT_EVALUATION_DUE;
            first_open = first_open || (is_due && alert->period_from_day == first);
            second_open = second_open || (is_due && alert->period_from_day == second);
        }
        assert_int_equal(first_open, !cases[i].answers_first);
        assert_int_equal(second_open, !cases[i].answers_second);
        uw_subject_close(&subject);
    }
}

static void test_dues_end_with_the_decision(void **state)
{
    (void)state;
    static const int32_t months[] = {3};
    int32_t due = UW_DATE(2026, 4, 1);
    for (int32_t less = 0; less <= 1; less++) {
        struct uw_subject_under_test subject;
        start(&subject, months, 1, due - 1 - less); /* a due on valid_to + 1 still counts */
        assert_int_equal(due_at(&subject, due + 100) != NULL, less == 0);
        uw_subject_close(&subject);
    }
}

static void test_dues_clamp_to_the_month(void **state)
{
    (void)state;
    static const int32_t months[] = {1, 2, 3};
    struct uw_subject_under_test subject;
    uw_subject_open(&subject);
    struct uw_event decision = uw_sample_decision(1);
    decision.of.decision.valid_from_day = UW_DATE(2026, 1, 31);
    decision.of.decision.evaluation_list = months;
    decision.of.decision.evaluation_count = 3;
    uw_subject_add(&subject, &decision);
    uw_subject_fold(&subject, UW_DATE(2026, 12, 1));
    assert_int_equal(uw_subject_count(&subject, UW_ALERT_EVALUATION_DUE), 3);
    static const int32_t expected[][2] = {{2, 28}, {3, 31}, {4, 30}};
    uint32_t found = 0;
    for (uint32_t i = 0; i < subject.fold.alert_count; i++) {
        const struct uw_alert_state *alert = &subject.fold.alerts[i].state;
        if (alert->kind == UW_ALERT_EVALUATION_DUE) {
            assert_int_equal(alert->period_from_day, UW_DATE(2026, expected[found][0], expected[found][1]));
            found++;
        }
    }
    uw_subject_close(&subject);
}

/* ---- what the evaluation is about ---- */

static int64_t expected_minutes(struct uw_terms terms, int32_t valid_to_day)
{
    static const int32_t months[] = {3};
    struct uw_subject_under_test subject;
    uw_subject_open(&subject);
    struct uw_event decision = uw_sample_decision(1);
    decision.of.decision.evaluation_list = months;
    decision.of.decision.evaluation_count = 1;
    decision.of.decision.valid_to_day = valid_to_day;
    decision.of.decision.terms = terms;
    uw_subject_add(&subject, &decision);
    const struct uw_alert *alert = due_at(&subject, UW_DATE(2026, 4, 10));
    assert_non_null(alert);
    int64_t expected = alert->figures.expected_minutes;
    uw_subject_close(&subject);
    return expected;
}

/* From Thursday 1 January to Wednesday 1 April 2026: 90 days, weeks of 4 + 12·7 + 2 days. */
static void test_expected_minutes(void **state)
{
    (void)state;
    assert_int_equal(expected_minutes(uw_sample_pxq(UW_FREQUENCY_WEEK, 100), UW_DAY_NONE), 57 + 1200 + 28);
    assert_int_equal(expected_minutes(uw_sample_pxq(UW_FREQUENCY_MONTH, 100), UW_DAY_NONE), 300);
    assert_int_equal(expected_minutes(uw_sample_pxq(UW_FREQUENCY_FOUR_WEEKS, 100), UW_DAY_NONE), 300 + 21);
    assert_int_equal(expected_minutes(uw_sample_pxq(UW_FREQUENCY_DAY, 7), UW_DAY_NONE), 630);
    assert_int_equal(expected_minutes(uw_sample_pxq(UW_FREQUENCY_YEAR, 3650), UW_DAY_NONE), 900);
    assert_int_equal(expected_minutes(uw_sample_pxq(UW_FREQUENCY_TOTAL, 1000), FROM + 179), 500);
    assert_int_equal(expected_minutes(uw_sample_bandwidth(UW_FREQUENCY_WEEK, 100, 200), UW_DAY_NONE), 57 + 1200 + 28);
    assert_int_equal(expected_minutes(uw_sample_year(3650), UW_DAY_NONE), 900);
    assert_int_equal(expected_minutes(uw_sample_surplus(100, 5), UW_DAY_NONE), 57 + 1200 + 28);
    assert_int_equal(expected_minutes(uw_sample_result(70), UW_DAY_NONE), 40 + 840 + 20);
    assert_int_equal(expected_minutes(uw_sample_result(0), UW_DAY_NONE), 0);
    assert_int_equal(expected_minutes(uw_sample_pxq(UW_FREQUENCY_TOTAL, 1000), UW_DAY_NONE), UW_MINUTES_NONE);
    assert_int_equal(expected_minutes(uw_sample_result(UW_INT_NONE), UW_DAY_NONE), UW_MINUTES_NONE);
    assert_int_equal(expected_minutes(uw_sample_task(), UW_DAY_NONE), UW_MINUTES_NONE);
}

static void test_what_was_delivered(void **state)
{
    (void)state;
    static const int32_t months[] = {3};
    struct uw_subject_under_test subject;
    start(&subject, months, 1, UW_DAY_NONE); /* 600 a week: 342 + 7200 + 171 expected */
    struct uw_event line = uw_sample_line(2, "L1", FROM + 5, 1000), late = uw_sample_line(3, "L2", FROM + 200, 20);
    struct uw_event no_show = uw_sample_no_show(4, "N1", FROM + 6, 30);
    uw_subject_add(&subject, &line);
    uw_subject_add(&subject, &late);
    uw_subject_add(&subject, &no_show);
    const struct uw_alert *alert = due_at(&subject, UW_DATE(2026, 4, 10));
    assert_int_equal(alert->figures.delivered_minutes, 1050);
    assert_int_equal(alert->figures.no_show_minutes, 30);
    assert_int_equal(alert->figures.expected_minutes, 342 + 7200 + 171);
    assert_int_equal(alert->figures.ratio_percent, 13);
    uw_subject_close(&subject);
}

/* ---- DECISION_ENDING ---- */

static void test_ending(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    int32_t end = FROM + 200;
    start(&subject, NULL, 0, end);
    static const int32_t days[] = {-57, -56, 0, 1};
    static const bool expected[] = {false, true, true, false};
    for (uint32_t i = 0; i < 4; i++) {
        uw_subject_fold(&subject, end + days[i]);
        const struct uw_alert *alert = uw_subject_alert(&subject, UW_ALERT_DECISION_ENDING);
        assert_int_equal(alert != NULL, expected[i]);
        assert_true(alert == NULL || (alert->state.effective_on_day == end && alert->state.severity == UW_SEVERITY_INFO &&
                                      alert->state.period_from_day == UW_DAY_NONE));
    }
    uw_subject_close(&subject);
    /* A short decision ends from its first day on. */
    start(&subject, NULL, 0, FROM + 10);
    uw_subject_fold(&subject, FROM - 1);
    assert_null(uw_subject_alert(&subject, UW_ALERT_DECISION_ENDING));
    assert_int_equal(subject.fold.next_change_day, FROM);
    uw_subject_fold(&subject, FROM);
    assert_non_null(uw_subject_alert(&subject, UW_ALERT_DECISION_ENDING));
    uw_subject_close(&subject);
    start(&subject, NULL, 0, UW_DAY_NONE);
    uw_subject_fold(&subject, UW_DAY_MAX);
    assert_null(uw_subject_alert(&subject, UW_ALERT_DECISION_ENDING));
    uw_subject_close(&subject);
}

/* ---- CARE_STALLED ---- */

static const struct uw_alert *stalled_at(struct uw_subject_under_test *subject, int32_t as_of_day)
{
    uw_subject_fold(subject, as_of_day);
    return uw_subject_alert(subject, UW_ALERT_CARE_STALLED);
}

static void test_stalled(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, NULL, 0, UW_DAY_NONE);
    assert_null(stalled_at(&subject, FROM + 27));
    assert_int_equal(stalled_at(&subject, FROM + 28)->state.effective_on_day, FROM + 28);
    struct uw_event line = uw_sample_line(2, "L1", FROM + 20, 60), no_show = uw_sample_no_show(3, "N1", FROM + 40, 60);
    struct uw_event ahead = uw_sample_line(4, "L2", FROM + 100, 60);
    uw_subject_add(&subject, &line);
    uw_subject_add(&subject, &no_show); /* no-shows are not care */
    uw_subject_add(&subject, &ahead);
    assert_null(stalled_at(&subject, FROM + 47));
    const struct uw_alert *alert = stalled_at(&subject, FROM + 48);
    assert_int_equal(alert->state.effective_on_day, FROM + 48);
    assert_int_equal(alert->figures.last_care_day, FROM + 20);
    assert_non_null(stalled_at(&subject, FROM + 99));
    assert_int_equal(subject.fold.next_change_day, FROM + 100);
    assert_null(stalled_at(&subject, FROM + 100));
    assert_int_equal(stalled_at(&subject, FROM + 128)->state.effective_on_day, FROM + 128);
    uw_subject_close(&subject);
}

/* By the terms in force on as_of, and only while the decision covers it. */
static void test_stalled_by_the_terms_of_the_day(void **state)
{
    (void)state;
    const struct uw_terms terms[] = {uw_sample_task(), uw_sample_result(UW_INT_NONE), uw_sample_result(0)};
    for (uint32_t i = 0; i < 3; i++) {
        struct uw_subject_under_test subject;
        start(&subject, NULL, 0, FROM + 99);
        struct uw_event second = uw_sample_decision(2);
        second.of.decision.version = 2;
        second.of.decision.effective_from_day = FROM + 60;
        second.of.decision.valid_to_day = FROM + 99;
        second.of.decision.terms = terms[i];
        uw_subject_add(&subject, &second);
        assert_non_null(stalled_at(&subject, FROM + 59));
        assert_int_equal(stalled_at(&subject, FROM + 60) != NULL, i == 2);
        assert_int_equal(stalled_at(&subject, FROM + 99) != NULL, i == 2);
        assert_null(stalled_at(&subject, FROM + 100));
        assert_null(stalled_at(&subject, FROM - 1));
        uw_subject_close(&subject);
    }
}

/* The provider of effective_on; of valid_to where that lies before. */
static void test_the_provider_of_an_alert(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject, NULL, 0, FROM + 20);
    struct uw_event second = uw_sample_decision(2);
    second.of.decision.version = 2;
    second.of.decision.effective_from_day = FROM + 20;
    second.of.decision.valid_to_day = FROM + 20;
    second.provider = UW_STR("41410002");
    uw_subject_add(&subject, &second);
    subject.settings.defaults.stalled_days = 10;
    struct uw_str provider = uw_client_text(&subject.client, stalled_at(&subject, FROM + 15)->state.provider);
    assert_true(uw_str_equal(provider, UW_STR("41410001")));
    struct uw_event line = uw_sample_line(3, "L1", FROM + 10, 60);
    uw_subject_add(&subject, &line);
    provider = uw_client_text(&subject.client, stalled_at(&subject, FROM + 20)->state.provider);
    assert_true(uw_str_equal(provider, UW_STR("41410002")));
    const struct uw_alert *ending = uw_subject_alert(&subject, UW_ALERT_DECISION_ENDING);
    assert_true(uw_str_equal(uw_client_text(&subject.client, ending->state.provider), UW_STR("41410002")));
    uw_subject_close(&subject);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_severity_by_date),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_dues_end_with_the_decision),
        cmocka_unit_test(test_dues_clamp_to_the_month),
        cmocka_unit_test(test_expected_minutes),
        cmocka_unit_test(test_what_was_delivered),
        cmocka_unit_test(test_ending),
        cmocka_unit_test(test_stalled),
        cmocka_unit_test(test_stalled_by_the_terms_of_the_day),
        cmocka_unit_test(test_the_provider_of_an_alert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
