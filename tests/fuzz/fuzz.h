/*
 * What the fuzzers and their replay share.
 */
#ifndef UW_TESTS_FUZZ_H
#define UW_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* libFuzzer's entry; replay.c calls it too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The whole file, NUL-terminated, to be freed; aborts when it cannot be read. */
char *uw_fuzz_read(const char *path, size_t *length);
/* Calls `visit` for the files of a folder whose names end so, sorted by name. */
void uw_fuzz_each_file(const char *folder, const char *suffix, void (*visit)(const char *path, void *context),
                       void *context);

/* abort() is what a fuzzer reports, also in a build without assertions. */
static inline void uw_fuzz_check(int condition)
{
    if (!condition) {
        abort();
    }
}

#endif
