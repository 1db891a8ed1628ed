/*
 * Reading Avro's binary encoding with the end in sight.
 */
#ifndef UW_SCHEMAS_CURSOR_H
#define UW_SCHEMAS_CURSOR_H

#include "core/arena.h"
#include "schemas/refuse.h"
#include "schemas/schema.h"

struct uw_cursor {
    const uint8_t *at, *end, *start;
    const char *name; /* of the field that is read, for refusals */
    uint32_t skips;   /* values skipped so far */
    struct uw_arena *arena;
    struct uw_refusal *refusal;
};

/* Refuses at the place of the cursor. */
enum uw_code uw_cursor_truncated(struct uw_cursor *cursor);
enum uw_code uw_cursor_malformed(struct uw_cursor *cursor, const char *what);
/* The numbers that are not one byte long. */
enum uw_code uw_cursor_long_number(struct uw_cursor *cursor, int64_t *number) UW_MUST_USE;
/* Moves over a value of any type. */
enum uw_code uw_cursor_skip(struct uw_cursor *cursor, const struct uw_schema_node *node, uint32_t depth) UW_MUST_USE;

static inline size_t uw_cursor_left(const struct uw_cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

/* A zigzag number of up to 64 bits. */
UW_MUST_USE static inline enum uw_code uw_cursor_number(struct uw_cursor *cursor, int64_t *number)
{
    if (cursor->at < cursor->end && *cursor->at < 0x80) {
        uint8_t byte = *cursor->at++;
        *number = (byte >> 1) ^ -(byte & 1);
        return UW_OK;
    }
    return uw_cursor_long_number(cursor, number);
}

/* A length that lies in what is left. */
UW_MUST_USE static inline enum uw_code uw_cursor_length(struct uw_cursor *cursor, size_t *length)
{
    int64_t number = 0;
    enum uw_code code = uw_cursor_number(cursor, &number);
    if (code != UW_OK) {
        return code;
    }
    if (number < 0) {
        return uw_cursor_malformed(cursor, "a negative length");
    }
    if ((uint64_t)number > uw_cursor_left(cursor)) {
        return uw_cursor_truncated(cursor);
    }
    *length = (size_t)number;
    return UW_OK;
}

/* The header of a block of an array or a map. A negative count comes with the block's size in bytes, which is
 * -1 otherwise. */
enum uw_code uw_cursor_block(struct uw_cursor *cursor, uint64_t *count, int64_t *size) UW_MUST_USE;

#endif
