/*
 * urenwacht migrate: creates the database schema or brings it to this program's version.
 */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "producers/migrate.h"
#include "producers/store_partitions.h"

static const char usage[] = "migrate [--check | --print | --accept-partitions N]";
static const char about[] =
    "Creates the schema in the database, or upgrades it to the version that this program needs. Running it again,\n"
    "or from several machines at once, does no harm: one of them works and the others find it done. Every\n"
    "migration is one transaction.\n";

static const struct uw_option table[] = {
    {"check", NULL, "change nothing; exit 0 when the schema is what this program needs, 2 otherwise"},
    {"print", NULL, "print the SQL of all migrations and touch no database"},
    {"accept-partitions", "N", "the input topics have N partitions now: move every client to its new one; all events "
                               "must have been processed, and no instance may run (docs/operations.md)"},
};
#define TABLE_COUNT ((uint32_t)(sizeof table / sizeof table[0]))

static int print_migrations(void)
{
    int32_t count;
    const struct uw_migration *migrations = uw_migrations(&count);

    for (int32_t i = 0; i < count; i++) {
        printf("-- ==== %s ====\n\n%s\n", migrations[i].name, migrations[i].sql);
    }
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        uw_complain("standard output cannot be written");
        return UW_EXIT_FAILED;
    }
    return UW_EXIT_OK;
}

static void show_applied(void *context, const struct uw_migration *migration, bool applied)
{
    (void)context;
    if (applied) {
        uw_log(UW_LOG_INFO, "migration %s applied", migration->name);
    }
}

static int exit_code(enum uw_code code)
{
    return code == UW_ECONFIG ? UW_EXIT_USAGE : UW_EXIT_FAILED;
}

static int run(const struct uw_options *options, const struct uw_config *config)
{
    const struct uw_migrate_options migrate = {
        .dsn = config->dsn, .timeout_ms = config->database_timeout_ms, .visit = show_applied};
    struct uw_error error = {.text = ""};
    int32_t version = 0, known;
    enum uw_code code;

    (void)uw_migrations(&known);
    if (uw_option_given(options, "check")) {
        code = uw_migrate_check(&migrate, &version, &error);
    } else {
        code = uw_migrate(&migrate, &version, &error);
    }
    if (code != UW_OK) {
        uw_complain("%s", error.text);
        return exit_code(code);
    }
    if (version == known) {
        printf("schema version %d, up to date\n", (int)known);
    } else {
        printf("schema version %d, upgraded from %d\n", (int)known, (int)version);
    }
    return UW_EXIT_OK;
}

static int accept_partitions(const struct uw_config *config, int32_t partition_count)
{
    struct uw_pgstore_options options = {
        .dsn = config->dsn, .owner = "migrate", .timeout_ms = config->database_timeout_ms};
    const struct uw_migrate_options migrate = {.dsn = config->dsn, .timeout_ms = config->database_timeout_ms};
    struct uw_accepted_partitions accepted;
    struct uw_pgstore *store = NULL;
    struct uw_error error = {.text = ""};
    int32_t version;

    memcpy(options.topics, config->topics, sizeof options.topics);
    enum uw_code code = uw_migrate_check(&migrate, &version, &error);
    if (code == UW_OK) {
        code = uw_pgstore_open(&options, &store, &error);
    }
    if (code == UW_OK) {
        code = uw_pgstore_accept_partitions(store, partition_count, &accepted, &error);
    }
    uw_pgstore_close(&store);
    if (code != UW_OK) {
        uw_complain("%s", error.text);
        return exit_code(code);
    }
    printf("%d partitions, before %d; %lld of %lld clients moved\n", (int)partition_count,
           (int)accepted.former_count, (long long)accepted.moved_count, (long long)accepted.client_count);
    return UW_EXIT_OK;
}

/* False, with one line, when the options contradict each other. */
static bool take_options(const struct uw_options *options, int64_t *partition_count)
{
    int given = uw_option_given(options, "check") + uw_option_given(options, "print") +
                uw_option_given(options, "accept-partitions");

    if (options->operand_count > 0) {
        uw_complain("migrate: unexpected operand %s", options->operands[0]);
        return false;
    }
    if (given > 1) {
        uw_complain("migrate: --check, --print and --accept-partitions exclude each other");
        return false;
    }
    return uw_option_integer(options, "accept-partitions", 0, 1, UW_PARTITIONS_MAX, partition_count);
}

int uw_command_migrate(int argc, char **argv)
{
    struct uw_options options;
    struct uw_config config;
    int64_t partition_count = 0;
    int status = uw_options_parse(argc, argv, usage, about, table, TABLE_COUNT, &options);

    if (status >= 0) {
        return status;
    }
    if (!take_options(&options, &partition_count)) {
        return UW_EXIT_USAGE;
    }
    if (uw_option_given(&options, "print")) {
        return print_migrations();
    }
    if (!uw_options_config(&options, &config)) {
        return UW_EXIT_USAGE;
    }
    status = partition_count > 0 ? accept_partitions(&config, (int32_t)partition_count) : run(&options, &config);
    uw_config_close(&config);
    return status;
}
