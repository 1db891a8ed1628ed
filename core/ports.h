/*
 * The small operation tables through which the batch protocol (engine.h) meets the world. Adapters implement
 * them and include nothing of each other; tests implement them in memory and fail at every call.
 *
 * Rules for every port: parameters are borrowed for the call; outputs are written last and are untouched on
 * error; every call has a deadline of its own; an error fills `error` with code, class and a text.
 *
 * The way of a batch (DESIGN section 1), for the partitions that this instance owns:
 *   intake.poll -> decoder.decode -> store.load -> fold -> encoder -> store.commit -> publisher.publish
 * PostgreSQL decides what has been applied, Kafka's committed offset metadata what has been published.
 */
#ifndef UW_CORE_PORTS_H
#define UW_CORE_PORTS_H

#include "arena.h"
#include "event.h"
#include "outcome.h"

/* ---- one consumed message ---- */

struct uw_header {
    struct uw_str name;
    struct uw_str value; /* any bytes; null when Kafka's header value is null */
};

struct uw_message {
    enum uw_topic topic;
    int32_t partition;
    int64_t offset;
    struct uw_str key;   /* any bytes; data NULL: no key */
    struct uw_str value; /* any bytes; data NULL: no value */
    const struct uw_header *headers;
    uint32_t header_count;
    int64_t timestamp_ms; /* Kafka's; 0 when unknown */
};

/* ---- the outbox: what goes to Kafka, in order, each exactly once ---- */

enum uw_output { UW_OUTPUT_ALERTS, UW_OUTPUT_ANOMALIES, UW_OUTPUT_DEAD_LETTERS };
#define UW_OUTPUT_COUNT 3

struct uw_outbox_record {
    int32_t partition; /* the input partition that it belongs to */
    int64_t sequence;  /* 1, 2, 3, ... within the partition, never reused */
    enum uw_output output;
    struct uw_str key, value; /* data NULL: null */
    const struct uw_header *headers;
    uint32_t header_count;
};

/* ---- decoder ---- */

struct uw_decoder {
    void *context;
    /* Decodes a value and checks every rule of SPEC section 2 except the key. Returns UW_OK; UW_EINPUT with
     * *refusal filled, which makes a dead letter; or an error of another class (schema registry away) with
     * *error filled. Strings of *event point into `value` or `arena`. */
    enum uw_code (*decode)(void *context, enum uw_topic topic, struct uw_str value, struct uw_arena *arena,
                           struct uw_event *event, struct uw_refusal *refusal, struct uw_error *error);
};

/* ---- encoder ---- */

struct uw_encoder {
    void *context;
    /* Key, value and headers of the record, in `arena`. observed_at_ms is when the batch was judged. */
    enum uw_code (*alert)(void *context, const struct uw_alert_change *alert, int64_t observed_at_ms,
                          struct uw_arena *arena, struct uw_outbox_record *record);
    enum uw_code (*anomaly)(void *context, const struct uw_anomaly_change *anomaly, int64_t observed_at_ms,
                            struct uw_arena *arena, struct uw_outbox_record *record);
    enum uw_code (*dead_letter)(void *context, const struct uw_message *message, const struct uw_refusal *refusal,
                                struct uw_arena *arena, struct uw_outbox_record *record);
};

/* ---- store ---- */

/* What a partition's owner knows after it claimed the partition. */
struct uw_claim {
    int32_t partition;
    int64_t epoch;                       /* this ownership; every commit names it */
    int64_t previous_epoch;              /* the one before: equal to our last one when nobody came between */
    int64_t next_offset[UW_TOPIC_COUNT]; /* 0 when never read: start at the beginning of the topic */
    int64_t next_sequence;               /* of the outbox, 1 at first */
    int64_t published_sequence;          /* all up to here are known to be published; 0 at first */
    int32_t as_of_day;                   /* UW_DAY_NONE at first */
    uint64_t rules_fingerprint;          /* with which the partition was last fully marked for judging; 0 at first */
};

