/*
 * Looking for given records in the topics that they were written to, or were not: which of them a subscriber sees.
 *
 * All that the topics hold is read, by no clock and no offset of anybody's memory, in two turns. The first takes in what is
 * not committed as well: what is not there at all can never be seen, whatever becomes of transactions that are open.
 * Where one of the records stands, its surroundings are read again as subscribers read them, once the transactions there
 * have ended.
 */
#ifndef UW_CONSUMERS_SEARCH_H
#define UW_CONSUMERS_SEARCH_H

#include "consumers/kafka_conf.h"
#include "core/ports.h"

struct uw_search;

struct uw_search_options {
    const struct uw_property *properties;
    uint32_t property_count;
    const char *outputs[UW_OUTPUT_COUNT]; /* names of the output topics; borrowed */
    /* The partition that a record with this key was written to. */
    int32_t (*partition_of)(struct uw_str key, int32_t partition_count);
    int32_t timeout_ms; /* of every wait for a broker */
    struct uw_kafka_log log;
};

/* Begins a search as of now for these records, one or more, of one partition's outbox. What was written before must not be
 * able to be written still: former producers are fenced. */
enum uw_code uw_search_open(const struct uw_search_options *options, const struct uw_outbox_record *records,
                            uint32_t record_count, struct uw_search **search, struct uw_error *error) UW_MUST_USE;
void uw_search_close(struct uw_search **search);

/* Goes on for step_ms, or a wait for a broker, with the same records. *complete: found[i] says whether records[i] was
 * found; all of key, value and headers are the same then, an empty key or value like none. UW_CLASS_RETRY: no broker
 * answers, or one of the records belongs to a transaction that has not ended. UW_ECONFIG with UW_CLASS_FATAL: none was
 * found, and all partitions in which they would be are empty, and were not once; or a topic is missing or refused. After an
 * error there is nothing but to close. */
enum uw_code uw_search_step(struct uw_search *search, const struct uw_outbox_record *records, int32_t step_ms,
                            bool *found, bool *complete, struct uw_error *error) UW_MUST_USE;

/* Records that were read up to now. */
uint64_t uw_search_read(const struct uw_search *search);

#endif
