/* Who gives which care in the simulated region: providers have contracts for a few products in a part of it, and the
 * funding form and the rate are the contract's. Seen in the decisions, and where these do not show it in the parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producers/region.h"
#include "producers/region_parts.h"

#define PROVIDERS_MAX 300
#define NO_FORM 255

/* What the decisions of a region show of a provider; forms and rates by product, forms before and after switch_day. */
struct seen {
    uint32_t decisions, products, municipalities, laws;
    uint8_t forms[UW_REGION_PRODUCT_COUNT][2];
    int32_t rates[UW_REGION_PRODUCT_COUNT];
};

static struct seen seen[PROVIDERS_MAX];

static uint32_t number_of(struct uw_str text, uint32_t from)
{
    uint32_t number = 0;
    for (uint32_t i = from; i < text.length; i++) {
        number = number * 10 + (uint32_t)(text.data[i] - '0');
    }
    return number;
}

static size_t product_of(const struct uw_decision *decision)
{
    for (uint8_t i = 0; i < UW_REGION_PRODUCT_COUNT; i++) {
        if (uw_str_equal(uw_str_from(uw_region_product(i)->code), decision->product)) {
            return i;
        }
    }
    fail_msg("a decision for no product of the region");
    return 0;
}

static void note(const struct uw_region *region, const struct uw_event *event, bool conflicting)
{
    const struct uw_decision *decision = &event->of.decision;
    uint32_t provider = number_of(event->provider, 4) - 1; /* "41410001" is the first */
    size_t product = product_of(decision);
    assert_in_range(provider, 0, region->options.providers - 1);
    struct seen *one = &seen[provider];
    uint32_t care = number_of(event->decision, event->decision.data[0] == 'W' ? 4 : 3) - 100001; /* "WMO-", "JW-" */
    bool after = region->options.switch_day != UW_DAY_NONE &&
                 decision->effective_from_day >= region->options.switch_day;
    bool known = (one->products >> product & 1u) != 0;
    if (one->forms[product][after] == NO_FORM) {
        one->forms[product][after] = (uint8_t)decision->terms.model;
    }
    assert_int_equal(decision->terms.model, one->forms[product][after]);
    if (known && !conflicting) {
        assert_int_equal(decision->rate_cents_per_hour, one->rates[product]);
    } else if (!conflicting) {
        one->rates[product] = decision->rate_cents_per_hour;
        one->products |= 1u << product;
    }
    one->decisions++;
    one->laws |= 1u << decision->law;
    one->municipalities |= 1u << region->cares[care].municipality;
}

/* Lets all decisions pass and leaves the region open at its end. */
static struct uw_region *watch(const struct uw_region_options *options)
{
    struct uw_region *region = NULL;
    struct uw_error error = {0};
    memset(seen, 0, sizeof(seen));
    for (size_t i = 0; i < PROVIDERS_MAX; i++) {
        memset(seen[i].forms, NO_FORM, sizeof(seen[i].forms));
    }
    assert_int_equal(uw_region_open(options, &region, &error), UW_OK);
    assert_in_range(region->options.providers, 1, PROVIDERS_MAX);
    for (;;) {
        struct uw_event event;
        bool end;
        assert_int_equal(uw_region_next(region, &event, &end, &error), UW_OK);
        if (end) {
            return region;
        }
        if (event.topic == UW_TOPIC_DECISIONS) {
            note(region, &event, uw_region_irregularity(region) != NULL);
        }
    }
}

static int count_bits(uint32_t bits)
{
    int count = 0;
    for (; bits != 0; bits &= bits - 1) {
        count++;
    }
    return count;
}

static int compare_sizes(const void *left, const void *right)
{
    const struct seen *a = left, *b = right;
    return a->decisions < b->decisions ? 1 : a->decisions > b->decisions ? -1 : 0;
}

static struct uw_region_options two_months(int32_t clients)
{
    struct uw_region_options options;
    uw_region_options_default(&options);
    options.clients = clients;
    options.until_day = options.from_day + 59;
    return options;
}

/* That a contract has one form and one rate is what `note` asserts. */
static void test_few_large_and_many_small(void **state)
{
    (void)state;
    struct uw_region_options options = two_months(30000);
    struct uw_region *region = watch(&options);
    size_t providers = (size_t)region->options.providers, small = 0;
    uint32_t products = 0;
    for (size_t i = 0; i < providers; i++) {
        products |= seen[i].products;
        small += count_bits(seen[i].municipalities) <= 4 && count_bits(seen[i].products) <= 2;
        if (seen[i].products != 0 && count_bits(seen[i].products) <= 2) {
            assert_int_equal(count_bits(seen[i].laws), 1);
        }
        assert_true(count_bits(seen[i].products) <= 4);
    }
    assert_int_equal(products, (1u << UW_REGION_PRODUCT_COUNT) - 1);
    assert_true(small * 2 > providers);
    assert_true(small < providers * 9 / 10);
    qsort(seen, providers, sizeof(seen[0]), compare_sizes);
    assert_true(seen[0].decisions > 10 * seen[providers / 2].decisions);
    assert_in_range(seen[providers / 2].decisions, 24, 120);
    assert_true(count_bits(seen[0].municipalities) == region->options.municipalities);
    uw_region_close(&region);
}