/* State that was stored for a client, handed over row by row in any order. client_index is the place of the
 * client in the call's list. Borrowed for the call. A row of a client in another partition cannot occur. */
struct uw_load_sink {
    void *context;
    enum uw_code (*fact)(void *context, uint32_t client_index, const struct uw_event *event);
    /* Of an alert: identity, provider, status, severity, effective_on, revision; figures are not loaded. */
    enum uw_code (*alert)(void *context, uint32_t client_index, const struct uw_alert_change *alert);
    /* Of an anomaly: identity, provider, status, revision. */
    enum uw_code (*anomaly)(void *context, uint32_t client_index, const struct uw_anomaly_change *anomaly);
    /* The client's own row as struct uw_client_change has it; next_change_day is lower than every day for a client
     * that is marked for judging. Every client of whom anything is stored is told of, whether it has a row yet or is
     * only known to wait to be judged. NULL: not wanted. */
    enum uw_code (*client)(void *context, uint32_t client_index, int32_t next_change_day, int32_t rules_version);
};

struct uw_fact_change {
    const struct uw_event *event;
    int32_t partition;
    int64_t offset;
    /* An equal fact (all but event_id and recorded_at) that comes first in SPEC's order was there already: the
     * row is kept for the record and is not needed to fold. */
    bool redelivery;
};

struct uw_client_change {
    struct uw_str client;
    int32_t partition;
    /* The first day after as_of on which this client's alerts or anomalies can differ though no event comes;
     * UW_DAY_NONE: never. UW_DAY_BEFORE_ALL: it waits to be judged. */
    int32_t next_change_day;
    int32_t rules_version; /* under which it was judged, 1 or more; 0: never */
    /* The rules before may have said otherwise: all stored accounts of the client go, and those of this batch are
     * all that it has. */
    bool rebuild;
    bool created; /* the store does not know it yet */
};

struct uw_partition_change {
    int32_t partition;
    int64_t epoch;
    int64_t from_offset[UW_TOPIC_COUNT], to_offset[UW_TOPIC_COUNT]; /* compare, then set */
    int32_t as_of_day;
    int64_t from_sequence, to_sequence; /* next_sequence before and after */
    int64_t published_sequence;         /* outbox rows up to here may be deleted */
    uint64_t events, refused;           /* of this batch, for the record */
};

/* Everything of one batch; applied in one PostgreSQL transaction or not at all. All arrays are sorted by
 * their identity, except facts, which are in the order of clients and within a client of arrival, and the outbox,
 * which is in that of sequence. */
struct uw_changes {
    int64_t observed_at_ms;
    int32_t rules_version; /* of the aggregates: sums of other rules are not touched */
    const struct uw_partition_change *partitions;
    const struct uw_fact_change *facts;
    const struct uw_account_change *accounts;
    const struct uw_alert_change *alerts;
    const struct uw_anomaly_change *anomalies;
    const struct uw_aggregate_change *aggregates;
    const struct uw_client_change *clients;
    const struct uw_outbox_record *outbox;
    uint32_t partition_count, fact_count, account_count, alert_count, anomaly_count, aggregate_count, client_count,
        outbox_count;
};

typedef enum uw_code uw_outbox_visit(void *context, const struct uw_outbox_record *record);
typedef enum uw_code uw_client_visit(void *context, struct uw_str client);

