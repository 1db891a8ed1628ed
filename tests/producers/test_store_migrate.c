/*
 * The database schema: made once, by whoever comes first, and compared with what the program needs.
 */
#include "tests/producers/store_live.h"

#define PROCESSES 4

static struct uw_migrate_options options_of(const char *dsn)
{
    return (struct uw_migrate_options){.dsn = dsn, .timeout_ms = LIVE_TIMEOUT_MS};
}

static void numbers_have_no_gap(void **state)
{
    int32_t count;
    const struct uw_migration *migrations = uw_migrations(&count);

    (void)state;
    assert_true(count >= 4);
    for (int32_t i = 0; i < count; i++) {
        char prefix[16];

        snprintf(prefix, sizeof prefix, "%03d_", (int)(i + 1));
        assert_int_equal(migrations[i].version, i + 1);
        assert_memory_equal(migrations[i].name, prefix, strlen(prefix));
    }
}

static void twice_is_once(void **state)
{
    const struct uw_migrate_options options = options_of(live_dsn());
    struct uw_error error;
    int32_t version = -1, count;

    (void)state;
    live_require();
    (void)uw_migrations(&count);
    live_empty();
    assert_int_equal(uw_migrate_check(&options, &version, &error), UW_ECONFIG);
    assert_int_equal(version, 0);
    assert_non_null(strstr(error.text, "urenwacht migrate"));
    assert_int_equal(uw_migrate(&options, &version, &error), UW_OK);
    assert_int_equal(version, 0);
    assert_int_equal(uw_migrate(&options, &version, &error), UW_OK);
    assert_int_equal(version, count);
    assert_int_equal(uw_migrate_check(&options, &version, &error), UW_OK);
    assert_int_equal(version, count);
}

static void several_at_once(void **state)
{
    int32_t count;

    (void)state;
    live_require();
    (void)uw_migrations(&count);
    live_empty();
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() == 0) {
            const struct uw_migrate_options options = options_of(live_dsn());
            struct uw_error error;
            int32_t version;

            _exit(uw_migrate(&options, &version, &error) == UW_OK ? 0 : 1);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht.schema_version"), count);
}

static void newer_or_other_schema(void **state)
{
    const struct uw_migrate_options options = options_of(live_dsn());
    struct uw_error error = {.text = ""};
    int32_t version = 0, count;

    (void)state;
    live_require();
    (void)uw_migrations(&count);
    (void)live_number("DELETE FROM urenwacht.schema_version WHERE version = (SELECT max(version) FROM "
                      "urenwacht.schema_version)");
    assert_int_equal(uw_migrate_check(&options, &version, &error), UW_ECONFIG);
    assert_int_equal(version, count - 1);
    assert_non_null(strstr(error.text, "urenwacht migrate"));

    live_empty();
    live_migrate();
    (void)live_number("INSERT INTO urenwacht.schema_version VALUES ((SELECT max(version) + 1 FROM "
                      "urenwacht.schema_version), 'later', 'x')");
    assert_int_equal(uw_migrate_check(&options, &version, &error), UW_ECONFIG);
    assert_int_equal(version, count + 1);
    assert_int_equal(error.class, UW_CLASS_FATAL);
    assert_non_null(strstr(error.text, "newer"));
    assert_int_equal(uw_migrate(&options, &version, &error), UW_ECONFIG);

    (void)live_number("DELETE FROM urenwacht.schema_version WHERE name = 'later'");
    (void)live_number("UPDATE urenwacht.schema_version SET checksum = 'x' WHERE version = 1");
    assert_int_equal(uw_migrate(&options, &version, &error), UW_ECONFIG);
    assert_non_null(strstr(error.text, "001_"));
    assert_null(strchr(error.text, '\n'));
}

static void everything_is_described(void **state)
{
    (void)state;
    live_require();
    assert_int_equal(live_number("SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                                 " JOIN pg_attribute a ON a.attrelid = c.oid WHERE n.nspname LIKE 'urenwacht%'"
                                 " AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped"
                                 " AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)"),
                     0);
    /* Ids are compared by their bytes everywhere. */
    assert_int_equal(live_number("SELECT count(*) FROM information_schema.columns WHERE table_schema ="
                                 " 'urenwacht_data' AND collation_name IS DISTINCT FROM 'C' AND column_name IN"
                                 " ('client', 'municipality', 'decision', 'provider', 'line', 'no_show', 'kind')"
                                 " AND data_type = 'text'"),
                     0);
}

static void upper_case_ids_are_shown_as_written(void **state)
{
    char text[64];

    (void)state;
    live_require();
    live_text("SELECT urenwacht_data.event_id_text('abcdef01-2345-6789-abcd-ef0123456789', x'80100003'::integer)", text,
              sizeof text);
    assert_string_equal(text, "ABcdef01-2345-6789-abcd-Ef0123456789");
    live_text("SELECT urenwacht_data.event_id_text('abcdef01-2345-6789-abcd-ef0123456789', NULL)", text, sizeof text);
    assert_string_equal(text, "abcdef01-2345-6789-abcd-ef0123456789");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_no_gap),
        cmocka_unit_test(twice_is_once),
        cmocka_unit_test(several_at_once),
        cmocka_unit_test(newer_or_other_schema),
        cmocka_unit_test(everything_is_described),
        cmocka_unit_test(upper_case_ids_are_shown_as_written),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
