/*
 * Writing and reading the members that a shape names, by their offset. memcpy keeps the compiler's view of
 * types intact; it becomes one move.
 */
#ifndef UW_SCHEMAS_SLOT_H
#define UW_SCHEMAS_SLOT_H

#include <string.h>

#include "core/types.h"

static inline void uw_slot_set_int(void *record, uint32_t offset, int32_t value)
{
    memcpy((char *)record + offset, &value, sizeof value);
}

static inline void uw_slot_set_long(void *record, uint32_t offset, int64_t value)
{
    memcpy((char *)record + offset, &value, sizeof value);
}

static inline void uw_slot_set_boolean(void *record, uint32_t offset, bool value)
{
    memcpy((char *)record + offset, &value, sizeof value);
}

static inline void uw_slot_set_text(void *record, uint32_t offset, struct uw_str value)
{
    memcpy((char *)record + offset, &value, sizeof value);
}

static inline void uw_slot_set_uuid(void *record, uint32_t offset, const struct uw_uuid *value)
{
    memcpy((char *)record + offset, value, sizeof *value);
}

static inline void uw_slot_set_list(void *record, uint32_t offset, uint32_t count_offset, const int32_t *items,
                                    uint32_t count)
{
    memcpy((char *)record + offset, &items, sizeof items);
    memcpy((char *)record + count_offset, &count, sizeof count);
}

static inline int32_t uw_slot_int(const void *record, uint32_t offset)
{
    int32_t value;
    memcpy(&value, (const char *)record + offset, sizeof value);
    return value;
}

static inline int64_t uw_slot_long(const void *record, uint32_t offset)
{
    int64_t value;
    memcpy(&value, (const char *)record + offset, sizeof value);
    return value;
}

static inline bool uw_slot_boolean(const void *record, uint32_t offset)
{
    bool value;
    memcpy(&value, (const char *)record + offset, sizeof value);
    return value;
}

static inline struct uw_str uw_slot_text(const void *record, uint32_t offset)
{
    struct uw_str value;
    memcpy(&value, (const char *)record + offset, sizeof value);
    return value;
}

static inline struct uw_uuid uw_slot_uuid(const void *record, uint32_t offset)
{
    struct uw_uuid value;
    memcpy(&value, (const char *)record + offset, sizeof value);
    return value;
}

static inline const int32_t *uw_slot_list(const void *record, uint32_t offset)
{
    const int32_t *items;
    memcpy(&items, (const char *)record + offset, sizeof items);
    return items;
}

static inline uint32_t uw_slot_count(const void *record, uint32_t count_offset)
{
    uint32_t count;
    memcpy(&count, (const char *)record + count_offset, sizeof count);
    return count;
}

#endif
