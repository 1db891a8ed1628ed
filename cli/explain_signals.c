/* The arithmetic that opens an alert or an anomaly (SPEC sections 4 and 5), with this decision's numbers. */
#include "cli/explain.h"

#include <inttypes.h>

/* Figures that SPEC fixes and no setting changes. */
#define WAITING_DAYS 14
#define LATE_DAYS 92
#define FUTURE_DAYS 1
#define IMPLAUSIBLE_MINUTES 720

static const char *when(struct uw_explanation *explanation, int32_t day)
{
    return uw_explain_date(explanation, day);
}

/* ---- alerts ---- */

/* c(d), of the pool that the alert is about. */
static int64_t used_through(const struct uw_explanation *explanation, const struct uw_alert *alert, int32_t day)
{
    const struct uw_explain_period *period =
        uw_explain_period_of(explanation, alert->state.segment_from_day, alert->state.period_from_day);
    return period == NULL ? 0 : uw_explain_used_through(explanation, period, day);
}

static const char *threshold_words(struct uw_explanation *explanation, const struct uw_alert *alert)
{
    int64_t used = used_through(explanation, alert, alert->state.effective_on_day);
    int64_t allotted = alert->figures.allotted_minutes;
    return uw_explain_text(explanation,
                           "100·%" PRId64 " = %" PRId64 " ≥ %d·%" PRId64 " = %" PRId64 " → %s %s %s", used, 100 * used,
                           (int)alert->state.threshold, allotted, alert->state.threshold * allotted,
                           uw_alert_kind_name((enum uw_alert_kind)alert->state.kind),
                           UW_SAY(explanation, "vanaf", "from"), when(explanation, alert->state.effective_on_day));
}

static const char *projection_words(struct uw_explanation *explanation, const struct uw_alert *alert)
{
    int32_t from = alert->state.period_from_day, to = alert->figures.period_to_day;
    int64_t used = used_through(explanation, alert, explanation->as_of_day), allotted = alert->figures.allotted_minutes;
    int64_t elapsed = (int64_t)explanation->as_of_day - from + 1, total = (int64_t)to - from + 1;
    int32_t percent = explanation->care->thresholds.projection_percent;
    return uw_explain_text(explanation,
                           UW_SAY(explanation,
                                  "%" PRId64 "·%" PRId64 "·100 = %" PRId64 " > %" PRId64 "·%" PRId64 "·%d = %" PRId64
                                  ": op dag %" PRId64 " van %" PRId64 " al %" PRId64 " van %" PRId64
                                  " min gebruikt, verwacht %" PRId64 " op %s",
                                  "%" PRId64 "·%" PRId64 "·100 = %" PRId64 " > %" PRId64 "·%" PRId64 "·%d = %" PRId64
                                  ": on day %" PRId64 " of %" PRId64 " already %" PRId64 " of %" PRId64
                                  " min used, %" PRId64 " expected on %s"),
                           used, total, used * total * 100, allotted, elapsed, (int)percent,
                           allotted * elapsed * percent, elapsed, total, used, allotted,
                           alert->figures.expected_minutes, when(explanation, to));
}

static const char *exceeded_words(struct uw_explanation *explanation, const struct uw_alert *alert)
{
    int32_t day = alert->state.effective_on_day;
    return uw_explain_text(explanation,
                           UW_SAY(explanation, "%" PRId64 " > %" PRId64 " min op %s, in de periode vanaf %s",
                                  "%" PRId64 " > %" PRId64 " min on %s, in the period from %s"),
                           used_through(explanation, alert, day), alert->figures.allotted_minutes,
                           when(explanation, day), when(explanation, alert->state.period_from_day));
}

