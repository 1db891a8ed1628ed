/* From the topics to the queue. */
#include "dashboard/webhook_feed.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_MS 2000
#define STANDBY_MS 1000
#define POLL_MS 100
/* With a webhook that is behind, both readers are asked in turn. */
#define POLL_BUSY_MS 10
/* Positions that moved without an event for anybody are stored so often. */
#define STORE_MS 1000
#define ARENA_BYTES_MAX ((size_t)1024 * 1024)

/* ---- reading ---- */

enum uw_code uw_feed_collect(struct uw_feed *feed, struct uw_source *source, int64_t *position, const int64_t *target,
                             int32_t timeout_ms, struct uw_webhook_batch *batch, struct uw_error *error)
{
    int64_t until_ms = uw_webhook_clock_ms() + timeout_ms;
    uw_webhook_batch_reset(batch);
    while (!uw_webhook_batch_full(batch) && !atomic_load(&feed->webhooks->stopping)) {
        struct uw_source_message message;
        int64_t left_ms = until_ms - uw_webhook_clock_ms();
        enum uw_code code;
        if (left_ms <= 0) {
            return UW_OK;
        }
        /* Once something has come, only what comes at once is taken along. */
        code = uw_source_next(source, (int32_t)(batch->count == 0 || left_ms < 5 ? left_ms : 5), &message, error);
        if (code != UW_OK || (message.what == UW_SOURCE_NOTHING && batch->count > 0)) {
            return code;
        }
        if (message.what == UW_SOURCE_NOTHING) {
            continue;
        }
        if (target != NULL && (message.offset >= target[message.place] || message.what == UW_SOURCE_END)) {
            position[message.place] = target[message.place];
            if (memcmp(position, target, uw_feed_places(feed) * sizeof *target) == 0) {
                return UW_OK;
            }
        } else if (message.what == UW_SOURCE_EVENT) {
            position[message.place] = message.offset + 1;
            code = uw_webhook_batch_add(batch, feed->codec, message.place < feed->alert_count, message.value, error);
            if (code != UW_OK) {
                return code;
            }
        } else if (position[message.place] < message.offset) {
            /* Behind the last event stand markers of transactions, which nobody reads. */
            position[message.place] = message.offset;
        }
    }
    return UW_OK;
}

/* ---- storing ---- */

uint32_t uw_feed_places(const struct uw_feed *feed)
{
    return feed->alert_count + feed->anomaly_count;
}

enum uw_code uw_feed_write_position(struct uw_feed *feed, const int64_t *position, struct uw_str *text,
                                    struct uw_error *error)
{
    const char *written = uw_position_write(&feed->arena, position, feed->alert_count, feed->anomaly_count);
    if (written == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_RETRY, "no memory for a position");
    }
    *text = uw_str_from(written);
    return UW_OK;
}

/* Queues the batch for one webhook. One whose queue is full stays behind, at the place where the batch began: it is
 * fed again from there when its queue has become shorter (webhook_catch.c). */
static enum uw_code feed_one(struct uw_feed *feed, const struct uw_webhook_subscription *subscription,
                             struct uw_error *error)
{
    const struct uw_webhook_options *options = &feed->webhooks->options;
    uint32_t matches = uw_webhook_batch_matches(feed->batch, subscription);
    struct uw_str arguments[2];
    char id[24];
    enum uw_code code;
    if (matches == 0) {
        return UW_OK;
    }
    if (subscription->queued + matches <= options->queued_max) {
        feed->queued += matches;
        return uw_webhook_batch_queue(feed->batch, feed->desk, subscription, options->source, error);
    }
    arguments[0] = uw_feed_id(id, subscription->id);
    code = uw_feed_write_position(feed, feed->stored, &arguments[1], error);
    if (code != UW_OK) {
        uw_desk_rollback(feed->desk);
        return code;
    }
    return uw_webhook_run(feed->desk, "UPDATE urenwacht_data.webhook SET behind = $2::text WHERE id = "
                                      "($1::text)::bigint",
                          arguments, 2, NULL, error);
}

