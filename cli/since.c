#include "cli/since.h"

#include <stdio.h>

#include "core/date.h"

/* "90s", "15m", "2h", "7d": that long before now. */
static bool parse_ago(struct uw_str text, int64_t now_ms, int64_t *since_ms)
{
    int64_t number = 0, unit_ms;

    if (text.length < 2 || text.length > 8)
        return false;
    for (uint32_t i = 0; i + 1 < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        number = number * 10 + (text.data[i] - '0');
    }
    switch (text.data[text.length - 1]) {
    case 's':
        unit_ms = 1000;
        break;
    case 'm':
        unit_ms = 60 * 1000;
        break;
    case 'h':
        unit_ms = 60 * 60 * 1000;
        break;
    case 'd':
        unit_ms = UW_MS_PER_DAY;
        break;
    default:
        return false;
    }
    *since_ms = number * unit_ms < now_ms ? now_ms - number * unit_ms : 0;
    return true;
}

bool uw_since_parse(const char *text, int64_t now_ms, int64_t *since_ms)
{
    struct uw_str all = uw_str_from(text);
    struct uw_str date = {all.data, all.length < 10 ? all.length : 10};
    int32_t day;
    unsigned hour = 0, minute = 0, second = 0;
    char zone = 'Z';
    int used = 0;

    if (parse_ago(all, now_ms, since_ms))
        return true;
    if (!uw_date_parse(date, &day) || day < 0)
        return false;
    if (all.length > 10 &&
        (sscanf(all.data + 10, "T%2u:%2u:%2u%c%n", &hour, &minute, &second, &zone, &used) != 4 ||
         (uint32_t)used != all.length - 10 || zone != 'Z' || hour > 23 || minute > 59 || second > 59))
        return false;
    *since_ms = day * UW_MS_PER_DAY + ((int64_t)hour * 3600 + minute * 60 + second) * 1000;
    return true;
}
