/* Who does what: rows of webhook_task, and small things of both threads. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dashboard/access.h"
#include "dashboard/webhook_parts.h"

#define PAUSE_STEP_MS 50

int64_t uw_webhook_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void uw_webhook_pause_ms(struct uw_webhooks *webhooks, int64_t pause_ms)
{
    const struct timespec step = {0, PAUSE_STEP_MS * 1000000L};
    int64_t until_ms = uw_webhook_clock_ms() + pause_ms;
    while (uw_webhook_clock_ms() < until_ms && !atomic_load(&webhooks->stopping)) {
        (void)nanosleep(&step, NULL);
    }
}

void uw_webhook_log(struct uw_webhooks *webhooks, const char *text)
{
    webhooks->options.log(webhooks->options.context, text);
}

enum uw_code uw_webhook_run(struct uw_desk *desk, const char *sql, const struct uw_str *arguments,
                            uint32_t argument_count, int64_t *rows, struct uw_error *error)
{
    PGresult *result = NULL;
    enum uw_code code = uw_desk_query(desk, sql, arguments, argument_count, &result, error);
    if (code == UW_OK) {
        if (rows != NULL) {
            *rows = strtoll(PQcmdTuples(result), NULL, 10);
        }
        PQclear(result);
    }
    return code;
}

/* Another server takes a task over when its holder has said nothing for too long, or when the connection on which the
 * holder last said something is gone. What the holder does in between is void: it has to hold the row each time. */
enum uw_code uw_webhook_task_take(struct uw_webhooks *webhooks, struct uw_desk *desk, const char *task,
                                  struct uw_arena *arena, bool *taken, struct uw_str *position,
                                  struct uw_error *error)
{
    static const char sql[] =
        "UPDATE urenwacht_data.webhook_task k SET holder = $2::text, until = now() + interval "
        "'" UW_WEBHOOK_LEASE_SECONDS " s', backend = pg_backend_pid(), backend_start = (SELECT a.backend_start FROM "
        "pg_stat_activity a WHERE a.pid = "
        "pg_backend_pid()) WHERE k.task = $1::text AND (k.holder IS NULL OR k.holder = $2::text OR k.until < now() OR "
        "NOT "
        "EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = k.backend AND coalesce(a.backend_start = "
        "k.backend_start, "
        "true))) RETURNING k.position";
    const struct uw_str arguments[] = {uw_str_from(task), uw_str_from(webhooks->holder)};
    PGresult *result = NULL;
    enum uw_code code = uw_desk_begin(desk, NULL, true, error);
    if (code == UW_OK) {
        code = uw_desk_query(desk, sql, arguments, 2, &result, error);
    }
    if (code != UW_OK) {
        return code;
    }
    *taken = PQntuples(result) == 1;
    if (*taken && position != NULL) {
        struct uw_str stored = uw_desk_field(result, 0, 0);
        *position = uw_arena_copy(arena, stored);
        if (!uw_str_is_null(stored) && uw_str_is_null(*position)) {
            code = uw_error_set(error, UW_ENOMEM, UW_CLASS_RETRY, "no memory for a position");
        }
    }
    PQclear(result);
    if (code != UW_OK) {
        uw_desk_rollback(desk);
        return code;
    }
    return uw_desk_commit(desk, error);
}

enum uw_code uw_webhook_task_hold(struct uw_webhooks *webhooks, struct uw_desk *desk, const char *task,
                                  struct uw_str position, struct uw_error *error)
{
    static const char sql[] =
        "UPDATE urenwacht_data.webhook_task SET until = now() + interval '" UW_WEBHOOK_LEASE_SECONDS
        " s', position = coalesce($3::text, position) WHERE task = $1::text AND holder = $2::text AND backend = "
        "pg_backend_pid()";
    const struct uw_str arguments[] = {uw_str_from(task), uw_str_from(webhooks->holder), position};
    int64_t rows = 0;
    enum uw_code code = uw_webhook_run(desk, sql, arguments, 3, &rows, error);
    if (code == UW_OK && rows != 1) {
        uw_desk_rollback(desk);
        return uw_error_set(error, UW_EFENCED, UW_CLASS_FENCED, "webhooks: another server has taken over");
    }
    return code;
}

void uw_webhook_task_give_up(struct uw_webhooks *webhooks, struct uw_desk *desk, const char *task)
{
    const struct uw_str arguments[] = {uw_str_from(task), uw_str_from(webhooks->holder)};
    struct uw_error error;
    enum uw_code code = uw_desk_begin(desk, NULL, true, &error);
    if (code == UW_OK) {
        code = uw_webhook_run(desk,
                              "UPDATE urenwacht_data.webhook_task SET holder = NULL, until = NULL WHERE task = "
                              "$1::text AND "
                              "holder = $2::text",
                              arguments, 2, NULL, &error);
    }
    /* Whoever cannot say so is found out. */
    if (code == UW_OK && uw_desk_commit(desk, &error) != UW_OK) {
        uw_desk_rollback(desk);
    }
}
