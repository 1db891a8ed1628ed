/* core/sums.h: what a client adds to and takes from the aggregate rows (docs/tables.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "core/sums.h"
#include "tests/support/hostile.h"
#include "tests/support/sample.h"

#define FROM UW_DATE(2026, 1, 1)
#define MONDAY UW_DATE(2026, 1, 26) /* its week ends in February */

static void before(struct uw_sums *sums, struct uw_subject_under_test *subject)
{
    assert_int_equal(uw_fold_run_sums(&subject->fold, &subject->client), UW_OK);
    assert_int_equal(uw_sums_before(sums, &subject->fold), UW_OK);
}

static void after(struct uw_sums *sums, struct uw_subject_under_test *subject)
{
    assert_int_equal(uw_fold_run_sums(&subject->fold, &subject->client), UW_OK);
    assert_int_equal(uw_sums_after(sums, &subject->fold), UW_OK);
}

static const struct uw_aggregate_change *row(const struct uw_sums *sums, enum uw_grain grain, int32_t period_from_day,
                                             struct uw_str provider)
{
    const struct uw_aggregate_change *found = NULL;
    for (uint32_t i = 0; i < sums->row_count; i++) {
        const struct uw_aggregate_change *each = &sums->rows[i];
        if (each->grain == grain && each->period_from_day == period_from_day && uw_str_equal(each->provider, provider)) {
            assert_null(found);
            found = each;
        }
    }
    return found;
}

static void check(const struct uw_aggregate_change *row, int64_t clients, int64_t decisions, int64_t delivered_minutes,
                  int64_t no_show_minutes, int64_t used_minutes, int64_t allotted_minutes)
{
    assert_non_null(row);
    assert_int_equal(row->clients, clients);
    assert_int_equal(row->decisions, decisions);
    assert_int_equal(row->delivered_minutes, delivered_minutes);
    assert_int_equal(row->no_show_minutes, no_show_minutes);
    assert_int_equal(row->used_minutes, used_minutes);
    assert_int_equal(row->allotted_minutes, allotted_minutes);
}

static void check_cost(const struct uw_aggregate_change *row, int64_t priced_minutes, int64_t cost_sixtieths)
{
    assert_non_null(row);
    assert_int_equal(row->priced_minutes, priced_minutes);
    assert_int_equal(row->cost_sixtieths, cost_sixtieths);
}

#define PROVIDER UW_STR("41410001")

static void test_a_new_client(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    struct uw_sums sums;
    uw_sums_init(&sums);
    uw_subject_open(&subject);
    struct uw_event decision = uw_sample_decision(1); /* 600 a week */
    struct uw_event line = uw_sample_line(2, "L1", MONDAY, 100), sunday = uw_sample_line(3, "L2", MONDAY + 6, 50);
    struct uw_event no_show = uw_sample_no_show(4, "N1", MONDAY + 1, 30);
    before(&sums, &subject);
    uw_subject_add(&subject, &decision);
    uw_subject_add(&subject, &line);
    uw_subject_add(&subject, &sunday);
    uw_subject_add(&subject, &no_show);
    after(&sums, &subject);
    uw_sums_finish(&sums);
    assert_int_equal(sums.row_count, 3);
    check(row(&sums, UW_GRAIN_WEEK, MONDAY, PROVIDER), 1, 1, 180, 30, 180, 600);
    /* Six days of the week's allotment in January, one in February. */
    check(row(&sums, UW_GRAIN_MONTH, UW_DATE(2026, 1, 1), PROVIDER), 1, 1, 130, 30, 130, 514);
    check(row(&sums, UW_GRAIN_MONTH, UW_DATE(2026, 2, 1), PROVIDER), 1, 1, 50, 0, 50, 86);
    uw_sums_close(&sums);
    uw_subject_close(&subject);
}

/* What a new client's rows come to with so many bytes for the texts of their keys; *used_bytes are those taken. */
static enum uw_code with_texts(size_t limit_bytes, size_t *used_bytes)
{
    struct uw_subject_under_test subject;
    struct uw_sums sums;
    uw_sums_init(&sums);
    assert_int_equal(sums.texts.limit_bytes, UW_SUMS_BYTES_MAX);
    sums.texts.limit_bytes = limit_bytes;
    uw_subject_open(&subject);
    struct uw_event decision = uw_sample_decision(1), line = uw_sample_line(2, "L1", MONDAY, 100);
    before(&sums, &subject);
    uw_subject_add(&subject, &decision);
    uw_subject_add(&subject, &line);
    assert_int_equal(uw_fold_run_sums(&subject.fold, &subject.client), UW_OK);
    enum uw_code code = uw_sums_after(&sums, &subject.fold);
    *used_bytes = sums.texts.used_bytes;
    uw_sums_close(&sums);
    uw_subject_close(&subject);
    return code;
}

