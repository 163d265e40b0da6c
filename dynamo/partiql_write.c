/* INSERT, UPDATE and DELETE: made into one change of one item each (change.h). */
#include "partiql_run.h"

/* ---- INSERT ---- */

static bool check_insert(struct pql_command *m)
{
    const struct pql_dml *d = m->dml;
    const struct pql_action *x = &d->actions[0];
    if (d->from.node != NULL)
        return pql_fail(&m->x, "Unsupported FROM ... WHERE ... clause in INSERT statement." PQL_AT,
                        PQL_AT_ARG(m->statement.root->at));
    if (x->kind == PQL_INSERT)
        return pql_fail(&m->x, "Unsupported operation: Inserting multiple items in a single "
                               "statement is not supported, use \"INSERT INTO tableName VALUE "
                               "item\" instead");
    if (x->at_position)
        return pql_fail(&m->x, "AT is not supported in insert statements." PQL_AT,
                        PQL_AT_ARG(x->at));
    if (x->on_conflict)
        return pql_fail(&m->x, "Unsupported clause: ON CONFLICT");
    if (x->target->kind != PQL_NAME)
        return pql_fail(&m->x, "FROM clause may only contain a single table name in data "
                               "manipulation statements");
    if (x->value->kind != PQL_STRUCT)
        return pql_fail(&m->x,
                        "Unsupported format in item expression. Please use struct format {...} to "
                        "express item values for insert statement." PQL_AT,
                        PQL_AT_ARG(x->value->at));
    return true;
}

static bool check_item_key(struct pql_command *m, const struct item *item)
{
    for (size_t i = 0; i < key_parts(&m->t->key); i++) {
        const struct key_part *part = &m->t->key.part[i];
        const struct attr *at = item_find(item, part->name);
        const char *type = at == NULL ? "" : attr_type_name(at->type);
        if (at == NULL)
            return pql_fail(&m->x, "Key attribute should be present in the item: Key %.*s",
                            STR_ARG(part->name));
        if (type[0] != part->type || type[1] != '\0')
            return pql_fail(&m->x,
                            "Key attribute's data type should match its data type in table's "
                            "schema: Key %.*s",
                            STR_ARG(part->name));
    }
    return true;
}

static struct expr_node *key_test(struct pql_command *m, enum expr_op op)
{
    struct arena *a = m->x.a;
    struct expr_operand *hash = expr_operand_path(a, expr_path_new(a, m->t->key.part[0].name));
    return expr_node_test(a, op, &hash, 1);
}

static bool prepare_insert(struct call *c, struct pql_command *m)
{
    const struct pql_action *x = &m->dml->actions[0];
    struct item item;
    if (!check_insert(m) || !pql_item(&m->x, x->value, &item) ||
        !pql_find_table(c, m, x->target->text))
        return false;
    if (m->dml->returning_count > 0)
        return pql_fail(&m->x, "RETURNING is not supported in INSERT");
    if (!check_item_key(m, &item))
        return false;
    m->change = (struct ddb_change){.kind = CHANGE_PUT,
                                    .t = m->t,
                                    .given = item,
                                    .is_insert = true,
                                    .cond = expr_cond_seal(m->x.a, key_test(m, EXPR_NOT_EXISTS))};
    return true;
}

/* ---- UPDATE, DELETE ---- */

static bool read_returning(struct pql_command *m)
{
    static const struct {
        const char *mapping, *words;
        enum pql_returns means;
    } all[] = {{"all_old", "ALL OLD", PQL_RETURN_ALL_OLD},
               {"all_new", "ALL NEW", PQL_RETURN_ALL_NEW},
               {"modified_old", "MODIFIED OLD", PQL_RETURN_MODIFIED_OLD},
               {"modified_new", "MODIFIED NEW", PQL_RETURN_MODIFIED_NEW}};
    const struct pql_dml *d = m->dml;
    if (d->returning_count == 0)
        return true;
    if (d->returning_count > 1)
        return pql_fail(&m->x, "Invalid syntax with multiple returning elements in RETURNING "
                               "clause");
    if (d->returning[0].column != NULL)
        return pql_fail(&m->x, "Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING "
                               "clause");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!str_eq_c(d->returning[0].mapping, all[i].mapping))
            continue;
        m->returning = all[i].means;
        if (m->does == PQL_DOES_DELETE && m->returning != PQL_RETURN_ALL_OLD)
            return pql_fail(&m->x,
                            "Invalid returning clause: RETURNING %s *. Only RETURNING ALL OLD * is "
                            "allowed in DELETE statements.",
                            all[i].words);
    }
    return true;
}

