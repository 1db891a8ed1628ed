/*
 * The store's handle, and what every new connection of it needs.
 */
#include "producers/store_internal.h"

#include <stdlib.h>
#include <string.h>

/* Packed headers and payloads of one batch. */
#define ARENA_BYTES_MAX ((size_t)1024 * 1024 * 1024)

static bool copy_options(struct uw_pgstore *store, const struct uw_pgstore_options *options)
{
    store->owner = strdup(options->owner);
    for (uint32_t i = 0; i < UW_TOPIC_COUNT; i++) {
        store->topics[i] = strdup(options->topics[i]);
        if (store->topics[i] == NULL) {
            return false;
        }
    }
    return store->owner != NULL;
}

enum uw_code uw_pgstore_open(const struct uw_pgstore_options *options, struct uw_pgstore **store,
                             struct uw_error *error)
{
    const struct uw_postgres_options connection = {options->dsn, "urenwacht", options->timeout_ms};
    struct uw_pgstore *made = calloc(1, sizeof *made);
    enum uw_code code;

    if (made == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "database: out of memory");
    }
    made->timeout_ms = options->timeout_ms;
    made->slot = -1;
    uw_arena_init(&made->arena, ARENA_BYTES_MAX);
    uw_waiting_init(&made->waiting);
    for (uint32_t i = 0; i < UW_TABLE_COUNT; i++) {
        const struct uw_table_shape *shape = uw_table_shape((enum uw_table)i);

        if (shape->copy != NULL) {
            uw_columns_init_copied(&made->tables[i], shape->types, shape->column_count);
        } else {
            uw_columns_init(&made->tables[i], shape->types, shape->column_count);
        }
    }
    if (!copy_options(made, options)) {
        uw_pgstore_close(&made);
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "database: out of memory");
    }
    code = uw_postgres_open(&connection, &made->postgres, error);
    if (code != UW_OK) {
        uw_pgstore_close(&made);
        return code;
    }
    *store = made;
    return UW_OK;
}

void uw_pgstore_close(struct uw_pgstore **store)
{
    if (*store == NULL) {
        return;
    }
    uw_postgres_close(&(*store)->postgres);
    uw_written_close(&(*store)->sums);
    uw_waiting_close(&(*store)->waiting);
    for (uint32_t i = 0; i < UW_TABLE_COUNT; i++) {
        uw_columns_close(&(*store)->tables[i]);
    }
    for (uint32_t i = 0; i < UW_TOPIC_COUNT; i++) {
        free((*store)->topics[i]);
    }
    free((*store)->owner);
    uw_arena_close(&(*store)->arena);
    free(*store);
    *store = NULL;
}

void uw_pgstore_port(struct uw_pgstore *store, struct uw_store *port)
{
    *port = (struct uw_store){
        .context = store,
        .claim = uw_pgstore_claim,
        .load = uw_pgstore_load,
        .commit = uw_pgstore_commit,
        .outbox = uw_pgstore_outbox,
        .due = uw_pgstore_due,
        .mark_all_due = uw_pgstore_mark_all_due,
        .sweep = uw_pgstore_sweep,
        .standing = uw_pgstore_standing,
    };
}

enum uw_code uw_pgstore_connect(struct uw_pgstore *store, struct uw_error *error)
{
    return uw_pgstore_ready(store, error);
}

enum uw_code uw_pgstore_rename(struct uw_pgstore *store, const char *owner, struct uw_error *error)
{
    char *copy = strdup(owner);

    if (copy == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "database: out of memory");
    }
    free(store->owner);
    store->owner = copy;
    return UW_OK;
}

/* The backend of the lost connection may not have noticed yet, and then still holds our slot and the locks of a
 * half-done batch. Its start time tells it from another one that got the same process id. */
static enum uw_code end_former_backend(struct uw_pgstore *store, struct uw_error *error)
{
    uint8_t pid[4];
    const struct uw_argument arguments[] = {{pid, sizeof pid}, {store->backend.started, sizeof store->backend.started}};
    PGresult *result = NULL;
    enum uw_code code;

    if (!store->backend.known) {
        return UW_OK;
    }
    uw_put_int32(pid, store->backend.pid);
    code = uw_postgres_query(store->postgres, "end_backend", arguments, 2, &result, error);
    PQclear(result);
    return code;
}

static enum uw_code learn_backend(struct uw_pgstore *store, struct uw_error *error)
{
    PGresult *result = NULL;
    enum uw_code code = uw_postgres_query(store->postgres, "backend", NULL, 0, &result, error);

    if (code != UW_OK) {
        return code;
    }
    store->backend.known = PQntuples(result) == 1 && PQgetlength(result, 0, 1) == sizeof store->backend.started;
    if (store->backend.known) {
        store->backend.pid = uw_field_int4(result, 0);
        memcpy(store->backend.started, PQgetvalue(result, 0, 1), sizeof store->backend.started);
    }
    PQclear(result);
    return UW_OK;
}

/* Marks of commits start at a random place, so that no two handles ever use the same. */
static enum uw_code get_mark(struct uw_pgstore *store, struct uw_error *error)
{
    PGresult *result = NULL;
    enum uw_code code;

    if (store->has_mark) {
        return UW_OK;
    }
    code = uw_postgres_query(store->postgres, "new_mark", NULL, 0, &result, error);
    if (code == UW_OK) {
        memcpy(store->mark, PQgetvalue(result, 0, 0), sizeof store->mark);
        store->has_mark = true;
    }
    PQclear(result);
    return code;
}

enum uw_code uw_pgstore_ready(struct uw_pgstore *store, struct uw_error *error)
{
    bool fresh = false;
    enum uw_code code = uw_postgres_connect(store->postgres, &fresh, error);

    if (code != UW_OK || !fresh) {
        return code;
    }
    code = uw_pgstore_prepare(store->postgres, error);
    if (code == UW_OK) {
        code = end_former_backend(store, error);
    }
    if (code == UW_OK) {
        code = learn_backend(store, error);
    }
    if (code == UW_OK) {
        code = get_mark(store, error);
    }
    if (code == UW_OK) {
        /* While there was no connection, another process may have had the slot. */
        uw_written_begin(&store->sums, false);
        code = uw_pgstore_retake_slot(store, error);
    }
    if (code != UW_OK) {
        uw_postgres_drop(store->postgres);
    }
    return code;
}
