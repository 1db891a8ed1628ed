/* One request to a receiver: signed, bounded, and only to where the guard allows. */
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dashboard/webhook_parts.h"

#define SECRETS_MAX 2
#define CONNECT_MS_MAX 5000
#define KEY_TEXT_BYTES_MAX 128
#define HEADER_BYTES 256
#define MEDIA_TYPE "Content-Type: application/cloudevents+json; charset=utf-8"

struct uw_webhook_request {
    CURL *easy;
    struct curl_slist *headers;
    const struct uw_webhook_options *options;
    void *owner;
    const char *blocked; /* why the guard said no to an address; NULL: it did not */
    bool opened;         /* it said yes to one */
    size_t received;
    char text[CURL_ERROR_SIZE];
    char *body;
};

/* Called for every address that the name has, with the address that is connected to. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct uw_webhook_request *request = context;
    const char *why = NULL;
    if (purpose != CURLSOCKTYPE_IPCXN ||
        !uw_guard_address(&request->options->guard, &address->addr, (socklen_t)address->addrlen, &why)) {
        request->blocked = why == NULL ? "this connection is not used" : why;
        return CURL_SOCKET_BAD;
    }
    request->opened = true;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* The answer is thrown away; one that goes on too long ends the connection. */
static size_t take_answer(char *data, size_t size, size_t count, void *context)
{
    struct uw_webhook_request *request = context;
    (void)data;
    request->received += size * count;
    return request->received > UW_WEBHOOK_ANSWER_BYTES_MAX ? 0 : size * count;
}

static bool add_header(struct uw_webhook_request *request, const char *line)
{
    struct curl_slist *longer = curl_slist_append(request->headers, line);
    if (longer != NULL) {
        request->headers = longer;
    }
    return longer != NULL;
}

/* Adds the signature by one secret, base64 of `length` characters, behind the others. */
static bool add_signature(const char *secret, size_t length, const struct uw_webhook_order *order, int64_t timestamp,
                          char *line, size_t line_size)
{
    unsigned char key[KEY_TEXT_BYTES_MAX];
    char signature[UW_WEBHOOK_SIGNATURE_BYTES];
    int size = length < KEY_TEXT_BYTES_MAX ? EVP_DecodeBlock(key, (const unsigned char *)secret, (int)length) : -1;
    size_t used = strlen(line);
    bool good;
    for (size_t i = length; size > 0 && i > 0 && secret[i - 1] == '='; i--) {
        size--;
    }
    good = size > 0 && uw_webhook_sign(key, (size_t)size, order->event_id, timestamp, order->body, signature);
    OPENSSL_cleanse(key, sizeof key);
    if (good) {
        int added = snprintf(line + used, line_size - used, " %s", signature);
        good = added > 0 && (size_t)added < line_size - used;
    }
    return good;
}

static bool set_headers(struct uw_webhook_request *request, const struct uw_webhook_order *order)
{
    char line[HEADER_BYTES], signatures[HEADER_BYTES] = "webhook-signature:";
    int64_t timestamp = (int64_t)time(NULL);
    const char *at = order->secrets;
    bool good = add_header(request, MEDIA_TYPE) && add_header(request, "Expect:") && add_header(request, "Accept:");
    for (int i = 0; i < SECRETS_MAX && *at != '\0' && good; i++) {
        size_t length = strcspn(at, " ");
        good = add_signature(at, length, order, timestamp, signatures, sizeof signatures);
        at += length;
        at += *at == ' ';
    }
    snprintf(line, sizeof line, "webhook-id: %s", order->event_id);
    good = good && add_header(request, line);
    snprintf(line, sizeof line, "webhook-timestamp: %" PRId64, timestamp);
    return good && add_header(request, line) && add_header(request, signatures);
}

static bool set_options(struct uw_webhook_request *request, const struct uw_webhook_order *order)
{
    const struct uw_webhook_options *options = request->options;
    CURL *easy = request->easy;
    long connect_ms = options->timeout_ms < CONNECT_MS_MAX ? options->timeout_ms : CONNECT_MS_MAX;
#if LIBCURL_VERSION_NUM >= 0x075500
    bool set = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, options->guard.http ? "https,http" : "https") == CURLE_OK;
