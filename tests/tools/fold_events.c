/*
 * Folds a file of events with the pure core alone, without Kafka and PostgreSQL, and prints the state as
 * tests/oracle and the expected files have it: {"accounts": [...], "alerts": [...], "anomalies": [...]}.
 *
 * usage: fold_events EVENTS.jsonl AS_OF [--seed N] [--settings FILE.json] [--full]
 * With a seed the lines are taken in an order of their own, with 0 from the last to the first. Settings are those
 * of oracle.py. --full adds "alert_details" (provider and numbers of each alert), "aggregates" and "refused".
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fold.h"
#include "core/sums.h"
#include "schemas/json.h"

#define CLIENTS_MAX 20000u
#define RULES_MAX 256u

struct world {
    struct uw_client clients[CLIENTS_MAX];
    char names[CLIENTS_MAX][65];
    uint32_t count, refused;
    json_t *accounts, *alerts, *anomalies, *details, *aggregates;
};

struct options {
    const char *events_path, *settings_path;
    int32_t as_of_day;
    bool ordered, full; /* ordered: the seed says how */
    uint64_t seed;
};

/* A test tool ends where it stands when something is wrong. */
static void fail(const char *what)
{
    fprintf(stderr, "fold_events: %s\n", what);
    exit(2);
}

static json_t *date_or_null(int32_t day)
{
    char text[UW_DATE_TEXT_BYTES];
    if (day == UW_DAY_NONE) {
        return json_null();
    }
    uw_date_format(day, text);
    return json_string(text);
}

static json_t *minutes_or_null(int64_t minutes)
{
    return minutes == UW_MINUTES_NONE ? json_null() : json_integer(minutes);
}

static json_t *text(struct uw_str string)
{
    return json_stringn(string.data, string.length);
}

/* ---- events ---- */

static struct uw_client *client_of(struct world *world, struct uw_str name)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (uw_str_equal(uw_str_from(world->names[i]), name)) {
            return &world->clients[i];
        }
    }
    if (world->count == CLIENTS_MAX) {
        fail("too many clients");
    }
    memcpy(world->names[world->count], name.data, name.length);
    uw_client_init(&world->clients[world->count]);
    return &world->clients[world->count++];
}

/* xorshift: the same order for the same seed everywhere. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static char **read_lines(const char *path, uint32_t *count)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    char **lines = NULL, *line = NULL;
    size_t size = 0;
    uint32_t capacity = 0;
    *count = 0;
    while (getline(&line, &size, file) > 0) {
        if (!uw_reserve((void **)&lines, &capacity, *count + 1, sizeof *lines)) {
            fail("memory is exhausted");
        }
        line[strcspn(line, "\n")] = '\0';
        lines[(*count)++] = strdup(line);
    }
    free(line);
    fclose(file);
    return lines;
}

static void swap_lines(char **lines, uint32_t a, uint32_t b)
{
    char *line = lines[a];
    lines[a] = lines[b];
    lines[b] = line;
}

static void order_lines(char **lines, uint32_t count, uint64_t seed)
{
    if (seed == 0) {
        for (uint32_t i = 0; i < count / 2; i++) {
            swap_lines(lines, i, count - 1 - i);
        }
        return;
    }
    uint64_t state = seed * UINT64_C(2654435761) + 1;
    for (uint32_t i = count; i > 1; i--) {
        swap_lines(lines, i - 1, (uint32_t)(next_random(&state) % i));
    }
}

static void read_events(struct world *world, const struct options *options)
{
    uint32_t line_count = 0;
    char **lines = read_lines(options->events_path, &line_count);
    if (options->ordered) {
        order_lines(lines, line_count, options->seed);
    }
    struct uw_arena arena;
    uw_arena_init(&arena, 1u << 26);
    for (uint32_t i = 0; i < line_count; i++) {
        struct uw_event event;
        struct uw_refusal refusal;
        bool redelivery;
        uw_arena_reset(&arena);
        enum uw_code code = uw_json_read_event(uw_str_from(lines[i]), &arena, &event, &refusal);
        if (code == UW_OK) {
            code = uw_client_add(client_of(world, event.client), &event, &redelivery);
        } else if (code == UW_EINPUT) {
            world->refused++;
            code = UW_OK;
        }
        if (code != UW_OK) {
            fail("memory is exhausted");
        }
        free(lines[i]);
    }
    free(lines);
    uw_arena_close(&arena);
}

/* ---- settings ---- */