static const char *below_words(struct uw_explanation *explanation, const struct uw_alert *alert)
{
    int32_t grace = explanation->care->thresholds.bandwidth_grace_days, to = alert->figures.period_to_day;
    const struct uw_interval *interval =
        uw_case_interval(explanation->fold, explanation->care, alert->state.period_from_day);
    const struct uw_segment *segment = &explanation->fold->segments[interval->segment];
    struct uw_period period = uw_segment_period(segment, alert->state.period_from_day);
    return uw_explain_text(explanation,
                           UW_SAY(explanation,
                                  "gebruikt %" PRId64 " < minimum ⌊%d·%d/%d⌋ = %" PRId64
                                  " min in %s; %s + %d dagen = %s < %s",
                                  "used %" PRId64 " < minimum ⌊%d·%d/%d⌋ = %" PRId64
                                  " min in %s; %s + %d days = %s < %s"),
                           alert->figures.used_minutes, (int)segment->terms->first,
                           (int)(period.to_day - period.from_day + 1), (int)period.full_days,
                           alert->figures.minimum_minutes,
                           uw_explain_range(explanation, alert->state.period_from_day, to), when(explanation, to),
                           (int)grace, when(explanation, to + grace), when(explanation, explanation->as_of_day));
}

static const struct uw_explain_due *due_of(const struct uw_explanation *explanation, int32_t day)
{
    for (uint32_t i = 0; i < explanation->due_count; i++) {
        if (explanation->dues[i].due_day == day) {
            return &explanation->dues[i];
        }
    }
    return NULL;
}

static const char *expectation_words(struct uw_explanation *explanation, const struct uw_alert_figures *figures)
{
    if (figures->expected_minutes == UW_MINUTES_NONE) {
        return UW_SAY(explanation, "geen uren verwacht", "no hours expected");
    }
    if (figures->ratio_percent == UW_MINUTES_NONE) {
        return uw_explain_text(explanation, UW_SAY(explanation, "verwacht %" PRId64, "expected %" PRId64),
                               figures->expected_minutes);
    }
    return uw_explain_text(explanation,
                           UW_SAY(explanation, "verwacht %" PRId64 ", dat is %" PRId64 " %%",
                                  "expected %" PRId64 ", which is %" PRId64 " %%"),
                           figures->expected_minutes, figures->ratio_percent);
}

static const char *evaluation_words(struct uw_explanation *explanation, const struct uw_alert *alert)
{
    int32_t due_day = alert->state.effective_on_day;
    const struct uw_thresholds *thresholds = &explanation->care->thresholds;
    const struct uw_explain_due *due = due_of(explanation, due_day);
    const char *before = due == NULL || due->before_day == UW_DAY_NONE
                             ? ""
                             : uw_explain_text(explanation, UW_SAY(explanation, " tot %s", " until %s"),
                                               when(explanation, due->before_day));
    return uw_explain_text(
        explanation,
        UW_SAY(explanation,
               "%s ≥ %s − %d dagen en geen evaluatie vanaf %s%s; INFO tot %s, CRITICAL na %s; "
               "geleverd %" PRId64 " min, waarvan %" PRId64 " no-show; %s",
               "%s ≥ %s − %d days and no evaluation from %s%s; INFO until %s, CRITICAL after %s; "
               "delivered %" PRId64 " min, %" PRId64 " of it no-show; %s"),
        when(explanation, explanation->as_of_day), when(explanation, due_day), (int)thresholds->evaluation_notice_days,
        when(explanation, due_day - UW_EVALUATION_EARLY_DAYS), before, when(explanation, due_day),
        when(explanation, due_day + thresholds->evaluation_overdue_days), alert->figures.delivered_minutes,
        alert->figures.no_show_minutes, expectation_words(explanation, &alert->figures));
}

static const char *ending_words(struct uw_explanation *explanation, const struct uw_alert *alert)
{
    int32_t valid_to = alert->state.effective_on_day, notice = explanation->care->thresholds.ending_notice_days;
    return uw_explain_text(explanation,
                           UW_SAY(explanation, "max(%s, %s − %d dagen) ≤ %s ≤ %s", "max(%s, %s − %d days) ≤ %s ≤ %s"),
                           when(explanation, explanation->care->latest->valid_from_day), when(explanation, valid_to),
                           (int)notice, when(explanation, explanation->as_of_day), when(explanation, valid_to));
}

