/* The explanation against the core's fold: weeks, verdicts, the closing check, and the texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explain.h"
#include "core/engine.h"
#include "schemas/json.h"

#define MUNICIPALITY "0363"
#define DECISION "WMO-1"
#define CLIENTS_MAX 512

/* One client, folded and explained. */
struct world {
    struct uw_client client;
    struct uw_fold fold;
    struct uw_settings settings;
    struct uw_arena arena;
    struct uw_explanation explanation;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    uw_client_init(&world->client);
    uw_fold_init(&world->fold);
    uw_thresholds_default(&world->settings.defaults);
    uw_arena_init(&world->arena, UW_EXPLAIN_BYTES_MAX);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    uw_arena_close(&world->arena);
    uw_fold_close(&world->fold);
    uw_client_close(&world->client);
    free(world);
    return 0;
}

static void add_line(struct uw_client *client, const char *json)
{
    struct uw_arena arena;
    struct uw_event event;
    struct uw_refusal refusal;
    bool redelivery;
    uw_arena_init(&arena, 1u << 24);
    if (uw_json_read_event(uw_str_from(json), &arena, &event, &refusal) != UW_OK) {
        fail_msg("%s: %s", refusal.text, json);
    }
    assert_int_equal(uw_client_add(client, &event, &redelivery), UW_OK);
    uw_arena_close(&arena);
}

static int32_t day_of(const char *text)
{
    int32_t day;
    assert_true(uw_date_parse(uw_str_from(text), &day));
    return day;
}

static void add_decision(struct world *world, int version, const char *status, const char *terms, const char *no_show)
{
    char json[2048];
    snprintf(json, sizeof json,
             "{\"topic\":\"decisions\",\"value\":{\"event_id\":\"00000000-0000-4000-8000-00000000000%d\","
             "\"recorded_at\":1767225600000,\"municipality\":\"" MUNICIPALITY "\",\"client\":\"c\","
             "\"decision\":\"" DECISION "\",\"version\":%d,\"status\":\"%s\",\"law\":\"WMO\",\"product_category\":\"02\",\"product\":\"02A03\","
             "\"care\":\"CONTINUOUS\",\"provider\":\"12345678\",\"valid_from\":\"2026-01-01\","
             "\"valid_to\":\"2026-12-31\",\"effective_from\":\"2026-01-01\",\"terms\":%s,\"no_show\":%s,\"evaluation_months\":[3],"
             "\"rate_cents_per_hour\":null}}",
             version, version, status, terms, no_show);
    add_line(&world->client, json);
}

#define SURPLUS "{\"FixedPlusSurplus\":{\"minutes_per_week\":60,\"surplus_minutes\":100}}"
#define POLICY "{\"billable_percent\":50,\"max_per_month\":1,\"notice_hours\":24,\"counts_to_budget\":true}"

/* A declaration; `until` and `corrects` may be NULL. */
static void declare(struct world *world, int id, const char *decision, const char *provider, const char *line,
                    const char *corrects, const char *on, const char *until, int minutes)
{
    char json[2048], quoted[2][64] = {"null", "null"};
    if (corrects != NULL) {
        snprintf(quoted[0], sizeof quoted[0], "\"%s\"", corrects);
    }
    if (until != NULL) {
        snprintf(quoted[1], sizeof quoted[1], "\"%s\"", until);
    }
    snprintf(json, sizeof json,
             "{\"topic\":\"declarations\",\"value\":{\"event_id\":\"00000000-0000-4000-8000-0000000001%02d\","
             "\"recorded_at\":%d000,\"municipality\":\"" MUNICIPALITY "\",\"client\":\"c\",\"decision\":\"%s\","
             "\"provider\":\"%s\",\"line\":\"%s\",\"kind\":\"%s\",\"corrects\":%s,\"performed_on\":\"%s\","
             "\"performed_until\":%s,\"started_at\":null,\"minutes\":%d,\"staff\":null}}",
             id, 1767225600 + id, decision, provider, line, corrects != NULL ? "CREDIT" : "DEBIT", quoted[0], on,
             quoted[1], minutes);
    add_line(&world->client, json);
}

