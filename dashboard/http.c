#include "dashboard/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <microhttpd.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* Requests that wait for a worker. */
#define QUEUE_MAX 256
#define SWEEP_MS 500
/* When whoever was refused since there were too many may come again. */
#define RETRY_AFTER_S "5"
#define POLLING_THREADS 2
#define STREAM_BLOCK_BYTES ((size_t)16 * 1024)
/* What the kernel may keep for one subscriber; without a limit it would be megabytes for each who does not read. */
#define STREAM_SOCKET_BYTES (128 * 1024)
#define TAG_BYTES 40

const uint32_t uw_http_bucket_us[12] = {1000,   2500,   5000,    10000,   25000,   50000,
                                        100000, 250000, 500000, 1000000, 2500000, 10000000};

/* A connection, from accepting to closing. */
struct place {
    struct place *next, *previous;
    int socket;
    bool receiving;     /* a request has not come whole, or none has begun */
    int64_t since_ms;   /* when that began */
    /* Of a request line whose headers have not come, which libmicrohttpd may refuse without another word about it. Only
     * the connection's thread looks at it. */
    struct exchange *begun;
};

/* A request, from its first byte to the last of its answer. */
struct exchange {
    struct uw_http *http;
    struct uw_http_request request;
    struct MHD_Connection *connection;
    struct exchange *next; /* in the queue */
    char *body;
    size_t body_bytes;
    int64_t received_us; /* when it was whole; 0: it is not */
    enum uw_packing packing;
    char tag[TAG_BYTES]; /* or "" */
    bool queued, done, body_too_large, counted;
};

struct uw_http {
    struct uw_http_options options;
    struct MHD_Daemon *daemon;
    pthread_t workers[UW_HTTP_WORKERS_MAX], sweeper;
    uint32_t worker_count;
    bool sweeping;
    int32_t port;

    pthread_mutex_t lock; /* all below */
    pthread_cond_t filled, swept;
    struct exchange *first, *last;
    uint32_t queue_count;
    struct place places; /* ring */
    bool stopping;
    struct uw_http_statistics statistics;
};

