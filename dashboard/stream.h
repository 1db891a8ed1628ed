/*
 * The live stream: alerts and anomalies from their topics to many subscribers, as server-sent events.
 *
 * One thread reads the topics (committed records only) into a ring of bounded size, each event encoded once. A
 * subscriber is a place in the ring; its connection sleeps while there is nothing for it and is woken by the reader.
 * Whoever is overtaken by the ring's end is cut off, never waited for.
 *
 * An event's id holds, for every partition of the topics, the offset after the last event that the subscriber has
 * seen or that its filter left out. So whoever resumes gets exactly what came after, in whatever order the
 * partitions are read this time. What the ring no longer has is read again from Kafka by a small number of catchers,
 * for one subscriber and then for the next in short turns, and the ring goes on where it begins. Who takes nothing
 * gets no turn: a slow reader keeps nobody waiting.
 */
#ifndef UW_DASHBOARD_STREAM_H
#define UW_DASHBOARD_STREAM_H

#include "consumers/kafka_conf.h"
#include "core/ports.h"
#include "dashboard/desk.h"

#define UW_STREAM_SUBSCRIBERS_MAX 5000
#define UW_STREAM_HEARTBEAT_MS 15000
/* Partitions of both topics together. */
#define UW_STREAM_PLACES_MAX 512

struct uw_stream;

struct uw_stream_options {
    const struct uw_property *properties;
    uint32_t property_count;
    const char *alerts, *anomalies; /* names of the topics */
    int64_t ring_bytes_max;
    int32_t timeout_ms;
    struct uw_kafka_log kafka_log;
    void *context;
    void (*log)(void *context, const char *text);
};

struct uw_stream_statistics {
    uint64_t events, bytes;        /* in the ring now */
    uint64_t received;             /* since the start */
    uint64_t subscribers;          /* now */
    uint64_t sent, dropped, caught_up;
    int64_t last_observed_ms;      /* of the last event's Kafka timestamp; 0: none yet */
    bool reading;                  /* the topics are being read */
};

/* Starts the reader; that Kafka is away is no error, it is tried again. */
enum uw_code uw_stream_open(const struct uw_stream_options *options, struct uw_stream **stream,
                            struct uw_error *error) UW_MUST_USE;
/* Ends all subscriptions: their connections are woken and see the end. */
void uw_stream_stop(struct uw_stream *stream);
/* After the connections were closed. */
void uw_stream_close(struct uw_stream **stream);
void uw_stream_statistics(struct uw_stream *stream, struct uw_stream_statistics *statistics);

/* Answers with a stream, or a problem. */
void uw_stream_answer(struct uw_stream *stream, const struct uw_principal *principal,
                      struct uw_http_request *request);
/* The tokens of which there are subscribers, without repeats, at most `capacity`; to be checked now and then. */
uint32_t uw_stream_tokens(struct uw_stream *stream, int64_t *token_ids, uint32_t capacity);
/* Ends the subscriptions of a token that was revoked. */
void uw_stream_end_token(struct uw_stream *stream, int64_t token_id);

/* ---- stream_position.c: ids ---- */

/* Offsets by place: alerts' partitions first, then anomalies'. As text: the counts of both, then each offset as a
 * variable-length number, base64url. Returns NULL without memory. */
const char *uw_position_write(struct uw_arena *arena, const int64_t *offsets, uint32_t alert_count,
                              uint32_t anomaly_count);
/* False for what is no position. Partitions that the text does not have get 0; those that are gone are forgotten. */
bool uw_position_read(struct uw_arena *arena, struct uw_str text, int64_t *offsets, uint32_t alert_count,
                      uint32_t anomaly_count) UW_MUST_USE;

#endif
