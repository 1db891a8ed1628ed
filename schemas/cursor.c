/* Reading Avro's binary encoding: numbers, blocks, and moving over what the reader does not have. */
#include "schemas/cursor.h"

#include "schemas/decode.h"

enum uw_code uw_cursor_truncated(struct uw_cursor *cursor)
{
    return uw_refuse(cursor->refusal, UW_REFUSED_TRUNCATED, "%.60s: the value ends in it, after %zu bytes of Avro data",
                     cursor->name, (size_t)(cursor->end - cursor->start));
}

enum uw_code uw_cursor_malformed(struct uw_cursor *cursor, const char *what)
{
    return uw_refuse(cursor->refusal, UW_REFUSED_MALFORMED, "%.60s: %s (before byte %zu of the Avro data)",
                     cursor->name, what, (size_t)(cursor->at - cursor->start));
}

enum uw_code uw_cursor_long_number(struct uw_cursor *cursor, int64_t *number)
{
    uint64_t bits = 0;
    for (uint32_t shift = 0; shift < 64; shift += 7) {
        if (cursor->at == cursor->end) {
            return uw_cursor_truncated(cursor);
        }
        uint8_t byte = *cursor->at++;
        /* The tenth byte has room for one bit. */
        if (shift == 63 && byte > 1) {
            break;
        }
        bits |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            /* Zigzag: the lowest bit is the sign. */
            uint64_t value = (bits >> 1) ^ (0 - (bits & 1));
            *number = value <= INT64_MAX ? (int64_t)value : -(int64_t)(UINT64_MAX - value) - 1;
            return UW_OK;
        }
    }
    return uw_cursor_malformed(cursor, "a number of more than 64 bits");
}

enum uw_code uw_cursor_block(struct uw_cursor *cursor, uint64_t *count, int64_t *size)
{
    int64_t number, bytes = -1;
    enum uw_code code = uw_cursor_number(cursor, &number);
    if (code == UW_OK && number < 0) {
        code = uw_cursor_number(cursor, &bytes);
        if (code == UW_OK && bytes < 0) {
            return uw_cursor_malformed(cursor, "a block of a negative size");
        }
        if (code == UW_OK && (uint64_t)bytes > uw_cursor_left(cursor)) {
            return uw_cursor_truncated(cursor);
        }
    }
    if (code == UW_OK) {
        *count = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
        *size = bytes;
    }
    return code;
}

static enum uw_code skip_bytes(struct uw_cursor *cursor, size_t size)
{
    if (size > uw_cursor_left(cursor)) {
        return uw_cursor_truncated(cursor);
    }
    cursor->at += size;
    return UW_OK;
}

static enum uw_code skip_text(struct uw_cursor *cursor)
{
    size_t length = 0;
    enum uw_code code = uw_cursor_length(cursor, &length);
    return code == UW_OK ? skip_bytes(cursor, length) : code;
}

/* Arrays, and maps whose items have a key before them. */
static enum uw_code skip_blocks(struct uw_cursor *cursor, const struct uw_schema_node *node, uint32_t depth)
{
    for (;;) {
        uint64_t count = 0;
        int64_t size = -1;
        enum uw_code code = uw_cursor_block(cursor, &count, &size);
        if (code != UW_OK || count == 0) {
            return code;
        }
        if (size >= 0) {
            code = skip_bytes(cursor, (size_t)size);
            count = 0;
        }
        for (; code == UW_OK && count > 0; count--) {
            if (node->type == UW_TYPE_MAP) {
                code = skip_text(cursor);
            }
            if (code == UW_OK) {
                code = uw_cursor_skip(cursor, node->items, depth + 1);
            }
        }
        if (code != UW_OK) {
            return code;
        }
    }
}

/* The index of a union's branch or an enum's symbol. */
static enum uw_code read_index(struct uw_cursor *cursor, uint32_t count, uint32_t *index)
{
    int64_t number;
    enum uw_code code = uw_cursor_number(cursor, &number);
    if (code != UW_OK) {
        return code;
    }
    if (number < 0 || number >= (int64_t)count) {
        return uw_cursor_malformed(cursor, "an index that the writer's schema does not have");
    }
    *index = (uint32_t)number;
    return UW_OK;
}

static enum uw_code skip_record(struct uw_cursor *cursor, const struct uw_schema_node *node, uint32_t depth)
{
    for (uint32_t i = 0; i < node->count; i++) {
        enum uw_code code = uw_cursor_skip(cursor, node->fields[i].type, depth + 1);
        if (code != UW_OK) {
            return code;
        }
    }
    return UW_OK;
}

enum uw_code uw_cursor_skip(struct uw_cursor *cursor, const struct uw_schema_node *node, uint32_t depth)
{
    if (depth > UW_DECODE_DEPTH_MAX) {
        return uw_cursor_malformed(cursor, "values are nested too deeply");
    }
    if (++cursor->skips > UW_DECODE_SKIPS_MAX) {
        return uw_cursor_malformed(cursor, "too many values");
    }
    int64_t number;
    uint32_t index = 0;
    enum uw_code code;
    switch (node->type) {
    case UW_TYPE_NULL:
        return UW_OK;
    case UW_TYPE_BOOLEAN:
        return skip_bytes(cursor, 1);
    case UW_TYPE_INT:
    case UW_TYPE_LONG:
        return uw_cursor_number(cursor, &number);
    case UW_TYPE_FLOAT:
        return skip_bytes(cursor, 4);
    case UW_TYPE_DOUBLE:
        return skip_bytes(cursor, 8);
    case UW_TYPE_BYTES:
    case UW_TYPE_STRING:
        return skip_text(cursor);
    case UW_TYPE_RECORD:
        return skip_record(cursor, node, depth);
    case UW_TYPE_ENUM:
        return read_index(cursor, node->count, &index);
    case UW_TYPE_FIXED:
        return skip_bytes(cursor, node->size);
    case UW_TYPE_ARRAY:
    case UW_TYPE_MAP:
        return skip_blocks(cursor, node, depth);
    case UW_TYPE_UNION:
        code = read_index(cursor, node->count, &index);
        return code == UW_OK ? uw_cursor_skip(cursor, node->branches[index], depth + 1) : code;
    }
    return UW_EINTERNAL;
}
