#include "tests/support/law.h"

#include <stdio.h>
#include <string.h>

#include "core/fold.h"

/* ---- what the fold says ---- */

struct expectation {
    const struct uw_fake_kafka *kafka;
    struct uw_table accounts;   /* struct uw_account_change, texts are not set */
    struct uw_table alerts;     /* struct uw_alert_change */
    struct uw_table anomalies;  /* struct uw_anomaly_change */
    struct uw_table aggregates; /* struct uw_aggregate_change */
    struct uw_table seen;       /* of aggregates: which clients and decisions were counted */
    struct uw_arena arena;
};

static void expect_accounts(struct expectation *expected, const struct uw_fold *fold, struct uw_str name)
{
    char key[UW_FAKE_KEY_BYTES];
    for (uint32_t i = 0; i < fold->account_count; i++) {
        const struct uw_account *account = &fold->accounts[i];
        struct uw_account_change row = {.client = name,
                                        .municipality = uw_client_municipality(fold->client, account->decision),
                                        .decision = uw_client_decision(fold->client, account->decision),
                                        .segment_from_day = account->segment_from_day,
                                        .period_from_day = account->period_from_day,
                                        .period_to_day = account->period_to_day,
                                        .model = account->model,
                                        .allotted_minutes = account->allotted_minutes,
                                        .minimum_minutes = account->minimum_minutes,
                                        .used_minutes = account->used_minutes,
                                        .delivered_minutes = account->delivered_minutes,
                                        .no_show_minutes = account->no_show_minutes};
        uw_fake_account_key(&row, key);
        row.client = row.municipality = row.decision = UW_STR_NULL;
        *(struct uw_account_change *)uw_table_put(&expected->accounts, key) = row;
    }
}

static void expect_signals(struct expectation *expected, const struct uw_fold *fold, struct uw_str name)
{
    char key[UW_FAKE_KEY_BYTES];
    for (uint32_t i = 0; i < fold->alert_count; i++) {
        const struct uw_alert_state *state = &fold->alerts[i].state;
        struct uw_alert_change row = {.kind = (enum uw_alert_kind)state->kind,
                                      .client = name,
                                      .municipality = uw_client_municipality(fold->client, state->decision),
                                      .decision = uw_client_decision(fold->client, state->decision),
                                      .segment_from_day = state->segment_from_day,
                                      .period_from_day = state->period_from_day,
                                      .threshold = state->threshold < 0 ? UW_INT_NONE : state->threshold,
                                      .severity = (enum uw_severity)state->severity,
                                      .effective_on_day = state->effective_on_day};
        uw_fake_alert_key(&row, key);
        row.provider = uw_fake_copy_text(&expected->arena, uw_client_text(fold->client, state->provider));
        *(struct uw_alert_change *)uw_table_put(&expected->alerts, key) = row;
    }
    for (uint32_t i = 0; i < fold->anomaly_count; i++) {
        const struct uw_anomaly_state *state = &fold->anomalies[i].state;
        struct uw_anomaly_change row = {.kind = (enum uw_anomaly_kind)state->kind,
                                        .client = name,
                                        .municipality = uw_client_municipality(fold->client, state->decision),
                                        .decision = uw_client_decision(fold->client, state->decision),
                                        .subject = {(enum uw_subject_kind)state->subject_kind,
                                                    uw_client_text(fold->client, state->subject_provider),
                                                    uw_client_text(fold->client, state->subject_id),
                                                    state->subject_version}};
        uw_fake_anomaly_key(&row, key);
        row.provider = uw_fake_copy_text(&expected->arena, uw_client_text(fold->client, state->provider));
        *(struct uw_anomaly_change *)uw_table_put(&expected->anomalies, key) = row;
    }
}

