/* Events as lines of JSON: what is read, what is written, what is said of mistakes. */
#include "golden.h"

static const char evaluation[] =
    "{\"topic\": \"evaluations\", \"value\": {\"event_id\": \"30c56715-0f36-4781-aa5c-40e52d21af94\", \"recorded_at\": "
    "1769731200000, \"municipality\": \"0518\", \"client\": \"c101-00004\", \"decision\": \"05180000041\", \"held_on\": "
    "\"2025-11-15\", \"outcome\": \"DOWNSCALE\"}}";
static const char decision[] =
    "{\"topic\": \"decisions\", \"value\": {\"event_id\": \"1bd2de18-41ca-4e79-9577-711272cd3e57\", \"recorded_at\": "
    "1766060700000, \"municipality\": \"0518\", \"client\": \"c101-00013\", \"decision\": \"05180000131\", \"version\": "
    "1, \"status\": \"ACTIVE\", \"law\": \"WMO\", \"product_category\": \"02\", \"product\": \"02A03\", \"care\": "
    "\"INTENSIVE\", \"provider\": \"41410002\", \"valid_from\": \"2025-12-18\", \"valid_to\": null, "
    "\"effective_from\": \"2025-12-18\", \"terms\": {\"Result\": {\"result\": \"structuur\", \"price_cents\": 45000, "
    "\"expected_minutes_per_week\": null}}, \"no_show\": {\"billable_percent\": 75, \"max_per_month\": null, "
    "\"notice_hours\": 24, \"counts_to_budget\": true}, \"evaluation_months\": [3, 12], \"rate_cents_per_hour\": null}}";

/* The line with the first `from` replaced. */
static void replaced(const char *line, const char *from, const char *to, char *result, size_t size)
{
    const char *place = strstr(line, from);
    assert_non_null(place);
    int length = snprintf(result, size, "%.*s%s%s", (int)(place - line), line, to, place + strlen(from));
    assert_true(length > 0 && (size_t)length < size);
}

struct mistake {
    const char *line, *from, *to;
    enum uw_refusal_reason reason;
    const char *text;
};

