/* Which webhook gets which event, and the queue. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dashboard/access.h"
#include "dashboard/webhook_parts.h"

#define LIST_BYTES_MAX ((size_t)32 * 1024 * 1024)

/* ---- the webhooks ---- */

void uw_webhook_list_init(struct uw_webhook_list *list)
{
    *list = (struct uw_webhook_list){.count = 0};
    uw_arena_init(&list->arena, LIST_BYTES_MAX);
}

static void forget(struct uw_webhook_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        uw_stream_filter_close(&list->items[i].filter);
    }
    list->count = 0;
    list->items = NULL;
    uw_arena_reset(&list->arena);
}

void uw_webhook_list_close(struct uw_webhook_list *list)
{
    forget(list);
    uw_arena_close(&list->arena);
}

/* The rights of the token, as those of who asks. */
static bool take_rights(const PGresult *result, int row, struct uw_principal *principal)
{
    struct uw_str municipalities = uw_desk_field(result, row, 3);
    *principal = (struct uw_principal){.everywhere = uw_str_is_null(municipalities)};
    if (!principal->everywhere) {
        if (!uw_municipalities_valid(municipalities)) {
            return false;
        }
        memcpy(principal->municipalities, municipalities.data, municipalities.length);
    }
    return uw_role_parse(uw_desk_field(result, row, 2), &principal->role);
}

static bool take_subscription(const PGresult *result, int row, struct uw_arena *arena,
                              struct uw_webhook_subscription *subscription)
{
    struct uw_principal principal;
    struct uw_stream_refusal refusal;
    *subscription = (struct uw_webhook_subscription){
        .id = uw_desk_integer(result, row, 0),
        .behind = uw_arena_copy(arena, uw_desk_field(result, row, 4)),
        .replay_since = uw_arena_copy(arena, uw_desk_field(result, row, 5)),
        .replay_from = uw_arena_copy(arena, uw_desk_field(result, row, 6)),
        .queued = uw_desk_integer(result, row, 7),
    };
    if (!take_rights(result, row, &principal) ||
        !uw_webhook_filter_make(uw_desk_field(result, row, 1), &principal, &subscription->filter, &refusal)) {
        uw_stream_filter_close(&subscription->filter);
        return false;
    }
    return true;
}

#define LIST_SQL(condition)                                                                                          \
    "SELECT w.id::text, w.filter::text, t.role::text, array_to_string(t.municipalities, ','), w.behind, " \
    "(extract(epoch " \
    "FROM w.replay_since) * 1000)::bigint::text, w.replay_from, (SELECT count(*) FROM " \
    "urenwacht_data.webhook_delivery d WHERE " \
    "d.webhook_id = w.id AND d.state IN ('NEW', 'WAITING', 'READY'))::text FROM urenwacht_data.webhook w JOIN "      \
    "urenwacht_data.token t ON t.id = w.token_id AND t.revoked_at IS NULL AND t.expires_at > now() WHERE w.state <> "\
    "'STOPPED' AND " condition " ORDER BY w.id LIMIT 1000"

enum uw_code uw_webhook_list_load(struct uw_desk *desk, bool late, struct uw_webhook_list *list,
                                  struct uw_error *error)
{
    static const char late_sql[] = LIST_SQL("num_nonnulls(w.behind, w.replay_since, w.replay_from) > 0");
    static const char live_sql[] = LIST_SQL("num_nonnulls(w.behind, w.replay_since, w.replay_from) = 0");
    PGresult *result = NULL;
    enum uw_code code = uw_desk_query(desk, late ? late_sql : live_sql, NULL, 0, &result, error);
    if (code != UW_OK) {
        return code;
    }
    forget(list);
    list->items = uw_arena_take(&list->arena, (size_t)PQntuples(result) * sizeof *list->items);
    for (int row = 0; list->items != NULL && row < PQntuples(result); row++) {
        /* A filter that this program does not understand was made by a newer one, which works on it when it feeds. */
        if (take_subscription(result, row, &list->arena, &list->items[list->count])) {
            list->count++;
        }
    }
    bool good = list->items != NULL;
    PQclear(result);
    if (!good) {
        uw_desk_rollback(desk);
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_RETRY, "no memory for the webhooks");
    }
    return UW_OK;
}

