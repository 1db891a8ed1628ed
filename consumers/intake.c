#include "consumers/intake.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumers/intake_parts.h"
#include "schemas/position.h"

/* ---- configuration ---- */

/* The user may change these. */
static const struct uw_property defaults[] = {
    /* An instance that was killed comes back as a new member and waits until the old one is taken for dead. The
     * heartbeats are librdkafka's own thread's, so that a long batch does not delay them, and are
     * also how a member hears of a newcomer. */
    {"session.timeout.ms", "6000"},
    {"heartbeat.interval.ms", "500"},
    /* Comes on top of what is held in advance, in full, however much waits already. */
    {"fetch.max.bytes", "2097152"},
    /* Other partitions are asked for when the broker has answered what was asked before; every answer, be it that
     * nothing came, costs an idle broker. */
    {"fetch.wait.max.ms", "50"},
    {"fetch.message.max.bytes", "524288"},
    {NULL, NULL},
};
/* The first so many are about sessions, which are the broker's to set with KIP-848. */
#define SESSION_DEFAULTS 2

/* What the meaning of the program rests on; with group.id and group.instance.id these are not for the user. */
static const struct uw_property required_classic[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"},
    {"isolation.level", "read_committed"},
    {"auto.offset.reset", "error"},
    {"allow.auto.create.topics", "false"},
    {"partition.assignment.strategy", "range"},
    {NULL, NULL},
};

/* KIP-848: the broker assigns, and the client must not name a strategy of its own. */
static const struct uw_property required_by_broker[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"},
    {"isolation.level", "read_committed"},
    {"auto.offset.reset", "error"},
    {"allow.auto.create.topics", "false"},
    {"group.remote.assignor", "range"},
    {NULL, NULL},
};

static enum uw_code conf_name(rd_kafka_conf_t *conf, const char *name, const char *value, struct uw_error *error)
{
    char reason[UW_KAFKA_REASON_BYTES];

    if (value == NULL || rd_kafka_conf_set(conf, name, value, reason, sizeof(reason)) == RD_KAFKA_CONF_OK)
        return UW_OK;
    return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "%s: %s", name, reason);
}

/* Librdkafka's own default is the classic protocol. */
static bool assigned_by_broker(const struct uw_intake_options *options)
{
    const char *protocol = uw_kafka_property(options->properties, options->property_count, "group.protocol");

    return protocol != NULL && strcmp(protocol, "consumer") == 0;
}

#define NUMBER_BYTES 12

/* What this intake may hold in advance, how soon librdkafka looks again once so much waits, and the defaults above.
 * Before it had a setting for that it was a second, however fast messages were taken. */
#define QUEUE_BACKOFF_SINCE 0x020200ff
#define OWN_DEFAULTS 3

struct defaults {
    char messages[NUMBER_BYTES], kbytes[NUMBER_BYTES];
    struct uw_property all[sizeof(defaults) / sizeof(defaults[0]) + OWN_DEFAULTS];
};

static void defaults_make(struct defaults *made, const struct uw_intake *intake,
                          const struct uw_intake_options *options)
{
    uint32_t parts = options->intake_count == 0 ? 1 : options->intake_count;
    size_t count = 0;

    snprintf(made->messages, sizeof(made->messages), "%u", UW_INTAKE_AHEAD_MESSAGES / parts);
    snprintf(made->kbytes, sizeof(made->kbytes), "%u", UW_INTAKE_AHEAD_KBYTES / parts);
    made->all[count++] = (struct uw_property){"queued.min.messages", made->messages};
    made->all[count++] = (struct uw_property){"queued.max.messages.kbytes", made->kbytes};
    if (!intake->wakes)
        made->all[count++] = (struct uw_property){"fetch.queue.backoff.ms", "20"};
    memcpy(made->all + count, intake->by_parts ? defaults + SESSION_DEFAULTS : defaults,
           sizeof(defaults) - (intake->by_parts ? SESSION_DEFAULTS * sizeof(defaults[0]) : 0));
}

