/*
 * Facts of every kind, at the edges of what an event may hold: what is written comes back equal.
 */
#include "tests/producers/store_kept.h"

/* ---- equality ---- */

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
    const struct uw_client_change rows[] = {{UW_STR(LONG_CLIENT), 3, UW_DAY_NONE, 1, false, true},
                                            {UW_STR("a"), 3, UW_DAY_NONE, 1, false, true}};
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
                                           .fact_count = count,
                                           .clients = rows,
                                           .client_count = 2};

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_facts_come_back_equal),
        cmocka_unit_test(many_facts_come_back_equal),
        cmocka_unit_test(views_name_what_the_core_names),
        cmocka_unit_test(decisions_lead_to_clients),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
