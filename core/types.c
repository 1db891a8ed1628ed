#include "core/types.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum uw_code uw_error_set(struct uw_error *error, enum uw_code code, enum uw_class class, const char *format, ...)
{
    if (error == NULL) {
        return code;
    }
    error->code = code;
    error->class = class;
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    if (written < 0) {
        error->text[0] = '\0';
    }
    /* Texts of servers end in newlines and may hold several lines; a log line is one. */
    for (char *c = error->text; *c != '\0'; c++) {
        if (*c == '\n' || *c == '\r') {
            *c = ' ';
        }
    }
    size_t length = strlen(error->text);
    while (length > 0 && error->text[length - 1] == ' ') {
        error->text[--length] = '\0';
    }
    return code;
}

uint32_t uw_str_hash(struct uw_str string)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (uint32_t i = 0; i < string.length; i++) {
        hash = (hash ^ (uint8_t)string.data[i]) * UINT64_C(1099511628211);
    }
    return (uint32_t)(hash ^ hash >> 32);
}

int uw_str_compare(struct uw_str a, struct uw_str b)
{
    uint32_t shared = a.length < b.length ? a.length : b.length;
    int order = shared > 0 ? memcmp(a.data, b.data, shared) : 0;
    if (order != 0) {
        return order;
    }
    return a.length < b.length ? -1 : a.length > b.length;
}

bool uw_str_equal(struct uw_str a, struct uw_str b)
{
    return a.length == b.length && uw_str_is_null(a) == uw_str_is_null(b) &&
           (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

struct uw_str uw_str_from(const char *nul_terminated)
{
    return (struct uw_str){nul_terminated, (uint32_t)strlen(nul_terminated)};
}

/* The length of the sequence that a first byte announces, and the smallest code point that may take it. */
static uint32_t sequence_length(uint8_t first, uint32_t *smallest)
{
    if (first < 0x80) {
        *smallest = 1; /* U+0000 is refused */
        return 1;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        *smallest = 0x80;
        return 2;
    }
    if (first >= 0xE0 && first <= 0xEF) {
        *smallest = 0x800;
        return 3;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        *smallest = 0x10000;
        return 4;
    }
    return 0;
}

int64_t uw_utf8_length(struct uw_str string)
{
    const uint8_t *bytes = (const uint8_t *)string.data;
    int64_t points = 0;
    for (uint32_t i = 0; i < string.length; points++) {
        uint32_t smallest = 0;
        uint32_t length = sequence_length(bytes[i], &smallest);
        if (length == 0 || length > string.length - i) {
            return -1;
        }
        uint32_t point = length == 1 ? bytes[i] : bytes[i] & (0x7Fu >> length);
        for (uint32_t k = 1; k < length; k++) {
            if ((bytes[i + k] & 0xC0) != 0x80) {
                return -1;
            }
            point = point << 6 | (bytes[i + k] & 0x3Fu);
        }
        if (point < smallest || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) {
            return -1;
        }
        i += length;
    }
    return points;
}

/* Of a hexadecimal digit: its value, with two marks. 0: not a digit. */
#define HEX_DIGIT 0x20u
#define HEX_UPPER 0x10u
#define HEX_VALUE 0x0Fu

static const uint8_t hex_digits[256] = {
    ['0'] = HEX_DIGIT | 0,
    ['1'] = HEX_DIGIT | 1,
    ['2'] = HEX_DIGIT | 2,
    ['3'] = HEX_DIGIT | 3,
    ['4'] = HEX_DIGIT | 4,
    ['5'] = HEX_DIGIT | 5,
    ['6'] = HEX_DIGIT | 6,
    ['7'] = HEX_DIGIT | 7,
    ['8'] = HEX_DIGIT | 8,
    ['9'] = HEX_DIGIT | 9,
    ['a'] = HEX_DIGIT | 10,
    ['b'] = HEX_DIGIT | 11,
    ['c'] = HEX_DIGIT | 12,
    ['d'] = HEX_DIGIT | 13,
    ['e'] = HEX_DIGIT | 14,
    ['f'] = HEX_DIGIT | 15,
    ['A'] = HEX_DIGIT | HEX_UPPER | 10,
    ['B'] = HEX_DIGIT | HEX_UPPER | 11,
    ['C'] = HEX_DIGIT | HEX_UPPER | 12,
    ['D'] = HEX_DIGIT | HEX_UPPER | 13,
    ['E'] = HEX_DIGIT | HEX_UPPER | 14,
    ['F'] = HEX_DIGIT | HEX_UPPER | 15,
};

/* By a table and without branches: every event has at least one. */
bool uw_uuid_parse(struct uw_str text, struct uw_uuid *uuid)
{
    static const uint8_t places[sizeof uuid->bytes] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
    if (text.length != UW_UUID_TEXT_BYTES || text.data[8] != '-' || text.data[13] != '-' || text.data[18] != '-' ||
        text.data[23] != '-') {
        return false;
    }
    struct uw_uuid parsed = {{0}, 0};
    uint32_t all = HEX_DIGIT, any = 0;
    for (uint32_t i = 0; i < sizeof parsed.bytes; i++) {
        uint32_t high = hex_digits[(uint8_t)text.data[places[i]]], low = hex_digits[(uint8_t)text.data[places[i] + 1]];
        all &= high & low;
        any |= high | low;
        parsed.bytes[i] = (uint8_t)(high << 4 | (low & HEX_VALUE));
    }
    if ((all & HEX_DIGIT) == 0) {
        return false;
    }
    /* Hardly any source writes them in upper case. */
    for (uint32_t i = 0; i < 2 * sizeof parsed.bytes && (any & HEX_UPPER) != 0; i++) {
        parsed.upper |= (hex_digits[(uint8_t)text.data[places[i / 2] + i % 2]] & HEX_UPPER) / HEX_UPPER << i;
    }
    *uuid = parsed;
    return true;
}

void uw_uuid_format(const struct uw_uuid *uuid, char *text)
{
    uint32_t position = 0;
    for (uint32_t digit = 0; digit < 32; digit++) {
        if (digit == 8 || digit == 12 || digit == 16 || digit == 20) {
            text[position++] = '-';
        }
        uint8_t byte = uuid->bytes[digit / 2];
        uint32_t value = digit % 2 == 0 ? byte >> 4 : byte & 15u;
        bool upper = (uuid->upper >> digit & 1u) != 0;
        text[position++] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[value];
    }
}

int uw_uuid_compare(const struct uw_uuid *a, const struct uw_uuid *b)
{
    if ((a->upper | b->upper) == 0) {
        return memcmp(a->bytes, b->bytes, sizeof a->bytes);
    }
    char text_a[UW_UUID_TEXT_BYTES], text_b[UW_UUID_TEXT_BYTES];
    uw_uuid_format(a, text_a);
    uw_uuid_format(b, text_b);
    return memcmp(text_a, text_b, UW_UUID_TEXT_BYTES);
}
