/*
 * The store of core/ports.h in memory, shared by all instances of a test as PostgreSQL is: one transaction a
 * commit, compare-and-set on epoch, offsets and sequence. What is committed is also checked: a change that does
 * not fit what is stored leaves a text in `problem`.
 */
#ifndef UW_TESTS_FAKE_STORE_H
#define UW_TESTS_FAKE_STORE_H

#include "core/ports.h"
#include "tests/support/faults.h"
#include "tests/support/random.h"
#include "tests/support/table.h"

#define UW_FAKE_PARTITIONS_MAX 4
#define UW_FAKE_RULES_MAX 4

struct uw_fake_partition {
    int64_t epoch, next_offset[UW_TOPIC_COUNT], next_sequence, published_sequence;
    int32_t as_of_day, rules_version;
    uint64_t rules_fingerprint, events, refused;
};

struct uw_fake_fact {
    struct uw_event event;
    int32_t partition;
    int64_t offset;
    bool redelivery;
};

struct uw_fake_client {
    struct uw_str client;
    int32_t partition, next_change_day, rules_version;
};

struct uw_fake_store {
    struct uw_arena arena; /* texts of all rows */
    struct uw_random random;
    struct uw_fake_partition partitions[UW_FAKE_PARTITIONS_MAX];
    struct uw_fake_fact *facts;
    struct uw_outbox_record *outbox;
    uint32_t fact_count, fact_capacity, outbox_count, outbox_capacity;
    struct uw_table accounts;   /* struct uw_account_change */
    struct uw_table alerts;     /* struct uw_alert_change */
    struct uw_table anomalies;  /* struct uw_anomaly_change */
    struct uw_table aggregates; /* struct uw_aggregate_change, of the highest rules that claimed a partition */
    struct uw_table former_aggregates[UW_FAKE_RULES_MAX]; /* of lower ones */
    int32_t rules_version;                                /* the highest */
    struct uw_table clients;    /* struct uw_fake_client */
    struct uw_table positions;  /* of facts: topic, partition and offset, each only once */
    char problem[256];
};

/* One instance's connection. */
struct uw_fake_session {
    struct uw_fake_store *store;
    struct uw_faults *faults;
};

void uw_fake_store_init(struct uw_fake_store *store, uint64_t seed);
void uw_fake_store_close(struct uw_fake_store *store);
struct uw_store uw_fake_store_port(struct uw_fake_session *session);
/* Changes the accounts of clients that were judged under rules before these, as if those had said otherwise. */
void uw_fake_store_spoil(struct uw_fake_store *store, int32_t rules_version);
/* Whether aggregates of former rules are left. */
bool uw_fake_store_has_former(const struct uw_fake_store *store);

/* Keys of rows: their identity as text. */
#define UW_FAKE_KEY_BYTES 400
void uw_fake_account_key(const struct uw_account_change *account, char key[UW_FAKE_KEY_BYTES]);
void uw_fake_alert_key(const struct uw_alert_change *alert, char key[UW_FAKE_KEY_BYTES]);
void uw_fake_anomaly_key(const struct uw_anomaly_change *anomaly, char key[UW_FAKE_KEY_BYTES]);
void uw_fake_aggregate_key(const struct uw_aggregate_change *aggregate, char key[UW_FAKE_KEY_BYTES]);

/* A copy of a record whose parts are in the arena. Aborts when memory is refused. */
struct uw_outbox_record uw_fake_copy_record(struct uw_arena *arena, const struct uw_outbox_record *record);
struct uw_str uw_fake_copy_text(struct uw_arena *arena, struct uw_str text);

#endif
