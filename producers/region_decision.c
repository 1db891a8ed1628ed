#include "producers/region_parts.h"

/* Minutes of a usual week under this care, at least 15. */
static int32_t week_minutes(const struct uw_region_care *care)
{
    int32_t minutes = (int32_t)care->visits_per_week_milli * care->visit_minutes / 1000;
    return minutes < 15 ? 15 : minutes;
}

static int32_t draw(const struct uw_region *region, enum uw_region_ask ask, const struct uw_region_care *care,
                    int32_t which, int32_t span)
{
    return (int32_t)(uw_region_hash(region, ask, care->number, which) % (uint64_t)span);
}

static void volume_terms(const struct uw_region *region, const struct uw_region_care *care, struct uw_terms *terms)
{
    int32_t lot = draw(region, ASK_TERMS, care, 0, 100);
    int32_t percent = 90 + draw(region, ASK_TERMS, care, 1, 30);
    int32_t week = week_minutes(care);
    int32_t months = care->length_months > 0 ? care->length_months : 12;
    if (lot < 38) {
        terms->frequency = UW_FREQUENCY_WEEK;
        terms->volume_minutes = week * percent / 100;
    } else if (lot < 58) {
        terms->frequency = UW_FREQUENCY_FOUR_WEEKS;
        terms->volume_minutes = 4 * week * percent / 100;
    } else if (lot < 76) {
        terms->frequency = UW_FREQUENCY_MONTH;
        terms->volume_minutes = 13 * week * percent / 300;
    } else if (lot < 88) {
        terms->frequency = UW_FREQUENCY_YEAR;
        terms->volume_minutes = 46 * week * percent / 100;
    } else if (lot < 97) {
        terms->frequency = UW_FREQUENCY_TOTAL;
        terms->volume_minutes = week * percent / 100 * months * 13 / 3;
    } else {
        terms->frequency = UW_FREQUENCY_DAY;
        terms->volume_minutes = care->visit_minutes;
    }
}

void uw_region_terms(const struct uw_region *region, const struct uw_region_care *care, uint8_t model,
                     struct uw_terms *terms)
{
    static const enum uw_frequency frequencies[3] = {UW_FREQUENCY_WEEK, UW_FREQUENCY_FOUR_WEEKS, UW_FREQUENCY_MONTH};
    static const int32_t units[3] = {3, 12, 13}; /* thirds of a week */
    int32_t week = week_minutes(care);
    int32_t percent = 90 + draw(region, ASK_TERMS, care, 2, 30);
    int32_t lot = draw(region, ASK_TERMS, care, 3, 3);
    *terms = (struct uw_terms){.model = (enum uw_model)model, .expected_minutes_per_week = UW_INT_NONE};
    switch (terms->model) {
    case UW_MODEL_PXQ:
        volume_terms(region, care, terms);
        break;
    case UW_MODEL_BANDWIDTH:
        terms->frequency = frequencies[lot];
        terms->min_minutes = week * units[lot] / 3 * 60 / 100;
        terms->max_minutes = week * units[lot] / 3 * 115 / 100;
        break;
    case UW_MODEL_YEAR_BUDGET:
        terms->minutes_per_year = 46 * week * percent / 100;
        break;
    case UW_MODEL_FIXED_PLUS_SURPLUS:
        terms->minutes_per_week = week;
        terms->surplus_minutes = week * (2 + draw(region, ASK_TERMS, care, 4, 6)) / 4;
        break;
    case UW_MODEL_RESULT:
        terms->result = uw_str_from(uw_region_product(care->product)->result);
        terms->price_cents = 40000 + 2500 * draw(region, ASK_TERMS, care, 5, 32);
        terms->expected_minutes_per_week = draw(region, ASK_TERMS, care, 6, 10) < 7 ? week : UW_INT_NONE;
        break;
    case UW_MODEL_TASK:
        break;
    }
}

static void insert_version(struct uw_region_version *versions, uint8_t *count, int32_t effective_from_day)
{
    uint8_t place = *count;
    while (place > 1 && versions[place - 1].effective_from_day > effective_from_day) {
        versions[place] = versions[place - 1];
        place--;
    }
    versions[place] = (struct uw_region_version){.effective_from_day = effective_from_day};
    (*count)++;
}

