#include "core/engine_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct uw_item {
    struct uw_event event;
    int64_t offset;
    uint32_t next;
};

enum uw_code uw_engine_out_of_memory(struct uw_error *error)
{
    return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "memory is exhausted, or a batch needs more than %zu MiB",
                        UW_ENGINE_BATCH_BYTES_MAX >> 20);
}

uint64_t uw_engine_fingerprint(const struct uw_settings *settings, int32_t rules_version)
{
    uint64_t fingerprint = uw_settings_fingerprint(settings) * UINT64_C(1099511628211) + (uint64_t)rules_version;
    return fingerprint == 0 ? 1 : fingerprint;
}

/* An operation that nobody gave would be missed only in the rare moment that wants it. */
static bool is_complete(const struct uw_engine_options *options)
{
    const struct uw_store *store = &options->store;
    const struct uw_encoder *encoder = &options->encoder;
    return options->decoder.decode != NULL && encoder->alert != NULL && encoder->anomaly != NULL &&
           encoder->dead_letter != NULL && store->claim != NULL && store->load != NULL && store->commit != NULL &&
           store->outbox != NULL && store->due != NULL && store->mark_all_due != NULL && store->sweep != NULL &&
           store->standing != NULL && options->publisher.published != NULL && options->publisher.search != NULL &&
           options->publisher.start != NULL && options->publisher.finish != NULL;
}

enum uw_code uw_engine_open(const struct uw_engine_options *options, struct uw_engine **engine, struct uw_error *error)
{
    if (!is_complete(options)) {
        return uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL, "an operation of a port is missing");
    }
    struct uw_engine *opened = calloc(1, sizeof *opened);
    if (opened == NULL || uw_cache_init(&opened->cache, options->cache_max_bytes) != UW_OK) {
        free(opened);
        return uw_engine_out_of_memory(error);
    }
    opened->options = *options;
    opened->as_of_day = options->as_of_day;
    opened->options.rules_version = options->rules_version == 0 ? UW_RULES_VERSION : options->rules_version;
    opened->options.due_clients = options->due_clients == 0 ? UW_ENGINE_DUE_CLIENTS : options->due_clients;
    opened->options.due_facts = options->due_facts == 0 ? UW_ENGINE_DUE_FACTS : options->due_facts;
    opened->fingerprint = uw_engine_fingerprint(options->settings, opened->options.rules_version);
    uw_judgement_init(&opened->judgement, options->settings, opened->options.rules_version);
    uw_arena_init(&opened->arena, UW_ENGINE_BATCH_BYTES_MAX);
    uw_arena_init(&opened->due.names, UW_ENGINE_DUE_NAMES_BYTES);
    *engine = opened;
    return UW_OK;
}

void uw_engine_close(struct uw_engine **engine)
{
    struct uw_engine *closed = *engine;
    if (closed == NULL) {
        return;
    }
    uw_engine_forget_due(closed);
    uw_cache_close(&closed->cache);
    uw_judgement_close(&closed->judgement);
    uw_arena_close(&closed->arena);
    free(closed->shares);
    free(closed->touches);
    free(closed->outbox);
    free(closed->partition_changes);
    free(closed->positions);
    free(closed);
    *engine = NULL;
}

/* ---- partitions ---- */

