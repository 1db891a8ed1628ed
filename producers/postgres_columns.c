/*
 * Columns of rows in PostgreSQL's binary format, as arrays and as COPY.
 */
#include "producers/postgres_columns.h"

#include <stdlib.h>
#include <string.h>

/* An array starts with its dimensions (1 or 0), a flag for nulls, the element's type, and the dimension's length
 * and lower bound; room for it is kept at the start of every column. */
#define ARRAY_HEADER_BYTES 20
#define EMPTY_ARRAY_BYTES 12
#define FIELD_HEADER_BYTES 4
#define COPY_HEADER_BYTES 19
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

void uw_columns_reset(struct uw_columns *columns)
{
    for (uint32_t i = 0; i < columns->column_count; i++) {
        struct uw_column *column = &columns->columns[i];

        if (column->capacity > KEPT_BYTES) {
            free(column->data);
            column->data = NULL;
            column->capacity = 0;
        }
        column->length = 0;
        column->has_null = false;
    }
    columns->row_count = 0;
    columns->failed = false;
}

void uw_columns_close(struct uw_columns *columns)
{
    for (uint32_t i = 0; i < columns->column_count; i++) {
        free(columns->columns[i].data);
    }
    memset(columns, 0, sizeof *columns);
}

/* Makes the next field of a row with `length` bytes and returns where they go; NULL once memory was refused. */
static uint8_t *add_field(struct uw_columns *columns, uint32_t *place, size_t length)
{
    struct uw_column *column = &columns->columns[*place];
    size_t wanted;

    if (++*place == columns->column_count) {
        columns->row_count++;
    }
    if (columns->failed) {
        return NULL;
    }
    if (column->length == 0) {
        column->length = ARRAY_HEADER_BYTES;
    }
    wanted = column->length + FIELD_HEADER_BYTES + length;
    if (wanted > column->capacity) {
        size_t capacity = column->capacity == 0 ? 1024 : column->capacity;
        uint8_t *data;

        while (capacity < wanted) {
            capacity *= 2;
        }
        data = realloc(column->data, capacity);
        if (data == NULL) {
            columns->failed = true;
            return NULL;
        }
        column->data = data;
        column->capacity = capacity;
    }
    uw_put_int32(column->data + column->length, (int32_t)length);
    column->length = wanted;
    return column->data + wanted - length;
}

void uw_columns_null(struct uw_columns *columns, uint32_t *place)
{
    struct uw_column *column = &columns->columns[*place];
    uint8_t *data = add_field(columns, place, 0);

    if (data != NULL) {
        uw_put_int32(data - FIELD_HEADER_BYTES, -1);
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
        data[0] = (uint8_t)((uint32_t)value >> 8);
        data[1] = (uint8_t)value;
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
        uw_columns_int4(columns, place, day == UW_DAY_BEFORE_ALL ? UW_POSTGRES_DAY_NOBEGIN : day - UW_POSTGRES_EPOCH_DAY);
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

struct piece {
    uint8_t data[COPY_PIECE_BYTES];
    size_t length;
    struct uw_postgres *postgres;
    struct uw_error *error;
};

static enum uw_code send_piece(struct piece *piece)
{
    enum uw_code code = uw_postgres_copy_data(piece->postgres, piece->data, piece->length, piece->error);

    piece->length = 0;
    return code;
}

static enum uw_code add_bytes(struct piece *piece, const void *data, size_t length)
{
    enum uw_code code = UW_OK;

    if (length > sizeof piece->data - piece->length) {
        code = send_piece(piece);
        if (code == UW_OK && length > sizeof piece->data) {
            return uw_postgres_copy_data(piece->postgres, data, length, piece->error);
        }
    }
    if (code == UW_OK) {
        memcpy(piece->data + piece->length, data, length);
        piece->length += length;
    }
    return code;
}

static enum uw_code add_rows(const struct uw_columns *columns, struct piece *piece)
{
    const uint8_t row_header[2] = {(uint8_t)(columns->column_count >> 8), (uint8_t)columns->column_count};
    size_t places[UW_COLUMNS_MAX];
    enum uw_code code = UW_OK;

    for (uint32_t i = 0; i < columns->column_count; i++) {
        places[i] = ARRAY_HEADER_BYTES;
    }
    for (uint32_t row = 0; row < columns->row_count; row++) {
        code = add_bytes(piece, row_header, sizeof row_header);
        for (uint32_t i = 0; i < columns->column_count && code == UW_OK; i++) {
            const uint8_t *field = columns->columns[i].data + places[i];
            int32_t length = uw_get_int32(field);
            size_t size = FIELD_HEADER_BYTES + (length > 0 ? (size_t)length : 0);

            code = add_bytes(piece, field, size);
            places[i] += size;
        }
        if (code != UW_OK) {
            break;
        }
    }
    return code;
}

enum uw_code uw_columns_copy(const struct uw_columns *columns, struct uw_postgres *postgres, const char *sql,
                             struct uw_error *error)
{
    static const uint8_t header[COPY_HEADER_BYTES] = "PGCOPY\n\377\r\n";
    static const uint8_t trailer[2] = {0xff, 0xff};
    struct piece *piece = malloc(sizeof *piece);
    enum uw_code code;

    if (piece == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "database: out of memory");
    }
    piece->length = 0;
    piece->postgres = postgres;
    piece->error = error;
    code = uw_postgres_copy_begin(postgres, sql, error);
    if (code == UW_OK) {
        code = add_bytes(piece, header, sizeof header);
    }
    if (code == UW_OK) {
        code = add_rows(columns, piece);
    }
    if (code == UW_OK) {
        code = add_bytes(piece, trailer, sizeof trailer);
    }
    if (code == UW_OK) {
        code = send_piece(piece);
    }
    if (code == UW_OK) {
        code = uw_postgres_copy_end(postgres, error);
    }
    free(piece);
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
