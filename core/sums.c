#include "core/sums.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 256u

void uw_sums_init(struct uw_sums *sums)
{
    memset(sums, 0, sizeof *sums);
}

void uw_sums_close(struct uw_sums *sums)
{
    free(sums->rows);
    free(sums->slots);
    free(sums->before);
    free(sums->after);
    uw_sums_init(sums);
}

void uw_sums_reset(struct uw_sums *sums)
{
    sums->row_count = 0;
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
static int compare_rows(const struct uw_client *client, const struct uw_share *a, const struct uw_share *b)
{
    RETURN_IF_DIFFERENT(a->grain, b->grain);
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

static int compare_shares(const struct uw_client *client, const struct uw_share *a, const struct uw_share *b)
{
    int order = compare_rows(client, a, b);
    if (order == 0) {
        RETURN_IF_DIFFERENT(a->decision, b->decision);
    }
    return order;
}

static void sift(const struct uw_client *client, struct uw_share *shares, uint32_t root, uint32_t count)
{
    for (uint64_t child = 2 * (uint64_t)root + 1; child < count; child = 2 * (uint64_t)root + 1) {
        if (child + 1 < count && compare_shares(client, &shares[child], &shares[child + 1]) < 0) {
            child++;
        }
        if (compare_shares(client, &shares[root], &shares[child]) >= 0) {
            return;
        }
        struct uw_share moved = shares[root];
        shares[root] = shares[child];
        shares[child] = moved;
        root = (uint32_t)child;
    }
}

static void sort_shares(const struct uw_client *client, struct uw_share *shares, uint32_t count)
{
    for (uint32_t root = count / 2; root-- > 0;) {
        sift(client, shares, root, count);
    }
    for (uint32_t end = count; end-- > 1;) {
        struct uw_share moved = shares[0];
        shares[0] = shares[end];
        shares[end] = moved;
        sift(client, shares, 0, end);
    }
}

/* A copy of the fold's shares, sorted, with those of one decision and row added up; the new count. */
static enum uw_code collect(const struct uw_fold *fold, struct uw_share **shares, uint32_t *capacity, uint32_t *count)
{
    if (!uw_reserve((void **)shares, capacity, fold->share_count, sizeof **shares)) {
        return UW_ENOMEM;
    }
    if (fold->share_count > 0) {
        memcpy(*shares, fold->shares, fold->share_count * sizeof **shares);
    }
    sort_shares(fold->client, *shares, fold->share_count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < fold->share_count; i++) {
        struct uw_share *last = kept > 0 ? &(*shares)[kept - 1] : NULL;
        const struct uw_share *share = &(*shares)[i];
        if (last != NULL && compare_shares(fold->client, last, share) == 0) {
            last->delivered_minutes += share->delivered_minutes;
            last->no_show_minutes += share->no_show_minutes;
            last->used_minutes += share->used_minutes;
            last->allotted_minutes += share->allotted_minutes;
        } else {
            (*shares)[kept++] = *share;
        }
    }
    *count = kept;
    return UW_OK;
}

enum uw_code uw_sums_before(struct uw_sums *sums, const struct uw_fold *fold)
{
    return collect(fold, &sums->before, &sums->before_capacity, &sums->before_count);
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
    hash = mix(hash, (uint64_t)row->partition);
    hash = mix_text(hash, row->municipality);
    hash = mix_text(hash, row->provider);
    hash = mix_text(hash, row->product_category);
    hash = mix_text(hash, row->product);
    return hash ^ hash >> 32;
}

/* The key's order, also that of the output. */
static int compare_keys(const struct uw_aggregate_change *a, const struct uw_aggregate_change *b)
{
    RETURN_IF_DIFFERENT(a->partition, b->partition);
    RETURN_IF_DIFFERENT(a->grain, b->grain);
    RETURN_IF_DIFFERENT(a->period_from_day, b->period_from_day);
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
                                          const struct uw_share *share, int32_t partition)
{
    struct uw_aggregate_change row = {
        .grain = share->grain,
        .period_from_day = share->period_from_day,
        .municipality = uw_client_municipality(client, share->decision),
        .provider = uw_client_text(client, share->provider),
        .product_category = uw_client_text(client, share->product_category),
        .product = uw_client_text(client, share->product),
        .law = (enum uw_law)share->law,
        .care = (enum uw_care)share->care,
        .model = (enum uw_model)share->model,
        .partition = partition,
    };
    if (!grow_slots(sums)) {
        return NULL;
    }
    uint32_t place = find_slot(sums, &row);
    if (sums->slots[place] == 0) {
        if (!uw_reserve((void **)&sums->rows, &sums->row_capacity, sums->row_count + 1, sizeof row)) {
            return NULL;
        }
        sums->rows[sums->row_count++] = row;
        sums->slots[place] = sums->row_count;
    }
    return &sums->rows[sums->slots[place] - 1];
}

/* What the shares [first, end) of one row come to. */
static void total(const struct uw_share *shares, uint32_t first, uint32_t end, struct uw_aggregate_change *sum)
{
    for (uint32_t i = first; i < end; i++) {
        sum->decisions += shares[i].delivered_minutes > 0;
        sum->delivered_minutes += shares[i].delivered_minutes;
        sum->no_show_minutes += shares[i].no_show_minutes;
        sum->used_minutes += shares[i].used_minutes;
        sum->allotted_minutes += shares[i].allotted_minutes;
    }
    sum->clients += sum->decisions > 0;
}

static uint32_t row_end(const struct uw_client *client, const struct uw_share *shares, uint32_t first, uint32_t count)
{
    uint32_t end = first;
    while (end < count && compare_rows(client, &shares[first], &shares[end]) == 0) {
        end++;
    }
    return end;
}

static bool is_zero(const struct uw_aggregate_change *row)
{
    return row->clients == 0 && row->decisions == 0 && row->delivered_minutes == 0 && row->no_show_minutes == 0 &&
           row->used_minutes == 0 && row->allotted_minutes == 0;
}

static enum uw_code add_difference(struct uw_sums *sums, const struct uw_client *client, const struct uw_share *share,
                                   int32_t partition, const struct uw_aggregate_change *before,
                                   const struct uw_aggregate_change *after)
{
    struct uw_aggregate_change difference = {
        .clients = after->clients - before->clients,
        .decisions = after->decisions - before->decisions,
        .delivered_minutes = after->delivered_minutes - before->delivered_minutes,
        .no_show_minutes = after->no_show_minutes - before->no_show_minutes,
        .used_minutes = after->used_minutes - before->used_minutes,
        .allotted_minutes = after->allotted_minutes - before->allotted_minutes,
    };
    if (is_zero(&difference)) {
        return UW_OK;
    }
    struct uw_aggregate_change *row = row_of(sums, client, share, partition);
    if (row == NULL) {
        return UW_ENOMEM;
    }
    row->clients += difference.clients;
    row->decisions += difference.decisions;
    row->delivered_minutes += difference.delivered_minutes;
    row->no_show_minutes += difference.no_show_minutes;
    row->used_minutes += difference.used_minutes;
    row->allotted_minutes += difference.allotted_minutes;
    return UW_OK;
}

enum uw_code uw_sums_after(struct uw_sums *sums, const struct uw_fold *fold, int32_t partition)
{
    const struct uw_client *client = fold->client;
    uint32_t after_count = 0, before_count = sums->before_count;
    enum uw_code code = collect(fold, &sums->after, &sums->after_capacity, &after_count);
    for (uint32_t b = 0, a = 0; code == UW_OK && (b < before_count || a < after_count);) {
        int order = b == before_count  ? 1
                    : a == after_count ? -1
                                       : compare_rows(client, &sums->before[b], &sums->after[a]);
        struct uw_aggregate_change before = {0}, after = {0};
        const struct uw_share *share = order <= 0 ? &sums->before[b] : &sums->after[a];
        if (order <= 0) {
            uint32_t end = row_end(client, sums->before, b, before_count);
            total(sums->before, b, end, &before);
            b = end;
        }
        if (order >= 0) {
            uint32_t end = row_end(client, sums->after, a, after_count);
            total(sums->after, a, end, &after);
            a = end;
        }
        code = add_difference(sums, client, share, partition, &before, &after);
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
