/*
 * From the queue to the receivers. Only the holder of the task "send" changes deliveries that are not over, in one
 * transaction after another: what is ready and what waits behind it is its alone to say.
 */
#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dashboard/webhook_parts.h"

#define RETRY_MS 2000
#define STANDBY_MS 1000
/* The queue is looked at so often when nothing says that something was queued. */
#define LOOK_MS 300
#define TIDY_MS 10000
/* Requests that are under way when the server ends are waited for so long. */
#define FAREWELL_MS 1500
/* After so many deliveries in a row that failed, a webhook gets one request at a time, with pauses between. */
#define FAILURES_MAX 8
#define HOLD_MS_MAX 60000
#define RETRY_AFTER_MS_MAX INT64_C(86400000)
#define TIDY_ROWS "5000"
/* What is done is written down together, as long as something else goes on: so many, or for so long. */
#define DONE_MAX 16
#define DONE_MS 30
/* Deliveries of one webhook that are read ahead of its requests, for so long at most: rights and states may change. */
#define IN_HAND_MAX 32
#define IN_HAND_MS 2000
#define TRANSFERS_A_CONNECTION 4
#define ID_BYTES ((size_t)21)
#define ARENA_BYTES_MAX ((size_t)16 * 1024 * 1024)

enum phase { PHASE_FREE, PHASE_IN_HAND, PHASE_UNDER_WAY, PHASE_DONE };

struct transfer {
    enum phase phase;
    int64_t id, webhook_id, attempts, age_ms; /* attempts and age as they were before this one */
    int64_t since_ms;                         /* in hand, then under way */
    char *url, *event_id, *secrets, *body;    /* one allocation, which is `url`'s */
    uint32_t body_length;
    struct uw_webhook_request *request;
    struct uw_webhook_result result;
};

struct sender {
    struct uw_webhooks *webhooks;
    struct uw_desk *desk;
    struct transfer *transfers;
    uint32_t transfer_count;
    uint32_t counts[PHASE_DONE + 1]; /* transfers by phase */
    char *busy;                      /* room for the ids of all */
    struct uw_arena arena;           /* of one transaction */
    int64_t looked_ms, tidied_ms;
    struct uw_webhook_statistics news; /* of this transaction */
};

static void set_phase(struct sender *sender, struct transfer *transfer, enum phase phase)
{
    sender->counts[transfer->phase]--;
    sender->counts[phase]++;
    transfer->phase = phase;
}

static struct uw_str number(char text[24], int64_t value)
{
    snprintf(text, 24, "%" PRId64, value);
    return uw_str_from(text);
}

static uint32_t chance(void)
{
    uint32_t value = 0;
    /* Without randomness every pause is the shortest; nothing breaks. */
    (void)RAND_bytes((unsigned char *)&value, sizeof value);
    return value;
}

/* ---- writing down what became of it ---- */

enum outcome { OUTCOME_DELIVERED, OUTCOME_AGAIN, OUTCOME_FAILED };

static enum outcome judge(const struct sender *sender, const struct transfer *transfer, int64_t *pause_ms)
{
    const struct uw_webhook_options *options = &sender->webhooks->options;
    int64_t give_up_ms = (int64_t)options->give_up_minutes * 60000;
    int64_t left_ms = give_up_ms - transfer->age_ms - (uw_webhook_clock_ms() - transfer->since_ms);
    *pause_ms = 0;
    if (transfer->result.accepted) {
        return OUTCOME_DELIVERED;
    }
    /* A receiver that is gone for good ends the webhook, not the delivery: whoever resumes it goes on with this one. */
    if (transfer->result.gone) {
        return OUTCOME_AGAIN;
    }
    if (transfer->attempts > 0 && left_ms <= 0) {
        return OUTCOME_FAILED;
    }
    *pause_ms = uw_webhook_backoff_ms(transfer->attempts + 1, options->retry_min_ms, options->retry_max_ms, chance());
    if (transfer->result.retry_after_s > *pause_ms / 1000) {
        *pause_ms = transfer->result.retry_after_s < RETRY_AFTER_MS_MAX / 1000 ? transfer->result.retry_after_s * 1000 :
                                                                                 RETRY_AFTER_MS_MAX;
    }
    /* The last attempt is made when the time is over, and not much before. */
    *pause_ms = *pause_ms < left_ms || left_ms <= 0 ? *pause_ms : left_ms;
    return OUTCOME_AGAIN;
}

