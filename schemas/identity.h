/*
 * Ids of alerts, anomalies and keys of sums: the same identity has the same id in every run, on every instance, for
 * ever, so that a subscriber can recognise what it has seen.
 *
 * An id is a version 5 UUID (RFC 4122, SHA-1) in the namespace 95a1fa4a-f7c8-4322-9990-b4b4351d7b47. Its name is
 * the parts of the identity in UTF-8, a NUL byte between them, none of which can hold one:
 *   alert:   "alert", kind, client, municipality, decision, segment_from, period_from, threshold
 *   anomaly: "anomaly", kind, client, municipality, decision, subject
 *   sums:    "sums", rules version, writer, municipality, provider, product_category, product, law, care, model
 * Dates are YYYY-MM-DD, numbers are decimal, and a null is an empty part.
 */
#ifndef UW_SCHEMAS_IDENTITY_H
#define UW_SCHEMAS_IDENTITY_H

#include "core/outcome.h"

/* With its NUL. */
#define UW_ID_TEXT_BYTES (UW_UUID_TEXT_BYTES + 1)

/* UW_OK and the id in lower case; UW_ENOMEM when libcrypto got no memory. */
enum uw_code uw_alert_id(const struct uw_alert_change *alert, char text[UW_ID_TEXT_BYTES]) UW_MUST_USE;
enum uw_code uw_anomaly_id(const struct uw_anomaly_change *anomaly, char text[UW_ID_TEXT_BYTES]) UW_MUST_USE;
/* Of the dimensions, for one writer and one version of the rules; grain and period are no part of it. */
enum uw_code uw_sums_id(const struct uw_aggregate_change *aggregate, int32_t rules_version, int32_t writer,
                        struct uw_uuid *id) UW_MUST_USE;

#endif
