/* YAML events of libyaml -> tree. The reader does not copy what an alias names, and counts it, so
 * that a nest of aliases is refused by its weight instead of being expanded. */
#include "map.h"
#include "tpl_node.h"
#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct reader {
    struct tpl_log *log;
    struct arena *arena;
    yaml_parser_t parser;
    struct map anchors;
};

static struct str text_of(struct arena *a, const unsigned char *p, size_t n)
{
    return arena_str(a, (struct str){(const char *)p, n});
}

static bool next_event(struct reader *r, yaml_event_t *e)
{
    if (yaml_parser_parse(&r->parser, e))
        return true;
    unsigned line = (unsigned)r->parser.problem_mark.line + 1;
    const char *problem = r->parser.problem != NULL ? r->parser.problem : "not YAML";
    if (r->parser.error == YAML_READER_ERROR) { /* has an offset instead of a mark */
        line = (unsigned)r->parser.mark.line + 1;
        return tpl_fail(r->log, line, "%s", problem);
    }
    if (r->parser.context != NULL)
        return tpl_fail(r->log, line, "%s (%s, which starts on line %u)", problem,
                        r->parser.context, (unsigned)r->parser.context_mark.line + 1);
    return tpl_fail(r->log, line, "%s", problem);
}

/* --- tags --- */

static const struct short_tag {
    const char *tag, *name;
} short_tags[] = {
    {"!Ref", "Ref"},           {"!Condition", "Condition"},
    {"!Sub", "Fn::Sub"},       {"!GetAtt", "Fn::GetAtt"},
    {"!Join", "Fn::Join"},     {"!Select", "Fn::Select"},
    {"!Split", "Fn::Split"},   {"!FindInMap", "Fn::FindInMap"},
    {"!Base64", "Fn::Base64"}, {"!If", "Fn::If"},
    {"!Equals", "Fn::Equals"}, {"!Not", "Fn::Not"},
    {"!And", "Fn::And"},       {"!Or", "Fn::Or"},
    {"!GetAZs", "Fn::GetAZs"}, {"!ImportValue", "Fn::ImportValue"},
    {"!Cidr", "Fn::Cidr"},     {"!Transform", "Fn::Transform"},
    {"!Length", "Fn::Length"}, {"!ToJsonString", "Fn::ToJsonString"},
};

/* {name: value}; the value of !GetAtt in one word becomes [id, attribute]. NULL: unknown tag. */
static struct tpl_node *apply_tag(struct reader *r, struct str tag, struct tpl_node *value)
{
    if (tag.n == 0 || str_eq_c(tag, "!") || str_starts(tag, STR("tag:yaml.org,2002:")))
        return value;
    for (size_t i = 0; i < sizeof short_tags / sizeof short_tags[0]; i++) {
        if (!str_eq_c(tag, short_tags[i].tag))
            continue;
        struct tpl_node *n = tpl_node_new(r->arena, TPL_MAP, value->line);
        value->is_null = false;
        if (str_eq_c(tag, "!GetAtt") && value->kind == TPL_SCALAR) {
            struct tpl_node *parts = tpl_node_new(r->arena, TPL_SEQ, value->line);
            struct str rest = value->text, id = str_cut(&rest, '.');
            tpl_add(r->arena, parts, STR(""), value->line, tpl_scalar(r->arena, value->line, id));
            tpl_add(r->arena, parts, STR(""), value->line, tpl_scalar(r->arena, value->line, rest));
            value = parts;
        }
        tpl_add(r->arena, n, str_c(short_tags[i].name), value->line, value);
        return n;
    }
    tpl_fail(r->log, value->line, "unknown tag %.*s", STR_ARG(tag));
    return NULL;
}

/* --- nodes --- */

static struct tpl_node *read_node(struct reader *r, const yaml_event_t *e, unsigned depth);

