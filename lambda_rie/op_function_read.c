/* The operations that read functions. */
#include "codec.h"
#include "docs.h"
#include "function.h"

enum { PAGE_MAX = 50 };

static struct rie *rie_of(struct call *c)
{
    return c->svc->state;
}

/* An update whose code is still being unpacked shows. */
static enum lam_show show_of(struct call *c, const struct lam_function *f)
{
    struct str key = lam_function_key(c->arena, f->account, f->region, f->name);
    return map_get(&rie_of(c)->creating, key) != NULL ? LAM_SHOW_UPDATING : LAM_SHOW_ACTIVE;
}

/* The target of c; what runs must exist. */
static bool find(struct call *c, struct lam_target *ret)
{
    return lam_target_of_call(c, ret) &&
           (ret->f != NULL || lam_target_missing(ret, c->arena, &c->err));
}

enum call_status lam_get_function_configuration(struct call *c)
{
    struct lam_target t;
    if (!find(c, &t))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    lam_function_write_as(t.f, show_of(c, t.f), t.qualifier, &c->out);
    json_end(&c->out);
    return CALL_DONE;
}

/* Where the package can be downloaded; for local functions the folder itself. */
static struct str location(struct call *c, const struct lam_function *f)
{
    if (f->is_local)
        return arena_fmt(c->arena, "file://%.*s",
                         STR_ARG(codec_percent_encode(c->arena, f->code_dir, true)));
    return arena_fmt(c->arena, "%s/_puddle/code/%.*s/%.*s/%.*s", rie_of(c)->endpoint_url,
                     STR_ARG(f->account), STR_ARG(f->region), STR_ARG(f->id));
}

enum call_status lam_get_function(struct call *c)
{
    struct lam_target t;
    if (!find(c, &t))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_obj(&c->out, "Code");
    json_str(&c->out, "Location", location(c, t.f));
    json_cstr(&c->out, "RepositoryType", "S3");
    json_end(&c->out);
    if (t.latest->reserved >= 0) {
        json_obj(&c->out, "Concurrency");
        json_i64(&c->out, "ReservedConcurrentExecutions", t.latest->reserved);
        json_end(&c->out);
    }
    json_obj(&c->out, "Configuration");
    lam_function_write_as(t.f, show_of(c, t.f), t.qualifier, &c->out);
    json_end(&c->out);
    if (t.latest->tags_json.n > 0)
        json_raw(&c->out, "Tags", t.latest->tags_json);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_list_functions(struct call *c)
{
    struct lam_function **all;
    struct str after;
    size_t limit, given = 0, i = 0;
    bool versions = jval_present(jval_get(c->in, "FunctionVersion"));
    if (!lam_page_read(c, PAGE_MAX, &after, &limit))
        return CALL_FAILED;
    size_t n =
        lam_functions_sorted(rie_of(c), c->account, c->region, STR_NONE, versions, c->arena, &all);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Functions");
    while (i < n && after.n > 0 && str_cmp(all[i]->id, after) <= 0)
        i++;
    for (; i < n && given < limit; i++, given++) {
        json_obj(&c->out, NULL);
        lam_function_write(all[i], LAM_SHOW_LISTED, versions, &c->out);
        json_end(&c->out);
    }
    lam_page_end(c, &(struct lam_page){.next = i < n ? lam_page_marker(c->arena, all[i - 1]->id)
                                                     : STR_NONE});
    return CALL_DONE;
}
