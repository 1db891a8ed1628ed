/*
 * Columns of rows in PostgreSQL's binary format, as arrays and as COPY.
 */
#include "producers/postgres_columns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* An array starts with its dimensions (1 or 0), a flag for nulls, the element's type, and the dimension's length
 * and lower bound; room for it is kept at the start of every column. */
#define ARRAY_HEADER_BYTES 20
#define EMPTY_ARRAY_BYTES 12
#define FIELD_HEADER_BYTES 4
#define NULL_LENGTH (-1)
/* What COPY sends starts with a header and ends with a trailer; every row starts with the number of its fields. Every
 * field leaves room for the trailer. */
#define COPY_HEADER_BYTES 19
#define COPY_TRAILER_BYTES 2
#define ROW_HEADER_BYTES 2
/* More than what may stand around a field. */
#define SPARE_BYTES                                                                                                    \
    (ARRAY_HEADER_BYTES + COPY_HEADER_BYTES + ROW_HEADER_BYTES + FIELD_HEADER_BYTES + COPY_TRAILER_BYTES)
/* Rows go out in pieces of this size. */
#define COPY_PIECE_BYTES (64u * 1024u)
/* A column keeps at most this much memory between batches. */
#define KEPT_BYTES (128u * 1024u)
#define US_PER_MS INT64_C(1000)
#define JSONB_VERSION 1

/* pg_type.h is no part of libpq's interface, yet these numbers are fixed for good. */
static uint32_t type_oid(enum uw_column_type type)
{
    switch (type) {
    case UW_COLUMN_BOOL:
        return 16;
    case UW_COLUMN_BYTEA:
        return 17;
    case UW_COLUMN_INT8:
        return 20;
    case UW_COLUMN_INT2:
        return 21;
    case UW_COLUMN_INT4:
        return 23;
    case UW_COLUMN_TEXT:
        return 25;
    case UW_COLUMN_DATE:
        return 1082;
    case UW_COLUMN_TIMESTAMPTZ:
        return 1184;
    case UW_COLUMN_UUID:
        return 2950;
    case UW_COLUMN_JSONB:
        return 3802;
    case UW_COLUMN_INT4_LIST:
        return 1007;
    }
    return 0;
}

static void put_int16(uint8_t *data, int32_t value)
{
    data[0] = (uint8_t)((uint32_t)value >> 8);
    data[1] = (uint8_t)value;
}

void uw_put_int32(uint8_t *data, int32_t value)
{
    uint32_t bits = (uint32_t)value;

    data[0] = (uint8_t)(bits >> 24);
    data[1] = (uint8_t)(bits >> 16);
    data[2] = (uint8_t)(bits >> 8);
    data[3] = (uint8_t)bits;
}

int32_t uw_get_int32(const uint8_t *data)
{
    return (int32_t)((uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3]);
}

int64_t uw_get_int64(const uint8_t *data)
{
    return (int64_t)((uint64_t)(uint32_t)uw_get_int32(data) << 32 | (uint32_t)uw_get_int32(data + 4));
}

void uw_put_int64(uint8_t *data, int64_t value)
{
    uw_put_int32(data, (int32_t)(uint32_t)((uint64_t)value >> 32));
    uw_put_int32(data + 4, (int32_t)(uint32_t)(uint64_t)value);
}

void uw_columns_init(struct uw_columns *columns, const enum uw_column_type *types, uint32_t column_count)
{
    memset(columns, 0, sizeof *columns);
    columns->column_count = column_count < UW_COLUMNS_MAX ? column_count : UW_COLUMNS_MAX;
    for (uint32_t i = 0; i < columns->column_count; i++) {
        columns->columns[i].type = types[i];
    }
}

void uw_columns_init_copied(struct uw_columns *columns, const enum uw_column_type *types, uint32_t column_count)
{
    uw_columns_init(columns, types, column_count);
    columns->copied = true;
}

static void reset(struct uw_column *column)
{
    if (column->capacity > KEPT_BYTES) {
        free(column->data);
        column->data = NULL;
        column->capacity = 0;
    }
    column->length = 0;
    column->has_null = false;
}

void uw_columns_reset(struct uw_columns *columns)
{
    for (uint32_t i = 0; i < columns->column_count; i++) {
        reset(&columns->columns[i]);
    }
    reset(&columns->rows);
    columns->row_count = 0;
    columns->failed = columns->turned = false;
}

void uw_columns_close(struct uw_columns *columns)
{
    for (uint32_t i = 0; i < columns->column_count; i++) {
        free(columns->columns[i].data);
    }
    free(columns->rows.data);
    memset(columns, 0, sizeof *columns);
}

/* Makes room for some bytes more; false: there is no memory. */
static bool grow(struct uw_column *column, size_t length)
{
    size_t wanted = column->length + length, capacity = column->capacity == 0 ? 1024 : column->capacity;
    uint8_t *data;

    while (capacity < wanted) {
        capacity *= 2;
    }
    data = realloc(column->data, capacity);
    if (data == NULL) {
        return false;
    }
    column->data = data;
    column->capacity = capacity;
    return true;
}

