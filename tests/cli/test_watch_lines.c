/*
 * The lines of `urenwacht watch`: what people read, in both languages, for every kind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/watch_lines.h"

#define KIND_AT 31 /* where the column of kinds begins */

static const struct uw_alert_figures no_figures = {
    .allotted_minutes = UW_MINUTES_NONE, .used_minutes = UW_MINUTES_NONE, .remaining_minutes = UW_MINUTES_NONE,
    .minimum_minutes = UW_MINUTES_NONE, .delivered_minutes = UW_MINUTES_NONE, .no_show_minutes = UW_MINUTES_NONE,
    .expected_minutes = UW_MINUTES_NONE, .ratio_percent = UW_MINUTES_NONE, .last_care_day = UW_DAY_NONE,
    .period_to_day = UW_DAY_NONE,
};

static struct uw_alert_record alert_of(enum uw_alert_kind kind)
{
    struct uw_alert_record record = {.observed_at_ms = 1772370131000}; /* 2026-03-01T13:02:11Z */

    record.alert.kind = kind;
    record.alert.client = UW_STR("client-1");
    record.alert.municipality = UW_STR("0363");
    record.alert.decision = UW_STR("WMO-123");
    record.alert.provider = UW_STR("12345678");
    record.alert.segment_from_day = record.alert.period_from_day = UW_DAY_NONE;
    record.alert.threshold = UW_INT_NONE;
    record.alert.severity = UW_SEVERITY_WARNING;
    record.alert.effective_on_day = uw_day_from_civil(2026, 2, 14);
    record.alert.revision = 1;
    record.alert.figures = no_figures;
    return record;
}

static void shows_alerts(void **state)
{
    struct uw_alert_record record = alert_of(UW_ALERT_SURPLUS_EXHAUSTED);
    char line[UW_WATCH_LINE_BYTES];

    (void)state;
    record.alert.severity = UW_SEVERITY_CRITICAL;
    record.alert.threshold = 100;
    record.alert.figures.allotted_minutes = 1200;
    record.alert.figures.used_minutes = 1205;
    uw_watch_alert_line(&record, UW_LANGUAGE_NL, false, line);
    assert_string_equal(line, "2026-03-01 13:02:11  kritiek   Surplus is op                0363 WMO-123"
                              "                  12345678  per 2026-02-14  20:05 van 20:00 uur gebruikt (grens 100%)");
    uw_watch_alert_line(&record, UW_LANGUAGE_EN, false, line);
    assert_string_equal(line, "2026-03-01 13:02:11  critical  Surplus exhausted            0363 WMO-123"
                              "                  12345678  on 2026-02-14  20:05 of 20:00 hours used (threshold 100%)");
    uw_watch_alert_line(&record, UW_LANGUAGE_NL, true, line);
    assert_non_null(strstr(line, "\033[1;31mkritiek"));
    record.alert.status = UW_STATUS_RESOLVED;
    uw_watch_alert_line(&record, UW_LANGUAGE_NL, false, line);
    assert_non_null(strstr(line, "opgelost"));
    /* A column is counted in characters: ó is one. */
    record = alert_of(UW_ALERT_PROJECTED_EXHAUSTION);
    uw_watch_alert_line(&record, UW_LANGUAGE_NL, false, line);
    assert_non_null(strstr(line, "Op vóór het einde            0363"));
}

static void has_words_for_every_kind(void **state)
{
    char line[UW_WATCH_LINE_BYTES];

    (void)state;
    for (int language = UW_LANGUAGE_NL; language <= (int)UW_LANGUAGE_EN; language++) {
        for (int kind = 0; kind < UW_ALERT_KIND_COUNT; kind++) {
            struct uw_alert_record record = alert_of((enum uw_alert_kind)kind);

            uw_watch_alert_line(&record, (enum uw_language)language, false, line);
            assert_null(strstr(line, "client-1"));
            assert_int_not_equal(line[KIND_AT], '?');
            assert_int_not_equal(line[strlen(line) - 1], ' ');
        }
        for (int kind = 0; kind < UW_ANOMALY_KIND_COUNT; kind++) {
            struct uw_anomaly_record record = {.subject = UW_STR("version:2")};

            record.anomaly.kind = (enum uw_anomaly_kind)kind;
            record.anomaly.municipality = UW_STR("0363");
            record.anomaly.decision = UW_STR("WMO-123");
            record.anomaly.first_day = record.anomaly.last_day = UW_DAY_NONE;
            record.anomaly.minutes = UW_MINUTES_NONE;
            uw_watch_anomaly_line(&record, (enum uw_language)language, false, line);
            assert_int_not_equal(line[KIND_AT], '?');
            assert_non_null(strstr(line, "version:2"));
        }
    }
}

static void shows_anomalies(void **state)
{
    struct uw_anomaly_record record = {
        .observed_at_ms = 1772370131000,
        .subject = UW_STR("line:12345678/L1"),
        .other = UW_STR("line:12345678/L0"),
    };
    char line[UW_WATCH_LINE_BYTES];

    (void)state;
    record.anomaly.kind = UW_ANOMALY_CLIENT_OVERLAP;
    record.anomaly.municipality = UW_STR("0363");
    record.anomaly.decision = UW_STR("WMO-123");
    record.anomaly.provider = UW_STR("12345678");
    record.anomaly.first_day = record.anomaly.last_day = uw_day_from_civil(2026, 1, 5);
    record.anomaly.minutes = 75;
    uw_watch_anomaly_line(&record, UW_LANGUAGE_NL, false, line);
    assert_string_equal(line, "2026-03-01 13:02:11  signaal   Overlap bij de cliënt        0363 WMO-123"
                              "                  12345678  van 2026-01-05  line:12345678/L1, 1:15 uur, naast line:12345678/L0");
}

