/* The configuration: sources and their precedence, every error with its place, ranges, the documented example. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <librdkafka/rdkafka.h>

#include "cli/config.h"
#include "cli/config_keys.h"
#include "consumers/kafka_conf.h"

static char path[] = "/tmp/urenwacht-test-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void load(const char *text, struct uw_config *config)
{
    struct uw_error error = {0};
    write_file(text);
    enum uw_code code = uw_config_load(path, NULL, 0, config, &error);
    assert_string_equal(error.text, "");
    assert_int_equal(code, UW_OK);
}

/* The file is refused with this text after the file's name; "%s" stands for the name. */
static void refuse(const char *text, const char *expected)
{
    struct uw_config config;
    struct uw_error error = {0};
    write_file(text);
    assert_int_equal(uw_config_load(path, NULL, 0, &config, &error), UW_ECONFIG);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_memory_equal(error.text, path, strlen(path));
    assert_string_equal(error.text + strlen(path), expected);
    assert_null(strchr(error.text, '\n'));
    assert_null(config.memory.block);
}

static void refuse_override(const char *override, const char *expected)
{
    struct uw_config config;
    struct uw_error error = {0};
    write_file("");
    assert_int_equal(uw_config_load(path, &override, 1, &config, &error), UW_ECONFIG);
    assert_string_equal(error.text, expected);
}

static void test_defaults(void **state)
{
    (void)state;
    struct uw_config config;
    load("# nothing\n", &config);
    assert_string_equal(config.dsn, "");
    assert_string_equal(config.topics[UW_TOPIC_NO_SHOWS], "urenwacht.no-shows");
    assert_string_equal(config.outputs[UW_OUTPUT_DEAD_LETTERS], "urenwacht.dead-letters");
    assert_int_equal(config.topic_partitions, 12);
    assert_int_equal(config.topic_replication, -1);
    assert_string_equal(config.group_id, "urenwacht");
    assert_false(config.static_membership);
    assert_int_equal(config.batch_max_events, 30000);
    assert_int_equal(config.batch_max_bytes, 64 << 20);
    assert_int_equal(config.cache_max_bytes, 128 << 20);
    assert_int_equal(config.kafka_count, 0);
    assert_null(uw_config_kafka(&config, "bootstrap.servers"));
    assert_int_equal(config.settings.rule_count, 0);
    assert_int_equal(config.settings.defaults.stalled_days, 28);
    assert_int_equal(config.settings.defaults.surplus_thresholds_percent.count, 2);
    uw_config_close(&config);
}

static void test_every_kind_of_value(void **state)
{
    (void)state;
    struct uw_config config;
    load("database:\n  dsn: host=db user=u\n"
         "topics: {no-shows: a.b_c-d, partitions: 3}\n"
         "group: {static_membership: yes, instance: one}\n"
         "batch:\n  max_bytes: 1MiB\n  linger_ms: 0\n"
         "cache: {max_bytes: 1073741824}\n"
         "log.level: debug\nlog: {format: json}\n",
         &config);
    assert_string_equal(config.dsn, "host=db user=u");
    assert_string_equal(config.topics[UW_TOPIC_NO_SHOWS], "a.b_c-d");
    assert_int_equal(config.topic_partitions, 3);
    assert_true(config.static_membership);
    assert_int_equal(config.batch_max_bytes, 1 << 20);
    assert_int_equal(config.batch_linger_ms, 0);
    assert_int_equal(config.cache_max_bytes, 1 << 30);
    assert_string_equal(config.log_level, "debug");
    assert_string_equal(config.log_format, "json");
    uw_config_close(&config);
}

