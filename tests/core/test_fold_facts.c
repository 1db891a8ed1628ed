/* SPEC section 3, What counts: credits, decisions, providers, period lines, and billable no-shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/sample.h"

#define FROM UW_DATE(2026, 1, 1)
#define DAY UW_DATE(2026, 3, 4)

static void start(struct uw_subject_under_test *subject)
{
    uw_subject_open(subject);
    struct uw_event decision = uw_sample_decision(1);
    decision.of.decision.terms = uw_sample_pxq(UW_FREQUENCY_TOTAL, 100000);
    uw_subject_add(subject, &decision);
}

static int64_t delivered(const struct uw_subject_under_test *subject)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < subject->fold.account_count; i++) {
        sum += subject->fold.accounts[i].delivered_minutes;
    }
    return sum;
}

static int64_t no_show_minutes(const struct uw_subject_under_test *subject)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < subject->fold.account_count; i++) {
        sum += subject->fold.accounts[i].no_show_minutes;
    }
    return sum;
}

/* ---- credits ---- */

static void test_a_credit_takes_a_line_back(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject);
    struct uw_event debit = uw_sample_line(2, "L1", DAY, 60), credit = uw_sample_credit(3, "C1", "L1", DAY, 60);
    credit.recorded_at_ms -= UW_MS_PER_DAY; /* the order of recording means nothing here */
    uw_subject_add(&subject, &credit);
    uw_subject_add(&subject, &debit);
    uw_subject_fold(&subject, DAY + 100);
    assert_int_equal(delivered(&subject), 0);
    assert_int_equal(subject.fold.anomaly_count, 0);
    uw_subject_close(&subject);
}

static void test_the_first_credit_counts(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject);
    struct uw_event debit = uw_sample_line(2, "L1", DAY, 60), late = uw_sample_credit(3, "C1", "L1", DAY, 60);
    struct uw_event early = uw_sample_credit(4, "C2", "L1", DAY, 60), wrong = uw_sample_credit(5, "C0", "L1", DAY, 61);
    late.recorded_at_ms += 2;
    early.recorded_at_ms += 1;
    uw_subject_add(&subject, &debit);
    uw_subject_add(&subject, &late);
    uw_subject_add(&subject, &early);
    uw_subject_add(&subject, &wrong); /* the first of all, and without effect */
    uw_subject_fold(&subject, DAY);
    assert_int_equal(delivered(&subject), 0);
    const struct uw_anomaly *anomaly = uw_subject_anomaly(&subject, UW_ANOMALY_DOUBLE_CREDIT);
    assert_non_null(anomaly);
    assert_true(uw_str_equal(uw_client_text(&subject.client, anomaly->state.subject_id), UW_STR("C1")));
    anomaly = uw_subject_anomaly(&subject, UW_ANOMALY_CREDIT_MISMATCH);
    assert_non_null(anomaly);
    assert_true(uw_str_equal(uw_client_text(&subject.client, anomaly->state.subject_id), UW_STR("C0")));
    uw_subject_close(&subject);
}

static void test_mismatches(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        struct uw_subject_under_test subject;
        start(&subject);
        struct uw_event debit = uw_sample_line(2, "L1", DAY, 60), credit = uw_sample_credit(3, "C1", "L1", DAY, 60);
        credit.of.declaration.minutes += i == 0;
        credit.municipality = i == 1 ? UW_STR("0599") : credit.municipality;
        credit.decision = i == 2 ? UW_STR("WMO-2") : credit.decision;
        credit.of.declaration.performed_on_day += i == 3; /* another day is no mismatch */
        uw_subject_add(&subject, &debit);
        uw_subject_add(&subject, &credit);
        uw_subject_fold(&subject, DAY);
        assert_int_equal(delivered(&subject), i == 3 ? 0 : 60);
        assert_int_equal(uw_subject_anomaly_count(&subject, UW_ANOMALY_CREDIT_MISMATCH), i == 3 ? 0 : 1);
        uw_subject_close(&subject);
    }
}

