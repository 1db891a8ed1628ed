/* The codec against bytes that fastavro made, and against damage to them. */
#include "golden.h"

#include <avro.h>

struct fixture {
    json_t *index;
    struct uw_codec *codec;
    struct uw_arena arena;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->index = read_index();
    fixture->codec = open_codec(NULL, fixture->index);
    uw_arena_init(&fixture->arena, ARENA_BYTES);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    uw_codec_close(&fixture->codec);
    uw_arena_close(&fixture->arena);
    json_decref(fixture->index);
    free(fixture);
    return 0;
}

/* Decodes a copy that ends exactly where the value does, so that the sanitizer sees each step beyond it. */
static enum uw_code decode(struct fixture *fixture, enum uw_topic topic, const char *data, size_t length,
                           struct uw_event *event, struct uw_refusal *refusal, char **copy)
{
    struct uw_error error = {UW_OK, UW_CLASS_NONE, ""};
    *copy = malloc(length > 0 ? length : 1);
    assert_non_null(*copy);
    memcpy(*copy, data, length);
    enum uw_code code = uw_codec_decode(fixture->codec, topic, (struct uw_str){*copy, (uint32_t)length},
                                        &fixture->arena, event, refusal, &error);
    if (code == UW_EINPUT) {
        assert_int_not_equal(refusal->reason, UW_REFUSED_NOT);
        assert_true(strlen(refusal->text) > 0);
    }
    return code;
}

static void every_case_gives_its_event_or_its_reason(void **state)
{
    struct fixture *fixture = *state;
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(fixture->index, "cases"), i, entry)
    {
        size_t length = 0;
        char *data = read_golden(text_of(entry, "bytes"), &length);
        enum uw_topic topic = topic_of(text_of(entry, "topic"));
        struct uw_event event;
        struct uw_refusal refusal = {UW_REFUSED_NOT, ""};
        char *copy;
        enum uw_code code = decode(fixture, topic, data, length, &event, &refusal, &copy);
        const char *line = text_of(entry, "line");
        if (line != NULL) {
            struct uw_str text;
            if (code != UW_OK) {
                fail_msg("%s: %s %s", text_of(entry, "name"), uw_refusal_reason_name(refusal.reason), refusal.text);
            }
            assert_int_equal(uw_json_write_event(&event, &fixture->arena, &text), UW_OK);
            assert_string_equal(text.data, line);
        } else if (code != UW_EINPUT ||
                   strcmp(uw_refusal_reason_name(refusal.reason), text_of(entry, "refused")) != 0) {
            fail_msg("%s: %s %s", text_of(entry, "name"), uw_refusal_reason_name(refusal.reason), refusal.text);
        }
        uw_arena_reset(&fixture->arena);
        free(copy);
        free(data);
    }
    assert_true(i >= 80);
}

/* Calls `visit` with every case that is accepted. */
static void each_accepted(struct fixture *fixture, void (*visit)(struct fixture *, const json_t *, const char *, size_t))
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(fixture->index, "cases"), i, entry)
    {
        if (text_of(entry, "line") != NULL) {
            size_t length = 0;
            char *data = read_golden(text_of(entry, "bytes"), &length);
            visit(fixture, entry, data, length);
            free(data);
            uw_arena_reset(&fixture->arena);
        }
    }
}

static bool is_newest(const struct fixture *fixture, enum uw_topic topic, const char *data)
{
    uint64_t fingerprint = 0;
    for (int i = 0; i < 8; i++) {
        fingerprint |= (uint64_t)(uint8_t)data[2 + i] << (8 * i);
    }
    return fingerprint == uw_codec_topic_fingerprint(fixture->codec, topic);
}

static void check_encoding(struct fixture *fixture, const json_t *entry, const char *data, size_t length)
{
    enum uw_topic topic = topic_of(text_of(entry, "topic"));
    struct uw_event event;
    struct uw_refusal refusal;
    struct uw_str bytes;
    char *copy;
    assert_int_equal(decode(fixture, topic, data, length, &event, &refusal, &copy), UW_OK);
    assert_int_equal(uw_codec_encode(fixture->codec, &event, &fixture->arena, &bytes), UW_OK);
    if (is_newest(fixture, topic, data) && strncmp(text_of(entry, "name"), "blocks-", 7) != 0) {
        assert_int_equal(bytes.length, length);
        assert_memory_equal(bytes.data, data, length);
    }
    /* Whatever wrote it, what we write of it means the same. */
    struct uw_event again;
    struct uw_str first, second;
    char *other;
    assert_int_equal(decode(fixture, topic, bytes.data, bytes.length, &again, &refusal, &other), UW_OK);
    assert_int_equal(uw_json_write_event(&event, &fixture->arena, &first), UW_OK);
    assert_int_equal(uw_json_write_event(&again, &fixture->arena, &second), UW_OK);
    assert_true(uw_str_equal(first, second));
    free(copy);
    free(other);
}

