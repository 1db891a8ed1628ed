/* core/client_pack.h: a client is the same after it was packed, and bytes that are no client's do no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/client_pack.h"
#include "tests/support/random.h"
#include "tests/support/sample.h"

static int64_t any_instant(struct uw_random *random)
{
    static const int64_t grains[] = {1, 1000, 60000, UW_MS_PER_DAY};
    int64_t grain = grains[uw_random_below(random, 4)];
    int64_t day = UW_RANDOM_PICK(random, UW_DAY_MIN, UW_DAY_MAX, 0, 20454, 20500);
    return day * UW_MS_PER_DAY + (int64_t)(uw_random_bits(random) % (uint64_t)UW_MS_PER_DAY) / grain * grain;
}

static int32_t any_day(struct uw_random *random)
{
    return UW_RANDOM_PICK(random, UW_DAY_MIN, UW_DAY_MAX, 0, 20454, 20455, 20600);
}

static void vary_head(struct uw_random *random, struct uw_event *event, char text[8])
{
    snprintf(text, 8, "D-%u", (unsigned)uw_random_below(random, 3));
    event->decision = uw_str_from(text);
    event->recorded_at_ms = any_instant(random);
    for (uint32_t i = 0; i < sizeof event->event_id.bytes; i++) {
        event->event_id.bytes[i] = (uint8_t)uw_random_bits(random);
    }
    event->event_id.upper = uw_random_chance(random, 20) ? (uint32_t)uw_random_bits(random) : 0;
}

static struct uw_event any_decision(struct uw_random *random, uint32_t number)
{
    static const char result[400] = "r";
    struct uw_event event = uw_sample_decision(number);
    struct uw_decision *decision = &event.of.decision;
    const struct uw_terms terms[] = {uw_sample_pxq(UW_FREQUENCY_YEAR, INT32_MAX), uw_sample_surplus(0, 1),
                                     uw_sample_bandwidth(UW_FREQUENCY_MONTH, 5, 6), uw_sample_task(),
                                     uw_sample_result(UW_INT_NONE), uw_sample_year(9)};
    decision->version = UW_RANDOM_PICK(random, 1, 2, 3, INT32_MAX);
    decision->valid_from_day = any_day(random);
    decision->valid_to_day = uw_random_chance(random, 50) ? UW_DAY_NONE : any_day(random);
    decision->effective_from_day = any_day(random);
    decision->terms = terms[uw_random_below(random, 6)];
    if (decision->terms.model == UW_MODEL_RESULT) {
        decision->terms.result = (struct uw_str){result, (uint32_t)UW_RANDOM_PICK(random, 0, 1, 254, 255, 256, 400)};
    }
    decision->no_show.max_per_month = UW_RANDOM_PICK(random, UW_INT_NONE, 0, INT32_MAX);
    decision->rate_cents_per_hour = UW_RANDOM_PICK(random, UW_INT_NONE, 0, 6000);
    decision->status = (enum uw_decision_status)UW_RANDOM_PICK(random, UW_DECISION_ACTIVE, UW_DECISION_WITHDRAWN);
    decision->law = (enum uw_law)UW_RANDOM_PICK(random, UW_LAW_WMO, UW_LAW_PARTICIPATIEWET);
    return event;
}

static void add_any(struct uw_random *random, struct uw_client *client, uint32_t number)
{
    char id[16], decision[8];
    snprintf(id, sizeof id, "L%u", (unsigned)uw_random_below(random, 40));
    struct uw_event event = uw_sample_evaluation(number, any_day(random));
    switch (uw_random_below(random, 4)) {
    case 0:
        event = any_decision(random, number);
        break;
    case 1:
        event = uw_random_chance(random, 20) ? uw_sample_credit(number, id, "L1", any_day(random), 1)
                                             : uw_sample_line(number, id, any_day(random), INT32_MAX);
        event.of.declaration.performed_until_day =
            uw_random_chance(random, 30) ? event.of.declaration.performed_on_day + 365 : UW_DAY_NONE;
        event.of.declaration.started_at_ms = uw_random_chance(random, 50) ? any_instant(random) : UW_INSTANT_NONE;
        event.of.declaration.staff = uw_random_chance(random, 50) ? UW_STR("s1") : UW_STR_NULL;
        break;
    case 2:
        event = uw_sample_no_show(number, id, any_day(random), 1440);
        event.of.no_show.appointment_at_ms = uw_random_chance(random, 50) ? any_instant(random) : UW_INSTANT_NONE;
        event.of.no_show.notice_minutes = UW_RANDOM_PICK(random, UW_INT_NONE, 0, INT32_MAX);
        event.of.no_show.reason = (enum uw_no_show_reason)UW_RANDOM_PICK(random, UW_REASON_CLIENT_ABSENT, UW_REASON_PROVIDER_CANCELLED);
        break;
    default:
        break;
    }
    vary_head(random, &event, decision);
    bool redelivery;
    assert_int_equal(uw_client_add(client, &event, &redelivery), UW_OK);
}

static void add_states(struct uw_random *random, struct uw_client *client)
{
    for (int32_t i = 0; i < UW_ALERT_KIND_COUNT; i++) {
        const struct uw_alert_change alert = {.kind = (enum uw_alert_kind)i,
                                              .municipality = UW_STR("0363"),
                                              .decision = UW_STR("WMO-1"),
                                              .provider = UW_STR("41410001"),
                                              .segment_from_day = UW_RANDOM_PICK(random, UW_DAY_NONE, 20454),
                                              .period_from_day = UW_DAY_NONE,
                                              .threshold = UW_RANDOM_PICK(random, UW_INT_NONE, 80, 1000),
                                              .status = UW_STATUS_RESOLVED,
                                              .severity = UW_SEVERITY_CRITICAL,
                                              .effective_on_day = UW_DAY_MAX,
                                              .revision = INT32_MAX};
        assert_int_equal(uw_client_add_alert(client, &alert), UW_OK);
    }
    for (int32_t i = 0; i < UW_ANOMALY_KIND_COUNT; i++) {
        const struct uw_anomaly_change anomaly = {
            .kind = (enum uw_anomaly_kind)i,
            .municipality = UW_STR("0363"),
            .decision = UW_STR("WMO-1"),
            .provider = UW_STR("41410001"),
            .subject = {UW_SUBJECT_VERSION, UW_STR_NULL, UW_STR_NULL, INT32_MAX},
            .status = UW_STATUS_OPEN,
            .revision = 1};
        assert_int_equal(uw_client_add_anomaly(client, &anomaly), UW_OK);
    }
}

/* Equal by content; bytes between the members of a struct are nobody's business. */
static void assert_same(const struct uw_client *a, const struct uw_client *b)
{
    assert_int_equal(a->heap_length, b->heap_length);
    assert_int_equal(a->text_count, b->text_count);
    assert_true(a->heap_length == 0 || memcmp(a->heap, b->heap, a->heap_length) == 0);
    assert_int_equal(a->line_count, b->line_count);
    for (uint32_t i = 0; i < a->line_count; i++) {
        assert_int_equal(a->lines[i].provider, b->lines[i].provider);
        assert_int_equal(uw_line_compare(a, &a->lines[i], &b->lines[i]), 0);
    }
    assert_int_equal(a->absence_count, b->absence_count);
    for (uint32_t i = 0; i < a->absence_count; i++) {
        assert_int_equal(uw_absence_compare(a, &a->absences[i], &b->absences[i]), 0);
    }
    assert_int_equal(a->version_count, b->version_count);
    for (uint32_t i = 0; i < a->version_count; i++) {
        assert_int_equal(uw_version_compare(a, &a->versions[i], &b->versions[i]), 0);
    }
    assert_int_equal(a->review_count, b->review_count);
    for (uint32_t i = 0; i < a->review_count; i++) {
        assert_memory_equal(&a->reviews[i], &b->reviews[i], sizeof a->reviews[i]);
    }
    assert_int_equal(a->alert_count, b->alert_count);
    for (uint32_t i = 0; i < a->alert_count; i++) {
        assert_int_equal(uw_alert_state_compare(a, &a->alerts[i], &b->alerts[i]), 0);
        assert_int_equal(a->alerts[i].provider, b->alerts[i].provider);
        assert_int_equal(a->alerts[i].status, b->alerts[i].status);
        assert_int_equal(a->alerts[i].severity, b->alerts[i].severity);
        assert_int_equal(a->alerts[i].revision, b->alerts[i].revision);
        assert_int_equal(a->alerts[i].effective_on_day, b->alerts[i].effective_on_day);
    }
    assert_int_equal(a->anomaly_count, b->anomaly_count);
    for (uint32_t i = 0; i < a->anomaly_count; i++) {
        assert_int_equal(uw_anomaly_state_compare(a, &a->anomalies[i], &b->anomalies[i]), 0);
        assert_int_equal(a->anomalies[i].provider, b->anomalies[i].provider);
        assert_int_equal(a->anomalies[i].status, b->anomalies[i].status);
        assert_int_equal(a->anomalies[i].revision, b->anomalies[i].revision);
    }
}

