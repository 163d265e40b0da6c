#include "aws_tags.h"

enum { TEXT_MAX = 4 << 20 };

static bool is_named(struct jval keys, struct str key, struct arena *a)
{
    struct jval it = {0};
    while (jval_next(keys, &it, NULL)) {
        if (str_eq(jval_text(it, a), key))
            return true;
    }
    return false;
}

static void write_tag(struct json_out *w, struct jval it, struct arena *a)
{
    json_key(w, jval_key_str(it, a));
    json_str(w, NULL, jval_text(it, a));
}

struct str aws_tags_merge(struct jval before, struct jval keys, struct jval added, struct arena *a,
                          size_t *ret_count)
{
    struct buf *b = arena_new_buf(a, TEXT_MAX);
    struct jval it = {0};
    struct json_out w;
    json_out_init(&w, b);
    *ret_count = jval_count(added);
    json_obj(&w, NULL);
    while (jval_next(before, &it, NULL)) {
        struct str key = jval_key_str(it, a);
        if (is_named(keys, key, a) || jval_kind(jval_get_str(added, key)) != JSON_MISSING)
            continue;
        write_tag(&w, it, a);
        (*ret_count)++;
    }
    it = (struct jval){0};
    while (jval_next(added, &it, NULL))
        write_tag(&w, it, a);
    json_end(&w);
    return buf_view(b);
}
