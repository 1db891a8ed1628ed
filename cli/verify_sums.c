/*
 * The aggregates of all clients added up anew. A region's rows may be more than memory should hold, so that those of
 * every step of clients go through a sorter, and rows with the same dimensions are added while it is read.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/verify.h"
#include "core/sums.h"

#define TEXT_COUNT 4 /* municipality, provider, product_category, product */
#define FIGURE_COUNT 8
/* Texts of a row are cut to this in the record: an accepted event has no longer ones. */
#define TEXT_BYTES_MAX 1024u

/* A row as it is sorted: its texts follow. */
struct row {
    int32_t grain, period_from_day;
    uint8_t law, care, model, unused;
    uint32_t lengths[TEXT_COUNT];
    int64_t figures[FIGURE_COUNT]; /* in the order of figure_names */
};
#define ROW_BYTES_MAX (sizeof(struct row) + TEXT_COUNT * TEXT_BYTES_MAX)

/* A row with room for its texts. */
union row_space {
    struct row row;
    uint8_t bytes[ROW_BYTES_MAX];
};

struct uw_verify_sums {
    struct uw_sums sums;
    struct uw_sorter *sorter;
    const void *next;         /* of the sorter, not yet taken; NULL: the end */
    bool has_current;
    union row_space current;  /* recomputed, summed over equal keys */
    union row_space stored;
    struct uw_error error;    /* of a visit */
};

static const char *const figure_names[FIGURE_COUNT] = {"clients",        "decisions",
                                                       "delivered_minutes", "no_show_minutes",
                                                       "used_minutes",   "allotted_minutes",
                                                       "priced_minutes", "cost_sixtieths"};

/* ---- rows as bytes ---- */

/* Fills *space and returns its length. */
static size_t row_make(const struct uw_aggregate_change *change, union row_space *space)
{
    const struct uw_str texts[TEXT_COUNT] = {change->municipality, change->provider, change->product_category,
                                             change->product};
    size_t length = sizeof space->row;

    memset(&space->row, 0, sizeof space->row);
    space->row.grain = (int32_t)change->grain;
    space->row.period_from_day = change->period_from_day;
    space->row.law = (uint8_t)change->law;
    space->row.care = (uint8_t)change->care;
    space->row.model = (uint8_t)change->model;
    space->row.figures[0] = change->clients;
    space->row.figures[1] = change->decisions;
    space->row.figures[2] = change->delivered_minutes;
    space->row.figures[3] = change->no_show_minutes;
    space->row.figures[4] = change->used_minutes;
    space->row.figures[5] = change->allotted_minutes;
    space->row.figures[6] = change->priced_minutes;
    space->row.figures[7] = change->cost_sixtieths;
    for (int i = 0; i < TEXT_COUNT; i++) {
        uint32_t part = texts[i].length < TEXT_BYTES_MAX ? texts[i].length : TEXT_BYTES_MAX;

        space->row.lengths[i] = part;
        if (part > 0) {
            memcpy(space->bytes + length, texts[i].data, part);
        }
        length += part;
    }
    return length;
}

static size_t row_length(const struct row *row)
{
    size_t length = sizeof *row;

    for (int i = 0; i < TEXT_COUNT; i++) {
        length += row->lengths[i];
    }
    return length;
}

/* The text number `index` of a row that is followed by its texts. */
static struct uw_str row_text(const struct row *row, int index)
{
    const char *data = (const char *)(row + 1);

    for (int i = 0; i < index; i++) {
        data += row->lengths[i];
    }
    return (struct uw_str){data, row->lengths[index]};
}

static int compare_integers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* The order in which the store hands its rows over. */
static int row_compare(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    int order = compare_integers(left->grain, right->grain);

    order = order != 0 ? order : compare_integers(left->period_from_day, right->period_from_day);
    for (int i = 0; i < TEXT_COUNT && order == 0; i++) {
        order = uw_str_compare(row_text(left, i), row_text(right, i));
    }
    order = order != 0 ? order : compare_integers(left->law, right->law);
    order = order != 0 ? order : compare_integers(left->care, right->care);
    return order != 0 ? order : compare_integers(left->model, right->model);
}

static bool row_is_zero(const struct row *row)
{
    for (int i = 0; i < FIGURE_COUNT; i++) {
        if (row->figures[i] != 0) {
            return false;
        }
    }
    return true;
}

/* ---- collecting ---- */

enum uw_code uw_verify_sums_open(struct uw_verify *verify, struct uw_error *error)
{
    struct uw_verify_sums *made = calloc(1, sizeof *made);
    enum uw_code code;

    if (made == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the aggregates");
    }
    uw_sums_init(&made->sums);
    verify->sums = made;
    code = uw_sorter_open(row_compare, UW_VERIFY_SORT_BYTES, &made->sorter, error);
    if (code != UW_OK) {
        uw_verify_sums_close(verify);
    }
    return code;
}

void uw_verify_sums_close(struct uw_verify *verify)
{
    if (verify->sums != NULL) {
        uw_sums_close(&verify->sums->sums);
        uw_sorter_close(&verify->sums->sorter);
        free(verify->sums);
        verify->sums = NULL;
    }
}