static void encoding_equals_fastavro(void **state)
{
    each_accepted(*state, check_encoding);
}

/* Avro-C reads what we wrote and writes the same bytes again. */
static void check_avro_c(struct fixture *fixture, const json_t *entry, const char *data, size_t length)
{
    enum uw_topic topic = topic_of(text_of(entry, "topic"));
    struct uw_event event;
    struct uw_refusal refusal;
    struct uw_str bytes;
    char *copy;
    assert_int_equal(decode(fixture, topic, data, length, &event, &refusal, &copy), UW_OK);
    assert_int_equal(uw_codec_encode(fixture->codec, &event, &fixture->arena, &bytes), UW_OK);
    avro_schema_t schema;
    const char *json = uw_codec_topic_schema(topic);
    assert_int_equal(avro_schema_from_json_length(json, strlen(json), &schema), 0);
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    avro_value_t value;
    assert_int_equal(avro_generic_value_new(iface, &value), 0);
    avro_reader_t reader = avro_reader_memory(bytes.data + 10, bytes.length - 10);
    assert_int_equal(avro_value_read(reader, &value), 0);
    char *written = malloc(bytes.length);
    assert_non_null(written);
    avro_writer_t writer = avro_writer_memory(written, bytes.length);
    assert_int_equal(avro_value_write(writer, &value), 0);
    assert_int_equal(avro_writer_tell(writer), bytes.length - 10);
    assert_memory_equal(written, bytes.data + 10, bytes.length - 10);
    avro_writer_free(writer);
    avro_reader_free(reader);
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    free(written);
    free(copy);
}

static void avro_c_reads_what_we_write(void **state)
{
    each_accepted(*state, check_avro_c);
}

static void check_truncation(struct fixture *fixture, const json_t *entry, const char *data, size_t length)
{
    enum uw_topic topic = topic_of(text_of(entry, "topic"));
    for (size_t cut = 0; cut < length; cut++) {
        struct uw_event event;
        struct uw_refusal refusal = {UW_REFUSED_NOT, ""};
        char *copy;
        assert_int_equal(decode(fixture, topic, data, cut, &event, &refusal, &copy), UW_EINPUT);
        enum uw_refusal_reason wanted = cut == 0 ? UW_REFUSED_EMPTY_VALUE : UW_REFUSED_TRUNCATED;
        if (refusal.reason != wanted) {
            fail_msg("%s cut at %zu: %s", text_of(entry, "name"), cut, refusal.text);
        }
        free(copy);
    }
}

static void truncation_is_seen_at_every_byte(void **state)
{
    each_accepted(*state, check_truncation);
}

static void check_flips(struct fixture *fixture, const json_t *entry, const char *data, size_t length)
{
    enum uw_topic topic = topic_of(text_of(entry, "topic"));
    char *damaged = malloc(length);
    assert_non_null(damaged);
    for (size_t bit = 0; bit < length * 8 && bit < 8 * 1024; bit++) {
        memcpy(damaged, data, length);
        damaged[bit / 8] = (char)(damaged[bit / 8] ^ (1 << (bit % 8)));
        struct uw_event event;
        struct uw_refusal refusal = {UW_REFUSED_NOT, ""};
        char *copy;
        enum uw_code code = decode(fixture, topic, damaged, length, &event, &refusal, &copy);
        assert_true(code == UW_OK || code == UW_EINPUT);
        if (code == UW_OK) {
            struct uw_str bytes;
            assert_int_equal(uw_codec_encode(fixture->codec, &event, &fixture->arena, &bytes), UW_OK);
        }
        uw_arena_reset(&fixture->arena);
        free(copy);
    }
    free(damaged);
}

static void a_flipped_bit_is_read_or_refused(void **state)
{
    each_accepted(*state, check_flips);
}

/* xorshift: the same numbers in every run. */
static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

