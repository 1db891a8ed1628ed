#include "dashboard/stream_filter.h"
#include "schemas/output.h"

static bool decode_alert(struct uw_codec *codec, struct uw_str value, struct uw_arena *arena,
                         struct uw_stream_record *record)
{
    struct uw_alert_record read;
    struct uw_refusal refusal;
    struct uw_error error;
    if (uw_output_decode_alert(codec, value, arena, &read, &refusal, &error) != UW_OK ||
        uw_alert_json(&read, arena, &record->json) != UW_OK) {
        return false;
    }
    record->id = read.alert_id;
    record->revision = read.alert.revision;
    record->observed_at_ms = read.observed_at_ms;
    record->about = (struct uw_stream_event){.is_alert = true,
                                             .kind = (uint32_t)read.alert.kind,
                                             .severity = read.alert.severity,
                                             .status = read.alert.status,
                                             .municipality = read.alert.municipality,
                                             .provider = read.alert.provider,
                                             .client = read.alert.client,
                                             .decision = read.alert.decision};
    return true;
}

static bool decode_anomaly(struct uw_codec *codec, struct uw_str value, struct uw_arena *arena,
                           struct uw_stream_record *record)
{
    struct uw_anomaly_record read;
    struct uw_refusal refusal;
    struct uw_error error;
    if (uw_output_decode_anomaly(codec, value, arena, &read, &refusal, &error) != UW_OK ||
        uw_anomaly_json(&read, arena, &record->json) != UW_OK) {
        return false;
    }
    record->id = read.anomaly_id;
    record->revision = read.anomaly.revision;
    record->observed_at_ms = read.observed_at_ms;
    record->about = (struct uw_stream_event){.kind = (uint32_t)read.anomaly.kind,
                                             .status = read.anomaly.status,
                                             .municipality = read.anomaly.municipality,
                                             .provider = read.anomaly.provider,
                                             .client = read.anomaly.client,
                                             .decision = read.anomaly.decision};
    return true;
}

bool uw_stream_decode(struct uw_codec *codec, bool is_alert, struct uw_str value, struct uw_arena *arena,
                      struct uw_stream_record *record)
{
    return is_alert ? decode_alert(codec, value, arena, record) : decode_anomaly(codec, value, arena, record);
}
