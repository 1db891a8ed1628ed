/* core/settings.h: which rule wins, and when the fingerprint differs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/settings.h"

static struct uw_threshold_rule stalled(struct uw_str municipality, int32_t law, struct uw_str product, int32_t days)
{
    return (struct uw_threshold_rule){.municipality = municipality,
                                      .law = law,
                                      .product = product,
                                      .members = UW_SET_STALLED_DAYS,
                                      .values = {.stalled_days = days}};
}

static int32_t resolved(const struct uw_settings *settings, struct uw_str municipality, enum uw_law law,
                        struct uw_str product)
{
    struct uw_thresholds thresholds;
    uw_settings_resolve(settings, municipality, law, product, &thresholds);
    /* What no rule sets stays as it was. */
    assert_int_equal(thresholds.projection_percent, 110);
    assert_int_equal(thresholds.surplus_thresholds_percent.count, 2);
    return thresholds.stalled_days;
}

static void test_figures_of_spec(void **state)
{
    (void)state;
    struct uw_thresholds thresholds;
    uw_thresholds_default(&thresholds);
    assert_true(thresholds.surplus_thresholds_percent.count == 2 && thresholds.budget_thresholds_percent.count == 2);
    assert_true(thresholds.surplus_thresholds_percent.values[0] == 80 &&
                thresholds.surplus_thresholds_percent.values[1] == 100);
    assert_true(thresholds.budget_thresholds_percent.values[0] == 80 &&
                thresholds.budget_thresholds_percent.values[1] == 100);
    assert_true(thresholds.projection_min_days == 28 && thresholds.projection_percent == 110);
    assert_true(thresholds.bandwidth_grace_days == 14 && thresholds.evaluation_notice_days == 14);
    assert_true(thresholds.evaluation_overdue_days == 28 && thresholds.ending_notice_days == 56);
    assert_int_equal(thresholds.stalled_days, 28);
}

static void test_more_selectors_win_then_the_later(void **state)
{
    (void)state;
    struct uw_threshold_rule rules[] = {
        stalled(UW_STR("0363"), UW_LAW_WMO, UW_STR("02A03"), 1), /* three selectors, first in the file */
        stalled(UW_STR("0363"), -1, UW_STR_NULL, 2),
        stalled(UW_STR_NULL, UW_LAW_WMO, UW_STR_NULL, 3),
        stalled(UW_STR_NULL, UW_LAW_WMO, UW_STR("02A03"), 4),
        stalled(UW_STR_NULL, -1, UW_STR_NULL, 5),
        stalled(UW_STR("0363"), UW_LAW_JEUGDWET, UW_STR_NULL, 6),
        stalled(UW_STR_NULL, -1, UW_STR(""), 7),
    };
    struct uw_settings settings = {.rules = rules, .rule_count = 7};
    uw_thresholds_default(&settings.defaults);
    uw_settings_sort(&settings);
    assert_int_equal(resolved(&settings, UW_STR("0363"), UW_LAW_WMO, UW_STR("02A03")), 1);
    assert_int_equal(resolved(&settings, UW_STR("0599"), UW_LAW_WMO, UW_STR("02A03")), 4);
    /* One selector each: the later rule of the file wins. */
    assert_int_equal(resolved(&settings, UW_STR("0363"), UW_LAW_WMO, UW_STR("x")), 3);
    assert_int_equal(resolved(&settings, UW_STR("0363"), UW_LAW_PARTICIPATIEWET, UW_STR("x")), 2);
    assert_int_equal(resolved(&settings, UW_STR("0363"), UW_LAW_JEUGDWET, UW_STR("x")), 6);
    assert_int_equal(resolved(&settings, UW_STR("0599"), UW_LAW_JEUGDWET, UW_STR("x")), 5);
    /* A product without a code is a product; it is not "any". */
    assert_int_equal(resolved(&settings, UW_STR("0599"), UW_LAW_JEUGDWET, UW_STR("")), 7);
}

static void test_each_member_is_set_alone(void **state)
{
    (void)state;
    for (uint32_t member = UW_SET_SURPLUS_THRESHOLDS; member <= UW_SET_STALLED_DAYS; member <<= 1) {
        struct uw_threshold_rule rule = {.law = -1, .members = member};
        rule.values = (struct uw_thresholds){{1, {7}}, {1, {7}}, 7, 7, 7, 7, 7, 7, 7};
        struct uw_settings settings = {.rules = &rule, .rule_count = 1};
        struct uw_thresholds thresholds;
        uw_thresholds_default(&settings.defaults);
        uw_settings_resolve(&settings, UW_STR("0363"), UW_LAW_WMO, UW_STR("x"), &thresholds);
        const bool set[] = {thresholds.surplus_thresholds_percent.values[0] == 7,
                            thresholds.budget_thresholds_percent.values[0] == 7,
                            thresholds.projection_min_days == 7,
                            thresholds.projection_percent == 7,
                            thresholds.bandwidth_grace_days == 7,
                            thresholds.evaluation_notice_days == 7,
                            thresholds.evaluation_overdue_days == 7,
                            thresholds.ending_notice_days == 7,
                            thresholds.stalled_days == 7};
        for (uint32_t i = 0; i < 9; i++) {
            assert_int_equal(set[i], member == 1u << i);
        }
    }
}

static void test_fingerprint(void **state)
{
    (void)state;
    struct uw_threshold_rule rules[2] = {stalled(UW_STR("0363"), -1, UW_STR_NULL, 9),
                                         stalled(UW_STR("0599"), -1, UW_STR_NULL, 9)};
    struct uw_settings settings = {.rules = rules, .rule_count = 2};
    uw_thresholds_default(&settings.defaults);
    uint64_t base = uw_settings_fingerprint(&settings);
    assert_true(base != 0);
    assert_true(uw_settings_fingerprint(&settings) == base);
    /* Values that a rule does not set mean nothing. */
    rules[0].values.projection_percent = 500;
    rules[0].values.surplus_thresholds_percent.count = 3;
    assert_true(uw_settings_fingerprint(&settings) == base);
    settings.defaults.budget_thresholds_percent.values[5] = 9;
    assert_true(uw_settings_fingerprint(&settings) == base);
    rules[0].members |= UW_SET_PROJECTION_PERCENT;
    uint64_t other = uw_settings_fingerprint(&settings);
    assert_true(other != base);
    rules[0].members = UW_SET_STALLED_DAYS;
    rules[0].values.stalled_days = 10;
    assert_true(uw_settings_fingerprint(&settings) != base);
    rules[0].values.stalled_days = 9;
    rules[0].law = UW_LAW_WMO;
    assert_true(uw_settings_fingerprint(&settings) != base);
    rules[0].law = -1;
    rules[0].product = UW_STR("");
    assert_true(uw_settings_fingerprint(&settings) != base);
    rules[0].product = UW_STR_NULL;
    settings.rule_count = 1;
    assert_true(uw_settings_fingerprint(&settings) != base);
    settings.rule_count = 2;
    settings.defaults.stalled_days++;
    assert_true(uw_settings_fingerprint(&settings) != base);
    settings.defaults.stalled_days--;
    settings.defaults.surplus_thresholds_percent.values[0]++;
    assert_true(uw_settings_fingerprint(&settings) != base);
    settings.defaults.surplus_thresholds_percent.values[0]--;
    assert_true(uw_settings_fingerprint(&settings) == base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures_of_spec),
        cmocka_unit_test(test_more_selectors_win_then_the_later),
        cmocka_unit_test(test_each_member_is_set_alone),
        cmocka_unit_test(test_fingerprint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
