/* A JSON template -> the same tree. YAML's own reader would refuse surrogate escapes. */
#include "json.h"
#include "tpl_node.h"

/* Where the lines of the text start; asked in rising order. */
struct lines {
    struct str text;
    size_t at;
    unsigned line;
};

static unsigned line_of(struct lines *l, struct jval v)
{
    size_t offset = (size_t)(jval_raw(v).p - l->text.p);
    for (; l->at < offset; l->at++)
        l->line += l->text.p[l->at] == '\n';
    return l->line;
}

/* Depth is bounded by json_parse. */
static struct tpl_node *convert(struct arena *a, struct lines *l, struct jval v)
{
    struct tpl_node *n;
    struct jval it = {0};
    unsigned line = line_of(l, v);
    switch (jval_kind(v)) {
    case JSON_OBJECT:
        n = tpl_node_new(a, TPL_MAP, line);
        while (jval_next(v, &it, NULL)) {
            line = line_of(l, it);
            tpl_add(a, n, jval_key_str(it, a), line, convert(a, l, it));
        }
        return n;
    case JSON_ARRAY:
        n = tpl_node_new(a, TPL_SEQ, line);
        while (jval_next(v, &it, NULL)) {
            line = line_of(l, it);
            tpl_add(a, n, STR(""), line, convert(a, l, it));
        }
        return n;
    case JSON_STRING:
        return tpl_scalar(a, line, jval_text(v, a));
    default:
        n = tpl_scalar(a, line, jval_raw(v));
        n->is_null = jval_kind(v) == JSON_NULL;
        n->is_plain = true;
        return n;
    }
}

struct tpl_node *tpl_parse_json(struct tpl_log *log, struct str text)
{
    struct jval root;
    struct lines l = {text, 0, 1};
    if (!json_parse(log->arena, text, TPL_DEPTH_MAX, &root, NULL))
        return NULL;
    struct tpl_node *n = convert(log->arena, &l, root);
    if (n->weight <= TPL_WEIGHT_MAX)
        return n;
    tpl_fail(log, 1, "the template is too large");
    return NULL;
}
