#include "cli/watch_lines.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SEVERITY_CELLS 9
#define KIND_CELLS 28
#define DECISION_CELLS 24

struct words {
    const char *nl, *en;
};

static const char *word(enum uw_language language, struct words words)
{
    return language == UW_LANGUAGE_NL ? words.nl : words.en;
}

static struct words alert_words(enum uw_alert_kind kind)
{
    switch (kind) {
    case UW_ALERT_SURPLUS_LOW:
        return (struct words){"Surplus raakt op", "Surplus runs low"};
    case UW_ALERT_SURPLUS_EXHAUSTED:
        return (struct words){"Surplus is op", "Surplus exhausted"};
    case UW_ALERT_BUDGET_LOW:
        return (struct words){"Budget raakt op", "Budget runs low"};
    case UW_ALERT_BUDGET_EXHAUSTED:
        return (struct words){"Budget is op", "Budget exhausted"};
    case UW_ALERT_PROJECTED_EXHAUSTION:
        return (struct words){"Op vóór het einde", "Will run out early"};
    case UW_ALERT_PERIOD_EXCEEDED:
        return (struct words){"Periode overschreden", "Period exceeded"};
    case UW_ALERT_BANDWIDTH_ABOVE:
        return (struct words){"Boven de bandbreedte", "Above bandwidth"};
    case UW_ALERT_BANDWIDTH_BELOW:
        return (struct words){"Onder de bandbreedte", "Below bandwidth"};
    case UW_ALERT_EVALUATION_DUE:
        return (struct words){"Evaluatie nodig", "Evaluation due"};
    case UW_ALERT_DECISION_ENDING:
        return (struct words){"Toewijzing loopt af", "Decision ends"};
    case UW_ALERT_CARE_STALLED:
        return (struct words){"Zorg ligt stil", "Care has stalled"};
    }
    return (struct words){"?", "?"};
}

static struct words anomaly_words(enum uw_anomaly_kind kind)
{
    switch (kind) {
    case UW_ANOMALY_VERSION_CONFLICT:
        return (struct words){"Versies verschillen", "Versions disagree"};
    case UW_ANOMALY_DUPLICATE_CONFLICT:
        return (struct words){"Herhaling verschilt", "Repeats disagree"};
    case UW_ANOMALY_ORPHAN_CREDIT:
        return (struct words){"Credit zonder regel", "Credit of nothing"};
    case UW_ANOMALY_CREDIT_MISMATCH:
        return (struct words){"Credit past niet", "Credit does not match"};
    case UW_ANOMALY_DOUBLE_CREDIT:
        return (struct words){"Dubbel gecrediteerd", "Credited twice"};
    case UW_ANOMALY_UNKNOWN_DECISION:
        return (struct words){"Toewijzing onbekend", "Unknown decision"};
    case UW_ANOMALY_OUTSIDE_DECISION:
        return (struct words){"Buiten de toewijzing", "Outside the decision"};
    case UW_ANOMALY_WRONG_PROVIDER:
        return (struct words){"Andere aanbieder", "Another provider"};
    case UW_ANOMALY_LATE_DECLARATION:
        return (struct words){"Laat gedeclareerd", "Declared late"};
    case UW_ANOMALY_FUTURE_DECLARATION:
        return (struct words){"Vooraf gedeclareerd", "Declared in advance"};
    case UW_ANOMALY_IMPLAUSIBLE_DURATION:
        return (struct words){"Onaannemelijk lang", "Implausibly long"};
    case UW_ANOMALY_DOUBLE_DECLARATION:
        return (struct words){"Dubbel gedeclareerd", "Declared twice"};
    case UW_ANOMALY_CLIENT_OVERLAP:
        return (struct words){"Overlap bij de cliënt", "Client's visits overlap"};
    case UW_ANOMALY_DECLARED_NO_SHOW:
        return (struct words){"No-show gedeclareerd", "No-show was declared"};
    }
    return (struct words){"?", "?"};
}

static struct words severity_words(enum uw_severity severity)
{
    switch (severity) {
    case UW_SEVERITY_INFO:
        return (struct words){"info", "info"};
    case UW_SEVERITY_WARNING:
        return (struct words){"let op", "warning"};
    case UW_SEVERITY_CRITICAL:
        return (struct words){"kritiek", "critical"};
    }
    return (struct words){"?", "?"};
}

