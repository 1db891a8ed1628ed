/*
 * Answers made smaller for those who take them so: gzip and deflate, by zlib.
 *
 * Only what is the same for everybody who may see it is packed, never an answer with a secret in it: beside words that
 * somebody else chose, its length would tell of the secret.
 */
#ifndef UW_DASHBOARD_PACK_H
#define UW_DASHBOARD_PACK_H

#include "core/arena.h"

enum uw_packing { UW_PACKING_NONE, UW_PACKING_GZIP, UW_PACKING_DEFLATE };

/* Smaller answers fit in a packet or two as they are. */
#define UW_PACK_BYTES_MIN 1024
/* Of 1, quick, to 9, small. */
#define UW_PACK_QUICK 3
#define UW_PACK_SMALL 9

/* What the header Accept-Encoding (RFC 9110, 12.5.3) allows, the best of it; NULL: no header. */
enum uw_packing uw_packing_choose(const char *accept_encoding);
/* The name in Content-Encoding; NULL for none. */
const char *uw_packing_name(enum uw_packing packing);

/* Packs `body` into `arena`. Null when it is too small, would keep more than half of its length, or there is no memory:
 * then it goes as it is. Takes 256 KiB while it works. */
struct uw_str uw_pack(struct uw_arena *arena, enum uw_packing packing, int level, struct uw_str body);

#endif
