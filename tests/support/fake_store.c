#include "tests/support/fake_store.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/client.h"
#include "tests/support/hostile.h"

static void complain(struct uw_fake_store *store, const char *format, ...) UW_PRINTF(2, 3);

/* The first thing that did not fit stays. */
static void complain(struct uw_fake_store *store, const char *format, ...)
{
    if (store->problem[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(store->problem, sizeof store->problem, format, arguments);
        va_end(arguments);
    }
}

/* ---- keys and copies ---- */

#define TEXT(text) (int)(text).length, (text).data == NULL ? "" : (text).data

void uw_fake_account_key(const struct uw_account_change *account, char key[UW_FAKE_KEY_BYTES])
{
    snprintf(key, UW_FAKE_KEY_BYTES, "%.*s|%.*s|%.*s|%d|%d", TEXT(account->client), TEXT(account->municipality),
             TEXT(account->decision), (int)account->segment_from_day, (int)account->period_from_day);
}

void uw_fake_alert_key(const struct uw_alert_change *alert, char key[UW_FAKE_KEY_BYTES])
{
    snprintf(key, UW_FAKE_KEY_BYTES, "%s|%.*s|%.*s|%.*s|%d|%d|%d", uw_alert_kind_name(alert->kind),
             TEXT(alert->client), TEXT(alert->municipality), TEXT(alert->decision), (int)alert->segment_from_day,
             (int)alert->period_from_day, (int)alert->threshold);
}

void uw_fake_anomaly_key(const struct uw_anomaly_change *anomaly, char key[UW_FAKE_KEY_BYTES])
{
    char subject[UW_SUBJECT_TEXT_BYTES];
    uw_subject_format(&anomaly->subject, subject, sizeof subject);
    snprintf(key, UW_FAKE_KEY_BYTES, "%s|%.*s|%.*s|%.*s|%s", uw_anomaly_kind_name(anomaly->kind),
             TEXT(anomaly->client), TEXT(anomaly->municipality), TEXT(anomaly->decision), subject);
}

void uw_fake_aggregate_key(const struct uw_aggregate_change *aggregate, char key[UW_FAKE_KEY_BYTES])
{
    snprintf(key, UW_FAKE_KEY_BYTES, "%s|%d|%.*s|%.*s|%.*s|%.*s|%d|%d|%d", uw_grain_name(aggregate->grain),
             (int)aggregate->period_from_day, TEXT(aggregate->municipality), TEXT(aggregate->provider),
             TEXT(aggregate->product_category), TEXT(aggregate->product), (int)aggregate->law,
             (int)aggregate->care, (int)aggregate->model);
}

struct uw_str uw_fake_copy_text(struct uw_arena *arena, struct uw_str text)
{
    struct uw_str copy = uw_arena_copy(arena, text);
    if (uw_str_is_null(copy) != uw_str_is_null(text)) {
        abort();
    }
    return copy;
}

struct uw_outbox_record uw_fake_copy_record(struct uw_arena *arena, const struct uw_outbox_record *record)
{
    struct uw_outbox_record copy = *record;
    struct uw_header *headers = uw_arena_take(arena, record->header_count * sizeof *headers);
    if (headers == NULL) {
        abort();
    }
    copy.key = uw_fake_copy_text(arena, record->key);
    copy.value = uw_fake_copy_text(arena, record->value);
    for (uint32_t i = 0; i < record->header_count; i++) {
        headers[i].name = uw_fake_copy_text(arena, record->headers[i].name);
        headers[i].value = uw_fake_copy_text(arena, record->headers[i].value);
    }
    copy.headers = headers;
    return copy;
}

void uw_fake_store_init(struct uw_fake_store *store, uint64_t seed)
{
    memset(store, 0, sizeof *store);
    uw_arena_init(&store->arena, (size_t)1 << 30);
    store->random = uw_random_from(seed);
    for (uint32_t i = 0; i < UW_FAKE_PARTITIONS_MAX; i++) {
        store->partitions[i].next_sequence = 1;
        store->partitions[i].as_of_day = UW_DAY_NONE;
    }
    uw_table_init(&store->accounts, sizeof(struct uw_account_change));
    uw_table_init(&store->alerts, sizeof(struct uw_alert_change));
    uw_table_init(&store->anomalies, sizeof(struct uw_anomaly_change));
    uw_table_init(&store->aggregates, sizeof(struct uw_aggregate_change));
    for (uint32_t i = 0; i < UW_FAKE_RULES_MAX; i++) {
        uw_table_init(&store->former_aggregates[i], sizeof(struct uw_aggregate_change));
    }
    uw_table_init(&store->clients, sizeof(struct uw_fake_client));
    uw_table_init(&store->positions, 1);
}

void uw_fake_store_close(struct uw_fake_store *store)
{
    uw_arena_close(&store->arena);
    free(store->facts);
    free(store->outbox);
    uw_table_close(&store->accounts);
    uw_table_close(&store->alerts);
    uw_table_close(&store->anomalies);
    uw_table_close(&store->aggregates);
    for (uint32_t i = 0; i < UW_FAKE_RULES_MAX; i++) {
        uw_table_close(&store->former_aggregates[i]);
    }
    uw_table_close(&store->clients);
    uw_table_close(&store->positions);
}

/* ---- reading ---- */

static void raise_rules(struct uw_fake_store *store, int32_t rules_version)
{
    if (rules_version > store->rules_version) {
        struct uw_table former = store->former_aggregates[rules_version];
        store->former_aggregates[store->rules_version] = store->aggregates;
        store->aggregates = former;
        uw_table_init(&store->former_aggregates[rules_version], sizeof(struct uw_aggregate_change));
        store->rules_version = rules_version;
    }
}

static enum uw_code store_claim(void *context, int32_t partition, int32_t rules_version, struct uw_claim *claim,
                                struct uw_error *error)
{
    struct uw_fake_session *session = context;
    enum uw_fault fault = uw_faults_call(session->faults);
    enum uw_code code = uw_faults_before(session->faults, fault, false, error);
    if (code != UW_OK) {
        return code;
    }
    struct uw_fake_partition *row = &session->store->partitions[partition];
    if (row->rules_version > rules_version) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "rules %d were here before", (int)row->rules_version);
    }
    row->rules_version = rules_version;
    raise_rules(session->store, rules_version);
    struct uw_claim made = {.partition = partition,
                            .epoch = row->epoch + 1,
                            .previous_epoch = row->epoch,
                            .next_sequence = row->next_sequence,
                            .published_sequence = row->published_sequence,
                            .as_of_day = row->as_of_day,
                            .rules_fingerprint = row->rules_fingerprint};
    memcpy(made.next_offset, row->next_offset, sizeof made.next_offset);
    row->epoch++;
    code = uw_faults_after(session->faults, fault, error);
    if (code == UW_OK) {
        *claim = made;
    }
    return code;
}

