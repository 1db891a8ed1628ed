/*
 * The dead letters that `urenwacht dead-letters replay` is about to send again, found by where they came from.
 */
#ifndef UW_CLI_CANDIDATES_H
#define UW_CLI_CANDIDATES_H

#include "core/types.h"

/* Letters of one run; their places are kept in memory, 40 bytes each. */
#define UW_CANDIDATES_MAX 1000000u

struct uw_candidate {
    int32_t topic_index, origin_partition; /* the record that was refused */
    int64_t origin_offset;
    int32_t partition; /* its dead letter */
    int64_t offset;
    bool replayed; /* the topic has its replay already */
};

struct uw_candidates {
    struct uw_candidate *items; /* by origin once they are sorted */
    uint32_t count, capacity;
    uint32_t limit;
};

void uw_candidates_init(struct uw_candidates *candidates, uint32_t limit);
void uw_candidates_close(struct uw_candidates *candidates);

/* UW_ELIMIT beyond the limit, or UW_ENOMEM; nothing changed. */
enum uw_code uw_candidates_add(struct uw_candidates *candidates, const struct uw_candidate *candidate,
                               struct uw_error *error) UW_MUST_USE;
/* To be called once, when all are there. Of several dead letters of one record, which are there where they were
 * published twice, the first stands for all: the others are marked as replayed. */
void uw_candidates_sort(struct uw_candidates *candidates);
/* The first one of that origin, or NULL. They must be sorted. */
struct uw_candidate *uw_candidates_find(const struct uw_candidates *candidates, int32_t topic_index,
                                        int32_t origin_partition, int64_t origin_offset);

#endif
