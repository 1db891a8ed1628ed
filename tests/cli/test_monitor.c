/* The listener of the processor's figures: what it answers at which stage, and while the main loop writes. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/monitor.h"

#define ANSWER_BYTES ((size_t)256 * 1024)
#define PATIENCE_MS 300
#define WAIT_TRIES 1000
#define SHORT_MS 200
#define LONG_MS 60000
#define IDLE_MS 9000 /* less than the monitor closes a connection after */
#define STALLED "\nurenwacht_processor_stalled_seconds "

static struct uw_monitor *monitor;
static char answer[ANSWER_BYTES];

static void sleep_ms(int64_t ms)
{
    struct timespec span = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&span, NULL);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int open_monitor(void **state)
{
    const struct uw_monitor_options options = {.listen = "127.0.0.1:0", .patience_ms = PATIENCE_MS};
    struct uw_error error = {.text = ""};
    (void)state;
    return uw_monitor_open(&options, &monitor, &error) == UW_OK ? 0 : -1;
}

static int close_monitor(void **state)
{
    (void)state;
    uw_monitor_close(&monitor);
    return monitor == NULL ? 0 : -1;
}

static int connect_to_monitor(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)uw_monitor_port(monitor)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(client >= 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    return client;
}

/* The whole answer in `answer`; returns its status. */
static int ask(const char *path)
{
    char request[200];
    size_t used = 0;
    ssize_t count;
    int client = connect_to_monitor();
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    assert_int_equal(write(client, request, (size_t)length), length);
    while (used < ANSWER_BYTES - 1 && (count = read(client, answer + used, ANSWER_BYTES - 1 - used)) > 0) {
        used += (size_t)count;
    }
    close(client);
    answer[used] = '\0';
    assert_memory_equal(answer, "HTTP/1.1 ", 9);
    return (int)strtol(answer + 9, NULL, 10);
}

/* Asks right after these workers said that they live; more than once where the machine was slower than the patience. */
static void ask_all_alive(uint32_t workers, const char *path, int status, const char *words)
{
    int tries = 0;
    do {
        assert_true(tries++ < WAIT_TRIES);
        for (uint32_t i = 0; i < workers; i++) {
            uw_monitor_alive(monitor, i);
        }
    } while (ask(path) != status || strstr(answer, words) == NULL);
}

static void ask_alive(const char *path, int status, const char *words)
{
    ask_all_alive(1, path, status, words);
}

