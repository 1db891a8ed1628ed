/*
 * From a C struct to Avro's single-object encoding, by its shape. What it writes is what any Avro library
 * writes for the newest schema; an array is one block.
 */
#ifndef UW_SCHEMAS_ENCODE_H
#define UW_SCHEMAS_ENCODE_H

#include "core/arena.h"
#include "schemas/shape.h"

/* `record` is the struct that the shape describes; a null of a field that is not nullable is written as an
 * empty string. Returns UW_OK and the bytes in `arena`, or UW_ENOMEM. */
enum uw_code uw_encode_record(const struct uw_shape *shape, uint64_t fingerprint, const void *record,
                              struct uw_arena *arena, struct uw_str *bytes) UW_MUST_USE;

#endif
