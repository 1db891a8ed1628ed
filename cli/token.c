/*
 * urenwacht token: who may ask `urenwacht serve`, and what.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "dashboard/access.h"
#include "producers/migrate.h"

static const char usage[] = "token create --name NAME --role ROLE [--municipality M,...] | list | revoke ID";
static const char about[] =
    "Tokens give access to `urenwacht serve`. A token is printed once, when it is created; the database keeps its\n"
    "hash. Roles: contract-manager (alerts of the given municipalities), regional (reads anomalies too), fraud (works\n"
    "on anomalies), admin (everything, tokens too). Without --municipality a token sees all; a contract-manager needs\n"
    "some.\n";

static const struct uw_option table[] = {
    {"name", "NAME", "create: who or what uses it; what is done with it is signed with this name"},
    {"role", "ROLE", "create: contract-manager, regional, fraud or admin"},
    {"municipality", "M,...", "create: the municipalities that it sees (4 digits)"},
    {"days", "N", "create: it expires after N days (default: 365)"},
};
#define TABLE_COUNT ((uint32_t)(sizeof table / sizeof table[0]))
#define DAYS_DEFAULT 365
#define DAYS_MAX 3650

static int fail(enum uw_code code, const struct uw_error *error)
{
    uw_complain("%s", code == UW_EINPUT ? "token: the database refuses one of these values" : error->text);
    return code == UW_ECONFIG || code == UW_EINPUT ? UW_EXIT_USAGE : UW_EXIT_FAILED;
}

static int create(struct uw_desk *desk, const struct uw_options *options)
{
    struct uw_error error = {.text = ""};
    struct uw_token_order order = {.name = uw_option_text(options, "name", ""),
                                   .municipalities = uw_option_text(options, "municipality", NULL)};
    char secret[UW_SECRET_TEXT_BYTES];
    int64_t id = 0, days, length = uw_utf8_length(uw_str_from(order.name));
    if (length < 1 || length > 100) {
        uw_complain("--name: a name of 1 to 100 characters is needed");
        return UW_EXIT_USAGE;
    }
    if (!uw_role_parse(uw_str_from(uw_option_text(options, "role", "")), &order.role)) {
        uw_complain("--role: contract-manager, regional, fraud or admin");
        return UW_EXIT_USAGE;
    }
    if (order.municipalities != NULL && !uw_municipalities_valid(uw_str_from(order.municipalities))) {
        uw_complain("--municipality: codes of four digits with commas, at most %d", UW_MUNICIPALITIES_MAX - 1);
        return UW_EXIT_USAGE;
    }
    if (order.municipalities == NULL && order.role == UW_ROLE_CONTRACT_MANAGER) {
        uw_complain("--municipality: a contract-manager needs some");
        return UW_EXIT_USAGE;
    }
    if (!uw_option_integer(options, "days", DAYS_DEFAULT, 1, DAYS_MAX, &days)) {
        return UW_EXIT_USAGE;
    }
    order.days = (int32_t)days;
    enum uw_code code = uw_token_create(desk, &order, &id, secret, &error);
    if (code != UW_OK) {
        return fail(code, &error);
    }
    /* The token alone on standard output, so that it can be caught by a script. */
    fprintf(stderr, "token %" PRId64 " for %" PRId64 " days; it is shown this once:\n", id, days);
    printf("%s\n", secret);
    return fflush(stdout) == 0 ? UW_EXIT_OK : UW_EXIT_FAILED;
}

