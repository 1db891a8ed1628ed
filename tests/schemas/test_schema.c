/* Schemas: canonical form and fingerprint as fastavro has them, and what is refused. */
#include "golden.h"

#include <avro.h>

#include "schemas/codec.h"
#include "schemas/embedded.h"
#include "schemas/schema.h"
#include "schemas/shape.h"

static void canonical_forms_equal_fastavro(void **state)
{
    (void)state;
    json_t *index = read_index();
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(index, "schemas"), i, entry)
    {
        size_t length = 0;
        char *json = read_golden(text_of(entry, "file"), &length);
        struct uw_schema *schema = NULL;
        struct uw_error error;
        if (uw_schema_open((struct uw_str){json, (uint32_t)length}, &schema, &error) != UW_OK) {
            fail_msg("%s: %s", text_of(entry, "file"), error.text);
        }
        assert_string_equal(schema->canonical.data, text_of(entry, "canonical"));
        char fingerprint[32];
        (void)snprintf(fingerprint, sizeof fingerprint, "%016llx", (unsigned long long)schema->fingerprint);
        assert_string_equal(fingerprint, text_of(entry, "fingerprint"));
        uw_schema_close(&schema);
        assert_null(schema);
        free(json);
    }
    assert_true(i > 30);
    json_decref(index);
}

static void avro_c_takes_our_schemas(void **state)
{
    (void)state;
    for (const struct uw_embedded_file *file = uw_embedded_schemas; file->name != NULL; file++) {
        avro_schema_t schema;
        assert_int_equal(avro_schema_from_json_length(file->text, file->length, &schema), 0);
        avro_schema_decref(schema);
    }
}

/* ---- the shapes and the files say the same ---- */

static void check_record(const struct uw_shape *shape, const struct uw_schema_node *record);

static void check_type(const struct uw_shape_field *field, const struct uw_schema_node *type)
{
    if (field->nullable) {
        assert_int_equal(type->type, UW_TYPE_UNION);
        assert_int_equal(type->count, 2);
        assert_int_equal(type->branches[0]->type, UW_TYPE_NULL);
        type = type->branches[1];
    }
    switch (field->kind) {
    case UW_VALUE_TEXT:
    case UW_VALUE_UUID:
        assert_int_equal(type->type, UW_TYPE_STRING);
        return;
    case UW_VALUE_INT:
    case UW_VALUE_DATE:
        assert_int_equal(type->type, UW_TYPE_INT);
        return;
    case UW_VALUE_LONG:
    case UW_VALUE_INSTANT:
        assert_int_equal(type->type, UW_TYPE_LONG);
        return;
    case UW_VALUE_BOOLEAN:
        assert_int_equal(type->type, UW_TYPE_BOOLEAN);
        return;
    case UW_VALUE_ENUM:
        assert_int_equal(type->type, UW_TYPE_ENUM);
        assert_int_equal(type->count, field->symbols->count);
        for (uint32_t i = 0; i < type->count; i++) {
            assert_string_equal(type->symbols[i], field->symbols->names[i]);
        }
        return;
    case UW_VALUE_LIST:
        assert_int_equal(type->type, UW_TYPE_ARRAY);
        assert_int_equal(type->items->type, UW_TYPE_INT);
        return;
    case UW_VALUE_RECORD:
        check_record(field->records, type);
        return;
    case UW_VALUE_CHOICE:
        assert_int_equal(type->type, UW_TYPE_UNION);
        assert_int_equal(type->count, field->record_count);
        for (uint32_t i = 0; i < type->count; i++) {
            check_record(&field->records[i], type->branches[i]);
        }
        return;
    }
}

static void check_record(const struct uw_shape *shape, const struct uw_schema_node *record)
{
    assert_int_equal(record->type, UW_TYPE_RECORD);
    assert_string_equal(uw_unqualified(record->name), shape->name);
    assert_int_equal(record->count, shape->field_count);
    for (uint32_t i = 0; i < record->count; i++) {
        assert_string_equal(record->fields[i].name, shape->fields[i].name);
        check_type(&shape->fields[i], record->fields[i].type);
    }
}

