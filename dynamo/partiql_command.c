/* What a statement is: SELECT, a change, EXISTS, or nothing DynamoDB does. */
#include "partiql_run.h"

void pql_member_read(struct call *c, struct jval in, enum pql_surface surface,
                     struct pql_command *m)
{
    *m = (struct pql_command){.surface = surface,
                              .statement_text = jval_text(jval_get(in, "Statement"), c->arena)};
    jval_bool(jval_get(in, "ConsistentRead"), &m->consistent);
    /* a batch takes the option without effect */
    m->item_on_failure =
        surface != PQL_IN_BATCH &&
        str_eq_c(jval_text(jval_get(in, "ReturnValuesOnConditionCheckFailure"), c->arena),
                 "ALL_OLD");
}

bool pql_command_parameters(struct call *c, struct pql_command *m, struct jval parameters)
{
    m->x = (struct pql_context){.a = c->arena, .err = &c->err, .too_big = DDB_PUT_TOO_BIG};
    return pql_params_read(&m->x, parameters);
}

/* The names are those of the parser's classes; IsType has been seen.
 * unverified: the others, which are DynamoDB Local's or of the same list of classes */
static bool fail_kind(struct pql_command *m, const struct pql_node *n)
{
    static const char *const names[] = {[PQL_STRING] = "Literal",
                                        [PQL_NUMBER] = "Literal",
                                        [PQL_FLAG] = "Literal",
                                        [PQL_NULL] = "Literal",
                                        [PQL_MISSING] = "LiteralMissing",
                                        [PQL_ION] = "Literal",
                                        [PQL_NAME] = "VariableReference",
                                        [PQL_PARAM] = "Parameter",
                                        [PQL_LIST] = "Seq",
                                        [PQL_BAG] = "Seq",
                                        [PQL_STRUCT] = "Struct",
                                        [PQL_PATH] = "Path",
                                        [PQL_IS] = "IsType",
                                        [PQL_AGGREGATE] = "CallAgg",
                                        [PQL_CAST] = "Typed",
                                        [PQL_DATE] = "DateTimeType",
                                        [PQL_EXEC] = "Exec"};
    bool named = n->kind == PQL_CASE || n->kind == PQL_DDL;
    return pql_fail(&m->x, "Unsupported operation: %.*s",
                    STR_ARG(named ? n->text : str_c(names[n->kind])));
}

static bool parse_exists(struct pql_command *m, const struct pql_node *n)
{
    bool exists = n->kind == PQL_CALL && str_eq_c(n->text, "exists") && n->count == 1 &&
                  n->child[0]->kind == PQL_SELECT;
    if (m->surface != PQL_IN_TRANSACTION)
        return pql_fail(&m->x, "EXISTS can only be used in ExecuteTransaction write requests.");
    if (!exists)
        return pql_fail(&m->x, "Unsupported operation in transaction.");
    m->does = PQL_DOES_CHECK;
    m->select = n->child[0]->select;
    return true;
}

static bool parse_change(struct pql_command *m, const struct pql_node *n)
{
    static const enum pql_does does[] = {[PQL_SET] = PQL_DOES_UPDATE,
                                         [PQL_REMOVE] = PQL_DOES_UPDATE,
                                         [PQL_INSERT_VALUE] = PQL_DOES_INSERT,
                                         [PQL_INSERT] = PQL_DOES_INSERT,
                                         [PQL_DELETE] = PQL_DOES_DELETE};
    m->dml = n->dml;
    m->does = does[n->dml->actions[0].kind];
    if (m->does == PQL_DOES_UPDATE)
        m->x.too_big = DDB_UPDATE_TOO_BIG;
    if (m->surface == PQL_IN_TRANSACTION && n->dml->returning_count > 0)
        return pql_fail(&m->x, "RETURNING clause is not supported in ExecuteTransaction.");
    return true;
}

bool pql_command_parse(struct call *c, struct pql_command *m)
{
    if (!pql_parse(c->arena, m->statement_text, &m->statement, &c->err))
        return false;
    const struct pql_node *root = m->statement.root;
    /* unverified: that parameters too many are an error, too */
    if (m->statement.params != m->x.param_count)
        return pql_fail(&m->x, "Number of parameters in request and statement don't match.");
    switch (root->kind) {
    case PQL_SELECT:
        m->does = PQL_DOES_SELECT;
        m->select = root->select;
        return true;
    case PQL_DML:
        return parse_change(m, root);
    case PQL_OP:
    case PQL_CALL:
        return parse_exists(m, root);
    default:
        return fail_kind(m, root);
    }
}

bool pql_command_prepare(struct call *c, struct pql_command *m)
{
    return m->select != NULL ? pql_read_prepare(c, m) : pql_write_prepare(c, m);
}
