/*
 * Two races on purpose, for the thread sanitizer with the options with which tests/run uses it: it has to see them, or what
 * it says of the tests means nothing. The first is between threads of ours; the second between ours and one of librdkafka,
 * which was built without the sanitizer and calls us back.
 *
 * usage: racing own|callback
 */
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int shared;
static int called; /* without any order for what else was done: the accesses are relaxed */

static void *add_one(void *context)
{
    (void)context;
    shared++;
    return NULL;
}

static int race_with_ourselves(void)
{
    pthread_t threads[2];

    for (int i = 0; i < 2; i++) {
        if (pthread_create(&threads[i], NULL, add_one, NULL) != 0)
            return 1;
    }
    for (int i = 0; i < 2; i++)
        (void)pthread_join(threads[i], NULL);
    return 0;
}

static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client;
    (void)level;
    (void)text;
    /* Told by a thread of librdkafka, since nobody answers. */
    if (strcmp(facility, "FAIL") == 0 && __atomic_load_n(&called, __ATOMIC_RELAXED) == 0) {
        shared++;
        __atomic_store_n(&called, 1, __ATOMIC_RELAXED);
    }
}

static int race_with_a_callback(void)
{
    static const struct timespec pause = {0, 10000000};
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *client;

    rd_kafka_conf_set_log_cb(conf, on_log);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", "127.0.0.1:1", reason, sizeof(reason)) != RD_KAFKA_CONF_OK)
        return 1;
    client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (client == NULL)
        return 1;
    while (__atomic_load_n(&called, __ATOMIC_RELAXED) == 0)
        (void)nanosleep(&pause, NULL);
    shared++;
    rd_kafka_destroy(client);
    return 0;
}

int main(int argc, char **argv)
{
    int status = argc == 2 && strcmp(argv[1], "own") == 0        ? race_with_ourselves()
                 : argc == 2 && strcmp(argv[1], "callback") == 0 ? race_with_a_callback()
                                                                 : 2;

    /* The sanitizer makes another one of it. */
    printf("%d\n", shared);
    return status;
}
