/* Webhooks without servers: signatures, where they may go, what is sent, and when again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "dashboard/webhook_event.h"
#include "dashboard/webhook_guard.h"
#include "dashboard/webhook_parts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- signatures ---- */

static void signatures(void **state)
{
    /* The example of Standard Webhooks' reference libraries; the secret is whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw. */
    static const unsigned char key[] = {0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a, 0xab, 0x4f, 0x08, 0xd4,
                                        0x3c, 0x3f, 0x08, 0x2c, 0xf6, 0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0};
    char signature[UW_WEBHOOK_SIGNATURE_BYTES], other[UW_WEBHOOK_SIGNATURE_BYTES];
    (void)state;
    assert_true(uw_webhook_sign(key, sizeof key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                                UW_STR("{\"test\": 2432232314}"), signature));
    assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_true(uw_webhook_sign(key, sizeof key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265331,
                                UW_STR("{\"test\": 2432232314}"), other));
    assert_string_not_equal(signature, other);
    assert_true(uw_webhook_sign(key, sizeof key - 1, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                                UW_STR("{\"test\": 2432232314}"), other));
    assert_string_not_equal(signature, other);
}

static void secrets(void **state)
{
    unsigned char key[UW_WEBHOOK_KEY_BYTES], again[UW_WEBHOOK_KEY_BYTES];
    char text[UW_WEBHOOK_SECRET_TEXT_BYTES], other[UW_WEBHOOK_SECRET_TEXT_BYTES];
    struct uw_error error;
    (void)state;
    assert_int_equal(uw_webhook_key_make(key, text, &error), UW_OK);
    assert_int_equal(uw_webhook_key_make(again, other, &error), UW_OK);
    assert_int_equal(strlen(text), 6 + 44);
    assert_memory_equal(text, "whsec_", 6);
    assert_string_not_equal(text, other);
    assert_memory_not_equal(key, again, sizeof key);
}

/* ---- addresses ---- */

static bool allows(const struct uw_guard *guard, const char *text, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const char *why = NULL;
    bool allowed;
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        allowed = uw_guard_address(guard, (const struct sockaddr *)&v4, sizeof v4, &why);
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
        allowed = uw_guard_address(guard, (const struct sockaddr *)&v6, sizeof v6, &why);
    }
    assert_true(allowed || why != NULL);
    return allowed;
}

static void addresses(void **state)
{
    /* The first and last address of every net, and their neighbours outside. */
    static const char *const refused[] = {
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1",
        "127.255.255.255", "168.63.129.16", "169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0",
        "172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.1", "192.88.99.1", "192.168.0.0", "192.168.255.255",
        "198.18.0.0", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::1", "100::1", "2001::1",
        "2001:1ff:ffff::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:101::1", "3fff::1",
        "3fff:fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fdff:ffff::1", "fe80::1", "febf::1", "fec0::1",
        "ff02::1", "ff0e::1",
    };
    static const char *const allowed[] = {
        "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
        "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
        "223.255.255.255", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2001:200::1", "2002:101:101::1", "2606:4700::1111",
        "2a00:1450::1", "3ffe::1", "3fff:1000::1",
    };
    struct uw_guard guard;
    struct uw_error error;
    (void)state;
    assert_int_equal(uw_guard_read("", "443", false, &guard, &error), UW_OK);
    for (size_t i = 0; i < COUNT(refused); i++) {
        if (allows(&guard, refused[i], 443)) {
            fail_msg("%s is allowed", refused[i]);
        }
    }
    for (size_t i = 0; i < COUNT(allowed); i++) {
        if (!allows(&guard, allowed[i], 443)) {
            fail_msg("%s is refused", allowed[i]);
        }
    }
    assert_false(allows(&guard, "1.1.1.1", 80));
    assert_false(allows(&guard, "1.1.1.1", 0));
}

static void other_families(void **state)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/run/docker.sock"};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(443), .sin_addr.s_addr = htonl(0x01010101)};
    struct uw_guard guard;
    struct uw_error error;
    const char *why;
    (void)state;
    assert_int_equal(uw_guard_read("0.0.0.0/0,::/0", "443", false, &guard, &error), UW_OK);
    assert_false(uw_guard_address(&guard, (const struct sockaddr *)&local, sizeof local, &why));
    assert_true(uw_guard_address(&guard, (const struct sockaddr *)&v4, sizeof v4, &why));
    assert_false(uw_guard_address(&guard, (const struct sockaddr *)&v4, sizeof v4 - 1, &why));
}