static void miss(struct world *world, int id, const char *no_show, const char *status, const char *on,
                 const char *reason, const char *notice)
{
    char json[2048];
    snprintf(json, sizeof json,
             "{\"topic\":\"no-shows\",\"value\":{\"event_id\":\"00000000-0000-4000-8000-0000000002%02d\","
             "\"recorded_at\":%d000,\"municipality\":\"" MUNICIPALITY "\",\"client\":\"c\","
             "\"decision\":\"" DECISION "\",\"provider\":\"12345678\",\"no_show\":\"%s\",\"status\":\"%s\",\"appointment_on\":\"%s\","
             "\"appointment_at\":null,\"planned_minutes\":61,\"reason\":\"%s\",\"notice_minutes\":%s,\"staff\":null}}",
             id, 1767225600 + id, no_show, status, on, reason, notice);
    add_line(&world->client, json);
}

static void line(struct world *world, int id, const char *name, const char *on, int minutes)
{
    declare(world, id, DECISION, "12345678", name, NULL, on, NULL, minutes);
}

/* Folds and explains one decision; what is stored is what the fold has, as after a run of the processor. */
static struct uw_explanation *explain(struct world *world, const char *municipality, const char *decision,
                                      int32_t as_of_day, enum uw_language language)
{
    struct uw_explanation *e = &world->explanation;
    uw_arena_reset(&world->arena);
    *e = (struct uw_explanation){.language = language,
                                 .arena = &world->arena,
                                 .client_name = UW_STR("c"),
                                 .municipality = uw_str_from(municipality),
                                 .decision_name = uw_str_from(decision),
                                 .client = &world->client,
                                 .fold = &world->fold,
                                 .settings = &world->settings,
                                 .as_of_day = as_of_day,
                                 .origin = UW_ORIGIN_STORED};
    assert_int_equal(uw_client_intern_decision(&world->client, e->municipality, e->decision_name, &e->decision), UW_OK);
    assert_int_equal(uw_fold_run(&world->fold, &world->client, &world->settings, as_of_day), UW_OK);
    e->care = uw_fold_case(&world->fold, e->decision);
    assert_int_equal(uw_explain_build(e), UW_OK);
    e->stored.has_client = true;
    e->stored.as_of_day = as_of_day;
    e->stored.accounts = uw_arena_take(&world->arena, (world->fold.account_count + 1) * sizeof *e->stored.accounts);
    for (uint32_t i = 0; i < world->fold.account_count; i++) {
        if (world->fold.accounts[i].decision == e->decision) {
            e->stored.accounts[e->stored.account_count++] = world->fold.accounts[i];
        }
    }
    uw_explain_compare(e);
    return e;
}

static struct uw_explanation *explain_one(struct world *world)
{
    return explain(world, MUNICIPALITY, DECISION, day_of("2026-02-28"), UW_LANGUAGE_NL);
}

static char *print(struct uw_explanation *e, uint32_t width)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    uw_explain_print(e, file, width, false);
    assert_int_equal(fclose(file), 0);
    assert_false(e->failed);
    return text;
}

static json_t *print_json(struct uw_explanation *e)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    uw_explain_print_json(e, file);
    assert_int_equal(fclose(file), 0);
    assert_false(e->failed);
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    if (json == NULL) {
        fail_msg("%s: %s", error.text, text);
    }
    free(text);
    return json;
}

static void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("not said: %s\n%s", part, text);
    }
}

/* ---- weeks and pools ---- */

static void test_surplus_week_by_week(void **state)
{
    struct world *world = *state;
    add_decision(world, 1, "ACTIVE", SURPLUS, POLICY);
    line(world, 1, "A", "2026-02-02", 60);  /* the fixed hours exactly */
    line(world, 2, "B", "2026-02-09", 60);
    line(world, 3, "C", "2026-02-11", 79);  /* 79: one below 80 percent */
    line(world, 4, "D", "2026-02-18", 61);  /* 80: at it */
    line(world, 5, "E", "2026-02-28", 81);  /* 101: beyond the pool */
    struct uw_explanation *e = explain_one(world);
    assert_int_equal(e->segment_count, 1);
    assert_int_equal(e->period_count, 1);
    assert_int_equal(e->week_count, 4);
    const int64_t used[] = {0, 79, 80, 101};
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(e->weeks[i].used_through_minutes, used[i]);
    }
    assert_int_equal(uw_explain_used_through(e, &e->periods[0], day_of("2026-02-17")), 79);
    assert_int_equal(e->difference_count, 0);
    char *text = print(e, 0);
    assert_says(text, "vaste uren 60 min per week + surplus 100 min");
    assert_says(text, "2026-W06 (maandag 2026-02-02)");
    assert_says(text, "= geleverd 60 ≤ vast 60: 0 uit het surplus; urenpot: 0 van 100 gebruikt, 100 over");
    assert_says(text, "= geleverd 139 − vast 60 = 79 uit het surplus; urenpot: 79 van 100 gebruikt, 21 over");
    assert_says(text, "! 80 % bereikt op wo 2026-02-18: 100·80 = 8000 ≥ 80·100 = 8000 → SURPLUS_LOW vanaf 2026-02-18");
    assert_says(text, "! 100 % bereikt op za 2026-02-28");
    assert_says(text, "urenpot: 101 van 100 gebruikt, 1 te veel");
    assert_says(text, "in orde: geen verschillen");
    free(text);
}

