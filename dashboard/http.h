/*
 * The HTTP side of `urenwacht serve`: libmicrohttpd with a limit on everything.
 *
 * Threads of libmicrohttpd wait for sockets and never for anything else. A request that has been received whole
 * is handed to one of the workers, and its connection sleeps until the worker has filled in the answer. The queue
 * between them is bounded: beyond it the answer is 503 at once.
 */
#ifndef UW_DASHBOARD_HTTP_H
#define UW_DASHBOARD_HTTP_H

#include <netinet/in.h>

#include "core/arena.h"
#include "dashboard/pack.h"
#include "schemas/text.h"

#define UW_HTTP_BODY_BYTES_MAX ((size_t)64 * 1024)
/* Request line and headers of one request. */
#define UW_HTTP_HEAD_BYTES_MAX ((size_t)32 * 1024)
#define UW_HTTP_PARAMETERS_MAX 40
#define UW_HTTP_SEGMENTS_MAX 8
#define UW_HTTP_HEADERS_MAX 8
/* Memory of one request: what it asks, its SQL, its answer. */
#define UW_HTTP_REQUEST_BYTES_MAX ((size_t)256 * 1024 * 1024)
#define UW_HTTP_WORKERS_MAX 64

enum uw_method { UW_METHOD_GET, UW_METHOD_HEAD, UW_METHOD_POST, UW_METHOD_PUT, UW_METHOD_DELETE, UW_METHOD_OTHER };

struct uw_http_pair {
    struct uw_str name, value; /* decoded, valid UTF-8 without U+0000, followed by a NUL */
};

/* What a stream's connection is fed from; see uw_http_answer. */
struct uw_http_source {
    void *context;
    /* Writes up to `size` bytes; 0: nothing now, `sleeps` was called under the source's own lock; < 0: the end. */
    int64_t (*read)(void *context, char *buffer, size_t size);
    void (*close)(void *context);
};

struct uw_http_answer {
    int status;               /* 0: not answered yet */
    const char *content_type; /* static */
    struct uw_str body;       /* in the request's arena, or static */
    bool prepared;            /* `gzip` is the body packed, or null where that is of no use; it is not packed anew */
    struct uw_str gzip;
    struct uw_http_pair headers[UW_HTTP_HEADERS_MAX]; /* NUL-terminated */
    uint32_t header_count;
    bool cacheable; /* may be kept by the browser: files of the page with a hash in their name */
    bool tagged;    /* ETag of the body, 304 where the request has it, packed where it is taken so: nothing secret */
    bool streams;   /* `source` instead of a body */
    struct uw_http_source source;
};

struct uw_http_request {
    enum uw_method method;
    const char *path; /* as sent, without the query; for the page's files */
    struct uw_str segments[UW_HTTP_SEGMENTS_MAX]; /* of the path, decoded */
    uint32_t segment_count;
    struct uw_http_pair parameters[UW_HTTP_PARAMETERS_MAX];
    uint32_t parameter_count;
    struct uw_str body;
    const char *authorization, *cookie, *csrf, *accept, *content_type, *if_none_match, *last_event_id,
        *accept_encoding; /* or NULL */
    bool from_loopback;
    void *connection; /* libmicrohttpd's; for uw_http_sleep and uw_http_wake */
    struct uw_arena arena;
    struct uw_http_answer answer;
};

/* Fills request->answer. Called by worker `worker` of 0 .. worker_count - 1, by one thread at a time each. */
typedef void uw_http_handle(void *context, uint32_t worker, struct uw_http_request *request);

struct uw_http_options {
    const char *listen; /* an IPv4 or IPv6 address */
    int32_t port;       /* 0: any free one */
    uint32_t worker_count;
    uint32_t connections_max, connections_per_address_max;
    int32_t idle_ms;    /* a connection on which nothing moves is closed */
    int32_t receive_ms; /* within which a whole request must have come */
    void *context;
    uw_http_handle *handle;
    /* No request is worked on any more: every stream has to end, so that its connection can be closed. */
    void (*stopping)(void *context);
    void (*log)(void *context, const char *text); /* libmicrohttpd's own complaints; may be NULL */
};

/* Counted since the start. */
struct uw_http_statistics {
    uint64_t requests[6];  /* by the first digit of the status; [0]: connections that ended before an answer */
    uint64_t refused_busy; /* 503 since the queue was full */
    uint64_t too_slow;     /* connections cut off since their request took too long to arrive */
    uint64_t connections;  /* open now */
    uint64_t microseconds; /* from the whole request to the answer, all together */
    uint64_t buckets[12];  /* requests answered within uw_http_bucket_us[i] */
};
extern const uint32_t uw_http_bucket_us[12];

struct uw_http;

/* Listens and starts the threads. UW_ECONFIG: the address cannot be used. */
enum uw_code uw_http_open(const struct uw_http_options *options, struct uw_http **http, struct uw_error *error)
    UW_MUST_USE;
/* Takes no more requests, answers those that came, ends streams, closes. */
void uw_http_close(struct uw_http **http);
int32_t uw_http_port(const struct uw_http *http);
void uw_http_statistics(struct uw_http *http, struct uw_http_statistics *statistics);

/* A stream's connection sleeps until it is woken; only from its source's `read`, which then returns 0. */
void uw_http_sleep(void *connection);
void uw_http_wake(void *connection);
/* Cuts a stream's connection off, whose other end does not read; its source is closed soon after. From any thread,
 * between the source's first `read` and its `close`. */
void uw_http_cut(void *connection);

/* ---- for handlers ---- */

/* The value of a parameter, or null. */
struct uw_str uw_http_parameter(const struct uw_http_request *request, const char *name);
void uw_http_header(struct uw_http_request *request, const char *name, const char *value);
/* application/problem+json (RFC 9457). `detail` is for people and quotes nothing of the database. */
void uw_http_problem(struct uw_http_request *request, int status, const char *format, ...) UW_PRINTF(3, 4);
/* Takes what `text` has as the body; 503 when memory was refused. */
void uw_http_body(struct uw_http_request *request, int status, const char *content_type, struct uw_text *text);

/* ---- http_parse.c ---- */

/* Decodes %XX (and '+', when asked); null for a bad escape, U+0000 or what is not UTF-8. In `arena`. */
struct uw_str uw_http_decode(struct uw_arena *arena, const char *text, size_t length, bool plus);
/* Splits and decodes the path into the request; false for one that is refused. */
bool uw_http_split_path(struct uw_http_request *request, const char *path);
/* Splits and decodes the query; false for one that is refused (too many, twice the same name, bad escapes). */
bool uw_http_split_query(struct uw_http_request *request, const char *query);
/* Whether the list of If-None-Match has the tag. */
bool uw_http_tag_matches(const char *if_none_match, const char *tag);
/* Whether Accept prefers CSV to JSON. */
bool uw_http_wants_csv(const char *accept);
/* The value of a cookie; null when there is none. Points into the header. */
struct uw_str uw_http_cookie(const char *header, const char *name);

#endif
