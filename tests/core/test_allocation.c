/*
 * Every allocation of the core refused once: the call says UW_ENOMEM, nothing leaks, and the same call made again
 * gives what it would have given. Linked with --wrap for malloc, calloc and realloc.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/fold.h"
#include "tests/support/instance.h"
#include "tests/support/law.h"
#include "tests/support/thresholds.h"

/* ---- the heap ---- */

static struct {
    bool armed;
    uint64_t calls, fail_at; /* the call with this number, from 1, is refused */
} heap;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool is_refused(void)
{
    return heap.armed && ++heap.calls == heap.fail_at;
}

void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return is_refused() ? NULL : __real_realloc(memory, size);
}

static void arm(uint64_t fail_at)
{
    heap.calls = 0;
    heap.fail_at = fail_at;
    heap.armed = true;
}

/* True when the allocation that was to be refused was reached. */
static bool disarm(void)
{
    heap.armed = false;
    return heap.calls >= heap.fail_at;
}

/* ---- client and fold ---- */

static uint64_t digest(struct uw_fold *fold, const struct uw_client *client, int32_t as_of_day)
{
    struct uw_settings settings = {.rule_count = 0};
    uint64_t sum = client->line_count + 1000 * client->absence_count + 1000000 * (uint64_t)client->version_count;
    uw_thresholds_default(&settings.defaults);
    assert_int_equal(uw_fold_run(fold, client, &settings, as_of_day), UW_OK);
    for (uint32_t i = 0; i < fold->account_count; i++) {
        sum = sum * 31 + (uint64_t)fold->accounts[i].used_minutes + (uint64_t)fold->accounts[i].period_from_day;
    }
    for (uint32_t i = 0; i < fold->alert_count; i++) {
        sum = sum * 31 + fold->alerts[i].state.kind + (uint64_t)fold->alerts[i].state.effective_on_day;
    }
    for (uint32_t i = 0; i < fold->anomaly_count; i++) {
        sum = sum * 31 + fold->anomalies[i].state.kind + fold->anomalies[i].fact;
    }
    return sum;
}

static void test_adding_facts(void **state)
{
    (void)state;
    uint64_t refused = 0;
    for (uint64_t seed = 1; seed <= uw_test_rounds(30); seed++) {
        struct uw_hostile hostile;
        struct uw_client client, clean;
        struct uw_fold fold;
        uw_hostile_make(&hostile, seed, 1, 60);
        uw_client_init(&client);
        uw_client_init(&clean);
        uw_fold_init(&fold);
        for (uint32_t i = 0; i < hostile.count; i++) {
            bool redelivery = false, expected = false;
            uint64_t before = digest(&fold, &client, hostile.as_of_day);
            enum uw_code code = UW_ENOMEM;
            for (uint64_t at = 1; code != UW_OK; at++) {
                arm(at);
                code = uw_client_add(&client, &hostile.events[i], &redelivery);
                bool reached = disarm();
                assert_int_equal(code, reached ? UW_ENOMEM : UW_OK);
                refused += reached;
                assert_true(code == UW_OK || digest(&fold, &client, hostile.as_of_day) == before);
            }
            assert_int_equal(uw_client_add(&clean, &hostile.events[i], &expected), UW_OK);
            assert_int_equal(redelivery, expected);
        }
        assert_true(digest(&fold, &client, hostile.as_of_day) == digest(&fold, &clean, hostile.as_of_day));
        uw_client_close(&client);
        uw_client_close(&clean);
        uw_fold_close(&fold);
        uw_hostile_close(&hostile);
    }
    assert_true(refused > 100);
}

static void test_folding(void **state)
{
    (void)state;
    struct uw_settings settings = {.rule_count = 0};
    uw_thresholds_default(&settings.defaults);
    for (uint64_t seed = 1; seed <= uw_test_rounds(40); seed++) {
        struct uw_hostile hostile;
        struct uw_client client;
        struct uw_fold clean, fold;
        bool redelivery;
        uw_hostile_make(&hostile, seed, 1, 80);
        uw_client_init(&client);
        uw_fold_init(&clean);
        for (uint32_t i = 0; i < hostile.count; i++) {
            assert_int_equal(uw_client_add(&client, &hostile.events[i], &redelivery), UW_OK);
        }
        uint64_t expected = digest(&clean, &client, hostile.as_of_day);
        /* A new fold each time, so that every vector grows again; then one that keeps what it has. */
        for (uint32_t kept = 0; kept < 2; kept++) {
            enum uw_code code = UW_ENOMEM;
            uw_fold_init(&fold);
            for (uint64_t at = 1; code != UW_OK; at++) {
                arm(at);
                code = uw_fold_run(&fold, &client, &settings, hostile.as_of_day);
                assert_int_equal(code, disarm() ? UW_ENOMEM : UW_OK);
                if (kept == 0 && code != UW_OK) {
                    uw_fold_close(&fold);
                }
            }
            assert_true(digest(&fold, &client, hostile.as_of_day) == expected);
            uw_fold_close(&fold);
        }
        uw_client_close(&client);
        uw_fold_close(&clean);
        uw_hostile_close(&hostile);
    }
}

