#include "schemas/position.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "urenwacht/1 outbox="

void uw_position_format(int64_t sequence, char text[UW_POSITION_TEXT_BYTES])
{
    (void)snprintf(text, UW_POSITION_TEXT_BYTES, PREFIX "%" PRId64, sequence);
}

bool uw_position_parse(struct uw_str text, int64_t *sequence)
{
    const size_t prefix = sizeof PREFIX - 1;
    if (uw_str_is_null(text) || text.length <= prefix || memcmp(text.data, PREFIX, prefix) != 0) {
        return false;
    }
    /* One number, one text: a leading zero is not ours. */
    if (text.data[prefix] == '0' && text.length > prefix + 1) {
        return false;
    }
    int64_t number = 0;
    for (size_t i = prefix; i < text.length; i++) {
        int digit = text.data[i] - '0';
        if (digit < 0 || digit > 9 || number > (INT64_MAX - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    *sequence = number;
    return true;
}
