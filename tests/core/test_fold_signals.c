/* SPEC section 5: the anomalies over net lines, at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/hostile.h"
#include "tests/support/sample.h"

#define DAY UW_DATE(2026, 3, 4)
#define MINUTE INT64_C(60000)

static void start(struct uw_subject_under_test *subject)
{
    uw_subject_open(subject);
    struct uw_event decision = uw_sample_decision(1);
    uw_subject_add(subject, &decision);
}

/* How many anomalies of the kind one line alone has. */
static uint32_t alone(const struct uw_event *line, enum uw_anomaly_kind kind)
{
    struct uw_subject_under_test subject;
    start(&subject);
    uw_subject_add(&subject, line);
    uw_subject_fold(&subject, DAY);
    uint32_t count = uw_subject_anomaly_count(&subject, kind);
    uw_subject_close(&subject);
    return count;
}

static void test_late_and_future(void **state)
{
    (void)state;
    for (int32_t days = 1; days <= 3; days++) {
        struct uw_event line = uw_sample_line(2, "L1", DAY, 60);
        int32_t last_day = DAY + days - 1;
        line.of.declaration.performed_until_day = days > 1 ? last_day : UW_DAY_NONE;
        line.recorded_at_ms = (last_day + 93) * UW_MS_PER_DAY - 1;
        assert_int_equal(alone(&line, UW_ANOMALY_LATE_DECLARATION), 0);
        line.recorded_at_ms++;
        assert_int_equal(alone(&line, UW_ANOMALY_LATE_DECLARATION), 1);
        line.recorded_at_ms = (last_day - 1) * UW_MS_PER_DAY;
        assert_int_equal(alone(&line, UW_ANOMALY_FUTURE_DECLARATION), 0);
        line.recorded_at_ms--;
        assert_int_equal(alone(&line, UW_ANOMALY_FUTURE_DECLARATION), 1);
        assert_int_equal(alone(&line, UW_ANOMALY_LATE_DECLARATION), 0);
    }
}

static void test_implausible_duration(void **state)
{
    (void)state;
    struct uw_event line = uw_sample_line(2, "L1", DAY, 720);
    assert_int_equal(alone(&line, UW_ANOMALY_IMPLAUSIBLE_DURATION), 0);
    line.of.declaration.minutes = 721;
    assert_int_equal(alone(&line, UW_ANOMALY_IMPLAUSIBLE_DURATION), 1);
    line.of.declaration.performed_until_day = DAY;
    assert_int_equal(alone(&line, UW_ANOMALY_IMPLAUSIBLE_DURATION), 1);
    line.of.declaration.performed_until_day = DAY + 1;
    assert_int_equal(alone(&line, UW_ANOMALY_IMPLAUSIBLE_DURATION), 0);
}

/* ---- pairs ---- */

static struct uw_event timed(uint32_t number, const char *name, int64_t start_minute, int32_t minutes)
{
    struct uw_event line = uw_sample_line(number, name, DAY, minutes);
    line.of.declaration.started_at_ms = DAY * UW_MS_PER_DAY + start_minute * MINUTE;
    line.recorded_at_ms += number;
    return line;
}

/* The anomalies of the kind that a set of lines has, and the subject of the first. */
static uint32_t together(const struct uw_event *lines, uint32_t count, enum uw_anomaly_kind kind, struct uw_str subject_id)
{
    struct uw_subject_under_test subject;
    start(&subject);
    for (uint32_t i = 0; i < count; i++) {
        uw_subject_add(&subject, &lines[i]);
    }
    uw_subject_fold(&subject, DAY);
    uint32_t found = uw_subject_anomaly_count(&subject, kind);
    const struct uw_anomaly *anomaly = uw_subject_anomaly(&subject, kind);
    if (anomaly != NULL && !uw_str_is_null(subject_id)) {
        assert_true(uw_str_equal(uw_client_text(&subject.client, anomaly->state.subject_id), subject_id));
    }
    uw_subject_close(&subject);
    return found;
}

