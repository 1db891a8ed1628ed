/*
 * The files of schemas/ that are compiled into the library (embed.cmake makes their C file).
 */
#ifndef UW_SCHEMAS_EMBEDDED_H
#define UW_SCHEMAS_EMBEDDED_H

#include <stddef.h>

struct uw_embedded_file {
    const char *name; /* without its folder: "decision.avsc" */
    const char *text; /* NUL-terminated */
    size_t length;    /* bytes, without the NUL */
};

/* Each table is sorted by name and ends with a NULL name. */
extern const struct uw_embedded_file uw_embedded_schemas[];     /* schemas/NAME.avsc */
extern const struct uw_embedded_file uw_embedded_old_schemas[]; /* schemas/old/NAME-vN.avsc */
extern const struct uw_embedded_file uw_embedded_migrations[];  /* schemas/sql/NAME.sql */

#endif
