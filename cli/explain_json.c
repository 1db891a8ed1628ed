/* The explanation for programs. Keys are a contract: docs/explain.md. */
#include "cli/explain.h"

#include <jansson.h>
#include <string.h>

/* Takes `value`; NULL, which is memory refused, is remembered. */
static void put(struct uw_explanation *e, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0) {
        e->failed = true;
    }
}

static void append(struct uw_explanation *e, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0) {
        e->failed = true;
    }
}

static json_t *string(struct uw_str value)
{
    return uw_str_is_null(value) ? json_null() : json_stringn(value.data, value.length);
}

static json_t *name(const struct uw_explanation *e, uw_text text)
{
    return string(uw_client_text(e->client, text));
}

static json_t *date(struct uw_explanation *e, int32_t day)
{
    return day == UW_DAY_NONE ? json_null() : json_string(uw_explain_date(e, day));
}

static json_t *instant(struct uw_explanation *e, int64_t instant_ms)
{
    return instant_ms == UW_INSTANT_NONE ? json_null() : json_string(uw_explain_instant(e, instant_ms));
}

static json_t *minutes(int64_t value)
{
    return value == UW_MINUTES_NONE ? json_null() : json_integer(value);
}

static json_t *integer(int32_t value)
{
    return value == UW_INT_NONE ? json_null() : json_integer(value);
}

/* ---- the decision ---- */

/* As in the events: an object whose only key is the funding form. */
static json_t *terms_json(struct uw_explanation *e, const struct uw_version_terms *terms)
{
    json_t *fields = json_object(), *object = json_object();
    switch (terms->model) {
    case UW_MODEL_PXQ:
        put(e, fields, "volume_minutes", json_integer(terms->first));
        put(e, fields, "frequency", json_string(uw_frequency_name(terms->frequency)));
        break;
    case UW_MODEL_BANDWIDTH:
        put(e, fields, "min_minutes", json_integer(terms->first));
        put(e, fields, "max_minutes", json_integer(terms->second));
        put(e, fields, "per", json_string(uw_frequency_name(terms->frequency)));
        break;
    case UW_MODEL_YEAR_BUDGET:
        put(e, fields, "minutes_per_year", json_integer(terms->first));
        break;
    case UW_MODEL_FIXED_PLUS_SURPLUS:
        put(e, fields, "minutes_per_week", json_integer(terms->first));
        put(e, fields, "surplus_minutes", json_integer(terms->second));
        break;
    case UW_MODEL_RESULT:
        put(e, fields, "result", name(e, terms->result));
        put(e, fields, "price_cents", json_integer(terms->first));
        put(e, fields, "expected_minutes_per_week", integer(terms->second));
        break;
    case UW_MODEL_TASK:
        break;
    }
    put(e, object, uw_model_name(terms->model), fields);
    return object;
}

static json_t *policy_json(struct uw_explanation *e, const struct uw_no_show_policy *policy)
{
    json_t *object = json_object();
    put(e, object, "billable_percent", json_integer(policy->billable_percent));
    put(e, object, "max_per_month", integer(policy->max_per_month));
    put(e, object, "notice_hours", json_integer(policy->notice_hours));
    put(e, object, "counts_to_budget", json_boolean(policy->counts_to_budget));
    return object;
}

static json_t *version_json(struct uw_explanation *e, uint32_t index)
{
    const struct uw_version *version = &e->client->versions[index];
    bool wins = index == 0 || e->client->versions[index - 1].decision != version->decision ||
                e->client->versions[index - 1].version != version->version;
    json_t *object = json_object(), *months = json_array();
    struct uw_str list = uw_client_text(e->client, version->evaluation_months);
    for (uint32_t i = 0; i < list.length; i++) {
        append(e, months, json_integer((uint8_t)list.data[i]));
    }
    put(e, object, "version", json_integer(version->version));
    put(e, object, "wins", json_boolean(wins));
    put(e, object, "event_id", json_string(uw_explain_event_id(e, &version->stamp)));
    put(e, object, "recorded_at", instant(e, version->stamp.recorded_at_ms));
    put(e, object, "status", json_string(uw_decision_status_name((enum uw_decision_status)version->status)));
    put(e, object, "law", json_string(uw_law_name((enum uw_law)version->law)));
    put(e, object, "product_category", name(e, version->product_category));
    put(e, object, "product", name(e, version->product));
    put(e, object, "care", json_string(uw_care_name((enum uw_care)version->care)));
    put(e, object, "provider", name(e, version->provider));
    put(e, object, "valid_from", date(e, version->valid_from_day));
    put(e, object, "valid_to", date(e, version->valid_to_day));
    put(e, object, "effective_from", date(e, version->effective_from_day));
    put(e, object, "terms", terms_json(e, &version->terms));
    put(e, object, "no_show", policy_json(e, &version->no_show));
    put(e, object, "evaluation_months", months);
    put(e, object, "rate_cents_per_hour", integer(version->rate_cents_per_hour));
    return object;
}

