#include "cli/verify_sorter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A record is preceded by its length and followed by what brings the next one to a multiple of 8. */
#define HEAD_BYTES 8u
#define BUFFER_BYTES (2u * UW_SORTER_RECORD_BYTES_MAX)
#define FIRST_BYTES 65536u
#define PATH_BYTES 4096

/* A sorted stretch of the file while it is merged. */
struct run {
    off_t at, end;   /* what was not read yet */
    uint8_t *buffer; /* BUFFER_BYTES */
    size_t place, filled;
};

struct uw_sorter {
    uw_sorter_compare *compare;
    uint8_t *records;
    size_t *places; /* of the records; HEAD_BYTES before each is its length */
    size_t length, capacity, limit_bytes, count, place_capacity;
    size_t given; /* records handed out from memory */
    FILE *file;
    off_t file_end;
    struct run runs[UW_SORTER_RUNS_MAX];
    uint32_t run_count;
    uint32_t heap[UW_SORTER_RUNS_MAX]; /* runs, the one with the least record first */
    uint32_t heap_count;
    bool merging, pending; /* pending: the record of heap[0] was handed out */
};

static size_t space_of(size_t length)
{
    return HEAD_BYTES + ((length + 7) & ~(size_t)7);
}

static size_t length_at(const uint8_t *head)
{
    uint64_t length;

    memcpy(&length, head, sizeof length);
    return (size_t)length;
}

static enum uw_code out_of_memory(struct uw_error *error)
{
    return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for sorting");
}

static enum uw_code file_failed(const char *what, struct uw_error *error)
{
    return uw_error_set(error, UW_EIO, UW_CLASS_FATAL, "a temporary file cannot be %s: %s", what, strerror(errno));
}

enum uw_code uw_sorter_open(uw_sorter_compare *compare, size_t limit_bytes, struct uw_sorter **sorter,
                            struct uw_error *error)
{
    struct uw_sorter *made = calloc(1, sizeof *made);
    size_t least = space_of(UW_SORTER_RECORD_BYTES_MAX);

    if (made == NULL) {
        return out_of_memory(error);
    }
    made->compare = compare;
    made->limit_bytes = limit_bytes < least ? least : limit_bytes;
    *sorter = made;
    return UW_OK;
}

void uw_sorter_close(struct uw_sorter **sorter)
{
    struct uw_sorter *closing = *sorter;

    if (closing == NULL) {
        return;
    }
    if (closing->file != NULL) {
        fclose(closing->file);
    }
    for (uint32_t i = 0; i < closing->run_count; i++) {
        free(closing->runs[i].buffer);
    }
    free(closing->records);
    free(closing->places);
    free(closing);
    *sorter = NULL;
}

/* ---- collecting ---- */

/* qsort has no context to tell where the records are, so that it is written out here: a heap sort, which needs no
 * memory and has no bad case. */
static int compare_places(const struct uw_sorter *sorter, size_t a, size_t b)
{
    return sorter->compare(sorter->records + a, sorter->records + b);
}

static void sift(const struct uw_sorter *sorter, size_t root, size_t count)
{
    size_t *places = sorter->places;

    for (size_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
        size_t moved = places[root];

        if (child + 1 < count && compare_places(sorter, places[child], places[child + 1]) < 0) {
            child++;
        }
        if (compare_places(sorter, moved, places[child]) >= 0) {
            return;
        }
        places[root] = places[child];
        places[child] = moved;
        root = child;
    }
}

static void sort(const struct uw_sorter *sorter)
{
    for (size_t root = sorter->count / 2; root-- > 0;) {
        sift(sorter, root, sorter->count);
    }
    for (size_t end = sorter->count; end-- > 1;) {
        size_t moved = sorter->places[0];

        sorter->places[0] = sorter->places[end];
        sorter->places[end] = moved;
        sift(sorter, 0, end);
    }
}

static enum uw_code make_file(struct uw_sorter *sorter, struct uw_error *error)
{
    const char *folder = getenv("TMPDIR");
    char path[PATH_BYTES];
    int length, descriptor;

