/* Texts of `urenwacht explain`: dates, names, terms and verdicts, in Dutch or English (SPEC section 1, Words). */
#include "cli/explain.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

const char *uw_explain_text(struct uw_explanation *explanation, const char *format, ...)
{
    char first[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(first, sizeof first, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : uw_arena_take(explanation->arena, (size_t)length + 1);
    if (text == NULL) {
        explanation->failed = true;
        return "";
    }
    if ((size_t)length < sizeof first) {
        memcpy(text, first, (size_t)length + 1);
        return text;
    }
    va_start(arguments, format);
    (void)vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

/* C0 and C1 controls, DEL, and what turns the direction of writing: they could make a terminal show something else
 * than what is stored. */
static size_t unsafe_bytes(const uint8_t *data, size_t left)
{
    if (data[0] < 0x20 || data[0] == 0x7f) {
        return 1;
    }
    if (left >= 2 && data[0] == 0xc2 && data[1] < 0xa0) {
        return 2;
    }
    bool marks = left >= 3 && data[0] == 0xe2 && data[1] == 0x80 && (data[2] == 0x8e || data[2] == 0x8f);
    bool embeds = left >= 3 && data[0] == 0xe2 && data[1] == 0x80 && data[2] >= 0xa8 && data[2] <= 0xae;
    bool isolates = left >= 3 && data[0] == 0xe2 && data[1] == 0x81 && data[2] >= 0xa6 && data[2] <= 0xa9;
    return marks || embeds || isolates ? 3 : 0;
}

const char *uw_explain_clean(struct uw_explanation *explanation, struct uw_str string)
{
    char *text = uw_arena_take(explanation->arena, (size_t)string.length + 1);
    if (text == NULL) {
        explanation->failed = true;
        return "";
    }
    size_t length = 0;
    for (size_t i = 0; i < string.length;) {
        size_t unsafe = unsafe_bytes((const uint8_t *)string.data + i, string.length - i);
        text[length++] = unsafe > 0 ? '?' : string.data[i];
        i += unsafe > 0 ? unsafe : 1;
    }
    text[length] = '\0';
    return text;
}

const char *uw_explain_name(struct uw_explanation *explanation, uw_text text)
{
    struct uw_str string = uw_client_text(explanation->client, text);
    return uw_str_is_null(string) ? "-" : uw_explain_clean(explanation, string);
}

/* ---- time ---- */

const char *uw_explain_date(struct uw_explanation *explanation, int32_t day)
{
    char text[UW_DATE_TEXT_BYTES];
    if (day == UW_DAY_NONE) {
        return "-";
    }
    uw_date_format(day, text);
    return uw_explain_text(explanation, "%s", text);
}

const char *uw_explain_range(struct uw_explanation *explanation, int32_t from_day, int32_t to_day)
{
    const char *from = uw_explain_date(explanation, from_day);
    if (to_day == UW_DAY_NONE) {
        return uw_explain_text(explanation, UW_SAY(explanation, "vanaf %s", "from %s"), from);
    }
    if (to_day == from_day) {
        return from;
    }
    return uw_explain_text(explanation, UW_SAY(explanation, "%s t/m %s", "%s to %s"), from,
                           uw_explain_date(explanation, to_day));
}

const char *uw_explain_weekday(const struct uw_explanation *explanation, int32_t day)
{
    static const char *const names[2][7] = {{"ma", "di", "wo", "do", "vr", "za", "zo"},
                                            {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}};
    return names[explanation->language == UW_LANGUAGE_NL ? 0 : 1][day - uw_week_start(day)];
}

const char *uw_explain_instant(struct uw_explanation *explanation, int64_t instant_ms)
{
    if (instant_ms == UW_INSTANT_NONE) {
        return "-";
    }
    int32_t day = uw_utc_day(instant_ms);
    int64_t of_day = instant_ms - day * UW_MS_PER_DAY;
    return uw_explain_text(explanation, "%sT%02d:%02d:%02d.%03dZ", uw_explain_date(explanation, day),
                           (int)(of_day / 3600000), (int)(of_day / 60000 % 60), (int)(of_day / 1000 % 60),
                           (int)(of_day % 1000));
}

const char *uw_explain_event_id(struct uw_explanation *explanation, const struct uw_stamp *stamp)
{
    char text[UW_UUID_TEXT_BYTES];
    uw_uuid_format(&stamp->event_id, text);
    return uw_explain_text(explanation, "%.*s", UW_UUID_TEXT_BYTES, text);
}

/* The year of an ISO week is that of its Thursday. */
const char *uw_explain_iso_week(struct uw_explanation *explanation, int32_t monday_day)
{
    int32_t year = uw_civil_from_day(monday_day + 3).year;
    int32_t first_monday = uw_week_start(uw_day_from_civil(year, 1, 4));
    return uw_explain_text(explanation, "%04d-W%02d", (int)year, (int)((monday_day - first_monday) / 7 + 1));
}

/* ---- the decision ---- */

static const char *frequency_words(const struct uw_explanation *explanation, enum uw_frequency frequency)
{
    switch (frequency) {
    case UW_FREQUENCY_DAY:
        return UW_SAY(explanation, "per dag", "a day");
    case UW_FREQUENCY_WEEK:
        return UW_SAY(explanation, "per week", "a week");
    case UW_FREQUENCY_FOUR_WEEKS:
        return UW_SAY(explanation, "per vier weken", "every four weeks");
    case UW_FREQUENCY_MONTH:
        return UW_SAY(explanation, "per maand", "a month");
    case UW_FREQUENCY_YEAR:
        return UW_SAY(explanation, "per jaar", "a year");
    case UW_FREQUENCY_TOTAL:
        return UW_SAY(explanation, "in totaal", "in total");
    }
    return "?";
}

static const char *result_words(struct uw_explanation *explanation, const struct uw_version_terms *terms)
{
    const char *result = uw_explain_name(explanation, terms->result);
    const char *price = uw_explain_text(explanation, UW_SAY(explanation, "€ %d,%02d", "€ %d.%02d"),
                                        (int)(terms->first / 100), (int)(terms->first % 100));
    if (terms->second == UW_INT_NONE) {
        return uw_explain_text(explanation,
                               UW_SAY(explanation, "resultaat \"%s\" voor %s, geen uren verwacht",
                                      "result \"%s\" for %s, no hours expected"),
                               result, price);
    }
    return uw_explain_text(explanation,
                           UW_SAY(explanation, "resultaat \"%s\" voor %s, verwacht %d min per week",
                                  "result \"%s\" for %s, expected %d min a week"),
                           result, price, (int)terms->second);
}

const char *uw_explain_terms(struct uw_explanation *explanation, const struct uw_version_terms *terms)
{
    switch (terms->model) {
    case UW_MODEL_PXQ:
        return uw_explain_text(explanation, "p×q: %d min %s",
                               (int)terms->first, frequency_words(explanation, terms->frequency));
    case UW_MODEL_BANDWIDTH:
        return uw_explain_text(explanation,
                               UW_SAY(explanation, "bandbreedte: %d t/m %d min %s", "bandwidth: %d to %d min %s"),
                               (int)terms->first, (int)terms->second, frequency_words(explanation, terms->frequency));
    case UW_MODEL_YEAR_BUDGET:
        return uw_explain_text(explanation,
                               UW_SAY(explanation, "jaarbudget: %d min per jaar", "year budget: %d min a year"),
                               (int)terms->first);
    case UW_MODEL_FIXED_PLUS_SURPLUS:
        return uw_explain_text(explanation,
                               UW_SAY(explanation, "vaste uren %d min per week + surplus %d min",
                                      "fixed hours %d min a week + surplus %d min"),
                               (int)terms->first, (int)terms->second);
    case UW_MODEL_RESULT:
        return result_words(explanation, terms);
    case UW_MODEL_TASK:
        return UW_SAY(explanation, "taakgericht: geen afgesproken uren", "task: no agreed hours");
    }
    return "?";
}

const char *uw_explain_policy(struct uw_explanation *explanation, const struct uw_no_show_policy *policy)
{
    const char *most = UW_SAY(explanation, "geen maximum", "no maximum");
    if (policy->max_per_month != UW_INT_NONE) {
        most = uw_explain_text(explanation, UW_SAY(explanation, "ten hoogste %d per maand", "at most %d a month"),
                               (int)policy->max_per_month);
    }
    return uw_explain_text(explanation,
                           UW_SAY(explanation, "%d %% declarabel, %s, afzeggen tot %d uur vooraf, %s",
                                  "%d %% billable, %s, cancelling up to %d hours before, %s"),
                           (int)policy->billable_percent, most, (int)policy->notice_hours,
                           policy->counts_to_budget
                               ? UW_SAY(explanation, "telt mee in de urenpot", "counts to the pool")
                               : UW_SAY(explanation, "telt niet mee in de urenpot", "does not count to the pool"));
}

const char *uw_explain_absence_reason(const struct uw_explanation *explanation, enum uw_no_show_reason reason)
{
    switch (reason) {
    case UW_REASON_CLIENT_ABSENT:
        return UW_SAY(explanation, "cliënt afwezig", "client absent");
    case UW_REASON_CLIENT_CANCELLED:
        return UW_SAY(explanation, "cliënt zei af", "client cancelled");
    case UW_REASON_PROVIDER_CANCELLED:
        return UW_SAY(explanation, "aanbieder zei af", "provider cancelled");
    }
    return "?";
}

const char *uw_explain_outcome(const struct uw_explanation *explanation, enum uw_outcome_of_evaluation outcome)
{
    switch (outcome) {
    case UW_EVALUATION_CONTINUE:
        return UW_SAY(explanation, "voortzetten", "continue");
    case UW_EVALUATION_ADJUST:
        return UW_SAY(explanation, "bijstellen", "adjust");
    case UW_EVALUATION_DOWNSCALE:
        return UW_SAY(explanation, "afschalen", "downscale");
    case UW_EVALUATION_END:
        return UW_SAY(explanation, "beëindigen", "end");
    }
    return "?";
}

const char *uw_explain_verdict(const struct uw_explanation *explanation, enum uw_verdict verdict)
{
    switch (verdict) {
    case UW_VERDICT_COUNTS:
        return UW_SAY(explanation, "telt", "counts");
    case UW_VERDICT_SUPERSEDED:
        return UW_SAY(explanation, "vervangen door andere versie", "replaced by another version");
    case UW_VERDICT_REVERSED:
        return UW_SAY(explanation, "teruggenomen", "taken back");
    case UW_VERDICT_CREDIT:
        return UW_SAY(explanation, "creditregel", "credit");
    case UW_VERDICT_CREDIT_ORPHAN:
        return UW_SAY(explanation, "creditregel zonder declaratieregel", "credit of no known line");
    case UW_VERDICT_CREDIT_MISMATCH:
        return UW_SAY(explanation, "creditregel past niet", "credit does not match");
    case UW_VERDICT_CREDIT_DOUBLE:
        return UW_SAY(explanation, "dubbele creditregel", "double credit");
    case UW_VERDICT_WITHDRAWN:
        return UW_SAY(explanation, "no-show ingetrokken", "no-show withdrawn");
    case UW_VERDICT_UNKNOWN_DECISION:
        return UW_SAY(explanation, "onbekende toewijzing", "unknown decision");
    case UW_VERDICT_OUTSIDE_DECISION:
        return UW_SAY(explanation, "buiten toewijzing", "outside the decision");
    case UW_VERDICT_WRONG_PROVIDER:
        return UW_SAY(explanation, "andere aanbieder dan toegewezen", "another provider than assigned");
    case UW_VERDICT_NOT_BILLABLE:
        return UW_SAY(explanation, "niet declarabel", "not billable");
    case UW_VERDICT_NOT_TO_BUDGET:
        return UW_SAY(explanation, "declarabel, niet ten laste van de urenpot", "billable, not charged to the pool");
    case UW_VERDICT_OVER_MAXIMUM:
        return UW_SAY(explanation, "over het maximum", "over the maximum");
    }
    return "?";
}
