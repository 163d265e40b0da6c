/* REST-JSON: method and path name the operation; its input comes from path, query, headers and
 * body, which are merged into one JSON text so that the validator and the handler see one object.
 * URI, query and header members are written last: of duplicate keys the last one wins. */
#include "codec.h"
#include "panic.h"
#include "wire.h"
#include <string.h>

enum {
    REST_PARAMS_MAX = 12,
    MERGED_MAX = 256 << 20 /* net's body limit and the request head, each byte escaped */
};

struct wire_rest_match {
    struct {
        struct str name, value; /* value decoded */
    } params[REST_PARAMS_MAX];
    size_t count;
};

static struct str strip_slash(struct str path)
{
    return path.n > 1 && path.p[path.n - 1] == '/' ? str_sub(path, 0, path.n - 1) : path;
}

static bool match_uri(const char *uri, struct str path, struct arena *a, struct wire_rest_match *m)
{
    struct str pattern = str_c(uri);
    pattern = strip_slash(str_cut(&pattern, '?')); /* fixed query parts only tell siblings apart */
    path = strip_slash(path);
    m->count = 0;
    for (;;) {
        struct str want = str_cut(&pattern, '/');
        if (want.n > 2 && want.p[0] == '{' && want.p[want.n - 2] == '+') {
            /* greedy: the rest, less what the pattern still wants (no model has anything) */
            if (path.n == 0 || m->count == REST_PARAMS_MAX)
                return false;
            m->params[m->count].name = str_sub(want, 1, want.n - 2);
            m->params[m->count++].value = codec_percent_decode(a, path, false);
            return pattern.p == NULL;
        }
        struct str got = str_cut(&path, '/');
        if (want.n > 1 && want.p[0] == '{') {
            if (got.n == 0 || m->count == REST_PARAMS_MAX)
                return false;
            m->params[m->count].name = str_sub(want, 1, want.n - 1);
            m->params[m->count++].value = codec_percent_decode(a, got, false);
        } else if (!str_eq(want, got)) {
            return false;
        }
        if (pattern.p == NULL || path.p == NULL)
            return pattern.p == NULL && path.p == NULL;
    }
}

/* The fixed query part of a template, e.g. "?mode=import", must be in the request. */
static bool match_fixed_query(const char *uri, const struct http_req *req, struct arena *a)
{
    struct str rest = str_c(uri), value;
    str_cut(&rest, '?');
    while (rest.p != NULL) {
        struct str want = str_cut(&rest, '&'), name = str_cut(&want, '=');
        struct str key = arena_str(a, name);
        if (!http_req_query(req, a, key.p, &value) || (want.p != NULL && !str_eq(value, want)))
            return false;
    }
    return true;
}

/* Fills m if the model's operation is at this method and path; the better match has the smaller
 * score: literal segments win over parameters, a fixed query over none. */
static bool match_op(const struct op_model *op, const struct http_req *req, struct arena *a,
                     struct wire_rest_match *m, size_t *ret_score)
{
    bool fixed = strchr(op->uri, '?') != NULL;
    if (!str_eq_c(req->method, op->method) || !match_uri(op->uri, req->path, a, m) ||
        (fixed && !match_fixed_query(op->uri, req, a)))
        return false;
    *ret_score = m->count * 2 + !fixed;
    return true;
}

const struct op *wire_rest_find(const struct service *svc, const struct http_req *req,
                                struct arena *a, struct wire_rest_match **ret_match)
{
    struct wire_rest_match m;
    const struct op *best = NULL;
    size_t score, best_score = SIZE_MAX;
    for (size_t i = 0; i < svc->op_count; i++) {
        if (!match_op(svc->ops[i].model, req, a, &m, &score) || score >= best_score)
            continue;
        if (best == NULL)
            *ret_match = ARENA_NEW(a, struct wire_rest_match);
        best_score = score;
        best = &svc->ops[i];
        **ret_match = m;
    }
    return best;
}

const char *wire_rest_known_op(const struct service *svc, const struct http_req *req,
                               struct arena *a)
{
    struct wire_rest_match m;
    const char *best = NULL;
    size_t score, best_score = SIZE_MAX;
    for (size_t i = 0; i < svc->model->op_count; i++) {
        if (match_op(&svc->model->ops[i], req, a, &m, &score) && score < best_score) {
            best_score = score;
            best = svc->model->ops[i].name;
        }
    }
    return best;
}

static const struct aws_err_kind lambda_bad_json = {"InvalidRequestContentException", "", 400,
                                                    false, "User"};
static const struct aws_err_kind rest_bad_request = {"BadRequestException", "", 400, false, NULL};

