#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/config_keys.h"
#include "cli/kafka_log.h"
#include "cli/notify.h"
#include "cli/worker_parts.h"
#include "consumers/others.h"
#include "producers/store_partitions.h"

#define POLL_MS 200
/* Who may end as soon as the rest is known does not wait so long. */
#define POLL_ENDING_MS 20
/* A waiting worker looks for a stop request this often, and keeps its place in the group this often. */
#define WAIT_SLICE_MS 50
#define HEARTBEAT_MS 1000
/* Positions without records are told to Kafka this often: they serve lag tools only. */
#define POSITIONS_MS 5000
#define CLOCK_MS 1000
/* How long a static member asks for its name before it takes who has it for another process. A former run's session
 * lasts less, unless the broker is told otherwise (group.consumer.max.session.timeout.ms). */
#define NAME_PATIENCE_MS 90000
/* An idle worker asks this often whether the other members are through, waits so long for each answer, and says this
 * often for whom it waits. */
#define OTHERS_MS 500
#define OTHERS_SAID_MS 10000
#define OTHERS_TIMEOUT_MS 1000
/* No call of the main loop lasts longer than the deadlines of a statement and of a call to Kafka, and this. */
#define PATIENCE_MS 30000
#define NUMBER_BYTES 16 /* of a worker, as the end of its name */
#define SETTINGS_BYTES_MAX ((size_t)16 * 1024 * 1024)

/* What all workers of the process are given. */
struct wiring {
    const struct uw_worker_options *options;
    struct uw_monitor *monitor; /* NULL: not asked for */
    int32_t as_of_day, reloads;
};

/* ---- waiting, and the classes of errors ---- */

static void say_alive(struct uw_worker *worker)
{
    uw_crew_alive(worker->crew, worker->number);
}

static void sleep_ms(int64_t ms)
{
    struct timespec span = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&span, NULL);
}

/* Waits, keeping the place in the group. */
enum uw_action uw_worker_wait(struct uw_worker *worker, int32_t wait_ms)
{
    int64_t deadline_ms = uw_clock_monotonic_ms() + wait_ms, beat_ms = uw_clock_monotonic_ms();
    for (int64_t now_ms = beat_ms; now_ms < deadline_ms; now_ms = uw_clock_monotonic_ms()) {
        if (uw_signals_stop_requested()) {
            return UW_ACTION_QUIT;
        }
        say_alive(worker);
        uw_worker_show_figures(worker);
        if (worker->intake != NULL && worker->joined && now_ms - beat_ms >= HEARTBEAT_MS) {
            struct uw_error error = {.text = ""};
            beat_ms = now_ms;
            if (uw_intake_heartbeat(worker->intake, &error) != UW_OK) {
                return error.class == UW_CLASS_ABORT ? UW_ACTION_VOID : UW_ACTION_REJOIN;
            }
        }
        int64_t left_ms = deadline_ms - now_ms;
        sleep_ms(left_ms < WAIT_SLICE_MS ? left_ms : WAIT_SLICE_MS);
    }
    return UW_ACTION_AGAIN;
}

enum uw_action uw_worker_act(struct uw_worker *worker, enum uw_code code, const struct uw_error *error)
{
    if (code == UW_OK) {
        uw_backoff_reset(&worker->backoff);
        return UW_ACTION_GO_ON;
    }
    switch (error->class) {
    case UW_CLASS_RETRY:
    case UW_CLASS_ABORT: {
        int32_t wait_ms = uw_backoff_next(&worker->backoff);
        uw_log(UW_LOG_WARNING, "%s; trying again in %d ms", error->text, (int)wait_ms);
        uw_monitor_stage(worker->monitor, worker->number, UW_STAGE_WAITING);
        enum uw_action action = uw_worker_wait(worker, wait_ms);
        if (action == UW_ACTION_QUIT) {
            uw_log(UW_LOG_WARNING, "stopped while waiting");
        }
        return action;
    }
    case UW_CLASS_FENCED:
        uw_log(UW_LOG_WARNING, "%s; leaving the partitions and joining anew", error->text);
        return UW_ACTION_REJOIN;
    case UW_CLASS_NONE:
    case UW_CLASS_INPUT:
    case UW_CLASS_FATAL:
        break;
    }
    uw_complain("%s", error->text);
    worker->exit_code = code == UW_ECONFIG ? UW_EXIT_USAGE : UW_EXIT_FAILED;
    return UW_ACTION_QUIT;
}

