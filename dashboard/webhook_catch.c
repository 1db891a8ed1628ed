/*
 * Webhooks that are behind: their queue was full, or something is to be sent again. One at a time is fed from a place
 * of
 * its own up to where the others are, in rounds: the end of a round is where the others were at its beginning. When
 * that is near, the others wait for the end of the round, from which on the webhook is fed with them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dashboard/webhook_feed.h"

#define LOOK_MS 1000
#define POLL_MS 20
#define STALLED_MS 20000
/* Offsets, of all partitions together. */
#define NEAR_MAX 2000

struct uw_str uw_feed_id(char text[24], int64_t id)
{
    snprintf(text, 24, "%" PRId64, id);
    return uw_str_from(text);
}

bool uw_feed_catch_alone(const struct uw_feed *feed)
{
    return feed->catching && feed->alone;
}

void uw_feed_catch_end(struct uw_feed *feed)
{
    uw_source_close(&feed->catch_source);
    free(feed->behind);
    feed->behind = NULL;
    feed->catching = feed->alone = false;
}

static bool is_reached(const struct uw_feed *feed)
{
    return memcmp(feed->own, feed->target, uw_feed_places(feed) * sizeof *feed->own) == 0;
}

/* A round up to where the others are now. */
static enum uw_code begin_round(struct uw_feed *feed, struct uw_error *error)
{
    int64_t left = 0;
    memcpy(feed->target, feed->position, sizeof feed->target);
    for (uint32_t i = 0; i < uw_feed_places(feed); i++) {
        left += feed->target[i] - feed->own[i];
    }
    feed->alone = left <= NEAR_MAX;
    feed->catch_ms = uw_webhook_clock_ms();
    return uw_source_start(feed->catch_source, feed->own, error);
}

/* ---- beginning ---- */

/* From where the webhook has to be fed: the earliest place of those that are wanted. */
static enum uw_code find_own(struct uw_feed *feed, const struct uw_webhook_subscription *late, bool *gap,
                             struct uw_error *error)
{
    int64_t wanted[UW_STREAM_PLACES_MAX], lows[UW_STREAM_PLACES_MAX] = {0}, highs[UW_STREAM_PLACES_MAX] = {0};
    const struct uw_str positions[] = {late->behind, late->replay_from};
    bool replays = !uw_str_is_null(late->replay_from) || !uw_str_is_null(late->replay_since);
    enum uw_code code = uw_source_ends(feed->catch_source, lows, highs, error);
    memcpy(feed->own, feed->position, sizeof feed->own);
    for (size_t k = 0; code == UW_OK && k < sizeof positions / sizeof positions[0]; k++) {
        bool read = !uw_str_is_null(positions[k]) &&
                    uw_position_read(&feed->arena, positions[k], wanted, feed->alert_count, feed->anomaly_count);
        for (uint32_t i = 0; read && i < uw_feed_places(feed); i++) {
            feed->own[i] = wanted[i] < feed->own[i] ? wanted[i] : feed->own[i];
        }
    }
    if (code == UW_OK && !uw_str_is_null(late->replay_since)) {
        code = uw_source_times(feed->catch_source, strtoll(late->replay_since.data, NULL, 10), wanted, error);
        for (uint32_t i = 0; code == UW_OK && i < uw_feed_places(feed); i++) {
            feed->own[i] = wanted[i] < feed->own[i] ? wanted[i] : feed->own[i];
        }
    }
    /* Who asks for more than there is gets what there is; that is no gap. */
    *gap = code == UW_OK && uw_feed_fit(feed, lows, highs, feed->own) && !replays;
    return code;
}

