/* Alerts and anomalies as JSON: payloads for PostgreSQL, lines for people and their tools. */
#include "schemas/output.h"

#include "schemas/text.h"

/* Figures that a kind always shows, as null when they do not exist. Others are shown when they exist. */
enum shown {
    SHOWN_PERIOD_TO = 1 << 0,
    SHOWN_EXPECTED = 1 << 1,
    SHOWN_LAST_CARE = 1 << 2,
};

static unsigned shown_of(enum uw_alert_kind kind)
{
    switch (kind) {
    case UW_ALERT_SURPLUS_LOW:
    case UW_ALERT_SURPLUS_EXHAUSTED:
    case UW_ALERT_BUDGET_LOW:
    case UW_ALERT_BUDGET_EXHAUSTED:
    case UW_ALERT_PROJECTED_EXHAUSTION:
    case UW_ALERT_PERIOD_EXCEEDED:
    case UW_ALERT_BANDWIDTH_ABOVE:
    case UW_ALERT_BANDWIDTH_BELOW:
    case UW_ALERT_DECISION_ENDING:
        return SHOWN_PERIOD_TO;
    case UW_ALERT_EVALUATION_DUE:
        return SHOWN_EXPECTED;
    case UW_ALERT_CARE_STALLED:
        return SHOWN_LAST_CARE;
    }
    return 0;
}

/* Writes ", " between members; `first` is true before the first one. */
static void add_key(struct uw_text *text, bool *first, const char *key)
{
    uw_text_add_literal(text, *first ? "\"" : ", \"");
    uw_text_add_literal(text, key);
    uw_text_add_literal(text, "\": ");
    *first = false;
}

static void add_text(struct uw_text *text, bool *first, const char *key, struct uw_str value)
{
    add_key(text, first, key);
    if (uw_str_is_null(value)) {
        uw_text_add_literal(text, "null");
    } else {
        uw_text_add_json_string(text, value);
    }
}

static void add_name(struct uw_text *text, bool *first, const char *key, const char *name)
{
    add_text(text, first, key, uw_str_from(name));
}

static void add_date(struct uw_text *text, bool *first, const char *key, int32_t day)
{
    add_key(text, first, key);
    uw_text_add_json_date(text, day);
}

static void add_integer(struct uw_text *text, bool *first, const char *key, int64_t number)
{
    add_key(text, first, key);
    uw_text_add_integer(text, number);
}

static void add_uuid(struct uw_text *text, bool *first, const char *key, const struct uw_uuid *uuid)
{
    char id[UW_UUID_TEXT_BYTES];
    uw_uuid_format(uuid, id);
    add_text(text, first, key, (struct uw_str){id, sizeof id});
}

/* A figure in minutes or percent, when it exists or is always shown. */
static void add_figure(struct uw_text *text, bool *first, const char *key, int64_t figure, bool always)
{
    if (figure != UW_MINUTES_NONE) {
        add_integer(text, first, key, figure);
    } else if (always) {
        add_key(text, first, key);
        uw_text_add_literal(text, "null");
    }
}

static void add_figure_date(struct uw_text *text, bool *first, const char *key, int32_t day, bool always)
{
    if (day != UW_DAY_NONE || always) {
        add_date(text, first, key, day);
    }
}

static void add_alert_payload(struct uw_text *text, const struct uw_alert_change *alert)
{
    const struct uw_alert_figures *figures = &alert->figures;
    unsigned shown = shown_of(alert->kind);
    bool first = true;
    uw_text_add(text, "{", 1);
    add_figure(text, &first, "allotted_minutes", figures->allotted_minutes, false);
    add_figure(text, &first, "used_minutes", figures->used_minutes, false);
    add_figure(text, &first, "remaining_minutes", figures->remaining_minutes, false);
    add_figure(text, &first, "minimum_minutes", figures->minimum_minutes, false);
    add_figure(text, &first, "delivered_minutes", figures->delivered_minutes, false);
    add_figure(text, &first, "no_show_minutes", figures->no_show_minutes, false);
    add_figure(text, &first, "expected_minutes", figures->expected_minutes, (shown & SHOWN_EXPECTED) != 0);
    add_figure(text, &first, "ratio_percent", figures->ratio_percent, (shown & SHOWN_EXPECTED) != 0);
    add_figure_date(text, &first, "last_care_on", figures->last_care_day, (shown & SHOWN_LAST_CARE) != 0);
    add_figure_date(text, &first, "period_to", figures->period_to_day, (shown & SHOWN_PERIOD_TO) != 0);
    uw_text_add(text, "}", 1);
}

