/*
 * The store against a real PostgreSQL: ownership, the compare-and-set, outcomes, sums and the outbox.
 */
#include "tests/producers/store_kept.h"

/* ---- ownership ---- */

static void claims_raise_the_epoch(void **state)
{
    struct uw_pgstore *first, *second;
    struct uw_error error = {.text = ""};
    struct uw_partition_change old, new;
    struct uw_event event = live_line("c", 1);
    struct uw_fact_change fact = {&event, 0, 0, false};
    struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS, .partition_count = 1, .facts = &fact, .fact_count = 1};

    (void)state;
    live_require();
    first = live_open("first");
    second = live_open("second");
    old = live_claim(first, 0);
    assert_int_equal(old.epoch, 1);
    assert_int_equal(old.from_sequence, 1);
    new = live_claim(second, 0);
    assert_int_equal(new.epoch, 2);
    old.to_offset[1] = new.to_offset[1] = 1;
    changes.partitions = &old;
    assert_int_equal(live_commit(first, &changes, &error), UW_EFENCED);
    assert_int_equal(error.class, UW_CLASS_FENCED);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.fact"), 0);
    changes.partitions = &new;
    assert_int_equal(live_commit(second, &changes, &error), UW_OK);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.fact"), 1);
    assert_int_equal(live_number("SELECT next_offset FROM urenwacht.progress WHERE topic = 't.declarations'"), 1);
    /* The one who lost it can still work on what it has. */
    old = live_claim(first, 0);
    assert_int_equal(old.epoch, 3);
    assert_int_equal(old.from_offset[1], 1);
    uw_pgstore_close(&first);
    uw_pgstore_close(&second);
}

static void claim_tells_all(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error;
    struct uw_partition_change change;
    struct uw_claim claim;
    struct uw_store port;
    const struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS, .partitions = &change, .partition_count = 1};

    (void)state;
    live_require();
    store = live_open("one");
    uw_pgstore_port(store, &port);
    assert_int_equal(port.claim(port.context, 7, 1, &claim, &error), UW_OK);
    assert_int_equal(claim.previous_epoch, 0);
    assert_int_equal(claim.as_of_day, UW_DAY_NONE);
    assert_true(claim.rules_fingerprint == 0);
    change = live_claim(store, 7);
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        change.to_offset[i] = INT64_C(5000000000) + i;
    }
    change.as_of_day = UW_DAY_MAX;
    change.to_sequence = INT64_C(6000000000);
    change.published_sequence = INT64_C(5999999999);
    change.events = 10;
    change.refused = 2;
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(port.mark_all_due(port.context, 7, change.epoch, UINT64_MAX - 1, &error), UW_OK);
    assert_int_equal(port.mark_all_due(port.context, 7, change.epoch - 1, 1, &error), UW_EFENCED);
    int64_t next_sequence = 1;
    assert_int_equal(port.standing(port.context, 7, change.epoch - 1, &next_sequence, &error), UW_EFENCED);
    assert_int_equal(error.class, UW_CLASS_FENCED);
    assert_int_equal(port.standing(port.context, 8, 1, &next_sequence, &error), UW_EFENCED);
    assert_int_equal(next_sequence, 1);
    assert_int_equal(port.standing(port.context, 7, change.epoch, &next_sequence, &error), UW_OK);
    assert_true(next_sequence == INT64_C(6000000000));
    assert_int_equal(port.claim(port.context, 7, 1, &claim, &error), UW_OK);
    assert_int_equal(claim.partition, 7);
    assert_true(claim.epoch == change.epoch + 1 && claim.previous_epoch == change.epoch);
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        assert_true(claim.next_offset[i] == INT64_C(5000000000) + i);
    }
    assert_true(claim.next_sequence == INT64_C(6000000000));
    assert_true(claim.published_sequence == INT64_C(5999999999));
    assert_int_equal(claim.as_of_day, UW_DAY_MAX);
    assert_true(claim.rules_fingerprint == UINT64_MAX - 1);
    assert_int_equal(live_number("SELECT events * 10 + refused FROM urenwacht_data.partition_state"), 102);
    uw_pgstore_close(&store);
}

