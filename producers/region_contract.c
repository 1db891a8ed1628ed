#include "producers/region_parts.h"

#include <stdlib.h>

/*
 * Who may give which care where. The region's municipalities buy together: for each product a provider has a contract
 * or none, and the contract says the funding form and the rate (the uitvoeringsvariant of iWmo and iJw is agreed
 * between college and provider for a product, not with a client). Large providers work everywhere with products of
 * several categories, those in the middle in a part of the region, and small ones for one or two products of one law
 * in a few municipalities that lie together.
 *
 * How many there are of each, and what the largest have, goes by place and not by hash, so that every product can
 * be had in every municipality and every funding form occurs also in the smallest region.
 */

#define FIRST_PROVIDERS 2      /* are large in every region, and in a small one have all products between them */
#define LARGE_IN 20            /* besides these one provider in so many is large */
#define MIDDLE_IN 6            /* one in so many lies between large and small */
#define LARGE_PRODUCTS_MIN 4
#define SMALL_AREA_MAX 4       /* municipalities */
#define CLIENT_PLACES 1000     /* among which the clients' municipalities are drawn */
#define WEIGHT_ONE UINT64_C(1000000000)
#define WEIGHT_OFFSET 3        /* the first provider is so much smaller than the first of 1, 1/2, 1/3, ... */

/* The municipalities as one would travel past all of them, so that neighbours on this way lie together: from the
 * Land van Maas en Waal over Nijmegen, Arnhem, the Liemers, the Vallei and the Veluwe to the IJssel. The numbers are
 * places in the list of codes, of which a region has only the first. */
static const uint8_t round_trip[UW_REGION_MUNICIPALITIES_MAX] = {
    5,  14, 7,  1,  9, 18, 10, 16, 0,  13, 6,  15, 19, 8,  11, 12,
    17, 20, 3,  21, 4, 22, 25, 24, 31, 26, 30, 28, 29, 27, 2,  23,
};

static int32_t draw(const struct uw_region *region, enum uw_region_ask ask, uint32_t whom, int32_t when, int32_t span)
{
    return (int32_t)(uw_region_hash(region, ask, whom, when) % (uint64_t)span);
}

uint16_t uw_region_municipality(const struct uw_region *region, enum uw_region_ask ask, uint32_t whom)
{
    /* The square of a draw: the first municipalities are the larger ones. */
    int64_t place = draw(region, ask, whom, 0, CLIENT_PLACES);
    return (uint16_t)(place * place * region->options.municipalities / (CLIENT_PLACES * CLIENT_PLACES));
}

static void fill_round(struct uw_region *region)
{
    uint8_t place = 0;
    for (size_t i = 0; i < UW_REGION_MUNICIPALITIES_MAX; i++) {
        if (round_trip[i] < region->options.municipalities) {
            region->round_places[round_trip[i]] = place++;
        }
    }
}

static int32_t large_count(const struct uw_region *region)
{
    int32_t providers = region->options.providers, count = providers / LARGE_IN + FIRST_PROVIDERS;
    return count < providers ? count : providers;
}

static bool is_middle(const struct uw_region *region, int32_t number, int32_t large)
{
    return number >= large && number < large + region->options.providers / MIDDLE_IN;
}

/* Products that follow each other, as bits; they are sorted by law. */
static uint16_t draw_products(const struct uw_region *region, int32_t number, int32_t large)
{
    uint16_t bits = 0;
    if (number < large) {
        int32_t count = (UW_REGION_PRODUCT_COUNT + large - 1) / large;
        int32_t first = number * UW_REGION_PRODUCT_COUNT / large;
        for (int32_t i = 0; i < count || i < LARGE_PRODUCTS_MIN; i++) {
            bits = (uint16_t)(bits | 1u << ((first + i) % UW_REGION_PRODUCT_COUNT));
        }
        return bits;
    }
    int32_t first = draw(region, ASK_CONTRACT, (uint32_t)number, 1, UW_REGION_PRODUCT_COUNT);
    int32_t more = draw(region, ASK_CONTRACT, (uint32_t)number, 2, 100) < 60 ? 0 : 1;
    int32_t last = first + more + is_middle(region, number, large);
    for (int32_t i = first; i <= last && i < UW_REGION_PRODUCT_COUNT; i++) {
        if (uw_region_product((uint8_t)i)->law == uw_region_product((uint8_t)first)->law) {
            bits = (uint16_t)(bits | 1u << i);
        }
    }
    return bits;
}

