/*
 * What the parts of `urenwacht dead-letters` share: the dead letters as they are read from their topic, and which of
 * them are asked for.
 */
#ifndef UW_CLI_DEAD_LETTERS_H
#define UW_CLI_DEAD_LETTERS_H

#include "cli/command.h"
#include "consumers/audit.h"
#include "consumers/registry.h"

/* The header of a record that was sent again: TOPIC/PARTITION/OFFSET of the record that was refused. */
#define UW_REPLAY_HEADER "urenwacht.replay-of"
/* Places that may be named as operands. */
#define UW_LETTER_PLACES_MAX 1000u

/* A dead letter; borrowed until the next record is read. Texts are null where the header is missing. */
struct uw_letter {
    int32_t partition; /* in the topic of dead letters */
    int64_t offset;
    int64_t timestamp_ms; /* of Kafka; 0 when unknown */
    struct uw_str key, value;
    const struct uw_header *headers;
    uint32_t header_count;
    struct uw_str reason, text, topic; /* as the headers have them */
    int32_t topic_index;               /* enum uw_topic, or -1: not one of the configured ones */
    int32_t origin_partition;          /* where it was refused; -1: not told */
    int64_t origin_offset;
};

struct uw_letter_place {
    int32_t partition;
    int64_t offset;
};

struct uw_letters {
    const struct uw_config *config;
    /* filters */
    struct uw_str reason;  /* null: any */
    int32_t topic_index;   /* -1: any */
    int64_t since_ms;      /* 0: any */
    struct uw_letter_place places[UW_LETTER_PLACES_MAX]; /* only these, where there are some; sorted */
    uint32_t place_count;
    bool found[UW_LETTER_PLACES_MAX];
    int64_t limit; /* of what is shown or sent; 0: none */
    bool json, show_keys, dry_run, all;
    /* reading */
    struct uw_audit *audit;
    struct uw_registry *registry;
    struct uw_codec *codec;
    struct uw_arena arena; /* of one letter */
};

/* ---- dead_letters_read.c ---- */

/* Opens audit and codec. Whatever the result, uw_letters_close. */
enum uw_code uw_letters_open(struct uw_letters *letters, struct uw_error *error) UW_MUST_USE;
void uw_letters_close(struct uw_letters *letters);

/* "3:17". */
bool uw_letter_place_parse(const char *text, struct uw_letter_place *place) UW_MUST_USE;
/* Fills *letter from a record of the topic of dead letters. */
void uw_letter_fill(const struct uw_config *config, const struct uw_audit_message *message, struct uw_letter *letter);
/* "TOPIC/PARTITION/OFFSET" of the configured topics. */
bool uw_letter_origin_parse(const struct uw_config *config, struct uw_str text, int32_t *topic_index,
                            int32_t *partition, int64_t *offset) UW_MUST_USE;
/* UW_OK: the processor would accept it now. UW_EINPUT: *refusal says why not. Anything else: *error. */
enum uw_code uw_letter_decode(struct uw_letters *letters, const struct uw_letter *letter, struct uw_event *event,
                              struct uw_refusal *refusal, struct uw_error *error) UW_MUST_USE;

/* Visits the letters that are asked for, by partition and offset, up to the ends that the partitions have now, or
 * until the user stops it or *stop is set by the visit. */
typedef enum uw_code uw_letter_visit(void *context, const struct uw_letter *letter, bool *stop,
                                     struct uw_error *error);
enum uw_code uw_letters_each(struct uw_letters *letters, uw_letter_visit *visit, void *context,
                             struct uw_error *error) UW_MUST_USE;

/* Bytes for the terminal: what is no printable text is escaped. */
void uw_letter_print(struct uw_str text);
/* A JSON string, or null; bytes that are no UTF-8 become the code points of the same number. */
void uw_letter_print_json(struct uw_str text);

/* ---- the actions; each prints its result and returns the exit code ---- */

int uw_letters_list(struct uw_letters *letters, struct uw_error *error);
int uw_letters_show(struct uw_letters *letters, struct uw_error *error);
int uw_letters_replay(struct uw_letters *letters, struct uw_error *error); /* dead_letters_replay.c */
/* The exit code of an error, which it tells. */
int uw_letters_fail(enum uw_code code, const struct uw_error *error);

#endif