static const char *stalled_words(struct uw_explanation *explanation, const struct uw_alert *alert)
{
    bool any = alert->figures.last_care_day != UW_DAY_NONE;
    int32_t since = any ? alert->figures.last_care_day : explanation->care->latest->valid_from_day;
    return uw_explain_text(explanation, UW_SAY(explanation, "%s %s + %d dagen = %s ≤ %s", "%s %s + %d days = %s ≤ %s"),
                           any ? UW_SAY(explanation, "laatste geleverde zorg", "last delivered care")
                               : UW_SAY(explanation, "nog geen zorg, toewijzing vanaf", "no care yet, decision from"),
                           when(explanation, since), (int)explanation->care->thresholds.stalled_days,
                           when(explanation, alert->state.effective_on_day),
                           when(explanation, explanation->as_of_day));
}

const char *uw_explain_alert(struct uw_explanation *explanation, const struct uw_alert *alert)
{
    switch ((enum uw_alert_kind)alert->state.kind) {
    case UW_ALERT_SURPLUS_LOW:
    case UW_ALERT_SURPLUS_EXHAUSTED:
    case UW_ALERT_BUDGET_LOW:
    case UW_ALERT_BUDGET_EXHAUSTED:
        return threshold_words(explanation, alert);
    case UW_ALERT_PROJECTED_EXHAUSTION:
        return projection_words(explanation, alert);
    case UW_ALERT_PERIOD_EXCEEDED:
    case UW_ALERT_BANDWIDTH_ABOVE:
        return exceeded_words(explanation, alert);
    case UW_ALERT_BANDWIDTH_BELOW:
        return below_words(explanation, alert);
    case UW_ALERT_EVALUATION_DUE:
        return evaluation_words(explanation, alert);
    case UW_ALERT_DECISION_ENDING:
        return ending_words(explanation, alert);
    case UW_ALERT_CARE_STALLED:
        return stalled_words(explanation, alert);
    }
    return "?";
}

/* ---- anomalies ---- */

const char *uw_explain_subject(struct uw_explanation *explanation, const struct uw_anomaly_state *state)
{
    const struct uw_client *client = explanation->client;
    struct uw_subject subject = {(enum uw_subject_kind)state->subject_kind,
                                 uw_client_text(client, state->subject_provider),
                                 uw_client_text(client, state->subject_id), state->subject_version};
    char text[UW_SUBJECT_TEXT_BYTES];
    (void)uw_subject_format(&subject, text, sizeof text);
    return uw_explain_clean(explanation, uw_str_from(text));
}

/* The other line or no-show that makes the signal. */
static const char *other_words(struct uw_explanation *explanation, const struct uw_anomaly *anomaly)
{
    const struct uw_client *client = explanation->client;
    if (!anomaly->has_other) {
        return "-";
    }
    if (anomaly->other_kind == UW_SUBJECT_NO_SHOW) {
        const struct uw_absence *absence = &client->absences[anomaly->other_fact];
        return uw_explain_text(explanation, "no-show %s, %s", uw_explain_name(explanation, absence->no_show),
                               when(explanation, absence->appointment_on_day));
    }
    const struct uw_line *line = &client->lines[anomaly->other_fact];
    return uw_explain_text(explanation,
                           UW_SAY(explanation, "regel %s, %s, %d min, aanvang %s", "line %s, %s, %d min, start %s"),
                           uw_explain_name(explanation, line->line),
                           uw_explain_range(explanation, line->performed_on_day, uw_explain_line_end(line)),
                           (int)line->minutes, uw_explain_instant(explanation, line->started_at_ms));
}

static const char *versions_words(struct uw_explanation *explanation, const struct uw_stamp *winner)
{
    return uw_explain_text(explanation,
                           UW_SAY(explanation,
                                  "inhoudelijk verschillende gebeurtenissen; %s, geregistreerd %s, gaat voor",
                                  "events of different content; %s, recorded %s, comes first"),
                           uw_explain_event_id(explanation, winner),
                           uw_explain_instant(explanation, winner->recorded_at_ms));
}

