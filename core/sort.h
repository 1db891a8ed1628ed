/*
 * Sorting any array of what is known of a client: a heap sort, so that it needs neither recursion nor memory, with a
 * comparison that gets the client, whose texts give most orders. What is sorted already costs one look.
 */
#ifndef UW_CORE_SORT_H
#define UW_CORE_SORT_H

#include "client.h"

/* As for qsort: below, equal to or above 0. Items that are equal may change places. */
typedef int uw_compare_items(const struct uw_client *client, const void *a, const void *b);

void uw_sort(const struct uw_client *client, void *array, uint32_t count, size_t size, uw_compare_items *compare);

#endif
