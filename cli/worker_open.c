#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/faults.h"
#include "cli/kafka_log.h"
#include "cli/worker_parts.h"
#include "producers/migrate.h"
#include "producers/partitioner.h"
#include "producers/store_partitions.h"

/* A step of a search, between which the group is heard, and how long it waits for a broker at the most. */
#define SEARCH_STEP_MS 1000
#define SEARCH_TIMEOUT_MS 10000
/* How long a rebalance may wait for the store before the instance leaves and joins anew. */
#define CLAIM_PATIENCE_MS 60000

/* ---- the publisher's port: the transaction is the producer's, what is published the consumer's ---- */

static enum uw_code port_published(void *context, int32_t partition, int64_t *sequence, struct uw_error *error)
{
    struct uw_worker *worker = context;
    return uw_intake_published(worker->intake, partition, sequence, error);
}

static enum uw_code port_start(void *context, const struct uw_outbox_record *records, uint32_t record_count,
                               const struct uw_published *positions, uint32_t position_count, struct uw_error *error)
{
    struct uw_worker *worker = context;
    return uw_transactor_start(worker->transactor, records, record_count, positions, position_count, error);
}

static enum uw_code port_finish(void *context, struct uw_error *error)
{
    struct uw_worker *worker = context;
    return uw_transactor_finish(worker->transactor, error);
}

static enum uw_code group_metadata(void *context, void *buffer, size_t *size, struct uw_error *error)
{
    struct uw_worker *worker = context;
    enum uw_code code = uw_intake_group_metadata(worker->intake, buffer, size, error);
    if (code == UW_OK && uw_intake_lost(worker->intake)) {
        code = uw_error_set(error, UW_EFENCED, UW_CLASS_FENCED, "the group has given our partitions to others");
    }
    return code;
}

/* ---- looking into the topics ---- */

static enum uw_code begin_search(struct uw_worker *worker, const struct uw_outbox_record *records, uint32_t record_count,
                                 struct uw_error *error)
{
    const struct uw_config *config = worker->config;
    struct uw_search_options options = {
        .properties = config->kafka,
        .property_count = config->kafka_count,
        .partition_of = uw_partition_of_key,
        .timeout_ms = config->kafka_timeout_ms < SEARCH_TIMEOUT_MS ? config->kafka_timeout_ms : SEARCH_TIMEOUT_MS,
        .log = uw_kafka_log_make(),
    };
    memcpy(options.outputs, config->outputs, sizeof options.outputs);
    uw_log(UW_LOG_WARNING,
           "partition %d: Kafka's offsets do not say whether outbox records %" PRId64 " to %" PRId64
           " are published: looking for them in their topics",
           (int)records[0].partition, records[0].sequence, records[record_count - 1].sequence);
    uw_search_close(&worker->search);
    worker->search_ms = uw_clock_monotonic_ms();
    return uw_search_open(&options, records, record_count, &worker->search, error);
}

void uw_worker_end_search(struct uw_worker *worker)
{
    if (!uw_engine_needs_recovery(worker->engine)) {
        uw_search_close(&worker->search);
    }
}

static void say_found(const struct uw_worker *worker, const struct uw_outbox_record *records, uint32_t record_count,
                      const bool *found)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < record_count; i++) {
        count += found[i] ? 1u : 0u;
    }
    uw_log(UW_LOG_INFO,
           "partition %d: %" PRIu32 " of outbox records %" PRId64 " to %" PRId64 " are published; %" PRIu64
           " records read in %" PRId64 " ms",
           (int)records[0].partition, count, records[0].sequence, records[record_count - 1].sequence,
           uw_search_read(worker->search), uw_clock_monotonic_ms() - worker->search_ms);
}

static enum uw_code port_search(void *context, const struct uw_outbox_record *records, uint32_t record_count,
                                bool begin, bool *found, bool *complete, struct uw_error *error)
{
    struct uw_worker *worker = context;
    bool ended = false;
    enum uw_code code = begin ? begin_search(worker, records, record_count, error) : UW_OK;
    if (code == UW_OK) {
        code = uw_search_step(worker->search, records, SEARCH_STEP_MS, found, &ended, error);
    }
    if (ended) {
        say_found(worker, records, record_count, found);
    }
    if (code != UW_OK || ended) {
        uw_search_close(&worker->search);
    }
    *complete = ended;
    return code;
}

/* ---- rebalances ---- */

