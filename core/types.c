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

static int hex_value(char c, bool *upper)
{
    *upper = false;
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        *upper = true;
        return c - 'A' + 10;
    }
    return -1;
}

bool uw_uuid_parse(struct uw_str text, struct uw_uuid *uuid)
{
    if (text.length != UW_UUID_TEXT_BYTES) {
        return false;
    }
    struct uw_uuid parsed = {{0}, 0};
    uint32_t digit = 0;
    for (uint32_t i = 0; i < UW_UUID_TEXT_BYTES; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text.data[i] != '-') {
                return false;
            }
            continue;
        }
        bool upper = false;
        int value = hex_value(text.data[i], &upper);
        if (value < 0) {
            return false;
        }
        parsed.bytes[digit / 2] = (uint8_t)(parsed.bytes[digit / 2] << 4 | value);
        parsed.upper |= (uint32_t)upper << digit;
        digit++;
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
