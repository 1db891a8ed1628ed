/*
 * SPEC section 2, Winners: facts are ordered by (recorded_at, event_id) and at last by the bytes of the value in
 * our newest schema. The core compares fields; here its order is held against the bytes that the codec writes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/client.h"
#include "schemas/codec.h"
#include "tests/support/random.h"
#include "tests/support/sample.h"

/* Numbers around the lengths of a varint, of both signs where a sign is allowed. */
static int32_t some_number(struct uw_random *random, int32_t max)
{
    int32_t number = UW_RANDOM_PICK(random, 0, 1, 2, 63, 64, 65, 127, 128, 8191, 8192, 8193, 1048575, 1048576, 134217728,
                                    INT32_MAX);
    return number > max ? max : number;
}

static int32_t some_day(struct uw_random *random)
{
    return UW_RANDOM_PICK(random, UW_DAY_MIN, -8193, -8192, -65, -64, -63, -1, 0, 1, 63, 64, 8191, 8192, 20000, UW_DAY_MAX);
}

static int64_t some_instant(struct uw_random *random)
{
    return some_day(random) * UW_MS_PER_DAY + uw_random_between(random, 0, 2);
}

static struct uw_str some_text(struct uw_random *random, uint32_t max)
{
    static char texts[16][200];
    static uint32_t turn;
    char *text = texts[turn++ % 16];
    uint32_t length = uw_random_below(random, max + 1);
    for (uint32_t i = 0; i < length; i++) {
        text[i] = "abZ09"[uw_random_below(random, 5)];
    }
    return (struct uw_str){text, length};
}

static struct uw_str maybe_text(struct uw_random *random, uint32_t max)
{
    return uw_random_chance(random, 40) ? UW_STR_NULL : some_text(random, max);
}

static struct uw_terms some_terms(struct uw_random *random)
{
    enum uw_frequency frequency =
        (enum uw_frequency)UW_RANDOM_PICK(random, UW_FREQUENCY_WEEK, UW_FREQUENCY_FOUR_WEEKS, UW_FREQUENCY_MONTH);
    int32_t first = some_number(random, INT32_MAX), second = some_number(random, INT32_MAX);
    switch (uw_random_below(random, 6)) {
    case 0:
        return uw_sample_pxq((enum uw_frequency)uw_random_below(random, 6), first);
    case 1:
        return uw_sample_bandwidth(frequency, first < second ? first : second, first < second ? second : first);
    case 2:
        return uw_sample_year(first);
    case 3:
        return uw_sample_surplus(first, second);
    case 4: {
        struct uw_terms terms = uw_sample_result(uw_random_chance(random, 30) ? UW_INT_NONE : first);
        terms.price_cents = second;
        terms.result = some_text(random, 70);
        return terms;
    }
    default:
        return uw_sample_task();
    }
}

/* Changes some of the fields that are no part of the business key. */
static void vary_decision(struct uw_random *random, struct uw_event *event, int32_t months[2])
{
    struct uw_decision *decision = &event->of.decision;
    uint32_t field = uw_random_below(random, 14);
    switch (field) {
    case 0:
        decision->status = (enum uw_decision_status)uw_random_below(random, 2);
        break;
    case 1:
        decision->law = (enum uw_law)uw_random_below(random, 3);
        break;
    case 2:
        decision->product = some_text(random, 5);
        break;
    case 3:
        decision->care = (enum uw_care)uw_random_below(random, 2);
        break;
    case 4:
        event->provider = uw_random_chance(random, 50) ? UW_STR("41410001") : UW_STR("41410002");
        break;
    case 5:
        decision->valid_from_day = some_day(random);
        break;
    case 6:
        decision->valid_to_day = uw_random_chance(random, 30) ? UW_DAY_NONE : some_day(random);
        break;
    case 7:
        decision->effective_from_day = some_day(random);
        break;
    case 8:
        decision->no_show = (struct uw_no_show_policy){
            some_number(random, 100), uw_random_chance(random, 40) ? UW_INT_NONE : some_number(random, INT32_MAX),
            some_number(random, 168), uw_random_chance(random, 50)};
        break;
    case 9:
        months[0] = 1 + some_number(random, 119);
        months[1] = 1 + some_number(random, 119);
        decision->evaluation_list = months;
        decision->evaluation_count = uw_random_below(random, 3);
        break;
    case 10:
        decision->rate_cents_per_hour = uw_random_chance(random, 30) ? UW_INT_NONE : some_number(random, INT32_MAX);
        break;
    default:
        decision->terms = some_terms(random);
        break;
    }
}

