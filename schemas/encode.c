#include "schemas/encode.h"

#include "schemas/slot.h"
#include "schemas/wire.h"

/* Bytes that the fields take at most. */
static size_t bound_of(const struct uw_shape *shape, const void *record)
{
    size_t bound = 0;
    for (uint32_t i = 0; i < shape->field_count; i++) {
        const struct uw_shape_field *field = &shape->fields[i];
        /* The index of a union's branch, and a number or a length. */
        bound += 1 + UW_NUMBER_BYTES_MAX;
        switch (field->kind) {
        case UW_VALUE_TEXT:
            bound += uw_slot_text(record, field->offset).length;
            break;
        case UW_VALUE_UUID:
            bound += UW_UUID_TEXT_BYTES;
            break;
        case UW_VALUE_LIST:
            bound += (size_t)uw_slot_count(record, field->count_offset) * UW_NUMBER_BYTES_MAX + 1;
            break;
        case UW_VALUE_RECORD:
            bound += bound_of(field->records, record);
            break;
        case UW_VALUE_CHOICE:
            bound += bound_of(&field->records[uw_slot_int(record, field->offset)], record);
            break;
        case UW_VALUE_INT:
        case UW_VALUE_LONG:
        case UW_VALUE_DATE:
        case UW_VALUE_INSTANT:
        case UW_VALUE_BOOLEAN:
        case UW_VALUE_ENUM:
            break;
        }
    }
    return bound;
}

/* A number, behind the branch of its union when it is nullable. */
static uint8_t *put_number(uint8_t *at, const struct uw_shape_field *field, int64_t number, int64_t none)
{
    if (field->nullable) {
        if (number == none) {
            return uw_wire_put_number(at, 0);
        }
        at = uw_wire_put_number(at, 1);
    }
    return uw_wire_put_number(at, number);
}

static uint8_t *put_text(uint8_t *at, const struct uw_shape_field *field, struct uw_str text)
{
    if (field->nullable) {
        if (uw_str_is_null(text)) {
            return uw_wire_put_number(at, 0);
        }
        at = uw_wire_put_number(at, 1);
    }
    return uw_wire_put_bytes(at, text.data, text.length);
}

static uint8_t *put_list(uint8_t *at, const struct uw_shape_field *field, const void *record)
{
    const int32_t *items = uw_slot_list(record, field->offset);
    uint32_t count = uw_slot_count(record, field->count_offset);
    if (count > 0) {
        at = uw_wire_put_number(at, count);
        for (uint32_t i = 0; i < count; i++) {
            at = uw_wire_put_number(at, items[i]);
        }
    }
    return uw_wire_put_number(at, 0);
}

static uint8_t *put_record(uint8_t *at, const struct uw_shape *shape, const void *record);

static uint8_t *put_value(uint8_t *at, const struct uw_shape_field *field, const void *record)
{
    struct uw_uuid uuid;
    char uuid_text[UW_UUID_TEXT_BYTES];
    int32_t number;
    switch (field->kind) {
    case UW_VALUE_TEXT:
        return put_text(at, field, uw_slot_text(record, field->offset));
    case UW_VALUE_UUID:
        uuid = uw_slot_uuid(record, field->offset);
        uw_uuid_format(&uuid, uuid_text);
        return uw_wire_put_bytes(at, uuid_text, sizeof uuid_text);
    case UW_VALUE_INT:
    case UW_VALUE_DATE:
        return put_number(at, field, uw_slot_int(record, field->offset), UW_INT_NONE);
    case UW_VALUE_LONG:
    case UW_VALUE_INSTANT:
        return put_number(at, field, uw_slot_long(record, field->offset), UW_INSTANT_NONE);
    case UW_VALUE_BOOLEAN:
        *at = uw_slot_boolean(record, field->offset) ? 1 : 0;
        return at + 1;
    case UW_VALUE_ENUM:
        return uw_wire_put_number(at, uw_slot_int(record, field->offset) - field->symbols->first_value);
    case UW_VALUE_LIST:
        return put_list(at, field, record);
    case UW_VALUE_RECORD:
        return put_record(at, field->records, record);
    case UW_VALUE_CHOICE:
        number = uw_slot_int(record, field->offset);
        return put_record(uw_wire_put_number(at, number), &field->records[number], record);
    }
    return at;
}

static uint8_t *put_record(uint8_t *at, const struct uw_shape *shape, const void *record)
{
    for (uint32_t i = 0; i < shape->field_count; i++) {
        at = put_value(at, &shape->fields[i], record);
    }
    return at;
}

enum uw_code uw_encode_record(const struct uw_shape *shape, uint64_t fingerprint, const void *record,
                              struct uw_arena *arena, struct uw_str *bytes)
{
    size_t bound = UW_SINGLE_OBJECT_HEADER_BYTES + bound_of(shape, record);
    uint8_t *data = bound <= UINT32_MAX ? uw_arena_take(arena, bound) : NULL;
    if (data == NULL) {
        return UW_ENOMEM;
    }
    uint8_t *end = put_record(uw_wire_put_header(data, fingerprint), shape, record);
    *bytes = (struct uw_str){(const char *)data, (uint32_t)(end - data)};
    return UW_OK;
}