struct worker_start {
    struct uw_http *http;
    uint32_t worker;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- what handlers use ---- */

struct uw_str uw_http_parameter(const struct uw_http_request *request, const char *name)
{
    for (uint32_t i = 0; i < request->parameter_count; i++) {
        if (uw_str_equal(request->parameters[i].name, uw_str_from(name))) {
            return request->parameters[i].value;
        }
    }
    return UW_STR_NULL;
}

void uw_http_header(struct uw_http_request *request, const char *name, const char *value)
{
    struct uw_http_answer *answer = &request->answer;
    size_t size = strlen(value) + 1;
    char *copy = uw_arena_take(&request->arena, size);
    assert(answer->header_count < UW_HTTP_HEADERS_MAX);
    if (copy != NULL) {
        memcpy(copy, value, size);
        answer->headers[answer->header_count++] =
            (struct uw_http_pair){uw_str_from(name), {copy, (uint32_t)size - 1}};
    }
}

static const char *title_of(int status)
{
    switch (status) {
    case 400:
        return "Bad request";
    case 401:
        return "Not signed in";
    case 403:
        return "Not allowed";
    case 404:
        return "Not found";
    case 405:
        return "Method not allowed";
    case 406:
        return "Not acceptable";
    case 409:
        return "Not possible now";
    case 413:
        return "Too large";
    case 415:
        return "Unsupported media type";
    case 422:
        return "Too much";
    case 429:
        return "Too many";
    case 503:
        return "Not available";
    default:
        return "Error";
    }
}

void uw_http_problem(struct uw_http_request *request, int status, const char *format, ...)
{
    static const char no_memory[] =
        "{\"type\":\"about:blank\",\"title\":\"Not available\",\"status\":503,\"detail\":\"no memory\"}";
    char detail[UW_ERROR_TEXT_BYTES];
    struct uw_text text;
    struct uw_str body;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    /* A cut in the middle of a character would make it no UTF-8. */
    for (size_t i = strlen(detail); i > 0 && uw_utf8_length(uw_str_from(detail)) < 0; i--) {
        detail[i - 1] = '\0';
    }
    uw_text_init(&text, &request->arena);
    uw_text_add_literal(&text, "{\"type\": \"about:blank\", \"title\": ");
    uw_text_add_json_string(&text, uw_str_from(title_of(status)));
    uw_text_add_literal(&text, ", \"status\": ");
    uw_text_add_integer(&text, status);
    uw_text_add_literal(&text, ", \"detail\": ");
    uw_text_add_json_string(&text, uw_str_from(detail));
    uw_text_add_literal(&text, "}");
    request->answer = (struct uw_http_answer){.status = status, .content_type = "application/problem+json"};
    if (uw_text_finish(&text, &body) == UW_OK) {
        request->answer.body = body;
    } else {
        request->answer.status = 503;
        request->answer.body = UW_STR(no_memory);
    }
    if (request->answer.status == 401) {
        uw_http_header(request, "WWW-Authenticate", "Bearer");
    }
    if (request->answer.status == 503 || request->answer.status == 429) {
        uw_http_header(request, "Retry-After", RETRY_AFTER_S);
    }
}

void uw_http_body(struct uw_http_request *request, int status, const char *content_type, struct uw_text *text)
{
    struct uw_str body;
    if (uw_text_finish(text, &body) != UW_OK) {
        uw_http_problem(request, 422, "the answer is too large; ask for less at a time");
        return;
    }
    request->answer.status = status;
    request->answer.content_type = content_type;
    request->answer.body = body;
}

/* ---- the queue ---- */

static bool queue_put(struct uw_http *http, struct exchange *exchange)
{
    bool put = false;
    pthread_mutex_lock(&http->lock);
    if (!http->stopping && http->queue_count < QUEUE_MAX) {
        if (http->last == NULL) {
            http->first = exchange;
        } else {
            http->last->next = exchange;
        }
        http->last = exchange;
        http->queue_count++;
        put = true;
        pthread_cond_signal(&http->filled);
    } else {
        http->statistics.refused_busy++;
    }
    pthread_mutex_unlock(&http->lock);
    return put;
}

static struct exchange *queue_take(struct uw_http *http)
{
    struct exchange *taken;
    pthread_mutex_lock(&http->lock);
    while (http->first == NULL && !http->stopping) {
        pthread_cond_wait(&http->filled, &http->lock);
    }
    taken = http->first;
    if (taken != NULL) {
        http->first = taken->next;
        http->last = http->first == NULL ? NULL : http->last;
        http->queue_count--;
    }
    pthread_mutex_unlock(&http->lock);
    return taken;
}

/* ---- tags and packing ---- */

/* The packed form is another representation with a tag of its own (RFC 9110, 8.8.3.3). */
static void make_tag(struct uw_str body, enum uw_packing packing, char tag[TAG_BYTES])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    const char *name = uw_packing_name(packing);
    SHA256((const unsigned char *)body.data, body.length, digest);
    tag[0] = '"';
    for (size_t i = 0; i < 16; i++) {
        snprintf(tag + 1 + 2 * i, 3, "%02x", digest[i]);
    }
    snprintf(tag + 33, TAG_BYTES - 33, "%s%.1s\"", name == NULL ? "" : "-", name == NULL ? "" : name);
}

static enum uw_packing choose_packing(const struct uw_http_request *request)
{
    const struct uw_http_answer *answer = &request->answer;
    enum uw_packing packing = uw_packing_choose(request->accept_encoding);
    if (answer->prepared) {
        return packing == UW_PACKING_GZIP && !uw_str_is_null(answer->gzip) ? packing : UW_PACKING_NONE;
    }
    return answer->body.length < UW_PACK_BYTES_MIN ? UW_PACKING_NONE : packing;
}

/* What remains to be done with an answer by the worker that made it. */
static void settle(struct exchange *exchange)
{
    struct uw_http_request *request = &exchange->request;
    struct uw_http_answer *answer = &request->answer;
    enum uw_packing packing;
    struct uw_str packed;
    if (!answer->tagged || answer->status != 200 || answer->streams) {
        return;
    }
    packing = choose_packing(request);
    make_tag(answer->body, packing, exchange->tag);
    if (request->if_none_match != NULL && uw_http_tag_matches(request->if_none_match, exchange->tag)) {
        answer->status = 304;
        answer->body = UW_STR("");
        return;
    }
    if (packing == UW_PACKING_NONE) {
        return;
    }
    packed = answer->prepared ? answer->gzip : uw_pack(&request->arena, packing, UW_PACK_QUICK, answer->body);
    if (uw_str_is_null(packed)) {
        make_tag(answer->body, UW_PACKING_NONE, exchange->tag);
    } else {
        answer->body = packed;
        exchange->packing = packing;
    }
}