/* ---- events ---- */

void uw_webhook_batch_init(struct uw_webhook_batch *batch)
{
    batch->count = 0;
    uw_arena_init(&batch->arena, 16 * UW_WEBHOOK_BATCH_BYTES);
    uw_arena_init(&batch->scratch, 16 * UW_WEBHOOK_BATCH_BYTES);
}

void uw_webhook_batch_reset(struct uw_webhook_batch *batch)
{
    batch->count = 0;
    uw_arena_reset(&batch->arena);
}

void uw_webhook_batch_close(struct uw_webhook_batch *batch)
{
    uw_arena_close(&batch->arena);
    uw_arena_close(&batch->scratch);
}

bool uw_webhook_batch_full(const struct uw_webhook_batch *batch)
{
    return batch->count == UW_WEBHOOK_BATCH_EVENTS || batch->arena.used_bytes > UW_WEBHOOK_BATCH_BYTES;
}

enum uw_code uw_webhook_batch_add(struct uw_webhook_batch *batch, struct uw_codec *codec, bool is_alert,
                                  struct uw_str value, struct uw_error *error)
{
    struct uw_stream_record *record = &batch->records[batch->count];
    struct uw_str kept = uw_arena_copy(&batch->arena, value);
    if (uw_str_is_null(value)) {
        return UW_OK;
    }
    if (uw_str_is_null(kept)) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_RETRY, "no memory for events of webhooks");
    }
    if (uw_stream_decode(codec, is_alert, kept, &batch->arena, record)) {
        batch->types[batch->count] = NULL;
        batch->rows[batch->count] = UW_STR_NULL;
        batch->count++;
    }
    return UW_OK;
}

/* Ids of what was there before, and which of the batch they are, as JSON. */
static enum uw_code write_questions(struct uw_webhook_batch *batch, struct uw_str *json)
{
    struct uw_text text;
    bool first = true;
    char id[UW_UUID_TEXT_BYTES];
    uw_text_init(&text, &batch->arena);
    uw_text_add_literal(&text, "[");
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct uw_stream_record *record = &batch->records[i];
        if (record->revision > 1 && record->about.status == UW_STATUS_OPEN) {
            uw_uuid_format(&record->id, id);
            uw_text_add_literal(&text, first ? "{\"n\": " : ", {\"n\": ");
            uw_text_add_integer(&text, i);
            uw_text_add_literal(&text, record->about.is_alert ? ", \"a\": true, \"i\": " : ", \"a\": false, \"i\": ");
            uw_text_add_json_string(&text, (struct uw_str){id, sizeof id});
            uw_text_add_literal(&text, ", \"r\": ");
            uw_text_add_integer(&text, record->revision - 1);
            uw_text_add_literal(&text, "}");
            first = false;
        }
    }
    uw_text_add_literal(&text, "]");
    return uw_text_finish(&text, json);
}

enum uw_code uw_webhook_batch_type(struct uw_webhook_batch *batch, struct uw_desk *desk, struct uw_error *error)
{
    static const char sql[] =
        "WITH q AS MATERIALIZED (SELECT * FROM json_to_recordset(($1::text)::json) AS (n integer, a boolean, i uuid, r "
        "integer)) SELECT q.n::text, h.status FROM q JOIN urenwacht_data.alert_history h ON q.a AND h.alert_id = q.i "
        "AND "
        "h.revision = q.r UNION ALL SELECT q.n::text, h.status FROM q JOIN urenwacht_data.anomaly_history h ON NOT "
        "q.a AND "
        "h.anomaly_id = q.i AND h.revision = q.r";
    struct uw_str questions;
    PGresult *result = NULL;
    enum uw_code code = write_questions(batch, &questions);
    if (code != UW_OK) {
        uw_desk_rollback(desk);
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_RETRY, "no memory for events of webhooks");
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->types[i] = uw_webhook_event_type(&batch->records[i], UW_WEBHOOK_BEFORE_UNKNOWN);
    }
    if (questions.length <= 2) {
        return UW_OK;
    }
    code = uw_desk_query(desk, sql, &questions, 1, &result, error);
    if (code != UW_OK) {
        return code;
    }
    for (int row = 0; row < PQntuples(result); row++) {
        int64_t i = uw_desk_integer(result, row, 0);
        bool open = uw_str_equal(uw_desk_field(result, row, 1), UW_STR("OPEN"));
        if (i >= 0 && i < (int64_t)batch->count) {
            batch->types[i] = uw_webhook_event_type(&batch->records[i],
                                                    open ? UW_WEBHOOK_BEFORE_OPEN : UW_WEBHOOK_BEFORE_RESOLVED);
        }
    }
    PQclear(result);
    return UW_OK;
}

