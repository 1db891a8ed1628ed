/*
 * Webhooks: subscriptions of which every event is posted to a URL until its receiver has accepted it.
 *
 * Two threads, each of which works while it holds its task's row in PostgreSQL, so that of several servers one does it:
 *   feed  reads the topics, committed records only, and queues a delivery for every webhook whose filter and rights
 *         let the event through; the position in the topics is stored in the same transaction;
 *   send  posts what is queued, in order per client and decision, and writes down what became of it.
 * A delivery that was accepted while the server died is posted again: at least once, with the same id.
 */
#ifndef UW_DASHBOARD_WEBHOOK_H
#define UW_DASHBOARD_WEBHOOK_H

#include "dashboard/stream.h"
#include "dashboard/webhook_guard.h"

/* Webhooks that can be there at once. */
#define UW_WEBHOOKS_MAX 1000
/* Requests at once to one webhook. */
#define UW_WEBHOOK_PARALLEL_MAX 4
/* Of a receiver's answer so much is read, and thrown away. */
#define UW_WEBHOOK_ANSWER_BYTES_MAX ((size_t)64 * 1024)
/* Longest time for which both secrets sign after a change. */
#define UW_WEBHOOK_OVERLAP_HOURS_MAX 168
/* Deliveries that are over and kept for one webhook. */
#define UW_WEBHOOK_LOG_MAX 100000

struct uw_webhook_options {
    bool enabled; /* false: the API is there, and another server does the work */
    const char *dsn;
    int32_t database_timeout_ms;
    struct uw_stream_options topics; /* how the topics are read; the ring is not used */
    const char *source;              /* of every event: the URI reference of this installation */
    struct uw_guard guard;
    const char *ca_file; /* "": the system's */
    int32_t per_token_max, queued_max, connections_max;
    int32_t timeout_ms;               /* of one request */
    int32_t retry_min_ms, retry_max_ms;
    int32_t give_up_minutes;          /* after the first attempt */
    int32_t retention_days;           /* of deliveries that are over */
    void *context;
    void (*log)(void *context, const char *text);
};

/* What this server has done since it started. */
struct uw_webhook_statistics {
    uint64_t queued;                                   /* deliveries */
    uint64_t delivered, refused, unreachable, blocked; /* attempts: 2xx; another status; no answer; the guard said no */
    uint64_t given_up;                                 /* deliveries */
    bool feeding, sending;                             /* this server does it */
};

struct uw_webhooks;

enum uw_code uw_webhooks_open(const struct uw_webhook_options *options, struct uw_webhooks **webhooks,
                              struct uw_error *error) UW_MUST_USE;
/* Waits a little for requests that are under way. */
void uw_webhooks_close(struct uw_webhooks **webhooks);
void uw_webhooks_statistics(struct uw_webhooks *webhooks, struct uw_webhook_statistics *statistics);
const struct uw_webhook_options *uw_webhooks_options(const struct uw_webhooks *webhooks);

/* ---- webhook_api.c: /api/v1/webhooks; `id` and `delivery` are of the path ---- */

typedef void uw_webhook_call(struct uw_webhooks *webhooks, struct uw_desk *desk, const struct uw_principal *principal,
                             struct uw_http_request *request, struct uw_str id, struct uw_str delivery);
uw_webhook_call uw_webhook_list, uw_webhook_create, uw_webhook_show, uw_webhook_change, uw_webhook_delete;
uw_webhook_call uw_webhook_pause, uw_webhook_resume, uw_webhook_take, uw_webhook_rotate, uw_webhook_test;
uw_webhook_call uw_webhook_replay, uw_webhook_deliveries, uw_webhook_delivery, uw_webhook_replay_delivery;

/* ---- webhook_metrics.c ---- */

/* Adds the figures to /metrics; within a transaction of the owner, or without a database when `desk` is NULL. */
void uw_webhook_metrics(struct uw_webhooks *webhooks, struct uw_desk *desk, struct uw_text *text);

#endif
