#include "cli/command.h"

#include <stdlib.h>
#include <time.h>

#define ZONE "Europe/Amsterdam"

static int64_t read_clock(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t uw_clock_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t uw_clock_monotonic_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static int local_hour(time_t instant)
{
    struct tm local;
    return localtime_r(&instant, &local) != NULL ? local.tm_hour : -1;
}

/* The C library takes a zone that is not installed for UTC without a word, so the zone is tried on two
 * instants of which winter and summer time are known. */
static bool zone_works(void)
{
    return local_hour(1704067200) == 1 && local_hour(1719792000) == 2; /* 2024-01-01, 2024-07-01, 00:00 UTC */
}

enum uw_code uw_clock_today(int32_t *day, struct uw_error *error)
{
    static bool zone_set;
    if (!zone_set) {
        if (setenv("TZ", ZONE, 1) != 0) {
            return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the time zone");
        }
        tzset();
        if (!zone_works()) {
            return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                                "the time zone " ZONE " is not installed (Debian: package tzdata)");
        }
        zone_set = true;
    }
    time_t now = (time_t)(uw_clock_ms() / 1000);
    struct tm local;
    if (localtime_r(&now, &local) == NULL) {
        return uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL, "the clock stands outside the calendar");
    }
    *day = uw_day_from_civil(local.tm_year + 1900, local.tm_mon + 1, local.tm_mday);
    return UW_OK;
}