static const char *state_name(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_DELIVERED:
        return "DELIVERED";
    case OUTCOME_AGAIN:
        return "READY";
    case OUTCOME_FAILED:
        return "FAILED";
    }
    return "FAILED";
}

/* One done delivery as a row in JSON. */
static void add_row(struct uw_text *text, const struct transfer *transfer, enum outcome outcome, int64_t pause_ms)
{
    uw_text_add_literal(text, text->length == 1 ? "{\"i\": " : ", {\"i\": ");
    uw_text_add_integer(text, transfer->id);
    uw_text_add_literal(text, ", \"s\": ");
    uw_text_add_json_string(text, uw_str_from(state_name(outcome)));
    uw_text_add_literal(text, ", \"d\": ");
    uw_text_add_integer(text, transfer->result.duration_ms);
    uw_text_add_literal(text, ", \"c\": ");
    uw_text_add_integer(text, transfer->result.status);
    uw_text_add_literal(text, ", \"e\": ");
    uw_text_add_json_string(text, uw_str_from(transfer->result.text));
    uw_text_add_literal(text, ", \"p\": ");
    uw_text_add_integer(text, pause_ms);
    uw_text_add_literal(text, "}");
}

static enum uw_code write_deliveries(struct sender *sender, struct uw_str rows, struct uw_error *error)
{
    /* The next of a lane becomes ready when the one before is over; a lane has one at a time. */
    static const char sql[] =
        "WITH done AS (UPDATE urenwacht_data.webhook_delivery d SET state = r.s, attempts = d.attempts + 1, "
        "first_attempt_at = "
        "coalesce(d.first_attempt_at, now() - r.d * interval '1 ms'), last_attempt_at = now() - r.d * interval '1 ms', "
        "last_duration_ms = r.d, last_status = nullif(r.c, 0), last_error = nullif(r.e, ''), due_at = now() + r.p * "
        "interval '1 "
        "ms', finished_at = CASE WHEN r.s <> 'READY' THEN now() END FROM json_to_recordset(($1::text)::json) AS r (i "
        "bigint, s "
        "text, d integer, c integer, e text, p bigint) WHERE d.id = r.i AND d.state = 'READY' RETURNING d.webhook_id, "
        "d.lane, "
        "d.state) UPDATE urenwacht_data.webhook_delivery n SET state = 'READY', due_at = now() FROM done WHERE "
        "done.state <> "
        "'READY' AND n.id = (SELECT min(m.id) FROM urenwacht_data.webhook_delivery m WHERE m.webhook_id = "
        "done.webhook_id AND "
        "m.lane = done.lane AND m.state = 'WAITING')";
    return uw_webhook_run(sender->desk, sql, &rows, 1, NULL, error);
}

static enum uw_code write_success(struct sender *sender, struct uw_str webhook_ids, struct uw_error *error)
{
    return uw_webhook_run(sender->desk,
                          "UPDATE urenwacht_data.webhook SET last_delivered_at = now(), failing_since = NULL, "
                          "failures = 0, "
                          "last_failed_id = NULL WHERE id = ANY (string_to_array($1::text, ',')::bigint[])",
                          &webhook_ids, 1, NULL, error);
}

