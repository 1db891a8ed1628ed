#include "producers/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "core/client.h"

#define BUCKETS_MIN 1024u
#define COMPACTED_MIN 1024u

void uw_waiting_init(struct uw_waiting *waiting)
{
    *waiting = (struct uw_waiting){.count = 0};
    uw_arena_init(&waiting->names, UW_WAITING_NAMES_BYTES);
}

void uw_waiting_close(struct uw_waiting *waiting)
{
    uw_arena_close(&waiting->names);
    free(waiting->clients);
    free(waiting->buckets);
    free(waiting->counts);
    free(waiting->pending);
    uw_waiting_init(waiting);
}

static uint32_t *bucket_of(const struct uw_waiting *waiting, struct uw_str name)
{
    return &waiting->buckets[uw_str_hash(name) & (waiting->bucket_count - 1)];
}

static struct uw_waiting_client *find(const struct uw_waiting *waiting, struct uw_str name)
{
    uint32_t link = waiting->bucket_count == 0 ? 0 : *bucket_of(waiting, name);

    while (link != 0) {
        struct uw_waiting_client *client = &waiting->clients[link - 1];

        if (client->state != UW_WAITING_GONE && uw_str_equal(client->name, name)) {
            return client;
        }
        link = client->hash_next;
    }
    return NULL;
}

static void link_client(struct uw_waiting *waiting, uint32_t place)
{
    uint32_t *bucket = bucket_of(waiting, waiting->clients[place].name);

    waiting->clients[place].hash_next = *bucket;
    *bucket = place + 1;
}

/* At least as many buckets as clients. */
static bool make_buckets(struct uw_waiting *waiting)
{
    uint32_t bucket_count = waiting->bucket_count == 0 ? BUCKETS_MIN : 2 * waiting->bucket_count;
    uint32_t *buckets;

    if (waiting->count < waiting->bucket_count) {
        return true;
    }
    buckets = calloc(bucket_count, sizeof *buckets);
    if (buckets == NULL) {
        return false;
    }
    free(waiting->buckets);
    waiting->buckets = buckets;
    waiting->bucket_count = bucket_count;
    for (uint32_t i = 0; i < waiting->count; i++) {
        link_client(waiting, i);
    }
    return true;
}

/* A count for the partition, and room for one more that joins or leaves. */
static bool make_room(struct uw_waiting *waiting, int32_t partition)
{
    uint32_t counted = waiting->count_capacity;

    if (!uw_reserve((void **)&waiting->pending, &waiting->pending_capacity, waiting->pending_count + 1,
                    sizeof *waiting->pending) ||
        !uw_reserve((void **)&waiting->counts, &waiting->count_capacity, (uint32_t)partition + 1,
                    sizeof *waiting->counts)) {
        return false;
    }
    memset(waiting->counts + counted, 0, sizeof *waiting->counts * (waiting->count_capacity - counted));
    return true;
}

bool uw_waiting_join(struct uw_waiting *waiting, struct uw_str name, int32_t partition)
{
    struct uw_str copy;

    if (waiting->count == UW_WAITING_CLIENTS_MAX || !make_room(waiting, partition) ||
        waiting->counts[partition].listed == UW_WAITING_LISTED_MAX || !make_buckets(waiting) ||
        !uw_reserve((void **)&waiting->clients, &waiting->capacity, waiting->count + 1, sizeof *waiting->clients)) {
        return false;
    }
    copy = uw_arena_copy(&waiting->names, name);
    if (uw_str_is_null(copy)) {
        return false;
    }
    waiting->clients[waiting->count] =
        (struct uw_waiting_client){.name = copy, .partition = partition, .state = UW_WAITING_JOINS};
    link_client(waiting, waiting->count);
    waiting->pending[waiting->pending_count++] = waiting->count++;
    waiting->counts[partition].stay++;
    waiting->counts[partition].listed++;
    waiting->waiting_count++;
    return true;
}

bool uw_waiting_has(const struct uw_waiting *waiting, struct uw_str name)
{
    return find(waiting, name) != NULL;
}

