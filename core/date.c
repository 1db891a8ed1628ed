#include "core/date.h"

#include <stdio.h>

/* Division that rounds towards minus infinity, for the years before 1970. */
static int64_t floor_div(int64_t numerator, int64_t denominator)
{
    int64_t quotient = numerator / denominator;
    return quotient - (numerator % denominator != 0 && (numerator < 0) != (denominator < 0));
}

/* Years are counted from March, so that the leap day is the last of its year; eras are 400 years. */
int32_t uw_day_from_civil(int32_t year, int32_t month, int32_t day)
{
    int32_t shifted_year = month <= 2 ? year - 1 : year;
    int32_t era = (int32_t)floor_div(shifted_year, 400);
    int32_t year_of_era = shifted_year - era * 400;
    int32_t month_from_march = (month + 9) % 12;
    int32_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct uw_civil uw_civil_from_day(int32_t day)
{
    int32_t shifted = day + 719468;
    int32_t era = (int32_t)floor_div(shifted, 146097);
    int32_t day_of_era = shifted - era * 146097;
    int32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int32_t month_from_march = (5 * day_of_year + 2) / 153;
    struct uw_civil civil;
    civil.day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    civil.month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    civil.year = year_of_era + era * 400 + (civil.month <= 2);
    return civil;
}

static bool is_leap_year(int32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int32_t uw_days_in_month(int32_t year, int32_t month)
{
    static const int8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap_year(year) ? 29 : days[month - 1];
}

int32_t uw_add_months(int32_t anchor_day, int32_t months)
{
    struct uw_civil anchor = uw_civil_from_day(anchor_day);
    int64_t month_index = (int64_t)anchor.year * 12 + anchor.month - 1 + months;
    int32_t year = (int32_t)floor_div(month_index, 12);
    int32_t month = (int32_t)(month_index - (int64_t)year * 12) + 1;
    int32_t last = uw_days_in_month(year, month);
    return uw_day_from_civil(year, month, anchor.day < last ? anchor.day : last);
}

int32_t uw_week_start(int32_t day)
{
    /* 1970-01-01 was a Thursday: day -3 is a Monday. */
    return (int32_t)floor_div((int64_t)day + 3, 7) * 7 - 3;
}

int32_t uw_month_start(int32_t day)
{
    return day - uw_civil_from_day(day).day + 1;
}

int32_t uw_month_end(int32_t day)
{
    struct uw_civil civil = uw_civil_from_day(day);
    return day - civil.day + uw_days_in_month(civil.year, civil.month);
}

int32_t uw_utc_day(int64_t instant_ms)
{
    return (int32_t)floor_div(instant_ms, UW_MS_PER_DAY);
}

void uw_date_format(int32_t day, char text[UW_DATE_TEXT_BYTES])
{
    struct uw_civil civil = uw_civil_from_day(day);
    /* The masks show the compiler what every date here satisfies: four digits and two. */
    snprintf(text, UW_DATE_TEXT_BYTES, "%04u-%02u-%02u", (unsigned)civil.year % 10000u, (unsigned)civil.month % 100u,
             (unsigned)civil.day % 100u);
}

static bool digits(const char *text, uint32_t count, int32_t *value)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        sum = sum * 10 + (text[i] - '0');
    }
    *value = sum;
    return true;
}

bool uw_date_parse(struct uw_str text, int32_t *day)
{
    int32_t year, month, day_of_month;
    if (text.length != 10 || text.data[4] != '-' || text.data[7] != '-' || !digits(text.data, 4, &year) ||
        !digits(text.data + 5, 2, &month) || !digits(text.data + 8, 2, &day_of_month)) {
        return false;
    }
    if (year < 1800 || year > 2300 || month < 1 || month > 12 || day_of_month < 1 ||
        day_of_month > uw_days_in_month(year, month)) {
        return false;
    }
    *day = uw_day_from_civil(year, month, day_of_month);
    return true;
}
