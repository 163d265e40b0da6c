#include "transact.h"

static const char *reason_code(const struct aws_err_kind *kind)
{
    static const struct {
        const struct aws_err_kind *kind;
        const char *code;
    } codes[] = {
        {&DYNAMODB_ConditionalCheckFailedException, "ConditionalCheckFailed"},
        {&DYNAMODB_ProvisionedThroughputExceededException, "ProvisionedThroughputExceeded"},
        {&DYNAMODB_DuplicateItemException, "DuplicateItem"},
    };
    if (kind == NULL)
        return "None";
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i].kind == kind)
            return codes[i].code;
    }
    return "ValidationError";
}

static void put_reason(struct buf *b, const struct aws_err *reason)
{
    buf_addf(b, "{\"Code\":\"%s\"", reason_code(reason->kind));
    if (reason->kind != NULL) {
        buf_add(b, STR(",\"Message\":\""));
        json_escape(b, reason->message);
        buf_addc(b, '"');
        if (reason->members.n > 0) {
            buf_addc(b, ',');
            buf_add(b, reason->members);
        }
    }
    buf_addc(b, '}');
}

enum call_status ddb_transact_cancel(struct call *c, const struct aws_err *reasons, size_t count)
{
    enum { REASONS_MAX = TRANSACT_MAX * (ATTR_TEXT_MAX / 16) };
    struct buf *codes = arena_new_buf(c->arena, TRANSACT_MAX * 64);
    struct buf *list = arena_new_buf(c->arena, REASONS_MAX);
    buf_add(list, STR("\"CancellationReasons\":["));
    for (size_t i = 0; i < count; i++) {
        buf_addf(codes, "%s%s", i == 0 ? "" : ", ", reason_code(reasons[i].kind));
        if (i > 0)
            buf_addc(list, ',');
        put_reason(list, &reasons[i]);
    }
    buf_addc(list, ']');
    if (list->overflow)
        return ddb_internal_error(c);
    aws_fail(&c->err, c->arena, &DYNAMODB_TransactionCanceledException,
             "Transaction cancelled, please refer cancellation reasons for specific reasons [%.*s]",
             STR_ARG(buf_view(codes)));
    c->err.members = buf_view(list);
    return CALL_FAILED;
}

enum call_status ddb_transact_cancel_at(struct call *c, size_t at, size_t count)
{
    struct aws_err *reasons = ARENA_ARRAY(c->arena, struct aws_err, count);
    if (c->err.kind == &DYNAMODB_InternalServerError)
        return CALL_FAILED;
    reasons[at] = c->err;
    c->err = (struct aws_err){0};
    return ddb_transact_cancel(c, reasons, count);
}

void ddb_targets_init(struct ddb_targets *t, struct arena *a, size_t count)
{
    *t = (struct ddb_targets){.count = count,
                              .tables = ARENA_ARRAY(a, struct table *, count),
                              .keys = ARENA_ARRAY(a, struct ddb_key, count)};
}

void ddb_targets_note(struct ddb_targets *t, struct call *c, size_t at, bool ok)
{
    if (ok)
        return;
    t->keys[at] = (struct ddb_key){0};
    if (t->first.kind == NULL) {
        t->first = c->err;
        t->first_at = at;
    }
    c->err = (struct aws_err){0};
}

bool ddb_transact_distinct(struct call *c, struct table *const *tables, const struct ddb_key *keys,
                           size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct store_key *key = &keys[i].bytes;
        for (size_t k = 0; k < i && key->hk.n > 0; k++) {
            if (tables[i] == tables[k] && str_eq(key->hk, keys[k].bytes.hk) &&
                str_eq(key->sk, keys[k].bytes.sk))
                return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                                "Transaction request cannot include multiple operations on one "
                                "item");
        }
    }
    return true;
}

enum call_status ddb_targets_settle(struct ddb_targets *t, struct call *c)
{
    if (!ddb_transact_distinct(c, t->tables, t->keys, t->count))
        return CALL_FAILED;
    if (t->first.kind == NULL)
        return CALL_DONE;
    c->err = t->first;
    return ddb_transact_cancel_at(c, t->first_at, t->count);
}

bool ddb_transact_check_size(struct call *c, size_t bytes)
{
    /* unverified: the words beyond "size cannot exceed" */
    return bytes <= TRANSACT_BYTES_MAX ||
           aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "Transaction payload size cannot exceed %d bytes", TRANSACT_BYTES_MAX);
}

/* Keys and schema of all. CALL_DONE: go on. */
static enum call_status check_all(struct call *c, struct ddb_change *changes, size_t count)
{
    struct ddb_targets t;
    ddb_targets_init(&t, c->arena, count);
    for (size_t i = 0; i < count; i++) {
        bool ok = ddb_change_check(c, &changes[i]);
        t.tables[i] = changes[i].t;
        t.keys[i] = changes[i].key;
        ddb_targets_note(&t, c, i, ok);
    }
    return ddb_targets_settle(&t, c);
}