static enum uw_code client_open(struct uw_intake *intake, const struct uw_intake_options *options,
                                struct uw_error *error)
{
    struct defaults made;
    struct uw_kafka_setup setup = {
        .defaults = made.all,
        .properties = options->properties,
        .property_count = options->property_count,
        .required = intake->by_parts ? required_by_broker : required_classic,
    };
    rd_kafka_conf_t *conf = NULL;
    enum uw_code code;

    defaults_make(&made, intake, options);
    code = uw_kafka_conf_build(&setup, &intake->link, &conf, error);
    if (code != UW_OK)
        return code;
    rd_kafka_conf_set_rebalance_cb(conf, uw_intake_on_rebalance);
    code = conf_name(conf, "group.id", options->group_id, error);
    if (code == UW_OK)
        code = conf_name(conf, "group.instance.id", options->group_instance_id, error);
    if (code != UW_OK) {
        rd_kafka_conf_destroy(conf);
        return code;
    }
    code = uw_kafka_client_open(RD_KAFKA_CONSUMER, conf, &intake->client, error);
    if (code == UW_OK)
        intake->queue = rd_kafka_queue_get_consumer(intake->client);
    return code;
}

/* ---- open and close ---- */

/* How long a member that leaves waits for its partitions to be taken from it, and in what steps. */
#define LEAVE_MS 2000
#define LEAVE_POLL_MS 10

/* Equal counts are what makes partition p of all topics hold the same clients. */
static enum uw_code partitions_check(struct uw_intake *intake, struct uw_error *error)
{
    int32_t counts[UW_TOPIC_COUNT];

    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        enum uw_code code = uw_kafka_partition_count(intake->client, &intake->link, intake->topics[i],
                                                     intake->timeout_ms, &counts[i], error);

        if (code != UW_OK)
            return code;
        if (counts[i] != counts[0])
            return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                                "topic %s has %" PRId32 " partitions, but %s has %" PRId32
                                ": the four input topics need equally many",
                                intake->topics[0], counts[0], intake->topics[i], counts[i]);
    }
    intake->partition_count = counts[0];
    return UW_OK;
}

static enum uw_code group_join(struct uw_intake *intake, struct uw_error *error)
{
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t err;

    err = rd_kafka_poll_set_consumer(intake->client);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return uw_kafka_fail(err, "starting to read", NULL, error);
    list = rd_kafka_topic_partition_list_new(UW_TOPIC_COUNT);
    for (int i = 0; i < UW_TOPIC_COUNT; i++)
        rd_kafka_topic_partition_list_add(list, intake->topics[i], RD_KAFKA_PARTITION_UA);
    err = rd_kafka_subscribe(intake->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return uw_kafka_fail(err, "joining the consumer group", NULL, error);
    intake->subscribed = true;
    return UW_OK;
}

static bool intake_allocate(struct uw_intake *intake, const struct uw_intake_options *options)
{
    intake->capacity = options->batch_messages_max;
    intake->raw = malloc(intake->capacity * sizeof(*intake->raw));
    intake->messages = malloc(intake->capacity * sizeof(*intake->messages));
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        intake->topics[i] = strdup(options->topics[i]);
        if (intake->topics[i] == NULL)
            return false;
    }
    return intake->raw != NULL && intake->messages != NULL;
}

enum uw_code uw_intake_open(const struct uw_intake_options *options, struct uw_intake **intake, struct uw_error *error)
{
    struct uw_intake *opened = calloc(1, sizeof(*opened));
    enum uw_code code;

