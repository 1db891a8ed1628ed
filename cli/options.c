#include "cli/command.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What every subcommand takes. The values of those with a key stand in `values` after the table's. */
enum common { COMMON_DSN, COMMON_BROKERS, COMMON_LOG_LEVEL, COMMON_CONFIG, COMMON_SET, COMMON_HELP };
#define COMMON_COUNT 6
#define COMMON_KEYED 3

static const struct {
    struct uw_option option;
    const char *key; /* the setting that it stands for */
} common_options[COMMON_COUNT] = {
    [COMMON_DSN] = {{"dsn", "CONNINFO", "database to use: libpq's conninfo or URI"}, "database.dsn"},
    [COMMON_BROKERS] = {{"brokers", "HOST:PORT,...", "Kafka brokers to start from"}, "kafka.bootstrap.servers"},
    [COMMON_LOG_LEVEL] = {{"log-level", "LEVEL", "error, warning, info or debug"}, "log.level"},
    [COMMON_CONFIG] = {{"config", "FILE", "configuration file"}, NULL},
    [COMMON_SET] = {{"set", "KEY=VALUE", "a setting of the configuration; repeatable"}, NULL},
    [COMMON_HELP] = {{"help", NULL, "show this help"}, NULL},
};

static void print_option(const struct uw_option *option, const char *prefix)
{
    char left[80];
    snprintf(left, sizeof(left), "%s--%s%s%s", prefix, option->name, option->argument != NULL ? " " : "",
             option->argument != NULL ? option->argument : "");
    if (strlen(left) > 28) {
        printf("  %s\n  %-28s  ", left, "");
    } else {
        printf("  %-28s  ", left);
    }
    /* Long texts go on under their own column. */
    const char *text = option->help;
    while (strlen(text) > 68) {
        size_t length = 68;
        while (length > 20 && text[length] != ' ') {
            length--;
        }
        printf("%.*s\n  %-28s  ", (int)length, text, "");
        text += length + (text[length] == ' ');
    }
    printf("%s\n", text);
}

static void print_help(const char *usage, const char *about, const struct uw_option *table,
                       uint32_t table_count)
{
    printf("usage: urenwacht %s\n\n%s%s", usage, about, about[strlen(about) - 1] == '\n' ? "" : "\n");
    if (table_count > 0) {
        printf("\noptions:\n");
    }
    for (uint32_t i = 0; i < table_count; i++) {
        print_option(&table[i], "");
    }
    printf("\noptions of every command:\n");
    for (size_t i = 0; i < COMMON_COUNT; i++) {
        print_option(&common_options[i].option, i == COMMON_HELP ? "-h, " : "");
    }
}

/* The help of an option's name that was mistyped, or NULL: one that begins or is begun by the same letters. */
static const char *nearest_option(const char *given, const struct option *all)
{
    for (; all->name != NULL; all++) {
        size_t same = 0;
        while (given[same] != '\0' && given[same] == all->name[same]) {
            same++;
        }
        if (same >= 3) {
            return all->name;
        }
    }
    return NULL;
}

/* What getopt_long's '?' or ':' stands for. */
static int refuse(const char *command, char **argv, int answer, const struct option *all)
{
    const char *given = argv[optind - 1];
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(given, "="), given);
    const char *near = NULL;
    if (strncmp(name, "--", 2) == 0) {
        near = nearest_option(name + 2, all);
    }
    if (answer == ':') {
        uw_complain("%s: %s needs a value", command, name);
    } else if (near != NULL && strcmp(near, name + 2) == 0) {
        uw_complain("%s: %s takes no value", command, name);
    } else if (near != NULL) {
        uw_complain("%s: unknown or ambiguous option %s; did you mean --%s?", command, name, near);
    } else if (strncmp(name, "--", 2) == 0) {
        uw_complain("%s: unknown option %s", command, name);
    } else {
        uw_complain("%s: unknown option -%c", command, optopt);
    }
    uw_complain("try 'urenwacht %s --help'", command);
    return UW_EXIT_USAGE;
}

/* getopt_long's table: the subcommand's options, then the common ones. */
static void fill_all(const struct uw_option *table, uint32_t table_count,
                     struct option all[UW_OPTION_VALUES_MAX + COMMON_COUNT + 1])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < table_count + COMMON_COUNT; i++) {
        const struct uw_option *option = i < table_count ? &table[i] : &common_options[i - table_count].option;
        all[count++] = (struct option){option->name, option->argument != NULL ? required_argument : no_argument, NULL,
                                       1000 + (int)i};
    }
    all[count] = (struct option){NULL, 0, NULL, 0};
}

static bool take_override(struct uw_options *options, const char *command)
{
    if (options->override_count == UW_OVERRIDES_MAX) {
        uw_complain("%s: more than %d times --set", command, UW_OVERRIDES_MAX);
        return false;
    }
    options->overrides[options->override_count++] = optarg;
    return true;
}

