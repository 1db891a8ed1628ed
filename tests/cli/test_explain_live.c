/* The command against a real PostgreSQL: what was judged and committed is explained and found in order. */
#include "tests/producers/store_live.h"

#include <unistd.h>

#include "cli/command.h"
#include "core/engine.h"
#include "core/judge.h"
#include "schemas/json.h"

#define OUTPUT_BYTES (1u << 20)
#define PARTITION 3
#define EVENTS_MAX 64

static const char *const events[] = {
    "{\"topic\":\"decisions\",\"value\":{\"event_id\":\"00000000-0000-4000-8000-000000000001\",\"recorded_at\":"
    "1767225600000,\"municipality\":\"0363\",\"client\":\"c-1\",\"decision\":\"WMO-1\",\"version\":1,\"status\":"
    "\"ACTIVE\",\"law\":\"WMO\",\"product_category\":\"02\",\"product\":\"02A03\",\"care\":\"CONTINUOUS\",\"provider\":"
    "\"12345678\",\"valid_from\":\"2026-01-01\",\"valid_to\":\"2026-12-31\",\"effective_from\":\"2026-01-01\",\"terms\":"
    "{\"FixedPlusSurplus\":{\"minutes_per_week\":60,\"surplus_minutes\":100}},\"no_show\":{\"billable_percent\":50,"
    "\"max_per_month\":1,\"notice_hours\":24,\"counts_to_budget\":true},\"evaluation_months\":[3],"
    "\"rate_cents_per_hour\":null}}",
    "{\"topic\":\"declarations\",\"value\":{\"event_id\":\"00000000-0000-4000-8000-000000000002\",\"recorded_at\":"
    "1770000000000,\"municipality\":\"0363\",\"client\":\"c-1\",\"decision\":\"WMO-1\",\"provider\":\"12345678\",\"line\":"
    "\"A\",\"kind\":\"DEBIT\",\"corrects\":null,\"performed_on\":\"2026-02-02\",\"performed_until\":null,\"started_at\":"
    "null,\"minutes\":145,\"staff\":null}}",
    "{\"topic\":\"declarations\",\"value\":{\"event_id\":\"00000000-0000-4000-8000-000000000003\",\"recorded_at\":"
    "1770000000000,\"municipality\":\"0363\",\"client\":\"c-2\",\"decision\":\"WMO-2\",\"provider\":\"12345678\",\"line\":"
    "\"A\",\"kind\":\"DEBIT\",\"corrects\":null,\"performed_on\":\"2026-02-02\",\"performed_until\":null,\"started_at\":"
    "null,\"minutes\":145,\"staff\":null}}",
    "{\"topic\":\"declarations\",\"value\":{\"event_id\":\"00000000-0000-4000-8000-000000000004\",\"recorded_at\":"
    "1770000000000,\"municipality\":\"0363\",\"client\":\"c-1\",\"decision\":\"WMO-2\",\"provider\":\"12345678\",\"line\":"
    "\"B\",\"kind\":\"DEBIT\",\"corrects\":null,\"performed_on\":\"2026-02-03\",\"performed_until\":null,\"started_at\":"
    "null,\"minutes\":145,\"staff\":null}}",
};
#define EVENT_COUNT ((uint32_t)(sizeof events / sizeof events[0]))

/* Judges the events as of a date, as the engine does, and commits them. */
static void commit_events(const char *as_of)
{
    struct uw_pgstore *store = live_open("explain-test");
    struct uw_partition_change position = live_claim(store, PARTITION);
    struct uw_event decoded[EVENTS_MAX];
    struct uw_fact_change facts[EVENTS_MAX];
    struct uw_settings settings = {.rule_count = 0};
    struct uw_judgement judgement;
    struct uw_refusal refusal;
    struct uw_error error = {.text = ""};
    struct uw_arena arena;
    struct uw_cache cache;

    uw_thresholds_default(&settings.defaults);
    uw_arena_init(&arena, 1u << 24);
    uw_judgement_init(&judgement, &settings);
    assert_int_equal(uw_cache_init(&cache, 1u << 24), UW_OK);
    assert_true(uw_date_parse(uw_str_from(as_of), &position.as_of_day));
    for (uint32_t i = 0; i < EVENT_COUNT; i++) {
        bool redelivery;

        assert_int_equal(uw_json_read_event(uw_str_from(events[i]), &arena, &decoded[i], &refusal), UW_OK);
        facts[i] = (struct uw_fact_change){.event = &decoded[i], .partition = PARTITION, .offset = i};
        struct uw_resident *resident = uw_cache_find(&cache, decoded[i].client);
        if (resident == NULL) {
            resident = uw_cache_add(&cache, decoded[i].client, PARTITION);
        }
        assert_non_null(resident);
        assert_int_equal(uw_client_add(&resident->client, &decoded[i], &redelivery), UW_OK);
    }
    /* All is new: before the batch there was nothing of these clients. */
    for (struct uw_resident *resident = cache.newest; resident != NULL; resident = resident->older) {
        struct uw_client empty;

        uw_client_init(&empty);
        assert_int_equal(uw_judge_before(&judgement, &empty), UW_OK);
        assert_int_equal(uw_judge_after(&judgement, resident, position.as_of_day, true), UW_OK);
        uw_client_close(&empty);
    }
    const struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                       .partitions = &position,
                                       .partition_count = 1,
                                       .facts = facts,
                                       .fact_count = EVENT_COUNT,
                                       .accounts = judgement.accounts,
                                       .account_count = judgement.account_count,
                                       .alerts = judgement.alerts,
                                       .alert_count = judgement.alert_count,
                                       .anomalies = judgement.anomalies,
                                       .anomaly_count = judgement.anomaly_count,
                                       .clients = judgement.clients,
                                       .client_count = judgement.client_count};
    if (live_commit(store, &changes, &error) != UW_OK) {
        fail_msg("%s", error.text);
    }
    uw_judgement_close(&judgement);
    uw_cache_close(&cache);
    uw_arena_close(&arena);
    uw_pgstore_close(&store);
}

