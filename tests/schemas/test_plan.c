/* Plans: the reader's defaults and aliases, which our newest schemas do not use yet, and other corners. */
#include "golden.h"

#include "schemas/decode.h"

/* Readers' schemas for the shapes of ours. */
#define POLICY                                                                                                         \
    "{\"type\": \"record\", \"name\": \"NoShowPolicy\", \"fields\": ["                                                 \
    "{\"name\": \"billable_percent\", \"type\": \"int\"},"                                                             \
    "{\"name\": \"max_per_month\", \"type\": [\"null\", \"int\"], \"default\": null},"                                 \
    "{\"name\": \"notice_hours\", \"type\": \"int\", \"default\": 24},"                                                \
    "{\"name\": \"counts_to_budget\", \"type\": \"boolean\", \"default\": true}]}"
#define TERMS                                                                                                          \
    "[{\"type\": \"record\", \"name\": \"Bandwidth\", \"fields\": ["                                                   \
    "{\"name\": \"min_minutes\", \"type\": \"int\"}, {\"name\": \"max_minutes\", \"type\": \"int\"},"                  \
    "{\"name\": \"per\", \"type\": {\"type\": \"enum\", \"name\": \"BandwidthPeriod\", \"symbols\": [\"WEEK\", "       \
    "\"FOUR_WEEKS\", \"MONTH\"]}}]}]"

static const char decision_reader[] =
    "{\"type\": \"record\", \"name\": \"Decision\", \"namespace\": \"nl.urenwacht\", \"fields\": ["
    "{\"name\": \"event_id\", \"type\": \"string\", \"default\": \"00000000-0000-4000-8000-00000000000A\"},"
    "{\"name\": \"recorded_at\", \"type\": \"long\", \"default\": 1767225600000},"
    "{\"name\": \"municipality\", \"type\": \"string\", \"default\": \"0363\"},"
    "{\"name\": \"client\", \"type\": \"string\"},"
    "{\"name\": \"decision\", \"type\": \"string\", \"default\": \"WMO-1\"},"
    "{\"name\": \"version\", \"type\": \"int\", \"default\": 1},"
    "{\"name\": \"status\", \"type\": {\"type\": \"enum\", \"name\": \"DecisionStatus\", \"symbols\": [\"ACTIVE\", "
    "\"WITHDRAWN\"]}, \"default\": \"WITHDRAWN\"},"
    "{\"name\": \"law\", \"type\": {\"type\": \"enum\", \"name\": \"Law\", \"aliases\": [\"Wet\"], \"symbols\": [\"WMO\", "
    "\"JEUGDWET\"], \"default\": \"JEUGDWET\"}},"
    "{\"name\": \"product_category\", \"type\": \"string\", \"default\": \"02\"},"
    "{\"name\": \"product\", \"type\": \"string\", \"default\": \"\"},"
    "{\"name\": \"care\", \"type\": {\"type\": \"enum\", \"name\": \"Care\", \"symbols\": [\"CONTINUOUS\", "
    "\"INTENSIVE\"]}, \"default\": \"INTENSIVE\"},"
    "{\"name\": \"provider\", \"type\": \"string\", \"default\": \"41410001\"},"
    "{\"name\": \"valid_from\", \"type\": \"int\", \"default\": 20454},"
    "{\"name\": \"valid_to\", \"type\": [\"null\", \"int\"], \"default\": null},"
    "{\"name\": \"effective_from\", \"type\": \"int\", \"default\": 20454},"
    "{\"name\": \"terms\", \"type\": " TERMS ", \"default\": {\"min_minutes\": 60, \"max_minutes\": 240, \"per\": "
    "\"MONTH\"}},"
    "{\"name\": \"no_show\", \"type\": " POLICY ", \"default\": {\"billable_percent\": 75, \"notice_hours\": 48}},"
    "{\"name\": \"evaluation_months\", \"type\": {\"type\": \"array\", \"items\": \"int\"}, \"default\": [3, 12]},"
    "{\"name\": \"rate_cents_per_hour\", \"type\": [\"int\", \"null\"], \"default\": 6230}]}";

