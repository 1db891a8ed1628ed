#include "producers/feeder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define POLL_WHEN_FULL_MS 100
/* Failures of deliveries are looked at once in so many messages. */
#define POLL_EVERY 1024u

struct uw_feeder {
    struct uw_kafka_link link; /* first: the client's opaque */
    rd_kafka_t *client;
    rd_kafka_topic_t *topics[UW_TOPIC_COUNT];
    int32_t timeout_ms;
    uint32_t since_poll;
    uint64_t accepted, failed, bytes;
    rd_kafka_resp_err_t reason; /* of the first failure */
};

static const struct uw_property defaults[] = {
    {"compression.codec", "lz4"},
    {"linger.ms", "20"},
    {"batch.num.messages", "10000"},
    {"queue.buffering.max.messages", "500000"},
    {"queue.buffering.max.kbytes", "262144"},
    {"message.max.bytes", "2097152"},
    {NULL, NULL},
};

/*
 * Equal keys must meet in the partition in which every other producer, Java's included, puts them.
 *
 * One request at a time: a broker that does not know the producer yet takes its second request as the first when it
 * had to refuse the first one (a partition that is being made or is moving), and librdkafka then counts the refused
 * messages as acknowledged (confluent-kafka-go, issue 921): they would be lost without a word.
 */
static const struct uw_property required[] = {
    {"enable.idempotence", "true"},
    {"max.in.flight.requests.per.connection", "1"},
    {"acks", "all"},
    {"partitioner", "murmur2_random"},
    {"delivery.report.only.error", "true"},
    {NULL, NULL},
};

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct uw_feeder *feeder = opaque;

    (void)client;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    if (feeder->failed++ == 0)
        feeder->reason = message->err;
}

static enum uw_code topics_check(const struct uw_feeder_options *options, struct uw_error *error)
{
    int32_t counts[UW_TOPIC_COUNT];
    enum uw_code code = uw_kafka_partition_counts(options->properties, options->property_count, &options->log,
                                                  options->timeout_ms, options->topics, UW_TOPIC_COUNT, counts, error);

    for (int i = 1; i < UW_TOPIC_COUNT && code == UW_OK; i++) {
        if (counts[i] != counts[0])
            code = uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                                "topic %s has %" PRId32 " partitions, but %s has %" PRId32
                                ": the four input topics need equally many",
                                options->topics[0], counts[0], options->topics[i], counts[i]);
    }
    return code;
}

enum uw_code uw_feeder_open(const struct uw_feeder_options *options, struct uw_feeder **feeder, struct uw_error *error)
{
    struct uw_kafka_setup setup = {defaults, options->properties, options->property_count, required};
    struct uw_feeder *opened = calloc(1, sizeof(*opened));
    rd_kafka_conf_t *conf = NULL;
    enum uw_code code;

    if (opened == NULL)
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for writing to Kafka");
    opened->link.log = options->log;
    opened->timeout_ms = options->timeout_ms;
    code = topics_check(options, error);
    if (code == UW_OK)
        code = uw_kafka_conf_build(&setup, &opened->link, &conf, error);
    if (code == UW_OK) {
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        code = uw_kafka_client_open(RD_KAFKA_PRODUCER, conf, &opened->client, error);
    }
    for (int i = 0; code == UW_OK && i < UW_TOPIC_COUNT; i++) {
        opened->topics[i] = rd_kafka_topic_new(opened->client, options->topics[i], NULL);
        if (opened->topics[i] == NULL)
            code = uw_kafka_fail(rd_kafka_last_error(), "opening a topic", NULL, error);
    }
    if (code != UW_OK) {
        uw_feeder_close(&opened);
        return code;
    }
    *feeder = opened;
    return UW_OK;
}

void uw_feeder_close(struct uw_feeder **feeder)
{
    struct uw_feeder *closing = *feeder;

    if (closing == NULL)
        return;
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        if (closing->topics[i] != NULL)
            rd_kafka_topic_destroy(closing->topics[i]);
    }
    if (closing->client != NULL) {
        (void)rd_kafka_purge(closing->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_destroy(closing->client);
    }
    free(closing);
    *feeder = NULL;
}

