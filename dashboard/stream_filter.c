#include "dashboard/stream_filter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_ALERTS ((1u << UW_ALERT_KIND_COUNT) - 1)
#define ALL_ANOMALIES ((1u << UW_ANOMALY_KIND_COUNT) - 1)
#define ALL_SEVERITIES 7u
#define ALL_STATUSES 3u
#define TEXT_BYTES_MAX 4096

static bool in_list(const char *list, struct uw_str word)
{
    for (const char *at = list; at != NULL; at = strchr(at, ',') == NULL ? NULL : strchr(at, ',') + 1) {
        if (strncmp(at, word.data, word.length) == 0 && (at[word.length] == ',' || at[word.length] == '\0')) {
            return true;
        }
    }
    return false;
}

static bool is_same(const char *wanted, struct uw_str text)
{
    return strlen(wanted) == text.length && memcmp(wanted, text.data, text.length) == 0;
}

bool uw_stream_filter_matches(const struct uw_stream_filter *filter, const struct uw_stream_event *event)
{
    uint32_t kinds = event->is_alert ? filter->alert_kinds : filter->anomaly_kinds;
    return (kinds >> event->kind & 1u) != 0 && (filter->statuses >> event->status & 1u) != 0 &&
           (!event->is_alert || (filter->severities >> event->severity & 1u) != 0) &&
           (filter->allowed == NULL || in_list(filter->allowed, event->municipality)) &&
           (filter->municipalities == NULL || in_list(filter->municipalities, event->municipality)) &&
           (filter->providers == NULL || in_list(filter->providers, event->provider)) &&
           (filter->client == NULL || is_same(filter->client, event->client)) &&
           (filter->decision == NULL || is_same(filter->decision, event->decision));
}

void uw_stream_filter_close(struct uw_stream_filter *filter)
{
    free(filter->allowed);
    free(filter->municipalities);
    free(filter->providers);
    free(filter->client);
    free(filter->decision);
    *filter = (struct uw_stream_filter){0};
}

typedef bool word_read(struct uw_stream_filter *filter, struct uw_str word);

static bool read_kind(struct uw_stream_filter *filter, struct uw_str word)
{
    enum uw_alert_kind alert;
    enum uw_anomaly_kind anomaly;
    if (uw_alert_kind_parse(word, &alert)) {
        filter->alert_kinds |= 1u << alert;
        return true;
    }
    if (uw_anomaly_kind_parse(word, &anomaly)) {
        filter->anomaly_kinds |= 1u << anomaly;
        return true;
    }
    return false;
}

static bool read_severity(struct uw_stream_filter *filter, struct uw_str word)
{
    enum uw_severity severity;
    if (!uw_severity_parse(word, &severity)) {
        return false;
    }
    filter->severities |= 1u << severity;
    return true;
}

static bool read_status(struct uw_stream_filter *filter, struct uw_str word)
{
    enum uw_status status;
    if (!uw_status_parse(word, &status)) {
        return false;
    }
    filter->statuses |= 1u << status;
    return true;
}

/* What is being read, and where a refusal goes. */
struct reading {
    const struct uw_http_pair *pairs;
    uint32_t pair_count;
    struct uw_stream_refusal *refusal;
};

static bool refuse(const struct reading *reading, int status, const char *format, ...) UW_PRINTF(3, 4);

static bool refuse(const struct reading *reading, int status, const char *format, ...)
{
    va_list arguments;
    reading->refusal->status = status;
    va_start(arguments, format);
    vsnprintf(reading->refusal->text, sizeof reading->refusal->text, format, arguments);
    va_end(arguments);
    return false;
}

static struct uw_str parameter(const struct reading *reading, const char *name)
{
    for (uint32_t i = 0; i < reading->pair_count; i++) {
        if (uw_str_equal(reading->pairs[i].name, uw_str_from(name))) {
            return reading->pairs[i].value;
        }
    }
    return UW_STR_NULL;
}

static bool read_words(const struct reading *reading, const char *name, word_read *read,
                       struct uw_stream_filter *filter)
{
    struct uw_str list = parameter(reading, name);
    for (const char *at = list.data; at != NULL; at = strchr(at, ',') == NULL ? NULL : strchr(at, ',') + 1) {
        if (!read(filter, (struct uw_str){at, (uint32_t)strcspn(at, ",")})) {
            return refuse(reading, 400, "%s: this is not a value of it", name);
        }
    }
    return true;
}

