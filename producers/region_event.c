#include "producers/region_parts.h"

#include <string.h>

/* Real codes (CBS gemeentecode), the larger ones first. */
static const char municipality_codes[UW_REGION_MUNICIPALITIES_MAX][5] = {
    "0202", "0268", "0200", "0228", "0203", "0225", "0226", "0209", "0221", "0252", "1705",
    "0275", "0277", "0293", "0296", "0299", "1734", "0274", "1945", "1955", "0289", "0279",
    "0267", "0285", "0233", "0243", "0230", "0232", "0244", "0246", "0269", "0302",
};

/* Appends an unsigned number with at least `digits` digits. */
static char *put_number(char *to, uint32_t number, int digits)
{
    char reversed[10];
    int count = 0;
    do {
        reversed[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0 || count < digits);
    while (count > 0) {
        *to++ = reversed[--count];
    }
    *to = '\0';
    return to;
}

static char *put_text(char *to, const char *text)
{
    size_t length = strlen(text);
    memcpy(to, text, length + 1);
    return to + length;
}

static void name_provider(char *to, uint16_t provider)
{
    put_number(put_text(to, "4141"), provider + 1u, 4);
}

/* The identifier of a line or no-show: a letter for what it is, the day of the appointment, and which care of
 * the client. */
static void name_id(char *to, char letter, const struct uw_region_care *care, int32_t day)
{
    struct uw_civil civil = uw_civil_from_day(day);
    *to++ = letter;
    to = put_number(to, (uint32_t)(civil.year * 10000 + civil.month * 100 + civil.day), 8);
    *to++ = '-';
    put_number(to, care->index + 1u, 1);
}

static void name_staff(struct uw_region *region, uint16_t provider, uint8_t staff, struct uw_str *name)
{
    if (region->providers[provider].staff_count == 0) {
        *name = UW_STR_NULL; /* a provider that does not tell */
        return;
    }
    char *to = put_number(put_text(region->staff, "m"), provider + 1u, 4);
    *to++ = '-';
    put_number(to, staff + 1u, 2);
    *name = uw_str_from(region->staff);
}

static uint8_t colleague_of(const struct uw_region *region, uint16_t provider, uint8_t staff)
{
    uint8_t count = region->providers[provider].staff_count;
    return (uint8_t)(count > 0 ? (staff + 1) % count : 0);
}

static int64_t instant_of(const struct uw_region *region, int32_t day, int32_t local_minute)
{
    bool summer = (region->days[day - region->days_from] & DAY_SUMMER_TIME) != 0;
    return day * UW_MS_PER_DAY + (local_minute - (summer ? 120 : 60)) * INT64_C(60000);
}

/* A random UUID (version 4) of the item; a redelivery has another one. */
static void fill_uuid(const struct uw_region *region, const struct uw_region_item *item, struct uw_uuid *uuid)
{
    int32_t question = (int32_t)((uint32_t)item->kind << 2 | (item->redelivery ? 1u : 0u));
    uint64_t halves[2];
    halves[0] = uw_region_hash(region, ASK_ID, item->care, item->day) ^
                uw_region_hash(region, ASK_TIME, item->variant, question);
    halves[1] = uw_region_hash(region, ASK_TIME, item->care, (int32_t)(halves[0] & 0xfffff)) ^
                uw_region_hash(region, ASK_ID, item->variant, question + 1000);
    for (size_t i = 0; i < 16; i++) {
        uuid->bytes[i] = (uint8_t)(halves[i / 8] >> (56 - 8 * (i % 8)));
    }
    uuid->bytes[6] = (uint8_t)((uuid->bytes[6] & 0x0f) | 0x40);
    uuid->bytes[8] = (uint8_t)((uuid->bytes[8] & 0x3f) | 0x80);
    uuid->upper = 0;
}

static void set_provider(struct uw_region *region, uint16_t provider, struct uw_event *event)
{
    name_provider(region->provider, provider);
    event->provider = uw_str_from(region->provider);
}

static void mark(struct uw_region *region, enum uw_anomaly_kind kind, enum uw_subject_kind subject,
                 const struct uw_event *event, int32_t version)
{
    region->irregular = true;
    region->irregularity.kind = kind;
    region->irregularity.subject = (struct uw_subject){.kind = subject, .version = version};
    if (subject != UW_SUBJECT_VERSION) {
        region->irregularity.subject.provider = event->provider;
        region->irregularity.subject.id = uw_str_from(region->id);
    }
}

static void fill_policy(const struct uw_region *region, uint16_t provider, struct uw_no_show_policy *policy)
{
    static const int32_t percents[4] = {100, 100, 50, 0}, limits[4] = {UW_INT_NONE, 2, 1, 4};
    uint64_t hash = uw_region_hash(region, ASK_POLICY, provider, 0);
    policy->billable_percent = percents[hash % 4];
    policy->max_per_month = limits[hash / 4 % 4];
    policy->notice_hours = hash / 16 % 3 == 0 ? 48 : 24;
    policy->counts_to_budget = hash / 64 % 10 < 7;
}

static void fill_decision(struct uw_region *region, const struct uw_region_care *care,
                          const struct uw_region_item *item, struct uw_event *event)
{
    struct uw_region_version versions[UW_REGION_VERSIONS_MAX];
    struct uw_decision *decision = &event->of.decision;
    const struct uw_region_product *product = uw_region_product(care->product);
    uw_region_versions(region, care, versions);
    const struct uw_region_version *version = &versions[item->variant];
    int32_t from = version->effective_from_day;
    uint16_t provider = uw_region_provider_on(care, from);
    event->topic = UW_TOPIC_DECISIONS;
    set_provider(region, provider, event);
    *decision = (struct uw_decision){
        .version = item->variant + 1,
        .status = version->withdrawn ? UW_DECISION_WITHDRAWN : UW_DECISION_ACTIVE,
        .law = product->law,
        .product_category = uw_str_from(product->category),
        .product = uw_str_from(product->code),
        .care = (enum uw_care)care->care,
        .valid_from_day = care->valid_from_day,
        .valid_to_day = version->valid_to_day,
        .effective_from_day = from,
        .rate_cents_per_hour = uw_region_rate(region, provider, care->product),
    };
    uw_region_terms(region, care, uw_region_form(region, provider, care->product, from), &decision->terms);
    fill_policy(region, provider, &decision->no_show);
    decision->evaluation_count = uw_region_evaluation_months(care, &decision->evaluation_list);
    if (item->kind == ITEM_CONFLICTING_VERSION) {
        int32_t first_rate = decision->rate_cents_per_hour;
        decision->rate_cents_per_hour = first_rate == UW_INT_NONE ? 5000 : first_rate + 100;
        if (!item->redelivery) {
            mark(region, UW_ANOMALY_VERSION_CONFLICT, UW_SUBJECT_VERSION, event, decision->version);
        }
    }
}

/* Changes the line of an appointment into the planted irregularity that replaces it, or leaves it alone. */
static void spoil_line(struct uw_region *region, const struct uw_region_care *care, const struct uw_region_item *item,
                       struct uw_region_visit *visit, struct uw_event *event)
{
    struct uw_declaration *line = &event->of.declaration;
    enum uw_anomaly_kind kind;
    if (!uw_region_plant(region, care, item->day, OUTCOME_VISIT, &kind)) {
        return;
    }
    switch (kind) {
    case UW_ANOMALY_UNKNOWN_DECISION:
        memcpy(region->decision + event->decision.length, "-0", 3);
        event->decision = uw_str_from(region->decision);
        break;
    case UW_ANOMALY_OUTSIDE_DECISION:
        line->performed_on_day = 2 * care->valid_from_day - 1 - item->day;
        line->started_at_ms = instant_of(region, line->performed_on_day, visit->start_minute);
        break;
    case UW_ANOMALY_WRONG_PROVIDER:
        visit->provider = (uint16_t)((visit->provider + 1) % region->options.providers);
        set_provider(region, visit->provider, event);
        name_staff(region, visit->provider, 0, &line->staff);
        break;
    case UW_ANOMALY_IMPLAUSIBLE_DURATION:
        line->minutes = 721 + visit->minutes;
        line->started_at_ms = UW_INSTANT_NONE;
        break;
    case UW_ANOMALY_LATE_DECLARATION:
    case UW_ANOMALY_FUTURE_DECLARATION:
        break;
    /* These add an event to the line and leave the line itself as it is. */
    case UW_ANOMALY_VERSION_CONFLICT:
    case UW_ANOMALY_DUPLICATE_CONFLICT:
    case UW_ANOMALY_ORPHAN_CREDIT:
    case UW_ANOMALY_CREDIT_MISMATCH:
    case UW_ANOMALY_DOUBLE_CREDIT:
    case UW_ANOMALY_DOUBLE_DECLARATION:
    case UW_ANOMALY_CLIENT_OVERLAP:
    case UW_ANOMALY_DECLARED_NO_SHOW:
        return;
    }
    mark(region, kind, UW_SUBJECT_LINE, event, 0);
}

/* What a line is declared anew with after it was taken back. */
static int32_t lessened(int32_t minutes)
{
    return minutes > 30 ? minutes - 15 : minutes - 5;
}

/* A credit takes back the line of its appointment, but for what makes it irregular. */
static void fill_credit(struct uw_region *region, const struct uw_region_care *care,
                        const struct uw_region_item *item, struct uw_event *event)
{
    struct uw_declaration *line = &event->of.declaration;
    bool orphan = item->kind == ITEM_ORPHAN_CREDIT;
    line->kind = UW_LINE_CREDIT;
    name_id(region->id, item->kind == ITEM_SECOND_CREDIT ? 'D' : 'C', care, item->day);
    name_id(region->corrects, orphan ? 'Q' : 'L', care, item->day);
    line->corrects = uw_str_from(region->corrects);
    if (orphan) {
        mark(region, UW_ANOMALY_ORPHAN_CREDIT, UW_SUBJECT_LINE, event, 0);
    } else if (item->kind == ITEM_MISMATCHED_CREDIT) {
        line->minutes += 15;
        mark(region, UW_ANOMALY_CREDIT_MISMATCH, UW_SUBJECT_LINE, event, 0);
    } else if (item->kind == ITEM_SECOND_CREDIT) {
        mark(region, UW_ANOMALY_DOUBLE_CREDIT, UW_SUBJECT_LINE, event, 0);
    }
}

static void fill_line(struct uw_region *region, const struct uw_region_care *care, const struct uw_region_item *item,
                      struct uw_event *event)
{
    struct uw_declaration *line = &event->of.declaration;
    struct uw_region_visit visit;
    uw_region_visit(region, care, item->day, &visit);
    event->topic = UW_TOPIC_DECLARATIONS;
    set_provider(region, visit.provider, event);
    *line = (struct uw_declaration){
        .kind = UW_LINE_DEBIT,
        .performed_on_day = item->day,
        .performed_until_day = UW_DAY_NONE,
        .started_at_ms = instant_of(region, item->day, visit.start_minute),
        .minutes = visit.minutes,
    };
    name_staff(region, visit.provider, visit.staff, &line->staff);
    name_id(region->id, 'L', care, item->day);
    switch ((enum uw_region_item_kind)item->kind) {
    case ITEM_LINE:
        spoil_line(region, care, item, &visit, event);
        break;
    case ITEM_NEW_LINE:
        name_id(region->id, 'R', care, item->day);
        line->minutes = lessened(line->minutes);
        break;
    case ITEM_DOUBLE_LINE:
        name_id(region->id, 'X', care, item->day);
        mark(region, UW_ANOMALY_DOUBLE_DECLARATION, UW_SUBJECT_LINE, event, 0);
        break;
    case ITEM_OVERLAPPING_LINE:
        name_id(region->id, 'X', care, item->day);
        line->started_at_ms += 10 * INT64_C(60000);
        name_staff(region, visit.provider, colleague_of(region, visit.provider, visit.staff), &line->staff);
        mark(region, UW_ANOMALY_CLIENT_OVERLAP, UW_SUBJECT_LINE, event, 0);
        break;
    case ITEM_LINE_OF_NO_SHOW:
        mark(region, UW_ANOMALY_DECLARED_NO_SHOW, UW_SUBJECT_LINE, event, 0);
        break;
    case ITEM_CONFLICTING_LINE:
        line->minutes += 15;
        mark(region, UW_ANOMALY_DUPLICATE_CONFLICT, UW_SUBJECT_LINE, event, 0);
        break;
    case ITEM_CREDIT:
    case ITEM_ORPHAN_CREDIT:
    case ITEM_MISMATCHED_CREDIT:
    case ITEM_SECOND_CREDIT:
        fill_credit(region, care, item, event);
        break;
    case ITEM_VERSION:
    case ITEM_CONFLICTING_VERSION:
    case ITEM_PERIOD_LINE:
    case ITEM_PERIOD_CREDIT:
    case ITEM_NEW_PERIOD_LINE:
    case ITEM_NO_SHOW:
    case ITEM_WITHDRAWN_NO_SHOW:
    case ITEM_EVALUATION:
        break;
    }
    line->line = uw_str_from(region->id);
}

/* The month's hours in one line, from item->day to the end of the month or of the care; or what takes it back, or the
 * line with less that is declared instead. */
static void fill_period_line(struct uw_region *region, const struct uw_region_care *care,
                             const struct uw_region_item *item, struct uw_event *event)
{
    struct uw_declaration *line = &event->of.declaration;
    int32_t last = uw_month_end(item->day);
    last = last < care->last_day ? last : care->last_day;
    event->topic = UW_TOPIC_DECLARATIONS;
    set_provider(region, care->provider, event);
    *line = (struct uw_declaration){
        .kind = UW_LINE_DEBIT,
        .performed_on_day = item->day,
        .performed_until_day = last,
        .started_at_ms = UW_INSTANT_NONE,
        .minutes = uw_region_period_minutes(region, care, item->day, last),
    };
    if (item->kind == ITEM_PERIOD_CREDIT) {
        name_id(region->id, 'C', care, item->day);
        name_id(region->corrects, 'P', care, item->day);
        line->kind = UW_LINE_CREDIT;
        line->corrects = uw_str_from(region->corrects);
    } else if (item->kind == ITEM_NEW_PERIOD_LINE) {
        name_id(region->id, 'R', care, item->day);
        line->minutes = lessened(line->minutes);
    } else {
        name_id(region->id, 'P', care, item->day);
    }
    line->line = uw_str_from(region->id);
}

static void fill_no_show(struct uw_region *region, const struct uw_region_care *care,
                         const struct uw_region_item *item, struct uw_event *event)
{
    struct uw_no_show *no_show = &event->of.no_show;
    struct uw_region_visit visit;
    uint64_t hash = uw_region_hash(region, ASK_NOTICE, care->number, item->day);
    uw_region_visit(region, care, item->day, &visit);
    event->topic = UW_TOPIC_NO_SHOWS;
    set_provider(region, visit.provider, event);
    name_id(region->id, 'N', care, item->day);
    *no_show = (struct uw_no_show){
        .no_show = uw_str_from(region->id),
        .status = item->kind == ITEM_WITHDRAWN_NO_SHOW ? UW_NO_SHOW_WITHDRAWN : UW_NO_SHOW_REPORTED,
        .appointment_on_day = item->day,
        .appointment_at_ms = instant_of(region, item->day, visit.start_minute),
        .planned_minutes = care->visit_minutes,
        .reason = visit.reason,
        .notice_minutes = UW_INT_NONE,
    };
    if (visit.reason == UW_REASON_CLIENT_CANCELLED) {
        no_show->notice_minutes = hash % 10 == 0 ? UW_INT_NONE : (int32_t)(hash / 10 % 72) * 60;
    }
    name_staff(region, visit.provider, visit.staff, &no_show->staff);
}

static void fill_evaluation(const struct uw_region *region, const struct uw_region_care *care,
                            const struct uw_region_item *item, struct uw_event *event)
{
    struct uw_region_evaluation evaluations[UW_REGION_EVALUATIONS_MAX];
    uint64_t lot = uw_region_hash(region, ASK_EVALUATION, care->number, 10 * item->variant + 4) % 100;
    uw_region_evaluations(region, care, evaluations);
    event->topic = UW_TOPIC_EVALUATIONS;
    event->provider = UW_STR_NULL;
    event->of.evaluation.held_on_day = evaluations[item->variant].held_on_day;
    event->of.evaluation.outcome = lot < 75   ? UW_EVALUATION_CONTINUE
                                   : lot < 87 ? UW_EVALUATION_ADJUST
                                   : lot < 95 ? UW_EVALUATION_DOWNSCALE
                                              : UW_EVALUATION_END;
}

static void name_subject(struct uw_region *region, const struct uw_region_care *care, struct uw_event *event)
{
    static const char *const domains[] = {"WMO-", "JW-", "PW-"};
    put_text(region->municipality, municipality_codes[care->municipality]);
    put_number(put_text(region->client, "c-"), care->client + 1, 6);
    put_number(put_text(region->decision, domains[care->law]), care->number + 100001, 6);
    event->municipality = uw_str_from(region->municipality);
    event->client = uw_str_from(region->client);
    event->decision = uw_str_from(region->decision);
}

void uw_region_event(struct uw_region *region, const struct uw_region_item *item, int32_t recorded_day,
                     struct uw_event *event)
{
    const struct uw_region_care *care = &region->cares[item->care];
    region->irregular = false;
    event->recorded_at_ms = recorded_day * UW_MS_PER_DAY + item->ms_of_day;
    fill_uuid(region, item, &event->event_id);
    name_subject(region, care, event);
    switch ((enum uw_region_item_kind)item->kind) {
    case ITEM_VERSION:
    case ITEM_CONFLICTING_VERSION:
        fill_decision(region, care, item, event);
        break;
    case ITEM_LINE:
    case ITEM_NEW_LINE:
    case ITEM_DOUBLE_LINE:
    case ITEM_OVERLAPPING_LINE:
    case ITEM_LINE_OF_NO_SHOW:
    case ITEM_CONFLICTING_LINE:
    case ITEM_CREDIT:
    case ITEM_ORPHAN_CREDIT:
    case ITEM_MISMATCHED_CREDIT:
    case ITEM_SECOND_CREDIT:
        fill_line(region, care, item, event);
        break;
    case ITEM_PERIOD_LINE:
    case ITEM_PERIOD_CREDIT:
    case ITEM_NEW_PERIOD_LINE:
        fill_period_line(region, care, item, event);
        break;
    case ITEM_NO_SHOW:
    case ITEM_WITHDRAWN_NO_SHOW:
        fill_no_show(region, care, item, event);
        break;
    case ITEM_EVALUATION:
        fill_evaluation(region, care, item, event);
        break;
    }
}
