/* Options of subcommands: values, switches, operands, defaults, and mistakes that end with exit code 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/command.h"

static const struct uw_option table[] = {
    {"number", "N", "a number"},
    {"day", "DATE", "a day"},
    {"word", "W", "a word"},
    {"loud", NULL, "a switch"},
};

#define PARSE(options, ...)                                                                                            \
    parse((char *[]){"test", __VA_ARGS__, NULL}, (int)(sizeof((char *[]){"test", __VA_ARGS__}) / sizeof(char *)),      \
          options)

static int parse(char **arguments, int count, struct uw_options *options)
{
    return uw_options_parse(count, arguments, "test", "About.", table, 4, options);
}

static void test_values(void **state)
{
    (void)state;
    struct uw_options options;
    int64_t number;
    int32_t day;
    assert_int_equal(PARSE(&options, "--number", "-5", "first", "--day=2026-02-28", "--loud", "-", "--", "--word"), -1);
    assert_true(uw_option_integer(&options, "number", 1, -5, 5, &number));
    assert_int_equal(number, -5);
    assert_true(uw_option_date(&options, "day", UW_DAY_NONE, &day));
    assert_int_equal(day, uw_day_from_civil(2026, 2, 28));
    assert_true(uw_option_given(&options, "loud"));
    assert_false(uw_option_given(&options, "word"));
    assert_string_equal(uw_option_text(&options, "word", "otherwise"), "otherwise");
    assert_int_equal(options.operand_count, 3);
    assert_string_equal(options.operands[0], "first");
    assert_string_equal(options.operands[1], "-");
    assert_string_equal(options.operands[2], "--word");
}

static void test_defaults_and_repetition(void **state)
{
    (void)state;
    struct uw_options options;
    int64_t number;
    int32_t day;
    assert_int_equal(PARSE(&options, "--word", "a", "--word", "b", "--set", "x=1", "--config", "f", "--set=y=2"), -1);
    assert_string_equal(uw_option_text(&options, "word", NULL), "b");
    assert_true(uw_option_integer(&options, "number", 42, 0, 1, &number));
    assert_int_equal(number, 42);
    assert_true(uw_option_date(&options, "day", UW_DAY_NONE, &day));
    assert_int_equal(day, UW_DAY_NONE);
    assert_int_equal(options.override_count, 2);
    assert_string_equal(options.overrides[1], "y=2");
    assert_string_equal(options.config_path, "f");
}

/* So many settings as there is room for, and one more. */
static void test_settings_have_a_limit(void **state)
{
    (void)state;
    struct uw_options options;
    for (int count = UW_OVERRIDES_MAX; count <= UW_OVERRIDES_MAX + 1; count++) {
        char *arguments[UW_OVERRIDES_MAX + 3] = {"test"};
        for (int i = 1; i <= count; i++) {
            arguments[i] = "--set=x=1";
        }
        assert_int_equal(parse(arguments, count + 1, &options), count <= UW_OVERRIDES_MAX ? -1 : UW_EXIT_USAGE);
    }
}

static void test_mistakes(void **state)
{
    (void)state;
    struct uw_options options;
    assert_int_equal(PARSE(&options, "--nubmer", "1"), UW_EXIT_USAGE);
    assert_int_equal(PARSE(&options, "--number"), UW_EXIT_USAGE);
    assert_int_equal(PARSE(&options, "--loud=1"), UW_EXIT_USAGE);
    assert_int_equal(PARSE(&options, "-x"), UW_EXIT_USAGE);
    assert_int_equal(PARSE(&options, "--help"), UW_EXIT_OK);
    assert_int_equal(PARSE(&options, "-h"), UW_EXIT_OK);
}

static void test_bad_values_leave_the_variable_alone(void **state)
{
    (void)state;
    static const char *const numbers[] = {"", "x", "5x", "6", "-6", "99999999999999999999", "1.0", "-", " 1", "+1"};
    static const char *const days[] = {"",           "2026-02-30", "2026-2-3",   "today",
                                       "1899-12-31", "2200-01-01", "2026-01-01x"};
    struct uw_options options;
    int64_t number = 77;
    int32_t day = 78;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        assert_int_equal(PARSE(&options, "--number", (char *)(uintptr_t)numbers[i]), -1);
        assert_false(uw_option_integer(&options, "number", 1, -5, 5, &number));
    }
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        assert_int_equal(PARSE(&options, "--day", (char *)(uintptr_t)days[i]), -1);
        assert_false(uw_option_date(&options, "day", 1, &day));
    }
    assert_int_equal(number, 77);
    assert_int_equal(day, 78);
}

static void test_flags_become_settings(void **state)
{
    (void)state;
    struct uw_options options;
    struct uw_config config;
    assert_int_equal(PARSE(&options, "--dsn", "host=flag", "--brokers", "b:1", "--log-level", "error", "--config",
                           "/dev/null", "--set", "database.dsn=host=set", "--set", "batch.linger_ms=1"),
                     -1);
    assert_true(uw_options_config(&options, &config));
    assert_string_equal(config.dsn, "host=flag");
    assert_string_equal(uw_config_kafka(&config, "bootstrap.servers"), "b:1");
    assert_string_equal(config.log_level, "error");
    assert_int_equal(config.batch_linger_ms, 1);
    uw_config_close(&config);
    assert_int_equal(PARSE(&options, "--config", "/dev/null", "--log-level", "loud"), -1);
    assert_false(uw_options_config(&options, &config));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_defaults_and_repetition),
        cmocka_unit_test(test_settings_have_a_limit),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_bad_values_leave_the_variable_alone),
        cmocka_unit_test(test_flags_become_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
