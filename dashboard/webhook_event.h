/*
 * What a webhook sends: an event as CloudEvents 1.0 in structured mode, signed in the manner of Standard Webhooks
 * (standardwebhooks.com), and when it is sent again.
 */
#ifndef UW_DASHBOARD_WEBHOOK_EVENT_H
#define UW_DASHBOARD_WEBHOOK_EVENT_H

#include "dashboard/stream_filter.h"
#include "schemas/text.h"

#define UW_WEBHOOK_KEY_BYTES 32
#define UW_WEBHOOK_KEY_BYTES_MAX 64
/* "whsec_", base64 of the key, NUL. */
#define UW_WEBHOOK_SECRET_TEXT_BYTES 64
/* "v1,", base64 of 32 bytes, NUL. */
#define UW_WEBHOOK_SIGNATURE_BYTES 48
/* UUID, "-r", revision, NUL. */
#define UW_WEBHOOK_EVENT_ID_BYTES 56

/* A new key and the text by which its receiver knows it. UW_EIO: the system has no randomness. */
enum uw_code uw_webhook_key_make(unsigned char key[UW_WEBHOOK_KEY_BYTES], char text[UW_WEBHOOK_SECRET_TEXT_BYTES],
                                 struct uw_error *error) UW_MUST_USE;
/* HMAC-SHA256 of "ID.TIMESTAMP.BODY", the timestamp in seconds since 1970. False without memory. */
bool uw_webhook_sign(const unsigned char *key, size_t key_bytes, const char *id, int64_t timestamp, struct uw_str body,
                     char signature[UW_WEBHOOK_SIGNATURE_BYTES]) UW_MUST_USE;

/* How the revision before stood. */
enum uw_webhook_before { UW_WEBHOOK_BEFORE_UNKNOWN, UW_WEBHOOK_BEFORE_OPEN, UW_WEBHOOK_BEFORE_RESOLVED };

/* "nl.urenwacht.alert.opened", .changed or .resolved, and the same of anomalies. Opened: for the first time or again.
 * */
const char *uw_webhook_event_type(const struct uw_stream_record *record, enum uw_webhook_before before);
/* The same alert or anomaly and revision have the same id, whoever sends it and how often. */
void uw_webhook_event_id(const struct uw_stream_record *record, char id[UW_WEBHOOK_EVENT_ID_BYTES]);
/* The whole body. `source` names this installation. UW_OK or UW_ENOMEM. */
enum uw_code uw_webhook_event_body(const struct uw_stream_record *record, const char *source, const char *type,
                                   struct uw_arena *arena, struct uw_str *body) UW_MUST_USE;
/* Deliveries of one lane go one after another: those of one client and decision. A hash, so that now and then two
 * decisions share one. */
int64_t uw_webhook_lane(const struct uw_stream_record *record);

/* Until the next attempt after `attempts` failures (1 or more): min_ms doubled each time up to max_ms, and then a
 * quarter
 * more or less of it by chance, so that receivers that come back are not met by everybody at once. */
int64_t uw_webhook_backoff_ms(int64_t attempts, int64_t min_ms, int64_t max_ms, uint32_t chance);

#endif