/* The aggregate row of a day's week or month. */
static void row_key(const struct uw_fold *fold, const struct uw_account *account, enum uw_grain grain, int32_t day,
                    char key[UW_FAKE_KEY_BYTES])
{
    const struct uw_client *client = fold->client;
    const struct uw_case *care = uw_fold_case(fold, account->decision);
    struct uw_aggregate_change row = {
        .grain = grain,
        .period_from_day = grain == UW_GRAIN_WEEK ? uw_week_start(day) : uw_month_start(day),
        .municipality = uw_client_municipality(client, care->decision),
        .provider = uw_client_text(client, uw_case_interval(fold, care, day)->version->provider),
        .product_category = uw_client_text(client, care->latest->product_category),
        .product = uw_client_text(client, care->latest->product),
        .law = (enum uw_law)care->latest->law,
        .care = (enum uw_care)care->latest->care,
        .model = account->model};
    uw_fake_aggregate_key(&row, key);
}

/* Clients and decisions are counted in a row once. */
static void count_once(struct expectation *expected, const char *key, struct uw_str name, struct uw_str decision,
                       int64_t *count)
{
    char seen[2 * UW_FAKE_KEY_BYTES];
    snprintf(seen, sizeof seen, "%s||%.*s||%.*s", key, (int)name.length, name.data, (int)decision.length,
             decision.data);
    *count += uw_table_find(&expected->seen, seen) == NULL;
    uw_table_put(&expected->seen, seen);
}

static const struct uw_segment *segment_of(const struct uw_fold *fold, const struct uw_account *account)
{
    const struct uw_case *care = uw_fold_case(fold, account->decision);
    return &fold->segments[uw_case_interval(fold, care, account->segment_from_day)->segment];
}

/* Used minutes through a day: for FixedPlusSurplus what each ISO week has over the fixed hours. */
static int64_t used_through(const struct uw_fold *fold, const struct uw_account *account, int32_t through_day)
{
    const struct uw_case *care = uw_fold_case(fold, account->decision);
    const struct uw_segment *segment = segment_of(fold, account);
    int64_t used = 0, week = 0, fixed = segment->terms->first;
    int32_t monday = UW_DAY_NONE;
    for (uint32_t i = 0; i < care->entry_count; i++) {
        const struct uw_entry *entry = &fold->entries[care->entry_first + i];
        if (entry->day < account->period_from_day || entry->day > through_day) {
            continue;
        }
        if (segment->terms->model != UW_MODEL_FIXED_PLUS_SURPLUS) {
            used += entry->minutes;
            continue;
        }
        if (uw_week_start(entry->day) != monday) {
            used += week > fixed ? week - fixed : 0;
            monday = uw_week_start(entry->day);
            week = 0;
        }
        week += entry->minutes;
    }
    return used + (week > fixed ? week - fixed : 0);
}

/* The allotment and the price of a pool with an end are spread evenly over its days; here a day at a time, on
 * purpose. */
static int64_t part_in(int64_t amount, const struct uw_account *account, enum uw_grain grain, int32_t day)
{
    if (amount == UW_MINUTES_NONE || account->period_to_day == UW_DAY_NONE) {
        return 0;
    }
    int32_t from = grain == UW_GRAIN_WEEK ? uw_week_start(day) : uw_month_start(day);
    int32_t to = grain == UW_GRAIN_WEEK ? from + 6 : uw_month_end(day);
    int64_t days = account->period_to_day - account->period_from_day + 1, sum = 0;
    for (int32_t each = from; each <= to; each++) {
        int64_t i = each - account->period_from_day;
        if (each >= account->period_from_day && each <= account->period_to_day) {
            sum += amount * (i + 1) / days - amount * i / days;
        }
    }
    return sum;
}

/* What a day of an account brings to the row of its week or month; the first delivering day of an account in it
 * also brings the part of the allotment and of a result's price. */