static void vary_line(struct uw_random *random, struct uw_event *event)
{
    struct uw_declaration *line = &event->of.declaration;
    switch (uw_random_below(random, 8)) {
    case 0:
        event->decision = some_text(random, 64);
        break;
    case 1:
        event->municipality = uw_random_chance(random, 50) ? UW_STR("0363") : UW_STR("0599");
        break;
    case 2:
        line->kind = (enum uw_line_kind)uw_random_below(random, 2);
        break;
    case 3:
        line->corrects = maybe_text(random, 70);
        break;
    case 4:
        line->performed_on_day = some_day(random);
        break;
    case 5:
        line->performed_until_day = uw_random_chance(random, 30) ? UW_DAY_NONE : some_day(random);
        break;
    case 6:
        line->started_at_ms = uw_random_chance(random, 30) ? UW_INSTANT_NONE : some_instant(random);
        break;
    default:
        line->minutes = some_number(random, INT32_MAX);
        line->staff = maybe_text(random, 64);
        break;
    }
}

static void vary_no_show(struct uw_random *random, struct uw_event *event)
{
    struct uw_no_show *no_show = &event->of.no_show;
    switch (uw_random_below(random, 7)) {
    case 0:
        event->decision = some_text(random, 64);
        break;
    case 1:
        no_show->status = (enum uw_no_show_status)uw_random_below(random, 2);
        break;
    case 2:
        no_show->appointment_on_day = some_day(random);
        break;
    case 3:
        no_show->appointment_at_ms = uw_random_chance(random, 30) ? UW_INSTANT_NONE : some_instant(random);
        break;
    case 4:
        no_show->reason = (enum uw_no_show_reason)uw_random_below(random, 3);
        break;
    case 5:
        no_show->notice_minutes = uw_random_chance(random, 30) ? UW_INT_NONE : some_number(random, INT32_MAX);
        break;
    default:
        no_show->planned_minutes = some_number(random, INT32_MAX);
        no_show->staff = maybe_text(random, 64);
        break;
    }
}

static void vary(struct uw_random *random, struct uw_event *event, int32_t months[2])
{
    switch (event->topic) {
    case UW_TOPIC_DECISIONS:
        vary_decision(random, event, months);
        break;
    case UW_TOPIC_DECLARATIONS:
        vary_line(random, event);
        break;
    case UW_TOPIC_NO_SHOWS:
        vary_no_show(random, event);
        break;
    case UW_TOPIC_EVALUATIONS:
        break;
    }
}

