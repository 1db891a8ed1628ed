/*
 * From one client's new fold to what must be written: the differences against what the store has.
 *
 * The vectors of a struct uw_judgement collect the changes of a whole batch. Texts are borrowed from the
 * clients, which must not change until the batch is committed or given up.
 */
#ifndef UW_CORE_JUDGE_H
#define UW_CORE_JUDGE_H

#include "cache.h"
#include "fold.h"
#include "ports.h"
#include "sums.h"

struct uw_judgement {
    const struct uw_settings *settings;
    int32_t rules_version;
    struct uw_fold fold;
    struct uw_sums sums;
    struct uw_account_change *accounts;
    struct uw_alert_change *alerts;
    struct uw_anomaly_change *anomalies;
    struct uw_client_change *clients;
    uint32_t account_count, account_capacity, alert_count, alert_capacity, anomaly_count, anomaly_capacity,
        client_count, client_capacity;
    /* Working arrays: the accounts before the batch; the next states of alerts and anomalies. */
    struct uw_account *before;
    struct uw_alert_state *alert_states;
    struct uw_anomaly_state *anomaly_states;
    uint32_t before_count, before_capacity, alert_state_capacity, anomaly_state_capacity;
};

void uw_judgement_init(struct uw_judgement *judgement, const struct uw_settings *settings, int32_t rules_version);
void uw_judgement_close(struct uw_judgement *judgement);
/* Forgets the changes of the last batch. */
void uw_judgement_reset(struct uw_judgement *judgement);

/* Remembers accounts and sums of the client as its facts now are, before new facts are added. */
enum uw_code uw_judge_before(struct uw_judgement *judgement, const struct uw_resident *resident) UW_MUST_USE;

/* Folds the client and adds every difference to the changes; the client's states of alerts and anomalies become
 * the new ones. With `facts_changed` uw_judge_before was called before they did; otherwise accounts and sums
 * are as they were. A client that was last judged under former rules gets all its accounts and sums anew, since
 * what those rules have stored cannot be told from its facts, and so does one that was never judged, be its facts
 * stored already or not. Failure leaves the client to be dropped. */
enum uw_code uw_judge_after(struct uw_judgement *judgement, struct uw_resident *resident, int32_t as_of_day,
                            bool facts_changed) UW_MUST_USE;

/* Instead of both, for a client that was never judged: its facts are stored, and its row says that it is to be judged
 * at the next occasion. */
enum uw_code uw_judge_later(struct uw_judgement *judgement, struct uw_resident *resident) UW_MUST_USE;

#endif
