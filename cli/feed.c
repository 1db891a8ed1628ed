/*
 * urenwacht feed: events from JSON lines into Kafka's input topics.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/outlet.h"
#include "schemas/json.h"

#define READ_BYTES (256u * 1024u)
#define LINE_MEMORY_MAX (64u * 1024u * 1024u)
#define REPORTED_MAX 100 /* bad lines that are told one by one */
#define STEP 256         /* lines between two looks at the clock and the signals */
#define RATE_MAX 10000000

static const char usage[] = "feed [--dry-run] [--rate N] [--all-errors] FILE|- [FILE...]";
static const char about[] =
    "Reads events as JSON lines, {\"topic\": \"declarations\", \"value\": {...}}, checks every rule, and sends them\n"
    "as Avro to the topic of their kind with the client as key. '-' is standard input.\n"
    "\n"
    "A bad line is reported with file, line number and reason, and skipped. The exit code is 1 when a line was bad or\n"
    "an event was not delivered.";

static const struct uw_option table[] = {
    {"dry-run", NULL, "check the lines and send nothing"},
    {"rate", "N", "events a second (default: as fast as it goes)"},
    {"all-errors", NULL, "report every bad line; without this the first 100"},
};
#define TABLE_COUNT ((uint32_t)(sizeof(table) / sizeof(table[0])))

struct run {
    struct uw_outlet *outlet;
    struct uw_arena memory; /* of one line */
    struct uw_progress progress;
    bool all_errors;
    uint64_t bad, events;
    int64_t bytes;
};

/* A file as lines of at most UW_JSON_LINE_BYTES_MAX; what is longer is skipped up to its newline. */
struct reader {
    int file;
    char *bytes;
    size_t start, length; /* of what is read and not yet given */
    bool end;
};
#define BUFFER_BYTES (UW_JSON_LINE_BYTES_MAX + READ_BYTES)

enum line { LINE_WHOLE, LINE_TOO_LONG, LINE_NONE, LINE_FAILED };

/* Moves what is left to the front and takes what is there to read, so that lines that trickle in through a pipe
 * are sent as they come. False when reading failed or a signal asked to stop. */
static bool fill(struct reader *reader)
{
    memmove(reader->bytes, reader->bytes + reader->start, reader->length);
    reader->start = 0;
    for (;;) {
        ssize_t count = read(reader->file, reader->bytes + reader->length, READ_BYTES);
        if (count >= 0) {
            reader->length += (size_t)count;
            reader->end = count == 0;
            return true;
        }
        if (errno != EINTR || uw_signals_stop_requested()) {
            return false;
        }
    }
}

/* The next line without its newline, borrowed until the next call. *size is what it took in the file. */
static enum line next_line(struct reader *reader, struct uw_str *line, size_t *size)
{
    bool too_long = false;
    size_t skipped = 0, searched = 0;
    for (;;) {
        char *from = reader->bytes + reader->start;
        char *newline = searched < reader->length ? memchr(from + searched, '\n', reader->length - searched) : NULL;
        bool last = newline == NULL && reader->end;
        if (newline != NULL || (last && (reader->length > 0 || too_long))) {
            size_t length = newline != NULL ? (size_t)(newline - from) : reader->length;
            size_t taken = length + (newline != NULL);
            *line = (struct uw_str){from, (uint32_t)length};
            *size = skipped + taken;
            reader->start += taken;
            reader->length -= taken;
            return too_long || length > UW_JSON_LINE_BYTES_MAX ? LINE_TOO_LONG : LINE_WHOLE;
        }
        if (last) {
            return LINE_NONE;
        }
        searched = reader->length;
        if (reader->length > UW_JSON_LINE_BYTES_MAX) {
            too_long = true;
            skipped += reader->length;
            reader->start = reader->length = searched = 0;
        }
        if (!fill(reader)) {
            return LINE_FAILED;
        }
    }
}