static enum uw_code write_failure(struct sender *sender, const struct transfer *transfer, struct uw_error *error)
{
    static const char sql[] =
        "UPDATE urenwacht_data.webhook SET failing_since = coalesce(failing_since, now()), failures = failures + "
        "(CASE WHEN "
        "last_failed_id = ($2::text)::bigint THEN 0 ELSE 1 END), last_failed_id = ($2::text)::bigint, held_until = "
        "greatest(held_until, now() + greatest(($3::text)::bigint, CASE WHEN failures >= ($4::text)::integer THEN "
        "($5::text)::bigint ELSE 0 END) * interval '1 ms'), state = CASE WHEN ($6::text)::boolean AND state = "
        "'ACTIVE' THEN "
        "'DISABLED' ELSE state END, state_reason = CASE WHEN ($6::text)::boolean AND state = 'ACTIVE' THEN 'GONE' ELSE "
        "state_reason END, state_at = CASE WHEN ($6::text)::boolean AND state = 'ACTIVE' THEN now() ELSE state_at END "
        "WHERE id = "
        "($1::text)::bigint";
    const struct uw_webhook_options *options = &sender->webhooks->options;
    int64_t after_s = transfer->result.retry_after_s;
    int64_t after_ms = after_s < RETRY_AFTER_MS_MAX / 1000 ? after_s * 1000 : RETRY_AFTER_MS_MAX;
    int64_t hold_ms = options->retry_max_ms < HOLD_MS_MAX ? options->retry_max_ms : HOLD_MS_MAX;
    char id[24], delivery[24], after[24], failures[24], hold[24];
    const struct uw_str arguments[] = {
        number(id, transfer->webhook_id),
        number(delivery, transfer->id),
        number(after, after_ms),
        number(failures, FAILURES_MAX),
        number(hold, uw_webhook_backoff_ms(transfer->attempts + 1, options->retry_min_ms, hold_ms, chance())),
        transfer->result.gone ? UW_STR("true") : UW_STR("false")};
    return uw_webhook_run(sender->desk, sql, arguments, 6, NULL, error);
}

static void count_news(struct sender *sender, const struct transfer *transfer, enum outcome outcome)
{
    struct uw_webhook_statistics *news = &sender->news;
    news->delivered += transfer->result.accepted ? 1u : 0u;
    news->blocked += transfer->result.blocked ? 1u : 0u;
    news->refused += !transfer->result.accepted && transfer->result.status != 0 ? 1u : 0u;
    news->unreachable += !transfer->result.blocked && transfer->result.status == 0 ? 1u : 0u;
    news->given_up += outcome == OUTCOME_FAILED ? 1u : 0u;
}

static enum uw_code write_done(struct sender *sender, struct uw_error *error)
{
    struct uw_text rows, webhook_ids;
    struct uw_str rows_text = UW_STR_NULL, ids_text = UW_STR_NULL;
    enum uw_code code = UW_OK;
    if (sender->counts[PHASE_DONE] == 0) {
        return UW_OK;
    }
    uw_arena_reset(&sender->arena);
    uw_text_init(&rows, &sender->arena);
    uw_text_init(&webhook_ids, &sender->arena);
    uw_text_add_literal(&rows, "[");
    for (uint32_t i = 0; i < sender->transfer_count; i++) {
        const struct transfer *transfer = &sender->transfers[i];
        int64_t pause_ms = 0;
        if (transfer->phase != PHASE_DONE) {
            continue;
        }
        enum outcome outcome = judge(sender, transfer, &pause_ms);
        add_row(&rows, transfer, outcome, pause_ms);
        if (transfer->result.accepted) {
            uw_text_add_literal(&webhook_ids, webhook_ids.length == 0 ? "" : ",");
            uw_text_add_integer(&webhook_ids, transfer->webhook_id);
        }
        count_news(sender, transfer, outcome);
    }
    uw_text_add_literal(&rows, "]");
    if (uw_text_finish(&rows, &rows_text) != UW_OK || uw_text_finish(&webhook_ids, &ids_text) != UW_OK) {
        uw_desk_rollback(sender->desk);
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_RETRY, "no memory for deliveries");
    }
    code = write_deliveries(sender, rows_text, error);
    if (code == UW_OK && ids_text.length > 0) {
        code = write_success(sender, ids_text, error);
    }
    for (uint32_t i = 0; i < sender->transfer_count && code == UW_OK; i++) {
        if (sender->transfers[i].phase == PHASE_DONE && !sender->transfers[i].result.accepted) {
            code = write_failure(sender, &sender->transfers[i], error);
        }
    }
    return code;
}

/* ---- what is next ---- */

/* What was queued is ready, or waits for an earlier one of its lane, or for one that is sent again before it. */
static enum uw_code admit(struct sender *sender, struct uw_error *error)
{
    return uw_webhook_run(
        sender->desk,
        "UPDATE urenwacht_data.webhook_delivery d SET state = CASE WHEN EXISTS (SELECT FROM "
        "urenwacht_data.webhook_delivery e "
        "WHERE e.webhook_id = d.webhook_id AND e.lane = d.lane AND (e.state = 'READY' OR e.state IN ('NEW', "
        "'WAITING') AND "
        "e.id < d.id)) THEN 'WAITING' ELSE 'READY' END WHERE d.id IN (SELECT id FROM urenwacht_data.webhook_delivery "
        "WHERE "
        "state = 'NEW' ORDER BY id LIMIT 5000)",
        NULL, 0, NULL, error);
}

