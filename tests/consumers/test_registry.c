/* The client of a schema registry against a real HTTP server (registry_server.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "consumers/registry.h"

struct server {
    pid_t pid;
    int input; /* closing it ends the server */
    int port;
};

static const char *python(void)
{
    const char *given = getenv("UW_PYTHON");
    return given != NULL ? given : "python3";
}

static void run_server(int input, int output)
{
    (void)dup2(input, 0);
    (void)dup2(output, 1);
    (void)execlp(python(), python(), UW_SOURCE_DIR "/tests/consumers/registry_server.py",
                 UW_SOURCE_DIR "/schemas/declaration.avsc", (char *)NULL);
    _exit(127);
}

static int start_server(void **state)
{
    static struct server server;
    int input[2], output[2];
    assert_int_equal(pipe(input), 0);
    assert_int_equal(pipe(output), 0);
    /* A proxy of the environment is not asked for what is on this machine. */
    assert_int_equal(setenv("no_proxy", "127.0.0.1", 1), 0);
    server.pid = fork();
    assert_true(server.pid >= 0);
    if (server.pid == 0) {
        (void)close(input[1]);
        run_server(input[0], output[1]);
    }
    (void)close(input[0]);
    (void)close(output[1]);
    server.input = input[1];
    FILE *lines = fdopen(output[0], "r");
    assert_non_null(lines);
    char line[32];
    if (fgets(line, sizeof line, lines) == NULL) {
        fail_msg("no HTTP server: is there a python3?");
    }
    server.port = (int)strtol(line, NULL, 10);
    (void)fclose(lines);
    *state = &server;
    return 0;
}

static int stop_server(void **state)
{
    struct server *server = *state;
    int status;
    (void)close(server->input);
    (void)waitpid(server->pid, &status, 0);
    return 0;
}

/* Where time does not matter, and where the server lets it pass. */
#define PATIENT_MS 60000
#define IMPATIENT_MS 500
#define SILENT_ID 11 /* asked for this schema, the server says nothing */

static struct uw_registry *open_for(const struct server *server, const char *user, const char *path, int32_t timeout_ms)
{
    char url[256];
    (void)snprintf(url, sizeof url, "http://%s127.0.0.1:%d%s", user, server->port, path);
    struct uw_registry *registry = NULL;
    struct uw_error error;
    assert_int_equal(uw_registry_open(url, timeout_ms, &registry, &error), UW_OK);
    return registry;
}

static struct uw_registry *open_at(const struct server *server, const char *user, const char *path)
{
    return open_for(server, user, path, PATIENT_MS);
}

static void a_schema_is_found(void **state)
{
    struct uw_registry *registry = open_at(*state, "", "");
    struct uw_error error;
    for (int32_t id = 1; id <= 2; id++) {
        char *json = NULL;
        assert_int_equal(uw_registry_lookup(registry, id, &json, &error), UW_OK);
        assert_string_equal(json, uw_codec_topic_schema(UW_TOPIC_DECLARATIONS));
        free(json);
    }
    uw_registry_close(&registry);
    assert_null(registry);
}

static void every_other_answer_has_its_class(void **state)
{
    static const struct {
        int32_t id;
        enum uw_code code;
        enum uw_class class;
        const char *words;
    } answers[] = {
        {99, UW_EINPUT, UW_CLASS_INPUT, "no such schema"},
        {3, UW_EINPUT, UW_CLASS_INPUT, "PROTOBUF"},
        {4, UW_EINPUT, UW_CLASS_INPUT, "refers to others"},
        {5, UW_EIO, UW_CLASS_RETRY, "HTTP 500"},
        {6, UW_EIO, UW_CLASS_RETRY, "HTTP 429"},
        {7, UW_ECONFIG, UW_CLASS_FATAL, "HTTP 404"},
        {8, UW_ECONFIG, UW_CLASS_FATAL, "holds no schema"},
        {9, UW_EINPUT, UW_CLASS_INPUT, "bytes"},
        {10, UW_ECONFIG, UW_CLASS_FATAL, "HTTP 302"},
        {SILENT_ID, UW_ETIMEOUT, UW_CLASS_RETRY, "in time"},
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        char *json = NULL;
        struct uw_error error = {UW_OK, UW_CLASS_NONE, ""};
        struct uw_registry *registry =
            open_for(*state, "", "/", answers[i].id == SILENT_ID ? IMPATIENT_MS : PATIENT_MS);
        assert_int_equal(uw_registry_lookup(registry, answers[i].id, &json, &error), answers[i].code);
        assert_int_equal(error.class, answers[i].class);
        if (strstr(error.text, answers[i].words) == NULL) {
            fail_msg("id %d: %s", (int)answers[i].id, error.text);
        }
        assert_null(json);
        uw_registry_close(&registry);
    }
}