/* An orphan is one from 14 days after it was recorded on; it may not name a credit, or another provider's line. */
static void test_orphans_wait(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject);
    struct uw_event credit = uw_sample_credit(3, "C1", "L1", DAY, 60), other = uw_sample_line(4, "L1", DAY, 60);
    credit.recorded_at_ms = DAY * UW_MS_PER_DAY + UW_MS_PER_DAY - 1;
    other.provider = UW_STR("41410002");
    uw_subject_add(&subject, &credit);
    uw_subject_add(&subject, &other);
    uw_subject_fold(&subject, DAY + 13);
    assert_int_equal(uw_subject_anomaly_count(&subject, UW_ANOMALY_ORPHAN_CREDIT), 0);
    assert_true(subject.fold.next_change_day <= DAY + 14);
    uw_subject_fold(&subject, DAY + 14);
    assert_int_equal(uw_subject_anomaly_count(&subject, UW_ANOMALY_ORPHAN_CREDIT), 1);
    struct uw_event of_a_credit = uw_sample_credit(5, "C2", "C1", DAY, 60);
    uw_subject_add(&subject, &of_a_credit);
    uw_subject_fold(&subject, DAY + 14);
    assert_int_equal(uw_subject_anomaly_count(&subject, UW_ANOMALY_ORPHAN_CREDIT), 2);
    uw_subject_close(&subject);
}

/* A credit with the id of a debit is a version of the same fact: the winner alone counts. */
static void test_one_key_whatever_the_kind(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject);
    struct uw_event debit = uw_sample_line(2, "L1", DAY, 60), credit = uw_sample_credit(3, "L1", "L1", DAY, 60);
    credit.recorded_at_ms--;
    uw_subject_add(&subject, &debit);
    uw_subject_add(&subject, &credit);
    uw_subject_fold(&subject, DAY + 20);
    assert_int_equal(delivered(&subject), 0);
    assert_int_equal(uw_subject_anomaly_count(&subject, UW_ANOMALY_DUPLICATE_CONFLICT), 1);
    assert_int_equal(uw_subject_anomaly_count(&subject, UW_ANOMALY_ORPHAN_CREDIT), 1);
    uw_subject_close(&subject);
}

/* ---- which decision ---- */

static void test_an_unknown_decision_waits(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject);
    struct uw_event line = uw_sample_line(2, "L1", DAY, 60), no_show = uw_sample_no_show(3, "N1", DAY, 60);
    line.decision = UW_STR("WMO-2");
    no_show.municipality = UW_STR("0599");
    no_show.of.no_show.reason = UW_REASON_PROVIDER_CANCELLED; /* of every reason */
    uw_subject_add(&subject, &line);
    uw_subject_add(&subject, &no_show);
    uw_subject_fold(&subject, DAY + 13);
    assert_int_equal(subject.fold.anomaly_count, 0);
    uw_subject_fold(&subject, DAY + 14);
    assert_int_equal(uw_subject_anomaly_count(&subject, UW_ANOMALY_UNKNOWN_DECISION), 2);
    struct uw_event decision = uw_sample_decision(4);
    decision.decision = UW_STR("WMO-2");
    uw_subject_add(&subject, &decision);
    uw_subject_fold(&subject, DAY + 14);
    assert_int_equal(uw_subject_anomaly_count(&subject, UW_ANOMALY_UNKNOWN_DECISION), 1);
    assert_int_equal(delivered(&subject), 60);
    uw_subject_close(&subject);
}

