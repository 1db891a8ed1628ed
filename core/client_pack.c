/*
 * Numbers are written as in Avro: zigzag, seven bits a byte. What is near its neighbour is written as the distance to
 * it: facts are sorted by the numbers of their texts, and days of one line follow those of the line before.
 */
#include "core/client_pack.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES_MAX 10
#define MS_PER_SECOND 1000
#define MS_PER_MINUTE 60000

/* What a line or a no-show has, and how its instants are written. */
enum flag {
    FLAG_UPPER = 1 << 0,          /* an event id with upper-case digits */
    FLAG_WHOLE_SECONDS = 1 << 1,  /* recorded_at */
    FLAG_TIMED = 1 << 2,          /* started_at, appointment_at */
    FLAG_WHOLE_MINUTES = 1 << 3,  /* the same */
    FLAG_SECOND_DAY = 1 << 4,     /* performed_until */
    FLAG_CORRECTS = 1 << 5,       /* corrects */
    FLAG_CREDIT = 1 << 6,         /* kind */
    FLAG_NOTICE = 1 << 7,         /* notice_minutes */
};

/* ---- writing ---- */

static uint8_t *room(struct uw_packing *packing, uint32_t size)
{
    if (packing->failed || size > UINT32_MAX - packing->length ||
        !uw_reserve((void **)&packing->bytes, &packing->capacity, packing->length + size, 1)) {
        packing->failed = true;
        return NULL;
    }
    return packing->bytes + packing->length;
}

static void put_bytes(struct uw_packing *packing, const void *bytes, uint32_t size)
{
    uint8_t *at = room(packing, size);
    if (at != NULL && size > 0) {
        memcpy(at, bytes, size);
        packing->length += size;
    }
}

static void put(struct uw_packing *packing, int64_t value)
{
    uint8_t *at = room(packing, NUMBER_BYTES_MAX);
    if (at == NULL) {
        return;
    }
    uint64_t zigzag = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
    uint32_t length = 0;
    for (; zigzag > 0x7F; zigzag >>= 7) {
        at[length++] = (uint8_t)(zigzag | 0x80);
    }
    at[length++] = (uint8_t)zigzag;
    packing->length += length;
}

/* ---- reading ---- */

struct reading {
    const uint8_t *at, *end;
    bool failed;
};

static void get_bytes(struct reading *reading, void *bytes, uint32_t size)
{
    if (size > (size_t)(reading->end - reading->at)) {
        reading->failed = true;
        return;
    }
    if (size > 0) {
        memcpy(bytes, reading->at, size);
        reading->at += size;
    }
}

static int64_t get(struct reading *reading)
{
    uint64_t zigzag = 0;
    for (uint32_t shift = 0; shift < 64 && reading->at < reading->end; shift += 7) {
        uint8_t byte = *reading->at++;
        zigzag |= (uint64_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) {
            return (int64_t)(zigzag >> 1) ^ -(int64_t)(zigzag & 1);
        }
    }
    reading->failed = true;
    return 0;
}

static int32_t get_int(struct reading *reading)
{
    return (int32_t)get(reading);
}

/* A number that was written as its distance to another. */
static uint32_t get_near(struct reading *reading, uint32_t other)
{
    return (uint32_t)((int64_t)other + get(reading));
}

static void put_near(struct uw_packing *packing, uint32_t value, uint32_t other)
{
    put(packing, (int64_t)value - other);
}

static int32_t get_day(struct reading *reading, int32_t other)
{
    return (int32_t)(other + get(reading));
}

/* ---- what every fact has ---- */

static uint8_t stamp_flags(const struct uw_stamp *stamp, int32_t day)
{
    int64_t since_ms = stamp->recorded_at_ms - day * UW_MS_PER_DAY;
    return (uint8_t)((stamp->event_id.upper != 0 ? FLAG_UPPER : 0) |
                     (since_ms % MS_PER_SECOND == 0 ? FLAG_WHOLE_SECONDS : 0));
}

