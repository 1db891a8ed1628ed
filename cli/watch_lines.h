/*
 * Alerts and anomalies as lines for people, in Dutch or English, aligned, with or without colours.
 */
#ifndef UW_CLI_WATCH_LINES_H
#define UW_CLI_WATCH_LINES_H

#include "schemas/output.h"

enum uw_language { UW_LANGUAGE_NL, UW_LANGUAGE_EN };

#define UW_WATCH_LINE_BYTES 1024
/* Memory of one record while it is shown. The largest that the codec reads, UW_EVENT_BYTES_MAX of characters that JSON
 * writes as six, takes less. */
#define UW_WATCH_RECORD_BYTES_MAX (16u * 1024u * 1024u)
/* Municipalities that may be asked for; the Netherlands have fewer. */
#define UW_WATCH_MUNICIPALITIES_MAX 512

/* One line without its newline, NUL-terminated and cut at UW_WATCH_LINE_BYTES. The client is left out: the decision
 * says enough, and a terminal is easily read by others. Times are those of the process's time zone. */
void uw_watch_alert_line(const struct uw_alert_record *record, enum uw_language language, bool colours,
                         char line[UW_WATCH_LINE_BYTES]);
void uw_watch_anomaly_line(const struct uw_anomaly_record *record, enum uw_language language, bool colours,
                           char line[UW_WATCH_LINE_BYTES]);

#endif
