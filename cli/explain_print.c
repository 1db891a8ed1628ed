/* The explanation as text: what the decision is, then week by week what was delivered and what it took. */
#include "cli/explain.h"

#include <inttypes.h>
#include <string.h>

#include "cli/explain_sheet.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define INDENT 2

struct print {
    struct uw_explanation *explanation;
    struct uw_page page;
};

static const char *number(struct uw_explanation *explanation, int64_t minutes)
{
    return minutes == UW_MINUTES_NONE ? "-" : uw_explain_text(explanation, "%" PRId64, minutes);
}

static void finish(struct print *print, const struct uw_sheet *table)
{
    uw_sheet_print(table, &print->page);
    print->explanation->failed = print->explanation->failed || table->failed;
}

static void heading(struct print *print, const char *text)
{
    fputc('\n', print->page.file);
    uw_page_line(&print->page, UW_STYLE_STRONG, 0, text);
}

/* ---- the decision ---- */

static void print_pair(struct print *print, const char *name, const char *value)
{
    struct uw_explanation *e = print->explanation;
    const char *pad = "             ";
    size_t used = uw_text_cells(name);
    uw_page_line(&print->page, UW_STYLE_PLAIN, INDENT,
                 uw_explain_text(e, "%s:%s %s", name, used < strlen(pad) ? pad + used : "", value));
}

static const char *origin_words(struct uw_explanation *e)
{
    switch (e->origin) {
    case UW_ORIGIN_OPTION:
        return UW_SAY(e, "gevraagd", "as asked for");
    case UW_ORIGIN_STORED:
        return UW_SAY(e, "zoals de verwerking het laatst oordeelde", "as the processor judged last");
    case UW_ORIGIN_TODAY:
        return UW_SAY(e, "vandaag", "today");
    }
    return "?";
}

static void print_head(struct print *print)
{
    struct uw_explanation *e = print->explanation;
    uw_page_line(&print->page, UW_STYLE_STRONG, 0,
                 uw_explain_text(e,
                                 UW_SAY(e, "Toewijzing %s, gemeente %s, cliënt %s",
                                        "Decision %s, municipality %s, client %s"),
                                 uw_explain_clean(e, e->decision_name), uw_explain_clean(e, e->municipality),
                                 uw_explain_clean(e, e->client_name)));
    print_pair(print, UW_SAY(e, "Peildatum", "As of"),
               uw_explain_text(e, "%s (%s)", uw_explain_date(e, e->as_of_day), origin_words(e)));
    if (e->care == NULL) {
        print_pair(print, "Status",
                   UW_SAY(e, "onbekend: er is nog geen versie van deze toewijzing ontvangen; feiten wachten erop",
                          "unknown: no version of this decision was received; facts wait for it"));
        return;
    }
    const struct uw_version *latest = e->care->latest;
    print_pair(print, "Status",
               e->care->active ? UW_SAY(e, "actief", "active")
                               : UW_SAY(e, "ingetrokken: er zijn geen urenpotten", "withdrawn: there are no pools"));
    print_pair(print, UW_SAY(e, "Wet", "Law"), uw_law_name((enum uw_law)latest->law));
    print_pair(print, "Product",
               uw_explain_text(e, "%s / %s (%s)", uw_explain_name(e, latest->product_category),
                               uw_explain_name(e, latest->product), uw_care_name((enum uw_care)latest->care)));
    print_pair(print, UW_SAY(e, "Aanbieder", "Provider"), uw_explain_name(e, latest->provider));
    print_pair(print, UW_SAY(e, "Geldig", "Valid"),
               uw_explain_range(e, latest->valid_from_day, latest->valid_to_day));
}

/* A version may lose to another event with its number, or win and still be in force on no day. */
static const char *standing_words(const struct uw_explanation *e, const struct uw_version *version, bool wins)
{
    if (!wins) {
        return UW_SAY(e, "vervangen", "replaced");
    }
    for (uint32_t i = 0; i < e->care->interval_count; i++) {
        if (e->fold->intervals[e->care->interval_first + i].version == version) {
            return UW_SAY(e, "van kracht", "in force");
        }
    }
    return UW_SAY(e, "nooit van kracht", "never in force");
}