static uint32_t share_place(const struct uw_engine *engine, int32_t partition)
{
    uint32_t low = 0, high = engine->share_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (engine->shares[middle].partition < partition) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct uw_engine_share *uw_engine_find_share(const struct uw_engine *engine, int32_t partition)
{
    uint32_t place = share_place(engine, partition);
    bool found = place < engine->share_count && engine->shares[place].partition == partition;
    return found ? &engine->shares[place] : NULL;
}

struct uw_engine_share *uw_engine_owned_share(const struct uw_engine *engine, int32_t partition)
{
    struct uw_engine_share *share = uw_engine_find_share(engine, partition);
    return share != NULL && share->owned ? share : NULL;
}

static struct uw_engine_share *make_share(struct uw_engine *engine, int32_t partition)
{
    struct uw_engine_share *found = uw_engine_find_share(engine, partition);
    if (found != NULL) {
        return found;
    }
    if (engine->share_count == UW_ENGINE_PARTITIONS_MAX ||
        !uw_reserve((void **)&engine->shares, &engine->share_capacity, engine->share_count + 1,
                    sizeof *engine->shares)) {
        return NULL;
    }
    uint32_t place = share_place(engine, partition);
    memmove(&engine->shares[place + 1], &engine->shares[place], (engine->share_count - place) * sizeof *engine->shares);
    engine->share_count++;
    memset(&engine->shares[place], 0, sizeof *engine->shares);
    engine->shares[place].partition = partition;
    return &engine->shares[place];
}

/* as_of of a partition that stood at `stored`; sets `marking` when it goes back. */
static void set_as_of(struct uw_engine *engine, struct uw_engine_share *share)
{
    bool ahead = share->stored_as_of_day != UW_DAY_NONE && share->stored_as_of_day > engine->as_of_day;
    bool clock_differs = !engine->options.pinned && ahead && share->stored_as_of_day - engine->as_of_day == 1;
    share->as_of_day = clock_differs ? share->stored_as_of_day : engine->as_of_day;
    share->marking = share->marking || (ahead && !clock_differs);
    share->due = true;
}

enum uw_code uw_engine_claim(struct uw_engine *engine, int32_t partition, int64_t next_offset[UW_TOPIC_COUNT],
                             struct uw_error *error)
{
    struct uw_claim claim;
    memset(&claim, 0, sizeof claim);
    uw_engine_settle(engine);
    struct uw_engine_share *share = make_share(engine, partition);
    if (share == NULL) {
        return uw_engine_out_of_memory(error);
    }
    enum uw_code code = engine->options.store.claim(engine->options.store.context, partition,
                                                    engine->options.rules_version, &claim, error);
    if (code != UW_OK) {
        return code;
    }
    if (share->epoch == 0 || claim.previous_epoch != share->epoch) {
        uw_cache_drop_partition(&engine->cache, partition);
    }
    share->epoch = claim.epoch;
    memcpy(share->next_offset, claim.next_offset, sizeof share->next_offset);
    memcpy(share->to_offset, claim.next_offset, sizeof share->to_offset);
    memset(share->end_offset, 0, sizeof share->end_offset);
    memcpy(next_offset, claim.next_offset, sizeof share->next_offset);
    share->next_sequence = claim.next_sequence;
    share->published_sequence = share->stored_published_sequence = claim.published_sequence;
    share->stored_as_of_day = claim.as_of_day;
    share->marking = claim.rules_fingerprint != engine->fingerprint;
    share->owned = share->recovering = share->moved = true;
    share->search = UW_SEARCH_NONE;
    share->behind = false;
    set_as_of(engine, share);
    return UW_OK;
}

void uw_engine_fall_behind(struct uw_engine *engine, int32_t partition, bool more)
{
    engine->catching_up = more;
    for (uint32_t i = 0; i < engine->share_count; i++) {
        struct uw_engine_share *share = &engine->shares[i];
        bool behind = share->owned && share->partition == partition;
        share->due = share->due || (share->behind && !behind);
        share->behind = behind;
    }
}

void uw_engine_release(struct uw_engine *engine, int32_t partition)
{
    struct uw_engine_share *share = uw_engine_find_share(engine, partition);
    if (share == NULL) {
        return;
    }
    uw_engine_settle(engine);
    uw_cache_rest_all(&engine->cache);
    share->owned = share->recovering = share->due = share->behind = share->marking = share->moved = false;
    if (engine->pending > 0) {
        uw_engine_leave_to_recovery(engine); /* records of other partitions in the same batch */
    }
}

bool uw_engine_position(const struct uw_engine *engine, int32_t partition, int64_t next_offset[UW_TOPIC_COUNT])
{
    const struct uw_engine_share *share = uw_engine_owned_share(engine, partition);
    if (share == NULL) {
        return false;
    }
    memcpy(next_offset, share->next_offset, sizeof share->next_offset);
    return true;
}

void uw_engine_reach(struct uw_engine *engine, int32_t partition, const int64_t position[UW_TOPIC_COUNT],
                     const int64_t end[UW_TOPIC_COUNT])
{
    struct uw_engine_share *share = uw_engine_owned_share(engine, partition);
    for (int i = 0; share != NULL && i < UW_TOPIC_COUNT; i++) {
        if (position[i] == share->next_offset[i]) {
            share->end_offset[i] = end[i];
        }
    }
}

bool uw_engine_add_record(struct uw_engine *engine, const struct uw_outbox_record *record)
{
    if (!uw_reserve((void **)&engine->outbox, &engine->outbox_capacity, engine->outbox_count + 1,
                    sizeof *engine->outbox)) {
        return false;
    }
    engine->outbox[engine->outbox_count++] = *record;
    return true;
}

/* ---- a batch: decoding ---- */

void uw_engine_start_batch(struct uw_engine *engine)
{
    assert(engine->pending == 0);
    uw_arena_reset(&engine->arena);
    uw_judgement_reset(&engine->judgement);
    engine->touch_count = engine->fact_count = engine->outbox_count = 0;
    for (uint32_t i = 0; i < engine->share_count; i++) {
        struct uw_engine_share *share = &engine->shares[i];
        for (int topic = 0; topic < UW_TOPIC_COUNT; topic++) {
            share->to_offset[topic] = share->end_offset[topic] > share->next_offset[topic] ? share->end_offset[topic]
                                                                                          : share->next_offset[topic];
        }
        share->in_batch = false;
        share->events = share->refused = 0;
    }
}

/* A client in memory, new when it is not there. What is left of a partition that was given up is not looked at:
 * its clients may have been moved since. NULL when memory is refused. */
static struct uw_resident *find_resident(struct uw_engine *engine, struct uw_str name, int32_t partition)
{
    struct uw_resident *resident = uw_cache_find(&engine->cache, name);
    if (resident != NULL && resident->partition != partition &&
        uw_engine_owned_share(engine, resident->partition) == NULL) {
        uw_cache_drop(&engine->cache, resident);
        resident = NULL;
    }
    return resident != NULL ? resident : uw_cache_add(&engine->cache, name, partition);
}

enum uw_code uw_engine_touch(struct uw_engine *engine, struct uw_str name, int32_t partition, uint32_t *touch,
                             struct uw_error *error)
{
    struct uw_resident *resident = find_resident(engine, name, partition);
    if (resident == NULL || uw_cache_wake(resident) != UW_OK) {
        return uw_engine_out_of_memory(error);
    }
    if (resident->partition != partition) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "the events of one client are in partitions %d and %d: all producers must use the same "
                            "partitioner (docs/operations.md, Topics that are not what they were)",
                            (int)resident->partition, (int)partition);
    }
    if (resident->touch == UINT32_MAX) {
        if (!uw_reserve((void **)&engine->touches, &engine->touch_capacity, engine->touch_count + 1,
                        sizeof *engine->touches)) {
            return uw_engine_out_of_memory(error);
        }
        resident->touch = engine->touch_count++;
        engine->touches[resident->touch] = (struct uw_touch){resident, UINT32_MAX, UINT32_MAX};
    }
    *touch = resident->touch;
    return UW_OK;
}

