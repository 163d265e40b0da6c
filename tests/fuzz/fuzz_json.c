/* The JSON reader: the check and the parser agree, every value can be walked and copied, and a copy
 * reads back to the same copy. */
#include "json.h"
#include "panic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEPTH = 64 };

static void walk(struct jval v, struct arena *a)
{
    struct jval it = {0};
    struct str text;
    int64_t i;
    double d;
    bool b;
    size_t count = 0;
    jval_str(v, a, &text);
    jval_i64(v, &i);
    jval_double(v, &d);
    jval_bool(v, &b);
    ASSERT(jval_raw(v).n > 0);
    if (jval_kind(v) != JSON_ARRAY && jval_kind(v) != JSON_OBJECT)
        return;
    for (; jval_next(v, &it, &text); count++) {
        if (jval_kind(v) == JSON_OBJECT) {
            struct str key = jval_key_str(it, a);
            ASSERT(str_is_utf8(key));
            ASSERT(jval_kind(jval_get_str(v, key)) != JSON_MISSING);
        }
        walk(it, a);
    }
    ASSERT(count == jval_count(v));
    ASSERT(jval_kind(jval_at(v, count)) == JSON_MISSING);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct str text = {(const char *)data, size};
    struct jval v;
    size_t at_check = 0, at_parse = 0;
    bool checked = json_check(text, DEPTH, &at_check);
    bool parsed = json_parse(a, text, DEPTH, &v, &at_parse);
    ASSERT(checked == parsed);
    if (!parsed) {
        ASSERT(at_check == at_parse && at_parse <= size);
    } else {
        struct buf *first = arena_new_buf(a, SIZE_MAX / 4),
                   *second = arena_new_buf(a, SIZE_MAX / 4);
        struct json_out w;
        if (size < 20000)
            walk(v, a);
        json_out_init(&w, first);
        json_copy(&w, NULL, v);
        ASSERT(json_parse(a, buf_view(first), DEPTH, &v, NULL));
        json_out_init(&w, second);
        json_copy(&w, NULL, v);
        ASSERT(str_eq(buf_view(first), buf_view(second)));
    }
    arena_free(a);
    return 0;
}
