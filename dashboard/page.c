#include "dashboard/page.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 1024
#define DEPTH_MAX 4

struct file {
    const char *path; /* "/assets/index-3f2a.js" */
    const char *type;
    struct uw_str bytes;
    struct uw_str gzip; /* or null, where it would be hardly smaller */
};

struct uw_page {
    struct uw_arena arena;
    struct file files[UW_PAGE_FILES_MAX];
    uint32_t file_count;
    const struct file *index;
};

static const char *type_of(const char *name)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"}, {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"}, {".png", "image/png"}, {".ico", "image/x-icon"}, {".woff2", "font/woff2"},
        {".json", "application/json"}, {".webmanifest", "application/manifest+json"},
        {".txt", "text/plain; charset=utf-8"}, {".map", "application/json"},
    };
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending != NULL && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(ending, types[i][0]) == 0) {
            return types[i][1];
        }
    }
    return "application/octet-stream";
}

bool uw_page_is_hashed(const char *name)
{
    const char *dot = strrchr(name, '.'), *dash = NULL;
    for (const char *at = name; dot != NULL && at < dot; at++) {
        dash = *at == '-' || *at == '/' ? (*at == '-' ? at : NULL) : dash;
    }
    if (dash == NULL || dot - dash - 1 < 8) {
        return false;
    }
    for (const char *at = dash + 1; at < dot; at++) {
        if (!isalnum((unsigned char)*at) && *at != '_') {
            return false;
        }
    }
    return true;
}

static enum uw_code refuse(struct uw_error *error, const char *path, const char *why)
{
    return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "serve.page: %.200s: %s", path, why);
}

static enum uw_code read_file(struct uw_page *page, const char *path, const char *name, size_t size,
                              struct uw_error *error)
{
    struct file *file = &page->files[page->file_count];
    char *bytes = uw_arena_take(&page->arena, size + 1), *copy = uw_arena_take(&page->arena, strlen(name) + 1);
    FILE *stream;
    size_t count;
    if (bytes == NULL || copy == NULL || page->file_count == UW_PAGE_FILES_MAX) {
        return refuse(error, path, "too many files, or too large ones");
    }
    stream = fopen(path, "rb");
    if (stream == NULL) {
        return refuse(error, path, "cannot be read");
    }
    count = fread(bytes, 1, size, stream);
    (void)fclose(stream);
    if (count != size) {
        return refuse(error, path, "cannot be read");
    }
    memcpy(copy, name, strlen(name) + 1);
    *file = (struct file){copy, type_of(name), {bytes, (uint32_t)size}, UW_STR_NULL};
    page->file_count++;
    return UW_OK;
}

static enum uw_code read_folder(struct uw_page *page, const char *root, const char *below, int depth,
                                struct uw_error *error)
{
    char folder[PATH_BYTES], path[2 * PATH_BYTES], name[PATH_BYTES];
    struct dirent *entry;
    enum uw_code code = UW_OK;
    DIR *directory;
    if (snprintf(folder, sizeof folder, "%s%s", root, below) >= (int)sizeof folder || depth > DEPTH_MAX) {
        return refuse(error, root, "too deep");
    }
    directory = opendir(folder);
    if (directory == NULL) {
        return refuse(error, folder, "no folder that can be read");
    }
    while (code == UW_OK && (entry = readdir(directory)) != NULL) {
        struct stat status;
        if (entry->d_name[0] == '.') {
            continue;
        }
        if (snprintf(name, sizeof name, "%s/%s", below, entry->d_name) >= (int)sizeof name ||
            snprintf(path, sizeof path, "%s%s", root, name) >= (int)sizeof path || lstat(path, &status) != 0) {
            code = refuse(error, folder, "has a file that cannot be read");
        } else if (S_ISDIR(status.st_mode)) {
            code = read_folder(page, root, name, depth + 1, error);
        } else if (S_ISREG(status.st_mode)) {
            code = read_file(page, path, name, (size_t)status.st_size, error);
        }
    }
    (void)closedir(directory);
    return code;
}

static const struct file *find(const struct uw_page *page, const char *path)
{
    for (uint32_t i = 0; i < page->file_count; i++) {
        if (strcmp(page->files[i].path, path) == 0) {
            return &page->files[i];
        }
    }
    return NULL;
}

static void take_built(struct uw_page *page)
{
    for (uint32_t i = 0; i < uw_page_built_count && i < UW_PAGE_FILES_MAX; i++) {
        const struct uw_page_built *built = &uw_page_built[i];
        page->files[page->file_count++] = (struct file){
            built->path, type_of(built->path), {(const char *)built->bytes, built->size}, UW_STR_NULL};
    }
}

enum uw_code uw_page_open(const char *folder, struct uw_page **page, struct uw_error *error)
{
    struct uw_page *made = calloc(1, sizeof *made);
    enum uw_code code = UW_OK;
    if (made == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the page");
    }
    uw_arena_init(&made->arena, UW_PAGE_BYTES_MAX);
    if (folder[0] == '\0') {
        take_built(made);
    } else {
        code = read_folder(made, folder, "", 0, error);
    }
    for (uint32_t i = 0; i < made->file_count; i++) {
        made->files[i].gzip = uw_pack(&made->arena, UW_PACKING_GZIP, UW_PACK_SMALL, made->files[i].bytes);
    }
    made->index = find(made, "/index.html");
    if (code == UW_OK && folder[0] != '\0' && made->index == NULL) {
        code = refuse(error, folder, "has no index.html");
    }
    if (code != UW_OK) {
        uw_page_close(&made);
        return code;
    }
    *page = made;
    return UW_OK;
}

void uw_page_close(struct uw_page **page)
{
    if (*page != NULL) {
        uw_arena_close(&(*page)->arena);
        free(*page);
        *page = NULL;
    }
}

bool uw_page_answer(const struct uw_page *page, struct uw_http_request *request)
{
    const struct file *file = find(page, request->path);
    if (file == NULL && strchr(request->path, '.') == NULL) {
        file = page->index;
    }
    if (file == NULL) {
        return false;
    }
    request->answer.status = 200;
    request->answer.content_type = file->type;
    request->answer.body = file->bytes;
    request->answer.gzip = file->gzip;
    request->answer.prepared = true;
    request->answer.tagged = true;
    request->answer.cacheable = uw_page_is_hashed(file->path);
    return true;
}
