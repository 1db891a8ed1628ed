/* SPEC section 2: which events are refused, and with which words. */
#include "core/event.h"

#include <stdarg.h>
#include <stdio.h>

#define CLIENT_CHARACTERS_MAX 64
#define DECISION_CHARACTERS_MAX 64
#define LINE_CHARACTERS_MAX 36
#define STAFF_CHARACTERS_MAX 64
#define PRODUCT_CHARACTERS_MAX 5
#define MINUTES_PER_DAY 1440
#define EVALUATION_MONTHS_MAX 120
#define NOTICE_HOURS_MAX 168

static enum uw_code refuse(struct uw_refusal *refusal, const char *format, ...) UW_PRINTF(2, 3);

static enum uw_code refuse(struct uw_refusal *refusal, const char *format, ...)
{
    refusal->reason = UW_REFUSED_RULE;
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(refusal->text, sizeof refusal->text, format, arguments) < 0) {
        refusal->text[0] = '\0';
    }
    va_end(arguments);
    return UW_EINPUT;
}

static enum uw_code check_text(struct uw_str text, const char *field, int64_t min, int64_t max,
                               struct uw_refusal *refusal)
{
    int64_t length = uw_utf8_length(text);
    if (length < 0) {
        return refuse(refusal, "%s: not valid UTF-8, or with a NUL in it", field);
    }
    if (length < min || length > max) {
        return refuse(refusal, "%s: %lld characters; must be %lld to %lld", field, (long long)length, (long long)min,
                      (long long)max);
    }
    return UW_OK;
}

static enum uw_code check_digits(struct uw_str text, const char *field, uint32_t count, struct uw_refusal *refusal)
{
    bool good = text.length == count;
    for (uint32_t i = 0; good && i < count; i++) {
        good = text.data[i] >= '0' && text.data[i] <= '9';
    }
    return good ? UW_OK : refuse(refusal, "%s: must be %u digits", field, (unsigned)count);
}

static enum uw_code check_range(int64_t value, const char *field, int64_t min, int64_t max, struct uw_refusal *refusal)
{
    if (value < min || value > max) {
        return refuse(refusal, "%s: %lld; must be %lld to %lld", field, (long long)value, (long long)min,
                      (long long)max);
    }
    return UW_OK;
}

static enum uw_code check_day(int32_t day, const char *field, struct uw_refusal *refusal)
{
    if (day < UW_DAY_MIN || day > UW_DAY_MAX) {
        return refuse(refusal, "%s: outside the years 1900 to 2199", field);
    }
    return UW_OK;
}

static enum uw_code check_instant(int64_t instant_ms, const char *field, struct uw_refusal *refusal)
{
    if (instant_ms < UW_INSTANT_MIN || instant_ms > UW_INSTANT_MAX) {
        return refuse(refusal, "%s: outside the years 1900 to 2199", field);
    }
    return UW_OK;
}

bool uw_is_bsn(struct uw_str text)
{
    if (text.length != 8 && text.length != 9) {
        return false;
    }
    /* The weights are 9, 8, ... 2 and -1; a number of 8 digits has a zero before it. */
    int32_t sum = 0;
    for (uint32_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        int32_t weight = (int32_t)(text.length - i);
        sum += (weight == 1 ? -1 : weight) * (text.data[i] - '0');
    }
    return sum % 11 == 0;
}

static enum uw_code check_client(struct uw_str client, struct uw_refusal *refusal)
{
    enum uw_code code = check_text(client, "client", 1, CLIENT_CHARACTERS_MAX, refusal);
    if (code != UW_OK) {
        return code;
    }
    for (uint32_t i = 0; i < client.length; i++) {
        char c = client.data[i];
        bool allowed = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                       c == '_' || c == ':' || c == '-';
        if (!allowed) {
            return refuse(refusal, "client: only letters, digits and . _ : - are allowed");
        }
    }
    if (uw_is_bsn(client)) {
        return refuse(refusal, "client: looks like a Burgerservicenummer; a pseudonym is needed");
    }
    return UW_OK;
}