static void test_texts_have_a_limit(void **state)
{
    (void)state;
    size_t needed_bytes, used_bytes;
    assert_int_equal(with_texts(UW_SUMS_BYTES_MAX, &needed_bytes), UW_OK);
    assert_true(needed_bytes > 0);
    assert_int_equal(with_texts(needed_bytes + 1, &used_bytes), UW_OK);
    assert_int_equal(with_texts(needed_bytes, &used_bytes), UW_OK);
    assert_int_equal(with_texts(needed_bytes - 1, &used_bytes), UW_ENOMEM);
}

/* Only what differs; what is taken back leaves nothing. */
static void test_differences(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    struct uw_sums sums;
    uw_sums_init(&sums);
    uw_subject_open(&subject);
    struct uw_event decision = uw_sample_decision(1), line = uw_sample_line(2, "L1", MONDAY, 100);
    struct uw_event more = uw_sample_line(3, "L2", MONDAY + 1, 11), credit = uw_sample_credit(4, "C1", "L1", MONDAY, 100);
    uw_subject_add(&subject, &decision);
    uw_subject_add(&subject, &line);
    before(&sums, &subject);
    after(&sums, &subject);
    uw_sums_finish(&sums);
    assert_int_equal(sums.row_count, 0);
    uw_sums_reset(&sums);
    before(&sums, &subject);
    uw_subject_add(&subject, &more);
    after(&sums, &subject);
    uw_sums_finish(&sums);
    check(row(&sums, UW_GRAIN_WEEK, MONDAY, PROVIDER), 0, 0, 11, 0, 11, 0);
    uw_sums_reset(&sums);
    before(&sums, &subject);
    uw_subject_add(&subject, &credit);
    after(&sums, &subject);
    uw_sums_finish(&sums);
    check(row(&sums, UW_GRAIN_WEEK, MONDAY, PROVIDER), 0, 0, -100, 0, -100, 0);
    uw_sums_reset(&sums);
    before(&sums, &subject);
    decision.of.decision.version = 2;
    decision.of.decision.status = UW_DECISION_WITHDRAWN;
    uw_subject_add(&subject, &decision);
    after(&sums, &subject);
    uw_sums_finish(&sums);
    check(row(&sums, UW_GRAIN_WEEK, MONDAY, PROVIDER), -1, -1, -11, 0, -11, -600);
    uw_sums_close(&sums);
    uw_subject_close(&subject);
}

/* A new provider in the middle of a week: two rows; what falls in the week belongs to the first. */
static void test_dimensions(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    struct uw_sums sums;
    uw_sums_init(&sums);
    uw_subject_open(&subject);
    struct uw_event decision = uw_sample_decision(1), second = uw_sample_decision(2);
    second.of.decision.version = 2;
    second.of.decision.effective_from_day = MONDAY + 3;
    second.of.decision.product = UW_STR("new");
    second.provider = UW_STR("41410002");
    struct uw_event first = uw_sample_line(3, "L1", MONDAY, 10), other = uw_sample_line(4, "L2", MONDAY + 3, 20);
    other.provider = UW_STR("41410002");
    before(&sums, &subject);
    uw_subject_add(&subject, &decision);
    uw_subject_add(&subject, &second);
    uw_subject_add(&subject, &first);
    uw_subject_add(&subject, &other);
    after(&sums, &subject);
    uw_sums_finish(&sums);
    check(row(&sums, UW_GRAIN_WEEK, MONDAY, PROVIDER), 1, 1, 10, 0, 10, 600);
    const struct uw_aggregate_change *moved = row(&sums, UW_GRAIN_WEEK, MONDAY, UW_STR("41410002"));
    check(moved, 1, 1, 20, 0, 20, 0);
    /* Product, law and care are the latest version's, on all days. */
    assert_true(uw_str_equal(moved->product, UW_STR("new")));
    assert_true(uw_str_equal(row(&sums, UW_GRAIN_WEEK, MONDAY, PROVIDER)->product, UW_STR("new")));
    uw_sums_close(&sums);
    uw_subject_close(&subject);
}

