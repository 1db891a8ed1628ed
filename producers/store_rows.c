/*
 * Rows of accounts, clients and the outbox, and all rows of a batch.
 */
#include "producers/store_internal.h"

/* A client that joins those who wait has no row of its own before it leaves them. */
static enum uw_code add_client(struct uw_pgstore *store, const struct uw_client_change *client)
{
    struct uw_columns *tables = store->tables, *columns;
    bool waits = client->created && client->next_change_day == UW_DAY_BEFORE_ALL && client->rules_version == 0;
    bool failed = false, leaves = !client->created && uw_waiting_leave(&store->waiting, client->client, &failed);
    uint32_t place = 0;

    if (failed) {
        return UW_ENOMEM;
    }
    if (waits && store->claims && uw_waiting_join(&store->waiting, client->client, client->partition)) {
        columns = &tables[UW_TABLE_CLIENTS_WAITING];
        uw_columns_string(columns, &place, client->client);
        uw_columns_int4(columns, &place, client->partition);
        return UW_OK;
    }
    columns = &tables[client->created || leaves ? UW_TABLE_CLIENTS_NEW : UW_TABLE_CLIENTS];
    uw_columns_string(columns, &place, client->client);
    uw_columns_int4(columns, &place, client->partition);
    uw_columns_day(columns, &place, client->next_change_day);
    uw_columns_int4(columns, &place, client->rules_version);
    if (client->rebuild) {
        place = 0;
        uw_columns_string(&tables[UW_TABLE_ACCOUNTS_DROPPED], &place, client->client);
    }
    return UW_OK;
}

static enum uw_code add_clients(struct uw_pgstore *store, const struct uw_changes *changes)
{
    enum uw_code code = UW_OK;

    for (uint32_t i = 0; i < changes->client_count && code == UW_OK; i++) {
        code = add_client(store, &changes->clients[i]);
    }
    for (uint32_t i = 0; i < changes->partition_count; i++) {
        if (uw_waiting_empties(&store->waiting, changes->partitions[i].partition)) {
            uint32_t place = 0;

            uw_columns_int4(&store->tables[UW_TABLE_PARTITIONS_WAITED], &place, changes->partitions[i].partition);
        }
    }
    return code;
}

static void add_account(struct uw_columns *tables, const struct uw_account_change *account)
{
    struct uw_columns *columns = &tables[account->removed   ? UW_TABLE_ACCOUNTS_REMOVED
                                         : account->created ? UW_TABLE_ACCOUNTS_NEW
                                                            : UW_TABLE_ACCOUNTS];
    uint32_t place = 0;

    uw_columns_string(columns, &place, account->client);
    uw_columns_string(columns, &place, account->municipality);
    uw_columns_string(columns, &place, account->decision);
    uw_columns_day(columns, &place, account->segment_from_day);
    uw_columns_day(columns, &place, account->period_from_day);
    if (account->removed) {
        return;
    }
    uw_columns_day(columns, &place, account->period_to_day);
    uw_columns_int2(columns, &place, (int32_t)account->model);
    uw_columns_int8_or_null(columns, &place, account->allotted_minutes);
    uw_columns_int8_or_null(columns, &place, account->minimum_minutes);
    uw_columns_int8(columns, &place, account->used_minutes);
    uw_columns_int8(columns, &place, account->delivered_minutes);
    uw_columns_int8(columns, &place, account->no_show_minutes);
}

static enum uw_code add_outbox(struct uw_pgstore *store, const struct uw_outbox_record *record)
{
    struct uw_columns *columns = &store->tables[UW_TABLE_OUTBOX];
    struct uw_str headers;
    uint32_t place = 0;
    enum uw_code code = uw_pgstore_pack_headers(record->headers, record->header_count, &store->arena, &headers);

    if (code != UW_OK) {
        return code;
    }
    uw_columns_int4(columns, &place, record->partition);
    uw_columns_int8(columns, &place, record->sequence);
    uw_columns_int2(columns, &place, (int32_t)record->output);
    uw_columns_string(columns, &place, record->key);
    uw_columns_string(columns, &place, record->value);
    uw_columns_string(columns, &place, headers);
    return UW_OK;
}

static enum uw_code add_outcomes(struct uw_pgstore *store, const struct uw_changes *changes)
{
    enum uw_code code = UW_OK;

    for (uint32_t i = 0; i < changes->alert_count && code == UW_OK; i++) {
        code = uw_pgstore_add_alert(store, &changes->alerts[i], changes->observed_at_ms);
    }
    for (uint32_t i = 0; i < changes->anomaly_count && code == UW_OK; i++) {
        code = uw_pgstore_add_anomaly(store, &changes->anomalies[i], changes->observed_at_ms);
    }
    for (uint32_t i = 0; i < changes->outbox_count && code == UW_OK; i++) {
        code = add_outbox(store, &changes->outbox[i]);
    }
    return code;
}

void uw_pgstore_clear(struct uw_pgstore *store)
{
    uw_arena_close(&store->arena); /* it can be used again */
    for (uint32_t i = 0; i < UW_TABLE_COUNT; i++) {
        uw_columns_reset(&store->tables[i]);
    }
}

enum uw_code uw_pgstore_fill(struct uw_pgstore *store, const struct uw_changes *changes)
{
    enum uw_code code;

    uw_pgstore_clear(store);
    for (uint32_t i = 0; i < changes->fact_count; i++) {
        uw_pgstore_add_fact(store->tables, &changes->facts[i], changes->observed_at_ms);
    }
    for (uint32_t i = 0; i < changes->account_count; i++) {
        add_account(store->tables, &changes->accounts[i]);
    }
    code = add_clients(store, changes);
    if (code == UW_OK) {
        code = uw_pgstore_add_sums(store, changes);
    }
    if (code == UW_OK) {
        code = add_outcomes(store, changes);
    }
    for (uint32_t i = 0; i < UW_TABLE_COUNT && code == UW_OK; i++) {
        code = store->tables[i].failed ? UW_ENOMEM : UW_OK;
    }
    return code;
}
