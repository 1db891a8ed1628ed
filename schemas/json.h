/*
 * Events as lines of JSON: what `feed` reads and `simulate` writes.
 *
 *   {"topic": "evaluations", "value": {"event_id": "30c5...", "recorded_at": 1769731200000, ...}}
 *
 * Keys are those of the Avro schemas, each exactly once; dates are "YYYY-MM-DD", instants milliseconds since
 * 1970 in UTC, `terms` an object whose only key is the name of the funding form.
 */
#ifndef UW_SCHEMAS_JSON_H
#define UW_SCHEMAS_JSON_H

#include "core/arena.h"
#include "core/event.h"

/* A line that is longer is refused as TOO_LARGE. Escapes can make JSON six times as long as its text. */
#define UW_JSON_LINE_BYTES_MAX (6u * UW_EVENT_BYTES_MAX)

/* Reads one line (without its newline) and checks every rule of SPEC section 2. Strings of *event are copied
 * into `arena`. Returns UW_OK; UW_EINPUT with *refusal, whose text names the key and holds no client id; or
 * UW_ENOMEM. */
enum uw_code uw_json_read_event(struct uw_str line, struct uw_arena *arena, struct uw_event *event,
                                struct uw_refusal *refusal) UW_MUST_USE;

/* Writes exactly such a line, in ASCII, without a newline; a NUL that is not counted follows. The event must
 * be valid. Returns UW_OK or UW_ENOMEM. */
enum uw_code uw_json_write_event(const struct uw_event *event, struct uw_arena *arena, struct uw_str *line)
    UW_MUST_USE;

#endif