/* A call that reads and fails may have handed over some of its rows before. */
static bool fails_late(struct uw_fake_session *session, enum uw_fault fault)
{
    return fault != UW_FAULT_NONE && uw_random_chance(&session->store->random, 50);
}

static enum uw_code load_client(struct uw_fake_store *store, struct uw_str client, uint32_t index,
                                const struct uw_load_sink *sink)
{
    enum uw_code code = UW_OK;
    /* In any order: here from a random place around. */
    uint32_t start = store->fact_count == 0 ? 0 : uw_random_below(&store->random, store->fact_count);
    for (uint32_t i = 0; i < store->fact_count && code == UW_OK; i++) {
        const struct uw_fake_fact *fact = &store->facts[(start + i) % store->fact_count];
        if (!fact->redelivery && uw_str_equal(fact->event.client, client)) {
            code = sink->fact(sink->context, index, &fact->event);
        }
    }
    for (uint32_t i = 0; i < store->alerts.count && code == UW_OK; i++) {
        const struct uw_alert_change *alert = uw_table_row(&store->alerts, i);
        if (uw_str_equal(alert->client, client)) {
            code = sink->alert(sink->context, index, alert);
        }
    }
    for (uint32_t i = 0; i < store->anomalies.count && code == UW_OK; i++) {
        const struct uw_anomaly_change *anomaly = uw_table_row(&store->anomalies, i);
        if (uw_str_equal(anomaly->client, client)) {
            code = sink->anomaly(sink->context, index, anomaly);
        }
    }
    for (uint32_t i = 0; i < store->clients.count && code == UW_OK && sink->client != NULL; i++) {
        const struct uw_fake_client *row = uw_table_row(&store->clients, i);
        if (uw_str_equal(row->client, client)) {
            code = sink->client(sink->context, index, row->next_change_day, row->rules_version);
        }
    }
    return code;
}

