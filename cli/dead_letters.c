/*
 * urenwacht dead-letters: what was refused, and sending it again when a schema or a rule was mended.
 */
#include "cli/dead_letters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/since.h"
#include "schemas/json.h"

#define HEX_COLUMNS 16u
#define REASON_COUNT (UW_REFUSED_RULE + 1)

static const char usage[] = "dead-letters list | show PARTITION:OFFSET... | replay [PARTITION:OFFSET...] [OPTIONS]";
static const char about[] =
    "list    one line for each: where it is, where it was refused, why\n"
    "show    all of it: headers, bytes, and what the processor would say now\n"
    "replay  sends those that would be accepted now to the topic and partition that they came from, with their key,\n"
    "        value and headers; what was replayed before is not sent again\n\n"
    "A replayed record has the header urenwacht.replay-of with topic/partition/offset of the refused one. By that\n"
    "header the topics themselves say what was replayed, so that an interrupted replay can simply be run again.\n\n"
    "Keys are client ids: list and replay leave them out.\n";

static const struct uw_option table[] = {
    {"reason", "R", "only those refused for this reason, for instance UNKNOWN_SCHEMA"},
    {"topic", "T", "only those of this input topic (decisions, declarations, no-shows, evaluations)"},
    {"since", "TIME", "only those published at or after this date, UTC instant or time ago (2026-03-01, 2h, 7d)"},
    {"limit", "N", "list or send at most N"},
    {"json", NULL, "one JSON object a line"},
    {"show-keys", NULL, "list: with the key of each record"},
    {"dry-run", NULL, "replay: say what would be sent and send nothing"},
    {"all", NULL, "replay: also what would be refused again"},
};
#define TABLE_COUNT ((uint32_t)(sizeof table / sizeof table[0]))

int uw_letters_fail(enum uw_code code, const struct uw_error *error)
{
    uw_complain("%s", error->text);
    return code == UW_ECONFIG ? UW_EXIT_USAGE : UW_EXIT_FAILED;
}

static int flush_output(void)
{
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        uw_complain("standard output cannot be written");
        return UW_EXIT_FAILED;
    }
    return uw_signals_stop_requested() ? UW_EXIT_FAILED : UW_EXIT_OK;
}

/* ---- list ---- */

struct listing {
    struct uw_letters *letters;
    int64_t shown;
    int64_t by_reason[REASON_COUNT]; /* by enum uw_refusal_reason; the first one is "another" */
};

static void print_instant(int64_t instant_ms)
{
    char date[UW_DATE_TEXT_BYTES];
    int32_t day = uw_utc_day(instant_ms);
    int64_t second = (instant_ms - day * UW_MS_PER_DAY) / 1000;

    uw_date_format(day, date);
    printf("%sT%02" PRId64 ":%02" PRId64 ":%02" PRId64 "Z", date, second / 3600, second / 60 % 60, second % 60);
}

static void list_json(const struct uw_letters *letters, const struct uw_letter *letter)
{
    printf("{\"partition\": %" PRId32 ", \"offset\": %" PRId64 ", \"published_at\": ", letter->partition,
           letter->offset);
    if (letter->timestamp_ms > 0) {
        putchar('"');
        print_instant(letter->timestamp_ms);
        putchar('"');
    } else {
        printf("null");
    }
    printf(", \"topic\": ");
    uw_letter_print_json(letter->topic);
    if (letter->origin_partition >= 0) {
        printf(", \"topic_partition\": %" PRId32 ", \"topic_offset\": %" PRId64, letter->origin_partition,
               letter->origin_offset);
    } else {
        printf(", \"topic_partition\": null, \"topic_offset\": null");
    }
    printf(", \"reason\": ");
    uw_letter_print_json(letter->reason);
    printf(", \"text\": ");
    uw_letter_print_json(letter->text);
    printf(", \"bytes\": %" PRIu32, letter->value.length);
    if (letters->show_keys) {
        printf(", \"key\": ");
        uw_letter_print_json(letter->key);
    }
    printf("}\n");
}

