/*
 * What the processor counts of itself, and the picture of it that is shown (cli/monitor.h).
 *
 * The meter stands between the engine and its ports: what it counts has been committed, not tried. It belongs to
 * the thread of the main loop.
 */
#ifndef UW_CLI_METER_H
#define UW_CLI_METER_H

#include "core/engine.h"
#include "core/ports.h"
#include "dashboard/exposition.h"

enum uw_commit_target { UW_COMMIT_POSTGRESQL, UW_COMMIT_KAFKA };
#define UW_COMMIT_TARGETS 2

/* Of one place to which is committed. */
struct uw_commit_figures {
    struct uw_histogram durations; /* of those that succeeded */
    uint64_t failures;
    int64_t last_ms; /* of the last that succeeded, UTC; 0: none yet */
};

/* Counted since the process began. */
struct uw_meter_figures {
    struct uw_commit_figures commits[UW_COMMIT_TARGETS];
    struct uw_histogram batches; /* from the messages in hand to their records in Kafka */
    uint64_t accepted, redelivered, refused, skipped; /* events */
    uint64_t alerts[UW_ALERT_KIND_COUNT][2], anomalies[UW_ANOMALY_KIND_COUNT][2]; /* revisions, by status */
    uint64_t records[UW_OUTPUT_COUNT]; /* published in Kafka */
    uint64_t clients_judged, cache_hits, cache_misses;
    uint64_t searches; /* in the output topics, of what is published */
};

struct uw_meter {
    struct uw_meter_figures figures;
    struct uw_engine_statistics counted; /* of the engine in use, as far as it is in the figures */
    struct uw_store store;               /* what was wrapped */
    struct uw_publisher publisher;
    /* Of the transaction under way: how long its beginning took, and its records. */
    int64_t start_us;
    uint64_t begun_records[UW_OUTPUT_COUNT];
};

/* Adds what another meter has counted. */
void uw_meter_add(struct uw_meter_figures *sum, const struct uw_meter_figures *figures);

/* Wraps the ports in place; the meter must stay as long as they are used. Called again for every new engine, whose
 * counts are then added to those of the ones before. */
void uw_meter_wrap(struct uw_meter *meter, struct uw_store *store, struct uw_publisher *publisher);
/* Takes over what the engine has counted since the last call. */
void uw_meter_take(struct uw_meter *meter, const struct uw_engine_statistics *statistics);
/* A batch is done that was begun at this time of uw_meter_now_us. */
void uw_meter_batch(struct uw_meter *meter, int64_t begun_us);
int64_t uw_meter_now_us(void);

#endif
