/* From the fold's days and verdicts to weeks, pools and segments (SPEC section 3). */
#include "cli/explain.h"

#include <stdlib.h>
#include <string.h>

/* ---- facts ---- */

int32_t uw_explain_line_end(const struct uw_line *line)
{
    return line->performed_until_day == UW_DAY_NONE ? line->performed_on_day : line->performed_until_day;
}

/* Versions of one fact stand beside each other, the winner first (core/client.h). */
uint32_t uw_explain_winning_line(const struct uw_client *client, uint32_t line)
{
    const struct uw_line *lines = client->lines;
    while (line > 0 && lines[line - 1].provider == lines[line].provider && lines[line - 1].line == lines[line].line) {
        line--;
    }
    return line;
}

uint32_t uw_explain_winning_absence(const struct uw_client *client, uint32_t absence)
{
    const struct uw_absence *absences = client->absences;
    while (absence > 0 && absences[absence - 1].provider == absences[absence].provider &&
           absences[absence - 1].no_show == absences[absence].no_show) {
        absence--;
    }
    return absence;
}

uint32_t uw_explain_find_line(const struct uw_client *client, uw_text provider, uw_text line)
{
    for (uint32_t i = 0; i < client->line_count; i++) {
        if (client->lines[i].provider == provider && client->lines[i].line == line) {
            return i;
        }
    }
    return UINT32_MAX;
}

bool uw_explain_is_credit(const struct uw_explanation *explanation, uint32_t line)
{
    const struct uw_line *credit = &explanation->client->lines[line];
    return credit->decision == explanation->decision && credit->kind == UW_LINE_CREDIT &&
           explanation->fold->line_verdicts[line] != UW_VERDICT_SUPERSEDED;
}

/* ---- rows ---- */

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* A fact's days beside each other, ascending. */
static int compare_by_fact(const void *a, const void *b)
{
    const struct uw_explain_row *left = a, *right = b;
    int order = compare_numbers(left->kind, right->kind);
    order = order != 0 ? order : compare_numbers(left->fact, right->fact);
    return order != 0 ? order : compare_numbers(left->from_day, right->from_day);
}

/* As they are printed. A period that is unset is before every other, but then so is the whole segment. */
static int compare_by_place(const void *a, const void *b)
{
    const struct uw_explain_row *left = a, *right = b;
    int order = compare_numbers(left->segment, right->segment);
    order = order != 0 ? order : compare_numbers(left->period_from_day, right->period_from_day);
    order = order != 0 ? order : compare_numbers(left->from_day, right->from_day);
    order = order != 0 ? order : compare_numbers(left->kind, right->kind);
    order = order != 0 ? order : uw_str_compare(left->provider, right->provider);
    order = order != 0 ? order : uw_str_compare(left->id, right->id);
    return order != 0 ? order : compare_numbers(left->fact, right->fact);
}

static void place_row(const struct uw_explanation *explanation, struct uw_explain_row *row)
{
    row->segment = UINT32_MAX;
    row->period_from_day = UW_DAY_NONE;
    for (uint32_t i = 0; i < explanation->segment_count; i++) {
        const struct uw_segment *segment = explanation->segments[i].segment;
        if (row->from_day >= segment->from_day &&
            (segment->to_day == UW_DAY_NONE || row->from_day <= segment->to_day)) {
            row->segment = i;
            row->period_from_day = uw_segment_period(segment, row->from_day).from_day;
            return;
        }
    }
}

static void add_row(struct uw_explanation *explanation, struct uw_explain_row row)
{
    const struct uw_client *client = explanation->client;
    if (row.kind == UW_SUBJECT_LINE) {
        row.provider = uw_client_text(client, client->lines[row.fact].provider);
        row.id = uw_client_text(client, client->lines[row.fact].line);
        row.verdict = (enum uw_verdict)explanation->fold->line_verdicts[row.fact];
    } else {
        row.provider = uw_client_text(client, client->absences[row.fact].provider);
        row.id = uw_client_text(client, client->absences[row.fact].no_show);
        row.verdict = (enum uw_verdict)explanation->fold->absence_verdicts[row.fact];
    }
    place_row(explanation, &row);
    explanation->rows[explanation->row_count++] = row;
}