static void put_stamp(struct uw_packing *packing, const struct uw_stamp *stamp, int32_t day, uint8_t flags)
{
    int64_t since_ms = stamp->recorded_at_ms - day * UW_MS_PER_DAY;
    put_bytes(packing, stamp->event_id.bytes, sizeof stamp->event_id.bytes);
    if ((flags & FLAG_UPPER) != 0) {
        put(packing, stamp->event_id.upper);
    }
    put(packing, (flags & FLAG_WHOLE_SECONDS) != 0 ? since_ms / MS_PER_SECOND : since_ms);
}

static void get_stamp(struct reading *reading, struct uw_stamp *stamp, int32_t day, uint8_t flags)
{
    get_bytes(reading, stamp->event_id.bytes, sizeof stamp->event_id.bytes);
    stamp->event_id.upper = (flags & FLAG_UPPER) != 0 ? (uint32_t)get(reading) : 0;
    int64_t since = get(reading);
    stamp->recorded_at_ms = day * UW_MS_PER_DAY + ((flags & FLAG_WHOLE_SECONDS) != 0 ? since * MS_PER_SECOND : since);
}

static uint8_t instant_flags(int64_t instant_ms, int32_t day)
{
    if (instant_ms == UW_INSTANT_NONE) {
        return 0;
    }
    return (uint8_t)(FLAG_TIMED |
                     ((instant_ms - day * UW_MS_PER_DAY) % MS_PER_MINUTE == 0 ? FLAG_WHOLE_MINUTES : 0));
}

static void put_instant(struct uw_packing *packing, int64_t instant_ms, int32_t day, uint8_t flags)
{
    if ((flags & FLAG_TIMED) != 0) {
        int64_t since_ms = instant_ms - day * UW_MS_PER_DAY;
        put(packing, (flags & FLAG_WHOLE_MINUTES) != 0 ? since_ms / MS_PER_MINUTE : since_ms);
    }
}

static int64_t get_instant(struct reading *reading, int32_t day, uint8_t flags)
{
    if ((flags & FLAG_TIMED) == 0) {
        return UW_INSTANT_NONE;
    }
    int64_t since = get(reading);
    return day * UW_MS_PER_DAY + ((flags & FLAG_WHOLE_MINUTES) != 0 ? since * MS_PER_MINUTE : since);
}

/* ---- lines ---- */

static void put_line(struct uw_packing *packing, const struct uw_line *line, const struct uw_line *before)
{
    int32_t day = line->performed_on_day;
    uint8_t flags = (uint8_t)(stamp_flags(&line->stamp, day) | instant_flags(line->started_at_ms, day) |
                              (line->performed_until_day != UW_DAY_NONE ? FLAG_SECOND_DAY : 0) |
                              (line->corrects != UW_TEXT_NULL ? FLAG_CORRECTS : 0) |
                              (line->kind == UW_LINE_CREDIT ? FLAG_CREDIT : 0));
    put_bytes(packing, &flags, 1);
    put_near(packing, line->provider, before->provider);
    put_near(packing, line->line, before->line);
    put_near(packing, line->decision, before->decision);
    put_near(packing, line->staff, before->staff);
    put(packing, (int64_t)day - before->performed_on_day);
    put(packing, line->minutes);
    put_stamp(packing, &line->stamp, day, flags);
    put_instant(packing, line->started_at_ms, day, flags);
    if ((flags & FLAG_SECOND_DAY) != 0) {
        put(packing, (int64_t)line->performed_until_day - day);
    }
    if ((flags & FLAG_CORRECTS) != 0) {
        put_near(packing, line->corrects, line->line);
    }
}

static void get_line(struct reading *reading, struct uw_line *line, const struct uw_line *before)
{
    uint8_t flags = 0;
    get_bytes(reading, &flags, 1);
    line->provider = get_near(reading, before->provider);
    line->line = get_near(reading, before->line);
    line->decision = get_near(reading, before->decision);
    line->staff = get_near(reading, before->staff);
    int32_t day = get_day(reading, before->performed_on_day);
    line->performed_on_day = day;
    line->minutes = get_int(reading);
    get_stamp(reading, &line->stamp, day, flags);
    line->started_at_ms = get_instant(reading, day, flags);
    line->performed_until_day = (flags & FLAG_SECOND_DAY) != 0 ? get_day(reading, day) : UW_DAY_NONE;
    line->corrects = (flags & FLAG_CORRECTS) != 0 ? get_near(reading, line->line) : UW_TEXT_NULL;
    line->kind = (flags & FLAG_CREDIT) != 0 ? UW_LINE_CREDIT : UW_LINE_DEBIT;
}

