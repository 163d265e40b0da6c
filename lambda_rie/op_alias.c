/* Aliases: names for versions, with a second version that takes a share of the invocations. The
 * stored document is what GetAlias answers. */
#include "docs.h"
#include "function.h"
#include "ids.h"

enum { PAGE_MAX = 50 };

static struct rie *rie_of(struct call *c)
{
    return c->svc->state;
}

static struct str text_of(struct call *c, const char *member)
{
    return jval_text(jval_get(c->in, member), c->arena);
}

struct str lam_alias_pick(struct jval alias, struct arena *a)
{
    struct jval it = {0},
                weights = jval_get(jval_get(alias, "RoutingConfig"), "AdditionalVersionWeights");
    double dice = (double)(ids_random_u64() >> 11) / (double)(UINT64_C(1) << 53), weight = 0;
    while (jval_next(weights, &it, NULL)) {
        if (jval_double(it, &weight) && dice < weight)
            return jval_key_str(it, a);
        dice -= weight;
    }
    return jval_text(jval_get(alias, "FunctionVersion"), a);
}

struct alias { /* what is about to be stored */
    struct lam_target t;
    struct str name, version, description;
    struct jval weights;
};

static struct str key_of(struct call *c, const struct alias *al)
{
    return lam_doc_key(c->arena, al->t.account, al->t.region, "%.*s/%.*s", STR_ARG(al->t.name),
                       STR_ARG(al->name));
}

/* The function of c; t's qualifier becomes the alias's name. */
static bool find_function(struct call *c, struct alias *al)
{
    *al = (struct alias){.name = text_of(c, "Name")};
    if (!lam_target_find(rie_of(c), c->account, c->region, text_of(c, "FunctionName"), STR_NONE,
                         c->arena, &al->t, &c->err))
        return false;
    al->t.qualifier = STR_NONE;
    return true;
}

static bool version_exists(struct call *c, struct alias *al, struct str version)
{
    struct lam_target t = al->t;
    t.qualifier = version;
    if (t.latest != NULL && (str_eq_c(version, "$LATEST") ||
                             lam_function_find_version(rie_of(c), t.latest, version) != NULL))
        return true;
    return lam_target_missing(&t, c->arena, &c->err);
}

static bool check_weights(struct call *c, struct alias *al)
{
    const struct aws_err_kind *bad = &LAMBDA_InvalidParameterValueException;
    struct jval it = {0};
    if (jval_count(al->weights) > 1)
        return aws_fail(&c->err, c->arena, bad,
                        "Number of items in AdditionalVersionWeights cannot be greater than 1");
    if (!jval_next(al->weights, &it, NULL))
        return true;
    struct str other = jval_key_str(it, c->arena);
    if (str_eq(other, al->version))
        return aws_fail(&c->err, c->arena, bad,
                        "Invalid function version %.*s. Function version %.*s is already included "
                        "in routing configuration.",
                        STR_ARG(other), STR_ARG(other));
    if (str_eq_c(al->version, "$LATEST"))
        return aws_fail(&c->err, c->arena, &lam_invalid_untyped,
                        "$LATEST is not supported for an alias pointing to more than 1 version");
    return version_exists(c, al, other);
}

static enum call_status save(struct call *c, struct alias *al)
{
    struct buf *b = arena_new_buf(c->arena, 64 * 1024);
    struct json_out w;
    char uuid[37];
    ids_uuid(uuid);
    json_out_init(&w, b);
    al->t.qualifier = al->name;
    json_obj(&w, NULL);
    json_str(&w, "AliasArn", lam_target_arn(&al->t, c->arena));
    json_str(&w, "Description", al->description);
    json_str(&w, "FunctionVersion", al->version);
    json_str(&w, "Name", al->name);
    json_cstr(&w, "RevisionId", uuid);
    if (jval_count(al->weights) > 0) {
        json_obj(&w, "RoutingConfig");
        json_copy(&w, "AdditionalVersionWeights", al->weights);
        json_end(&w);
    }
    json_end(&w);
    if (!lam_doc_put(rie_of(c), DOC_ALIAS, key_of(c, al), b))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The alias could not be stored.");
    json_raw(&c->out, NULL, buf_view(b));
    return CALL_DONE;
}

