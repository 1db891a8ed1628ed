/*
 * The store against a real PostgreSQL: ownership, the compare-and-set, and what is written comes back equal.
 */
#include "tests/producers/store_live.h"

#define LONG_CLIENT "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-"
/* 64 code points of four bytes each. */
#define WIDE4 "\xf0\x9f\x98\x80\xf0\x9f\x98\x81\xf0\x9f\x98\x82\xf0\x9f\x98\x83"
#define WIDE16 WIDE4 WIDE4 WIDE4 WIDE4
#define WIDE64 WIDE16 WIDE16 WIDE16 WIDE16

/* ---- a sink that keeps what is loaded ---- */

#define KEPT_MAX 600

struct kept {
    struct uw_arena arena;
    uint32_t fact_count, alert_count, anomaly_count;
    struct uw_event facts[KEPT_MAX];
    uint32_t fact_clients[KEPT_MAX];
    struct uw_alert_change alerts[KEPT_MAX];
    struct uw_anomaly_change anomalies[KEPT_MAX];
};

static void keep(struct kept *kept, struct uw_str *string)
{
    if (!uw_str_is_null(*string)) {
        *string = uw_arena_copy(&kept->arena, *string);
        assert_non_null(string->data);
    }
}

static enum uw_code keep_fact(void *context, uint32_t client_index, const struct uw_event *event)
{
    struct kept *kept = context;
    struct uw_event *copy = &kept->facts[kept->fact_count];

    assert_true(kept->fact_count < KEPT_MAX);
    kept->fact_clients[kept->fact_count++] = client_index;
    *copy = *event;
    keep(kept, &copy->client);
    keep(kept, &copy->municipality);
    keep(kept, &copy->decision);
    keep(kept, &copy->provider);
    switch (event->topic) {
    case UW_TOPIC_DECISIONS: {
        struct uw_decision *decision = &copy->of.decision;
        size_t size = decision->evaluation_count * sizeof(int32_t);
        int32_t *list = uw_arena_take(&kept->arena, size);

        keep(kept, &decision->product_category);
        keep(kept, &decision->product);
        keep(kept, &decision->terms.result);
        assert_non_null(list);
        memcpy(list, decision->evaluation_list, size);
        decision->evaluation_list = list;
        break;
    }
    case UW_TOPIC_DECLARATIONS:
        keep(kept, &copy->of.declaration.line);
        keep(kept, &copy->of.declaration.corrects);
        keep(kept, &copy->of.declaration.staff);
        break;
    case UW_TOPIC_NO_SHOWS:
        keep(kept, &copy->of.no_show.no_show);
        keep(kept, &copy->of.no_show.staff);
        break;
    case UW_TOPIC_EVALUATIONS:
        break;
    }
    return UW_OK;
}

static enum uw_code keep_alert(void *context, uint32_t client_index, const struct uw_alert_change *alert)
{
    struct kept *kept = context;
    struct uw_alert_change *copy = &kept->alerts[kept->alert_count++];

    (void)client_index;
    *copy = *alert;
    keep(kept, &copy->client);
    keep(kept, &copy->municipality);
    keep(kept, &copy->decision);
    keep(kept, &copy->provider);
    return UW_OK;
}

static enum uw_code keep_anomaly(void *context, uint32_t client_index, const struct uw_anomaly_change *anomaly)
{
    struct kept *kept = context;
    struct uw_anomaly_change *copy = &kept->anomalies[kept->anomaly_count++];

    (void)client_index;
    *copy = *anomaly;
    keep(kept, &copy->client);
    keep(kept, &copy->municipality);
    keep(kept, &copy->decision);
    keep(kept, &copy->provider);
    keep(kept, &copy->subject.provider);
    keep(kept, &copy->subject.id);
    return UW_OK;
}

static struct kept *load(struct uw_pgstore *store, const struct uw_str *clients, uint32_t client_count)
{
    struct kept *kept = calloc(1, sizeof *kept);
    struct uw_error error = {.text = ""};
    struct uw_load_sink sink = {kept, keep_fact, keep_alert, keep_anomaly};
    struct uw_store port;

    assert_non_null(kept);
    uw_arena_init(&kept->arena, 16 * 1024 * 1024);
    uw_pgstore_port(store, &port);
    if (port.load(port.context, clients, client_count, &sink, &error) != UW_OK) {
        fail_msg("%s", error.text);
    }
    return kept;
}

