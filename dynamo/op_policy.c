/* PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy: for tables. AWS reorders a document's
 * members when it gives it back; here they keep their order. A RevisionId is the time of the
 * change. */
#include "ddb_internal.h"
#include "resource_policy.h"

#define INVALID "One or more parameter values were invalid: "
enum { POLICY_MAX = 20480 };

#define DOC_FAIL(...) aws_fail(err, a, &AWS_ValidationException, INVALID __VA_ARGS__)

bool resource_policy_check(struct str text, struct arena *a, struct str *ret, struct aws_err *err)
{
    struct jval doc;
    struct json_out w;
    if (text.n > POLICY_MAX)
        return DOC_FAIL("Maximum policy size of %d bytes exceeded", POLICY_MAX);
    if (!json_parse(a, text, JSON_DEPTH_DEFAULT, &doc, NULL) || jval_kind(doc) != JSON_OBJECT)
        return DOC_FAIL("Invalid policy document: This policy contains invalid Json");
    struct jval statement = jval_get(doc, "Statement"), it = {0};
    bool many = jval_kind(statement) == JSON_ARRAY;
    if (!jval_present(statement))
        return DOC_FAIL("Invalid policy document: Could not parse the policy: Statement is empty!");
    while (many ? jval_next(statement, &it, NULL) : it.doc == NULL) {
        if (!many)
            it = statement;
        if (!jval_present(jval_get(it, "Resource")) && !jval_present(jval_get(it, "NotResource")))
            return DOC_FAIL("Invalid policy document: Missing required field Resource");
    }
    struct buf *b = arena_new_buf(a, POLICY_MAX * 8);
    json_out_init(&w, b);
    json_copy(&w, NULL, doc);
    *ret = buf_view(b);
    return true;
}

struct str resource_policy_stored(struct str text, int64_t now_ms, struct arena *a)
{
    struct json_out w;
    struct buf *b = arena_new_buf(a, POLICY_MAX * 64);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "Policy", text);
    json_str(&w, "RevisionId", arena_fmt(a, "%lld", (long long)now_ms));
    json_end(&w);
    return buf_view(b);
}

struct policy { /* of one table */
    bool there;
    struct str text, revision;
};

static struct policy policy_of(struct call *c, const struct table *t)
{
    struct jval v = jval_get(t->def, "ResourcePolicyDocument");
    /* copies: they outlive a change of the definition */
    return (struct policy){jval_present(v),
                           arena_str(c->arena, jval_text(jval_get(v, "Policy"), c->arena)),
                           arena_str(c->arena, jval_text(jval_get(v, "RevisionId"), c->arena))};
}

static struct str arn_of(struct call *c)
{
    return jval_text(jval_get(c->in, "ResourceArn"), c->arena);
}

static struct table *find(struct call *c)
{
    struct str arn = arn_of(c);
    if (str_find_str(arn, STR("/stream/")) > 0) {
        aws_fail(&c->err, c->arena, &AWS_ValidationException,
                 "Puddle does not support resource policies of streams");
        return NULL;
    }
    struct table *t = ddb_table_of_arn_or_fail(c, arn);
    if (t == NULL && c->err.kind == &DYNAMODB_ResourceNotFoundException)
        c->err.message = arena_fmt(c->arena, "Requested resource not found: Table: %.*s not found",
                                   STR_ARG(str_sub(arn, (size_t)str_rfind(arn, '/') + 1, arn.n)));
    return t;
}

static bool check_revision(struct call *c, const struct table *t, const struct policy *p)
{
    struct str want = jval_text(jval_get(c->in, "ExpectedRevisionId"), c->arena);
    if (want.n == 0 || (p->there && str_eq(want, p->revision)))
        return true;
    if (!p->there && str_eq_c(want, "NO_POLICY"))
        return true;
    if (p->there)
        return aws_fail(&c->err, c->arena, &DYNAMODB_PolicyNotFoundException,
                        "Resource-based policy not found for the provided ResourceArn: Requested "
                        "update for policy with revision id %.*s, but the policy associated to "
                        "target table %.*s has revision id %.*s.",
                        STR_ARG(want), STR_ARG(t->name), STR_ARG(p->revision));
    /* unverified: how this text ends */
    return aws_fail(&c->err, c->arena, &DYNAMODB_PolicyNotFoundException,
                    "Resource-based policy not found for the provided ResourceArn: Requested "
                    "update for policy with revision id %.*s, but table %.*s has no associated "
                    "policy.",
                    STR_ARG(want), STR_ARG(t->name));
}

/* json empty: it is taken away. */
static enum call_status store(struct call *c, struct table *t, struct str json, struct str revision)
{
    struct table_edit edit = {"ResourcePolicyDocument", json};
    if (!ddb_define(c, t, &edit, 1))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_str(&c->out, "RevisionId", revision);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status ddb_put_resource_policy(struct call *c)
{
    struct str text;
    struct table *t = find(c);
    if (t == NULL || !resource_policy_check(jval_text(jval_get(c->in, "Policy"), c->arena),
                                            c->arena, &text, &c->err))
        return CALL_FAILED;
    struct policy p = policy_of(c, t);
    if (!check_revision(c, t, &p))
        return CALL_FAILED;
    int64_t revision = c->now_ms, old;
    if (p.there && str_to_i64(p.revision, &old) && old >= revision)
        revision = old + 1;
    if (p.there && str_eq(p.text, text)) { /* the same again changes nothing */
        json_obj(&c->out, NULL);
        json_str(&c->out, "RevisionId", p.revision);
        json_end(&c->out);
        return CALL_DONE;
    }
    return store(c, t, resource_policy_stored(text, revision, c->arena),
                 arena_fmt(c->arena, "%lld", (long long)revision));
}

static enum call_status not_there(struct call *c)
{
    return CALL_FAIL(c, &DYNAMODB_PolicyNotFoundException,
                     "Resource-based policy not found for the provided ResourceArn: %.*s",
                     STR_ARG(arn_of(c)));
}

enum call_status ddb_get_resource_policy(struct call *c)
{
    const struct table *t = find(c);
    if (t == NULL)
        return CALL_FAILED;
    struct policy p = policy_of(c, t);
    if (!p.there)
        return not_there(c);
    json_obj(&c->out, NULL);
    json_str(&c->out, "Policy", p.text);
    json_str(&c->out, "RevisionId", p.revision);
    json_end(&c->out);
    return CALL_DONE;
}

/* Deleting what is not there succeeds, with an empty reply. */
enum call_status ddb_delete_resource_policy(struct call *c)
{
    struct table *t = find(c);
    if (t == NULL)
        return CALL_FAILED;
    struct policy p = policy_of(c, t);
    if (!check_revision(c, t, &p))
        return CALL_FAILED;
    if (p.there)
        return store(c, t, STR_NONE, p.revision);
    json_obj(&c->out, NULL);
    json_end(&c->out);
    return CALL_DONE;
}
