/*
 * A batch in one transaction.
 *
 * Everything is sent in one go, COMMIT included, and only then are the answers read: advance() raises an error
 * when a partition is not as the batch found it, and the server then skips the rest. Many new rows of a kind go by
 * COPY, which needs a turn of its own and comes behind advance(), so that a batch that is not allowed costs nothing.
 */
#include "producers/store_internal.h"

/* From this many rows on COPY saves more than its two waits cost. */
#define COPY_ROWS_MIN 256

enum position_column {
    POSITION_PARTITION,
    POSITION_EPOCH,
    POSITION_FROM_SEQUENCE,
    POSITION_TO_SEQUENCE,
    POSITION_PUBLISHED,
    POSITION_AS_OF,
    POSITION_EVENTS,
    POSITION_REFUSED,
};
#define POSITION_COLUMNS 8
#define OFFSET_COLUMNS 2
#define ADVANCE_ARGUMENTS (POSITION_COLUMNS + OFFSET_COLUMNS + 1)

/* The arguments of urenwacht_data.advance(), in the order of its parameters. */
struct positions {
    struct uw_columns partitions; /* a row each */
    struct uw_columns offsets;    /* four rows each */
    struct uw_argument arguments[ADVANCE_ARGUMENTS];
};

static void positions_close(struct positions *positions)
{
    uw_columns_close(&positions->partitions);
    uw_columns_close(&positions->offsets);
}

static enum uw_code positions_init(struct positions *positions, const struct uw_pgstore *store,
                                   const struct uw_changes *changes)
{
    static const enum uw_column_type partition_types[POSITION_COLUMNS] = {
        [POSITION_PARTITION] = UW_COLUMN_INT4,     [POSITION_EPOCH] = UW_COLUMN_INT8,
        [POSITION_FROM_SEQUENCE] = UW_COLUMN_INT8, [POSITION_TO_SEQUENCE] = UW_COLUMN_INT8,
        [POSITION_PUBLISHED] = UW_COLUMN_INT8,     [POSITION_AS_OF] = UW_COLUMN_DATE,
        [POSITION_EVENTS] = UW_COLUMN_INT8,        [POSITION_REFUSED] = UW_COLUMN_INT8,
    };
    static const enum uw_column_type offset_types[OFFSET_COLUMNS] = {UW_COLUMN_INT8, UW_COLUMN_INT8};

    uw_columns_init(&positions->partitions, partition_types, POSITION_COLUMNS);
    uw_columns_init(&positions->offsets, offset_types, OFFSET_COLUMNS);
    for (uint32_t i = 0; i < changes->partition_count; i++) {
        const struct uw_partition_change *change = &changes->partitions[i];
        uint32_t place = 0;

        uw_columns_int4(&positions->partitions, &place, change->partition);
        uw_columns_int8(&positions->partitions, &place, change->epoch);
        uw_columns_int8(&positions->partitions, &place, change->from_sequence);
        uw_columns_int8(&positions->partitions, &place, change->to_sequence);
        uw_columns_int8(&positions->partitions, &place, change->published_sequence);
        uw_columns_day(&positions->partitions, &place, change->as_of_day);
        uw_columns_int8(&positions->partitions, &place, (int64_t)change->events);
        uw_columns_int8(&positions->partitions, &place, (int64_t)change->refused);
        for (uint32_t topic = 0; topic < UW_TOPIC_COUNT; topic++) {
            place = 0;
            uw_columns_int8(&positions->offsets, &place, change->from_offset[topic]);
            uw_columns_int8(&positions->offsets, &place, change->to_offset[topic]);
        }
    }
    if (positions->partitions.failed || positions->offsets.failed) {
        positions_close(positions);
        return UW_ENOMEM;
    }
    uw_columns_arguments(&positions->partitions, positions->arguments);
    uw_columns_arguments(&positions->offsets, positions->arguments + POSITION_COLUMNS);
    positions->arguments[ADVANCE_ARGUMENTS - 1] = (struct uw_argument){store->mark, sizeof store->mark};
    return UW_OK;
}

/* The mark of a commit is the one before plus one, so that none is ever used again. */
static void raise_mark(uint8_t mark[UW_COMMIT_MARK_BYTES])
{
    for (uint32_t i = UW_COMMIT_MARK_BYTES; i-- > 0;) {
        if (++mark[i] != 0) {
            break;
        }
    }
}

static bool is_copied(const struct uw_pgstore *store, uint32_t table)
{
    const struct uw_table_shape *shape = uw_table_shape((enum uw_table)table);

    return shape->copy != NULL && store->tables[table].row_count > 0 &&
           (shape->statement == NULL || store->tables[table].row_count >= COPY_ROWS_MIN);
}

static bool any_copied(const struct uw_pgstore *store)
{
    for (uint32_t i = 0; i < UW_TABLE_COUNT; i++) {
        if (is_copied(store, i)) {
            return true;
        }
    }
    return false;
}

