#include "producers/written.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 4096u

void uw_written_close(struct uw_written *written)
{
    free(written->slots);
    *written = (struct uw_written){0};
}

void uw_written_begin(struct uw_written *written, bool empty)
{
    uw_written_close(written);
    written->knows = empty;
}

/* Returns false when it is there already; there must be a free slot. */
static bool put(uint64_t *slots, uint32_t slot_count, uint64_t fingerprint)
{
    uint32_t place = (uint32_t)fingerprint & (slot_count - 1);

    while (slots[place] != 0) {
        if (slots[place] == fingerprint) {
            return false;
        }
        place = (place + 1) & (slot_count - 1);
    }
    slots[place] = fingerprint;
    return true;
}

/* Keeps an eighth of the slots free: some thirty looks, side by side, for a row that is new. False when there is no
 * room for one more. */
static bool make_room(struct uw_written *written)
{
    uint32_t slot_count = written->slot_count == 0 ? SLOTS_MIN : 2 * written->slot_count;
    uint64_t *slots;

    if (written->count < written->slot_count / 8 * 7) {
        return true;
    }
    slots = slot_count > UW_WRITTEN_SLOTS_MAX ? NULL : calloc(slot_count, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < written->slot_count; i++) {
        if (written->slots[i] != 0) {
            (void)put(slots, slot_count, written->slots[i]);
        }
    }
    free(written->slots);
    written->slots = slots;
    written->slot_count = slot_count;
    return true;
}

bool uw_written_add(struct uw_written *written, uint64_t fingerprint)
{
    bool added;

    if (!written->knows) {
        return false;
    }
    if (!make_room(written)) {
        uw_written_close(written);
        return false;
    }
    added = put(written->slots, written->slot_count, fingerprint == 0 ? 1 : fingerprint);
    written->count += added ? 1 : 0;
    return added;
}
