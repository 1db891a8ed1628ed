/*
 * An Avro schema as a graph of nodes, read from its JSON with everything that schema resolution needs: full
 * names, aliases, defaults; and its Parsing Canonical Form with the fingerprint.
 *
 * Avro-C's own parser drops defaults and aliases, which is why this one stands here; the tests compare the two.
 */
#ifndef UW_SCHEMAS_SCHEMA_H
#define UW_SCHEMAS_SCHEMA_H

#include <jansson.h>

#include "core/arena.h"

/* Types nested deeper than this are refused. */
#define UW_SCHEMA_DEPTH_MAX 64
/* Memory that a schema's graph and its canonical form may take: few bytes of text can repeat a long namespace. */
#define UW_SCHEMA_MEMORY_BYTES_MAX ((size_t)16 * 1024 * 1024)

enum uw_type {
    UW_TYPE_NULL,
    UW_TYPE_BOOLEAN,
    UW_TYPE_INT,
    UW_TYPE_LONG,
    UW_TYPE_FLOAT,
    UW_TYPE_DOUBLE,
    UW_TYPE_BYTES,
    UW_TYPE_STRING,
    UW_TYPE_RECORD,
    UW_TYPE_ENUM,
    UW_TYPE_FIXED,
    UW_TYPE_ARRAY,
    UW_TYPE_MAP,
    UW_TYPE_UNION,
};

struct uw_schema_node;

struct uw_schema_field {
    const char *name;
    const char **aliases;
    uint32_t alias_count;
    const struct uw_schema_node *type;
    const json_t *default_value; /* NULL: none; a JSON null is a default */
};

struct uw_schema_node {
    enum uw_type type;
    const char *name;     /* full name of a record, enum or fixed */
    const char **aliases; /* full names */
    uint32_t alias_count;
    struct uw_schema_field *fields; /* record */
    const char **symbols;           /* enum */
    const char *default_symbol;     /* enum; NULL: none */
    const struct uw_schema_node **branches; /* union */
    uint32_t count;                         /* of fields, symbols or branches */
    const struct uw_schema_node *items;     /* array; values of a map */
    uint32_t size;                          /* fixed, bytes */
    bool canonical_written; /* used while the canonical form is written */
};

/* All in one: opened from JSON, closed once. Nodes and names live as long as it does. */
struct uw_schema {
    struct uw_arena memory;
    json_t *json;
    uint32_t json_bytes; /* of its text */
    const struct uw_schema_node *root;
    struct uw_str canonical; /* Parsing Canonical Form, UTF-8 */
    uint64_t fingerprint;    /* CRC-64-AVRO of it */
};

/* UW_EINPUT with a text that says what is wrong and where, or that it takes too much; UW_ENOMEM. */
enum uw_code uw_schema_open(struct uw_str json, struct uw_schema **schema, struct uw_error *error) UW_MUST_USE;
void uw_schema_close(struct uw_schema **schema);

/* The Rabin fingerprint of Avro's specification. */
uint64_t uw_crc64_avro(struct uw_str bytes);

/* "int", "record", ... */
const char *uw_type_name(enum uw_type type);
/* The part of a full name behind its last dot. */
const char *uw_unqualified(const char *full_name);

/* Used by uw_schema_open: writes the Parsing Canonical Form (canonical.c). */
enum uw_code uw_schema_canonical(struct uw_schema_node *root, struct uw_arena *arena, struct uw_str *canonical)
    UW_MUST_USE;

#endif
