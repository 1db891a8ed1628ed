/* Events as lines of JSON: reading. */
#include "schemas/json.h"

#include <jansson.h>
#include <stdio.h>

#include "schemas/refuse.h"
#include "schemas/shape.h"
#include "schemas/slot.h"

struct reader {
    struct uw_arena *arena;
    struct uw_event *event;
    struct uw_refusal *refusal;
};

static enum uw_code read_record(struct reader *reader, const struct uw_shape *shape, const json_t *object,
                                const char *path);

static enum uw_code wrong_type(struct reader *reader, const char *path, const struct uw_shape_field *field,
                               const char *wanted)
{
    return uw_refuse(reader->refusal, UW_REFUSED_RULE, "%s%s: must be %s%s", path, field->name, wanted,
                     field->nullable ? " or null" : "");
}

static void set_null(struct reader *reader, const struct uw_shape_field *field)
{
    switch (field->kind) {
    case UW_VALUE_TEXT:
        uw_slot_set_text(reader->event, field->offset, UW_STR_NULL);
        return;
    case UW_VALUE_INT:
    case UW_VALUE_DATE:
        uw_slot_set_int(reader->event, field->offset, UW_INT_NONE);
        return;
    case UW_VALUE_LONG:
    case UW_VALUE_INSTANT:
        uw_slot_set_long(reader->event, field->offset, UW_INSTANT_NONE);
        return;
    case UW_VALUE_UUID:
    case UW_VALUE_BOOLEAN:
    case UW_VALUE_ENUM:
    case UW_VALUE_LIST:
    case UW_VALUE_RECORD:
    case UW_VALUE_CHOICE:
        return; /* No shape makes these nullable. */
    }
}

static struct uw_str string_of(const json_t *value)
{
    return (struct uw_str){json_string_value(value), (uint32_t)json_string_length(value)};
}

static enum uw_code read_text(struct reader *reader, const struct uw_shape_field *field, const json_t *value,
                              const char *path)
{
    if (!json_is_string(value)) {
        return wrong_type(reader, path, field, "a string");
    }
    struct uw_str text = uw_arena_copy(reader->arena, string_of(value));
    if (uw_str_is_null(text)) {
        return UW_ENOMEM;
    }
    uw_slot_set_text(reader->event, field->offset, text);
    return UW_OK;
}

static enum uw_code read_uuid(struct reader *reader, const struct uw_shape_field *field, const json_t *value,
                              const char *path)
{
    struct uw_uuid uuid;
    if (!json_is_string(value) || !uw_uuid_parse(string_of(value), &uuid)) {
        return wrong_type(reader, path, field, "a UUID in the form 8-4-4-4-12");
    }
    uw_slot_set_uuid(reader->event, field->offset, &uuid);
    return UW_OK;
}

static enum uw_code read_date(struct reader *reader, const struct uw_shape_field *field, const json_t *value,
                              const char *path)
{
    int32_t day;
    if (!json_is_string(value) || !uw_date_parse(string_of(value), &day)) {
        return wrong_type(reader, path, field, "an existing date YYYY-MM-DD");
    }
    uw_slot_set_int(reader->event, field->offset, day);
    return UW_OK;
}

static enum uw_code read_int(struct reader *reader, const struct uw_shape_field *field, const json_t *value,
                             const char *path)
{
    if (!json_is_integer(value)) {
        return wrong_type(reader, path, field, "a whole number");
    }
    json_int_t number = json_integer_value(value);
    if (number <= INT32_MIN || number > INT32_MAX) {
        return wrong_type(reader, path, field, "a whole number of 32 bits");
    }
    uw_slot_set_int(reader->event, field->offset, (int32_t)number);
    return UW_OK;
}

static enum uw_code read_long(struct reader *reader, const struct uw_shape_field *field, const json_t *value,
                              const char *path)
{
    const char *wanted = field->kind == UW_VALUE_INSTANT ? "a whole number of milliseconds" : "a whole number";
    if (!json_is_integer(value) || json_integer_value(value) == INT64_MIN) {
        return wrong_type(reader, path, field, wanted);
    }
    uw_slot_set_long(reader->event, field->offset, json_integer_value(value));
    return UW_OK;
}

