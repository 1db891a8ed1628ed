#include "producers/region_parts.h"

/* Codes as iWmo and iJw write them: two characters of category, up to five of product. Sorted by law. */
static const struct uw_region_product products[UW_REGION_PRODUCT_COUNT] = {
    {UW_LAW_WMO, "01", "01A01", "een schoon en leefbaar huis", UW_MODEL_RESULT, UW_MODEL_PXQ, 1000, 1000, 120, 180},
    {UW_LAW_WMO, "02", "02A03", "zelf de week kunnen indelen", UW_MODEL_PXQ, UW_MODEL_FIXED_PLUS_SURPLUS, 1000, 2000,
     60, 90},
    {UW_LAW_WMO, "02", "02A05", "financien op orde", UW_MODEL_YEAR_BUDGET, UW_MODEL_BANDWIDTH, 500, 1000, 60, 120},
    {UW_LAW_WMO, "07", "07A03", "een zinvolle dag", UW_MODEL_PXQ, UW_MODEL_TASK, 2000, 3000, 240, 240},
    {UW_LAW_WMO, "15", "15A03", "zelfstandig wonen met steun", UW_MODEL_FIXED_PLUS_SURPLUS, UW_MODEL_PXQ, 2000, 3000,
     60, 90},
    {UW_LAW_JEUGDWET, "45", "45A04", "rust in het gezin", UW_MODEL_PXQ, UW_MODEL_YEAR_BUDGET, 1000, 2000, 60, 90},
    {UW_LAW_JEUGDWET, "45", "45A55", "weer naar school", UW_MODEL_BANDWIDTH, UW_MODEL_FIXED_PLUS_SURPLUS, 1000, 3000,
     45, 90},
    {UW_LAW_JEUGDWET, "54", "54002", "minder klachten", UW_MODEL_PXQ, UW_MODEL_RESULT, 500, 1000, 45, 60},
    {UW_LAW_PARTICIPATIEWET, "PW", "PW010", "werk vinden en houden", UW_MODEL_TASK, UW_MODEL_RESULT, 500, 1000, 60,
     90},
};

#define LATE_DAYS_MIN 8
#define LATE_DAYS_SPAN 53
#define PLANT_ROOM_DAYS 40 /* an orphan and an unknown decision show after 14 days; all else is recorded by then */
#define LATE_PLANT_DAYS_MIN 93
#define LATE_PLANT_DAYS_SPAN 28
#define FUTURE_DAYS 7
#define SICKNESS_BLOCK_DAYS 28

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t uw_region_hash(const struct uw_region *region, enum uw_region_ask ask, uint32_t whom, int32_t when)
{
    uint64_t question = ((uint64_t)ask << 56) ^ ((uint64_t)whom << 20) ^ (uint64_t)(uint32_t)when;
    return mix(mix(question * UINT64_C(0x9e3779b97f4a7c15)) + mix(region->options.seed + 1));
}

/* A number of [0, span). */
static int32_t draw(const struct uw_region *region, enum uw_region_ask ask, uint32_t whom, int32_t when, int32_t span)
{
    return (int32_t)(uw_region_hash(region, ask, whom, when) % (uint64_t)span);
}

const struct uw_region_product *uw_region_product(uint8_t index)
{
    return &products[index];
}

int32_t uw_region_easter(int32_t year)
{
    int32_t a = year % 19, b = year / 100, c = year % 100;
    int32_t h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    int32_t l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    int32_t m = (a + 11 * h + 22 * l) / 451;
    int32_t of_march = h + l - 7 * m + 114;
    return uw_day_from_civil(year, of_march / 31, of_march % 31 + 1);
}

/* Monday is 0. */
static int32_t weekday(int32_t day)
{
    return day - uw_week_start(day);
}

static bool is_holiday(int32_t day)
{
    struct uw_civil civil = uw_civil_from_day(day);
    int32_t after_easter = day - uw_region_easter(civil.year);
    int32_t in_year = civil.month * 100 + civil.day;
    int32_t kings_day = uw_day_from_civil(civil.year, 4, 27);
    kings_day -= weekday(kings_day) == 6;
    return in_year == 101 || in_year == 1225 || in_year == 1226 || day == kings_day ||
           (in_year == 505 && civil.year % 5 == 0) || after_easter == 1 || after_easter == 39 || after_easter == 50;
}

