/*
 * A plan: how the bytes of one writer's schema become one of our structs, compiled once by Avro's rules of
 * schema resolution (reader's defaults and aliases, promotions, added and removed fields, unions, enums by
 * symbol).
 *
 * It is a list of steps in the order of the writer's fields. A nested record lies in the same list; a union has
 * one list a branch. Steps that only set a member stand for what the writer does not have.
 */
#ifndef UW_SCHEMAS_PLAN_H
#define UW_SCHEMAS_PLAN_H

#include "core/arena.h"
#include "schemas/schema.h"
#include "schemas/shape.h"

enum uw_step_kind {
    UW_STEP_END,
    /* Read, check, store. */
    UW_STEP_TEXT,
    UW_STEP_UUID,
    UW_STEP_INT,      /* into an int32_t */
    UW_STEP_LONG,     /* into an int64_t */
    UW_STEP_INT_LONG, /* Avro int into an int64_t */
    UW_STEP_BOOLEAN,
    UW_STEP_ENUM,
    UW_STEP_LIST,
    UW_STEP_UNION,
    UW_STEP_SKIP,
    /* Store without reading. */
    UW_STEP_SET_TEXT,
    UW_STEP_SET_UUID,
    UW_STEP_SET_INT,
    UW_STEP_SET_LONG,
    UW_STEP_SET_BOOLEAN,
    UW_STEP_SET_LIST,
};

/* What an index of the writer's enum becomes when the reader has no such symbol and no default. */
#define UW_ENUM_UNKNOWN INT32_MIN

struct uw_step {
    enum uw_step_kind kind;
    uint16_t offset, count_offset;
    const char *name; /* of the field, for refusals */
    union {
        int64_t number;      /* SET_INT, SET_LONG, SET_BOOLEAN */
        struct uw_str text;  /* SET_TEXT */
        struct uw_uuid uuid; /* SET_UUID */
        struct {
            const int32_t *items;
            uint32_t count;
        } list; /* SET_LIST; for ENUM the C value of each of the writer's indexes */
        struct {
            const struct uw_step *const *steps; /* NULL: a branch that the reader cannot take */
            uint32_t count;
        } branches;                        /* UNION */
        const struct uw_step *item;        /* LIST: stores an int32_t at offset 0 */
        const struct uw_schema_node *node; /* SKIP */
    } of;
};

struct uw_plan {
    struct uw_arena memory;
    const struct uw_step *steps; /* NULL: the schema cannot be read as this record; `why` says it */
    char why[UW_REFUSAL_TEXT_BYTES];
};

/* Memory that one plan may take; a writer's schema that wants more cannot be read. */
#define UW_PLAN_MEMORY_BYTES_MAX ((size_t)16 * 1024 * 1024)

/* The reader's schema must have the fields of the shape. A plan points into the writer's schema (what it
 * skips) and the reader's (defaults, also in what it decodes); both must outlive it. UW_OK, also for a plan
 * without steps; or UW_ENOMEM. */
enum uw_code uw_plan_open(const struct uw_schema *writer, const struct uw_schema *reader, const struct uw_shape *shape,
                          struct uw_plan **plan) UW_MUST_USE;
void uw_plan_close(struct uw_plan **plan);

/* The field of the shape, or NULL. */
const struct uw_shape_field *uw_shape_field(const struct uw_shape *shape, const char *name);

/* A list of steps that grows while it is compiled (in the plan's memory). */
struct uw_steps {
    struct uw_step *list;
    uint32_t count, capacity;
};

struct uw_compiler {
    struct uw_plan *plan;
};

/* Adds a step with this field's name and place. NULL: out of memory. */
struct uw_step *uw_steps_add(struct uw_compiler *compiler, struct uw_steps *steps, enum uw_step_kind kind,
                             const struct uw_shape_field *field) UW_MUST_USE;
/* Adds the step that stores a field's null. */
enum uw_code uw_steps_add_null(struct uw_compiler *compiler, struct uw_steps *steps,
                               const struct uw_shape_field *field) UW_MUST_USE;
/* Adds the steps that store the default `json` of the reader's type (plan_default.c). UW_EINPUT and plan->why when the
 * default does not fit the type. */
enum uw_code uw_steps_add_default(struct uw_compiler *compiler, struct uw_steps *steps,
                                  const struct uw_schema_node *reader, const json_t *json,
                                  const struct uw_shape_field *field) UW_MUST_USE;
/* Notes why and returns UW_EINPUT. */
enum uw_code uw_plan_fail(struct uw_compiler *compiler, const char *format, ...) UW_PRINTF(2, 3);

#endif
