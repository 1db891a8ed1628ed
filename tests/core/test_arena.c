/* core/arena.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdint.h>
#include <string.h>

#include "core/arena.h"

static void test_memory_is_apart_and_aligned(void **state)
{
    (void)state;
    struct uw_arena arena;
    uint8_t *taken[600];
    uw_arena_init(&arena, 1u << 24);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 600; i++) {
            taken[i] = uw_arena_take(&arena, i * 7);
            assert_non_null(taken[i]);
            assert_int_equal((uintptr_t)taken[i] % _Alignof(max_align_t), 0);
            memset(taken[i], (int)(i & 0xFF), i * 7);
        }
        for (uint32_t i = 0; i < 600; i++) {
            for (uint32_t k = 0; k < i * 7; k++) {
                assert_int_equal(taken[i][k], i & 0xFF);
            }
        }
        uw_arena_reset(&arena);
        assert_int_equal(arena.used_bytes, 0);
    }
    uw_arena_close(&arena);
}

static void test_limit(void **state)
{
    (void)state;
    struct uw_arena arena;
    uw_arena_init(&arena, 1000 / sizeof(max_align_t) * sizeof(max_align_t));
    size_t limit = arena.limit_bytes;
    assert_null(uw_arena_take(&arena, limit + 1));
    assert_null(uw_arena_take(&arena, SIZE_MAX));
    assert_true(arena.limit_met);
    assert_null(uw_arena_take(&arena, SIZE_MAX - 8));
    uw_arena_reset(&arena);
    assert_non_null(uw_arena_take(&arena, limit));
    assert_non_null(uw_arena_take(&arena, 0));
    assert_false(arena.limit_met);
    assert_null(uw_arena_take(&arena, 1));
    assert_true(arena.limit_met);
    uw_arena_reset(&arena);
    assert_non_null(uw_arena_take(&arena, limit));
    uw_arena_close(&arena);
}

static void test_copies(void **state)
{
    (void)state;
    struct uw_arena arena;
    uw_arena_init(&arena, 200);
    struct uw_str copy = uw_arena_copy(&arena, UW_STR("text"));
    assert_true(uw_str_equal(copy, UW_STR("text")));
    assert_int_equal(copy.data[4], '\0');
    assert_true(uw_str_is_null(uw_arena_copy(&arena, UW_STR_NULL)));
    struct uw_str empty = uw_arena_copy(&arena, UW_STR(""));
    assert_false(uw_str_is_null(empty));
    assert_int_equal(empty.length, 0);
    static const char large[300];
    assert_true(uw_str_is_null(uw_arena_copy(&arena, (struct uw_str){large, 300})));
    uw_arena_close(&arena);
}

static void test_larger_than_a_block(void **state)
{
    (void)state;
    struct uw_arena arena;
    uw_arena_init(&arena, (size_t)1 << 26);
    char *small = uw_arena_take(&arena, 10);
    char *large = uw_arena_take(&arena, (size_t)20 << 20);
    assert_non_null(small);
    assert_non_null(large);
    memset(large, 1, (size_t)20 << 20);
    char *after = uw_arena_take(&arena, 100);
    assert_non_null(after);
    memset(after, 2, 100);
    assert_int_equal(large[((size_t)20 << 20) - 1], 1);
    uw_arena_reset(&arena);
    uw_arena_reset(&arena);
    assert_non_null(uw_arena_take(&arena, 5));
    uw_arena_close(&arena);
    uw_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_apart_and_aligned),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_larger_than_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