/* Around a home that is more often a large municipality than a small one. */
static void draw_area(const struct uw_region *region, int32_t number, int32_t large,
                      struct uw_region_provider *provider)
{
    int32_t all = region->options.municipalities, count = all;
    if (is_middle(region, number, large)) {
        count = all / 3 + 1;
    } else if (number >= large) {
        count = 1 + draw(region, ASK_CONTRACT, (uint32_t)number, 3, SMALL_AREA_MAX);
    }
    count = count < all ? count : all;
    int32_t home = region->round_places[uw_region_municipality(region, ASK_CONTRACT, (uint32_t)number)];
    provider->area_count = (uint8_t)count;
    provider->area_first = (uint8_t)((home + all - count / 2) % all);
}

static bool works_in(const struct uw_region *region, const struct uw_region_provider *provider, uint16_t municipality)
{
    int32_t all = region->options.municipalities;
    return (region->round_places[municipality] + all - provider->area_first) % all < provider->area_count;
}

/* How much a provider counts among those for a product in a municipality: such that the providers' sizes as a whole
 * fall as 1/3, 1/4, 1/5, ..., however many products and clients each shares with others. */
static uint32_t weight_of(const struct uw_region *region, int32_t number, const struct uw_region_provider *provider,
                          const int32_t client_places[UW_REGION_MUNICIPALITIES_MAX])
{
    uint64_t products = 0, places = 0;
    for (int32_t i = 0; i < UW_REGION_PRODUCT_COUNT; i++) {
        products += provider->products >> i & 1u;
    }
    for (uint16_t i = 0; i < region->options.municipalities; i++) {
        places += works_in(region, provider, i) ? (uint64_t)client_places[i] : 0;
    }
    return (uint32_t)(WEIGHT_ONE / (uint64_t)(number + WEIGHT_OFFSET) / (products * places)) + 1;
}

static void fill_provider(const struct uw_region *region, int32_t number, struct uw_region_provider *provider)
{
    /* By place and not by hash as well: every way of declaring occurs in the smallest region. */
    static const uint8_t deliveries[10] = {DELIVERY_DAILY,  DELIVERY_WEEKLY, DELIVERY_DAILY,  DELIVERY_PERIOD,
                                           DELIVERY_DAILY,  DELIVERY_WEEKLY, DELIVERY_DAILY,  DELIVERY_WEEKLY,
                                           DELIVERY_PERIOD, DELIVERY_DAILY};
    int32_t percent = region->options.no_show_percent, large = large_count(region);
    uint32_t whom = (uint32_t)number;
    provider->delivery = deliveries[number % 10];
    provider->staff_count = (uint8_t)(number % 8 == 5 ? 0 : 4 + draw(region, ASK_STAFF, whom, 0, 24));
    provider->no_show_permille =
        (uint16_t)(percent >= 0 ? percent * 10 : 30 + draw(region, ASK_PROVIDER, whom, 1, 26));
    provider->products = draw_products(region, number, large);
    draw_area(region, number, large, provider);
}

static bool has_contract(const struct uw_region_provider *provider, size_t product)
{
    return (provider->products >> product & 1u) != 0;
}

/* The providers for each product in each municipality; with NULL only their number and where each begins. */
static size_t fill_choices(struct uw_region *region, const uint32_t *weights, struct uw_region_choice *choices)
{
    size_t count = 0, municipalities = (size_t)region->options.municipalities;
    for (size_t cell = 0; cell < UW_REGION_PRODUCT_COUNT * municipalities; cell++) {
        uint32_t sum = 0;
        region->choice_starts[cell] = (uint32_t)count;
        for (size_t i = 0; i < (size_t)region->options.providers; i++) {
            const struct uw_region_provider *provider = &region->providers[i];
            if (has_contract(provider, cell / municipalities) &&
                works_in(region, provider, (uint16_t)(cell % municipalities))) {
                sum += weights[i];
                if (choices != NULL) {
                    choices[count] = (struct uw_region_choice){.weight_until = sum, .provider = (uint16_t)i};
                }
                count++;
            }
        }
    }
    region->choice_starts[UW_REGION_PRODUCT_COUNT * municipalities] = (uint32_t)count;
    return count;
}