/* The EU's rule: from the last Sunday of March until the last of October. */
static bool is_summer_time(int32_t day)
{
    struct uw_civil civil = uw_civil_from_day(day);
    int32_t march = uw_day_from_civil(civil.year, 3, 31), october = uw_day_from_civil(civil.year, 10, 31);
    march -= (weekday(march) + 1) % 7;
    october -= (weekday(october) + 1) % 7;
    return day >= march && day < october;
}

void uw_region_fill_days(int32_t from_day, int32_t to_day, uint8_t *days)
{
    for (int32_t day = from_day; day <= to_day; day++) {
        days[day - from_day] =
            (uint8_t)((is_holiday(day) ? DAY_HOLIDAY : 0u) | (is_summer_time(day) ? DAY_SUMMER_TIME : 0u));
    }
}

bool uw_region_has_second_care(const struct uw_region *region, uint32_t client)
{
    return draw(region, ASK_CLIENT, client, 1, 100) < 15;
}

/* A permutation of the working days, three bits each: which day is used first, second, ... */
static uint16_t draw_weekdays(const struct uw_region *region, uint32_t number)
{
    uint32_t left = (uint32_t)draw(region, ASK_RHYTHM, number, 2, 120);
    uint8_t days[5] = {0, 1, 2, 3, 4};
    uint16_t ranks = 0;
    for (uint32_t rank = 0; rank < 5; rank++) {
        uint32_t pick = left % (5 - rank);
        left /= 5 - rank;
        ranks = (uint16_t)(ranks | rank << (3 * days[pick]));
        for (uint32_t i = pick; i + 1 < 5 - rank; i++) {
            days[i] = days[i + 1];
        }
    }
    return ranks;
}

static void draw_rhythm(const struct uw_region *region, struct uw_region_care *care)
{
    const struct uw_region_product *product = &products[care->product];
    uint32_t number = care->number;
    int32_t steps = (product->visits_milli_max - product->visits_milli_min) / 500 + 1;
    int32_t visits = product->visits_milli_min + 500 * draw(region, ASK_RHYTHM, number, 0, steps);
    int32_t lengths = (product->minutes_max - product->minutes_min) / 15 + 1;
    visits += care->care == UW_CARE_INTENSIVE ? 1000 : 0;
    int64_t scaled = (int64_t)visits * region->scale_milli / 1000;
    care->visits_per_week_milli = (uint16_t)(scaled < 1 ? 1 : scaled > 5000 ? 5000 : scaled);
    care->visit_minutes = (uint16_t)(product->minutes_min + 15 * draw(region, ASK_RHYTHM, number, 1, lengths));
    care->weekday_ranks = draw_weekdays(region, number);
    /* The first care of a client lies before 14:00 and the second after: they can never overlap. */
    int32_t quarters = care->visit_minutes > 180 ? 3 : 9;
    int32_t base = care->index == 0 ? 8 * 60 + 30 : 14 * 60;
    care->start_minute = (uint16_t)(base + 15 * draw(region, ASK_RHYTHM, number, 3, quarters));
}

