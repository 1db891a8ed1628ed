/* Plans: the reader's defaults for fields that the writer does not have. */
#include "schemas/plan.h"

#include <string.h>

static enum uw_code misfit(struct uw_compiler *compiler, const struct uw_shape_field *field)
{
    return uw_plan_fail(compiler, "%s: the default does not fit its type", field->name);
}

static enum uw_code add_number(struct uw_compiler *compiler, struct uw_steps *steps, enum uw_step_kind kind,
                               int64_t number, const struct uw_shape_field *field)
{
    struct uw_step *step = uw_steps_add(compiler, steps, kind, field);
    if (step == NULL) {
        return UW_ENOMEM;
    }
    step->of.number = number;
    return UW_OK;
}

static enum uw_code add_text(struct uw_compiler *compiler, struct uw_steps *steps, const json_t *json,
                             const struct uw_shape_field *field)
{
    if (!json_is_string(json)) {
        return misfit(compiler, field);
    }
    struct uw_str text = {json_string_value(json), (uint32_t)json_string_length(json)};
    struct uw_step *step =
        uw_steps_add(compiler, steps, field->kind == UW_VALUE_UUID ? UW_STEP_SET_UUID : UW_STEP_SET_TEXT, field);
    if (step == NULL) {
        return UW_ENOMEM;
    }
    if (field->kind == UW_VALUE_UUID) {
        return uw_uuid_parse(text, &step->of.uuid) ? UW_OK : misfit(compiler, field);
    }
    step->of.text = text;
    return UW_OK;
}

static enum uw_code add_symbol(struct uw_compiler *compiler, struct uw_steps *steps, const json_t *json,
                               const struct uw_shape_field *field)
{
    const char *symbol = json_string_value(json);
    for (uint32_t i = 0; symbol != NULL && i < field->symbols->count; i++) {
        if (strcmp(symbol, field->symbols->names[i]) == 0) {
            return add_number(compiler, steps, UW_STEP_SET_INT, field->symbols->first_value + (int64_t)i, field);
        }
    }
    return misfit(compiler, field);
}

static enum uw_code add_list(struct uw_compiler *compiler, struct uw_steps *steps, const json_t *json,
                             const struct uw_shape_field *field)
{
    if (!json_is_array(json)) {
        return misfit(compiler, field);
    }
    size_t count = json_array_size(json);
    int32_t *items = uw_arena_take(&compiler->plan->memory, count * sizeof *items);
    struct uw_step *step = uw_steps_add(compiler, steps, UW_STEP_SET_LIST, field);
    if (items == NULL || step == NULL) {
        return UW_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(json, i);
        json_int_t number = json_integer_value(item);
        if (!json_is_integer(item) || number <= INT32_MIN || number > INT32_MAX) {
            return misfit(compiler, field);
        }
        items[i] = (int32_t)number;
    }
    step->of.list.items = items;
    step->of.list.count = (uint32_t)count;
    return UW_OK;
}

/* An object with the values of the fields; one that is absent has the field's own default. */
static enum uw_code add_record(struct uw_compiler *compiler, struct uw_steps *steps,
                               const struct uw_schema_node *reader, const json_t *json, const struct uw_shape *shape,
                               const struct uw_shape_field *field)
{
    if (!json_is_object(json) || reader->type != UW_TYPE_RECORD) {
        return misfit(compiler, field);
    }
    for (uint32_t i = 0; i < reader->count; i++) {
        const struct uw_schema_field *member = &reader->fields[i];
        const json_t *value = json_object_get(json, member->name);
        value = value != NULL ? value : member->default_value;
        const struct uw_shape_field *place = uw_shape_field(shape, member->name);
        if (value == NULL || place == NULL) {
            return misfit(compiler, field);
        }
        enum uw_code code = uw_steps_add_default(compiler, steps, member->type, value, place);
        if (code != UW_OK) {
            return code;
        }
    }
    return UW_OK;
}

/* The default of a union is a value of its first branch. */
static enum uw_code add_choice(struct uw_compiler *compiler, struct uw_steps *steps,
                               const struct uw_schema_node *reader, const json_t *json,
                               const struct uw_shape_field *field)
{
    for (uint32_t i = 0; reader->type == UW_TYPE_UNION && i < field->record_count; i++) {
        const struct uw_schema_node *first = reader->branches[0];
        if (first->type == UW_TYPE_RECORD && strcmp(uw_unqualified(first->name), field->records[i].name) == 0) {
            enum uw_code code = add_number(compiler, steps, UW_STEP_SET_INT, (int64_t)i, field);
            return code != UW_OK ? code : add_record(compiler, steps, first, json, &field->records[i], field);
        }
    }
    return misfit(compiler, field);
}

enum uw_code uw_steps_add_default(struct uw_compiler *compiler, struct uw_steps *steps,
                                  const struct uw_schema_node *reader, const json_t *json,
                                  const struct uw_shape_field *field)
{
    if (field->nullable && json_is_null(json)) {
        return uw_steps_add_null(compiler, steps, field);
    }
    json_int_t number = json_integer_value(json);
    switch (field->kind) {
    case UW_VALUE_TEXT:
    case UW_VALUE_UUID:
        return add_text(compiler, steps, json, field);
    case UW_VALUE_INT:
    case UW_VALUE_DATE:
        if (!json_is_integer(json) || number <= INT32_MIN || number > INT32_MAX) {
            return misfit(compiler, field);
        }
        return add_number(compiler, steps, UW_STEP_SET_INT, number, field);
    case UW_VALUE_LONG:
    case UW_VALUE_INSTANT:
        if (!json_is_integer(json) || number == INT64_MIN) {
            return misfit(compiler, field);
        }
        return add_number(compiler, steps, UW_STEP_SET_LONG, number, field);
    case UW_VALUE_BOOLEAN:
        if (!json_is_boolean(json)) {
            return misfit(compiler, field);
        }
        return add_number(compiler, steps, UW_STEP_SET_BOOLEAN, json_is_true(json), field);
    case UW_VALUE_ENUM:
        return add_symbol(compiler, steps, json, field);
    case UW_VALUE_LIST:
        return add_list(compiler, steps, json, field);
    case UW_VALUE_RECORD:
        return add_record(compiler, steps, reader, json, field->records, field);
    case UW_VALUE_CHOICE:
        return add_choice(compiler, steps, reader, json, field);
    }
    return UW_EINTERNAL;
}
