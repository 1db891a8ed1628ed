#include "tests/support/instance.h"

#include <string.h>

void uw_instance_open(struct uw_instance *instance, const struct uw_instance_options *options)
{
    memset(instance, 0, sizeof *instance);
    instance->session = (struct uw_fake_session){options->store, options->faults};
    instance->member = (struct uw_fake_member){.kafka = options->kafka, .faults = options->faults, .number = options->number};
    instance->overlap = options->overlap;
    const struct uw_engine_options engine = {.decoder = uw_fake_decoder_port(&instance->member),
                                             .encoder = uw_fake_encoder_port(),
                                             .store = uw_fake_store_port(&instance->session),
                                             .publisher = uw_fake_publisher_port(&instance->member),
                                             .settings = options->settings,
                                             .cache_max_bytes = options->cache_max_bytes,
                                             .due_clients = options->due_clients,
                                             .due_facts = options->due_facts,
                                             .as_of_day = options->as_of_day,
                                             .pinned = options->pinned,
                                             .rules_version = options->rules_version};
    if (uw_engine_open(&engine, &instance->engine, &instance->error) != UW_OK) {
        abort();
    }
}

void uw_instance_close(struct uw_instance *instance)
{
    uw_engine_close(&instance->engine);
}

static void give_up(struct uw_instance *instance)
{
    for (int32_t i = 0; i < UW_FAKE_PARTITIONS_MAX; i++) {
        uw_instance_revoke(instance, i);
    }
}

/* What a failed call asks for; UW_PROGRESS_DONE: the same call again. */
static enum uw_progress act(struct uw_instance *instance)
{
    if (instance->session.faults->crashed) {
        return UW_PROGRESS_CRASHED;
    }
    switch (instance->error.class) {
    case UW_CLASS_RETRY:
        return UW_PROGRESS_DONE;
    case UW_CLASS_ABORT:
        return UW_PROGRESS_REPLAY;
    case UW_CLASS_FENCED:
        give_up(instance);
        return UW_PROGRESS_LOST;
    case UW_CLASS_NONE:
    case UW_CLASS_INPUT:
    case UW_CLASS_FATAL:
        break;
    }
    return UW_PROGRESS_STUCK;
}

/* Claiming and recovering begin with nothing that could be undone: both are simply done again. */
static enum uw_progress recover(struct uw_instance *instance)
{
    while (uw_engine_needs_recovery(instance->engine)) {
        if (uw_engine_recover(instance->engine, &instance->error) != UW_OK) {
            enum uw_progress progress = act(instance);
            if (progress != UW_PROGRESS_DONE && progress != UW_PROGRESS_REPLAY) {
                return progress;
            }
        }
    }
    return UW_PROGRESS_DONE;
}

static enum uw_progress claim(struct uw_instance *instance, int32_t partition)
{
    int64_t next_offset[UW_TOPIC_COUNT];
    while (uw_engine_claim(instance->engine, partition, next_offset, &instance->error) != UW_OK) {
        enum uw_progress progress = act(instance);
        if (progress != UW_PROGRESS_DONE && progress != UW_PROGRESS_REPLAY) {
            return progress;
        }
    }
    instance->assigned[partition] = true;
    return UW_PROGRESS_DONE;
}

enum uw_progress uw_instance_assign(struct uw_instance *instance, int32_t partition)
{
    enum uw_progress progress = claim(instance, partition);
    return progress == UW_PROGRESS_DONE ? recover(instance) : progress;
}

void uw_instance_revoke(struct uw_instance *instance, int32_t partition)
{
    uw_engine_release(instance->engine, partition);
    instance->assigned[partition] = false;
}

/* Takes everything over once more, so that it stands where the store stands. */
static enum uw_progress replay(struct uw_instance *instance)
{
    enum uw_progress progress = UW_PROGRESS_DONE;
    for (int32_t i = 0; i < UW_FAKE_PARTITIONS_MAX && progress == UW_PROGRESS_DONE; i++) {
        if (instance->assigned[i]) {
            progress = claim(instance, i);
        }
    }
    progress = progress == UW_PROGRESS_DONE ? recover(instance) : progress;
    return progress == UW_PROGRESS_DONE ? UW_PROGRESS_REPLAY : progress;
}

enum uw_progress uw_instance_finish(struct uw_instance *instance)
{
    if (uw_engine_publish_finish(instance->engine, &instance->error) == UW_OK) {
        return UW_PROGRESS_DONE;
    }
    enum uw_progress progress = act(instance);
    return progress == UW_PROGRESS_REPLAY ? recover(instance) : progress;
}

