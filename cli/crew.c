#include "cli/crew.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"
#include "cli/config.h"
#include "cli/notify.h"
#include "core/client.h" /* uw_reserve */

/* The watchdog is fed, and an end or a stop is seen, this often. */
#define LOOK_MS 100
#define NAME_BYTES 24

struct member {
    struct uw_crew *crew;
    pthread_t thread;
    uint32_t number;
    bool started;
    char name[NAME_BYTES];
    atomic_int_least64_t seen_ms;
    /* Under the lock. */
    bool working, ended, gathered;
    bool idle; /* and has done these partitions */
    int32_t *done;
    uint32_t done_count, done_capacity;
    int64_t partitions; /* -1: never assigned */
};

struct uw_crew {
    const struct uw_crew_options *options;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* somebody came, left or ended */
    struct member members[UW_WORKERS_MAX];
    struct uw_crew_totals totals;
    uint32_t reloading;
    int exit_code;
};

static int64_t lowest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- from the workers ---- */

uint32_t uw_crew_count(const struct uw_crew *crew)
{
    return crew->options->count;
}

void uw_crew_alive(struct uw_crew *crew, uint32_t number)
{
    atomic_store(&crew->members[number].seen_ms, uw_clock_monotonic_ms());
    uw_monitor_alive(crew->options->monitor, number);
}

/* How long those who are there wait for the others. */
#define GATHER_MS 2000

static struct timespec after_ms(int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + ms % 1000 * 1000000;
    until.tv_sec += (time_t)(ms / 1000 + nanoseconds / 1000000000);
    until.tv_nsec = (long)(nanoseconds % 1000000000);
    return until;
}

static bool all_gathered(const struct uw_crew *crew)
{
    bool all = true;
    for (uint32_t i = 0; i < crew->options->count; i++) {
        all = all && (crew->members[i].gathered || !crew->members[i].working);
    }
    return all;
}

void uw_crew_gather(struct uw_crew *crew, uint32_t number)
{
    int64_t deadline_ms = uw_clock_monotonic_ms() + GATHER_MS;
    pthread_mutex_lock(&crew->lock);
    bool first = !crew->members[number].gathered;
    crew->members[number].gathered = true;
    pthread_cond_broadcast(&crew->changed);
    while (first && !all_gathered(crew) && !uw_signals_stop_requested() && uw_clock_monotonic_ms() < deadline_ms) {
        const struct timespec until = after_ms(LOOK_MS);
        pthread_cond_timedwait(&crew->changed, &crew->lock, &until);
    }
    pthread_mutex_unlock(&crew->lock);
}

/* Who cannot remember is not idle. */
static bool remember_done(struct member *member, const int32_t *partitions, uint32_t count)
{
    if (!uw_reserve((void **)&member->done, &member->done_capacity, count, sizeof *member->done)) {
        return false;
    }
    if (count > 0) {
        memcpy(member->done, partitions, count * sizeof *partitions);
    }
    member->done_count = count;
    return true;
}

/* Whether each of the partitions was done by somebody. */
static bool is_covered(const struct uw_crew *crew, int32_t partition_count)
{
    int32_t covered = 0;
    bool *seen = calloc((size_t)partition_count + 1, sizeof *seen);
    for (uint32_t i = 0; seen != NULL && i < crew->options->count; i++) {
        const struct member *member = &crew->members[i];
        for (uint32_t k = 0; k < member->done_count; k++) {
            int32_t partition = member->done[k];
            bool first = partition >= 0 && partition < partition_count && !seen[partition];
            if (first) {
                seen[partition] = true;
                covered++;
            }
        }
    }
    free(seen);
    return covered == partition_count;
}

bool uw_crew_is_idle(struct uw_crew *crew, uint32_t number, const int32_t *partitions, uint32_t count,
                     int32_t partition_count)
{
    struct member *member = &crew->members[number];
    pthread_mutex_lock(&crew->lock);
    bool all = member->idle = remember_done(member, partitions, count);
    for (uint32_t i = 0; i < crew->options->count; i++) {
        all = all && crew->members[i].idle;
    }
    all = all && is_covered(crew, partition_count);
    pthread_mutex_unlock(&crew->lock);
    return all;
}

void uw_crew_busy(struct uw_crew *crew, uint32_t number)
{
    pthread_mutex_lock(&crew->lock);
    crew->members[number].idle = false;
    pthread_mutex_unlock(&crew->lock);
}

/* Under the lock. Nothing is said as long as one has not been heard of. */
static void say_ready(const struct uw_crew *crew)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < crew->options->count; i++) {
        if (crew->members[i].partitions < 0) {
            return;
        }
        sum += crew->members[i].partitions;
    }
    uw_notify("READY=1\nSTATUS=%" PRId64 " partition%s", sum, sum == 1 ? "" : "s");
}

void uw_crew_assigned(struct uw_crew *crew, uint32_t number, uint32_t partitions)
{
    pthread_mutex_lock(&crew->lock);
    crew->members[number].partitions = partitions;
    say_ready(crew);
    pthread_mutex_unlock(&crew->lock);
}

void uw_crew_reloading(struct uw_crew *crew, bool begins)
{
    pthread_mutex_lock(&crew->lock);
    if (begins && crew->reloading++ == 0) {
        uw_notify("RELOADING=1\nMONOTONIC_USEC=%" PRId64, uw_clock_monotonic_ms() * 1000);
    } else if (!begins && --crew->reloading == 0) {
        say_ready(crew);
    }
    pthread_mutex_unlock(&crew->lock);
}