static void list_line(const struct uw_letters *letters, const struct uw_letter *letter)
{
    char place[48], origin[320];

    (void)snprintf(place, sizeof place, "%" PRId32 ":%" PRId64, letter->partition, letter->offset);
    (void)snprintf(origin, sizeof origin, "%.*s/%" PRId32 "/%" PRId64, (int)letter->topic.length,
                   uw_str_is_null(letter->topic) ? "" : letter->topic.data, letter->origin_partition,
                   letter->origin_offset);
    printf("%-12s ", place);
    if (letter->timestamp_ms > 0) {
        print_instant(letter->timestamp_ms);
    } else {
        printf("%-20s", "-");
    }
    printf("  ");
    uw_letter_print(uw_str_from(origin));
    printf("%*s ", strlen(origin) < 36 ? (int)(36 - strlen(origin)) : 0, "");
    uw_letter_print(letter->reason);
    printf("%*s ", letter->reason.length < 14 ? (int)(14 - letter->reason.length) : 0, "");
    uw_letter_print(letter->text);
    if (letters->show_keys) {
        printf("  key ");
        uw_letter_print(uw_str_is_null(letter->key) ? UW_STR("(none)") : letter->key);
    }
    putchar('\n');
}

static enum uw_code list_letter(void *context, const struct uw_letter *letter, bool *stop, struct uw_error *error)
{
    struct listing *listing = context;
    int reason = REASON_COUNT - 1;

    (void)error;
    while (reason > 0 &&
           !uw_str_equal(letter->reason, uw_str_from(uw_refusal_reason_name((enum uw_refusal_reason)reason)))) {
        reason--;
    }
    listing->by_reason[reason]++;
    if (listing->letters->json) {
        list_json(listing->letters, letter);
    } else {
        list_line(listing->letters, letter);
    }
    listing->shown++;
    *stop = ferror(stdout) != 0 || (listing->letters->limit > 0 && listing->shown >= listing->letters->limit);
    return UW_OK;
}

int uw_letters_list(struct uw_letters *letters, struct uw_error *error)
{
    struct listing listing = {.letters = letters};
    enum uw_code code;

    if (!letters->json) {
        printf("%-12s %-20s  %-36s %-14s %s\n", "where", "published", "refused at", "reason", "what is wrong");
    }
    code = uw_letters_each(letters, list_letter, &listing, error);
    if (code != UW_OK) {
        return uw_letters_fail(code, error);
    }
    if (!letters->json) {
        printf("%" PRId64 " dead letter%s", listing.shown, listing.shown == 1 ? "" : "s");
        for (int i = 0; i < REASON_COUNT; i++) {
            if (listing.by_reason[i] > 0) {
                printf(", %s %" PRId64, i == 0 ? "another reason" : uw_refusal_reason_name((enum uw_refusal_reason)i),
                       listing.by_reason[i]);
            }
        }
        putchar('\n');
    }
    return flush_output();
}

/* ---- show ---- */

static void print_hex(struct uw_str bytes)
{
    for (uint32_t first = 0; first < bytes.length; first += HEX_COLUMNS) {
        uint32_t count = bytes.length - first < HEX_COLUMNS ? bytes.length - first : HEX_COLUMNS;

        printf("  %08" PRIx32 " ", first);
        for (uint32_t i = 0; i < HEX_COLUMNS; i++) {
            if (i < count) {
                printf(" %02x", (uint8_t)bytes.data[first + i]);
            } else {
                printf("   ");
            }
        }
        printf("  |");
        for (uint32_t i = 0; i < count; i++) {
            char letter = bytes.data[first + i];

            putchar(letter >= 0x20 && letter < 0x7F ? letter : '.');
        }
        printf("|\n");
    }
}

/* What the processor would say of it now. */
static enum uw_code print_verdict(struct uw_letters *letters, const struct uw_letter *letter, struct uw_error *error)
{
    struct uw_refusal refusal = {UW_REFUSED_NOT, ""};
    struct uw_str json = UW_STR_NULL;
    struct uw_event event;
    enum uw_code code;

