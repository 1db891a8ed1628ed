#include "tests/support/table.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash(const char *key)
{
    uint64_t value = UINT64_C(14695981039346656037);
    for (; *key != '\0'; key++) {
        value = (value ^ (uint8_t)*key) * UINT64_C(1099511628211);
    }
    return value ^ value >> 32;
}

void uw_table_init(struct uw_table *table, size_t row_bytes)
{
    memset(table, 0, sizeof *table);
    table->row_bytes = row_bytes;
}

void uw_table_close(struct uw_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        free(table->keys[i]);
    }
    free(table->keys);
    free(table->rows);
    free(table->slots);
    uw_table_init(table, table->row_bytes);
}

void *uw_table_row(const struct uw_table *table, uint32_t index)
{
    return table->rows + index * table->row_bytes;
}

/* The slot of a key, or the free one where it would stand. Slots hold an index + 1. */
static uint32_t find_slot(const struct uw_table *table, const char *key)
{
    uint32_t place = (uint32_t)hash(key) & (table->slot_count - 1);
    while (table->slots[place] != 0 && strcmp(table->keys[table->slots[place] - 1], key) != 0) {
        place = (place + 1) & (table->slot_count - 1);
    }
    return place;
}

void *uw_table_find(const struct uw_table *table, const char *key)
{
    if (table->slot_count == 0) {
        return NULL;
    }
    uint32_t slot = table->slots[find_slot(table, key)];
    return slot == 0 ? NULL : uw_table_row(table, slot - 1);
}

static void rehash(struct uw_table *table)
{
    memset(table->slots, 0, table->slot_count * sizeof *table->slots);
    for (uint32_t i = 0; i < table->count; i++) {
        table->slots[find_slot(table, table->keys[i])] = i + 1;
    }
}

static void grow(struct uw_table *table)
{
    if (table->count < table->capacity) {
        return;
    }
    table->capacity = table->capacity == 0 ? 64 : table->capacity * 2;
    table->slot_count = table->capacity * 2;
    table->keys = realloc(table->keys, table->capacity * sizeof *table->keys);
    table->rows = realloc(table->rows, table->capacity * table->row_bytes);
    table->slots = realloc(table->slots, table->slot_count * sizeof *table->slots);
    if (table->keys == NULL || table->rows == NULL || table->slots == NULL) {
        abort();
    }
    rehash(table);
}

void *uw_table_put(struct uw_table *table, const char *key)
{
    void *row = uw_table_find(table, key);
    if (row != NULL) {
        return row;
    }
    grow(table);
    char *copy = malloc(strlen(key) + 1);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, key, strlen(key) + 1);
    uint32_t slot = find_slot(table, key);
    table->keys[table->count] = copy;
    table->slots[slot] = ++table->count;
    row = uw_table_row(table, table->count - 1);
    memset(row, 0, table->row_bytes);
    return row;
}

void uw_table_remove(struct uw_table *table, const char *key)
{
    uint32_t slot = table->slot_count == 0 ? 0 : find_slot(table, key);
    if (table->slot_count == 0 || table->slots[slot] == 0) {
        return;
    }
    uint32_t index = table->slots[slot] - 1, last = --table->count;
    free(table->keys[index]);
    table->keys[index] = table->keys[last];
    if (index != last) {
        memcpy(uw_table_row(table, index), uw_table_row(table, last), table->row_bytes);
    }
    rehash(table);
}
