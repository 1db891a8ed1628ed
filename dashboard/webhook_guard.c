#include "dashboard/webhook_guard.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96

/* IPv4 nets that are not on the public internet: IANA's registry of special purposes (RFC 6890 and its successors), and
 * an address under which a cloud serves its own machines. */
static const struct {
    uint32_t net, bits;
} private_v4[] = {
    {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16}, {0xac100000, 12},
    {0xc0000000, 24}, {0xc0000200, 24}, {0xc0586300, 24}, {0xc0a80000, 16}, {0xc6120000, 15}, {0xc6336400, 24},
    {0xcb007100, 24}, {0xa83f8110, 32}, {0xe0000000, 4},  {0xf0000000, 4},
};

/* IPv6 nets inside of 2000::/3, the public ones, that are not: Teredo and its neighbours, documentation. */
static const struct uw_guard_net private_v6[] = {
    {{0x20, 0x01, 0x00}, 23},
    {{0x20, 0x01, 0x0d, 0xb8}, 32},
    {{0x3f, 0xff, 0x00}, 20},
};

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};

static bool in_net(const uint8_t address[16], const struct uw_guard_net *net)
{
    uint32_t whole = net->bits / 8, rest = net->bits % 8;
    if (memcmp(address, net->address, whole) != 0) {
        return false;
    }
    return rest == 0 || ((address[whole] ^ net->address[whole]) >> (8 - rest)) == 0;
}

static bool is_public_v4(const uint8_t bytes[4])
{
    uint32_t address = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    for (size_t i = 0; i < sizeof private_v4 / sizeof private_v4[0]; i++) {
        if ((address ^ private_v4[i].net) >> (32 - private_v4[i].bits) == 0) {
            return false;
        }
    }
    return true;
}

static bool is_public(const uint8_t address[16])
{
    if (memcmp(address, mapped, sizeof mapped) == 0 || memcmp(address, nat64, sizeof nat64) == 0) {
        return is_public_v4(address + 12);
    }
    /* 6to4: the IPv4 address follows the prefix. */
    if (address[0] == 0x20 && address[1] == 0x02) {
        return is_public_v4(address + 2);
    }
    if (address[0] >> 5 != 1) {
        return false;
    }
    for (size_t i = 0; i < sizeof private_v6 / sizeof private_v6[0]; i++) {
        if (in_net(address, &private_v6[i])) {
            return false;
        }
    }
    return true;
}

static bool is_allowed(const struct uw_guard *guard, const uint8_t address[16])
{
    for (uint32_t i = 0; i < guard->net_count; i++) {
        if (in_net(address, &guard->nets[i])) {
            return true;
        }
    }
    return false;
}

static bool is_port(const struct uw_guard *guard, uint32_t port)
{
    for (uint32_t i = 0; i < guard->port_count; i++) {
        if (guard->ports[i] == port) {
            return true;
        }
    }
    return false;
}

bool uw_guard_address(const struct uw_guard *guard, const struct sockaddr *address, socklen_t length, const char **why)
{
    uint8_t bytes[16];
    uint16_t port;
    if (address->sa_family == AF_INET && length >= (socklen_t)sizeof(struct sockaddr_in)) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        memcpy(bytes, mapped, sizeof mapped);
        memcpy(bytes + 12, &v4.sin_addr, 4);
        port = ntohs(v4.sin_port);
    } else if (address->sa_family == AF_INET6 && length >= (socklen_t)sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        memcpy(bytes, &v6.sin6_addr, 16);
        port = ntohs(v6.sin6_port);
    } else {
        *why = "the address is of a kind that is not used";
        return false;
    }
    if (!is_port(guard, port)) {
        *why = "the port is not among webhooks.ports";
        return false;
    }
    if (!is_public(bytes) && !is_allowed(guard, bytes)) {
        *why = "the address is not public, and not among webhooks.allow";
        return false;
    }
    return true;
}

/* ---- URLs ---- */

static bool is_plain(const char *url)
{
    size_t length = strlen(url);
    for (size_t i = 0; i < length; i++) {
        if (url[i] <= ' ' || url[i] > '~') {
            return false;
        }
    }
    return length > 0 && length <= UW_GUARD_URL_BYTES_MAX;
}

