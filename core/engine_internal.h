/* What the files of the engine share. Not for users of the core. */
#ifndef UW_CORE_ENGINE_INTERNAL_H
#define UW_CORE_ENGINE_INTERNAL_H

#include "engine.h"
#include "judge.h"

/* A partition that this instance owns or owned; kept sorted by number. */
struct uw_engine_share {
    int32_t partition;
    bool owned, recovering, due;
    bool behind; /* clients that were never judged are judged later, as due ones */
    bool marking; /* all its clients must be marked for judging before anything else */
    int64_t epoch; /* of our last ownership */
    int64_t next_offset[UW_TOPIC_COUNT], to_offset[UW_TOPIC_COUNT];
    int64_t end_offset[UW_TOPIC_COUNT]; /* from next_offset to here there is nothing to apply; lower: not known */
    int64_t next_sequence, first_sequence; /* first_sequence: of the running batch */
    int64_t published_sequence, stored_published_sequence;
    int32_t as_of_day, stored_as_of_day;
    bool moved; /* positions that Kafka has not been told */
    bool in_batch;
    uint64_t events, refused; /* of the running batch */
};

struct uw_touch;
struct uw_item;

struct uw_engine {
    struct uw_engine_options options;
    struct uw_cache cache;
    struct uw_judgement judgement;
    struct uw_arena arena;
    struct uw_engine_share *shares;
    uint32_t share_count, share_capacity;
    uint64_t fingerprint;
    int32_t as_of_day;
    bool sweeping; /* rows of former rules may have become useless */

    /* The running batch. */
    struct uw_touch *touches;
    struct uw_item *items;
    struct uw_fact_change *facts;
    struct uw_outbox_record *outbox;
    struct uw_partition_change *partition_changes;
    struct uw_published *positions;
    uint32_t touch_count, touch_capacity, fact_count, outbox_count, outbox_capacity, partition_change_capacity,
        position_capacity;
    uint32_t pending; /* records at the start of `outbox` that are committed and not handed to the publisher */

    /* What the publisher has in hand: `positions` are those of its transaction. */
    bool publishing;
    uint32_t publishing_positions, publishing_records;

    struct uw_engine_statistics statistics;
};

enum uw_code uw_engine_out_of_memory(struct uw_error *error);
/* The partition's share, owned or not; NULL: it was never owned. */
struct uw_engine_share *uw_engine_find_share(const struct uw_engine *engine, int32_t partition);
/* At the end of the outbox; false when memory is refused. */
bool uw_engine_add_record(struct uw_engine *engine, const struct uw_outbox_record *record);
/* Begins a batch of nothing; shares join by in_batch. */
void uw_engine_start_batch(struct uw_engine *engine);
/* What the batch has become, in one transaction of the store. */
enum uw_code uw_engine_commit(struct uw_engine *engine, int64_t now_ms, struct uw_error *error) UW_MUST_USE;
/* What is committed and not known to be published is published by recovery. */
void uw_engine_leave_to_recovery(struct uw_engine *engine);
/* Waits for what the publisher has in hand. When it failed, recovery sees what has become of it. */
void uw_engine_settle(struct uw_engine *engine);

#endif