static void test_kafka_properties_in_every_form(void **state)
{
    (void)state;
    struct uw_config config;
    load("kafka:\n  sasl: {username: me, password: \"p: #w\"}\n"
         "  bootstrap.servers: a:1,b:2\nkafka.client.id: east\n",
         &config);
    assert_int_equal(config.kafka_count, 4);
    for (uint32_t i = 1; i < config.kafka_count; i++) {
        assert_true(strcmp(config.kafka[i - 1].name, config.kafka[i].name) < 0);
    }
    assert_string_equal(uw_config_kafka(&config, "sasl.password"), "p: #w");
    assert_string_equal(uw_config_kafka(&config, "bootstrap.servers"), "a:1,b:2");
    assert_string_equal(uw_config_kafka(&config, "client.id"), "east");
    uw_config_close(&config);
}

static void test_thresholds_and_overrides(void **state)
{
    (void)state;
    struct uw_config config;
    struct uw_thresholds resolved;
    load("thresholds:\n"
         "  stalled_days: 30\n"
         "  surplus_thresholds_percent: [100, 50, 80]\n"
         "  budget_thresholds_percent: []\n"
         "  overrides:\n"
         "    - {municipality: 0268, law: WMO, stalled_days: 7}\n"
         "    - municipality: '0268'\n      stalled_days: 14\n      ending_notice_days: 0\n"
         "    - product: 02A03\n      budget_thresholds_percent: [90]\n",
         &config);
    const struct uw_percents *percents = &config.settings.defaults.surplus_thresholds_percent;
    assert_int_equal(percents->count, 3);
    assert_int_equal(percents->values[0], 50);
    assert_int_equal(percents->values[2], 100);
    assert_int_equal(config.settings.defaults.budget_thresholds_percent.count, 0);
    assert_int_equal(config.settings.rule_count, 3);
    uw_settings_resolve(&config.settings, UW_STR("0268"), UW_LAW_WMO, UW_STR("02A03"), &resolved);
    assert_int_equal(resolved.stalled_days, 7);
    assert_int_equal(resolved.ending_notice_days, 0);
    assert_int_equal(resolved.budget_thresholds_percent.count, 1);
    uw_settings_resolve(&config.settings, UW_STR("0200"), UW_LAW_WMO, UW_STR("01A01"), &resolved);
    assert_int_equal(resolved.stalled_days, 30);
    uw_config_close(&config);
}

static void test_precedence(void **state)
{
    (void)state;
    struct uw_config config;
    struct uw_error error = {0};
    const char *overrides[] = {"log.level=error", "batch.linger_ms=3", "batch.linger_ms=4", "kafka.client.id=flag",
                               "thresholds.surplus_thresholds_percent=[70, 100]"};
    write_file("batch: {linger_ms: 1, max_events: 1}\nkafka: {client.id: file, linger.ms: 1}\ndatabase: {dsn: file}\n");
    setenv("URENWACHT_BATCH_LINGER_MS", "2", 1);
    setenv("URENWACHT_BATCH_MAX_EVENTS", "2", 1);
    setenv("URENWACHT_KAFKA_LINGER_MS", "2", 1);
    setenv("URENWACHT_TOPICS_NO_SHOWS", "env", 1);
    setenv("URENWACHT_THRESHOLDS_STALLED_DAYS", "9", 1);
    setenv("URENWACHT_DSN", "short", 1);
    setenv("URENWACHT_LOCAL", "/nowhere", 1);
    assert_int_equal(uw_config_load(path, overrides, 5, &config, &error), UW_OK);
    assert_int_equal(config.batch_linger_ms, 4);
    assert_int_equal(config.batch_max_events, 2);
    assert_string_equal(uw_config_kafka(&config, "linger.ms"), "2");
    assert_string_equal(uw_config_kafka(&config, "client.id"), "flag");
    assert_string_equal(config.topics[UW_TOPIC_NO_SHOWS], "env");
    assert_string_equal(config.dsn, "short");
    assert_string_equal(config.log_level, "error");
    assert_int_equal(config.settings.defaults.stalled_days, 9);
    assert_int_equal(config.settings.defaults.surplus_thresholds_percent.values[0], 70);
    uw_config_close(&config);
    setenv("URENWACHT_DATABASE_DSN", "long", 1);
    assert_int_equal(uw_config_load(path, NULL, 0, &config, &error), UW_OK);
    assert_string_equal(config.dsn, "long");
    uw_config_close(&config);
    setenv("URENWACHT_CONFIG", path, 1);
    assert_int_equal(uw_config_load(NULL, NULL, 0, &config, &error), UW_OK);
    assert_string_equal(uw_config_kafka(&config, "client.id"), "file");
    uw_config_close(&config);
    unsetenv("URENWACHT_CONFIG");
    unsetenv("URENWACHT_BATCH_LINGER_MS");
    unsetenv("URENWACHT_BATCH_MAX_EVENTS");
    unsetenv("URENWACHT_KAFKA_LINGER_MS");
    unsetenv("URENWACHT_TOPICS_NO_SHOWS");
    unsetenv("URENWACHT_THRESHOLDS_STALLED_DAYS");
    unsetenv("URENWACHT_DSN");
    unsetenv("URENWACHT_DATABASE_DSN");
    unsetenv("URENWACHT_LOCAL");
}

