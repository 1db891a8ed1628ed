/*
 * Who waits to be judged for the first time, without a database.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "producers/waiting.h"

static bool joins(struct uw_waiting *waiting, const char *name, int32_t partition)
{
    return uw_waiting_join(waiting, uw_str_from(name), partition);
}

static bool leaves(struct uw_waiting *waiting, const char *name)
{
    bool failed = false, left = uw_waiting_leave(waiting, uw_str_from(name), &failed);

    assert_false(failed);
    return left;
}

static uint32_t count_of(const struct uw_waiting *waiting, int32_t partition)
{
    uint32_t count = 0;

    for (uint32_t i = uw_waiting_next(waiting, partition, 0); i < waiting->count;
         i = uw_waiting_next(waiting, partition, i + 1)) {
        count++;
    }
    return count;
}

static void a_batch_that_was_not_applied_changes_nothing(void **state)
{
    struct uw_waiting waiting;

    (void)state;
    uw_waiting_init(&waiting);
    assert_true(joins(&waiting, "a", 3));
    assert_true(uw_waiting_has(&waiting, UW_STR("a")));
    assert_int_equal(count_of(&waiting, 3), 0);
    uw_waiting_settle(&waiting, false);
    assert_false(uw_waiting_has(&waiting, UW_STR("a")));
    assert_true(joins(&waiting, "a", 3));
    assert_true(joins(&waiting, "b", 3));
    assert_false(leaves(&waiting, "a")); /* it has not even joined */
    uw_waiting_settle(&waiting, true);
    assert_int_equal(count_of(&waiting, 3), 2);
    assert_true(leaves(&waiting, "a"));
    assert_true(leaves(&waiting, "b"));
    assert_true(uw_waiting_empties(&waiting, 3));
    uw_waiting_settle(&waiting, false);
    assert_int_equal(count_of(&waiting, 3), 2);
    assert_false(uw_waiting_empties(&waiting, 3));
    uw_waiting_close(&waiting);
}

static void lists_go_with_the_last_client(void **state)
{
    struct uw_waiting waiting;

    (void)state;
    uw_waiting_init(&waiting);
    assert_true(joins(&waiting, "a", 0) && joins(&waiting, "b", 0) && joins(&waiting, "c", 40));
    assert_false(uw_waiting_empties(&waiting, 0));
    uw_waiting_settle(&waiting, true);
    assert_true(leaves(&waiting, "b"));
    assert_false(leaves(&waiting, "b"));
    assert_false(uw_waiting_empties(&waiting, 0));
    uw_waiting_settle(&waiting, true);
    assert_false(leaves(&waiting, "b"));
    assert_true(leaves(&waiting, "a"));
    assert_true(uw_waiting_empties(&waiting, 0));
    /* Not when somebody joins. */
    assert_true(joins(&waiting, "d", 0));
    assert_false(uw_waiting_empties(&waiting, 0));
    uw_waiting_settle(&waiting, true);
    assert_true(leaves(&waiting, "d"));
    assert_true(uw_waiting_empties(&waiting, 0));
    assert_false(uw_waiting_empties(&waiting, 40));
    assert_false(uw_waiting_empties(&waiting, 41));
    assert_false(uw_waiting_empties(&waiting, 100000));
    uw_waiting_settle(&waiting, true);
    assert_int_equal(waiting.waiting_count, 1);
    uw_waiting_forget(&waiting, 40);
    assert_int_equal(waiting.waiting_count, 0);
    assert_int_equal(waiting.count, 0); /* all begins anew */
    assert_false(uw_waiting_has(&waiting, UW_STR("c")));
    uw_waiting_close(&waiting);
}

static void a_row_that_was_found_proves_that_one_left(void **state)
{
    struct uw_waiting waiting;

    (void)state;
    uw_waiting_init(&waiting);
    assert_true(joins(&waiting, "a", 0) && joins(&waiting, "b", 0));
    uw_waiting_settle(&waiting, true);
    uw_waiting_drop(&waiting, UW_STR("a"));
    uw_waiting_drop(&waiting, UW_STR("nobody"));
    assert_false(uw_waiting_has(&waiting, UW_STR("a")));
    assert_true(leaves(&waiting, "b"));
    assert_true(uw_waiting_empties(&waiting, 0));
    uw_waiting_settle(&waiting, true);
    assert_int_equal(waiting.count, 0);
    uw_waiting_close(&waiting);
}

/* One below, at and above the limit, with clients that left long ago counted in. */
static void waiting_has_a_limit(void **state)
{
    struct uw_waiting waiting;
    char name[32];

    (void)state;
    uw_waiting_init(&waiting);
    for (uint32_t i = 0; i < UW_WAITING_CLIENTS_MAX; i++) {
        snprintf(name, sizeof name, "client-%u", (unsigned)i);
        assert_true(joins(&waiting, name, (int32_t)(i % 12)));
    }
    uw_waiting_settle(&waiting, true);
    assert_false(joins(&waiting, "more", 0));
    assert_true(leaves(&waiting, "client-77"));
    uw_waiting_settle(&waiting, true);
    assert_false(joins(&waiting, "more", 0));
    assert_false(uw_waiting_has(&waiting, UW_STR("more")));
    for (int32_t partition = 0; partition < 12; partition++) {
        assert_in_range(count_of(&waiting, partition), UW_WAITING_CLIENTS_MAX / 12 - 1, UW_WAITING_CLIENTS_MAX / 12 + 1);
        uw_waiting_forget(&waiting, partition);
    }
    assert_true(joins(&waiting, "more", 0));
    uw_waiting_close(&waiting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_that_was_not_applied_changes_nothing),
        cmocka_unit_test(lists_go_with_the_last_client),
        cmocka_unit_test(a_row_that_was_found_proves_that_one_left),
        cmocka_unit_test(waiting_has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