static void shapes_equal_the_files(void **state)
{
    (void)state;
    static const char *const names[UW_SHAPE_COUNT] = {"decision.avsc",   "declaration.avsc", "no_show.avsc",
                                                      "evaluation.avsc", "alert.avsc",       "anomaly.avsc"};
    for (int i = 0; i < UW_SHAPE_COUNT; i++) {
        const struct uw_embedded_file *file = uw_embedded_schemas;
        while (file->name != NULL && strcmp(file->name, names[i]) != 0) {
            file++;
        }
        assert_non_null(file->name);
        struct uw_schema *schema = NULL;
        struct uw_error error;
        assert_int_equal(uw_schema_open((struct uw_str){file->text, (uint32_t)file->length}, &schema, &error), UW_OK);
        check_record(uw_shape_of((enum uw_shape_id)i), schema->root);
        uw_schema_close(&schema);
    }
}

/* The symbols of the shapes are the names that the core gives. */
static const struct uw_symbols *symbols_of(enum uw_shape_id shape, const char *name)
{
    const struct uw_shape *found = uw_shape_of(shape);
    for (uint32_t i = 0; i < found->field_count; i++) {
        if (strcmp(found->fields[i].name, name) == 0) {
            return found->fields[i].symbols;
        }
    }
    fail_msg("no field %s", name);
    return NULL;
}

#define CHECK_SYMBOLS(shape, field, type, function)                                                                    \
    do {                                                                                                               \
        const struct uw_symbols *symbols = symbols_of(shape, field);                                                   \
        for (uint32_t i = 0; i < symbols->count; i++) {                                                                \
            int value = symbols->first_value + (int)i;                                                                 \
            assert_string_equal(value < 0 ? "UNKNOWN" : function((enum type)value), symbols->names[i]);                \
        }                                                                                                              \
    } while (0)

static void symbols_equal_the_names_of_the_core(void **state)
{
    (void)state;
    CHECK_SYMBOLS(UW_SHAPE_DECISION, "status", uw_decision_status, uw_decision_status_name);
    CHECK_SYMBOLS(UW_SHAPE_DECISION, "law", uw_law, uw_law_name);
    CHECK_SYMBOLS(UW_SHAPE_DECISION, "care", uw_care, uw_care_name);
    CHECK_SYMBOLS(UW_SHAPE_DECLARATION, "kind", uw_line_kind, uw_line_kind_name);
    CHECK_SYMBOLS(UW_SHAPE_NO_SHOW, "status", uw_no_show_status, uw_no_show_status_name);
    CHECK_SYMBOLS(UW_SHAPE_NO_SHOW, "reason", uw_no_show_reason, uw_no_show_reason_name);
    CHECK_SYMBOLS(UW_SHAPE_EVALUATION, "outcome", uw_outcome_of_evaluation, uw_evaluation_outcome_name);
    CHECK_SYMBOLS(UW_SHAPE_ALERT, "kind", uw_alert_kind, uw_alert_kind_name);
    CHECK_SYMBOLS(UW_SHAPE_ALERT, "severity", uw_severity, uw_severity_name);
    CHECK_SYMBOLS(UW_SHAPE_ALERT, "status", uw_status, uw_status_name);
    CHECK_SYMBOLS(UW_SHAPE_ANOMALY, "kind", uw_anomaly_kind, uw_anomaly_kind_name);
    assert_int_equal(symbols_of(UW_SHAPE_ALERT, "kind")->count, UW_ALERT_KIND_COUNT + 1);
    assert_int_equal(symbols_of(UW_SHAPE_ANOMALY, "kind")->count, UW_ANOMALY_KIND_COUNT + 1);
}

