/*
 * What a batch adds to the aggregate rows, summed over its clients.
 *
 * Clients and decisions are counted in a row when they have delivered minutes in its period under its
 * dimensions; a client with two such decisions is one client (docs/tables.md).
 */
#ifndef UW_CORE_SUMS_H
#define UW_CORE_SUMS_H

#include "fold.h"

struct uw_sums {
    struct uw_aggregate_change *rows;
    uint32_t *slots; /* hash of the rows' keys: index + 1, 0 is free */
    uint32_t row_count, row_capacity, slot_count;
    /* Working arrays: one client's shares before and after. */
    struct uw_share *before, *after;
    uint32_t before_count, before_capacity, after_capacity;
};

void uw_sums_init(struct uw_sums *sums);
void uw_sums_close(struct uw_sums *sums);
/* Forgets the rows of the last batch. */
void uw_sums_reset(struct uw_sums *sums);

/* Keeps the shares of a client as they were before its events; `fold` has just run over it. */
enum uw_code uw_sums_before(struct uw_sums *sums, const struct uw_fold *fold) UW_MUST_USE;
/* Adds the difference that the client makes; `fold` has just run again.
 * Rows borrow texts of the client, which must stay until the batch is done. */
enum uw_code uw_sums_after(struct uw_sums *sums, const struct uw_fold *fold, int32_t partition) UW_MUST_USE;

/* Drops rows without a difference, sorts the others by their key. */
void uw_sums_finish(struct uw_sums *sums);

#endif
