/* The function's resource policy: kept and shown; not enforced. It has a revision of its own, and
 * changing it leaves the function and its execution environments as they are. */
#include "function.h"
#include "ids.h"

enum { POLICY_MAX = 20480 };

static struct jval statements(struct call *c, const struct lam_function *f)
{
    struct jval v = {0};
    if (f->policy_json.n > 0)
        json_parse(c->arena, f->policy_json, JSON_DEPTH_DEFAULT, &v, NULL);
    return v;
}

static struct str whole_policy(struct call *c, struct str list)
{
    return arena_fmt(c->arena, "{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":%.*s}",
                     STR_ARG(list));
}

static bool check_revision(struct call *c, const struct lam_function *f)
{
    struct str revision = jval_text(jval_get(c->in, "RevisionId"), c->arena);
    return revision.n == 0 || str_eq(revision, f->policy_revision) ||
           aws_fail(&c->err, c->arena, &LAMBDA_PreconditionFailedException,
                    "The Revision Id provided does not match the latest Revision Id. Call the "
                    "GetPolicy API to retrieve the latest Revision Id");
}

/* list: the array of statements. */
static bool save_policy(struct call *c, struct lam_function *f, const struct buf *list)
{
    char uuid[37];
    size_t size = list->overflow ? SIZE_MAX : whole_policy(c, buf_view(list)).n;
    if (size > POLICY_MAX)
        return aws_fail(&c->err, c->arena, &LAMBDA_PolicyLengthExceededException,
                        "The final policy size is bigger than the limit (%d).",
                        POLICY_MAX); /* unverified */
    struct lam_function *next = lam_function_copy(f);
    ids_uuid(uuid);
    next->policy_json = list->n > 2 ? arena_buf(next->mem, list) : STR_NONE;
    next->policy_revision = arena_str(next->mem, str_c(uuid));
    if (!lam_function_save(c->svc->state, next, LAM_CHANGE_NOTES)) {
        lam_function_free(next);
        return aws_fail(&c->err, c->arena, &LAMBDA_ServiceException,
                        "The policy could not be stored.");
    }
    return true;
}

/* ---- AddPermission ---- */

static bool is_account(struct str s)
{
    int64_t digits;
    return s.n == 12 && s.p[0] != '-' && str_to_i64(s, &digits);
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

static bool build_statement(struct call *c, const struct lam_function *f, struct str *ret)
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
    json_str(&w, "Resource", f->arn);
    write_condition(c, &w);
    json_end(&w);
    *ret = buf_view(b);
    return !b->overflow || aws_fail(&c->err, c->arena, &LAMBDA_PolicyLengthExceededException,
                                    "The final policy size is bigger than the limit (%d).",
                                    POLICY_MAX); /* unverified */
}

enum call_status lam_add_permission(struct call *c)
{
    struct str qualifier = text_of(c, "Qualifier"), sid = text_of(c, "StatementId"), statement;
    struct jval it = {0};
    struct json_out w;
    if (str_eq_c(qualifier, "$LATEST"))
        return CALL_FAIL(c, &LAMBDA_InvalidParameterValueException,
                         "We currently do not support adding policies for $LATEST.");
    struct lam_function *f = lam_function_of_call(c);
    if (f == NULL || !build_statement(c, f, &statement))
        return CALL_FAILED;
    struct jval all = statements(c, f);
    struct buf *b = arena_new_buf(c->arena, 2 << 20);
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
    json_raw(&w, NULL, statement);
    json_end(&w);
    if (!check_revision(c, f) || !save_policy(c, f, b))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_str(&c->out, "Statement", statement);
    json_end(&c->out);
    return CALL_DONE;
}

/* ---- GetPolicy, RemovePermission ---- */

enum call_status lam_get_policy(struct call *c)
{
    struct lam_function *f = lam_function_of_call(c);
    if (f == NULL)
        return CALL_FAILED;
    if (f->policy_json.n == 0)
        return CALL_FAIL(c, &LAMBDA_ResourceNotFoundException,
                         "The resource you requested does not exist.");
    json_obj(&c->out, NULL);
    json_str(&c->out, "Policy", whole_policy(c, f->policy_json));
    json_str(&c->out, "RevisionId", f->policy_revision);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_remove_permission(struct call *c)
{
    struct lam_name n;
    struct str sid = text_of(c, "StatementId");
    struct jval it = {0};
    struct json_out w;
    bool found = false;
    if (lam_name_parse(text_of(c, "FunctionName"), &n) && n.region.n == 0 && n.account.n == 0 &&
        lam_function_find(c->svc->state, c->account, c->region, n.name) == NULL)
        return CALL_FAIL(c, &LAMBDA_ResourceNotFoundException,
                         "No policy found for: arn:aws:lambda:%.*s:%.*s:function:%.*s",
                         STR_ARG(c->region), STR_ARG(c->account), STR_ARG(n.name));
    struct lam_function *f = lam_function_of_call(c);
    if (f == NULL)
        return CALL_FAILED;
    if (f->policy_json.n == 0)
        return CALL_FAIL(c, &LAMBDA_ResourceNotFoundException,
                         "No policy is associated with the given resource.");
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
    return check_revision(c, f) && save_policy(c, f, b) ? CALL_DONE : CALL_FAILED;
}