static enum uw_code read_symbol(struct reader *reader, const struct uw_shape_field *field, const json_t *value,
                                const char *path)
{
    const struct uw_symbols *symbols = field->symbols;
    for (uint32_t i = 0; json_is_string(value) && i < symbols->count; i++) {
        if (uw_str_equal(string_of(value), uw_str_from(symbols->names[i]))) {
            uw_slot_set_int(reader->event, field->offset, symbols->first_value + (int32_t)i);
            return UW_OK;
        }
    }
    char wanted[96] = "one of";
    size_t length = strlen(wanted);
    for (uint32_t i = 0; i < symbols->count; i++) {
        size_t size = strlen(symbols->names[i]);
        if (length + size + 2 < sizeof wanted) {
            wanted[length++] = ' ';
            memcpy(wanted + length, symbols->names[i], size + 1);
            length += size;
        }
    }
    return wrong_type(reader, path, field, wanted);
}

static enum uw_code read_list(struct reader *reader, const struct uw_shape_field *field, const json_t *value,
                              const char *path)
{
    if (!json_is_array(value)) {
        return wrong_type(reader, path, field, "an array of whole numbers");
    }
    size_t count = json_array_size(value);
    int32_t *items = uw_arena_take(reader->arena, count * sizeof *items);
    if (items == NULL) {
        return UW_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(value, i);
        json_int_t number = json_integer_value(item);
        if (!json_is_integer(item) || number <= INT32_MIN || number > INT32_MAX) {
            return wrong_type(reader, path, field, "an array of whole numbers of 32 bits");
        }
        items[i] = (int32_t)number;
    }
    uw_slot_set_list(reader->event, field->offset, field->count_offset, items, (uint32_t)count);
    return UW_OK;
}

static enum uw_code read_nested(struct reader *reader, const struct uw_shape_field *field, const struct uw_shape *shape,
                                const json_t *value, const char *path)
{
    char nested[UW_REFUSAL_TEXT_BYTES];
    (void)snprintf(nested, sizeof nested, "%s%s.", path, field->name);
    return read_record(reader, shape, value, nested);
}

/* {"Pxq": {...}}: an object with one key, the name of a record of the union. */
static enum uw_code read_choice(struct reader *reader, const struct uw_shape_field *field, const json_t *value,
                                const char *path)
{
    if (!json_is_object(value) || json_object_size(value) != 1) {
        return wrong_type(reader, path, field, "an object with one key, the funding form");
    }
    for (uint32_t i = 0; i < field->record_count; i++) {
        const json_t *members = json_object_get(value, field->records[i].name);
        if (members != NULL) {
            uw_slot_set_int(reader->event, field->offset, (int32_t)i);
            return read_nested(reader, field, &field->records[i], members, path);
        }
    }
    return uw_refuse(reader->refusal, UW_REFUSED_RULE, "%s%s: unknown funding form", path, field->name);
}

static enum uw_code read_value(struct reader *reader, const struct uw_shape_field *field, const json_t *value,
                               const char *path)
{
    if (field->nullable && json_is_null(value)) {
        set_null(reader, field);
        return UW_OK;
    }
    switch (field->kind) {
    case UW_VALUE_TEXT:
        return read_text(reader, field, value, path);
    case UW_VALUE_UUID:
        return read_uuid(reader, field, value, path);
    case UW_VALUE_INT:
        return read_int(reader, field, value, path);
    case UW_VALUE_LONG:
    case UW_VALUE_INSTANT:
        return read_long(reader, field, value, path);
    case UW_VALUE_DATE:
        return read_date(reader, field, value, path);
    case UW_VALUE_BOOLEAN:
        if (!json_is_boolean(value)) {
            return wrong_type(reader, path, field, "true or false");
        }
        uw_slot_set_boolean(reader->event, field->offset, json_is_true(value));
        return UW_OK;
    case UW_VALUE_ENUM:
        return read_symbol(reader, field, value, path);
    case UW_VALUE_LIST:
        return read_list(reader, field, value, path);
    case UW_VALUE_RECORD:
        return read_nested(reader, field, field->records, value, path);
    case UW_VALUE_CHOICE:
        return read_choice(reader, field, value, path);
    }
    return UW_EINTERNAL;
}

