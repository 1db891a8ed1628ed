/*
 * Reading dead letters, and choosing among them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/dead_letters.h"
#include "cli/kafka_log.h"
#include "schemas/codec.h"

#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define NUMBER_DIGITS_MAX 19u

/* ---- open and close ---- */

enum uw_code uw_letters_open(struct uw_letters *letters, struct uw_error *error)
{
    const struct uw_config *config = letters->config;
    const struct uw_audit_options options = {.properties = config->kafka,
                                             .property_count = config->kafka_count,
                                             .timeout_ms = config->kafka_timeout_ms,
                                             .log = uw_kafka_log_make()};
    struct uw_codec_options codec = {NULL, NULL};
    enum uw_code code = UW_OK;

    uw_arena_init(&letters->arena, ARENA_BYTES_MAX);
    if (config->registry_url[0] != '\0') {
        code = uw_registry_open(config->registry_url, config->kafka_timeout_ms, &letters->registry, error);
        codec = (struct uw_codec_options){uw_registry_lookup, letters->registry};
    }
    if (code == UW_OK) {
        code = uw_codec_open(&codec, &letters->codec, error);
    }
    return code == UW_OK ? uw_audit_open(&options, &letters->audit, error) : code;
}

void uw_letters_close(struct uw_letters *letters)
{
    uw_audit_close(&letters->audit);
    if (letters->codec != NULL) {
        uw_codec_close(&letters->codec);
    }
    if (letters->registry != NULL) {
        uw_registry_close(&letters->registry);
    }
    uw_arena_close(&letters->arena);
}

/* ---- texts and numbers ---- */

