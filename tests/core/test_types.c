/* core/types.h: UTF-8, UUIDs in the order of their text, error texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/types.h"
#include "tests/support/random.h"

#define CHECK_UTF8(literal, expected) assert_int_equal(uw_utf8_length(UW_STR(literal)), (expected))

static void test_utf8_counts_code_points(void **state)
{
    (void)state;
    CHECK_UTF8("", 0);
    CHECK_UTF8("abc", 3);
    CHECK_UTF8("\x01\x7F", 2);
    CHECK_UTF8("\xC2\x80\xDF\xBF", 2);
    CHECK_UTF8("\xE0\xA0\x80\xEF\xBF\xBF", 2);
    CHECK_UTF8("\xED\x9F\xBF\xEE\x80\x80", 2); /* beside the surrogates */
    CHECK_UTF8("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 2);
}

static void test_utf8_refuses(void **state)
{
    (void)state;
    CHECK_UTF8("a\0b", -1);
    CHECK_UTF8("\x80", -1);
    CHECK_UTF8("\xC0\x80", -1); /* overlong NUL */
    CHECK_UTF8("\xC1\xBF", -1);
    CHECK_UTF8("\xE0\x9F\xBF", -1);
    CHECK_UTF8("\xF0\x8F\xBF\xBF", -1);
    CHECK_UTF8("\xED\xA0\x80", -1); /* surrogates */
    CHECK_UTF8("\xED\xBF\xBF", -1);
    CHECK_UTF8("\xF4\x90\x80\x80", -1); /* beyond U+10FFFF */
    CHECK_UTF8("\xF5\x80\x80\x80", -1);
    CHECK_UTF8("\xFF", -1);
    CHECK_UTF8("ab\xC3", -1); /* cut off */
    CHECK_UTF8("\xE2\x82", -1);
    CHECK_UTF8("\xF0\x9F\x98", -1);
    CHECK_UTF8("\xC3\x28", -1);
    CHECK_UTF8("\xE2\x28\xA1", -1);
    CHECK_UTF8("\xF0\x28\x8C\xBC", -1);
}

static void test_strings(void **state)
{
    (void)state;
    assert_true(uw_str_compare(UW_STR("a"), UW_STR("b")) < 0);
    assert_true(uw_str_compare(UW_STR("b"), UW_STR("a")) > 0);
    assert_true(uw_str_compare(UW_STR("a"), UW_STR("ab")) < 0);
    assert_true(uw_str_compare(UW_STR("ab"), UW_STR("a")) > 0);
    assert_int_equal(uw_str_compare(UW_STR("ab"), UW_STR("ab")), 0);
    assert_int_equal(uw_str_compare(UW_STR(""), UW_STR_NULL), 0);
    /* Bytes count, not code units: U+FFFF comes before U+10000. */
    assert_true(uw_str_compare(UW_STR("\xEF\xBF\xBF"), UW_STR("\xF0\x90\x80\x80")) < 0);
    assert_true(uw_str_compare(UW_STR("z"), UW_STR("\xC3\xA9")) < 0);
    assert_true(uw_str_equal(UW_STR("x"), UW_STR("x")));
    assert_false(uw_str_equal(UW_STR(""), UW_STR_NULL));
    assert_true(uw_str_equal(UW_STR_NULL, UW_STR_NULL));
    assert_false(uw_str_equal(UW_STR("x"), UW_STR("xy")));
    assert_int_equal(uw_str_from("four").length, 4);
}

static struct uw_uuid uuid(const char *text)
{
    struct uw_uuid parsed;
    assert_true(uw_uuid_parse(uw_str_from(text), &parsed));
    return parsed;
}

