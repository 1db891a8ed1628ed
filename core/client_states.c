/* What is known of a client's alerts and anomalies, as it comes from the store. */
#include "core/client.h"

#include <string.h>

#define RETURN_IF_FAILED(call)                                                                                         \
    do {                                                                                                               \
        enum uw_code failed = (call);                                                                                  \
        if (failed != UW_OK) {                                                                                         \
            return failed;                                                                                             \
        }                                                                                                              \
    } while (0)

enum uw_code uw_client_add_alert(struct uw_client *client, const struct uw_alert_change *alert)
{
    struct uw_alert_state state;
    memset(&state, 0, sizeof state);
    state.segment_from_day = alert->segment_from_day;
    state.period_from_day = alert->period_from_day;
    state.effective_on_day = alert->effective_on_day;
    state.revision = alert->revision;
    state.threshold = (int16_t)(alert->threshold == UW_INT_NONE ? -1 : alert->threshold);
    state.kind = (uint8_t)alert->kind;
    state.severity = (uint8_t)alert->severity;
    state.status = (uint8_t)alert->status;
    RETURN_IF_FAILED(uw_client_intern_decision(client, alert->municipality, alert->decision, &state.decision));
    RETURN_IF_FAILED(uw_client_intern(client, alert->provider, &state.provider));
    if (!uw_reserve((void **)&client->alerts, &client->alert_capacity, client->alert_count + 1, sizeof state)) {
        return UW_ENOMEM;
    }
    uint32_t low = 0, high = client->alert_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (uw_alert_state_compare(client, &client->alerts[middle], &state) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    memmove(&client->alerts[low + 1], &client->alerts[low], (client->alert_count - low) * sizeof state);
    client->alerts[low] = state;
    client->alert_count++;
    return UW_OK;
}

enum uw_code uw_client_add_anomaly(struct uw_client *client, const struct uw_anomaly_change *anomaly)
{
    struct uw_anomaly_state state;
    memset(&state, 0, sizeof state);
    state.subject_version = anomaly->subject.version;
    state.revision = anomaly->revision;
    state.kind = (uint8_t)anomaly->kind;
    state.subject_kind = (uint8_t)anomaly->subject.kind;
    state.status = (uint8_t)anomaly->status;
    RETURN_IF_FAILED(uw_client_intern_decision(client, anomaly->municipality, anomaly->decision, &state.decision));
    RETURN_IF_FAILED(uw_client_intern(client, anomaly->provider, &state.provider));
    RETURN_IF_FAILED(uw_client_intern(client, anomaly->subject.provider, &state.subject_provider));
    RETURN_IF_FAILED(uw_client_intern(client, anomaly->subject.id, &state.subject_id));
    if (!uw_reserve((void **)&client->anomalies, &client->anomaly_capacity, client->anomaly_count + 1, sizeof state)) {
        return UW_ENOMEM;
    }
    uint32_t low = 0, high = client->anomaly_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (uw_anomaly_state_compare(client, &client->anomalies[middle], &state) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    memmove(&client->anomalies[low + 1], &client->anomalies[low], (client->anomaly_count - low) * sizeof state);
    client->anomalies[low] = state;
    client->anomaly_count++;
    return UW_OK;
}
