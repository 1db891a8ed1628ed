#include "consumers/search.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consumers/audit.h"

/* The clock is looked at once in so many records. */
#define CLOCK_EVERY 1024u

/* A partition of an output. */
struct stretch {
    enum uw_output output;
    int32_t partition;
    int64_t low, high;
    int64_t first, last; /* offsets of the records that were found, committed or not; -1: none */
};

struct uw_search {
    struct uw_audit *all, *committed; /* readers: of everything, and as subscribers */
    const char *outputs[UW_OUTPUT_COUNT];
    int32_t (*partition_of)(struct uw_str key, int32_t partition_count);
    int32_t counts[UW_OUTPUT_COUNT]; /* partitions; 0 for an output that none of the records belongs to */
    struct stretch *stretches;
    uint32_t stretch_count;
    /* Where it is: in which turn, at which stretch, and whether that is being read. */
    bool second, reading;
    uint32_t at;
    uint64_t read;
    /* The records by their hash: index + 1, 0 is free. A power of two, at most half of it used. */
    uint64_t *hashes; /* of the records */
    uint32_t *slots;
    bool *found;
    uint32_t slot_count, record_count;
};

static enum uw_code out_of_memory(struct uw_error *error)
{
    return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory to look for records in Kafka");
}

/* ---- what makes a record ---- */

/* FNV-1a; only a filter, behind which the bytes are compared. */
static uint64_t mix(uint64_t hash, struct uw_str text)
{
    for (uint32_t i = 0; i < text.length; i++)
        hash = (hash ^ (uint8_t)text.data[i]) * UINT64_C(1099511628211);
    /* An end, so that bytes that move from one part to the next make another hash. */
    return (hash ^ 256) * UINT64_C(1099511628211);
}

static uint64_t hash_of(enum uw_output output, struct uw_str key, struct uw_str value, const struct uw_header *headers,
                        uint32_t header_count)
{
    uint64_t hash = mix(mix(UINT64_C(14695981039346656037) + (uint64_t)output, key), value);

    for (uint32_t i = 0; i < header_count; i++)
        hash = mix(mix(hash, headers[i].name), headers[i].value);
    return hash;
}

