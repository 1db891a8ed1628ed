#include "cli/command.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* Written by handlers and by threads. */
static atomic_int stop_requested, stop_signals, reloads_requested, stop_limited, overdue_code;
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a handler must not wait for a lock");

/* Whoever asks to stop waits this long at the most. A call to a server that does not answer may wait longer;
 * leaving it half-done loses nothing, since every crash does the same (DESIGN section 1). */
#define STOP_SECONDS 4
/* Who ends without being asked may take a little longer to say goodbye. */
#define END_SECONDS 15

static void on_stop(int signal_number)
{
    if (atomic_fetch_add(&stop_signals, 1) > 0) {
        _exit(128 + signal_number);
    }
    stop_requested = 1;
    if (stop_limited) {
        alarm(STOP_SECONDS);
    }
}

static void on_overdue(int signal_number)
{
    static const char text[] = "urenwacht: stopped while a server did not answer; nothing is lost\n";
    (void)signal_number;
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
    (void)written;
    _exit(overdue_code);
}

static void on_reload(int signal_number)
{
    (void)signal_number;
    atomic_fetch_add(&reloads_requested, 1); /* wraps */
}

static void handle(int signal_number, void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    sigaction(signal_number, &action, NULL);
}

void uw_signals_start(void)
{
    handle(SIGINT, on_stop);
    handle(SIGTERM, on_stop);
    handle(SIGHUP, on_reload);
    /* A connection or a pipe that closes is an error of the call that writes to it, not the end. */
    handle(SIGPIPE, SIG_IGN);
}

void uw_signals_limit_stop(void)
{
    handle(SIGALRM, on_overdue);
    stop_limited = 1;
}

void uw_signals_limit_end(int exit_code)
{
    overdue_code = exit_code;
    unsigned left = alarm(END_SECONDS);
    if (left > 0) {
        alarm(left);
    }
}

void uw_signals_stop(int exit_code)
{
    stop_requested = 1;
    uw_signals_limit_end(exit_code);
}

bool uw_signals_stop_requested(void)
{
    return stop_requested != 0;
}

int32_t uw_signals_reloads(void)
{
    return reloads_requested;
}
