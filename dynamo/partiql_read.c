/* SELECT and EXISTS made ready: clauses, source, condition, columns; and the read of one item. */
#include "index.h"
#include "partiql_run.h"
#include <string.h>

#define INVALID "One or more parameter values were invalid: "

/* ---- FROM ---- */

static bool add_component(struct pql_context *x, struct str name, struct str *parts, size_t *count)
{
    if (name.n == 0)
        return pql_fail(x, "Path component cannot be an empty string");
    if (*count < 2)
        parts[*count] = name;
    (*count)++;
    return true;
}

bool pql_source_names(struct pql_context *x, const struct pql_source *s, struct str *table,
                      struct str *index)
{
    struct str parts[2] = {STR(""), STR("")};
    size_t count = 0;
    const struct pql_node *n = s->node, *root = n;
    if (n == NULL || s->joined || s->unpivot)
        return pql_fail(x, "Only select from a single table or index is supported.");
    if (s->aliased)
        return pql_fail(x, "Aliasing is not supported");
    if (n->kind == PQL_PATH)
        root = n->child[0];
    if (root->kind != PQL_NAME)
        return pql_fail(x, "Unexpected from source");
    if (!add_component(x, root->text, parts, &count))
        return false;
    for (uint32_t i = 1; n->kind == PQL_PATH && i < n->count; i++) {
        const struct pql_node *step = n->child[i];
        if (step->kind == PQL_STEP_EXPR)
            return pql_fail(x, "Invalid list expression in source.");
        if (step->kind != PQL_STEP_NAME)
            return pql_fail(x,
                            step->kind == PQL_STEP_STAR
                                ? "Unpivot path component like a.*.b are not supported" PQL_AT
                                : "Wildcard path component like a[*].b are not supported" PQL_AT,
                            PQL_AT_ARG(step->at));
        if (!add_component(x, step->text, parts, &count))
            return false;
    }
    if (count > 2)
        return pql_fail(x, "A path may contain at most 2 components in the FROM clause");
    *table = parts[0];
    *index = parts[1];
    return true;
}

