/*
 * urenwacht watch: follows alerts and anomalies live in the terminal.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/kafka_log.h"
#include "cli/since.h"
#include "cli/watch_lines.h"
#include "consumers/tail.h"

#define POLL_MS 200

static const char usage[] =
    "watch [--kind K,...] [--severity S] [--municipality M,...] [--from-beginning | --since TIME]";
static const char about[] =
    "Shows alerts and anomalies as they are published, of committed transactions only, until it is interrupted. It\n"
    "belongs to no consumer group and disturbs nobody. Lines are in Dutch, for those who work with them; the JSON has\n"
    "the columns of the views urenwacht.alert and urenwacht.anomaly.\n\n"
    "TIME is a date (2026-03-01), a UTC instant (2026-03-01T12:00:00Z) or how long ago (90s, 15m, 2h, 7d).\n";

static const struct uw_option table[] = {
    {"json", NULL, "one JSON object a line"},
    {"kind", "K,...", "only these kinds, for instance SURPLUS_LOW,CLIENT_OVERLAP"},
    {"severity", "S", "only alerts of at least INFO, WARNING or CRITICAL; anomalies have none and are left out"},
    {"municipality", "M,...", "only these municipalities (4 digits)"},
    {"from-beginning", NULL, "everything that is kept, not only what comes from now on"},
    {"since", "TIME", "what was published at or after this time"},
    {"limit", "N", "end after N lines"},
    {"topics", "T,...", "alerts, anomalies or both (the default)"},
    {"until-idle", NULL, "end when everything that is there was read"},
    {"lang", "nl|en", "language of the lines (default: nl)"},
};
#define TABLE_COUNT ((uint32_t)(sizeof(table) / sizeof(table[0])))

struct watch {
    /* filters */
    bool any_kind;
    bool alert_kinds[UW_ALERT_KIND_COUNT], anomaly_kinds[UW_ANOMALY_KIND_COUNT];
    bool by_severity;
    enum uw_severity severity;
    struct uw_str municipalities[UW_WATCH_MUNICIPALITIES_MAX];
    uint32_t municipality_count; /* 0: any */
    /* output */
    bool json, colours;
    enum uw_language language;
    int64_t limit, shown; /* limit 0: none */
    uint64_t unreadable;
    bool broken; /* stdout */
    /* reading */
    bool is_alerts[UW_OUTPUT_COUNT]; /* of the tail's topics, by index */
    struct uw_codec *codec;
    struct uw_arena arena;
};

/* ---- options ---- */

/* The next part of a list with commas; false at its end. */
static bool list_next(const char **rest, struct uw_str *part)
{
    const char *start = *rest;
    size_t length;

    if (start == NULL || *start == '\0')
        return false;
    length = strcspn(start, ",");
    *part = (struct uw_str){start, (uint32_t)length};
    *rest = start[length] == ',' ? start + length + 1 : start + length;
    return true;
}

static bool parse_kinds(const struct uw_options *options, struct watch *watch)
{
    const char *rest = uw_option_text(options, "kind", NULL);
    struct uw_str part;

    watch->any_kind = rest == NULL;
    while (list_next(&rest, &part)) {
        enum uw_alert_kind alert;
        enum uw_anomaly_kind anomaly;

        if (uw_alert_kind_parse(part, &alert)) {
            watch->alert_kinds[alert] = true;
        } else if (uw_anomaly_kind_parse(part, &anomaly)) {
            watch->anomaly_kinds[anomaly] = true;
        } else {
            uw_complain("--kind: %.*s is no kind of alert or anomaly", (int)part.length, part.data);
            return false;
        }
    }
    return true;
}

static bool parse_filters(const struct uw_options *options, struct watch *watch)
{
    const char *severity = uw_option_text(options, "severity", NULL);
    const char *rest = uw_option_text(options, "municipality", NULL);
    struct uw_str part;

    if (!parse_kinds(options, watch))
        return false;
    watch->by_severity = severity != NULL;
    if (severity != NULL && !uw_severity_parse(uw_str_from(severity), &watch->severity)) {
        uw_complain("--severity: %s is none of INFO, WARNING, CRITICAL", severity);
        return false;
    }
    while (list_next(&rest, &part)) {
        if (part.length != 4 || strspn(part.data, "0123456789") < 4) {
            uw_complain("--municipality: %.*s is no code of 4 digits", (int)part.length, part.data);
            return false;
        }
        if (watch->municipality_count == UW_WATCH_MUNICIPALITIES_MAX) {
            uw_complain("--municipality: at most %d", UW_WATCH_MUNICIPALITIES_MAX);
            return false;
        }
        watch->municipalities[watch->municipality_count++] = part;
    }
    return true;
}

