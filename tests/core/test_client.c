/* core/client.h: texts, winners, redeliveries, and the same facts whatever the order of arrival. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/hostile.h"
#include "tests/support/sample.h"

#define DAY UW_DATE(2026, 3, 2)

static bool add(struct uw_client *client, const struct uw_event *event)
{
    bool redelivery = false;
    assert_int_equal(uw_client_add(client, event, &redelivery), UW_OK);
    return redelivery;
}

/* ---- texts ---- */

static void test_texts_are_equal_when_their_numbers_are(void **state)
{
    (void)state;
    struct uw_client client;
    uw_text texts[2000];
    char name[400];
    uw_client_init(&client);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 2000; i++) {
            /* Some are longer than a length byte can say. */
            int length = snprintf(name, sizeof name, "%0*u", i % 5 == 0 ? (int)(i % 300) + 1 : 4, (unsigned)i);
            uw_text text = 0;
            assert_int_equal(uw_client_intern(&client, (struct uw_str){name, (uint32_t)length}, &text), UW_OK);
            assert_true(text != UW_TEXT_NULL);
            assert_true(uw_str_equal(uw_client_text(&client, text), (struct uw_str){name, (uint32_t)length}));
            assert_true(round == 0 || texts[i] == text);
            texts[i] = text;
        }
    }
    /* Those that were interned first are still what they were. */
    assert_true(uw_str_equal(uw_client_text(&client, texts[1]), UW_STR("0001")));
    uw_client_close(&client);
}

static void test_null_and_empty_texts(void **state)
{
    (void)state;
    struct uw_client client;
    uw_text text = 9, decision = 0;
    uw_client_init(&client);
    assert_int_equal(uw_client_intern(&client, UW_STR_NULL, &text), UW_OK);
    assert_int_equal(text, UW_TEXT_NULL);
    assert_true(uw_str_is_null(uw_client_text(&client, text)));
    assert_int_equal(uw_client_intern(&client, UW_STR(""), &text), UW_OK);
    assert_true(text != UW_TEXT_NULL);
    assert_false(uw_str_is_null(uw_client_text(&client, text)));
    assert_int_equal(uw_client_intern_decision(&client, UW_STR("0363"), UW_STR("WMO-1"), &decision), UW_OK);
    assert_true(uw_str_equal(uw_client_municipality(&client, decision), UW_STR("0363")));
    assert_true(uw_str_equal(uw_client_decision(&client, decision), UW_STR("WMO-1")));
    uw_client_close(&client);
    assert_int_equal(uw_client_bytes(&client), 0);
}

/* Clients of one municipality, provider and product are kin, and no others. */
static void test_kinship(void **state)
{
    (void)state;
    uint32_t kinships[5];
    for (uint32_t i = 0; i < 5; i++) {
        struct uw_client client;
        struct uw_event event = uw_sample_decision(i);
        event.provider = i == 1 ? UW_STR("other") : event.provider;
        event.of.decision.product = i == 2 ? UW_STR("other") : event.of.decision.product;
        event.municipality = i == 3 ? UW_STR("0999") : event.municipality;
        uw_client_init(&client);
        assert_int_equal(uw_client_kinship(&client), 0);
        (void)add(&client, &event);
        kinships[i] = uw_client_kinship(&client);
        assert_int_not_equal(kinships[i], 0);
        uw_client_close(&client);
    }
    assert_int_equal(kinships[4], kinships[0]);
    for (uint32_t i = 0; i < 4; i++) {
        for (uint32_t j = 0; j < i; j++) {
            assert_int_not_equal(kinships[i], kinships[j]);
        }
    }
}

/* ---- winners ---- */

static void test_the_first_recorded_wins(void **state)
{
    (void)state;
    struct uw_event early = uw_sample_line(2, "L1", DAY, 60), late = uw_sample_line(1, "L1", DAY, 90);
    late.recorded_at_ms++;
    for (uint32_t order = 0; order < 2; order++) {
        struct uw_client client;
        uw_client_init(&client);
        assert_false(add(&client, order == 0 ? &early : &late));
        assert_false(add(&client, order == 0 ? &late : &early));
        assert_int_equal(client.line_count, 2);
        assert_int_equal(client.lines[0].minutes, 60);
        uw_client_close(&client);
    }
}