static void add_subject(struct uw_text *text, bool *first, const char *key, const struct uw_subject *subject)
{
    char buffer[UW_SUBJECT_TEXT_BYTES];
    size_t length = uw_subject_format(subject, buffer, sizeof buffer);
    length = length < sizeof buffer ? length : sizeof buffer - 1;
    add_text(text, first, key, (struct uw_str){buffer, (uint32_t)length});
}

static void add_anomaly_payload(struct uw_text *text, const struct uw_anomaly_change *anomaly)
{
    bool first = true;
    uw_text_add(text, "{", 1);
    if (anomaly->subject.kind != UW_SUBJECT_VERSION) {
        add_date(text, &first, "first_day", anomaly->first_day);
        add_date(text, &first, "last_day", anomaly->last_day);
        add_figure(text, &first, "minutes", anomaly->minutes, true);
        add_text(text, &first, "staff", anomaly->staff);
    }
    add_key(text, &first, "recorded_at");
    uw_text_add_json_instant(text, anomaly->recorded_at_ms);
    if (anomaly->has_other) {
        add_subject(text, &first, "other", &anomaly->other);
    }
    uw_text_add(text, "}", 1);
}

enum uw_code uw_alert_payload_json(const struct uw_alert_change *alert, struct uw_arena *arena, struct uw_str *json)
{
    struct uw_text text;
    uw_text_init(&text, arena);
    add_alert_payload(&text, alert);
    return uw_text_finish(&text, json);
}

enum uw_code uw_anomaly_payload_json(const struct uw_anomaly_change *anomaly, struct uw_arena *arena,
                                     struct uw_str *json)
{
    struct uw_text text;
    uw_text_init(&text, arena);
    add_anomaly_payload(&text, anomaly);
    return uw_text_finish(&text, json);
}

enum uw_code uw_alert_json(const struct uw_alert_record *record, struct uw_arena *arena, struct uw_str *json)
{
    const struct uw_alert_change *alert = &record->alert;
    struct uw_text text;
    bool first = true;
    uw_text_init(&text, arena);
    uw_text_add(&text, "{", 1);
    add_uuid(&text, &first, "alert_id", &record->alert_id);
    add_integer(&text, &first, "revision", alert->revision);
    add_name(&text, &first, "status", uw_status_name(alert->status));
    add_name(&text, &first, "kind", uw_alert_kind_name(alert->kind));
    add_name(&text, &first, "severity", uw_severity_name(alert->severity));
    add_text(&text, &first, "client", alert->client);
    add_text(&text, &first, "municipality", alert->municipality);
    add_text(&text, &first, "decision", alert->decision);
    add_text(&text, &first, "provider", alert->provider);
    add_date(&text, &first, "segment_from", alert->segment_from_day);
    add_date(&text, &first, "period_from", alert->period_from_day);
    add_key(&text, &first, "threshold");
    if (alert->threshold == UW_INT_NONE) {
        uw_text_add_literal(&text, "null");
    } else {
        uw_text_add_integer(&text, alert->threshold);
    }
    add_date(&text, &first, "effective_on", alert->effective_on_day);
    add_key(&text, &first, "payload");
    add_alert_payload(&text, alert);
    add_key(&text, &first, "observed_at");
    uw_text_add_json_instant(&text, record->observed_at_ms);
    uw_text_add(&text, "}", 1);
    return uw_text_finish(&text, json);
}

enum uw_code uw_anomaly_json(const struct uw_anomaly_record *record, struct uw_arena *arena, struct uw_str *json)
{
    const struct uw_anomaly_change *anomaly = &record->anomaly;
    struct uw_text text;
    bool first = true;
    uw_text_init(&text, arena);
    uw_text_add(&text, "{", 1);
    add_uuid(&text, &first, "anomaly_id", &record->anomaly_id);
    add_integer(&text, &first, "revision", anomaly->revision);
    add_name(&text, &first, "status", uw_status_name(anomaly->status));
    add_name(&text, &first, "kind", uw_anomaly_kind_name(anomaly->kind));
    add_text(&text, &first, "client", anomaly->client);
    add_text(&text, &first, "municipality", anomaly->municipality);
    add_text(&text, &first, "decision", anomaly->decision);
    add_text(&text, &first, "provider", anomaly->provider);
    add_subject(&text, &first, "subject", &anomaly->subject);
    add_key(&text, &first, "payload");
    add_anomaly_payload(&text, anomaly);
    add_key(&text, &first, "observed_at");
    uw_text_add_json_instant(&text, record->observed_at_ms);
    uw_text_add(&text, "}", 1);
    return uw_text_finish(&text, json);
}
