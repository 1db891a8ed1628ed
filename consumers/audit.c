#include "consumers/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consumers/kafka_range.h"

/* Callbacks of librdkafka are served once in so many records. */
#define POLL_EVERY 4096u

struct uw_audit {
    struct uw_kafka_link link; /* first: the client's opaque */
    rd_kafka_t *client, *asker;
    int32_t timeout_ms;
    char *topic; /* of the stretch; NULL: none */
    int32_t partition;
    int64_t from, until;
    int64_t committed_end; /* where what is committed was found to end, with nothing read since; -1: nowhere */
    bool ended;
    uint32_t since_poll;
    rd_kafka_message_t *raw; /* the one handed out */
    struct uw_audit_message message;
    struct uw_header *headers;
    size_t header_capacity;
};

static const struct uw_property defaults[] = {
    /* No group is joined and nothing committed, but librdkafka wants a name for its consumers. */
    {"group.id", "urenwacht-audit"},
    {"fetch.wait.max.ms", "50"},
    {"queued.max.messages.kbytes", "65536"},
    {NULL, NULL},
};

static const struct uw_property required[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"},
    {"isolation.level", "read_committed"},
    {"auto.offset.reset", "earliest"},
    {"allow.auto.create.topics", "false"},
    {NULL, NULL},
};

static enum uw_code out_of_memory(struct uw_error *error)
{
    return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for reading from Kafka");
}

enum uw_code uw_audit_open(const struct uw_audit_options *options, struct uw_audit **audit, struct uw_error *error)
{
    struct uw_kafka_setup setup = {defaults, options->properties, options->property_count, required};
    struct uw_audit *opened = calloc(1, sizeof(*opened));
    rd_kafka_conf_t *conf = NULL;
    enum uw_code code;

    if (opened == NULL)
        return out_of_memory(error);
    opened->link.log = options->log;
    opened->timeout_ms = options->timeout_ms;
    code = uw_kafka_conf_build(&setup, &opened->link, &conf, error);
    if (code == UW_OK && options->uncommitted)
        uw_kafka_conf_uncommitted(conf);
    if (code == UW_OK)
        code = uw_kafka_client_open(RD_KAFKA_CONSUMER, conf, &opened->client, error);
    if (code == UW_OK)
        code = uw_kafka_asker_open(options->properties, options->property_count, &opened->link, &opened->asker, error);
    if (code != UW_OK) {
        uw_audit_close(&opened);
        return code;
    }
    *audit = opened;
    return UW_OK;
}

static void message_drop(struct uw_audit *audit)
{
    if (audit->raw != NULL)
        rd_kafka_message_destroy(audit->raw);
    audit->raw = NULL;
}

void uw_audit_close(struct uw_audit **audit)
{
    struct uw_audit *closing = *audit;

    if (closing == NULL)
        return;
    message_drop(closing);
    if (closing->client != NULL) {
        (void)rd_kafka_consumer_close(closing->client);
        rd_kafka_destroy(closing->client);
    }
    if (closing->asker != NULL)
        rd_kafka_destroy(closing->asker);
    free(closing->topic);
    free(closing->headers);
    free(closing);
    *audit = NULL;
}

enum uw_code uw_audit_partition_count(struct uw_audit *audit, const char *topic, int32_t *count,
                                      struct uw_error *error)
{
    message_drop(audit);
    return uw_kafka_partition_count(audit->client, &audit->link, topic, audit->timeout_ms, count, error);
}

enum uw_code uw_audit_range(struct uw_audit *audit, const char *topic, int32_t partition, int64_t *low, int64_t *high,
                            struct uw_error *error)
{
    return uw_kafka_range(audit->asker, &audit->link, topic, partition, audit->timeout_ms, low, high, error);
}

enum uw_code uw_audit_committed_end(struct uw_audit *audit, const char *topic, int32_t partition, int64_t *end,
                                    struct uw_error *error)
{
    int64_t low;

    /* A client is told the end by its own isolation level. */
    return uw_kafka_range(audit->client, &audit->link, topic, partition, audit->timeout_ms, &low, end, error);
}

enum uw_code uw_audit_start(struct uw_audit *audit, const char *topic, int32_t partition, int64_t from, int64_t until,
                            struct uw_error *error)
{
    rd_kafka_topic_partition_list_t *list;
    char *copy = strdup(topic);
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;

    if (copy == NULL)
        return out_of_memory(error);
    message_drop(audit);
    free(audit->topic);
    audit->topic = copy;
    audit->partition = partition;
    audit->from = from;
    audit->until = until;
    audit->committed_end = -1;
    audit->ended = from >= until;
    if (audit->ended)
        return UW_OK;
    list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = from;
    err = rd_kafka_assign(audit->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return err == RD_KAFKA_RESP_ERR_NO_ERROR ? UW_OK : uw_kafka_fail(err, "starting to read", NULL, error);
}

/* Of the stretch that is being read; librdkafka may still hand out what it had fetched of the one before. */
static bool is_ours(const struct uw_audit *audit, const rd_kafka_message_t *raw)
{
    return raw->rkt != NULL && raw->partition == audit->partition &&
           strcmp(rd_kafka_topic_name(raw->rkt), audit->topic) == 0;
}

static enum uw_code headers_fill(struct uw_audit *audit, uint32_t *count, struct uw_error *error)
{
    rd_kafka_headers_t *parsed;
    size_t found;