/* Then the event id decides, by the bytes of its text: 'A' comes before 'a'. */
static void test_the_event_id_breaks_a_tie(void **state)
{
    (void)state;
    struct uw_event a = uw_sample_line(1, "L1", DAY, 60), b = uw_sample_line(2, "L1", DAY, 90);
    assert_true(uw_uuid_parse(UW_STR("aaaaaaaa-0000-0000-0000-000000000000"), &a.event_id));
    assert_true(uw_uuid_parse(UW_STR("Aaaaaaaa-0000-0000-0000-000000000000"), &b.event_id));
    for (uint32_t order = 0; order < 2; order++) {
        struct uw_client client;
        uw_client_init(&client);
        add(&client, order == 0 ? &a : &b);
        add(&client, order == 0 ? &b : &a);
        assert_int_equal(client.lines[0].minutes, 90);
        uw_client_close(&client);
    }
}

/* At last the encoded bytes: 63 minutes are 7E, 64 are 80 01, and 90 are B4 01. */
static void test_the_bytes_break_the_last_tie(void **state)
{
    (void)state;
    static const int32_t minutes[] = {1, 63, 64, 128, 65, 90, 127};
    struct uw_client client;
    uw_client_init(&client);
    for (uint32_t i = 7; i-- > 0;) {
        struct uw_event event = uw_sample_line(1, "L1", DAY, minutes[i]);
        assert_false(add(&client, &event));
    }
    assert_int_equal(client.line_count, 7);
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(client.lines[i].minutes, minutes[i]);
    }
    uw_client_close(&client);
}

/* A shorter text comes first, whatever its letters; null before any; a negative number after its positive. */
static void test_the_bytes_of_texts_and_days(void **state)
{
    (void)state;
    struct uw_event with[5];
    for (uint32_t i = 0; i < 5; i++) {
        with[i] = uw_sample_line(1, "L1", DAY, 60);
    }
    with[1].of.declaration.staff = UW_STR("z");
    with[2].of.declaration.staff = UW_STR("ab");
    with[3].of.declaration.performed_until_day = DAY;
    with[4].of.declaration.corrects = UW_STR("");
    struct uw_client client;
    uw_client_init(&client);
    for (uint32_t i = 5; i-- > 0;) {
        assert_false(add(&client, &with[i]));
    }
    assert_true(uw_str_is_null(uw_client_text(&client, client.lines[0].staff)));
    assert_true(uw_str_equal(uw_client_text(&client, client.lines[1].staff), UW_STR("z")));
    assert_true(uw_str_equal(uw_client_text(&client, client.lines[2].staff), UW_STR("ab")));
    assert_int_equal(client.lines[3].performed_until_day, DAY);
    assert_false(uw_str_is_null(uw_client_text(&client, client.lines[4].corrects)));
    uw_client_close(&client);
}

static void test_keys(void **state)
{
    (void)state;
    struct uw_client client;
    uw_client_init(&client);
    struct uw_event line = uw_sample_line(1, "L1", DAY, 60);
    struct uw_event provider = uw_sample_line(2, "L1", DAY, 60);
    struct uw_event credit = uw_sample_credit(3, "L1", "L0", DAY, 60);
    struct uw_event no_show = uw_sample_no_show(4, "L1", DAY, 60);
    provider.provider = UW_STR("41410002");
    assert_false(add(&client, &line));
    assert_false(add(&client, &provider));
    assert_false(add(&client, &credit));
    assert_false(add(&client, &no_show));
    assert_int_equal(client.line_count, 3); /* two keys: a credit with a debit's id is of the same fact */
    assert_int_equal(client.absence_count, 1);
    struct uw_event version = uw_sample_decision(5), second = uw_sample_decision(6), municipality = version;
    second.of.decision.version = 2;
    municipality.municipality = UW_STR("0599");
    assert_false(add(&client, &version));
    assert_false(add(&client, &second));
    assert_false(add(&client, &municipality));
    assert_int_equal(client.version_count, 3);
    uw_client_close(&client);
}

