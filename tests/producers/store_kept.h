/*
 * What is loaded from the store, kept for comparing.
 */
#ifndef UW_TESTS_PRODUCERS_STORE_KEPT_H
#define UW_TESTS_PRODUCERS_STORE_KEPT_H

#include "tests/producers/store_live.h"

#define LONG_CLIENT "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-"
/* 64 code points of four bytes each. */
#define WIDE4 "\xf0\x9f\x98\x80\xf0\x9f\x98\x81\xf0\x9f\x98\x82\xf0\x9f\x98\x83"
#define WIDE16 WIDE4 WIDE4 WIDE4 WIDE4
#define WIDE64 WIDE16 WIDE16 WIDE16 WIDE16

/* ---- a sink that keeps what is loaded ---- */

#define KEPT_MAX 600

struct kept {
    struct uw_arena arena;
    uint32_t fact_count, alert_count, anomaly_count;
    struct uw_event facts[KEPT_MAX];
    uint32_t fact_clients[KEPT_MAX];
    uint32_t client_count;
    struct {
        uint32_t index;
        int32_t next_change_day, rules_version;
    } clients[KEPT_MAX];
    struct uw_alert_change alerts[KEPT_MAX];
    struct uw_anomaly_change anomalies[KEPT_MAX];
};

static inline void keep(struct kept *kept, struct uw_str *string)
{
    if (!uw_str_is_null(*string)) {
        *string = uw_arena_copy(&kept->arena, *string);
        assert_non_null(string->data);
    }
}

static inline enum uw_code keep_fact(void *context, uint32_t client_index, const struct uw_event *event)
{
    struct kept *kept = context;
    struct uw_event *copy = &kept->facts[kept->fact_count];

    assert_true(kept->fact_count < KEPT_MAX);
    kept->fact_clients[kept->fact_count++] = client_index;
    *copy = *event;
    keep(kept, &copy->client);
    keep(kept, &copy->municipality);
    keep(kept, &copy->decision);
    keep(kept, &copy->provider);
    switch (event->topic) {
    case UW_TOPIC_DECISIONS: {
        struct uw_decision *decision = &copy->of.decision;
        size_t size = decision->evaluation_count * sizeof(int32_t);
        int32_t *list = uw_arena_take(&kept->arena, size);

        keep(kept, &decision->product_category);
        keep(kept, &decision->product);
        keep(kept, &decision->terms.result);
        assert_non_null(list);
        memcpy(list, decision->evaluation_list, size);
        decision->evaluation_list = list;
        break;
    }
    case UW_TOPIC_DECLARATIONS:
        keep(kept, &copy->of.declaration.line);
        keep(kept, &copy->of.declaration.corrects);
        keep(kept, &copy->of.declaration.staff);
        break;
    case UW_TOPIC_NO_SHOWS:
        keep(kept, &copy->of.no_show.no_show);
        keep(kept, &copy->of.no_show.staff);
        break;
    case UW_TOPIC_EVALUATIONS:
        break;
    }
    return UW_OK;
}

static inline enum uw_code keep_alert(void *context, uint32_t client_index, const struct uw_alert_change *alert)
{
    struct kept *kept = context;
    struct uw_alert_change *copy = &kept->alerts[kept->alert_count++];

    (void)client_index;
    *copy = *alert;
    keep(kept, &copy->client);
    keep(kept, &copy->municipality);
    keep(kept, &copy->decision);
    keep(kept, &copy->provider);
    return UW_OK;
}

static inline enum uw_code keep_anomaly(void *context, uint32_t client_index, const struct uw_anomaly_change *anomaly)
{
    struct kept *kept = context;
    struct uw_anomaly_change *copy = &kept->anomalies[kept->anomaly_count++];

    (void)client_index;
    *copy = *anomaly;
    keep(kept, &copy->client);
    keep(kept, &copy->municipality);
    keep(kept, &copy->decision);
    keep(kept, &copy->provider);
    keep(kept, &copy->subject.provider);
    keep(kept, &copy->subject.id);
    return UW_OK;
}

static inline enum uw_code keep_client(void *context, uint32_t client_index, int32_t next_change_day,
                                       int32_t rules_version)
{
    struct kept *kept = context;

    kept->clients[kept->client_count].index = client_index;
    kept->clients[kept->client_count].next_change_day = next_change_day;
    kept->clients[kept->client_count++].rules_version = rules_version;
    return UW_OK;
}

static inline struct kept *load(struct uw_pgstore *store, const struct uw_str *clients, uint32_t client_count)
{
    struct kept *kept = calloc(1, sizeof *kept);
    struct uw_error error = {.text = ""};
    struct uw_load_sink sink = {kept, keep_fact, keep_alert, keep_anomaly, keep_client};
    struct uw_store port;

    assert_non_null(kept);
    uw_arena_init(&kept->arena, 16 * 1024 * 1024);
    uw_pgstore_port(store, &port);
    if (port.load(port.context, clients, client_count, &sink, &error) != UW_OK) {
        fail_msg("%s", error.text);
    }
    return kept;
}

static inline void release(struct kept *kept)
{
    uw_arena_close(&kept->arena);
    free(kept);
}

static inline void same_text(struct uw_str a, struct uw_str b)
{
    assert_int_equal(uw_str_is_null(a), uw_str_is_null(b));
    assert_true(uw_str_is_null(a) || uw_str_equal(a, b));
}

struct names {
    char text[128];
};

static inline enum uw_code add_name(void *context, struct uw_str client)
{
    struct names *names = context;
    size_t length = strlen(names->text);

    snprintf(names->text + length, sizeof names->text - length, "%.*s ", (int)client.length, client.data);
    return UW_OK;
}

#endif
