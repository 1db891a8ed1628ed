#include "cli/worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/backoff.h"
#include "cli/faults.h"
#include "cli/kafka_log.h"
#include "cli/monitor.h"
#include "cli/notify.h"
#include "consumers/intake.h"
#include "consumers/others.h"
#include "consumers/registry.h"
#include "core/engine.h"
#include "producers/migrate.h"
#include "producers/publisher.h"
#include "producers/store.h"
#include "producers/store_partitions.h"
#include "schemas/output.h"

#define NAME_BYTES 320
#define POLL_MS 200
/* A waiting worker looks for a stop request this often, and keeps its place in the group this often. */
#define WAIT_SLICE_MS 50
#define HEARTBEAT_MS 1000
/* Positions without records are told to Kafka this often: they serve lag tools only. */
#define POSITIONS_MS 5000
#define REPORT_MS 10000
#define CLOCK_MS 1000
/* How long a rebalance may wait for the store before the instance leaves and joins anew. */
#define CLAIM_PATIENCE_MS 60000
/* How long a static member asks for its name before it takes who has it for another process. A former run's session
 * lasts less, unless the broker is told otherwise (group.consumer.max.session.timeout.ms). */
#define NAME_PATIENCE_MS 90000
/* An idle worker asks this often whether the other members are through, and waits so long for each answer. */
#define OTHERS_MS 500
#define OTHERS_TIMEOUT_MS 1000
/* The figures are shown this often; clients that are due are counted less often, and so far only. */
#define SHOW_MS 1000
#define COUNT_DUE_MS 10000
#define COUNT_DUE_MAX 100000u
/* No call of the main loop lasts longer than the deadlines of a statement and of a call to Kafka, and this. */
#define PATIENCE_MS 30000
#define SETTINGS_BYTES_MAX ((size_t)16 * 1024 * 1024)

/* What to do next, decided in `act` alone. */
enum action {
    ACTION_GO_ON,  /* it worked */
    ACTION_AGAIN,  /* the same call again */
    ACTION_VOID,   /* the assignment changed: forget the batch */
    ACTION_REJOIN, /* close everything and begin anew */
    ACTION_QUIT,   /* leave; worker->exit_code says how */
};

struct worker {
    const struct uw_worker_options *options;
    const struct uw_config *config;
    struct uw_backoff backoff;
    struct uw_backoff name_backoff;
    struct uw_patience refused; /* our name: the group has another member of it */
    int exit_code;

    /* The thresholds in use; those of a reload live in the other arena than the ones before. */
    struct uw_settings settings;
    struct uw_arena settings_memory[2];
    uint32_t settings_turn;

    char instance[NAME_BYTES], transactional_id[2 * NAME_BYTES];
    struct uw_pgstore *store;
    struct uw_registry *registry;
    struct uw_codec *codec;
    struct uw_output_encoder output;
    struct uw_transactor *transactor;
    struct uw_intake *intake;
    struct uw_audit *audit; /* of the others' partitions; NULL until an idle worker has looked for them */
    struct uw_engine *engine;

    struct uw_meter meter;
    struct uw_monitor *monitor; /* NULL: not asked for */
    int64_t clients_due, due_ms, shown_ms;

    int32_t as_of_day;
    int64_t clock_ms, positions_ms, stored_ms, report_ms, started_ms, others_ms, others_said_ms;
    uint64_t reported_events;
    bool joined;
};

/* ---- what is shown ---- */

/* Hands a new picture over when the last one is old enough; asks no server. */
static void show_figures(struct worker *worker)
{
    struct uw_engine_statistics statistics;
    struct uw_monitor_figures figures;
    int64_t now_ms = uw_clock_monotonic_ms();
    const int32_t *partitions;
    if (worker->monitor == NULL || worker->intake == NULL ||
        (worker->shown_ms != 0 && now_ms - worker->shown_ms < SHOW_MS)) {
        return;
    }
    worker->shown_ms = now_ms;
    uw_engine_statistics(worker->engine, &statistics);
    uw_meter_take(&worker->meter, &statistics);
    figures = (struct uw_monitor_figures){.meter = worker->meter.figures,
                                          .cache_bytes = statistics.cache_bytes,
                                          .cache_clients = statistics.cache_clients,
                                          .cache_facts = statistics.cache_facts,
                                          .cache_max_bytes = worker->config->cache_max_bytes,
                                          .clients_due = worker->clients_due,
                                          .partitions_owned = uw_intake_assignment(worker->intake, &partitions),
                                          .partition_count = uw_intake_partition_count(worker->intake),
                                          .as_of_day = worker->as_of_day};
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        uw_intake_topic_lag(worker->intake, (enum uw_topic)i, uw_clock_ms(), &figures.lags[i]);
    }
    uw_monitor_show(worker->monitor, &figures);
}

