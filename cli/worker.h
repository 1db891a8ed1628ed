/*
 * The processor at work: everything wired together, and the one place that acts on classes of errors.
 */
#ifndef UW_CLI_WORKER_H
#define UW_CLI_WORKER_H

#include "cli/command.h"

struct uw_worker_options {
    const struct uw_options *command; /* to read the configuration again on SIGHUP */
    const struct uw_config *config;
    int32_t as_of_day;        /* UW_DAY_NONE: the clock's day in Europe/Amsterdam */
    bool until_idle;          /* end when everything that is there has been processed */
    bool accept_lost_offsets; /* see core/engine.h */
};

/* Runs config's process.workers workers until they are asked to stop, are idle, or one cannot go on. Returns the exit
 * code; says what was wrong. */
int uw_worker_run(const struct uw_worker_options *options);

#endif
