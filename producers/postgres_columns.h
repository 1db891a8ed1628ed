/*
 * Rows for PostgreSQL in its binary format: column by column, as the arrays that unnest takes, or row by row, as COPY
 * ... (FORMAT binary) does.
 *
 * Rows are appended field by field, every column once a row. The first failure to get memory sticks.
 */
#ifndef UW_PRODUCERS_POSTGRES_COLUMNS_H
#define UW_PRODUCERS_POSTGRES_COLUMNS_H

#include "producers/postgres.h"

enum uw_column_type {
    UW_COLUMN_BOOL,
    UW_COLUMN_BYTEA,
    UW_COLUMN_INT8,
    UW_COLUMN_INT2,
    UW_COLUMN_INT4,
    UW_COLUMN_TEXT,
    UW_COLUMN_DATE,
    UW_COLUMN_TIMESTAMPTZ,
    UW_COLUMN_UUID,
    UW_COLUMN_JSONB,
    UW_COLUMN_INT4_LIST, /* not for unnest: an array of arrays is no array */
};

#define UW_COLUMNS_MAX UW_ARGUMENTS_MAX

struct uw_column {
    enum uw_column_type type;
    bool has_null;
    uint8_t *data;
    size_t length, capacity;
};

struct uw_columns {
    struct uw_column columns[UW_COLUMNS_MAX];
    uint32_t column_count;
    uint32_t row_count; /* counted by the last column */
    bool failed;
    bool copied, turned;
    struct uw_column rows; /* when they are to be copied: all fields, those of a row behind their number */
};

/* The types are borrowed. */
void uw_columns_init(struct uw_columns *columns, const enum uw_column_type *types, uint32_t column_count);
/* For rows that are likely to go by COPY. */
void uw_columns_init_copied(struct uw_columns *columns, const enum uw_column_type *types, uint32_t column_count);
/* Forgets the rows, and gives back memory beyond what an ordinary batch needs. */
void uw_columns_reset(struct uw_columns *columns);
void uw_columns_close(struct uw_columns *columns);

/* The next field of a row; *place counts the fields and starts at 0 for every row. */
void uw_columns_null(struct uw_columns *columns, uint32_t *place);
void uw_columns_bool(struct uw_columns *columns, uint32_t *place, bool value);
void uw_columns_int2(struct uw_columns *columns, uint32_t *place, int32_t value);
void uw_columns_int4(struct uw_columns *columns, uint32_t *place, int32_t value);
void uw_columns_int8(struct uw_columns *columns, uint32_t *place, int64_t value);
/* The absent values of core/types.h are null. */
void uw_columns_int4_or_null(struct uw_columns *columns, uint32_t *place, int32_t value);
void uw_columns_int8_or_null(struct uw_columns *columns, uint32_t *place, int64_t value);
void uw_columns_day(struct uw_columns *columns, uint32_t *place, int32_t day);
void uw_columns_instant(struct uw_columns *columns, uint32_t *place, int64_t instant_ms);
/* Text or bytea; a null string is null. */
void uw_columns_string(struct uw_columns *columns, uint32_t *place, struct uw_str value);
void uw_columns_uuid(struct uw_columns *columns, uint32_t *place, const uint8_t bytes[16]);
void uw_columns_jsonb(struct uw_columns *columns, uint32_t *place, struct uw_str json);
void uw_columns_int4_list(struct uw_columns *columns, uint32_t *place, const int32_t *values, uint32_t count);

/* Makes columns of rows that were likely to go by COPY, and are too few for it. Does nothing to others. UW_ENOMEM. */
enum uw_code uw_columns_turn(struct uw_columns *columns) UW_MUST_USE;
/* An argument a column, valid until the next change of *columns. */
void uw_columns_arguments(struct uw_columns *columns, struct uw_argument *arguments);
/* Sends all rows by COPY, of columns that were made for it and not turned; there must be one. */
enum uw_code uw_columns_copy(struct uw_columns *columns, struct uw_postgres *postgres, const char *sql,
                             struct uw_error *error) UW_MUST_USE;

/* ---- reading binary fields ---- */

#define UW_POSTGRES_EPOCH_DAY 10957 /* 2000-01-01 */
#define UW_POSTGRES_DAY_NOBEGIN INT32_MIN /* -infinity, UW_DAY_BEFORE_ALL */

int16_t uw_field_int2(const PGresult *row, int field);
int32_t uw_field_int4(const PGresult *row, int field);
int64_t uw_field_int8(const PGresult *row, int field);
bool uw_field_bool(const PGresult *row, int field);
/* With the absent values for null. */
int32_t uw_field_int4_or_none(const PGresult *row, int field);
int32_t uw_field_day(const PGresult *row, int field);
int64_t uw_field_instant(const PGresult *row, int field);
struct uw_str uw_field_string(const PGresult *row, int field);

/* Big-endian, as all of PostgreSQL's binary format. */
void uw_put_int32(uint8_t *data, int32_t value);
void uw_put_int64(uint8_t *data, int64_t value);
int32_t uw_get_int32(const uint8_t *data);
int64_t uw_get_int64(const uint8_t *data);

#endif