static void print_versions(struct print *print)
{
    struct uw_explanation *e = print->explanation;
    struct uw_sheet table;
    uw_sheet_init(&table, e->arena, 8, 1u << 0);
    heading(print, UW_SAY(e, "Versies", "Versions"));
    const char *const head[] = {UW_SAY(e, "versie", "version"),   UW_SAY(e, "geldt vanaf", "effective"),
                                "status",                         UW_SAY(e, "geldigheid", "validity"),
                                UW_SAY(e, "aanbieder", "provider"), UW_SAY(e, "geregistreerd", "recorded"),
                                UW_SAY(e, "oordeel", "verdict"),  UW_SAY(e, "voorwaarden", "terms")};
    uw_sheet_add(&table, UW_STYLE_FAINT, head);
    for (uint32_t i = 0; i < e->client->version_count; i++) {
        const struct uw_version *version = &e->client->versions[i];
        if (version->decision != e->decision) {
            continue;
        }
        bool wins = i == 0 || e->client->versions[i - 1].decision != version->decision ||
                    e->client->versions[i - 1].version != version->version;
        const char *const cells[] = {
            uw_explain_text(e, "%d", (int)version->version),
            uw_explain_date(e, version->effective_from_day),
            uw_decision_status_name((enum uw_decision_status)version->status),
            uw_explain_range(e, version->valid_from_day, version->valid_to_day),
            uw_explain_name(e, version->provider),
            uw_explain_instant(e, version->stamp.recorded_at_ms),
            standing_words(e, version, wins),
            uw_explain_terms(e, &version->terms)};
        uw_sheet_add(&table, wins ? UW_STYLE_PLAIN : UW_STYLE_FAINT, cells);
    }
    finish(print, &table);
}

static void print_intervals(struct print *print)
{
    struct uw_explanation *e = print->explanation;
    struct uw_sheet table;
    uw_sheet_init(&table, e->arena, 4, 1u << 1);
    heading(print, UW_SAY(e, "Van kracht", "In force"));
    const char *const head[] = {UW_SAY(e, "dagen", "days"), UW_SAY(e, "versie", "version"),
                                UW_SAY(e, "aanbieder", "provider"), "no-show"};
    uw_sheet_add(&table, UW_STYLE_FAINT, head);
    for (uint32_t i = 0; i < e->care->interval_count; i++) {
        const struct uw_interval *interval = &e->fold->intervals[e->care->interval_first + i];
        const char *const cells[] = {uw_explain_range(e, interval->from_day, interval->to_day),
                                     uw_explain_text(e, "%d", (int)interval->version->version),
                                     uw_explain_name(e, interval->version->provider),
                                     uw_explain_policy(e, &interval->version->no_show)};
        uw_sheet_add(&table, UW_STYLE_PLAIN, cells);
    }
    finish(print, &table);
}

static const char *held_words(struct uw_explanation *e, const struct uw_explain_due *due)
{
    const char *text = UW_SAY(e, "geen", "none");
    bool any = false;
    for (uint32_t i = 0; i < e->client->review_count; i++) {
        const struct uw_review *review = &e->client->reviews[i];
        if (review->decision != e->decision ||
            (due != NULL && (review->held_on_day < due->from_day ||
                             (due->before_day != UW_DAY_NONE && review->held_on_day >= due->before_day)))) {
            continue;
        }
        text = uw_explain_text(e, "%s%s%s (%s)", any ? text : "", any ? ", " : "",
                               uw_explain_date(e, review->held_on_day), uw_explain_outcome(e, review->outcome));
        any = true;
    }
    return text;
}

static void print_evaluations(struct print *print)
{
    struct uw_explanation *e = print->explanation;
    struct uw_sheet table;
    uw_sheet_init(&table, e->arena, 4, 0);
    heading(print, UW_SAY(e, "Evaluaties", "Evaluations"));
    if (e->due_count == 0) {
        uw_page_line(&print->page, UW_STYLE_PLAIN, INDENT,
                     uw_explain_text(e, UW_SAY(e, "geen termijn; gehouden: %s", "no due; held: %s"),
                                     held_words(e, NULL)));
        return;
    }
    const char *const head[] = {UW_SAY(e, "termijn", "due"), UW_SAY(e, "na", "after"),
                                UW_SAY(e, "telt van … tot", "counts from … until"), UW_SAY(e, "gehouden", "held")};
    uw_sheet_add(&table, UW_STYLE_FAINT, head);
    for (uint32_t i = 0; i < e->due_count; i++) {
        const struct uw_explain_due *due = &e->dues[i];
        const char *const cells[] = {
            uw_explain_date(e, due->due_day),
            uw_explain_text(e, UW_SAY(e, "%d mnd", "%d mo"), (int)due->months),
            uw_explain_text(e, "%s … %s", uw_explain_date(e, due->from_day), uw_explain_date(e, due->before_day)),
            held_words(e, due)};
        uw_sheet_add(&table, UW_STYLE_PLAIN, cells);
    }
    finish(print, &table);
}

