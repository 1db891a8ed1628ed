/* core/engine.h: what it claims, keeps, refuses and gives up, one thing at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/law.h"
#include "tests/support/world.h"

/* Whoever wraps a port and forgets an operation hears it at once, not when a rare moment wants it. */
static void test_every_operation_is_needed(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
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
    world_finish(&world);
}

/* ---- who owns a partition ---- */

/* A partition that comes back with nobody in between keeps its clients. */
static void test_the_cache_is_kept(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    world_apply_all(&world, 0);
    uint64_t clients = world_statistics(&world, 0).cache_clients;
    assert_true(clients > 0);
    uw_instance_revoke(&world.instances[0], 0);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_statistics(&world, 0).cache_clients, clients);
    /* Another owner in between: what is in memory may be old. */
    uw_instance_revoke(&world.instances[0], 0);
    assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_DONE);
    uw_instance_revoke(&world.instances[1], 0);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_statistics(&world, 0).cache_clients, 0);
    world_finish(&world);
}

static void test_positions(void **state)
{
    (void)state;
    struct world world;
    int64_t at[UW_TOPIC_COUNT] = {7, 7, 7, 7};
    world_start(&world, true);
    assert_false(uw_engine_position(world.instances[0].engine, 0, at));
    assert_int_equal(at[0], 7);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_true(uw_engine_position(world.instances[0].engine, 0, at));
    assert_int_equal(at[0], 0);
    world_apply_all(&world, 0);
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
    world_finish(&world);
}

/* Without an owner's claim nothing is written; the former owner learns it at its commit. */
static void test_a_zombie_is_fenced(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_apply(&world, 0, 5), UW_PROGRESS_DONE);
    assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_DONE);
    uint32_t facts = world.store.fact_count;
    assert_int_equal(world_apply(&world, 0, 5), UW_PROGRESS_LOST);
    assert_int_equal(world.store.fact_count, facts);
    assert_int_equal(world_apply(&world, 1, WORLD_BATCH_MAX), UW_PROGRESS_DONE);
    assert_true(world.store.fact_count > facts);
    world_finish(&world);
}

/* Committed by the one, published by the other. */
static void test_the_next_owner_publishes(void **state)
{
    (void)state;
    struct world world;
    static struct uw_message messages[WORLD_BATCH_MAX];
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    struct uw_instance *first = &world.instances[0];
    uint32_t count = uw_instance_poll(first, &world.random, WORLD_BATCH_MAX, messages);
    assert_int_equal(uw_engine_apply(first->engine, messages, count, 1, &first->error), UW_OK);
    assert_true(uw_engine_has_records(first->engine));
    world.kafka.owner[0] = 1;
    assert_int_equal(uw_engine_publish(first->engine, &first->error), UW_EFENCED);
    assert_int_equal(world.kafka.committed_count, 0);
    assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_DONE);
    assert_true(world.kafka.committed_count > 0);
    assert_int_equal(world.kafka.committed_count, world_statistics(&world, 1).recovered_records);
    assert_int_equal(world.kafka.published_sequence[0], world.store.partitions[0].next_sequence - 1);
    world_finish(&world);
}

/* One that stood still while another took its partition over, published there, and perhaps removed what is published.
 * Kafka's numbers are newer than its memory; it must find that out, not take the database for an old one. */
