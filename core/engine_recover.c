/* Recovery: what was applied and is not published yet is published, when it is known which records these are. */
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

/* ---- records of the outbox ---- */

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

/* The next records of the outbox behind `after`, as the engine's outbox. */
static enum uw_code read_outbox(struct uw_engine *engine, const struct uw_engine_share *share, int64_t after,
                                struct uw_error *error)
{
    uw_arena_reset(&engine->arena);
    engine->outbox_count = 0;
    enum uw_code code = engine->options.store.outbox(engine->options.store.context, share->partition, after,
                                                     UW_ENGINE_RECOVER_RECORDS, collect_record, engine, error);
    if (code == UW_OK && (engine->outbox_count == 0 || engine->outbox[0].sequence != after + 1)) {
        code = confirm_share(engine, share, error);
        code = code != UW_OK ? code
                             : uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL,
                                            "partition %d: outbox record %lld is neither published nor in the database",
                                            (int)share->partition, (long long)after + 1);
    }
    return code;
}

/* ---- what is published ---- */

/* How many of the records, from the first on. They are published in their order, in transactions of which all or nothing
 * is seen: one that stands in its topic proves those before it, be they deleted there by now. The bytes of an alert and of
 * an anomaly hold the moment at which it was decided, and cannot be another's. A dead letter may have been written with
 * the same bytes for a database that was made anew since: it counts only where all before it is certain. */
static uint32_t count_published(const struct uw_outbox_record *records, uint32_t count, const bool *found)
{
    uint32_t published = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (found[i] && (records[i].output != UW_OUTPUT_DEAD_LETTERS || published == i)) {
            published = i + 1;
        }
    }
    return published;
}

/* One step of the search in the topics, which goes through the outbox from what the store knows as published on. */
static enum uw_code search_share(struct uw_engine *engine, struct uw_engine_share *share, struct uw_error *error)
{
    bool complete = false, begin = share->search != UW_SEARCH_GOES_ON;
    enum uw_code code = read_outbox(engine, share, share->published_sequence, error);
    bool *found = code == UW_OK ? uw_arena_take(&engine->arena, engine->outbox_count * sizeof *found) : NULL;
    if (code == UW_OK && found == NULL) {
        code = uw_engine_out_of_memory(error);
    }
    if (code == UW_OK) {
        code = engine->options.publisher.search(engine->options.publisher.context, engine->outbox,
                                                engine->outbox_count, begin, found, &complete, error);
    }
    if (code != UW_OK) {
        share->search = UW_SEARCH_NONE;
        return code;
    }
    if (!complete) {
        share->search = UW_SEARCH_GOES_ON;
        return UW_OK;
    }
    uint32_t published = count_published(engine->outbox, engine->outbox_count, found);
    share->published_sequence += published;
    bool more = published == engine->outbox_count && share->published_sequence < share->next_sequence - 1;
    share->search = more ? UW_SEARCH_BEGINS : UW_SEARCH_NONE;
    return UW_OK;
}

/* Whether Kafka's offsets leave open what is published: they know less than the store, so that they were lost or are
 * older; or there are none, and the store, which is told of the first publication by the commit after it, knows of none
 * either. */
static bool is_unsure(const struct uw_engine_share *share, int64_t sequence)
{
    bool behind = sequence < share->stored_published_sequence;
    bool nothing = sequence == 0 && share->stored_published_sequence == 0;
    return (behind || nothing) && share->stored_published_sequence < share->next_sequence - 1;
}

/* What Kafka's offsets say is published, or where they cannot say it, what stands in the topics: guessing is not allowed.
 * While share->search is not UW_SEARCH_NONE it is not known yet. */
static enum uw_code find_published(struct uw_engine *engine, struct uw_engine_share *share, struct uw_error *error)
{
    if (share->search != UW_SEARCH_NONE) {
        return search_share(engine, share, error);
    }
    int64_t sequence = 0;
    enum uw_code code =
        engine->options.publisher.published(engine->options.publisher.context, share->partition, &sequence, error);
    bool ahead = code == UW_OK && sequence >= share->next_sequence;
    bool unsure = code == UW_OK && !engine->options.accept_lost_offsets && is_unsure(share, sequence);
    if (ahead || unsure) {
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
    share->published_sequence = sequence > share->stored_published_sequence ? sequence
                                                                            : share->stored_published_sequence;
    if (!unsure) {
        return UW_OK;
    }
    engine->statistics.searches++;
    share->search = UW_SEARCH_BEGINS;
    return search_share(engine, share, error);
}

/* ---- publishing the rest ---- */

static enum uw_code publish_now(struct uw_engine *engine, const struct uw_published *position, struct uw_error *error)
{
    const struct uw_publisher *publisher = &engine->options.publisher;
    enum uw_code code = publisher->start(publisher->context, engine->outbox, engine->outbox_count, position, 1, error);
    return code == UW_OK ? publisher->finish(publisher->context, error) : code;
}

static enum uw_code recover_share(struct uw_engine *engine, struct uw_engine_share *share, struct uw_error *error)
{
    enum uw_code code = find_published(engine, share, error);
    bool known = code == UW_OK && share->search == UW_SEARCH_NONE;
    while (known && code == UW_OK && share->published_sequence < share->next_sequence - 1) {
        code = read_outbox(engine, share, share->published_sequence, error);
        if (code != UW_OK) {
            break;
        }
        int64_t last = engine->outbox[engine->outbox_count - 1].sequence;
        struct uw_published position = uw_engine_position_of(share, last);
        code = publish_now(engine, &position, error);
        if (code == UW_OK) {
            share->published_sequence = last;
            engine->statistics.recovered_records += engine->outbox_count;
        }
    }
    engine->outbox_count = 0;
    if (code == UW_OK && known) {
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
        if (code == UW_OK && share->owned && share->recovering) {
            break; /* the publisher has one search at a time */
        }
        if (code == UW_OK && share->owned && share->marking) {
            code = mark_share(engine, share, error);
        }
    }
    return code;
}
