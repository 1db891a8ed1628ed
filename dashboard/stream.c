#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dashboard/stream_parts.h"

#define RETRY_MS 2000
/* Places in the ring; with small events it is full before its bytes are. */
#define RING_EVENTS_MAX (UINT64_C(1) << 20)
/* At the start so many events before the end are read that the ring is about full, so that those who resume find them
 * there. */
#define EVENT_BYTES_USUAL 512

int64_t uw_stream_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct uw_stream_entry *ring_at(const struct uw_stream *stream, uint64_t number)
{
    return stream->ring[number % RING_EVENTS_MAX];
}

/* ---- subscribers, under the lock ---- */

void uw_stream_wake(struct uw_subscriber *subscriber)
{
    if (subscriber->asleep) {
        subscriber->asleep = false;
        uw_http_wake(subscriber->connection);
    }
}

void uw_stream_end(struct uw_subscriber *subscriber)
{
    subscriber->ended = true;
    uw_stream_wake(subscriber);
    pthread_cond_broadcast(&subscriber->stream->changed);
}

void uw_stream_drop(struct uw_subscriber *subscriber)
{
    subscriber->ended = true;
    subscriber->stream->statistics.dropped++;
    uw_stream_wake(subscriber);
    uw_http_cut(subscriber->connection);
}

static void forget_own(struct uw_subscriber *subscriber)
{
    free(subscriber->own);
    free(subscriber->passed);
    subscriber->own = subscriber->passed = NULL;
}

static void drop_oldest(struct uw_stream *stream)
{
    struct uw_stream_entry *event = ring_at(stream, stream->tail);
    stream->base[event->place] = event->offset + 1;
    stream->ring_bytes -= (int64_t)(sizeof *event + event->size);
    free(event);
    stream->tail++;
}

static void append(struct uw_stream *stream, struct uw_stream_entry *take_event)
{
    int64_t bytes = (int64_t)(sizeof *take_event + take_event->size);
    while (stream->tail < stream->head && (stream->ring_bytes + bytes > stream->options.ring_bytes_max ||
                                           stream->head - stream->tail == RING_EVENTS_MAX)) {
        drop_oldest(stream);
    }
    stream->ring[stream->head % RING_EVENTS_MAX] = take_event;
    stream->ring_bytes += bytes;
    stream->ahead[take_event->place] = take_event->offset + 1;
    stream->head++;
    stream->statistics.received++;
    for (struct uw_subscriber *s = stream->subscribers.next; s != &stream->subscribers; s = s->next) {
        if (s->phase != UW_STREAM_LIVE || !s->asleep) {
            continue;
        }
        /* Who sleeps has seen all before this one. What the filter leaves out need not wake anybody. */
        if (s->own == NULL && !uw_stream_filter_matches(&s->filter, &take_event->about)) {
            s->cursor = stream->head;
        } else {
            uw_stream_wake(s);
        }
    }
}

/* ---- writing to one subscriber; libmicrohttpd's threads ---- */

struct output {
    char *buffer;
    size_t size, used;
};

static bool output_add(struct output *output, const char *bytes, size_t length)
{
    if (output->size - output->used < length) {
        return false;
    }
    memcpy(output->buffer + output->used, bytes, length);
    output->used += length;
    return true;
}

const char *uw_stream_position(const struct uw_subscriber *subscriber, struct uw_arena *arena)
{
    const struct uw_stream *stream = subscriber->stream;
    const int64_t *offsets = subscriber->own;
    if (offsets == NULL) {
        offsets = subscriber->cursor == stream->head ? stream->ahead : stream->base;
    }
    return uw_position_write(arena, offsets, stream->alert_count, stream->anomaly_count);
}

/* Whether somebody who says to have seen so much has seen more than we have. */
static bool beyond(const struct uw_stream *stream, const int64_t *offsets)
{
    for (uint32_t i = 0; i < uw_stream_place_count(stream); i++) {
        if (offsets[i] > stream->ahead[i]) {
            return true;
        }
    }
    return false;
}

