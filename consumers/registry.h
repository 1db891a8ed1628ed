/*
 * A schema registry, asked by id over HTTP: GET URL/schemas/ids/N of Confluent's REST API, which others
 * (Apicurio, Karapace, Redpanda) serve too. Only for values in the Confluent wire format (SPEC section 2).
 *
 * A handle serves one thread at a time.
 */
#ifndef UW_CONSUMERS_REGISTRY_H
#define UW_CONSUMERS_REGISTRY_H

#include "schemas/codec.h"

struct uw_registry;

/* The largest answer that is read: a schema as a JSON string can be longer than the schema. */
#define UW_REGISTRY_ANSWER_BYTES_MAX (4u * UW_SCHEMA_BYTES_MAX)

/* `url` is http:// or https://, with user:password@ (percent-encoded) for basic authentication, and a path where
 * the registry has one. `timeout_ms` is for one whole request. UW_ECONFIG for a URL that is not such a one;
 * UW_ENOMEM. Nothing is sent yet. */
enum uw_code uw_registry_open(const char *url, int32_t timeout_ms, struct uw_registry **registry,
                              struct uw_error *error) UW_MUST_USE;
void uw_registry_close(struct uw_registry **registry);

/* A uw_schema_lookup; the context is the registry. UW_EINPUT: there is no such schema (error 40403), it is not
 * Avro, or it needs others (references). UW_EIO and UW_ETIMEOUT have the class RETRY: not reached, overloaded, a
 * failure of its own. UW_ECONFIG is FATAL: credentials refused, or no registry at this URL. Neither the URL nor
 * its credentials are in the text. */
enum uw_code uw_registry_lookup(void *context, int32_t schema_id, char **schema_json_take, struct uw_error *error)
    UW_MUST_USE;

#endif