static enum uw_code on_assigned(void *context, const int32_t *partitions, uint32_t count,
                                struct uw_intake_start *starts, struct uw_error *error)
{
    struct uw_worker *worker = context;
    int64_t deadline_ms = uw_clock_monotonic_ms() + CLAIM_PATIENCE_MS;
    worker->joined = false; /* no heartbeats from within a rebalance */
    enum uw_code code = UW_OK;
    for (uint32_t i = 0; i < count; i++) {
        do {
            code = uw_engine_claim(worker->engine, partitions[i], starts[i].next_offset, error);
        } while (code != UW_OK && error->class == UW_CLASS_RETRY && uw_clock_monotonic_ms() < deadline_ms &&
                 uw_worker_act(worker, code, error) == UW_ACTION_AGAIN);
        if (code != UW_OK) {
            return code;
        }
    }
    uw_backoff_reset(&worker->backoff);
    worker->joined = true;
    uw_log(UW_LOG_INFO, "assigned %" PRIu32 " partition%s", count, count == 1 ? "" : "s");
    return UW_OK;
}

static void on_revoked(void *context, const int32_t *partitions, uint32_t count, bool lost)
{
    struct uw_worker *worker = context;
    for (uint32_t i = 0; i < count; i++) {
        uw_engine_release(worker->engine, partitions[i]);
    }
    uw_worker_end_search(worker);
    uw_log(UW_LOG_INFO, "%s %" PRIu32 " partition%s", lost ? "lost" : "revoked", count, count == 1 ? "" : "s");
}

/* ---- opening and closing ---- */

static enum uw_action open_store(struct uw_worker *worker)
{
    const struct uw_config *config = worker->config;
    struct uw_pgstore_options options = {
        .dsn = config->dsn, .owner = worker->wanted_name, .timeout_ms = config->database_timeout_ms};
    memcpy(options.topics, config->topics, sizeof options.topics);
    struct uw_error error = {.text = ""};
    enum uw_action action = uw_worker_act(worker, uw_pgstore_open(&options, &worker->store, &error), &error);
    if (action != UW_ACTION_GO_ON) {
        return action;
    }
    const struct uw_migrate_options migrate = {.dsn = config->dsn, .timeout_ms = config->database_timeout_ms};
    do {
        int32_t version;
        action = uw_worker_act(worker, uw_migrate_check(&migrate, &version, &error), &error);
    } while (action == UW_ACTION_AGAIN);
    while (action == UW_ACTION_GO_ON) {
        action = uw_worker_act(worker, uw_pgstore_connect(worker->store, &error), &error);
        if (action != UW_ACTION_AGAIN) {
            break;
        }
        action = UW_ACTION_GO_ON;
    }
    return action;
}

/* Every instance has a slot of the database, which no other has: its sums are written under it. It is also the
 * instance's name unless one is configured. */
static enum uw_action name_instance(struct uw_worker *worker)
{
    const struct uw_config *config = worker->config;
    struct uw_error error = {.text = ""};
    enum uw_action action;
    int32_t slot = 0;
    do {
        action = uw_worker_act(worker, uw_pgstore_slot(worker->store, &slot, &error), &error);
    } while (action == UW_ACTION_AGAIN);
    if (worker->wanted_name[0] == '\0') {
        snprintf(worker->instance, sizeof worker->instance, "slot-%d", (int)slot);
    } else {
        memcpy(worker->instance, worker->wanted_name, sizeof worker->instance);
    }
    if (action == UW_ACTION_GO_ON) {
        action = uw_worker_act(worker, uw_pgstore_rename(worker->store, worker->instance, &error), &error);
    }
    snprintf(worker->transactional_id, sizeof worker->transactional_id, "%s.%s", config->group_id, worker->instance);
    return action;
}

static enum uw_action open_codec(struct uw_worker *worker)
{
    struct uw_error error = {.text = ""};
    struct uw_codec_options options = {NULL, NULL};
    enum uw_action action = UW_ACTION_GO_ON;
    if (worker->config->registry_url[0] != '\0') {
        action = uw_worker_act(worker,
                     uw_registry_open(worker->config->registry_url, worker->config->kafka_timeout_ms,
                                      &worker->registry, &error),
                     &error);
        options = (struct uw_codec_options){uw_registry_lookup, worker->registry};
    }
    if (action == UW_ACTION_GO_ON) {
        action = uw_worker_act(worker, uw_codec_open(&options, &worker->codec, &error), &error);
    }
    worker->output.codec = worker->codec;
    memcpy(worker->output.topics, worker->config->topics, sizeof worker->output.topics);
    return action;
}