static enum uw_code store_load(void *context, const struct uw_str *clients, uint32_t client_count,
                               const struct uw_load_sink *sink, struct uw_error *error)
{
    struct uw_fake_session *session = context;
    enum uw_fault fault = uw_faults_call(session->faults);
    bool late = fails_late(session, fault);
    for (uint32_t i = 0; i < client_count && (fault == UW_FAULT_NONE || late); i++) {
        enum uw_code code = load_client(session->store, clients[i], i, sink);
        if (code != UW_OK) {
            return uw_error_set(error, code, UW_CLASS_FATAL, "a row was refused");
        }
    }
    enum uw_code code = uw_faults_before(session->faults, fault, false, error);
    return code == UW_OK ? uw_faults_after(session->faults, fault, error) : code;
}

static enum uw_code store_outbox(void *context, int32_t partition, int64_t after, uint32_t limit,
                                 uw_outbox_visit *visit, void *visit_context, struct uw_error *error)
{
    struct uw_fake_session *session = context;
    struct uw_fake_store *store = session->store;
    enum uw_fault fault = uw_faults_call(session->faults);
    bool late = fails_late(session, fault);
    uint32_t visited = 0;
    for (uint32_t i = 0; i < store->outbox_count && visited < limit && (fault == UW_FAULT_NONE || late); i++) {
        const struct uw_outbox_record *record = &store->outbox[i];
        if (record->partition != partition || record->sequence <= after) {
            continue;
        }
        visited++;
        enum uw_code code = visit(visit_context, record);
        if (code != UW_OK) {
            return uw_error_set(error, code, UW_CLASS_FATAL, "a record was refused");
        }
    }
    enum uw_code code = uw_faults_before(session->faults, fault, false, error);
    return code == UW_OK ? uw_faults_after(session->faults, fault, error) : code;
}

static bool is_due(const struct uw_fake_client *client, int32_t partition, int32_t as_of_day)
{
    return client->partition == partition && client->next_change_day != UW_DAY_NONE &&
           client->next_change_day <= as_of_day;
}

/* The due client that comes next after `last` by day and name. */
static const struct uw_fake_client *next_due(const struct uw_fake_store *store, int32_t partition, int32_t as_of_day,
                                             const struct uw_fake_client *last)
{
    const struct uw_fake_client *next = NULL;
    for (uint32_t i = 0; i < store->clients.count; i++) {
        const struct uw_fake_client *client = uw_table_row(&store->clients, i);
        bool after = last == NULL || client->next_change_day > last->next_change_day ||
                     (client->next_change_day == last->next_change_day &&
                      uw_str_compare(client->client, last->client) > 0);
        bool before = next == NULL || client->next_change_day < next->next_change_day ||
                      (client->next_change_day == next->next_change_day &&
                       uw_str_compare(client->client, next->client) < 0);
        if (is_due(client, partition, as_of_day) && after && before) {
            next = client;
        }
    }
    return next;
}

static enum uw_code store_due(void *context, int32_t partition, int32_t as_of_day, uint32_t limit,
                              uw_client_visit *visit, void *visit_context, struct uw_error *error)
{
    struct uw_fake_session *session = context;
    enum uw_fault fault = uw_faults_call(session->faults);
    bool late = fails_late(session, fault);
    const struct uw_fake_client *client = NULL;
    for (uint32_t i = 0; i < limit && (fault == UW_FAULT_NONE || late); i++) {
        client = next_due(session->store, partition, as_of_day, client);
        if (client == NULL) {
            break;
        }
        enum uw_code code = visit(visit_context, client->client);
        if (code != UW_OK) {
            return uw_error_set(error, code, UW_CLASS_FATAL, "a client was refused");
        }
    }
    enum uw_code code = uw_faults_before(session->faults, fault, false, error);
    return code == UW_OK ? uw_faults_after(session->faults, fault, error) : code;
}

