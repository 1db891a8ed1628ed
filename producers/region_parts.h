/*
 * What the files of the region share. region_contract.c says which provider has a contract for what, and where;
 * region_care.c who gets which care and when an appointment is kept, all by hash; region_event.c turns a planned item
 * into an event; region.c walks the days.
 */
#ifndef UW_PRODUCERS_REGION_PARTS_H
#define UW_PRODUCERS_REGION_PARTS_H

#include "producers/region.h"

#define UW_REGION_LEAD_DAYS 35       /* decisions are recorded at most so long before they start */
#define UW_REGION_HORIZON_DAYS 256   /* nothing is recorded so long after it happened; a power of two */
#define UW_REGION_EXTENSIONS_MAX 12
#define UW_REGION_VERSIONS_MAX (UW_REGION_EXTENSIONS_MAX + 5)
#define UW_REGION_EVALUATIONS_MAX 24
#define UW_REGION_TEXT_BYTES 40
#define UW_REGION_PRODUCT_COUNT 9

/* What a hash is asked for: two questions about the same care and day have independent answers. */
enum uw_region_ask {
    ASK_CLIENT, ASK_PROVIDER, ASK_STAFF, ASK_PRODUCT, ASK_MODEL, ASK_START, ASK_LENGTH, ASK_EXTENSION, ASK_EARLY_END,
    ASK_TERMS, ASK_POLICY, ASK_RHYTHM, ASK_WEEK, ASK_OUTCOME, ASK_MINUTES, ASK_DELAY, ASK_LATE, ASK_CREDIT,
    ASK_REDELIVERY, ASK_PLANT, ASK_PLANT_KIND, ASK_TIME, ASK_ID, ASK_EVALUATION, ASK_HOLIDAY, ASK_SICKNESS, ASK_SWITCH,
    ASK_CHANGE, ASK_CONFLICT, ASK_RECORD, ASK_COLLEAGUE, ASK_NOTICE, ASK_CONTRACT,
};

enum uw_region_delivery { DELIVERY_DAILY, DELIVERY_WEEKLY, DELIVERY_PERIOD };

struct uw_region_provider {
    uint8_t delivery; /* enum uw_region_delivery */
    uint8_t staff_count;
    uint16_t no_show_permille;
    uint16_t products;              /* for which it has a contract, one bit each */
    uint8_t area_first, area_count; /* it works in so many municipalities from this place of the round trip on */
};

/* One of the providers that can be chosen for a product in a municipality. Its part of the chances ends where the sum
 * of weights, which begins anew for each product and municipality, reaches this. */
struct uw_region_choice {
    uint32_t weight_until;
    uint16_t provider;
};

/* One decision of one client and the appointments under it. */
struct uw_region_care {
    uint32_t client;
    uint32_t number; /* place among all cares, from 0 */
    uint16_t municipality, provider, next_provider; /* indexes; next_provider from change_day on */
    uint16_t visits_per_week_milli, visit_minutes, start_minute; /* start: local minutes since midnight */
    int32_t valid_from_day, last_day;   /* care is given on these days, inclusive */
    int32_t change_day;                 /* UW_DAY_NONE: the provider stays */
    int32_t milestone_day;              /* next day on which a version or an evaluation is recorded */
    int16_t length_months;              /* of one validity; 0: open-ended */
    uint16_t weekday_ranks;             /* three bits a weekday, Monday lowest: 0 is the first day to be used */
    uint8_t index;                      /* 0 or 1 within the client */
    uint8_t extensions;
    uint8_t law, product, care, staff;
    bool withdrawn, early_end, switched, late_decision;
};

struct uw_region_product {
    enum uw_law law;
    const char *category, *code, *result;
    enum uw_model usual_form, other_form; /* the one that most contracts for it have, and that of the others */
    int32_t visits_milli_min, visits_milli_max, minutes_min, minutes_max;
};
const struct uw_region_product *uw_region_product(uint8_t index);

/* A version of a decision: when it is recorded, from when it holds, and the end as known then. */
struct uw_region_version {
    int32_t recorded_day, effective_from_day, valid_to_day; /* valid_to: UW_DAY_NONE is open-ended */
    bool withdrawn;
};

struct uw_region_evaluation {
    int32_t held_on_day, recorded_day; /* UW_DAY_NONE: never held */
};

enum uw_region_outcome { OUTCOME_NONE, OUTCOME_VISIT, OUTCOME_NO_SHOW };

/* An appointment as it went. */
struct uw_region_visit {
    enum uw_region_outcome outcome;
    enum uw_no_show_reason reason; /* of a no-show */
    uint16_t minutes, start_minute;
    uint16_t provider;
    uint8_t staff;
};

#define DAY_HOLIDAY 1u
#define DAY_SUMMER_TIME 2u

enum uw_region_item_kind {
    ITEM_VERSION, ITEM_CONFLICTING_VERSION, ITEM_LINE, ITEM_PERIOD_LINE, ITEM_CREDIT, ITEM_NEW_LINE, ITEM_NO_SHOW,
    ITEM_WITHDRAWN_NO_SHOW, ITEM_EVALUATION, ITEM_DOUBLE_LINE, ITEM_OVERLAPPING_LINE, ITEM_LINE_OF_NO_SHOW,
    ITEM_ORPHAN_CREDIT, ITEM_MISMATCHED_CREDIT, ITEM_SECOND_CREDIT, ITEM_CONFLICTING_LINE, ITEM_PERIOD_CREDIT,
    ITEM_NEW_PERIOD_LINE,
};

