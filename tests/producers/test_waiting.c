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

static const char *numbered(uint32_t number)
{
    static char name[32];

    snprintf(name, sizeof name, "client-%06u", (unsigned)number);
    return name;
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

/* One below, at and above the limit, a few clients that left counted in. */
static void waiting_has_a_limit(void **state)
{
    struct uw_waiting waiting;

    (void)state;
    uw_waiting_init(&waiting);
    for (uint32_t i = 0; i < UW_WAITING_CLIENTS_MAX; i++) {
        assert_true(joins(&waiting, numbered(i), (int32_t)(i % 12)));
    }
    uw_waiting_settle(&waiting, true);
    assert_false(joins(&waiting, "more", 0));
    assert_true(leaves(&waiting, numbered(77)));
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

/* Who reads a region of ten times the limit has places for those who wait at a time. */
static void places_of_many_who_left_are_given_anew(void **state)
{
    const uint32_t half = UW_WAITING_CLIENTS_MAX / 2;
    struct uw_waiting waiting;

    (void)state;
    uw_waiting_init(&waiting);
    for (uint32_t i = 0; i < UW_WAITING_CLIENTS_MAX; i++) {
        assert_true(joins(&waiting, numbered(i), (int32_t)(i % 6)));
    }
    uw_waiting_settle(&waiting, true);
    for (uint32_t i = 0; i < half; i++) {
        assert_true(leaves(&waiting, numbered(2 * i)));
    }
    uw_waiting_settle(&waiting, true);
    assert_false(joins(&waiting, "more", 9));
    assert_true(leaves(&waiting, numbered(1)));
    uw_waiting_settle(&waiting, true);
    assert_int_equal(waiting.count, half - 1);
    for (uint32_t i = 0; i < UW_WAITING_CLIENTS_MAX; i++) {
        assert_int_equal(uw_waiting_has(&waiting, uw_str_from(numbered(i))), i % 2 == 1 && i != 1);
    }
    for (uint32_t i = 0, place = 0; i < 100; i++, place++) { /* still in the order in which they joined */
        place = uw_waiting_next(&waiting, 3, place);
        assert_true(uw_str_equal(waiting.clients[place].name, uw_str_from(numbered(6 * i + 3))));
    }
    for (uint32_t i = 0; i <= half; i++) {
        assert_true(joins(&waiting, numbered(2 * i), 6 + (int32_t)(i % 3)));
    }
    assert_false(joins(&waiting, "more", 9));
    uw_waiting_settle(&waiting, true);
    assert_int_equal(waiting.waiting_count, UW_WAITING_CLIENTS_MAX);
    uw_waiting_close(&waiting);
}

/* As many of partition 0 join as its lists may hold, and all but the last leave; one of partition 1 joins. */
static void fill_lists(struct uw_waiting *waiting)
{
    for (uint32_t i = 0; i < UW_WAITING_LISTED_MAX; i++) {
        assert_true(joins(waiting, numbered(i), 0));
    }
    assert_false(joins(waiting, "more", 0));
    uw_waiting_settle(waiting, true);
    for (uint32_t i = 0; i + 1 < UW_WAITING_LISTED_MAX; i++) {
        assert_true(leaves(waiting, numbered(i)));
    }
    uw_waiting_settle(waiting, true);
    assert_int_equal(waiting->count, 1);
    assert_true(joins(waiting, "other", 1));
    uw_waiting_settle(waiting, true);
    assert_false(joins(waiting, "more", 0));
}

/* A claim writes what the lists of a partition hold, those who left included. */
static void lists_of_a_partition_have_a_limit(void **state)
{
    struct uw_waiting waiting;

    (void)state;
    uw_waiting_init(&waiting);
    assert_true(joins(&waiting, "more", 0));
    uw_waiting_settle(&waiting, false); /* it was not applied: there is no list */
    fill_lists(&waiting);
    assert_true(leaves(&waiting, numbered(UW_WAITING_LISTED_MAX - 1)));
    assert_true(uw_waiting_empties(&waiting, 0));
    uw_waiting_settle(&waiting, false); /* the lists are there still */
    assert_false(joins(&waiting, "more", 0));
    assert_true(leaves(&waiting, numbered(UW_WAITING_LISTED_MAX - 1)));
    uw_waiting_settle(&waiting, true);
    assert_true(joins(&waiting, "more", 0));
    uw_waiting_close(&waiting);

    fill_lists(&waiting);
    uw_waiting_forget(&waiting, 0); /* a claim made rows of them */
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
        cmocka_unit_test(places_of_many_who_left_are_given_anew),
        cmocka_unit_test(lists_of_a_partition_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