int uw_options_parse(int argc, char **argv, const char *usage, const char *about, const struct uw_option *table,
                     uint32_t table_count, struct uw_options *options)
{
    struct option all[UW_OPTION_VALUES_MAX + COMMON_COUNT + 1];
    assert(table_count + COMMON_KEYED <= UW_OPTION_VALUES_MAX);
    *options = (struct uw_options){.table = table, .table_count = table_count};
    fill_all(table, table_count, all);
    opterr = 0;
    optind = 0; /* glibc: start anew, also after an earlier call */
    for (int answer; (answer = getopt_long(argc, argv, ":h", all, NULL)) != -1;) {
        if (answer == '?' || answer == ':') {
            return refuse(argv[0], argv, answer, all);
        }
        uint32_t index = answer == 'h' ? table_count + COMMON_HELP : (uint32_t)(answer - 1000);
        if (index < table_count + COMMON_KEYED) {
            options->values[index] = optarg;
            options->given[index] = true;
        } else if (index == table_count + COMMON_CONFIG) {
            options->config_path = optarg;
        } else if (index == table_count + COMMON_SET) {
            if (!take_override(options, argv[0])) {
                return UW_EXIT_USAGE;
            }
        } else {
            print_help(usage, about, table, table_count);
            return fflush(stdout) == 0 ? UW_EXIT_OK : UW_EXIT_FAILED;
        }
    }
    options->operands = (const char **)(argv + optind);
    options->operand_count = (uint32_t)(argc - optind);
    return -1;
}

static uint32_t index_of(const struct uw_options *options, const char *name)
{
    for (uint32_t i = 0; i < options->table_count; i++) {
        if (strcmp(options->table[i].name, name) == 0) {
            return i;
        }
    }
    assert(false && "an option that is not in the table");
    return 0;
}

bool uw_option_given(const struct uw_options *options, const char *name)
{
    return options->given[index_of(options, name)];
}

const char *uw_option_text(const struct uw_options *options, const char *name, const char *otherwise)
{
    uint32_t index = index_of(options, name);
    return options->given[index] ? options->values[index] : otherwise;
}

bool uw_option_integer(const struct uw_options *options, const char *name, int64_t otherwise, int64_t min, int64_t max,
                       int64_t *value)
{
    const char *text = uw_option_text(options, name, NULL);
    if (text == NULL) {
        *value = otherwise;
        return true;
    }
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    bool digits = text[0] == '-' ? text[1] != '\0' : text[0] >= '0' && text[0] <= '9';
    if (!digits || errno != 0 || *end != '\0' || number < min || number > max) {
        uw_complain("--%s: '%.40s' is not an integer of %" PRId64 " to %" PRId64, name, text, min, max);
        return false;
    }
    *value = number;
    return true;
}

bool uw_option_date(const struct uw_options *options, const char *name, int32_t otherwise, int32_t *day)
{
    const char *text = uw_option_text(options, name, NULL);
    if (text == NULL) {
        *day = otherwise;
        return true;
    }
    int32_t parsed;
    if (!uw_date_parse(uw_str_from(text), &parsed) || parsed < UW_DAY_MIN || parsed > UW_DAY_MAX) {
        uw_complain("--%s: '%.40s' is not a date of the form 2026-03-01 in the years 1900 to 2199", name, text);
        return false;
    }
    *day = parsed;
    return true;
}

bool uw_options_config(const struct uw_options *options, struct uw_config *config)
{
    const char *overrides[UW_OVERRIDES_MAX + COMMON_KEYED];
    char *made[COMMON_KEYED] = {NULL};
    uint32_t count = 0;
    bool loaded = false;
    struct uw_error error = {0};
    for (; count < options->override_count; count++) {
        overrides[count] = options->overrides[count];
    }
    /* The flags of their own come after --set and win over it. */
    for (uint32_t i = 0; i < COMMON_KEYED; i++) {
        const char *value = options->values[options->table_count + i];
        if (!options->given[options->table_count + i]) {
            continue;
        }
        size_t size = strlen(common_options[i].key) + strlen(value) + 2;
        made[i] = malloc(size);
        if (made[i] == NULL) {
            uw_complain("no memory for the configuration");
            goto out;
        }
        snprintf(made[i], size, "%s=%s", common_options[i].key, value);
        overrides[count++] = made[i];
    }
    struct uw_config read;
    if (uw_config_load(options->config_path, overrides, count, &read, &error) != UW_OK) {
        uw_complain("%s", error.text);
        goto out;
    }
    uw_log_start(read.log_level, read.log_format);
    *config = read;
    loaded = true;
out:
    for (uint32_t i = 0; i < COMMON_KEYED; i++) {
        free(made[i]);
    }
    return loaded;
}