/* ---- the loop ---- */

/* What is not published is left to recovery, which is the next thing to be done. */
static enum uw_action act_on_publishing(struct uw_worker *worker, enum uw_code code, const struct uw_error *error)
{
    bool left_to_recovery = code != UW_OK && error->class == UW_CLASS_ABORT;
    enum uw_action action = uw_worker_act(worker, code, error);
    return left_to_recovery && action == UW_ACTION_AGAIN ? UW_ACTION_GO_ON : action;
}

/* Waits for the records of the batch before. */
static enum uw_action finish_publishing(struct uw_worker *worker)
{
    struct uw_error error = {.text = ""};
    return act_on_publishing(worker, uw_engine_publish_finish(worker->engine, &error), &error);
}

/* Hands the batch's records to Kafka, which takes them while the next batch is applied. */
static enum uw_action publish(struct uw_worker *worker)
{
    enum uw_action action = finish_publishing(worker);
    while (action == UW_ACTION_GO_ON || action == UW_ACTION_AGAIN) {
        struct uw_error error = {.text = ""};
        enum uw_code code = uw_engine_publish_start(worker->engine, &error);
        if (code == UW_OK) {
            worker->positions_ms = uw_clock_monotonic_ms();
        }
        action = act_on_publishing(worker, code, &error);
        if (action == UW_ACTION_GO_ON) {
            break;
        }
    }
    return action;
}

static enum uw_action recover(struct uw_worker *worker)
{
    struct uw_error error = {.text = ""};
    enum uw_action action = finish_publishing(worker);
    if (action == UW_ACTION_GO_ON) {
        action = uw_worker_act(worker, uw_transactor_recover(worker->transactor, &error), &error);
    }
    if (action == UW_ACTION_GO_ON) {
        action = uw_worker_act(worker, uw_engine_recover(worker->engine, &error), &error);
        uw_worker_end_search(worker);
    }
    return action == UW_ACTION_AGAIN ? UW_ACTION_GO_ON : action;
}

/* To the end, with messages in hand: whoever waits for this worker hears of it in between. */
static enum uw_action recover_all(struct uw_worker *worker)
{
    enum uw_action action = UW_ACTION_GO_ON;
    while (action == UW_ACTION_GO_ON && uw_engine_needs_recovery(worker->engine)) {
        action = recover(worker);
        if (action == UW_ACTION_GO_ON && uw_engine_needs_recovery(worker->engine)) {
            struct uw_error error = {.text = ""};
            say_alive(worker);
            uw_worker_show_figures(worker);
            action = uw_signals_stop_requested() ? UW_ACTION_QUIT : UW_ACTION_GO_ON;
            if (action == UW_ACTION_GO_ON && uw_intake_heartbeat(worker->intake, &error) != UW_OK) {
                action = error.class == UW_CLASS_ABORT ? UW_ACTION_VOID : UW_ACTION_REJOIN;
            }
        }
    }
    return action;
}

static enum uw_action apply(struct uw_worker *worker, const struct uw_message *messages, uint32_t count)
{
    for (;;) {
        struct uw_error error = {.text = ""};
        enum uw_code code = uw_engine_apply(worker->engine, messages, count, uw_clock_ms(), &error);
        enum uw_action action = uw_worker_act(worker, code, &error);
        if (action == UW_ACTION_GO_ON && uw_engine_has_records(worker->engine)) {
            action = publish(worker);
        }
        if (action != UW_ACTION_AGAIN) {
            return action;
        }
    }
}

/* A batch that was given up is read again where it was not applied. Partitions that came anew have their place from
 * the store; with a protocol that moves partitions one by one the others stand behind the batch. */
static void read_again(struct uw_worker *worker)
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

static enum uw_action judge_due(struct uw_worker *worker)
{
    struct uw_error error = {.text = ""};
    bool more = false;
    enum uw_code code =
        uw_engine_due(worker->engine, (uint32_t)worker->config->due_batch_clients, uw_clock_ms(), &more, &error);
    enum uw_action action = uw_worker_act(worker, code, &error);
    if (action == UW_ACTION_GO_ON && uw_engine_has_records(worker->engine)) {
        action = publish(worker);
    }
    return action == UW_ACTION_AGAIN || action == UW_ACTION_VOID ? UW_ACTION_GO_ON : action;
}

/* SIGHUP. A file that cannot be read leaves everything as it was. */
static void reload(struct uw_worker *worker)
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

