/*
 * What the tests of schemas/ share: files, and the cases of tests/data/avro/index.json (make_golden.py).
 */
#ifndef UW_TESTS_GOLDEN_H
#define UW_TESTS_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "schemas/codec.h"
#include "schemas/json.h"

#define AVRO_FOLDER UW_SOURCE_DIR "/tests/data/avro/"
#define ARENA_BYTES ((size_t)64 * 1024 * 1024)

/* The whole file, NUL-terminated, to be freed. */
static inline char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("cannot open %s", path);
        return NULL;
    }
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    char *data = malloc((size_t)size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)size, file), (size_t)size);
    data[size] = '\0';
    (void)fclose(file);
    *length = (size_t)size;
    return data;
}

static inline char *read_golden(const char *name, size_t *length)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s%s", AVRO_FOLDER, name);
    return read_file(path, length);
}

static inline json_t *read_index(void)
{
    json_error_t error;
    json_t *index = json_load_file(AVRO_FOLDER "index.json", 0, &error);
    if (index == NULL) {
        fail_msg("index.json: %s", error.text);
    }
    return index;
}

static inline const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static inline enum uw_topic topic_of(const char *name)
{
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        if (strcmp(uw_topic_name((enum uw_topic)i), name) == 0) {
            return (enum uw_topic)i;
        }
    }
    fail_msg("unknown topic %s", name);
    return UW_TOPIC_DECISIONS;
}

/* A codec that knows every writer's schema of the index. */
static inline struct uw_codec *open_codec(const struct uw_codec_options *options, const json_t *index)
{
    struct uw_codec *codec = NULL;
    struct uw_error error;
    assert_int_equal(uw_codec_open(options, &codec, &error), UW_OK);
    size_t i;
    json_t *schema;
    json_array_foreach(json_object_get(index, "schemas"), i, schema)
    {
        size_t length = 0;
        char *json = read_golden(text_of(schema, "file"), &length);
        assert_int_equal(uw_codec_add_schema(codec, (struct uw_str){json, (uint32_t)length}, &error), UW_OK);
        free(json);
    }
    return codec;
}

#endif
