/* What the files of the engine share. Not for users of the core. */
#ifndef UW_CORE_ENGINE_INTERNAL_H
#define UW_CORE_ENGINE_INTERNAL_H

#include "engine.h"
#include "judge.h"

/* Of what is published, where Kafka's offsets do not say it. */
enum uw_search_state {
    UW_SEARCH_NONE,    /* Kafka is to be asked, or it is known */
    UW_SEARCH_BEGINS,  /* the next records of the outbox, behind published_sequence, are to be looked for */
    UW_SEARCH_GOES_ON, /* the publisher is looking for them */
};

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
    enum uw_search_state search;
    int32_t as_of_day, stored_as_of_day;
    bool drained; /* when it was asked last, no client of it was due */
    bool moved; /* positions that Kafka has not been told */
    bool in_batch;
    uint64_t events, refused; /* of the running batch */
};

/* A client of the running batch, and its events as a chain. */
struct uw_touch {
    struct uw_resident *resident;
    uint32_t first, last; /* items; UINT32_MAX: none */
};

struct uw_item;

/* Names of UW_ENGINE_DUE_CLIENTS, each as long as an accepted event may have it (64 code points), aligned. */
#define UW_ENGINE_DUE_NAMES_BYTES ((size_t)UW_ENGINE_DUE_CLIENTS * 288)

struct uw_due_client {
    struct uw_str name;
    int32_t partition;
    uint32_t kinship;
};

/* Clients that were due when the store was asked, of all partitions; those before `next` are done. */
struct uw_due_clients {
    struct uw_arena names;
    struct uw_due_client *items;
    uint32_t count, next, capacity;
};

struct uw_engine {
    struct uw_engine_options options;
    struct uw_cache cache;
    struct uw_judgement judgement;
    struct uw_arena arena;
    struct uw_engine_share *shares;
    uint32_t share_count, share_capacity;
    uint64_t fingerprint;
    int32_t as_of_day;
    struct uw_due_clients due;
    bool catching_up; /* more waits, of whatever partitions */
    bool sweeping;    /* rows of former rules may have become useless */

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
/* The same, NULL as well when it is not owned now. */
struct uw_engine_share *uw_engine_owned_share(const struct uw_engine *engine, int32_t partition);
/* At the end of the outbox; false when memory is refused. */
bool uw_engine_add_record(struct uw_engine *engine, const struct uw_outbox_record *record);
/* Begins a batch of nothing; shares join by in_batch. */
void uw_engine_start_batch(struct uw_engine *engine);
/* The client's place in the batch; made when it is not there yet. UW_ENOMEM; UW_ECONFIG when it is in another
 * partition: what an instance judges is the whole client, and its records have one sequence. */
enum uw_code uw_engine_touch(struct uw_engine *engine, struct uw_str name, int32_t partition, uint32_t *touch,
                             struct uw_error *error) UW_MUST_USE;
/* Loads, judges and commits what was touched. `due`: the clients are judged though nothing came of them. */
enum uw_code uw_engine_complete(struct uw_engine *engine, bool due, int64_t now_ms, struct uw_error *error) UW_MUST_USE;
/* After a batch that failed nothing is known of its clients any more. */
void uw_engine_drop_touched(struct uw_engine *engine);
/* Whether clients that were never judged wait for others. */
bool uw_engine_holds_back(const struct uw_engine *engine);
/* The store is asked anew who is due. */
void uw_engine_forget_due(struct uw_engine *engine);
/* What the batch has become, in one transaction of the store. */
enum uw_code uw_engine_commit(struct uw_engine *engine, int64_t now_ms, struct uw_error *error) UW_MUST_USE;
/* What is committed and not known to be published is published by recovery. */
void uw_engine_leave_to_recovery(struct uw_engine *engine);
/* The positions of the partition, with its outbox published up to here. */
struct uw_published uw_engine_position_of(const struct uw_engine_share *share, int64_t sequence);
/* Waits for what the publisher has in hand. When it failed, recovery sees what has become of it. */
void uw_engine_settle(struct uw_engine *engine);

#endif
