/* The list of planted irregularities is exactly what the core finds in the region's events: none is missing and
 * there is no other. It proves the region and the rules of SPEC section 5 against each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/fold.h"
#include "producers/region.h"

#define CLIENTS_MAX 1000
#define FINDINGS_MAX 20000
#define FINDING_BYTES 160

/* Anomalies as sorted lines of text. */
struct findings {
    uint32_t count;
    char (*texts)[FINDING_BYTES];
};

static struct uw_client clients[CLIENTS_MAX];

static void note(struct findings *findings, enum uw_anomaly_kind kind, struct uw_str municipality, uint32_t client,
                 struct uw_str decision, const struct uw_subject *subject)
{
    char subject_text[UW_SUBJECT_TEXT_BYTES];
    assert_true(findings->count < FINDINGS_MAX);
    uw_subject_format(subject, subject_text, sizeof(subject_text));
    int length = snprintf(findings->texts[findings->count++], FINDING_BYTES, "%s %.*s c-%06u %.*s %s",
                          uw_anomaly_kind_name(kind), (int)municipality.length, municipality.data, client + 1,
                          (int)decision.length, decision.data, subject_text);
    assert_in_range(length, 1, FINDING_BYTES - 1);
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(left, right);
}

static void collect(const struct uw_region_options *options, struct findings *planted)
{
    struct uw_region *region = NULL;
    struct uw_error error = {0};
    assert_int_equal(uw_region_open(options, &region, &error), UW_OK);
    for (;;) {
        struct uw_event event;
        bool end, redelivery;
        assert_int_equal(uw_region_next(region, &event, &end, &error), UW_OK);
        if (end) {
            break;
        }
        uint32_t client = 0; /* "c-000001" is the first */
        for (uint32_t i = 2; i < event.client.length; i++) {
            client = client * 10 + (uint32_t)(event.client.data[i] - '0');
        }
        assert_in_range(client, 1, options->clients);
        assert_int_equal(uw_client_add(&clients[client - 1], &event, &redelivery), UW_OK);
        const struct uw_irregularity *irregularity = uw_region_irregularity(region);
        if (irregularity != NULL) {
            note(planted, irregularity->kind, event.municipality, client - 1, event.decision, &irregularity->subject);
        }
    }
    uw_region_close(&region);
}

static void judge(const struct uw_region_options *options, int32_t as_of_day, struct findings *found)
{
    struct uw_fold fold;
    struct uw_settings settings = {0};
    uw_thresholds_default(&settings.defaults);
    uw_fold_init(&fold);
    for (uint32_t i = 0; i < (uint32_t)options->clients; i++) {
        assert_int_equal(uw_fold_run(&fold, &clients[i], &settings, as_of_day), UW_OK);
        for (uint32_t j = 0; j < fold.anomaly_count; j++) {
            const struct uw_anomaly_state *state = &fold.anomalies[j].state;
            struct uw_subject subject = {(enum uw_subject_kind)state->subject_kind,
                                         uw_client_text(&clients[i], state->subject_provider),
                                         uw_client_text(&clients[i], state->subject_id), state->subject_version};
            note(found, (enum uw_anomaly_kind)state->kind, uw_client_municipality(&clients[i], state->decision), i,
                 uw_client_decision(&clients[i], state->decision), &subject);
        }
    }
    uw_fold_close(&fold);
}

static void compare(const struct uw_region_options *options, int32_t as_of_day)
{
    struct findings planted = {.texts = calloc(FINDINGS_MAX, FINDING_BYTES)};
    struct findings found = {.texts = calloc(FINDINGS_MAX, FINDING_BYTES)};
    assert_non_null(planted.texts);
    assert_non_null(found.texts);
    for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
        uw_client_init(&clients[i]);
    }
    collect(options, &planted);
    judge(options, as_of_day, &found);
    qsort(planted.texts, planted.count, FINDING_BYTES, compare_texts);
    qsort(found.texts, found.count, FINDING_BYTES, compare_texts);
    for (uint32_t i = 0; i < planted.count && i < found.count; i++) {
        assert_string_equal(found.texts[i], planted.texts[i]);
    }
    assert_int_equal(found.count, planted.count);
    assert_true(options->irregular_per_10000 == 0 || planted.count > 0);
    for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
        uw_client_close(&clients[i]);
    }
    free(planted.texts);
    free(found.texts);
}

static void test_a_usual_year(void **state)
{
    (void)state;
    struct uw_region_options options;
    uw_region_options_default(&options);
    options.clients = CLIENTS_MAX;
    compare(&options, options.until_day);
    options.irregular_per_10000 = 0;
    compare(&options, options.until_day + 300);
}

static void test_many_irregularities_many_seeds(void **state)
{
    (void)state;
    struct uw_region_options options;
    uw_region_options_default(&options);
    options.clients = 150;
    options.irregular_per_10000 = 1000;
    options.redelivery_percent = 20;
    options.late_percent = 50;
    options.credit_percent = 30;
    for (options.seed = 1; options.seed <= 8; options.seed++) {
        options.switch_day = options.seed % 2 == 0 ? UW_DAY_NONE : uw_day_from_civil(2026, 6, (int32_t)options.seed);
        options.no_show_percent = options.seed % 3 == 0 ? 40 : -1;
        compare(&options, options.until_day);
    }
}

/* Extensions, leap day and twice the change of the clock. */
static void test_three_years(void **state)
{
    (void)state;
    struct uw_region_options options;
    uw_region_options_default(&options);
    options.clients = 200;
    options.from_day = uw_day_from_civil(2027, 2, 28);
    options.until_day = uw_day_from_civil(2030, 2, 28);
    options.irregular_per_10000 = 300;
    options.declarations = 60000;
    compare(&options, options.until_day);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_usual_year),
        cmocka_unit_test(test_many_irregularities_many_seeds),
        cmocka_unit_test(test_three_years),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