static enum uw_code refuse(struct uw_engine *engine, struct uw_engine_share *share, const struct uw_message *message,
                           const struct uw_refusal *refusal)
{
    struct uw_outbox_record record = {.partition = share->partition, .output = UW_OUTPUT_DEAD_LETTERS};
    enum uw_code code = engine->options.encoder.dead_letter(engine->options.encoder.context, message, refusal,
                                                            &engine->arena, &record);
    if (code != UW_OK) {
        return code;
    }
    record.partition = share->partition;
    record.output = UW_OUTPUT_DEAD_LETTERS;
    share->refused++;
    return uw_engine_add_record(engine, &record) ? UW_OK : UW_ENOMEM;
}

static void accept(struct uw_engine *engine, struct uw_engine_share *share, uint32_t index, uint32_t touch_index,
                   int64_t offset)
{
    struct uw_item *item = &engine->items[index];
    struct uw_touch *touch = &engine->touches[touch_index];
    item->next = UINT32_MAX;
    item->offset = offset;
    if (touch->first == UINT32_MAX) {
        touch->first = index;
    } else {
        engine->items[touch->last].next = index;
    }
    touch->last = index;
    share->events++;
}

static enum uw_code decode_message(struct uw_engine *engine, const struct uw_message *message, uint32_t index,
                                   struct uw_error *error)
{
    struct uw_engine_share *share = uw_engine_owned_share(engine, message->partition);
    if (share == NULL) {
        return uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL, "a message of partition %d, which is not ours",
                            (int)message->partition);
    }
    if (message->offset < share->to_offset[message->topic]) {
        engine->statistics.skipped++;
        return UW_OK;
    }
    struct uw_refusal refusal = {UW_REFUSED_NOT, ""};
    struct uw_event *event = &engine->items[index].event;
    enum uw_code code = engine->options.decoder.decode(engine->options.decoder.context, message->topic, message->value,
                                                       &engine->arena, event, &refusal, error);
    if (code == UW_OK && !uw_str_equal(message->key, event->client)) {
        code = UW_EINPUT;
        refusal = (struct uw_refusal){UW_REFUSED_WRONG_KEY, "the Kafka key is not the event's client"};
    }
    if (code == UW_OK) {
        uint32_t touch = 0;
        code = uw_engine_touch(engine, event->client, share->partition, &touch, error);
        if (code != UW_OK) {
            return code;
        }
        accept(engine, share, index, touch, message->offset);
    } else if (code == UW_EINPUT) {
        code = refuse(engine, share, message, &refusal);
        if (code != UW_OK) {
            return uw_engine_out_of_memory(error);
        }
    } else {
        return code == UW_ENOMEM ? uw_engine_out_of_memory(error) : code;
    }
    share->to_offset[message->topic] = message->offset + 1;
    share->in_batch = true;
    return UW_OK;
}

