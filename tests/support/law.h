/*
 * The law of SPEC section 1 as a check: what the fakes hold after any history equals one fresh fold over the
 * whole set of events, and what was published tells the same.
 */
#ifndef UW_TESTS_LAW_H
#define UW_TESTS_LAW_H

#include "core/settings.h"
#include "tests/support/fake_kafka.h"

#define UW_LAW_TEXT_BYTES 900

/* Accounts, open alerts, open anomalies and aggregates against a fold over all events of the kafka's hostile
 * set; the published stream against the store. False with a text when something differs. */
bool uw_law_holds(const struct uw_fake_store *store, const struct uw_fake_kafka *kafka,
                  const struct uw_settings *settings, int32_t as_of_day, char text[UW_LAW_TEXT_BYTES]);

/* Two runs of one history are equal when these numbers are. */
struct uw_digest {
    uint64_t facts, accounts, alerts, anomalies, aggregates, published;
};
struct uw_digest uw_law_digest(const struct uw_fake_store *store, const struct uw_fake_kafka *kafka);
/* The name of the first part that differs, NULL when none does. */
const char *uw_digest_difference(const struct uw_digest *a, const struct uw_digest *b);

#endif
