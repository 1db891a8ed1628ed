/*
 * Bringing the database schema to the program's version, and comparing the two.
 */
#include "producers/migrate.h"

#include <string.h>

#include "producers/postgres_columns.h"
#include "schemas/embedded.h"

#define MIGRATIONS_MAX 999
/* "urenwach" as a number: the lock that all migrations of a database take. */
#define LOCK_KEY "8462121524226843496"
/* A migration may rewrite large tables. */
#define MIGRATION_PATIENCE_MS INT32_MAX

/* The text of a migration is compared by its checksum, which PostgreSQL makes of it. */
static const char read_versions[] = "SELECT version, checksum FROM urenwacht.schema_version ORDER BY version";
static const char make_checksum[] = "SELECT encode(sha256(convert_to($1::text, 'UTF8')), 'hex')";
static const char find_table[] = "SELECT to_regclass('urenwacht.schema_version') IS NOT NULL";
static const char add_version[] = "INSERT INTO urenwacht.schema_version (version, name, checksum) VALUES ($1::integer, "
                                  "$2::text, encode(sha256(convert_to($3::text, 'UTF8')), 'hex'))";
static const char make_table[] = "CREATE SCHEMA IF NOT EXISTS urenwacht;"
                                 "CREATE TABLE IF NOT EXISTS urenwacht.schema_version (version integer PRIMARY KEY,"
                                 " name text NOT NULL, checksum text NOT NULL,"
                                 " applied_at timestamptz NOT NULL DEFAULT now())";

const struct uw_migration *uw_migrations(int32_t *count)
{
    static struct uw_migration migrations[MIGRATIONS_MAX];
    int32_t found = 0;

    /* The table of files is sorted by name, which starts with the number. It is the same every time, so that
     * filling it twice does no harm. */
    while (found < MIGRATIONS_MAX && uw_embedded_migrations[found].name != NULL) {
        migrations[found].version = found + 1;
        migrations[found].name = uw_embedded_migrations[found].name;
        migrations[found].sql = uw_embedded_migrations[found].text;
        found++;
    }
    *count = found;
    return migrations;
}

static enum uw_code open_connection(const struct uw_migrate_options *options, struct uw_postgres **postgres,
                                    struct uw_error *error)
{
    const struct uw_postgres_options connection = {options->dsn, "urenwacht migrate", options->timeout_ms};
    struct uw_postgres *made = NULL;
    bool fresh;
    enum uw_code code = uw_postgres_open(&connection, &made, error);

    if (code == UW_OK) {
        code = uw_postgres_connect(made, &fresh, error);
    }
    if (code == UW_OK) {
        code = uw_postgres_prepare(made, "find_table", find_table, error);
    }
    if (code == UW_OK) {
        code = uw_postgres_prepare(made, "make_checksum", make_checksum, error);
    }
    if (code != UW_OK) {
        uw_postgres_close(&made);
        return code;
    }
    *postgres = made;
    return UW_OK;
}

/* Compares the checksum of one migration with what stands in row `row` of the stored versions. */
static enum uw_code compare_checksum(struct uw_postgres *postgres, const struct uw_migration *migration,
                                     const PGresult *stored, int row, struct uw_error *error)
{
    const struct uw_argument text = {migration->sql, strlen(migration->sql)};
    PGresult *result = NULL;
    enum uw_code code = uw_postgres_query(postgres, "make_checksum", &text, 1, &result, error);

    if (code == UW_OK && strcmp(PQgetvalue(result, 0, 0), PQgetvalue(stored, row, 1)) != 0) {
        code = uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "database: migration %s was made by another version of the program: its text differs",
                            migration->name);
    }
    PQclear(result);
    return code;
}

/* What stands in the database, with every migration that both know compared. */
static enum uw_code read_version(struct uw_postgres *postgres, int32_t *version, struct uw_error *error)
{
    int32_t known;
    const struct uw_migration *migrations = uw_migrations(&known);
    PGresult *result = NULL, *stored = NULL;
    int32_t found;
    enum uw_code code = uw_postgres_query(postgres, "find_table", NULL, 0, &result, error);

    if (code != UW_OK) {
        goto out;
    }
    if (!uw_field_bool(result, 0)) {
        *version = 0;
        goto out;
    }
    code = uw_postgres_prepare(postgres, "", read_versions, error);
    if (code == UW_OK) {
        code = uw_postgres_query(postgres, "", NULL, 0, &stored, error);
    }
    if (code != UW_OK) {
        goto out;
    }
    found = (int32_t)PQntuples(stored);
    for (int32_t i = 0; i < found && i < known && code == UW_OK; i++) {
        const uint8_t *number = (const uint8_t *)PQgetvalue(stored, i, 0);

        if (uw_get_int32(number) != i + 1) {
            code = uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                                "database: urenwacht.schema_version has no version %d", (int)(i + 1));
        } else {
            code = compare_checksum(postgres, &migrations[i], stored, i, error);
        }
    }
    if (code == UW_OK || code == UW_ECONFIG) {
        *version = found;
    }
