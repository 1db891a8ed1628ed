/*
 * What is asked of a broker before anything is read, against librdkafka's mock cluster.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "consumers/kafka_conf.h"

#define PATIENT_MS 60000

struct bench {
    rd_kafka_t *keeper; /* the mock cluster lives in some client */
    rd_kafka_mock_cluster_t *cluster;
};

static int open_cluster(void **state)
{
    static struct bench bench;
    char reason[256];

    bench.keeper = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), reason, sizeof reason);
    if (bench.keeper == NULL) {
        return -1;
    }
    bench.cluster = rd_kafka_mock_cluster_new(bench.keeper, 1);
    *state = &bench;
    return bench.cluster == NULL ? -1 : 0;
}

static int close_cluster(void **state)
{
    struct bench *bench = *state;

    rd_kafka_mock_cluster_destroy(bench->cluster);
    rd_kafka_destroy(bench->keeper);
    return 0;
}

static void topics_have_a_limit(void **state)
{
    static const char *const names[] = {"below", "at", "above"};
    const struct bench *bench = *state;
    const struct uw_property properties[] = {
        {"bootstrap.servers", rd_kafka_mock_cluster_bootstraps(bench->cluster)}};
    const struct uw_kafka_log log = {NULL, NULL};
    int32_t counts[] = {-7, -7, -7};
    struct uw_error error = {UW_OK, UW_CLASS_NONE, ""};

    for (int i = 0; i < 3; i++) {
        assert_int_equal(rd_kafka_mock_topic_create(bench->cluster, names[i], UW_KAFKA_PARTITIONS_MAX - 1 + i, 1), 0);
    }
    assert_int_equal(uw_kafka_partition_counts(properties, 1, &log, PATIENT_MS, names, 3, counts, &error), UW_ECONFIG);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_string_equal(error.text, "topic above has 10001 partitions; at most 10000");
    assert_int_equal(counts[0], UW_KAFKA_PARTITIONS_MAX - 1);
    assert_int_equal(counts[1], UW_KAFKA_PARTITIONS_MAX);
    assert_int_equal(counts[2], -7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(topics_have_a_limit, open_cluster, close_cluster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
