/*
 * How many partitions the input has. A client's state belongs to the partition of its key, so that a database that
 * was filled from a certain number of partitions cannot simply go on with another one.
 */
#ifndef UW_PRODUCERS_STORE_PARTITIONS_H
#define UW_PRODUCERS_STORE_PARTITIONS_H

#include "producers/store.h"

/* As many as a topic may have to be read (UW_KAFKA_PARTITIONS_MAX); Kafka's own tools stop far below. */
#define UW_PARTITIONS_MAX 10000

/* Remembers the number at the first call on a database. UW_ECONFIG (FATAL): it is another one than before. */
enum uw_code uw_pgstore_check_partitions(struct uw_pgstore *store, int32_t partition_count,
                                         struct uw_error *error) UW_MUST_USE;

struct uw_accepted_partitions {
    int32_t former_count;
    int64_t client_count, moved_count;
};

/* Makes `partition_count` (not lower than before) the number, and moves every client to the partition that its key
 * now goes to, where it will be judged again; in one transaction. While it runs no instance can take a slot.
 * All events must have been applied before: it is not looked at whether they were. UW_ECONFIG (FATAL), with nothing
 * changed: an instance runs; the database was never used; the number is lower; or clients are not where murmur2 has
 * put them, because the producers use another partitioner. */
enum uw_code uw_pgstore_accept_partitions(struct uw_pgstore *store, int32_t partition_count,
                                          struct uw_accepted_partitions *accepted,
                                          struct uw_error *error) UW_MUST_USE;

#endif
