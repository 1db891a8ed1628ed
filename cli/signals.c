#include "cli/command.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop_requested, reload_requested;

static void on_stop(int signal_number)
{
    if (stop_requested) {
        _exit(128 + signal_number);
    }
    stop_requested = 1;
}

static void on_reload(int signal_number)
{
    (void)signal_number;
    reload_requested = 1;
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

bool uw_signals_stop_requested(void)
{
    return stop_requested != 0;
}

bool uw_signals_reload_requested(void)
{
    bool requested = reload_requested != 0;
    reload_requested = 0;
    return requested;
}