static const char evaluation_reader[] =
    "{\"type\": \"record\", \"name\": \"Evaluation\", \"namespace\": \"nl.urenwacht\", \"aliases\": [\"Evaluatie\"], "
    "\"fields\": ["
    "{\"name\": \"event_id\", \"type\": \"string\"},"
    "{\"name\": \"recorded_at\", \"type\": \"long\"},"
    "{\"name\": \"municipality\", \"type\": \"string\", \"aliases\": [\"gemeente\"]},"
    "{\"name\": \"client\", \"type\": \"string\"},"
    "{\"name\": \"decision\", \"type\": \"string\", \"aliases\": [\"beschikking\", \"toewijzing\"]},"
    "{\"name\": \"held_on\", \"type\": \"int\"},"
    "{\"name\": \"outcome\", \"type\": {\"type\": \"enum\", \"name\": \"EvaluationOutcome\", \"aliases\": "
    "[\"nl.oud.Uitkomst\"], \"symbols\": [\"CONTINUE\", \"ADJUST\", \"DOWNSCALE\", \"END\"]}}]}";

struct opened {
    struct uw_schema *writer, *reader;
    struct uw_plan *plan;
};

static struct opened open_plan(const char *writer, const char *reader, enum uw_shape_id shape)
{
    struct opened opened = {NULL, NULL, NULL};
    struct uw_error error;
    if (uw_schema_open(uw_str_from(writer), &opened.writer, &error) != UW_OK ||
        uw_schema_open(uw_str_from(reader), &opened.reader, &error) != UW_OK) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(uw_plan_open(opened.writer, opened.reader, uw_shape_of(shape), &opened.plan), UW_OK);
    return opened;
}

static void close_plan(struct opened *opened)
{
    uw_plan_close(&opened->plan);
    uw_schema_close(&opened->writer);
    uw_schema_close(&opened->reader);
}

static void check_line(const struct uw_event *event, struct uw_arena *arena, const char *line)
{
    struct uw_str text;
    assert_int_equal(uw_json_write_event(event, arena, &text), UW_OK);
    assert_string_equal(text.data, line);
}

static void defaults_of_every_kind(void **state)
{
    (void)state;
    struct opened opened =
        open_plan("{\"type\": \"record\", \"name\": \"Decision\", \"fields\": [{\"name\": \"law\", \"type\": "
                  "{\"type\": \"enum\", \"name\": \"Wet\", \"symbols\": [\"PARTICIPATIEWET\", \"WMO\"]}},"
                  "{\"name\": \"client\", \"type\": \"string\"}]}",
                  decision_reader, UW_SHAPE_DECISION);
    assert_non_null(opened.plan->steps);
    struct uw_arena arena;
    uw_arena_init(&arena, ARENA_BYTES);
    struct uw_event event = {.topic = UW_TOPIC_DECISIONS};
    struct uw_refusal refusal;
    /* The writer's PARTICIPATIEWET is unknown to this reader, which has JEUGDWET for such. */
    assert_int_equal(uw_decode_record(opened.plan, UW_STR("\x00\x04"
                                                          "c1"),
                                      &arena, &event, &refusal),
                     UW_OK);
    check_line(&event, &arena,
               "{\"topic\": \"decisions\", \"value\": {\"event_id\": \"00000000-0000-4000-8000-00000000000A\", "
               "\"recorded_at\": 1767225600000, \"municipality\": \"0363\", \"client\": \"c1\", \"decision\": "
               "\"WMO-1\", \"version\": 1, \"status\": \"WITHDRAWN\", \"law\": \"JEUGDWET\", \"product_category\": "
               "\"02\", \"product\": \"\", \"care\": \"INTENSIVE\", \"provider\": \"41410001\", \"valid_from\": "
               "\"2026-01-01\", \"valid_to\": null, \"effective_from\": \"2026-01-01\", \"terms\": {\"Bandwidth\": "
               "{\"min_minutes\": 60, \"max_minutes\": 240, \"per\": \"MONTH\"}}, \"no_show\": {\"billable_percent\": "
               "75, \"max_per_month\": null, \"notice_hours\": 48, \"counts_to_budget\": true}, "
               "\"evaluation_months\": [3, 12], \"rate_cents_per_hour\": 6230}}");
    assert_int_equal(uw_decode_record(opened.plan, UW_STR("\x02\x04"
                                                          "c2"),
                                      &arena, &event, &refusal),
                     UW_OK);
    assert_int_equal(event.of.decision.law, UW_LAW_WMO);
    uw_arena_close(&arena);
    close_plan(&opened);
}