static bool fail_body(struct call *c, size_t offset)
{
    struct str before = str_sub(c->http->body, 0, offset);
    ptrdiff_t newline = str_rfind(before, '\n');
    size_t line = 1, column = newline < 0 ? offset + 1 : offset - (size_t)newline;
    for (size_t i = 0; i < before.n; i++)
        line += before.p[i] == '\n';
    if (strcmp(c->svc->id, "lambda") == 0)
        return aws_fail(
            &c->err, c->arena, &lambda_bad_json,
            "Could not parse request body into json: Could not parse payload into json: "
            "Unexpected character\n at [Source: REDACTED "
            "(`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %zu, "
            "column: %zu]", /* unverified: Jackson's reason for this very character */
            line, column);
    /* unverified: the text */
    return aws_fail(&c->err, c->arena, &rest_bad_request, "Unable to parse the request body");
}

/* One text value as JSON of the member's type; what does not read as that type stays a string and
 * is refused by the type check. unverified: that AWS answers it with that text. */
static void write_typed(struct json_out *w, const struct shape *s, const char *name,
                        struct str value)
{
    int64_t number;
    switch (s->type) {
    case SH_INTEGER:
    case SH_LONG:
    case SH_TIMESTAMP:
        if (str_to_i64(value, &number)) {
            json_i64(w, name, number);
            return;
        }
        break;
    case SH_BOOLEAN:
        if (str_eq_c(value, "true") || str_eq_c(value, "false")) {
            json_bool(w, name, str_eq_c(value, "true"));
            return;
        }
        break;
    default:
        break;
    }
    json_str(w, name, value);
}

/* Takes the next parameter off *rest, decoded. False at the end; what is not UTF-8 is skipped. */
static bool next_param(struct call *c, struct str *rest, struct str *ret_name,
                       struct str *ret_value)
{
    while (rest->p != NULL) {
        struct str value = str_cut(rest, '&'), name = str_cut(&value, '=');
        *ret_name = codec_percent_decode(c->arena, name, true);
        *ret_value = value.p == NULL ? STR("") : codec_percent_decode(c->arena, value, true);
        if (str_is_utf8(*ret_name) && str_is_utf8(*ret_value))
            return true;
    }
    return false;
}

/* A map takes the parameters that no other member and no fixed query part of the URI asks for. */
static bool is_free_param(struct call *c, struct str name)
{
    const struct shape_model *m = c->svc->model;
    const struct shape *in = &m->shapes[c->op->model->input_shape];
    struct str fixed = str_c(c->op->model->uri);
    for (size_t i = 0; i < in->member_count; i++) {
        const struct shape_member *member = &m->members[in->first_member + i];
        if (member->where == IN_QUERY && m->shapes[member->shape].type != SH_MAP &&
            str_eq_c(name, member->wire_name))
            return false;
    }
    str_cut(&fixed, '?');
    while (fixed.p != NULL) {
        struct str part = str_cut(&fixed, '&');
        if (str_eq(str_cut(&part, '='), name))
            return false;
    }
    return true;
}

static void write_query(struct call *c, struct json_out *w, const struct shape_member *member)
{
    const struct shape_model *m = c->svc->model;
    const struct shape *s = &m->shapes[member->shape];
    struct str name, value, rest = c->http->query;
    bool open = false;
    while (next_param(c, &rest, &name, &value)) {
        if (s->type == SH_MAP ? !is_free_param(c, name) : !str_eq_c(name, member->wire_name))
            continue;
        if (s->type != SH_LIST && s->type != SH_MAP) {
            write_typed(w, s, member->name, value);
            return;
        }
        if (!open && s->type == SH_LIST)
            json_arr(w, member->name);
        else if (!open)
            json_obj(w, member->name);
        open = true;
        if (s->type == SH_MAP)
            json_key(w, name);
        write_typed(w, &m->shapes[s->element], NULL, value);
    }
    if (open)
        json_end(w);
}

static void write_located(struct call *c, struct json_out *w, const struct wire_rest_match *match,
                          const struct shape_member *member)
{
    const struct shape *s = &c->svc->model->shapes[member->shape];
    struct str value;
    switch (member->where) {
    case IN_URI:
        for (size_t i = 0; i < match->count; i++) {
            if (str_eq_c(match->params[i].name, member->wire_name) &&
                str_is_utf8(match->params[i].value))
                write_typed(w, s, member->name, match->params[i].value);
        }
        break;
    case IN_QUERY:
        write_query(c, w, member);
        break;
    case IN_HEADER:
        value = http_req_header(c->http, member->wire_name);
        if (value.p != NULL && str_is_utf8(value))
            write_typed(w, s, member->name, value);
        break;
    default:
        break;
    }
}

/* The member that the body calls key, or NULL. */
static const struct shape_member *body_member(const struct shape_model *m, const struct shape *in,
                                              struct str key)
{
    for (size_t i = 0; i < in->member_count; i++) {
        const struct shape_member *member = &m->members[in->first_member + i];
        if (member->where == IN_BODY && str_eq_c(key, member->wire_name))
            return member;
    }
    return NULL;
}

/* The body's members under their model names. What the body has no business to say (a member of
 * the path, the query or a header) is dropped with the unknown ones. */
