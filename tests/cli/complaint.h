/*
 * What a subcommand says on stderr when it ends at once.
 */
#ifndef UW_TESTS_COMPLAINT_H
#define UW_TESTS_COMPLAINT_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Runs the subcommand, which must end with `status`, and returns its text, to be freed. */
static inline char *complaint_of(int (*command)(int argc, char **argv), int argc, char **argv, int status)
{
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO), ended;
    long length;
    char *text;

    assert_non_null(file);
    assert_true(kept >= 0);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    ended = command(argc, argv);
    (void)fflush(stderr);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    (void)close(kept);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    length = ftell(file);
    assert_true(length >= 0);
    rewind(file);
    text = calloc(1, (size_t)length + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)length, file), (size_t)length);
    (void)fclose(file);
    assert_int_equal(ended, status);
    return text;
}

#endif