/* An UPDATE needs its item; a DELETE without one does nothing, whatever else it asks. */
static const struct expr_cond *change_condition(struct pql_command *m, struct expr_node *rest)
{
    bool update = m->does == PQL_DOES_UPDATE;
    struct expr_node *root = update ? key_test(m, EXPR_EXISTS) : NULL;
    if (rest != NULL && update)
        root = expr_node_logic(m->x.a, EXPR_AND, root, rest);
    else if (rest != NULL)
        root = expr_node_logic(m->x.a, EXPR_OR, key_test(m, EXPR_NOT_EXISTS), rest);
    return root == NULL ? NULL : expr_cond_seal(m->x.a, root);
}

static bool prepare_change(struct call *c, struct pql_command *m)
{
#define NO_KEY "Where clause does not contain a mandatory equality on all key attributes"
    const struct pql_dml *d = m->dml;
    struct str table, index;
    struct pql_key_split split;
    struct expr_update *update = NULL;
    if (d->from.node == NULL)
        return pql_fail(&m->x, "Only select from a single table or index is supported.");
    if (d->where == NULL)
        return pql_fail(&m->x, NO_KEY);
    if (!pql_source_names(&m->x, &d->from, &table, &index) ||
        !pql_condition(&m->x, d->where, &m->where) ||
        (m->does == PQL_DOES_UPDATE && !pql_update(&m->x, d, &update)) ||
        !pql_find_table(c, m, table))
        return false;
    if (index.n > 0)
        return pql_fail(&m->x, "This operation is not supported on an index");
    if (!pql_split_key(&m->x, &m->t->key, m->where, false, &split))
        return false;
    if (!split.complete)
        return pql_fail(&m->x, NO_KEY);
    if (!read_returning(m))
        return false;
    m->change = (struct ddb_change){
        .kind = m->does == PQL_DOES_UPDATE ? CHANGE_UPDATE : CHANGE_DELETE,
        .t = m->t,
        .given = split.key,
        .update = update,
        .cond = change_condition(m, split.rest),
        .item_on_failure = m->item_on_failure,
        .want_old = m->returning == PQL_RETURN_ALL_OLD || m->returning == PQL_RETURN_MODIFIED_OLD};
    return true;
}

bool pql_write_prepare(struct call *c, struct pql_command *m)
{
    return m->does == PQL_DOES_INSERT ? prepare_insert(c, m) : prepare_change(c, m);
}

bool pql_write_run(struct call *c, struct pql_command *m)
{
    return ddb_change_prepare(c, &m->change) && ddb_change_apply(c, &m->change);
}

struct str pql_write_returned(struct pql_command *m)
{
    const struct ddb_write *w = &m->change.w;
    bool modified = m->returning >= PQL_RETURN_MODIFIED_OLD;
    bool old = m->returning == PQL_RETURN_ALL_OLD || m->returning == PQL_RETURN_MODIFIED_OLD;
    struct buf *cut = arena_new_buf(m->x.a, ATTR_TEXT_MAX);
    if (m->returning == PQL_RETURN_NOTHING || (old ? !w->had_old : w->now == NULL))
        return STR("");
    struct str item = old ? w->old_text : w->now->json;
    if (!modified)
        return item;
    return expr_update_cut(m->change.update, item, cut) ? buf_view(cut) : STR("");
}