static void aliases_of_records_fields_and_enums(void **state)
{
    (void)state;
    struct opened opened =
        open_plan("{\"type\": \"record\", \"name\": \"Evaluatie\", \"namespace\": \"nl.oud\", \"fields\": ["
                  "{\"name\": \"outcome\", \"type\": {\"type\": \"enum\", \"name\": \"Uitkomst\", \"symbols\": "
                  "[\"END\", \"CONTINUE\"]}},"
                  "{\"name\": \"toewijzing\", \"type\": \"string\"}, {\"name\": \"gemeente\", \"type\": \"string\"},"
                  "{\"name\": \"client\", \"type\": \"string\"}, {\"name\": \"event_id\", \"type\": \"string\"},"
                  "{\"name\": \"recorded_at\", \"type\": \"int\"}, {\"name\": \"held_on\", \"type\": \"int\"}]}",
                  evaluation_reader, UW_SHAPE_EVALUATION);
    assert_non_null(opened.plan->steps);
    struct uw_arena arena;
    uw_arena_init(&arena, ARENA_BYTES);
    struct uw_event event = {.topic = UW_TOPIC_EVALUATIONS};
    struct uw_refusal refusal;
    assert_int_equal(uw_decode_record(opened.plan,
                                      UW_STR("\x00\x02"
                                             "D\x08"
                                             "0363\x04"
                                             "c1\x48"
                                             "00000000-0000-4000-8000-000000000001\x02\x04"),
                                      &arena, &event, &refusal),
                     UW_OK);
    check_line(&event, &arena,
               "{\"topic\": \"evaluations\", \"value\": {\"event_id\": \"00000000-0000-4000-8000-000000000001\", "
               "\"recorded_at\": 1, \"municipality\": \"0363\", \"client\": \"c1\", \"decision\": \"D\", \"held_on\": "
               "\"1970-01-03\", \"outcome\": \"END\"}}");
    uw_arena_close(&arena);
    close_plan(&opened);
}

/* A default that does not fit makes a plan that says so. */
static void wrong_defaults_are_told(void **state)
{
    (void)state;
    static const char *const wrong[] = {"\"five\"", "2147483648", "1.5", "null", "[]", "-2147483648"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char reader[512];
        (void)snprintf(reader, sizeof reader,
                       "{\"type\": \"record\", \"name\": \"Evaluation\", \"fields\": [{\"name\": \"held_on\", \"type\": "
                       "\"int\", \"default\": %s}]}",
                       wrong[i]);
        struct opened opened = open_plan("{\"type\": \"record\", \"name\": \"Evaluation\", \"fields\": []}", reader,
                                         UW_SHAPE_EVALUATION);
        assert_null(opened.plan->steps);
        assert_string_equal(opened.plan->why, "held_on: the default does not fit its type");
        close_plan(&opened);
    }
}

