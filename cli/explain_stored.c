/* What the processor stored of the decision, and whether it is what the explanation comes to. */
#include "cli/explain.h"

#include <inttypes.h>
#include <string.h>

#include "cli/faults.h"
#include "producers/postgres_columns.h"

#define STATEMENT_CLIENT "explain_client"
#define STATEMENT_ACCOUNTS "explain_accounts"

/* A client is known by its partition to urenwacht_data only; the rest is in the public views. */
static const char client_sql[] =
    "SELECT p.as_of, p.rules_fingerprint, coalesce(c.next_change_on <= p.as_of, false), c.rules_version"
    "  FROM urenwacht_data.client_known c JOIN urenwacht_data.partition_state p USING (partition) WHERE c.client = $1::text";
static const char accounts_sql[] =
    "SELECT segment_from, period_from, period_to, model, allotted_minutes, minimum_minutes, used_minutes,"
    "       delivered_minutes, no_show_minutes FROM urenwacht.account"
    " WHERE client = $1::text AND municipality = $2::text AND decision = $3::text ORDER BY segment_from, period_from";

static int64_t minutes_or_none(const PGresult *row, int field)
{
    return PQgetisnull(row, 0, field) != 0 ? UW_MINUTES_NONE : uw_field_int8(row, field);
}

static enum uw_code visit_client(void *context, const PGresult *row)
{
    struct uw_explain_stored *stored = context;
    stored->has_client = true;
    stored->as_of_day = uw_field_day(row, 0);
    stored->fingerprint = (uint64_t)uw_field_int8(row, 1);
    stored->judging_pending = uw_field_bool(row, 2);
    stored->accounts_pending = uw_field_int4(row, 3) != uw_faults_rules_version();
    return UW_OK;
}

struct accounts {
    struct uw_explain_stored *stored;
    struct uw_arena *arena;
    uint32_t capacity;
};

static enum uw_code visit_account(void *context, const PGresult *row)
{
    struct accounts *accounts = context;
    struct uw_explain_stored *stored = accounts->stored;
    if (stored->account_count == accounts->capacity) {
        uint32_t capacity = accounts->capacity == 0 ? 64 : 2 * accounts->capacity;
        struct uw_account *grown = uw_arena_take(accounts->arena, capacity * sizeof *grown);
        if (grown == NULL) {
            return UW_ENOMEM;
        }
        if (stored->account_count > 0) {
            memcpy(grown, stored->accounts, stored->account_count * sizeof *grown);
        }
        stored->accounts = grown;
        accounts->capacity = capacity;
    }
    struct uw_account account = {.segment_from_day = uw_field_day(row, 0),
                                 .period_from_day = uw_field_day(row, 1),
                                 .period_to_day = uw_field_day(row, 2),
                                 .allotted_minutes = minutes_or_none(row, 4),
                                 .minimum_minutes = minutes_or_none(row, 5),
                                 .used_minutes = uw_field_int8(row, 6),
                                 .delivered_minutes = uw_field_int8(row, 7),
                                 .no_show_minutes = uw_field_int8(row, 8)};
    if (!uw_model_parse(uw_field_string(row, 3), &account.model)) {
        return UW_EINTERNAL;
    }
    stored->accounts[stored->account_count++] = account;
    return UW_OK;
}

static struct uw_argument argument_of(struct uw_str string)
{
    return (struct uw_argument){string.data, string.length};
}

static enum uw_code prepare(struct uw_postgres *postgres, struct uw_error *error)
{
    bool fresh = false;
    enum uw_code code = uw_postgres_connect(postgres, &fresh, error);
    if (code == UW_OK && fresh) {
        code = uw_postgres_prepare(postgres, STATEMENT_CLIENT, client_sql, error);
        if (code == UW_OK) {
            code = uw_postgres_prepare(postgres, STATEMENT_ACCOUNTS, accounts_sql, error);
        }
    }
    return code;
}