static void release(struct kept *kept)
{
    uw_arena_close(&kept->arena);
    free(kept);
}

/* ---- equality ---- */

static void same_text(struct uw_str a, struct uw_str b)
{
    assert_int_equal(uw_str_is_null(a), uw_str_is_null(b));
    assert_true(uw_str_is_null(a) || uw_str_equal(a, b));
}

static void same_terms(const struct uw_terms *a, const struct uw_terms *b)
{
    assert_int_equal(a->model, b->model);
    assert_int_equal(a->frequency, b->frequency);
    assert_int_equal(a->volume_minutes, b->volume_minutes);
    assert_int_equal(a->min_minutes, b->min_minutes);
    assert_int_equal(a->max_minutes, b->max_minutes);
    assert_int_equal(a->minutes_per_year, b->minutes_per_year);
    assert_int_equal(a->minutes_per_week, b->minutes_per_week);
    assert_int_equal(a->surplus_minutes, b->surplus_minutes);
    assert_int_equal(a->price_cents, b->price_cents);
    assert_int_equal(a->expected_minutes_per_week, b->expected_minutes_per_week);
    same_text(a->result, b->result);
}

static void same_decision(const struct uw_decision *a, const struct uw_decision *b)
{
    assert_int_equal(a->version, b->version);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->law, b->law);
    same_text(a->product_category, b->product_category);
    same_text(a->product, b->product);
    assert_int_equal(a->care, b->care);
    assert_int_equal(a->valid_from_day, b->valid_from_day);
    assert_int_equal(a->valid_to_day, b->valid_to_day);
    assert_int_equal(a->effective_from_day, b->effective_from_day);
    same_terms(&a->terms, &b->terms);
    assert_int_equal(a->no_show.billable_percent, b->no_show.billable_percent);
    assert_int_equal(a->no_show.max_per_month, b->no_show.max_per_month);
    assert_int_equal(a->no_show.notice_hours, b->no_show.notice_hours);
    assert_int_equal(a->no_show.counts_to_budget, b->no_show.counts_to_budget);
    assert_int_equal(a->evaluation_count, b->evaluation_count);
    for (uint32_t i = 0; i < a->evaluation_count; i++) {
        assert_int_equal(a->evaluation_list[i], b->evaluation_list[i]);
    }
    assert_int_equal(a->rate_cents_per_hour, b->rate_cents_per_hour);
}

static void same_event(const struct uw_event *a, const struct uw_event *b)
{
    assert_int_equal(a->topic, b->topic);
    assert_memory_equal(a->event_id.bytes, b->event_id.bytes, sizeof a->event_id.bytes);
    assert_int_equal(a->event_id.upper, b->event_id.upper);
    assert_true(a->recorded_at_ms == b->recorded_at_ms);
    same_text(a->client, b->client);
    same_text(a->municipality, b->municipality);
    same_text(a->decision, b->decision);
    same_text(a->provider, b->provider);
    switch (a->topic) {
    case UW_TOPIC_DECISIONS:
        same_decision(&a->of.decision, &b->of.decision);
        break;
    case UW_TOPIC_DECLARATIONS:
        same_text(a->of.declaration.line, b->of.declaration.line);
        assert_int_equal(a->of.declaration.kind, b->of.declaration.kind);
        same_text(a->of.declaration.corrects, b->of.declaration.corrects);
        assert_int_equal(a->of.declaration.performed_on_day, b->of.declaration.performed_on_day);
        assert_int_equal(a->of.declaration.performed_until_day, b->of.declaration.performed_until_day);
        assert_true(a->of.declaration.started_at_ms == b->of.declaration.started_at_ms);
        assert_int_equal(a->of.declaration.minutes, b->of.declaration.minutes);
        same_text(a->of.declaration.staff, b->of.declaration.staff);
        break;
    case UW_TOPIC_NO_SHOWS:
        same_text(a->of.no_show.no_show, b->of.no_show.no_show);
        assert_int_equal(a->of.no_show.status, b->of.no_show.status);
        assert_int_equal(a->of.no_show.appointment_on_day, b->of.no_show.appointment_on_day);
        assert_true(a->of.no_show.appointment_at_ms == b->of.no_show.appointment_at_ms);
        assert_int_equal(a->of.no_show.planned_minutes, b->of.no_show.planned_minutes);
        assert_int_equal(a->of.no_show.reason, b->of.no_show.reason);
        assert_int_equal(a->of.no_show.notice_minutes, b->of.no_show.notice_minutes);
        same_text(a->of.no_show.staff, b->of.no_show.staff);
        break;
    case UW_TOPIC_EVALUATIONS:
        assert_int_equal(a->of.evaluation.held_on_day, b->of.evaluation.held_on_day);
        assert_int_equal(a->of.evaluation.outcome, b->of.evaluation.outcome);
        break;
    }
}

