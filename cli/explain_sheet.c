#include "cli/explain_sheet.h"

#include <string.h>

#define GAP_CELLS 2
/* The last column never gets less, however narrow the terminal. */
#define LAST_CELLS_MIN 24

/* ---- UTF-8 ---- */

struct span {
    uint32_t first, last;
};

static bool is_in(const struct span *spans, size_t count, uint32_t character)
{
    for (size_t i = 0; i < count; i++) {
        if (character >= spans[i].first && character <= spans[i].last) {
            return true;
        }
    }
    return false;
}

static uint32_t cells_of(uint32_t character)
{
    static const struct span none[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61c},
                                       {0x64b, 0x65f},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},
                                       {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}};
    static const struct span wide[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xac00, 0xd7a3},
                                       {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
                                       {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
    if (is_in(none, sizeof none / sizeof none[0], character)) {
        return 0;
    }
    return is_in(wide, sizeof wide / sizeof wide[0], character) ? 2 : 1;
}

/* The character at *text, which is moved behind it. Bytes that are not UTF-8 stand for themselves. */
static uint32_t next_character(const char **text)
{
    const uint8_t *bytes = (const uint8_t *)*text;
    uint32_t length = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : bytes[0] >= 0xc0 ? 2 : 1;
    uint32_t character = length == 1 ? bytes[0] : bytes[0] & (0xffu >> (length + 1));
    for (uint32_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            *text += i;
            return 0xfffd;
        }
        character = character << 6 | (bytes[i] & 0x3fu);
    }
    *text += length;
    return character;
}

static uint32_t cells_until(const char *text, const char *end)
{
    uint32_t cells = 0;
    while (text < end) {
        cells += cells_of(next_character(&text));
    }
    return cells;
}

uint32_t uw_text_cells(const char *text)
{
    return cells_until(text, text + strlen(text));
}

/* ---- lines ---- */

static const char *style_code(enum uw_style style)
{
    switch (style) {
    case UW_STYLE_PLAIN:
        return "";
    case UW_STYLE_STRONG:
        return "\033[1m";
    case UW_STYLE_FAINT:
        return "\033[2m";
    case UW_STYLE_GOOD:
        return "\033[32m";
    case UW_STYLE_WARNING:
        return "\033[33m";
    case UW_STYLE_CRITICAL:
        return "\033[1;31m";
    }
    return "";
}

static void start_style(const struct uw_page *page, enum uw_style style)
{
    if (page->colours) {
        fputs(style_code(style), page->file);
    }
}

static void end_style(const struct uw_page *page, enum uw_style style)
{
    if (page->colours && style != UW_STYLE_PLAIN) {
        fputs("\033[0m", page->file);
    }
}

static void pad(FILE *file, uint32_t cells)
{
    for (uint32_t i = 0; i < cells; i++) {
        fputc(' ', file);
    }
}

/* How much of `text` fits into `cells`: up to a blank where there is one, at least one character. */
static const char *break_at(const char *text, uint32_t cells)
{
    const char *at = text, *blank = NULL;
    uint32_t used = 0;
    while (*at != '\0') {
        const char *next = at;
        used += cells_of(next_character(&next));
        if (used > cells) {
            break;
        }
        if (*at == ' ') {
            blank = at;
        }
        at = next;
    }
    if (*at == '\0') {
        return at;
    }
    if (*at == ' ') {
        return at;
    }
    if (blank != NULL && blank > text) {
        return blank;
    }
    if (at == text) {
        (void)next_character(&at);
    }
    return at;
}

/* Text that starts at cell `start` and goes on at cell `next` of the following lines; ends the line. */
static void wrap(const struct uw_page *page, const char *text, uint32_t start, uint32_t next)
{
    uint32_t column = start;
    do {
        uint32_t room = page->width > column + LAST_CELLS_MIN ? page->width - column : LAST_CELLS_MIN;
        const char *end = page->width == 0 ? text + strlen(text) : break_at(text, room);
        fwrite(text, 1, (size_t)(end - text), page->file);
        fputc('\n', page->file);
        text = end + strspn(end, " ");
        if (*text != '\0') {
            pad(page->file, next);
            column = next;
        }
    } while (*text != '\0');
}

