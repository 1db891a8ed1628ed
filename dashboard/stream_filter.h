/* What a subscriber wants to see, and may. */
#ifndef UW_DASHBOARD_STREAM_FILTER_H
#define UW_DASHBOARD_STREAM_FILTER_H

#include "core/outcome.h"
#include "dashboard/desk.h"

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

/* Reads the request's parameters; false with the problem as its answer. */
bool uw_stream_filter_read(struct uw_http_request *request, const struct uw_principal *principal,
                           struct uw_stream_filter *filter);
void uw_stream_filter_close(struct uw_stream_filter *filter);
bool uw_stream_filter_matches(const struct uw_stream_filter *filter, const struct uw_stream_event *event);

#endif
