#include "producers/replayer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define WHAT_BYTES 320
#define POLL_WHEN_FULL_MS 100

struct uw_replayer {
    struct uw_kafka_link link; /* first: the client's opaque */
    rd_kafka_t *client;
    int32_t timeout_ms;
    rd_kafka_resp_err_t undelivered; /* of the first record that was not */
};

static const struct uw_property defaults[] = {
    {"compression.codec", "lz4"},
    {"linger.ms", "2"},
    {"queue.buffering.max.kbytes", "262144"},
    /* The broker judges compressed batches, so that a record may be larger than what the topics say. */
    {"message.max.bytes", "67108864"},
    {NULL, NULL},
};

/* One request at a time, as the feeder has it: librdkafka may count messages of a refused request as acknowledged. */
static const struct uw_property required[] = {
    {"enable.idempotence", "true"},
    {"max.in.flight.requests.per.connection", "1"},
    {"acks", "all"},
    {"delivery.report.only.error", "true"},
    {NULL, NULL},
};

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct uw_replayer *replayer = opaque;

    (void)client;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && replayer->undelivered == RD_KAFKA_RESP_ERR_NO_ERROR)
        replayer->undelivered = message->err;
}

enum uw_code uw_replayer_open(const struct uw_replayer_options *options, struct uw_replayer **replayer,
                              struct uw_error *error)
{
    struct uw_kafka_setup setup = {defaults, options->properties, options->property_count, required};
    struct uw_replayer *opened = calloc(1, sizeof(*opened));
    rd_kafka_conf_t *conf = NULL;
    enum uw_code code;

    if (opened == NULL)
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for writing to Kafka");
    opened->link.log = options->log;
    opened->timeout_ms = options->timeout_ms;
    code = uw_kafka_conf_build(&setup, &opened->link, &conf, error);
    if (code == UW_OK) {
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        code = uw_kafka_client_open(RD_KAFKA_PRODUCER, conf, &opened->client, error);
    }
    if (code != UW_OK) {
        uw_replayer_close(&opened);
        return code;
    }
    *replayer = opened;
    return UW_OK;
}

void uw_replayer_close(struct uw_replayer **replayer)
{
    struct uw_replayer *closing = *replayer;

    if (closing == NULL)
        return;
    if (closing->client != NULL) {
        (void)rd_kafka_purge(closing->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_destroy(closing->client);
    }
    free(closing);
    *replayer = NULL;
}

static rd_kafka_headers_t *headers_make(const struct uw_header *headers, uint32_t count)
{
    rd_kafka_headers_t *made = rd_kafka_headers_new(count);

    for (uint32_t i = 0; i < count; i++)
        (void)rd_kafka_header_add(made, headers[i].name.data, (ssize_t)headers[i].name.length, headers[i].value.data,
                                  headers[i].value.data == NULL ? -1 : (ssize_t)headers[i].value.length);
    return made;
}

enum uw_code uw_replayer_send(struct uw_replayer *replayer, const char *topic, int32_t partition, struct uw_str key,
                              struct uw_str value, const struct uw_header *headers, uint32_t header_count,
                              struct uw_error *error)
{
    int64_t deadline_ms = uw_kafka_clock_ms() + replayer->timeout_ms;
    rd_kafka_headers_t *made;
    char what[WHAT_BYTES];
    rd_kafka_error_t *failure;
    rd_kafka_resp_err_t err;

    made = headers_make(headers, header_count);
    for (;;) {
        const rd_kafka_vu_t arguments[] = {
            {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
            {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
            {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
            {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {.ptr = (void *)(uintptr_t)key.data, .size = key.length}},
            {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {.ptr = (void *)(uintptr_t)value.data, .size = value.length}},
            {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = made},
        };

        failure = rd_kafka_produceva(replayer->client, arguments, sizeof(arguments) / sizeof(arguments[0]));
        if (failure == NULL)
            return UW_OK; /* the headers belong to the message now */
        if (rd_kafka_error_code(failure) != RD_KAFKA_RESP_ERR__QUEUE_FULL || uw_kafka_left_ms(deadline_ms) == 0)
            break;
        rd_kafka_error_destroy(failure);
        rd_kafka_poll(replayer->client, POLL_WHEN_FULL_MS);
    }
    rd_kafka_headers_destroy(made);
    err = rd_kafka_error_code(failure);
    rd_kafka_error_destroy(failure);
    (void)snprintf(what, sizeof(what), "writing to topic %s, partition %" PRId32, topic, partition);
    if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        err = RD_KAFKA_RESP_ERR__TIMED_OUT;
    return uw_kafka_link_fail(&replayer->link, err, what, error);
}

enum uw_code uw_replayer_flush(struct uw_replayer *replayer, struct uw_error *error)
{
    rd_kafka_resp_err_t err = rd_kafka_flush(replayer->client, replayer->timeout_ms);

    /* What was not delivered is a better reason than that not all was in time. */
    if (replayer->undelivered != RD_KAFKA_RESP_ERR_NO_ERROR)
        err = replayer->undelivered;
    return err == RD_KAFKA_RESP_ERR_NO_ERROR ? UW_OK
                                             : uw_kafka_link_fail(&replayer->link, err, "sending records again", error);
}