/* Every single part of the comparison refuses the batch, also when another partition of it matches. */
static void any_difference_refuses_all(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error;
    struct uw_partition_change good[2];
    struct uw_event event = live_line("c", 1);
    struct uw_fact_change fact = {&event, 0, 0, false};

    (void)state;
    live_require();
    store = live_open("one");
    good[0] = live_claim(store, 0);
    good[1] = live_claim(store, 1);
    good[0].to_offset[1] = 1;
    for (int which = 0; which < 3 + UW_TOPIC_COUNT; which++) {
        struct uw_partition_change wrong[2] = {good[0], good[1]};
        const struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                           .partitions = wrong,
                                           .partition_count = 2,
                                           .facts = &fact,
                                           .fact_count = 1};

        if (which == 0) {
            wrong[1].epoch++;
        } else if (which == 1) {
            wrong[1].from_sequence++;
        } else if (which == 2) {
            wrong[1].partition = 99;
        } else {
            wrong[1].from_offset[which - 3]++;
        }
        assert_int_equal(live_commit(store, &changes, &error), UW_EFENCED);
        assert_int_equal(live_number("SELECT count(*) FROM urenwacht.fact"), 0);
        assert_int_equal(live_number("SELECT sum(next_offset) FROM urenwacht.progress"), 0);
    }
    {
        const struct uw_changes changes = {
            .observed_at_ms = LIVE_AT_MS, .partitions = good, .partition_count = 2, .facts = &fact, .fact_count = 1};

        assert_int_equal(live_commit(store, &changes, &error), UW_OK);
        assert_int_equal(live_commit(store, &changes, &error), UW_EFENCED);
    }
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.fact"), 1);
    uw_pgstore_close(&store);
}

/* ---- accounts, alerts, anomalies ---- */

static struct uw_account_change account_of(int32_t period_from_day, int64_t used_minutes, bool nulls)
{
    return (struct uw_account_change){.client = UW_STR("c"),
                                      .municipality = UW_STR("0363"),
                                      .decision = UW_STR("WMO-1"),
                                      .segment_from_day = 20000,
                                      .period_from_day = period_from_day,
                                      .period_to_day = nulls ? UW_DAY_NONE : UW_DAY_MAX,
                                      .model = nulls ? UW_MODEL_TASK : UW_MODEL_BANDWIDTH,
                                      .allotted_minutes = nulls ? UW_MINUTES_NONE : INT64_MAX,
                                      .minimum_minutes = nulls ? UW_MINUTES_NONE : 0,
                                      .used_minutes = used_minutes,
                                      .delivered_minutes = used_minutes + 1,
                                      .no_show_minutes = 1};
}

static void accounts_come_and_go(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error;
    struct uw_partition_change partition;
    struct uw_account_change accounts[2] = {account_of(20000, 10, false), account_of(20007, 20, true)};
    const struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                       .partitions = &partition,
                                       .partition_count = 1,
                                       .accounts = accounts,
                                       .account_count = 2};
    char text[160];

    (void)state;
    live_require();
    store = live_open("one");
    partition = live_claim(store, 0);
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    live_text("SELECT concat_ws(' ', model, period_to, allotted_minutes, minimum_minutes, used_minutes,"
              " delivered_minutes, no_show_minutes) FROM urenwacht.account"
              " WHERE period_from = date '1970-01-01' + 20000",
              text, sizeof text);
    assert_string_equal(text, "Bandwidth 2199-12-31 9223372036854775807 0 10 11 1");
    live_text("SELECT concat_ws(' ', model, coalesce(period_to::text, '-'), coalesce(allotted_minutes::text, '-'))"
              " FROM urenwacht.account WHERE period_from = date '1970-01-01' + 20007",
              text, sizeof text);
    assert_string_equal(text, "Task - -");
    accounts[0].removed = true;
    accounts[1].used_minutes = 30;
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(live_number("SELECT used_minutes * 10 + count(*) OVER () FROM urenwacht.account"), 301);
    uw_pgstore_close(&store);
}