/* ---- weeks ---- */

static const char *kind_words(const struct uw_explanation *e, const struct uw_explain_row *row)
{
    if (row->kind == UW_SUBJECT_NO_SHOW) {
        return "no-show";
    }
    return e->client->lines[row->fact].kind == UW_LINE_CREDIT ? UW_SAY(e, "creditregel", "credit")
                                                              : UW_SAY(e, "declaratieregel", "line");
}

static const char *judgement(struct uw_explanation *e, const struct uw_explain_row *row)
{
    const char *verdict = uw_explain_verdict(e, row->verdict), *reason = uw_explain_reason(e, row);
    if (row->verdict == UW_VERDICT_COUNTS && row->counted_minutes == 0) {
        verdict = UW_SAY(e, "telt voor 0 min", "counts for 0 min");
    }
    return reason[0] == '\0' ? verdict : uw_explain_text(e, "%s: %s", verdict, reason);
}

static void add_fact(struct print *print, struct uw_sheet *table, const struct uw_explain_row *row)
{
    struct uw_explanation *e = print->explanation;
    bool is_line = row->kind == UW_SUBJECT_LINE;
    const struct uw_client *client = e->client;
    const char *days =
        uw_explain_text(e, "%s %s", uw_explain_weekday(e, row->from_day), uw_explain_date(e, row->from_day));
    if (row->to_day != row->from_day) {
        days = uw_explain_text(e, UW_SAY(e, "%s t/m %s", "%s to %s"), days, uw_explain_date(e, row->to_day));
    }
    const char *const cells[] = {
        days,
        kind_words(e, row),
        uw_explain_clean(e, row->id),
        uw_explain_clean(e, row->provider),
        uw_explain_name(e, is_line ? client->lines[row->fact].staff : client->absences[row->fact].staff),
        number(e, is_line ? client->lines[row->fact].minutes : client->absences[row->fact].planned_minutes),
        number(e, row->counted_minutes),
        judgement(e, row)};
    uw_sheet_add(table, row->verdict == UW_VERDICT_COUNTS ? UW_STYLE_PLAIN : UW_STYLE_FAINT, cells);
}

static void start_facts(struct print *print, struct uw_sheet *table)
{
    struct uw_explanation *e = print->explanation;
    const char *const head[] = {UW_SAY(e, "dag", "day"),          UW_SAY(e, "soort", "kind"),
                                UW_SAY(e, "kenmerk", "id"),       UW_SAY(e, "aanbieder", "provider"),
                                UW_SAY(e, "medewerker", "staff"), UW_SAY(e, "minuten", "minutes"),
                                UW_SAY(e, "telt", "counted"),     UW_SAY(e, "oordeel", "verdict")};
    uw_sheet_init(table, e->arena, COUNT_OF(head), 1u << 5 | 1u << 6);
    uw_sheet_add(table, UW_STYLE_FAINT, head);
}

