#include "cli/verify_report.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Of one difference. */
#define ARENA_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define NUMBER_BYTES 24

const char *uw_verify_what_name(enum uw_verify_what what)
{
    switch (what) {
    case UW_VERIFY_PARTITION:
        return "partition";
    case UW_VERIFY_FACT:
        return "fact";
    case UW_VERIFY_CLIENT:
        return "client";
    case UW_VERIFY_ACCOUNT:
        return "account";
    case UW_VERIFY_ALERT:
        return "alert";
    case UW_VERIFY_ANOMALY:
        return "anomaly";
    case UW_VERIFY_HISTORY:
        return "history";
    case UW_VERIFY_AGGREGATE:
        return "aggregate";
    case UW_VERIFY_OUTBOX:
        return "outbox";
    case UW_VERIFY_TOPIC:
        return "topic";
    case UW_VERIFY_RECORD:
        return "record";
    case UW_VERIFY_DEAD_LETTER:
        return "dead-letter";
    }
    return "?";
}

const char *uw_verify_how_name(enum uw_verify_how how)
{
    switch (how) {
    case UW_VERIFY_MISSING:
        return "missing";
    case UW_VERIFY_EXTRA:
        return "extra";
    case UW_VERIFY_CHANGED:
        return "changed";
    }
    return "?";
}

void uw_verify_report_init(struct uw_verify_report *report, bool json, int64_t limit)
{
    memset(report, 0, sizeof *report);
    report->json = json;
    report->limit = limit;
    uw_arena_init(&report->arena, ARENA_BYTES_MAX);
}

void uw_verify_report_close(struct uw_verify_report *report)
{
    uw_arena_close(&report->arena);
}

/* ---- collecting one difference ---- */

void uw_verify_begin(struct uw_verify_report *report, enum uw_verify_what what, enum uw_verify_how how)
{
    uw_arena_reset(&report->arena);
    report->field_count = 0;
    report->what = what;
    report->how = how;
}

static void add_field(struct uw_verify_report *report, const struct uw_verify_field *field)
{
    assert(report->field_count < UW_VERIFY_FIELDS_MAX);
    if (field->is_key || report->how != UW_VERIFY_CHANGED || !uw_str_equal(field->stored, field->expected)) {
        report->fields[report->field_count++] = *field;
    }
}

/* Without memory the text is left out: the difference is counted and told all the same. */
static struct uw_str number_text(struct uw_verify_report *report, int64_t number)
{
    char text[NUMBER_BYTES];

    if (number == UW_MINUTES_NONE || number == UW_INT_NONE) {
        return UW_STR_NULL;
    }
    (void)snprintf(text, sizeof text, "%" PRId64, number);
    return uw_arena_copy(&report->arena, uw_str_from(text));
}

static struct uw_str day_text(struct uw_verify_report *report, int32_t day)
{
    char text[UW_DATE_TEXT_BYTES];

    if (day == UW_DAY_NONE) {
        return UW_STR_NULL;
    }
    /* A stored day can be anything; those that no rule can make are told as one. */
    if (day < UW_DAY_MIN - 36600 || day > UW_DAY_MAX + 36500) {
        return day < 0 ? UW_STR("-infinity") : UW_STR("infinity");
    }
    uw_date_format(day, text);
    return uw_arena_copy(&report->arena, uw_str_from(text));
}

void uw_verify_key(struct uw_verify_report *report, const char *name, struct uw_str value)
{
    add_field(report, &(struct uw_verify_field){name, true, false, uw_arena_copy(&report->arena, value), UW_STR_NULL});
}

void uw_verify_key_day(struct uw_verify_report *report, const char *name, int32_t day)
{
    add_field(report, &(struct uw_verify_field){name, true, false, day_text(report, day), UW_STR_NULL});
}

void uw_verify_key_number(struct uw_verify_report *report, const char *name, int64_t number)
{
    add_field(report, &(struct uw_verify_field){name, true, true, number_text(report, number), UW_STR_NULL});
}

