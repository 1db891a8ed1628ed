#include "cli/command.h"
#include "cli/terminal.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHOW_EVERY_MS 100      /* on a terminal */
#define LOG_EVERY_MS 10000     /* elsewhere */
#define BAR_CELLS 24

/* Whether a progress line stands on the terminal; librdkafka's threads may log while it does. */
static atomic_bool line_stands;

void uw_terminal_yield(void)
{
    static const char wipe[] = "\r\033[K";
    if (atomic_exchange(&line_stands, false)) {
        ssize_t ignored = write(STDERR_FILENO, wipe, sizeof(wipe) - 1);
        (void)ignored; /* a terminal that is gone needs no wiping */
    }
}

bool uw_terminal_colours(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && (no_color == NULL || no_color[0] == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

void uw_progress_init(struct uw_progress *progress, const char *what, int64_t total)
{
    const char *term = getenv("TERM");
    int64_t now = uw_clock_monotonic_ms();
    *progress = (struct uw_progress){
        .what = what,
        .total = total,
        .started_ms = now,
        .shown_ms = now,
        .terminal = isatty(STDERR_FILENO) == 1 && (term == NULL || strcmp(term, "dumb") != 0),
    };
}

/* Events a second since the start. */
static int64_t rate_of(const struct uw_progress *progress, int64_t now)
{
    int64_t elapsed_ms = now - progress->started_ms;
    return elapsed_ms > 0 ? progress->done * 1000 / elapsed_ms : 0;
}

static void draw(const struct uw_progress *progress, int64_t now)
{
    char line[200], bar[BAR_CELLS + 1];
    int64_t rate = rate_of(progress, now);
    int length;
    if (progress->total > 0) {
        int64_t done = progress->done < progress->total ? progress->done : progress->total;
        int64_t cells = done * BAR_CELLS / progress->total;
        for (int64_t i = 0; i < BAR_CELLS; i++) {
            bar[i] = i < cells ? '#' : '-';
        }
        bar[BAR_CELLS] = '\0';
        int64_t left_s = rate > 0 ? (progress->total - done) / rate : 0;
        length = snprintf(line, sizeof(line),
                          "\r\033[K%s [%s] %3" PRId64 "%%  %" PRId64 "/s  %" PRId64 ":%02" PRId64 " left",
                          progress->what, bar, done * 100 / progress->total, rate, left_s / 60, left_s % 60);
    } else {
        length = snprintf(line, sizeof(line), "\r\033[K%s %" PRId64 "  %" PRId64 "/s", progress->what, progress->done,
                          rate);
    }
    size_t size = (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1;
    atomic_store(&line_stands, true);
    ssize_t ignored = write(STDERR_FILENO, line, size);
    (void)ignored; /* a terminal that is gone needs no bar */
}

void uw_progress_show(struct uw_progress *progress, int64_t done)
{
    int64_t now = uw_clock_monotonic_ms();
    progress->done = done;
    if (now - progress->shown_ms < (progress->terminal ? SHOW_EVERY_MS : LOG_EVERY_MS)) {
        return;
    }
    progress->shown_ms = now;
    if (progress->terminal) {
        draw(progress, now);
    } else if (progress->total > 0) {
        uw_log(UW_LOG_INFO, "%s: %" PRId64 " of %" PRId64 ", %" PRId64 "/s", progress->what, done, progress->total,
               rate_of(progress, now));
    } else {
        uw_log(UW_LOG_INFO, "%s: %" PRId64 ", %" PRId64 "/s", progress->what, done, rate_of(progress, now));
    }
}

void uw_progress_close(struct uw_progress *progress)
{
    uw_terminal_yield();
    progress->terminal = false;
}