static void test_stages(void **state)
{
    static const struct {
        enum uw_stage stage;
        int status;
        const char *words;
    } stages[] = {
        {UW_STAGE_STARTING, 503, "connecting"}, {UW_STAGE_JOINING, 503, "waiting for the group"},
        {UW_STAGE_RECOVERING, 503, "publishing"}, {UW_STAGE_WORKING, 200, "ready"},
        {UW_STAGE_WAITING, 503, "try again"},   {UW_STAGE_STOPPING, 503, "stopping"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        uw_monitor_stage(monitor, 0, stages[i].stage);
        ask_alive("/readyz", stages[i].status, stages[i].words);
        ask_alive("/healthz", 200, "alive");
    }
    assert_int_equal(ask("/nothing"), 404);
}

static void test_stands_still(void **state)
{
    (void)state;
    uw_monitor_stage(monitor, 0, UW_STAGE_WORKING);
    uw_monitor_alive(monitor, 0);
    sleep_ms(PATIENCE_MS + 100);
    assert_int_equal(ask("/healthz"), 503);
    assert_int_equal(ask("/readyz"), 503);
    assert_non_null(strstr(answer, "stands still"));
    assert_int_equal(ask("/metrics"), 200);
    assert_non_null(strstr(answer, "\nurenwacht_processor_ready 0\n"));
    ask_alive("/healthz", 200, "alive");
    ask_alive("/readyz", 200, "ready");
}

static void assert_line(const char *line)
{
    char wanted[200];
    snprintf(wanted, sizeof wanted, "\n%s\n", line);
    if (strstr(answer, wanted) == NULL) {
        fail_msg("no line '%s' in:\n%s", line, answer);
    }
}

static void test_figures(void **state)
{
    struct uw_monitor_figures figures = {.cache_bytes = 5, .cache_max_bytes = 6, .cache_clients = 7, .cache_facts = 8,
                                         .clients_due = 9, .partitions_owned = 2, .partition_count = 3,
                                         .as_of_day = 10};
    (void)state;
    figures.lags[UW_TOPIC_NO_SHOWS] = (struct uw_intake_lag){11, 1500};
    figures.meter.accepted = 12;
    figures.meter.refused = 13;
    figures.meter.alerts[UW_ALERT_CARE_STALLED][UW_STATUS_RESOLVED] = 14;
    figures.meter.commits[UW_COMMIT_KAFKA].last_ms = 1700000000123;
    uw_histogram_add(&figures.meter.commits[UW_COMMIT_KAFKA].durations, 1000);    /* on the first bound */
    uw_histogram_add(&figures.meter.commits[UW_COMMIT_KAFKA].durations, 1001);    /* beyond it */
    uw_histogram_add(&figures.meter.commits[UW_COMMIT_KAFKA].durations, 90000000); /* beyond the last one */
    uw_monitor_show(monitor, 0, &figures);
    assert_int_equal(ask("/metrics"), 200);
    assert_line("urenwacht_processor_cache_bytes 5");
    assert_line("urenwacht_processor_cache_max_bytes 6");
    assert_line("urenwacht_processor_cache_clients 7");
    assert_line("urenwacht_processor_cache_facts 8");
    assert_line("urenwacht_processor_clients_due 9");
    assert_line("urenwacht_processor_partitions_owned 2");
    assert_line("urenwacht_processor_partitions 3");
    assert_line("urenwacht_processor_as_of_timestamp_seconds 864000");
    assert_line("urenwacht_processor_lag_events{topic=\"no-shows\"} 11");
    assert_line("urenwacht_processor_lag_seconds{topic=\"no-shows\"} 1.500");
    assert_line("urenwacht_processor_events_total{outcome=\"accepted\"} 12");
    assert_line("urenwacht_processor_dead_letters_total 13");
    assert_line("urenwacht_processor_alert_revisions_total{kind=\"CARE_STALLED\",status=\"resolved\"} 14");
    assert_line("urenwacht_processor_last_commit_timestamp_seconds{target=\"kafka\"} 1700000000.123");
    assert_line("urenwacht_processor_commit_duration_seconds_bucket{target=\"kafka\",le=\"0.001\"} 1");
    assert_line("urenwacht_processor_commit_duration_seconds_bucket{target=\"kafka\",le=\"0.0025\"} 2");
    assert_line("urenwacht_processor_commit_duration_seconds_bucket{target=\"kafka\",le=\"60\"} 2");
    assert_line("urenwacht_processor_commit_duration_seconds_bucket{target=\"kafka\",le=\"+Inf\"} 3");
    assert_line("urenwacht_processor_commit_duration_seconds_sum{target=\"kafka\"} 90.002001");
    assert_line("urenwacht_processor_commit_duration_seconds_count{target=\"kafka\"} 3");
    assert_line("urenwacht_processor_batch_duration_seconds_count 0");
}

/* Waits until /readyz says that events wait and none is applied, or that it is ready; the main loop lives meanwhile,
 * and shows this picture of itself. With `moves` it has applied one more event each time. */
static void wait_ready(struct uw_monitor_figures *figures, bool moves, bool ready)
{
    const char *words = ready ? "\r\n\r\nready\n" : "events wait and none is applied";
    int tries = 0;
    do {
        assert_true(tries++ < WAIT_TRIES);
        sleep_ms(20);
        figures->meter.redelivered += moves ? 1 : 0;
        uw_monitor_alive(monitor, 0);
        uw_monitor_show(monitor, 0, figures);
    } while (ask("/readyz") != (ready ? 200 : 503) || strstr(answer, words) == NULL);
}

/* Events wait and none is applied: the main loop lives and is not ready. */
static void test_events_wait(void **state)
{
    struct uw_monitor_figures figures = {.meter.accepted = 3};
    (void)state;
    uw_monitor_stage(monitor, 0, UW_STAGE_WORKING);
    figures.lags[UW_TOPIC_EVALUATIONS].messages = 1;
    wait_ready(&figures, false, false);
    uw_monitor_alive(monitor, 0);
    assert_int_equal(ask("/metrics"), 200);
    assert_true(1000 * strtod(strstr(answer, STALLED) + strlen(STALLED), NULL) > PATIENCE_MS);
    assert_non_null(strstr(answer, "\nurenwacht_processor_ready 0\n"));
    wait_ready(&figures, true, true);
    wait_ready(&figures, false, false);
    /* Nothing waits for longer than that, and then something does: its time begins with it. */
    figures.lags[UW_TOPIC_EVALUATIONS].messages = 0;
    uw_monitor_show(monitor, 0, &figures);
    sleep_ms(PATIENCE_MS + 100);
    int64_t began_ms = now_ms();
    figures.lags[UW_TOPIC_EVALUATIONS].messages = 1;
    uw_monitor_show(monitor, 0, &figures);
    assert_int_equal(ask("/metrics"), 200);
    assert_true(1000 * strtod(strstr(answer, STALLED) + strlen(STALLED), NULL) <= (double)(now_ms() - began_ms + 1));
    figures.lags[UW_TOPIC_EVALUATIONS].messages = 0;
    wait_ready(&figures, false, true);
    assert_int_equal(ask("/metrics"), 200);
    assert_non_null(strstr(answer, STALLED "0.000\n"));
}

#define CONNECTIONS 64 /* as docs/limits.md has it */

/* Asks on a connection that then stays open. False: it was closed, or there was no answer in this time. */
static bool ask_and_stay(int client, bool asked_before, int64_t wait_ms)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    const struct timeval patience = {wait_ms / 1000, wait_ms % 1000 * 1000};
    size_t used = 0;
    ssize_t count = 1;
    assert_int_equal(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_true(asked_before || send(client, request, sizeof request - 1, MSG_NOSIGNAL) == sizeof request - 1);
    while (count > 0 && (used < 4 || answer[used - 1] != '\n' || answer[used - 2] == '\r')) {
        count = recv(client, answer + used, ANSWER_BYTES - 1 - used, 0);
        used += count > 0 ? (size_t)count : 0;
    }
    return count > 0;
}

static bool is_open(int client)
{
    char byte;
    return recv(client, &byte, 1, MSG_DONTWAIT) < 0;
}

static int count_open(const int clients[CONNECTIONS])
{
    int count = 0;
    for (int i = 0; i < CONNECTIONS; i++) {
        count += is_open(clients[i]) ? 1 : 0;
    }
    return count;
}

/* Who comes beyond the limit waits until somebody has left. */
static void test_connections_have_a_limit(void **state)
{
    int clients[CONNECTIONS], last;
    int64_t began_ms = now_ms();
    (void)state;
    assert_int_equal(UW_MONITOR_CONNECTIONS_MAX, CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) {
        clients[i] = connect_to_monitor();
        assert_true(ask_and_stay(clients[i], false, LONG_MS));
    }
    /* On a very slow machine the first ones are idle for too long, and closed. */
    assert_true(count_open(clients) == CONNECTIONS || now_ms() - began_ms > IDLE_MS);
    last = connect_to_monitor();
    if (ask_and_stay(last, false, SHORT_MS)) {
        assert_true(count_open(clients) < CONNECTIONS);
    } else {
        assert_true(is_open(last));
        close(clients[0]);
        assert_true(ask_and_stay(last, true, LONG_MS));
        clients[0] = connect_to_monitor();
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        close(clients[i]);
    }
    close(last);
    assert_int_equal(ask("/metrics"), 200);
}

static void *write_figures(void *context)
{
    const bool *over = context;
    struct uw_monitor_figures figures = {0};
    while (!__atomic_load_n(over, __ATOMIC_RELAXED)) {
        /* Two figures that are always equal: an answer that has them unequal read half a picture. */
        figures.cache_bytes++;
        figures.cache_facts++;
        uw_monitor_show(monitor, 0, &figures);
        uw_monitor_alive(monitor, 0);
        uw_monitor_stage(monitor, 0, UW_STAGE_WORKING);
    }
    return NULL;
}

static long long figure(const char *name)
{
    const char *at = strstr(answer, name);
    assert_non_null(at);
    return strtoll(at + strlen(name), NULL, 10);
}

static void test_while_written(void **state)
{
    bool over = false;
    pthread_t writer;
    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, write_figures, &over), 0);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ask("/metrics"), 200);
        assert_int_equal(figure("\nurenwacht_processor_cache_bytes "), figure("\nurenwacht_processor_cache_facts "));
    }
    __atomic_store_n(&over, true, __ATOMIC_RELAXED);
    pthread_join(writer, NULL);
}

