/*
 * Taking a partition over, which of its clients have to be judged again, and what former rules have left.
 */
#include "producers/store_internal.h"

#include <string.h>

/* Marking a partition may write a row for every client of it. */
#define MARK_PATIENCE_FACTOR 10

static void read_claim(const PGresult *result, int32_t partition, struct uw_claim *claim)
{
    claim->partition = partition;
    claim->epoch = uw_field_int8(result, 0);
    claim->previous_epoch = claim->epoch - 1;
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        claim->next_offset[i] = uw_field_int8(result, 1 + i);
    }
    claim->next_sequence = uw_field_int8(result, 1 + UW_TOPIC_COUNT);
    claim->published_sequence = uw_field_int8(result, 2 + UW_TOPIC_COUNT);
    claim->rules_fingerprint = (uint64_t)uw_field_int8(result, 3 + UW_TOPIC_COUNT);
    claim->as_of_day = uw_field_day(result, 4 + UW_TOPIC_COUNT);
}

/* Why a claim changed nothing. */
static enum uw_code explain_refusal(struct uw_pgstore *store, const struct uw_argument *partition,
                                    int32_t rules_version, struct uw_error *error)
{
    PGresult *result = NULL;
    enum uw_code code = uw_postgres_query(store->postgres, "unclaimed", partition, 1, &result, error);
    int32_t count = code == UW_OK ? uw_field_int4(result, 0) : 0, rules = code == UW_OK ? uw_field_int4(result, 1) : 0;

    if (code == UW_OK && uw_get_int32(partition->data) >= count) {
        code = uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "the input topics have %d partitions or more, and this database was filled from %d"
                            " (docs/operations.md, More partitions)",
                            (int)uw_get_int32(partition->data) + 1, (int)count);
    } else if (code == UW_OK && rules > rules_version) {
        code = uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "a newer program (rules %d) judges this database; this one has rules %d: upgrade it",
                            (int)rules, (int)rules_version);
    } else if (code == UW_OK) {
        code = uw_error_set(error, UW_EIO, UW_CLASS_RETRY, "database: a partition could not be claimed");
    }
    PQclear(result);
    return code;
}

/* A former owner may hold the partition's row for as long as it is frozen. Its session is ended, and whoever owns the
 * partition next applies what it had in hand. *error, of the claim that could not have the row, then says so. */
static void end_holder(struct uw_pgstore *store, const struct uw_argument *partition, struct uw_error *error)
{
    PGresult *result = NULL;

    if (error != NULL && error->class == UW_CLASS_RETRY && uw_postgres_is_connected(store->postgres) &&
        uw_postgres_query(store->postgres, "end_holder", partition, 1, &result, NULL) == UW_OK &&
        PQntuples(result) > 0 && uw_field_bool(result, 0)) {
        (void)uw_error_set(error, UW_EIO, UW_CLASS_RETRY,
                           "database: a session that waits for its client held partition %d; it is ended",
                           (int)uw_get_int32(partition->data));
    }
    PQclear(result);
}

enum uw_code uw_pgstore_claim(void *context, int32_t partition, int32_t rules_version, struct uw_claim *claim,
                              struct uw_error *error)
{
    static const enum uw_column_type text_type[] = {UW_COLUMN_TEXT};
    struct uw_pgstore *store = context;
    struct uw_argument arguments[4];
    struct uw_columns topics;
    uint8_t number[4], rules[4];
    PGresult *result = NULL;
    enum uw_code code = uw_pgstore_ready(store, error);