static enum uw_action open_engine(struct uw_worker *worker)
{
    struct uw_engine_options options = {
        .publisher = {worker, port_published, port_search, port_start, port_finish},
        .settings = &worker->settings,
        .cache_max_bytes = uw_worker_cache_bytes(worker),
        .as_of_day = worker->as_of_day,
        .pinned = worker->options->as_of_day != UW_DAY_NONE,
        .accept_lost_offsets = worker->options->accept_lost_offsets,
        .rules_version = uw_faults_rules_version(),
    };
    uw_pgstore_port(worker->store, &options.store);
    uw_codec_decoder(worker->codec, &options.decoder);
    uw_output_encoder_port(&worker->output, &options.encoder);
    uw_faults_wrap(&options.store, &options.publisher);
    uw_meter_wrap(&worker->meter, &options.store, &options.publisher);
    struct uw_error error = {.text = ""};
    return uw_worker_act(worker, uw_engine_open(&options, &worker->engine, &error), &error);
}

/* Comes before the consumer: initialising it ends what a former run of this instance left open, which the question
 * for what is published would otherwise wait for. */
static enum uw_action open_producer(struct uw_worker *worker)
{
    const struct uw_config *config = worker->config;
    struct uw_error error = {.text = ""};
    struct uw_transactor_options producer = {
        .properties = config->kafka,
        .property_count = config->kafka_count,
        .transactional_id = worker->transactional_id,
        .group_id = config->group_id,
        .group_context = worker,
        .group_metadata = group_metadata,
        .timeout_ms = config->kafka_timeout_ms,
        .log = uw_kafka_log_make(),
    };
    memcpy(producer.outputs, config->outputs, sizeof producer.outputs);
    memcpy(producer.topics, config->topics, sizeof producer.topics);
    enum uw_action action;
    do {
        action = uw_worker_act(worker, uw_transactor_open(&producer, &worker->transactor, &error), &error);
    } while (action == UW_ACTION_AGAIN);
    return action;
}

enum uw_action uw_worker_open_consumer(struct uw_worker *worker)
{
    const struct uw_config *config = worker->config;
    struct uw_error error = {.text = ""};
    enum uw_action action = UW_ACTION_GO_ON;
    uw_crew_gather(worker->crew, worker->number);
    struct uw_intake_options consumer = {
        .properties = config->kafka,
        .property_count = config->kafka_count,
        .group_id = config->group_id,
        .group_instance_id = config->static_membership ? worker->instance : NULL,
        .batch_messages_max = (uint32_t)config->batch_max_events,
        .intake_count = uw_crew_count(worker->crew),
        .timeout_ms = config->kafka_timeout_ms,
        .listener = {worker, on_assigned, on_revoked},
        .log = uw_kafka_log_make(),
    };
    memcpy(consumer.topics, config->topics, sizeof consumer.topics);
    while (action == UW_ACTION_GO_ON) {
        action = uw_worker_act(worker, uw_intake_open(&consumer, &worker->intake, &error), &error);
        if (action != UW_ACTION_AGAIN) {
            break;
        }
        action = UW_ACTION_GO_ON;
    }
    while (action == UW_ACTION_GO_ON) {
        int32_t count = uw_intake_partition_count(worker->intake);
        action = uw_worker_act(worker, uw_pgstore_check_partitions(worker->store, count, &error), &error);
        if (action != UW_ACTION_AGAIN) {
            break;
        }
        action = UW_ACTION_GO_ON;
    }
    return action;
}

enum uw_action uw_worker_open(struct uw_worker *worker)
{
    enum uw_action (*const steps[])(struct uw_worker *) = {open_store,  name_instance, open_codec,
                                                           open_engine, open_producer, uw_worker_open_consumer};
    enum uw_action action = UW_ACTION_GO_ON;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && action == UW_ACTION_GO_ON; i++) {
        action = steps[i](worker);
    }
    return action;
}

void uw_worker_close(struct uw_worker *worker)
{
    worker->joined = false;
    uw_monitor_stage(worker->monitor, worker->number, UW_STAGE_STOPPING);
    if (worker->intake != NULL) {
        uw_intake_close(&worker->intake);
    }
    if (worker->audit != NULL) {
        uw_audit_close(&worker->audit);
    }
    uw_search_close(&worker->search);
    if (worker->transactor != NULL) {
        uw_transactor_close(&worker->transactor);
    }
    uw_engine_close(&worker->engine);
    if (worker->codec != NULL) {
        uw_codec_close(&worker->codec);
    }
    if (worker->registry != NULL) {
        uw_registry_close(&worker->registry);
    }
    uw_pgstore_close(&worker->store);
}
