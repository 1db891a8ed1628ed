/* core/date.h against a calendar that counts day by day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "core/date.h"

static bool is_leap(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int32_t month_length(int32_t year, int32_t month)
{
    if (month == 2) {
        return is_leap(year) ? 29 : 28;
    }
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* 1899-01-01 was a Sunday, 25932 days before 1970-01-01; Monday is 0. */
#define FIRST_DAY (-25932)
#define FIRST_WEEKDAY 6

static void test_every_day(void **state)
{
    (void)state;
    int32_t day = FIRST_DAY, weekday = FIRST_WEEKDAY;
    for (int32_t year = 1899; year <= 2200; year++) {
        for (int32_t month = 1; month <= 12; month++) {
            int32_t first = day;
            assert_int_equal(uw_days_in_month(year, month), month_length(year, month));
            for (int32_t number = 1; number <= month_length(year, month); number++, day++) {
                char text[UW_DATE_TEXT_BYTES], expected[40];
                int32_t parsed = UW_DAY_NONE;
                struct uw_civil civil = uw_civil_from_day(day);
                assert_int_equal(uw_day_from_civil(year, month, number), day);
                assert_true(civil.year == year && civil.month == month && civil.day == number);
                assert_int_equal(uw_week_start(day), day - weekday);
                assert_int_equal(uw_month_start(day), first);
                assert_int_equal(uw_month_end(day), first + month_length(year, month) - 1);
                uw_date_format(day, text);
                snprintf(expected, sizeof expected, "%04d-%02d-%02d", (int)year, (int)month, (int)number);
                assert_string_equal(text, expected);
                assert_true(uw_date_parse(uw_str_from(text), &parsed));
                assert_int_equal(parsed, day);
                weekday = (weekday + 1) % 7;
            }
        }
    }
}

static void test_limits_of_events(void **state)
{
    (void)state;
    assert_int_equal(uw_day_from_civil(1970, 1, 1), 0);
    assert_int_equal(uw_day_from_civil(1900, 1, 1), UW_DAY_MIN);
    assert_int_equal(uw_day_from_civil(2199, 12, 31), UW_DAY_MAX);
    assert_int_equal(uw_utc_day(UW_INSTANT_MIN), UW_DAY_MIN);
    assert_int_equal(uw_utc_day(UW_INSTANT_MIN - 1), UW_DAY_MIN - 1);
    assert_int_equal(uw_utc_day(UW_INSTANT_MAX), UW_DAY_MAX);
    assert_int_equal(uw_utc_day(UW_INSTANT_MAX + 1), UW_DAY_MAX + 1);
}

static void test_utc_day_rounds_down(void **state)
{
    (void)state;
    assert_int_equal(uw_utc_day(0), 0);
    assert_int_equal(uw_utc_day(UW_MS_PER_DAY - 1), 0);
    assert_int_equal(uw_utc_day(UW_MS_PER_DAY), 1);
    assert_int_equal(uw_utc_day(-1), -1);
    assert_int_equal(uw_utc_day(-UW_MS_PER_DAY), -1);
    assert_int_equal(uw_utc_day(-UW_MS_PER_DAY - 1), -2);
}

static void check_months(int32_t year, int32_t month, int32_t day, int32_t months, int32_t to_year, int32_t to_month,
                         int32_t to_day)
{
    assert_int_equal(uw_add_months(uw_day_from_civil(year, month, day), months),
                     uw_day_from_civil(to_year, to_month, to_day));
}

