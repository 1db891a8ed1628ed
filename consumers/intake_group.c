#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consumers/intake_parts.h"

int uw_intake_topic_index(const struct uw_intake *intake, const char *topic)
{
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        if (strcmp(intake->topics[i], topic) == 0)
            return i;
    }
    return -1;
}

void uw_intake_stop(struct uw_intake *intake, const struct uw_error *error)
{
    if (intake->stop.code == UW_OK)
        intake->stop = *error;
}

static void stop_with(struct uw_intake *intake, rd_kafka_resp_err_t err, const char *what)
{
    struct uw_error error;

    (void)uw_kafka_fail(err, what, NULL, &error);
    uw_intake_stop(intake, &error);
}

/* ---- telling librdkafka ---- */

static void tell_result(struct uw_intake *intake, rd_kafka_error_t *failure, const char *what)
{
    if (failure == NULL)
        return;
    stop_with(intake, rd_kafka_error_code(failure), what);
    rd_kafka_error_destroy(failure);
}

static void tell_assigned(struct uw_intake *intake, const rd_kafka_topic_partition_list_t *list)
{
    if (intake->by_parts) {
        tell_result(intake, rd_kafka_incremental_assign(intake->client, list), "taking partitions");
    } else {
        rd_kafka_resp_err_t err = rd_kafka_assign(intake->client, list);

        if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
            stop_with(intake, err, "taking partitions");
    }
}

static void tell_revoked(struct uw_intake *intake, const rd_kafka_topic_partition_list_t *list)
{
    if (intake->by_parts)
        tell_result(intake, rd_kafka_incremental_unassign(intake->client, list), "giving partitions up");
    else
        (void)rd_kafka_assign(intake->client, NULL);
}

static int64_t start_offset(int64_t position)
{
    return position == 0 ? RD_KAFKA_OFFSET_BEGINNING : position;
}

/*
 * What is read first after an assignment. The result does not depend on it, but what subscribers see on the way does,
 * and how much there is to write.
 *
 * Decisions come before anything else: a line that is read long before its decision would be published as one of an
 * unknown decision, and resolved soon after. When more waits than a batch may hold, one partition after the other is
 * read to its end: a client's events then come together in few batches, each of which writes what has become of the
 * client once, instead of in all the batches of all the partitions.
 *
 * An assignment by parts cannot be split, so there everything is read at once.
 */

bool uw_intake_waits(const struct uw_intake_slot *slot, int topic)
{
    return slot->high[topic] > slot->fetched[topic];
}

int64_t uw_intake_waiting(const struct uw_intake_slot *slot)
{
    int64_t waiting = 0;

    for (int t = 0; t < UW_TOPIC_COUNT; t++)
        waiting += uw_intake_waits(slot, t) ? slot->high[t] - slot->fetched[t] : 0;
    return waiting;
}

/* Where the partitions of all topics begin or end, in one question to each broker, be they as many as they may: the
 * protocol has both beside the times that this call is for. NULL: nobody answered. The caller destroys the list. */
