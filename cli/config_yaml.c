#include "cli/config_keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define LIST_BYTES 256 /* of a list's text */
#define OVERRIDES "thresholds.overrides"

/* One file as it is read. */
struct reading {
    struct uw_config *config;
    const char *path;
    yaml_document_t *document;
    struct uw_error *error;
    char origin[UW_CONFIG_ORIGIN_BYTES];
    uint32_t seen_count;
    struct {
        const char *key;
        size_t line;
    } seen[UW_CONFIG_KEYS_MAX];
};

/* "FILE:LINE" of a node; a long path keeps its end. */
static const char *origin_of(struct reading *reading, const yaml_node_t *node)
{
    size_t length = strlen(reading->path);
    size_t room = sizeof(reading->origin) - 24;
    const char *path = length > room ? reading->path + length - room : reading->path;
    snprintf(reading->origin, sizeof(reading->origin), "%s:%zu", path, node->start_mark.line + 1);
    return reading->origin;
}

static const char *text_of(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

/* A scalar without U+0000, which would cut the text short. */
static bool is_text(const yaml_node_t *node)
{
    return node != NULL && node->type == YAML_SCALAR_NODE && strlen(text_of(node)) == node->data.scalar.length;
}

/* What YAML calls null: nothing, ~ or null without quotes. */
static bool is_null(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (node->data.scalar.length == 0 || strcmp(text_of(node), "~") == 0 || strcmp(text_of(node), "null") == 0);
}

/* Remembers a key, or says where it stood before: YAML itself lets the last one win silently. */
static enum uw_code note_key(struct reading *reading, const char *key, const yaml_node_t *node)
{
    for (uint32_t i = 0; i < reading->seen_count; i++) {
        if (strcmp(reading->seen[i].key, key) == 0) {
            return uw_config_mistake(reading->error, origin_of(reading, node), key, "given before in line %zu",
                                     reading->seen[i].line);
        }
    }
    if (reading->seen_count == UW_CONFIG_KEYS_MAX) {
        return uw_config_mistake(reading->error, origin_of(reading, node), key, "more than %d keys",
                                 UW_CONFIG_KEYS_MAX);
    }
    const char *copy = uw_config_copy(&reading->config->memory, key);
    if (copy == NULL) {
        return uw_config_no_memory(reading->config, reading->error);
    }
    reading->seen[reading->seen_count].key = copy;
    reading->seen[reading->seen_count++].line = node->start_mark.line + 1;
    return UW_OK;
}

/* The text of a list of scalars: its items with commas between them. */
static enum uw_code join_list(struct reading *reading, const char *key, const yaml_node_t *list, char text[LIST_BYTES])
{
    size_t used = 0;
    text[0] = '\0';
    for (const yaml_node_item_t *item = list->data.sequence.items.start; item < list->data.sequence.items.top; item++) {
        const yaml_node_t *node = yaml_document_get_node(reading->document, *item);
        if (!is_text(node)) {
            return uw_config_mistake(reading->error, origin_of(reading, node), key, "the list may hold numbers only");
        }
        int written = snprintf(text + used, LIST_BYTES - used, "%s%s", used > 0 ? "," : "", text_of(node));
        if (written < 0 || (size_t)written >= LIST_BYTES - used) {
            return uw_config_mistake(reading->error, origin_of(reading, node), key, "the list is too long");
        }
        used += (size_t)written;
    }
    return UW_OK;
}

/* The value of a key as text: a scalar, or a list of scalars where `list` allows one. */
static enum uw_code value_text(struct reading *reading, const char *key, const yaml_node_t *value, bool list,
                               char joined[LIST_BYTES], const char **text)
{
    if (value->type == YAML_SEQUENCE_NODE && list) {
        enum uw_code code = join_list(reading, key, value, joined);
        if (code == UW_OK) {
            *text = joined;
        }
        return code;
    }
    if (!is_text(value)) {
        return uw_config_mistake(reading->error, origin_of(reading, value), key, "a single value is expected here");
    }
    *text = is_null(value) ? "" : text_of(value);
    return UW_OK;
}

/* Copies a selector into the configuration's memory. */
static enum uw_code copy_selector(struct reading *reading, const char *text, struct uw_str *selector)
{
    const char *copy = uw_config_copy(&reading->config->memory, text);
    if (copy == NULL) {
        return uw_config_no_memory(reading->config, reading->error);
    }
    *selector = uw_str_from(copy);
    return UW_OK;
}

/* One selector or threshold of an override; *known says whether it was a selector. */
static enum uw_code set_selector(struct reading *reading, const char *key, const char *text, const yaml_node_t *node,
                                 struct uw_threshold_rule *rule, bool *known)
{
    struct uw_str value = uw_str_from(text);
    *known = true;
    if (strcmp(key, "municipality") == 0) {
        if (strlen(text) != 4 || strspn(text, "0123456789") != 4) {
            return uw_config_mistake(reading->error, origin_of(reading, node), OVERRIDES ".municipality",
                                     "'%.40s' is not a municipality's code of four digits", text);
        }
        return copy_selector(reading, text, &rule->municipality);
    }
    if (strcmp(key, "product") == 0) {
        int64_t length = uw_utf8_length(value);
        if (length < 1 || length > 5) {
            return uw_config_mistake(reading->error, origin_of(reading, node), OVERRIDES ".product",
                                     "'%.40s' is not a product code of 1 to 5 characters", text);
        }
        return copy_selector(reading, text, &rule->product);
    }
    if (strcmp(key, "law") == 0) {
        enum uw_law law;
        if (!uw_law_parse(value, &law)) {
            return uw_config_mistake(reading->error, origin_of(reading, node), OVERRIDES ".law",
                                     "'%.40s' is not one of: WMO JEUGDWET PARTICIPATIEWET", text);
        }
        rule->law = (int32_t)law;
        return UW_OK;
    }
    *known = false;
    return UW_OK;
}

static enum uw_code read_override(struct reading *reading, const yaml_node_t *map, struct uw_threshold_rule *rule)
{
    *rule = (struct uw_threshold_rule){.law = -1};
    const yaml_node_pair_t *first = map->data.mapping.pairs.start;
    for (const yaml_node_pair_t *pair = first; pair < map->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(reading->document, pair->key);
        const yaml_node_t *value = yaml_document_get_node(reading->document, pair->value);
        if (!is_text(key)) {
            return uw_config_mistake(reading->error, origin_of(reading, key), OVERRIDES, "a key must be a word");
        }
        for (const yaml_node_pair_t *before = first; before < pair; before++) {
            if (strcmp(text_of(yaml_document_get_node(reading->document, before->key)), text_of(key)) == 0) {
                return uw_config_mistake(reading->error, origin_of(reading, key), OVERRIDES,
                                         "%.60s is given twice in one override", text_of(key));
            }
        }
        char joined[LIST_BYTES];
        const char *text;
        bool selector;
        enum uw_code code = value_text(reading, OVERRIDES, value, true, joined, &text);
        if (code == UW_OK) {
            code = set_selector(reading, text_of(key), text, key, rule, &selector);
        }
        if (code == UW_OK && !selector) {
            code = uw_config_set_threshold(&rule->values, text_of(key), text, &rule->members, origin_of(reading, key),
                                           reading->error);
        }
        if (code != UW_OK) {
            return code;
        }
    }
    if (uw_str_is_null(rule->municipality) && uw_str_is_null(rule->product) && rule->law < 0) {
        return uw_config_mistake(reading->error, origin_of(reading, map), OVERRIDES,
                                 "an override needs municipality, law or product");
    }
    if (rule->members == 0) {
        return uw_config_mistake(reading->error, origin_of(reading, map), OVERRIDES, "an override sets no threshold");
    }
    return UW_OK;
}

static enum uw_code read_overrides(struct reading *reading, const yaml_node_t *list)
{
    if (is_null(list)) {
        return UW_OK;
    }
    if (list->type != YAML_SEQUENCE_NODE) {
        return uw_config_mistake(reading->error, origin_of(reading, list), OVERRIDES, "a list is expected here");
    }
    struct uw_settings *settings = &reading->config->settings;
    size_t count = (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
    if (count > UW_THRESHOLD_RULES_MAX) {
        return uw_config_mistake(reading->error, origin_of(reading, list), OVERRIDES, "more than %d overrides",
                                 UW_THRESHOLD_RULES_MAX);
    }
    settings->rules = uw_arena_take(&reading->config->memory, count * sizeof(*settings->rules));
    if (settings->rules == NULL) {
        return uw_config_no_memory(reading->config, reading->error);
    }
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *node = yaml_document_get_node(reading->document, list->data.sequence.items.start[i]);
        if (node->type != YAML_MAPPING_NODE) {
            return uw_config_mistake(reading->error, origin_of(reading, node), OVERRIDES,
                                     "an override is a map of selectors and thresholds");
        }
        enum uw_code code = read_override(reading, node, &settings->rules[i]);
        if (code != UW_OK) {
            return code;
        }
        settings->rule_count = (uint32_t)i + 1;
    }
    return UW_OK;
}

static bool is_property(const char *key)
{
    return strncmp(key, "kafka.", 6) == 0;
}

static enum uw_code read_value(struct reading *reading, const char *key, const yaml_node_t *key_node,
                               const yaml_node_t *value)
{
    char joined[LIST_BYTES];
    const char *text;
    if (uw_config_is_section(key)) {
        return uw_config_mistake(reading->error, origin_of(reading, key_node), key, "keys are expected under this one");
    }
    /* An unknown key is told as such, whatever stands behind it. */
    if (!is_property(key) && !uw_config_is_key(key)) {
        return uw_config_mistake(reading->error, origin_of(reading, key_node), key, "unknown key");
    }
    bool list = strncmp(key, "thresholds.", 11) == 0;
    enum uw_code code = value_text(reading, key, value, list, joined, &text);
    return code == UW_OK ? uw_config_set(reading->config, key, text, origin_of(reading, key_node), reading->error)
                         : code;
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by UW_CONFIG_DEPTH_MAX */
static enum uw_code read_map(struct reading *reading, const yaml_node_t *map, const char *prefix, int depth)
{
    for (const yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key_node = yaml_document_get_node(reading->document, pair->key);
        const yaml_node_t *value = yaml_document_get_node(reading->document, pair->value);
        char key[UW_CONFIG_KEY_BYTES];
        if (!is_text(key_node)) {
            return uw_config_mistake(reading->error, origin_of(reading, key_node), NULL, "a key must be a word");
        }
        int length = snprintf(key, sizeof(key), "%s%s%s", prefix, prefix[0] != '\0' ? "." : "", text_of(key_node));
        if (length < 0 || (size_t)length >= sizeof(key) || depth == UW_CONFIG_DEPTH_MAX) {
            return uw_config_mistake(reading->error, origin_of(reading, key_node), NULL, "a key is too long or deep");
        }
        enum uw_code code = note_key(reading, key, key_node);
        bool section = uw_config_is_section(key);
        if (code == UW_OK && strcmp(key, OVERRIDES) == 0) {
            code = read_overrides(reading, value);
        } else if (code == UW_OK && value->type == YAML_MAPPING_NODE && (section || is_property(key))) {
            code = read_map(reading, value, key, depth + 1);
        } else if (code == UW_OK && !(section && is_null(value))) {
            code = read_value(reading, key, key_node, value);
        }
        if (code != UW_OK) {
            return code;
        }
    }
    return UW_OK;
}

static enum uw_code syntax_mistake(const yaml_parser_t *parser, const char *path, struct uw_error *error)
{
    size_t line = parser->problem_mark.line + 1;
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "%s:%zu: %s", path, line, problem);
}

static enum uw_code read_document(struct reading *reading, yaml_document_t *document)
{
    const yaml_node_t *root = yaml_document_get_root_node(document);
    reading->document = document;
    if (root == NULL || is_null(root)) {
        return UW_OK;
    }
    if (root->type != YAML_MAPPING_NODE) {
        return uw_config_mistake(reading->error, origin_of(reading, root), NULL, "keys and values are expected here");
    }
    return read_map(reading, root, "", 0);
}

/* Parses the text: at most one document. */
static enum uw_code read_text(struct reading *reading, const unsigned char *text, size_t length)
{
    yaml_parser_t parser;
    yaml_document_t document;
    enum uw_code code = UW_OK;
    if (!yaml_parser_initialize(&parser)) {
        return uw_error_set(reading->error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the configuration");
    }
    yaml_parser_set_input_string(&parser, text, length);
    for (int count = 0; code == UW_OK; count++) {
        if (!yaml_parser_load(&parser, &document)) {
            code = syntax_mistake(&parser, reading->path, reading->error);
            break;
        }
        const yaml_node_t *root = yaml_document_get_root_node(&document);
        bool end = root == NULL;
        if (!end && count > 0) {
            code = uw_config_mistake(reading->error, origin_of(reading, root), NULL, "a second document");
        } else if (!end) {
            code = read_document(reading, &document);
        }
        yaml_document_delete(&document);
        if (end) {
            break;
        }
    }
    yaml_parser_delete(&parser);
    return code;
}

enum uw_code uw_config_read_file(struct uw_config *config, const char *path, struct uw_error *error)
{
    struct reading *reading = NULL;
    unsigned char *text = NULL;
    enum uw_code code;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "%s: %s", path, strerror(errno));
    }
    reading = calloc(1, sizeof(*reading));
    text = malloc(UW_CONFIG_FILE_MAX + 1);
    if (reading == NULL || text == NULL) {
        code = uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the configuration");
        goto out;
    }
    size_t length = fread(text, 1, UW_CONFIG_FILE_MAX + 1, file);
    if (ferror(file)) {
        code = uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "%s: %s", path, strerror(errno));
        goto out;
    }
    if (length > UW_CONFIG_FILE_MAX) {
        code = uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "%s: larger than 1 MiB", path);
        goto out;
    }
    reading->config = config;
    reading->path = path;
    reading->error = error;
    code = read_text(reading, text, length);
out:
    free(text);
    free(reading);
    fclose(file);
    return code;
}
