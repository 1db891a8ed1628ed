/*
 * Clients in memory: a hash by client id, least recently used ones evicted under a byte limit. A client that no batch
 * is working on is packed (core/client_pack.h).
 *
 * It caches what is in PostgreSQL and may be dropped at any time between batches.
 */
#ifndef UW_CORE_CACHE_H
#define UW_CORE_CACHE_H

#include "client_pack.h"

/* Of limit_bytes, for clients that are kept awake. */
#define UW_CACHE_KEPT_SHARE 4u

struct uw_resident {
    struct uw_client client;       /* empty while `packed` holds it */
    uint8_t *packed;               /* NULL: it is awake */
    bool kept_awake;               /* by uw_cache_keep */
    bool waits;                    /* by uw_cache_wait */
    bool leaves_first;             /* by uw_cache_leave_first */
    uint32_t packed_length, packed_facts;
    struct uw_resident *hash_next, *newer, *older;
    size_t counted_bytes; /* as last counted into the cache */
    int32_t partition;
    /* A lower bound, as the store has it, of the day on which time alone changes something; UW_DAY_NONE: the
     * store has no such day. Unknown until the client row was loaded or written once. */
    int32_t stored_change_day;
    bool stored_change_known;
    bool recorded;                /* the store knows the client */
    int32_t stored_rules_version; /* under which it was judged last; 0: never */
    bool loaded;     /* its facts are here; otherwise it is new in this batch */
    uint32_t kinship; /* uw_client_kinship, when it was left to be judged later */
    uint32_t touch;  /* place in the running batch, UINT32_MAX outside of one */
    uint32_t name_length;
    char name[];
};

struct uw_cache {
    struct uw_resident **buckets;
    uint32_t bucket_count, count;
    struct uw_resident *newest, *oldest;
    size_t bytes, limit_bytes;
    size_t kept_bytes; /* of `bytes`, those of clients that are kept awake */
    uint32_t kept_count;
    size_t waiting_bytes; /* of `bytes`, those of clients that wait to be judged */
    struct uw_packing packing;
};

/* UW_ENOMEM. limit_bytes is kept by uw_cache_evict only: a batch may go beyond it while it runs. */
enum uw_code uw_cache_init(struct uw_cache *cache, size_t limit_bytes) UW_MUST_USE;
void uw_cache_close(struct uw_cache *cache);

/* NULL when the client is not there. */
struct uw_resident *uw_cache_find(const struct uw_cache *cache, struct uw_str name);
/* A new empty client, not loaded; the name must not be there. NULL when memory is refused. */
struct uw_resident *uw_cache_add(struct uw_cache *cache, struct uw_str name, int32_t partition);
/* Unpacks a client that rests, so that .client is what it was; nothing for one that is awake. UW_ENOMEM leaves it
 * resting. */
enum uw_code uw_cache_wake(struct uw_resident *resident) UW_MUST_USE;
/* Packs a client that is awake, where memory allows; then as uw_cache_use. */
void uw_cache_rest(struct uw_cache *cache, struct uw_resident *resident);
/* As uw_cache_use, of a client that is awake and stays so for a batch that is soon to come. It takes some three times
 * the memory of one that rests: no more than a share of the limit is kept so, beyond which it is as uw_cache_rest. */
void uw_cache_keep(struct uw_cache *cache, struct uw_resident *resident);
/* Packs a client that will hardly be asked for soon: it is evicted before all others, until it is used again. */
void uw_cache_leave_first(struct uw_cache *cache, struct uw_resident *resident);
/* Whether a client waits to be judged, for waiting_bytes. */
void uw_cache_wait(struct uw_cache *cache, struct uw_resident *resident, bool waits);
/* Lets all rest that are kept awake; none of them may be in a batch. */
void uw_cache_rest_all(struct uw_cache *cache);
/* Lines, no-shows, versions of decisions and evaluations, resting or not. */
uint32_t uw_resident_facts(const struct uw_resident *resident);
/* Counts its bytes anew and makes it the newest. */
void uw_cache_use(struct uw_cache *cache, struct uw_resident *resident);
void uw_cache_drop(struct uw_cache *cache, struct uw_resident *resident);
void uw_cache_drop_partition(struct uw_cache *cache, int32_t partition);
/* Drops those who leave first, as long as there are any, until the limit holds. */
void uw_cache_evict_first(struct uw_cache *cache);
/* Drops them, and then the least recently used, until the limit holds. */
void uw_cache_evict(struct uw_cache *cache);

static inline struct uw_str uw_resident_name(const struct uw_resident *resident)
{
    return (struct uw_str){resident->name, resident->name_length};
}

#endif
