/*
 * urenwacht migrate: creates the database schema or brings it to this program's version.
 */
#include "cli/command.h"

#include <stdio.h>

#include "producers/migrate.h"

static const char usage[] = "migrate [--check | --print]";
static const char about[] =
    "Creates the schema in the database, or upgrades it to the version that this program needs. Running it again,\n"
    "or from several machines at once, does no harm: one of them works and the others find it done. Every\n"
    "migration is one transaction.\n";

static const struct uw_option table[] = {
    {"check", NULL, "change nothing; exit 0 when the schema is what this program needs, 2 otherwise"},
    {"print", NULL, "print the SQL of all migrations and touch no database"},
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

int uw_command_migrate(int argc, char **argv)
{
    struct uw_options options;
    struct uw_config config;
    int status = uw_options_parse(argc, argv, usage, about, table, TABLE_COUNT, &options);

    if (status >= 0) {
        return status;
    }
    if (options.operand_count > 0) {
        uw_complain("migrate: unexpected operand %s", options.operands[0]);
        return UW_EXIT_USAGE;
    }
    if (uw_option_given(&options, "check") && uw_option_given(&options, "print")) {
        uw_complain("migrate: --check and --print exclude each other");
        return UW_EXIT_USAGE;
    }
    if (uw_option_given(&options, "print")) {
        return print_migrations();
    }
    if (!uw_options_config(&options, &config)) {
        return UW_EXIT_USAGE;
    }
    status = run(&options, &config);
    uw_config_close(&config);
    return status;
}
