/*
 * Memory that is given back all at once: what lives as long as one batch or one fold.
 */
#ifndef UW_CORE_ARENA_H
#define UW_CORE_ARENA_H

#include "types.h"

struct uw_arena_block;

struct uw_arena {
    struct uw_arena_block *block;
    size_t used_bytes;  /* in all blocks */
    size_t limit_bytes; /* uw_arena_take fails beyond it */
    bool limit_met;     /* it did, since the last reset: what failed is larger than allowed, not out of memory */
};

void uw_arena_init(struct uw_arena *arena, size_t limit_bytes);
/* Forgets everything taken; keeps one block for reuse. */
void uw_arena_reset(struct uw_arena *arena);
void uw_arena_close(struct uw_arena *arena);

/* Memory aligned for any type, or NULL when memory or the limit is exhausted. size 0 gives a valid pointer. */
void *uw_arena_take(struct uw_arena *arena, size_t size) UW_MUST_USE;
/* A copy; .data is NULL on failure (or when `string` is null). */
struct uw_str uw_arena_copy(struct uw_arena *arena, struct uw_str string) UW_MUST_USE;

#endif