static const char *severity_colour(enum uw_severity severity)
{
    switch (severity) {
    case UW_SEVERITY_INFO:
        return "\033[36m";
    case UW_SEVERITY_WARNING:
        return "\033[33m";
    case UW_SEVERITY_CRITICAL:
        return "\033[1;31m";
    }
    return "";
}

/* ---- a line under construction ---- */

struct line {
    char *text;
    size_t length;
};

static void add(struct line *line, const char *format, ...) UW_PRINTF(2, 3);

static void add(struct line *line, const char *format, ...)
{
    size_t room = UW_WATCH_LINE_BYTES - line->length;
    va_list arguments;
    int written;

    va_start(arguments, format);
    written = vsnprintf(line->text + line->length, room, format, arguments);
    va_end(arguments);
    if (written > 0)
        line->length += (size_t)written < room ? (size_t)written : room - 1;
}

/* Text that fills a column: counted in characters, not in bytes. */
static void add_cells(struct line *line, struct uw_str text, int cells)
{
    int64_t width = uw_utf8_length(text);

    add(line, "%.*s", (int)text.length, text.data == NULL ? "" : text.data);
    add(line, "%*s", width < 0 || width >= cells ? 0 : (int)(cells - width), "");
}

static void add_hours(struct line *line, int64_t minutes)
{
    if (minutes == UW_MINUTES_NONE)
        add(line, "?");
    else
        add(line, "%s%" PRId64 ":%02" PRId64, minutes < 0 ? "-" : "", (minutes < 0 ? -minutes : minutes) / 60,
            (minutes < 0 ? -minutes : minutes) % 60);
}

static void add_date(struct line *line, int32_t day)
{
    char text[UW_DATE_TEXT_BYTES] = "?";

    if (day != UW_DAY_NONE)
        uw_date_format(day, text);
    add(line, "%s", text);
}

static void add_head(struct line *line, int64_t observed_at_ms, const char *colour, const char *severity,
                     const char *kind)
{
    time_t seconds = (time_t)(observed_at_ms / 1000);
    struct tm civil;
    char text[32] = "?";

    if (localtime_r(&seconds, &civil) != NULL)
        (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &civil);
    add(line, "%s  %s", text, colour);
    add_cells(line, uw_str_from(severity), SEVERITY_CELLS);
    add(line, " ");
    add_cells(line, uw_str_from(kind), KIND_CELLS);
    add(line, "%s ", colour[0] == '\0' ? "" : "\033[0m");
}

static void add_whose(struct line *line, struct uw_str municipality, struct uw_str decision, struct uw_str provider)
{
    add(line, "%.*s ", (int)municipality.length, municipality.data);
    add_cells(line, decision, DECISION_CELLS);
    add(line, " ");
    add_cells(line, provider, 8);
    add(line, "  ");
}

/* ---- alerts ---- */

static void add_used(struct line *line, const struct uw_alert_figures *figures, enum uw_language language)
{
    add_hours(line, figures->used_minutes);
    add(line, "%s", word(language, (struct words){" van ", " of "}));
    add_hours(line, figures->allotted_minutes);
    add(line, "%s", word(language, (struct words){" uur gebruikt", " hours used"}));
}

static void add_projection(struct line *line, const struct uw_alert_figures *figures, enum uw_language language)
{
    add_used(line, figures, language);
    add(line, "%s", word(language, (struct words){", in dit tempo ", ", at this pace "}));
    add_hours(line, figures->expected_minutes);
    add(line, "%s", word(language, (struct words){" op ", " by "}));
    add_date(line, figures->period_to_day);
}

static void add_evaluation(struct line *line, const struct uw_alert_figures *figures, enum uw_language language)
{
    add_hours(line, figures->delivered_minutes);
    add(line, "%s", word(language, (struct words){" uur geleverd", " hours delivered"}));
    if (figures->expected_minutes == UW_MINUTES_NONE)
        return;
    add(line, "%s", word(language, (struct words){", verwacht ", ", expected "}));
    add_hours(line, figures->expected_minutes);
    if (figures->ratio_percent != UW_MINUTES_NONE)
        add(line, " (%" PRId64 "%%)", figures->ratio_percent);
}