static rd_kafka_topic_partition_list_t *ask_offsets(struct uw_intake *intake, int64_t which)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)(intake->assigned_count * UW_TOPIC_COUNT));

    for (uint32_t i = 0; i < intake->assigned_count; i++) {
        for (int t = 0; t < UW_TOPIC_COUNT; t++)
            rd_kafka_topic_partition_list_add(list, intake->topics[t], intake->assigned[i])->offset = which;
    }
    if (rd_kafka_offsets_for_times(intake->client, list, intake->timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return list;
    rd_kafka_topic_partition_list_destroy(list);
    return NULL;
}

static int64_t told(rd_kafka_topic_partition_list_t *list, const char *topic, int32_t partition)
{
    const rd_kafka_topic_partition_t *part =
        list == NULL ? NULL : rd_kafka_topic_partition_list_find(list, topic, partition);

    return part == NULL || part->err != RD_KAFKA_RESP_ERR_NO_ERROR || part->offset < 0 ? 0 : part->offset;
}

/* Asks how much there is in what was just assigned; what is not told counts as nothing. */
static int64_t ask_waiting(struct uw_intake *intake)
{
    rd_kafka_topic_partition_list_t *lows, *highs;
    int64_t waiting = 0;

    if (intake->assigned_count == 0)
        return 0;
    lows = ask_offsets(intake, RD_KAFKA_OFFSET_BEGINNING);
    highs = lows == NULL ? NULL : ask_offsets(intake, RD_KAFKA_OFFSET_END);
    for (uint32_t i = 0; i < intake->assigned_count; i++) {
        struct uw_intake_slot *slot = &intake->slots[intake->assigned[i]];

        for (int t = 0; t < UW_TOPIC_COUNT; t++) {
            int64_t low = told(lows, intake->topics[t], intake->assigned[i]);
            int64_t high = told(highs, intake->topics[t], intake->assigned[i]);
            int64_t from = slot->fetched[t] > low ? slot->fetched[t] : low;

            if (high > from) {
                slot->high[t] = high;
                waiting += high - from;
            }
        }
    }
    if (lows != NULL)
        rd_kafka_topic_partition_list_destroy(lows);
    if (highs != NULL)
        rd_kafka_topic_partition_list_destroy(highs);
    return waiting;
}

static bool is_wanted(const struct uw_intake *intake, int32_t partition)
{
    return !intake->behind || partition == intake->focus;
}

static void focus_on(struct uw_intake *intake, int32_t partition)
{
    if (intake->focus == partition)
        return;
    intake->focus = partition;
    intake->far = partition >= 0 && uw_intake_waiting(&intake->slots[partition]) > intake->capacity;
}

/* What is to be read now, from what is known to wait. */
static void choose(struct uw_intake *intake)
{
    bool found = false;

    for (uint32_t i = 0; i < intake->assigned_count && intake->behind && !found; i++) {
        found = uw_intake_waiting(&intake->slots[intake->assigned[i]]) > 0;
        if (found)
            focus_on(intake, intake->assigned[i]);
    }
    if (!found)
        focus_on(intake, -1);
    intake->behind = found;
    intake->heading = false;
    /* What comes into one batch needs no order. */
    if (found && uw_intake_waiting(&intake->slots[intake->focus]) <= intake->capacity)
        return;
    for (uint32_t i = 0; i < intake->assigned_count && !intake->by_parts; i++) {
        const struct uw_intake_slot *slot = &intake->slots[intake->assigned[i]];

        if (is_wanted(intake, intake->assigned[i]) && uw_intake_waits(slot, UW_TOPIC_DECISIONS))
            intake->heading = true;
    }
}

/* Behind what was fetched. */
static void tell_chosen(struct uw_intake *intake)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)(intake->assigned_count * UW_TOPIC_COUNT));

    memset(intake->known, 0, sizeof(intake->known));
    for (uint32_t i = 0; i < intake->assigned_count; i++) {
        struct uw_intake_slot *slot = &intake->slots[intake->assigned[i]];

        for (int t = 0; t < UW_TOPIC_COUNT; t++) {
            slot->ended[t] = false;
            if (!is_wanted(intake, intake->assigned[i]) || (intake->heading && t != UW_TOPIC_DECISIONS))
                continue;
            rd_kafka_topic_partition_list_add(list, intake->topics[t], intake->assigned[i])->offset =
                start_offset(slot->fetched[t]);
        }
    }
    if (intake->by_parts)
        tell_revoked(intake, list);
    tell_assigned(intake, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static void tell_taken(struct uw_intake *intake, const rd_kafka_topic_partition_list_t *list)
{
    intake->behind = !intake->by_parts && ask_waiting(intake) > intake->capacity;
    focus_on(intake, -1);
    choose(intake);
    if (intake->heading || intake->behind)
        tell_chosen(intake);
    else
        tell_assigned(intake, list);
}

void uw_intake_ended(struct uw_intake *intake, int topic, int32_t partition, int64_t offset)
{
    struct uw_intake_slot *slot = &intake->slots[partition];

    slot->ended[topic] = true;
    slot->end[topic] = offset;
    slot->high[topic] = slot->fetched[topic];
    uw_intake_go_on(intake);
}

void uw_intake_go_on(struct uw_intake *intake)
{
    int32_t focus = intake->focus;
    bool heading = intake->heading, behind = intake->behind;

    if (!heading && !behind)
        return;
    choose(intake);
    if (intake->heading != heading || intake->behind != behind || intake->focus != focus) {
        (void)uw_intake_drop(intake, false);
        tell_chosen(intake);
    }
}

void uw_intake_assign_again(struct uw_intake *intake)
{
    intake->seek = false;
    (void)uw_intake_drop(intake, false);
    for (uint32_t i = 0; i < intake->assigned_count; i++) {
        struct uw_intake_slot *slot = &intake->slots[intake->assigned[i]];

        memcpy(slot->fetched, slot->position, sizeof(slot->fetched));
    }
    choose(intake);
    tell_chosen(intake);
}

/* ---- slots ---- */

static int compare_partitions(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;

    return (left > right) - (left < right);
}

static bool slots_grow(struct uw_intake *intake, int32_t slot_count)
{
    struct uw_intake_slot *slots;
    int32_t *assigned;

    if (slot_count <= intake->slot_count)
        return true;
    slots = realloc(intake->slots, (size_t)slot_count * sizeof(*slots));
    if (slots == NULL)
        return false;
    memset(slots + intake->slot_count, 0, (size_t)(slot_count - intake->slot_count) * sizeof(*slots));
    intake->slots = slots;
    assigned = realloc(intake->assigned, (size_t)slot_count * sizeof(*assigned));
    if (assigned == NULL)
        return false;
    intake->assigned = assigned;
    intake->slot_count = slot_count;
    return true;
}

/* The list's partitions without repeats, ascending; the caller frees them. An error when one of the four topics
 * is missing at any of them, since a client's facts must all come to the same instance. */
static enum uw_code list_partitions(struct uw_intake *intake, const rd_kafka_topic_partition_list_t *list,
                                    int32_t **partitions, uint32_t *count, struct uw_error *error)
{
    int32_t *found = malloc(((size_t)list->cnt + 1) * sizeof(*found));
    uint32_t distinct = 0;

    if (found == NULL)
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for an assignment of %d partitions", list->cnt);
    for (int i = 0; i < list->cnt; i++)
        found[i] = list->elems[i].partition;
    qsort(found, (size_t)list->cnt, sizeof(*found), compare_partitions);
    for (int i = 0; i < list->cnt; i++) {
        if (distinct == 0 || found[distinct - 1] != found[i])
            found[distinct++] = found[i];
    }
    for (uint32_t i = 0; i < distinct; i++) {
        for (int t = 0; t < UW_TOPIC_COUNT; t++) {
            if (rd_kafka_topic_partition_list_find(list, intake->topics[t], found[i]) != NULL)
                continue;
            /* The broker that assigns may have heard of topics that were just made one after the other; who joins
             * anew gets them all. */
            (void)uw_error_set(error, UW_ECONFIG, intake->by_parts ? UW_CLASS_RETRY : UW_CLASS_FATAL,
                               "partition %" PRId32 " of topic %s was given to another member of the group: all must "
                               "read the same four topics with the assignor range",
                               found[i], intake->topics[t]);
            free(found);
            return UW_ECONFIG;
        }
    }
    *partitions = found;
    *count = distinct;
    return UW_OK;
}

static void slots_take(struct uw_intake *intake, const int32_t *partitions, uint32_t count,
                       const struct uw_intake_start *starts)
{
    for (uint32_t i = 0; i < count; i++) {
        struct uw_intake_slot *slot = &intake->slots[partitions[i]];

        if (!slot->assigned)
            intake->assigned[intake->assigned_count++] = partitions[i];
        memset(slot, 0, sizeof(*slot));
        slot->assigned = true;
        for (int t = 0; t < UW_TOPIC_COUNT; t++)
            slot->fetched[t] = slot->position[t] = starts[i].next_offset[t];
    }
    qsort(intake->assigned, intake->assigned_count, sizeof(*intake->assigned), compare_partitions);
}

static void slots_give(struct uw_intake *intake, const int32_t *partitions, uint32_t count)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (partitions[i] < intake->slot_count)
            intake->slots[partitions[i]].assigned = false;
    }
    for (uint32_t i = 0; i < intake->assigned_count; i++) {
        if (intake->slots[intake->assigned[i]].assigned)
            intake->assigned[kept++] = intake->assigned[i];
    }
    intake->assigned_count = kept;
}

