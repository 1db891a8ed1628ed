#include "core/judge.h"

#include <stdlib.h>
#include <string.h>

void uw_judgement_init(struct uw_judgement *judgement, const struct uw_settings *settings, int32_t rules_version)
{
    memset(judgement, 0, sizeof *judgement);
    judgement->settings = settings;
    judgement->rules_version = rules_version;
    uw_fold_init(&judgement->fold);
    uw_sums_init(&judgement->sums);
}

void uw_judgement_close(struct uw_judgement *judgement)
{
    uw_fold_close(&judgement->fold);
    uw_sums_close(&judgement->sums);
    free(judgement->accounts);
    free(judgement->alerts);
    free(judgement->anomalies);
    free(judgement->clients);
    free(judgement->before);
    free(judgement->alert_states);
    free(judgement->anomaly_states);
    memset(judgement, 0, sizeof *judgement);
}

void uw_judgement_reset(struct uw_judgement *judgement)
{
    uw_sums_reset(&judgement->sums);
    judgement->account_count = judgement->alert_count = judgement->anomaly_count = judgement->client_count = 0;
}

/* ---- accounts ---- */

static bool needs_rebuild(const struct uw_judgement *judgement, const struct uw_resident *resident)
{
    return resident->stored_rules_version != 0 && resident->stored_rules_version < judgement->rules_version;
}

/* Whatever its facts are, they are in no account and in no sum that these rules have stored. */
static bool starts_from_nothing(const struct uw_judgement *judgement, const struct uw_resident *resident)
{
    return resident->stored_rules_version == 0 || needs_rebuild(judgement, resident);
}

/* As if the client were new: the store drops what accounts it has, and under these rules it is in no sum yet. */
static void before_nothing(struct uw_judgement *judgement)
{
    judgement->before_count = 0;
    uw_sums_before_nothing(&judgement->sums);
}

enum uw_code uw_judge_before(struct uw_judgement *judgement, const struct uw_resident *resident)
{
    struct uw_fold *fold = &judgement->fold;
    if (starts_from_nothing(judgement, resident)) {
        before_nothing(judgement);
        return UW_OK;
    }
    enum uw_code code = uw_fold_run_sums(fold, &resident->client);
    if (code != UW_OK) {
        return code;
    }
    if (!uw_reserve((void **)&judgement->before, &judgement->before_capacity, fold->account_count,
                    sizeof *judgement->before)) {
        return UW_ENOMEM;
    }
    if (fold->account_count > 0) {
        memcpy(judgement->before, fold->accounts, fold->account_count * sizeof *fold->accounts);
    }
    judgement->before_count = fold->account_count;
    return uw_sums_before(&judgement->sums, fold);
}

static int compare_identity(const struct uw_client *client, const struct uw_account *a, const struct uw_account *b)
{
    if (a->decision != b->decision) {
        return uw_str_compare(uw_client_text(client, a->decision), uw_client_text(client, b->decision));
    }
    if (a->segment_from_day != b->segment_from_day) {
        return a->segment_from_day < b->segment_from_day ? -1 : 1;
    }
    return (a->period_from_day > b->period_from_day) - (a->period_from_day < b->period_from_day);
}

static bool same_figures(const struct uw_account *a, const struct uw_account *b)
{
    return a->period_to_day == b->period_to_day && a->model == b->model && a->allotted_minutes == b->allotted_minutes &&
           a->minimum_minutes == b->minimum_minutes && a->used_minutes == b->used_minutes &&
           a->delivered_minutes == b->delivered_minutes && a->no_show_minutes == b->no_show_minutes;
}

