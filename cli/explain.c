/*
 * urenwacht explain: how a decision's budget came to be, from the stored facts.
 */
#include "cli/explain.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "producers/migrate.h"
#include "producers/store.h"

static const char usage[] = "explain [OPTIONS] MUNICIPALITY DECISION";
static const char about[] =
    "Shows how the budget of a decision came to be: every line, credit and no-show in the database, whether it\n"
    "counts and why not, week by week with the running pool, then the open alerts and anomalies with their\n"
    "arithmetic. At the end the sums are checked against the stored accounts; exit 1 when they differ.\n";

static const struct uw_option table[] = {
    {"as-of", "DATE", "judge as of this date; default: the date as of which the processor judged the client last"},
    {"client", "CLIENT", "whose decision, when the id occurs for several clients"},
    {"json", NULL, "print JSON; the keys are in docs/explain.md"},
    {"lang", "nl|en", "language of the texts; default: nl"},
};
#define TABLE_COUNT ((uint32_t)(sizeof table / sizeof table[0]))

#define CLIENT_BYTES_MAX 256 /* 64 code points */
#define CLIENTS_SHOWN_MAX 100 /* of a decision that occurs for several */
/* A batch that is committed between two of our reads makes them differ; then all is read again. */
#define ATTEMPTS 5
#define ATTEMPT_PAUSE_MS 100
#define WIDTH_MIN 60
#define WIDTH_MAX 400

struct candidates {
    uint32_t count;
    char names[CLIENTS_SHOWN_MAX][CLIENT_BYTES_MAX + 1];
};

struct uw_explain_reader {
    const struct uw_config *config;
    struct uw_pgstore *store;
    struct uw_postgres *postgres;
};

/* All that one run works with. */
struct explain {
    const struct uw_options *options;
    const struct uw_config *config;
    struct uw_explain_reader *reader;
    struct uw_str municipality, decision;
    enum uw_language language;
    int32_t wanted_day; /* --as-of, or UW_DAY_NONE */
    struct candidates candidates;
    struct uw_client client;
    struct uw_fold fold;
    struct uw_arena arena;
    struct uw_explanation explanation;
};

static int exit_code(enum uw_code code)
{
    return code == UW_ECONFIG ? UW_EXIT_USAGE : UW_EXIT_FAILED;
}

static int refuse_memory(void)
{
    uw_complain("no memory for the explanation");
    return UW_EXIT_FAILED;
}

/* ---- reading ---- */

enum uw_code uw_explain_reader_open(const struct uw_config *config, const char *owner,
                                    struct uw_explain_reader **reader, struct uw_error *error)
{
    const struct uw_postgres_options connection = {
        .dsn = config->dsn, .application_name = "urenwacht explain", .timeout_ms = config->database_timeout_ms};
    struct uw_pgstore_options options = {.dsn = config->dsn, .owner = owner, .timeout_ms = config->database_timeout_ms};
    struct uw_explain_reader *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the explanation");
    }
    made->config = config;
    memcpy(options.topics, config->topics, sizeof options.topics);
    enum uw_code code = uw_pgstore_open(&options, &made->store, error);
    if (code == UW_OK) {
        code = uw_postgres_open(&connection, &made->postgres, error);
    }
    if (code != UW_OK) {
        uw_explain_reader_close(&made);
        return code;
    }
    *reader = made;
    return UW_OK;
}

void uw_explain_reader_close(struct uw_explain_reader **reader)
{
    if (*reader == NULL) {
        return;
    }
    uw_postgres_close(&(*reader)->postgres);
    uw_pgstore_close(&(*reader)->store);
    free(*reader);
    *reader = NULL;
}

static enum uw_code note_client(void *context, struct uw_str client)
{
    struct candidates *candidates = context;
    if (candidates->count == CLIENTS_SHOWN_MAX || client.length > CLIENT_BYTES_MAX) {
        return UW_ELIMIT;
    }
    char *name = candidates->names[candidates->count++];
    memcpy(name, client.data, client.length);
    name[client.length] = '\0';
    return UW_OK;
}