static enum uw_code store_mark_all_due(void *context, int32_t partition, int64_t epoch, uint64_t rules_fingerprint,
                                       struct uw_error *error)
{
    struct uw_fake_session *session = context;
    struct uw_fake_store *store = session->store;
    enum uw_fault fault = uw_faults_call(session->faults);
    enum uw_code code = uw_faults_before(session->faults, fault, true, error);
    if (code != UW_OK) {
        return code;
    }
    if (store->partitions[partition].epoch != epoch) {
        return uw_error_set(error, UW_EFENCED, UW_CLASS_FENCED, "another instance owns the partition");
    }
    store->partitions[partition].rules_fingerprint = rules_fingerprint;
    for (uint32_t i = 0; i < store->clients.count; i++) {
        struct uw_fake_client *client = uw_table_row(&store->clients, i);
        if (client->partition == partition) {
            client->next_change_day = UW_DAY_BEFORE_ALL;
        }
    }
    return uw_faults_after(session->faults, fault, error);
}

static bool rules_are_in_use(const struct uw_fake_store *store, int32_t below)
{
    for (uint32_t i = 0; i < store->clients.count; i++) {
        const struct uw_fake_client *client = uw_table_row(&store->clients, i);
        if (client->rules_version < below) {
            return true;
        }
    }
    for (uint32_t i = 0; i < UW_FAKE_PARTITIONS_MAX; i++) {
        if (store->partitions[i].epoch > 0 && store->partitions[i].rules_version < below) {
            return true;
        }
    }
    return false;
}

static enum uw_code store_sweep(void *context, int32_t rules_version, uint32_t limit, bool *more,
                                struct uw_error *error)
{
    struct uw_fake_session *session = context;
    struct uw_fake_store *store = session->store;
    enum uw_fault fault = uw_faults_call(session->faults);
    enum uw_code code = uw_faults_before(session->faults, fault, false, error);
    uint32_t removed = 0;
    if (code != UW_OK) {
        return code;
    }
    if (!rules_are_in_use(store, rules_version)) {
        for (int32_t i = 0; i < rules_version; i++) {
            struct uw_table *former = &store->former_aggregates[i];
            for (; former->count > 0 && removed < limit; removed++) {
                uw_table_remove(former, former->keys[0]);
            }
        }
    }
    code = uw_faults_after(session->faults, fault, error);
    if (code == UW_OK) {
        *more = removed == limit;
    }
    return code;
}

static enum uw_code store_standing(void *context, int32_t partition, int64_t epoch, int64_t *next_sequence,
                                   struct uw_error *error)
{
    struct uw_fake_session *session = context;
    const struct uw_fake_partition *stored = &session->store->partitions[partition];
    enum uw_fault fault = uw_faults_call(session->faults);
    enum uw_code code = uw_faults_before(session->faults, fault, true, error);
    if (code == UW_OK) {
        code = uw_faults_after(session->faults, fault, error);
    }
    if (code == UW_OK && stored->epoch != epoch) {
        code = uw_error_set(error, UW_EFENCED, UW_CLASS_FENCED, "another instance owns the partition");
    }
    if (code == UW_OK) {
        *next_sequence = stored->next_sequence;
    }
    return code;
}

/* ---- committing ---- */

static bool matches(const struct uw_fake_store *store, const struct uw_partition_change *change)
{
    const struct uw_fake_partition *row = &store->partitions[change->partition];
    return row->epoch == change->epoch && row->next_sequence == change->from_sequence &&
           memcmp(row->next_offset, change->from_offset, sizeof row->next_offset) == 0;
}

static bool is_listed(const struct uw_changes *changes, int32_t partition)
{
    for (uint32_t i = 0; i < changes->partition_count; i++) {
        if (changes->partitions[i].partition == partition) {
            return true;
        }
    }
    return false;
}

