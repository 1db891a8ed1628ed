/*
 * Lists: filters, sorting, pages and CSV from a table of what there is. SQL is put together from literals of this
 * program only; what a request says is always an argument.
 */
#ifndef UW_DASHBOARD_LIST_H
#define UW_DASHBOARD_LIST_H

#include "dashboard/desk.h"

#define UW_LIST_ROWS_DEFAULT 100
#define UW_LIST_ROWS_MAX 1000
#define UW_LIST_CSV_ROWS_DEFAULT 10000
#define UW_LIST_CSV_ROWS_MAX 100000
#define UW_LIST_KEYS_MAX 4
#define UW_LIST_TEXT_BYTES_MAX 256
#define UW_LIST_IDS_MAX 100

enum uw_filter_shape {
    UW_FILTER_WORDS,          /* some of `words`, with commas */
    UW_FILTER_MUNICIPALITIES, /* codes of four digits, with commas */
    UW_FILTER_TEXTS,          /* any texts, with commas */
    UW_FILTER_TEXTS_OR_NONE,  /* the same; empty is a value, too */
    UW_FILTER_TEXT,           /* one text, commas and all */
    UW_FILTER_IDS,            /* UUIDs, with commas */
    UW_FILTER_DATE,
    UW_FILTER_INTEGER,
};

struct uw_list_filter {
    const char *name;
    enum uw_filter_shape shape;
    const char *words;     /* " A B C ", with a space on both sides of each */
    const char *condition; /* on the rows `a`; $ stands for the argument, a text */
    const char *otherwise; /* the argument when the parameter is absent; NULL: no condition */
};

/* A way to a sorted page by an index that holds the rows in several streams, each in this order: the first rows of
 * every stream are read and then sorted. */
struct uw_list_streams {
    const char *from;  /* the streams `s` */
    const char *match; /* a row `a` belongs to the stream */
    /* Where a stream goes on after a cursor, as far as the index is to know; $0 and $1 are the cursor's keys. */
    const char *after, *after_descending;
    uint32_t fixed; /* leading keys that are the same for all rows of a stream */
};

struct uw_list_sort {
    const char *name; /* without '-' */
    /* What the rows are ordered by, ascending; the last one tells any two rows apart. */
    const char *keys[UW_LIST_KEYS_MAX];
    const char *types[UW_LIST_KEYS_MAX];
    bool descends_only; /* "-name" is these keys as they stand, and "name" is refused */
    const struct uw_list_streams *streams; /* or NULL */
};

struct uw_list_column {
    const char *name, *value; /* of the rows `a` and what `late` adds */
};

struct uw_list {
    const char *from;  /* "view a" */
    const char *where; /* or NULL */
    const char *late;  /* joined to the rows of the page only; or "" */
    const char *json;  /* one row as JSON */
    const struct uw_list_column *columns; /* of CSV */
    uint32_t column_count;
    const struct uw_list_filter *filters;
    uint32_t filter_count;
    const struct uw_list_sort *sorts; /* the first one is the default */
    uint32_t sort_count;
    const char *sort_default;
    /* Where a sort has streams: the column that is the row's own, and the filters with which streams are not the way,
     * " A B ". */
    const char *id, *narrow;
    bool of_owner; /* read without row-level security: for administration */
};

/* Answers with a page. `arguments` are $1 ... of list->where. */
void uw_list_answer(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                    const struct uw_list *list, const struct uw_str *arguments, uint32_t argument_count);

struct uw_list_dimension {
    const char *name, *value; /* a text or null, of the rows `a` */
    const char *late;         /* a join that it needs; or NULL */
};

struct uw_group {
    const struct uw_list *list; /* from, where and filters */
    const struct uw_list_dimension *dimensions;
    uint32_t dimension_count, dimensions_min, dimensions_max;
    const char *measures;   /* JSON members: "'count', count(*)" */
    const struct uw_list_column *sums; /* the same for CSV */
    uint32_t sum_count;
    const char *having, *order; /* or NULL */
    uint32_t rows_max;
    bool refuse_more; /* 422 instead of leaving rows out */
};

/* Answers with groups: `by` says which dimensions; `fixed` is one that is always there, or NULL. */
void uw_group_answer(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                     const struct uw_group *group, const struct uw_list_dimension *fixed,
                     const struct uw_str *arguments, uint32_t argument_count);

/* ---- cursors (cursor.c) ---- */

/* What a page ended with, as text for the parameter `after`; NUL-terminated in `arena`, or NULL without memory. */
const char *uw_cursor_write(struct uw_arena *arena, const char *sort, const struct uw_str *keys, uint32_t key_count);
/* Reads it again; false when it is not one of this sort with so many keys. */
bool uw_cursor_read(struct uw_arena *arena, struct uw_str cursor, const char *sort, struct uw_str *keys,
                    uint32_t key_count) UW_MUST_USE;
/* base64url without padding. */
const char *uw_base64url_write(struct uw_arena *arena, const unsigned char *bytes, size_t size);
/* False for what is not base64url; the bytes are in `arena`. */
bool uw_base64url_read(struct uw_arena *arena, struct uw_str text, unsigned char **bytes, size_t *size) UW_MUST_USE;

/* One cell of CSV with its comma or line end. A text that a spreadsheet would take for a formula gets an apostrophe. */
void uw_csv_cell(struct uw_text *text, struct uw_str cell, bool last);

/* Whether a filter's value has its shape. */
bool uw_filter_valid(const struct uw_list_filter *filter, struct uw_str value);

#endif
