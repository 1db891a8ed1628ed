/*
 * Figures for Prometheus, in the text format 0.0.4: what `serve` and `process` share of writing them. Names end with
 * their unit, counters with _total (Prometheus' "Metric and label naming").
 */
#ifndef UW_DASHBOARD_EXPOSITION_H
#define UW_DASHBOARD_EXPOSITION_H

#include "dashboard/http.h"

#define UW_EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* HELP and TYPE, once before the lines of a name. */
void uw_exposition_head(struct uw_text *text, const char *name, const char *type, const char *help);
/* One line, "name{label=\"value\"} number", without its newline. Label values are names that need no escaping. */
void uw_exposition_line(struct uw_text *text, const char *format, ...) UW_PRINTF(2, 3);

/* Durations, counted under upper bounds. Written by one thread. */
#define UW_HISTOGRAM_BOUNDS 14
struct uw_histogram {
    uint64_t within[UW_HISTOGRAM_BOUNDS]; /* cumulative */
    uint64_t count;
    int64_t sum_us;
};
void uw_histogram_add(struct uw_histogram *histogram, int64_t duration_us);
void uw_histogram_merge(struct uw_histogram *sum, const struct uw_histogram *histogram);
/* The lines of one histogram; `labels` is "" or "name=\"value\"". */
void uw_exposition_histogram(struct uw_text *text, const char *name, const char *labels,
                             const struct uw_histogram *histogram);

/* Program, library versions, and what the process takes of the machine. */
void uw_exposition_process(struct uw_text *text);

#endif