static void *work(void *context)
{
    struct worker_start start = *(struct worker_start *)context;
    struct exchange *exchange;
    free(context);
    while ((exchange = queue_take(start.http)) != NULL) {
        start.http->options.handle(start.http->options.context, start.worker, &exchange->request);
        if (exchange->request.answer.status == 0) {
            uw_http_problem(&exchange->request, 503, "no answer was made");
        }
        settle(exchange);
        exchange->done = true;
        MHD_resume_connection(exchange->connection);
    }
    return NULL;
}

/* ---- answering ---- */

static ssize_t stream_read(void *context, uint64_t position, char *buffer, size_t size)
{
    struct uw_http_source *source = context;
    int64_t count = source->read(source->context, buffer, size);
    (void)position;
    return count < 0 ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)count;
}

static void add_headers(const struct uw_http_request *request, struct MHD_Response *response)
{
    const struct uw_http_answer *answer = &request->answer;
    static const struct {
        const char *name, *value;
    } always[] = {
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
         "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
    };
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++) {
        (void)MHD_add_response_header(response, always[i].name, always[i].value);
    }
    if (answer->content_type != NULL) {
        (void)MHD_add_response_header(response, "Content-Type", answer->content_type);
    }
    for (uint32_t i = 0; i < answer->header_count; i++) {
        (void)MHD_add_response_header(response, answer->headers[i].name.data, answer->headers[i].value.data);
    }
    /* no-cache still lets a browser ask with If-None-Match; what people see of clients is never kept elsewhere. */
    (void)MHD_add_response_header(response, "Cache-Control",
                                  answer->cacheable ? "public, max-age=31536000, immutable" : "private, no-cache");
    if (!answer->cacheable) {
        (void)MHD_add_response_header(response, "Vary", "Accept, Accept-Encoding, Authorization, Cookie");
    } else {
        (void)MHD_add_response_header(response, "Vary", "Accept-Encoding");
    }
}

static void count_answer(struct exchange *exchange, int status)
{
    struct uw_http *http = exchange->http;
    uint64_t took_us = exchange->received_us == 0 ? 0 : (uint64_t)(now_us() - exchange->received_us);
    exchange->counted = true;
    pthread_mutex_lock(&http->lock);
    http->statistics.requests[status / 100 % 6]++;
    http->statistics.microseconds += took_us;
    for (size_t i = 0; i < 12; i++) {
        http->statistics.buckets[i] += took_us <= uw_http_bucket_us[i];
    }
    pthread_mutex_unlock(&http->lock);
}

static void limit_socket(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const int bytes = STREAM_SOCKET_BYTES;
    if (info != NULL) {
        (void)setsockopt(info->connect_fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }
}

static enum MHD_Result respond(struct exchange *exchange)
{
    struct uw_http_request *request = &exchange->request;
    struct uw_http_answer *answer = &request->answer;
    struct MHD_Response *response;
    enum MHD_Result queued;
    if (answer->streams) {
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, stream_read,
                                                     &answer->source, NULL);
        limit_socket(exchange->connection);
    } else {
        /* The body lives in the request, which outlives the response. */
        response = MHD_create_response_from_buffer(answer->body.length, (void *)(uintptr_t)answer->body.data,
                                                   MHD_RESPMEM_PERSISTENT);
    }
    if (response == NULL) {
        return MHD_NO;
    }
    add_headers(request, response);
    if (exchange->tag[0] != '\0') {
        (void)MHD_add_response_header(response, "ETag", exchange->tag);
    }
    if (exchange->packing != UW_PACKING_NONE) {
        (void)MHD_add_response_header(response, "Content-Encoding", uw_packing_name(exchange->packing));
    }
    count_answer(exchange, answer->status);
    queued = MHD_queue_response(exchange->connection, (unsigned int)answer->status, response);
    MHD_destroy_response(response);
    return queued;
}

/* ---- receiving ---- */

static enum uw_method method_of(const char *method)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(method, names[i]) == 0) {
            return (enum uw_method)i;
        }
    }
    return UW_METHOD_OTHER;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
        return (ntohl(four->sin_addr.s_addr) >> 24) == 127;
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
        return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) ||
               (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr) && six->sin6_addr.s6_addr[12] == 127);
    }
    return false;
}

static struct place *place_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : (struct place *)info->socket_context;
}