static void store_facts(struct uw_fake_store *store, const struct uw_changes *changes)
{
    if (!uw_reserve((void **)&store->facts, &store->fact_capacity, store->fact_count + changes->fact_count,
                    sizeof *store->facts)) {
        abort();
    }
    for (uint32_t i = 0; i < changes->fact_count; i++) {
        const struct uw_fact_change *change = &changes->facts[i];
        char key[UW_FAKE_KEY_BYTES];
        snprintf(key, sizeof key, "%d|%d|%lld", (int)change->event->topic, (int)change->partition,
                 (long long)change->offset);
        if (uw_table_find(&store->positions, key) != NULL) {
            complain(store, "fact %s is stored twice", key);
        }
        if (i > 0 && uw_str_compare(changes->facts[i - 1].event->client, change->event->client) > 0) {
            complain(store, "fact %s is not in the order of clients", key);
        }
        if (!is_listed(changes, change->partition)) {
            complain(store, "fact %s is of a partition that the batch does not name", key);
        }
        uw_table_put(&store->positions, key);
        struct uw_fake_fact *fact = &store->facts[store->fact_count++];
        *fact = (struct uw_fake_fact){.partition = change->partition,
                                      .offset = change->offset,
                                      .redelivery = change->redelivery};
        if (!uw_event_copy(change->event, &store->arena, &fact->event)) {
            abort();
        }
    }
}

static void drop_accounts(struct uw_fake_store *store, struct uw_str client)
{
    for (uint32_t i = store->accounts.count; i-- > 0;) {
        const struct uw_account_change *account = uw_table_row(&store->accounts, i);
        if (uw_str_equal(account->client, client)) {
            uw_table_remove(&store->accounts, store->accounts.keys[i]);
        }
    }
}

static void store_accounts(struct uw_fake_store *store, const struct uw_changes *changes)
{
    char key[UW_FAKE_KEY_BYTES], last[UW_FAKE_KEY_BYTES] = "";
    for (uint32_t i = 0; i < changes->client_count; i++) {
        if (changes->clients[i].rebuild) {
            drop_accounts(store, changes->clients[i].client);
        }
    }
    for (uint32_t i = 0; i < changes->account_count; i++) {
        struct uw_account_change account = changes->accounts[i];
        uw_fake_account_key(&account, key);
        if (strcmp(key, last) == 0) {
            complain(store, "account %s is changed twice", key);
        }
        memcpy(last, key, sizeof last);
        if (account.removed) {
            if (uw_table_find(&store->accounts, key) == NULL) {
                complain(store, "account %s is removed and was not there", key);
            }
            uw_table_remove(&store->accounts, key);
            continue;
        }
        if (account.created != (uw_table_find(&store->accounts, key) == NULL)) {
            complain(store, "account %s is %s and was %sthere", key, account.created ? "created" : "changed",
                     account.created ? "" : "not ");
        }
        account.client = uw_fake_copy_text(&store->arena, account.client);
        account.municipality = uw_fake_copy_text(&store->arena, account.municipality);
        account.decision = uw_fake_copy_text(&store->arena, account.decision);
        *(struct uw_account_change *)uw_table_put(&store->accounts, key) = account;
    }
}

/* A revision follows on the last one; a quiet change has none. */
static void check_revision(struct uw_fake_store *store, const char *key, bool known, int32_t before, int32_t revision,
                           bool quiet)
{
    int32_t expected = (known ? before : 0) + (quiet ? 0 : 1);
    if (revision != expected || (quiet && !known)) {
        complain(store, "%s has revision %d after %d", key, (int)revision, known ? (int)before : 0);
    }
}

static void store_alerts(struct uw_fake_store *store, const struct uw_changes *changes)
{
    char key[UW_FAKE_KEY_BYTES];
    for (uint32_t i = 0; i < changes->alert_count; i++) {
        struct uw_alert_change alert = changes->alerts[i];
        uw_fake_alert_key(&alert, key);
        const struct uw_alert_change *before = uw_table_find(&store->alerts, key);
        check_revision(store, key, before != NULL, before == NULL ? 0 : before->revision, alert.revision, alert.quiet);
        alert.client = uw_fake_copy_text(&store->arena, alert.client);
        alert.municipality = uw_fake_copy_text(&store->arena, alert.municipality);
        alert.decision = uw_fake_copy_text(&store->arena, alert.decision);
        alert.provider = uw_fake_copy_text(&store->arena, alert.provider);
        *(struct uw_alert_change *)uw_table_put(&store->alerts, key) = alert;
    }
}

