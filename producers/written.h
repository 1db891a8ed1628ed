/*
 * Which rows one writer has written, for a table that was empty when it began and that nobody else writes its rows
 * of: what is not remembered is certainly new, so that it can go by COPY without a row being looked for. What is
 * remembered may be there or not, which a statement that asks finds out: a batch that was given up does no harm, nor do
 * two rows with the same fingerprint.
 *
 * A value that the caller embeds; all zero is one that has forgotten everything.
 */
#ifndef UW_PRODUCERS_WRITTEN_H
#define UW_PRODUCERS_WRITTEN_H

#include <stdbool.h>
#include <stdint.h>

/* 8 bytes each; with more rows than seven eighths of it everything counts as remembered. */
#define UW_WRITTEN_SLOTS_MAX (UINT32_C(4) * 1024 * 1024)

struct uw_written {
    bool knows; /* that nothing else was written */
    uint64_t *slots; /* fingerprints, hashed; 0: free */
    uint32_t slot_count, count;
};

void uw_written_close(struct uw_written *written);
/* The table is empty now, or it is not known what is in it. */
void uw_written_begin(struct uw_written *written, bool empty);
/* True when the row was certainly not written before; from now on it is remembered. False, too, when that is not known,
 * or memory is refused. The fingerprint's bits must be evenly spread. */
bool uw_written_add(struct uw_written *written, uint64_t fingerprint);

#endif