out:
    PQclear(result);
    PQclear(stored);
    return code;
}

static enum uw_code newer(int32_t version, int32_t known, struct uw_error *error)
{
    return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                        "database: its schema is version %d and this program knows %d; use a newer urenwacht",
                        (int)version, (int)known);
}

static enum uw_code record_version(struct uw_postgres *postgres, const struct uw_migration *migration,
                                   struct uw_error *error)
{
    uint8_t number[4];
    const struct uw_argument arguments[] = {
        {number, sizeof number}, {migration->name, strlen(migration->name)}, {migration->sql, strlen(migration->sql)}};
    PGresult *result = NULL;
    enum uw_code code = uw_postgres_prepare(postgres, "", add_version, error);

    uw_put_int32(number, migration->version);
    if (code == UW_OK) {
        code = uw_postgres_query(postgres, "", arguments, 3, &result, error);
    }
    PQclear(result);
    return code;
}

static enum uw_code apply(struct uw_postgres *postgres, const struct uw_migration *migration, struct uw_error *error)
{
    struct uw_error cause = {.text = ""};
    enum uw_code code = uw_postgres_run(postgres, "BEGIN", &cause);

    if (code == UW_OK) {
        code = uw_postgres_run(postgres, migration->sql, &cause);
    }
    if (code == UW_OK) {
        code = record_version(postgres, migration, &cause);
    }
    if (code == UW_OK) {
        code = uw_postgres_run(postgres, "COMMIT", &cause);
    }
    if (code == UW_OK) {
        return UW_OK;
    }
    /* The connection ends with the call, and takes an open transaction with it. */
    return uw_error_set(error, code, cause.class, "migration %s: %.380s", migration->name, cause.text);
}

enum uw_code uw_migrate(const struct uw_migrate_options *options, int32_t *from_version, struct uw_error *error)
{
    struct uw_postgres *postgres = NULL;
    int32_t known, version = 0;
    const struct uw_migration *migrations = uw_migrations(&known);
    enum uw_code code = open_connection(options, &postgres, error);

    if (code != UW_OK) {
        return code;
    }
    /* lock_timeout bounds the wait for another migration; it ends with the session. */
    code = uw_postgres_run(postgres, "SELECT pg_advisory_lock(" LOCK_KEY ")", error);
    if (code == UW_OK) {
        code = read_version(postgres, &version, error);
    }
    if (code == UW_OK && version > known) {
        code = newer(version, known, error);
    }
    if (code == UW_OK && version == 0) {
        code = uw_postgres_run(postgres, make_table, error);
    }
    if (code == UW_OK && version < known) {
        uw_postgres_set_patience(postgres, MIGRATION_PATIENCE_MS);
        code = uw_postgres_run(postgres, "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0",
                               error);
    }
    for (int32_t i = version; i < known && code == UW_OK; i++) {
        if (options->visit != NULL) {
            options->visit(options->visit_context, &migrations[i], false);
        }
        code = apply(postgres, &migrations[i], error);
        if (code == UW_OK && options->visit != NULL) {
            options->visit(options->visit_context, &migrations[i], true);
        }
    }
    if (code == UW_OK) {
        *from_version = version;
    }
    uw_postgres_close(&postgres);
    return code;
}

enum uw_code uw_migrate_check(const struct uw_migrate_options *options, int32_t *version, struct uw_error *error)
{
    struct uw_postgres *postgres = NULL;
    int32_t known, found = 0;
    enum uw_code code = open_connection(options, &postgres, error);

    if (code != UW_OK) {
        return code;
    }
    (void)uw_migrations(&known);
    code = read_version(postgres, &found, error);
    if (code == UW_OK || code == UW_ECONFIG) {
        *version = found;
    }
    if (code == UW_OK && found == 0) {
        code = uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "database: it has no urenwacht schema; run `urenwacht migrate`");
    } else if (code == UW_OK && found < known) {
        code = uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "database: its schema is version %d and this program needs %d; run `urenwacht migrate`",
                            (int)found, (int)known);
    } else if (code == UW_OK && found > known) {
        code = newer(found, known, error);
    }
    uw_postgres_close(&postgres);
    return code;
}
