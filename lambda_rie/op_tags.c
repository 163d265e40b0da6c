/* Tags of functions, event source mappings and code signing configurations. */
#include "arn.h"
#include "aws_tags.h"
#include "docs.h"
#include "function.h"

static struct rie *rie_of(struct call *c)
{
    return c->svc->state;
}

struct tagged { /* what Resource names: a function, or a document with a member Tags */
    struct lam_function *f;
    const char *kind;
    struct str key;
    struct jval doc, tags;
};

static bool find_doc(struct call *c, struct str arn, struct str kind, struct str id,
                     struct tagged *ret)
{
    static const struct {
        const char *kind, *doc, *missing;
    } kinds[] = {{"event-source-mapping", DOC_MAPPING, "Event source mapping not found: %.*s"},
                 {"code-signing-config", DOC_SIGNING, "Code signing config not found: %.*s"},
                 {"capacity-provider", "", "Capacity provider not found: %.*s"},
                 {"layer", "", "Puddle does not support tags of layers yet: %.*s"}};
    size_t i = 0;
    while (!str_eq_c(kind, kinds[i].kind) && i < 3) /* the model lets only these through */
        i++;
    ret->kind = kinds[i].doc;
    ret->key = lam_doc_key(c->arena, c->account, c->region, "%.*s", STR_ARG(id));
    if (!lam_doc_get(rie_of(c), ret->kind, ret->key, c->arena, &ret->doc))
        return aws_fail(&c->err, c->arena, &LAMBDA_ResourceNotFoundException, kinds[i].missing,
                        STR_ARG(arn));
    ret->tags = jval_get(ret->doc, "Tags");
    return true;
}

static bool find(struct call *c, struct tagged *ret)
{
    struct str text = jval_text(jval_get(c->in, "Resource"), c->arena);
    struct lam_target t;
    struct arn arn;
    *ret = (struct tagged){0};
    if (arn_parse(text, &arn) && !str_starts(arn.resource, STR("function:"))) {
        struct str rest = arn.resource, kind = str_cut(&rest, ':');
        return find_doc(c, text, kind, rest, ret);
    }
    if (!lam_target_find(rie_of(c), c->account, c->region, text, STR_NONE, c->arena, &t, &c->err))
        return false;
    if (t.qualifier.n > 0)
        return aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException,
                        "Tags on function aliases and versions are not supported. Please specify "
                        "a function ARN.");
    if (t.latest == NULL)
        return lam_target_missing(&t, c->arena, &c->err);
    ret->f = t.latest;
    if (t.latest->tags_json.n > 0)
        json_parse(c->arena, t.latest->tags_json, JSON_DEPTH_DEFAULT, &ret->tags, NULL);
    return true;
}

static bool save_function(struct call *c, const struct tagged *g, struct str tags, size_t count)
{
    struct lam_function *next = lam_function_copy(g->f);
    next->tags_json = count > 0 ? arena_str(next->mem, tags) : STR_NONE;
    if (lam_function_save(rie_of(c), next, LAM_CHANGE_NOTES))
        return true;
    lam_function_free(next);
    return false;
}

static bool save_doc(struct call *c, const struct tagged *g, struct str tags)
{
    struct buf *b = arena_new_buf(c->arena, 4 << 20);
    struct jval it = {0};
    struct json_out w;
    struct str key;
    json_out_init(&w, b);
    json_obj(&w, NULL);
    while (jval_next(g->doc, &it, &key)) {
        if (str_eq_c(key, "Tags"))
            continue;
        json_key(&w, key);
        json_copy(&w, NULL, it);
    }
    json_raw(&w, "Tags", tags);
    json_end(&w);
    return lam_doc_put(rie_of(c), g->kind, g->key, b);
}

/* g's tags without those in keys (a list) and with those of added (an object). */
static enum call_status change(struct call *c, const struct tagged *g, struct jval keys,
                               struct jval added)
{
    struct jval v;
    size_t count;
    struct str tags = aws_tags_merge(g->tags, keys, added, c->arena, &count);
    if (!json_parse(c->arena, tags, JSON_DEPTH_DEFAULT, &v, NULL) ||
        !lam_tags_check(v, c->arena, &c->err))
        return CALL_FAILED;
    if (!(g->f != NULL ? save_function(c, g, tags, count) : save_doc(c, g, tags)))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The tags could not be stored.");
    return CALL_DONE;
}

enum call_status lam_list_tags(struct call *c)
{
    struct tagged g;
    if (!find(c, &g))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    if (jval_present(g.tags)) {
        json_copy(&c->out, "Tags", g.tags);
    } else {
        json_obj(&c->out, "Tags");
        json_end(&c->out);
    }
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_tag_resource(struct call *c)
{
    struct tagged g;
    struct jval added = jval_get(c->in, "Tags");
    if (jval_count(added) == 0)
        return CALL_FAIL(c, &LAMBDA_InvalidParameterValueException,
                         "An error occurred and the request cannot be processed.");
    if (!find(c, &g) || !lam_tags_check(added, c->arena, &c->err))
        return CALL_FAILED;
    return change(c, &g, (struct jval){0}, added);
}

enum call_status lam_untag_resource(struct call *c)
{
    struct tagged g;
    if (!find(c, &g))
        return CALL_FAILED;
    return change(c, &g, jval_get(c->in, "TagKeys"), (struct jval){0});
}
