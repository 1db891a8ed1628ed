/* The feeder of webhooks: what webhook_feed.c and webhook_catch.c share. */
#ifndef UW_DASHBOARD_WEBHOOK_FEED_H
#define UW_DASHBOARD_WEBHOOK_FEED_H

#include "dashboard/stream_source.h"
#include "dashboard/webhook_parts.h"

struct uw_feed {
    struct uw_webhooks *webhooks;
    struct uw_desk *desk;
    struct uw_codec *codec;
    struct uw_source *source;
    uint32_t alert_count, anomaly_count;
    int64_t position[UW_STREAM_PLACES_MAX], stored[UW_STREAM_PLACES_MAX];
    int64_t stored_ms;
    struct uw_webhook_list list;
    struct uw_webhook_batch *batch;
    struct uw_arena arena; /* of one transaction */
    uint64_t queued;       /* deliveries of this transaction */

    /* The one webhook that is behind and being fed from a place of its own. */
    bool catching, alone;
    int64_t catch_id;
    struct uw_source *catch_source;
    int64_t own[UW_STREAM_PLACES_MAX], target[UW_STREAM_PLACES_MAX];
    char *behind;         /* `own` as the webhook's row has it */
    int64_t catch_ms;     /* when something moved last, or was looked for */
    int64_t catch_last;   /* id of the webhook that was looked at last */
};

uint32_t uw_feed_places(const struct uw_feed *feed);
/* Reads events into the batch, for at most timeout_ms, and moves the position behind them; not beyond `target`, when
 * there
 * is one. */
enum uw_code uw_feed_collect(struct uw_feed *feed, struct uw_source *source, int64_t *position, const int64_t *target,
                             int32_t timeout_ms, struct uw_webhook_batch *batch, struct uw_error *error) UW_MUST_USE;
/* The position as text, in the feed's arena. */
enum uw_code uw_feed_write_position(struct uw_feed *feed, const int64_t *position, struct uw_str *text,
                                    struct uw_error *error) UW_MUST_USE;
/* Moves a position that the topics no longer have to their beginning; says whether it had to. */
bool uw_feed_fit(const struct uw_feed *feed, const int64_t *lows, const int64_t *highs, int64_t *position);
/* After a commit: counts what was queued, and wakes the sender. */
void uw_feed_counted(struct uw_feed *feed);
/* A number as an argument. */
struct uw_str uw_feed_id(char text[24], int64_t id);

/* ---- webhook_catch.c ---- */

/* One step with a webhook that is behind, when there is one. */
enum uw_code uw_feed_catch(struct uw_feed *feed, struct uw_error *error) UW_MUST_USE;
/* It is so near that the others wait, or it would never get there. */
bool uw_feed_catch_alone(const struct uw_feed *feed);
void uw_feed_catch_end(struct uw_feed *feed);

#endif
