/*
 * Avro's binary encoding, byte by byte: writing into a buffer that is known to be large enough, and the header
 * of the single-object encoding.
 */
#ifndef UW_SCHEMAS_WIRE_H
#define UW_SCHEMAS_WIRE_H

#include <string.h>

#include "core/types.h"

/* C3 01, then the schema's CRC-64-AVRO fingerprint, little-endian. */
#define UW_SINGLE_OBJECT_FIRST 0xC3
#define UW_SINGLE_OBJECT_SECOND 0x01
#define UW_SINGLE_OBJECT_HEADER_BYTES 10
/* 00, then the registry's id of the schema, big-endian. */
#define UW_CONFLUENT_FIRST 0x00
#define UW_CONFLUENT_HEADER_BYTES 5

/* The longest encoding of a number of 64 bits. */
#define UW_NUMBER_BYTES_MAX 10

static inline uint8_t *uw_wire_put_number(uint8_t *at, int64_t number)
{
    uint64_t rest = ((uint64_t)number << 1) ^ (number < 0 ? UINT64_MAX : 0);
    while (rest >= 0x80) {
        *at++ = (uint8_t)(rest | 0x80);
        rest >>= 7;
    }
    *at++ = (uint8_t)rest;
    return at;
}

static inline uint8_t *uw_wire_put_bytes(uint8_t *at, const char *data, uint32_t length)
{
    at = uw_wire_put_number(at, length);
    if (length > 0) {
        memcpy(at, data, length);
    }
    return at + length;
}

static inline uint8_t *uw_wire_put_header(uint8_t *at, uint64_t fingerprint)
{
    *at++ = UW_SINGLE_OBJECT_FIRST;
    *at++ = UW_SINGLE_OBJECT_SECOND;
    for (int i = 0; i < 8; i++) {
        *at++ = (uint8_t)(fingerprint >> (8 * i));
    }
    return at;
}

#endif