static void test_line_over_weeks_and_months(void **state)
{
    struct world *world = *state;
    add_decision(world, 1, "ACTIVE", "{\"Pxq\":{\"volume_minutes\":100,\"frequency\":\"MONTH\"}}", POLICY);
    /* 2026-01-26 (Monday) to 2026-02-04: ten days; January ends on a Saturday in the first week. */
    declare(world, 1, DECISION, "12345678", "P", NULL, "2026-01-26", "2026-02-04", 105);
    struct uw_explanation *e = explain_one(world);
    assert_int_equal(e->row_count, 3); /* January's week 5, February's week 5 and week 6 */
    assert_int_equal(e->period_count, 2);
    assert_int_equal(e->rows[0].counted_minutes, 63);
    assert_int_equal(e->rows[0].to_day, day_of("2026-01-31"));
    assert_int_equal(e->rows[1].counted_minutes + e->rows[2].counted_minutes, 42);
    assert_int_equal(e->weeks[1].monday_day, e->weeks[0].monday_day);
    assert_int_equal(e->difference_count, 0);
    char *text = print(e, 0);
    assert_says(text, "ma 2026-01-26 t/m 2026-01-31");
    assert_says(text, "deel van 105 min over 10 dagen, 2026-01-26 t/m 2026-02-04");
    free(text);
    json_t *json = print_json(e);
    json_t *fact = json;
    const char *const path[] = {"segments", "periods", "weeks", "facts"};
    for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
        fact = json_array_get(json_object_get(fact, path[i]), 0);
    }
    assert_int_equal(json_array_size(json_object_get(fact, "days")), 6);
    json_decref(json);
}

static void test_iso_weeks_at_the_turn_of_years(void **state)
{
    struct world *world = *state;
    struct uw_explanation e = {.arena = &world->arena};
    assert_string_equal(uw_explain_iso_week(&e, day_of("2020-12-28")), "2020-W53");
    assert_string_equal(uw_explain_iso_week(&e, day_of("2021-01-04")), "2021-W01");
    assert_string_equal(uw_explain_iso_week(&e, day_of("2025-12-29")), "2026-W01");
    assert_string_equal(uw_explain_iso_week(&e, day_of("2026-12-28")), "2026-W53");
}

/* ---- verdicts ---- */

static void add_every_verdict(struct world *world)
{
    add_decision(world, 1, "ACTIVE", SURPLUS, POLICY);
    line(world, 1, "A", "2026-02-02", 60);
    line(world, 2, "A", "2026-02-02", 61); /* later: replaced */
    line(world, 3, "B", "2026-02-03", 30);
    declare(world, 4, DECISION, "12345678", "B-C", "B", "2026-02-03", NULL, 30);
    declare(world, 5, DECISION, "12345678", "B-D", "B", "2026-02-03", NULL, 30);
    declare(world, 6, DECISION, "12345678", "O-C", "gone", "2026-02-03", NULL, 30);
    declare(world, 7, DECISION, "12345678", "A-C", "A", "2026-02-03", NULL, 59);
    declare(world, 8, DECISION, "87654321", "W", NULL, "2026-02-04", NULL, 20);
    declare(world, 9, DECISION, "12345678", "L", NULL, "2026-12-31", "2027-01-01", 20);
    declare(world, 10, DECISION, "12345678", "E", NULL, "2025-12-31", NULL, 20);
    declare(world, 11, "WMO-2", "12345678", "U", NULL, "2026-02-04", NULL, 20);
    miss(world, 1, "N1", "REPORTED", "2026-02-05", "CLIENT_ABSENT", "null");
    miss(world, 2, "N2", "REPORTED", "2026-02-06", "CLIENT_CANCELLED", "1439");
    miss(world, 3, "N3", "REPORTED", "2026-02-07", "CLIENT_CANCELLED", "1440");
    miss(world, 4, "N4", "REPORTED", "2026-02-07", "PROVIDER_CANCELLED", "null");
    miss(world, 5, "N5", "REPORTED", "2026-02-08", "CLIENT_ABSENT", "null");
    miss(world, 6, "N5", "WITHDRAWN", "2026-02-08", "CLIENT_ABSENT", "null");
}

