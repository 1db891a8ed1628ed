#include "schemas/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 16

static enum uw_code resolve(struct uw_compiler *compiler, struct uw_steps *steps, const struct uw_schema_node *writer,
                            const struct uw_schema_node *reader, const struct uw_shape_field *field);

enum uw_code uw_plan_fail(struct uw_compiler *compiler, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(compiler->plan->why, sizeof compiler->plan->why, format, arguments) < 0) {
        compiler->plan->why[0] = '\0';
    }
    va_end(arguments);
    return UW_EINPUT;
}

const struct uw_shape_field *uw_shape_field(const struct uw_shape *shape, const char *name)
{
    for (uint32_t i = 0; i < shape->field_count; i++) {
        if (strcmp(shape->fields[i].name, name) == 0) {
            return &shape->fields[i];
        }
    }
    return NULL;
}

/* ---- lists of steps ---- */

struct uw_step *uw_steps_add(struct uw_compiler *compiler, struct uw_steps *steps, enum uw_step_kind kind,
                             const struct uw_shape_field *field)
{
    if (steps->count == steps->capacity) {
        uint32_t capacity = steps->capacity == 0 ? FIRST_CAPACITY : steps->capacity * 2;
        struct uw_step *list = uw_arena_take(&compiler->plan->memory, capacity * sizeof *list);
        if (list == NULL) {
            return NULL;
        }
        if (steps->count > 0) {
            memcpy(list, steps->list, steps->count * sizeof *list);
        }
        steps->list = list;
        steps->capacity = capacity;
    }
    struct uw_step *step = &steps->list[steps->count++];
    memset(step, 0, sizeof *step);
    step->kind = kind;
    if (field != NULL) {
        step->name = field->name;
        step->offset = field->offset;
        step->count_offset = field->count_offset;
    }
    return step;
}

enum uw_code uw_steps_add_null(struct uw_compiler *compiler, struct uw_steps *steps, const struct uw_shape_field *field)
{
    struct uw_step *step = NULL;
    switch (field->kind) {
    case UW_VALUE_TEXT:
        step = uw_steps_add(compiler, steps, UW_STEP_SET_TEXT, field);
        return step != NULL ? UW_OK : UW_ENOMEM; /* all zero is the null */
    case UW_VALUE_INT:
    case UW_VALUE_DATE:
        step = uw_steps_add(compiler, steps, UW_STEP_SET_INT, field);
        if (step != NULL) {
            step->of.number = UW_INT_NONE;
        }
        return step != NULL ? UW_OK : UW_ENOMEM;
    case UW_VALUE_LONG:
    case UW_VALUE_INSTANT:
        step = uw_steps_add(compiler, steps, UW_STEP_SET_LONG, field);
        if (step != NULL) {
            step->of.number = UW_INSTANT_NONE;
        }
        return step != NULL ? UW_OK : UW_ENOMEM;
    case UW_VALUE_UUID:
    case UW_VALUE_BOOLEAN:
    case UW_VALUE_ENUM:
    case UW_VALUE_LIST:
    case UW_VALUE_RECORD:
    case UW_VALUE_CHOICE:
        break; /* No shape makes these nullable. */
    }
    return uw_plan_fail(compiler, "%s: cannot be null", field->name);
}

/* ---- resolution ---- */

static enum uw_code mismatch(struct uw_compiler *compiler, const struct uw_schema_node *writer,
                             const struct uw_schema_node *reader, const struct uw_shape_field *field)
{
    return uw_plan_fail(compiler, "%s: %s in the writer's schema, %s here", field->name,
                        writer->name != NULL ? writer->name : uw_type_name(writer->type),
                        reader->name != NULL ? reader->name : uw_type_name(reader->type));
}

/* Named types match by their unqualified names, or by one of the reader's aliases. */
static bool names_match(const struct uw_schema_node *writer, const struct uw_schema_node *reader)
{
    const char *name = uw_unqualified(writer->name);
    bool match = strcmp(name, uw_unqualified(reader->name)) == 0;
    for (uint32_t i = 0; !match && i < reader->alias_count; i++) {
        match = strcmp(name, uw_unqualified(reader->aliases[i])) == 0;
    }
    return match;
}

