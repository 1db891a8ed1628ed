/*
 * Tables for a terminal: columns as wide as their widest cell, the last one wrapped to the width, aligned by the
 * cells that UTF-8 text takes. Private to cli/explain*.c.
 */
#ifndef UW_CLI_EXPLAIN_SHEET_H
#define UW_CLI_EXPLAIN_SHEET_H

#include <stdio.h>

#include "core/arena.h"

#define UW_SHEET_COLUMNS_MAX 10

enum uw_style { UW_STYLE_PLAIN, UW_STYLE_STRONG, UW_STYLE_FAINT, UW_STYLE_GOOD, UW_STYLE_WARNING, UW_STYLE_CRITICAL };

struct uw_page {
    FILE *file;
    uint32_t width; /* cells of a line; 0: no limit */
    bool colours;
};

struct uw_sheet_row {
    const char *cells[UW_SHEET_COLUMNS_MAX];
    const char *span; /* not NULL: a line of its own in place of cells */
    enum uw_style style;
    uint32_t indent; /* of a span */
};

/* Texts are borrowed until the table was printed. */
struct uw_sheet {
    struct uw_arena *arena;
    uint32_t column_count;
    uint32_t right; /* bit i: column i is aligned to the right */
    struct uw_sheet_row *rows;
    uint32_t row_count, row_capacity;
    bool failed; /* memory was refused */
};

void uw_sheet_init(struct uw_sheet *table, struct uw_arena *arena, uint32_t column_count, uint32_t right);
/* `cells` has column_count texts. The first row that is added is the head. */
void uw_sheet_add(struct uw_sheet *table, enum uw_style style, const char *const *cells);
void uw_sheet_add_span(struct uw_sheet *table, enum uw_style style, uint32_t indent, const char *text);
void uw_sheet_print(const struct uw_sheet *table, const struct uw_page *page);

/* A line of text, wrapped to the page; what follows the first line is indented by two more. */
void uw_page_line(const struct uw_page *page, enum uw_style style, uint32_t indent, const char *text);

/* Cells that valid UTF-8 takes on a terminal: combining marks take none, East Asian wide characters two. */
uint32_t uw_text_cells(const char *text);

#endif
