/* Cursors: the keys of the row that a page ended with, each with its length before it, as base64url. */
#include <stdio.h>
#include <string.h>

#include "dashboard/list.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const char *uw_base64url_write(struct uw_arena *arena, const unsigned char *bytes, size_t size)
{
    char *text = uw_arena_take(arena, size / 3 * 4 + 5);
    size_t length = 0;
    if (text == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        unsigned three = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0u) |
                         (left > 2 ? (unsigned)bytes[i + 2] : 0u);
        text[length++] = digits[three >> 18 & 63];
        text[length++] = digits[three >> 12 & 63];
        if (left > 1) {
            text[length++] = digits[three >> 6 & 63];
        }
        if (left > 2) {
            text[length++] = digits[three & 63];
        }
    }
    text[length] = '\0';
    return text;
}

bool uw_base64url_read(struct uw_arena *arena, struct uw_str text, unsigned char **bytes, size_t *size)
{
    unsigned char *decoded = uw_arena_take(arena, (size_t)text.length / 4 * 3 + 4);
    unsigned held = 0, held_bits = 0;
    size_t length = 0;
    if (decoded == NULL || text.length % 4 == 1) {
        return false;
    }
    for (uint32_t i = 0; i < text.length; i++) {
        const char *digit = text.data[i] == '\0' ? NULL : strchr(digits, text.data[i]);
        if (digit == NULL) {
            return false;
        }
        held = (held << 6 | (unsigned)(digit - digits)) & 0xffffff;
        held_bits += 6;
        if (held_bits >= 8) {
            held_bits -= 8;
            decoded[length++] = (unsigned char)(held >> held_bits & 0xff);
        }
    }
    *bytes = decoded;
    *size = length;
    return true;
}

static void add_piece(struct uw_text *text, struct uw_str piece)
{
    uw_text_add_integer(text, piece.length);
    uw_text_add_literal(text, ":");
    uw_text_add(text, piece.data, piece.length);
}

const char *uw_cursor_write(struct uw_arena *arena, const char *sort, const struct uw_str *keys, uint32_t key_count)
{
    struct uw_text text;
    struct uw_str plain;
    uw_text_init(&text, arena);
    add_piece(&text, uw_str_from(sort));
    for (uint32_t i = 0; i < key_count; i++) {
        add_piece(&text, keys[i]);
    }
    if (uw_text_finish(&text, &plain) != UW_OK) {
        return NULL;
    }
    return uw_base64url_write(arena, (const unsigned char *)plain.data, plain.length);
}

/* The next piece of a cursor; false at the end or at nonsense. */
static bool take_piece(const unsigned char **at, const unsigned char *end, struct uw_str *piece)
{
    size_t length = 0, digit_count = 0;
    while (*at < end && **at >= '0' && **at <= '9' && digit_count < 5) {
        length = length * 10 + (size_t)(**at - '0');
        (*at)++;
        digit_count++;
    }
    if (digit_count == 0 || *at == end || **at != ':' || (size_t)(end - *at - 1) < length) {
        return false;
    }
    *piece = (struct uw_str){(const char *)*at + 1, (uint32_t)length};
    *at += 1 + length;
    return uw_utf8_length(*piece) >= 0;
}

bool uw_cursor_read(struct uw_arena *arena, struct uw_str cursor, const char *sort, struct uw_str *keys,
                    uint32_t key_count)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    struct uw_str piece;
    if (!uw_base64url_read(arena, cursor, &bytes, &size)) {
        return false;
    }
    const unsigned char *at = bytes, *end = bytes + size;
    if (!take_piece(&at, end, &piece) || !uw_str_equal(piece, uw_str_from(sort))) {
        return false;
    }
    for (uint32_t i = 0; i < key_count; i++) {
        if (!take_piece(&at, end, &keys[i])) {
            return false;
        }
    }
    return at == end;
}