static enum uw_code feed_all(struct uw_feed *feed, struct uw_error *error)
{
    enum uw_code code = UW_OK;
    if (feed->batch->count > 0) {
        code = uw_webhook_list_load(feed->desk, false, &feed->list, error);
        if (code == UW_OK && feed->list.count > 0) {
            code = uw_webhook_batch_type(feed->batch, feed->desk, error);
        }
    }
    for (uint32_t i = 0; code == UW_OK && feed->batch->count > 0 && i < feed->list.count; i++) {
        code = feed_one(feed, &feed->list.items[i], error);
    }
    return code;
}

void uw_feed_counted(struct uw_feed *feed)
{
    struct uw_webhooks *webhooks = feed->webhooks;
    if (feed->queued > 0) {
        pthread_mutex_lock(&webhooks->lock);
        webhooks->statistics.queued += feed->queued;
        pthread_mutex_unlock(&webhooks->lock);
        feed->queued = 0;
        atomic_store(&webhooks->awake, true);
        (void)curl_multi_wakeup(webhooks->multi);
    }
}

static enum uw_code store(struct uw_feed *feed, struct uw_error *error)
{
    int64_t now_ms = uw_webhook_clock_ms();
    bool moved = memcmp(feed->position, feed->stored, sizeof feed->position) != 0;
    struct uw_str position = UW_STR_NULL;
    enum uw_code code;
    if (feed->batch->count == 0 && now_ms - feed->stored_ms < (moved ? STORE_MS : UW_WEBHOOK_RENEW_MS)) {
        return UW_OK;
    }
    uw_arena_reset(&feed->arena);
    code = uw_feed_write_position(feed, feed->position, &position, error);
    if (code == UW_OK) {
        code = uw_desk_begin(feed->desk, NULL, true, error);
    }
    if (code == UW_OK) {
        code = uw_webhook_task_hold(feed->webhooks, feed->desk, "feed", position, error);
    }
    if (code == UW_OK) {
        code = feed_all(feed, error);
    }
    if (code == UW_OK) {
        code = uw_desk_commit(feed->desk, error);
    }
    if (code == UW_OK) {
        memcpy(feed->stored, feed->position, sizeof feed->stored);
        feed->stored_ms = now_ms;
        uw_feed_counted(feed);
    }
    return code;
}

/* ---- where to begin ---- */

bool uw_feed_fit(const struct uw_feed *feed, const int64_t *lows, const int64_t *highs, int64_t *position)
{
    bool gap = false;
    for (uint32_t i = 0; i < uw_feed_places(feed); i++) {
        /* Beyond the end: the topic was made anew. */
        gap = gap || position[i] < lows[i] || position[i] > highs[i];
        if (position[i] < lows[i] || position[i] > highs[i]) {
            position[i] = lows[i];
        }
    }
    return gap;
}

/* Nothing was ever stored: with the first webhook if there is one, or else now. */
static enum uw_code begin_first(struct uw_feed *feed, const int64_t *highs, struct uw_error *error)
{
    PGresult *result = NULL;
    int64_t since_ms = 0;
    enum uw_code code = uw_desk_begin(feed->desk, NULL, false, error);
    memcpy(feed->position, highs, sizeof feed->position);
    if (code == UW_OK) {
        code = uw_desk_query(feed->desk,
                             "SELECT (extract(epoch FROM min(created_at)) * 1000)::bigint::text FROM "
                             "urenwacht_data.webhook",
                             NULL, 0, &result, error);
    }
    if (code == UW_OK) {
        since_ms = uw_desk_integer(result, 0, 0);
        PQclear(result);
        code = uw_desk_commit(feed->desk, error);
    }
    return code == UW_OK && since_ms > 0 ? uw_source_times(feed->source, since_ms, feed->position, error) : code;
}

