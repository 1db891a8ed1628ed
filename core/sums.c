#include "core/sums.h"

#include <stdlib.h>
#include <string.h>

#include "core/sort.h"

#define SLOTS_MIN 256u

void uw_sums_init(struct uw_sums *sums)
{
    memset(sums, 0, sizeof *sums);
    uw_arena_init(&sums->texts, UW_SUMS_BYTES_MAX);
}

void uw_sums_close(struct uw_sums *sums)
{
    free(sums->rows);
    free(sums->slots);
    for (uint32_t i = 0; i < UW_GRAIN_COUNT; i++) {
        free(sums->before[i].items);
        free(sums->after[i].items);
    }
    uw_arena_close(&sums->texts);
    uw_sums_init(sums);
}

void uw_sums_reset(struct uw_sums *sums)
{
    sums->row_count = 0;
    uw_arena_reset(&sums->texts);
    if (sums->slots != NULL) {
        memset(sums->slots, 0, sums->slot_count * sizeof *sums->slots);
    }
}

/* ---- the shares of one client, one for each decision and row ---- */

#define RETURN_IF_DIFFERENT(a, b)                                                                                      \
    do {                                                                                                               \
        if ((a) != (b)) {                                                                                              \
            return (a) < (b) ? -1 : 1;                                                                                 \
        }                                                                                                              \
    } while (0)

/* Any order will do that brings the shares of one row together: texts are compared by number. The municipality
 * is the start of the decision's text, compared by its bytes. */
static int compare_rows(const struct uw_client *client, const struct uw_row_share *a, const struct uw_row_share *b)
{
    RETURN_IF_DIFFERENT(a->period_from_day, b->period_from_day);
    RETURN_IF_DIFFERENT(a->provider, b->provider);
    RETURN_IF_DIFFERENT(a->model, b->model);
    RETURN_IF_DIFFERENT(a->law, b->law);
    RETURN_IF_DIFFERENT(a->care, b->care);
    RETURN_IF_DIFFERENT(a->product_category, b->product_category);
    RETURN_IF_DIFFERENT(a->product, b->product);
    if (a->decision == b->decision) {
        return 0;
    }
    return uw_str_compare(uw_client_municipality(client, a->decision), uw_client_municipality(client, b->decision));
}

static int compare_shares(const struct uw_client *client, const struct uw_row_share *a, const struct uw_row_share *b)
{
    int order = compare_rows(client, a, b);
    if (order == 0) {
        RETURN_IF_DIFFERENT(a->decision, b->decision);
    }
    return order;
}

static int compare_items(const struct uw_client *client, const void *a, const void *b)
{
    return compare_shares(client, a, b);
}

static struct uw_row_share with_dimensions(const struct uw_fold *fold, const struct uw_share *share)
{
    const struct uw_case *care = &fold->cases[share->case_index];
    return (struct uw_row_share){
        .period_from_day = share->period_from_day,
        .decision = care->decision,
        .provider = share->provider,
        .product_category = care->latest->product_category,
        .product = care->latest->product,
        .law = care->latest->law,
        .care = care->latest->care,
        .model = (uint8_t)share->model,
        .delivered_minutes = share->delivered_minutes,
        .no_show_minutes = share->no_show_minutes,
        .used_minutes = share->used_minutes,
        .allotted_minutes = share->allotted_minutes,
        .priced_minutes = share->priced_minutes,
        .cost_sixtieths = share->cost_sixtieths,
    };
}

/* Adds up the shares of one decision and row, which stand together. */
static void merge_shares(const struct uw_client *client, struct uw_row_shares *shares)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < shares->count; i++) {
        struct uw_row_share *last = kept > 0 ? &shares->items[kept - 1] : NULL;
        const struct uw_row_share *share = &shares->items[i];
        if (last != NULL && compare_shares(client, last, share) == 0) {
            last->delivered_minutes += share->delivered_minutes;
            last->no_show_minutes += share->no_show_minutes;
            last->used_minutes += share->used_minutes;
            last->allotted_minutes += share->allotted_minutes;
            last->priced_minutes += share->priced_minutes;
            last->cost_sixtieths += share->cost_sixtieths;
        } else {
            shares->items[kept++] = *share;
        }
    }
    shares->count = kept;
}

/* A client with one decision and one provider has its shares in order already, which is the common case. */
static enum uw_code collect(const struct uw_fold *fold, enum uw_grain grain, struct uw_row_shares *shares)
{
    const struct uw_share_list *list = &fold->shares[grain];
    if (!uw_reserve((void **)&shares->items, &shares->capacity, list->count, sizeof *shares->items)) {
        return UW_ENOMEM;
    }
    bool sorted = true;
    shares->count = list->count;
    for (uint32_t i = 0; i < list->count; i++) {
        shares->items[i] = with_dimensions(fold, &list->items[i]);
        sorted = sorted && (i == 0 || shares->items[i - 1].period_from_day < shares->items[i].period_from_day);
    }
    if (!sorted) {
        uw_sort(fold->client, shares->items, shares->count, sizeof *shares->items, compare_items);
        merge_shares(fold->client, shares);
    }
    return UW_OK;
}

