/*
 * The store against a real PostgreSQL: clients who wait to be judged for the first time stand in lists, and are told as
 * if they had rows.
 */
#include "producers/store_partitions.h"
#include "tests/producers/store_kept.h"

#define LISTS "SELECT count(*) FROM urenwacht_data.client_waiting"
#define LISTED "SELECT coalesce(sum(cardinality(clients)), 0) FROM urenwacht_data.client_waiting"
#define ROWS "SELECT count(*) FROM urenwacht_data.client"
#define KNOWN "SELECT count(*) FROM urenwacht_data.client_known"

/* The clients a, b, c and d with a line each, of whom none is judged; d is of partition 1. */
struct region {
    struct uw_pgstore *store;
    struct uw_store port;
    struct uw_partition_change partitions[2];
    struct uw_event lines[4];
    struct uw_fact_change facts[4];
    struct uw_client_change clients[4];
    struct uw_changes changes;
};

static const char *const all_names[] = {"a", "b", "c", "d", "nobody"};
#define NAMES 5

static void region_open(struct region *region)
{
    struct uw_error error = {.text = ""};

    live_require();
    region->store = live_open("one");
    uw_pgstore_port(region->store, &region->port);
    region->partitions[0] = live_claim(region->store, 0);
    region->partitions[1] = live_claim(region->store, 1);
    for (int i = 0; i < 4; i++) {
        region->lines[i] = live_line(all_names[i], i + 1);
        region->facts[i] = (struct uw_fact_change){&region->lines[i], i == 3, i, false};
        region->clients[i] =
            (struct uw_client_change){uw_str_from(all_names[i]), i == 3, UW_DAY_BEFORE_ALL, 0, false, true};
    }
    region->changes = (struct uw_changes){.observed_at_ms = LIVE_AT_MS,
                                          .rules_version = 1,
                                          .partitions = region->partitions,
                                          .partition_count = 2,
                                          .facts = region->facts,
                                          .fact_count = 4,
                                          .clients = region->clients,
                                          .client_count = 4};
    if (live_commit(region->store, &region->changes, &error) != UW_OK) {
        fail_msg("%s", error.text);
    }
    region->changes.fact_count = 0;
}

/* The next commit judges `count` of them from the given one on. */
static void judge(struct region *region, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        region->clients[i].next_change_day = 20600;
        region->clients[i].rules_version = 1;
        region->clients[i].created = false;
    }
    region->changes.clients = &region->clients[first];
    region->changes.client_count = count;
}

static void commit(struct region *region)
{
    struct uw_error error = {.text = ""};

    if (live_commit(region->store, &region->changes, &error) != UW_OK) {
        fail_msg("%s", error.text);
    }
}

static void expect_due(const struct region *region, int32_t partition, uint32_t limit, const char *expected)
{
    struct names names = {""};
    struct uw_error error = {.text = ""};

    assert_int_equal(region->port.due(region->port.context, partition, 20000, limit, add_name, &names, &error), UW_OK);
    assert_string_equal(names.text, expected);
}

static void expect_load(struct uw_pgstore *store, uint32_t waiting, uint32_t judged)
{
    struct uw_str names[NAMES];
    struct kept *kept;

    for (int i = 0; i < NAMES; i++) {
        names[i] = uw_str_from(all_names[i]);
    }
    kept = load(store, names, NAMES);
    assert_int_equal(kept->client_count, waiting + judged);
    assert_int_equal(kept->fact_count, waiting + judged);
    for (uint32_t i = 0; i < kept->client_count; i++) {
        bool waits = kept->clients[i].rules_version == 0;

        waiting -= waits ? 1 : 0;
        assert_int_equal(kept->clients[i].next_change_day, waits ? UW_DAY_BEFORE_ALL : 20600);
    }
    assert_int_equal(waiting, 0);
    release(kept);
}