static enum uw_code begin(struct uw_feed *feed, struct uw_str position, struct uw_error *error)
{
    int64_t lows[UW_STREAM_PLACES_MAX] = {0}, highs[UW_STREAM_PLACES_MAX] = {0};
    enum uw_code code = uw_source_open(&feed->webhooks->options.topics, &feed->source, error);
    if (code == UW_OK) {
        uw_source_counts(feed->source, &feed->alert_count, &feed->anomaly_count);
        code = uw_source_ends(feed->source, lows, highs, error);
    }
    if (code != UW_OK) {
        return code;
    }
    memset(feed->position, 0, sizeof feed->position);
    if (uw_str_is_null(position) || !uw_position_read(&feed->arena, position, feed->position, feed->alert_count,
                                                      feed->anomaly_count)) {
        code = begin_first(feed, highs, error);
    } else if (uw_feed_fit(feed, lows, highs, feed->position)) {
        uw_webhook_log(feed->webhooks, "webhooks: events were gone from the topics before they were queued");
    }
    /* The first transaction stores the position, whatever comes. */
    memcpy(feed->stored, feed->position, sizeof feed->stored);
    feed->stored_ms = uw_webhook_clock_ms() - UW_WEBHOOK_RENEW_MS;
    return code == UW_OK ? uw_source_start(feed->source, feed->position, error) : code;
}

/* ---- the thread ---- */

static void set_feeding(struct uw_feed *feed, bool feeding)
{
    pthread_mutex_lock(&feed->webhooks->lock);
    feed->webhooks->statistics.feeding = feeding;
    pthread_mutex_unlock(&feed->webhooks->lock);
}

static enum uw_code run(struct uw_feed *feed, struct uw_str position, struct uw_error *error)
{
    enum uw_code code = begin(feed, position, error);
    set_feeding(feed, code == UW_OK);
    while (code == UW_OK && !atomic_load(&feed->webhooks->stopping)) {
        bool alone = uw_feed_catch_alone(feed);
        uw_webhook_batch_reset(feed->batch);
        if (!alone) {
            code = uw_feed_collect(feed, feed->source, feed->position, NULL, feed->catching ? POLL_BUSY_MS : POLL_MS,
                                   feed->batch, error);
        }
        if (code == UW_OK) {
            code = store(feed, error);
        }
        if (code == UW_OK) {
            code = uw_feed_catch(feed, error);
        }
    }
    uw_feed_catch_end(feed);
    uw_source_close(&feed->source);
    set_feeding(feed, false);
    return code;
}

static void work(struct uw_feed *feed)
{
    struct uw_webhooks *webhooks = feed->webhooks;
    while (!atomic_load(&webhooks->stopping)) {
        struct uw_error error = {.text = ""};
        struct uw_str position = UW_STR_NULL;
        bool taken = false;
        uw_arena_reset(&feed->arena);
        enum uw_code code = uw_webhook_task_take(webhooks, feed->desk, "feed", &feed->arena, &taken, &position, &error);
        if (code == UW_OK && taken) {
            code = run(feed, position, &error);
        }
        feed->queued = 0;
        if (code != UW_OK) {
            uw_webhook_log(webhooks, error.text);
            uw_webhook_pause_ms(webhooks, RETRY_MS);
        } else if (!taken) {
            uw_webhook_pause_ms(webhooks, STANDBY_MS);
        }
    }
    uw_webhook_task_give_up(webhooks, feed->desk, "feed");
}

void *uw_webhook_feed(void *context)
{
    struct uw_webhooks *webhooks = context;
    const struct uw_webhook_options *options = &webhooks->options;
    struct uw_feed *feed = calloc(1, sizeof *feed);
    struct uw_error error = {.text = "no memory for webhooks"};
    if (feed == NULL) {
        uw_webhook_log(webhooks, error.text);
        return NULL;
    }
    feed->webhooks = webhooks;
    uw_arena_init(&feed->arena, ARENA_BYTES_MAX);
    uw_webhook_list_init(&feed->list);
    feed->batch = calloc(1, sizeof *feed->batch);
    if (feed->batch != NULL) {
        uw_webhook_batch_init(feed->batch);
    }
    if (feed->batch == NULL || uw_codec_open(NULL, &feed->codec, &error) != UW_OK ||
        uw_desk_open(options->dsn, options->database_timeout_ms, &feed->desk, &error) != UW_OK) {
        uw_webhook_log(webhooks, error.text);
    } else {
        work(feed);
    }
    uw_desk_close(&feed->desk);
    uw_codec_close(&feed->codec);
    uw_webhook_list_close(&feed->list);
    if (feed->batch != NULL) {
        uw_webhook_batch_close(feed->batch);
    }
    free(feed->batch);
    uw_arena_close(&feed->arena);
    free(feed);
    return NULL;
}
