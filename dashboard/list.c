#include "dashboard/list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/date.h"
#include "dashboard/answer.h"

/* As many municipalities have streams of their own; more are looked for in those of all. */
#define STREAMED_MUNICIPALITIES_MAX 16

/* A statement while it is put together. */
struct statement {
    struct uw_text sql;
    struct uw_str arguments[UW_DESK_ARGUMENTS_MAX];
    uint32_t argument_count;
    bool full;
};

static void add(struct statement *statement, const char *literal)
{
    uw_text_add_literal(&statement->sql, literal);
}

static void add_argument(struct statement *statement, struct uw_str value)
{
    if (statement->argument_count == UW_DESK_ARGUMENTS_MAX) {
        statement->full = true;
        return;
    }
    statement->arguments[statement->argument_count++] = value;
    add(statement, "($");
    uw_text_add_integer(&statement->sql, statement->argument_count);
    add(statement, "::text)");
}

/* A condition with an argument in the place of its $. */
static void add_condition(struct statement *statement, const char *condition, struct uw_str value)
{
    const char *place = strchr(condition, '$');
    uw_text_add(&statement->sql, condition, (size_t)(place - condition));
    add_argument(statement, value);
    add(statement, place + 1);
}

/* ---- filters ---- */

static bool is_word(const char *words, const char *word, size_t length)
{
    char padded[64];
    if (length == 0 || length > sizeof padded - 3 || memchr(word, ' ', length) != NULL) {
        return false;
    }
    snprintf(padded, sizeof padded, " %.*s ", (int)length, word);
    return strstr(words, padded) != NULL;
}

static bool are_words(const char *words, struct uw_str value)
{
    for (const char *at = value.data;; at++) {
        size_t length = strcspn(at, ",");
        if (!is_word(words, at, length)) {
            return false;
        }
        at += length;
        if (*at == '\0') {
            return true;
        }
    }
}

/* UUIDs as they are written, with commas. */
static bool are_ids(struct uw_str value)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx,";
    const uint32_t period = (uint32_t)sizeof shape - 1;
    if (value.length % period != period - 1 || value.length >= UW_LIST_IDS_MAX * period) {
        return false;
    }
    for (uint32_t i = 0; i < value.length; i++) {
        char expected = shape[i % period], found = value.data[i];
        bool digit = found != '\0' && strchr("0123456789abcdefABCDEF", found) != NULL;
        if (expected == 'x' ? !digit : found != expected) {
            return false;
        }
    }
    return true;
}

bool uw_filter_valid(const struct uw_list_filter *filter, struct uw_str value)
{
    int32_t day;
    switch (filter->shape) {
    case UW_FILTER_WORDS:
        return are_words(filter->words, value);
    case UW_FILTER_MUNICIPALITIES:
        return strspn(value.data, "0123456789,") == value.length && value.length % 5 == 4 && value.length < 2500;
    case UW_FILTER_TEXTS:
        return value.length >= 1 && value.length <= 16 * UW_LIST_TEXT_BYTES_MAX;
    case UW_FILTER_TEXTS_OR_NONE:
        return value.length <= 16 * UW_LIST_TEXT_BYTES_MAX;
    case UW_FILTER_TEXT:
        return value.length <= UW_LIST_TEXT_BYTES_MAX;
    case UW_FILTER_IDS:
        return are_ids(value);
    case UW_FILTER_DATE:
        return uw_date_parse(value, &day);
    case UW_FILTER_INTEGER:
        return value.length >= 1 && value.length <= 9 && strspn(value.data, "0123456789") == value.length;
    }
    return false;
}