static bool is_equal(struct uw_str a, struct uw_str b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static bool is_same(const struct uw_outbox_record *record, enum uw_output output,
                    const struct uw_audit_message *message)
{
    if (record->output != output || record->header_count != message->header_count ||
        !is_equal(record->key, message->key) || !is_equal(record->value, message->value))
        return false;
    for (uint32_t i = 0; i < record->header_count; i++) {
        if (!is_equal(record->headers[i].name, message->headers[i].name) ||
            !is_equal(record->headers[i].value, message->headers[i].value))
            return false;
    }
    return true;
}

/* ---- open and close ---- */

static bool table_fill(struct uw_search *search, const struct uw_outbox_record *records, uint32_t record_count)
{
    search->slot_count = 2;
    while (search->slot_count < 2 * record_count)
        search->slot_count *= 2;
    search->record_count = record_count;
    search->hashes = calloc(record_count, sizeof(*search->hashes));
    search->slots = calloc(search->slot_count, sizeof(*search->slots));
    search->found = calloc(record_count, sizeof(*search->found));
    if (search->hashes == NULL || search->slots == NULL || search->found == NULL)
        return false;
    for (uint32_t i = 0; i < record_count; i++) {
        uint64_t hash = hash_of(records[i].output, records[i].key, records[i].value, records[i].headers,
                                records[i].header_count);
        uint32_t slot = (uint32_t)hash & (search->slot_count - 1);

        while (search->slots[slot] != 0)
            slot = (slot + 1) & (search->slot_count - 1);
        search->slots[slot] = i + 1;
        search->hashes[i] = hash;
    }
    return true;
}

/* The partitions of the outputs that the records belong to. */
static enum uw_code stretches_make(struct uw_search *search, const struct uw_outbox_record *records,
                                   struct uw_error *error)
{
    uint32_t total = 0;

    for (uint32_t i = 0; i < search->record_count; i++) {
        enum uw_output output = records[i].output;
        enum uw_code code;

        if (search->counts[output] > 0)
            continue;
        code = uw_audit_partition_count(search->all, search->outputs[output], &search->counts[output], error);
        if (code != UW_OK)
            return code;
        total += (uint32_t)search->counts[output];
    }
    search->stretches = calloc(total, sizeof(*search->stretches));
    if (search->stretches == NULL)
        return out_of_memory(error);
    for (int output = 0; output < UW_OUTPUT_COUNT; output++) {
        for (int32_t partition = 0; partition < search->counts[output]; partition++)
            search->stretches[search->stretch_count++] =
                (struct stretch){.output = (enum uw_output)output, .partition = partition, .first = -1, .last = -1};
    }
    return UW_OK;
}

enum uw_code uw_search_open(const struct uw_search_options *options, const struct uw_outbox_record *records,
                            uint32_t record_count, struct uw_search **search, struct uw_error *error)
{
    struct uw_audit_options reader = {.properties = options->properties,
                                      .property_count = options->property_count,
                                      .timeout_ms = options->timeout_ms,
                                      .log = options->log};
    struct uw_search *opened = calloc(1, sizeof(*opened));
    enum uw_code code = UW_OK;

    if (opened == NULL)
        return out_of_memory(error);
    memcpy(opened->outputs, options->outputs, sizeof(opened->outputs));
    opened->partition_of = options->partition_of;
    if (!table_fill(opened, records, record_count))
        code = out_of_memory(error);
    if (code == UW_OK)
        code = uw_audit_open(&reader, &opened->committed, error);
    reader.uncommitted = true;
    if (code == UW_OK)
        code = uw_audit_open(&reader, &opened->all, error);
    if (code == UW_OK)
        code = stretches_make(opened, records, error);
    if (code != UW_OK) {
        uw_search_close(&opened);
        return code;
    }
    *search = opened;
    return UW_OK;
}

void uw_search_close(struct uw_search **search)
{
    struct uw_search *closing = *search;

    if (closing == NULL)
        return;
    uw_audit_close(&closing->all);
    uw_audit_close(&closing->committed);
    free(closing->stretches);
    free(closing->hashes);
    free(closing->slots);
    free(closing->found);
    free(closing);
    *search = NULL;
}

uint64_t uw_search_read(const struct uw_search *search)
{
    return search->read;
}

/* ---- reading ---- */

static void message_take(struct uw_search *search, const struct uw_outbox_record *records, struct stretch *stretch,
                         const struct uw_audit_message *message)
{
    uint64_t hash = hash_of(stretch->output, message->key, message->value, message->headers, message->header_count);
    uint32_t slot = (uint32_t)hash & (search->slot_count - 1);

    search->read++;
    for (; search->slots[slot] != 0; slot = (slot + 1) & (search->slot_count - 1)) {
        uint32_t i = search->slots[slot] - 1;

        if (search->hashes[i] != hash || !is_same(&records[i], stretch->output, message))
            continue;
        search->found[i] = search->second;
        if (stretch->first < 0)
            stretch->first = message->offset;
        if (message->offset > stretch->last)
            stretch->last = message->offset;
    }
}

/* Reads what was found again, if that is decided. */
static enum uw_code found_begin(struct uw_search *search, const struct stretch *stretch, struct uw_error *error)
{
    const char *topic = search->outputs[stretch->output];
    int64_t end = 0;
    enum uw_code code = uw_audit_committed_end(search->committed, topic, stretch->partition, &end, error);

    if (code == UW_OK && end <= stretch->last)
        return uw_error_set(error, UW_ETIMEOUT, UW_CLASS_RETRY,
                            "topic %s, partition %" PRId32 ": a record that may or may not be published lies at offset "
                            "%" PRId64 ", where a transaction has not ended yet",
                            topic, stretch->partition, stretch->last);
    return code == UW_OK ? uw_audit_start(search->committed, topic, stretch->partition, stretch->first,
                                          stretch->last + 1, error)
                         : code;
}

/* Begins with a stretch; *wanted false: there is nothing to be read in it. */
static enum uw_code stretch_begin(struct uw_search *search, struct stretch *stretch, bool *wanted,
                                  struct uw_error *error)
{
    const char *topic = search->outputs[stretch->output];
    enum uw_code code;

    if (search->second) {
        *wanted = stretch->first >= 0;
        return *wanted ? found_begin(search, stretch, error) : UW_OK;
    }
    code = uw_audit_range(search->all, topic, stretch->partition, &stretch->low, &stretch->high, error);
    *wanted = code == UW_OK && stretch->low < stretch->high;
    if (*wanted)
        code = uw_audit_start(search->all, topic, stretch->partition, stretch->low, stretch->high, error);
    return code;
}

/* Reads on in a stretch, to its end or until the deadline. */
static enum uw_code stretch_read(struct uw_search *search, const struct uw_outbox_record *records,
                                 struct stretch *stretch, int64_t deadline_ms, struct uw_error *error)
{
    struct uw_audit *reader = search->second ? search->committed : search->all;

    for (uint32_t count = 1;; count++) {
        const struct uw_audit_message *message = NULL;
        enum uw_code code = uw_audit_next(reader, &message, error);

        if (code != UW_OK)
            return code;
        if (message == NULL) {
            search->reading = false;
            return UW_OK;
        }
        message_take(search, records, stretch, message);
        if (count % CLOCK_EVERY == 0 && uw_kafka_left_ms(deadline_ms) == 0)
            return UW_OK;
    }
}

/* ---- the verdict ---- */

static bool any_found(const struct uw_search *search)
{
    for (uint32_t i = 0; i < search->stretch_count; i++) {
        if (search->stretches[i].first >= 0)
            return true;
    }
    return false;
}

/* Whether retention may have deleted the record: where it would be, everything was. */
static bool may_be_deleted(const struct uw_search *search, const struct uw_outbox_record *record)
{
    int32_t count = search->counts[record->output];

    for (uint32_t i = 0; i < search->stretch_count; i++) {
        const struct stretch *stretch = &search->stretches[i];
        bool here = stretch->output == record->output &&
                    (uw_str_is_null(record->key) || stretch->partition == search->partition_of(record->key, count));

        if (here && (stretch->low < stretch->high || stretch->high == 0))
            return false;
    }
    return true;
}

/* Nothing was found, which tells nothing of topics that hold nothing any more. */
static enum uw_code check_topics(const struct uw_search *search, const struct uw_outbox_record *records,
                                 struct uw_error *error)
{
    for (uint32_t i = 0; i < search->record_count; i++) {
        if (!may_be_deleted(search, &records[i]))
            return UW_OK;
    }
    return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                        "partition %" PRId32 ": Kafka has lost the group's offsets, and the topics that would tell whether "
                        "outbox records %" PRId64 " to %" PRId64 " are published were emptied (docs/operations.md, Lost "
                        "offsets)",
                        records[0].partition, records[0].sequence, records[search->record_count - 1].sequence);
}

enum uw_code uw_search_step(struct uw_search *search, const struct uw_outbox_record *records, int32_t step_ms,
                            bool *found, bool *complete, struct uw_error *error)
{
    int64_t deadline_ms = uw_kafka_clock_ms() + step_ms;
    enum uw_code code = UW_OK;

    while (code == UW_OK && search->at < search->stretch_count && uw_kafka_left_ms(deadline_ms) > 0) {
        struct stretch *stretch = &search->stretches[search->at];

        if (!search->reading)
            code = stretch_begin(search, stretch, &search->reading, error);
        if (code == UW_OK && search->reading)
            code = stretch_read(search, records, stretch, deadline_ms, error);
        if (code == UW_OK && !search->reading)
            search->at++;
        if (code == UW_OK && search->at == search->stretch_count && !search->second && any_found(search)) {
            search->second = true;
            search->at = 0;
        }
    }
    if (code == UW_OK && search->at == search->stretch_count && !search->second)
        code = check_topics(search, records, error);
    if (code != UW_OK || search->at < search->stretch_count)
        return code;
    memcpy(found, search->found, search->record_count * sizeof(*found));
    *complete = true;
    return UW_OK;
}
