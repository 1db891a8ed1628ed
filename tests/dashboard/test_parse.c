/* What a request may say: paths, queries, cookies, cursors, positions, filters, secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "dashboard/access.h"
#include "dashboard/list.h"
#include "dashboard/page.h"
#include "dashboard/stream.h"
#include "dashboard/stream_filter.h"

static struct uw_http_request *request_open(void)
{
    static struct uw_http_request request;
    request = (struct uw_http_request){0};
    uw_arena_init(&request.arena, 1 << 20);
    return &request;
}

static void paths(void **state)
{
    static const struct {
        const char *path;
        bool good;
        uint32_t count;
    } cases[] = {
        {"/", true, 0}, {"/a", true, 1}, {"/a/b%2Fc", true, 2}, {"/a/", true, 1}, {"", false, 0}, {"a", false, 0},
        {"//a", false, 0}, {"/a//b", false, 0}, {"/../etc", false, 0}, {"/a/%2e%2E/b", false, 0}, {"/%00", false, 0},
        {"/%", false, 0}, {"/%4", false, 0}, {"/%zz", false, 0}, {"/%ff", false, 0}, {"/%C3%A9", true, 1},
        {"/1/2/3/4/5/6/7/8", true, 8}, {"/1/2/3/4/5/6/7/8/9", false, 0}, {"/./a", false, 0}, {"/...", true, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct uw_http_request *request = request_open();
        bool good = uw_http_split_path(request, cases[i].path);
        if (good != cases[i].good || (good && request->segment_count != cases[i].count)) {
            fail_msg("%s", cases[i].path);
        }
        uw_arena_close(&request->arena);
    }
    struct uw_http_request *request = request_open();
    assert_true(uw_http_split_path(request, "/a/b%2Fc"));
    assert_string_equal(request->segments[1].data, "b/c");
    uw_arena_close(&request->arena);
}

static void queries(void **state)
{
    struct uw_http_request *request = request_open();
    char many[400] = "";
    (void)state;
    assert_true(uw_http_split_query(request, "a=1&b=x+y%26z&&c&d="));
    assert_int_equal(request->parameter_count, 4);
    assert_string_equal(uw_http_parameter(request, "b").data, "x y&z");
    assert_string_equal(uw_http_parameter(request, "c").data, "");
    assert_true(uw_str_is_null(uw_http_parameter(request, "e")));
    assert_false(uw_http_split_query(request, "a=2"));
    uw_arena_close(&request->arena);
    request = request_open();
    assert_false(uw_http_split_query(request, "x=%00"));
    uw_arena_close(&request->arena);
    for (int i = 0; i <= UW_HTTP_PARAMETERS_MAX; i++) {
        request = request_open();
        assert_true(uw_http_split_query(request, many));
        assert_int_equal(request->parameter_count, i);
        uw_arena_close(&request->arena);
        snprintf(many + strlen(many), sizeof many - strlen(many), "p%d=1&", i);
    }
    request = request_open();
    assert_false(uw_http_split_query(request, many));
    uw_arena_close(&request->arena);
}

static void headers(void **state)
{
    (void)state;
    assert_true(uw_http_tag_matches("\"a\"", "\"a\""));
    assert_true(uw_http_tag_matches("\"b\", W/\"a\"", "\"a\""));
    assert_true(uw_http_tag_matches("*", "\"a\""));
    assert_false(uw_http_tag_matches("\"ab\"", "\"a\""));
    assert_false(uw_http_tag_matches("", "\"a\""));
    assert_false(uw_http_tag_matches(",,,", "\"a\""));
    assert_true(uw_http_wants_csv("text/csv"));
    assert_true(uw_http_wants_csv("TEXT/CSV;q=0.9, */*"));
    assert_false(uw_http_wants_csv("application/json, text/csv"));
    assert_false(uw_http_wants_csv("text/csvx"));
    struct uw_str value = uw_http_cookie("a=1; urenwacht_session=xyz; b=2", "urenwacht_session");
    assert_int_equal(value.length, 3);
    assert_memory_equal(value.data, "xyz", 3);
    assert_true(uw_str_is_null(uw_http_cookie("xurenwacht_session=1", "urenwacht_session")));
    assert_true(uw_str_is_null(uw_http_cookie(";;;=", "urenwacht_session")));
}

static void cursors(void **state)
{
    const struct uw_str keys[2] = {UW_STR("2025-01-01"), UW_STR("a:b,\xC3\xA9")};
    struct uw_str read[2];
    struct uw_arena arena;
    (void)state;
    uw_arena_init(&arena, 1 << 20);
    const char *text = uw_cursor_write(&arena, "-x", keys, 2);
    assert_non_null(text);
    assert_true(uw_cursor_read(&arena, uw_str_from(text), "-x", read, 2));
    assert_true(uw_str_equal(read[1], keys[1]));
    assert_false(uw_cursor_read(&arena, uw_str_from(text), "x", read, 2));
    assert_false(uw_cursor_read(&arena, uw_str_from(text), "-x", read, 1));
    /* Whatever is cut or changed is refused or read; nothing else happens. */
    char copy[200];
    for (size_t i = 0; i < strlen(text); i++) {
        for (int letter = 1; letter < 256; letter += 7) {
            snprintf(copy, sizeof copy, "%s", text);
            copy[i] = (char)letter;
            (void)!uw_cursor_read(&arena, uw_str_from(copy), "-x", read, 2);
        }
        (void)!uw_cursor_read(&arena, (struct uw_str){text, (uint32_t)i}, "-x", read, 2);
        uw_arena_reset(&arena);
        text = uw_cursor_write(&arena, "-x", keys, 2);
    }
    uw_arena_close(&arena);
}

