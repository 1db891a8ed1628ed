/* What is read from the headers of a dead letter, the places that users name, and --since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/candidates.h"
#include "cli/dead_letters.h"
#include "complaint.h"
#include "cli/since.h"
#include "cli/verify.h"

static const struct uw_config config = {
    .topics = {"urenwacht.decisions", "urenwacht.declarations", "urenwacht.no-shows", "urenwacht.evaluations"}};

static void test_places(void **state)
{
    static const char *const bad[] = {"", ":", "1", "1:", ":1", "1:2:3", "-1:2", "1:-2", "+1:2", " 1:2", "1:2 ",
                                      "2147483648:1", "1:9223372036854775808", "a:b", "1:00000000000000000001"};
    struct uw_letter_place place = {7, 8};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(uw_letter_place_parse(bad[i], &place));
    }
    assert_int_equal(place.partition, 7);
    assert_true(uw_letter_place_parse("3:17", &place));
    assert_int_equal(place.partition, 3);
    assert_int_equal(place.offset, 17);
    assert_true(uw_letter_place_parse("2147483647:9223372036854775807", &place));
    assert_int_equal(place.partition, INT32_MAX);
    assert_true(place.offset == INT64_MAX);
}

static void test_origins(void **state)
{
    static const char *const bad[] = {"", "/", "urenwacht.decisions", "urenwacht.decisions/1", "/1/2", "other/1/2",
                                      "urenwacht.decisions/1/", "urenwacht.decisions//2", "urenwacht.decisions/x/2",
                                      "urenwacht.decisions/1/2/3", "urenwacht.decisions/-1/2"};
    int32_t topic = 9, partition = 9;
    int64_t offset = 9;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(uw_letter_origin_parse(&config, uw_str_from(bad[i]), &topic, &partition, &offset));
    }
    assert_false(uw_letter_origin_parse(&config, UW_STR_NULL, &topic, &partition, &offset));
    assert_int_equal(topic, 9);
    assert_true(uw_letter_origin_parse(&config, UW_STR("urenwacht.no-shows/11/42"), &topic, &partition, &offset));
    assert_int_equal(topic, UW_TOPIC_NO_SHOWS);
    assert_int_equal(partition, 11);
    assert_int_equal(offset, 42);
}

static void test_headers(void **state)
{
    const struct uw_header headers[] = {
        {UW_STR("trace"), UW_STR("1")},
        /* Of an earlier refusal: the last ones count. */
        {UW_STR("__streams.errors.exception"), UW_STR("EMPTY_VALUE")},
        {UW_STR("__streams.errors.offset"), UW_STR("1")},
        {UW_STR("__streams.errors.exception"), UW_STR("RULE")},
        {UW_STR("__streams.errors.message"), UW_STR("minutes: 0")},
        {UW_STR("__streams.errors.topic"), UW_STR("urenwacht.declarations")},
        {UW_STR("__streams.errors.partition"), UW_STR("5")},
        {UW_STR("__streams.errors.offset"), UW_STR("77")},
    };
    struct uw_audit_message message = {.partition = 2, .offset = 3, .headers = headers, .header_count = 8};
    struct uw_verify_place place = {.topic = -1};
    struct uw_letter letter;

    (void)state;
    uw_letter_fill(&config, &message, &letter);
    assert_int_equal(letter.partition, 2);
    assert_int_equal(letter.offset, 3);
    assert_true(uw_str_equal(letter.reason, UW_STR("RULE")));
    assert_true(uw_str_equal(letter.text, UW_STR("minutes: 0")));
    assert_int_equal(letter.topic_index, UW_TOPIC_DECLARATIONS);
    assert_int_equal(letter.origin_partition, 5);
    assert_int_equal(letter.origin_offset, 77);
    assert_true(uw_verify_place_read(&config, headers, 8, &place));
    assert_int_equal(place.topic, UW_TOPIC_DECLARATIONS);
    assert_int_equal(place.partition, 5);
    assert_int_equal(place.offset, 77);

    /* Without ours it is of no topic and of no place. */
    message.header_count = 1;
    uw_letter_fill(&config, &message, &letter);
    assert_int_equal(letter.topic_index, -1);
    assert_int_equal(letter.origin_partition, -1);
    assert_true(uw_str_is_null(letter.reason));
    assert_false(uw_verify_place_read(&config, headers, 7, &place) && place.offset != 1);
    assert_false(uw_verify_place_read(&config, headers, 1, &place));
}

static void test_since(void **state)
{
    static const char *const bad[] = {"", "x", "1", "s", "2026-13-01", "2026-03-01T", "2026-03-01T24:00:00Z",
                                      "2026-03-01T12:00:00", "2026-03-01T12:00:00ZZ", "1w", "123456789s", "1960-01-01"};
    const int64_t now_ms = INT64_C(1000000000);
    int64_t since_ms = -5;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(uw_since_parse(bad[i], now_ms, &since_ms));
    }
    assert_int_equal(since_ms, -5);
    assert_true(uw_since_parse("90s", now_ms, &since_ms));
    assert_int_equal(since_ms, now_ms - 90000);
    assert_true(uw_since_parse("2h", now_ms, &since_ms));
    assert_int_equal(since_ms, now_ms - 7200000);
    assert_true(uw_since_parse("9999999d", now_ms, &since_ms));
    assert_int_equal(since_ms, 0);
    assert_true(uw_since_parse("1970-01-02", now_ms, &since_ms));
    assert_int_equal(since_ms, 86400000);
    assert_true(uw_since_parse("1970-01-02T01:02:03Z", now_ms, &since_ms));
    assert_int_equal(since_ms, 86400000 + 3723000);
}

