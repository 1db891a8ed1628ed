/* Numbers that look random and are the same for the same seed everywhere. */
#ifndef UW_TESTS_RANDOM_H
#define UW_TESTS_RANDOM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct uw_random {
    uint64_t state;
};

static inline struct uw_random uw_random_from(uint64_t seed)
{
    return (struct uw_random){seed * UINT64_C(0x9E3779B97F4A7C15) + UINT64_C(0xD1B54A32D192ED03)};
}

/* splitmix64 */
static inline uint64_t uw_random_bits(struct uw_random *random)
{
    uint64_t bits = random->state += UINT64_C(0x9E3779B97F4A7C15);
    bits = (bits ^ bits >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94D049BB133111EB);
    return bits ^ bits >> 31;
}

/* 0 .. count - 1 */
static inline uint32_t uw_random_below(struct uw_random *random, uint32_t count)
{
    return (uint32_t)(uw_random_bits(random) >> 32) % count;
}

/* low .. high */
static inline int32_t uw_random_between(struct uw_random *random, int32_t low, int32_t high)
{
    return low + (int32_t)uw_random_below(random, (uint32_t)(high - low) + 1);
}

static inline bool uw_random_chance(struct uw_random *random, uint32_t percent)
{
    return uw_random_below(random, 100) < percent;
}

static inline int32_t uw_random_of(struct uw_random *random, const int32_t *items, uint32_t count)
{
    return items[uw_random_below(random, count)];
}

/* One of the numbers. At most one of them may draw itself: the order in which they are computed is open. */
#define UW_RANDOM_PICK(random, ...)                                                                                    \
    uw_random_of((random), (const int32_t[]){__VA_ARGS__},                                                             \
                 (uint32_t)(sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t)))

/* How much a randomized test does: `rounds` times the number in UW_TEST_ROUNDS. */
static inline uint32_t uw_test_rounds(uint32_t rounds)
{
    const char *text = getenv("UW_TEST_ROUNDS");
    unsigned long factor = text == NULL ? 1 : strtoul(text, NULL, 10);
    return rounds * (uint32_t)(factor == 0 ? 1 : factor);
}

#endif