/* "geleverd 240 − vast 180 = 60 uit het surplus; urenpot: 1010 van 1200 gebruikt, 190 over" */
static const char *week_words(struct uw_explanation *e, const struct uw_explain_segment *segment,
                              const struct uw_explain_period *period, const struct uw_explain_week *week)
{
    const char *delivered =
        uw_explain_text(e, UW_SAY(e, "geleverd %" PRId64, "delivered %" PRId64), week->delivered_minutes);
    if (week->no_show_minutes > 0) {
        delivered = uw_explain_text(e, "%s (no-show %" PRId64 ")", delivered,
                                    week->no_show_minutes);
    }
    if (period->allotted_minutes == UW_MINUTES_NONE) {
        return uw_explain_text(e, UW_SAY(e, "%s; samen %" PRId64 " min", "%s; together %" PRId64 " min"), delivered,
                               week->delivered_through_minutes);
    }
    if (segment->segment->terms->model == UW_MODEL_FIXED_PLUS_SURPLUS) {
        int fixed = (int)segment->segment->terms->first;
        delivered = week->delivered_minutes > fixed
                        ? uw_explain_text(e, UW_SAY(e, "%s − vast %d = %" PRId64 " uit het surplus",
                                                    "%s − fixed %d = %" PRId64 " from the surplus"),
                                          delivered, fixed, week->used_minutes)
                        : uw_explain_text(e,
                                          UW_SAY(e, "%s ≤ vast %d: 0 uit het surplus",
                                                 "%s ≤ fixed %d: 0 from the surplus"),
                                          delivered, fixed);
    }
    int64_t left = period->allotted_minutes - week->used_through_minutes;
    return uw_explain_text(e, UW_SAY(e, "%s; urenpot: %" PRId64 " van %" PRId64 " gebruikt, %" PRId64 " %s",
                                     "%s; pool: %" PRId64 " of %" PRId64 " used, %" PRId64 " %s"),
                           delivered, week->used_through_minutes, period->allotted_minutes, left < 0 ? -left : left,
                           left < 0 ? UW_SAY(e, "te veel", "too many") : UW_SAY(e, "over", "left"));
}

static bool is_crossing(enum uw_alert_kind kind)
{
    switch (kind) {
    case UW_ALERT_SURPLUS_LOW:
    case UW_ALERT_SURPLUS_EXHAUSTED:
    case UW_ALERT_BUDGET_LOW:
    case UW_ALERT_BUDGET_EXHAUSTED:
    case UW_ALERT_PERIOD_EXCEEDED:
    case UW_ALERT_BANDWIDTH_ABOVE:
        return true;
    case UW_ALERT_PROJECTED_EXHAUSTION:
    case UW_ALERT_BANDWIDTH_BELOW:
    case UW_ALERT_EVALUATION_DUE:
    case UW_ALERT_DECISION_ENDING:
    case UW_ALERT_CARE_STALLED:
        return false;
    }
    return false;
}

static const char *crossing_words(struct uw_explanation *e, const struct uw_alert *alert)
{
    int32_t day = alert->state.effective_on_day;
    const char *date = uw_explain_text(e, "%s %s", uw_explain_weekday(e, day), uw_explain_date(e, day));
    if (alert->state.threshold < 0) {
        return uw_explain_text(e, UW_SAY(e, "! maximum overschreden op %s: %s", "! maximum exceeded on %s: %s"), date,
                               uw_explain_alert(e, alert));
    }
    return uw_explain_text(e, UW_SAY(e, "! %d %% bereikt op %s: %s", "! %d %% reached on %s: %s"),
                           (int)alert->state.threshold, date, uw_explain_alert(e, alert));
}

static void add_crossings(struct print *print, struct uw_sheet *table, const struct uw_explain_segment *segment,
                          const struct uw_explain_period *period, const struct uw_explain_week *week)
{
    struct uw_explanation *e = print->explanation;
    for (uint32_t i = 0; i < e->fold->alert_count; i++) {
        const struct uw_alert *alert = &e->fold->alerts[i];
        int32_t day = alert->state.effective_on_day;
        if (alert->state.decision == e->decision && is_crossing((enum uw_alert_kind)alert->state.kind) &&
            alert->state.segment_from_day == segment->segment->from_day &&
            alert->state.period_from_day == period->period.from_day && uw_week_start(day) == week->monday_day) {
            uw_sheet_add_span(table,
                              alert->state.severity == UW_SEVERITY_CRITICAL ? UW_STYLE_CRITICAL : UW_STYLE_WARNING,
                              2 * INDENT, crossing_words(e, alert));
        }
    }
}

/* Where a budget or a minimum was cut to the period's days, the sum that does it. */
static const char *proration_words(struct uw_explanation *e, const struct uw_version_terms *terms,
                                   const struct uw_explain_period *period)
{
    bool ends = period->period.to_day != UW_DAY_NONE;
    int days = ends ? (int)(period->period.to_day - period->period.from_day + 1) : 0;
    int full = (int)period->period.full_days;
    if (terms->model == UW_MODEL_BANDWIDTH) {
        return uw_explain_text(e, "; minimum ⌊%d·%d/%d⌋ = %" PRId64, (int)terms->first, days, full,
                               period->minimum_minutes);
    }
    if (terms->model == UW_MODEL_YEAR_BUDGET) {
        return uw_explain_text(e, " = ⌈%d·%d/%d⌉", (int)terms->first, days, full);
    }
    return "";
}