static void expect_day(struct expectation *expected, const struct uw_fold *fold, struct uw_str name,
                       const struct uw_account *account, enum uw_grain grain, int32_t day, int32_t before_day,
                       const struct uw_aggregate_change *figures)
{
    char key[UW_FAKE_KEY_BYTES];
    row_key(fold, account, grain, day, key);
    struct uw_aggregate_change *sum = uw_table_put(&expected->aggregates, key);
    sum->delivered_minutes += figures->delivered_minutes;
    sum->no_show_minutes += figures->no_show_minutes;
    sum->used_minutes += figures->used_minutes;
    sum->priced_minutes += figures->priced_minutes;
    sum->cost_sixtieths += figures->cost_sixtieths;
    count_once(expected, key, name, UW_STR(""), &sum->clients);
    count_once(expected, key, name, uw_client_text(fold->client, account->decision), &sum->decisions);
    bool is_first = before_day == UW_DAY_NONE ||
                    (grain == UW_GRAIN_WEEK ? uw_week_start(before_day) != uw_week_start(day)
                                            : uw_month_start(before_day) != uw_month_start(day));
    if (is_first) {
        sum->allotted_minutes += part_in(account->allotted_minutes, account, grain, day);
        int64_t price_sixtieths = (int64_t)segment_of(fold, account)->terms->first * 60;
        sum->cost_sixtieths += account->model == UW_MODEL_RESULT ? part_in(price_sixtieths, account, grain, day) : 0;
    }
}

/* What the delivered minutes of a day cost by the rate. */
static void price_day(const struct uw_fold *fold, const struct uw_account *account, int32_t day,
                      struct uw_aggregate_change *figures)
{
    const struct uw_case *care = uw_fold_case(fold, account->decision);
    int32_t rate = uw_case_interval(fold, care, day)->version->rate_cents_per_hour;
    bool rated = account->model != UW_MODEL_RESULT && rate != UW_INT_NONE && rate <= UW_RATE_CENTS_MAX;
    figures->priced_minutes = account->model == UW_MODEL_RESULT || rated ? figures->delivered_minutes : 0;
    figures->cost_sixtieths = rated ? figures->delivered_minutes * rate : 0;
}

static void expect_delivered(struct expectation *expected, const struct uw_fold *fold, struct uw_str name,
                             const struct uw_account *account)
{
    const struct uw_case *care = uw_fold_case(fold, account->decision);
    int64_t used_before = 0;
    int32_t before_day = UW_DAY_NONE;
    for (uint32_t i = 0; i < care->entry_count;) {
        int32_t day = fold->entries[care->entry_first + i].day;
        struct uw_aggregate_change figures = {.clients = 0};
        for (; i < care->entry_count && fold->entries[care->entry_first + i].day == day; i++) {
            const struct uw_entry *entry = &fold->entries[care->entry_first + i];
            figures.delivered_minutes += entry->minutes;
            figures.no_show_minutes += entry->is_no_show ? entry->minutes : 0;
        }
        if (day < account->period_from_day || (account->period_to_day != UW_DAY_NONE && day > account->period_to_day)) {
            continue;
        }
        int64_t used = used_through(fold, account, day);
        figures.used_minutes = used - used_before;
        price_day(fold, account, day, &figures);
        expect_day(expected, fold, name, account, UW_GRAIN_WEEK, day, before_day, &figures);
        expect_day(expected, fold, name, account, UW_GRAIN_MONTH, day, before_day, &figures);
        used_before = used;
        before_day = day;
    }
}

static void expect_client(struct expectation *expected, const struct uw_fold *fold, struct uw_str name)
{
    expect_accounts(expected, fold, name);
    expect_signals(expected, fold, name);
    for (uint32_t i = 0; i < fold->account_count; i++) {
        expect_delivered(expected, fold, name, &fold->accounts[i]);
    }
}

