#include "cli/config_keys.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { KIND_TEXT, KIND_TOPIC, KIND_INT32, KIND_BYTES, KIND_SWITCH, KIND_CHOICE };

struct key {
    const char *name;
    size_t offset; /* in struct uw_config */
    enum kind kind;
    int64_t min, max; /* of numbers and sizes; of a text: 1 if it must not be empty, and its bytes unless the usual */
    const char *choices;  /* KIND_CHOICE: the words, separated by spaces */
    const char *standard; /* the default, as text */
};

#define KIB INT64_C(1024)
#define AT(member) offsetof(struct uw_config, member)

static const struct key keys[] = {
    {"database.dsn", AT(dsn), KIND_TEXT, 0, 0, NULL, ""},
    {"topics.decisions", AT(topics[UW_TOPIC_DECISIONS]), KIND_TOPIC, 0, 0, NULL, "urenwacht.decisions"},
    {"topics.declarations", AT(topics[UW_TOPIC_DECLARATIONS]), KIND_TOPIC, 0, 0, NULL, "urenwacht.declarations"},
    {"topics.no-shows", AT(topics[UW_TOPIC_NO_SHOWS]), KIND_TOPIC, 0, 0, NULL, "urenwacht.no-shows"},
    {"topics.evaluations", AT(topics[UW_TOPIC_EVALUATIONS]), KIND_TOPIC, 0, 0, NULL, "urenwacht.evaluations"},
    {"topics.alerts", AT(outputs[UW_OUTPUT_ALERTS]), KIND_TOPIC, 0, 0, NULL, "urenwacht.alerts"},
    {"topics.anomalies", AT(outputs[UW_OUTPUT_ANOMALIES]), KIND_TOPIC, 0, 0, NULL, "urenwacht.anomalies"},
    {"topics.dead-letters", AT(outputs[UW_OUTPUT_DEAD_LETTERS]), KIND_TOPIC, 0, 0, NULL, "urenwacht.dead-letters"},
    {"topics.partitions", AT(topic_partitions), KIND_INT32, 1, 10000, NULL, "12"},
    {"topics.replication", AT(topic_replication), KIND_INT32, -1, 100, NULL, "-1"},
    {"group.id", AT(group_id), KIND_TEXT, 1, UW_CONFIG_NAME_BYTES_MAX, NULL, "urenwacht"},
    {"group.instance", AT(instance), KIND_TEXT, 0, UW_CONFIG_NAME_BYTES_MAX, NULL, ""},
    {"group.static_membership", AT(static_membership), KIND_SWITCH, 0, 0, NULL, "false"},
    {"process.metrics_listen", AT(metrics_listen), KIND_TEXT, 0, 0, NULL, ""},
    {"process.workers", AT(process_workers), KIND_INT32, 1, UW_WORKERS_MAX, NULL, "1"},
    {"registry.url", AT(registry_url), KIND_TEXT, 0, 0, NULL, ""},
    {"batch.max_events", AT(batch_max_events), KIND_INT32, 1, 1000000, NULL, "30000"},
    {"batch.max_bytes", AT(batch_max_bytes), KIND_BYTES, 1024 * KIB, 4096 * 1024 * KIB, NULL, "64MiB"},
    {"batch.linger_ms", AT(batch_linger_ms), KIND_INT32, 0, 60000, NULL, "50"},
    {"batch.due_clients", AT(due_batch_clients), KIND_INT32, 1, 1000000, NULL, "8000"},
    {"cache.max_bytes", AT(cache_max_bytes), KIND_BYTES, 1024 * KIB, INT64_C(1) << 40, NULL, "128MiB"},
    {"retry.min_ms", AT(retry_min_ms), KIND_INT32, 1, 60000, NULL, "100"},
    {"retry.max_ms", AT(retry_max_ms), KIND_INT32, 1, 600000, NULL, "10000"},
    {"timeouts.database_ms", AT(database_timeout_ms), KIND_INT32, 100, 3600000, NULL, "60000"},
    {"timeouts.kafka_ms", AT(kafka_timeout_ms), KIND_INT32, 100, 600000, NULL, "30000"},
    {"serve.listen", AT(serve_listen), KIND_TEXT, 1, 0, NULL, "127.0.0.1"},
    {"serve.port", AT(serve_port), KIND_INT32, 0, 65535, NULL, "8480"},
    {"serve.workers", AT(serve_workers), KIND_INT32, 1, 64, NULL, "8"},
    {"serve.max_connections", AT(serve_max_connections), KIND_INT32, 10, 20000, NULL, "2000"},
    {"serve.max_per_address", AT(serve_max_per_address), KIND_INT32, 1, 20000, NULL, "2000"},
    {"serve.timeout_ms", AT(serve_timeout_ms), KIND_INT32, 100, 600000, NULL, "15000"},
    {"serve.secure_cookie", AT(serve_secure_cookie), KIND_SWITCH, 0, 0, NULL, "true"},
    {"serve.page", AT(serve_page), KIND_TEXT, 0, 0, NULL, ""},
    {"serve.stream_bytes", AT(serve_stream_bytes), KIND_BYTES, 1024 * KIB, 4096 * 1024 * KIB, NULL, "128MiB"},
    {"webhooks.enabled", AT(webhooks_enabled), KIND_SWITCH, 0, 0, NULL, "true"},
    {"webhooks.allow_http", AT(webhooks_http), KIND_SWITCH, 0, 0, NULL, "false"},
    {"webhooks.allow", AT(webhooks_allow), KIND_TEXT, 0, 0, NULL, ""},
    {"webhooks.ports", AT(webhooks_ports), KIND_TEXT, 1, 0, NULL, "443"},
    {"webhooks.source", AT(webhooks_source), KIND_TEXT, 1, 0, NULL, "/urenwacht"},
    {"webhooks.ca_file", AT(webhooks_ca_file), KIND_TEXT, 0, 0, NULL, ""},
    {"webhooks.max_per_token", AT(webhooks_max_per_token), KIND_INT32, 1, 1000, NULL, "20"},
    {"webhooks.max_queued", AT(webhooks_max_queued), KIND_INT32, 1000, 1000000, NULL, "10000"},
    {"webhooks.connections", AT(webhooks_connections), KIND_INT32, 1, 1000, NULL, "32"},
    {"webhooks.timeout_ms", AT(webhooks_timeout_ms), KIND_INT32, 100, 60000, NULL, "10000"},
    {"webhooks.retry_min_ms", AT(webhooks_retry_min_ms), KIND_INT32, 10, 3600000, NULL, "5000"},
    {"webhooks.retry_max_ms", AT(webhooks_retry_max_ms), KIND_INT32, 10, 86400000, NULL, "3600000"},
    {"webhooks.give_up_minutes", AT(webhooks_give_up_minutes), KIND_INT32, 1, 10080, NULL, "1440"},
    {"webhooks.retention_days", AT(webhooks_retention_days), KIND_INT32, 1, 365, NULL, "7"},
    {"log.level", AT(log_level), KIND_CHOICE, 0, 0, "error warning info debug", "info"},
    {"log.format", AT(log_format), KIND_CHOICE, 0, 0, "text json", "text"},
};
#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