/* Ids of the deliveries that are in hand or under way, with commas. */
static struct uw_str list_busy(struct sender *sender)
{
    size_t length = 0;
    sender->busy[0] = '\0';
    for (uint32_t i = 0; i < sender->transfer_count; i++) {
        const struct transfer *transfer = &sender->transfers[i];
        if (transfer->phase == PHASE_IN_HAND || transfer->phase == PHASE_UNDER_WAY) {
            length += (size_t)snprintf(sender->busy + length, ID_BYTES, "%s%" PRId64, length == 0 ? "" : ",",
                                       transfer->id);
        }
    }
    return (struct uw_str){sender->busy, (uint32_t)length};
}

static enum uw_code find_due(struct sender *sender, PGresult **result, struct uw_error *error)
{
    static const char sql[] =
        "WITH busy AS MATERIALIZED (SELECT d.id, d.webhook_id FROM urenwacht_data.webhook_delivery d WHERE d.id = ANY "
        "(string_to_array($1::text, ',')::bigint[])) SELECT d.id::text, w.id::text, w.url, d.event_id, d.body, "
        "d.attempts::text, coalesce((extract(epoch FROM now() - d.first_attempt_at) * 1000)::bigint, 0)::text, (SELECT "
        "string_agg(encode(s.secret, 'base64'), ' ' ORDER BY s.id DESC) FROM urenwacht_data.webhook_secret s WHERE "
        "s.webhook_id = w.id AND (s.until IS NULL OR s.until > now())) FROM urenwacht_data.webhook w JOIN "
        "urenwacht_data.token "
        "t ON t.id = w.token_id AND t.revoked_at IS NULL AND t.expires_at > now() CROSS JOIN LATERAL (SELECT d.* FROM "
        "urenwacht_data.webhook_delivery d WHERE d.webhook_id = w.id AND d.state = 'READY' AND d.due_at <= now() AND "
        "NOT EXISTS "
        "(SELECT FROM busy b WHERE b.id = d.id) ORDER BY d.due_at, d.id LIMIT greatest(0, (CASE WHEN w.failures >= "
        "($3::text)::integer THEN 1 ELSE ($4::text)::integer END) - (SELECT count(*) FROM busy b WHERE b.webhook_id = "
        "w.id))) "
        "d WHERE w.state = 'ACTIVE' AND (w.held_until IS NULL OR w.held_until <= now()) ORDER BY d.due_at, d.id LIMIT "
        "($2::text)::integer";
    char room[24], failures[24], in_hand[24];
    const struct uw_str arguments[] = {list_busy(sender),
                                       number(room, (int64_t)sender->counts[PHASE_FREE] + sender->counts[PHASE_DONE]),
                                       number(failures, FAILURES_MAX), number(in_hand, IN_HAND_MAX)};
    return uw_desk_query(sender->desk, sql, arguments, 4, result, error);
}

/* ---- tidying up ---- */

static enum uw_code tidy(struct sender *sender, struct uw_error *error)
{
    static const char *const statements[] = {
        "UPDATE urenwacht_data.webhook w SET state = 'STOPPED', state_reason = 'TOKEN', state_at = now(), behind = "
        "NULL, "
        "replay_since = NULL, replay_from = NULL FROM urenwacht_data.token t WHERE t.id = w.token_id AND w.state <> "
        "'STOPPED' "
        "AND (t.revoked_at IS NOT NULL OR t.expires_at <= now())",
        "UPDATE urenwacht_data.webhook_delivery d SET state = 'CANCELLED', finished_at = now() FROM "
        "urenwacht_data.webhook w "
        "WHERE w.id = d.webhook_id AND w.state = 'STOPPED' AND d.state IN ('NEW', 'WAITING', 'READY')",
        "DELETE FROM urenwacht_data.webhook_secret WHERE until < now()",
        "DELETE FROM urenwacht_data.webhook_delivery WHERE id IN (SELECT id FROM urenwacht_data.webhook_delivery WHERE "
        "finished_at < now() - ($1::text)::integer * interval '1 day' LIMIT " TIDY_ROWS ")",
        "DELETE FROM urenwacht_data.webhook_delivery WHERE id IN (SELECT d.id FROM urenwacht_data.webhook w CROSS "
        "JOIN LATERAL "
        "(SELECT f.id FROM urenwacht_data.webhook_delivery f WHERE f.webhook_id = w.id AND f.finished_at IS NOT NULL "
        "ORDER BY "
        "f.id DESC OFFSET ($1::text)::integer LIMIT " TIDY_ROWS ") d)",
    };
    char days[24], kept[24];
    const struct uw_str arguments[] = {number(days, sender->webhooks->options.retention_days),
                                       number(kept, UW_WEBHOOK_LOG_MAX)};
    enum uw_code code = UW_OK;
    for (size_t i = 0; i < sizeof statements / sizeof statements[0] && code == UW_OK; i++) {
        code = uw_webhook_run(sender->desk, statements[i], i < 3 ? NULL : &arguments[i - 3], i < 3 ? 0 : 1, NULL,
                              error);
    }
    return code;
}