/* Two decisions of one client in one row are one client. */
static void test_clients_and_decisions(void **state)
{
    (void)state;
    struct uw_subject_under_test subjects[2];
    struct uw_sums sums;
    uw_sums_init(&sums);
    for (uint32_t i = 0; i < 2; i++) {
        uw_subject_open(&subjects[i]);
        before(&sums, &subjects[i]);
        for (uint32_t k = 0; k < 2; k++) {
            struct uw_event decision = uw_sample_decision(1 + k), line = uw_sample_line(3 + k, k == 0 ? "L1" : "L2", MONDAY, 5);
            decision.decision = line.decision = k == 0 ? UW_STR("a") : UW_STR("b");
            uw_subject_add(&subjects[i], &decision);
            uw_subject_add(&subjects[i], &line);
        }
        after(&sums, &subjects[i]);
    }
    uw_sums_finish(&sums);
    check(row(&sums, UW_GRAIN_WEEK, MONDAY, PROVIDER), 2, 4, 20, 0, 20, 2400);
    uw_sums_close(&sums);
    uw_subject_close(&subjects[0]);
    uw_subject_close(&subjects[1]);
}

/* A surplus is used from the fixed hours on; a pool without an end allots nothing to a week. */
static void test_used_of_a_surplus(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    struct uw_sums sums;
    uw_sums_init(&sums);
    uw_subject_open(&subject);
    struct uw_event decision = uw_sample_decision(1), line = uw_sample_line(2, "L1", MONDAY, 130);
    decision.of.decision.terms = uw_sample_surplus(100, 500);
    before(&sums, &subject);
    uw_subject_add(&subject, &decision);
    uw_subject_add(&subject, &line);
    after(&sums, &subject);
    uw_sums_finish(&sums);
    check(row(&sums, UW_GRAIN_WEEK, MONDAY, PROVIDER), 1, 1, 130, 0, 30, 0);
    uw_sums_close(&sums);
    uw_subject_close(&subject);
}

/* The rate is that of the version in force on the day; none, or one that must be a mistake, is no price. */
static void test_cost_by_rate(void **state)
{
    (void)state;
    const int32_t rates[] = {6000, UW_RATE_CENTS_MAX, UW_RATE_CENTS_MAX + 1, UW_INT_NONE, 0};
    struct uw_subject_under_test subject;
    struct uw_sums sums;
    uw_sums_init(&sums);
    uw_subject_open(&subject);
    before(&sums, &subject);
    for (uint32_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct uw_event version = uw_sample_decision(1 + i);
        char line_id[] = {'L', (char)('0' + i), '\0'};
        struct uw_event line = uw_sample_line(10 + i, line_id, MONDAY + (int32_t)i, 10);
        version.of.decision.version = (int32_t)i + 1;
        version.of.decision.effective_from_day = MONDAY + (int32_t)i;
        version.of.decision.rate_cents_per_hour = rates[i];
        uw_subject_add(&subject, &version);
        uw_subject_add(&subject, &line);
    }
    after(&sums, &subject);
    uw_sums_finish(&sums);
    check_cost(row(&sums, UW_GRAIN_WEEK, MONDAY, PROVIDER), 30, 10 * 6000 + 10 * (int64_t)UW_RATE_CENTS_MAX);
    uw_sums_close(&sums);
    uw_subject_close(&subject);
}

