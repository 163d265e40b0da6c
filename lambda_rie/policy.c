#include "policy.h"
#include "ids.h"

enum { POLICY_MAX = 20480 };

static struct str revision_of(struct call *c, const struct lam_policy *p)
{
    return jval_text(jval_get(p->doc, "RevisionId"), c->arena);
}

static struct str whole_policy(struct call *c, struct str list)
{
    return arena_fmt(c->arena, "{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":%.*s}",
                     STR_ARG(list));
}

void lam_policy_read(struct call *c, struct lam_policy *p)
{
    if (!lam_doc_get(c->svc->state, p->kind, p->key, c->arena, &p->doc))
        p->doc = (struct jval){0};
}

bool lam_policy_check_revision(struct call *c, const struct lam_policy *p)
{
    struct str asked = jval_text(jval_get(c->in, "RevisionId"), c->arena);
    return asked.n == 0 || str_eq(asked, revision_of(c, p)) ||
           aws_fail(&c->err, c->arena, &LAMBDA_PreconditionFailedException,
                    "The Revision Id provided does not match the latest Revision Id. Call the %s "
                    "API to retrieve the latest Revision Id",
                    p->api);
}

bool lam_policy_has(struct call *c, const struct lam_policy *p, struct str sid)
{
    struct jval it = {0}, list = jval_get(p->doc, "Statement");
    while (jval_next(list, &it, NULL)) {
        if (str_eq(jval_text(jval_get(it, "Sid"), c->arena), sid))
            return true;
    }
    return false;
}

/* Stores the statements of p without the one called sid and with the new one (p NULL: none). */
static bool save(struct call *c, struct lam_policy *p, struct str without, struct str statement,
                 struct str *ret_revision)
{
    struct buf *list = arena_new_buf(c->arena, 2 << 20), *doc = arena_new_buf(c->arena, 2 << 20);
    struct json_out w;
    struct jval it = {0}, before = jval_get(p->doc, "Statement");
    char *uuid = arena_alloc(c->arena, 37);
    size_t count = 0;
    json_out_init(&w, list);
    json_arr(&w, NULL);
    while (jval_next(before, &it, NULL)) {
        if (str_eq(jval_text(jval_get(it, "Sid"), c->arena), without))
            continue;
        json_raw(&w, NULL, jval_raw(it));
        count++;
    }
    if (statement.p != NULL) {
        json_raw(&w, NULL, statement);
        count++;
    }
    json_end(&w);
    if (list->overflow || whole_policy(c, buf_view(list)).n > POLICY_MAX)
        return aws_fail(&c->err, c->arena, &LAMBDA_PolicyLengthExceededException,
                        "The final policy size is bigger than the limit (%d).",
                        POLICY_MAX); /* unverified */
    ids_uuid(uuid);
    *ret_revision = str_c(uuid);
    json_out_init(&w, doc);
    json_obj(&w, NULL);
    json_str(&w, "RevisionId", *ret_revision);
    json_raw(&w, "Statement", buf_view(list));
    json_end(&w);
    return (count == 0 ? lam_doc_del(c->svc->state, p->kind, p->key)
                       : lam_doc_put(c->svc->state, p->kind, p->key, doc)) ||
           aws_fail(&c->err, c->arena, &LAMBDA_ServiceException, "The policy could not be stored.");
}

bool lam_policy_add(struct call *c, struct lam_policy *p, struct str sid, struct str statement,
                    struct str *ret_revision)
{
    if (lam_policy_has(c, p, sid))
        return aws_fail(&c->err, c->arena, &LAMBDA_ResourceConflictException,
                        "The statement id (%.*s) provided already exists. Please provide a new "
                        "statement id, or remove the existing statement.",
                        STR_ARG(sid));
    return lam_policy_check_revision(c, p) && save(c, p, STR_NONE, statement, ret_revision);
}

bool lam_policy_remove(struct call *c, struct lam_policy *p, struct str sid)
{
    struct str revision;
    if (!lam_policy_has(c, p, sid))
        return aws_fail(&c->err, c->arena, &LAMBDA_ResourceNotFoundException,
                        "Statement %.*s is not found in resource policy.", STR_ARG(sid));
    return save(c, p, sid, STR_NONE, &revision);
}

void lam_policy_reply(struct call *c, const struct lam_policy *p)
{
    json_obj(&c->out, NULL);
    json_str(&c->out, "Policy", whole_policy(c, jval_raw(jval_get(p->doc, "Statement"))));
    json_str(&c->out, "RevisionId", revision_of(c, p));
    json_end(&c->out);
}
