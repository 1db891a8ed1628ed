/*
 * Where webhooks may go. Whoever may create a webhook chooses what this server connects to, so that addresses of the
 * server's own surroundings are refused: loopback, private, link-local (clouds tell their secrets there), shared,
 * reserved
 * and multicast ones, also inside of IPv6 forms that carry an IPv4 address. What counts is the address that is
 * connected to,
 * not the name, which may mean something else by then.
 */
#ifndef UW_DASHBOARD_WEBHOOK_GUARD_H
#define UW_DASHBOARD_WEBHOOK_GUARD_H

#include <sys/socket.h>

#include "core/types.h"

#define UW_GUARD_NETS_MAX 64
#define UW_GUARD_PORTS_MAX 64
#define UW_GUARD_URL_BYTES_MAX 2000

/* An IPv4 net is kept in its v4-mapped form, with 96 more bits. */
struct uw_guard_net {
    uint8_t address[16];
    uint32_t bits;
};

struct uw_guard {
    struct uw_guard_net nets[UW_GUARD_NETS_MAX]; /* allowed although they are not public */
    uint32_t net_count;
    uint16_t ports[UW_GUARD_PORTS_MAX];
    uint32_t port_count;
    bool http; /* besides https */
};

/* `allowed`: addresses and nets, "10.1.0.0/16,::1", or ""; `ports`: "443,8443". UW_ECONFIG names the wrong one. */
enum uw_code uw_guard_read(const char *allowed, const char *ports, bool http, struct uw_guard *guard,
                           struct uw_error *error) UW_MUST_USE;
/* Whether this address, its port included, may be connected to; *why says why not, a static text. */
bool uw_guard_address(const struct uw_guard *guard, const struct sockaddr *address, socklen_t length,
                      const char **why) UW_MUST_USE;
/* Whether a webhook may have this URL, as far as the URL shows; *why as above. */
bool uw_guard_url(const struct uw_guard *guard, const char *url, const char **why) UW_MUST_USE;

#endif