struct threshold {
    const char *name;
    size_t offset; /* in struct uw_thresholds */
    enum uw_threshold_member member;
    bool percents; /* a list of percents; otherwise an int32 */
    int32_t min, max;
};

#define IN(member) offsetof(struct uw_thresholds, member)
#define DAYS_MAX 3660 /* ten years */

static const struct threshold thresholds_table[] = {
    {"surplus_thresholds_percent", IN(surplus_thresholds_percent), UW_SET_SURPLUS_THRESHOLDS, true, 1, 1000},
    {"budget_thresholds_percent", IN(budget_thresholds_percent), UW_SET_BUDGET_THRESHOLDS, true, 1, 1000},
    {"projection_min_days", IN(projection_min_days), UW_SET_PROJECTION_MIN_DAYS, false, 1, DAYS_MAX},
    {"projection_percent", IN(projection_percent), UW_SET_PROJECTION_PERCENT, false, 1, 1000},
    {"bandwidth_grace_days", IN(bandwidth_grace_days), UW_SET_BANDWIDTH_GRACE_DAYS, false, 0, DAYS_MAX},
    {"evaluation_notice_days", IN(evaluation_notice_days), UW_SET_EVALUATION_NOTICE_DAYS, false, 0, DAYS_MAX},
    {"evaluation_overdue_days", IN(evaluation_overdue_days), UW_SET_EVALUATION_OVERDUE_DAYS, false, 0, DAYS_MAX},
    {"ending_notice_days", IN(ending_notice_days), UW_SET_ENDING_NOTICE_DAYS, false, 0, DAYS_MAX},
    {"stalled_days", IN(stalled_days), UW_SET_STALLED_DAYS, false, 1, DAYS_MAX},
};
#define THRESHOLD_COUNT (sizeof(thresholds_table) / sizeof(thresholds_table[0]))
#define THRESHOLDS "thresholds."
#define KAFKA "kafka."

