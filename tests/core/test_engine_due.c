/* core/engine_due.c: days that turn, new thresholds, and backlogs whose clients are judged at their end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/engine_internal.h"
#include "tests/support/law.h"
#include "tests/support/world.h"

#define CLIENTS_MAX 8u

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
    world_start(&world, false);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_apply(&world, 0, WORLD_BATCH_MAX), UW_PROGRESS_DONE);
    assert_int_equal(uw_instance_tick(&world.instances[0], world.as_of_day + 1), UW_PROGRESS_DONE);
    complete_due(&world, 0);
    assert_int_equal(world.store.partitions[0].as_of_day, world.as_of_day + 1);
    assert_int_equal(world_assign(&world, 1, 0), UW_PROGRESS_DONE);
    uint64_t judged = world_statistics(&world, 1).clients_judged;
    complete_due(&world, 1);
    assert_int_equal(world.store.partitions[0].as_of_day, world.as_of_day + 1);
    assert_int_equal(world_statistics(&world, 1).clients_judged, judged);
    assert_int_equal(uw_instance_tick(&world.instances[1], world.as_of_day - 1), UW_PROGRESS_DONE);
    complete_due(&world, 1);
    assert_int_equal(world.store.partitions[0].as_of_day, world.as_of_day - 1);
    assert_true(world_statistics(&world, 1).clients_judged > judged);
    world_finish(&world);
}

/* A new day without a client that is due is still written: `progress` shows it. */
static void test_a_day_without_work(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    complete_due(&world, 0);
    assert_int_equal(world.store.partitions[0].as_of_day, world.as_of_day);
    assert_int_equal(uw_instance_tick(&world.instances[0], world.as_of_day + 3), UW_PROGRESS_DONE);
    complete_due(&world, 0);
    assert_int_equal(world.store.partitions[0].as_of_day, world.as_of_day + 3);
    uint64_t batches = world_statistics(&world, 0).batches;
    complete_due(&world, 0);
    assert_int_equal(world_statistics(&world, 0).batches, batches);
    world_finish(&world);
}

/* Everybody is judged again by new thresholds, once, and nobody by the same ones. */
static void test_new_thresholds(void **state)
{
    (void)state;
    struct world world;
    char text[UW_LAW_TEXT_BYTES];
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_assign(&world, 0, 1), UW_PROGRESS_DONE);
    world_apply_all(&world, 0);
    complete_due(&world, 0);
    struct uw_settings same = world.settings, other = uw_threshold_choice(1, NULL);
    assert_int_equal(uw_instance_replace_settings(&world.instances[0], &same), UW_PROGRESS_DONE);
    assert_false(uw_engine_has_due(world.instances[0].engine));
    assert_int_equal(uw_instance_replace_settings(&world.instances[0], &other), UW_PROGRESS_DONE);
    assert_true(uw_engine_has_due(world.instances[0].engine));
    uint64_t judged = world_statistics(&world, 0).clients_judged;
    complete_due(&world, 0);
    assert_int_equal(world_statistics(&world, 0).clients_judged - judged, world.store.clients.count);
    assert_true(uw_law_holds(&world.store, &world.kafka, &other, world.as_of_day, text));
    world_finish(&world);
}

/* Of a partition that is far behind, clients that were never judged are judged once, when all of it is there. Then every
 * alert has its first revision, which it has not when each batch is judged. */
static void test_a_backlog_is_judged_at_its_end(void **state)
{
    (void)state;
    struct world world;
    for (int behind = 0; behind < 2; behind++) {
        world_start(&world, true);
        assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
        assert_int_equal(world_assign(&world, 0, 1), UW_PROGRESS_DONE);
        uw_engine_fall_behind(world.instances[0].engine, behind ? 0 : -1, false);
        bool more = true;
        for (uint32_t steps = 0; steps < 400; steps++) {
            assert_int_equal(world_apply(&world, 0, 3), UW_PROGRESS_DONE);
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
        uw_engine_fall_behind(world.instances[0].engine, -1, false);
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
        world_finish(&world);
    }
}

/* One that waited, and whose instance ended, is judged by the next event as by the next occasion. */
static void test_what_waits_is_judged_with_its_next_event(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_assign(&world, 0, 1), UW_PROGRESS_DONE);
    uw_engine_fall_behind(world.instances[0].engine, 0, false);
    assert_int_equal(world_apply(&world, 0, 40), UW_PROGRESS_DONE);
    uw_instance_close(&world.instances[0]);
    world_open_instance(&world, 0);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_assign(&world, 0, 1), UW_PROGRESS_DONE);
    assert_true(uw_engine_has_due(world.instances[0].engine));
    world_apply_all(&world, 0);
    bool more = true;
    while (more) {
        assert_int_equal(uw_instance_due(&world.instances[0], 2, &more), UW_PROGRESS_DONE);
    }
    char text[UW_LAW_TEXT_BYTES];
    assert_true(uw_law_holds(&world.store, &world.kafka, &world.settings, world.as_of_day, text));
    world_finish(&world);
}