static void positions(void **state)
{
    const int64_t offsets[5] = {0, 127, 128, INT64_C(1) << 40, 7};
    int64_t read[6];
    struct uw_arena arena;
    (void)state;
    uw_arena_init(&arena, 1 << 20);
    const char *text = uw_position_write(&arena, offsets, 3, 2);
    assert_true(uw_position_read(&arena, uw_str_from(text), read, 3, 2));
    assert_memory_equal(read, offsets, sizeof offsets);
    /* A topic that has got another partition since: that one from its beginning. */
    assert_true(uw_position_read(&arena, uw_str_from(text), read, 4, 2));
    assert_int_equal(read[3], 0);
    assert_int_equal(read[4], offsets[3]);
    assert_false(uw_position_read(&arena, UW_STR(""), read, 3, 2));
    assert_false(uw_position_read(&arena, UW_STR("!!!"), read, 3, 2));
    assert_false(uw_position_read(&arena, UW_STR("AAAAAAAA"), read, 3, 2));
    assert_false(uw_position_read(&arena, UW_STR("_____________________w"), read, 3, 2));
    for (size_t i = 1; i < strlen(text); i++) {
        (void)!uw_position_read(&arena, (struct uw_str){text, (uint32_t)i}, read, 3, 2);
    }
    uw_arena_close(&arena);
}

static const char *csv_of(struct uw_arena *arena, const char *cell)
{
    struct uw_text text;
    struct uw_str result;
    uw_text_init(&text, arena);
    uw_csv_cell(&text, cell == NULL ? UW_STR_NULL : uw_str_from(cell), true);
    assert_int_equal(uw_text_finish(&text, &result), UW_OK);
    return result.data;
}

static void csv(void **state)
{
    struct uw_arena arena;
    (void)state;
    uw_arena_init(&arena, 1 << 20);
    assert_string_equal(csv_of(&arena, "a"), "a\r\n");
    assert_string_equal(csv_of(&arena, NULL), "\r\n");
    assert_string_equal(csv_of(&arena, "a,b"), "\"a,b\"\r\n");
    assert_string_equal(csv_of(&arena, "\"a\"\"\nb"), "\"\"\"a\"\"\"\"\nb\"\r\n");
    assert_string_equal(csv_of(&arena, "=1+1"), "\"'=1+1\"\r\n");
    assert_string_equal(csv_of(&arena, "-5"), "-5\r\n");
    assert_string_equal(csv_of(&arena, "-x"), "\"'-x\"\r\n");
    uw_arena_close(&arena);
}

static void filters(void **state)
{
    static const struct uw_list_filter words = {"w", UW_FILTER_WORDS, " A BB ", "", NULL};
    static const struct uw_list_filter codes = {"m", UW_FILTER_MUNICIPALITIES, NULL, "", NULL};
    static const struct uw_list_filter date = {"d", UW_FILTER_DATE, NULL, "", NULL};
    static const struct uw_list_filter ids = {"i", UW_FILTER_IDS, NULL, "", NULL};
    static const struct uw_list_filter texts = {"t", UW_FILTER_TEXTS, NULL, "", NULL};
    static const struct uw_list_filter any = {"a", UW_FILTER_TEXTS_OR_NONE, NULL, "", NULL};
    char many[(UW_LIST_IDS_MAX + 1) * 37 + 1] = "";
    (void)state;
    for (int i = 0; i <= UW_LIST_IDS_MAX; i++) {
        memcpy(many + i * 37, "0123abCD-0000-4000-8000-ffffffffffff,", 37);
    }
    assert_true(uw_filter_valid(&ids, (struct uw_str){many, 36}));
    assert_true(uw_filter_valid(&ids, (struct uw_str){many, UW_LIST_IDS_MAX * 37 - 1}));
    assert_false(uw_filter_valid(&ids, (struct uw_str){many, (UW_LIST_IDS_MAX + 1) * 37 - 1}));
    assert_false(uw_filter_valid(&ids, (struct uw_str){many, 37}));
    assert_false(uw_filter_valid(&ids, (struct uw_str){many, 35}));
    assert_false(uw_filter_valid(&ids, UW_STR("")));
    assert_false(uw_filter_valid(&ids, UW_STR("0123abCD-0000-4000-8000-fffffffffffg")));
    assert_false(uw_filter_valid(&ids, UW_STR("0123abCD00000-4000-8000-ffffffffffff")));
    assert_false(uw_filter_valid(&texts, UW_STR("")));
    assert_true(uw_filter_valid(&any, UW_STR("")));
    assert_true(uw_filter_valid(&words, UW_STR("A,BB")));
    assert_false(uw_filter_valid(&words, UW_STR("A,")));
    assert_false(uw_filter_valid(&words, UW_STR("A BB")));
    assert_false(uw_filter_valid(&words, UW_STR("")));
    assert_true(uw_filter_valid(&codes, UW_STR("0363,0362")));
    assert_false(uw_filter_valid(&codes, UW_STR("0363,")));
    assert_false(uw_filter_valid(&codes, UW_STR("03'3")));
    assert_true(uw_filter_valid(&date, UW_STR("2024-02-29")));
    assert_false(uw_filter_valid(&date, UW_STR("2023-02-29")));
    assert_true(uw_municipalities_valid(UW_STR("0363")));
    assert_false(uw_municipalities_valid(UW_STR("")));
    assert_false(uw_municipalities_valid(UW_STR("0363,036")));
    assert_false(uw_municipalities_valid(UW_STR("*")));
}