static void put_decision(struct uw_explanation *e, json_t *root)
{
    json_t *versions = json_array(), *intervals = json_array();
    for (uint32_t i = 0; i < e->client->version_count; i++) {
        if (e->client->versions[i].decision == e->decision) {
            append(e, versions, version_json(e, i));
        }
    }
    for (uint32_t i = 0; e->care != NULL && i < e->care->interval_count; i++) {
        const struct uw_interval *interval = &e->fold->intervals[e->care->interval_first + i];
        json_t *object = json_object();
        put(e, object, "from", date(e, interval->from_day));
        put(e, object, "to", date(e, interval->to_day));
        put(e, object, "version", json_integer(interval->version->version));
        put(e, object, "provider", name(e, interval->version->provider));
        append(e, intervals, object);
    }
    put(e, root, "known", json_boolean(e->care != NULL));
    put(e, root, "status",
        e->care == NULL ? json_null()
                        : json_string(uw_decision_status_name((enum uw_decision_status)e->care->latest->status)));
    put(e, root, "valid_from", e->care == NULL ? json_null() : date(e, e->care->latest->valid_from_day));
    put(e, root, "valid_to", e->care == NULL ? json_null() : date(e, e->care->latest->valid_to_day));
    put(e, root, "versions", versions);
    put(e, root, "in_force", intervals);
}

static void put_evaluations(struct uw_explanation *e, json_t *root)
{
    json_t *object = json_object(), *dues = json_array(), *held = json_array();
    for (uint32_t i = 0; i < e->due_count; i++) {
        json_t *due = json_object();
        put(e, due, "due", date(e, e->dues[i].due_day));
        put(e, due, "months", json_integer(e->dues[i].months));
        put(e, due, "counts_from", date(e, e->dues[i].from_day));
        put(e, due, "counts_before", date(e, e->dues[i].before_day));
        put(e, due, "held", json_integer(e->dues[i].held_count));
        append(e, dues, due);
    }
    for (uint32_t i = 0; i < e->client->review_count; i++) {
        const struct uw_review *review = &e->client->reviews[i];
        if (review->decision == e->decision) {
            json_t *one = json_object();
            put(e, one, "held_on", date(e, review->held_on_day));
            put(e, one, "outcome", json_string(uw_evaluation_outcome_name(review->outcome)));
            append(e, held, one);
        }
    }
    put(e, object, "dues", dues);
    put(e, object, "held", held);
    put(e, root, "evaluations", object);
}

/* ---- facts ---- */

/* The counted minutes of a row day by day, only where there are several days. */
static json_t *days_json(struct uw_explanation *e, const struct uw_explain_row *row)
{
    json_t *days = json_array();
    for (uint32_t i = 0; e->care != NULL && i < e->care->entry_count; i++) {
        const struct uw_entry *entry = &e->fold->entries[e->care->entry_first + i];
        if (entry->day > row->to_day) {
            break;
        }
        if (entry->fact == row->fact && entry->is_no_show == (row->kind == UW_SUBJECT_NO_SHOW) &&
            entry->day >= row->from_day) {
            json_t *day = json_object();
            put(e, day, "day", date(e, entry->day));
            put(e, day, "minutes", json_integer(entry->minutes));
            append(e, days, day);
        }
    }
    return days;
}

