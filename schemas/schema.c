#include "schemas/schema.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/codec.h"

struct parser {
    struct uw_schema *schema;
    void *defined; /* the named types so far, by their full names: a tree of <search.h> */
    struct uw_error *error;
    uint32_t depth;
};

static const char *const type_names[] = {"null",   "boolean", "int",  "long",  "float", "double", "bytes",
                                         "string", "record",  "enum", "fixed", "array", "map",    "union"};

const char *uw_type_name(enum uw_type type)
{
    return type_names[type];
}

const char *uw_unqualified(const char *full_name)
{
    const char *dot = strrchr(full_name, '.');
    return dot != NULL ? dot + 1 : full_name;
}

static enum uw_code wrong(struct parser *parser, const char *what, const char *where)
{
    return uw_error_set(parser->error, UW_EINPUT, UW_CLASS_INPUT, "%s: %.80s", what, where);
}

/* Beyond its limit the schema is at fault, otherwise the machine. */
static enum uw_code too_much(const struct uw_schema *schema, struct uw_error *error)
{
    if (schema->memory.limit_met) {
        return uw_error_set(error, UW_EINPUT, UW_CLASS_INPUT, "the schema takes more than %u MiB of memory",
                            (unsigned)(UW_SCHEMA_MEMORY_BYTES_MAX / 1024 / 1024));
    }
    return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "out of memory while reading a schema");
}

static enum uw_code no_memory(struct parser *parser)
{
    return too_much(parser->schema, parser->error);
}

static void *take(struct parser *parser, size_t size)
{
    void *memory = uw_arena_take(&parser->schema->memory, size);
    if (memory != NULL) {
        memset(memory, 0, size);
    }
    return memory;
}

