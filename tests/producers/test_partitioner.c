/*
 * The partition of a key against librdkafka's own murmur2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

#include "producers/partitioner.h"

static void assert_same(const char *data, uint32_t length)
{
    static const int32_t counts[] = {1, 2, 3, 7, 12, 48, 1000, INT32_MAX};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        int32_t partition = uw_partition_of_key((struct uw_str){data, length}, counts[i]);

        assert_int_equal(partition, rd_kafka_msg_partitioner_murmur2(NULL, data, length, counts[i], NULL, NULL));
        assert_in_range(partition, 0, counts[i] - 1);
    }
}

static void equals_librdkafka(void **state)
{
    uint32_t random = 12345;
    char bytes[300];

    (void)state;
    for (uint32_t length = 0; length < sizeof bytes; length++) {
        for (uint32_t i = 0; i < length; i++) {
            random = random * 1664525u + 1013904223u;
            bytes[i] = (char)(random >> 24);
        }
        assert_same(bytes, length);
    }
    for (int i = 0; i < 5000; i++) {
        int length = snprintf(bytes, sizeof bytes, "client-%d", i);

        assert_same(bytes, (uint32_t)length);
    }
}

/* Of Apache Kafka's UtilsTest.testMurmur2; Utils.toPositive takes the sign away. */
static void equals_java(void **state)
{
    static const struct {
        const char *key;
        int32_t hash;
    } known[] = {{"21", -973932308},
                 {"foobar", -790332482},
                 {"a-little-bit-long-string", -985981536},
                 {"a-little-bit-longer-string", -1486304829},
                 {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971}};

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        int32_t positive = known[i].hash & INT32_MAX;

        assert_int_equal(uw_partition_of_key(uw_str_from(known[i].key), INT32_MAX), positive % INT32_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_librdkafka), cmocka_unit_test(equals_java)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
