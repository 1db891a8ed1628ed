/*
 * Facts against the topics, as far as those still hold what was applied: every offset with a record is a stored fact
 * of the same content or a dead letter, and nothing else is. A merge of the three by partition and offset, led by the
 * facts; each side is read once and none is kept.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/dead_letters.h"
#include "cli/kafka_log.h"
#include "cli/verify.h"
#include "consumers/audit.h"
#include "consumers/registry.h"
#include "schemas/codec.h"
#include "schemas/json.h"

/* Decoding, encoding and writing one event. */
#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct topics {
    struct uw_verify *verify;
    struct uw_audit *kafka;
    struct uw_registry *registry;
    struct uw_codec *codec;
    struct uw_arena arena;
    struct uw_sorter *letters;           /* struct uw_verify_place */
    const struct uw_verify_place *place; /* the next of them; NULL: no more */
    struct uw_progress progress;
    int64_t done;
    struct uw_error error; /* of a visit */

    /* The topic, and how many of the partitions (struct uw_verify) have been begun. */
    enum uw_topic topic;
    int32_t topic_partitions;
    uint32_t begun;

    /* The stretch that is compared: a partition of the topic. */
    bool open;
    int32_t partition;
    int64_t low, until, next_offset;
    int64_t last_fact; /* offset of the fact before; -1: none */
    const struct uw_audit_message *message; /* the next record; NULL: no more */
};

static enum uw_code out_of_memory(struct topics *topics)
{
    return uw_error_set(&topics->error, UW_ENOMEM, UW_CLASS_FATAL, "no memory to compare a record");
}

/* ---- the dead letters ---- */

static enum uw_code add_letter(struct topics *topics, const struct uw_header *headers, uint32_t header_count,
                               bool published)
{
    struct uw_verify_place place;

    if (!uw_verify_place_read(topics->verify->config, headers, header_count, &place)) {
        return UW_OK; /* written by something else, or of another set of topics */
    }
    place.published = published;
    return uw_sorter_add(topics->letters, &place, sizeof place, &topics->error);
}

static enum uw_code visit_outbox(void *context, const struct uw_outbox_record *record)
{
    return add_letter(context, record->headers, record->header_count, false);
}

static enum uw_code read_letters(struct topics *topics, int32_t partition)
{
    const char *topic = topics->verify->config->outputs[UW_OUTPUT_DEAD_LETTERS];
    const struct uw_audit_message *message = NULL;
    int64_t low, high;
    enum uw_code code = uw_audit_range(topics->kafka, topic, partition, &low, &high, &topics->error);

    if (code == UW_OK) {
        code = uw_audit_start(topics->kafka, topic, partition, low, high, &topics->error);
    }
    while (code == UW_OK && !uw_signals_stop_requested()) {
        code = uw_audit_next(topics->kafka, &message, &topics->error);
        if (code != UW_OK || message == NULL) {
            break;
        }
        code = add_letter(topics, message->headers, message->header_count, true);
    }
    return code;
}

static enum uw_code next_letter(struct topics *topics)
{
    const void *record = NULL;
    enum uw_code code = uw_sorter_next(topics->letters, &record, &topics->error);

    topics->place = record;
    return code;
}

/* All dead letters: those in their topic, and those that wait in the outbox of our snapshot. What was published
 * after the snapshot comes along and is passed over by its offset. */
static enum uw_code collect_letters(struct topics *topics)
{
    struct uw_verify *verify = topics->verify;
    struct uw_error error = {.text = ""};
    int32_t count = 0;
    enum uw_code code =
        uw_sorter_open(uw_verify_place_compare, UW_VERIFY_SORT_BYTES, &topics->letters, &topics->error);

    if (code == UW_OK) {
        code = uw_pgaudit_outbox(verify->store, UW_OUTPUT_DEAD_LETTERS, -1, 0, 0, visit_outbox, topics, &error);
        if (code != UW_OK && topics->error.code == UW_OK) {
            topics->error = error;
        }
    }
    if (code == UW_OK) {
        code = uw_audit_partition_count(topics->kafka, verify->config->outputs[UW_OUTPUT_DEAD_LETTERS], &count,
                                        &topics->error);
    }
    for (int32_t partition = 0; partition < count && code == UW_OK; partition++) {
        code = read_letters(topics, partition);
    }
    if (code == UW_OK) {
        code = uw_sorter_finish(topics->letters, &topics->error);
    }
    return code == UW_OK ? next_letter(topics) : code;
}