static void test_every_verdict_has_its_reason(void **state)
{
    struct world *world = *state;
    add_every_verdict(world);
    struct uw_explanation *e = explain_one(world);
    char *text = print(e, 0);
    assert_says(text, "vervangen door andere versie: gebeurtenis 00000000-0000-4000-8000-000000000101, "
                      "geregistreerd 2026-01-01T00:00:01.000Z, gaat voor");
    assert_says(text, "teruggenomen: door creditregel B-C");
    assert_says(text, "creditregel: neemt declaratieregel B terug: 30 min, 2026-02-03");
    assert_says(text, "dubbele creditregel: declaratieregel B is al teruggenomen door creditregel B-C");
    assert_says(text, "declaratieregel gone van deze aanbieder is er niet; signaal vanaf 2026-01-15");
    assert_says(text, "creditregel past niet: declaratieregel A heeft 60 min, de creditregel 59");
    assert_says(text, "aanbieder 87654321; op 2026-02-04 is toegewezen aan 12345678 (versie 1)");
    assert_says(text, "buiten toewijzing: 2027-01-01 valt buiten de geldigheid 2026-01-01 t/m 2026-12-31");
    assert_says(text, "buiten toewijzing: 2025-12-31 valt buiten");
    assert_says(text, "telt: cliënt afwezig, nr. 1 van de maand: ⌊61·50/100⌋ = 30 min");
    assert_says(text, "over het maximum: cliënt zei af, nr. 2 van de maand, het maximum is 1");
    assert_says(text, "niet declarabel: cliënt zei af, op tijd: 1440 ≥ 24·60 min vooraf");
    assert_says(text, "niet declarabel: aanbieder zei af");
    assert_says(text, "no-show ingetrokken: door gebeurtenis 00000000-0000-4000-8000-000000000206");
    assert_says(text, "2026-02: 2 declarabel, 30 min tellen");
    assert_int_equal(e->difference_count, 0);
    free(text);
}

static void test_facts_wait_for_an_unknown_decision(void **state)
{
    struct world *world = *state;
    add_every_verdict(world);
    struct uw_explanation *e = explain(world, MUNICIPALITY, "WMO-2", day_of("2026-02-28"), UW_LANGUAGE_NL);
    assert_null(e->care);
    char *text = print(e, 0);
    assert_says(text, "nog geen versie van deze toewijzing ontvangen");
    assert_says(text, "onbekende toewijzing: wacht op de toewijzing; signaal vanaf 2026-01-15");
    assert_says(text, "2026-02-28 ≥ 2026-01-01 + 14 dagen = 2026-01-15");
    free(text);
    json_t *json = print_json(e);
    assert_true(json_is_false(json_object_get(json, "known")));
    assert_int_equal(json_array_size(json_object_get(json, "not_counted")), 1);
    json_decref(json);
}

static void test_withdrawn_decision_has_no_pools(void **state)
{
    struct world *world = *state;
    add_decision(world, 1, "ACTIVE", SURPLUS, POLICY);
    add_decision(world, 2, "WITHDRAWN", SURPLUS, POLICY);
    line(world, 1, "A", "2026-02-02", 60);
    struct uw_explanation *e = explain_one(world);
    assert_int_equal(e->segment_count, 0);
    char *text = print(e, 0);
    assert_says(text, "ingetrokken: er zijn geen urenpotten");
    assert_says(text, "buiten toewijzing: de toewijzing is ingetrokken");
    free(text);
}

static void test_language_and_hostile_ids(void **state)
{
    struct world *world = *state;
    add_decision(world, 1, "ACTIVE", SURPLUS, POLICY);
    line(world, 1, "A\\u001b[2J\\u202e\\u0007", "2026-02-02", 60);
    struct uw_explanation *e = explain(world, MUNICIPALITY, DECISION, day_of("2026-02-28"), UW_LANGUAGE_EN);
    char *text = print(e, 0);
    assert_null(strchr(text, '\033'));
    assert_null(strstr(text, "\xe2\x80\xae"));
    assert_says(text, "A?[2J??");
    assert_says(text, "= delivered 60 ≤ fixed 60: 0 from the surplus; pool: 0 of 100 used, 100 left");
    free(text);
}