bool pql_find_table(struct call *c, struct pql_command *m, struct str name)
{
    bool ok = name.n >= 3 && name.n <= 255;
    for (size_t i = 0; i < name.n; i++) {
        char x = name.p[i];
        ok = ok && ((x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9') ||
                    x == '_' || x == '-' || x == '.');
    }
    if (!ok && m->does != PQL_DOES_INSERT)
        return pql_fail(&m->x, "Table name should be within the length [3, 255] and only contain "
                               "'a-z', 'A-Z', '0-9', '-', '_', '.'.");
    if (!ok)
        return aws_fail(&c->err, c->arena, &DYNAMODB_ResourceNotFoundException,
                        "Requested resource not found");
    m->t = ddb_table_or_fail(c, name, DDB_FOR_ITEM);
    return m->t != NULL;
}

static bool find_index(struct pql_command *m, struct str name)
{
    if (name.n == 0)
        return true;
    if (m->surface == PQL_IN_TRANSACTION)
        return pql_fail(&m->x, m->does == PQL_DOES_CHECK
                                   ? "Operations on indices are not supported in transactions"
                                   : "Reads on indices are not supported within transactions.");
    m->index = index_find(m->t, name);
    if (m->index == NULL)
        return pql_fail(&m->x, "The table does not have the specified index");
    if (m->index->key.hash_count > 1 || m->index->key.range_count > 1)
        return pql_fail(&m->x, "PartiQL statements cannot be executed on tables with "
                               "multi-attribute HASH keys or multi-attribute RANGE keys.");
    if (m->index->filling) /* unverified: that it is worded like Query's */
        return pql_fail(&m->x, "Cannot read from backfilling global secondary index: %.*s",
                        STR_ARG(name));
    if (m->index->global && m->consistent)
        return pql_fail(&m->x, "Strongly consistent read is not supported on Global Secondary "
                               "Indexes");
    return true;
}

/* ---- the select list ---- */

/* "c" of a.b.c, "c[1]" of a.b.c[1]. */
static struct str column_name(struct arena *a, const struct expr_path *p)
{
    size_t from = p->count - 1;
    while (p->step[from].name.p == NULL)
        from--;
    if (from == p->count - 1)
        return p->step[from].name;
    struct buf *b = arena_new_buf(a, 1 << 16);
    buf_add(b, p->step[from].name);
    for (size_t i = from + 1; i < p->count; i++)
        buf_addf(b, "[%u]", p->step[i].index);
    return buf_view(b);
}

static bool read_columns(struct pql_command *m)
{
    const struct pql_select *s = m->select;
    if (s->item_count == 1 && s->items[0].node == NULL)
        return true;
    m->columns = ARENA_ARRAY(m->x.a, struct pql_column, s->item_count);
    for (size_t i = 0; i < s->item_count; i++) {
        const struct pql_node *n = s->items[i].node;
        struct pql_column *column = &m->columns[i];
        if (s->items[i].all)
            return pql_fail(&m->x, "Changing item's hierarchy while reading isn't supported");
        if (n->kind != PQL_NAME && n->kind != PQL_PATH)
            return pql_fail(&m->x, "Unexpected path component" PQL_AT, PQL_AT_ARG(n->at));
        if (!pql_path(&m->x, n, &column->path))
            return false;
        column->name = column_name(m->x.a, column->path);
        for (size_t k = 0; k < i; k++) {
            if (str_eq(m->columns[k].name, column->name))
                return pql_fail(&m->x, "Duplicate identifiers in select clause: %.*s",
                                STR_ARG(column->name));
        }
    }
    m->column_count = s->item_count;
    return true;
}

/* Columns that the index does not have: an LSI's items are fetched, a GSI's cannot be. */
static bool check_projection(struct pql_command *m)
{
    struct buf *missing = arena_new_buf(m->x.a, 1 << 20);
    if (m->index == NULL)
        return true;
    for (size_t i = 0; i < m->column_count; i++) {
        struct str name = m->columns[i].path->step[0].name;
        if (!index_projects(m->t, m->index, name))
            buf_addf(missing, "%s%.*s", missing->n == 0 ? "" : ", ", STR_ARG(name));
    }
    if (missing->n == 0)
        return true;
    m->whole = !m->index->global;
    return m->whole ||
           pql_fail(&m->x, INVALID "Global secondary index %.*s does not project [%.*s]",
                    STR_ARG(m->index->name), STR_ARG(buf_view(missing)));
}

void pql_project(const struct pql_command *m, struct str item, struct buf *out)
{
    bool first = true;
    if (m->columns == NULL) {
        buf_add(out, item);
        return;
    }
    buf_addc(out, '{');
    for (size_t i = 0; i < m->column_count; i++) {
        struct str value = expr_path_find(m->columns[i].path, item);
        if (value.p == NULL)
            continue;
        buf_add(out, first ? STR("\"") : STR(",\""));
        json_escape(out, m->columns[i].name);
        buf_add(out, STR("\":"));
        buf_add(out, value);
        first = false;
    }
    buf_addc(out, '}');
}

/* ---- the whole ---- */

static bool check_clauses(struct pql_command *m)
{
    const struct pql_select *s = m->select;
    if (s->limit != NULL)
        return pql_fail(&m->x, "Unsupported clause: LIMIT" PQL_AT, PQL_AT_ARG(s->limit->at));
    if (s->group)
        return pql_fail(&m->x, "Unsupported clause: GROUP BY");
    if (s->having != NULL)
        return pql_fail(&m->x, "Unsupported clause: HAVING" PQL_AT, PQL_AT_ARG(s->having->at));
    if (s->let) /* unverified: DynamoDB Local takes it without effect */
        return pql_fail(&m->x, "Unsupported clause: LET");
    if (s->distinct)
        return pql_fail(&m->x, "Unsupported token in expression: DISTINCT");
    if (s->value || s->pivot)
        return pql_fail(&m->x, "Select projection doesn't support value or pivot keywords");
    for (size_t i = 0; i < s->item_count; i++) {
        if (s->items[i].aliased)
            return pql_fail(&m->x, "Aliasing is not supported");
    }
    return true;
}

/* In batches and transactions only one item is read, by nothing but its key. */
static bool read_key(struct call *c, struct pql_command *m)
{
    struct pql_key_split split;
    bool check = m->does == PQL_DOES_CHECK;
    bool found = m->index == NULL;
    if (found && !pql_split_key(&m->x, &m->t->key, m->where, true, &split))
        return false;
    found = found && split.complete && (split.rest != NULL) == check;
    if (!found && check)
        return pql_fail(&m->x,
                        "EXISTS() must contain a single item read with additional condition");
    if (!found)
        return pql_fail(&m->x,
                        "Select statements within %s must specify the primary key in the "
                        "where clause.",
                        m->surface == PQL_IN_BATCH ? "BatchExecuteStatement"
                                                   : "ExecuteTransaction");
    m->key = split.key;
    if (!check)
        return ddb_key_of_key(c, m->t, &m->key, &m->key_bytes);
    /* an item that is not there fulfils nothing */
    struct expr_operand *hash =
        expr_operand_path(c->arena, expr_path_new(c->arena, m->t->key.part[0].name));
    struct expr_node *exists = expr_node_test(c->arena, EXPR_EXISTS, &hash, 1);
    m->change = (struct ddb_change){
        .kind = CHANGE_CHECK,
        .t = m->t,
        .given = split.key,
        .item_on_failure = m->item_on_failure,
        .cond = expr_cond_seal(c->arena, expr_node_logic(c->arena, EXPR_AND, exists, split.rest))};
    return true;
}

bool pql_read_prepare(struct call *c, struct pql_command *m)
{
    struct str table, index;
    const struct pql_select *s = m->select;
    if (!check_clauses(m) || !pql_source_names(&m->x, &s->from, &table, &index) ||
        (s->where != NULL && !pql_condition(&m->x, s->where, &m->where)) ||
        !pql_find_table(c, m, table) || !find_index(m, index) || !read_columns(m))
        return false;
    if (m->surface != PQL_ALONE)
        return read_key(c, m);
    return check_projection(m);
}

bool pql_read_one(struct call *c, struct pql_command *m, struct str *ret_item, double *ret_units)
{
    struct ddb *d = ddb_of(c);
    struct store_row row;
    if (!throttle_may_read(d->throttle, m->t, NULL, c->arena, &c->err))
        return false;
    db_read(d->db);
    enum store_result found =
        store_get(&d->store, m->t->id, &m->t->stmts, &m->key_bytes.bytes, &row);
    if (found == STORE_FAILED) {
        ddb_internal_error(c);
        return false;
    }
    *ret_item = found == STORE_OK ? arena_str(c->arena, row.item) : STR("");
    *ret_units = capacity_read(found == STORE_OK ? (size_t)row.size : 0, m->consistent);
    store_done(&row);
    throttle_charge_read(d->throttle, m->t, NULL, *ret_units);
    return true;
}