static void clients_leave_their_lists_as_rows(void **state)
{
    struct region region;
    struct uw_pgstore *other;
    struct uw_error error = {.text = ""};
    int64_t count;

    (void)state;
    region_open(&region);
    assert_int_equal(live_number(LISTS), 2);
    assert_int_equal(live_number(LISTED), 4);
    assert_int_equal(live_number(ROWS), 0);
    assert_int_equal(live_number(KNOWN " WHERE rules_version = 0 AND next_change_on = '-infinity'"), 4);
    expect_load(region.store, 4, 0);
    expect_due(&region, 0, 10, "a b c ");
    expect_due(&region, 0, 2, "a b ");
    expect_due(&region, 1, 10, "d ");
    /* Those who own nothing ask the database. */
    other = live_open("other");
    expect_load(other, 4, 0);
    assert_int_equal(uw_pgstore_due_count(other, 0, UW_DAY_BEFORE_ALL, 10, &count, &error), UW_OK);
    assert_int_equal(count, 3);
    judge(&region, 0, 2);
    commit(&region);
    assert_int_equal(live_number(ROWS " WHERE rules_version = 1"), 2);
    assert_int_equal(live_number(KNOWN), 4);
    assert_int_equal(live_number(LISTED), 4);
    expect_load(region.store, 2, 2);
    expect_load(other, 2, 2);
    expect_due(&region, 0, 10, "c ");
    judge(&region, 2, 2);
    commit(&region);
    assert_int_equal(live_number(LISTS), 0);
    assert_int_equal(live_number(ROWS), 4);
    expect_due(&region, 0, 10, "");
    expect_load(region.store, 0, 4);
    /* From now on they are changed like all others. */
    region.clients[3].next_change_day = 20601;
    commit(&region);
    assert_int_equal(live_number(ROWS " WHERE next_change_on = '2026-05-28'"), 1);
    uw_pgstore_close(&other);
    uw_pgstore_close(&region.store);
}

static void a_refused_batch_leaves_them_waiting(void **state)
{
    struct region region;
    struct uw_error error = {.text = ""};

    (void)state;
    region_open(&region);
    judge(&region, 0, 4);
    region.partitions[0].epoch++;
    assert_int_equal(live_commit(region.store, &region.changes, &error), UW_EFENCED);
    region.partitions[0].epoch--;
    expect_due(&region, 0, 10, "a b c ");
    assert_int_equal(live_number(LISTED), 4);
    assert_int_equal(live_number(ROWS), 0);
    commit(&region);
    assert_int_equal(live_number(LISTS), 0);
    assert_int_equal(live_number(ROWS), 4);
    uw_pgstore_close(&region.store);
}

static void a_claim_turns_lists_into_rows(void **state)
{
    struct region region;
    struct uw_pgstore *other;
    struct uw_store port;
    struct names names = {""};
    struct uw_error error = {.text = ""};

    (void)state;
    region_open(&region);
    judge(&region, 0, 1);
    commit(&region);
    other = live_open("other");
    uw_pgstore_port(other, &port);
    (void)live_claim(other, 0);
    assert_int_equal(live_number(LISTS " WHERE partition = 0"), 0);
    assert_int_equal(live_number(LISTS " WHERE partition = 1"), 1);
    assert_int_equal(live_number(ROWS " WHERE rules_version = 1"), 1);
    assert_int_equal(live_number(ROWS " WHERE rules_version = 0 AND next_change_on = '-infinity'"), 2);
    assert_int_equal(port.due(port.context, 0, 20000, 10, add_name, &names, &error), UW_OK);
    assert_string_equal(names.text, "b c ");
    expect_load(other, 2, 1);
    /* The former owner hears of it, and its partition's clients are rows to it, too, when it comes back. */
    judge(&region, 1, 2);
    assert_int_equal(live_commit(region.store, &region.changes, &error), UW_EFENCED);
    region.partitions[0] = live_claim(region.store, 0);
    commit(&region);
    assert_int_equal(live_number(ROWS " WHERE rules_version = 1"), 3);
    judge(&region, 3, 1);
    commit(&region);
    assert_int_equal(live_number(LISTS), 0);
    assert_int_equal(live_number(KNOWN " WHERE rules_version = 1"), 4);
    uw_pgstore_close(&other);
    uw_pgstore_close(&region.store);
}

