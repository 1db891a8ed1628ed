/*
 * Whether the partitions that other members of the group hold are done with. A member that has died holds its
 * partitions until its session ends, so that being at the end of one's own partitions is not being at the end.
 */
#ifndef UW_CONSUMERS_OTHERS_H
#define UW_CONSUMERS_OTHERS_H

#include "consumers/audit.h"
#include "consumers/intake.h"

/* Where something is left. */
struct uw_others_left {
    const char *topic; /* borrowed from the intake; NULL: nothing is left anywhere */
    int32_t partition;
    int64_t committed, end; /* up to where the group is through, and where the partition ends */
};

/* Looks at the partitions that `intake` does not have, until one is found in which a committed message lies behind
 * what the group has committed; transaction markers are no messages. Waits up to timeout_ms for each partition's
 * answers. UW_CLASS_RETRY: it cannot be told now. */
enum uw_code uw_others_look(struct uw_intake *intake, struct uw_audit *audit, int32_t timeout_ms,
                            struct uw_others_left *left, struct uw_error *error) UW_MUST_USE;

#endif