/* Offsets of its own are needed no longer once they are the ring's at the cursor; or, since behind a partition's last
 * event stand markers of transactions that the ring's count leaves out, once all of the ring was passed. */
static void settle_own(struct uw_subscriber *subscriber)
{
    const struct uw_stream *stream = subscriber->stream;
    if (memcmp(subscriber->own, subscriber->passed, uw_stream_place_count(stream) * sizeof(int64_t)) == 0 ||
        (subscriber->cursor == stream->head && !beyond(stream, subscriber->own))) {
        forget_own(subscriber);
    }
}

/* Passes one event; false when it does not fit any more. */
static bool pass_event(struct uw_subscriber *subscriber, struct output *output)
{
    struct uw_stream *stream = subscriber->stream;
    const struct uw_stream_entry *event = ring_at(stream, subscriber->cursor);
    bool is_new = subscriber->own == NULL || event->offset >= subscriber->own[event->place];
    if (is_new && uw_stream_filter_matches(&subscriber->filter, &event->about)) {
        if (subscriber->own == NULL) {
            if (!output_add(output, event->bytes, (size_t)event->id_length + event->body_length)) {
                return false;
            }
        } else {
            int64_t before = subscriber->own[event->place];
            struct uw_arena arena;
            const char *id;
            uw_arena_init(&arena, UW_STREAM_TEXT_BYTES_MAX);
            subscriber->own[event->place] = event->offset + 1;
            id = uw_stream_position(subscriber, &arena);
            size_t id_length = id == NULL ? 0 : strlen(id);
            bool fits = id != NULL && output->size - output->used >= 5 + id_length + event->body_length;
            if (fits) {
                (void)(output_add(output, "id: ", 4) && output_add(output, id, id_length) &&
                       output_add(output, "\n", 1) &&
                       output_add(output, event->bytes + event->id_length, event->body_length));
            } else {
                subscriber->own[event->place] = before;
            }
            uw_arena_close(&arena);
            if (!fits) {
                return false;
            }
        }
        stream->statistics.sent++;
        subscriber->announced = subscriber->cursor + 1;
    }
    subscriber->cursor++;
    if (subscriber->own != NULL) {
        if (is_new) {
            subscriber->own[event->place] = event->offset + 1;
        }
        subscriber->passed[event->place] = event->offset + 1;
        settle_own(subscriber);
    }
    return true;
}

/* Tells that the connection lives and, when it has moved, the position. That is an event, so that a script in a browser
 * learns it, without data, so that nobody takes it for an alert. */
static void beat(struct uw_subscriber *subscriber, struct output *output)
{
    static const char before[] = ":\nevent: position\nid: ", after[] = "\ndata:\n\n";
    struct uw_arena arena;
    const char *id = NULL;
    uw_arena_init(&arena, UW_STREAM_TEXT_BYTES_MAX);
    if (subscriber->phase == UW_STREAM_LIVE && subscriber->announced != subscriber->cursor &&
        (subscriber->own != NULL || subscriber->cursor == subscriber->stream->head)) {
        id = uw_stream_position(subscriber, &arena);
    }
    if (id == NULL) {
        (void)output_add(output, ":\n\n", 3);
    } else if (output->size - output->used >= sizeof before + strlen(id) + sizeof after) {
        (void)(output_add(output, before, sizeof before - 1) && output_add(output, id, strlen(id)) &&
               output_add(output, after, sizeof after - 1));
        subscriber->announced = subscriber->cursor;
    }
    uw_arena_close(&arena);
}