/* The text names the version of librdkafka that was asked. */
static void refuse_unknown_property(void)
{
    struct uw_config config;
    struct uw_error error = {0};
    write_file("kafka:\n  no.such: 1\n");
    assert_int_equal(uw_config_load(path, NULL, 0, &config, &error), UW_ECONFIG);
    assert_non_null(strstr(error.text, ":2: kafka.no.such: librdkafka "));
    assert_non_null(strstr(error.text, " knows no such property"));
}

static void test_mistakes_of_the_file(void **state)
{
    (void)state;
    refuse("batch:\n  max_events: 1\nbach: {x: 1}\n", ":3: bach: unknown key");
    refuse("batch:\n  max_evnts: 1\n", ":2: batch.max_evnts: unknown key");
    refuse("batch: 3\n", ":1: batch: keys are expected under this one");
    refuse("batch:\n  linger_ms: 1\n  max_events: 1\n  linger_ms: 1\n", ":4: batch.linger_ms: given before in line 2");
    refuse("log.level: info\nlog:\n  level: info\n", ":3: log.level: given before in line 1");
    refuse("batch:\n\n  max_events: many\n", ":3: batch.max_events: 'many' is not an integer of 1 to 1000000");
    refuse("batch: {max_events: 0}", ":1: batch.max_events: '0' is not an integer of 1 to 1000000");
    refuse("batch: {max_events: 1000001}", ":1: batch.max_events: '1000001' is not an integer of 1 to 1000000");
    refuse("process: {workers: 0}", ":1: process.workers: '0' is not an integer of 1 to 64");
    refuse("process: {workers: 65}", ":1: process.workers: '65' is not an integer of 1 to 64");
    refuse("batch: {max_events: 1.5}", ":1: batch.max_events: '1.5' is not an integer of 1 to 1000000");
    refuse("batch: {max_events: 99999999999999999999}",
           ":1: batch.max_events: '99999999999999999999' is not an integer of 1 to 1000000");
    refuse("batch:\n  max_events:\n", ":2: batch.max_events: '' is not an integer of 1 to 1000000");
    refuse("batch: {max_bytes: 10}",
           ":1: batch.max_bytes: '10' is not a size of 1MiB to 4GiB (a number with KiB, MiB or GiB)");
    refuse("batch: {max_events: [1]}", ":1: batch.max_events: a single value is expected here");
    refuse("batch: {max_events: {x: 1}}", ":1: batch.max_events: a single value is expected here");
    refuse("group: {static_membership: maybe}", ":1: group.static_membership: 'maybe' is not true or false");
    refuse("group: {id: ''}", ":1: group.id: must not be empty");
    refuse("log: {level: loud}", ":1: log.level: 'loud' is not one of: error warning info debug");
    refuse("topics: {alerts: a b}",
           ":1: topics.alerts: not a topic name: 1 to 249 of letters, digits, '.', '_' and '-'");
    refuse("- a\n", ":1: keys and values are expected here");
    refuse("log: {level: info}\n---\nlog: {level: info}\n", ":3: a second document");
    refuse("log:\n  level: [\n", ":3: did not find expected node content");
    refuse_unknown_property();
}