struct uw_store {
    void *context;
    /* Takes the partition over: raises the epoch, so that the former owner's commits fail, and returns where
     * it stands. Creates the partition's rows when there are none. UW_ECONFIG (FATAL): a program with a higher
     * rules_version has claimed it before, or the input has no such partition; nothing was changed. */
    enum uw_code (*claim)(void *context, int32_t partition, int32_t rules_version, struct uw_claim *claim,
                          struct uw_error *error);
    /* Hands over all that is stored of these clients but redeliveries. */
    enum uw_code (*load)(void *context, const struct uw_str *clients, uint32_t client_count,
                         const struct uw_load_sink *sink, struct uw_error *error);
    /* One transaction. UW_EFENCED when any partition's epoch, offsets or sequence is not what `changes` says.
     * When the connection was lost during COMMIT, the store finds out by reading progress before it answers:
     * UW_OK or an error, never a guess. */
    enum uw_code (*commit)(void *context, const struct uw_changes *changes, struct uw_error *error);
    /* Visits outbox rows of the partition with sequence > after, ascending, at most `limit`. */
    enum uw_code (*outbox)(void *context, int32_t partition, int64_t after, uint32_t limit, uw_outbox_visit *visit,
                           void *visit_context, struct uw_error *error);
    /* Visits up to `limit` clients of the partition whose next_change_day <= as_of_day, the longest due first. */
    enum uw_code (*due)(void *context, int32_t partition, int32_t as_of_day, uint32_t limit, uw_client_visit *visit,
                        void *visit_context, struct uw_error *error);
    /* Marks all clients of the partition as due and saves the fingerprint, in one transaction under the epoch;
     * used when thresholds, the program's rules or a backward as_of ask for judging everybody again. */
    enum uw_code (*mark_all_due)(void *context, int32_t partition, int64_t epoch, uint64_t rules_fingerprint,
                                 struct uw_error *error);
    /* Removes some `limit` aggregate rows of rules before rules_version, once no client and no partition is left that
     * was judged under such rules; *more: call again. */
    enum uw_code (*sweep)(void *context, int32_t rules_version, uint32_t limit, bool *more, struct uw_error *error);
    /* Where the outbox of a partition stands now, for an owner whose memory does not fit what others say. UW_EFENCED
     * when the epoch is not this one any more: another instance has claimed the partition. */
    enum uw_code (*standing)(void *context, int32_t partition, int64_t epoch, int64_t *next_sequence,
                             struct uw_error *error);
};

/* ---- publisher ---- */

/* Positions to commit with the records of one Kafka transaction. */
struct uw_published {
    int32_t partition;
    int64_t next_offset[UW_TOPIC_COUNT];
    int64_t sequence; /* last outbox sequence published, kept in the offsets' metadata */
};

struct uw_publisher {
    void *context;
    /* What is published of the partition as Kafka knows it; waits for pending transactions to end (stable
     * offsets). sequence 0 when nothing was ever committed. */
    enum uw_code (*published)(void *context, int32_t partition, int64_t *sequence, struct uw_error *error);
    /* Which of these records of one partition's outbox stand in their topics already, where committed records are read:
     * for when `published` cannot say it. The same bytes in key, value and headers are the same record. Takes a step of
     * some second: *complete false asks for another call with the same records and `begin` false, true begins a search as
     * of now, and found[i] tells of records[i] once it is complete. An error ends the search. UW_CLASS_RETRY: it could not
     * be completed, such as while a transaction with one of the records is open; begin again. UW_ECONFIG (FATAL): the
     * topics do not hold any more what would tell it. */
    enum uw_code (*search)(void *context, const struct uw_outbox_record *records, uint32_t record_count, bool begin,
                           bool *found, bool *complete, struct uw_error *error);
    /* Begins one Kafka transaction with the records, in order, and the positions; one at a time. They are borrowed for
     * the call. UW_CLASS_RETRY: nothing of it is or will be visible, call again. UW_CLASS_ABORT: unknown or void; ask
     * `published` before going on. UW_CLASS_FENCED: this instance does not own the partitions any more. After an error
     * there is no transaction to finish. */
    enum uw_code (*start)(void *context, const struct uw_outbox_record *records, uint32_t record_count,
                          const struct uw_published *positions, uint32_t position_count, struct uw_error *error);
    /* Waits until the transaction that was begun has ended. Errors as above. */
    enum uw_code (*finish)(void *context, struct uw_error *error);
};

#endif
