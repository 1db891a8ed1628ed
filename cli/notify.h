/*
 * What a service manager is told: systemd's notification protocol, a datagram to the socket that $NOTIFY_SOCKET
 * names. Without that variable nothing is sent, and no library of systemd's is needed.
 */
#ifndef UW_CLI_NOTIFY_H
#define UW_CLI_NOTIFY_H

#include "core/types.h"

/* Reads the environment once; must be called before the others. */
void uw_notify_start(void);
/* "READY=1", "STOPPING=1", "RELOADING=1\nMONOTONIC_USEC=...", "STATUS=..."; failures are not reported: nobody
 * could act on them. */
void uw_notify(const char *format, ...) UW_PRINTF(1, 2);
/* Tells that the process lives, when the manager asked to be told ($WATCHDOG_USEC) and it is time to. Cheap. */
void uw_notify_alive(int64_t monotonic_ms);

#endif