/* ---- no-shows ---- */

static void put_absence(struct uw_packing *packing, const struct uw_absence *absence, const struct uw_absence *before)
{
    int32_t day = absence->appointment_on_day;
    uint8_t flags = (uint8_t)(stamp_flags(&absence->stamp, day) | instant_flags(absence->appointment_at_ms, day) |
                              (absence->notice_minutes != UW_INT_NONE ? FLAG_NOTICE : 0));
    put_bytes(packing, &flags, 1);
    put_bytes(packing, &absence->status, 1);
    put_bytes(packing, &absence->reason, 1);
    put_near(packing, absence->provider, before->provider);
    put_near(packing, absence->no_show, before->no_show);
    put_near(packing, absence->decision, before->decision);
    put_near(packing, absence->staff, before->staff);
    put(packing, (int64_t)day - before->appointment_on_day);
    put(packing, absence->planned_minutes);
    put_stamp(packing, &absence->stamp, day, flags);
    put_instant(packing, absence->appointment_at_ms, day, flags);
    if ((flags & FLAG_NOTICE) != 0) {
        put(packing, absence->notice_minutes);
    }
}

static void get_absence(struct reading *reading, struct uw_absence *absence, const struct uw_absence *before)
{
    uint8_t flags = 0;
    get_bytes(reading, &flags, 1);
    get_bytes(reading, &absence->status, 1);
    get_bytes(reading, &absence->reason, 1);
    absence->provider = get_near(reading, before->provider);
    absence->no_show = get_near(reading, before->no_show);
    absence->decision = get_near(reading, before->decision);
    absence->staff = get_near(reading, before->staff);
    int32_t day = get_day(reading, before->appointment_on_day);
    absence->appointment_on_day = day;
    absence->planned_minutes = get_int(reading);
    get_stamp(reading, &absence->stamp, day, flags);
    absence->appointment_at_ms = get_instant(reading, day, flags);
    absence->notice_minutes = (flags & FLAG_NOTICE) != 0 ? get_int(reading) : UW_INT_NONE;
}

/* ---- versions of decisions ---- */

static void put_version(struct uw_packing *packing, const struct uw_version *version, const struct uw_version *before)
{
    int32_t day = version->valid_from_day;
    const uint8_t small[] = {stamp_flags(&version->stamp, day), version->status, version->law, version->care,
                             (uint8_t)version->terms.model, (uint8_t)version->terms.frequency,
                             version->no_show.counts_to_budget};
    put_bytes(packing, small, sizeof small);
    put_near(packing, version->decision, before->decision);
    put(packing, version->version);
    put(packing, (int64_t)day - before->valid_from_day);
    put(packing, (int64_t)version->effective_from_day - day);
    /* An absent end is a number far below every day. */
    put(packing, version->valid_to_day == UW_DAY_NONE ? UW_DAY_NONE : (int64_t)version->valid_to_day - day);
    put_near(packing, version->product_category, before->product_category);
    put_near(packing, version->product, before->product);
    put_near(packing, version->provider, before->provider);
    put(packing, version->terms.first);
    put(packing, version->terms.second);
    put(packing, version->terms.result);
    put(packing, version->no_show.billable_percent);
    put(packing, version->no_show.max_per_month);
    put(packing, version->no_show.notice_hours);
    put_near(packing, version->evaluation_months, before->evaluation_months);
    put(packing, version->rate_cents_per_hour);
    put_stamp(packing, &version->stamp, day, small[0]);
}

