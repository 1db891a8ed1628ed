/* The filter of a webhook: a JSON object with parameters of the stream. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "dashboard/webhook_parts.h"

static const char names[] = " topics kind severity status municipality provider client decision ";

static bool is_name(const char *key)
{
    char padded[32];
    int length = snprintf(padded, sizeof padded, " %s ", key);
    return length > 2 && (size_t)length < sizeof padded && strchr(key, ' ') == NULL && strstr(names, padded) != NULL;
}

static bool refuse(struct uw_stream_refusal *refusal, const char *text)
{
    refusal->status = 400;
    snprintf(refusal->text, sizeof refusal->text, "%s", text);
    return false;
}

bool uw_webhook_filter_make(struct uw_str json, const struct uw_principal *principal, struct uw_stream_filter *filter,
                            struct uw_stream_refusal *refusal)
{
    struct uw_http_pair pairs[UW_WEBHOOK_FILTER_PAIRS_MAX];
    uint32_t count = 0;
    const char *key;
    json_t *value;
    bool good = true;
    json_t *object = json_loadb(json.data, json.length, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return refuse(refusal, "filter: an object with parameters of the stream");
    }
    json_object_foreach(object, key, value)
    {
        const char *text = json_string_value(value);
        if (!is_name(key) || text == NULL || text[0] == '\0' || count == UW_WEBHOOK_FILTER_PAIRS_MAX) {
            good = refuse(refusal, "filter: topics, kind, severity, status, municipality, provider, client and "
                                   "decision are "
                                   "texts, as the parameters of the stream");
            break;
        }
        pairs[count].name = uw_str_from(key);
        pairs[count++].value = (struct uw_str){text, (uint32_t)json_string_length(value)};
    }
    good = good && uw_stream_filter_make(pairs, count, principal, filter, refusal);
    if (good && filter->alert_kinds == 0 && filter->anomaly_kinds == 0) {
        good = refuse(refusal, "filter: it lets nothing through that this token sees");
    }
    json_decref(object);
    return good;
}