enum uw_code uw_verify_sums_add(struct uw_verify *verify, const struct uw_fold *fold, struct uw_error *error)
{
    /* Nothing was there before: the whole of the client is the difference. */
    if (uw_sums_after(&verify->sums->sums, fold) != UW_OK) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the aggregates");
    }
    return UW_OK;
}

enum uw_code uw_verify_sums_flush(struct uw_verify *verify, struct uw_error *error)
{
    struct uw_verify_sums *sums = verify->sums;
    enum uw_code code = UW_OK;

    for (uint32_t i = 0; i < sums->sums.row_count && code == UW_OK; i++) {
        const struct uw_aggregate_change *row = &sums->sums.rows[i];

        if (uw_verify_wants(verify, row->municipality)) {
            size_t length = row_make(row, &sums->current);

            code = uw_sorter_add(sums->sorter, &sums->current, length, error);
        }
    }
    uw_sums_reset(&sums->sums);
    return code;
}

/* ---- comparing ---- */

/* The next recomputed row that is not zero, with all its shares. */
static enum uw_code next_row(struct uw_verify_sums *sums)
{
    enum uw_code code = UW_OK;

    do {
        sums->has_current = sums->next != NULL;
        if (!sums->has_current) {
            return UW_OK;
        }
        memcpy(&sums->current, sums->next, row_length(sums->next));
        code = uw_sorter_next(sums->sorter, &sums->next, &sums->error);
        while (code == UW_OK && sums->next != NULL && row_compare(sums->next, &sums->current) == 0) {
            const struct row *row = sums->next;

            for (int i = 0; i < FIGURE_COUNT; i++) {
                sums->current.row.figures[i] += row->figures[i];
            }
            code = uw_sorter_next(sums->sorter, &sums->next, &sums->error);
        }
    } while (code == UW_OK && row_is_zero(&sums->current.row));
    return code;
}

/* One of the two may be NULL. */
static void report_row(struct uw_verify *verify, const struct row *stored, const struct row *expected)
{
    static const char *const text_names[TEXT_COUNT] = {"municipality", "provider", "product_category", "product"};
    struct uw_verify_report *report = &verify->report;
    const struct row *row = stored != NULL ? stored : expected;

    uw_verify_begin(report, UW_VERIFY_AGGREGATE,
                    stored == NULL     ? UW_VERIFY_MISSING
                    : expected == NULL ? UW_VERIFY_EXTRA
                                       : UW_VERIFY_CHANGED);
    uw_verify_key(report, "grain", uw_str_from(uw_grain_name((enum uw_grain)row->grain)));
    uw_verify_key_day(report, "period_from", row->period_from_day);
    for (int i = 0; i < TEXT_COUNT; i++) {
        uw_verify_key(report, text_names[i], row_text(row, i));
    }
    uw_verify_key(report, "law", uw_str_from(uw_law_name((enum uw_law)row->law)));
    uw_verify_key(report, "care", uw_str_from(uw_care_name((enum uw_care)row->care)));
    uw_verify_key(report, "model", uw_str_from(uw_model_name((enum uw_model)row->model)));
    for (int i = 0; i < FIGURE_COUNT; i++) {
        uw_verify_pair_number(report, figure_names[i], stored != NULL ? stored->figures[i] : UW_MINUTES_NONE,
                              expected != NULL ? expected->figures[i] : UW_MINUTES_NONE);
    }
    uw_verify_end(report);
}

/* A stored row; those recomputed that stand before it are missing. */
static enum uw_code visit_row(void *context, const struct uw_aggregate_change *change)
{
    struct uw_verify *verify = context;
    struct uw_verify_sums *sums = verify->sums;
    enum uw_code code = UW_OK;
    int order = 1;

    (void)row_make(change, &sums->stored);
    while (code == UW_OK && sums->has_current && (order = row_compare(&sums->current, &sums->stored)) < 0) {
        report_row(verify, NULL, &sums->current.row);
        code = next_row(sums);
    }
    if (code != UW_OK) {
        return code;
    }
    if (sums->has_current && order == 0) {
        verify->report.compared[UW_VERIFY_AGGREGATE]++;
        if (memcmp(sums->current.row.figures, sums->stored.row.figures, sizeof sums->stored.row.figures) != 0) {
            report_row(verify, &sums->stored.row, &sums->current.row);
        }
        return next_row(sums);
    }
    /* A row of zeros says what no row says. */
    if (!row_is_zero(&sums->stored.row)) {
        report_row(verify, &sums->stored.row, NULL);
    }
    return UW_OK;
}

enum uw_code uw_verify_sums_compare(struct uw_verify *verify, struct uw_error *error)
{
    struct uw_verify_sums *sums = verify->sums;
    enum uw_code code = uw_sorter_finish(sums->sorter, &sums->error);

    if (code == UW_OK) {
        code = uw_sorter_next(sums->sorter, &sums->next, &sums->error);
    }
    if (code == UW_OK) {
        code = next_row(sums);
    }
    if (code == UW_OK) {
        code = uw_pgaudit_aggregates(verify->store, visit_row, verify, error);
        if (code != UW_OK && sums->error.code == UW_OK) {
            sums->error = *error; /* not of a visit, but of the database */
        }
    }
    while (code == UW_OK && sums->has_current) {
        report_row(verify, NULL, &sums->current.row);
        code = next_row(sums);
    }
    if (code != UW_OK) {
        *error = sums->error;
    }
    return code;
}