static const char *period_words(struct uw_explanation *e, const struct uw_explain_segment *segment,
                                const struct uw_explain_period *period)
{
    const char *range = uw_explain_range(e, period->period.from_day, period->period.to_day);
    if (period->allotted_minutes == UW_MINUTES_NONE) {
        return uw_explain_text(e, UW_SAY(e, "Periode %s: geen maximum", "Period %s: no maximum"), range);
    }
    return uw_explain_text(e, UW_SAY(e, "Urenpot %s: %" PRId64 " min%s%s", "Pool %s: %" PRId64 " min%s%s"), range,
                           period->allotted_minutes, proration_words(e, segment->segment->terms, period),
                           period->has_account ? ""
                                               : UW_SAY(e, "; niets geleverd, dus geen rekening",
                                                        "; nothing delivered, hence no account"));
}

static void print_segment(struct print *print, const struct uw_explain_segment *segment)
{
    struct uw_explanation *e = print->explanation;
    struct uw_sheet table;
    heading(print, uw_explain_text(e, "Segment %s: %s",
                                   uw_explain_range(e, segment->segment->from_day, segment->segment->to_day),
                                   uw_explain_terms(e, segment->segment->terms)));
    start_facts(print, &table);
    for (uint32_t i = 0; i < segment->period_count; i++) {
        const struct uw_explain_period *period = &e->periods[segment->period_first + i];
        uw_sheet_add_span(&table, UW_STYLE_STRONG, INDENT, period_words(e, segment, period));
        for (uint32_t k = 0; k < period->week_count; k++) {
            const struct uw_explain_week *week = &e->weeks[period->week_first + k];
            uw_sheet_add_span(&table, UW_STYLE_PLAIN, INDENT,
                              uw_explain_text(e, UW_SAY(e, "%s (maandag %s)", "%s (Monday %s)"),
                                              uw_explain_iso_week(e, week->monday_day),
                                              uw_explain_date(e, week->monday_day)));
            for (uint32_t r = 0; r < week->row_count; r++) {
                add_fact(print, &table, &e->rows[week->row_first + r]);
            }
            uw_sheet_add_span(&table, UW_STYLE_GOOD, 2 * INDENT,
                              uw_explain_text(e, "= %s", week_words(e, segment, period, week)));
            add_crossings(print, &table, segment, period, week);
        }
    }
    if (segment->period_count == 0) {
        uw_page_line(&print->page, UW_STYLE_PLAIN, INDENT, UW_SAY(e, "niets geleverd", "nothing delivered"));
        return;
    }
    finish(print, &table);
}

/* ---- what does not count, and signals ---- */

static void print_uncounted(struct print *print)
{
    struct uw_explanation *e = print->explanation;
    struct uw_sheet table;
    uint32_t count = 0;
    start_facts(print, &table);
    for (uint32_t i = 0; i < e->row_count; i++) {
        if (e->rows[i].counted_minutes == 0) {
            add_fact(print, &table, &e->rows[i]);
            count++;
        }
    }
    heading(print, UW_SAY(e, "Telt nergens mee", "Counts nowhere"));
    if (count == 0) {
        uw_page_line(&print->page, UW_STYLE_PLAIN, INDENT,
                     UW_SAY(e, "niets: elk feit telt mee", "nothing: every fact counts"));
        return;
    }
    finish(print, &table);
}