    assert(options->batch_messages_max >= 1 && options->batch_messages_max <= UW_INTAKE_BATCH_MAX);
    if (opened == NULL)
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for reading from Kafka");
    uw_arena_init(&opened->headers, UW_INTAKE_HEADER_BYTES_MAX);
    opened->link.log = options->log;
    opened->listener = options->listener;
    opened->timeout_ms = options->timeout_ms;
    opened->focus = -1;
    opened->is_static = options->group_instance_id != NULL;
    opened->by_parts = assigned_by_broker(options);
    opened->wakes = rd_kafka_version() < QUEUE_BACKOFF_SINCE;
    if (!intake_allocate(opened, options))
        code = uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for batches of %" PRIu32 " messages",
                            options->batch_messages_max);
    else
        code = client_open(opened, options, error);
    if (code == UW_OK)
        code = partitions_check(opened, error);
    if (code == UW_OK)
        code = group_join(opened, error);
    if (code != UW_OK) {
        uw_intake_close(&opened);
        return code;
    }
    *intake = opened;
    return UW_OK;
}

/*
 * An assignment that comes while rd_kafka_consumer_close is under way can leave rd_kafka_assign waiting for an answer for
 * ever (librdkafka issue 4884). So what is there is taken before, and a dynamic member ends its subscription
 * and waits until its partitions are taken from it; a static one must keep its place, which that would give up.
 */
static void leave(struct uw_intake *intake)
{
    int64_t deadline_ms = uw_kafka_clock_ms() + LEAVE_MS;

    intake->leaving = true;
    if (!intake->is_static)
        (void)rd_kafka_unsubscribe(intake->client);
    do {
        rd_kafka_message_t *raw = rd_kafka_consumer_poll(intake->client, intake->is_static ? 0 : LEAVE_POLL_MS);

        if (raw != NULL)
            rd_kafka_message_destroy(raw);
    } while (!intake->is_static && intake->assigned_count > 0 && uw_kafka_left_ms(deadline_ms) > 0);
}

void uw_intake_close(struct uw_intake **intake)
{
    struct uw_intake *closing = *intake;

    if (closing == NULL)
        return;
    (void)uw_intake_drop(closing, true);
    if (closing->client != NULL) {
        if (closing->subscribed)
            leave(closing);
        (void)rd_kafka_consumer_close(closing->client);
        /* The callbacks of closing may have been given nothing but the end. */
        (void)uw_intake_drop(closing, true);
        rd_kafka_queue_destroy(closing->queue);
        rd_kafka_destroy(closing->client);
    }
    for (int i = 0; i < UW_TOPIC_COUNT; i++)
        free(closing->topics[i]);
    uw_arena_close(&closing->headers);
    free(closing->raw);
    free(closing->messages);
    free(closing->slots);
    free(closing->assigned);
    free(closing);
    *intake = NULL;
}

/* ---- questions ---- */

void uw_intake_rewind(struct uw_intake *intake, int32_t partition, const int64_t next_offset[UW_TOPIC_COUNT])
{
    if (partition < 0 || partition >= intake->slot_count || !intake->slots[partition].assigned)
        return;
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        intake->slots[partition].position[i] = next_offset[i];
        intake->slots[partition].end[i] = 0;
    }
    intake->seek = true;
}

bool uw_intake_idle(const struct uw_intake *intake)
{
    if (!intake->joined || intake->seek || intake->handed || intake->count > 0 || intake->carried_count > 0)
        return false;
    for (uint32_t i = 0; i < intake->assigned_count; i++) {
        for (int t = 0; t < UW_TOPIC_COUNT; t++) {
            if (!intake->slots[intake->assigned[i]].ended[t])
                return false;
        }
    }
    return true;
}

int32_t uw_intake_far_behind(const struct uw_intake *intake)
{
    if (!intake->behind || !intake->far)
        return -1;
    /* The end itself may be long in coming when more is written all the time. */
    return uw_intake_waiting(&intake->slots[intake->focus]) > 0 ? intake->focus : -1;
}

bool uw_intake_catches_up(const struct uw_intake *intake)
{
    for (uint32_t i = 0; intake->behind && i < intake->assigned_count; i++) {
        if (uw_intake_waiting(&intake->slots[intake->assigned[i]]) > 0)
            return true;
    }
    return false;
}

