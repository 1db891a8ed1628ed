/*
 * The database schema and its versions: schemas/sql/NNN_name.sql, compiled into the program.
 */
#ifndef UW_PRODUCERS_MIGRATE_H
#define UW_PRODUCERS_MIGRATE_H

#include "core/types.h"

struct uw_migration {
    int32_t version; /* 1, 2, 3, ... without gaps */
    const char *name;
    const char *sql;
};

/* Called before (applied false) and after a migration is run. */
typedef void uw_migrate_visit(void *context, const struct uw_migration *migration, bool applied);

struct uw_migrate_options {
    const char *dsn;
    int32_t timeout_ms; /* of connecting, and of waiting for another migration to end */
    uw_migrate_visit *visit; /* may be NULL */
    void *visit_context;
};

/* The migrations of this program, in order; *count is the version that it needs. */
const struct uw_migration *uw_migrations(int32_t *count);

/* Brings the schema to this program's version: one transaction a migration, under an advisory lock, so that any
 * number of instances may call it. *from_version is what stood there (0: nothing). A migration itself has no
 * deadline. UW_ECONFIG (FATAL): the schema is newer than the program, or was made by other migrations. */
enum uw_code uw_migrate(const struct uw_migrate_options *options, int32_t *from_version,
                        struct uw_error *error) UW_MUST_USE;

/* Changes nothing. *version is what stands there (0: nothing), also when the answer is UW_ECONFIG (FATAL):
 * missing, older or newer than the program needs; the text says what to do. */
enum uw_code uw_migrate_check(const struct uw_migrate_options *options, int32_t *version,
                              struct uw_error *error) UW_MUST_USE;

#endif