static enum uw_code send_table(struct uw_pgstore *store, enum uw_table table, struct uw_error *error)
{
    const struct uw_table_shape *shape = uw_table_shape(table);
    struct uw_argument arguments[UW_ARGUMENTS_MAX];

    if (store->tables[table].row_count == 0) {
        return UW_OK;
    }
    if (uw_columns_turn(&store->tables[table]) != UW_OK) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "database: out of memory");
    }
    uw_columns_arguments(&store->tables[table], arguments);
    return uw_postgres_pipeline_send(store->postgres, shape->statement, arguments, shape->column_count, error);
}

/* Accounts that are dropped may be made anew by the rows that follow. */
static enum uw_code begin(struct uw_pgstore *store, const struct positions *positions, struct uw_error *error)
{
    enum uw_code code = uw_postgres_pipeline_begin(store->postgres, error);

    if (code == UW_OK) {
        code = uw_postgres_pipeline_send(store->postgres, "begin", NULL, 0, error);
    }
    if (code == UW_OK) {
        code = uw_postgres_pipeline_send(store->postgres, "advance", positions->arguments, ADVANCE_ARGUMENTS, error);
    }
    if (code == UW_OK) {
        code = send_table(store, UW_TABLE_ACCOUNTS_DROPPED, error);
    }
    return code;
}

static enum uw_code copy_rows(struct uw_pgstore *store, struct uw_error *error)
{
    enum uw_code code = uw_postgres_pipeline_finish(store->postgres, error);

    for (uint32_t i = 0; i < UW_TABLE_COUNT && code == UW_OK; i++) {
        if (is_copied(store, i)) {
            code = uw_columns_copy(&store->tables[i], store->postgres, uw_table_shape((enum uw_table)i)->copy, error);
        }
    }
    if (code == UW_OK) {
        code = uw_postgres_pipeline_begin(store->postgres, error);
    }
    return code;
}

static enum uw_code send_rows(struct uw_pgstore *store, struct uw_error *error)
{
    enum uw_code code = UW_OK;

    for (uint32_t i = 0; i < UW_TABLE_COUNT && code == UW_OK; i++) {
        if (i != UW_TABLE_ACCOUNTS_DROPPED && !is_copied(store, i)) {
            code = send_table(store, (enum uw_table)i, error);
        }
    }
    return code;
}

/* Everything up to and with COMMIT. *committing is set once the server may have seen it. */
static enum uw_code transact(struct uw_pgstore *store, const struct positions *positions, bool *committing,
                             struct uw_error *error)
{
    enum uw_code code = begin(store, positions, error);

    if (code == UW_OK && any_copied(store)) {
        code = copy_rows(store, error);
    }
    if (code == UW_OK) {
        code = send_rows(store, error);
    }
    if (code == UW_OK) {
        *committing = true;
        code = uw_postgres_pipeline_send(store->postgres, "commit", NULL, 0, error);
    }
    if (code == UW_OK) {
        code = uw_postgres_pipeline_finish(store->postgres, error);
    }
    return code;
}

/* The server refused, or the connection broke before COMMIT: nothing was applied. */
static enum uw_code give_up(struct uw_pgstore *store, enum uw_code code, struct uw_error *error)
{
    bool sane = uw_postgres_is_connected(store->postgres) &&
                PQpipelineStatus(uw_postgres_handle(store->postgres)) == PQ_PIPELINE_OFF &&
                uw_postgres_run(store->postgres, "ROLLBACK", NULL) == UW_OK;

    if (!sane) {
        uw_postgres_drop(store->postgres);
    }
    if (error->class == UW_CLASS_RETRY) {
        error->class = UW_CLASS_ABORT;
    }
    return code;
}

enum uw_code uw_pgstore_commit(void *context, const struct uw_changes *changes, struct uw_error *error)
{
    struct uw_pgstore *store = context;
    struct uw_error ignored;
    struct positions positions;
    bool committing = false;
    enum uw_code code;

    if (error == NULL) {
        error = &ignored;
    }
    if (changes->partition_count == 0) {
        return uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL, "database: a batch without partitions");
    }
    code = uw_pgstore_ready(store, error);
    if (code != UW_OK) {
        return code;
    }
    raise_mark(store->mark);
    code = uw_pgstore_fill(store, changes);
    if (code == UW_OK) {
        code = positions_init(&positions, store, changes);
    }
    if (code != UW_OK) {
        uw_waiting_settle(&store->waiting, false);
        uw_pgstore_clear(store);
        return uw_error_set(error, code, UW_CLASS_FATAL, "database: a batch could not be put into rows%s",
                            code == UW_ENOMEM ? ": out of memory" : "");
    }
    code = transact(store, &positions, &committing, error);
    if (code != UW_OK && committing && !uw_postgres_is_connected(store->postgres)) {
        code = uw_pgstore_settle(store, changes, error);
    } else if (code != UW_OK) {
        code = give_up(store, code, error);
    }
    uw_waiting_settle(&store->waiting, code == UW_OK);
    positions_close(&positions);
    uw_pgstore_clear(store);
    return code;
}
