#include "consumers/kafka_range.h"

#include <inttypes.h>
#include <stdio.h>

#define WHAT_BYTES 320
/* Between two questions that a broker cannot answer yet. */
#define PAUSE_MS 100

static const struct uw_property defaults[] = {
    /* No group is joined and nothing committed, but librdkafka wants a name for its consumers. */
    {"group.id", "urenwacht-range"},
    {NULL, NULL},
};

static const struct uw_property required[] = {
    {"enable.auto.commit", "false"},
    {"allow.auto.create.topics", "false"},
    {NULL, NULL},
};

enum uw_code uw_kafka_asker_open(const struct uw_property *properties, uint32_t property_count,
                                 struct uw_kafka_link *link, rd_kafka_t **asker, struct uw_error *error)
{
    struct uw_kafka_setup setup = {defaults, properties, property_count, required};
    rd_kafka_conf_t *conf = NULL;
    enum uw_code code = uw_kafka_conf_build(&setup, link, &conf, error);

    if (code != UW_OK)
        return code;
    uw_kafka_conf_uncommitted(conf);
    return uw_kafka_client_open(RD_KAFKA_CONSUMER, conf, asker, error);
}

enum uw_code uw_kafka_range(rd_kafka_t *asker, const struct uw_kafka_link *link, const char *topic, int32_t partition,
                            int32_t timeout_ms, int64_t *low, int64_t *high, struct uw_error *error)
{
    int64_t deadline_ms = uw_kafka_clock_ms() + timeout_ms;
    char what[WHAT_BYTES];
    rd_kafka_resp_err_t err;

    for (;;) {
        err = rd_kafka_query_watermark_offsets(asker, topic, partition, low, high, uw_kafka_left_ms(deadline_ms));
        /* A partition that is being made, or moves, has no leader for a moment. */
        if (err == RD_KAFKA_RESP_ERR_NO_ERROR || uw_kafka_class(err) != UW_CLASS_RETRY ||
            atomic_load(&link->refused) != 0 || uw_kafka_left_ms(deadline_ms) == 0)
            break;
        rd_kafka_poll(asker, PAUSE_MS);
    }
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return UW_OK;
    (void)snprintf(what, sizeof(what), "asking for the offsets of topic %s, partition %" PRId32, topic, partition);
    return uw_kafka_link_fail(link, err, what, error);
}