static enum uw_code store_begin(struct uw_feed *feed, const struct uw_webhook_subscription *late, bool gap,
                                bool *begun, struct uw_error *error)
{
    /* Unless something else was asked for in between; then it is looked at again. */
    static const char sql[] =
        "UPDATE urenwacht_data.webhook SET behind = $2::text, replay_since = NULL, replay_from = NULL, gap_at = CASE "
        "WHEN "
        "($6::text)::boolean THEN now() ELSE gap_at END WHERE id = ($1::text)::bigint AND behind IS NOT DISTINCT FROM "
        "$3::text AND (extract(epoch FROM replay_since) * 1000)::bigint IS NOT DISTINCT FROM ($4::text)::bigint AND "
        "replay_from IS NOT DISTINCT FROM $5::text";
    char id[24];
    int64_t rows = 0;
    struct uw_str behind = UW_STR_NULL;
    enum uw_code code = uw_feed_write_position(feed, feed->own, &behind, error);
    const struct uw_str arguments[] = {
        uw_feed_id(id, late->id), behind, late->behind, late->replay_since, late->replay_from,
        gap ? UW_STR("true") : UW_STR("false")};
    if (code == UW_OK) {
        code = uw_desk_begin(feed->desk, NULL, true, error);
    }
    if (code == UW_OK) {
        code = uw_webhook_task_hold(feed->webhooks, feed->desk, "feed", UW_STR_NULL, error);
    }
    if (code == UW_OK) {
        code = uw_webhook_run(feed->desk, sql, arguments, 6, &rows, error);
    }
    if (code == UW_OK) {
        code = uw_desk_commit(feed->desk, error);
    }
    if (code == UW_OK) {
        *begun = rows == 1;
        feed->behind = strdup(behind.data);
        if (feed->behind == NULL) {
            code = uw_error_set(error, UW_ENOMEM, UW_CLASS_RETRY, "no memory for a position");
        }
    }
    return code;
}

static enum uw_code begin_catching(struct uw_feed *feed, const struct uw_webhook_subscription *late,
                                   struct uw_error *error)
{
    bool gap = false, begun = false;
    enum uw_code code = uw_source_open(&feed->webhooks->options.topics, &feed->catch_source, error);
    feed->catching = true;
    feed->catch_id = late->id;
    if (code == UW_OK) {
        code = find_own(feed, late, &gap, error);
    }
    if (code == UW_OK) {
        code = store_begin(feed, late, gap, &begun, error);
    }
    if (code == UW_OK && begun) {
        return begin_round(feed, error);
    }
    uw_feed_catch_end(feed);
    return code;
}

/* The next webhook that is behind and whose queue is half empty, in turn. */
static enum uw_code look(struct uw_feed *feed, struct uw_error *error)
{
    const struct uw_webhook_subscription *found = NULL;
    enum uw_code code = uw_desk_begin(feed->desk, NULL, false, error);
    feed->catch_ms = uw_webhook_clock_ms();
    uw_arena_reset(&feed->arena);
    if (code == UW_OK) {
        code = uw_webhook_list_load(feed->desk, true, &feed->list, error);
    }
    if (code == UW_OK) {
        code = uw_desk_commit(feed->desk, error);
    }
    for (uint32_t i = 0; code == UW_OK && i < feed->list.count; i++) {
        const struct uw_webhook_subscription *item = &feed->list.items[i];
        bool room = item->queued <= feed->webhooks->options.queued_max / 2;
        if (room && (found == NULL || (found->id <= feed->catch_last && item->id > feed->catch_last))) {
            found = item;
        }
    }
    if (code != UW_OK || found == NULL) {
        return code;
    }
    feed->catch_last = found->id;
    return begin_catching(feed, found, error);
}

/* ---- going on ---- */

/* The webhook as it is in this transaction; NULL when it is gone, stopped, or something else was asked for. */
static const struct uw_webhook_subscription *find_late(const struct uw_feed *feed)
{
    for (uint32_t i = 0; i < feed->list.count; i++) {
        const struct uw_webhook_subscription *item = &feed->list.items[i];
        if (item->id == feed->catch_id) {
            bool same = uw_str_equal(item->behind, uw_str_from(feed->behind)) && uw_str_is_null(item->replay_from) &&
                        uw_str_is_null(item->replay_since);
            return same ? item : NULL;
        }
    }
    return NULL;
}