static void store_anomalies(struct uw_fake_store *store, const struct uw_changes *changes)
{
    char key[UW_FAKE_KEY_BYTES];
    for (uint32_t i = 0; i < changes->anomaly_count; i++) {
        struct uw_anomaly_change anomaly = changes->anomalies[i];
        uw_fake_anomaly_key(&anomaly, key);
        const struct uw_anomaly_change *before = uw_table_find(&store->anomalies, key);
        check_revision(store, key, before != NULL, before == NULL ? 0 : before->revision, anomaly.revision,
                       anomaly.quiet);
        struct uw_arena *arena = &store->arena;
        anomaly.client = uw_fake_copy_text(arena, anomaly.client);
        anomaly.municipality = uw_fake_copy_text(arena, anomaly.municipality);
        anomaly.decision = uw_fake_copy_text(arena, anomaly.decision);
        anomaly.provider = uw_fake_copy_text(arena, anomaly.provider);
        anomaly.staff = uw_fake_copy_text(arena, anomaly.staff);
        anomaly.subject.provider = uw_fake_copy_text(arena, anomaly.subject.provider);
        anomaly.subject.id = uw_fake_copy_text(arena, anomaly.subject.id);
        anomaly.other.provider = uw_fake_copy_text(arena, anomaly.other.provider);
        anomaly.other.id = uw_fake_copy_text(arena, anomaly.other.id);
        *(struct uw_anomaly_change *)uw_table_put(&store->anomalies, key) = anomaly;
    }
}

static void store_aggregates(struct uw_fake_store *store, const struct uw_changes *changes)
{
    char key[UW_FAKE_KEY_BYTES];
    struct uw_table *table = changes->rules_version == store->rules_version
                                 ? &store->aggregates
                                 : &store->former_aggregates[changes->rules_version];
    for (uint32_t i = 0; i < changes->aggregate_count; i++) {
        const struct uw_aggregate_change *change = &changes->aggregates[i];
        uw_fake_aggregate_key(change, key);
        struct uw_aggregate_change *row = uw_table_put(table, key);
        struct uw_aggregate_change sum = *change;
        sum.clients += row->clients;
        sum.decisions += row->decisions;
        sum.delivered_minutes += row->delivered_minutes;
        sum.no_show_minutes += row->no_show_minutes;
        sum.used_minutes += row->used_minutes;
        sum.allotted_minutes += row->allotted_minutes;
        sum.priced_minutes += row->priced_minutes;
        sum.cost_sixtieths += row->cost_sixtieths;
        if (sum.clients < 0 || sum.decisions < sum.clients || sum.delivered_minutes < sum.no_show_minutes ||
            sum.no_show_minutes < 0 || sum.used_minutes < 0 || sum.allotted_minutes < 0 || sum.priced_minutes < 0 ||
            sum.priced_minutes > sum.delivered_minutes || sum.cost_sixtieths < 0) {
            complain(store, "aggregate %s is below nothing", key);
        }
        /* Only the numbers are read again. */
        sum.municipality = sum.provider = sum.product_category = sum.product = UW_STR_NULL;
        *row = sum;
    }
}

static void store_clients(struct uw_fake_store *store, const struct uw_changes *changes)
{
    char key[UW_FAKE_KEY_BYTES];
    for (uint32_t i = 0; i < changes->client_count; i++) {
        const struct uw_client_change *change = &changes->clients[i];
        snprintf(key, sizeof key, "%.*s", TEXT(change->client));
        struct uw_fake_client *row = uw_table_put(&store->clients, key);
        if (change->created != (row->client.data == NULL)) {
            complain(store, "client %s is %s", key, change->created ? "created again" : "changed before it was created");
        }
        if (row->client.data == NULL) {
            row->client = uw_fake_copy_text(&store->arena, change->client);
        }
        row->partition = change->partition;
        if (row->rules_version > change->rules_version ||
            change->rebuild != (row->rules_version > 0 && row->rules_version < change->rules_version)) {
            complain(store, "client %s goes from rules %d to %d", key, (int)row->rules_version,
                     (int)change->rules_version);
        }
        row->next_change_day = change->next_change_day;
        row->rules_version = change->rules_version;
    }
}

