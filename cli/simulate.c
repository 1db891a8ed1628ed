/*
 * urenwacht simulate: the events of a believable region, to Kafka or to a file.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/outlet.h"
#include "producers/region.h"

#define STEP 1024          /* events between two looks at the clock and the signals */
#define RATE_MAX 10000000

static const char usage[] = "simulate [OPTIONS]";
static const char about[] =
    "Makes the events of a Dutch care region from a seed: municipalities, providers, staff, decisions in all six\n"
    "funding forms, weekly visits, holidays, sickness, no-shows, corrections, late deliveries, period lines and\n"
    "evaluations, in the order in which they were recorded. The same options give the same events.\n"
    "\n"
    "A few providers are large: they have contracts for several products and work everywhere. Most are small, with\n"
    "one or two products in a few municipalities. The contract, for a provider and a product, says the funding form.\n"
    "\n"
    "A small share is irregular on purpose; --irregularities writes the list of it, one JSON object a line, with the\n"
    "anomaly that must come of it and the line of the event in --output. Nothing else gives an anomaly on the last\n"
    "day.\n"
    "\n"
    "Without --output the events go to Kafka's input topics.";

static const struct uw_option table[] = {
    {"clients", "N", "clients in the region, up to 1000000 (default 2000)"},
    {"municipalities", "N", "municipalities, up to 32 (default: by the number of clients)"},
    {"providers", "N", "providers, up to 5000 (default: by the number of clients)"},
    {"seed", "S", "where chance starts from (default 1)"},
    {"from", "DATE", "first day of care (default 2026-01-01); decisions are recorded up to 35 days before"},
    {"until", "DATE", "last day on which anything is recorded (default: when --declarations are reached, or a year "
                      "after --from, less a day)"},
    {"declarations", "N",
     "about so many lines: as long a period as gives them, four weeks to five years, or with --until more or fewer "
     "visits than agreed"},
    {"switch-date", "DATE",
     "a quarter of the contracts, with all decisions under them, gets another funding form on this day"},
    {"no-show-percent", "N", "no-shows among appointments (default: 3 to 6, by provider)"},
    {"credit-percent", "N", "lines that are taken back and mostly declared anew (default 3)"},
    {"redelivery-percent", "N", "events that are delivered twice (default 1)"},
    {"late-percent", "N", "lines that come 8 to 60 days later than usual (default 5)"},
    {"irregular-per-10000", "N", "planted irregularities among ten thousand appointments (default 20)"},
    {"irregularities", "FILE", "write the list of planted irregularities to FILE"},
    {"output", "FILE", "write JSON lines to FILE, or to standard output for -"},
    {"rate", "N", "events a second (default: as fast as it goes)"},
};
#define TABLE_COUNT ((uint32_t)(sizeof(table) / sizeof(table[0])))

struct run {
    struct uw_region *region;
    struct uw_outlet *outlet;
    FILE *list;
    const char *list_path;
    struct uw_progress progress;
    uint64_t events;
};

static bool read_int32(const struct uw_options *options, const char *name, int32_t otherwise, int64_t min, int64_t max,
                       int32_t *value)
{
    int64_t number;
    if (!uw_option_integer(options, name, otherwise, min, max, &number)) {
        return false;
    }
    *value = (int32_t)number;
    return true;
}

/* The ranges are the region's own business; these only keep the numbers inside their types. */
static bool read_options(const struct uw_options *options, struct uw_region_options *region, int64_t *rate)
{
    int64_t seed;
    uw_region_options_default(region);
    if (!read_int32(options, "clients", region->clients, 1, UW_REGION_CLIENTS_MAX, &region->clients) ||
        !read_int32(options, "municipalities", 0, 1, UW_REGION_MUNICIPALITIES_MAX, &region->municipalities) ||
        !read_int32(options, "providers", 0, 1, UW_REGION_PROVIDERS_MAX, &region->providers) ||
        !uw_option_integer(options, "seed", 1, 0, INT64_MAX, &seed) ||
        !uw_option_date(options, "from", region->from_day, &region->from_day) ||
        !uw_option_date(options, "until", UW_DAY_NONE, &region->until_day) ||
        !uw_option_date(options, "switch-date", UW_DAY_NONE, &region->switch_day) ||
        !uw_option_integer(options, "declarations", 0, 1, 1000000000, &region->declarations) ||
        !read_int32(options, "no-show-percent", -1, 0, 50, &region->no_show_percent) ||
        !read_int32(options, "credit-percent", region->credit_percent, 0, 50, &region->credit_percent) ||
        !read_int32(options, "redelivery-percent", region->redelivery_percent, 0, 50, &region->redelivery_percent) ||
        !read_int32(options, "late-percent", region->late_percent, 0, 50, &region->late_percent) ||
        !read_int32(options, "irregular-per-10000", region->irregular_per_10000, 0, 1000,
                    &region->irregular_per_10000) ||
        !uw_option_integer(options, "rate", 0, 1, RATE_MAX, rate)) {
        return false;
    }
    region->seed = (uint64_t)seed;
    return true;
}

