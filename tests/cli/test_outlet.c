/* What `feed` and `simulate` hand over: to nowhere and to a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/outlet.h"

static struct uw_event sample(struct uw_str decision)
{
    return (struct uw_event){
        .topic = UW_TOPIC_EVALUATIONS,
        .municipality = UW_STR("0363"),
        .client = UW_STR("c-1"),
        .decision = decision,
        .of.evaluation = {.held_on_day = 20454, .outcome = UW_EVALUATION_CONTINUE},
    };
}

/* An event with a text of so many bytes, which need no escape. */
static enum uw_code send_long(struct uw_outlet *outlet, size_t length, struct uw_error *error)
{
    char *text = malloc(length);
    struct uw_event event;
    enum uw_code code;

    assert_non_null(text);
    memset(text, 'x', length);
    event = sample((struct uw_str){text, (uint32_t)length});
    code = uw_outlet_send(outlet, &event, error);
    free(text);
    return code;
}

/* So much of an event is not its long text when it is written as Avro. */
#define REST_BYTES 256u

static void check_limit(struct uw_outlet *outlet, size_t fits)
{
    struct uw_error error = {UW_OK, UW_CLASS_NONE, ""};
    const struct uw_event other = sample(UW_STR("WMO-1"));
    struct uw_outlet_statistics statistics;

    assert_int_equal(send_long(outlet, fits, &error), UW_OK);
    assert_int_equal(send_long(outlet, UW_OUTLET_EVENT_BYTES_MAX, &error), UW_EINPUT);
    assert_int_equal(error.class, UW_CLASS_INPUT);
    assert_string_equal(error.text, "the event takes more than 16 MiB");
    /* Others can be sent. */
    assert_int_equal(uw_outlet_send(outlet, &other, &error), UW_OK);
    assert_int_equal(uw_outlet_finish(outlet, &error), UW_OK);
    uw_outlet_statistics(outlet, &statistics);
    assert_int_equal(statistics.events[UW_TOPIC_EVALUATIONS], 2);
}

static void test_events_have_a_limit(void **state)
{
    struct uw_outlet *outlet = NULL;
    struct uw_error error;
    char path[] = "/tmp/urenwacht-test-XXXXXX";
    int file = mkstemp(path);

    (void)state;
    assert_int_equal(uw_outlet_open_nowhere(&outlet, &error), UW_OK);
    check_limit(outlet, UW_OUTLET_EVENT_BYTES_MAX - REST_BYTES);
    uw_outlet_close(&outlet);
    assert_null(outlet);
    /* A line grows by doubling, and what it was before counts as well. */
    assert_true(file >= 0);
    assert_int_equal(uw_outlet_open(NULL, path, 0, &outlet, &error), UW_OK);
    check_limit(outlet, UW_OUTLET_EVENT_BYTES_MAX / 4);
    uw_outlet_close(&outlet);
    assert_int_equal(lseek(file, 0, SEEK_END) > (off_t)(UW_OUTLET_EVENT_BYTES_MAX / 4), 1);
    assert_int_equal(close(file), 0);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
