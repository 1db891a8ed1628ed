/*
 * The engine looks at a client again when events come or on its next_change_day. So between a fold and that day
 * nothing may change: alerts and anomalies folded on any day before it are those of the fold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/fold.h"
#include "tests/support/hostile.h"
#include "tests/support/thresholds.h"

#define DAYS 200

struct outcome {
    uint64_t alerts, anomalies, accounts;
};

static uint64_t mix(uint64_t hash, int64_t number)
{
    hash = (hash ^ (uint64_t)number) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 31;
}

static struct outcome outcome_of(const struct uw_fold *fold)
{
    struct outcome outcome = {1, 1, 1};
    for (uint32_t i = 0; i < fold->alert_count; i++) {
        const struct uw_alert_state *state = &fold->alerts[i].state;
        outcome.alerts = mix(mix(mix(outcome.alerts, state->kind), state->decision), state->segment_from_day);
        outcome.alerts = mix(mix(mix(outcome.alerts, state->period_from_day), state->threshold), state->severity);
        outcome.alerts = mix(mix(outcome.alerts, state->effective_on_day), state->provider);
    }
    for (uint32_t i = 0; i < fold->anomaly_count; i++) {
        const struct uw_anomaly_state *state = &fold->anomalies[i].state;
        outcome.anomalies = mix(mix(mix(outcome.anomalies, state->kind), state->decision), state->provider);
        outcome.anomalies = mix(mix(outcome.anomalies, state->subject_kind), state->subject_provider);
        outcome.anomalies = mix(mix(outcome.anomalies, state->subject_id), state->subject_version);
    }
    for (uint32_t i = 0; i < fold->account_count; i++) {
        const struct uw_account *account = &fold->accounts[i];
        outcome.accounts = mix(mix(outcome.accounts, account->decision), account->segment_from_day);
        outcome.accounts = mix(mix(outcome.accounts, account->period_from_day), account->used_minutes);
    }
    return outcome;
}

static void fold_at(struct uw_fold *fold, const struct uw_client *client, const struct uw_settings *settings,
                    int32_t day, struct outcome *outcome)
{
    assert_int_equal(uw_fold_run(fold, client, settings, day), UW_OK);
    *outcome = outcome_of(fold);
}

/* Walks through the days; *changes counts the days on which something did change, *looks those foretold. */
static void check_client(struct uw_fold *fold, const struct uw_client *client, const struct uw_settings *settings,
                         int32_t from_day, uint64_t seed, uint32_t *changes, uint32_t *looks)
{
    struct outcome known, now;
    fold_at(fold, client, settings, from_day, &known);
    int32_t next = fold->next_change_day;
    for (int32_t day = from_day + 1; day <= from_day + DAYS; day++) {
        fold_at(fold, client, settings, day, &now);
        assert_true(now.accounts == known.accounts);
        bool same = now.alerts == known.alerts && now.anomalies == known.anomalies;
        if (next == UW_DAY_NONE || day < next) {
            if (!same) {
                fail_msg("history %llu from day %d: something changed on day %d, and day %d was foretold",
                         (unsigned long long)seed, (int)from_day, (int)day, (int)next);
            }
            continue;
        }
        /* The day has come: what is known is renewed, as the engine does. */
        assert_int_equal(day, next);
        *changes += !same;
        ++*looks;
        known = now;
        next = fold->next_change_day;
        assert_true(next == UW_DAY_NONE || next > day);
    }
}

static void test_nothing_changes_before_its_day(void **state)
{
    (void)state;
    struct uw_fold fold;
    struct uw_threshold_rule rules[2];
    uint32_t rounds = uw_test_rounds(1500), changes = 0, looks = 0;
    uw_fold_init(&fold);
    for (uint64_t seed = 1; seed <= rounds; seed++) {
        struct uw_random random = uw_random_from(seed);
        struct uw_hostile hostile;
        struct uw_client client;
        uw_hostile_make(&hostile, seed * 31, 1, 3 + uw_random_below(&random, 30));
        uw_client_init(&client);
        for (uint32_t i = 0; i < hostile.count; i++) {
            bool redelivery;
            assert_int_equal(uw_client_add(&client, &hostile.events[i], &redelivery), UW_OK);
        }
        struct uw_settings settings = uw_threshold_choice(uw_random_below(&random, UW_THRESHOLD_CHOICES), rules);
        int32_t from_day = hostile.as_of_day + uw_random_between(&random, -350, 300);
        check_client(&fold, &client, &settings, from_day, seed, &changes, &looks);
        uw_client_close(&client);
        uw_hostile_close(&hostile);
    }
    uw_fold_close(&fold);
    print_message("%u changes on %u days foretold\n", (unsigned)changes, (unsigned)looks);
    /* The walk has seen enough, and days are not foretold for nothing all the time. */
    assert_true(changes > rounds);
    assert_true(looks < 10 * changes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_changes_before_its_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
