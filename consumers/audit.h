/*
 * Reading given stretches of topics again, one partition after another: committed records from one offset up to
 * another. It belongs to no group, commits nothing and disturbs nobody.
 */
#ifndef UW_CONSUMERS_AUDIT_H
#define UW_CONSUMERS_AUDIT_H

#include "consumers/kafka_conf.h"
#include "core/ports.h"

struct uw_audit;

struct uw_audit_options {
    const struct uw_property *properties;
    uint32_t property_count;
    int32_t timeout_ms; /* of every wait for a broker */
    bool uncommitted;   /* what is not committed is read too, be it aborted */
    struct uw_kafka_log log;
};

/* One record; borrowed until the next call of any function of the audit. */
struct uw_audit_message {
    int32_t partition;
    int64_t offset;
    struct uw_str key, value; /* data NULL: null */
    const struct uw_header *headers;
    uint32_t header_count;
    int64_t timestamp_ms; /* 0 when unknown */
};

enum uw_code uw_audit_open(const struct uw_audit_options *options, struct uw_audit **audit,
                           struct uw_error *error) UW_MUST_USE;
void uw_audit_close(struct uw_audit **audit);

/* Errors as of uw_kafka_partition_count. */
enum uw_code uw_audit_partition_count(struct uw_audit *audit, const char *topic, int32_t *count,
                                      struct uw_error *error) UW_MUST_USE;
/* The first offset that the partition still holds, and the one behind its last, of transactions that are still open
 * too (kafka_range.h). */
enum uw_code uw_audit_range(struct uw_audit *audit, const char *topic, int32_t partition, int64_t *low, int64_t *high,
                            struct uw_error *error) UW_MUST_USE;
/* Where what is committed ends, be it that only a transaction which has not ended follows. Not for an audit of what is
 * uncommitted. */
enum uw_code uw_audit_committed_end(struct uw_audit *audit, const char *topic, int32_t partition, int64_t *end,
                                    struct uw_error *error) UW_MUST_USE;

/* Starts to read [from, until), `until` being at most the end of the partition; what was read before is given up. */
enum uw_code uw_audit_start(struct uw_audit *audit, const char *topic, int32_t partition, int64_t from, int64_t until,
                            struct uw_error *error) UW_MUST_USE;
/* The next record of the stretch, or NULL behind the last one that is committed. Where retention has deleted `from`
 * it goes on at what is left. UW_ETIMEOUT (RETRY): no broker brought anything within the timeout, or a
 * transaction in the stretch has not ended; it may be called again. */
enum uw_code uw_audit_next(struct uw_audit *audit, const struct uw_audit_message **message,
                           struct uw_error *error) UW_MUST_USE;

#endif
