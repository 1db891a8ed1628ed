#include "core/client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LONG_TEXT 255u
#define ITEMS_MIN 4u
#define ITEMS_DOUBLED_MAX 4096u
#define HEAP_BYTES_MIN 256u
#define SLOTS_MIN 32u
/* Municipality and decision of an accepted event fit: 4 digits, and 64 code points. */
#define DECISION_BYTES 320u

bool uw_reserve(void **items, uint32_t *capacity, uint32_t needed, size_t item_bytes)
{
    if (needed <= *capacity) {
        return true;
    }
    /* Small vectors double; a large one, of a whole batch, must not take twice the memory that it needs. */
    uint64_t growth = *capacity < ITEMS_DOUBLED_MAX ? *capacity : *capacity / 4;
    uint64_t grown = *capacity < ITEMS_MIN ? ITEMS_MIN : *capacity + growth;
    if (grown < needed) {
        grown = needed;
    }
    if (grown > UINT32_MAX || grown > SIZE_MAX / item_bytes) {
        return false;
    }
    void *moved = realloc(*items, (size_t)grown * item_bytes);
    if (moved == NULL) {
        return false;
    }
    *items = moved;
    *capacity = (uint32_t)grown;
    return true;
}

void uw_client_init(struct uw_client *client)
{
    memset(client, 0, sizeof *client);
}

void uw_client_close(struct uw_client *client)
{
    free(client->heap);
    free(client->slots);
    free(client->lines);
    free(client->absences);
    free(client->versions);
    free(client->reviews);
    free(client->alerts);
    free(client->anomalies);
    uw_client_init(client);
}

size_t uw_client_bytes(const struct uw_client *client)
{
    return client->heap_capacity + client->slot_count * sizeof *client->slots +
           client->line_capacity * sizeof *client->lines + client->absence_capacity * sizeof *client->absences +
           client->version_capacity * sizeof *client->versions + client->review_capacity * sizeof *client->reviews +
           client->alert_capacity * sizeof *client->alerts + client->anomaly_capacity * sizeof *client->anomalies;
}

/* ---- texts ---- */

struct uw_str uw_client_text(const struct uw_client *client, uw_text text)
{
    if (text == UW_TEXT_NULL) {
        return UW_STR_NULL;
    }
    const char *at = client->heap + text;
    uint32_t length = (uint8_t)*at++;
    if (length == LONG_TEXT) {
        memcpy(&length, at, sizeof length);
        at += sizeof length;
    }
    return (struct uw_str){at, length};
}

struct uw_str uw_client_municipality(const struct uw_client *client, uw_text decision)
{
    struct uw_str text = uw_client_text(client, decision);
    return (struct uw_str){text.data, 4};
}

struct uw_str uw_client_decision(const struct uw_client *client, uw_text decision)
{
    struct uw_str text = uw_client_text(client, decision);
    return (struct uw_str){text.data + 4, text.length - 4};
}

