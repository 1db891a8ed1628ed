/* Sorting in bounded memory: the order, the runs of the file, and the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/verify_sorter.h"

#define RECORD_BYTES_MAX 700

/* A number, and bytes that follow from it. */
struct record {
    uint64_t number;
    uint32_t length;
    uint8_t bytes[RECORD_BYTES_MAX];
};

static int compare(const void *a, const void *b)
{
    const struct record *left = a, *right = b;
    return (left->number > right->number) - (left->number < right->number);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static size_t fill(struct record *record, uint64_t number)
{
    record->number = number;
    record->length = (uint32_t)(number % RECORD_BYTES_MAX);
    memset(record->bytes, (int)(number % 251), record->length);
    return offsetof(struct record, bytes) + record->length;
}

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* Sorts `count` records in `limit_bytes` and compares with the numbers sorted in memory. */
static void sort_and_compare(size_t count, size_t limit_bytes, uint64_t range)
{
    struct uw_sorter *sorter = NULL;
    struct uw_error error = {.text = ""};
    uint64_t state = count + 1, *numbers = calloc(count + 1, sizeof *numbers);
    const void *given = &state;
    struct record record;

    memset(&record, 0, sizeof record);
    assert_non_null(numbers);
    assert_int_equal(uw_sorter_open(compare, limit_bytes, &sorter, &error), UW_OK);
    for (size_t i = 0; i < count; i++) {
        numbers[i] = next_random(&state) % range;
        assert_int_equal(uw_sorter_add(sorter, &record, fill(&record, numbers[i]), &error), UW_OK);
    }
    if (count > 0) {
        qsort(numbers, count, sizeof *numbers, compare_numbers);
    }
    assert_int_equal(uw_sorter_finish(sorter, &error), UW_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(uw_sorter_next(sorter, &given, &error), UW_OK);
        assert_non_null(given);
        fill(&record, numbers[i]);
        assert_memory_equal(given, &record, offsetof(struct record, bytes) + record.length);
    }
    assert_int_equal(uw_sorter_next(sorter, &given, &error), UW_OK);
    assert_null(given);
    assert_int_equal(uw_sorter_next(sorter, &given, &error), UW_OK);
    assert_null(given);
    uw_sorter_close(&sorter);
    assert_null(sorter);
    free(numbers);
}

static void test_in_memory(void **unused)
{
    (void)unused;
    sort_and_compare(0, 0, 1);
    sort_and_compare(1, 0, 1000);
    sort_and_compare(2, 0, 1000);
    sort_and_compare(50, 0, 1000);
    sort_and_compare(20000, (size_t)64 * 1024 * 1024, UINT64_C(1) << 40);
}

static void test_in_runs(void **unused)
{
    (void)unused;
    /* The smallest limit is some 64 KiB: 200 records or so to a run. */
    sort_and_compare(400, 0, 1000);
    sort_and_compare(30000, 0, UINT64_C(1) << 40);
    sort_and_compare(30000, 0, 10); /* mostly equal ones */
    sort_and_compare(30000, 1024 * 1024, 100000);
}

static void test_limits(void **unused)
{
    (void)unused;
    struct uw_sorter *sorter = NULL;
    struct uw_error error = {.text = ""};
    uint8_t *record = calloc(1, UW_SORTER_RECORD_BYTES_MAX + 1);
    const void *given = NULL;
    enum uw_code code = UW_OK;
    uint32_t added = 0;

    assert_non_null(record);
    assert_int_equal(uw_sorter_open(compare_numbers, 0, &sorter, &error), UW_OK);
    assert_int_equal(uw_sorter_add(sorter, record, 0, &error), UW_ELIMIT);
    assert_int_equal(uw_sorter_add(sorter, record, UW_SORTER_RECORD_BYTES_MAX + 1, &error), UW_ELIMIT);
    /* Records as large as they may be: each is a run of its own. */
    while (code == UW_OK && added <= UW_SORTER_RUNS_MAX + 1) {
        uint64_t number = UINT64_C(1000000) - added;

        memcpy(record, &number, sizeof number);
        code = uw_sorter_add(sorter, record, UW_SORTER_RECORD_BYTES_MAX, &error);
        added += code == UW_OK;
    }
    assert_int_equal(code, UW_ELIMIT);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_int_equal(added, UW_SORTER_RUNS_MAX + 1);
    (void)given;
    uw_sorter_close(&sorter);
    uw_sorter_close(&sorter);
    free(record);
}

static void test_no_place_for_the_file(void **unused)
{
    (void)unused;
    struct uw_sorter *sorter = NULL;
    struct uw_error error = {.text = ""};
    uint64_t record[1024] = {0};
    enum uw_code code = UW_OK;

    assert_int_equal(setenv("TMPDIR", "/nonexistent/urenwacht", 1), 0);
    assert_int_equal(uw_sorter_open(compare_numbers, 0, &sorter, &error), UW_OK);
    for (int i = 0; i < 20 && code == UW_OK; i++) {
        code = uw_sorter_add(sorter, record, sizeof record, &error);
    }
    assert_int_equal(unsetenv("TMPDIR"), 0);
    assert_int_equal(code, UW_EIO);
    assert_non_null(strstr(error.text, "temporary file"));
    uw_sorter_close(&sorter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_memory),
        cmocka_unit_test(test_in_runs),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_place_for_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
