/*
 * Rows of the aggregates. Those of the same dimensions stand together in a batch, and go out in the order of their keys'
 * ids, which is that of the index: neighbours then meet the same pages. Keys and rows are the writer's own, so that
 * instances never wait for each other.
 */
#include <stdlib.h>
#include <string.h>

#include "producers/store_internal.h"
#include "schemas/identity.h"

/* The rows [first, end) of the batch. */
struct group {
    struct uw_uuid id;
    uint32_t first, end;
};

/* Whose sums these are. */
struct source {
    int32_t rules_version, writer;
};

static bool same_dimensions(const struct uw_aggregate_change *a, const struct uw_aggregate_change *b)
{
    return a->law == b->law && a->care == b->care && a->model == b->model &&
           uw_str_equal(a->municipality, b->municipality) && uw_str_equal(a->provider, b->provider) &&
           uw_str_equal(a->product_category, b->product_category) && uw_str_equal(a->product, b->product);
}

static int compare_groups(const void *a, const void *b)
{
    const struct group *left = a, *right = b;
    int order = memcmp(left->id.bytes, right->id.bytes, sizeof left->id.bytes);

    if (order != 0) {
        return order;
    }
    return (left->first > right->first) - (left->first < right->first);
}

static enum uw_code make_groups(const struct uw_changes *changes, const struct source *source, struct group *groups,
                                uint32_t *group_count)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < changes->aggregate_count; i++) {
        if (count == 0 || !same_dimensions(&changes->aggregates[i - 1], &changes->aggregates[i])) {
            enum uw_code code =
                uw_sums_id(&changes->aggregates[i], source->rules_version, source->writer, &groups[count].id);

            if (code != UW_OK) {
                return code;
            }
            groups[count++].first = i;
        }
        groups[count - 1].end = i + 1;
    }
    *group_count = count;
    return UW_OK;
}

static void add_key(struct uw_columns *columns, uint32_t *place, const struct uw_aggregate_change *aggregate,
                    const struct uw_uuid *id)
{
    uw_columns_uuid(columns, place, id->bytes);
    uw_columns_int2(columns, place, (int32_t)aggregate->grain);
    uw_columns_day(columns, place, aggregate->period_from_day);
}

/* Of no row: a key itself. */
#define NO_PERIOD UINT64_MAX

/* The id's bits are those of a hash; what is told apart by grain and period is spread by the multiplications. */
static uint64_t fingerprint_of(const struct uw_uuid *id, uint64_t period)
{
    uint64_t halves[2], mixed;

    memcpy(halves, id->bytes, sizeof halves);
    mixed = period * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ halves[0]) * UINT64_C(0xff51afd7ed558ccd);
    mixed = (mixed ^ (mixed >> 32) ^ halves[1]) * UINT64_C(0xc4ceb9fe1a85ec53);
    return mixed ^ (mixed >> 29);
}

static void add_dimensions(struct uw_pgstore *store, const struct uw_aggregate_change *aggregate,
                           const struct uw_uuid *id, const struct source *source)
{
    bool is_new = uw_written_add(&store->sums, fingerprint_of(id, NO_PERIOD));
    struct uw_columns *columns = &store->tables[is_new ? UW_TABLE_AGGREGATE_KEYS_NEW : UW_TABLE_AGGREGATE_KEYS];
    uint32_t place = 0;

    uw_columns_uuid(columns, &place, id->bytes);
    uw_columns_int4(columns, &place, source->rules_version);
    uw_columns_int4(columns, &place, source->writer);
    uw_columns_string(columns, &place, aggregate->municipality);
    uw_columns_string(columns, &place, aggregate->provider);
    uw_columns_string(columns, &place, aggregate->product_category);
    uw_columns_string(columns, &place, aggregate->product);
    uw_columns_int2(columns, &place, (int32_t)aggregate->law);
    uw_columns_int2(columns, &place, (int32_t)aggregate->care);
    uw_columns_int2(columns, &place, (int32_t)aggregate->model);
}

/* Rows of all zeros are hidden by the views, and removed where they are likely: where something was taken. */
static void add_row(struct uw_pgstore *store, const struct uw_aggregate_change *aggregate, const struct uw_uuid *id)
{
    struct uw_columns *tables = store->tables;
    uint64_t period = (uint64_t)(uint32_t)aggregate->period_from_day << 1 | (uint64_t)aggregate->grain;
    bool is_new = uw_written_add(&store->sums, fingerprint_of(id, period));
    enum uw_table table = is_new ? UW_TABLE_AGGREGATES_NEW : UW_TABLE_AGGREGATES;
    const int64_t sums[] = {aggregate->clients,         aggregate->decisions,    aggregate->delivered_minutes,
                            aggregate->no_show_minutes, aggregate->used_minutes, aggregate->allotted_minutes,
                            aggregate->priced_minutes,  aggregate->cost_sixtieths};
    uint32_t place = 0;
    bool shrunk = false;

    add_key(&tables[table], &place, aggregate, id);
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        uw_columns_int8(&tables[table], &place, sums[i]);
        shrunk = shrunk || sums[i] < 0;
    }
    if (shrunk) {
        place = 0;
        add_key(&tables[UW_TABLE_AGGREGATES_SHRUNK], &place, aggregate, id);
    }
}

enum uw_code uw_pgstore_add_sums(struct uw_pgstore *store, const struct uw_changes *changes)
{
    const struct source source = {changes->rules_version, store->slot < 0 ? 0 : store->slot};
    struct group *groups;
    uint32_t count = 0;
    enum uw_code code;

    if (changes->aggregate_count == 0) {
        return UW_OK;
    }
    groups = malloc(changes->aggregate_count * sizeof *groups);
    if (groups == NULL) {
        return UW_ENOMEM;
    }
    code = make_groups(changes, &source, groups, &count);
    if (code == UW_OK) {
        qsort(groups, count, sizeof *groups, compare_groups);
    }
    for (uint32_t i = 0; i < count && code == UW_OK; i++) {
        const struct group *group = &groups[i];

        if (i == 0 || memcmp(group->id.bytes, groups[i - 1].id.bytes, sizeof group->id.bytes) != 0) {
            add_dimensions(store, &changes->aggregates[group->first], &group->id, &source);
        }
        for (uint32_t k = group->first; k < group->end; k++) {
            add_row(store, &changes->aggregates[k], &group->id);
        }
    }
    free(groups);
    return code;
}
