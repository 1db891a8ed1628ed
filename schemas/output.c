/* Outputs as records of the outbox, and back. */
#include "schemas/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "schemas/codec_internal.h"
#include "schemas/identity.h"
#include "schemas/refuse.h"

#define CHANGE_HEADERS 4
#define DEAD_LETTER_HEADERS 5

/* ---- encoding ---- */

static enum uw_code set_id(const char *text, struct uw_uuid *uuid)
{
    return uw_uuid_parse(uw_str_from(text), uuid) ? UW_OK : UW_EINTERNAL;
}

/* A null where the schema has a plain string: written as an empty one. */
static struct uw_str not_null(struct uw_str text)
{
    return uw_str_is_null(text) ? UW_STR("") : text;
}

/* Headers that alerts and anomalies share. */
static enum uw_code set_headers(const char *id, int32_t revision, const char *kind, enum uw_status status,
                                struct uw_arena *arena, struct uw_outbox_record *record)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%" PRId32, revision);
    struct uw_header *headers = uw_arena_take(arena, CHANGE_HEADERS * sizeof *headers);
    struct uw_str id_text = uw_arena_copy(arena, uw_str_from(id));
    struct uw_str number_text = uw_arena_copy(arena, uw_str_from(number));
    if (headers == NULL || uw_str_is_null(id_text) || uw_str_is_null(number_text)) {
        return UW_ENOMEM;
    }
    headers[0] = (struct uw_header){UW_STR("id"), id_text};
    headers[1] = (struct uw_header){UW_STR("revision"), number_text};
    headers[2] = (struct uw_header){UW_STR("kind"), uw_str_from(kind)};
    headers[3] = (struct uw_header){UW_STR("status"), uw_str_from(uw_status_name(status))};
    record->headers = headers;
    record->header_count = CHANGE_HEADERS;
    return UW_OK;
}

static enum uw_code encode_alert(void *context, const struct uw_alert_change *alert, int64_t observed_at_ms,
                                 struct uw_arena *arena, struct uw_outbox_record *record)
{
    const struct uw_output_encoder *output = context;
    struct uw_alert_record made = {.alert = *alert, .observed_at_ms = observed_at_ms};
    made.alert.provider = not_null(alert->provider);
    struct uw_outbox_record filled = *record;
    filled.output = UW_OUTPUT_ALERTS;
    filled.key = uw_arena_copy(arena, alert->client);
    char id[UW_ID_TEXT_BYTES];
    enum uw_code code = uw_str_is_null(filled.key) ? UW_ENOMEM : uw_alert_id(alert, id);
    if (code == UW_OK) {
        code = set_id(id, &made.alert_id);
    }
    if (code == UW_OK) {
        code = uw_codec_encode_shape(output->codec, UW_SHAPE_ALERT, &made, arena, &filled.value);
    }
    if (code == UW_OK) {
        code = set_headers(id, alert->revision, uw_alert_kind_name(alert->kind), alert->status, arena, &filled);
    }
    if (code == UW_OK) {
        *record = filled;
    }
    return code;
}

/* The text of a subject in the arena. */
static enum uw_code subject_text(const struct uw_subject *subject, struct uw_arena *arena, struct uw_str *text)
{
    char buffer[UW_SUBJECT_TEXT_BYTES];
    size_t length = uw_subject_format(subject, buffer, sizeof buffer);
    length = length < sizeof buffer ? length : sizeof buffer - 1;
    struct uw_str copy = uw_arena_copy(arena, (struct uw_str){buffer, (uint32_t)length});
    if (uw_str_is_null(copy)) {
        return UW_ENOMEM;
    }
    *text = copy;
    return UW_OK;
}

