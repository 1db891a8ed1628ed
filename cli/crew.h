/*
 * The workers of one process: so many threads that do the same, and what is told of them together: to systemd, in the
 * figures for Prometheus, and in the exit code.
 *
 * The workers share nothing else. Each is a member of the consumer group with connections of its own, so that two
 * workers are to Kafka and PostgreSQL what two processes are.
 */
#ifndef UW_CLI_CREW_H
#define UW_CLI_CREW_H

#include "cli/monitor.h"

struct uw_crew;

/* What one worker does, in a thread of its own, until it is asked to stop (uw_signals_stop_requested), has nothing left
 * to do, or cannot go on. Returns its exit code; `number` counts from 0. */
typedef int uw_crew_body(struct uw_crew *crew, uint32_t number, void *context);

struct uw_crew_options {
    uint32_t count; /* 1..UW_WORKERS_MAX (cli/config.h) */
    uw_crew_body *body;
    void *context;
    struct uw_monitor *monitor; /* of as many workers; NULL: not asked for */
};

/* What was done, for the last line of the log. */
struct uw_crew_totals {
    uint64_t events, redelivered, refused, batches, records;
    int64_t started_ms, ended_ms; /* monotonic; of the totals: the first start and the last end */
};

/* Runs the workers until the last has ended. When one ends with another exit code than 0, the others are asked to stop.
 * Returns the first such code, otherwise 0. Says in the log what all of them have done when there are several. */
int uw_crew_run(const struct uw_crew_options *options);

/* ---- from the workers; any thread ---- */

uint32_t uw_crew_count(const struct uw_crew *crew);
/* The loop of this worker turns. systemd's watchdog is fed as long as those of all turn. */
void uw_crew_alive(struct uw_crew *crew, uint32_t number);
/* Waits until every worker has come so far, the first time for each, so that they join the group together: the first
 * would otherwise begin with all partitions, and give up most of them again. Not for long, since one may be waiting for
 * its server. */
void uw_crew_gather(struct uw_crew *crew, uint32_t number);
/* Whether all workers are idle, and every partition was done by one of them: this one with `partitions`, of
 * `partition_count` in all. */
bool uw_crew_is_idle(struct uw_crew *crew, uint32_t number, const int32_t *partitions, uint32_t count,
                     int32_t partition_count);
/* It is not, or not any more. */
void uw_crew_busy(struct uw_crew *crew, uint32_t number);
/* The group has given it so many partitions. systemd hears that the process is ready when every worker has said so. */
void uw_crew_assigned(struct uw_crew *crew, uint32_t number, uint32_t partitions);
/* Around the reading of a changed configuration, which systemd is told of. */
void uw_crew_reloading(struct uw_crew *crew, bool begins);
/* It has worked and closes what it has opened; the last one to leave does not do so for ever. With another exit code than
 * 0 the others are asked to stop. Said again it changes nothing. */
void uw_crew_leaves(struct uw_crew *crew, uint32_t number, int exit_code);
void uw_crew_add(struct uw_crew *crew, const struct uw_crew_totals *totals);

/* "5 events (1 redelivered, ...) in 2 batches, ..., 1.5 s" into the log, after `whose`. */
void uw_crew_say(const char *whose, const struct uw_crew_totals *totals);

#endif