static json_t *fact_json(struct uw_explanation *e, const struct uw_explain_row *row)
{
    json_t *object = json_object();
    const struct uw_line *line = row->kind == UW_SUBJECT_LINE ? &e->client->lines[row->fact] : NULL;
    const struct uw_absence *absence = line == NULL ? &e->client->absences[row->fact] : NULL;
    const struct uw_stamp *stamp = line != NULL ? &line->stamp : &absence->stamp;
    put(e, object, "kind",
        json_string(line == NULL ? "NO_SHOW" : line->kind == UW_LINE_CREDIT ? "CREDIT" : "DEBIT"));
    put(e, object, "id", string(row->id));
    put(e, object, "provider", string(row->provider));
    put(e, object, "staff", name(e, line != NULL ? line->staff : absence->staff));
    put(e, object, "from", date(e, row->from_day));
    put(e, object, "to", date(e, row->to_day));
    put(e, object, "started_at", instant(e, line != NULL ? line->started_at_ms : absence->appointment_at_ms));
    put(e, object, "minutes", json_integer(line != NULL ? line->minutes : absence->planned_minutes));
    put(e, object, "counted_minutes", json_integer(row->counted_minutes));
    put(e, object, "verdict", json_string(uw_verdict_name(row->verdict)));
    put(e, object, "verdict_words", json_string(uw_explain_verdict(e, row->verdict)));
    put(e, object, "reason", json_string(uw_explain_reason(e, row)));
    put(e, object, "recorded_at", instant(e, stamp->recorded_at_ms));
    put(e, object, "event_id", json_string(uw_explain_event_id(e, stamp)));
    if (row->from_day != row->to_day && row->counted_minutes > 0) {
        put(e, object, "days", days_json(e, row));
    }
    return object;
}

static json_t *week_json(struct uw_explanation *e, const struct uw_explain_segment *segment,
                         const struct uw_explain_period *period, const struct uw_explain_week *week)
{
    json_t *object = json_object(), *facts = json_array();
    bool surplus = segment->segment->terms->model == UW_MODEL_FIXED_PLUS_SURPLUS;
    bool limited = period->allotted_minutes != UW_MINUTES_NONE;
    for (uint32_t i = 0; i < week->row_count; i++) {
        append(e, facts, fact_json(e, &e->rows[week->row_first + i]));
    }
    put(e, object, "week", json_string(uw_explain_iso_week(e, week->monday_day)));
    put(e, object, "monday", date(e, week->monday_day));
    put(e, object, "delivered_minutes", json_integer(week->delivered_minutes));
    put(e, object, "no_show_minutes", json_integer(week->no_show_minutes));
    put(e, object, "fixed_minutes", surplus ? json_integer(segment->segment->terms->first) : json_null());
    put(e, object, "used_minutes", json_integer(week->used_minutes));
    put(e, object, "used_through_minutes", json_integer(week->used_through_minutes));
    put(e, object, "remaining_minutes",
        limited ? json_integer(period->allotted_minutes - week->used_through_minutes) : json_null());
    put(e, object, "facts", facts);
    return object;
}

static json_t *period_json(struct uw_explanation *e, const struct uw_explain_segment *segment,
                           const struct uw_explain_period *period)
{
    json_t *object = json_object(), *weeks = json_array();
    bool limited = period->allotted_minutes != UW_MINUTES_NONE;
    for (uint32_t i = 0; i < period->week_count; i++) {
        append(e, weeks, week_json(e, segment, period, &e->weeks[period->week_first + i]));
    }
    put(e, object, "period_from", date(e, period->period.from_day));
    put(e, object, "period_to", date(e, period->period.to_day));
    put(e, object, "account", json_boolean(period->has_account));
    put(e, object, "allotted_minutes", minutes(period->allotted_minutes));
    put(e, object, "minimum_minutes", minutes(period->minimum_minutes));
    put(e, object, "used_minutes", json_integer(period->used_minutes));
    put(e, object, "remaining_minutes",
        limited ? json_integer(period->allotted_minutes - period->used_minutes) : json_null());
    put(e, object, "delivered_minutes", json_integer(period->delivered_minutes));
    put(e, object, "no_show_minutes", json_integer(period->no_show_minutes));
    put(e, object, "weeks", weeks);
    return object;
}

static void put_segments(struct uw_explanation *e, json_t *root)
{
    json_t *segments = json_array();
    for (uint32_t i = 0; i < e->segment_count; i++) {
        const struct uw_explain_segment *segment = &e->segments[i];
        json_t *object = json_object(), *periods = json_array();
        for (uint32_t k = 0; k < segment->period_count; k++) {
            append(e, periods, period_json(e, segment, &e->periods[segment->period_first + k]));
        }
        put(e, object, "segment_from", date(e, segment->segment->from_day));
        put(e, object, "segment_to", date(e, segment->segment->to_day));
        put(e, object, "terms", terms_json(e, segment->segment->terms));
        put(e, object, "terms_words", json_string(uw_explain_terms(e, segment->segment->terms)));
        put(e, object, "periods", periods);
        append(e, segments, object);
    }
    put(e, root, "segments", segments);
}