static bool parse_topics(const struct uw_options *options, const struct uw_config *config, struct watch *watch,
                         struct uw_tail_options *tail)
{
    const char *rest = uw_option_text(options, "topics", "alerts,anomalies");
    struct uw_str part;

    while (list_next(&rest, &part)) {
        bool alerts = uw_str_equal(part, UW_STR("alerts"));

        if ((!alerts && !uw_str_equal(part, UW_STR("anomalies"))) || tail->topic_count == 2) {
            uw_complain("--topics: alerts, anomalies or both, separated by a comma");
            return false;
        }
        watch->is_alerts[tail->topic_count] = alerts;
        tail->topics[tail->topic_count++] = config->outputs[alerts ? UW_OUTPUT_ALERTS : UW_OUTPUT_ANOMALIES];
    }
    if (tail->topic_count == 0 || (tail->topic_count == 2 && watch->is_alerts[0] == watch->is_alerts[1])) {
        uw_complain("--topics: alerts, anomalies or both, separated by a comma");
        return false;
    }
    return true;
}

static bool parse_start(const struct uw_options *options, struct uw_tail_options *tail)
{
    const char *since = uw_option_text(options, "since", NULL);

    tail->start = UW_TAIL_FROM_NOW;
    if (uw_option_given(options, "from-beginning"))
        tail->start = UW_TAIL_FROM_BEGINNING;
    if (since == NULL)
        return true;
    if (tail->start == UW_TAIL_FROM_BEGINNING) {
        uw_complain("watch: --from-beginning and --since exclude each other");
        return false;
    }
    tail->start = UW_TAIL_FROM_TIME;
    if (!uw_since_parse(since, uw_clock_ms(), &tail->since_ms)) {
        uw_complain("--since: %s is no date, UTC instant or time ago (2026-03-01, 2026-03-01T12:00:00Z, 2h)", since);
        return false;
    }
    return true;
}

static bool parse_output(const struct uw_options *options, struct watch *watch)
{
    const char *language = uw_option_text(options, "lang", "nl");

    watch->json = uw_option_given(options, "json");
    watch->colours = !watch->json && uw_terminal_colours();
    if (strcmp(language, "nl") != 0 && strcmp(language, "en") != 0) {
        uw_complain("--lang: nl or en, not %s", language);
        return false;
    }
    watch->language = strcmp(language, "nl") == 0 ? UW_LANGUAGE_NL : UW_LANGUAGE_EN;
    return uw_option_integer(options, "limit", 0, 1, INT64_MAX, &watch->limit);
}

/* ---- showing ---- */

static bool wanted_municipality(const struct watch *watch, struct uw_str municipality)
{
    for (uint32_t i = 0; i < watch->municipality_count; i++) {
        if (uw_str_equal(watch->municipalities[i], municipality))
            return true;
    }
    return watch->municipality_count == 0;
}

static void put_line(struct watch *watch, struct uw_str line)
{
    (void)fwrite(line.data, 1, line.length, stdout);
    (void)putchar('\n');
    watch->shown++;
    watch->broken = fflush(stdout) != 0 || ferror(stdout) != 0;
}

static enum uw_code show_alert(struct watch *watch, const struct uw_tail_message *message,
                               struct uw_refusal *refusal, struct uw_error *error)
{
    struct uw_alert_record record;
    char text[UW_WATCH_LINE_BYTES];
    struct uw_str line;
    enum uw_code code;

    code = uw_output_decode_alert(watch->codec, message->value, &watch->arena, &record, refusal, error);
    if (code != UW_OK)
        return code;
    if ((!watch->any_kind && !watch->alert_kinds[record.alert.kind]) ||
        (watch->by_severity && record.alert.severity < watch->severity) ||
        !wanted_municipality(watch, record.alert.municipality))
        return UW_OK;
    if (watch->json) {
        if (uw_alert_json(&record, &watch->arena, &line) != UW_OK)
            return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for an alert");
    } else {
        uw_watch_alert_line(&record, watch->language, watch->colours, text);
        line = uw_str_from(text);
    }
    put_line(watch, line);
    return UW_OK;
}

static enum uw_code show_anomaly(struct watch *watch, const struct uw_tail_message *message,
                                 struct uw_refusal *refusal, struct uw_error *error)
{
    struct uw_anomaly_record record;
    char text[UW_WATCH_LINE_BYTES];
    struct uw_str line;
    enum uw_code code;

    if (watch->by_severity)
        return UW_OK;
    code = uw_output_decode_anomaly(watch->codec, message->value, &watch->arena, &record, refusal, error);
    if (code != UW_OK)
        return code;
    if ((!watch->any_kind && !watch->anomaly_kinds[record.anomaly.kind]) ||
        !wanted_municipality(watch, record.anomaly.municipality))
        return UW_OK;
    if (watch->json) {
        if (uw_anomaly_json(&record, &watch->arena, &line) != UW_OK)
            return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for an anomaly");
    } else {
        uw_watch_anomaly_line(&record, watch->language, watch->colours, text);
        line = uw_str_from(text);
    }
    put_line(watch, line);
    return UW_OK;
}