bool uw_waiting_leave(struct uw_waiting *waiting, struct uw_str name, bool *failed)
{
    struct uw_waiting_client *client = find(waiting, name);

    if (client == NULL || client->state != UW_WAITING_STANDS) {
        return false;
    }
    if (!make_room(waiting, client->partition)) {
        *failed = true;
        return false;
    }
    client->state = UW_WAITING_LEAVES;
    waiting->pending[waiting->pending_count++] = (uint32_t)(client - waiting->clients);
    waiting->counts[client->partition].stay--;
    waiting->counts[client->partition].leave++;
    return true;
}

bool uw_waiting_empties(const struct uw_waiting *waiting, int32_t partition)
{
    return (uint32_t)partition < waiting->count_capacity && waiting->counts[partition].leave > 0 &&
           waiting->counts[partition].stay == 0;
}

/* Copies those who stand in lists to new places. They stay where they are when memory is refused. */
static void compact(struct uw_waiting *waiting)
{
    struct uw_waiting_client *kept = malloc(waiting->waiting_count * sizeof *kept);
    struct uw_arena names;
    bool complete = kept != NULL;
    uint32_t count = 0;

    uw_arena_init(&names, UW_WAITING_NAMES_BYTES);
    for (uint32_t i = 0; i < waiting->count && complete; i++) {
        if (waiting->clients[i].state != UW_WAITING_GONE) {
            kept[count] = waiting->clients[i];
            kept[count].name = uw_arena_copy(&names, waiting->clients[i].name);
            complete = !uw_str_is_null(kept[count].name);
            count++;
        }
    }
    if (!complete) {
        uw_arena_close(&names);
        free(kept);
        return;
    }
    uw_arena_close(&waiting->names);
    free(waiting->clients);
    waiting->names = names;
    waiting->clients = kept;
    waiting->count = waiting->capacity = count;
    memset(waiting->buckets, 0, waiting->bucket_count * sizeof *waiting->buckets);
    for (uint32_t i = 0; i < count; i++) {
        link_client(waiting, i);
    }
}

/* Places are given anew when nobody is left, or fewer than have left. Not within a batch. */
static void begin_again(struct uw_waiting *waiting)
{
    if (waiting->waiting_count == 0) {
        uw_waiting_close(waiting);
    } else if (waiting->count >= COMPACTED_MIN && waiting->waiting_count < waiting->count / 2) {
        compact(waiting);
    }
}

void uw_waiting_settle(struct uw_waiting *waiting, bool applied)
{
    for (uint32_t i = 0; i < waiting->pending_count; i++) {
        struct uw_waiting_client *client = &waiting->clients[waiting->pending[i]];
        struct uw_waiting_counts *counts = &waiting->counts[client->partition];
        bool joins = client->state == UW_WAITING_JOINS, stands = joins == applied;

        if (joins && !applied) {
            counts->stay--;
            counts->listed--;
        } else if (!joins) {
            counts->leave--;
            counts->stay += applied ? 0 : 1;
            if (applied && counts->stay == 0) {
                counts->listed = 0; /* with the lists, as uw_waiting_empties said */
            }
        }
        waiting->waiting_count -= stands ? 0 : 1;
        client->state = stands ? UW_WAITING_STANDS : UW_WAITING_GONE;
    }
    waiting->pending_count = 0;
    begin_again(waiting);
}

static void drop(struct uw_waiting *waiting, struct uw_waiting_client *client)
{
    client->state = UW_WAITING_GONE;
    waiting->counts[client->partition].stay--;
    waiting->waiting_count--;
}

void uw_waiting_drop(struct uw_waiting *waiting, struct uw_str name)
{
    struct uw_waiting_client *client = find(waiting, name);

    if (client != NULL && client->state == UW_WAITING_STANDS) {
        drop(waiting, client);
        begin_again(waiting);
    }
}

void uw_waiting_forget(struct uw_waiting *waiting, int32_t partition)
{
    for (uint32_t i = uw_waiting_next(waiting, partition, 0); i < waiting->count;
         i = uw_waiting_next(waiting, partition, i + 1)) {
        drop(waiting, &waiting->clients[i]);
    }
    if ((uint32_t)partition < waiting->count_capacity) {
        waiting->counts[partition].listed = 0;
    }
    begin_again(waiting);
}

uint32_t uw_waiting_next(const struct uw_waiting *waiting, int32_t partition, uint32_t place)
{
    while (place < waiting->count && (waiting->clients[place].state != UW_WAITING_STANDS ||
                                      waiting->clients[place].partition != partition)) {
        place++;
    }
    return place;
}
