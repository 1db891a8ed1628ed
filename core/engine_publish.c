/* From the store to Kafka: what was applied is published, at once or by recovery, and the store learns of it. */
#include <assert.h>
#include <string.h>

#include "core/engine_internal.h"

/* Rows that were marked in the store have a day that is not the one remembered here. */
static void forget_change_days(struct uw_engine *engine, int32_t partition)
{
    for (struct uw_resident *resident = engine->cache.oldest; resident != NULL; resident = resident->newer) {
        if (resident->partition == partition) {
            resident->stored_change_known = false;
        }
    }
}

/* ---- recovery: publish what was applied ---- */

static enum uw_code collect_record(void *context, const struct uw_outbox_record *record)
{
    struct uw_engine *engine = context;
    struct uw_outbox_record copy = *record;
    struct uw_header *headers = uw_arena_take(&engine->arena, record->header_count * sizeof *headers);
    copy.key = uw_arena_copy(&engine->arena, record->key);
    copy.value = uw_arena_copy(&engine->arena, record->value);
    bool failed = headers == NULL || (!uw_str_is_null(record->key) && uw_str_is_null(copy.key)) ||
                  (!uw_str_is_null(record->value) && uw_str_is_null(copy.value));
    for (uint32_t i = 0; i < record->header_count && !failed; i++) {
        headers[i].name = uw_arena_copy(&engine->arena, record->headers[i].name);
        headers[i].value = uw_arena_copy(&engine->arena, record->headers[i].value);
        failed = uw_str_is_null(headers[i].name) ||
                 (!uw_str_is_null(record->headers[i].value) && uw_str_is_null(headers[i].value));
    }
    copy.headers = headers;
    if (failed || !uw_engine_add_record(engine, &copy)) {
        return UW_ENOMEM;
    }
    return UW_OK;
}

/* What Kafka or the outbox say does not fit what is remembered here. That alone proves nothing: an instance that stood
 * still learns late that others have owned the partition since. So the store is asked, after those who were asked
 * before; UW_OK only when it confirms what is remembered. */
static enum uw_code confirm_share(struct uw_engine *engine, const struct uw_engine_share *share, struct uw_error *error)
{
    int64_t next_sequence = 0;
    enum uw_code code = engine->options.store.standing(engine->options.store.context, share->partition, share->epoch,
                                                       &next_sequence, error);
    if (code == UW_OK && next_sequence != share->next_sequence) {
        code = uw_error_set(error, UW_EFENCED, UW_CLASS_FENCED,
                            "partition %d: the database has %lld outbox records where this instance knows of %lld",
                            (int)share->partition, (long long)next_sequence - 1, (long long)share->next_sequence - 1);
    }
    return code;
}

/* What Kafka says is published. PostgreSQL may know more when Kafka lost its offsets; then what lies between
 * its knowledge and the outbox's end may or may not have been published, and guessing is not allowed. */
static enum uw_code find_published(struct uw_engine *engine, struct uw_engine_share *share, struct uw_error *error)
{
    int64_t sequence = 0;
    enum uw_code code =
        engine->options.publisher.published(engine->options.publisher.context, share->partition, &sequence, error);
    bool ahead = code == UW_OK && sequence >= share->next_sequence;
    bool lost = code == UW_OK && sequence < share->stored_published_sequence &&
                share->stored_published_sequence < share->next_sequence - 1 && !engine->options.accept_lost_offsets;
    if (ahead || lost) {
        code = confirm_share(engine, share, error);
    }
    if (code != UW_OK) {
        return code;
    }
    if (ahead) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "partition %d: Kafka says that outbox record %lld is published, the database has only %lld:"
                            " the database is older than the topics (docs/operations.md, Restoring)",
                            (int)share->partition, (long long)sequence, (long long)share->next_sequence - 1);
    }
    if (lost) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "partition %d: Kafka has lost the group's offsets; outbox records %lld to %lld may or may "
                            "not be published (docs/operations.md, Lost offsets)",
                            (int)share->partition, (long long)share->stored_published_sequence + 1,
                            (long long)share->next_sequence - 1);
    }
    share->published_sequence = sequence > share->stored_published_sequence ? sequence
                                                                            : share->stored_published_sequence;
    return UW_OK;
}