static int64_t read_stream(void *context, char *buffer, size_t size)
{
    struct uw_subscriber *subscriber = context;
    struct uw_stream *stream = subscriber->stream;
    struct output output = {buffer, size, 0};
    pthread_mutex_lock(&stream->lock);
    output.used = uw_stream_take_pending(subscriber, buffer, size);
    if (subscriber->phase == UW_STREAM_LIVE && subscriber->pending == NULL) {
        if (subscriber->cursor < stream->tail && !subscriber->ended) {
            subscriber->ended = true;
            stream->statistics.dropped++;
        }
        while (!subscriber->ended && subscriber->cursor < stream->head && pass_event(subscriber, &output)) {
        }
    }
    if (output.used == 0 && subscriber->beat) {
        beat(subscriber, &output);
    }
    subscriber->beat = false;
    if (output.used > 0) {
        subscriber->sent_ms = uw_stream_clock_ms();
    } else if (!subscriber->ended) {
        /* Under the lock, so that whoever has something for it sees it asleep or comes first. */
        subscriber->asleep = true;
        uw_http_sleep(subscriber->connection);
    }
    bool ended = subscriber->ended;
    pthread_mutex_unlock(&stream->lock);
    return output.used > 0 ? (int64_t)output.used : ended ? -1 : 0;
}

void uw_stream_free(struct uw_subscriber *subscriber)
{
    forget_own(subscriber);
    free(subscriber->pending);
    uw_stream_filter_close(&subscriber->filter);
    free(subscriber);
}

static void close_stream(void *context)
{
    struct uw_subscriber *subscriber = context;
    struct uw_stream *stream = subscriber->stream;
    bool mine;
    pthread_mutex_lock(&stream->lock);
    subscriber->next->previous = subscriber->previous;
    subscriber->previous->next = subscriber->next;
    stream->subscriber_count--;
    subscriber->asleep = false;
    subscriber->ended = subscriber->closed = true;
    /* A catcher that has it, or will take it from its queue, frees it. */
    mine = subscriber->phase == UW_STREAM_LIVE || subscriber->phase == UW_STREAM_PARKED;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
    if (mine) {
        uw_stream_free(subscriber);
    }
}

/* ---- subscribing; a worker's thread ---- */

bool uw_stream_covered(const struct uw_stream *stream, const int64_t *offsets)
{
    for (uint32_t i = 0; i < uw_stream_place_count(stream); i++) {
        if (offsets[i] < stream->base[i]) {
            return false;
        }
    }
    return true;
}

void uw_stream_go_live(struct uw_subscriber *subscriber)
{
    const struct uw_stream *stream = subscriber->stream;
    subscriber->phase = UW_STREAM_LIVE;
    subscriber->cursor = stream->tail;
    subscriber->announced = stream->tail;
    memcpy(subscriber->passed, stream->base, uw_stream_place_count(stream) * sizeof(int64_t));
    settle_own(subscriber);
}

static bool begin_at(struct uw_stream *stream, struct uw_subscriber *subscriber, const int64_t *offsets)
{
    size_t bytes = uw_stream_place_count(stream) * sizeof(int64_t);
    if (offsets == NULL) {
        subscriber->phase = UW_STREAM_LIVE;
        subscriber->cursor = stream->head;
        subscriber->announced = stream->head + 1; /* nothing announced yet: the first beat tells the position */
        return true;
    }
    subscriber->own = malloc(bytes);
    subscriber->passed = malloc(bytes);
    if (subscriber->own == NULL || subscriber->passed == NULL) {
        return false;
    }
    memcpy(subscriber->own, offsets, bytes);
    /* Who is ahead of us was served by another one a moment ago, or by topics that are no more: a catcher finds out. */
    if (uw_stream_covered(stream, offsets) && !beyond(stream, offsets)) {
        uw_stream_go_live(subscriber);
        return true;
    }
    uw_stream_queue(subscriber);
    return true;
}

/* Where the request wants to begin: *offsets NULL is now. */
static bool choose_start(const struct uw_stream *stream, struct uw_http_request *request, int64_t *room,
                         const int64_t **offsets)
{
    struct uw_str id = uw_http_parameter(request, "last_event_id"), from = uw_http_parameter(request, "from");
    if (request->last_event_id != NULL && request->last_event_id[0] != '\0') {
        id = uw_str_from(request->last_event_id);
    }
    *offsets = NULL;
    if (!uw_str_is_null(id)) {
        if (!uw_position_read(&request->arena, id, room, stream->alert_count, stream->anomaly_count)) {
            uw_http_problem(request, 400, "Last-Event-ID: this is no id of this stream");
            return false;
        }
        *offsets = room;
    } else if (uw_str_equal(from, UW_STR("beginning"))) {
        memset(room, 0, uw_stream_place_count(stream) * sizeof *room);
        *offsets = room;
    } else if (!uw_str_is_null(from) && !uw_str_equal(from, UW_STR("now"))) {
        uw_http_problem(request, 400, "from: now or beginning");
        return false;
    }
    return true;
}