static void draw_validity(const struct uw_region *region, struct uw_region_care *care)
{
    const struct uw_region_options *options = &region->options;
    uint32_t number = care->number;
    int32_t length_draw = draw(region, ASK_LENGTH, number, 0, 100);
    int32_t span = options->until_day - options->from_day - 30;
    care->valid_from_day = options->from_day;
    if (draw(region, ASK_START, number, 0, 100) >= 50 && span > 0) {
        int32_t day = options->from_day + draw(region, ASK_START, number, 1, span);
        int32_t monday = uw_week_start(day);
        care->valid_from_day = monday > options->from_day ? monday : day;
    }
    if (care->care == UW_CARE_INTENSIVE) {
        care->length_months = 3;
    } else {
        care->length_months = length_draw < 20 ? 6 : length_draw < 70 ? 12 : length_draw < 85 ? 24 : 0;
    }
    care->last_day = options->until_day + 400;
    if (care->length_months > 0) {
        int32_t share = care->care == UW_CARE_INTENSIVE ? 30 : 60;
        while (care->extensions < UW_REGION_EXTENSIONS_MAX &&
               draw(region, ASK_EXTENSION, number, care->extensions, 100) < share) {
            care->extensions++;
        }
        care->last_day = uw_add_months(care->valid_from_day, care->length_months * (care->extensions + 1)) - 1;
    }
    int32_t early = care->valid_from_day + 30 + draw(region, ASK_EARLY_END, number, 1, 170);
    if (draw(region, ASK_EARLY_END, number, 0, 100) < 4 && early < care->last_day) {
        care->early_end = true;
        care->last_day = early;
    }
    care->withdrawn = !care->early_end && draw(region, ASK_EARLY_END, number, 2, 1000) < 15;
    if (care->withdrawn) {
        care->last_day = care->valid_from_day - 1; /* no care was given */
    }
    care->late_decision = draw(region, ASK_RECORD, number, 0, 100) < 3;
}

/* Another provider from some day on, for a few; only between those who declare appointments one by one. */
static void draw_change(const struct uw_region *region, struct uw_region_care *care)
{
    uint32_t number = care->number;
    care->change_day = UW_DAY_NONE;
    care->next_provider = care->provider;
    if (draw(region, ASK_CHANGE, number, 0, 100) >= 3 ||
        region->providers[care->provider].delivery == DELIVERY_PERIOD) {
        return;
    }
    int32_t day = care->valid_from_day + 40 + draw(region, ASK_CHANGE, number, 1, 150);
    uint16_t next = uw_region_other_contractor(region, care, uw_region_hash(region, ASK_CHANGE, number, 2));
    if (day <= care->last_day && next != care->provider) {
        care->change_day = day;
        care->next_provider = next;
    }
}

uint16_t uw_region_provider_on(const struct uw_region_care *care, int32_t day)
{
    return care->change_day != UW_DAY_NONE && day >= care->change_day ? care->next_provider : care->provider;
}

void uw_region_fill_care(const struct uw_region *region, uint32_t number, uint32_t client, uint8_t index,
                         struct uw_region_care *care)
{
    *care = (struct uw_region_care){.client = client, .number = number, .index = index};
    care->municipality = uw_region_municipality(region, ASK_CLIENT, client);
    care->product = (uint8_t)draw(region, ASK_PRODUCT, number, 0, UW_REGION_PRODUCT_COUNT);
    care->provider = uw_region_contractor(region, care, uw_region_hash(region, ASK_PROVIDER, number, 0));
    care->law = (uint8_t)products[care->product].law;
    care->care = (uint8_t)(draw(region, ASK_PRODUCT, number, 1, 100) < 12 ? UW_CARE_INTENSIVE : UW_CARE_CONTINUOUS);
    care->staff = (uint8_t)draw(region, ASK_STAFF, number, 1, 256);
    draw_rhythm(region, care);
    draw_validity(region, care);
    draw_change(region, care);
    int32_t switch_day = region->options.switch_day;
    care->switched = switch_day != UW_DAY_NONE && switch_day > care->valid_from_day && switch_day <= care->last_day &&
                     uw_region_is_switched(region, uw_region_provider_on(care, switch_day), care->product);
}

/* Whether the rhythm has an appointment on this working day. */
static bool in_rhythm(const struct uw_region *region, const struct uw_region_care *care, int32_t day)
{
    int32_t of_week = weekday(day);
    if (of_week > 4) {
        return false;
    }
    int32_t rank = care->weekday_ranks >> (3 * of_week) & 7;
    int32_t whole = care->visits_per_week_milli / 1000, part = care->visits_per_week_milli % 1000;
    if (rank != whole) {
        return rank < whole;
    }
    return part > 0 && draw(region, ASK_WEEK, care->number, day - of_week, 1000) < part;
}