static struct uw_alert_change alert_of(int32_t revision)
{
    return (struct uw_alert_change){.kind = UW_ALERT_BUDGET_LOW,
                                    .client = UW_STR("c"),
                                    .municipality = UW_STR("0363"),
                                    .decision = UW_STR("WMO-1"),
                                    .segment_from_day = 20000,
                                    .period_from_day = 20000,
                                    .threshold = 80,
                                    .provider = UW_STR("12345678"),
                                    .status = UW_STATUS_OPEN,
                                    .severity = UW_SEVERITY_WARNING,
                                    .effective_on_day = 20100,
                                    .revision = revision,
                                    .figures = {.allotted_minutes = 1000,
                                                .used_minutes = 800,
                                                .remaining_minutes = 200,
                                                .minimum_minutes = UW_MINUTES_NONE,
                                                .delivered_minutes = UW_MINUTES_NONE,
                                                .no_show_minutes = UW_MINUTES_NONE,
                                                .expected_minutes = UW_MINUTES_NONE,
                                                .ratio_percent = UW_MINUTES_NONE,
                                                .last_care_day = UW_DAY_NONE,
                                                .period_to_day = UW_DAY_NONE}};
}

static void alerts_have_revisions(void **state)
{
    const struct uw_str clients[] = {UW_STR("c")};
    /* Nothing is loaded of a client without a row. */
    const struct uw_client_change owner = {UW_STR("c"), 0, UW_DAY_NONE, 1, false, true};
    struct uw_pgstore *store;
    struct uw_error error;
    struct uw_partition_change partition;
    struct uw_alert_change alerts[2] = {alert_of(1), alert_of(1)};
    struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                 .partitions = &partition,
                                 .partition_count = 1,
                                 .alerts = alerts,
                                 .alert_count = 2,
                                 .clients = &owner,
                                 .client_count = 1};
    struct kept *kept;
    char text[160];

    (void)state;
    live_require();
    store = live_open("one");
    partition = live_claim(store, 0);
    alerts[1].kind = UW_ALERT_DECISION_ENDING;
    alerts[1].segment_from_day = alerts[1].period_from_day = UW_DAY_NONE;
    alerts[1].threshold = UW_INT_NONE;
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    changes.client_count = 0;
    changes.alert_count = 1;
    alerts[0].quiet = true;
    alerts[0].provider = UW_STR("87654321");
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.alert_revision"), 2);
    live_text("SELECT concat_ws(' ', provider, revision, payload->>'used_minutes',"
              " extract(epoch FROM observed_at)) FROM urenwacht.alert WHERE kind = 'BUDGET_LOW'",
              text, sizeof text);
    assert_string_equal(text, "87654321 1 800 1772366400.123000");
    alerts[0].quiet = false;
    alerts[0].revision = 2;
    alerts[0].status = UW_STATUS_RESOLVED;
    alerts[0].severity = UW_SEVERITY_CRITICAL;
    alerts[0].effective_on_day = 20101;
    changes.observed_at_ms += 1;
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.alert WHERE status = 'OPEN'"), 1);
    /* The first one is over, as it was told. */
    live_text("SELECT string_agg(concat_ws(' ', revision, status, severity, provider, effective_on,"
              " payload->>'used_minutes', extract(epoch FROM observed_at)), ', ' ORDER BY revision)"
              " FROM urenwacht.alert_revision WHERE kind = 'BUDGET_LOW'",
              text, sizeof text);
    assert_string_equal(text, "1 OPEN WARNING 12345678 2025-01-12 800 1772366400.123000,"
                              " 2 RESOLVED CRITICAL 87654321 2025-01-13 800 1772366400.124000");
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht_data.alert_history"), 1);
    kept = load(store, clients, 1);
    assert_int_equal(kept->alert_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const struct uw_alert_change *loaded = &kept->alerts[i];
        const struct uw_alert_change *stored = &alerts[loaded->kind == UW_ALERT_BUDGET_LOW ? 0 : 1];

        same_text(loaded->client, stored->client);
        same_text(loaded->municipality, stored->municipality);
        same_text(loaded->decision, stored->decision);
        same_text(loaded->provider, stored->provider);
        assert_int_equal(loaded->segment_from_day, stored->segment_from_day);
        assert_int_equal(loaded->period_from_day, stored->period_from_day);
        assert_int_equal(loaded->threshold, stored->threshold);
        assert_int_equal(loaded->status, stored->status);
        assert_int_equal(loaded->severity, stored->severity);
        assert_int_equal(loaded->effective_on_day, stored->effective_on_day);
        assert_int_equal(loaded->revision, stored->revision);
        assert_false(loaded->quiet);
    }
    release(kept);
    uw_pgstore_close(&store);
}