void uw_verify_pair(struct uw_verify_report *report, const char *name, struct uw_str stored, struct uw_str expected)
{
    add_field(report, &(struct uw_verify_field){name, false, false, uw_arena_copy(&report->arena, stored),
                                                uw_arena_copy(&report->arena, expected)});
}

void uw_verify_pair_day(struct uw_verify_report *report, const char *name, int32_t stored_day, int32_t expected_day)
{
    add_field(report, &(struct uw_verify_field){name, false, false, day_text(report, stored_day),
                                                day_text(report, expected_day)});
}

void uw_verify_pair_number(struct uw_verify_report *report, const char *name, int64_t stored, int64_t expected)
{
    add_field(report, &(struct uw_verify_field){name, false, true, number_text(report, stored),
                                                number_text(report, expected)});
}

/* ---- printing ---- */

/* Length of the UTF-8 character at `text`, 0 when it is none. */
static uint32_t character_length(struct uw_str text)
{
    for (uint32_t length = 1; length <= 4 && length <= text.length; length++) {
        if (uw_utf8_length((struct uw_str){text.data, length}) == 1) {
            return length;
        }
    }
    return 0;
}

/* For people: whatever the bytes are, the terminal gets no control characters. */
static void print_plain(struct uw_str text)
{
    struct uw_str rest = text;

    if (uw_str_is_null(text)) {
        printf("none");
    }
    while (rest.length > 0) {
        uint32_t length = character_length(rest);
        uint8_t first = (uint8_t)rest.data[0];

        if (length == 0 || first < 0x20 || first == 0x7F) {
            printf("\\x%02x", first);
            length = 1;
        } else {
            (void)fwrite(rest.data, 1, length, stdout);
        }
        rest.data += length;
        rest.length -= length;
    }
}

static void print_json(struct uw_str text, bool is_number)
{
    struct uw_str rest = text;

    if (uw_str_is_null(text) || is_number) {
        printf("%.*s", uw_str_is_null(text) ? 4 : (int)text.length, uw_str_is_null(text) ? "null" : text.data);
        return;
    }
    putchar('"');
    while (rest.length > 0) {
        uint32_t length = character_length(rest);
        uint8_t first = (uint8_t)rest.data[0];

        if (length == 0 || first < 0x20) {
            printf("\\u%04x", first);
            length = 1;
        } else {
            if (first == '"' || first == '\\') {
                putchar('\\');
            }
            (void)fwrite(rest.data, 1, length, stdout);
        }
        rest.data += length;
        rest.length -= length;
    }
    putchar('"');
}

static void print_side(const struct uw_verify_report *report, const char *name, bool expected)
{
    const char *separator = "";

    printf(", \"%s\": {", name);
    for (uint32_t i = 0; i < report->field_count; i++) {
        const struct uw_verify_field *field = &report->fields[i];

        if (!field->is_key) {
            printf("%s\"%s\": ", separator, field->name);
            print_json(expected ? field->expected : field->stored, field->is_number);
            separator = ", ";
        }
    }
    putchar('}');
}

static void print_json_line(const struct uw_verify_report *report)
{
    printf("{\"what\": \"%s\", \"difference\": \"%s\"", uw_verify_what_name(report->what),
           uw_verify_how_name(report->how));
    for (uint32_t i = 0; i < report->field_count; i++) {
        if (report->fields[i].is_key) {
            printf(", \"%s\": ", report->fields[i].name);
            print_json(report->fields[i].stored, report->fields[i].is_number);
        }
    }
    if (report->how != UW_VERIFY_MISSING) {
        print_side(report, "stored", false);
    }
    if (report->how != UW_VERIFY_EXTRA) {
        print_side(report, "recomputed", true);
    }
    printf("}\n");
}