static bool subscribe(struct uw_stream *stream, struct uw_subscriber *subscriber, struct uw_http_request *request)
{
    int64_t room[UW_STREAM_PLACES_MAX];
    const int64_t *offsets = NULL;
    if (!stream->reading || stream->stopping) {
        uw_http_problem(request, 503, "the topics are not being read at the moment");
        return false;
    }
    if (stream->subscriber_count >= UW_STREAM_SUBSCRIBERS_MAX) {
        uw_http_problem(request, 429, "there are %d subscribers already", UW_STREAM_SUBSCRIBERS_MAX);
        return false;
    }
    if (!choose_start(stream, request, room, &offsets)) {
        return false;
    }
    if (!begin_at(stream, subscriber, offsets)) {
        uw_http_problem(request, 503, "no memory");
        return false;
    }
    subscriber->next = stream->subscribers.next;
    subscriber->previous = &stream->subscribers;
    subscriber->next->previous = subscriber;
    stream->subscribers.next = subscriber;
    stream->subscriber_count++;
    return true;
}

void uw_stream_answer(struct uw_stream *stream, const struct uw_principal *principal, struct uw_http_request *request)
{
    struct uw_subscriber *subscriber = calloc(1, sizeof *subscriber);
    bool subscribed;
    if (subscriber == NULL) {
        uw_http_problem(request, 503, "no memory");
        return;
    }
    subscriber->stream = stream;
    subscriber->token_id = principal->token_id;
    subscriber->connection = request->connection;
    subscriber->beat = true; /* the first bytes tell that it works */
    subscriber->sent_ms = uw_stream_clock_ms();
    if (!uw_stream_filter_read(request, principal, &subscriber->filter)) {
        uw_stream_free(subscriber);
        return;
    }
    pthread_mutex_lock(&stream->lock);
    subscribed = subscribe(stream, subscriber, request);
    pthread_mutex_unlock(&stream->lock);
    if (!subscribed) {
        uw_stream_free(subscriber);
        return;
    }
    request->answer = (struct uw_http_answer){.status = 200,
                                              .content_type = "text/event-stream",
                                              .streams = true,
                                              .source = {subscriber, read_stream, close_stream}};
    /* For nginx, which would collect the stream otherwise. */
    uw_http_header(request, "X-Accel-Buffering", "no");
}

uint32_t uw_stream_tokens(struct uw_stream *stream, int64_t *token_ids, uint32_t capacity)
{
    uint32_t count = 0;
    pthread_mutex_lock(&stream->lock);
    for (struct uw_subscriber *s = stream->subscribers.next; s != &stream->subscribers && count < capacity;
         s = s->next) {
        uint32_t i = 0;
        while (i < count && token_ids[i] != s->token_id) {
            i++;
        }
        if (i == count) {
            token_ids[count++] = s->token_id;
        }
    }
    pthread_mutex_unlock(&stream->lock);
    return count;
}

void uw_stream_end_token(struct uw_stream *stream, int64_t token_id)
{
    pthread_mutex_lock(&stream->lock);
    for (struct uw_subscriber *s = stream->subscribers.next; s != &stream->subscribers; s = s->next) {
        if (s->token_id == token_id) {
            uw_stream_end(s);
        }
    }
    pthread_mutex_unlock(&stream->lock);
}

/* ---- the reader ---- */

static bool stopping(struct uw_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    bool stop = stream->stopping;
    pthread_mutex_unlock(&stream->lock);
    return stop;
}

