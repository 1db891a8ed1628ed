#include "dashboard/pack.h"

#include <string.h>
#include <strings.h>
#include <zlib.h>

/* Of deflateInit2: the window's size as its logarithm, and what is around the packed bytes. */
#define WINDOW_BITS 15
#define GZIP_AROUND 16
#define MEMORY_LEVEL 8

/* Whether the weight after a name forbids it: "0", "0.", "0.0", ... */
static bool is_zero(const char *weight, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (weight[i] >= '1' && weight[i] <= '9') {
            return false;
        }
    }
    return length > 0 && weight[0] == '0';
}

/* 1: the header allows the name, 0: it forbids it, -1: it does not say. */
static int find_name(const char *header, const char *name)
{
    size_t name_length = strlen(name);
    for (const char *at = header; *at != '\0';) {
        at += strspn(at, " \t,");
        const char *end = at + strcspn(at, ",");
        size_t length = strcspn(at, ",; \t");
        if (length == name_length && strncasecmp(at, name, length) == 0) {
            const char *weight = at + length;
            weight += strspn(weight, " \t;");
            if (weight < end && strncasecmp(weight, "q=", 2) == 0) {
                weight += 2;
                return is_zero(weight, strcspn(weight, ",; \t")) ? 0 : 1;
            }
            return 1;
        }
        at = end;
    }
    return -1;
}

enum uw_packing uw_packing_choose(const char *accept_encoding)
{
    static const enum uw_packing packings[] = {UW_PACKING_GZIP, UW_PACKING_DEFLATE};
    if (accept_encoding == NULL) {
        return UW_PACKING_NONE;
    }
    for (size_t i = 0; i < sizeof packings / sizeof packings[0]; i++) {
        int found = find_name(accept_encoding, uw_packing_name(packings[i]));
        if (found == 1 || (found < 0 && find_name(accept_encoding, "*") == 1)) {
            return packings[i];
        }
    }
    return UW_PACKING_NONE;
}

const char *uw_packing_name(enum uw_packing packing)
{
    switch (packing) {
    case UW_PACKING_NONE:
        return NULL;
    case UW_PACKING_GZIP:
        return "gzip";
    case UW_PACKING_DEFLATE:
        return "deflate";
    }
    return NULL;
}

struct uw_str uw_pack(struct uw_arena *arena, enum uw_packing packing, int level, struct uw_str body)
{
    int window = WINDOW_BITS + (packing == UW_PACKING_GZIP ? GZIP_AROUND : 0), done;
    uint32_t room = body.length / 2;
    z_stream stream = {.next_in = Z_NULL};
    char *bytes;
    if (packing == UW_PACKING_NONE || body.length < UW_PACK_BYTES_MIN) {
        return UW_STR_NULL;
    }
    bytes = uw_arena_take(arena, room);
    if (bytes == NULL ||
        deflateInit2(&stream, level, Z_DEFLATED, window, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        return UW_STR_NULL;
    }
    stream.next_in = (z_const Bytef *)(uintptr_t)body.data;
    stream.avail_in = body.length;
    stream.next_out = (Bytef *)bytes;
    stream.avail_out = room;
    done = deflate(&stream, Z_FINISH);
    room -= stream.avail_out;
    (void)deflateEnd(&stream);
    return done == Z_STREAM_END ? (struct uw_str){bytes, room} : UW_STR_NULL;
}
