/*
 * What goes out to Kafka: alerts, anomalies and dead letters as records of the outbox, and how a subscriber
 * reads the first two.
 *
 * Alerts and anomalies: key = the client; value = single-object Avro of schemas/alert.avsc or anomaly.avsc;
 * headers, all UTF-8 text:
 *   id        alert_id or anomaly_id: the same for all revisions, so that a store can be compacted by it
 *   revision  1, 2, 3, ...: with `id` it recognises a message that was seen before
 *   kind      SURPLUS_LOW, ...: lets a subscriber choose without reading the value
 *   status    OPEN or RESOLVED
 *
 * Dead letters: key, value and headers of the refused message as they were, and behind them, named as Kafka's
 * KIP-1034 has it, all UTF-8 text:
 *   __streams.errors.exception  why: the name of enum uw_refusal_reason, RULE for instance
 *   __streams.errors.message    what is wrong, in words
 *   __streams.errors.topic, __streams.errors.partition, __streams.errors.offset  where it was read
 */
#ifndef UW_SCHEMAS_OUTPUT_H
#define UW_SCHEMAS_OUTPUT_H

#include "schemas/codec.h"
#include "schemas/shape.h"

/* Embedded by the caller, who keeps what it points to. */
struct uw_output_encoder {
    const struct uw_codec *codec;
    const char *topics[UW_TOPIC_COUNT]; /* the real names of the input topics, for dead letters */
};

/* Fills the port; `output` must outlive it. Each call returns UW_OK or UW_ENOMEM, and sets key, value, headers
 * and `output` of the record; partition and sequence are the caller's. */
void uw_output_encoder_port(struct uw_output_encoder *output, struct uw_encoder *encoder);

/* For subscribers. Any version of the schema is read that the codec knows. UW_EINPUT with *refusal, also for a
 * kind or severity that is newer than this program; otherwise as uw_codec_decode. Strings point into `value`. */
enum uw_code uw_output_decode_alert(struct uw_codec *codec, struct uw_str value, struct uw_arena *arena,
                                    struct uw_alert_record *record, struct uw_refusal *refusal,
                                    struct uw_error *error) UW_MUST_USE;
enum uw_code uw_output_decode_anomaly(struct uw_codec *codec, struct uw_str value, struct uw_arena *arena,
                                      struct uw_anomaly_record *record, struct uw_refusal *refusal,
                                      struct uw_error *error) UW_MUST_USE;

/* One JSON object on one line, with the columns of the views `alert` and `anomaly` (SPEC section 6) as keys;
 * dates are YYYY-MM-DD, observed_at ISO 8601 in UTC. UW_OK or UW_ENOMEM. */
enum uw_code uw_alert_json(const struct uw_alert_record *record, struct uw_arena *arena, struct uw_str *json)
    UW_MUST_USE;
enum uw_code uw_anomaly_json(const struct uw_anomaly_record *record, struct uw_arena *arena, struct uw_str *json)
    UW_MUST_USE;

/* The column `payload`: an object with the figures that the kind has. A figure that the kind has but that does
 * not exist (no expectation, no care yet, no end) is null. */
enum uw_code uw_alert_payload_json(const struct uw_alert_change *alert, struct uw_arena *arena, struct uw_str *json)
    UW_MUST_USE;
/* The evidence: first_day, last_day, minutes, recorded_at, staff, other. */
enum uw_code uw_anomaly_payload_json(const struct uw_anomaly_change *anomaly, struct uw_arena *arena,
                                     struct uw_str *json) UW_MUST_USE;

#endif
