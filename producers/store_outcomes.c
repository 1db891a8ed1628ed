/*
 * Rows of alerts and anomalies, of which the statements move what was there into the history. The order of the fields
 * is that of the columns in store_statements.c.
 */
#include "producers/store_internal.h"

#include "schemas/identity.h"
#include "schemas/output.h"

static enum uw_code parse_id(const char text[UW_ID_TEXT_BYTES], struct uw_uuid *uuid)
{
    return uw_uuid_parse((struct uw_str){text, UW_UUID_TEXT_BYTES}, uuid) ? UW_OK : UW_EINTERNAL;
}

static void add_quiet(struct uw_columns *columns, const struct uw_uuid *id, struct uw_str provider)
{
    uint32_t place = 0;

    uw_columns_uuid(columns, &place, id->bytes);
    uw_columns_string(columns, &place, provider);
}

enum uw_code uw_pgstore_add_alert(struct uw_pgstore *store, const struct uw_alert_change *alert,
                                  int64_t observed_at_ms)
{
    struct uw_columns *columns = &store->tables[alert->revision == 1 ? UW_TABLE_ALERTS_NEW : UW_TABLE_ALERTS];
    char text[UW_ID_TEXT_BYTES];
    struct uw_str payload;
    struct uw_uuid id;
    uint32_t place = 0;
    enum uw_code code;

    code = uw_alert_id(alert, text);
    if (code == UW_OK) {
        code = parse_id(text, &id);
    }
    if (code != UW_OK) {
        return code;
    }
    if (alert->quiet) {
        add_quiet(&store->tables[UW_TABLE_ALERTS_QUIET], &id, alert->provider);
        return UW_OK;
    }
    code = uw_alert_payload_json(alert, &store->arena, &payload);
    if (code != UW_OK) {
        return code;
    }
    uw_columns_uuid(columns, &place, id.bytes);
    uw_columns_int4(columns, &place, alert->revision);
    uw_columns_string(columns, &place, uw_str_from(uw_status_name(alert->status)));
    uw_columns_string(columns, &place, uw_str_from(uw_alert_kind_name(alert->kind)));
    uw_columns_string(columns, &place, uw_str_from(uw_severity_name(alert->severity)));
    uw_columns_string(columns, &place, alert->client);
    uw_columns_string(columns, &place, alert->municipality);
    uw_columns_string(columns, &place, alert->decision);
    uw_columns_string(columns, &place, alert->provider);
    uw_columns_day(columns, &place, alert->segment_from_day);
    uw_columns_day(columns, &place, alert->period_from_day);
    uw_columns_int4_or_null(columns, &place, alert->threshold);
    uw_columns_day(columns, &place, alert->effective_on_day);
    uw_columns_jsonb(columns, &place, payload);
    uw_columns_instant(columns, &place, observed_at_ms);
    return UW_OK;
}

static void add_subject(struct uw_columns *columns, uint32_t *place, const struct uw_subject *subject)
{
    uw_columns_int2(columns, place, (int32_t)subject->kind);
    if (subject->kind == UW_SUBJECT_VERSION) {
        uw_columns_null(columns, place);
        uw_columns_null(columns, place);
        uw_columns_int4(columns, place, subject->version);
    } else {
        uw_columns_string(columns, place, subject->provider);
        uw_columns_string(columns, place, subject->id);
        uw_columns_null(columns, place);
    }
}

enum uw_code uw_pgstore_add_anomaly(struct uw_pgstore *store, const struct uw_anomaly_change *anomaly,
                                    int64_t observed_at_ms)
{
    struct uw_columns *columns = &store->tables[anomaly->revision == 1 ? UW_TABLE_ANOMALIES_NEW : UW_TABLE_ANOMALIES];
    const struct uw_subject *subject = &anomaly->subject;
    char text[UW_ID_TEXT_BYTES], subject_text[UW_SUBJECT_TEXT_BYTES];
    struct uw_str payload;
    struct uw_uuid id;
    uint32_t place = 0;
    enum uw_code code;

    code = uw_anomaly_id(anomaly, text);
    if (code == UW_OK) {
        code = parse_id(text, &id);
    }
    if (code != UW_OK) {
        return code;
    }
    if (anomaly->quiet) {
        add_quiet(&store->tables[UW_TABLE_ANOMALIES_QUIET], &id, anomaly->provider);
        return UW_OK;
    }
    code = uw_anomaly_payload_json(anomaly, &store->arena, &payload);
    if (code != UW_OK) {
        return code;
    }
    (void)uw_subject_format(subject, subject_text, sizeof subject_text);
    uw_columns_uuid(columns, &place, id.bytes);
    uw_columns_int4(columns, &place, anomaly->revision);
    uw_columns_string(columns, &place, uw_str_from(uw_status_name(anomaly->status)));
    uw_columns_string(columns, &place, uw_str_from(uw_anomaly_kind_name(anomaly->kind)));
    uw_columns_string(columns, &place, anomaly->client);
    uw_columns_string(columns, &place, anomaly->municipality);
    uw_columns_string(columns, &place, anomaly->decision);
    uw_columns_string(columns, &place, anomaly->provider);
    uw_columns_string(columns, &place, uw_str_from(subject_text));
    uw_columns_jsonb(columns, &place, payload);
    uw_columns_instant(columns, &place, observed_at_ms);
    add_subject(columns, &place, subject);
    return UW_OK;
}
