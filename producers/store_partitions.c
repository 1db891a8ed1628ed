#include "producers/store_partitions.h"

#include <stdlib.h>
#include <string.h>

#include "producers/partitioner.h"
#include "producers/store_internal.h"

/* Clients of one step; bounds memory and the time of a statement. */
#define STEP_CLIENTS 10000

static const struct {
    const char *name, *sql;
} statements[] = {
    {"accept_slots", "SELECT count(*) FILTER (WHERE NOT pg_try_advisory_xact_lock($1::integer, i))"
                     " FROM generate_series(0, $2::integer - 1) i"},
    {"accept_former", "SELECT partition_count FROM urenwacht_data.input FOR UPDATE"},
    /* Lists are of one partition; rows can be moved one by one. A partition's lists at a time. */
    {"accept_waiting", "WITH lists AS (DELETE FROM urenwacht_data.client_waiting"
                       " WHERE partition = (SELECT min(partition) FROM urenwacht_data.client_waiting)"
                       " RETURNING partition, clients),"
                       " made AS (INSERT INTO urenwacht_data.client (client, partition, next_change_on, rules_version)"
                       " SELECT unnest(clients), partition, '-infinity', 0 FROM lists ON CONFLICT (client) DO NOTHING)"
                       " SELECT count(*) FROM lists"},
    {"accept_clients", "SELECT client, partition FROM urenwacht_data.client WHERE client > $1::text ORDER BY client"
                       " LIMIT $2::bigint"},
    /* They are judged again, since their new partition may stand at another day or at other thresholds. */
    {"accept_moves", "UPDATE urenwacht_data.client c SET partition = w.partition, next_change_on = '-infinity'"
                     " FROM unnest($1::text[], $2::integer[]) w (client, partition) WHERE c.client = w.client"},
    {"accept_count", "UPDATE urenwacht_data.input SET partition_count = $1::integer"},
    /* An older program must not get clients that a newer one has judged. */
    {"accept_rules", "UPDATE urenwacht_data.partition_state SET rules_version ="
                     " (SELECT max(rules_version) FROM urenwacht_data.partition_state)"},
    {"accept_states", "INSERT INTO urenwacht_data.partition_state (partition, epoch, owner, claimed_at, topics,"
                      " rules_version, as_of) SELECT i, 0, '', now(), s.topics, s.rules_version, s.as_of"
                      " FROM generate_series(0, $1::integer - 1) i, (SELECT topics, rules_version,"
                      " max(as_of) OVER () AS as_of FROM urenwacht_data.partition_state ORDER BY partition LIMIT 1) s"
                      " ON CONFLICT (partition) DO NOTHING"},
};
#define STATEMENT_COUNT (sizeof statements / sizeof statements[0])

enum uw_code uw_pgstore_check_partitions(struct uw_pgstore *store, int32_t partition_count, struct uw_error *error)
{
    uint8_t count[4];
    const struct uw_argument argument = {count, sizeof count};
    PGresult *result = NULL;
    enum uw_code code = uw_pgstore_ready(store, error);

    if (code != UW_OK) {
        return code;
    }
    uw_put_int32(count, partition_count);
    code = uw_postgres_query(store->postgres, "check_partitions", &argument, 1, &result, error);
    if (code == UW_OK && uw_field_int4(result, 0) != partition_count) {
        code = uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "the input topics have %d partitions, and this database was filled from %d"
                            " (docs/operations.md, More partitions)",
                            (int)partition_count, (int)uw_field_int4(result, 0));
    }
    PQclear(result);
    return code;
}

/* Their locks are kept to the end of the transaction, so that none can start. */
static enum uw_code keep_instances_out(struct uw_pgstore *store, struct uw_error *error)
{
    uint8_t class[4], count[4];
    const struct uw_argument arguments[] = {{class, sizeof class}, {count, sizeof count}};
    PGresult *result = NULL;
    enum uw_code code;

    uw_put_int32(class, UW_SLOT_LOCK_CLASS);
    uw_put_int32(count, UW_PGSTORE_SLOT_COUNT);
    code = uw_postgres_query(store->postgres, "accept_slots", arguments, 2, &result, error);
    if (code == UW_OK && uw_field_int8(result, 0) != 0) {
        code = uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "instances run on this database (%d): stop them first", (int)uw_field_int8(result, 0));
    }
    PQclear(result);
    return code;
}

static enum uw_code find_former(struct uw_pgstore *store, int32_t partition_count, int32_t *former_count,
                                struct uw_error *error)
{
    PGresult *result = NULL;
    enum uw_code code = uw_postgres_query(store->postgres, "accept_former", NULL, 0, &result, error);
    int32_t former = code == UW_OK && PQntuples(result) == 1 ? uw_field_int4(result, 0) : 0;

    PQclear(result);
    if (code != UW_OK) {
        return code;
    }
    if (former == 0) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "nothing was processed into this database yet: it takes any number of partitions");
    }
    if (partition_count < former) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "this database was filled from %d partitions: %d are fewer, and Kafka has no fewer than"
                            " before",
                            (int)former, (int)partition_count);
    }
    *former_count = former;
    return UW_OK;
}