/* A batch was applied, and nobody could be asked whether it was: the client has a row, though its owner has it waiting. */
static void a_row_counts_more_than_what_is_remembered(void **state)
{
    struct region region;

    (void)state;
    region_open(&region);
    (void)live_number("INSERT INTO urenwacht_data.client VALUES ('d', 1, '2026-05-27', 1);"
                      " DELETE FROM urenwacht_data.client_waiting WHERE partition = 1");
    expect_due(&region, 1, 10, "d ");
    expect_load(region.store, 3, 1);
    expect_due(&region, 1, 10, "");
    judge(&region, 0, 4);
    commit(&region);
    assert_int_equal(live_number(ROWS), 4);
    assert_int_equal(live_number(LISTS), 0);
    uw_pgstore_close(&region.store);
}

static void lists_are_no_hindrance_to_more_partitions(void **state)
{
    struct uw_accepted_partitions accepted;
    struct region region;
    struct uw_error error = {.text = ""};

    (void)state;
    region_open(&region);
    (void)live_number("UPDATE urenwacht_data.client_waiting SET partition = 0;"
                      " INSERT INTO urenwacht_data.input VALUES (true, 1)");
    assert_int_equal(uw_pgstore_accept_partitions(region.store, 3, &accepted, &error), UW_OK);
    assert_int_equal(accepted.client_count, 4);
    assert_int_equal(live_number(LISTS), 0);
    assert_int_equal(live_number(ROWS " WHERE rules_version = 0 AND next_change_on = '-infinity'"), 4);
    uw_pgstore_close(&region.store);
}

/* While an installation is upgraded, a program from before the lists may take a partition over: it raises the epoch, and
 * looks for rows only. */
static void former_programs_find_rows(void **state)
{
    struct region region;

    (void)state;
    region_open(&region);
    (void)live_number("UPDATE urenwacht_data.partition_state SET events = events + 1 RETURNING 1");
    assert_int_equal(live_number(LISTED), 4); /* whoever moves it on owns it already */
    (void)live_number("INSERT INTO urenwacht_data.partition_state AS s"
                      " (partition, epoch, owner, claimed_at, topics, rules_version)"
                      " VALUES (0, 1, 'former', now(), '{a,b,c,d}', 1)"
                      " ON CONFLICT (partition) DO UPDATE SET epoch = s.epoch + 1, owner = excluded.owner RETURNING 1");
    assert_int_equal(live_number(LISTED), 1);
    assert_int_equal(live_number(ROWS " WHERE partition = 0 AND next_change_on = '-infinity' AND rules_version = 0"), 3);
    assert_int_equal(live_number(KNOWN), 4);
    uw_pgstore_close(&region.store);
}

/* Producers that do not agree on the partition of a client: it is told once. */
static void a_client_in_two_lists_is_told_once(void **state)
{
    struct region region;
    struct uw_pgstore *other;

    (void)state;
    region_open(&region);
    (void)live_number("INSERT INTO urenwacht_data.client_waiting VALUES (1, '{a,b}'), (2, '{c}'), (2, '{a}') RETURNING 1");
    assert_int_equal(live_number(LISTED), 8);
    assert_int_equal(live_number(KNOWN), 4);
    assert_int_equal(live_number(KNOWN " WHERE partition = 0"), 3);
    other = live_open("other");
    expect_load(other, 4, 0);
    uw_pgstore_close(&other);
    uw_pgstore_close(&region.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_leave_their_lists_as_rows),
        cmocka_unit_test(a_refused_batch_leaves_them_waiting),
        cmocka_unit_test(a_claim_turns_lists_into_rows),
        cmocka_unit_test(a_row_counts_more_than_what_is_remembered),
        cmocka_unit_test(lists_are_no_hindrance_to_more_partitions),
        cmocka_unit_test(former_programs_find_rows),
        cmocka_unit_test(a_client_in_two_lists_is_told_once),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
