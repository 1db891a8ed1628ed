/*
 * What can be checked within the tables: partitions and their counts, the histories of alerts and anomalies, and the
 * outbox.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/faults.h"
#include "cli/verify.h"

#define FINGERPRINT_BYTES 20
/* Records of the outbox that are looked up in the histories at once. */
#define LOOKUPS_MAX 1000u

/* ---- partitions ---- */

struct partitions {
    struct uw_verify *verify;
    bool topics_only;
    uint64_t fingerprint;
    struct uw_error error;
};

const struct uw_verify_partition *uw_verify_partition_of(const struct uw_verify *verify, int32_t partition)
{
    uint32_t low = 0, high = verify->partition_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (verify->partitions[middle].partition < partition) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < verify->partition_count && verify->partitions[low].partition == partition ? &verify->partitions[low]
                                                                                            : NULL;
}

bool uw_verify_wants(const struct uw_verify *verify, struct uw_str municipality)
{
    return uw_str_is_null(verify->municipality) || uw_str_equal(verify->municipality, municipality);
}

/* The outbox holds what is decided and not known to be published: every number between the two, once. */
static void check_outbox_numbers(struct uw_verify_report *report, const struct uw_audit_partition *row)
{
    int64_t expected = row->next_sequence - 1 - row->published_sequence;

    if (row->outbox_count == expected &&
        (expected == 0 ||
         (row->outbox_first == row->published_sequence + 1 && row->outbox_last == row->next_sequence - 1))) {
        return;
    }
    uw_verify_begin(report, UW_VERIFY_OUTBOX, UW_VERIFY_CHANGED);
    uw_verify_key_number(report, "partition", row->partition);
    uw_verify_pair_number(report, "records", row->outbox_count, expected);
    uw_verify_pair_number(report, "first", row->outbox_first, expected > 0 ? row->published_sequence + 1 : 0);
    uw_verify_pair_number(report, "last", row->outbox_last, expected > 0 ? row->next_sequence - 1 : 0);
    uw_verify_end(report);
}

static void check_partition(struct partitions *partitions, const struct uw_audit_partition *row)
{
    struct uw_verify_report *report = &partitions->verify->report;
    bool judged = row->as_of_day != UW_DAY_NONE;
    bool same_rules = !judged || row->rules_fingerprint == partitions->fingerprint;
    char stored[FINGERPRINT_BYTES], expected[FINGERPRINT_BYTES];

    report->compared[UW_VERIFY_PARTITION]++;
    if (!row->known) {
        uw_verify_begin(report, UW_VERIFY_PARTITION, UW_VERIFY_MISSING);
        uw_verify_key_number(report, "partition", row->partition);
        uw_verify_pair_number(report, "facts", UW_MINUTES_NONE, row->facts);
        uw_verify_pair_number(report, "outbox_records", UW_MINUTES_NONE, row->outbox_count);
        uw_verify_end(report);
        return;
    }
    if (row->events != row->facts || !same_rules) {
        (void)snprintf(stored, sizeof stored, "%016" PRIx64, row->rules_fingerprint);
        (void)snprintf(expected, sizeof expected, "%016" PRIx64, same_rules ? row->rules_fingerprint
                                                                            : partitions->fingerprint);
        uw_verify_begin(report, UW_VERIFY_PARTITION, UW_VERIFY_CHANGED);
        uw_verify_key_number(report, "partition", row->partition);
        uw_verify_pair_number(report, "facts", row->facts, row->events);
        uw_verify_pair(report, "rules", uw_str_from(stored), uw_str_from(expected));
        uw_verify_end(report);
    }
    report->compared[UW_VERIFY_OUTBOX] += row->outbox_count;
    check_outbox_numbers(report, row);
}

enum uw_code uw_verify_partition_add(struct uw_verify *verify, const struct uw_audit_partition *row,
                                     struct uw_error *error)
{
    uint32_t count = verify->partition_count;

    if (count == UW_VERIFY_PARTITIONS_MAX) {
        return uw_error_set(error, UW_ELIMIT, UW_CLASS_FATAL, "the database has more than %u partitions",
                            UW_VERIFY_PARTITIONS_MAX);
    }
    if (!uw_reserve((void **)&verify->partitions, &verify->partition_capacity, count + 1, sizeof *verify->partitions)) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for %" PRIu32 " partitions", count + 1);
    }
    verify->partitions[count] = (struct uw_verify_partition){row->partition, row->as_of_day, {0}};
    memcpy(verify->partitions[count].next_offset, row->next_offset, sizeof row->next_offset);
    verify->partition_count++;
    return UW_OK;
}