static enum uw_code encode_anomaly(void *context, const struct uw_anomaly_change *anomaly, int64_t observed_at_ms,
                                   struct uw_arena *arena, struct uw_outbox_record *record)
{
    const struct uw_output_encoder *output = context;
    struct uw_anomaly_record made = {.anomaly = *anomaly, .observed_at_ms = observed_at_ms};
    made.anomaly.provider = not_null(anomaly->provider);
    struct uw_outbox_record filled = *record;
    filled.output = UW_OUTPUT_ANOMALIES;
    filled.key = uw_arena_copy(arena, anomaly->client);
    char id[UW_ID_TEXT_BYTES];
    enum uw_code code = uw_str_is_null(filled.key) ? UW_ENOMEM : uw_anomaly_id(anomaly, id);
    if (code == UW_OK) {
        code = set_id(id, &made.anomaly_id);
    }
    if (code == UW_OK) {
        code = subject_text(&anomaly->subject, arena, &made.subject);
    }
    if (code == UW_OK && anomaly->has_other) {
        code = subject_text(&anomaly->other, arena, &made.other);
    }
    if (code == UW_OK) {
        code = uw_codec_encode_shape(output->codec, UW_SHAPE_ANOMALY, &made, arena, &filled.value);
    }
    if (code == UW_OK) {
        code = set_headers(id, anomaly->revision, uw_anomaly_kind_name(anomaly->kind), anomaly->status, arena,
                           &filled);
    }
    if (code == UW_OK) {
        *record = filled;
    }
    return code;
}

/* A copy that keeps a null a null. */
static bool copy_bytes(struct uw_arena *arena, struct uw_str bytes, struct uw_str *copy)
{
    *copy = uw_arena_copy(arena, bytes);
    return uw_str_is_null(bytes) || !uw_str_is_null(*copy);
}

static bool set_number(struct uw_arena *arena, int64_t number, struct uw_str *text)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%" PRId64, number);
    return copy_bytes(arena, uw_str_from(digits), text);
}

static enum uw_code encode_dead_letter(void *context, const struct uw_message *message,
                                       const struct uw_refusal *refusal, struct uw_arena *arena,
                                       struct uw_outbox_record *record)
{
    const struct uw_output_encoder *output = context;
    uint32_t kept = message->header_count;
    struct uw_header *headers = uw_arena_take(arena, ((size_t)kept + DEAD_LETTER_HEADERS) * sizeof *headers);
    struct uw_outbox_record filled = *record;
    if (headers == NULL || !copy_bytes(arena, message->key, &filled.key) ||
        !copy_bytes(arena, message->value, &filled.value)) {
        return UW_ENOMEM;
    }
    for (uint32_t i = 0; i < kept; i++) {
        if (!copy_bytes(arena, message->headers[i].name, &headers[i].name) ||
            !copy_bytes(arena, message->headers[i].value, &headers[i].value)) {
            return UW_ENOMEM;
        }
    }
    struct uw_header *added = headers + kept;
    added[0].name = UW_STR("__streams.errors.exception");
    added[0].value = uw_str_from(uw_refusal_reason_name(refusal->reason));
    added[1].name = UW_STR("__streams.errors.message");
    added[2].name = UW_STR("__streams.errors.topic");
    added[3].name = UW_STR("__streams.errors.partition");
    added[4].name = UW_STR("__streams.errors.offset");
    if (!copy_bytes(arena, uw_str_from(refusal->text), &added[1].value) ||
        !copy_bytes(arena, uw_str_from(output->topics[message->topic]), &added[2].value) ||
        !set_number(arena, message->partition, &added[3].value) ||
        !set_number(arena, message->offset, &added[4].value)) {
        return UW_ENOMEM;
    }
    filled.output = UW_OUTPUT_DEAD_LETTERS;
    filled.headers = headers;
    filled.header_count = kept + DEAD_LETTER_HEADERS;
    *record = filled;
    return UW_OK;
}

void uw_output_encoder_port(struct uw_output_encoder *output, struct uw_encoder *encoder)
{
    *encoder = (struct uw_encoder){output, encode_alert, encode_anomaly, encode_dead_letter};
}

