/*
 * Running a plan over the bytes of one value. Every read is checked against the end; nothing is allocated on
 * the word of a count in the bytes.
 */
#ifndef UW_SCHEMAS_DECODE_H
#define UW_SCHEMAS_DECODE_H

#include "schemas/plan.h"

/* Values of a writer that the reader does not have are skipped; nested deeper than this they are refused. */
#define UW_DECODE_DEPTH_MAX 64
/* Values that are skipped in one message at most. It bounds what a schema full of empty records can cost. */
#define UW_DECODE_SKIPS_MAX (1u << 20)

/* Fills *record (of the plan's shape) from all of `bytes` (behind the header). `record` may be left half
 * filled on failure. UW_OK; UW_EINPUT with *refusal; UW_ENOMEM. */
enum uw_code uw_decode_record(const struct uw_plan *plan, struct uw_str bytes, struct uw_arena *arena, void *record,
                              struct uw_refusal *refusal) UW_MUST_USE;

#endif
