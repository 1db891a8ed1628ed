#include "cli/outlet.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/backoff.h"
#include "cli/kafka_log.h"
#include "producers/feeder.h"
#include "schemas/codec.h"
#include "schemas/json.h"

#define FILE_BUFFER_BYTES (256u * 1024u)
#define RATE_CHECK_MS 5
#define ATTEMPT_MS 5000 /* so long nothing looks whether a signal asked to stop */

struct uw_outlet {
    struct uw_codec *codec;   /* of Kafka and of nowhere */
    struct uw_feeder *feeder; /* of Kafka */
    FILE *file;
    const char *path;
    bool close_file;
    int32_t timeout_ms;
    int64_t rate, started_ms;
    uint64_t total;
    struct uw_outlet_statistics statistics;
    struct uw_arena memory; /* of one event */
};

static void sleep_ms(int64_t ms)
{
    struct timespec pause = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000L};
    nanosleep(&pause, NULL); /* a signal may cut it short */
}

static enum uw_code no_memory(struct uw_error *error)
{
    return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for an event");
}

/* What does not fit is at fault itself, otherwise the machine is. */
static enum uw_code cannot_encode(const struct uw_outlet *outlet, struct uw_error *error)
{
    if (outlet->memory.limit_met) {
        return uw_error_set(error, UW_EINPUT, UW_CLASS_INPUT, "the event takes more than %u MiB",
                            UW_OUTLET_EVENT_BYTES_MAX / 1024 / 1024);
    }
    return no_memory(error);
}

static enum uw_code open_kafka(struct uw_outlet *outlet, const struct uw_config *config, struct uw_error *error)
{
    struct uw_feeder_options options = {
        .properties = config->kafka,
        .property_count = config->kafka_count,
        .timeout_ms = config->kafka_timeout_ms < ATTEMPT_MS ? config->kafka_timeout_ms : ATTEMPT_MS,
        .log = uw_kafka_log_make(),
    };
    struct uw_backoff backoff;
    uw_backoff_init(&backoff, config->retry_min_ms, config->retry_max_ms, (uint64_t)uw_clock_ms());
    memcpy(options.topics, config->topics, sizeof(options.topics));
    outlet->timeout_ms = config->kafka_timeout_ms;
    for (;;) {
        enum uw_code code = uw_feeder_open(&options, &outlet->feeder, error);
        if (code == UW_OK || error->class != UW_CLASS_RETRY) {
            return code;
        }
        if (uw_signals_stop_requested()) {
            return uw_error_set(error, UW_ETIMEOUT, UW_CLASS_FATAL, "stopped while waiting for Kafka");
        }
        int32_t wait_ms = uw_backoff_next(&backoff);
        uw_log(UW_LOG_WARNING, "%s; trying again in %" PRId32 " ms", error->text, wait_ms);
        sleep_ms(wait_ms);
    }
}

static enum uw_code open_file(struct uw_outlet *outlet, const char *path, struct uw_error *error)
{
    outlet->path = path;
    if (strcmp(path, "-") == 0) {
        outlet->file = stdout;
        outlet->path = "standard output";
    } else {
        outlet->file = fopen(path, "wb");
        outlet->close_file = true;
    }
    if (outlet->file == NULL) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "%s: %s", path, strerror(errno));
    }
    setvbuf(outlet->file, NULL, _IOFBF, FILE_BUFFER_BYTES);
    return UW_OK;
}

static enum uw_code create(struct uw_outlet **outlet, struct uw_error *error)
{
    struct uw_outlet *created = calloc(1, sizeof(*created));
    if (created == NULL) {
        return no_memory(error);
    }
    uw_arena_init(&created->memory, UW_OUTLET_EVENT_BYTES_MAX);
    *outlet = created;
    return UW_OK;
}

enum uw_code uw_outlet_open(const struct uw_config *config, const char *path, int64_t rate, struct uw_outlet **outlet,
                            struct uw_error *error)
{
    struct uw_outlet *opened = NULL;
    enum uw_code code = create(&opened, error);
    if (code != UW_OK) {
        return code;
    }
    if (path != NULL) {
        code = open_file(opened, path, error);
    } else {
        code = uw_codec_open(NULL, &opened->codec, error);
        code = code == UW_OK ? open_kafka(opened, config, error) : code;
    }
    if (code != UW_OK) {
        uw_outlet_close(&opened);
        return code;
    }
    opened->rate = rate;
    opened->started_ms = uw_clock_monotonic_ms();
    *outlet = opened;
    return UW_OK;
}

