#include "consumers/kafka_conf.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* How long one question for metadata may block before the callbacks are served and asked what they know. */
#define METADATA_SLICE_MS 500
/* A topic that was just created may be unknown to a broker for a moment. */
#define TOPIC_PATIENCE_MS 2000

int64_t uw_kafka_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int uw_kafka_left_ms(int64_t deadline_ms)
{
    int64_t left_ms = deadline_ms - uw_kafka_clock_ms();

    if (left_ms < 0)
        return 0;
    return left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

/* ---- callbacks ---- */

static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    const struct uw_kafka_link *link = rd_kafka_opaque(client);

    /* The user's properties serve consumers and producers alike, so that each is offered some of the other. */
    if (link == NULL || link->log.write == NULL || strcmp(facility, "CONFWARN") == 0)
        return;
    link->log.write(link->log.context, level, text);
}

static void on_error(rd_kafka_t *client, int err, const char *reason, void *opaque)
{
    struct uw_kafka_link *link = opaque;

    (void)client;
    if (uw_kafka_class((rd_kafka_resp_err_t)err) == UW_CLASS_FATAL && err != RD_KAFKA_RESP_ERR__FATAL)
        atomic_store(&link->refused, err);
    else if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || err == RD_KAFKA_RESP_ERR__TRANSPORT ||
             err == RD_KAFKA_RESP_ERR__RESOLVE)
        atomic_store(&link->away, err);
    if (link->log.write != NULL)
        link->log.write(link->log.context, uw_kafka_class((rd_kafka_resp_err_t)err) == UW_CLASS_FATAL ? 3 : 4, reason);
}

/* ---- configuration ---- */

const char *uw_kafka_property(const struct uw_property *properties, uint32_t property_count, const char *name)
{
    for (uint32_t i = 0; i < property_count; i++) {
        if (strcmp(properties[i].name, name) == 0)
            return properties[i].value;
    }
    return NULL;
}

/* Librdkafka quotes the value in its complaint, which must not happen to a secret. */
static bool property_is_secret(const char *name)
{
    return strstr(name, "password") != NULL || strstr(name, "secret") != NULL || strstr(name, ".pem") != NULL ||
           strncmp(name, "sasl.", 5) == 0 || strstr(name, "ssl.key") != NULL;
}

static enum uw_code property_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct uw_error *error)
{
    char reason[UW_KAFKA_REASON_BYTES];

    switch (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason))) {
    case RD_KAFKA_CONF_OK:
        return UW_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "kafka.%s: librdkafka %s does not know this property",
                            name, rd_kafka_version_str());
    case RD_KAFKA_CONF_INVALID:
        break;
    }
    return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "kafka.%s: %s", name,
                        property_is_secret(name) ? "librdkafka does not take this value" : reason);
}

static enum uw_code properties_set(const struct uw_kafka_setup *setup, rd_kafka_conf_t *conf, struct uw_error *error)
{
    const struct uw_property *property;
    enum uw_code code = UW_OK;

    for (property = setup->defaults; code == UW_OK && property->name != NULL; property++)
        code = property_set(conf, property->name, property->value, error);
    for (uint32_t i = 0; code == UW_OK && i < setup->property_count; i++)
        code = property_set(conf, setup->properties[i].name, setup->properties[i].value, error);
    for (property = setup->required; code == UW_OK && property->name != NULL; property++) {
        const char *given = uw_kafka_property(setup->properties, setup->property_count, property->name);

        if (given != NULL && strcmp(given, property->value) != 0)
            return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "kafka.%s must be %s, not %s", property->name,
                                property->value, given);
        code = property_set(conf, property->name, property->value, error);
    }
    return code;
}

enum uw_code uw_kafka_conf_build(const struct uw_kafka_setup *setup, struct uw_kafka_link *link,
                                 rd_kafka_conf_t **conf, struct uw_error *error)
{
    rd_kafka_conf_t *built = rd_kafka_conf_new();
    enum uw_code code;

    code = property_set(built, "client.id", "urenwacht", error);
    /* That of Kafka's own clients. Librdkafka's ten seconds, and up to half more by chance, are what a broker that is
     * there again would be waited for, on each of the connections that recovery needs. */
    if (code == UW_OK)
        code = property_set(built, "reconnect.backoff.max.ms", "1000", error);
    if (code == UW_OK)
        code = properties_set(setup, built, error);
    if (code != UW_OK) {
        rd_kafka_conf_destroy(built);
        return code;
    }
    rd_kafka_conf_set_opaque(built, link);
    rd_kafka_conf_set_log_cb(built, on_log);
    rd_kafka_conf_set_error_cb(built, on_error);
    *conf = built;
    return UW_OK;
}