/* ---- the engine ---- */

/* The fakes are not to fail; what they call back is the core again. */
struct shim {
    struct uw_store store;
    struct uw_publisher publisher;
    struct uw_load_sink sink;
    uw_outbox_visit *outbox_visit;
    uw_client_visit *client_visit;
    void *visit_context;
};

static bool pause_heap(void)
{
    bool armed = heap.armed;
    heap.armed = false;
    return armed;
}

#define PAUSED(call)                                                                                                   \
    do {                                                                                                               \
        bool armed = pause_heap();                                                                                     \
        enum uw_code code = (call);                                                                                    \
        heap.armed = armed;                                                                                            \
        return code;                                                                                                   \
    } while (0)

static bool was_armed; /* of the call whose callbacks are running */

#define RESUMED(call)                                                                                                  \
    do {                                                                                                               \
        heap.armed = was_armed;                                                                                        \
        enum uw_code code = (call);                                                                                    \
        heap.armed = false;                                                                                            \
        return code;                                                                                                   \
    } while (0)

static enum uw_code shim_claim(void *context, int32_t partition, int32_t rules_version, struct uw_claim *claim,
                               struct uw_error *error)
{
    struct shim *shim = context;
    PAUSED(shim->store.claim(shim->store.context, partition, rules_version, claim, error));
}

static enum uw_code shim_fact(void *context, uint32_t client_index, const struct uw_event *event)
{
    struct shim *shim = context;
    RESUMED(shim->sink.fact(shim->sink.context, client_index, event));
}

static enum uw_code shim_alert(void *context, uint32_t client_index, const struct uw_alert_change *alert)
{
    struct shim *shim = context;
    RESUMED(shim->sink.alert(shim->sink.context, client_index, alert));
}

static enum uw_code shim_anomaly(void *context, uint32_t client_index, const struct uw_anomaly_change *anomaly)
{
    struct shim *shim = context;
    RESUMED(shim->sink.anomaly(shim->sink.context, client_index, anomaly));
}

static enum uw_code shim_client(void *context, uint32_t client_index, int32_t next_change_day, int32_t rules_version)
{
    struct shim *shim = context;
    RESUMED(shim->sink.client(shim->sink.context, client_index, next_change_day, rules_version));
}

static enum uw_code shim_load(void *context, const struct uw_str *clients, uint32_t client_count,
                              const struct uw_load_sink *sink, struct uw_error *error)
{
    struct shim *shim = context;
    const struct uw_load_sink wrapped = {
        .context = shim, .fact = shim_fact, .alert = shim_alert, .anomaly = shim_anomaly, .client = shim_client};
    shim->sink = *sink;
    was_armed = heap.armed;
    PAUSED(shim->store.load(shim->store.context, clients, client_count, &wrapped, error));
}

static enum uw_code shim_commit(void *context, const struct uw_changes *changes, struct uw_error *error)
{
    struct shim *shim = context;
    PAUSED(shim->store.commit(shim->store.context, changes, error));
}

static enum uw_code shim_visit_record(void *context, const struct uw_outbox_record *record)
{
    struct shim *shim = context;
    RESUMED(shim->outbox_visit(shim->visit_context, record));
}

static enum uw_code shim_outbox(void *context, int32_t partition, int64_t after, uint32_t limit,
                                uw_outbox_visit *visit, void *visit_context, struct uw_error *error)
{
    struct shim *shim = context;
    shim->outbox_visit = visit;
    shim->visit_context = visit_context;
    was_armed = heap.armed;
    PAUSED(shim->store.outbox(shim->store.context, partition, after, limit, shim_visit_record, shim, error));
}

