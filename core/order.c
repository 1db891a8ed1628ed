/*
 * SPEC section 2, Winners: facts are ordered by (recorded_at, event_id) and at last by the bytes of the value
 * encoded in our own newest schema. Avro's encodings of fields are prefix-free, so comparing the encodings of
 * the fields one after another, in the schema's order, compares the whole values. Fields that are equal by
 * definition (client; the business key, where only facts of one key are compared) are left out.
 */
#include "core/client.h"

#include <string.h>

#define VARINT_BYTES_MAX 10

static uint32_t encode(int64_t value, uint8_t bytes[VARINT_BYTES_MAX])
{
    uint64_t zigzag = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    uint32_t length = 0;
    while (zigzag > 0x7F) {
        bytes[length++] = (uint8_t)(zigzag | 0x80);
        zigzag >>= 7;
    }
    bytes[length++] = (uint8_t)zigzag;
    return length;
}

static int compare_number(int64_t a, int64_t b)
{
    if (a == b) {
        return 0;
    }
    uint8_t bytes_a[VARINT_BYTES_MAX] = {0}, bytes_b[VARINT_BYTES_MAX] = {0};
    uint32_t length_a = encode(a, bytes_a), length_b = encode(b, bytes_b);
    return memcmp(bytes_a, bytes_b, length_a < length_b ? length_a : length_b);
}

/* A union of null and a number: branch 0 or 1, then the number. */
static int compare_nullable(int64_t a, int64_t b, int64_t none)
{
    if (a == none || b == none) {
        return (a != none) - (b != none);
    }
    return compare_number(a, b);
}

static int compare_string(struct uw_str a, struct uw_str b)
{
    int order = compare_number(a.length, b.length);
    return order != 0 || a.length == 0 ? order : memcmp(a.data, b.data, a.length);
}

static int compare_text(const struct uw_client *client, uw_text a, uw_text b)
{
    return a == b ? 0 : compare_string(uw_client_text(client, a), uw_client_text(client, b));
}

static int compare_nullable_text(const struct uw_client *client, uw_text a, uw_text b)
{
    if (a == UW_TEXT_NULL || b == UW_TEXT_NULL) {
        return (a != UW_TEXT_NULL) - (b != UW_TEXT_NULL);
    }
    return compare_text(client, a, b);
}

/* Municipalities all have four digits, so that their lengths are equal; then the decision's id. */
static int compare_decision(const struct uw_client *client, uw_text a, uw_text b)
{
    if (a == b) {
        return 0;
    }
    int order = compare_string(uw_client_municipality(client, a), uw_client_municipality(client, b));
    return order != 0 ? order : compare_string(uw_client_decision(client, a), uw_client_decision(client, b));
}

static int compare_stamp(const struct uw_stamp *a, const struct uw_stamp *b)
{
    if (a->recorded_at_ms != b->recorded_at_ms) {
        return a->recorded_at_ms < b->recorded_at_ms ? -1 : 1;
    }
    return uw_uuid_compare(&a->event_id, &b->event_id);
}

#define RETURN_IF_DIFFERENT(comparison)                                                                                \
    do {                                                                                                               \
        int different = (comparison);                                                                                  \
        if (different != 0) {                                                                                          \
            return different;                                                                                          \
        }                                                                                                              \
    } while (0)

int uw_line_compare(const struct uw_client *client, const struct uw_line *a, const struct uw_line *b)
{
    RETURN_IF_DIFFERENT(compare_stamp(&a->stamp, &b->stamp));
    RETURN_IF_DIFFERENT(compare_decision(client, a->decision, b->decision));
    RETURN_IF_DIFFERENT(compare_text(client, a->provider, b->provider));
    RETURN_IF_DIFFERENT(compare_text(client, a->line, b->line));
    RETURN_IF_DIFFERENT(compare_number(a->kind, b->kind));
    RETURN_IF_DIFFERENT(compare_nullable_text(client, a->corrects, b->corrects));
    RETURN_IF_DIFFERENT(compare_number(a->performed_on_day, b->performed_on_day));
    RETURN_IF_DIFFERENT(compare_nullable(a->performed_until_day, b->performed_until_day, UW_DAY_NONE));
    RETURN_IF_DIFFERENT(compare_nullable(a->started_at_ms, b->started_at_ms, UW_INSTANT_NONE));
    RETURN_IF_DIFFERENT(compare_number(a->minutes, b->minutes));
    return compare_nullable_text(client, a->staff, b->staff);
}

int uw_absence_compare(const struct uw_client *client, const struct uw_absence *a, const struct uw_absence *b)
{
    RETURN_IF_DIFFERENT(compare_stamp(&a->stamp, &b->stamp));
    RETURN_IF_DIFFERENT(compare_decision(client, a->decision, b->decision));
    RETURN_IF_DIFFERENT(compare_text(client, a->provider, b->provider));
    RETURN_IF_DIFFERENT(compare_text(client, a->no_show, b->no_show));
    RETURN_IF_DIFFERENT(compare_number(a->status, b->status));
    RETURN_IF_DIFFERENT(compare_number(a->appointment_on_day, b->appointment_on_day));
    RETURN_IF_DIFFERENT(compare_nullable(a->appointment_at_ms, b->appointment_at_ms, UW_INSTANT_NONE));
    RETURN_IF_DIFFERENT(compare_number(a->planned_minutes, b->planned_minutes));
    RETURN_IF_DIFFERENT(compare_number(a->reason, b->reason));
    RETURN_IF_DIFFERENT(compare_nullable(a->notice_minutes, b->notice_minutes, UW_INT_NONE));
    return compare_nullable_text(client, a->staff, b->staff);
}

