/* core/engine.h: what it claims, keeps, refuses and gives up, one thing at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/instance.h"
#include "tests/support/law.h"
#include "tests/support/thresholds.h"

#define BATCH_MAX 500u

struct world {
    struct uw_hostile hostile;
    struct uw_fake_kafka kafka;
    struct uw_fake_store store;
    struct uw_faults faults;
    struct uw_settings settings;
    struct uw_random random;
    struct uw_instance instances[2];
    bool pinned;
    int32_t as_of_day;
};

static void open_instance(struct world *world, uint32_t number)
{
    const struct uw_instance_options options = {.store = &world->store,
                                                .kafka = &world->kafka,
                                                .faults = &world->faults,
                                                .settings = &world->settings,
                                                .number = (int32_t)number,
                                                .as_of_day = world->as_of_day,
                                                .pinned = world->pinned,
                                                .cache_max_bytes = (size_t)1 << 30};
    uw_instance_open(&world->instances[number], &options);
}

static void start(struct world *world, bool pinned)
{
    memset(world, 0, sizeof *world);
    uw_hostile_make(&world->hostile, 4, 5, 200);
    uw_fake_kafka_init(&world->kafka, &world->hostile, 2, 4);
    uw_fake_store_init(&world->store, 4);
    uw_thresholds_default(&world->settings.defaults);
    world->random = uw_random_from(4);
    world->pinned = pinned;
    world->as_of_day = world->hostile.as_of_day;
    open_instance(world, 0);
    open_instance(world, 1);
}

static void finish(struct world *world)
{
    uw_instance_close(&world->instances[0]);
    uw_instance_close(&world->instances[1]);
    uw_fake_store_close(&world->store);
    uw_fake_kafka_close(&world->kafka);
    uw_hostile_close(&world->hostile);
}

static enum uw_progress assign(struct world *world, uint32_t number, int32_t partition)
{
    world->kafka.owner[partition] = (int32_t)number;
    return uw_instance_assign(&world->instances[number], partition);
}

static enum uw_progress apply(struct world *world, uint32_t number, uint32_t limit)
{
    static struct uw_message messages[BATCH_MAX];
    uint32_t count = uw_instance_poll(&world->instances[number], &world->random, limit, messages);
    return uw_instance_apply(&world->instances[number], messages, count);
}

static void apply_all(struct world *world, uint32_t number)
{
    uint64_t before, after = 0;
    do {
        before = after;
        assert_int_equal(apply(world, number, BATCH_MAX), UW_PROGRESS_DONE);
        after = world->store.fact_count;
    } while (after > before);
}

static struct uw_engine_statistics statistics(const struct world *world, uint32_t number)
{
    struct uw_engine_statistics statistics;
    uw_engine_statistics(world->instances[number].engine, &statistics);
    return statistics;
}

/* Whoever wraps a port and forgets an operation hears it at once, not when a rare moment wants it. */
static void test_every_operation_is_needed(void **state)
{
    (void)state;
    struct world world;
    start(&world, true);
    const struct uw_engine_options complete = {.decoder = uw_fake_decoder_port(&world.instances[0].member),
                                               .encoder = uw_fake_encoder_port(),
                                               .store = uw_fake_store_port(&world.instances[0].session),
                                               .publisher = uw_fake_publisher_port(&world.instances[0].member),
                                               .settings = &world.settings,
                                               .as_of_day = world.as_of_day};
    const struct {
        size_t offset, size; /* of a table; its context comes first */
    } tables[] = {{offsetof(struct uw_engine_options, decoder), sizeof complete.decoder},
                  {offsetof(struct uw_engine_options, encoder), sizeof complete.encoder},
                  {offsetof(struct uw_engine_options, store), sizeof complete.store},
                  {offsetof(struct uw_engine_options, publisher), sizeof complete.publisher}};
    struct uw_error error;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (size_t at = sizeof(void *); at < tables[i].size; at += sizeof(void *)) {
            struct uw_engine_options options = complete;
            struct uw_engine *engine = NULL;
            memset((char *)&options + tables[i].offset + at, 0, sizeof(void *));
            assert_int_equal(uw_engine_open(&options, &engine, &error), UW_EINTERNAL);
            assert_int_equal(error.class, UW_CLASS_FATAL);
            assert_null(engine);
        }
    }
    finish(&world);
}

/* ---- who owns a partition ---- */