/* Eight bytes at a time, since every text of every event passes here. */
static uint32_t hash_text(struct uw_str text)
{
    uint64_t hash = text.length, word;
    const char *at = text.data;
    uint32_t left = text.length;
    for (; left >= sizeof word; left -= (uint32_t)sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    word = 0;
    for (uint32_t i = 0; i < left; i++) {
        word = word << 8 | (uint8_t)at[i];
    }
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(hash >> 32);
}

static bool same_text(struct uw_str a, struct uw_str b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static uw_text next_text(const struct uw_client *client, uw_text text)
{
    struct uw_str string = uw_client_text(client, text);
    return (uw_text)(string.data - client->heap) + string.length;
}

uint32_t uw_client_kinship(const struct uw_client *client)
{
    if (client->version_count == 0) {
        return 0;
    }
    const struct uw_version *version = &client->versions[0];
    const struct uw_str texts[] = {uw_client_municipality(client, version->decision),
                                   uw_client_text(client, version->provider),
                                   uw_client_text(client, version->product)};
    uint64_t hash = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        hash = (hash ^ hash_text(texts[i])) * UINT64_C(0x9E3779B97F4A7C15);
    }
    return (uint32_t)(hash >> 32) | 1u;
}

/* The place of a text in the hash, or the free one where it belongs. */
static uint32_t find_slot(const struct uw_client *client, struct uw_str string)
{
    uint32_t place = hash_text(string) & (client->slot_count - 1);
    while (client->slots[place] != 0 && !same_text(string, uw_client_text(client, client->slots[place]))) {
        place = (place + 1) & (client->slot_count - 1);
    }
    return place;
}

/* Makes the hash, or doubles it when one more text would fill more than three quarters. */
static bool grow_slots(struct uw_client *client)
{
    uint32_t count = client->slot_count == 0 ? SLOTS_MIN : client->slot_count;
    while (((uint64_t)client->text_count + 1) * 4 > (uint64_t)count * 3) {
        if (count > UINT32_MAX / 2) {
            return false;
        }
        count *= 2;
    }
    if (count == client->slot_count) {
        return true;
    }
    uint32_t *slots = calloc(count, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    free(client->slots);
    client->slots = slots;
    client->slot_count = count;
    for (uw_text text = 1; text < client->heap_length; text = next_text(client, text)) {
        slots[find_slot(client, uw_client_text(client, text))] = text;
    }
    return true;
}

static bool grow_heap(struct uw_client *client, uint32_t needed)
{
    if (needed <= client->heap_capacity) {
        return true;
    }
    uint32_t wanted = needed < HEAP_BYTES_MIN ? HEAP_BYTES_MIN : needed;
    return uw_reserve((void **)&client->heap, &client->heap_capacity, wanted, 1);
}

enum uw_code uw_client_intern(struct uw_client *client, struct uw_str string, uw_text *text)
{
    if (uw_str_is_null(string)) {
        *text = UW_TEXT_NULL;
        return UW_OK;
    }
    if (!grow_slots(client)) {
        return UW_ENOMEM;
    }
    uint32_t place = find_slot(client, string);
    if (client->slots[place] != 0) {
        *text = client->slots[place];
        return UW_OK;
    }
    uint32_t start = client->heap_length == 0 ? 1 : client->heap_length;
    uint64_t end = (uint64_t)start + 1 + (string.length >= LONG_TEXT ? sizeof string.length : 0) + string.length;
    if (end > UINT32_MAX || !grow_heap(client, (uint32_t)end)) {
        return UW_ENOMEM;
    }
    char *at = client->heap + start;
    *at++ = (char)(string.length >= LONG_TEXT ? LONG_TEXT : string.length);
    if (string.length >= LONG_TEXT) {
        memcpy(at, &string.length, sizeof string.length);
        at += sizeof string.length;
    }
    if (string.length > 0) {
        memcpy(at, string.data, string.length);
    }
    client->heap[0] = 0;
    client->heap_length = (uint32_t)end;
    client->text_count++;
    client->slots[place] = start;
    *text = start;
    return UW_OK;
}

enum uw_code uw_client_intern_decision(struct uw_client *client, struct uw_str municipality, struct uw_str decision,
                                       uw_text *text)
{
    assert(municipality.length == 4);
    char bytes[DECISION_BYTES];
    struct uw_str joined = {bytes, municipality.length + decision.length};
    if (decision.length > sizeof bytes - municipality.length) {
        return UW_ELIMIT;
    }
    memcpy(bytes, municipality.data, municipality.length);
    if (decision.length > 0) {
        memcpy(bytes + municipality.length, decision.data, decision.length);
    }
    return uw_client_intern(client, joined, text);
}

/* ---- facts ---- */

/* Where a fact belongs in its sorted array, and what is there already. */
struct place {
    uint32_t index;     /* of the first fact that is not before it */
    uint32_t equal;     /* index of a fact with the same content, or UINT32_MAX */
};

static int compare_key(uw_text a_first, uint32_t a_second, uw_text b_first, uint32_t b_second)
{
    if (a_first != b_first) {
        return a_first < b_first ? -1 : 1;
    }
    return (a_second > b_second) - (a_second < b_second);
}

/*
 * The three kinds of fact with a business key are kept in the same way: a binary search for the group of the
 * key, then its few members are looked at for an equal content and for the place in SPEC's order. The macro
 * stands for a template: the arrays differ in type only.
 */
#define DEFINE_FIND(kind, type, array, count, first, second)                                                           \
    static struct place find_##kind(const struct uw_client *client, const struct type *fact)                           \
    {                                                                                                                  \
        uint32_t low = 0, high = client->count;                                                                        \
        if (high > 0 && compare_key(client->array[high - 1].first, (uint32_t)client->array[high - 1].second,           \
                                    fact->first, (uint32_t)fact->second) < 0) {                                        \
            low = high; /* most facts are new, and so are their texts: they come last */                               \
        }                                                                                                              \
        while (low < high) {                                                                                           \
            uint32_t middle = low + (high - low) / 2;                                                                  \
            const struct type *other = &client->array[middle];                                                         \
            if (compare_key(other->first, (uint32_t)other->second, fact->first, (uint32_t)fact->second) < 0) {         \
                low = middle + 1;                                                                                      \
            } else {                                                                                                   \
                high = middle;                                                                                         \
            }                                                                                                          \
        }                                                                                                              \
        struct place place = {UINT32_MAX, UINT32_MAX};                                                                 \
        uint32_t index = low;                                                                                          \
        for (; index < client->count; index++) {                                                                       \
            const struct type *other = &client->array[index];                                                          \
            if (compare_key(other->first, (uint32_t)other->second, fact->first, (uint32_t)fact->second) != 0) {        \
                break;                                                                                                 \
            }                                                                                                          \
            if (place.index == UINT32_MAX && uw_##kind##_compare(client, other, fact) >= 0) {                          \
                place.index = index;                                                                                   \
            }                                                                                                          \
            struct type same = *other;                                                                                 \
            same.stamp = fact->stamp;                                                                                  \
            if (uw_##kind##_compare(client, &same, fact) == 0) {                                                       \
                place.equal = index;                                                                                   \
            }                                                                                                          \
        }                                                                                                              \
        if (place.index == UINT32_MAX) {                                                                               \
            place.index = index;                                                                                       \
        }                                                                                                              \
        return place;                                                                                                  \
    }                                                                                                                  \
                                                                                                                       \
    static enum uw_code keep_##kind(struct uw_client *client, const struct type *fact, bool *redelivery)               \
    {                                                                                                                  \
        struct place place = find_##kind(client, fact);                                                                \
        if (place.equal != UINT32_MAX && place.equal < place.index) {                                                  \
            *redelivery = true;                                                                                        \
            return UW_OK;                                                                                              \
        }                                                                                                              \
        if (place.equal == place.index && place.index < client->count &&                                               \
            uw_##kind##_compare(client, &client->array[place.index], fact) == 0) {                                     \
            *redelivery = true;                                                                                        \
            return UW_OK;                                                                                              \
        }                                                                                                              \
        *redelivery = false;                                                                                           \
        if (place.equal != UINT32_MAX) {                                                                               \
            /* The same content, recorded earlier: it takes the later one's place. */                                  \
            memmove(&client->array[place.index + 1], &client->array[place.index],                                      \
                    (place.equal - place.index) * sizeof *fact);                                                       \
            client->array[place.index] = *fact;                                                                        \
            return UW_OK;                                                                                              \
        }                                                                                                              \
        if (!uw_reserve((void **)&client->array, &client->kind##_capacity, client->count + 1, sizeof *fact)) {         \
            return UW_ENOMEM;                                                                                          \
        }                                                                                                              \
        memmove(&client->array[place.index + 1], &client->array[place.index],                                          \
                (client->count - place.index) * sizeof *fact);                                                         \
        client->array[place.index] = *fact;                                                                            \
        client->count++;                                                                                               \
        return UW_OK;                                                                                                  \
    }

DEFINE_FIND(line, uw_line, lines, line_count, provider, line)
DEFINE_FIND(absence, uw_absence, absences, absence_count, provider, no_show)
DEFINE_FIND(version, uw_version, versions, version_count, decision, version)

#define RETURN_IF_FAILED(call)                                                                                         \
    do {                                                                                                               \
        enum uw_code failed = (call);                                                                                  \
        if (failed != UW_OK) {                                                                                         \
            return failed;                                                                                             \
        }                                                                                                              \
    } while (0)

static enum uw_code add_line(struct uw_client *client, const struct uw_event *event, uw_text decision,
                             bool *redelivery)
{
    const struct uw_declaration *declaration = &event->of.declaration;
    struct uw_line line;
    memset(&line, 0, sizeof line);
    line.stamp = (struct uw_stamp){event->recorded_at_ms, event->event_id};
    line.decision = decision;
    line.performed_on_day = declaration->performed_on_day;
    line.performed_until_day = declaration->performed_until_day;
    line.minutes = declaration->minutes;
    line.started_at_ms = declaration->started_at_ms;
    line.kind = declaration->kind;
    RETURN_IF_FAILED(uw_client_intern(client, event->provider, &line.provider));
    RETURN_IF_FAILED(uw_client_intern(client, declaration->line, &line.line));
    RETURN_IF_FAILED(uw_client_intern(client, declaration->corrects, &line.corrects));
    RETURN_IF_FAILED(uw_client_intern(client, declaration->staff, &line.staff));
    return keep_line(client, &line, redelivery);
}

static enum uw_code add_absence(struct uw_client *client, const struct uw_event *event, uw_text decision,
                                bool *redelivery)
{
    const struct uw_no_show *no_show = &event->of.no_show;
    struct uw_absence absence;
    memset(&absence, 0, sizeof absence);
    absence.stamp = (struct uw_stamp){event->recorded_at_ms, event->event_id};
    absence.decision = decision;
    absence.appointment_on_day = no_show->appointment_on_day;
    absence.appointment_at_ms = no_show->appointment_at_ms;
    absence.planned_minutes = no_show->planned_minutes;
    absence.notice_minutes = no_show->notice_minutes;
    absence.status = (uint8_t)no_show->status;
    absence.reason = (uint8_t)no_show->reason;
    RETURN_IF_FAILED(uw_client_intern(client, event->provider, &absence.provider));
    RETURN_IF_FAILED(uw_client_intern(client, no_show->no_show, &absence.no_show));
    RETURN_IF_FAILED(uw_client_intern(client, no_show->staff, &absence.staff));
    return keep_absence(client, &absence, redelivery);
}

static enum uw_code pack_terms(struct uw_client *client, const struct uw_terms *terms, struct uw_version_terms *packed)
{
    packed->model = terms->model;
    switch (terms->model) {
    case UW_MODEL_PXQ:
        packed->first = terms->volume_minutes;
        packed->frequency = terms->frequency;
        return UW_OK;
    case UW_MODEL_BANDWIDTH:
        packed->first = terms->min_minutes;
        packed->second = terms->max_minutes;
        packed->frequency = terms->frequency;
        return UW_OK;
    case UW_MODEL_YEAR_BUDGET:
        packed->first = terms->minutes_per_year;
        return UW_OK;
    case UW_MODEL_FIXED_PLUS_SURPLUS:
        packed->first = terms->minutes_per_week;
        packed->second = terms->surplus_minutes;
        return UW_OK;
    case UW_MODEL_RESULT:
        packed->first = terms->price_cents;
        packed->second = terms->expected_minutes_per_week;
        return uw_client_intern(client, terms->result, &packed->result);
    case UW_MODEL_TASK:
        return UW_OK;
    }
    return UW_EINTERNAL;
}

/* Months are 1..120 after validation: a byte each. */
static enum uw_code pack_months(struct uw_client *client, const struct uw_decision *decision, uw_text *text)
{
    if (decision->evaluation_count == 0) {
        return uw_client_intern(client, UW_STR(""), text);
    }
    char few[32];
    char *months = few;
    if (decision->evaluation_count > sizeof few) {
        months = malloc(decision->evaluation_count);
        if (months == NULL) {
            return UW_ENOMEM;
        }
    }
    for (uint32_t i = 0; i < decision->evaluation_count; i++) {
        months[i] = (char)decision->evaluation_list[i];
    }
    enum uw_code code = uw_client_intern(client, (struct uw_str){months, decision->evaluation_count}, text);
    if (months != few) {
        free(months);
    }
    return code;
}

static enum uw_code add_version(struct uw_client *client, const struct uw_event *event, uw_text key,
                                bool *redelivery)
{
    const struct uw_decision *decision = &event->of.decision;
    struct uw_version version;
    memset(&version, 0, sizeof version);
    version.stamp = (struct uw_stamp){event->recorded_at_ms, event->event_id};
    version.decision = key;
    version.version = decision->version;
    version.status = (uint8_t)decision->status;
    version.law = (uint8_t)decision->law;
    version.care = (uint8_t)decision->care;
    version.valid_from_day = decision->valid_from_day;
    version.valid_to_day = decision->valid_to_day;
    version.effective_from_day = decision->effective_from_day;
    version.no_show = decision->no_show;
    version.rate_cents_per_hour = decision->rate_cents_per_hour;
    RETURN_IF_FAILED(uw_client_intern(client, decision->product_category, &version.product_category));
    RETURN_IF_FAILED(uw_client_intern(client, decision->product, &version.product));
    RETURN_IF_FAILED(uw_client_intern(client, event->provider, &version.provider));
    RETURN_IF_FAILED(pack_terms(client, &decision->terms, &version.terms));
    RETURN_IF_FAILED(pack_months(client, decision, &version.evaluation_months));
    return keep_version(client, &version, redelivery);
}

static int compare_reviews(const struct uw_review *a, const struct uw_review *b)
{
    int order = compare_key(a->decision, 0, b->decision, 0);
    if (order == 0) {
        order = (a->held_on_day > b->held_on_day) - (a->held_on_day < b->held_on_day);
    }
    return order != 0 ? order : (int)a->outcome - (int)b->outcome;
}

static enum uw_code add_review(struct uw_client *client, const struct uw_event *event, uw_text decision,
                               bool *redelivery)
{
    struct uw_review review = {decision, event->of.evaluation.held_on_day, event->of.evaluation.outcome};
    uint32_t low = 0, high = client->review_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_reviews(&client->reviews[middle], &review) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < client->review_count && compare_reviews(&client->reviews[low], &review) == 0) {
        *redelivery = true;
        return UW_OK;
    }
    if (!uw_reserve((void **)&client->reviews, &client->review_capacity, client->review_count + 1, sizeof review)) {
        return UW_ENOMEM;
    }
    memmove(&client->reviews[low + 1], &client->reviews[low], (client->review_count - low) * sizeof review);
    client->reviews[low] = review;
    client->review_count++;
    *redelivery = false;
    return UW_OK;
}

enum uw_code uw_client_add(struct uw_client *client, const struct uw_event *event, bool *redelivery)
{
    uw_text decision;
    RETURN_IF_FAILED(uw_client_intern_decision(client, event->municipality, event->decision, &decision));
    switch (event->topic) {
    case UW_TOPIC_DECISIONS:
        return add_version(client, event, decision, redelivery);
    case UW_TOPIC_DECLARATIONS:
        return add_line(client, event, decision, redelivery);
    case UW_TOPIC_NO_SHOWS:
        return add_absence(client, event, decision, redelivery);
    case UW_TOPIC_EVALUATIONS:
        return add_review(client, event, decision, redelivery);
    }
    return UW_EINTERNAL;
}
