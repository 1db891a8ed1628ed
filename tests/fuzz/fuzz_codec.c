/*
 * Fuzzes the decoder: any bytes, as a value of every topic and output. What is accepted must survive being
 * encoded and decoded again.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#include "schemas/output.h"

#define ARENA_BYTES ((size_t)64 * 1024 * 1024)

static struct uw_codec *codec;
static struct uw_arena arena;

static void add_writer(const char *path, void *context)
{
    (void)context;
    size_t length = 0;
    char *json = uw_fuzz_read(path, &length);
    struct uw_error error;
    /* What is not a schema is not one here either. */
    if (uw_codec_add_schema(codec, (struct uw_str){json, (uint32_t)length}, &error) != UW_OK) {
        uw_fuzz_check(error.code == UW_EINPUT);
    }
    free(json);
}

static void open_once(void)
{
    if (codec == NULL) {
        struct uw_error error;
        uw_fuzz_check(uw_codec_open(NULL, &codec, &error) == UW_OK);
        uw_arena_init(&arena, ARENA_BYTES);
        uw_fuzz_each_file(UW_SOURCE_DIR "/tests/data/avro", ".avsc", add_writer, NULL);
    }
}

static void check_event(enum uw_topic topic, struct uw_str value)
{
    struct uw_event event, again;
    struct uw_refusal refusal = {UW_REFUSED_NOT, ""};
    struct uw_error error;
    enum uw_code code = uw_codec_decode(codec, topic, value, &arena, &event, &refusal, &error);
    if (code != UW_OK) {
        uw_fuzz_check(code == UW_EINPUT && refusal.reason != UW_REFUSED_NOT && refusal.text[0] != '\0');
        return;
    }
    struct uw_str first, second;
    uw_fuzz_check(uw_codec_encode(codec, &event, &arena, &first) == UW_OK);
    uw_fuzz_check(uw_codec_decode(codec, topic, first, &arena, &again, &refusal, &error) == UW_OK);
    uw_fuzz_check(uw_codec_encode(codec, &again, &arena, &second) == UW_OK);
    uw_fuzz_check(uw_str_equal(first, second));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    open_once();
    struct uw_str value = {(const char *)data, (uint32_t)size};
    struct uw_alert_record alert;
    struct uw_anomaly_record anomaly;
    struct uw_refusal refusal;
    struct uw_error error;
    struct uw_str json;
    for (int topic = 0; topic < UW_TOPIC_COUNT; topic++) {
        check_event((enum uw_topic)topic, value);
    }
    if (uw_output_decode_alert(codec, value, &arena, &alert, &refusal, &error) == UW_OK) {
        uw_fuzz_check(uw_alert_json(&alert, &arena, &json) == UW_OK);
    }
    if (uw_output_decode_anomaly(codec, value, &arena, &anomaly, &refusal, &error) == UW_OK) {
        uw_fuzz_check(uw_anomaly_json(&anomaly, &arena, &json) == UW_OK);
    }
    uw_arena_reset(&arena);
    return 0;
}