static void test_double_declarations(void **state)
{
    (void)state;
    struct uw_event pair[] = {timed(3, "L1", 600, 60), timed(2, "L2", 600, 5)};
    /* The later recorded of the two is the double, and not an overlap as well. */
    assert_int_equal(together(pair, 2, UW_ANOMALY_DOUBLE_DECLARATION, UW_STR("L1")), 1);
    assert_int_equal(together(pair, 2, UW_ANOMALY_CLIENT_OVERLAP, UW_STR_NULL), 0);
    pair[1].decision = UW_STR("WMO-2"); /* of whatever decision */
    assert_int_equal(together(pair, 2, UW_ANOMALY_DOUBLE_DECLARATION, UW_STR("L1")), 1);
    pair[0].of.declaration.staff = UW_STR("s1");
    assert_int_equal(together(pair, 2, UW_ANOMALY_DOUBLE_DECLARATION, UW_STR_NULL), 0);
    assert_int_equal(together(pair, 2, UW_ANOMALY_CLIENT_OVERLAP, UW_STR("L1")), 1);
    pair[1].of.declaration.staff = UW_STR("s1");
    assert_int_equal(together(pair, 2, UW_ANOMALY_DOUBLE_DECLARATION, UW_STR("L1")), 1);
    pair[1].provider = UW_STR("41410002");
    assert_int_equal(together(pair, 2, UW_ANOMALY_DOUBLE_DECLARATION, UW_STR_NULL), 0);
    assert_int_equal(together(pair, 2, UW_ANOMALY_CLIENT_OVERLAP, UW_STR("L1")), 1);
    /* Two unknown starts are not the same start. */
    struct uw_event untimed[] = {uw_sample_line(2, "L1", DAY, 60), uw_sample_line(3, "L2", DAY, 60)};
    assert_int_equal(together(untimed, 2, UW_ANOMALY_DOUBLE_DECLARATION, UW_STR_NULL), 0);
}

static void test_overlaps_at_their_edges(void **state)
{
    (void)state;
    /* [600, 660) and one of ten minutes that starts at ... */
    static const int64_t starts[] = {589, 590, 591, 600, 659, 660};
    static const uint32_t expected[] = {0, 0, 1, 0, 1, 0}; /* at 600 it is a double */
    for (uint32_t i = 0; i < 6; i++) {
        struct uw_event pair[] = {timed(2, "L1", 600, 60), timed(3, "L2", starts[i], 10)};
        assert_int_equal(together(pair, 2, UW_ANOMALY_CLIENT_OVERLAP, UW_STR("L2")), expected[i]);
        struct uw_event turned[] = {timed(3, "L1", 600, 60), timed(2, "L2", starts[i], 10)};
        assert_int_equal(together(turned, 2, UW_ANOMALY_CLIENT_OVERLAP, UW_STR("L1")), expected[i]);
    }
}

/* Judged pair by pair: a double of one may overlap another. */
static void test_both_at_once(void **state)
{
    (void)state;
    struct uw_event lines[] = {timed(2, "L1", 600, 60), timed(3, "L2", 630, 60), timed(4, "L3", 600, 60)};
    assert_int_equal(together(lines, 3, UW_ANOMALY_DOUBLE_DECLARATION, UW_STR("L3")), 1);
    assert_int_equal(together(lines, 3, UW_ANOMALY_CLIENT_OVERLAP, UW_STR_NULL), 2); /* L2 and L3 */
    /* A long line from the day before still runs. */
    struct uw_event night[] = {timed(2, "L1", -1000, 1440), timed(3, "L2", 400, 10), timed(4, "L3", 440, 10)};
    assert_int_equal(together(night, 3, UW_ANOMALY_CLIENT_OVERLAP, UW_STR("L2")), 1);
}

static void test_reversed_lines_have_no_signals(void **state)
{
    (void)state;
    struct uw_event credit = uw_sample_credit(9, "C1", "L1", DAY, 800);
    struct uw_event lines[] = {timed(2, "L1", 600, 800), timed(3, "L2", 600, 800), credit};
    assert_int_equal(together(lines, 3, UW_ANOMALY_DOUBLE_DECLARATION, UW_STR_NULL), 0);
    assert_int_equal(together(lines, 3, UW_ANOMALY_IMPLAUSIBLE_DURATION, UW_STR("L2")), 1);
}