    *count = 0;
    if (rd_kafka_message_headers(audit->raw, &parsed) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return UW_OK;
    found = rd_kafka_header_cnt(parsed);
    if (found > audit->header_capacity) {
        struct uw_header *headers = realloc(audit->headers, found * sizeof(*headers));

        if (headers == NULL)
            return out_of_memory(error);
        audit->headers = headers;
        audit->header_capacity = found;
    }
    for (size_t i = 0; i < found; i++) {
        const char *name;
        const void *value;
        size_t size;

        if (rd_kafka_header_get_all(parsed, i, &name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
            break;
        audit->headers[(*count)++] = (struct uw_header){uw_str_from(name), {value, (uint32_t)size}};
    }
    return UW_OK;
}

static enum uw_code message_fill(struct uw_audit *audit, struct uw_error *error)
{
    const rd_kafka_message_t *raw = audit->raw;
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(raw, &type);
    uint32_t header_count;
    enum uw_code code = headers_fill(audit, &header_count, error);

    if (code != UW_OK)
        return code;
    audit->message = (struct uw_audit_message){
        .partition = raw->partition,
        .offset = raw->offset,
        .key = {raw->key, (uint32_t)raw->key_len},
        .value = {raw->payload, (uint32_t)raw->len},
        .headers = audit->headers,
        .header_count = header_count,
        .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || timestamp_ms < 0 ? 0 : timestamp_ms,
    };
    return UW_OK;
}

/* The end of what is committed: behind it may lie a transaction whose markers are still to come. */
static void event_end(struct uw_audit *audit, const rd_kafka_message_t *raw)
{
    if (!is_ours(audit, raw))
        return;
    audit->committed_end = raw->offset;
    audit->ended = raw->offset >= audit->until;
}

static enum uw_code nothing_came(struct uw_audit *audit, struct uw_error *error)
{
    rd_kafka_poll(audit->client, 0);
    if (audit->committed_end < 0)
        return uw_kafka_link_fail(&audit->link, RD_KAFKA_RESP_ERR__TIMED_OUT, "reading", error);
    return uw_error_set(error, UW_ETIMEOUT, UW_CLASS_RETRY,
                        "topic %s, partition %" PRId32 ": what lies at offset %" PRId64
                        " belongs to a transaction that has not ended yet",
                        audit->topic, audit->partition, audit->committed_end);
}

/* Something that is no record; destroys it. What passes by itself is logged only. */
static enum uw_code event_take(struct uw_audit *audit, rd_kafka_message_t *take_raw, struct uw_error *error)
{
    enum uw_code code = UW_OK;

    if (take_raw->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        event_end(audit, take_raw);
    else if (uw_kafka_class(take_raw->err) != UW_CLASS_RETRY)
        code = uw_kafka_fail(take_raw->err, "reading", rd_kafka_message_errstr(take_raw), error);
    else if (audit->link.log.write != NULL)
        audit->link.log.write(audit->link.log.context, 4, rd_kafka_message_errstr(take_raw));
    rd_kafka_message_destroy(take_raw);
    return code;
}

enum uw_code uw_audit_next(struct uw_audit *audit, const struct uw_audit_message **message, struct uw_error *error)
{
    int64_t deadline_ms = uw_kafka_clock_ms() + audit->timeout_ms;
    enum uw_code code = UW_OK;

    message_drop(audit);
    if (audit->since_poll++ % POLL_EVERY == 0)
        rd_kafka_poll(audit->client, 0);
    while (!audit->ended) {
        rd_kafka_message_t *raw = rd_kafka_consumer_poll(audit->client, uw_kafka_left_ms(deadline_ms));

        if (raw == NULL)
            return nothing_came(audit, error);
        if (raw->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            code = event_take(audit, raw, error);
            if (code != UW_OK)
                return code;
            continue;
        }
        if (!is_ours(audit, raw) || raw->offset < audit->from) {
            rd_kafka_message_destroy(raw);
            continue;
        }
        if (raw->offset >= audit->until) {
            rd_kafka_message_destroy(raw);
            audit->ended = true;
            break;
        }
        audit->committed_end = -1;
        /* Behind the last offset there is nothing to wait for. */
        audit->ended = raw->offset + 1 == audit->until;
        audit->raw = raw;
        code = message_fill(audit, error);
        if (code == UW_OK)
            *message = &audit->message;
        return code;
    }
    *message = NULL;
    return UW_OK;
}
