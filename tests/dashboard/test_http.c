/* The HTTP side against sockets: good requests, and thousands that were bent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "dashboard/http.h"

#define ROUNDS 3000
#define ANSWER_BYTES 65536
#define WORKERS 2
/* As in http.c. */
#define QUEUE_MAX 256
/* So many more than can be worked on and wait. */
#define REFUSED_MIN 30
#define CROWD (WORKERS + QUEUE_MAX + REFUSED_MIN)
#define CROWD_MS 60000
#define LONG_MS 60000
/* A request that is sent at once is there by then, also on a busy machine. */
#define RECEIVE_MS 4000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t let_go = PTHREAD_COND_INITIALIZER;
static bool is_held;

/* Tells what was understood, of /problem/N with that status, and of /held not before it may. */
static void echo(void *context, uint32_t worker, struct uw_http_request *request)
{
    static const char problem[] = "/problem/";
    struct uw_text text;
    (void)context;
    (void)worker;
    if (strncmp(request->path, problem, sizeof problem - 1) == 0) {
        uw_http_problem(request, atoi(request->path + sizeof problem - 1), "as asked for");
        return;
    }
    pthread_mutex_lock(&lock);
    while (is_held && strcmp(request->path, "/held") == 0) {
        pthread_cond_wait(&let_go, &lock);
    }
    pthread_mutex_unlock(&lock);
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
    const struct uw_http_options options = {.listen = "127.0.0.1", .worker_count = WORKERS,
                                            .connections_max = CROWD, .connections_per_address_max = CROWD,
                                            .idle_ms = 5000, .receive_ms = RECEIVE_MS, .handle = echo};
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

/* A connection that has sent the bytes, and waits for a byte so long. */
static int begin(const char *bytes, size_t size, int milliseconds)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)uw_http_port(http))};
    const struct timeval patience = {milliseconds / 1000, milliseconds % 1000 * 1000};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &address.sin_addr), 1);
    (void)setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(client, (struct sockaddr *)(void *)&address, sizeof address) == 0) {
        (void)!send(client, bytes, size, MSG_NOSIGNAL);
    }
    return client;
}

static bool answer_ended; /* the server has closed the connection, in good order */

/* Reads until the server has closed, or nothing came for so long. */
static size_t take_answer(int client, char answer[ANSWER_BYTES])
{
    size_t used = 0;
    answer_ended = false;
    for (ssize_t count = 1; count > 0 && used < ANSWER_BYTES - 1; used += count > 0 ? (size_t)count : 0) {
        count = recv(client, answer + used, ANSWER_BYTES - 1 - used, 0);
        answer_ended = count == 0;
    }
    close(client);
    answer[used] = '\0';
    return used;
}

static size_t exchange(const char *bytes, size_t size, int milliseconds, char answer[ANSWER_BYTES])
{
    return take_answer(begin(bytes, size, milliseconds), answer);
}

static int status_of(const char *text)
{
    static char answer[ANSWER_BYTES];
    (void)exchange(text, strlen(text), LONG_MS, answer);
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
    (void)exchange(flood, sizeof flood, LONG_MS, answer);
    assert_null(strstr(answer, " 200 "));
    /* Half a request, and then nothing: cut off after receive_ms. */
    assert_int_equal(exchange("GET / HT", 8, LONG_MS, answer), 0);
    uw_http_statistics(http, &statistics);
    assert_true(statistics.too_slow >= 1);
}

