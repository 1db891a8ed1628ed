/*
 * Finding out whether a COMMIT whose answer was lost has been applied.
 */
#include "producers/store_internal.h"

#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 2000

enum verdict { VERDICT_APPLIED, VERDICT_NOT_APPLIED, VERDICT_TAKEN_OVER };

/* The rows are locked for reading, so that a transaction that is still under way ends first. */
static enum uw_code ask(struct uw_pgstore *store, const struct uw_argument arguments[2],
                        const struct uw_changes *changes, enum verdict *verdict, struct uw_error *error)
{
    PGresult *result = NULL;
    bool applied = false, taken_over = false;
    enum uw_code code = uw_pgstore_ready(store, error);

    if (code == UW_OK) {
        code = uw_postgres_query(store->postgres, "settle", arguments, 2, &result, error);
    }
    if (code != UW_OK) {
        return code;
    }
    taken_over = PQntuples(result) != (int)changes->partition_count;
    for (int i = 0; i < PQntuples(result); i++) {
        int64_t epoch = uw_get_int64((const uint8_t *)PQgetvalue(result, i, 0));

        applied = applied || *PQgetvalue(result, i, 1) != 0;
        /* Both are in the order of partitions. */
        taken_over = taken_over || (i < (int)changes->partition_count && epoch != changes->partitions[i].epoch);
    }
    PQclear(result);
    *verdict = applied ? VERDICT_APPLIED : taken_over ? VERDICT_TAKEN_OVER : VERDICT_NOT_APPLIED;
    return UW_OK;
}

static enum uw_code answer(enum verdict verdict, const struct uw_error *cause, struct uw_error *error)
{
    switch (verdict) {
    case VERDICT_APPLIED:
        return UW_OK;
    case VERDICT_NOT_APPLIED:
        return uw_error_set(error, UW_EIO, UW_CLASS_ABORT, "%.400s; the batch was not applied", cause->text);
    case VERDICT_TAKEN_OVER:
        break;
    }
    return uw_error_set(error, UW_EFENCED, UW_CLASS_FENCED,
                        "database: another instance took a partition over while a commit had no answer");
}

enum uw_code uw_pgstore_settle(struct uw_pgstore *store, const struct uw_changes *changes, struct uw_error *error)
{
    static const enum uw_column_type number_type[] = {UW_COLUMN_INT4};
    const struct uw_error cause = *error;
    struct uw_error last = {.text = ""};
    int64_t until_ms = uw_pgstore_now_ms() + store->timeout_ms;
    int32_t pause_ms = PAUSE_MIN_MS;
    struct uw_argument arguments[2];
    struct uw_columns partitions;
    enum verdict verdict = VERDICT_NOT_APPLIED;
    enum uw_code code;

    uw_columns_init(&partitions, number_type, 1);
    for (uint32_t i = 0; i < changes->partition_count; i++) {
        uint32_t place = 0;

        uw_columns_int4(&partitions, &place, changes->partitions[i].partition);
    }
    if (partitions.failed) {
        uw_columns_close(&partitions);
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "database: out of memory");
    }
    uw_columns_arguments(&partitions, &arguments[0]);
    arguments[1] = (struct uw_argument){store->mark, sizeof store->mark};
    while ((code = ask(store, arguments, changes, &verdict, &last)) != UW_OK && last.class == UW_CLASS_RETRY &&
           uw_pgstore_now_ms() < until_ms) {
        uw_pgstore_sleep_ms(pause_ms);
        pause_ms = pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause_ms * 2;
    }
    uw_columns_close(&partitions);
    if (code == UW_OK) {
        return answer(verdict, &cause, error);
    }
    if (last.class == UW_CLASS_RETRY) {
        /* To go on from the store's state is right in either case. What moved positions is refused when it was applied,
         * and the partition is claimed anew. Who was only judged is loaded again, and found judged: its row says so even
         * where it is still thought to stand in a list (store_load.c). */
        return uw_error_set(error, UW_ETIMEOUT, UW_CLASS_ABORT,
                            "%.400s; whether the batch was applied is not known yet", cause.text);
    }
    return uw_error_set(error, last.code, last.class, "%s", last.text);
}