/* The place of the writer's field for a reader's field, or -1. */
static int64_t find_writer_field(const struct uw_schema_node *writer, const struct uw_schema_field *reader)
{
    for (uint32_t i = 0; i < writer->count; i++) {
        if (strcmp(writer->fields[i].name, reader->name) == 0) {
            return i;
        }
    }
    for (uint32_t alias = 0; alias < reader->alias_count; alias++) {
        for (uint32_t i = 0; i < writer->count; i++) {
            if (strcmp(writer->fields[i].name, reader->aliases[alias]) == 0) {
                return i;
            }
        }
    }
    return -1;
}

static enum uw_code add_skip(struct uw_compiler *compiler, struct uw_steps *steps, const struct uw_schema_field *field)
{
    struct uw_step *step = uw_steps_add(compiler, steps, UW_STEP_SKIP, NULL);
    if (step == NULL) {
        return UW_ENOMEM;
    }
    step->name = field->name;
    step->of.node = field->type;
    return UW_OK;
}

/* The writer's fields in their order; each is read into the reader's field of that name, or skipped. */
static enum uw_code resolve_fields(struct uw_compiler *compiler, struct uw_steps *steps,
                                   const struct uw_schema_node *writer, const struct uw_schema_node *reader,
                                   const struct uw_shape *shape, const int64_t *places)
{
    for (uint32_t w = 0; w < writer->count; w++) {
        uint32_t r = 0;
        while (r < reader->count && places[r] != (int64_t)w) {
            r++;
        }
        enum uw_code code;
        if (r == reader->count) {
            code = add_skip(compiler, steps, &writer->fields[w]);
        } else {
            const struct uw_shape_field *field = uw_shape_field(shape, reader->fields[r].name);
            code = field == NULL ? UW_EINTERNAL
                                 : resolve(compiler, steps, writer->fields[w].type, reader->fields[r].type, field);
        }
        if (code != UW_OK) {
            return code;
        }
    }
    return UW_OK;
}

static enum uw_code resolve_record(struct uw_compiler *compiler, struct uw_steps *steps,
                                   const struct uw_schema_node *writer, const struct uw_schema_node *reader,
                                   const struct uw_shape *shape)
{
    int64_t *places = uw_arena_take(&compiler->plan->memory, reader->count * sizeof *places);
    if (places == NULL) {
        return UW_ENOMEM;
    }
    for (uint32_t r = 0; r < reader->count; r++) {
        places[r] = find_writer_field(writer, &reader->fields[r]);
    }
    enum uw_code code = resolve_fields(compiler, steps, writer, reader, shape, places);
    for (uint32_t r = 0; code == UW_OK && r < reader->count; r++) {
        const struct uw_schema_field *missing = &reader->fields[r];
        const struct uw_shape_field *field = uw_shape_field(shape, missing->name);
        if (places[r] >= 0) {
            continue;
        }
        if (field == NULL) {
            code = UW_EINTERNAL;
        } else if (missing->default_value == NULL) {
            code = uw_plan_fail(compiler, "%s: not in the writer's schema, and it has no default", missing->name);
        } else {
            code = uw_steps_add_default(compiler, steps, missing->type, missing->default_value, field);
        }
    }
    return code;
}

/* The C value of a symbol that the reader knows too, or UW_ENUM_UNKNOWN. */
static int32_t value_of_symbol(const char *symbol, const struct uw_schema_node *reader,
                               const struct uw_symbols *symbols)
{
    bool known = false;
    for (uint32_t i = 0; !known && i < reader->count; i++) {
        known = strcmp(symbol, reader->symbols[i]) == 0;
    }
    for (uint32_t i = 0; known && i < symbols->count; i++) {
        if (strcmp(symbol, symbols->names[i]) == 0) {
            return symbols->first_value + (int32_t)i;
        }
    }
    return UW_ENUM_UNKNOWN;
}

static enum uw_code resolve_enum(struct uw_compiler *compiler, struct uw_steps *steps,
                                 const struct uw_schema_node *writer, const struct uw_schema_node *reader,
                                 const struct uw_shape_field *field)
{
    int32_t *values = uw_arena_take(&compiler->plan->memory, writer->count * sizeof *values);
    struct uw_step *step = uw_steps_add(compiler, steps, UW_STEP_ENUM, field);
    if (values == NULL || step == NULL) {
        return UW_ENOMEM;
    }
    int32_t otherwise = reader->default_symbol == NULL
                            ? UW_ENUM_UNKNOWN
                            : value_of_symbol(reader->default_symbol, reader, field->symbols);
    for (uint32_t i = 0; i < writer->count; i++) {
        int32_t value = value_of_symbol(writer->symbols[i], reader, field->symbols);
        values[i] = value == UW_ENUM_UNKNOWN ? otherwise : value;
    }
    step->of.list.items = values;
    step->of.list.count = writer->count;
    return UW_OK;
}