/* Makes the next field of a row with `length` bytes and returns where they go; NULL once memory was refused. */
static uint8_t *add_field(struct uw_columns *columns, uint32_t *place, size_t length)
{
    bool by_rows = columns->copied && !columns->turned, first = *place == 0;
    struct uw_column *column = by_rows ? &columns->rows : &columns->columns[*place];
    uint8_t *field;

    if (++*place == columns->column_count) {
        columns->row_count++;
    }
    if (columns->failed) {
        return NULL;
    }
    if (length + SPARE_BYTES > column->capacity - column->length && !grow(column, length + SPARE_BYTES)) {
        columns->failed = true;
        return NULL;
    }
    if (column->length == 0) {
        column->length = by_rows ? COPY_HEADER_BYTES : ARRAY_HEADER_BYTES;
    }
    if (by_rows && first) {
        put_int16(column->data + column->length, (int32_t)columns->column_count);
        column->length += ROW_HEADER_BYTES;
    }
    field = column->data + column->length + FIELD_HEADER_BYTES;
    uw_put_int32(field - FIELD_HEADER_BYTES, (int32_t)length);
    column->length += FIELD_HEADER_BYTES + length;
    return field;
}

void uw_columns_null(struct uw_columns *columns, uint32_t *place)
{
    struct uw_column *column = &columns->columns[*place];
    uint8_t *data = add_field(columns, place, 0);

    if (data != NULL) {
        uw_put_int32(data - FIELD_HEADER_BYTES, NULL_LENGTH);
        column->has_null = true;
    }
}

void uw_columns_bool(struct uw_columns *columns, uint32_t *place, bool value)
{
    uint8_t *data = add_field(columns, place, 1);

    if (data != NULL) {
        *data = value ? 1 : 0;
    }
}

void uw_columns_int2(struct uw_columns *columns, uint32_t *place, int32_t value)
{
    uint8_t *data = add_field(columns, place, 2);

    if (data != NULL) {
        put_int16(data, value);
    }
}

void uw_columns_int4(struct uw_columns *columns, uint32_t *place, int32_t value)
{
    uint8_t *data = add_field(columns, place, 4);

    if (data != NULL) {
        uw_put_int32(data, value);
    }
}

void uw_columns_int8(struct uw_columns *columns, uint32_t *place, int64_t value)
{
    uint8_t *data = add_field(columns, place, 8);

    if (data != NULL) {
        uw_put_int64(data, value);
    }
}

void uw_columns_int4_or_null(struct uw_columns *columns, uint32_t *place, int32_t value)
{
    if (value == UW_INT_NONE) {
        uw_columns_null(columns, place);
    } else {
        uw_columns_int4(columns, place, value);
    }
}

void uw_columns_int8_or_null(struct uw_columns *columns, uint32_t *place, int64_t value)
{
    if (value == UW_MINUTES_NONE) {
        uw_columns_null(columns, place);
    } else {
        uw_columns_int8(columns, place, value);
    }
}

void uw_columns_day(struct uw_columns *columns, uint32_t *place, int32_t day)
{
    if (day == UW_DAY_NONE) {
        uw_columns_null(columns, place);
    } else {
        uw_columns_int4(columns, place,
                        day == UW_DAY_BEFORE_ALL ? UW_POSTGRES_DAY_NOBEGIN : day - UW_POSTGRES_EPOCH_DAY);
    }
}

void uw_columns_instant(struct uw_columns *columns, uint32_t *place, int64_t instant_ms)
{
    if (instant_ms == UW_INSTANT_NONE) {
        uw_columns_null(columns, place);
    } else {
        uw_columns_int8(columns, place, (instant_ms - UW_POSTGRES_EPOCH_DAY * INT64_C(86400000)) * US_PER_MS);
    }
}

void uw_columns_string(struct uw_columns *columns, uint32_t *place, struct uw_str value)
{
    uint8_t *data;

    if (uw_str_is_null(value)) {
        uw_columns_null(columns, place);
        return;
    }
    data = add_field(columns, place, value.length);
    if (data != NULL && value.length > 0) {
        memcpy(data, value.data, value.length);
    }
}

void uw_columns_uuid(struct uw_columns *columns, uint32_t *place, const uint8_t bytes[16])
{
    uint8_t *data = add_field(columns, place, 16);

    if (data != NULL) {
        memcpy(data, bytes, 16);
    }
}

void uw_columns_jsonb(struct uw_columns *columns, uint32_t *place, struct uw_str json)
{
    uint8_t *data = add_field(columns, place, (size_t)json.length + 1);

    if (data != NULL) {
        data[0] = JSONB_VERSION;
        memcpy(data + 1, json.data, json.length);
    }
}

static void put_array_header(uint8_t *data, bool has_null, uint32_t oid, uint32_t count)
{
    uw_put_int32(data, count > 0 ? 1 : 0);
    uw_put_int32(data + 4, has_null ? 1 : 0);
    uw_put_int32(data + 8, (int32_t)oid);
    if (count > 0) {
        uw_put_int32(data + 12, (int32_t)count);
        uw_put_int32(data + 16, 1);
    }
}