static enum uw_code add_fact(void *context, uint32_t client_index, const struct uw_event *event)
{
    bool redelivery;
    (void)client_index;
    return uw_client_add(context, event, &redelivery);
}

static enum uw_code add_alert(void *context, uint32_t client_index, const struct uw_alert_change *alert)
{
    (void)client_index;
    return uw_client_add_alert(context, alert);
}

static enum uw_code add_anomaly(void *context, uint32_t client_index, const struct uw_anomaly_change *anomaly)
{
    (void)client_index;
    return uw_client_add_anomaly(context, anomaly);
}

/* Whether any fact of the loaded client names the decision; its interned text. */
static bool find_decision(const struct uw_client *client, uw_text decision)
{
    for (uint32_t i = 0; i < client->version_count; i++) {
        if (client->versions[i].decision == decision) {
            return true;
        }
    }
    for (uint32_t i = 0; i < client->line_count; i++) {
        if (client->lines[i].decision == decision) {
            return true;
        }
    }
    for (uint32_t i = 0; i < client->absence_count; i++) {
        if (client->absences[i].decision == decision) {
            return true;
        }
    }
    for (uint32_t i = 0; i < client->review_count; i++) {
        if (client->reviews[i].decision == decision) {
            return true;
        }
    }
    return false;
}

static enum uw_code choose_day(struct explain *explain, struct uw_error *error)
{
    struct uw_explanation *explanation = &explain->explanation;
    if (explain->wanted_day != UW_DAY_NONE) {
        explanation->as_of_day = explain->wanted_day;
        explanation->origin = UW_ORIGIN_OPTION;
        return UW_OK;
    }
    if (explanation->stored.as_of_day != UW_DAY_NONE) {
        explanation->as_of_day = explanation->stored.as_of_day;
        explanation->origin = UW_ORIGIN_STORED;
        return UW_OK;
    }
    explanation->origin = UW_ORIGIN_TODAY;
    return uw_clock_today(&explanation->as_of_day, error);
}

/* One reading of everything about `name`, folded and compared. *found is false when no fact names the decision. */
static enum uw_code read_once(struct explain *explain, struct uw_str name, bool *found, struct uw_error *error)
{
    struct uw_client *client = &explain->client;
    const struct uw_load_sink sink = {
        .context = client, .fact = add_fact, .alert = add_alert, .anomaly = add_anomaly};
    struct uw_explanation *explanation = &explain->explanation;
    struct uw_store port;
    uw_pgstore_port(explain->reader->store, &port);
    uw_client_close(client);
    uw_client_init(client);
    uw_arena_reset(&explain->arena);
    *explanation = (struct uw_explanation){.language = explain->language,
                                           .arena = &explain->arena,
                                           .client_name = name,
                                           .municipality = explain->municipality,
                                           .decision_name = explain->decision,
                                           .client = client,
                                           .fold = &explain->fold,
                                           .settings = &explain->config->settings};
    enum uw_code code = port.load(port.context, &name, 1, &sink, error);
    if (code == UW_OK) {
        code = uw_client_intern_decision(client, explain->municipality, explain->decision, &explanation->decision);
    }
    if (code != UW_OK || !(*found = find_decision(client, explanation->decision))) {
        return code;
    }
    code = uw_explain_read_stored(explain->reader->postgres, name, explain->municipality, explain->decision,
                                  &explain->arena, &explanation->stored, error);
    if (code == UW_OK) {
        code = choose_day(explain, error);
    }
    if (code == UW_OK) {
        code = uw_fold_run(&explain->fold, client, explanation->settings, explanation->as_of_day);
    }
    if (code == UW_OK) {
        explanation->care = uw_fold_case(&explain->fold, explanation->decision);
        code = uw_explain_build(explanation);
    }
    if (code == UW_OK) {
        uw_explain_compare(explanation);
        code = explanation->failed ? UW_ENOMEM : UW_OK;
    }
    return code;
}

/* ---- answering ---- */

/* Cells of the terminal; 0 when the output is no terminal. */
static uint32_t width_of_terminal(void)
{
    struct winsize size;
    if (isatty(STDOUT_FILENO) != 1 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return 0;
    }
    return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col > WIDTH_MAX ? WIDTH_MAX : size.ws_col;
}