/* ---- waiting, and the classes of errors ---- */

static void say_alive(struct worker *worker)
{
    uw_notify_alive(uw_clock_monotonic_ms());
    uw_monitor_alive(worker->monitor);
}

static void sleep_ms(int64_t ms)
{
    struct timespec span = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&span, NULL);
}

/* Waits, keeping the place in the group. */
static enum action wait_for(struct worker *worker, int32_t wait_ms)
{
    int64_t deadline_ms = uw_clock_monotonic_ms() + wait_ms, beat_ms = uw_clock_monotonic_ms();
    for (int64_t now_ms = beat_ms; now_ms < deadline_ms; now_ms = uw_clock_monotonic_ms()) {
        if (uw_signals_stop_requested()) {
            return ACTION_QUIT;
        }
        say_alive(worker);
        show_figures(worker);
        if (worker->intake != NULL && worker->joined && now_ms - beat_ms >= HEARTBEAT_MS) {
            struct uw_error error = {.text = ""};
            beat_ms = now_ms;
            if (uw_intake_heartbeat(worker->intake, &error) != UW_OK) {
                return error.class == UW_CLASS_ABORT ? ACTION_VOID : ACTION_REJOIN;
            }
        }
        int64_t left_ms = deadline_ms - now_ms;
        sleep_ms(left_ms < WAIT_SLICE_MS ? left_ms : WAIT_SLICE_MS);
    }
    return ACTION_AGAIN;
}

static enum action act(struct worker *worker, enum uw_code code, const struct uw_error *error)
{
    if (code == UW_OK) {
        uw_backoff_reset(&worker->backoff);
        return ACTION_GO_ON;
    }
    switch (error->class) {
    case UW_CLASS_RETRY:
    case UW_CLASS_ABORT: {
        int32_t wait_ms = uw_backoff_next(&worker->backoff);
        uw_log(UW_LOG_WARNING, "%s; trying again in %d ms", error->text, (int)wait_ms);
        uw_monitor_stage(worker->monitor, UW_STAGE_WAITING);
        enum action action = wait_for(worker, wait_ms);
        if (action == ACTION_QUIT) {
            uw_log(UW_LOG_WARNING, "stopped while waiting");
        }
        return action;
    }
    case UW_CLASS_FENCED:
        uw_log(UW_LOG_WARNING, "%s; leaving the partitions and joining anew", error->text);
        return ACTION_REJOIN;
    case UW_CLASS_NONE:
    case UW_CLASS_INPUT:
    case UW_CLASS_FATAL:
        break;
    }
    uw_complain("%s", error->text);
    worker->exit_code = code == UW_ECONFIG ? UW_EXIT_USAGE : UW_EXIT_FAILED;
    return ACTION_QUIT;
}

/* ---- the publisher's port: the transaction is the producer's, what is published the consumer's ---- */

static enum uw_code port_published(void *context, int32_t partition, int64_t *sequence, struct uw_error *error)
{
    struct worker *worker = context;
    return uw_intake_published(worker->intake, partition, sequence, error);
}

static enum uw_code port_start(void *context, const struct uw_outbox_record *records, uint32_t record_count,
                               const struct uw_published *positions, uint32_t position_count, struct uw_error *error)
{
    struct worker *worker = context;
    return uw_transactor_start(worker->transactor, records, record_count, positions, position_count, error);
}

static enum uw_code port_finish(void *context, struct uw_error *error)
{
    struct worker *worker = context;
    return uw_transactor_finish(worker->transactor, error);
}

static enum uw_code group_metadata(void *context, void *buffer, size_t *size, struct uw_error *error)
{
    struct worker *worker = context;
    enum uw_code code = uw_intake_group_metadata(worker->intake, buffer, size, error);
    if (code == UW_OK && uw_intake_lost(worker->intake)) {
        code = uw_error_set(error, UW_EFENCED, UW_CLASS_FENCED, "the group has given our partitions to others");
    }
    return code;
}

/* ---- rebalances ---- */

