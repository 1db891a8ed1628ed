#include "producers/publisher.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producers/positions.h"
#include "schemas/position.h"

/* Subscribers wait this long for what a dead instance left open. A transaction takes milliseconds; one that takes
 * longer than this is ended by the broker and done again by recovery, in parts of bounded size. */
#define TRANSACTION_TIMEOUT_MS_DEFAULT 10000
#define POLL_WHEN_FULL_MS 50
/* Of librdkafka: its lowest, and how much shorter than a transaction's timeout it has to be. */
#define SOCKET_TIMEOUT_MS_MIN 10
#define SOCKET_MARGIN_MS 100
#define GROUP_METADATA_BYTES_MAX 4096
/* Adding positions ends by itself within the timeout of librdkafka's requests, unless it does not end at all. */
#define POSITIONS_GRACE_MS 1000

struct uw_transactor {
    struct uw_kafka_link link; /* first: the client's opaque */
    rd_kafka_t *client;        /* NULL: to be made */
    bool settled;              /* it has ended what a broker may have forgotten to end */
    /* The owner, and producers that were left behind, whose opaque this is until they end. The last one frees it. */
    atomic_uint holders;
    rd_kafka_topic_t *outputs[UW_OUTPUT_COUNT];
    char *output_names[UW_OUTPUT_COUNT];
    char *topics[UW_TOPIC_COUNT];
    char *transactional_id, *group_id;
    struct uw_property *properties; /* a copy: producers are made again later */
    uint32_t property_count;
    void *group_context;
    enum uw_code (*group_metadata)(void *context, void *buffer, size_t *size, struct uw_error *error);
    int32_t timeout_ms, transaction_timeout_ms;
    int32_t request_timeout_ms; /* that of a call, but less than a transaction's */
    /* Of the transaction under way. The thread sends the positions and commits; until it is joined, nobody else
     * touches the producer, what follows here, or the statistics. */
    bool begun, threaded;
    pthread_t thread;
    rd_kafka_topic_partition_list_t *positions;
    rd_kafka_consumer_group_metadata_t *group;
    uint32_t record_count;
    int64_t deadline_ms;
    enum uw_code result;
    struct uw_error failure;
    /* The first delivery that failed, and where. */
    rd_kafka_resp_err_t undelivered;
    int undelivered_output;
    size_t undelivered_bytes;
    struct uw_transactor_statistics statistics;
};

/* ---- making and throwing away the producer ---- */

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct uw_transactor *transactor = opaque;

    (void)client;
    /* Purged ones were given up by an abort: they are no reason of their own. */
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR || message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
        message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
        return;
    if (transactor->undelivered != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    transactor->undelivered = message->err;
    transactor->undelivered_bytes = message->len + message->key_len;
    for (int i = 0; i < UW_OUTPUT_COUNT; i++) {
        if (transactor->outputs[i] == message->rkt)
            transactor->undelivered_output = i;
    }
}

static void outputs_destroy(struct uw_transactor *transactor)
{
    for (int i = 0; i < UW_OUTPUT_COUNT; i++) {
        if (transactor->outputs[i] != NULL)
            rd_kafka_topic_destroy(transactor->outputs[i]);
        transactor->outputs[i] = NULL;
    }
}