static void report(struct run *run, const char *name, uint64_t number, const char *reason, const char *text)
{
    run->bad++;
    if (run->all_errors || run->bad <= REPORTED_MAX) {
        uw_complain("%s:%" PRIu64 ": %s: %s", name, number, reason, text);
    }
    if (!run->all_errors && run->bad == REPORTED_MAX) {
        uw_complain("more bad lines are only counted; --all-errors shows them all");
    }
}

static bool is_blank(struct uw_str line)
{
    for (uint32_t i = 0; i < line.length; i++) {
        if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r') {
            return false;
        }
    }
    return true;
}

/* Returns UW_OK also for a bad line, which is reported; an error ends the run. */
static enum uw_code take_line(struct run *run, const char *name, uint64_t number, struct uw_str line,
                              struct uw_error *error)
{
    struct uw_event event;
    struct uw_refusal refusal;
    if (is_blank(line)) {
        return UW_OK;
    }
    uw_arena_reset(&run->memory);
    enum uw_code code = uw_json_read_event(line, &run->memory, &event, &refusal);
    if (code == UW_EINPUT) {
        report(run, name, number, uw_refusal_reason_name(refusal.reason), refusal.text);
        return UW_OK;
    }
    if (code != UW_OK) {
        return uw_error_set(error, code, UW_CLASS_FATAL, "%s:%" PRIu64 ": no memory for this line", name, number);
    }
    code = uw_outlet_send(run->outlet, &event, error);
    if (code != UW_OK && error->class == UW_CLASS_INPUT) {
        report(run, name, number, uw_refusal_reason_name(UW_REFUSED_TOO_LARGE), error->text);
        return UW_OK;
    }
    run->events += code == UW_OK;
    return code;
}

static enum uw_code read_lines(struct run *run, const char *name, struct reader *reader, struct uw_error *error)
{
    for (uint64_t number = 1; !uw_signals_stop_requested(); number++) {
        struct uw_str line;
        size_t size = 0;
        enum uw_code code = UW_OK;
        switch (next_line(reader, &line, &size)) {
        case LINE_WHOLE:
            code = take_line(run, name, number, line, error);
            break;
        case LINE_TOO_LONG:
            report(run, name, number, uw_refusal_reason_name(UW_REFUSED_TOO_LARGE), "the line is too long");
            break;
        case LINE_NONE:
            return UW_OK;
        case LINE_FAILED:
            if (uw_signals_stop_requested()) {
                return UW_OK; /* interrupted while waiting for standard input */
            }
            return uw_error_set(error, UW_EIO, UW_CLASS_FATAL, "%s: %s", name, strerror(errno));
        }
        if (code != UW_OK) {
            return code;
        }
        run->bytes += (int64_t)size;
        if (number % STEP == 0) {
            uw_progress_show(&run->progress, run->progress.total > 0 ? run->bytes / 1024 : (int64_t)run->events);
        }
    }
    return UW_OK;
}

static enum uw_code feed_file(struct run *run, const char *path, struct uw_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    struct reader reader = {.file = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)};
    if (reader.file < 0) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "%s: %s", path, strerror(errno));
    }
    enum uw_code code;
    reader.bytes = malloc(BUFFER_BYTES);
    if (reader.bytes == NULL) {
        code = uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for reading");
    } else {
        code = read_lines(run, standard ? "standard input" : path, &reader, error);
    }
    free(reader.bytes);
    if (!standard) {
        close(reader.file);
    }
    return code;
}

/* KiB of all files, or 0 when one of them has no size. Names a file that cannot be read before anything is sent. */
static bool measure(const struct uw_options *options, int64_t *kib)
{
    *kib = 0;
    bool known = true;
    int64_t bytes = 0;
    for (uint32_t i = 0; i < options->operand_count; i++) {
        struct stat status;
        const char *path = options->operands[i];
        if (strcmp(path, "-") == 0) {
            known = false;
            continue;
        }
        if (stat(path, &status) != 0) {
            uw_complain("%s: %s", path, strerror(errno));
            return false;
        }
        if (S_ISDIR(status.st_mode)) {
            uw_complain("%s: is a directory", path);
            return false;
        }
        known = known && S_ISREG(status.st_mode);
        bytes += status.st_size;
    }
    *kib = known ? bytes / 1024 : 0;
    return true;
}

