/*
 * urenwacht: one command, a subcommand for each thing to do, in the manner of git.
 */
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

#ifndef UW_AVRO_VERSION
#define UW_AVRO_VERSION "(unknown)" /* Avro-C cannot tell its version itself; the build says it */
#endif

#define NAME_BYTES 32

#if defined(UW_JEMALLOC)
/* Read by jemalloc before main() begins; MALLOC_CONF in the environment goes before it. What a large batch needed lies
 * between what the cache keeps: soon after its last use it goes back to the system, also while the process rests. With
 * more arenas more lies free between blocks that are used. */
extern const char *malloc_conf;
const char *malloc_conf = "background_thread:true,narenas:2,dirty_decay_ms:1000,muzzy_decay_ms:0";
#endif

struct subcommand {
    const char *name, *summary;
    uw_command_run *run;
};

static const struct subcommand subcommands[] = {
    {"process", "fold events into budgets, alerts and anomalies", uw_command_process},
    {"feed", "send events from JSON lines to Kafka", uw_command_feed},
    {"simulate", "make the events of a believable region", uw_command_simulate},
    {"watch", "follow alerts and anomalies live", uw_command_watch},
    {"serve", "answer the dashboard: API, live stream and page", uw_command_serve},
    {"token", "create, list and revoke access to serve", uw_command_token},
    {"explain", "show how a decision's budget came to be", uw_command_explain},
    {"verify", "recompute everything and compare", uw_command_verify},
    {"dead-letters", "list, show or send again what was refused", uw_command_dead_letters},
    {"migrate", "create or upgrade the database schema", uw_command_migrate},
    {"topics", "create or check the Kafka topics", uw_command_topics},
};
#define SUBCOMMAND_COUNT (sizeof(subcommands) / sizeof(subcommands[0]))

static void print_overview(FILE *to)
{
    fprintf(to, "usage: urenwacht COMMAND [OPTIONS]\n\n"
                "Watches the hours of Dutch municipal care: budgets, alerts and anomalies from Kafka to PostgreSQL.\n\n"
                "commands:\n");
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++) {
        fprintf(to, "  %-12s  %s\n", subcommands[i].name, subcommands[i].summary);
    }
    fprintf(to, "\n'urenwacht help COMMAND' or 'urenwacht COMMAND --help' tells more.\n"
                "Exit codes: 0 done, 1 ran and failed, 2 usage or configuration.\n");
}

/* Steps of inserting, leaving out, changing or swapping letters from `a` to `b`. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t rows[3][NAME_BYTES + 1];
    size_t a_length = strnlen(a, NAME_BYTES), b_length = strnlen(b, NAME_BYTES);
    for (size_t j = 0; j <= b_length; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && two_above[j - 2] + 1 < best) {
                best = two_above[j - 2] + 1;
            }
            row[j] = best;
        }
    }
    return rows[a_length % 3][b_length];
}

static const struct subcommand *find(const char *name)
{
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++) {
        if (strcmp(subcommands[i].name, name) == 0) {
            return &subcommands[i];
        }
    }
    return NULL;
}

static int refuse_unknown(const char *name)
{
    const struct subcommand *nearest = NULL;
    size_t nearest_distance = 4; /* further away is no suggestion */
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++) {
        size_t distance = edit_distance(name, subcommands[i].name);
        if (distance < nearest_distance && distance < strlen(subcommands[i].name)) {
            nearest = &subcommands[i];
            nearest_distance = distance;
        }
    }
    if (nearest != NULL) {
        uw_complain("'%.40s' is not a command; did you mean '%s'?", name, nearest->name);
    } else {
        uw_complain("'%.40s' is not a command; see 'urenwacht help'", name);
    }
    return UW_EXIT_USAGE;
}

static int print_version(void)
{
    int pq = PQlibVersion();
    printf("urenwacht %s\nlibrdkafka %s, Avro-C %s, libpq %d.%d\n", UW_VERSION, rd_kafka_version_str(),
           UW_AVRO_VERSION, pq / 10000, pq % 10000);
    return fflush(stdout) == 0 ? UW_EXIT_OK : UW_EXIT_FAILED;
}

static int help(int argc, char **argv)
{
    static char help_flag[] = "--help";
    if (argc < 2 || strcmp(argv[1], "help") == 0) {
        print_overview(stdout);
        return fflush(stdout) == 0 ? UW_EXIT_OK : UW_EXIT_FAILED;
    }
    const struct subcommand *subcommand = find(argv[1]);
    if (subcommand == NULL) {
        return refuse_unknown(argv[1]);
    }
    char *arguments[] = {argv[1], help_flag, NULL};
    return subcommand->run(2, arguments);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return UW_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        return help(argc - 1, argv + 1);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "version") == 0) {
        return print_version();
    }
    const struct subcommand *subcommand = find(argv[1]);
    if (subcommand != NULL) {
        return subcommand->run(argc - 1, argv + 1);
    }
    return refuse_unknown(argv[1]);
}