enum uw_code uw_config_mistake(struct uw_error *error, const char *origin, const char *key, const char *format, ...)
{
    char reason[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    if (key == NULL) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "%s: %s", origin, reason);
    }
    return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "%s: %s: %s", origin, key, reason);
}

enum uw_code uw_config_no_memory(const struct uw_config *config, struct uw_error *error)
{
    if (config->memory.limit_met) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "the configuration takes more than %u MiB of memory",
                            UW_CONFIG_MEMORY_MAX / 1024u / 1024u);
    }
    return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the configuration");
}

const char *uw_config_copy(struct uw_arena *memory, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = uw_arena_take(memory, size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

/* A whole decimal number of [min, max] and nothing else. */
static bool parse_integer(const char *text, int64_t min, int64_t max, int64_t *number)
{
    if (!isdigit((unsigned char)text[0]) && text[0] != '-') {
        return false;
    }
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > max) {
        return false;
    }
    *number = value;
    return true;
}

/* A number of bytes, also as 64KiB, 64MiB, 64GiB. */
static bool parse_bytes(const char *text, int64_t min, int64_t max, int64_t *number)
{
    static const struct {
        const char *suffix;
        int64_t bytes;
    } units[] = {{"KiB", KIB}, {"MiB", KIB * KIB}, {"GiB", KIB * KIB * KIB}};
    char digits[24];
    size_t length = strlen(text);
    int64_t unit = 1;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (length > 3 && strcmp(text + length - 3, units[i].suffix) == 0) {
            unit = units[i].bytes;
            length -= 3;
            break;
        }
    }
    while (length > 0 && text[length - 1] == ' ') {
        length--;
    }
    if (length == 0 || length >= sizeof(digits)) {
        return false;
    }
    memcpy(digits, text, length);
    digits[length] = '\0';
    int64_t count;
    if (!parse_integer(digits, 0, max / unit, &count) || count * unit < min) {
        return false;
    }
    *number = count * unit;
    return true;
}

static bool parse_switch(const char *text, bool *value)
{
    static const char *const words[2][3] = {{"false", "no", "off"}, {"true", "yes", "on"}};
    for (size_t i = 0; i < 6; i++) {
        if (strcmp(text, words[i / 3][i % 3]) == 0) {
            *value = i / 3 == 1;
            return true;
        }
    }
    return false;
}

/* Kafka's own rule for topic names. */
static bool is_topic_name(const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length > 249 || strcmp(text, ".") == 0 || strcmp(text, "..") == 0) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("._-", text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);
    for (const char *word = choices; length > 0 && word != NULL && *word != '\0';) {
        const char *space = strchr(word, ' ');
        size_t word_length = space != NULL ? (size_t)(space - word) : strlen(word);
        if (word_length == length && memcmp(word, text, length) == 0) {
            return true;
        }
        word = space != NULL ? space + 1 : NULL;
    }
    return false;
}