static void summarise(const struct run *run, bool dry_run)
{
    struct uw_outlet_statistics statistics;
    uw_outlet_statistics(run->outlet, &statistics);
    int64_t elapsed_ms = uw_clock_monotonic_ms() - run->progress.started_ms;
    uw_log(UW_LOG_INFO,
           "%s %" PRIu64 " events: %" PRIu64 " decisions, %" PRIu64 " declarations, %" PRIu64 " no-shows, %" PRIu64
           " evaluations; %" PRIu64 " bad lines; %" PRId64 ".%" PRId64 " s",
           dry_run ? "checked" : "sent", run->events, statistics.events[UW_TOPIC_DECISIONS],
           statistics.events[UW_TOPIC_DECLARATIONS], statistics.events[UW_TOPIC_NO_SHOWS],
           statistics.events[UW_TOPIC_EVALUATIONS], run->bad, elapsed_ms / 1000, elapsed_ms / 100 % 10);
}

static int feed(const struct uw_options *options, const struct uw_config *config, int64_t rate, int64_t kib)
{
    struct run run = {.all_errors = uw_option_given(options, "all-errors")};
    struct uw_error error = {0};
    bool dry_run = uw_option_given(options, "dry-run");
    int status = UW_EXIT_FAILED;
    uw_arena_init(&run.memory, LINE_MEMORY_MAX);
    enum uw_code code = dry_run ? uw_outlet_open_nowhere(&run.outlet, &error)
                                : uw_outlet_open(config, NULL, rate, &run.outlet, &error);
    if (code != UW_OK) {
        uw_complain("%s", error.text);
        status = code == UW_ECONFIG ? UW_EXIT_USAGE : UW_EXIT_FAILED;
        goto out;
    }
    uw_progress_init(&run.progress, kib > 0 ? "feed (KiB)" : "feed", kib);
    for (uint32_t i = 0; code == UW_OK && i < options->operand_count && !uw_signals_stop_requested(); i++) {
        code = feed_file(&run, options->operands[i], &error);
    }
    /* What was sent before a failure is still delivered, and its failure is told before that of the delivery. */
    if (code != UW_OK) {
        uw_complain("%s", error.text);
    }
    enum uw_code finished = uw_outlet_finish(run.outlet, &error);
    uw_progress_close(&run.progress);
    if (finished != UW_OK) {
        uw_complain("%s", error.text);
    }
    summarise(&run, dry_run);
    if (uw_signals_stop_requested()) {
        uw_complain("feed: stopped before the end");
    } else if (code == UW_OK && finished == UW_OK && run.bad == 0) {
        status = UW_EXIT_OK;
    }
out:
    uw_outlet_close(&run.outlet);
    uw_arena_close(&run.memory);
    return status;
}

int uw_command_feed(int argc, char **argv)
{
    struct uw_options options;
    struct uw_config config;
    int64_t rate, kib;
    int status = uw_options_parse(argc, argv, usage, about, table, TABLE_COUNT, &options);
    if (status >= 0) {
        return status;
    }
    if (options.operand_count == 0) {
        uw_complain("feed: which file? ('-' is standard input)");
        return UW_EXIT_USAGE;
    }
    if (!uw_option_integer(&options, "rate", 0, 1, RATE_MAX, &rate) || !measure(&options, &kib) ||
        !uw_options_config(&options, &config)) {
        return UW_EXIT_USAGE;
    }
    uw_signals_start();
    status = feed(&options, &config, rate, kib);
    uw_config_close(&config);
    return status;
}
