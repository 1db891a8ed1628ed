/*
 * Sending dead letters again, each once: the topics themselves say what was replayed.
 *
 *   1. Read the dead letters that are asked for and would be accepted now; remember where they came from.
 *   2. Read the stretch behind each of those places for records that say they are its replay.
 *   3. Send the others.
 *
 * Nothing is recorded beside the record itself, so that a crash cannot come between the two. A record can be sent
 * twice all the same: by two replays at the same moment; by one that begins while the last request of one that was
 * killed is still on its way; or when retention has taken the replay and not the dead letter. That is harmless: the
 * processor takes the second one for a redelivery, which changes nothing (SPEC section 2, Winners).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/candidates.h"
#include "cli/dead_letters.h"
#include "cli/kafka_log.h"
#include "core/client.h"
#include "producers/replayer.h"

/* Sent before their acknowledgement is waited for. */
#define PENDING_RECORDS_MAX 1000u
#define PENDING_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define ORIGIN_BYTES 320
#define ERRORS_PREFIX "__streams.errors."

struct replay {
    struct uw_letters *letters;
    struct uw_replayer *replayer; /* NULL: a dry run */
    struct uw_candidates candidates;
    uint32_t pending; /* sent and not acknowledged */
    size_t pending_bytes;
    int64_t sent, acknowledged, before, refused, foreign;
    struct uw_header *headers; /* of the letter that is being sent */
    uint32_t header_capacity;
};

/* ---- telling ---- */

static void tell(const struct replay *replay, const struct uw_letter *letter, const char *what, const char *reason,
                 const char *text)
{
    if (replay->letters->json) {
        printf("{\"partition\": %" PRId32 ", \"offset\": %" PRId64 ", \"topic\": ", letter->partition, letter->offset);
        uw_letter_print_json(letter->topic);
        printf(", \"topic_partition\": %" PRId32 ", \"topic_offset\": %" PRId64 ", \"result\": \"%s\"",
               letter->origin_partition, letter->origin_offset, what);
        if (reason != NULL) {
            printf(", \"reason\": \"%s\", \"text\": ", reason);
            uw_letter_print_json(uw_str_from(text));
        }
        printf("}\n");
        return;
    }
    printf("%" PRId32 ":%" PRId64 "  ", letter->partition, letter->offset);
    uw_letter_print(letter->topic);
    printf("/%" PRId32 "/%" PRId64 "  %s", letter->origin_partition, letter->origin_offset, what);
    if (reason != NULL) {
        printf(": %s, ", reason);
        uw_letter_print(uw_str_from(text));
    }
    putchar('\n');
}

/* ---- 1. what is to be sent ---- */

static enum uw_code choose(void *context, const struct uw_letter *letter, bool *stop, struct uw_error *error)
{
    struct replay *replay = context;
    struct uw_refusal refusal = {UW_REFUSED_NOT, ""};
    struct uw_event event;
    enum uw_code code = UW_OK;

    (void)stop;
    if (letter->topic_index < 0 || letter->origin_partition < 0) {
        replay->foreign++;
        tell(replay, letter, "of no configured topic", NULL, NULL);
        return UW_OK;
    }
    if (!replay->letters->all) {
        code = uw_letter_decode(replay->letters, letter, &event, &refusal, error);
    }
    if (code == UW_EINPUT) {
        replay->refused++;
        tell(replay, letter, "still refused", uw_refusal_reason_name(refusal.reason), refusal.text);
        return UW_OK;
    }
    if (code != UW_OK) {
        return code;
    }
    return uw_candidates_add(&replay->candidates,
                             &(struct uw_candidate){letter->topic_index, letter->origin_partition,
                                                    letter->origin_offset, letter->partition, letter->offset, false},
                             error);
}

/* ---- 2. what was replayed ---- */

static void mark_replayed(struct replay *replay, const struct uw_audit_message *message)
{
    for (uint32_t i = 0; i < message->header_count; i++) {
        int32_t topic_index, partition;
        int64_t offset;
        struct uw_candidate *found;

        if (!uw_str_equal(message->headers[i].name, UW_STR(UW_REPLAY_HEADER)) ||
            !uw_letter_origin_parse(replay->letters->config, message->headers[i].value, &topic_index, &partition,
                                    &offset)) {
            continue;
        }
        found = uw_candidates_find(&replay->candidates, topic_index, partition, offset);
        if (found != NULL) {
            found->replayed = true;
        }
    }
}

