#include "bench/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/client.h" /* uw_reserve */
#include "producers/region.h"

#define ARENA_BYTES ((size_t)16 * 1024 * 1024 * 1024)

void uw_bench_fail(const char *text)
{
    fprintf(stderr, "bench: %s\n", text);
    exit(1);
}

static double clock_s(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double uw_bench_wall_s(void)
{
    return clock_s(CLOCK_MONOTONIC);
}

double uw_bench_cpu_s(void)
{
    return clock_s(CLOCK_PROCESS_CPUTIME_ID);
}

const struct uw_event *uw_stream_event(const struct uw_stream *stream, uint32_t index)
{
    /* The arena gave the value, so that it is aligned for any type. */
    return (const void *)stream->messages[index].value.data;
}

static void *take(struct uw_stream *stream, size_t size)
{
    void *memory = uw_arena_take(&stream->arena, size);
    if (memory == NULL) {
        uw_bench_fail("out of memory");
    }
    return memory;
}

static struct uw_str keep(struct uw_stream *stream, struct uw_str text)
{
    struct uw_str copy = uw_arena_copy(&stream->arena, text);
    if (uw_str_is_null(copy) && !uw_str_is_null(text)) {
        uw_bench_fail("out of memory");
    }
    return copy;
}

static void keep_decision(struct uw_stream *stream, struct uw_decision *decision)
{
    int32_t *months = take(stream, decision->evaluation_count * sizeof *months);
    for (uint32_t i = 0; i < decision->evaluation_count; i++) {
        months[i] = decision->evaluation_list[i];
    }
    decision->evaluation_list = months;
    decision->product_category = keep(stream, decision->product_category);
    decision->product = keep(stream, decision->product);
    decision->terms.result = keep(stream, decision->terms.result);
}

static void keep_event(struct uw_stream *stream, const struct uw_event *event)
{
    struct uw_event *copy = take(stream, sizeof *copy);
    *copy = *event;
    copy->municipality = keep(stream, event->municipality);
    copy->client = keep(stream, event->client);
    copy->decision = keep(stream, event->decision);
    copy->provider = keep(stream, event->provider);
    switch (event->topic) {
    case UW_TOPIC_DECISIONS:
        keep_decision(stream, &copy->of.decision);
        break;
    case UW_TOPIC_DECLARATIONS:
        copy->of.declaration.line = keep(stream, event->of.declaration.line);
        copy->of.declaration.corrects = keep(stream, event->of.declaration.corrects);
        copy->of.declaration.staff = keep(stream, event->of.declaration.staff);
        break;
    case UW_TOPIC_NO_SHOWS:
        copy->of.no_show.no_show = keep(stream, event->of.no_show.no_show);
        copy->of.no_show.staff = keep(stream, event->of.no_show.staff);
        break;
    case UW_TOPIC_EVALUATIONS:
        break;
    }
    if (!uw_reserve((void **)&stream->messages, &stream->capacity, stream->count + 1, sizeof *stream->messages)) {
        uw_bench_fail("out of memory");
    }
    stream->messages[stream->count++] = (struct uw_message){.topic = event->topic,
                                                            .key = copy->client,
                                                            .value = {(const char *)copy, (uint32_t)sizeof *copy}};
}

static void number_messages(struct uw_stream *stream)
{
    int64_t offsets[UW_STREAM_PARTITIONS][UW_TOPIC_COUNT] = {{0}};
    for (uint32_t i = 0; i < stream->count; i++) {
        struct uw_message *message = &stream->messages[i];
        uint32_t hash = 0;
        for (uint32_t k = 0; k < message->key.length; k++) {
            hash = hash * 31 + (uint8_t)message->key.data[k];
        }
        message->partition = (int32_t)(hash % UW_STREAM_PARTITIONS);
        message->offset = offsets[message->partition][message->topic]++;
    }
}

void uw_stream_open(struct uw_stream *stream, int32_t clients, int64_t declarations, uint64_t seed)
{
    struct uw_region_options options;
    struct uw_region *region;
    struct uw_error error = {.text = ""};
    memset(stream, 0, sizeof *stream);
    uw_region_options_default(&options);
    options.clients = clients;
    options.declarations = declarations;
    options.until_day = UW_DAY_NONE;
    options.seed = seed;
    options.no_show_percent = 8;
    uw_arena_init(&stream->arena, ARENA_BYTES);
    if (uw_region_open(&options, &region, &error) != UW_OK) {
        uw_bench_fail(error.text);
    }
    struct uw_region_statistics statistics;
    uw_region_statistics(region, &statistics);
    stream->last_day = statistics.last_day;
    for (bool end = false; !end;) {
        struct uw_event event;
        if (uw_region_next(region, &event, &end, &error) != UW_OK) {
            uw_bench_fail(error.text);
        }
        if (!end) {
            keep_event(stream, &event);
        }
    }
    uw_region_close(&region);
    number_messages(stream);
}

void uw_stream_close(struct uw_stream *stream)
{
    free(stream->messages);
    uw_arena_close(&stream->arena);
}

/* A message's place in the stream is kept meanwhile in its number of headers, of which it has none. */
static int compare_messages(const void *a, const void *b)
{
    const struct uw_message *left = a, *right = b;
    int order = uw_str_compare(left->key, right->key);
    if (order != 0) {
        return order;
    }
    return (left->header_count > right->header_count) - (left->header_count < right->header_count);
}

void uw_stream_group_by_client(struct uw_stream *stream)
{
    for (uint32_t i = 0; i < stream->count; i++) {
        stream->messages[i].header_count = i;
    }
    qsort(stream->messages, stream->count, sizeof *stream->messages, compare_messages);
    struct uw_stream grouped;
    memset(&grouped, 0, sizeof grouped);
    uw_arena_init(&grouped.arena, ARENA_BYTES);
    for (uint32_t i = 0; i < stream->count; i++) {
        keep_event(&grouped, uw_stream_event(stream, i));
    }
    uw_stream_close(stream);
    *stream = grouped;
    number_messages(stream);
}
