/* A table in memory: rows of one size by a text key, in the order in which they came. For the fakes of tests. */
#ifndef UW_TESTS_TABLE_H
#define UW_TESTS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uw_table {
    size_t row_bytes;
    char **keys;
    char *rows; /* not moved while a pointer to one is used, but by uw_table_put */
    uint32_t *slots;
    uint32_t count, capacity, slot_count;
};

void uw_table_init(struct uw_table *table, size_t row_bytes);
void uw_table_close(struct uw_table *table);
/* NULL when there is none. */
void *uw_table_find(const struct uw_table *table, const char *key);
/* The row of the key; a new one is zeroed. Aborts when memory is refused. */
void *uw_table_put(struct uw_table *table, const char *key);
/* The last row takes its place. */
void uw_table_remove(struct uw_table *table, const char *key);
void *uw_table_row(const struct uw_table *table, uint32_t index);

#endif