static void print_credits(struct print *print)
{
    struct uw_explanation *e = print->explanation;
    struct uw_sheet table;
    uint32_t count = 0;
    const char *const head[] = {UW_SAY(e, "creditregel", "credit"),      UW_SAY(e, "aanbieder", "provider"),
                                UW_SAY(e, "corrigeert", "corrects"),     UW_SAY(e, "minuten", "minutes"),
                                UW_SAY(e, "geregistreerd", "recorded"), UW_SAY(e, "oordeel", "verdict")};
    uw_sheet_init(&table, e->arena, COUNT_OF(head), 1u << 3);
    uw_sheet_add(&table, UW_STYLE_FAINT, head);
    for (uint32_t i = 0; i < e->row_count; i++) {
        const struct uw_explain_row *row = &e->rows[i];
        if (row->kind != UW_SUBJECT_LINE || !uw_explain_is_credit(e, row->fact)) {
            continue;
        }
        const struct uw_line *credit = &e->client->lines[row->fact];
        const char *const cells[] = {uw_explain_clean(e, row->id),
                                     uw_explain_clean(e, row->provider),
                                     uw_explain_name(e, credit->corrects),
                                     number(e, credit->minutes),
                                     uw_explain_instant(e, credit->stamp.recorded_at_ms),
                                     judgement(e, row)};
        uw_sheet_add(&table, UW_STYLE_PLAIN, cells);
        count++;
    }
    if (count > 0) {
        heading(print, UW_SAY(e, "Creditregels", "Credits"));
        finish(print, &table);
    }
}

static void add_absence(struct print *print, struct uw_sheet *table, const struct uw_explain_absence *absence)
{
    struct uw_explanation *e = print->explanation;
    const struct uw_absence *fact = &e->client->absences[absence->fact];
    const char *verdict = uw_explain_verdict(e, absence->verdict), *words = uw_explain_absence_words(e, absence);
    const char *const cells[] = {
        uw_explain_date(e, fact->appointment_on_day),
        uw_explain_clean(e, absence->id),
        uw_explain_clean(e, absence->provider),
        number(e, fact->planned_minutes),
        absence->rank < 0 ? "-" : uw_explain_text(e, "%d", (int)absence->rank + 1),
        absence->billable ? UW_SAY(e, "ja", "yes") : UW_SAY(e, "nee", "no"),
        absence->policy == NULL ? "-" : uw_explain_text(e, "%d %%", (int)absence->policy->billable_percent),
        number(e, absence->minutes),
        words[0] == '\0' ? verdict : uw_explain_text(e, "%s: %s", verdict, words)};
    uw_sheet_add(table, absence->minutes > 0 ? UW_STYLE_PLAIN : UW_STYLE_FAINT, cells);
}

/* The month of the no-show `first`, with its sums. */
static const char *month_words(struct uw_explanation *e, uint32_t first)
{
    int32_t month = uw_month_start(e->client->absences[e->absences[first].fact].appointment_on_day);
    struct uw_civil civil = uw_civil_from_day(month);
    int billable = 0;
    int64_t minutes = 0;
    for (uint32_t i = first; i < e->absence_count; i++) {
        const struct uw_explain_absence *absence = &e->absences[i];
        if (uw_month_start(e->client->absences[absence->fact].appointment_on_day) != month) {
            break;
        }
        billable += absence->billable;
        minutes += absence->minutes;
    }
    return uw_explain_text(e, UW_SAY(e, "%04d-%02d: %d declarabel, %" PRId64 " min tellen",
                                     "%04d-%02d: %d billable, %" PRId64 " min count"),
                           (int)civil.year, (int)civil.month, billable, minutes);
}

static void print_absences(struct print *print)
{
    struct uw_explanation *e = print->explanation;
    struct uw_sheet table;
    const char *const head[] = {UW_SAY(e, "dag", "day"),        "no-show",
                                UW_SAY(e, "aanbieder", "provider"), UW_SAY(e, "gepland", "planned"),
                                UW_SAY(e, "nr.", "no."),        UW_SAY(e, "declarabel", "billable"),
                                "%",                            UW_SAY(e, "telt", "counted"),
                                UW_SAY(e, "oordeel", "verdict")};
    if (e->absence_count == 0) {
        return;
    }
    heading(print, UW_SAY(e, "No-shows per maand", "No-shows by month"));
    uw_sheet_init(&table, e->arena, COUNT_OF(head), 1u << 3 | 1u << 4 | 1u << 6 | 1u << 7);
    uw_sheet_add(&table, UW_STYLE_FAINT, head);
    int32_t month = UW_DAY_NONE;
    for (uint32_t i = 0; i < e->absence_count; i++) {
        const struct uw_explain_absence *absence = &e->absences[i];
        int32_t day = e->client->absences[absence->fact].appointment_on_day;
        if (uw_month_start(day) != month) {
            month = uw_month_start(day);
            uw_sheet_add_span(&table, UW_STYLE_STRONG, INDENT, month_words(e, i));
        }
        add_absence(print, &table, absence);
    }
    finish(print, &table);
}