static void test_a_zombie_draws_no_conclusions(void **state)
{
    (void)state;
    enum { KNOWN, REMOVED, FORGOTTEN, COUNT };
    for (int what = KNOWN; what < COUNT; what++) {
        struct world world;
        static struct uw_message messages[WORLD_BATCH_MAX];
        world_start(&world, true);
        assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
        struct uw_instance *zombie = &world.instances[0];
        assert_int_equal(world_apply(&world, 0, 20), UW_PROGRESS_DONE);
        int64_t told = world.kafka.told_sequence[0];
        assert_true(told > 0);
        uint32_t count = uw_instance_poll(zombie, &world.random, 20, messages);
        assert_int_equal(uw_engine_apply(zombie->engine, messages, count, 1, &zombie->error), UW_OK);
        assert_true(uw_engine_has_records(zombie->engine));
        /* Its publication is cut in the middle: recovery will ask Kafka. */
        world.faults.fault = UW_FAULT_ABORT;
        world.faults.at = world.faults.calls + 1;
        assert_int_equal(uw_engine_publish(zombie->engine, &zombie->error), UW_EIO);
        assert_true(uw_engine_needs_recovery(zombie->engine));
        assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_DONE);
        world_apply_all(&world, 1);
        int64_t published = world.kafka.told_sequence[0];
        if (what == REMOVED) {
            /* It asked Kafka before the other published, and the outbox after. */
            world.kafka.told_sequence[0] = told;
            world.store.outbox_count = 0;
        } else if (what == FORGOTTEN) {
            world.kafka.told_sequence[0] = 0;
        }
        uint32_t committed = world.kafka.committed_count;
        assert_int_equal(uw_engine_recover(zombie->engine, &zombie->error), UW_EFENCED);
        assert_int_equal(zombie->error.class, UW_CLASS_FENCED);
        assert_int_equal(world.kafka.committed_count, committed);
        assert_int_equal(world.kafka.searches, 0);
        /* Taken over anew it knows what there is. */
        world.kafka.told_sequence[0] = published;
        assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
        assert_string_equal(world.kafka.problem, "");
        world_finish(&world);
    }
}

/* A partition is taken between commit and publication: what belongs to the others is published by recovery. */
static void test_a_partition_is_taken_in_between(void **state)
{
    (void)state;
    struct world world;
    static struct uw_message messages[WORLD_BATCH_MAX];
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_assign(&world, 0, 1), UW_PROGRESS_DONE);
    struct uw_instance *first = &world.instances[0];
    uint32_t count = uw_instance_poll(first, &world.random, WORLD_BATCH_MAX, messages);
    assert_int_equal(uw_engine_apply(first->engine, messages, count, 1, &first->error), UW_OK);
    assert_true(uw_engine_has_records(first->engine));
    uw_instance_revoke(first, 0);
    assert_false(uw_engine_has_records(first->engine));
    assert_true(uw_engine_needs_recovery(first->engine));
    assert_int_equal(uw_engine_recover(first->engine, &first->error), UW_OK);
    assert_int_equal(world.kafka.published_sequence[1], world.store.partitions[1].next_sequence - 1);
    assert_int_equal(world.kafka.published_sequence[0], 0);
    assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_DONE);
    assert_int_equal(world.kafka.published_sequence[0], world.store.partitions[0].next_sequence - 1);
    assert_string_equal(world.kafka.problem, "");
    world_finish(&world);
}

/* Positions are told once, also those of a batch without records; then there is nothing left to tell. */
static void test_positions_are_told_once(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_true(uw_engine_has_positions(world.instances[0].engine));
    assert_int_equal(world_apply(&world, 0, 5), UW_PROGRESS_DONE);
    assert_false(uw_engine_has_positions(world.instances[0].engine));
    uint64_t transactions = world_statistics(&world, 0).transactions;
    assert_int_equal(uw_engine_publish(world.instances[0].engine, &world.instances[0].error), UW_OK);
    assert_int_equal(world_statistics(&world, 0).transactions, transactions);
    world_finish(&world);
}

/* More than one transaction holds is recovered in several, in order. */
static void test_a_long_recovery(void **state)
{
    (void)state;
    struct world world;
    enum { COUNT = 2 * UW_ENGINE_RECOVER_RECORDS + 7 };
    static struct uw_message messages[COUNT];
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    for (uint32_t i = 0; i < COUNT; i++) {
        messages[i] = (struct uw_message){.offset = i, .key = UW_STR("k"), .value = UW_STR("broken")};
    }
    struct uw_instance *first = &world.instances[0];
    assert_int_equal(uw_engine_apply(first->engine, messages, COUNT, 1, &first->error), UW_OK);
    assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_DONE);
    assert_int_equal(world.kafka.committed_count, COUNT);
    assert_int_equal(world.kafka.published_sequence[0], COUNT);
    assert_string_equal(world.kafka.problem, "");
    assert_int_equal(world_statistics(&world, 1).recovered_records, COUNT);
    world_finish(&world);
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
        world_start(&world, true);
        assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
        struct uw_instance *first = &world.instances[0];
        assert_int_equal(uw_engine_apply(first->engine, messages, count, 1, &first->error), UW_OK);
        uint64_t before = world.kafka.transactions;
        assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_DONE);
        assert_int_equal(world.kafka.committed_count, count);
        assert_int_equal(world.kafka.transactions - before, count <= UW_ENGINE_RECOVER_RECORDS ? 1 : 2);
        world_finish(&world);
    }
}

