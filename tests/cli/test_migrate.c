/* What `urenwacht migrate` says about its options before it asks a database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/command.h"
#include "complaint.h"
#include "producers/store_partitions.h"

static char *complaint(char *first, char *second)
{
    char *arguments[] = {"migrate", "--config=/nowhere/urenwacht.yaml", first, second, NULL};

    return complaint_of(uw_command_migrate, second != NULL ? 4 : 3, arguments, UW_EXIT_USAGE);
}

/* What may be accepted gets as far as the configuration, which is not there. */
static void test_partitions_have_a_limit(void **state)
{
    (void)state;
    for (int32_t count = UW_PARTITIONS_MAX - 1; count <= UW_PARTITIONS_MAX + 1; count++) {
        char option[64], *said;

        (void)snprintf(option, sizeof option, "--accept-partitions=%d", (int)count);
        said = complaint(option, NULL);
        assert_non_null(strstr(said, count <= UW_PARTITIONS_MAX ? "/nowhere/urenwacht.yaml: " : "--accept-partitions: "));
        free(said);
    }
}

static void test_mistakes(void **state)
{
    char *said = complaint("--check", "--accept-partitions=24");

    (void)state;
    assert_string_equal(said, "urenwacht: migrate: --check, --print and --accept-partitions exclude each other\n");
    free(said);
    said = complaint("now", NULL);
    assert_string_equal(said, "urenwacht: migrate: unexpected operand now\n");
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partitions_have_a_limit),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