/* Without waiting for anything: what is in its queues belongs to a transaction that will not be committed. */
static void producer_destroy(struct uw_transactor *transactor)
{
    if (transactor->client == NULL)
        return;
    (void)rd_kafka_purge(transactor->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    outputs_destroy(transactor);
    rd_kafka_destroy(transactor->client);
    transactor->client = NULL;
}

static void let_go(void *context)
{
    struct uw_transactor *transactor = context;

    if (atomic_fetch_sub(&transactor->holders, 1) == 1)
        free(transactor);
}

/* That of a call, but shorter than a transaction's by what librdkafka insists on. What is no number is refused by
 * librdkafka with a text of its own. */
static int32_t socket_timeout_ms(const struct uw_transactor *transactor, const char *transaction_timeout)
{
    long limit_ms = transaction_timeout != NULL ? strtol(transaction_timeout, NULL, 10)
                                                : (long)transactor->transaction_timeout_ms;

    limit_ms -= SOCKET_MARGIN_MS;
    if (limit_ms < SOCKET_TIMEOUT_MS_MIN)
        return SOCKET_TIMEOUT_MS_MIN;
    return limit_ms < transactor->timeout_ms ? (int32_t)limit_ms : transactor->timeout_ms;
}

static enum uw_code producer_configure(struct uw_transactor *transactor, rd_kafka_conf_t **conf,
                                       struct uw_error *error)
{
    /* The user may name another: it is how long subscribers wait for what a dead instance left open. */
    const char *given = uw_kafka_property(transactor->properties, transactor->property_count, "transaction.timeout.ms");
    char number[16], socket_number[16];
    const struct uw_property defaults[] = {
        {"compression.codec", "lz4"},
        {"linger.ms", "2"},
        /* A transaction that begins while the markers of the one before are being written is told to try again. */
        {"retry.backoff.ms", "10"},
        {"queue.buffering.max.messages", "200000"},
        {"queue.buffering.max.kbytes", "262144"},
        /* The broker judges compressed batches, so that a dead letter may be larger than what the topics say. */
        {"message.max.bytes", "67108864"},
        /* What waits for the broker's answer whatever the call's own timeout says waits no longer than this. */
        {"socket.timeout.ms", socket_number},
        {NULL, NULL},
    };
    const struct uw_property required[] = {
        {"transactional.id", transactor->transactional_id},
        {"enable.idempotence", "true"},
        /* With more, librdkafka may take what a broker refused for acknowledged; see producers/feeder.c. */
        {"max.in.flight.requests.per.connection", "1"},
        {"acks", "all"},
        {"partitioner", "murmur2_random"},
        {"transaction.timeout.ms", given != NULL ? given : number},
        {"delivery.report.only.error", "true"},
        {NULL, NULL},
    };
    struct uw_kafka_setup setup = {defaults, transactor->properties, transactor->property_count, required};
    enum uw_code code;

    (void)snprintf(number, sizeof(number), "%" PRId32, transactor->transaction_timeout_ms);
    transactor->request_timeout_ms = socket_timeout_ms(transactor, given);
    (void)snprintf(socket_number, sizeof(socket_number), "%" PRId32, transactor->request_timeout_ms);
    code = uw_kafka_conf_build(&setup, &transactor->link, conf, error);
    if (code == UW_OK)
        rd_kafka_conf_set_dr_msg_cb(*conf, on_delivery);
    return code;
}

static void thread_join(struct uw_transactor *transactor)
{
    if (transactor->threaded)
        (void)pthread_join(transactor->thread, NULL);
    transactor->threaded = false;
}

/* ---- steps of a transaction ---- */

/* What became of a step. The transaction's end depends on it, not on the step. */
enum step {
    STEP_DONE,
    STEP_ABORT,   /* the producer can go on after an abort */
    STEP_DISCARD, /* the producer is of no use any more; what the broker did is unknown or void */
};

static bool timed_out(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR__TIMED_OUT || err == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE ||
           err == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT;
}

/* Fills *error with code, class and text, and says what is to become of the transaction. */
static enum step step_judge(struct uw_transactor *transactor, bool fatal, bool abortable, rd_kafka_resp_err_t err,
                            const char *what, const char *reason, struct uw_error *error)
{
    char fatal_reason[UW_KAFKA_REASON_BYTES];

    /* Callbacks that know about refused credentials or failed deliveries are served here. */
    rd_kafka_poll(transactor->client, 0);
    if (err == RD_KAFKA_RESP_ERR__FATAL) {
        err = rd_kafka_fatal_error(transactor->client, fatal_reason, sizeof(fatal_reason));
        reason = fatal_reason;
    }
    if (atomic_load(&transactor->link.refused) != RD_KAFKA_RESP_ERR_NO_ERROR)
        (void)uw_kafka_link_fail(&transactor->link, err, what, error);
    else
        (void)uw_kafka_fail(err, what, reason, error);
    if (!fatal && abortable && !timed_out(err))
        return STEP_ABORT;
    /* A new producer mends what made this one useless, unless it would be refused or fenced as well. */
    if (error->class == UW_CLASS_RETRY || err == RD_KAFKA_RESP_ERR__FATAL)
        error->class = UW_CLASS_ABORT;
    return STEP_DISCARD;
}

/* The same for librdkafka's own error, which is destroyed; NULL is success. */
static enum step failure_judge(struct uw_transactor *transactor, rd_kafka_error_t *take_failure, const char *what,
                               struct uw_error *error)
{
    enum step step;

    if (take_failure == NULL)
        return STEP_DONE;
    step = step_judge(transactor, rd_kafka_error_is_fatal(take_failure) != 0,
                      rd_kafka_error_txn_requires_abort(take_failure) != 0, rd_kafka_error_code(take_failure), what,
                      rd_kafka_error_string(take_failure), error);
    rd_kafka_error_destroy(take_failure);
    return step;
}

/* A record that cannot be delivered is the real reason behind an abort, and repeating may not mend it. */
static void undelivered_explain(const struct uw_transactor *transactor, struct uw_error *error)
{
    const char *output = transactor->output_names[transactor->undelivered_output];
    char what[300];

    if (transactor->undelivered == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    if (transactor->undelivered == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
        transactor->undelivered == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE) {
        (void)uw_error_set(error, UW_ECONFIG, UW_CLASS_FATAL,
                           "topic %s does not take a record of %zu bytes: raise its max.message.bytes", output,
                           transactor->undelivered_bytes);
    } else if (uw_kafka_class(transactor->undelivered) == UW_CLASS_FATAL) {
        (void)snprintf(what, sizeof(what), "writing to topic %s", output);
        (void)uw_kafka_fail(transactor->undelivered, what, NULL, error);
    }
}

static rd_kafka_headers_t *headers_make(const struct uw_outbox_record *record)
{
    rd_kafka_headers_t *headers;

    if (record->header_count == 0)
        return NULL;
    headers = rd_kafka_headers_new(record->header_count);
    for (uint32_t i = 0; i < record->header_count; i++) {
        const struct uw_header *header = &record->headers[i];

        (void)rd_kafka_header_add(headers, header->name.data, (ssize_t)header->name.length, header->value.data,
                                  header->value.data == NULL ? -1 : (ssize_t)header->value.length);
    }
    return headers;
}

static rd_kafka_resp_err_t record_enqueue(struct uw_transactor *transactor, const struct uw_outbox_record *record,
                                          rd_kafka_headers_t *headers)
{
    /* The value is copied: the caller's memory ends with the call, librdkafka's retries may not. */
    const rd_kafka_vu_t arguments[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = transactor->outputs[record->output]},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = RD_KAFKA_PARTITION_UA},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {.ptr = (void *)(uintptr_t)record->key.data, .size = record->key.length}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {.ptr = (void *)(uintptr_t)record->value.data, .size = record->value.length}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    size_t count = sizeof(arguments) / sizeof(arguments[0]);
    rd_kafka_error_t *failure;
    rd_kafka_resp_err_t err;

    failure = rd_kafka_produceva(transactor->client, arguments, headers == NULL ? count - 1 : count);
    if (failure == NULL)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    err = rd_kafka_error_code(failure);
    rd_kafka_error_destroy(failure);
    return err;
}

/* A transaction that fails while records are written refuses the next one with no more than "erroneous state". It can no
 * longer be committed, and who asks for that hears the reason. */
static enum step refusal_judge(struct uw_transactor *transactor, struct uw_error *error)
{
    rd_kafka_error_t *failure =
        rd_kafka_commit_transaction(transactor->client, uw_kafka_left_ms(transactor->deadline_ms));

    if (failure != NULL)
        return failure_judge(transactor, failure, "writing a record", error);
    (void)uw_error_set(error, UW_EIO, UW_CLASS_ABORT,
                       "Kafka: writing a record: a transaction that took no more records was committed");
    return STEP_DISCARD;
}

static enum step record_produce(struct uw_transactor *transactor, const struct uw_outbox_record *record,
                                int64_t deadline_ms, struct uw_error *error)
{
    rd_kafka_headers_t *headers = headers_make(record);
    rd_kafka_resp_err_t err;

    for (;;) {
        err = record_enqueue(transactor, record, headers);
        if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL || uw_kafka_left_ms(deadline_ms) == 0)
            break;
        rd_kafka_poll(transactor->client, POLL_WHEN_FULL_MS);
    }
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return STEP_DONE; /* headers belong to the message now */
    if (headers != NULL)
        rd_kafka_headers_destroy(headers);
    if (err == RD_KAFKA_RESP_ERR__STATE)
        return refusal_judge(transactor, error);
    if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) {
        transactor->undelivered = err;
        transactor->undelivered_output = (int)record->output;
        transactor->undelivered_bytes = (size_t)record->key.length + record->value.length;
    }
    return step_judge(transactor, err == RD_KAFKA_RESP_ERR__FATAL || err == RD_KAFKA_RESP_ERR__FENCED, true, err,
                      "writing a record", NULL, error);
}

