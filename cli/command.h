/*
 * What the subcommands of `urenwacht` share: exit codes, common options, log and terminal.
 */
#ifndef UW_CLI_COMMAND_H
#define UW_CLI_COMMAND_H

#include <getopt.h>

#include "cli/config.h"

enum uw_exit {
    UW_EXIT_OK = 0,
    UW_EXIT_FAILED = 1, /* ran and failed */
    UW_EXIT_USAGE = 2,  /* usage or configuration */
};

/* A subcommand: a file of its own in cli/, listed in cli/main.c. argv[0] is the subcommand's name. */
typedef int uw_command_run(int argc, char **argv);
uw_command_run uw_command_process, uw_command_feed, uw_command_simulate, uw_command_watch, uw_command_explain,
    uw_command_verify, uw_command_dead_letters, uw_command_migrate, uw_command_topics, uw_command_serve,
    uw_command_token;

/* One option of a subcommand. Every subcommand has besides: --config FILE, --set KEY=VALUE (repeatable),
 * --dsn CONNINFO, --brokers HOST:PORT,... , --log-level LEVEL, -h/--help. */
struct uw_option {
    const char *name;     /* long name without "--" */
    const char *argument; /* NULL: a switch; otherwise the word shown in help, e.g. "DATE" */
    const char *help;
};

#define UW_OVERRIDES_MAX 64
#define UW_OPTION_VALUES_MAX 32

/* Filled by uw_options_parse. Pointers into argv. */
struct uw_options {
    const char *config_path;
    const char *overrides[UW_OVERRIDES_MAX];
    uint32_t override_count;
    const char **operands; /* what is left of argv */
    uint32_t operand_count;
    /* opaque: use the getters */
    const struct uw_option *table;
    uint32_t table_count;
    const char *values[UW_OPTION_VALUES_MAX];
    bool given[UW_OPTION_VALUES_MAX];
};

/* Parses options; prints help (exit 0) or a usage error (exit 2) itself. Returns -1 to go on, or the exit code.
 * `usage` is the line after the command's name, `about` the paragraphs of --help. */
int uw_options_parse(int argc, char **argv, const char *usage, const char *about, const struct uw_option *table,
                     uint32_t table_count, struct uw_options *options);
bool uw_option_given(const struct uw_options *options, const char *name);
const char *uw_option_text(const struct uw_options *options, const char *name, const char *otherwise);
/* Prints "urenwacht: --NAME: ..." and returns false when the value is not an integer of [min, max]. */
bool uw_option_integer(const struct uw_options *options, const char *name, int64_t otherwise, int64_t min, int64_t max,
                       int64_t *value) UW_MUST_USE;
bool uw_option_date(const struct uw_options *options, const char *name, int32_t otherwise, int32_t *day) UW_MUST_USE;

/* Loads the configuration that the options ask for and starts the log; prints one line on failure. */
bool uw_options_config(const struct uw_options *options, struct uw_config *config) UW_MUST_USE;

/* ---- log: one line an event, to stderr; text or JSON. Neither client ids nor credentials. ---- */

enum uw_log_level { UW_LOG_ERROR, UW_LOG_WARNING, UW_LOG_INFO, UW_LOG_DEBUG };
void uw_log_start(const char *level, const char *format);
void uw_log(enum uw_log_level level, const char *format, ...) UW_PRINTF(2, 3);
/* Begins the lines of the calling thread from now on; borrowed. "": nothing. */
void uw_log_name_thread(const char *name);

/* "urenwacht: text" to stderr: mistakes of the user, and the last word of a command that fails. */
void uw_complain(const char *format, ...) UW_PRINTF(1, 2);

/* ---- time: the only place besides observed_at that reads a clock ---- */

int64_t uw_clock_ms(void);           /* UTC, since 1970 */
int64_t uw_clock_monotonic_ms(void);
/* Today in Europe/Amsterdam. UW_ECONFIG when the zone is not installed. */
enum uw_code uw_clock_today(int32_t *day, struct uw_error *error) UW_MUST_USE;

/* ---- signals: SIGINT and SIGTERM ask to stop; a second one ends at once ---- */
void uw_signals_start(void);
/* From now on the process ends by itself, with exit code 0, some seconds after it was asked to stop, whatever it
 * waits for. Only for what may be killed at any moment without loss. */
void uw_signals_limit_stop(void);
/* From now on the process ends with `exit_code` some seconds later, whatever its goodbyes to the servers wait for. */
void uw_signals_limit_end(int exit_code);
bool uw_signals_stop_requested(void);
/* As SIGTERM does, with uw_signals_limit_end: for a thread that cannot go on, so that the others end as well. */
void uw_signals_stop(int exit_code);
/* Another number than at the last look: SIGHUP came. */
int32_t uw_signals_reloads(void);

/* ---- terminal ---- */

/* A progress line on stderr when it is a terminal, otherwise nothing (or a log line every 10 s). total 0: unknown. */
struct uw_progress {
    const char *what;
    int64_t total, done, started_ms, shown_ms;
    bool terminal;
};
void uw_progress_init(struct uw_progress *progress, const char *what, int64_t total);
void uw_progress_show(struct uw_progress *progress, int64_t done);
void uw_progress_close(struct uw_progress *progress);
/* True when stdout takes colours (a terminal, NO_COLOR not set). */
bool uw_terminal_colours(void);

#endif
