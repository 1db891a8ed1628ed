/*
 * The store against a real PostgreSQL: versions of the rules, and the number of partitions.
 */
#include "producers/partitioner.h"
#include "producers/store_partitions.h"
#include "tests/producers/store_kept.h"

/* ---- versions of the rules ---- */

static struct uw_account_change account_of(const char *client, int32_t period_from_day)
{
    return (struct uw_account_change){.client = uw_str_from(client),
                                      .municipality = UW_STR("0363"),
                                      .decision = UW_STR("WMO-1"),
                                      .segment_from_day = 20000,
                                      .period_from_day = period_from_day,
                                      .period_to_day = UW_DAY_NONE,
                                      .model = UW_MODEL_TASK,
                                      .allotted_minutes = UW_MINUTES_NONE,
                                      .minimum_minutes = UW_MINUTES_NONE,
                                      .used_minutes = 10,
                                      .delivered_minutes = 10};
}

static struct uw_aggregate_change aggregate_of(int64_t clients)
{
    return (struct uw_aggregate_change){.grain = UW_GRAIN_WEEK,
                                        .period_from_day = 20513,
                                        .municipality = UW_STR("0363"),
                                        .provider = UW_STR("12345678"),
                                        .product_category = UW_STR("02"),
                                        .product = UW_STR("02A05"),
                                        .clients = clients,
                                        .decisions = clients,
                                        .delivered_minutes = 60 * clients};
}

static void older_programs_are_refused(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};
    struct uw_claim claim;
    struct uw_store port;

    (void)state;
    live_require();
    store = live_open("one");
    uw_pgstore_port(store, &port);
    assert_int_equal(port.claim(port.context, 0, 1, &claim, &error), UW_OK);
    assert_int_equal(port.claim(port.context, 1, 1, &claim, &error), UW_OK);
    assert_int_equal(port.claim(port.context, 0, 3, &claim, &error), UW_OK);
    assert_int_equal(claim.epoch, 2);
    assert_int_equal(port.claim(port.context, 0, 2, &claim, &error), UW_ECONFIG);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_string_equal(error.text,
                        "a newer program (rules 3) judges this database; this one has rules 2: upgrade it");
    assert_int_equal(live_number("SELECT epoch FROM urenwacht_data.partition_state WHERE partition = 0"), 2);
    /* What no newer program has had is still theirs: they work side by side during an upgrade. */
    assert_int_equal(port.claim(port.context, 1, 1, &claim, &error), UW_OK);
    assert_int_equal(port.claim(port.context, 0, 3, &claim, &error), UW_OK);
    uw_pgstore_close(&store);
}

static void accounts_are_rebuilt(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error;
    struct uw_partition_change partition;
    struct uw_account_change accounts[3] = {account_of("a", 20000), account_of("a", 20007), account_of("b", 20000)};
    struct uw_client_change clients[2] = {{UW_STR("a"), 0, 20600, 1, false, true},
                                          {UW_STR("b"), 0, UW_DAY_NONE, 1, false, true}};
    const struct uw_str names[] = {UW_STR("unknown"), UW_STR("b"), UW_STR("a")};
    struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                 .rules_version = 1,
                                 .partitions = &partition,
                                 .partition_count = 1,
                                 .accounts = accounts,
                                 .account_count = 3,
                                 .clients = clients,
                                 .client_count = 2};
    struct kept *kept;

    (void)state;
    live_require();
    store = live_open("one");
    partition = live_claim(store, 0);
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    kept = load(store, names, 3);
    assert_int_equal(kept->client_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_in_range(kept->clients[i].index, 1, 2);
        assert_int_equal(kept->clients[i].next_change_day, kept->clients[i].index == 2 ? 20600 : UW_DAY_NONE);
        assert_int_equal(kept->clients[i].rules_version, 1);
    }
    release(kept);
    /* Under other rules it has one account, one that was there already. */
    clients[0].rules_version = changes.rules_version = 2;
    clients[0].rebuild = true;
    clients[0].created = false;
    accounts[0].used_minutes = 20;
    changes.client_count = changes.account_count = 1;
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(live_number("SELECT sum(used_minutes) FROM urenwacht.account WHERE client = 'a'"), 20);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.account"), 2);
    kept = load(store, names, 3);
    assert_int_equal(kept->clients[0].rules_version + kept->clients[1].rules_version, 3);
    release(kept);
    uw_pgstore_close(&store);
}