static void compute(struct expectation *expected, const struct uw_fake_kafka *kafka,
                    const struct uw_settings *settings, int32_t as_of_day)
{
    memset(expected, 0, sizeof *expected);
    expected->kafka = kafka;
    uw_table_init(&expected->accounts, sizeof(struct uw_account_change));
    uw_table_init(&expected->alerts, sizeof(struct uw_alert_change));
    uw_table_init(&expected->anomalies, sizeof(struct uw_anomaly_change));
    uw_table_init(&expected->aggregates, sizeof(struct uw_aggregate_change));
    uw_table_init(&expected->seen, 1);
    uw_arena_init(&expected->arena, (size_t)1 << 30);
    const struct uw_hostile *hostile = kafka->hostile;
    struct uw_fold fold;
    uw_fold_init(&fold);
    for (uint32_t number = 0; number < hostile->client_count; number++) {
        char text[16];
        snprintf(text, sizeof text, "c%u", (unsigned)number);
        struct uw_client client;
        uw_client_init(&client);
        for (uint32_t i = 0; i < hostile->count; i++) {
            bool redelivery;
            if (uw_str_equal(hostile->events[i].client, uw_str_from(text)) &&
                uw_client_add(&client, &hostile->events[i], &redelivery) != UW_OK) {
                abort();
            }
        }
        if (uw_fold_run(&fold, &client, settings, as_of_day) != UW_OK) {
            abort();
        }
        expect_client(expected, &fold, uw_str_from(text));
        uw_client_close(&client);
    }
    uw_fold_close(&fold);
}

static void forget(struct expectation *expected)
{
    uw_table_close(&expected->accounts);
    uw_table_close(&expected->alerts);
    uw_table_close(&expected->anomalies);
    uw_table_close(&expected->aggregates);
    uw_table_close(&expected->seen);
    uw_arena_close(&expected->arena);
}

/* ---- comparing ---- */

typedef bool same_rows(const void *expected, const void *stored);
typedef bool is_shown(const void *row);

static bool same_accounts(const void *expected, const void *stored)
{
    const struct uw_account_change *a = expected, *b = stored;
    return a->period_to_day == b->period_to_day && a->model == b->model && a->allotted_minutes == b->allotted_minutes &&
           a->minimum_minutes == b->minimum_minutes && a->used_minutes == b->used_minutes &&
           a->delivered_minutes == b->delivered_minutes && a->no_show_minutes == b->no_show_minutes;
}

static bool same_alerts(const void *expected, const void *stored)
{
    const struct uw_alert_change *a = expected, *b = stored;
    return a->severity == b->severity && a->effective_on_day == b->effective_on_day &&
           uw_str_equal(a->provider, b->provider);
}

static bool same_anomalies(const void *expected, const void *stored)
{
    const struct uw_anomaly_change *a = expected, *b = stored;
    return uw_str_equal(a->provider, b->provider);
}

static bool same_aggregates(const void *expected, const void *stored)
{
    const struct uw_aggregate_change *a = expected, *b = stored;
    return a->clients == b->clients && a->decisions == b->decisions && a->delivered_minutes == b->delivered_minutes &&
           a->no_show_minutes == b->no_show_minutes && a->used_minutes == b->used_minutes &&
           a->allotted_minutes == b->allotted_minutes && a->priced_minutes == b->priced_minutes &&
           a->cost_sixtieths == b->cost_sixtieths;
}

static bool always(const void *row)
{
    return row != NULL;
}

static bool alert_is_open(const void *row)
{
    return ((const struct uw_alert_change *)row)->status == UW_STATUS_OPEN;
}

static bool anomaly_is_open(const void *row)
{
    return ((const struct uw_anomaly_change *)row)->status == UW_STATUS_OPEN;
}

static bool is_not_zero(const void *row)
{
    const struct uw_aggregate_change zero = {0};
    return !same_aggregates(&zero, row);
}