/* ---- redeliveries ---- */

static void test_redeliveries_are_not_kept(void **state)
{
    (void)state;
    struct uw_client client;
    uw_client_init(&client);
    struct uw_event line = uw_sample_line(5, "L1", DAY, 60), other = uw_sample_line(6, "L1", DAY, 90);
    assert_false(add(&client, &line));
    assert_true(add(&client, &line));
    struct uw_event again = line;
    again.recorded_at_ms++;
    assert_true(add(&client, &again));
    again = line;
    again.event_id.bytes[0]++;
    assert_true(add(&client, &again));
    assert_int_equal(client.line_count, 1);
    /* Of another content; then the first again, beside it. */
    assert_false(add(&client, &other));
    assert_true(add(&client, &line));
    assert_true(add(&client, &other));
    assert_int_equal(client.line_count, 2);
    uw_client_close(&client);
}

/* The same content, recorded earlier, is what counts from then on: it may even win. */
static void test_an_earlier_copy_takes_the_place(void **state)
{
    (void)state;
    struct uw_client client;
    uw_client_init(&client);
    struct uw_event a = uw_sample_line(5, "L1", DAY, 60), b = uw_sample_line(6, "L1", DAY, 90);
    b.recorded_at_ms += 10;
    struct uw_event c = uw_sample_line(7, "L1", DAY, 120);
    c.recorded_at_ms += 20;
    add(&client, &a);
    add(&client, &b);
    add(&client, &c);
    struct uw_event earlier = c;
    earlier.recorded_at_ms = a.recorded_at_ms - 1;
    assert_false(add(&client, &earlier));
    assert_int_equal(client.line_count, 3);
    assert_int_equal(client.lines[0].minutes, 120);
    assert_int_equal(client.lines[1].minutes, 60);
    assert_int_equal(client.lines[2].minutes, 90);
    assert_true(add(&client, &c));
    /* In its own place: only the stamp changes. */
    earlier = a;
    earlier.event_id.bytes[15]--;
    assert_false(add(&client, &earlier));
    assert_int_equal(client.lines[1].stamp.event_id.bytes[15], 4);
    assert_int_equal(client.line_count, 3);
    uw_client_close(&client);
}

static void test_evaluations_have_no_key(void **state)
{
    (void)state;
    struct uw_client client;
    uw_client_init(&client);
    struct uw_event a = uw_sample_evaluation(1, DAY), b = uw_sample_evaluation(2, DAY), c = b;
    assert_false(add(&client, &a));
    assert_true(add(&client, &b));
    c.of.evaluation.outcome = UW_EVALUATION_END;
    assert_false(add(&client, &c));
    assert_int_equal(client.review_count, 2);
    uw_client_close(&client);
}

static void test_every_field_is_content(void **state)
{
    (void)state;
    struct uw_client client;
    uw_client_init(&client);
    struct uw_event base = uw_sample_decision(1);
    static const int32_t months[] = {3, 6}, reversed[] = {6, 3}, repeated[] = {3, 6, 6};
    base.of.decision.evaluation_list = months;
    base.of.decision.evaluation_count = 2;
    assert_false(add(&client, &base));
    struct uw_event changed[20];
    for (uint32_t i = 0; i < 20; i++) {
        changed[i] = base;
    }
    changed[0].of.decision.status = UW_DECISION_WITHDRAWN;
    changed[1].of.decision.law = UW_LAW_JEUGDWET;
    changed[2].of.decision.product_category = UW_STR("03");
    changed[3].of.decision.product = UW_STR("");
    changed[4].of.decision.care = UW_CARE_INTENSIVE;
    changed[5].provider = UW_STR("41410002");
    changed[6].of.decision.valid_from_day++;
    changed[7].of.decision.valid_to_day = DAY;
    changed[8].of.decision.effective_from_day++;
    changed[9].of.decision.terms.volume_minutes++;
    changed[10].of.decision.terms.frequency = UW_FREQUENCY_DAY;
    changed[11].of.decision.terms = uw_sample_result(UW_INT_NONE);
    changed[12].of.decision.terms = uw_sample_result(0);
    changed[13].of.decision.no_show.billable_percent = 99;
    changed[14].of.decision.no_show.max_per_month = 0;
    changed[15].of.decision.no_show.notice_hours = 23;
    changed[16].of.decision.no_show.counts_to_budget = false;
    changed[17].of.decision.evaluation_list = reversed;
    changed[18].of.decision.evaluation_list = repeated;
    changed[18].of.decision.evaluation_count = 3;
    changed[19].of.decision.rate_cents_per_hour = 0;
    for (uint32_t i = 0; i < 20; i++) {
        assert_false(add(&client, &changed[i]));
        assert_true(add(&client, &changed[i]));
        assert_int_equal(client.version_count, i + 2);
    }
    uw_client_close(&client);
}

