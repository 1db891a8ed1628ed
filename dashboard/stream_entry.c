#include "dashboard/stream_entry.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/text.h"

bool uw_stream_encode(struct uw_codec *codec, bool alerts, struct uw_str value, struct uw_arena *arena,
                      struct uw_stream_event *about, struct uw_str *body)
{
    struct uw_stream_record record;
    struct uw_text text;
    if (!uw_stream_decode(codec, alerts, value, arena, &record)) {
        return false;
    }
    *about = record.about;
    uw_text_init(&text, arena);
    uw_text_add_literal(&text, alerts ? "event: alert\ndata: " : "event: anomaly\ndata: ");
    uw_text_add(&text, record.json.data, record.json.length);
    uw_text_add_literal(&text, "\n\n");
    return uw_text_finish(&text, body) == UW_OK && body->length < UW_STREAM_TEXT_BYTES_MAX / 4;
}

static struct uw_str keep(struct uw_stream_entry *entry, uint32_t *used, struct uw_str string)
{
    char *place = entry->bytes + *used;
    memcpy(place, string.data, string.length);
    *used += string.length;
    return (struct uw_str){place, string.length};
}

struct uw_stream_entry *uw_stream_entry_make(const struct uw_stream_event *about, struct uw_str id, struct uw_str body)
{
    uint32_t used = 0;
    size_t size = 5 + (size_t)id.length + body.length + about->municipality.length + about->provider.length +
                  about->client.length + about->decision.length;
    struct uw_stream_entry *entry = malloc(sizeof *entry + size);
    if (entry == NULL) {
        return NULL;
    }
    *entry = (struct uw_stream_entry){
        .about = *about, .id_length = id.length + 5, .body_length = body.length, .size = (uint32_t)size};
    (void)keep(entry, &used, UW_STR("id: "));
    (void)keep(entry, &used, id);
    (void)keep(entry, &used, UW_STR("\n"));
    (void)keep(entry, &used, body);
    entry->about.municipality = keep(entry, &used, about->municipality);
    entry->about.provider = keep(entry, &used, about->provider);
    entry->about.client = keep(entry, &used, about->client);
    entry->about.decision = keep(entry, &used, about->decision);
    return entry;
}
