/* ExecuteTransaction: all reads (one state of the tables) or all writes and checks (transact.h).
 * What a statement says wrongly by itself is an error of the whole request that names it; key types
 * and conditions are reasons of a cancellation. */
#include "partiql_run.h"
#include "transact.h"
#include <stdlib.h>

struct transaction {
    struct pql_command *m;
    size_t count;
    bool reads;
};

/* "Validation failed in TransactStatements[1]: ..." */
static bool name_statement(struct call *c, size_t at)
{
    struct aws_err err = c->err;
    if (err.kind != &AWS_ValidationException)
        return false;
    c->err = (struct aws_err){0};
    return aws_fail(&c->err, c->arena, err.kind,
                    "Validation failed in TransactStatements[%zu]: %.*s", at, STR_ARG(err.message));
}

static bool parse_all(struct call *c, struct transaction *x, struct jval statements)
{
    struct jval it = {0};
    size_t reads = 0;
    for (size_t i = 0; jval_next(statements, &it, NULL); i++) {
        pql_member_read(c, it, PQL_IN_TRANSACTION, &x->m[i]);
        x->m[i].consistent = true;
        if (!pql_command_parameters(c, &x->m[i], jval_get(it, "Parameters")))
            return false;
    }
    for (size_t i = 0; i < x->count; i++) {
        if (!pql_command_parse(c, &x->m[i]))
            return name_statement(c, i);
        reads += pql_command_reads(&x->m[i]);
    }
    x->reads = reads > 0;
    /* unverified: the words are DynamoDB Local's */
    return reads == 0 || reads == x->count ||
           aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "ExecuteTransaction API does not support both read and write operations in the "
                    "same request.");
}

/* A key of the wrong type, or none in an INSERT: a reason, as in TransactWriteItems (fact 117). */
static bool is_key_error(const struct aws_err *err)
{
    return str_starts(err->message, STR("Key attribute's data type should match")) ||
           str_starts(err->message, STR("Key attribute should be present in the item"));
}

static enum call_status prepare_all(struct call *c, struct transaction *x)
{
    struct aws_err first = {0};
    size_t first_at = 0;
    for (size_t i = 0; i < x->count; i++) {
        if (pql_command_prepare(c, &x->m[i]))
            continue;
        if (!is_key_error(&c->err)) {
            name_statement(c, i);
            return CALL_FAILED;
        }
        if (first.kind == NULL) {
            first = c->err;
            first_at = i;
        }
        c->err = (struct aws_err){0};
    }
    if (first.kind == NULL)
        return CALL_DONE;
    c->err = first;
    return ddb_transact_cancel_at(c, first_at, x->count);
}

static bool check_keys_distinct(struct call *c, const struct transaction *x)
{
    struct table **tables = ARENA_ARRAY(c->arena, struct table *, x->count);
    struct ddb_key *keys = ARENA_ARRAY(c->arena, struct ddb_key, x->count);
    for (size_t i = 0; i < x->count; i++) {
        tables[i] = x->m[i].t;
        keys[i] = x->m[i].key_bytes;
    }
    return ddb_transact_distinct(c, tables, keys, x->count);
}

static enum call_status run_reads(struct call *c, struct transaction *x, enum capacity_mode mode)
{
    struct capacity_list units = {0};
    size_t total = 0;
    if (!check_keys_distinct(c, x))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Responses");
    for (size_t i = 0; i < x->count; i++) {
        struct str item;
        double cost;
        if (!pql_read_one(c, &x->m[i], &item, &cost))
            return c->err.kind == &DYNAMODB_InternalServerError
                       ? CALL_FAILED
                       : ddb_transact_cancel_at(c, i, x->count);
        json_obj(&c->out, NULL);
        if (item.n > 0) {
            struct buf *out = arena_new_buf(c->arena, ATTR_TEXT_MAX);
            pql_project(&x->m[i], item, out);
            json_raw(&c->out, "Item", buf_view(out));
        }
        json_end(&c->out);
        total += item.n;
        capacity_list_add(&units, c->arena, x->m[i].t, 2 * cost, NULL);
    }
    json_end(&c->out);
    if (!ddb_transact_check_size(c, total))
        return CALL_FAILED;
    capacity_list_put(&c->out, &units, mode, CAPACITY_READS);
    json_end(&c->out);
    return CALL_DONE;
}

static size_t payload(const struct transaction *x)
{
    size_t bytes = 0;
    for (size_t i = 0; i < x->count; i++) {
        bytes += x->m[i].statement_text.n;
        for (size_t k = 0; k < x->m[i].x.param_count; k++)
            bytes += x->m[i].x.params[k].size;
    }
    return bytes;
}

static enum call_status run_writes(struct call *c, struct transaction *x, enum capacity_mode mode)
{
    struct ddb_change *changes = ARENA_ARRAY(c->arena, struct ddb_change, x->count);
    struct token token = {
        c->account, c->region, jval_text(jval_get(c->in, "ClientRequestToken"), c->arena), {0}};
    struct capacity_list units = {0};
    enum call_status status;
    bool again;
    for (size_t i = 0; i < x->count; i++) {
        changes[i] = x->m[i].change;
        changes[i].want_units = mode != CAPACITY_NONE;
        if (!ddb_check_empty_keys(c, changes[i].t, &changes[i].given))
            return CALL_FAILED;
    }
    if (!ddb_transact_check_size(c, payload(x)) ||
        !ddb_transact_token(c, &token, jval_get(c->in, "TransactStatements"), &again))
        return CALL_FAILED;
    status = again ? ddb_transact_units_again(c, changes, x->count, &units)
                   : ddb_transact_write(c, changes, x->count, token.text.n > 0 ? &token : NULL);
    if (status != CALL_DONE)
        return status;
    if (!again && mode != CAPACITY_NONE)
        ddb_transact_units(c, changes, x->count, &units);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Responses");
    json_end(&c->out);
    capacity_list_put(&c->out, &units, mode, again ? CAPACITY_READS : CAPACITY_WRITES);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status ddb_execute_transaction(struct call *c)
{
    struct jval statements = jval_get(c->in, "TransactStatements");
    struct transaction x = {.count = jval_count(statements)};
    enum capacity_mode mode =
        capacity_mode(jval_text(jval_get(c->in, "ReturnConsumedCapacity"), c->arena));
    x.m = ARENA_ARRAY(c->arena, struct pql_command, x.count);
    if (!parse_all(c, &x, statements))
        return CALL_FAILED;
    enum call_status status = prepare_all(c, &x);
    if (status != CALL_DONE)
        return status;
    return x.reads ? run_reads(c, &x, mode) : run_writes(c, &x, mode);
}