enum uw_code uw_sums_before(struct uw_sums *sums, const struct uw_fold *fold)
{
    enum uw_code code = collect(fold, UW_GRAIN_WEEK, &sums->before[UW_GRAIN_WEEK]);
    return code == UW_OK ? collect(fold, UW_GRAIN_MONTH, &sums->before[UW_GRAIN_MONTH]) : code;
}

void uw_sums_before_nothing(struct uw_sums *sums)
{
    sums->before[UW_GRAIN_WEEK].count = sums->before[UW_GRAIN_MONTH].count = 0;
}

/* ---- the rows of the batch ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

static uint64_t mix_text(uint64_t hash, struct uw_str text)
{
    hash = mix(hash, text.length);
    for (uint32_t i = 0; i < text.length; i++) {
        hash = (hash ^ (uint8_t)text.data[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

static uint64_t hash_row(const struct uw_aggregate_change *row)
{
    uint64_t hash = mix(row->grain, (uint64_t)row->period_from_day);
    hash = mix(hash, (uint64_t)row->law << 16 | (uint64_t)row->care << 8 | (uint64_t)row->model);
    hash = mix_text(hash, row->municipality);
    hash = mix_text(hash, row->provider);
    hash = mix_text(hash, row->product_category);
    hash = mix_text(hash, row->product);
    return hash ^ hash >> 32;
}

/* The key's order, also that of the output: rows with the same dimensions stand together. */
static int compare_keys(const struct uw_aggregate_change *a, const struct uw_aggregate_change *b)
{
    const struct uw_str pairs[][2] = {{a->municipality, b->municipality},
                                      {a->provider, b->provider},
                                      {a->product_category, b->product_category},
                                      {a->product, b->product}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        int order = uw_str_compare(pairs[i][0], pairs[i][1]);
        if (order != 0) {
            return order;
        }
    }
    RETURN_IF_DIFFERENT(a->law, b->law);
    RETURN_IF_DIFFERENT(a->care, b->care);
    RETURN_IF_DIFFERENT(a->model, b->model);
    RETURN_IF_DIFFERENT(a->grain, b->grain);
    RETURN_IF_DIFFERENT(a->period_from_day, b->period_from_day);
    return 0;
}

static uint32_t find_slot(const struct uw_sums *sums, const struct uw_aggregate_change *row)
{
    uint32_t place = (uint32_t)hash_row(row) & (sums->slot_count - 1);
    while (sums->slots[place] != 0 && compare_keys(&sums->rows[sums->slots[place] - 1], row) != 0) {
        place = (place + 1) & (sums->slot_count - 1);
    }
    return place;
}

static bool grow_slots(struct uw_sums *sums)
{
    if (sums->slot_count > 0 && (uint64_t)(sums->row_count + 1) * 4 <= (uint64_t)sums->slot_count * 3) {
        return true;
    }
    uint32_t count = sums->slot_count == 0 ? SLOTS_MIN : sums->slot_count * 2;
    uint32_t *slots = count > sums->slot_count ? calloc(count, sizeof *slots) : NULL;
    if (slots == NULL) {
        return false;
    }
    free(sums->slots);
    sums->slots = slots;
    sums->slot_count = count;
    for (uint32_t i = 0; i < sums->row_count; i++) {
        slots[find_slot(sums, &sums->rows[i])] = i + 1;
    }
    return true;
}

/* The row of a share, made when there is none. NULL when memory is refused. */
static struct uw_aggregate_change *row_of(struct uw_sums *sums, const struct uw_client *client,
                                          const struct uw_row_share *share, enum uw_grain grain)
{
    struct uw_aggregate_change row = {
        .grain = grain,
        .period_from_day = share->period_from_day,
        .municipality = uw_client_municipality(client, share->decision),
        .provider = uw_client_text(client, share->provider),
        .product_category = uw_client_text(client, share->product_category),
        .product = uw_client_text(client, share->product),
        .law = (enum uw_law)share->law,
        .care = (enum uw_care)share->care,
        .model = (enum uw_model)share->model,
    };
    if (!grow_slots(sums)) {
        return NULL;
    }
    uint32_t place = find_slot(sums, &row);
    if (sums->slots[place] == 0) {
        row.municipality = uw_arena_copy(&sums->texts, row.municipality);
        row.provider = uw_arena_copy(&sums->texts, row.provider);
        row.product_category = uw_arena_copy(&sums->texts, row.product_category);
        row.product = uw_arena_copy(&sums->texts, row.product);
        bool copied = !uw_str_is_null(row.municipality) && !uw_str_is_null(row.provider) &&
                      !uw_str_is_null(row.product_category) && !uw_str_is_null(row.product);
        if (!copied || !uw_reserve((void **)&sums->rows, &sums->row_capacity, sums->row_count + 1, sizeof row)) {
            return NULL;
        }
        sums->rows[sums->row_count++] = row;
        sums->slots[place] = sums->row_count;
    }
    return &sums->rows[sums->slots[place] - 1];
}