static enum uw_code check_terms(const struct uw_terms *terms, struct uw_refusal *refusal)
{
    enum uw_code code = UW_OK;
    switch (terms->model) {
    case UW_MODEL_PXQ:
        return check_range(terms->volume_minutes, "terms.volume_minutes", 0, INT32_MAX, refusal);
    case UW_MODEL_BANDWIDTH:
        if (terms->frequency != UW_FREQUENCY_WEEK && terms->frequency != UW_FREQUENCY_FOUR_WEEKS &&
            terms->frequency != UW_FREQUENCY_MONTH) {
            return refuse(refusal, "terms.per: must be WEEK, FOUR_WEEKS or MONTH");
        }
        code = check_range(terms->min_minutes, "terms.min_minutes", 0, INT32_MAX, refusal);
        if (code == UW_OK) {
            code = check_range(terms->max_minutes, "terms.max_minutes", 0, INT32_MAX, refusal);
        }
        if (code == UW_OK && terms->min_minutes > terms->max_minutes) {
            code = refuse(refusal, "terms.min_minutes: larger than max_minutes");
        }
        return code;
    case UW_MODEL_YEAR_BUDGET:
        return check_range(terms->minutes_per_year, "terms.minutes_per_year", 0, INT32_MAX, refusal);
    case UW_MODEL_FIXED_PLUS_SURPLUS:
        code = check_range(terms->minutes_per_week, "terms.minutes_per_week", 0, INT32_MAX, refusal);
        if (code == UW_OK) {
            code = check_range(terms->surplus_minutes, "terms.surplus_minutes", 0, INT32_MAX, refusal);
        }
        return code;
    case UW_MODEL_RESULT:
        code = check_text(terms->result, "terms.result", 0, UW_EVENT_BYTES_MAX, refusal);
        if (code == UW_OK) {
            code = check_range(terms->price_cents, "terms.price_cents", 0, INT32_MAX, refusal);
        }
        if (code == UW_OK && terms->expected_minutes_per_week != UW_INT_NONE) {
            code = check_range(terms->expected_minutes_per_week, "terms.expected_minutes_per_week", 0, INT32_MAX,
                               refusal);
        }
        return code;
    case UW_MODEL_TASK:
        return UW_OK;
    }
    return refuse(refusal, "terms: unknown form");
}

static enum uw_code check_policy(const struct uw_no_show_policy *policy, struct uw_refusal *refusal)
{
    enum uw_code code = check_range(policy->billable_percent, "no_show.billable_percent", 0, 100, refusal);
    if (code == UW_OK && policy->max_per_month != UW_INT_NONE) {
        code = check_range(policy->max_per_month, "no_show.max_per_month", 0, INT32_MAX, refusal);
    }
    if (code == UW_OK) {
        code = check_range(policy->notice_hours, "no_show.notice_hours", 0, NOTICE_HOURS_MAX, refusal);
    }
    return code;
}

static enum uw_code check_validity(const struct uw_decision *decision, struct uw_refusal *refusal)
{
    enum uw_code code = check_day(decision->valid_from_day, "valid_from", refusal);
    if (code == UW_OK && decision->valid_to_day != UW_DAY_NONE) {
        code = check_day(decision->valid_to_day, "valid_to", refusal);
        if (code == UW_OK && decision->valid_to_day < decision->valid_from_day) {
            code = refuse(refusal, "valid_to: before valid_from");
        }
    }
    if (code == UW_OK) {
        code = check_day(decision->effective_from_day, "effective_from", refusal);
    }
    return code;
}

static enum uw_code check_decision(const struct uw_decision *decision, struct uw_refusal *refusal)
{
    enum uw_code code = check_range(decision->version, "version", 1, INT32_MAX, refusal);
    if (code == UW_OK) {
        code = check_text(decision->product_category, "product_category", 2, 2, refusal);
    }
    if (code == UW_OK) {
        code = check_text(decision->product, "product", 0, PRODUCT_CHARACTERS_MAX, refusal);
    }
    if (code == UW_OK) {
        code = check_validity(decision, refusal);
    }
    if (code == UW_OK) {
        code = check_terms(&decision->terms, refusal);
    }
    if (code == UW_OK) {
        code = check_policy(&decision->no_show, refusal);
    }
    for (uint32_t i = 0; code == UW_OK && i < decision->evaluation_count; i++) {
        code = check_range(decision->evaluation_list[i], "evaluation_months", 1, EVALUATION_MONTHS_MAX, refusal);
    }
    if (code == UW_OK && decision->rate_cents_per_hour != UW_INT_NONE) {
        code = check_range(decision->rate_cents_per_hour, "rate_cents_per_hour", 0, INT32_MAX, refusal);
    }
    return code;
}

int32_t uw_declaration_last_day(const struct uw_declaration *declaration)
{
    return declaration->performed_until_day == UW_DAY_NONE ? declaration->performed_on_day
                                                           : declaration->performed_until_day;
}

static enum uw_code check_staff(struct uw_str staff, struct uw_refusal *refusal)
{
    return uw_str_is_null(staff) ? UW_OK : check_text(staff, "staff", 1, STAFF_CHARACTERS_MAX, refusal);
}