/* Days of one fact that fall into one week of one period become one row. */
static void merge_days(struct uw_explanation *explanation)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < explanation->row_count; i++) {
        struct uw_explain_row *row = &explanation->rows[i];
        struct uw_explain_row *last = kept > 0 ? &explanation->rows[kept - 1] : NULL;
        if (last != NULL && last->kind == row->kind && last->fact == row->fact && last->segment == row->segment &&
            last->period_from_day == row->period_from_day &&
            uw_week_start(last->from_day) == uw_week_start(row->from_day)) {
            last->to_day = row->to_day;
            last->counted_minutes += row->counted_minutes;
        } else {
            explanation->rows[kept++] = *row;
        }
    }
    explanation->row_count = kept;
}

/* Facts of the decision without a counted day: those that do not count, and those that count for nothing. */
static void add_uncounted(struct uw_explanation *explanation, bool *const counted[2])
{
    const struct uw_client *client = explanation->client;
    for (uint32_t i = 0; i < client->line_count; i++) {
        const struct uw_line *line = &client->lines[i];
        if (line->decision == explanation->decision && !counted[0][i]) {
            add_row(explanation, (struct uw_explain_row){.kind = UW_SUBJECT_LINE,
                                                         .fact = i,
                                                         .from_day = line->performed_on_day,
                                                         .to_day = uw_explain_line_end(line)});
        }
    }
    for (uint32_t i = 0; i < client->absence_count; i++) {
        const struct uw_absence *absence = &client->absences[i];
        if (absence->decision == explanation->decision && !counted[1][i]) {
            add_row(explanation, (struct uw_explain_row){.kind = UW_SUBJECT_NO_SHOW,
                                                         .fact = i,
                                                         .from_day = absence->appointment_on_day,
                                                         .to_day = absence->appointment_on_day});
        }
    }
}

static void build_rows(struct uw_explanation *explanation)
{
    const struct uw_client *client = explanation->client;
    const struct uw_fold *fold = explanation->fold;
    const struct uw_case *care = explanation->care;
    uint32_t entry_count = care == NULL ? 0 : care->entry_count;
    size_t most = (size_t)entry_count + client->line_count + client->absence_count;
    bool *counted[2] = {uw_arena_take(explanation->arena, client->line_count),
                        uw_arena_take(explanation->arena, client->absence_count)};
    explanation->rows = uw_arena_take(explanation->arena, most * sizeof *explanation->rows);
    if (explanation->rows == NULL || counted[0] == NULL || counted[1] == NULL) {
        explanation->failed = true;
        return;
    }
    memset(counted[0], 0, client->line_count);
    memset(counted[1], 0, client->absence_count);
    for (uint32_t i = 0; i < entry_count; i++) {
        const struct uw_entry *entry = &fold->entries[care->entry_first + i];
        counted[entry->is_no_show][entry->fact] = true;
        add_row(explanation, (struct uw_explain_row){.kind = entry->is_no_show ? UW_SUBJECT_NO_SHOW : UW_SUBJECT_LINE,
                                                     .fact = entry->fact,
                                                     .from_day = entry->day,
                                                     .to_day = entry->day,
                                                     .counted_minutes = entry->minutes});
    }
    qsort(explanation->rows, explanation->row_count, sizeof *explanation->rows, compare_by_fact);
    merge_days(explanation);
    add_uncounted(explanation, counted);
    qsort(explanation->rows, explanation->row_count, sizeof *explanation->rows, compare_by_place);
}

/* ---- pools ---- */

