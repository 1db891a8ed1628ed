/* What the files of the webhooks share; private to them. */
#ifndef UW_DASHBOARD_WEBHOOK_PARTS_H
#define UW_DASHBOARD_WEBHOOK_PARTS_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "dashboard/access.h"
#include "dashboard/webhook.h"
#include "dashboard/webhook_event.h"

#define UW_WEBHOOK_HOLDER_BYTES UW_SECRET_TEXT_BYTES
/* How long a holder of a task may say nothing; it says something every UW_WEBHOOK_RENEW_MS. */
#define UW_WEBHOOK_LEASE_SECONDS "15"
#define UW_WEBHOOK_RENEW_MS 3000

struct uw_webhooks {
    struct uw_webhook_options options;
    char holder[UW_WEBHOOK_HOLDER_BYTES]; /* of both tasks, when they are held */
    pthread_t feeder, sender;
    uint32_t thread_count;
    atomic_bool stopping;
    CURLM *multi;      /* for the wake-up of the sender */
    atomic_bool awake; /* something was queued */

    pthread_mutex_t lock; /* what is below */
    struct uw_webhook_statistics statistics;
};

/* webhook_feed.c and webhook_send.c: the threads. */
void *uw_webhook_feed(void *webhooks);
void *uw_webhook_send(void *webhooks);

/* Said where no webhook of that number is seen by the token. */
#define UW_WEBHOOK_SEEN_SQL "SELECT 'x' FROM urenwacht_data.webhook WHERE id = ($1::text)::bigint"
#define UW_WEBHOOK_MISSING "there is no such webhook among what this token sees"

/* ---- webhook_task.c ---- */

int64_t uw_webhook_clock_ms(void);
/* Waits, but not longer than until the end. */
void uw_webhook_pause_ms(struct uw_webhooks *webhooks, int64_t pause_ms);
void uw_webhook_log(struct uw_webhooks *webhooks, const char *text);

/* Takes the task when nobody holds it; *position, when it is asked for, is in `arena` or null. */
enum uw_code uw_webhook_task_take(struct uw_webhooks *webhooks, struct uw_desk *desk, const char *task,
                                  struct uw_arena *arena, bool *taken, struct uw_str *position,
                                  struct uw_error *error) UW_MUST_USE;
/* Within a transaction: this server still holds the task and goes on; stores the position when it is not null.
 * UW_EFENCED: another one has it now. */
enum uw_code uw_webhook_task_hold(struct uw_webhooks *webhooks, struct uw_desk *desk, const char *task,
                                  struct uw_str position, struct uw_error *error) UW_MUST_USE;
void uw_webhook_task_give_up(struct uw_webhooks *webhooks, struct uw_desk *desk, const char *task);

/* Runs a statement whose rows nobody reads; *rows, when asked for, is how many it touched or returned. */
enum uw_code uw_webhook_run(struct uw_desk *desk, const char *sql, const struct uw_str *arguments,
                            uint32_t argument_count, int64_t *rows, struct uw_error *error) UW_MUST_USE;

/* ---- webhook_filter.c ---- */

#define UW_WEBHOOK_FILTER_PAIRS_MAX 8

/* Reads the JSON object of a filter for the rights of `principal`; false with *refusal. */
bool uw_webhook_filter_make(struct uw_str json, const struct uw_principal *principal, struct uw_stream_filter *filter,
                            struct uw_stream_refusal *refusal) UW_MUST_USE;

/* ---- webhook_queue.c: matching and queueing ---- */

/* A webhook as the feed sees it. */
struct uw_webhook_subscription {
    int64_t id;
    struct uw_stream_filter filter;
    struct uw_str behind;      /* null: as far as the others; in the arena of the list */
    struct uw_str replay_from; /* a position from which all is wanted again; null: none */
    struct uw_str replay_since; /* the same as an instant, in ms since 1970 as text */
    int64_t queued;       /* deliveries that are not over */
};

struct uw_webhook_list {
    struct uw_arena arena;
    struct uw_webhook_subscription *items;
    uint32_t count;
};

void uw_webhook_list_init(struct uw_webhook_list *list);
void uw_webhook_list_close(struct uw_webhook_list *list);
/* Within a transaction: those whose token is valid and that are not stopped; `late` those that are behind or replay,
 * else
 * the others. */
enum uw_code uw_webhook_list_load(struct uw_desk *desk, bool late, struct uw_webhook_list *list,
                                  struct uw_error *error) UW_MUST_USE;

/* Records of the topics that are worked on together; values are copied. */
#define UW_WEBHOOK_BATCH_EVENTS 500
#define UW_WEBHOOK_BATCH_BYTES ((size_t)8 * 1024 * 1024)

struct uw_webhook_batch {
    struct uw_arena arena, scratch; /* scratch: of one webhook's statement */
    uint32_t count;
    struct uw_stream_record records[UW_WEBHOOK_BATCH_EVENTS];
    const char *types[UW_WEBHOOK_BATCH_EVENTS]; /* of the CloudEvents; static */
    struct uw_str rows[UW_WEBHOOK_BATCH_EVENTS]; /* as they are queued, in JSON; null until somebody gets the event */
};

void uw_webhook_batch_init(struct uw_webhook_batch *batch);
void uw_webhook_batch_reset(struct uw_webhook_batch *batch);
void uw_webhook_batch_close(struct uw_webhook_batch *batch);
/* Adds a record; one that this program is too old to read is left out. UW_ENOMEM. */
enum uw_code uw_webhook_batch_add(struct uw_webhook_batch *batch, struct uw_codec *codec, bool is_alert,
                                  struct uw_str value, struct uw_error *error) UW_MUST_USE;
bool uw_webhook_batch_full(const struct uw_webhook_batch *batch);
/* Within a transaction: finds out which of the events are openings. */
enum uw_code uw_webhook_batch_type(struct uw_webhook_batch *batch, struct uw_desk *desk,
                                   struct uw_error *error) UW_MUST_USE;
/* How many of the events the webhook gets. */
uint32_t uw_webhook_batch_matches(const struct uw_webhook_batch *batch,
                                  const struct uw_webhook_subscription *subscription);
/* Within a transaction: queues what the webhook gets. */
enum uw_code uw_webhook_batch_queue(struct uw_webhook_batch *batch, struct uw_desk *desk,
                                    const struct uw_webhook_subscription *subscription, const char *source,
                                    struct uw_error *error) UW_MUST_USE;

/* ---- webhook_request.c: one request ---- */

struct uw_webhook_request;

/* What became of it. */
struct uw_webhook_result {
    int32_t status; /* 0: no answer came */
    bool accepted, gone, blocked;
    int64_t retry_after_s; /* 0: not said */
    int32_t duration_ms;
    char text[200]; /* what was wrong, "" when accepted */
};

struct uw_webhook_order {
    const char *url, *event_id;
    struct uw_str body;
    const char *secrets; /* base64, with spaces between */
};

/* Begins it on the multi handle; the order is copied. UW_ENOMEM. */
enum uw_code uw_webhook_request_begin(const struct uw_webhook_options *options, CURLM *multi,
                                      const struct uw_webhook_order *order, void *owner,
                                      struct uw_webhook_request **request, struct uw_error *error) UW_MUST_USE;
/* The owner of an easy handle that is done. */
void *uw_webhook_request_owner(CURL *easy);
void uw_webhook_request_result(const struct uw_webhook_request *request, CURLcode why,
                               struct uw_webhook_result *result);
/* Ends it, whether it is done or not. */
void uw_webhook_request_end(CURLM *multi, struct uw_webhook_request **request);

#endif
