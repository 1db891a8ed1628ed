/*
 * Urenwacht core: the small types that everything shares.
 *
 * The core is pure: it includes the C library only, reads no clock, does no I/O, writes no log and has no
 * globals. All quantities are integers: minutes, euro cents, days. Dates are civil dates (Europe/Amsterdam)
 * counted in days since 1970-01-01; instants are UTC milliseconds since 1970-01-01T00:00Z (SPEC section 1).
 */
#ifndef UW_CORE_TYPES_H
#define UW_CORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define UW_MUST_USE __attribute__((warn_unused_result))
#define UW_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define UW_MUST_USE
#define UW_PRINTF(f, a)
#endif

/* Absent values of nullable fields. No valid value can be equal to them: the codec refuses an event that
 * carries one of these numbers. */
#define UW_DAY_NONE INT32_MIN
#define UW_INT_NONE INT32_MIN
#define UW_INSTANT_NONE INT64_MIN
#define UW_MINUTES_NONE INT64_MIN
/* A day that has come whatever the date is; no valid one either. */
#define UW_DAY_BEFORE_ALL (INT32_MIN + 1)

/* What a fallible function returns. The class of an error (below) says what is done about it. */
enum uw_code {
    UW_OK = 0,
    UW_ENOMEM,     /* memory was refused; nothing was changed */
    UW_EINPUT,     /* the data is wrong; the event is a dead letter, a file's line is reported */
    UW_ELIMIT,     /* a named limit was reached */
    UW_EIO,        /* the world failed: network, server, file */
    UW_ETIMEOUT,   /* a deadline passed */
    UW_EFENCED,    /* another instance owns the partition now */
    UW_ECONFIG,    /* a setting, a schema version or a topic is not what the program needs */
    UW_EINTERNAL,  /* the program found itself in a state that it does not understand */
};

/* One place (the process loop) acts on the class; see docs/operations.md. */
enum uw_class {
    UW_CLASS_NONE = 0,
    UW_CLASS_INPUT,  /* dead letter */
    UW_CLASS_RETRY,  /* the same call again, bounded backoff with jitter */
    UW_CLASS_ABORT,  /* undo the batch and replay it from the store's state */
    UW_CLASS_FENCED, /* give the partitions up */
    UW_CLASS_FATAL,  /* clean exit, not zero */
};

#define UW_ERROR_TEXT_BYTES 512

/* Filled by adapters beside the returned code. The caller embeds it; text is NUL-terminated, one line, and
 * holds neither client ids nor credentials. */
struct uw_error {
    enum uw_code code;
    enum uw_class class;
    char text[UW_ERROR_TEXT_BYTES];
};

/* Sets all three parts and returns `code`, so that `return uw_error_set(...)` reads well. `error` may be NULL. */
enum uw_code uw_error_set(struct uw_error *error, enum uw_code code, enum uw_class class, const char *format, ...)
    UW_PRINTF(4, 5);

/* A borrowed string: not NUL-terminated, valid UTF-8 without U+0000 once an event was decoded. */
struct uw_str {
    const char *data;
    uint32_t length; /* bytes */
};

#define UW_STR(literal) ((struct uw_str){(literal), (uint32_t)(sizeof(literal) - 1)})
#define UW_STR_NULL ((struct uw_str){NULL, 0}) /* a null of a nullable string; an empty string has data */

static inline bool uw_str_is_null(struct uw_str string)
{
    return string.data == NULL;
}

/* Order of strings is the order of their UTF-8 bytes (SPEC section 2, Winners). */
int uw_str_compare(struct uw_str a, struct uw_str b);
/* For tables in memory: not the same in every version of the program. */
uint32_t uw_str_hash(struct uw_str string);
bool uw_str_equal(struct uw_str a, struct uw_str b);
struct uw_str uw_str_from(const char *nul_terminated);

/* Code points of valid UTF-8 without U+0000, or -1 when it is not that. */
int64_t uw_utf8_length(struct uw_str string);

/* A UUID as the source wrote it: 16 bytes, and one bit per hex digit (bit 0 is the first digit) that was
 * written in upper case, since event ids are ordered by the bytes of their text. */
struct uw_uuid {
    uint8_t bytes[16];
    uint32_t upper;
};

#define UW_UUID_TEXT_BYTES 36

/* Parses the 8-4-4-4-12 form. Returns false, leaving *uuid untouched, for anything else. */
bool uw_uuid_parse(struct uw_str text, struct uw_uuid *uuid) UW_MUST_USE;
/* Writes exactly UW_UUID_TEXT_BYTES bytes, no NUL. */
void uw_uuid_format(const struct uw_uuid *uuid, char *text);
/* The order of the texts' bytes. */
int uw_uuid_compare(const struct uw_uuid *a, const struct uw_uuid *b);

#endif
