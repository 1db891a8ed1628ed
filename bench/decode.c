/*
 * How fast the codec is: declarations decoded a second on one core, as our own producers write them and as a
 * writer with other fields in another order does; encoded; ids made. One line each.
 *
 *   build: see bench/CMakeLists.txt; run: bench_decode [SECONDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "schemas/identity.h"
#include "schemas/codec.h"
#include "schemas/schema.h"

#define VALUES 1024

static const char other_writer[] =
    "{\"type\": \"record\", \"name\": \"Declaration\", \"namespace\": \"nl.urenwacht\", \"fields\": ["
    "{\"name\": \"minutes\", \"type\": [\"null\", \"int\"]}, {\"name\": \"source\", \"type\": \"string\"},"
    "{\"name\": \"client\", \"type\": \"string\"}, {\"name\": \"municipality\", \"type\": \"string\"},"
    "{\"name\": \"decision\", \"type\": \"string\"}, {\"name\": \"tags\", \"type\": {\"type\": \"map\", \"values\": "
    "\"string\"}}, {\"name\": \"provider\", \"type\": \"string\"}, {\"name\": \"line\", \"type\": \"string\"},"
    "{\"name\": \"event_id\", \"type\": \"string\"}, {\"name\": \"recorded_at\", \"type\": \"long\"},"
    "{\"name\": \"kind\", \"type\": {\"type\": \"enum\", \"name\": \"LineKind\", \"symbols\": [\"CREDIT\", "
    "\"DEBIT\"]}}, {\"name\": \"performed_on\", \"type\": \"int\"}]}";

/* Time of the processor, so that what else runs on the machine is not counted. */
static double now_seconds(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void check(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "bench_decode: %s failed\n", what);
        exit(1);
    }
}

static void report(const char *what, double count, double seconds)
{
    (void)printf("%-44s %12.0f /s\n", what, count / seconds);
}

static struct uw_event make_event(int number, char *line, size_t size)
{
    int length = snprintf(line, size, "L%d", number);
    struct uw_event event = {.topic = UW_TOPIC_DECLARATIONS,
                             .recorded_at_ms = INT64_C(1767225600000) + number,
                             .municipality = UW_STR("0363"),
                             .client = UW_STR("c101-00007"),
                             .decision = UW_STR("03630000070"),
                             .provider = UW_STR("41410002")};
    event.event_id.bytes[15] = (uint8_t)number;
    event.of.declaration = (struct uw_declaration){.line = {line, (uint32_t)length},
                                                   .performed_on_day = 20454,
                                                   .performed_until_day = UW_DAY_NONE,
                                                   .started_at_ms = 1767225600000,
                                                   .minutes = 60,
                                                   .staff = UW_STR("s3")};
    return event;
}

static void measure_decode(struct uw_codec *codec, const struct uw_str *values, const char *what, double seconds)
{
    struct uw_arena arena;
    uw_arena_init(&arena, 1 << 20);
    struct uw_event event;
    struct uw_refusal refusal;
    struct uw_error error;
    double started = now_seconds(), passed = 0, count = 0, minutes = 0;
    while (passed < seconds) {
        for (int i = 0; i < VALUES; i++) {
            check(uw_codec_decode(codec, UW_TOPIC_DECLARATIONS, values[i], &arena, &event, &refusal, &error) == UW_OK,
                  "decoding");
            minutes += event.of.declaration.minutes;
        }
        count += VALUES;
        passed = now_seconds() - started;
    }
    check(minutes > 0, "reading minutes");
    report(what, count, passed);
    uw_arena_close(&arena);
}

static void measure_encode(const struct uw_codec *codec, const struct uw_event *events, double seconds)
{
    struct uw_arena arena;
    uw_arena_init(&arena, (size_t)64 << 20);
    double started = now_seconds(), passed = 0, count = 0;
    struct uw_str bytes;
    while (passed < seconds) {
        for (int i = 0; i < VALUES; i++) {
            check(uw_codec_encode(codec, &events[i], &arena, &bytes) == UW_OK, "encoding");
        }
        uw_arena_reset(&arena);
        count += VALUES;
        passed = now_seconds() - started;
    }
    report("declarations encoded", count, passed);
    uw_arena_close(&arena);
}

static void measure_ids(double seconds)
{
    struct uw_alert_change alert = {.client = UW_STR("c101-00007"),
                                    .municipality = UW_STR("0363"),
                                    .decision = UW_STR("03630000070"),
                                    .threshold = 80};
    char id[UW_ID_TEXT_BYTES];
    double started = now_seconds(), passed = 0, count = 0;
    while (passed < seconds) {
        for (int i = 0; i < VALUES; i++) {
            alert.segment_from_day = i;
            check(uw_alert_id(&alert, id) == UW_OK, "an id");
        }
        count += VALUES;
        passed = now_seconds() - started;
    }
    report("alert ids made", count, passed);
}

/* The value as the other writer has it: minutes, source, client, municipality, decision, tags, provider, line,
 * event_id, recorded_at, kind, performed_on. */
static const char other_body[] = "\x02\x78\x12"
                                 "ecd-north\x14"
                                 "c101-00007\x08"
                                 "0363\x16"
                                 "03630000070\x02\x08"
                                 "team\x02"
                                 "A\x00\x10"
                                 "41410002\x04"
                                 "L1\x48"
                                 "00000000-0000-4000-8000-000000000001\x80\xA0\xA5\x8F\xEF\x66\x02\xCC\xBF\x02";

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
    struct uw_codec *codec = NULL;
    struct uw_error error;
    check(uw_codec_open(NULL, &codec, &error) == UW_OK, "opening the codec");
    struct uw_arena arena;
    uw_arena_init(&arena, (size_t)16 << 20);
    static char lines[VALUES][16];
    static struct uw_event events[VALUES];
    static struct uw_str values[VALUES], others[VALUES];
    static char other_value[sizeof other_body + 16];
    struct uw_schema *schema = NULL;
    check(uw_schema_open(uw_str_from(other_writer), &schema, &error) == UW_OK, "the other schema");
    check(uw_codec_add_schema(codec, uw_str_from(other_writer), &error) == UW_OK, "adding a schema");
    other_value[0] = (char)0xC3;
    other_value[1] = 1;
    for (int i = 0; i < 8; i++) {
        other_value[2 + i] = (char)(schema->fingerprint >> (8 * i));
    }
    memcpy(other_value + 10, other_body, sizeof other_body - 1);
    for (int i = 0; i < VALUES; i++) {
        events[i] = make_event(i, lines[i], sizeof lines[i]);
        check(uw_codec_encode(codec, &events[i], &arena, &values[i]) == UW_OK, "encoding");
        others[i] = (struct uw_str){other_value, (uint32_t)(10 + sizeof other_body - 1)};
    }
    measure_decode(codec, values, "declarations decoded, our schema", seconds);
    measure_decode(codec, others, "declarations decoded, another's schema", seconds);
    measure_encode(codec, events, seconds);
    measure_ids(seconds);
    uw_schema_close(&schema);
    uw_arena_close(&arena);
    uw_codec_close(&codec);
    return 0;
}