/* Replays go to the partition of their origin, so that they lie behind it. */
static enum uw_code scan_partition(struct replay *replay, const struct uw_candidate *first,
                                   struct uw_progress *progress, int64_t *seen, struct uw_error *error)
{
    struct uw_audit *audit = replay->letters->audit;
    const char *topic = replay->letters->config->topics[first->topic_index];
    const struct uw_audit_message *message = NULL;
    int64_t low = 0, high = 0, from = first->origin_offset + 1;
    enum uw_code code = uw_audit_range(audit, topic, first->origin_partition, &low, &high, error);

    if (code == UW_OK) {
        code = uw_audit_start(audit, topic, first->origin_partition, from > low ? from : low, high, error);
    }
    while (code == UW_OK && !uw_signals_stop_requested()) {
        code = uw_audit_next(audit, &message, error);
        if (code != UW_OK || message == NULL) {
            break;
        }
        mark_replayed(replay, message);
        uw_progress_show(progress, (*seen)++);
    }
    return code;
}

static enum uw_code scan(struct replay *replay, struct uw_error *error)
{
    struct uw_progress progress;
    int64_t seen = 0;
    enum uw_code code = UW_OK;

    uw_progress_init(&progress, "records looked at", 0);
    for (uint32_t i = 0; i < replay->candidates.count && code == UW_OK && !uw_signals_stop_requested(); i++) {
        const struct uw_candidate *candidate = &replay->candidates.items[i], *before = candidate - 1;

        if (i == 0 || candidate->topic_index != before->topic_index ||
            candidate->origin_partition != before->origin_partition) {
            code = scan_partition(replay, candidate, &progress, &seen, error);
        }
    }
    uw_progress_close(&progress);
    return code;
}

/* ---- 3. sending ---- */

static enum uw_code flush(struct replay *replay, struct uw_error *error)
{
    enum uw_code code = replay->replayer == NULL ? UW_OK : uw_replayer_flush(replay->replayer, error);

    if (code == UW_OK) {
        replay->acknowledged = replay->sent;
        replay->pending = 0;
        replay->pending_bytes = 0;
    }
    return code;
}

/* The headers of the refused record, without those about its refusal, and the one that says what this is. */
static enum uw_code make_headers(struct replay *replay, const struct uw_letter *letter, char origin[ORIGIN_BYTES],
                                 uint32_t *count, struct uw_error *error)
{
    uint32_t kept = 0;

    if (!uw_reserve((void **)&replay->headers, &replay->header_capacity, letter->header_count + 1,
                    sizeof *replay->headers)) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the headers of a dead letter");
    }
    for (uint32_t i = 0; i < letter->header_count; i++) {
        struct uw_str name = letter->headers[i].name;
        uint32_t prefix = (uint32_t)strlen(ERRORS_PREFIX);

        if ((name.length >= prefix && memcmp(name.data, ERRORS_PREFIX, prefix) == 0) ||
            uw_str_equal(name, UW_STR(UW_REPLAY_HEADER))) {
            continue;
        }
        replay->headers[kept++] = letter->headers[i];
    }
    (void)snprintf(origin, ORIGIN_BYTES, "%s/%" PRId32 "/%" PRId64,
                   replay->letters->config->topics[letter->topic_index], letter->origin_partition,
                   letter->origin_offset);
    replay->headers[kept++] = (struct uw_header){UW_STR(UW_REPLAY_HEADER), uw_str_from(origin)};
    *count = kept;
    return UW_OK;
}

static enum uw_code send_letter(struct replay *replay, const struct uw_letter *letter, struct uw_error *error)
{
    const char *topic = replay->letters->config->topics[letter->topic_index];
    char origin[ORIGIN_BYTES];
    uint32_t count = 0;
    enum uw_code code = make_headers(replay, letter, origin, &count, error);

    if (code == UW_OK && replay->replayer != NULL) {
        code = uw_replayer_send(replay->replayer, topic, letter->origin_partition, letter->key, letter->value,
                                replay->headers, count, error);
    }
    if (code != UW_OK) {
        return code;
    }
    replay->sent++;
    replay->pending++;
    replay->pending_bytes += (size_t)letter->key.length + letter->value.length;
    tell(replay, letter, replay->replayer != NULL ? "sent" : "would be sent", NULL, NULL);
    return replay->pending >= PENDING_RECORDS_MAX || replay->pending_bytes >= PENDING_BYTES_MAX
               ? flush(replay, error)
               : UW_OK;
}