static enum uw_code change_account(struct uw_judgement *judgement, const struct uw_resident *resident,
                                   const struct uw_account *account, bool created, bool removed)
{
    if (!uw_reserve((void **)&judgement->accounts, &judgement->account_capacity, judgement->account_count + 1,
                    sizeof *judgement->accounts)) {
        return UW_ENOMEM;
    }
    judgement->accounts[judgement->account_count++] = (struct uw_account_change){
        .client = uw_resident_name(resident),
        .municipality = uw_client_municipality(&resident->client, account->decision),
        .decision = uw_client_decision(&resident->client, account->decision),
        .segment_from_day = account->segment_from_day,
        .period_from_day = account->period_from_day,
        .period_to_day = account->period_to_day,
        .model = account->model,
        .allotted_minutes = account->allotted_minutes,
        .minimum_minutes = account->minimum_minutes,
        .used_minutes = account->used_minutes,
        .delivered_minutes = account->delivered_minutes,
        .no_show_minutes = account->no_show_minutes,
        .created = created,
        .removed = removed,
    };
    return UW_OK;
}

static enum uw_code judge_accounts(struct uw_judgement *judgement, const struct uw_resident *resident)
{
    const struct uw_fold *fold = &judgement->fold;
    enum uw_code code = UW_OK;
    for (uint32_t b = 0, a = 0; code == UW_OK && (b < judgement->before_count || a < fold->account_count);) {
        int order = b == judgement->before_count ? 1
                    : a == fold->account_count
                        ? -1
                        : compare_identity(&resident->client, &judgement->before[b], &fold->accounts[a]);
        if (order < 0) {
            code = change_account(judgement, resident, &judgement->before[b++], false, true);
            continue;
        }
        if (order > 0 || !same_figures(&judgement->before[b], &fold->accounts[a])) {
            code = change_account(judgement, resident, &fold->accounts[a], order > 0, false);
        }
        b += order == 0;
        a++;
    }
    return code;
}

/* ---- alerts ---- */

/* A resolved alert's figures: its pool as it is now, where there still is one. */
static void figures_of_pool(const struct uw_fold *fold, const struct uw_alert_state *state,
                            struct uw_alert_figures *figures)
{
    *figures = uw_alert_figures_none();
    for (uint32_t i = 0; i < fold->account_count; i++) {
        const struct uw_account *account = &fold->accounts[i];
        if (account->decision == state->decision && account->segment_from_day == state->segment_from_day &&
            account->period_from_day == state->period_from_day && account->allotted_minutes != UW_MINUTES_NONE) {
            figures->allotted_minutes = account->allotted_minutes;
            figures->used_minutes = account->used_minutes;
            figures->remaining_minutes = account->allotted_minutes - account->used_minutes;
            figures->period_to_day = account->period_to_day;
        }
    }
}

static enum uw_code change_alert(struct uw_judgement *judgement, const struct uw_resident *resident,
                                 const struct uw_alert_state *state, const struct uw_alert_figures *figures, bool quiet)
{
    if (!uw_reserve((void **)&judgement->alerts, &judgement->alert_capacity, judgement->alert_count + 1,
                    sizeof *judgement->alerts)) {
        return UW_ENOMEM;
    }
    const struct uw_client *client = &resident->client;
    judgement->alerts[judgement->alert_count++] = (struct uw_alert_change){
        .kind = (enum uw_alert_kind)state->kind,
        .client = uw_resident_name(resident),
        .municipality = uw_client_municipality(client, state->decision),
        .decision = uw_client_decision(client, state->decision),
        .segment_from_day = state->segment_from_day,
        .period_from_day = state->period_from_day,
        .threshold = state->threshold < 0 ? UW_INT_NONE : state->threshold,
        .provider = uw_client_text(client, state->provider),
        .status = (enum uw_status)state->status,
        .severity = (enum uw_severity)state->severity,
        .effective_on_day = state->effective_on_day,
        .revision = state->revision,
        .quiet = quiet,
        .figures = *figures,
    };
    return UW_OK;
}