/* A partition that comes back with nobody in between keeps its clients. */
static void test_the_cache_is_kept(void **state)
{
    (void)state;
    struct world world;
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    apply_all(&world, 0);
    uint64_t clients = statistics(&world, 0).cache_clients;
    assert_true(clients > 0);
    uw_instance_revoke(&world.instances[0], 0);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(statistics(&world, 0).cache_clients, clients);
    /* Another owner in between: what is in memory may be old. */
    uw_instance_revoke(&world.instances[0], 0);
    assert_int_equal(assign(&world, 1, 0), UW_PROGRESS_DONE);
    uw_instance_revoke(&world.instances[1], 0);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(statistics(&world, 0).cache_clients, 0);
    finish(&world);
}

static void test_positions(void **state)
{
    (void)state;
    struct world world;
    int64_t at[UW_TOPIC_COUNT] = {7, 7, 7, 7};
    start(&world, true);
    assert_false(uw_engine_position(world.instances[0].engine, 0, at));
    assert_int_equal(at[0], 7);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_true(uw_engine_position(world.instances[0].engine, 0, at));
    assert_int_equal(at[0], 0);
    apply_all(&world, 0);
    assert_true(uw_engine_position(world.instances[0].engine, 0, at));
    for (uint32_t topic = 0; topic < UW_TOPIC_COUNT; topic++) {
        assert_int_equal(at[topic], world.store.partitions[0].next_offset[topic]);
        assert_int_equal(at[topic], world.kafka.published_offset[0][topic]);
        assert_null(uw_fake_kafka_at(&world.kafka, (enum uw_topic)topic, 0, at[topic]));
    }
    uw_instance_revoke(&world.instances[0], 0);
    assert_false(uw_engine_position(world.instances[0].engine, 0, at));
    assert_false(uw_engine_has_positions(world.instances[0].engine));
    assert_false(uw_engine_needs_recovery(world.instances[0].engine));
    finish(&world);
}

/* Without an owner's claim nothing is written; the former owner learns it at its commit. */
static void test_a_zombie_is_fenced(void **state)
{
    (void)state;
    struct world world;
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(apply(&world, 0, 5), UW_PROGRESS_DONE);
    assert_int_equal(assign(&world, 1, 0), UW_PROGRESS_DONE);
    uint32_t facts = world.store.fact_count;
    assert_int_equal(apply(&world, 0, 5), UW_PROGRESS_LOST);
    assert_int_equal(world.store.fact_count, facts);
    assert_int_equal(apply(&world, 1, BATCH_MAX), UW_PROGRESS_DONE);
    assert_true(world.store.fact_count > facts);
    finish(&world);
}

/* Committed by the one, published by the other. */
static void test_the_next_owner_publishes(void **state)
{
    (void)state;
    struct world world;
    static struct uw_message messages[BATCH_MAX];
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    struct uw_instance *first = &world.instances[0];
    uint32_t count = uw_instance_poll(first, &world.random, BATCH_MAX, messages);
    assert_int_equal(uw_engine_apply(first->engine, messages, count, 1, &first->error), UW_OK);
    assert_true(uw_engine_has_records(first->engine));
    world.kafka.owner[0] = 1;
    assert_int_equal(uw_engine_publish(first->engine, &first->error), UW_EFENCED);
    assert_int_equal(world.kafka.committed_count, 0);
    assert_int_equal(assign(&world, 1, 0), UW_PROGRESS_DONE);
    assert_true(world.kafka.committed_count > 0);
    assert_int_equal(world.kafka.committed_count, statistics(&world, 1).recovered_records);
    assert_int_equal(world.kafka.published_sequence[0], world.store.partitions[0].next_sequence - 1);
    finish(&world);
}

/* One that stood still while another took its partition over, published there, and perhaps removed what is published.
 * Kafka's numbers are newer than its memory; it must find that out, not take the database for an old one. */
