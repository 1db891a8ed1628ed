#include "schemas/decode.h"

#include "schemas/cursor.h"
#include "schemas/slot.h"

#define FIRST_ITEMS 8

static enum uw_code run(struct uw_cursor *cursor, const struct uw_step *step, void *record);

static enum uw_code refuse_rule(struct uw_cursor *cursor, const char *what)
{
    return uw_refuse(cursor->refusal, UW_REFUSED_RULE, "%s: %s", cursor->name, what);
}

/* Text of a writer is UTF-8 in which no U+0000 stands: PostgreSQL cannot hold that. Nearly all of it is ASCII,
 * which is seen eight bytes at a time. */
static enum uw_code check_text(struct uw_cursor *cursor, struct uw_str text)
{
    uint32_t i = 0;
    for (; i + 8 <= text.length; i += 8) {
        uint64_t word;
        memcpy(&word, text.data + i, sizeof word);
        uint64_t zero = (word - UINT64_C(0x0101010101010101)) & ~word;
        if (((zero | word) & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
    }
    for (; i < text.length && text.data[i] > 0 && (uint8_t)text.data[i] < 0x80; i++) {
    }
    if (i == text.length || uw_utf8_length(text) >= 0) {
        return UW_OK;
    }
    if (memchr(text.data, 0, text.length) != NULL) {
        return refuse_rule(cursor, "holds U+0000");
    }
    return uw_cursor_malformed(cursor, "not valid UTF-8");
}

static enum uw_code read_bytes(struct uw_cursor *cursor, struct uw_str *text)
{
    size_t length = 0;
    enum uw_code code = uw_cursor_length(cursor, &length);
    if (code == UW_OK) {
        *text = (struct uw_str){(const char *)cursor->at, (uint32_t)length};
        cursor->at += length;
    }
    return code;
}

static enum uw_code run_text(struct uw_cursor *cursor, const struct uw_step *step, void *record)
{
    struct uw_str text = UW_STR_NULL;
    enum uw_code code = read_bytes(cursor, &text);
    if (code == UW_OK) {
        code = check_text(cursor, text);
    }
    if (code == UW_OK) {
        uw_slot_set_text(record, step->offset, text);
    }
    return code;
}

static enum uw_code run_uuid(struct uw_cursor *cursor, const struct uw_step *step, void *record)
{
    struct uw_str text = UW_STR_NULL;
    struct uw_uuid uuid;
    enum uw_code code = read_bytes(cursor, &text);
    if (code != UW_OK) {
        return code;
    }
    if (!uw_uuid_parse(text, &uuid)) {
        return refuse_rule(cursor, "must be a UUID in the form 8-4-4-4-12");
    }
    uw_slot_set_uuid(record, step->offset, &uuid);
    return UW_OK;
}

static enum uw_code read_int(struct uw_cursor *cursor, int64_t *number)
{
    enum uw_code code = uw_cursor_number(cursor, number);
    if (code == UW_OK && (*number < INT32_MIN || *number > INT32_MAX)) {
        code = uw_cursor_malformed(cursor, "a number of more than 32 bits in an int");
    }
    return code;
}

static enum uw_code run_int(struct uw_cursor *cursor, const struct uw_step *step, void *record)
{
    int64_t number = 0;
    enum uw_code code = read_int(cursor, &number);
    if (code == UW_OK && number == UW_INT_NONE) {
        code = refuse_rule(cursor, "out of range");
    }
    if (code == UW_OK) {
        uw_slot_set_int(record, step->offset, (int32_t)number);
    }
    return code;
}

static enum uw_code run_long(struct uw_cursor *cursor, const struct uw_step *step, void *record)
{
    int64_t number = 0;
    enum uw_code code = step->kind == UW_STEP_INT_LONG ? read_int(cursor, &number) : uw_cursor_number(cursor, &number);
    if (code == UW_OK && number == UW_INSTANT_NONE) {
        code = refuse_rule(cursor, "out of range");
    }
    if (code == UW_OK) {
        uw_slot_set_long(record, step->offset, number);
    }
    return code;
}

static enum uw_code run_boolean(struct uw_cursor *cursor, const struct uw_step *step, void *record)
{
    if (cursor->at == cursor->end) {
        return uw_cursor_truncated(cursor);
    }
    uint8_t byte = *cursor->at++;
    if (byte > 1) {
        return uw_cursor_malformed(cursor, "a boolean that is neither 0 nor 1");
    }
    uw_slot_set_boolean(record, step->offset, byte == 1);
    return UW_OK;
}

static enum uw_code run_enum(struct uw_cursor *cursor, const struct uw_step *step, void *record)
{
    int64_t index = 0;
    enum uw_code code = uw_cursor_number(cursor, &index);
    if (code != UW_OK) {
        return code;
    }
    if (index < 0 || index >= (int64_t)step->of.list.count) {
        return uw_cursor_malformed(cursor, "an index that the writer's enum does not have");
    }
    int32_t value = step->of.list.items[index];
    if (value == UW_ENUM_UNKNOWN) {
        return uw_cursor_malformed(cursor, "a symbol that is unknown here");
    }
    uw_slot_set_int(record, step->offset, value);
    return UW_OK;
}

static enum uw_code run_union(struct uw_cursor *cursor, const struct uw_step *step, void *record)
{
    int64_t index = 0;
    enum uw_code code = uw_cursor_number(cursor, &index);
    if (code != UW_OK) {
        return code;
    }
    if (index < 0 || index >= (int64_t)step->of.branches.count) {
        return uw_cursor_malformed(cursor, "a branch that the writer's union does not have");
    }
    const struct uw_step *branch = step->of.branches.steps[index];
    if (branch == NULL) {
        return uw_cursor_malformed(cursor, "a branch of the writer's union that cannot be read here");
    }
    return run(cursor, branch, record);
}

struct items {
    int32_t *list;
    uint32_t count, capacity;
};

static bool items_add(struct items *items, struct uw_arena *arena, int32_t item)
{
    if (items->count == items->capacity) {
        uint32_t capacity = items->capacity == 0 ? FIRST_ITEMS : items->capacity * 2;
        int32_t *list = uw_arena_take(arena, capacity * sizeof *list);
        if (list == NULL) {
            return false;
        }
        if (items->count > 0) {
            memcpy(list, items->list, items->count * sizeof *list);
        }
        items->list = list;
        items->capacity = capacity;
    }
    items->list[items->count++] = item;
    return true;
}

/* The array grows with the items that are really there, each of which takes a byte or more. */
static enum uw_code run_list(struct uw_cursor *cursor, const struct uw_step *step, void *record)
{
    static const int32_t none[1] = {0};
    struct items items = {NULL, 0, 0};
    for (;;) {
        uint64_t count = 0;
        int64_t size = -1;
        enum uw_code code = uw_cursor_block(cursor, &count, &size);
        if (code != UW_OK) {
            return code;
        }
        if (count == 0) {
            break;
        }
        const uint8_t *block = cursor->at;
        for (; count > 0; count--) {
            int32_t item = 0;
            code = run(cursor, step->of.item, &item);
            if (code != UW_OK) {
                return code;
            }
            if (!items_add(&items, cursor->arena, item)) {
                return UW_ENOMEM;
            }
        }
        if (size >= 0 && cursor->at - block != size) {
            return uw_cursor_malformed(cursor, "a block whose size is not that of its items");
        }
    }
    uw_slot_set_list(record, step->offset, step->count_offset, items.list != NULL ? items.list : none, items.count);
    return UW_OK;
}

static enum uw_code run(struct uw_cursor *cursor, const struct uw_step *step, void *record)
{
    for (;; step++) {
        enum uw_code code = UW_OK;
        /* The end of an inner list has no name; the field around it keeps its own. */
        cursor->name = step->name != NULL ? step->name : cursor->name;
        switch (step->kind) {
        case UW_STEP_END:
            return UW_OK;
        case UW_STEP_TEXT:
            code = run_text(cursor, step, record);
            break;
        case UW_STEP_UUID:
            code = run_uuid(cursor, step, record);
            break;
        case UW_STEP_INT:
            code = run_int(cursor, step, record);
            break;
        case UW_STEP_LONG:
        case UW_STEP_INT_LONG:
            code = run_long(cursor, step, record);
            break;
        case UW_STEP_BOOLEAN:
            code = run_boolean(cursor, step, record);
            break;
        case UW_STEP_ENUM:
            code = run_enum(cursor, step, record);
            break;
        case UW_STEP_LIST:
            code = run_list(cursor, step, record);
            break;
        case UW_STEP_UNION:
            code = run_union(cursor, step, record);
            break;
        case UW_STEP_SKIP:
            code = uw_cursor_skip(cursor, step->of.node, 0);
            break;
        case UW_STEP_SET_TEXT:
            uw_slot_set_text(record, step->offset, step->of.text);
            break;
        case UW_STEP_SET_UUID:
            uw_slot_set_uuid(record, step->offset, &step->of.uuid);
            break;
        case UW_STEP_SET_INT:
            uw_slot_set_int(record, step->offset, (int32_t)step->of.number);
            break;
        case UW_STEP_SET_LONG:
            uw_slot_set_long(record, step->offset, step->of.number);
            break;
        case UW_STEP_SET_BOOLEAN:
            uw_slot_set_boolean(record, step->offset, step->of.number != 0);
            break;
        case UW_STEP_SET_LIST:
            uw_slot_set_list(record, step->offset, step->count_offset, step->of.list.items, step->of.list.count);
            break;
        }
        if (code != UW_OK) {
            return code;
        }
    }
}

enum uw_code uw_decode_record(const struct uw_plan *plan, struct uw_str bytes, struct uw_arena *arena, void *record,
                              struct uw_refusal *refusal)
{
    const uint8_t *start = (const uint8_t *)bytes.data;
    struct uw_cursor cursor = {start, start + bytes.length, start, "", 0, arena, refusal};
    enum uw_code code = run(&cursor, plan->steps, record);
    if (code == UW_OK && cursor.at != cursor.end) {
        return uw_refuse(refusal, UW_REFUSED_TRAILING_BYTES, "%zu bytes follow the record", uw_cursor_left(&cursor));
    }
    return code;
}
