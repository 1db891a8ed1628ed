#include "cli/monitor.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

#define ADDRESS_BYTES 64
#define CONNECTIONS_MAX 64
#define IDLE_MS 10000
#define RECEIVE_MS 5000

struct uw_monitor {
    struct uw_http *http;
    int64_t patience_ms;
    char address[ADDRESS_BYTES];

    pthread_mutex_t lock; /* all below */
    struct uw_monitor_figures figures;
    enum uw_stage stage;
    int64_t seen_ms; /* monotonic: when the main loop last said that it lives */
};

/* ---- the address ---- */

/* Splits "127.0.0.1:8481" or "[::1]:8481". */
static bool split_address(const char *listen, char address[ADDRESS_BYTES], int32_t *port)
{
    const char *colon = strrchr(listen, ':');
    bool bracketed = listen[0] == '[';
    struct in_addr four;
    struct in6_addr six;
    char *end;
    if (colon == NULL || colon[1] < '0' || colon[1] > '9' || (bracketed && (colon == listen || colon[-1] != ']'))) {
        return false;
    }
    size_t length = (size_t)(colon - listen) - (bracketed ? 2u : 0u);
    if (length == 0 || length >= ADDRESS_BYTES) {
        return false;
    }
    long number = strtol(colon + 1, &end, 10);
    memcpy(address, listen + (bracketed ? 1 : 0), length);
    address[length] = '\0';
    *port = (int32_t)number;
    return *end == '\0' && number <= 65535 &&
           (bracketed ? inet_pton(AF_INET6, address, &six) : inet_pton(AF_INET, address, &four)) == 1;
}

/* ---- answering; a thread of its own ---- */

static const char *reason_of(enum uw_stage stage)
{
    switch (stage) {
    case UW_STAGE_STARTING:
        return "connecting to PostgreSQL and Kafka";
    case UW_STAGE_JOINING:
        return "waiting for the group to hand out partitions";
    case UW_STAGE_RECOVERING:
        return "publishing what was decided before";
    case UW_STAGE_WORKING:
        return "ready";
    case UW_STAGE_WAITING:
        return "waiting to try again; the log says what failed";
    case UW_STAGE_STOPPING:
        return "stopping";
    }
    return "";
}

static void answer_text(struct uw_http_request *request, int status, const char *words)
{
    struct uw_text text;
    uw_text_init(&text, &request->arena);
    uw_text_add_literal(&text, words);
    uw_text_add_literal(&text, "\n");
    uw_http_body(request, status, "text/plain; charset=utf-8", &text);
}

static void answer(void *context, uint32_t worker, struct uw_http_request *request)
{
    struct uw_monitor *monitor = context;
    struct uw_monitor_figures figures;
    struct uw_text text;
    (void)worker;
    pthread_mutex_lock(&monitor->lock);
    figures = monitor->figures;
    enum uw_stage stage = monitor->stage;
    int64_t silent_ms = uw_clock_monotonic_ms() - monitor->seen_ms;
    pthread_mutex_unlock(&monitor->lock);
    bool alive = silent_ms <= monitor->patience_ms;
    bool ready = alive && stage == UW_STAGE_WORKING;
    if (request->method != UW_METHOD_GET && request->method != UW_METHOD_HEAD) {
        uw_http_problem(request, 405, "this path is only read");
    } else if (strcmp(request->path, "/healthz") == 0) {
        answer_text(request, alive ? 200 : 503, alive ? "alive" : "the main loop stands still");
    } else if (strcmp(request->path, "/readyz") == 0) {
        answer_text(request, ready ? 200 : 503, alive ? reason_of(stage) : "the main loop stands still");
    } else if (strcmp(request->path, "/metrics") == 0) {
        uw_text_init(&text, &request->arena);
        uw_monitor_write(&text, &figures, ready, silent_ms);
        uw_http_body(request, 200, UW_EXPOSITION_TYPE, &text);
    } else {
        uw_http_problem(request, 404, "there is nothing at this path");
    }
}

static void write_log(void *context, const char *text)
{
    (void)context;
    uw_log(UW_LOG_DEBUG, "%s", text);
}

/* ---- open and close ---- */

enum uw_code uw_monitor_open(const struct uw_monitor_options *options, struct uw_monitor **monitor,
                             struct uw_error *error)
{
    struct uw_monitor *made = calloc(1, sizeof *made);
    struct uw_http_options http = {.worker_count = 1,
                                   .connections_max = CONNECTIONS_MAX,
                                   .connections_per_address_max = CONNECTIONS_MAX,
                                   .idle_ms = IDLE_MS,
                                   .receive_ms = RECEIVE_MS,
                                   .context = made,
                                   .handle = answer,
                                   .log = write_log};
    if (made == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the figures' listener");
    }
    if (!split_address(options->listen, made->address, &http.port)) {
        free(made);
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "process.metrics_listen: '%.80s' is not an IP address with a port, such as 127.0.0.1:8481",
                            options->listen);
    }
    http.listen = made->address;
    made->patience_ms = options->patience_ms;
    made->seen_ms = uw_clock_monotonic_ms();
    pthread_mutex_init(&made->lock, NULL);
    enum uw_code code = uw_http_open(&http, &made->http, error);
    if (code != UW_OK) {
        pthread_mutex_destroy(&made->lock);
        free(made);
        return code;
    }
    uw_log(UW_LOG_INFO, "figures on %s port %" PRId32, made->address, uw_http_port(made->http));
    *monitor = made;
    return UW_OK;
}

void uw_monitor_close(struct uw_monitor **monitor)
{
    struct uw_monitor *closing = *monitor;
    if (closing == NULL) {
        return;
    }
    uw_http_close(&closing->http);
    pthread_mutex_destroy(&closing->lock);
    free(closing);
    *monitor = NULL;
}

int32_t uw_monitor_port(const struct uw_monitor *monitor)
{
    return uw_http_port(monitor->http);
}

/* ---- from the main loop ---- */

void uw_monitor_alive(struct uw_monitor *monitor)
{
    if (monitor != NULL) {
        pthread_mutex_lock(&monitor->lock);
        monitor->seen_ms = uw_clock_monotonic_ms();
        pthread_mutex_unlock(&monitor->lock);
    }
}

void uw_monitor_stage(struct uw_monitor *monitor, enum uw_stage stage)
{
    if (monitor != NULL) {
        pthread_mutex_lock(&monitor->lock);
        monitor->stage = stage;
        pthread_mutex_unlock(&monitor->lock);
    }
}

void uw_monitor_show(struct uw_monitor *monitor, const struct uw_monitor_figures *figures)
{
    if (monitor != NULL) {
        pthread_mutex_lock(&monitor->lock);
        monitor->figures = *figures;
        pthread_mutex_unlock(&monitor->lock);
    }
}