static void test_first_and_last_day_are_covered(void **state)
{
    (void)state;
    static const int32_t days[][2] = {{-1, 0}, {0, 0}, {0, 10}, {10, 10}, {10, 11}, {-1, 11}, {11, 11}};
    for (uint32_t i = 0; i < 7; i++) {
        struct uw_subject_under_test subject;
        uw_subject_open(&subject);
        struct uw_event decision = uw_sample_decision(1), line = uw_sample_line(2, "L1", FROM + days[i][0], 60);
        decision.of.decision.valid_to_day = FROM + 10;
        line.of.declaration.performed_until_day = FROM + days[i][1];
        uw_subject_add(&subject, &decision);
        uw_subject_add(&subject, &line);
        uw_subject_fold(&subject, FROM);
        bool outside = days[i][0] < 0 || days[i][1] > 10;
        assert_int_equal(uw_subject_anomaly_count(&subject, UW_ANOMALY_OUTSIDE_DECISION), outside);
        assert_int_equal(delivered(&subject), outside ? 0 : 60);
        uw_subject_close(&subject);
    }
}

/* The provider of the first day judges; outside comes before the provider. */
static void test_the_provider_of_the_first_day(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject);
    struct uw_event second = uw_sample_decision(2);
    second.of.decision.version = 2;
    second.of.decision.terms = uw_sample_pxq(UW_FREQUENCY_TOTAL, 100000);
    second.of.decision.effective_from_day = DAY + 1;
    second.provider = UW_STR("41410002");
    uw_subject_add(&subject, &second);
    struct uw_event across = uw_sample_line(3, "L1", DAY, 60), late = uw_sample_line(4, "L2", DAY + 1, 30);
    struct uw_event outside = uw_sample_line(5, "L3", FROM - 1, 30), right = uw_sample_line(6, "L4", DAY + 1, 7);
    across.of.declaration.performed_until_day = DAY + 5;
    outside.provider = UW_STR("41410009");
    right.provider = UW_STR("41410002");
    uw_subject_add(&subject, &across);
    uw_subject_add(&subject, &late);
    uw_subject_add(&subject, &outside);
    uw_subject_add(&subject, &right);
    uw_subject_fold(&subject, DAY);
    assert_int_equal(delivered(&subject), 67);
    const struct uw_anomaly *anomaly = uw_subject_anomaly(&subject, UW_ANOMALY_WRONG_PROVIDER);
    assert_non_null(anomaly);
    assert_true(uw_str_equal(uw_client_text(&subject.client, anomaly->state.subject_id), UW_STR("L2")));
    assert_int_equal(uw_subject_anomaly_count(&subject, UW_ANOMALY_OUTSIDE_DECISION), 1);
    uw_subject_close(&subject);
}

/* ---- period lines ---- */

/* Day i gets floor(m·(i+1)/n) − floor(m·i/n): ten minutes over four days are 2, 3, 2, 3. */
static void test_a_line_is_spread_over_its_days(void **state)
{
    (void)state;
    static const int32_t expected[] = {2, 3, 2, 3};
    struct uw_subject_under_test subject;
    uw_subject_open(&subject);
    struct uw_event decision = uw_sample_decision(1), line = uw_sample_line(2, "L1", DAY, 10);
    decision.of.decision.terms = uw_sample_pxq(UW_FREQUENCY_DAY, 60);
    line.of.declaration.performed_until_day = DAY + 3;
    uw_subject_add(&subject, &decision);
    uw_subject_add(&subject, &line);
    uw_subject_fold(&subject, DAY);
    assert_int_equal(subject.fold.account_count, 4);
    for (int32_t i = 0; i < 4; i++) {
        assert_int_equal(uw_subject_account(&subject, DAY + i)->used_minutes, expected[i]);
    }
    uw_subject_close(&subject);
}

/* Days without a minute have no account. */
static void test_few_minutes_over_many_days(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    uw_subject_open(&subject);
    struct uw_event decision = uw_sample_decision(1), line = uw_sample_line(2, "L1", FROM, 2);
    decision.of.decision.terms = uw_sample_pxq(UW_FREQUENCY_DAY, 60);
    line.of.declaration.performed_until_day = FROM + 365;
    uw_subject_add(&subject, &decision);
    uw_subject_add(&subject, &line);
    uw_subject_fold(&subject, DAY);
    assert_int_equal(subject.fold.account_count, 2);
    assert_non_null(uw_subject_account(&subject, FROM + 182));
    assert_non_null(uw_subject_account(&subject, FROM + 365));
    uw_subject_close(&subject);
}