bool uw_intake_end(const struct uw_intake *intake, int32_t partition, int64_t position[UW_TOPIC_COUNT],
                   int64_t end[UW_TOPIC_COUNT])
{
    const struct uw_intake_slot *slot;

    if (intake->seek || intake->count > 0 || intake->carried_count > 0 || partition < 0 ||
        partition >= intake->slot_count || !intake->slots[partition].assigned)
        return false;
    slot = &intake->slots[partition];
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        position[i] = slot->position[i];
        end[i] = slot->ended[i] && slot->end[i] > slot->position[i] ? slot->end[i] : slot->position[i];
    }
    return true;
}

/* What waits in one partition of a topic. */
static int64_t slot_lag(const struct uw_intake *intake, const struct uw_intake_slot *slot, int32_t partition, int topic)
{
    int64_t low = 0, high = 0, from;

    /* Of what is not read yet, nothing is known but what was there when it was given to us. */
    if (rd_kafka_get_watermark_offsets(intake->client, intake->topics[topic], partition, &low, &high) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        low = high = 0;
    high = slot->high[topic] > high ? slot->high[topic] : high;
    from = slot->position[topic] > low ? slot->position[topic] : low;
    /* At the end as it was found, all before it was handed over, unless it was set back since. */
    from = slot->ended[topic] && slot->end[topic] > from ? slot->end[topic] : from;
    return high > from ? high - from : 0;
}

/* Partitions are read one after the other: one of which nothing was handed over yet is where the others are. */
static int64_t last_timestamp_ms(const struct uw_intake *intake)
{
    int64_t last_ms = 0;

    for (uint32_t i = 0; i < intake->assigned_count; i++) {
        const struct uw_intake_slot *slot = &intake->slots[intake->assigned[i]];

        for (int t = 0; t < UW_TOPIC_COUNT; t++)
            last_ms = slot->timestamp_ms[t] > last_ms ? slot->timestamp_ms[t] : last_ms;
    }
    return last_ms;
}

void uw_intake_topic_lag(const struct uw_intake *intake, enum uw_topic topic, int64_t now_ms, struct uw_intake_lag *lag)
{
    struct uw_intake_lag sum = {0, 0};
    int64_t last_ms = last_timestamp_ms(intake);

    for (uint32_t i = 0; i < intake->assigned_count; i++) {
        const struct uw_intake_slot *slot = &intake->slots[intake->assigned[i]];
        int64_t messages = slot_lag(intake, slot, intake->assigned[i], (int)topic);
        int64_t handed_ms = slot->timestamp_ms[topic] == 0 ? last_ms : slot->timestamp_ms[topic];
        int64_t age_ms = handed_ms == 0 ? 0 : now_ms - handed_ms;

        sum.messages += messages;
        if (messages > 0 && age_ms > sum.age_ms)
            sum.age_ms = age_ms;
    }
    *lag = sum;
}

int64_t uw_intake_lag(const struct uw_intake *intake)
{
    int64_t messages = 0;

    for (int t = 0; t < UW_TOPIC_COUNT; t++) {
        struct uw_intake_lag lag;

        uw_intake_topic_lag(intake, (enum uw_topic)t, 0, &lag);
        messages += lag.messages;
    }
    return messages;
}

uint32_t uw_intake_assignment(const struct uw_intake *intake, const int32_t **partitions)
{
    *partitions = intake->assigned;
    return intake->assigned_count;
}

bool uw_intake_joined(const struct uw_intake *intake)
{
    return intake->joined;
}

bool uw_intake_lost(const struct uw_intake *intake)
{
    return rd_kafka_assignment_lost(intake->client) != 0;
}

int32_t uw_intake_partition_count(const struct uw_intake *intake)
{
    return intake->partition_count;
}

enum uw_code uw_intake_group_metadata(struct uw_intake *intake, void *buffer, size_t *size, struct uw_error *error)
{
    rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata(intake->client);
    void *written = NULL;
    size_t written_size = 0;
    rd_kafka_error_t *failure;
    enum uw_code code = UW_OK;

    if (metadata == NULL)
        return uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL, "Kafka: this client is in no consumer group");
    failure = rd_kafka_consumer_group_metadata_write(metadata, &written, &written_size);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    if (failure != NULL) {
        code = uw_kafka_fail(rd_kafka_error_code(failure), "writing the group's metadata",
                             rd_kafka_error_string(failure), error);
        rd_kafka_error_destroy(failure);
        return code;
    }
    if (written_size > *size) {
        code = uw_error_set(error, UW_ELIMIT, UW_CLASS_FATAL, "Kafka: the group's metadata takes %zu bytes, not %zu",
                            written_size, *size);
    } else {
        memcpy(buffer, written, written_size);
        *size = written_size;
    }
    rd_kafka_mem_free(intake->client, written);
    return code;
}