static void test_order_of_places(void **state)
{
    const struct uw_verify_place places[] = {{0, 0, 0, 0}, {0, 0, 1, 0}, {0, 1, 0, 0}, {1, 0, 0, 0}};

    (void)state;
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            int order = uw_verify_place_compare(&places[i], &places[j]);

            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

/* So many places as there is room for, which a mistake behind them shows; and one more. */
static void test_places_have_a_limit(void **state)
{
    static char texts[UW_LETTER_PLACES_MAX + 1][16];
    static char *arguments[UW_LETTER_PLACES_MAX + 16];

    (void)state;
    for (uint32_t count = UW_LETTER_PLACES_MAX - 1; count <= UW_LETTER_PLACES_MAX + 1; count++) {
        int argc = 0;
        char *complaint;

        arguments[argc++] = "dead-letters";
        arguments[argc++] = "--config=/dev/null";
        arguments[argc++] = "--limit=0";
        arguments[argc++] = "replay";
        for (uint32_t i = 0; i < count; i++) {
            (void)snprintf(texts[i], sizeof texts[i], "3:%u", (unsigned)i);
            arguments[argc++] = texts[i];
        }
        arguments[argc] = NULL;
        complaint = complaint_of(uw_command_dead_letters, argc, arguments, UW_EXIT_USAGE);
        if (count <= UW_LETTER_PLACES_MAX) {
            assert_non_null(strstr(complaint, "--limit: "));
        } else {
            assert_string_equal(complaint, "urenwacht: dead-letters: at most 1000 places at once\n");
        }
        free(complaint);
    }
}

static void test_candidates_have_a_limit(void **state)
{
    struct uw_candidates candidates;
    struct uw_error error = {UW_OK, UW_CLASS_NONE, ""};

    (void)state;
    uw_candidates_init(&candidates, UW_CANDIDATES_MAX);
    for (uint32_t i = 0; i < UW_CANDIDATES_MAX; i++) {
        const struct uw_candidate candidate = {0, 0, (int64_t)(UW_CANDIDATES_MAX - i), 0, i, false};

        assert_int_equal(uw_candidates_add(&candidates, &candidate, &error), UW_OK);
    }
    assert_int_equal(uw_candidates_add(&candidates, &(struct uw_candidate){.offset = 1}, &error), UW_ELIMIT);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_string_equal(error.text,
                        "more than 1000000 dead letters at once: choose by --topic, --reason or --since");
    assert_int_equal(candidates.count, UW_CANDIDATES_MAX);
    uw_candidates_sort(&candidates);
    assert_int_equal(uw_candidates_find(&candidates, 0, 0, 1)->offset, UW_CANDIDATES_MAX - 1);
    assert_int_equal(uw_candidates_find(&candidates, 0, 0, UW_CANDIDATES_MAX)->offset, 0);
    assert_null(uw_candidates_find(&candidates, 0, 0, UW_CANDIDATES_MAX + 1));
    uw_candidates_close(&candidates);
}

/* A record whose dead letter was published twice is sent once. */
static void test_candidates_of_one_origin(void **state)
{
    static const struct uw_candidate given[] = {
        {1, 2, 30, 4, 51, false}, {1, 2, 30, 4, 50, false}, {1, 2, 31, 4, 52, false},
        {0, 2, 30, 5, 1, false},  {1, 1, 30, 5, 2, false},  {1, 2, 30, 3, 99, false},
    };
    struct uw_candidates candidates;
    struct uw_error error;
    uint32_t replayed = 0;

    (void)state;
    uw_candidates_init(&candidates, 10);
    assert_null(uw_candidates_find(&candidates, 1, 2, 30));
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        assert_int_equal(uw_candidates_add(&candidates, &given[i], &error), UW_OK);
    }
    uw_candidates_sort(&candidates);
    for (uint32_t i = 0; i < candidates.count; i++) {
        replayed += candidates.items[i].replayed;
    }
    assert_int_equal(replayed, 2);
    assert_int_equal(uw_candidates_find(&candidates, 1, 2, 30)->partition, 3);
    assert_false(uw_candidates_find(&candidates, 1, 2, 30)->replayed);
    assert_int_equal(uw_candidates_find(&candidates, 1, 2, 31)->offset, 52);
    assert_int_equal(uw_candidates_find(&candidates, 0, 2, 30)->offset, 1);
    assert_int_equal(uw_candidates_find(&candidates, 1, 1, 30)->offset, 2);
    assert_null(uw_candidates_find(&candidates, 1, 2, 29));
    assert_null(uw_candidates_find(&candidates, 2, 0, 0));
    uw_candidates_close(&candidates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),   cmocka_unit_test(test_origins), cmocka_unit_test(test_headers),
        cmocka_unit_test(test_since),    cmocka_unit_test(test_order_of_places),
        cmocka_unit_test(test_places_have_a_limit),
        cmocka_unit_test(test_candidates_have_a_limit),
        cmocka_unit_test(test_candidates_of_one_origin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
