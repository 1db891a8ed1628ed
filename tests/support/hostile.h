/*
 * A hostile generator of event sets: few names, so that everything collides with everything, and days at which
 * calendars break. The same seed always gives the same events.
 */
#ifndef UW_TESTS_HOSTILE_H
#define UW_TESTS_HOSTILE_H

#include "core/arena.h"
#include "core/event.h"
#include "tests/support/random.h"

#define UW_HOSTILE_CLIENTS_MAX 8u

struct uw_hostile {
    struct uw_random random;
    struct uw_arena arena; /* holds all texts */
    struct uw_event *events;
    uint32_t count, capacity;
    uint32_t client_count;
    int32_t as_of_day; /* the day around which everything happens */
};

/* Aborts when memory is refused. */
void uw_hostile_make(struct uw_hostile *hostile, uint64_t seed, uint32_t client_count, uint32_t event_count);
void uw_hostile_close(struct uw_hostile *hostile);

/* A copy whose texts and lists are in the arena. False when memory is refused. */
bool uw_event_copy(const struct uw_event *event, struct uw_arena *arena, struct uw_event *copy);

#endif