static void marked_clients_are_due_since_ever(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error;
    struct uw_partition_change partition;
    const struct uw_client_change client = {UW_STR("a"), 0, UW_DAY_NONE, 1, false, true};
    const struct uw_str name = UW_STR("a");
    const struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                       .partitions = &partition,
                                       .partition_count = 1,
                                       .clients = &client,
                                       .client_count = 1};
    struct uw_store port;
    struct kept *kept;

    (void)state;
    live_require();
    store = live_open("one");
    uw_pgstore_port(store, &port);
    partition = live_claim(store, 0);
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(port.mark_all_due(port.context, 0, partition.epoch, 42, &error), UW_OK);
    kept = load(store, &name, 1);
    assert_int_equal(kept->client_count, 1);
    assert_true(kept->clients[0].next_change_day < UW_DAY_MIN && kept->clients[0].next_change_day != UW_DAY_NONE);
    release(kept);
    uw_pgstore_close(&store);
}

static void sums_of_former_rules_go_last(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error;
    struct uw_partition_change partitions[2];
    struct uw_aggregate_change aggregate = aggregate_of(2);
    struct uw_client_change client = {UW_STR("a"), 0, UW_DAY_NONE, 1, false, true};
    struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                 .rules_version = 1,
                                 .partitions = partitions,
                                 .partition_count = 2,
                                 .aggregates = &aggregate,
                                 .aggregate_count = 1,
                                 .clients = &client,
                                 .client_count = 1};
    struct uw_claim claim;
    struct uw_store port;
    bool more = true;

    (void)state;
    live_require();
    store = live_open("one");
    uw_pgstore_port(store, &port);
    partitions[0] = live_claim(store, 0);
    partitions[1] = live_claim(store, 1);
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    client.created = false;
    aggregate.period_from_day += 7;
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(live_number("SELECT sum(clients) FROM urenwacht.weekly"), 4);
    /* The new rules' sums are shown at once, however few clients are in them. */
    assert_int_equal(port.claim(port.context, 0, 2, &claim, &error), UW_OK);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.weekly"), 0);
    partitions[0].epoch = claim.epoch;
    changes.rules_version = client.rules_version = 2;
    changes.partition_count = 1;
    aggregate.clients = 1;
    assert_int_equal(port.sweep(port.context, 2, 10, &more, &error), UW_OK);
    assert_false(more);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht_data.aggregate"), 2);
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(live_number("SELECT sum(clients) FROM urenwacht.weekly"), 1);
    /* Another partition is still with the former rules. */
    assert_int_equal(port.sweep(port.context, 2, 10, &more, &error), UW_OK);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht_data.aggregate"), 3);
    assert_int_equal(port.claim(port.context, 1, 2, &claim, &error), UW_OK);
    assert_int_equal(port.sweep(port.context, 2, 1, &more, &error), UW_OK);
    assert_true(more);
    /* Sums go with their key, of which there was one. */
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht_data.aggregate_sum"), 1);
    assert_int_equal(port.sweep(port.context, 2, 10, &more, &error), UW_OK);
    assert_false(more);
    assert_int_equal(live_number("SELECT sum(clients) FROM urenwacht_data.aggregate"), 1);
    assert_int_equal(live_number("SELECT sum(rules_version) FROM urenwacht_data.aggregate_key"), 2);
    uw_pgstore_close(&store);
}

/* ---- the number of partitions ---- */

#define CLIENTS 300
#define NAME_BYTES 16

static void store_clients(struct uw_pgstore *store, int32_t partition_count, int32_t misplaced)
{
    static struct uw_client_change clients[CLIENTS];
    static char names[CLIENTS][NAME_BYTES];
    struct uw_partition_change partition = live_claim(store, 0);
    const struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                       .partitions = &partition,
                                       .partition_count = 1,
                                       .clients = clients,
                                       .client_count = CLIENTS};
    struct uw_error error = {.text = ""};

    for (int32_t i = 0; i < CLIENTS; i++) {
        struct uw_str name = {names[i], (uint32_t)snprintf(names[i], NAME_BYTES, "client-%d", (int)i)};
        int32_t place = (uw_partition_of_key(name, partition_count) + (i < misplaced)) % partition_count;

        clients[i] = (struct uw_client_change){name, place, UW_DAY_NONE, 2, false, true};
    }
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
}

static void another_count_is_refused(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};
    struct uw_claim claim;
    struct uw_store port;

    (void)state;
    live_require();
    store = live_open("one");
    uw_pgstore_port(store, &port);
    assert_int_equal(uw_pgstore_check_partitions(store, 3, &error), UW_OK);
    assert_int_equal(uw_pgstore_check_partitions(store, 3, &error), UW_OK);
    assert_int_equal(uw_pgstore_check_partitions(store, 4, &error), UW_ECONFIG);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_string_equal(error.text, "the input topics have 4 partitions, and this database was filled from 3"
                                    " (docs/operations.md, More partitions)");
    assert_int_equal(uw_pgstore_check_partitions(store, 2, &error), UW_ECONFIG);
    assert_int_equal(port.claim(port.context, 2, 1, &claim, &error), UW_OK);
    assert_int_equal(port.claim(port.context, 3, 1, &claim, &error), UW_ECONFIG);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_non_null(strstr(error.text, "have 4 partitions or more, and this database was filled from 3"));
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht_data.partition_state"), 1);
    uw_pgstore_close(&store);
}

