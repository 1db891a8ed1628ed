/*
 * The codec between Kafka values and core structs: Avro single-object encoding, and the Confluent wire format
 * when there is a schema registry to ask (SPEC section 2, encodings).
 *
 * A value names its writer's schema. For each (record, writer's schema) a plan is compiled once, by Avro's
 * rules of schema resolution; it decodes with bounds checked and without allocating, apart from an array's
 * items. Writers' schemas are found by fingerprint among our newest ones, the old ones in schemas/old, those
 * that were added, and by id in the registry.
 *
 * A handle serves one thread at a time.
 */
#ifndef UW_SCHEMAS_CODEC_H
#define UW_SCHEMAS_CODEC_H

#include "core/ports.h"

struct uw_codec;

/* A schema's JSON is refused beyond this, wherever it comes from. */
#define UW_SCHEMA_BYTES_MAX (256u * 1024u)
/* Schemas that uw_codec_add_schema takes. */
#define UW_CODEC_ADDED_MAX 1024
/* Registry ids that are kept; when another one comes, all are forgotten and asked for again. */
#define UW_CODEC_IDS_MAX 256
/* The same when those that are kept take more memory than this, as far as it is counted. */
#define UW_CODEC_IDS_BYTES_MAX ((size_t)256 * 1024 * 1024)

/* Asks the registry. UW_OK: the writer's schema, NUL-terminated, malloc'ed for the codec to free. UW_EINPUT: the
 * registry answers that there is none, or one that is not Avro, and says so in `error`. Anything else: no
 * answer; `error` has the class by which the call is tried again. */
typedef enum uw_code uw_schema_lookup(void *context, int32_t schema_id, char **schema_json_take,
                                      struct uw_error *error);

struct uw_codec_options {
    uw_schema_lookup *lookup; /* NULL: the Confluent wire format is refused as NOT_AVRO */
    void *lookup_context;
};

/* `options` may be NULL. UW_ENOMEM, or UW_EINTERNAL for a compiled-in schema that cannot be read. */
enum uw_code uw_codec_open(const struct uw_codec_options *options, struct uw_codec **codec, struct uw_error *error)
    UW_MUST_USE;
void uw_codec_close(struct uw_codec **codec);

/* Makes the schema of a writer known, to be found by its fingerprint; one that is known already changes
 * nothing. UW_EINPUT for JSON that is not an Avro schema; UW_ELIMIT; UW_ENOMEM. */
enum uw_code uw_codec_add_schema(struct uw_codec *codec, struct uw_str schema_json, struct uw_error *error)
    UW_MUST_USE;

/* As struct uw_decoder says (core/ports.h). Strings of *event point into `value`, and into the codec for
 * defaults: it must outlive them. */
enum uw_code uw_codec_decode(struct uw_codec *codec, enum uw_topic topic, struct uw_str value, struct uw_arena *arena,
                             struct uw_event *event, struct uw_refusal *refusal, struct uw_error *error) UW_MUST_USE;

/* Single-object encoding in our newest schema. The event must be valid. UW_OK, or UW_ENOMEM. */
enum uw_code uw_codec_encode(const struct uw_codec *codec, const struct uw_event *event, struct uw_arena *arena,
                             struct uw_str *bytes) UW_MUST_USE;

/* Fills the port; the codec must outlive it. */
void uw_codec_decoder(struct uw_codec *codec, struct uw_decoder *decoder);

/* The newest schema as its file has it. NULL for dead letters, which have the schema of what is in them. */
const char *uw_codec_topic_schema(enum uw_topic topic);
const char *uw_codec_output_schema(enum uw_output output);

/* CRC-64-AVRO of the newest schema's Parsing Canonical Form. */
uint64_t uw_codec_topic_fingerprint(const struct uw_codec *codec, enum uw_topic topic);
uint64_t uw_codec_output_fingerprint(const struct uw_codec *codec, enum uw_output output);

#endif