static bool is_null_text(struct str s)
{
    return s.n == 0 || str_eq_c(s, "~") || str_eq_c(s, "null") || str_eq_c(s, "Null") ||
           str_eq_c(s, "NULL");
}

static bool check_weight(struct reader *r, const struct tpl_node *n, unsigned line)
{
    return n->weight <= TPL_WEIGHT_MAX && n->height <= TPL_HEIGHT_MAX
               ? true
               : tpl_fail(r->log, line,
                          "the template is too large or too deep once its aliases are followed");
}

static bool read_sequence(struct reader *r, struct tpl_node *n, unsigned depth)
{
    for (;;) {
        yaml_event_t e;
        if (!next_event(r, &e))
            return false;
        bool end = e.type == YAML_SEQUENCE_END_EVENT;
        struct tpl_node *item = end ? NULL : read_node(r, &e, depth + 1);
        yaml_event_delete(&e);
        if (end)
            return true;
        if (item == NULL)
            return false;
        tpl_add(r->arena, n, STR(""), item->line, item);
        if (!check_weight(r, n, item->line))
            return false;
    }
}

/* <<: what the mapping itself does not have comes from the mappings named. */
static bool merge(struct reader *r, struct tpl_node *n, struct map *seen,
                  const struct tpl_node *from, unsigned line)
{
    if (from->kind == TPL_SEQ) {
        for (size_t i = 0; i < from->count; i++) {
            if (from->pairs[i].value->kind == TPL_SEQ)
                return tpl_fail(r->log, line, "<< takes a mapping or a list of mappings");
            if (!merge(r, n, seen, from->pairs[i].value, line))
                return false;
        }
        return true;
    }
    if (from->kind != TPL_MAP)
        return tpl_fail(r->log, line, "<< takes a mapping or a list of mappings");
    for (size_t i = 0; i < from->count; i++) {
        if (map_get(seen, from->pairs[i].key) != NULL)
            continue;
        map_put(seen, from->pairs[i].key, n);
        tpl_add(r->arena, n, from->pairs[i].key, from->pairs[i].line, from->pairs[i].value);
    }
    return check_weight(r, n, line);
}

static bool read_pair(struct reader *r, struct tpl_node *n, struct map *seen,
                      const yaml_event_t *key, struct tpl_node **merges, unsigned depth)
{
    yaml_event_t e;
    unsigned line = (unsigned)key->start_mark.line + 1;
    if (key->type != YAML_SCALAR_EVENT)
        return tpl_fail(r->log, line, "a key must be a plain word");
    struct str name = text_of(r->arena, key->data.scalar.value, key->data.scalar.length);
    bool is_merge = key->data.scalar.plain_implicit && str_eq_c(name, "<<");
    if (!next_event(r, &e))
        return false;
    struct tpl_node *value = read_node(r, &e, depth + 1);
    yaml_event_delete(&e);
    if (value == NULL)
        return false;
    if (is_merge) {
        if (*merges == NULL)
            *merges = tpl_node_new(r->arena, TPL_SEQ, line);
        tpl_add(r->arena, *merges, STR(""), line, value);
        return check_weight(r, *merges, line);
    }
    if (map_put(seen, name, n) != NULL)
        tpl_warn(r->log, line, "%.*s is there twice; the last one counts", STR_ARG(name));
    tpl_add(r->arena, n, name, line, value);
    return check_weight(r, n, line);
}

static bool read_mapping(struct reader *r, struct tpl_node *n, unsigned depth)
{
    struct map seen;
    struct tpl_node *merges = NULL;
    bool ok = true, end = false;
    map_init(&seen);
    while (ok && !end) {
        yaml_event_t e;
        if (!next_event(r, &e)) {
            ok = false;
            break;
        }
        end = e.type == YAML_MAPPING_END_EVENT;
        if (!end)
            ok = read_pair(r, n, &seen, &e, &merges, depth);
        yaml_event_delete(&e);
    }
    for (size_t i = 0; ok && merges != NULL && i < merges->count; i++)
        ok = merge(r, n, &seen, merges->pairs[i].value, merges->pairs[i].line);
    map_release(&seen);
    return ok;
}

