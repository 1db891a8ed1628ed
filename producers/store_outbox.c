/*
 * The outbox: headers in one column, and reading what is not published yet.
 */
#include "producers/store_internal.h"

#include <string.h>

#define LENGTH_BYTES 4
/* A name and a value, both empty. */
#define HEADER_BYTES_MIN (2 * LENGTH_BYTES)

static uint8_t *put_string(uint8_t *data, struct uw_str string)
{
    uw_put_int32(data, uw_str_is_null(string) ? -1 : (int32_t)string.length);
    data += LENGTH_BYTES;
    if (!uw_str_is_null(string) && string.length > 0) {
        memcpy(data, string.data, string.length);
        data += string.length;
    }
    return data;
}

enum uw_code uw_pgstore_pack_headers(const struct uw_header *headers, uint32_t header_count, struct uw_arena *arena,
                                     struct uw_str *packed)
{
    size_t length = 0;
    uint8_t *data, *end;

    for (uint32_t i = 0; i < header_count; i++) {
        length += HEADER_BYTES_MIN + (size_t)headers[i].name.length + headers[i].value.length;
    }
    data = uw_arena_take(arena, length);
    if (data == NULL) {
        return UW_ENOMEM;
    }
    end = data;
    for (uint32_t i = 0; i < header_count; i++) {
        end = put_string(end, headers[i].name);
        end = put_string(end, headers[i].value);
    }
    *packed = (struct uw_str){(const char *)data, (uint32_t)(end - data)};
    return UW_OK;
}

/* Takes one string off the front of *rest. */
static bool get_string(struct uw_str *rest, struct uw_str *string)
{
    int32_t length;

    if (rest->length < LENGTH_BYTES) {
        return false;
    }
    length = uw_get_int32((const uint8_t *)rest->data);
    rest->data += LENGTH_BYTES;
    rest->length -= LENGTH_BYTES;
    if (length < 0) {
        *string = UW_STR_NULL;
        return length == -1;
    }
    if ((uint32_t)length > rest->length) {
        return false;
    }
    *string = (struct uw_str){rest->data, (uint32_t)length};
    rest->data += length;
    rest->length -= (uint32_t)length;
    return true;
}

enum uw_code uw_pgstore_unpack_headers(struct uw_str packed, struct uw_arena *arena, struct uw_header **headers,
                                       uint32_t *header_count)
{
    struct uw_str rest = packed;
    struct uw_header *list = uw_arena_take(arena, packed.length / HEADER_BYTES_MIN * sizeof *list);
    uint32_t count = 0;

    if (list == NULL) {
        return UW_ENOMEM;
    }
    while (rest.length > 0) {
        struct uw_header header;

        if (!get_string(&rest, &header.name) || !get_string(&rest, &header.value)) {
            return UW_EINTERNAL;
        }
        list[count++] = header;
    }
    *headers = list;
    *header_count = count;
    return UW_OK;
}

struct outbox_visit {
    uw_outbox_visit *visit;
    void *context;
    int32_t partition;
    struct uw_arena *arena;
};

static enum uw_code visit_row(void *context, const PGresult *row)
{
    const struct outbox_visit *visit = context;
    struct uw_outbox_record record = {.partition = visit->partition};
    struct uw_header *headers = NULL;
    int16_t output = uw_field_int2(row, 1);
    enum uw_code code;

    if (output < 0 || output >= UW_OUTPUT_COUNT) {
        return UW_EINTERNAL;
    }
    record.sequence = uw_field_int8(row, 0);
    record.output = (enum uw_output)output;
    record.key = uw_field_string(row, 2);
    record.value = uw_field_string(row, 3);
    uw_arena_reset(visit->arena);
    code = uw_pgstore_unpack_headers(uw_field_string(row, 4), visit->arena, &headers, &record.header_count);
    if (code != UW_OK) {
        return code;
    }
    record.headers = headers;
    return visit->visit(visit->context, &record);
}

enum uw_code uw_pgstore_outbox(void *context, int32_t partition, int64_t after, uint32_t limit,
                               uw_outbox_visit *visit, void *visit_context, struct uw_error *error)
{
    struct uw_pgstore *store = context;
    struct outbox_visit rows = {visit, visit_context, partition, &store->arena};
    uint8_t number[4], from[8], count[8];
    const struct uw_argument arguments[] = {{number, sizeof number}, {from, sizeof from}, {count, sizeof count}};
    enum uw_code code = uw_pgstore_ready(store, error);

    if (code != UW_OK) {
        return code;
    }
    uw_put_int32(number, partition);
    uw_put_int64(from, after);
    uw_put_int64(count, limit);
    return uw_postgres_each(store->postgres, "outbox", arguments, 3, visit_row, &rows, error);
}