static enum uw_code on_assigned(void *context, const int32_t *partitions, uint32_t count,
                                struct uw_intake_start *starts, struct uw_error *error)
{
    struct worker *worker = context;
    int64_t deadline_ms = uw_clock_monotonic_ms() + CLAIM_PATIENCE_MS;
    worker->joined = false; /* no heartbeats from within a rebalance */
    enum uw_code code = UW_OK;
    for (uint32_t i = 0; i < count; i++) {
        do {
            code = uw_engine_claim(worker->engine, partitions[i], starts[i].next_offset, error);
        } while (code != UW_OK && error->class == UW_CLASS_RETRY && uw_clock_monotonic_ms() < deadline_ms &&
                 act(worker, code, error) == ACTION_AGAIN);
        if (code != UW_OK) {
            return code;
        }
    }
    uw_backoff_reset(&worker->backoff);
    worker->joined = true;
    uw_log(UW_LOG_INFO, "assigned %" PRIu32 " partition%s", count, count == 1 ? "" : "s");
    uw_notify("READY=1\nSTATUS=%" PRIu32 " partition%s", count, count == 1 ? "" : "s");
    return UW_OK;
}

static void on_revoked(void *context, const int32_t *partitions, uint32_t count, bool lost)
{
    struct worker *worker = context;
    for (uint32_t i = 0; i < count; i++) {
        uw_engine_release(worker->engine, partitions[i]);
    }
    uw_log(UW_LOG_INFO, "%s %" PRIu32 " partition%s", lost ? "lost" : "revoked", count, count == 1 ? "" : "s");
}

/* ---- opening and closing ---- */

static enum action open_store(struct worker *worker)
{
    const struct uw_config *config = worker->config;
    struct uw_pgstore_options options = {
        .dsn = config->dsn, .owner = config->instance, .timeout_ms = config->database_timeout_ms};
    memcpy(options.topics, config->topics, sizeof options.topics);
    struct uw_error error = {.text = ""};
    enum action action = act(worker, uw_pgstore_open(&options, &worker->store, &error), &error);
    if (action != ACTION_GO_ON) {
        return action;
    }
    const struct uw_migrate_options migrate = {.dsn = config->dsn, .timeout_ms = config->database_timeout_ms};
    do {
        int32_t version;
        action = act(worker, uw_migrate_check(&migrate, &version, &error), &error);
    } while (action == ACTION_AGAIN);
    while (action == ACTION_GO_ON) {
        action = act(worker, uw_pgstore_connect(worker->store, &error), &error);
        if (action != ACTION_AGAIN) {
            break;
        }
        action = ACTION_GO_ON;
    }
    return action;
}

/* Every instance has a slot of the database, which no other has: its sums are written under it. It is also the
 * instance's name unless one is configured. */
static enum action name_instance(struct worker *worker)
{
    const struct uw_config *config = worker->config;
    struct uw_error error = {.text = ""};
    enum action action;
    int32_t slot = 0;
    do {
        action = act(worker, uw_pgstore_slot(worker->store, &slot, &error), &error);
    } while (action == ACTION_AGAIN);
    if (config->instance[0] == '\0') {
        snprintf(worker->instance, sizeof worker->instance, "slot-%d", (int)slot);
    } else {
        snprintf(worker->instance, sizeof worker->instance, "%s", config->instance);
    }
    if (action == ACTION_GO_ON) {
        action = act(worker, uw_pgstore_rename(worker->store, worker->instance, &error), &error);
    }
    snprintf(worker->transactional_id, sizeof worker->transactional_id, "%s.%s", config->group_id, worker->instance);
    return action;
}

static enum action open_codec(struct worker *worker)
{
    struct uw_error error = {.text = ""};
    struct uw_codec_options options = {NULL, NULL};
    enum action action = ACTION_GO_ON;
    if (worker->config->registry_url[0] != '\0') {
        action = act(worker,
                     uw_registry_open(worker->config->registry_url, worker->config->kafka_timeout_ms,
                                      &worker->registry, &error),
                     &error);
        options = (struct uw_codec_options){uw_registry_lookup, worker->registry};
    }
    if (action == ACTION_GO_ON) {
        action = act(worker, uw_codec_open(&options, &worker->codec, &error), &error);
    }
    worker->output.codec = worker->codec;
    memcpy(worker->output.topics, worker->config->topics, sizeof worker->output.topics);
    return action;
}

