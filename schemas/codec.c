#include "schemas/codec_internal.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/decode.h"
#include "schemas/embedded.h"
#include "schemas/encode.h"
#include "schemas/refuse.h"
#include "schemas/wire.h"

/* Jansson's memory for a byte of a schema's text, about. */
#define JSON_FACTOR 16u

/* The files of the newest schemas, by enum uw_shape_id. */
static const char *const newest_names[UW_SHAPE_COUNT] = {"decision.avsc",   "declaration.avsc", "no_show.avsc",
                                                         "evaluation.avsc", "alert.avsc",       "anomaly.avsc"};

static const struct uw_embedded_file *newest_file(enum uw_shape_id shape)
{
    const struct uw_embedded_file *file = uw_embedded_schemas;
    while (file->name != NULL && strcmp(file->name, newest_names[shape]) != 0) {
        file++;
    }
    return file;
}

const char *uw_codec_topic_schema(enum uw_topic topic)
{
    return newest_file((enum uw_shape_id)topic)->text;
}

const char *uw_codec_output_schema(enum uw_output output)
{
    switch (output) {
    case UW_OUTPUT_ALERTS:
        return newest_file(UW_SHAPE_ALERT)->text;
    case UW_OUTPUT_ANOMALIES:
        return newest_file(UW_SHAPE_ANOMALY)->text;
    case UW_OUTPUT_DEAD_LETTERS:
        break;
    }
    return NULL;
}

static enum uw_code no_memory(struct uw_error *error)
{
    return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "out of memory in the codec");
}

/* ---- writers' schemas ---- */

static void close_known(struct uw_known *known)
{
    for (int i = 0; i < UW_SHAPE_COUNT; i++) {
        uw_plan_close(&known->plans[i]);
    }
    uw_schema_close(&known->schema);
    free(known);
}

/* The place of the first schema whose fingerprint is not smaller. */
static uint32_t place_of(const struct uw_codec *codec, uint64_t fingerprint)
{
    uint32_t from = 0, to = codec->known_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (codec->known[middle]->schema->fingerprint < fingerprint) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static struct uw_known *find_known(const struct uw_codec *codec, uint64_t fingerprint)
{
    uint32_t place = place_of(codec, fingerprint);
    if (place < codec->known_count && codec->known[place]->schema->fingerprint == fingerprint) {
        return codec->known[place];
    }
    return NULL;
}

static enum uw_code insert_known(struct uw_codec *codec, struct uw_schema *schema_take, struct uw_error *error)
{
    struct uw_known *known = calloc(1, sizeof *known);
    struct uw_known **list = realloc(codec->known, (codec->known_count + 1) * sizeof *list);
    codec->known = list != NULL ? list : codec->known;
    if (known == NULL || list == NULL) {
        free(known);
        uw_schema_close(&schema_take);
        return no_memory(error);
    }
    known->schema = schema_take;
    uint32_t place = place_of(codec, schema_take->fingerprint);
    memmove(&list[place + 1], &list[place], (codec->known_count - place) * sizeof *list);
    list[place] = known;
    codec->known_count++;
    return UW_OK;
}

enum uw_code uw_codec_add_schema(struct uw_codec *codec, struct uw_str schema_json, struct uw_error *error)
{
    struct uw_schema *schema = NULL;
    enum uw_code code = uw_schema_open(schema_json, &schema, error);
    if (code != UW_OK) {
        return code;
    }
    if (find_known(codec, schema->fingerprint) != NULL) {
        uw_schema_close(&schema);
        return UW_OK;
    }
    if (codec->known_count >= UW_CODEC_ADDED_MAX) {
        uw_schema_close(&schema);
        return uw_error_set(error, UW_ELIMIT, UW_CLASS_FATAL, "more than %d schemas of writers", UW_CODEC_ADDED_MAX);
    }
    return insert_known(codec, schema, error);
}

static enum uw_code add_file(struct uw_codec *codec, const struct uw_embedded_file *file, struct uw_error *error)
{
    struct uw_error reason;
    enum uw_code code =
        uw_codec_add_schema(codec, (struct uw_str){file->text, (uint32_t)file->length}, &reason);
    if (code == UW_EINPUT) {
        return uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL, "%s: %s", file->name, reason.text);
    }
    return code == UW_OK ? UW_OK : uw_error_set(error, code, reason.class, "%s", reason.text);
}