/* What the group committed for the partition of the four topics; the caller destroys the list. */
static enum uw_code committed_ask(struct uw_intake *intake, int32_t partition, int32_t timeout_ms,
                                  rd_kafka_topic_partition_list_t **list, struct uw_error *error)
{
    rd_kafka_topic_partition_list_t *asked = rd_kafka_topic_partition_list_new(UW_TOPIC_COUNT);
    rd_kafka_resp_err_t err;

    for (int i = 0; i < UW_TOPIC_COUNT; i++)
        rd_kafka_topic_partition_list_add(asked, intake->topics[i], partition);
    /* With isolation.level=read_committed this asks for stable offsets: librdkafka tries again, up to the timeout,
     * as long as a transaction on them is pending. */
    err = rd_kafka_committed(intake->client, asked, timeout_ms);
    for (int i = 0; err == RD_KAFKA_RESP_ERR_NO_ERROR && i < asked->cnt; i++)
        err = asked->elems[i].err;
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        *list = asked;
        return UW_OK;
    }
    rd_kafka_topic_partition_list_destroy(asked);
    enum uw_code code = uw_kafka_link_fail(&intake->link, err, "asking what is published", error);
    if (err == RD_KAFKA_RESP_ERR__TIMED_OUT && error->class == UW_CLASS_RETRY) {
        size_t used = strlen(error->text);

        snprintf(error->text + used, sizeof(error->text) - used, ", or a transaction on the group's positions is open");
    }
    return code;
}

/* The sequence that one committed offset carries; 0 when nothing was committed. */
static enum uw_code committed_sequence(const rd_kafka_topic_partition_t *committed, int64_t *sequence,
                                       struct uw_error *error)
{
    if (committed->offset < 0) {
        *sequence = 0;
        return UW_OK;
    }
    if (committed->metadata == NULL ||
        !uw_position_parse((struct uw_str){committed->metadata, (uint32_t)committed->metadata_size}, sequence))
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "the group's committed offset of topic %s, partition %" PRId32
                            ", was not committed by urenwacht: delete the group's offsets, or name another group",
                            committed->topic, committed->partition);
    return UW_OK;
}

enum uw_code uw_intake_published(struct uw_intake *intake, int32_t partition, int64_t *sequence,
                                 struct uw_error *error)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    int64_t last = 0;
    enum uw_code code = committed_ask(intake, partition, intake->timeout_ms, &list, error);

    if (code != UW_OK)
        return code;
    for (int i = 0; code == UW_OK && i < list->cnt; i++) {
        int64_t one = 0;

        code = committed_sequence(&list->elems[i], &one, error);
        if (one > last)
            last = one;
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (code == UW_OK)
        *sequence = last;
    return code;
}

enum uw_code uw_intake_committed(struct uw_intake *intake, int32_t partition, int32_t timeout_ms,
                                 int64_t next_offset[UW_TOPIC_COUNT], struct uw_error *error)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    enum uw_code code = committed_ask(intake, partition, timeout_ms, &list, error);

    if (code != UW_OK)
        return code;
    for (int i = 0; i < list->cnt; i++)
        next_offset[i] = list->elems[i].offset < 0 ? 0 : list->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return UW_OK;
}