static void test_months_clamp_and_count_from_the_anchor(void **state)
{
    (void)state;
    check_months(2026, 1, 31, 1, 2026, 2, 28);
    check_months(2024, 1, 31, 1, 2024, 2, 29);
    check_months(2026, 1, 31, 2, 2026, 3, 31);
    check_months(2026, 1, 31, 3, 2026, 4, 30);
    check_months(2025, 11, 30, 3, 2026, 2, 28);
    check_months(2025, 12, 1, 1, 2026, 1, 1);
    check_months(2024, 2, 29, 12, 2025, 2, 28);
    check_months(2024, 2, 29, 36, 2027, 2, 28);
    check_months(2024, 2, 29, 48, 2028, 2, 29);
    check_months(2096, 2, 29, 48, 2100, 2, 28);
    check_months(1996, 2, 29, 48, 2000, 2, 29);
    check_months(2026, 3, 31, -1, 2026, 2, 28);
    check_months(2026, 1, 15, -1, 2025, 12, 15);
    check_months(2026, 1, 15, -13, 2024, 12, 15);
    check_months(1900, 1, 31, -1, 1899, 12, 31);
    check_months(2199, 12, 31, 120, 2209, 12, 31);
    check_months(2026, 5, 31, 0, 2026, 5, 31);
}

/* Every anchor and number of months: the month is right, and the day the anchor's or the month's last. */
static void test_months_over_years(void **state)
{
    (void)state;
    for (int32_t anchor = uw_day_from_civil(2023, 1, 1); anchor <= uw_day_from_civil(2028, 12, 31); anchor++) {
        struct uw_civil from = uw_civil_from_day(anchor);
        for (int32_t months = -30; months <= 130; months++) {
            struct uw_civil to = uw_civil_from_day(uw_add_months(anchor, months));
            assert_int_equal(to.year * 12 + to.month, from.year * 12 + from.month + months);
            int32_t last = month_length(to.year, to.month);
            assert_int_equal(to.day, from.day < last ? from.day : last);
        }
    }
}

/* Years with 53 ISO weeks start on a Thursday, or are leap and start on a Wednesday. */
static void test_iso_week_53(void **state)
{
    (void)state;
    assert_int_equal(uw_week_start(uw_day_from_civil(2021, 1, 3)), uw_day_from_civil(2020, 12, 28));
    assert_int_equal(uw_week_start(uw_day_from_civil(2021, 1, 4)), uw_day_from_civil(2021, 1, 4));
    assert_int_equal(uw_week_start(uw_day_from_civil(2027, 1, 3)), uw_day_from_civil(2026, 12, 28));
    for (int32_t year = 1900; year <= 2199; year++) {
        int32_t first = uw_week_start(uw_day_from_civil(year, 1, 4)), next = uw_week_start(uw_day_from_civil(year + 1, 1, 4));
        int32_t weekday = uw_day_from_civil(year, 1, 1) - uw_week_start(uw_day_from_civil(year, 1, 1));
        bool is_long = weekday == 3 || (weekday == 2 && is_leap(year));
        assert_int_equal((next - first) / 7, is_long ? 53 : 52);
    }
}

static void test_parse_refuses(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",           "2026-3-01",   "2026-03-1",  "2026-03-011", "2026/03/01",
                                        "2026-02-29", "2100-02-29",  "2026-00-01", "2026-13-01",  "2026-01-00",
                                        "2026-01-32", "2026-04-31",  "1799-12-31", "2301-01-01",  "+026-01-01",
                                        " 026-01-01", "2026-01-0x",  "20260101",   "2026-01-01T", "2026-1 -01",
                                        "0000-00-00", "2026-01--1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int32_t day = 77;
        assert_false(uw_date_parse(uw_str_from(wrong[i]), &day));
        assert_int_equal(day, 77);
    }
    int32_t day = 77;
    assert_false(uw_date_parse((struct uw_str){"2026-01-01", 9}, &day));
    assert_true(uw_date_parse(UW_STR("2024-02-29"), &day));
    assert_int_equal(day, uw_day_from_civil(2024, 2, 29));
    assert_true(uw_date_parse(UW_STR("1800-01-01"), &day));
    assert_true(uw_date_parse(UW_STR("2300-12-31"), &day));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_limits_of_events),
        cmocka_unit_test(test_utc_day_rounds_down),
        cmocka_unit_test(test_months_clamp_and_count_from_the_anchor),
        cmocka_unit_test(test_months_over_years),
        cmocka_unit_test(test_iso_week_53),
        cmocka_unit_test(test_parse_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
