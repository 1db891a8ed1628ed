/*
 * The transactional publisher: outbox records and input positions in one Kafka transaction each.
 *
 * uw_transactor_publish is the `publish` of struct uw_publisher (core/ports.h), with the handle as its context.
 * The transaction carries the consumer group's metadata, so that a member that lost its partitions is fenced by
 * the group coordinator, and a second process with the same transactional.id by the transaction coordinator.
 */
#ifndef UW_PRODUCERS_PUBLISHER_H
#define UW_PRODUCERS_PUBLISHER_H

#include "consumers/kafka_conf.h"
#include "core/ports.h"

struct uw_transactor;

/* Producers that a process may have left behind at a time, by calls that do not come back (producers/positions.h). More
 * are UW_CLASS_FATAL: each has threads and queues of its own. */
#define UW_TRANSACTOR_LEFT_MAX 4u

struct uw_transactor_options {
    const struct uw_property *properties;
    uint32_t property_count;
    const char *transactional_id;          /* unique among living instances, the same again after a restart */
    const char *outputs[UW_OUTPUT_COUNT];  /* names of the output topics */
    const char *topics[UW_TOPIC_COUNT];    /* names of the input topics, whose positions are committed */
    const char *group_id;                  /* of the consumer group whose positions they are */
    /* uw_intake_group_metadata, called for every transaction. */
    void *group_context;
    enum uw_code (*group_metadata)(void *context, void *buffer, size_t *size, struct uw_error *error);
    int32_t timeout_ms;             /* of one transaction from begin to commit, and of its abort */
    int32_t transaction_timeout_ms; /* after which the broker itself ends one left open; 0: 10000 */
    struct uw_kafka_log log;
};

/* Makes the producer and initialises its transactions, which ends what a former owner of the transactional.id
 * left open. UW_CLASS_RETRY when no broker answers; UW_ECONFIG when it refuses us or an output topic is missing. */
enum uw_code uw_transactor_open(const struct uw_transactor_options *options, struct uw_transactor **transactor,
                                struct uw_error *error) UW_MUST_USE;
void uw_transactor_close(struct uw_transactor **transactor);

/* Makes sure that there is an initialised producer, and thereby that no transaction of this transactional.id is
 * pending, not even one whose end a broker forgot to tell the group's coordinator (docs/faults.md). After
 * UW_CLASS_ABORT it must succeed before asking what is published, which would otherwise wait for the broker to time the
 * old transaction out, or for ever. */
enum uw_code uw_transactor_recover(struct uw_transactor *transactor, struct uw_error *error) UW_MUST_USE;

/* The operations of struct uw_publisher. Key decides the partition (murmur2, as in Java's clients); no key: any. No
 * records is fine: only positions. The records are in librdkafka's queue when the first one returns; a thread sends the
 * positions, under the group's generation as it was then, and commits. Errors as struct uw_publisher says; besides,
 * UW_CLASS_FATAL for what no repetition mends: a record larger than the topic takes, a missing topic, no authorization.
 * After a call that timed out the producer is destroyed and a new one is made before the next transaction: a
 * delayed end of the old transaction must not hit a later one (DESIGN section 1). */
enum uw_code uw_transactor_start(void *context, const struct uw_outbox_record *records, uint32_t record_count,
                                 const struct uw_published *positions, uint32_t position_count,
                                 struct uw_error *error) UW_MUST_USE;
enum uw_code uw_transactor_finish(void *context, struct uw_error *error) UW_MUST_USE;
/* Both in one call. */
enum uw_code uw_transactor_publish(struct uw_transactor *transactor, const struct uw_outbox_record *records,
                                   uint32_t record_count, const struct uw_published *positions,
                                   uint32_t position_count, struct uw_error *error) UW_MUST_USE;

struct uw_transactor_statistics {
    uint64_t transactions, records; /* committed */
    uint64_t aborted;               /* transactions */
    uint64_t producers;             /* made, the first included */
};
void uw_transactor_statistics(const struct uw_transactor *transactor, struct uw_transactor_statistics *statistics);

#endif
