/*
 * How a decision's budget came to be: the model that `urenwacht explain` prints as text or JSON. Private to
 * cli/explain*.c.
 *
 * The core folds the client and judges every fact. From its days and verdicts this walks once more through weeks and
 * pools, as a controller with pen and paper would, so that the closing check compares three things: what is
 * printed, what the core computes from the stored facts, and what the processor stored.
 */
#ifndef UW_CLI_EXPLAIN_H
#define UW_CLI_EXPLAIN_H

#include <stdio.h>

#include "cli/watch_lines.h" /* enum uw_language */
#include "core/fold.h"
#include "producers/postgres.h"

/* Whose memory all of an explanation is. A client of this size is no person. */
#define UW_EXPLAIN_BYTES_MAX (UINT64_C(2) << 30)
/* Months after valid_from on which an evaluation can be due (SPEC section 2). */
#define UW_EXPLAIN_DUES_MAX 120

/* One fact, or the part of it that falls into one week of one account period. */
struct uw_explain_row {
    enum uw_subject_kind kind; /* a line or a no-show */
    uint32_t fact;             /* index in the client's lines or absences */
    enum uw_verdict verdict;
    struct uw_str provider, id;
    int32_t from_day, to_day;
    int64_t counted_minutes; /* 0 for what does not count */
    uint32_t segment;        /* index in the explanation's segments; UINT32_MAX: outside every segment */
    int32_t period_from_day; /* UW_DAY_NONE outside */
};

/* A day with counted minutes. */
struct uw_explain_day {
    int32_t day;
    int64_t delivered_minutes, used_minutes;
    int64_t used_through_minutes; /* c(day), of the day's account period */
};

struct uw_explain_week {
    int32_t monday_day;
    uint32_t row_first, row_count;
    int64_t delivered_minutes, no_show_minutes, used_minutes;
    int64_t used_through_minutes, delivered_through_minutes; /* of the account period, at the week's end */
};

struct uw_explain_period {
    struct uw_period period;
    bool has_account; /* SPEC section 3: delivered minutes > 0, or a pool of the whole segment */
    int64_t allotted_minutes, minimum_minutes; /* UW_MINUTES_NONE: none */
    int64_t used_minutes, delivered_minutes, no_show_minutes;
    uint32_t week_first, week_count, day_first, day_count;
};

struct uw_explain_segment {
    const struct uw_segment *segment;
    uint32_t period_first, period_count;
};

/* A no-show that exists, in the order in which ranks are given. */
struct uw_explain_absence {
    uint32_t fact;
    enum uw_verdict verdict;
    bool counts_toward; /* the decision is known, covers the day and is this provider's */
    bool billable;
    int32_t rank;                           /* among the month's billable ones, from 0; -1: not billable */
    const struct uw_no_show_policy *policy; /* in force on the day; NULL: there is none */
    int32_t minutes;                        /* that count */
    struct uw_str provider, id;
};

struct uw_explain_due {
    int32_t due_day, from_day;
    int32_t before_day; /* UW_DAY_NONE: the last due, without an end */
    int32_t months;     /* after valid_from */
    uint32_t held_count;
};

enum uw_explain_origin { UW_ORIGIN_OPTION, UW_ORIGIN_STORED, UW_ORIGIN_TODAY };

/* What the processor has stored of the decision. */
struct uw_explain_stored {
    bool has_client;       /* the processor knows the client */
    int32_t as_of_day;     /* UW_DAY_NONE: the partition was never judged */
    uint64_t fingerprint;  /* of the rules that the partition was judged by */
    bool judging_pending;  /* a change of the day or of thresholds is still to reach this client */
    bool accounts_pending; /* the client was never judged, or under other rules last: its accounts are to come */
    struct uw_account *accounts; /* .decision is unset; ascending by segment_from, period_from */
    uint32_t account_count;
};

