/*
 * Bounded exponential backoff with jitter, for calls that are made again until the world answers.
 */
#ifndef UW_CLI_BACKOFF_H
#define UW_CLI_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct uw_backoff {
    int32_t min_ms, max_ms;
    uint32_t failures; /* in a row */
    uint64_t random;   /* state of the jitter */
};

void uw_backoff_init(struct uw_backoff *backoff, int32_t min_ms, int32_t max_ms, uint64_t seed);
/* How long to wait after one more failure: between half and the whole of min · 2^failures, at most max. */
int32_t uw_backoff_next(struct uw_backoff *backoff);
/* After a success. */
void uw_backoff_reset(struct uw_backoff *backoff);

/* How long something has been refused that is asked for again and again, also where it is had in between. Starts as
 * zeros. */
struct uw_patience {
    int64_t first_ms, last_ms;
};

/* One more refusal, at now_ms of a clock that only goes forward. True: it is the first, or the first since longer than
 * the limit. */
bool uw_patience_begins(struct uw_patience *patience, int64_t now_ms, int64_t limit_ms);
/* Refused since the limit or longer. */
bool uw_patience_is_over(const struct uw_patience *patience, int64_t limit_ms);

#endif