/* The clients of one answer: which of them move. */
static enum uw_code choose_moves(const PGresult *clients, int32_t former_count, int32_t partition_count,
                                 struct uw_columns *moves, struct uw_error *error)
{
    for (int i = 0; i < PQntuples(clients); i++) {
        struct uw_str client = {PQgetvalue(clients, i, 0), (uint32_t)PQgetlength(clients, i, 0)};
        int32_t partition = uw_get_int32((const uint8_t *)PQgetvalue(clients, i, 1));
        int32_t next = uw_partition_of_key(client, partition_count);
        uint32_t place = 0;

        if (partition != uw_partition_of_key(client, former_count)) {
            return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                                "a client in partition %d is not where murmur2 puts its key: the producers use another"
                                " partitioner, and it is not known where clients go",
                                (int)partition);
        }
        if (next != partition) {
            uw_columns_string(moves, &place, client);
            uw_columns_int4(moves, &place, next);
        }
    }
    return moves->failed ? uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "database: out of memory") : UW_OK;
}

static enum uw_code write_moves(struct uw_pgstore *store, struct uw_columns *moves, struct uw_error *error)
{
    struct uw_argument arguments[2];
    PGresult *result = NULL;
    enum uw_code code;

    if (moves->row_count == 0) {
        return UW_OK;
    }
    uw_columns_arguments(moves, arguments);
    code = uw_postgres_query(store->postgres, "accept_moves", arguments, 2, &result, error);
    PQclear(result);
    return code;
}

/* One step: the clients after `*after`, which becomes the last of them and is kept by *clients. */
static enum uw_code move_some(struct uw_pgstore *store, struct uw_str after, int32_t partition_count,
                              struct uw_accepted_partitions *accepted, PGresult **clients, struct uw_error *error)
{
    static const enum uw_column_type types[] = {UW_COLUMN_TEXT, UW_COLUMN_INT4};
    uint8_t limit[8];
    const struct uw_argument arguments[] = {{after.data, after.length}, {limit, sizeof limit}};
    struct uw_columns moves;
    enum uw_code code;

    uw_columns_init(&moves, types, 2);
    uw_put_int64(limit, STEP_CLIENTS);
    code = uw_postgres_query(store->postgres, "accept_clients", arguments, 2, clients, error);
    if (code == UW_OK) {
        code = choose_moves(*clients, accepted->former_count, partition_count, &moves, error);
    }
    if (code == UW_OK) {
        code = write_moves(store, &moves, error);
    }
    if (code == UW_OK) {
        accepted->client_count += PQntuples(*clients);
        accepted->moved_count += moves.row_count;
    }
    uw_columns_close(&moves);
    return code;
}

static enum uw_code make_rows(struct uw_pgstore *store, struct uw_error *error)
{
    enum uw_code code = UW_OK;
    bool more = true;

    while (code == UW_OK && more) {
        PGresult *result = NULL;

        code = uw_postgres_query(store->postgres, "accept_waiting", NULL, 0, &result, error);
        more = code == UW_OK && uw_field_int8(result, 0) > 0;
        PQclear(result);
    }
    return code;
}

static enum uw_code move_all(struct uw_pgstore *store, int32_t partition_count,
                             struct uw_accepted_partitions *accepted, struct uw_error *error)
{
    struct uw_str after = UW_STR("");
    PGresult *last = NULL;
    enum uw_code code;
    int count;

    do {
        PGresult *clients = NULL;

        code = move_some(store, after, partition_count, accepted, &clients, error);
        count = code == UW_OK ? PQntuples(clients) : 0;
        PQclear(last);
        last = clients;
        if (count > 0) {
            after = (struct uw_str){PQgetvalue(last, count - 1, 0), (uint32_t)PQgetlength(last, count - 1, 0)};
        }
    } while (count == STEP_CLIENTS);
    PQclear(last);
    return code;
}

static enum uw_code finish(struct uw_pgstore *store, int32_t partition_count, struct uw_error *error)
{
    static const struct {
        const char *statement;
        uint32_t argument_count;
    } steps[] = {{"accept_rules", 0}, {"accept_states", 1}, {"accept_count", 1}};
    uint8_t count[4];
    const struct uw_argument argument = {count, sizeof count};
    enum uw_code code = UW_OK;

    uw_put_int32(count, partition_count);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && code == UW_OK; i++) {
        PGresult *result = NULL;

        code = uw_postgres_query(store->postgres, steps[i].statement, &argument, steps[i].argument_count, &result,
                                 error);
        PQclear(result);
    }
    return code;
}

enum uw_code uw_pgstore_accept_partitions(struct uw_pgstore *store, int32_t partition_count,
                                          struct uw_accepted_partitions *accepted, struct uw_error *error)
{
    struct uw_accepted_partitions done = {0, 0, 0};
    enum uw_code code = uw_pgstore_ready(store, error);

    for (size_t i = 0; i < STATEMENT_COUNT && code == UW_OK; i++) {
        code = uw_postgres_prepare(store->postgres, statements[i].name, statements[i].sql, error);
    }
    if (code == UW_OK) {
        code = uw_postgres_run(store->postgres, "BEGIN", error);
    }
    if (code == UW_OK) {
        code = keep_instances_out(store, error);
    }
    if (code == UW_OK) {
        code = find_former(store, partition_count, &done.former_count, error);
    }
    if (code == UW_OK) {
        code = make_rows(store, error);
    }
    if (code == UW_OK) {
        code = move_all(store, partition_count, &done, error);
    }
    if (code == UW_OK) {
        code = finish(store, partition_count, error);
    }
    if (code == UW_OK) {
        code = uw_postgres_run(store->postgres, "COMMIT", error);
    }
    /* What was not committed goes with the connection, and the statements with it. */
    uw_postgres_drop(store->postgres);
    if (code == UW_OK) {
        *accepted = done;
    }
    return code;
}
