#include "tests/support/sample.h"

#include <stdlib.h>
#include <string.h>

static struct uw_event sample(uint32_t number, enum uw_topic topic, int32_t recorded_day)
{
    struct uw_event event;
    memset(&event, 0, sizeof event);
    event.topic = topic;
    for (uint32_t i = 0; i < 4; i++) {
        event.event_id.bytes[15 - i] = (uint8_t)(number >> (8 * i));
    }
    event.recorded_at_ms = recorded_day * UW_MS_PER_DAY;
    event.municipality = UW_STR("0363");
    event.client = UW_STR("c1");
    event.decision = UW_STR("WMO-1");
    event.provider = topic == UW_TOPIC_EVALUATIONS ? UW_STR_NULL : UW_STR("41410001");
    return event;
}

struct uw_event uw_sample_decision(uint32_t number)
{
    int32_t day = UW_DATE(2026, 1, 1);
    struct uw_event event = sample(number, UW_TOPIC_DECISIONS, day);
    event.of.decision = (struct uw_decision){.version = 1,
                                             .status = UW_DECISION_ACTIVE,
                                             .law = UW_LAW_WMO,
                                             .product_category = UW_STR("02"),
                                             .product = UW_STR("02A03"),
                                             .care = UW_CARE_CONTINUOUS,
                                             .valid_from_day = day,
                                             .valid_to_day = UW_DAY_NONE,
                                             .effective_from_day = day,
                                             .terms = uw_sample_pxq(UW_FREQUENCY_WEEK, 600),
                                             .no_show = {100, UW_INT_NONE, 24, true},
                                             .rate_cents_per_hour = UW_INT_NONE};
    return event;
}

struct uw_event uw_sample_line(uint32_t number, const char *line, int32_t day, int32_t minutes)
{
    struct uw_event event = sample(number, UW_TOPIC_DECLARATIONS, day);
    event.of.declaration = (struct uw_declaration){.line = uw_str_from(line),
                                                   .kind = UW_LINE_DEBIT,
                                                   .corrects = UW_STR_NULL,
                                                   .performed_on_day = day,
                                                   .performed_until_day = UW_DAY_NONE,
                                                   .started_at_ms = UW_INSTANT_NONE,
                                                   .minutes = minutes,
                                                   .staff = UW_STR_NULL};
    return event;
}

struct uw_event uw_sample_credit(uint32_t number, const char *line, const char *corrects, int32_t day, int32_t minutes)
{
    struct uw_event event = uw_sample_line(number, line, day, minutes);
    event.of.declaration.kind = UW_LINE_CREDIT;
    event.of.declaration.corrects = uw_str_from(corrects);
    return event;
}

struct uw_event uw_sample_no_show(uint32_t number, const char *no_show, int32_t day, int32_t minutes)
{
    struct uw_event event = sample(number, UW_TOPIC_NO_SHOWS, day);
    event.of.no_show = (struct uw_no_show){.no_show = uw_str_from(no_show),
                                           .status = UW_NO_SHOW_REPORTED,
                                           .appointment_on_day = day,
                                           .appointment_at_ms = UW_INSTANT_NONE,
                                           .planned_minutes = minutes,
                                           .reason = UW_REASON_CLIENT_ABSENT,
                                           .notice_minutes = UW_INT_NONE,
                                           .staff = UW_STR_NULL};
    return event;
}

struct uw_event uw_sample_evaluation(uint32_t number, int32_t day)
{
    struct uw_event event = sample(number, UW_TOPIC_EVALUATIONS, day);
    event.of.evaluation = (struct uw_evaluation){day, UW_EVALUATION_CONTINUE};
    return event;
}

struct uw_terms uw_sample_pxq(enum uw_frequency frequency, int32_t volume_minutes)
{
    return (struct uw_terms){.model = UW_MODEL_PXQ, .frequency = frequency, .volume_minutes = volume_minutes};
}