/* ---- requests ---- */

static void let_go(struct sender *sender, struct transfer *transfer)
{
    uw_webhook_request_end(sender->webhooks->multi, &transfer->request);
    free(transfer->url);
    set_phase(sender, transfer, PHASE_FREE);
    *transfer = (struct transfer){.phase = PHASE_FREE};
}

static void let_go_all(struct sender *sender, enum phase first, enum phase last)
{
    for (uint32_t i = 0; i < sender->transfer_count; i++) {
        struct transfer *transfer = &sender->transfers[i];
        if (transfer->phase >= first && transfer->phase <= last) {
            let_go(sender, transfer);
        }
    }
}

/* What was read ahead for a webhook that has failed is left to the table again, as is what was read long ago. */
static void let_go_in_hand(struct sender *sender, int64_t webhook_id)
{
    int64_t now_ms = uw_webhook_clock_ms();
    for (uint32_t i = 0; i < sender->transfer_count; i++) {
        struct transfer *transfer = &sender->transfers[i];
        if (transfer->phase == PHASE_IN_HAND &&
            (transfer->webhook_id == webhook_id || now_ms - transfer->since_ms > IN_HAND_MS)) {
            let_go(sender, transfer);
        }
    }
}

/* Copies four fields with their NULs into one allocation. */
static bool keep_order(struct transfer *transfer, const PGresult *result, int row)
{
    static const int columns[] = {2, 3, 7, 4};
    char **const places[] = {&transfer->url, &transfer->event_id, &transfer->secrets, &transfer->body};
    size_t size = 0;
    char *at;
    for (size_t i = 0; i < 4; i++) {
        size += (size_t)PQgetlength(result, row, columns[i]) + 1;
    }
    at = malloc(size);
    if (at == NULL) {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        size_t length = (size_t)PQgetlength(result, row, columns[i]);
        memcpy(at, PQgetvalue(result, row, columns[i]), length);
        at[length] = '\0';
        *places[i] = at;
        at += length + 1;
    }
    transfer->body_length = (uint32_t)PQgetlength(result, row, columns[3]);
    return true;
}

static enum uw_code take_in_hand(struct sender *sender, const PGresult *result, struct uw_error *error)
{
    uint32_t place = 0;
    for (int row = 0; row < PQntuples(result); row++) {
        while (place < sender->transfer_count && sender->transfers[place].phase != PHASE_FREE) {
            place++;
        }
        if (place == sender->transfer_count) {
            break;
        }
        struct transfer *transfer = &sender->transfers[place];
        if (!keep_order(transfer, result, row)) {
            return uw_error_set(error, UW_ENOMEM, UW_CLASS_RETRY, "no memory for a request of a webhook");
        }
        transfer->id = uw_desk_integer(result, row, 0);
        transfer->webhook_id = uw_desk_integer(result, row, 1);
        transfer->attempts = uw_desk_integer(result, row, 5);
        transfer->age_ms = uw_desk_integer(result, row, 6);
        transfer->since_ms = uw_webhook_clock_ms();
        set_phase(sender, transfer, PHASE_IN_HAND);
    }
    return UW_OK;
}

