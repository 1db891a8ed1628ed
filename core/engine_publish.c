/* From the store to Kafka: what was applied is published, and the store learns of it. */
#include <assert.h>
#include <string.h>

#include "core/engine_internal.h"

/* ---- publishing ---- */

struct uw_published uw_engine_position_of(const struct uw_engine_share *share, int64_t sequence)
{
    struct uw_published position = {share->partition, {0}, sequence};
    memcpy(position.next_offset, share->next_offset, sizeof position.next_offset);
    return position;
}

bool uw_engine_has_records(const struct uw_engine *engine)
{
    return engine->pending > 0;
}

bool uw_engine_has_positions(const struct uw_engine *engine)
{
    for (uint32_t i = 0; i < engine->share_count; i++) {
        if (engine->shares[i].owned && engine->shares[i].moved) {
            return true;
        }
    }
    return false;
}

static uint32_t list_positions(struct uw_engine *engine)
{
    uint32_t count = 0;
    if (!uw_reserve((void **)&engine->positions, &engine->position_capacity, engine->share_count,
                    sizeof *engine->positions)) {
        return UINT32_MAX;
    }
    for (uint32_t i = 0; i < engine->share_count; i++) {
        const struct uw_engine_share *share = &engine->shares[i];
        if (share->owned && share->moved && !share->recovering) {
            engine->positions[count++] = uw_engine_position_of(share, share->next_sequence - 1);
        }
    }
    return count;
}

void uw_engine_leave_to_recovery(struct uw_engine *engine)
{
    for (uint32_t i = 0; i < engine->share_count; i++) {
        engine->shares[i].recovering = engine->shares[i].owned;
        engine->shares[i].search = UW_SEARCH_NONE;
    }
    engine->pending = 0;
}

enum uw_code uw_engine_publish_start(struct uw_engine *engine, struct uw_error *error)
{
    assert(!engine->publishing);
    uint32_t count = list_positions(engine);
    if (count == UINT32_MAX) {
        return uw_engine_out_of_memory(error);
    }
    if (count == 0) {
        return UW_OK;
    }
    enum uw_code code = engine->options.publisher.start(engine->options.publisher.context, engine->outbox,
                                                        engine->pending, engine->positions, count, error);
    if (code != UW_OK) {
        if (error->class != UW_CLASS_RETRY) {
            uw_engine_leave_to_recovery(engine);
        }
        return code;
    }
    for (uint32_t i = 0; i < count; i++) {
        uw_engine_find_share(engine, engine->positions[i].partition)->moved = false;
    }
    engine->publishing = true;
    engine->publishing_positions = count;
    engine->publishing_records = engine->pending;
    engine->pending = 0;
    return UW_OK;
}

bool uw_engine_is_publishing(const struct uw_engine *engine)
{
    return engine->publishing;
}

/* Records that were handed over are not kept here: what failed is found again in the store. */
enum uw_code uw_engine_publish_finish(struct uw_engine *engine, struct uw_error *error)
{
    if (!engine->publishing) {
        return UW_OK;
    }
    enum uw_code code = engine->options.publisher.finish(engine->options.publisher.context, error);
    engine->publishing = false;
    for (uint32_t i = 0; i < engine->publishing_positions; i++) {
        struct uw_engine_share *share = uw_engine_find_share(engine, engine->positions[i].partition);
        if (code == UW_OK) {
            share->published_sequence = engine->positions[i].sequence;
        } else {
            share->moved = share->owned;
        }
    }
    if (code != UW_OK) {
        error->class = error->class == UW_CLASS_RETRY ? UW_CLASS_ABORT : error->class;
        uw_engine_leave_to_recovery(engine);
        return code;
    }
    engine->statistics.records_published += engine->publishing_records;
    engine->statistics.transactions++;
    return UW_OK;
}

enum uw_code uw_engine_publish(struct uw_engine *engine, struct uw_error *error)
{
    enum uw_code code = uw_engine_publish_finish(engine, error);
    if (code == UW_OK) {
        code = uw_engine_publish_start(engine, error);
    }
    return code == UW_OK ? uw_engine_publish_finish(engine, error) : code;
}

void uw_engine_settle(struct uw_engine *engine)
{
    struct uw_error ignored = {.text = ""};
    if (uw_engine_publish_finish(engine, &ignored) != UW_OK) {
        assert(!engine->publishing);
    }
}

/* ---- what the store knows of it ---- */

static bool has_ends(const struct uw_engine_share *share)
{
    bool any = false;
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        any = any || share->end_offset[i] > share->next_offset[i];
    }
    return any && share->owned && !share->recovering;
}

static bool is_unstored(const struct uw_engine_share *share)
{
    return has_ends(share) ||
           (share->owned && !share->recovering && share->published_sequence > share->stored_published_sequence);
}

bool uw_engine_has_ends(const struct uw_engine *engine)
{
    for (uint32_t i = 0; i < engine->share_count; i++) {
        if (has_ends(&engine->shares[i])) {
            return true;
        }
    }
    return false;
}

bool uw_engine_has_unstored(const struct uw_engine *engine)
{
    for (uint32_t i = 0; i < engine->share_count; i++) {
        if (is_unstored(&engine->shares[i])) {
            return true;
        }
    }
    return false;
}

enum uw_code uw_engine_store_published(struct uw_engine *engine, int64_t now_ms, struct uw_error *error)
{
    if (!uw_engine_has_unstored(engine)) {
        return UW_OK;
    }
    uw_engine_start_batch(engine);
    for (uint32_t i = 0; i < engine->share_count; i++) {
        engine->shares[i].in_batch = is_unstored(&engine->shares[i]);
    }
    return uw_engine_commit(engine, now_ms, error);
}
