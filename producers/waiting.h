/*
 * Who waits to be judged for the first time, of the partitions that a store has claimed. Those of one that was given up
 * count until it is claimed again.
 *
 * While a region is read for the first time, that is nearly everybody: a row for each, written anew when the client is
 * judged, would cost PostgreSQL a tenth of its time. So those who join in a batch stand together in a list of the database
 * (urenwacht_data.client_waiting), and get a row of their own when they are judged. The lists of a partition go when the
 * last of its clients leaves; who claims a partition turns what is left of them into rows.
 *
 * What a batch does is tentative until it is settled. A value that the caller embeds.
 */
#ifndef UW_PRODUCERS_WAITING_H
#define UW_PRODUCERS_WAITING_H

#include "core/arena.h"

/* Those beyond get rows. Who left counts until they are more than those who wait. */
#define UW_WAITING_CLIENTS_MAX 250000u
/* Names in the lists of a partition, those who left included: a claim may have to make rows of so many, in half a second. */
#define UW_WAITING_LISTED_MAX 50000u
/* Names of so many, each as long as an accepted event may have it (64 code points). */
#define UW_WAITING_NAMES_BYTES ((size_t)UW_WAITING_CLIENTS_MAX * 288)

enum uw_waiting_state {
    UW_WAITING_GONE,
    UW_WAITING_JOINS, /* with the running batch */
    UW_WAITING_STANDS,
    UW_WAITING_LEAVES, /* with the running batch */
};

struct uw_waiting_client {
    struct uw_str name;
    int32_t partition;
    uint32_t hash_next; /* place + 1; 0: none */
    enum uw_waiting_state state;
};

/* Of a partition: those who stay when the running batch is applied, those who leave with it, and the names in its lists. */
struct uw_waiting_counts {
    uint32_t stay, leave, listed;
};

struct uw_waiting {
    struct uw_arena names;
    struct uw_waiting_client *clients; /* in the order in which they joined */
    uint32_t *buckets;                 /* place + 1; 0: none */
    struct uw_waiting_counts *counts;  /* by partition */
    uint32_t *pending;                 /* places of those who join or leave */
    uint32_t count, capacity, bucket_count, count_capacity, pending_count, pending_capacity;
    uint32_t waiting_count; /* of all partitions, those who leave or join counted in */
};

void uw_waiting_init(struct uw_waiting *waiting);
void uw_waiting_close(struct uw_waiting *waiting);

/* False when the limit is met or memory is refused: nothing has changed. The name must not be there; it is copied. */
bool uw_waiting_join(struct uw_waiting *waiting, struct uw_str name, int32_t partition) UW_MUST_USE;
/* Whether the client stands in a list. */
bool uw_waiting_has(const struct uw_waiting *waiting, struct uw_str name);
/* Takes a client out who stands in a list: false when it does not, *failed when memory is refused. */
bool uw_waiting_leave(struct uw_waiting *waiting, struct uw_str name, bool *failed) UW_MUST_USE;
/* Takes a client out at once of whom a row was found: it left with a batch whose answer never came. Nothing when it stands
 * in no list. Not within a batch. */
void uw_waiting_drop(struct uw_waiting *waiting, struct uw_str name);
/* Whether the running batch takes the last ones of this partition out, so that its lists can go. */
bool uw_waiting_empties(const struct uw_waiting *waiting, int32_t partition);
/* The batch was applied, or it was not and all is as before. */
void uw_waiting_settle(struct uw_waiting *waiting, bool applied);
/* The partition was claimed anew: there are no lists of it. Not within a batch. */
void uw_waiting_forget(struct uw_waiting *waiting, int32_t partition);

/* The place of the first client from `place` on who stands in a list of the partition; waiting->count: none. */
uint32_t uw_waiting_next(const struct uw_waiting *waiting, int32_t partition, uint32_t place);

#endif