static void allowances(void **state)
{
    struct uw_guard guard;
    struct uw_error error;
    (void)state;
    assert_int_equal(uw_guard_read("10.20.0.0/15,127.0.0.1,fd12::/16,::1/128", "443,8443", false, &guard, &error), UW_OK);
    assert_true(allows(&guard, "10.20.0.0", 443));
    assert_true(allows(&guard, "10.21.255.255", 8443));
    assert_true(allows(&guard, "::ffff:10.20.1.1", 443));
    assert_false(allows(&guard, "10.22.0.0", 443));
    assert_false(allows(&guard, "10.19.255.255", 443));
    assert_true(allows(&guard, "127.0.0.1", 443));
    assert_false(allows(&guard, "127.0.0.2", 443));
    assert_true(allows(&guard, "fd12:ffff::1", 443));
    assert_false(allows(&guard, "fd13::1", 443));
    assert_true(allows(&guard, "::1", 443));
    assert_false(allows(&guard, "::2", 443));
    assert_false(allows(&guard, "10.20.0.0", 80));
    /* Every address of IPv4, and of IPv6 with those in it. */
    assert_int_equal(uw_guard_read("0.0.0.0/0", "443", false, &guard, &error), UW_OK);
    assert_true(allows(&guard, "192.168.1.1", 443));
    assert_false(allows(&guard, "fe80::1", 443));
}

static void bad_allowances(void **state)
{
    static const char *const nets[] = {"x", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
                                       "1.1.1.1 2.2.2.2", "localhost", "::1/1x", "1.1.1.1/123456"};
    static const char *const ports[] = {"0", "65536", "https", "443 ", "-1", "443;80", "99999999999"};
    struct uw_guard guard;
    struct uw_error error;
    (void)state;
    for (size_t i = 0; i < COUNT(nets); i++) {
        if (uw_guard_read(nets[i], "443", false, &guard, &error) != UW_ECONFIG) {
            fail_msg("%s", nets[i]);
        }
        assert_non_null(strstr(error.text, "webhooks.allow"));
    }
    for (size_t i = 0; i < COUNT(ports); i++) {
        if (uw_guard_read("", ports[i], false, &guard, &error) != UW_ECONFIG) {
            fail_msg("%s", ports[i]);
        }
        assert_non_null(strstr(error.text, "webhooks.ports"));
    }
}

/* As many nets and ports as there is room for, the last of which counts; and one more. */
static void allowances_have_limits(void **state)
{
    static char nets[12 * (UW_GUARD_NETS_MAX + 1)], ports[6 * (UW_GUARD_PORTS_MAX + 1)];
    struct uw_guard guard;
    struct uw_error error;
    size_t net_length = 0, port_length = 0;
    char last[16];
    (void)state;
    for (int i = 1; i <= 64; i++) {
        net_length += (size_t)snprintf(nets + net_length, sizeof nets - net_length, "10.0.0.%d,", i);
        port_length += (size_t)snprintf(ports + port_length, sizeof ports - port_length, "%d,", 1000 + i);
    }
    assert_int_equal(uw_guard_read(nets, ports, false, &guard, &error), UW_OK);
    (void)snprintf(last, sizeof last, "10.0.0.%d", 64);
    assert_true(allows(&guard, last, 1064));
    assert_false(allows(&guard, "10.0.0.65", 1064));
    (void)snprintf(ports + port_length, sizeof ports - port_length, "1065");
    assert_int_equal(uw_guard_read(nets, ports, false, &guard, &error), UW_ECONFIG);
    assert_string_equal(error.text, "webhooks.ports: 1065 is no port, or there are more than 64");
    (void)snprintf(nets + net_length, sizeof nets - net_length, "10.0.0.65");
    assert_int_equal(uw_guard_read(nets, "443", false, &guard, &error), UW_ECONFIG);
    assert_string_equal(error.text, "webhooks.allow: 10.0.0.65 is no address or net, or there are more than 64");
}

