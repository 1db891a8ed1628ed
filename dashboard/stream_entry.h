/* One event of the live stream, encoded once for everybody. */
#ifndef UW_DASHBOARD_STREAM_ENTRY_H
#define UW_DASHBOARD_STREAM_ENTRY_H

#include "dashboard/stream_filter.h"
#include "schemas/codec.h"

/* Ids and bodies stay far below. */
#define UW_STREAM_TEXT_BYTES_MAX ((size_t)64 * 1024)

struct uw_stream_entry {
    struct uw_stream_event about; /* its strings are in `bytes` */
    uint32_t place;               /* of the partition, alerts' first */
    int64_t offset;
    uint32_t id_length, body_length, size;
    char bytes[]; /* "id: ...\n", then "event: ...\ndata: ...\n\n", then the strings of `about` */
};

/* The body of an event's text, in `arena`, and what filters look at. False for an event that this program is too old
 * to read. */
bool uw_stream_encode(struct uw_codec *codec, bool alerts, struct uw_str value, struct uw_arena *arena,
                      struct uw_stream_event *about, struct uw_str *body) UW_MUST_USE;
/* To be freed with free(); place and offset are the caller's to set. NULL without memory. */
struct uw_stream_entry *uw_stream_entry_make(const struct uw_stream_event *about, struct uw_str id,
                                             struct uw_str body);

#endif
