/*
 * Fuzzes the reader of schemas, as a registry could send them: any JSON, compiled against each of our records
 * and run over some bytes.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "schemas/decode.h"
#include "schemas/output.h"

static struct uw_schema *readers[UW_SHAPE_COUNT];
static struct uw_arena arena;

static void open_once(void)
{
    if (readers[0] != NULL) {
        return;
    }
    uw_arena_init(&arena, (size_t)64 * 1024 * 1024);
    for (int i = 0; i < UW_SHAPE_COUNT; i++) {
        struct uw_error error;
        const char *json = i < UW_TOPIC_COUNT ? uw_codec_topic_schema((enum uw_topic)i)
                                              : uw_codec_output_schema((enum uw_output)(i - UW_TOPIC_COUNT));
        uw_fuzz_check(uw_schema_open(uw_str_from(json), &readers[i], &error) == UW_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    open_once();
    struct uw_schema *writer = NULL;
    struct uw_error error;
    if (uw_schema_open((struct uw_str){(const char *)data, (uint32_t)size}, &writer, &error) != UW_OK) {
        uw_fuzz_check(error.text[0] != '\0');
        return 0;
    }
    for (int i = 0; i < UW_SHAPE_COUNT; i++) {
        struct uw_plan *plan = NULL;
        enum uw_code code = uw_plan_open(writer, readers[i], uw_shape_of((enum uw_shape_id)i), &plan);
        uw_fuzz_check(code == UW_OK || code == UW_ENOMEM);
        if (code == UW_OK && plan->steps != NULL) {
            union {
                struct uw_event event;
                struct uw_alert_record alert;
                struct uw_anomaly_record anomaly;
            } record;
            struct uw_refusal refusal;
            static const char zeros[256];
            const struct uw_str inputs[] = {{zeros, sizeof zeros}, {(const char *)data, (uint32_t)size}};
            for (int k = 0; k < 2; k++) {
                code = uw_decode_record(plan, inputs[k], &arena, &record, &refusal);
                uw_fuzz_check(code == UW_OK || code == UW_EINPUT || code == UW_ENOMEM);
            }
            uw_arena_reset(&arena);
        }
        uw_plan_close(&plan);
    }
    uw_schema_close(&writer);
    return 0;
}
