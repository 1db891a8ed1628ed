/*
 * Every client folded anew from all of its stored facts, redeliveries too, and held against its stored accounts,
 * alerts, anomalies and change day. Clients come in steps of bounded size, in the order of their names.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/faults.h"
#include "cli/verify.h"
#include "schemas/identity.h"

#define STEP_CLIENTS 1000u
#define MUNICIPALITY_BYTES 4
/* Names of one step's clients. */
#define NAMES_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* A client of the running step. */
struct subject {
    struct uw_str name;
    bool known;             /* has a row of its own */
    int32_t partition;      /* of its row, or else of its first fact; -1: neither */
    int32_t change_day;
    int32_t rules_version;  /* of its row */
    int64_t fact_count;
    struct uw_client client; /* its facts, and what is stored of alerts and anomalies */
    struct uw_account *accounts;
    uint32_t account_count, account_capacity;
};

struct step {
    struct uw_verify *verify;
    struct subject **subjects; /* by name */
    uint32_t count, capacity;
    uint32_t last; /* the one that was found last */
    /* Where the fact before came from. */
    bool has_fact;
    enum uw_topic topic;
    int32_t partition;
    int64_t offset;
    struct uw_arena names;
    struct uw_fold fold;
};

/* ---- the clients of a step ---- */

static void step_reset(struct step *step)
{
    for (uint32_t i = 0; i < step->count; i++) {
        uw_client_close(&step->subjects[i]->client);
        free(step->subjects[i]->accounts);
        free(step->subjects[i]);
    }
    step->count = step->last = 0;
    step->has_fact = false;
    uw_arena_reset(&step->names);
}