enum uw_code uw_region_make_contracts(struct uw_region *region)
{
    int32_t client_places[UW_REGION_MUNICIPALITIES_MAX] = {0};
    size_t providers = (size_t)region->options.providers;
    size_t starts = (size_t)UW_REGION_PRODUCT_COUNT * (size_t)region->options.municipalities + 1;
    enum uw_code code = UW_ENOMEM;
    uint32_t *weights = calloc(providers, sizeof(*weights));
    region->providers = calloc(providers, sizeof(*region->providers));
    region->choice_starts = calloc(starts, sizeof(*region->choice_starts));
    if (weights == NULL || region->providers == NULL || region->choice_starts == NULL) {
        goto out;
    }
    fill_round(region);
    for (int64_t i = 0; i < CLIENT_PLACES; i++) {
        client_places[i * i * region->options.municipalities / (CLIENT_PLACES * CLIENT_PLACES)]++;
    }
    for (size_t i = 0; i < providers; i++) {
        fill_provider(region, (int32_t)i, &region->providers[i]);
        weights[i] = weight_of(region, (int32_t)i, &region->providers[i], client_places);
    }
    size_t count = fill_choices(region, weights, NULL);
    region->choices = calloc(count, sizeof(*region->choices));
    if (region->choices == NULL) {
        goto out;
    }
    fill_choices(region, weights, region->choices);
    region->memory_bytes += providers * sizeof(*region->providers) + starts * sizeof(*region->choice_starts) +
                            count * sizeof(*region->choices);
    code = UW_OK;
out:
    free(weights);
    return code;
}

/* The place among the choices that a lot of chance falls on. */
static uint32_t choose(const struct uw_region *region, uint32_t first, uint32_t end, uint64_t lot)
{
    uint32_t low = first, high = end - 1;
    uint32_t point = (uint32_t)(lot % region->choices[high].weight_until);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (region->choices[middle].weight_until > point) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

uint16_t uw_region_contractor(const struct uw_region *region, const struct uw_region_care *care, uint64_t lot)
{
    size_t cell = (size_t)care->product * (size_t)region->options.municipalities + care->municipality;
    uint32_t chosen = choose(region, region->choice_starts[cell], region->choice_starts[cell + 1], lot);
    return region->choices[chosen].provider;
}

uint16_t uw_region_other_contractor(const struct uw_region *region, const struct uw_region_care *care, uint64_t lot)
{
    size_t cell = (size_t)care->product * (size_t)region->options.municipalities + care->municipality;
    uint32_t first = region->choice_starts[cell], count = region->choice_starts[cell + 1] - first;
    uint32_t chosen = choose(region, first, first + count, lot) - first;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t provider = region->choices[first + (chosen + i) % count].provider;
        if (provider != care->provider && region->providers[provider].delivery != DELIVERY_PERIOD) {
            return provider;
        }
    }
    return care->provider;
}

bool uw_region_is_switched(const struct uw_region *region, uint16_t provider, uint8_t product)
{
    return region->options.switch_day != UW_DAY_NONE &&
           (provider + product + draw(region, ASK_SWITCH, 0, 0, 4)) % 4 == 0;
}

uint8_t uw_region_form(const struct uw_region *region, uint16_t provider, uint8_t product, int32_t day)
{
    const struct uw_region_product *bought = uw_region_product(product);
    bool usual = provider < FIRST_PROVIDERS || (provider + product + draw(region, ASK_MODEL, 0, 0, 3)) % 3 != 0;
    int32_t form = (int32_t)(usual ? bought->usual_form : bought->other_form);
    if (uw_region_is_switched(region, provider, product) && day >= region->options.switch_day) {
        uint32_t contract = (uint32_t)provider * UW_REGION_PRODUCT_COUNT + product;
        form = (form + 1 + draw(region, ASK_SWITCH, contract, 1, UW_MODEL_COUNT - 1)) % UW_MODEL_COUNT;
    }
    return (uint8_t)form;
}

int32_t uw_region_rate(const struct uw_region *region, uint16_t provider, uint8_t product)
{
    uint64_t hash = uw_region_hash(region, ASK_CONTRACT, (uint32_t)provider * UW_REGION_PRODUCT_COUNT + product, 4);
    return hash % 5 == 0 ? UW_INT_NONE : (int32_t)(4500 + 50 * (hash / 5 % 90));
}