static void test_a_zombie_draws_no_conclusions(void **state)
{
    (void)state;
    for (int removed = 0; removed < 2; removed++) {
        struct world world;
        static struct uw_message messages[BATCH_MAX];
        start(&world, true);
        assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
        struct uw_instance *zombie = &world.instances[0];
        uint32_t count = uw_instance_poll(zombie, &world.random, 20, messages);
        assert_int_equal(uw_engine_apply(zombie->engine, messages, count, 1, &zombie->error), UW_OK);
        assert_true(uw_engine_has_records(zombie->engine));
        /* Its publication is cut in the middle: recovery will ask Kafka. */
        world.faults.fault = UW_FAULT_ABORT;
        world.faults.at = world.faults.calls + 1;
        assert_int_equal(uw_engine_publish(zombie->engine, &zombie->error), UW_EIO);
        assert_true(uw_engine_needs_recovery(zombie->engine));
        assert_int_equal(assign(&world, 1, 0), UW_PROGRESS_DONE);
        apply_all(&world, 1);
        int64_t published = world.kafka.published_sequence[0];
        if (removed) {
            /* It asked Kafka before the other published, and the outbox after. */
            world.kafka.published_sequence[0] = 0;
            world.store.outbox_count = 0;
        }
        uint32_t committed = world.kafka.committed_count;
        assert_int_equal(uw_engine_recover(zombie->engine, &zombie->error), UW_EFENCED);
        assert_int_equal(zombie->error.class, UW_CLASS_FENCED);
        assert_int_equal(world.kafka.committed_count, committed);
        /* Taken over anew it knows what there is. */
        world.kafka.published_sequence[0] = published;
        assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
        assert_string_equal(world.kafka.problem, "");
        finish(&world);
    }
}

/* A partition is taken between commit and publication: what belongs to the others is published by recovery. */
static void test_a_partition_is_taken_in_between(void **state)
{
    (void)state;
    struct world world;
    static struct uw_message messages[BATCH_MAX];
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(assign(&world, 0, 1), UW_PROGRESS_DONE);
    struct uw_instance *first = &world.instances[0];
    uint32_t count = uw_instance_poll(first, &world.random, BATCH_MAX, messages);
    assert_int_equal(uw_engine_apply(first->engine, messages, count, 1, &first->error), UW_OK);
    assert_true(uw_engine_has_records(first->engine));
    uw_instance_revoke(first, 0);
    assert_false(uw_engine_has_records(first->engine));
    assert_true(uw_engine_needs_recovery(first->engine));
    assert_int_equal(uw_engine_recover(first->engine, &first->error), UW_OK);
    assert_int_equal(world.kafka.published_sequence[1], world.store.partitions[1].next_sequence - 1);
    assert_int_equal(world.kafka.published_sequence[0], 0);
    assert_int_equal(assign(&world, 1, 0), UW_PROGRESS_DONE);
    assert_int_equal(world.kafka.published_sequence[0], world.store.partitions[0].next_sequence - 1);
    assert_string_equal(world.kafka.problem, "");
    finish(&world);
}

/* Positions are told once, also those of a batch without records; then there is nothing left to tell. */
static void test_positions_are_told_once(void **state)
{
    (void)state;
    struct world world;
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_true(uw_engine_has_positions(world.instances[0].engine));
    assert_int_equal(apply(&world, 0, 5), UW_PROGRESS_DONE);
    assert_false(uw_engine_has_positions(world.instances[0].engine));
    uint64_t transactions = statistics(&world, 0).transactions;
    assert_int_equal(uw_engine_publish(world.instances[0].engine, &world.instances[0].error), UW_OK);
    assert_int_equal(statistics(&world, 0).transactions, transactions);
    finish(&world);
}

/* More than one transaction holds is recovered in several, in order. */
static void test_a_long_recovery(void **state)
{
    (void)state;
    struct world world;
    enum { COUNT = 2 * UW_ENGINE_RECOVER_RECORDS + 7 };
    static struct uw_message messages[COUNT];
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    for (uint32_t i = 0; i < COUNT; i++) {
        messages[i] = (struct uw_message){.offset = i, .key = UW_STR("k"), .value = UW_STR("broken")};
    }
    struct uw_instance *first = &world.instances[0];
    assert_int_equal(uw_engine_apply(first->engine, messages, COUNT, 1, &first->error), UW_OK);
    assert_int_equal(assign(&world, 1, 0), UW_PROGRESS_DONE);
    assert_int_equal(world.kafka.committed_count, COUNT);
    assert_int_equal(world.kafka.published_sequence[0], COUNT);
    assert_string_equal(world.kafka.problem, "");
    assert_int_equal(statistics(&world, 1).recovered_records, COUNT);
    finish(&world);
}