    if (letter->topic_index < 0) {
        printf("now        of no configured topic: it cannot be read\n");
        return UW_OK;
    }
    code = uw_letter_decode(letters, letter, &event, &refusal, error);
    if (code == UW_EINPUT) {
        printf("now        refused: %s, ", uw_refusal_reason_name(refusal.reason));
        uw_letter_print(uw_str_from(refusal.text));
        putchar('\n');
        return UW_OK;
    }
    if (code == UW_OK && uw_json_write_event(&event, &letters->arena, &json) != UW_OK) {
        code = uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory to show an event");
    }
    if (code == UW_OK) {
        printf("now        accepted: %.*s\n", (int)json.length, json.data);
    }
    return code;
}

static enum uw_code show_letter(void *context, const struct uw_letter *letter, bool *stop, struct uw_error *error)
{
    struct uw_letters *letters = context;

    (void)stop;
    printf("where      %s, partition %" PRId32 ", offset %" PRId64 "\n",
           letters->config->outputs[UW_OUTPUT_DEAD_LETTERS], letter->partition, letter->offset);
    if (letter->timestamp_ms > 0) {
        printf("published  ");
        print_instant(letter->timestamp_ms);
        putchar('\n');
    }
    printf("refused    ");
    uw_letter_print(letter->topic);
    printf(", partition %" PRId32 ", offset %" PRId64 "\nreason     ", letter->origin_partition, letter->origin_offset);
    uw_letter_print(letter->reason);
    printf(": ");
    uw_letter_print(letter->text);
    printf("\nkey        ");
    uw_letter_print(uw_str_is_null(letter->key) ? UW_STR("(none)") : letter->key);
    putchar('\n');
    for (uint32_t i = 0; i < letter->header_count; i++) {
        printf("header     ");
        uw_letter_print(letter->headers[i].name);
        printf(" = ");
        uw_letter_print(uw_str_is_null(letter->headers[i].value) ? UW_STR("(null)") : letter->headers[i].value);
        putchar('\n');
    }
    if (uw_str_is_null(letter->value)) {
        printf("value      (none)\n");
    } else {
        printf("value      %" PRIu32 " byte%s\n", letter->value.length, letter->value.length == 1 ? "" : "s");
        print_hex(letter->value);
    }
    return print_verdict(letters, letter, error);
}

/* Those named that are not there. */
static uint32_t complain_missing(const struct uw_letters *letters)
{
    uint32_t missing = 0;

    for (uint32_t i = 0; i < letters->place_count; i++) {
        if (!letters->found[i]) {
            uw_complain("%" PRId32 ":%" PRId64 ": there is no such dead letter", letters->places[i].partition,
                        letters->places[i].offset);
            missing++;
        }
    }
    return missing;
}

int uw_letters_show(struct uw_letters *letters, struct uw_error *error)
{
    enum uw_code code = uw_letters_each(letters, show_letter, letters, error);
    int status;

    if (code != UW_OK) {
        return uw_letters_fail(code, error);
    }
    status = flush_output();
    return complain_missing(letters) > 0 ? UW_EXIT_FAILED : status;
}

/* ---- options ---- */

static bool parse_reason(const char *reason, struct uw_letters *letters)
{
    letters->reason = reason == NULL ? UW_STR_NULL : uw_str_from(reason);
    for (int i = 1; reason != NULL && i < REASON_COUNT; i++) {
        if (strcmp(reason, uw_refusal_reason_name((enum uw_refusal_reason)i)) == 0) {
            return true;
        }
    }
    if (reason != NULL) {
        uw_complain("--reason: '%.40s' is none; docs/dead-letters.md has them all", reason);
    }
    return reason == NULL;
}

static bool parse_topic(const char *topic, struct uw_letters *letters)
{
    letters->topic_index = -1;
    for (int i = 0; topic != NULL && i < UW_TOPIC_COUNT; i++) {
        if (strcmp(topic, uw_topic_name((enum uw_topic)i)) == 0 || strcmp(topic, letters->config->topics[i]) == 0) {
            letters->topic_index = i;
        }
    }
    if (topic != NULL && letters->topic_index < 0) {
        uw_complain("--topic: '%.80s' is none of decisions, declarations, no-shows, evaluations", topic);
        return false;
    }
    return true;
}

