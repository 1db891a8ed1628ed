#include "dashboard/stream_source.h"

#include <stdlib.h>
#include <string.h>

struct uw_source {
    struct uw_kafka_link link; /* first: the client's opaque */
    rd_kafka_t *client;
    const char *topics[2]; /* the options' */
    int32_t counts[2];
    int32_t timeout_ms;
    rd_kafka_message_t *raw; /* the one handed out */
};

static const struct uw_property defaults[] = {
    /* No group is joined and nothing committed, but librdkafka wants a name for its consumers. */
    {"group.id", "urenwacht-serve"},
    {"fetch.wait.max.ms", "50"},
    {"queued.max.messages.kbytes", "16384"},
    {NULL, NULL},
};

static const struct uw_property required[] = {
    {"enable.auto.commit", "false"},     {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"},    {"isolation.level", "read_committed"},
    {"auto.offset.reset", "earliest"},   {"allow.auto.create.topics", "false"},
    {NULL, NULL},
};

enum uw_code uw_source_open(const struct uw_stream_options *options, struct uw_source **source,
                            struct uw_error *error)
{
    struct uw_kafka_setup setup = {defaults, options->properties, options->property_count, required};
    struct uw_source *made = calloc(1, sizeof *made);
    rd_kafka_conf_t *conf = NULL;
    enum uw_code code;
    if (made == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for reading from Kafka");
    }
    made->link.log = options->kafka_log;
    made->topics[0] = options->alerts;
    made->topics[1] = options->anomalies;
    made->timeout_ms = options->timeout_ms;
    code = uw_kafka_conf_build(&setup, &made->link, &conf, error);
    if (code == UW_OK) {
        code = uw_kafka_client_open(RD_KAFKA_CONSUMER, conf, &made->client, error);
    }
    for (int i = 0; i < 2 && code == UW_OK; i++) {
        code = uw_kafka_partition_count(made->client, &made->link, made->topics[i], made->timeout_ms, &made->counts[i],
                                        error);
    }
    if (code == UW_OK && made->counts[0] + made->counts[1] > UW_STREAM_PLACES_MAX) {
        code = uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "the topics of alerts and anomalies have more than %d partitions", UW_STREAM_PLACES_MAX);
    }
    if (code != UW_OK) {
        uw_source_close(&made);
        return code;
    }
    (void)rd_kafka_poll_set_consumer(made->client);
    *source = made;
    return UW_OK;
}

void uw_source_close(struct uw_source **source)
{
    struct uw_source *closing = *source;
    if (closing == NULL) {
        return;
    }
    if (closing->raw != NULL) {
        rd_kafka_message_destroy(closing->raw);
    }
    if (closing->client != NULL) {
        (void)rd_kafka_consumer_close(closing->client);
        rd_kafka_destroy(closing->client);
    }
    free(closing);
    *source = NULL;
}

void uw_source_counts(const struct uw_source *source, uint32_t *alert_count, uint32_t *anomaly_count)
{
    *alert_count = (uint32_t)source->counts[0];
    *anomaly_count = (uint32_t)source->counts[1];
}

enum uw_code uw_source_ends(struct uw_source *source, int64_t *lows, int64_t *highs, struct uw_error *error)
{
    uint32_t place = 0;
    for (int i = 0; i < 2; i++) {
        for (int32_t partition = 0; partition < source->counts[i]; partition++, place++) {
            rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(source->client, source->topics[i], partition,
                                                                       &lows[place], &highs[place], source->timeout_ms);
            if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                return uw_kafka_link_fail(&source->link, err, "asking for the ends of the topics", error);
            }
        }
    }
    return UW_OK;
}

enum uw_code uw_source_times(struct uw_source *source, int64_t instant_ms, int64_t *offsets, struct uw_error *error)
{
    int64_t lows[UW_STREAM_PLACES_MAX], highs[UW_STREAM_PLACES_MAX];
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(source->counts[0] + source->counts[1]);
    uint32_t place = 0;
    enum uw_code code = uw_source_ends(source, lows, highs, error);
    for (int i = 0; i < 2; i++) {
        for (int32_t partition = 0; partition < source->counts[i]; partition++) {
            rd_kafka_topic_partition_list_add(list, source->topics[i], partition)->offset = instant_ms;
        }
    }
    if (code == UW_OK) {
        rd_kafka_resp_err_t err = rd_kafka_offsets_for_times(source->client, list, source->timeout_ms);
        if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            code = uw_kafka_link_fail(&source->link, err, "looking for a time in the topics", error);
        }
    }
    /* The list keeps the order in which it was filled. */
    for (; code == UW_OK && place < (uint32_t)list->cnt; place++) {
        offsets[place] = list->elems[place].offset >= 0 ? list->elems[place].offset : highs[place];
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

enum uw_code uw_source_start(struct uw_source *source, const int64_t *offsets, struct uw_error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(source->counts[0] + source->counts[1]);
    rd_kafka_resp_err_t err;
    uint32_t place = 0;
    for (int i = 0; i < 2; i++) {
        for (int32_t partition = 0; partition < source->counts[i]; partition++, place++) {
            rd_kafka_topic_partition_list_add(list, source->topics[i], partition)->offset = offsets[place];
        }
    }
    err = rd_kafka_assign(source->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return err == RD_KAFKA_RESP_ERR_NO_ERROR ? UW_OK : uw_kafka_fail(err, "starting to read", NULL, error);
}

static bool find_place(const struct uw_source *source, const rd_kafka_message_t *raw, uint32_t *place)
{
    const char *topic = raw->rkt == NULL ? NULL : rd_kafka_topic_name(raw->rkt);
    for (int i = 0; topic != NULL && i < 2; i++) {
        if (strcmp(source->topics[i], topic) == 0 && raw->partition >= 0 && raw->partition < source->counts[i]) {
            *place = (uint32_t)((i == 0 ? 0 : source->counts[0]) + raw->partition);
            return true;
        }
    }
    return false;
}

enum uw_code uw_source_next(struct uw_source *source, int32_t timeout_ms, struct uw_source_message *message,
                            struct uw_error *error)
{
    rd_kafka_timestamp_type_t type;
    enum uw_code code = UW_OK;
    if (source->raw != NULL) {
        rd_kafka_message_destroy(source->raw);
    }
    source->raw = rd_kafka_consumer_poll(source->client, timeout_ms);
    *message = (struct uw_source_message){.what = UW_SOURCE_NOTHING};
    if (source->raw == NULL) {
        return UW_OK;
    }
    if (source->raw->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && find_place(source, source->raw, &message->place)) {
        message->what = UW_SOURCE_END;
        message->offset = source->raw->offset;
    } else if (source->raw->err == RD_KAFKA_RESP_ERR_NO_ERROR && find_place(source, source->raw, &message->place)) {
        message->what = UW_SOURCE_EVENT;
        message->offset = source->raw->offset;
        message->value = (struct uw_str){source->raw->payload, (uint32_t)source->raw->len};
        message->timestamp_ms = rd_kafka_message_timestamp(source->raw, &type);
    } else if (uw_kafka_class(source->raw->err) != UW_CLASS_RETRY) {
        code = uw_kafka_fail(source->raw->err, "reading", rd_kafka_message_errstr(source->raw), error);
    }
    return code;
}
