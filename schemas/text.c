#include "schemas/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIRST_CAPACITY 512

void uw_text_init(struct uw_text *text, struct uw_arena *arena)
{
    *text = (struct uw_text){.arena = arena};
}

/* Makes room for `more` bytes and the NUL at the end. */
static bool reserve(struct uw_text *text, size_t more)
{
    if (text->failed) {
        return false;
    }
    if (more < text->capacity - text->length) {
        return true;
    }
    size_t capacity = text->capacity == 0 ? FIRST_CAPACITY : text->capacity * 2;
    while (capacity - text->length <= more) {
        capacity *= 2;
    }
    char *data = capacity > UINT32_MAX ? NULL : uw_arena_take(text->arena, capacity);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    if (text->length > 0) {
        memcpy(data, text->data, text->length);
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void uw_text_add(struct uw_text *text, const char *data, size_t length)
{
    if (length > 0 && reserve(text, length)) {
        memcpy(text->data + text->length, data, length);
        text->length += length;
    }
}

void uw_text_add_literal(struct uw_text *text, const char *nul_terminated)
{
    uw_text_add(text, nul_terminated, strlen(nul_terminated));
}

void uw_text_add_integer(struct uw_text *text, int64_t number)
{
    char digits[24];
    size_t place = sizeof digits;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[--place] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        digits[--place] = '-';
    }
    uw_text_add(text, digits + place, sizeof digits - place);
}

/* The code point that starts at `data` of valid UTF-8, and its length in bytes. */
static uint32_t code_point(const unsigned char *data, uint32_t *length)
{
    if (data[0] < 0x80) {
        *length = 1;
        return data[0];
    }
    if (data[0] < 0xE0) {
        *length = 2;
        return ((uint32_t)(data[0] & 0x1F) << 6) | (data[1] & 0x3F);
    }
    if (data[0] < 0xF0) {
        *length = 3;
        return ((uint32_t)(data[0] & 0x0F) << 12) | ((uint32_t)(data[1] & 0x3F) << 6) | (data[2] & 0x3F);
    }
    *length = 4;
    return ((uint32_t)(data[0] & 0x07) << 18) | ((uint32_t)(data[1] & 0x3F) << 12) |
           ((uint32_t)(data[2] & 0x3F) << 6) | (data[3] & 0x3F);
}

static void add_escaped(struct uw_text *text, uint32_t point)
{
    char escape[16];
    if (point == '"' || point == '\\') {
        escape[0] = '\\';
        escape[1] = (char)point;
        uw_text_add(text, escape, 2);
        return;
    }
    static const char short_points[] = "\b\f\n\r\t";
    static const char short_letters[] = "bfnrt";
    const char *found = point < 0x20 && point != 0 ? strchr(short_points, (int)point) : NULL;
    if (found != NULL) {
        escape[0] = '\\';
        escape[1] = short_letters[found - short_points];
        uw_text_add(text, escape, 2);
        return;
    }
    if (point < 0x10000) {
        (void)snprintf(escape, sizeof escape, "\\u%04" PRIx32, point);
    } else {
        uint32_t rest = point - 0x10000;
        (void)snprintf(escape, sizeof escape, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xD800 + (rest >> 10),
                       0xDC00 + (rest & 0x3FF));
    }
    uw_text_add_literal(text, escape);
}

void uw_text_add_json_string(struct uw_text *text, struct uw_str string)
{
    uw_text_add(text, "\"", 1);
    const unsigned char *data = (const unsigned char *)string.data;
    uint32_t plain = 0; /* start of the run that needs no escape */
    for (uint32_t i = 0; i < string.length;) {
        /* DEL is printable to JSON and to the examples' writer; only controls and the two marks are not. */
        if (data[i] >= 0x20 && data[i] < 0x80 && data[i] != '"' && data[i] != '\\') {
            i++;
            continue;
        }
        uw_text_add(text, string.data + plain, i - plain);
        uint32_t length;
        add_escaped(text, code_point(data + i, &length));
        i += length;
        plain = i;
    }
    uw_text_add(text, string.data + plain, string.length - plain);
    uw_text_add(text, "\"", 1);
}

void uw_text_add_json_date(struct uw_text *text, int32_t day)
{
    if (day == UW_DAY_NONE) {
        uw_text_add_literal(text, "null");
        return;
    }
    char date[UW_DATE_TEXT_BYTES];
    uw_date_format(day, date);
    uw_text_add(text, "\"", 1);
    uw_text_add_literal(text, date);
    uw_text_add(text, "\"", 1);
}

void uw_text_add_json_instant(struct uw_text *text, int64_t instant_ms)
{
    if (instant_ms == UW_INSTANT_NONE) {
        uw_text_add_literal(text, "null");
        return;
    }
    int32_t day = uw_utc_day(instant_ms);
    int64_t ms = instant_ms - day * UW_MS_PER_DAY;
    char date[UW_DATE_TEXT_BYTES];
    uw_date_format(day, date);
    char instant[64];
    (void)snprintf(instant, sizeof instant, "\"%sT%02d:%02d:%02d.%03dZ\"", date, (int)(ms / 3600000),
                   (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
    uw_text_add_literal(text, instant);
}

enum uw_code uw_text_finish(struct uw_text *text, struct uw_str *result)
{
    if (!reserve(text, 1)) {
        return UW_ENOMEM;
    }
    text->data[text->length] = '\0';
    *result = (struct uw_str){text->data, (uint32_t)text->length};
    return UW_OK;
}