static rd_kafka_topic_partition_list_t *positions_make(const struct uw_transactor *transactor,
                                                       const struct uw_published *positions, uint32_t position_count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)(position_count * UW_TOPIC_COUNT));

    for (uint32_t i = 0; i < position_count; i++) {
        char text[UW_POSITION_TEXT_BYTES];

        uw_position_format(positions[i].sequence, text);
        for (int t = 0; t < UW_TOPIC_COUNT; t++) {
            rd_kafka_topic_partition_t *element =
                rd_kafka_topic_partition_list_add(list, transactor->topics[t], positions[i].partition);

            element->offset = positions[i].next_offset[t];
            /* Librdkafka frees the metadata with the list, by free(). */
            element->metadata = strdup(text);
            element->metadata_size = element->metadata == NULL ? 0 : strlen(text);
            if (element->metadata == NULL) {
                rd_kafka_topic_partition_list_destroy(list);
                return NULL;
            }
        }
    }
    return list;
}

/* What the positions need: the generation of the group under which the partitions are ours now. */
static enum step positions_prepare(struct uw_transactor *transactor, const struct uw_published *positions,
                                   uint32_t position_count, struct uw_error *error)
{
    char buffer[GROUP_METADATA_BYTES_MAX];
    size_t size = sizeof(buffer);
    rd_kafka_error_t *failure;

    if (position_count == 0)
        return STEP_DONE;
    if (transactor->group_metadata(transactor->group_context, buffer, &size, error) != UW_OK)
        return STEP_ABORT;
    failure = rd_kafka_consumer_group_metadata_read(&transactor->group, buffer, size);
    if (failure != NULL)
        return failure_judge(transactor, failure, "reading the group's metadata", error);
    transactor->positions = positions_make(transactor, positions, position_count);
    if (transactor->positions == NULL) {
        (void)uw_error_set(error, UW_ENOMEM, UW_CLASS_ABORT, "no memory for %" PRIu32 " positions", position_count);
        return STEP_ABORT;
    }
    return STEP_DONE;
}