static void place_note(struct uw_http *http, struct MHD_Connection *connection, bool receiving)
{
    struct place *place = place_of(connection);
    if (place != NULL) {
        pthread_mutex_lock(&http->lock);
        place->receiving = receiving;
        place->since_ms = now_us() / 1000;
        pthread_mutex_unlock(&http->lock);
    }
}

static void parse_head(struct exchange *exchange, const char *url, const char *method)
{
    struct uw_http_request *request = &exchange->request;
    struct MHD_Connection *connection = exchange->connection;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    static const char *const names[] = {"Authorization", "Cookie", "X-CSRF-Token", "Accept",
                                        "Content-Type", "If-None-Match", "Last-Event-ID", "Accept-Encoding"};
    const char **values[] = {&request->authorization, &request->cookie, &request->csrf, &request->accept,
                             &request->content_type, &request->if_none_match, &request->last_event_id,
                             &request->accept_encoding};
    const char *query = strchr(url, '?');
    size_t path_length = query == NULL ? strlen(url) : (size_t)(query - url);
    struct uw_str path = uw_arena_copy(&request->arena, (struct uw_str){url, (uint32_t)path_length});
    char *path_text = uw_arena_take(&request->arena, path_length + 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        *values[i] = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, names[i]);
    }
    request->method = method_of(method);
    request->from_loopback = info != NULL && is_loopback(info->client_addr);
    request->connection = connection;
    if (path_text == NULL || uw_str_is_null(path)) {
        uw_http_problem(request, 503, "no memory");
        return;
    }
    memcpy(path_text, url, path_length);
    path_text[path_length] = '\0';
    request->path = path_text;
    if (!uw_http_split_path(request, path_text)) {
        uw_http_problem(request, 404, "there is nothing at this path");
    } else if (query != NULL && !uw_http_split_query(request, query + 1)) {
        uw_http_problem(request, 400, "the query has a bad escape, a name twice, or more than %d names",
                        UW_HTTP_PARAMETERS_MAX);
    } else if (request->method == UW_METHOD_OTHER) {
        uw_http_problem(request, 405, "only GET, HEAD, POST, PUT and DELETE are used here");
    }
}

static void exchange_free(struct exchange *exchange)
{
    if (exchange != NULL) {
        uw_arena_close(&exchange->request.arena);
        free(exchange);
    }
}

/* libmicrohttpd calls this with the URI as it came, before it takes it apart. */
static void *begin(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct place *place = place_of(connection);
    struct exchange *exchange = place == NULL ? NULL : calloc(1, sizeof *exchange);
    size_t size = strlen(uri) + 1;
    char *copy;
    if (exchange == NULL) {
        return NULL;
    }
    exchange_free(place->begun);
    place->begun = exchange;
    exchange->http = context;
    exchange->connection = connection;
    uw_arena_init(&exchange->request.arena, UW_HTTP_REQUEST_BYTES_MAX);
    copy = uw_arena_take(&exchange->request.arena, size);
    if (copy != NULL) {
        memcpy(copy, uri, size);
        exchange->request.path = copy;
    }
    return exchange;
}

static void take_body(struct exchange *exchange, const char *data, size_t size)
{
    if (exchange->body_too_large || exchange->body_bytes + size > UW_HTTP_BODY_BYTES_MAX) {
        exchange->body_too_large = true;
        return;
    }
    if (exchange->body == NULL) {
        exchange->body = uw_arena_take(&exchange->request.arena, UW_HTTP_BODY_BYTES_MAX + 1);
    }
    if (exchange->body == NULL) {
        exchange->body_too_large = true;
        return;
    }
    memcpy(exchange->body + exchange->body_bytes, data, size);
    exchange->body_bytes += size;
    exchange->body[exchange->body_bytes] = '\0';
}

static bool announces_too_much(const struct exchange *exchange)
{
    const char *length = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, "Content-Length");
    return length != NULL && strtoull(length, NULL, 10) > UW_HTTP_BODY_BYTES_MAX;
}