static int compare_places(const void *a, const void *b)
{
    const struct uw_letter_place *left = a, *right = b;

    if (left->partition != right->partition) {
        return left->partition < right->partition ? -1 : 1;
    }
    return (left->offset > right->offset) - (left->offset < right->offset);
}

static bool parse_places(const struct uw_options *options, struct uw_letters *letters)
{
    uint32_t kept = 0;

    for (uint32_t i = 1; i < options->operand_count; i++) {
        if (letters->place_count == UW_LETTER_PLACES_MAX) {
            uw_complain("dead-letters: at most %u places at once", UW_LETTER_PLACES_MAX);
            return false;
        }
        if (!uw_letter_place_parse(options->operands[i], &letters->places[letters->place_count++])) {
            uw_complain("dead-letters: '%.60s' is no place of the form PARTITION:OFFSET", options->operands[i]);
            return false;
        }
    }
    if (letters->place_count > 0) {
        qsort(letters->places, letters->place_count, sizeof letters->places[0], compare_places);
    }
    for (uint32_t i = 0; i < letters->place_count; i++) {
        if (kept == 0 || compare_places(&letters->places[kept - 1], &letters->places[i]) != 0) {
            letters->places[kept++] = letters->places[i];
        }
    }
    letters->place_count = kept;
    return true;
}

static bool parse(const struct uw_options *options, struct uw_letters *letters)
{
    const char *since = uw_option_text(options, "since", NULL);

    if (!parse_reason(uw_option_text(options, "reason", NULL), letters) ||
        !parse_topic(uw_option_text(options, "topic", NULL), letters) || !parse_places(options, letters) ||
        !uw_option_integer(options, "limit", 0, 1, INT64_MAX, &letters->limit)) {
        return false;
    }
    if (since != NULL && !uw_since_parse(since, uw_clock_ms(), &letters->since_ms)) {
        uw_complain("--since: %.40s is no date, UTC instant or time ago (2026-03-01, 2026-03-01T12:00:00Z, 2h)", since);
        return false;
    }
    letters->json = uw_option_given(options, "json");
    letters->show_keys = uw_option_given(options, "show-keys");
    letters->dry_run = uw_option_given(options, "dry-run");
    letters->all = uw_option_given(options, "all");
    return true;
}

static int run(const struct uw_options *options, const struct uw_config *config,
               int (*action)(struct uw_letters *letters, struct uw_error *error))
{
    struct uw_letters *letters = calloc(1, sizeof *letters);
    struct uw_error error = {.text = ""};
    enum uw_code code;
    int status = UW_EXIT_USAGE;

    if (letters == NULL) {
        uw_complain("no memory for dead letters");
        return UW_EXIT_FAILED;
    }
    letters->config = config;
    if (parse(options, letters)) {
        uw_signals_start();
        code = uw_letters_open(letters, &error);
        status = code == UW_OK ? action(letters, &error) : uw_letters_fail(code, &error);
        uw_letters_close(letters);
    }
    free(letters);
    return status;
}

int uw_command_dead_letters(int argc, char **argv)
{
    int (*action)(struct uw_letters *letters, struct uw_error *error) = NULL;
    struct uw_options options;
    struct uw_config config;
    const char *name;
    int status = uw_options_parse(argc, argv, usage, about, table, TABLE_COUNT, &options);

    if (status >= 0) {
        return status;
    }
    name = options.operand_count > 0 ? options.operands[0] : "";
    if (strcmp(name, "list") == 0 && options.operand_count == 1) {
        action = uw_letters_list;
    } else if (strcmp(name, "show") == 0 && options.operand_count > 1) {
        action = uw_letters_show;
    } else if (strcmp(name, "replay") == 0) {
        action = uw_letters_replay;
    } else {
        uw_complain("usage: urenwacht %s", usage);
        return UW_EXIT_USAGE;
    }
    if (!uw_options_config(&options, &config)) {
        return UW_EXIT_USAGE;
    }
    status = run(&options, &config, action);
    uw_config_close(&config);
    return status;
}
