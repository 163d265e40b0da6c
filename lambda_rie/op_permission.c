/* The resource policies of functions, versions and aliases (policy.h). Changing one leaves the
 * function and its execution environments as they are. */
#include "function.h"
#include "policy.h"

/* ---- AddPermission ---- */

static bool is_account(struct str s)
{
    return s.n == 12 && lam_is_number(s);
}

/* "*", an account, an IAM ARN or the name of a service. */
static bool write_principal(struct call *c, struct json_out *w, struct str principal)
{
    struct arena *a = c->arena;
    if (str_eq_c(principal, "*")) {
        json_cstr(w, "Principal", "*");
        return true;
    }
    json_obj(w, "Principal");
    if (is_account(principal))
        json_str(w, "AWS", arena_fmt(a, "arn:aws:iam::%.*s:root", STR_ARG(principal)));
    else if (str_starts(principal, STR("arn:")) && str_find_str(principal, STR(":iam::")) > 0)
        json_str(w, "AWS", principal);
    else if (str_ends(principal, STR(".amazonaws.com")) ||
             str_ends(principal, STR(".amazonaws.com.cn")) ||
             str_ends(principal, STR(".amazon.com")))
        json_str(w, "Service", principal);
    else
        return aws_fail(&c->err, a, &LAMBDA_InvalidParameterValueException,
                        "The provided principal was invalid. Please check the principal and try "
                        "again.");
    json_end(w);
    return true;
}

static struct str text_of(struct call *c, const char *member)
{
    return jval_text(jval_get(c->in, member), c->arena);
}

static void write_condition(struct call *c, struct json_out *w)
{
    static const struct {
        const char *key, *member;
    } equal[] = {{"AWS:SourceAccount", "SourceAccount"},
                 {"lambda:EventSourceToken", "EventSourceToken"},
                 {"lambda:FunctionUrlAuthType", "FunctionUrlAuthType"},
                 {"aws:PrincipalOrgID", "PrincipalOrgID"}};
    enum { EQUAL = sizeof equal / sizeof *equal };
    struct str source = text_of(c, "SourceArn");
    bool by_url = false, has_url = jval_bool(jval_get(c->in, "InvokedViaFunctionUrl"), &by_url);
    size_t count = 0;
    for (size_t i = 0; i < EQUAL; i++)
        count += text_of(c, equal[i].member).n > 0;
    if (count == 0 && source.n == 0 && !has_url)
        return;
    json_obj(w, "Condition");
    if (has_url) {
        json_obj(w, "Bool");
        json_cstr(w, "lambda:InvokedViaFunctionUrl", by_url ? "true" : "false");
        json_end(w);
    }
    if (count > 0) {
        json_obj(w, "StringEquals");
        for (size_t i = 0; i < EQUAL; i++) {
            if (text_of(c, equal[i].member).n > 0)
                json_str(w, equal[i].key, text_of(c, equal[i].member));
        }
        json_end(w);
    }
    if (source.n > 0) {
        json_obj(w, "ArnLike");
        json_str(w, "AWS:SourceArn", source);
        json_end(w);
    }
    json_end(w);
}

static bool build_statement(struct call *c, const struct lam_target *t, struct str *ret)
{
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    struct json_out w;
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "Sid", text_of(c, "StatementId"));
    json_cstr(&w, "Effect", "Allow");
    if (!write_principal(c, &w, text_of(c, "Principal")))
        return false;
    json_str(&w, "Action", text_of(c, "Action"));
    json_str(&w, "Resource", lam_target_arn(t, c->arena));
    write_condition(c, &w);
    json_end(&w);
    *ret = buf_view(b);
    return !b->overflow || aws_fail(&c->err, c->arena, &LAMBDA_PolicyLengthExceededException,
                                    "The final policy size is bigger than the limit.");
}

static struct lam_policy policy_of(struct call *c, const struct lam_target *t)
{
    struct lam_policy p = {
        .kind = DOC_POLICY,
        .api = "GetPolicy",
        .key = lam_doc_key(c->arena, t->account, t->region, "%.*s/%.*s", STR_ARG(t->name),
                           STR_ARG(t->qualifier.n > 0 ? t->qualifier : STR("$LATEST")))};
    lam_policy_read(c, &p);
    return p;
}

/* The qualifier must lead somewhere. */
static bool check_qualifier(struct call *c, const struct lam_target *t)
{
    if (t->f != NULL)
        return true;
    if (lam_is_number(t->qualifier) || str_find(t->qualifier, '$') >= 0)
        return lam_target_missing(t, c->arena, &c->err);
    return aws_fail(&c->err, c->arena, &LAMBDA_ResourceNotFoundException,
                    "Cannot find alias arn: %.*s", STR_ARG(lam_target_arn(t, c->arena)));
}

/* The function of c, whatever its qualifier. */
static bool check_function(struct call *c, const struct lam_target *t)
{
    struct lam_target plain = *t;
    plain.qualifier = STR_NONE;
    return t->latest != NULL || lam_target_missing(&plain, c->arena, &c->err);
}

enum call_status lam_add_permission(struct call *c)
{
    struct lam_target t;
    struct str statement, revision;
    if (!lam_target_of_call(c, &t))
        return CALL_FAILED;
    if (str_eq_c(t.qualifier, "$LATEST"))
        return CALL_FAIL(c, &LAMBDA_InvalidParameterValueException,
                         "We currently do not support adding policies for $LATEST.");
    if (!check_function(c, &t) || !check_qualifier(c, &t) || !build_statement(c, &t, &statement))
        return CALL_FAILED;
    struct lam_policy p = policy_of(c, &t);
    if (!lam_policy_add(c, &p, text_of(c, "StatementId"), statement, &revision))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_str(&c->out, "Statement", statement);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_get_policy(struct call *c)
{
    struct lam_target t;
    if (!lam_target_of_call(c, &t) || !check_function(c, &t))
        return CALL_FAILED;
    struct lam_policy p = policy_of(c, &t);
    if (!jval_present(p.doc))
        return CALL_FAIL(c, &LAMBDA_ResourceNotFoundException,
                         "The resource you requested does not exist.");
    lam_policy_reply(c, &p);
    return CALL_DONE;
}

enum call_status lam_remove_permission(struct call *c)
{
    struct lam_target t;
    if (!lam_target_of_call(c, &t))
        return CALL_FAILED;
    if (t.latest == NULL) {
        t.qualifier = STR_NONE;
        return CALL_FAIL(c, &LAMBDA_ResourceNotFoundException, "No policy found for: %.*s",
                         STR_ARG(lam_target_arn(&t, c->arena)));
    }
    if (!check_qualifier(c, &t))
        return CALL_FAILED;
    struct lam_policy p = policy_of(c, &t);
    if (!jval_present(p.doc))
        return CALL_FAIL(c, &LAMBDA_ResourceNotFoundException,
                         "No policy is associated with the given resource.");
    struct str sid = text_of(c, "StatementId");
    if (lam_policy_has(c, &p, sid) && !lam_policy_check_revision(c, &p))
        return CALL_FAILED;
    return lam_policy_remove(c, &p, sid) ? CALL_DONE : CALL_FAILED;
}
