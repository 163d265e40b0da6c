/* All expression languages and the legacy parameters: whatever is parsed either fails with a
 * message or can be evaluated; what an update makes is an item that reads back, and a projection of
 * an item is one too. Input: a kind byte, the expression, a line feed, then the item as JSON. */
#include "expr.h"
#include "panic.h"
#include "value.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char names_text[] = "{\"#a\":\"a\",\"#b\":\"b c\\\"\",\"#0\":\"size\",\"#_\":\"#a\"}";
static const char values_text[] =
    "{\":s\":{\"S\":\"x\"},\":n\":{\"N\":\"1\"},\":m\":{\"N\":\"-2.5e10\"},\":b\":{\"B\":\"AAE=\"},"
    "\":ss\":{\"SS\":[\"a\",\"b\"]},\":ns\":{\"NS\":[\"1\",\"2\"]},\":l\":{\"L\":[{\"N\":\"1\"},"
    "{\"S\":\"q\"}]},\":mm\":{\"M\":{\"a\":{\"S\":\"v\"}}},\":t\":{\"BOOL\":true},"
    "\":z\":{\"NULL\":true},\":ty\":{\"S\":\"N\"},\":big\":{\"N\":\"9e125\"}}";
static const char default_item[] =
    "{\"a\":{\"M\":{\"a\":{\"L\":[{\"N\":\"1\"},{\"S\":\"x\"},{\"M\":{}}]},\"b\":{\"N\":\"5\"}}},"
    "\"b "
    "c\\\"\":{\"SS\":[\"a\",\"c\"]},\"n\":{\"N\":\"7\"},\"s\":{\"S\":\"xyz\"},\"l\":{\"L\":[]}}";

struct input {
    struct arena *a;
    struct str text, item;
    struct jval json; /* the text, if it is JSON: for the legacy kinds */
    struct aws_err err;
};

static void check_item(struct input *in, struct str json)
{
    struct item checked, quick;
    struct buf *text = arena_new_buf(in->a, ATTR_TEXT_MAX);
    item_of_text(json, in->a, &quick);
    if (!item_read_stored(json, in->a, text, &checked)) {
        ASSERT(quick.size > ATTR_ITEM_SIZE_MAX); /* only that may be wrong with it */
        return;
    }
    ASSERT(str_eq(checked.json, json));
    ASSERT(quick.size == checked.size && quick.count == checked.count);
}

static bool cond(struct input *in, struct expr_env *env, enum expr_kind kind)
{
    struct expr_cond *x;
    size_t count;
    if (!expr_parse_condition(env, kind, in->text, &x, &in->err))
        return false;
    expr_cond_eval(x, in->item, in->a);
    expr_cond_eval(x, STR(""), in->a);
    expr_cond_names(x, &count);
    return true;
}

static void apply(struct input *in, struct expr_update *x)
{
    struct buf *out = arena_new_buf(in->a, ATTR_TEXT_MAX),
               *part = arena_new_buf(in->a, SIZE_MAX / 2);
    struct aws_err err = {0};
    if (!expr_update_apply(x, in->item, STR("{\"n\":{\"N\":\"7\"}}"), in->a, out, &err)) {
        ASSERT(err.kind != NULL && err.message.n > 0);
        return;
    }
    ASSERT(!out->overflow);
    check_item(in, buf_view(out));
    if (expr_update_cut(x, buf_view(out), part))
        check_item(in, buf_view(part));
}

static bool update(struct input *in, struct expr_env *env)
{
    struct expr_update *x;
    if (!expr_parse_update(env, in->text, &x, &in->err))
        return false;
    apply(in, x);
    return true;
}

static bool projection(struct input *in, struct expr_env *env)
{
    struct expr_projection *x;
    struct buf *out = arena_new_buf(in->a, ATTR_TEXT_MAX);
    if (!expr_parse_projection(env, in->text, &x, &in->err))
        return false;
    expr_project(x, in->item, out);
    check_item(in, buf_view(out));
    return true;
}

