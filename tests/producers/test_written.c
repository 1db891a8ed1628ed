/*
 * The memory of what a writer has written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "producers/written.h"

static uint64_t spread(uint64_t number)
{
    number = (number ^ (number >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
    return number ^ (number >> 29);
}

static void tells_new_rows_from_old_ones(void **state)
{
    struct uw_written written = {0};

    (void)state;
    uw_written_begin(&written, true);
    for (uint64_t i = 1; i <= 100000; i++) {
        assert_true(uw_written_add(&written, spread(i)));
    }
    for (uint64_t i = 1; i <= 100000; i++) {
        assert_false(uw_written_add(&written, spread(i)));
    }
    assert_true(uw_written_add(&written, spread(100001)));
    assert_int_equal(written.count, 100001);
    uw_written_close(&written);
}

/* Zero marks a free place, and is a fingerprint like any other to the caller. */
static void takes_every_fingerprint(void **state)
{
    struct uw_written written = {0};

    (void)state;
    uw_written_begin(&written, true);
    assert_true(uw_written_add(&written, 0));
    assert_false(uw_written_add(&written, 0));
    /* Of the same place. */
    assert_true(uw_written_add(&written, UINT64_C(1) << 63));
    assert_true(uw_written_add(&written, UINT64_C(1) << 62));
    assert_false(uw_written_add(&written, UINT64_C(1) << 63));
    uw_written_close(&written);
}

static void knows_nothing_of_a_table_with_rows(void **state)
{
    struct uw_written written = {0};

    (void)state;
    assert_false(uw_written_add(&written, 5));
    uw_written_begin(&written, false);
    assert_false(uw_written_add(&written, 5));
    uw_written_begin(&written, true);
    assert_true(uw_written_add(&written, 5));
    uw_written_begin(&written, false);
    assert_false(uw_written_add(&written, 6));
    assert_null(written.slots);
    uw_written_close(&written);
}

/* One below, at and above the limit. */
static void forgets_all_beyond_its_limit(void **state)
{
    const uint32_t most = UW_WRITTEN_SLOTS_MAX / 8 * 7;
    struct uw_written written = {0};
    uint64_t number = 0;

    (void)state;
    uw_written_begin(&written, true);
    while (written.count < most - 1) {
        (void)uw_written_add(&written, spread(++number));
    }
    assert_true(uw_written_add(&written, spread(++number)));
    assert_int_equal(written.slot_count, UW_WRITTEN_SLOTS_MAX);
    assert_int_equal(written.count, most);
    assert_false(uw_written_add(&written, spread(++number)));
    assert_false(written.knows);
    assert_null(written.slots);
    assert_false(uw_written_add(&written, spread(++number)));
    uw_written_close(&written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_new_rows_from_old_ones),
        cmocka_unit_test(takes_every_fingerprint),
        cmocka_unit_test(knows_nothing_of_a_table_with_rows),
        cmocka_unit_test(forgets_all_beyond_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