static void positions_forget(struct uw_transactor *transactor)
{
    if (transactor->positions != NULL)
        rd_kafka_topic_partition_list_destroy(transactor->positions);
    if (transactor->group != NULL)
        rd_kafka_consumer_group_metadata_destroy(transactor->group);
    transactor->positions = NULL;
    transactor->group = NULL;
}

/* A transaction that fails for another reason while positions are on their way, such as a partition that was refused,
 * ends the call with no more than "erroneous state"; the next call says the reason. */
static bool worth_repeating(const rd_kafka_error_t *failure, int64_t deadline_ms, int *states_seen)
{
    rd_kafka_resp_err_t err = rd_kafka_error_code(failure);

    if (uw_kafka_left_ms(deadline_ms) == 0)
        return false;
    if (err == RD_KAFKA_RESP_ERR__STATE)
        return ++*states_seen == 1;
    return rd_kafka_error_is_retriable(failure) && err != RD_KAFKA_RESP_ERR__TIMED_OUT;
}

/* The call did not come back: it goes on with the producer, until the next one fences it or a broker wakes it up. */
static enum step producer_leave(struct uw_transactor *transactor, struct uw_error *error)
{
    uint32_t left = uw_positions_left();

    outputs_destroy(transactor);
    transactor->client = NULL;
    transactor->positions = NULL;
    transactor->group = NULL;
    if (left > UW_TRANSACTOR_LEFT_MAX)
        (void)uw_error_set(error, UW_EIO, UW_CLASS_FATAL,
                           "Kafka: librdkafka did not come back from adding positions to a transaction, %" PRIu32
                           " times by now: give it a group coordinator that answers, and start anew",
                           left);
    else
        (void)uw_error_set(error, UW_ETIMEOUT, UW_CLASS_ABORT,
                           "Kafka: adding positions to a transaction: no answer of the group's coordinator");
    return STEP_DISCARD;
}