/* The next state of an alert whose condition holds, given the one before (NULL: never raised). */
static enum uw_code raise_alert(struct uw_judgement *judgement, const struct uw_resident *resident,
                                const struct uw_alert_state *before, const struct uw_alert *alert,
                                struct uw_alert_state *state)
{
    *state = alert->state;
    state->status = UW_STATUS_OPEN;
    state->revision = before == NULL ? 1 : before->revision;
    bool revised = before != NULL && (before->status != UW_STATUS_OPEN || before->severity != state->severity ||
                                      before->effective_on_day != state->effective_on_day);
    bool moved = before != NULL && before->provider != state->provider;
    if (before != NULL && !revised && !moved) {
        return UW_OK;
    }
    state->revision += revised;
    return change_alert(judgement, resident, state, &alert->figures, before != NULL && !revised);
}

static enum uw_code resolve_alert(struct uw_judgement *judgement, const struct uw_resident *resident,
                                  const struct uw_alert_state *before, struct uw_alert_state *state)
{
    *state = *before;
    if (before->status != UW_STATUS_OPEN) {
        return UW_OK;
    }
    state->status = UW_STATUS_RESOLVED;
    state->revision++;
    struct uw_alert_figures figures;
    figures_of_pool(&judgement->fold, state, &figures);
    return change_alert(judgement, resident, state, &figures, false);
}

static enum uw_code judge_alerts(struct uw_judgement *judgement, struct uw_resident *resident)
{
    struct uw_client *client = &resident->client;
    const struct uw_fold *fold = &judgement->fold;
    uint32_t count = 0, most = client->alert_count + fold->alert_count;
    if (!uw_reserve((void **)&judgement->alert_states, &judgement->alert_state_capacity, most,
                    sizeof *judgement->alert_states)) {
        return UW_ENOMEM;
    }
    enum uw_code code = UW_OK;
    for (uint32_t b = 0, a = 0; code == UW_OK && (b < client->alert_count || a < fold->alert_count); count++) {
        int order = b == client->alert_count ? 1
                    : a == fold->alert_count
                        ? -1
                        : uw_alert_state_compare(client, &client->alerts[b], &fold->alerts[a].state);
        struct uw_alert_state *state = &judgement->alert_states[count];
        if (order < 0) {
            code = resolve_alert(judgement, resident, &client->alerts[b++], state);
        } else {
            code = raise_alert(judgement, resident, order == 0 ? &client->alerts[b] : NULL, &fold->alerts[a++], state);
            b += order == 0;
        }
    }
    if (code == UW_OK &&
        !uw_reserve((void **)&client->alerts, &client->alert_capacity, count, sizeof *client->alerts)) {
        code = UW_ENOMEM;
    }
    if (code == UW_OK && count > 0) {
        memcpy(client->alerts, judgement->alert_states, count * sizeof *client->alerts);
        client->alert_count = count;
    }
    return code;
}

/* ---- anomalies ---- */

static struct uw_subject subject_of_fact(const struct uw_client *client, enum uw_subject_kind kind, uint32_t fact)
{
    struct uw_subject subject = {kind, UW_STR_NULL, UW_STR_NULL, 0};
    switch (kind) {
    case UW_SUBJECT_LINE:
        subject.provider = uw_client_text(client, client->lines[fact].provider);
        subject.id = uw_client_text(client, client->lines[fact].line);
        break;
    case UW_SUBJECT_NO_SHOW:
        subject.provider = uw_client_text(client, client->absences[fact].provider);
        subject.id = uw_client_text(client, client->absences[fact].no_show);
        break;
    case UW_SUBJECT_VERSION:
        subject.version = client->versions[fact].version;
        break;
    }
    return subject;
}

