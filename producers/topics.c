#include "producers/topics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 400 days: a budget year and the weeks in which it is declared and questioned, so that a database can be filled
 * anew from the inputs and a new subscriber sees a whole year of alerts. */
#define RETENTION_MS "34560000000"
/* A value of 1 MiB must reach the processor, which refuses it; and fit in the dead letters with key and headers. */
#define MESSAGE_BYTES_INPUT "2097152"
#define MESSAGE_BYTES_DEAD_LETTERS "3145728"
#define MESSAGE_BYTES_WANTED 1048576
#define POLL_SLICE_MS 100

struct session {
    struct uw_kafka_link link; /* first: the client's opaque */
    const struct uw_topics_options *options;
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    struct uw_topic_report reports[UW_TOPICS_COUNT];
    int64_t deadline_ms;
};

const char *uw_topic_state_name(enum uw_topic_state state)
{
    switch (state) {
    case UW_TOPIC_STATE_GOOD:
        return "good";
    case UW_TOPIC_STATE_DOUBTFUL:
        return "doubtful";
    case UW_TOPIC_STATE_BAD:
        return "bad";
    }
    return "?";
}

static bool is_input(int index)
{
    return index < UW_TOPIC_COUNT;
}

static bool is_dead_letters(int index)
{
    return index == UW_TOPIC_COUNT + UW_OUTPUT_DEAD_LETTERS;
}

/* ---- session ---- */

static enum uw_code session_open(struct session *session, const struct uw_topics_options *options,
                                 struct uw_error *error)
{
    static const struct uw_property nothing[] = {{NULL, NULL}};
    struct uw_kafka_setup setup = {nothing, options->properties, options->property_count, nothing};
    rd_kafka_conf_t *conf = NULL;
    enum uw_code code;

    memset(session, 0, sizeof(*session));
    session->options = options;
    session->link.log = options->log;
    session->deadline_ms = uw_kafka_clock_ms() + options->timeout_ms;
    for (int i = 0; i < UW_TOPIC_COUNT; i++)
        session->reports[i].name = options->topics[i];
    for (int i = 0; i < UW_OUTPUT_COUNT; i++)
        session->reports[UW_TOPIC_COUNT + i].name = options->outputs[i];
    code = uw_kafka_conf_build(&setup, &session->link, &conf, error);
    if (code != UW_OK)
        return code;
    /* A consumer, because asking as a producer may make a broker create what is asked for. */
    code = uw_kafka_client_open(RD_KAFKA_CONSUMER, conf, &session->client, error);
    if (code != UW_OK)
        return code;
    session->queue = rd_kafka_queue_new(session->client);
    return UW_OK;
}

static void session_close(struct session *session)
{
    if (session->queue != NULL)
        rd_kafka_queue_destroy(session->queue);
    if (session->client != NULL)
        rd_kafka_destroy(session->client);
}

/* The answer to an administrative request, or NULL with *error filled. */
static rd_kafka_event_t *session_wait(struct session *session, const char *what, struct uw_error *error)
{
    for (;;) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(session->queue, POLL_SLICE_MS);

        rd_kafka_poll(session->client, 0);
        if (event != NULL && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR)
            return event;
        if (event != NULL) {
            (void)uw_kafka_fail(rd_kafka_event_error(event), what, rd_kafka_event_error_string(event), error);
            rd_kafka_event_destroy(event);
            return NULL;
        }
        if (uw_kafka_left_ms(session->deadline_ms) == 0) {
            (void)uw_kafka_link_fail(&session->link, RD_KAFKA_RESP_ERR__TIMED_OUT, what, error);
            return NULL;
        }
    }
}

/* ---- what is there ---- */

static void report_metadata(struct uw_topic_report *report, const struct rd_kafka_metadata *cluster)
{
    report->exists = false;
    for (int i = 0; i < cluster->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &cluster->topics[i];

        if (strcmp(topic->topic, report->name) != 0 || topic->err != RD_KAFKA_RESP_ERR_NO_ERROR ||
            topic->partition_cnt <= 0)
            continue;
        report->exists = true;
        report->partitions = topic->partition_cnt;
        report->replication = topic->partitions[0].replica_cnt;
    }
}

static enum uw_code read_metadata(struct session *session, struct uw_error *error)
{
    const struct rd_kafka_metadata *cluster = NULL;
    enum uw_code code;

    code = uw_kafka_cluster(session->client, &session->link, uw_kafka_left_ms(session->deadline_ms), &cluster, error);
    if (code != UW_OK)
        return code;
    for (int i = 0; i < UW_TOPICS_COUNT; i++)
        report_metadata(&session->reports[i], cluster);
    rd_kafka_metadata_destroy(cluster);
    return UW_OK;
}

static void report_setting(struct uw_topic_report *report, const char *name, const char *value)
{
    if (value == NULL)
        return;
    if (strcmp(name, "max.message.bytes") == 0)
        report->max_message_bytes = strtoll(value, NULL, 10);
    else if (strcmp(name, "retention.ms") == 0)
        report->retention_ms = strtoll(value, NULL, 10);
    else if (strcmp(name, "cleanup.policy") == 0)
        (void)snprintf(report->cleanup_policy, sizeof(report->cleanup_policy), "%s", value);
}

