/*
 * The store against a real PostgreSQL: many new rows go by COPY and few by a statement, and are the same rows.
 */
#include "tests/producers/store_kept.h"

#define ROWS 600
#define FEW 100

struct rows {
    struct uw_client_change clients[ROWS];
    struct uw_account_change accounts[ROWS];
    struct uw_alert_change alerts[ROWS];
    struct uw_anomaly_change anomalies[ROWS];
    char names[ROWS][16];
};

static const char *const tables[] = {"client", "account_state", "alert_state", "anomaly_state"};
#define TABLES (sizeof tables / sizeof tables[0])

static struct uw_alert_change alert_of(struct uw_str client, bool nulls)
{
    return (struct uw_alert_change){.kind = nulls ? UW_ALERT_DECISION_ENDING : UW_ALERT_BUDGET_LOW,
                                    .client = client,
                                    .municipality = UW_STR("0363"),
                                    .decision = UW_STR("WMO-1"),
                                    .segment_from_day = nulls ? UW_DAY_NONE : 20000,
                                    .period_from_day = nulls ? UW_DAY_NONE : 20000,
                                    .threshold = nulls ? UW_INT_NONE : 80,
                                    .provider = UW_STR("12345678"),
                                    .status = UW_STATUS_OPEN,
                                    .severity = UW_SEVERITY_WARNING,
                                    .effective_on_day = 20100,
                                    .revision = 1,
                                    .figures = {.used_minutes = nulls ? UW_MINUTES_NONE : 800}};
}

static struct uw_anomaly_change anomaly_of(struct uw_str client, bool nulls)
{
    return (struct uw_anomaly_change){
        .kind = nulls ? UW_ANOMALY_VERSION_CONFLICT : UW_ANOMALY_LATE_DECLARATION,
        .client = client,
        .municipality = UW_STR("0363"),
        .decision = UW_STR("WMO-1"),
        .subject = nulls ? (struct uw_subject){UW_SUBJECT_VERSION, UW_STR_NULL, UW_STR_NULL, 12}
                         : (struct uw_subject){UW_SUBJECT_LINE, UW_STR("12345678"), UW_STR("L1"), 0},
        .provider = UW_STR("12345678"),
        .revision = 1,
        .first_day = nulls ? UW_DAY_NONE : 20000,
        .last_day = nulls ? UW_DAY_NONE : 20001,
        .minutes = nulls ? UW_MINUTES_NONE : 90,
        .recorded_at_ms = LIVE_AT_MS};
}

static void make_rows(struct rows *rows)
{
    for (uint32_t i = 0; i < ROWS; i++) {
        bool nulls = i % 3 == 0;
        struct uw_str name = {rows->names[i],
                              (uint32_t)snprintf(rows->names[i], sizeof rows->names[i], "client-%04u", (unsigned)i)};

        rows->clients[i] = (struct uw_client_change){name, 0, nulls ? UW_DAY_NONE : 20600, 1, false, true};
        rows->accounts[i] = (struct uw_account_change){.client = name,
                                                       .municipality = UW_STR("0363"),
                                                       .decision = UW_STR("WMO-1"),
                                                       .segment_from_day = 20000,
                                                       .period_from_day = 20000,
                                                       .period_to_day = nulls ? UW_DAY_NONE : 20006,
                                                       .model = nulls ? UW_MODEL_TASK : UW_MODEL_PXQ,
                                                       .allotted_minutes = nulls ? UW_MINUTES_NONE : 60,
                                                       .minimum_minutes = UW_MINUTES_NONE,
                                                       .used_minutes = i,
                                                       .delivered_minutes = i,
                                                       .created = true};
        rows->alerts[i] = alert_of(name, nulls);
        rows->anomalies[i] = anomaly_of(name, nulls);
    }
}

/* In batches of `batch` clients. */
static void store_rows(struct uw_pgstore *store, const struct rows *rows, uint32_t batch)
{
    struct uw_partition_change partition = live_claim(store, 0);
    struct uw_error error = {.text = ""};

    for (uint32_t i = 0; i < ROWS; i += batch) {
        const struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                           .partitions = &partition,
                                           .partition_count = 1,
                                           .clients = rows->clients + i,
                                           .client_count = batch,
                                           .accounts = rows->accounts + i,
                                           .account_count = batch,
                                           .alerts = rows->alerts + i,
                                           .alert_count = batch,
                                           .anomalies = rows->anomalies + i,
                                           .anomaly_count = batch};

        if (live_commit(store, &changes, &error) != UW_OK) {
            fail_msg("%s", error.text);
        }
    }
}

static void read_digests(char digests[TABLES][48])
{
    for (size_t i = 0; i < TABLES; i++) {
        char sql[160];

        snprintf(sql, sizeof sql,
                 "SELECT count(*) || ' ' || md5(string_agg(t::text, '/' ORDER BY t::text)) FROM urenwacht_data.%s t",
                 tables[i]);
        live_text(sql, digests[i], sizeof digests[i]);
    }
}

