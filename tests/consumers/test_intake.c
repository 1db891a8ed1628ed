/*
 * What the intake says without a broker: settings that cannot be taken, and nobody at the address.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <string.h>

#include "consumers/intake.h"

static enum uw_code assigned(void *context, const int32_t *partitions, uint32_t count, struct uw_intake_start *starts,
                             struct uw_error *error)
{
    (void)context;
    (void)partitions;
    (void)count;
    (void)starts;
    (void)error;
    return UW_OK;
}

static void revoked(void *context, const int32_t *partitions, uint32_t count, bool lost)
{
    (void)context;
    (void)partitions;
    (void)count;
    (void)lost;
}

static void write_line(void *context, int level, const char *text)
{
    atomic_int *lines = context;

    (void)level;
    assert_non_null(text);
    atomic_fetch_add(lines, 1);
}

static enum uw_code open_within(int32_t timeout_ms, const struct uw_property *properties, uint32_t property_count,
                                struct uw_error *error)
{
    atomic_int lines = 0;
    struct uw_intake_options options = {
        .properties = properties,
        .property_count = property_count,
        .group_id = "test",
        .topics = {"a", "b", "c", "d"},
        .batch_messages_max = 10,
        .timeout_ms = timeout_ms,
        .listener = {NULL, assigned, revoked},
        .log = {&lines, write_line},
    };
    struct uw_intake *intake = NULL;
    enum uw_code code = uw_intake_open(&options, &intake, error);

    assert_null(intake);
    return code;
}

/* That nobody is there is told as soon as it is seen, for which a busy machine may need more time. */
static enum uw_code try_open(const struct uw_property *properties, uint32_t property_count, struct uw_error *error)
{
    enum uw_code code = UW_ETIMEOUT;

    for (int32_t timeout_ms = 1500; code == UW_ETIMEOUT && timeout_ms < 60000; timeout_ms *= 3)
        code = open_within(timeout_ms, properties, property_count, error);
    return code;
}

static void waits_for_a_broker(void **state)
{
    const struct uw_property properties[] = {{"bootstrap.servers", "127.0.0.1:1"}};
    struct uw_error error;

    (void)state;
    assert_int_equal(try_open(properties, 1, &error), UW_EIO);
    assert_int_equal(error.class, UW_CLASS_RETRY);
    assert_non_null(strstr(error.text, "no broker of kafka.bootstrap.servers answers"));
}

static void names_the_property(void **state)
{
    const struct uw_property unknown[] = {{"bootstrap.servers", "127.0.0.1:1"}, {"no.such.thing", "1"}};
    const struct uw_property bad[] = {{"bootstrap.servers", "127.0.0.1:1"}, {"session.timeout.ms", "soon"}};
    const struct uw_property ours[] = {{"bootstrap.servers", "127.0.0.1:1"}, {"isolation.level", "read_uncommitted"}};
    const struct uw_property sticky[] = {{"bootstrap.servers", "127.0.0.1:1"},
                                         {"partition.assignment.strategy", "cooperative-sticky"}};
    const struct uw_property same[] = {{"bootstrap.servers", "127.0.0.1:1"}, {"enable.auto.commit", "false"}};
    struct uw_error error;

    (void)state;
    assert_int_equal(try_open(NULL, 0, &error), UW_ECONFIG);
    assert_non_null(strstr(error.text, "kafka.bootstrap.servers is not set"));
    assert_int_equal(try_open(unknown, 2, &error), UW_ECONFIG);
    assert_non_null(strstr(error.text, "kafka.no.such.thing"));
    assert_int_equal(try_open(bad, 2, &error), UW_ECONFIG);
    assert_non_null(strstr(error.text, "kafka.session.timeout.ms"));
    assert_int_equal(try_open(ours, 2, &error), UW_ECONFIG);
    assert_string_equal(error.text, "kafka.isolation.level must be read_committed, not read_uncommitted");
    assert_int_equal(try_open(sticky, 2, &error), UW_ECONFIG);
    assert_non_null(strstr(error.text, "must be range"));
    assert_int_equal(try_open(same, 2, &error), UW_EIO);
}