static void beat_all(struct uw_stream *stream)
{
    int64_t now = uw_stream_clock_ms();
    pthread_mutex_lock(&stream->lock);
    for (struct uw_subscriber *s = stream->subscribers.next; s != &stream->subscribers; s = s->next) {
        if (now - s->sent_ms >= UW_STREAM_HEARTBEAT_MS - 1000 && s->asleep) {
            s->beat = true;
            uw_stream_wake(s);
        }
        /* It does not read, and what it has not read is gone: nobody would come to tell it so. */
        if (s->phase == UW_STREAM_LIVE && !s->ended && s->cursor < stream->tail) {
            uw_stream_drop(s);
        }
        uw_stream_check_parked(s, now);
    }
    pthread_mutex_unlock(&stream->lock);
}

static enum uw_code take(struct uw_stream *stream, struct uw_codec *codec, const struct uw_source_message *message,
                         struct uw_arena *arena, struct uw_error *error)
{
    struct uw_stream_event about;
    struct uw_str body;
    uw_arena_reset(arena);
    if (!uw_stream_encode(codec, message->place < stream->alert_count, message->value, arena, &about, &body)) {
        return UW_OK;
    }
    /* Only this thread changes `ahead`. */
    int64_t before = stream->ahead[message->place];
    stream->ahead[message->place] = message->offset + 1;
    const char *id = uw_position_write(arena, stream->ahead, stream->alert_count, stream->anomaly_count);
    stream->ahead[message->place] = before;
    struct uw_stream_entry *event = id == NULL ? NULL : uw_stream_entry_make(&about, uw_str_from(id), body);
    if (event == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_RETRY, "no memory for an event of the stream");
    }
    event->place = message->place;
    event->offset = message->offset;
    pthread_mutex_lock(&stream->lock);
    append(stream, event);
    stream->statistics.last_observed_ms = message->timestamp_ms;
    pthread_mutex_unlock(&stream->lock);
    return UW_OK;
}

/* Begins some way before the end at the first time, and after an interruption where it was. */
static enum uw_code start_reading(struct uw_stream *stream, struct uw_source *source, struct uw_error *error)
{
    int64_t lows[UW_STREAM_PLACES_MAX], highs[UW_STREAM_PLACES_MAX];
    uint32_t alert_count, anomaly_count;
    int64_t history = stream->options.ring_bytes_max / EVENT_BYTES_USUAL;
    enum uw_code code = uw_source_ends(source, lows, highs, error);
    if (code != UW_OK) {
        return code;
    }
    uw_source_counts(source, &alert_count, &anomaly_count);
    pthread_mutex_lock(&stream->lock);
    if (uw_stream_place_count(stream) == 0) {
        stream->alert_count = alert_count;
        stream->anomaly_count = anomaly_count;
        for (uint32_t i = 0; i < alert_count + anomaly_count; i++) {
            int64_t from = highs[i] - history / (int64_t)(i < alert_count ? alert_count : anomaly_count);
            stream->base[i] = stream->ahead[i] = from > lows[i] ? from : lows[i];
        }
    } else if (stream->alert_count != alert_count || stream->anomaly_count != anomaly_count) {
        code = uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "the topics have got more partitions; start serve again");
    }
    pthread_mutex_unlock(&stream->lock);
    return code == UW_OK ? uw_source_start(source, stream->ahead, error) : code;
}

static enum uw_code read_topics(struct uw_stream *stream, struct uw_codec *codec, struct uw_arena *arena,
                                struct uw_error *error)
{
    struct uw_source *source = NULL;
    struct uw_source_message message;
    bool ended[UW_STREAM_PLACES_MAX] = {false};
    uint32_t ended_count = 0;
    int64_t beat_ms = uw_stream_clock_ms();
    enum uw_code code = uw_source_open(&stream->options, &source, error);
    if (code == UW_OK) {
        code = start_reading(stream, source, error);
    }
    while (code == UW_OK && !stopping(stream)) {
        if (uw_stream_clock_ms() - beat_ms >= 1000) {
            beat_ms = uw_stream_clock_ms();
            beat_all(stream);
        }
        code = uw_source_next(source, UW_STREAM_POLL_MS, &message, error);
        if (code == UW_OK && message.what == UW_SOURCE_EVENT) {
            code = take(stream, codec, &message, arena, error);
        } else if (code == UW_OK && message.what == UW_SOURCE_END && !ended[message.place]) {
            ended[message.place] = true;
            ended_count++;
            pthread_mutex_lock(&stream->lock);
            /* Up to here there is nothing that is not in the ring. */
            if (stream->ahead[message.place] < message.offset) {
                stream->ahead[message.place] = message.offset;
            }
            stream->reading = stream->reading || ended_count == uw_stream_place_count(stream);
            pthread_mutex_unlock(&stream->lock);
        }
    }
    uw_source_close(&source);
    return code;
}