/* Offsets mean nothing in other topics than those they were counted in. */
static enum uw_code check_topics(struct partitions *partitions, const struct uw_audit_partition *row)
{
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        const char *configured = partitions->verify->config->topics[i];

        if (!uw_str_equal(row->topics[i], uw_str_from(configured))) {
            return uw_error_set(&partitions->error, UW_ECONFIG, UW_CLASS_FATAL,
                                "the database was made from topic %.*s, but topics.%s says %s",
                                (int)row->topics[i].length, row->topics[i].data == NULL ? "" : row->topics[i].data,
                                uw_topic_name((enum uw_topic)i), configured);
        }
    }
    return UW_OK;
}

static enum uw_code visit_partition(void *context, const struct uw_audit_partition *row)
{
    struct partitions *partitions = context;
    struct uw_verify *verify = partitions->verify;
    enum uw_code code = row->known ? check_topics(partitions, row) : UW_OK;

    if (code == UW_OK && !partitions->topics_only) {
        check_partition(partitions, row);
    }
    if (code != UW_OK || !row->known) {
        return code;
    }
    return uw_verify_partition_add(verify, row, &partitions->error);
}

enum uw_code uw_verify_partitions(struct uw_verify *verify, bool topics_only, struct uw_error *error)
{
    struct partitions partitions = {.verify = verify,
                                    .topics_only = topics_only,
                                    .fingerprint = uw_engine_fingerprint(&verify->config->settings,
                                                                         uw_faults_rules_version())};
    enum uw_code code = uw_pgaudit_partitions(verify->store, visit_partition, &partitions, error);

    if (code != UW_OK && partitions.error.code != UW_OK) {
        *error = partitions.error;
    }
    return code;
}

/* ---- histories ---- */

static enum uw_code visit_fault(void *context, const struct uw_audit_fault *fault)
{
    struct uw_verify *verify = context;
    struct uw_verify_report *report = &verify->report;

    uw_verify_begin(report, UW_VERIFY_HISTORY, UW_VERIFY_CHANGED);
    uw_verify_key(report, "of", fault->is_alert ? UW_STR("alert") : UW_STR("anomaly"));
    uw_verify_key(report, "id", fault->id);
    uw_verify_key(report, "kind", fault->kind);
    uw_verify_key(report, "client", fault->client);
    uw_verify_key(report, "municipality", fault->municipality);
    uw_verify_key(report, "decision", fault->decision);
    uw_verify_pair(report, "revisions", fault->stored, fault->expected);
    uw_verify_end(report);
    return UW_OK;
}

/* ---- the outbox ---- */

int uw_verify_place_compare(const void *a, const void *b)
{
    const struct uw_verify_place *left = a, *right = b;

    if (left->topic != right->topic) {
        return left->topic < right->topic ? -1 : 1;
    }
    if (left->partition != right->partition) {
        return left->partition < right->partition ? -1 : 1;
    }
    return (left->offset > right->offset) - (left->offset < right->offset);
}