static void test_mistakes_of_overrides(void **state)
{
    (void)state;
    refuse("thresholds:\n  stalled_day: 3\n", ":2: thresholds.stalled_day: unknown key");
    refuse("thresholds: {stalled_days: 0}", ":1: thresholds.stalled_days: '0' is not an integer of 1 to 3660");
    refuse("thresholds: {surplus_thresholds_percent: [80, 80]}",
           ":1: thresholds.surplus_thresholds_percent: '80,80' is not a list of at most 8 different percents "
           "of 1 to 1000");
    refuse("thresholds: {surplus_thresholds_percent: [1,2,3,4,5,6,7,8,9]}",
           ":1: thresholds.surplus_thresholds_percent: '1,2,3,4,5,6,7,8,9' is not a list of at most 8 different "
           "percents of 1 to 1000");
    refuse("thresholds:\n  overrides: 3\n", ":2: thresholds.overrides: a list is expected here");
    refuse("thresholds:\n  overrides:\n  - 3\n",
           ":3: thresholds.overrides: an override is a map of selectors and thresholds");
    refuse("thresholds:\n  overrides:\n  - law: WET\n",
           ":3: thresholds.overrides.law: 'WET' is not one of: WMO JEUGDWET PARTICIPATIEWET");
    refuse("thresholds:\n  overrides:\n  - municipality: 268\n",
           ":3: thresholds.overrides.municipality: '268' is not a municipality's code of four digits");
    refuse("thresholds:\n  overrides:\n  - product: 02A0333\n",
           ":3: thresholds.overrides.product: '02A0333' is not a product code of 1 to 5 characters");
    refuse("thresholds:\n  overrides:\n  - law: WMO\n    stalled: 3\n", ":4: thresholds.stalled: unknown key");
    refuse("thresholds:\n  overrides:\n  - law: WMO\n    law: WMO\n",
           ":4: thresholds.overrides: law is given twice in one override");
    refuse("thresholds:\n  overrides:\n  - law: WMO\n", ":3: thresholds.overrides: an override sets no threshold");
    refuse("thresholds:\n  overrides:\n  - stalled_days: 3\n",
           ":3: thresholds.overrides: an override needs municipality, law or product");
}

static void test_mistakes_of_flags_and_environment(void **state)
{
    (void)state;
    struct uw_config config;
    struct uw_error error = {0};
    refuse_override("log.level", "--set: 'log.level' is not KEY=VALUE");
    refuse_override("=x", "--set: '=x' is not KEY=VALUE");
    refuse_override("log.leve=x", "command line: log.leve: unknown key");
    refuse_override("retry.min_ms=20000", "retry.min_ms: is larger than retry.max_ms");
    refuse_override("topics.alerts=urenwacht.anomalies", "topics: 'urenwacht.anomalies' is used for two topics");
    refuse_override("topics.replication=0", "topics.replication: must be -1 (the broker's default) or 1 and more");
    setenv("URENWACHT_LOG_LEVLE", "x", 1);
    assert_int_equal(uw_config_load(path, NULL, 0, &config, &error), UW_ECONFIG);
    assert_string_equal(error.text, "URENWACHT_LOG_LEVLE: no such setting");
    unsetenv("URENWACHT_LOG_LEVLE");
    setenv("URENWACHT_LOG_LEVEL", "x", 1);
    assert_int_equal(uw_config_load(path, NULL, 0, &config, &error), UW_ECONFIG);
    assert_string_equal(error.text, "URENWACHT_LOG_LEVEL: log.level: 'x' is not one of: error warning info debug");
    unsetenv("URENWACHT_LOG_LEVEL");
    assert_int_equal(uw_config_load("/nowhere/at.all", NULL, 0, &config, &error), UW_ECONFIG);
    assert_string_equal(error.text, "/nowhere/at.all: No such file or directory");
}

