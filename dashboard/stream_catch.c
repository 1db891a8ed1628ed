#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dashboard/stream_parts.h"

/*
 * A catcher reads for one subscriber for a while only, its turn: until the ring has the rest, until the time is over
 * and somebody else waits, or until the subscriber does not take what was read for it. In the last case it is parked,
 * which costs no thread and no client of Kafka, and queues again once it has taken everything. So nobody waits longer
 * than for the turns of those who queued before.
 */

/* What is read ahead of a subscriber; an event with its id is at most a third of it. */
#define PENDING_BYTES ((size_t)64 * 1024)
/* A turn, counted from the first thing read, so that each gets on. */
#define TURN_MS 500
/* Who reads takes what there is within such a time, also on a busy machine; if not, parking it is only a detour. */
#define ROOM_MS 100
/* In which a parked subscriber has to take everything, or is cut off. */
#define PARKED_MS 10000

void uw_stream_queue(struct uw_subscriber *subscriber)
{
    struct uw_stream *stream = subscriber->stream;
    subscriber->phase = UW_STREAM_WAITING;
    subscriber->next_waiting = NULL;
    if (stream->waiting == NULL) {
        stream->waiting = subscriber;
    } else {
        stream->waiting_last->next_waiting = subscriber;
    }
    stream->waiting_last = subscriber;
    pthread_cond_broadcast(&stream->changed);
}

static struct uw_subscriber *take_waiting(struct uw_stream *stream)
{
    struct uw_subscriber *subscriber = stream->waiting;
    stream->waiting = subscriber->next_waiting;
    subscriber->phase = UW_STREAM_CATCHING;
    return subscriber;
}

size_t uw_stream_take_pending(struct uw_subscriber *subscriber, char *buffer, size_t size)
{
    size_t left = subscriber->pending_end - subscriber->pending_first, taken = left < size ? left : size;
    if (left == 0) {
        return 0;
    }
    memcpy(buffer, subscriber->pending + subscriber->pending_first, taken);
    subscriber->pending_first += taken;
    if (taken == left) {
        free(subscriber->pending);
        subscriber->pending = NULL;
        subscriber->pending_first = subscriber->pending_end = 0;
        if (subscriber->phase == UW_STREAM_PARKED && !subscriber->ended) {
            uw_stream_queue(subscriber);
        }
    }
    if (subscriber->phase == UW_STREAM_CATCHING) {
        pthread_cond_broadcast(&subscriber->stream->changed);
    }
    return taken;
}

void uw_stream_check_parked(struct uw_subscriber *subscriber, int64_t now_ms)
{
    if (subscriber->phase == UW_STREAM_PARKED && !subscriber->ended && now_ms - subscriber->parked_ms > PARKED_MS) {
        uw_stream_drop(subscriber);
    }
}

static bool goes_on(const struct uw_subscriber *subscriber)
{
    return !subscriber->ended && !subscriber->stream->stopping;
}

/* Whether `length` more bytes can be read ahead; moves what is there to the beginning. */
static bool has_room(struct uw_subscriber *subscriber, size_t length)
{
    if (subscriber->pending == NULL) {
        /* Not before: thousands may be waiting after a restart. */
        subscriber->pending = malloc(PENDING_BYTES);
        if (subscriber->pending == NULL) {
            return false;
        }
    } else if (subscriber->pending_first > 0) {
        subscriber->pending_end -= subscriber->pending_first;
        memmove(subscriber->pending, subscriber->pending + subscriber->pending_first, subscriber->pending_end);
        subscriber->pending_first = 0;
    }
    return PENDING_BYTES - subscriber->pending_end >= length;
}

static bool wait_for_room(struct uw_subscriber *subscriber, size_t length)
{
    int64_t until_ms = uw_stream_clock_ms() + ROOM_MS;
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    while (!has_room(subscriber, length)) {
        if (!goes_on(subscriber) || uw_stream_clock_ms() >= until_ms) {
            return false;
        }
        uw_stream_wake(subscriber);
        (void)pthread_cond_timedwait(&subscriber->stream->changed, &subscriber->stream->lock, &until);
    }
    return goes_on(subscriber);
}

static void put(struct uw_subscriber *subscriber, const char *bytes, size_t length)
{
    memcpy(subscriber->pending + subscriber->pending_end, bytes, length);
    subscriber->pending_end += length;
}

/* False when there is no room for the event; the subscriber's offsets are then before it. */
static bool hand_over(struct uw_subscriber *subscriber, struct uw_codec *codec,
                      const struct uw_source_message *message, struct uw_arena *arena)
{
    struct uw_stream *stream = subscriber->stream;
    struct uw_stream_event about;
    struct uw_str body;
    int64_t before = subscriber->own[message->place];
    uw_arena_reset(arena);
    if (message->offset < before) {
        return true;
    }
    subscriber->own[message->place] = message->offset + 1;
    if (!uw_stream_encode(codec, message->place < stream->alert_count, message->value, arena, &about, &body) ||
        !uw_stream_filter_matches(&subscriber->filter, &about)) {
        return true;
    }
    const char *id = uw_stream_position(subscriber, arena);
    if (id == NULL || !wait_for_room(subscriber, 5 + strlen(id) + body.length)) {
        subscriber->own[message->place] = before;
        return false;
    }
    put(subscriber, "id: ", 4);
    put(subscriber, id, strlen(id));
    put(subscriber, "\n", 1);
    put(subscriber, body.data, body.length);
    stream->statistics.sent++;
    uw_stream_wake(subscriber);
    return true;
}

/* Whether events between these offsets and what the topics hold are lost: deleted by retention, or with a topic that
 * was made anew, of which everything is then read. Nobody misses anything who asked for the beginning. */
