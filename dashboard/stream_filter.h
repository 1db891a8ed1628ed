/* What a subscriber wants to see, and may. */
#ifndef UW_DASHBOARD_STREAM_FILTER_H
#define UW_DASHBOARD_STREAM_FILTER_H

#include "core/outcome.h"
#include "dashboard/desk.h"
#include "schemas/codec.h"

/* Of an event, what filters look at. */
struct uw_stream_event {
    bool is_alert;
    uint32_t kind; /* enum uw_alert_kind or uw_anomaly_kind */
    enum uw_severity severity; /* of an alert */
    enum uw_status status;
    struct uw_str municipality, provider, client, decision;
};

struct uw_stream_filter {
    uint32_t alert_kinds, anomaly_kinds; /* bits; 0: none of this topic */
    uint32_t severities, statuses;       /* bits; severities of alerts only */
    /* Lists with commas; NULL: all. `allowed` is what the token sees. Owned. */
    char *allowed, *municipalities, *providers;
    char *client, *decision;
};

/* Why a filter is refused: a status of HTTP and a text for people. */
struct uw_stream_refusal {
    int status;
    char text[160];
};

/* Reads the parameters topics, kind, severity, status, municipality, provider, client and decision among `pairs`, as
 * far as they are there; others are not looked at. False with *refusal; `filter` is the caller's to close then too. */
bool uw_stream_filter_make(const struct uw_http_pair *pairs, uint32_t pair_count, const struct uw_principal *principal,
                           struct uw_stream_filter *filter, struct uw_stream_refusal *refusal) UW_MUST_USE;
/* The same from the request; false with the problem as its answer. */
bool uw_stream_filter_read(struct uw_http_request *request, const struct uw_principal *principal,
                           struct uw_stream_filter *filter);
void uw_stream_filter_close(struct uw_stream_filter *filter);
bool uw_stream_filter_matches(const struct uw_stream_filter *filter, const struct uw_stream_event *event);

/* ---- stream_event.c ---- */

/* One record of the topics, decoded. */
struct uw_stream_record {
    struct uw_stream_event about;
    struct uw_uuid id;
    int32_t revision;
    int64_t observed_at_ms;
    struct uw_str json; /* one line, as the views have it; in the arena */
};

/* False for a record that this program is too old to read. Strings point into `value` and `arena`. */
bool uw_stream_decode(struct uw_codec *codec, bool is_alert, struct uw_str value, struct uw_arena *arena,
                      struct uw_stream_record *record) UW_MUST_USE;

#endif