static enum uw_code send_failed(struct uw_feeder *feeder, rd_kafka_resp_err_t err, size_t bytes, struct uw_error *error)
{
    char reason[UW_KAFKA_REASON_BYTES];

    switch ((int)err) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return uw_error_set(error, UW_ELIMIT, UW_CLASS_INPUT,
                            "a message of %zu bytes is larger than kafka.message.max.bytes allows", bytes);
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        if (atomic_load(&feeder->link.refused) != RD_KAFKA_RESP_ERR_NO_ERROR)
            return uw_kafka_link_fail(&feeder->link, err, "writing", error);
        return uw_error_set(error, UW_ETIMEOUT, UW_CLASS_RETRY,
                            "Kafka took nothing for %" PRId32 " ms while the queue is full", feeder->timeout_ms);
    case RD_KAFKA_RESP_ERR__FATAL:
        (void)rd_kafka_fatal_error(feeder->client, reason, sizeof(reason));
        return uw_error_set(error, UW_EIO, UW_CLASS_FATAL, "Kafka: writing stopped for good: %s", reason);
    }
    return uw_kafka_link_fail(&feeder->link, err, "writing", error);
}

enum uw_code uw_feeder_send(struct uw_feeder *feeder, enum uw_topic topic, struct uw_str key, struct uw_str value,
                            struct uw_error *error)
{
    int64_t deadline_ms = 0;

    if (++feeder->since_poll % POLL_EVERY == 0)
        rd_kafka_poll(feeder->client, 0);
    for (;;) {
        rd_kafka_resp_err_t err;

        if (rd_kafka_produce(feeder->topics[topic], RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                             (void *)(uintptr_t)value.data, value.length, key.data, key.length, NULL) == 0)
            break;
        err = rd_kafka_last_error();
        if (deadline_ms == 0)
            deadline_ms = uw_kafka_clock_ms() + feeder->timeout_ms;
        if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL || uw_kafka_left_ms(deadline_ms) == 0)
            return send_failed(feeder, err, (size_t)key.length + value.length, error);
        rd_kafka_poll(feeder->client, POLL_WHEN_FULL_MS);
    }
    feeder->accepted++;
    feeder->bytes += (uint64_t)key.length + value.length;
    return UW_OK;
}

enum uw_code uw_feeder_flush(struct uw_feeder *feeder, int32_t timeout_ms, struct uw_error *error)
{
    rd_kafka_resp_err_t err = rd_kafka_flush(feeder->client, timeout_ms);

    if (err == RD_KAFKA_RESP_ERR__TIMED_OUT && atomic_load(&feeder->link.refused) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return uw_error_set(error, UW_ETIMEOUT, UW_CLASS_RETRY,
                            "Kafka has not acknowledged %d messages within %" PRId32 " ms",
                            rd_kafka_outq_len(feeder->client), timeout_ms);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return uw_kafka_link_fail(&feeder->link, err, "waiting for acknowledgements", error);
    if (feeder->failed > 0)
        return uw_error_set(error, UW_EIO, UW_CLASS_FATAL, "Kafka did not take %" PRIu64 " of %" PRIu64 " messages: %s",
                            feeder->failed, feeder->accepted, rd_kafka_err2str(feeder->reason));
    return UW_OK;
}

void uw_feeder_statistics(const struct uw_feeder *feeder, struct uw_feeder_statistics *statistics)
{
    uint64_t waiting = (uint64_t)rd_kafka_outq_len(feeder->client);
    uint64_t done = feeder->accepted > waiting ? feeder->accepted - waiting : 0;

    *statistics = (struct uw_feeder_statistics){
        .accepted = feeder->accepted,
        .delivered = done > feeder->failed ? done - feeder->failed : 0,
        .failed = feeder->failed,
        .bytes = feeder->bytes,
    };
}