static bool has_part(CURLU *parts, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(parts, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return has;
}

/* A host that is written as an address, in whatever notation: libcurl has made dotted numbers of it. */
static bool check_host(const struct uw_guard *guard, const char *host, uint16_t port, const char **why)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    char bare[INET6_ADDRSTRLEN];
    size_t length = strlen(host);
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        return uw_guard_address(guard, (const struct sockaddr *)&v4, sizeof v4, why);
    }
    if (host[0] != '[') {
        return true;
    }
    if (length - 2 >= sizeof bare) {
        *why = "the address in the URL is none";
        return false;
    }
    memcpy(bare, host + 1, length - 2);
    bare[length - 2] = '\0';
    if (inet_pton(AF_INET6, bare, &v6.sin6_addr) != 1) {
        *why = "the address in the URL is none";
        return false;
    }
    return uw_guard_address(guard, (const struct sockaddr *)&v6, sizeof v6, why);
}

static bool check_parts(const struct uw_guard *guard, CURLU *parts, const char **why)
{
    char *scheme = NULL, *host = NULL, *port_text = NULL;
    bool good = curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_PORT, &port_text, CURLU_DEFAULT_PORT) == CURLUE_OK;
    if (!good || host[0] == '\0') {
        *why = "the URL has no host";
        good = false;
    } else if (strcmp(scheme, "https") != 0 && !(guard->http && strcmp(scheme, "http") == 0)) {
        *why = guard->http ? "the URL is neither https nor http" : "the URL is not https";
        good = false;
    } else if (has_part(parts, CURLUPART_USER) || has_part(parts, CURLUPART_PASSWORD) ||
               has_part(parts, CURLUPART_FRAGMENT) || has_part(parts, CURLUPART_ZONEID)) {
        *why = "the URL has a user, a password, a zone or a fragment";
        good = false;
    } else {
        uint16_t port = (uint16_t)strtoul(port_text, NULL, 10);
        *why = "the port is not among webhooks.ports";
        good = is_port(guard, port) && check_host(guard, host, port, why);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port_text);
    return good;
}

bool uw_guard_url(const struct uw_guard *guard, const char *url, const char **why)
{
    bool good = false;
    CURLU *parts;
    if (!is_plain(url)) {
        *why = "the URL has to have at most 2000 printable characters of ASCII, and no space";
        return false;
    }
    parts = curl_url();
    if (parts == NULL) {
        *why = "no memory";
        return false;
    }
    /* libcurl takes "https:///x" for "https://x", which nobody means. */
    if (strstr(url, ":///") == NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK) {
        good = check_parts(guard, parts, why);
    } else {
        *why = "this is no URL with https";
    }
    curl_url_cleanup(parts);
    return good;
}

/* ---- configuration ---- */

static bool read_number(const char *text, size_t length, uint32_t max, uint32_t *number)
{
    uint32_t value = 0;
    if (length == 0 || length > 5) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        value = value * 10 + (uint32_t)(text[i] - '0');
    }
    *number = value;
    return value <= max;
}

/* "10.0.0.0/8" or "::1". */
static bool read_net(const char *text, size_t length, struct uw_guard_net *net)
{
    char address[INET6_ADDRSTRLEN];
    size_t address_length = strcspn(text, "/,");
    bool has_bits = address_length < length;
    uint32_t bits = 0;
    if (address_length > length || address_length >= sizeof address) {
        return false;
    }
    memcpy(address, text, address_length);
    address[address_length] = '\0';
    bool v4 = inet_pton(AF_INET, address, net->address + 12) == 1;
    if (v4) {
        memcpy(net->address, mapped, sizeof mapped);
    } else if (inet_pton(AF_INET6, address, net->address) != 1) {
        return false;
    }
    bits = v4 ? 32 : 128;
    if (has_bits && !read_number(text + address_length + 1, length - address_length - 1, bits, &bits)) {
        return false;
    }
    net->bits = v4 ? bits + MAPPED_BITS : bits;
    return true;
}

enum uw_code uw_guard_read(const char *allowed, const char *ports, bool http, struct uw_guard *guard,
                           struct uw_error *error)
{
    struct uw_guard made = {.http = http};
    for (const char *at = allowed; *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (made.net_count == UW_GUARD_NETS_MAX || !read_net(at, length, &made.nets[made.net_count])) {
            return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                                "webhooks.allow: %.*s is no address or net, or there are more than %d", (int)length, at,
                                UW_GUARD_NETS_MAX);
        }
        made.net_count++;
        at += length;
        at += *at == ',';
    }
    for (const char *at = ports; *at != '\0';) {
        size_t length = strcspn(at, ",");
        uint32_t port = 0;
        if (made.port_count == UW_GUARD_PORTS_MAX || !read_number(at, length, 65535, &port) || port == 0) {
            return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                                "webhooks.ports: %.*s is no port, or there are more than %d", (int)length, at,
                                UW_GUARD_PORTS_MAX);
        }
        made.ports[made.port_count++] = (uint16_t)port;
        at += length;
        at += *at == ',';
    }
    *guard = made;
    return UW_OK;
}