static void add_figures(struct line *line, const struct uw_alert_change *alert, enum uw_language language)
{
    const struct uw_alert_figures *figures = &alert->figures;

    switch (alert->kind) {
    case UW_ALERT_SURPLUS_LOW:
    case UW_ALERT_SURPLUS_EXHAUSTED:
    case UW_ALERT_BUDGET_LOW:
    case UW_ALERT_BUDGET_EXHAUSTED:
        add_used(line, figures, language);
        if (alert->threshold != UW_INT_NONE)
            add(line, " (%s%" PRId32 "%%)", word(language, (struct words){"grens ", "threshold "}), alert->threshold);
        break;
    case UW_ALERT_PERIOD_EXCEEDED:
    case UW_ALERT_BANDWIDTH_ABOVE:
        add_used(line, figures, language);
        break;
    case UW_ALERT_PROJECTED_EXHAUSTION:
        add_projection(line, figures, language);
        break;
    case UW_ALERT_BANDWIDTH_BELOW:
        add_hours(line, figures->used_minutes);
        add(line, "%s", word(language, (struct words){" uur gebruikt, minimaal ", " hours used, at least "}));
        add_hours(line, figures->minimum_minutes);
        break;
    case UW_ALERT_EVALUATION_DUE:
        add_evaluation(line, figures, language);
        break;
    case UW_ALERT_DECISION_ENDING:
        break;
    case UW_ALERT_CARE_STALLED:
        if (figures->last_care_day == UW_DAY_NONE) {
            add(line, "%s", word(language, (struct words){"nog geen zorg", "no care yet"}));
            break;
        }
        add(line, "%s", word(language, (struct words){"laatste zorg ", "last care "}));
        add_date(line, figures->last_care_day);
        break;
    }
}

void uw_watch_alert_line(const struct uw_alert_record *record, enum uw_language language, bool colours,
                         char text[UW_WATCH_LINE_BYTES])
{
    const struct uw_alert_change *alert = &record->alert;
    struct line line = {text, 0};
    bool open = alert->status == UW_STATUS_OPEN;
    const char *colour = !colours ? "" : open ? severity_colour(alert->severity) : "\033[32m";

    text[0] = '\0';
    add_head(&line, record->observed_at_ms, colour,
             word(language, open ? severity_words(alert->severity) : (struct words){"opgelost", "resolved"}),
             word(language, alert_words(alert->kind)));
    add_whose(&line, alert->municipality, alert->decision, alert->provider);
    add(&line, "%s", word(language, (struct words){"per ", "on "}));
    add_date(&line, alert->effective_on_day);
    add(&line, "  ");
    add_figures(&line, alert, language);
    while (line.length > 0 && text[line.length - 1] == ' ')
        text[--line.length] = '\0';
}

/* ---- anomalies ---- */

void uw_watch_anomaly_line(const struct uw_anomaly_record *record, enum uw_language language, bool colours,
                           char text[UW_WATCH_LINE_BYTES])
{
    const struct uw_anomaly_change *anomaly = &record->anomaly;
    struct line line = {text, 0};
    bool open = anomaly->status == UW_STATUS_OPEN;
    const char *colour = !colours ? "" : open ? "\033[35m" : "\033[32m";

    text[0] = '\0';
    add_head(&line, record->observed_at_ms, colour,
             word(language, open ? (struct words){"signaal", "signal"} : (struct words){"opgelost", "resolved"}),
             word(language, anomaly_words(anomaly->kind)));
    add_whose(&line, anomaly->municipality, anomaly->decision, anomaly->provider);
    if (anomaly->first_day != UW_DAY_NONE) {
        add(&line, "%s", word(language, (struct words){"van ", "of "}));
        add_date(&line, anomaly->first_day);
        add(&line, "  ");
    }
    add(&line, "%.*s", (int)record->subject.length, record->subject.data == NULL ? "" : record->subject.data);
    if (anomaly->minutes != UW_MINUTES_NONE) {
        add(&line, ", ");
        add_hours(&line, anomaly->minutes);
        add(&line, "%s", word(language, (struct words){" uur", " hours"}));
    }
    if (record->other.data != NULL)
        add(&line, "%s%.*s", word(language, (struct words){", naast ", ", beside "}), (int)record->other.length,
            record->other.data);
}
