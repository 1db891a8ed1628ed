/* urenwacht process: the processor. */
#include "cli/worker.h"

static const char usage[] = "process [--as-of DATE] [--until-idle] [--workers N] [--instance NAME] "
                            "[--metrics-listen ADDRESS:PORT]";
static const char about[] =
    "Reads decisions, declarations, no-shows and evaluations from Kafka in a consumer group, keeps the hour budgets\n"
    "in PostgreSQL, and publishes alerts, anomalies and dead letters; each exactly once, whatever breaks. Any number\n"
    "of instances share the work, and each instance may have several workers. Needs `urenwacht migrate` and\n"
    "`urenwacht topics --create` to have run once.\n\n"
    "SIGTERM and SIGINT stop it after the running batch; SIGHUP reads the thresholds of the configuration again.\n\n"
    "With --metrics-listen it answers GET /metrics (for Prometheus), /healthz (200 while the main loop moves) and\n"
    "/readyz (200 while it has its partitions and works, 503 with the reason otherwise) to everybody who reaches the\n"
    "address.\n\n"
    "Exit code: 0 when stopped or idle, 1 when it cannot go on, 2 for usage or configuration.\n";

static const struct uw_option table[] = {
    {"as-of", "DATE", "judge as of this day (YYYY-MM-DD) instead of today in Europe/Amsterdam"},
    {"until-idle", NULL, "end when everything that is in the topics has been processed, by this instance or others"},
    {"workers", "N", "members of the group in this process, one for each processor to be used and one more (process.workers)"},
    {"instance", "NAME", "name of this instance, stable over restarts (default: a free slot of the database)"},
    {"metrics-listen", "ADDRESS:PORT", "answer /metrics, /healthz and /readyz there (process.metrics_listen)"},
    {"accept-lost-offsets", NULL,
     "where Kafka's offsets do not say what is published, do not search the topics; it may be published twice"},
};
#define TABLE_COUNT ((uint32_t)(sizeof table / sizeof table[0]))

int uw_command_process(int argc, char **argv)
{
    struct uw_options options;
    int status = uw_options_parse(argc, argv, usage, about, table, TABLE_COUNT, &options);
    if (status >= 0) {
        return status;
    }
    if (options.operand_count > 0) {
        uw_complain("process: unexpected operand %s", options.operands[0]);
        return UW_EXIT_USAGE;
    }
    struct uw_worker_options worker = {.command = &options,
                                       .until_idle = uw_option_given(&options, "until-idle"),
                                       .accept_lost_offsets = uw_option_given(&options, "accept-lost-offsets")};
    if (!uw_option_date(&options, "as-of", UW_DAY_NONE, &worker.as_of_day)) {
        return UW_EXIT_USAGE;
    }
    struct uw_config config;
    if (!uw_options_config(&options, &config)) {
        return UW_EXIT_USAGE;
    }
    config.instance = uw_option_text(&options, "instance", config.instance);
    config.metrics_listen = uw_option_text(&options, "metrics-listen", config.metrics_listen);
    int64_t workers;
    if (!uw_option_integer(&options, "workers", config.process_workers, 1, UW_WORKERS_MAX, &workers)) {
        uw_config_close(&config);
        return UW_EXIT_USAGE;
    }
    config.process_workers = (int32_t)workers;
    worker.config = &config;
    status = uw_worker_run(&worker);
    uw_config_close(&config);
    return status;
}