static void read_percents(const json_t *list, struct uw_percents *percents)
{
    percents->count = 0;
    for (size_t i = 0; i < json_array_size(list) && percents->count < UW_PERCENT_THRESHOLDS_MAX; i++) {
        percents->values[percents->count++] = (int32_t)json_integer_value(json_array_get(list, i));
    }
}

static void read_number(const json_t *item, const char *name, uint32_t member, int32_t *value, uint32_t *members)
{
    const json_t *number = json_object_get(item, name);
    if (number != NULL) {
        *value = (int32_t)json_integer_value(number);
        *members |= member;
    }
}

/* The names and the meaning are those of oracle.py's --settings. Texts stay in `item`. */
static void read_rule(const json_t *item, struct uw_threshold_rule *rule)
{
    struct uw_thresholds *values = &rule->values;
    const char *municipality = json_string_value(json_object_get(item, "municipality"));
    const char *law = json_string_value(json_object_get(item, "law"));
    const char *product = json_string_value(json_object_get(item, "product"));
    enum uw_law parsed = UW_LAW_WMO;
    memset(rule, 0, sizeof *rule);
    rule->municipality = municipality == NULL ? UW_STR_NULL : uw_str_from(municipality);
    rule->product = product == NULL ? UW_STR_NULL : uw_str_from(product);
    rule->law = law != NULL && uw_law_parse(uw_str_from(law), &parsed) ? (int32_t)parsed : -1;
    const json_t *surplus = json_object_get(item, "surplus_thresholds_percent");
    const json_t *budget = json_object_get(item, "budget_thresholds_percent");
    read_percents(surplus, &values->surplus_thresholds_percent);
    read_percents(budget, &values->budget_thresholds_percent);
    rule->members |= surplus != NULL ? (uint32_t)UW_SET_SURPLUS_THRESHOLDS : 0;
    rule->members |= budget != NULL ? (uint32_t)UW_SET_BUDGET_THRESHOLDS : 0;
    read_number(item, "projection_min_days", UW_SET_PROJECTION_MIN_DAYS, &values->projection_min_days,
                &rule->members);
    read_number(item, "projection_percent", UW_SET_PROJECTION_PERCENT, &values->projection_percent, &rule->members);
    read_number(item, "bandwidth_grace_days", UW_SET_BANDWIDTH_GRACE_DAYS, &values->bandwidth_grace_days,
                &rule->members);
    read_number(item, "evaluation_notice_days", UW_SET_EVALUATION_NOTICE_DAYS, &values->evaluation_notice_days,
                &rule->members);
    read_number(item, "evaluation_overdue_days", UW_SET_EVALUATION_OVERDUE_DAYS, &values->evaluation_overdue_days,
                &rule->members);
    read_number(item, "ending_notice_days", UW_SET_ENDING_NOTICE_DAYS, &values->ending_notice_days, &rule->members);
    read_number(item, "stalled_days", UW_SET_STALLED_DAYS, &values->stalled_days, &rule->members);
}

/* The returned JSON holds the texts of the rules. */
static json_t *read_settings(const char *path, struct uw_threshold_rule rules[RULES_MAX], struct uw_settings *settings)
{
    *settings = (struct uw_settings){.rules = rules, .rule_count = 0};
    uw_thresholds_default(&settings->defaults);
    if (path == NULL) {
        return NULL;
    }
    json_error_t error;
    json_t *list = json_load_file(path, 0, &error);
    if (!json_is_array(list)) {
        fail("the settings are no list");
    }
    for (size_t i = 0; i < json_array_size(list) && i < RULES_MAX; i++) {
        read_rule(json_array_get(list, i), &rules[settings->rule_count++]);
    }
    uw_settings_sort(settings);
    return list;
}

/* ---- results ---- */

static json_t *identity(const struct uw_client *client, const char *name, uw_text decision)
{
    json_t *row = json_object();
    json_object_set_new(row, "client", json_string(name));
    json_object_set_new(row, "municipality", text(uw_client_municipality(client, decision)));
    json_object_set_new(row, "decision", text(uw_client_decision(client, decision)));
    return row;
}

static json_t *account_row(const struct uw_client *client, const char *name, const struct uw_account *account)
{
    json_t *row = identity(client, name, account->decision);
    json_object_set_new(row, "segment_from", date_or_null(account->segment_from_day));
    json_object_set_new(row, "period_from", date_or_null(account->period_from_day));
    json_object_set_new(row, "period_to", date_or_null(account->period_to_day));
    json_object_set_new(row, "model", json_string(uw_model_name(account->model)));
    json_object_set_new(row, "allotted_minutes", minutes_or_null(account->allotted_minutes));
    json_object_set_new(row, "minimum_minutes", minutes_or_null(account->minimum_minutes));
    json_object_set_new(row, "used_minutes", json_integer(account->used_minutes));
    json_object_set_new(row, "delivered_minutes", json_integer(account->delivered_minutes));
    json_object_set_new(row, "no_show_minutes", json_integer(account->no_show_minutes));
    return row;
}