static struct uw_published position_of(const struct uw_engine_share *share, int64_t sequence)
{
    struct uw_published position = {share->partition, {0}, sequence};
    memcpy(position.next_offset, share->next_offset, sizeof position.next_offset);
    return position;
}

static enum uw_code publish_now(struct uw_engine *engine, const struct uw_published *position, struct uw_error *error)
{
    const struct uw_publisher *publisher = &engine->options.publisher;
    enum uw_code code = publisher->start(publisher->context, engine->outbox, engine->outbox_count, position, 1, error);
    return code == UW_OK ? publisher->finish(publisher->context, error) : code;
}

static enum uw_code recover_share(struct uw_engine *engine, struct uw_engine_share *share, struct uw_error *error)
{
    enum uw_code code = find_published(engine, share, error);
    while (code == UW_OK && share->published_sequence < share->next_sequence - 1) {
        uw_arena_reset(&engine->arena);
        engine->outbox_count = 0;
        code = engine->options.store.outbox(engine->options.store.context, share->partition, share->published_sequence,
                                            UW_ENGINE_RECOVER_RECORDS, collect_record, engine, error);
        if (code != UW_OK) {
            break;
        }
        if (engine->outbox_count == 0 || engine->outbox[0].sequence != share->published_sequence + 1) {
            code = confirm_share(engine, share, error);
            code = code != UW_OK ? code
                                 : uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL,
                                                "partition %d: outbox record %lld is neither published nor in the "
                                                "database",
                                                (int)share->partition, (long long)share->published_sequence + 1);
            break;
        }
        int64_t last = engine->outbox[engine->outbox_count - 1].sequence;
        struct uw_published position = position_of(share, last);
        code = publish_now(engine, &position, error);
        if (code == UW_OK) {
            share->published_sequence = last;
            engine->statistics.recovered_records += engine->outbox_count;
        }
    }
    engine->outbox_count = 0;
    if (code == UW_OK) {
        share->recovering = false;
    }
    return code;
}

bool uw_engine_needs_recovery(const struct uw_engine *engine)
{
    for (uint32_t i = 0; i < engine->share_count; i++) {
        if (engine->shares[i].owned && (engine->shares[i].recovering || engine->shares[i].marking)) {
            return true;
        }
    }
    return false;
}

static enum uw_code mark_share(struct uw_engine *engine, struct uw_engine_share *share, struct uw_error *error)
{
    enum uw_code code = engine->options.store.mark_all_due(engine->options.store.context, share->partition,
                                                           share->epoch, engine->fingerprint, error);
    if (code == UW_OK) {
        share->marking = false;
        share->due = true;
        forget_change_days(engine, share->partition);
    }
    return code;
}

enum uw_code uw_engine_recover(struct uw_engine *engine, struct uw_error *error)
{
    assert(engine->pending == 0);
    enum uw_code code = uw_engine_publish_finish(engine, error);
    for (uint32_t i = 0; i < engine->share_count && code == UW_OK; i++) {
        struct uw_engine_share *share = &engine->shares[i];
        if (share->owned && share->recovering) {
            code = recover_share(engine, share, error);
        }
        if (code == UW_OK && share->owned && share->marking) {
            code = mark_share(engine, share, error);
        }
    }
    return code;
}

/* ---- publishing ---- */

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
            engine->positions[count++] = position_of(share, share->next_sequence - 1);
        }
    }
    return count;
}

void uw_engine_leave_to_recovery(struct uw_engine *engine)
{
    for (uint32_t i = 0; i < engine->share_count; i++) {
        engine->shares[i].recovering = engine->shares[i].owned;
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