/* ---- the two sides of a rebalance ---- */

static enum uw_code take(struct uw_intake *intake, rd_kafka_topic_partition_list_t *list, struct uw_error *error)
{
    int32_t *partitions = NULL;
    struct uw_intake_start *starts = NULL;
    uint32_t count = 0;
    enum uw_code code;

    code = list_partitions(intake, list, &partitions, &count, error);
    if (code != UW_OK)
        return code;
    starts = calloc((size_t)count + 1, sizeof(*starts));
    if (starts == NULL || !slots_grow(intake, count == 0 ? 0 : partitions[count - 1] + 1)) {
        code = uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for an assignment of %" PRIu32 " partitions",
                            count);
        goto out;
    }
    if (count > 0)
        code = intake->listener.assigned(intake->listener.context, partitions, count, starts, error);
    if (code != UW_OK)
        goto out;
    slots_take(intake, partitions, count, starts);
    for (int i = 0; i < list->cnt; i++) {
        int topic = uw_intake_topic_index(intake, list->elems[i].topic);

        if (topic >= 0)
            list->elems[i].offset = start_offset(intake->slots[list->elems[i].partition].position[topic]);
    }
out:
    free(starts);
    free(partitions);
    return code;
}

static void give(struct uw_intake *intake, const rd_kafka_topic_partition_list_t *list)
{
    bool lost = rd_kafka_assignment_lost(intake->client) != 0;
    int32_t *gone = malloc(((size_t)list->cnt + 1) * sizeof(*gone));
    uint32_t count = 0;

    if (gone == NULL) {
        struct uw_error error;

        (void)uw_error_set(&error, UW_ENOMEM, UW_CLASS_FATAL, "no memory to give %d partitions up", list->cnt);
        uw_intake_stop(intake, &error);
        return;
    }
    /* Only what the listener was told about: an assignment that stopped the intake never reached it. */
    for (uint32_t i = 0; i < intake->assigned_count; i++) {
        for (int t = 0; t < UW_TOPIC_COUNT; t++) {
            if (rd_kafka_topic_partition_list_find(list, intake->topics[t], intake->assigned[i]) != NULL) {
                gone[count++] = intake->assigned[i];
                break;
            }
        }
    }
    slots_give(intake, gone, count);
    if (count > 0)
        intake->listener.revoked(intake->listener.context, gone, count, lost);
    free(gone);
}

void uw_intake_on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list,
                            void *opaque)
{
    struct uw_intake *intake = opaque;
    struct uw_error error;

    (void)client;
    intake->rebalances++;
    memset(intake->known, 0, sizeof(intake->known));
    /* Positions come again from the store, so what was read ahead is read again. By parts they do not come again
     * for what stays: there it goes on from what was handed over. */
    if (uw_intake_drop(intake, !intake->handed) && intake->by_parts)
        intake->seek = true;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        intake->joined = true;
        if (intake->stop.code == UW_OK && !intake->leaving && take(intake, list, &error) != UW_OK)
            uw_intake_stop(intake, &error);
        if (intake->stop.code == UW_OK && !intake->leaving)
            tell_taken(intake, list);
        else
            tell_revoked(intake, list);
    } else if (err == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        /* Who gave all up waits for the next assignment: having nothing is then no reason to be idle. */
        intake->joined = intake->joined && intake->by_parts;
        give(intake, list);
        tell_revoked(intake, list);
    } else {
        give(intake, list);
        tell_revoked(intake, list);
        stop_with(intake, err, "joining the consumer group");
    }
    if (!intake->by_parts || intake->assigned_count == 0)
        intake->seek = false;
}