/* `placed`: the municipalities are seen to by the streams. */
static bool add_filters(struct statement *statement, const struct uw_principal *principal,
                        struct uw_http_request *request, const struct uw_list *list, bool placed)
{
    add(statement, " WHERE ");
    add(statement, list->where == NULL ? "true" : list->where);
    for (uint32_t i = 0; i < list->filter_count; i++) {
        const struct uw_list_filter *filter = &list->filters[i];
        struct uw_str value = uw_http_parameter(request, filter->name);
        if (!uw_str_is_null(value) && !uw_filter_valid(filter, value)) {
            uw_http_problem(request, 400, "%s: this is not a value of it", filter->name);
            return false;
        }
        if (filter->shape == UW_FILTER_MUNICIPALITIES && placed) {
            continue;
        }
        if (uw_str_is_null(value) && filter->otherwise != NULL) {
            value = uw_str_from(filter->otherwise);
        }
        if (!uw_str_is_null(value)) {
            add(statement, " AND ");
            add_condition(statement, filter->condition, value);
        }
        /* Row-level security sees to what may be seen; told once more, an index can be used for it. */
        if (filter->shape == UW_FILTER_MUNICIPALITIES && uw_str_is_null(value) && !principal->everywhere) {
            add(statement, " AND ");
            add_condition(statement, filter->condition, uw_str_from(principal->municipalities));
        }
    }
    return true;
}

/* A parameter that nobody knows is more likely a mistake than meant. */
static bool check_names(struct uw_http_request *request, const struct uw_list *list, const char *others)
{
    for (uint32_t i = 0; i < request->parameter_count; i++) {
        struct uw_str name = request->parameters[i].name;
        bool known = is_word(others, name.data, name.length);
        for (uint32_t j = 0; j < list->filter_count && !known; j++) {
            known = uw_str_equal(name, uw_str_from(list->filters[j].name));
        }
        if (!known) {
            uw_http_problem(request, 400, "%.60s: there is no such parameter here", name.data);
            return false;
        }
    }
    return true;
}

static bool choose_format(struct uw_http_request *request, bool *csv)
{
    struct uw_str format = uw_http_parameter(request, "format");
    *csv = request->accept != NULL && uw_http_wants_csv(request->accept);
    if (uw_str_is_null(format)) {
        return true;
    }
    *csv = uw_str_equal(format, UW_STR("csv"));
    if (!*csv && !uw_str_equal(format, UW_STR("json"))) {
        uw_http_problem(request, 400, "format: json or csv");
        return false;
    }
    return true;
}

/* ---- pages ---- */

struct page {
    const struct uw_list *list;
    const struct uw_list_sort *sort;
    const char *sort_name; /* as asked for */
    bool descends, csv;
    uint32_t key_count;
    int64_t limit;
};

static bool choose_sort(struct uw_http_request *request, struct page *page)
{
    struct uw_str wanted = uw_http_parameter(request, "sort");
    bool minus;
    page->sort_name = uw_str_is_null(wanted) ? page->list->sort_default : wanted.data;
    minus = page->sort_name[0] == '-';
    for (uint32_t i = 0; i < page->list->sort_count; i++) {
        const struct uw_list_sort *sort = &page->list->sorts[i];
        if (strcmp(sort->name, page->sort_name + (minus ? 1 : 0)) == 0 && sort->descends_only <= minus) {
            page->sort = sort;
            page->descends = minus && !sort->descends_only;
            break;
        }
    }
    if (page->sort == NULL) {
        uw_http_problem(request, 400, "sort: this list is not sorted so");
        return false;
    }
    while (page->key_count < UW_LIST_KEYS_MAX && page->sort->keys[page->key_count] != NULL) {
        page->key_count++;
    }
    return true;
}