static int list(struct uw_desk *desk)
{
    struct uw_error error = {.text = ""};
    PGresult *result = NULL;
    enum uw_code code = uw_desk_begin(desk, NULL, false, &error);
    if (code == UW_OK) {
        code = uw_desk_query(desk,
                             "SELECT id::text, role::text, to_char(expires_at, 'YYYY-MM-DD'), "
                             "coalesce(to_char(last_used_at, 'YYYY-MM-DD'), 'never'), CASE WHEN revoked_at IS NOT NULL "
                             "THEN 'revoked' WHEN expires_at <= now() THEN 'expired' ELSE 'valid' END, "
                             "coalesce(array_to_string(municipalities, ','), 'all'), regexp_replace(name, "
                             "'[[:cntrl:]]', '?', 'g') FROM urenwacht_data.token ORDER BY id",
                             NULL, 0, &result, &error);
    }
    if (code != UW_OK) {
        return fail(code, &error);
    }
    uw_desk_rollback(desk);
    printf("%6s  %-16s  %-10s  %-10s  %-7s  %s\n", "id", "role", "expires", "last used", "state",
           "municipalities, name");
    for (int row = 0; row < PQntuples(result); row++) {
        struct uw_str f[7];
        for (int i = 0; i < 7; i++) {
            f[i] = uw_desk_field(result, row, i);
        }
        printf("%6.*s  %-16.*s  %-10.*s  %-10.*s  %-7.*s  %.*s  %.*s\n", (int)f[0].length, f[0].data, (int)f[1].length,
               f[1].data, (int)f[2].length, f[2].data, (int)f[3].length, f[3].data, (int)f[4].length, f[4].data,
               (int)f[5].length, f[5].data, (int)f[6].length, f[6].data);
    }
    PQclear(result);
    return fflush(stdout) == 0 ? UW_EXIT_OK : UW_EXIT_FAILED;
}

static int revoke(struct uw_desk *desk, const char *text)
{
    struct uw_error error = {.text = ""};
    bool found = false;
    int64_t id = 0;
    size_t length = strlen(text);
    if (length < 1 || length > 18 || strspn(text, "0123456789") != length) {
        uw_complain("token: '%.40s' is not the number of a token; see 'urenwacht token list'", text);
        return UW_EXIT_USAGE;
    }
    for (const char *at = text; *at != '\0'; at++) {
        id = id * 10 + (*at - '0');
    }
    enum uw_code code = uw_token_revoke(desk, id, &found, &error);
    if (code != UW_OK) {
        return fail(code, &error);
    }
    if (!found) {
        uw_complain("token: there is no token %" PRId64 ", or it was revoked before", id);
        return UW_EXIT_FAILED;
    }
    return UW_EXIT_OK;
}

static int run(const struct uw_options *options, const struct uw_config *config)
{
    const struct uw_migrate_options migrate = {.dsn = config->dsn, .timeout_ms = config->database_timeout_ms};
    const char *verb = options->operands[0];
    struct uw_error error = {.text = ""};
    struct uw_desk *desk = NULL;
    int32_t version;
    int status = UW_EXIT_USAGE;
    enum uw_code code = uw_migrate_check(&migrate, &version, &error);
    if (code == UW_OK) {
        code = uw_desk_open(config->dsn, config->database_timeout_ms, &desk, &error);
    }
    if (code != UW_OK) {
        return fail(code, &error);
    }
    if (strcmp(verb, "create") == 0 && options->operand_count == 1) {
        status = create(desk, options);
    } else if (strcmp(verb, "list") == 0 && options->operand_count == 1) {
        status = list(desk);
    } else if (strcmp(verb, "revoke") == 0 && options->operand_count == 2) {
        status = revoke(desk, options->operands[1]);
    } else {
        uw_complain("token: create, list or revoke ID; try 'urenwacht token --help'");
    }
    uw_desk_close(&desk);
    return status;
}

int uw_command_token(int argc, char **argv)
{
    struct uw_options options;
    struct uw_config config;
    int status = uw_options_parse(argc, argv, usage, about, table, TABLE_COUNT, &options);
    if (status >= 0) {
        return status;
    }
    if (options.operand_count < 1) {
        uw_complain("token: create, list or revoke ID; try 'urenwacht token --help'");
        return UW_EXIT_USAGE;
    }
    if (!uw_options_config(&options, &config)) {
        return UW_EXIT_USAGE;
    }
    status = run(&options, &config);
    uw_config_close(&config);
    return status;
}
