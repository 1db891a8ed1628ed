/*
 * The events of a simulated region, kept in memory before a measurement begins.
 *
 * A failure ends the program: a benchmark has nothing to save.
 */
#ifndef UW_BENCH_STREAM_H
#define UW_BENCH_STREAM_H

#include "core/ports.h"

#define UW_STREAM_PARTITIONS 12

/* The value of a message is the struct uw_event itself, not encoded; the key is the client. Messages are in the order
 * in which they were recorded, numbered within their partition and topic. */
struct uw_stream {
    struct uw_arena arena;
    struct uw_message *messages;
    uint32_t count, capacity;
    int32_t last_day; /* of the region; visits are as agreed */
};

void uw_stream_open(struct uw_stream *stream, int32_t clients, int64_t declarations, uint64_t seed);
void uw_stream_close(struct uw_stream *stream);
/* Brings the events of each client together, in the order in which they were recorded; in memory too, as they would
 * lie after decoding. */
void uw_stream_group_by_client(struct uw_stream *stream);
const struct uw_event *uw_stream_event(const struct uw_stream *stream, uint32_t index);

/* Prints the text and ends the program with status 1. */
void uw_bench_fail(const char *text) __attribute__((noreturn));
/* Seconds on the wall, and of processor time of this process. */
double uw_bench_wall_s(void);
double uw_bench_cpu_s(void);

#endif