static bool has_field(const struct uw_shape *shape, const char *name)
{
    for (uint32_t i = 0; i < shape->field_count; i++) {
        if (strcmp(shape->fields[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* `path` is "" or ends in a dot. */
static enum uw_code read_record(struct reader *reader, const struct uw_shape *shape, const json_t *object,
                                const char *path)
{
    if (!json_is_object(object)) {
        return uw_refuse(reader->refusal, UW_REFUSED_RULE, "%s%s must be an object", path, shape->name);
    }
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        if (!has_field(shape, name)) {
            return uw_refuse(reader->refusal, UW_REFUSED_RULE, "%s%.40s: unknown key", path, name);
        }
    }
    for (uint32_t i = 0; i < shape->field_count; i++) {
        const struct uw_shape_field *field = &shape->fields[i];
        value = json_object_get(object, field->name);
        if (value == NULL) {
            return uw_refuse(reader->refusal, UW_REFUSED_RULE, "%s%s: missing", path, field->name);
        }
        enum uw_code code = read_value(reader, field, value, path);
        if (code != UW_OK) {
            return code;
        }
    }
    return UW_OK;
}

/* {"topic": ..., "value": ...} with these two keys only. */
static enum uw_code read_envelope(struct reader *reader, const json_t *root)
{
    if (!json_is_object(root)) {
        return uw_refuse(reader->refusal, UW_REFUSED_MALFORMED, "the line must be a JSON object");
    }
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)root, name, member)
    {
        if (strcmp(name, "topic") != 0 && strcmp(name, "value") != 0) {
            return uw_refuse(reader->refusal, UW_REFUSED_MALFORMED, "%.40s: unknown key beside topic and value", name);
        }
    }
    const json_t *topic = json_object_get(root, "topic");
    const json_t *value = json_object_get(root, "value");
    if (topic == NULL || value == NULL) {
        return uw_refuse(reader->refusal, UW_REFUSED_MALFORMED, "%s: missing", topic == NULL ? "topic" : "value");
    }
    if (!json_is_object(value)) {
        return uw_refuse(reader->refusal, UW_REFUSED_MALFORMED, "value: must be an object");
    }
    for (int i = 0; json_is_string(topic) && i < UW_TOPIC_COUNT; i++) {
        if (uw_str_equal(string_of(topic), uw_str_from(uw_topic_name((enum uw_topic)i)))) {
            *reader->event = (struct uw_event){.topic = (enum uw_topic)i};
            return read_record(reader, uw_shape_of((enum uw_shape_id)i), value, "");
        }
    }
    return uw_refuse(reader->refusal, UW_REFUSED_MALFORMED,
                     "topic: must be decisions, declarations, no-shows or evaluations");
}

/* jansson's own text quotes the line, which may hold a client id; only its kind and place are told. */
static enum uw_code refuse_syntax(struct uw_refusal *refusal, const json_error_t *error)
{
    const char *what = "not valid JSON";
    switch (json_error_code(error)) {
    case json_error_duplicate_key:
        what = "a key stands twice in one object";
        break;
    case json_error_numeric_overflow:
        what = "a number is too large";
        break;
    case json_error_invalid_utf8:
        what = "not valid UTF-8";
        break;
    case json_error_null_character:
    case json_error_null_byte_in_key:
        what = "a string holds U+0000";
        break;
    case json_error_premature_end_of_input:
        what = "the line ends too early";
        break;
    case json_error_end_of_input_expected:
        what = "something follows the JSON object";
        break;
    case json_error_out_of_memory:
        return UW_ENOMEM;
    default: /* jansson's enumeration, which may grow */
        break;
    }
    return uw_refuse(refusal, UW_REFUSED_MALFORMED, "%s (at byte %d)", what, error->position);
}

enum uw_code uw_json_read_event(struct uw_str line, struct uw_arena *arena, struct uw_event *event,
                                struct uw_refusal *refusal)
{
    if (line.length == 0) {
        return uw_refuse(refusal, UW_REFUSED_EMPTY_VALUE, "the line is empty");
    }
    if (line.length > UW_JSON_LINE_BYTES_MAX) {
        return uw_refuse(refusal, UW_REFUSED_TOO_LARGE, "the line has %u bytes; at most %u", (unsigned)line.length,
                         UW_JSON_LINE_BYTES_MAX);
    }
    json_error_t error;
    json_t *root = json_loadb(line.data, line.length, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        return refuse_syntax(refusal, &error);
    }
    struct uw_event read;
    struct reader reader = {arena, &read, refusal};
    enum uw_code code = read_envelope(&reader, root);
    json_decref(root);
    if (code == UW_OK) {
        code = uw_event_validate(&read, refusal);
    }
    if (code == UW_OK) {
        *event = read;
    }
    return code;
}
