/*
 * Civil dates as days since 1970-01-01 (proleptic Gregorian calendar). All functions are total for the years
 * 1800 to 2300, which holds every date that an event may carry and every date derived from one.
 */
#ifndef UW_CORE_DATE_H
#define UW_CORE_DATE_H

#include "types.h"

/* Dates and instants of events lie in 1900-01-01 .. 2199-12-31 (SPEC section 2). */
#define UW_DAY_MIN (-25567)
#define UW_DAY_MAX 84005
#define UW_MS_PER_DAY INT64_C(86400000)
#define UW_INSTANT_MIN (UW_DAY_MIN * UW_MS_PER_DAY)
#define UW_INSTANT_MAX (UW_DAY_MAX * UW_MS_PER_DAY + UW_MS_PER_DAY - 1)

struct uw_civil {
    int32_t year;
    int32_t month; /* 1..12 */
    int32_t day;   /* 1..31 */
};

int32_t uw_day_from_civil(int32_t year, int32_t month, int32_t day);
struct uw_civil uw_civil_from_day(int32_t day);
int32_t uw_days_in_month(int32_t year, int32_t month);

/* The anchor moved by whole months, clamped to the month's last day (SPEC section 1). */
int32_t uw_add_months(int32_t anchor_day, int32_t months);

/* Monday of the ISO week, first of the month. */
int32_t uw_week_start(int32_t day);
int32_t uw_month_start(int32_t day);
int32_t uw_month_end(int32_t day);

/* The UTC date of an instant; rounds down before 1970. */
int32_t uw_utc_day(int64_t instant_ms);

/* "2026-03-01"; writes 10 bytes and a NUL. */
#define UW_DATE_TEXT_BYTES 11
void uw_date_format(int32_t day, char text[UW_DATE_TEXT_BYTES]);
/* Accepts exactly YYYY-MM-DD of an existing day of the years 1800..2300. */
bool uw_date_parse(struct uw_str text, int32_t *day) UW_MUST_USE;

#endif