static enum uw_code set_text(struct uw_config *config, const struct key *key, const char *value, const char *origin,
                             struct uw_error *error)
{
    int max = key->kind == KIND_TEXT && key->max > 0 ? (int)key->max : UW_CONFIG_TEXT_BYTES_MAX;
    if (strlen(value) > (size_t)max) {
        return uw_config_mistake(error, origin, key->name, "longer than %d bytes", max);
    }
    const char *copy = uw_config_copy(&config->memory, value);
    if (copy == NULL) {
        return uw_config_no_memory(config, error);
    }
    memcpy((char *)config + key->offset, &copy, sizeof(copy));
    return UW_OK;
}

static enum uw_code set_key(struct uw_config *config, const struct key *key, const char *value, const char *origin,
                            struct uw_error *error)
{
    char *member = (char *)config + key->offset;
    int64_t number;
    bool flag;
    switch (key->kind) {
    case KIND_TEXT:
        if (key->min > 0 && value[0] == '\0') {
            return uw_config_mistake(error, origin, key->name, "must not be empty");
        }
        return set_text(config, key, value, origin, error);
    case KIND_TOPIC:
        if (!is_topic_name(value)) {
            return uw_config_mistake(error, origin, key->name,
                                     "not a topic name: 1 to 249 of letters, digits, '.', '_' and '-'");
        }
        return set_text(config, key, value, origin, error);
    case KIND_CHOICE:
        if (!is_choice(key->choices, value)) {
            return uw_config_mistake(error, origin, key->name, "'%.40s' is not one of: %s", value, key->choices);
        }
        return set_text(config, key, value, origin, error);
    case KIND_INT32:
        if (!parse_integer(value, key->min, key->max, &number)) {
            return uw_config_mistake(error, origin, key->name, "'%.40s' is not an integer of %lld to %lld", value,
                                     (long long)key->min, (long long)key->max);
        }
        memcpy(member, &(int32_t){(int32_t)number}, sizeof(int32_t));
        return UW_OK;
    case KIND_BYTES:
        if (!parse_bytes(value, key->min, key->max, &number)) {
            return uw_config_mistake(error, origin, key->name,
                                     "'%.40s' is not a size of %lldMiB to %lldGiB (a number with KiB, MiB or GiB)",
                                     value, (long long)(key->min / KIB / KIB), (long long)(key->max / KIB / KIB / KIB));
        }
        memcpy(member, &number, sizeof(number));
        return UW_OK;
    case KIND_SWITCH:
        if (!parse_switch(value, &flag)) {
            return uw_config_mistake(error, origin, key->name, "'%.40s' is not true or false", value);
        }
        memcpy(member, &flag, sizeof(flag));
        return UW_OK;
    }
    return uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL, "configuration key of no kind");
}

/* Asks librdkafka whether it knows the property and takes the value. Its own text is passed on but for
 * properties that may hold a secret, since that text quotes the value. */
static enum uw_code check_property(const char *key, const char *value, const char *origin, struct uw_error *error)
{
    static const char *const secrets[] = {"password", "secret", "pem", "oauth", "username", "ssl"};
    const char *name = key + strlen(KAFKA);
    char text[256] = "";
    rd_kafka_conf_t *probe = rd_kafka_conf_new();
    rd_kafka_conf_res_t result = rd_kafka_conf_set(probe, name, value, text, sizeof(text));
    rd_kafka_conf_destroy(probe);
    if (result == RD_KAFKA_CONF_OK) {
        return UW_OK;
    }
    if (result == RD_KAFKA_CONF_UNKNOWN) {
        return uw_config_mistake(error, origin, key, "librdkafka %s knows no such property", rd_kafka_version_str());
    }
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        if (strstr(name, secrets[i]) != NULL) {
            return uw_config_mistake(error, origin, key, "librdkafka does not take this value");
        }
    }
    text[strcspn(text, "\n")] = '\0';
    return uw_config_mistake(error, origin, key, "%s", text);
}

