#include "dashboard/webhook.h"

#include <stdlib.h>
#include <string.h>

#include "dashboard/access.h"
#include "dashboard/webhook_parts.h"

static bool start(struct uw_webhooks *webhooks)
{
    if (pthread_create(&webhooks->feeder, NULL, uw_webhook_feed, webhooks) != 0) {
        return false;
    }
    webhooks->thread_count = 1;
    if (pthread_create(&webhooks->sender, NULL, uw_webhook_send, webhooks) != 0) {
        return false;
    }
    webhooks->thread_count = 2;
    return true;
}

enum uw_code uw_webhooks_open(const struct uw_webhook_options *options, struct uw_webhooks **webhooks,
                              struct uw_error *error)
{
    struct uw_webhooks *made;
    enum uw_code code;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for webhooks");
    }
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        curl_global_cleanup();
        return uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for webhooks");
    }
    made->options = *options;
    pthread_mutex_init(&made->lock, NULL);
    made->multi = curl_multi_init();
    code = made->multi == NULL ? uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for webhooks") :
                                 uw_secret_make("serve", made->holder, error);
    if (code == UW_OK && options->enabled && !start(made)) {
        code = uw_error_set(error, UW_ENOMEM, UW_CLASS_FATAL, "no memory for a thread");
    }
    if (code != UW_OK) {
        uw_webhooks_close(&made);
        return code;
    }
    *webhooks = made;
    return UW_OK;
}

void uw_webhooks_close(struct uw_webhooks **webhooks)
{
    struct uw_webhooks *closing = *webhooks;
    if (closing == NULL) {
        return;
    }
    atomic_store(&closing->stopping, true);
    if (closing->multi != NULL) {
        (void)curl_multi_wakeup(closing->multi);
    }
    if (closing->thread_count > 0) {
        pthread_join(closing->feeder, NULL);
    }
    if (closing->thread_count > 1) {
        pthread_join(closing->sender, NULL);
    }
    if (closing->multi != NULL) {
        (void)curl_multi_cleanup(closing->multi);
    }
    pthread_mutex_destroy(&closing->lock);
    free(closing);
    *webhooks = NULL;
    curl_global_cleanup();
}

void uw_webhooks_statistics(struct uw_webhooks *webhooks, struct uw_webhook_statistics *statistics)
{
    pthread_mutex_lock(&webhooks->lock);
    *statistics = webhooks->statistics;
    pthread_mutex_unlock(&webhooks->lock);
}

const struct uw_webhook_options *uw_webhooks_options(const struct uw_webhooks *webhooks)
{
    return &webhooks->options;
}