/* The next row of a client that is judged; the number of rows when there is none that is not in `known`. */
static uint32_t find_judged(const struct world *world, const bool known[])
{
    uint32_t row = 0;
    for (; row < world->store.clients.count; row++) {
        const struct uw_fake_client *client = uw_table_row(&world->store.clients, row);
        if (client->rules_version > 0 && !known[row]) {
            break;
        }
    }
    return row;
}

/* While more waits nobody is judged, of no partition; then those who are counted in the same sums one after the other,
 * whatever their partitions, also where the list of them takes only two at a time. */
static void test_a_backlog_is_judged_in_the_order_of_sums(void **state)
{
    (void)state;
    for (uint32_t due_clients = 0; due_clients < 3; due_clients += 2) {
        bool known[CLIENTS_MAX] = {false};
        uint32_t count = 0, descents = 0, changes = 0, kinship = 0;
        struct world world;
        world_start(&world, true);
        world.due_clients = due_clients;
        uw_instance_close(&world.instances[0]);
        world_open_instance(&world, 0);
        assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
        assert_int_equal(world_assign(&world, 0, 1), UW_PROGRESS_DONE);
        struct uw_engine *engine = world.instances[0].engine;
        uw_engine_fall_behind(engine, 0, true);
        world_apply_all(&world, 0);
        assert_in_range(world.store.clients.count, 2, CLIENTS_MAX);
        assert_false(uw_engine_has_due(engine));
        assert_int_equal(world_statistics(&world, 0).clients_judged, 0);
        uw_engine_fall_behind(engine, -1, false);
        for (bool more = true; more;) {
            assert_int_equal(uw_instance_due(&world.instances[0], 1, &more), UW_PROGRESS_DONE);
            uint32_t row = find_judged(&world, known);
            if (row == world.store.clients.count) {
                continue;
            }
            const struct uw_fake_client *client = uw_table_row(&world.store.clients, row);
            uint32_t next = uw_cache_find(&engine->cache, client->client)->kinship;
            descents += next < kinship;
            changes += next != kinship;
            kinship = next;
            known[row] = true;
            count++;
        }
        assert_int_equal(count, world.store.clients.count);
        assert_true(changes > 1);
        assert_true(due_clients > 0 || descents == 0);
        char text[UW_LAW_TEXT_BYTES];
        assert_true(uw_law_holds(&world.store, &world.kafka, &world.settings, world.as_of_day, text));
        world_finish(&world);
    }
}

/* Those who wait are not made to leave the cache: where it has no room they wait no longer, but in the partition of which
 * more waits itself. */
static void test_a_full_cache_ends_the_wait(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    world.cache_max_bytes = 0;
    uw_instance_close(&world.instances[0]);
    world_open_instance(&world, 0);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_assign(&world, 0, 1), UW_PROGRESS_DONE);
    uw_engine_fall_behind(world.instances[0].engine, 0, true);
    world_apply_all(&world, 0);
    uint32_t judged = 0;
    for (uint32_t i = 0; i < world.store.clients.count; i++) {
        const struct uw_fake_client *client = uw_table_row(&world.store.clients, i);
        assert_int_equal(client->rules_version > 0, client->partition == 1);
        judged += client->rules_version > 0;
    }
    assert_in_range(judged, 1, world.store.clients.count - 1);
    assert_true(uw_engine_has_due(world.instances[0].engine));
    world_finish(&world);
}

