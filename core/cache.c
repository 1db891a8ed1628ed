#include "core/cache.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN 1024u
#define BLOCK_HEAD_BYTES 8u
#define BLOCK_UNIT_BYTES 16u

enum uw_code uw_cache_init(struct uw_cache *cache, size_t limit_bytes)
{
    memset(cache, 0, sizeof *cache);
    cache->buckets = calloc(BUCKETS_MIN, sizeof *cache->buckets);
    if (cache->buckets == NULL) {
        return UW_ENOMEM;
    }
    cache->bucket_count = BUCKETS_MIN;
    cache->limit_bytes = limit_bytes;
    return UW_OK;
}

void uw_cache_close(struct uw_cache *cache)
{
    while (cache->oldest != NULL) {
        uw_cache_drop(cache, cache->oldest);
    }
    free(cache->buckets);
    uw_packing_close(&cache->packing);
    memset(cache, 0, sizeof *cache);
}

struct uw_resident *uw_cache_find(const struct uw_cache *cache, struct uw_str name)
{
    struct uw_resident *resident = cache->buckets[uw_str_hash(name) & (cache->bucket_count - 1)];
    while (resident != NULL && !uw_str_equal(uw_resident_name(resident), name)) {
        resident = resident->hash_next;
    }
    return resident;
}

/* Twice as many buckets; a failure only makes searching slower. */
static void grow(struct uw_cache *cache)
{
    uint32_t count = cache->bucket_count * 2;
    struct uw_resident **buckets = count > cache->bucket_count ? calloc(count, sizeof *buckets) : NULL;
    if (buckets == NULL) {
        return;
    }
    for (struct uw_resident *resident = cache->oldest; resident != NULL; resident = resident->newer) {
        uint32_t place = uw_str_hash(uw_resident_name(resident)) & (count - 1);
        resident->hash_next = buckets[place];
        buckets[place] = resident;
    }
    free(cache->buckets);
    cache->buckets = buckets;
    cache->bucket_count = count;
}

static void link_newest(struct uw_cache *cache, struct uw_resident *resident)
{
    resident->older = cache->newest;
    resident->newer = NULL;
    if (cache->newest != NULL) {
        cache->newest->newer = resident;
    } else {
        cache->oldest = resident;
    }
    cache->newest = resident;
}

static void link_oldest(struct uw_cache *cache, struct uw_resident *resident)
{
    resident->newer = cache->oldest;
    resident->older = NULL;
    if (cache->oldest != NULL) {
        cache->oldest->older = resident;
    } else {
        cache->newest = resident;
    }
    cache->oldest = resident;
}

static void unlink_used(struct uw_cache *cache, struct uw_resident *resident)
{
    if (resident->newer != NULL) {
        resident->newer->older = resident->older;
    } else {
        cache->newest = resident->older;
    }
    if (resident->older != NULL) {
        resident->older->newer = resident->newer;
    } else {
        cache->oldest = resident->newer;
    }
}

/* The allocator gives multiples of 16 bytes, with a word of its own in each. */
static size_t block_bytes(size_t bytes)
{
    return bytes == 0 ? 0 : (bytes + BLOCK_HEAD_BYTES + BLOCK_UNIT_BYTES - 1) / BLOCK_UNIT_BYTES * BLOCK_UNIT_BYTES;
}

static size_t bytes_of(const struct uw_resident *resident)
{
    size_t bytes = block_bytes(sizeof *resident + resident->name_length) + sizeof(struct uw_resident *);
    if (resident->packed != NULL) {
        return bytes + block_bytes(resident->packed_length);
    }
    const struct uw_client *client = &resident->client;
    const void *const blocks[] = {client->heap,     client->slots,   client->lines,  client->absences,
                                  client->versions, client->reviews, client->alerts, client->anomalies};
    bytes += uw_client_bytes(client);
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        bytes += blocks[i] != NULL ? BLOCK_UNIT_BYTES : 0;
    }
    return bytes;
}

uint32_t uw_resident_facts(const struct uw_resident *resident)
{
    const struct uw_client *client = &resident->client;
    return resident->packed != NULL ? resident->packed_facts
                                    : client->line_count + client->absence_count + client->version_count +
                                          client->review_count;
}

enum uw_code uw_cache_wake(struct uw_resident *resident)
{
    if (resident->packed == NULL) {
        return UW_OK;
    }
    enum uw_code code = uw_client_unpack(resident->packed, resident->packed_length, &resident->client);
    if (code == UW_OK) {
        free(resident->packed);
        resident->packed = NULL;
    }
    return code;
}

static void count_bytes(struct uw_cache *cache, struct uw_resident *resident)
{
    size_t bytes = bytes_of(resident);
    cache->bytes += bytes - resident->counted_bytes;
    cache->kept_bytes += resident->kept_awake ? bytes - resident->counted_bytes : 0;
    cache->waiting_bytes += resident->waits ? bytes - resident->counted_bytes : 0;
    resident->counted_bytes = bytes;
}