static void clients_move_to_their_new_partition(void **state)
{
    struct uw_accepted_partitions accepted;
    struct uw_pgstore *store, *other;
    struct uw_error error = {.text = ""};
    struct uw_claim claim;
    struct uw_store port;
    struct names names = {""};
    char text[64], sql[160];
    int32_t slot;

    (void)state;
    live_require();
    store = live_open("one");
    uw_pgstore_port(store, &port);
    assert_int_equal(uw_pgstore_accept_partitions(store, 5, &accepted, &error), UW_ECONFIG);
    assert_int_equal(uw_pgstore_check_partitions(store, 3, &error), UW_OK);
    store_clients(store, 3, 0);
    assert_int_equal(port.claim(port.context, 0, 2, &claim, &error), UW_OK);
    assert_int_equal(port.claim(port.context, 1, 1, &claim, &error), UW_OK);
    other = live_open("running");
    assert_int_equal(uw_pgstore_slot(other, &slot, &error), UW_OK);
    assert_int_equal(uw_pgstore_accept_partitions(store, 5, &accepted, &error), UW_ECONFIG);
    assert_string_equal(error.text, "instances run on this database (1): stop them first");
    uw_pgstore_close(&other);
    live_wait_for_slots();
    assert_int_equal(uw_pgstore_accept_partitions(store, 2, &accepted, &error), UW_ECONFIG);
    assert_int_equal(uw_pgstore_accept_partitions(store, 5, &accepted, &error), UW_OK);
    assert_int_equal(accepted.former_count, 3);
    assert_int_equal(accepted.client_count, CLIENTS);
    assert_in_range(accepted.moved_count, CLIENTS / 2, CLIENTS - 1);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht_data.client WHERE next_change_on = '-infinity'"),
                     accepted.moved_count);
    for (int32_t i = 0; i < CLIENTS; i++) {
        int length = snprintf(text, sizeof text, "client-%d", (int)i);

        snprintf(sql, sizeof sql, "SELECT partition FROM urenwacht_data.client WHERE client = '%s'", text);
        if (i % 20 == 0) {
            assert_int_equal(live_number(sql), uw_partition_of_key((struct uw_str){text, (uint32_t)length}, 5));
        }
    }
    assert_int_equal(port.due(port.context, 4, 20000, 1, add_name, &names, &error), UW_OK);
    assert_true(names.text[0] != '\0');
    /* New partitions begin at the start of their topics, and an older program gets none of them. */
    assert_int_equal(uw_pgstore_check_partitions(store, 5, &error), UW_OK);
    assert_int_equal(port.claim(port.context, 4, 1, &claim, &error), UW_ECONFIG);
    assert_int_equal(port.claim(port.context, 1, 1, &claim, &error), UW_ECONFIG);
    assert_int_equal(port.claim(port.context, 4, 2, &claim, &error), UW_OK);
    assert_true(claim.epoch == 1 && claim.next_offset[0] == 0 && claim.next_sequence == 1);
    assert_int_equal(claim.as_of_day, 20500);
    assert_int_equal(port.claim(port.context, 5, 2, &claim, &error), UW_ECONFIG);
    assert_int_equal(uw_pgstore_accept_partitions(store, 5, &accepted, &error), UW_OK);
    assert_int_equal(accepted.moved_count, 0);
    uw_pgstore_close(&store);
}

static void another_partitioner_is_noticed(void **state)
{
    struct uw_accepted_partitions accepted;
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};

    (void)state;
    live_require();
    store = live_open("one");
    assert_int_equal(uw_pgstore_check_partitions(store, 3, &error), UW_OK);
    store_clients(store, 3, 1);
    assert_int_equal(uw_pgstore_accept_partitions(store, 5, &accepted, &error), UW_ECONFIG);
    assert_non_null(strstr(error.text, "another partitioner"));
    assert_int_equal(live_number("SELECT partition_count FROM urenwacht_data.input"), 3);
    assert_int_equal(live_number("SELECT max(partition) FROM urenwacht_data.client"), 2);
    uw_pgstore_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(older_programs_are_refused),
        cmocka_unit_test(accounts_are_rebuilt),
        cmocka_unit_test(marked_clients_are_due_since_ever),
        cmocka_unit_test(sums_of_former_rules_go_last),
        cmocka_unit_test(another_count_is_refused),
        cmocka_unit_test(clients_move_to_their_new_partition),
        cmocka_unit_test(another_partitioner_is_noticed),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