/* A name of Avro: a letter or underscore, then letters, digits and underscores; with `dots`, several of them. */
static bool is_name(const char *text, bool dots)
{
    bool first = true;
    for (; *text != '\0'; text++) {
        bool letter = (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z') || *text == '_';
        bool digit = *text >= '0' && *text <= '9';
        if (*text == '.' && dots && !first) {
            first = true;
        } else if (letter || (digit && !first)) {
            first = false;
        } else {
            return false;
        }
    }
    return !first;
}

/* The full name of `name` inside `space` ("" for none). */
static enum uw_code qualify(struct parser *parser, const char *name, const char *space, const char **full_name)
{
    if (!is_name(name, true)) {
        return wrong(parser, "not a name", name);
    }
    bool qualified = strchr(name, '.') != NULL || space[0] == '\0';
    size_t space_length = qualified ? 0 : strlen(space) + 1;
    size_t length = strlen(name);
    char *full = take(parser, space_length + length + 1);
    if (full == NULL) {
        return no_memory(parser);
    }
    if (space_length > 0) {
        memcpy(full, space, space_length - 1);
        full[space_length - 1] = '.';
    }
    memcpy(full + space_length, name, length);
    *full_name = full;
    return UW_OK;
}

/* The namespace of a full name, in which the names inside the type are looked up. */
static enum uw_code space_of(struct parser *parser, const char *full_name, const char **space)
{
    size_t length = (size_t)(uw_unqualified(full_name) - full_name);
    char *copy = take(parser, length + 1);
    if (copy == NULL) {
        return no_memory(parser);
    }
    if (length > 0) {
        memcpy(copy, full_name, length - 1);
    }
    *space = copy;
    return UW_OK;
}

/* The strings of an array attribute such as aliases or symbols; none when the attribute is absent. With a
 * namespace they are made full names. */
static enum uw_code strings_of(struct parser *parser, const json_t *object, const char *key, const char *space,
                               const char ***strings, uint32_t *count)
{
    const json_t *array = json_object_get(object, key);
    *strings = NULL;
    *count = 0;
    if (array == NULL) {
        return UW_OK;
    }
    size_t size = json_array_size(array);
    const char **list = take(parser, size * sizeof *list);
    if (list == NULL) {
        return no_memory(parser);
    }
    for (size_t i = 0; i < size; i++) {
        const char *text = json_string_value(json_array_get(array, i));
        if (text == NULL || !is_name(text, space != NULL)) {
            return wrong(parser, "must be an array of names", key);
        }
        list[i] = text;
        if (space != NULL) {
            enum uw_code code = qualify(parser, text, space, &list[i]);
            if (code != UW_OK) {
                return code;
            }
        }
    }
    if (!json_is_array(array)) {
        return wrong(parser, "must be an array of names", key);
    }
    *strings = list;
    *count = (uint32_t)size;
    return UW_OK;
}

static enum uw_code parse(struct parser *parser, const json_t *json, const char *space,
                          const struct uw_schema_node **node);

static bool find_primitive(const char *name, enum uw_type *type)
{
    for (int i = UW_TYPE_NULL; i <= UW_TYPE_STRING; i++) {
        if (strcmp(name, type_names[i]) == 0) {
            *type = (enum uw_type)i;
            return true;
        }
    }
    return false;
}

static int compare_defined(const void *a, const void *b)
{
    const struct uw_schema_node *left = a, *right = b;
    return strcmp(left->name, right->name);
}

static struct uw_schema_node *find_defined(const struct parser *parser, const char *full_name)
{
    const struct uw_schema_node wanted = {.name = full_name};
    void *found = tfind(&wanted, &parser->defined, compare_defined);
    return found != NULL ? *(struct uw_schema_node **)found : NULL;
}

static enum uw_code define(struct parser *parser, struct uw_schema_node *node)
{
    return tsearch(node, &parser->defined, compare_defined) != NULL ? UW_OK : no_memory(parser);
}

static void forget_defined(struct parser *parser)
{
    while (parser->defined != NULL) {
        (void)tdelete(*(struct uw_schema_node **)parser->defined, &parser->defined, compare_defined);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Refuses a name that stands twice in a list, which is freed; NULL is one for which there was no memory. A registry's
 * schema may have tens of thousands of names, too many to compare each with each. */
static enum uw_code refuse_twice(struct parser *parser, const char **take_names, size_t count, const char *what)
{
    enum uw_code code = UW_OK;
    if (take_names == NULL) {
        return no_memory(parser);
    }
    qsort(take_names, count, sizeof *take_names, compare_names);
    for (size_t i = 1; i < count && code == UW_OK; i++) {
        if (strcmp(take_names[i - 1], take_names[i]) == 0) {
            code = wrong(parser, what, take_names[i]);
        }
    }
    free(take_names);
    return code;
}

/* A primitive, or a named type that stands earlier. */
static enum uw_code parse_reference(struct parser *parser, const char *name, const char *space,
                                    const struct uw_schema_node **node)
{
    enum uw_type type;
    if (find_primitive(name, &type)) {
        struct uw_schema_node *primitive = take(parser, sizeof *primitive);
        if (primitive == NULL) {
            return no_memory(parser);
        }
        primitive->type = type;
        *node = primitive;
        return UW_OK;
    }
    const char *full_name;
    enum uw_code code = qualify(parser, name, space, &full_name);
    if (code != UW_OK) {
        return code;
    }
    const struct uw_schema_node *found = find_defined(parser, full_name);
    if (found == NULL) {
        return wrong(parser, "unknown type", name);
    }
    *node = found;
    return UW_OK;
}

/* Branches are told apart by their full names, those without by their types. */
static enum uw_code check_branches(struct parser *parser, const struct uw_schema_node *node)
{
    bool met[UW_TYPE_UNION + 1] = {false};
    const char **names = calloc(node->count, sizeof *names);
    size_t count = 0;
    for (uint32_t i = 0; names != NULL && i < node->count; i++) {
        const struct uw_schema_node *branch = node->branches[i];
        if (branch->name != NULL) {
            names[count++] = branch->name;
        } else if (branch->type == UW_TYPE_UNION || met[branch->type]) {
            free(names);
            return branch->type == UW_TYPE_UNION
                       ? wrong(parser, "a union directly in a union", "union")
                       : wrong(parser, "a branch stands twice in a union", uw_type_name(branch->type));
        } else {
            met[branch->type] = true;
        }
    }
    return refuse_twice(parser, names, count, "a branch stands twice in a union");
}

static enum uw_code parse_union(struct parser *parser, const json_t *json, const char *space,
                                struct uw_schema_node *node)
{
    node->type = UW_TYPE_UNION;
    node->count = (uint32_t)json_array_size(json);
    node->branches = take(parser, node->count * sizeof *node->branches);
    if (node->branches == NULL) {
        return no_memory(parser);
    }
    if (node->count == 0) {
        return wrong(parser, "a union without branches", "union");
    }
    for (uint32_t i = 0; i < node->count; i++) {
        enum uw_code code = parse(parser, json_array_get(json, i), space, &node->branches[i]);
        if (code != UW_OK) {
            return code;
        }
    }
    return check_branches(parser, node);
}

static enum uw_code parse_field(struct parser *parser, const json_t *json, const char *space,
                                struct uw_schema_field *field)
{
    field->name = json_string_value(json_object_get(json, "name"));
    if (field->name == NULL || !is_name(field->name, false)) {
        return wrong(parser, "a field without a valid name", field->name != NULL ? field->name : "field");
    }
    const json_t *type = json_object_get(json, "type");
    if (type == NULL) {
        return wrong(parser, "a field without a type", field->name);
    }
    field->default_value = json_object_get(json, "default");
    enum uw_code code = strings_of(parser, json, "aliases", NULL, &field->aliases, &field->alias_count);
    return code != UW_OK ? code : parse(parser, type, space, &field->type);
}

/* NULL: no memory. */
static const char **field_names(const struct uw_schema_node *node)
{
    const char **names = calloc((size_t)node->count + 1, sizeof *names);
    for (uint32_t i = 0; names != NULL && i < node->count; i++) {
        names[i] = node->fields[i].name;
    }
    return names;
}

static enum uw_code parse_record(struct parser *parser, const json_t *json, const char *space,
                                 struct uw_schema_node *node)
{
    const json_t *fields = json_object_get(json, "fields");
    if (!json_is_array(fields)) {
        return wrong(parser, "a record without an array of fields", node->name);
    }
    node->count = (uint32_t)json_array_size(fields);
    node->fields = take(parser, node->count * sizeof *node->fields);
    if (node->fields == NULL) {
        return no_memory(parser);
    }
    for (uint32_t i = 0; i < node->count; i++) {
        enum uw_code code = parse_field(parser, json_array_get(fields, i), space, &node->fields[i]);
        if (code != UW_OK) {
            return code;
        }
    }
    return refuse_twice(parser, field_names(node), node->count, "a field stands twice");
}

/* A copy, for which there may be no memory. */
static const char **symbol_names(const struct uw_schema_node *node)
{
    const char **names = calloc(node->count, sizeof *names);
    if (names != NULL) {
        memcpy(names, node->symbols, node->count * sizeof *names);
    }
    return names;
}

static enum uw_code parse_enum(struct parser *parser, const json_t *json, struct uw_schema_node *node)
{
    enum uw_code code = strings_of(parser, json, "symbols", NULL, &node->symbols, &node->count);
    if (code != UW_OK) {
        return code;
    }
    if (node->count == 0) {
        return wrong(parser, "an enum without symbols", node->name);
    }
    const json_t *given = json_object_get(json, "default");
    const char *wanted = json_string_value(given);
    code = refuse_twice(parser, symbol_names(node), node->count, "a symbol stands twice");
    for (uint32_t i = 0; i < node->count && code == UW_OK; i++) {
        if (wanted != NULL && strcmp(node->symbols[i], wanted) == 0) {
            node->default_symbol = node->symbols[i];
        }
    }
    if (code == UW_OK && given != NULL && node->default_symbol == NULL) {
        return wrong(parser, "the default is none of the symbols", node->name);
    }
    return code;
}

static enum uw_code parse_fixed(struct parser *parser, const json_t *json, struct uw_schema_node *node)
{
    const json_t *size = json_object_get(json, "size");
    if (!json_is_integer(size) || json_integer_value(size) < 0 || json_integer_value(size) > INT32_MAX) {
        return wrong(parser, "a fixed without a valid size", node->name);
    }
    node->size = (uint32_t)json_integer_value(size);
    return UW_OK;
}

/* The name is known before the inside is read, so that a record may hold itself. */
static enum uw_code parse_named(struct parser *parser, const json_t *json, const char *space,
                                struct uw_schema_node *node)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    const json_t *given_space = json_object_get(json, "namespace");
    if (name == NULL) {
        return wrong(parser, "a type without a name", uw_type_name(node->type));
    }
    if (json_is_string(given_space)) {
        space = json_string_value(given_space);
        if (space[0] != '\0' && !is_name(space, true)) {
            return wrong(parser, "not a namespace", space);
        }
    }
    enum uw_code code = qualify(parser, name, space, &node->name);
    if (code != UW_OK) {
        return code;
    }
    enum uw_type primitive;
    if (find_defined(parser, node->name) != NULL || find_primitive(node->name, &primitive)) {
        return wrong(parser, "a type is defined twice", node->name);
    }
    const char *inner_space = "";
    code = define(parser, node);
    if (code == UW_OK) {
        code = space_of(parser, node->name, &inner_space);
    }
    if (code == UW_OK) {
        code = strings_of(parser, json, "aliases", inner_space, &node->aliases, &node->alias_count);
    }
    if (code != UW_OK) {
        return code;
    }
    if (node->type == UW_TYPE_RECORD) {
        return parse_record(parser, json, inner_space, node);
    }
    return node->type == UW_TYPE_ENUM ? parse_enum(parser, json, node) : parse_fixed(parser, json, node);
}

static enum uw_code parse_object(struct parser *parser, const json_t *json, const char *space,
                                 const struct uw_schema_node **result)
{
    const json_t *type = json_object_get(json, "type");
    const char *name = json_string_value(type);
    if (json_is_object(type) || json_is_array(type)) {
        return parse(parser, type, space, result);
    }
    if (name == NULL) {
        return wrong(parser, "an object without a type", "type");
    }
    struct uw_schema_node *node = take(parser, sizeof *node);
    if (node == NULL) {
        return no_memory(parser);
    }
    enum uw_code code = UW_OK;
    if (strcmp(name, "array") == 0 || strcmp(name, "map") == 0) {
        bool map = name[0] == 'm';
        node->type = map ? UW_TYPE_MAP : UW_TYPE_ARRAY;
        code = parse(parser, json_object_get(json, map ? "values" : "items"), space, &node->items);
    } else if (strcmp(name, "record") == 0) {
        node->type = UW_TYPE_RECORD;
        code = parse_named(parser, json, space, node);
    } else if (strcmp(name, "enum") == 0) {
        node->type = UW_TYPE_ENUM;
        code = parse_named(parser, json, space, node);
    } else if (strcmp(name, "fixed") == 0) {
        node->type = UW_TYPE_FIXED;
        code = parse_named(parser, json, space, node);
    } else {
        return parse_reference(parser, name, space, result);
    }
    if (code == UW_OK) {
        *result = node;
    }
    return code;
}

static enum uw_code parse(struct parser *parser, const json_t *json, const char *space,
                          const struct uw_schema_node **node)
{
    if (parser->depth >= UW_SCHEMA_DEPTH_MAX) {
        return wrong(parser, "types are nested too deeply", "schema");
    }
    parser->depth++;
    enum uw_code code = UW_OK;
    if (json_is_string(json)) {
        code = parse_reference(parser, json_string_value(json), space, node);
    } else if (json_is_object(json)) {
        code = parse_object(parser, json, space, node);
    } else if (json_is_array(json)) {
        struct uw_schema_node *made = take(parser, sizeof *made);
        code = made == NULL ? no_memory(parser) : parse_union(parser, json, space, made);
        if (code == UW_OK) {
            *node = made;
        }
    } else {
        code = wrong(parser, "a type must be a name, an object or an array", "schema");
    }
    parser->depth--;
    return code;
}

static enum uw_code load(struct uw_schema *schema, struct uw_str text, struct uw_error *error)
{
    if (text.length > UW_SCHEMA_BYTES_MAX) {
        return uw_error_set(error, UW_EINPUT, UW_CLASS_INPUT, "the schema has %u bytes; at most %u",
                            (unsigned)text.length, UW_SCHEMA_BYTES_MAX);
    }
    json_error_t json_error;
    schema->json = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &json_error);
    if (schema->json == NULL) {
        return uw_error_set(error, UW_EINPUT, UW_CLASS_INPUT, "the schema is not valid JSON: %s (line %d)",
                            json_error.text, json_error.line);
    }
    schema->json_bytes = text.length;
    struct parser parser = {.schema = schema, .error = error};
    enum uw_code code = parse(&parser, schema->json, "", &schema->root);
    forget_defined(&parser);
    if (code != UW_OK) {
        return code;
    }
    if (uw_schema_canonical((struct uw_schema_node *)schema->root, &schema->memory, &schema->canonical) != UW_OK) {
        return too_much(schema, error);
    }
    schema->fingerprint = uw_crc64_avro(schema->canonical);
    return UW_OK;
}

enum uw_code uw_schema_open(struct uw_str json, struct uw_schema **schema, struct uw_error *error)
{
    struct uw_schema *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "out of memory while reading a schema");
    }
    uw_arena_init(&opened->memory, UW_SCHEMA_MEMORY_BYTES_MAX);
    enum uw_code code = load(opened, json, error);
    if (code != UW_OK) {
        uw_schema_close(&opened);
        return code;
    }
    *schema = opened;
    return UW_OK;
}

void uw_schema_close(struct uw_schema **schema)
{
    if (*schema != NULL) {
        json_decref((*schema)->json);
        uw_arena_close(&(*schema)->memory);
        free(*schema);
        *schema = NULL;
    }
}