static void get_version(struct reading *reading, struct uw_version *version, const struct uw_version *before)
{
    uint8_t small[7] = {0};
    get_bytes(reading, small, sizeof small);
    version->status = small[1];
    version->law = small[2];
    version->care = small[3];
    version->terms.model = (enum uw_model)small[4];
    version->terms.frequency = (enum uw_frequency)small[5];
    version->no_show.counts_to_budget = small[6] != 0;
    version->decision = get_near(reading, before->decision);
    version->version = get_int(reading);
    int32_t day = get_day(reading, before->valid_from_day);
    version->valid_from_day = day;
    version->effective_from_day = get_day(reading, day);
    int64_t length = get(reading);
    version->valid_to_day = length == UW_DAY_NONE ? UW_DAY_NONE : (int32_t)(day + length);
    version->product_category = get_near(reading, before->product_category);
    version->product = get_near(reading, before->product);
    version->provider = get_near(reading, before->provider);
    version->terms.first = get_int(reading);
    version->terms.second = get_int(reading);
    version->terms.result = (uw_text)get(reading);
    version->no_show.billable_percent = get_int(reading);
    version->no_show.max_per_month = get_int(reading);
    version->no_show.notice_hours = get_int(reading);
    version->evaluation_months = get_near(reading, before->evaluation_months);
    version->rate_cents_per_hour = get_int(reading);
    get_stamp(reading, &version->stamp, day, small[0]);
}

/* ---- evaluations, alerts, anomalies ---- */

static void put_review(struct uw_packing *packing, const struct uw_review *review, const struct uw_review *before)
{
    uint8_t outcome = (uint8_t)review->outcome;
    put_near(packing, review->decision, before->decision);
    put(packing, (int64_t)review->held_on_day - before->held_on_day);
    put_bytes(packing, &outcome, 1);
}

static void get_review(struct reading *reading, struct uw_review *review, const struct uw_review *before)
{
    uint8_t outcome = 0;
    review->decision = get_near(reading, before->decision);
    review->held_on_day = get_day(reading, before->held_on_day);
    get_bytes(reading, &outcome, 1);
    review->outcome = (enum uw_outcome_of_evaluation)outcome;
}

static void put_alert(struct uw_packing *packing, const struct uw_alert_state *alert,
                      const struct uw_alert_state *before)
{
    /* Eleven kinds, three severities and two statuses in one byte. */
    uint8_t what = (uint8_t)(alert->kind << 3 | alert->severity << 1 | alert->status);
    put_bytes(packing, &what, 1);
    put_near(packing, alert->decision, before->decision);
    put_near(packing, alert->provider, before->provider);
    put(packing, (int64_t)alert->segment_from_day - before->segment_from_day);
    put(packing, (int64_t)alert->period_from_day - before->period_from_day);
    put(packing, (int64_t)alert->effective_on_day - before->effective_on_day);
    put(packing, alert->revision);
    put(packing, alert->threshold);
}

static void get_alert(struct reading *reading, struct uw_alert_state *alert, const struct uw_alert_state *before)
{
    uint8_t what = 0;
    get_bytes(reading, &what, 1);
    alert->kind = what >> 3;
    alert->severity = what >> 1 & 3;
    alert->status = what & 1;
    alert->decision = get_near(reading, before->decision);
    alert->provider = get_near(reading, before->provider);
    alert->segment_from_day = get_day(reading, before->segment_from_day);
    alert->period_from_day = get_day(reading, before->period_from_day);
    alert->effective_on_day = get_day(reading, before->effective_on_day);
    alert->revision = get_int(reading);
    alert->threshold = (int16_t)get(reading);
}

static void put_anomaly(struct uw_packing *packing, const struct uw_anomaly_state *anomaly,
                        const struct uw_anomaly_state *before)
{
    const uint8_t small[] = {anomaly->kind, (uint8_t)(anomaly->subject_kind << 1 | anomaly->status)};
    put_bytes(packing, small, sizeof small);
    put_near(packing, anomaly->decision, before->decision);
    put_near(packing, anomaly->provider, before->provider);
    put_near(packing, anomaly->subject_provider, before->subject_provider);
    put_near(packing, anomaly->subject_id, before->subject_id);
    put(packing, anomaly->subject_version);
    put(packing, anomaly->revision);
}

static void get_anomaly(struct reading *reading, struct uw_anomaly_state *anomaly,
                        const struct uw_anomaly_state *before)
{
    uint8_t small[2] = {0};
    get_bytes(reading, small, sizeof small);
    anomaly->kind = small[0];
    anomaly->subject_kind = small[1] >> 1;
    anomaly->status = small[1] & 1;
    anomaly->decision = get_near(reading, before->decision);
    anomaly->provider = get_near(reading, before->provider);
    anomaly->subject_provider = get_near(reading, before->subject_provider);
    anomaly->subject_id = get_near(reading, before->subject_id);
    anomaly->subject_version = get_int(reading);
    anomaly->revision = get_int(reading);
}