/* A message of a partition that is not owned is a mistake of the caller, not data. */
static void test_a_stranger_is_not_applied(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    struct uw_message message = {.topic = UW_TOPIC_EVALUATIONS, .partition = 1, .key = UW_STR("c1"), .value = UW_STR("1")};
    struct uw_error error = {.code = UW_OK};
    assert_int_equal(uw_engine_apply(world.instances[0].engine, &message, 1, 1, &error), UW_EINTERNAL);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_int_equal(world.store.fact_count, 0);
    world_finish(&world);
}

/* ---- refusals ---- */

static void test_refused_messages_go_on(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    const struct uw_event *event = &world.hostile.events[0];
    struct uw_message messages[] = {
        {.topic = event->topic, .offset = 3, .key = event->client, .value = UW_STR("broken")},
        {.topic = event->topic, .offset = 4, .key = UW_STR("somebody"), .value = UW_STR("0")},
        {.topic = event->topic, .offset = 5, .key = UW_STR_NULL, .value = UW_STR("0")},
        {.topic = event->topic, .offset = 9, .key = event->client, .value = UW_STR("0")},
        {.topic = event->topic, .offset = 9, .key = event->client, .value = UW_STR("0")}, /* applied before */
    };
    assert_int_equal(uw_instance_apply(&world.instances[0], messages, 5), UW_PROGRESS_DONE);
    struct uw_engine_statistics counts = world_statistics(&world, 0);
    assert_true(counts.refused == 3 && counts.events == 1 && counts.skipped == 1 && counts.messages == 5);
    assert_int_equal(world.store.partitions[0].next_offset[event->topic], 10);
    uint32_t letters = 0;
    for (uint32_t i = 0; i < world.kafka.committed_count; i++) {
        letters += world.kafka.committed[i].output == UW_OUTPUT_DEAD_LETTERS;
    }
    assert_int_equal(letters, 3);
    world_finish(&world);
}

/* A batch of which everything was applied before writes nothing at all. */
static void test_nothing_new(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    const struct uw_event *event = &world.hostile.events[0];
    struct uw_message message = {.topic = event->topic, .key = event->client, .value = UW_STR("0")};
    assert_int_equal(uw_instance_apply(&world.instances[0], &message, 1), UW_PROGRESS_DONE);
    uint64_t batches = world_statistics(&world, 0).batches;
    assert_int_equal(uw_instance_apply(&world.instances[0], &message, 1), UW_PROGRESS_DONE);
    assert_int_equal(uw_instance_apply(&world.instances[0], NULL, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_statistics(&world, 0).batches, batches);
    assert_int_equal(world_statistics(&world, 0).skipped, 1);
    world_finish(&world);
}

/* Producers with different partitioners: the same client in two partitions is one clear error, whoever has them,
 * and nothing is written. */
static void test_a_client_in_two_partitions(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_assign(&world, 0, 1), UW_PROGRESS_DONE);
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
    world_finish(&world);
}

/* Events that were there already are kept for the record and change nothing. */
static void test_redeliveries(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    const struct uw_event *event = &world.hostile.events[0];
    struct uw_message message = {.topic = event->topic, .key = event->client, .value = UW_STR("0")};
    assert_int_equal(uw_instance_apply(&world.instances[0], &message, 1), UW_PROGRESS_DONE);
    uint64_t judged = world_statistics(&world, 0).clients_judged;
    message.offset = 1;
    assert_int_equal(uw_instance_apply(&world.instances[0], &message, 1), UW_PROGRESS_DONE);
    assert_int_equal(world_statistics(&world, 0).redeliveries, 1);
    assert_int_equal(world_statistics(&world, 0).clients_judged, judged);
    assert_int_equal(world.store.fact_count, 2);
    assert_true(!world.store.facts[0].redelivery && world.store.facts[1].redelivery);
    world_finish(&world);
}

