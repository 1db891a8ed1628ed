/* Outputs: ids, records of the outbox, what a subscriber reads, JSON, and the position in offset metadata. */
#include "golden.h"

#include <avro.h>

#include "schemas/identity.h"
#include "schemas/output.h"
#include "schemas/position.h"
#include "schemas/schema.h"

static const struct uw_alert_figures no_figures = {
    UW_MINUTES_NONE, UW_MINUTES_NONE, UW_MINUTES_NONE, UW_MINUTES_NONE, UW_MINUTES_NONE,
    UW_MINUTES_NONE, UW_MINUTES_NONE, UW_MINUTES_NONE, UW_DAY_NONE,     UW_DAY_NONE};

static struct uw_alert_change low(void)
{
    struct uw_alert_change alert = {.kind = UW_ALERT_SURPLUS_LOW,
                                    .client = UW_STR("c1"),
                                    .municipality = UW_STR("0363"),
                                    .decision = UW_STR("WMO-1"),
                                    .segment_from_day = 20454,
                                    .period_from_day = 20454,
                                    .threshold = 80,
                                    .provider = UW_STR("41410001"),
                                    .status = UW_STATUS_OPEN,
                                    .severity = UW_SEVERITY_WARNING,
                                    .effective_on_day = 20500,
                                    .revision = 3,
                                    .figures = no_figures};
    alert.figures.allotted_minutes = 1200;
    alert.figures.used_minutes = 1000;
    alert.figures.remaining_minutes = 200;
    return alert;
}

static struct uw_anomaly_change overlap(void)
{
    return (struct uw_anomaly_change){.kind = UW_ANOMALY_CLIENT_OVERLAP,
                                      .client = UW_STR("c1"),
                                      .municipality = UW_STR("0363"),
                                      .decision = UW_STR("WMO-1"),
                                      .subject = {UW_SUBJECT_LINE, UW_STR("41410001"), UW_STR("L/45"), 0},
                                      .provider = UW_STR("41410001"),
                                      .status = UW_STATUS_RESOLVED,
                                      .revision = 2,
                                      .first_day = 20454,
                                      .last_day = 20454,
                                      .minutes = 60,
                                      .recorded_at_ms = 1767225600123,
                                      .has_other = true,
                                      .other = {UW_SUBJECT_NO_SHOW, UW_STR("41410001"), UW_STR("N\"1"), 0}};
}

/* The ids below were made by Python's uuid.uuid5. */
static void ids_are_version_5_uuids(void **state)
{
    (void)state;
    char id[UW_ID_TEXT_BYTES];
    struct uw_alert_change alert = low();
    assert_int_equal(uw_alert_id(&alert, id), UW_OK);
    assert_string_equal(id, "7f89a866-9092-5003-b2f4-cb25e94df57f");
    /* What is no part of the identity changes nothing. */
    alert.provider = UW_STR("41410002");
    alert.status = UW_STATUS_RESOLVED;
    alert.revision = 9;
    assert_int_equal(uw_alert_id(&alert, id), UW_OK);
    assert_string_equal(id, "7f89a866-9092-5003-b2f4-cb25e94df57f");
    alert.kind = UW_ALERT_CARE_STALLED;
    alert.decision = UW_STR("JW-\xCE\xA9");
    alert.segment_from_day = UW_DAY_NONE;
    alert.period_from_day = UW_DAY_NONE;
    alert.threshold = UW_INT_NONE;
    assert_int_equal(uw_alert_id(&alert, id), UW_OK);
    assert_string_equal(id, "a8c2218a-43d1-5438-8823-429abe325746");
    struct uw_anomaly_change anomaly = overlap();
    assert_int_equal(uw_anomaly_id(&anomaly, id), UW_OK);
    assert_string_equal(id, "9d5e8c9d-35dc-51a8-899c-8ed6a8adec74");
    anomaly.kind = UW_ANOMALY_VERSION_CONFLICT;
    anomaly.subject = (struct uw_subject){UW_SUBJECT_VERSION, UW_STR_NULL, UW_STR_NULL, 2};
    assert_int_equal(uw_anomaly_id(&anomaly, id), UW_OK);
    assert_string_equal(id, "faa493f2-3e92-51b1-aecb-44ce809aaf35");
}