static void test_uuid_round_trip(void **state)
{
    (void)state;
    static const char *const texts[] = {"00000000-0000-0000-0000-000000000000", "30c5e0a1-9f4b-4d6e-8a7b-0123456789ab",
                                        "30C5E0A1-9F4B-4D6E-8A7B-0123456789AB", "fFfFfFfF-aAaA-bBbB-cCcC-dDdDdDeEeEeE"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct uw_uuid parsed = uuid(texts[i]);
        char text[UW_UUID_TEXT_BYTES + 1] = "";
        uw_uuid_format(&parsed, text);
        text[UW_UUID_TEXT_BYTES] = '\0';
        assert_string_equal(text, texts[i]);
    }
}

static void test_uuid_refuses(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "30c5e0a19f4b4d6e8a7b0123456789ab",
                                        "30c5e0a1-9f4b-4d6e-8a7b-0123456789a",
                                        "30c5e0a1-9f4b-4d6e-8a7b-0123456789abc",
                                        "30c5e0a1-9f4b-4d6e-8a7b-0123456789ag",
                                        "30c5e0a1_9f4b-4d6e-8a7b-0123456789ab",
                                        "{0c5e0a1-9f4b-4d6e-8a7b-0123456789ab",
                                        "30c5e0a19-f4b-4d6e-8a7b-0123456789ab",
                                        " 0c5e0a1-9f4b-4d6e-8a7b-0123456789ab"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct uw_uuid parsed = {{7}, 7};
        assert_false(uw_uuid_parse(uw_str_from(wrong[i]), &parsed));
        assert_true(parsed.bytes[0] == 7 && parsed.upper == 7);
    }
}

/* "A" comes before "a" and after every digit, as bytes do. */
static void test_uuid_order_is_that_of_the_text(void **state)
{
    (void)state;
    static const char digits[] = "0123456789abcdefABCDEF";
    struct uw_random random = uw_random_from(1);
    char texts[2][UW_UUID_TEXT_BYTES + 1] = {"00000000-0000-0000-0000-000000000000",
                                             "00000000-0000-0000-0000-000000000000"};
    for (uint32_t round = 0; round < 20000; round++) {
        /* Mostly equal beginnings, so that every place decides now and then. */
        uint32_t first = uw_random_below(&random, UW_UUID_TEXT_BYTES);
        for (uint32_t i = 0; i < UW_UUID_TEXT_BYTES; i++) {
            if (texts[0][i] != '-') {
                texts[0][i] = digits[uw_random_below(&random, 22)];
                texts[1][i] = i < first ? texts[0][i] : digits[uw_random_below(&random, 22)];
            }
        }
        struct uw_uuid a = uuid(texts[0]), b = uuid(texts[1]);
        int expected = memcmp(texts[0], texts[1], UW_UUID_TEXT_BYTES), order = uw_uuid_compare(&a, &b);
        assert_int_equal((order > 0) - (order < 0), (expected > 0) - (expected < 0));
        assert_int_equal(uw_uuid_compare(&a, &a), 0);
    }
}

static void test_error_text_is_one_line(void **state)
{
    (void)state;
    struct uw_error error;
    assert_int_equal(uw_error_set(&error, UW_EIO, UW_CLASS_RETRY, "first\nsecond\r\nthird %d\n\n", 7), UW_EIO);
    assert_string_equal(error.text, "first second  third 7");
    assert_int_equal(error.code, UW_EIO);
    assert_int_equal(error.class, UW_CLASS_RETRY);
    assert_int_equal(uw_error_set(NULL, UW_ELIMIT, UW_CLASS_FATAL, "nobody reads this"), UW_ELIMIT);
    char text[2 * UW_ERROR_TEXT_BYTES];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(uw_error_set(&error, UW_EIO, UW_CLASS_RETRY, "%s", text), UW_EIO);
    assert_int_equal(strlen(error.text), UW_ERROR_TEXT_BYTES - 1);
    uw_error_set(&error, UW_EIO, UW_CLASS_RETRY, "%s", "");
    assert_string_equal(error.text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_counts_code_points),
        cmocka_unit_test(test_utf8_refuses),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_uuid_round_trip),
        cmocka_unit_test(test_uuid_refuses),
        cmocka_unit_test(test_uuid_order_is_that_of_the_text),
        cmocka_unit_test(test_error_text_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
