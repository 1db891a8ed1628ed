#include "cli/backoff.h"

void uw_backoff_init(struct uw_backoff *backoff, int32_t min_ms, int32_t max_ms, uint64_t seed)
{
    *backoff = (struct uw_backoff){min_ms, max_ms < min_ms ? min_ms : max_ms, 0, seed | 1};
}

int32_t uw_backoff_next(struct uw_backoff *backoff)
{
    int64_t whole_ms = backoff->min_ms;
    for (uint32_t i = 0; i < backoff->failures && whole_ms < backoff->max_ms; i++) {
        whole_ms *= 2;
    }
    whole_ms = whole_ms < backoff->max_ms ? whole_ms : backoff->max_ms;
    backoff->failures += backoff->failures < UINT32_MAX;
    /* xorshift: the instances of a group must not knock in step. */
    backoff->random ^= backoff->random << 13;
    backoff->random ^= backoff->random >> 7;
    backoff->random ^= backoff->random << 17;
    int64_t half_ms = whole_ms / 2;
    return (int32_t)(whole_ms - half_ms + (half_ms > 0 ? (int64_t)(backoff->random % (uint64_t)(half_ms + 1)) : 0));
}

void uw_backoff_reset(struct uw_backoff *backoff)
{
    backoff->failures = 0;
}

bool uw_patience_begins(struct uw_patience *patience, int64_t now_ms, int64_t limit_ms)
{
    bool begins = patience->first_ms == 0 || now_ms - patience->last_ms > limit_ms;
    if (begins) {
        patience->first_ms = now_ms;
    }
    patience->last_ms = now_ms;
    return begins;
}

bool uw_patience_is_over(const struct uw_patience *patience, int64_t limit_ms)
{
    return patience->last_ms - patience->first_ms >= limit_ms;
}