/* ---- differences ---- */

static void begin_offset(struct topics *topics, enum uw_verify_what what, enum uw_verify_how how, int64_t offset)
{
    struct uw_verify_report *report = &topics->verify->report;

    uw_verify_begin(report, what, how);
    uw_verify_key(report, "topic", uw_str_from(topics->verify->config->topics[topics->topic]));
    uw_verify_key_number(report, "partition", topics->partition);
    uw_verify_key_number(report, "offset", offset);
}

static void report_stored(struct topics *topics, const struct uw_audit_fact *fact, const char *why)
{
    struct uw_verify_report *report = &topics->verify->report;

    begin_offset(topics, UW_VERIFY_RECORD, UW_VERIFY_EXTRA, fact->offset);
    uw_verify_key(report, "client", fact->event.client);
    uw_verify_key(report, "municipality", fact->event.municipality);
    uw_verify_key(report, "decision", fact->event.decision);
    uw_verify_pair(report, "fact", uw_str_from(why), UW_STR_NULL);
    uw_verify_end(report);
}

/* Retention may have moved on since the stretch was begun: what it took is no difference. */
static enum uw_code still_held(struct topics *topics, int64_t offset, bool *held)
{
    int64_t low = topics->low, high;
    enum uw_code code = uw_audit_range(topics->kafka, topics->verify->config->topics[topics->topic],
                                       topics->partition, &low, &high, &topics->error);

    if (code == UW_OK) {
        topics->low = low > topics->low ? low : topics->low;
        *held = offset >= topics->low;
    }
    return code;
}

/* ---- the merge ---- */

static enum uw_code next_message(struct topics *topics)
{
    topics->message = NULL;
    uw_progress_show(&topics->progress, topics->done++);
    return uw_audit_next(topics->kafka, &topics->message, &topics->error);
}

static struct uw_verify_place place_at(const struct topics *topics, int64_t offset)
{
    struct uw_verify_place place;

    memset(&place, 0, sizeof place);
    place.topic = (int32_t)topics->topic;
    place.partition = topics->partition;
    place.offset = offset;
    return place;
}

/* Passes over the dead letters before an offset: those of the stretch are of no record. */
static enum uw_code pass_letters(struct topics *topics, int64_t offset)
{
    const struct uw_verify_place here = place_at(topics, offset), from = place_at(topics, topics->low);
    enum uw_code code = UW_OK;

    while (code == UW_OK && topics->place != NULL && uw_verify_place_compare(topics->place, &here) < 0) {
        bool held = uw_verify_place_compare(topics->place, &from) >= 0;
        int64_t letter = topics->place->offset;

        if (held) {
            code = still_held(topics, letter, &held);
        }
        if (code == UW_OK && held) {
            begin_offset(topics, UW_VERIFY_DEAD_LETTER, UW_VERIFY_EXTRA, letter);
            uw_verify_pair(&topics->verify->report, "dead_letter", UW_STR("of an offset without a record"),
                           UW_STR_NULL);
            uw_verify_end(&topics->verify->report);
        }
        if (code == UW_OK) {
            code = next_letter(topics);
        }
    }
    return code;
}

/* Whether there is a dead letter of the offset; takes it. */
static enum uw_code take_letter(struct topics *topics, int64_t offset, bool *found)
{
    const struct uw_verify_place here = place_at(topics, offset);
    int32_t published = 0;
    enum uw_code code = pass_letters(topics, offset);

    *found = false;
    while (code == UW_OK && topics->place != NULL && uw_verify_place_compare(topics->place, &here) == 0) {
        *found = true;
        published += topics->place->published;
        code = next_letter(topics);
    }
    topics->verify->report.repeated += published > 1;
    return code;
}

/* Decodes the next record as the processor does. UW_EINPUT: it is refused. */
static enum uw_code decode(struct topics *topics, struct uw_event *event, struct uw_refusal *refusal)
{
    enum uw_code code;

    uw_arena_reset(&topics->arena);
    code = uw_codec_decode(topics->codec, topics->topic, topics->message->value, &topics->arena, event, refusal,
                           &topics->error);
    if (code == UW_OK && !uw_str_equal(topics->message->key, event->client)) {
        *refusal = (struct uw_refusal){UW_REFUSED_WRONG_KEY, "the Kafka key is not the event's client"};
        code = UW_EINPUT;
    }
    return code;
}

static bool is_filtered(const struct uw_verify *verify)
{
    return !uw_str_is_null(verify->municipality) || !uw_str_is_null(verify->client);
}