static bool may_begin(const struct sender *sender, const struct transfer *transfer)
{
    uint32_t parallel = 0;
    if (sender->counts[PHASE_UNDER_WAY] >= (uint32_t)sender->webhooks->options.connections_max) {
        return false;
    }
    for (uint32_t i = 0; i < sender->transfer_count; i++) {
        const struct transfer *other = &sender->transfers[i];
        parallel += other->phase == PHASE_UNDER_WAY && other->webhook_id == transfer->webhook_id ? 1u : 0u;
    }
    return parallel < UW_WEBHOOK_PARALLEL_MAX;
}

static enum uw_code begin_requests(struct sender *sender, struct uw_error *error)
{
    enum uw_code code = UW_OK;
    if (sender->counts[PHASE_IN_HAND] == 0) {
        return UW_OK;
    }
    let_go_in_hand(sender, 0);
    for (uint32_t i = 0; i < sender->transfer_count && code == UW_OK; i++) {
        struct transfer *transfer = &sender->transfers[i];
        if (transfer->phase != PHASE_IN_HAND || !may_begin(sender, transfer)) {
            continue;
        }
        const struct uw_webhook_order order = {.url = transfer->url,
                                               .event_id = transfer->event_id,
                                               .body = {transfer->body, transfer->body_length},
                                               .secrets = transfer->secrets};
        transfer->since_ms = uw_webhook_clock_ms();
        code = uw_webhook_request_begin(&sender->webhooks->options, sender->webhooks->multi, &order, transfer,
                                        &transfer->request, error);
        if (code == UW_OK) {
            set_phase(sender, transfer, PHASE_UNDER_WAY);
        }
    }
    return code;
}

static void perform(struct sender *sender)
{
    CURLM *multi = sender->webhooks->multi;
    CURLMsg *message;
    int running = 0, left = 0;
    (void)curl_multi_perform(multi, &running);
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            struct transfer *transfer = uw_webhook_request_owner(message->easy_handle);
            uw_webhook_request_result(transfer->request, message->data.result, &transfer->result);
            set_phase(sender, transfer, PHASE_DONE);
            if (!transfer->result.accepted) {
                let_go_in_hand(sender, transfer->webhook_id);
            }
        }
    }
}

/* ---- the thread ---- */

static void publish(struct sender *sender, bool sending)
{
    struct uw_webhook_statistics *all = &sender->webhooks->statistics;
    pthread_mutex_lock(&sender->webhooks->lock);
    all->delivered += sender->news.delivered;
    all->refused += sender->news.refused;
    all->unreachable += sender->news.unreachable;
    all->blocked += sender->news.blocked;
    all->given_up += sender->news.given_up;
    all->sending = sending;
    pthread_mutex_unlock(&sender->webhooks->lock);
    sender->news = (struct uw_webhook_statistics){.queued = 0};
}

/* One transaction: what is done is written down, and what is due is read. When PostgreSQL itself crashes, the last of
 * these may be undone, and what they had marked is sent again; so they need not wait for the disk. */
static enum uw_code turn(struct sender *sender, bool look, PGresult **due, struct uw_error *error)
{
    int64_t now_ms = uw_webhook_clock_ms();
    enum uw_code code = uw_desk_begin(sender->desk, NULL, true, error);
    sender->news = (struct uw_webhook_statistics){.queued = 0};
    if (code == UW_OK) {
        code = uw_webhook_run(sender->desk, "SET LOCAL synchronous_commit = off", NULL, 0, NULL, error);
    }
    if (code == UW_OK) {
        code = uw_webhook_task_hold(sender->webhooks, sender->desk, "send", UW_STR_NULL, error);
    }
    if (code == UW_OK) {
        code = write_done(sender, error);
    }
    if (code == UW_OK && now_ms - sender->tidied_ms >= TIDY_MS) {
        sender->tidied_ms = now_ms;
        code = tidy(sender, error);
    }
    if (code == UW_OK) {
        code = admit(sender, error);
    }
    if (code == UW_OK && look) {
        code = find_due(sender, due, error);
    }
    if (code == UW_OK) {
        code = uw_desk_commit(sender->desk, error);
    }
    return code;
}

/* Whether a transaction is worth it now. */
static bool is_turn(const struct sender *sender)
{
    int64_t waited_ms = uw_webhook_clock_ms() - sender->looked_ms;
    uint32_t done = sender->counts[PHASE_DONE];
    bool idle = sender->counts[PHASE_IN_HAND] == 0;
    return atomic_load(&sender->webhooks->awake) || waited_ms >= LOOK_MS || done >= DONE_MAX ||
           (done > 0 && (idle || waited_ms >= DONE_MS));
}