static const struct mistake mistakes[] = {
    {evaluation, "evaluations", "evaluation", UW_REFUSED_MALFORMED,
     "topic: must be decisions, declarations, no-shows or evaluations"},
    {evaluation, "\"topic\": \"evaluations\"", "\"topic\": 3", UW_REFUSED_MALFORMED,
     "topic: must be decisions, declarations, no-shows or evaluations"},
    {evaluation, "\"topic\"", "\"Topic\"", UW_REFUSED_MALFORMED, "Topic: unknown key beside topic and value"},
    {evaluation, "\"topic\": \"evaluations\", ", "", UW_REFUSED_MALFORMED, "topic: missing"},
    {evaluation, "\"topic\"", "\"key\": \"x\", \"topic\"", UW_REFUSED_MALFORMED,
     "key: unknown key beside topic and value"},
    {evaluation, "\"outcome\": \"DOWNSCALE\"", "\"outcome\": \"DOWNSCALE\", \"extra\": 1", UW_REFUSED_RULE,
     "extra: unknown key"},
    {evaluation, ", \"outcome\": \"DOWNSCALE\"", "", UW_REFUSED_RULE, "outcome: missing"},
    {evaluation, "DOWNSCALE", "STOP", UW_REFUSED_RULE, "outcome: must be one of CONTINUE ADJUST DOWNSCALE END"},
    {evaluation, "\"DOWNSCALE\"", "2", UW_REFUSED_RULE, "outcome: must be one of CONTINUE ADJUST DOWNSCALE END"},
    {evaluation, "2025-11-15", "2025-02-29", UW_REFUSED_RULE, "held_on: must be an existing date YYYY-MM-DD"},
    {evaluation, "2025-11-15", "15-11-2025", UW_REFUSED_RULE, "held_on: must be an existing date YYYY-MM-DD"},
    {evaluation, "2025-11-15", "1899-12-31", UW_REFUSED_RULE, "held_on: outside the years 1900 to 2199"},
    {evaluation, "\"2025-11-15\"", "null", UW_REFUSED_RULE, "held_on: must be an existing date YYYY-MM-DD"},
    {evaluation, "1769731200000", "\"1769731200000\"", UW_REFUSED_RULE,
     "recorded_at: must be a whole number of milliseconds"},
    {evaluation, "1769731200000", "1.5", UW_REFUSED_RULE, "recorded_at: must be a whole number of milliseconds"},
    {evaluation, "1769731200000", "99999999999999999999", UW_REFUSED_MALFORMED, NULL},
    {evaluation, "1769731200000", "-9223372036854775808", UW_REFUSED_RULE,
     "recorded_at: must be a whole number of milliseconds"},
    {evaluation, "\"0518\"", "518", UW_REFUSED_RULE, "municipality: must be a string"},
    {evaluation, "\"0518\"", "\"518\"", UW_REFUSED_RULE, "municipality: must be 4 digits"},
    {evaluation, "30c56715", "30c5671", UW_REFUSED_RULE, "event_id: must be a UUID in the form 8-4-4-4-12"},
    {evaluation, "\"outcome\"", "\"outcome\": \"END\", \"outcome\"", UW_REFUSED_MALFORMED, NULL},
    {evaluation, "05180000041", "a\\u0000b", UW_REFUSED_MALFORMED, NULL},
    {evaluation, "05180000041", "\xff", UW_REFUSED_MALFORMED, NULL},
    {evaluation, "}}", "}", UW_REFUSED_MALFORMED, NULL},
    {evaluation, "}}", "}} {}", UW_REFUSED_MALFORMED, NULL},
    {"[1]", "1", "2", UW_REFUSED_MALFORMED, "the line must be a JSON object"},
    {"{\"topic\": \"decisions\", \"value\": 1}", "1", "2", UW_REFUSED_MALFORMED, "value: must be an object"},
    {decision, "\"version\": 1", "\"version\": 2147483648", UW_REFUSED_RULE,
     "version: must be a whole number of 32 bits"},
    {decision, "\"version\": 1", "\"version\": true", UW_REFUSED_RULE, "version: must be a whole number"},
    {decision, "\"valid_to\": null", "\"valid_to\": 5", UW_REFUSED_RULE,
     "valid_to: must be an existing date YYYY-MM-DD or null"},
    {decision, "\"Result\": {", "\"Resultaat\": {", UW_REFUSED_RULE, "terms: unknown funding form"},
    {decision, "\"Result\": {", "\"Task\": {}, \"Result\": {", UW_REFUSED_RULE,
     "terms: must be an object with one key, the funding form"},
    {decision, "\"price_cents\": 45000", "\"price_cent\": 45000", UW_REFUSED_RULE, "terms.price_cent: unknown key"},
    {decision, "\"price_cents\": 45000, ", "", UW_REFUSED_RULE, "terms.price_cents: missing"},
    {decision, "45000", "\"45000\"", UW_REFUSED_RULE, "terms.price_cents: must be a whole number"},
    {decision, "\"expected_minutes_per_week\": null", "\"expected_minutes_per_week\": \"\"", UW_REFUSED_RULE,
     "terms.expected_minutes_per_week: must be a whole number or null"},
    {decision, "true", "1", UW_REFUSED_RULE, "no_show.counts_to_budget: must be true or false"},
    {decision, "\"billable_percent\": 75", "\"billable_percent\": 101", UW_REFUSED_RULE,
     "no_show.billable_percent: 101; must be 0 to 100"},
    {decision, "[3, 12]", "3", UW_REFUSED_RULE, "evaluation_months: must be an array of whole numbers"},
    {decision, "[3, 12]", "[3, null]", UW_REFUSED_RULE,
     "evaluation_months: must be an array of whole numbers of 32 bits"},
    {decision, "[3, 12]", "[3, 121]", UW_REFUSED_RULE, "evaluation_months: 121; must be 1 to 120"},
    {decision, "\"rate_cents_per_hour\": null", "\"rate_cents_per_hour\": -2147483648", UW_REFUSED_RULE,
     "rate_cents_per_hour: must be a whole number of 32 bits or null"},
};

static void every_mistake_has_its_words(void **state)
{
    (void)state;
    struct uw_arena arena;
    uw_arena_init(&arena, ARENA_BYTES);
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        const struct mistake *mistake = &mistakes[i];
        char line[2048];
        replaced(mistake->line, mistake->from, mistake->to, line, sizeof line);
        struct uw_event event;
        struct uw_refusal refusal = {UW_REFUSED_NOT, ""};
        assert_int_equal(uw_json_read_event(uw_str_from(line), &arena, &event, &refusal), UW_EINPUT);
        assert_int_equal(refusal.reason, mistake->reason);
        if (mistake->text != NULL) {
            assert_string_equal(refusal.text, mistake->text);
        }
        assert_true(strlen(refusal.text) > 0);
        assert_null(strstr(refusal.text, "c101-"));
    }
    uw_arena_close(&arena);
}

static void empty_and_long_lines(void **state)
{
    (void)state;
    struct uw_event event;
    struct uw_refusal refusal;
    assert_int_equal(uw_json_read_event(UW_STR(""), NULL, &event, &refusal), UW_EINPUT);
    assert_int_equal(refusal.reason, UW_REFUSED_EMPTY_VALUE);
    char *line = malloc(UW_JSON_LINE_BYTES_MAX + 1);
    assert_non_null(line);
    memset(line, ' ', UW_JSON_LINE_BYTES_MAX + 1);
    assert_int_equal(uw_json_read_event((struct uw_str){line, UW_JSON_LINE_BYTES_MAX}, NULL, &event, &refusal),
                     UW_EINPUT);
    assert_int_not_equal(refusal.reason, UW_REFUSED_TOO_LARGE);
    assert_int_equal(
        uw_json_read_event((struct uw_str){line, UW_JSON_LINE_BYTES_MAX + 1}, NULL, &event, &refusal), UW_EINPUT);
    assert_int_equal(refusal.reason, UW_REFUSED_TOO_LARGE);
    free(line);
}

