#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "consumers/intake_parts.h"

/* So often a clock is asked while messages come without a pause. */
#define CLOCK_EVERY 64u
/* While more is known to wait, a batch is filled: until so long nothing has come, which is more than going on to other
 * partitions takes, and no longer than this in all. */
#define PAUSE_MS 300
#define FILL_MS 5000
/* Of a question that only wakes librdkafka. */
#define WAKE_MS 100

/* ---- holding and dropping ---- */

static void drop_collected(struct uw_intake *intake)
{
    for (uint32_t i = 0; i < intake->count; i++)
        rd_kafka_message_destroy(intake->raw[i]);
    intake->count = 0;
    intake->bytes = 0;
    intake->handed = false;
    uw_arena_reset(&intake->headers);
}

bool uw_intake_drop(struct uw_intake *intake, bool collected)
{
    bool any = intake->carried_count > 0 || (collected && intake->count > 0);

    for (uint32_t i = 0; i < intake->carried_count; i++)
        rd_kafka_message_destroy(intake->carried[(intake->carried_from + i) % UW_INTAKE_CARRY_MAX]);
    intake->carried_count = 0;
    if (collected)
        drop_collected(intake);
    return any;
}

void uw_intake_release(struct uw_intake *intake)
{
    drop_collected(intake);
}

static void carry_last(struct uw_intake *intake, rd_kafka_message_t *raw)
{
    assert(intake->carried_count < UW_INTAKE_CARRY_MAX);
    intake->carried[(intake->carried_from + intake->carried_count++) % UW_INTAKE_CARRY_MAX] = raw;
}

static void carry_first(struct uw_intake *intake, rd_kafka_message_t *raw)
{
    assert(intake->carried_count < UW_INTAKE_CARRY_MAX);
    intake->carried_from = (intake->carried_from + UW_INTAKE_CARRY_MAX - 1) % UW_INTAKE_CARRY_MAX;
    intake->carried[intake->carried_from] = raw;
    intake->carried_count++;
}

static rd_kafka_message_t *carried_take(struct uw_intake *intake)
{
    rd_kafka_message_t *raw = intake->carried[intake->carried_from];

    intake->carried_from = (intake->carried_from + 1) % UW_INTAKE_CARRY_MAX;
    intake->carried_count--;
    return raw;
}

/* ---- what is no message ---- */

/* KIP-848; librdkafka has a name for it since 2.4. */
#define UNRELEASED_INSTANCE_ID 111

static int topic_of(struct uw_intake *intake, const rd_kafka_message_t *raw)
{
    int topic;

    if (raw->rkt == NULL)
        return -1;
    for (topic = 0; topic < UW_TOPIC_COUNT; topic++) {
        if (intake->known[topic] == raw->rkt)
            return topic;
    }
    topic = uw_intake_topic_index(intake, rd_kafka_topic_name(raw->rkt));
    if (topic >= 0)
        intake->known[topic] = raw->rkt;
    return topic;
}

static struct uw_intake_slot *slot_of(struct uw_intake *intake, int32_t partition)
{
    if (partition < 0 || partition >= intake->slot_count || !intake->slots[partition].assigned)
        return NULL;
    return &intake->slots[partition];
}