/* A schema of empty records in empty records costs nothing to send; skipping it has a limit. */
static void skipping_has_a_limit(void **state)
{
    (void)state;
    char writer[8192];
    size_t length = (size_t)snprintf(writer, sizeof writer,
                                     "{\"type\": \"record\", \"name\": \"Evaluation\", \"fields\": [{\"name\": \"r0\", "
                                     "\"type\": {\"type\": \"record\", \"name\": \"R0\", \"fields\": []}}");
    for (int i = 1; i < 40; i++) {
        length += (size_t)snprintf(writer + length, sizeof writer - length,
                                   ", {\"name\": \"r%d\", \"type\": {\"type\": \"record\", \"name\": \"R%d\", \"fields\": "
                                   "[{\"name\": \"a\", \"type\": \"R%d\"}, {\"name\": \"b\", \"type\": \"R%d\"}]}}",
                                   i, i, i - 1, i - 1);
    }
    (void)snprintf(writer + length, sizeof writer - length, "]}");
    struct opened opened = open_plan(
        writer, "{\"type\": \"record\", \"name\": \"Evaluation\", \"fields\": []}", UW_SHAPE_EVALUATION);
    struct uw_event event;
    struct uw_refusal refusal;
    assert_int_equal(uw_decode_record(opened.plan, UW_STR(""), NULL, &event, &refusal), UW_EINPUT);
    assert_int_equal(refusal.reason, UW_REFUSED_MALFORMED);
    close_plan(&opened);

    /* And so has a list of nothings. */
    opened = open_plan("{\"type\": \"record\", \"name\": \"Evaluation\", \"fields\": [{\"name\": \"n\", \"type\": "
                       "{\"type\": \"array\", \"items\": \"null\"}}]}",
                       "{\"type\": \"record\", \"name\": \"Evaluation\", \"fields\": []}", UW_SHAPE_EVALUATION);
    assert_int_equal(uw_decode_record(opened.plan, UW_STR("\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x00"), NULL, &event,
                                      &refusal),
                     UW_EINPUT);
    assert_int_equal(refusal.reason, UW_REFUSED_MALFORMED);
    assert_int_equal(uw_decode_record(opened.plan, UW_STR("\x06\x00"), NULL, &event, &refusal), UW_OK);
    /* The list itself is one of those that are passed over. */
    for (uint32_t items = UW_DECODE_SKIPS_MAX - 2; items <= UW_DECODE_SKIPS_MAX; items++) {
        char bytes[8];
        uint32_t length_of_list = 0;
        for (uint64_t left = (uint64_t)items << 1; left > 0; left >>= 7) {
            bytes[length_of_list++] = (char)((left & 0x7F) | (left > 0x7F ? 0x80 : 0));
        }
        bytes[length_of_list++] = 0;
        assert_int_equal(
            uw_decode_record(opened.plan, (struct uw_str){bytes, length_of_list}, NULL, &event, &refusal),
            items < UW_DECODE_SKIPS_MAX ? UW_OK : UW_EINPUT);
    }
    close_plan(&opened);
}

static void skipping_has_a_depth(void **state)
{
    (void)state;
    struct opened opened =
        open_plan("{\"type\": \"record\", \"name\": \"Evaluation\", \"fields\": [{\"name\": \"t\", \"type\": {\"type\": "
                  "\"record\", \"name\": \"T\", \"fields\": [{\"name\": \"next\", \"type\": [\"null\", \"T\"]}]}}]}",
                  "{\"type\": \"record\", \"name\": \"Evaluation\", \"fields\": []}", UW_SHAPE_EVALUATION);
    struct uw_event event;
    struct uw_refusal refusal;
    char bytes[4096];
    memset(bytes, 0x02, sizeof bytes);
    bytes[20] = 0;
    assert_int_equal(uw_decode_record(opened.plan, (struct uw_str){bytes, 21}, NULL, &event, &refusal), UW_OK);
    /* Each of them is two deeper: the choice, and the record that is chosen; what ends them is one deeper still. */
    for (uint32_t count = UW_DECODE_DEPTH_MAX / 2 - 2; count <= UW_DECODE_DEPTH_MAX / 2; count++) {
        memset(bytes, 0x02, count);
        bytes[count] = 0;
        assert_int_equal(uw_decode_record(opened.plan, (struct uw_str){bytes, count + 1}, NULL, &event, &refusal),
                         2 * count + 2 <= UW_DECODE_DEPTH_MAX ? UW_OK : UW_EINPUT);
    }
    memset(bytes, 0x02, sizeof bytes);
    bytes[sizeof bytes - 1] = 0;
    assert_int_equal(uw_decode_record(opened.plan, (struct uw_str){bytes, sizeof bytes}, NULL, &event, &refusal),
                     UW_EINPUT);
    assert_int_equal(refusal.reason, UW_REFUSED_MALFORMED);
    close_plan(&opened);
}