static bool wants_event(const struct uw_verify *verify, const struct uw_event *event)
{
    return uw_verify_wants(verify, event->municipality) &&
           (uw_str_is_null(verify->client) || uw_str_equal(verify->client, event->client));
}

/* The next record has no fact: it must be a dead letter. */
static enum uw_code check_refused(struct topics *topics)
{
    struct uw_verify *verify = topics->verify;
    struct uw_refusal refusal = {UW_REFUSED_NOT, ""};
    struct uw_event event;
    bool is_letter = false;
    enum uw_code code = take_letter(topics, topics->message->offset, &is_letter), decoded;

    if (code != UW_OK) {
        return code;
    }
    decoded = decode(topics, &event, &refusal);
    if (decoded != UW_OK && decoded != UW_EINPUT) {
        return decoded;
    }
    if (is_letter) {
        verify->report.compared[UW_VERIFY_DEAD_LETTER]++;
        verify->report.replayable += decoded == UW_OK;
        return UW_OK;
    }
    /* Of what cannot be read nobody knows whose it is. */
    if (decoded == UW_OK ? !wants_event(verify, &event) : is_filtered(verify)) {
        return UW_OK;
    }
    verify->report.compared[UW_VERIFY_RECORD]++;
    begin_offset(topics, decoded == UW_OK ? UW_VERIFY_RECORD : UW_VERIFY_DEAD_LETTER, UW_VERIFY_MISSING,
                 topics->message->offset);
    if (decoded == UW_OK) {
        uw_verify_key(&verify->report, "client", event.client);
        uw_verify_key(&verify->report, "municipality", event.municipality);
        uw_verify_key(&verify->report, "decision", event.decision);
        uw_verify_pair(&verify->report, "fact", UW_STR_NULL, UW_STR("accepted, and not stored"));
    } else {
        uw_verify_pair(&verify->report, "reason", UW_STR_NULL, uw_str_from(uw_refusal_reason_name(refusal.reason)));
        uw_verify_pair(&verify->report, "text", UW_STR_NULL, uw_str_from(refusal.text));
    }
    uw_verify_end(&verify->report);
    return UW_OK;
}

/* The event as `feed` would read it. */
static struct uw_str event_text(struct topics *topics, const struct uw_event *event)
{
    struct uw_str text = UW_STR_NULL;

    return uw_json_write_event(event, &topics->arena, &text) == UW_OK ? text : UW_STR("(no memory to show it)");
}

static void report_content(struct topics *topics, const struct uw_audit_fact *fact, struct uw_str stored,
                           struct uw_str expected)
{
    begin_offset(topics, UW_VERIFY_RECORD, UW_VERIFY_CHANGED, fact->offset);
    uw_verify_pair(&topics->verify->report, "event", stored, expected);
    uw_verify_end(&topics->verify->report);
}

/* Two events are the same when their encodings in our newest schema are. */
static enum uw_code check_content(struct topics *topics, const struct uw_audit_fact *fact)
{
    struct uw_refusal refusal = {UW_REFUSED_NOT, ""}, invalid = {UW_REFUSED_NOT, ""};
    struct uw_str stored, expected;
    struct uw_event event;
    enum uw_code code = decode(topics, &event, &refusal);

    if (code == UW_EINPUT) {
        report_content(topics, fact, UW_STR("accepted"), uw_str_from(refusal.text));
        return UW_OK;
    }
    if (code != UW_OK) {
        return code;
    }
    if (uw_verify_check_event(&fact->event, &invalid) != UW_OK) {
        report_content(topics, fact, uw_str_from(invalid.text), event_text(topics, &event));
        return UW_OK;
    }
    if (uw_codec_encode(topics->codec, &fact->event, &topics->arena, &stored) != UW_OK ||
        uw_codec_encode(topics->codec, &event, &topics->arena, &expected) != UW_OK) {
        return out_of_memory(topics);
    }
    if (!uw_str_equal(stored, expected)) {
        report_content(topics, fact, event_text(topics, &fact->event), event_text(topics, &event));
    }
    return UW_OK;
}

static bool is_replay(const struct uw_audit_message *message)
{
    for (uint32_t i = 0; i < message->header_count; i++) {
        if (uw_str_equal(message->headers[i].name, UW_STR(UW_REPLAY_HEADER))) {
            return true;
        }
    }
    return false;
}

