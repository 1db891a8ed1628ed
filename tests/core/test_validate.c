/* Every rule of SPEC section 2 at its edges: one below, at, one above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "tests/support/sample.h"

static bool accepted(const struct uw_event *event)
{
    struct uw_refusal refusal = {UW_REFUSED_NOT, ""};
    enum uw_code code = uw_event_validate(event, &refusal);
    if (code == UW_OK) {
        assert_int_equal(refusal.reason, UW_REFUSED_NOT);
        return true;
    }
    assert_int_equal(code, UW_EINPUT);
    assert_int_equal(refusal.reason, UW_REFUSED_RULE);
    /* One line that says something, and not who the client is. */
    assert_true(strlen(refusal.text) > 8 && strchr(refusal.text, '\n') == NULL);
    assert_null(strstr(refusal.text, "c1"));
    return false;
}

/* A field of a copy of the event, with a value that must be accepted or refused. */
#define ACCEPT(event, field, ...)                                                                                      \
    do {                                                                                                               \
        struct uw_event changed = (event);                                                                             \
        changed.field = __VA_ARGS__;                                                                                   \
        if (!accepted(&changed)) {                                                                                     \
            fail_msg("%s = %s was refused", #field, #__VA_ARGS__);                                                     \
        }                                                                                                              \
    } while (0)
#define REFUSE(event, field, ...)                                                                                      \
    do {                                                                                                               \
        struct uw_event changed = (event);                                                                             \
        changed.field = __VA_ARGS__;                                                                                   \
        if (accepted(&changed)) {                                                                                      \
            fail_msg("%s = %s was accepted", #field, #__VA_ARGS__);                                                    \
        }                                                                                                              \
    } while (0)

/* `count` times a character of so many bytes. */
static struct uw_str times(const char *character, uint32_t count)
{
    static char text[1000];
    uint32_t length = (uint32_t)strlen(character);
    assert_true(count * length < sizeof text);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(text + i * length, character, length);
    }
    return (struct uw_str){text, count * length};
}

static struct uw_event decision(void)
{
    return uw_sample_decision(1);
}

static struct uw_event line(void)
{
    return uw_sample_line(1, "L1", UW_DATE(2026, 3, 2), 60);
}

static struct uw_event no_show(void)
{
    return uw_sample_no_show(1, "N1", UW_DATE(2026, 3, 2), 60);
}

static struct uw_event evaluation(void)
{
    return uw_sample_evaluation(1, UW_DATE(2026, 3, 2));
}

static void test_what_all_have(void **state)
{
    (void)state;
    const struct uw_event events[] = {decision(), line(), no_show(), evaluation()};
    for (uint32_t i = 0; i < 4; i++) {
        struct uw_event event = events[i];
        assert_true(accepted(&event));
        ACCEPT(event, recorded_at_ms, UW_INSTANT_MIN);
        REFUSE(event, recorded_at_ms, UW_INSTANT_MIN - 1);
        ACCEPT(event, recorded_at_ms, UW_INSTANT_MAX);
        REFUSE(event, recorded_at_ms, UW_INSTANT_MAX + 1);
        REFUSE(event, recorded_at_ms, INT64_MIN);
        ACCEPT(event, municipality, UW_STR("0000"));
        REFUSE(event, municipality, UW_STR("036"));
        REFUSE(event, municipality, UW_STR("03630"));
        REFUSE(event, municipality, UW_STR("036a"));
        REFUSE(event, municipality, UW_STR("\xD9\xA0\xD9\xA3")); /* digits of another script, four bytes */
        REFUSE(event, municipality, UW_STR(""));
        ACCEPT(event, decision, UW_STR("d"));
        REFUSE(event, decision, UW_STR(""));
        ACCEPT(event, decision, times("\xF0\x9F\x98\x80", 64)); /* code points, not bytes */
        REFUSE(event, decision, times("d", 65));
        REFUSE(event, decision, UW_STR("a\0b"));
        REFUSE(event, decision, UW_STR("\xFF"));
    }
    for (uint32_t i = 0; i < 3; i++) {
        struct uw_event event = events[i];
        ACCEPT(event, provider, UW_STR("00000003"));
        REFUSE(event, provider, UW_STR("4141000"));
        REFUSE(event, provider, UW_STR("414100011"));
        REFUSE(event, provider, UW_STR("4141000x"));
        REFUSE(event, provider, UW_STR(""));
    }
}

static void test_client(void **state)
{
    (void)state;
    struct uw_event event = line();
    ACCEPT(event, client, UW_STR("c"));
    REFUSE(event, client, UW_STR(""));
    ACCEPT(event, client, times("c", 64));
    REFUSE(event, client, times("c", 65));
    ACCEPT(event, client, UW_STR("AZaz09._:-"));
    static const char *const wrong[] = {"a b", "a/b", "a@b", "a`b", "a[b", "a{b", "a;b", "a,b", "a+b", "caf\xC3\xA9"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        REFUSE(event, client, uw_str_from(wrong[i]));
    }
}

/* The eleven-test counts for 8 and 9 digits only. */
static void test_citizen_numbers(void **state)
{
    (void)state;
    struct uw_event event = line();
    static const char *const numbers[] = {"123456782", "111222333", "000000000", "10000008", "00000000"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_true(uw_is_bsn(uw_str_from(numbers[i])));
        REFUSE(event, client, uw_str_from(numbers[i]));
    }
    static const char *const others[] = {"123456789", "123456781", "12345678",   "10000009",  "1234567",
                                         "0123456782", "c123456782", "12345678x", "123456782c"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(uw_is_bsn(uw_str_from(others[i])));
        ACCEPT(event, client, uw_str_from(others[i]));
    }
    /* Of the nine-digit numbers one in eleven passes; the weights are 9, 8, ... 2, -1. */
    for (uint32_t number = 100000000; number < 100002000; number++) {
        char text[10];
        uint32_t rest = number;
        int32_t sum = 0;
        for (int32_t place = 8; place >= 0; place--, rest /= 10) {
            text[place] = (char)('0' + rest % 10);
            sum += (int32_t)(rest % 10) * (place == 8 ? -1 : 9 - place);
        }
        assert_int_equal(uw_is_bsn((struct uw_str){text, 9}), sum % 11 == 0);
    }
}

static void test_decision(void **state)
{
    (void)state;
    struct uw_event event = decision();
    ACCEPT(event, of.decision.version, 1);
    REFUSE(event, of.decision.version, 0);
    REFUSE(event, of.decision.version, -1);
    ACCEPT(event, of.decision.version, INT32_MAX);
    ACCEPT(event, of.decision.product_category, UW_STR("4\xC3\xA9"));
    REFUSE(event, of.decision.product_category, UW_STR("4"));
    REFUSE(event, of.decision.product_category, UW_STR("\xC3\xA9"));
    REFUSE(event, of.decision.product_category, UW_STR("020"));
    ACCEPT(event, of.decision.product, UW_STR(""));
    ACCEPT(event, of.decision.product, times("\xF0\x9F\x98\x80", 5));
    REFUSE(event, of.decision.product, UW_STR("02A034"));
    ACCEPT(event, of.decision.effective_from_day, UW_DAY_MIN);
    REFUSE(event, of.decision.effective_from_day, UW_DAY_MIN - 1);
    ACCEPT(event, of.decision.effective_from_day, UW_DAY_MAX);
    REFUSE(event, of.decision.effective_from_day, UW_DAY_MAX + 1);
    ACCEPT(event, of.decision.rate_cents_per_hour, 0);
    REFUSE(event, of.decision.rate_cents_per_hour, -1);
    ACCEPT(event, of.decision.rate_cents_per_hour, INT32_MAX);
    static const int32_t months[] = {1, 120, 120, 1}, low[] = {3, 0}, high[] = {121};
    event.of.decision.evaluation_list = months;
    ACCEPT(event, of.decision.evaluation_count, 4);
    event.of.decision.evaluation_count = 2;
    REFUSE(event, of.decision.evaluation_list, low);
    event.of.decision.evaluation_count = 1;
    REFUSE(event, of.decision.evaluation_list, high);
}

static void test_validity(void **state)
{
    (void)state;
    struct uw_event event = decision();
    int32_t from = event.of.decision.valid_from_day;
    ACCEPT(event, of.decision.valid_to_day, from);
    REFUSE(event, of.decision.valid_to_day, from - 1);
    ACCEPT(event, of.decision.valid_to_day, UW_DAY_MAX);
    REFUSE(event, of.decision.valid_to_day, UW_DAY_MAX + 1);
    ACCEPT(event, of.decision.valid_from_day, UW_DAY_MIN);
    REFUSE(event, of.decision.valid_from_day, UW_DAY_MIN - 1);
    ACCEPT(event, of.decision.valid_from_day, UW_DAY_MAX);
    REFUSE(event, of.decision.valid_from_day, UW_DAY_MAX + 1);
    REFUSE(event, of.decision.valid_from_day, UW_DAY_NONE);
}

static void test_policy(void **state)
{
    (void)state;
    struct uw_event event = decision();
    ACCEPT(event, of.decision.no_show.billable_percent, 0);
    ACCEPT(event, of.decision.no_show.billable_percent, 100);
    REFUSE(event, of.decision.no_show.billable_percent, -1);
    REFUSE(event, of.decision.no_show.billable_percent, 101);
    ACCEPT(event, of.decision.no_show.max_per_month, 0);
    REFUSE(event, of.decision.no_show.max_per_month, -1);
    ACCEPT(event, of.decision.no_show.notice_hours, 0);
    ACCEPT(event, of.decision.no_show.notice_hours, 168);
    REFUSE(event, of.decision.no_show.notice_hours, -1);
    REFUSE(event, of.decision.no_show.notice_hours, 169);
}

static void test_terms(void **state)
{
    (void)state;
    struct uw_event event = decision();
    for (enum uw_frequency frequency = UW_FREQUENCY_DAY; frequency <= UW_FREQUENCY_TOTAL; frequency++) {
        ACCEPT(event, of.decision.terms, uw_sample_pxq(frequency, 0));
        REFUSE(event, of.decision.terms, uw_sample_pxq(frequency, -1));
        bool is_good = frequency == UW_FREQUENCY_WEEK || frequency == UW_FREQUENCY_FOUR_WEEKS ||
                       frequency == UW_FREQUENCY_MONTH;
        struct uw_event bandwidth = event;
        bandwidth.of.decision.terms = uw_sample_bandwidth(frequency, 1, 2);
        assert_int_equal(accepted(&bandwidth), is_good);
    }
    ACCEPT(event, of.decision.terms, uw_sample_bandwidth(UW_FREQUENCY_WEEK, 0, 0));
    ACCEPT(event, of.decision.terms, uw_sample_bandwidth(UW_FREQUENCY_WEEK, 5, 5));
    REFUSE(event, of.decision.terms, uw_sample_bandwidth(UW_FREQUENCY_WEEK, 6, 5));
    REFUSE(event, of.decision.terms, uw_sample_bandwidth(UW_FREQUENCY_WEEK, -1, 5));
    REFUSE(event, of.decision.terms, uw_sample_bandwidth(UW_FREQUENCY_WEEK, 0, -1));
    ACCEPT(event, of.decision.terms, uw_sample_year(0));
    REFUSE(event, of.decision.terms, uw_sample_year(-1));
    ACCEPT(event, of.decision.terms, uw_sample_surplus(0, 0));
    REFUSE(event, of.decision.terms, uw_sample_surplus(-1, 0));
    REFUSE(event, of.decision.terms, uw_sample_surplus(0, -1));
    ACCEPT(event, of.decision.terms, uw_sample_result(UW_INT_NONE));
    ACCEPT(event, of.decision.terms, uw_sample_result(0));
    REFUSE(event, of.decision.terms, uw_sample_result(-1));
    ACCEPT(event, of.decision.terms, uw_sample_task());
    event.of.decision.terms = uw_sample_result(UW_INT_NONE);
    ACCEPT(event, of.decision.terms.result, UW_STR(""));
    REFUSE(event, of.decision.terms.result, UW_STR("a\0b"));
    ACCEPT(event, of.decision.terms.price_cents, 0);
    REFUSE(event, of.decision.terms.price_cents, -1);
}

static void test_declaration(void **state)
{
    (void)state;
    struct uw_event event = line();
    ACCEPT(event, of.declaration.line, UW_STR("l"));
    REFUSE(event, of.declaration.line, UW_STR(""));
    ACCEPT(event, of.declaration.line, times("\xC3\xA9", 36));
    REFUSE(event, of.declaration.line, times("l", 37));
    ACCEPT(event, of.declaration.corrects, UW_STR("anything"));
    ACCEPT(event, of.declaration.minutes, 1);
    ACCEPT(event, of.declaration.minutes, 1440);
    REFUSE(event, of.declaration.minutes, 0);
    REFUSE(event, of.declaration.minutes, -1);
    REFUSE(event, of.declaration.minutes, 1441);
    ACCEPT(event, of.declaration.staff, UW_STR("s"));
    REFUSE(event, of.declaration.staff, UW_STR(""));
    ACCEPT(event, of.declaration.staff, times("\xC3\x9F", 64));
    REFUSE(event, of.declaration.staff, times("s", 65));
    ACCEPT(event, of.declaration.started_at_ms, UW_INSTANT_MIN); /* not compared with performed_on */
    REFUSE(event, of.declaration.started_at_ms, UW_INSTANT_MIN - 1);
    ACCEPT(event, of.declaration.started_at_ms, UW_INSTANT_MAX);
    REFUSE(event, of.declaration.started_at_ms, UW_INSTANT_MAX + 1);
    ACCEPT(event, of.declaration.performed_on_day, UW_DAY_MIN);
    REFUSE(event, of.declaration.performed_on_day, UW_DAY_MIN - 1);
    ACCEPT(event, of.declaration.performed_on_day, UW_DAY_MAX);
    REFUSE(event, of.declaration.performed_on_day, UW_DAY_MAX + 1);
    event.of.declaration.kind = UW_LINE_CREDIT;
    REFUSE(event, of.declaration.corrects, UW_STR_NULL);
    ACCEPT(event, of.declaration.corrects, UW_STR(""));
    ACCEPT(event, of.declaration.corrects, UW_STR("L0"));
}

static void test_period_line(void **state)
{
    (void)state;
    struct uw_event event = line();
    int32_t day = event.of.declaration.performed_on_day;
    ACCEPT(event, of.declaration.performed_until_day, day);
    REFUSE(event, of.declaration.performed_until_day, day - 1);
    ACCEPT(event, of.declaration.performed_until_day, day + 365);
    REFUSE(event, of.declaration.performed_until_day, day + 366);
    REFUSE(event, of.declaration.performed_until_day, UW_DAY_MAX + 1);
    event.of.declaration.performed_until_day = day;
    ACCEPT(event, of.declaration.started_at_ms, 0);
    REFUSE(event, of.declaration.minutes, 1441);
    event.of.declaration.performed_until_day = day + 1;
    REFUSE(event, of.declaration.started_at_ms, 0);
    ACCEPT(event, of.declaration.minutes, 2880);
    REFUSE(event, of.declaration.minutes, 2881);
    event.of.declaration.performed_until_day = day + 365;
    ACCEPT(event, of.declaration.minutes, 366 * 1440);
    REFUSE(event, of.declaration.minutes, 366 * 1440 + 1);
    assert_int_equal(uw_declaration_last_day(&event.of.declaration), day + 365);
    event.of.declaration.performed_until_day = UW_DAY_NONE;
    assert_int_equal(uw_declaration_last_day(&event.of.declaration), day);
}

static void test_no_show(void **state)
{
    (void)state;
    struct uw_event event = no_show();
    ACCEPT(event, of.no_show.no_show, times("n", 36));
    REFUSE(event, of.no_show.no_show, times("n", 37));
    REFUSE(event, of.no_show.no_show, UW_STR(""));
    ACCEPT(event, of.no_show.appointment_on_day, UW_DAY_MIN);
    REFUSE(event, of.no_show.appointment_on_day, UW_DAY_MIN - 1);
    ACCEPT(event, of.no_show.appointment_on_day, UW_DAY_MAX);
    REFUSE(event, of.no_show.appointment_on_day, UW_DAY_MAX + 1);
    ACCEPT(event, of.no_show.appointment_at_ms, UW_INSTANT_MAX);
    REFUSE(event, of.no_show.appointment_at_ms, UW_INSTANT_MAX + 1);
    REFUSE(event, of.no_show.appointment_at_ms, UW_INSTANT_MIN - 1);
    ACCEPT(event, of.no_show.planned_minutes, 1);
    REFUSE(event, of.no_show.planned_minutes, 0);
    ACCEPT(event, of.no_show.planned_minutes, 1440);
    REFUSE(event, of.no_show.planned_minutes, 1441);
    ACCEPT(event, of.no_show.notice_minutes, 0);
    REFUSE(event, of.no_show.notice_minutes, -1);
    ACCEPT(event, of.no_show.notice_minutes, INT32_MAX);
    /* SPEC gives a no-show's staff no length. */
    ACCEPT(event, of.no_show.staff, UW_STR(""));
    ACCEPT(event, of.no_show.staff, times("s", 65));
    REFUSE(event, of.no_show.staff, UW_STR("a\0b"));
}

static void test_evaluation(void **state)
{
    (void)state;
    struct uw_event event = evaluation();
    ACCEPT(event, of.evaluation.held_on_day, UW_DAY_MIN);
    REFUSE(event, of.evaluation.held_on_day, UW_DAY_MIN - 1);
    ACCEPT(event, of.evaluation.held_on_day, UW_DAY_MAX);
    REFUSE(event, of.evaluation.held_on_day, UW_DAY_MAX + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_all_have),   cmocka_unit_test(test_client),
        cmocka_unit_test(test_citizen_numbers), cmocka_unit_test(test_decision),
        cmocka_unit_test(test_validity),        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_terms),           cmocka_unit_test(test_declaration),
        cmocka_unit_test(test_period_line),     cmocka_unit_test(test_no_show),
        cmocka_unit_test(test_evaluation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