static void many_and_few_are_the_same(void **state)
{
    static struct rows rows;
    char many[TABLES][48], few[TABLES][48];
    struct uw_pgstore *store;

    (void)state;
    make_rows(&rows);
    live_require();
    store = live_open("one");
    store_rows(store, &rows, ROWS);
    read_digests(many);
    uw_pgstore_close(&store);
    live_require();
    store = live_open("one");
    store_rows(store, &rows, FEW);
    read_digests(few);
    uw_pgstore_close(&store);
    for (size_t i = 0; i < TABLES; i++) {
        assert_memory_equal(many[i], "600 ", 4);
        assert_string_equal(many[i], few[i]);
    }
}

/* What a client had is dropped before its new accounts are written, though these go by COPY. */
static void rebuilt_accounts_follow_the_drop(void **state)
{
    static struct rows rows;
    struct uw_pgstore *store;

    (void)state;
    make_rows(&rows);
    live_require();
    store = live_open("one");
    store_rows(store, &rows, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) {
        rows.clients[i].rebuild = true;
        rows.clients[i].created = false;
        rows.accounts[i].used_minutes++;
        rows.alerts[i].revision = rows.anomalies[i].revision = 2;
    }
    store_rows(store, &rows, ROWS);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.account"), ROWS);
    assert_int_equal(live_number("SELECT sum(used_minutes - delivered_minutes) FROM urenwacht.account"), ROWS);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.alert WHERE revision = 2"), ROWS);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.alert_revision"), 2 * ROWS);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.anomaly_revision"), 2 * ROWS);
    uw_pgstore_close(&store);
}

/* Weeks from the given one on. */
static void make_sums(struct uw_aggregate_change sums[ROWS], int32_t first_week)
{
    for (int32_t i = 0; i < ROWS; i++) {
        sums[i] = (struct uw_aggregate_change){.grain = UW_GRAIN_WEEK,
                                               .period_from_day = 10000 + 7 * (first_week + i),
                                               .municipality = UW_STR("0363"),
                                               .provider = UW_STR("12345678"),
                                               .product_category = UW_STR("02"),
                                               .product = UW_STR("02A05"),
                                               .clients = 1,
                                               .delivered_minutes = 60 + i};
    }
}

static enum uw_code store_sums(struct uw_pgstore *store, const struct uw_aggregate_change sums[ROWS],
                               struct uw_error *error)
{
    struct uw_partition_change partition = live_claim(store, 0);
    const struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                       .rules_version = 1,
                                       .partitions = &partition,
                                       .partition_count = 1,
                                       .aggregates = sums,
                                       .aggregate_count = ROWS};

    return live_commit(store, &changes, error);
}

static int64_t sum_of_clients(void)
{
    return live_number("SELECT sum(clients) FROM urenwacht_data.aggregate_sum");
}

/* Sums of a slot that began with none are copied the first time, and added to from then on; whoever takes the slot over
 * adds to what is there. */
static void new_sums_are_copied_once(void **state)
{
    static struct uw_aggregate_change sums[ROWS];
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};
    int32_t slot;

    (void)state;
    live_require();
    store = live_open("one");
    assert_int_equal(uw_pgstore_slot(store, &slot, &error), UW_OK);
    make_sums(sums, 0);
    assert_int_equal(store_sums(store, sums, &error), UW_OK);
    assert_int_equal(sum_of_clients(), ROWS);
    assert_int_equal(store_sums(store, sums, &error), UW_OK);
    assert_int_equal(sum_of_clients(), 2 * ROWS);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht_data.aggregate_sum"), ROWS);
    /* Rows of half of the next batch appear from nowhere: nothing of it is applied. Again, it is added to them. */
    (void)live_number("UPDATE urenwacht_data.aggregate_sum SET period_from = period_from + 7 * 900");
    make_sums(sums, 1200);
    assert_int_not_equal(store_sums(store, sums, &error), UW_OK);
    assert_int_equal(sum_of_clients(), 2 * ROWS);
    assert_int_equal(store_sums(store, sums, &error), UW_OK);
    assert_int_equal(sum_of_clients(), 3 * ROWS);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht_data.aggregate_sum"), ROWS + ROWS / 2);
    uw_pgstore_close(&store);
    live_wait_for_slots();
    store = live_open("one");
    assert_int_equal(uw_pgstore_slot(store, &slot, &error), UW_OK);
    assert_int_equal(slot, 0);
    assert_int_equal(store_sums(store, sums, &error), UW_OK);
    assert_int_equal(sum_of_clients(), 4 * ROWS);
    assert_int_equal(live_number("SELECT max(delivered_minutes) FROM urenwacht_data.aggregate_sum"),
                     2 * (60 + ROWS - 1) + 2 * (60 + ROWS / 2 - 1));
    uw_pgstore_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_and_few_are_the_same),
        cmocka_unit_test(rebuilt_accounts_follow_the_drop),
        cmocka_unit_test(new_sums_are_copied_once),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