static bool parse_number(struct uw_str text, int64_t max, int64_t *number)
{
    int64_t value = 0;

    if (text.length == 0 || text.length > NUMBER_DIGITS_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < text.length; i++) {
        int digit = text.data[i] - '0';

        if (digit < 0 || digit > 9 || value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}

bool uw_letter_place_parse(const char *text, struct uw_letter_place *place)
{
    const char *colon = strchr(text, ':');
    int64_t partition, offset;

    if (colon == NULL ||
        !parse_number((struct uw_str){text, (uint32_t)(colon - text)}, INT32_MAX, &partition) ||
        !parse_number(uw_str_from(colon + 1), INT64_MAX, &offset)) {
        return false;
    }
    *place = (struct uw_letter_place){(int32_t)partition, offset};
    return true;
}

static int32_t topic_index_of(const struct uw_config *config, struct uw_str topic)
{
    for (int32_t i = 0; i < UW_TOPIC_COUNT; i++) {
        if (uw_str_equal(topic, uw_str_from(config->topics[i]))) {
            return i;
        }
    }
    return -1;
}

/* Takes what stands behind the last slash off *text. */
static bool split_last(struct uw_str *text, struct uw_str *part)
{
    for (uint32_t i = text->length; i-- > 0;) {
        if (text->data[i] == '/') {
            *part = (struct uw_str){text->data + i + 1, text->length - i - 1};
            text->length = i;
            return true;
        }
    }
    return false;
}

bool uw_letter_origin_parse(const struct uw_config *config, struct uw_str text, int32_t *topic_index,
                            int32_t *partition, int64_t *offset)
{
    struct uw_str topic = text, partition_text, offset_text;
    int64_t partition_number, offset_number;
    int32_t index;

    if (uw_str_is_null(text) || !split_last(&topic, &offset_text) || !split_last(&topic, &partition_text) ||
        !parse_number(partition_text, INT32_MAX, &partition_number) ||
        !parse_number(offset_text, INT64_MAX, &offset_number)) {
        return false;
    }
    index = topic_index_of(config, topic);
    if (index < 0) {
        return false;
    }
    *topic_index = index;
    *partition = (int32_t)partition_number;
    *offset = offset_number;
    return true;
}

/* The last header of a name counts, since ours stand behind those of the refused message. */
static struct uw_str header_of(const struct uw_audit_message *message, const char *name)
{
    for (uint32_t i = message->header_count; i-- > 0;) {
        if (uw_str_equal(message->headers[i].name, uw_str_from(name))) {
            return message->headers[i].value;
        }
    }
    return UW_STR_NULL;
}

void uw_letter_fill(const struct uw_config *config, const struct uw_audit_message *message, struct uw_letter *letter)
{
    int64_t partition = -1, offset = -1;

    *letter = (struct uw_letter){
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = message->timestamp_ms,
        .key = message->key,
        .value = message->value,
        .headers = message->headers,
        .header_count = message->header_count,
        .reason = header_of(message, "__streams.errors.exception"),
        .text = header_of(message, "__streams.errors.message"),
        .topic = header_of(message, "__streams.errors.topic"),
    };
    letter->topic_index = topic_index_of(config, letter->topic);
    if (!parse_number(header_of(message, "__streams.errors.partition"), INT32_MAX, &partition) ||
        !parse_number(header_of(message, "__streams.errors.offset"), INT64_MAX, &offset)) {
        partition = offset = -1;
    }
    letter->origin_partition = (int32_t)partition;
    letter->origin_offset = offset;
}

enum uw_code uw_letter_decode(struct uw_letters *letters, const struct uw_letter *letter, struct uw_event *event,
                              struct uw_refusal *refusal, struct uw_error *error)
{
    enum uw_code code;

    uw_arena_reset(&letters->arena);
    code = uw_codec_decode(letters->codec, (enum uw_topic)letter->topic_index, letter->value, &letters->arena, event,
                           refusal, error);
    if (code == UW_OK && !uw_str_equal(letter->key, event->client)) {
        *refusal = (struct uw_refusal){UW_REFUSED_WRONG_KEY, "the Kafka key is not the event's client"};
        code = UW_EINPUT;
    }
    return code;
}

/* ---- choosing ---- */

/* The index of the place among those named, or -1. */
static int32_t place_index(const struct uw_letters *letters, int32_t partition, int64_t offset)
{
    for (uint32_t i = 0; i < letters->place_count; i++) {
        if (letters->places[i].partition == partition && letters->places[i].offset == offset) {
            return (int32_t)i;
        }
    }
    return -1;
}

static bool is_wanted(struct uw_letters *letters, const struct uw_letter *letter)
{
    if (letters->place_count > 0) {
        int32_t index = place_index(letters, letter->partition, letter->offset);

        if (index < 0) {
            return false;
        }
        letters->found[index] = true;
    }
    return (uw_str_is_null(letters->reason) || uw_str_equal(letters->reason, letter->reason)) &&
           (letters->topic_index < 0 || letters->topic_index == letter->topic_index) &&
           letter->timestamp_ms >= letters->since_ms;
}

static enum uw_code visit_range(struct uw_letters *letters, int32_t partition, int64_t from, int64_t until,
                                uw_letter_visit *visit, void *context, bool *stop, struct uw_error *error)
{
    const char *topic = letters->config->outputs[UW_OUTPUT_DEAD_LETTERS];
    const struct uw_audit_message *message = NULL;
    struct uw_letter letter;
    enum uw_code code = uw_audit_start(letters->audit, topic, partition, from, until, error);

    while (code == UW_OK && !*stop && !uw_signals_stop_requested()) {
        code = uw_audit_next(letters->audit, &message, error);
        if (code != UW_OK || message == NULL) {
            break;
        }
        uw_letter_fill(letters->config, message, &letter);
        if (is_wanted(letters, &letter)) {
            code = visit(context, &letter, stop, error);
        }
    }
    return code;
}

/* Places that are named are read one by one: they may lie far apart. */
static enum uw_code each_place(struct uw_letters *letters, int32_t count, uw_letter_visit *visit, void *context,
                               bool *stop, struct uw_error *error)
{
    const char *topic = letters->config->outputs[UW_OUTPUT_DEAD_LETTERS];
    enum uw_code code = UW_OK;

    for (uint32_t i = 0; i < letters->place_count && code == UW_OK && !*stop; i++) {
        const struct uw_letter_place *place = &letters->places[i];
        int64_t low = 0, high = 0;

        if (place->partition >= count) {
            continue;
        }
        code = uw_audit_range(letters->audit, topic, place->partition, &low, &high, error);
        if (code == UW_OK && place->offset >= low && place->offset < high) {
            code = visit_range(letters, place->partition, place->offset, place->offset + 1, visit, context, stop,
                               error);
        }
    }
    return code;
}

enum uw_code uw_letters_each(struct uw_letters *letters, uw_letter_visit *visit, void *context, struct uw_error *error)
{
    const char *topic = letters->config->outputs[UW_OUTPUT_DEAD_LETTERS];
    int32_t count = 0;
    bool stop = false;
    enum uw_code code = uw_audit_partition_count(letters->audit, topic, &count, error);

    if (code == UW_OK && letters->place_count > 0) {
        return each_place(letters, count, visit, context, &stop, error);
    }
    for (int32_t partition = 0; partition < count && code == UW_OK && !stop && !uw_signals_stop_requested();
         partition++) {
        int64_t low, high;

        code = uw_audit_range(letters->audit, topic, partition, &low, &high, error);
        if (code == UW_OK) {
            code = visit_range(letters, partition, low, high, visit, context, &stop, error);
        }
    }
    return code;
}

/* ---- printing ---- */

/* Length of the UTF-8 character at the start of the text, 0 when it is none. */
static uint32_t character_length(struct uw_str text)
{
    for (uint32_t length = 1; length <= 4 && length <= text.length; length++) {
        if (uw_utf8_length((struct uw_str){text.data, length}) == 1) {
            return length;
        }
    }
    return 0;
}

void uw_letter_print(struct uw_str text)
{
    while (text.length > 0) {
        uint32_t length = character_length(text);
        uint8_t first = (uint8_t)text.data[0];

        if (length == 0 || first < 0x20 || first == 0x7F) {
            printf("\\x%02x", first);
            length = 1;
        } else {
            (void)fwrite(text.data, 1, length, stdout);
        }
        text.data += length;
        text.length -= length;
    }
}

void uw_letter_print_json(struct uw_str text)
{
    if (uw_str_is_null(text)) {
        printf("null");
        return;
    }
    putchar('"');
    while (text.length > 0) {
        uint32_t length = character_length(text);
        uint8_t first = (uint8_t)text.data[0];

        if (length == 0 || first < 0x20 || first == 0x7F) {
            printf("\\u%04x", first);
            length = 1;
        } else {
            if (first == '"' || first == '\\') {
                putchar('\\');
            }
            (void)fwrite(text.data, 1, length, stdout);
        }
        text.data += length;
        text.length -= length;
    }
    putchar('"');
}
