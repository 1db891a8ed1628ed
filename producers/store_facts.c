/*
 * Rows of facts. The order of the fields is that of the columns in store_statements.c.
 */
#include "producers/store_internal.h"

static void add_head(struct uw_columns *columns, uint32_t *place, const struct uw_fact_change *change,
                     int64_t accepted_at_ms)
{
    const struct uw_event *event = change->event;

    uw_columns_int4(columns, place, change->partition);
    uw_columns_int8(columns, place, change->offset);
    uw_columns_instant(columns, place, accepted_at_ms);
    uw_columns_bool(columns, place, change->redelivery);
    uw_columns_uuid(columns, place, event->event_id.bytes);
    if (event->event_id.upper == 0) {
        uw_columns_null(columns, place);
    } else {
        uw_columns_int4(columns, place, (int32_t)event->event_id.upper);
    }
    uw_columns_instant(columns, place, event->recorded_at_ms);
    uw_columns_string(columns, place, event->client);
    uw_columns_string(columns, place, event->municipality);
    uw_columns_string(columns, place, event->decision);
}

static void add_if(struct uw_columns *columns, uint32_t *place, bool present, int32_t value)
{
    if (present) {
        uw_columns_int4_or_null(columns, place, value);
    } else {
        uw_columns_null(columns, place);
    }
}

/* Fields of other funding forms are null, whatever the struct holds in their place. */
static void add_terms(struct uw_columns *columns, uint32_t *place, const struct uw_terms *terms)
{
    bool pxq = terms->model == UW_MODEL_PXQ, bandwidth = terms->model == UW_MODEL_BANDWIDTH;
    bool fixed = terms->model == UW_MODEL_FIXED_PLUS_SURPLUS, result = terms->model == UW_MODEL_RESULT;

    uw_columns_int2(columns, place, (int32_t)terms->model);
    if (pxq || bandwidth) {
        uw_columns_int2(columns, place, (int32_t)terms->frequency);
    } else {
        uw_columns_null(columns, place);
    }
    add_if(columns, place, pxq, terms->volume_minutes);
    add_if(columns, place, bandwidth, terms->min_minutes);
    add_if(columns, place, bandwidth, terms->max_minutes);
    add_if(columns, place, terms->model == UW_MODEL_YEAR_BUDGET, terms->minutes_per_year);
    add_if(columns, place, fixed, terms->minutes_per_week);
    add_if(columns, place, fixed, terms->surplus_minutes);
    add_if(columns, place, result, terms->price_cents);
    add_if(columns, place, result, terms->expected_minutes_per_week);
    uw_columns_string(columns, place, result ? terms->result : UW_STR_NULL);
}

static void add_decision(struct uw_columns *columns, uint32_t *place, const struct uw_event *event)
{
    const struct uw_decision *decision = &event->of.decision;

    uw_columns_string(columns, place, event->provider);
    uw_columns_int4(columns, place, decision->version);
    uw_columns_int2(columns, place, (int32_t)decision->status);
    uw_columns_int2(columns, place, (int32_t)decision->law);
    uw_columns_string(columns, place, decision->product_category);
    uw_columns_string(columns, place, decision->product);
    uw_columns_int2(columns, place, (int32_t)decision->care);
    uw_columns_day(columns, place, decision->valid_from_day);
    uw_columns_day(columns, place, decision->valid_to_day);
    uw_columns_day(columns, place, decision->effective_from_day);
    add_terms(columns, place, &decision->terms);
    uw_columns_int2(columns, place, decision->no_show.billable_percent);
    uw_columns_int4_or_null(columns, place, decision->no_show.max_per_month);
    uw_columns_int2(columns, place, decision->no_show.notice_hours);
    uw_columns_bool(columns, place, decision->no_show.counts_to_budget);
    uw_columns_int4_list(columns, place, decision->evaluation_list, decision->evaluation_count);
    uw_columns_int4_or_null(columns, place, decision->rate_cents_per_hour);
}

static void add_declaration(struct uw_columns *columns, uint32_t *place, const struct uw_event *event)
{
    const struct uw_declaration *declaration = &event->of.declaration;

    uw_columns_string(columns, place, event->provider);
    uw_columns_string(columns, place, declaration->line);
    uw_columns_int2(columns, place, (int32_t)declaration->kind);
    uw_columns_string(columns, place, declaration->corrects);
    uw_columns_day(columns, place, declaration->performed_on_day);
    uw_columns_day(columns, place, declaration->performed_until_day);
    uw_columns_instant(columns, place, declaration->started_at_ms);
    uw_columns_int4(columns, place, declaration->minutes);
    uw_columns_string(columns, place, declaration->staff);
}

static void add_no_show(struct uw_columns *columns, uint32_t *place, const struct uw_event *event)
{
    const struct uw_no_show *no_show = &event->of.no_show;

    uw_columns_string(columns, place, event->provider);
    uw_columns_string(columns, place, no_show->no_show);
    uw_columns_int2(columns, place, (int32_t)no_show->status);
    uw_columns_day(columns, place, no_show->appointment_on_day);
    uw_columns_instant(columns, place, no_show->appointment_at_ms);
    uw_columns_int4(columns, place, no_show->planned_minutes);
    uw_columns_int2(columns, place, (int32_t)no_show->reason);
    uw_columns_int4_or_null(columns, place, no_show->notice_minutes);
    uw_columns_string(columns, place, no_show->staff);
}

void uw_pgstore_add_fact(struct uw_columns *tables, const struct uw_fact_change *change, int64_t accepted_at_ms)
{
    const struct uw_event *event = change->event;
    struct uw_columns *columns;
    uint32_t place = 0;

    switch (event->topic) {
    case UW_TOPIC_DECISIONS:
        columns = &tables[UW_TABLE_DECISIONS];
        add_head(columns, &place, change, accepted_at_ms);
        add_decision(columns, &place, event);
        break;
    case UW_TOPIC_DECLARATIONS:
        columns = &tables[UW_TABLE_DECLARATIONS];
        add_head(columns, &place, change, accepted_at_ms);
        add_declaration(columns, &place, event);
        break;
    case UW_TOPIC_NO_SHOWS:
        columns = &tables[UW_TABLE_NO_SHOWS];
        add_head(columns, &place, change, accepted_at_ms);
        add_no_show(columns, &place, event);
        break;
    case UW_TOPIC_EVALUATIONS:
        columns = &tables[UW_TABLE_EVALUATIONS];
        add_head(columns, &place, change, accepted_at_ms);
        uw_columns_day(columns, &place, event->of.evaluation.held_on_day);
        uw_columns_int2(columns, &place, (int32_t)event->of.evaluation.outcome);
        break;
    }
}