static bool is_whole_segment(const struct uw_version_terms *terms)
{
    return terms->model == UW_MODEL_FIXED_PLUS_SURPLUS ||
           (terms->model == UW_MODEL_PXQ && terms->frequency == UW_FREQUENCY_TOTAL);
}

static struct uw_explain_period *open_period(struct uw_explanation *explanation, struct uw_explain_segment *segment,
                                             int32_t day)
{
    struct uw_explain_period *period = &explanation->periods[explanation->period_count++];
    memset(period, 0, sizeof *period);
    period->period = uw_segment_period(segment->segment, day);
    period->allotted_minutes = uw_period_allotted(segment->segment->terms, &period->period);
    period->minimum_minutes = uw_period_minimum(segment->segment->terms, &period->period);
    period->has_account = is_whole_segment(segment->segment->terms);
    period->week_first = explanation->week_count;
    period->day_first = explanation->day_count;
    segment->period_count++;
    return period;
}

/* The fold's entries of the period, day by day; `entry` is the first one not yet taken. */
static uint32_t walk_days(struct uw_explanation *explanation, const struct uw_explain_segment *segment,
                          struct uw_explain_period *period, uint32_t entry)
{
    const struct uw_case *care = explanation->care;
    const struct uw_entry *entries = explanation->fold->entries;
    uint32_t end = care->entry_first + care->entry_count;
    const struct uw_version_terms *terms = segment->segment->terms;
    int32_t monday = UW_DAY_NONE;
    int64_t of_week = 0;
    while (entry < end && (period->period.to_day == UW_DAY_NONE || entries[entry].day <= period->period.to_day)) {
        struct uw_explain_day *day = &explanation->days[explanation->day_count++];
        *day = (struct uw_explain_day){.day = entries[entry].day};
        for (; entry < end && entries[entry].day == day->day; entry++) {
            day->delivered_minutes += entries[entry].minutes;
            period->no_show_minutes += entries[entry].is_no_show ? entries[entry].minutes : 0;
        }
        day->used_minutes = day->delivered_minutes;
        if (terms->model == UW_MODEL_FIXED_PLUS_SURPLUS) {
            of_week = monday == uw_week_start(day->day) ? of_week : 0;
            monday = uw_week_start(day->day);
            int64_t left = of_week < terms->first ? terms->first - of_week : 0;
            of_week += day->delivered_minutes;
            day->used_minutes = day->delivered_minutes > left ? day->delivered_minutes - left : 0;
        }
        period->delivered_minutes += day->delivered_minutes;
        period->used_minutes += day->used_minutes;
        day->used_through_minutes = period->used_minutes;
    }
    period->day_count = explanation->day_count - period->day_first;
    period->has_account = period->has_account || period->delivered_minutes > 0;
    return entry;
}

/* The rows of the period, week by week; `row` is the first one not yet taken. */
static uint32_t walk_weeks(struct uw_explanation *explanation, uint32_t segment, struct uw_explain_period *period,
                           uint32_t row)
{
    uint32_t day = period->day_first, day_end = period->day_first + period->day_count;
    int64_t used = 0, delivered = 0;
    while (row < explanation->row_count && explanation->rows[row].segment == segment &&
           explanation->rows[row].period_from_day == period->period.from_day) {
        struct uw_explain_week *week = &explanation->weeks[explanation->week_count++];
        *week = (struct uw_explain_week){.monday_day = uw_week_start(explanation->rows[row].from_day),
                                         .row_first = row};
        while (row < explanation->row_count && explanation->rows[row].segment == segment &&
               explanation->rows[row].period_from_day == period->period.from_day &&
               uw_week_start(explanation->rows[row].from_day) == week->monday_day) {
            week->no_show_minutes +=
                explanation->rows[row].kind == UW_SUBJECT_NO_SHOW ? explanation->rows[row].counted_minutes : 0;
            week->row_count++;
            row++;
        }
        for (; day < day_end && explanation->days[day].day < week->monday_day + 7; day++) {
            week->delivered_minutes += explanation->days[day].delivered_minutes;
            week->used_minutes += explanation->days[day].used_minutes;
        }
        week->used_through_minutes = used += week->used_minutes;
        week->delivered_through_minutes = delivered += week->delivered_minutes;
    }
    period->week_count = explanation->week_count - period->week_first;
    return row;
}

