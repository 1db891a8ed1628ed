/*
 * Folds a file of events with the pure core alone, without Kafka and PostgreSQL, and prints the state as
 * tests/oracle and the expected files have it: {"accounts": [...], "alerts": [...], "anomalies": [...]}.
 *
 * usage: fold_events EVENTS.jsonl AS_OF [SEED]
 * With a SEED the lines are taken in an order of their own.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fold.h"
#include "schemas/json.h"

#define CLIENTS_MAX 100000u

struct world {
    struct uw_client clients[CLIENTS_MAX];
    char names[CLIENTS_MAX][65];
    uint32_t count;
    json_t *accounts, *alerts, *anomalies;
};

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

static struct uw_client *client_of(struct world *world, struct uw_str name)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (uw_str_equal(uw_str_from(world->names[i]), name)) {
            return &world->clients[i];
        }
    }
    if (world->count == CLIENTS_MAX) {
        return NULL;
    }
    memcpy(world->names[world->count], name.data, name.length);
    uw_client_init(&world->clients[world->count]);
    return &world->clients[world->count++];
}

static json_t *identity(const struct uw_client *client, const char *name, uw_text decision)
{
    json_t *row = json_object();
    json_object_set_new(row, "client", json_string(name));
    json_object_set_new(row, "municipality", text(uw_client_municipality(client, decision)));
    json_object_set_new(row, "decision", text(uw_client_decision(client, decision)));
    return row;
}

static void add_results(struct world *world, const struct uw_fold *fold, const char *name)
{
    const struct uw_client *client = fold->client;
    for (uint32_t i = 0; i < fold->account_count; i++) {
        const struct uw_account *account = &fold->accounts[i];
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
        json_array_append_new(world->accounts, row);
    }
    for (uint32_t i = 0; i < fold->alert_count; i++) {
        const struct uw_alert_state *state = &fold->alerts[i].state;
        json_t *row = identity(client, name, state->decision);
        json_object_set_new(row, "kind", json_string(uw_alert_kind_name((enum uw_alert_kind)state->kind)));
        json_object_set_new(row, "segment_from", date_or_null(state->segment_from_day));
        json_object_set_new(row, "period_from", date_or_null(state->period_from_day));
        json_object_set_new(row, "threshold", state->threshold < 0 ? json_null() : json_integer(state->threshold));
        json_object_set_new(row, "severity", json_string(uw_severity_name((enum uw_severity)state->severity)));
        json_object_set_new(row, "effective_on", date_or_null(state->effective_on_day));
        json_array_append_new(world->alerts, row);
    }
    for (uint32_t i = 0; i < fold->anomaly_count; i++) {
        const struct uw_anomaly_state *state = &fold->anomalies[i].state;
        struct uw_subject subject = {(enum uw_subject_kind)state->subject_kind,
                                     uw_client_text(client, state->subject_provider),
                                     uw_client_text(client, state->subject_id), state->subject_version};
        char subject_text[UW_SUBJECT_TEXT_BYTES];
        uw_subject_format(&subject, subject_text, sizeof subject_text);
        json_t *row = identity(client, name, state->decision);
        json_object_set_new(row, "kind", json_string(uw_anomaly_kind_name((enum uw_anomaly_kind)state->kind)));
        json_object_set_new(row, "subject", json_string(subject_text));
        json_array_append_new(world->anomalies, row);
    }
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
            exit(2);
        }
        line[strcspn(line, "\n")] = '\0';
        lines[(*count)++] = strdup(line);
    }
    free(line);
    fclose(file);
    return lines;
}

static void shuffle(char **lines, uint32_t count, uint64_t seed)
{
    uint64_t state = seed * UINT64_C(2654435761) + 1;
    for (uint32_t i = count; i > 1; i--) {
        uint32_t k = (uint32_t)(next_random(&state) % i);
        char *line = lines[i - 1];
        lines[i - 1] = lines[k];
        lines[k] = line;
    }
}

int main(int argc, char **argv)
{
    int32_t as_of_day;
    if (argc < 3 || !uw_date_parse(uw_str_from(argv[2]), &as_of_day)) {
        fprintf(stderr, "usage: fold_events EVENTS.jsonl AS_OF [SEED]\n");
        return 2;
    }
    uint32_t line_count = 0, refused = 0;
    char **lines = read_lines(argv[1], &line_count);
    if (argc > 3) {
        shuffle(lines, line_count, strtoull(argv[3], NULL, 10));
    }
    struct world *world = calloc(1, sizeof *world);
    struct uw_settings settings = {0};
    uw_thresholds_default(&settings.defaults);
    struct uw_fold fold;
    uw_fold_init(&fold);
    struct uw_arena arena;
    uw_arena_init(&arena, 1u << 26);
    world->accounts = json_array();
    world->alerts = json_array();
    world->anomalies = json_array();
    for (uint32_t i = 0; i < line_count; i++) {
        struct uw_event event;
        struct uw_refusal refusal;
        uw_arena_reset(&arena);
        if (uw_json_read_event(uw_str_from(lines[i]), &arena, &event, &refusal) != UW_OK) {
            refused++;
            free(lines[i]);
            continue;
        }
        bool redelivery;
        struct uw_client *client = client_of(world, event.client);
        if (client == NULL || uw_client_add(client, &event, &redelivery) != UW_OK) {
            return 2;
        }
        free(lines[i]);
    }
    free(lines);
    for (uint32_t i = 0; i < world->count; i++) {
        if (uw_fold_run(&fold, &world->clients[i], &settings, as_of_day) != UW_OK) {
            return 2;
        }
        add_results(world, &fold, world->names[i]);
        uw_client_close(&world->clients[i]);
    }
    uw_fold_close(&fold);
    uw_arena_close(&arena);
    json_t *state = json_pack("{s:o, s:o, s:o}", "accounts", world->accounts, "alerts", world->alerts, "anomalies",
                              world->anomalies);
    json_dumpf(state, stdout, JSON_INDENT(1));
    json_decref(state);
    free(world);
    fprintf(stderr, "%" PRIu32 " refused\n", refused);
    return 0;
}
