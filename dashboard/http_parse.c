/* Reading what a request line and headers say. Everything in here may come from anybody. */
#include <string.h>
#include <strings.h>

#include "dashboard/http.h"

static int hex_digit(char letter)
{
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    if (letter >= 'a' && letter <= 'f') {
        return letter - 'a' + 10;
    }
    return letter >= 'A' && letter <= 'F' ? letter - 'A' + 10 : -1;
}

struct uw_str uw_http_decode(struct uw_arena *arena, const char *text, size_t length, bool plus)
{
    char *decoded = uw_arena_take(arena, length + 1);
    uint32_t used = 0;
    if (decoded == NULL) {
        return UW_STR_NULL;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '%') {
            int high = -1, low = -1;
            if (length - i > 2) {
                high = hex_digit(text[i + 1]);
                low = hex_digit(text[i + 2]);
            }
            if (high < 0 || low < 0) {
                return UW_STR_NULL;
            }
            decoded[used++] = (char)(high * 16 + low);
            i += 2;
        } else {
            decoded[used++] = plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    decoded[used] = '\0';
    struct uw_str result = {decoded, used};
    return uw_utf8_length(result) < 0 ? UW_STR_NULL : result;
}

bool uw_http_split_path(struct uw_http_request *request, const char *path)
{
    if (path[0] != '/') {
        return false;
    }
    request->segment_count = 0;
    for (const char *at = path + 1; *at != '\0';) {
        size_t length = strcspn(at, "/");
        struct uw_str segment;
        if (request->segment_count == UW_HTTP_SEGMENTS_MAX) {
            return false;
        }
        segment = uw_http_decode(&request->arena, at, length, false);
        /* An empty segment or one that climbs is never meant. */
        if (uw_str_is_null(segment) || segment.length == 0 || uw_str_equal(segment, UW_STR(".")) ||
            uw_str_equal(segment, UW_STR(".."))) {
            return false;
        }
        request->segments[request->segment_count++] = segment;
        at += length;
        if (*at == '/') {
            at++;
        }
    }
    return true;
}

bool uw_http_split_query(struct uw_http_request *request, const char *query)
{
    for (const char *at = query; *at != '\0';) {
        size_t length = strcspn(at, "&"), name_length = 0;
        while (name_length < length && at[name_length] != '=') {
            name_length++;
        }
        if (length > 0) {
            size_t value_at = name_length < length ? name_length + 1 : length;
            struct uw_http_pair pair = {
                uw_http_decode(&request->arena, at, name_length, true),
                uw_http_decode(&request->arena, at + value_at, length - value_at, true)};
            if (request->parameter_count == UW_HTTP_PARAMETERS_MAX || uw_str_is_null(pair.name) ||
                uw_str_is_null(pair.value)) {
                return false;
            }
            for (uint32_t i = 0; i < request->parameter_count; i++) {
                if (uw_str_equal(request->parameters[i].name, pair.name)) {
                    return false;
                }
            }
            request->parameters[request->parameter_count++] = pair;
        }
        at += length;
        at += *at == '&';
    }
    return true;
}

bool uw_http_tag_matches(const char *if_none_match, const char *tag)
{
    size_t tag_length = strlen(tag);
    for (const char *at = if_none_match; *at != '\0';) {
        at += strspn(at, " \t,");
        if (*at == '*') {
            return true;
        }
        /* A weak tag is as good as a strong one here (RFC 9110, 13.1.2). */
        at += strncmp(at, "W/", 2) == 0 ? 2 : 0;
        if (strncmp(at, tag, tag_length) == 0 && (at[tag_length] == '\0' || strchr(", \t", at[tag_length]) != NULL)) {
            return true;
        }
        at += strcspn(at, ",");
    }
    return false;
}

bool uw_http_wants_csv(const char *accept)
{
    static const char csv[] = "text/csv", json[] = "application/json";
    for (const char *at = accept; *at != '\0';) {
        at += strspn(at, " \t,");
        size_t length = strcspn(at, ",; \t");
        if (length == sizeof csv - 1 && strncasecmp(at, csv, length) == 0) {
            return true;
        }
        if (length == sizeof json - 1 && strncasecmp(at, json, length) == 0) {
            return false;
        }
        at += strcspn(at, ",");
    }
    return false;
}

struct uw_str uw_http_cookie(const char *header, const char *name)
{
    size_t name_length = strlen(name);
    for (const char *at = header; *at != '\0';) {
        at += strspn(at, "; \t");
        size_t length = strcspn(at, ";");
        if (length > name_length && strncmp(at, name, name_length) == 0 && at[name_length] == '=') {
            return (struct uw_str){at + name_length + 1, (uint32_t)(length - name_length - 1)};
        }
        at += length;
    }
    return UW_STR_NULL;
}