static json_t *alert_row(const struct uw_client *client, const char *name, const struct uw_alert_state *state)
{
    json_t *row = identity(client, name, state->decision);
    json_object_set_new(row, "kind", json_string(uw_alert_kind_name((enum uw_alert_kind)state->kind)));
    json_object_set_new(row, "segment_from", date_or_null(state->segment_from_day));
    json_object_set_new(row, "period_from", date_or_null(state->period_from_day));
    json_object_set_new(row, "threshold", state->threshold < 0 ? json_null() : json_integer(state->threshold));
    json_object_set_new(row, "severity", json_string(uw_severity_name((enum uw_severity)state->severity)));
    json_object_set_new(row, "effective_on", date_or_null(state->effective_on_day));
    return row;
}

/* The numbers that oracle.py gives the alert of this kind. */
static json_t *alert_numbers(const struct uw_alert *alert)
{
    const struct uw_alert_figures *figures = &alert->figures;
    json_t *numbers = json_object();
    switch ((enum uw_alert_kind)alert->state.kind) {
    case UW_ALERT_SURPLUS_LOW:
    case UW_ALERT_SURPLUS_EXHAUSTED:
    case UW_ALERT_BUDGET_LOW:
    case UW_ALERT_BUDGET_EXHAUSTED:
    case UW_ALERT_PROJECTED_EXHAUSTION:
    case UW_ALERT_PERIOD_EXCEEDED:
    case UW_ALERT_BANDWIDTH_ABOVE:
        json_object_set_new(numbers, "used", minutes_or_null(figures->used_minutes));
        json_object_set_new(numbers, "allotted", minutes_or_null(figures->allotted_minutes));
        break;
    case UW_ALERT_BANDWIDTH_BELOW:
        json_object_set_new(numbers, "used", minutes_or_null(figures->used_minutes));
        json_object_set_new(numbers, "minimum", minutes_or_null(figures->minimum_minutes));
        break;
    case UW_ALERT_EVALUATION_DUE:
        json_object_set_new(numbers, "delivered", minutes_or_null(figures->delivered_minutes));
        json_object_set_new(numbers, "no_show", minutes_or_null(figures->no_show_minutes));
        json_object_set_new(numbers, "expected", minutes_or_null(figures->expected_minutes));
        json_object_set_new(numbers, "ratio_percent", minutes_or_null(figures->ratio_percent));
        break;
    case UW_ALERT_DECISION_ENDING:
    case UW_ALERT_CARE_STALLED:
        break;
    }
    return numbers;
}

static json_t *anomaly_row(const struct uw_client *client, const char *name, const struct uw_anomaly_state *state)
{
    struct uw_subject subject = {(enum uw_subject_kind)state->subject_kind,
                                 uw_client_text(client, state->subject_provider),
                                 uw_client_text(client, state->subject_id), state->subject_version};
    char subject_text[UW_SUBJECT_TEXT_BYTES];
    uw_subject_format(&subject, subject_text, sizeof subject_text);
    json_t *row = identity(client, name, state->decision);
    json_object_set_new(row, "kind", json_string(uw_anomaly_kind_name((enum uw_anomaly_kind)state->kind)));
    json_object_set_new(row, "subject", json_string(subject_text));
    return row;
}

static void add_results(struct world *world, const struct uw_fold *fold, const char *name)
{
    const struct uw_client *client = fold->client;
    for (uint32_t i = 0; i < fold->account_count; i++) {
        json_array_append_new(world->accounts, account_row(client, name, &fold->accounts[i]));
    }
    for (uint32_t i = 0; i < fold->alert_count; i++) {
        json_t *row = alert_row(client, name, &fold->alerts[i].state);
        json_t *detail = json_copy(row);
        json_object_set_new(detail, "provider", text(uw_client_text(client, fold->alerts[i].state.provider)));
        json_object_set_new(detail, "numbers", alert_numbers(&fold->alerts[i]));
        json_array_append_new(world->details, detail);
        json_array_append_new(world->alerts, row);
    }
    for (uint32_t i = 0; i < fold->anomaly_count; i++) {
        json_array_append_new(world->anomalies, anomaly_row(client, name, &fold->anomalies[i].state));
    }
}

