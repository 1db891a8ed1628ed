#include "cli/memory.h"

/* Defined by the first header of the C library. */
#include <stddef.h>

#if defined(__GLIBC__)
#include <malloc.h>

/* A block of this size or more is a mapping of its own. Left alone, the C library raises the limit to the largest that
 * was ever freed, after which what a large batch needed stays between what the cache keeps. */
#define MAPPED_BYTES (256 * 1024)

void uw_memory_start(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
}

void uw_memory_give_back(void)
{
    (void)malloc_trim(0);
}
#else
void uw_memory_start(void)
{
}

void uw_memory_give_back(void)
{
}
#endif