/* Publishing is counted by Kafka's fake, for one below, at and one above what a transaction takes in recovery. */
static void test_edges_of_a_recovery(void **state)
{
    (void)state;
    enum { MOST = UW_ENGINE_RECOVER_RECORDS + 1 };
    static struct uw_message messages[MOST];
    for (uint32_t i = 0; i < MOST; i++) {
        messages[i] = (struct uw_message){.offset = i, .key = UW_STR("k"), .value = UW_STR("broken")};
    }
    for (uint32_t count = MOST - 2; count <= MOST; count++) {
        struct world world;
        start(&world, true);
        assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
        struct uw_instance *first = &world.instances[0];
        assert_int_equal(uw_engine_apply(first->engine, messages, count, 1, &first->error), UW_OK);
        uint64_t before = world.kafka.transactions;
        assert_int_equal(assign(&world, 1, 0), UW_PROGRESS_DONE);
        assert_int_equal(world.kafka.committed_count, count);
        assert_int_equal(world.kafka.transactions - before, count <= UW_ENGINE_RECOVER_RECORDS ? 1 : 2);
        finish(&world);
    }
}

/* A message of a partition that is not owned is a mistake of the caller, not data. */
static void test_a_stranger_is_not_applied(void **state)
{
    (void)state;
    struct world world;
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    struct uw_message message = {.topic = UW_TOPIC_EVALUATIONS, .partition = 1, .key = UW_STR("c1"), .value = UW_STR("1")};
    struct uw_error error = {.code = UW_OK};
    assert_int_equal(uw_engine_apply(world.instances[0].engine, &message, 1, 1, &error), UW_EINTERNAL);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_int_equal(world.store.fact_count, 0);
    finish(&world);
}

/* ---- refusals ---- */

static void test_refused_messages_go_on(void **state)
{
    (void)state;
    struct world world;
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    const struct uw_event *event = &world.hostile.events[0];
    struct uw_message messages[] = {
        {.topic = event->topic, .offset = 3, .key = event->client, .value = UW_STR("broken")},
        {.topic = event->topic, .offset = 4, .key = UW_STR("somebody"), .value = UW_STR("0")},
        {.topic = event->topic, .offset = 5, .key = UW_STR_NULL, .value = UW_STR("0")},
        {.topic = event->topic, .offset = 9, .key = event->client, .value = UW_STR("0")},
        {.topic = event->topic, .offset = 9, .key = event->client, .value = UW_STR("0")}, /* applied before */
    };
    assert_int_equal(uw_instance_apply(&world.instances[0], messages, 5), UW_PROGRESS_DONE);
    struct uw_engine_statistics counts = statistics(&world, 0);
    assert_true(counts.refused == 3 && counts.events == 1 && counts.skipped == 1 && counts.messages == 5);
    assert_int_equal(world.store.partitions[0].next_offset[event->topic], 10);
    uint32_t letters = 0;
    for (uint32_t i = 0; i < world.kafka.committed_count; i++) {
        letters += world.kafka.committed[i].output == UW_OUTPUT_DEAD_LETTERS;
    }
    assert_int_equal(letters, 3);
    finish(&world);
}

/* A batch of which everything was applied before writes nothing at all. */
static void test_nothing_new(void **state)
{
    (void)state;
    struct world world;
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    const struct uw_event *event = &world.hostile.events[0];
    struct uw_message message = {.topic = event->topic, .key = event->client, .value = UW_STR("0")};
    assert_int_equal(uw_instance_apply(&world.instances[0], &message, 1), UW_PROGRESS_DONE);
    uint64_t batches = statistics(&world, 0).batches;
    assert_int_equal(uw_instance_apply(&world.instances[0], &message, 1), UW_PROGRESS_DONE);
    assert_int_equal(uw_instance_apply(&world.instances[0], NULL, 0), UW_PROGRESS_DONE);
    assert_int_equal(statistics(&world, 0).batches, batches);
    assert_int_equal(statistics(&world, 0).skipped, 1);
    finish(&world);
}

/* Producers with different partitioners: the same client in two partitions is one clear error, whoever has them,
 * and nothing is written. */