static enum step positions_send(struct uw_transactor *transactor, struct uw_error *error)
{
    int64_t limit_ms = uw_kafka_clock_ms() + transactor->request_timeout_ms;
    rd_kafka_error_t *failure;
    int states_seen = 0;

    if (transactor->positions == NULL)
        return STEP_DONE;
    limit_ms = (limit_ms < transactor->deadline_ms ? limit_ms : transactor->deadline_ms) + POSITIONS_GRACE_MS;
    for (;;) {
        const struct uw_positions_call call = {.client = transactor->client,
                                               .positions = transactor->positions,
                                               .group = transactor->group,
                                               .timeout_ms = uw_kafka_left_ms(transactor->deadline_ms),
                                               .context = transactor,
                                               .gone = let_go};

        /* Not resumed but sent again, which is the same as long as the arguments are. */
        atomic_fetch_add(&transactor->holders, 1);
        if (!uw_positions_send(&call, limit_ms, &failure))
            return producer_leave(transactor, error);
        atomic_fetch_sub(&transactor->holders, 1);
        if (failure == NULL || !worth_repeating(failure, transactor->deadline_ms, &states_seen))
            break;
        rd_kafka_error_destroy(failure);
        rd_kafka_poll(transactor->client, POLL_WHEN_FULL_MS);
    }
    return failure_judge(transactor, failure, "adding positions to a transaction", error);
}

static enum step commit(struct uw_transactor *transactor, struct uw_error *error)
{
    rd_kafka_error_t *failure;

    for (;;) {
        failure = rd_kafka_commit_transaction(transactor->client, uw_kafka_left_ms(transactor->deadline_ms));
        if (failure == NULL || !rd_kafka_error_is_retriable(failure) ||
            uw_kafka_left_ms(transactor->deadline_ms) == 0 ||
            rd_kafka_error_code(failure) == RD_KAFKA_RESP_ERR__TIMED_OUT)
            break;
        rd_kafka_error_destroy(failure);
        rd_kafka_poll(transactor->client, POLL_WHEN_FULL_MS);
    }
    return failure_judge(transactor, failure, "committing a transaction", error);
}

/* ---- a new producer ---- */

/* The error of a call that never had a transaction under way; the failure is destroyed. */
static enum uw_code start_failed(struct uw_transactor *transactor, rd_kafka_error_t *take_failure, const char *what,
                                 struct uw_error *error)
{
    rd_kafka_resp_err_t err = rd_kafka_error_code(take_failure);
    enum uw_code code;

    /* The callback that knows about refused credentials is served here. */
    rd_kafka_poll(transactor->client, 0);
    code = uw_kafka_link_fail(&transactor->link, err, what, error);
    rd_kafka_error_destroy(take_failure);
    producer_destroy(transactor);
    return code;
}

/* A position that means nothing, even if it were committed some day: what is published is the highest of the four
 * topics. */
static enum step position_of_nothing(struct uw_transactor *transactor, struct uw_error *error)
{
    char text[UW_POSITION_TEXT_BYTES];
    rd_kafka_topic_partition_t *element;

