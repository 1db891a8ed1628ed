/* Reading the two topics from given offsets: what the ring's reader and the catchers share. */
#ifndef UW_DASHBOARD_STREAM_SOURCE_H
#define UW_DASHBOARD_STREAM_SOURCE_H

#include "dashboard/stream.h"

struct uw_source;

enum uw_source_what {
    UW_SOURCE_NOTHING, /* the time passed */
    UW_SOURCE_EVENT,
    UW_SOURCE_END, /* a partition was read to its end: `offset` is the next one */
};

/* Borrowed until the next call. `place` counts the alerts' partitions first. */
struct uw_source_message {
    enum uw_source_what what;
    uint32_t place;
    int64_t offset, timestamp_ms;
    struct uw_str value;
};

enum uw_code uw_source_open(const struct uw_stream_options *options, struct uw_source **source,
                            struct uw_error *error) UW_MUST_USE;
void uw_source_close(struct uw_source **source);
void uw_source_counts(const struct uw_source *source, uint32_t *alert_count, uint32_t *anomaly_count);
/* First and next offset of every place. */
enum uw_code uw_source_ends(struct uw_source *source, int64_t *lows, int64_t *highs, struct uw_error *error)
    UW_MUST_USE;
/* The first offset of every place that was written at or after the instant; its end where there is none. */
enum uw_code uw_source_times(struct uw_source *source, int64_t instant_ms, int64_t *offsets,
                             struct uw_error *error) UW_MUST_USE;
/* Begins to read at these offsets. */
enum uw_code uw_source_start(struct uw_source *source, const int64_t *offsets, struct uw_error *error) UW_MUST_USE;
enum uw_code uw_source_next(struct uw_source *source, int32_t timeout_ms, struct uw_source_message *message,
                            struct uw_error *error) UW_MUST_USE;

#endif
