#include "cli/candidates.h"

#include <stdlib.h>

#include "core/client.h"

void uw_candidates_init(struct uw_candidates *candidates, uint32_t limit)
{
    *candidates = (struct uw_candidates){.limit = limit};
}

void uw_candidates_close(struct uw_candidates *candidates)
{
    free(candidates->items);
    *candidates = (struct uw_candidates){.limit = candidates->limit};
}

enum uw_code uw_candidates_add(struct uw_candidates *candidates, const struct uw_candidate *candidate,
                               struct uw_error *error)
{
    if (candidates->count >= candidates->limit) {
        return uw_error_set(error, UW_ELIMIT, UW_CLASS_FATAL,
                            "more than %u dead letters at once: choose by --topic, --reason or --since",
                            (unsigned)candidates->limit);
    }
    if (!uw_reserve((void **)&candidates->items, &candidates->capacity, candidates->count + 1,
                    sizeof *candidates->items)) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for dead letters");
    }
    candidates->items[candidates->count++] = *candidate;
    return UW_OK;
}

static int compare_origins(const struct uw_candidate *a, const struct uw_candidate *b)
{
    if (a->topic_index != b->topic_index) {
        return a->topic_index < b->topic_index ? -1 : 1;
    }
    if (a->origin_partition != b->origin_partition) {
        return a->origin_partition < b->origin_partition ? -1 : 1;
    }
    return (a->origin_offset > b->origin_offset) - (a->origin_offset < b->origin_offset);
}

static int compare(const void *a, const void *b)
{
    const struct uw_candidate *left = a, *right = b;
    int order = compare_origins(left, right);

    if (order == 0) {
        order = (left->partition > right->partition) - (left->partition < right->partition);
    }
    return order != 0 ? order : (left->offset > right->offset) - (left->offset < right->offset);
}

void uw_candidates_sort(struct uw_candidates *candidates)
{
    if (candidates->count > 1) {
        qsort(candidates->items, candidates->count, sizeof *candidates->items, compare);
    }
    for (uint32_t i = 1; i < candidates->count; i++) {
        candidates->items[i].replayed = compare_origins(&candidates->items[i - 1], &candidates->items[i]) == 0;
    }
}

struct uw_candidate *uw_candidates_find(const struct uw_candidates *candidates, int32_t topic_index,
                                        int32_t origin_partition, int64_t origin_offset)
{
    const struct uw_candidate origin = {topic_index, origin_partition, origin_offset, 0, 0, false};
    uint32_t low = 0, high = candidates->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (compare_origins(&candidates->items[middle], &origin) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < candidates->count && compare_origins(&candidates->items[low], &origin) == 0 ? &candidates->items[low]
                                                                                            : NULL;
}