static void forget_kept(struct uw_cache *cache, struct uw_resident *resident)
{
    if (resident->kept_awake) {
        cache->kept_bytes -= resident->counted_bytes;
        cache->kept_count--;
        resident->kept_awake = false;
    }
}

static void pack(struct uw_cache *cache, struct uw_resident *resident)
{
    struct uw_packing *packing = &cache->packing;
    if (resident->packed == NULL && uw_client_pack(&resident->client, packing) == UW_OK) {
        uint8_t *packed = malloc(packing->length);
        if (packed != NULL) {
            memcpy(packed, packing->bytes, packing->length);
            resident->packed_facts = uw_resident_facts(resident);
            resident->packed_length = packing->length;
            resident->packed = packed;
            uw_client_close(&resident->client);
        }
    }
    forget_kept(cache, resident);
}

void uw_cache_rest(struct uw_cache *cache, struct uw_resident *resident)
{
    pack(cache, resident);
    uw_cache_use(cache, resident);
}

void uw_cache_keep(struct uw_cache *cache, struct uw_resident *resident)
{
    count_bytes(cache, resident);
    size_t others_bytes = cache->kept_bytes - (resident->kept_awake ? resident->counted_bytes : 0);
    if (resident->packed != NULL ||
        others_bytes + resident->counted_bytes > cache->limit_bytes / UW_CACHE_KEPT_SHARE) {
        uw_cache_rest(cache, resident);
        return;
    }
    if (!resident->kept_awake) {
        resident->kept_awake = true;
        cache->kept_bytes += resident->counted_bytes;
        cache->kept_count++;
    }
    resident->leaves_first = false;
    unlink_used(cache, resident);
    link_newest(cache, resident);
}

void uw_cache_leave_first(struct uw_cache *cache, struct uw_resident *resident)
{
    pack(cache, resident);
    resident->leaves_first = true;
    unlink_used(cache, resident);
    link_oldest(cache, resident);
    count_bytes(cache, resident);
}

void uw_cache_wait(struct uw_cache *cache, struct uw_resident *resident, bool waits)
{
    if (waits != resident->waits) {
        resident->waits = waits;
        cache->waiting_bytes += waits ? resident->counted_bytes : 0 - resident->counted_bytes;
    }
}

/* They are among those that were used last. */
void uw_cache_rest_all(struct uw_cache *cache)
{
    for (struct uw_resident *resident = cache->newest; cache->kept_count > 0; resident = resident->older) {
        if (resident->kept_awake) {
            pack(cache, resident);
            count_bytes(cache, resident);
        }
    }
}

struct uw_resident *uw_cache_add(struct uw_cache *cache, struct uw_str name, int32_t partition)
{
    struct uw_resident *resident = calloc(1, sizeof *resident + name.length);
    if (resident == NULL) {
        return NULL;
    }
    if (cache->count >= cache->bucket_count) {
        grow(cache);
    }
    uw_client_init(&resident->client);
    resident->partition = partition;
    resident->touch = UINT32_MAX;
    resident->name_length = name.length;
    memcpy(resident->name, name.data, name.length);
    uint32_t place = uw_str_hash(name) & (cache->bucket_count - 1);
    resident->hash_next = cache->buckets[place];
    cache->buckets[place] = resident;
    link_newest(cache, resident);
    resident->counted_bytes = bytes_of(resident);
    cache->bytes += resident->counted_bytes;
    cache->count++;
    return resident;
}

void uw_cache_use(struct uw_cache *cache, struct uw_resident *resident)
{
    resident->leaves_first = false;
    unlink_used(cache, resident);
    link_newest(cache, resident);
    count_bytes(cache, resident);
}

void uw_cache_drop(struct uw_cache *cache, struct uw_resident *resident)
{
    struct uw_resident **link = &cache->buckets[uw_str_hash(uw_resident_name(resident)) & (cache->bucket_count - 1)];
    while (*link != resident) {
        link = &(*link)->hash_next;
    }
    *link = resident->hash_next;
    unlink_used(cache, resident);
    forget_kept(cache, resident);
    uw_cache_wait(cache, resident, false);
    cache->bytes -= resident->counted_bytes;
    cache->count--;
    uw_client_close(&resident->client);
    free(resident->packed);
    free(resident);
}

void uw_cache_drop_partition(struct uw_cache *cache, int32_t partition)
{
    for (struct uw_resident *resident = cache->oldest; resident != NULL;) {
        struct uw_resident *next = resident->newer;
        if (resident->partition == partition) {
            uw_cache_drop(cache, resident);
        }
        resident = next;
    }
}

void uw_cache_evict_first(struct uw_cache *cache)
{
    while (cache->bytes > cache->limit_bytes && cache->oldest != NULL && cache->oldest->leaves_first) {
        uw_cache_drop(cache, cache->oldest);
    }
}

void uw_cache_evict(struct uw_cache *cache)
{
    while (cache->bytes > cache->limit_bytes && cache->oldest != NULL) {
        uw_cache_drop(cache, cache->oldest);
    }
}
