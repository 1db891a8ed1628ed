#include "tests/support/fake_kafka.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/client.h"

static void complain(struct uw_fake_kafka *kafka, const char *format, ...) UW_PRINTF(2, 3);

/* The first thing that did not fit stays. */
static void complain(struct uw_fake_kafka *kafka, const char *format, ...)
{
    if (kafka->problem[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(kafka->problem, sizeof kafka->problem, format, arguments);
        va_end(arguments);
    }
}

/* ---- the input topics ---- */

static int32_t partition_of(const struct uw_fake_kafka *kafka, struct uw_str client)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < client.length; i++) {
        sum = sum * 31 + (uint8_t)client.data[i];
    }
    return (int32_t)(sum % (uint32_t)kafka->partition_count);
}

/* Offsets have gaps, as markers of transactions and compaction leave them. */
static void send(struct uw_fake_kafka *kafka, struct uw_random *random, enum uw_topic topic, struct uw_str key,
                 struct uw_str partition_key, const char *value)
{
    int32_t partition = partition_of(kafka, partition_key);
    struct uw_fake_log *log = &kafka->inputs[topic][partition];
    if (!uw_reserve((void **)&log->messages, &log->capacity, log->count + 1, sizeof *log->messages)) {
        abort();
    }
    int64_t offset = log->count == 0 ? 0 : log->messages[log->count - 1].offset + 1;
    offset += uw_random_chance(random, 10) ? uw_random_between(random, 1, 3) : 0;
    log->messages[log->count++] =
        (struct uw_message){.topic = topic,
                            .partition = partition,
                            .offset = offset,
                            .key = uw_fake_copy_text(&kafka->arena, key),
                            .value = uw_fake_copy_text(&kafka->arena, uw_str_from(value))};
}

static void send_event(struct uw_fake_kafka *kafka, struct uw_random *random, uint32_t index)
{
    const struct uw_event *event = &kafka->hostile->events[index];
    char value[16];
    snprintf(value, sizeof value, "%u", (unsigned)index);
    send(kafka, random, event->topic, event->client, event->client, value);
    if (uw_random_chance(random, 3)) {
        send(kafka, random, event->topic, event->client, event->client, "broken");
    }
    if (uw_random_chance(random, 3)) {
        send(kafka, random, event->topic, UW_STR("another"), event->client, value);
    }
}

void uw_fake_kafka_init(struct uw_fake_kafka *kafka, const struct uw_hostile *hostile, int32_t partition_count,
                        uint64_t seed)
{
    struct uw_random random = uw_random_from(seed);
    memset(kafka, 0, sizeof *kafka);
    uw_arena_init(&kafka->arena, (size_t)1 << 30);
    kafka->hostile = hostile;
    kafka->partition_count = partition_count;
    for (int32_t i = 0; i < UW_FAKE_PARTITIONS_MAX; i++) {
        kafka->owner[i] = UW_FAKE_NOBODY;
    }
    uint32_t *order = uw_arena_take(&kafka->arena, hostile->count * sizeof *order);
    if (order == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < hostile->count; i++) {
        uint32_t place = uw_random_below(&random, i + 1);
        order[i] = order[place];
        order[place] = i;
    }
    for (uint32_t i = 0; i < hostile->count; i++) {
        send_event(kafka, &random, order[i]);
        if (uw_random_chance(&random, 5)) {
            send_event(kafka, &random, order[uw_random_below(&random, i + 1)]);
        }
    }
}

void uw_fake_kafka_close(struct uw_fake_kafka *kafka)
{
    for (uint32_t topic = 0; topic < UW_TOPIC_COUNT; topic++) {
        for (uint32_t i = 0; i < UW_FAKE_PARTITIONS_MAX; i++) {
            free(kafka->inputs[topic][i].messages);
        }
    }
    free(kafka->committed);
    uw_arena_close(&kafka->arena);
}