/* Every product can be had everywhere, from those who have a contract for it there and from nobody else. */
static void test_a_choice_everywhere(void **state)
{
    (void)state;
    static const int32_t sizes[][2] = {{1, 1}, {1, 32}, {2, 32}, {6, 2}, {19, 5}, {300, 32}, {5000, 32}};
    struct uw_error error = {0};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct uw_region *region = NULL;
        struct uw_region_options options = two_months(10);
        options.providers = sizes[i][0];
        options.municipalities = sizes[i][1];
        assert_int_equal(uw_region_open(&options, &region, &error), UW_OK);
        size_t cells = UW_REGION_PRODUCT_COUNT * (size_t)options.municipalities;
        for (size_t cell = 0; cell < cells; cell++) {
            uint32_t first = region->choice_starts[cell], end = region->choice_starts[cell + 1], sum = 0;
            assert_true(end > first);
            for (uint32_t j = first; j < end; j++) {
                const struct uw_region_provider *provider = &region->providers[region->choices[j].provider];
                assert_true((provider->products >> cell / (size_t)options.municipalities & 1u) != 0);
                assert_true(region->choices[j].weight_until > sum);
                sum = region->choices[j].weight_until;
            }
        }
        uw_region_close(&region);
    }
}

static bool can_be_chosen(const struct uw_region *region, const struct uw_region_care *care, uint16_t provider)
{
    size_t cell = (size_t)care->product * (size_t)region->options.municipalities + care->municipality;
    for (uint32_t i = region->choice_starts[cell]; i < region->choice_starts[cell + 1]; i++) {
        if (region->choices[i].provider == provider) {
            return true;
        }
    }
    return false;
}

static void test_a_change_goes_to_another_contract(void **state)
{
    (void)state;
    struct uw_region_options options;
    struct uw_region *region = NULL;
    struct uw_error error = {0};
    uint32_t changes = 0;
    uw_region_options_default(&options);
    options.clients = 20000;
    assert_int_equal(uw_region_open(&options, &region, &error), UW_OK);
    for (uint32_t i = 0; i < region->care_count; i++) {
        const struct uw_region_care *care = &region->cares[i];
        assert_true(can_be_chosen(region, care, care->provider));
        if (care->change_day != UW_DAY_NONE) {
            changes++;
            assert_int_not_equal(care->next_provider, care->provider);
            assert_true(can_be_chosen(region, care, care->next_provider));
            assert_int_not_equal(region->providers[care->next_provider].delivery, DELIVERY_PERIOD);
        }
    }
    assert_in_range(changes * 1000 / region->care_count, 10, 30);
    uw_region_close(&region);
}

/* From the day of the switch on a quarter of the contracts has another form, for running decisions and for new ones. */
static void test_contracts_get_another_form(void **state)
{
    (void)state;
    struct uw_region_options options = two_months(30000);
    options.until_day = options.from_day + 150;
    options.switch_day = options.from_day + 75;
    struct uw_region *region = watch(&options);
    uint32_t contracts = 0, switched = 0;
    for (size_t i = 0; i < (size_t)region->options.providers; i++) {
        for (uint8_t product = 0; product < UW_REGION_PRODUCT_COUNT; product++) {
            const uint8_t *forms = seen[i].forms[product];
            if (forms[0] != NO_FORM && forms[1] != NO_FORM) {
                contracts++;
                switched += forms[0] != forms[1];
                assert_int_equal(forms[0] != forms[1], uw_region_is_switched(region, (uint16_t)i, product));
            }
        }
    }
    assert_in_range(switched * 1000 / contracts, 200, 300);
    uw_region_close(&region);
}

static void test_every_form_in_a_small_region(void **state)
{
    (void)state;
    struct uw_region_options options = two_months(60);
    options.until_day = options.from_day + 180;
    for (options.seed = 1; options.seed <= 20; options.seed++) {
        struct uw_region *region = watch(&options);
        uint32_t forms = 0, laws = 0;
        for (size_t i = 0; i < (size_t)region->options.providers; i++) {
            laws |= seen[i].laws;
            for (size_t product = 0; product < UW_REGION_PRODUCT_COUNT; product++) {
                uint8_t form = seen[i].forms[product][0];
                forms |= form != NO_FORM ? 1u << form : 0;
            }
        }
        assert_int_equal(forms, (1u << UW_MODEL_COUNT) - 1);
        assert_int_equal(laws, 7);
        uw_region_close(&region);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_large_and_many_small),
        cmocka_unit_test(test_a_choice_everywhere),
        cmocka_unit_test(test_a_change_goes_to_another_contract),
        cmocka_unit_test(test_contracts_get_another_form),
        cmocka_unit_test(test_every_form_in_a_small_region),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
