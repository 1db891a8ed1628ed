/* The lines of `verify`: counted, cut at the limit, and well-formed whatever is in the texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "cli/verify_report.h"

#define OUTPUT_BYTES_MAX 65536

static char output[OUTPUT_BYTES_MAX];

/* Runs `tell` with standard output in a file, and leaves what it printed in `output`. */
static void capture(struct uw_verify_report *report, void (*tell)(struct uw_verify_report *report))
{
    FILE *file = tmpfile();
    int kept = dup(STDOUT_FILENO);

    assert_non_null(file);
    fflush(stdout);
    assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
    tell(report);
    fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    close(kept);
    rewind(file);
    output[fread(output, 1, sizeof output - 1, file)] = '\0';
    fclose(file);
}

static void tell_account(struct uw_verify_report *report)
{
    uw_verify_begin(report, UW_VERIFY_ACCOUNT, UW_VERIFY_CHANGED);
    uw_verify_key(report, "client", UW_STR("c\"1\n\xff\\"));
    uw_verify_key_day(report, "segment_from", 0);
    uw_verify_key_day(report, "period_from", UW_DAY_NONE);
    uw_verify_key_number(report, "threshold", 80);
    uw_verify_pair(report, "model", UW_STR("Pxq"), UW_STR("Pxq"));
    uw_verify_pair_day(report, "period_to", UW_DAY_NONE, 1);
    uw_verify_pair_number(report, "used_minutes", 5, UW_MINUTES_NONE);
    uw_verify_end(report);
}

static void test_plain(void **state)
{
    (void)state;
    struct uw_verify_report report;

    uw_verify_report_init(&report, false, 0);
    capture(&report, tell_account);
    assert_string_equal(output,
                        "account     changed  client=c\"1\\x0a\\xff\\ segment_from=1970-01-01 threshold=80: "
                        "period_to stored none, recomputed 1970-01-02; used_minutes stored 5, recomputed none\n");
    assert_int_equal(uw_verify_difference_count(&report), 1);
    uw_verify_report_close(&report);
}

static void test_json(void **state)
{
    (void)state;
    struct uw_verify_report report;
    json_error_t error;

    uw_verify_report_init(&report, true, 0);
    capture(&report, tell_account);
    json_t *line = json_loads(output, 0, &error);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "what")), "account");
    assert_string_equal(json_string_value(json_object_get(line, "difference")), "changed");
    assert_string_equal(json_string_value(json_object_get(line, "client")), "c\"1\n\xc3\xbf\\");
    assert_true(json_is_null(json_object_get(line, "period_from")));
    assert_int_equal(json_integer_value(json_object_get(line, "threshold")), 80);
    json_t *stored = json_object_get(line, "stored"), *recomputed = json_object_get(line, "recomputed");
    assert_int_equal(json_object_size(stored), 2);
    assert_true(json_is_null(json_object_get(stored, "period_to")));
    assert_int_equal(json_integer_value(json_object_get(stored, "used_minutes")), 5);
    assert_string_equal(json_string_value(json_object_get(recomputed, "period_to")), "1970-01-02");
    assert_true(json_is_null(json_object_get(recomputed, "used_minutes")));
    json_decref(line);
    uw_verify_report_close(&report);
}

static void tell_three(struct uw_verify_report *report)
{
    for (int i = 0; i < 3; i++) {
        uw_verify_begin(report, UW_VERIFY_RECORD, i == 0 ? UW_VERIFY_MISSING : UW_VERIFY_EXTRA);
        uw_verify_key_number(report, "offset", i);
        uw_verify_pair(report, "fact", UW_STR("there"), UW_STR("not there"));
        uw_verify_end(report);
    }
    report->compared[UW_VERIFY_RECORD] = 7;
    report->waiting = 1;
    uw_verify_summary(report, true);
}

static void test_limit_and_summary(void **state)
{
    (void)state;
    struct uw_verify_report report;
    json_error_t error;

    uw_verify_report_init(&report, false, 2);
    capture(&report, tell_three);
    assert_non_null(strstr(output, "record      missing  offset=0: fact recomputed not there\n"));
    assert_non_null(strstr(output, "record      extra    offset=1: fact stored there\n"));
    assert_null(strstr(output, "offset=2"));
    assert_non_null(strstr(output, "... and 1 more\n"));
    assert_non_null(strstr(output, "record                    7              3\n"));
    assert_non_null(strstr(output, "1 client waits to be judged"));
    assert_non_null(strstr(output, "\n3 differences\n"));
    uw_verify_report_close(&report);

    uw_verify_report_init(&report, true, 2);
    capture(&report, tell_three);
    const char *last_line = strstr(output, "{\"summary\"");
    assert_non_null(last_line);
    json_t *last = json_loads(last_line, 0, &error);
    assert_non_null(last);
    json_t *summary = json_object_get(last, "summary");
    assert_true(json_is_true(json_object_get(summary, "complete")));
    assert_int_equal(json_integer_value(json_object_get(summary, "differences")), 3);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(summary, "record"), "compared")), 7);
    json_decref(last);
    uw_verify_report_close(&report);
}

static void tell_days(struct uw_verify_report *report)
{
    uw_verify_begin(report, UW_VERIFY_CLIENT, UW_VERIFY_CHANGED);
    uw_verify_pair_day(report, "next_change_on", INT32_MIN + 10957, INT32_MAX);
    uw_verify_end(report);
}

/* Days that no calendar has must not reach the calendar. */
static void test_days_beyond_the_calendar(void **state)
{
    (void)state;
    struct uw_verify_report report;

    uw_verify_report_init(&report, false, 0);
    capture(&report, tell_days);
    assert_non_null(strstr(output, "next_change_on stored -infinity, recomputed infinity\n"));
    uw_verify_report_close(&report);
}

static void test_names(void **state)
{
    (void)state;
    for (int i = 0; i < UW_VERIFY_WHAT_COUNT; i++) {
        assert_string_not_equal(uw_verify_what_name((enum uw_verify_what)i), "?");
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(uw_verify_what_name((enum uw_verify_what)i),
                                    uw_verify_what_name((enum uw_verify_what)j));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_limit_and_summary),
        cmocka_unit_test(test_days_beyond_the_calendar),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
