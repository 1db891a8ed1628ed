#include "cli/config_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "URENWACHT_"
#define STANDARD_PATH "/etc/urenwacht/urenwacht.yaml"

extern char **environ;

/* Variables with our prefix that are not settings: of the local stack, of tests and of benchmarks. */
static bool is_foreign(const char *name)
{
    static const char *const prefixes[] = {"CONFIG", "LOCAL", "ADMIN_", "TEST_", "BENCH_", "FAULT"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return false;
}

static enum uw_code set_variable(struct uw_config *config, const char *variable, struct uw_error *error)
{
    char origin[UW_CONFIG_ORIGIN_BYTES], key[UW_CONFIG_KEY_BYTES];
    const char *equals = strchr(variable, '=');
    if (strncmp(variable, PREFIX, strlen(PREFIX)) != 0 || equals == NULL) {
        return UW_OK;
    }
    int length = (int)(equals - variable);
    if ((size_t)length >= UW_CONFIG_KEY_BYTES) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "%.60s...: no such setting", variable);
    }
    snprintf(origin, sizeof(origin), "%.*s", length, variable);
    const char *name = origin + strlen(PREFIX);
    if (is_foreign(name)) {
        return UW_OK;
    }
    if (!uw_config_key_of_variable(name, key)) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "%s: no such setting", origin);
    }
    return uw_config_set(config, key, equals + 1, origin, error);
}

/* URENWACHT_DSN first, so that the full name wins where both are there, whatever their order. */
static enum uw_code set_environment(struct uw_config *config, struct uw_error *error)
{
    const char *shorthand = getenv(PREFIX "DSN");
    enum uw_code code = UW_OK;
    if (shorthand != NULL) {
        code = uw_config_set(config, "database.dsn", shorthand, PREFIX "DSN", error);
    }
    for (char **variable = environ; code == UW_OK && *variable != NULL; variable++) {
        if (strncmp(*variable, PREFIX "DSN=", strlen(PREFIX "DSN=")) != 0) {
            code = set_variable(config, *variable, error);
        }
    }
    return code;
}

static enum uw_code set_override(struct uw_config *config, const char *override, struct uw_error *error)
{
    char key[UW_CONFIG_KEY_BYTES];
    const char *equals = strchr(override, '=');
    size_t length = equals != NULL ? (size_t)(equals - override) : 0;
    if (equals == NULL || length == 0 || length >= sizeof(key)) {
        return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "--set: '%.60s' is not KEY=VALUE", override);
    }
    memcpy(key, override, length);
    key[length] = '\0';
    return uw_config_set(config, key, equals + 1, "command line", error);
}

static enum uw_code set_all(struct uw_config *config, const char *path, const char *const *overrides,
                            uint32_t override_count, struct uw_error *error)
{
    enum uw_code code = uw_config_defaults(config, error);
    if (path == NULL) {
        path = getenv(PREFIX "CONFIG");
    }
    if (path == NULL && access(STANDARD_PATH, F_OK) == 0) {
        path = STANDARD_PATH;
    }
    if (code == UW_OK && path != NULL) {
        code = uw_config_read_file(config, path, error);
    }
    if (code == UW_OK) {
        code = set_environment(config, error);
    }
    for (uint32_t i = 0; code == UW_OK && i < override_count; i++) {
        code = set_override(config, overrides[i], error);
    }
    return code == UW_OK ? uw_config_check(config, error) : code;
}

enum uw_code uw_config_load(const char *path, const char *const *overrides, uint32_t override_count,
                            struct uw_config *config, struct uw_error *error)
{
    enum uw_code code = set_all(config, path, overrides, override_count, error);
    if (code != UW_OK) {
        uw_config_close(config);
        return code;
    }
    uw_settings_sort(&config->settings);
    return UW_OK;
}

enum uw_code uw_config_reload_settings(const char *path, const char *const *overrides, uint32_t override_count,
                                       struct uw_arena *arena, struct uw_settings *settings, struct uw_error *error)
{
    struct uw_config config;
    enum uw_code code = uw_config_load(path, overrides, override_count, &config, error);
    if (code != UW_OK) {
        return code;
    }
    struct uw_settings copy = config.settings;
    size_t size = copy.rule_count * sizeof(*copy.rules);
    copy.rules = uw_arena_take(arena, size);
    bool taken = copy.rules != NULL;
    if (taken && copy.rule_count > 0) {
        memcpy(copy.rules, config.settings.rules, size);
    }
    for (uint32_t i = 0; taken && i < copy.rule_count; i++) {
        struct uw_threshold_rule *rule = &copy.rules[i];
        const struct uw_threshold_rule *from = &config.settings.rules[i];
        rule->municipality = uw_arena_copy(arena, from->municipality);
        rule->product = uw_arena_copy(arena, from->product);
        taken = uw_str_is_null(rule->municipality) == uw_str_is_null(from->municipality) &&
                uw_str_is_null(rule->product) == uw_str_is_null(from->product);
    }
    uw_config_close(&config);
    if (!taken) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for the thresholds");
    }
    *settings = copy;
    return UW_OK;
}

void uw_config_close(struct uw_config *config)
{
    uw_arena_close(&config->memory);
    *config = (struct uw_config){0};
}

const char *uw_config_kafka(const struct uw_config *config, const char *name)
{
    for (uint32_t i = 0; i < config->kafka_count; i++) {
        if (strcmp(config->kafka[i].name, name) == 0) {
            return config->kafka[i].value;
        }
    }
    return NULL;
}
