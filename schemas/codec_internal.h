/*
 * What the codec of events (codec.c) and that of outputs (output.c) share. Of no use outside schemas/.
 */
#ifndef UW_SCHEMAS_CODEC_INTERNAL_H
#define UW_SCHEMAS_CODEC_INTERNAL_H

#include "schemas/codec.h"
#include "schemas/plan.h"

/* A writer's schema and the plans that were compiled for it. */
struct uw_known {
    struct uw_schema *schema; /* NULL: the registry gave something that is not an Avro schema; see `refusal` */
    struct uw_refusal refusal;
    struct uw_plan *plans[UW_SHAPE_COUNT]; /* NULL until needed */
};

struct uw_known_id {
    int32_t id;
    struct uw_known *known;
};

struct uw_codec {
    struct uw_codec_options options;
    struct uw_schema *newest[UW_SHAPE_COUNT]; /* the reader's schemas */
    struct uw_known **known;                  /* by fingerprint, ascending */
    uint32_t known_count;
    struct uw_known *last[UW_SHAPE_COUNT]; /* of `known`, found last for each shape; may be NULL */
    struct uw_known_id ids[UW_CODEC_IDS_MAX];
    uint32_t id_count;
};

/* Decodes into the struct of the shape, without checking rules. As uw_codec_decode otherwise, but `record` may
 * be left half filled. */
enum uw_code uw_codec_decode_shape(struct uw_codec *codec, enum uw_shape_id shape, struct uw_str value,
                                   struct uw_arena *arena, void *record, struct uw_refusal *refusal,
                                   struct uw_error *error) UW_MUST_USE;
enum uw_code uw_codec_encode_shape(const struct uw_codec *codec, enum uw_shape_id shape, const void *record,
                                   struct uw_arena *arena, struct uw_str *bytes) UW_MUST_USE;

#endif
