/*
 * What a check found: a line for each difference, and a table at the end; for people or as JSON lines.
 */
#ifndef UW_CLI_VERIFY_REPORT_H
#define UW_CLI_VERIFY_REPORT_H

#include "core/arena.h"
#include "core/date.h"

/* What was compared. */
enum uw_verify_what {
    UW_VERIFY_PARTITION,
    UW_VERIFY_FACT,
    UW_VERIFY_CLIENT,
    UW_VERIFY_ACCOUNT,
    UW_VERIFY_ALERT,
    UW_VERIFY_ANOMALY,
    UW_VERIFY_HISTORY,
    UW_VERIFY_AGGREGATE,
    UW_VERIFY_OUTBOX,
    UW_VERIFY_TOPIC,
    UW_VERIFY_RECORD,
    UW_VERIFY_DEAD_LETTER,
};
#define UW_VERIFY_WHAT_COUNT 12

/* How what is stored differs from what it should be. */
enum uw_verify_how { UW_VERIFY_MISSING, UW_VERIFY_EXTRA, UW_VERIFY_CHANGED };

#define UW_VERIFY_FIELDS_MAX 32
#define UW_VERIFY_NAME_BYTES_MAX 32 /* of a field */

struct uw_verify_field {
    const char *name;
    bool is_key; /* part of the identity, which stands in `stored` */
    bool is_number;
    struct uw_str stored, expected; /* null: not there */
};

struct uw_verify_report {
    bool json;
    int64_t limit; /* lines that are printed; 0: all */
    int64_t printed;
    int64_t compared[UW_VERIFY_WHAT_COUNT], differences[UW_VERIFY_WHAT_COUNT];
    /* What could not be compared, and is no difference. */
    int64_t waiting;    /* clients who wait to be judged */
    int64_t gone;       /* facts whose records the topics do not hold any more */
    int64_t replayable; /* dead letters that would be accepted now, whether they were sent again or not */
    int64_t replays;    /* records that say that they are a dead letter sent again */
    int64_t repeated;   /* dead letters that were published more than once */
    bool broken;        /* standard output cannot be written */
    /* The difference that is being told. */
    enum uw_verify_what what;
    enum uw_verify_how how;
    struct uw_verify_field fields[UW_VERIFY_FIELDS_MAX];
    uint32_t field_count;
    struct uw_arena arena;
};

void uw_verify_report_init(struct uw_verify_report *report, bool json, int64_t limit);
void uw_verify_report_close(struct uw_verify_report *report);

/* A difference is told by `begin`, then its identity by `key...`, then figures by `pair...`, then `end`, which counts
 * and prints it. Texts may be any bytes; `name` must live until `end`. The null string, UW_DAY_NONE, and the absent
 * numbers of core/types.h are "none"; with MISSING only the expected ones are shown, with EXTRA only the stored ones.
 * With CHANGED a pair that is equal is left out. */
void uw_verify_begin(struct uw_verify_report *report, enum uw_verify_what what, enum uw_verify_how how);
void uw_verify_key(struct uw_verify_report *report, const char *name, struct uw_str value);
void uw_verify_key_day(struct uw_verify_report *report, const char *name, int32_t day);
void uw_verify_key_number(struct uw_verify_report *report, const char *name, int64_t number);
void uw_verify_pair(struct uw_verify_report *report, const char *name, struct uw_str stored, struct uw_str expected);
void uw_verify_pair_day(struct uw_verify_report *report, const char *name, int32_t stored_day, int32_t expected_day);
void uw_verify_pair_number(struct uw_verify_report *report, const char *name, int64_t stored, int64_t expected);
void uw_verify_end(struct uw_verify_report *report);

/* Of all kinds. */
int64_t uw_verify_difference_count(const struct uw_verify_report *report);
/* The table, or the object {"summary": ...}. `complete` is false when the check was ended before its end. */
void uw_verify_summary(struct uw_verify_report *report, bool complete);

const char *uw_verify_what_name(enum uw_verify_what what);
const char *uw_verify_how_name(enum uw_verify_how how);

#endif