/* ---- a batch: loading ---- */

static enum uw_code load_fact(void *context, uint32_t client_index, const struct uw_event *event)
{
    struct uw_resident **residents = context;
    bool redelivery;
    return uw_client_add(&residents[client_index]->client, event, &redelivery);
}

static enum uw_code load_alert(void *context, uint32_t client_index, const struct uw_alert_change *alert)
{
    struct uw_resident **residents = context;
    return uw_client_add_alert(&residents[client_index]->client, alert);
}

static enum uw_code load_anomaly(void *context, uint32_t client_index, const struct uw_anomaly_change *anomaly)
{
    struct uw_resident **residents = context;
    return uw_client_add_anomaly(&residents[client_index]->client, anomaly);
}

static enum uw_code load_client(void *context, uint32_t client_index, int32_t next_change_day, int32_t rules_version)
{
    struct uw_resident *const *residents = context;
    struct uw_resident *resident = residents[client_index];
    resident->stored_change_day = next_change_day;
    resident->stored_change_known = resident->recorded = true;
    resident->stored_rules_version = rules_version;
    return UW_OK;
}

static enum uw_code load_absent(struct uw_engine *engine, struct uw_error *error)
{
    uint32_t count = 0;
    struct uw_str *names = uw_arena_take(&engine->arena, engine->touch_count * sizeof *names);
    struct uw_resident **residents = uw_arena_take(&engine->arena, engine->touch_count * sizeof *residents);
    if (names == NULL || residents == NULL) {
        return uw_engine_out_of_memory(error);
    }
    for (uint32_t i = 0; i < engine->touch_count; i++) {
        struct uw_resident *resident = engine->touches[i].resident;
        if (!resident->loaded) {
            names[count] = uw_resident_name(resident);
            residents[count++] = resident;
        }
    }
    engine->statistics.clients_found += engine->touch_count - count;
    if (count == 0) {
        return UW_OK;
    }
    const struct uw_load_sink sink = {residents, load_fact, load_alert, load_anomaly, load_client};
    enum uw_code code = engine->options.store.load(engine->options.store.context, names, count, &sink, error);
    for (uint32_t i = 0; i < count && code == UW_OK; i++) {
        residents[i]->loaded = true;
    }
    engine->statistics.clients_loaded += code == UW_OK ? count : 0;
    return code;
}

/* ---- a batch: judging ---- */

static int compare_touches(const void *a, const void *b)
{
    const struct uw_touch *left = a, *right = b;
    return uw_str_compare(uw_resident_name(left->resident), uw_resident_name(right->resident));
}

