/*
 * urenwacht serve: the API, the live stream and the page of the dashboard.
 */
#include "dashboard/serve.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "cli/command.h"
#include "cli/explain.h"
#include "cli/kafka_log.h"
#include "cli/notify.h"

static const char usage[] = "serve [--listen ADDRESS] [--port PORT] [--page FOLDER]";
static const char about[] =
    "Answers HTTP: a JSON API over the database under /api/v1 (described at /api/v1/openapi.yaml), alerts and\n"
    "anomalies live at /api/v1/stream, the page of the dashboard, and /metrics, /healthz and /readyz. Whoever asks\n"
    "needs a token (urenwacht token create), which sees its municipalities only.\n\n"
    "It speaks plain HTTP and listens on loopback unless told: put a proxy with TLS before it. Needs\n"
    "`urenwacht migrate` to have run, and the role urenwacht_dashboard (docs/api.md).\n";

static const struct uw_option table[] = {
    {"listen", "ADDRESS", "IP address to listen on (serve.listen)"},
    {"port", "PORT", "port to listen on; 0 takes a free one (serve.port)"},
    {"page", "FOLDER", "folder of a page instead of the one that is compiled in (serve.page)"},
};
#define TABLE_COUNT ((uint32_t)(sizeof table / sizeof table[0]))

static void write_log(void *context, int level, const char *text)
{
    (void)context;
    uw_log(level <= 4 ? UW_LOG_WARNING : UW_LOG_DEBUG, "%s", text);
}

static bool is_stopping(void *context)
{
    (void)context;
    uw_notify_alive(uw_clock_monotonic_ms());
    return uw_signals_stop_requested();
}

static void on_ready(void *context, int32_t port)
{
    const struct uw_config *config = context;
    uw_log(UW_LOG_INFO, "serving on %s port %" PRId32, config->serve_listen, port);
    uw_notify("READY=1\nSTATUS=port %" PRId32, port);
}

static enum uw_code explain(void *context, uint32_t worker, const char *municipality, const char *decision,
                            const char *client, int32_t as_of_day, bool dutch, bool with_anomalies, FILE *file,
                            bool *found, struct uw_error *error)
{
    struct uw_explain_reader **readers = context;
    const struct uw_explain_question question = {.municipality = municipality,
                                                 .decision = decision,
                                                 .client = client,
                                                 .as_of_day = as_of_day,
                                                 .language = dutch ? UW_LANGUAGE_NL : UW_LANGUAGE_EN,
                                                 .without_anomalies = !with_anomalies};
    return uw_explain_answer(readers[worker], &question, file, found, error);
}

static struct uw_webhook_options webhooks_of(const struct uw_config *config)
{
    return (struct uw_webhook_options){
        .enabled = config->webhooks_enabled,
        .source = config->webhooks_source,
        .ca_file = config->webhooks_ca_file,
        .per_token_max = config->webhooks_max_per_token,
        .queued_max = config->webhooks_max_queued,
        .connections_max = config->webhooks_connections,
        .timeout_ms = config->webhooks_timeout_ms,
        .retry_min_ms = config->webhooks_retry_min_ms,
        .retry_max_ms = config->webhooks_retry_max_ms,
        .give_up_minutes = config->webhooks_give_up_minutes,
        .retention_days = config->webhooks_retention_days,
    };
}

static int run(struct uw_config *config, struct uw_explain_reader **readers)
{
    struct uw_error error = {.text = ""};
    struct uw_serve_options options = {
        .dsn = config->dsn,
        .database_timeout_ms = config->serve_timeout_ms,
        .kafka = config->kafka,
        .kafka_count = config->kafka_count,
        .kafka_timeout_ms = config->kafka_timeout_ms,
        .kafka_log = uw_kafka_log_make(),
        .listen = config->serve_listen,
        .port = config->serve_port,
        .workers = (uint32_t)config->serve_workers,
        .connections_max = (uint32_t)config->serve_max_connections,
        .connections_per_address_max = (uint32_t)config->serve_max_per_address,
        .cookie_secure = config->serve_secure_cookie,
        .page = config->serve_page,
        .stream_bytes_max = config->serve_stream_bytes,
        .webhooks = webhooks_of(config),
        .explain_context = readers,
        .explain = explain,
        .context = config,
        .log = write_log,
        .stopping = is_stopping,
        .ready = on_ready,
    };
    for (uint32_t i = 0; i < UW_TOPIC_COUNT; i++) {
        options.topics[i] = config->topics[i];
    }
    for (uint32_t i = 0; i < UW_OUTPUT_COUNT; i++) {
        options.outputs[i] = config->outputs[i];
    }
    if (uw_guard_read(config->webhooks_allow, config->webhooks_ports, config->webhooks_http, &options.webhooks.guard,
                      &error) != UW_OK) {
        uw_complain("%s", error.text);
        return UW_EXIT_USAGE;
    }
    /* Before any thread starts: today is that of Europe/Amsterdam everywhere. */
    if (setenv("TZ", "Europe/Amsterdam", 1) != 0) {
        uw_complain("no memory");
        return UW_EXIT_FAILED;
    }
    tzset();
    uw_signals_start();
    uw_notify_start();
    if (uw_serve_run(&options, &error) != UW_OK) {
        uw_complain("%s", error.text);
        return error.code == UW_ECONFIG ? UW_EXIT_USAGE : UW_EXIT_FAILED;
    }
    uw_notify("STOPPING=1");
    return UW_EXIT_OK;
}

/* Every worker has a reader of its own for explanations, which connects when it is first asked. */
static int serve(struct uw_config *config)
{
    struct uw_explain_reader *readers[UW_HTTP_WORKERS_MAX] = {NULL};
    struct uw_error error = {.text = ""};
    enum uw_code code = UW_OK;
    int status;
    for (int32_t i = 0; i < config->serve_workers && code == UW_OK; i++) {
        code = uw_explain_reader_open(config, "serve", &readers[i], &error);
    }
    if (code == UW_OK) {
        status = run(config, readers);
    } else {
        uw_complain("%s", error.text);
        status = code == UW_ECONFIG ? UW_EXIT_USAGE : UW_EXIT_FAILED;
    }
    for (int32_t i = 0; i < config->serve_workers; i++) {
        uw_explain_reader_close(&readers[i]);
    }
    return status;
}

int uw_command_serve(int argc, char **argv)
{
    struct uw_options options;
    struct uw_config config;
    int64_t port;
    int status = uw_options_parse(argc, argv, usage, about, table, TABLE_COUNT, &options);
    if (status >= 0) {
        return status;
    }
    if (options.operand_count > 0) {
        uw_complain("serve: unexpected operand %s", options.operands[0]);
        return UW_EXIT_USAGE;
    }
    if (!uw_options_config(&options, &config)) {
        return UW_EXIT_USAGE;
    }
    if (!uw_option_integer(&options, "port", config.serve_port, 0, 65535, &port)) {
        uw_config_close(&config);
        return UW_EXIT_USAGE;
    }
    config.serve_port = (int32_t)port;
    config.serve_listen = uw_option_text(&options, "listen", config.serve_listen);
    config.serve_page = uw_option_text(&options, "page", config.serve_page);
    status = serve(&config);
    uw_config_close(&config);
    return status;
}
