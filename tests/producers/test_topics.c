/*
 * Creating and checking topics, against a real broker.
 */
#include "tests/support/kafka_live.h"

#include "producers/topics.h"

struct names {
    char text[UW_TOPICS_COUNT][96];
    struct uw_property properties[1];
    struct uw_topics_options options;
};

static void names_init(struct names *names)
{
    memset(names, 0, sizeof(*names));
    for (int i = 0; i < UW_TOPICS_COUNT; i++)
        live_name("topics", names->text[i], sizeof(names->text[i]));
    names->properties[0] = (struct uw_property){"bootstrap.servers", live_brokers()};
    names->options = (struct uw_topics_options){
        .properties = names->properties, .property_count = 1, .partitions = 6, .replication = -1,
        .timeout_ms = LIVE_PATIENCE_MS};
    for (int i = 0; i < UW_TOPIC_COUNT; i++)
        names->options.topics[i] = names->text[i];
    for (int i = 0; i < UW_OUTPUT_COUNT; i++)
        names->options.outputs[i] = names->text[UW_TOPIC_COUNT + i];
}

static void creates_what_is_missing(void **state)
{
    struct names names;
    struct uw_topic_report reports[UW_TOPICS_COUNT];
    struct uw_error error = {.text = ""};

    (void)state;
    live_require();
    names_init(&names);
    if (uw_topics_check(&names.options, reports, &error) != UW_OK)
        fail_msg("%s", error.text);
    for (int i = 0; i < UW_TOPICS_COUNT; i++)
        assert_int_equal(reports[i].state, UW_TOPIC_STATE_BAD);
    assert_int_equal(uw_topics_require(reports, &error), UW_ECONFIG);
    assert_non_null(strstr(error.text, "does not exist"));
    if (uw_topics_create(&names.options, reports, &error) != UW_OK)
        fail_msg("%s", error.text);
    for (int i = 0; i < UW_TOPICS_COUNT; i++) {
        assert_int_equal(reports[i].state, UW_TOPIC_STATE_GOOD);
        assert_true(reports[i].exists && reports[i].created);
        assert_int_equal(reports[i].partitions, 6);
        assert_string_equal(reports[i].cleanup_policy, "delete");
    }
    assert_int_equal(reports[0].max_message_bytes, 2097152);
    assert_int_equal(reports[UW_TOPIC_COUNT + UW_OUTPUT_DEAD_LETTERS].max_message_bytes, 3145728);
    assert_int_equal(uw_topics_require(reports, &error), UW_OK);
    assert_int_equal(uw_topics_create(&names.options, reports, &error), UW_OK);
    for (int i = 0; i < UW_TOPICS_COUNT; i++)
        assert_true(reports[i].exists && !reports[i].created);
}

static void sees_unequal_inputs(void **state)
{
    struct names names;
    struct uw_topic_report reports[UW_TOPICS_COUNT];
    struct uw_error error = {.text = ""};

    (void)state;
    live_require();
    names_init(&names);
    live_topic_create(names.text[UW_TOPIC_NO_SHOWS], 2);
    /* The missing inputs follow the one that is there. */
    if (uw_topics_create(&names.options, reports, &error) != UW_OK)
        fail_msg("%s", error.text);
    for (int i = 0; i < UW_TOPIC_COUNT; i++)
        assert_int_equal(reports[i].partitions, 2);
    assert_int_equal(reports[UW_TOPIC_COUNT].partitions, 6);
    assert_int_equal(uw_topics_require(reports, &error), UW_OK);
    assert_int_equal(reports[UW_TOPIC_DECISIONS].state, UW_TOPIC_STATE_GOOD);
    assert_int_not_equal(reports[UW_TOPIC_NO_SHOWS].state, UW_TOPIC_STATE_BAD);
    live_name("odd", names.text[UW_TOPIC_EVALUATIONS], sizeof(names.text[0]));
    live_topic_create(names.text[UW_TOPIC_EVALUATIONS], 3);
    if (uw_topics_check(&names.options, reports, &error) != UW_OK)
        fail_msg("%s", error.text);
    assert_int_equal(uw_topics_require(reports, &error), UW_ECONFIG);
    print_message("%s\n", error.text);
    assert_non_null(strstr(error.text, "equally many"));
}

static void says_when_nobody_answers(void **state)
{
    struct names names;
    struct uw_topic_report reports[UW_TOPICS_COUNT];
    struct uw_error error = {.text = ""};
    enum uw_code code = UW_ETIMEOUT;

    (void)state;
    names_init(&names);
    names.properties[0].value = "127.0.0.1:1";
    /* That nobody is there is told as soon as it is seen, for which a busy machine may need more time. */
    for (int32_t timeout_ms = 1500; code == UW_ETIMEOUT && timeout_ms < 60000; timeout_ms *= 3) {
        names.options.timeout_ms = timeout_ms;
        code = uw_topics_check(&names.options, reports, &error);
    }
    assert_int_equal(code, UW_EIO);
    assert_int_equal(error.class, UW_CLASS_RETRY);
    names.options.property_count = 0;
    assert_int_equal(uw_topics_check(&names.options, reports, &error), UW_ECONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates_what_is_missing),
        cmocka_unit_test(sees_unequal_inputs),
        cmocka_unit_test(says_when_nobody_answers),
    };

    return cmocka_run_group_tests_name("topics", tests, NULL, NULL);
}