/* Adds the client's events, as facts as well; *changed tells whether any of them was more than a redelivery. */
static enum uw_code add_events(struct uw_engine *engine, const struct uw_touch *touch, bool *changed)
{
    enum uw_code code = UW_OK;
    *changed = false;
    for (uint32_t i = touch->first; i != UINT32_MAX && code == UW_OK; i = engine->items[i].next) {
        const struct uw_item *item = &engine->items[i];
        bool redelivery = false;
        code = uw_client_add(&touch->resident->client, &item->event, &redelivery);
        engine->facts[engine->fact_count++] =
            (struct uw_fact_change){&item->event, touch->resident->partition, item->offset, redelivery};
        engine->statistics.redeliveries += redelivery;
        *changed = *changed || !redelivery;
    }
    return code;
}

/* Records of the alerts and anomalies from the given places on, which belong to one client. */
static enum uw_code encode_changes(struct uw_engine *engine, int32_t partition, uint32_t first_alert,
                                   uint32_t first_anomaly, int64_t now_ms)
{
    const struct uw_judgement *judgement = &engine->judgement;
    const struct uw_encoder *encoder = &engine->options.encoder;
    enum uw_code code = UW_OK;
    for (uint32_t i = first_alert; i < judgement->alert_count && code == UW_OK; i++) {
        struct uw_outbox_record record = {0};
        if (!judgement->alerts[i].quiet) {
            code = encoder->alert(encoder->context, &judgement->alerts[i], now_ms, &engine->arena, &record);
            record.partition = partition;
            record.output = UW_OUTPUT_ALERTS;
            code = code == UW_OK && !uw_engine_add_record(engine, &record) ? UW_ENOMEM : code;
        }
    }
    for (uint32_t i = first_anomaly; i < judgement->anomaly_count && code == UW_OK; i++) {
        struct uw_outbox_record record = {0};
        if (!judgement->anomalies[i].quiet) {
            code = encoder->anomaly(encoder->context, &judgement->anomalies[i], now_ms, &engine->arena, &record);
            record.partition = partition;
            record.output = UW_OUTPUT_ANOMALIES;
            code = code == UW_OK && !uw_engine_add_record(engine, &record) ? UW_ENOMEM : code;
        }
    }
    return code;
}

static enum uw_code judge_client(struct uw_engine *engine, const struct uw_touch *touch, bool due, int64_t now_ms)
{
    struct uw_resident *resident = touch->resident;
    struct uw_engine_share *share = uw_engine_find_share(engine, resident->partition);
    uint32_t first_alert = engine->judgement.alert_count, first_anomaly = engine->judgement.anomaly_count;
    bool changed = false;
    enum uw_code code = UW_OK;
    if (resident->stored_rules_version == 0 && !due && (share->behind || uw_engine_holds_back(engine))) {
        code = uw_judge_later(&engine->judgement, resident);
        code = code == UW_OK ? add_events(engine, touch, &changed) : code;
        resident->kinship = uw_client_kinship(&resident->client);
        share->due = true;
        return code;
    }
    if (touch->first != UINT32_MAX) {
        code = uw_judge_before(&engine->judgement, resident);
        code = code == UW_OK ? add_events(engine, touch, &changed) : code;
    }
    if (code != UW_OK || (!changed && !due)) {
        return code;
    }
    if (due) {
        resident->stored_change_known = false; /* so that its row is written, whatever comes out */
    }
    code = uw_judge_after(&engine->judgement, resident, share->as_of_day, changed);
    engine->statistics.clients_judged++;
    return code == UW_OK ? encode_changes(engine, resident->partition, first_alert, first_anomaly, now_ms) : code;
}

static enum uw_code judge_all(struct uw_engine *engine, bool due, int64_t now_ms, struct uw_error *error)
{
    if (engine->touch_count > 1) {
        qsort(engine->touches, engine->touch_count, sizeof *engine->touches, compare_touches);
    }
    for (uint32_t i = 0; i < engine->touch_count; i++) {
        engine->touches[i].resident->touch = i;
    }
    for (uint32_t i = 0; i < engine->touch_count; i++) {
        enum uw_code code = judge_client(engine, &engine->touches[i], due, now_ms);
        if (code != UW_OK) {
            return code == UW_ENOMEM ? uw_engine_out_of_memory(error)
                                     : uw_error_set(error, code, UW_CLASS_FATAL, "a client could not be judged");
        }
    }
    uw_sums_finish(&engine->judgement.sums);
    return UW_OK;
}

/* ---- a batch: committing ---- */

