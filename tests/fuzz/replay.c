/* Replays what fuzzers start from and what they found: every file of the folders that are named. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

static void replay(const char *path, void *context)
{
    int *count = context;
    size_t length = 0;
    char *data = uw_fuzz_read(path, &length);
    /* A copy that ends where the input does, for the sanitizer to see a step beyond it. */
    uint8_t *input = malloc(length > 0 ? length : 1);
    uw_fuzz_check(input != NULL);
    memcpy(input, data, length);
    (void)LLVMFuzzerTestOneInput(input, length);
    free(input);
    free(data);
    (*count)++;
}

int main(int argc, char **argv)
{
    int count = 0;
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s FOLDER...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        uw_fuzz_each_file(argv[i], "", replay, &count);
    }
    (void)printf("%d inputs replayed\n", count);
    return count > 0 ? 0 : 1;
}