/* The offset at which reading should go on is not there. Going on anywhere else would skip events. */
static void stop_out_of_range(struct uw_intake *intake, int topic, int32_t partition, int64_t offset)
{
    int64_t low = -1, high = -1;
    struct uw_error error;

    if (rd_kafka_query_watermark_offsets(intake->client, intake->topics[topic], partition, &low, &high,
                                         intake->timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR)
        (void)uw_error_set(&error, UW_ECONFIG, UW_CLASS_FATAL,
                           "topic %s, partition %" PRId32 ": reading should go on at offset %" PRId64
                           ", which the broker does not have",
                           intake->topics[topic], partition, offset);
    else
        (void)uw_error_set(&error, UW_ECONFIG, UW_CLASS_FATAL,
                           "topic %s, partition %" PRId32 ": reading should go on at offset %" PRId64
                           ", but the broker has %" PRId64 " to %" PRId64 ": %s",
                           intake->topics[topic], partition, offset, low, high,
                           offset < low ? "retention deleted what was not read yet"
                                        : "the topic was truncated or made anew");
    uw_intake_stop(intake, &error);
}

static void stop_on(struct uw_intake *intake, const rd_kafka_message_t *raw, int topic)
{
    char reason[UW_KAFKA_REASON_BYTES];
    struct uw_error error;

    if (raw->err == RD_KAFKA_RESP_ERR__FATAL) {
        rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(intake->client, reason, sizeof(reason));

        if (fatal == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
            (void)uw_error_set(&error, UW_EFENCED, UW_CLASS_FATAL,
                               "another process of the group has the same instance name: give each its own");
        else if ((int)fatal == UNRELEASED_INSTANCE_ID)
            (void)uw_error_set(&error, UW_EFENCED, UW_CLASS_RETRY,
                               "the group still has a member with this instance name, of a former run whose session "
                               "is not over or of another process");
        else
            (void)uw_error_set(&error, UW_EIO, UW_CLASS_FATAL, "Kafka: reading stopped for good: %s", reason);
    } else if (topic >= 0 && (raw->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                              raw->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
                              raw->err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)) {
        (void)uw_error_set(&error, UW_ECONFIG, UW_CLASS_FATAL, "topic %s or a partition of it was deleted",
                           intake->topics[topic]);
    } else {
        (void)uw_kafka_fail(raw->err, "reading", rd_kafka_message_errstr(raw), &error);
        if (error.class == UW_CLASS_FENCED)
            return; /* the group's protocol mends it by a rebalance */
    }
    uw_intake_stop(intake, &error);
}

static void on_event(struct uw_intake *intake, const rd_kafka_message_t *raw)
{
    int topic = topic_of(intake, raw);
    struct uw_intake_slot *slot = slot_of(intake, raw->partition);

    if (raw->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (topic >= 0 && slot != NULL)
            uw_intake_ended(intake, topic, raw->partition, raw->offset);
    } else if (raw->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && topic >= 0) {
        if (slot != NULL)
            stop_out_of_range(intake, topic, raw->partition, slot->fetched[topic]);
    } else if (uw_kafka_class(raw->err) != UW_CLASS_RETRY) {
        stop_on(intake, raw, topic);
    } else if (intake->link.log.write != NULL) {
        /* Librdkafka goes on by itself when the broker is back. */
        intake->link.log.write(intake->link.log.context, 4, rd_kafka_message_errstr(raw));
    }
}

/* ---- collecting ---- */

static bool headers_parse(struct uw_intake *intake, const rd_kafka_message_t *raw, struct uw_message *message)
{
    rd_kafka_headers_t *parsed;
    struct uw_header *headers;
    size_t count;

    if (rd_kafka_message_headers(raw, &parsed) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return true; /* there are none */
    count = rd_kafka_header_cnt(parsed);
    if (count > intake->headers.limit_bytes / sizeof(*headers))
        return true;
    headers = uw_arena_take(&intake->headers, count * sizeof(*headers));
    if (headers == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *name;
        const void *value;
        size_t size;

        if (rd_kafka_header_get_all(parsed, i, &name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            count = i;
            break;
        }
        headers[i].name = uw_str_from(name);
        headers[i].value = (struct uw_str){value, (uint32_t)size};
    }
    message->headers = headers;
    message->header_count = (uint32_t)count;
    return true;
}

/* ADDED_LAST: of what was known to wait in its topic and partition. */
enum added { ADDED, ADDED_LAST, ADDED_NOT, NO_ROOM, NO_MEMORY };

static enum added message_add(struct uw_intake *intake, rd_kafka_message_t *raw, size_t max_bytes)
{
    int topic = topic_of(intake, raw);
    struct uw_intake_slot *slot = slot_of(intake, raw->partition);
    struct uw_message *message = &intake->messages[intake->count];
    size_t bytes = raw->key_len + raw->len;
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms;
    bool waited;

    /* What was under way when the assignment changed. */
    if (topic < 0 || slot == NULL || raw->offset < slot->fetched[topic])
        return ADDED_NOT;
    if (intake->count > 0 && bytes > max_bytes - (intake->bytes < max_bytes ? intake->bytes : max_bytes))
        return NO_ROOM;
    timestamp_ms = rd_kafka_message_timestamp(raw, &type);
    *message = (struct uw_message){
        .topic = (enum uw_topic)topic,
        .partition = raw->partition,
        .offset = raw->offset,
        .key = {raw->key, (uint32_t)raw->key_len},
        .value = {raw->payload, (uint32_t)raw->len},
        .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || timestamp_ms < 0 ? 0 : timestamp_ms,
    };
    if (!headers_parse(intake, raw, message))
        return intake->count > 0 ? NO_ROOM : NO_MEMORY;
    waited = uw_intake_waits(slot, topic);
    slot->fetched[topic] = raw->offset + 1;
    /* One that waited while its end was found, in a heartbeat, does not undo it: the end is not told twice. */
    slot->ended[topic] = slot->ended[topic] && raw->offset < slot->end[topic];
    intake->raw[intake->count++] = raw;
    intake->bytes += bytes;
    return waited && !uw_intake_waits(slot, topic) ? ADDED_LAST : ADDED;
}

/* What is read at a time, which changes by what was read. */
struct chosen {
    bool behind, heading;
    int32_t focus;
};

static struct chosen chosen_now(const struct uw_intake *intake)
{
    return (struct chosen){intake->behind, intake->heading, intake->focus};
}

/* What comes of one partition's events is written before the next one's are collected, and its decisions before what
 * was asked for only when they had come: so the answer comes while they are written. */
static bool is_over(const struct uw_intake *intake, struct chosen before)
{
    bool same = intake->behind && intake->focus == before.focus && intake->heading == before.heading;

    return intake->stop.code != UW_OK || (before.behind && !same && intake->count > 0);
}

static bool is_full(const struct uw_intake *intake, uint32_t max_messages, size_t max_bytes)
{
    return intake->count >= max_messages || intake->bytes >= max_bytes;
}

/* True when collecting is over. */
static bool collect_one(struct uw_intake *intake, rd_kafka_message_t *raw, uint32_t max_messages, size_t max_bytes)
{
    struct chosen before = chosen_now(intake);
    struct uw_error error;

    if (raw->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        on_event(intake, raw);
        rd_kafka_message_destroy(raw);
        return is_over(intake, before);
    }
    switch (message_add(intake, raw, max_bytes)) {
    case ADDED_LAST:
        /* The next messages are asked for while these are applied; to be told of the end takes longer. */
        uw_intake_go_on(intake);
        return is_over(intake, before) || is_full(intake, max_messages, max_bytes);
    case ADDED:
        return is_full(intake, max_messages, max_bytes);
    case ADDED_NOT:
        rd_kafka_message_destroy(raw);
        return false;
    case NO_ROOM:
        carry_first(intake, raw);
        return true;
    case NO_MEMORY:
        break;
    }
    carry_first(intake, raw);
    (void)uw_error_set(&error, UW_ENOMEM, UW_CLASS_FATAL,
                       "no memory for the headers of a message of topic %s, partition %" PRId32 ", offset %" PRId64,
                       rd_kafka_topic_name(raw->rkt), raw->partition, raw->offset);
    uw_intake_stop(intake, &error);
    return true;
}

/* A pause from now, but not beyond the limit; a deadline is only ever moved on. */
static int64_t later(int64_t deadline_ms, int64_t limit_ms)
{
    int64_t paused_ms = uw_kafka_clock_ms() + PAUSE_MS;

    paused_ms = paused_ms < limit_ms ? paused_ms : limit_ms;
    return paused_ms > deadline_ms ? paused_ms : deadline_ms;
}

static void collect(struct uw_intake *intake, int32_t timeout_ms, uint32_t max_messages, size_t max_bytes,
                    int32_t linger_ms)
{
    int64_t deadline_ms = uw_kafka_clock_ms() + timeout_ms, fill_ms = deadline_ms + FILL_MS;
    bool lingering = false, moving = false;
    uint32_t since_clock = 0;
    int wait_ms = 0;

    for (;;) {
        rd_kafka_message_t *raw;

        raw = intake->carried_count > 0 ? carried_take(intake) : rd_kafka_consumer_poll(intake->client, wait_ms);
        if (raw != NULL && collect_one(intake, raw, max_messages, max_bytes))
            return;
        if (intake->stop.code != UW_OK)
            return;
        if (intake->count > 0 && !lingering) {
            deadline_ms = uw_kafka_clock_ms() + linger_ms;
            lingering = true;
        } else if (intake->count == 0 && lingering) {
            /* A rebalance threw away what was collected. */
            return;
        }
        /* Without waiting as long as something is there; the clock is asked when it is not, or now and then. */
        moving = moving || raw != NULL;
        if (raw != NULL && ++since_clock % CLOCK_EVERY != 0) {
            wait_ms = 0;
            continue;
        }
        if (moving && lingering && (intake->heading || intake->behind))
            deadline_ms = later(deadline_ms, fill_ms);
        moving = false;
        wait_ms = uw_kafka_left_ms(deadline_ms);
        if (wait_ms == 0)
            return;
        if (raw != NULL)
            wait_ms = 0;
    }
}

/*
 * What holds as much in advance as it may stops asking, for all topics, and before version 2.2 librdkafka looks again
 * only after a second, or when anything else is to be said to the broker. A question to the leaders of what is waited for
 * is such a thing; its answer does not matter.
 */
static void fetch_on(struct uw_intake *intake)
{
    const struct uw_intake_slot *slot;
    rd_kafka_topic_partition_list_t *list;

    if (!intake->wakes || !intake->behind || intake->focus < 0)
        return;
    slot = &intake->slots[intake->focus];
    if (uw_intake_waiting(slot) <= (int64_t)rd_kafka_queue_length(intake->queue))
        return;
    list = rd_kafka_topic_partition_list_new(UW_TOPIC_COUNT);
    for (int t = 0; t < UW_TOPIC_COUNT; t++) {
        if (uw_intake_waits(slot, t))
            rd_kafka_topic_partition_list_add(list, intake->topics[t], intake->focus)->offset = RD_KAFKA_OFFSET_END;
    }
    (void)rd_kafka_offsets_for_times(intake->client, list, WAKE_MS);
    rd_kafka_topic_partition_list_destroy(list);
}

static enum uw_code stopped(const struct uw_intake *intake, struct uw_error *error)
{
    if (intake->stop.code != UW_OK && error != NULL)
        *error = intake->stop;
    return intake->stop.code;
}

enum uw_code uw_intake_poll(struct uw_intake *intake, int32_t timeout_ms, uint32_t max_messages, size_t max_bytes,
                            int32_t linger_ms, const struct uw_message **messages, uint32_t *count,
                            struct uw_error *error)
{
    assert(!intake->handed);
    if (intake->stop.code == UW_OK && intake->seek)
        uw_intake_assign_again(intake);
    if (intake->stop.code == UW_OK)
        collect(intake, timeout_ms, max_messages < intake->capacity ? max_messages : intake->capacity, max_bytes,
                linger_ms);
    if (intake->stop.code != UW_OK) {
        (void)uw_intake_drop(intake, true);
        return stopped(intake, error);
    }
    for (uint32_t i = 0; i < intake->count; i++) {
        const struct uw_message *message = &intake->messages[i];

        intake->slots[message->partition].position[message->topic] = message->offset + 1;
        intake->slots[message->partition].timestamp_ms[message->topic] = message->timestamp_ms;
    }
    intake->handed = intake->count > 0;
    if (intake->handed)
        fetch_on(intake);
    *messages = intake->messages;
    *count = intake->count;
    return UW_OK;
}

enum uw_code uw_intake_heartbeat(struct uw_intake *intake, struct uw_error *error)
{
    uint64_t rebalances = intake->rebalances;
    rd_kafka_message_t *raw;

    if (intake->stop.code != UW_OK)
        return stopped(intake, error);
    if (intake->carried_count == UW_INTAKE_CARRY_MAX || intake->seek)
        uw_intake_assign_again(intake);
    raw = rd_kafka_consumer_poll(intake->client, 0);
    if (raw != NULL && raw->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        carry_last(intake, raw);
    } else if (raw != NULL) {
        on_event(intake, raw);
        rd_kafka_message_destroy(raw);
    }
    if (intake->stop.code != UW_OK)
        return stopped(intake, error);
    if (rebalances != intake->rebalances)
        return uw_error_set(error, UW_EFENCED, UW_CLASS_ABORT, "the partitions of this instance changed");
    return UW_OK;
}
