/* Which packing a request allows, and that what is packed can be unpacked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "dashboard/pack.h"

#define BODY_BYTES 100000

static void choices(void **state)
{
    static const struct {
        const char *header;
        enum uw_packing wanted;
    } cases[] = {
        {NULL, UW_PACKING_NONE}, {"", UW_PACKING_NONE}, {"identity", UW_PACKING_NONE}, {"gzip", UW_PACKING_GZIP},
        {"br, zstd, gzip, deflate", UW_PACKING_GZIP}, {"deflate", UW_PACKING_DEFLATE}, {"GZip", UW_PACKING_GZIP},
        {"gzip;q=0", UW_PACKING_NONE}, {"gzip;q=0.000, deflate", UW_PACKING_DEFLATE},
        {"gzip; q=0.001", UW_PACKING_GZIP}, {"gzip ; Q=1", UW_PACKING_GZIP}, {"*", UW_PACKING_GZIP},
        {"*;q=0", UW_PACKING_NONE}, {"gzip;q=0, *", UW_PACKING_DEFLATE}, {"identity, *;q=0", UW_PACKING_NONE},
        {"xgzip, gzipx", UW_PACKING_NONE}, {",, ;,gzip", UW_PACKING_GZIP}, {"gzip;q=", UW_PACKING_GZIP},
        {"br;q=1.0,gzip;q=0.8,*;q=0.1", UW_PACKING_GZIP}, {"gzip;", UW_PACKING_GZIP}, {";q=0", UW_PACKING_NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum uw_packing found = uw_packing_choose(cases[i].header);
        if (found != cases[i].wanted) {
            fail_msg("%s: %d instead of %d", cases[i].header, (int)found, (int)cases[i].wanted);
        }
    }
}

static void unpacks(enum uw_packing packing, struct uw_str packed, const char *body, uint32_t length)
{
    static char found[BODY_BYTES + 1];
    z_stream stream = {.next_in = Z_NULL};
    assert_int_equal(inflateInit2(&stream, packing == UW_PACKING_GZIP ? 31 : 15), Z_OK);
    stream.next_in = (z_const Bytef *)(uintptr_t)packed.data;
    stream.avail_in = packed.length;
    stream.next_out = (Bytef *)found;
    stream.avail_out = sizeof found;
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    assert_int_equal(inflateEnd(&stream), Z_OK);
    assert_int_equal(stream.total_out, length);
    assert_memory_equal(found, body, length);
}

static void there_and_back(void **state)
{
    static char body[BODY_BYTES];
    struct uw_arena arena;
    (void)state;
    for (size_t i = 0; i < sizeof body; i++) {
        body[i] = "{\"kind\": \"EVALUATION_DUE\", \"days\": "[i % 35 + i / 9000 % 2 * (i % 3 == 0)];
    }
    uw_arena_init(&arena, 4 * BODY_BYTES);
    for (enum uw_packing packing = UW_PACKING_GZIP; packing <= UW_PACKING_DEFLATE; packing++) {
        const uint32_t lengths[] = {UW_PACK_BYTES_MIN - 1, UW_PACK_BYTES_MIN, BODY_BYTES};
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            struct uw_str whole = {body, lengths[i]}, packed = uw_pack(&arena, packing, UW_PACK_QUICK, whole);
            assert_int_equal(uw_str_is_null(packed), lengths[i] < UW_PACK_BYTES_MIN);
            if (!uw_str_is_null(packed)) {
                assert_true(packed.length <= lengths[i] / 2);
                unpacks(packing, packed, body, lengths[i]);
            }
        }
    }
    uw_arena_close(&arena);
}

/* What packs badly, and what there is no memory for, goes as it is. */
static void left_alone(void **state)
{
    static char noise[BODY_BYTES];
    struct uw_arena arena;
    uint32_t seed = 1;
    (void)state;
    for (size_t i = 0; i < sizeof noise; i++) {
        seed = seed * 1664525u + 1013904223u;
        noise[i] = (char)(seed >> 24);
    }
    uw_arena_init(&arena, 2 * BODY_BYTES);
    assert_true(uw_str_is_null(uw_pack(&arena, UW_PACKING_GZIP, UW_PACK_SMALL, (struct uw_str){noise, BODY_BYTES})));
    assert_true(uw_str_is_null(uw_pack(&arena, UW_PACKING_NONE, UW_PACK_SMALL, (struct uw_str){noise, BODY_BYTES})));
    uw_arena_close(&arena);
    memset(noise, 'a', sizeof noise);
    uw_arena_init(&arena, BODY_BYTES / 4);
    assert_true(uw_str_is_null(uw_pack(&arena, UW_PACKING_GZIP, UW_PACK_SMALL, (struct uw_str){noise, BODY_BYTES})));
    uw_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choices),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