static enum uw_action look_at_clock(struct uw_worker *worker)
{
    int64_t now_ms = uw_clock_monotonic_ms();
    if (worker->options->as_of_day != UW_DAY_NONE || now_ms - worker->clock_ms < CLOCK_MS) {
        return UW_ACTION_GO_ON;
    }
    worker->clock_ms = now_ms;
    int32_t today;
    struct uw_error error = {.text = ""};
    enum uw_code code = uw_clock_today(&today, &error);
    if (code != UW_OK) {
        return uw_worker_act(worker, code, &error);
    }
    if (today > worker->as_of_day) {
        char text[UW_DATE_TEXT_BYTES];
        uw_date_format(today, text);
        uw_log(UW_LOG_INFO, "a new day: as of %s", text);
        worker->as_of_day = today;
        uw_engine_tick(worker->engine, today);
    }
    return UW_ACTION_GO_ON;
}

/* Behind the last message of a topic may stand what is none, and that is read as well. */
static void reach_ends(struct uw_worker *worker)
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
static enum uw_action store_published(struct uw_worker *worker)
{
    struct uw_error error = {.text = ""};
    worker->stored_ms = uw_clock_monotonic_ms();
    enum uw_code code = uw_engine_store_published(worker->engine, uw_clock_ms(), &error);
    enum uw_action action = uw_worker_act(worker, code, &error);
    return action == UW_ACTION_AGAIN ? UW_ACTION_GO_ON : action;
}

/* Nothing came: positions are told, and an idle worker may end. */
static enum uw_action rest(struct uw_worker *worker, bool *idle)
{
    reach_ends(worker);
    enum uw_action action = finish_publishing(worker);
    bool at_end = uw_intake_idle(worker->intake) && !uw_engine_has_due(worker->engine) &&
                  !uw_engine_needs_recovery(worker->engine);
    int64_t now_ms = uw_clock_monotonic_ms();
    if (action == UW_ACTION_GO_ON && uw_engine_has_positions(worker->engine) &&
        !uw_engine_needs_recovery(worker->engine) &&
        (now_ms - worker->positions_ms >= POSITIONS_MS || (at_end && worker->options->until_idle))) {
        action = publish(worker);
    }
    bool ending = worker->options->until_idle && uw_engine_has_ends(worker->engine);
    if (action == UW_ACTION_GO_ON && at_end && uw_engine_has_unstored(worker->engine) &&
        (ending || now_ms - worker->stored_ms >= POSITIONS_MS)) {
        action = store_published(worker);
    }
    *idle = at_end && action == UW_ACTION_GO_ON && !uw_engine_has_ends(worker->engine) &&
            !uw_engine_has_positions(worker->engine) && !uw_engine_is_publishing(worker->engine) &&
            !uw_engine_needs_recovery(worker->engine);
    return action == UW_ACTION_VOID ? UW_ACTION_GO_ON : action;
}

/* Joins once more, with the producer as it is: initialising it again and again would each time fence another process
 * that has our name and works. Two such processes take the name from each other whenever one of them is fenced, until
 * the one that was refused first gives it up. */
static enum uw_action ask_for_name(struct uw_worker *worker, const struct uw_error *error)
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
        return uw_worker_act(worker, code, &taken);
    }
    int32_t wait_ms = uw_backoff_next(&worker->name_backoff);
    uw_log(UW_LOG_WARNING, "%s; trying again in %d ms, for %d s at most", error->text, (int)wait_ms,
           NAME_PATIENCE_MS / 1000);
    uw_monitor_stage(worker->monitor, worker->number, UW_STAGE_WAITING);
    worker->joined = false;
    uw_intake_close(&worker->intake);
    return uw_worker_wait(worker, wait_ms) == UW_ACTION_QUIT ? UW_ACTION_QUIT : uw_worker_open_consumer(worker);
}

/* Who is given nothing hears nothing of it from the group, and is ready all the same: it stands by. */
static void tell_assignment(struct uw_worker *worker)
{
    const int32_t *partitions;
    uint32_t count = uw_intake_assignment(worker->intake, &partitions);
    if (!uw_intake_joined(worker->intake) || (int64_t)count == worker->told_partitions) {
        return;
    }
    if (count == 0) {
        uw_log(UW_LOG_INFO, "no partitions: the group gives them to others");
    }
    worker->told_partitions = count;
    uw_crew_assigned(worker->crew, worker->number, count);
}

