#include "dashboard/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_hashed_names(void **state)
{
    (void)state;
    assert_true(uw_page_is_hashed("/assets/index-3f2a1b0c.js"));
    assert_true(uw_page_is_hashed("/assets/two-words-0123456789.css"));
    assert_false(uw_page_is_hashed("/assets/index-3f2a1b0.js"));
    assert_false(uw_page_is_hashed("/assets/index-3f2a1b-c.js"));
    assert_false(uw_page_is_hashed("/dir-3f2a1b0c/index.js"));
    assert_false(uw_page_is_hashed("/index.html"));
    assert_false(uw_page_is_hashed("/index-3f2a1b0c"));
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    FILE *file;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(remove(path), 0);
}

static struct uw_http_request asked(const struct uw_page *page, const char *path, bool *found)
{
    struct uw_http_request request = {.method = UW_METHOD_GET, .path = path};
    *found = uw_page_answer(page, &request);
    return request;
}

static void test_folder(void **state)
{
    char folder[] = "/tmp/urenwacht-page-XXXXXX";
    struct uw_error error = {.text = ""};
    struct uw_http_request request;
    struct uw_page *page = NULL;
    bool found;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(uw_page_open(folder, &page, &error), UW_ECONFIG);
    assert_null(page);
    write_file(folder, "index.html", "<p>");
    write_file(folder, "a-12345678.js", "let a;");
    write_file(folder, ".hidden", "no");
    assert_int_equal(uw_page_open(folder, &page, &error), UW_OK);

    request = asked(page, "/", &found);
    assert_true(found && request.answer.status == 200 && request.answer.tagged && !request.answer.cacheable);
    assert_string_equal(request.answer.content_type, "text/html; charset=utf-8");
    assert_int_equal(request.answer.body.length, 3);
    request = asked(page, "/a-12345678.js", &found);
    assert_true(found && request.answer.cacheable);
    assert_string_equal(request.answer.content_type, "text/javascript; charset=utf-8");
    request = asked(page, "/some/place", &found);
    assert_true(found && request.answer.body.length == 3);
    (void)asked(page, "/.hidden", &found);
    assert_false(found);
    (void)asked(page, "/../index.html", &found);
    assert_false(found);
    uw_page_close(&page);
    assert_null(page);
    remove_file(folder, "index.html");
    remove_file(folder, "a-12345678.js");
    remove_file(folder, ".hidden");
    assert_int_equal(rmdir(folder), 0);
}

static void remove_files(const char *folder, int count)
{
    char name[20];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%d.html", i);
        remove_file(folder, name);
    }
}

/* So many files of a folder are served; one more, or one that is too large, is told. */
static void test_limits(void **state)
{
    char folder[] = "/tmp/urenwacht-page-XXXXXX", name[20], path[512];
    struct uw_error error = {.text = ""};
    struct uw_page *page = NULL;
    bool found;
    (void)state;
    assert_non_null(mkdtemp(folder));
    write_file(folder, "index.html", "<p>");
    for (int i = 0; i < 499; i++) {
        snprintf(name, sizeof name, "%d.html", i);
        write_file(folder, name, "<p>");
    }
    assert_int_equal(uw_page_open(folder, &page, &error), UW_OK);
    (void)asked(page, "/498.html", &found);
    assert_true(found);
    uw_page_close(&page);
    write_file(folder, "499.html", "<p>");
    assert_int_equal(uw_page_open(folder, &page, &error), UW_ECONFIG);
    assert_non_null(strstr(error.text, ": too many files, or too large ones"));
    assert_null(page);
    remove_files(folder, 500);
    snprintf(path, sizeof path, "%s/index.html", folder);
    assert_int_equal(truncate(path, (off_t)UW_PAGE_BYTES_MAX - 4096), 0);
    assert_int_equal(uw_page_open(folder, &page, &error), UW_OK);
    uw_page_close(&page);
    assert_int_equal(truncate(path, (off_t)UW_PAGE_BYTES_MAX), 0);
    assert_int_equal(uw_page_open(folder, &page, &error), UW_ECONFIG);
    assert_non_null(strstr(error.text, ": too many files, or too large ones"));
    remove_file(folder, "index.html");
    assert_int_equal(rmdir(folder), 0);
}

/* With the page compiled in it is answered; in a build without it there is nothing, and no error. */
static void test_built(void **state)
{
    struct uw_error error = {.text = ""};
    struct uw_page *page = NULL;
    bool found;
    (void)state;
    assert_int_equal(uw_page_open("", &page, &error), UW_OK);
    (void)asked(page, "/", &found);
    assert_int_equal(found, uw_page_built_count > 0);
    for (uint32_t i = 0; i < uw_page_built_count; i++) {
        struct uw_http_request request = asked(page, uw_page_built[i].path, &found);
        assert_true(found);
        assert_int_equal(request.answer.body.length, uw_page_built[i].size);
    }
    uw_page_close(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hashed_names),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