static enum uw_code check_period(const struct uw_declaration *declaration, struct uw_refusal *refusal)
{
    enum uw_code code = check_day(declaration->performed_on_day, "performed_on", refusal);
    if (code != UW_OK) {
        return code;
    }
    int32_t last_day = uw_declaration_last_day(declaration);
    code = check_day(last_day, "performed_until", refusal);
    if (code != UW_OK) {
        return code;
    }
    if (last_day < declaration->performed_on_day) {
        return refuse(refusal, "performed_until: before performed_on");
    }
    int32_t days = last_day - declaration->performed_on_day + 1;
    if (days > UW_LINE_DAYS_MAX) {
        return refuse(refusal, "performed_until: the line covers %d days; at most %d", (int)days, UW_LINE_DAYS_MAX);
    }
    if (declaration->started_at_ms != UW_INSTANT_NONE) {
        if (days > 1) {
            return refuse(refusal, "started_at: must be null on a line of several days");
        }
        code = check_instant(declaration->started_at_ms, "started_at", refusal);
    }
    if (code == UW_OK) {
        code = check_range(declaration->minutes, "minutes", 1, (int64_t)MINUTES_PER_DAY * days, refusal);
    }
    return code;
}

static enum uw_code check_declaration(const struct uw_declaration *declaration, struct uw_refusal *refusal)
{
    enum uw_code code = check_text(declaration->line, "line", 1, LINE_CHARACTERS_MAX, refusal);
    if (code == UW_OK && declaration->kind == UW_LINE_CREDIT && uw_str_is_null(declaration->corrects)) {
        code = refuse(refusal, "corrects: a credit must name the line that it takes back");
    }
    if (code == UW_OK && !uw_str_is_null(declaration->corrects)) {
        code = check_text(declaration->corrects, "corrects", 0, UW_EVENT_BYTES_MAX, refusal);
    }
    if (code == UW_OK) {
        code = check_period(declaration, refusal);
    }
    if (code == UW_OK) {
        code = check_staff(declaration->staff, refusal);
    }
    return code;
}

static enum uw_code check_no_show(const struct uw_no_show *no_show, struct uw_refusal *refusal)
{
    enum uw_code code = check_text(no_show->no_show, "no_show", 1, LINE_CHARACTERS_MAX, refusal);
    if (code == UW_OK) {
        code = check_day(no_show->appointment_on_day, "appointment_on", refusal);
    }
    if (code == UW_OK && no_show->appointment_at_ms != UW_INSTANT_NONE) {
        code = check_instant(no_show->appointment_at_ms, "appointment_at", refusal);
    }
    if (code == UW_OK) {
        code = check_range(no_show->planned_minutes, "planned_minutes", 1, MINUTES_PER_DAY, refusal);
    }
    if (code == UW_OK && no_show->notice_minutes != UW_INT_NONE) {
        code = check_range(no_show->notice_minutes, "notice_minutes", 0, INT32_MAX, refusal);
    }
    if (code == UW_OK && !uw_str_is_null(no_show->staff)) {
        /* SPEC gives a no-show's staff no length of its own. */
        code = check_text(no_show->staff, "staff", 0, UW_EVENT_BYTES_MAX, refusal);
    }
    return code;
}

enum uw_code uw_event_validate(const struct uw_event *event, struct uw_refusal *refusal)
{
    enum uw_code code = check_instant(event->recorded_at_ms, "recorded_at", refusal);
    if (code == UW_OK) {
        code = check_digits(event->municipality, "municipality", 4, refusal);
    }
    if (code == UW_OK) {
        code = check_client(event->client, refusal);
    }
    if (code == UW_OK) {
        code = check_text(event->decision, "decision", 1, DECISION_CHARACTERS_MAX, refusal);
    }
    if (code == UW_OK && event->topic != UW_TOPIC_EVALUATIONS) {
        code = check_digits(event->provider, "provider", 8, refusal);
    }
    if (code != UW_OK) {
        return code;
    }
    switch (event->topic) {
    case UW_TOPIC_DECISIONS:
        return check_decision(&event->of.decision, refusal);
    case UW_TOPIC_DECLARATIONS:
        return check_declaration(&event->of.declaration, refusal);
    case UW_TOPIC_NO_SHOWS:
        return check_no_show(&event->of.no_show, refusal);
    case UW_TOPIC_EVALUATIONS:
        return check_day(event->of.evaluation.held_on_day, "held_on", refusal);
    }
    return refuse(refusal, "unknown kind of event");
}
