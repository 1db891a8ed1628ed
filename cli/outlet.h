/*
 * Where the events of `feed` and `simulate` go: to Kafka as Avro, to a file as JSON lines, or nowhere.
 */
#ifndef UW_CLI_OUTLET_H
#define UW_CLI_OUTLET_H

#include "cli/command.h"

/* What one event may take when it is written as Avro or JSON; valid ones take much less. */
#define UW_OUTLET_EVENT_BYTES_MAX (16u * 1024u * 1024u)

struct uw_outlet;

struct uw_outlet_statistics {
    uint64_t events[UW_TOPIC_COUNT]; /* taken */
    uint64_t delivered;              /* acknowledged by Kafka, or written to the file */
};

/* Kafka when `path` is NULL, standard output for "-". `rate` events a second; 0: as fast as it goes. While no
 * broker answers it waits with backoff and says so, until a signal asks to stop (UW_ETIMEOUT then). */
enum uw_code uw_outlet_open(const struct uw_config *config, const char *path, int64_t rate, struct uw_outlet **outlet,
                            struct uw_error *error) UW_MUST_USE;
/* Only checks that events can be encoded; nothing leaves the process. */
enum uw_code uw_outlet_open_nowhere(struct uw_outlet **outlet, struct uw_error *error) UW_MUST_USE;

/* The event must be valid. Waits for its turn where there is a rate. UW_CLASS_INPUT: this event cannot be sent,
 * others can. */
enum uw_code uw_outlet_send(struct uw_outlet *outlet, const struct uw_event *event,
                            struct uw_error *error) UW_MUST_USE;
/* Waits until everything arrived; a second signal ends that. */
enum uw_code uw_outlet_finish(struct uw_outlet *outlet, struct uw_error *error) UW_MUST_USE;
void uw_outlet_statistics(const struct uw_outlet *outlet, struct uw_outlet_statistics *statistics);
void uw_outlet_close(struct uw_outlet **outlet);

#endif