/* Items are whole numbers; each is read by steps of its own, so that the writer's may be of any type that
 * resolves to them. */
static enum uw_code resolve_list(struct uw_compiler *compiler, struct uw_steps *steps,
                                 const struct uw_schema_node *writer, const struct uw_schema_node *reader,
                                 const struct uw_shape_field *field)
{
    const struct uw_shape_field item = {.name = field->name, .kind = UW_VALUE_INT};
    struct uw_steps item_steps = {NULL, 0, 0};
    enum uw_code code = resolve(compiler, &item_steps, writer->items, reader->items, &item);
    if (code != UW_OK) {
        return code;
    }
    struct uw_step *step = uw_steps_add(compiler, steps, UW_STEP_LIST, field);
    if (step == NULL || uw_steps_add(compiler, &item_steps, UW_STEP_END, NULL) == NULL) {
        return UW_ENOMEM;
    }
    step->of.item = item_steps.list;
    return UW_OK;
}

/* The writer has a union: a list of steps for each of its branches that the reader can take. */
static enum uw_code resolve_writer_union(struct uw_compiler *compiler, struct uw_steps *steps,
                                         const struct uw_schema_node *writer, const struct uw_schema_node *reader,
                                         const struct uw_shape_field *field)
{
    const struct uw_step **branches = uw_arena_take(&compiler->plan->memory, writer->count * sizeof *branches);
    struct uw_step *step = uw_steps_add(compiler, steps, UW_STEP_UNION, field);
    if (branches == NULL || step == NULL) {
        return UW_ENOMEM;
    }
    step->of.branches.steps = branches;
    step->of.branches.count = writer->count;
    bool any = false;
    for (uint32_t i = 0; i < writer->count; i++) {
        struct uw_steps inner = {NULL, 0, 0};
        enum uw_code code = resolve(compiler, &inner, writer->branches[i], reader, field);
        if (code == UW_OK && uw_steps_add(compiler, &inner, UW_STEP_END, NULL) == NULL) {
            code = UW_ENOMEM;
        }
        if (code != UW_OK && code != UW_EINPUT) {
            return code;
        }
        branches[i] = code == UW_OK ? inner.list : NULL;
        any = any || code == UW_OK;
    }
    return any ? UW_OK : mismatch(compiler, writer, reader, field);
}

/* The reader has a union: the first branch that the writer's type resolves to. */
static enum uw_code resolve_reader_union(struct uw_compiler *compiler, struct uw_steps *steps,
                                         const struct uw_schema_node *writer, const struct uw_schema_node *reader,
                                         const struct uw_shape_field *field)
{
    uint32_t before = steps->count;
    for (uint32_t i = 0; i < reader->count; i++) {
        const struct uw_schema_node *branch = reader->branches[i];
        if (branch->type == UW_TYPE_NULL && writer->type == UW_TYPE_NULL) {
            return uw_steps_add_null(compiler, steps, field);
        }
        if (branch->type != UW_TYPE_NULL && writer->type != UW_TYPE_NULL) {
            enum uw_code code = resolve(compiler, steps, writer, branch, field);
            if (code != UW_EINPUT) {
                return code;
            }
            steps->count = before;
        }
    }
    return mismatch(compiler, writer, reader, field);
}

/* One record of a choice: notes which, then reads its fields. */
static enum uw_code resolve_choice(struct uw_compiler *compiler, struct uw_steps *steps,
                                   const struct uw_schema_node *writer, const struct uw_schema_node *reader,
                                   const struct uw_shape_field *field)
{
    for (uint32_t i = 0; i < field->record_count; i++) {
        if (strcmp(uw_unqualified(reader->name), field->records[i].name) == 0) {
            struct uw_step *step = uw_steps_add(compiler, steps, UW_STEP_SET_INT, field);
            if (step == NULL) {
                return UW_ENOMEM;
            }
            step->of.number = i;
            return resolve_record(compiler, steps, writer, reader, &field->records[i]);
        }
    }
    return mismatch(compiler, writer, reader, field);
}

/* The step that reads a primitive of the writer into a primitive of the reader, promotions included; END when
 * Avro allows no such thing. The reader's floats do not occur. */
