/*
 * What the files of the live stream share; private to them: stream.c has the ring, its reader and its subscribers,
 * stream_catch.c reads from Kafka what the ring no longer has.
 */
#ifndef UW_DASHBOARD_STREAM_PARTS_H
#define UW_DASHBOARD_STREAM_PARTS_H

#include <pthread.h>

#include "dashboard/stream.h"
#include "dashboard/stream_entry.h"
#include "dashboard/stream_source.h"

#define UW_STREAM_POLL_MS 100
#define UW_STREAM_CATCHERS 2

enum uw_stream_phase {
    UW_STREAM_WAITING,  /* in the queue of the catchers */
    UW_STREAM_CATCHING, /* a catcher reads for it */
    UW_STREAM_PARKED,   /* what was read for it waits for it; then it queues again */
    UW_STREAM_LIVE,     /* its cursor is in the ring */
};

struct uw_subscriber {
    struct uw_subscriber *next, *previous;
    struct uw_stream *stream;
    struct uw_stream_filter filter;
    int64_t token_id;
    void *connection;
    enum uw_stream_phase phase;
    bool asleep, ended, closed, beat;
    int64_t sent_ms;
    uint64_t cursor; /* the next event of the ring */
    /* Only while it is ahead of the ring somewhere: its own offsets, and the ring's at its cursor. */
    int64_t *own, *passed;
    uint64_t announced; /* cursor of the last position that was sent */
    /* What a catcher has read for it, whole events from pending_first on once all before was taken; NULL: nothing. */
    char *pending;
    size_t pending_first, pending_end;
    bool gap;          /* it is to be told of a gap; the catchers' */
    int64_t parked_ms; /* since when it is parked */
    struct uw_subscriber *next_waiting;
};

struct uw_stream {
    struct uw_stream_options options;
    pthread_t reader, catchers[UW_STREAM_CATCHERS];
    uint32_t thread_count;

    pthread_mutex_t lock;   /* all below */
    pthread_cond_t changed; /* its clock is the monotonic one */
    bool stopping, reading;
    uint32_t alert_count, anomaly_count; /* 0 until the topics are known */
    struct uw_stream_entry **ring;
    uint64_t tail, head; /* numbers of the oldest event and of the next one */
    int64_t base[UW_STREAM_PLACES_MAX], ahead[UW_STREAM_PLACES_MAX]; /* positions at tail and at head */
    int64_t ring_bytes;
    struct uw_subscriber subscribers; /* circle */
    uint32_t subscriber_count;
    struct uw_subscriber *waiting, *waiting_last; /* for a catcher */
    struct uw_stream_statistics statistics;
};

static inline uint32_t uw_stream_place_count(const struct uw_stream *stream)
{
    return stream->alert_count + stream->anomaly_count;
}

/* ---- stream.c; all but the clock under the lock ---- */

int64_t uw_stream_clock_ms(void);
void uw_stream_wake(struct uw_subscriber *subscriber);
/* Its connection ends as soon as it was told all that waits for it. */
void uw_stream_end(struct uw_subscriber *subscriber);
/* Cuts off who is too slow: it does not read, and nobody else would come to tell it so. */
void uw_stream_drop(struct uw_subscriber *subscriber);
/* Without the lock, when nobody knows it any more. */
void uw_stream_free(struct uw_subscriber *subscriber);
/* The position at the subscriber's cursor, in `arena`; NULL without memory. */
const char *uw_stream_position(const struct uw_subscriber *subscriber, struct uw_arena *arena);
/* Whether the ring has all that comes after these offsets. */
bool uw_stream_covered(const struct uw_stream *stream, const int64_t *offsets);
/* Puts a subscriber with its own offsets at the ring's beginning. */
void uw_stream_go_live(struct uw_subscriber *subscriber);

/* ---- stream_catch.c; under the lock ---- */

/* A catcher's thread; takes the stream. */
void *uw_stream_catch(void *stream);
/* Puts the subscriber, with its own offsets, at the end of the catchers' queue. */
void uw_stream_queue(struct uw_subscriber *subscriber);
/* Moves up to `size` bytes that were read for it to `buffer`, and lets it queue again when it was parked and has taken
 * all of them. */
size_t uw_stream_take_pending(struct uw_subscriber *subscriber, char *buffer, size_t size);
/* Drops it when it is parked for too long. */
void uw_stream_check_parked(struct uw_subscriber *subscriber, int64_t now_ms);

#endif