static void urls(void **state)
{
    static const struct {
        const char *url;
        bool https, http; /* allowed with https alone, with http too */
    } cases[] = {
        {"https://example.nl", true, true},
        {"https://example.nl/a/b?c=d&e=%20", true, true},
        {"HTTPS://EXAMPLE.NL/", true, true},
        {"https://example.nl:8443/", true, true},
        {"https://example.nl:443", true, true},
        {"https://1.1.1.1/", true, true},
        {"https://[2606:4700::1111]/", true, true},
        {"http://example.nl:8443/", false, true},
        {"http://example.nl/", false, false}, /* port 80 */
        {"https://example.nl:22/", false, false},
        {"https://example.nl:0/", false, false},
        {"https://example.nl:65979/", false, false}, /* 443 + 65536 */
        {"https://u@example.nl/", false, false},
        {"https://u:p@example.nl/", false, false},
        {"https://:p@example.nl/", false, false},
        {"https://example.nl/#x", false, false},
        {"https://127.0.0.1/", false, false},
        {"https://127.1/", false, false},
        {"https://2130706433/", false, false},
        {"https://0x7f000001/", false, false},
        {"https://0x7f.1/", false, false},
        {"https://017700000001/", false, false},
        {"https://0/", false, false},
        {"https://169.254.169.254/latest/meta-data", false, false},
        {"https://2852039166/", false, false},
        {"https://[::1]/", false, false},
        {"https://[::]/", false, false},
        {"https://[::ffff:127.0.0.1]/", false, false},
        {"https://[::ffff:7f00:1]/", false, false},
        {"https://[fe80::1%25eth0]/", false, false},
        {"https://[64:ff9b::a00:1]/", false, false},
        {"https://[2002:7f00:1::]/", false, false},
        {"ftp://example.nl/", false, false},
        {"file:///etc/passwd", false, false},
        {"gopher://example.nl:443/", false, false},
        {"example.nl", false, false},
        {"//example.nl", false, false},
        {"https://", false, false},
        {"https:///path", false, false},
        {"", false, false},
        {"https://exa mple.nl/", false, false},
        {"https://example.nl/\r\nHost: x", false, false},
        {"https://example.nl/\x01", false, false},
        {"https://ex\xc3\xa4mple.nl/", false, false},
    };
    struct uw_guard https, http;
    struct uw_error error;
    (void)state;
    assert_int_equal(uw_guard_read("", "443,8443", false, &https, &error), UW_OK);
    assert_int_equal(uw_guard_read("", "443,8443", true, &http, &error), UW_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *why = NULL;
        if (uw_guard_url(&https, cases[i].url, &why) != cases[i].https ||
            uw_guard_url(&http, cases[i].url, &why) != cases[i].http || (!cases[i].https && why == NULL)) {
            fail_msg("%s", cases[i].url);
        }
    }
}

static void long_urls(void **state)
{
    char url[UW_GUARD_URL_BYTES_MAX + 2] = "https://example.nl/";
    struct uw_guard guard;
    struct uw_error error;
    const char *why;
    (void)state;
    assert_int_equal(uw_guard_read("", "443", false, &guard, &error), UW_OK);
    memset(url + 19, 'a', sizeof url - 19);
    url[UW_GUARD_URL_BYTES_MAX] = '\0';
    assert_true(uw_guard_url(&guard, url, &why));
    url[UW_GUARD_URL_BYTES_MAX] = 'a';
    url[UW_GUARD_URL_BYTES_MAX + 1] = '\0';
    assert_false(uw_guard_url(&guard, url, &why));
}

/* ---- events ---- */

static struct uw_stream_record some_record(void)
{
    struct uw_stream_record record = {.about = {.is_alert = true,
                                                .status = UW_STATUS_OPEN,
                                                .municipality = UW_STR("0363"),
                                                .provider = UW_STR("12345678"),
                                                .client = UW_STR("c-1"),
                                                .decision = UW_STR("WMO-\"1\"")},
                                      .revision = 3,
                                      .observed_at_ms = 1772370131000,
                                      .json = UW_STR("{\"revision\": 3}")};
    assert_true(uw_uuid_parse(UW_STR("affd774c-2fdc-5757-a4a9-9ebbd1ab9b53"), &record.id));
    return record;
}

