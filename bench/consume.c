/*
 * How fast librdkafka hands over the messages of some topics when nothing is done with them: a limit of what any
 * consumer can reach. Reads every partition from its beginning to the end that it has now. Prints one JSON line.
 *
 * usage: bench_consume BROKERS TOPIC...
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>

#include "bench/stream.h"

#define ERROR_BYTES 512
#define TIMEOUT_MS 30000
#define BATCH 10000

static rd_kafka_t *open_consumer(const char *brokers)
{
    /* As the processor's intake has them, so that the comparison is fair. */
    static const char *const properties[][2] = {
        {"group.id", "urenwacht-bench-consume"}, {"enable.auto.commit", "false"},     {"enable.partition.eof", "true"},
        {"queued.min.messages", "100000"},       {"fetch.wait.max.ms", "100"},        {"fetch.message.max.bytes", "4194304"},
        {"auto.offset.reset", "earliest"},       {"queued.max.messages.kbytes", "8192"},
    };
    char text[ERROR_BYTES];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text) != RD_KAFKA_CONF_OK) {
        uw_bench_fail(text);
    }
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++) {
        if (rd_kafka_conf_set(conf, properties[i][0], properties[i][1], text, sizeof text) != RD_KAFKA_CONF_OK) {
            uw_bench_fail(text);
        }
    }
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (consumer == NULL) {
        uw_bench_fail(text);
    }
    (void)rd_kafka_poll_set_consumer(consumer);
    return consumer;
}

/* Assigns all partitions of the topics; returns how many. */
static int assign(rd_kafka_t *consumer, char *const *topics, int topic_count)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t failed = rd_kafka_metadata(consumer, 1, NULL, &metadata, TIMEOUT_MS);
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) {
        uw_bench_fail(rd_kafka_err2str(failed));
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    for (int i = 0; i < metadata->topic_cnt; i++) {
        struct uw_str name = uw_str_from(metadata->topics[i].topic);
        for (int t = 0; t < topic_count; t++) {
            for (int p = 0; uw_str_equal(name, uw_str_from(topics[t])) && p < metadata->topics[i].partition_cnt; p++) {
                rd_kafka_topic_partition_list_add(list, topics[t], p)->offset = RD_KAFKA_OFFSET_BEGINNING;
            }
        }
    }
    rd_kafka_metadata_destroy(metadata);
    int count = list->cnt;
    failed = rd_kafka_assign(consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR || count == 0) {
        uw_bench_fail(count == 0 ? "no such topics" : rd_kafka_err2str(failed));
    }
    return count;
}

struct tally {
    uint64_t messages, bytes;
    int ended;
};

static void take(struct tally *tally, rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        tally->ended++;
    } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        tally->messages++;
        tally->bytes += message->len;
    }
    rd_kafka_message_destroy(message);
}

int main(int argc, char **argv)
{
    static rd_kafka_message_t *batch[BATCH];
    if (argc < 3) {
        uw_bench_fail("usage: bench_consume BROKERS TOPIC...");
    }
    rd_kafka_t *consumer = open_consumer(argv[1]);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);
    double wall_s = uw_bench_wall_s(), cpu_s = uw_bench_cpu_s();
    int partitions = assign(consumer, argv + 2, argc - 2);
    struct tally tally = {0, 0, 0};
    while (tally.ended < partitions) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, 100, batch, BATCH);
        for (ssize_t i = 0; i < count; i++) {
            take(&tally, batch[i]);
        }
    }
    wall_s = uw_bench_wall_s() - wall_s;
    cpu_s = uw_bench_cpu_s() - cpu_s;
    printf("{\"bench\": \"consume\", \"events\": %" PRIu64 ", \"bytes\": %" PRIu64
           ", \"seconds\": %.3f, \"cpu_s\": %.3f, \"events_per_s\": %.0f}\n",
           tally.messages, tally.bytes, wall_s, cpu_s, (double)tally.messages / wall_s);
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return 0;
}
