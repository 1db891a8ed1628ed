#include "cli/monitor.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/config.h"

#define ADDRESS_BYTES 64
#define IDLE_MS 10000
#define RECEIVE_MS 5000

/* What one worker has told. */
struct told {
    struct uw_monitor_figures figures;
    enum uw_stage stage;
    int64_t seen_ms;  /* monotonic: when its loop last said that it lives */
    uint64_t applied; /* events, in its last picture */
    bool waiting;     /* events wait, in its last picture */
    int64_t moved_ms; /* monotonic: when its picture last had new events, or none that wait */
};

struct uw_monitor {
    struct uw_http *http;
    int64_t patience_ms;
    char address[ADDRESS_BYTES];
    uint32_t workers;

    pthread_mutex_t lock; /* all below */
    struct told told[UW_WORKERS_MAX];
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

static const char *reason_of(enum uw_stage stage, bool alive, bool stalled)
{
    if (!alive) {
        return "the main loop stands still";
    }
    switch (stage) {
    case UW_STAGE_STARTING:
        return "connecting to PostgreSQL and Kafka";
    case UW_STAGE_JOINING:
        return "waiting for the group to hand out partitions";
    case UW_STAGE_RECOVERING:
        return "publishing what was decided before";
    case UW_STAGE_WORKING:
        return stalled ? "events wait and none is applied" : "ready";
    case UW_STAGE_WAITING:
        return "waiting to try again; the log says what failed";
    case UW_STAGE_STOPPING:
    case UW_STAGE_ENDED:
        return "stopping";
    }
    return "";
}

static uint64_t count_applied(const struct uw_meter_figures *meter)
{
    return meter->accepted + meter->redelivered + meter->refused + meter->skipped;
}

static int64_t count_waiting(const struct uw_monitor_figures *figures)
{
    int64_t sum = 0;
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        sum += figures->lags[i].messages;
    }
    return sum;
}

static void answer_text(struct uw_http_request *request, int status, const char *words)
{
    struct uw_text text;
    uw_text_init(&text, &request->arena);
    uw_text_add_literal(&text, words);
    uw_text_add_literal(&text, "\n");
    uw_http_body(request, status, "text/plain; charset=utf-8", &text);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* All workers as one: the sum of their figures, the stage of one that does not work, the longest silence and the
 * longest standstill. */
static enum uw_stage sum_up(struct uw_monitor *monitor, struct uw_monitor_figures *figures, int64_t *silent_ms,
                            int64_t *stalled_ms)
{
    enum uw_stage stage = UW_STAGE_WORKING;
    int64_t now_ms = uw_clock_monotonic_ms();
    memset(figures, 0, sizeof *figures);
    *silent_ms = *stalled_ms = 0;
    pthread_mutex_lock(&monitor->lock);
    for (uint32_t i = 0; i < monitor->workers; i++) {
        const struct told *told = &monitor->told[i];
        uw_monitor_add(figures, &told->figures);
        stage = stage == UW_STAGE_WORKING ? told->stage : stage;
        if (told->stage != UW_STAGE_ENDED) {
            *silent_ms = later(*silent_ms, now_ms - told->seen_ms);
        }
        if (told->stage == UW_STAGE_WORKING && told->waiting) {
            *stalled_ms = later(*stalled_ms, now_ms - told->moved_ms);
        }
    }
    pthread_mutex_unlock(&monitor->lock);
    return stage;
}

static void answer(void *context, uint32_t worker, struct uw_http_request *request)
{
    struct uw_monitor *monitor = context;
    struct uw_monitor_figures figures;
    struct uw_text text;
    int64_t silent_ms, stalled_ms;
    (void)worker;
    enum uw_stage stage = sum_up(monitor, &figures, &silent_ms, &stalled_ms);
    bool alive = silent_ms <= monitor->patience_ms, stalled = stalled_ms > monitor->patience_ms;
    bool ready = alive && stage == UW_STAGE_WORKING && !stalled;
    if (request->method != UW_METHOD_GET && request->method != UW_METHOD_HEAD) {
        uw_http_problem(request, 405, "this path is only read");
    } else if (strcmp(request->path, "/healthz") == 0) {
        answer_text(request, alive ? 200 : 503, alive ? "alive" : "the main loop stands still");
    } else if (strcmp(request->path, "/readyz") == 0) {
        answer_text(request, ready ? 200 : 503, reason_of(stage, alive, stalled));
    } else if (strcmp(request->path, "/metrics") == 0) {
        uw_text_init(&text, &request->arena);
        uw_monitor_write(&text, &figures, ready, silent_ms, stalled_ms);
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
                                   .connections_max = UW_MONITOR_CONNECTIONS_MAX,
                                   .connections_per_address_max = UW_MONITOR_CONNECTIONS_MAX,
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
    made->workers = options->workers == 0 ? 1 : options->workers;
    for (uint32_t i = 0; i < made->workers; i++) {
        made->told[i].seen_ms = uw_clock_monotonic_ms();
    }
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

/* ---- from the workers ---- */

/* Whose partitions are nobody's, or another's already. */
static bool has_nothing(enum uw_stage stage)
{
    return stage == UW_STAGE_STARTING || stage == UW_STAGE_STOPPING || stage == UW_STAGE_ENDED;
}

/* What was counted stays. */
static void forget_possessions(struct uw_monitor_figures *figures)
{
    memset(figures->lags, 0, sizeof figures->lags);
    figures->cache_bytes = figures->cache_clients = figures->cache_facts = 0;
    figures->clients_due = 0;
    figures->partitions_owned = 0;
}

void uw_monitor_alive(struct uw_monitor *monitor, uint32_t worker)
{
    if (monitor != NULL) {
        pthread_mutex_lock(&monitor->lock);
        monitor->told[worker].seen_ms = uw_clock_monotonic_ms();
        pthread_mutex_unlock(&monitor->lock);
    }
}

void uw_monitor_stage(struct uw_monitor *monitor, uint32_t worker, enum uw_stage stage)
{
    if (monitor != NULL) {
        pthread_mutex_lock(&monitor->lock);
        struct told *told = &monitor->told[worker];
        if (stage != told->stage && (stage == UW_STAGE_WORKING || told->stage == UW_STAGE_WORKING)) {
            told->moved_ms = uw_clock_monotonic_ms(); /* what waited while it could not work is no standstill */
        }
        if (has_nothing(stage)) {
            forget_possessions(&told->figures);
        }
        told->stage = stage;
        pthread_mutex_unlock(&monitor->lock);
    }
}

void uw_monitor_show(struct uw_monitor *monitor, uint32_t worker, const struct uw_monitor_figures *figures)
{
    if (monitor != NULL) {
        uint64_t applied = count_applied(&figures->meter);
        pthread_mutex_lock(&monitor->lock);
        struct told *told = &monitor->told[worker];
        if (!told->waiting || applied != told->applied) {
            told->moved_ms = uw_clock_monotonic_ms();
        }
        told->applied = applied;
        told->waiting = count_waiting(figures) > 0;
        told->figures = *figures;
        pthread_mutex_unlock(&monitor->lock);
    }
}