static void put_uncounted_and_credits(struct uw_explanation *e, json_t *root)
{
    json_t *uncounted = json_array(), *credits = json_array();
    for (uint32_t i = 0; i < e->row_count; i++) {
        const struct uw_explain_row *row = &e->rows[i];
        if (row->counted_minutes == 0) {
            append(e, uncounted, fact_json(e, row));
        }
        if (row->kind == UW_SUBJECT_LINE && uw_explain_is_credit(e, row->fact)) {
            json_t *credit = fact_json(e, row);
            put(e, credit, "corrects", name(e, e->client->lines[row->fact].corrects));
            append(e, credits, credit);
        }
    }
    put(e, root, "not_counted", uncounted);
    put(e, root, "credits", credits);
}

static json_t *absence_json(struct uw_explanation *e, const struct uw_explain_absence *absence)
{
    const struct uw_absence *fact = &e->client->absences[absence->fact];
    json_t *object = json_object();
    put(e, object, "no_show", string(absence->id));
    put(e, object, "provider", string(absence->provider));
    put(e, object, "appointment_on", date(e, fact->appointment_on_day));
    put(e, object, "appointment_at", instant(e, fact->appointment_at_ms));
    put(e, object, "planned_minutes", json_integer(fact->planned_minutes));
    put(e, object, "reason", json_string(uw_no_show_reason_name((enum uw_no_show_reason)fact->reason)));
    put(e, object, "notice_minutes", integer(fact->notice_minutes));
    put(e, object, "billable", json_boolean(absence->billable));
    put(e, object, "rank", absence->rank < 0 ? json_null() : json_integer(absence->rank));
    put(e, object, "policy", absence->policy == NULL ? json_null() : policy_json(e, absence->policy));
    put(e, object, "counted_minutes", json_integer(absence->minutes));
    put(e, object, "verdict", json_string(uw_verdict_name(absence->verdict)));
    put(e, object, "verdict_words", json_string(uw_explain_verdict(e, absence->verdict)));
    put(e, object, "explanation", json_string(uw_explain_absence_words(e, absence)));
    return object;
}

static void put_absences(struct uw_explanation *e, json_t *root)
{
    json_t *absences = json_array();
    for (uint32_t i = 0; i < e->absence_count; i++) {
        append(e, absences, absence_json(e, &e->absences[i]));
    }
    put(e, root, "no_shows", absences);
}

/* ---- signals ---- */

static json_t *figures_json(struct uw_explanation *e, const struct uw_alert_figures *figures)
{
    json_t *object = json_object();
    put(e, object, "allotted_minutes", minutes(figures->allotted_minutes));
    put(e, object, "used_minutes", minutes(figures->used_minutes));
    put(e, object, "remaining_minutes", minutes(figures->remaining_minutes));
    put(e, object, "minimum_minutes", minutes(figures->minimum_minutes));
    put(e, object, "delivered_minutes", minutes(figures->delivered_minutes));
    put(e, object, "no_show_minutes", minutes(figures->no_show_minutes));
    put(e, object, "expected_minutes", minutes(figures->expected_minutes));
    put(e, object, "ratio_percent", minutes(figures->ratio_percent));
    put(e, object, "last_care_day", date(e, figures->last_care_day));
    put(e, object, "period_to", date(e, figures->period_to_day));
    return object;
}

static void put_alerts(struct uw_explanation *e, json_t *root)
{
    json_t *alerts = json_array();
    for (uint32_t i = 0; i < e->fold->alert_count; i++) {
        const struct uw_alert *alert = &e->fold->alerts[i];
        if (alert->state.decision != e->decision) {
            continue;
        }
        json_t *object = json_object();
        put(e, object, "kind", json_string(uw_alert_kind_name((enum uw_alert_kind)alert->state.kind)));
        put(e, object, "severity", json_string(uw_severity_name((enum uw_severity)alert->state.severity)));
        put(e, object, "segment_from", date(e, alert->state.segment_from_day));
        put(e, object, "period_from", date(e, alert->state.period_from_day));
        put(e, object, "threshold", alert->state.threshold < 0 ? json_null() : json_integer(alert->state.threshold));
        put(e, object, "effective_on", date(e, alert->state.effective_on_day));
        put(e, object, "provider", name(e, alert->state.provider));
        put(e, object, "figures", figures_json(e, &alert->figures));
        put(e, object, "because", json_string(uw_explain_alert(e, alert)));
        append(e, alerts, object);
    }
    put(e, root, "alerts", alerts);
}