/* ---- Kafka and PostgreSQL disagree ---- */

static void test_the_database_is_older(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_apply(&world, 0, 30), UW_PROGRESS_DONE);
    uint32_t committed = world.kafka.committed_count;
    world.kafka.told_sequence[0] += 5;
    assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_STUCK);
    assert_int_equal(world.instances[1].error.code, UW_ECONFIG);
    assert_non_null(strstr(world.instances[1].error.text, "older than the topics"));
    assert_int_equal(world.kafka.committed_count, committed);
    world_finish(&world);
}

/* What the group's offsets say, when they are not what they were. */
enum told { TOLD_NOTHING, TOLD_OLDER, TOLD_ALL };
#define TOLD_COUNT 3

/* Partition 0 with records that PostgreSQL knows as published, and others of which it does not; none of those is
 * published. The owner goes on to be instance 0. Returns how many they are. */
static uint32_t leave_records(struct world *world, enum told told)
{
    static struct uw_message messages[WORLD_BATCH_MAX];
    struct uw_instance *owner = &world->instances[0];
    world_start(world, true);
    world->kafka.search_steps = 2;
    assert_int_equal(world_assign(world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_apply(world, 0, 20), UW_PROGRESS_DONE);
    int64_t older = world->kafka.told_sequence[0];
    assert_int_equal(world_apply(world, 0, 20), UW_PROGRESS_DONE);
    uint32_t count = uw_instance_poll(owner, &world->random, WORLD_BATCH_MAX, messages);
    assert_int_equal(uw_engine_apply(owner->engine, messages, count, 1, &owner->error), UW_OK);
    int64_t stored = world->store.partitions[0].published_sequence;
    assert_true(0 < older && older < stored && stored == world->kafka.published_sequence[0]);
    if (told != TOLD_ALL) {
        world->kafka.told_sequence[0] = told == TOLD_OLDER ? older : 0;
    }
    assert_true(world->store.outbox_count > 10);
    assert_true(world->store.outbox[0].sequence == stored + 1);
    return world->store.outbox_count;
}

/* As a transaction of the owner has it that the group's offsets have forgotten. */
static void publish_some(struct world *world, uint32_t count)
{
    struct uw_fake_member *owner = &world->instances[0].member;
    const struct uw_publisher port = uw_fake_publisher_port(owner);
    int64_t told = world->kafka.told_sequence[0];
    struct uw_published position = {.partition = 0, .sequence = world->kafka.published_sequence[0] + count};
    struct uw_error error;
    memcpy(position.next_offset, world->kafka.published_offset[0], sizeof position.next_offset);
    assert_int_equal(port.start(port.context, world->store.outbox, count, &position, 1, &error), UW_OK);
    assert_int_equal(port.finish(port.context, &error), UW_OK);
    world->kafka.told_sequence[0] = told;
}

/* None, some, and all of the records were published; the topics say which, and the rest follows. */
static void test_lost_offsets(void **state)
{
    (void)state;
    struct world world;
    for (enum told told = TOLD_NOTHING; told < TOLD_COUNT; told++) {
        for (uint32_t part = 0; part < 3; part++) {
            uint32_t count = leave_records(&world, told);
            uint32_t published = part * count / 2;
            if (told == TOLD_ALL && part > 0) {
                world_finish(&world);
                continue; /* Kafka knows it then */
            }
            publish_some(&world, published);
            uint32_t committed = world.kafka.committed_count;
            assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_DONE);
            assert_int_equal(world.kafka.committed_count - committed, count - published);
            assert_int_equal(world.kafka.published_sequence[0], world.store.partitions[0].next_sequence - 1);
            assert_string_equal(world.kafka.problem, "");
            assert_int_equal(world.kafka.searches, told != TOLD_ALL);
            assert_int_equal(world_statistics(&world, 1).searches, told != TOLD_ALL);
            assert_int_equal(world_statistics(&world, 1).recovered_records, count - published);
            /* What was found is told to both, and asked no more. */
            world_apply_all(&world, 1);
            assert_int_equal(uw_instance_store_published(&world.instances[1]), UW_PROGRESS_DONE);
            assert_true(world.kafka.told_sequence[0] == world.kafka.published_sequence[0]);
            uw_instance_revoke(&world.instances[0], 0);
            assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
            assert_int_equal(world.kafka.searches, told != TOLD_ALL);
            assert_string_equal(world.kafka.problem, "");
            world_finish(&world);
        }
    }
}