static bool choose_limit(struct uw_http_request *request, struct page *page)
{
    static const struct uw_list_filter shape = {.shape = UW_FILTER_INTEGER};
    struct uw_str wanted = uw_http_parameter(request, "limit");
    int64_t most = page->csv ? UW_LIST_CSV_ROWS_MAX : UW_LIST_ROWS_MAX;
    page->limit = page->csv ? UW_LIST_CSV_ROWS_DEFAULT : UW_LIST_ROWS_DEFAULT;
    if (uw_str_is_null(wanted)) {
        return true;
    }
    page->limit = uw_filter_valid(&shape, wanted) ? strtoll(wanted.data, NULL, 10) : 0;
    if (page->limit < 1 || page->limit > most) {
        uw_http_problem(request, 400, "limit: a number of 1 to %" PRId64, most);
        return false;
    }
    return true;
}

static bool add_after(struct statement *statement, struct uw_http_request *request, const struct page *page)
{
    struct uw_str keys[UW_LIST_KEYS_MAX], cursor = uw_http_parameter(request, "after");
    if (uw_str_is_null(cursor)) {
        return true;
    }
    if (cursor.length > 4000 ||
        !uw_cursor_read(&request->arena, cursor, page->sort_name, keys, page->key_count)) {
        uw_http_problem(request, 400, "after: this is no cursor of this list in this order");
        return false;
    }
    add(statement, " AND (");
    for (uint32_t i = 0; i < page->key_count; i++) {
        add(statement, i == 0 ? "" : ", ");
        add(statement, page->sort->keys[i]);
    }
    add(statement, page->descends ? ") < (" : ") > (");
    for (uint32_t i = 0; i < page->key_count; i++) {
        add(statement, i == 0 ? "" : ", ");
        add_argument(statement, keys[i]);
        add(statement, "::");
        add(statement, page->sort->types[i]);
    }
    add(statement, ")");
    return true;
}

/* In the outer statement the columns k0 ... are texts for the cursor; the order is that of the rows' own keys, which
 * `prefix` tells apart. */
static void add_order(struct statement *statement, const struct page *page, const char *prefix, uint32_t first)
{
    add(statement, " ORDER BY ");
    for (uint32_t i = first; i < page->key_count; i++) {
        add(statement, i == first ? "" : ", ");
        add(statement, prefix);
        add(statement, "k");
        uw_text_add_integer(&statement->sql, i);
        add(statement, page->descends ? " DESC" : "");
    }
}

static void add_keys(struct statement *statement, const struct page *page, const char *before, const char *after)
{
    for (uint32_t i = 0; i < page->key_count; i++) {
        add(statement, before);
        uw_text_add_integer(&statement->sql, i);
        add(statement, after);
    }
}

static void add_limit(struct statement *statement, const struct page *page)
{
    add(statement, " LIMIT ");
    uw_text_add_integer(&statement->sql, page->limit + 1);
}

/* Rows `a` with their keys, filtered; of streams their ids, since most are thrown away. */
static bool add_rows(struct statement *statement, const struct uw_principal *principal,
                     struct uw_http_request *request, const struct page *page, bool streamed, bool placed)
{
    add(statement, "SELECT a.");
    add(statement, streamed ? page->list->id : "*");
    for (uint32_t i = 0; i < page->key_count; i++) {
        add(statement, ", ");
        add(statement, page->sort->keys[i]);
        add(statement, " AS k");
        uw_text_add_integer(&statement->sql, i);
    }
    add(statement, " FROM ");
    add(statement, page->list->from);
    return add_filters(statement, principal, request, page->list, placed) && add_after(statement, request, page);
}

/* ---- streams ---- */

/* Whether the page is read by streams: not when a filter leads to fewer rows, or away from those that have an index. */
static bool is_streamed(struct uw_http_request *request, const struct page *page)
{
    const struct uw_list *list = page->list;
    if (page->sort->streams == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < list->filter_count; i++) {
        const struct uw_list_filter *filter = &list->filters[i];
        struct uw_str value = uw_http_parameter(request, filter->name);
        bool usual = filter->otherwise != NULL && uw_str_equal(value, uw_str_from(filter->otherwise));
        if (!uw_str_is_null(value) && !usual && is_word(list->narrow, filter->name, strlen(filter->name))) {
            return false;
        }
    }
    return true;
}

