#include "consumers/tail.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consumers/kafka_range.h"

/* One partition of one topic, in the order in which librdkafka was told about them. */
struct place {
    uint32_t topic;
    int32_t partition;
    int64_t end; /* as it was when reading began */
    bool ended;
};

struct uw_tail {
    struct uw_kafka_link link; /* first: the client's opaque */
    rd_kafka_t *client;
    char *topics[UW_TAIL_TOPICS_MAX];
    uint32_t topic_count;
    int32_t counts[UW_TAIL_TOPICS_MAX]; /* partitions */
    uint32_t first[UW_TAIL_TOPICS_MAX]; /* index in places of partition 0 */
    struct place *places;
    uint32_t place_count, ended_count;
    int32_t timeout_ms;
    rd_kafka_message_t *raw; /* the one handed out */
    struct uw_tail_message message;
};

static const struct uw_property defaults[] = {
    /* No group is joined and nothing committed, but librdkafka wants a name for its consumers. */
    {"group.id", "urenwacht-watch"},
    {"fetch.wait.max.ms", "100"},
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

/* ---- open and close ---- */

static enum uw_code topics_find(struct uw_tail *tail, const struct uw_tail_options *options, struct uw_error *error)
{
    for (uint32_t i = 0; i < options->topic_count; i++) {
        enum uw_code code;

        tail->topics[i] = strdup(options->topics[i]);
        tail->topic_count = i + 1;
        if (tail->topics[i] == NULL)
            return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for reading from Kafka");
        code = uw_kafka_partition_count(tail->client, &tail->link, tail->topics[i], tail->timeout_ms, &tail->counts[i],
                                        error);
        if (code != UW_OK)
            return code;
        tail->first[i] = tail->place_count;
        tail->place_count += (uint32_t)tail->counts[i];
    }
    tail->places = calloc((size_t)tail->place_count + 1, sizeof(*tail->places));
    if (tail->places == NULL)
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for %" PRIu32 " partitions",
                            tail->place_count);
    return UW_OK;
}

static enum uw_code places_start(struct uw_tail *tail, const struct uw_tail_options *options,
                                 rd_kafka_topic_partition_list_t *list, struct uw_error *error)
{
    rd_kafka_resp_err_t err;

    for (uint32_t i = 0; i < tail->topic_count; i++) {
        for (int32_t partition = 0; partition < tail->counts[i]; partition++) {
            rd_kafka_topic_partition_t *element = rd_kafka_topic_partition_list_add(list, tail->topics[i], partition);

            tail->places[tail->first[i] + (uint32_t)partition] = (struct place){i, partition, 0, false};
            switch (options->start) {
            case UW_TAIL_FROM_NOW:
                element->offset = RD_KAFKA_OFFSET_END;
                break;
            case UW_TAIL_FROM_BEGINNING:
                element->offset = RD_KAFKA_OFFSET_BEGINNING;
                break;
            case UW_TAIL_FROM_TIME:
                element->offset = options->since_ms;
                break;
            }
        }
    }
    if (options->start == UW_TAIL_FROM_TIME) {
        err = rd_kafka_offsets_for_times(tail->client, list, tail->timeout_ms);
        if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return uw_kafka_link_fail(&tail->link, err, "looking for a time in the topics", error);
    }
    err = rd_kafka_assign(tail->client, list);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return uw_kafka_fail(err, "starting to read", NULL, error);
    return UW_OK;
}

/* Where the partitions end, before reading begins. */
static enum uw_code ends_ask(struct uw_tail *tail, const struct uw_tail_options *options, struct uw_error *error)
{
    rd_kafka_t *asker = NULL;
    enum uw_code code =
        uw_kafka_asker_open(options->properties, options->property_count, &tail->link, &asker, error);

    if (code != UW_OK)
        return code;
    for (uint32_t i = 0; i < tail->place_count && code == UW_OK; i++) {
        struct place *place = &tail->places[i];
        int64_t low;

        code = uw_kafka_range(asker, &tail->link, tail->topics[place->topic], place->partition, tail->timeout_ms, &low,
                              &place->end, error);
    }
    rd_kafka_destroy(asker);
    return code;
}

static enum uw_code client_open(struct uw_tail *tail, const struct uw_tail_options *options, struct uw_error *error)
{
    struct uw_kafka_setup setup = {defaults, options->properties, options->property_count, required};
    rd_kafka_conf_t *conf = NULL;
    enum uw_code code;

    code = uw_kafka_conf_build(&setup, &tail->link, &conf, error);
    if (code != UW_OK)
        return code;
    return uw_kafka_client_open(RD_KAFKA_CONSUMER, conf, &tail->client, error);
}

enum uw_code uw_tail_open(const struct uw_tail_options *options, struct uw_tail **tail, struct uw_error *error)
{
    struct uw_tail *opened = calloc(1, sizeof(*opened));
    rd_kafka_topic_partition_list_t *list;
    enum uw_code code;

