#include "dashboard/exposition.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <libpq-fe.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 300

static const int64_t bounds_us[UW_HISTOGRAM_BOUNDS] = {1000,   2500,    5000,    10000,   25000,    50000,    100000,
                                                       250000, 500000,  1000000, 2500000, 5000000, 10000000, 60000000};

void uw_exposition_line(struct uw_text *text, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    uw_text_add_literal(text, line);
    uw_text_add_literal(text, "\n");
}

void uw_exposition_head(struct uw_text *text, const char *name, const char *type, const char *help)
{
    uw_exposition_line(text, "# HELP %s %s", name, help);
    uw_exposition_line(text, "# TYPE %s %s", name, type);
}

void uw_histogram_add(struct uw_histogram *histogram, int64_t duration_us)
{
    for (size_t i = 0; i < UW_HISTOGRAM_BOUNDS; i++) {
        histogram->within[i] += duration_us <= bounds_us[i] ? 1u : 0u;
    }
    histogram->count++;
    histogram->sum_us += duration_us;
}

void uw_histogram_merge(struct uw_histogram *sum, const struct uw_histogram *histogram)
{
    for (size_t i = 0; i < UW_HISTOGRAM_BOUNDS; i++) {
        sum->within[i] += histogram->within[i];
    }
    sum->count += histogram->count;
    sum->sum_us += histogram->sum_us;
}

void uw_exposition_histogram(struct uw_text *text, const char *name, const char *labels,
                             const struct uw_histogram *histogram)
{
    const char *comma = labels[0] == '\0' ? "" : ",";
    const char *open = labels[0] == '\0' ? "" : "{", *close = labels[0] == '\0' ? "" : "}";
    for (size_t i = 0; i < UW_HISTOGRAM_BOUNDS; i++) {
        uw_exposition_line(text, "%s_bucket{%s%sle=\"%g\"} %" PRIu64, name, labels, comma, (double)bounds_us[i] / 1e6,
                           histogram->within[i]);
    }
    uw_exposition_line(text, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64, name, labels, comma, histogram->count);
    uw_exposition_line(text, "%s_sum%s%s%s %.6f", name, open, labels, close, (double)histogram->sum_us / 1e6);
    uw_exposition_line(text, "%s_count%s%s%s %" PRIu64, name, open, labels, close, histogram->count);
}

/* Pages in memory, from /proc; 0 where there is no such file. */
static int64_t resident_bytes(void)
{
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) {
        return 0;
    }
    if (fscanf(file, "%*d %lld", &pages) != 1) {
        pages = 0;
    }
    fclose(file);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

/* Seconds since 1970 at which the process began: the boot, plus the ticks that /proc tells; 0 where it does not. */
static double start_seconds(void)
{
    unsigned long long ticks = 0;
    struct timespec now, since_boot;
    FILE *file = fopen("/proc/self/stat", "r");
    if (file == NULL) {
        return 0;
    }
    /* The name stands in parentheses and has no space: it is ours. */
    if (fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &ticks) != 1) {
        ticks = 0;
    }
    fclose(file);
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &since_boot);
    return (double)(now.tv_sec - since_boot.tv_sec) + (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

void uw_exposition_process(struct uw_text *text)
{
    struct rusage usage;
    int pq = PQlibVersion();
    (void)getrusage(RUSAGE_SELF, &usage);
    uw_exposition_head(text, "urenwacht_build_info", "gauge", "The program's version and its libraries'.");
    uw_exposition_line(text,
                       "urenwacht_build_info{version=\"%s\",librdkafka=\"%s\",libpq=\"%d.%d\",libmicrohttpd=\"%s\"} 1",
                       UW_VERSION, rd_kafka_version_str(), pq / 10000, pq % 10000, MHD_get_version());
    uw_exposition_head(text, "process_resident_memory_bytes", "gauge", "Resident memory.");
    uw_exposition_line(text, "process_resident_memory_bytes %" PRId64, resident_bytes());
    uw_exposition_head(text, "process_cpu_seconds_total", "counter", "Processor time, user and system.");
    uw_exposition_line(text, "process_cpu_seconds_total %.3f",
                       (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    uw_exposition_head(text, "process_start_time_seconds", "gauge", "When the process began, since 1970.");
    uw_exposition_line(text, "process_start_time_seconds %.2f", start_seconds());
}