/* The municipalities that are asked for or may be seen, when they are few enough; otherwise null. */
static struct uw_str streamed_municipalities(struct uw_http_request *request, const struct uw_principal *principal,
                                             const struct uw_list *list)
{
    struct uw_str value = UW_STR_NULL;
    for (uint32_t i = 0; i < list->filter_count; i++) {
        const struct uw_list_filter *filter = &list->filters[i];
        if (filter->shape == UW_FILTER_MUNICIPALITIES) {
            value = uw_http_parameter(request, filter->name);
            if (uw_str_is_null(value) && !principal->everywhere) {
                value = uw_str_from(principal->municipalities);
            }
        }
    }
    return value.length >= 5 * STREAMED_MUNICIPALITIES_MAX ? UW_STR_NULL : value;
}

/* A condition in which $0, $1, ... are the keys of the cursor. */
static void add_bound(struct statement *statement, const char *condition, const struct uw_str *keys)
{
    add(statement, " AND ");
    for (const char *at = condition; *at != '\0'; at++) {
        size_t length = strcspn(at, "$");
        uw_text_add(&statement->sql, at, length);
        at += length;
        if (*at == '\0') {
            break;
        }
        at++;
        add_argument(statement, keys[*at - '0']);
    }
}

static bool add_streams(struct statement *statement, const struct uw_principal *principal,
                        struct uw_http_request *request, const struct page *page)
{
    const struct uw_list_streams *streams = page->sort->streams;
    struct uw_str places = streamed_municipalities(request, principal, page->list);
    struct uw_str keys[UW_LIST_KEYS_MAX], cursor = uw_http_parameter(request, "after");
    add(statement, "SELECT a.*");
    add_keys(statement, page, ", x.k", "");
    add(statement, " FROM (SELECT a.* FROM ");
    add(statement, streams->from);
    if (!uw_str_is_null(places)) {
        add(statement, " CROSS JOIN (SELECT DISTINCT unnest(string_to_array(");
        add_argument(statement, places);
        add(statement, ", ',')) AS code) m");
    }
    add(statement, " CROSS JOIN LATERAL (");
    if (!add_rows(statement, principal, request, page, true, !uw_str_is_null(places))) {
        return false;
    }
    add(statement, " AND ");
    add(statement, streams->match);
    add(statement, uw_str_is_null(places) ? "" : " AND a.municipality = m.code");
    /* It was read before, or there would be no rows to go on from. */
    if (!uw_str_is_null(cursor) &&
        uw_cursor_read(&request->arena, cursor, page->sort_name, keys, page->key_count)) {
        add_bound(statement, page->descends ? streams->after_descending : streams->after, keys);
    }
    add_order(statement, page, "", streams->fixed);
    add_limit(statement, page);
    add(statement, ") a");
    add_order(statement, page, "", 0);
    add_limit(statement, page);
    add(statement, ") x JOIN ");
    add(statement, page->list->from);
    add(statement, " USING (");
    add(statement, page->list->id);
    add(statement, ")");
    return true;
}

static bool build_page(struct statement *statement, const struct uw_principal *principal,
                       struct uw_http_request *request, const struct page *page)
{
    const struct uw_list *list = page->list;
    add(statement, "SELECT ");
    add_keys(statement, page, "k", "::text, ");
    if (page->csv) {
        for (uint32_t i = 0; i < list->column_count; i++) {
            add(statement, i == 0 ? "(" : ", (");
            add(statement, list->columns[i].value);
            add(statement, ")::text");
        }
    } else {
        add(statement, "(");
        add(statement, list->json);
        add(statement, ")::text");
    }
    add(statement, " FROM (");
    if (is_streamed(request, page)) {
        if (!add_streams(statement, principal, request, page)) {
            return false;
        }
    } else {
        if (!add_rows(statement, principal, request, page, false, false)) {
            return false;
        }
        add_order(statement, page, "", 0);
        add_limit(statement, page);
    }
    add(statement, ") a ");
    add(statement, list->late);
    add_order(statement, page, "a.", 0);
    return true;
}

