/* Events as lines of JSON: writing. */
#include "schemas/json.h"

#include "schemas/shape.h"
#include "schemas/slot.h"
#include "schemas/text.h"

static void write_record(struct uw_text *text, const struct uw_shape *shape, const void *record);

static void write_list(struct uw_text *text, const struct uw_shape_field *field, const void *record)
{
    const int32_t *items = uw_slot_list(record, field->offset);
    uint32_t count = uw_slot_count(record, field->count_offset);
    uw_text_add(text, "[", 1);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) {
            uw_text_add(text, ", ", 2);
        }
        uw_text_add_integer(text, items[i]);
    }
    uw_text_add(text, "]", 1);
}

static void write_choice(struct uw_text *text, const struct uw_shape_field *field, const void *record)
{
    const struct uw_shape *chosen = &field->records[uw_slot_int(record, field->offset)];
    uw_text_add(text, "{\"", 2);
    uw_text_add_literal(text, chosen->name);
    uw_text_add(text, "\": ", 3);
    write_record(text, chosen, record);
    uw_text_add(text, "}", 1);
}

/* An integer, or null when it is what stands for null in the struct. */
static void write_number(struct uw_text *text, const struct uw_shape_field *field, int64_t number, int64_t none)
{
    if (field->nullable && number == none) {
        uw_text_add_literal(text, "null");
    } else {
        uw_text_add_integer(text, number);
    }
}

static void write_uuid(struct uw_text *text, struct uw_uuid uuid)
{
    char id[UW_UUID_TEXT_BYTES];
    uw_uuid_format(&uuid, id);
    uw_text_add(text, "\"", 1);
    uw_text_add(text, id, sizeof id);
    uw_text_add(text, "\"", 1);
}

static void write_value(struct uw_text *text, const struct uw_shape_field *field, const void *record)
{
    struct uw_str string;
    switch (field->kind) {
    case UW_VALUE_TEXT:
        string = uw_slot_text(record, field->offset);
        if (uw_str_is_null(string)) {
            uw_text_add_literal(text, "null");
        } else {
            uw_text_add_json_string(text, string);
        }
        return;
    case UW_VALUE_UUID:
        write_uuid(text, uw_slot_uuid(record, field->offset));
        return;
    case UW_VALUE_INT:
        write_number(text, field, uw_slot_int(record, field->offset), UW_INT_NONE);
        return;
    case UW_VALUE_LONG:
    case UW_VALUE_INSTANT:
        write_number(text, field, uw_slot_long(record, field->offset), UW_INSTANT_NONE);
        return;
    case UW_VALUE_DATE:
        uw_text_add_json_date(text, uw_slot_int(record, field->offset));
        return;
    case UW_VALUE_BOOLEAN:
        uw_text_add_literal(text, uw_slot_boolean(record, field->offset) ? "true" : "false");
        return;
    case UW_VALUE_ENUM:
        uw_text_add(text, "\"", 1);
        uw_text_add_literal(text, field->symbols->names[uw_slot_int(record, field->offset) -
                                                        field->symbols->first_value]);
        uw_text_add(text, "\"", 1);
        return;
    case UW_VALUE_LIST:
        write_list(text, field, record);
        return;
    case UW_VALUE_RECORD:
        write_record(text, field->records, record);
        return;
    case UW_VALUE_CHOICE:
        write_choice(text, field, record);
        return;
    }
}

static void write_record(struct uw_text *text, const struct uw_shape *shape, const void *record)
{
    uw_text_add(text, "{", 1);
    for (uint32_t i = 0; i < shape->field_count; i++) {
        if (i > 0) {
            uw_text_add(text, ", ", 2);
        }
        uw_text_add(text, "\"", 1);
        uw_text_add_literal(text, shape->fields[i].name);
        uw_text_add(text, "\": ", 3);
        write_value(text, &shape->fields[i], record);
    }
    uw_text_add(text, "}", 1);
}

enum uw_code uw_json_write_event(const struct uw_event *event, struct uw_arena *arena, struct uw_str *line)
{
    struct uw_text text;
    uw_text_init(&text, arena);
    uw_text_add_literal(&text, "{\"topic\": \"");
    uw_text_add_literal(&text, uw_topic_name(event->topic));
    uw_text_add_literal(&text, "\", \"value\": ");
    write_record(&text, uw_shape_of((enum uw_shape_id)event->topic), event);
    uw_text_add(&text, "}", 1);
    return uw_text_finish(&text, line);
}