/* Every condition is evaluated, whatever the others say (fact 120). CALL_DONE: all hold. */
static enum call_status prepare_all(struct call *c, struct ddb_change *changes, size_t count)
{
    struct aws_err *reasons = ARENA_ARRAY(c->arena, struct aws_err, count);
    bool failed = false;
    for (size_t i = 0; i < count; i++) {
        if (ddb_change_prepare(c, &changes[i]))
            continue;
        if (c->err.kind == &DYNAMODB_InternalServerError || changes[i].whole_request)
            return CALL_FAILED;
        failed = true;
        reasons[i] = c->err;
        c->err = (struct aws_err){0};
    }
    return failed ? ddb_transact_cancel(c, reasons, count) : CALL_DONE;
}

struct counts {
    int64_t items, bytes;
};

/* All or none also when the store fails half-way. What the tables' counts say of themselves
 * (catalog_touch) must outlive the savepoint, since the memory remembers it. */
static enum call_status apply_all(struct call *c, struct ddb_change *changes, size_t count,
                                  const struct token *token)
{
    struct ddb *d = ddb_of(c);
    struct counts *before = ARENA_ARRAY(c->arena, struct counts, count);
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        before[i] = (struct counts){changes[i].t->items, changes[i].t->bytes};
        if (changes[i].kind != CHANGE_CHECK && !catalog_touch(&d->catalog, changes[i].t))
            return ddb_internal_error(c);
    }
    if (!db_savepoint(d->db))
        return ddb_internal_error(c);
    for (size_t i = 0; i < count && ok; i++)
        ok = ddb_change_apply(c, &changes[i]);
    if (ok && token != NULL && !tokens_add(&d->tokens, token, c->now_ms)) {
        ddb_internal_error(c);
        ok = false;
    }
    if (ok) {
        db_savepoint_release(d->db);
        return CALL_DONE;
    }
    db_savepoint_rollback(d->db);
    streams_reload(&d->streams); /* a shard may have been replaced */
    for (size_t i = 0; i < count; i++) {
        changes[i].t->items = before[i].items;
        changes[i].t->bytes = before[i].bytes;
        if (changes[i].t->index_count > 0)
            db_doom(d->db); /* then all counts, those of the indexes too, are read again */
    }
    return CALL_FAILED;
}

enum call_status ddb_transact_write(struct call *c, struct ddb_change *changes, size_t count,
                                    const struct token *token)
{
    struct ddb *d = ddb_of(c);
    enum call_status status = check_all(c, changes, count);
    if (status == CALL_DONE)
        status = prepare_all(c, changes, count);
    if (status == CALL_DONE)
        status = apply_all(c, changes, count, token);
    for (size_t i = 0; i < count && status == CALL_DONE; i++) /* it costs twice */
        throttle_charge_write(d->throttle, changes[i].t, ddb_change_units(&changes[i]),
                              changes[i].w.index_units);
    return status;
}

void ddb_transact_units(struct call *c, const struct ddb_change *changes, size_t count,
                        struct capacity_list *ret)
{
    for (size_t i = 0; i < count; i++) {
        const struct ddb_change *x = &changes[i];
        for (int twice = 0; twice < 2; twice++)
            capacity_list_add(ret, c->arena, x->t, ddb_change_units(x), x->w.index_units);
    }
}

enum call_status ddb_transact_units_again(struct call *c, struct ddb_change *changes, size_t count,
                                          struct capacity_list *ret)
{
    struct ddb *d = ddb_of(c);
    for (size_t i = 0; i < count; i++) {
        struct ddb_change *x = &changes[i];
        struct store_row row;
        if (!ddb_change_check(c, x)) /* a schema that is not what it was */
            return ddb_transact_cancel_at(c, i, count);
        enum store_result found =
            store_find(&d->store, x->t->id, &x->t->stmts, &x->key.bytes, &row);
        if (found == STORE_FAILED)
            return ddb_internal_error(c);
        size_t size = found == STORE_OK ? (size_t)row.size : 0;
        capacity_list_add(ret, c->arena, x->t, 2 * capacity_read(size, true), NULL);
    }
    return CALL_DONE;
}

bool ddb_transact_token(struct call *c, struct token *token, struct jval what, bool *ret_again)
{
    *ret_again = false;
    if (token->text.n == 0)
        return true;
    token_hash(what, c->arena, token->hash);
    switch (tokens_find(&ddb_of(c)->tokens, token, c->now_ms)) {
    case TOKEN_DONE:
        *ret_again = true;
        return true;
    case TOKEN_OTHER: /* unverified: the words */
        return aws_fail(&c->err, c->arena, &DYNAMODB_IdempotentParameterMismatchException,
                        "Request contains mismatched parameters for the same "
                        "ClientRequestToken.");
    case TOKEN_FAILED:
        ddb_internal_error(c);
        return false;
    case TOKEN_NEW:
        break;
    }
    return true;
}
