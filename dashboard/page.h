/*
 * The built page: files that are compiled in, or a folder that is read into memory once, so that no path of a request
 * ever touches the disk.
 *
 * index.html answers "/" and every path without a dot that is no file. Files whose name holds a hash (a '-' and eight
 * or more letters and digits before the ending, as Vite writes them) are kept by browsers for ever.
 */
#ifndef UW_DASHBOARD_PAGE_H
#define UW_DASHBOARD_PAGE_H

#include "dashboard/http.h"

#define UW_PAGE_FILES_MAX 500
#define UW_PAGE_BYTES_MAX ((size_t)32 * 1024 * 1024)

/* The files that are compiled in (dashboard/page/embed.mjs); none in a build without the page. */
struct uw_page_built {
    const char *path; /* "/assets/index-3f2a1b0c.js" */
    const unsigned char *bytes;
    uint32_t size;
};
extern const struct uw_page_built uw_page_built[];
extern const uint32_t uw_page_built_count;

struct uw_page;

/* Takes what is compiled in, where `folder` is empty. UW_ECONFIG: the folder cannot be read, has no index.html, or is
 * too large. */
enum uw_code uw_page_open(const char *folder, struct uw_page **page, struct uw_error *error) UW_MUST_USE;
void uw_page_close(struct uw_page **page);
/* False when there is nothing at the path. */
bool uw_page_answer(const struct uw_page *page, struct uw_http_request *request);
/* Whether a file's name holds a hash. */
bool uw_page_is_hashed(const char *name);

#endif