/* A union of so many records of one name in several namespaces, all of which hold one with `skipped` fields that
 * the reader does not have: the plan has steps for each. To be freed. */
static char *repeating_writer(uint32_t branches, uint32_t skipped)
{
    char *json = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&json, &length);
    assert_non_null(out);
    for (uint32_t i = 0; i < branches; i++) {
        (void)fprintf(out,
                      "%s{\"type\": \"record\", \"name\": \"n%u.Decision\", \"fields\": [{\"name\": \"client\", "
                      "\"type\": \"string\"}, {\"name\": \"law\", \"type\": {\"type\": \"enum\", \"name\": \"Law\", "
                      "\"symbols\": [\"WMO\"]}}, {\"name\": \"no_show\", \"type\": ",
                      i == 0 ? "[" : ", ", (unsigned)i);
        if (i > 0) {
            (void)fputs("\"p.NoShowPolicy\"}]}", out);
            continue;
        }
        (void)fputs("{\"type\": \"record\", \"name\": \"p.NoShowPolicy\", \"fields\": [{\"name\": "
                    "\"billable_percent\", \"type\": \"int\"}",
                    out);
        for (uint32_t k = 0; k < skipped; k++) {
            (void)fprintf(out, ", {\"name\": \"x%u\", \"type\": \"int\"}", (unsigned)k);
        }
        (void)fputs("]}}]}", out);
    }
    (void)fputs("]", out);
    assert_int_equal(fclose(out), 0);
    assert_true(length < UW_SCHEMA_BYTES_MAX);
    return json;
}

#define SKIPPED 1000u

static void plans_have_a_limit(void **state)
{
    (void)state;
    size_t used_bytes = 0, branch_bytes = 0;
    uint32_t branches = 1;
    bool readable = true;
    while (readable) {
        char *writer = repeating_writer(branches, SKIPPED);
        struct opened opened = open_plan(writer, decision_reader, UW_SHAPE_DECISION);
        readable = opened.plan->steps != NULL;
        if (readable) {
            used_bytes = opened.plan->memory.used_bytes;
            assert_true(used_bytes <= UW_PLAN_MEMORY_BYTES_MAX);
            branch_bytes = branches == 1 ? used_bytes : branch_bytes;
        } else {
            assert_string_equal(opened.plan->why, "Decision: reading it takes more than 16 MiB of memory");
            assert_null(opened.plan->memory.block);
        }
        close_plan(&opened);
        free(writer);
        /* Near the limit one by one. */
        branches = branches == 1 ? (uint32_t)(UW_PLAN_MEMORY_BYTES_MAX / branch_bytes) - 1 : branches + 1;
    }
    assert_true(used_bytes + 2 * branch_bytes > UW_PLAN_MEMORY_BYTES_MAX);
}

/* ---- schemas that are known by other ways than the newest file ---- */

struct fake_registry {
    const char *json;
    enum uw_code code;
    int32_t asked_id;
    int calls;
};

static enum uw_code fake_lookup(void *context, int32_t schema_id, char **schema_json_take, struct uw_error *error)
{
    struct fake_registry *registry = context;
    registry->asked_id = schema_id;
    registry->calls++;
    if (registry->code != UW_OK) {
        return uw_error_set(error, registry->code, registry->code == UW_EINPUT ? UW_CLASS_INPUT : UW_CLASS_RETRY,
                            "the registry says so");
    }
    size_t size = strlen(registry->json) + 1;
    *schema_json_take = malloc(size);
    assert_non_null(*schema_json_take);
    memcpy(*schema_json_take, registry->json, size);
    return UW_OK;
}

