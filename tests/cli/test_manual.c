/* The manual names every subcommand and every option, and the configuration's documents every key. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FILE_BYTES_MAX (256 * 1024)
#define NAME_BYTES 64

static char *read_file(const char *name)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", UW_SOURCE_DIR, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return NULL;
    }
    char *text = malloc(FILE_BYTES_MAX);
    assert_non_null(text);
    size_t length = fread(text, 1, FILE_BYTES_MAX - 1, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

/* The text between the quotes that come next, and the place behind them; NULL when the table ends before. */
static const char *next_name(const char *at, char name[NAME_BYTES])
{
    const char *end = strstr(at, "\n};");
    const char *row = strstr(at, "{\"");
    if (row == NULL || end == NULL || row > end) {
        return NULL;
    }
    size_t length = strcspn(row + 2, "\"");
    assert_true(length < NAME_BYTES);
    memcpy(name, row + 2, length);
    name[length] = '\0';
    return row + 2 + length;
}

static void assert_mentioned(const char *document, const char *where, const char *text, const char *what)
{
    if (strstr(text, what) == NULL) {
        fail_msg("%s does not mention %s of %s", document, what, where);
    }
}

/* "--late-percent" as troff writes it. */
static void troff_option(const char *name, char text[2 * NAME_BYTES])
{
    char *to = text;
    memcpy(to, "\\-\\-", 4);
    to += 4;
    for (; *name != '\0'; name++) {
        if (*name == '-') {
            *to++ = '\\';
        }
        *to++ = *name;
    }
    *to = '\0';
}

/* The section of a command, to be freed; it begins with the command's name in capitals. */
static char *section_of(const char *manual, const char *command)
{
    char head[2 * NAME_BYTES] = "\n.SH URENWACHT ";
    size_t length = strlen(head);
    for (size_t i = 0; command[i] != '\0'; i++) {
        head[length++] = (char)toupper((unsigned char)command[i]);
    }
    head[length++] = '\n';
    head[length] = '\0';
    assert_mentioned("docs/urenwacht.1", "cli/main.c", manual, head);
    char *section = strdup(strstr(manual, head) + length);
    char *end = strstr(section, "\n.SH ");
    if (end != NULL) {
        *end = '\0';
    }
    return section;
}

/* The options stand in the command's own section; returns their number. */
static int check_options(const char *command, const char *section)
{
    char file[2 * NAME_BYTES], option[NAME_BYTES], troff[2 * NAME_BYTES];
    int count = 0;
    snprintf(file, sizeof(file), "cli/%s.c", command);
    char *source = read_file(file);
    const char *row = source != NULL ? strstr(source, "struct uw_option table[]") : NULL;
    while (row != NULL && (row = next_name(row, option)) != NULL) {
        troff_option(option, troff);
        assert_mentioned("docs/urenwacht.1", file, section, troff);
        count++;
    }
    free(source);
    return count;
}

static void test_subcommands_and_options(void **state)
{
    (void)state;
    char name[NAME_BYTES], heading[2 * NAME_BYTES];
    char *main_text = read_file("cli/main.c"), *manual = read_file("docs/urenwacht.1");
    assert_non_null(main_text);
    assert_non_null(manual);
    int commands = 0, options = 0;
    const char *at = strstr(main_text, "struct subcommand subcommands[]");
    assert_non_null(at);
    while ((at = next_name(at, name)) != NULL) {
        snprintf(heading, sizeof(heading), "\n.B %s\n", name);
        assert_mentioned("docs/urenwacht.1", "cli/main.c", manual, heading);
        char *section = section_of(manual, name);
        options += check_options(name, section);
        free(section);
        commands++;
    }
    assert_true(commands >= 7);
    assert_true(options >= 20);
    free(main_text);
    free(manual);
}

static void test_configuration_keys(void **state)
{
    (void)state;
    char name[NAME_BYTES], quoted[2 * NAME_BYTES];
    char *keys = read_file("cli/config_keys.c"), *page = read_file("docs/configuration.md");
    char *example = read_file("docs/urenwacht.yaml");
    assert_non_null(keys);
    assert_non_null(page);
    assert_non_null(example);
    int count = 0;
    for (const char *at = strstr(keys, "struct key keys[]"); (at = next_name(at, name)) != NULL; count++) {
        snprintf(quoted, sizeof(quoted), "| `%s` |", name);
        assert_mentioned("docs/configuration.md", "cli/config_keys.c", page, quoted);
        snprintf(quoted, sizeof(quoted), "\n  %s: ", strchr(name, '.') + 1);
        assert_mentioned("docs/urenwacht.yaml", "cli/config_keys.c", example, quoted);
    }
    for (const char *at = strstr(keys, "thresholds_table[]"); (at = next_name(at, name)) != NULL; count++) {
        snprintf(quoted, sizeof(quoted), "| `thresholds.%s` |", name);
        assert_mentioned("docs/configuration.md", "cli/config_keys.c", page, quoted);
        snprintf(quoted, sizeof(quoted), "\n  %s: ", name);
        assert_mentioned("docs/urenwacht.yaml", "cli/config_keys.c", example, quoted);
    }
    assert_true(count >= 30);
    free(keys);
    free(page);
    free(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subcommands_and_options),
        cmocka_unit_test(test_configuration_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