/* ---- arrays ---- */

/*
 * The arrays of a client differ in type only; the macro stands for a template. The first item is written as its
 * distance to zeros.
 */
#define DEFINE_ARRAY(kind, type, array)                                                                                \
    static void put_all_##kind(struct uw_packing *packing, const struct uw_client *client)                             \
    {                                                                                                                  \
        static const struct type zeros;                                                                                \
        put(packing, client->kind##_count);                                                                            \
        for (uint32_t i = 0; i < client->kind##_count && !packing->failed; i++) {                                      \
            put_##kind(packing, &client->array[i], i == 0 ? &zeros : &client->array[i - 1]);                           \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    static enum uw_code get_all_##kind(struct reading *reading, struct uw_client *client)                              \
    {                                                                                                                  \
        static const struct type zeros;                                                                                \
        int64_t count = get(reading);                                                                                  \
        if (reading->failed || count < 0 || count > reading->end - reading->at) {                                      \
            return UW_EINTERNAL; /* an item takes a byte at least */                                                   \
        }                                                                                                              \
        if (count > 0 && !uw_reserve((void **)&client->array, &client->kind##_capacity, (uint32_t)count,               \
                                     sizeof *client->array)) {                                                         \
            return UW_ENOMEM;                                                                                          \
        }                                                                                                              \
        for (uint32_t i = 0; i < (uint32_t)count; i++) {                                                               \
            memset(&client->array[i], 0, sizeof *client->array);                                                       \
            get_##kind(reading, &client->array[i], i == 0 ? &zeros : &client->array[i - 1]);                           \
        }                                                                                                              \
        client->kind##_count = (uint32_t)count;                                                                        \
        return reading->failed ? UW_EINTERNAL : UW_OK;                                                                 \
    }

DEFINE_ARRAY(line, uw_line, lines)
DEFINE_ARRAY(absence, uw_absence, absences)
DEFINE_ARRAY(version, uw_version, versions)
DEFINE_ARRAY(review, uw_review, reviews)
DEFINE_ARRAY(alert, uw_alert_state, alerts)
DEFINE_ARRAY(anomaly, uw_anomaly_state, anomalies)

/* ---- the whole ---- */

static enum uw_code get_texts(struct reading *reading, struct uw_client *client)
{
    int64_t count = get(reading), length = get(reading);
    if (reading->failed || count < 0 || length < 0 || length > reading->end - reading->at || count > length) {
        return UW_EINTERNAL;
    }
    if (length > 0 && !uw_reserve((void **)&client->heap, &client->heap_capacity, (uint32_t)length, 1)) {
        return UW_ENOMEM;
    }
    get_bytes(reading, client->heap, (uint32_t)length);
    client->heap_length = (uint32_t)length;
    client->text_count = (uint32_t)count; /* their hash is made when a text is looked for */
    return UW_OK;
}

enum uw_code uw_client_pack(const struct uw_client *client, struct uw_packing *packing)
{
    packing->length = 0;
    packing->failed = false;
    put(packing, client->text_count);
    put(packing, client->heap_length);
    put_bytes(packing, client->heap, client->heap_length);
    put_all_line(packing, client);
    put_all_absence(packing, client);
    put_all_version(packing, client);
    put_all_review(packing, client);
    put_all_alert(packing, client);
    put_all_anomaly(packing, client);
    return packing->failed ? UW_ENOMEM : UW_OK;
}

enum uw_code uw_client_unpack(const uint8_t *bytes, uint32_t length, struct uw_client *client)
{
    enum uw_code (*const steps[])(struct reading *, struct uw_client *) = {
        get_texts, get_all_line, get_all_absence, get_all_version, get_all_review, get_all_alert, get_all_anomaly};
    struct reading reading = {bytes, bytes + length, false};
    enum uw_code code = UW_OK;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && code == UW_OK; i++) {
        code = steps[i](&reading, client);
    }
    if (code != UW_OK) {
        uw_client_close(client);
    }
    return code;
}

void uw_packing_close(struct uw_packing *packing)
{
    free(packing->bytes);
    memset(packing, 0, sizeof *packing);
}