/* The golden declaration with the registry's header instead of the fingerprint. */
static struct uw_str confluent_value(uint32_t id, char *buffer, size_t size)
{
    size_t length = 0;
    char *data = read_golden("declaration.bin", &length);
    assert_true(length - 5 <= size);
    memcpy(buffer + 5, data + 10, length - 10);
    buffer[0] = 0;
    buffer[1] = (char)(id >> 24);
    buffer[2] = (char)(id >> 16);
    buffer[3] = (char)(id >> 8);
    buffer[4] = (char)id;
    free(data);
    return (struct uw_str){buffer, (uint32_t)(length - 5)};
}

static void the_registry_is_asked_once_for_an_id(void **state)
{
    (void)state;
    struct fake_registry registry = {.json = uw_codec_topic_schema(UW_TOPIC_DECLARATIONS)};
    const struct uw_codec_options options = {fake_lookup, &registry};
    json_t *index = read_index();
    struct uw_codec *codec = open_codec(&options, index);
    struct uw_event event;
    struct uw_refusal refusal;
    struct uw_error error;
    char buffer[1024];
    struct uw_str value = confluent_value(0x01020304, buffer, sizeof buffer);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(uw_codec_decode(codec, UW_TOPIC_DECLARATIONS, value, NULL, &event, &refusal, &error), UW_OK);
        assert_int_equal(event.of.declaration.minutes, 2880);
    }
    assert_int_equal(registry.calls, 1);
    assert_int_equal(registry.asked_id, 0x01020304);
    /* The ids that are kept have a limit; beyond it they are asked for again. */
    for (uint32_t id = 0; id < UW_CODEC_IDS_MAX; id++) {
        value = confluent_value(id, buffer, sizeof buffer);
        assert_int_equal(uw_codec_decode(codec, UW_TOPIC_DECLARATIONS, value, NULL, &event, &refusal, &error), UW_OK);
    }
    value = confluent_value(0x01020304, buffer, sizeof buffer);
    assert_int_equal(uw_codec_decode(codec, UW_TOPIC_DECLARATIONS, value, NULL, &event, &refusal, &error), UW_OK);
    assert_int_equal(registry.calls, 1 + UW_CODEC_IDS_MAX + 1);
    assert_int_equal(uw_codec_decode(codec, UW_TOPIC_EVALUATIONS, value, NULL, &event, &refusal, &error), UW_EINPUT);
    assert_int_equal(refusal.reason, UW_REFUSED_WRONG_SCHEMA);
    value.length = 4;
    assert_int_equal(uw_codec_decode(codec, UW_TOPIC_DECLARATIONS, value, NULL, &event, &refusal, &error), UW_EINPUT);
    assert_int_equal(refusal.reason, UW_REFUSED_TRUNCATED);
    value = confluent_value(0x80000000u, buffer, sizeof buffer);
    assert_int_equal(uw_codec_decode(codec, UW_TOPIC_DECLARATIONS, value, NULL, &event, &refusal, &error), UW_EINPUT);
    assert_int_equal(refusal.reason, UW_REFUSED_UNKNOWN_SCHEMA);
    uw_codec_close(&codec);
    json_decref(index);
}

