#include "cli/command.h"
#include "cli/terminal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES 1024              /* of one message; the rest is cut */
#define LINE_BYTES (TEXT_BYTES * 6 + 128) /* every byte may become \u00XX */

/* Set once at the start, before any other thread runs. */
static enum uw_log_level shown_level = UW_LOG_INFO;
static bool as_json;

static _Thread_local const char *thread_name = "";

static const char *level_name(enum uw_log_level level)
{
    switch (level) {
    case UW_LOG_ERROR:
        return "error";
    case UW_LOG_WARNING:
        return "warning";
    case UW_LOG_INFO:
        return "info";
    case UW_LOG_DEBUG:
        return "debug";
    }
    return "?";
}

void uw_log_start(const char *level, const char *format)
{
    for (enum uw_log_level each = UW_LOG_ERROR; each <= UW_LOG_DEBUG; each++) {
        if (strcmp(level, level_name(each)) == 0) {
            shown_level = each;
        }
    }
    as_json = strcmp(format, "json") == 0;
}

void uw_log_name_thread(const char *name)
{
    thread_name = name;
}

/* One write a line, so that lines of several threads or processes do not mix. */
static void write_line(const char *line, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, line, length);
        if (written <= 0) {
            return; /* nowhere left to say it */
        }
        line += written;
        length -= (size_t)written;
    }
}

/* Copies text without control characters; as the inside of a JSON string when asked. */
static size_t escape(const char *text, bool json, char *to)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (json && (*at == '"' || *at == '\\')) {
            to[used++] = '\\';
            to[used++] = (char)*at;
        } else if (*at >= 0x20 && *at != 0x7f) {
            to[used++] = (char)*at;
        } else if (json) {
            memcpy(to + used, "\\u00", 4);
            to[used + 4] = digits[*at >> 4];
            to[used + 5] = digits[*at & 15];
            used += 6;
        } else {
            to[used++] = ' ';
        }
    }
    return used;
}

void uw_log(enum uw_log_level level, const char *format, ...)
{
    char text[TEXT_BYTES], line[LINE_BYTES], date[UW_DATE_TEXT_BYTES];
    if (level > shown_level) {
        return;
    }
    size_t named = (size_t)snprintf(text, sizeof(text), "%s", thread_name);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + named, sizeof(text) - named, format, arguments);
    va_end(arguments);
    int64_t now = uw_clock_ms();
    int64_t of_day = now % UW_MS_PER_DAY;
    uw_date_format(uw_utc_day(now), date);
    int head = snprintf(line, sizeof(line),
                        as_json ? "{\"time\":\"%sT%02d:%02d:%02d.%03dZ\",\"level\":\"%s\",\"message\":\""
                                : "%sT%02d:%02d:%02d.%03dZ %s ",
                        date, (int)(of_day / 3600000), (int)(of_day / 60000 % 60), (int)(of_day / 1000 % 60),
                        (int)(of_day % 1000), level_name(level));
    size_t used = (size_t)head;
    used += escape(text, as_json, line + used);
    if (as_json) {
        line[used++] = '"';
        line[used++] = '}';
    }
    line[used++] = '\n';
    uw_terminal_yield();
    write_line(line, used);
}

void uw_complain(const char *format, ...)
{
    char text[TEXT_BYTES], line[TEXT_BYTES + 16] = "urenwacht: ";
    size_t named = (size_t)snprintf(text, sizeof(text), "%s", thread_name);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + named, sizeof(text) - named, format, arguments);
    va_end(arguments);
    size_t used = strlen(line);
    used += escape(text, false, line + used);
    line[used++] = '\n';
    uw_terminal_yield();
    write_line(line, used);
}
