/*
 * The facts of one client, kept compactly, and what is known of its alerts and anomalies.
 *
 * This is a cache of what is in PostgreSQL (DESIGN section 1). Of the events with one business key it keeps one
 * for each different content: the first in SPEC's order (section 2, Winners). A group of more than one is
 * therefore a conflict, and the first of a group is the winner.
 *
 * Texts are interned: two texts of a client are equal exactly when their numbers are.
 */
#ifndef UW_CORE_CLIENT_H
#define UW_CORE_CLIENT_H

#include "outcome.h"

/* A text of the client: a byte offset into its heap. 0 is the null text. */
typedef uint32_t uw_text; /* the one scalar typedef of the core: a number that must not be mistaken for another */
#define UW_TEXT_NULL 0u

/* What every fact of SPEC's order (recorded_at, event_id) needs. */
struct uw_stamp {
    int64_t recorded_at_ms;
    struct uw_uuid event_id;
};

/* `decision` is always the interned text of municipality (4 digits) followed by the decision's id. */
struct uw_line {
    struct uw_stamp stamp;
    uw_text provider, line; /* the business key */
    uw_text decision, corrects, staff;
    int32_t performed_on_day, performed_until_day;
    int32_t minutes;
    int64_t started_at_ms;
    enum uw_line_kind kind;
};

struct uw_absence {
    struct uw_stamp stamp;
    uw_text provider, no_show; /* the business key */
    uw_text decision, staff;
    int32_t appointment_on_day;
    int32_t planned_minutes, notice_minutes;
    int64_t appointment_at_ms;
    uint8_t status, reason; /* enum uw_no_show_status, enum uw_no_show_reason */
};

struct uw_version_terms {
    enum uw_model model;
    enum uw_frequency frequency;
    int32_t first, second; /* volume; min, max; per year; per week, surplus; price, expected per week */
    uw_text result;
};

struct uw_version {
    struct uw_stamp stamp;
    uw_text decision; /* the business key is decision and version */
    int32_t version;
    uint8_t status, law, care;
    uw_text product_category, product, provider;
    int32_t valid_from_day, valid_to_day, effective_from_day;
    struct uw_version_terms terms;
    struct uw_no_show_policy no_show;
    uw_text evaluation_months; /* one byte a month, as written */
    int32_t rate_cents_per_hour;
};

struct uw_review {
    uw_text decision;
    int32_t held_on_day;
    enum uw_outcome_of_evaluation outcome;
};

/* The last revision of an alert, open or resolved. */
struct uw_alert_state {
    uw_text decision, provider;
    int32_t segment_from_day, period_from_day, effective_on_day;
    int32_t revision;
    int16_t threshold; /* -1: null */
    uint8_t kind, severity, status;
};

struct uw_anomaly_state {
    uw_text decision, provider;
    uw_text subject_provider, subject_id; /* null for a version */
    int32_t subject_version;
    int32_t revision;
    uint8_t kind, subject_kind, status;
};

struct uw_client {
    char *heap; /* texts: a length byte, or 255 and four bytes, then the bytes */
    uint32_t heap_length, heap_capacity;
    uint32_t *slots; /* hash of the texts; 0 is free */
    uint32_t slot_count, text_count;

    struct uw_line *lines;       /* sorted by provider, line, then SPEC's order */
    struct uw_absence *absences; /* sorted by provider, no_show, then SPEC's order */
    struct uw_version *versions; /* sorted by decision, version, then SPEC's order */
    struct uw_review *reviews;   /* sorted by decision, held_on, outcome; no repeats */
    struct uw_alert_state *alerts;       /* sorted by uw_alert_state_compare */
    struct uw_anomaly_state *anomalies;  /* sorted by uw_anomaly_state_compare */
    uint32_t line_count, line_capacity, absence_count, absence_capacity, version_count, version_capacity, review_count,
        review_capacity, alert_count, alert_capacity, anomaly_count, anomaly_capacity;
};

void uw_client_init(struct uw_client *client);
void uw_client_close(struct uw_client *client);
/* Bytes of memory that the client takes beside the struct itself. */
size_t uw_client_bytes(const struct uw_client *client);

/* Adds an accepted event. *redelivery is true when an equal fact (all but event_id and recorded_at) that comes
 * first in SPEC's order is there: then nothing changed. UW_ENOMEM leaves the facts as they were. */
enum uw_code uw_client_add(struct uw_client *client, const struct uw_event *event, bool *redelivery) UW_MUST_USE;

/* A hash of where the client's first decision is counted: municipality, provider and product. Clients that share
 * aggregate rows have the same one, if they have one decision each. 0: no decision. */
uint32_t uw_client_kinship(const struct uw_client *client);

/* Adds what the store knows of an alert or an anomaly, whose identity must be new to the client. */
enum uw_code uw_client_add_alert(struct uw_client *client, const struct uw_alert_change *alert) UW_MUST_USE;
enum uw_code uw_client_add_anomaly(struct uw_client *client, const struct uw_anomaly_change *anomaly) UW_MUST_USE;

/* The number of a text, UW_TEXT_NULL for the null string. UW_ENOMEM changes nothing. */
enum uw_code uw_client_intern(struct uw_client *client, struct uw_str string, uw_text *text) UW_MUST_USE;
enum uw_code uw_client_intern_decision(struct uw_client *client, struct uw_str municipality, struct uw_str decision,
                                       uw_text *text) UW_MUST_USE;
/* Borrowed until the next change of the client. */
struct uw_str uw_client_text(const struct uw_client *client, uw_text text);
struct uw_str uw_client_municipality(const struct uw_client *client, uw_text decision);
struct uw_str uw_client_decision(const struct uw_client *client, uw_text decision);

/* SPEC's order over whole facts: recorded_at, event_id, then the bytes of the value in our newest schema. Both
 * facts are of the same client. */
int uw_line_compare(const struct uw_client *client, const struct uw_line *a, const struct uw_line *b);
int uw_absence_compare(const struct uw_client *client, const struct uw_absence *a, const struct uw_absence *b);
int uw_version_compare(const struct uw_client *client, const struct uw_version *a, const struct uw_version *b);

/* Identity order, by the bytes of texts; 0 for the same alert or anomaly. */
int uw_alert_state_compare(const struct uw_client *client, const struct uw_alert_state *a,
                           const struct uw_alert_state *b);
int uw_anomaly_state_compare(const struct uw_client *client, const struct uw_anomaly_state *a,
                             const struct uw_anomaly_state *b);

/* Room for `needed` items, and some more. False when memory is refused, nothing changed. */
bool uw_reserve(void **items, uint32_t *capacity, uint32_t needed, size_t item_bytes) UW_MUST_USE;

#endif