static void print_plain_line(const struct uw_verify_report *report)
{
    const char *separator = ": ";

    printf("%-11s %-8s", uw_verify_what_name(report->what), uw_verify_how_name(report->how));
    for (uint32_t i = 0; i < report->field_count; i++) {
        if (report->fields[i].is_key && !uw_str_is_null(report->fields[i].stored)) {
            printf(" %s=", report->fields[i].name);
            print_plain(report->fields[i].stored);
        }
    }
    for (uint32_t i = 0; i < report->field_count; i++) {
        const struct uw_verify_field *field = &report->fields[i];

        if (field->is_key) {
            continue;
        }
        printf("%s%s ", separator, field->name);
        if (report->how != UW_VERIFY_MISSING) {
            printf("stored ");
            print_plain(field->stored);
        }
        if (report->how == UW_VERIFY_CHANGED) {
            printf(", ");
        }
        if (report->how != UW_VERIFY_EXTRA) {
            printf("recomputed ");
            print_plain(field->expected);
        }
        separator = "; ";
    }
    putchar('\n');
}

void uw_verify_end(struct uw_verify_report *report)
{
    report->differences[report->what]++;
    if (report->limit != 0 && report->printed >= report->limit) {
        return;
    }
    report->printed++;
    if (report->json) {
        print_json_line(report);
    } else {
        print_plain_line(report);
    }
    report->broken = ferror(stdout) != 0;
}

int64_t uw_verify_difference_count(const struct uw_verify_report *report)
{
    int64_t count = 0;

    for (int i = 0; i < UW_VERIFY_WHAT_COUNT; i++) {
        count += report->differences[i];
    }
    return count;
}

/* What is no difference and still good to know. */
static void print_notes(const struct uw_verify_report *report)
{
    const struct {
        int64_t count;
        const char *one, *many;
    } notes[] = {
        {report->waiting, "client waits to be judged, and was not compared in all",
         "clients wait to be judged, and were not compared in all"},
        {report->gone, "fact is older than what its topic still holds",
         "facts are older than what their topics still hold"},
        {report->replayable, "dead letter would be accepted now, if sent again by urenwacht dead-letters replay",
         "dead letters would be accepted now, if sent again by urenwacht dead-letters replay"},
        {report->replays, "record is a dead letter that was sent again",
         "records are dead letters that were sent again"},
        {report->repeated, "dead letter was published more than once",
         "dead letters were published more than once"},
    };

    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        if (notes[i].count > 0) {
            printf("%" PRId64 " %s\n", notes[i].count, notes[i].count == 1 ? notes[i].one : notes[i].many);
        }
    }
}

static void print_table(const struct uw_verify_report *report, bool complete)
{
    int64_t differences = uw_verify_difference_count(report);

    if (report->limit != 0 && differences > report->printed) {
        printf("... and %" PRId64 " more\n", differences - report->printed);
    }
    printf("%s%-12s %14s %14s\n", report->printed > 0 ? "\n" : "", "", "compared", "differences");
    for (int i = 0; i < UW_VERIFY_WHAT_COUNT; i++) {
        if (report->compared[i] > 0 || report->differences[i] > 0) {
            printf("%-12s %14" PRId64 " %14" PRId64 "\n", uw_verify_what_name((enum uw_verify_what)i),
                   report->compared[i], report->differences[i]);
        }
    }
    print_notes(report);
    if (!complete) {
        printf("ended early: not everything was compared\n");
    } else if (differences == 0) {
        printf("no difference\n");
    } else {
        printf("%" PRId64 " difference%s\n", differences, differences == 1 ? "" : "s");
    }
}

void uw_verify_summary(struct uw_verify_report *report, bool complete)
{
    if (!report->json) {
        print_table(report, complete);
    } else {
        printf("{\"summary\": {\"complete\": %s, \"differences\": %" PRId64, complete ? "true" : "false",
               uw_verify_difference_count(report));
        for (int i = 0; i < UW_VERIFY_WHAT_COUNT; i++) {
            printf(", \"%s\": {\"compared\": %" PRId64 ", \"differences\": %" PRId64 "}",
                   uw_verify_what_name((enum uw_verify_what)i), report->compared[i], report->differences[i]);
        }
        printf(", \"waiting\": %" PRId64 ", \"gone\": %" PRId64 ", \"replayable\": %" PRId64 ", \"replays\": %" PRId64
               ", \"repeated\": %" PRId64 "}}\n",
               report->waiting, report->gone, report->replayable, report->replays, report->repeated);
    }
    report->broken = report->broken || fflush(stdout) != 0 || ferror(stdout) != 0;
}
