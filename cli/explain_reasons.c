/* Why a fact counts or does not: the numbers of SPEC section 3 in a sentence. */
#include "cli/explain.h"

#include <inttypes.h>

/* Signals that wait for their decision or debit line do so for this many days (SPEC section 3). */
#define WAITING_DAYS 14

static const char *decision_words(struct uw_explanation *explanation, uw_text decision)
{
    return uw_explain_text(explanation, "%s/%s",
                           uw_explain_clean(explanation, uw_client_municipality(explanation->client, decision)),
                           uw_explain_clean(explanation, uw_client_decision(explanation->client, decision)));
}

static const char *waiting_words(struct uw_explanation *explanation, const struct uw_stamp *stamp)
{
    return uw_explain_date(explanation, uw_utc_day(stamp->recorded_at_ms) + WAITING_DAYS);
}

/* ---- what lines and no-shows have in common ---- */

static const char *superseded_words(struct uw_explanation *explanation, const struct uw_stamp *winner, uw_text decision)
{
    const char *event_id = uw_explain_event_id(explanation, winner);
    const char *recorded = uw_explain_instant(explanation, winner->recorded_at_ms);
    if (decision == explanation->decision) {
        return uw_explain_text(explanation,
                               UW_SAY(explanation, "gebeurtenis %s, geregistreerd %s, gaat voor",
                                      "event %s, recorded %s, comes first"),
                               event_id, recorded);
    }
    return uw_explain_text(explanation,
                           UW_SAY(explanation, "gebeurtenis %s, geregistreerd %s, gaat voor en hoort bij toewijzing %s",
                                  "event %s, recorded %s, comes first and is about decision %s"),
                           event_id, recorded, decision_words(explanation, decision));
}

static const char *outside_words(struct uw_explanation *explanation, int32_t first_day, int32_t last_day)
{
    const struct uw_case *care = explanation->care;
    if (!care->active) {
        return UW_SAY(explanation, "de toewijzing is ingetrokken", "the decision is withdrawn");
    }
    return uw_explain_text(
        explanation, UW_SAY(explanation, "%s valt buiten de geldigheid %s", "%s is outside the validity %s"),
        uw_explain_date(explanation, uw_case_covers(care, first_day) ? last_day : first_day),
        uw_explain_range(explanation, care->latest->valid_from_day, care->latest->valid_to_day));
}

static const char *provider_words(struct uw_explanation *explanation, uw_text provider, int32_t day)
{
    const struct uw_interval *interval = uw_case_interval(explanation->fold, explanation->care, day);
    return uw_explain_text(explanation,
                           UW_SAY(explanation, "aanbieder %s; op %s is toegewezen aan %s (versie %d)",
                                  "provider %s; on %s it is assigned to %s (version %d)"),
                           uw_explain_name(explanation, provider), uw_explain_date(explanation, day),
                           uw_explain_name(explanation, interval->version->provider), (int)interval->version->version);
}

static const char *unknown_words(struct uw_explanation *explanation, const struct uw_stamp *stamp)
{
    return uw_explain_text(explanation,
                           UW_SAY(explanation, "wacht op de toewijzing; signaal vanaf %s",
                                  "waits for the decision; a signal from %s"),
                           waiting_words(explanation, stamp));
}

/* ---- lines ---- */

static const char *counted_words(struct uw_explanation *explanation, const struct uw_line *line)
{
    int32_t last_day = uw_explain_line_end(line);
    if (last_day == line->performed_on_day) {
        return "";
    }
    return uw_explain_text(explanation,
                           UW_SAY(explanation, "deel van %d min over %d dagen, %s", "part of %d min over %d days, %s"),
                           (int)line->minutes, (int)(last_day - line->performed_on_day + 1),
                           uw_explain_range(explanation, line->performed_on_day, last_day));
}

static const char *reversed_words(struct uw_explanation *explanation, uint32_t index)
{
    const struct uw_line *credit = &explanation->client->lines[explanation->fold->reversed_by[index]];
    return uw_explain_text(explanation,
                           UW_SAY(explanation, "door creditregel %s, geregistreerd %s", "by credit %s, recorded %s"),
                           uw_explain_name(explanation, credit->line),
                           uw_explain_instant(explanation, credit->stamp.recorded_at_ms));
}

static const char *credit_words(struct uw_explanation *explanation, const struct uw_line *credit)
{
    const struct uw_client *client = explanation->client;
    uint32_t target = uw_explain_find_line(client, credit->provider, credit->corrects);
    if (target == UINT32_MAX) {
        return "";
    }
    const struct uw_line *debit = &client->lines[target];
    return uw_explain_text(explanation,
                           UW_SAY(explanation, "neemt declaratieregel %s terug: %d min, %s",
                                  "takes back line %s: %d min, %s"),
                           uw_explain_name(explanation, debit->line), (int)debit->minutes,
                           uw_explain_range(explanation, debit->performed_on_day, uw_explain_line_end(debit)));
}