static void types(void **state)
{
    struct uw_stream_record record = some_record();
    (void)state;
    record.revision = 1;
    assert_string_equal(uw_webhook_event_type(&record, UW_WEBHOOK_BEFORE_UNKNOWN), "nl.urenwacht.alert.opened");
    record.revision = 2;
    assert_string_equal(uw_webhook_event_type(&record, UW_WEBHOOK_BEFORE_UNKNOWN), "nl.urenwacht.alert.changed");
    assert_string_equal(uw_webhook_event_type(&record, UW_WEBHOOK_BEFORE_OPEN), "nl.urenwacht.alert.changed");
    assert_string_equal(uw_webhook_event_type(&record, UW_WEBHOOK_BEFORE_RESOLVED), "nl.urenwacht.alert.opened");
    record.about.status = UW_STATUS_RESOLVED;
    assert_string_equal(uw_webhook_event_type(&record, UW_WEBHOOK_BEFORE_OPEN), "nl.urenwacht.alert.resolved");
    record.about.is_alert = false;
    assert_string_equal(uw_webhook_event_type(&record, UW_WEBHOOK_BEFORE_OPEN), "nl.urenwacht.anomaly.resolved");
    record.about.status = UW_STATUS_OPEN;
    record.revision = 1;
    assert_string_equal(uw_webhook_event_type(&record, UW_WEBHOOK_BEFORE_UNKNOWN), "nl.urenwacht.anomaly.opened");
}

static void bodies(void **state)
{
    const struct uw_stream_record record = some_record();
    struct uw_arena arena;
    struct uw_str body;
    const char *text;
    json_int_t revision = 0;
    (void)state;
    uw_arena_init(&arena, 1 << 20);
    assert_int_equal(uw_webhook_event_body(&record, "https://uren.example.nl", "nl.urenwacht.alert.changed", &arena, &body),
                     UW_OK);
    json_t *json = json_loadb(body.data, body.length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    static const char *const members[][2] = {
        {"specversion", "1.0"},
        {"id", "affd774c-2fdc-5757-a4a9-9ebbd1ab9b53-r3"},
        {"source", "https://uren.example.nl"},
        {"type", "nl.urenwacht.alert.changed"},
        {"subject", "0363/WMO-\"1\""},
        {"time", "2026-03-01T13:02:11.000Z"},
        {"datacontenttype", "application/json"},
    };
    for (size_t i = 0; i < COUNT(members); i++) {
        text = json_string_value(json_object_get(json, members[i][0]));
        assert_non_null(text);
        assert_string_equal(text, members[i][1]);
    }
    assert_int_equal(json_unpack(json, "{s:{s:I}}", "data", "revision", &revision), 0);
    assert_int_equal(revision, 3);
    assert_int_equal(json_object_size(json), COUNT(members) + 1);
    json_decref(json);
    uw_arena_close(&arena);
    /* Without memory there is no body. */
    uw_arena_init(&arena, 64);
    assert_int_equal(uw_webhook_event_body(&record, "/x", "t", &arena, &body), UW_ENOMEM);
    uw_arena_close(&arena);
}

static void lanes(void **state)
{
    struct uw_stream_record one = some_record(), other = some_record();
    (void)state;
    other.revision = 9;
    other.about.is_alert = false;
    other.about.provider = UW_STR("x");
    assert_true(uw_webhook_lane(&one) == uw_webhook_lane(&other));
    assert_true(uw_webhook_lane(&one) >= 0);
    other.about.decision = UW_STR("WMO-2");
    assert_false(uw_webhook_lane(&one) == uw_webhook_lane(&other));
    other = one;
    other.about.client = UW_STR("c-2");
    assert_false(uw_webhook_lane(&one) == uw_webhook_lane(&other));
    /* What ends one part does not begin the next. */
    one.about.client = UW_STR("c-10363");
    one.about.municipality = UW_STR("0");
    other.about.client = UW_STR("c-1");
    other.about.municipality = UW_STR("03630");
    assert_false(uw_webhook_lane(&one) == uw_webhook_lane(&other));
}

/* ---- when again ---- */

static void backoff(void **state)
{
    static const int64_t middles_ms[] = {5000, 10000, 20000, 40000, 80000, 160000, 320000, 640000, 1280000, 2560000, 3600000};
    int64_t all_ms = 0, attempts = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(middles_ms); i++) {
        int64_t n = (int64_t)i + 1, middle_ms = middles_ms[i];
        assert_int_equal(uw_webhook_backoff_ms(n, 5000, 3600000, 0), middle_ms - middle_ms / 4);
        assert_int_equal(uw_webhook_backoff_ms(n, 5000, 3600000, UINT32_C(1) << 31), middle_ms);
        assert_true(uw_webhook_backoff_ms(n, 5000, 3600000, UINT32_MAX) <= middle_ms + middle_ms / 4);
        assert_true(uw_webhook_backoff_ms(n, 5000, 3600000, UINT32_MAX) > middle_ms + middle_ms / 4 - 2);
    }
    assert_int_equal(uw_webhook_backoff_ms(1000000, 5000, 3600000, UINT32_C(1) << 31), 3600000);
    assert_true(uw_webhook_backoff_ms(INT64_MAX, 1, INT64_C(1) << 39, 0) == (INT64_C(1) << 39) / 4 * 3);
    /* A day has some thirty attempts. */
    for (; all_ms < 86400000; attempts++) {
        all_ms += uw_webhook_backoff_ms(attempts + 1, 5000, 3600000, UINT32_C(1) << 31);
    }
    assert_in_range((uintmax_t)attempts, 30, 36);
}

