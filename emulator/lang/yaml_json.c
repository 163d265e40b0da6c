/* libyaml's document tree as JSON, and JSON values as libyaml's events. */
#include "yaml_json.h"
#include <string.h>
#include <yaml.h>

enum { DEPTH_MAX = 60 /* json_out takes 63 */, TEXT_MAX = 32 << 20 };

/* --- YAML -> JSON --- */

struct reading {
    yaml_document_t *doc;
    struct arena *arena;
    struct json_out out;
    const char *problem; /* NULL: none */
};

static bool is_one_of(struct str s, const char *const *names)
{
    for (; *names != NULL; names++)
        if (str_eq_c(s, *names))
            return true;
    return false;
}

/* Does JSON read it as a number as it stands? */
static bool is_number(struct str s)
{
    char first = s.n > 0 ? s.p[0] : ' ';
    return (first == '-' || (first >= '0' && first <= '9')) && json_check(s, 1, NULL);
}

static void write_scalar(struct reading *r, const yaml_node_t *n)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    struct str s = {(const char *)n->data.scalar.value, n->data.scalar.length};
    bool plain = n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (!str_is_utf8(s)) /* libyaml has checked it; a NUL byte is no text either */
        r->problem = "text that is not UTF-8";
    else if (plain && is_one_of(s, nulls))
        json_null(&r->out, NULL);
    else if (plain && (is_one_of(s, trues) || is_one_of(s, falses)))
        json_bool(&r->out, NULL, is_one_of(s, trues));
    else if (plain && is_number(s))
        json_raw(&r->out, NULL, s);
    else
        json_str(&r->out, NULL, s);
}

static void write_node(struct reading *r, int index, unsigned depth);

static void write_mapping(struct reading *r, const yaml_node_t *n, unsigned depth)
{
    json_obj(&r->out, NULL);
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(r->doc, p->key);
        if (key == NULL || key->type != YAML_SCALAR_NODE) {
            r->problem = "a key that is not a scalar";
            break;
        }
        json_key(&r->out,
                 (struct str){(const char *)key->data.scalar.value, key->data.scalar.length});
        write_node(r, p->value, depth + 1);
        if (r->problem != NULL)
            break;
    }
    json_end(&r->out);
}

/* Anchors may name what they are in: depth ends that, and the cap of the text all that grows. */
static void write_node(struct reading *r, int index, unsigned depth)
{
    const yaml_node_t *n = yaml_document_get_node(r->doc, index);
    if (n == NULL || depth > DEPTH_MAX || r->out.b->overflow) {
        r->problem =
            depth > DEPTH_MAX ? "the document is nested too deeply" : "the document is too large";
        return;
    }
    if (n->type == YAML_MAPPING_NODE) {
        write_mapping(r, n, depth);
    } else if (n->type == YAML_SEQUENCE_NODE) {
        json_arr(&r->out, NULL);
        for (yaml_node_item_t *it = n->data.sequence.items.start;
             it < n->data.sequence.items.top && r->problem == NULL; it++)
            write_node(r, *it, depth + 1);
        json_end(&r->out);
    } else {
        write_scalar(r, n);
    }
}

bool yaml_to_json(struct arena *a, struct str text, struct str *ret_json, struct str *ret_why)
{
    yaml_parser_t parser;
    yaml_document_t doc;
    struct buf *b = arena_new_buf(a, TEXT_MAX);
    struct reading r = {.doc = &doc, .arena = a};
    if (!yaml_parser_initialize(&parser)) {
        *ret_why = STR("out of memory");
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
    bool loaded = yaml_parser_load(&parser, &doc);
    if (!loaded) {
        *ret_why = arena_fmt(a, "line %zu: %s", parser.problem_mark.line + 1,
                             parser.problem == NULL ? "not YAML" : parser.problem);
    } else if (yaml_document_get_root_node(&doc) == NULL) {
        r.problem = "the document is empty";
    } else {
        json_out_init(&r.out, b);
        write_node(&r, 1, 0);
        if (b->overflow)
            r.problem = "the document is too large";
    }
    if (loaded)
        yaml_document_delete(&doc);
    yaml_parser_delete(&parser);
    if (r.problem != NULL)
        *ret_why = str_c(r.problem);
    *ret_json = buf_view(b);
    return loaded && r.problem == NULL;
}

/* --- JSON -> YAML --- */

struct writing {
    yaml_emitter_t emitter;
    struct arena *arena;
    struct buf *out;
};

static int take(void *arg, unsigned char *data, size_t n)
{
    struct buf *b = arg;
    buf_add(b, (struct str){(const char *)data, n});
    return !b->overflow;
}

static bool emit_scalar(struct writing *w, struct str s, yaml_scalar_style_t style)
{
    yaml_event_t e;
    return yaml_scalar_event_initialize(&e, NULL, NULL, (yaml_char_t *)(uintptr_t)s.p, (int)s.n, 1,
                                        1, style) &&
           yaml_emitter_emit(&w->emitter, &e);
}

static bool emit(struct writing *w, struct jval v, unsigned depth)
{
    yaml_event_t e;
    struct jval it = {0};
    enum json_kind kind = jval_kind(v);
    if (depth > DEPTH_MAX)
        return false;
    if (kind == JSON_STRING)
        return emit_scalar(w, jval_text(v, w->arena), YAML_DOUBLE_QUOTED_SCALAR_STYLE);
    if (kind != JSON_OBJECT && kind != JSON_ARRAY)
        return emit_scalar(w, jval_raw(v), YAML_PLAIN_SCALAR_STYLE);
    if (!(kind == JSON_OBJECT
              ? yaml_mapping_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE)
              : yaml_sequence_start_event_initialize(&e, NULL, NULL, 1,
                                                     YAML_BLOCK_SEQUENCE_STYLE)) ||
        !yaml_emitter_emit(&w->emitter, &e))
        return false;
    while (jval_next(v, &it, NULL)) {
        if (kind == JSON_OBJECT &&
            !emit_scalar(w, jval_key_str(it, w->arena), YAML_ANY_SCALAR_STYLE))
            return false;
        if (!emit(w, it, depth + 1))
            return false;
    }
    return (kind == JSON_OBJECT ? yaml_mapping_end_event_initialize(&e)
                                : yaml_sequence_end_event_initialize(&e)) &&
           yaml_emitter_emit(&w->emitter, &e);
}

bool yaml_of_json(struct arena *a, struct jval v, struct str *ret_yaml)
{
    yaml_event_t e;
    struct writing w = {.arena = a, .out = arena_new_buf(a, TEXT_MAX)};
    if (!yaml_emitter_initialize(&w.emitter))
        return false;
    yaml_emitter_set_output(&w.emitter, take, w.out);
    yaml_emitter_set_unicode(&w.emitter, 1);
    yaml_emitter_set_width(&w.emitter, -1);
    bool ok = yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING) &&
              yaml_emitter_emit(&w.emitter, &e) &&
              yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 0) &&
              yaml_emitter_emit(&w.emitter, &e) && emit(&w, v, 0) &&
              yaml_document_end_event_initialize(&e, 1) && yaml_emitter_emit(&w.emitter, &e) &&
              yaml_stream_end_event_initialize(&e) && yaml_emitter_emit(&w.emitter, &e);
    yaml_emitter_delete(&w.emitter);
    *ret_yaml = buf_view(w.out);
    return ok && !w.out->overflow;
}