/* More months than a fold has room for on its stack are kept as written. */
static void test_a_long_list_of_months(void **state)
{
    (void)state;
    struct uw_client client;
    int32_t months[500];
    uw_client_init(&client);
    for (uint32_t i = 0; i < 500; i++) {
        months[i] = (int32_t)(i % 120) + 1;
    }
    struct uw_event event = uw_sample_decision(1);
    event.of.decision.evaluation_list = months;
    event.of.decision.evaluation_count = 500;
    assert_false(add(&client, &event));
    assert_true(add(&client, &event));
    assert_int_equal(uw_client_text(&client, client.versions[0].evaluation_months).length, 500);
    uw_client_close(&client);
}

/* ---- any order of arrival ---- */

static int compare_facts(const struct uw_client *a, const struct uw_client *b)
{
    struct uw_threshold_rule *rules = NULL;
    struct uw_settings settings = {.rules = rules, .rule_count = 0};
    struct uw_fold folds[2];
    uw_thresholds_default(&settings.defaults);
    uw_fold_init(&folds[0]);
    uw_fold_init(&folds[1]);
    assert_int_equal(uw_fold_run(&folds[0], a, &settings, DAY), UW_OK);
    assert_int_equal(uw_fold_run(&folds[1], b, &settings, DAY), UW_OK);
    int differs = folds[0].account_count != folds[1].account_count || folds[0].alert_count != folds[1].alert_count ||
                  folds[0].anomaly_count != folds[1].anomaly_count;
    for (uint32_t i = 0; i < folds[0].account_count && differs == 0; i++) {
        const struct uw_account *left = &folds[0].accounts[i], *right = &folds[1].accounts[i];
        differs = left->used_minutes != right->used_minutes || left->period_from_day != right->period_from_day ||
                  !uw_str_equal(uw_client_text(a, left->decision), uw_client_text(b, right->decision));
    }
    for (uint32_t i = 0; i < folds[0].anomaly_count && differs == 0; i++) {
        const struct uw_anomaly *left = &folds[0].anomalies[i], *right = &folds[1].anomalies[i];
        differs = left->state.kind != right->state.kind || left->has_other != right->has_other ||
                  !uw_str_equal(uw_client_text(a, left->state.subject_id), uw_client_text(b, right->state.subject_id));
        if (differs == 0 && left->has_other && left->other_kind == UW_SUBJECT_LINE) {
            /* The evidence is the same as well. */
            differs = !uw_str_equal(uw_client_text(a, a->lines[left->other_fact].line),
                                    uw_client_text(b, b->lines[right->other_fact].line));
        }
    }
    uw_fold_close(&folds[0]);
    uw_fold_close(&folds[1]);
    return differs;
}

