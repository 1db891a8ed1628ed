/* The partitions that `urenwacht verify` finds in the database: how many, and how they are found again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/verify.h"
#include "consumers/kafka_conf.h"

/* As many as a topic may have; one more is told, and those before are kept. */
static void test_partitions_have_a_limit(void **state)
{
    struct uw_verify verify = {.strict = false};
    struct uw_audit_partition row = {.known = true, .as_of_day = 20000};
    struct uw_error error = {.text = ""};

    (void)state;
    assert_int_equal(UW_VERIFY_PARTITIONS_MAX, UW_KAFKA_PARTITIONS_MAX);
    for (uint32_t i = 0; i < UW_VERIFY_PARTITIONS_MAX; i++) {
        row.partition = (int32_t)(2 * i);
        row.next_offset[UW_TOPIC_NO_SHOWS] = 3 * (int64_t)i;
        assert_int_equal(uw_verify_partition_add(&verify, &row, &error), UW_OK);
    }
    row.partition++;
    assert_int_equal(uw_verify_partition_add(&verify, &row, &error), UW_ELIMIT);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_string_equal(error.text, "the database has more than 10000 partitions");
    assert_int_equal(verify.partition_count, UW_VERIFY_PARTITIONS_MAX);
    for (uint32_t i = 0; i < UW_VERIFY_PARTITIONS_MAX; i++) {
        const struct uw_verify_partition *found = uw_verify_partition_of(&verify, (int32_t)(2 * i));

        assert_non_null(found);
        assert_int_equal(found->partition, 2 * i);
        assert_int_equal(found->next_offset[UW_TOPIC_NO_SHOWS], 3 * i);
        assert_null(uw_verify_partition_of(&verify, (int32_t)(2 * i) + 1));
    }
    free(verify.partitions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partitions_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