static void test_a_client_in_two_partitions(void **state)
{
    (void)state;
    struct world world;
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(assign(&world, 0, 1), UW_PROGRESS_DONE);
    const struct uw_event *event = &world.hostile.events[0];
    struct uw_message messages[] = {{.topic = event->topic, .key = event->client, .value = UW_STR("0")},
                                    {.topic = event->topic, .partition = 1, .key = event->client, .value = UW_STR("0")}};
    struct uw_instance *instance = &world.instances[0];
    assert_int_equal(uw_instance_apply(instance, messages, 2), UW_PROGRESS_STUCK);
    assert_int_equal(instance->error.code, UW_ECONFIG);
    assert_non_null(strstr(instance->error.text, "partition"));
    assert_null(strstr(instance->error.text, "c0"));
    assert_int_equal(world.store.fact_count, 0);
    /* The same when the one was applied before. */
    assert_int_equal(uw_instance_apply(instance, &messages[0], 1), UW_PROGRESS_DONE);
    assert_int_equal(uw_instance_apply(instance, &messages[1], 1), UW_PROGRESS_STUCK);
    assert_int_equal(world.store.fact_count, 1);
    /* What is left in memory of a partition that was given up is no evidence: clients may have been moved. */
    uw_instance_revoke(instance, 0);
    assert_int_equal(uw_instance_apply(instance, &messages[1], 1), UW_PROGRESS_DONE);
    assert_int_equal(world.store.fact_count, 2);
    finish(&world);
}

/* Events that were there already are kept for the record and change nothing. */
static void test_redeliveries(void **state)
{
    (void)state;
    struct world world;
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    const struct uw_event *event = &world.hostile.events[0];
    struct uw_message message = {.topic = event->topic, .key = event->client, .value = UW_STR("0")};
    assert_int_equal(uw_instance_apply(&world.instances[0], &message, 1), UW_PROGRESS_DONE);
    uint64_t judged = statistics(&world, 0).clients_judged;
    message.offset = 1;
    assert_int_equal(uw_instance_apply(&world.instances[0], &message, 1), UW_PROGRESS_DONE);
    assert_int_equal(statistics(&world, 0).redeliveries, 1);
    assert_int_equal(statistics(&world, 0).clients_judged, judged);
    assert_int_equal(world.store.fact_count, 2);
    assert_true(!world.store.facts[0].redelivery && world.store.facts[1].redelivery);
    finish(&world);
}

/* ---- Kafka and PostgreSQL disagree ---- */

static void test_lost_offsets(void **state)
{
    (void)state;
    struct world world;
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(apply(&world, 0, 30), UW_PROGRESS_DONE);
    assert_int_equal(apply(&world, 0, BATCH_MAX), UW_PROGRESS_DONE);
    uint32_t committed = world.kafka.committed_count;
    /* PostgreSQL knows what was published before the last batch; Kafka has forgotten all of it. */
    assert_true(world.store.partitions[0].published_sequence > 0);
    assert_true(world.store.partitions[0].published_sequence < world.store.partitions[0].next_sequence - 1);
    int64_t known = world.kafka.published_sequence[0];
    world.kafka.published_sequence[0] = 0;
    assert_int_equal(assign(&world, 1, 0), UW_PROGRESS_STUCK);
    assert_int_equal(world.instances[1].error.code, UW_ECONFIG);
    assert_non_null(strstr(world.instances[1].error.text, "lost the group's offsets"));
    assert_int_equal(world.kafka.committed_count, committed);
    /* Kafka is ahead of PostgreSQL: an older database was restored. */
    world.kafka.published_sequence[0] = known + 5;
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_STUCK);
    assert_non_null(strstr(world.instances[0].error.text, "older than the topics"));
    finish(&world);
}

/* With the operator's word the last batch is published again, and nothing before it. */
static void test_lost_offsets_accepted(void **state)
{
    (void)state;
    struct world world;
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(apply(&world, 0, 20), UW_PROGRESS_DONE);
    assert_int_equal(apply(&world, 0, BATCH_MAX), UW_PROGRESS_DONE);
    int64_t stored = world.store.partitions[0].published_sequence;
    uint32_t committed = world.kafka.committed_count;
    struct uw_fake_member member = {.kafka = &world.kafka, .faults = &world.faults, .number = 1};
    struct uw_fake_session session = {&world.store, &world.faults};
    struct uw_engine *engine = NULL;
    struct uw_error error;
    const struct uw_engine_options options = {.decoder = uw_fake_decoder_port(&member),
                                              .encoder = uw_fake_encoder_port(),
                                              .store = uw_fake_store_port(&session),
                                              .publisher = uw_fake_publisher_port(&member),
                                              .settings = &world.settings,
                                              .as_of_day = world.as_of_day,
                                              .pinned = true,
                                              .accept_lost_offsets = true};
    int64_t next_offset[UW_TOPIC_COUNT];
    assert_int_equal(uw_engine_open(&options, &engine, &error), UW_OK);
    world.kafka.owner[0] = 1;
    world.kafka.published_sequence[0] = 0;
    assert_int_equal(uw_engine_claim(engine, 0, next_offset, &error), UW_OK);
    assert_int_equal(uw_engine_recover(engine, &error), UW_OK);
    assert_int_equal(world.kafka.committed_count - committed, world.store.partitions[0].next_sequence - 1 - stored);
    assert_int_equal(world.kafka.committed[committed].sequence, stored + 1);
    uw_engine_close(&engine);
    assert_null(engine);
    uw_engine_close(&engine);
    finish(&world);
}