static const char *orphan_words(struct uw_explanation *explanation, const struct uw_line *credit)
{
    return uw_explain_text(explanation,
                           UW_SAY(explanation, "declaratieregel %s van deze aanbieder is er niet; signaal vanaf %s",
                                  "there is no line %s of this provider; a signal from %s"),
                           uw_explain_name(explanation, credit->corrects), waiting_words(explanation, &credit->stamp));
}

static const char *mismatch_words(struct uw_explanation *explanation, const struct uw_line *credit)
{
    const struct uw_client *client = explanation->client;
    uint32_t target = uw_explain_find_line(client, credit->provider, credit->corrects);
    if (target == UINT32_MAX) {
        return "";
    }
    const struct uw_line *debit = &client->lines[target];
    if (debit->decision != credit->decision) {
        return uw_explain_text(explanation,
                               UW_SAY(explanation, "declaratieregel %s hoort bij toewijzing %s",
                                      "line %s is about decision %s"),
                               uw_explain_name(explanation, debit->line), decision_words(explanation, debit->decision));
    }
    return uw_explain_text(explanation,
                           UW_SAY(explanation, "declaratieregel %s heeft %d min, de creditregel %d",
                                  "line %s has %d min, the credit %d"),
                           uw_explain_name(explanation, debit->line), (int)debit->minutes, (int)credit->minutes);
}

static const char *double_words(struct uw_explanation *explanation, const struct uw_line *credit)
{
    const struct uw_client *client = explanation->client;
    uint32_t target = uw_explain_find_line(client, credit->provider, credit->corrects);
    if (target == UINT32_MAX || explanation->fold->reversed_by[target] == UINT32_MAX) {
        return "";
    }
    return uw_explain_text(explanation,
                           UW_SAY(explanation, "declaratieregel %s is al teruggenomen door creditregel %s",
                                  "line %s was taken back by credit %s"),
                           uw_explain_name(explanation, credit->corrects),
                           uw_explain_name(explanation, client->lines[explanation->fold->reversed_by[target]].line));
}

static const char *line_words(struct uw_explanation *explanation, uint32_t index)
{
    const struct uw_line *line = &explanation->client->lines[index];
    const struct uw_line *winner = &explanation->client->lines[uw_explain_winning_line(explanation->client, index)];
    switch ((enum uw_verdict)explanation->fold->line_verdicts[index]) {
    case UW_VERDICT_COUNTS:
        return counted_words(explanation, line);
    case UW_VERDICT_SUPERSEDED:
        return superseded_words(explanation, &winner->stamp, winner->decision);
    case UW_VERDICT_REVERSED:
        return reversed_words(explanation, index);
    case UW_VERDICT_CREDIT:
        return credit_words(explanation, line);
    case UW_VERDICT_CREDIT_ORPHAN:
        return orphan_words(explanation, line);
    case UW_VERDICT_CREDIT_MISMATCH:
        return mismatch_words(explanation, line);
    case UW_VERDICT_CREDIT_DOUBLE:
        return double_words(explanation, line);
    case UW_VERDICT_UNKNOWN_DECISION:
        return unknown_words(explanation, &line->stamp);
    case UW_VERDICT_OUTSIDE_DECISION:
        return outside_words(explanation, line->performed_on_day, uw_explain_line_end(line));
    case UW_VERDICT_WRONG_PROVIDER:
        return provider_words(explanation, line->provider, line->performed_on_day);
    case UW_VERDICT_WITHDRAWN:
    case UW_VERDICT_NOT_BILLABLE:
    case UW_VERDICT_NOT_TO_BUDGET:
    case UW_VERDICT_OVER_MAXIMUM:
        return ""; /* verdicts of no-shows */
    }
    return "";
}

/* ---- no-shows ---- */

static const char *withdrawn_words(struct uw_explanation *explanation, uint32_t index)
{
    const struct uw_client *client = explanation->client;
    const struct uw_absence *absences = client->absences;
    uint32_t first = uw_explain_winning_absence(client, index);
    for (uint32_t i = first; i < client->absence_count && absences[i].provider == absences[first].provider &&
                             absences[i].no_show == absences[first].no_show;
         i++) {
        if (absences[i].status == UW_NO_SHOW_WITHDRAWN) {
            return uw_explain_text(
                explanation,
                UW_SAY(explanation, "door gebeurtenis %s, geregistreerd %s", "by event %s, recorded %s"),
                uw_explain_event_id(explanation, &absences[i].stamp),
                uw_explain_instant(explanation, absences[i].stamp.recorded_at_ms));
        }
    }
    return "";
}