static void test_any_order_of_arrival(void **state)
{
    (void)state;
    uint32_t rounds = uw_test_rounds(300);
    for (uint32_t seed = 1; seed <= rounds; seed++) {
        struct uw_random random = uw_random_from(seed);
        struct uw_hostile hostile;
        struct uw_client clients[2];
        uw_hostile_make(&hostile, seed, 1, 10 + uw_random_below(&random, 70));
        uw_client_init(&clients[0]);
        uw_client_init(&clients[1]);
        for (uint32_t i = 0; i < hostile.count; i++) {
            add(&clients[0], &hostile.events[i]);
        }
        for (uint32_t i = hostile.count; i > 0; i--) {
            uint32_t place = uw_random_below(&random, i);
            struct uw_event event = hostile.events[place];
            hostile.events[place] = hostile.events[i - 1];
            hostile.events[i - 1] = event;
            add(&clients[1], &event);
            if (uw_random_chance(&random, 10)) {
                assert_true(add(&clients[1], &event));
            }
        }
        assert_int_equal(clients[0].line_count, clients[1].line_count);
        assert_int_equal(clients[0].absence_count, clients[1].absence_count);
        assert_int_equal(clients[0].version_count, clients[1].version_count);
        assert_int_equal(clients[0].review_count, clients[1].review_count);
        assert_int_equal(compare_facts(&clients[0], &clients[1]), 0);
        uw_client_close(&clients[0]);
        uw_client_close(&clients[1]);
        uw_hostile_close(&hostile);
    }
}

/* ---- states of alerts and anomalies ---- */

static void test_states_are_sorted(void **state)
{
    (void)state;
    struct uw_client client;
    struct uw_random random = uw_random_from(11);
    uw_client_init(&client);
    for (uint32_t i = 0; i < 300; i++) {
        struct uw_alert_change alert = {.kind = (enum uw_alert_kind)uw_random_below(&random, UW_ALERT_KIND_COUNT),
                                        .municipality = UW_STR("0363"),
                                        .decision = uw_random_chance(&random, 50) ? UW_STR("a") : UW_STR("b"),
                                        .segment_from_day = uw_random_chance(&random, 20) ? UW_DAY_NONE : 5,
                                        .period_from_day = (int32_t)i,
                                        .threshold = uw_random_chance(&random, 50) ? UW_INT_NONE : 80,
                                        .provider = UW_STR("41410001"),
                                        .revision = 3};
        struct uw_anomaly_change anomaly = {
            .kind = (enum uw_anomaly_kind)uw_random_below(&random, UW_ANOMALY_KIND_COUNT),
            .municipality = UW_STR("0363"),
            .decision = UW_STR("a"),
            .provider = UW_STR("41410001"),
            .subject = {UW_SUBJECT_VERSION, UW_STR_NULL, UW_STR_NULL, (int32_t)i},
            .revision = 2};
        assert_int_equal(uw_client_add_alert(&client, &alert), UW_OK);
        assert_int_equal(uw_client_add_anomaly(&client, &anomaly), UW_OK);
    }
    for (uint32_t i = 1; i < 300; i++) {
        assert_true(uw_alert_state_compare(&client, &client.alerts[i - 1], &client.alerts[i]) < 0);
        assert_true(uw_anomaly_state_compare(&client, &client.anomalies[i - 1], &client.anomalies[i]) < 0);
    }
    assert_true(client.alerts[0].revision == 3 && client.anomalies[0].revision == 2);
    uw_client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_are_equal_when_their_numbers_are),
        cmocka_unit_test(test_null_and_empty_texts),
        cmocka_unit_test(test_kinship),
        cmocka_unit_test(test_the_first_recorded_wins),
        cmocka_unit_test(test_the_event_id_breaks_a_tie),
        cmocka_unit_test(test_the_bytes_break_the_last_tie),
        cmocka_unit_test(test_the_bytes_of_texts_and_days),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_redeliveries_are_not_kept),
        cmocka_unit_test(test_an_earlier_copy_takes_the_place),
        cmocka_unit_test(test_evaluations_have_no_key),
        cmocka_unit_test(test_every_field_is_content),
        cmocka_unit_test(test_a_long_list_of_months),
        cmocka_unit_test(test_any_order_of_arrival),
        cmocka_unit_test(test_states_are_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