void uw_kafka_conf_uncommitted(rd_kafka_conf_t *conf)
{
    char reason[UW_KAFKA_REASON_BYTES];
    rd_kafka_conf_res_t result =
        rd_kafka_conf_set(conf, "isolation.level", "read_uncommitted", reason, sizeof(reason));

    assert(result == RD_KAFKA_CONF_OK);
    (void)result;
}

enum uw_code uw_kafka_client_open(rd_kafka_type_t type, rd_kafka_conf_t *take_conf, rd_kafka_t **client,
                                  struct uw_error *error)
{
    char brokers[4], reason[UW_KAFKA_REASON_BYTES];
    size_t brokers_size = sizeof(brokers);
    rd_kafka_t *opened;

    if (rd_kafka_conf_get(take_conf, "bootstrap.servers", brokers, &brokers_size) != RD_KAFKA_CONF_OK ||
        brokers_size <= 1) {
        rd_kafka_conf_destroy(take_conf);
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "kafka.bootstrap.servers is not set: name the brokers as HOST:PORT,...");
    }
    opened = rd_kafka_new(type, take_conf, reason, sizeof(reason));
    if (opened == NULL) {
        rd_kafka_conf_destroy(take_conf);
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "librdkafka does not take the settings under kafka: %s",
                            reason);
    }
    *client = opened;
    return UW_OK;
}

/* ---- errors ---- */

enum uw_class uw_kafka_class(rd_kafka_resp_err_t err)
{
    /* Numbers of the protocol and of librdkafka, not an enumeration of ours: the rest is judged as the world
     * failing for a while. */
    static const rd_kafka_resp_err_t fatal[] = {
        RD_KAFKA_RESP_ERR__AUTHENTICATION,
        RD_KAFKA_RESP_ERR__SSL,
        RD_KAFKA_RESP_ERR__FATAL,
        RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
        RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
        RD_KAFKA_RESP_ERR__INVALID_ARG,
        RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE,
        RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET,
        RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
        RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
        RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE,
        RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
        RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
        RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS,
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
        RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM,
        RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE,
        RD_KAFKA_RESP_ERR_SECURITY_DISABLED,
        RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION,
        RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
        RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT,
        RD_KAFKA_RESP_ERR_INVALID_GROUP_ID,
        RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL,
        RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT,
    };
    static const rd_kafka_resp_err_t fenced[] = {
        RD_KAFKA_RESP_ERR__FENCED,
        RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
        RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
        RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID,
        RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
        RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
    };

    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
        if (fatal[i] == err)
            return UW_CLASS_FATAL;
    }
    for (size_t i = 0; i < sizeof(fenced) / sizeof(fenced[0]); i++) {
        if (fenced[i] == err)
            return UW_CLASS_FENCED;
    }
    return UW_CLASS_RETRY;
}

static enum uw_code code_of(rd_kafka_resp_err_t err, enum uw_class class)
{
    if (class == UW_CLASS_FENCED)
        return UW_EFENCED;
    if (err == RD_KAFKA_RESP_ERR__TIMED_OUT || err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT ||
        err == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT)
        return UW_ETIMEOUT;
    if (err == RD_KAFKA_RESP_ERR__FATAL)
        return UW_EIO;
    if (class == UW_CLASS_FATAL)
        return UW_ECONFIG;
    return UW_EIO;
}

enum uw_code uw_kafka_fail(rd_kafka_resp_err_t err, const char *what, const char *reason, struct uw_error *error)
{
    enum uw_class class = uw_kafka_class(err);

    return uw_error_set(error, code_of(err, class), class, "Kafka: %s: %s", what,
                        reason != NULL && reason[0] != '\0' ? reason : rd_kafka_err2str(err));
}

enum uw_code uw_kafka_link_fail(const struct uw_kafka_link *link, rd_kafka_resp_err_t err, const char *what,
                                struct uw_error *error)
{
    rd_kafka_resp_err_t refused = (rd_kafka_resp_err_t)atomic_load(&link->refused);

    if (refused != RD_KAFKA_RESP_ERR_NO_ERROR)
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "Kafka refuses this client (%s): check kafka.security.protocol, kafka.sasl.* and kafka.ssl.*",
                            rd_kafka_err2str(refused));
    if (uw_kafka_class(err) == UW_CLASS_RETRY && atomic_load(&link->away) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return uw_error_set(error, UW_EIO, UW_CLASS_RETRY, "Kafka: %s: no broker of kafka.bootstrap.servers answers",
                            what);
    return uw_kafka_fail(err, what, NULL, error);
}

/* ---- metadata ---- */

