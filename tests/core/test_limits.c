/* core/engine.h: its limits, one below, at and above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "tests/support/instance.h"
#include "tests/support/thresholds.h"

static enum uw_code claim(void *context, int32_t partition, int32_t rules_version, struct uw_claim *claim,
                          struct uw_error *error)
{
    (void)context;
    (void)rules_version;
    (void)error;
    *claim = (struct uw_claim){.partition = partition, .epoch = 1, .next_sequence = 1, .as_of_day = UW_DAY_NONE};
    return UW_OK;
}

/* A batch that takes this much of its memory for one event. */
static size_t wanted_bytes;

static enum uw_code decode(void *context, enum uw_topic topic, struct uw_str value, struct uw_arena *arena,
                           struct uw_event *event, struct uw_refusal *refusal, struct uw_error *error)
{
    (void)context;
    (void)topic;
    (void)value;
    (void)event;
    (void)error;
    if (uw_arena_take(arena, wanted_bytes) == NULL) {
        return UW_ENOMEM;
    }
    *refusal = (struct uw_refusal){UW_REFUSED_NOT_AVRO, "broken"};
    return UW_EINPUT;
}

struct bench {
    struct uw_hostile hostile;
    struct uw_fake_kafka kafka;
    struct uw_fake_store store;
    struct uw_faults faults;
    struct uw_fake_member member;
    struct uw_fake_session session;
    struct uw_settings settings;
    struct uw_engine *engine;
};

static void open_bench(struct bench *bench, bool many)
{
    memset(bench, 0, sizeof *bench);
    uw_hostile_make(&bench->hostile, 1, 1, 1);
    uw_fake_kafka_init(&bench->kafka, &bench->hostile, 1, 1);
    uw_fake_store_init(&bench->store, 1);
    uw_thresholds_default(&bench->settings.defaults);
    bench->member = (struct uw_fake_member){.kafka = &bench->kafka, .faults = &bench->faults};
    bench->session = (struct uw_fake_session){&bench->store, &bench->faults};
    struct uw_engine_options options = {.decoder = {NULL, decode},
                                        .encoder = uw_fake_encoder_port(),
                                        .store = uw_fake_store_port(&bench->session),
                                        .publisher = uw_fake_publisher_port(&bench->member),
                                        .settings = &bench->settings,
                                        .pinned = true};
    if (many) {
        options.store.claim = claim; /* the store in memory has few partitions */
    }
    struct uw_error error;
    assert_int_equal(uw_engine_open(&options, &bench->engine, &error), UW_OK);
}

static void close_bench(struct bench *bench)
{
    uw_engine_close(&bench->engine);
    uw_fake_store_close(&bench->store);
    uw_fake_kafka_close(&bench->kafka);
    uw_hostile_close(&bench->hostile);
}

static void test_partitions(void **state)
{
    (void)state;
    struct bench bench;
    struct uw_error error;
    int64_t next_offset[UW_TOPIC_COUNT];
    open_bench(&bench, true);
    for (int32_t i = 0; i < (int32_t)UW_ENGINE_PARTITIONS_MAX; i++) {
        assert_int_equal(uw_engine_claim(bench.engine, i, next_offset, &error), UW_OK);
    }
    assert_int_equal(uw_engine_claim(bench.engine, (int32_t)UW_ENGINE_PARTITIONS_MAX, next_offset, &error), UW_ENOMEM);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    /* Those that it has it may claim again. */
    assert_int_equal(uw_engine_claim(bench.engine, 0, next_offset, &error), UW_OK);
    close_bench(&bench);
}

/* The batch's memory beside what this test's event takes, much less than that in fact. */
#define REST_BYTES ((size_t)1024 * 1024)

/* A batch that wants more memory than it may have ends with a text, not with the machine. */
static void test_batch_memory(void **state)
{
    (void)state;
    struct bench bench;
    struct uw_error error;
    int64_t next_offset[UW_TOPIC_COUNT];
    const struct uw_message message = {.key = UW_STR("k"), .value = UW_STR("v")};
    open_bench(&bench, false);
    assert_int_equal(uw_engine_claim(bench.engine, 0, next_offset, &error), UW_OK);
    assert_int_equal(uw_engine_recover(bench.engine, &error), UW_OK);
    wanted_bytes = UW_ENGINE_BATCH_BYTES_MAX;
    assert_int_equal(uw_engine_apply(bench.engine, &message, 1, 1, &error), UW_ENOMEM);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_non_null(strstr(error.text, "1024 MiB"));
    assert_false(uw_engine_has_records(bench.engine));
    wanted_bytes = UW_ENGINE_BATCH_BYTES_MAX - REST_BYTES;
    assert_int_equal(uw_engine_apply(bench.engine, &message, 1, 1, &error), UW_OK);
    assert_true(uw_engine_has_records(bench.engine));
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partitions),
        cmocka_unit_test(test_batch_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