void uw_crew_leaves(struct uw_crew *crew, uint32_t number, int exit_code)
{
    uint32_t working = 0;
    pthread_mutex_lock(&crew->lock);
    crew->members[number].working = false;
    crew->exit_code = crew->exit_code == 0 ? exit_code : crew->exit_code;
    for (uint32_t i = 0; i < crew->options->count; i++) {
        working += crew->members[i].working ? 1u : 0u;
    }
    pthread_cond_broadcast(&crew->changed);
    if (exit_code != 0) {
        uw_signals_stop(crew->exit_code);
    } else if (working == 0) {
        uw_signals_limit_end(crew->exit_code);
    }
    pthread_mutex_unlock(&crew->lock);
}

void uw_crew_add(struct uw_crew *crew, const struct uw_crew_totals *totals)
{
    struct uw_crew_totals *all = &crew->totals;
    pthread_mutex_lock(&crew->lock);
    all->events += totals->events;
    all->redelivered += totals->redelivered;
    all->refused += totals->refused;
    all->batches += totals->batches;
    all->records += totals->records;
    all->started_ms = all->started_ms == 0 ? totals->started_ms : lowest(all->started_ms, totals->started_ms);
    all->ended_ms = -lowest(-all->ended_ms, -totals->ended_ms);
    pthread_mutex_unlock(&crew->lock);
}

void uw_crew_say(const char *whose, const struct uw_crew_totals *totals)
{
    int64_t span_ms = totals->ended_ms - totals->started_ms;
    uw_log(UW_LOG_INFO,
           "%s%" PRIu64 " events (%" PRIu64 " redelivered, %" PRIu64 " refused) in %" PRIu64 " batches, %" PRIu64
           " records published, %" PRId64 ".%" PRId64 " s",
           whose, totals->events, totals->redelivered, totals->refused, totals->batches, totals->records,
           span_ms / 1000, span_ms % 1000 / 100);
}

/* ---- the threads ---- */

static void *run_member(void *context)
{
    struct member *member = context;
    struct uw_crew *crew = member->crew;
    if (crew->options->count > 1) {
        uw_log_name_thread(member->name);
    }
    int exit_code = crew->options->body(crew, member->number, crew->options->context);
    uw_crew_leaves(crew, member->number, exit_code);
    uw_monitor_stage(crew->options->monitor, member->number, UW_STAGE_ENDED);
    pthread_mutex_lock(&crew->lock);
    member->ended = true;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

static void start_member(struct uw_crew *crew, uint32_t number)
{
    struct member *member = &crew->members[number];
    int failure = pthread_create(&member->thread, NULL, run_member, member);
    if (failure != 0) {
        uw_complain("worker %" PRIu32 " could not be started: %s", number + 1, strerror(failure));
        uw_crew_leaves(crew, number, UW_EXIT_FAILED);
        pthread_mutex_lock(&crew->lock);
        member->ended = true;
        pthread_mutex_unlock(&crew->lock);
        return;
    }
    member->started = true;
}

/* Whether somebody has not ended; *seen_ms: when the one that was silent for the longest time was seen. */
static bool look(const struct uw_crew *crew, int64_t *seen_ms)
{
    bool any = false;
    *seen_ms = INT64_MAX;
    for (uint32_t i = 0; i < crew->options->count; i++) {
        if (!crew->members[i].ended) {
            any = true;
            *seen_ms = lowest(*seen_ms, atomic_load(&crew->members[i].seen_ms));
        }
    }
    return any;
}

/* Waits until all have ended, and feeds the watchdog meanwhile. */
static void watch(struct uw_crew *crew)
{
    int64_t seen_ms;
    pthread_mutex_lock(&crew->lock);
    while (look(crew, &seen_ms)) {
        const struct timespec until = after_ms(LOOK_MS);
        pthread_cond_timedwait(&crew->changed, &crew->lock, &until);
        uw_notify_alive(seen_ms);
    }
    pthread_mutex_unlock(&crew->lock);
}

int uw_crew_run(const struct uw_crew_options *options)
{
    struct uw_crew *crew = calloc(1, sizeof *crew);
    if (crew == NULL) {
        uw_complain("no memory for the workers");
        return UW_EXIT_FAILED;
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&crew->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&crew->lock, NULL);
    crew->options = options;
    for (uint32_t i = 0; i < options->count; i++) {
        struct member *member = &crew->members[i];
        member->crew = crew;
        member->number = i;
        member->working = true;
        member->partitions = -1;
        snprintf(member->name, sizeof member->name, "worker %" PRIu32 ": ", i + 1);
        atomic_store(&member->seen_ms, uw_clock_monotonic_ms());
    }
    for (uint32_t i = 0; i < options->count; i++) {
        start_member(crew, i);
    }
    watch(crew);
    for (uint32_t i = 0; i < options->count; i++) {
        if (crew->members[i].started) {
            pthread_join(crew->members[i].thread, NULL);
        }
        free(crew->members[i].done);
    }
    if (options->count > 1 && crew->totals.started_ms != 0) {
        uw_crew_say("all workers: ", &crew->totals);
    }
    int exit_code = crew->exit_code;
    pthread_cond_destroy(&crew->changed);
    pthread_mutex_destroy(&crew->lock);
    free(crew);
    return exit_code;
}