/* Every field and every type of the files has a doc. */
static void check_docs(const json_t *type)
{
    if (json_is_array(type)) {
        size_t i;
        json_t *branch;
        json_array_foreach(type, i, branch)
        {
            check_docs(branch);
        }
        return;
    }
    if (json_object_get(type, "name") != NULL) {
        assert_true(json_string_length(json_object_get(type, "doc")) > 5);
    }
    size_t i;
    json_t *field;
    json_array_foreach(json_object_get(type, "fields"), i, field)
    {
        assert_true(json_string_length(json_object_get(field, "doc")) > 5);
        check_docs(json_object_get(field, "type"));
    }
}

static void everything_has_a_doc(void **state)
{
    (void)state;
    for (const struct uw_embedded_file *file = uw_embedded_schemas; file->name != NULL; file++) {
        json_t *json = json_loadb(file->text, file->length, 0, NULL);
        assert_non_null(json);
        check_docs(json);
        json_decref(json);
    }
}

static void wrong_schemas_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "{", "1", "null", "\"nul\"", "[]", "[\"int\", \"int\"]", "[\"int\", [\"null\"]]", "{\"type\": 1}", "{}",
        "{\"type\": \"record\", \"fields\": []}", "{\"type\": \"record\", \"name\": \"A\"}",
        "{\"type\": \"record\", \"name\": \"1A\", \"fields\": []}",
        "{\"type\": \"record\", \"name\": \"a..b\", \"fields\": []}",
        "{\"type\": \"record\", \"name\": \"A\", \"namespace\": \"b c\", \"fields\": []}",
        "{\"type\": \"record\", \"name\": \"A\", \"fields\": [1]}",
        "{\"type\": \"record\", \"name\": \"A\", \"fields\": [{\"name\": \"f\"}]}",
        "{\"type\": \"record\", \"name\": \"A\", \"fields\": [{\"name\": \"f.g\", \"type\": \"int\"}]}",
        "{\"type\": \"record\", \"name\": \"A\", \"fields\": [{\"name\": \"f\", \"type\": \"int\"}, {\"name\": \"f\", "
        "\"type\": \"int\"}]}",
        "{\"type\": \"record\", \"name\": \"A\", \"fields\": [{\"name\": \"f\", \"type\": {\"type\": \"enum\", \"name\": "
        "\"A\", \"symbols\": [\"B\"]}}]}",
        "{\"type\": \"record\", \"name\": \"A\", \"fields\": [], \"fields\": []}",
        "{\"type\": \"record\", \"name\": \"A\", \"fields\": [], \"aliases\": \"B\"}",
        "{\"type\": \"enum\", \"name\": \"A\", \"symbols\": []}", "{\"type\": \"enum\", \"name\": \"A\"}",
        "{\"type\": \"enum\", \"name\": \"A\", \"symbols\": [\"B\", \"B\"]}",
        "{\"type\": \"enum\", \"name\": \"A\", \"symbols\": [\"B-C\"]}",
        "{\"type\": \"enum\", \"name\": \"A\", \"symbols\": [\"B\"], \"default\": \"C\"}",
        "{\"type\": \"fixed\", \"name\": \"A\"}", "{\"type\": \"fixed\", \"name\": \"A\", \"size\": -1}",
        "{\"type\": \"array\"}", "{\"type\": \"map\", \"values\": \"Nothing\"}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct uw_schema *schema = NULL;
        struct uw_error error = {UW_OK, UW_CLASS_NONE, ""};
        if (uw_schema_open(uw_str_from(wrong[i]), &schema, &error) != UW_EINPUT) {
            fail_msg("accepted: %s", wrong[i]);
        }
        assert_null(schema);
        assert_true(strlen(error.text) > 0);
        assert_int_equal(error.class, UW_CLASS_INPUT);
    }
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    for (uint32_t depth = UW_SCHEMA_DEPTH_MAX - 1; depth <= UW_SCHEMA_DEPTH_MAX; depth++) {
        char json[8192] = "";
        size_t length = 0;
        for (uint32_t i = 0; i < depth; i++) {
            length += (size_t)snprintf(json + length, sizeof json - length, "{\"type\": \"array\", \"items\": ");
        }
        length += (size_t)snprintf(json + length, sizeof json - length, "\"int\"");
        for (uint32_t i = 0; i < depth; i++) {
            length += (size_t)snprintf(json + length, sizeof json - length, "}");
        }
        struct uw_schema *schema = NULL;
        struct uw_error error;
        enum uw_code wanted = depth < UW_SCHEMA_DEPTH_MAX ? UW_OK : UW_EINPUT;
        assert_int_equal(uw_schema_open((struct uw_str){json, (uint32_t)length}, &schema, &error), wanted);
        uw_schema_close(&schema);
    }
}