static const struct uw_stamp *stamp_of(const struct uw_explanation *explanation, const struct uw_anomaly *anomaly)
{
    switch ((enum uw_subject_kind)anomaly->state.subject_kind) {
    case UW_SUBJECT_LINE:
        return &explanation->client->lines[anomaly->fact].stamp;
    case UW_SUBJECT_NO_SHOW:
        return &explanation->client->absences[anomaly->fact].stamp;
    case UW_SUBJECT_VERSION:
        return &explanation->client->versions[anomaly->fact].stamp;
    }
    return NULL;
}

static const char *waiting_words(struct uw_explanation *explanation, const struct uw_stamp *stamp)
{
    int32_t recorded = uw_utc_day(stamp->recorded_at_ms);
    return uw_explain_text(explanation, UW_SAY(explanation, "%s ≥ %s + %d dagen = %s", "%s ≥ %s + %d days = %s"),
                           when(explanation, explanation->as_of_day), when(explanation, recorded), WAITING_DAYS,
                           when(explanation, recorded + WAITING_DAYS));
}

/* What the fact itself says: the same sentence as in the weeks. */
static const char *fact_words(struct uw_explanation *explanation, const struct uw_anomaly *anomaly)
{
    struct uw_explain_row row = {.kind = (enum uw_subject_kind)anomaly->state.subject_kind, .fact = anomaly->fact};
    return uw_explain_reason(explanation, &row);
}

static const char *timing_words(struct uw_explanation *explanation, const struct uw_line *line, bool late)
{
    int32_t recorded = uw_utc_day(line->stamp.recorded_at_ms), last_day = uw_explain_line_end(line);
    int32_t between = late ? recorded - last_day : last_day - recorded;
    return uw_explain_text(explanation, UW_SAY(explanation, "%s − %s = %d > %d dagen", "%s − %s = %d > %d days"),
                           when(explanation, late ? recorded : last_day), when(explanation, late ? last_day : recorded),
                           (int)between, late ? LATE_DAYS : FUTURE_DAYS);
}

/* Two facts, each with its own begin. */
static const char *pair_words(struct uw_explanation *explanation, const struct uw_anomaly *anomaly)
{
    const struct uw_line *line = &explanation->client->lines[anomaly->fact];
    return uw_explain_text(explanation, UW_SAY(explanation, "aanvang %s, %d min; en %s", "start %s, %d min; and %s"),
                           uw_explain_instant(explanation, line->started_at_ms), (int)line->minutes,
                           other_words(explanation, anomaly));
}

const char *uw_explain_anomaly(struct uw_explanation *explanation, const struct uw_anomaly *anomaly)
{
    const struct uw_stamp *stamp = stamp_of(explanation, anomaly);
    const struct uw_line *lines = explanation->client->lines;
    switch ((enum uw_anomaly_kind)anomaly->state.kind) {
    case UW_ANOMALY_VERSION_CONFLICT:
    case UW_ANOMALY_DUPLICATE_CONFLICT:
        return versions_words(explanation, stamp);
    case UW_ANOMALY_ORPHAN_CREDIT:
    case UW_ANOMALY_UNKNOWN_DECISION:
        return waiting_words(explanation, stamp);
    case UW_ANOMALY_CREDIT_MISMATCH:
    case UW_ANOMALY_DOUBLE_CREDIT:
    case UW_ANOMALY_OUTSIDE_DECISION:
    case UW_ANOMALY_WRONG_PROVIDER:
        return fact_words(explanation, anomaly);
    case UW_ANOMALY_LATE_DECLARATION:
        return timing_words(explanation, &lines[anomaly->fact], true);
    case UW_ANOMALY_FUTURE_DECLARATION:
        return timing_words(explanation, &lines[anomaly->fact], false);
    case UW_ANOMALY_IMPLAUSIBLE_DURATION:
        return uw_explain_text(explanation, UW_SAY(explanation, "%d > %d min op één dag", "%d > %d min on one day"),
                               (int)lines[anomaly->fact].minutes, IMPLAUSIBLE_MINUTES);
    case UW_ANOMALY_DOUBLE_DECLARATION:
    case UW_ANOMALY_CLIENT_OVERLAP:
    case UW_ANOMALY_DECLARED_NO_SHOW:
        return pair_words(explanation, anomaly);
    }
    return "?";
}
