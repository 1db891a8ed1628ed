#include "dashboard/serve.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dashboard/access.h"
#include "dashboard/answer.h"
#include "dashboard/route.h"
#include "producers/migrate.h"

#define IDLE_MS 60000
#define RECEIVE_MS 30000
#define WATCH_MS 100
#define TOKENS_MS 20000
#define TOKENS_MAX UW_STREAM_SUBSCRIBERS_MAX

static void log_at(void *context, const char *text)
{
    const struct uw_serve_options *options = context;
    options->log(options->context, 4, text);
}

static void log_http(void *context, const char *text)
{
    struct uw_server *server = context;
    server->options->log(server->options->context, 7, text);
}

static void on_stopping(void *context)
{
    struct uw_server *server = context;
    uw_stream_stop(server->stream);
}

/* Ends the streams of tokens that were revoked or expired after they began. */
static void check_tokens(struct uw_server *server, struct uw_desk *desk)
{
    static int64_t ids[TOKENS_MAX];
    uint32_t count = uw_stream_tokens(server->stream, ids, TOKENS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct uw_error error = {.text = ""};
        bool valid = true;
        if (uw_access_still(desk, ids[i], &valid, &error) == UW_OK && !valid) {
            uw_stream_end_token(server->stream, ids[i]);
        }
    }
}

static void watch(struct uw_server *server, struct uw_desk *desk)
{
    const struct timespec pause = {0, WATCH_MS * 1000000L};
    int64_t waited_ms = 0;
    while (!server->options->stopping(server->options->context)) {
        (void)nanosleep(&pause, NULL);
        waited_ms += WATCH_MS;
        if (waited_ms >= TOKENS_MS) {
            waited_ms = 0;
            check_tokens(server, desk);
        }
    }
}

static enum uw_code open_database(struct uw_server *server, struct uw_desk **own, struct uw_error *error)
{
    const struct uw_serve_options *options = server->options;
    const struct uw_migrate_options migrate = {.dsn = options->dsn, .timeout_ms = options->database_timeout_ms};
    int32_t version;
    enum uw_code code = uw_migrate_check(&migrate, &version, error);
    if (code == UW_OK) {
        code = uw_desk_open(options->dsn, options->database_timeout_ms, own, error);
    }
    if (code == UW_OK) {
        code = uw_desk_prepare(*own, error);
    }
    for (uint32_t i = 0; i < options->workers && code == UW_OK; i++) {
        code = uw_desk_open(options->dsn, options->database_timeout_ms, &server->desks[i], error);
    }
    return code;
}

static enum uw_code open_kafka(struct uw_server *server, struct uw_error *error)
{
    const struct uw_serve_options *options = server->options;
    struct uw_feeder_options feeder = {.properties = options->kafka,
                                       .property_count = options->kafka_count,
                                       .timeout_ms = options->kafka_timeout_ms,
                                       .log = options->kafka_log};
    const struct uw_stream_options stream = {.properties = options->kafka,
                                             .property_count = options->kafka_count,
                                             .alerts = options->outputs[UW_OUTPUT_ALERTS],
                                             .anomalies = options->outputs[UW_OUTPUT_ANOMALIES],
                                             .ring_bytes_max = options->stream_bytes_max,
                                             .timeout_ms = options->kafka_timeout_ms,
                                             .kafka_log = options->kafka_log,
                                             .context = (void *)(uintptr_t)options,
                                             .log = log_at};
    memcpy(feeder.topics, options->topics, sizeof feeder.topics);
    enum uw_code code = uw_reporter_open(&feeder, &server->reporter, error);
    if (code == UW_OK) {
        code = uw_stream_open(&stream, &server->stream, error);
    }
    if (code == UW_OK) {
        struct uw_webhook_options webhooks = options->webhooks;
        webhooks.dsn = options->dsn;
        webhooks.database_timeout_ms = options->database_timeout_ms;
        webhooks.topics = stream;
        webhooks.context = stream.context;
        webhooks.log = log_at;
        code = uw_webhooks_open(&webhooks, &server->webhooks, error);
    }
    return code;
}

static enum uw_code open_http(struct uw_server *server, struct uw_error *error)
{
    const struct uw_serve_options *options = server->options;
    const struct uw_http_options http = {.listen = options->listen,
                                         .port = options->port,
                                         .worker_count = options->workers,
                                         .connections_max = options->connections_max,
                                         .connections_per_address_max = options->connections_per_address_max,
                                         .idle_ms = IDLE_MS,
                                         .receive_ms = RECEIVE_MS,
                                         .context = server,
                                         .handle = uw_route,
                                         .stopping = on_stopping,
                                         .log = log_http};
    enum uw_code code = uw_page_open(options->page, &server->page, error);
    return code == UW_OK ? uw_http_open(&http, &server->http, error) : code;
}

enum uw_code uw_serve_run(const struct uw_serve_options *options, struct uw_error *error)
{
    struct uw_server *server = calloc(1, sizeof *server);
    struct uw_desk *own = NULL;
    enum uw_code code;
    if (server == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the server");
    }
    server->options = options;
    uw_answer_log(log_at, (void *)(uintptr_t)options);
    code = open_database(server, &own, error);
    if (code == UW_OK) {
        code = open_kafka(server, error);
    }
    if (code == UW_OK) {
        code = open_http(server, error);
    }
    if (code == UW_OK) {
        options->ready(options->context, uw_http_port(server->http));
        watch(server, own);
    }
    uw_http_close(&server->http);
    uw_webhooks_close(&server->webhooks);
    uw_stream_close(&server->stream);
    uw_reporter_close(&server->reporter);
    uw_page_close(&server->page);
    for (uint32_t i = 0; i < options->workers; i++) {
        uw_desk_close(&server->desks[i]);
    }
    uw_desk_close(&own);
    free(server);
    return code;
}