static enum uw_step_kind primitive_step(enum uw_type writer, enum uw_type reader, enum uw_value_kind kind)
{
    bool writer_text = writer == UW_TYPE_STRING || writer == UW_TYPE_BYTES;
    bool reader_text = reader == UW_TYPE_STRING || reader == UW_TYPE_BYTES;
    if (writer_text && reader_text) {
        return kind == UW_VALUE_UUID ? UW_STEP_UUID : UW_STEP_TEXT;
    }
    if (writer == UW_TYPE_INT && reader == UW_TYPE_INT) {
        return UW_STEP_INT;
    }
    if (writer == UW_TYPE_INT && reader == UW_TYPE_LONG) {
        return UW_STEP_INT_LONG;
    }
    if (writer == UW_TYPE_LONG && reader == UW_TYPE_LONG) {
        return UW_STEP_LONG;
    }
    return writer == UW_TYPE_BOOLEAN && reader == UW_TYPE_BOOLEAN ? UW_STEP_BOOLEAN : UW_STEP_END;
}

static enum uw_code resolve(struct uw_compiler *compiler, struct uw_steps *steps, const struct uw_schema_node *writer,
                            const struct uw_schema_node *reader, const struct uw_shape_field *field)
{
    if (writer->type == UW_TYPE_UNION) {
        return resolve_writer_union(compiler, steps, writer, reader, field);
    }
    if (reader->type == UW_TYPE_UNION) {
        return resolve_reader_union(compiler, steps, writer, reader, field);
    }
    enum uw_step_kind kind = primitive_step(writer->type, reader->type, field->kind);
    if (kind != UW_STEP_END) {
        return uw_steps_add(compiler, steps, kind, field) != NULL ? UW_OK : UW_ENOMEM;
    }
    if (writer->type != reader->type || (writer->name != NULL && !names_match(writer, reader))) {
        return mismatch(compiler, writer, reader, field);
    }
    if (field->kind == UW_VALUE_ENUM && writer->type == UW_TYPE_ENUM) {
        return resolve_enum(compiler, steps, writer, reader, field);
    }
    if (field->kind == UW_VALUE_LIST && writer->type == UW_TYPE_ARRAY) {
        return resolve_list(compiler, steps, writer, reader, field);
    }
    if (field->kind == UW_VALUE_CHOICE && writer->type == UW_TYPE_RECORD) {
        return resolve_choice(compiler, steps, writer, reader, field);
    }
    if (field->kind == UW_VALUE_RECORD && writer->type == UW_TYPE_RECORD) {
        return resolve_record(compiler, steps, writer, reader, field->records);
    }
    return mismatch(compiler, writer, reader, field);
}

enum uw_code uw_plan_open(const struct uw_schema *writer, const struct uw_schema *reader, const struct uw_shape *shape,
                          struct uw_plan **plan)
{
    struct uw_plan *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return UW_ENOMEM;
    }
    uw_arena_init(&opened->memory, UW_PLAN_MEMORY_BYTES_MAX);
    struct uw_compiler compiler = {opened};
    struct uw_steps steps = {NULL, 0, 0};
    const struct uw_shape_field whole = {
        .name = shape->name, .kind = UW_VALUE_RECORD, .records = shape, .record_count = 1};
    enum uw_code code = resolve(&compiler, &steps, writer->root, reader->root, &whole);
    if (code == UW_OK && uw_steps_add(&compiler, &steps, UW_STEP_END, NULL) == NULL) {
        code = UW_ENOMEM;
    }
    if (code == UW_ENOMEM && opened->memory.limit_met) {
        code = uw_plan_fail(&compiler, "%s: reading it takes more than %u MiB of memory", whole.name,
                            (unsigned)(UW_PLAN_MEMORY_BYTES_MAX / 1024 / 1024));
    }
    if (code != UW_OK && code != UW_EINPUT) {
        uw_plan_close(&opened);
        return code;
    }
    if (code == UW_EINPUT) {
        uw_arena_close(&opened->memory); /* only the reason is kept */
    }
    opened->steps = code == UW_OK ? steps.list : NULL;
    *plan = opened;
    return UW_OK;
}

void uw_plan_close(struct uw_plan **plan)
{
    if (*plan != NULL) {
        uw_arena_close(&(*plan)->memory);
        free(*plan);
        *plan = NULL;
    }
}
