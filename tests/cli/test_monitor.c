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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/monitor.h"

#define ANSWER_BYTES ((size_t)256 * 1024)
#define PATIENCE_MS 300

static struct uw_monitor *monitor;
static char answer[ANSWER_BYTES];

static void sleep_ms(int64_t ms)
{
    struct timespec span = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&span, NULL);
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

/* The whole answer in `answer`; returns its status. */
static int ask(const char *path)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)uw_monitor_port(monitor)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char request[200];
    size_t used = 0;
    ssize_t count;
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(client >= 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
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
        uw_monitor_alive(monitor);
        uw_monitor_stage(monitor, stages[i].stage);
        assert_int_equal(ask("/readyz"), stages[i].status);
        assert_non_null(strstr(answer, stages[i].words));
        uw_monitor_alive(monitor);
        assert_int_equal(ask("/healthz"), 200);
    }
    assert_int_equal(ask("/nothing"), 404);
}

static void test_stands_still(void **state)
{
    (void)state;
    uw_monitor_stage(monitor, UW_STAGE_WORKING);
    uw_monitor_alive(monitor);
    sleep_ms(PATIENCE_MS + 100);
    assert_int_equal(ask("/healthz"), 503);
    assert_int_equal(ask("/readyz"), 503);
    assert_non_null(strstr(answer, "stands still"));
    assert_int_equal(ask("/metrics"), 200);
    assert_non_null(strstr(answer, "\nurenwacht_processor_ready 0\n"));
    uw_monitor_alive(monitor);
    assert_int_equal(ask("/healthz"), 200);
    assert_int_equal(ask("/readyz"), 200);
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
    uw_monitor_show(monitor, &figures);
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

static void *write_figures(void *context)
{
    const bool *over = context;
    struct uw_monitor_figures figures = {0};
    while (!__atomic_load_n(over, __ATOMIC_RELAXED)) {
        /* Two figures that are always equal: an answer that has them unequal read half a picture. */
        figures.cache_bytes++;
        figures.cache_facts++;
        uw_monitor_show(monitor, &figures);
        uw_monitor_alive(monitor);
        uw_monitor_stage(monitor, UW_STAGE_WORKING);
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
    uw_monitor_alive(NULL);
    uw_monitor_stage(NULL, UW_STAGE_WORKING);
    uw_monitor_show(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stages, open_monitor, close_monitor),
        cmocka_unit_test_setup_teardown(test_stands_still, open_monitor, close_monitor),
        cmocka_unit_test_setup_teardown(test_figures, open_monitor, close_monitor),
        cmocka_unit_test_setup_teardown(test_while_written, open_monitor, close_monitor),
        cmocka_unit_test(test_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
