/*
 * SPEC section 1: whatever the order of arrival, the batches, the redeliveries, the restarts and the number of
 * instances, the state is F(set of events, as_of), and every revision is published once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/instance.h"
#include "tests/support/law.h"
#include "tests/support/thresholds.h"

#define INSTANCES_MAX 3u
#define BATCH_MAX 400u

struct history {
    struct uw_random random;
    struct uw_hostile hostile;
    struct uw_fake_kafka kafka;
    struct uw_fake_store store;
    struct uw_faults faults; /* counts calls; nothing fails by itself here */
    struct uw_settings settings[UW_THRESHOLD_CHOICES];
    struct uw_threshold_rule rules[UW_THRESHOLD_CHOICES][2];
    struct uw_instance instances[INSTANCES_MAX];
    int32_t as_of_day[INSTANCES_MAX]; /* of each instance's clock */
    uint32_t setting[INSTANCES_MAX];
    int32_t rules_version[INSTANCES_MAX]; /* of each instance's program */
    uint32_t instance_count;
    bool pinned;
    uint64_t fenced; /* how often a zombie was stopped */
};

static void open_instance(struct history *history, uint32_t number)
{
    static const size_t limits[] = {0, 3000, (size_t)1 << 30};
    const struct uw_instance_options options = {.store = &history->store,
                                                .kafka = &history->kafka,
                                                .faults = &history->faults,
                                                .settings = &history->settings[history->setting[number]],
                                                .number = (int32_t)number,
                                                .as_of_day = history->as_of_day[number],
                                                .pinned = history->pinned,
                                                .overlap = uw_random_chance(&history->random, 50),
                                                .cache_max_bytes = limits[uw_random_below(&history->random, 3)],
                                                .rules_version = history->rules_version[number]};
    uw_instance_open(&history->instances[number], &options);
}

static void start(struct history *history, uint64_t seed)
{
    memset(history, 0, sizeof *history);
    history->random = uw_random_from(seed);
    struct uw_random *random = &history->random;
    uint32_t clients = 1 + uw_random_below(random, 5), events = 10 + uw_random_below(random, 110);
    uw_hostile_make(&history->hostile, seed, clients, events);
    int32_t partitions = uw_random_between(random, 1, 3);
    uw_fake_kafka_init(&history->kafka, &history->hostile, partitions, seed);
    uw_fake_store_init(&history->store, seed);
    for (uint32_t i = 0; i < UW_THRESHOLD_CHOICES; i++) {
        history->settings[i] = uw_threshold_choice(i, history->rules[i]);
    }
    history->instance_count = 1 + uw_random_below(random, INSTANCES_MAX);
    history->pinned = uw_random_chance(random, 50);
    int32_t day = history->hostile.as_of_day - uw_random_between(random, 0, 90);
    for (uint32_t i = 0; i < history->instance_count; i++) {
        history->as_of_day[i] = day;
        history->rules_version[i] = 1;
        open_instance(history, i);
    }
}

static void finish(struct history *history)
{
    for (uint32_t i = 0; i < history->instance_count; i++) {
        uw_instance_close(&history->instances[i]);
    }
    uw_fake_store_close(&history->store);
    uw_fake_kafka_close(&history->kafka);
    uw_hostile_close(&history->hostile);
}

/* Nothing may be stuck; a fenced zombie has only learned what the group knew. */
static void settle(struct history *history, uint32_t number, enum uw_progress progress)
{
    if (progress == UW_PROGRESS_STUCK || progress == UW_PROGRESS_CRASHED) {
        fail_msg("instance %u is stuck: %s", (unsigned)number, history->instances[number].error.text);
    }
    history->fenced += progress == UW_PROGRESS_LOST;
}

/* Another program starts in the place of an instance. What the former rules have stored is not what these would. */
static void upgrade(struct history *history, uint32_t number, int32_t rules_version)
{
    uw_fake_store_spoil(&history->store, rules_version);
    uw_instance_close(&history->instances[number]);
    history->rules_version[number] = rules_version;
    open_instance(history, number);
}

/* Gives a partition to an instance. Who had it may not have heard of it, and goes on as a zombie. */
static void rebalance(struct history *history, int32_t partition, uint32_t number, bool all_hear)
{
    /* A program that is older than the last owner's cannot claim: it is upgraded first. */
    if (history->rules_version[number] < history->store.partitions[partition].rules_version) {
        upgrade(history, number, history->store.partitions[partition].rules_version);
    }
    history->kafka.owner[partition] = (int32_t)number;
    history->kafka.generation[partition]++;
    for (uint32_t i = 0; i < history->instance_count; i++) {
        if (i != number && (all_hear || uw_random_chance(&history->random, 50))) {
            uw_instance_revoke(&history->instances[i], partition);
        }
    }
    settle(history, number, uw_instance_assign(&history->instances[number], partition));
}

static uint32_t apply(struct history *history, uint32_t number, uint32_t limit)
{
    static struct uw_message messages[BATCH_MAX];
    struct uw_instance *instance = &history->instances[number];
    uint32_t count = uw_instance_poll(instance, &history->random, limit, messages);
    /* One after the other, so that all compilers make the same histories. */
    bool is_behind = uw_random_chance(&history->random, 40), more = uw_random_chance(&history->random, 30);
    int32_t behind = is_behind ? (int32_t)uw_random_below(&history->random, 3) : -1;
    uw_engine_fall_behind(instance->engine, behind, more);
    settle(history, number, uw_instance_apply(instance, messages, count));
    return count;
}