static bool same_tables(const char *name, const struct uw_table *expected, const struct uw_table *stored,
                        same_rows *same, is_shown *shown, char text[UW_LAW_TEXT_BYTES])
{
    for (uint32_t i = 0; i < expected->count; i++) {
        const void *want = uw_table_row(expected, i), *have = uw_table_find(stored, expected->keys[i]);
        if (shown(want) && (have == NULL || !shown(have) || !same(want, have))) {
            snprintf(text, UW_LAW_TEXT_BYTES, "%s: %s is %s", name, expected->keys[i],
                     have == NULL || !shown(have) ? "missing" : "different");
            return false;
        }
    }
    for (uint32_t i = 0; i < stored->count; i++) {
        const void *want = uw_table_find(expected, stored->keys[i]);
        if (shown(uw_table_row(stored, i)) && (want == NULL || !shown(want))) {
            snprintf(text, UW_LAW_TEXT_BYTES, "%s: %s is unexpected", name, stored->keys[i]);
            return false;
        }
    }
    return true;
}

/* Revisions of an id rise by one from 1 on; the last state is the one that is stored. */
static bool stream_holds(const struct uw_fake_store *store, const struct uw_fake_kafka *kafka,
                         char text[UW_LAW_TEXT_BYTES])
{
    struct uw_table last;
    uw_table_init(&last, UW_FAKE_STATE_BYTES);
    bool good = true;
    for (uint32_t i = 0; i < kafka->committed_count && good; i++) {
        const struct uw_outbox_record *record = &kafka->committed[i];
        if (record->output == UW_OUTPUT_DEAD_LETTERS) {
            continue;
        }
        char *state = uw_table_put(&last, record->headers[0].value.data);
        long before = strtol(state, NULL, 10), revision = strtol(record->value.data, NULL, 10);
        good = revision == before + 1;
        if (!good) {
            snprintf(text, UW_LAW_TEXT_BYTES, "published: %s has revision %ld after %ld",
                     record->headers[0].value.data, revision, before);
        }
        memcpy(state, record->value.data, record->value.length + 1);
    }
    char state[UW_FAKE_STATE_BYTES];
    for (uint32_t i = 0; i < store->alerts.count + store->anomalies.count && good; i++) {
        bool is_alert = i < store->alerts.count;
        const struct uw_table *table = is_alert ? &store->alerts : &store->anomalies;
        uint32_t index = is_alert ? i : i - store->alerts.count;
        if (is_alert) {
            uw_fake_alert_state(uw_table_row(table, index), state);
        } else {
            uw_fake_anomaly_state(uw_table_row(table, index), state);
        }
        const char *published = uw_table_find(&last, table->keys[index]);
        good = published != NULL && strcmp(published, state) == 0;
        if (!good) {
            snprintf(text, UW_LAW_TEXT_BYTES, "published: %s is %s, not %s", table->keys[index],
                     published == NULL ? "nothing" : published, state);
        }
    }
    if (good && last.count != store->alerts.count + store->anomalies.count) {
        good = false;
        snprintf(text, UW_LAW_TEXT_BYTES, "published: %u ids, %u are stored", (unsigned)last.count,
                 (unsigned)(store->alerts.count + store->anomalies.count));
    }
    uw_table_close(&last);
    return good;
}

bool uw_law_holds(const struct uw_fake_store *store, const struct uw_fake_kafka *kafka,
                  const struct uw_settings *settings, int32_t as_of_day, char text[UW_LAW_TEXT_BYTES])
{
    if (store->problem[0] != '\0' || kafka->problem[0] != '\0') {
        snprintf(text, UW_LAW_TEXT_BYTES, "%s %s", store->problem, kafka->problem);
        return false;
    }
    struct expectation expected;
    compute(&expected, kafka, settings, as_of_day);
    bool good =
        same_tables("account", &expected.accounts, &store->accounts, same_accounts, always, text) &&
        same_tables("alert", &expected.alerts, &store->alerts, same_alerts, alert_is_open, text) &&
        same_tables("anomaly", &expected.anomalies, &store->anomalies, same_anomalies, anomaly_is_open, text) &&
        same_tables("aggregate", &expected.aggregates, &store->aggregates, same_aggregates, is_not_zero, text) &&
        stream_holds(store, kafka, text);
    forget(&expected);
    return good;
}