/* The place of the client, or the one that it would have. */
static uint32_t place_of(const struct step *step, struct uw_str name)
{
    uint32_t low = 0, high = step->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (uw_str_compare(step->subjects[middle]->name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct subject *make_subject(struct step *step, uint32_t place, struct uw_str name)
{
    struct subject *made = calloc(1, sizeof *made);

    if (made == NULL || !uw_reserve((void **)&step->subjects, &step->capacity, step->count + 1, sizeof(made))) {
        free(made);
        return NULL;
    }
    made->name = uw_arena_copy(&step->names, name);
    made->partition = -1;
    made->change_day = UW_DAY_NONE;
    uw_client_init(&made->client);
    memmove(&step->subjects[place + 1], &step->subjects[place], (step->count - place) * sizeof(made));
    step->subjects[place] = made;
    step->count++;
    return uw_str_is_null(made->name) ? NULL : made;
}

/* NULL when memory is refused. */
static struct subject *subject_of(struct step *step, struct uw_str name)
{
    uint32_t place = step->last;

    if (place >= step->count || !uw_str_equal(step->subjects[place]->name, name)) {
        place = place_of(step, name);
        step->last = place;
    }
    if (place < step->count && uw_str_equal(step->subjects[place]->name, name)) {
        return step->subjects[place];
    }
    return make_subject(step, place, name);
}

static enum uw_code take_client(void *context, struct uw_str client, int32_t partition, int32_t next_change_day,
                                int32_t rules_version)
{
    struct step *step = context;
    struct subject *subject = subject_of(step, client);

    if (subject == NULL) {
        return UW_ENOMEM;
    }
    subject->known = true;
    subject->partition = partition;
    subject->change_day = next_change_day;
    subject->rules_version = rules_version;
    return UW_OK;
}

/* ---- facts ---- */

/* A stored number that stands for no symbol has no name. The rules rest on the codec for this. */
static bool has_symbols(const struct uw_event *event)
{
    switch (event->topic) {
    case UW_TOPIC_DECISIONS:
        return *uw_decision_status_name(event->of.decision.status) != '?' &&
               *uw_law_name(event->of.decision.law) != '?' && *uw_care_name(event->of.decision.care) != '?' &&
               *uw_model_name(event->of.decision.terms.model) != '?' &&
               *uw_frequency_name(event->of.decision.terms.frequency) != '?';
    case UW_TOPIC_DECLARATIONS:
        return *uw_line_kind_name(event->of.declaration.kind) != '?';
    case UW_TOPIC_NO_SHOWS:
        return *uw_no_show_status_name(event->of.no_show.status) != '?' &&
               *uw_no_show_reason_name(event->of.no_show.reason) != '?';
    case UW_TOPIC_EVALUATIONS:
        return *uw_evaluation_outcome_name(event->of.evaluation.outcome) != '?';
    }
    return false;
}

enum uw_code uw_verify_check_event(const struct uw_event *event, struct uw_refusal *refusal)
{
    if (!has_symbols(event)) {
        *refusal = (struct uw_refusal){UW_REFUSED_RULE, "an enumeration has no such value"};
        return UW_EINPUT;
    }
    return uw_event_validate(event, refusal);
}

static void begin_fact(struct uw_verify_report *report, enum uw_verify_how how, const struct uw_audit_fact *fact)
{
    uw_verify_begin(report, UW_VERIFY_FACT, how);
    uw_verify_key(report, "topic", uw_str_from(uw_topic_name(fact->event.topic)));
    uw_verify_key_number(report, "partition", fact->partition);
    uw_verify_key_number(report, "offset", fact->offset);
    uw_verify_key(report, "client", fact->event.client);
}

/* Facts of a client come by offset, so that one which was written twice stands beside itself. */
static void check_place(struct step *step, const struct uw_audit_fact *fact)
{
    if (step->has_fact && step->topic == fact->event.topic && step->partition == fact->partition &&
        step->offset == fact->offset) {
        begin_fact(&step->verify->report, UW_VERIFY_EXTRA, fact);
        uw_verify_pair(&step->verify->report, "fact", UW_STR("of an offset that has one already"), UW_STR_NULL);
        uw_verify_end(&step->verify->report);
    }
    step->has_fact = true;
    step->topic = fact->event.topic;
    step->partition = fact->partition;
    step->offset = fact->offset;
}

static enum uw_code take_fact(void *context, const struct uw_audit_fact *fact)
{
    struct step *step = context;
    struct uw_verify_report *report = &step->verify->report;
    struct subject *subject = subject_of(step, fact->event.client);
    struct uw_refusal refusal = {UW_REFUSED_NOT, ""};
    bool redelivery = false;
    enum uw_code code;

    if (subject == NULL) {
        return UW_ENOMEM;
    }
    report->compared[UW_VERIFY_FACT]++;
    check_place(step, fact);
    subject->fact_count++;
    subject->partition = subject->partition < 0 ? fact->partition : subject->partition;
    code = uw_verify_check_event(&fact->event, &refusal);
    if (code == UW_EINPUT) {
        begin_fact(report, UW_VERIFY_EXTRA, fact);
        uw_verify_pair(report, "rule", uw_str_from(refusal.text), UW_STR_NULL);
        uw_verify_end(report);
        return UW_OK;
    }
    if (code == UW_OK) {
        code = uw_client_add(&subject->client, &fact->event, &redelivery);
    }
    /* Facts that count came first. A mark that is wrong would hide the fact at the next loading. */
    if (code == UW_OK && fact->redelivery && !redelivery) {
        begin_fact(report, UW_VERIFY_CHANGED, fact);
        uw_verify_pair(report, "redelivery", UW_STR("true"), UW_STR("false"));
        uw_verify_end(report);
    }
    return code;
}

/* ---- what is stored beside the facts ---- */

static enum uw_code take_account(void *context, const struct uw_account_change *account)
{
    struct step *step = context;
    struct subject *subject = subject_of(step, account->client);
    struct uw_account stored = {
        .segment_from_day = account->segment_from_day,
        .period_from_day = account->period_from_day,
        .period_to_day = account->period_to_day,
        .model = account->model,
        .allotted_minutes = account->allotted_minutes,
        .minimum_minutes = account->minimum_minutes,
        .used_minutes = account->used_minutes,
        .delivered_minutes = account->delivered_minutes,
        .no_show_minutes = account->no_show_minutes,
    };

    if (!uw_verify_wants(step->verify, account->municipality)) {
        return UW_OK;
    }
    if (account->municipality.length != MUNICIPALITY_BYTES) {
        /* No accepted event can have made it, and the core's texts rest on that. */
        uw_verify_begin(&step->verify->report, UW_VERIFY_ACCOUNT, UW_VERIFY_EXTRA);
        uw_verify_key(&step->verify->report, "client", account->client);
        uw_verify_key(&step->verify->report, "decision", account->decision);
        uw_verify_pair(&step->verify->report, "municipality", account->municipality, UW_STR_NULL);
        uw_verify_end(&step->verify->report);
        return UW_OK;
    }
    if (subject == NULL ||
        !uw_reserve((void **)&subject->accounts, &subject->account_capacity, subject->account_count + 1,
                    sizeof stored) ||
        uw_client_intern_decision(&subject->client, account->municipality, account->decision, &stored.decision) !=
            UW_OK) {
        return UW_ENOMEM;
    }
    subject->accounts[subject->account_count++] = stored;
    return UW_OK;
}

/* An id follows from the identity: one that does not tells that the row was not written by us as it is. */
static enum uw_code check_id(struct step *step, enum uw_verify_what what, const struct uw_audit_outcome *outcome,
                             bool *good)
{
    struct uw_verify_report *report = &step->verify->report;
    char stored[UW_ID_TEXT_BYTES] = "", expected[UW_ID_TEXT_BYTES] = "";
    enum uw_code code = UW_OK;

    uw_uuid_format(&outcome->id, stored);
    if (outcome->readable) {
        code = what == UW_VERIFY_ALERT ? uw_alert_id(&outcome->alert, expected)
                                       : uw_anomaly_id(&outcome->anomaly, expected);
    }
    *good = outcome->readable && strcmp(stored, expected) == 0;
    if (code != UW_OK || *good) {
        return code;
    }
    uw_verify_begin(report, what, UW_VERIFY_CHANGED);
    uw_verify_key(report, "client", outcome->client);
    uw_verify_key(report, "id", uw_str_from(stored));
    uw_verify_pair(report, "identity", outcome->readable ? uw_str_from(stored) : UW_STR("unreadable"),
                   outcome->readable ? uw_str_from(expected) : UW_STR("kind, status, severity or subject of ours"));
    uw_verify_end(report);
    return UW_OK;
}

static enum uw_code take_alert(void *context, const struct uw_audit_outcome *outcome)
{
    struct step *step = context;
    struct subject *subject;
    bool good = false;
    enum uw_code code;

    if (!uw_verify_wants(step->verify, outcome->alert.municipality)) {
        return UW_OK;
    }
    subject = subject_of(step, outcome->client);
    if (subject == NULL) {
        return UW_ENOMEM;
    }
    code = check_id(step, UW_VERIFY_ALERT, outcome, &good);
    return code == UW_OK && good ? uw_client_add_alert(&subject->client, &outcome->alert) : code;
}

static enum uw_code take_anomaly(void *context, const struct uw_audit_outcome *outcome)
{
    struct step *step = context;
    struct subject *subject;
    bool good = false;
    enum uw_code code;

    if (!uw_verify_wants(step->verify, outcome->anomaly.municipality)) {
        return UW_OK;
    }
    subject = subject_of(step, outcome->client);
    if (subject == NULL) {
        return UW_ENOMEM;
    }
    code = check_id(step, UW_VERIFY_ANOMALY, outcome, &good);
    return code == UW_OK && good ? uw_client_add_anomaly(&subject->client, &outcome->anomaly) : code;
}

/* ---- accounts ---- */

static void key_decision(struct uw_verify_report *report, const struct subject *subject, uw_text decision)
{
    uw_verify_key(report, "client", subject->name);
    uw_verify_key(report, "municipality", uw_client_municipality(&subject->client, decision));
    uw_verify_key(report, "decision", uw_client_decision(&subject->client, decision));
}

/* One of the two may be NULL. */
static void report_account(struct step *step, const struct subject *subject, const struct uw_account *stored,
                           const struct uw_account *expected)
{
    static const struct uw_account nothing = {
        .period_to_day = UW_DAY_NONE,
        .allotted_minutes = UW_MINUTES_NONE,
        .minimum_minutes = UW_MINUTES_NONE,
        .used_minutes = UW_MINUTES_NONE,
        .delivered_minutes = UW_MINUTES_NONE,
        .no_show_minutes = UW_MINUTES_NONE,
    };
    struct uw_verify_report *report = &step->verify->report;
    const struct uw_account *account = stored != NULL ? stored : expected;
    const struct uw_account *left = stored != NULL ? stored : &nothing, *right = expected != NULL ? expected : &nothing;

    uw_verify_begin(report, UW_VERIFY_ACCOUNT,
                    stored == NULL     ? UW_VERIFY_MISSING
                    : expected == NULL ? UW_VERIFY_EXTRA
                                       : UW_VERIFY_CHANGED);
    key_decision(report, subject, account->decision);
    uw_verify_key_day(report, "segment_from", account->segment_from_day);
    uw_verify_key_day(report, "period_from", account->period_from_day);
    uw_verify_pair(report, "model", stored != NULL ? uw_str_from(uw_model_name(stored->model)) : UW_STR_NULL,
                   expected != NULL ? uw_str_from(uw_model_name(expected->model)) : UW_STR_NULL);
    uw_verify_pair_day(report, "period_to", left->period_to_day, right->period_to_day);
    uw_verify_pair_number(report, "allotted_minutes", left->allotted_minutes, right->allotted_minutes);
    uw_verify_pair_number(report, "minimum_minutes", left->minimum_minutes, right->minimum_minutes);
    uw_verify_pair_number(report, "used_minutes", left->used_minutes, right->used_minutes);
    uw_verify_pair_number(report, "delivered_minutes", left->delivered_minutes, right->delivered_minutes);
    uw_verify_pair_number(report, "no_show_minutes", left->no_show_minutes, right->no_show_minutes);
    uw_verify_end(report);
}

static int compare_accounts(const struct uw_client *client, const struct uw_account *a, const struct uw_account *b)
{
    int order = uw_str_compare(uw_client_text(client, a->decision), uw_client_text(client, b->decision));

    if (order == 0) {
        order = (a->segment_from_day > b->segment_from_day) - (a->segment_from_day < b->segment_from_day);
    }
    return order != 0 ? order
                      : (a->period_from_day > b->period_from_day) - (a->period_from_day < b->period_from_day);
}

static bool same_account(const struct uw_account *a, const struct uw_account *b)
{
    return a->period_to_day == b->period_to_day && a->model == b->model && a->allotted_minutes == b->allotted_minutes &&
           a->minimum_minutes == b->minimum_minutes && a->used_minutes == b->used_minutes &&
           a->delivered_minutes == b->delivered_minutes && a->no_show_minutes == b->no_show_minutes;
}

static bool wants_decision(const struct step *step, const struct subject *subject, uw_text decision)
{
    return uw_verify_wants(step->verify, uw_client_municipality(&subject->client, decision));
}

/* Both are in the order of decision, segment and period. */
static void match_accounts(struct step *step, const struct subject *subject)
{
    const struct uw_fold *fold = &step->fold;

    for (uint32_t s = 0, e = 0; s < subject->account_count || e < fold->account_count;) {
        const struct uw_account *stored = s < subject->account_count ? &subject->accounts[s] : NULL;
        const struct uw_account *expected = e < fold->account_count ? &fold->accounts[e] : NULL;
        int order = stored == NULL     ? 1
                    : expected == NULL ? -1
                                       : compare_accounts(&subject->client, stored, expected);

        s += order <= 0;
        e += order >= 0;
        if (order > 0 && !wants_decision(step, subject, expected->decision)) {
            continue;
        }
        step->verify->report.compared[UW_VERIFY_ACCOUNT] += order == 0;
        if (order != 0 || !same_account(stored, expected)) {
            report_account(step, subject, order <= 0 ? stored : NULL, order >= 0 ? expected : NULL);
        }
    }
}

/* ---- alerts ---- */

static void report_alert(struct step *step, const struct subject *subject, const struct uw_alert_state *stored,
                         const struct uw_alert_state *expected)
{
    struct uw_verify_report *report = &step->verify->report;
    const struct uw_alert_state *state = stored != NULL ? stored : expected;

    uw_verify_begin(report, UW_VERIFY_ALERT,
                    stored == NULL     ? UW_VERIFY_MISSING
                    : expected == NULL ? UW_VERIFY_EXTRA
                                       : UW_VERIFY_CHANGED);
    uw_verify_key(report, "kind", uw_str_from(uw_alert_kind_name((enum uw_alert_kind)state->kind)));
    key_decision(report, subject, state->decision);
    uw_verify_key_day(report, "segment_from", state->segment_from_day);
    uw_verify_key_day(report, "period_from", state->period_from_day);
    uw_verify_key_number(report, "threshold", state->threshold < 0 ? UW_INT_NONE : state->threshold);
    uw_verify_pair(report, "status",
                   stored != NULL ? uw_str_from(uw_status_name((enum uw_status)stored->status)) : UW_STR_NULL,
                   expected != NULL ? UW_STR("OPEN") : UW_STR_NULL);
    uw_verify_pair(report, "severity",
                   stored != NULL ? uw_str_from(uw_severity_name((enum uw_severity)stored->severity)) : UW_STR_NULL,
                   expected != NULL ? uw_str_from(uw_severity_name((enum uw_severity)expected->severity))
                                    : UW_STR_NULL);
    uw_verify_pair_day(report, "effective_on", stored != NULL ? stored->effective_on_day : UW_DAY_NONE,
                       expected != NULL ? expected->effective_on_day : UW_DAY_NONE);
    uw_verify_pair(report, "provider",
                   stored != NULL ? uw_client_text(&subject->client, stored->provider) : UW_STR_NULL,
                   expected != NULL ? uw_client_text(&subject->client, expected->provider) : UW_STR_NULL);
    uw_verify_end(report);
}

static void match_alerts(struct step *step, const struct subject *subject)
{
    const struct uw_client *client = &subject->client;
    const struct uw_fold *fold = &step->fold;

    for (uint32_t s = 0, e = 0; s < client->alert_count || e < fold->alert_count;) {
        const struct uw_alert_state *stored = s < client->alert_count ? &client->alerts[s] : NULL;
        const struct uw_alert_state *expected = e < fold->alert_count ? &fold->alerts[e].state : NULL;
        int order = stored == NULL ? 1 : expected == NULL ? -1 : uw_alert_state_compare(client, stored, expected);

        s += order <= 0;
        e += order >= 0;
        if (order > 0 && !wants_decision(step, subject, expected->decision)) {
            continue;
        }
        step->verify->report.compared[UW_VERIFY_ALERT] += order <= 0;
        /* A resolved alert is one that is not there. */
        if (order < 0 && stored->status == UW_STATUS_OPEN) {
            report_alert(step, subject, stored, NULL);
        } else if (order > 0) {
            report_alert(step, subject, NULL, expected);
        } else if (order == 0 &&
                   (stored->status != UW_STATUS_OPEN || stored->severity != expected->severity ||
                    stored->effective_on_day != expected->effective_on_day || stored->provider != expected->provider)) {
            report_alert(step, subject, stored, expected);
        }
    }
}

/* ---- anomalies ---- */

static void report_anomaly(struct step *step, const struct subject *subject, const struct uw_anomaly_state *stored,
                           const struct uw_anomaly_state *expected)
{
    struct uw_verify_report *report = &step->verify->report;
    const struct uw_anomaly_state *state = stored != NULL ? stored : expected;
    const struct uw_subject fact = {
        .kind = (enum uw_subject_kind)state->subject_kind,
        .provider = uw_client_text(&subject->client, state->subject_provider),
        .id = uw_client_text(&subject->client, state->subject_id),
        .version = state->subject_version,
    };
    char text[UW_SUBJECT_TEXT_BYTES];

    (void)uw_subject_format(&fact, text, sizeof text);
    uw_verify_begin(report, UW_VERIFY_ANOMALY,
                    stored == NULL     ? UW_VERIFY_MISSING
                    : expected == NULL ? UW_VERIFY_EXTRA
                                       : UW_VERIFY_CHANGED);
    uw_verify_key(report, "kind", uw_str_from(uw_anomaly_kind_name((enum uw_anomaly_kind)state->kind)));
    key_decision(report, subject, state->decision);
    uw_verify_key(report, "subject", uw_str_from(text));
    uw_verify_pair(report, "status",
                   stored != NULL ? uw_str_from(uw_status_name((enum uw_status)stored->status)) : UW_STR_NULL,
                   expected != NULL ? UW_STR("OPEN") : UW_STR_NULL);
    uw_verify_pair(report, "provider",
                   stored != NULL ? uw_client_text(&subject->client, stored->provider) : UW_STR_NULL,
                   expected != NULL ? uw_client_text(&subject->client, expected->provider) : UW_STR_NULL);
    uw_verify_end(report);
}

static void match_anomalies(struct step *step, const struct subject *subject)
{
    const struct uw_client *client = &subject->client;
    const struct uw_fold *fold = &step->fold;

    for (uint32_t s = 0, e = 0; s < client->anomaly_count || e < fold->anomaly_count;) {
        const struct uw_anomaly_state *stored = s < client->anomaly_count ? &client->anomalies[s] : NULL;
        const struct uw_anomaly_state *expected = e < fold->anomaly_count ? &fold->anomalies[e].state : NULL;
        int order = stored == NULL ? 1 : expected == NULL ? -1 : uw_anomaly_state_compare(client, stored, expected);

        s += order <= 0;
        e += order >= 0;
        if (order > 0 && !wants_decision(step, subject, expected->decision)) {
            continue;
        }
        step->verify->report.compared[UW_VERIFY_ANOMALY] += order <= 0;
        if (order < 0 && stored->status == UW_STATUS_OPEN) {
            report_anomaly(step, subject, stored, NULL);
        } else if (order > 0) {
            report_anomaly(step, subject, NULL, expected);
        } else if (order == 0 && (stored->status != UW_STATUS_OPEN || stored->provider != expected->provider)) {
            report_anomaly(step, subject, stored, expected);
        }
    }
}

/* ---- the client itself ---- */

static void report_client(struct step *step, const struct subject *subject, enum uw_verify_how how, const char *name,
                          int32_t stored_day, int32_t expected_day)
{
    struct uw_verify_report *report = &step->verify->report;

    uw_verify_begin(report, UW_VERIFY_CLIENT, how);
    uw_verify_key(report, "client", subject->name);
    uw_verify_key_number(report, "partition", subject->partition);
    if (name != NULL) {
        uw_verify_pair_day(report, name, stored_day, expected_day);
    }
    uw_verify_end(report);
}

/* Alerts by date are found by the stored day: it may be too early, never too late (judge.c, judge_change_day). */
static void match_change_day(struct step *step, const struct subject *subject, bool waiting)
{
    int32_t next = step->fold.next_change_day;
    bool late = next != UW_DAY_NONE && (subject->change_day == UW_DAY_NONE || subject->change_day > next);

    if (late || waiting) {
        report_client(step, subject, UW_VERIFY_CHANGED, "next_change_on", subject->change_day, next);
    }
}

static enum uw_code verify_subject(struct step *step, struct subject *subject, struct uw_error *error)
{
    struct uw_verify *verify = step->verify;
    const struct uw_verify_partition *partition = uw_verify_partition_of(verify, subject->partition);
    bool former = subject->known && subject->rules_version != uw_faults_rules_version(), waiting;
    enum uw_code code;

    verify->report.compared[UW_VERIFY_CLIENT]++;
    if (!subject->known || subject->fact_count == 0) {
        report_client(step, subject, subject->known ? UW_VERIFY_EXTRA : UW_VERIFY_MISSING, NULL, 0, 0);
    }
    if (partition == NULL || partition->as_of_day == UW_DAY_NONE) {
        /* That partition is reported as such; without a day there is nothing to judge by. */
        return UW_OK;
    }
    if (former && !verify->strict) {
        /* Its accounts are those of the rules before, and its sums are not among those that are shown. */
        verify->report.waiting++;
        return UW_OK;
    }
    code = uw_fold_run(&step->fold, &subject->client, &verify->config->settings, partition->as_of_day);
    if (code != UW_OK) {
        return uw_error_set(error, code, UW_CLASS_FATAL, "no memory to judge a client");
    }
    match_accounts(step, subject);
    waiting = subject->known && subject->change_day != UW_DAY_NONE && subject->change_day <= partition->as_of_day;
    if (waiting && !verify->strict) {
        verify->report.waiting++;
    } else {
        match_alerts(step, subject);
        match_anomalies(step, subject);
        if (subject->known) {
            match_change_day(step, subject, waiting);
        }
    }
    return verify->sums == NULL || former ? UW_OK : uw_verify_sums_add(verify, &step->fold, error);
}

static enum uw_code verify_step(struct step *step, bool *more, struct uw_error *error)
{
    const struct uw_audit_sink sink = {step, take_client, take_fact, take_account, take_alert, take_anomaly};
    enum uw_code code = uw_pgaudit_step(step->verify->store, STEP_CLIENTS, &sink, more, error);

    for (uint32_t i = 0; i < step->count && code == UW_OK; i++) {
        code = verify_subject(step, step->subjects[i], error);
    }
    if (code == UW_OK && step->verify->sums != NULL) {
        code = uw_verify_sums_flush(step->verify, error);
    }
    step_reset(step);
    return code;
}

enum uw_code uw_verify_clients(struct uw_verify *verify, struct uw_error *error)
{
    struct step step = {.verify = verify};
    struct uw_progress progress;
    int64_t total = 0;
    bool more = true;
    enum uw_code code = uw_pgaudit_client_count(verify->store, &total, error);

    uw_arena_init(&step.names, NAMES_BYTES_MAX);
    uw_fold_init(&step.fold);
    uw_progress_init(&progress, "clients", total);
    while (code == UW_OK && more && !uw_signals_stop_requested() && !verify->report.broken) {
        code = verify_step(&step, &more, error);
        uw_progress_show(&progress, verify->report.compared[UW_VERIFY_CLIENT]);
    }
    uw_progress_close(&progress);
    uw_fold_close(&step.fold);
    uw_arena_close(&step.names);
    free(step.subjects);
    return code;
}
