/* The HTTP side against sockets: good requests, and thousands that were bent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "dashboard/http.h"

#define ROUNDS 3000
#define ANSWER_BYTES 65536

/* Tells what was understood. */
static void echo(void *context, uint32_t worker, struct uw_http_request *request)
{
    struct uw_text text;
    (void)context;
    (void)worker;
    uw_text_init(&text, &request->arena);
    uw_text_add_literal(&text, "{\"path\": ");
    uw_text_add_json_string(&text, uw_str_from(request->path));
    uw_text_add_literal(&text, ", \"bytes\": ");
    uw_text_add_integer(&text, request->body.length);
    uw_text_add_literal(&text, "}");
    uw_http_body(request, 200, "application/json", &text);
    request->answer.tagged = true;
}

static struct uw_http *http;

static int start(void **state)
{
    const struct uw_http_options options = {.listen = "127.0.0.1", .worker_count = 2, .connections_max = 50,
                                            .connections_per_address_max = 50, .idle_ms = 5000, .receive_ms = 1000,
                                            .handle = echo};
    struct uw_error error;
    (void)state;
    return uw_http_open(&options, &http, &error) == UW_OK ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    uw_http_close(&http);
    return 0;
}

/* Sends the bytes, and reads until the server has closed or `milliseconds` passed without a byte. */
static size_t exchange(const char *bytes, size_t size, int milliseconds, char answer[ANSWER_BYTES])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)uw_http_port(http))};
    const struct timeval patience = {milliseconds / 1000, milliseconds % 1000 * 1000};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    size_t used = 0;
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &address.sin_addr), 1);
    (void)setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(client, (struct sockaddr *)(void *)&address, sizeof address) == 0) {
        (void)!send(client, bytes, size, MSG_NOSIGNAL);
        for (ssize_t count = 1; count > 0 && used < ANSWER_BYTES - 1; used += count > 0 ? (size_t)count : 0) {
            count = recv(client, answer + used, ANSWER_BYTES - 1 - used, 0);
        }
    }
    close(client);
    answer[used] = '\0';
    return used;
}

static int status_of(const char *text)
{
    static char answer[ANSWER_BYTES];
    (void)exchange(text, strlen(text), 3000, answer);
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}

static void good_and_bad(void **state)
{
    (void)state;
    assert_int_equal(status_of("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 200);
    assert_int_equal(status_of("GET /a?b=%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 400);
    assert_int_equal(status_of("GET /a?b=1&b=2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 400);
    assert_int_equal(status_of("GET /../etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 404);
    assert_int_equal(status_of("PATCH / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 405);
    assert_int_equal(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n"), 413);
    assert_int_equal(status_of("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"), 200);
}

static void slow_and_large(void **state)
{
    static char flood[200000], answer[ANSWER_BYTES];
    struct uw_http_statistics statistics;
    (void)state;
    memset(flood, 'a', sizeof flood);
    memcpy(flood, "GET / HTTP/1.1\r\nX: ", 19);
    (void)exchange(flood, sizeof flood, 3000, answer);
    assert_null(strstr(answer, " 200 "));
    /* Half a request, and then nothing: cut off after receive_ms. */
    assert_int_equal(exchange("GET / HT", 8, 4000, answer), 0);
    uw_http_statistics(http, &statistics);
    assert_true(statistics.too_slow >= 1);
}

/* Deterministic, so that what fails fails again. */
static uint32_t random_below(uint32_t *seed, uint32_t limit)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % limit;
}

static void bent(void **state)
{
    static const char *const seeds[] = {
        "GET /api/v1/alerts?limit=10&sort=-severity&after=abc HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n"
        "If-None-Match: \"a\", W/\"b\"\r\nConnection: close\r\n\r\n",
        "POST /api/v1/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 15\r\n"
        "Connection: close\r\n\r\n{\"token\": \"abc\"}",
        "PUT /x/%C3%A9/%2F HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "GET /stream HTTP/1.1\r\nHost: a\r\nLast-Event-ID: DAwBAA\r\nCookie: urenwacht_session=a; b=c\r\nConnection: close\r\n\r\n",
    };
    static char answer[ANSWER_BYTES], bytes[1024];
    uint32_t seed = 7;
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        size_t size = strlen(seeds[round % 4]);
        memcpy(bytes, seeds[round % 4], size);
        for (uint32_t i = random_below(&seed, 6); i < 6 && size > 2; i++) {
            size_t place = random_below(&seed, (uint32_t)size);
            switch (random_below(&seed, 4)) {
            case 0:
                bytes[place] = (char)random_below(&seed, 256);
                break;
            case 1:
                memmove(bytes + place, bytes + place + 1, size - place - 1);
                size--;
                break;
            case 2:
                bytes[place] = "\r\n%:/?&= "[random_below(&seed, 9)];
                break;
            default:
                size = place + 1;
                break;
            }
        }
        (void)exchange(bytes, size, 20, answer);
    }
    assert_int_equal(status_of("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_and_bad),
        cmocka_unit_test(slow_and_large),
        cmocka_unit_test(bent),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
