/* ExecuteStatement and BatchExecuteStatement. */
#include "partiql_run.h"

static struct str text(struct call *c, struct jval object, const char *name)
{
    return jval_text(jval_get(object, name), c->arena);
}

static enum call_status run_write(struct call *c, struct pql_command *m, enum capacity_mode mode)
{
    m->change.want_units = mode != CAPACITY_NONE;
    if (!ddb_change_check(c, &m->change) || !pql_write_run(c, m))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Items");
    struct str item = pql_write_returned(m);
    if (item.n > 0)
        json_raw(&c->out, NULL, item);
    json_end(&c->out);
    struct capacity units = {.table = ddb_change_units(&m->change),
                             .indexes = m->change.w.index_units};
    capacity_put(&c->out, m->t, mode, &units);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status ddb_execute_statement(struct call *c)
{
    struct pql_command *m = ARENA_NEW(c->arena, struct pql_command); /* a read may pause */
    int64_t limit = 0;
    struct jval next = jval_get(c->in, "NextToken");
    enum capacity_mode mode = capacity_mode(text(c, c->in, "ReturnConsumedCapacity"));
    pql_member_read(c, c->in, PQL_ALONE, m);
    jval_i64(jval_get(c->in, "Limit"), &limit);
    if (!pql_command_parameters(c, m, jval_get(c->in, "Parameters")) || !pql_command_parse(c, m) ||
        !pql_command_prepare(c, m))
        return CALL_FAILED;
    if (pql_command_reads(m))
        return pql_select_run(c, m, limit, jval_text(next, c->arena), mode);
    return run_write(c, m, mode);
}

/* ---- BatchExecuteStatement ---- */

/* A member's error instead of the call's: "ValidationError", "DuplicateItem", ... */
static void put_error(struct call *c, const struct aws_err *err)
{
    struct str code = str_c(err->kind->code);
    json_obj(&c->out, "Error");
    if (str_eq_c(code, "ValidationException"))
        code = STR("ValidationError");
    else if (str_ends(code, STR("Exception")))
        code = str_sub(code, 0, code.n - sizeof "Exception" + 1);
    json_str(&c->out, "Code", code);
    json_str(&c->out, "Message", err->message);
    json_end(&c->out);
}

struct batch {
    struct pql_command *members;
    struct aws_err *errors; /* kind NULL: none yet */
    size_t count;
    struct capacity_list units;
};

/* Takes the failure out of the call. False: it is one of the whole call (a broken store). */
static bool keep_error(struct call *c, struct aws_err *ret)
{
    if (c->err.kind == &DYNAMODB_InternalServerError)
        return false;
    *ret = c->err;
    c->err = (struct aws_err){0};
    return true;
}

static bool prepare_members(struct call *c, struct batch *b, struct jval statements)
{
    struct jval it = {0};
    size_t reads = 0, writes = 0;
    for (size_t i = 0; jval_next(statements, &it, NULL); i++) {
        struct pql_command *m = &b->members[i];
        pql_member_read(c, it, PQL_IN_BATCH, m);
        bool ok =
            pql_command_parameters(c, m, jval_get(it, "Parameters")) && pql_command_parse(c, m);
        if (!ok && !keep_error(c, &b->errors[i]))
            return false;
        reads += ok && pql_command_reads(m);
        writes += ok && !pql_command_reads(m);
    }
    if (reads > 0 && writes > 0) /* unverified: the words are DynamoDB Local's */
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "Read and write requests together in the same batch is not supported.");
    for (size_t i = 0; i < b->count; i++) {
        struct pql_command *m = &b->members[i];
        if (b->errors[i].kind != NULL)
            continue;
        bool ok =
            pql_command_prepare(c, m) && (pql_command_reads(m) || ddb_change_check(c, &m->change));
        if (!ok && !keep_error(c, &b->errors[i]))
            return false;
    }
    return true;
}

/* unverified: the words are DynamoDB Local's */
static bool check_distinct(struct call *c, const struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        for (size_t k = 0; k < i; k++) {
            const struct pql_command *x = &b->members[i], *y = &b->members[k];
            const struct ddb_key *xk = pql_command_reads(x) ? &x->key_bytes : &x->change.key;
            const struct ddb_key *yk = pql_command_reads(y) ? &y->key_bytes : &y->change.key;
            if (b->errors[i].kind == NULL && b->errors[k].kind == NULL && x->t == y->t &&
                str_eq(xk->bytes.hk, yk->bytes.hk) && str_eq(xk->bytes.sk, yk->bytes.sk))
                return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                                "Provided list of item keys contains duplicates");
        }
    }
    return true;
}

static bool run_member(struct call *c, struct batch *b, size_t i)
{
    struct pql_command *m = &b->members[i];
    struct str item = STR("");
    double units = 0;
    json_obj(&c->out, NULL);
    if (b->errors[i].kind != NULL) {
        put_error(c, &b->errors[i]);
        json_end(&c->out);
        return true;
    }
    bool reads = pql_command_reads(m);
    bool ok = reads ? pql_read_one(c, m, &item, &units) : pql_write_run(c, m);
    if (!ok && !keep_error(c, &b->errors[i]))
        return false;
    if (!ok) {
        put_error(c, &b->errors[i]);
    } else if (reads) {
        capacity_list_add(&b->units, c->arena, m->t, units, NULL);
    } else {
        capacity_list_add(&b->units, c->arena, m->t, ddb_change_units(&m->change),
                          m->change.w.index_units);
        item = pql_write_returned(m);
    }
    if (ok && item.n > 0) {
        struct buf *out = arena_new_buf(c->arena, ATTR_TEXT_MAX);
        if (reads)
            pql_project(m, item, out);
        json_raw(&c->out, "Item", reads ? buf_view(out) : item);
    }
    json_str(&c->out, "TableName", m->t->name);
    json_end(&c->out);
    return true;
}

enum call_status ddb_batch_execute_statement(struct call *c)
{
    struct jval statements = jval_get(c->in, "Statements");
    enum capacity_mode mode = capacity_mode(text(c, c->in, "ReturnConsumedCapacity"));
    struct batch b = {.count = jval_count(statements)};
    b.members = ARENA_ARRAY(c->arena, struct pql_command, b.count);
    b.errors = ARENA_ARRAY(c->arena, struct aws_err, b.count);
    if (!prepare_members(c, &b, statements) || !check_distinct(c, &b))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Responses");
    for (size_t i = 0; i < b.count; i++) {
        b.members[i].change.want_units = mode != CAPACITY_NONE;
        if (!run_member(c, &b, i))
            return CALL_FAILED;
    }
    json_end(&c->out);
    capacity_list_put(&c->out, &b.units, mode, CAPACITY_WHOLE);
    json_end(&c->out);
    return CALL_DONE;
}
