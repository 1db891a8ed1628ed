/*
 * Text written piece by piece into an arena: JSON lines and payloads.
 *
 * The first failure (memory, the arena's limit) sticks; the writer checks it once, at the end.
 */
#ifndef UW_SCHEMAS_TEXT_H
#define UW_SCHEMAS_TEXT_H

#include "core/arena.h"
#include "core/date.h"

struct uw_text {
    struct uw_arena *arena;
    char *data;
    size_t length, capacity;
    bool failed;
};

void uw_text_init(struct uw_text *text, struct uw_arena *arena);
void uw_text_add(struct uw_text *text, const char *data, size_t length);
void uw_text_add_literal(struct uw_text *text, const char *nul_terminated);
void uw_text_add_integer(struct uw_text *text, int64_t number);
/* A JSON string in ASCII: quotes, backslashes, controls and everything beyond ASCII are escaped, as the
 * examples of event lines are. `string` must be valid UTF-8. */
void uw_text_add_json_string(struct uw_text *text, struct uw_str string);
/* "2026-03-01" in quotes, or null for UW_DAY_NONE. */
void uw_text_add_json_date(struct uw_text *text, int32_t day);
/* "2026-03-01T13:45:00.000Z" in quotes, or null for UW_INSTANT_NONE. */
void uw_text_add_json_instant(struct uw_text *text, int64_t instant_ms);
/* UW_OK and the text, followed by a NUL that is not counted, or UW_ENOMEM. */
enum uw_code uw_text_finish(struct uw_text *text, struct uw_str *result) UW_MUST_USE;

#endif