/* Who rests or stops in good order leaves nothing to guess: Kafka may then forget what it likes. */
static void test_lost_offsets_after_a_rest(void **state)
{
    (void)state;
    struct world world;
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(apply(&world, 0, BATCH_MAX), UW_PROGRESS_DONE);
    int64_t last = world.store.partitions[0].next_sequence - 1;
    uint32_t committed = world.kafka.committed_count;
    assert_true(last > 0 && world.store.partitions[0].published_sequence < last);
    assert_true(uw_engine_has_unstored(world.instances[0].engine));
    uint64_t batches = statistics(&world, 0).batches;
    assert_int_equal(uw_instance_store_published(&world.instances[0]), UW_PROGRESS_DONE);
    assert_false(uw_engine_has_unstored(world.instances[0].engine));
    assert_true(world.store.partitions[0].published_sequence == last);
    assert_int_equal(world.store.outbox_count, 0);
    /* Nothing moved: Kafka has nothing new to be told, and it was no batch. */
    assert_false(uw_engine_has_positions(world.instances[0].engine));
    assert_int_equal(statistics(&world, 0).batches, batches);
    uint64_t calls = world.faults.calls;
    assert_int_equal(uw_instance_store_published(&world.instances[0]), UW_PROGRESS_DONE);
    assert_int_equal(world.faults.calls, calls);
    uw_instance_revoke(&world.instances[0], 0);
    world.kafka.published_sequence[0] = 0;
    assert_int_equal(assign(&world, 1, 0), UW_PROGRESS_DONE);
    assert_int_equal(world.kafka.committed_count, committed);
    finish(&world);
}

/* Behind the last event stand markers of transactions: they are passed over in the store as well, once everything before
 * them was applied, by a commit of their own or by that of the next batch. */
static void test_ends_behind_the_last_event(void **state)
{
    (void)state;
    struct world world;
    int64_t position[UW_TOPIC_COUNT], early[UW_TOPIC_COUNT], end[UW_TOPIC_COUNT];
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(apply(&world, 0, BATCH_MAX), UW_PROGRESS_DONE);
    struct uw_engine *engine = world.instances[0].engine;
    assert_int_equal(uw_instance_store_published(&world.instances[0]), UW_PROGRESS_DONE);
    assert_true(uw_engine_position(engine, 0, position));
    memcpy(early, position, sizeof early);
    memcpy(end, position, sizeof end);
    end[UW_TOPIC_EVALUATIONS] += 3;
    /* Seen from where the engine does not stand, it says nothing; nor of a partition that is not ours. */
    early[UW_TOPIC_EVALUATIONS]--;
    uw_engine_reach(engine, 0, early, end);
    uw_engine_reach(engine, 1, position, end);
    assert_false(uw_engine_has_ends(engine));
    uw_engine_reach(engine, 0, position, position);
    assert_false(uw_engine_has_ends(engine));
    uw_engine_reach(engine, 0, position, end);
    assert_true(uw_engine_has_ends(engine) && uw_engine_has_unstored(engine));
    assert_int_equal(uw_instance_store_published(&world.instances[0]), UW_PROGRESS_DONE);
    assert_false(uw_engine_has_ends(engine) || uw_engine_has_unstored(engine));
    assert_memory_equal(world.store.partitions[0].next_offset, end, sizeof end);
    assert_true(uw_engine_has_positions(engine));
    /* A successor goes on there. */
    uw_instance_revoke(&world.instances[0], 0);
    assert_false(uw_engine_has_ends(engine));
    assert_int_equal(assign(&world, 1, 0), UW_PROGRESS_DONE);
    assert_true(uw_engine_position(world.instances[1].engine, 0, position));
    assert_memory_equal(position, end, sizeof end);
    finish(&world);
}