    length = snprintf(path, sizeof path, "%s/urenwacht-XXXXXX", folder != NULL && folder[0] != '\0' ? folder : "/tmp");
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return file_failed("made", error);
    }
    descriptor = mkstemp(path);
    if (descriptor < 0) {
        return file_failed("made", error);
    }
    /* It holds pseudonyms: nobody else is to find it, and nothing is left behind. */
    (void)unlink(path);
    sorter->file = fdopen(descriptor, "w+");
    if (sorter->file == NULL) {
        close(descriptor);
        return file_failed("opened", error);
    }
    return UW_OK;
}

/* Writes what is in memory as a run. */
static enum uw_code spill(struct uw_sorter *sorter, struct uw_error *error)
{
    struct run *run = &sorter->runs[sorter->run_count];
    enum uw_code code = UW_OK;

    if (sorter->run_count == UW_SORTER_RUNS_MAX) {
        return uw_error_set(error, UW_ELIMIT, UW_CLASS_FATAL, "more than %u runs of %zu MiB to sort",
                            UW_SORTER_RUNS_MAX, sorter->limit_bytes >> 20);
    }
    if (sorter->file == NULL) {
        code = make_file(sorter, error);
    }
    if (code != UW_OK) {
        return code;
    }
    sort(sorter);
    *run = (struct run){.at = sorter->file_end, .end = sorter->file_end};
    for (size_t i = 0; i < sorter->count; i++) {
        const uint8_t *head = sorter->records + sorter->places[i] - HEAD_BYTES;
        size_t space = space_of(length_at(head));

        if (fwrite(head, 1, space, sorter->file) != space) {
            return file_failed("written", error);
        }
        run->end += (off_t)space;
    }
    sorter->file_end = run->end;
    sorter->run_count++;
    sorter->count = sorter->length = 0;
    return UW_OK;
}

static bool make_room(struct uw_sorter *sorter, size_t space)
{
    if (sorter->length + space > sorter->capacity) {
        size_t capacity = sorter->capacity == 0 ? FIRST_BYTES : sorter->capacity * 2;
        uint8_t *records;

        while (capacity < sorter->length + space) {
            capacity *= 2;
        }
        records = realloc(sorter->records, capacity);
        if (records == NULL) {
            return false;
        }
        sorter->records = records;
        sorter->capacity = capacity;
    }
    if (sorter->count == sorter->place_capacity) {
        size_t capacity = sorter->place_capacity == 0 ? FIRST_BYTES / sizeof(size_t) : sorter->place_capacity * 2;
        size_t *places = realloc(sorter->places, capacity * sizeof *places);

        if (places == NULL) {
            return false;
        }
        sorter->places = places;
        sorter->place_capacity = capacity;
    }
    return true;
}

enum uw_code uw_sorter_add(struct uw_sorter *sorter, const void *record, size_t length, struct uw_error *error)
{
    size_t space = space_of(length);
    uint64_t head = length;
    enum uw_code code = UW_OK;

    if (length == 0 || length > UW_SORTER_RECORD_BYTES_MAX) {
        return uw_error_set(error, UW_ELIMIT, UW_CLASS_FATAL, "a record of %zu bytes cannot be sorted", length);
    }
    if (sorter->length + space > sorter->limit_bytes) {
        code = spill(sorter, error);
    }
    if (code == UW_OK && !make_room(sorter, space)) {
        code = out_of_memory(error);
    }
    if (code != UW_OK) {
        return code;
    }
    memcpy(sorter->records + sorter->length, &head, sizeof head);
    memcpy(sorter->records + sorter->length + HEAD_BYTES, record, length);
    memset(sorter->records + sorter->length + HEAD_BYTES + length, 0, space - HEAD_BYTES - length);
    sorter->places[sorter->count++] = sorter->length + HEAD_BYTES;
    sorter->length += space;
    return UW_OK;
}

/* ---- merging ---- */

/* Makes sure that the run's next record is whole in its buffer. */
static enum uw_code refill(struct uw_sorter *sorter, struct run *run, struct uw_error *error)
{
    size_t left = run->filled - run->place;
    size_t wanted;

