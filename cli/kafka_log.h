/*
 * Librdkafka's own lines in the program's log.
 */
#ifndef UW_CLI_KAFKA_LOG_H
#define UW_CLI_KAFKA_LOG_H

#include "consumers/kafka_conf.h"

struct uw_kafka_log uw_kafka_log_make(void);

#endif