/* ---- digests ---- */

static uint64_t mix_bytes(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    }
    return hash ^ hash >> 29;
}

static uint64_t mix_text(uint64_t hash, struct uw_str text)
{
    hash = mix_bytes(hash, &text.length, sizeof text.length);
    return mix_bytes(hash, text.data, text.length);
}

static uint64_t start(const char *key)
{
    return mix_bytes(UINT64_C(14695981039346656037), key, strlen(key));
}

#define MIX(hash, number) mix_bytes((hash), &(int64_t){(int64_t)(number)}, sizeof(int64_t))

/* Sums do not depend on the order of the rows. */
static void digest_tables(const struct uw_fake_store *store, struct uw_digest *digest)
{
    for (uint32_t i = 0; i < store->accounts.count; i++) {
        const struct uw_account_change *row = uw_table_row(&store->accounts, i);
        uint64_t hash = MIX(MIX(start(store->accounts.keys[i]), row->period_to_day), row->model);
        hash = MIX(MIX(hash, row->allotted_minutes), row->minimum_minutes);
        digest->accounts += MIX(MIX(MIX(hash, row->used_minutes), row->delivered_minutes), row->no_show_minutes);
    }
    for (uint32_t i = 0; i < store->alerts.count; i++) {
        const struct uw_alert_change *row = uw_table_row(&store->alerts, i);
        uint64_t hash = MIX(MIX(start(store->alerts.keys[i]), row->status), row->severity);
        digest->alerts += mix_text(MIX(MIX(hash, row->effective_on_day), row->revision), row->provider);
    }
    for (uint32_t i = 0; i < store->anomalies.count; i++) {
        const struct uw_anomaly_change *row = uw_table_row(&store->anomalies, i);
        uint64_t hash = MIX(MIX(start(store->anomalies.keys[i]), row->status), row->revision);
        digest->anomalies += mix_text(hash, row->provider);
    }
    for (uint32_t i = 0; i < store->aggregates.count; i++) {
        const struct uw_aggregate_change *row = uw_table_row(&store->aggregates, i);
        if (is_not_zero(row)) {
            uint64_t hash = MIX(MIX(start(store->aggregates.keys[i]), row->clients), row->decisions);
            hash = MIX(MIX(hash, row->delivered_minutes), row->no_show_minutes);
            hash = MIX(MIX(hash, row->used_minutes), row->allotted_minutes);
            digest->aggregates += MIX(MIX(hash, row->priced_minutes), row->cost_sixtieths);
        }
    }
}

struct uw_digest uw_law_digest(const struct uw_fake_store *store, const struct uw_fake_kafka *kafka)
{
    struct uw_digest digest = {0};
    for (uint32_t i = 0; i < store->fact_count; i++) {
        const struct uw_fake_fact *fact = &store->facts[i];
        uint64_t hash = MIX(MIX(MIX(start("fact"), fact->event.topic), fact->partition), fact->offset);
        digest.facts += MIX(hash, fact->redelivery);
    }
    digest_tables(store, &digest);
    for (uint32_t i = 0; i < kafka->committed_count; i++) {
        /* Within a partition the order counts: it is the sequence. */
        const struct uw_outbox_record *record = &kafka->committed[i];
        uint64_t hash = MIX(MIX(MIX(start("record"), record->partition), record->sequence), record->output);
        hash = mix_text(mix_text(hash, record->key), record->value);
        digest.published += mix_text(hash, record->headers[0].value);
    }
    return digest;
}

const char *uw_digest_difference(const struct uw_digest *a, const struct uw_digest *b)
{
    return a->facts != b->facts             ? "facts"
           : a->accounts != b->accounts     ? "accounts"
           : a->alerts != b->alerts         ? "alerts"
           : a->anomalies != b->anomalies   ? "anomalies"
           : a->aggregates != b->aggregates ? "aggregates"
           : a->published != b->published   ? "published"
                                            : NULL;
}
