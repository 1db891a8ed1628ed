/* Plain valid events that a test changes where it matters, and days written as dates. */
#ifndef UW_TESTS_SAMPLE_H
#define UW_TESTS_SAMPLE_H

#include "core/fold.h"

#define UW_DATE(year, month, day) uw_day_from_civil((year), (month), (day))

/* Of client c1, municipality 0363, decision WMO-1, provider 41410001; the number makes the event's id. */
/* Version 1 from 2026-01-01 without an end: Pxq, 600 minutes a week; every no-show counts in full. */
struct uw_event uw_sample_decision(uint32_t number);
/* A debit of one day, recorded on that day, without start and staff. */
struct uw_event uw_sample_line(uint32_t number, const char *line, int32_t day, int32_t minutes);
struct uw_event uw_sample_credit(uint32_t number, const char *line, const char *corrects, int32_t day,
                                 int32_t minutes);
/* CLIENT_ABSENT, without a time and staff. */
struct uw_event uw_sample_no_show(uint32_t number, const char *no_show, int32_t day, int32_t minutes);
struct uw_event uw_sample_evaluation(uint32_t number, int32_t day);

struct uw_terms uw_sample_pxq(enum uw_frequency frequency, int32_t volume_minutes);
struct uw_terms uw_sample_bandwidth(enum uw_frequency frequency, int32_t min_minutes, int32_t max_minutes);
struct uw_terms uw_sample_year(int32_t minutes_per_year);
struct uw_terms uw_sample_surplus(int32_t minutes_per_week, int32_t surplus_minutes);
struct uw_terms uw_sample_result(int32_t expected_minutes_per_week);
struct uw_terms uw_sample_task(void);

/* A client under test with its fold; thresholds are those of SPEC. */
struct uw_subject_under_test {
    struct uw_client client;
    struct uw_fold fold;
    struct uw_settings settings;
};

void uw_subject_open(struct uw_subject_under_test *subject);
void uw_subject_close(struct uw_subject_under_test *subject);
/* Adds an event, which must be valid; true when it was a redelivery. Aborts when memory is refused. */
bool uw_subject_add(struct uw_subject_under_test *subject, const struct uw_event *event);
/* Folds as of a day; the results are in subject->fold. */
void uw_subject_fold(struct uw_subject_under_test *subject, int32_t as_of_day);

/* In the last fold: how many there are, and the only one, NULL unless there is exactly one. */
uint32_t uw_subject_count(const struct uw_subject_under_test *subject, enum uw_alert_kind kind);
const struct uw_alert *uw_subject_alert(const struct uw_subject_under_test *subject, enum uw_alert_kind kind);
uint32_t uw_subject_anomaly_count(const struct uw_subject_under_test *subject, enum uw_anomaly_kind kind);
const struct uw_anomaly *uw_subject_anomaly(const struct uw_subject_under_test *subject, enum uw_anomaly_kind kind);
/* The account whose period starts on the day, NULL when there is none. */
const struct uw_account *uw_subject_account(const struct uw_subject_under_test *subject, int32_t period_from_day);

#endif