static rd_kafka_resp_err_t topic_ask(rd_kafka_t *client, rd_kafka_topic_t *handle, int timeout_ms,
                                     int32_t *partition_count)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t err;

    err = rd_kafka_metadata(client, 0, handle, &metadata, timeout_ms);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err;
    if (metadata->topic_cnt != 1)
        err = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    else if (metadata->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR)
        err = metadata->topics[0].err;
    else if (metadata->topics[0].partition_cnt <= 0)
        err = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    else
        *partition_count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return err;
}

static bool topic_is_missing(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

enum uw_code uw_kafka_partition_count(rd_kafka_t *client, const struct uw_kafka_link *link, const char *topic,
                                      int32_t timeout_ms, int32_t *partition_count, struct uw_error *error)
{
    int64_t start_ms = uw_kafka_clock_ms();
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
    char what[300];
    int32_t count = 0;
    rd_kafka_resp_err_t err;

    (void)snprintf(what, sizeof(what), "asking for topic %s", topic);
    if (handle == NULL)
        return uw_kafka_fail(rd_kafka_last_error(), what, NULL, error);
    for (;;) {
        int64_t patience_ms = start_ms + timeout_ms;
        int left_ms = uw_kafka_left_ms(patience_ms);

        err = topic_ask(client, handle, left_ms < METADATA_SLICE_MS ? left_ms : METADATA_SLICE_MS, &count);
        rd_kafka_poll(client, 0);
        if (topic_is_missing(err) && patience_ms > start_ms + TOPIC_PATIENCE_MS)
            patience_ms = start_ms + TOPIC_PATIENCE_MS;
        if (err == RD_KAFKA_RESP_ERR_NO_ERROR || atomic_load(&link->refused) != 0 ||
            (uw_kafka_class(err) == UW_CLASS_FATAL && !topic_is_missing(err)) || uw_kafka_left_ms(patience_ms) == 0)
            break;
        /* An answer that came at once would otherwise be asked for without a pause. */
        rd_kafka_poll(client, err == RD_KAFKA_RESP_ERR__TIMED_OUT ? 0 : 100);
    }
    rd_kafka_topic_destroy(handle);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (count > UW_KAFKA_PARTITIONS_MAX)
            return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "topic %s has %" PRId32 " partitions; at most %d",
                                topic, count, UW_KAFKA_PARTITIONS_MAX);
        *partition_count = count;
        return UW_OK;
    }
    if (topic_is_missing(err))
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "topic %s does not exist; 'urenwacht topics --create' makes it", topic);
    return uw_kafka_link_fail(link, err, what, error);
}

enum uw_code uw_kafka_partition_counts(const struct uw_property *properties, uint32_t property_count,
                                       const struct uw_kafka_log *log, int32_t timeout_ms, const char *const *topics,
                                       uint32_t topic_count, int32_t *counts, struct uw_error *error)
{
    static const struct uw_property nothing[] = {{NULL, NULL}};
    struct uw_kafka_link link = {.log = *log};
    struct uw_kafka_setup setup = {nothing, properties, property_count, nothing};
    rd_kafka_conf_t *conf = NULL;
    rd_kafka_t *client = NULL;
    enum uw_code code;

    code = uw_kafka_conf_build(&setup, &link, &conf, error);
    if (code == UW_OK)
        code = uw_kafka_client_open(RD_KAFKA_CONSUMER, conf, &client, error);
    if (code != UW_OK)
        return code;
    for (uint32_t i = 0; i < topic_count && code == UW_OK; i++)
        code = uw_kafka_partition_count(client, &link, topics[i], timeout_ms, &counts[i], error);
    rd_kafka_destroy(client);
    return code;
}

enum uw_code uw_kafka_cluster(rd_kafka_t *client, const struct uw_kafka_link *link, int32_t timeout_ms,
                              const struct rd_kafka_metadata **cluster, struct uw_error *error)
{
    int64_t deadline_ms = uw_kafka_clock_ms() + timeout_ms;
    const struct rd_kafka_metadata *answer = NULL;
    rd_kafka_resp_err_t err;

    for (;;) {
        int left_ms = uw_kafka_left_ms(deadline_ms);

        err = rd_kafka_metadata(client, 1, NULL, &answer, left_ms < METADATA_SLICE_MS ? left_ms : METADATA_SLICE_MS);
        rd_kafka_poll(client, 0);
        if (err == RD_KAFKA_RESP_ERR_NO_ERROR || atomic_load(&link->refused) != 0 ||
            uw_kafka_class(err) == UW_CLASS_FATAL || uw_kafka_left_ms(deadline_ms) == 0)
            break;
        rd_kafka_poll(client, err == RD_KAFKA_RESP_ERR__TIMED_OUT ? 0 : 100);
    }
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return uw_kafka_link_fail(link, err, "asking which topics there are", error);
    *cluster = answer;
    return UW_OK;
}