/* The server's ids of this size are answers of so many bytes. */
static void answers_have_a_size(void **state)
{
    const struct server *server = *state;
    struct uw_registry *registry = NULL;
    struct uw_error error;
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d", server->port);
    assert_int_equal(uw_registry_open(url, 60000, &registry, &error), UW_OK);
    for (int32_t size = UW_REGISTRY_ANSWER_BYTES_MAX - 1; size <= (int32_t)UW_REGISTRY_ANSWER_BYTES_MAX + 1; size++) {
        bool fits = size <= (int32_t)UW_REGISTRY_ANSWER_BYTES_MAX;
        char *json = NULL;
        assert_int_equal(uw_registry_lookup(registry, size, &json, &error), fits ? UW_OK : UW_EINPUT);
        assert_true(fits == (json != NULL));
        free(json);
    }
    uw_registry_close(&registry);
}

static void a_password_is_sent_and_kept_secret(void **state)
{
    char *json = NULL;
    struct uw_error error;
    struct uw_registry *registry = open_at(*state, "me:p%40ss%3Aw@", "/private/");
    assert_int_equal(uw_registry_lookup(registry, 1, &json, &error), UW_OK);
    free(json);
    uw_registry_close(&registry);
    json = NULL;
    registry = open_at(*state, "me:secret@", "/private");
    assert_int_equal(uw_registry_lookup(registry, 1, &json, &error), UW_ECONFIG);
    assert_null(strstr(error.text, "secret"));
    assert_non_null(strstr(error.text, "401"));
    uw_registry_close(&registry);
}

static void a_registry_that_is_away_is_tried_again(void **state)
{
    (void)state;
    struct uw_registry *registry = NULL;
    struct uw_error error;
    char *json = NULL;
    /* Port 1 of this machine: nothing listens. */
    assert_int_equal(uw_registry_open("http://user:secret@127.0.0.1:1", PATIENT_MS, &registry, &error), UW_OK);
    assert_int_equal(uw_registry_lookup(registry, 1, &json, &error), UW_EIO);
    assert_int_equal(error.class, UW_CLASS_RETRY);
    assert_null(strstr(error.text, "secret"));
    uw_registry_close(&registry);
}

static void wrong_urls_are_told(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "registry:8081", "ftp://registry", "http://", "file:///etc/passwd",
                                        "http://a/?b=c", "http://a b"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct uw_registry *registry = NULL;
        struct uw_error error;
        assert_int_equal(uw_registry_open(wrong[i], 1000, &registry, &error), UW_ECONFIG);
        assert_null(registry);
    }
}

/* The whole way: a value in the Confluent wire format, its schema asked for over HTTP. */
static void a_value_is_decoded_through_the_registry(void **state)
{
    struct uw_registry *registry = open_at(*state, "", "");
    const struct uw_codec_options options = {uw_registry_lookup, registry};
    struct uw_codec *codec = NULL;
    struct uw_error error;
    assert_int_equal(uw_codec_open(&options, &codec, &error), UW_OK);
    struct uw_arena arena;
    uw_arena_init(&arena, 1 << 20);
    struct uw_event event = {.topic = UW_TOPIC_DECLARATIONS,
                             .recorded_at_ms = 1767225600000,
                             .municipality = UW_STR("0363"),
                             .client = UW_STR("c1"),
                             .decision = UW_STR("WMO-1"),
                             .provider = UW_STR("41410001")};
    event.of.declaration = (struct uw_declaration){.line = UW_STR("L"),
                                                   .performed_on_day = 20454,
                                                   .performed_until_day = UW_DAY_NONE,
                                                   .started_at_ms = UW_INSTANT_NONE,
                                                   .minutes = 60};
    struct uw_str bytes;
    assert_int_equal(uw_codec_encode(codec, &event, &arena, &bytes), UW_OK);
    /* Five bytes of header instead of ten. */
    char *value = (char *)bytes.data + 5;
    memcpy(value, "\0\0\0\0\2", 5);
    struct uw_event decoded;
    struct uw_refusal refusal;
    assert_int_equal(uw_codec_decode(codec, UW_TOPIC_DECLARATIONS, (struct uw_str){value, bytes.length - 5}, &arena,
                                     &decoded, &refusal, &error),
                     UW_OK);
    assert_int_equal(decoded.of.declaration.minutes, 60);
    value[4] = 99;
    assert_int_equal(uw_codec_decode(codec, UW_TOPIC_DECLARATIONS, (struct uw_str){value, bytes.length - 5}, &arena,
                                     &decoded, &refusal, &error),
                     UW_EINPUT);
    assert_int_equal(refusal.reason, UW_REFUSED_UNKNOWN_SCHEMA);
    assert_string_equal(refusal.text, "schema id 99: the registry has no such schema");
    uw_arena_close(&arena);
    uw_codec_close(&codec);
    uw_registry_close(&registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_is_found),
        cmocka_unit_test(every_other_answer_has_its_class),
        cmocka_unit_test(answers_have_a_size),
        cmocka_unit_test(a_password_is_sent_and_kept_secret),
        cmocka_unit_test(a_registry_that_is_away_is_tried_again),
        cmocka_unit_test(wrong_urls_are_told),
        cmocka_unit_test(a_value_is_decoded_through_the_registry),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
