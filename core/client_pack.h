/*
 * A client in as few bytes as are easily done without, for a client that rests: most clients of a region are not in
 * the running batch.
 *
 * Unpacking gives the same client again: the same facts, states and texts under the same numbers.
 */
#ifndef UW_CORE_CLIENT_PACK_H
#define UW_CORE_CLIENT_PACK_H

#include "client.h"

/* Where clients are packed; kept between them. Zeroed before its first use. */
struct uw_packing {
    uint8_t *bytes;
    uint32_t length, capacity;
    bool failed; /* memory was refused */
};

/* The client's bytes are in `packing` until the next call. UW_ENOMEM. */
enum uw_code uw_client_pack(const struct uw_client *client, struct uw_packing *packing) UW_MUST_USE;
/* `client` must be new or closed; it is on failure. UW_ENOMEM, UW_EINTERNAL when the bytes are not a client's. */
enum uw_code uw_client_unpack(const uint8_t *bytes, uint32_t length, struct uw_client *client) UW_MUST_USE;

void uw_packing_close(struct uw_packing *packing);

#endif