static void anomalies_have_revisions(void **state)
{
    const struct uw_str clients[] = {UW_STR("c")};
    /* Nothing is loaded of a client without a row. */
    const struct uw_client_change owner = {UW_STR("c"), 0, UW_DAY_NONE, 1, false, true};
    struct uw_pgstore *store;
    struct uw_error error;
    struct uw_partition_change partition;
    struct uw_anomaly_change anomalies[2] = {
        {.kind = UW_ANOMALY_CLIENT_OVERLAP,
         .client = UW_STR("c"),
         .municipality = UW_STR("0363"),
         .decision = UW_STR(WIDE64),
         .subject = {UW_SUBJECT_NO_SHOW, UW_STR("12345678"), UW_STR(WIDE16 WIDE16 WIDE4), 0},
         .provider = UW_STR("12345678"),
         .revision = 1,
         .first_day = 20000,
         .last_day = 20001,
         .minutes = 90,
         .recorded_at_ms = LIVE_AT_MS,
         .staff = UW_STR("s"),
         .has_other = true,
         .other = {UW_SUBJECT_LINE, UW_STR("12345678"), UW_STR("other"), 0}},
        {.kind = UW_ANOMALY_VERSION_CONFLICT,
         .client = UW_STR("c"),
         .municipality = UW_STR("0363"),
         .decision = UW_STR("d"),
         .subject = {UW_SUBJECT_VERSION, UW_STR_NULL, UW_STR_NULL, 12},
         .provider = UW_STR("12345678"),
         .revision = 1,
         .first_day = UW_DAY_NONE,
         .last_day = UW_DAY_NONE,
         .minutes = UW_MINUTES_NONE,
         .recorded_at_ms = LIVE_AT_MS}};
    struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                 .partitions = &partition,
                                 .partition_count = 1,
                                 .anomalies = anomalies,
                                 .anomaly_count = 2,
                                 .clients = &owner,
                                 .client_count = 1};
    struct kept *kept;
    char text[160];

    (void)state;
    live_require();
    store = live_open("one");
    partition = live_claim(store, 0);
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    live_text("SELECT subject FROM urenwacht.anomaly WHERE kind = 'VERSION_CONFLICT'", text, sizeof text);
    assert_string_equal(text, "version:12");
    changes.client_count = 0;
    changes.anomaly_count = 1;
    anomalies[0].quiet = true;
    anomalies[0].provider = UW_STR("11111111");
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.anomaly_revision"), 2);
    anomalies[0].quiet = false;
    anomalies[0].status = UW_STATUS_RESOLVED;
    anomalies[0].revision = 2;
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.anomaly_revision"), 3);
    live_text("SELECT string_agg(concat_ws(' ', revision, status, provider), ', ' ORDER BY revision)"
              " FROM urenwacht.anomaly_revision WHERE kind = 'CLIENT_OVERLAP'",
              text, sizeof text);
    assert_string_equal(text, "1 OPEN 12345678, 2 RESOLVED 11111111");
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht_data.anomaly_history"), 1);
    kept = load(store, clients, 1);
    assert_int_equal(kept->anomaly_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const struct uw_anomaly_change *loaded = &kept->anomalies[i];
        const struct uw_anomaly_change *stored = &anomalies[loaded->kind == UW_ANOMALY_CLIENT_OVERLAP ? 0 : 1];

        same_text(loaded->decision, stored->decision);
        same_text(loaded->provider, stored->provider);
        assert_int_equal(loaded->status, stored->status);
        assert_int_equal(loaded->revision, stored->revision);
        assert_int_equal(loaded->subject.kind, stored->subject.kind);
        same_text(loaded->subject.provider, stored->subject.provider);
        same_text(loaded->subject.id, stored->subject.id);
        assert_int_equal(loaded->subject.version, stored->subject.version);
    }
    release(kept);
    uw_pgstore_close(&store);
}