static void a_long_name_is_hashed_in_pieces(void **state)
{
    (void)state;
    char long_client[3000], long_decision[1000], id[UW_ID_TEXT_BYTES];
    memset(long_client, 'c', sizeof long_client);
    memset(long_decision, 'd', sizeof long_decision);
    struct uw_alert_change alert = low();
    alert.client = (struct uw_str){long_client, sizeof long_client};
    alert.decision = (struct uw_str){long_decision, sizeof long_decision};
    alert.segment_from_day = UW_DAY_NONE;
    alert.period_from_day = UW_DAY_NONE;
    alert.threshold = UW_INT_NONE;
    assert_int_equal(uw_alert_id(&alert, id), UW_OK);
    assert_string_equal(id, "fe3d81ba-e5f1-59bb-a539-89b236450f9f");
}

struct fixture {
    struct uw_codec *codec;
    struct uw_output_encoder output;
    struct uw_encoder encoder;
    struct uw_arena arena;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct uw_error error;
    assert_non_null(fixture);
    assert_int_equal(uw_codec_open(NULL, &fixture->codec, &error), UW_OK);
    fixture->output = (struct uw_output_encoder){fixture->codec, {"a.decisions", "a.declarations", "a.no", "a.ev"}};
    uw_output_encoder_port(&fixture->output, &fixture->encoder);
    uw_arena_init(&fixture->arena, ARENA_BYTES);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    uw_codec_close(&fixture->codec);
    uw_arena_close(&fixture->arena);
    free(fixture);
    return 0;
}

static void check_header(const struct uw_outbox_record *record, uint32_t index, const char *name, const char *value)
{
    assert_true(index < record->header_count);
    assert_true(uw_str_equal(record->headers[index].name, uw_str_from(name)));
    assert_true(uw_str_equal(record->headers[index].value, uw_str_from(value)));
}

/* Avro-C reads the value too; returns its JSON to be freed. */
static char *avro_c_json(const char *schema_json, struct uw_str value)
{
    avro_schema_t schema;
    assert_int_equal(avro_schema_from_json_length(schema_json, strlen(schema_json), &schema), 0);
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    avro_value_t read;
    char *json = NULL;
    assert_int_equal(avro_generic_value_new(iface, &read), 0);
    avro_reader_t reader = avro_reader_memory(value.data + 10, value.length - 10);
    assert_int_equal(avro_value_read(reader, &read), 0);
    assert_int_equal(avro_value_to_json(&read, 1, &json), 0);
    avro_reader_free(reader);
    avro_value_decref(&read);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    return json;
}

static void an_alert_goes_out_and_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct uw_outbox_record record = {.partition = 4, .sequence = 17};
    struct uw_alert_change alert = low();
    assert_int_equal(
        fixture->encoder.alert(fixture->encoder.context, &alert, 1767225600123, &fixture->arena, &record), UW_OK);
    assert_int_equal(record.partition, 4);
    assert_int_equal(record.sequence, 17);
    assert_int_equal(record.output, UW_OUTPUT_ALERTS);
    assert_true(uw_str_equal(record.key, UW_STR("c1")));
    assert_int_equal(record.header_count, 4);
    check_header(&record, 0, "id", "7f89a866-9092-5003-b2f4-cb25e94df57f");
    check_header(&record, 1, "revision", "3");
    check_header(&record, 2, "kind", "SURPLUS_LOW");
    check_header(&record, 3, "status", "OPEN");
    char *json = avro_c_json(uw_codec_output_schema(UW_OUTPUT_ALERTS), record.value);
    assert_non_null(strstr(json, "\"kind\": \"SURPLUS_LOW\""));
    assert_non_null(strstr(json, "\"remaining_minutes\": {\"long\": 200}"));
    free(json);

    struct uw_alert_record read;
    struct uw_refusal refusal;
    struct uw_error error;
    struct uw_str line;
    assert_int_equal(uw_output_decode_alert(fixture->codec, record.value, &fixture->arena, &read, &refusal, &error),
                     UW_OK);
    assert_int_equal(uw_alert_json(&read, &fixture->arena, &line), UW_OK);
    assert_string_equal(line.data,
                        "{\"alert_id\": \"7f89a866-9092-5003-b2f4-cb25e94df57f\", \"revision\": 3, \"status\": "
                        "\"OPEN\", \"kind\": \"SURPLUS_LOW\", \"severity\": \"WARNING\", \"client\": \"c1\", "
                        "\"municipality\": \"0363\", \"decision\": \"WMO-1\", \"provider\": \"41410001\", "
                        "\"segment_from\": \"2026-01-01\", \"period_from\": \"2026-01-01\", \"threshold\": 80, "
                        "\"effective_on\": \"2026-02-16\", \"payload\": {\"allotted_minutes\": 1200, "
                        "\"used_minutes\": 1000, \"remaining_minutes\": 200, \"period_to\": null}, \"observed_at\": "
                        "\"2026-01-01T00:00:00.123Z\"}");
}

