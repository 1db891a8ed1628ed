/*
 * The intake: one member of a consumer group over the four input topics.
 *
 * Partition p of all four topics is always with the same member (range assignor over equal partition counts; see
 * DESIGN section 1). Where to read comes from the listener, which asks the store: offsets that Kafka holds for
 * the group are never used for reading, they only say what was published.
 *
 * One thread. Listener calls happen inside poll, heartbeat and close.
 */
#ifndef UW_CONSUMERS_INTAKE_H
#define UW_CONSUMERS_INTAKE_H

#include "consumers/kafka_conf.h"
#include "core/ports.h"

struct uw_intake;

/* Where to go on reading one partition; 0: never read, the beginning of the topic, whatever its first offset is. */
struct uw_intake_start {
    int64_t next_offset[UW_TOPIC_COUNT];
};

struct uw_intake_listener {
    void *context;
    /* The member owns these partitions (of all four topics) from now on: fill starts[i] for partitions[i]. An
     * error stops the intake: every later poll returns it. */
    enum uw_code (*assigned)(void *context, const int32_t *partitions, uint32_t count, struct uw_intake_start *starts,
                             struct uw_error *error);
    /* It owns them no more. `lost`: somebody else may already own them; nothing may be committed for them. With
     * the range assignor this comes before every change, also for partitions that come back. */
    void (*revoked)(void *context, const int32_t *partitions, uint32_t count, bool lost);
};

#define UW_INTAKE_BATCH_MAX 1000000u /* messages that a batch may be allowed to hold */
/* What all intakes of a process hold in advance together, in equal parts: the first of the two bounds that is met
 * counts. librdkafka counts payloads only, and a small message takes several times as much. */
#define UW_INTAKE_AHEAD_MESSAGES 120000u
#define UW_INTAKE_AHEAD_KBYTES 32768u

struct uw_intake_options {
    const struct uw_property *properties; /* librdkafka's, as the user set them */
    uint32_t property_count;
    const char *group_id;
    const char *group_instance_id; /* NULL: a dynamic member */
    const char *topics[UW_TOPIC_COUNT];
    uint32_t batch_messages_max; /* 1..UW_INTAKE_BATCH_MAX; poll never hands over more */
    uint32_t intake_count;       /* of this process, this one counted; 0 is 1 */
    int32_t timeout_ms;          /* of every question to the brokers */
    struct uw_intake_listener listener;
    struct uw_kafka_log log;
};

/* Connects, checks that the topics exist with equal partition counts, and joins the group. Errors:
 * UW_CLASS_RETRY when no broker answers (wait and open again); UW_ECONFIG with UW_CLASS_FATAL for missing topics,
 * unequal partition counts, refused credentials and properties that librdkafka or Urenwacht cannot take. */
enum uw_code uw_intake_open(const struct uw_intake_options *options, struct uw_intake **intake,
                            struct uw_error *error) UW_MUST_USE;
/* Leaves the group (a static member does not), which calls revoked; nulls the pointer. */
void uw_intake_close(struct uw_intake **intake);

/* Collects messages: waits up to timeout_ms for the first one, then until max_messages, max_bytes (of keys and
 * values; one message may go beyond it alone), or its headers take too much (intake_parts.h), or until linger_ms after
 * the first. count 0 is no error. Messages of one topic-partition come in the order of their offsets. When more waited at
 * an assignment than batch_messages_max, one partition after the other is read to its end, decisions first, and a batch
 * holds messages of one of them only; the linger is then longer, so that batches get full. They are borrowed until
 * uw_intake_release, which must come before the next poll. A rebalance while collecting throws away what was collected;
 * the listener says where to go on.
 * Errors stay: a topic was deleted, truncated or made anew (UW_ECONFIG, naming topic, partition, offset and what
 * the broker has), authorization, another process with the same instance name, an error of the listener. UW_EFENCED
 * with UW_CLASS_RETRY: the newer group protocol refuses a static member as long as the group has one of its name, be it
 * the session of a former run; close the intake, wait, and open another. */
enum uw_code uw_intake_poll(struct uw_intake *intake, int32_t timeout_ms, uint32_t max_messages, size_t max_bytes,
                            int32_t linger_ms, const struct uw_message **messages, uint32_t *count,
                            struct uw_error *error) UW_MUST_USE;