void uw_csv_cell(struct uw_text *text, struct uw_str cell, bool last)
{
    static const struct uw_str nothing = {"", 0};
    struct uw_str shown = uw_str_is_null(cell) ? nothing : cell;
    bool number = shown.length > 1 && shown.data[0] == '-' && shown.data[1] >= '0' && shown.data[1] <= '9';
    bool formula = shown.length > 0 && memchr("=+-@\t\r", shown.data[0], 6) != NULL && !number;
    bool quoted = formula;
    for (uint32_t i = 0; i < shown.length && !quoted; i++) {
        quoted = memchr("\",\r\n", shown.data[i], 4) != NULL;
    }
    uw_text_add_literal(text, quoted ? "\"" : "");
    uw_text_add_literal(text, formula ? "'" : "");
    for (uint32_t i = 0, from = 0; i <= shown.length; i++) {
        if (i == shown.length || (quoted && shown.data[i] == '"')) {
            uw_text_add(text, shown.data + from, i - from + (i < shown.length ? 1u : 0u));
            from = i; /* a quote is written twice */
        }
    }
    uw_text_add_literal(text, quoted ? "\"" : "");
    uw_text_add_literal(text, last ? "\r\n" : ",");
}

static void write_csv(struct uw_text *text, const PGresult *result, int row_count, uint32_t first,
                      const struct uw_list_column *columns, uint32_t column_count)
{
    for (uint32_t i = 0; i < column_count; i++) {
        uw_csv_cell(text, uw_str_from(columns[i].name), i + 1 == column_count);
    }
    for (int row = 0; row < row_count; row++) {
        for (uint32_t i = 0; i < column_count; i++) {
            uw_csv_cell(text, uw_desk_field(result, row, (int)(first + i)), i + 1 == column_count);
        }
    }
}

static void answer_page(struct uw_http_request *request, const PGresult *result, const struct page *page)
{
    int rows = PQntuples(result), shown = rows > page->limit ? (int)page->limit : rows;
    const char *next = NULL;
    struct uw_text text;
    if (rows > shown) {
        struct uw_str keys[UW_LIST_KEYS_MAX];
        for (uint32_t i = 0; i < page->key_count; i++) {
            keys[i] = uw_desk_field(result, shown - 1, (int)i);
        }
        next = uw_cursor_write(&request->arena, page->sort_name, keys, page->key_count);
    }
    uw_text_init(&text, &request->arena);
    if (page->csv) {
        write_csv(&text, result, shown, page->key_count, page->list->columns, page->list->column_count);
    } else {
        uw_text_add_literal(&text, "{\"items\": [");
        for (int row = 0; row < shown; row++) {
            struct uw_str item = uw_desk_field(result, row, (int)page->key_count);
            uw_text_add_literal(&text, row == 0 ? "" : ",\n");
            uw_text_add(&text, item.data, item.length);
        }
        uw_text_add_literal(&text, "], \"next\": ");
        if (next == NULL) {
            uw_text_add_literal(&text, "null");
        } else {
            uw_text_add_json_string(&text, uw_str_from(next));
        }
        uw_text_add_literal(&text, "}");
    }
    uw_http_body(request, 200, page->csv ? UW_CSV : UW_JSON, &text);
    request->answer.tagged = true;
    if (page->csv && next != NULL && request->answer.status == 200) {
        uw_http_header(request, "Next-Cursor", next);
    }
}

