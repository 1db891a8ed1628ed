/* The Parsing Canonical Form of a schema and its fingerprint, by Avro's specification. */
#include "schemas/schema.h"

#include "schemas/text.h"

#define CRC_EMPTY UINT64_C(0xc15d213aa4d7a795)

uint64_t uw_crc64_avro(struct uw_str bytes)
{
    uint64_t crc = CRC_EMPTY;
    for (uint32_t i = 0; i < bytes.length; i++) {
        crc ^= (uint8_t)bytes.data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (CRC_EMPTY & (0 - (crc & 1)));
        }
    }
    return crc;
}

static void add_quoted(struct uw_text *text, const char *name)
{
    /* Names and symbols were checked: letters, digits, underscores and dots, so that nothing needs escaping. */
    uw_text_add(text, "\"", 1);
    uw_text_add_literal(text, name);
    uw_text_add(text, "\"", 1);
}

static void add_node(struct uw_text *text, const struct uw_schema_node *node);

static void add_fields(struct uw_text *text, const struct uw_schema_node *node)
{
    uw_text_add_literal(text, ",\"fields\":[");
    for (uint32_t i = 0; i < node->count; i++) {
        uw_text_add_literal(text, i > 0 ? ",{\"name\":" : "{\"name\":");
        add_quoted(text, node->fields[i].name);
        uw_text_add_literal(text, ",\"type\":");
        add_node(text, node->fields[i].type);
        uw_text_add(text, "}", 1);
    }
    uw_text_add(text, "]", 1);
}

/* In full where it stands first, by its name afterwards. */
static void add_named(struct uw_text *text, const struct uw_schema_node *node)
{
    if (node->canonical_written) {
        add_quoted(text, node->name);
        return;
    }
    ((struct uw_schema_node *)node)->canonical_written = true;
    uw_text_add_literal(text, "{\"name\":");
    add_quoted(text, node->name);
    uw_text_add_literal(text, ",\"type\":");
    add_quoted(text, uw_type_name(node->type));
    if (node->type == UW_TYPE_RECORD) {
        add_fields(text, node);
    } else if (node->type == UW_TYPE_ENUM) {
        uw_text_add_literal(text, ",\"symbols\":[");
        for (uint32_t i = 0; i < node->count; i++) {
            uw_text_add_literal(text, i > 0 ? "," : "");
            add_quoted(text, node->symbols[i]);
        }
        uw_text_add(text, "]", 1);
    } else {
        uw_text_add_literal(text, ",\"size\":");
        uw_text_add_integer(text, node->size);
    }
    uw_text_add(text, "}", 1);
}

static void add_node(struct uw_text *text, const struct uw_schema_node *node)
{
    switch (node->type) {
    case UW_TYPE_NULL:
    case UW_TYPE_BOOLEAN:
    case UW_TYPE_INT:
    case UW_TYPE_LONG:
    case UW_TYPE_FLOAT:
    case UW_TYPE_DOUBLE:
    case UW_TYPE_BYTES:
    case UW_TYPE_STRING:
        add_quoted(text, uw_type_name(node->type));
        return;
    case UW_TYPE_RECORD:
    case UW_TYPE_ENUM:
    case UW_TYPE_FIXED:
        add_named(text, node);
        return;
    case UW_TYPE_ARRAY:
        uw_text_add_literal(text, "{\"type\":\"array\",\"items\":");
        add_node(text, node->items);
        uw_text_add(text, "}", 1);
        return;
    case UW_TYPE_MAP:
        uw_text_add_literal(text, "{\"type\":\"map\",\"values\":");
        add_node(text, node->items);
        uw_text_add(text, "}", 1);
        return;
    case UW_TYPE_UNION:
        uw_text_add(text, "[", 1);
        for (uint32_t i = 0; i < node->count; i++) {
            uw_text_add_literal(text, i > 0 ? "," : "");
            add_node(text, node->branches[i]);
        }
        uw_text_add(text, "]", 1);
        return;
    }
}

enum uw_code uw_schema_canonical(struct uw_schema_node *root, struct uw_arena *arena, struct uw_str *canonical)
{
    struct uw_text text;
    uw_text_init(&text, arena);
    add_node(&text, root);
    return uw_text_finish(&text, canonical);
}
