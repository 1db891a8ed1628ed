#include "producers/partitioner.h"

/* Of Apache Kafka's Utils.murmur2, which follows Austin Appleby's MurmurHash2. */
#define MURMUR2_SEED UINT32_C(0x9747b28c)
#define MURMUR2_FACTOR UINT32_C(0x5bd1e995)
#define MURMUR2_SHIFT 24

static uint32_t byte_at(struct uw_str key, uint32_t place)
{
    return (uint8_t)key.data[place];
}

static uint32_t murmur2(struct uw_str key)
{
    uint32_t hash = MURMUR2_SEED ^ key.length, place = 0;

    for (; key.length - place >= 4; place += 4) {
        uint32_t word = byte_at(key, place) | byte_at(key, place + 1) << 8 | byte_at(key, place + 2) << 16 |
                        byte_at(key, place + 3) << 24;

        word *= MURMUR2_FACTOR;
        word ^= word >> MURMUR2_SHIFT;
        hash = (hash * MURMUR2_FACTOR) ^ (word * MURMUR2_FACTOR);
    }
    if (place < key.length) {
        for (uint32_t i = 0; place + i < key.length; i++) {
            hash ^= byte_at(key, place + i) << (8 * i);
        }
        hash *= MURMUR2_FACTOR;
    }
    hash ^= hash >> 13;
    hash *= MURMUR2_FACTOR;
    return hash ^ hash >> 15;
}

int32_t uw_partition_of_key(struct uw_str key, int32_t partition_count)
{
    return (int32_t)((murmur2(key) & INT32_MAX) % (uint32_t)partition_count);
}
