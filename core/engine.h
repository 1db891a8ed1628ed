/*
 * The batch protocol (DESIGN section 1): what one instance does with the partitions that it owns, against the
 * ports, so that it can be crashed and replayed in memory.
 *
 *   claim     on assignment: take the partition over in the store; reading starts at the offsets returned
 *   recover   publish what the store has applied and Kafka has not published
 *   apply     one batch of messages: decode, load absent clients, fold, encode, one commit in the store
 *   publish   the outbox records of that batch and the positions, one Kafka transaction, which may go on while the
 *             next batch is applied
 *   tick      a new as_of
 *   due       clients whose alerts change by date alone, in bounded steps
 *
 * One thread. Nothing is written for a partition that is not owned. What fails changes nothing in memory but
 * the cache, from which the touched clients are dropped: the same call can be made again.
 */
#ifndef UW_CORE_ENGINE_H
#define UW_CORE_ENGINE_H

#include "ports.h"
#include "settings.h"

/* Raise it when the same facts would give other accounts, alerts, anomalies or aggregates than before: it is
 * part of the fingerprint by which all clients are judged again. A client that was last judged under a lower one
 * gets its accounts anew and is added to the aggregates of the new rules in full; a program with a lower one
 * cannot claim the partition any more. */
#define UW_RULES_VERSION 1

#define UW_ENGINE_PARTITIONS_MAX 4096u
/* Memory of one batch: decoded events and encoded records. */
#define UW_ENGINE_BATCH_BYTES_MAX ((size_t)1024 * 1024 * 1024)
/* Outbox records that are published in one transaction while recovering. */
#define UW_ENGINE_RECOVER_RECORDS 5000u
/* Clients that are due are listed so many at a time, all partitions together; who was due beyond that is listed when
 * these are done. */
#define UW_ENGINE_DUE_CLIENTS 131072u
/* A step of those who are due ends with the client who brings it to so many facts: what a step takes in memory goes by
 * facts, and a client may have a few or thousands. One who is not in memory counts as so many. */
#define UW_ENGINE_DUE_FACTS 100000u
#define UW_ENGINE_DUE_FACTS_ABSENT 100u
/* Aggregate rows of former rules that are removed in one step. */
#define UW_ENGINE_SWEEP_ROWS 5000u

struct uw_engine;

struct uw_engine_options {
    struct uw_decoder decoder;
    struct uw_encoder encoder;
    struct uw_store store;
    struct uw_publisher publisher;
    const struct uw_settings *settings; /* borrowed until replaced */
    size_t cache_max_bytes;
    int32_t as_of_day;
    /* as_of was given by hand: it may go back, which judges everybody again. Otherwise it is the clock's day,
     * and a partition that is a day ahead of this instance's clock stays there. */
    bool pinned;
    /* Where Kafka's offsets do not say what is published: do not look into the topics, go on from what PostgreSQL knows,
     * at the risk of publishing the last batch's records twice. */
    bool accept_lost_offsets;
    int32_t rules_version; /* 0: UW_RULES_VERSION; another one for tests */
    uint32_t due_clients;  /* 0: UW_ENGINE_DUE_CLIENTS; another one for tests */
    uint32_t due_facts;    /* 0: UW_ENGINE_DUE_FACTS; another one for tests */
};

struct uw_engine_statistics {
    uint64_t messages, events, redeliveries, refused, skipped; /* skipped: applied before */
    uint64_t batches, records_published, transactions, clients_loaded, clients_judged, recovered_records;
    uint64_t searches; /* times that Kafka's offsets did not say what is published */
    uint64_t clients_found; /* touched by a batch and in the cache already */
    uint64_t cache_bytes, cache_clients, cache_facts;
};

enum uw_code uw_engine_open(const struct uw_engine_options *options, struct uw_engine **engine,
                            struct uw_error *error) UW_MUST_USE;
void uw_engine_close(struct uw_engine **engine);

/* Of the given partition (-1: of none) more is known to wait than a batch holds. Until it is said otherwise, its
 * clients that were never judged are not: their facts are stored, and when all of them are there the clients are judged
 * once, by uw_engine_due, instead of in every batch that has some of their facts. Until then they have no accounts,
 * alerts, anomalies and sums, and the store knows that they are due. Clients that were judged before are judged at once.
 *
 * While `more` waits, of whatever partitions, and the cache has room for those who wait, the same goes for the never
 * judged clients of all partitions, and nobody is due: those who are counted in the same sums are judged together then. */
void uw_engine_fall_behind(struct uw_engine *engine, int32_t partition, bool more);