static bool copy_text(const struct reading *reading, const char *name, char **copy)
{
    struct uw_str value = parameter(reading, name);
    if (uw_str_is_null(value)) {
        return true;
    }
    if (value.length > TEXT_BYTES_MAX) {
        return refuse(reading, 400, "%s: too long", name);
    }
    *copy = strdup(value.data);
    return *copy != NULL || refuse(reading, 503, "no memory");
}

/* Absent lists leave nothing out; a list of kinds leaves out the topic of which it names none. */
static void fill_absent(const struct reading *reading, struct uw_stream_filter *filter)
{
    if (uw_str_is_null(parameter(reading, "kind"))) {
        filter->alert_kinds = ALL_ALERTS;
        filter->anomaly_kinds = ALL_ANOMALIES;
    }
    if (uw_str_is_null(parameter(reading, "severity"))) {
        filter->severities = ALL_SEVERITIES;
    } else {
        filter->anomaly_kinds = 0; /* anomalies have none */
    }
    filter->statuses = uw_str_is_null(parameter(reading, "status")) ? ALL_STATUSES : filter->statuses;
}

static bool choose_topics(const struct reading *reading, const struct uw_principal *principal,
                          struct uw_stream_filter *filter)
{
    struct uw_str topics = parameter(reading, "topics");
    bool alerts = uw_str_is_null(topics), anomalies = alerts;
    for (const char *at = topics.data; at != NULL; at = strchr(at, ',') == NULL ? NULL : strchr(at, ',') + 1) {
        struct uw_str word = {at, (uint32_t)strcspn(at, ",")};
        if (uw_str_equal(word, UW_STR("alerts"))) {
            alerts = true;
        } else if (uw_str_equal(word, UW_STR("anomalies"))) {
            anomalies = true;
        } else {
            return refuse(reading, 400, "topics: alerts, anomalies or both, with a comma");
        }
    }
    if (!uw_principal_sees_signals(principal)) {
        if (anomalies && !uw_str_is_null(topics)) {
            return refuse(reading, 403, "the role %s does not see anomalies", uw_role_name(principal->role));
        }
        anomalies = false;
    }
    filter->alert_kinds = alerts ? filter->alert_kinds : 0;
    filter->anomaly_kinds = anomalies ? filter->anomaly_kinds : 0;
    return true;
}

bool uw_stream_filter_make(const struct uw_http_pair *pairs, uint32_t pair_count, const struct uw_principal *principal,
                           struct uw_stream_filter *filter, struct uw_stream_refusal *refusal)
{
    const struct reading reading = {pairs, pair_count, refusal};
    if (!read_words(&reading, "kind", read_kind, filter) || !read_words(&reading, "severity", read_severity, filter) ||
        !read_words(&reading, "status", read_status, filter) ||
        !copy_text(&reading, "municipality", &filter->municipalities) ||
        !copy_text(&reading, "provider", &filter->providers) || !copy_text(&reading, "client", &filter->client) ||
        !copy_text(&reading, "decision", &filter->decision)) {
        return false;
    }
    if (filter->municipalities != NULL &&
        (strspn(filter->municipalities, "0123456789,") != strlen(filter->municipalities) ||
         strlen(filter->municipalities) % 5 != 4)) {
        return refuse(&reading, 400, "municipality: codes of four digits with commas");
    }
    fill_absent(&reading, filter);
    if (!principal->everywhere) {
        filter->allowed = strdup(principal->municipalities);
        if (filter->allowed == NULL) {
            return refuse(&reading, 503, "no memory");
        }
    }
    return choose_topics(&reading, principal, filter);
}

bool uw_stream_filter_read(struct uw_http_request *request, const struct uw_principal *principal,
                           struct uw_stream_filter *filter)
{
    struct uw_stream_refusal refusal;
    if (uw_stream_filter_make(request->parameters, request->parameter_count, principal, filter, &refusal)) {
        return true;
    }
    uw_http_problem(request, refusal.status, "%s", refusal.text);
    return false;
}
