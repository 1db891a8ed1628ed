/*
 * One documented YAML file, overridden by environment variables, overridden by flags.
 *
 * The file's keys are nested (`database:` / `dsn:`); their dotted paths are the names that --set takes and, in
 * upper case with `_` for `.` and `-` and the prefix URENWACHT_, those of the environment
 * (kafka.bootstrap.servers is URENWACHT_KAFKA_BOOTSTRAP_SERVERS). URENWACHT_DSN is short for database.dsn. Any
 * property of librdkafka passes through under `kafka.`. An unknown key or a bad value is an error that names
 * the key and the line (or the variable, or the flag).
 */
#ifndef UW_CLI_CONFIG_H
#define UW_CLI_CONFIG_H

#include "consumers/property.h" /* struct uw_property */
#include "core/ports.h"
#include "core/settings.h"

#define UW_WORKERS_MAX 64 /* of one process */

struct uw_config {
    /* database */
    const char *dsn; /* libpq conninfo or URI; "" lets libpq use its own environment */
    /* kafka: every property under `kafka.`, for librdkafka, sorted by name, without repeats */
    struct uw_property *kafka;
    uint32_t kafka_count;
    /* topics */
    const char *topics[UW_TOPIC_COUNT];   /* urenwacht.decisions, ... */
    const char *outputs[UW_OUTPUT_COUNT]; /* urenwacht.alerts, urenwacht.anomalies, urenwacht.dead-letters */
    int32_t topic_partitions;             /* for creating topics: 12 */
    int32_t topic_replication;            /* -1: the broker's default */
    /* group */
    const char *group_id;      /* urenwacht */
    const char *instance;      /* name of this instance; "" lets `process` take a free slot name */
    bool static_membership;    /* group.instance.id = instance */
    /* process */
    const char *metrics_listen; /* "ADDRESS:PORT" of its figures; "": none */
    int32_t process_workers;    /* members of the group in one process; each has its share of the cache */
    /* schema registry */
    const char *registry_url;  /* "": Confluent wire format is refused */
    /* batch and cache limits */
    int32_t batch_max_events;  /* 20000 */
    int64_t batch_max_bytes;   /* 64 MiB */
    int32_t batch_linger_ms;   /* 50: how long a batch waits for more */
    int64_t cache_max_bytes;   /* 128 MiB */
    int32_t due_batch_clients; /* 2000: clients per step when the day turns */
    /* waiting */
    int32_t retry_min_ms, retry_max_ms; /* 100, 10000 */
    int32_t database_timeout_ms;        /* 60000: statement timeout and dead connection */
    int32_t kafka_timeout_ms;           /* 30000: every call to a broker */
    /* serve */
    const char *serve_listen;  /* IP address: 127.0.0.1 */
    int32_t serve_port;        /* 8480; 0: any free one */
    int32_t serve_workers;     /* 8: requests answered at once, each with a connection to the database */
    int32_t serve_max_connections, serve_max_per_address; /* 2000 */
    int32_t serve_timeout_ms;  /* 15000: statement timeout of a request */
    bool serve_secure_cookie;  /* true: the browser sends the cookie over https (or to localhost) only */
    const char *serve_page;    /* folder of the built page; "": the API alone */
    int64_t serve_stream_bytes; /* 128 MiB of events kept for subscribers */
    /* webhooks */
    bool webhooks_enabled;          /* true: this `serve` queues and sends, when no other does */
    bool webhooks_http;             /* false: URLs have to be https */
    const char *webhooks_allow;     /* nets and addresses that are not public and allowed all the same: none */
    const char *webhooks_ports;     /* 443 */
    const char *webhooks_source;    /* /urenwacht: `source` of the CloudEvents */
    const char *webhooks_ca_file;   /* "": the system's certificates */
    int32_t webhooks_max_per_token; /* 20 */
    int32_t webhooks_max_queued;    /* 10000 deliveries of one webhook */
    int32_t webhooks_connections;   /* 32 requests at once */
    int32_t webhooks_timeout_ms;    /* 10000: of one request */
    int32_t webhooks_retry_min_ms, webhooks_retry_max_ms; /* 5000, 3600000 */
    int32_t webhooks_give_up_minutes; /* 1440 */
    int32_t webhooks_retention_days;  /* 7: of the delivery log */
    /* log */
    const char *log_level;     /* error, warning, info, debug */
    const char *log_format;    /* text, json */
    /* thresholds of SPEC section 4, with `overrides:` per municipality, law and product */
    struct uw_settings settings;
    struct uw_arena memory;    /* owns all of the above */
};

/* `path` NULL: $URENWACHT_CONFIG, or /etc/urenwacht/urenwacht.yaml where it exists, or defaults only.
 * `overrides` are "key=value" texts from flags, the last one wins. On failure *config is left closed. */
enum uw_code uw_config_load(const char *path, const char *const *overrides, uint32_t override_count,
                            struct uw_config *config, struct uw_error *error) UW_MUST_USE;
/* Reads the file again and returns only its thresholds into `settings` (memory of `arena`): for SIGHUP. */
enum uw_code uw_config_reload_settings(const char *path, const char *const *overrides, uint32_t override_count,
                                       struct uw_arena *arena, struct uw_settings *settings,
                                       struct uw_error *error) UW_MUST_USE;
void uw_config_close(struct uw_config *config);
/* The value of a librdkafka property, or NULL. */
const char *uw_config_kafka(const struct uw_config *config, const char *name);

#endif