/* Two or three weeks in July and August for most, and the days between Christmas and New Year for some. */
static bool on_holiday(const struct uw_region *region, const struct uw_region_care *care, int32_t day)
{
    struct uw_civil civil = uw_civil_from_day(day);
    if (civil.month == 7 || civil.month == 8) {
        int32_t start = uw_day_from_civil(civil.year, 7, 4) + draw(region, ASK_HOLIDAY, care->number, civil.year, 40);
        int32_t weeks = draw(region, ASK_HOLIDAY, care->number, -civil.year, 4);
        return weeks > 0 && day >= start && day < start + (weeks == 3 ? 21 : 14);
    }
    return civil.month == 12 && civil.day >= 24 && draw(region, ASK_HOLIDAY, care->number, civil.year + 3000, 100) < 40;
}

/* The day of a sickness on which `day` is, from 0; -1: well. At most one sickness in four weeks. */
static int32_t sick_day(const struct uw_region *region, uint32_t whom, int32_t permille, int32_t day)
{
    int32_t shifted = day - UW_DAY_MIN;
    int32_t block = shifted / SICKNESS_BLOCK_DAYS;
    uint64_t hash = uw_region_hash(region, ASK_SICKNESS, whom, block);
    if ((int32_t)(hash % 1000) >= permille) {
        return -1;
    }
    int32_t start = block * SICKNESS_BLOCK_DAYS + (int32_t)(hash / 1000 % 18);
    int32_t length = 2 + (int32_t)(hash / 100000 % 8);
    return shifted >= start && shifted < start + length ? shifted - start : -1;
}

static bool client_stays_away(const struct uw_region *region, const struct uw_region_care *care, int32_t day,
                              struct uw_region_visit *visit)
{
    int32_t sick = sick_day(region, care->client, 60, day);
    uint64_t hash = uw_region_hash(region, ASK_OUTCOME, care->number, day);
    bool absent = (int32_t)(hash % 1000) < region->providers[visit->provider].no_show_permille;
    if (sick > 1 && !absent) {
        visit->outcome = OUTCOME_NONE; /* put off in time */
        return true;
    }
    if (sick < 0 && !absent) {
        return false;
    }
    visit->outcome = OUTCOME_NO_SHOW;
    visit->reason = sick >= 0 || hash / 1000 % 10 < 4 ? UW_REASON_CLIENT_CANCELLED : UW_REASON_CLIENT_ABSENT;
    return true;
}

void uw_region_visit(const struct uw_region *region, const struct uw_region_care *care, int32_t day,
                     struct uw_region_visit *visit)
{
    static const int8_t differences[10] = {-15, -10, -5, 0, 0, 0, 0, 5, 10, 15};
    visit->outcome = OUTCOME_NONE;
    if (day < care->valid_from_day || day > care->last_day || !in_rhythm(region, care, day) ||
        (region->days[day - region->days_from] & DAY_HOLIDAY) != 0 || on_holiday(region, care, day)) {
        return;
    }
    visit->provider = uw_region_provider_on(care, day);
    visit->minutes = care->visit_minutes;
    visit->start_minute = care->start_minute;
    const struct uw_region_provider *provider = &region->providers[visit->provider];
    visit->staff = (uint8_t)(provider->staff_count > 0 ? care->staff % provider->staff_count : 0);
    if (client_stays_away(region, care, day, visit)) {
        return;
    }
    uint32_t person = UW_REGION_CLIENTS_MAX + (uint32_t)visit->provider * 256u + visit->staff;
    if (provider->staff_count > 0 && sick_day(region, person, 40, day) >= 0) {
        if (draw(region, ASK_COLLEAGUE, care->number, day, 100) < 25) {
            visit->outcome = OUTCOME_NO_SHOW;
            visit->reason = UW_REASON_PROVIDER_CANCELLED;
            return;
        }
        visit->staff = (uint8_t)((visit->staff + 1) % provider->staff_count);
    }
    visit->outcome = OUTCOME_VISIT;
    if (care->visit_minutes < 240) {
        int32_t lot = draw(region, ASK_MINUTES, care->number, day, 10);
        visit->minutes = (uint16_t)(care->visit_minutes + differences[lot]);
    }
}