static void random_bytes_are_read_or_refused(void **state)
{
    struct fixture *fixture = *state;
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 20000; round++) {
        uint8_t data[256];
        size_t length = next_random(&random) % sizeof data;
        for (size_t i = 0; i < length; i++) {
            /* Small bytes keep lengths plausible, so that many values get far. */
            data[i] = (uint8_t)(next_random(&random) % (round % 2 == 0 ? 256 : 16));
        }
        enum uw_topic topic = (enum uw_topic)(next_random(&random) % UW_TOPIC_COUNT);
        uint64_t fingerprint = uw_codec_topic_fingerprint(fixture->codec, topic);
        if (length > 10 && round % 8 != 0) {
            data[0] = 0xC3;
            data[1] = 0x01;
            for (int i = 0; i < 8; i++) {
                data[2 + i] = (uint8_t)(fingerprint >> (8 * i));
            }
        }
        struct uw_event event;
        struct uw_refusal refusal = {UW_REFUSED_NOT, ""};
        char *copy;
        enum uw_code code = decode(fixture, topic, (char *)data, length, &event, &refusal, &copy);
        assert_true(code == UW_OK || code == UW_EINPUT);
        uw_arena_reset(&fixture->arena);
        free(copy);
    }
}

static void outputs_are_untouched_on_refusal(void **state)
{
    struct fixture *fixture = *state;
    struct uw_event event;
    memset(&event, 0x5A, sizeof event);
    struct uw_event before = event;
    struct uw_refusal refusal;
    struct uw_error error;
    size_t length = 0;
    char *data = read_golden("rule-minutes-zero.bin", &length);
    assert_int_equal(uw_codec_decode(fixture->codec, UW_TOPIC_DECLARATIONS, (struct uw_str){data, (uint32_t)length},
                                     &fixture->arena, &event, &refusal, &error),
                     UW_EINPUT);
    assert_memory_equal(&event, &before, sizeof event);
    free(data);
}

static void a_null_value_is_empty(void **state)
{
    struct fixture *fixture = *state;
    struct uw_event event;
    struct uw_refusal refusal;
    struct uw_error error;
    struct uw_decoder decoder;
    uw_codec_decoder(fixture->codec, &decoder);
    assert_int_equal(decoder.decode(decoder.context, UW_TOPIC_DECISIONS, UW_STR_NULL, &fixture->arena, &event, &refusal,
                                    &error),
                     UW_EINPUT);
    assert_int_equal(refusal.reason, UW_REFUSED_EMPTY_VALUE);
}

/* When an arena is full, it is not the value's fault. */
static void a_full_arena_is_no_refusal(void **state)
{
    struct fixture *fixture = *state;
    struct uw_arena small;
    uw_arena_init(&small, 8);
    struct uw_event event;
    struct uw_refusal refusal;
    struct uw_error error = {UW_OK, UW_CLASS_NONE, ""};
    size_t length = 0;
    char *data = read_golden("blocks-many.bin", &length);
    assert_int_equal(uw_codec_decode(fixture->codec, UW_TOPIC_DECISIONS, (struct uw_str){data, (uint32_t)length}, &small,
                                     &event, &refusal, &error),
                     UW_ENOMEM);
    assert_int_equal(error.code, UW_ENOMEM);
    uw_arena_close(&small);
    free(data);
}

static void the_files_are_what_fastavro_makes(void **state)
{
    (void)state;
    const char *python = getenv("UW_PYTHON");
    char command[2048];
    (void)snprintf(command, sizeof command, "'%s' '%s/tests/schemas/make_golden.py' --check",
                   python != NULL ? python : "python3", UW_SOURCE_DIR);
    int status = system(command);
    /* 77: no fastavro; 127: no Python. */
    if (status == 77 << 8 || status == 127 << 8) {
        skip();
    }
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_gives_its_event_or_its_reason),
        cmocka_unit_test(encoding_equals_fastavro),
        cmocka_unit_test(avro_c_reads_what_we_write),
        cmocka_unit_test(truncation_is_seen_at_every_byte),
        cmocka_unit_test(a_flipped_bit_is_read_or_refused),
        cmocka_unit_test(random_bytes_are_read_or_refused),
        cmocka_unit_test(outputs_are_untouched_on_refusal),
        cmocka_unit_test(a_null_value_is_empty),
        cmocka_unit_test(a_full_arena_is_no_refusal),
        cmocka_unit_test(the_files_are_what_fastavro_makes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