/* A value that may be a secret never stands in a message. */
static void test_secrets_stay_out_of_messages(void **state)
{
    (void)state;
    struct uw_config config;
    struct uw_error error = {0};
    const char *overrides[] = {"kafka.ssl.key.password.x=hunter2",
                               "kafka.ssl.endpoint.identification.algorithm=hunter2"};
    write_file("");
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(uw_config_load(path, &overrides[i], 1, &config, &error), UW_ECONFIG);
        assert_null(strstr(error.text, "hunter2"));
    }
}

/* An alias to what contains it must end, and so must aliases that multiply. */
static void test_hostile_yaml(void **state)
{
    (void)state;
    refuse("kafka: &a\n  x: *a\n", ":2: a key is too long or deep");
    refuse("thresholds: &a\n  overrides: [*a]\n", ":1: thresholds.overrides: the list may hold numbers only");
    refuse("kafka: {? [a] : b}\n", ":1: a key must be a word");
    refuse("kafka: {\"client.id\": \"a\\0b\"}\n", ":1: kafka.client.id: a single value is expected here");
}

/* A text of so many equal items between a head and a tail; the caller frees it. */
static char *repeated(const char *head, const char *item, size_t count, const char *tail)
{
    size_t step = strlen(item), size = strlen(head) + count * step + strlen(tail) + 1;
    char *text = malloc(size), *at = text;
    assert_non_null(text);
    at += snprintf(at, size, "%s", head);
    for (size_t i = 0; i < count; i++, at += step) {
        memcpy(at, item, step);
    }
    (void)snprintf(at, size - (size_t)(at - text), "%s", tail);
    return text;
}

static void test_limits(void **state)
{
    (void)state;
    struct uw_config config;
    char *text = repeated("# ", "x", UW_CONFIG_FILE_MAX - 2, "");
    load(text, &config);
    uw_config_close(&config);
    free(text);
    text = repeated("# ", "x", UW_CONFIG_FILE_MAX - 1, "");
    refuse(text, ": larger than 1 MiB");
    free(text);
    text = repeated("thresholds:\n  overrides: [", "{}, ", UW_THRESHOLD_RULES_MAX, "{}]\n");
    refuse(text, ":2: thresholds.overrides: more than 4096 overrides");
    free(text);
    text = repeated("thresholds:\n  overrides: [", "{law: WMO, stalled_days: 3}, ", UW_THRESHOLD_RULES_MAX - 1,
                    "{law: WMO, stalled_days: 4}]\n");
    load(text, &config);
    assert_int_equal(config.settings.rule_count, UW_THRESHOLD_RULES_MAX);
    uw_config_close(&config);
    free(text);
}

/* kafka: with so many keys that set nothing, or one in another. */
static char *keys(size_t count, bool nested)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    (void)fputs("kafka: {", file);
    for (size_t i = 1; i < count; i++) {
        (void)fprintf(file, nested ? "a%zu: {" : "a%zu: {}, ", i);
    }
    for (size_t i = 1; nested && i < count; i++) {
        (void)fputc('}', file);
    }
    (void)fputs("}\n", file);
    assert_int_equal(fclose(file), 0);
    return text;
}

static void test_limits_of_keys(void **state)
{
    (void)state;
    struct uw_config config;
    for (int nested = 0; nested < 2; nested++) {
        size_t limit = nested ? UW_CONFIG_DEPTH_MAX : UW_CONFIG_KEYS_MAX;
        for (size_t count = limit - 1; count <= limit + 1; count++) {
            char *text = keys(count, nested);
            if (count <= limit) {
                load(text, &config);
                uw_config_close(&config);
            } else {
                refuse(text, nested ? ":1: a key is too long or deep" : ":1: kafka.a512: more than 512 keys");
            }
            free(text);
        }
    }
    for (size_t length = 198; length <= 200; length++) {
        char *text = repeated("kafka: {", "x", length - strlen("kafka."), ": {}}\n");
        if (length < 200) {
            load(text, &config);
            uw_config_close(&config);
        } else {
            refuse(text, ":1: a key is too long or deep");
        }
        free(text);
    }
}

