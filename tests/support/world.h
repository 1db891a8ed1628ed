/*
 * Two instances of the engine on one store and one Kafka in memory, with the events of five clients in two partitions:
 * what the tests of core/engine.h begin with.
 */
#ifndef UW_TESTS_WORLD_H
#define UW_TESTS_WORLD_H

#include <string.h>

#include "tests/support/instance.h"
#include "tests/support/thresholds.h"

#define WORLD_BATCH_MAX 500u

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
    size_t cache_max_bytes;
    uint32_t due_clients, due_facts;
};

static inline void world_open_instance(struct world *world, uint32_t number)
{
    const struct uw_instance_options options = {.store = &world->store,
                                                .kafka = &world->kafka,
                                                .faults = &world->faults,
                                                .settings = &world->settings,
                                                .number = (int32_t)number,
                                                .as_of_day = world->as_of_day,
                                                .pinned = world->pinned,
                                                .cache_max_bytes = world->cache_max_bytes,
                                                .due_clients = world->due_clients,
                                                .due_facts = world->due_facts};
    uw_instance_open(&world->instances[number], &options);
}

static inline void world_start(struct world *world, bool pinned)
{
    memset(world, 0, sizeof *world);
    uw_hostile_make(&world->hostile, 4, 5, 200);
    uw_fake_kafka_init(&world->kafka, &world->hostile, 2, 4);
    uw_fake_store_init(&world->store, 4);
    uw_thresholds_default(&world->settings.defaults);
    world->random = uw_random_from(4);
    world->pinned = pinned;
    world->as_of_day = world->hostile.as_of_day;
    world->cache_max_bytes = (size_t)1 << 30;
    world_open_instance(world, 0);
    world_open_instance(world, 1);
}

static inline void world_finish(struct world *world)
{
    uw_instance_close(&world->instances[0]);
    uw_instance_close(&world->instances[1]);
    uw_fake_store_close(&world->store);
    uw_fake_kafka_close(&world->kafka);
    uw_hostile_close(&world->hostile);
}

static inline enum uw_progress world_assign(struct world *world, uint32_t number, int32_t partition)
{
    world->kafka.owner[partition] = (int32_t)number;
    return uw_instance_assign(&world->instances[number], partition);
}

static inline enum uw_progress world_apply(struct world *world, uint32_t number, uint32_t limit)
{
    static struct uw_message messages[WORLD_BATCH_MAX];
    uint32_t count = uw_instance_poll(&world->instances[number], &world->random, limit, messages);
    return uw_instance_apply(&world->instances[number], messages, count);
}

static inline void world_apply_all(struct world *world, uint32_t number)
{
    uint64_t before, after = 0;
    do {
        before = after;
        assert_int_equal(world_apply(world, number, WORLD_BATCH_MAX), UW_PROGRESS_DONE);
        after = world->store.fact_count;
    } while (after > before);
}

static inline struct uw_engine_statistics world_statistics(const struct world *world, uint32_t number)
{
    struct uw_engine_statistics statistics;
    uw_engine_statistics(world->instances[number].engine, &statistics);
    return statistics;
}

#endif