static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *data, size_t *data_size,
                                 void **state)
{
    struct uw_http *http = context;
    struct exchange *exchange = *state;
    struct uw_http_request *request;
    (void)url;
    (void)version;
    if (exchange == NULL || exchange->request.path == NULL) {
        return MHD_NO;
    }
    request = &exchange->request;
    if (request->connection == NULL) {
        /* From here on on_completed has it. */
        place_of(connection)->begun = NULL;
        parse_head(exchange, request->path, method);
        if (announces_too_much(exchange)) {
            uw_http_problem(request, 413, "a body has at most %zu bytes", UW_HTTP_BODY_BYTES_MAX);
        }
        /* Answered before the body is read; libmicrohttpd then closes the connection after it. */
        if (request->answer.status == 413) {
            place_note(http, connection, false);
            return respond(exchange);
        }
        return MHD_YES;
    }
    if (*data_size > 0) {
        take_body(exchange, data, *data_size);
        *data_size = 0;
        return MHD_YES;
    }
    if (exchange->done) {
        return respond(exchange);
    }
    place_note(http, connection, false);
    exchange->received_us = now_us();
    request->body = (struct uw_str){exchange->body_bytes == 0 ? "" : exchange->body, (uint32_t)exchange->body_bytes};
    if (exchange->body_too_large) {
        uw_http_problem(request, 413, "a body has at most %zu bytes", UW_HTTP_BODY_BYTES_MAX);
    }
    if (request->answer.status != 0) {
        return respond(exchange);
    }
    MHD_suspend_connection(connection);
    exchange->queued = queue_put(http, exchange);
    if (!exchange->queued) {
        uw_http_problem(request, 503, "too many requests at once");
        exchange->done = true;
        MHD_resume_connection(connection);
    }
    return MHD_YES;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
    struct uw_http *http = context;
    struct exchange *exchange = *state;
    struct place *place = place_of(connection);
    if (exchange == NULL) {
        return;
    }
    if (place != NULL && place->begun == exchange) {
        place->begun = NULL;
    }
    if (!exchange->counted) {
        pthread_mutex_lock(&http->lock);
        http->statistics.requests[0]++;
        pthread_mutex_unlock(&http->lock);
    }
    if (exchange->request.answer.streams) {
        exchange->request.answer.source.close(exchange->request.answer.source.context);
    }
    if (why == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        place_note(http, connection, true);
    }
    exchange_free(exchange);
    *state = NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct uw_http *http = context;
    struct place *place;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        place = calloc(1, sizeof *place);
        if (place == NULL || info == NULL) {
            free(place);
            return;
        }
        *place = (struct place){.socket = info->connect_fd, .receiving = true, .since_ms = now_us() / 1000};
        pthread_mutex_lock(&http->lock);
        place->next = http->places.next;
        place->previous = &http->places;
        place->next->previous = place;
        http->places.next = place;
        http->statistics.connections++;
        pthread_mutex_unlock(&http->lock);
        *socket_context = place;
        return;
    }
    place = *socket_context;
    if (place != NULL) {
        pthread_mutex_lock(&http->lock);
        place->next->previous = place->previous;
        place->previous->next = place->next;
        http->statistics.connections--;
        pthread_mutex_unlock(&http->lock);
        exchange_free(place->begun);
        free(place);
        *socket_context = NULL;
    }
}

/* A client that sends a byte now and then never is idle; its time for a whole request ends all the same. */
static void *sweep(void *context)
{
    struct uw_http *http = context;
    pthread_mutex_lock(&http->lock);
    while (!http->stopping) {
        struct timespec until;
        int64_t now_ms = now_us() / 1000;
        for (struct place *place = http->places.next; place != &http->places; place = place->next) {
            if (place->receiving && now_ms - place->since_ms > http->options.receive_ms) {
                (void)shutdown(place->socket, SHUT_RDWR);
                place->receiving = false;
                http->statistics.too_slow++;
            }
        }
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += SWEEP_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&http->swept, &http->lock, &until);
    }
    pthread_mutex_unlock(&http->lock);
    return NULL;
}

/* ---- open and close ---- */

static void on_log(void *context, const char *format, va_list arguments) UW_PRINTF(2, 0);

static void on_log(void *context, const char *format, va_list arguments)
{
    struct uw_http *http = context;
    char text[256];
    if (http->options.log != NULL) {
        vsnprintf(text, sizeof text, format, arguments);
        text[strcspn(text, "\n")] = '\0';
        http->options.log(http->options.context, text);
    }
}

