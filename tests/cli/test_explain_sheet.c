/* Tables: aligned by cells, wrapped to the width, no colours unless asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explain_sheet.h"

static char *printed(uint32_t width, bool colours, const char *const (*rows)[3], uint32_t count, const char *span)
{
    struct uw_arena arena;
    struct uw_sheet table;
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    uw_arena_init(&arena, 1u << 20);
    uw_sheet_init(&table, &arena, 3, 1u << 1);
    for (uint32_t i = 0; i < count; i++) {
        uw_sheet_add(&table, UW_STYLE_STRONG, rows[i]);
    }
    if (span != NULL) {
        uw_sheet_add_span(&table, UW_STYLE_PLAIN, 4, span);
    }
    const struct uw_page page = {file, width, colours};
    uw_sheet_print(&table, &page);
    assert_false(table.failed);
    assert_int_equal(fclose(file), 0);
    uw_arena_close(&arena);
    return text;
}

static void test_aligned_by_cells(void **state)
{
    static const char *const rows[][3] = {{"é", "1", "x"}, {"abc", "1000", "y"}, {"日", "", ""},
                                          {"e\xcc\x81", "⌊2", "z"}};
    (void)state;
    char *text = printed(0, false, rows, 4, "span");
    assert_string_equal(text, "  é       1  x\n"
                              "  abc  1000  y\n"
                              "  日\n"
                              "  e\xcc\x81      ⌊2  z\n"
                              "    span\n");
    free(text);
}

static void test_last_column_wraps_at_words(void **state)
{
    static const char *const rows[][3] = {{"a", "1", "één twee drie vier vijf zes zeven acht"},
                                          {"b", "2", "eenwoorddatlangerisdandekolom en nog iets"}};
    (void)state;
    char *text = printed(32, false, rows, 2, NULL);
    assert_string_equal(text, "  a  1  één twee drie vier vijf\n"
                              "        zes zeven acht\n"
                              "  b  2  eenwoorddatlangerisdande\n"
                              "        kolom en nog iets\n");
    free(text);
}

static void test_colours_only_when_asked(void **state)
{
    static const char *const rows[][3] = {{"a", "b", "c"}};
    (void)state;
    char *text = printed(0, false, rows, 1, NULL);
    assert_null(strchr(text, '\033'));
    free(text);
    text = printed(0, true, rows, 1, NULL);
    assert_non_null(strstr(text, "\033[1m"));
    assert_non_null(strstr(text, "\033[0m"));
    free(text);
}

static void test_cells(void **state)
{
    (void)state;
    assert_int_equal(uw_text_cells(""), 0);
    assert_int_equal(uw_text_cells("cliënt ≥ →"), 10);
    assert_int_equal(uw_text_cells("日本"), 4);
    assert_int_equal(uw_text_cells("e\xcc\x81"), 1);
    assert_int_equal(uw_text_cells("\xe2\x82"), 1); /* cut off: stands for itself */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aligned_by_cells),
        cmocka_unit_test(test_last_column_wraps_at_words),
        cmocka_unit_test(test_colours_only_when_asked),
        cmocka_unit_test(test_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