static void texts_have_a_limit(void **state)
{
    (void)state;
    static char json[UW_SCHEMA_BYTES_MAX + 1];
    memset(json, ' ', sizeof json);
    memcpy(json, "\"int\"", 5);
    for (uint32_t length = UW_SCHEMA_BYTES_MAX; length <= UW_SCHEMA_BYTES_MAX + 1; length++) {
        struct uw_schema *schema = NULL;
        struct uw_error error;
        enum uw_code wanted = length <= UW_SCHEMA_BYTES_MAX ? UW_OK : UW_EINPUT;
        assert_int_equal(uw_schema_open((struct uw_str){json, length}, &schema, &error), wanted);
        uw_schema_close(&schema);
    }
}

#define SPACE_BYTES 4096 /* of a namespace, which every name of few bytes repeats in memory */

/* An enum with so many aliases; or a record with so many fields of one type, whose canonical form repeats it too. */
static enum uw_code open_repeating(uint32_t count, bool record, size_t *used_bytes, struct uw_error *error)
{
    char *json = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&json, &length);
    assert_non_null(out);
    (void)fprintf(out, "{\"namespace\": \"n%0*d\", \"name\": \"R\", \"type\": ", SPACE_BYTES - 1, 0);
    (void)fputs(record ? "\"record\", \"fields\": [{\"name\": \"a\", \"type\": {\"type\": \"fixed\", "
                         "\"name\": \"F\", \"size\": 1}}"
                       : "\"enum\", \"symbols\": [\"A\"], \"aliases\": [\"B\"",
                out);
    for (uint32_t i = 1; i < count; i++) {
        (void)fprintf(out, record ? ", {\"name\": \"a%u\", \"type\": \"F\"}" : ", \"B%u\"", (unsigned)i);
    }
    (void)fputs("]}", out);
    assert_int_equal(fclose(out), 0);
    assert_true(length < UW_SCHEMA_BYTES_MAX);
    struct uw_schema *schema = NULL;
    enum uw_code code = uw_schema_open((struct uw_str){json, (uint32_t)length}, &schema, error);
    if (code == UW_OK) {
        *used_bytes = schema->memory.used_bytes;
    }
    uw_schema_close(&schema);
    free(json);
    return code;
}

/* Beyond it the schema is refused as a wrong one is: it must not look as if the machine had no memory, which would
 * end the program. */
static void memory_has_a_limit(void **state)
{
    (void)state;
    struct uw_error error = {UW_OK, UW_CLASS_NONE, ""};
    size_t used_bytes = 0;
    uint32_t count = (uint32_t)(UW_SCHEMA_MEMORY_BYTES_MAX / SPACE_BYTES) - 64;
    while (open_repeating(count, false, &used_bytes, &error) == UW_OK) {
        count++;
        assert_true(used_bytes <= UW_SCHEMA_MEMORY_BYTES_MAX);
    }
    assert_true(used_bytes > UW_SCHEMA_MEMORY_BYTES_MAX - 2 * SPACE_BYTES);
    assert_int_equal(error.code, UW_EINPUT);
    assert_int_equal(error.class, UW_CLASS_INPUT);
    assert_string_equal(error.text, "the schema takes more than 16 MiB of memory");
    /* The graph alone would fit, its canonical form does not. */
    error = (struct uw_error){UW_OK, UW_CLASS_NONE, ""};
    assert_int_equal(open_repeating(900, true, &used_bytes, &error), UW_OK);
    assert_int_equal(open_repeating(2200, true, &used_bytes, &error), UW_EINPUT);
    assert_string_equal(error.text, "the schema takes more than 16 MiB of memory");
}

