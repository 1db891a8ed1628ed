/* The workers of a process, with bodies that stand for the real ones: what is told of them together. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/command.h"
#include "cli/crew.h"
#include "cli/notify.h"

#define WORKERS 3u
#define DEADLINE_MS 20000
#define PATIENCE_MS 1900 /* a little less than workers wait for each other */
#define TOLD_BYTES 4096

static int manager;             /* where systemd would listen */
static char told[TOLD_BYTES];   /* all that it was told, a message a line */

static void sleep_ms(int64_t ms)
{
    struct timespec span = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&span, NULL);
}

static int listen_as_systemd(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[sizeof address.sun_path];
    (void)state;
    uw_signals_start();
    uw_signals_limit_stop();
    snprintf(name, sizeof name, "@urenwacht-test-crew-%ld", (long)getpid());
    memcpy(address.sun_path, name, strlen(name));
    address.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (manager < 0 || bind(manager, (struct sockaddr *)&address,
                            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))) != 0) {
        return -1;
    }
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "400000", 1);
    uw_notify_start();
    return 0;
}

static int close_manager(void **state)
{
    (void)state;
    alarm(0);
    return close(manager);
}

static const char *read_told(void)
{
    size_t used = 0;
    ssize_t count;
    while (used < sizeof told - 2 && (count = recv(manager, told + used, sizeof told - 2 - used, 0)) > 0) {
        used += (size_t)count;
        told[used++] = '\n';
    }
    told[used] = '\0';
    return told;
}

static uint32_t times(const char *text, const char *word)
{
    uint32_t count = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        count++;
    }
    return count;
}

static int run(uw_crew_body *body, void *context)
{
    const struct uw_crew_options options = {.count = WORKERS, .body = body, .context = context};
    read_told();
    int status = uw_crew_run(&options);
    alarm(0); /* the end has a deadline, which the next test is not to meet */
    read_told();
    return status;
}

/* ---- together ---- */

static int meet(struct uw_crew *crew, uint32_t number, void *context)
{
    atomic_uint *here = context;
    sleep_ms(30 * number);
    atomic_fetch_add(here, 1);
    int64_t began_ms = uw_clock_monotonic_ms();
    uw_crew_gather(crew, number);
    /* Nobody is waited for longer than that; a machine may be so slow to start a thread. */
    bool waited = uw_clock_monotonic_ms() - began_ms >= PATIENCE_MS;
    return atomic_load(here) == WORKERS || waited ? 0 : 3;
}

static void test_they_begin_together(void **state)
{
    atomic_uint here = 0;
    (void)state;
    assert_int_equal(run(meet, &here), 0);
}

static int work(struct uw_crew *crew, uint32_t number, void *context)
{
    const struct uw_crew_totals totals = {
        .events = 10 + number, .batches = 1, .started_ms = 1000 + number, .ended_ms = 3000 + number};
    (void)context;
    assert_int_equal(uw_crew_count(crew), WORKERS);
    uw_crew_alive(crew, number);
    uw_crew_assigned(crew, number, 4 + number);
    uw_crew_assigned(crew, number, 2 + number);
    uw_crew_add(crew, &totals);
    return 0;
}

/* systemd hears that the process is ready when the last of them has its partitions, and how many there are. */
static void test_ready_when_all_are(void **state)
{
    (void)state;
    assert_int_equal(run(work, NULL), 0);
    assert_in_range(times(told, "READY=1"), 2, 4); /* once the last has spoken, at every word */
    assert_non_null(strstr(told, "STATUS=9 partitions"));
}

static int reload(struct uw_crew *crew, uint32_t number, void *context)
{
    const bool *all_have_partitions = context;
    if (number != 1 || *all_have_partitions) {
        uw_crew_assigned(crew, number, 1);
    }
    uw_crew_gather(crew, number);
    uw_crew_reloading(crew, true);
    sleep_ms(100);
    uw_crew_reloading(crew, false);
    return 0;
}

static const char *last(const char *text, const char *word)
{
    const char *found = NULL;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        found = at;
    }
    return found;
}