/* Before PostgreSQL has heard of the first publication, a group without offsets says nothing: was there one? */
static void test_lost_offsets_at_first(void **state)
{
    (void)state;
    struct world world;
    static struct uw_message messages[WORLD_BATCH_MAX];
    for (uint32_t published = 0; published < 2; published++) {
        world_start(&world, true);
        struct uw_instance *first = &world.instances[0];
        assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
        uint32_t count = uw_instance_poll(first, &world.random, 50, messages);
        assert_int_equal(uw_engine_apply(first->engine, messages, count, 1, &first->error), UW_OK);
        assert_true(world.store.partitions[0].published_sequence == 0 && world.store.outbox_count > 0);
        if (published) {
            assert_int_equal(uw_engine_publish(first->engine, &first->error), UW_OK);
        }
        world.kafka.told_sequence[0] = 0;
        assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_DONE);
        assert_int_equal(world.kafka.searches, 1);
        assert_int_equal(world.kafka.committed_count, world.store.outbox_count);
        assert_string_equal(world.kafka.problem, "");
        world_finish(&world);
    }
}

/* What cannot be found out is asked again; nothing is published before. */
static void test_a_search_that_fails(void **state)
{
    (void)state;
    struct world world;
    for (uint32_t step = 0; step < 3; step++) {
        uint32_t count = leave_records(&world, TOLD_NOTHING);
        uint32_t committed = world.kafka.committed_count;
        struct uw_instance *second = &world.instances[1];
        int64_t next_offset[UW_TOPIC_COUNT];
        world.kafka.owner[0] = 1;
        assert_int_equal(uw_engine_claim(second->engine, 0, next_offset, &second->error), UW_OK);
        for (uint32_t i = 0; i < step; i++) {
            assert_int_equal(uw_engine_recover(second->engine, &second->error), UW_OK);
            assert_true(uw_engine_needs_recovery(second->engine));
        }
        /* The search is the last call of a step: before it come questions to Kafka, the database, and for the outbox. */
        world.faults.fault = UW_FAULT_RETRY;
        world.faults.at = world.faults.calls + (step == 0 ? 4 : 2);
        assert_int_equal(uw_engine_recover(second->engine, &second->error), UW_EIO);
        assert_int_equal(second->error.class, UW_CLASS_RETRY);
        assert_true(uw_engine_needs_recovery(second->engine));
        assert_int_equal(world.kafka.searches, 0);
        assert_int_equal(world.kafka.committed_count, committed);
        while (uw_engine_needs_recovery(second->engine)) {
            assert_int_equal(uw_engine_recover(second->engine, &second->error), UW_OK);
        }
        assert_int_equal(world.kafka.searches, 1);
        assert_int_equal(world.kafka.committed_count - committed, count);
        assert_string_equal(world.kafka.problem, "");
        world_finish(&world);
    }
}

/* A search that was begun is forgotten with the partition: others may have published meanwhile. */
static void test_a_search_ends_with_the_partition(void **state)
{
    (void)state;
    struct world world;
    uint32_t count = leave_records(&world, TOLD_OLDER);
    uint32_t committed = world.kafka.committed_count;
    struct uw_instance *second = &world.instances[1];
    int64_t next_offset[UW_TOPIC_COUNT];
    assert_int_equal(uw_engine_claim(second->engine, 0, next_offset, &second->error), UW_OK);
    assert_int_equal(uw_engine_recover(second->engine, &second->error), UW_OK);
    assert_true(uw_engine_needs_recovery(second->engine));
    uw_engine_release(second->engine, 0);
    publish_some(&world, count);
    assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_DONE);
    assert_int_equal(world.kafka.searches, 1);
    assert_int_equal(world.kafka.committed_count - committed, count);
    assert_string_equal(world.kafka.problem, "");
    world_finish(&world);
}