void uw_columns_int4_list(struct uw_columns *columns, uint32_t *place, const int32_t *values, uint32_t count)
{
    size_t header = count > 0 ? ARRAY_HEADER_BYTES : EMPTY_ARRAY_BYTES;
    uint8_t *data = add_field(columns, place, header + (size_t)count * 8);

    if (data == NULL) {
        return;
    }
    put_array_header(data, false, type_oid(UW_COLUMN_INT4), count);
    for (uint32_t i = 0; i < count; i++) {
        uw_put_int32(data + header + (size_t)i * 8, 4);
        uw_put_int32(data + header + (size_t)i * 8 + 4, values[i]);
    }
}

enum uw_code uw_columns_turn(struct uw_columns *columns)
{
    const uint8_t *at = columns->rows.data;
    uint32_t row_count = columns->row_count;

    if (!columns->copied || columns->turned || row_count == 0) {
        return UW_OK;
    }
    at += COPY_HEADER_BYTES;
    columns->turned = true;
    columns->row_count = 0;
    for (uint32_t row = 0; row < row_count; row++) {
        at += ROW_HEADER_BYTES;
        for (uint32_t place = 0; place < columns->column_count;) {
            int32_t length = uw_get_int32(at);

            at += FIELD_HEADER_BYTES;
            if (length == NULL_LENGTH) {
                uw_columns_null(columns, &place);
            } else {
                uw_columns_string(columns, &place, (struct uw_str){(const char *)at, (uint32_t)length});
                at += length;
            }
        }
    }
    return columns->failed ? UW_ENOMEM : UW_OK;
}

void uw_columns_arguments(struct uw_columns *columns, struct uw_argument *arguments)
{
    static const uint8_t no_bytes[1];

    for (uint32_t i = 0; i < columns->column_count; i++) {
        struct uw_column *column = &columns->columns[i];

        if (column->length == 0) {
            arguments[i] = (struct uw_argument){no_bytes, 0};
            continue;
        }
        put_array_header(column->data, column->has_null, type_oid(column->type), columns->row_count);
        arguments[i] = (struct uw_argument){column->data, column->length};
    }
}

/* ---- COPY ---- */

enum uw_code uw_columns_copy(struct uw_columns *columns, struct uw_postgres *postgres, const char *sql,
                             struct uw_error *error)
{
    static const uint8_t header[COPY_HEADER_BYTES] = "PGCOPY\n\377\r\n";
    struct uw_column *rows = &columns->rows;
    enum uw_code code = uw_postgres_copy_begin(postgres, sql, error);

    assert(columns->copied && !columns->turned && columns->row_count > 0 && !columns->failed);
    memcpy(rows->data, header, sizeof header);
    put_int16(rows->data + rows->length, -1);
    for (size_t sent = 0, left = rows->length + COPY_TRAILER_BYTES; left > 0 && code == UW_OK;) {
        size_t piece = left < COPY_PIECE_BYTES ? left : COPY_PIECE_BYTES;

        code = uw_postgres_copy_data(postgres, rows->data + sent, piece, error);
        sent += piece;
        left -= piece;
    }
    if (code == UW_OK) {
        code = uw_postgres_copy_end(postgres, error);
    }
    return code;
}

/* ---- reading ---- */

static const uint8_t *field_data(const PGresult *row, int field)
{
    return (const uint8_t *)PQgetvalue(row, 0, field);
}

int16_t uw_field_int2(const PGresult *row, int field)
{
    const uint8_t *data = field_data(row, field);

    return (int16_t)(uint16_t)((uint32_t)data[0] << 8 | data[1]);
}

int32_t uw_field_int4(const PGresult *row, int field)
{
    return uw_get_int32(field_data(row, field));
}

int64_t uw_field_int8(const PGresult *row, int field)
{
    return uw_get_int64(field_data(row, field));
}

bool uw_field_bool(const PGresult *row, int field)
{
    return *field_data(row, field) != 0;
}

int32_t uw_field_int4_or_none(const PGresult *row, int field)
{
    return PQgetisnull(row, 0, field) != 0 ? UW_INT_NONE : uw_field_int4(row, field);
}

int32_t uw_field_day(const PGresult *row, int field)
{
    if (PQgetisnull(row, 0, field) != 0) {
        return UW_DAY_NONE;
    }
    int32_t day = uw_field_int4(row, field);
    return day == UW_POSTGRES_DAY_NOBEGIN ? UW_DAY_BEFORE_ALL : day + UW_POSTGRES_EPOCH_DAY;
}

int64_t uw_field_instant(const PGresult *row, int field)
{
    if (PQgetisnull(row, 0, field) != 0) {
        return UW_INSTANT_NONE;
    }
    return uw_field_int8(row, field) / US_PER_MS + UW_POSTGRES_EPOCH_DAY * INT64_C(86400000);
}

struct uw_str uw_field_string(const PGresult *row, int field)
{
    if (PQgetisnull(row, 0, field) != 0) {
        return UW_STR_NULL;
    }
    return (struct uw_str){PQgetvalue(row, 0, field), (uint32_t)PQgetlength(row, 0, field)};
}