    uw_position_format(0, text);
    transactor->group = rd_kafka_consumer_group_metadata_new(transactor->group_id);
    transactor->positions = rd_kafka_topic_partition_list_new(1);
    element = rd_kafka_topic_partition_list_add(transactor->positions, transactor->topics[0], 0);
    element->offset = 0;
    element->metadata = strdup(text);
    element->metadata_size = element->metadata == NULL ? 0 : strlen(text);
    if (element->metadata != NULL)
        return STEP_DONE;
    (void)uw_error_set(error, UW_ENOMEM, UW_CLASS_ABORT, "no memory for a position");
    return STEP_DISCARD;
}

/* The broker that ends a transaction tells it to the group's coordinator, and takes that for deleted where it has no
 * leader at the moment: what the transaction said of our positions then stays pending for ever. The end of a later
 * transaction of the same producer counts for it too. So the first one has a position, and is aborted. Whether the
 * coordinator takes the position does not matter, it is told of the end all the same; what it refuses for good, such as a
 * topic that is not there, is told by those who need it. */
static enum uw_code settle(struct uw_transactor *transactor, struct uw_error *error)
{
    struct uw_error refusal = {UW_OK, UW_CLASS_NONE, ""};
    rd_kafka_error_t *failure;
    enum step step;

    /* Not while a call of before waits for that coordinator: this one would only wait beside it. */
    if (transactor->settled || uw_positions_left() > 0)
        return UW_OK;
    failure = rd_kafka_begin_transaction(transactor->client);
    if (failure != NULL)
        return start_failed(transactor, failure, "beginning a transaction", error);
    transactor->deadline_ms = uw_kafka_clock_ms() + transactor->timeout_ms;
    step = position_of_nothing(transactor, &refusal);
    if (step == STEP_DONE)
        step = positions_send(transactor, &refusal);
    positions_forget(transactor);
    if (step == STEP_DISCARD) {
        producer_destroy(transactor);
        if (error != NULL)
            *error = refusal;
        return refusal.code;
    }
    failure = rd_kafka_abort_transaction(transactor->client, transactor->timeout_ms);
    if (failure != NULL)
        return start_failed(transactor, failure, "ending an empty transaction", error);
    transactor->settled = true;
    return UW_OK;
}

static enum uw_code producer_make(struct uw_transactor *transactor, struct uw_error *error)
{
    rd_kafka_conf_t *conf = NULL;
    rd_kafka_error_t *failure;
    enum uw_code code;

    atomic_store(&transactor->link.refused, 0);
    atomic_store(&transactor->link.away, 0);
    transactor->settled = false;
    code = producer_configure(transactor, &conf, error);
    if (code == UW_OK)
        code = uw_kafka_client_open(RD_KAFKA_PRODUCER, conf, &transactor->client, error);
    if (code != UW_OK)
        return code;
    transactor->statistics.producers++;
    failure = rd_kafka_init_transactions(transactor->client, transactor->timeout_ms);
    if (failure != NULL)
        return start_failed(transactor, failure, "starting transactions", error);
    for (int i = 0; i < UW_OUTPUT_COUNT; i++) {
        transactor->outputs[i] = rd_kafka_topic_new(transactor->client, transactor->output_names[i], NULL);
        if (transactor->outputs[i] == NULL) {
            code = uw_kafka_fail(rd_kafka_last_error(), "opening an output topic", NULL, error);
            producer_destroy(transactor);
            return code;
        }
    }
    return UW_OK;
}

enum uw_code uw_transactor_recover(struct uw_transactor *transactor, struct uw_error *error)
{
    enum uw_code code = UW_OK;

    thread_join(transactor);
    if (transactor->client == NULL)
        code = producer_make(transactor, error);
    return code == UW_OK ? settle(transactor, error) : code;
}

/* ---- open and close ---- */

/* A topic that is missing would be found out only when there is something to publish. */
static enum uw_code outputs_check(const struct uw_transactor_options *options, struct uw_error *error)
{
    int32_t counts[UW_OUTPUT_COUNT];