/* Takes a partition over. Its cached clients are kept when nobody else owned it since we did. */
enum uw_code uw_engine_claim(struct uw_engine *engine, int32_t partition, int64_t next_offset[UW_TOPIC_COUNT],
                             struct uw_error *error) UW_MUST_USE;
/* Nothing more is written for the partition. Waits for what is being published. */
void uw_engine_release(struct uw_engine *engine, int32_t partition);

/* Publishes what owned partitions have in their outbox beyond what Kafka knows as published. To be called after every
 * claim and after publishing failed with UW_CLASS_ABORT, before anything else is applied, as long as there is something to
 * recover: after UW_OK too, since a search in the topics takes many calls, between which the group can be heard. */
enum uw_code uw_engine_recover(struct uw_engine *engine, struct uw_error *error) UW_MUST_USE;
bool uw_engine_needs_recovery(const struct uw_engine *engine);

/* Applies one batch; messages of a topic and partition in the order of offsets, all of owned partitions. They are
 * borrowed for the call. The records of the batch before must have been handed to the publisher. */
enum uw_code uw_engine_apply(struct uw_engine *engine, const struct uw_message *messages, uint32_t count,
                             int64_t now_ms, struct uw_error *error) UW_MUST_USE;

/* Whether the last applied batch has records that are not published yet, or positions that moved. */
bool uw_engine_has_records(const struct uw_engine *engine);
bool uw_engine_has_positions(const struct uw_engine *engine);
/* Of an owned partition: what comes from `position`, where everything before it was applied, up to `end` are no
 * messages but the markers of transactions. The next commit of the partition goes on behind them; otherwise a start
 * after retention has emptied the topic could not tell them from events that were deleted unread. Positions that are
 * not those of the engine are left alone. */
void uw_engine_reach(struct uw_engine *engine, int32_t partition, const int64_t position[UW_TOPIC_COUNT],
                     const int64_t end[UW_TOPIC_COUNT]);
/* Hands them to the publisher. On UW_CLASS_RETRY nothing was handed over; on other errors the records are left to
 * recovery. What was handed over before must be finished. */
enum uw_code uw_engine_publish_start(struct uw_engine *engine, struct uw_error *error) UW_MUST_USE;
/* Waits until what was handed over is published; UW_OK too when there is nothing. On errors all that is not published,
 * the records of a later batch as well, is left to recovery: never UW_CLASS_RETRY. */
enum uw_code uw_engine_publish_finish(struct uw_engine *engine, struct uw_error *error) UW_MUST_USE;
bool uw_engine_is_publishing(const struct uw_engine *engine);
/* All of it in one call. */
enum uw_code uw_engine_publish(struct uw_engine *engine, struct uw_error *error) UW_MUST_USE;

/* Whether the store has not been told yet what is published or where topics end, which the next batch's commit would
 * do. */
bool uw_engine_has_unstored(const struct uw_engine *engine);
/* Whether the end of a topic was reached behind the last message of it, and the store does not know. */
bool uw_engine_has_ends(const struct uw_engine *engine);
/* Tells it both, in a commit of its own. To be called when nothing is pending, before a longer rest: a start after it
 * needs nothing from Kafka to know what was published, and the outbox is empty. */
enum uw_code uw_engine_store_published(struct uw_engine *engine, int64_t now_ms, struct uw_error *error) UW_MUST_USE;

/* A new day; cheap. The work is done by uw_engine_due. */
void uw_engine_tick(struct uw_engine *engine, int32_t as_of_day);
/* Of these thresholds and rules; never 0. Kept with each partition that was judged by them. */
uint64_t uw_engine_fingerprint(const struct uw_settings *settings, int32_t rules_version);
/* New thresholds; all owned partitions are marked for judging again. The old ones may be freed afterwards. */
enum uw_code uw_engine_replace_settings(struct uw_engine *engine, const struct uw_settings *settings,
                                        struct uw_error *error) UW_MUST_USE;
/* Judges up to `limit` clients whose day has come, fewer when they have many facts, and commits; when there are none left it removes what former rules
 * have left behind. Clients that waited (uw_engine_fall_behind) come in the order of the sums that they are counted in,
 * whatever their partitions, so that few sums are written more than once. *more: call again. The records are then to be
 * published as after uw_engine_apply. */
enum uw_code uw_engine_due(struct uw_engine *engine, uint32_t limit, int64_t now_ms, bool *more,
                           struct uw_error *error) UW_MUST_USE;
bool uw_engine_has_due(const struct uw_engine *engine);

void uw_engine_statistics(const struct uw_engine *engine, struct uw_engine_statistics *statistics);
/* Where a partition stands: for tests and the progress line. False when it is not owned. */
bool uw_engine_position(const struct uw_engine *engine, int32_t partition, int64_t next_offset[UW_TOPIC_COUNT]);

#endif