/* Two partitions in doubt are searched for one after the other, and more records than one search takes in turns. */
static void test_many_searches(void **state)
{
    (void)state;
    enum { COUNT = 2 * UW_ENGINE_RECOVER_RECORDS + 7, PUBLISHED = UW_ENGINE_RECOVER_RECORDS + 3 };
    static struct uw_message messages[COUNT];
    struct world world;
    world_start(&world, true);
    world.kafka.search_steps = 1;
    struct uw_instance *first = &world.instances[0], *second = &world.instances[1];
    for (uint32_t i = 0; i < COUNT; i++) {
        messages[i] = (struct uw_message){.partition = i % 100 == 0, .offset = i, .key = UW_STR("k"),
                                          .value = UW_STR("broken")};
    }
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_assign(&world, 0, 1), UW_PROGRESS_DONE);
    assert_int_equal(uw_engine_apply(first->engine, messages, COUNT, 1, &first->error), UW_OK);
    /* The first of partition 0 stand in the topic; of partition 1 nothing does. */
    const struct uw_publisher port = uw_fake_publisher_port(&first->member);
    static struct uw_outbox_record records[PUBLISHED];
    struct uw_published position = {.partition = 0, .sequence = PUBLISHED};
    for (uint32_t i = 0, found = 0; found < PUBLISHED; i++) {
        if (world.store.outbox[i].partition == 0) {
            records[found++] = world.store.outbox[i];
        }
    }
    assert_int_equal(port.start(port.context, records, PUBLISHED, &position, 1, &first->error), UW_OK);
    assert_int_equal(port.finish(port.context, &first->error), UW_OK);
    world.kafka.told_sequence[0] = 0;
    int64_t next_offset[UW_TOPIC_COUNT];
    for (int32_t i = 0; i < 2; i++) {
        world.kafka.owner[i] = 1;
        assert_int_equal(uw_engine_claim(second->engine, i, next_offset, &second->error), UW_OK);
    }
    while (uw_engine_needs_recovery(second->engine)) {
        assert_int_equal(uw_engine_recover(second->engine, &second->error), UW_OK);
    }
    assert_int_equal(world.kafka.searches, 3);
    assert_int_equal(world_statistics(&world, 1).searches, 2);
    assert_int_equal(world.kafka.committed_count, COUNT);
    assert_string_equal(world.kafka.problem, "");
    world_finish(&world);
}

static void forget_committed(struct world *world, uint32_t place)
{
    struct uw_outbox_record *committed = world->kafka.committed;
    memmove(&committed[place], &committed[place + 1],
            (--world->kafka.committed_count - place) * sizeof *committed);
}

/* One that stands in its topic proves those before it, which retention may have deleted since; but a dead letter alone
 * proves nothing: it may be that of an earlier database. */
static void test_what_proves_a_publication(void **state)
{
    (void)state;
    struct world world;
    for (uint32_t letter = 0; letter < 2; letter++) {
        uint32_t count = leave_records(&world, TOLD_NOTHING);
        uint32_t before = world.kafka.committed_count;
        for (uint32_t i = 0; i < 4; i++) {
            world.store.outbox[i].output = i == 3 && letter ? UW_OUTPUT_DEAD_LETTERS : UW_OUTPUT_ALERTS;
        }
        publish_some(&world, 4);
        forget_committed(&world, before);
        if (letter) {
            /* Only the dead letter is left of the four. */
            forget_committed(&world, before);
            forget_committed(&world, before);
            world.kafka.published_sequence[0] -= 4;
        }
        before = world.kafka.committed_count;
        assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_DONE);
        assert_int_equal(world.kafka.committed_count - before, letter ? count : count - 4);
        assert_string_equal(world.kafka.problem, "");
        world_finish(&world);
    }
}

