#include "core/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (64u * 1024u)

struct uw_arena_block {
    struct uw_arena_block *next; /* the one before it */
    size_t size, used;
    max_align_t data[];
};

void uw_arena_init(struct uw_arena *arena, size_t limit_bytes)
{
    *arena = (struct uw_arena){NULL, 0, limit_bytes, false};
}

void uw_arena_reset(struct uw_arena *arena)
{
    struct uw_arena_block *block = arena->block;
    if (block != NULL) {
        struct uw_arena_block *next = block->next;
        while (next != NULL) {
            struct uw_arena_block *after = next->next;
            free(next);
            next = after;
        }
        block->next = NULL;
        block->used = 0;
    }
    arena->used_bytes = 0;
    arena->limit_met = false;
}

void uw_arena_close(struct uw_arena *arena)
{
    uw_arena_reset(arena);
    free(arena->block);
    arena->block = NULL;
}

static struct uw_arena_block *grow(struct uw_arena *arena, size_t size)
{
    /* Blocks double, so that a large batch needs few of them and the block that a reset keeps fits the next. */
    size_t wanted = arena->block != NULL ? arena->block->size * 2 : BLOCK_BYTES;
    if (wanted > 16u * 1024u * 1024u) {
        wanted = 16u * 1024u * 1024u;
    }
    if (wanted < size) {
        wanted = size;
    }
    struct uw_arena_block *block = malloc(sizeof *block + wanted);
    if (block == NULL) {
        return NULL;
    }
    block->next = arena->block;
    block->size = wanted;
    block->used = 0;
    arena->block = block;
    return block;
}

void *uw_arena_take(struct uw_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 4) {
        arena->limit_met = true;
        return NULL;
    }
    size_t rounded = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (rounded > arena->limit_bytes || arena->used_bytes > arena->limit_bytes - rounded) {
        arena->limit_met = true;
        return NULL;
    }
    struct uw_arena_block *block = arena->block;
    if (block == NULL || block->size - block->used < rounded) {
        block = grow(arena, rounded);
        if (block == NULL) {
            return NULL;
        }
    }
    void *memory = (char *)block->data + block->used;
    block->used += rounded;
    arena->used_bytes += rounded;
    return memory;
}

struct uw_str uw_arena_copy(struct uw_arena *arena, struct uw_str string)
{
    if (uw_str_is_null(string)) {
        return UW_STR_NULL;
    }
    char *data = uw_arena_take(arena, (size_t)string.length + 1);
    if (data == NULL) {
        return UW_STR_NULL;
    }
    if (string.length > 0) {
        memcpy(data, string.data, string.length);
    }
    data[string.length] = '\0';
    return (struct uw_str){data, string.length};
}
