/*
 * DESIGN section 5, crash at every step: for every port call of a history the instance crashes just before and
 * just after its effect, or the call fails as its contract allows; a new instance goes on, and the database and
 * the committed output are those of the run in which nothing happened.
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

#define STEPS_MAX 40u
#define BATCH_MAX 200u

/* A batch, or a new day when it has no messages. */
struct step {
    const struct uw_message *messages;
    uint32_t count;
    int32_t as_of_day;
    uint32_t setting;
    int32_t rules_version;
    int32_t behind; /* the partition whose clients are judged later; -1: none */
    bool waiting;   /* those of all partitions */
    bool forget;    /* before it the group's offsets are lost, or older ones come back, and the partitions are taken anew */
};

/* What happens, whatever fails. */
struct plan {
    struct uw_hostile hostile;
    struct uw_fake_kafka kafka; /* where the messages are; runs have their own */
    struct step steps[STEPS_MAX];
    uint32_t step_count;
    struct uw_settings settings[UW_THRESHOLD_CHOICES];
    struct uw_threshold_rule rules[UW_THRESHOLD_CHOICES][2];
    uint64_t seed;
    size_t cache_max_bytes;
    bool overlap;
    int32_t rules_version, behind; /* of the step that is added next */
    bool waiting;
    bool forget;
};

static void add_step(struct plan *plan, const struct uw_message *messages, uint32_t count, int32_t as_of_day,
                     uint32_t setting)
{
    assert_true(plan->step_count < STEPS_MAX);
    plan->steps[plan->step_count++] =
        (struct step){messages,
                      count,
                      as_of_day,
                      setting,
                      plan->rules_version,
                      count > 0 ? plan->behind : -1,
                      count > 0 && plan->waiting,
                      plan->forget};
}

static uint32_t collect(struct plan *plan, struct uw_random *random, int64_t at[][UW_TOPIC_COUNT], uint32_t limit,
                        struct uw_message *messages)
{
    uint32_t count = 0, misses = 0;
    while (count < limit && misses < 100) {
        int32_t partition = (int32_t)uw_random_below(random, (uint32_t)plan->kafka.partition_count);
        enum uw_topic topic = (enum uw_topic)uw_random_below(random, UW_TOPIC_COUNT);
        const struct uw_message *message = uw_fake_kafka_at(&plan->kafka, topic, partition, at[partition][topic]);
        if (message == NULL) {
            misses++;
            continue;
        }
        messages[count++] = *message;
        at[partition][topic] = message->offset + 1;
    }
    return count;
}

static void make_plan(struct plan *plan, uint64_t seed)
{
    memset(plan, 0, sizeof *plan);
    struct uw_random random = uw_random_from(seed * 7919);
    plan->seed = seed;
    plan->rules_version = 1;
    plan->behind = -1;
    plan->cache_max_bytes = uw_random_chance(&random, 50) ? 0 : (size_t)1 << 30;
    plan->overlap = seed % 2 == 0;
    uint32_t clients = 1 + uw_random_below(&random, 3);
    uw_hostile_make(&plan->hostile, seed, clients, 8 + uw_random_below(&random, 25));
    int32_t partitions = uw_random_between(&random, 1, 2);
    uw_fake_kafka_init(&plan->kafka, &plan->hostile, partitions, seed);
    for (uint32_t i = 0; i < UW_THRESHOLD_CHOICES; i++) {
        plan->settings[i] = uw_threshold_choice(i, plan->rules[i]);
    }
    int64_t at[UW_FAKE_PARTITIONS_MAX][UW_TOPIC_COUNT] = {{0}};
    int32_t day = plan->hostile.as_of_day - 20;
    uint32_t setting = 0;
    add_step(plan, NULL, 0, day, setting);
    for (bool more = true; more;) {
        struct uw_message messages[BATCH_MAX];
        uint32_t limit = plan->step_count > STEPS_MAX - 10 ? BATCH_MAX : 1 + uw_random_below(&random, 12);
        uint32_t count = collect(plan, &random, at, limit, messages);
        struct uw_message *kept = uw_arena_take(&plan->kafka.arena, BATCH_MAX * sizeof *kept);
        assert_non_null(kept);
        memcpy(kept, messages, count * sizeof *kept);
        more = count > 0;
        plan->forget = uw_random_chance(&random, 30);
        if (uw_random_chance(&random, 40)) {
            plan->behind = uw_random_between(&random, -1, partitions - 1);
            plan->waiting = uw_random_chance(&random, 50);
        }
        if (more) {
            add_step(plan, kept, count, day, setting);
        }
        if (uw_random_chance(&random, 35) || !more) {
            day += UW_RANDOM_PICK(&random, 1, 1, 15, 40, -10);
            setting = uw_random_chance(&random, 20) ? uw_random_below(&random, UW_THRESHOLD_CHOICES) : setting;
            plan->rules_version += plan->rules_version + 1 < UW_FAKE_RULES_MAX && uw_random_chance(&random, 15);
            add_step(plan, NULL, 0, day, setting);
        }
    }
}