/* A result's price is that of a month, also a broken one, once, on the row of the first delivering day. */
static void test_cost_of_a_result(void **state)
{
    (void)state;
    struct uw_subject_under_test subject;
    struct uw_sums sums;
    uw_sums_init(&sums);
    uw_subject_open(&subject);
    struct uw_event decision = uw_sample_decision(1), line = uw_sample_line(2, "L1", MONDAY, 100);
    struct uw_event later = uw_sample_line(3, "L2", MONDAY + 5, 7);
    decision.of.decision.valid_from_day = decision.of.decision.effective_from_day = UW_DATE(2026, 1, 22);
    decision.of.decision.rate_cents_per_hour = 999;
    decision.of.decision.terms = (struct uw_terms){.model = UW_MODEL_RESULT,
                                                   .result = UW_STR("structuur"),
                                                   .price_cents = 5000,
                                                   .expected_minutes_per_week = UW_INT_NONE};
    before(&sums, &subject);
    uw_subject_add(&subject, &decision);
    uw_subject_add(&subject, &line);
    uw_subject_add(&subject, &later);
    after(&sums, &subject);
    uw_sums_finish(&sums);
    check_cost(row(&sums, UW_GRAIN_MONTH, UW_DATE(2026, 1, 1), PROVIDER), 107, 5000 * 60);
    /* Days 4 to 9 of ten are in the week that begins on the 26th. */
    check_cost(row(&sums, UW_GRAIN_WEEK, MONDAY, PROVIDER), 107, 5000 * 60 * 6 / 10);
    uw_sums_close(&sums);
    uw_subject_close(&subject);
}

static int dimensions_order(const struct uw_aggregate_change *a, const struct uw_aggregate_change *b)
{
    const struct uw_str texts[][2] = {{a->municipality, b->municipality},
                                      {a->provider, b->provider},
                                      {a->product_category, b->product_category},
                                      {a->product, b->product}};
    const int codes[][2] = {{(int)a->law, (int)b->law}, {(int)a->care, (int)b->care}, {(int)a->model, (int)b->model}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int order = uw_str_compare(texts[i][0], texts[i][1]);
        if (order != 0) {
            return order;
        }
    }
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i][0] != codes[i][1]) {
            return codes[i][0] < codes[i][1] ? -1 : 1;
        }
    }
    return 0;
}

/* Many rows, in the order of their key, each once; steps and all at once come to the same. */
static void test_many_rows(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= uw_test_rounds(60); seed++) {
        struct uw_random random = uw_random_from(seed);
        struct uw_hostile hostile;
        struct uw_subject_under_test steps, whole;
        struct uw_sums by_steps, at_once;
        bool redelivery;
        uw_hostile_make(&hostile, seed, 1, 60);
        uw_subject_open(&steps);
        uw_subject_open(&whole);
        uw_sums_init(&by_steps);
        uw_sums_init(&at_once);
        before(&at_once, &whole);
        for (uint32_t i = 0; i < hostile.count;) {
            before(&by_steps, &steps);
            for (uint32_t k = 1 + uw_random_below(&random, 20); k > 0 && i < hostile.count; k--, i++) {
                assert_int_equal(uw_client_add(&steps.client, &hostile.events[i], &redelivery), UW_OK);
                assert_int_equal(uw_client_add(&whole.client, &hostile.events[i], &redelivery), UW_OK);
            }
            after(&by_steps, &steps);
        }
        after(&at_once, &whole);
        uw_sums_finish(&by_steps);
        uw_sums_finish(&at_once);
        assert_int_equal(by_steps.row_count, at_once.row_count);
        for (uint32_t i = 0; i < at_once.row_count; i++) {
            const struct uw_aggregate_change *a = &by_steps.rows[i], *b = &at_once.rows[i];
            assert_true(a->grain == b->grain && a->period_from_day == b->period_from_day && a->model == b->model &&
                        a->law == b->law && a->care == b->care && uw_str_equal(a->provider, b->provider) &&
                        uw_str_equal(a->municipality, b->municipality) && uw_str_equal(a->product, b->product));
            check(a, b->clients, b->decisions, b->delivered_minutes, b->no_show_minutes, b->used_minutes,
                  b->allotted_minutes);
            check_cost(a, b->priced_minutes, b->cost_sixtieths);
            assert_true(i == 0 || dimensions_order(&b[-1], b) < 0 ||
                        (dimensions_order(&b[-1], b) == 0 &&
                         (b[-1].grain < b->grain ||
                          (b[-1].grain == b->grain && b[-1].period_from_day < b->period_from_day))));
        }
        uw_sums_close(&by_steps);
        uw_sums_close(&at_once);
        uw_subject_close(&steps);
        uw_subject_close(&whole);
        uw_hostile_close(&hostile);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_client),      cmocka_unit_test(test_differences),
        cmocka_unit_test(test_texts_have_a_limit),
        cmocka_unit_test(test_dimensions),        cmocka_unit_test(test_clients_and_decisions),
        cmocka_unit_test(test_used_of_a_surplus), cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_cost_by_rate),      cmocka_unit_test(test_cost_of_a_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
