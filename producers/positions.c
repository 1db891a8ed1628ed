#include "producers/positions.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

struct flight {
    struct uw_positions_call call;
    pthread_mutex_t mutex;
    pthread_cond_t landed;
    rd_kafka_error_t *failure;
    bool is_back, is_left; /* never both: whoever comes second knows that the rest is up to it */
};

/* Of the process: threads that were left behind stay when those who began them are gone. */
static atomic_uint left_count;

uint32_t uw_positions_left(void)
{
    return atomic_load(&left_count);
}

static rd_kafka_error_t *send_now(const struct uw_positions_call *call)
{
    return rd_kafka_send_offsets_to_transaction(call->client, call->positions, call->group, call->timeout_ms);
}

static struct flight *flight_open(const struct uw_positions_call *call)
{
    struct flight *flight = calloc(1, sizeof(*flight));
    pthread_condattr_t attributes;
    bool made;

    if (flight == NULL)
        return NULL;
    flight->call = *call;
    if (pthread_condattr_init(&attributes) != 0) {
        free(flight);
        return NULL;
    }
    made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
           pthread_cond_init(&flight->landed, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    if (made && pthread_mutex_init(&flight->mutex, NULL) != 0) {
        (void)pthread_cond_destroy(&flight->landed);
        made = false;
    }
    if (made)
        return flight;
    free(flight);
    return NULL;
}

static void flight_close(struct flight *flight)
{
    (void)pthread_mutex_destroy(&flight->mutex);
    (void)pthread_cond_destroy(&flight->landed);
    free(flight);
}

/* Nobody waits any more: what was handed over goes with the thread. */
static void flight_end_alone(struct flight *flight)
{
    const struct uw_positions_call *call = &flight->call;

    if (flight->failure != NULL)
        rd_kafka_error_destroy(flight->failure);
    rd_kafka_topic_partition_list_destroy(call->positions);
    rd_kafka_consumer_group_metadata_destroy(call->group);
    rd_kafka_destroy(call->client);
    call->gone(call->context);
    flight_close(flight);
    atomic_fetch_sub(&left_count, 1);
}

static void *fly(void *context)
{
    struct flight *flight = context;
    rd_kafka_error_t *failure = send_now(&flight->call);
    bool is_left;

    (void)pthread_mutex_lock(&flight->mutex);
    flight->failure = failure;
    is_left = flight->is_left;
    flight->is_back = !is_left;
    (void)pthread_cond_signal(&flight->landed);
    (void)pthread_mutex_unlock(&flight->mutex);
    if (is_left)
        flight_end_alone(flight);
    return NULL;
}

/* False: it is left behind. */
static bool wait_for(struct flight *flight, int64_t deadline_ms)
{
    struct timespec deadline = {(time_t)(deadline_ms / 1000), (long)(deadline_ms % 1000) * 1000000};
    int refused = 0;
    bool is_back;

    (void)pthread_mutex_lock(&flight->mutex);
    while (!flight->is_back && refused == 0)
        refused = pthread_cond_timedwait(&flight->landed, &flight->mutex, &deadline);
    is_back = flight->is_back;
    flight->is_left = !is_back;
    if (flight->is_left)
        atomic_fetch_add(&left_count, 1);
    (void)pthread_mutex_unlock(&flight->mutex);
    return is_back;
}

bool uw_positions_send(const struct uw_positions_call *call, int64_t deadline_ms, rd_kafka_error_t **failure)
{
    struct flight *flight = flight_open(call);
    pthread_t thread;

    assert(call->gone != NULL);
    /* Without a thread it works as well, only that librdkafka says how long. */
    if (flight == NULL || pthread_create(&thread, NULL, fly, flight) != 0) {
        if (flight != NULL)
            flight_close(flight);
        *failure = send_now(call);
        return true;
    }
    if (!wait_for(flight, deadline_ms)) {
        (void)pthread_detach(thread);
        return false;
    }
    (void)pthread_join(thread, NULL);
    *failure = flight->failure;
    flight_close(flight);
    return true;
}