/* ---- events at the edges ---- */

static const int32_t months[] = {120, 3, 3, 1};

static struct uw_event decision_of(enum uw_model model, bool full)
{
    struct uw_event event = {.topic = UW_TOPIC_DECISIONS,
                             .event_id = {.upper = full ? 0xffffffffu : 0u},
                             .recorded_at_ms = full ? UW_INSTANT_MAX : UW_INSTANT_MIN,
                             .municipality = UW_STR("0003"),
                             .client = full ? UW_STR(LONG_CLIENT) : UW_STR("a"),
                             .decision = full ? UW_STR(WIDE64) : UW_STR("d"),
                             .provider = UW_STR("00000001")};
    struct uw_decision *decision = &event.of.decision;
    struct uw_terms *terms = &decision->terms;
    int32_t most = full ? INT32_MAX : 0;

    memset(event.event_id.bytes, full ? 0xff : (int)model, sizeof event.event_id.bytes);
    *decision = (struct uw_decision){
        .version = full ? INT32_MAX : 1,
        .status = full ? UW_DECISION_WITHDRAWN : UW_DECISION_ACTIVE,
        .law = full ? UW_LAW_PARTICIPATIEWET : UW_LAW_WMO,
        .product_category = UW_STR("02"),
        .product = full ? UW_STR("\xc3\xa9\xe2\x82\xac\"\\,") : UW_STR(""),
        .care = full ? UW_CARE_INTENSIVE : UW_CARE_CONTINUOUS,
        .valid_from_day = UW_DAY_MIN,
        .valid_to_day = full ? UW_DAY_MAX : UW_DAY_NONE,
        .effective_from_day = full ? UW_DAY_MAX : 0,
        .no_show = {full ? 100 : 0, full ? INT32_MAX : UW_INT_NONE, full ? 168 : 0, full},
        .evaluation_list = full ? months : NULL,
        .evaluation_count = full ? 4 : 0,
        .rate_cents_per_hour = full ? INT32_MAX : UW_INT_NONE,
    };
    terms->model = model;
    switch (model) {
    case UW_MODEL_PXQ:
        terms->frequency = UW_FREQUENCY_TOTAL;
        terms->volume_minutes = most;
        break;
    case UW_MODEL_BANDWIDTH:
        terms->frequency = UW_FREQUENCY_WEEK;
        terms->min_minutes = most - (full ? 1 : 0);
        terms->max_minutes = most;
        break;
    case UW_MODEL_YEAR_BUDGET:
        terms->minutes_per_year = most;
        break;
    case UW_MODEL_FIXED_PLUS_SURPLUS:
        terms->minutes_per_week = most;
        terms->surplus_minutes = most;
        break;
    case UW_MODEL_RESULT:
        terms->price_cents = most;
        terms->expected_minutes_per_week = full ? INT32_MAX : UW_INT_NONE;
        terms->result = full ? UW_STR(WIDE64 WIDE64 WIDE64) : UW_STR("");
        break;
    case UW_MODEL_TASK:
        break;
    }
    return event;
}

static struct uw_event line_of(bool full)
{
    struct uw_event event = live_line(full ? LONG_CLIENT : "a", 7);

    event.event_id.upper = full ? 0x80000001u : 0u;
    event.of.declaration = (struct uw_declaration){
        .line = full ? UW_STR(WIDE16 WIDE16 WIDE4) : UW_STR("1"),
        .kind = full ? UW_LINE_CREDIT : UW_LINE_DEBIT,
        .corrects = full ? UW_STR("") : UW_STR_NULL,
        .performed_on_day = full ? UW_DAY_MAX : UW_DAY_MIN,
        .performed_until_day = full ? UW_DAY_MAX : UW_DAY_NONE,
        .started_at_ms = full ? INT64_C(-1) : UW_INSTANT_NONE,
        .minutes = full ? 1440 * 366 : 1,
        .staff = full ? UW_STR(WIDE64) : UW_STR_NULL,
    };
    return event;
}

static struct uw_event no_show_of(bool full)
{
    struct uw_event event = line_of(full);