static enum uw_code shim_visit_client(void *context, struct uw_str client)
{
    struct shim *shim = context;
    RESUMED(shim->client_visit(shim->visit_context, client));
}

static enum uw_code shim_due(void *context, int32_t partition, int32_t as_of_day, uint32_t limit,
                             uw_client_visit *visit, void *visit_context, struct uw_error *error)
{
    struct shim *shim = context;
    shim->client_visit = visit;
    shim->visit_context = visit_context;
    was_armed = heap.armed;
    PAUSED(shim->store.due(shim->store.context, partition, as_of_day, limit, shim_visit_client, shim, error));
}

static enum uw_code shim_mark_all_due(void *context, int32_t partition, int64_t epoch, uint64_t rules_fingerprint,
                                      struct uw_error *error)
{
    struct shim *shim = context;
    PAUSED(shim->store.mark_all_due(shim->store.context, partition, epoch, rules_fingerprint, error));
}

static enum uw_code shim_sweep(void *context, int32_t rules_version, uint32_t limit, bool *more,
                               struct uw_error *error)
{
    struct shim *shim = context;
    PAUSED(shim->store.sweep(shim->store.context, rules_version, limit, more, error));
}

static enum uw_code shim_standing(void *context, int32_t partition, int64_t epoch, int64_t *next_sequence,
                                  struct uw_error *error)
{
    struct shim *shim = context;
    PAUSED(shim->store.standing(shim->store.context, partition, epoch, next_sequence, error));
}

static enum uw_code shim_published(void *context, int32_t partition, int64_t *sequence, struct uw_error *error)
{
    struct shim *shim = context;
    PAUSED(shim->publisher.published(shim->publisher.context, partition, sequence, error));
}

static enum uw_code shim_search(void *context, const struct uw_outbox_record *records, uint32_t record_count,
                                bool begin, bool *found, bool *complete, struct uw_error *error)
{
    struct shim *shim = context;
    PAUSED(shim->publisher.search(shim->publisher.context, records, record_count, begin, found, complete, error));
}

static enum uw_code shim_start(void *context, const struct uw_outbox_record *records, uint32_t record_count,
                               const struct uw_published *positions, uint32_t position_count, struct uw_error *error)
{
    struct shim *shim = context;
    PAUSED(shim->publisher.start(shim->publisher.context, records, record_count, positions, position_count, error));
}

static enum uw_code shim_finish(void *context, struct uw_error *error)
{
    struct shim *shim = context;
    PAUSED(shim->publisher.finish(shim->publisher.context, error));
}

/* One history with an engine, and the clean one beside it. */
struct history {
    struct uw_hostile hostile;
    struct uw_fake_store store;
    struct uw_fake_kafka kafka;
    struct uw_faults faults;
    struct uw_fake_session session;
    struct uw_fake_member member;
    struct shim shim;
    struct uw_engine *engine;
    struct uw_error error;
    struct uw_settings settings;
    bool failing; /* every allocation of every call is refused once */
    uint64_t refused;
};

/* Calls until it succeeds, with the first, second, ... allocation refused. */
#define CALL(history, call)                                                                                            \
    do {                                                                                                               \
        enum uw_code code = UW_ENOMEM;                                                                                 \
        for (uint64_t at = 1; code != UW_OK; at++) {                                                                   \
            arm((history)->failing ? at : UINT64_MAX);                                                                 \
            code = (call);                                                                                             \
            bool reached = disarm();                                                                                   \
            (history)->refused += reached;                                                                             \
            /* What is only for speed may be refused without a word. */                                                \
            assert_true(code == UW_OK || (reached && code == UW_ENOMEM));                                              \
            assert_true(code == UW_OK || (history)->error.class == UW_CLASS_FATAL);                                    \
        }                                                                                                              \
    } while (0)

static void open_engine(struct history *history, size_t cache_max_bytes)
{
    const struct uw_engine_options options = {
        .decoder = uw_fake_decoder_port(&history->member),
        .encoder = uw_fake_encoder_port(),
        .store = {&history->shim, shim_claim, shim_load, shim_commit, shim_outbox, shim_due, shim_mark_all_due,
                  shim_sweep, shim_standing},
        .publisher = {&history->shim, shim_published, shim_search, shim_start, shim_finish},
        .settings = &history->settings,
        .cache_max_bytes = cache_max_bytes,
        .as_of_day = history->hostile.as_of_day,
        .pinned = true};
    history->shim.store = uw_fake_store_port(&history->session);
    history->shim.publisher = uw_fake_publisher_port(&history->member);
    CALL(history, uw_engine_open(&options, &history->engine, &history->error));
    for (int32_t i = 0; i < history->kafka.partition_count; i++) {
        int64_t next_offset[UW_TOPIC_COUNT];
        history->kafka.owner[i] = 0;
        CALL(history, uw_engine_claim(history->engine, i, next_offset, &history->error));
    }
    CALL(history, uw_engine_recover(history->engine, &history->error));
}