static int print_explanation(struct explain *explain)
{
    struct uw_explanation *explanation = &explain->explanation;
    if (uw_option_given(explain->options, "json")) {
        uw_explain_print_json(explanation, stdout);
    } else {
        uw_explain_print(explanation, stdout, width_of_terminal(), uw_terminal_colours());
    }
    if (explanation->failed) {
        return refuse_memory();
    }
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        uw_complain("standard output cannot be written");
        return UW_EXIT_FAILED;
    }
    if (explanation->difference_count > 0) {
        uw_complain("the explanation and the database differ in %u places", explanation->difference_count);
        return UW_EXIT_FAILED;
    }
    return UW_EXIT_OK;
}

/* The clients go to standard output: the other stream may be kept as a log. */
static int ask_for_client(const struct explain *explain)
{
    for (uint32_t i = 0; i < explain->candidates.count; i++) {
        puts(explain->candidates.names[i]);
    }
    (void)fflush(stdout);
    uw_complain("decision %s of municipality %s occurs for %s%u clients, listed above: choose one with --client",
                explain->decision.data, explain->municipality.data,
                explain->candidates.count == CLIENTS_SHOWN_MAX ? "at least " : "", explain->candidates.count);
    return UW_EXIT_USAGE;
}

static int refuse_unknown(const struct explain *explain)
{
    bool of_client = uw_option_given(explain->options, "client");
    uw_complain("no fact in the database names decision %s of municipality %s%s", explain->decision.data,
                explain->municipality.data, of_client ? " for this client" : "");
    return UW_EXIT_FAILED;
}

static int explain_client(struct explain *explain, const char *name)
{
    const struct timespec pause = {0, ATTEMPT_PAUSE_MS * 1000000L};
    struct uw_error error = {.text = ""};
    bool found = false;
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
        enum uw_code code = read_once(explain, uw_str_from(name), &found, &error);
        if (code == UW_ENOMEM) {
            return refuse_memory();
        }
        if (code != UW_OK) {
            uw_complain("%s", error.text[0] != '\0' ? error.text : "the client's rows in the database are not valid");
            return exit_code(code);
        }
        if (!found) {
            return refuse_unknown(explain);
        }
        if (explain->explanation.difference_count == 0) {
            break;
        }
        if (attempt < ATTEMPTS) {
            (void)nanosleep(&pause, NULL);
        }
    }
    return print_explanation(explain);
}

static int run_with_reader(struct explain *explain)
{
    struct uw_error error = {.text = ""};
    const char *client = uw_option_text(explain->options, "client", NULL);
    if (client != NULL) {
        return explain_client(explain, client);
    }
    enum uw_code code = uw_pgstore_decision_clients(explain->reader->store, explain->municipality, explain->decision,
                                                    CLIENTS_SHOWN_MAX, note_client, &explain->candidates, &error);
    if (code != UW_OK) {
        uw_complain("%s", error.text);
        return exit_code(code);
    }
    if (explain->candidates.count == 0) {
        return refuse_unknown(explain);
    }
    return explain->candidates.count > 1 ? ask_for_client(explain)
                                         : explain_client(explain, explain->candidates.names[0]);
}

static int run(struct explain *explain)
{
    const struct uw_config *config = explain->config;
    const struct uw_migrate_options migrate = {.dsn = config->dsn, .timeout_ms = config->database_timeout_ms};
    struct uw_error error = {.text = ""};
    int32_t version;
    enum uw_code code = uw_migrate_check(&migrate, &version, &error);
    if (code == UW_OK) {
        code = uw_explain_reader_open(config, "explain", &explain->reader, &error);
    }
    if (code != UW_OK) {
        uw_complain("%s", error.text);
        return exit_code(code);
    }
    int status = run_with_reader(explain);
    uw_explain_reader_close(&explain->reader);
    return status;
}

/* ---- for the server ---- */

