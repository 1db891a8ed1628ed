#include "cli/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define STATE_BYTES 512

static struct sockaddr_un manager;
static socklen_t manager_length; /* 0: there is nobody to tell */
static int64_t watchdog_ms, told_ms;

static int64_t positive_number(const char *text)
{
    char *end;
    if (text == NULL || text[0] < '0' || text[0] > '9') {
        return 0;
    }
    long long number = strtoll(text, &end, 10);
    return *end == '\0' ? number : 0;
}

void uw_notify_start(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t length = path != NULL ? strlen(path) : 0;
    if (length < 2 || length >= sizeof manager.sun_path || (path[0] != '/' && path[0] != '@')) {
        return;
    }
    memset(&manager, 0, sizeof manager);
    manager.sun_family = AF_UNIX;
    memcpy(manager.sun_path, path, length);
    if (path[0] == '@') {
        manager.sun_path[0] = '\0'; /* a name of the abstract namespace */
    }
    manager_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    /* Half the interval, as systemd advises; a variable meant for another process does not count. */
    const char *pid = getenv("WATCHDOG_PID");
    if (pid == NULL || positive_number(pid) == getpid()) {
        watchdog_ms = positive_number(getenv("WATCHDOG_USEC")) / 2000;
    }
}

static void tell(const char *state, size_t length)
{
    int notifier = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (notifier < 0) {
        return;
    }
    /* Not waiting: a manager that does not read must not hold the processor up. */
    ssize_t sent = sendto(notifier, state, length, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&manager,
                          manager_length);
    (void)sent;
    close(notifier);
}

void uw_notify(const char *format, ...)
{
    if (manager_length == 0) {
        return;
    }
    char state[STATE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(state, sizeof state, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < sizeof state) {
        tell(state, (size_t)length);
    }
}

void uw_notify_alive(int64_t monotonic_ms)
{
    if (manager_length > 0 && watchdog_ms > 0 && monotonic_ms - told_ms >= watchdog_ms) {
        told_ms = monotonic_ms;
        uw_notify("WATCHDOG=1");
    }
}