static enum uw_code set_property(struct uw_config *config, const char *key, const char *value, const char *origin,
                                 struct uw_error *error)
{
    enum uw_code code = check_property(key, value, origin, error);
    if (code != UW_OK) {
        return code;
    }
    const char *name = uw_config_copy(&config->memory, key + strlen(KAFKA));
    const char *copy = uw_config_copy(&config->memory, value);
    if (name == NULL || copy == NULL) {
        return uw_config_no_memory(config, error);
    }
    uint32_t place = 0;
    while (place < config->kafka_count && strcmp(config->kafka[place].name, name) < 0) {
        place++;
    }
    if (place < config->kafka_count && strcmp(config->kafka[place].name, name) == 0) {
        config->kafka[place].value = copy;
        return UW_OK;
    }
    if (config->kafka_count == UW_KAFKA_PROPERTIES_MAX) {
        return uw_config_mistake(error, origin, key, "more than %d properties under kafka", UW_KAFKA_PROPERTIES_MAX);
    }
    memmove(&config->kafka[place + 1], &config->kafka[place], (config->kafka_count - place) * sizeof(*config->kafka));
    config->kafka[place] = (struct uw_property){name, copy};
    config->kafka_count++;
    return UW_OK;
}

/* A list such as "80,100" or "[80, 100]"; ascending afterwards. */
static bool parse_percents(const char *text, int32_t min, int32_t max, struct uw_percents *percents)
{
    struct uw_percents parsed = {0};
    const char *at = text + strspn(text, " [");
    while (*at != '\0' && *at != ']') {
        char *end;
        if (!isdigit((unsigned char)*at) || parsed.count == UW_PERCENT_THRESHOLDS_MAX) {
            return false;
        }
        errno = 0;
        long value = strtol(at, &end, 10);
        if (errno != 0 || value < min || value > max) {
            return false;
        }
        uint32_t place = parsed.count;
        while (place > 0 && parsed.values[place - 1] > value) {
            parsed.values[place] = parsed.values[place - 1];
            place--;
        }
        if (place > 0 && parsed.values[place - 1] == value) {
            return false;
        }
        parsed.values[place] = (int32_t)value;
        parsed.count++;
        at = end + strspn(end, " ");
        if (*at == ',') {
            at += 1 + strspn(at + 1, " ");
            if (!isdigit((unsigned char)*at)) {
                return false;
            }
        } else if (*at != '\0' && *at != ']') {
            return false;
        }
    }
    at += *at == ']';
    if (*at != '\0') {
        return false;
    }
    *percents = parsed;
    return true;
}

enum uw_code uw_config_set_threshold(struct uw_thresholds *thresholds, const char *name, const char *value,
                                     uint32_t *members, const char *origin, struct uw_error *error)
{
    char key[UW_CONFIG_KEY_BYTES];
    snprintf(key, sizeof(key), THRESHOLDS "%s", name);
    for (size_t i = 0; i < THRESHOLD_COUNT; i++) {
        const struct threshold *threshold = &thresholds_table[i];
        char *member = (char *)thresholds + threshold->offset;
        int64_t number;
        if (strcmp(threshold->name, name) != 0) {
            continue;
        }
        if (threshold->percents) {
            struct uw_percents percents;
            if (!parse_percents(value, threshold->min, threshold->max, &percents)) {
                return uw_config_mistake(error, origin, key,
                                         "'%.40s' is not a list of at most %d different percents of %d to %d", value,
                                         UW_PERCENT_THRESHOLDS_MAX, threshold->min, threshold->max);
            }
            memcpy(member, &percents, sizeof(percents));
        } else {
            if (!parse_integer(value, threshold->min, threshold->max, &number)) {
                return uw_config_mistake(error, origin, key, "'%.40s' is not an integer of %d to %d", value,
                                         threshold->min, threshold->max);
            }
            memcpy(member, &(int32_t){(int32_t)number}, sizeof(int32_t));
        }
        *members |= (uint32_t)threshold->member;
        return UW_OK;
    }
    return uw_config_mistake(error, origin, key, "unknown key");
}

enum uw_code uw_config_set(struct uw_config *config, const char *key, const char *value, const char *origin,
                           struct uw_error *error)
{
    uint32_t members = 0;
    if (strncmp(key, KAFKA, strlen(KAFKA)) == 0) {
        return set_property(config, key, value, origin, error);
    }
    if (strncmp(key, THRESHOLDS, strlen(THRESHOLDS)) == 0) {
        return uw_config_set_threshold(&config->settings.defaults, key + strlen(THRESHOLDS), value, &members, origin,
                                       error);
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].name, key) == 0) {
            return set_key(config, &keys[i], value, origin, error);
        }
    }
    return uw_config_mistake(error, origin, key, "unknown key");
}