void uw_page_line(const struct uw_page *page, enum uw_style style, uint32_t indent, const char *text)
{
    pad(page->file, indent);
    start_style(page, style);
    wrap(page, text, indent, indent + 2);
    end_style(page, style);
}

/* ---- tables ---- */

void uw_sheet_init(struct uw_sheet *table, struct uw_arena *arena, uint32_t column_count, uint32_t right)
{
    *table = (struct uw_sheet){.arena = arena, .column_count = column_count, .right = right};
}

static struct uw_sheet_row *new_row(struct uw_sheet *table)
{
    if (table->row_count == table->row_capacity) {
        uint32_t capacity = table->row_capacity == 0 ? 32 : 2 * table->row_capacity;
        struct uw_sheet_row *grown = uw_arena_take(table->arena, capacity * sizeof *grown);
        if (grown == NULL) {
            table->failed = true;
            return NULL;
        }
        if (table->row_count > 0) {
            memcpy(grown, table->rows, table->row_count * sizeof *grown);
        }
        table->rows = grown;
        table->row_capacity = capacity;
    }
    struct uw_sheet_row *row = &table->rows[table->row_count++];
    memset(row, 0, sizeof *row);
    return row;
}

void uw_sheet_add(struct uw_sheet *table, enum uw_style style, const char *const *cells)
{
    struct uw_sheet_row *row = new_row(table);
    if (row != NULL) {
        memcpy(row->cells, cells, table->column_count * sizeof *cells);
        row->style = style;
    }
}

void uw_sheet_add_span(struct uw_sheet *table, enum uw_style style, uint32_t indent, const char *text)
{
    struct uw_sheet_row *row = new_row(table);
    if (row != NULL) {
        row->span = text;
        row->style = style;
        row->indent = indent;
    }
}

static bool is_blank_after(const struct uw_sheet *table, const struct uw_sheet_row *row, uint32_t column)
{
    for (uint32_t i = column + 1; i < table->column_count; i++) {
        if (row->cells[i][0] != '\0') {
            return false;
        }
    }
    return true;
}

static void print_row(const struct uw_sheet *table, const struct uw_sheet_row *row, const uint32_t *widths,
                      const struct uw_page *page)
{
    uint32_t column = GAP_CELLS, last = table->column_count - 1;
    pad(page->file, GAP_CELLS);
    start_style(page, row->style);
    for (uint32_t i = 0; i < last; i++) {
        uint32_t rest = widths[i] - uw_text_cells(row->cells[i]);
        bool right = (table->right >> i & 1) != 0;
        pad(page->file, right ? rest : 0);
        fputs(row->cells[i], page->file);
        if (is_blank_after(table, row, i)) {
            break; /* no blanks at a line's end */
        }
        pad(page->file, (right ? 0 : rest) + GAP_CELLS);
        column += widths[i] + GAP_CELLS;
    }
    wrap(page, row->cells[last], column, column);
    end_style(page, row->style);
}

void uw_sheet_print(const struct uw_sheet *table, const struct uw_page *page)
{
    uint32_t widths[UW_SHEET_COLUMNS_MAX] = {0};
    for (uint32_t i = 0; i < table->row_count; i++) {
        for (uint32_t k = 0; table->rows[i].span == NULL && k < table->column_count; k++) {
            uint32_t cells = uw_text_cells(table->rows[i].cells[k]);
            widths[k] = cells > widths[k] ? cells : widths[k];
        }
    }
    for (uint32_t i = 0; i < table->row_count; i++) {
        const struct uw_sheet_row *row = &table->rows[i];
        if (row->span != NULL) {
            uw_page_line(page, row->style, row->indent, row->span);
        } else {
            print_row(table, row, widths, page);
        }
    }
}