static bool legacy(struct input *in, int kind)
{
    struct expr_cond *c;
    struct expr_update *u;
    struct expr_key_cond k;
    struct expr_projection *p;
    if (kind == 5 || kind == 6) {
        if (jval_kind(in->json) != JSON_OBJECT)
            return true;
        if (!expr_legacy_condition(in->a, kind == 5 ? "Expected" : "ScanFilter", in->json,
                                   kind == 5 ? STR("") : STR("OR"), ATTR_BARE, &c, &in->err))
            return false;
        if (c != NULL)
            expr_cond_eval(c, in->item, in->a);
        return true;
    }
    if (kind == 7 && jval_kind(in->json) == JSON_OBJECT) {
        if (!expr_legacy_update(in->a, in->json, ATTR_ENVELOPED, &u, &in->err))
            return false;
        apply(in, u);
    }
    if (kind == 8 && jval_kind(in->json) == JSON_OBJECT)
        return expr_legacy_key_conditions(in->a, in->json, ATTR_OLDER, &k, &in->err);
    if (kind == 9 && jval_kind(in->json) == JSON_ARRAY)
        return expr_legacy_projection(in->a, in->json, &p, &in->err);
    return true;
}

static bool run(struct input *in, int kind)
{
    struct jval names = {0}, values = {0};
    struct expr_given given = {1, 1, "ConditionExpression is null"};
    struct expr_key_cond keys;
    if (kind >= 5)
        return legacy(in, kind);
    ASSERT(json_parse(in->a, str_c(names_text), JSON_DEPTH_DEFAULT, &names, NULL));
    ASSERT(json_parse(in->a, str_c(values_text), JSON_DEPTH_DEFAULT, &values, NULL));
    struct expr_env *env = expr_env_new(in->a, names, values, given, ATTR_BARE, &in->err);
    ASSERT(env != NULL);
    bool ok = kind == 0   ? cond(in, env, EXPR_CONDITION)
              : kind == 1 ? cond(in, env, EXPR_FILTER)
              : kind == 2 ? update(in, env)
              : kind == 3 ? projection(in, env)
                          : expr_parse_key_condition(env, in->text, &keys, &in->err);
    return ok && expr_env_finish(env, &in->err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {.a = arena_new(0, SIZE_MAX)};
    struct jval v;
    struct item item;
    struct buf *text = arena_new_buf(in.a, ATTR_TEXT_MAX),
               *own = arena_new_buf(in.a, ATTR_TEXT_MAX);
    struct str rest = {(const char *)data, size};
    int kind = size > 0 ? (data[0] & 15) % 10 : 0;
    rest = str_sub(rest, size > 0, size);
    in.text = str_cut(&rest, '\n');
    in.text = str_sub(in.text, 0, str_utf8_prefix(in.text)); /* requests are checked to be UTF-8 */
    ASSERT(json_parse(in.a, str_c(default_item), JSON_DEPTH_DEFAULT, &v, NULL) &&
           item_read(v, ATTR_BARE, in.a, text, &item, &in.err));
    in.item = item.json;
    struct aws_err ignored = {0};
    if (rest.p != NULL && json_parse(in.a, rest, JSON_DEPTH_DEFAULT, &v, NULL) &&
        jval_kind(v) == JSON_OBJECT && item_read(v, ATTR_BARE, in.a, own, &item, &ignored) &&
        item.size <= ATTR_ITEM_SIZE_MAX) {
        in.item = item.json;
        check_item(&in, in.item);
    }
    if (!json_parse(in.a, in.text, JSON_DEPTH_DEFAULT, &in.json, NULL))
        in.json = (struct jval){0};
    if (!run(&in, kind))
        ASSERT(in.err.kind != NULL && in.err.message.n > 0);
    arena_free(in.a);
    return 0;
}