/* Figures are added up; one that does not work, or is not seen, is enough. One that has ended says nothing any more. */
static void test_workers(void **state)
{
    const struct uw_monitor_options options = {.listen = "127.0.0.1:0", .workers = 2, .patience_ms = PATIENCE_MS};
    struct uw_monitor_figures figures = {
        .partitions_owned = 2, .partition_count = 5, .cache_max_bytes = 6, .as_of_day = 10};
    struct uw_error error = {.text = ""};
    (void)state;
    uw_monitor_close(&monitor);
    assert_int_equal(uw_monitor_open(&options, &monitor, &error), UW_OK);
    figures.meter.accepted = 12;
    figures.lags[UW_TOPIC_DECISIONS] = (struct uw_intake_lag){11, 1500};
    uw_histogram_add(&figures.meter.batches, 1000);
    uw_monitor_show(monitor, 0, &figures);
    figures.partitions_owned = 3;
    figures.lags[UW_TOPIC_DECISIONS] = (struct uw_intake_lag){4, 2500};
    uw_monitor_show(monitor, 1, &figures);
    uw_monitor_stage(monitor, 0, UW_STAGE_WORKING);
    uw_monitor_stage(monitor, 1, UW_STAGE_RECOVERING);
    ask_all_alive(2, "/readyz", 503, "publishing");
    assert_int_equal(ask("/metrics"), 200);
    assert_line("urenwacht_processor_partitions_owned 5");
    assert_line("urenwacht_processor_partitions 5");
    assert_line("urenwacht_processor_cache_max_bytes 12");
    assert_line("urenwacht_processor_as_of_timestamp_seconds 864000");
    assert_line("urenwacht_processor_events_total{outcome=\"accepted\"} 24");
    assert_line("urenwacht_processor_lag_events{topic=\"decisions\"} 15");
    assert_line("urenwacht_processor_lag_seconds{topic=\"decisions\"} 2.500");
    assert_line("urenwacht_processor_batch_duration_seconds_bucket{le=\"0.001\"} 2");
    uw_monitor_stage(monitor, 1, UW_STAGE_WORKING);
    ask_all_alive(2, "/readyz", 200, "ready");
    sleep_ms(PATIENCE_MS + 100);
    uw_monitor_alive(monitor, 0);
    assert_int_equal(ask("/healthz"), 503);
    uw_monitor_stage(monitor, 1, UW_STAGE_ENDED);
    ask_alive("/healthz", 200, "alive");
}