static void test_a_client_is_the_same_again(void **state)
{
    (void)state;
    struct uw_random random = uw_random_from(11);
    struct uw_packing packing = {.bytes = NULL};
    for (uint32_t round = 0; round < uw_test_rounds(200); round++) {
        struct uw_client client, again;
        uw_client_init(&client);
        uw_client_init(&again);
        uint32_t events = uw_random_below(&random, 60);
        for (uint32_t i = 0; i < events; i++) {
            add_any(&random, &client, i + 1);
        }
        if (uw_random_chance(&random, 30)) {
            add_states(&random, &client);
        }
        assert_int_equal(uw_client_pack(&client, &packing), UW_OK);
        assert_int_equal(uw_client_unpack(packing.bytes, packing.length, &again), UW_OK);
        assert_same(&client, &again);
        /* It goes on as the client would have. */
        struct uw_event line = uw_sample_line(1000, "new", 20454, 5);
        bool redelivery;
        assert_int_equal(uw_client_add(&client, &line, &redelivery), UW_OK);
        assert_int_equal(uw_client_add(&again, &line, &redelivery), UW_OK);
        assert_same(&client, &again);
        uw_client_close(&client);
        uw_client_close(&again);
    }
    uw_packing_close(&packing);
}

/* Every prefix, in memory of exactly that size, so that the sanitizer sees a byte too many. */
static void test_bytes_that_end_early_are_refused(void **state)
{
    (void)state;
    struct uw_random random = uw_random_from(12);
    struct uw_packing packing = {.bytes = NULL};
    struct uw_client client, again;
    uw_client_init(&client);
    uw_client_init(&again);
    for (uint32_t i = 0; i < 30; i++) {
        add_any(&random, &client, i + 1);
    }
    add_states(&random, &client);
    assert_int_equal(uw_client_pack(&client, &packing), UW_OK);
    for (uint32_t length = 0; length < packing.length; length++) {
        uint8_t *bytes = malloc(length + 1);
        assert_non_null(bytes);
        memcpy(bytes + 1, packing.bytes, length);
        assert_int_equal(uw_client_unpack(bytes + 1, length, &again), UW_EINTERNAL);
        assert_null(again.heap);
        free(bytes);
    }
    uw_client_close(&client);
    uw_packing_close(&packing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_client_is_the_same_again),
        cmocka_unit_test(test_bytes_that_end_early_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