static void write_body(struct call *c, struct json_out *w, const struct shape *in, struct jval body)
{
    struct jval it = {0};
    while (jval_next(body, &it, NULL)) {
        const struct shape_member *member =
            body_member(c->svc->model, in, jval_key_str(it, c->arena));
        if (member != NULL)
            json_raw(w, member->name, jval_raw(it));
    }
}

/* True: the body alone is the input, as it stands. */
static bool is_body_only(const struct shape_model *m, const struct shape *in)
{
    for (size_t i = 0; i < in->member_count; i++) {
        const struct shape_member *member = &m->members[in->first_member + i];
        if (member->where != IN_BODY || strcmp(member->name, member->wire_name) != 0)
            return false;
    }
    return true;
}

static bool build_input(struct call *c, const struct wire_rest_match *match)
{
    const struct shape_model *m = c->svc->model;
    const struct op_model *op = c->op->model;
    const struct shape *in = &m->shapes[op->input_shape];
    const struct shape_member *payload =
        op->payload_member == 0 ? NULL : &m->members[in->first_member + op->payload_member - 1];
    struct str body = c->http->body;
    struct jval root = {0};
    struct json_out w;
    size_t offset = 0;
    if (payload != NULL && m->shapes[payload->shape].type == SH_BLOB) {
        c->payload = body;
    } else if (str_trim(body).n > 0) {
        if (!json_parse(c->arena, body, JSON_DEPTH_DEFAULT, &root, &offset))
            return fail_body(c, offset);
        if (payload == NULL && jval_kind(root) != JSON_OBJECT)
            return fail_body(c, 0);
    }
    if (payload == NULL && root.doc != NULL && is_body_only(m, in)) {
        c->in = root;
        return true;
    }
    struct buf *b = arena_new_buf(c->arena, MERGED_MAX);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    if (payload == NULL)
        write_body(c, &w, in, root);
    else if (root.doc != NULL)
        json_raw(&w, payload->name, jval_raw(root));
    else if (payload->required != 0 && body.n > 0) /* the bytes are c->payload: it is there */
        json_str(&w, payload->name, STR(""));
    for (size_t i = 0; i < in->member_count; i++) {
        const struct shape_member *member = &m->members[in->first_member + i];
        if (member->where != IN_BODY)
            write_located(c, &w, match, member);
    }
    json_end(&w);
    ASSERT(!b->overflow);
    /* fails only at the reader's limit of values */
    return json_parse(c->arena, buf_view(b), JSON_DEPTH_DEFAULT + 1, &c->in, NULL) ||
           fail_body(c, body.n);
}

void wire_rest_run(struct call *c, struct wire_rest_match *match, wire_auth_fn *auth,
                   void *auth_arg)
{
    if (!auth(auth_arg, c) || (c->op->model->input_shape != 0 && !build_input(c, match))) {
        c->status = CALL_FAILED;
        c->reply(c);
        return;
    }
    call_run(c);
}

/* Payloads of operations may say their own type. */
static bool has_type(const struct http_resp *resp)
{
    for (size_t i = 0; i < resp->header_count; i++)
        if (str_case_eq(resp->headers[i].name, STR("Content-Type")))
            return true;
    return resp->source != NULL;
}

void wire_rest_reply(struct call *c, struct http_resp *ret_resp)
{
    struct arena *a = c->arena;
    bool typed_errors = strcmp(c->svc->id, "lambda") == 0;
    *ret_resp = c->extra;
    ASSERT(ret_resp->source == NULL || c->status == CALL_DONE);
    http_resp_add(ret_resp, a, STR("x-amzn-RequestId"), c->request_id);
    if (c->status == CALL_DONE) {
        ret_resp->status = c->out_status != 0 ? c->out_status : c->op->model->ok_status;
        ret_resp->body = c->out_is_payload ? c->out_payload : buf_view(c->out_buf);
        if (ret_resp->status != 204 && !has_type(ret_resp))
            http_resp_add(ret_resp, a, STR("Content-Type"), STR("application/json"));
        return;
    }
    struct buf *b = arena_new_buf(a, 1 << 20);
    struct json_out w;
    json_out_init(&w, b);
    json_obj(&w, NULL);
    /* a ValidationException has no Type (facts/lambda.md section 3) */
    if (typed_errors && c->err.kind->fault != NULL && c->err.kind != &AWS_ValidationException)
        json_cstr(&w, "Type", c->err.kind->fault);
    if (c->err.members.n > 0)
        json_raw(&w, NULL, c->err.members);
    if (c->err.message.p != NULL)
        json_str(&w, c->err.kind->message_capital_m ? "Message" : "message", c->err.message);
    json_end(&w);
    ret_resp->status = c->err.kind->http_status;
    ret_resp->body = buf_view(b);
    http_resp_add(ret_resp, a, STR("Content-Type"), STR("application/json"));
    http_resp_add(ret_resp, a, STR("x-amzn-ErrorType"), str_c(c->err.kind->code));
}