static enum uw_style severity_style(enum uw_severity severity)
{
    switch (severity) {
    case UW_SEVERITY_INFO:
        return UW_STYLE_PLAIN;
    case UW_SEVERITY_WARNING:
        return UW_STYLE_WARNING;
    case UW_SEVERITY_CRITICAL:
        return UW_STYLE_CRITICAL;
    }
    return UW_STYLE_PLAIN;
}

static void print_alerts(struct print *print)
{
    struct uw_explanation *e = print->explanation;
    struct uw_sheet table;
    uint32_t count = 0;
    const char *const head[] = {UW_SAY(e, "waarschuwing", "alert"), UW_SAY(e, "ernst", "severity"),
                                UW_SAY(e, "drempel", "threshold"), UW_SAY(e, "geldt op", "effective"),
                                UW_SAY(e, "omdat", "because")};
    uw_sheet_init(&table, e->arena, COUNT_OF(head), 1u << 2);
    uw_sheet_add(&table, UW_STYLE_FAINT, head);
    for (uint32_t i = 0; i < e->fold->alert_count; i++) {
        const struct uw_alert *alert = &e->fold->alerts[i];
        if (alert->state.decision != e->decision) {
            continue;
        }
        enum uw_severity severity = (enum uw_severity)alert->state.severity;
        const char *const cells[] = {
            uw_alert_kind_name((enum uw_alert_kind)alert->state.kind), uw_severity_name(severity),
            alert->state.threshold < 0 ? "-" : uw_explain_text(e, "%d %%", (int)alert->state.threshold),
            uw_explain_date(e, alert->state.effective_on_day), uw_explain_alert(e, alert)};
        uw_sheet_add(&table, severity_style(severity), cells);
        count++;
    }
    heading(print, uw_explain_text(e, UW_SAY(e, "Open waarschuwingen per %s", "Open alerts as of %s"),
                                   uw_explain_date(e, e->as_of_day)));
    if (count == 0) {
        uw_page_line(&print->page, UW_STYLE_PLAIN, INDENT, UW_SAY(e, "geen", "none"));
        return;
    }
    finish(print, &table);
}

static void print_anomalies(struct print *print)
{
    struct uw_explanation *e = print->explanation;
    struct uw_sheet table;
    uint32_t count = 0;
    const char *const head[] = {UW_SAY(e, "signaal", "anomaly"), UW_SAY(e, "over", "about"),
                                UW_SAY(e, "omdat", "because")};
    uw_sheet_init(&table, e->arena, COUNT_OF(head), 0);
    uw_sheet_add(&table, UW_STYLE_FAINT, head);
    for (uint32_t i = 0; i < e->fold->anomaly_count; i++) {
        const struct uw_anomaly *anomaly = &e->fold->anomalies[i];
        if (anomaly->state.decision == e->decision) {
            const char *const cells[] = {uw_anomaly_kind_name((enum uw_anomaly_kind)anomaly->state.kind),
                                         uw_explain_subject(e, &anomaly->state), uw_explain_anomaly(e, anomaly)};
            uw_sheet_add(&table, UW_STYLE_WARNING, cells);
            count++;
        }
    }
    heading(print, uw_explain_text(e, UW_SAY(e, "Open signalen per %s (een aanleiding om te kijken, geen bewijs)",
                                             "Open anomalies as of %s (a reason to look, no proof)"),
                                   uw_explain_date(e, e->as_of_day)));
    if (count == 0) {
        uw_page_line(&print->page, UW_STYLE_PLAIN, INDENT, UW_SAY(e, "geen", "none"));
        return;
    }
    finish(print, &table);
}

/* ---- the closing check ---- */

