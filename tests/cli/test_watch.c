/* What `urenwacht watch` says about its options before it asks Kafka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/command.h"
#include "cli/watch_lines.h"
#include "complaint.h"

static char *complaint(char *option, char *other)
{
    char *arguments[] = {"watch", "--config=/dev/null", option, other, NULL};

    return complaint_of(uw_command_watch, 4, arguments, UW_EXIT_USAGE);
}

/* So many municipalities as there is room for, which a mistake in the language shows; and one more. */
static void test_municipalities_have_a_limit(void **state)
{
    static char option[32 + 5 * (UW_WATCH_MUNICIPALITIES_MAX + 1)];

    (void)state;
    for (uint32_t count = UW_WATCH_MUNICIPALITIES_MAX - 1; count <= UW_WATCH_MUNICIPALITIES_MAX + 1; count++) {
        size_t length = (size_t)snprintf(option, sizeof option, "--municipality=0000");
        char *said;

        for (uint32_t i = 1; i < count; i++) {
            length += (size_t)snprintf(option + length, sizeof option - length, ",%04u", (unsigned)i);
        }
        assert_true(length < sizeof option);
        said = complaint(option, "--lang=fy");
        assert_string_equal(said, count <= UW_WATCH_MUNICIPALITIES_MAX
                                      ? "urenwacht: --lang: nl or en, not fy\n"
                                      : "urenwacht: --municipality: at most 512\n");
        free(said);
    }
}

static void test_mistakes(void **state)
{
    static const struct {
        char *option, *said;
    } mistakes[] = {
        {"--municipality=036", "urenwacht: --municipality: 036 is no code of 4 digits\n"},
        {"--municipality=0363,03A3", "urenwacht: --municipality: 03A3 is no code of 4 digits\n"},
        {"--kind=SURPLUS_LOW,HIGH", "urenwacht: --kind: HIGH is no kind of alert or anomaly\n"},
        {"--severity=BAD", "urenwacht: --severity: BAD is none of INFO, WARNING, CRITICAL\n"},
        {"--topics=alerts,alerts", "urenwacht: --topics: alerts, anomalies or both, separated by a comma\n"},
        {"--topics=alerts,anomalies,alerts", "urenwacht: --topics: alerts, anomalies or both, separated by a comma\n"},
        {"--limit=0", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        char *said = complaint(mistakes[i].option, "--from-beginning");

        if (mistakes[i].said != NULL) {
            assert_string_equal(said, mistakes[i].said);
        } else {
            assert_non_null(strstr(said, "--limit: "));
        }
        free(said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_municipalities_have_a_limit),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