/* Runs the statement in a transaction of its own; the caller clears the result. NULL: the problem is the answer. */
static PGresult *run(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                     struct statement *statement, bool of_owner)
{
    struct uw_error error = {.text = ""};
    PGresult *result = NULL;
    struct uw_str sql;
    enum uw_code code;
    if (uw_text_finish(&statement->sql, &sql) != UW_OK || statement->full) {
        uw_http_problem(request, 400, "too many filters at once");
        return NULL;
    }
    code = uw_desk_begin(desk, of_owner ? NULL : principal, false, &error);
    if (code == UW_OK) {
        code = uw_desk_query(desk, sql.data, statement->arguments, statement->argument_count, &result, &error);
    }
    if (code == UW_OK) {
        code = uw_desk_commit(desk, &error);
        if (code != UW_OK) {
            PQclear(result);
        }
    }
    if (code != UW_OK) {
        uw_answer_error(request, code, &error);
        return NULL;
    }
    return result;
}

static void start(struct statement *statement, struct uw_http_request *request, const struct uw_str *arguments,
                  uint32_t argument_count)
{
    *statement = (struct statement){.argument_count = argument_count};
    uw_text_init(&statement->sql, &request->arena);
    for (uint32_t i = 0; i < argument_count; i++) {
        statement->arguments[i] = arguments[i];
    }
}

void uw_list_answer(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                    const struct uw_list *list, const struct uw_str *arguments, uint32_t argument_count)
{
    struct page page = {.list = list};
    struct statement statement;
    PGresult *result;
    start(&statement, request, arguments, argument_count);
    if (!check_names(request, list, " limit after sort format ") || !choose_format(request, &page.csv) ||
        !choose_sort(request, &page) || !choose_limit(request, &page) ||
        !build_page(&statement, principal, request, &page)) {
        return;
    }
    result = run(desk, principal, request, &statement, list->of_owner);
    if (result != NULL) {
        answer_page(request, result, &page);
        PQclear(result);
    }
}

/* ---- groups ---- */

#define DIMENSIONS_MAX 8

struct grouping {
    const struct uw_group *group;
    const struct uw_list_dimension *chosen[DIMENSIONS_MAX];
    uint32_t chosen_count;
    bool csv;
};

static bool choose_dimensions(struct uw_http_request *request, struct grouping *grouping)
{
    const struct uw_group *group = grouping->group;
    struct uw_str by = uw_http_parameter(request, "by");
    uint32_t asked = 0;
    for (const char *at = uw_str_is_null(by) ? "" : by.data; *at != '\0'; at += *at == ',') {
        size_t length = strcspn(at, ",");
        const struct uw_list_dimension *found = NULL;
        for (uint32_t i = 0; i < group->dimension_count; i++) {
            if (strlen(group->dimensions[i].name) == length && strncmp(group->dimensions[i].name, at, length) == 0) {
                found = &group->dimensions[i];
            }
        }
        for (uint32_t i = 0; i < grouping->chosen_count; i++) {
            found = grouping->chosen[i] == found ? NULL : found;
        }
        if (found == NULL || asked == group->dimensions_max) {
            uw_http_problem(request, 400, "by: %u to %u different dimensions of those that there are, with commas",
                            group->dimensions_min, group->dimensions_max);
            return false;
        }
        grouping->chosen[grouping->chosen_count++] = found;
        asked++;
        at += length;
    }
    if (asked < group->dimensions_min) {
        uw_http_problem(request, 400, "by: at least %u dimensions", group->dimensions_min);
        return false;
    }
    return true;
}