static void an_anomaly_goes_out_and_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct uw_outbox_record record = {.partition = 0};
    struct uw_anomaly_change anomaly = overlap();
    assert_int_equal(
        fixture->encoder.anomaly(fixture->encoder.context, &anomaly, -1, &fixture->arena, &record), UW_OK);
    assert_int_equal(record.output, UW_OUTPUT_ANOMALIES);
    check_header(&record, 0, "id", "9d5e8c9d-35dc-51a8-899c-8ed6a8adec74");
    check_header(&record, 3, "status", "RESOLVED");
    char *json = avro_c_json(uw_codec_output_schema(UW_OUTPUT_ANOMALIES), record.value);
    assert_non_null(strstr(json, "\"subject\": \"line:41410001/L/45\""));
    free(json);
    struct uw_anomaly_record read;
    struct uw_refusal refusal;
    struct uw_error error;
    struct uw_str line;
    assert_int_equal(uw_output_decode_anomaly(fixture->codec, record.value, &fixture->arena, &read, &refusal, &error),
                     UW_OK);
    assert_int_equal(read.anomaly.subject.kind, UW_SUBJECT_LINE);
    assert_true(uw_str_equal(read.anomaly.subject.id, UW_STR("L/45")));
    assert_int_equal(uw_anomaly_json(&read, &fixture->arena, &line), UW_OK);
    assert_string_equal(line.data,
                        "{\"anomaly_id\": \"9d5e8c9d-35dc-51a8-899c-8ed6a8adec74\", \"revision\": 2, \"status\": "
                        "\"RESOLVED\", \"kind\": \"CLIENT_OVERLAP\", \"client\": \"c1\", \"municipality\": \"0363\", "
                        "\"decision\": \"WMO-1\", \"provider\": \"41410001\", \"subject\": \"line:41410001/L/45\", "
                        "\"payload\": {\"first_day\": \"2026-01-01\", \"last_day\": \"2026-01-01\", \"minutes\": 60, "
                        "\"staff\": null, \"recorded_at\": \"2026-01-01T00:00:00.123Z\", \"other\": "
                        "\"no-show:41410001/N\\\"1\"}, \"observed_at\": \"1969-12-31T23:59:59.999Z\"}");
}

static void every_kind_goes_out_and_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct uw_refusal refusal;
    struct uw_error error;
    for (int kind = 0; kind < UW_ALERT_KIND_COUNT; kind++) {
        struct uw_outbox_record record = {.partition = 0};
        struct uw_alert_change alert = low();
        struct uw_alert_record read;
        alert.kind = (enum uw_alert_kind)kind;
        assert_int_equal(fixture->encoder.alert(fixture->encoder.context, &alert, 0, &fixture->arena, &record), UW_OK);
        assert_int_equal(
            uw_output_decode_alert(fixture->codec, record.value, &fixture->arena, &read, &refusal, &error), UW_OK);
        assert_int_equal(read.alert.kind, kind);
    }
    for (int kind = 0; kind < UW_ANOMALY_KIND_COUNT; kind++) {
        struct uw_outbox_record record = {.partition = 0};
        struct uw_anomaly_change anomaly = overlap();
        struct uw_anomaly_record read;
        anomaly.kind = (enum uw_anomaly_kind)kind;
        anomaly.subject = (struct uw_subject){UW_SUBJECT_VERSION, UW_STR_NULL, UW_STR_NULL, INT32_MAX};
        anomaly.has_other = false;
        assert_int_equal(fixture->encoder.anomaly(fixture->encoder.context, &anomaly, 0, &fixture->arena, &record),
                         UW_OK);
        assert_int_equal(
            uw_output_decode_anomaly(fixture->codec, record.value, &fixture->arena, &read, &refusal, &error), UW_OK);
        assert_int_equal(read.anomaly.kind, kind);
        assert_int_equal(read.anomaly.subject.version, INT32_MAX);
        assert_false(read.anomaly.has_other);
    }
}