static enum uw_code queue_late(struct uw_feed *feed, const struct uw_webhook_subscription *late, struct uw_str behind,
                               struct uw_error *error)
{
    char id[24];
    const struct uw_str arguments[] = {uw_feed_id(id, late->id), behind};
    uint32_t matches = uw_webhook_batch_matches(feed->batch, late);
    enum uw_code code = UW_OK;
    if (matches > 0) {
        feed->queued += matches;
        code = uw_webhook_batch_type(feed->batch, feed->desk, error);
        if (code == UW_OK) {
            code = uw_webhook_batch_queue(feed->batch, feed->desk, late, feed->webhooks->options.source, error);
        }
    }
    if (code == UW_OK) {
        code = uw_webhook_run(feed->desk, "UPDATE urenwacht_data.webhook SET behind = $2::text WHERE id = "
                                          "($1::text)::bigint",
                              arguments, 2, NULL, error);
    }
    return code;
}

/* Stores what was read for the webhook; *goes_on false: it has to wait for room, or is another's matter. */
static enum uw_code store_step(struct uw_feed *feed, struct uw_str behind, bool *goes_on, struct uw_error *error)
{
    const struct uw_webhook_subscription *late = NULL;
    enum uw_code code = uw_desk_begin(feed->desk, NULL, true, error);
    if (code == UW_OK) {
        code = uw_webhook_task_hold(feed->webhooks, feed->desk, "feed", UW_STR_NULL, error);
    }
    if (code == UW_OK) {
        code = uw_webhook_list_load(feed->desk, true, &feed->list, error);
    }
    if (code != UW_OK) {
        return code;
    }
    late = find_late(feed);
    *goes_on = late != NULL && late->queued + uw_webhook_batch_matches(feed->batch, late) <=
                                   feed->webhooks->options.queued_max;
    if (!*goes_on) {
        uw_desk_rollback(feed->desk);
        return UW_OK;
    }
    code = queue_late(feed, late, behind, error);
    return code == UW_OK ? uw_desk_commit(feed->desk, error) : code;
}

static enum uw_code step(struct uw_feed *feed, struct uw_error *error)
{
    int64_t before[UW_STREAM_PLACES_MAX];
    struct uw_str behind = UW_STR_NULL;
    bool goes_on = false, done;
    enum uw_code code = UW_OK;
    memcpy(before, feed->own, sizeof before);
    uw_arena_reset(&feed->arena);
    uw_webhook_batch_reset(feed->batch);
    if (!is_reached(feed)) {
        code = uw_feed_collect(feed, feed->catch_source, feed->own, feed->target, POLL_MS, feed->batch, error);
    }
    if (code == UW_OK && !is_reached(feed) && memcmp(before, feed->own, sizeof before) == 0) {
        bool stalled = uw_webhook_clock_ms() - feed->catch_ms > STALLED_MS;
        return stalled ? uw_error_set(error, UW_ETIMEOUT, UW_CLASS_RETRY, "webhooks: Kafka gives no events") : UW_OK;
    }
    done = is_reached(feed) && memcmp(feed->own, feed->position, uw_feed_places(feed) * sizeof *feed->own) == 0;
    if (code == UW_OK && !done) {
        code = uw_feed_write_position(feed, feed->own, &behind, error);
    }
    if (code == UW_OK) {
        code = store_step(feed, behind, &goes_on, error);
    }
    if (code != UW_OK) {
        return code;
    }
    feed->catch_ms = uw_webhook_clock_ms();
    if (!goes_on || done) {
        feed->queued = goes_on ? feed->queued : 0;
        uw_feed_counted(feed);
        uw_feed_catch_end(feed);
        return UW_OK;
    }
    uw_feed_counted(feed);
    free(feed->behind);
    feed->behind = strdup(behind.data);
    if (feed->behind == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_RETRY, "no memory for a position");
    }
    return is_reached(feed) ? begin_round(feed, error) : UW_OK;
}

enum uw_code uw_feed_catch(struct uw_feed *feed, struct uw_error *error)
{
    if (feed->catching) {
        return step(feed, error);
    }
    return uw_webhook_clock_ms() - feed->catch_ms < LOOK_MS ? UW_OK : look(feed, error);
}