static void forget_plan(struct plan *plan)
{
    uw_fake_kafka_close(&plan->kafka);
    uw_hostile_close(&plan->hostile);
}

struct run {
    const struct plan *plan;
    struct uw_fake_store store;
    struct uw_fake_kafka kafka;
    struct uw_faults faults;
    struct uw_instance instance;
    int32_t rules_version; /* of the instance */
    uint32_t crashes, losses;
};

static void open_instance(struct run *run, const struct step *step)
{
    const struct uw_instance_options options = {.store = &run->store,
                                                .kafka = &run->kafka,
                                                .faults = &run->faults,
                                                .settings = &run->plan->settings[step->setting],
                                                .as_of_day = step->as_of_day,
                                                .pinned = true,
                                                .overlap = run->plan->overlap,
                                                .cache_max_bytes = run->plan->cache_max_bytes,
                                                .rules_version = step->rules_version};
    uw_instance_open(&run->instance, &options);
    run->rules_version = step->rules_version;
}

/* Owns all partitions, whatever happened before. */
static enum uw_progress own(struct run *run)
{
    enum uw_progress progress = UW_PROGRESS_DONE;
    for (int32_t i = 0; i < run->plan->kafka.partition_count && progress == UW_PROGRESS_DONE; i++) {
        run->kafka.owner[i] = 0;
        if (!run->instance.assigned[i]) {
            progress = uw_instance_assign(&run->instance, i);
        }
    }
    return progress;
}

static enum uw_progress judge_due(struct run *run)
{
    enum uw_progress progress = UW_PROGRESS_DONE;
    bool more = true;
    while (more && progress == UW_PROGRESS_DONE) {
        progress = uw_instance_due(&run->instance, 2, &more);
    }
    return progress;
}

static enum uw_progress take_step(struct run *run, const struct step *step)
{
    enum uw_progress progress = own(run);
    if (progress == UW_PROGRESS_DONE) {
        progress = uw_instance_replace_settings(&run->instance, &run->plan->settings[step->setting]);
    }
    if (progress == UW_PROGRESS_DONE) {
        progress = uw_instance_tick(&run->instance, step->as_of_day);
    }
    uw_engine_fall_behind(run->instance.engine, step->behind, step->waiting);
    if (progress == UW_PROGRESS_DONE) {
        progress = step->count > 0 ? uw_instance_apply(&run->instance, step->messages, step->count) : judge_due(run);
    }
    if (progress == UW_PROGRESS_DONE && step->count == 0) {
        progress = uw_instance_store_published(&run->instance);
    }
    if (progress == UW_PROGRESS_DONE && step == &run->plan->steps[run->plan->step_count - 1]) {
        progress = uw_instance_finish(&run->instance);
    }
    return progress;
}

/* Older offsets are those from before what the database has been told. */
static void forget_offsets(struct run *run, const struct step *step)
{
    for (int32_t i = 0; i < run->plan->kafka.partition_count; i++) {
        run->kafka.told_sequence[i] = step->count % 2 == 0 ? 0 : run->store.partitions[i].published_sequence / 2;
        if (run->instance.assigned[i]) {
            uw_instance_revoke(&run->instance, i);
        }
    }
}

