/*
 * Fault points, built with -DUW_FAULT_POINTS=ON only, never in a release: the process kills itself at the n-th
 * call of a port, so that tests can show what a crash at that very place leaves behind.
 *
 * URENWACHT_FAULT=PLACE:N with PLACE one of
 *   before-commit, after-commit      the transaction in PostgreSQL
 *   before-publish, after-publish    the transaction in Kafka
 *   before-claim, after-claim        taking a partition over
 *
 * URENWACHT_TEST_RULES_VERSION=N makes the program take its rules for version N, as if it judged otherwise.
 */
#ifndef UW_CLI_FAULTS_H
#define UW_CLI_FAULTS_H

#include "core/engine.h"

#ifdef UW_FAULT_POINTS
/* Wraps the ports in place. */
void uw_faults_wrap(struct uw_store *store, struct uw_publisher *publisher);
/* By which rules' version this program judges. */
int32_t uw_faults_rules_version(void);
#else
static inline int32_t uw_faults_rules_version(void)
{
    return UW_RULES_VERSION;
}
static inline void uw_faults_wrap(struct uw_store *store, struct uw_publisher *publisher)
{
    (void)store;
    (void)publisher;
}
#endif

#endif