static void judge_due(struct history *history, uint32_t number, bool all)
{
    bool more = true;
    for (uint32_t steps = 0; more && (all || steps < 2); steps++) {
        uint32_t limit = 1 + uw_random_below(&history->random, 4);
        settle(history, number, uw_instance_due(&history->instances[number], limit, &more));
        assert_true(steps < 10000);
    }
}

static void tick(struct history *history, uint32_t number, int32_t as_of_day)
{
    history->as_of_day[number] = as_of_day;
    settle(history, number, uw_instance_tick(&history->instances[number], as_of_day));
}

static void step(struct history *history)
{
    struct uw_random *random = &history->random;
    uint32_t number = uw_random_below(random, history->instance_count);
    int32_t partition = (int32_t)uw_random_below(random, (uint32_t)history->kafka.partition_count);
    uint32_t choice = uw_random_below(random, 100);
    if (choice < 45) {
        apply(history, number, 1 + uw_random_below(random, uw_random_chance(random, 20) ? BATCH_MAX : 12));
    } else if (choice < 60) {
        judge_due(history, number, uw_random_chance(random, 50));
    } else if (choice < 75) {
        int32_t days = UW_RANDOM_PICK(random, 1, 1, 1, 2, 7, 30);
        days = history->pinned && uw_random_chance(random, 30) ? -days : days;
        tick(history, number, history->as_of_day[number] + days);
    } else if (choice < 87) {
        rebalance(history, partition, number, uw_random_chance(random, 50));
    } else if (choice < 92) {
        uw_instance_close(&history->instances[number]);
        open_instance(history, number);
    } else if (choice < 95) {
        int32_t rules_version = history->rules_version[number] + 1;
        upgrade(history, number, rules_version < UW_FAKE_RULES_MAX ? rules_version : UW_FAKE_RULES_MAX - 1);
    } else {
        history->setting[number] = uw_random_below(random, UW_THRESHOLD_CHOICES);
        settle(history, number, uw_instance_replace_settings(&history->instances[number],
                                                             &history->settings[history->setting[number]]));
    }
}

/* A partition that is a day ahead of a clock stays there (engine.h): the day at which all are judged is then that one. */
static int32_t last_day(const struct history *history, int32_t as_of_day)
{
    for (int32_t i = 0; !history->pinned && i < history->kafka.partition_count; i++) {
        if (history->store.partitions[i].as_of_day == as_of_day + 1) {
            return last_day(history, as_of_day + 1);
        }
    }
    return as_of_day;
}

/* Who was given a partition and still took another one for its own gives up both when it learns the truth, and joins anew:
 * then the group gives all of them again. */
static void take_all(struct history *history, uint32_t number)
{
    uint64_t fenced;
    uint32_t turns = 0;
    do {
        fenced = history->fenced;
        for (int32_t i = 0; i < history->kafka.partition_count; i++) {
            rebalance(history, i, number, false);
        }
        assert_true(++turns < 10);
    } while (history->fenced > fenced);
}

/* One instance takes everything over and comes to the end. */
static void complete(struct history *history, int32_t as_of_day, uint32_t setting)
{
    uint32_t number = uw_random_below(&history->random, history->instance_count);
    /* What was spoilt for any of the programs is rebuilt by the newest. */
    int32_t rules_version = 1;
    for (uint32_t i = 0; i < history->instance_count; i++) {
        rules_version = history->rules_version[i] > rules_version ? history->rules_version[i] : rules_version;
    }
    rules_version += rules_version + 1 < UW_FAKE_RULES_MAX && uw_random_chance(&history->random, 30);
    if (rules_version > history->rules_version[number]) {
        upgrade(history, number, rules_version);
    }
    take_all(history, number);
    history->setting[number] = setting;
    settle(history, number,
           uw_instance_replace_settings(&history->instances[number], &history->settings[setting]));
    tick(history, number, as_of_day);
    uint32_t steps = 0;
    while (apply(history, number, 1 + uw_random_below(&history->random, BATCH_MAX)) > 0) {
        assert_true(++steps < 10000);
    }
    uw_engine_fall_behind(history->instances[number].engine, -1, false);
    judge_due(history, number, true);
    settle(history, number, uw_instance_finish(&history->instances[number]));
    /* Zombies that still think that they own something write nothing. */
    for (uint32_t i = 0; i < history->instance_count; i++) {
        if (i != number) {
            apply(history, i, BATCH_MAX);
            judge_due(history, i, true);
        }
    }
}

static void check_history(uint64_t seed)
{
    static struct history history;
    char text[UW_LAW_TEXT_BYTES];
    start(&history, seed);
    for (int32_t i = 0; i < history.kafka.partition_count; i++) {
        rebalance(&history, i, uw_random_below(&history.random, history.instance_count), true);
    }
    uint32_t steps = uw_random_below(&history.random, 60);
    for (uint32_t i = 0; i < steps; i++) {
        step(&history);
    }
    int32_t as_of_day = last_day(&history, history.hostile.as_of_day + uw_random_between(&history.random, -30, 200));
    uint32_t setting = uw_random_below(&history.random, UW_THRESHOLD_CHOICES);
    complete(&history, as_of_day, setting);
    if (!uw_law_holds(&history.store, &history.kafka, &history.settings[setting], as_of_day, text)) {
        fail_msg("history %llu: %s", (unsigned long long)seed, text);
    }
    assert_false(uw_fake_store_has_former(&history.store));
    finish(&history);
}

static void test_any_history_gives_the_same_state(void **state)
{
    (void)state;
    uint32_t rounds = uw_test_rounds(1500);
    for (uint32_t seed = 1; seed <= rounds; seed++) {
        check_history(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_history_gives_the_same_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