static const char *not_billable_words(struct uw_explanation *explanation, const struct uw_absence *absence,
                                      const struct uw_no_show_policy *policy)
{
    const char *reason = uw_explain_absence_reason(explanation, (enum uw_no_show_reason)absence->reason);
    if (absence->reason != UW_REASON_CLIENT_CANCELLED) {
        return reason;
    }
    return uw_explain_text(explanation, UW_SAY(explanation, "%s, op tijd: %d ≥ %d·60 min vooraf",
                                               "%s in time: %d ≥ %d·60 min before"),
                           reason, (int)(absence->notice_minutes == UW_INT_NONE ? 0 : absence->notice_minutes),
                           (int)policy->notice_hours);
}

/* The no-show is the month's billable one of this rank; `rank` counts from 1 for people. */
static const char *ranked_words(struct uw_explanation *explanation, const struct uw_explain_absence *absence)
{
    const struct uw_absence *fact = &explanation->client->absences[absence->fact];
    const struct uw_no_show_policy *policy = absence->policy;
    const char *reason = uw_explain_absence_reason(explanation, (enum uw_no_show_reason)fact->reason);
    const char *rank = uw_explain_text(explanation,
                                       UW_SAY(explanation, "%s, nr. %d van de maand", "%s, no. %d of the month"),
                                       reason, (int)absence->rank + 1);
    if (absence->verdict == UW_VERDICT_COUNTS) {
        return uw_explain_text(explanation, "%s: ⌊%d·%d/100⌋ = %d min",
                               rank, (int)fact->planned_minutes, (int)policy->billable_percent, (int)absence->minutes);
    }
    if (absence->verdict == UW_VERDICT_OVER_MAXIMUM) {
        return uw_explain_text(explanation, UW_SAY(explanation, "%s, het maximum is %d", "%s, the maximum is %d"), rank,
                               (int)policy->max_per_month);
    }
    return rank;
}

const char *uw_explain_absence_words(struct uw_explanation *explanation, const struct uw_explain_absence *absence)
{
    const struct uw_absence *fact = &explanation->client->absences[absence->fact];
    switch (absence->verdict) {
    case UW_VERDICT_COUNTS:
    case UW_VERDICT_NOT_TO_BUDGET:
    case UW_VERDICT_OVER_MAXIMUM:
        return ranked_words(explanation, absence);
    case UW_VERDICT_NOT_BILLABLE:
        return not_billable_words(explanation, fact, absence->policy);
    case UW_VERDICT_UNKNOWN_DECISION:
        return unknown_words(explanation, &fact->stamp);
    case UW_VERDICT_OUTSIDE_DECISION:
        return outside_words(explanation, fact->appointment_on_day, fact->appointment_on_day);
    case UW_VERDICT_WRONG_PROVIDER:
        return provider_words(explanation, fact->provider, fact->appointment_on_day);
    case UW_VERDICT_SUPERSEDED:
    case UW_VERDICT_REVERSED:
    case UW_VERDICT_CREDIT:
    case UW_VERDICT_CREDIT_ORPHAN:
    case UW_VERDICT_CREDIT_MISMATCH:
    case UW_VERDICT_CREDIT_DOUBLE:
    case UW_VERDICT_WITHDRAWN:
        return ""; /* such a no-show does not exist, or these are verdicts of lines */
    }
    return "";
}

static const char *absence_words(struct uw_explanation *explanation, uint32_t index)
{
    enum uw_verdict verdict = (enum uw_verdict)explanation->fold->absence_verdicts[index];
    uint32_t winner = uw_explain_winning_absence(explanation->client, index);
    if (verdict == UW_VERDICT_WITHDRAWN ||
        (enum uw_verdict)explanation->fold->absence_verdicts[winner] == UW_VERDICT_WITHDRAWN) {
        return withdrawn_words(explanation, index);
    }
    if (verdict == UW_VERDICT_SUPERSEDED) {
        const struct uw_absence *first = &explanation->client->absences[winner];
        return superseded_words(explanation, &first->stamp, first->decision);
    }
    for (uint32_t i = 0; i < explanation->absence_count; i++) {
        if (explanation->absences[i].fact == index) {
            return uw_explain_absence_words(explanation, &explanation->absences[i]);
        }
    }
    return "";
}

const char *uw_explain_reason(struct uw_explanation *explanation, const struct uw_explain_row *row)
{
    return row->kind == UW_SUBJECT_LINE ? line_words(explanation, row->fact) : absence_words(explanation, row->fact);
}
