/*
 * A believable Dutch care region, made from a seed: municipalities, providers and the contracts that they have
 * with the region, staff, decisions in all six funding forms, weekly visits, holidays, sickness, no-shows,
 * corrections, late deliveries, evaluations, and planted irregularities of which each gives exactly one anomaly of
 * SPEC section 5.
 *
 * Events come in the order of recorded_at. The same options give the same events, whatever the machine: only
 * integers and a hash of (seed, what is asked, of whom, when) decide. Memory is bounded by the number of
 * clients and by what is recorded later than it happened (at most 120 days), never by the length of the run.
 *
 * All events are valid (SPEC section 2), and but for the planted irregularities there is no anomaly at
 * as_of = until: what providers record wrongly they set right. Names and codes: municipalities bear CBS codes
 * of the east of the Netherlands; providers codes of eight digits; clients and staff are pseudonyms with
 * letters, which can never be a citizen's number.
 */
#ifndef UW_PRODUCERS_REGION_H
#define UW_PRODUCERS_REGION_H

#include "core/event.h"
#include "core/outcome.h"

#define UW_REGION_CLIENTS_MAX 1000000
#define UW_REGION_MUNICIPALITIES_MAX 32
#define UW_REGION_PROVIDERS_MAX 5000
#define UW_REGION_DAYS_MAX 7320 /* twenty years */

struct uw_region_options {
    uint64_t seed;
    int32_t clients;         /* 1..UW_REGION_CLIENTS_MAX */
    int32_t municipalities;  /* 0: one per 2500 clients, at least 2 */
    int32_t providers;       /* 0: one per 150 clients, at least 6 */
    int32_t from_day;        /* first day of care; its decisions are recorded up to 35 days before */
    /* Last day on which anything is recorded. UW_DAY_NONE: the day on which visits as agreed have given `declarations`,
     * four weeks to five years after from_day; without them, a year after it less a day. */
    int32_t until_day;
    int64_t declarations;    /* about so many lines, if need be by scaling the visits; 0: what the visits give */
    int32_t switch_day;      /* from here a quarter of the contracts has another funding form; UW_DAY_NONE: none */
    int32_t no_show_percent; /* of the appointments; -1: 3 to 6, by provider */
    int32_t credit_percent;  /* of the lines that are taken back, most of them declared anew */
    int32_t redelivery_percent;
    int32_t late_percent;             /* of the lines that come 8 to 60 days after the others */
    int32_t irregular_per_10000;      /* planted irregularities for every ten thousand appointments */
};

/* Sets what the options of `urenwacht simulate` are when none is given: 2000 clients, the year 2026. */
void uw_region_options_default(struct uw_region_options *options);

/* What is wrong with an event of the stream, and the anomaly that it gives. Client, municipality and decision
 * are the event's. */
struct uw_irregularity {
    enum uw_anomaly_kind kind;
    struct uw_subject subject;
};

struct uw_region_statistics {
    uint64_t events[UW_TOPIC_COUNT];
    uint64_t irregularities;
    int32_t first_day, day, last_day; /* recorded days: of the first event, reached, of the last */
    size_t memory_bytes;              /* held now */
};

struct uw_region;

/* UW_ECONFIG, naming the option, when one is out of its range or `declarations` cannot be reached. */
enum uw_code uw_region_open(const struct uw_region_options *options, struct uw_region **region,
                            struct uw_error *error) UW_MUST_USE;
void uw_region_close(struct uw_region **region);

/* The next event, whose strings live until the next call. *end is set instead when there is none. */
enum uw_code uw_region_next(struct uw_region *region, struct uw_event *event, bool *end,
                            struct uw_error *error) UW_MUST_USE;
/* What is irregular about the event that uw_region_next gave last, or NULL. Lives as long as that event. */
const struct uw_irregularity *uw_region_irregularity(const struct uw_region *region);
void uw_region_statistics(const struct uw_region *region, struct uw_region_statistics *statistics);

#endif
