/*
 * Which partition a key goes to: murmur2 with Java's seed, as the default producers of Java and librdkafka's
 * partitioner murmur2_random have it, and ours.
 */
#ifndef UW_PRODUCERS_PARTITIONER_H
#define UW_PRODUCERS_PARTITIONER_H

#include "core/types.h"

/* `partition_count` is 1 or more. The key is any bytes; one that is null has no partition of its own. */
int32_t uw_partition_of_key(struct uw_str key, int32_t partition_count);

#endif