const struct uw_message *uw_fake_kafka_at(const struct uw_fake_kafka *kafka, enum uw_topic topic, int32_t partition,
                                          int64_t offset)
{
    const struct uw_fake_log *log = &kafka->inputs[topic][partition];
    uint32_t low = 0, high = log->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (log->messages[middle].offset < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < log->count ? &log->messages[low] : NULL;
}

/* ---- the publisher ---- */

static enum uw_code kafka_published(void *context, int32_t partition, int64_t *sequence, struct uw_error *error)
{
    struct uw_fake_member *member = context;
    enum uw_fault fault = uw_faults_call(member->faults);
    enum uw_code code = uw_faults_before(member->faults, fault, false, error);
    if (code == UW_OK) {
        code = uw_faults_after(member->faults, fault, error);
    }
    if (code == UW_OK) {
        *sequence = member->kafka->told_sequence[partition];
    }
    return code;
}

static bool is_same(const struct uw_outbox_record *a, const struct uw_outbox_record *b)
{
    bool same = a->output == b->output && uw_str_equal(a->key, b->key) && uw_str_equal(a->value, b->value) &&
                a->header_count == b->header_count;
    for (uint32_t i = 0; same && i < a->header_count; i++) {
        same = uw_str_equal(a->headers[i].name, b->headers[i].name) &&
               uw_str_equal(a->headers[i].value, b->headers[i].value);
    }
    return same;
}

/* What a search is about stays the same from its first step to its last. */
static void check_search(struct uw_fake_member *member, const struct uw_outbox_record *records, uint32_t record_count,
                         bool begin)
{
    int64_t first = records[0].sequence, last = records[record_count - 1].sequence;
    if (begin) {
        member->search_left = member->kafka->search_steps;
        member->search_first = first;
        member->search_last = last;
    } else if (member->search_first != first || member->search_last != last) {
        complain(member->kafka, "a search for %lld to %lld goes on with %lld to %lld", (long long)member->search_first,
                 (long long)member->search_last, (long long)first, (long long)last);
    }
}

static enum uw_code kafka_search(void *context, const struct uw_outbox_record *records, uint32_t record_count,
                                 bool begin, bool *found, bool *complete, struct uw_error *error)
{
    struct uw_fake_member *member = context;
    struct uw_fake_kafka *kafka = member->kafka;
    enum uw_fault fault = uw_faults_call(member->faults);
    enum uw_code code = uw_faults_before(member->faults, fault, false, error);
    check_search(member, records, record_count, begin);
    if (code == UW_OK) {
        code = uw_faults_after(member->faults, fault, error);
    }
    *complete = code == UW_OK && member->search_left == 0;
    if (!*complete) {
        member->search_left -= code == UW_OK;
        member->search_first = code == UW_OK ? member->search_first : 0;
        return code;
    }
    for (uint32_t i = 0; i < record_count; i++) {
        found[i] = false;
        for (uint32_t j = 0; j < kafka->committed_count && !found[i]; j++) {
            found[i] = is_same(&records[i], &kafka->committed[j]);
        }
    }
    member->search_first = 0;
    kafka->searches++;
    return UW_OK;
}

/* Each record of the outbox comes once, in its order. */
static void commit_transaction(struct uw_fake_kafka *kafka, const struct uw_outbox_record *records,
                               uint32_t record_count, const struct uw_published *positions, uint32_t position_count)
{
    if (!uw_reserve((void **)&kafka->committed, &kafka->committed_capacity, kafka->committed_count + record_count,
                    sizeof *kafka->committed)) {
        abort();
    }
    for (uint32_t i = 0; i < record_count; i++) {
        int64_t *last = &kafka->published_sequence[records[i].partition];
        if (records[i].sequence != *last + 1) {
            complain(kafka, "record %lld of partition %d is published after %lld", (long long)records[i].sequence,
                     (int)records[i].partition, (long long)*last);
        }
        *last = records[i].sequence;
        kafka->committed[kafka->committed_count++] = uw_fake_copy_record(&kafka->arena, &records[i]);
    }
    for (uint32_t i = 0; i < position_count; i++) {
        int32_t partition = positions[i].partition;
        if (positions[i].sequence != kafka->published_sequence[partition]) {
            complain(kafka, "partition %d says that %lld is published, and has %lld", (int)partition,
                     (long long)positions[i].sequence, (long long)kafka->published_sequence[partition]);
        }
        for (uint32_t topic = 0; topic < UW_TOPIC_COUNT; topic++) {
            if (positions[i].next_offset[topic] < kafka->published_offset[partition][topic]) {
                complain(kafka, "partition %d: the offset goes back", (int)partition);
            }
            kafka->published_offset[partition][topic] = positions[i].next_offset[topic];
        }
        kafka->told_sequence[partition] = positions[i].sequence;
    }
}

/* Nothing of a transaction is visible before its end; its records are the caller's only until this returns. */
static enum uw_code kafka_start(void *context, const struct uw_outbox_record *records, uint32_t record_count,
                                const struct uw_published *positions, uint32_t position_count, struct uw_error *error)
{
    struct uw_fake_member *member = context;
    struct uw_fake_transaction *open = &member->transaction;
    enum uw_fault fault = uw_faults_call(member->faults);
    enum uw_code code = uw_faults_before(member->faults, fault, true, error);
    if (code != UW_OK) {
        return code;
    }
    if (open->is_open) {
        complain(member->kafka, "member %d begins a second transaction", (int)member->number);
    }
    open->is_open = true;
    open->record_count = record_count;
    open->position_count = position_count;
    memcpy(open->generation, member->kafka->generation, sizeof open->generation);
    open->records = uw_arena_take(&member->kafka->arena, (record_count + 1) * sizeof *open->records);
    open->positions = uw_arena_take(&member->kafka->arena, (position_count + 1) * sizeof *open->positions);
    if (open->records == NULL || open->positions == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < record_count; i++) {
        open->records[i] = uw_fake_copy_record(&member->kafka->arena, &records[i]);
    }
    for (uint32_t i = 0; i < position_count; i++) {
        open->positions[i] = positions[i];
    }
    code = uw_faults_after(member->faults, fault, error);
    open->is_open = code == UW_OK;
    return code;
}

static enum uw_code kafka_finish(void *context, struct uw_error *error)
{
    struct uw_fake_member *member = context;
    struct uw_fake_kafka *kafka = member->kafka;
    const struct uw_fake_transaction open = member->transaction;
    enum uw_fault fault = uw_faults_call(member->faults);
    if (!open.is_open) {
        complain(kafka, "member %d ends a transaction that it has not begun", (int)member->number);
    }
    member->transaction.is_open = false;
    if (fault != UW_FAULT_ABORT_AFTER) {
        enum uw_code code = uw_faults_before(member->faults, fault, true, error);
        if (code != UW_OK) {
            return code;
        }
    }
    for (uint32_t i = 0; i < open.position_count; i++) {
        int32_t partition = open.positions[i].partition;
        if (kafka->owner[partition] != member->number || kafka->generation[partition] != open.generation[partition]) {
            return uw_error_set(error, UW_EFENCED, UW_CLASS_FENCED, "the group gave the partition to another");
        }
    }
    for (uint32_t i = 0; i < open.record_count; i++) {
        if (kafka->owner[open.records[i].partition] != member->number) {
            complain(kafka, "a record of partition %d without its position", (int)open.records[i].partition);
        }
    }
    commit_transaction(kafka, open.records, open.record_count, open.positions, open.position_count);
    kafka->transactions++;
    if (fault == UW_FAULT_ABORT_AFTER) {
        return uw_error_set(error, UW_ETIMEOUT, UW_CLASS_ABORT, "the answer was lost");
    }
    return uw_faults_after(member->faults, fault, error);
}

struct uw_publisher uw_fake_publisher_port(struct uw_fake_member *member)
{
    return (struct uw_publisher){member, kafka_published, kafka_search, kafka_start, kafka_finish};
}

/* ---- codec ---- */

static enum uw_code decode(void *context, enum uw_topic topic, struct uw_str value, struct uw_arena *arena,
                           struct uw_event *event, struct uw_refusal *refusal, struct uw_error *error)
{
    struct uw_fake_member *member = context;
    enum uw_fault fault = uw_faults_call(member->faults);
    enum uw_code code = uw_faults_before(member->faults, fault, false, error);
    if (code == UW_OK) {
        code = uw_faults_after(member->faults, fault, error);
    }
    if (code != UW_OK) {
        return code;
    }
    if (value.length == 0 || value.data[0] < '0' || value.data[0] > '9') {
        *refusal = (struct uw_refusal){UW_REFUSED_NOT_AVRO, "broken"};
        return UW_EINPUT;
    }
    /* Copied into the batch's arena, so that nobody may keep a text longer than the batch. */
    unsigned long index = strtoul(value.data, NULL, 10);
    if (!uw_event_copy(&member->kafka->hostile->events[index], arena, event)) {
        return UW_ENOMEM;
    }
    return event->topic == topic ? UW_OK : uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL, "a wrong topic");
}