/* ---- aggregates ---- */

static struct uw_aggregate_change aggregate_of(enum uw_grain grain, int64_t sign)
{
    return (struct uw_aggregate_change){.grain = grain,
                                        .period_from_day = 20513,
                                        .municipality = UW_STR("0363"),
                                        .provider = UW_STR("12345678"),
                                        .product_category = UW_STR("02"),
                                        .product = UW_STR("02A05"),
                                        .law = UW_LAW_JEUGDWET,
                                        .care = UW_CARE_INTENSIVE,
                                        .model = UW_MODEL_RESULT,
                                        .clients = sign,
                                        .decisions = 2 * sign,
                                        .delivered_minutes = 600 * sign,
                                        .no_show_minutes = 60 * sign,
                                        .used_minutes = 500 * sign,
                                        .allotted_minutes = 700 * sign,
                                        .priced_minutes = 90 * sign,
                                        .cost_sixtieths = 45001 * sign};
}

/* Of two instances each has rows of its own, also one who only takes away. */
static void aggregates_add_up(void **state)
{
    struct uw_pgstore *store, *other;
    struct uw_error error;
    struct uw_partition_change partitions[2];
    struct uw_aggregate_change aggregates[2];
    struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                 .rules_version = 1,
                                 .partitions = partitions,
                                 .partition_count = 2,
                                 .aggregates = aggregates,
                                 .aggregate_count = 2};
    char text[160];
    int32_t slot;

    (void)state;
    live_require();
    store = live_open("one");
    other = live_open("other");
    assert_int_equal(uw_pgstore_slot(store, &slot, &error), UW_OK);
    assert_int_equal(uw_pgstore_slot(other, &slot, &error), UW_OK);
    assert_int_equal(slot, 1);
    partitions[0] = live_claim(store, 0);
    partitions[1] = live_claim(store, 1);
    aggregates[0] = aggregate_of(UW_GRAIN_WEEK, 4);
    aggregates[1] = aggregate_of(UW_GRAIN_MONTH, 2);
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    live_text("SELECT concat_ws(' ', week_from, law, care, model, clients, decisions, delivered_minutes,"
              " no_show_minutes, used_minutes, allotted_minutes, priced_minutes, cost_cents) FROM urenwacht.weekly",
              text, sizeof text);
    assert_string_equal(text, "2026-03-01 JEUGDWET INTENSIVE Result 4 8 2400 240 2000 2800 360 3000");
    assert_int_equal(live_number("SELECT delivered_minutes FROM urenwacht.monthly"), 1200);
    partitions[0] = live_claim(other, 0);
    partitions[1] = live_claim(other, 1);
    aggregates[0] = aggregate_of(UW_GRAIN_WEEK, -2);
    aggregates[1] = aggregate_of(UW_GRAIN_MONTH, -2);
    assert_int_equal(live_commit(other, &changes, &error), UW_OK);
    assert_int_equal(live_number("SELECT clients FROM urenwacht.weekly"), 2);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.monthly"), 0);
    assert_int_equal(live_number("SELECT sum(clients) FROM urenwacht_data.aggregate WHERE writer = 0"), 6);
    assert_int_equal(live_number("SELECT sum(clients) FROM urenwacht_data.aggregate WHERE writer = 1"), -4);
    /* What one has added and taken again is gone. */
    aggregates[0] = aggregate_of(UW_GRAIN_WEEK, 2);
    aggregates[1] = aggregate_of(UW_GRAIN_MONTH, 5);
    assert_int_equal(live_commit(other, &changes, &error), UW_OK);
    aggregates[1] = aggregate_of(UW_GRAIN_MONTH, -3);
    changes.aggregates = &aggregates[1];
    changes.aggregate_count = 1;
    assert_int_equal(live_commit(other, &changes, &error), UW_OK);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht_data.aggregate WHERE writer = 1 AND grain = 1"), 0);
    uw_pgstore_close(&other);
    uw_pgstore_close(&store);
}