/* One line of the list. Nothing in it needs escaping: all of it is made by the region. */
static bool list_irregularity(struct run *run, const struct uw_event *event)
{
    char subject[UW_SUBJECT_TEXT_BYTES];
    const struct uw_irregularity *irregularity = uw_region_irregularity(run->region);
    if (irregularity == NULL || run->list == NULL) {
        return true;
    }
    uw_subject_format(&irregularity->subject, subject, sizeof(subject));
    return fprintf(run->list,
                   "{\"kind\": \"%s\", \"municipality\": \"%.*s\", \"client\": \"%.*s\", \"decision\": \"%.*s\", "
                   "\"subject\": \"%s\", \"line\": %" PRIu64 "}\n",
                   uw_anomaly_kind_name(irregularity->kind), (int)event->municipality.length, event->municipality.data,
                   (int)event->client.length, event->client.data, (int)event->decision.length, event->decision.data,
                   subject, run->events) > 0;
}

static void show_progress(struct run *run)
{
    struct uw_region_statistics statistics;
    uw_region_statistics(run->region, &statistics);
    /* The number of events is not known before; the days are. So the total is estimated from them. */
    int64_t days = statistics.day - statistics.first_day, all = statistics.last_day - statistics.first_day + 1;
    run->progress.total = days > 45 ? (int64_t)run->events * all / days : 0;
    uw_progress_show(&run->progress, (int64_t)run->events);
}

static enum uw_code send_all(struct run *run, struct uw_error *error)
{
    struct uw_event event;
    bool end = false;
    while (!uw_signals_stop_requested()) {
        enum uw_code code = uw_region_next(run->region, &event, &end, error);
        if (code != UW_OK || end) {
            return code;
        }
        code = uw_outlet_send(run->outlet, &event, error);
        if (code != UW_OK) {
            return code;
        }
        run->events++;
        if (!list_irregularity(run, &event)) {
            return uw_error_set(error, UW_EIO, UW_CLASS_FATAL, "%s: %s", run->list_path, strerror(errno));
        }
        if (run->events % STEP == 0) {
            show_progress(run);
        }
    }
    return UW_OK;
}

static void summarise(const struct run *run)
{
    struct uw_region_statistics statistics;
    uw_region_statistics(run->region, &statistics);
    int64_t elapsed_ms = uw_clock_monotonic_ms() - run->progress.started_ms;
    char until[UW_DATE_TEXT_BYTES];
    uw_date_format(statistics.last_day, until);
    uw_log(UW_LOG_INFO,
           "%" PRIu64 " events: %" PRIu64 " decisions, %" PRIu64 " declarations, %" PRIu64 " no-shows, %" PRIu64
           " evaluations; until %s; %" PRIu64 " irregularities; %" PRId64 ".%" PRId64 " s",
           run->events, statistics.events[UW_TOPIC_DECISIONS], statistics.events[UW_TOPIC_DECLARATIONS],
           statistics.events[UW_TOPIC_NO_SHOWS], statistics.events[UW_TOPIC_EVALUATIONS], until,
           statistics.irregularities, elapsed_ms / 1000, elapsed_ms / 100 % 10);
}

static enum uw_code open_all(struct run *run, const struct uw_options *options, const struct uw_config *config,
                             const struct uw_region_options *region, int64_t rate, struct uw_error *error)
{
    enum uw_code code = uw_region_open(region, &run->region, error);
    if (code != UW_OK) {
        return code;
    }
    run->list_path = uw_option_text(options, "irregularities", NULL);
    if (run->list_path != NULL) {
        run->list = fopen(run->list_path, "w");
        if (run->list == NULL) {
            return uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL, "%s: %s", run->list_path, strerror(errno));
        }
    }
    return uw_outlet_open(config, uw_option_text(options, "output", NULL), rate, &run->outlet, error);
}

static int simulate(const struct uw_options *options, const struct uw_config *config,
                    const struct uw_region_options *region, int64_t rate)
{
    struct run run = {0};
    struct uw_error error = {0};
    int status = UW_EXIT_FAILED;
    enum uw_code code = open_all(&run, options, config, region, rate, &error);
    if (code != UW_OK) {
        uw_complain("%s", error.text);
        status = code == UW_ECONFIG ? UW_EXIT_USAGE : UW_EXIT_FAILED;
        goto out;
    }
    uw_progress_init(&run.progress, "simulate", 0);
    code = send_all(&run, &error);
    if (code == UW_OK) {
        code = uw_outlet_finish(run.outlet, &error);
    }
    uw_progress_close(&run.progress);
    if (code == UW_OK && run.list != NULL && fflush(run.list) != 0) {
        code = uw_error_set(&error, UW_EIO, UW_CLASS_FATAL, "%s: %s", run.list_path, strerror(errno));
    }
    if (code != UW_OK) {
        uw_complain("%s", error.text);
        goto out;
    }
    summarise(&run);
    if (uw_signals_stop_requested()) {
        uw_complain("simulate: stopped before the end");
        goto out;
    }
    status = UW_EXIT_OK;
out:
    if (run.list != NULL) {
        fclose(run.list);
    }
    uw_outlet_close(&run.outlet);
    uw_region_close(&run.region);
    return status;
}

int uw_command_simulate(int argc, char **argv)
{
    struct uw_options options;
    struct uw_config config;
    struct uw_region_options region;
    int64_t rate;
    int status = uw_options_parse(argc, argv, usage, about, table, TABLE_COUNT, &options);
    if (status >= 0) {
        return status;
    }
    if (options.operand_count > 0) {
        uw_complain("simulate: unexpected operand '%.40s'", options.operands[0]);
        return UW_EXIT_USAGE;
    }
    if (!read_options(&options, &region, &rate) || !uw_options_config(&options, &config)) {
        return UW_EXIT_USAGE;
    }
    uw_signals_start();
    status = simulate(&options, &config, &region, rate);
    uw_config_close(&config);
    return status;
}
