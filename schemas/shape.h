/*
 * The layout of every Avro record of ours in its C struct: the one table that the decoder's plans, the encoder
 * and the JSON reader and writer share. Fields stand in the order of the newest schema (schemas/NAME.avsc).
 */
#ifndef UW_SCHEMAS_SHAPE_H
#define UW_SCHEMAS_SHAPE_H

#include "core/event.h"
#include "core/outcome.h"

/* The records that are read and written. The first ones are numbered as enum uw_topic is. */
enum uw_shape_id {
    UW_SHAPE_DECISION,
    UW_SHAPE_DECLARATION,
    UW_SHAPE_NO_SHOW,
    UW_SHAPE_EVALUATION,
    UW_SHAPE_ALERT,   /* struct uw_alert_record */
    UW_SHAPE_ANOMALY, /* struct uw_anomaly_record */
};
#define UW_SHAPE_COUNT 6

/* What a subscriber gets of one message of the alerts topic. */
struct uw_alert_record {
    struct uw_uuid alert_id;
    struct uw_alert_change alert; /* quiet is false */
    int64_t observed_at_ms;
};

struct uw_anomaly_record {
    struct uw_uuid anomaly_id;
    struct uw_anomaly_change anomaly; /* quiet is false */
    int64_t observed_at_ms;
    /* The texts of anomaly.subject and anomaly.other (null without one); the parts point into them. */
    struct uw_str subject, other;
};

enum uw_value_kind {
    UW_VALUE_TEXT,    /* struct uw_str; null is UW_STR_NULL */
    UW_VALUE_UUID,    /* struct uw_uuid */
    UW_VALUE_INT,     /* int32_t; null is UW_INT_NONE */
    UW_VALUE_LONG,    /* int64_t; null is UW_MINUTES_NONE */
    UW_VALUE_DATE,    /* int32_t; null is UW_DAY_NONE */
    UW_VALUE_INSTANT, /* int64_t; null is UW_INSTANT_NONE */
    UW_VALUE_BOOLEAN, /* bool */
    UW_VALUE_ENUM,    /* a C enum, stored in 4 bytes */
    UW_VALUE_LIST,    /* pointer to const int32_t, and a uint32_t count elsewhere */
    UW_VALUE_RECORD,  /* another record in the same struct */
    UW_VALUE_CHOICE,  /* one of several records; a 4-byte C enum says which */
};

/* Avro's index i of a symbol is the C value first_value + i. */
struct uw_symbols {
    const char *const *names;
    uint32_t count;
    int32_t first_value;
};

struct uw_shape {
    const char *name; /* of the Avro record, without namespace */
    const struct uw_shape_field *fields;
    uint32_t field_count;
};

struct uw_shape_field {
    const char *name;
    enum uw_value_kind kind;
    bool nullable;                   /* union of null and the type */
    uint16_t offset;                 /* in the outermost struct */
    uint16_t count_offset;           /* LIST */
    const struct uw_symbols *symbols; /* ENUM */
    const struct uw_shape *records;  /* RECORD: one; CHOICE: `record_count`, in the order of the Avro union */
    uint32_t record_count;
};

const struct uw_shape *uw_shape_of(enum uw_shape_id id);

#endif
