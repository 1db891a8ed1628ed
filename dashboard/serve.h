/*
 * `urenwacht serve`: the API, the live stream, the page and its deliveries, put together.
 */
#ifndef UW_DASHBOARD_SERVE_H
#define UW_DASHBOARD_SERVE_H

#include <stdio.h>

#include "consumers/kafka_conf.h"
#include "core/ports.h"
#include "dashboard/webhook.h"

/* What explains a decision: the command has it. Writes the JSON of docs/explain.md to `file`. `as_of_day`
 * UW_DAY_NONE: the processor's. UW_OK with *found false: no fact names the decision for the client. Called by several
 * threads, each with the number of its worker, so that each can have connections of its own. */
typedef enum uw_code uw_serve_explain(void *context, uint32_t worker, const char *municipality, const char *decision,
                                      const char *client, int32_t as_of_day, bool dutch, bool with_anomalies,
                                      FILE *file, bool *found, struct uw_error *error);

struct uw_serve_options {
    const char *dsn;
    int32_t database_timeout_ms; /* of one request's statement */
    const struct uw_property *kafka;
    uint32_t kafka_count;
    int32_t kafka_timeout_ms;
    const char *topics[UW_TOPIC_COUNT], *outputs[UW_OUTPUT_COUNT];
    struct uw_kafka_log kafka_log;
    const char *listen;
    int32_t port; /* 0: any free one; it is logged */
    uint32_t workers, connections_max, connections_per_address_max;
    bool cookie_secure;
    const char *page;             /* folder with the page; "": the one that is compiled in */
    int64_t stream_bytes_max;     /* of the events kept for subscribers */
    /* What the configuration says; the rest is filled in here. */
    struct uw_webhook_options webhooks;
    void *explain_context;
    uw_serve_explain *explain;
    void *context;
    void (*log)(void *context, int level, const char *text); /* syslog's levels; from any thread */
    bool (*stopping)(void *context);                          /* asked several times a second */
    void (*ready)(void *context, int32_t port);
};

/* Serves until `stopping` says so. UW_ECONFIG: something has to be mended first. The process's zone has to be
 * Europe/Amsterdam (TZ). */
enum uw_code uw_serve_run(const struct uw_serve_options *options, struct uw_error *error) UW_MUST_USE;

#endif