struct uw_decoder uw_fake_decoder_port(struct uw_fake_member *member)
{
    return (struct uw_decoder){member, decode};
}

void uw_fake_alert_state(const struct uw_alert_change *alert, char state[UW_FAKE_STATE_BYTES])
{
    snprintf(state, UW_FAKE_STATE_BYTES, "%d %s %s %d", (int)alert->revision, uw_status_name(alert->status),
             uw_severity_name(alert->severity), (int)alert->effective_on_day);
}

void uw_fake_anomaly_state(const struct uw_anomaly_change *anomaly, char state[UW_FAKE_STATE_BYTES])
{
    snprintf(state, UW_FAKE_STATE_BYTES, "%d %s", (int)anomaly->revision, uw_status_name(anomaly->status));
}

/* The identity as the first header, the client as the key, the state as the value. */
static enum uw_code fill(struct uw_arena *arena, struct uw_str client, const char *key, const char *state,
                         struct uw_outbox_record *record)
{
    struct uw_header *header = uw_arena_take(arena, sizeof *header);
    if (header == NULL) {
        return UW_ENOMEM;
    }
    header->name = uw_arena_copy(arena, UW_STR("id"));
    header->value = uw_arena_copy(arena, uw_str_from(key));
    record->key = uw_arena_copy(arena, client);
    record->value = uw_arena_copy(arena, uw_str_from(state));
    record->headers = header;
    record->header_count = 1;
    bool good = header->name.data != NULL && header->value.data != NULL && record->value.data != NULL &&
                uw_str_is_null(record->key) == uw_str_is_null(client);
    return good ? UW_OK : UW_ENOMEM;
}

