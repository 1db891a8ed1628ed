/* The names of enumerations are those of the Avro symbols, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/fold.h"
#include "core/outcome.h"

#define CHECK(kind, type, last)                                                                                        \
    do {                                                                                                               \
        for (int value = 0; value <= (int)(last); value++) {                                                           \
            const char *name = uw_##kind##_name((enum type)value);                                                     \
            enum type parsed = (enum type)((int)(last) - value);                                                       \
            assert_string_not_equal(name, "?");                                                                        \
            assert_true(uw_##kind##_parse(uw_str_from(name), &parsed));                                                \
            assert_int_equal(parsed, value);                                                                           \
        }                                                                                                              \
        enum type untouched = (enum type)(last);                                                                       \
        assert_string_equal(uw_##kind##_name((enum type)((int)(last) + 1)), "?");                                      \
        assert_false(uw_##kind##_parse(UW_STR("?"), &untouched));                                                      \
        assert_false(uw_##kind##_parse(UW_STR(""), &untouched));                                                       \
        assert_int_equal(untouched, last);                                                                             \
    } while (0)

static void test_both_ways(void **state)
{
    (void)state;
    CHECK(decision_status, uw_decision_status, UW_DECISION_WITHDRAWN);
    CHECK(law, uw_law, UW_LAW_PARTICIPATIEWET);
    CHECK(care, uw_care, UW_CARE_INTENSIVE);
    CHECK(frequency, uw_frequency, UW_FREQUENCY_TOTAL);
    CHECK(model, uw_model, UW_MODEL_TASK);
    CHECK(line_kind, uw_line_kind, UW_LINE_CREDIT);
    CHECK(no_show_status, uw_no_show_status, UW_NO_SHOW_WITHDRAWN);
    CHECK(no_show_reason, uw_no_show_reason, UW_REASON_PROVIDER_CANCELLED);
    CHECK(evaluation_outcome, uw_outcome_of_evaluation, UW_EVALUATION_END);
    CHECK(alert_kind, uw_alert_kind, UW_ALERT_CARE_STALLED);
    CHECK(anomaly_kind, uw_anomaly_kind, UW_ANOMALY_DECLARED_NO_SHOW);
    CHECK(severity, uw_severity, UW_SEVERITY_CRITICAL);
    CHECK(status, uw_status, UW_STATUS_RESOLVED);
}

static void test_some_names(void **state)
{
    (void)state;
    assert_string_equal(uw_topic_name(UW_TOPIC_NO_SHOWS), "no-shows");
    assert_string_equal(uw_model_name(UW_MODEL_FIXED_PLUS_SURPLUS), "FixedPlusSurplus");
    assert_string_equal(uw_alert_kind_name(UW_ALERT_PROJECTED_EXHAUSTION), "PROJECTED_EXHAUSTION");
    assert_string_equal(uw_anomaly_kind_name(UW_ANOMALY_IMPLAUSIBLE_DURATION), "IMPLAUSIBLE_DURATION");
    assert_string_equal(uw_grain_name(UW_GRAIN_MONTH), "MONTH");
    assert_string_equal(uw_refusal_reason_name(UW_REFUSED_RULE), "RULE");
    assert_string_equal(uw_refusal_reason_name(UW_REFUSED_WRONG_KEY), "WRONG_KEY");
    for (int verdict = 0; verdict <= (int)UW_VERDICT_OVER_MAXIMUM; verdict++) {
        assert_string_not_equal(uw_verdict_name((enum uw_verdict)verdict), "?");
    }
}

static void test_subjects(void **state)
{
    (void)state;
    char text[UW_SUBJECT_TEXT_BYTES];
    struct uw_subject subject = {UW_SUBJECT_LINE, UW_STR("41410001"), UW_STR("L/1"), 0};
    assert_int_equal(uw_subject_format(&subject, text, sizeof text), 17);
    assert_string_equal(text, "line:41410001/L/1");
    subject.kind = UW_SUBJECT_NO_SHOW;
    uw_subject_format(&subject, text, sizeof text);
    assert_string_equal(text, "no-show:41410001/L/1");
    subject = (struct uw_subject){UW_SUBJECT_VERSION, UW_STR_NULL, UW_STR_NULL, 12};
    assert_int_equal(uw_subject_format(&subject, text, sizeof text), 10);
    assert_string_equal(text, "version:12");
    assert_int_equal(uw_subject_format(&subject, text, 5), 10);
    assert_string_equal(text, "vers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_some_names),
        cmocka_unit_test(test_subjects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