static void test_texts_have_a_limit(void **state)
{
    static const struct {
        const char *before;
        size_t offset, max;
        const char *refusal;
    } texts[] = {
        {"database: {dsn: ", offsetof(struct uw_config, dsn), 4096, ":1: database.dsn: longer than 4096 bytes"},
        {"group: {id: ", offsetof(struct uw_config, group_id), 249, ":1: group.id: longer than 249 bytes"},
        {"group: {instance: ", offsetof(struct uw_config, instance), 249, ":1: group.instance: longer than 249 bytes"},
    };
    struct uw_config config;
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (size_t length = texts[i].max - 1; length <= texts[i].max + 1; length++) {
            char *text = repeated(texts[i].before, "x", length, "}\n");
            if (length <= texts[i].max) {
                load(text, &config);
                assert_int_equal(strlen(*(const char **)(void *)((char *)&config + texts[i].offset)), length);
                uw_config_close(&config);
            } else {
                refuse(text, texts[i].refusal);
            }
            free(text);
        }
    }
}

/* Percents of thresholds, and the text of a list in the file. */
static void test_lists_have_a_limit(void **state)
{
    struct uw_config config;
    (void)state;
    load("thresholds: {budget_thresholds_percent: [1, 2, 3, 4, 5, 6, 7, 8]}", &config);
    assert_int_equal(config.settings.defaults.budget_thresholds_percent.count, UW_PERCENT_THRESHOLDS_MAX);
    assert_int_equal(config.settings.defaults.budget_thresholds_percent.values[7], 8);
    uw_config_close(&config);
    refuse("thresholds: {budget_thresholds_percent: [1, 2, 3, 4, 5, 6, 7, 8, 9]}",
           ":1: thresholds.budget_thresholds_percent: '1,2,3,4,5,6,7,8,9' is not a list of at most 8 different percents "
           "of 1 to 1000");
    for (size_t digits = 255; digits <= 256; digits++) {
        char *text = repeated("thresholds: {budget_thresholds_percent: [", "0", digits, "]}\n");
        if (digits == 255) {
            /* Of so many zeros only the number is wrong. */
            refuse(text, ":1: thresholds.budget_thresholds_percent: '0000000000000000000000000000000000000000' is not a "
                         "list of at most 8 different percents of 1 to 1000");
        } else {
            refuse(text, ":1: thresholds.budget_thresholds_percent: the list is too long");
        }
        free(text);
    }
}

/* librdkafka's own properties with their own values, so many as there is room for, and one more. */
static char *properties(uint32_t count, const struct uw_config *standard)
{
    size_t found = 0, size = 0;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char **dump = rd_kafka_conf_dump(conf, &found);
    char *text = NULL;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    (void)fputs("kafka:\n", file);
    for (size_t i = 0; i + 1 < found && count > 0; i += 2) {
        bool known = uw_kafka_property(standard->kafka, standard->kafka_count, dump[i]) != NULL;
        /* Callbacks are told as well, and are nothing to be set by a text. */
        if (!known && rd_kafka_conf_set(conf, dump[i], dump[i + 1], NULL, 0) == RD_KAFKA_CONF_OK) {
            (void)fprintf(file, "  %s: '%s'\n", dump[i], dump[i + 1]);
            count--;
        }
    }
    assert_int_equal(count, 0);
    assert_int_equal(fclose(file), 0);
    rd_kafka_conf_dump_free(dump, found);
    rd_kafka_conf_destroy(conf);
    return text;
}