    return uw_kafka_partition_counts(options->properties, options->property_count, &options->log, options->timeout_ms,
                                     options->outputs, UW_OUTPUT_COUNT, counts, error);
}

static bool properties_copy(struct uw_transactor *transactor, const struct uw_transactor_options *options)
{
    transactor->properties = calloc((size_t)options->property_count + 1, sizeof(*transactor->properties));
    if (transactor->properties == NULL)
        return false;
    for (uint32_t i = 0; i < options->property_count; i++) {
        transactor->properties[i].name = strdup(options->properties[i].name);
        transactor->properties[i].value = strdup(options->properties[i].value);
        transactor->property_count = i + 1;
        if (transactor->properties[i].name == NULL || transactor->properties[i].value == NULL)
            return false;
    }
    return true;
}

static bool names_copy(struct uw_transactor *transactor, const struct uw_transactor_options *options)
{
    for (int i = 0; i < UW_OUTPUT_COUNT; i++) {
        transactor->output_names[i] = strdup(options->outputs[i]);
        if (transactor->output_names[i] == NULL)
            return false;
    }
    for (int i = 0; i < UW_TOPIC_COUNT; i++) {
        transactor->topics[i] = strdup(options->topics[i]);
        if (transactor->topics[i] == NULL)
            return false;
    }
    transactor->transactional_id = strdup(options->transactional_id);
    transactor->group_id = strdup(options->group_id);
    return transactor->transactional_id != NULL && transactor->group_id != NULL;
}

enum uw_code uw_transactor_open(const struct uw_transactor_options *options, struct uw_transactor **transactor,
                                struct uw_error *error)
{
    struct uw_transactor *opened = calloc(1, sizeof(*opened));
    enum uw_code code;

    if (opened == NULL)
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for publishing to Kafka");
    atomic_init(&opened->holders, 1);
    opened->link.log = options->log;
    opened->group_context = options->group_context;
    opened->group_metadata = options->group_metadata;
    opened->timeout_ms = options->timeout_ms;
    opened->transaction_timeout_ms =
        options->transaction_timeout_ms > 0 ? options->transaction_timeout_ms : TRANSACTION_TIMEOUT_MS_DEFAULT;
    if (!properties_copy(opened, options) || !names_copy(opened, options))
        code = uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for publishing to Kafka");
    else
        code = outputs_check(options, error);
    if (code == UW_OK)
        code = uw_transactor_recover(opened, error);
    if (code != UW_OK) {
        uw_transactor_close(&opened);
        return code;
    }
    *transactor = opened;
    return UW_OK;
}

void uw_transactor_close(struct uw_transactor **transactor)
{
    struct uw_transactor *closing = *transactor;

    if (closing == NULL)
        return;
    thread_join(closing);
    producer_destroy(closing);
    for (uint32_t i = 0; i < closing->property_count; i++) {
        free((char *)closing->properties[i].name);
        free((char *)closing->properties[i].value);
    }
    free(closing->properties);
    for (int i = 0; i < UW_OUTPUT_COUNT; i++)
        free(closing->output_names[i]);
    for (int i = 0; i < UW_TOPIC_COUNT; i++)
        free(closing->topics[i]);
    free(closing->transactional_id);
    free(closing->group_id);
    let_go(closing);
    *transactor = NULL;
}

void uw_transactor_statistics(const struct uw_transactor *transactor, struct uw_transactor_statistics *statistics)
{
    *statistics = transactor->statistics;
}

/* ---- transactions, one at a time ---- */

/* Ends a transaction that was not committed. Its error stays; only its class may change. The producer is given up
 * too: an abort drops what is on its way to the broker, after which librdkafka may skip sequence numbers. */
static void transaction_abort(struct uw_transactor *transactor, struct uw_error *error)
{
    rd_kafka_error_t *failure = rd_kafka_abort_transaction(transactor->client, transactor->timeout_ms);

    transactor->statistics.aborted++;
    producer_destroy(transactor);
    if (failure == NULL)
        return; /* nothing of it is visible: a RETRY stays one */
    rd_kafka_error_destroy(failure);
    if (error->class == UW_CLASS_RETRY)
        error->class = UW_CLASS_ABORT;
}