uint32_t uw_webhook_batch_matches(const struct uw_webhook_batch *batch,
                                  const struct uw_webhook_subscription *subscription)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        count += uw_stream_filter_matches(&subscription->filter, &batch->records[i].about) ? 1u : 0u;
    }
    return count;
}

/* One event as a row in JSON, made once for all webhooks. */
static enum uw_code write_row(struct uw_webhook_batch *batch, uint32_t i, const char *source)
{
    const struct uw_stream_record *record = &batch->records[i];
    struct uw_str body;
    struct uw_text text;
    char id[UW_WEBHOOK_EVENT_ID_BYTES];
    enum uw_code code = uw_webhook_event_body(record, source, batch->types[i], &batch->arena, &body);
    if (code != UW_OK) {
        return code;
    }
    uw_webhook_event_id(record, id);
    uw_text_init(&text, &batch->arena);
    uw_text_add_literal(&text, "{\"e\": ");
    uw_text_add_json_string(&text, uw_str_from(id));
    uw_text_add_literal(&text, ", \"t\": ");
    uw_text_add_json_string(&text, uw_str_from(batch->types[i]));
    uw_text_add_literal(&text, ", \"m\": ");
    uw_text_add_json_string(&text, record->about.municipality);
    uw_text_add_literal(&text, ", \"l\": ");
    uw_text_add_integer(&text, uw_webhook_lane(record));
    uw_text_add_literal(&text, ", \"b\": ");
    uw_text_add_json_string(&text, body);
    uw_text_add_literal(&text, "}");
    return uw_text_finish(&text, &batch->rows[i]);
}

enum uw_code uw_webhook_batch_queue(struct uw_webhook_batch *batch, struct uw_desk *desk,
                                    const struct uw_webhook_subscription *subscription, const char *source,
                                    struct uw_error *error)
{
    /* Rows get their numbers in the order in which they are read here. */
    static const char sql[] =
        "INSERT INTO urenwacht_data.webhook_delivery (webhook_id, event_id, event_type, municipality, lane, body) "
        "SELECT "
        "($1::text)::bigint, r.e, r.t, r.m, r.l, r.b FROM ROWS FROM (json_to_recordset(($2::text)::json) AS (e text, "
        "t text, "
        "m text, l bigint, b text)) WITH ORDINALITY AS r (e, t, m, l, b, n) ORDER BY r.n";
    struct uw_text text;
    struct uw_str rows = UW_STR_NULL;
    char id[24];
    bool first = true;
    enum uw_code code = UW_OK;
    for (uint32_t i = 0; i < batch->count && code == UW_OK; i++) {
        if (uw_str_is_null(batch->rows[i]) &&
            uw_stream_filter_matches(&subscription->filter, &batch->records[i].about)) {
            code = write_row(batch, i, source);
        }
    }
    uw_arena_reset(&batch->scratch);
    uw_text_init(&text, &batch->scratch);
    uw_text_add_literal(&text, "[");
    for (uint32_t i = 0; i < batch->count && code == UW_OK; i++) {
        if (uw_stream_filter_matches(&subscription->filter, &batch->records[i].about)) {
            uw_text_add_literal(&text, first ? "" : ",\n");
            uw_text_add(&text, batch->rows[i].data, batch->rows[i].length);
            first = false;
        }
    }
    uw_text_add_literal(&text, "]");
    if (code != UW_OK || uw_text_finish(&text, &rows) != UW_OK) {
        uw_desk_rollback(desk);
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_RETRY, "no memory for events of webhooks");
    }
    snprintf(id, sizeof id, "%" PRId64, subscription->id);
    const struct uw_str arguments[] = {uw_str_from(id), rows};
    return uw_webhook_run(desk, sql, arguments, 2, NULL, error);
}