/* ---- decoding ---- */

/* UNKNOWN of the schema is -1 in the struct (shape.c). */
static bool is_unknown(int64_t value)
{
    return value == -1 || value == UINT32_MAX;
}

enum uw_code uw_output_decode_alert(struct uw_codec *codec, struct uw_str value, struct uw_arena *arena,
                                    struct uw_alert_record *record, struct uw_refusal *refusal, struct uw_error *error)
{
    struct uw_alert_record decoded = {.observed_at_ms = 0};
    enum uw_code code = uw_codec_decode_shape(codec, UW_SHAPE_ALERT, value, arena, &decoded, refusal, error);
    if (code != UW_OK) {
        return code;
    }
    if (is_unknown((int64_t)decoded.alert.kind)) {
        return uw_refuse(refusal, UW_REFUSED_RULE, "kind: newer than this program");
    }
    if (is_unknown((int64_t)decoded.alert.severity)) {
        return uw_refuse(refusal, UW_REFUSED_RULE, "severity: newer than this program");
    }
    *record = decoded;
    return UW_OK;
}

static bool has_prefix(struct uw_str text, struct uw_str prefix)
{
    return text.length > prefix.length && memcmp(text.data, prefix.data, prefix.length) == 0;
}

/* The reverse of uw_subject_format. A provider has no slash; what follows the first one may. */
static bool parse_subject(struct uw_str text, struct uw_subject *subject)
{
    static const struct uw_str prefixes[] = {{"line:", 5}, {"no-show:", 8}, {"version:", 8}};
    for (int kind = UW_SUBJECT_LINE; kind <= UW_SUBJECT_VERSION; kind++) {
        if (!has_prefix(text, prefixes[kind])) {
            continue;
        }
        struct uw_str rest = {text.data + prefixes[kind].length, text.length - prefixes[kind].length};
        struct uw_subject parsed = {.kind = (enum uw_subject_kind)kind};
        if (kind == UW_SUBJECT_VERSION) {
            for (uint32_t i = 0; i < rest.length; i++) {
                int digit = rest.data[i] - '0';
                if (digit < 0 || digit > 9 || parsed.version > (INT32_MAX - digit) / 10) {
                    return false;
                }
                parsed.version = parsed.version * 10 + digit;
            }
        } else {
            const char *slash = memchr(rest.data, '/', rest.length);
            if (slash == NULL) {
                return false;
            }
            uint32_t length = (uint32_t)(slash - rest.data);
            parsed.provider = (struct uw_str){rest.data, length};
            parsed.id = (struct uw_str){slash + 1, rest.length - length - 1};
        }
        *subject = parsed;
        return true;
    }
    return false;
}

enum uw_code uw_output_decode_anomaly(struct uw_codec *codec, struct uw_str value, struct uw_arena *arena,
                                      struct uw_anomaly_record *record, struct uw_refusal *refusal,
                                      struct uw_error *error)
{
    struct uw_anomaly_record decoded = {.observed_at_ms = 0};
    enum uw_code code = uw_codec_decode_shape(codec, UW_SHAPE_ANOMALY, value, arena, &decoded, refusal, error);
    if (code != UW_OK) {
        return code;
    }
    if (is_unknown((int64_t)decoded.anomaly.kind)) {
        return uw_refuse(refusal, UW_REFUSED_RULE, "kind: newer than this program");
    }
    if (!parse_subject(decoded.subject, &decoded.anomaly.subject)) {
        return uw_refuse(refusal, UW_REFUSED_RULE, "subject: not line:, no-show: or version:");
    }
    decoded.anomaly.has_other = !uw_str_is_null(decoded.other);
    if (decoded.anomaly.has_other && !parse_subject(decoded.other, &decoded.anomaly.other)) {
        return uw_refuse(refusal, UW_REFUSED_RULE, "other: not line:, no-show: or version:");
    }
    *record = decoded;
    return UW_OK;
}