static enum uw_code encode_alert(void *context, const struct uw_alert_change *alert, int64_t observed_at_ms,
                                 struct uw_arena *arena, struct uw_outbox_record *record)
{
    (void)context;
    (void)observed_at_ms;
    char key[UW_FAKE_KEY_BYTES], state[UW_FAKE_STATE_BYTES];
    uw_fake_alert_key(alert, key);
    uw_fake_alert_state(alert, state);
    return fill(arena, alert->client, key, state, record);
}

static enum uw_code encode_anomaly(void *context, const struct uw_anomaly_change *anomaly, int64_t observed_at_ms,
                                   struct uw_arena *arena, struct uw_outbox_record *record)
{
    (void)context;
    (void)observed_at_ms;
    char key[UW_FAKE_KEY_BYTES], state[UW_FAKE_STATE_BYTES];
    uw_fake_anomaly_key(anomaly, key);
    uw_fake_anomaly_state(anomaly, state);
    return fill(arena, anomaly->client, key, state, record);
}

static enum uw_code encode_dead_letter(void *context, const struct uw_message *message,
                                       const struct uw_refusal *refusal, struct uw_arena *arena,
                                       struct uw_outbox_record *record)
{
    (void)context;
    char key[UW_FAKE_KEY_BYTES];
    snprintf(key, sizeof key, "%s %d %lld", uw_topic_name(message->topic), (int)message->partition,
             (long long)message->offset);
    return fill(arena, message->key, key, uw_refusal_reason_name(refusal->reason), record);
}

struct uw_encoder uw_fake_encoder_port(void)
{
    return (struct uw_encoder){NULL, encode_alert, encode_anomaly, encode_dead_letter};
}
