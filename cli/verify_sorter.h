/*
 * Sorting in bounded memory: records are collected, and beyond a limit go as sorted runs to a temporary file, from
 * which they are merged. For what a check has to bring into the order in which it is stored.
 */
#ifndef UW_CLI_VERIFY_SORTER_H
#define UW_CLI_VERIFY_SORTER_H

#include "core/types.h"

struct uw_sorter;

/* Less than, equal or greater than 0. Records are aligned for any type of at most 8 bytes. */
typedef int uw_sorter_compare(const void *a, const void *b);

#define UW_SORTER_RECORD_BYTES_MAX 65536u
#define UW_SORTER_RUNS_MAX 1024u

/* `limit_bytes` of records are kept in memory, at least UW_SORTER_RECORD_BYTES_MAX; merging takes 128 KiB a run. The
 * file, which has no name, lies in $TMPDIR or /tmp and is made when it is needed. UW_ENOMEM. */
enum uw_code uw_sorter_open(uw_sorter_compare *compare, size_t limit_bytes, struct uw_sorter **sorter,
                            struct uw_error *error) UW_MUST_USE;
void uw_sorter_close(struct uw_sorter **sorter);

/* Copies a record of 1 .. UW_SORTER_RECORD_BYTES_MAX bytes. UW_EIO: the file cannot be written; UW_ELIMIT: more
 * than UW_SORTER_RUNS_MAX runs; both are FATAL. */
enum uw_code uw_sorter_add(struct uw_sorter *sorter, const void *record, size_t length,
                           struct uw_error *error) UW_MUST_USE;
/* Once, after the last uw_sorter_add. */
enum uw_code uw_sorter_finish(struct uw_sorter *sorter, struct uw_error *error) UW_MUST_USE;
/* The next record in order, borrowed until the next call; NULL after the last. Records that compare equal come in
 * any order. */
enum uw_code uw_sorter_next(struct uw_sorter *sorter, const void **record, struct uw_error *error) UW_MUST_USE;

#endif