/* What the shares [first, end) of one row come to, with a sign. */
static void total(const struct uw_row_share *shares, uint32_t first, uint32_t end, int64_t sign,
                  struct uw_aggregate_change *sum)
{
    int64_t decisions = 0;
    for (uint32_t i = first; i < end; i++) {
        decisions += shares[i].delivered_minutes > 0;
        sum->delivered_minutes += sign * shares[i].delivered_minutes;
        sum->no_show_minutes += sign * shares[i].no_show_minutes;
        sum->used_minutes += sign * shares[i].used_minutes;
        sum->allotted_minutes += sign * shares[i].allotted_minutes;
        sum->priced_minutes += sign * shares[i].priced_minutes;
        sum->cost_sixtieths += sign * shares[i].cost_sixtieths;
    }
    sum->decisions += sign * decisions;
    sum->clients += sign * (decisions > 0);
}

static uint32_t row_end(const struct uw_client *client, const struct uw_row_shares *shares, uint32_t first)
{
    uint32_t end = first + 1;
    while (end < shares->count && compare_rows(client, &shares->items[first], &shares->items[end]) == 0) {
        end++;
    }
    return end;
}

static bool is_zero(const struct uw_aggregate_change *row)
{
    return row->clients == 0 && row->decisions == 0 && row->delivered_minutes == 0 && row->no_show_minutes == 0 &&
           row->used_minutes == 0 && row->allotted_minutes == 0 && row->priced_minutes == 0 &&
           row->cost_sixtieths == 0;
}

static enum uw_code add_difference(struct uw_sums *sums, const struct uw_client *client,
                                   const struct uw_row_share *share, enum uw_grain grain,
                                   const struct uw_aggregate_change *difference)
{
    if (is_zero(difference)) {
        return UW_OK;
    }
    struct uw_aggregate_change *row = row_of(sums, client, share, grain);
    if (row == NULL) {
        return UW_ENOMEM;
    }
    row->clients += difference->clients;
    row->decisions += difference->decisions;
    row->delivered_minutes += difference->delivered_minutes;
    row->no_show_minutes += difference->no_show_minutes;
    row->used_minutes += difference->used_minutes;
    row->allotted_minutes += difference->allotted_minutes;
    row->priced_minutes += difference->priced_minutes;
    row->cost_sixtieths += difference->cost_sixtieths;
    return UW_OK;
}

static enum uw_code add_grain(struct uw_sums *sums, const struct uw_fold *fold, enum uw_grain grain)
{
    const struct uw_client *client = fold->client;
    const struct uw_row_shares *before = &sums->before[grain], *after = &sums->after[grain];
    enum uw_code code = UW_OK;
    for (uint32_t b = 0, a = 0; code == UW_OK && (b < before->count || a < after->count);) {
        int order = b == before->count  ? 1
                    : a == after->count ? -1
                                        : compare_rows(client, &before->items[b], &after->items[a]);
        struct uw_aggregate_change difference = {.clients = 0};
        const struct uw_row_share *share = order <= 0 ? &before->items[b] : &after->items[a];
        if (order <= 0) {
            uint32_t end = row_end(client, before, b);
            total(before->items, b, end, -1, &difference);
            b = end;
        }
        if (order >= 0) {
            uint32_t end = row_end(client, after, a);
            total(after->items, a, end, 1, &difference);
            a = end;
        }
        code = add_difference(sums, client, share, grain, &difference);
    }
    return code;
}

enum uw_code uw_sums_after(struct uw_sums *sums, const struct uw_fold *fold)
{
    enum uw_code code = UW_OK;
    for (enum uw_grain grain = UW_GRAIN_WEEK; grain <= UW_GRAIN_MONTH && code == UW_OK; grain++) {
        code = collect(fold, grain, &sums->after[grain]);
        if (code == UW_OK) {
            code = add_grain(sums, fold, grain);
        }
    }
    return code;
}

static int compare_rows_for_qsort(const void *a, const void *b)
{
    return compare_keys(a, b);
}

void uw_sums_finish(struct uw_sums *sums)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < sums->row_count; i++) {
        if (!is_zero(&sums->rows[i])) {
            sums->rows[kept++] = sums->rows[i];
        }
    }
    sums->row_count = kept;
    if (kept > 1) {
        qsort(sums->rows, kept, sizeof *sums->rows, compare_rows_for_qsort);
    }
}