static enum uw_code visit_send(void *context, const struct uw_letter *letter, bool *stop, struct uw_error *error)
{
    struct replay *replay = context;
    struct uw_candidate *found = letter->topic_index < 0
                                     ? NULL
                                     : uw_candidates_find(&replay->candidates, letter->topic_index,
                                                          letter->origin_partition, letter->origin_offset);

    /* Refused above, published since then, or another copy of the same letter. */
    if (found == NULL || found->partition != letter->partition || found->offset != letter->offset) {
        return UW_OK;
    }
    if (found->replayed) {
        replay->before++;
        tell(replay, letter, "replayed before", NULL, NULL);
        return UW_OK;
    }
    *stop = replay->letters->limit > 0 && replay->sent + 1 >= replay->letters->limit;
    return send_letter(replay, letter, error);
}

/* ---- the whole ---- */

static enum uw_code open_replayer(struct replay *replay, struct uw_error *error)
{
    const struct uw_config *config = replay->letters->config;
    const struct uw_replayer_options options = {.properties = config->kafka,
                                                .property_count = config->kafka_count,
                                                .timeout_ms = config->kafka_timeout_ms,
                                                .log = uw_kafka_log_make()};

    return replay->letters->dry_run ? UW_OK : uw_replayer_open(&options, &replay->replayer, error);
}

static enum uw_code replay_all(struct replay *replay, struct uw_error *error)
{
    enum uw_code code = uw_letters_each(replay->letters, choose, replay, error);

    if (code == UW_OK) {
        uw_candidates_sort(&replay->candidates);
        code = scan(replay, error);
    }
    /* Without having looked at everything nothing may be sent. */
    if (code != UW_OK || replay->candidates.count == 0 || uw_signals_stop_requested()) {
        return code;
    }
    code = open_replayer(replay, error);
    if (code == UW_OK) {
        code = uw_letters_each(replay->letters, visit_send, replay, error);
    }
    return code == UW_OK ? flush(replay, error) : code;
}

static void print_sum(const struct replay *replay)
{
    int64_t done = replay->letters->dry_run ? replay->sent : replay->acknowledged;

    if (replay->letters->json) {
        printf("{\"summary\": {\"replayed\": %" PRId64 ", \"replayed_before\": %" PRId64 ", \"still_refused\": %" PRId64
               ", \"of_no_topic\": %" PRId64 ", \"dry_run\": %s}}\n",
               done, replay->before, replay->refused, replay->foreign, replay->letters->dry_run ? "true" : "false");
        return;
    }
    printf("%" PRId64 " %s, %" PRId64 " replayed before, %" PRId64 " still refused", done,
           replay->letters->dry_run ? "would be replayed" : "replayed", replay->before, replay->refused);
    if (replay->foreign > 0) {
        printf(", %" PRId64 " of no configured topic", replay->foreign);
    }
    putchar('\n');
}

int uw_letters_replay(struct uw_letters *letters, struct uw_error *error)
{
    struct replay *replay = calloc(1, sizeof *replay);
    int status = UW_EXIT_OK;
    enum uw_code code;

    if (replay == NULL) {
        uw_complain("no memory for dead letters");
        return UW_EXIT_FAILED;
    }
    replay->letters = letters;
    uw_candidates_init(&replay->candidates, UW_CANDIDATES_MAX);
    code = replay_all(replay, error);
    uw_replayer_close(&replay->replayer);
    print_sum(replay);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        uw_complain("standard output cannot be written");
        status = UW_EXIT_FAILED;
    }
    if (code != UW_OK) {
        status = uw_letters_fail(code, error);
    } else if (uw_signals_stop_requested()) {
        uw_complain("stopped: run it again to send the rest");
        status = UW_EXIT_FAILED;
    }
    for (uint32_t i = 0; i < letters->place_count && code == UW_OK; i++) {
        if (!letters->found[i]) {
            uw_complain("%" PRId32 ":%" PRId64 ": there is no such dead letter", letters->places[i].partition,
                        letters->places[i].offset);
            status = UW_EXIT_FAILED;
        }
    }
    uw_candidates_close(&replay->candidates);
    free(replay->headers);
    free(replay);
    return status;
}
