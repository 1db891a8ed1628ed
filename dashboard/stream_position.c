#include "dashboard/list.h"
#include "dashboard/stream.h"

/* The counts, and numbers of at most nine bytes for 63 bits. */
#define POSITION_BYTES_MAX (8 + UW_STREAM_PLACES_MAX * 9)
#define TEXT_BYTES_MAX 8000

static size_t put_number(unsigned char *bytes, uint64_t number)
{
    size_t length = 0;
    while (number >= 0x80) {
        bytes[length++] = (unsigned char)(number | 0x80);
        number >>= 7;
    }
    bytes[length++] = (unsigned char)number;
    return length;
}

static bool take_number(const unsigned char **at, const unsigned char *end, uint64_t *number)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        if (*at == end) {
            return false;
        }
        value |= (uint64_t)(**at & 0x7f) << shift;
        if ((*(*at)++ & 0x80) == 0) {
            *number = value;
            return true;
        }
    }
    return false;
}

const char *uw_position_write(struct uw_arena *arena, const int64_t *offsets, uint32_t alert_count,
                              uint32_t anomaly_count)
{
    unsigned char bytes[POSITION_BYTES_MAX];
    size_t length = put_number(bytes, alert_count);
    length += put_number(bytes + length, anomaly_count);
    for (uint32_t i = 0; i < alert_count + anomaly_count; i++) {
        length += put_number(bytes + length, (uint64_t)offsets[i]);
    }
    return uw_base64url_write(arena, bytes, length);
}

bool uw_position_read(struct uw_arena *arena, struct uw_str text, int64_t *offsets, uint32_t alert_count,
                      uint32_t anomaly_count)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    uint64_t counts[2], number;
    if (text.length == 0 || text.length > TEXT_BYTES_MAX || !uw_base64url_read(arena, text, &bytes, &size)) {
        return false;
    }
    const unsigned char *at = bytes, *end = bytes + size;
    const uint32_t ours[2] = {alert_count, anomaly_count};
    if (!take_number(&at, end, &counts[0]) || !take_number(&at, end, &counts[1]) || counts[0] > UW_STREAM_PLACES_MAX ||
        counts[1] > UW_STREAM_PLACES_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < alert_count + anomaly_count; i++) {
        offsets[i] = 0;
    }
    for (uint32_t topic = 0, first = 0; topic < 2; first += ours[topic], topic++) {
        for (uint64_t i = 0; i < counts[topic]; i++) {
            if (!take_number(&at, end, &number) || number > INT64_MAX / 2) {
                return false;
            }
            if (i < ours[topic]) {
                offsets[first + i] = (int64_t)number;
            }
        }
    }
    return at == end;
}
