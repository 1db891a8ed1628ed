/* cli/backoff.h: waits grow between the two limits of the configuration, and are not the same for everybody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cli/backoff.h"

static void test_waits_grow_up_to_the_limit(void **state)
{
    (void)state;
    struct uw_backoff backoff;
    uw_backoff_init(&backoff, 100, 10000, 7);
    int32_t whole_ms = 100;
    for (int i = 0; i < 100; i++) {
        int32_t wait_ms = uw_backoff_next(&backoff);
        assert_in_range(wait_ms, whole_ms / 2, whole_ms);
        whole_ms = whole_ms * 2 < 10000 ? whole_ms * 2 : 10000;
    }
    uw_backoff_reset(&backoff);
    assert_in_range(uw_backoff_next(&backoff), 50, 100);
}

/* The widest limits that the configuration allows, and a largest that is below the smallest. */
static void test_edges(void **state)
{
    (void)state;
    struct uw_backoff backoff;
    uw_backoff_init(&backoff, 60000, 600000, 1);
    backoff.failures = UINT32_MAX;
    assert_in_range(uw_backoff_next(&backoff), 300000, 600000);
    assert_int_equal(backoff.failures, UINT32_MAX);
    uw_backoff_init(&backoff, 1, 1, 1);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(uw_backoff_next(&backoff), 1);
    }
    uw_backoff_init(&backoff, 500, 100, 1);
    assert_in_range(uw_backoff_next(&backoff), 250, 500);
    assert_in_range(uw_backoff_next(&backoff), 250, 500);
}

static void test_instances_do_not_knock_in_step(void **state)
{
    (void)state;
    struct uw_backoff one, two;
    int same = 0;
    uw_backoff_init(&one, 1000, 100000, 2);
    uw_backoff_init(&two, 1000, 100000, 4);
    for (int i = 0; i < 20; i++) {
        same += uw_backoff_next(&one) == uw_backoff_next(&two);
    }
    assert_true(same < 3);
}

static void patience_ends(void **state)
{
    struct uw_patience patience = {0, 0};

    (void)state;
    assert_true(uw_patience_begins(&patience, 5000, 1000));
    assert_false(uw_patience_is_over(&patience, 1000));
    assert_false(uw_patience_begins(&patience, 5999, 1000));
    assert_false(uw_patience_is_over(&patience, 1000));
    assert_false(uw_patience_begins(&patience, 6000, 1000));
    assert_true(uw_patience_is_over(&patience, 1000));
    /* Had in between, but not for long enough to begin anew. */
    assert_false(uw_patience_begins(&patience, 7000, 1000));
    assert_true(uw_patience_is_over(&patience, 1000));
    assert_true(uw_patience_begins(&patience, 8001, 1000));
    assert_false(uw_patience_is_over(&patience, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_grow_up_to_the_limit),
        cmocka_unit_test(patience_ends),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_instances_do_not_knock_in_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