bool uw_config_is_key(const char *key)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].name, key) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < THRESHOLD_COUNT; i++) {
        if (strncmp(key, THRESHOLDS, strlen(THRESHOLDS)) == 0 &&
            strcmp(thresholds_table[i].name, key + strlen(THRESHOLDS)) == 0) {
            return true;
        }
    }
    return false;
}

bool uw_config_is_section(const char *key)
{
    size_t length = strlen(key);
    if (strcmp(key, "kafka") == 0 || strcmp(key, "thresholds") == 0) {
        return true;
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strncmp(keys[i].name, key, length) == 0 && keys[i].name[length] == '.') {
            return true;
        }
    }
    return false;
}

/* Whether the variable's name is the key's in upper case with '_' for '.' and '-'. */
static bool stands_for(const char *variable, const char *key)
{
    for (; *key != '\0'; key++, variable++) {
        int expected = *key == '.' || *key == '-' ? '_' : toupper((unsigned char)*key);
        if ((unsigned char)*variable != expected) {
            return false;
        }
    }
    return *variable == '\0';
}

bool uw_config_key_of_variable(const char *variable, char key[UW_CONFIG_KEY_BYTES])
{
    if (strcmp(variable, "DSN") == 0) {
        snprintf(key, UW_CONFIG_KEY_BYTES, "database.dsn");
        return true;
    }
    if (strncmp(variable, "KAFKA_", 6) == 0 && strlen(variable) < UW_CONFIG_KEY_BYTES) {
        size_t i = 0;
        for (; variable[i] != '\0'; i++) {
            key[i] = variable[i] == '_' ? '.' : (char)tolower((unsigned char)variable[i]);
        }
        key[i] = '\0';
        return true;
    }
    if (strncmp(variable, "THRESHOLDS_", 11) == 0) {
        for (size_t i = 0; i < THRESHOLD_COUNT; i++) {
            if (stands_for(variable + 11, thresholds_table[i].name)) {
                snprintf(key, UW_CONFIG_KEY_BYTES, THRESHOLDS "%s", thresholds_table[i].name);
                return true;
            }
        }
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (stands_for(variable, keys[i].name)) {
            snprintf(key, UW_CONFIG_KEY_BYTES, "%s", keys[i].name);
            return true;
        }
    }
    return false;
}

enum uw_code uw_config_defaults(struct uw_config *config, struct uw_error *error)
{
    *config = (struct uw_config){0};
    uw_arena_init(&config->memory, UW_CONFIG_MEMORY_MAX);
    uw_thresholds_default(&config->settings.defaults);
    config->kafka = uw_arena_take(&config->memory, UW_KAFKA_PROPERTIES_MAX * sizeof(*config->kafka));
    if (config->kafka == NULL) {
        return uw_config_no_memory(config, error);
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        enum uw_code code = set_key(config, &keys[i], keys[i].standard, "default", error);
        if (code != UW_OK) {
            return code;
        }
    }
    return UW_OK;
}

enum uw_code uw_config_check(const struct uw_config *config, struct uw_error *error)
{
    const char *names[UW_TOPIC_COUNT + UW_OUTPUT_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < UW_TOPIC_COUNT; i++) {
        names[count++] = config->topics[i];
    }
    for (size_t i = 0; i < UW_OUTPUT_COUNT; i++) {
        names[count++] = config->outputs[i];
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(names[i], names[j]) == 0) {
                return uw_config_mistake(error, "topics", NULL, "'%s' is used for two topics", names[i]);
            }
        }
    }
    if (config->retry_min_ms > config->retry_max_ms) {
        return uw_config_mistake(error, "retry.min_ms", NULL, "is larger than retry.max_ms");
    }
    if (config->topic_replication == 0) {
        return uw_config_mistake(error, "topics.replication", NULL, "must be -1 (the broker's default) or 1 and more");
    }
    return UW_OK;
}