/* Refusals that pass say when to come again, and no others do. */
static void come_again(void **state)
{
    static const struct {
        int status;
        bool passes;
    } cases[] = {{400, false}, {404, false}, {422, false}, {429, true}, {500, false}, {503, true}};
    static char answer[ANSWER_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[100];
        int size = snprintf(text, sizeof text, "GET /problem/%d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                            cases[i].status);
        (void)exchange(text, (size_t)size, LONG_MS, answer);
        assert_int_equal(atoi(answer + 9), cases[i].status);
        assert_int_equal(strstr(answer, "\r\nRetry-After: 5\r\n") != NULL, cases[i].passes);
    }
}

static void hold(bool is)
{
    pthread_mutex_lock(&lock);
    is_held = is;
    pthread_cond_broadcast(&let_go);
    pthread_mutex_unlock(&lock);
}

/* As after a restart, when everybody comes back at once: who finds no place is told at once to come later. */
static void crowded(void **state)
{
    static const char text[] = "GET /held HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    static char answer[ANSWER_BYTES];
    struct uw_http_statistics statistics = {.refused_busy = 0};
    int clients[CROWD];
    int served = 0, refused = 0;
    (void)state;
    hold(true);
    for (int i = 0; i < CROWD; i++) {
        clients[i] = begin(text, sizeof text - 1, CROWD_MS);
    }
    for (int i = 0; i < CROWD_MS / 10 && statistics.refused_busy < REFUSED_MIN; i++) {
        const struct timespec pause = {0, 10 * 1000000L};
        (void)nanosleep(&pause, NULL);
        uw_http_statistics(http, &statistics);
    }
    hold(false);
    for (int i = 0; i < CROWD; i++) {
        (void)take_answer(clients[i], answer);
        int status = strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
        served += status == 200;
        refused += status == 503 && strstr(answer, "\r\nRetry-After: 5\r\n") != NULL;
    }
    assert_int_equal(served + refused, CROWD);
    /* Some more when workers took none before all others had come. */
    assert_in_range(refused, REFUSED_MIN, REFUSED_MIN + WORKERS);
}

/* POST with so many bytes in its body, announced or in one chunk; GET with so many in a header. */
static int status_of_size(size_t size, const char *format)
{
    static char request[200000], answer[ANSWER_BYTES];
    size_t length = strlen(format);
    const char *filler = strchr(format, '~');
    size_t before = (size_t)(filler - format);
    assert_true(length + size < sizeof request);
    memcpy(request, format, before);
    memset(request + before, 'x', size);
    memcpy(request + before + size, filler + 1, length - before - 1);
    (void)exchange(request, length + size - 1, LONG_MS, answer);
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}

static void sizes_have_limits(void **state)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: ~\r\n\r\n";
    (void)state;
    for (size_t size = UW_HTTP_BODY_BYTES_MAX - 1; size <= UW_HTTP_BODY_BYTES_MAX + 1; size++) {
        int wanted = size <= 65536 ? 200 : 413;
        char head[200];
        (void)snprintf(head, sizeof head,
                       "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n~", size);
        assert_int_equal(status_of_size(size, head), wanted);
        (void)snprintf(head, sizeof head,
                       "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "%zx\r\n~\r\n0\r\n\r\n", size);
        assert_int_equal(status_of_size(size, head), wanted);
    }
    /* A head shares its 32 KiB with what libmicrohttpd keeps of the connection. */
    assert_int_equal(status_of_size(30000, get), 200);
    assert_int_equal(status_of_size(UW_HTTP_HEAD_BYTES_MAX, get), 431);
}

/* ---- idle connections ---- */

static int start_impatient(void **state)
{
    const struct uw_http_options options = {.listen = "127.0.0.1", .worker_count = 1, .connections_max = 10,
                                            .connections_per_address_max = 10, .idle_ms = 1000, .receive_ms = LONG_MS,
                                            .handle = echo};
    struct uw_error error;
    (void)state;
    return uw_http_open(&options, &http, &error) == UW_OK ? 0 : -1;
}

/* A connection that was answered stays open for the next request, but not for ever. */
static void idle_connections_are_closed(void **state)
{
    static char answer[ANSWER_BYTES];
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    (void)state;
    /* Reads until the server closes, or the deadline passes. */
    assert_true(exchange(request, sizeof request - 1, LONG_MS, answer) > 0);
    assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
    assert_null(strstr(answer, "Connection: close"));
    assert_true(answer_ended);
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
        "PUT /x/%C3%A9/%2F HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        "3\r\nabc\r\n0\r\n\r\n",
        "GET /stream HTTP/1.1\r\nHost: a\r\nLast-Event-ID: DAwBAA\r\nCookie: urenwacht_session=a; b=c\r\n"
        "Connection: close\r\n\r\n",
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
        cmocka_unit_test(come_again),
        cmocka_unit_test(crowded),
        cmocka_unit_test(sizes_have_limits),
        cmocka_unit_test(bent),
    };
    const struct CMUnitTest impatient[] = {
        cmocka_unit_test(idle_connections_are_closed),
    };
    return cmocka_run_group_tests(tests, start, stop) + cmocka_run_group_tests(impatient, start_impatient, stop);
}
