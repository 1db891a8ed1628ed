/* core/cache.h: the least recently used go first, and bytes add up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/cache.h"
#include "tests/support/random.h"
#include "tests/support/sample.h"

static struct uw_str name_of(uint32_t number, char text[16])
{
    snprintf(text, 16, "c%u", (unsigned)number);
    return uw_str_from(text);
}

static struct uw_resident *add(struct uw_cache *cache, uint32_t number, int32_t partition)
{
    char text[16];
    struct uw_resident *resident = uw_cache_add(cache, name_of(number, text), partition);
    assert_non_null(resident);
    assert_int_equal(resident->touch, UINT32_MAX);
    assert_false(resident->loaded);
    return resident;
}

static bool has(const struct uw_cache *cache, uint32_t number)
{
    char text[16];
    return uw_cache_find(cache, name_of(number, text)) != NULL;
}

static size_t counted(const struct uw_cache *cache)
{
    size_t bytes = 0;
    for (const struct uw_resident *resident = cache->oldest; resident != NULL; resident = resident->newer) {
        bytes += resident->counted_bytes;
    }
    return bytes;
}

static void check_kept(const struct uw_cache *cache)
{
    size_t bytes = 0, waiting_bytes = 0;
    uint32_t count = 0;
    for (const struct uw_resident *resident = cache->oldest; resident != NULL; resident = resident->newer) {
        assert_true(!resident->kept_awake || resident->packed == NULL);
        waiting_bytes += resident->waits ? resident->counted_bytes : 0;
        bytes += resident->kept_awake ? resident->counted_bytes : 0;
        count += resident->kept_awake;
    }
    assert_int_equal(cache->kept_bytes, bytes);
    assert_int_equal(cache->kept_count, count);
    assert_int_equal(cache->waiting_bytes, waiting_bytes);
}

static void test_the_least_recently_used_goes(void **state)
{
    (void)state;
    struct uw_cache cache;
    assert_int_equal(uw_cache_init(&cache, SIZE_MAX), UW_OK);
    struct uw_resident *first = add(&cache, 1, 0);
    add(&cache, 2, 0);
    add(&cache, 3, 0);
    uw_cache_use(&cache, first);
    cache.limit_bytes = cache.bytes;
    uw_cache_evict(&cache);
    assert_int_equal(cache.count, 3);
    cache.limit_bytes = cache.bytes - 1;
    uw_cache_evict(&cache);
    assert_true(has(&cache, 1) && !has(&cache, 2) && has(&cache, 3));
    cache.limit_bytes = first->counted_bytes;
    uw_cache_evict(&cache);
    assert_true(has(&cache, 1) && !has(&cache, 3));
    cache.limit_bytes = 0;
    uw_cache_evict(&cache);
    assert_int_equal(cache.count, 0);
    assert_int_equal(cache.bytes, 0);
    assert_null(cache.oldest);
    assert_null(cache.newest);
    uw_cache_close(&cache);
}

/* Before those who were used longer ago, unless they are used again. */
static void test_who_is_to_leave_first_goes_first(void **state)
{
    (void)state;
    struct uw_cache cache;
    assert_int_equal(uw_cache_init(&cache, SIZE_MAX), UW_OK);
    struct uw_resident *residents[5];
    for (uint32_t i = 0; i < 5; i++) {
        residents[i] = add(&cache, i, 0);
    }
    uw_cache_leave_first(&cache, residents[1]);
    uw_cache_leave_first(&cache, residents[3]);
    uw_cache_leave_first(&cache, residents[4]);
    uw_cache_use(&cache, residents[1]);
    cache.limit_bytes = cache.bytes;
    uw_cache_evict_first(&cache);
    assert_int_equal(cache.count, 5);
    cache.limit_bytes = 0;
    uw_cache_evict_first(&cache);
    assert_int_equal(cache.count, 3);
    assert_true(has(&cache, 0) && has(&cache, 1) && has(&cache, 2));
    cache.limit_bytes = cache.bytes - 1;
    uw_cache_evict(&cache);
    assert_true(!has(&cache, 0) && has(&cache, 1) && has(&cache, 2));
    uw_cache_close(&cache);
}

static void test_bytes_grow_with_facts(void **state)
{
    (void)state;
    struct uw_cache cache;
    assert_int_equal(uw_cache_init(&cache, 0), UW_OK);
    struct uw_resident *resident = add(&cache, 1, 0);
    size_t before = cache.bytes;
    for (uint32_t i = 0; i < 100; i++) {
        char text[16];
        bool redelivery;
        name_of(i, text);
        struct uw_event line = uw_sample_line(i, text, UW_DATE(2026, 1, 1), 10);
        assert_int_equal(uw_client_add(&resident->client, &line, &redelivery), UW_OK);
    }
    assert_int_equal(cache.bytes, before);
    uw_cache_use(&cache, resident);
    assert_true(cache.bytes >= before + 100 * sizeof(struct uw_line));
    assert_int_equal(cache.bytes, counted(&cache));
    uw_cache_drop(&cache, resident);
    assert_int_equal(cache.bytes, 0);
    uw_cache_close(&cache);
}

