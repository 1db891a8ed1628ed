/*
 * One instance of the processor against the fakes: an engine, and what cli/process does around it, which is to
 * act on the class of an error.
 */
#ifndef UW_TESTS_INSTANCE_H
#define UW_TESTS_INSTANCE_H

#include "core/engine.h"
#include "tests/support/fake_kafka.h"

enum uw_progress {
    UW_PROGRESS_DONE,
    UW_PROGRESS_REPLAY,  /* given up and undone: read again from where the store stands */
    UW_PROGRESS_LOST,    /* fenced: all partitions were given up */
    UW_PROGRESS_CRASHED, /* close the instance and open another */
    UW_PROGRESS_STUCK,   /* an error that a running processor would end with */
};

struct uw_instance {
    struct uw_engine *engine;
    struct uw_fake_session session;
    struct uw_fake_member member;
    bool assigned[UW_FAKE_PARTITIONS_MAX];
    bool overlap;
    int64_t now_ms;
    struct uw_error error; /* the last one */
};

struct uw_instance_options {
    struct uw_fake_store *store;
    struct uw_fake_kafka *kafka;
    struct uw_faults *faults;
    const struct uw_settings *settings;
    int32_t number; /* of the member */
    int32_t as_of_day;
    bool pinned;
    bool overlap; /* a batch's records are published while the next one is applied */
    int32_t rules_version; /* 0: the program's own */
    size_t cache_max_bytes;
    uint32_t due_clients, due_facts; /* as in uw_engine_options */
};

/* Aborts when memory is refused. */
void uw_instance_open(struct uw_instance *instance, const struct uw_instance_options *options);
void uw_instance_close(struct uw_instance *instance);

/* The group gave it a partition: claims it and recovers. */
enum uw_progress uw_instance_assign(struct uw_instance *instance, int32_t partition) UW_MUST_USE;
/* The group took a partition, and it knows. */
void uw_instance_revoke(struct uw_instance *instance, int32_t partition);

/* Messages for one batch of at most `limit`, from where the engine stands or a little before; topics and
 * partitions are mixed. Returns their number. */
uint32_t uw_instance_poll(const struct uw_instance *instance, struct uw_random *random, uint32_t limit,
                          struct uw_message *messages);
/* Applies a batch and publishes its records, or begins to. */
enum uw_progress uw_instance_apply(struct uw_instance *instance, const struct uw_message *messages, uint32_t count)
    UW_MUST_USE;
/* Judges clients whose day has come, one step, and publishes. */
enum uw_progress uw_instance_due(struct uw_instance *instance, uint32_t limit, bool *more) UW_MUST_USE;
/* Waits for what is being published. */
enum uw_progress uw_instance_finish(struct uw_instance *instance) UW_MUST_USE;
enum uw_progress uw_instance_tick(struct uw_instance *instance, int32_t as_of_day) UW_MUST_USE;
/* Before a rest: the store learns what is published. */
enum uw_progress uw_instance_store_published(struct uw_instance *instance) UW_MUST_USE;
enum uw_progress uw_instance_replace_settings(struct uw_instance *instance, const struct uw_settings *settings)
    UW_MUST_USE;

#endif