/* Gives the messages of the last poll back. */
void uw_intake_release(struct uw_intake *intake);
/* To be called now and then (every few seconds) while a batch takes long or its retries wait, so that the group does not
 * take this member for dead. UW_CLASS_ABORT: the assignment changed, the batch in hand is void (its messages stay
 * readable until released). */
enum uw_code uw_intake_heartbeat(struct uw_intake *intake, struct uw_error *error) UW_MUST_USE;

/* Reads the partition again from these offsets, from the next poll on; for a batch that was aborted. A partition
 * that is not assigned is left alone. */
void uw_intake_rewind(struct uw_intake *intake, int32_t partition, const int64_t next_offset[UW_TOPIC_COUNT]);

/* How far an assigned partition was read: `position` is after what was handed over, `end` the same or, where the end
 * was found, behind what stands there and is no message (the markers of transactions). False while something is on
 * its way that was not handed over. */
bool uw_intake_end(const struct uw_intake *intake, int32_t partition, int64_t position[UW_TOPIC_COUNT],
                   int64_t end[UW_TOPIC_COUNT]);

/* The partition that is read alone because more waited in it than a batch may hold, until all that was known to wait
 * when its turn came was handed over; -1: none. What is written to it meanwhile does not prolong this. */
int32_t uw_intake_far_behind(const struct uw_intake *intake);

/* More waited at the assignment than a batch may hold, of all partitions together, and some of it was not handed over
 * yet. */
bool uw_intake_catches_up(const struct uw_intake *intake);

/* True when this member has been given its part (also an empty one), every partition of it was read to its end,
 * and nothing waits. */
bool uw_intake_idle(const struct uw_intake *intake);
/* Messages between what poll handed over and the end of the partitions, as far as known; over what is assigned. */
int64_t uw_intake_lag(const struct uw_intake *intake);
struct uw_intake_lag {
    int64_t messages; /* as uw_intake_lag, of one topic */
    /* Between Kafka's timestamp of the last message that was handed over and now, of the partition where that is
     * longest among those with messages left. A partition of which none was handed over yet counts from the last message
     * of any; 0 where none are left, or none at all was handed over yet. */
    int64_t age_ms;
};
/* `now_ms`: UTC. */
void uw_intake_topic_lag(const struct uw_intake *intake, enum uw_topic topic, int64_t now_ms,
                         struct uw_intake_lag *lag);
/* This member has been given its part, be it empty, and no rebalance has taken it away since. */
bool uw_intake_joined(const struct uw_intake *intake);
/* Ascending; borrowed until the next poll. */
uint32_t uw_intake_assignment(const struct uw_intake *intake, const int32_t **partitions);
/* Somebody else may own our partitions by now: abort, never commit. */
bool uw_intake_lost(const struct uw_intake *intake);
/* Partitions of each input topic, as of open. */
int32_t uw_intake_partition_count(const struct uw_intake *intake);

/* The member's identity in the group, serialised, for the publisher's transaction. *size is the buffer's size and
 * becomes what was written; UW_ELIMIT when that is not enough. */
#define UW_GROUP_METADATA_BYTES 4096
enum uw_code uw_intake_group_metadata(struct uw_intake *intake, void *buffer, size_t *size,
                                      struct uw_error *error) UW_MUST_USE;

/* The last outbox sequence of the partition that is known as published: it stands in the metadata of the group's
 * committed offsets. Waits until no transaction on them is pending. 0 when nothing was ever committed. Committed
 * by something else than Urenwacht: UW_ECONFIG. */
enum uw_code uw_intake_published(struct uw_intake *intake, int32_t partition, int64_t *sequence,
                                 struct uw_error *error) UW_MUST_USE;

/* Up to where the group, whoever of it, has processed and published the partition of each topic, which need not be
 * assigned here; 0: nothing was ever committed. Waits up to timeout_ms while a transaction on it is pending, which
 * is UW_CLASS_RETRY then. */
enum uw_code uw_intake_committed(struct uw_intake *intake, int32_t partition, int32_t timeout_ms,
                                 int64_t next_offset[UW_TOPIC_COUNT], struct uw_error *error) UW_MUST_USE;

#endif