static enum uw_code load(struct uw_codec *codec, struct uw_error *error)
{
    for (int i = 0; i < UW_SHAPE_COUNT; i++) {
        const struct uw_embedded_file *file = newest_file((enum uw_shape_id)i);
        enum uw_code code = add_file(codec, file, error);
        if (code == UW_OK) {
            code = uw_schema_open((struct uw_str){file->text, (uint32_t)file->length}, &codec->newest[i], error);
        }
        if (code != UW_OK) {
            return code;
        }
    }
    for (const struct uw_embedded_file *file = uw_embedded_old_schemas; file->name != NULL; file++) {
        enum uw_code code = add_file(codec, file, error);
        if (code != UW_OK) {
            return code;
        }
    }
    return UW_OK;
}

enum uw_code uw_codec_open(const struct uw_codec_options *options, struct uw_codec **codec, struct uw_error *error)
{
    struct uw_codec *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return no_memory(error);
    }
    if (options != NULL) {
        opened->options = *options;
    }
    enum uw_code code = load(opened, error);
    if (code != UW_OK) {
        uw_codec_close(&opened);
        return code;
    }
    *codec = opened;
    return UW_OK;
}

static void forget_ids(struct uw_codec *codec)
{
    for (uint32_t i = 0; i < codec->id_count; i++) {
        close_known(codec->ids[i].known);
    }
    codec->id_count = 0;
}

void uw_codec_close(struct uw_codec **codec)
{
    if (*codec == NULL) {
        return;
    }
    forget_ids(*codec);
    for (uint32_t i = 0; i < (*codec)->known_count; i++) {
        close_known((*codec)->known[i]);
    }
    free((*codec)->known);
    for (int i = 0; i < UW_SHAPE_COUNT; i++) {
        uw_schema_close(&(*codec)->newest[i]);
    }
    free(*codec);
    *codec = NULL;
}

/* ---- the registry ---- */

/* What the ids that are kept take: graphs, plans, and what their JSON is about as it is kept. */
static size_t bytes_of_ids(const struct uw_codec *codec)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < codec->id_count; i++) {
        const struct uw_known *known = codec->ids[i].known;
        if (known->schema != NULL) {
            bytes += known->schema->memory.used_bytes + (size_t)known->schema->json_bytes * JSON_FACTOR;
        }
        for (int shape = 0; shape < UW_SHAPE_COUNT; shape++) {
            bytes += known->plans[shape] != NULL ? known->plans[shape]->memory.used_bytes : 0;
        }
    }
    return bytes;
}

/* Asks for an id that is not kept. A schema that is no Avro is kept too: the registry never changes it. An id
 * that the registry does not have may be registered later and is asked for each time. */
static enum uw_code ask_registry(struct uw_codec *codec, int32_t id, struct uw_known **known,
                                 struct uw_refusal *refusal, struct uw_error *error)
{
    char *json = NULL;
    struct uw_error answer = {UW_OK, UW_CLASS_NONE, ""};
    enum uw_code code = codec->options.lookup(codec->options.lookup_context, id, &json, &answer);
    if (code == UW_EINPUT) {
        return uw_refuse(refusal, UW_REFUSED_UNKNOWN_SCHEMA, "schema id %d: %s", (int)id, answer.text);
    }
    if (code != UW_OK) {
        return uw_error_set(error, code, answer.class, "%s", answer.text);
    }
    struct uw_known *made = calloc(1, sizeof *made);
    code = made == NULL ? no_memory(&answer) : uw_schema_open(uw_str_from(json), &made->schema, &answer);
    free(json);
    if (code != UW_OK && code != UW_EINPUT) {
        free(made);
        return no_memory(error);
    }
    if (code == UW_EINPUT) {
        (void)uw_refuse(&made->refusal, UW_REFUSED_WRONG_SCHEMA, "schema id %d: %s", (int)id, answer.text);
    }
    if (codec->id_count == UW_CODEC_IDS_MAX || bytes_of_ids(codec) > UW_CODEC_IDS_BYTES_MAX) {
        forget_ids(codec);
    }
    codec->ids[codec->id_count++] = (struct uw_known_id){id, made};
    *known = made;
    return UW_OK;
}