/* Paths and queries are decoded by us: a decoded slash is no separator. */
static size_t leave_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static enum uw_code daemon_start(struct uw_http *http, struct uw_error *error)
{
    const struct uw_http_options *options = &http->options;
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options->port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)options->port)};
    bool is_six = inet_pton(AF_INET6, options->listen, &six.sin6_addr) == 1;
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
                         (is_six ? MHD_USE_IPv6 : 0);
    const union MHD_DaemonInfo *info;
    if (!is_six && inet_pton(AF_INET, options->listen, &four.sin_addr) != 1) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "'%.60s' is not an IP address to listen on",
                            options->listen);
    }
    http->daemon = MHD_start_daemon(
        flags, (uint16_t)options->port, NULL, NULL, on_access, http,
        /* First, so that complaints about the other options are heard. */
        MHD_OPTION_EXTERNAL_LOGGER, on_log, http, MHD_OPTION_SOCK_ADDR,
        is_six ? (struct sockaddr *)(void *)&six : (struct sockaddr *)(void *)&four, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned int)POLLING_THREADS, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)options->connections_max,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned int)options->connections_per_address_max,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)(options->idle_ms + 999) / 1000,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, UW_HTTP_HEAD_BYTES_MAX,
        MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)4096,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL, MHD_OPTION_URI_LOG_CALLBACK, begin, http,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
        MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (http->daemon == NULL) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "port %d of %.60s cannot be listened on",
                            (int)options->port, options->listen);
    }
    info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
    http->port = info == NULL ? options->port : info->port;
    return UW_OK;
}

static enum uw_code threads_start(struct uw_http *http, struct uw_error *error)
{
    for (uint32_t i = 0; i < http->options.worker_count; i++) {
        struct worker_start *start = malloc(sizeof *start);
        if (start != NULL) {
            *start = (struct worker_start){http, i};
        }
        if (start == NULL || pthread_create(&http->workers[i], NULL, work, start) != 0) {
            free(start);
            return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for a thread");
        }
        http->worker_count++;
    }
    http->sweeping = pthread_create(&http->sweeper, NULL, sweep, http) == 0;
    return http->sweeping ? UW_OK : uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for a thread");
}

enum uw_code uw_http_open(const struct uw_http_options *options, struct uw_http **http, struct uw_error *error)
{
    struct uw_http *made = calloc(1, sizeof *made);
    enum uw_code code;
    assert(options->worker_count >= 1 && options->worker_count <= UW_HTTP_WORKERS_MAX);
    if (made == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the server");
    }
    made->options = *options;
    made->places.next = made->places.previous = &made->places;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->filled, NULL);
    pthread_cond_init(&made->swept, NULL);
    code = threads_start(made, error);
    if (code == UW_OK) {
        code = daemon_start(made, error);
    }
    if (code != UW_OK) {
        uw_http_close(&made);
        return code;
    }
    *http = made;
    return UW_OK;
}

void uw_http_close(struct uw_http **http)
{
    struct uw_http *closing = *http;
    if (closing == NULL) {
        return;
    }
    if (closing->daemon != NULL) {
        int listening = MHD_quiesce_daemon(closing->daemon);
        if (listening >= 0) {
            (void)shutdown(listening, SHUT_RDWR);
        }
    }
    pthread_mutex_lock(&closing->lock);
    closing->stopping = true;
    pthread_cond_broadcast(&closing->filled);
    pthread_cond_broadcast(&closing->swept);
    pthread_mutex_unlock(&closing->lock);
    for (uint32_t i = 0; i < closing->worker_count; i++) {
        pthread_join(closing->workers[i], NULL);
    }
    if (closing->sweeping) {
        pthread_join(closing->sweeper, NULL);
    }
    if (closing->options.stopping != NULL) {
        closing->options.stopping(closing->options.context);
    }
    if (closing->daemon != NULL) {
        MHD_stop_daemon(closing->daemon);
    }
    pthread_mutex_destroy(&closing->lock);
    pthread_cond_destroy(&closing->filled);
    pthread_cond_destroy(&closing->swept);
    free(closing);
    *http = NULL;
}

int32_t uw_http_port(const struct uw_http *http)
{
    return http->port;
}

void uw_http_statistics(struct uw_http *http, struct uw_http_statistics *statistics)
{
    pthread_mutex_lock(&http->lock);
    *statistics = http->statistics;
    pthread_mutex_unlock(&http->lock);
}

void uw_http_sleep(void *connection)
{
    MHD_suspend_connection(connection);
}

void uw_http_wake(void *connection)
{
    MHD_resume_connection(connection);
}

void uw_http_cut(void *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != NULL) {
        (void)shutdown(info->connect_fd, SHUT_RDWR);
    }
}