static bool parse_number(struct uw_str text, int64_t max, int64_t *number)
{
    int64_t value = 0;

    if (text.length == 0 || text.length > 19) {
        return false;
    }
    for (uint32_t i = 0; i < text.length; i++) {
        int digit = text.data[i] - '0';

        if (digit < 0 || digit > 9 || value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}

/* The last header of a name counts, since ours stand behind those of the refused message. */
static struct uw_str header_of(const struct uw_header *headers, uint32_t count, const char *name)
{
    for (uint32_t i = count; i-- > 0;) {
        if (uw_str_equal(headers[i].name, uw_str_from(name))) {
            return headers[i].value;
        }
    }
    return UW_STR_NULL;
}

bool uw_verify_place_read(const struct uw_config *config, const struct uw_header *headers, uint32_t header_count,
                          struct uw_verify_place *place)
{
    struct uw_str topic = header_of(headers, header_count, "__streams.errors.topic");
    int64_t partition, offset;
    int found = 0;

    while (found < UW_TOPIC_COUNT && !uw_str_equal(topic, uw_str_from(config->topics[found]))) {
        found++;
    }
    if (found == UW_TOPIC_COUNT ||
        !parse_number(header_of(headers, header_count, "__streams.errors.partition"), INT32_MAX, &partition) ||
        !parse_number(header_of(headers, header_count, "__streams.errors.offset"), INT64_MAX, &offset)) {
        return false;
    }
    memset(place, 0, sizeof *place);
    place->topic = found;
    place->partition = (int32_t)partition;
    place->offset = offset;
    return true;
}

/* Revisions that wait to be published. */
struct lookups {
    struct uw_verify *verify;
    uint32_t seen; /* records of this round, also those that cannot be looked up */
    uint32_t count;
    int32_t last_partition; /* of the last record seen */
    int64_t last_sequence;
    struct uw_uuid ids[LOOKUPS_MAX];
    int32_t revisions[LOOKUPS_MAX], partitions[LOOKUPS_MAX];
    int64_t sequences[LOOKUPS_MAX];
    bool found[LOOKUPS_MAX];
};

static void report_record(struct uw_verify *verify, int32_t partition, int64_t sequence, const char *text)
{
    uw_verify_begin(&verify->report, UW_VERIFY_OUTBOX, UW_VERIFY_EXTRA);
    uw_verify_key_number(&verify->report, "partition", partition);
    uw_verify_key_number(&verify->report, "sequence", sequence);
    uw_verify_pair(&verify->report, "record", uw_str_from(text), UW_STR_NULL);
    uw_verify_end(&verify->report);
}

static enum uw_code visit_record(void *context, const struct uw_outbox_record *record)
{
    struct lookups *lookups = context;
    int64_t revision;

    lookups->seen++;
    lookups->last_partition = record->partition;
    lookups->last_sequence = record->sequence;
    if (!uw_uuid_parse(header_of(record->headers, record->header_count, "id"), &lookups->ids[lookups->count]) ||
        !parse_number(header_of(record->headers, record->header_count, "revision"), INT32_MAX, &revision)) {
        report_record(lookups->verify, record->partition, record->sequence, "without id and revision");
        return UW_OK;
    }
    lookups->revisions[lookups->count] = (int32_t)revision;
    lookups->partitions[lookups->count] = record->partition;
    lookups->sequences[lookups->count++] = record->sequence;
    return UW_OK;
}

/* Every revision that waits to be published is one of the history. */
static enum uw_code verify_outbox(struct uw_verify *verify, enum uw_output output, struct uw_error *error)
{
    struct lookups *lookups = calloc(1, sizeof *lookups);
    bool alerts = output == UW_OUTPUT_ALERTS;
    enum uw_code code = UW_OK;

    if (lookups == NULL) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory to look at the outbox");
    }
    lookups->verify = verify;
    lookups->last_partition = -1;
    do {
        lookups->seen = lookups->count = 0;
        code = uw_pgaudit_outbox(verify->store, output, lookups->last_partition, lookups->last_sequence, LOOKUPS_MAX,
                                 visit_record, lookups, error);
        if (code == UW_OK && lookups->count > 0) {
            code = uw_pgaudit_find_revisions(verify->store, alerts, lookups->ids, lookups->revisions, lookups->count,
                                             lookups->found, error);
        }
        for (uint32_t i = 0; i < lookups->count && code == UW_OK; i++) {
            if (!lookups->found[i]) {
                report_record(verify, lookups->partitions[i], lookups->sequences[i],
                              alerts ? "a revision that no alert has" : "a revision that no anomaly has");
            }
        }
    } while (code == UW_OK && lookups->seen == LOOKUPS_MAX);
    free(lookups);
    return code;
}

enum uw_code uw_verify_tables(struct uw_verify *verify, struct uw_error *error)
{
    enum uw_code code =
        uw_pgaudit_histories(verify->store, visit_fault, verify, &verify->report.compared[UW_VERIFY_HISTORY], error);

    if (code == UW_OK) {
        code = verify_outbox(verify, UW_OUTPUT_ALERTS, error);
    }
    return code == UW_OK ? verify_outbox(verify, UW_OUTPUT_ANOMALIES, error) : code;
}