static bool build_group(struct statement *statement, const struct uw_principal *principal,
                        struct uw_http_request *request, const struct grouping *grouping)
{
    const struct uw_group *group = grouping->group;
    const char *joined = NULL;
    add(statement, grouping->csv ? "SELECT " : "SELECT json_build_object(");
    for (uint32_t i = 0; i < grouping->chosen_count; i++) {
        if (!grouping->csv) {
            add(statement, "'");
            add(statement, grouping->chosen[i]->name);
            add(statement, "', ");
        }
        add(statement, grouping->chosen[i]->value);
        add(statement, grouping->csv ? "::text, " : ", ");
    }
    if (grouping->csv) {
        for (uint32_t i = 0; i < group->sum_count; i++) {
            add(statement, i == 0 ? "(" : ", (");
            add(statement, group->sums[i].value);
            add(statement, ")::text");
        }
    } else {
        add(statement, group->measures);
        add(statement, ")::text");
    }
    add(statement, " FROM ");
    add(statement, group->list->from);
    for (uint32_t i = 0; i < grouping->chosen_count; i++) {
        if (grouping->chosen[i]->late != NULL && grouping->chosen[i]->late != joined) {
            joined = grouping->chosen[i]->late;
            add(statement, " ");
            add(statement, joined);
        }
    }
    if (!add_filters(statement, principal, request, group->list, false)) {
        return false;
    }
    for (uint32_t i = 0; i < grouping->chosen_count; i++) {
        add(statement, i == 0 ? " GROUP BY " : ", ");
        add(statement, grouping->chosen[i]->value);
    }
    if (group->having != NULL) {
        add(statement, " HAVING ");
        add(statement, group->having);
    }
    if (group->order != NULL) {
        add(statement, " ORDER BY ");
        add(statement, group->order);
    }
    for (uint32_t i = 0; i < grouping->chosen_count; i++) {
        add(statement, i == 0 && group->order == NULL ? " ORDER BY " : ", ");
        add(statement, grouping->chosen[i]->value);
    }
    add(statement, " LIMIT ");
    uw_text_add_integer(&statement->sql, (int64_t)group->rows_max + (group->refuse_more ? 1 : 0));
    return true;
}

static void answer_group(struct uw_http_request *request, const PGresult *result, const struct grouping *grouping)
{
    struct uw_list_column columns[DIMENSIONS_MAX + 12];
    uint32_t column_count = 0;
    struct uw_text text;
    uw_text_init(&text, &request->arena);
    if (grouping->csv) {
        for (uint32_t i = 0; i < grouping->chosen_count; i++) {
            columns[column_count++].name = grouping->chosen[i]->name;
        }
        for (uint32_t i = 0; i < grouping->group->sum_count; i++) {
            columns[column_count++].name = grouping->group->sums[i].name;
        }
        write_csv(&text, result, PQntuples(result), 0, columns, column_count);
    } else {
        uw_text_add_literal(&text, "{\"items\": [");
        for (int row = 0; row < PQntuples(result); row++) {
            struct uw_str item = uw_desk_field(result, row, 0);
            uw_text_add_literal(&text, row == 0 ? "" : ",\n");
            uw_text_add(&text, item.data, item.length);
        }
        uw_text_add_literal(&text, "]}");
    }
    uw_http_body(request, 200, grouping->csv ? UW_CSV : UW_JSON, &text);
    request->answer.tagged = true;
}

void uw_group_answer(struct uw_desk *desk, const struct uw_principal *principal, struct uw_http_request *request,
                     const struct uw_group *group, const struct uw_list_dimension *fixed,
                     const struct uw_str *arguments, uint32_t argument_count)
{
    struct grouping grouping = {.group = group};
    struct statement statement;
    PGresult *result;
    start(&statement, request, arguments, argument_count);
    if (fixed != NULL) {
        grouping.chosen[grouping.chosen_count++] = fixed;
    }
    if (!check_names(request, group->list, " by format total ") || !choose_format(request, &grouping.csv) ||
        !choose_dimensions(request, &grouping) || !build_group(&statement, principal, request, &grouping)) {
        return;
    }
    result = run(desk, principal, request, &statement, false);
    if (result == NULL) {
        return;
    }
    if (group->refuse_more && PQntuples(result) > (int)group->rows_max) {
        uw_http_problem(request, 422, "more than %u rows; ask for fewer dimensions or periods", group->rows_max);
    } else {
        answer_group(request, result, &grouping);
    }
    PQclear(result);
}
