#include "consumers/others.h"

#include <stddef.h>

#include "consumers/intake_parts.h"

static bool is_assigned(const struct uw_intake *intake, int32_t partition)
{
    return partition < intake->slot_count && intake->slots[partition].assigned;
}

/* Whether a message of one partition of a topic lies at `committed` or behind it. */
static enum uw_code look_behind(struct uw_audit *audit, const char *topic, int32_t partition, int64_t committed,
                                int64_t *end, bool *found, struct uw_error *error)
{
    const struct uw_audit_message *message = NULL;
    int64_t low = 0, high = 0;
    enum uw_code code = uw_audit_range(audit, topic, partition, &low, &high, error);

    if (code != UW_OK)
        return code;
    if (committed < low)
        committed = low;
    code = uw_audit_start(audit, topic, partition, committed, high, error);
    if (code == UW_OK)
        code = uw_audit_next(audit, &message, error);
    if (code != UW_OK)
        return code;
    *end = high;
    *found = message != NULL;
    return UW_OK;
}

enum uw_code uw_others_look(struct uw_intake *intake, struct uw_audit *audit, int32_t timeout_ms,
                            struct uw_others_left *left, struct uw_error *error)
{
    for (int32_t partition = 0; partition < intake->partition_count; partition++) {
        int64_t committed[UW_TOPIC_COUNT] = {0};
        enum uw_code code;

        if (is_assigned(intake, partition))
            continue;
        code = uw_intake_committed(intake, partition, timeout_ms, committed, error);
        for (int t = 0; t < UW_TOPIC_COUNT && code == UW_OK; t++) {
            int64_t end = 0;
            bool found = false;

            code = look_behind(audit, intake->topics[t], partition, committed[t], &end, &found, error);
            if (code == UW_OK && found) {
                *left = (struct uw_others_left){intake->topics[t], partition, committed[t], end};
                return UW_OK;
            }
        }
        if (code != UW_OK)
            return code;
    }
    *left = (struct uw_others_left){NULL, 0, 0, 0};
    return UW_OK;
}