/* The next record is that of the fact. */
static enum uw_code check_accepted(struct topics *topics, const struct uw_audit_fact *fact)
{
    bool is_letter = false;
    enum uw_code code = take_letter(topics, fact->offset, &is_letter);

    topics->verify->report.compared[UW_VERIFY_RECORD]++;
    topics->verify->report.replays += is_replay(topics->message);
    if (code == UW_OK && is_letter) {
        begin_offset(topics, UW_VERIFY_DEAD_LETTER, UW_VERIFY_EXTRA, fact->offset);
        uw_verify_pair(&topics->verify->report, "dead_letter", UW_STR("of an accepted event"), UW_STR_NULL);
        uw_verify_end(&topics->verify->report);
    }
    return code == UW_OK ? check_content(topics, fact) : code;
}

/* Holds the next fact of the stretch against the records up to its own. */
static enum uw_code check_fact(struct topics *topics, const struct uw_audit_fact *fact)
{
    enum uw_code code = UW_OK;
    bool held = true;

    if (fact->offset == topics->last_fact) {
        report_stored(topics, fact, "of an offset that has one already");
        return UW_OK;
    }
    topics->last_fact = fact->offset;
    if (fact->offset >= topics->next_offset) {
        report_stored(topics, fact, "of an offset that was not reached");
        return UW_OK;
    }
    if (fact->offset < topics->low) {
        topics->verify->report.gone++;
        return UW_OK;
    }
    while (code == UW_OK && topics->message != NULL && topics->message->offset < fact->offset &&
           !uw_signals_stop_requested()) {
        code = check_refused(topics);
        if (code == UW_OK) {
            code = next_message(topics);
        }
    }
    if (code != UW_OK || uw_signals_stop_requested()) {
        return code;
    }
    if (topics->message != NULL && topics->message->offset == fact->offset) {
        code = check_accepted(topics, fact);
        return code == UW_OK ? next_message(topics) : code;
    }
    /* Behind the end of a topic that is shorter than what was applied: reported once, as such. */
    if (fact->offset >= topics->until) {
        return UW_OK;
    }
    code = still_held(topics, fact->offset, &held);
    if (code == UW_OK && held) {
        report_stored(topics, fact, "of an offset without a record");
    } else if (code == UW_OK) {
        topics->verify->report.gone++;
    }
    return code;
}

/* ---- a stretch: one partition of one topic ---- */

static enum uw_code open_stretch(struct topics *topics, const char *name)
{
    int64_t high = 0;
    enum uw_code code = uw_audit_range(topics->kafka, name, topics->partition, &topics->low, &high, &topics->error);

    if (code != UW_OK) {
        return code;
    }
    topics->until = topics->next_offset < high ? topics->next_offset : high;
    if (high < topics->next_offset) {
        uw_verify_begin(&topics->verify->report, UW_VERIFY_TOPIC, UW_VERIFY_CHANGED);
        uw_verify_key(&topics->verify->report, "topic", uw_str_from(name));
        uw_verify_key_number(&topics->verify->report, "partition", topics->partition);
        uw_verify_pair_number(&topics->verify->report, "next_offset", topics->next_offset, high);
        uw_verify_end(&topics->verify->report);
    }
    code = uw_audit_start(topics->kafka, name, topics->partition, topics->low, topics->until, &topics->error);
    return code == UW_OK ? next_message(topics) : code;
}

/* Begins the next stretch, if the topic has that partition. */
static enum uw_code begin_stretch(struct topics *topics)
{
    struct uw_verify *verify = topics->verify;
    const struct uw_verify_partition *partition = &verify->partitions[topics->begun++];
    const char *name = verify->config->topics[topics->topic];

    topics->partition = partition->partition;
    topics->next_offset = partition->next_offset[topics->topic];
    topics->last_fact = -1;
    topics->open = topics->partition < topics->topic_partitions;
    if (topics->open) {
        verify->report.compared[UW_VERIFY_TOPIC]++;
        return open_stretch(topics, name);
    }
    if (topics->next_offset > 0) {
        uw_verify_begin(&verify->report, UW_VERIFY_TOPIC, UW_VERIFY_EXTRA);
        uw_verify_key(&verify->report, "topic", uw_str_from(name));
        uw_verify_key_number(&verify->report, "partition", topics->partition);
        uw_verify_pair_number(&verify->report, "next_offset", topics->next_offset, UW_MINUTES_NONE);
        uw_verify_end(&verify->report);
    }
    return UW_OK;
}

/* What is left of the records has no facts. */
static enum uw_code end_stretch(struct topics *topics)
{
    enum uw_code code = UW_OK;