/* How long to wait for messages when there are none. */
static int32_t find_poll_ms(const struct uw_worker *worker)
{
    if (uw_engine_has_due(worker->engine) || uw_engine_needs_recovery(worker->engine)) {
        return 0;
    }
    return worker->options->until_idle && uw_intake_idle(worker->intake) ? POLL_ENDING_MS : POLL_MS;
}

static enum uw_action take_batch(struct uw_worker *worker, bool *idle)
{
    const struct uw_message *messages;
    uint32_t count;
    struct uw_error error = {.text = ""};
    reach_ends(worker);
    enum uw_code code =
        uw_intake_poll(worker->intake, find_poll_ms(worker), (uint32_t)worker->config->batch_max_events,
                       (size_t)worker->config->batch_max_bytes, worker->config->batch_linger_ms, &messages, &count,
                       &error);
    if (code == UW_EFENCED && error.class == UW_CLASS_RETRY) {
        return ask_for_name(worker, &error);
    }
    if (code != UW_OK) {
        /* Errors of the intake stay: what can be tried again needs a new one. */
        enum uw_action action = uw_worker_act(worker, code, &error);
        return action == UW_ACTION_AGAIN || action == UW_ACTION_VOID ? UW_ACTION_REJOIN : action;
    }
    tell_assignment(worker);
    bool catches_up = uw_intake_catches_up(worker->intake);
    /* The last of what waited is here: its clients are judged with the others, behind this batch. */
    bool last = worker->catches_up && !catches_up && count > 0;
    worker->catches_up = catches_up;
    uw_engine_fall_behind(worker->engine, uw_intake_far_behind(worker->intake), catches_up || last);
    if (count == 0) {
        uw_intake_release(worker->intake);
        return rest(worker, idle);
    }
    enum uw_action action = recover_all(worker);
    if (action == UW_ACTION_GO_ON) {
        int64_t begun_us = uw_meter_now_us();
        action = apply(worker, messages, count);
        if (action == UW_ACTION_GO_ON) {
            uw_meter_batch(&worker->meter, begun_us);
        }
    }
    uw_intake_release(worker->intake);
    uw_engine_fall_behind(worker->engine, uw_intake_far_behind(worker->intake), catches_up);
    if (action == UW_ACTION_VOID) {
        read_again(worker);
        return UW_ACTION_GO_ON;
    }
    return action;
}

static enum uw_code look_at_others(struct uw_worker *worker, struct uw_others_left *left, struct uw_error *error)
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

/* What is stored and published of the other members' partitions is not all: clients of a long backlog are judged after
 * that. The first partition with one that is not; -1: none. */
static enum uw_code find_unjudged(struct uw_worker *worker, int32_t *partition, struct uw_error *error)
{
    const int32_t *ours;
    uint32_t count = uw_intake_assignment(worker->intake, &ours), place = 0;
    for (int32_t p = 0; p < uw_intake_partition_count(worker->intake); p++) {
        int64_t waiting = 0;
        if (place < count && ours[place] == p) {
            place++;
            continue;
        }
        enum uw_code code = uw_pgstore_due_count(worker->store, p, UW_DAY_BEFORE_ALL, 1, &waiting, error);
        if (code != UW_OK) {
            return code;
        }
        if (waiting > 0) {
            *partition = p;
            return UW_OK;
        }
    }
    *partition = -1;
    return UW_OK;
}

static void say_waiting(struct uw_worker *worker, enum uw_code code, const struct uw_others_left *left,
                        int32_t unjudged, const struct uw_error *error)
{
    int64_t now_ms = uw_clock_monotonic_ms();
    if (worker->others_said_ms != 0 && now_ms - worker->others_said_ms < OTHERS_SAID_MS) {
        return;
    }
    worker->others_said_ms = now_ms;
    if (code != UW_OK) {
        uw_log(UW_LOG_INFO, "waiting for another instance: %s", error->text);
    } else if (left->topic != NULL) {
        uw_log(UW_LOG_INFO,
               "waiting for another instance: topic %s, partition %d, is done up to %" PRId64 " of %" PRId64,
               left->topic, (int)left->partition, left->committed, left->end);
    } else {
        uw_log(UW_LOG_INFO, "waiting for another instance: clients of partition %d are still to be judged",
               (int)unjudged);
    }
}

/* An idle worker of --until-idle ends when the partitions of the other members are done with as well: whoever holds
 * them may be dead, and then they are given to this one as soon as the group has found that out. */