static void store_records(struct uw_fake_store *store, const struct uw_changes *changes)
{
    if (!uw_reserve((void **)&store->outbox, &store->outbox_capacity, store->outbox_count + changes->outbox_count,
                    sizeof *store->outbox)) {
        abort();
    }
    for (uint32_t i = 0; i < changes->outbox_count; i++) {
        struct uw_fake_partition *row = &store->partitions[changes->outbox[i].partition];
        if (changes->outbox[i].sequence != row->next_sequence) {
            complain(store, "outbox record %lld of partition %d does not follow on %lld",
                     (long long)changes->outbox[i].sequence, (int)changes->outbox[i].partition,
                     (long long)row->next_sequence - 1);
        }
        row->next_sequence = changes->outbox[i].sequence + 1;
        store->outbox[store->outbox_count++] = uw_fake_copy_record(&store->arena, &changes->outbox[i]);
    }
}

static void drop_published(struct uw_fake_store *store)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < store->outbox_count; i++) {
        if (store->outbox[i].sequence > store->partitions[store->outbox[i].partition].published_sequence) {
            store->outbox[kept++] = store->outbox[i];
        }
    }
    store->outbox_count = kept;
}

static void store_partitions(struct uw_fake_store *store, const struct uw_changes *changes)
{
    for (uint32_t i = 0; i < changes->partition_count; i++) {
        const struct uw_partition_change *change = &changes->partitions[i];
        struct uw_fake_partition *row = &store->partitions[change->partition];
        if (row->next_sequence != change->to_sequence) {
            complain(store, "partition %d says %lld records, and has %lld", (int)change->partition,
                     (long long)change->to_sequence, (long long)row->next_sequence);
        }
        if (change->published_sequence < row->published_sequence ||
            change->published_sequence >= change->to_sequence) {
            complain(store, "partition %d: published %lld", (int)change->partition,
                     (long long)change->published_sequence);
        }
        memcpy(row->next_offset, change->to_offset, sizeof row->next_offset);
        row->as_of_day = change->as_of_day;
        row->published_sequence = change->published_sequence;
        row->events += change->events;
        row->refused += change->refused;
    }
}

static enum uw_code store_commit(void *context, const struct uw_changes *changes, struct uw_error *error)
{
    struct uw_fake_session *session = context;
    struct uw_fake_store *store = session->store;
    enum uw_fault fault = uw_faults_call(session->faults);
    enum uw_code code = uw_faults_before(session->faults, fault, true, error);
    if (code != UW_OK) {
        return code;
    }
    if (changes->partition_count == 0) {
        return uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL, "a batch without partitions");
    }
    for (uint32_t i = 0; i < changes->partition_count; i++) {
        if (!matches(store, &changes->partitions[i])) {
            return uw_error_set(error, UW_EFENCED, UW_CLASS_FENCED, "another instance owns the partition");
        }
    }
    store_facts(store, changes);
    store_accounts(store, changes);
    store_alerts(store, changes);
    store_anomalies(store, changes);
    store_aggregates(store, changes);
    store_clients(store, changes);
    store_records(store, changes);
    store_partitions(store, changes);
    drop_published(store);
    return uw_faults_after(session->faults, fault, error);
}

void uw_fake_store_spoil(struct uw_fake_store *store, int32_t rules_version)
{
    char key[UW_FAKE_KEY_BYTES];
    for (uint32_t i = 0; i < store->clients.count; i++) {
        const struct uw_fake_client *client = uw_table_row(&store->clients, i);
        if (client->rules_version == 0 || client->rules_version >= rules_version) {
            continue; /* none of the former rules has judged it */
        }
        for (uint32_t k = 0; k < store->accounts.count; k++) {
            struct uw_account_change *account = uw_table_row(&store->accounts, k);
            account->used_minutes += uw_str_equal(account->client, client->client) ? 1000 : 0;
        }
        struct uw_account_change invented = {.client = client->client,
                                             .municipality = UW_STR("0363"),
                                             .decision = UW_STR("former"),
                                             .segment_from_day = rules_version};
        uw_fake_account_key(&invented, key);
        *(struct uw_account_change *)uw_table_put(&store->accounts, key) = invented;
    }
}

bool uw_fake_store_has_former(const struct uw_fake_store *store)
{
    for (int32_t i = 0; i < UW_FAKE_RULES_MAX; i++) {
        if (store->former_aggregates[i].count > 0) {
            return true;
        }
    }
    return false;
}

struct uw_store uw_fake_store_port(struct uw_fake_session *session)
{
    return (struct uw_store){session,   store_claim,        store_load,  store_commit,  store_outbox,
                             store_due, store_mark_all_due, store_sweep, store_standing};
}