/* A zombie cannot say what is published either. */
static void test_a_zombie_stores_nothing(void **state)
{
    (void)state;
    struct world world;
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(apply(&world, 0, BATCH_MAX), UW_PROGRESS_DONE);
    int64_t stored = world.store.partitions[0].published_sequence;
    assert_int_equal(assign(&world, 1, 0), UW_PROGRESS_DONE);
    assert_int_equal(uw_instance_store_published(&world.instances[0]), UW_PROGRESS_LOST);
    assert_true(world.store.partitions[0].published_sequence == stored);
    finish(&world);
}

/* ---- time ---- */

static void complete_due(struct world *world, uint32_t number)
{
    bool more = true;
    while (more) {
        assert_int_equal(uw_instance_due(&world->instances[number], 3, &more), UW_PROGRESS_DONE);
    }
    assert_false(uw_engine_has_due(world->instances[number].engine));
}

/* A clock that is a day behind does not pull the partition back; one that is further behind judges everybody. */
static void test_clocks_that_differ(void **state)
{
    (void)state;
    struct world world;
    start(&world, false);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(apply(&world, 0, BATCH_MAX), UW_PROGRESS_DONE);
    assert_int_equal(uw_instance_tick(&world.instances[0], world.as_of_day + 1), UW_PROGRESS_DONE);
    complete_due(&world, 0);
    assert_int_equal(world.store.partitions[0].as_of_day, world.as_of_day + 1);
    assert_int_equal(assign(&world, 1, 0), UW_PROGRESS_DONE);
    uint64_t judged = statistics(&world, 1).clients_judged;
    complete_due(&world, 1);
    assert_int_equal(world.store.partitions[0].as_of_day, world.as_of_day + 1);
    assert_int_equal(statistics(&world, 1).clients_judged, judged);
    assert_int_equal(uw_instance_tick(&world.instances[1], world.as_of_day - 1), UW_PROGRESS_DONE);
    complete_due(&world, 1);
    assert_int_equal(world.store.partitions[0].as_of_day, world.as_of_day - 1);
    assert_true(statistics(&world, 1).clients_judged > judged);
    finish(&world);
}

/* A new day without a client that is due is still written: `progress` shows it. */
static void test_a_day_without_work(void **state)
{
    (void)state;
    struct world world;
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    complete_due(&world, 0);
    assert_int_equal(world.store.partitions[0].as_of_day, world.as_of_day);
    assert_int_equal(uw_instance_tick(&world.instances[0], world.as_of_day + 3), UW_PROGRESS_DONE);
    complete_due(&world, 0);
    assert_int_equal(world.store.partitions[0].as_of_day, world.as_of_day + 3);
    uint64_t batches = statistics(&world, 0).batches;
    complete_due(&world, 0);
    assert_int_equal(statistics(&world, 0).batches, batches);
    finish(&world);
}

/* Everybody is judged again by new thresholds, once, and nobody by the same ones. */
static void test_new_thresholds(void **state)
{
    (void)state;
    struct world world;
    char text[UW_LAW_TEXT_BYTES];
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(assign(&world, 0, 1), UW_PROGRESS_DONE);
    apply_all(&world, 0);
    complete_due(&world, 0);
    struct uw_settings same = world.settings, other = uw_threshold_choice(1, NULL);
    assert_int_equal(uw_instance_replace_settings(&world.instances[0], &same), UW_PROGRESS_DONE);
    assert_false(uw_engine_has_due(world.instances[0].engine));
    assert_int_equal(uw_instance_replace_settings(&world.instances[0], &other), UW_PROGRESS_DONE);
    assert_true(uw_engine_has_due(world.instances[0].engine));
    uint64_t judged = statistics(&world, 0).clients_judged;
    complete_due(&world, 0);
    assert_int_equal(statistics(&world, 0).clients_judged - judged, world.store.clients.count);
    assert_true(uw_law_holds(&world.store, &world.kafka, &other, world.as_of_day, text));
    finish(&world);
}

/* Of a partition that is far behind, clients that were never judged are judged once, when all of it is there. Then every
 * alert has its first revision, which it has not when each batch is judged. */