/* Up to a share of the limit clients stay awake; beyond it they rest, and those that are awake stay so. */
static void test_a_share_of_the_limit_stays_awake(void **state)
{
    (void)state;
    enum { CLIENTS = 100, ROOM = 40 };
    struct uw_cache cache;
    assert_int_equal(uw_cache_init(&cache, 0), UW_OK);
    struct uw_resident *clients[CLIENTS];
    for (uint32_t i = 0; i < CLIENTS; i++) {
        char text[16];
        bool redelivery;
        clients[i] = add(&cache, i, 0);
        name_of(i, text);
        struct uw_event line = uw_sample_line(1000 + i, text, UW_DATE(2026, 1, 1), 10);
        assert_int_equal(uw_client_add(&clients[i]->client, &line, &redelivery), UW_OK);
        uw_cache_use(&cache, clients[i]);
    }
    size_t awake_bytes = cache.bytes;
    cache.limit_bytes = clients[0]->counted_bytes * ROOM * UW_CACHE_KEPT_SHARE;
    for (uint32_t turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < CLIENTS; i++) {
            assert_int_equal(uw_cache_wake(clients[i]), UW_OK);
            uw_cache_keep(&cache, clients[i]);
            check_kept(&cache);
        }
        assert_in_range(cache.kept_count, ROOM - 2, ROOM);
        for (uint32_t i = 0; i < CLIENTS; i++) {
            assert_int_equal(clients[i]->kept_awake, i < cache.kept_count);
            assert_int_equal(clients[i]->packed == NULL, i < cache.kept_count);
        }
    }
    assert_int_equal(cache.bytes, counted(&cache));
    uw_cache_rest_all(&cache);
    check_kept(&cache);
    assert_int_equal(cache.kept_count, 0);
    assert_int_equal(cache.bytes, counted(&cache));
    assert_true(cache.bytes < awake_bytes);
    uw_cache_close(&cache);
}

static void test_a_partition_is_dropped(void **state)
{
    (void)state;
    struct uw_cache cache;
    assert_int_equal(uw_cache_init(&cache, 0), UW_OK);
    for (uint32_t i = 0; i < 3000; i++) {
        add(&cache, i, (int32_t)(i % 3));
    }
    assert_true(cache.bucket_count >= 3000 / 2);
    uw_cache_drop_partition(&cache, 1);
    for (uint32_t i = 0; i < 3000; i++) {
        assert_int_equal(has(&cache, i), i % 3 != 1);
    }
    assert_int_equal(cache.count, 2000);
    assert_int_equal(cache.bytes, counted(&cache));
    uw_cache_drop_partition(&cache, 1);
    uw_cache_drop_partition(&cache, 0);
    uw_cache_drop_partition(&cache, 2);
    assert_int_equal(cache.count, 0);
    uw_cache_close(&cache);
}

#define NAMES 200u

/* Against a plain list of numbers, the oldest first. */
static void test_against_a_list(void **state)
{
    (void)state;
    struct uw_random random = uw_random_from(5);
    struct uw_cache cache;
    uint32_t list[NAMES], count = 0;
    char text[16];
    assert_int_equal(uw_cache_init(&cache, 0), UW_OK);
    for (uint32_t round = 0; round < 20000; round++) {
        uint32_t number = uw_random_below(&random, NAMES), place = 0;
        while (place < count && list[place] != number) {
            place++;
        }
        struct uw_resident *resident = uw_cache_find(&cache, name_of(number, text));
        assert_int_equal(resident != NULL, place < count);
        if (resident == NULL) {
            add(&cache, number, 0);
            list[count++] = number;
        } else if (uw_random_chance(&random, 30)) {
            uw_cache_drop(&cache, resident);
            memmove(&list[place], &list[place + 1], (--count - place) * sizeof *list);
        } else if (uw_random_chance(&random, 10)) {
            uw_cache_leave_first(&cache, resident);
            memmove(&list[1], &list[0], place * sizeof *list);
            list[0] = number;
        } else {
            uw_cache_wait(&cache, resident, uw_random_chance(&random, 50));
            /* Four ways to be used. */
            uint32_t way = uw_random_below(&random, 4);
            if (way == 0) {
                uw_cache_use(&cache, resident);
            } else if (way == 1) {
                uw_cache_rest(&cache, resident);
            } else {
                assert_int_equal(uw_cache_wake(resident), UW_OK);
                (way == 2 ? uw_cache_keep : uw_cache_use)(&cache, resident);
            }
            memmove(&list[place], &list[place + 1], (count - 1 - place) * sizeof *list);
            list[count - 1] = number;
        }
        if (uw_random_chance(&random, 1)) {
            uw_cache_rest_all(&cache);
            assert_int_equal(cache.kept_count, 0);
        }
        if (uw_random_chance(&random, 2)) {
            cache.limit_bytes = cache.bytes / 2;
            size_t bytes = cache.bytes;
            uint32_t dropped = 0;
            for (struct uw_resident *each = cache.oldest; each != NULL && bytes > cache.limit_bytes; each = each->newer) {
                bytes -= each->counted_bytes;
                dropped++;
            }
            uw_cache_evict(&cache);
            count -= dropped;
            memmove(list, &list[dropped], count * sizeof *list);
        }
        assert_int_equal(cache.count, count);
        assert_int_equal(cache.bytes, counted(&cache));
        check_kept(&cache);
        uint32_t i = 0;
        for (const struct uw_resident *each = cache.oldest; each != NULL; each = each->newer, i++) {
            assert_true(uw_str_equal(uw_resident_name(each), name_of(list[i], text)));
        }
        assert_int_equal(i, count);
    }
    uw_cache_close(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_least_recently_used_goes),
        cmocka_unit_test(test_who_is_to_leave_first_goes_first),
        cmocka_unit_test(test_bytes_grow_with_facts),
        cmocka_unit_test(test_a_share_of_the_limit_stays_awake),
        cmocka_unit_test(test_a_partition_is_dropped),
        cmocka_unit_test(test_against_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
