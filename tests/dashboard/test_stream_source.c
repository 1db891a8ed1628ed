/* What the live stream reads, on librdkafka's mock cluster: how many partitions there may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "dashboard/stream_source.h"

#define TIMEOUT_MS 60000

/* Of both topics together; one more is told. */
static void partitions_have_a_limit(void **state)
{
    char reason[256];
    rd_kafka_t *keeper = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), reason, sizeof reason);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(keeper, 1);
    const struct uw_property brokers = {"bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster)};
    struct uw_stream_options options = {.properties = &brokers, .property_count = 1, .alerts = "alerts",
                                        .timeout_ms = TIMEOUT_MS};
    struct uw_error error = {.text = ""};
    struct uw_source *source = NULL;
    uint32_t alert_count = 0, anomaly_count = 0;

    (void)state;
    assert_int_equal(rd_kafka_mock_topic_create(cluster, "alerts", 312, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_mock_topic_create(cluster, "as-many", 200, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_mock_topic_create(cluster, "one-more", 201, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    options.anomalies = "as-many";
    assert_int_equal(uw_source_open(&options, &source, &error), UW_OK);
    uw_source_counts(source, &alert_count, &anomaly_count);
    assert_int_equal(alert_count, 312);
    assert_int_equal(anomaly_count, 200);
    uw_source_close(&source);
    assert_null(source);
    options.anomalies = "one-more";
    assert_int_equal(uw_source_open(&options, &source, &error), UW_ECONFIG);
    assert_string_equal(error.text, "the topics of alerts and anomalies have more than 512 partitions");
    assert_null(source);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