/* -1, 0 or 1 for two events of one key and stamp: which the client puts first, whichever comes first. */
static int order_in_client(const struct uw_event *a, const struct uw_event *b, bool b_first)
{
    struct uw_client client;
    bool redelivery;
    int order = 0;
    uw_client_init(&client);
    assert_int_equal(uw_client_add(&client, b_first ? b : a, &redelivery), UW_OK);
    assert_int_equal(uw_client_add(&client, b_first ? a : b, &redelivery), UW_OK);
    if (client.version_count == 2) {
        order = uw_version_compare(&client, &client.versions[0], &client.versions[1]);
    } else if (client.line_count == 2) {
        order = uw_line_compare(&client, &client.lines[0], &client.lines[1]);
    } else if (client.absence_count == 2) {
        order = uw_absence_compare(&client, &client.absences[0], &client.absences[1]);
    } else {
        assert_true(redelivery);
        uw_client_close(&client);
        return 0;
    }
    assert_true(order < 0); /* sorted */
    assert_int_equal(uw_client_add(&client, a, &redelivery), UW_OK);
    assert_true(redelivery);
    /* Which one is a? An earlier copy of it comes to the front; when it was there already, nothing moves. */
    struct uw_event earlier = *a;
    earlier.recorded_at_ms--;
    bool a_first = false;
    switch (a->topic) {
    case UW_TOPIC_DECISIONS: {
        struct uw_version first = client.versions[0];
        assert_int_equal(uw_client_add(&client, &earlier, &redelivery), UW_OK);
        first.stamp = client.versions[0].stamp;
        a_first = uw_version_compare(&client, &first, &client.versions[0]) == 0;
        break;
    }
    case UW_TOPIC_DECLARATIONS: {
        struct uw_line first = client.lines[0];
        assert_int_equal(uw_client_add(&client, &earlier, &redelivery), UW_OK);
        first.stamp = client.lines[0].stamp;
        a_first = uw_line_compare(&client, &first, &client.lines[0]) == 0;
        break;
    }
    case UW_TOPIC_NO_SHOWS:
    case UW_TOPIC_EVALUATIONS: {
        struct uw_absence first = client.absences[0];
        assert_int_equal(uw_client_add(&client, &earlier, &redelivery), UW_OK);
        first.stamp = client.absences[0].stamp;
        a_first = uw_absence_compare(&client, &first, &client.absences[0]) == 0;
        break;
    }
    }
    assert_false(redelivery);
    assert_int_equal(client.version_count + client.line_count + client.absence_count, 2);
    uw_client_close(&client);
    return a_first ? -1 : 1;
}

static void check_pair(const struct uw_codec *codec, const struct uw_event *a, const struct uw_event *b)
{
    struct uw_arena arena;
    struct uw_str bytes[2];
    uw_arena_init(&arena, 1u << 20);
    assert_int_equal(uw_codec_encode(codec, a, &arena, &bytes[0]), UW_OK);
    assert_int_equal(uw_codec_encode(codec, b, &arena, &bytes[1]), UW_OK);
    int expected = uw_str_compare(bytes[0], bytes[1]);
    expected = (expected > 0) - (expected < 0);
    assert_int_equal(order_in_client(a, b, false), expected);
    assert_int_equal(order_in_client(a, b, true), expected);
    uw_arena_close(&arena);
}

static void test_the_order_is_that_of_the_bytes(void **state)
{
    (void)state;
    struct uw_codec *codec = NULL;
    struct uw_error error;
    struct uw_random random = uw_random_from(3);
    uint32_t rounds = uw_test_rounds(3000);
    assert_int_equal(uw_codec_open(NULL, &codec, &error), UW_OK);
    for (uint32_t round = 0; round < rounds; round++) {
        int32_t months[2][2] = {{0}};
        struct uw_event a = round % 3 == 0   ? uw_sample_decision(1)
                            : round % 3 == 1 ? uw_sample_line(1, "L1", UW_DATE(2026, 1, 1), 60)
                                             : uw_sample_no_show(1, "N1", UW_DATE(2026, 1, 1), 60);
        struct uw_event b = a;
        for (uint32_t changes = uw_random_below(&random, 4); changes > 0; changes--) {
            vary(&random, &a, months[0]);
            if (uw_random_chance(&random, 50)) {
                b = a;
                memcpy(months[1], months[0], sizeof months[0]);
                if (a.topic == UW_TOPIC_DECISIONS && a.of.decision.evaluation_list == months[0]) {
                    b.of.decision.evaluation_list = months[1];
                }
            }
            vary(&random, &b, months[1]);
        }
        check_pair(codec, &a, &b);
    }
    uw_codec_close(&codec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_order_is_that_of_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
