/*
 * What everything that speaks to Kafka shares: making a client from the user's properties, telling apart the
 * errors of the world, and asking for a topic's partitions. Used by consumers/ and producers/.
 */
#ifndef UW_CONSUMERS_KAFKA_CONF_H
#define UW_CONSUMERS_KAFKA_CONF_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

#include "consumers/property.h"
#include "core/types.h"

#define UW_KAFKA_PARTITIONS_MAX 10000 /* of one topic */
#define UW_KAFKA_REASON_BYTES 256

/* Where librdkafka's own lines go. `level` is syslog's (3 error, 4 warning, 6 info, 7 debug). May be called from
 * librdkafka's threads, until the client is closed. `write` NULL: nowhere. */
struct uw_kafka_log {
    void *context;
    void (*write)(void *context, int level, const char *text);
};

/* The opaque of every client: what its callbacks found out. It must be the first member of whatever a file's own
 * callbacks need, and outlive the client. */
struct uw_kafka_link {
    struct uw_kafka_log log;
    atomic_int refused; /* rd_kafka_resp_err_t: the broker refused our credentials or our certificate; 0: no */
    atomic_int away;    /* rd_kafka_resp_err_t: why no broker is reachable; 0: not known to be away */
};

/* Three layers: `defaults` may be overridden by the user's `properties`; `required` may not, and a property that
 * says otherwise is UW_ECONFIG, naming it. The arrays of defaults and required end with a NULL name. */
struct uw_kafka_setup {
    const struct uw_property *defaults;
    const struct uw_property *properties;
    uint32_t property_count;
    const struct uw_property *required;
};

/* A configuration with the callbacks of `link` installed, to be handed to rd_kafka_new or destroyed. */
enum uw_code uw_kafka_conf_build(const struct uw_kafka_setup *setup, struct uw_kafka_link *link,
                                 rd_kafka_conf_t **conf, struct uw_error *error) UW_MUST_USE;
/* Lets a consumer read what is not committed too, whatever the user's properties have said of the others. */
void uw_kafka_conf_uncommitted(rd_kafka_conf_t *conf);
/* The client; takes `take_conf` in any case. */
enum uw_code uw_kafka_client_open(rd_kafka_type_t type, rd_kafka_conf_t *take_conf, rd_kafka_t **client,
                                  struct uw_error *error) UW_MUST_USE;
/* The user's value of a property, or NULL. */
const char *uw_kafka_property(const struct uw_property *properties, uint32_t property_count, const char *name);

/* Fills `error` for a code of librdkafka or the broker and returns its uw_code. `what` says in a few words what
 * was tried ("reading the metadata of topic x"); `reason` may be NULL or librdkafka's own text. */
enum uw_code uw_kafka_fail(rd_kafka_resp_err_t err, const char *what, const char *reason, struct uw_error *error);
/* The same, but when the link knows that credentials were refused or that no broker answers, it says that. */
enum uw_code uw_kafka_link_fail(const struct uw_kafka_link *link, rd_kafka_resp_err_t err, const char *what,
                                struct uw_error *error);
/* The class that uw_kafka_fail gives. */
enum uw_class uw_kafka_class(rd_kafka_resp_err_t err);

/* Partitions of an existing topic. Unreachable: UW_CLASS_RETRY. No such topic, credentials refused: UW_ECONFIG,
 * UW_CLASS_FATAL. Must be called before rd_kafka_poll_set_consumer. */
enum uw_code uw_kafka_partition_count(rd_kafka_t *client, const struct uw_kafka_link *link, const char *topic,
                                      int32_t timeout_ms, int32_t *partition_count,
                                      struct uw_error *error) UW_MUST_USE;

/* The same for several topics, asked by a client of its own; `counts` has room for all. A consumer asks, since the
 * question of a producer could make a broker create what is missing. */
enum uw_code uw_kafka_partition_counts(const struct uw_property *properties, uint32_t property_count,
                                       const struct uw_kafka_log *log, int32_t timeout_ms, const char *const *topics,
                                       uint32_t topic_count, int32_t *counts, struct uw_error *error) UW_MUST_USE;

/* All topics of the cluster, to be given to rd_kafka_metadata_destroy. Errors as above. */
enum uw_code uw_kafka_cluster(rd_kafka_t *client, const struct uw_kafka_link *link, int32_t timeout_ms,
                              const struct rd_kafka_metadata **cluster, struct uw_error *error) UW_MUST_USE;

/* Milliseconds of a clock that only goes forward: deadlines of this process, no data. */
int64_t uw_kafka_clock_ms(void);
/* What is left until the deadline, at least 0, as librdkafka's timeouts want it. */
int uw_kafka_left_ms(int64_t deadline_ms);

#endif
