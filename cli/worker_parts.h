/*
 * The inside of the worker, for its files: worker.c (the loop, and what is done about an error), worker_open.c (what it
 * is made of, and the callbacks of those) and worker_show.c (what it tells of itself).
 */
#ifndef UW_CLI_WORKER_PARTS_H
#define UW_CLI_WORKER_PARTS_H

#include "cli/backoff.h"
#include "cli/crew.h"
#include "cli/worker.h"
#include "consumers/audit.h"
#include "consumers/intake.h"
#include "consumers/registry.h"
#include "consumers/search.h"
#include "core/engine.h"
#include "producers/publisher.h"
#include "producers/store.h"
#include "schemas/output.h"

#define UW_WORKER_NAME_BYTES 320

/* What to do next, decided in uw_worker_act alone. */
enum uw_action {
    UW_ACTION_GO_ON,  /* it worked */
    UW_ACTION_AGAIN,  /* the same call again */
    UW_ACTION_VOID,   /* the assignment changed: forget the batch */
    UW_ACTION_REJOIN, /* close everything and begin anew */
    UW_ACTION_QUIT,   /* leave; worker->exit_code says how */
};

struct uw_worker {
    const struct uw_worker_options *options;
    const struct uw_config *config;
    struct uw_crew *crew;
    uint32_t number; /* in the crew */
    int32_t reloads; /* as uw_signals_reloads said at the last look */
    struct uw_backoff backoff;
    struct uw_backoff name_backoff;
    struct uw_patience refused; /* our name: the group has another member of it */
    int exit_code;

    /* The thresholds in use; those of a reload live in the other arena than the ones before. */
    struct uw_settings settings;
    struct uw_arena settings_memory[2];
    uint32_t settings_turn;

    /* The configured name, or what another than the first worker makes of it; "": none. */
    char wanted_name[UW_WORKER_NAME_BYTES];
    char instance[UW_WORKER_NAME_BYTES], transactional_id[2 * UW_WORKER_NAME_BYTES];
    struct uw_pgstore *store;
    struct uw_registry *registry;
    struct uw_codec *codec;
    struct uw_output_encoder output;
    struct uw_transactor *transactor;
    struct uw_intake *intake;
    struct uw_audit *audit; /* of the others' partitions; NULL until an idle worker has looked for them */
    struct uw_search *search; /* of records that may or may not be published; NULL: none under way */
    int64_t search_ms;        /* when it began */
    struct uw_engine *engine;

    struct uw_meter meter;
    struct uw_monitor *monitor; /* NULL: not asked for */
    int64_t clients_due, due_ms, shown_ms;

    int32_t as_of_day;
    int64_t clock_ms, positions_ms, stored_ms, report_ms, started_ms, others_ms, others_said_ms;
    uint64_t reported_events;
    bool joined;
    bool catches_up; /* as the intake said last */
    int64_t told_partitions; /* how many it has said that the group has given it; -1: nothing yet */
};

/* ---- worker.c ---- */

/* What an error's class asks for; the only place that decides it. Logs, waits with growing pauses, and sets the exit
 * code. */
enum uw_action uw_worker_act(struct uw_worker *worker, enum uw_code code, const struct uw_error *error);
/* Waits, keeping the place in the group. UW_ACTION_AGAIN when the time is over. */
enum uw_action uw_worker_wait(struct uw_worker *worker, int32_t wait_ms);

/* Its share of cache.max_bytes. */
size_t uw_worker_cache_bytes(const struct uw_worker *worker);

/* ---- worker_open.c ---- */

/* Store, codec, engine, producer and consumer, in this order; what could be opened stays open until uw_worker_close. */
enum uw_action uw_worker_open(struct uw_worker *worker);
/* The consumer alone, which is the last of them. */
enum uw_action uw_worker_open_consumer(struct uw_worker *worker);
void uw_worker_close(struct uw_worker *worker);
/* Gives a search up that nobody waits for: its partition was taken away. */
void uw_worker_end_search(struct uw_worker *worker);

/* ---- worker_show.c ---- */

/* Hands a new picture over to the monitor when the last one is old enough; asks no server. */
void uw_worker_show_figures(struct uw_worker *worker);
/* At every turn of the loop: the stage, and the figures, for which the clients that are due are counted now and
 * then. */
void uw_worker_show(struct uw_worker *worker);
/* The line of progress in the log when it is time for one; `last`: what was done in all. */
void uw_worker_report(struct uw_worker *worker, bool last);

#endif