/* Against every pair, with many lines that touch each other. */
static void test_pairs_one_by_one(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= uw_test_rounds(200); seed++) {
        struct uw_random random = uw_random_from(seed);
        struct uw_event lines[40];
        uint32_t count = 2 + uw_random_below(&random, 38), doubles = 0, overlaps = 0;
        static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d",
                                            "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r",
                                            "s", "t", "u", "v", "w", "x", "y", "z", "A", "B", "C", "D"};
        for (uint32_t i = 0; i < count; i++) {
            lines[i] = timed(i + 2, names[i], UW_RANDOM_PICK(&random, 0, 10, 20, 30, 40, 500, 1000),
                             UW_RANDOM_PICK(&random, 1, 10, 11, 30, 1440));
            lines[i].of.declaration.staff = uw_random_chance(&random, 50) ? UW_STR("s1") : UW_STR_NULL;
            lines[i].recorded_at_ms = DAY * UW_MS_PER_DAY + uw_random_between(&random, 0, 5);
        }
        for (uint32_t i = 0; i < count; i++) {
            bool is_double = false, overlap = false;
            for (uint32_t k = 0; k < count; k++) {
                const struct uw_declaration *a = &lines[i].of.declaration, *b = &lines[k].of.declaration;
                bool earlier = lines[k].recorded_at_ms < lines[i].recorded_at_ms ||
                               (lines[k].recorded_at_ms == lines[i].recorded_at_ms && k < i);
                bool same = a->started_at_ms == b->started_at_ms && uw_str_equal(a->staff, b->staff);
                is_double = is_double || (earlier && same);
                overlap = overlap || (earlier && !same && a->started_at_ms < b->started_at_ms + b->minutes * MINUTE &&
                                      b->started_at_ms < a->started_at_ms + a->minutes * MINUTE);
            }
            doubles += is_double;
            overlaps += overlap;
        }
        assert_int_equal(together(lines, count, UW_ANOMALY_DOUBLE_DECLARATION, UW_STR_NULL), doubles);
        assert_int_equal(together(lines, count, UW_ANOMALY_CLIENT_OVERLAP, UW_STR_NULL), overlaps);
    }
}

/* ---- declared no-shows ---- */

static bool declared(const struct uw_event *line, const struct uw_event *no_show)
{
    struct uw_event both[] = {*line, *no_show};
    return together(both, 2, UW_ANOMALY_DECLARED_NO_SHOW, line->of.declaration.line) == 1;
}

static void test_declared_no_shows_by_time(void **state)
{
    (void)state;
    struct uw_event line = timed(2, "L1", 600, 60), no_show = uw_sample_no_show(3, "N1", DAY, 30);
    static const int64_t minutes[] = {570, 571, 659, 660};
    static const bool expected[] = {false, true, true, false};
    for (uint32_t i = 0; i < 4; i++) {
        no_show.of.no_show.appointment_at_ms = DAY * UW_MS_PER_DAY + minutes[i] * MINUTE;
        assert_int_equal(declared(&line, &no_show), expected[i]);
    }
    /* With both times known the staff says nothing. */
    line.of.declaration.staff = no_show.of.no_show.staff = UW_STR("s1");
    assert_false(declared(&line, &no_show));
    no_show.of.no_show.appointment_at_ms = line.of.declaration.started_at_ms;
    assert_true(declared(&line, &no_show));
    no_show.of.no_show.reason = UW_REASON_PROVIDER_CANCELLED;
    assert_false(declared(&line, &no_show));
    no_show.of.no_show.reason = UW_REASON_CLIENT_CANCELLED;
    no_show.of.no_show.notice_minutes = 1000000; /* also one that is not billable */
    assert_true(declared(&line, &no_show));
    no_show.of.no_show.status = UW_NO_SHOW_WITHDRAWN;
    assert_false(declared(&line, &no_show));
}

static void test_declared_no_shows_by_staff(void **state)
{
    (void)state;
    struct uw_event line = uw_sample_line(2, "L1", DAY, 60), no_show = uw_sample_no_show(3, "N1", DAY, 30);
    assert_false(declared(&line, &no_show)); /* two unknown staff are not the same */
    line.of.declaration.staff = UW_STR("s1");
    assert_false(declared(&line, &no_show));
    no_show.of.no_show.staff = UW_STR("s1");
    assert_true(declared(&line, &no_show));
    line.of.declaration.started_at_ms = DAY * UW_MS_PER_DAY;
    assert_true(declared(&line, &no_show));
    struct uw_event changed = no_show;
    changed.of.no_show.appointment_on_day++;
    assert_false(declared(&line, &changed));
    changed = no_show;
    changed.provider = UW_STR("41410002");
    assert_false(declared(&line, &changed));
    changed = no_show;
    changed.decision = UW_STR("WMO-2");
    assert_false(declared(&line, &changed));
    line.of.declaration.started_at_ms = UW_INSTANT_NONE;
    line.of.declaration.performed_until_day = DAY;
    assert_true(declared(&line, &no_show));
    line.of.declaration.performed_until_day = DAY + 1;
    assert_false(declared(&line, &no_show));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late_and_future),
        cmocka_unit_test(test_implausible_duration),
        cmocka_unit_test(test_double_declarations),
        cmocka_unit_test(test_overlaps_at_their_edges),
        cmocka_unit_test(test_both_at_once),
        cmocka_unit_test(test_reversed_lines_have_no_signals),
        cmocka_unit_test(test_pairs_one_by_one),
        cmocka_unit_test(test_declared_no_shows_by_time),
        cmocka_unit_test(test_declared_no_shows_by_staff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