/* Something that the explanation and the database see differently. */
struct uw_explain_difference {
    const char *object; /* "account", "alert", "anomaly" */
    const char *key;    /* which one */
    const char *column;
    const char *explained, *stored; /* NULL: it is not there */
};

enum uw_explain_comparison {
    UW_COMPARISON_DONE,
    UW_COMPARISON_OTHER_AS_OF,
    UW_COMPARISON_OTHER_RULES,
    UW_COMPARISON_PENDING,
    UW_COMPARISON_NOTHING_STORED,
};

struct uw_explanation {
    enum uw_language language;
    struct uw_arena *arena; /* everything below; the rest is borrowed */
    bool failed;            /* memory was refused */

    struct uw_str client_name, municipality, decision_name;
    const struct uw_client *client;
    const struct uw_fold *fold;
    const struct uw_settings *settings;
    uw_text decision;
    const struct uw_case *care; /* NULL: no version of the decision is known, facts are waiting for it */
    int32_t as_of_day;
    enum uw_explain_origin origin;
    struct uw_explain_stored stored;

    struct uw_explain_row *rows; /* by segment, period, week, day; those outside every segment last */
    struct uw_explain_week *weeks;
    struct uw_explain_day *days;
    struct uw_explain_period *periods;
    struct uw_explain_segment *segments;
    struct uw_explain_absence *absences;
    struct uw_explain_difference *differences;
    uint32_t row_count, row_capacity, week_count, week_capacity, day_count, day_capacity, period_count,
        period_capacity, segment_count, absence_count, difference_count, difference_capacity;
    struct uw_explain_due dues[UW_EXPLAIN_DUES_MAX];
    uint32_t due_count;
    enum uw_explain_comparison comparison; /* of alerts and anomalies; accounts are compared unless they are pending */
    bool without_anomalies;                /* the JSON is for somebody who does not see them */
};

/* Picks the text of the language; a macro, so that the compiler checks both formats. */
#define UW_SAY(explanation, dutch, english) ((explanation)->language == UW_LANGUAGE_NL ? (dutch) : (english))

/* ---- explain.c ---- */

struct uw_config;

struct uw_explain_question {
    const char *municipality, *decision, *client;
    int32_t as_of_day; /* UW_DAY_NONE: the processor's */
    enum uw_language language;
    bool without_anomalies;
};

/* What the facts and the stored results are read with: two connections, made when they are needed and kept. One
 * reader belongs to one thread. */
struct uw_explain_reader;
/* Does not connect. UW_ECONFIG or UW_ENOMEM. `config` is borrowed as long as the reader lives. */
enum uw_code uw_explain_reader_open(const struct uw_config *config, const char *owner,
                                    struct uw_explain_reader **reader, struct uw_error *error) UW_MUST_USE;
void uw_explain_reader_close(struct uw_explain_reader **reader);

/* Writes the JSON of docs/explain.md to `file`. UW_OK with *found false: no fact names the decision for the client. */
enum uw_code uw_explain_answer(struct uw_explain_reader *reader, const struct uw_explain_question *question, FILE *file,
                               bool *found, struct uw_error *error) UW_MUST_USE;

/* ---- explain_model.c ---- */

/* Walks through the fold's days. client, fold, decision, care, arena and names are set by the caller. UW_ENOMEM. */
enum uw_code uw_explain_build(struct uw_explanation *explanation) UW_MUST_USE;
/* The period of an account, or NULL. */
const struct uw_explain_period *uw_explain_period_of(const struct uw_explanation *explanation,
                                                     int32_t segment_from_day, int32_t period_from_day);
/* Used minutes through a day, c(d). */
int64_t uw_explain_used_through(const struct uw_explanation *explanation, const struct uw_explain_period *period,
                                int32_t day);
