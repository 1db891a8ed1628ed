#include "core/sort.h"

static void swap_items(char *a, char *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}

static void sift_down(const struct uw_client *client, char *items, uint32_t root, uint32_t count, size_t size,
                      uw_compare_items *compare)
{
    for (uint64_t child = 2 * (uint64_t)root + 1; child < count; child = 2 * (uint64_t)root + 1) {
        if (child + 1 < count && compare(client, items + child * size, items + (child + 1) * size) < 0) {
            child++;
        }
        if (compare(client, items + root * size, items + child * size) >= 0) {
            return;
        }
        swap_items(items + root * size, items + child * size, size);
        root = (uint32_t)child;
    }
}

void uw_sort(const struct uw_client *client, void *array, uint32_t count, size_t size, uw_compare_items *compare)
{
    char *items = array;
    bool sorted = true;
    for (uint32_t i = 1; i < count && sorted; i++) {
        sorted = compare(client, items + (i - 1) * size, items + i * size) <= 0;
    }
    if (sorted) {
        return;
    }
    for (uint32_t root = count / 2; root-- > 0;) {
        sift_down(client, items, root, count, size, compare);
    }
    for (uint32_t end = count - 1; end > 0; end--) {
        swap_items(items, items + end * size, size);
        sift_down(client, items, 0, end, size, compare);
    }
}
