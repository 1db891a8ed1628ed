/* How feed reads lines, through real files and --dry-run: what is good, what is bad and where, what is told. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/command.h"
#include "schemas/json.h"

static const char good[] =
    "{\"topic\": \"evaluations\", \"value\": {\"event_id\": \"679c1ef7-0d83-4e66-9ca1-95d682d0164a\", \"recorded_at\": "
    "1768256460000, \"municipality\": \"0363\", \"client\": \"c-1\", \"decision\": \"WMO-1\", \"held_on\": "
    "\"2026-01-07\", \"outcome\": \"CONTINUE\"}}";
static const char bad_date[] =
    "{\"topic\": \"evaluations\", \"value\": {\"event_id\": \"679c1ef7-0d83-4e66-9ca1-95d682d0164a\", \"recorded_at\": "
    "1768256460000, \"municipality\": \"0363\", \"client\": \"c-secret\", \"decision\": \"WMO-1\", \"held_on\": "
    "\"2026-02-30\", \"outcome\": \"CONTINUE\"}}";

static char input[] = "/tmp/urenwacht-test-XXXXXX", messages[] = "/tmp/urenwacht-test-XXXXXX";
static char told[1 << 20];

static int make_files(void **state)
{
    (void)state;
    int first = mkstemp(input), second = mkstemp(messages);
    return first < 0 || second < 0 || close(first) != 0 || close(second) != 0 ? -1 : 0;
}

static int remove_files(void **state)
{
    (void)state;
    return unlink(input) + unlink(messages);
}

static FILE *begin(void)
{
    FILE *file = fopen(input, "wb");
    assert_non_null(file);
    return file;
}

static void write_input(const void *text, size_t length)
{
    FILE *file = begin();
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* Runs feed and keeps what it wrote to stderr in `told`. */
static int run_feed(const char *option)
{
    char *arguments[] = {"feed", "--dry-run", input, (char *)(uintptr_t)option, NULL};
    int standard = dup(STDERR_FILENO);
    int file = open(messages, O_WRONLY | O_TRUNC);
    assert_true(standard >= 0 && file >= 0);
    dup2(file, STDERR_FILENO);
    int status = uw_command_feed(option != NULL ? 4 : 3, arguments);
    dup2(standard, STDERR_FILENO);
    close(standard);
    close(file);
    FILE *read = fopen(messages, "rb");
    assert_non_null(read);
    told[fread(told, 1, sizeof(told) - 1, read)] = '\0';
    fclose(read);
    return status;
}

static void assert_told(const char *text)
{
    if (strstr(told, text) == NULL) {
        fail_msg("'%s' was not told, but: %s", text, told);
    }
}

static size_t count_told(const char *text)
{
    size_t count = 0;
    for (const char *at = told; (at = strstr(at, text)) != NULL; at += strlen(text)) {
        count++;
    }
    return count;
}

static void test_good_lines(void **state)
{
    (void)state;
    char text[4096];
    /* Windows line ends, empty lines, and no newline at the end. */
    int length = snprintf(text, sizeof(text), "%s\n\n%s\r\n  \t\n%s", good, good, good);
    write_input(text, (size_t)length);
    assert_int_equal(run_feed(NULL), UW_EXIT_OK);
    assert_told("checked 3 events: 0 decisions, 0 declarations, 0 no-shows, 3 evaluations; 0 bad lines");
    write_input("", 0);
    assert_int_equal(run_feed(NULL), UW_EXIT_OK);
    assert_told("checked 0 events");
}

static void test_bad_lines_are_named_and_skipped(void **state)
{
    (void)state;
    char text[8192], place[256];
    int length = snprintf(text, sizeof(text), "%s\n{\"topic\": \n%s\nnot json\n\n%s\n", good, bad_date, good);
    write_input(text, (size_t)length);
    assert_int_equal(run_feed(NULL), UW_EXIT_FAILED);
    assert_told("checked 2 events");
    assert_told("; 3 bad lines");
    for (int line = 2; line <= 4; line++) {
        snprintf(place, sizeof(place), "urenwacht: %s:%d: ", input, line);
        assert_told(place);
    }
    assert_told("held_on");
    assert_null(strstr(told, "c-secret"));
}

static void test_bytes_that_are_no_text(void **state)
{
    (void)state;
    static const char bytes[] = "\0\0\n\xff\xfe\n{\"topic\":\"evaluations\0\",\"value\":{}}\n";
    write_input(bytes, sizeof(bytes) - 1);
    assert_int_equal(run_feed(NULL), UW_EXIT_FAILED);
    assert_told("; 3 bad lines");
}

/* One line at the limit, one above, one far above, and a good one behind them. */
static void test_long_lines(void **state)
{
    (void)state;
    static const size_t sizes[] = {UW_JSON_LINE_BYTES_MAX, UW_JSON_LINE_BYTES_MAX + 1, 5 * UW_JSON_LINE_BYTES_MAX};
    char place[256];
    FILE *file = begin();
    for (size_t i = 0; i < 3; i++) {
        char *line = malloc(sizes[i]);
        assert_non_null(line);
        memset(line, ' ', sizes[i]);
        memcpy(line, good, strlen(good));
        assert_int_equal(fwrite(line, 1, sizes[i], file), sizes[i]);
        fputc('\n', file);
        free(line);
    }
    fprintf(file, "%s\n", good);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(run_feed(NULL), UW_EXIT_FAILED);
    assert_told("checked 2 events");
    assert_told("; 2 bad lines");
    for (int line = 2; line <= 3; line++) {
        snprintf(place, sizeof(place), "%s:%d: TOO_LARGE", input, line);
        assert_told(place);
    }
}

static void test_many_bad_lines_are_summarised(void **state)
{
    (void)state;
    FILE *file = begin();
    for (int i = 0; i < 250; i++) {
        fputs("x\n", file);
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(run_feed(NULL), UW_EXIT_FAILED);
    assert_int_equal(count_told(input), 100);
    assert_told("--all-errors");
    assert_told("; 250 bad lines");
    assert_int_equal(run_feed("--all-errors"), UW_EXIT_FAILED);
    assert_int_equal(count_told(input), 250);
}

static void test_usage(void **state)
{
    (void)state;
    write_input("", 0);
    assert_int_equal(run_feed("--rate=0"), UW_EXIT_USAGE);
    assert_told("--rate: '0' is not an integer of 1 to ");
    assert_int_equal(run_feed("--rtae=1"), UW_EXIT_USAGE);
    assert_told("unknown option --rtae");
    assert_int_equal(run_feed("/nowhere/at.all"), UW_EXIT_USAGE);
    assert_told("/nowhere/at.all: No such file or directory");
    assert_int_equal(run_feed("/tmp"), UW_EXIT_USAGE);
    assert_told("/tmp: is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_lines),
        cmocka_unit_test(test_bad_lines_are_named_and_skipped),
        cmocka_unit_test(test_bytes_that_are_no_text),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_many_bad_lines_are_summarised),
        cmocka_unit_test(test_usage),
    };
    /* Settings of the shell that runs the test must not reach it. */
    setenv("URENWACHT_CONFIG", "/dev/null", 1);
    unsetenv("URENWACHT_LOG_LEVEL");
    unsetenv("URENWACHT_LOG_FORMAT");
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