static void a_line_comes_back_as_it_was(void **state)
{
    (void)state;
    struct uw_arena arena;
    uw_arena_init(&arena, ARENA_BYTES);
    static const char *const lines[] = {evaluation, decision};
    for (size_t i = 0; i < 2; i++) {
        struct uw_event event;
        struct uw_refusal refusal;
        struct uw_str text;
        assert_int_equal(uw_json_read_event(uw_str_from(lines[i]), &arena, &event, &refusal), UW_OK);
        assert_int_equal(uw_json_write_event(&event, &arena, &text), UW_OK);
        assert_string_equal(text.data, lines[i]);
    }
    uw_arena_close(&arena);
}

static bool is_ascii(const char *line)
{
    for (; *line != '\0'; line++) {
        if ((unsigned char)*line >= 0x80) {
            return false;
        }
    }
    return true;
}

/* Every event of a file through JSON and Avro and back. */
static int check_file(const char *name, struct uw_codec *codec)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/tests/data/%s", UW_SOURCE_DIR, name);
    size_t length = 0;
    char *data = read_file(path, &length);
    struct uw_arena arena;
    uw_arena_init(&arena, ARENA_BYTES);
    int count = 0;
    for (char *line = data, *end; *line != '\0'; line = end + 1, count++) {
        end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        struct uw_event event, decoded;
        struct uw_refusal refusal;
        struct uw_error error;
        struct uw_str text, bytes, again;
        if (uw_json_read_event(uw_str_from(line), &arena, &event, &refusal) != UW_OK) {
            fail_msg("%s:%d: %s", name, count + 1, refusal.text);
        }
        assert_int_equal(uw_json_write_event(&event, &arena, &text), UW_OK);
        if (is_ascii(line)) {
            assert_string_equal(text.data, line);
        }
        assert_int_equal(uw_codec_encode(codec, &event, &arena, &bytes), UW_OK);
        assert_int_equal(uw_codec_decode(codec, event.topic, bytes, &arena, &decoded, &refusal, &error), UW_OK);
        assert_int_equal(uw_json_write_event(&decoded, &arena, &again), UW_OK);
        assert_string_equal(again.data, text.data);
        uw_arena_reset(&arena);
    }
    uw_arena_close(&arena);
    free(data);
    return count;
}

static void the_event_sets_come_back_as_they_were(void **state)
{
    (void)state;
    struct uw_codec *codec = NULL;
    struct uw_error error;
    assert_int_equal(uw_codec_open(NULL, &codec, &error), UW_OK);
    assert_true(check_file("edges.events.jsonl", codec) > 100);
    assert_true(check_file("hostile-1.events.jsonl", codec) > 100);
    assert_true(check_file("hostile-2.events.jsonl", codec) > 100);
    uw_codec_close(&codec);
}

/* hostile-invalid.refused names, by line, the events that the oracle of the tests refuses: no more, no fewer. */
static void the_oracle_refuses_the_same(void **state)
{
    (void)state;
    size_t length = 0;
    char *events = read_file(UW_SOURCE_DIR "/tests/data/hostile-invalid.events.jsonl", &length);
    char *refused = read_file(UW_SOURCE_DIR "/tests/data/hostile-invalid.refused", &length);
    struct uw_arena arena;
    uw_arena_init(&arena, ARENA_BYTES);
    char *next = refused;
    long number = 1;
    for (char *line = events, *end; *line != '\0'; line = end + 1, number++) {
        end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        bool wanted = strtol(next, NULL, 10) == number;
        struct uw_event event;
        struct uw_refusal refusal = {UW_REFUSED_NOT, ""};
        enum uw_code code = uw_json_read_event(uw_str_from(line), &arena, &event, &refusal);
        if (code != (wanted ? UW_EINPUT : UW_OK)) {
            fail_msg("line %ld: %s", number, wanted ? "accepted" : refusal.text);
        }
        if (wanted) {
            next = strchr(next, '\n');
            assert_non_null(next);
            next++;
        }
        uw_arena_reset(&arena);
    }
    assert_string_equal(next, "");
    uw_arena_close(&arena);
    free(events);
    free(refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_has_its_words),
        cmocka_unit_test(empty_and_long_lines),
        cmocka_unit_test(a_line_comes_back_as_it_was),
        cmocka_unit_test(the_event_sets_come_back_as_they_were),
        cmocka_unit_test(the_oracle_refuses_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