static void what_the_registry_says_is_passed_on(void **state)
{
    (void)state;
    struct fake_registry registry = {.code = UW_EINPUT};
    const struct uw_codec_options options = {fake_lookup, &registry};
    struct uw_codec *codec = NULL;
    struct uw_event event;
    struct uw_refusal refusal;
    struct uw_error error;
    assert_int_equal(uw_codec_open(&options, &codec, &error), UW_OK);
    char buffer[1024];
    struct uw_str value = confluent_value(7, buffer, sizeof buffer);
    assert_int_equal(uw_codec_decode(codec, UW_TOPIC_DECLARATIONS, value, NULL, &event, &refusal, &error), UW_EINPUT);
    assert_int_equal(refusal.reason, UW_REFUSED_UNKNOWN_SCHEMA);
    assert_string_equal(refusal.text, "schema id 7: the registry says so");
    registry.code = UW_EIO;
    assert_int_equal(uw_codec_decode(codec, UW_TOPIC_DECLARATIONS, value, NULL, &event, &refusal, &error), UW_EIO);
    assert_int_equal(error.class, UW_CLASS_RETRY);
    /* What is no schema stays none, and is not asked for again. */
    registry.code = UW_OK;
    registry.json = "{\"type\": \"nothing\"}";
    for (int i = 0; i < 2; i++) {
        assert_int_equal(uw_codec_decode(codec, UW_TOPIC_DECLARATIONS, value, NULL, &event, &refusal, &error),
                         UW_EINPUT);
        assert_int_equal(refusal.reason, UW_REFUSED_WRONG_SCHEMA);
    }
    assert_int_equal(registry.calls, 3);
    uw_codec_close(&codec);
    assert_null(codec);
}

/* An enum whose aliases of few bytes repeat its long namespace in memory. To be freed. */
static char *large_writer(void)
{
    char *json = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&json, &length);
    assert_non_null(out);
    (void)fprintf(out, "{\"type\": \"enum\", \"name\": \"E\", \"namespace\": \"n%08191d\", \"symbols\": [\"A\"], "
                       "\"aliases\": [\"B\"", 0);
    for (int i = 0; i < 1900; i++) {
        (void)fprintf(out, ", \"B%d\"", i);
    }
    (void)fputs("]}", out);
    assert_int_equal(fclose(out), 0);
    return json;
}

static void ask_for(struct uw_codec *codec, uint32_t id)
{
    struct uw_event event;
    struct uw_refusal refusal;
    struct uw_error error;
    char buffer[1024];
    struct uw_str value = confluent_value(id, buffer, sizeof buffer);
    assert_int_equal(uw_codec_decode(codec, UW_TOPIC_DECISIONS, value, NULL, &event, &refusal, &error), UW_EINPUT);
    assert_int_equal(refusal.reason, UW_REFUSED_WRONG_SCHEMA);
}

/* Large schemas are kept as long as those that are kept take no more than allowed. */
static void kept_ids_have_a_limit(void **state)
{
    (void)state;
    char *writer = large_writer();
    struct fake_registry registry = {.json = writer};
    const struct uw_codec_options options = {fake_lookup, &registry};
    struct uw_schema *schema = NULL;
    struct uw_codec *codec = NULL;
    struct uw_error error;
    assert_int_equal(uw_schema_open(uw_str_from(writer), &schema, &error), UW_OK);
    uint32_t fitting = (uint32_t)(UW_CODEC_IDS_BYTES_MAX / schema->memory.used_bytes) + 1;
    uw_schema_close(&schema);
    assert_in_range(fitting, 2, UW_CODEC_IDS_MAX / 2);
    assert_int_equal(uw_codec_open(&options, &codec, &error), UW_OK);
    ask_for(codec, 0);
    uint32_t kept = 0;
    int calls;
    do {
        ask_for(codec, ++kept);
        calls = registry.calls;
        ask_for(codec, 0); /* which is still there, unless they were too large together */
    } while (registry.calls == calls && kept < UW_CODEC_IDS_MAX);
    assert_in_range(kept, fitting - 1, fitting);
    uw_codec_close(&codec);
    free(writer);
}