/* A later version with one more kind, which this reader sees as UNKNOWN and refuses in words. */
static void a_newer_kind_is_refused_in_words(void **state)
{
    struct fixture *fixture = *state;
    struct uw_outbox_record record = {.partition = 0};
    struct uw_alert_change alert = low();
    assert_int_equal(fixture->encoder.alert(fixture->encoder.context, &alert, 0, &fixture->arena, &record), UW_OK);
    char newer[32768];
    const char *schema = uw_codec_output_schema(UW_OUTPUT_ALERTS);
    const char *place = strstr(schema, "\"SURPLUS_LOW\"");
    assert_non_null(place);
    int length = snprintf(newer, sizeof newer, "%.*s\"NEWER\"%s", (int)(place - schema), schema,
                          place + strlen("\"SURPLUS_LOW\""));
    assert_true(length > 0 && (size_t)length < sizeof newer);
    struct uw_schema *opened = NULL;
    struct uw_error error;
    assert_int_equal(uw_schema_open((struct uw_str){newer, (uint32_t)length}, &opened, &error), UW_OK);
    assert_int_equal(uw_codec_add_schema(fixture->codec, (struct uw_str){newer, (uint32_t)length}, &error), UW_OK);
    char value[512];
    assert_true(record.value.length < sizeof value);
    memcpy(value, record.value.data, record.value.length);
    for (int i = 0; i < 8; i++) {
        value[2 + i] = (char)(opened->fingerprint >> (8 * i));
    }
    uw_schema_close(&opened);
    struct uw_alert_record read;
    struct uw_refusal refusal;
    assert_int_equal(uw_output_decode_alert(fixture->codec, (struct uw_str){value, record.value.length},
                                            &fixture->arena, &read, &refusal, &error),
                     UW_EINPUT);
    assert_string_equal(refusal.text, "kind: newer than this program");
}

static void check_payload(struct fixture *fixture, const struct uw_alert_change *alert, const char *wanted)
{
    struct uw_str json;
    assert_int_equal(uw_alert_payload_json(alert, &fixture->arena, &json), UW_OK);
    assert_string_equal(json.data, wanted);
}

static void payloads_have_the_figures_of_their_kind(void **state)
{
    struct fixture *fixture = *state;
    struct uw_alert_change alert = low();
    alert.kind = UW_ALERT_EVALUATION_DUE;
    alert.figures = no_figures;
    alert.figures.delivered_minutes = 100;
    alert.figures.no_show_minutes = 0;
    check_payload(fixture, &alert,
                  "{\"delivered_minutes\": 100, \"no_show_minutes\": 0, \"expected_minutes\": null, "
                  "\"ratio_percent\": null}");
    alert.figures.expected_minutes = 200;
    alert.figures.ratio_percent = 50;
    check_payload(fixture, &alert,
                  "{\"delivered_minutes\": 100, \"no_show_minutes\": 0, \"expected_minutes\": 200, "
                  "\"ratio_percent\": 50}");
    alert.kind = UW_ALERT_CARE_STALLED;
    alert.figures = no_figures;
    check_payload(fixture, &alert, "{\"last_care_on\": null}");
    alert.kind = UW_ALERT_DECISION_ENDING;
    alert.figures.period_to_day = 0;
    check_payload(fixture, &alert, "{\"period_to\": \"1970-01-01\"}");
    struct uw_anomaly_change anomaly = overlap();
    struct uw_str json;
    anomaly.subject = (struct uw_subject){UW_SUBJECT_VERSION, UW_STR_NULL, UW_STR_NULL, 2};
    anomaly.has_other = false;
    assert_int_equal(uw_anomaly_payload_json(&anomaly, &fixture->arena, &json), UW_OK);
    assert_string_equal(json.data, "{\"recorded_at\": \"2026-01-01T00:00:00.123Z\"}");
}