static void test_properties_have_a_limit(void **state)
{
    (void)state;
    struct uw_config standard, config;
    struct uw_error error = {0};
    load("", &standard);
    for (uint32_t count = UW_KAFKA_PROPERTIES_MAX - 1; count <= UW_KAFKA_PROPERTIES_MAX + 1; count++) {
        char *text = properties(count - standard.kafka_count, &standard);
        if (count <= UW_KAFKA_PROPERTIES_MAX) {
            load(text, &config);
            assert_int_equal(config.kafka_count, count);
            uw_config_close(&config);
        } else {
            write_file(text);
            assert_int_equal(uw_config_load(path, NULL, 0, &config, &error), UW_ECONFIG);
            assert_non_null(strstr(error.text, ": more than 64 properties under kafka"));
        }
        free(text);
    }
    uw_config_close(&standard);
}

/* Nothing else bounds a value under kafka, certificates in PEM for instance, nor how often a file has it by aliases. */
static void test_memory_has_a_limit(void **state)
{
    static const char *const names[] = {"sasl.username",         "sasl.password",           "ssl.key.password",
                                        "ssl.keystore.password", "ssl.key.location",        "ssl.certificate.location",
                                        "ssl.crl.location",      "sasl.kerberos.principal", "sasl.kerberos.keytab"};
    const size_t count_max = sizeof(names) / sizeof(names[0]);
    struct uw_config config;
    struct uw_error error = {0};
    size_t size = UW_CONFIG_MEMORY_MAX / count_max - 1024;
    (void)state;
    for (size_t count = count_max - 2; count <= count_max; count++) {
        char *tail = NULL, *text;
        size_t tail_size = 0;
        FILE *file = open_memstream(&tail, &tail_size);
        assert_non_null(file);
        (void)fputs("'\n", file);
        for (size_t i = 0; i < count; i++) {
            (void)fprintf(file, "  %s: *text\n", names[i]);
        }
        assert_int_equal(fclose(file), 0);
        text = repeated("kafka:\n  client.id: &text '", "x", size, tail);
        if (count < count_max) {
            load(text, &config);
            assert_int_equal(strlen(uw_config_kafka(&config, names[count - 1])), size);
            assert_true(config.memory.used_bytes <= UW_CONFIG_MEMORY_MAX);
            uw_config_close(&config);
        } else {
            write_file(text);
            assert_int_equal(uw_config_load(path, NULL, 0, &config, &error), UW_ECONFIG);
            assert_string_equal(error.text, "the configuration takes more than 8 MiB of memory");
            assert_null(config.memory.block);
        }
        free(text);
        free(tail);
    }
}

/* The edge itself: what does not fit leaves the value that was there. */
static void test_the_last_byte_of_memory(void **state)
{
    static char text[UW_CONFIG_MEMORY_MAX];
    struct uw_config config;
    struct uw_error error = {0};
    const char *kept;
    size_t unit;
    (void)state;
    load("", &config);
    unit = config.memory.used_bytes;
    assert_int_equal(uw_config_set(&config, "database.dsn", "x", "a test", &error), UW_OK);
    unit = config.memory.used_bytes - unit; /* of the smallest text, as far as memory is rounded up */
    memset(text, 'x', UW_CONFIG_MEMORY_MAX - config.memory.used_bytes - 2 * unit - 1);
    assert_int_equal(uw_config_set(&config, "kafka.client.id", text, "a test", &error), UW_OK);
    while (config.memory.used_bytes + unit <= UW_CONFIG_MEMORY_MAX) {
        assert_int_equal(uw_config_set(&config, "database.dsn", "last", "a test", &error), UW_OK);
    }
    assert_int_equal(config.memory.used_bytes, UW_CONFIG_MEMORY_MAX);
    kept = config.dsn;
    assert_int_equal(uw_config_set(&config, "database.dsn", "more", "a test", &error), UW_ECONFIG);
    assert_string_equal(error.text, "the configuration takes more than 8 MiB of memory");
    assert_ptr_equal(config.dsn, kept);
    assert_string_equal(kept, "last");
    uw_config_close(&config);
}