static enum uw_code show(struct watch *watch, const struct uw_tail_options *tail,
                         const struct uw_tail_message *message, struct uw_error *error)
{
    struct uw_refusal refusal;
    enum uw_code code;

    uw_arena_reset(&watch->arena);
    code = watch->is_alerts[message->topic] ? show_alert(watch, message, &refusal, error)
                                            : show_anomaly(watch, message, &refusal, error);
    if (code != UW_EINPUT)
        return code;
    /* Written by something else, or by a newer version of this program. The rest can be read all the same. */
    uw_log(UW_LOG_WARNING, "topic %s, partition %" PRId32 ", offset %" PRId64 " cannot be read: %s",
           tail->topics[message->topic], message->partition, message->offset, refusal.text);
    watch->unreadable++;
    return UW_OK;
}

/* ---- reading ---- */

/* Opens the tail, waiting with growing pauses as long as no broker answers. *tail stays NULL when the user ends it. */
static enum uw_code connect_patiently(const struct uw_tail_options *options, const struct uw_config *config,
                                      struct uw_tail **tail, struct uw_error *error)
{
    int32_t pause_ms = config->retry_min_ms;

    while (!uw_signals_stop_requested()) {
        enum uw_code code = uw_tail_open(options, tail, error);

        if (code == UW_OK || error->class != UW_CLASS_RETRY)
            return code;
        uw_log(UW_LOG_WARNING, "%s; trying again", error->text);
        (void)poll(NULL, 0, pause_ms);
        pause_ms = pause_ms < config->retry_max_ms / 2 ? pause_ms * 2 : config->retry_max_ms;
    }
    return UW_OK;
}

static enum uw_code follow(struct watch *watch, const struct uw_tail_options *options, struct uw_tail *tail,
                           bool until_idle, struct uw_error *error)
{
    while (!uw_signals_stop_requested() && !watch->broken && (watch->limit == 0 || watch->shown < watch->limit)) {
        const struct uw_tail_message *message = NULL;
        enum uw_code code = uw_tail_next(tail, POLL_MS, &message, error);

        if (code == UW_OK && message != NULL)
            code = show(watch, options, message, error);
        if (code != UW_OK)
            return code;
        if (message == NULL && until_idle && uw_tail_idle(tail))
            return UW_OK;
    }
    return UW_OK;
}

static int run(struct watch *watch, const struct uw_options *options, const struct uw_config *config)
{
    struct uw_tail_options tail_options = {
        .properties = config->kafka,
        .property_count = config->kafka_count,
        .timeout_ms = config->kafka_timeout_ms,
        .log = uw_kafka_log_make(),
    };
    struct uw_error error = {UW_OK, UW_CLASS_NONE, ""};
    struct uw_tail *tail = NULL;
    enum uw_code code;

    if (!parse_filters(options, watch) || !parse_topics(options, config, watch, &tail_options) ||
        !parse_start(options, &tail_options) || !parse_output(options, watch))
        return UW_EXIT_USAGE;
    uw_signals_start();
    code = uw_codec_open(NULL, &watch->codec, &error);
    if (code == UW_OK)
        code = connect_patiently(&tail_options, config, &tail, &error);
    if (code == UW_OK && tail != NULL)
        code = follow(watch, &tail_options, tail, uw_option_given(options, "until-idle"), &error);
    uw_tail_close(&tail);
    uw_codec_close(&watch->codec);
    if (code != UW_OK) {
        uw_complain("%s", error.text);
        return code == UW_ECONFIG ? UW_EXIT_USAGE : UW_EXIT_FAILED;
    }
    return watch->unreadable > 0 || watch->broken ? UW_EXIT_FAILED : UW_EXIT_OK;
}

int uw_command_watch(int argc, char **argv)
{
    struct watch watch = {.limit = 0};
    struct uw_options options;
    struct uw_config config;
    int status = uw_options_parse(argc, argv, usage, about, table, TABLE_COUNT, &options);

    if (status >= 0)
        return status;
    if (options.operand_count > 0) {
        uw_complain("watch: unexpected operand %s", options.operands[0]);
        return UW_EXIT_USAGE;
    }
    if (!uw_options_config(&options, &config))
        return UW_EXIT_USAGE;
    uw_arena_init(&watch.arena, UW_WATCH_RECORD_BYTES_MAX);
    status = run(&watch, &options, &config);
    uw_arena_close(&watch.arena);
    uw_config_close(&config);
    return status;
}