/* A step that did not come to its end is taken again: what it did before is passed over. */
static void finish_step(struct run *run, const struct step *step)
{
    if (step->forget) {
        forget_offsets(run, step);
    }
    if (run->rules_version != step->rules_version) {
        uw_fake_store_spoil(&run->store, step->rules_version);
        uw_instance_close(&run->instance);
        open_instance(run, step);
    }
    for (uint32_t tries = 0; tries < 5; tries++) {
        enum uw_progress progress = take_step(run, step);
        if (progress == UW_PROGRESS_DONE) {
            return;
        }
        if (progress == UW_PROGRESS_STUCK) {
            fail_msg("history %llu is stuck: %s", (unsigned long long)run->plan->seed, run->instance.error.text);
        }
        run->losses += progress == UW_PROGRESS_LOST;
        if (progress == UW_PROGRESS_CRASHED) {
            uw_instance_close(&run->instance);
            run->faults.crashed = false;
            run->crashes++;
            open_instance(run, step);
        }
    }
    fail_msg("history %llu does not go on", (unsigned long long)run->plan->seed);
}

static void start_run(struct run *run, const struct plan *plan, enum uw_fault fault, uint64_t at)
{
    memset(run, 0, sizeof *run);
    run->plan = plan;
    run->faults = (struct uw_faults){.fault = fault, .at = at};
    uw_fake_store_init(&run->store, plan->seed);
    /* The topics are only read; what is published is the run's own. */
    memcpy(run->kafka.inputs, plan->kafka.inputs, sizeof run->kafka.inputs);
    run->kafka.hostile = plan->kafka.hostile;
    run->kafka.partition_count = plan->kafka.partition_count;
    run->kafka.search_steps = 1;
    uw_arena_init(&run->kafka.arena, (size_t)1 << 30);
    open_instance(run, &plan->steps[0]);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        finish_step(run, &plan->steps[i]);
    }
}

static void finish_run(struct run *run)
{
    uw_instance_close(&run->instance);
    uw_fake_store_close(&run->store);
    free(run->kafka.committed);
    uw_arena_close(&run->kafka.arena);
}

/* In clean runs: the searches are among the calls that are tried. */
static uint64_t searches;

/* Every call of the plan's clean run, with every fault. */
static void check_plan(uint64_t seed)
{
    static struct plan plan;
    static struct run run;
    char text[UW_LAW_TEXT_BYTES];
    make_plan(&plan, seed);
    start_run(&run, &plan, UW_FAULT_NONE, 0);
    const struct step *last = &plan.steps[plan.step_count - 1];
    if (!uw_law_holds(&run.store, &run.kafka, &plan.settings[last->setting], last->as_of_day, text)) {
        fail_msg("history %llu: %s", (unsigned long long)seed, text);
    }
    struct uw_digest clean = uw_law_digest(&run.store, &run.kafka);
    uint64_t calls = run.faults.calls;
    searches += run.kafka.searches;
    finish_run(&run);
    for (enum uw_fault fault = UW_FAULT_CRASH_BEFORE; fault < UW_FAULT_COUNT; fault++) {
        for (uint64_t at = 1; at <= calls; at++) {
            start_run(&run, &plan, fault, at);
            struct uw_digest digest = uw_law_digest(&run.store, &run.kafka);
            const char *difference = uw_digest_difference(&clean, &digest);
            if (difference != NULL || run.store.problem[0] != '\0' || run.kafka.problem[0] != '\0') {
                fail_msg("history %llu, fault %d at call %llu of %llu: %s %s %s", (unsigned long long)seed, (int)fault,
                         (unsigned long long)at, (unsigned long long)calls, difference == NULL ? "" : difference,
                         run.store.problem, run.kafka.problem);
            }
            bool is_crash = fault == UW_FAULT_CRASH_BEFORE || fault == UW_FAULT_CRASH_AFTER;
            assert_int_equal(run.crashes, is_crash ? 1 : 0);
            /* Only who was fenced gives partitions up: no failure makes the instance fence itself. */
            assert_true(run.losses <= (fault == UW_FAULT_FENCED));
            finish_run(&run);
        }
    }
    forget_plan(&plan);
}

static void test_every_fault_at_every_call(void **state)
{
    (void)state;
    uint32_t rounds = uw_test_rounds(25);
    for (uint32_t seed = 1; seed <= rounds; seed++) {
        check_plan(seed);
    }
    assert_true(searches > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_fault_at_every_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
