#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

char *uw_fuzz_read(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    uw_fuzz_check(file != NULL && fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    uw_fuzz_check(size >= 0);
    rewind(file);
    char *data = malloc((size_t)size + 1);
    uw_fuzz_check(data != NULL && fread(data, 1, (size_t)size, file) == (size_t)size);
    data[size] = '\0';
    (void)fclose(file);
    *length = (size_t)size;
    return data;
}

static int has_suffix(const char *name, const char *suffix)
{
    size_t length = strlen(name), end = strlen(suffix);
    return name[0] != '.' && length >= end && strcmp(name + length - end, suffix) == 0;
}

void uw_fuzz_each_file(const char *folder, const char *suffix, void (*visit)(const char *path, void *context),
                       void *context)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    uw_fuzz_check(count >= 0);
    for (int i = 0; i < count; i++) {
        char path[4096];
        int length = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        uw_fuzz_check(length > 0 && (size_t)length < sizeof path);
        struct stat about;
        if (has_suffix(entries[i]->d_name, suffix) && stat(path, &about) == 0 && S_ISREG(about.st_mode)) {
            visit(path, context);
        }
        free(entries[i]);
    }
    free(entries);
}
