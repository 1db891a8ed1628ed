/*
 * The keys of the configuration: their names, kinds and ranges, and how one of them is set from text. Private
 * to the configuration's files; the rest of the program includes config.h.
 *
 * `origin` says where a text comes from and starts every error: "FILE:LINE", a variable's name, or "command line".
 */
#ifndef UW_CLI_CONFIG_KEYS_H
#define UW_CLI_CONFIG_KEYS_H

#include "cli/config.h"

#define UW_CONFIG_KEY_BYTES 200      /* of a dotted key with its NUL */
#define UW_CONFIG_ORIGIN_BYTES 300   /* the longest origin that is shown, with its NUL */
#define UW_KAFKA_PROPERTIES_MAX 64   /* with ours; librdkafka knows twice as many, and has good values for most */
#define UW_CONFIG_DEPTH_MAX 8        /* of nesting in a file; an alias to what contains it would never end */
#define UW_CONFIG_TEXT_BYTES_MAX 4096 /* of a value that is a text */
#define UW_CONFIG_NAME_BYTES_MAX 249 /* of the group and of an instance: what Kafka allows a static member's name */
#define UW_CONFIG_KEYS_MAX 512       /* in one file, a bound on what aliases can multiply */
#define UW_CONFIG_MEMORY_MAX (8u * 1024u * 1024u) /* of all texts and overrides, what aliases repeat included */
#define UW_CONFIG_FILE_MAX (1024u * 1024u)

/* Fills *config with the defaults; its memory is the arena's. */
enum uw_code uw_config_defaults(struct uw_config *config, struct uw_error *error) UW_MUST_USE;

/* Sets one key. UW_ECONFIG with a text for an unknown key or a bad value. */
enum uw_code uw_config_set(struct uw_config *config, const char *key, const char *value, const char *origin,
                           struct uw_error *error) UW_MUST_USE;

/* Sets one member of a rule's thresholds by its name without "thresholds.". */
enum uw_code uw_config_set_threshold(struct uw_thresholds *thresholds, const char *name, const char *value,
                                     uint32_t *members, const char *origin, struct uw_error *error) UW_MUST_USE;

/* True for a key that uw_config_set knows, properties of librdkafka apart. */
bool uw_config_is_key(const char *key);
/* True when "key." begins the name of a key: the file may nest there. */
bool uw_config_is_section(const char *key);

/* The key that a variable's name without the prefix stands for; false when there is none. */
bool uw_config_key_of_variable(const char *variable, char key[UW_CONFIG_KEY_BYTES]) UW_MUST_USE;

/* The error of memory that the configuration did not get: UW_ECONFIG beyond its limit, UW_ENOMEM otherwise. */
enum uw_code uw_config_no_memory(const struct uw_config *config, struct uw_error *error);

/* What must hold between keys once all are set. */
enum uw_code uw_config_check(const struct uw_config *config, struct uw_error *error) UW_MUST_USE;

/* Sets what the YAML file holds; `overrides:` of thresholds included. */
enum uw_code uw_config_read_file(struct uw_config *config, const char *path, struct uw_error *error) UW_MUST_USE;

/* A NUL-terminated copy in the configuration's memory, or NULL. */
const char *uw_config_copy(struct uw_arena *memory, const char *text);

/* A configuration's mistake: "ORIGIN: KEY: REASON", UW_ECONFIG, UW_CLASS_FATAL. `key` may be NULL. */
enum uw_code uw_config_mistake(struct uw_error *error, const char *origin, const char *key, const char *format, ...)
    UW_PRINTF(4, 5);

#endif