enum uw_code uw_explain_read_stored(struct uw_postgres *postgres, struct uw_str client, struct uw_str municipality,
                                    struct uw_str decision, struct uw_arena *arena, struct uw_explain_stored *stored,
                                    struct uw_error *error)
{
    const struct uw_argument arguments[] = {argument_of(client), argument_of(municipality), argument_of(decision)};
    struct uw_explain_stored read = {.as_of_day = UW_DAY_NONE};
    struct accounts accounts = {.stored = &read, .arena = arena};
    enum uw_code code = prepare(postgres, error);
    if (code == UW_OK) {
        code = uw_postgres_run(postgres, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", error);
    }
    if (code == UW_OK) {
        code = uw_postgres_each(postgres, STATEMENT_CLIENT, arguments, 1, visit_client, &read, error);
    }
    if (code == UW_OK) {
        code = uw_postgres_each(postgres, STATEMENT_ACCOUNTS, arguments, 3, visit_account, &accounts, error);
    }
    if (code == UW_OK) {
        code = uw_postgres_run(postgres, "COMMIT", error);
    }
    if (code != UW_OK) {
        /* Half prepared or in the middle of a transaction: the next reading begins with a connection of its own. */
        uw_postgres_drop(postgres);
        return code;
    }
    *stored = read;
    return UW_OK;
}

/* ---- the closing check ---- */

static void differ(struct uw_explanation *explanation, const char *object, const char *key, const char *column,
                   const char *explained, const char *stored)
{
    if (explanation->difference_count == explanation->difference_capacity) {
        uint32_t capacity = explanation->difference_capacity == 0 ? 16 : 2 * explanation->difference_capacity;
        struct uw_explain_difference *grown = uw_arena_take(explanation->arena, capacity * sizeof *grown);
        if (grown == NULL) {
            explanation->failed = true;
            return;
        }
        if (explanation->difference_count > 0) {
            memcpy(grown, explanation->differences, explanation->difference_count * sizeof *grown);
        }
        explanation->differences = grown;
        explanation->difference_capacity = capacity;
    }
    explanation->differences[explanation->difference_count++] =
        (struct uw_explain_difference){object, key, column, explained, stored};
}

static const char *minutes_text(struct uw_explanation *explanation, int64_t minutes)
{
    return minutes == UW_MINUTES_NONE ? "null" : uw_explain_text(explanation, "%" PRId64, minutes);
}

static const char *account_key(struct uw_explanation *explanation, int32_t segment_from_day, int32_t period_from_day)
{
    return uw_explain_text(explanation, "%s %s", uw_explain_date(explanation, segment_from_day),
                           uw_explain_date(explanation, period_from_day));
}

static void compare_minutes(struct uw_explanation *explanation, const char *key, const char *column, int64_t explained,
                            int64_t stored)
{
    if (explained != stored) {
        differ(explanation, "account", key, column, minutes_text(explanation, explained),
               minutes_text(explanation, stored));
    }
}

static void compare_account(struct uw_explanation *explanation, const struct uw_explain_segment *segment,
                            const struct uw_explain_period *period, const struct uw_account *stored)
{
    const char *key = account_key(explanation, stored->segment_from_day, stored->period_from_day);
    if (period->period.to_day != stored->period_to_day) {
        differ(explanation, "account", key, "period_to", uw_explain_date(explanation, period->period.to_day),
               uw_explain_date(explanation, stored->period_to_day));
    }
    if (segment->segment->terms->model != stored->model) {
        differ(explanation, "account", key, "model", uw_model_name(segment->segment->terms->model),
               uw_model_name(stored->model));
    }
    compare_minutes(explanation, key, "allotted_minutes", period->allotted_minutes, stored->allotted_minutes);
    compare_minutes(explanation, key, "minimum_minutes", period->minimum_minutes, stored->minimum_minutes);
    compare_minutes(explanation, key, "used_minutes", period->used_minutes, stored->used_minutes);
    compare_minutes(explanation, key, "delivered_minutes", period->delivered_minutes, stored->delivered_minutes);
    compare_minutes(explanation, key, "no_show_minutes", period->no_show_minutes, stored->no_show_minutes);
}

static const struct uw_account *stored_account(const struct uw_explanation *explanation, int32_t segment_from_day,
                                               int32_t period_from_day)
{
    for (uint32_t i = 0; i < explanation->stored.account_count; i++) {
        const struct uw_account *account = &explanation->stored.accounts[i];
        if (account->segment_from_day == segment_from_day && account->period_from_day == period_from_day) {
            return account;
        }
    }
    return NULL;
}

static void compare_accounts(struct uw_explanation *explanation)
{
    for (uint32_t i = 0; i < explanation->segment_count; i++) {
        const struct uw_explain_segment *segment = &explanation->segments[i];
        for (uint32_t k = 0; k < segment->period_count; k++) {
            const struct uw_explain_period *period = &explanation->periods[segment->period_first + k];
            int32_t segment_from = segment->segment->from_day, period_from = period->period.from_day;
            const struct uw_account *stored = stored_account(explanation, segment_from, period_from);
            if (period->has_account && stored != NULL) {
                compare_account(explanation, segment, period, stored);
            } else if (period->has_account) {
                differ(explanation, "account", account_key(explanation, segment_from, period_from), "used_minutes",
                       minutes_text(explanation, period->used_minutes), NULL);
            }
        }
    }
    for (uint32_t i = 0; i < explanation->stored.account_count; i++) {
        const struct uw_account *stored = &explanation->stored.accounts[i];
        const struct uw_explain_period *period =
            uw_explain_period_of(explanation, stored->segment_from_day, stored->period_from_day);
        if (period == NULL || !period->has_account) {
            differ(explanation, "account",
                   account_key(explanation, stored->segment_from_day, stored->period_from_day), "used_minutes", NULL,
                   minutes_text(explanation, stored->used_minutes));
        }
    }
}

static const char *alert_key(struct uw_explanation *explanation, const struct uw_alert_state *state)
{
    const char *threshold = state->threshold < 0 ? "-" : uw_explain_text(explanation, "%d", (int)state->threshold);
    return uw_explain_text(explanation, "%s %s %s %s", uw_alert_kind_name((enum uw_alert_kind)state->kind),
                           uw_explain_date(explanation, state->segment_from_day),
                           uw_explain_date(explanation, state->period_from_day), threshold);
}

static void compare_alert(struct uw_explanation *explanation, const struct uw_alert_state *explained,
                          const struct uw_alert_state *stored)
{
    const char *key = alert_key(explanation, stored);
    if (explained->effective_on_day != stored->effective_on_day) {
        differ(explanation, "alert", key, "effective_on", uw_explain_date(explanation, explained->effective_on_day),
               uw_explain_date(explanation, stored->effective_on_day));
    }
    if (explained->severity != stored->severity) {
        differ(explanation, "alert", key, "severity", uw_severity_name((enum uw_severity)explained->severity),
               uw_severity_name((enum uw_severity)stored->severity));
    }
    if (explained->provider != stored->provider) {
        differ(explanation, "alert", key, "provider", uw_explain_name(explanation, explained->provider),
               uw_explain_name(explanation, stored->provider));
    }
}

/* Both are in the order of identities; those of other decisions of the client are passed over. */
static void compare_alerts(struct uw_explanation *explanation)
{
    const struct uw_client *client = explanation->client;
    const struct uw_fold *fold = explanation->fold;
    for (uint32_t f = 0, s = 0; f < fold->alert_count || s < client->alert_count;) {
        const struct uw_alert_state *stored = s < client->alert_count ? &client->alerts[s] : NULL;
        const struct uw_alert_state *explained = f < fold->alert_count ? &fold->alerts[f].state : NULL;
        int order = stored == NULL ? -1 : explained == NULL ? 1 : uw_alert_state_compare(client, explained, stored);
        bool open = order >= 0 && stored->status == UW_STATUS_OPEN;
        const struct uw_alert_state *either = order <= 0 ? explained : stored;
        if (either->decision == explanation->decision) {
            if (order == 0 && open) {
                compare_alert(explanation, explained, stored);
            } else if (order <= 0) {
                differ(explanation, "alert", alert_key(explanation, explained), "status", "OPEN",
                       order < 0 ? NULL : "RESOLVED");
            } else if (open) {
                differ(explanation, "alert", alert_key(explanation, stored), "status", NULL, "OPEN");
            }
        }
        f += order <= 0;
        s += order >= 0;
    }
}

static const char *anomaly_key(struct uw_explanation *explanation, const struct uw_anomaly_state *state)
{
    return uw_explain_text(explanation, "%s %s", uw_anomaly_kind_name((enum uw_anomaly_kind)state->kind),
                           uw_explain_subject(explanation, state));
}

static void compare_anomalies(struct uw_explanation *explanation)
{
    const struct uw_client *client = explanation->client;
    const struct uw_fold *fold = explanation->fold;
    for (uint32_t f = 0, s = 0; f < fold->anomaly_count || s < client->anomaly_count;) {
        const struct uw_anomaly_state *stored = s < client->anomaly_count ? &client->anomalies[s] : NULL;
        const struct uw_anomaly_state *explained = f < fold->anomaly_count ? &fold->anomalies[f].state : NULL;
        int order = stored == NULL ? -1 : explained == NULL ? 1 : uw_anomaly_state_compare(client, explained, stored);
        bool open = order >= 0 && stored->status == UW_STATUS_OPEN;
        const struct uw_anomaly_state *either = order <= 0 ? explained : stored;
        if (either->decision == explanation->decision) {
            if (order <= 0 && !open) {
                differ(explanation, "anomaly", anomaly_key(explanation, explained), "status", "OPEN",
                       order < 0 ? NULL : "RESOLVED");
            } else if (order > 0 && open) {
                differ(explanation, "anomaly", anomaly_key(explanation, stored), "status", NULL, "OPEN");
            }
        }
        f += order <= 0;
        s += order >= 0;
    }
}

void uw_explain_compare(struct uw_explanation *explanation)
{
    const struct uw_explain_stored *stored = &explanation->stored;
    explanation->difference_count = 0;
    if (!stored->accounts_pending) {
        compare_accounts(explanation);
    }
    if (!stored->has_client || stored->as_of_day == UW_DAY_NONE) {
        explanation->comparison = UW_COMPARISON_NOTHING_STORED;
    } else if (stored->as_of_day != explanation->as_of_day) {
        explanation->comparison = UW_COMPARISON_OTHER_AS_OF;
    } else if (stored->fingerprint != uw_engine_fingerprint(explanation->settings, uw_faults_rules_version())) {
        explanation->comparison = UW_COMPARISON_OTHER_RULES;
    } else if (stored->judging_pending) {
        explanation->comparison = UW_COMPARISON_PENDING;
    } else {
        explanation->comparison = UW_COMPARISON_DONE;
        compare_alerts(explanation);
        compare_anomalies(explanation);
    }
}