static void number_records(struct uw_engine *engine)
{
    for (uint32_t i = 0; i < engine->share_count; i++) {
        engine->shares[i].first_sequence = engine->shares[i].next_sequence;
    }
    for (uint32_t i = 0; i < engine->outbox_count; i++) {
        struct uw_outbox_record *record = &engine->outbox[i];
        struct uw_engine_share *share = uw_engine_find_share(engine, record->partition);
        record->sequence = share->next_sequence++;
    }
}

/* Sequence numbers are given back when the commit fails. */
static void unnumber_records(struct uw_engine *engine)
{
    for (uint32_t i = 0; i < engine->share_count; i++) {
        engine->shares[i].next_sequence = engine->shares[i].first_sequence;
    }
}

static uint32_t list_partitions(struct uw_engine *engine)
{
    uint32_t count = 0;
    if (!uw_reserve((void **)&engine->partition_changes, &engine->partition_change_capacity, engine->share_count,
                    sizeof *engine->partition_changes)) {
        return UINT32_MAX;
    }
    for (uint32_t i = 0; i < engine->share_count; i++) {
        const struct uw_engine_share *share = &engine->shares[i];
        if (!share->in_batch) {
            continue;
        }
        struct uw_partition_change *change = &engine->partition_changes[count++];
        *change = (struct uw_partition_change){.partition = share->partition,
                                               .epoch = share->epoch,
                                               .as_of_day = share->as_of_day,
                                               .from_sequence = share->first_sequence,
                                               .to_sequence = share->next_sequence,
                                               .published_sequence = share->published_sequence,
                                               .events = share->events,
                                               .refused = share->refused};
        memcpy(change->from_offset, share->next_offset, sizeof change->from_offset);
        memcpy(change->to_offset, share->to_offset, sizeof change->to_offset);
    }
    return count;
}

static void finish_commit(struct uw_engine *engine)
{
    for (uint32_t i = 0; i < engine->share_count; i++) {
        struct uw_engine_share *share = &engine->shares[i];
        if (share->in_batch) {
            share->moved = share->moved || share->next_sequence != share->first_sequence ||
                           memcmp(share->next_offset, share->to_offset, sizeof share->next_offset) != 0;
            memcpy(share->next_offset, share->to_offset, sizeof share->next_offset);
            share->stored_as_of_day = share->as_of_day;
            share->stored_published_sequence = share->published_sequence;
            engine->statistics.events += share->events;
            engine->statistics.refused += share->refused;
        }
    }
    engine->pending = engine->outbox_count;
}

enum uw_code uw_engine_commit(struct uw_engine *engine, int64_t now_ms, struct uw_error *error)
{
    number_records(engine);
    uint32_t partition_count = list_partitions(engine);
    if (partition_count == UINT32_MAX) {
        unnumber_records(engine);
        return uw_engine_out_of_memory(error);
    }
    const struct uw_judgement *judgement = &engine->judgement;
    const struct uw_changes changes = {
        .observed_at_ms = now_ms,
        .rules_version = engine->options.rules_version,
        .partitions = engine->partition_changes,
        .facts = engine->facts,
        .accounts = judgement->accounts,
        .alerts = judgement->alerts,
        .anomalies = judgement->anomalies,
        .aggregates = judgement->sums.rows,
        .clients = judgement->clients,
        .outbox = engine->outbox,
        .partition_count = partition_count,
        .fact_count = engine->fact_count,
        .account_count = judgement->account_count,
        .alert_count = judgement->alert_count,
        .anomaly_count = judgement->anomaly_count,
        .aggregate_count = judgement->sums.row_count,
        .client_count = judgement->client_count,
        .outbox_count = engine->outbox_count,
    };
    enum uw_code code = engine->options.store.commit(engine->options.store.context, &changes, error);
    if (code != UW_OK) {
        unnumber_records(engine);
        return code;
    }
    finish_commit(engine);
    return UW_OK;
}

void uw_engine_drop_touched(struct uw_engine *engine)
{
    for (uint32_t i = 0; i < engine->touch_count; i++) {
        uw_cache_drop(&engine->cache, engine->touches[i].resident);
    }
    engine->touch_count = engine->outbox_count = 0;
}

/* Clients of whom more comes in the batches that follow at once, and who are not judged before, stay awake until their
 * partition is through. Of those of a backlog who have been judged nothing more will come for now. */