/* An event that will be recorded on the day of its bucket. */
struct uw_region_item {
    uint32_t ms_of_day;
    uint32_t care;
    int32_t day; /* of the appointment, or first day of the period */
    uint8_t kind; /* enum uw_region_item_kind */
    uint8_t variant; /* of a version or an evaluation: which one */
    bool redelivery;
};

struct uw_region_bucket {
    struct uw_region_item *items;
    size_t count, capacity;
};

struct uw_region {
    struct uw_region_options options;
    struct uw_region_provider *providers;
    struct uw_region_choice *choices;
    uint32_t *choice_starts; /* by product and municipality, and the end */
    uint8_t round_places[UW_REGION_MUNICIPALITIES_MAX]; /* of each municipality on the round trip past all */
    struct uw_region_care *cares;
    uint32_t care_count;
    int32_t scale_milli; /* of the visits a week */
    uint8_t *days;       /* bits of every day from first_day - UW_REGION_LEAD_DAYS on */
    int32_t days_from, days_to;
    int32_t day;         /* whose events are given now */
    struct uw_region_bucket buckets[UW_REGION_HORIZON_DAYS]; /* by recorded day, modulo the horizon */
    size_t position;     /* in today's bucket */
    size_t memory_bytes;
    struct uw_region_statistics statistics;
    /* What the last event's strings point into. */
    char municipality[8], client[UW_REGION_TEXT_BYTES], decision[UW_REGION_TEXT_BYTES], provider[12];
    char id[UW_REGION_TEXT_BYTES], corrects[UW_REGION_TEXT_BYTES], staff[UW_REGION_TEXT_BYTES];
    bool irregular;
    struct uw_irregularity irregularity;
};

/* A number of 64 bits that depends on every argument. */
uint64_t uw_region_hash(const struct uw_region *region, enum uw_region_ask ask, uint32_t whom, int32_t when);

/* Easter Sunday of a year of the Gregorian calendar. */
int32_t uw_region_easter(int32_t year);
/* The bits of every day of [from, to] into `days`. */
void uw_region_fill_days(int32_t from_day, int32_t to_day, uint8_t *days);

/* Fills in the providers and what can be chosen. UW_ENOMEM leaves what it made to uw_region_close. */
enum uw_code uw_region_make_contracts(struct uw_region *region) UW_MUST_USE;
/* A municipality, the large ones more often. */
uint16_t uw_region_municipality(const struct uw_region *region, enum uw_region_ask ask, uint32_t whom);
/* One of the providers with a contract for the care's product in its municipality, the large ones more often. */
uint16_t uw_region_contractor(const struct uw_region *region, const struct uw_region_care *care, uint64_t lot);
/* Another than the care's that does not declare by the month, or the care's own where there is none. */
uint16_t uw_region_other_contractor(const struct uw_region *region, const struct uw_region_care *care, uint64_t lot);
/* Whether a contract has another funding form from options.switch_day on; and the enum uw_model of it on a day. */
bool uw_region_is_switched(const struct uw_region *region, uint16_t provider, uint8_t product);
uint8_t uw_region_form(const struct uw_region *region, uint16_t provider, uint8_t product, int32_t day);
/* Cents an hour under a contract; UW_INT_NONE: not told. */
int32_t uw_region_rate(const struct uw_region *region, uint16_t provider, uint8_t product);

/* Everything about the care with this number; `index` is 0 or 1 within its client. */
void uw_region_fill_care(const struct uw_region *region, uint32_t number, uint32_t client, uint8_t index,
                         struct uw_region_care *care);
bool uw_region_has_second_care(const struct uw_region *region, uint32_t client);

/* What is planned on a day of care, and how it went. */
void uw_region_visit(const struct uw_region *region, const struct uw_region_care *care, int32_t day,
                     struct uw_region_visit *visit);
/* The planted irregularity of an appointment; false for almost all. */
bool uw_region_plant(const struct uw_region *region, const struct uw_region_care *care, int32_t day,
                     enum uw_region_outcome outcome, enum uw_anomaly_kind *kind);
/* Days after the appointment on which its line is recorded, late deliveries and planted ones included. */
int32_t uw_region_delay(const struct uw_region *region, const struct uw_region_care *care, int32_t day);

uint16_t uw_region_provider_on(const struct uw_region_care *care, int32_t day);
uint8_t uw_region_versions(const struct uw_region *region, const struct uw_region_care *care,
                           struct uw_region_version versions[UW_REGION_VERSIONS_MAX]);
/* Months after valid_from on which an evaluation is agreed; the list that the decision carries. */
uint8_t uw_region_evaluation_months(const struct uw_region_care *care, const int32_t **months);
uint8_t uw_region_evaluations(const struct uw_region *region, const struct uw_region_care *care,
                              struct uw_region_evaluation evaluations[UW_REGION_EVALUATIONS_MAX]);
void uw_region_terms(const struct uw_region *region, const struct uw_region_care *care, uint8_t model,
                     struct uw_terms *terms);

/* The event of an item recorded on `recorded_day`, with its irregularity. */
void uw_region_event(struct uw_region *region, const struct uw_region_item *item, int32_t recorded_day,
                     struct uw_event *event);
/* Minutes delivered on [first, last] of a care. */
int32_t uw_region_period_minutes(const struct uw_region *region, const struct uw_region_care *care, int32_t first_day,
                                 int32_t last_day);

#endif