static enum uw_progress publish(struct uw_instance *instance)
{
    enum uw_progress finished = uw_instance_finish(instance);
    if (finished != UW_PROGRESS_DONE) {
        return finished;
    }
    while (uw_engine_has_records(instance->engine) || uw_engine_has_positions(instance->engine)) {
        enum uw_code code = instance->overlap ? uw_engine_publish_start(instance->engine, &instance->error)
                                              : uw_engine_publish(instance->engine, &instance->error);
        if (code == UW_OK) {
            return UW_PROGRESS_DONE;
        }
        enum uw_progress progress = act(instance);
        if (progress == UW_PROGRESS_REPLAY) {
            return recover(instance);
        }
        if (progress != UW_PROGRESS_DONE) {
            return progress;
        }
    }
    return UW_PROGRESS_DONE;
}

uint32_t uw_instance_poll(const struct uw_instance *instance, struct uw_random *random, uint32_t limit,
                          struct uw_message *messages)
{
    int64_t at[UW_FAKE_PARTITIONS_MAX][UW_TOPIC_COUNT];
    uint32_t count = 0, misses = 0;
    for (int32_t i = 0; i < UW_FAKE_PARTITIONS_MAX; i++) {
        if (instance->assigned[i] && !uw_engine_position(instance->engine, i, at[i])) {
            abort();
        }
        for (uint32_t topic = 0; topic < UW_TOPIC_COUNT && instance->assigned[i]; topic++) {
            /* Messages that were applied before are to be passed over. */
            at[i][topic] -= uw_random_chance(random, 10) && at[i][topic] >= 3 ? 3 : 0;
        }
    }
    while (count < limit && misses < 200) {
        int32_t partition = (int32_t)uw_random_below(random, UW_FAKE_PARTITIONS_MAX);
        enum uw_topic topic = (enum uw_topic)uw_random_below(random, UW_TOPIC_COUNT);
        const struct uw_message *message =
            instance->assigned[partition]
                ? uw_fake_kafka_at(instance->member.kafka, topic, partition, at[partition][topic])
                : NULL;
        if (message == NULL) {
            misses++;
            continue;
        }
        messages[count++] = *message;
        at[partition][topic] = message->offset + 1;
    }
    return count;
}

enum uw_progress uw_instance_apply(struct uw_instance *instance, const struct uw_message *messages, uint32_t count)
{
    enum uw_progress recovered = recover(instance);
    if (recovered != UW_PROGRESS_DONE) {
        return recovered;
    }
    while (uw_engine_apply(instance->engine, messages, count, ++instance->now_ms, &instance->error) != UW_OK) {
        enum uw_progress progress = act(instance);
        if (progress == UW_PROGRESS_REPLAY) {
            return replay(instance);
        }
        if (progress != UW_PROGRESS_DONE) {
            return progress;
        }
    }
    return publish(instance);
}

enum uw_progress uw_instance_due(struct uw_instance *instance, uint32_t limit, bool *more)
{
    *more = true;
    enum uw_progress recovered = recover(instance);
    if (recovered != UW_PROGRESS_DONE) {
        return recovered;
    }
    while (uw_engine_due(instance->engine, limit, ++instance->now_ms, more, &instance->error) != UW_OK) {
        enum uw_progress progress = act(instance);
        if (progress == UW_PROGRESS_REPLAY) {
            return replay(instance);
        }
        if (progress != UW_PROGRESS_DONE) {
            return progress;
        }
    }
    return publish(instance);
}

enum uw_progress uw_instance_tick(struct uw_instance *instance, int32_t as_of_day)
{
    uw_engine_tick(instance->engine, as_of_day);
    return recover(instance);
}

enum uw_progress uw_instance_replace_settings(struct uw_instance *instance, const struct uw_settings *settings)
{
    if (uw_engine_replace_settings(instance->engine, settings, &instance->error) != UW_OK) {
        enum uw_progress progress = act(instance);
        if (progress != UW_PROGRESS_DONE && progress != UW_PROGRESS_REPLAY) {
            return progress;
        }
    }
    return recover(instance);
}

enum uw_progress uw_instance_store_published(struct uw_instance *instance)
{
    while (uw_engine_store_published(instance->engine, ++instance->now_ms, &instance->error) != UW_OK) {
        enum uw_progress progress = act(instance);
        if (progress != UW_PROGRESS_DONE && progress != UW_PROGRESS_REPLAY) {
            return progress;
        }
    }
    return UW_PROGRESS_DONE;
}
