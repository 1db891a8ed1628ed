#include "cli/faults.h"

#ifdef UW_FAULT_POINTS

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Test builds only: the ports that were wrapped, and the place that is waited for. */
static struct uw_store real_store;
static struct uw_publisher real_publisher;
static char wanted_place[64];
static long wanted_count;
static atomic_long seen_count;
static pthread_mutex_t wrapping = PTHREAD_MUTEX_INITIALIZER;

static void reach(const char *place)
{
    if (strcmp(place, wanted_place) == 0 && atomic_fetch_add(&seen_count, 1) + 1 == wanted_count) {
        fprintf(stderr, "fault point %s:%ld\n", place, wanted_count);
        kill(getpid(), SIGKILL);
    }
}

static enum uw_code faulty_claim(void *context, int32_t partition, int32_t rules_version, struct uw_claim *claim,
                                 struct uw_error *error)
{
    reach("before-claim");
    enum uw_code code = real_store.claim(context, partition, rules_version, claim, error);
    reach("after-claim");
    return code;
}

static enum uw_code faulty_commit(void *context, const struct uw_changes *changes, struct uw_error *error)
{
    reach("before-commit");
    enum uw_code code = real_store.commit(context, changes, error);
    reach("after-commit");
    return code;
}

static enum uw_code faulty_start(void *context, const struct uw_outbox_record *records, uint32_t record_count,
                                 const struct uw_published *positions, uint32_t position_count,
                                 struct uw_error *error)
{
    reach("before-publish");
    return real_publisher.start(context, records, record_count, positions, position_count, error);
}

static enum uw_code faulty_finish(void *context, struct uw_error *error)
{
    enum uw_code code = real_publisher.finish(context, error);
    reach("after-publish");
    return code;
}

void uw_faults_wrap(struct uw_store *store, struct uw_publisher *publisher)
{
    const char *fault = getenv("URENWACHT_FAULT");
    const char *colon = fault != NULL ? strchr(fault, ':') : NULL;
    if (colon == NULL || (size_t)(colon - fault) >= sizeof wanted_place) {
        return;
    }
    pthread_mutex_lock(&wrapping); /* the operations of all workers are the same; only their contexts differ */
    if (wanted_place[0] == '\0') {
        memcpy(wanted_place, fault, (size_t)(colon - fault));
        wanted_count = strtol(colon + 1, NULL, 10);
        real_store = *store;
        real_publisher = *publisher;
    }
    pthread_mutex_unlock(&wrapping);
    store->claim = faulty_claim;
    store->commit = faulty_commit;
    publisher->start = faulty_start;
    publisher->finish = faulty_finish;
}

int32_t uw_faults_rules_version(void)
{
    const char *version = getenv("URENWACHT_TEST_RULES_VERSION");
    return version == NULL ? UW_RULES_VERSION : (int32_t)strtol(version, NULL, 10);
}

#else
/* ISO C wants a translation unit to hold something. */
extern int uw_faults_are_not_built;
#endif
