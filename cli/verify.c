/*
 * urenwacht verify: recomputes everything from the stored facts, and holds the facts against the topics.
 */
#include "cli/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producers/migrate.h"

#define LIMIT_DEFAULT 100
#define CLIENT_BYTES_MAX 256
#define MUNICIPALITY_BYTES 4

static const char usage[] = "verify [--facts-only | --topics] [--municipality M] [--client C] [--json] [--limit N]";
static const char about[] =
    "Recomputes accounts, alerts, anomalies and aggregates of all clients from the stored facts, with the configured\n"
    "thresholds and as of the day at which each partition stands, and compares them with what is stored; checks the\n"
    "histories and the outbox; then compares the facts with the topics, as far as those still hold the records.\n"
    "It reads one snapshot, changes nothing, and may run while `process` does.\n\n"
    "Exit code: 0 when there is no difference, 1 when there are some or not everything could be compared, 2 for usage\n"
    "or configuration.\n";

static const struct uw_option table[] = {
    {"facts-only", NULL, "recompute only; do not read the topics"},
    {"topics", NULL, "compare only the facts with the topics"},
    {"municipality", "M", "only what belongs to this municipality (4 digits)"},
    {"client", "C", "only what belongs to this client"},
    {"json", NULL, "one JSON object a line"},
    {"limit", "N", "print at most N differences, 0 for all (default 100); they are counted all the same"},
    {"as-of-stored", NULL,
     "clients who wait to be judged must be as of their partition's day too; otherwise they are only counted"},
};
#define TABLE_COUNT ((uint32_t)(sizeof table / sizeof table[0]))

static bool parse_filters(const struct uw_options *options, struct uw_verify *verify)
{
    const char *municipality = uw_option_text(options, "municipality", NULL);
    const char *client = uw_option_text(options, "client", NULL);

    if (uw_option_given(options, "facts-only") && uw_option_given(options, "topics")) {
        uw_complain("verify: --facts-only and --topics exclude each other");
        return false;
    }
    if (municipality != NULL && (strlen(municipality) != MUNICIPALITY_BYTES ||
                                 strspn(municipality, "0123456789") != MUNICIPALITY_BYTES)) {
        uw_complain("--municipality: '%.40s' is no code of 4 digits", municipality);
        return false;
    }
    if (client != NULL && (client[0] == '\0' || strlen(client) > CLIENT_BYTES_MAX)) {
        uw_complain("--client: no client has such a name");
        return false;
    }
    verify->municipality = municipality == NULL ? UW_STR_NULL : uw_str_from(municipality);
    verify->client = client == NULL ? UW_STR_NULL : uw_str_from(client);
    verify->strict = uw_option_given(options, "as-of-stored");
    return true;
}

static enum uw_code open_store(struct uw_verify *verify, struct uw_error *error)
{
    const struct uw_config *config = verify->config;
    const struct uw_migrate_options migrate = {.dsn = config->dsn, .timeout_ms = config->database_timeout_ms};
    const struct uw_pgaudit_options options = {.dsn = config->dsn,
                                               .timeout_ms = config->database_timeout_ms,
                                               .municipality = verify->municipality,
                                               .client = verify->client};
    int32_t version;
    enum uw_code code = uw_migrate_check(&migrate, &version, error);

    return code == UW_OK ? uw_pgaudit_open(&options, &verify->store, error) : code;
}

/* The aggregates are sums over clients: of one client alone there are none. */
static enum uw_code verify_facts(struct uw_verify *verify, struct uw_error *error)
{
    enum uw_code code = UW_OK;

    if (uw_str_is_null(verify->client)) {
        code = uw_verify_sums_open(verify, error);
    }
    if (code == UW_OK) {
        code = uw_verify_clients(verify, error);
    }
    if (code == UW_OK && verify->sums != NULL && !uw_signals_stop_requested()) {
        code = uw_verify_sums_compare(verify, error);
    }
    uw_verify_sums_close(verify);
    if (code == UW_OK && !uw_signals_stop_requested()) {
        code = uw_verify_tables(verify, error);
    }
    return code;
}

static int run(struct uw_verify *verify, const struct uw_options *options)
{
    bool with_facts = !uw_option_given(options, "topics"), with_topics = !uw_option_given(options, "facts-only");
    struct uw_error error = {.text = ""};
    enum uw_code code;

    uw_signals_start();
    code = open_store(verify, &error);
    if (code == UW_OK) {
        code = uw_verify_partitions(verify, !with_facts, &error);
    }
    if (code == UW_OK && with_facts) {
        code = verify_facts(verify, &error);
    }
    if (code == UW_OK && with_topics && !uw_signals_stop_requested()) {
        code = uw_verify_topics(verify, &error);
    }
    bool began = verify->store != NULL && code != UW_ECONFIG, complete = code == UW_OK && !uw_signals_stop_requested();
    uw_pgaudit_close(&verify->store);
    free(verify->partitions);
    if (began) {
        uw_verify_summary(&verify->report, complete);
    }
    if (code != UW_OK) {
        uw_complain("%s", error.text);
        return code == UW_ECONFIG ? UW_EXIT_USAGE : UW_EXIT_FAILED;
    }
    return complete && uw_verify_difference_count(&verify->report) == 0 && !verify->report.broken ? UW_EXIT_OK
                                                                                                  : UW_EXIT_FAILED;
}

int uw_command_verify(int argc, char **argv)
{
    struct uw_verify verify = {.strict = false};
    struct uw_options options;
    struct uw_config config;
    int64_t limit;
    int status = uw_options_parse(argc, argv, usage, about, table, TABLE_COUNT, &options);

    if (status >= 0) {
        return status;
    }
    if (options.operand_count > 0) {
        uw_complain("verify: unexpected operand '%.40s'", options.operands[0]);
        return UW_EXIT_USAGE;
    }
    if (!parse_filters(&options, &verify) ||
        !uw_option_integer(&options, "limit", LIMIT_DEFAULT, 0, INT64_MAX, &limit) ||
        !uw_options_config(&options, &config)) {
        return UW_EXIT_USAGE;
    }
    verify.config = &config;
    uw_verify_report_init(&verify.report, uw_option_given(&options, "json"), limit);
    status = run(&verify, &options);
    uw_verify_report_close(&verify.report);
    uw_config_close(&config);
    return status;
}
