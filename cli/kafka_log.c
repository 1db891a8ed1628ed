#include "cli/kafka_log.h"

#include "cli/command.h"

/* Levels of syslog. Librdkafka calls a lost connection an error, but it mends that by itself: what it cannot mend
 * comes back as the error of a call. So nothing of it is more than a warning here. */
static void write_line(void *context, int level, const char *text)
{
    enum uw_log_level ours = level <= 4 ? UW_LOG_WARNING : UW_LOG_DEBUG;

    (void)context;
    uw_log(ours, "kafka: %s", text);
}

struct uw_kafka_log uw_kafka_log_make(void)
{
    return (struct uw_kafka_log){NULL, write_line};
}