static enum uw_action end_or_wait(struct uw_worker *worker)
{
    int64_t now_ms = uw_clock_monotonic_ms();
    const int32_t *partitions;
    uint32_t count = uw_intake_assignment(worker->intake, &partitions);
    if (uw_crew_is_idle(worker->crew, worker->number, partitions, count, uw_intake_partition_count(worker->intake))) {
        return UW_ACTION_QUIT;
    }
    if (worker->others_ms != 0 && now_ms - worker->others_ms < OTHERS_MS) {
        return UW_ACTION_GO_ON;
    }
    struct uw_others_left left = {NULL, 0, 0, 0};
    struct uw_error error = {.text = ""};
    int32_t unjudged = -1;
    enum uw_code code = look_at_others(worker, &left, &error);
    if (code == UW_OK && left.topic == NULL) {
        code = find_unjudged(worker, &unjudged, &error);
    }
    worker->others_ms = uw_clock_monotonic_ms();
    if (code == UW_OK && left.topic == NULL && unjudged < 0) {
        return UW_ACTION_QUIT;
    }
    if (code != UW_OK && error.class != UW_CLASS_RETRY) {
        return uw_worker_act(worker, code, &error);
    }
    say_waiting(worker, code, &left, unjudged, &error);
    return UW_ACTION_GO_ON;
}

static enum uw_action serve(struct uw_worker *worker)
{
    enum uw_action action = UW_ACTION_GO_ON;
    bool idle = false;
    while (action == UW_ACTION_GO_ON) {
        if (uw_signals_stop_requested()) {
            return UW_ACTION_QUIT;
        }
        if (uw_signals_reloads() != worker->reloads) {
            worker->reloads = uw_signals_reloads();
            uw_crew_reloading(worker->crew, true);
            reload(worker);
            uw_crew_reloading(worker->crew, false);
        }
        say_alive(worker);
        uw_worker_show(worker);
        action = look_at_clock(worker);
        if (action == UW_ACTION_GO_ON && uw_engine_needs_recovery(worker->engine)) {
            action = recover(worker);
            action = action == UW_ACTION_VOID ? UW_ACTION_GO_ON : action;
        }
        if (action == UW_ACTION_GO_ON && uw_engine_has_due(worker->engine) &&
            !uw_engine_needs_recovery(worker->engine)) {
            action = judge_due(worker);
        }
        if (action == UW_ACTION_GO_ON) {
            action = take_batch(worker, &idle);
        }
        if (action == UW_ACTION_GO_ON) { /* otherwise the consumer may be closed */
            uw_worker_report(worker, false);
        }
        if (action == UW_ACTION_GO_ON && idle && worker->options->until_idle) {
            action = end_or_wait(worker);
        } else {
            uw_crew_busy(worker->crew, worker->number);
        }
        idle = false;
    }
    return action;
}

/* One membership of the group, from joining to leaving. */
static enum uw_action run_once(struct uw_worker *worker)
{
    uw_monitor_stage(worker->monitor, worker->number, UW_STAGE_STARTING);
    worker->shown_ms = 0;
    enum uw_action action = uw_worker_open(worker);
    if (action == UW_ACTION_GO_ON) {
        char as_of[UW_DATE_TEXT_BYTES];
        uw_date_format(worker->as_of_day, as_of);
        uw_log(UW_LOG_INFO, "urenwacht %s with librdkafka %s, instance %s, as of %s", UW_VERSION,
               rd_kafka_version_str(), worker->instance, as_of);
        worker->report_ms = worker->started_ms = worker->positions_ms = worker->stored_ms = uw_clock_monotonic_ms();
        worker->others_ms = worker->others_said_ms = 0;
        worker->reported_events = 0;
        action = serve(worker);
        if (action == UW_ACTION_QUIT && worker->exit_code == UW_EXIT_OK && !uw_engine_needs_recovery(worker->engine)) {
            /* A last word to both servers; whoever comes next would find it out otherwise, unless Kafka forgets. */
            struct uw_error error = {.text = ""};
            if (uw_engine_publish(worker->engine, &error) != UW_OK ||
                uw_engine_store_published(worker->engine, uw_clock_ms(), &error) != UW_OK) {
                uw_log(UW_LOG_WARNING, "left to the next start: %s", error.text);
            }
        }
        uw_worker_report(worker, true);
    }
    if (action == UW_ACTION_QUIT) {
        uw_crew_leaves(worker->crew, worker->number, worker->exit_code);
    }
    uw_worker_close(worker);
    return action;
}