    if (code != UW_OK) {
        return code;
    }
    uw_columns_init(&topics, text_type, 1);
    for (uint32_t i = 0; i < UW_TOPIC_COUNT; i++) {
        uint32_t place = 0;

        uw_columns_string(&topics, &place, uw_str_from(store->topics[i]));
    }
    if (topics.failed) {
        code = uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "database: out of memory");
        goto out;
    }
    uw_put_int32(number, partition);
    arguments[0] = (struct uw_argument){number, sizeof number};
    arguments[1] = (struct uw_argument){store->owner, strlen(store->owner)};
    uw_columns_arguments(&topics, &arguments[2]);
    uw_put_int32(rules, rules_version);
    arguments[3] = (struct uw_argument){rules, sizeof rules};
    /* Those whom a former owner has left in lists get rows by it (schemas/sql/010_waiting_claims.sql). */
    code = uw_postgres_query(store->postgres, "claim", arguments, 4, &result, error);
    if (code == UW_OK && PQntuples(result) == 1) {
        read_claim(result, partition, claim);
        uw_waiting_forget(&store->waiting, partition);
        store->claims = true;
    } else if (code == UW_OK) {
        code = explain_refusal(store, arguments, rules_version, error);
    } else {
        end_holder(store, arguments, error);
    }
out:
    PQclear(result);
    uw_columns_close(&topics);
    return code;
}

/* A row that is not there any more is of a database that was put back: claiming tells what that means. */
enum uw_code uw_pgstore_standing(void *context, int32_t partition, int64_t epoch, int64_t *next_sequence,
                                 struct uw_error *error)
{
    struct uw_pgstore *store = context;
    uint8_t number[4];
    const struct uw_argument argument = {number, sizeof number};
    PGresult *result = NULL;
    enum uw_code code = uw_pgstore_ready(store, error);

    if (code != UW_OK) {
        return code;
    }
    uw_put_int32(number, partition);
    code = uw_postgres_query(store->postgres, "standing", &argument, 1, &result, error);
    if (code == UW_OK && (PQntuples(result) != 1 || uw_field_int8(result, 0) != epoch)) {
        code = uw_error_set(error, UW_EFENCED, UW_CLASS_FENCED, "database: another instance owns partition %d",
                            (int)partition);
    }
    if (code == UW_OK) {
        *next_sequence = uw_field_int8(result, 1);
    }
    PQclear(result);
    return code;
}

struct clients_visit {
    uw_client_visit *visit;
    void *context;
};

static enum uw_code visit_client(void *context, const PGresult *row)
{
    const struct clients_visit *visit = context;

    return visit->visit(visit->context, uw_field_string(row, 0));
}

enum uw_code uw_pgstore_due(void *context, int32_t partition, int32_t as_of_day, uint32_t limit,
                            uw_client_visit *visit, void *visit_context, struct uw_error *error)
{
    struct uw_pgstore *store = context;
    struct clients_visit clients = {visit, visit_context};
    uint8_t number[4], day[4], count[8];
    const struct uw_argument arguments[] = {{number, sizeof number}, {day, sizeof day}, {count, sizeof count}};
    const struct uw_waiting *waiting = &store->waiting;
    uint32_t visited = 0;
    enum uw_code code = uw_pgstore_ready(store, error);

    /* They are due whatever the day is. */
    for (uint32_t i = uw_waiting_next(waiting, partition, 0); i < waiting->count && visited < limit && code == UW_OK;
         i = uw_waiting_next(waiting, partition, i + 1)) {
        code = visit(visit_context, waiting->clients[i].name);
        visited++;
    }
    if (code != UW_OK || visited == limit) {
        return code;
    }
    uw_put_int32(number, partition);
    uw_put_int32(day, as_of_day - UW_POSTGRES_EPOCH_DAY);
    uw_put_int64(count, limit - visited);
    return uw_postgres_each(store->postgres, "due", arguments, 3, visit_client, &clients, error);
}

enum uw_code uw_pgstore_due_count(struct uw_pgstore *store, int32_t partition, int32_t as_of_day, uint32_t limit,
                                  int64_t *count, struct uw_error *error)
{
    uint8_t number[4], day[4], most[8];
    const struct uw_argument arguments[] = {{number, sizeof number}, {day, sizeof day}, {most, sizeof most}};
    PGresult *result = NULL;
    enum uw_code code = uw_pgstore_ready(store, error);

    if (code != UW_OK) {
        return code;
    }
    uw_put_int32(number, partition);
    uw_put_int32(day, as_of_day == UW_DAY_BEFORE_ALL ? UW_POSTGRES_DAY_NOBEGIN : as_of_day - UW_POSTGRES_EPOCH_DAY);
    uw_put_int64(most, limit);
    code = uw_postgres_query(store->postgres, "due_count", arguments, 3, &result, error);
    if (code == UW_OK) {
        *count = uw_field_int8(result, 0);
    }
    PQclear(result);
    return code;
}