/* ---- filters ---- */

static void filters(void **state)
{
    static const struct uw_principal region = {.role = UW_ROLE_REGIONAL, .everywhere = true};
    static const struct uw_principal manager = {.role = UW_ROLE_CONTRACT_MANAGER, .municipalities = "0363,0362"};
    static const struct {
        const char *json;
        int region, manager; /* status of the refusal; 0: none */
    } cases[] = {
        {"{}", 0, 0},
        {"{\"topics\": \"alerts\", \"kind\": \"EVALUATION_DUE,SURPLUS_LOW\", \"severity\": \"WARNING\", \"status\": \"OPEN\"}", 0, 0},
        {"{\"municipality\": \"0363\", \"provider\": \"12345678\", \"client\": \"c\", \"decision\": \"d\"}", 0, 0},
        {"{\"topics\": \"anomalies\"}", 0, 403},
        {"{\"kind\": \"CLIENT_OVERLAP\"}", 0, 400},
        {"{\"topics\": \"alerts\", \"kind\": \"CLIENT_OVERLAP\"}", 400, 400},
        {"{\"kind\": \"NO_KIND\"}", 400, 400},
        {"{\"kind\": \"\"}", 400, 400},
        {"{\"kind\": 5}", 400, 400},
        {"{\"kind\": null}", 400, 400},
        {"{\"municipality\": \"363\"}", 400, 400},
        {"{\"law\": \"WMO\"}", 400, 400},
        {"{\"from\": \"beginning\"}", 400, 400},
        {"{\"kind status\": \"x\"}", 400, 400},
        {"{\"topics\": \"alerts\", \"topics\": \"alerts\"}", 400, 400},
        {"[]", 400, 400},
        {"\"x\"", 400, 400},
        {"", 400, 400},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct uw_principal *const who[] = {&region, &manager};
        const int wanted[] = {cases[i].region, cases[i].manager};
        for (size_t k = 0; k < COUNT(who); k++) {
            struct uw_stream_filter filter = {.allowed = NULL};
            struct uw_stream_refusal refusal = {.status = 0};
            bool good = uw_webhook_filter_make(uw_str_from(cases[i].json), who[k], &filter, &refusal);
            if (good != (wanted[k] == 0) || refusal.status != wanted[k]) {
                fail_msg("%s: %d", cases[i].json, refusal.status);
            }
            uw_stream_filter_close(&filter);
        }
    }
}

static void rights(void **state)
{
    static const struct uw_principal manager = {.role = UW_ROLE_CONTRACT_MANAGER, .municipalities = "0363,0362"};
    struct uw_stream_record record = some_record();
    struct uw_stream_filter filter = {.allowed = NULL};
    struct uw_stream_refusal refusal;
    (void)state;
    assert_true(uw_webhook_filter_make(UW_STR("{\"municipality\": \"0363,0518\"}"), &manager, &filter, &refusal));
    assert_true(uw_stream_filter_matches(&filter, &record.about));
    record.about.municipality = UW_STR("0518"); /* wanted, and not the token's */
    assert_false(uw_stream_filter_matches(&filter, &record.about));
    record.about.municipality = UW_STR("0362"); /* the token's, and not wanted */
    assert_false(uw_stream_filter_matches(&filter, &record.about));
    record.about.municipality = UW_STR("0363");
    record.about.is_alert = false;
    assert_false(uw_stream_filter_matches(&filter, &record.about));
    uw_stream_filter_close(&filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures),     cmocka_unit_test(secrets), cmocka_unit_test(addresses),
        cmocka_unit_test(other_families), cmocka_unit_test(allowances), cmocka_unit_test(bad_allowances),
        cmocka_unit_test(allowances_have_limits),
        cmocka_unit_test(urls),           cmocka_unit_test(long_urls), cmocka_unit_test(types),
        cmocka_unit_test(bodies),         cmocka_unit_test(lanes),   cmocka_unit_test(backoff),
        cmocka_unit_test(filters),        cmocka_unit_test(rights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