    event.topic = UW_TOPIC_NO_SHOWS;
    event.of.no_show = (struct uw_no_show){
        .no_show = full ? UW_STR("\xc3\xa9") : UW_STR("n"),
        .status = full ? UW_NO_SHOW_WITHDRAWN : UW_NO_SHOW_REPORTED,
        .appointment_on_day = full ? UW_DAY_MAX : UW_DAY_MIN,
        .appointment_at_ms = full ? UW_INSTANT_MAX : UW_INSTANT_NONE,
        .planned_minutes = 1440,
        .reason = full ? UW_REASON_PROVIDER_CANCELLED : UW_REASON_CLIENT_ABSENT,
        .notice_minutes = full ? INT32_MAX : UW_INT_NONE,
        .staff = full ? UW_STR("s") : UW_STR_NULL,
    };
    return event;
}

static struct uw_event evaluation_of(bool full)
{
    struct uw_event event = line_of(full);

    event.topic = UW_TOPIC_EVALUATIONS;
    event.provider = UW_STR_NULL;
    event.of.evaluation = (struct uw_evaluation){full ? UW_DAY_MAX : UW_DAY_MIN,
                                                 full ? UW_EVALUATION_END : UW_EVALUATION_CONTINUE};
    return event;
}

#define EDGE_COUNT (2 * (UW_MODEL_COUNT + 3))

static void make_edges(struct uw_event events[EDGE_COUNT])
{
    uint32_t count = 0;

    for (int full = 0; full < 2; full++) {
        for (int model = 0; model < UW_MODEL_COUNT; model++) {
            events[count++] = decision_of((enum uw_model)model, full != 0);
        }
        events[count++] = line_of(full != 0);
        events[count++] = no_show_of(full != 0);
        events[count++] = evaluation_of(full != 0);
    }
}

/* `copies` of every edge, so that both ways to write facts are taken. */
static void facts_come_back(uint32_t copies)
{
    static struct uw_fact_change facts[EDGE_COUNT * 300];
    struct uw_event edges[EDGE_COUNT];
    const struct uw_str clients[] = {UW_STR("nobody"), UW_STR("a"), UW_STR(LONG_CLIENT)};
    struct uw_pgstore *store;
    struct uw_partition_change partition;
    struct uw_error error = {.text = ""};
    struct kept *kept;
    uint32_t count = 0;

    live_require();
    store = live_open("one");
    partition = live_claim(store, 3);
    make_edges(edges);
    for (uint32_t i = 0; i < EDGE_COUNT; i++) {
        for (uint32_t copy = 0; copy < copies; copy++) {
            facts[count] = (struct uw_fact_change){&edges[i], 3, count, copy > 0};
            count++;
        }
    }
    partition.to_offset[1] = count;
    {
        const struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                           .partitions = &partition,
                                           .partition_count = 1,
                                           .facts = facts,
                                           .fact_count = count};

        if (live_commit(store, &changes, &error) != UW_OK) {
            fail_msg("%s", error.text);
        }
    }
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.fact"), count);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.fact WHERE redelivery"), count - EDGE_COUNT);
    kept = load(store, clients, 3);
    assert_int_equal(kept->fact_count, EDGE_COUNT);
    for (uint32_t i = 0; i < EDGE_COUNT; i++) {
        uint32_t found = 0;

        for (uint32_t j = 0; j < kept->fact_count; j++) {
            const struct uw_event *event = &kept->facts[j];
            bool is_decision = event->topic == UW_TOPIC_DECISIONS;

            if (event->topic == edges[i].topic && uw_str_equal(event->client, edges[i].client) &&
                (!is_decision || event->of.decision.terms.model == edges[i].of.decision.terms.model)) {
                same_event(&edges[i], event);
                assert_true(uw_str_equal(clients[kept->fact_clients[j]], event->client));
                found++;
            }
        }
        assert_int_equal(found, 1);
    }
    release(kept);
    uw_pgstore_close(&store);
}

static void few_facts_come_back_equal(void **state)
{
    (void)state;
    facts_come_back(1);
}

static void many_facts_come_back_equal(void **state)
{
    (void)state;
    facts_come_back(300);
}