static void a_dead_letter_keeps_what_it_was(void **state)
{
    struct fixture *fixture = *state;
    const struct uw_header headers[] = {{UW_STR("trace"), UW_STR("x\0y")}, {UW_STR("none"), UW_STR_NULL}};
    struct uw_message message = {.topic = UW_TOPIC_DECLARATIONS,
                                 .partition = 11,
                                 .offset = INT64_MAX,
                                 .key = UW_STR_NULL,
                                 .value = UW_STR("\0\xff"),
                                 .headers = headers,
                                 .header_count = 2};
    const struct uw_refusal refusal = {UW_REFUSED_NOT_AVRO, "what is wrong"};
    struct uw_outbox_record record = {.sequence = 5};
    assert_int_equal(
        fixture->encoder.dead_letter(fixture->encoder.context, &message, &refusal, &fixture->arena, &record), UW_OK);
    assert_int_equal(record.output, UW_OUTPUT_DEAD_LETTERS);
    assert_int_equal(record.sequence, 5);
    assert_true(uw_str_is_null(record.key));
    assert_true(uw_str_equal(record.value, message.value));
    assert_int_equal(record.header_count, 7);
    assert_true(uw_str_equal(record.headers[0].value, headers[0].value));
    assert_true(uw_str_is_null(record.headers[1].value));
    check_header(&record, 2, "__streams.errors.exception", "NOT_AVRO");
    check_header(&record, 3, "__streams.errors.message", "what is wrong");
    check_header(&record, 4, "__streams.errors.topic", "a.declarations");
    check_header(&record, 5, "__streams.errors.partition", "11");
    check_header(&record, 6, "__streams.errors.offset", "9223372036854775807");
    message.key = UW_STR("");
    assert_int_equal(
        fixture->encoder.dead_letter(fixture->encoder.context, &message, &refusal, &fixture->arena, &record), UW_OK);
    assert_false(uw_str_is_null(record.key));
    assert_int_equal(record.key.length, 0);
}

static void memory_refused_leaves_the_record(void **state)
{
    struct fixture *fixture = *state;
    struct uw_alert_change alert = low();
    struct uw_anomaly_change anomaly = overlap();
    for (size_t limit = 0; limit < 600; limit += 16) {
        struct uw_arena small;
        uw_arena_init(&small, limit);
        struct uw_outbox_record record = {.sequence = 1};
        enum uw_code code = fixture->encoder.alert(fixture->encoder.context, &alert, 0, &small, &record);
        assert_true(code == UW_OK || (code == UW_ENOMEM && record.headers == NULL));
        record = (struct uw_outbox_record){.sequence = 1};
        code = fixture->encoder.anomaly(fixture->encoder.context, &anomaly, 0, &small, &record);
        assert_true(code == UW_OK || (code == UW_ENOMEM && record.headers == NULL));
        uw_arena_close(&small);
    }
}

static void positions_are_written_and_read(void **state)
{
    (void)state;
    static const int64_t numbers[] = {0, 1, 10, 123, INT64_MAX};
    char text[UW_POSITION_TEXT_BYTES];
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int64_t sequence = -1;
        uw_position_format(numbers[i], text);
        assert_true(uw_position_parse(uw_str_from(text), &sequence));
        assert_int_equal(sequence, numbers[i]);
    }
    uw_position_format(123, text);
    assert_string_equal(text, "urenwacht/1 outbox=123");
    static const char *const others[] = {"", "urenwacht/1 outbox=", "urenwacht/1 outbox=-1", "urenwacht/1 outbox=01",
                                         "urenwacht/1 outbox=1 ", "urenwacht/1 outbox=1x", "urenwacht/2 outbox=1",
                                         "urenwacht/1 outbox=9223372036854775808", "consumer's own text"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        int64_t sequence = -7;
        assert_false(uw_position_parse(uw_str_from(others[i]), &sequence));
        assert_int_equal(sequence, -7);
    }
    int64_t sequence;
    assert_false(uw_position_parse(UW_STR_NULL, &sequence));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_version_5_uuids),
        cmocka_unit_test(a_long_name_is_hashed_in_pieces),
        cmocka_unit_test(an_alert_goes_out_and_comes_back),
        cmocka_unit_test(an_anomaly_goes_out_and_comes_back),
        cmocka_unit_test(every_kind_goes_out_and_comes_back),
        cmocka_unit_test(a_newer_kind_is_refused_in_words),
        cmocka_unit_test(payloads_have_the_figures_of_their_kind),
        cmocka_unit_test(a_dead_letter_keeps_what_it_was),
        cmocka_unit_test(memory_refused_leaves_the_record),
        cmocka_unit_test(positions_are_written_and_read),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
