/*
 * For tests against a real broker: topics of their own, plain producers and consumers of librdkafka.
 *
 * The broker is named by URENWACHT_TEST_KAFKA (bootstrap servers); without it the tests are skipped, saying so.
 */
#ifndef UW_TESTS_SUPPORT_KAFKA_LIVE_H
#define UW_TESTS_SUPPORT_KAFKA_LIVE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/types.h"

/* For what happens within a second on a machine that does nothing else. */
#define LIVE_PATIENCE_MS 120000

/* NULL when there is none. */
static inline const char *live_brokers(void)
{
    return getenv("URENWACHT_TEST_KAFKA");
}

/* Skips the running cmocka test when there is no broker. */
static inline void live_require(void)
{
    if (live_brokers() == NULL) {
        print_message("skipped: URENWACHT_TEST_KAFKA names no broker\n");
        skip();
    }
}

/* Of a clock that nobody sets. */
static inline int64_t live_clock_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* For a loop that waits for one thing; each gets one of its own. */
static inline int64_t live_deadline_ms(void)
{
    return live_clock_ms() + LIVE_PATIENCE_MS;
}

/* Once a turn of such a loop: fails the running test when the time is over. */
static inline void live_in_time(int64_t deadline_ms, const char *what)
{
    if (live_clock_ms() >= deadline_ms)
        fail_msg("%s: not within %d ms", what, LIVE_PATIENCE_MS);
}

/* A call that failed with this is made again, as far as it may be and there is time. */
static inline void live_again(int64_t deadline_ms, const struct uw_error *error)
{
    if (error->class != UW_CLASS_RETRY)
        fail_msg("%s", error->text);
    live_in_time(deadline_ms, error->text);
}

/* "uwtest.NAME-PID-N", another one at every call. */
static inline void live_name(const char *name, char *text, size_t size)
{
    static int number;

    (void)snprintf(text, size, "uwtest.%s-%ld-%d", name, (long)getpid(), ++number);
}

static inline rd_kafka_t *client_open(rd_kafka_type_t type, const char *const *settings)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];
    rd_kafka_t *client;

    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", live_brokers(), reason, sizeof(reason)), 0);
    for (; settings != NULL && settings[0] != NULL; settings += 2) {
        if (rd_kafka_conf_set(conf, settings[0], settings[1], reason, sizeof(reason)) != RD_KAFKA_CONF_OK)
            fail_msg("%s: %s", settings[0], reason);
    }
    client = rd_kafka_new(type, conf, reason, sizeof(reason));
    if (client == NULL)
        fail_msg("%s", reason);
    return client;
}

/* Fails the running test when `failure` is one; destroys it. */
static inline void live_ok(rd_kafka_error_t *failure)
{
    char text[256];

    if (failure == NULL)
        return;
    (void)snprintf(text, sizeof(text), "%s", rd_kafka_error_string(failure));
    rd_kafka_error_destroy(failure);
    fail_msg("%s", text);
}

static inline rd_kafka_event_t *admin_wait(rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, LIVE_PATIENCE_MS);

    assert_non_null(event);
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail_msg("%s", rd_kafka_event_error_string(event));
    return event;
}