    while (code == UW_OK && topics->message != NULL && !uw_signals_stop_requested()) {
        code = check_refused(topics);
        if (code == UW_OK) {
            code = next_message(topics);
        }
    }
    topics->open = false;
    return code == UW_OK && !uw_signals_stop_requested() ? pass_letters(topics, topics->until) : code;
}

/* Ends the stretches before that of `partition`, and begins it where there is one. */
static enum uw_code reach(struct topics *topics, int64_t partition)
{
    const struct uw_verify *verify = topics->verify;
    enum uw_code code = UW_OK;

    while (code == UW_OK && !uw_signals_stop_requested()) {
        if (topics->open && topics->partition < partition) {
            code = end_stretch(topics);
        } else if (topics->begun < verify->partition_count &&
                   verify->partitions[topics->begun].partition <= partition) {
            code = begin_stretch(topics);
        } else {
            break;
        }
    }
    return code;
}

/* A partition that was never claimed, or is none of the topic, has no stretch, and was told as such. */
static enum uw_code visit_fact(void *context, const struct uw_audit_fact *fact)
{
    struct topics *topics = context;
    enum uw_code code = reach(topics, fact->partition);

    if (code == UW_OK && !uw_signals_stop_requested() && topics->open && topics->partition == fact->partition) {
        code = check_fact(topics, fact);
    }
    return code;
}

static enum uw_code verify_topic(struct topics *topics, enum uw_topic topic)
{
    struct uw_verify *verify = topics->verify;
    struct uw_error error = {.text = ""};
    enum uw_code code;

    topics->topic = topic;
    topics->begun = 0;
    topics->open = false;
    code = uw_audit_partition_count(topics->kafka, verify->config->topics[topic], &topics->topic_partitions,
                                    &topics->error);
    if (code == UW_OK) {
        code = uw_pgaudit_facts(verify->store, topic, visit_fact, topics, &error);
        if (code != UW_OK && topics->error.code == UW_OK) {
            topics->error = error;
        }
    }
    return code == UW_OK ? reach(topics, INT64_MAX) : code;
}

/* ---- the whole ---- */

static enum uw_code open_all(struct topics *topics)
{
    const struct uw_config *config = topics->verify->config;
    const struct uw_audit_options options = {.properties = config->kafka,
                                             .property_count = config->kafka_count,
                                             .timeout_ms = config->kafka_timeout_ms,
                                             .log = uw_kafka_log_make()};
    struct uw_codec_options codec = {NULL, NULL};
    enum uw_code code = UW_OK;

    if (config->registry_url[0] != '\0') {
        code = uw_registry_open(config->registry_url, config->kafka_timeout_ms, &topics->registry, &topics->error);
        codec = (struct uw_codec_options){uw_registry_lookup, topics->registry};
    }
    if (code == UW_OK) {
        code = uw_codec_open(&codec, &topics->codec, &topics->error);
    }
    return code == UW_OK ? uw_audit_open(&options, &topics->kafka, &topics->error) : code;
}

/* Records that will be read at most, for the progress line. */
static int64_t total_of(const struct uw_verify *verify)
{
    int64_t total = 0;

    for (uint32_t i = 0; i < verify->partition_count; i++) {
        for (int topic = 0; topic < UW_TOPIC_COUNT; topic++) {
            total += verify->partitions[i].next_offset[topic];
        }
    }
    return total;
}

enum uw_code uw_verify_topics(struct uw_verify *verify, struct uw_error *error)
{
    struct topics topics = {.verify = verify};
    enum uw_code code;

    uw_arena_init(&topics.arena, ARENA_BYTES_MAX);
    uw_progress_init(&topics.progress, "records", total_of(verify));
    code = open_all(&topics);
    if (code == UW_OK) {
        code = collect_letters(&topics);
    }
    for (int i = 0; i < UW_TOPIC_COUNT && code == UW_OK && !uw_signals_stop_requested(); i++) {
        code = verify_topic(&topics, (enum uw_topic)i);
    }
    uw_progress_close(&topics.progress);
    uw_audit_close(&topics.kafka);
    if (topics.codec != NULL) {
        uw_codec_close(&topics.codec);
    }
    if (topics.registry != NULL) {
        uw_registry_close(&topics.registry);
    }
    uw_sorter_close(&topics.letters);
    uw_arena_close(&topics.arena);
    if (code != UW_OK) {
        *error = topics.error;
    }
    return code;
}