enum uw_code uw_outlet_open_nowhere(struct uw_outlet **outlet, struct uw_error *error)
{
    struct uw_outlet *opened = NULL;
    enum uw_code code = create(&opened, error);
    if (code != UW_OK) {
        return code;
    }
    code = uw_codec_open(NULL, &opened->codec, error);
    if (code != UW_OK) {
        uw_outlet_close(&opened);
        return code;
    }
    *outlet = opened;
    return UW_OK;
}

/* Event number n of the run is due n / rate seconds after the start. */
static void await_turn(const struct uw_outlet *outlet)
{
    while (outlet->rate > 0 && !uw_signals_stop_requested()) {
        int64_t elapsed_ms = uw_clock_monotonic_ms() - outlet->started_ms;
        int64_t due_ms = (int64_t)outlet->total * 1000 / outlet->rate;
        if (due_ms <= elapsed_ms) {
            return;
        }
        /* What is written must be seen at this rate as well, and not when a buffer is full. */
        if (outlet->file != NULL) {
            fflush(outlet->file);
        }
        sleep_ms(due_ms - elapsed_ms > RATE_CHECK_MS ? RATE_CHECK_MS : due_ms - elapsed_ms);
    }
}

static enum uw_code write_failed(const struct uw_outlet *outlet, struct uw_error *error)
{
    return uw_error_set(error, UW_EIO, UW_CLASS_FATAL, "%s: %s", outlet->path, strerror(errno));
}

static enum uw_code write_line(struct uw_outlet *outlet, const struct uw_event *event, struct uw_error *error)
{
    struct uw_str line;
    if (uw_json_write_event(event, &outlet->memory, &line) != UW_OK) {
        return cannot_encode(outlet, error);
    }
    if (fwrite(line.data, 1, line.length, outlet->file) != line.length || fputc('\n', outlet->file) == EOF) {
        return write_failed(outlet, error);
    }
    outlet->statistics.delivered++;
    return UW_OK;
}

/* A full queue means that Kafka is slow or away: the same call again, for as long as nobody asks to stop. */
static enum uw_code send_message(struct uw_outlet *outlet, enum uw_topic topic, struct uw_str key, struct uw_str value,
                                 struct uw_error *error)
{
    for (;;) {
        enum uw_code code = uw_feeder_send(outlet->feeder, topic, key, value, error);
        if (code == UW_OK || error->class != UW_CLASS_RETRY || uw_signals_stop_requested()) {
            return code;
        }
        uw_log(UW_LOG_WARNING, "%s; going on trying", error->text);
    }
}

enum uw_code uw_outlet_send(struct uw_outlet *outlet, const struct uw_event *event, struct uw_error *error)
{
    struct uw_str value;
    enum uw_code code;
    await_turn(outlet);
    uw_arena_reset(&outlet->memory);
    if (outlet->file != NULL) {
        code = write_line(outlet, event, error);
    } else if (uw_codec_encode(outlet->codec, event, &outlet->memory, &value) != UW_OK) {
        code = cannot_encode(outlet, error);
    } else if (outlet->feeder != NULL) {
        code = send_message(outlet, event->topic, event->client, value, error);
    } else {
        code = UW_OK;
    }
    if (code == UW_OK) {
        outlet->statistics.events[event->topic]++;
        outlet->total++;
    }
    return code;
}

enum uw_code uw_outlet_finish(struct uw_outlet *outlet, struct uw_error *error)
{
    if (outlet->file != NULL) {
        return fflush(outlet->file) == 0 ? UW_OK : write_failed(outlet, error);
    }
    if (outlet->feeder == NULL) {
        return UW_OK;
    }
    for (;;) {
        enum uw_code code = uw_feeder_flush(outlet->feeder, outlet->timeout_ms, error);
        if (code == UW_OK || error->class != UW_CLASS_RETRY || uw_signals_stop_requested()) {
            return code;
        }
        uw_log(UW_LOG_WARNING, "%s; going on waiting", error->text);
    }
}

void uw_outlet_statistics(const struct uw_outlet *outlet, struct uw_outlet_statistics *statistics)
{
    *statistics = outlet->statistics;
    if (outlet->feeder != NULL) {
        struct uw_feeder_statistics fed;
        uw_feeder_statistics(outlet->feeder, &fed);
        statistics->delivered = fed.delivered;
    }
}

void uw_outlet_close(struct uw_outlet **outlet)
{
    struct uw_outlet *closing = *outlet;
    if (closing == NULL) {
        return;
    }
    if (closing->close_file && closing->file != NULL) {
        fclose(closing->file);
    }
    uw_feeder_close(&closing->feeder);
    uw_codec_close(&closing->codec);
    uw_arena_close(&closing->memory);
    free(closing);
    *outlet = NULL;
}