struct uw_terms uw_sample_bandwidth(enum uw_frequency frequency, int32_t min_minutes, int32_t max_minutes)
{
    return (struct uw_terms){.model = UW_MODEL_BANDWIDTH,
                             .frequency = frequency,
                             .min_minutes = min_minutes,
                             .max_minutes = max_minutes};
}

struct uw_terms uw_sample_year(int32_t minutes_per_year)
{
    return (struct uw_terms){.model = UW_MODEL_YEAR_BUDGET, .minutes_per_year = minutes_per_year};
}

struct uw_terms uw_sample_surplus(int32_t minutes_per_week, int32_t surplus_minutes)
{
    return (struct uw_terms){.model = UW_MODEL_FIXED_PLUS_SURPLUS,
                             .minutes_per_week = minutes_per_week,
                             .surplus_minutes = surplus_minutes};
}

struct uw_terms uw_sample_result(int32_t expected_minutes_per_week)
{
    return (struct uw_terms){.model = UW_MODEL_RESULT,
                             .result = UW_STR("structuur"),
                             .price_cents = 1000,
                             .expected_minutes_per_week = expected_minutes_per_week};
}

struct uw_terms uw_sample_task(void)
{
    return (struct uw_terms){.model = UW_MODEL_TASK};
}

/* ---- a client under test ---- */

void uw_subject_open(struct uw_subject_under_test *subject)
{
    memset(subject, 0, sizeof *subject);
    uw_client_init(&subject->client);
    uw_fold_init(&subject->fold);
    uw_thresholds_default(&subject->settings.defaults);
}

void uw_subject_close(struct uw_subject_under_test *subject)
{
    uw_client_close(&subject->client);
    uw_fold_close(&subject->fold);
}

bool uw_subject_add(struct uw_subject_under_test *subject, const struct uw_event *event)
{
    struct uw_refusal refusal;
    bool redelivery = false;
    if (uw_event_validate(event, &refusal) != UW_OK || uw_client_add(&subject->client, event, &redelivery) != UW_OK) {
        abort();
    }
    return redelivery;
}

void uw_subject_fold(struct uw_subject_under_test *subject, int32_t as_of_day)
{
    if (uw_fold_run(&subject->fold, &subject->client, &subject->settings, as_of_day) != UW_OK) {
        abort();
    }
}

uint32_t uw_subject_count(const struct uw_subject_under_test *subject, enum uw_alert_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < subject->fold.alert_count; i++) {
        count += subject->fold.alerts[i].state.kind == (uint8_t)kind;
    }
    return count;
}

const struct uw_alert *uw_subject_alert(const struct uw_subject_under_test *subject, enum uw_alert_kind kind)
{
    const struct uw_alert *found = NULL;
    for (uint32_t i = 0; i < subject->fold.alert_count; i++) {
        if (subject->fold.alerts[i].state.kind == (uint8_t)kind) {
            found = &subject->fold.alerts[i];
        }
    }
    return uw_subject_count(subject, kind) == 1 ? found : NULL;
}

uint32_t uw_subject_anomaly_count(const struct uw_subject_under_test *subject, enum uw_anomaly_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < subject->fold.anomaly_count; i++) {
        count += subject->fold.anomalies[i].state.kind == (uint8_t)kind;
    }
    return count;
}

const struct uw_anomaly *uw_subject_anomaly(const struct uw_subject_under_test *subject, enum uw_anomaly_kind kind)
{
    const struct uw_anomaly *found = NULL;
    for (uint32_t i = 0; i < subject->fold.anomaly_count; i++) {
        if (subject->fold.anomalies[i].state.kind == (uint8_t)kind) {
            found = &subject->fold.anomalies[i];
        }
    }
    return uw_subject_anomaly_count(subject, kind) == 1 ? found : NULL;
}

const struct uw_account *uw_subject_account(const struct uw_subject_under_test *subject, int32_t period_from_day)
{
    for (uint32_t i = 0; i < subject->fold.account_count; i++) {
        if (subject->fold.accounts[i].period_from_day == period_from_day) {
            return &subject->fold.accounts[i];
        }
    }
    return NULL;
}
