#include "schemas/identity.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "core/date.h"

/* Kind, client, municipality, decision and subject of valid events fit; a longer name is hashed in pieces. */
#define NAME_BYTES 1024

static const uint8_t name_space[16] = {0x95, 0xa1, 0xfa, 0x4a, 0xf7, 0xc8, 0x43, 0x22,
                                       0x99, 0x90, 0xb4, 0xb4, 0x35, 0x1d, 0x7b, 0x47};

/* What is hashed, gathered so that libcrypto is called once for nearly every id. */
struct name {
    EVP_MD_CTX *context; /* NULL until the bytes do not fit */
    size_t length;
    bool failed;
    uint8_t bytes[NAME_BYTES];
};

static void start(struct name *name)
{
    name->context = NULL;
    name->failed = false;
    memcpy(name->bytes, name_space, sizeof name_space);
    name->length = sizeof name_space;
}

static void flush(struct name *name)
{
    if (name->context == NULL) {
        name->context = EVP_MD_CTX_new();
        name->failed = name->context == NULL || EVP_DigestInit_ex(name->context, EVP_sha1(), NULL) != 1;
    }
    if (!name->failed) {
        name->failed = EVP_DigestUpdate(name->context, name->bytes, name->length) != 1;
    }
    name->length = 0;
}

static void add(struct name *name, const char *data, size_t length)
{
    while (length > 0 && !name->failed) {
        if (name->length == sizeof name->bytes) {
            flush(name);
        }
        size_t room = sizeof name->bytes - name->length;
        size_t piece = length < room ? length : room;
        memcpy(name->bytes + name->length, data, piece);
        name->length += piece;
        data += piece;
        length -= piece;
    }
}

static void add_part(struct name *name, struct uw_str part)
{
    add(name, "", 1);
    add(name, part.data, part.length);
}

static void add_number(struct name *name, int32_t number)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%" PRId32, number);
    add_part(name, uw_str_from(text));
}

static void add_day(struct name *name, int32_t day)
{
    char text[UW_DATE_TEXT_BYTES] = "";
    if (day != UW_DAY_NONE) {
        uw_date_format(day, text);
    }
    add_part(name, uw_str_from(text));
}

static enum uw_code finish_uuid(struct name *name, struct uw_uuid *id)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    int done = 0;
    if (name->context == NULL) {
        done = EVP_Digest(name->bytes, name->length, digest, NULL, EVP_sha1(), NULL);
    } else {
        flush(name);
        done = !name->failed && EVP_DigestFinal_ex(name->context, digest, NULL) == 1;
        EVP_MD_CTX_free(name->context);
    }
    if (done != 1) {
        return UW_ENOMEM;
    }
    struct uw_uuid uuid = {.upper = 0};
    memcpy(uuid.bytes, digest, sizeof uuid.bytes);
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0F) | 0x50); /* version 5 */
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3F) | 0x80); /* the variant of RFC 4122 */
    *id = uuid;
    return UW_OK;
}

static enum uw_code finish(struct name *name, char text[UW_ID_TEXT_BYTES])
{
    struct uw_uuid id;
    enum uw_code code = finish_uuid(name, &id);
    if (code == UW_OK) {
        uw_uuid_format(&id, text);
        text[UW_UUID_TEXT_BYTES] = '\0';
    }
    return code;
}

enum uw_code uw_alert_id(const struct uw_alert_change *alert, char text[UW_ID_TEXT_BYTES])
{
    struct name name;
    start(&name);
    add(&name, "alert", 5);
    add_part(&name, uw_str_from(uw_alert_kind_name(alert->kind)));
    add_part(&name, alert->client);
    add_part(&name, alert->municipality);
    add_part(&name, alert->decision);
    add_day(&name, alert->segment_from_day);
    add_day(&name, alert->period_from_day);
    if (alert->threshold == UW_INT_NONE) {
        add_part(&name, UW_STR(""));
    } else {
        add_number(&name, alert->threshold);
    }
    return finish(&name, text);
}

enum uw_code uw_anomaly_id(const struct uw_anomaly_change *anomaly, char text[UW_ID_TEXT_BYTES])
{
    struct name name;
    start(&name);
    add(&name, "anomaly", 7);
    add_part(&name, uw_str_from(uw_anomaly_kind_name(anomaly->kind)));
    add_part(&name, anomaly->client);
    add_part(&name, anomaly->municipality);
    add_part(&name, anomaly->decision);
    char subject[UW_SUBJECT_TEXT_BYTES];
    size_t length = uw_subject_format(&anomaly->subject, subject, sizeof subject);
    add_part(&name, (struct uw_str){subject, (uint32_t)(length < sizeof subject ? length : sizeof subject - 1)});
    return finish(&name, text);
}

enum uw_code uw_sums_id(const struct uw_aggregate_change *aggregate, int32_t rules_version, int32_t writer,
                        struct uw_uuid *id)
{
    struct name name;
    start(&name);
    add(&name, "sums", 4);
    add_number(&name, rules_version);
    add_number(&name, writer);
    add_part(&name, aggregate->municipality);
    add_part(&name, aggregate->provider);
    add_part(&name, aggregate->product_category);
    add_part(&name, aggregate->product);
    add_part(&name, uw_str_from(uw_law_name(aggregate->law)));
    add_part(&name, uw_str_from(uw_care_name(aggregate->care)));
    add_part(&name, uw_str_from(uw_model_name(aggregate->model)));
    return finish_uuid(&name, id);
}