/* The end of validity as it is known once the version from this day on is there. */
static int32_t end_known(const struct uw_region_care *care, int32_t effective_from_day)
{
    if (care->length_months == 0) {
        return UW_DAY_NONE;
    }
    int32_t end = UW_DAY_NONE;
    for (int32_t i = 0; i <= care->extensions && (end == UW_DAY_NONE || effective_from_day > end); i++) {
        end = uw_add_months(care->valid_from_day, care->length_months * (i + 1)) - 1;
    }
    return end;
}

/* Versions are numbered in the order in which they take effect, which is also that of their recording, so that
 * the highest number in force is always the one that was meant. */
uint8_t uw_region_versions(const struct uw_region *region, const struct uw_region_care *care,
                           struct uw_region_version versions[UW_REGION_VERSIONS_MAX])
{
    int32_t lead = 5 + draw(region, ASK_RECORD, care, 1, 24);
    int32_t first_recorded = care->late_decision ? care->valid_from_day + 1 + draw(region, ASK_RECORD, care, 2, 10)
                                                 : care->valid_from_day - lead;
    if (first_recorded > region->options.until_day) {
        first_recorded = region->options.until_day; /* lines may be there: the decision must not stay away */
    }
    uint8_t count = 1;
    versions[0] = (struct uw_region_version){.effective_from_day = care->valid_from_day};
    for (int32_t i = 1; i <= care->extensions && !care->withdrawn; i++) {
        int32_t day = uw_add_months(care->valid_from_day, care->length_months * i);
        if (day <= care->last_day) {
            insert_version(versions, &count, day);
        }
    }
    if (care->switched) {
        insert_version(versions, &count, region->options.switch_day);
    }
    if (care->change_day != UW_DAY_NONE) {
        insert_version(versions, &count, care->change_day);
    }
    for (uint8_t i = 0; i < count; i++) {
        int32_t recorded = versions[i].effective_from_day - lead;
        versions[i].valid_to_day = end_known(care, versions[i].effective_from_day);
        versions[i].recorded_day = i == 0 ? first_recorded : recorded > first_recorded ? recorded : first_recorded + 1;
    }
    if (care->early_end || care->withdrawn) {
        int32_t last = versions[count - 1].recorded_day;
        int32_t end = care->withdrawn ? first_recorded + 3 : care->last_day;
        int32_t recorded = end + draw(region, ASK_RECORD, care, 3, 5);
        versions[count++] = (struct uw_region_version){
            .recorded_day = recorded > last ? recorded : last + 1,
            .effective_from_day = care->withdrawn ? care->valid_from_day : care->last_day,
            .valid_to_day = care->withdrawn ? versions[0].valid_to_day : care->last_day,
            .withdrawn = care->withdrawn,
        };
    }
    return count;
}

uint8_t uw_region_evaluation_months(const struct uw_region_care *care, const int32_t **months)
{
    static const int32_t intensive[] = {1, 2, 3}, usual[] = {3}, twice[] = {3, 9}, later[] = {6};
    if (care->care == UW_CARE_INTENSIVE) {
        *months = intensive;
        return 3;
    }
    if (care->number % 10 == 3) {
        *months = twice;
        return 2;
    }
    *months = care->number % 10 == 7 ? later : usual;
    return 1;
}

uint8_t uw_region_evaluations(const struct uw_region *region, const struct uw_region_care *care,
                              struct uw_region_evaluation evaluations[UW_REGION_EVALUATIONS_MAX])
{
    const int32_t *months;
    uint8_t count = uw_region_evaluation_months(care, &months);
    for (uint8_t i = 0; i < count; i++) {
        int32_t due = uw_add_months(care->valid_from_day, months[i]);
        int32_t lot = draw(region, ASK_EVALUATION, care, 10 * i, 100);
        int32_t held = due - 10 + draw(region, ASK_EVALUATION, care, 10 * i + 1, 28);
        if (lot >= 80) {
            held = due + 29 + draw(region, ASK_EVALUATION, care, 10 * i + 2, 30);
        }
        if (lot >= 90 || care->withdrawn || due > care->last_day) {
            evaluations[i] = (struct uw_region_evaluation){UW_DAY_NONE, UW_DAY_NONE};
            continue;
        }
        held += held - uw_week_start(held) > 4 ? 2 : 0; /* not in a weekend */
        evaluations[i].held_on_day = held;
        evaluations[i].recorded_day = held + draw(region, ASK_EVALUATION, care, 10 * i + 3, 4);
    }
    return count;
}