/* With the operator's word the last batch is published again, and nothing before it. */
static void test_lost_offsets_accepted(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_apply(&world, 0, 20), UW_PROGRESS_DONE);
    assert_int_equal(world_apply(&world, 0, WORLD_BATCH_MAX), UW_PROGRESS_DONE);
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
    world.kafka.told_sequence[0] = 0;
    /* The record's number is checked by the fake: it is told what is published anew. */
    world.kafka.published_sequence[0] = stored;
    assert_int_equal(uw_engine_claim(engine, 0, next_offset, &error), UW_OK);
    assert_int_equal(uw_engine_recover(engine, &error), UW_OK);
    assert_int_equal(world.kafka.committed_count - committed, world.store.partitions[0].next_sequence - 1 - stored);
    assert_int_equal(world.kafka.committed[committed].sequence, stored + 1);
    uw_engine_close(&engine);
    assert_null(engine);
    uw_engine_close(&engine);
    world_finish(&world);
}

/* Who rests or stops in good order leaves nothing to guess: Kafka may then forget what it likes. */
static void test_lost_offsets_after_a_rest(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_apply(&world, 0, WORLD_BATCH_MAX), UW_PROGRESS_DONE);
    int64_t last = world.store.partitions[0].next_sequence - 1;
    uint32_t committed = world.kafka.committed_count;
    assert_true(last > 0 && world.store.partitions[0].published_sequence < last);
    assert_true(uw_engine_has_unstored(world.instances[0].engine));
    uint64_t batches = world_statistics(&world, 0).batches;
    assert_int_equal(uw_instance_store_published(&world.instances[0]), UW_PROGRESS_DONE);
    assert_false(uw_engine_has_unstored(world.instances[0].engine));
    assert_true(world.store.partitions[0].published_sequence == last);
    assert_int_equal(world.store.outbox_count, 0);
    /* Nothing moved: Kafka has nothing new to be told, and it was no batch. */
    assert_false(uw_engine_has_positions(world.instances[0].engine));
    assert_int_equal(world_statistics(&world, 0).batches, batches);
    uint64_t calls = world.faults.calls;
    assert_int_equal(uw_instance_store_published(&world.instances[0]), UW_PROGRESS_DONE);
    assert_int_equal(world.faults.calls, calls);
    uw_instance_revoke(&world.instances[0], 0);
    world.kafka.told_sequence[0] = 0;
    assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_DONE);
    assert_int_equal(world.kafka.committed_count, committed);
    assert_int_equal(world.kafka.searches, 0);
    world_finish(&world);
}

/* Behind the last event stand markers of transactions: they are passed over in the store as well, once everything before
 * them was applied, by a commit of their own or by that of the next batch. */
static void test_ends_behind_the_last_event(void **state)
{
    (void)state;
    struct world world;
    int64_t position[UW_TOPIC_COUNT], early[UW_TOPIC_COUNT], end[UW_TOPIC_COUNT];
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_apply(&world, 0, WORLD_BATCH_MAX), UW_PROGRESS_DONE);
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
    assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_DONE);
    assert_true(uw_engine_position(world.instances[1].engine, 0, position));
    assert_memory_equal(position, end, sizeof end);
    world_finish(&world);
}

/* A zombie cannot say what is published either. */
static void test_a_zombie_stores_nothing(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_apply(&world, 0, WORLD_BATCH_MAX), UW_PROGRESS_DONE);
    int64_t stored = world.store.partitions[0].published_sequence;
    assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_DONE);
    assert_int_equal(uw_instance_store_published(&world.instances[0]), UW_PROGRESS_LOST);
    assert_true(world.store.partitions[0].published_sequence == stored);
    world_finish(&world);
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
        cmocka_unit_test(test_the_database_is_older),
        cmocka_unit_test(test_lost_offsets),
        cmocka_unit_test(test_lost_offsets_at_first),
        cmocka_unit_test(test_a_search_that_fails),
        cmocka_unit_test(test_a_search_ends_with_the_partition),
        cmocka_unit_test(test_many_searches),
        cmocka_unit_test(test_what_proves_a_publication),
        cmocka_unit_test(test_lost_offsets_after_a_rest),
        cmocka_unit_test(test_ends_behind_the_last_event),
        cmocka_unit_test(test_a_zombie_stores_nothing),
        cmocka_unit_test(test_lost_offsets_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