enum uw_code uw_pgstore_decision_clients(struct uw_pgstore *store, struct uw_str municipality, struct uw_str decision,
                                         uint32_t limit, uw_client_visit *visit, void *visit_context,
                                         struct uw_error *error)
{
    struct clients_visit clients = {visit, visit_context};
    uint8_t count[8];
    const struct uw_argument arguments[] = {
        {municipality.data, municipality.length}, {decision.data, decision.length}, {count, sizeof count}};
    enum uw_code code = uw_pgstore_ready(store, error);

    if (code != UW_OK) {
        return code;
    }
    uw_put_int64(count, limit);
    return uw_postgres_each(store->postgres, "decision_clients", arguments, 3, visit_client, &clients, error);
}

static enum uw_code mark_all(struct uw_pgstore *store, const struct uw_argument arguments[3], struct uw_error *error)
{
    PGresult *state = NULL, *clients = NULL;
    enum uw_code code = uw_postgres_run(store->postgres, "BEGIN; SET LOCAL statement_timeout = 0", error);

    if (code == UW_OK) {
        code = uw_postgres_query(store->postgres, "mark_state", arguments, 3, &state, error);
    }
    if (code == UW_OK && PQntuples(state) != 1) {
        code = uw_error_set(error, UW_EFENCED, UW_CLASS_FENCED, "database: another instance owns the partition");
    }
    if (code == UW_OK) {
        code = uw_postgres_query(store->postgres, "mark_clients", arguments, 1, &clients, error);
    }
    if (code == UW_OK) {
        code = uw_postgres_run(store->postgres, "COMMIT", error);
    }
    PQclear(state);
    PQclear(clients);
    return code;
}

/* A COMMIT whose answer was lost is simply done again: marking twice is the same as once. */
enum uw_code uw_pgstore_mark_all_due(void *context, int32_t partition, int64_t epoch, uint64_t rules_fingerprint,
                                     struct uw_error *error)
{
    struct uw_pgstore *store = context;
    uint8_t number[4], owner_epoch[8], fingerprint[8];
    const struct uw_argument arguments[] = {
        {number, sizeof number}, {owner_epoch, sizeof owner_epoch}, {fingerprint, sizeof fingerprint}};
    enum uw_code code = uw_pgstore_ready(store, error);

    if (code != UW_OK) {
        return code;
    }
    uw_put_int32(number, partition);
    uw_put_int64(owner_epoch, epoch);
    uw_put_int64(fingerprint, (int64_t)rules_fingerprint);
    uw_postgres_set_patience(store->postgres, store->timeout_ms > INT32_MAX / MARK_PATIENCE_FACTOR
                                                  ? INT32_MAX
                                                  : store->timeout_ms * MARK_PATIENCE_FACTOR);
    code = mark_all(store, arguments, error);
    uw_postgres_set_patience(store->postgres, 0);
    if (code != UW_OK && uw_postgres_is_connected(store->postgres) &&
        uw_postgres_run(store->postgres, "ROLLBACK", NULL) != UW_OK) {
        uw_postgres_drop(store->postgres);
    }
    return code;
}

enum uw_code uw_pgstore_sweep(void *context, int32_t rules_version, uint32_t limit, bool *more, struct uw_error *error)
{
    struct uw_pgstore *store = context;
    uint8_t rules[4], count[8];
    const struct uw_argument arguments[] = {{rules, sizeof rules}, {count, sizeof count}};
    PGresult *result = NULL;
    enum uw_code code = uw_pgstore_ready(store, error);

    if (code != UW_OK) {
        return code;
    }
    uw_put_int32(rules, rules_version);
    uw_put_int64(count, limit);
    code = uw_postgres_query(store->postgres, "sweep", arguments, 2, &result, error);
    if (code == UW_OK) {
        *more = uw_field_int8(result, 0) > 0;
    }
    PQclear(result);
    return code;
}