static bool find_gap(int64_t *offsets, const int64_t *lows, const int64_t *highs, uint32_t count)
{
    bool gap = false, from_zero = true;
    for (uint32_t i = 0; i < count; i++) {
        from_zero = from_zero && offsets[i] == 0;
        gap = gap || lows[i] > offsets[i] || offsets[i] > highs[i];
        offsets[i] = offsets[i] > highs[i] || offsets[i] < lows[i] ? lows[i] : offsets[i];
    }
    return gap && !from_zero;
}

/* Tells of a gap, once, before anything else that is read from here on. */
static bool tell_gap(struct uw_subscriber *subscriber)
{
    static const char gap[] = "event: gap\ndata: {}\n\n";
    if (!wait_for_room(subscriber, sizeof gap - 1)) {
        return false;
    }
    put(subscriber, gap, sizeof gap - 1);
    subscriber->gap = false;
    uw_stream_wake(subscriber);
    return true;
}

/* Reads until the turn is over; *full: since the subscriber takes too little. With the lock, given up while reading. */
static enum uw_code read_turn(struct uw_subscriber *subscriber, struct uw_source *source, struct uw_codec *codec,
                              struct uw_arena *arena, bool *full, struct uw_error *error)
{
    struct uw_stream *stream = subscriber->stream;
    enum uw_code code = UW_OK;
    int64_t until_ms = INT64_MAX;
    while (code == UW_OK && !*full && goes_on(subscriber) && !uw_stream_covered(stream, subscriber->own) &&
           (stream->waiting == NULL || uw_stream_clock_ms() < until_ms)) {
        struct uw_source_message message;
        pthread_mutex_unlock(&stream->lock);
        code = uw_source_next(source, UW_STREAM_POLL_MS, &message, error);
        pthread_mutex_lock(&stream->lock);
        if (code != UW_OK || message.what == UW_SOURCE_NOTHING) {
            continue;
        }
        until_ms = until_ms == INT64_MAX ? uw_stream_clock_ms() + TURN_MS : until_ms;
        if (message.what == UW_SOURCE_EVENT) {
            *full = !hand_over(subscriber, codec, &message, arena);
        } else if (subscriber->own[message.place] < message.offset) {
            /* Behind the last event stand markers of transactions, which nobody reads. */
            subscriber->own[message.place] = message.offset;
        }
    }
    return code;
}

/* One turn of a subscriber. Called with the lock, which it gives up while it reads. */
static enum uw_code catch_up(struct uw_subscriber *subscriber, struct uw_codec *codec, bool *full,
                             struct uw_error *error)
{
    struct uw_stream *stream = subscriber->stream;
    int64_t lows[UW_STREAM_PLACES_MAX], highs[UW_STREAM_PLACES_MAX];
    struct uw_source *source = NULL;
    struct uw_arena arena;
    enum uw_code code;
    uw_arena_init(&arena, UW_HTTP_REQUEST_BYTES_MAX);
    pthread_mutex_unlock(&stream->lock);
    code = uw_source_open(&stream->options, &source, error);
    if (code == UW_OK) {
        code = uw_source_ends(source, lows, highs, error);
    }
    if (code == UW_OK) {
        /* While a catcher has it, nobody else looks at these. */
        subscriber->gap = find_gap(subscriber->own, lows, highs, uw_stream_place_count(stream)) || subscriber->gap;
        code = uw_source_start(source, subscriber->own, error);
    }
    pthread_mutex_lock(&stream->lock);
    *full = code == UW_OK && subscriber->gap && !tell_gap(subscriber);
    if (code == UW_OK) {
        code = read_turn(subscriber, source, codec, &arena, full, error);
    }
    pthread_mutex_unlock(&stream->lock);
    uw_source_close(&source);
    uw_arena_close(&arena);
    pthread_mutex_lock(&stream->lock);
    return code;
}

static void catch_one(struct uw_stream *stream, struct uw_codec *codec)
{
    struct uw_subscriber *subscriber = take_waiting(stream);
    struct uw_error error = {.text = ""};
    bool full = false;
    enum uw_code code = goes_on(subscriber) ? catch_up(subscriber, codec, &full, &error) : UW_OK;
    if (code != UW_OK) {
        stream->options.log(stream->options.context, error.text);
        uw_stream_end(subscriber);
    }
    if (subscriber->closed) {
        uw_stream_free(subscriber);
        return;
    }
    if (goes_on(subscriber) && !uw_stream_covered(stream, subscriber->own)) {
        if (full && subscriber->pending_end > subscriber->pending_first) {
            subscriber->phase = UW_STREAM_PARKED;
            subscriber->parked_ms = uw_stream_clock_ms();
            uw_stream_wake(subscriber);
        } else {
            uw_stream_queue(subscriber);
        }
        return;
    }
    if (!goes_on(subscriber)) {
        uw_stream_end(subscriber);
    } else {
        stream->statistics.caught_up++;
    }
    uw_stream_go_live(subscriber);
    uw_stream_wake(subscriber);
}

void *uw_stream_catch(void *context)
{
    struct uw_stream *stream = context;
    struct uw_codec *codec = NULL;
    struct uw_error error;
    if (uw_codec_open(NULL, &codec, &error) != UW_OK) {
        stream->options.log(stream->options.context, error.text);
        return NULL;
    }
    pthread_mutex_lock(&stream->lock);
    while (!stream->stopping || stream->waiting != NULL) {
        if (stream->waiting == NULL) {
            pthread_cond_wait(&stream->changed, &stream->lock);
        } else {
            catch_one(stream, codec);
        }
    }
    pthread_mutex_unlock(&stream->lock);
    uw_codec_close(&codec);
    return NULL;
}