/* The winner among the versions of a line or no-show. */
uint32_t uw_explain_winning_line(const struct uw_client *client, uint32_t line);
uint32_t uw_explain_winning_absence(const struct uw_client *client, uint32_t absence);
/* The winning line with this key, or UINT32_MAX. */
uint32_t uw_explain_find_line(const struct uw_client *client, uw_text provider, uw_text line);
/* The last day of a line. */
int32_t uw_explain_line_end(const struct uw_line *line);
/* A line of a credit's kind that belongs to the decision and wins its key. */
bool uw_explain_is_credit(const struct uw_explanation *explanation, uint32_t line);

/* ---- explain_absences.c ---- */

/* No-shows with their ranks, and the dues of evaluations. */
void uw_explain_build_absences(struct uw_explanation *explanation);
void uw_explain_build_dues(struct uw_explanation *explanation);

/* ---- explain_stored.c ---- */

/* What the processor stored of the client and the decision; rows in `arena`. */
enum uw_code uw_explain_read_stored(struct uw_postgres *postgres, struct uw_str client, struct uw_str municipality,
                                    struct uw_str decision, struct uw_arena *arena,
                                    struct uw_explain_stored *stored, struct uw_error *error) UW_MUST_USE;
/* Fills differences and comparison. */
void uw_explain_compare(struct uw_explanation *explanation);

/* ---- explain_words.c: texts in `arena` ---- */

/* Formatted text; "" and explanation->failed when memory is refused. */
const char *uw_explain_text(struct uw_explanation *explanation, const char *format, ...) UW_PRINTF(2, 3);
/* A string of a source, with what could steer a terminal replaced. */
const char *uw_explain_clean(struct uw_explanation *explanation, struct uw_str string);
/* The same of a text of the client; "-" for null. */
const char *uw_explain_name(struct uw_explanation *explanation, uw_text text);
const char *uw_explain_date(struct uw_explanation *explanation, int32_t day); /* "-" for UW_DAY_NONE */
const char *uw_explain_range(struct uw_explanation *explanation, int32_t from_day, int32_t to_day);
const char *uw_explain_weekday(const struct uw_explanation *explanation, int32_t day);
const char *uw_explain_instant(struct uw_explanation *explanation, int64_t instant_ms);
const char *uw_explain_event_id(struct uw_explanation *explanation, const struct uw_stamp *stamp);
/* "2026-W10". */
const char *uw_explain_iso_week(struct uw_explanation *explanation, int32_t monday_day);
const char *uw_explain_terms(struct uw_explanation *explanation, const struct uw_version_terms *terms);
const char *uw_explain_policy(struct uw_explanation *explanation, const struct uw_no_show_policy *policy);
const char *uw_explain_absence_reason(const struct uw_explanation *explanation, enum uw_no_show_reason reason);
const char *uw_explain_outcome(const struct uw_explanation *explanation, enum uw_outcome_of_evaluation outcome);
/* Two or three words: "telt", "teruggenomen", "andere aanbieder", ... */
const char *uw_explain_verdict(const struct uw_explanation *explanation, enum uw_verdict verdict);

/* ---- explain_reasons.c: sentences in `arena` ---- */

/* Why a fact counts or does not, with the numbers that decide it; "" where nothing is to be said. */
const char *uw_explain_reason(struct uw_explanation *explanation, const struct uw_explain_row *row);
const char *uw_explain_absence_words(struct uw_explanation *explanation, const struct uw_explain_absence *absence);
/* ---- explain_signals.c: the arithmetic that opens an alert or an anomaly ---- */

const char *uw_explain_alert(struct uw_explanation *explanation, const struct uw_alert *alert);
const char *uw_explain_anomaly(struct uw_explanation *explanation, const struct uw_anomaly *anomaly);
const char *uw_explain_subject(struct uw_explanation *explanation, const struct uw_anomaly_state *state);

/* ---- explain_print.c, explain_json.c ---- */

/* `width` in cells, 0: no limit. Failures of memory are in explanation->failed, those of `file` in ferror. */
void uw_explain_print(struct uw_explanation *explanation, FILE *file, uint32_t width, bool colours);
/* Documented in docs/explain.md. */
void uw_explain_print_json(struct uw_explanation *explanation, FILE *file);

#endif