/* The kinds that an appointment which took place can be given, where its day leaves room for them. */
static bool plant_of_visit(const struct uw_region *region, const struct uw_region_care *care, int32_t day,
                           enum uw_anomaly_kind *kind)
{
    static const enum uw_anomaly_kind kinds[12] = {
        UW_ANOMALY_DUPLICATE_CONFLICT, UW_ANOMALY_ORPHAN_CREDIT,     UW_ANOMALY_CREDIT_MISMATCH,
        UW_ANOMALY_DOUBLE_CREDIT,      UW_ANOMALY_UNKNOWN_DECISION,  UW_ANOMALY_WRONG_PROVIDER,
        UW_ANOMALY_LATE_DECLARATION,   UW_ANOMALY_FUTURE_DECLARATION, UW_ANOMALY_IMPLAUSIBLE_DURATION,
        UW_ANOMALY_DOUBLE_DECLARATION, UW_ANOMALY_CLIENT_OVERLAP,    UW_ANOMALY_OUTSIDE_DECISION,
    };
    uint64_t hash = uw_region_hash(region, ASK_PLANT_KIND, care->number, day);
    enum uw_anomaly_kind chosen = kinds[hash % 12];
    int32_t since = day - care->valid_from_day;
    int32_t left = region->options.until_day - day;
    if (since <= 20 && hash / 12 % 2 == 0) {
        chosen = UW_ANOMALY_OUTSIDE_DECISION; /* only possible here, so it gets half of these */
    }
    if (left < PLANT_ROOM_DAYS ||
        (chosen == UW_ANOMALY_LATE_DECLARATION && left < LATE_PLANT_DAYS_MIN + LATE_PLANT_DAYS_SPAN) ||
        (chosen == UW_ANOMALY_FUTURE_DECLARATION && since < FUTURE_DAYS) ||
        (chosen == UW_ANOMALY_OUTSIDE_DECISION && since > 20) ||
        (chosen == UW_ANOMALY_WRONG_PROVIDER && region->options.providers < 2)) {
        return false;
    }
    *kind = chosen;
    return true;
}

bool uw_region_plant(const struct uw_region *region, const struct uw_region_care *care, int32_t day,
                     enum uw_region_outcome outcome, enum uw_anomaly_kind *kind)
{
    int32_t lot = draw(region, ASK_PLANT, care->number, day, 10000);
    int32_t rate = region->options.irregular_per_10000;
    if (outcome == OUTCOME_NO_SHOW) {
        /* There are twenty appointments for one no-show; without more, this kind would hardly be seen. */
        if (lot >= rate * 4 || region->options.until_day - day < PLANT_ROOM_DAYS) {
            return false;
        }
        *kind = UW_ANOMALY_DECLARED_NO_SHOW;
        return true;
    }
    return outcome == OUTCOME_VISIT && lot < rate && plant_of_visit(region, care, day, kind);
}

int32_t uw_region_delay(const struct uw_region *region, const struct uw_region_care *care, int32_t day)
{
    enum uw_anomaly_kind kind;
    uint64_t hash = uw_region_hash(region, ASK_LATE, care->number, day);
    bool weekly = region->providers[uw_region_provider_on(care, day)].delivery == DELIVERY_WEEKLY;
    int32_t usual = weekly ? 7 - weekday(day) : 1;
    if (uw_region_plant(region, care, day, OUTCOME_VISIT, &kind)) {
        if (kind == UW_ANOMALY_FUTURE_DECLARATION) {
            return -FUTURE_DAYS;
        }
        return kind == UW_ANOMALY_LATE_DECLARATION ? LATE_PLANT_DAYS_MIN + (int32_t)(hash % LATE_PLANT_DAYS_SPAN)
                                                   : usual;
    }
    bool late = (int32_t)(hash % 100) < region->options.late_percent;
    return late ? usual + LATE_DAYS_MIN + (int32_t)(hash / 100 % LATE_DAYS_SPAN) : usual;
}

int32_t uw_region_period_minutes(const struct uw_region *region, const struct uw_region_care *care, int32_t first_day,
                                 int32_t last_day)
{
    int32_t minutes = 0;
    for (int32_t day = first_day; day <= last_day; day++) {
        struct uw_region_visit visit;
        uw_region_visit(region, care, day, &visit);
        minutes += visit.outcome == OUTCOME_VISIT ? visit.minutes : 0;
    }
    return minutes;
}