static void *read_all(void *context)
{
    struct uw_stream *stream = context;
    struct uw_codec *codec = NULL;
    struct uw_arena arena;
    struct uw_error error = {.text = ""};
    uw_arena_init(&arena, UW_HTTP_REQUEST_BYTES_MAX);
    if (uw_codec_open(NULL, &codec, &error) != UW_OK) {
        stream->options.log(stream->options.context, error.text);
        return NULL;
    }
    while (!stopping(stream)) {
        if (read_topics(stream, codec, &arena, &error) == UW_OK) {
            continue;
        }
        stream->options.log(stream->options.context, error.text);
        int64_t until_ms = uw_stream_clock_ms() + RETRY_MS;
        while (uw_stream_clock_ms() < until_ms && !stopping(stream)) {
            const struct timespec pause = {0, UW_STREAM_POLL_MS * 1000000L};
            (void)nanosleep(&pause, NULL);
            beat_all(stream);
        }
    }
    uw_codec_close(&codec);
    uw_arena_close(&arena);
    return NULL;
}

/* ---- open and close ---- */

enum uw_code uw_stream_open(const struct uw_stream_options *options, struct uw_stream **stream,
                            struct uw_error *error)
{
    struct uw_stream *made = calloc(1, sizeof *made);
    pthread_condattr_t attributes;
    if (made != NULL) {
        made->ring = calloc(RING_EVENTS_MAX, sizeof *made->ring);
    }
    if (made == NULL || made->ring == NULL) {
        free(made);
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the stream");
    }
    made->options = *options;
    made->subscribers.next = made->subscribers.previous = &made->subscribers;
    pthread_mutex_init(&made->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&made->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    bool started = pthread_create(&made->reader, NULL, read_all, made) == 0;
    for (uint32_t i = 0; started && i < UW_STREAM_CATCHERS; i++) {
        started = pthread_create(&made->catchers[i], NULL, uw_stream_catch, made) == 0;
        made->thread_count += started ? 1u : 0u;
    }
    if (!started) {
        /* A process without threads does not go on; nothing is to be saved. */
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for a thread");
    }
    *stream = made;
    return UW_OK;
}

void uw_stream_stop(struct uw_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    stream->stopping = true;
    for (struct uw_subscriber *s = stream->subscribers.next; s != &stream->subscribers; s = s->next) {
        uw_stream_end(s);
    }
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
}

void uw_stream_close(struct uw_stream **stream)
{
    struct uw_stream *closing = *stream;
    if (closing == NULL) {
        return;
    }
    uw_stream_stop(closing);
    pthread_join(closing->reader, NULL);
    for (uint32_t i = 0; i < closing->thread_count; i++) {
        pthread_join(closing->catchers[i], NULL);
    }
    while (closing->tail < closing->head) {
        drop_oldest(closing);
    }
    pthread_mutex_destroy(&closing->lock);
    pthread_cond_destroy(&closing->changed);
    free(closing->ring);
    free(closing);
    *stream = NULL;
}

void uw_stream_statistics(struct uw_stream *stream, struct uw_stream_statistics *statistics)
{
    pthread_mutex_lock(&stream->lock);
    *statistics = stream->statistics;
    statistics->events = stream->head - stream->tail;
    statistics->bytes = (uint64_t)stream->ring_bytes;
    statistics->subscribers = stream->subscriber_count;
    statistics->reading = stream->reading;
    pthread_mutex_unlock(&stream->lock);
}