static void keep_touched(struct uw_engine *engine, bool due)
{
    bool any_kept = false;
    for (uint32_t i = 0; i < engine->touch_count; i++) {
        struct uw_resident *resident = engine->touches[i].resident;
        bool waits = resident->stored_rules_version == 0;
        bool kept = waits && uw_engine_find_share(engine, resident->partition)->behind;
        resident->touch = UINT32_MAX;
        uw_cache_wait(&engine->cache, resident, waits);
        if (kept) {
            uw_cache_keep(&engine->cache, resident);
        } else if (due && engine->catching_up) {
            uw_cache_leave_first(&engine->cache, resident);
        } else {
            uw_cache_rest(&engine->cache, resident);
        }
        any_kept = any_kept || kept;
    }
    engine->touch_count = 0;
    uw_cache_evict_first(&engine->cache);
    if (!any_kept || engine->cache.bytes > engine->cache.limit_bytes) {
        uw_cache_rest_all(&engine->cache); /* before anybody has to leave */
    }
    uw_cache_evict(&engine->cache);
}

enum uw_code uw_engine_complete(struct uw_engine *engine, bool due, int64_t now_ms, struct uw_error *error)
{
    enum uw_code code = load_absent(engine, error);
    if (code == UW_OK) {
        code = judge_all(engine, due, now_ms, error);
    }
    if (code == UW_OK) {
        code = uw_engine_commit(engine, now_ms, error);
    }
    if (code != UW_OK) {
        uw_engine_drop_touched(engine);
        return code;
    }
    engine->statistics.batches++;
    keep_touched(engine, due);
    return UW_OK;
}

static bool has_batch(const struct uw_engine *engine)
{
    for (uint32_t i = 0; i < engine->share_count; i++) {
        if (engine->shares[i].in_batch) {
            return true;
        }
    }
    return false;
}

enum uw_code uw_engine_apply(struct uw_engine *engine, const struct uw_message *messages, uint32_t count,
                             int64_t now_ms, struct uw_error *error)
{
    assert(!uw_engine_needs_recovery(engine));
    uw_engine_start_batch(engine);
    engine->items = uw_arena_take(&engine->arena, count * sizeof *engine->items);
    engine->facts = uw_arena_take(&engine->arena, count * sizeof *engine->facts);
    if (engine->items == NULL || engine->facts == NULL) {
        return uw_engine_out_of_memory(error);
    }
    for (uint32_t i = 0; i < count; i++) {
        enum uw_code code = decode_message(engine, &messages[i], i, error);
        if (code != UW_OK) {
            uw_engine_drop_touched(engine);
            return code;
        }
    }
    engine->statistics.messages += count;
    if (!has_batch(engine)) {
        return UW_OK; /* everything was applied before */
    }
    return uw_engine_complete(engine, false, now_ms, error);
}

/* ---- time without events ---- */

void uw_engine_tick(struct uw_engine *engine, int32_t as_of_day)
{
    if (as_of_day == engine->as_of_day) {
        return;
    }
    engine->as_of_day = as_of_day;
    for (uint32_t i = 0; i < engine->share_count; i++) {
        if (engine->shares[i].owned) {
            set_as_of(engine, &engine->shares[i]);
        }
    }
}

enum uw_code uw_engine_replace_settings(struct uw_engine *engine, const struct uw_settings *settings,
                                        struct uw_error *error)
{
    uint64_t fingerprint = uw_engine_fingerprint(settings, engine->options.rules_version);
    bool differs = fingerprint != engine->fingerprint;
    engine->options.settings = settings;
    engine->judgement.settings = settings;
    engine->fingerprint = fingerprint;
    for (uint32_t i = 0; i < engine->share_count && differs; i++) {
        engine->shares[i].marking = engine->shares[i].owned;
    }
    return differs && engine->pending == 0 ? uw_engine_recover(engine, error) : UW_OK;
}

void uw_engine_statistics(const struct uw_engine *engine, struct uw_engine_statistics *statistics)
{
    *statistics = engine->statistics;
    statistics->cache_bytes = engine->cache.bytes;
    statistics->cache_clients = engine->cache.count;
    statistics->cache_facts = 0;
    for (const struct uw_resident *resident = engine->cache.oldest; resident != NULL; resident = resident->newer) {
        statistics->cache_facts += uw_resident_facts(resident);
    }
}