static void report_settings(struct session *session, const rd_kafka_ConfigResource_t *resource)
{
    const char *name = rd_kafka_ConfigResource_name(resource);
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);

    for (int i = 0; i < UW_TOPICS_COUNT; i++) {
        if (strcmp(session->reports[i].name, name) != 0)
            continue;
        for (size_t j = 0; j < count; j++)
            report_setting(&session->reports[i], rd_kafka_ConfigEntry_name(entries[j]),
                           rd_kafka_ConfigEntry_value(entries[j]));
    }
}

static enum uw_code read_settings(struct session *session, struct uw_error *error)
{
    rd_kafka_ConfigResource_t *asked[UW_TOPICS_COUNT];
    const rd_kafka_ConfigResource_t **answered;
    rd_kafka_event_t *event;
    size_t asked_count = 0, answered_count = 0;

    for (int i = 0; i < UW_TOPICS_COUNT; i++) {
        session->reports[i].max_message_bytes = -1;
        session->reports[i].retention_ms = -2;
        if (session->reports[i].exists)
            asked[asked_count++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, session->reports[i].name);
    }
    if (asked_count == 0)
        return UW_OK;
    rd_kafka_DescribeConfigs(session->client, asked, asked_count, NULL, session->queue);
    event = session_wait(session, "asking for the settings of the topics", error);
    rd_kafka_ConfigResource_destroy_array(asked, asked_count);
    if (event == NULL)
        return error->code;
    answered = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &answered_count);
    /* A topic whose settings we may not see stays unknown: that is no reason to refuse it. */
    for (size_t i = 0; i < answered_count; i++) {
        if (rd_kafka_ConfigResource_error(answered[i]) == RD_KAFKA_RESP_ERR_NO_ERROR)
            report_settings(session, answered[i]);
    }
    rd_kafka_event_destroy(event);
    return UW_OK;
}

/* ---- judging ---- */

static void remark(struct uw_topic_report *report, enum uw_topic_state state, const char *format, ...)
    UW_PRINTF(3, 4);

/* The gravest remark stays, of equally grave ones the first. */
static void remark(struct uw_topic_report *report, enum uw_topic_state state, const char *format, ...)
{
    va_list arguments;

    if (state <= report->state)
        return;
    report->state = state;
    va_start(arguments, format);
    (void)vsnprintf(report->remark, sizeof(report->remark), format, arguments);
    va_end(arguments);
}

static void judge(struct uw_topic_report *reports)
{
    const struct uw_topic_report *first = &reports[0];
    const struct uw_topic_report *dead_letters = &reports[UW_TOPIC_COUNT + UW_OUTPUT_DEAD_LETTERS];

    for (int i = 0; i < UW_TOPICS_COUNT; i++) {
        struct uw_topic_report *report = &reports[i];

        report->state = UW_TOPIC_STATE_GOOD;
        report->remark[0] = '\0';
        if (!report->exists) {
            remark(report, UW_TOPIC_STATE_BAD, "does not exist; 'urenwacht topics --create' makes it");
            continue;
        }
        if (is_input(i) && first->exists && report->partitions != first->partitions)
            remark(report, UW_TOPIC_STATE_BAD,
                   "has %" PRId32 " partitions, but %s has %" PRId32 ": the four input topics need equally many",
                   report->partitions, first->name, first->partitions);
        if (strstr(report->cleanup_policy, "compact") != NULL && !is_dead_letters(i))
            remark(report, UW_TOPIC_STATE_DOUBTFUL,
                   "cleanup.policy %s keeps one message a key, but keys are clients: use delete",
                   report->cleanup_policy);
        if (is_input(i) && report->max_message_bytes >= 0 && report->max_message_bytes < MESSAGE_BYTES_WANTED)
            remark(report, UW_TOPIC_STATE_DOUBTFUL, "max.message.bytes %" PRId64 " refuses values of 1 MiB",
                   report->max_message_bytes);
        if (is_input(i) && dead_letters->exists && report->max_message_bytes > dead_letters->max_message_bytes &&
            dead_letters->max_message_bytes >= 0)
            remark(report, UW_TOPIC_STATE_DOUBTFUL,
                   "max.message.bytes %" PRId64 " is more than the dead letters take (%" PRId64
                   "): such a message would stop the processor",
                   report->max_message_bytes, dead_letters->max_message_bytes);
    }
}

enum uw_code uw_topics_require(const struct uw_topic_report *reports, struct uw_error *error)
{
    for (int i = 0; i < UW_TOPICS_COUNT; i++) {
        if (reports[i].state == UW_TOPIC_STATE_BAD)
            return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "topic %s %s", reports[i].name, reports[i].remark);
    }
    return UW_OK;
}

/* ---- creating ---- */