/* The longest decision, subject and figures are cut at most, never written beyond the line. */
static void stays_in_its_line(void **state)
{
    static char filler[2000];
    struct uw_anomaly_record record = {.subject = {filler, sizeof(filler)}};
    char line[UW_WATCH_LINE_BYTES];

    (void)state;
    memset(filler, 'x', sizeof(filler));
    record.anomaly.minutes = UW_MINUTES_NONE;
    record.anomaly.municipality = UW_STR("0363");
    record.anomaly.decision = (struct uw_str){filler, sizeof(filler)};
    uw_watch_anomaly_line(&record, UW_LANGUAGE_NL, true, line);
    assert_int_equal(strlen(line), UW_WATCH_LINE_BYTES - 1);
}

/* ---- the largest record ---- */

struct desk {
    struct uw_codec *codec;
    struct uw_output_encoder output;
    struct uw_encoder encoder;
    struct uw_arena written, shown;
    char *filler; /* of characters that JSON writes as six */
};

static int open_desk(void **state)
{
    struct desk *desk = calloc(1, sizeof(*desk));
    struct uw_error error;

    if (desk == NULL || uw_codec_open(NULL, &desk->codec, &error) != UW_OK)
        return -1;
    desk->output = (struct uw_output_encoder){desk->codec, {"a", "b", "c", "d"}};
    uw_output_encoder_port(&desk->output, &desk->encoder);
    uw_arena_init(&desk->written, SIZE_MAX);
    uw_arena_init(&desk->shown, UW_WATCH_RECORD_BYTES_MAX);
    desk->filler = malloc(UW_EVENT_BYTES_MAX);
    if (desk->filler == NULL)
        return -1;
    memset(desk->filler, 1, UW_EVENT_BYTES_MAX);
    *state = desk;
    return 0;
}

static int close_desk(void **state)
{
    struct desk *desk = *state;

    uw_codec_close(&desk->codec);
    uw_arena_close(&desk->written);
    uw_arena_close(&desk->shown);
    free(desk->filler);
    free(desk);
    return 0;
}

/* The record of one alert or anomaly whose client is so long that its value has this many bytes. */
static struct uw_str value_of(struct desk *desk, bool is_alert, uint32_t wanted_bytes)
{
    struct uw_alert_change alert = alert_of(UW_ALERT_EVALUATION_DUE).alert;
    struct uw_anomaly_change anomaly = {.municipality = UW_STR("0363"), .decision = UW_STR("WMO-123"),
                                        .subject = {UW_SUBJECT_VERSION, UW_STR_NULL, UW_STR_NULL, 2},
                                        .minutes = UW_MINUTES_NONE, .revision = 1};
    struct uw_outbox_record record = {.value = UW_STR_NULL};
    uint32_t length = wanted_bytes - 1000;

    do {
        length += wanted_bytes - (record.value.length == 0 ? wanted_bytes : record.value.length);
        alert.client = anomaly.client = (struct uw_str){desk->filler, length};
        uw_arena_reset(&desk->written);
        assert_int_equal(is_alert ? desk->encoder.alert(desk->encoder.context, &alert, 0, &desk->written, &record)
                                  : desk->encoder.anomaly(desk->encoder.context, &anomaly, 0, &desk->written, &record),
                         UW_OK);
    } while (record.value.length != wanted_bytes);
    return record.value;
}

/* Decodes a value and writes its JSON, as `watch` does. */
static enum uw_code show(struct desk *desk, bool is_alert, struct uw_str value, struct uw_refusal *refusal)
{
    struct uw_error error;
    struct uw_alert_record alert;
    struct uw_anomaly_record anomaly;
    struct uw_str json = UW_STR_NULL;
    enum uw_code code;

    uw_arena_reset(&desk->shown);
    if (is_alert) {
        code = uw_output_decode_alert(desk->codec, value, &desk->shown, &alert, refusal, &error);
        code = code == UW_OK ? uw_alert_json(&alert, &desk->shown, &json) : code;
    } else {
        code = uw_output_decode_anomaly(desk->codec, value, &desk->shown, &anomaly, refusal, &error);
        code = code == UW_OK ? uw_anomaly_json(&anomaly, &desk->shown, &json) : code;
    }
    assert_true(code != UW_OK || json.length > 6 * (value.length - 1000));
    return code;
}

/* The largest value that is read has room for its JSON; one byte more is refused, which `watch` says and goes on. */
static void the_largest_record_has_room(void **state)
{
    struct desk *desk = *state;

    for (int is_alert = 0; is_alert <= 1; is_alert++) {
        struct uw_refusal refusal;

        assert_int_equal(show(desk, is_alert == 1, value_of(desk, is_alert == 1, UW_EVENT_BYTES_MAX), &refusal), UW_OK);
        print_message("%s: %zu bytes of memory\n", is_alert == 1 ? "alert" : "anomaly", desk->shown.used_bytes);
        assert_int_equal(show(desk, is_alert == 1, value_of(desk, is_alert == 1, UW_EVENT_BYTES_MAX + 1), &refusal),
                         UW_EINPUT);
        assert_int_equal(refusal.reason, UW_REFUSED_TOO_LARGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_alerts),
        cmocka_unit_test(has_words_for_every_kind),
        cmocka_unit_test(shows_anomalies),
        cmocka_unit_test(stays_in_its_line),
        cmocka_unit_test_setup_teardown(the_largest_record_has_room, open_desk, close_desk),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests_name("watch lines", tests, NULL, NULL);
}