static void add_evidence(const struct uw_client *client, const struct uw_anomaly *anomaly,
                         struct uw_anomaly_change *change)
{
    const struct uw_line *line;
    const struct uw_absence *absence;
    switch ((enum uw_subject_kind)anomaly->state.subject_kind) {
    case UW_SUBJECT_LINE:
        line = &client->lines[anomaly->fact];
        change->first_day = line->performed_on_day;
        change->last_day =
            line->performed_until_day == UW_DAY_NONE ? line->performed_on_day : line->performed_until_day;
        change->minutes = line->minutes;
        change->recorded_at_ms = line->stamp.recorded_at_ms;
        change->staff = uw_client_text(client, line->staff);
        break;
    case UW_SUBJECT_NO_SHOW:
        absence = &client->absences[anomaly->fact];
        change->first_day = change->last_day = absence->appointment_on_day;
        change->minutes = absence->planned_minutes;
        change->recorded_at_ms = absence->stamp.recorded_at_ms;
        change->staff = uw_client_text(client, absence->staff);
        break;
    case UW_SUBJECT_VERSION:
        change->recorded_at_ms = client->versions[anomaly->fact].stamp.recorded_at_ms;
        break;
    }
    change->has_other = anomaly->has_other;
    if (anomaly->has_other) {
        change->other = subject_of_fact(client, anomaly->other_kind, anomaly->other_fact);
    }
}

/* `anomaly` NULL: it is resolved, and there is no evidence any more. */
static enum uw_code change_anomaly(struct uw_judgement *judgement, const struct uw_resident *resident,
                                   const struct uw_anomaly_state *state, const struct uw_anomaly *anomaly, bool quiet)
{
    if (!uw_reserve((void **)&judgement->anomalies, &judgement->anomaly_capacity, judgement->anomaly_count + 1,
                    sizeof *judgement->anomalies)) {
        return UW_ENOMEM;
    }
    const struct uw_client *client = &resident->client;
    struct uw_anomaly_change *change = &judgement->anomalies[judgement->anomaly_count++];
    *change = (struct uw_anomaly_change){
        .kind = (enum uw_anomaly_kind)state->kind,
        .client = uw_resident_name(resident),
        .municipality = uw_client_municipality(client, state->decision),
        .decision = uw_client_decision(client, state->decision),
        .subject = {(enum uw_subject_kind)state->subject_kind, uw_client_text(client, state->subject_provider),
                    uw_client_text(client, state->subject_id), state->subject_version},
        .provider = uw_client_text(client, state->provider),
        .status = (enum uw_status)state->status,
        .revision = state->revision,
        .quiet = quiet,
        .first_day = UW_DAY_NONE,
        .last_day = UW_DAY_NONE,
        .minutes = UW_MINUTES_NONE,
        .recorded_at_ms = UW_INSTANT_NONE,
        .staff = UW_STR_NULL,
    };
    if (anomaly != NULL) {
        add_evidence(client, anomaly, change);
    }
    return UW_OK;
}

static enum uw_code raise_anomaly(struct uw_judgement *judgement, const struct uw_resident *resident,
                                  const struct uw_anomaly_state *before, const struct uw_anomaly *anomaly,
                                  struct uw_anomaly_state *state)
{
    *state = anomaly->state;
    state->status = UW_STATUS_OPEN;
    state->revision = before == NULL ? 1 : before->revision;
    bool revised = before != NULL && before->status != UW_STATUS_OPEN;
    bool moved = before != NULL && before->provider != state->provider;
    if (before != NULL && !revised && !moved) {
        return UW_OK;
    }
    state->revision += revised;
    return change_anomaly(judgement, resident, state, anomaly, before != NULL && !revised);
}

static enum uw_code resolve_anomaly(struct uw_judgement *judgement, const struct uw_resident *resident,
                                    const struct uw_anomaly_state *before, struct uw_anomaly_state *state)
{
    *state = *before;
    if (before->status != UW_STATUS_OPEN) {
        return UW_OK;
    }
    state->status = UW_STATUS_RESOLVED;
    state->revision++;
    return change_anomaly(judgement, resident, state, NULL, false);
}

