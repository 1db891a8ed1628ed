#include "consumers/registry.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA_NOT_FOUND 40403

struct uw_registry {
    CURL *curl;
    struct curl_slist *headers;
    char *url; /* without a slash at its end */
    /* The answer that is being read. */
    char *answer;
    size_t length, capacity;
    bool too_large;
};

static enum uw_code no_memory(struct uw_error *error)
{
    return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "out of memory while asking the schema registry");
}

static size_t take_answer(char *data, size_t size, size_t count, void *context)
{
    struct uw_registry *registry = context;
    size_t more = size * count;
    if (more > UW_REGISTRY_ANSWER_BYTES_MAX - registry->length) {
        registry->too_large = true;
        return 0;
    }
    if (registry->length + more > registry->capacity) {
        size_t capacity = 2 * (registry->length + more);
        char *answer = realloc(registry->answer, capacity);
        if (answer == NULL) {
            return 0;
        }
        registry->answer = answer;
        registry->capacity = capacity;
    }
    memcpy(registry->answer + registry->length, data, more);
    registry->length += more;
    return more;
}

static bool set_options(struct uw_registry *registry, int32_t timeout_ms)
{
    CURL *curl = registry->curl;
#if LIBCURL_VERSION_NUM >= 0x075500
    bool set = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
#else
    bool set = curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)) == CURLE_OK;
#endif
    /* A redirect could carry the credentials elsewhere; a registry sends none. */
    return set && curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "urenwacht/" UW_VERSION) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, registry->headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, registry) == CURLE_OK;
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A URL with a host, and with neither query nor fragment, behind which a path can be put. */
static bool is_base_url(const char *url)
{
    if ((!starts_with(url, "http://") && !starts_with(url, "https://")) || strpbrk(url, "?# \t\r\n") != NULL) {
        return false;
    }
    CURLU *parts = curl_url();
    bool good = parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK;
    curl_url_cleanup(parts);
    return good;
}

enum uw_code uw_registry_open(const char *url, int32_t timeout_ms, struct uw_registry **registry,
                              struct uw_error *error)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return no_memory(error);
    }
    if (!is_base_url(url)) {
        curl_global_cleanup();
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "the URL of the schema registry must be http://HOST or https://HOST, without a query");
    }
    struct uw_registry *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        curl_global_cleanup();
        return no_memory(error);
    }
    size_t length = strlen(url);
    while (url[length - 1] == '/') {
        length--;
    }
    opened->url = malloc(length + 1);
    opened->curl = curl_easy_init();
    opened->headers = curl_slist_append(NULL, "Accept: application/vnd.schemaregistry.v1+json, application/json");
    if (opened->url == NULL || opened->curl == NULL || opened->headers == NULL || !set_options(opened, timeout_ms)) {
        uw_registry_close(&opened);
        return no_memory(error);
    }
    memcpy(opened->url, url, length);
    opened->url[length] = '\0';
    *registry = opened;
    return UW_OK;
}

void uw_registry_close(struct uw_registry **registry)
{
    if (*registry != NULL) {
        curl_easy_cleanup((*registry)->curl);
        curl_slist_free_all((*registry)->headers);
        free((*registry)->url);
        free((*registry)->answer);
        free(*registry);
        *registry = NULL;
        curl_global_cleanup();
    }
}

/* Sends the request; fills registry->answer and the HTTP status. */
static enum uw_code request(struct uw_registry *registry, int32_t schema_id, long *status, struct uw_error *error)
{
    size_t size = strlen(registry->url) + sizeof "/schemas/ids/-2147483648";
    char *url = malloc(size);
    if (url == NULL) {
        return no_memory(error);
    }
    (void)snprintf(url, size, "%s/schemas/ids/%" PRId32, registry->url, schema_id);
    registry->length = 0;
    registry->too_large = false;
    CURLcode result = curl_easy_setopt(registry->curl, CURLOPT_URL, url);
    free(url); /* libcurl has a copy */
    if (result == CURLE_OK) {
        result = curl_easy_perform(registry->curl);
    }
    if (result == CURLE_OK) {
        (void)curl_easy_getinfo(registry->curl, CURLINFO_RESPONSE_CODE, status);
        return UW_OK;
    }
    if (registry->too_large) {
        return uw_error_set(error, UW_EINPUT, UW_CLASS_INPUT, "the registry's answer has more than %u bytes",
                            UW_REGISTRY_ANSWER_BYTES_MAX);
    }
    if (result == CURLE_OPERATION_TIMEDOUT) {
        return uw_error_set(error, UW_ETIMEOUT, UW_CLASS_RETRY, "the schema registry did not answer in time");
    }
    if (result == CURLE_OUT_OF_MEMORY || result == CURLE_WRITE_ERROR) {
        return no_memory(error);
    }
    return uw_error_set(error, UW_EIO, UW_CLASS_RETRY, "cannot ask the schema registry: %s",
                        curl_easy_strerror(result));
}

/* {"schema": "...", "schemaType": "AVRO"}; the type is left out when it is Avro. */
static enum uw_code read_schema(const json_t *answer, char **schema_json_take, struct uw_error *error)
{
    const char *schema = json_string_value(json_object_get(answer, "schema"));
    const char *type = json_string_value(json_object_get(answer, "schemaType"));
    if (schema == NULL) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "the schema registry's answer holds no schema; is there a registry at this URL?");
    }
    if (type != NULL && strcmp(type, "AVRO") != 0) {
        return uw_error_set(error, UW_EINPUT, UW_CLASS_INPUT, "the registry has it as %.20s, not as Avro", type);
    }
    if (json_array_size(json_object_get(answer, "references")) > 0) {
        return uw_error_set(error, UW_EINPUT, UW_CLASS_INPUT, "the schema refers to others, which is not supported");
    }
    size_t size = strlen(schema) + 1;
    char *copy = malloc(size);
    if (copy == NULL) {
        return no_memory(error);
    }
    memcpy(copy, schema, size);
    *schema_json_take = copy;
    return UW_OK;
}

static enum uw_code judge(const json_t *answer, long status, char **schema_json_take, struct uw_error *error)
{
    if (status == 200) {
        return read_schema(answer, schema_json_take, error);
    }
    /* A 404 that is not the registry's own comes from a wrong path or a proxy; to refuse events for it would
     * lose them. */
    if (status == 404 && json_integer_value(json_object_get(answer, "error_code")) == SCHEMA_NOT_FOUND) {
        return uw_error_set(error, UW_EINPUT, UW_CLASS_INPUT, "the registry has no such schema");
    }
    if (status == 401 || status == 403) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                            "the schema registry refuses the user name or password (HTTP %ld)", status);
    }
    if (status == 408 || status == 429 || status >= 500) {
        return uw_error_set(error, UW_EIO, UW_CLASS_RETRY, "the schema registry answers HTTP %ld", status);
    }
    return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                        "the schema registry answers HTTP %ld; is there a registry at this URL?", status);
}

enum uw_code uw_registry_lookup(void *context, int32_t schema_id, char **schema_json_take, struct uw_error *error)
{
    struct uw_registry *registry = context;
    long status = 0;
    enum uw_code code = request(registry, schema_id, &status, error);
    if (code != UW_OK) {
        return code;
    }
    /* What is not JSON has neither a schema nor an error code, and is judged by its status alone. */
    json_t *answer = registry->length > 0 ? json_loadb(registry->answer, registry->length, 0, NULL) : NULL;
    code = judge(answer, status, schema_json_take, error);
    json_decref(answer);
    return code;
}
