/*
 * The built page: a folder that is read into memory once, so that no path of a request ever touches the disk.
 *
 * index.html answers "/" and every path without a dot that is no file, since the page has addresses of its own. Files
 * whose name holds a hash (a '-' and eight or more letters and digits before the ending, as Vite writes them) are
 * kept by browsers for ever.
 */
#ifndef UW_DASHBOARD_PAGE_H
#define UW_DASHBOARD_PAGE_H

#include "dashboard/http.h"

#define UW_PAGE_FILES_MAX 500
#define UW_PAGE_BYTES_MAX ((size_t)32 * 1024 * 1024)

struct uw_page;

/* UW_ECONFIG: the folder cannot be read, has no index.html, or is too large. */
enum uw_code uw_page_open(const char *folder, struct uw_page **page, struct uw_error *error) UW_MUST_USE;
void uw_page_close(struct uw_page **page);
/* False when there is nothing at the path. */
bool uw_page_answer(const struct uw_page *page, struct uw_http_request *request);
/* Whether a file's name holds a hash. */
bool uw_page_is_hashed(const char *name);

#endif