/* Inputs that are missing get as many partitions as those that are there. */
static int32_t partitions_for(const struct session *session, int index)
{
    if (is_input(index)) {
        for (int i = 0; i < UW_TOPIC_COUNT; i++) {
            if (session->reports[i].exists)
                return session->reports[i].partitions;
        }
    }
    return session->options->partitions;
}

static enum uw_code topic_describe(const struct session *session, int index, rd_kafka_NewTopic_t **topic,
                                   struct uw_error *error)
{
    char reason[UW_KAFKA_REASON_BYTES];
    rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(session->reports[index].name, partitions_for(session, index),
                                                      session->options->replication, reason, sizeof(reason));

    if (made == NULL)
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "topic %s: %s", session->reports[index].name, reason);
    /* The outputs are compactable by the id in a header only: compaction by key would keep one alert a client. */
    (void)rd_kafka_NewTopic_set_config(made, "cleanup.policy", "delete");
    (void)rd_kafka_NewTopic_set_config(made, "retention.ms", RETENTION_MS);
    if (is_input(index))
        (void)rd_kafka_NewTopic_set_config(made, "max.message.bytes", MESSAGE_BYTES_INPUT);
    else if (is_dead_letters(index))
        (void)rd_kafka_NewTopic_set_config(made, "max.message.bytes", MESSAGE_BYTES_DEAD_LETTERS);
    *topic = made;
    return UW_OK;
}

static enum uw_code creation_result(struct session *session, rd_kafka_event_t *event, struct uw_error *error)
{
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);

    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t err = rd_kafka_topic_result_error(results[i]);
        const char *name = rd_kafka_topic_result_name(results[i]);
        char what[300];

        for (int j = 0; j < UW_TOPICS_COUNT; j++) {
            if (err == RD_KAFKA_RESP_ERR_NO_ERROR && strcmp(session->reports[j].name, name) == 0)
                session->reports[j].created = true;
        }
        /* Somebody else was quicker: its settings are judged like those of any that existed. */
        if (err == RD_KAFKA_RESP_ERR_NO_ERROR || err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue;
        (void)snprintf(what, sizeof(what), "creating topic %s", name);
        if (uw_kafka_class(err) == UW_CLASS_RETRY)
            return uw_error_set(error, UW_EIO, UW_CLASS_FATAL, "Kafka: %s: %s", what,
                                rd_kafka_topic_result_error_string(results[i]));
        return uw_kafka_fail(err, what, rd_kafka_topic_result_error_string(results[i]), error);
    }
    return UW_OK;
}

static enum uw_code create_missing(struct session *session, struct uw_error *error)
{
    rd_kafka_NewTopic_t *topics[UW_TOPICS_COUNT];
    rd_kafka_event_t *event = NULL;
    size_t count = 0;
    enum uw_code code = UW_OK;

    for (int i = 0; code == UW_OK && i < UW_TOPICS_COUNT; i++) {
        if (!session->reports[i].exists)
            code = topic_describe(session, i, &topics[count], error);
        if (code == UW_OK && !session->reports[i].exists)
            count++;
    }
    if (code == UW_OK && count > 0) {
        rd_kafka_CreateTopics(session->client, topics, count, NULL, session->queue);
        event = session_wait(session, "creating topics", error);
        code = event == NULL ? error->code : creation_result(session, event, error);
    }
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy_array(topics, count);
    return code;
}

/* A created topic may be unknown to the brokers for a moment. */
static enum uw_code wait_for_created(struct session *session, struct uw_error *error)
{
    for (;;) {
        bool missing = false;
        enum uw_code code = read_metadata(session, error);

        if (code != UW_OK)
            return code;
        for (int i = 0; i < UW_TOPICS_COUNT; i++)
            missing = missing || (session->reports[i].created && !session->reports[i].exists);
        if (!missing || uw_kafka_left_ms(session->deadline_ms) == 0)
            return UW_OK;
        rd_kafka_poll(session->client, POLL_SLICE_MS);
    }
}

/* ---- entry ---- */

static enum uw_code run(const struct uw_topics_options *options, bool create, struct uw_topic_report *reports,
                        struct uw_error *error)
{
    struct session session;
    struct uw_error failure = {UW_OK, UW_CLASS_NONE, ""};
    enum uw_code code;

    code = session_open(&session, options, &failure);
    if (code == UW_OK)
        code = read_metadata(&session, &failure);
    if (code == UW_OK && create) {
        code = create_missing(&session, &failure);
        if (code == UW_OK)
            code = wait_for_created(&session, &failure);
    }
    if (code == UW_OK)
        code = read_settings(&session, &failure);
    session_close(&session);
    if (code != UW_OK) {
        if (error != NULL)
            *error = failure;
        return code;
    }
    judge(session.reports);
    memcpy(reports, session.reports, sizeof(session.reports));
    return UW_OK;
}

enum uw_code uw_topics_check(const struct uw_topics_options *options, struct uw_topic_report *reports,
                             struct uw_error *error)
{
    return run(options, false, reports, error);
}

enum uw_code uw_topics_create(const struct uw_topics_options *options, struct uw_topic_report *reports,
                              struct uw_error *error)
{
    return run(options, true, reports, error);
}