static int compare_terms(const struct uw_client *client, const struct uw_version_terms *a,
                         const struct uw_version_terms *b)
{
    RETURN_IF_DIFFERENT(compare_number(a->model, b->model));
    switch (a->model) {
    case UW_MODEL_PXQ:
        RETURN_IF_DIFFERENT(compare_number(a->first, b->first));
        return compare_number(a->frequency, b->frequency);
    case UW_MODEL_BANDWIDTH:
        RETURN_IF_DIFFERENT(compare_number(a->first, b->first));
        RETURN_IF_DIFFERENT(compare_number(a->second, b->second));
        /* The frequencies of a bandwidth are WEEK, FOUR_WEEKS, MONTH in both enumerations: the same order. */
        return compare_number(a->frequency, b->frequency);
    case UW_MODEL_YEAR_BUDGET:
        return compare_number(a->first, b->first);
    case UW_MODEL_FIXED_PLUS_SURPLUS:
        RETURN_IF_DIFFERENT(compare_number(a->first, b->first));
        return compare_number(a->second, b->second);
    case UW_MODEL_RESULT:
        RETURN_IF_DIFFERENT(compare_text(client, a->result, b->result));
        RETURN_IF_DIFFERENT(compare_number(a->first, b->first));
        return compare_nullable(a->second, b->second, UW_INT_NONE);
    case UW_MODEL_TASK:
        return 0;
    }
    return 0;
}

static int compare_policy(const struct uw_no_show_policy *a, const struct uw_no_show_policy *b)
{
    RETURN_IF_DIFFERENT(compare_number(a->billable_percent, b->billable_percent));
    RETURN_IF_DIFFERENT(compare_nullable(a->max_per_month, b->max_per_month, UW_INT_NONE));
    RETURN_IF_DIFFERENT(compare_number(a->notice_hours, b->notice_hours));
    return a->counts_to_budget - b->counts_to_budget;
}

/* An array is one block: the count, the items, and a closing zero. */
static int compare_months(struct uw_str a, struct uw_str b)
{
    RETURN_IF_DIFFERENT(compare_number(a.length, b.length));
    for (uint32_t i = 0; i < a.length; i++) {
        RETURN_IF_DIFFERENT(compare_number(a.data[i], b.data[i]));
    }
    return 0;
}

int uw_version_compare(const struct uw_client *client, const struct uw_version *a, const struct uw_version *b)
{
    RETURN_IF_DIFFERENT(compare_stamp(&a->stamp, &b->stamp));
    RETURN_IF_DIFFERENT(compare_decision(client, a->decision, b->decision));
    RETURN_IF_DIFFERENT(compare_number(a->version, b->version));
    RETURN_IF_DIFFERENT(compare_number(a->status, b->status));
    RETURN_IF_DIFFERENT(compare_number(a->law, b->law));
    RETURN_IF_DIFFERENT(compare_text(client, a->product_category, b->product_category));
    RETURN_IF_DIFFERENT(compare_text(client, a->product, b->product));
    RETURN_IF_DIFFERENT(compare_number(a->care, b->care));
    RETURN_IF_DIFFERENT(compare_text(client, a->provider, b->provider));
    RETURN_IF_DIFFERENT(compare_number(a->valid_from_day, b->valid_from_day));
    RETURN_IF_DIFFERENT(compare_nullable(a->valid_to_day, b->valid_to_day, UW_DAY_NONE));
    RETURN_IF_DIFFERENT(compare_number(a->effective_from_day, b->effective_from_day));
    RETURN_IF_DIFFERENT(compare_terms(client, &a->terms, &b->terms));
    RETURN_IF_DIFFERENT(compare_policy(&a->no_show, &b->no_show));
    RETURN_IF_DIFFERENT(compare_months(uw_client_text(client, a->evaluation_months),
                                       uw_client_text(client, b->evaluation_months)));
    return compare_nullable(a->rate_cents_per_hour, b->rate_cents_per_hour, UW_INT_NONE);
}

static int compare_bytes(const struct uw_client *client, uw_text a, uw_text b)
{
    return a == b ? 0 : uw_str_compare(uw_client_text(client, a), uw_client_text(client, b));
}

static int compare_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int uw_alert_state_compare(const struct uw_client *client, const struct uw_alert_state *a,
                           const struct uw_alert_state *b)
{
    RETURN_IF_DIFFERENT(compare_bytes(client, a->decision, b->decision));
    RETURN_IF_DIFFERENT(compare_int(a->kind, b->kind));
    RETURN_IF_DIFFERENT(compare_int(a->segment_from_day, b->segment_from_day));
    RETURN_IF_DIFFERENT(compare_int(a->period_from_day, b->period_from_day));
    return compare_int(a->threshold, b->threshold);
}

int uw_anomaly_state_compare(const struct uw_client *client, const struct uw_anomaly_state *a,
                             const struct uw_anomaly_state *b)
{
    RETURN_IF_DIFFERENT(compare_bytes(client, a->decision, b->decision));
    RETURN_IF_DIFFERENT(compare_int(a->kind, b->kind));
    RETURN_IF_DIFFERENT(compare_int(a->subject_kind, b->subject_kind));
    RETURN_IF_DIFFERENT(compare_bytes(client, a->subject_provider, b->subject_provider));
    RETURN_IF_DIFFERENT(compare_bytes(client, a->subject_id, b->subject_id));
    return compare_int(a->subject_version, b->subject_version);
}