static enum action open_engine(struct worker *worker)
{
    struct uw_engine_options options = {
        .publisher = {worker, port_published, port_start, port_finish},
        .settings = &worker->settings,
        .cache_max_bytes = (size_t)worker->config->cache_max_bytes,
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
    return act(worker, uw_engine_open(&options, &worker->engine, &error), &error);
}

/* Comes before the consumer: initialising it ends what a former run of this instance left open, which the question
 * for what is published would otherwise wait for. */
static enum action open_producer(struct worker *worker)
{
    const struct uw_config *config = worker->config;
    struct uw_error error = {.text = ""};
    struct uw_transactor_options producer = {
        .properties = config->kafka,
        .property_count = config->kafka_count,
        .transactional_id = worker->transactional_id,
        .group_context = worker,
        .group_metadata = group_metadata,
        .timeout_ms = config->kafka_timeout_ms,
        .log = uw_kafka_log_make(),
    };
    memcpy(producer.outputs, config->outputs, sizeof producer.outputs);
    memcpy(producer.topics, config->topics, sizeof producer.topics);
    enum action action;
    do {
        action = act(worker, uw_transactor_open(&producer, &worker->transactor, &error), &error);
    } while (action == ACTION_AGAIN);
    return action;
}

static enum action open_consumer(struct worker *worker)
{
    const struct uw_config *config = worker->config;
    struct uw_error error = {.text = ""};
    enum action action = ACTION_GO_ON;
    struct uw_intake_options consumer = {
        .properties = config->kafka,
        .property_count = config->kafka_count,
        .group_id = config->group_id,
        .group_instance_id = config->static_membership ? worker->instance : NULL,
        .batch_messages_max = (uint32_t)config->batch_max_events,
        .timeout_ms = config->kafka_timeout_ms,
        .listener = {worker, on_assigned, on_revoked},
        .log = uw_kafka_log_make(),
    };
    memcpy(consumer.topics, config->topics, sizeof consumer.topics);
    while (action == ACTION_GO_ON) {
        action = act(worker, uw_intake_open(&consumer, &worker->intake, &error), &error);
        if (action != ACTION_AGAIN) {
            break;
        }
        action = ACTION_GO_ON;
    }
    while (action == ACTION_GO_ON) {
        int32_t count = uw_intake_partition_count(worker->intake);
        action = act(worker, uw_pgstore_check_partitions(worker->store, count, &error), &error);
        if (action != ACTION_AGAIN) {
            break;
        }
        action = ACTION_GO_ON;
    }
    return action;
}

static enum action open_all(struct worker *worker)
{
    enum action (*const steps[])(struct worker *) = {open_store,  name_instance, open_codec,
                                                     open_engine, open_producer, open_consumer};
    enum action action = ACTION_GO_ON;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && action == ACTION_GO_ON; i++) {
        action = steps[i](worker);
    }
    return action;
}