size_t uw_worker_cache_bytes(const struct uw_worker *worker)
{
    return (size_t)worker->config->cache_max_bytes / uw_crew_count(worker->crew);
}

/* Two members of the group cannot have one name; the first worker has the configured one, as the only one has. */
static void name_worker(struct uw_worker *worker)
{
    const char *name = worker->config->instance;
    if (worker->number == 0 || name[0] == '\0') {
        snprintf(worker->wanted_name, sizeof worker->wanted_name, "%s", name);
    } else {
        snprintf(worker->wanted_name, sizeof worker->wanted_name, "%s-%" PRIu32, name, worker->number + 1);
    }
}

/* The longest name that name_worker makes is one that Kafka takes. */
static enum uw_code check_name(const struct uw_config *config, struct uw_error *error)
{
    char number[NUMBER_BYTES] = "";
    if (config->process_workers > 1) {
        snprintf(number, sizeof number, "-%" PRId32, config->process_workers);
    }
    size_t max = UW_CONFIG_NAME_BYTES_MAX - strlen(number);
    if (strlen(config->instance) > max) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "group.instance: longer than %zu bytes%s", max,
                            number[0] == '\0' ? "" : ", which leave room for the workers' numbers");
    }
    return UW_OK;
}

/* The body of a thread of the crew. */
static int run_worker(struct uw_crew *crew, uint32_t number, void *context)
{
    const struct wiring *wiring = context;
    const struct uw_worker_options *options = wiring->options;
    struct uw_worker worker = {.options = options,
                               .config = options->config,
                               .crew = crew,
                               .number = number,
                               .monitor = wiring->monitor,
                               .as_of_day = wiring->as_of_day,
                               .told_partitions = -1,
                               .reloads = wiring->reloads};
    worker.settings = options->config->settings;
    for (uint32_t i = 0; i < 2; i++) {
        uw_arena_init(&worker.settings_memory[i], SETTINGS_BYTES_MAX);
    }
    uint64_t seed = (uint64_t)uw_clock_ms() ^ (uint64_t)getpid() << 32 ^ (uint64_t)number << 56;
    uw_backoff_init(&worker.backoff, options->config->retry_min_ms, options->config->retry_max_ms, seed);
    uw_backoff_init(&worker.name_backoff, options->config->retry_min_ms, options->config->retry_max_ms, seed);
    name_worker(&worker);
    enum uw_action action;
    do {
        action = run_once(&worker);
        if (action == UW_ACTION_REJOIN && uw_worker_wait(&worker, uw_backoff_next(&worker.backoff)) == UW_ACTION_QUIT) {
            action = UW_ACTION_QUIT;
        }
    } while (action != UW_ACTION_QUIT);
    for (uint32_t i = 0; i < 2; i++) {
        uw_arena_close(&worker.settings_memory[i]);
    }
    return worker.exit_code;
}

/* Open as long as the process lives, also while it waits for its servers. */
static enum uw_code open_monitor(const struct uw_config *config, struct uw_monitor **monitor, struct uw_error *error)
{
    const struct uw_monitor_options options = {
        .listen = config->metrics_listen,
        .workers = (uint32_t)config->process_workers,
        .patience_ms = (int64_t)config->database_timeout_ms + config->kafka_timeout_ms + PATIENCE_MS};
    return config->metrics_listen[0] == '\0' ? UW_OK : uw_monitor_open(&options, monitor, error);
}

int uw_worker_run(const struct uw_worker_options *options)
{
    struct wiring wiring = {.options = options, .as_of_day = options->as_of_day};
    struct uw_error error = {.text = ""};
    uw_signals_start();
    uw_signals_limit_stop();
    uw_notify_start();
    wiring.reloads = uw_signals_reloads();
    if (options->as_of_day == UW_DAY_NONE && uw_clock_today(&wiring.as_of_day, &error) != UW_OK) {
        uw_complain("%s", error.text);
        return UW_EXIT_USAGE;
    }
    if (check_name(options->config, &error) != UW_OK ||
        open_monitor(options->config, &wiring.monitor, &error) != UW_OK) {
        uw_complain("%s", error.text);
        return UW_EXIT_USAGE;
    }
    const struct uw_crew_options crew = {.count = (uint32_t)options->config->process_workers,
                                         .body = run_worker,
                                         .context = &wiring,
                                         .monitor = wiring.monitor};
    int exit_code = uw_crew_run(&crew);
    uw_notify("STOPPING=1");
    uw_monitor_close(&wiring.monitor);
    return exit_code;
}