static void views_name_what_the_core_names(void **state)
{
    struct uw_event edges[EDGE_COUNT];
    char text[64];

    (void)state;
    facts_come_back(1);
    make_edges(edges);
    for (int16_t i = 0; i < UW_MODEL_COUNT; i++) {
        char sql[160];

        snprintf(sql, sizeof sql, "SELECT urenwacht_data.model_name(%d::smallint)", i);
        live_text(sql, text, sizeof text);
        assert_string_equal(text, uw_model_name((enum uw_model)i));
        snprintf(sql, sizeof sql, "SELECT urenwacht_data.frequency_name(%d::smallint)", i);
        live_text(sql, text, sizeof text);
        assert_string_equal(text, uw_frequency_name((enum uw_frequency)i));
    }
    live_text("SELECT law || care || status FROM urenwacht.decision_version WHERE version > 1 AND model = 'Task'", text,
              sizeof text);
    assert_string_equal(text, "PARTICIPATIEWETINTENSIVEWITHDRAWN");
    live_text("SELECT what FROM urenwacht.fact WHERE topic = 'NO_SHOW' AND client <> 'a'", text, sizeof text);
    assert_string_equal(text, "WITHDRAWN");
    live_text("SELECT kind || minutes FROM urenwacht.delivered WHERE client = 'a'", text, sizeof text);
    assert_string_equal(text, "DEBIT1");
}

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
    assert_int_equal(port.claim(port.context, 7, &claim, &error), UW_OK);
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
    assert_int_equal(port.claim(port.context, 7, &claim, &error), UW_OK);
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
              " delivered_minutes, no_show_minutes) FROM urenwacht.account WHERE period_from = date '1970-01-01' + 20000",
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
    struct uw_pgstore *store;
    struct uw_error error;
    struct uw_partition_change partition;
    struct uw_alert_change alerts[2] = {alert_of(1), alert_of(1)};
    struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                 .partitions = &partition,
                                 .partition_count = 1,
                                 .alerts = alerts,
                                 .alert_count = 2};
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
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.alert_revision WHERE kind = 'BUDGET_LOW'"), 2);
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
                                 .anomaly_count = 2};
    struct kept *kept;
    char text[160];

    (void)state;
    live_require();
    store = live_open("one");
    partition = live_claim(store, 0);
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    live_text("SELECT subject FROM urenwacht.anomaly WHERE kind = 'VERSION_CONFLICT'", text, sizeof text);
    assert_string_equal(text, "version:12");
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

static struct uw_aggregate_change aggregate_of(int32_t partition, enum uw_grain grain, int64_t sign)
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
                                        .partition = partition,
                                        .clients = sign,
                                        .decisions = 2 * sign,
                                        .delivered_minutes = 600 * sign,
                                        .no_show_minutes = 60 * sign,
                                        .used_minutes = 500 * sign,
                                        .allotted_minutes = 700 * sign};
}

static void aggregates_add_up(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error;
    struct uw_partition_change partitions[2];
    struct uw_aggregate_change aggregates[3];
    struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                 .partitions = partitions,
                                 .partition_count = 2,
                                 .aggregates = aggregates,
                                 .aggregate_count = 3};
    char text[160];

    (void)state;
    live_require();
    store = live_open("one");
    partitions[0] = live_claim(store, 0);
    partitions[1] = live_claim(store, 1);
    for (int i = 0; i < 2; i++) {
        aggregates[0] = aggregate_of(0, UW_GRAIN_WEEK, 1);
        aggregates[1] = aggregate_of(0, UW_GRAIN_MONTH, 1);
        aggregates[2] = aggregate_of(1, UW_GRAIN_WEEK, 1);
        assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    }
    live_text("SELECT concat_ws(' ', week_from, law, care, model, clients, decisions, delivered_minutes,"
              " no_show_minutes, used_minutes, allotted_minutes) FROM urenwacht.weekly",
              text, sizeof text);
    assert_string_equal(text, "2026-03-01 JEUGDWET INTENSIVE Result 4 8 2400 240 2000 2800");
    assert_int_equal(live_number("SELECT delivered_minutes FROM urenwacht.monthly"), 1200);
    aggregates[0] = aggregate_of(0, UW_GRAIN_WEEK, -2);
    changes.aggregate_count = 1;
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(live_number("SELECT clients FROM urenwacht.weekly"), 2);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht_data.aggregate WHERE partition = 0"), 1);
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

struct names {
    char text[128];
};

static enum uw_code add_name(void *context, struct uw_str client)
{
    struct names *names = context;
    size_t length = strlen(names->text);

    snprintf(names->text + length, sizeof names->text - length, "%.*s ", (int)client.length, client.data);
    return UW_OK;
}