static void close_all(struct worker *worker)
{
    worker->joined = false;
    uw_monitor_stage(worker->monitor, UW_STAGE_STOPPING);
    if (worker->intake != NULL) {
        uw_intake_close(&worker->intake);
    }
    if (worker->audit != NULL) {
        uw_audit_close(&worker->audit);
    }
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

/* ---- the loop ---- */

/* What is not published is left to recovery, which is the next thing to be done. */
static enum action act_on_publishing(struct worker *worker, enum uw_code code, const struct uw_error *error)
{
    bool left_to_recovery = code != UW_OK && error->class == UW_CLASS_ABORT;
    enum action action = act(worker, code, error);
    return left_to_recovery && action == ACTION_AGAIN ? ACTION_GO_ON : action;
}

/* Waits for the records of the batch before. */
static enum action finish_publishing(struct worker *worker)
{
    struct uw_error error = {.text = ""};
    return act_on_publishing(worker, uw_engine_publish_finish(worker->engine, &error), &error);
}

/* Hands the batch's records to Kafka, which takes them while the next batch is applied. */
static enum action publish(struct worker *worker)
{
    enum action action = finish_publishing(worker);
    while (action == ACTION_GO_ON || action == ACTION_AGAIN) {
        struct uw_error error = {.text = ""};
        enum uw_code code = uw_engine_publish_start(worker->engine, &error);
        if (code == UW_OK) {
            worker->positions_ms = uw_clock_monotonic_ms();
        }
        action = act_on_publishing(worker, code, &error);
        if (action == ACTION_GO_ON) {
            break;
        }
    }
    return action;
}

static enum action recover(struct worker *worker)
{
    struct uw_error error = {.text = ""};
    enum action action = finish_publishing(worker);
    if (action == ACTION_GO_ON) {
        action = act(worker, uw_transactor_recover(worker->transactor, &error), &error);
    }
    if (action == ACTION_GO_ON) {
        action = act(worker, uw_engine_recover(worker->engine, &error), &error);
    }
    return action == ACTION_AGAIN ? ACTION_GO_ON : action;
}

static enum action apply(struct worker *worker, const struct uw_message *messages, uint32_t count)
{
    for (;;) {
        struct uw_error error = {.text = ""};
        enum uw_code code = uw_engine_apply(worker->engine, messages, count, uw_clock_ms(), &error);
        enum action action = act(worker, code, &error);
        if (action == ACTION_GO_ON && uw_engine_has_records(worker->engine)) {
            action = publish(worker);
        }
        if (action != ACTION_AGAIN) {
            return action;
        }
    }
}

/* A batch that was given up is read again where it was not applied. Partitions that came anew have their place from
 * the store; with a protocol that moves partitions one by one the others stand behind the batch. */
static void read_again(struct worker *worker)
{
    const int32_t *partitions;
    uint32_t count = uw_intake_assignment(worker->intake, &partitions);
    for (uint32_t i = 0; i < count; i++) {
        int64_t next_offset[UW_TOPIC_COUNT];
        if (uw_engine_position(worker->engine, partitions[i], next_offset)) {
            uw_intake_rewind(worker->intake, partitions[i], next_offset);
        }
    }
}

static enum action judge_due(struct worker *worker)
{
    struct uw_error error = {.text = ""};
    bool more = false;
    enum uw_code code =
        uw_engine_due(worker->engine, (uint32_t)worker->config->due_batch_clients, uw_clock_ms(), &more, &error);
    enum action action = act(worker, code, &error);
    if (action == ACTION_GO_ON && uw_engine_has_records(worker->engine)) {
        action = publish(worker);
    }
    return action == ACTION_AGAIN || action == ACTION_VOID ? ACTION_GO_ON : action;
}

/* SIGHUP. A file that cannot be read leaves everything as it was. */
static void reload(struct worker *worker)
{
    const struct uw_options *command = worker->options->command;
    uint32_t turn = (worker->settings_turn + 1) % 2;
    struct uw_arena *memory = &worker->settings_memory[turn];
    struct uw_settings settings;
    struct uw_error error = {.text = ""};
    uw_arena_reset(memory);
    if (uw_config_reload_settings(command->config_path, command->overrides, command->override_count, memory,
                                  &settings, &error) != UW_OK) {
        uw_log(UW_LOG_ERROR, "thresholds stay as they were: %s", error.text);
        return;
    }
    worker->settings = settings;
    worker->settings_turn = turn;
    uw_log(UW_LOG_INFO, "thresholds read again");
    if (uw_engine_replace_settings(worker->engine, &worker->settings, &error) != UW_OK) {
        uw_log(UW_LOG_WARNING, "%s; clients are judged again as soon as that is mended", error.text);
    }
}

static enum action look_at_clock(struct worker *worker)
{
    int64_t now_ms = uw_clock_monotonic_ms();
    if (worker->options->as_of_day != UW_DAY_NONE || now_ms - worker->clock_ms < CLOCK_MS) {
        return ACTION_GO_ON;
    }
    worker->clock_ms = now_ms;
    int32_t today;
    struct uw_error error = {.text = ""};
    enum uw_code code = uw_clock_today(&today, &error);
    if (code != UW_OK) {
        return act(worker, code, &error);
    }
    if (today > worker->as_of_day) {
        char text[UW_DATE_TEXT_BYTES];
        uw_date_format(today, text);
        uw_log(UW_LOG_INFO, "a new day: as of %s", text);
        worker->as_of_day = today;
        uw_engine_tick(worker->engine, today);
    }
    return ACTION_GO_ON;
}

static void report(struct worker *worker, bool last)
{
    int64_t now_ms = uw_clock_monotonic_ms();
    if (!last && now_ms - worker->report_ms < REPORT_MS) {
        return;
    }
    struct uw_engine_statistics statistics;
    uw_engine_statistics(worker->engine, &statistics);
    uint64_t applied = statistics.events + statistics.refused;
    if (last) {
        int64_t span_ms = now_ms - worker->started_ms;
        uw_log(UW_LOG_INFO,
               "%" PRIu64 " events (%" PRIu64 " redelivered, %" PRIu64 " refused) in %" PRIu64 " batches, %" PRIu64
               " records published, %" PRId64 ".%" PRId64 " s",
               applied, statistics.redeliveries, statistics.refused, statistics.batches,
               statistics.records_published + statistics.recovered_records, span_ms / 1000, span_ms % 1000 / 100);
        return;
    }
    if (applied != worker->reported_events) {
        int64_t span_ms = now_ms - worker->report_ms;
        uw_log(UW_LOG_INFO, "%" PRIu64 " events, %" PRIu64 "/s, lag %" PRId64 ", %" PRIu64 " clients in %" PRIu64 " MiB",
               applied, (applied - worker->reported_events) * 1000 / (uint64_t)span_ms,
               uw_intake_lag(worker->intake), statistics.cache_clients, statistics.cache_bytes >> 20);
    }
    worker->report_ms = now_ms;
    worker->reported_events = applied;
}

/* The clients that wait to be judged; what cannot be counted now is counted next time. */
static void count_due(struct worker *worker, int64_t now_ms)
{
    const int32_t *partitions;
    uint32_t count = uw_intake_assignment(worker->intake, &partitions);
    int64_t sum = 0;
    if (!uw_engine_has_due(worker->engine)) {
        worker->clients_due = 0;
        worker->due_ms = 0;
        return;
    }
    if (worker->due_ms != 0 && now_ms - worker->due_ms < COUNT_DUE_MS) {
        return;
    }
    worker->due_ms = now_ms;
    for (uint32_t i = 0; i < count && sum < COUNT_DUE_MAX; i++) {
        struct uw_error error = {.text = ""};
        int64_t due = 0;
        if (uw_pgstore_due_count(worker->store, partitions[i], worker->as_of_day, COUNT_DUE_MAX, &due, &error) !=
            UW_OK) {
            return;
        }
        sum += due;
    }
    worker->clients_due = sum;
}

/* At every turn of the loop. */
static void show(struct worker *worker)
{
    enum uw_stage stage = UW_STAGE_WORKING;
    if (worker->monitor == NULL) {
        return;
    }
    if (!uw_intake_joined(worker->intake)) {
        stage = UW_STAGE_JOINING;
    } else if (uw_engine_needs_recovery(worker->engine)) {
        stage = UW_STAGE_RECOVERING;
    }
    uw_monitor_stage(worker->monitor, stage);
    count_due(worker, uw_clock_monotonic_ms());
    show_figures(worker);
}

/* Behind the last message of a topic may stand what is none, and that is read as well. */
static void reach_ends(struct worker *worker)
{
    const int32_t *partitions;
    uint32_t count = uw_intake_assignment(worker->intake, &partitions);
    for (uint32_t i = 0; i < count; i++) {
        int64_t position[UW_TOPIC_COUNT], end[UW_TOPIC_COUNT];
        if (uw_intake_end(worker->intake, partitions[i], position, end)) {
            uw_engine_reach(worker->engine, partitions[i], position, end);
        }
    }
}

/* The database learns what Kafka has, as the next batch would tell it. */
static enum action store_published(struct worker *worker)
{
    struct uw_error error = {.text = ""};
    worker->stored_ms = uw_clock_monotonic_ms();
    enum action action = act(worker, uw_engine_store_published(worker->engine, uw_clock_ms(), &error), &error);
    return action == ACTION_AGAIN ? ACTION_GO_ON : action;
}

/* Nothing came: positions are told, and an idle worker may end. */
static enum action rest(struct worker *worker, bool *idle)
{
    reach_ends(worker);
    enum action action = finish_publishing(worker);
    bool at_end = uw_intake_idle(worker->intake) && !uw_engine_has_due(worker->engine) &&
                  !uw_engine_needs_recovery(worker->engine);
    int64_t now_ms = uw_clock_monotonic_ms();
    if (action == ACTION_GO_ON && uw_engine_has_positions(worker->engine) && !uw_engine_needs_recovery(worker->engine) &&
        (now_ms - worker->positions_ms >= POSITIONS_MS || (at_end && worker->options->until_idle))) {
        action = publish(worker);
    }
    bool ending = worker->options->until_idle && uw_engine_has_ends(worker->engine);
    if (action == ACTION_GO_ON && at_end && uw_engine_has_unstored(worker->engine) &&
        (ending || now_ms - worker->stored_ms >= POSITIONS_MS)) {
        action = store_published(worker);
    }
    *idle = at_end && action == ACTION_GO_ON && !uw_engine_has_ends(worker->engine) &&
            !uw_engine_has_positions(worker->engine) && !uw_engine_is_publishing(worker->engine) &&
            !uw_engine_needs_recovery(worker->engine);
    return action == ACTION_VOID ? ACTION_GO_ON : action;
}

/* Joins once more, with the producer as it is: initialising it again and again would each time fence another process that
 * has our name and works. Two such processes take the name from each other whenever one of them is fenced, until the one
 * that was refused first gives it up. */
static enum action ask_for_name(struct worker *worker, const struct uw_error *error)
{
    int64_t now_ms = uw_clock_monotonic_ms();
    enum uw_code code;
    if (uw_patience_begins(&worker->refused, now_ms, NAME_PATIENCE_MS)) {
        uw_backoff_reset(&worker->name_backoff);
    }
    if (uw_patience_is_over(&worker->refused, NAME_PATIENCE_MS)) {
        struct uw_error taken;
        code = uw_error_set(&taken, UW_EFENCED, UW_CLASS_FATAL,
                            "another process of the group has the same instance name, %s: give each its own",
                            worker->instance);
        return act(worker, code, &taken);
    }
    int32_t wait_ms = uw_backoff_next(&worker->name_backoff);
    uw_log(UW_LOG_WARNING, "%s; trying again in %d ms, for %d s at most", error->text, (int)wait_ms,
           NAME_PATIENCE_MS / 1000);
    uw_monitor_stage(worker->monitor, UW_STAGE_WAITING);
    worker->joined = false;
    uw_intake_close(&worker->intake);
    return wait_for(worker, wait_ms) == ACTION_QUIT ? ACTION_QUIT : open_consumer(worker);
}

static enum action take_batch(struct worker *worker, bool *idle)
{
    const struct uw_message *messages;
    uint32_t count;
    struct uw_error error = {.text = ""};
    reach_ends(worker);
    int32_t wait_ms = uw_engine_has_due(worker->engine) || uw_engine_needs_recovery(worker->engine) ? 0 : POLL_MS;
    enum uw_code code =
        uw_intake_poll(worker->intake, wait_ms, (uint32_t)worker->config->batch_max_events,
                       (size_t)worker->config->batch_max_bytes, worker->config->batch_linger_ms, &messages, &count,
                       &error);
    if (code == UW_EFENCED && error.class == UW_CLASS_RETRY) {
        return ask_for_name(worker, &error);
    }
    if (code != UW_OK) {
        /* Errors of the intake stay: what can be tried again needs a new one. */
        enum action action = act(worker, code, &error);
        return action == ACTION_AGAIN || action == ACTION_VOID ? ACTION_REJOIN : action;
    }
    uw_engine_fall_behind(worker->engine, uw_intake_far_behind(worker->intake));
    if (count == 0) {
        uw_intake_release(worker->intake);
        return rest(worker, idle);
    }
    enum action action = ACTION_GO_ON;
    while (action == ACTION_GO_ON && uw_engine_needs_recovery(worker->engine)) {
        action = recover(worker);
    }
    if (action == ACTION_GO_ON) {
        int64_t begun_us = uw_meter_now_us();
        action = apply(worker, messages, count);
        if (action == ACTION_GO_ON) {
            uw_meter_batch(&worker->meter, begun_us);
        }
    }
    uw_intake_release(worker->intake);
    if (action == ACTION_VOID) {
        read_again(worker);
        return ACTION_GO_ON;
    }
    return action;
}

static enum uw_code look_at_others(struct worker *worker, struct uw_others_left *left, struct uw_error *error)
{
    if (worker->audit == NULL) {
        const struct uw_audit_options options = {.properties = worker->config->kafka,
                                                 .property_count = worker->config->kafka_count,
                                                 .timeout_ms = OTHERS_TIMEOUT_MS,
                                                 .log = uw_kafka_log_make()};
        enum uw_code code = uw_audit_open(&options, &worker->audit, error);
        if (code != UW_OK) {
            return code;
        }
    }
    return uw_others_look(worker->intake, worker->audit, OTHERS_TIMEOUT_MS, left, error);
}

/* An idle worker of --until-idle ends when the partitions of the other members are done with as well: whoever holds
 * them may be dead, and then they are given to this one as soon as the group has found that out. */
static enum action end_or_wait(struct worker *worker)
{
    int64_t now_ms = uw_clock_monotonic_ms();
    const int32_t *partitions;
    if ((int32_t)uw_intake_assignment(worker->intake, &partitions) == uw_intake_partition_count(worker->intake)) {
        return ACTION_QUIT;
    }
    if (worker->others_ms != 0 && now_ms - worker->others_ms < OTHERS_MS) {
        return ACTION_GO_ON;
    }
    struct uw_others_left left = {NULL, 0, 0, 0};
    struct uw_error error = {.text = ""};
    enum uw_code code = look_at_others(worker, &left, &error);
    worker->others_ms = uw_clock_monotonic_ms();
    if (code == UW_OK && left.topic == NULL) {
        return ACTION_QUIT;
    }
    if (code != UW_OK && error.class != UW_CLASS_RETRY) {
        return act(worker, code, &error);
    }
    if (worker->others_said_ms == 0 || now_ms - worker->others_said_ms >= REPORT_MS) {
        worker->others_said_ms = now_ms;
        if (code == UW_OK) {
            uw_log(UW_LOG_INFO,
                   "waiting for another instance: topic %s, partition %d, is done up to %" PRId64 " of %" PRId64,
                   left.topic, (int)left.partition, left.committed, left.end);
        } else {
            uw_log(UW_LOG_INFO, "waiting for another instance: %s", error.text);
        }
    }
    return ACTION_GO_ON;
}

static enum action serve(struct worker *worker)
{
    enum action action = ACTION_GO_ON;
    bool idle = false;
    while (action == ACTION_GO_ON) {
        if (uw_signals_stop_requested()) {
            return ACTION_QUIT;
        }
        if (uw_signals_reload_requested()) {
            uw_notify("RELOADING=1\nMONOTONIC_USEC=%" PRId64, uw_clock_monotonic_ms() * 1000);
            reload(worker);
            uw_notify("READY=1");
        }
        say_alive(worker);
        show(worker);
        action = look_at_clock(worker);
        if (action == ACTION_GO_ON && uw_engine_needs_recovery(worker->engine)) {
            action = recover(worker);
            action = action == ACTION_VOID ? ACTION_GO_ON : action;
        }
        if (action == ACTION_GO_ON && uw_engine_has_due(worker->engine) && !uw_engine_needs_recovery(worker->engine)) {
            action = judge_due(worker);
        }
        if (action == ACTION_GO_ON) {
            action = take_batch(worker, &idle);
        }
        report(worker, false);
        if (action == ACTION_GO_ON && idle && worker->options->until_idle) {
            action = end_or_wait(worker);
        }
        idle = false;
    }
    return action;
}

/* One membership of the group, from joining to leaving. */
static enum action run_once(struct worker *worker)
{
    uw_monitor_stage(worker->monitor, UW_STAGE_STARTING);
    worker->shown_ms = 0;
    enum action action = open_all(worker);
    if (action == ACTION_GO_ON) {
        char as_of[UW_DATE_TEXT_BYTES];
        uw_date_format(worker->as_of_day, as_of);
        uw_log(UW_LOG_INFO, "urenwacht %s with librdkafka %s, instance %s, as of %s", UW_VERSION,
               rd_kafka_version_str(), worker->instance, as_of);
        worker->report_ms = worker->started_ms = worker->positions_ms = worker->stored_ms = uw_clock_monotonic_ms();
        worker->others_ms = worker->others_said_ms = 0;
        worker->reported_events = 0;
        action = serve(worker);
        if (action == ACTION_QUIT && worker->exit_code == UW_EXIT_OK && !uw_engine_needs_recovery(worker->engine)) {
            /* A last word to both servers; whoever comes next would find it out otherwise, unless Kafka forgets. */
            struct uw_error error = {.text = ""};
            if (uw_engine_publish(worker->engine, &error) != UW_OK ||
                uw_engine_store_published(worker->engine, uw_clock_ms(), &error) != UW_OK) {
                uw_log(UW_LOG_WARNING, "left to the next start: %s", error.text);
            }
        }
        report(worker, true);
    }
    if (action == ACTION_QUIT) {
        uw_signals_limit_end(worker->exit_code);
    }
    close_all(worker);
    return action;
}

/* Open as long as the process lives, also while it waits for its servers. */
static enum uw_code open_monitor(struct worker *worker, struct uw_error *error)
{
    const struct uw_config *config = worker->config;
    const struct uw_monitor_options options = {
        .listen = config->metrics_listen,
        .patience_ms = (int64_t)config->database_timeout_ms + config->kafka_timeout_ms + PATIENCE_MS};
    return config->metrics_listen[0] == '\0' ? UW_OK : uw_monitor_open(&options, &worker->monitor, error);
}

int uw_worker_run(const struct uw_worker_options *options)
{
    struct worker worker = {.options = options, .config = options->config, .as_of_day = options->as_of_day};
    struct uw_error error = {.text = ""};
    worker.settings = options->config->settings;
    for (uint32_t i = 0; i < 2; i++) {
        uw_arena_init(&worker.settings_memory[i], SETTINGS_BYTES_MAX);
    }
    uint64_t seed = (uint64_t)uw_clock_ms() ^ (uint64_t)getpid() << 32;
    uw_backoff_init(&worker.backoff, options->config->retry_min_ms, options->config->retry_max_ms, seed);
    uw_backoff_init(&worker.name_backoff, options->config->retry_min_ms, options->config->retry_max_ms, seed);
    uw_signals_start();
    uw_signals_limit_stop();
    uw_notify_start();
    if (options->as_of_day == UW_DAY_NONE && uw_clock_today(&worker.as_of_day, &error) != UW_OK) {
        uw_complain("%s", error.text);
        return UW_EXIT_USAGE;
    }
    if (open_monitor(&worker, &error) != UW_OK) {
        uw_complain("%s", error.text);
        return UW_EXIT_USAGE;
    }
    enum action action;
    do {
        action = run_once(&worker);
        if (action == ACTION_REJOIN && wait_for(&worker, uw_backoff_next(&worker.backoff)) == ACTION_QUIT) {
            action = ACTION_QUIT;
        }
    } while (action != ACTION_QUIT);
    uw_notify("STOPPING=1");
    uw_monitor_close(&worker.monitor);
    for (uint32_t i = 0; i < 2; i++) {
        uw_arena_close(&worker.settings_memory[i]);
    }
    return worker.exit_code;
}