static void test_address(void **state)
{
    static const char *const bad[] = {"",     "127.0.0.1",       "127.0.0.1:",       "127.0.0.1:x",  "127.0.0.1:65536",
                                      ":8481", "localhost:8481", "::1:8481",         "[::1]",        "[::1]8481",
                                      "[]:1", "[127.0.0.1]:8481", "127.0.0.1:-1",    "127.0.0.1:1 ", "[:1"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct uw_monitor_options options = {.listen = bad[i], .patience_ms = 1};
        struct uw_monitor *opened = NULL;
        struct uw_error error = {.text = ""};
        assert_int_equal(uw_monitor_open(&options, &opened, &error), UW_ECONFIG);
        assert_non_null(strstr(error.text, "process.metrics_listen"));
        assert_null(opened);
    }
    /* Nobody to tell. */
    uw_monitor_alive(NULL, 0);
    uw_monitor_stage(NULL, 0, UW_STAGE_WORKING);
    uw_monitor_show(NULL, 0, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stages, open_monitor, close_monitor),
        cmocka_unit_test_setup_teardown(test_stands_still, open_monitor, close_monitor),
        cmocka_unit_test_setup_teardown(test_figures, open_monitor, close_monitor),
        cmocka_unit_test_setup_teardown(test_events_wait, open_monitor, close_monitor),
        cmocka_unit_test_setup_teardown(test_connections_have_a_limit, open_monitor, close_monitor),
        cmocka_unit_test_setup_teardown(test_while_written, open_monitor, close_monitor),
        cmocka_unit_test_setup_teardown(test_workers, open_monitor, close_monitor),
        cmocka_unit_test(test_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