static void test_reload_gives_thresholds(void **state)
{
    (void)state;
    struct uw_arena arena;
    struct uw_settings settings = {.rule_count = 77};
    struct uw_error error = {0};
    uw_arena_init(&arena, 1 << 20);
    write_file("thresholds: {stalled_days: 5, overrides: [{municipality: 0268, stalled_days: 6}]}\n");
    assert_int_equal(uw_config_reload_settings(path, NULL, 0, &arena, &settings, &error), UW_OK);
    assert_int_equal(settings.defaults.stalled_days, 5);
    assert_int_equal(settings.rule_count, 1);
    assert_true(uw_str_equal(settings.rules[0].municipality, UW_STR("0268")));
    assert_true(uw_str_is_null(settings.rules[0].product));
    write_file("thresholds: {stalled_days: -5}\n");
    assert_int_equal(uw_config_reload_settings(path, NULL, 0, &arena, &settings, &error), UW_ECONFIG);
    assert_int_equal(settings.defaults.stalled_days, 5);
    uw_arena_close(&arena);
}

/* docs/urenwacht.yaml says that it holds every key at its default. */
static void test_documented_example(void **state)
{
    (void)state;
    struct uw_config documented, standard;
    struct uw_error error = {0};
    assert_int_equal(uw_config_load(UW_SOURCE_DIR "/docs/urenwacht.yaml", NULL, 0, &documented, &error), UW_OK);
    load("", &standard);
    assert_string_equal(documented.dsn, standard.dsn);
    for (size_t i = 0; i < UW_TOPIC_COUNT; i++) {
        assert_string_equal(documented.topics[i], standard.topics[i]);
    }
    for (size_t i = 0; i < UW_OUTPUT_COUNT; i++) {
        assert_string_equal(documented.outputs[i], standard.outputs[i]);
    }
    assert_int_equal(documented.topic_partitions, standard.topic_partitions);
    assert_int_equal(documented.batch_max_events, standard.batch_max_events);
    assert_int_equal(documented.batch_max_bytes, standard.batch_max_bytes);
    assert_int_equal(documented.due_batch_clients, standard.due_batch_clients);
    assert_int_equal(documented.cache_max_bytes, standard.cache_max_bytes);
    assert_int_equal(documented.retry_max_ms, standard.retry_max_ms);
    assert_int_equal(documented.database_timeout_ms, standard.database_timeout_ms);
    assert_int_equal(documented.kafka_timeout_ms, standard.kafka_timeout_ms);
    assert_int_equal(uw_settings_fingerprint(&documented.settings), uw_settings_fingerprint(&standard.settings));
    uw_config_close(&documented);
    uw_config_close(&standard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_kind_of_value),
        cmocka_unit_test(test_kafka_properties_in_every_form),
        cmocka_unit_test(test_thresholds_and_overrides),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_mistakes_of_the_file),
        cmocka_unit_test(test_mistakes_of_overrides),
        cmocka_unit_test(test_mistakes_of_flags_and_environment),
        cmocka_unit_test(test_secrets_stay_out_of_messages),
        cmocka_unit_test(test_hostile_yaml),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_limits_of_keys),
        cmocka_unit_test(test_texts_have_a_limit),
        cmocka_unit_test(test_lists_have_a_limit),
        cmocka_unit_test(test_properties_have_a_limit),
        cmocka_unit_test(test_memory_has_a_limit),
        cmocka_unit_test(test_the_last_byte_of_memory),
        cmocka_unit_test(test_reload_gives_thresholds),
        cmocka_unit_test(test_documented_example),
    };
    /* Settings of the shell that runs the test must not reach it. */
    unsetenv("URENWACHT_DSN");
    unsetenv("URENWACHT_CONFIG");
    unsetenv("URENWACHT_KAFKA_BOOTSTRAP_SERVERS");
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