/* ---- outbox and clients ---- */

struct seen {
    uint32_t count;
    int64_t first, last;
    bool ordered, equal;
};

static enum uw_code see_record(void *context, const struct uw_outbox_record *record)
{
    struct seen *seen = context;

    seen->ordered = seen->count == 0 || record->sequence == seen->last + 1;
    seen->first = seen->count == 0 ? record->sequence : seen->first;
    seen->last = record->sequence;
    seen->count++;
    seen->equal = record->partition == 4 && record->output == UW_OUTPUT_DEAD_LETTERS &&
                  uw_str_is_null(record->key) && uw_str_equal(record->value, (struct uw_str){"a\0b\xff", 4}) &&
                  record->header_count == 3 && uw_str_equal(record->headers[0].name, UW_STR("")) &&
                  uw_str_is_null(record->headers[0].value) && uw_str_equal(record->headers[1].name, UW_STR("h")) &&
                  uw_str_equal(record->headers[1].value, (struct uw_str){"\0\xff", 2}) &&
                  !uw_str_is_null(record->headers[2].value) && record->headers[2].value.length == 0;
    return UW_OK;
}

static void outbox_keeps_order_and_forgets(void **state)
{
    static struct uw_outbox_record records[300];
    const struct uw_header headers[] = {
        {UW_STR(""), UW_STR_NULL}, {UW_STR("h"), {"\0\xff", 2}}, {UW_STR("empty"), UW_STR("")}};
    struct uw_pgstore *store;
    struct uw_error error;
    struct uw_partition_change partition;
    struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                 .partitions = &partition,
                                 .partition_count = 1,
                                 .outbox = records,
                                 .outbox_count = 300};
    struct uw_store port;
    struct seen seen = {0};

    (void)state;
    live_require();
    store = live_open("one");
    uw_pgstore_port(store, &port);
    partition = live_claim(store, 4);
    for (int i = 0; i < 300; i++) {
        records[i] = (struct uw_outbox_record){4,       1 + i,           UW_OUTPUT_DEAD_LETTERS, UW_STR_NULL,
                                               {"a\0b\xff", 4}, headers, 3};
    }
    partition.to_sequence = 301;
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(port.outbox(port.context, 4, 10, 200, see_record, &seen, &error), UW_OK);
    assert_true(seen.ordered && seen.equal);
    assert_int_equal(seen.count, 200);
    assert_int_equal(seen.first, 11);
    partition.from_sequence = 301;
    partition.published_sequence = 290;
    changes.outbox_count = 0;
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    seen = (struct seen){0};
    assert_int_equal(port.outbox(port.context, 4, 0, 200, see_record, &seen, &error), UW_OK);
    assert_int_equal(seen.count, 10);
    assert_int_equal(seen.first, 291);
    assert_int_equal(live_claim(store, 4).published_sequence, 290);
    uw_pgstore_close(&store);
}

static void clients_fall_due(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error;
    struct uw_partition_change partition;
    struct uw_client_change clients[] = {{UW_STR("a"), 0, 20010, 1, false, true},
                                         {UW_STR("b"), 0, 20005, 1, false, true},
                                         {UW_STR("c"), 0, UW_DAY_NONE, 1, false, true},
                                         {UW_STR("d"), 0, 20011, 1, false, true}};
    const struct uw_client_change unjudged = {UW_STR("e"), 0, UW_DAY_BEFORE_ALL, 0, false, true};
    struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                 .partitions = &partition,
                                 .partition_count = 1,
                                 .clients = clients,
                                 .client_count = 4};
    struct uw_store port;
    struct names names = {""};
    int64_t count;

    (void)state;
    live_require();
    store = live_open("one");
    uw_pgstore_port(store, &port);
    partition = live_claim(store, 0);
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(uw_pgstore_due_count(store, 0, 20010, 10, &count, &error), UW_OK);
    assert_int_equal(count, 2);
    assert_int_equal(uw_pgstore_due_count(store, 0, UW_DAY_BEFORE_ALL, 10, &count, &error), UW_OK);
    assert_int_equal(count, 0);
    assert_int_equal(port.due(port.context, 0, 20010, 10, add_name, &names, &error), UW_OK);
    assert_string_equal(names.text, "b a ");
    names.text[0] = '\0';
    assert_int_equal(port.due(port.context, 0, 20010, 1, add_name, &names, &error), UW_OK);
    assert_string_equal(names.text, "b ");
    assert_int_equal(port.mark_all_due(port.context, 0, partition.epoch, 42, &error), UW_OK);
    names.text[0] = '\0';
    assert_int_equal(port.due(port.context, 0, UW_DAY_MIN, 10, add_name, &names, &error), UW_OK);
    assert_string_equal(names.text, "a b c d ");
    clients[0].created = clients[1].created = false;
    changes.client_count = 2;
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    names.text[0] = '\0';
    assert_int_equal(port.due(port.context, 0, UW_DAY_MIN, 10, add_name, &names, &error), UW_OK);
    assert_string_equal(names.text, "c d ");
    changes.clients = &unjudged;
    changes.client_count = 1;
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(uw_pgstore_due_count(store, 0, UW_DAY_BEFORE_ALL, 10, &count, &error), UW_OK);
    assert_int_equal(count, 3);
    uw_pgstore_close(&store);
}

