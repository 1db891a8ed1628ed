/*
 * What a batch adds to the aggregate rows, summed over its clients.
 *
 * Clients and decisions are counted in a row when they have delivered minutes in its period under its
 * dimensions; a client with two such decisions is one client (docs/tables.md).
 */
#ifndef UW_CORE_SUMS_H
#define UW_CORE_SUMS_H

#include "arena.h"
#include "fold.h"

/* Texts of the rows' keys in one batch. */
#define UW_SUMS_BYTES_MAX ((size_t)256 * 1024 * 1024)

/* A share with its row's dimensions, so that it outlives the fold. */
struct uw_row_share {
    int32_t period_from_day;
    uw_text decision, provider, product_category, product;
    uint8_t law, care, model; /* enum uw_law, uw_care, uw_model */
    int64_t delivered_minutes, no_show_minutes, used_minutes, allotted_minutes, priced_minutes, cost_sixtieths;
};

struct uw_row_shares {
    struct uw_row_share *items;
    uint32_t count, capacity;
};

struct uw_sums {
    struct uw_aggregate_change *rows;
    uint32_t *slots; /* hash of the rows' keys: index + 1, 0 is free */
    uint32_t row_count, row_capacity, slot_count;
    struct uw_arena texts;
    /* Working arrays: one client's shares before and after, by grain. */
    struct uw_row_shares before[UW_GRAIN_COUNT], after[UW_GRAIN_COUNT];
};

void uw_sums_init(struct uw_sums *sums);
void uw_sums_close(struct uw_sums *sums);
/* Forgets the rows of the last batch. */
void uw_sums_reset(struct uw_sums *sums);

/* Keeps the shares of a client as they were before its events; `fold` has just run over it. */
enum uw_code uw_sums_before(struct uw_sums *sums, const struct uw_fold *fold) UW_MUST_USE;
/* The same for a client that is in no row yet. */
void uw_sums_before_nothing(struct uw_sums *sums);
/* Adds the difference that the client makes; `fold` has just run again. */
enum uw_code uw_sums_after(struct uw_sums *sums, const struct uw_fold *fold) UW_MUST_USE;

/* Drops rows without a difference, sorts the others by their dimensions, then by grain and period. */
void uw_sums_finish(struct uw_sums *sums);

#endif
