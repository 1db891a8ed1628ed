/*
 * A stable name for every instance on a database, without configuration: the first free of a row of locks.
 */
#include "producers/store_internal.h"

#include <time.h>

/* How long the backend of a lost connection may take to end. */
#define RETAKE_MS 5000
#define RETAKE_STEP_MS 50

int64_t uw_pgstore_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void uw_pgstore_sleep_ms(int32_t sleep_ms)
{
    const struct timespec pause = {sleep_ms / 1000, (long)(sleep_ms % 1000) * 1000000L};

    (void)nanosleep(&pause, NULL);
}

static enum uw_code try_slot(struct uw_pgstore *store, int32_t slot, bool *taken, struct uw_error *error)
{
    uint8_t class[4], number[4];
    const struct uw_argument arguments[] = {{class, sizeof class}, {number, sizeof number}};
    PGresult *result = NULL;
    enum uw_code code;

    uw_put_int32(class, UW_SLOT_LOCK_CLASS);
    uw_put_int32(number, slot);
    code = uw_postgres_query(store->postgres, "try_slot", arguments, 2, &result, error);
    if (code == UW_OK) {
        *taken = uw_field_bool(result, 0);
    }
    PQclear(result);
    return code;
}

enum uw_code uw_pgstore_retake_slot(struct uw_pgstore *store, struct uw_error *error)
{
    int64_t until_ms = uw_pgstore_now_ms() + RETAKE_MS;
    bool taken = false;
    enum uw_code code;

    if (store->slot < 0) {
        return UW_OK;
    }
    for (;;) {
        code = try_slot(store, store->slot, &taken, error);
        if (code != UW_OK || taken) {
            return code;
        }
        if (uw_pgstore_now_ms() >= until_ms) {
            return uw_error_set(error, UW_EFENCED, UW_CLASS_FENCED,
                                "database: another instance took slot %d while there was no connection",
                                (int)store->slot);
        }
        uw_pgstore_sleep_ms(RETAKE_STEP_MS);
    }
}

/* Whose slot it was before has ended its last transaction with its session: where there are no sums now, those of this
 * slot are the ones that are written from now on. */
static enum uw_code begin_sums(struct uw_pgstore *store, struct uw_error *error)
{
    PGresult *result = NULL;
    enum uw_code code = uw_postgres_query(store->postgres, "no_sums", NULL, 0, &result, error);

    if (code == UW_OK) {
        uw_written_begin(&store->sums, uw_field_bool(result, 0));
    }
    PQclear(result);
    return code;
}

enum uw_code uw_pgstore_slot(struct uw_pgstore *store, int32_t *slot, struct uw_error *error)
{
    enum uw_code code = uw_pgstore_ready(store, error);

    for (int32_t i = 0; i < UW_PGSTORE_SLOT_COUNT && code == UW_OK && store->slot < 0; i++) {
        bool taken = false;

        code = try_slot(store, i, &taken, error);
        if (taken) {
            store->slot = i;
            code = begin_sums(store, error);
        }
    }
    if (code == UW_OK && store->slot < 0) {
        code = uw_error_set(error, UW_ELIMIT, UW_CLASS_FATAL, "database: all %d slots for instances are taken",
                            UW_PGSTORE_SLOT_COUNT);
    }
    if (code == UW_OK) {
        *slot = store->slot;
    }
    return code;
}