    assert(options->topic_count >= 1 && options->topic_count <= UW_TAIL_TOPICS_MAX);
    if (opened == NULL)
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for reading from Kafka");
    opened->link.log = options->log;
    opened->timeout_ms = options->timeout_ms;
    code = client_open(opened, options, error);
    if (code == UW_OK)
        code = topics_find(opened, options, error);
    if (code == UW_OK) {
        (void)rd_kafka_poll_set_consumer(opened->client);
        list = rd_kafka_topic_partition_list_new((int)opened->place_count);
        code = places_start(opened, options, list, error);
        rd_kafka_topic_partition_list_destroy(list);
    }
    if (code == UW_OK)
        code = ends_ask(opened, options, error);
    if (code != UW_OK) {
        uw_tail_close(&opened);
        return code;
    }
    *tail = opened;
    return UW_OK;
}

void uw_tail_close(struct uw_tail **tail)
{
    struct uw_tail *closing = *tail;

    if (closing == NULL)
        return;
    if (closing->raw != NULL)
        rd_kafka_message_destroy(closing->raw);
    if (closing->client != NULL) {
        (void)rd_kafka_consumer_close(closing->client);
        rd_kafka_destroy(closing->client);
    }
    for (uint32_t i = 0; i < closing->topic_count; i++)
        free(closing->topics[i]);
    free(closing->places);
    free(closing);
    *tail = NULL;
}

/* ---- reading ---- */

static struct place *place_of(struct uw_tail *tail, const rd_kafka_message_t *raw)
{
    const char *topic = raw->rkt == NULL ? NULL : rd_kafka_topic_name(raw->rkt);

    for (uint32_t i = 0; topic != NULL && i < tail->topic_count; i++) {
        if (strcmp(tail->topics[i], topic) == 0 && raw->partition >= 0 && raw->partition < tail->counts[i])
            return &tail->places[tail->first[i] + (uint32_t)raw->partition];
    }
    return NULL;
}

static void place_end(struct uw_tail *tail, struct place *place, bool ended)
{
    if (place == NULL || place->ended == ended)
        return;
    place->ended = ended;
    tail->ended_count += ended ? 1u : 0u;
    tail->ended_count -= ended ? 0u : 1u;
}

/* What is committed ends at `offset` by now. */
static void place_reach(struct uw_tail *tail, struct place *place, int64_t offset)
{
    if (place != NULL)
        place_end(tail, place, offset >= place->end);
}

static void message_fill(struct uw_tail *tail, rd_kafka_message_t *take_raw, const struct place *place)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(take_raw, &type);

    tail->raw = take_raw;
    tail->message = (struct uw_tail_message){
        .topic = place->topic,
        .partition = place->partition,
        .offset = take_raw->offset,
        .key = {take_raw->key, (uint32_t)take_raw->key_len},
        .value = {take_raw->payload, (uint32_t)take_raw->len},
        .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || timestamp_ms < 0 ? 0 : timestamp_ms,
    };
}

/* Something that is no message; destroys it. What passes by itself is logged only. */
static enum uw_code event_take(struct uw_tail *tail, rd_kafka_message_t *take_raw, struct uw_error *error)
{
    enum uw_code code = UW_OK;

    if (take_raw->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        place_reach(tail, place_of(tail, take_raw), take_raw->offset);
    else if (uw_kafka_class(take_raw->err) != UW_CLASS_RETRY)
        code = uw_kafka_fail(take_raw->err, "reading", rd_kafka_message_errstr(take_raw), error);
    else if (tail->link.log.write != NULL)
        tail->link.log.write(tail->link.log.context, 4, rd_kafka_message_errstr(take_raw));
    rd_kafka_message_destroy(take_raw);
    return code;
}

enum uw_code uw_tail_next(struct uw_tail *tail, int32_t timeout_ms, const struct uw_tail_message **message,
                          struct uw_error *error)
{
    int64_t deadline_ms = uw_kafka_clock_ms() + timeout_ms;
    rd_kafka_message_t *raw;
    struct place *place;

    if (tail->raw != NULL)
        rd_kafka_message_destroy(tail->raw);
    tail->raw = NULL;
    for (;;) {
        enum uw_code code;

        raw = rd_kafka_consumer_poll(tail->client, uw_kafka_left_ms(deadline_ms));
        if (raw == NULL) {
            *message = NULL;
            return UW_OK;
        }
        place = place_of(tail, raw);
        if (raw->err == RD_KAFKA_RESP_ERR_NO_ERROR && place != NULL)
            break;
        code = event_take(tail, raw, error);
        if (code != UW_OK)
            return code;
        if (uw_tail_idle(tail)) {
            *message = NULL;
            return UW_OK;
        }
    }
    place_end(tail, place, false);
    message_fill(tail, raw, place);
    *message = &tail->message;
    return UW_OK;
}

bool uw_tail_idle(const struct uw_tail *tail)
{
    return tail->ended_count == tail->place_count;
}
