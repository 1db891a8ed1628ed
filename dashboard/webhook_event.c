#include "dashboard/webhook_event.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#define SECRET_PREFIX "whsec_"
#define DOUBLINGS_MAX 40

enum uw_code uw_webhook_key_make(unsigned char key[UW_WEBHOOK_KEY_BYTES], char text[UW_WEBHOOK_SECRET_TEXT_BYTES],
                                 struct uw_error *error)
{
    size_t prefix = sizeof SECRET_PREFIX - 1;
    if (RAND_bytes(key, UW_WEBHOOK_KEY_BYTES) != 1) {
        return uw_error_set(error, UW_EIO, UW_CLASS_FATAL, "the system gives no random numbers");
    }
    memcpy(text, SECRET_PREFIX, prefix);
    (void)EVP_EncodeBlock((unsigned char *)text + prefix, key, UW_WEBHOOK_KEY_BYTES);
    return UW_OK;
}

bool uw_webhook_sign(const unsigned char *key, size_t key_bytes, const char *id, int64_t timestamp, struct uw_str body,
                     char signature[UW_WEBHOOK_SIGNATURE_BYTES])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    size_t length = sizeof digest;
    char head[UW_WEBHOOK_EVENT_ID_BYTES + 40];
    int head_length = snprintf(head, sizeof head, "%.*s.%" PRId64 ".", UW_WEBHOOK_EVENT_ID_BYTES - 1, id, timestamp);
    EVP_PKEY *hmac_key = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, key, key_bytes);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = hmac_key != NULL && context != NULL &&
                EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, hmac_key) == 1 &&
                EVP_DigestSignUpdate(context, head, (size_t)head_length) == 1 &&
                EVP_DigestSignUpdate(context, body.data, body.length) == 1 &&
                EVP_DigestSignFinal(context, digest, &length) == 1;
    if (good) {
        memcpy(signature, "v1,", 3);
        (void)EVP_EncodeBlock((unsigned char *)signature + 3, digest, (int)length);
    }
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(hmac_key);
    return good;
}

/* ---- events ---- */

const char *uw_webhook_event_type(const struct uw_stream_record *record, enum uw_webhook_before before)
{
    bool is_alert = record->about.is_alert;
    if (record->about.status == UW_STATUS_RESOLVED) {
        return is_alert ? "nl.urenwacht.alert.resolved" : "nl.urenwacht.anomaly.resolved";
    }
    if (record->revision > 1 && before != UW_WEBHOOK_BEFORE_RESOLVED) {
        return is_alert ? "nl.urenwacht.alert.changed" : "nl.urenwacht.anomaly.changed";
    }
    return is_alert ? "nl.urenwacht.alert.opened" : "nl.urenwacht.anomaly.opened";
}

void uw_webhook_event_id(const struct uw_stream_record *record, char id[UW_WEBHOOK_EVENT_ID_BYTES])
{
    uw_uuid_format(&record->id, id);
    snprintf(id + UW_UUID_TEXT_BYTES, UW_WEBHOOK_EVENT_ID_BYTES - UW_UUID_TEXT_BYTES, "-r%" PRId32, record->revision);
}

static void add_member(struct uw_text *text, const char *key, struct uw_str value)
{
    uw_text_add_literal(text, ", \"");
    uw_text_add_literal(text, key);
    uw_text_add_literal(text, "\": ");
    uw_text_add_json_string(text, value);
}

enum uw_code uw_webhook_event_body(const struct uw_stream_record *record, const char *source, const char *type,
                                   struct uw_arena *arena, struct uw_str *body)
{
    struct uw_text subject, text;
    struct uw_str subject_text;
    char id[UW_WEBHOOK_EVENT_ID_BYTES];
    enum uw_code code;
    uw_webhook_event_id(record, id);
    uw_text_init(&subject, arena);
    uw_text_add(&subject, record->about.municipality.data, record->about.municipality.length);
    uw_text_add_literal(&subject, "/");
    uw_text_add(&subject, record->about.decision.data, record->about.decision.length);
    code = uw_text_finish(&subject, &subject_text);
    if (code != UW_OK) {
        return code;
    }
    uw_text_init(&text, arena);
    uw_text_add_literal(&text, "{\"specversion\": \"1.0\"");
    add_member(&text, "id", uw_str_from(id));
    add_member(&text, "source", uw_str_from(source));
    add_member(&text, "type", uw_str_from(type));
    add_member(&text, "subject", subject_text);
    uw_text_add_literal(&text, ", \"time\": ");
    uw_text_add_json_instant(&text, record->observed_at_ms);
    add_member(&text, "datacontenttype", UW_STR("application/json"));
    uw_text_add_literal(&text, ", \"data\": ");
    uw_text_add(&text, record->json.data, record->json.length);
    uw_text_add_literal(&text, "}");
    return uw_text_finish(&text, body);
}

int64_t uw_webhook_lane(const struct uw_stream_record *record)
{
    const struct uw_str parts[] = {record->about.client, record->about.municipality, record->about.decision};
    unsigned char digest[SHA256_DIGEST_LENGTH], name[3 * 260];
    size_t length = 0;
    uint64_t lane = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        /* 64 characters of UTF-8 are at most 256 bytes. */
        size_t part = parts[i].length < 256 ? parts[i].length : 256;
        memcpy(name + length, parts[i].data, part);
        length += part;
        name[length++] = '\0';
    }
    (void)SHA256(name, length, digest);
    for (size_t i = 0; i < 8; i++) {
        lane = lane << 8 | digest[i];
    }
    return (int64_t)(lane >> 1);
}

int64_t uw_webhook_backoff_ms(int64_t attempts, int64_t min_ms, int64_t max_ms, uint32_t chance)
{
    int64_t pause_ms = min_ms;
    for (int64_t i = 1; i < attempts && i < DOUBLINGS_MAX && pause_ms < max_ms; i++) {
        pause_ms *= 2;
    }
    pause_ms = pause_ms < max_ms ? pause_ms : max_ms;
    /* From 75 to 125 percent. */
    return pause_ms - pause_ms / 4 + (int64_t)((uint64_t)(pause_ms / 2) * chance >> 32);
}
