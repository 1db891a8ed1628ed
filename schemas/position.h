/*
 * The text that stands as metadata beside Kafka's committed offsets: how far the outbox of a partition is
 * published (DESIGN section 1).
 *
 *   urenwacht/1 outbox=123
 */
#ifndef UW_SCHEMAS_POSITION_H
#define UW_SCHEMAS_POSITION_H

#include "core/types.h"

/* With its NUL. */
#define UW_POSITION_TEXT_BYTES 48

/* `sequence` is 0 or more. */
void uw_position_format(int64_t sequence, char text[UW_POSITION_TEXT_BYTES]);
/* False, leaving *sequence untouched, for a text that is not exactly what uw_position_format writes. */
bool uw_position_parse(struct uw_str text, int64_t *sequence) UW_MUST_USE;

#endif