/* Those who were judged because the cache was full make room for others who wait: these are held back again. */
static void test_the_wait_begins_anew(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_assign(&world, 0, 1), UW_PROGRESS_DONE);
    struct uw_engine *engine = world.instances[0].engine;
    uw_engine_fall_behind(engine, -1, true);
    world_apply_all(&world, 0);
    uint32_t clients = world.store.clients.count;
    assert_int_equal(engine->cache.waiting_bytes, engine->cache.bytes);
    assert_false(uw_engine_has_due(engine));
    /* Seven eighths of the limit are what waits. */
    engine->cache.limit_bytes = engine->cache.bytes + engine->cache.bytes / 7;
    assert_true(uw_engine_has_due(engine));
    bool more = true;
    assert_int_equal(uw_instance_due(&world.instances[0], 1, &more), UW_PROGRESS_DONE);
    const struct uw_resident *judged = engine->cache.oldest;
    assert_true(judged->stored_rules_version > 0 && judged->leaves_first);
    assert_int_equal(engine->cache.waiting_bytes, engine->cache.bytes - judged->counted_bytes);
    /* What was begun is finished, in the order of sums. */
    while (more) {
        assert_int_equal(uw_instance_due(&world.instances[0], 1, &more), UW_PROGRESS_DONE);
    }
    assert_int_equal(world_statistics(&world, 0).clients_judged, clients);
    assert_in_range(engine->cache.bytes, 1, engine->cache.limit_bytes);
    assert_int_equal(engine->cache.waiting_bytes, 0);
    assert_true(uw_engine_holds_back(engine));
    world_finish(&world);
}

/* Judges all who are due, with the cache as it is or with none of them in memory; how many steps had clients. */
static uint32_t count_steps(struct world *world, bool in_memory, uint32_t *most)
{
    if (!in_memory) {
        uw_instance_close(&world->instances[0]);
        world_open_instance(world, 0);
        assert_int_equal(world_assign(world, 0, 0), UW_PROGRESS_DONE);
        assert_int_equal(world_assign(world, 0, 1), UW_PROGRESS_DONE);
    }
    world->settings.defaults.stalled_days++;
    assert_int_equal(uw_instance_replace_settings(&world->instances[0], &world->settings), UW_PROGRESS_DONE);
    uint32_t steps = 0;
    *most = 0;
    while (uw_engine_has_due(world->instances[0].engine)) {
        uint64_t before = world_statistics(world, 0).clients_judged;
        bool more;
        assert_int_equal(uw_instance_due(&world->instances[0], 1000, &more), UW_PROGRESS_DONE);
        uint64_t judged = world_statistics(world, 0).clients_judged - before;
        steps += judged > 0;
        *most = judged > *most ? (uint32_t)judged : *most;
    }
    return steps;
}

/* A step has at least one client, and ends with the one who brings it to the facts of a step. */
static void test_a_step_ends_at_its_facts(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, true);
    assert_int_equal(world_assign(&world, 0, 0), UW_PROGRESS_DONE);
    assert_int_equal(world_assign(&world, 0, 1), UW_PROGRESS_DONE);
    world_apply_all(&world, 0);
    uint32_t clients = world.store.clients.count, most;
    assert_true(clients > 3);
    assert_int_equal(count_steps(&world, true, &most), 1);
    assert_int_equal(most, clients);
    world.due_facts = 1;
    for (uint32_t in_memory = 0; in_memory < 2; in_memory++) {
        assert_int_equal(count_steps(&world, in_memory == 1, &most), clients);
        assert_int_equal(most, 1);
    }
    world.due_facts = UW_ENGINE_DUE_FACTS_ABSENT + 1;
    assert_int_equal(count_steps(&world, false, &most), (clients + 1) / 2);
    assert_int_equal(most, 2);
    world_finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks_that_differ),
        cmocka_unit_test(test_a_day_without_work),
        cmocka_unit_test(test_new_thresholds),
        cmocka_unit_test(test_a_backlog_is_judged_at_its_end),
        cmocka_unit_test(test_a_backlog_is_judged_in_the_order_of_sums),
        cmocka_unit_test(test_a_full_cache_ends_the_wait),
        cmocka_unit_test(test_the_wait_begins_anew),
        cmocka_unit_test(test_a_step_ends_at_its_facts),
        cmocka_unit_test(test_what_waits_is_judged_with_its_next_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