static void slots_are_unique(void **state)
{
    struct uw_pgstore *first, *second;
    struct uw_error error;
    int32_t one = -1, two = -1;

    (void)state;
    live_require();
    first = live_open("first");
    second = live_open("second");
    assert_int_equal(uw_pgstore_slot(first, &one, &error), UW_OK);
    assert_int_equal(uw_pgstore_slot(second, &two, &error), UW_OK);
    assert_int_equal(one, 0);
    assert_int_equal(two, 1);
    assert_int_equal(uw_pgstore_slot(first, &one, &error), UW_OK);
    assert_int_equal(one, 0);
    uw_pgstore_close(&first);
    first = live_open("third");
    do {
        /* The server needs a moment to see that a connection was closed. */
        uw_pgstore_close(&first);
        first = live_open("third");
        assert_int_equal(uw_pgstore_slot(first, &one, &error), UW_OK);
    } while (one != 0);
    uw_pgstore_close(&first);
    uw_pgstore_close(&second);
}

/* All slots but the last are another's: the last is handed out, and who comes then is told. */
static void slots_have_a_limit(void **state)
{
    struct uw_pgstore *first, *second;
    struct uw_error error = {.text = ""};
    int32_t slot = -1;
    char sql[200], held[20];
    PGconn *other;
    PGresult *result;

    (void)state;
    live_require();
    live_wait_for_slots();
    other = PQconnectdb(live_dsn());
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM generate_series(0, %d) slot WHERE pg_try_advisory_lock("
                                    "1433883500, slot)", UW_PGSTORE_SLOT_COUNT - 2);
    result = PQexec(other, sql);
    (void)snprintf(held, sizeof held, "%d", UW_PGSTORE_SLOT_COUNT - 1);
    assert_string_equal(PQgetvalue(result, 0, 0), held);
    PQclear(result);
    first = live_open("first");
    second = live_open("second");
    assert_int_equal(uw_pgstore_slot(first, &slot, &error), UW_OK);
    assert_int_equal(slot, 255);
    assert_int_equal(uw_pgstore_slot(second, &slot, &error), UW_ELIMIT);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_string_equal(error.text, "database: all 256 slots for instances are taken");
    assert_int_equal(slot, 255);
    PQfinish(other);
    uw_pgstore_close(&first);
    uw_pgstore_close(&second);
    live_wait_for_slots();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_raise_the_epoch),
        cmocka_unit_test(claim_tells_all),
        cmocka_unit_test(any_difference_refuses_all),
        cmocka_unit_test(accounts_come_and_go),
        cmocka_unit_test(alerts_have_revisions),
        cmocka_unit_test(anomalies_have_revisions),
        cmocka_unit_test(aggregates_add_up),
        cmocka_unit_test(outbox_keeps_order_and_forgets),
        cmocka_unit_test(clients_fall_due),
        cmocka_unit_test(slots_are_unique),
        cmocka_unit_test(slots_have_a_limit),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