/* Librdkafka quotes the value that it does not take; ours must not, when it may be a secret. */
static void keeps_secrets(void **state)
{
    const struct uw_property properties[] = {{"bootstrap.servers", "127.0.0.1:1"},
                                             {"ssl.key.pem", "hunter2"},
                                             {"security.protocol", "ssl"}};
    const struct uw_property mechanism[] = {{"bootstrap.servers", "127.0.0.1:1"}, {"sasl.oauthbearer.method", "hunter2"}};
    struct uw_error error;

    (void)state;
    assert_int_equal(try_open(properties, 3, &error), UW_ECONFIG);
    assert_null(strstr(error.text, "hunter2"));
    assert_int_equal(try_open(mechanism, 2, &error), UW_ECONFIG);
    assert_null(strstr(error.text, "hunter2"));
}

static void check_conf(const struct uw_property *properties, uint32_t property_count, const char *name,
                       const char *expected)
{
    static const struct uw_property nothing[] = {{NULL, NULL}};
    struct uw_kafka_setup setup = {nothing, properties, property_count, nothing};
    struct uw_kafka_link link = {.log = {NULL, NULL}};
    struct uw_error error;
    rd_kafka_conf_t *conf = NULL;
    char value[64];
    size_t size = sizeof(value);

    assert_int_equal(uw_kafka_conf_build(&setup, &link, &conf, &error), UW_OK);
    assert_int_equal(rd_kafka_conf_get(conf, name, value, &size), RD_KAFKA_CONF_OK);
    assert_string_equal(value, expected);
    rd_kafka_conf_destroy(conf);
}

/* What every client has, unless the user says otherwise: librdkafka's own pause is ten seconds and up to half more. */
static void comes_back_soon(void **state)
{
    const struct uw_property patient[] = {{"reconnect.backoff.max.ms", "9000"}, {"client.id", "mine"}};

    (void)state;
    check_conf(NULL, 0, "reconnect.backoff.max.ms", "1000");
    check_conf(NULL, 0, "client.id", "urenwacht");
    check_conf(patient, 2, "reconnect.backoff.max.ms", "9000");
    check_conf(patient, 2, "client.id", "mine");
}

static void tells_classes_apart(void **state)
{
    struct uw_error error;

    (void)state;
    assert_int_equal(uw_kafka_class(RD_KAFKA_RESP_ERR__TRANSPORT), UW_CLASS_RETRY);
    assert_int_equal(uw_kafka_class(RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS), UW_CLASS_RETRY);
    assert_int_equal(uw_kafka_class(RD_KAFKA_RESP_ERR__FENCED), UW_CLASS_FENCED);
    assert_int_equal(uw_kafka_class(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION), UW_CLASS_FENCED);
    assert_int_equal(uw_kafka_class(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), UW_CLASS_FATAL);
    assert_int_equal(uw_kafka_fail(RD_KAFKA_RESP_ERR__TIMED_OUT, "asking", NULL, &error), UW_ETIMEOUT);
    assert_string_equal(error.text, "Kafka: asking: Local: Timed out");
    assert_int_equal(uw_kafka_fail(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, "asking", NULL, &error), UW_ECONFIG);
    assert_int_equal(uw_kafka_fail(RD_KAFKA_RESP_ERR__FENCED, "asking", NULL, &error), UW_EFENCED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_for_a_broker),
        cmocka_unit_test(names_the_property),
        cmocka_unit_test(keeps_secrets),
        cmocka_unit_test(comes_back_soon),
        cmocka_unit_test(tells_classes_apart),
    };

    return cmocka_run_group_tests_name("intake, no broker", tests, NULL, NULL);
}
