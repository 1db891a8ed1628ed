/*
 * What the parts of `urenwacht verify` share: one snapshot of the database, held against what the pure core makes of
 * the facts in it (verify_clients.c, verify_sums.c), against itself (verify_tables.c), and against the topics
 * (verify_topics.c).
 */
#ifndef UW_CLI_VERIFY_H
#define UW_CLI_VERIFY_H

#include "cli/command.h"
#include "cli/verify_report.h"
#include "cli/verify_sorter.h"
#include "core/fold.h"
#include "producers/store_verify.h"

#define UW_VERIFY_PARTITIONS_MAX 10000u /* as many as a topic may have: UW_KAFKA_PARTITIONS_MAX */
/* Of aggregate rows, and of the places of dead letters, that are kept in memory while they are sorted. */
#define UW_VERIFY_SORT_BYTES ((size_t)64 * 1024 * 1024)

struct uw_verify_partition {
    int32_t partition;
    int32_t as_of_day; /* UW_DAY_NONE: nothing was applied */
    int64_t next_offset[UW_TOPIC_COUNT];
};

struct uw_verify_sums;

struct uw_verify {
    const struct uw_config *config;
    struct uw_str municipality, client; /* null: all */
    bool strict; /* also clients who wait to be judged must be as of their partition's day */
    struct uw_verify_report report;
    struct uw_pgaudit *store;
    struct uw_verify_partition *partitions; /* ascending; those that were claimed */
    uint32_t partition_count, partition_capacity;
    struct uw_verify_sums *sums;
};

/* Where a dead letter was refused; the record of the sorter that uw_verify_tables and uw_verify_topics fill. */
struct uw_verify_place {
    int32_t topic; /* enum uw_topic */
    int32_t partition;
    int64_t offset;
    int32_t published; /* 1: in the topic of dead letters; 0: in the outbox */
};
int uw_verify_place_compare(const void *a, const void *b);
/* Reads the headers of a dead letter. False: it is none of ours, or of a topic that is not configured. */
bool uw_verify_place_read(const struct uw_config *config, const struct uw_header *headers, uint32_t header_count,
                          struct uw_verify_place *place);

/* Notes a partition that was claimed; they come in ascending order. UW_ELIMIT beyond UW_VERIFY_PARTITIONS_MAX. */
enum uw_code uw_verify_partition_add(struct uw_verify *verify, const struct uw_audit_partition *row,
                                     struct uw_error *error) UW_MUST_USE;
/* NULL when the partition was never claimed. */
const struct uw_verify_partition *uw_verify_partition_of(const struct uw_verify *verify, int32_t partition);
/* Whether something of this municipality is asked for. */
bool uw_verify_wants(const struct uw_verify *verify, struct uw_str municipality);

/* Whether an accepted event can be like this. UW_OK, or UW_EINPUT and *refusal: the rules of SPEC section 2, and
 * enumerations, for which those rest on the codec. */
enum uw_code uw_verify_check_event(const struct uw_event *event, struct uw_refusal *refusal) UW_MUST_USE;

/* Each compares its part and reports the differences; UW_OK also when there are some, or when the user stops it. */

/* Partitions with their counts; must come first. `topics_only`: reads them and compares nothing. */
enum uw_code uw_verify_partitions(struct uw_verify *verify, bool topics_only, struct uw_error *error) UW_MUST_USE;
/* Accounts, alerts, anomalies and change days of every client; collects the sums. */
enum uw_code uw_verify_clients(struct uw_verify *verify, struct uw_error *error) UW_MUST_USE;
/* Histories of alerts and anomalies, and the outbox. */
enum uw_code uw_verify_tables(struct uw_verify *verify, struct uw_error *error) UW_MUST_USE;
enum uw_code uw_verify_topics(struct uw_verify *verify, struct uw_error *error) UW_MUST_USE;

/* ---- verify_sums.c: aggregates ---- */

enum uw_code uw_verify_sums_open(struct uw_verify *verify, struct uw_error *error) UW_MUST_USE;
void uw_verify_sums_close(struct uw_verify *verify);
/* Adds the shares of the client that was folded last. */
enum uw_code uw_verify_sums_add(struct uw_verify *verify, const struct uw_fold *fold,
                                struct uw_error *error) UW_MUST_USE;
/* Before the clients of a step are forgotten. */
enum uw_code uw_verify_sums_flush(struct uw_verify *verify, struct uw_error *error) UW_MUST_USE;
/* Compares all of them with the stored rows. */
enum uw_code uw_verify_sums_compare(struct uw_verify *verify, struct uw_error *error) UW_MUST_USE;

#endif