static void add_aggregates(struct world *world, const struct uw_sums *sums)
{
    for (uint32_t i = 0; i < sums->row_count; i++) {
        const struct uw_aggregate_change *sum = &sums->rows[i];
        json_t *row = json_object();
        json_object_set_new(row, "grain", json_string(uw_grain_name(sum->grain)));
        json_object_set_new(row, "period_from", date_or_null(sum->period_from_day));
        json_object_set_new(row, "municipality", text(sum->municipality));
        json_object_set_new(row, "provider", text(sum->provider));
        json_object_set_new(row, "product_category", text(sum->product_category));
        json_object_set_new(row, "product", text(sum->product));
        json_object_set_new(row, "law", json_string(uw_law_name(sum->law)));
        json_object_set_new(row, "care", json_string(uw_care_name(sum->care)));
        json_object_set_new(row, "model", json_string(uw_model_name(sum->model)));
        json_object_set_new(row, "clients", json_integer(sum->clients));
        json_object_set_new(row, "decisions", json_integer(sum->decisions));
        json_object_set_new(row, "delivered_minutes", json_integer(sum->delivered_minutes));
        json_object_set_new(row, "no_show_minutes", json_integer(sum->no_show_minutes));
        json_object_set_new(row, "allotted_minutes", json_integer(sum->allotted_minutes));
        json_object_set_new(row, "used_minutes", json_integer(sum->used_minutes));
        json_object_set_new(row, "priced_minutes", json_integer(sum->priced_minutes));
        json_object_set_new(row, "cost_cents", json_integer(sum->cost_sixtieths / 60));
        json_array_append_new(world->aggregates, row);
    }
}

static void fold_clients(struct world *world, const struct uw_settings *settings, int32_t as_of_day)
{
    struct uw_fold fold;
    struct uw_sums sums;
    uw_fold_init(&fold);
    uw_sums_init(&sums);
    for (uint32_t i = 0; i < world->count; i++) {
        /* Before its first event a client has no share in any sum. */
        sums.before[UW_GRAIN_WEEK].count = sums.before[UW_GRAIN_MONTH].count = 0;
        if (uw_fold_run(&fold, &world->clients[i], settings, as_of_day) != UW_OK ||
            uw_sums_after(&sums, &fold) != UW_OK) {
            fail("memory is exhausted");
        }
        add_results(world, &fold, world->names[i]);
    }
    uw_sums_finish(&sums);
    add_aggregates(world, &sums);
    uw_sums_close(&sums);
    uw_fold_close(&fold);
}

static bool parse_options(int argc, char **argv, struct options *options)
{
    memset(options, 0, sizeof *options);
    if (argc < 3 || !uw_date_parse(uw_str_from(argv[2]), &options->as_of_day)) {
        return false;
    }
    options->events_path = argv[1];
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--full") == 0) {
            options->full = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            options->ordered = true;
            options->seed = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--settings") == 0 && i + 1 < argc) {
            options->settings_path = argv[++i];
        } else {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!parse_options(argc, argv, &options)) {
        fprintf(stderr, "usage: fold_events EVENTS.jsonl AS_OF [--seed N] [--settings FILE.json] [--full]\n");
        return 2;
    }
    struct world *world = calloc(1, sizeof *world);
    if (world == NULL) {
        fail("memory is exhausted");
    }
    static struct uw_threshold_rule rules[RULES_MAX];
    struct uw_settings settings;
    json_t *settings_file = read_settings(options.settings_path, rules, &settings);
    read_events(world, &options);
    world->accounts = json_array();
    world->alerts = json_array();
    world->anomalies = json_array();
    world->details = json_array();
    world->aggregates = json_array();
    fold_clients(world, &settings, options.as_of_day);
    json_t *state = json_pack("{s:o, s:o, s:o}", "accounts", world->accounts, "alerts", world->alerts, "anomalies",
                              world->anomalies);
    if (options.full) {
        json_object_set(state, "alert_details", world->details);
        json_object_set(state, "aggregates", world->aggregates);
        json_object_set_new(state, "refused", json_integer(world->refused));
    }
    json_dumpf(state, stdout, JSON_INDENT(1));
    json_decref(state);
    json_decref(world->details);
    json_decref(world->aggregates);
    json_decref(settings_file);
    for (uint32_t i = 0; i < world->count; i++) {
        uw_client_close(&world->clients[i]);
    }
    free(world);
    return 0;
}