    if (left >= HEAD_BYTES && left >= space_of(length_at(run->buffer + run->place))) {
        return UW_OK;
    }
    memmove(run->buffer, run->buffer + run->place, left);
    run->place = 0;
    run->filled = left;
    wanted = BUFFER_BYTES - left;
    if ((off_t)wanted > run->end - run->at) {
        wanted = (size_t)(run->end - run->at);
    }
    while (wanted > 0) {
        ssize_t got = pread(fileno(sorter->file), run->buffer + run->filled, wanted, run->at);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            errno = got == 0 ? EIO : errno;
            return file_failed("read", error);
        }
        run->filled += (size_t)got;
        run->at += got;
        wanted -= (size_t)got;
    }
    return UW_OK;
}

static const uint8_t *record_of(const struct uw_sorter *sorter, uint32_t run)
{
    return sorter->runs[run].buffer + sorter->runs[run].place + HEAD_BYTES;
}

static bool run_ended(const struct run *run)
{
    return run->place == run->filled && run->at == run->end;
}

static void sift_runs(struct uw_sorter *sorter, uint32_t root)
{
    uint32_t *heap = sorter->heap;

    for (uint32_t child = 2 * root + 1; child < sorter->heap_count; child = 2 * root + 1) {
        uint32_t moved = heap[root];

        if (child + 1 < sorter->heap_count &&
            sorter->compare(record_of(sorter, heap[child + 1]), record_of(sorter, heap[child])) < 0) {
            child++;
        }
        if (sorter->compare(record_of(sorter, moved), record_of(sorter, heap[child])) <= 0) {
            return;
        }
        heap[root] = heap[child];
        heap[child] = moved;
        root = child;
    }
}

enum uw_code uw_sorter_finish(struct uw_sorter *sorter, struct uw_error *error)
{
    enum uw_code code = UW_OK;

    if (sorter->run_count == 0) {
        sort(sorter);
        return UW_OK;
    }
    if (sorter->count > 0) {
        code = spill(sorter, error);
    }
    if (code == UW_OK && fflush(sorter->file) != 0) {
        code = file_failed("written", error);
    }
    free(sorter->records);
    sorter->records = NULL;
    sorter->capacity = 0;
    for (uint32_t i = 0; i < sorter->run_count && code == UW_OK; i++) {
        sorter->runs[i].buffer = malloc(BUFFER_BYTES);
        code = sorter->runs[i].buffer == NULL ? out_of_memory(error) : refill(sorter, &sorter->runs[i], error);
        sorter->heap[sorter->heap_count++] = i;
    }
    if (code != UW_OK) {
        return code;
    }
    sorter->merging = true;
    for (uint32_t root = sorter->heap_count / 2; root-- > 0;) {
        sift_runs(sorter, root);
    }
    return UW_OK;
}

/* Leaves the record that was handed out last behind. */
static enum uw_code advance(struct uw_sorter *sorter, struct uw_error *error)
{
    struct run *run = &sorter->runs[sorter->heap[0]];

    run->place += space_of(length_at(run->buffer + run->place));
    if (run_ended(run)) {
        sorter->heap[0] = sorter->heap[--sorter->heap_count];
    } else {
        enum uw_code code = refill(sorter, run, error);

        if (code != UW_OK) {
            return code;
        }
    }
    sift_runs(sorter, 0);
    return UW_OK;
}

enum uw_code uw_sorter_next(struct uw_sorter *sorter, const void **record, struct uw_error *error)
{
    if (!sorter->merging) {
        *record = sorter->given < sorter->count ? sorter->records + sorter->places[sorter->given++] : NULL;
        return UW_OK;
    }
    if (sorter->pending) {
        enum uw_code code = advance(sorter, error);

        if (code != UW_OK) {
            return code;
        }
    }
    sorter->pending = sorter->heap_count > 0;
    *record = sorter->pending ? record_of(sorter, sorter->heap[0]) : NULL;
    return UW_OK;
}