static enum uw_code step(struct sender *sender, bool stopping, struct uw_error *error)
{
    PGresult *due = NULL;
    enum uw_code code = UW_OK;
    if (is_turn(sender)) {
        atomic_store(&sender->webhooks->awake, false);
        sender->looked_ms = uw_webhook_clock_ms();
        code = turn(sender, !stopping, &due, error);
        if (code == UW_OK) {
            publish(sender, true);
            let_go_all(sender, PHASE_DONE, PHASE_DONE);
        }
        if (code == UW_OK && due != NULL) {
            code = take_in_hand(sender, due, error);
        }
        PQclear(due);
    }
    if (code == UW_OK) {
        code = begin_requests(sender, error);
    }
    if (code == UW_OK) {
        perform(sender);
        if (sender->counts[PHASE_DONE] == 0) {
            (void)curl_multi_poll(sender->webhooks->multi, NULL, 0, LOOK_MS, NULL);
            perform(sender);
        } else if (!is_turn(sender)) {
            (void)curl_multi_poll(sender->webhooks->multi, NULL, 0, DONE_MS / 3, NULL);
        }
    }
    return code;
}

static enum uw_code run(struct sender *sender, struct uw_error *error)
{
    struct uw_webhooks *webhooks = sender->webhooks;
    int64_t until_ms = INT64_MAX;
    enum uw_code code = UW_OK;
    bool stopping = false;
    sender->looked_ms = 0;
    publish(sender, true);
    while (code == UW_OK && !(stopping && (sender->counts[PHASE_FREE] == sender->transfer_count ||
                                           uw_webhook_clock_ms() >= until_ms))) {
        code = step(sender, stopping, error);
        if (!stopping && atomic_load(&webhooks->stopping)) {
            stopping = true;
            until_ms = uw_webhook_clock_ms() + FAREWELL_MS;
        }
        if (stopping) {
            let_go_all(sender, PHASE_IN_HAND, PHASE_IN_HAND);
        }
    }
    let_go_all(sender, PHASE_IN_HAND, PHASE_DONE);
    sender->news = (struct uw_webhook_statistics){.queued = 0};
    publish(sender, false);
    return code;
}

static void work(struct sender *sender)
{
    struct uw_webhooks *webhooks = sender->webhooks;
    while (!atomic_load(&webhooks->stopping)) {
        struct uw_error error = {.text = ""};
        bool taken = false;
        enum uw_code code = uw_webhook_task_take(webhooks, sender->desk, "send", NULL, &taken, NULL, &error);
        if (code == UW_OK && taken) {
            code = run(sender, &error);
        }
        if (code != UW_OK) {
            uw_webhook_log(webhooks, error.text);
            uw_webhook_pause_ms(webhooks, RETRY_MS);
        } else if (!taken) {
            uw_webhook_pause_ms(webhooks, STANDBY_MS);
        }
    }
    uw_webhook_task_give_up(webhooks, sender->desk, "send");
}

void *uw_webhook_send(void *context)
{
    struct uw_webhooks *webhooks = context;
    const struct uw_webhook_options *options = &webhooks->options;
    struct sender sender = {.webhooks = webhooks,
                            .transfer_count = (uint32_t)options->connections_max * TRANSFERS_A_CONNECTION};
    struct uw_error error = {.text = "no memory for webhooks"};
    sender.counts[PHASE_FREE] = sender.transfer_count;
    uw_arena_init(&sender.arena, ARENA_BYTES_MAX);
    sender.transfers = calloc(sender.transfer_count, sizeof *sender.transfers);
    sender.busy = malloc(sender.transfer_count * ID_BYTES + 1);
    if (sender.transfers == NULL || sender.busy == NULL ||
        uw_desk_open(options->dsn, options->database_timeout_ms, &sender.desk, &error) != UW_OK) {
        uw_webhook_log(webhooks, error.text);
    } else {
        work(&sender);
    }
    uw_desk_close(&sender.desk);
    free(sender.transfers);
    free(sender.busy);
    uw_arena_close(&sender.arena);
    return NULL;
}