static enum uw_code find_by_id(struct uw_codec *codec, int32_t id, struct uw_known **known,
                               struct uw_refusal *refusal, struct uw_error *error)
{
    for (uint32_t i = 0; i < codec->id_count; i++) {
        if (codec->ids[i].id == id) {
            *known = codec->ids[i].known;
            return UW_OK;
        }
    }
    return ask_registry(codec, id, known, refusal, error);
}

/* ---- a value's header ---- */

static enum uw_code find_by_fingerprint(struct uw_codec *codec, enum uw_shape_id shape, const uint8_t *bytes,
                                        struct uw_known **known, struct uw_refusal *refusal)
{
    uint64_t fingerprint = 0;
    for (int i = 0; i < 8; i++) {
        fingerprint |= (uint64_t)bytes[i] << (8 * i);
    }
    struct uw_known *found = codec->last[shape];
    if (found == NULL || found->schema->fingerprint != fingerprint) {
        found = find_known(codec, fingerprint);
    }
    if (found == NULL) {
        return uw_refuse(refusal, UW_REFUSED_UNKNOWN_SCHEMA, "no schema has the fingerprint %016llx",
                         (unsigned long long)fingerprint);
    }
    codec->last[shape] = found;
    *known = found;
    return UW_OK;
}

/* Finds the writer's schema and how long the header is. */
static enum uw_code read_header(struct uw_codec *codec, enum uw_shape_id shape, struct uw_str value,
                                struct uw_known **known, uint32_t *header_bytes, struct uw_refusal *refusal,
                                struct uw_error *error)
{
    const uint8_t *bytes = (const uint8_t *)value.data;
    if (bytes[0] == UW_CONFLUENT_FIRST) {
        if (codec->options.lookup == NULL) {
            return uw_refuse(refusal, UW_REFUSED_NOT_AVRO,
                             "the value starts as the Confluent wire format does, but no schema registry is configured");
        }
        if (value.length < UW_CONFLUENT_HEADER_BYTES) {
            return uw_refuse(refusal, UW_REFUSED_TRUNCATED, "the value ends in its header");
        }
        uint32_t id = (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 8 | bytes[4];
        if (id > INT32_MAX) {
            return uw_refuse(refusal, UW_REFUSED_UNKNOWN_SCHEMA, "schema id %u is out of range", (unsigned)id);
        }
        *header_bytes = UW_CONFLUENT_HEADER_BYTES;
        return find_by_id(codec, (int32_t)id, known, refusal, error);
    }
    if (bytes[0] != UW_SINGLE_OBJECT_FIRST || (value.length > 1 && bytes[1] != UW_SINGLE_OBJECT_SECOND)) {
        return uw_refuse(refusal, UW_REFUSED_NOT_AVRO, "the value does not start as Avro's single-object encoding does");
    }
    if (value.length < UW_SINGLE_OBJECT_HEADER_BYTES) {
        return uw_refuse(refusal, UW_REFUSED_TRUNCATED, "the value ends in its header");
    }
    *header_bytes = UW_SINGLE_OBJECT_HEADER_BYTES;
    return find_by_fingerprint(codec, shape, bytes + 2, known, refusal);
}

/* ---- decoding ---- */

/* The plan, compiled when the pair is met first. */
static enum uw_code plan_of(struct uw_codec *codec, enum uw_shape_id shape, struct uw_known *known,
                            const struct uw_plan **plan, struct uw_refusal *refusal, struct uw_error *error)
{
    if (known->schema == NULL) {
        *refusal = known->refusal;
        return UW_EINPUT;
    }
    if (known->plans[shape] == NULL) {
        enum uw_code code =
            uw_plan_open(known->schema, codec->newest[shape], uw_shape_of(shape), &known->plans[shape]);
        if (code == UW_ENOMEM) {
            return no_memory(error);
        }
        if (code != UW_OK) {
            return uw_error_set(error, code, UW_CLASS_FATAL, "a schema and its shape in the program differ");
        }
    }
    *plan = known->plans[shape];
    if ((*plan)->steps == NULL) {
        return uw_refuse(refusal, UW_REFUSED_WRONG_SCHEMA, "%s", (*plan)->why);
    }
    return UW_OK;
}

enum uw_code uw_codec_decode_shape(struct uw_codec *codec, enum uw_shape_id shape, struct uw_str value,
                                   struct uw_arena *arena, void *record, struct uw_refusal *refusal,
                                   struct uw_error *error)
{
    if (uw_str_is_null(value) || value.length == 0) {
        return uw_refuse(refusal, UW_REFUSED_EMPTY_VALUE, "the message has no value");
    }
    if (value.length > UW_EVENT_BYTES_MAX) {
        return uw_refuse(refusal, UW_REFUSED_TOO_LARGE, "the value has %u bytes; at most %u", (unsigned)value.length,
                         UW_EVENT_BYTES_MAX);
    }
    struct uw_known *known = NULL;
    const struct uw_plan *plan = NULL;
    uint32_t header_bytes = 0;
    enum uw_code code = read_header(codec, shape, value, &known, &header_bytes, refusal, error);
    if (code == UW_OK) {
        code = plan_of(codec, shape, known, &plan, refusal, error);
    }
    if (code != UW_OK) {
        return code;
    }
    struct uw_str body = {value.data + header_bytes, value.length - header_bytes};
    code = uw_decode_record(plan, body, arena, record, refusal);
    return code == UW_ENOMEM ? no_memory(error) : code;
}

enum uw_code uw_codec_decode(struct uw_codec *codec, enum uw_topic topic, struct uw_str value, struct uw_arena *arena,
                             struct uw_event *event, struct uw_refusal *refusal, struct uw_error *error)
{
    struct uw_event decoded = {.topic = topic};
    enum uw_code code =
        uw_codec_decode_shape(codec, (enum uw_shape_id)topic, value, arena, &decoded, refusal, error);
    if (code == UW_OK) {
        code = uw_event_validate(&decoded, refusal);
    }
    if (code == UW_OK) {
        *event = decoded;
    }
    return code;
}

static enum uw_code decode_port(void *context, enum uw_topic topic, struct uw_str value, struct uw_arena *arena,
                                struct uw_event *event, struct uw_refusal *refusal, struct uw_error *error)
{
    return uw_codec_decode(context, topic, value, arena, event, refusal, error);
}

void uw_codec_decoder(struct uw_codec *codec, struct uw_decoder *decoder)
{
    *decoder = (struct uw_decoder){codec, decode_port};
}

/* ---- encoding ---- */

enum uw_code uw_codec_encode_shape(const struct uw_codec *codec, enum uw_shape_id shape, const void *record,
                                   struct uw_arena *arena, struct uw_str *bytes)
{
    return uw_encode_record(uw_shape_of(shape), codec->newest[shape]->fingerprint, record, arena, bytes);
}

enum uw_code uw_codec_encode(const struct uw_codec *codec, const struct uw_event *event, struct uw_arena *arena,
                             struct uw_str *bytes)
{
    return uw_codec_encode_shape(codec, (enum uw_shape_id)event->topic, event, arena, bytes);
}

uint64_t uw_codec_topic_fingerprint(const struct uw_codec *codec, enum uw_topic topic)
{
    return codec->newest[topic]->fingerprint;
}

uint64_t uw_codec_output_fingerprint(const struct uw_codec *codec, enum uw_output output)
{
    return output == UW_OUTPUT_ALERTS      ? codec->newest[UW_SHAPE_ALERT]->fingerprint
           : output == UW_OUTPUT_ANOMALIES ? codec->newest[UW_SHAPE_ANOMALY]->fingerprint
                                           : 0;
}