static void build_segment(struct uw_explanation *explanation, uint32_t index, uint32_t *row, uint32_t *entry)
{
    struct uw_explain_segment *segment = &explanation->segments[index];
    segment->period_first = explanation->period_count;
    while (*row < explanation->row_count && explanation->rows[*row].segment == index) {
        struct uw_explain_period *period = open_period(explanation, segment, explanation->rows[*row].from_day);
        *entry = walk_days(explanation, segment, period, *entry);
        *row = walk_weeks(explanation, index, period, *row);
    }
    if (segment->period_count == 0 && is_whole_segment(segment->segment->terms)) {
        (void)open_period(explanation, segment, segment->segment->from_day);
    }
}

static bool take_arrays(struct uw_explanation *explanation)
{
    uint32_t entry_count = explanation->care == NULL ? 0 : explanation->care->entry_count;
    size_t periods = (size_t)explanation->row_count + explanation->segment_count;
    explanation->weeks = uw_arena_take(explanation->arena, explanation->row_count * sizeof *explanation->weeks);
    explanation->days = uw_arena_take(explanation->arena, entry_count * sizeof *explanation->days);
    explanation->periods = uw_arena_take(explanation->arena, periods * sizeof *explanation->periods);
    return explanation->weeks != NULL && explanation->days != NULL && explanation->periods != NULL;
}

enum uw_code uw_explain_build(struct uw_explanation *explanation)
{
    const struct uw_case *care = explanation->care;
    uint32_t segment_count = care == NULL ? 0 : care->segment_count;
    uint32_t row = 0, entry = care == NULL ? 0 : care->entry_first; /* the first ones not yet taken */
    explanation->segments = uw_arena_take(explanation->arena, segment_count * sizeof *explanation->segments);
    if (explanation->segments == NULL) {
        return UW_ENOMEM;
    }
    explanation->segment_count = segment_count;
    for (uint32_t i = 0; i < segment_count; i++) {
        explanation->segments[i] =
            (struct uw_explain_segment){.segment = &explanation->fold->segments[care->segment_first + i]};
    }
    build_rows(explanation);
    if (explanation->failed || !take_arrays(explanation)) {
        return UW_ENOMEM;
    }
    for (uint32_t i = 0; i < segment_count; i++) {
        build_segment(explanation, i, &row, &entry);
    }
    uw_explain_build_absences(explanation);
    uw_explain_build_dues(explanation);
    return explanation->failed ? UW_ENOMEM : UW_OK;
}

/* ---- questions ---- */

const struct uw_explain_period *uw_explain_period_of(const struct uw_explanation *explanation,
                                                     int32_t segment_from_day, int32_t period_from_day)
{
    for (uint32_t i = 0; i < explanation->segment_count; i++) {
        const struct uw_explain_segment *segment = &explanation->segments[i];
        for (uint32_t k = 0; segment->segment->from_day == segment_from_day && k < segment->period_count; k++) {
            const struct uw_explain_period *period = &explanation->periods[segment->period_first + k];
            if (period->period.from_day == period_from_day) {
                return period;
            }
        }
    }
    return NULL;
}

int64_t uw_explain_used_through(const struct uw_explanation *explanation, const struct uw_explain_period *period,
                                int32_t day)
{
    int64_t used = 0;
    for (uint32_t i = 0; i < period->day_count; i++) {
        const struct uw_explain_day *other = &explanation->days[period->day_first + i];
        if (other->day <= day) {
            used = other->used_through_minutes;
        }
    }
    return used;
}