/* As the engine marks a partition that was judged by default thresholds. */
static void mark_rules(void)
{
    struct uw_settings settings = {.rule_count = 0};
    char sql[200];

    uw_thresholds_default(&settings.defaults);
    uint64_t fingerprint = uw_settings_fingerprint(&settings) * UINT64_C(1099511628211) + UW_RULES_VERSION;
    snprintf(sql, sizeof sql, "UPDATE urenwacht_data.partition_state SET rules_fingerprint = %lld",
             (long long)(int64_t)fingerprint);
    (void)live_number(sql);
}

/* Runs the command with its standard output in `output`. */
static int explain(const char *const *arguments, int count, char output[OUTPUT_BYTES])
{
    char *argv[16] = {NULL}, *made[16]; /* getopt_long moves those of argv */
    static char command[] = "explain", dsn[] = "--dsn";
    FILE *file = tmpfile();
    int kept = dup(STDOUT_FILENO), argc = 0;

    assert_non_null(file);
    argv[argc++] = command;
    for (int i = 0; i < count; i++) {
        argv[argc++] = made[i] = strdup(arguments[i]);
    }
    argv[argc++] = dsn;
    argv[argc++] = made[count] = strdup(live_dsn());
    (void)fflush(stdout);
    assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
    int status = uw_command_explain(argc, argv);
    (void)fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    close(kept);
    rewind(file);
    size_t length = fread(output, 1, OUTPUT_BYTES - 1, file);
    output[length] = '\0';
    fclose(file);
    for (int i = 0; i <= count; i++) {
        free(made[i]);
    }
    return status;
}

static char output[OUTPUT_BYTES];

static void assert_says(const char *part)
{
    if (strstr(output, part) == NULL) {
        fail_msg("not said: %s\n%s", part, output);
    }
}

static void test_what_is_stored_is_explained(void **state)
{
    const char *const plain[] = {"0363", "WMO-1"};
    (void)state;
    live_require();
    commit_events("2026-03-01");
    mark_rules();
    assert_int_equal(explain(plain, 2, output), UW_EXIT_OK);
    assert_says("Peildatum:     2026-03-01 (zoals de verwerking het laatst oordeelde)");
    assert_says("100·85 = 8500 ≥ 80·100 = 8000 → SURPLUS_LOW vanaf 2026-02-02");
    assert_says("waarschuwingen en signalen: vergeleken met wat de verwerking heeft opgeslagen");
    assert_says("in orde: geen verschillen");
    const char *const other[] = {"0363", "WMO-1", "--as-of", "2026-03-02", "--lang", "en"};
    assert_int_equal(explain(other, 6, output), UW_EXIT_OK);
    assert_says("alerts and anomalies: not compared, the processor judged as of 2026-03-01");
    const char *const thresholds[] = {"0363", "WMO-1", "--set", "thresholds.stalled_days=20"};
    assert_int_equal(explain(thresholds, 4, output), UW_EXIT_OK);
    assert_says("met andere drempels");
}

static void test_differences_fail(void **state)
{
    const char *const plain[] = {"0363", "WMO-1"};
    (void)state;
    live_require();
    commit_events("2026-03-01");
    mark_rules();
    (void)live_number("UPDATE urenwacht_data.account_state SET used_minutes = used_minutes + 1");
    assert_int_equal(explain(plain, 2, output), UW_EXIT_FAILED);
    assert_says("used_minutes  85         86");
    (void)live_number("UPDATE urenwacht_data.account_state SET used_minutes = used_minutes - 1;"
                      "UPDATE urenwacht_data.alert_state SET status = 'RESOLVED' WHERE kind = 'SURPLUS_LOW'");
    assert_int_equal(explain(plain, 2, output), UW_EXIT_FAILED);
    assert_says("SURPLUS_LOW 2026-01-01 2026-01-01 80");
}

static void test_unknown_and_several_clients(void **state)
{
    const char *const unknown[] = {"0363", "WMO-3"}, *const several[] = {"0363", "WMO-2"};
    const char *const chosen[] = {"0363", "WMO-2", "--client", "c-2"};
    const char *const nobody[] = {"0363", "WMO-2", "--client", "c-3"};
    (void)state;
    live_require();
    commit_events("2026-03-01");
    assert_int_equal(explain(unknown, 2, output), UW_EXIT_FAILED);
    assert_int_equal(explain(several, 2, output), UW_EXIT_USAGE);
    assert_string_equal(output, "c-1\nc-2\n");
    assert_int_equal(explain(chosen, 4, output), UW_EXIT_OK);
    assert_says("onbekende toewijzing: wacht op de toewijzing");
    assert_int_equal(explain(nobody, 4, output), UW_EXIT_FAILED);
}

static void test_schema_must_be_there(void **state)
{
    const char *const plain[] = {"0363", "WMO-1"};
    (void)state;
    live_require();
    live_empty();
    assert_int_equal(explain(plain, 2, output), UW_EXIT_USAGE);
    assert_string_equal(output, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_stored_is_explained),
        cmocka_unit_test(test_differences_fail),
        cmocka_unit_test(test_unknown_and_several_clients),
        cmocka_unit_test(test_schema_must_be_there),
    };
    return cmocka_run_group_tests(tests, live_start, live_stop);
}