/* ---- no-shows ---- */

static void policy(struct uw_subject_under_test *subject, struct uw_no_show_policy policy)
{
    uw_subject_open(subject);
    struct uw_event decision = uw_sample_decision(1);
    decision.of.decision.terms = uw_sample_pxq(UW_FREQUENCY_TOTAL, 100000);
    decision.of.decision.no_show = policy;
    uw_subject_add(subject, &decision);
}

static void test_reasons_and_notice(void **state)
{
    (void)state;
    static const struct {
        enum uw_no_show_reason reason;
        int32_t notice_minutes;
        int64_t minutes;
    } cases[] = {
        {UW_REASON_CLIENT_ABSENT, 100000, 61},   {UW_REASON_CLIENT_CANCELLED, UW_INT_NONE, 61},
        {UW_REASON_CLIENT_CANCELLED, 0, 61},     {UW_REASON_CLIENT_CANCELLED, 24 * 60 - 1, 61},
        {UW_REASON_CLIENT_CANCELLED, 24 * 60, 0}, {UW_REASON_PROVIDER_CANCELLED, UW_INT_NONE, 0},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct uw_subject_under_test subject;
        policy(&subject, (struct uw_no_show_policy){100, UW_INT_NONE, 24, true});
        struct uw_event event = uw_sample_no_show(2, "N1", DAY, 61);
        event.of.no_show.reason = cases[i].reason;
        event.of.no_show.notice_minutes = cases[i].notice_minutes;
        uw_subject_add(&subject, &event);
        uw_subject_fold(&subject, DAY);
        assert_int_equal(delivered(&subject), cases[i].minutes);
        assert_int_equal(no_show_minutes(&subject), cases[i].minutes);
        uw_subject_close(&subject);
    }
}

static void test_percent_rounds_down(void **state)
{
    (void)state;
    static const int32_t cases[][3] = {{33, 61, 20}, {100, 1440, 1440}, {50, 1, 0}, {0, 600, 0}};
    for (uint32_t i = 0; i < 4; i++) {
        struct uw_subject_under_test subject;
        policy(&subject, (struct uw_no_show_policy){cases[i][0], UW_INT_NONE, 24, true});
        struct uw_event event = uw_sample_no_show(2, "N1", DAY, cases[i][1]);
        uw_subject_add(&subject, &event);
        uw_subject_fold(&subject, DAY);
        assert_int_equal(no_show_minutes(&subject), cases[i][2]);
        uw_subject_close(&subject);
    }
}

/* Ranks run by day, time with null first, provider and id; those that are not billable have none. */
static void test_at_most_so_many_a_month(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    policy(&subject, (struct uw_no_show_policy){100, 2, 24, true});
    struct uw_event events[6];
    for (uint32_t i = 0; i < 6; i++) {
        static const char *const names[] = {"N1", "N2", "N3", "N4", "N5", "N6"};
        events[i] = uw_sample_no_show(2 + i, names[i], DAY, 1 << i);
    }
    events[0].of.no_show.appointment_at_ms = 5; /* the third of its day */
    events[1].of.no_show.appointment_at_ms = 4;
    /* events[2] has no time: the first of its day. */
    events[3].of.no_show.appointment_on_day = UW_DATE(2026, 3, 31);
    events[4].of.no_show.appointment_on_day = UW_DATE(2026, 4, 1); /* another month */
    events[5].of.no_show.appointment_on_day = DAY - 1;
    events[5].of.no_show.reason = UW_REASON_PROVIDER_CANCELLED;
    for (uint32_t i = 0; i < 6; i++) {
        uw_subject_add(&subject, &events[i]);
    }
    uw_subject_fold(&subject, DAY);
    assert_int_equal(no_show_minutes(&subject), 4 + 2 + 16);
    uw_subject_close(&subject);
}