/* A reload ends with a word that the process is ready, but not before all of it is. */
static void test_reloads(void **state)
{
    bool all_have_partitions = true;
    (void)state;
    assert_int_equal(run(reload, &all_have_partitions), 0);
    assert_in_range(times(told, "RELOADING=1"), 1, WORKERS);
    assert_true(last(told, "\nREADY=1") > last(told, "RELOADING=1"));
    all_have_partitions = false;
    assert_int_equal(run(reload, &all_have_partitions), 0);
    assert_in_range(times(told, "RELOADING=1"), 1, WORKERS);
    assert_int_equal(times(told, "READY=1"), 0);
}

/* ---- the watchdog ---- */

struct turning {
    bool one_stands_still;
    atomic_uint ended;
};

static int turn(struct uw_crew *crew, uint32_t number, void *context)
{
    struct turning *turning = context;
    bool stands_still = turning->one_stands_still && number == 1;
    for (int i = 0; i < 75 || (stands_still && atomic_load(&turning->ended) < WORKERS - 1); i++) {
        if (!stands_still) {
            uw_crew_alive(crew, number);
        }
        sleep_ms(20);
    }
    atomic_fetch_add(&turning->ended, 1);
    return 0;
}

static void test_the_watchdog_sees_each(void **state)
{
    struct turning all_turn = {.one_stands_still = false}, one_stands = {.one_stands_still = true};
    (void)state;
    run(turn, &all_turn);
    uint32_t usual = times(told, "WATCHDOG=1");
    run(turn, &one_stands);
    assert_true(usual >= 2);
    assert_true(times(told, "WATCHDOG=1") <= 1); /* its beginning counts as a sign of life */
}

/* ---- idle ---- */

struct idling {
    atomic_uint ended, early;
    atomic_bool last_is_done;
};

/* Partitions 0..5 among three; the last worker needs its time, and then has nothing but what another has done too. */
static int idle(struct uw_crew *crew, uint32_t number, void *context)
{
    static const int32_t partitions[WORKERS][3] = {{0, 1, 2}, {3, 4, 1}, {5, 0, 1}};
    struct idling *idling = context;
    int64_t deadline_ms = uw_clock_monotonic_ms() + DEADLINE_MS;
    if (number == 2) {
        sleep_ms(100);
        assert_false(uw_crew_is_idle(crew, number, partitions[0], 3, 6)); /* 5 is nobody's */
        uw_crew_busy(crew, number);
        sleep_ms(100);
        atomic_store(&idling->last_is_done, true);
    }
    while (!uw_crew_is_idle(crew, number, partitions[number], 3, 6)) {
        if (uw_clock_monotonic_ms() > deadline_ms) {
            return 4;
        }
        sleep_ms(5);
    }
    atomic_fetch_add(&idling->early, atomic_load(&idling->last_is_done) ? 0 : 1);
    atomic_fetch_add(&idling->ended, 1);
    return 0;
}

static void test_idle_when_every_partition_is_done(void **state)
{
    struct idling idling = {0};
    (void)state;
    assert_int_equal(run(idle, &idling), 0);
    assert_int_equal(idling.ended, WORKERS);
    assert_int_equal(idling.early, 0);
}

/* ---- the end ---- */

static int wait_for_stop(struct uw_crew *crew, uint32_t number, void *context)
{
    int64_t deadline_ms = uw_clock_monotonic_ms() + DEADLINE_MS;
    atomic_uint *stopped = context;
    uw_crew_gather(crew, number);
    if (number == 1) {
        return UW_EXIT_FAILED;
    }
    while (!uw_signals_stop_requested() && uw_clock_monotonic_ms() < deadline_ms) {
        uw_crew_alive(crew, number);
        sleep_ms(5);
    }
    atomic_fetch_add(stopped, uw_signals_stop_requested() ? 1 : 0);
    return 0;
}

/* The last test, since a stop is for the whole process. */
static void test_one_fails_and_all_stop(void **state)
{
    atomic_uint stopped = 0;
    (void)state;
    assert_int_equal(run(wait_for_stop, &stopped), UW_EXIT_FAILED);
    assert_int_equal(stopped, WORKERS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_they_begin_together),
        cmocka_unit_test(test_ready_when_all_are),
        cmocka_unit_test(test_reloads),
        cmocka_unit_test(test_the_watchdog_sees_each),
        cmocka_unit_test(test_idle_when_every_partition_is_done),
        cmocka_unit_test(test_one_fails_and_all_stop),
    };
    return cmocka_run_group_tests(tests, listen_as_systemd, close_manager);
}