static enum uw_code judge_anomalies(struct uw_judgement *judgement, struct uw_resident *resident)
{
    struct uw_client *client = &resident->client;
    const struct uw_fold *fold = &judgement->fold;
    uint32_t count = 0, most = client->anomaly_count + fold->anomaly_count;
    if (!uw_reserve((void **)&judgement->anomaly_states, &judgement->anomaly_state_capacity, most,
                    sizeof *judgement->anomaly_states)) {
        return UW_ENOMEM;
    }
    enum uw_code code = UW_OK;
    for (uint32_t b = 0, a = 0; code == UW_OK && (b < client->anomaly_count || a < fold->anomaly_count); count++) {
        int order = b == client->anomaly_count ? 1
                    : a == fold->anomaly_count
                        ? -1
                        : uw_anomaly_state_compare(client, &client->anomalies[b], &fold->anomalies[a].state);
        struct uw_anomaly_state *state = &judgement->anomaly_states[count];
        if (order < 0) {
            code = resolve_anomaly(judgement, resident, &client->anomalies[b++], state);
        } else {
            code = raise_anomaly(judgement, resident, order == 0 ? &client->anomalies[b] : NULL, &fold->anomalies[a++],
                                 state);
            b += order == 0;
        }
    }
    if (code == UW_OK &&
        !uw_reserve((void **)&client->anomalies, &client->anomaly_capacity, count, sizeof *client->anomalies)) {
        code = UW_ENOMEM;
    }
    if (code == UW_OK && count > 0) {
        memcpy(client->anomalies, judgement->anomaly_states, count * sizeof *client->anomalies);
        client->anomaly_count = count;
    }
    return code;
}

/* ---- the day on which time alone changes something ---- */

static enum uw_code change_client(struct uw_judgement *judgement, struct uw_resident *resident, int32_t next_change_day,
                                  int32_t rules_version, bool rebuild)
{
    if (!uw_reserve((void **)&judgement->clients, &judgement->client_capacity, judgement->client_count + 1,
                    sizeof *judgement->clients)) {
        return UW_ENOMEM;
    }
    judgement->clients[judgement->client_count++] = (struct uw_client_change){.client = uw_resident_name(resident),
                                                                              .partition = resident->partition,
                                                                              .next_change_day = next_change_day,
                                                                              .rules_version = rules_version,
                                                                              .created = !resident->recorded,
                                                                              .rebuild = rebuild};
    resident->stored_change_day = next_change_day;
    resident->stored_rules_version = rules_version;
    resident->stored_change_known = resident->recorded = true;
    return UW_OK;
}

/*
 * The stored day may lie before the real one: the client is then looked at once more than needed. That costs
 * less than writing its row at every event, since most events only put the day off.
 */
static enum uw_code judge_change_day(struct uw_judgement *judgement, struct uw_resident *resident, int32_t as_of_day)
{
    int32_t next = judgement->fold.next_change_day, stored = resident->stored_change_day;
    bool rebuild = needs_rebuild(judgement, resident);
    bool good = resident->stored_change_known && !rebuild && (stored == UW_DAY_NONE || stored > as_of_day) &&
                (next == UW_DAY_NONE || (stored != UW_DAY_NONE && stored <= next));
    return good ? UW_OK : change_client(judgement, resident, next, judgement->rules_version, rebuild);
}

enum uw_code uw_judge_later(struct uw_judgement *judgement, struct uw_resident *resident)
{
    return resident->recorded ? UW_OK : change_client(judgement, resident, UW_DAY_BEFORE_ALL, 0, false);
}

enum uw_code uw_judge_after(struct uw_judgement *judgement, struct uw_resident *resident, int32_t as_of_day,
                            bool facts_changed)
{
    bool anew = facts_changed;
    if (!facts_changed && starts_from_nothing(judgement, resident)) {
        before_nothing(judgement);
        anew = true;
    }
    enum uw_code code = uw_fold_run(&judgement->fold, &resident->client, judgement->settings, as_of_day);
    if (code == UW_OK && anew) {
        code = judge_accounts(judgement, resident);
    }
    if (code == UW_OK && anew) {
        code = uw_sums_after(&judgement->sums, &judgement->fold);
    }
    if (code == UW_OK) {
        code = judge_alerts(judgement, resident);
    }
    if (code == UW_OK) {
        code = judge_anomalies(judgement, resident);
    }
    if (code == UW_OK) {
        code = judge_change_day(judgement, resident, as_of_day);
    }
    return code;
}