static const char *comparison_words(struct uw_explanation *e)
{
    switch (e->comparison) {
    case UW_COMPARISON_DONE:
        return UW_SAY(e, "waarschuwingen en signalen: vergeleken met wat de verwerking heeft opgeslagen",
                      "alerts and anomalies: compared with what the processor stored");
    case UW_COMPARISON_OTHER_AS_OF:
        return uw_explain_text(e,
                               UW_SAY(e, "waarschuwingen en signalen: niet vergeleken, de verwerking oordeelde per %s",
                                      "alerts and anomalies: not compared, the processor judged as of %s"),
                               uw_explain_date(e, e->stored.as_of_day));
    case UW_COMPARISON_OTHER_RULES:
        return UW_SAY(e, "waarschuwingen en signalen: niet vergeleken, de verwerking oordeelde met andere drempels",
                      "alerts and anomalies: not compared, the processor judged with other thresholds");
    case UW_COMPARISON_PENDING:
        return UW_SAY(e, "waarschuwingen en signalen: niet vergeleken, de verwerking moet deze cliënt nog beoordelen",
                      "alerts and anomalies: not compared, the processor is still to judge this client");
    case UW_COMPARISON_NOTHING_STORED:
        return UW_SAY(e, "waarschuwingen en signalen: niet vergeleken, de verwerking heeft nog niet geoordeeld",
                      "alerts and anomalies: not compared, the processor has not judged yet");
    }
    return "?";
}

static void print_differences(struct print *print)
{
    struct uw_explanation *e = print->explanation;
    struct uw_sheet table;
    const char *const head[] = {"", UW_SAY(e, "welke", "which"), UW_SAY(e, "kolom", "column"),
                                UW_SAY(e, "uitgelegd", "explained"), UW_SAY(e, "opgeslagen", "stored")};
    uw_sheet_init(&table, e->arena, COUNT_OF(head), 0);
    uw_sheet_add(&table, UW_STYLE_FAINT, head);
    for (uint32_t i = 0; i < e->difference_count; i++) {
        const struct uw_explain_difference *difference = &e->differences[i];
        const char *nothing = UW_SAY(e, "(niet)", "(absent)");
        const char *const cells[] = {difference->object, difference->key, difference->column,
                                     difference->explained == NULL ? nothing : difference->explained,
                                     difference->stored == NULL ? nothing : difference->stored};
        uw_sheet_add(&table, UW_STYLE_CRITICAL, cells);
    }
    finish(print, &table);
}

static void print_check(struct print *print)
{
    struct uw_explanation *e = print->explanation;
    int64_t delivered = 0, no_show = 0, used = 0;
    uint32_t accounts = 0;
    for (uint32_t i = 0; i < e->period_count; i++) {
        accounts += e->periods[i].has_account;
        delivered += e->periods[i].delivered_minutes;
        no_show += e->periods[i].no_show_minutes;
        used += e->periods[i].used_minutes;
    }
    heading(print, UW_SAY(e, "Controle", "Check"));
    uw_page_line(&print->page, UW_STYLE_PLAIN, INDENT,
                 uw_explain_text(e,
                                 UW_SAY(e,
                                        "rekeningen: %u uitgelegd, %u opgeslagen; geleverd %" PRId64
                                        " min, waarvan %" PRId64 " no-show; gebruikt %" PRId64,
                                        "accounts: %u explained, %u stored; delivered %" PRId64
                                        " min, %" PRId64 " of it no-show; used %" PRId64),
                                 accounts, e->stored.account_count, delivered, no_show, used));
    if (e->stored.accounts_pending) {
        uw_page_line(&print->page, UW_STYLE_PLAIN, INDENT,
                     UW_SAY(e, "rekeningen: niet vergeleken, de verwerking moet deze cliënt nog beoordelen",
                            "accounts: not compared, the processor is still to judge this client"));
    }
    uw_page_line(&print->page, UW_STYLE_PLAIN, INDENT, comparison_words(e));
    if (e->difference_count == 0) {
        uw_page_line(&print->page, UW_STYLE_GOOD, INDENT,
                     UW_SAY(e, "in orde: geen verschillen", "in order: no differences"));
        return;
    }
    uw_page_line(&print->page, UW_STYLE_CRITICAL, INDENT,
                 uw_explain_text(e, UW_SAY(e, "NIET in orde: %u verschillen", "NOT in order: %u differences"),
                                 e->difference_count));
    print_differences(print);
}

void uw_explain_print(struct uw_explanation *explanation, FILE *file, uint32_t width, bool colours)
{
    struct print print = {explanation, {file, width, colours}};
    print_head(&print);
    if (explanation->care != NULL) {
        print_versions(&print);
        print_intervals(&print);
    }
    print_evaluations(&print);
    for (uint32_t i = 0; i < explanation->segment_count; i++) {
        print_segment(&print, &explanation->segments[i]);
    }
    print_uncounted(&print);
    print_credits(&print);
    print_absences(&print);
    print_alerts(&print);
    print_anomalies(&print);
    print_check(&print);
}