static uint32_t next_batch(const struct history *history, struct uw_message messages[])
{
    uint32_t count = 0;
    for (int32_t i = 0; i < history->kafka.partition_count; i++) {
        int64_t at[UW_TOPIC_COUNT];
        assert_true(uw_engine_position(history->engine, i, at));
        for (uint32_t topic = 0; topic < UW_TOPIC_COUNT; topic++) {
            for (uint32_t k = 0; k < 4; k++) {
                const struct uw_message *message = uw_fake_kafka_at(&history->kafka, topic, i, at[topic]);
                if (message != NULL) {
                    messages[count++] = *message;
                    at[topic] = message->offset + 1;
                }
            }
        }
    }
    return count;
}

static void judge_due(struct history *history)
{
    bool more = true;
    while (more) {
        CALL(history, uw_engine_due(history->engine, 2, 1, &more, &history->error));
        CALL(history, uw_engine_publish(history->engine, &history->error));
    }
}

static void run_history(struct history *history, uint64_t seed, bool failing)
{
    struct uw_message messages[4 * UW_TOPIC_COUNT * UW_FAKE_PARTITIONS_MAX];
    uint32_t batches = 0;
    memset(history, 0, sizeof *history);
    uw_hostile_make(&history->hostile, seed, 3, 50);
    uw_fake_kafka_init(&history->kafka, &history->hostile, 2, seed);
    uw_fake_store_init(&history->store, seed);
    uw_thresholds_default(&history->settings.defaults);
    history->session = (struct uw_fake_session){&history->store, &history->faults};
    history->member = (struct uw_fake_member){.kafka = &history->kafka, .faults = &history->faults};
    history->failing = failing;
    size_t cache_max_bytes = seed % 2 == 0 ? 0 : (size_t)1 << 30;
    open_engine(history, cache_max_bytes);
    for (uint32_t count; (count = next_batch(history, messages)) > 0; batches++) {
        /* Of two batches out of three the clients of one of the partitions are judged later. */
        uw_engine_fall_behind(history->engine, (int32_t)(batches % 3) - 1, batches % 4 == 0);
        CALL(history, uw_engine_apply(history->engine, messages, count, 1, &history->error));
        if (batches == 2) {
            /* What is not published is recovered by the next one, which is to look for it. */
            uw_engine_close(&history->engine);
            memset(history->kafka.told_sequence, 0, sizeof history->kafka.told_sequence);
            open_engine(history, cache_max_bytes);
        }
        CALL(history, uw_engine_publish(history->engine, &history->error));
        uw_engine_tick(history->engine, history->hostile.as_of_day + (int32_t)batches);
        judge_due(history);
    }
    uw_engine_fall_behind(history->engine, -1, false);
    judge_due(history);
}

static void finish_history(struct history *history)
{
    uw_engine_close(&history->engine);
    uw_fake_store_close(&history->store);
    uw_fake_kafka_close(&history->kafka);
    uw_hostile_close(&history->hostile);
}

static void test_the_engine(void **state)
{
    (void)state;
    static struct history clean, failing;
    for (uint64_t seed = 1; seed <= uw_test_rounds(16); seed++) {
        run_history(&clean, seed, false);
        run_history(&failing, seed, true);
        struct uw_digest a = uw_law_digest(&clean.store, &clean.kafka);
        struct uw_digest b = uw_law_digest(&failing.store, &failing.kafka);
        const char *difference = uw_digest_difference(&a, &b);
        if (difference != NULL || failing.store.problem[0] != '\0' || failing.kafka.problem[0] != '\0') {
            fail_msg("history %llu: %s %s %s", (unsigned long long)seed, difference == NULL ? "" : difference,
                     failing.store.problem, failing.kafka.problem);
        }
        assert_true(failing.refused > 50);
        finish_history(&clean);
        finish_history(&failing);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adding_facts),
        cmocka_unit_test(test_folding),
        cmocka_unit_test(test_the_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