static struct tpl_node *read_alias(struct reader *r, const char *name, unsigned line)
{
    struct tpl_node *n = map_get(&r->anchors, str_c(name));
    if (n == NULL) /* also inside what the anchor stands for: no cycles */
        tpl_fail(r->log, line, "*%s: no anchor of that name before this line", name);
    return n;
}

static struct tpl_node *read_content(struct reader *r, const yaml_event_t *e, unsigned line,
                                     unsigned depth)
{
    struct tpl_node *n;
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        n = tpl_scalar(r->arena, line,
                       text_of(r->arena, e->data.scalar.value, e->data.scalar.length));
        n->is_plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        n->is_null = n->is_plain && is_null_text(n->text);
        return n;
    case YAML_SEQUENCE_START_EVENT:
        n = tpl_node_new(r->arena, TPL_SEQ, line);
        return read_sequence(r, n, depth) ? n : NULL;
    case YAML_MAPPING_START_EVENT:
        n = tpl_node_new(r->arena, TPL_MAP, line);
        return read_mapping(r, n, depth) ? n : NULL;
    default:
        tpl_fail(r->log, line, "a value is missing");
        return NULL;
    }
}

static struct tpl_node *read_node(struct reader *r, const yaml_event_t *e, unsigned depth)
{
    unsigned line = (unsigned)e->start_mark.line + 1;
    const unsigned char *anchor = NULL, *tag = NULL;
    if (depth > TPL_DEPTH_MAX) {
        tpl_fail(r->log, line, "nested deeper than %d levels", TPL_DEPTH_MAX);
        return NULL;
    }
    if (e->type == YAML_ALIAS_EVENT)
        return read_alias(r, (const char *)e->data.alias.anchor, line);
    if (e->type == YAML_SCALAR_EVENT) {
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
    }
    struct str tag_text = arena_str(r->arena, str_c((const char *)tag));
    struct tpl_node *n = read_content(r, e, line, depth);
    if (n != NULL && tag != NULL)
        n = apply_tag(r, tag_text, n);
    if (n != NULL && anchor != NULL)
        map_put(&r->anchors, str_c((const char *)anchor), n);
    return n;
}

static struct tpl_node *read_document(struct reader *r)
{
    struct tpl_node *root = NULL;
    bool more = true;
    while (more) {
        yaml_event_t e;
        if (!next_event(r, &e))
            return NULL;
        switch (e.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        case YAML_STREAM_END_EVENT:
            more = false;
            break;
        default:
            if (root != NULL)
                more =
                    tpl_fail(r->log, (unsigned)e.start_mark.line + 1, "a template is one document");
            else
                more = (root = read_node(r, &e, 1)) != NULL;
            if (!more)
                root = NULL;
        }
        yaml_event_delete(&e);
    }
    return root;
}

struct tpl_node *tpl_parse(struct tpl_log *log, struct str text)
{
    struct reader r = {.log = log, .arena = log->arena};
    struct tpl_node *root = NULL;
    struct str start = str_trim(text);
    if (text.n > TPL_FILE_MAX) {
        tpl_fail(log, 1, "the template is larger than %d bytes", TPL_FILE_MAX);
        return NULL;
    }
    if (start.n > 0 && start.p[0] == '{' && (root = tpl_parse_json(log, text)) != NULL)
        return root;
    if (log->err[0] != '\0' || !yaml_parser_initialize(&r.parser))
        return NULL;
    map_init(&r.anchors);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.n);
    root = read_document(&r);
    if (root == NULL)
        tpl_fail(log, 1, "the template is empty"); /* a no-op when something else was said */
    map_release(&r.anchors);
    yaml_parser_delete(&r.parser);
    return root;
}