/* ---- the closing check ---- */

static void test_every_difference_is_told(void **state)
{
    struct world *world = *state;
    add_decision(world, 1, "ACTIVE", SURPLUS, POLICY);
    line(world, 1, "A", "2026-02-02", 99);
    struct uw_explanation *e = explain_one(world);
    assert_int_equal(e->difference_count, 0);
    e->stored.accounts[0].used_minutes++;
    uw_explain_compare(e);
    assert_int_equal(e->difference_count, 1);
    assert_string_equal(e->differences[0].column, "used_minutes");
    assert_string_equal(e->differences[0].explained, "39");
    assert_string_equal(e->differences[0].stored, "40");
    char *text = print(e, 0);
    assert_says(text, "NIET in orde: 1 verschillen");
    free(text);
    e->stored.accounts[0].period_from_day++;
    uw_explain_compare(e);
    assert_int_equal(e->difference_count, 2); /* one that is missing, one too many */
    assert_null(e->differences[0].stored);
    assert_null(e->differences[1].explained);
    e->stored.account_count = 0;
    uw_explain_compare(e);
    assert_int_equal(e->difference_count, 1);
}

/* Of a long backlog facts are stored before their client is judged: that it has no accounts yet is no difference. */
static void test_accounts_that_are_to_come(void **state)
{
    struct world *world = *state;
    add_decision(world, 1, "ACTIVE", SURPLUS, POLICY);
    line(world, 1, "A", "2026-01-05", 99);
    struct uw_explanation *e = explain_one(world);
    assert_true(e->stored.account_count > 0);
    e->stored.fingerprint = uw_engine_fingerprint(&world->settings, UW_RULES_VERSION);
    e->stored.account_count = 0;
    e->stored.judging_pending = e->stored.accounts_pending = true;
    uw_explain_compare(e);
    assert_int_equal(e->comparison, UW_COMPARISON_PENDING);
    assert_int_equal(e->difference_count, 0);
    char *text = print(e, 0);
    assert_says(text, "rekeningen: niet vergeleken, de verwerking moet deze cliënt nog beoordelen");
    free(text);
    e->stored.accounts_pending = false;
    uw_explain_compare(e);
    assert_int_equal(e->difference_count, 1);
    text = print(e, 0);
    assert_null(strstr(text, "rekeningen: niet vergeleken"));
    free(text);
}

static void test_signals_are_compared_when_they_can_be(void **state)
{
    struct world *world = *state;
    add_decision(world, 1, "ACTIVE", SURPLUS, POLICY);
    line(world, 1, "A", "2026-02-02", 160);
    struct uw_explanation *e = explain_one(world);
    assert_int_equal(e->comparison, UW_COMPARISON_OTHER_RULES);
    e->stored.fingerprint = uw_engine_fingerprint(&world->settings, UW_RULES_VERSION);
    e->stored.judging_pending = true;
    uw_explain_compare(e);
    assert_int_equal(e->comparison, UW_COMPARISON_PENDING);
    e->stored.judging_pending = false;
    uw_explain_compare(e);
    assert_int_equal(e->comparison, UW_COMPARISON_DONE);
    assert_int_equal(e->difference_count, 3); /* nothing is stored of its alerts and its anomaly */
    assert_string_equal(e->differences[0].key, "SURPLUS_LOW 2026-01-01 2026-01-01 80");
    assert_string_equal(e->differences[1].key, "SURPLUS_EXHAUSTED 2026-01-01 2026-01-01 100");
    assert_string_equal(e->differences[2].key, "FUTURE_DECLARATION line:12345678/A");
    e->stored.as_of_day--;
    uw_explain_compare(e);
    assert_int_equal(e->comparison, UW_COMPARISON_OTHER_AS_OF);
    assert_int_equal(e->difference_count, 0);
    e->stored.has_client = false;
    uw_explain_compare(e);
    assert_int_equal(e->comparison, UW_COMPARISON_NOTHING_STORED);
}

/* ---- all edge cases: what is printed is what the core has ---- */

struct clients {
    struct world *worlds[CLIENTS_MAX];
    char names[CLIENTS_MAX][65];
    uint32_t count;
};