static inline void live_topic_create(const char *topic, int partitions)
{
    rd_kafka_t *client = client_open(RD_KAFKA_PRODUCER, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    char reason[256];
    rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(topic, partitions, 1, reason, sizeof(reason));
    const struct rd_kafka_metadata *metadata = NULL;
    int64_t deadline_ms = live_deadline_ms();
    int found = 0;

    assert_non_null(made);
    rd_kafka_CreateTopics(client, &made, 1, NULL, queue);
    rd_kafka_event_destroy(admin_wait(queue));
    rd_kafka_NewTopic_destroy(made);
    while (!found) {
        live_in_time(deadline_ms, topic);
        if (rd_kafka_metadata(client, 1, NULL, &metadata, LIVE_PATIENCE_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
            continue;
        for (int j = 0; j < metadata->topic_cnt; j++)
            found |= strcmp(metadata->topics[j].topic, topic) == 0 && metadata->topics[j].partition_cnt == partitions;
        rd_kafka_metadata_destroy(metadata);
        if (!found)
            rd_kafka_poll(client, 50);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
}

/* Deletes the records of a partition below an offset. */
static inline void live_records_delete(const char *topic, int32_t partition, int64_t before)
{
    rd_kafka_t *client = client_open(RD_KAFKA_PRODUCER, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_DeleteRecords_t *records;

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = before;
    records = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(client, &records, 1, NULL, queue);
    rd_kafka_event_destroy(admin_wait(queue));
    rd_kafka_DeleteRecords_destroy(records);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
}

/* A producer; transactional and initialised when transactional_id is not NULL. */
static inline rd_kafka_t *live_producer(const char *transactional_id)
{
    const char *settings[] = {"linger.ms", "1", transactional_id == NULL ? NULL : "transactional.id", transactional_id,
                              NULL};
    rd_kafka_t *producer = client_open(RD_KAFKA_PRODUCER, settings);

    if (transactional_id != NULL)
        live_ok(rd_kafka_init_transactions(producer, LIVE_PATIENCE_MS));
    return producer;
}

/* value NULL: none. */
static inline void live_produce(rd_kafka_t *producer, const char *topic, int32_t partition, const char *key, const char *value)
{
    rd_kafka_vu_t arguments[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key, strlen(key)}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value, value == NULL ? 0 : strlen(value)}},
        {.vtype = RD_KAFKA_VTYPE_HEADER, .u.header = {"kind", "test", 4}},
    };

    live_ok(rd_kafka_produceva(producer, arguments, sizeof(arguments) / sizeof(arguments[0])));
    rd_kafka_poll(producer, 0);
}

/* A consumer that joined the group for these topics (topic_count 0: it joins nothing). */
static inline rd_kafka_t *live_member(const char *group, const char *const *topics, int topic_count)
{
    const char *settings[] = {"group.id",          group,  "enable.auto.commit", "false",
                              "auto.offset.reset", "earliest", "session.timeout.ms", "45000",
                              "partition.assignment.strategy", "range", NULL};
    rd_kafka_t *consumer = client_open(RD_KAFKA_CONSUMER, settings);
    rd_kafka_topic_partition_list_t *list;

    rd_kafka_poll_set_consumer(consumer);
    if (topic_count == 0)
        return consumer;
    list = rd_kafka_topic_partition_list_new(topic_count);
    for (int i = 0; i < topic_count; i++)
        rd_kafka_topic_partition_list_add(list, topics[i], RD_KAFKA_PARTITION_UA);
    assert_int_equal(rd_kafka_subscribe(consumer, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    return consumer;
}

/* Records of a topic that a read_committed reader sees, from the beginning to the end. No transaction may be open: a commit
 * is answered before its markers stand in the partitions, so that what it hides at first is waited for. */
static inline int live_count(const char *topic, int partitions)
{
    const char *settings[] = {"group.id", "uwtest-count", "enable.partition.eof", "true", "isolation.level",
                              "read_committed", NULL};
    rd_kafka_t *consumer = client_open(RD_KAFKA_CONSUMER, settings);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    int count = 0, ended = 0;

    rd_kafka_poll_set_consumer(consumer);
    for (int i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    assert_int_equal(rd_kafka_assign(consumer, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    while (ended < partitions) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, LIVE_PATIENCE_MS);
        int64_t low = -1, high = -1;

        assert_non_null(message);
        (void)rd_kafka_get_watermark_offsets(consumer, topic, message->partition, &low, &high);
        /* Told again where the reader comes to stand when a transaction has ended. */
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            ended += message->offset >= high ? 1 : 0;
        else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            count++;
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return count;
}

#endif
