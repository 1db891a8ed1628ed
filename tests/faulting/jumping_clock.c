/*
 * A clock on the wall that jumps: loaded into a process by LD_PRELOAD, it adds the seconds that stand in the file
 * named by UW_CLOCK_SECONDS, read at every question. Waits of the libraries beneath, which have their own ways
 * to the clock, stay as they are; shifting those too makes a condition variable wait for another time than its own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    const char *path = getenv("UW_CLOCK_SECONDS");
    long seconds = 0;

    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    }
    int result = real(clock, now);
    FILE *file = result == 0 && clock == CLOCK_REALTIME && path != NULL ? fopen(path, "r") : NULL;
    if (file != NULL) {
        if (fscanf(file, "%ld", &seconds) == 1) {
            now->tv_sec += seconds;
        }
        fclose(file);
    }
    return result;
}