/* What the transaction came to, and its end when it was not committed. */
static enum uw_code conclude(struct uw_transactor *transactor, enum step step, struct uw_error *error)
{
    positions_forget(transactor);
    switch (step) {
    case STEP_DONE:
        transactor->statistics.transactions++;
        transactor->statistics.records += transactor->record_count;
        return UW_OK;
    case STEP_ABORT:
        transaction_abort(transactor, error);
        break;
    case STEP_DISCARD:
        transactor->statistics.aborted++;
        producer_destroy(transactor);
        break;
    }
    undelivered_explain(transactor, error);
    return error->code;
}

static enum step transaction_begin(struct uw_transactor *transactor, const struct uw_outbox_record *records,
                                   const struct uw_published *positions, uint32_t position_count,
                                   struct uw_error *error)
{
    enum step step;

    step = failure_judge(transactor, rd_kafka_begin_transaction(transactor->client), "beginning a transaction", error);
    for (uint32_t i = 0; step == STEP_DONE && i < transactor->record_count; i++) {
        step = record_produce(transactor, &records[i], transactor->deadline_ms, error);
        if (i % 256 == 0)
            rd_kafka_poll(transactor->client, 0);
    }
    if (step == STEP_DONE)
        step = positions_prepare(transactor, positions, position_count, error);
    return step;
}

static void *transaction_end(void *context)
{
    struct uw_transactor *transactor = context;
    enum step step = positions_send(transactor, &transactor->failure);

    if (step == STEP_DONE)
        step = commit(transactor, &transactor->failure);
    transactor->result = conclude(transactor, step, &transactor->failure);
    return NULL;
}

/* Signals are the main thread's business. */
static bool thread_start(struct uw_transactor *transactor)
{
    sigset_t all, before;
    int refused;

    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return false;
    refused = pthread_create(&transactor->thread, NULL, transaction_end, transactor);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return refused == 0;
}

enum uw_code uw_transactor_start(void *context, const struct uw_outbox_record *records, uint32_t record_count,
                                 const struct uw_published *positions, uint32_t position_count,
                                 struct uw_error *error)
{
    struct uw_transactor *transactor = context;
    enum uw_code code;
    enum step step;

    assert(!transactor->begun);
    transactor->failure = (struct uw_error){UW_OK, UW_CLASS_NONE, ""};
    transactor->result = UW_OK;
    if (record_count == 0 && position_count == 0) {
        transactor->begun = true;
        return UW_OK;
    }
    code = uw_transactor_recover(transactor, error);
    if (code != UW_OK)
        return code;
    transactor->undelivered = RD_KAFKA_RESP_ERR_NO_ERROR;
    transactor->record_count = record_count;
    transactor->deadline_ms = uw_kafka_clock_ms() + transactor->timeout_ms;
    step = transaction_begin(transactor, records, positions, position_count, &transactor->failure);
    if (step != STEP_DONE) {
        code = conclude(transactor, step, &transactor->failure);
        if (error != NULL)
            *error = transactor->failure;
        return code;
    }
    transactor->begun = true;
    transactor->threaded = thread_start(transactor);
    if (!transactor->threaded)
        (void)transaction_end(transactor); /* it only takes the time of the caller */
    return UW_OK;
}

enum uw_code uw_transactor_finish(void *context, struct uw_error *error)
{
    struct uw_transactor *transactor = context;

    assert(transactor->begun);
    thread_join(transactor);
    transactor->begun = false;
    if (transactor->result != UW_OK && error != NULL)
        *error = transactor->failure;
    return transactor->result;
}

enum uw_code uw_transactor_publish(struct uw_transactor *transactor, const struct uw_outbox_record *records,
                                   uint32_t record_count, const struct uw_published *positions,
                                   uint32_t position_count, struct uw_error *error)
{
    enum uw_code code = uw_transactor_start(transactor, records, record_count, positions, position_count, error);

    return code == UW_OK ? uw_transactor_finish(transactor, error) : code;
}