static void streams(void **state)
{
    struct uw_principal manager = {.role = UW_ROLE_CONTRACT_MANAGER, .municipalities = "0363,0362"};
    struct uw_principal admin = {.role = UW_ROLE_ADMIN, .everywhere = true};
    struct uw_stream_event alert = {true, UW_ALERT_SURPLUS_LOW, UW_SEVERITY_WARNING, UW_STATUS_OPEN, UW_STR("0363"),
                                    UW_STR("12345678"), UW_STR("c"), UW_STR("d")};
    struct uw_stream_event anomaly = {false, UW_ANOMALY_CLIENT_OVERLAP, 0, UW_STATUS_OPEN, UW_STR("0363"),
                                      UW_STR("12345678"), UW_STR("c"), UW_STR("d")};
    struct uw_stream_filter filter = {0};
    struct uw_http_request *request = request_open();
    (void)state;
    assert_true(uw_stream_filter_read(request, &manager, &filter));
    assert_true(uw_stream_filter_matches(&filter, &alert));
    assert_false(uw_stream_filter_matches(&filter, &anomaly));
    alert.municipality = UW_STR("9999");
    assert_false(uw_stream_filter_matches(&filter, &alert));
    uw_stream_filter_close(&filter);
    /* What a token may see is not widened by asking. */
    assert_true(uw_http_split_query(request, "municipality=9999"));
    assert_true(uw_stream_filter_read(request, &manager, &filter));
    assert_false(uw_stream_filter_matches(&filter, &alert));
    uw_stream_filter_close(&filter);
    uw_arena_close(&request->arena);
    request = request_open();
    assert_true(uw_http_split_query(request, "kind=CLIENT_OVERLAP&provider=1234567,12345678"));
    assert_true(uw_stream_filter_read(request, &admin, &filter));
    assert_false(uw_stream_filter_matches(&filter, &alert));
    assert_true(uw_stream_filter_matches(&filter, &anomaly));
    anomaly.provider = UW_STR("1234");
    assert_false(uw_stream_filter_matches(&filter, &anomaly));
    uw_stream_filter_close(&filter);
    uw_arena_close(&request->arena);
    request = request_open();
    assert_true(uw_http_split_query(request, "topics=anomalies"));
    assert_false(uw_stream_filter_read(request, &manager, &filter));
    assert_int_equal(request->answer.status, 403);
    uw_stream_filter_close(&filter);
    uw_arena_close(&request->arena);
}

static void secrets(void **state)
{
    char a[UW_SECRET_TEXT_BYTES], b[UW_SECRET_TEXT_BYTES], hash[UW_HASH_TEXT_BYTES];
    struct uw_error error;
    (void)state;
    assert_int_equal(uw_secret_make("uw", a, &error), UW_OK);
    assert_int_equal(uw_secret_make("uw", b, &error), UW_OK);
    assert_int_equal(strlen(a), 46);
    assert_string_not_equal(a, b);
    /* FIPS 180-2's own example, and RFC 4231's second. */
    uw_secret_hash(UW_STR("abc"), hash);
    assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    uw_hmac_hex(UW_STR("Jefe"), UW_STR("what do ya want for nothing?"), hash);
    assert_string_equal(hash, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_true(uw_same_secret(UW_STR("ab"), UW_STR("ab")));
    assert_false(uw_same_secret(UW_STR("ab"), UW_STR("ac")));
    assert_false(uw_same_secret(UW_STR("ab"), UW_STR("abc")));
}

static void hashed_names(void **state)
{
    (void)state;
    assert_true(uw_page_is_hashed("/assets/index-3f2aB91c.js"));
    assert_false(uw_page_is_hashed("/index.html"));
    assert_false(uw_page_is_hashed("/a-12345678/b.js"));
    assert_false(uw_page_is_hashed("/some-name.css"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),   cmocka_unit_test(queries),   cmocka_unit_test(headers),
        cmocka_unit_test(cursors), cmocka_unit_test(positions), cmocka_unit_test(csv),
        cmocka_unit_test(filters), cmocka_unit_test(streams),   cmocka_unit_test(secrets),
        cmocka_unit_test(hashed_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
