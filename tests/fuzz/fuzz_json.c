/*
 * Fuzzes the reader of JSON lines. What is accepted must come back from its own line, and from Avro, unchanged.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "schemas/codec.h"
#include "schemas/json.h"

static struct uw_codec *codec;
static struct uw_arena arena;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct uw_event event, again;
    struct uw_refusal refusal = {UW_REFUSED_NOT, ""};
    struct uw_error error;
    struct uw_str line, bytes, second;
    if (codec == NULL) {
        uw_fuzz_check(uw_codec_open(NULL, &codec, &error) == UW_OK);
        uw_arena_init(&arena, (size_t)64 * 1024 * 1024);
    }
    /* A file of lines is a seed too: only its first line is read. */
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size = end != NULL ? (size_t)(end - data) : size;
    enum uw_code code =
        uw_json_read_event((struct uw_str){(const char *)data, (uint32_t)size}, &arena, &event, &refusal);
    if (code == UW_OK) {
        uw_fuzz_check(uw_json_write_event(&event, &arena, &line) == UW_OK);
        uw_fuzz_check(uw_json_read_event(line, &arena, &again, &refusal) == UW_OK);
        uw_fuzz_check(uw_codec_encode(codec, &again, &arena, &bytes) == UW_OK);
        /* A result may be longer than a value of Kafka may be here. */
        if (bytes.length <= UW_EVENT_BYTES_MAX) {
            uw_fuzz_check(uw_codec_decode(codec, again.topic, bytes, &arena, &event, &refusal, &error) == UW_OK);
            uw_fuzz_check(uw_json_write_event(&event, &arena, &second) == UW_OK);
            uw_fuzz_check(uw_str_equal(line, second));
        }
    } else {
        uw_fuzz_check(code == UW_EINPUT && refusal.reason != UW_REFUSED_NOT && refusal.text[0] != '\0');
    }
    uw_arena_reset(&arena);
    return 0;
}