static enum uw_code read_until_equal(struct explain *explain, const char *client, bool *found, struct uw_error *error)
{
    const struct timespec pause = {0, ATTEMPT_PAUSE_MS * 1000000L};
    enum uw_code code = UW_OK;
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
        code = read_once(explain, uw_str_from(client), found, error);
        if (code != UW_OK || !*found || explain->explanation.difference_count == 0) {
            break;
        }
        (void)nanosleep(&pause, NULL);
    }
    return code;
}

enum uw_code uw_explain_answer(struct uw_explain_reader *reader, const struct uw_explain_question *question, FILE *file,
                               bool *found, struct uw_error *error)
{
    struct explain *explain = calloc(1, sizeof *explain);
    if (explain == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the explanation");
    }
    explain->config = reader->config;
    explain->reader = reader;
    explain->municipality = uw_str_from(question->municipality);
    explain->decision = uw_str_from(question->decision);
    explain->language = question->language;
    explain->wanted_day = question->as_of_day;
    uw_client_init(&explain->client);
    uw_fold_init(&explain->fold);
    uw_arena_init(&explain->arena, UW_EXPLAIN_BYTES_MAX);
    enum uw_code code = read_until_equal(explain, question->client, found, error);
    if (code == UW_OK && *found) {
        explain->explanation.without_anomalies = question->without_anomalies;
        uw_explain_print_json(&explain->explanation, file);
        code = explain->explanation.failed ? UW_ENOMEM : UW_OK;
    }
    if (code == UW_ENOMEM) {
        code = uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the explanation");
    }
    uw_arena_close(&explain->arena);
    uw_fold_close(&explain->fold);
    uw_client_close(&explain->client);
    free(explain);
    return code;
}

/* ---- the command line ---- */

static bool take_operands(struct explain *explain)
{
    const struct uw_options *options = explain->options;
    const char *language = uw_option_text(options, "lang", "nl");
    if (options->operand_count != 2) {
        uw_complain("explain: a municipality and a decision are needed; try 'urenwacht explain --help'");
        return false;
    }
    explain->municipality = uw_str_from(options->operands[0]);
    explain->decision = uw_str_from(options->operands[1]);
    if (explain->municipality.length != 4 || strspn(explain->municipality.data, "0123456789") != 4) {
        uw_complain("explain: '%.40s' is not a municipality: its CBS code has four digits", explain->municipality.data);
        return false;
    }
    int64_t length = uw_utf8_length(explain->decision);
    if (length < 1 || length > 64) {
        uw_complain("explain: a decision's id has 1 to 64 characters");
        return false;
    }
    if (strcmp(language, "nl") != 0 && strcmp(language, "en") != 0) {
        uw_complain("--lang: '%.40s' is not nl or en", language);
        return false;
    }
    explain->language = language[0] == 'n' ? UW_LANGUAGE_NL : UW_LANGUAGE_EN;
    const char *client = uw_option_text(options, "client", "-");
    if (uw_utf8_length(uw_str_from(client)) < 1 || strlen(client) > CLIENT_BYTES_MAX) {
        uw_complain("--client: a client has 1 to 64 characters");
        return false;
    }
    return uw_option_date(options, "as-of", UW_DAY_NONE, &explain->wanted_day);
}

int uw_command_explain(int argc, char **argv)
{
    struct uw_options options;
    struct uw_config config;
    int status = uw_options_parse(argc, argv, usage, about, table, TABLE_COUNT, &options);
    if (status >= 0) {
        return status;
    }
    struct explain *explain = calloc(1, sizeof *explain);
    if (explain == NULL) {
        return refuse_memory();
    }
    explain->options = &options;
    status = UW_EXIT_USAGE;
    if (take_operands(explain) && uw_options_config(&options, &config)) {
        explain->config = &config;
        uw_client_init(&explain->client);
        uw_fold_init(&explain->fold);
        uw_arena_init(&explain->arena, UW_EXPLAIN_BYTES_MAX);
        status = run(explain);
        uw_arena_close(&explain->arena);
        uw_fold_close(&explain->fold);
        uw_client_close(&explain->client);
        uw_config_close(&config);
    }
    free(explain);
    return status;
}