static void test_a_backlog_is_judged_at_its_end(void **state)
{
    (void)state;
    struct world world;
    for (int behind = 0; behind < 2; behind++) {
        start(&world, true);
        assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
        assert_int_equal(assign(&world, 0, 1), UW_PROGRESS_DONE);
        uw_engine_fall_behind(world.instances[0].engine, behind ? 0 : -1);
        bool more = true;
        for (uint32_t steps = 0; steps < 400; steps++) {
            assert_int_equal(apply(&world, 0, 3), UW_PROGRESS_DONE);
            assert_int_equal(uw_instance_due(&world.instances[0], 2, &more), UW_PROGRESS_DONE);
        }
        uint32_t waiting = 0, judged = 0, revised = 0;
        for (uint32_t i = 0; i < world.store.clients.count; i++) {
            const struct uw_fake_client *client = uw_table_row(&world.store.clients, i);
            waiting += client->rules_version == 0 && client->next_change_day == UW_DAY_BEFORE_ALL;
            judged += client->rules_version > 0;
            assert_int_equal(client->rules_version == 0, behind && client->partition == 0);
        }
        assert_int_equal(waiting > 0, behind);
        assert_true(judged > 0);
        uw_engine_fall_behind(world.instances[0].engine, -1);
        assert_int_equal(uw_engine_has_due(world.instances[0].engine), behind);
        for (more = true; more;) {
            assert_int_equal(uw_instance_due(&world.instances[0], 2, &more), UW_PROGRESS_DONE);
        }
        for (uint32_t i = 0; i < world.store.alerts.count; i++) {
            const struct uw_alert_change *alert = uw_table_row(&world.store.alerts, i);
            char name[16];
            snprintf(name, sizeof name, "%.*s", (int)alert->client.length, alert->client.data);
            const struct uw_fake_client *client = uw_table_find(&world.store.clients, name);
            revised += (!behind || client->partition == 0) && alert->revision > 1;
        }
        assert_int_equal(revised > 0, !behind);
        char text[UW_LAW_TEXT_BYTES];
        assert_true(uw_law_holds(&world.store, &world.kafka, &world.settings, world.as_of_day, text));
        finish(&world);
    }
}

/* One that waited, and whose instance ended, is judged by the next event as by the next occasion. */
static void test_what_waits_is_judged_with_its_next_event(void **state)
{
    (void)state;
    struct world world;
    start(&world, true);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(assign(&world, 0, 1), UW_PROGRESS_DONE);
    uw_engine_fall_behind(world.instances[0].engine, 0);
    assert_int_equal(apply(&world, 0, 40), UW_PROGRESS_DONE);
    uw_instance_close(&world.instances[0]);
    open_instance(&world, 0);
    assert_int_equal(assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(assign(&world, 0, 1), UW_PROGRESS_DONE);
    assert_true(uw_engine_has_due(world.instances[0].engine));
    apply_all(&world, 0);
    bool more = true;
    while (more) {
        assert_int_equal(uw_instance_due(&world.instances[0], 2, &more), UW_PROGRESS_DONE);
    }
    char text[UW_LAW_TEXT_BYTES];
    assert_true(uw_law_holds(&world.store, &world.kafka, &world.settings, world.as_of_day, text));
    finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_operation_is_needed),
        cmocka_unit_test(test_the_cache_is_kept),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_a_zombie_is_fenced),
        cmocka_unit_test(test_the_next_owner_publishes),
        cmocka_unit_test(test_a_zombie_draws_no_conclusions),
        cmocka_unit_test(test_a_partition_is_taken_in_between),
        cmocka_unit_test(test_positions_are_told_once),
        cmocka_unit_test(test_a_long_recovery),
        cmocka_unit_test(test_edges_of_a_recovery),
        cmocka_unit_test(test_a_stranger_is_not_applied),
        cmocka_unit_test(test_refused_messages_go_on),
        cmocka_unit_test(test_nothing_new),
        cmocka_unit_test(test_a_client_in_two_partitions),
        cmocka_unit_test(test_redeliveries),
        cmocka_unit_test(test_lost_offsets),
        cmocka_unit_test(test_lost_offsets_after_a_rest),
        cmocka_unit_test(test_ends_behind_the_last_event),
        cmocka_unit_test(test_a_zombie_stores_nothing),
        cmocka_unit_test(test_lost_offsets_accepted),
        cmocka_unit_test(test_clocks_that_differ),
        cmocka_unit_test(test_a_day_without_work),
        cmocka_unit_test(test_new_thresholds),
        cmocka_unit_test(test_a_backlog_is_judged_at_its_end),
        cmocka_unit_test(test_what_waits_is_judged_with_its_next_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