static struct world *world_of(struct clients *clients, const char *name)
{
    for (uint32_t i = 0; i < clients->count; i++) {
        if (strcmp(clients->names[i], name) == 0) {
            return clients->worlds[i];
        }
    }
    assert_true(clients->count < CLIENTS_MAX);
    void *state;
    setup(&state);
    snprintf(clients->names[clients->count], sizeof clients->names[0], "%s", name);
    return clients->worlds[clients->count++] = state;
}

static void read_sets(struct clients *clients, const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    assert_non_null(file);
    while (getline(&text, &size, file) > 0) {
        json_t *json = json_loads(text, 0, NULL);
        const char *name = json_string_value(json_object_get(json_object_get(json, "value"), "client"));
        text[strcspn(text, "\n")] = '\0';
        add_line(&world_of(clients, name)->client, text);
        json_decref(json);
    }
    free(text);
    fclose(file);
}

static void check_decision(struct world *world, uw_text decision, int32_t as_of_day)
{
    char municipality[8], name[300];
    struct uw_str text = uw_client_municipality(&world->client, decision);
    snprintf(municipality, sizeof municipality, "%.*s", (int)text.length, text.data);
    text = uw_client_decision(&world->client, decision);
    snprintf(name, sizeof name, "%.*s", (int)text.length, text.data);
    for (enum uw_language language = UW_LANGUAGE_NL; language <= UW_LANGUAGE_EN; language++) {
        struct uw_explanation *e = explain(world, municipality, name, as_of_day, language);
        if (e->difference_count > 0) {
            fail_msg("%s %s: %s %s: %s", municipality, name, e->differences[0].key, e->differences[0].column,
                     e->differences[0].stored == NULL ? "missing" : e->differences[0].stored);
        }
        free(print(e, 80));
        json_decref(print_json(e));
    }
}

static void test_edge_sets_explain_to_the_folds_accounts(void **state)
{
    (void)state;
    struct clients *clients = calloc(1, sizeof *clients);
    assert_non_null(clients);
    read_sets(clients, UW_SOURCE_DIR "/tests/data/edges.events.jsonl");
    assert_true(clients->count > 50);
    for (uint32_t i = 0; i < clients->count; i++) {
        struct world *world = clients->worlds[i];
        for (uint32_t k = 0; k < world->client.version_count; k++) {
            uw_text decision = world->client.versions[k].decision;
            if (k == 0 || world->client.versions[k - 1].decision != decision) {
                check_decision(world, decision, day_of("2026-03-31"));
            }
        }
        void *done = world;
        teardown(&done);
    }
    free(clients);
}

/* Whatever the limit of memory, it is told and nothing is written beyond it. */
static void test_refused_memory_is_told(void **state)
{
    struct world *world = *state;
    add_every_verdict(world);
    bool whole = false;
    for (size_t limit = 0; limit < (1u << 22) && !whole; limit += 4096) {
        struct uw_arena arena;
        struct uw_explanation e = *explain_one(world);
        uw_arena_init(&arena, limit);
        struct uw_explanation small = {.arena = &arena, .client = e.client, .fold = e.fold, .settings = e.settings,
                                       .municipality = e.municipality, .decision_name = e.decision_name,
                                       .client_name = e.client_name, .decision = e.decision, .care = e.care,
                                       .as_of_day = e.as_of_day};
        if (uw_explain_build(&small) == UW_OK) {
            FILE *nowhere = fopen("/dev/null", "w");
            assert_non_null(nowhere);
            uw_explain_compare(&small);
            uw_explain_print(&small, nowhere, 80, true);
            uw_explain_print_json(&small, nowhere);
            fclose(nowhere);
            whole = !small.failed;
        }
        uw_arena_close(&arena);
    }
    assert_true(whole);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_surplus_week_by_week),
        TEST(test_line_over_weeks_and_months),
        TEST(test_iso_weeks_at_the_turn_of_years),
        TEST(test_every_verdict_has_its_reason),
        TEST(test_facts_wait_for_an_unknown_decision),
        TEST(test_withdrawn_decision_has_no_pools),
        TEST(test_language_and_hostile_ids),
        TEST(test_every_difference_is_told),
        TEST(test_accounts_that_are_to_come),
        TEST(test_signals_are_compared_when_they_can_be),
        cmocka_unit_test(test_edge_sets_explain_to_the_folds_accounts),
        TEST(test_refused_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