static void clients_fall_due(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error;
    struct uw_partition_change partition;
    const struct uw_client_change clients[] = {{UW_STR("a"), 0, 20010},
                                               {UW_STR("b"), 0, 20005},
                                               {UW_STR("c"), 0, UW_DAY_NONE},
                                               {UW_STR("d"), 0, 20011}};
    struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                 .partitions = &partition,
                                 .partition_count = 1,
                                 .clients = clients,
                                 .client_count = 4};
    struct uw_store port;
    struct names names = {""};

    (void)state;
    live_require();
    store = live_open("one");
    uw_pgstore_port(store, &port);
    partition = live_claim(store, 0);
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(port.due(port.context, 0, 20010, 10, add_name, &names, &error), UW_OK);
    assert_string_equal(names.text, "b a ");
    names.text[0] = '\0';
    assert_int_equal(port.due(port.context, 0, 20010, 1, add_name, &names, &error), UW_OK);
    assert_string_equal(names.text, "b ");
    assert_int_equal(port.mark_all_due(port.context, 0, partition.epoch, 42, &error), UW_OK);
    names.text[0] = '\0';
    assert_int_equal(port.due(port.context, 0, UW_DAY_MIN, 10, add_name, &names, &error), UW_OK);
    assert_string_equal(names.text, "a b c d ");
    changes.client_count = 2;
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    names.text[0] = '\0';
    assert_int_equal(port.due(port.context, 0, UW_DAY_MIN, 10, add_name, &names, &error), UW_OK);
    assert_string_equal(names.text, "c d ");
    uw_pgstore_close(&store);
}

static void decisions_lead_to_clients(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error;
    struct uw_partition_change partition;
    struct uw_event events[3] = {decision_of(UW_MODEL_TASK, false), line_of(true), no_show_of(true)};
    struct uw_fact_change facts[3];
    struct uw_anomaly_change anomaly = {.kind = UW_ANOMALY_UNKNOWN_DECISION,
                                        .client = UW_STR("b"),
                                        .municipality = UW_STR("0003"),
                                        .decision = UW_STR("unknown"),
                                        .subject = {UW_SUBJECT_LINE, UW_STR("12345678"), UW_STR("1"), 0},
                                        .provider = UW_STR("12345678"),
                                        .revision = 1,
                                        .first_day = 20000,
                                        .last_day = 20000,
                                        .minutes = 60,
                                        .recorded_at_ms = LIVE_AT_MS};
    const struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                       .partitions = &partition,
                                       .partition_count = 1,
                                       .facts = facts,
                                       .fact_count = 3,
                                       .anomalies = &anomaly,
                                       .anomaly_count = 1};
    struct names names = {""};

    (void)state;
    live_require();
    for (uint32_t i = 0; i < 3; i++) {
        facts[i] = (struct uw_fact_change){&events[i], 0, i, false};
    }
    store = live_open("one");
    partition = live_claim(store, 0);
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(uw_pgstore_decision_clients(store, UW_STR("0003"), UW_STR("d"), 10, add_name, &names, &error),
                     UW_OK);
    assert_string_equal(names.text, "a ");
    names.text[0] = '\0';
    assert_int_equal(
        uw_pgstore_decision_clients(store, UW_STR("0003"), UW_STR("unknown"), 10, add_name, &names, &error), UW_OK);
    assert_string_equal(names.text, "b ");
    names.text[0] = '\0';
    assert_int_equal(uw_pgstore_decision_clients(store, UW_STR("0363"), UW_STR("d"), 10, add_name, &names, &error),
                     UW_OK);
    assert_string_equal(names.text, "");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_facts_come_back_equal),
        cmocka_unit_test(many_facts_come_back_equal),
        cmocka_unit_test(views_name_what_the_core_names),
        cmocka_unit_test(claims_raise_the_epoch),
        cmocka_unit_test(claim_tells_all),
        cmocka_unit_test(any_difference_refuses_all),
        cmocka_unit_test(accounts_come_and_go),
        cmocka_unit_test(alerts_have_revisions),
        cmocka_unit_test(anomalies_have_revisions),
        cmocka_unit_test(aggregates_add_up),
        cmocka_unit_test(outbox_keeps_order_and_forgets),
        cmocka_unit_test(clients_fall_due),
        cmocka_unit_test(decisions_lead_to_clients),
        cmocka_unit_test(slots_are_unique),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
