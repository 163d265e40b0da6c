/* The function's resource policy: kept and shown; not enforced. */
#include "function.h"
#include "ids.h"

static struct lam_function *find(struct call *c)
{
    return lam_function_resolve(
        c->svc->state, c->account, c->region, jval_text(jval_get(c->in, "FunctionName"), c->arena),
        jval_text(jval_get(c->in, "Qualifier"), c->arena), false, c->arena, &c->err);
}

/* The same record with another policy. */
static bool save_policy(struct call *c, struct lam_function *f, struct str policy)
{
    struct rie *r = c->svc->state;
    struct lam_function *next = lam_function_build(r, f, (struct jval){0}, f->account, f->region,
                                                   f->name, c->arena, &c->err);
    if (next == NULL)
        return false;
    next->policy_json = arena_str(next->mem, policy);
    if (!lam_function_save(r, next)) {
        lam_function_free(next);
        return aws_fail(&c->err, c->arena, &LAMBDA_ServiceException,
                        "The policy could not be stored.");
    }
    return true;
}

static struct jval statements(struct call *c, const struct lam_function *f)
{
    struct jval v = {0};
    if (f->policy_json.n > 0)
        json_parse(c->arena, arena_str(c->arena, f->policy_json), JSON_DEPTH_DEFAULT, &v, NULL);
    return v;
}

static struct str build_statement(struct call *c, const struct lam_function *f)
{
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    struct json_out w;
    struct str principal = jval_text(jval_get(c->in, "Principal"), c->arena);
    struct str source = jval_text(jval_get(c->in, "SourceArn"), c->arena);
    struct str account = jval_text(jval_get(c->in, "SourceAccount"), c->arena);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "Sid", jval_text(jval_get(c->in, "StatementId"), c->arena));
    json_cstr(&w, "Effect", "Allow");
    if (str_eq_c(principal, "*")) {
        json_cstr(&w, "Principal", "*");
    } else {
        json_obj(&w, "Principal");
        bool service = str_find(principal, '.') >= 0;
        int64_t digits;
        if (principal.n == 12 && str_to_i64(principal, &digits))
            principal = arena_fmt(c->arena, "arn:aws:iam::%.*s:root", STR_ARG(principal));
        json_str(&w, service ? "Service" : "AWS", principal);
        json_end(&w);
    }
    json_str(&w, "Action", jval_text(jval_get(c->in, "Action"), c->arena));
    json_str(&w, "Resource", f->arn);
    if (source.n > 0 || account.n > 0) {
        json_obj(&w, "Condition");
        if (account.n > 0) {
            json_obj(&w, "StringEquals");
            json_str(&w, "AWS:SourceAccount", account);
            json_end(&w);
        }
        if (source.n > 0) {
            json_obj(&w, "ArnLike");
            json_str(&w, "AWS:SourceArn", source);
            json_end(&w);
        }
        json_end(&w);
    }
    json_end(&w);
    return buf_view(b);
}

enum call_status lam_add_permission(struct call *c)
{
    struct lam_function *f = find(c);
    struct jval it = {0};
    struct json_out w;
    if (f == NULL)
        return CALL_FAILED;
    struct str sid = jval_text(jval_get(c->in, "StatementId"), c->arena);
    struct jval all = statements(c, f);
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    json_out_init(&w, b);
    json_arr(&w, NULL);
    while (jval_next(all, &it, NULL)) {
        if (str_eq(jval_text(jval_get(it, "Sid"), c->arena), sid))
            return CALL_FAIL(
                c, &LAMBDA_ResourceConflictException,
                "The statement id (%.*s) provided already exists. Please provide a new "
                "statement id, or remove the existing statement.",
                STR_ARG(sid));
        json_raw(&w, NULL, jval_raw(it));
    }
    struct str statement = build_statement(c, f);
    json_raw(&w, NULL, statement);
    json_end(&w);
    if (!save_policy(c, f, buf_view(b)))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_str(&c->out, "Statement", statement);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_get_policy(struct call *c)
{
    struct lam_function *f = find(c);
    if (f == NULL)
        return CALL_FAILED;
    if (f->policy_json.n <= 2)
        return CALL_FAIL(c, &LAMBDA_ResourceNotFoundException,
                         "The resource you requested does not exist.");
    json_obj(&c->out, NULL);
    json_str(&c->out, "Policy",
             arena_fmt(c->arena,
                       "{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":%.*s}",
                       STR_ARG(f->policy_json)));
    json_str(&c->out, "RevisionId", f->revision_id);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_remove_permission(struct call *c)
{
    struct lam_function *f = find(c);
    struct jval it = {0};
    struct json_out w;
    bool found = false;
    if (f == NULL)
        return CALL_FAILED;
    struct str sid = jval_text(jval_get(c->in, "StatementId"), c->arena);
    struct jval all = statements(c, f);
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    json_out_init(&w, b);
    json_arr(&w, NULL);
    while (jval_next(all, &it, NULL)) {
        if (str_eq(jval_text(jval_get(it, "Sid"), c->arena), sid))
            found = true;
        else
            json_raw(&w, NULL, jval_raw(it));
    }
    json_end(&w);
    if (!found)
        return CALL_FAIL(c, &LAMBDA_ResourceNotFoundException,
                         "Statement %.*s is not found in resource policy.", STR_ARG(sid));
    return save_policy(c, f, buf_view(b)) ? CALL_DONE : CALL_FAILED;
}
