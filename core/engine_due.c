/* Time without events, and backlogs: clients that are due, in bounded steps. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine_internal.h"

/* When they take all of the cache but an eighth, those who wait would soon have to leave it and be loaded again. Those who
 * were judged meanwhile leave before them. */
bool uw_engine_holds_back(const struct uw_engine *engine)
{
    const struct uw_cache *cache = &engine->cache;
    return engine->catching_up && cache->waiting_bytes < cache->limit_bytes - cache->limit_bytes / 8;
}

static bool is_due(const struct uw_engine_share *share)
{
    return share->owned && share->due && !share->behind;
}

static bool has_clients(const struct uw_engine *engine)
{
    bool due = false;
    for (uint32_t i = 0; i < engine->share_count && !due; i++) {
        due = is_due(&engine->shares[i]);
    }
    return engine->due.next < engine->due.count || (due && !uw_engine_holds_back(engine));
}

bool uw_engine_has_due(const struct uw_engine *engine)
{
    return has_clients(engine) || engine->sweeping;
}

/* ---- the list ---- */

void uw_engine_forget_due(struct uw_engine *engine)
{
    uw_arena_close(&engine->due.names);
    uw_arena_init(&engine->due.names, UW_ENGINE_DUE_NAMES_BYTES);
    free(engine->due.items);
    engine->due.items = NULL;
    engine->due.count = engine->due.next = engine->due.capacity = 0;
}

struct listing {
    struct uw_engine *engine;
    int32_t partition;
};

static enum uw_code list_client(void *context, struct uw_str client)
{
    const struct listing *listing = context;
    struct uw_due_clients *due = &listing->engine->due;
    const struct uw_resident *resident = uw_cache_find(&listing->engine->cache, client);
    struct uw_str name = uw_arena_copy(&due->names, client);
    if (uw_str_is_null(name) || !uw_reserve((void **)&due->items, &due->capacity, due->count + 1, sizeof *due->items)) {
        return UW_ENOMEM;
    }
    due->items[due->count++] =
        (struct uw_due_client){name, listing->partition, resident == NULL ? 0 : resident->kinship};
    return UW_OK;
}

static int compare_due(const void *a, const void *b)
{
    const struct uw_due_client *left = a, *right = b;
    if (left->kinship != right->kinship) {
        return left->kinship < right->kinship ? -1 : 1;
    }
    return uw_str_compare(left->name, right->name);
}

static enum uw_code list_due(struct uw_engine *engine, struct uw_error *error)
{
    struct uw_due_clients *due = &engine->due;
    for (uint32_t i = 0; i < engine->share_count; i++) {
        struct uw_engine_share *share = &engine->shares[i];
        share->drained = false;
        if (!is_due(share) || due->count >= engine->options.due_clients) {
            continue;
        }
        struct listing listing = {engine, share->partition};
        uint32_t before = due->count;
        enum uw_code code = engine->options.store.due(engine->options.store.context, share->partition, share->as_of_day,
                                                      engine->options.due_clients - before, list_client, &listing,
                                                      error);
        if (code != UW_OK) {
            return code == UW_ENOMEM ? uw_engine_out_of_memory(error) : code;
        }
        share->drained = due->count == before;
    }
    if (due->count > 1) {
        qsort(due->items, due->count, sizeof *due->items, compare_due);
    }
    return UW_OK;
}

/* ---- a step ---- */

/* Up to `limit` clients of the list, or as many as have the facts of a step; those of a partition that was given up or
 * fell behind meanwhile are left out. */
static enum uw_code touch_due(struct uw_engine *engine, uint32_t limit, struct uw_error *error)
{
    struct uw_due_clients *due = &engine->due;
    uint64_t facts = 0;
    for (; due->next < due->count && engine->touch_count < limit && facts < engine->options.due_facts; due->next++) {
        const struct uw_due_client *client = &due->items[due->next];
        struct uw_engine_share *share = uw_engine_owned_share(engine, client->partition);
        if (share == NULL || share->behind) {
            continue;
        }
        uint32_t touch;
        enum uw_code code = uw_engine_touch(engine, client->name, client->partition, &touch, error);
        if (code != UW_OK) {
            return code;
        }
        const struct uw_resident *resident = engine->touches[touch].resident;
        facts += resident->loaded ? uw_resident_facts(resident) : UW_ENGINE_DUE_FACTS_ABSENT;
        share->in_batch = true;
    }
    return UW_OK;
}

/* Partitions of which nobody is due any more: the store learns up to which day. */
static bool join_drained(struct uw_engine *engine)
{
    bool any = false;
    for (uint32_t i = 0; i < engine->share_count; i++) {
        struct uw_engine_share *share = &engine->shares[i];
        share->drained = share->drained && is_due(share);
        share->in_batch = share->in_batch || (share->drained && share->stored_as_of_day != share->as_of_day);
        any = any || share->in_batch;
    }
    return any;
}

static void finish_drained(struct uw_engine *engine)
{
    for (uint32_t i = 0; i < engine->share_count; i++) {
        struct uw_engine_share *share = &engine->shares[i];
        engine->sweeping = engine->sweeping || share->drained;
        share->due = share->due && !share->drained;
        share->drained = false;
    }
}

static enum uw_code judge_due(struct uw_engine *engine, uint32_t limit, int64_t now_ms, struct uw_error *error)
{
    enum uw_code code = UW_OK;
    uw_engine_start_batch(engine);
    if (engine->due.next == engine->due.count) {
        code = list_due(engine, error);
    }
    if (code == UW_OK) {
        code = touch_due(engine, limit, error);
    }
    if (code != UW_OK) {
        uw_engine_drop_touched(engine);
    } else if (join_drained(engine)) {
        code = uw_engine_complete(engine, true, now_ms, error);
    }
    if (code == UW_OK) {
        finish_drained(engine);
    }
    if (code != UW_OK || engine->due.next == engine->due.count) {
        uw_engine_forget_due(engine);
    }
    return code;
}

static enum uw_code sweep(struct uw_engine *engine, struct uw_error *error)
{
    bool more = false;
    enum uw_code code = engine->options.store.sweep(engine->options.store.context, engine->options.rules_version,
                                                    UW_ENGINE_SWEEP_ROWS, &more, error);
    if (code == UW_OK) {
        engine->sweeping = more;
    }
    return code;
}

enum uw_code uw_engine_due(struct uw_engine *engine, uint32_t limit, int64_t now_ms, bool *more,
                           struct uw_error *error)
{
    assert(!uw_engine_needs_recovery(engine));
    enum uw_code code = UW_OK;
    if (has_clients(engine)) {
        code = judge_due(engine, limit, now_ms, error);
    } else if (engine->sweeping) {
        code = sweep(engine, error);
    }
    *more = uw_engine_has_due(engine);
    return code;
}
