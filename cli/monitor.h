/*
 * /metrics, /healthz and /readyz of `urenwacht process`, on a listener with threads of its own.
 *
 * The loop of every worker hands over a copy of its figures now and then and says at every turn that it lives; requests
 * are answered from the sum of the copies. Neither waits for the other longer than a copy takes, and nothing of the
 * engine is ever touched by a request.
 *
 * Everybody who can reach the address may read: there are no tokens, and no names of clients or decisions.
 */
#ifndef UW_CLI_MONITOR_H
#define UW_CLI_MONITOR_H

#include "cli/meter.h"
#include "consumers/intake.h"

/* As many scrapers and probes as may be connected at once; who comes beyond them waits until one has left. */
#define UW_MONITOR_CONNECTIONS_MAX 64

/* What a worker is at; /readyz is 200 while all of them are WORKING and events that wait are applied. */
enum uw_stage {
    UW_STAGE_STARTING,   /* nothing is open */
    UW_STAGE_JOINING,    /* the group has not handed out partitions */
    UW_STAGE_RECOVERING, /* what was decided before is being published */
    UW_STAGE_WORKING,
    UW_STAGE_WAITING,    /* a call failed and will be made again */
    UW_STAGE_STOPPING,
    UW_STAGE_ENDED, /* there is no loop to be seen any more */
};

/* The picture. */
struct uw_monitor_figures {
    struct uw_meter_figures meter;
    struct uw_intake_lag lags[UW_TOPIC_COUNT];
    uint64_t cache_bytes, cache_clients, cache_facts;
    int64_t cache_max_bytes;
    int64_t clients_due;
    uint32_t partitions_owned;
    int32_t partition_count; /* of each input topic; 0: not known yet */
    int32_t as_of_day;
};

struct uw_monitor;

struct uw_monitor_options {
    const char *listen;  /* "ADDRESS:PORT" or "[ADDRESS]:PORT", an IP address; port 0: any free one */
    uint32_t workers;    /* 1..UW_WORKERS_MAX; 0: one */
    /* /healthz is 503 when the loop of any worker has not been seen for so long; /readyz also when events of it have
     * waited for so long and none was applied. */
    int64_t patience_ms;
};

/* Listens. UW_ECONFIG (FATAL): the address cannot be used. Logs where it listens. */
enum uw_code uw_monitor_open(const struct uw_monitor_options *options, struct uw_monitor **monitor,
                             struct uw_error *error) UW_MUST_USE;
void uw_monitor_close(struct uw_monitor **monitor);
int32_t uw_monitor_port(const struct uw_monitor *monitor);

/* From the loop of a worker, which counts from 0. A NULL monitor is nobody to tell. */
void uw_monitor_alive(struct uw_monitor *monitor, uint32_t worker);
void uw_monitor_stage(struct uw_monitor *monitor, uint32_t worker, enum uw_stage stage);
void uw_monitor_show(struct uw_monitor *monitor, uint32_t worker, const struct uw_monitor_figures *figures);

/* ---- monitor_text.c ---- */

/* Adds the figures of one worker to those of others. */
void uw_monitor_add(struct uw_monitor_figures *sum, const struct uw_monitor_figures *figures);
/* The figures as Prometheus reads them. */
void uw_monitor_write(struct uw_text *text, const struct uw_monitor_figures *figures, bool ready, int64_t silent_ms,
                      int64_t stalled_ms);

#endif