enum call_status lam_create_alias(struct call *c)
{
    struct alias al;
    struct jval before;
    if (!find_function(c, &al))
        return CALL_FAILED;
    al.version = text_of(c, "FunctionVersion");
    al.description = text_of(c, "Description");
    al.weights = jval_get(jval_get(c->in, "RoutingConfig"), "AdditionalVersionWeights");
    if (!version_exists(c, &al, al.version))
        return CALL_FAILED;
    if (lam_doc_get(rie_of(c), DOC_ALIAS, key_of(c, &al), c->arena, &before))
        return CALL_FAIL(c, &LAMBDA_ResourceConflictException, "Alias already exists: %.*s",
                         STR_ARG(jval_text(jval_get(before, "AliasArn"), c->arena)));
    return check_weights(c, &al) ? save(c, &al) : CALL_FAILED;
}

/* The alias of c, with al filled from it. */
static bool find_alias(struct call *c, struct alias *al, const char *missing, struct jval *ret)
{
    if (!find_function(c, al))
        return false;
    if (al->t.latest == NULL)
        return lam_target_missing(&al->t, c->arena, &c->err);
    al->t.qualifier = al->name;
    if (!lam_doc_get(rie_of(c), DOC_ALIAS, key_of(c, al), c->arena, ret))
        return aws_fail(&c->err, c->arena, &LAMBDA_ResourceNotFoundException, "%s: %.*s", missing,
                        STR_ARG(lam_target_arn(&al->t, c->arena)));
    al->version = jval_text(jval_get(*ret, "FunctionVersion"), c->arena);
    al->description = jval_text(jval_get(*ret, "Description"), c->arena);
    al->weights = jval_get(jval_get(*ret, "RoutingConfig"), "AdditionalVersionWeights");
    return true;
}

enum call_status lam_update_alias(struct call *c)
{
    struct alias al;
    struct jval alias, routing = jval_get(c->in, "RoutingConfig");
    struct jval version = jval_get(c->in, "FunctionVersion");
    if (!find_alias(c, &al, "Alias not found", &alias) ||
        !lam_check_revision(c, text_of(c, "RevisionId"),
                            jval_text(jval_get(alias, "RevisionId"), c->arena)))
        return CALL_FAILED;
    struct str before = al.version;
    if (jval_present(version)) {
        al.version = jval_text(version, c->arena);
        if (!version_exists(c, &al, al.version))
            return CALL_FAILED;
    }
    if (jval_present(jval_get(c->in, "Description")))
        al.description = text_of(c, "Description");
    if (jval_present(routing))
        al.weights = jval_get(routing, "AdditionalVersionWeights");
    if (!check_weights(c, &al))
        return CALL_FAILED;
    enum call_status status = save(c, &al);
    if (status == CALL_DONE && !str_eq(before, al.version) &&
        !lam_provisioned_follow(rie_of(c), al.t.latest, al.name, before, al.version, c->arena))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The alias could not be stored.");
    return status;
}

enum call_status lam_get_alias(struct call *c)
{
    struct alias al;
    struct jval alias;
    if (!find_alias(c, &al, "Cannot find alias arn", &alias))
        return CALL_FAILED;
    json_copy(&c->out, NULL, alias);
    return CALL_DONE;
}

enum call_status lam_delete_alias(struct call *c)
{
    struct alias al;
    struct rie *r = rie_of(c);
    if (!find_function(c, &al))
        return CALL_FAILED;
    if (al.t.latest == NULL) {
        lam_target_missing(&al.t, c->arena, &c->err);
        return CALL_FAILED;
    }
    struct str key = key_of(c, &al);
    al.t.qualifier = al.name;
    if (!lam_provisioned_drop(r, al.t.latest, al.name, c->arena) ||
        !lam_url_delete(r, key, c->arena) || !lam_qualifier_delete(r, &al.t, c->arena) ||
        !lam_doc_del(r, DOC_ALIAS, key))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The alias could not be deleted.");
    c->out_status = 204; /* also when there is no such alias */
    return CALL_DONE;
}

enum call_status lam_list_aliases(struct call *c)
{
    struct lam_page page;
    struct lam_function *f = lam_latest_of_call(c);
    struct str version = text_of(c, "FunctionVersion");
    if (f == NULL ||
        !lam_doc_page(c, DOC_ALIAS,
                      lam_doc_key(c->arena, f->account, f->region, "%.*s/", STR_ARG(f->name)),
                      PAGE_MAX, &page))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Aliases");
    for (size_t i = 0; i < page.count; i++) {
        if (version.n == 0 ||
            str_eq(version, jval_text(jval_get(page.docs[i].v, "FunctionVersion"), c->arena)))
            json_raw(&c->out, NULL, page.docs[i].text);
    }
    lam_page_end(c, &page);
    return CALL_DONE;
}