/* ---- long lists of names ---- */

int __real_strcmp(const char *a, const char *b);
int __wrap_strcmp(const char *a, const char *b);

static uint64_t comparison_count;

int __wrap_strcmp(const char *a, const char *b)
{
    comparison_count++;
    return __real_strcmp(a, b);
}

/* One of 52 * 63 * 63 short names. */
static void write_name(uint32_t number, char name[4])
{
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    name[0] = characters[number / 63 / 63];
    name[1] = characters[number / 63 % 63];
    name[2] = characters[number % 63];
    name[3] = '\0';
}

struct long_list {
    const char *before, *item, *behind_name, *after;
    uint32_t count;       /* of which this many fit into a schema's text */
    const char *repeated; /* why it is refused when the last one is the first one again */
};

static const struct long_list long_lists[] = {
    {"{\"type\": \"enum\", \"name\": \"E\", \"default\": \"AAB\", \"symbols\": [", "\"", "\"", "]}", 43000,
     "a symbol stands twice: AAA"},
    {"{\"type\": \"record\", \"name\": \"R\", \"fields\": [", "{\"name\":\"", "\",\"type\":\"int\"}",
     "]}", 9000,
     "a field stands twice: AAA"},
    {"[", "{\"type\":\"fixed\",\"name\":\"", "\",\"size\":1}", "]", 6500, "a type is defined twice: AAA"},
};

static enum uw_code open_long_list(const struct long_list *list, bool repeats, struct uw_error *error)
{
    char *json = NULL;
    size_t length = 0;
    char name[4];
    FILE *out = open_memstream(&json, &length);
    assert_non_null(out);
    (void)fputs(list->before, out);
    for (uint32_t i = 0; i < list->count; i++) {
        write_name(repeats && i + 1 == list->count ? 0 : i, name);
        (void)fputs(i > 0 ? "," : "", out);
        (void)fprintf(out, "%s%s%s", list->item, name, list->behind_name);
    }
    (void)fputs(list->after, out);
    assert_int_equal(fclose(out), 0);
    assert_true(length <= UW_SCHEMA_BYTES_MAX);
    struct uw_schema *schema = NULL;
    comparison_count = 0;
    enum uw_code code = uw_schema_open((struct uw_str){json, (uint32_t)length}, &schema, error);
    uw_schema_close(&schema);
    free(json);
    return code;
}

/* A registry's schema must not occupy the processor: with tens of thousands of names, comparing each with each is a
 * thousand million comparisons. */
static void long_lists_are_read_quickly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof long_lists / sizeof long_lists[0]; i++) {
        const struct long_list *list = &long_lists[i];
        struct uw_error error = {UW_OK, UW_CLASS_NONE, ""};
        assert_int_equal(open_long_list(list, false, &error), UW_OK);
        assert_true(comparison_count >= list->count);
        assert_true(comparison_count < (uint64_t)list->count * 128);
        assert_int_equal(open_long_list(list, true, &error), UW_EINPUT);
        assert_string_equal(error.text, list->repeated);
        assert_true(comparison_count < (uint64_t)list->count * 128);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_forms_equal_fastavro),
        cmocka_unit_test(avro_c_takes_our_schemas),
        cmocka_unit_test(shapes_equal_the_files),
        cmocka_unit_test(symbols_equal_the_names_of_the_core),
        cmocka_unit_test(everything_has_a_doc),
        cmocka_unit_test(wrong_schemas_are_refused),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(texts_have_a_limit),
        cmocka_unit_test(memory_has_a_limit),
        cmocka_unit_test(long_lists_are_read_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