#else
    long protocols = CURLPROTO_HTTPS | (options->guard.http ? CURLPROTO_HTTP : 0);
    bool set = curl_easy_setopt(easy, CURLOPT_PROTOCOLS, protocols) == CURLE_OK;
#endif
    set = set && (options->ca_file[0] == '\0' ||
                  curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file) == CURLE_OK);
    return set && curl_easy_setopt(easy, CURLOPT_URL, order->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           /* None, whatever the environment says: through a proxy the guard would see the proxy's address. */
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "urenwacht/" UW_VERSION) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)order->body.length) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, request) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, request) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->text) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, request) == CURLE_OK;
}

enum uw_code uw_webhook_request_begin(const struct uw_webhook_options *options, CURLM *multi,
                                      const struct uw_webhook_order *order, void *owner,
                                      struct uw_webhook_request **request, struct uw_error *error)
{
    struct uw_webhook_request *made = calloc(1, sizeof *made);
    if (made != NULL) {
        made->options = options;
        made->owner = owner;
        made->easy = curl_easy_init();
        made->body = malloc((size_t)order->body.length + 1);
    }
    if (made == NULL || made->easy == NULL || made->body == NULL) {
        uw_webhook_request_end(NULL, &made);
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_RETRY, "no memory for a request of a webhook");
    }
    memcpy(made->body, order->body.data, order->body.length);
    if (!set_headers(made, order) || !set_options(made, order) ||
        curl_multi_add_handle(multi, made->easy) != CURLM_OK) {
        uw_webhook_request_end(NULL, &made);
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_RETRY, "no memory for a request of a webhook");
    }
    *request = made;
    return UW_OK;
}

void *uw_webhook_request_owner(CURL *easy)
{
    struct uw_webhook_request *request = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&request);
    return request == NULL ? NULL : request->owner;
}

void uw_webhook_request_result(const struct uw_webhook_request *request, CURLcode why,
                               struct uw_webhook_result *result)
{
    long status = 0;
    curl_off_t retry_after = 0, microseconds = 0;
    bool answered = why == CURLE_OK || (why == CURLE_WRITE_ERROR && request->received > UW_WEBHOOK_ANSWER_BYTES_MAX);
    (void)curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(request->easy, CURLINFO_RETRY_AFTER, &retry_after);
    (void)curl_easy_getinfo(request->easy, CURLINFO_TOTAL_TIME_T, &microseconds);
    *result = (struct uw_webhook_result){.duration_ms = (int32_t)(microseconds / 1000)};
    if (request->blocked != NULL && !request->opened && !answered) {
        result->blocked = true;
        snprintf(result->text, sizeof result->text, "refused here: %s", request->blocked);
        return;
    }
    if (!answered) {
        snprintf(result->text, sizeof result->text, "no answer: %.150s",
                 request->text[0] != '\0' ? request->text : curl_easy_strerror(why));
        return;
    }
    result->status = (int32_t)status;
    result->accepted = status >= 200 && status <= 299;
    result->gone = status == 410;
    result->retry_after_s = retry_after > 0 && (status == 429 || status == 503) ? (int64_t)retry_after : 0;
    if (status >= 300 && status <= 399) {
        snprintf(result->text, sizeof result->text, "status %ld: redirects are not followed", status);
    } else if (!result->accepted) {
        snprintf(result->text, sizeof result->text, "status %ld", status);
    }
}

void uw_webhook_request_end(CURLM *multi, struct uw_webhook_request **request)
{
    struct uw_webhook_request *ending = *request;
    if (ending == NULL) {
        return;
    }
    if (multi != NULL) {
        (void)curl_multi_remove_handle(multi, ending->easy);
    }
    curl_easy_cleanup(ending->easy);
    curl_slist_free_all(ending->headers);
    free(ending->body);
    free(ending);
    *request = NULL;
}
