/* The operations that read functions. */
#include "codec.h"
#include "function.h"
#include <stdlib.h>

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

/* Did the request name a version, in its own member or in the name? */
static bool is_qualified(struct call *c)
{
    struct lam_name n = {0};
    lam_name_parse(jval_text(jval_get(c->in, "FunctionName"), c->arena), &n);
    return n.qualifier.n > 0 || jval_text(jval_get(c->in, "Qualifier"), c->arena).n > 0;
}

enum call_status lam_get_function_configuration(struct call *c)
{
    struct lam_function *f = lam_function_of_call(c);
    if (f == NULL)
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    lam_function_write(f, show_of(c, f), is_qualified(c), &c->out);
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
                     STR_ARG(f->account), STR_ARG(f->region), STR_ARG(f->name));
}

enum call_status lam_get_function(struct call *c)
{
    struct lam_function *f = lam_function_of_call(c);
    if (f == NULL)
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_obj(&c->out, "Code");
    json_str(&c->out, "Location", location(c, f));
    json_cstr(&c->out, "RepositoryType", "S3");
    json_end(&c->out);
    json_obj(&c->out, "Configuration");
    lam_function_write(f, show_of(c, f), is_qualified(c), &c->out);
    json_end(&c->out);
    if (f->tags_json.n > 0)
        json_raw(&c->out, "Tags", f->tags_json);
    json_end(&c->out);
    return CALL_DONE;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp((*(struct lam_function *const *)a)->name,
                   (*(struct lam_function *const *)b)->name);
}

enum call_status lam_list_functions(struct call *c)
{
    struct rie *r = rie_of(c);
    int64_t max_items = PAGE_MAX;
    size_t n = 0, at = 0;
    void *value;
    struct str next = STR_NONE, marker = jval_text(jval_get(c->in, "Marker"), c->arena);
    struct lam_function **all =
        ARENA_ARRAY(c->arena, struct lam_function *, r->functions.count + 1);
    jval_i64(jval_get(c->in, "MaxItems"), &max_items);
    if (max_items > PAGE_MAX)
        max_items = PAGE_MAX;
    while (map_next(&r->functions, &at, NULL, &value)) {
        struct lam_function *f = value;
        if (str_eq(f->account, c->account) && str_eq(f->region, c->region))
            all[n++] = f;
    }
    qsort(all, n, sizeof *all, by_name);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Functions");
    bool all_versions = jval_present(jval_get(c->in, "FunctionVersion"));
    for (size_t i = 0; i < n; i++) {
        if (marker.n > 0 && str_cmp(all[i]->name, marker) < 0)
            continue;
        if (max_items-- == 0) {
            next = all[i]->name;
            break;
        }
        json_obj(&c->out, NULL);
        lam_function_write(all[i], show_of(c, all[i]), all_versions, &c->out);
        json_end(&c->out);
    }
    json_end(&c->out);
    if (next.n > 0)
        json_str(&c->out, "NextMarker", next);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_list_versions_by_function(struct call *c)
{
    struct lam_function *f = lam_function_of_call(c);
    if (f == NULL)
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Versions");
    json_obj(&c->out, NULL);
    lam_function_write(f, show_of(c, f), true, &c->out);
    json_end(&c->out);
    json_end(&c->out);
    json_end(&c->out);
    return CALL_DONE;
}

/* Code signing cannot be turned on here (lam_function_build refuses it), so there is none. */
enum call_status lam_get_function_code_signing_config(struct call *c)
{
    if (lam_function_of_call(c) == NULL)
        return CALL_FAILED;
    json_obj(&c->out, NULL); /* unverified: without a configuration the reply has no members */
    json_end(&c->out);
    return CALL_DONE;
}