/* What takes too much of memory is refused for good, and only the values that are written by it. */
static void greedy_schemas_are_refused(void **state)
{
    (void)state;
    char *greedy = repeating_writer(500, SKIPPED);
    struct fake_registry registry = {.json = greedy};
    const struct uw_codec_options options = {fake_lookup, &registry};
    json_t *index = read_index();
    struct uw_codec *codec = open_codec(&options, index);
    struct uw_event event;
    struct uw_refusal refusal;
    struct uw_error error;
    char buffer[1024];
    struct uw_str value = confluent_value(7, buffer, sizeof buffer);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(uw_codec_decode(codec, UW_TOPIC_DECISIONS, value, NULL, &event, &refusal, &error), UW_EINPUT);
        assert_int_equal(refusal.reason, UW_REFUSED_WRONG_SCHEMA);
        assert_non_null(strstr(refusal.text, "more than 16 MiB of memory"));
    }
    assert_int_equal(registry.calls, 1);
    uw_codec_close(&codec);
    json_decref(index);
    free(greedy);
}

static void added_schemas_have_a_limit(void **state)
{
    (void)state;
    struct uw_codec *codec = NULL;
    struct uw_error error;
    assert_int_equal(uw_codec_open(NULL, &codec, &error), UW_OK);
    assert_int_equal(uw_codec_add_schema(codec, UW_STR("{\"type\": \"nothing\"}"), &error), UW_EINPUT);
    enum uw_code code = UW_OK;
    int added = 0;
    while (code == UW_OK) {
        char json[128];
        (void)snprintf(json, sizeof json, "{\"type\": \"fixed\", \"name\": \"F%d\", \"size\": 1}", added);
        code = uw_codec_add_schema(codec, uw_str_from(json), &error);
        added += code == UW_OK;
        assert_true(added <= UW_CODEC_ADDED_MAX);
    }
    assert_int_equal(code, UW_ELIMIT);
    /* Ours, which are a few, count as well. */
    assert_in_range(added, UW_CODEC_ADDED_MAX - 32, UW_CODEC_ADDED_MAX);
    assert_int_equal(uw_codec_add_schema(codec, UW_STR("{\"type\": \"fixed\", \"name\": \"F0\", \"size\": 1}"), &error),
                     UW_OK);
    uw_codec_close(&codec);
}

/* What is behind the event is looked at up to the size from which nothing is. */
static void events_have_a_size(void **state)
{
    (void)state;
    struct uw_codec *codec = NULL;
    struct uw_error error;
    struct uw_arena arena;
    size_t length = 0;
    char *golden = read_golden("declaration.bin", &length);
    char *value = calloc(1, UW_EVENT_BYTES_MAX + 1);
    assert_non_null(value);
    memcpy(value, golden, length);
    uw_arena_init(&arena, ARENA_BYTES);
    assert_int_equal(uw_codec_open(NULL, &codec, &error), UW_OK);
    for (uint32_t size = UW_EVENT_BYTES_MAX - 1; size <= UW_EVENT_BYTES_MAX + 1; size++) {
        struct uw_event event;
        struct uw_refusal refusal;
        assert_int_equal(uw_codec_decode(codec, UW_TOPIC_DECLARATIONS, (struct uw_str){value, size}, &arena, &event,
                                         &refusal, &error),
                         UW_EINPUT);
        assert_int_equal(refusal.reason,
                         size <= UW_EVENT_BYTES_MAX ? UW_REFUSED_TRAILING_BYTES : UW_REFUSED_TOO_LARGE);
    }
    uw_codec_close(&codec);
    uw_arena_close(&arena);
    free(golden);
    free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_of_every_kind),
        cmocka_unit_test(aliases_of_records_fields_and_enums),
        cmocka_unit_test(wrong_defaults_are_told),
        cmocka_unit_test(skipping_has_a_limit),
        cmocka_unit_test(skipping_has_a_depth),
        cmocka_unit_test(the_registry_is_asked_once_for_an_id),
        cmocka_unit_test(what_the_registry_says_is_passed_on),
        cmocka_unit_test(plans_have_a_limit),
        cmocka_unit_test(greedy_schemas_are_refused),
        cmocka_unit_test(kept_ids_have_a_limit),
        cmocka_unit_test(added_schemas_have_a_limit),
        cmocka_unit_test(events_have_a_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