static void put_anomalies(struct uw_explanation *e, json_t *root)
{
    json_t *anomalies = json_array();
    for (uint32_t i = 0; i < e->fold->anomaly_count; i++) {
        const struct uw_anomaly *anomaly = &e->fold->anomalies[i];
        if (anomaly->state.decision != e->decision || e->without_anomalies) {
            continue;
        }
        json_t *object = json_object();
        put(e, object, "kind", json_string(uw_anomaly_kind_name((enum uw_anomaly_kind)anomaly->state.kind)));
        put(e, object, "subject", json_string(uw_explain_subject(e, &anomaly->state)));
        put(e, object, "provider", name(e, anomaly->state.provider));
        put(e, object, "because", json_string(uw_explain_anomaly(e, anomaly)));
        append(e, anomalies, object);
    }
    put(e, root, "anomalies", anomalies);
}

static const char *comparison_name(enum uw_explain_comparison comparison)
{
    switch (comparison) {
    case UW_COMPARISON_DONE:
        return "DONE";
    case UW_COMPARISON_OTHER_AS_OF:
        return "OTHER_AS_OF";
    case UW_COMPARISON_OTHER_RULES:
        return "OTHER_THRESHOLDS";
    case UW_COMPARISON_PENDING:
        return "PENDING";
    case UW_COMPARISON_NOTHING_STORED:
        return "NOTHING_STORED";
    }
    return "?";
}

static void put_check(struct uw_explanation *e, json_t *root)
{
    json_t *object = json_object(), *differences = json_array();
    for (uint32_t i = 0; i < e->difference_count; i++) {
        const struct uw_explain_difference *difference = &e->differences[i];
        if (e->without_anomalies && strcmp(difference->object, "anomaly") == 0) {
            continue;
        }
        json_t *one = json_object();
        put(e, one, "object", json_string(difference->object));
        put(e, one, "key", json_string(difference->key));
        put(e, one, "column", json_string(difference->column));
        put(e, one, "explained", difference->explained == NULL ? json_null() : json_string(difference->explained));
        put(e, one, "stored", difference->stored == NULL ? json_null() : json_string(difference->stored));
        append(e, differences, one);
    }
    put(e, object, "ok", json_boolean(e->difference_count == 0));
    put(e, object, "stored_accounts", json_integer(e->stored.account_count));
    put(e, object, "stored_as_of", date(e, e->stored.as_of_day));
    put(e, object, "signals", json_string(comparison_name(e->comparison)));
    put(e, object, "differences", differences);
    put(e, root, "check", object);
}

static const char *origin_name(enum uw_explain_origin origin)
{
    switch (origin) {
    case UW_ORIGIN_OPTION:
        return "OPTION";
    case UW_ORIGIN_STORED:
        return "STORED";
    case UW_ORIGIN_TODAY:
        return "TODAY";
    }
    return "?";
}

void uw_explain_print_json(struct uw_explanation *explanation, FILE *file)
{
    json_t *root = json_object();
    put(explanation, root, "municipality", string(explanation->municipality));
    put(explanation, root, "decision", string(explanation->decision_name));
    put(explanation, root, "client", string(explanation->client_name));
    put(explanation, root, "as_of", date(explanation, explanation->as_of_day));
    put(explanation, root, "as_of_origin", json_string(origin_name(explanation->origin)));
    put_decision(explanation, root);
    put_evaluations(explanation, root);
    put_segments(explanation, root);
    put_uncounted_and_credits(explanation, root);
    put_absences(explanation, root);
    put_alerts(explanation, root);
    put_anomalies(explanation, root);
    put_check(explanation, root);
    if (!explanation->failed && json_dumpf(root, file, JSON_INDENT(2)) == 0) {
        fputc('\n', file);
    } else if (ferror(file) == 0) {
        explanation->failed = true;
    }
    json_decref(root);
}
