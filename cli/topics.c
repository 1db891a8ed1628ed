/*
 * urenwacht topics: creates the topics with the right partitions and settings, or checks them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/kafka_log.h"
#include "producers/topics.h"

#define PARTITIONS_MAX 10000
#define REPLICATION_MAX 100
#define MS_PER_DAY 86400000

static const char usage[] = "topics [--create | --check] [--partitions N] [--replication N] [--json]";
static const char about[] =
    "Shows the four input topics and the three output topics, and what is wrong with them. With --create those that\n"
    "are missing are made first; running it again changes nothing.\n\n"
    "The input topics need equally many partitions. Keys are client ids, so that no topic may be compacted by key.\n\n"
    "Exit code: 0 when the processor can run, 1 when topics are missing or unequal, 2 for usage or configuration.\n";

static const struct uw_option table[] = {
    {"create", NULL, "create what is missing"},
    {"check", NULL, "only look (the default); exit 1 also when a setting is doubtful"},
    {"partitions", "N", "partitions of new topics (default: topic_partitions of the configuration)"},
    {"replication", "N", "replicas of new topics (default: the configuration's, or the broker's)"},
    {"json", NULL, "one JSON object a line instead of a table"},
};
#define TABLE_COUNT ((uint32_t)(sizeof(table) / sizeof(table[0])))

static void print_number(int64_t number, const char *otherwise)
{
    if (number < 0)
        printf("%s", otherwise);
    else
        printf("%" PRId64, number);
}

/* Topic names and remarks hold nothing that JSON would escape but quotes and backslashes. */
static void print_quoted(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        if ((unsigned char)*text >= 0x20)
            putchar(*text);
    }
    putchar('"');
}

static void print_json(const struct uw_topic_report *report)
{
    printf("{\"topic\": ");
    print_quoted(report->name);
    printf(", \"exists\": %s, \"created\": %s, \"partitions\": %" PRId32 ", \"replication\": %" PRId32
           ", \"max_message_bytes\": ",
           report->exists ? "true" : "false", report->created ? "true" : "false", report->partitions,
           report->replication);
    print_number(report->max_message_bytes, "null");
    printf(", \"retention_ms\": ");
    print_number(report->retention_ms, report->retention_ms == -1 ? "-1" : "null");
    printf(", \"cleanup_policy\": ");
    print_quoted(report->cleanup_policy);
    printf(", \"state\": \"%s\", \"remark\": ", uw_topic_state_name(report->state));
    print_quoted(report->remark);
    printf("}\n");
}

static void print_row(const struct uw_topic_report *report, int width)
{
    char retention[32] = "-", bytes[32] = "-";

    if (!report->exists) {
        printf("%-*s  %10s  %8s  %11s  %9s  %-8s  %s: %s\n", width, report->name, "-", "-", "-", "-", "-",
               uw_topic_state_name(report->state), report->remark);
        return;
    }
    if (report->retention_ms >= 0)
        (void)snprintf(retention, sizeof(retention), "%" PRId64 " days", report->retention_ms / MS_PER_DAY);
    else if (report->retention_ms == -1)
        (void)snprintf(retention, sizeof(retention), "for ever");
    if (report->max_message_bytes >= 0)
        (void)snprintf(bytes, sizeof(bytes), "%" PRId64, report->max_message_bytes);
    printf("%-*s  %10" PRId32 "  %8" PRId32 "  %11s  %9s  %-8s  %s%s%s\n", width, report->name, report->partitions,
           report->replication, bytes, retention, report->cleanup_policy[0] == '\0' ? "-" : report->cleanup_policy,
           report->created ? "created" : uw_topic_state_name(report->state), report->remark[0] == '\0' ? "" : ": ",
           report->remark);
}

static void print_table(const struct uw_topic_report *reports)
{
    int width = 5;

    for (int i = 0; i < UW_TOPICS_COUNT; i++) {
        if ((int)strlen(reports[i].name) > width)
            width = (int)strlen(reports[i].name);
    }
    printf("%-*s  %10s  %8s  %11s  %9s  %-8s  %s\n", width, "topic", "partitions", "replicas", "max message",
           "retention", "cleanup", "state");
    for (int i = 0; i < UW_TOPICS_COUNT; i++)
        print_row(&reports[i], width);
}

static int judge(const struct uw_topic_report *reports, bool strict)
{
    for (int i = 0; i < UW_TOPICS_COUNT; i++) {
        if (reports[i].state == UW_TOPIC_STATE_BAD || (strict && reports[i].state == UW_TOPIC_STATE_DOUBTFUL))
            return UW_EXIT_FAILED;
    }
    return UW_EXIT_OK;
}

static int run(const struct uw_options *options, const struct uw_config *config)
{
    struct uw_topics_options topics = {
        .properties = config->kafka,
        .property_count = config->kafka_count,
        .timeout_ms = config->kafka_timeout_ms,
        .log = uw_kafka_log_make(),
    };
    struct uw_topic_report reports[UW_TOPICS_COUNT];
    struct uw_error error = {UW_OK, UW_CLASS_NONE, ""};
    int64_t partitions, replication;
    enum uw_code code;

    if (!uw_option_integer(options, "partitions", config->topic_partitions, 1, PARTITIONS_MAX, &partitions) ||
        !uw_option_integer(options, "replication", config->topic_replication, -1, REPLICATION_MAX, &replication))
        return UW_EXIT_USAGE;
    topics.partitions = (int32_t)partitions;
    topics.replication = (int32_t)replication;
    memcpy(topics.topics, config->topics, sizeof(topics.topics));
    memcpy(topics.outputs, config->outputs, sizeof(topics.outputs));
    code = uw_option_given(options, "create") ? uw_topics_create(&topics, reports, &error)
                                              : uw_topics_check(&topics, reports, &error);
    if (code != UW_OK) {
        uw_complain("%s", error.text);
        return code == UW_ECONFIG ? UW_EXIT_USAGE : UW_EXIT_FAILED;
    }
    if (uw_option_given(options, "json")) {
        for (int i = 0; i < UW_TOPICS_COUNT; i++)
            print_json(&reports[i]);
    } else {
        print_table(reports);
    }
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        uw_complain("standard output cannot be written");
        return UW_EXIT_FAILED;
    }
    return judge(reports, uw_option_given(options, "check"));
}

int uw_command_topics(int argc, char **argv)
{
    struct uw_options options;
    struct uw_config config;
    int status = uw_options_parse(argc, argv, usage, about, table, TABLE_COUNT, &options);

    if (status >= 0)
        return status;
    if (options.operand_count > 0) {
        uw_complain("topics: unexpected operand %s", options.operands[0]);
        return UW_EXIT_USAGE;
    }
    if (uw_option_given(&options, "create") && uw_option_given(&options, "check")) {
        uw_complain("topics: --create and --check exclude each other");
        return UW_EXIT_USAGE;
    }
    if (!uw_options_config(&options, &config))
        return UW_EXIT_USAGE;
    status = run(&options, &config);
    uw_config_close(&config);
    return status;
}
