/* The command against a real PostgreSQL: what was judged and committed is explained and found in order. */
#include "tests/producers/store_live.h"

#include <unistd.h>

#include "cli/command.h"
#include "core/engine.h"
#include "schemas/json.h"
#include "tests/support/nowhere.h"

#define OUTPUT_BYTES (1u << 20)
#define PARTITION 3

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
static const char *const keys[] = {"c-1", "c-1", "c-2", "c-1"};
#define EVENT_COUNT ((uint32_t)(sizeof events / sizeof events[0]))

/* The engine on the real store. Its messages hold JSON, and nobody reads what it publishes. */
static enum uw_code decode_json(void *context, enum uw_topic topic, struct uw_str value, struct uw_arena *arena,
                                struct uw_event *event, struct uw_refusal *refusal, struct uw_error *error)
{
    (void)context;
    (void)error;
    enum uw_code code = uw_json_read_event(value, arena, event, refusal);
    return code == UW_OK && event->topic != topic ? UW_EINTERNAL : code;
}

static enum uw_code encode_alert(void *context, const struct uw_alert_change *alert, int64_t observed_at_ms,
                                 struct uw_arena *arena, struct uw_outbox_record *record)
{
    (void)context;
    (void)observed_at_ms;
    (void)arena;
    *record = (struct uw_outbox_record){.output = UW_OUTPUT_ALERTS, .key = alert->client};
    return UW_OK;
}

static enum uw_code encode_anomaly(void *context, const struct uw_anomaly_change *anomaly, int64_t observed_at_ms,
                                   struct uw_arena *arena, struct uw_outbox_record *record)
{
    (void)context;
    (void)observed_at_ms;
    (void)arena;
    *record = (struct uw_outbox_record){.output = UW_OUTPUT_ANOMALIES, .key = anomaly->client};
    return UW_OK;
}

static enum uw_code encode_dead_letter(void *context, const struct uw_message *message,
                                       const struct uw_refusal *refusal, struct uw_arena *arena,
                                       struct uw_outbox_record *record)
{
    (void)context;
    (void)message;
    (void)arena;
    (void)record;
    fail_msg("%s", refusal->text);
    return UW_EINTERNAL;
}

static void assert_ok(enum uw_code code, const struct uw_error *error)
{
    if (code != UW_OK) {
        fail_msg("%s", error->text);
    }
}

/* The first event goes to the first topic, all others to the second. With `behind` more is said to wait, so that nobody
 * is judged yet. */
static void run_engine(struct uw_engine *engine, bool behind)
{
    struct uw_message messages[EVENT_COUNT];
    struct uw_error error = {.text = ""};
    int64_t next_offset[UW_TOPIC_COUNT];
    bool more = true;

    assert_ok(uw_engine_claim(engine, PARTITION, next_offset, &error), &error);
    assert_ok(uw_engine_recover(engine, &error), &error);
    for (uint32_t i = 0; i < EVENT_COUNT; i++) {
        messages[i] = (struct uw_message){.topic = i == 0 ? UW_TOPIC_DECISIONS : UW_TOPIC_DECLARATIONS,
                                          .partition = PARTITION,
                                          .offset = i == 0 ? 0 : i - 1,
                                          .key = uw_str_from(keys[i]),
                                          .value = uw_str_from(events[i])};
    }
    uw_engine_fall_behind(engine, behind ? PARTITION : -1, false);
    assert_ok(uw_engine_apply(engine, messages, EVENT_COUNT, LIVE_AT_MS, &error), &error);
    assert_ok(uw_engine_publish(engine, &error), &error);
    while (more) {
        assert_ok(uw_engine_due(engine, 100, LIVE_AT_MS, &more, &error), &error);
        assert_ok(uw_engine_publish(engine, &error), &error);
    }
}

static void process_events(const char *as_of, bool behind)
{
    struct uw_pgstore *store = live_open("explain-test");
    struct uw_settings settings = {.rule_count = 0};
    struct uw_engine_options options = {
        .decoder = {NULL, decode_json},
        .encoder = {NULL, encode_alert, encode_anomaly, encode_dead_letter},
        .publisher = uw_nowhere(),
        .settings = &settings,
        .cache_max_bytes = 1u << 24,
        .pinned = true,
    };
    struct uw_error error = {.text = ""};
    struct uw_engine *engine = NULL;

    uw_thresholds_default(&settings.defaults);
    assert_true(uw_date_parse(uw_str_from(as_of), &options.as_of_day));
    uw_pgstore_port(store, &options.store);
    assert_ok(uw_engine_open(&options, &engine, &error), &error);
    run_engine(engine, behind);
    uw_engine_close(&engine);
    uw_pgstore_close(&store);
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
    process_events("2026-03-01", false);
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
    process_events("2026-03-01", false);
    (void)live_number("UPDATE urenwacht_data.account_state SET used_minutes = used_minutes + 1");
    assert_int_equal(explain(plain, 2, output), UW_EXIT_FAILED);
    assert_says("used_minutes  85         86");
    (void)live_number("UPDATE urenwacht_data.account_state SET used_minutes = used_minutes - 1;"
                      "UPDATE urenwacht_data.alert_state SET status = 'RESOLVED' WHERE kind = 'SURPLUS_LOW'");
    assert_int_equal(explain(plain, 2, output), UW_EXIT_FAILED);
    assert_says("SURPLUS_LOW 2026-01-01 2026-01-01 80");
}

/* Facts of a long backlog are stored before their client is judged. */
static void test_who_is_not_judged_yet(void **state)
{
    const char *const plain[] = {"0363", "WMO-1", "--lang", "en"};
    (void)state;
    live_require();
    process_events("2026-03-01", true);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht_data.account_state"), 0);
    assert_int_equal(explain(plain, 4, output), UW_EXIT_OK);
    assert_says("accounts: not compared, the processor is still to judge this client");
    assert_says("alerts and anomalies: not compared, the processor is still to judge this client");
}

static void test_unknown_and_several_clients(void **state)
{
    const char *const unknown[] = {"0363", "WMO-3"}, *const several[] = {"0363", "WMO-2"};
    const char *const chosen[] = {"0363", "WMO-2", "--client", "c-2"};
    const char *const nobody[] = {"0363", "WMO-2", "--client", "c-3"};
    (void)state;
    live_require();
    process_events("2026-03-01", false);
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
        cmocka_unit_test(test_who_is_not_judged_yet),
        cmocka_unit_test(test_unknown_and_several_clients),
        cmocka_unit_test(test_schema_must_be_there),
    };
    return cmocka_run_group_tests(tests, live_start, live_stop);
}