/* By the policy of its own day; ranks go on across segments and also count those at 0 percent. */
static void test_ranks_across_policies(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    policy(&subject, (struct uw_no_show_policy){0, UW_INT_NONE, 24, true});
    struct uw_event second = uw_sample_decision(2);
    second.of.decision.version = 2;
    second.of.decision.effective_from_day = DAY;
    second.of.decision.terms = uw_sample_pxq(UW_FREQUENCY_TOTAL, 77);
    second.of.decision.no_show = (struct uw_no_show_policy){100, 2, 24, true};
    uw_subject_add(&subject, &second);
    struct uw_event free_one = uw_sample_no_show(3, "N1", DAY - 1, 60);
    struct uw_event billed = uw_sample_no_show(4, "N2", DAY, 61), over = uw_sample_no_show(5, "N3", DAY, 62);
    uw_subject_add(&subject, &over);
    uw_subject_add(&subject, &billed);
    uw_subject_add(&subject, &free_one);
    uw_subject_fold(&subject, DAY);
    assert_int_equal(no_show_minutes(&subject), 61);
    uw_subject_close(&subject);
}

static void test_not_to_the_budget(void **state)
{
    (void)state;
    static const struct uw_no_show_policy policies[] = {{100, UW_INT_NONE, 24, false}, {100, 0, 24, true}};
    for (uint32_t i = 0; i < 2; i++) {
        struct uw_subject_under_test subject;
        policy(&subject, policies[i]);
        struct uw_event event = uw_sample_no_show(2, "N1", DAY, 60);
        uw_subject_add(&subject, &event);
        uw_subject_fold(&subject, DAY);
        assert_int_equal(delivered(&subject), 0);
        uw_subject_close(&subject);
    }
}

/* Any WITHDRAWN event of the key takes the no-show away, and is no conflict. */
static void test_withdrawn_no_shows(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    start(&subject);
    struct uw_event first = uw_sample_no_show(2, "N1", DAY, 60), second = uw_sample_no_show(3, "N1", DAY, 50);
    second.recorded_at_ms++;
    uw_subject_add(&subject, &first);
    uw_subject_add(&subject, &second);
    uw_subject_fold(&subject, DAY);
    assert_int_equal(no_show_minutes(&subject), 60);
    assert_int_equal(uw_subject_anomaly_count(&subject, UW_ANOMALY_DUPLICATE_CONFLICT), 1);
    struct uw_event withdrawn = first;
    withdrawn.of.no_show.status = UW_NO_SHOW_WITHDRAWN;
    withdrawn.recorded_at_ms -= 5;
    uw_subject_add(&subject, &withdrawn);
    uw_subject_fold(&subject, DAY);
    assert_int_equal(no_show_minutes(&subject), 0);
    assert_int_equal(subject.fold.anomaly_count, 0);
    uw_subject_close(&subject);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_credit_takes_a_line_back),
        cmocka_unit_test(test_the_first_credit_counts),
        cmocka_unit_test(test_mismatches),
        cmocka_unit_test(test_orphans_wait),
        cmocka_unit_test(test_one_key_whatever_the_kind),
        cmocka_unit_test(test_an_unknown_decision_waits),
        cmocka_unit_test(test_first_and_last_day_are_covered),
        cmocka_unit_test(test_the_provider_of_the_first_day),
        cmocka_unit_test(test_a_line_is_spread_over_its_days),
        cmocka_unit_test(test_few_minutes_over_many_days),
        cmocka_unit_test(test_reasons_and_notice),
        cmocka_unit_test(test_percent_rounds_down),
        cmocka_unit_test(test_at_most_so_many_a_month),
        cmocka_unit_test(test_ranks_across_policies),
        cmocka_unit_test(test_not_to_the_budget),
        cmocka_unit_test(test_withdrawn_no_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
