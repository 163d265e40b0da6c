/* PartiQL statements: SELECT, data manipulation, and the rest that DynamoDB refuses by name. */
#include "partiql_parse.h"
#include <string.h>

static struct pql_node *fail(struct pql_parser *p, const char *message)
{
    pql_parse_fail(p, message);
    return NULL;
}

/* ---- FROM ---- */

static bool is_name(const struct pql_parser *p)
{
    return pql_parse_is(p, TOKEN_NAME) || pql_parse_is(p, TOKEN_QUOTED);
}

static bool parse_alias(struct pql_parser *p, enum pql_token_kind word, bool optional, bool *found)
{
    bool has_word = pql_parse_is(p, word);
    if (!has_word && !(optional && is_name(p)))
        return true;
    if (has_word)
        pql_parse_next(p);
    if (!is_name(p))
        return pql_parse_fail(p, arena_fmt(p->a, "Expected identifier for %s-alias",
                                           word == TOKEN_AS   ? "AS"
                                           : word == TOKEN_AT ? "AT"
                                                              : "BY")
                                     .p);
    pql_parse_next(p);
    *found = true;
    return true;
}

static bool parse_aliases(struct pql_parser *p, bool *found)
{
    return parse_alias(p, TOKEN_AS, true, found) && parse_alias(p, TOKEN_AT, false, found) &&
           parse_alias(p, TOKEN_BY, false, found);
}

static bool is_join(const struct pql_parser *p)
{
    struct str w = p->head->text;
    return pql_parse_is(p, TOKEN_COMMA) || pql_parse_is_word(p, "join") ||
           (pql_parse_is(p, TOKEN_KEYWORD) && str_ends(w, STR("_join")));
}

/* One table; more of them are read over, as they are refused anyway. */
static bool parse_source(struct pql_parser *p, struct pql_source *s, int precedence)
{
    if (pql_parse_is_word(p, "unpivot")) {
        s->unpivot = true;
        pql_parse_next(p);
    }
    s->node = pql_parse_expression(p, precedence);
    if (s->node == NULL || !parse_aliases(p, &s->aliased))
        return false;
    while (is_join(p)) {
        bool needs_on =
            !pql_parse_is(p, TOKEN_COMMA) && str_find_str(p->head->text, STR("cross")) < 0;
        bool ignored = false;
        s->joined = true;
        pql_parse_next(p);
        if (pql_parse_expression(p, precedence) == NULL || !parse_aliases(p, &ignored))
            return false;
        if (!needs_on)
            continue;
        if (!pql_parse_is_word(p, "on"))
            return pql_parse_fail(p, "Expected 'ON'");
        pql_parse_next(p);
        if (pql_parse_expression(p, precedence) == NULL)
            return false;
    }
    return true;
}

/* ---- SELECT ---- */

/* A star inside a path of the list. */
static bool check_item_path(struct pql_parser *p, struct pql_item *item)
{
    struct pql_node *n = item->node;
    if (n->kind != PQL_PATH)
        return true;
    bool brackets = false;
    for (uint32_t i = 1; i < n->count; i++) {
        brackets = brackets || n->child[i]->kind == PQL_STEP_EXPR;
        bool last = i + 1 == n->count;
        if (n->child[i]->kind == PQL_STEP_ALL || (n->child[i]->kind == PQL_STEP_STAR && !last))
            return pql_parse_fail(p, "Invalid use of * in select list");
    }
    item->all = n->child[n->count - 1]->kind == PQL_STEP_STAR;
    return !item->all || !brackets ||
           pql_parse_fail(p, "Cannot use [] and * together in SELECT list expression");
}

static bool parse_items(struct pql_parser *p, struct pql_select *s)
{
    size_t cap = 0;
    bool star = false;
    for (;;) {
        struct pql_item item = {0};
        if (pql_parse_is(p, TOKEN_STAR)) {
            star = true;
            pql_parse_next(p);
        } else {
            item.node = pql_parse_expression(p, -1);
            if (item.node == NULL || !check_item_path(p, &item) ||
                !parse_alias(p, TOKEN_AS, true, &item.aliased))
                return false;
        }
        if (s->item_count == cap) {
            struct pql_item *grown = ARENA_ARRAY(p->a, struct pql_item, cap = cap * 2 + 8);
            if (s->item_count > 0)
                memcpy(grown, s->items, s->item_count * sizeof item);
            s->items = grown;
        }
        s->items[s->item_count++] = item;
        if (!pql_parse_is(p, TOKEN_COMMA))
            break;
        pql_parse_next(p);
    }
    return !star || s->item_count == 1 ||
           pql_parse_fail(p, "Other expressions may not be present in the select list when '*' is "
                             "used without dot notation.");
}

static bool parse_clause(struct pql_parser *p, const char *word, struct pql_node **ret)
{
    if (!pql_parse_is_word(p, word))
        return true;
    pql_parse_next(p);
    *ret = pql_parse_expression(p, PQL_BINDS_SELECT);
    return *ret != NULL;
}

static bool parse_let(struct pql_parser *p, struct pql_select *s)
{
    if (!pql_parse_is_word(p, "let"))
        return true;
    s->let = true;
    do {
        pql_parse_next(p);
        if (pql_parse_expression(p, -1) == NULL)
            return false;
        if (!pql_parse_is(p, TOKEN_AS))
            return pql_parse_fail(p, "Expected AS following LET expr");
        bool found;
        if (!parse_alias(p, TOKEN_AS, false, &found))
            return false;
    } while (pql_parse_is(p, TOKEN_COMMA));
    return true;
}

static bool parse_order(struct pql_parser *p, struct pql_select *s)
{
    if (!pql_parse_is_word(p, "order"))
        return true;
    pql_parse_next(p);
    if (!pql_parse_expect(p, TOKEN_BY))
        return false;
    for (size_t cap = 0;;) {
        struct pql_order o = {pql_parse_expression(p, -1), false};
        if (o.node == NULL)
            return false;
        if (pql_parse_is(p, TOKEN_ASC) || pql_parse_is(p, TOKEN_DESC)) {
            o.descending = pql_parse_is(p, TOKEN_DESC);
            pql_parse_next(p);
        }
        if (s->order_count == cap) {
            struct pql_order *grown = ARENA_ARRAY(p->a, struct pql_order, cap = cap * 2 + 4);
            if (s->order_count > 0)
                memcpy(grown, s->order, s->order_count * sizeof o);
            s->order = grown;
        }
        s->order[s->order_count++] = o;
        if (!pql_parse_is(p, TOKEN_COMMA))
            return true;
        pql_parse_next(p);
    }
}

static bool parse_group(struct pql_parser *p, struct pql_select *s)
{
    if (!pql_parse_is_word(p, "group"))
        return true;
    s->group = true;
    pql_parse_next(p);
    if (pql_parse_is_word(p, "partial"))
        pql_parse_next(p);
    if (!pql_parse_expect(p, TOKEN_BY))
        return false;
    for (;;) {
        bool found;
        struct pql_node *n = pql_parse_expression(p, PQL_BINDS_SELECT);
        if (n == NULL || !parse_alias(p, TOKEN_AS, true, &found))
            return false;
        if (n->kind < PQL_MISSING)
            return pql_parse_fail(p, "Literals (including ordinals) not supported in GROUP BY");
        if (!pql_parse_is(p, TOKEN_COMMA))
            return true;
        pql_parse_next(p);
    }
}

struct pql_node *pql_parse_select(struct pql_parser *p, struct pql_node *n, bool pivot)
{
    struct pql_select *s = n->select = ARENA_NEW(p->a, struct pql_select);
    s->pivot = pivot;
    if (pivot) {
        if (pql_parse_expression(p, -1) == NULL)
            return NULL;
        if (!pql_parse_is(p, TOKEN_AT))
            return fail(p, "Expected AT keyword");
        pql_parse_next(p);
        if (pql_parse_expression(p, -1) == NULL)
            return NULL;
    } else {
        s->distinct = pql_parse_is_word(p, "distinct");
        if (s->distinct || pql_parse_is_word(p, "all"))
            pql_parse_next(p);
        s->value = pql_parse_is_word(p, "value");
        if (s->value)
            pql_parse_next(p);
        if (s->value ? pql_parse_expression(p, -1) == NULL : !parse_items(p, s))
            return NULL;
    }
    if (!pql_parse_is_word(p, "from"))
        return fail(p, "Expected FROM after SELECT list");
    pql_parse_next(p);
    return parse_source(p, &s->from, PQL_BINDS_SELECT) && parse_let(p, s) &&
                   parse_clause(p, "where", &s->where) && parse_order(p, s) && parse_group(p, s) &&
                   parse_clause(p, "having", &s->having) && parse_clause(p, "limit", &s->limit)
               ? n
               : NULL;
}

/* ---- data manipulation ---- */

static void add_action(struct pql_parser *p, struct pql_dml *d, struct pql_action x)
{
    if (d->count == d->cap) {
        struct pql_action *grown = ARENA_ARRAY(p->a, struct pql_action, d->cap = d->cap * 2 + 4);
        if (d->count > 0)
            memcpy(grown, d->actions, d->count * sizeof x);
        d->actions = grown;
    }
    d->actions[d->count++] = x;
}

static bool parse_where(struct pql_parser *p, struct pql_dml *d)
{
    if (!pql_parse_is_word(p, "where"))
        return true;
    pql_parse_next(p);
    d->where = pql_parse_expression(p, -1);
    return d->where != NULL;
}

static bool parse_returning(struct pql_parser *p, struct pql_dml *d)
{
    if (!pql_parse_is_word(p, "returning"))
        return true;
    do {
        struct pql_returning r = {0};
        pql_parse_next(p);
        if (!pql_parse_is_word(p, "all_old") && !pql_parse_is_word(p, "all_new") &&
            !pql_parse_is_word(p, "modified_old") && !pql_parse_is_word(p, "modified_new"))
            return pql_parse_fail(p, "Expected ( MODIFIED | ALL ) ( NEW | OLD ) in each returning "
                                     "element.");
        r.mapping = p->head->text;
        pql_parse_next(p);
        if (pql_parse_is(p, TOKEN_STAR)) {
            pql_parse_next(p);
        } else {
            r.column = pql_parse_expression(p, -1);
            if (r.column == NULL)
                return false;
            if (r.column->kind != PQL_PATH && r.column->kind > PQL_NAME)
                return pql_parse_fail(p, "Unsupported syntax in RETURNING columns.");
            if (r.column->kind == PQL_PATH && r.column->count > 2)
                return pql_parse_fail(p, "More than two paths in RETURNING columns.");
        }
        if (d->returning_count == d->returning_cap) {
            struct pql_returning *grown = ARENA_ARRAY(p->a, struct pql_returning,
                                                      d->returning_cap = d->returning_cap * 2 + 2);
            if (d->returning_count > 0)
                memcpy(grown, d->returning, d->returning_count * sizeof r);
            d->returning = grown;
        }
        d->returning[d->returning_count++] = r;
    } while (pql_parse_is(p, TOKEN_COMMA));
    return true;
}

static bool parse_set(struct pql_parser *p, struct pql_dml *d)
{
    for (;;) {
        struct pql_action x = {.kind = PQL_SET, .at = p->head->at};
        x.target = pql_parse_path(p, true);
        if (x.target == NULL)
            return false;
        if (!pql_parse_is_word(p, "="))
            return pql_parse_fail(p, "Expected '='");
        pql_parse_next(p);
        x.value = pql_parse_expression(p, -1);
        if (x.value == NULL)
            return false;
        add_action(p, d, x);
        if (!pql_parse_is(p, TOKEN_COMMA))
            return true;
        pql_parse_next(p);
    }
}

static bool parse_conflict(struct pql_parser *p, struct pql_action *x)
{
    if (!pql_parse_is_word(p, "on_conflict"))
        return true;
    x->on_conflict = true;
    pql_parse_next(p);
    if (!pql_parse_is_word(p, "where"))
        return pql_parse_fail(p, "invalid ON CONFLICT syntax");
    pql_parse_next(p);
    if (pql_parse_expression(p, -1) == NULL)
        return false;
    if (!pql_parse_is_word(p, "do_nothing"))
        return pql_parse_fail(p, "invalid ON CONFLICT syntax");
    pql_parse_next(p);
    return true;
}

static bool parse_insert(struct pql_parser *p, struct pql_dml *d, struct pql_at at)
{
    struct pql_action x = {.kind = PQL_INSERT, .at = at, .target = pql_parse_path(p, true)};
    if (x.target == NULL)
        return false;
    if (pql_parse_is_word(p, "value")) {
        x.kind = PQL_INSERT_VALUE;
        pql_parse_next(p);
    }
    x.value = pql_parse_expression(p, -1);
    if (x.value == NULL)
        return false;
    if (x.kind == PQL_INSERT_VALUE && pql_parse_is(p, TOKEN_AT)) {
        x.at_position = true;
        pql_parse_next(p);
        if (pql_parse_expression(p, -1) == NULL)
            return false;
    }
    bool ok = x.kind == PQL_INSERT || (parse_conflict(p, &x) && parse_returning(p, d));
    add_action(p, d, x);
    return ok;
}

static bool is_action(const struct pql_parser *p)
{
    return pql_parse_is_word(p, "insert_into") || pql_parse_is_word(p, "set") ||
           pql_parse_is_word(p, "remove");
}

static bool parse_action(struct pql_parser *p, struct pql_dml *d)
{
    struct pql_at at = p->head->at;
    bool set = pql_parse_is_word(p, "set"), insert = pql_parse_is_word(p, "insert_into");
    pql_parse_next(p);
    if (set)
        return parse_set(p, d);
    if (insert)
        return parse_insert(p, d, at);
    struct pql_action x = {.kind = PQL_REMOVE, .at = at, .target = pql_parse_path(p, true)};
    if (x.target != NULL)
        add_action(p, d, x);
    return x.target != NULL;
}

static bool parse_actions(struct pql_parser *p, struct pql_dml *d)
{
    if (!is_action(p))
        return pql_parse_fail(p, "Expected data manipulation");
    while (is_action(p)) {
        if (!parse_action(p, d))
            return false;
    }
    return true;
}

/* FROM table WHERE ... SET ... RETURNING ... */
static bool parse_from_first(struct pql_parser *p, struct pql_dml *d)
{
    return parse_source(p, &d->from, -1) && parse_where(p, d) && parse_actions(p, d) &&
           parse_returning(p, d);
}

/* UPDATE table SET ... and DELETE FROM table, then WHERE and RETURNING. */
static bool parse_table_first(struct pql_parser *p, struct pql_dml *d, bool delete)
{
    struct pql_action x = {.kind = PQL_DELETE, .at = p->head->at};
    d->from.node = pql_parse_path(p, true);
    if (d->from.node == NULL || !parse_aliases(p, &d->from.aliased))
        return false;
    if (delete)
        add_action(p, d, x);
    else if (!parse_actions(p, d))
        return false;
    return parse_where(p, d) && parse_returning(p, d);
}

static struct pql_node *parse_dml(struct pql_parser *p)
{
    struct pql_node *n = pql_node_new(p, PQL_DML, p->head);
    struct pql_dml *d = n->dml = ARENA_NEW(p->a, struct pql_dml);
    bool ok;
    if (is_action(p)) {
        ok = parse_action(p, d);
    } else {
        bool update = pql_parse_is_word(p, "update"), from = pql_parse_is_word(p, "from");
        pql_parse_next(p);
        if (!update && !from) {
            if (!pql_parse_is_word(p, "from"))
                return fail(p, "Expected FROM after DELETE");
            pql_parse_next(p);
        }
        ok = from ? parse_from_first(p, d) : parse_table_first(p, d, !update);
    }
    return ok ? n : NULL;
}

/* ---- what DynamoDB has no use for ---- */

static struct pql_node *parse_case(struct pql_parser *p)
{
    struct pql_node *n = pql_node_new(p, PQL_CASE, p->head);
    pql_parse_next(p);
    bool searched = pql_parse_is_word(p, "when");
    n->text = searched ? STR("SearchedCase") : STR("SimpleCase");
    if (!searched && pql_parse_expression(p, -1) == NULL)
        return NULL;
    if (!pql_parse_is_word(p, "when"))
        return fail(p, "Expected a WHEN clause in CASE");
    while (pql_parse_is_word(p, "when")) {
        pql_parse_next(p);
        if (pql_parse_expression(p, -1) == NULL || !pql_parse_expect_word(p, "then") ||
            pql_parse_expression(p, -1) == NULL)
            return NULL;
    }
    if (pql_parse_is_word(p, "else")) {
        pql_parse_next(p);
        if (pql_parse_expression(p, -1) == NULL)
            return NULL;
    }
    return pql_parse_expect_word(p, "end") ? n : NULL;
}

static struct pql_node *parse_cast(struct pql_parser *p)
{
    pql_parse_next(p);
    if (!pql_parse_is(p, TOKEN_LEFT_PAREN))
        return fail(p, "Missing left parenthesis after CAST");
    struct pql_node *n = pql_node_new(p, PQL_CAST, p->head);
    n->text = STR("cast");
    pql_parse_next(p);
    if (pql_parse_expression(p, -1) == NULL || !pql_parse_expect(p, TOKEN_AS))
        return NULL;
    if (!pql_parse_is(p, TOKEN_KEYWORD))
        return fail(p, "Expected type name");
    while (!pql_parse_is(p, TOKEN_RIGHT_PAREN) && !pql_parse_is(p, TOKEN_END))
        pql_parse_next(p);
    return pql_parse_expect(p, TOKEN_RIGHT_PAREN) ? n : NULL;
}

/* SUBSTRING(a FROM b FOR c) and its like: words between the arguments. */
static struct pql_node *parse_wordy_call(struct pql_parser *p)
{
    struct pql_node *n = pql_node_new(p, PQL_CALL, p->head);
    pql_parse_next(p);
    if (!pql_parse_is(p, TOKEN_LEFT_PAREN))
        return fail(p, "Expected LEFT_PAREN");
    do {
        pql_parse_next(p);
        struct pql_node *x = pql_parse_expression(p, -1);
        if (x == NULL)
            return NULL;
        pql_node_add(p, n, x);
    } while (pql_parse_is(p, TOKEN_COMMA) || pql_parse_is(p, TOKEN_FOR) ||
             pql_parse_is_word(p, "from"));
    return pql_parse_expect(p, TOKEN_RIGHT_PAREN) ? n : NULL;
}

static const char *ion_type(const struct pql_token *t)
{
    switch (t->kind) {
    case TOKEN_NUMBER:
        return str_find(t->text, '.') >= 0 || str_find(t->text, 'e') >= 0 ? "DECIMAL" : "INT";
    case TOKEN_FLAG:
        return "BOOL";
    case TOKEN_NULL:
    case TOKEN_MISSING:
        return "NULL";
    case TOKEN_PARAM:
        return "INT";
    default:
        return "SYMBOL";
    }
}

/* DATE '...' and TIME '...': mostly met as the unquoted name of an attribute. */
static struct pql_node *parse_date(struct pql_parser *p)
{
    bool time = pql_parse_is_word(p, "time");
    struct pql_node *n = pql_node_new(p, PQL_DATE, p->head);
    pql_parse_next(p);
    if (time && pql_parse_is(p, TOKEN_KEYWORD)) {
        if (!pql_parse_expect_word(p, "with") || !pql_parse_expect_word(p, "time") ||
            !pql_parse_expect_word(p, "zone"))
            return NULL;
    }
    if (!pql_parse_is(p, TOKEN_STRING))
        return fail(p, arena_fmt(p->a,
                                 time ? "Expected time string followed by the keyword TIME OR "
                                        "TIME WITH TIME ZONE, found %s"
                                      : "Expected date string followed by the keyword DATE, "
                                        "found %s",
                                 ion_type(p->head))
                           .p);
    pql_parse_next(p);
    return n;
}

static struct pql_node *parse_ddl(struct pql_parser *p)
{
    bool create = pql_parse_is_word(p, "create");
    struct pql_node *n = pql_node_new(p, PQL_DDL, p->head);
    pql_parse_next(p);
    bool table = pql_parse_is_word(p, "table"), index = pql_parse_is_word(p, "index");
    if (!table && !index)
        return fail(p, create ? "Unexpected token following CREATE"
                              : "Unexpected token following DROP");
    n->text = create ? (table ? STR("CreateTable") : STR("CreateIndex"))
                     : (table ? STR("DropTable") : STR("DropIndex"));
    pql_parse_next(p);
    if ((table || !create) && !is_name(p))
        return fail(p, "Expected identifier!");
    while (!pql_parse_is(p, TOKEN_END) && !pql_parse_is(p, TOKEN_SEMICOLON))
        pql_parse_next(p);
    return n;
}

static struct pql_node *parse_exec(struct pql_parser *p)
{
    struct pql_node *n = pql_node_new(p, PQL_EXEC, p->head);
    pql_parse_next(p);
    if (pql_parse_is(p, TOKEN_END))
        return fail(p, "No stored procedure provided");
    pql_parse_next(p);
    struct pql_node *args = pql_node_new(p, PQL_LIST, NULL);
    return pql_parse_is(p, TOKEN_END) || pql_parse_list(p, args) ? n : NULL;
}

static struct pql_node *parse_values(struct pql_parser *p)
{
    struct pql_node *n = pql_node_new(p, PQL_BAG, p->head);
    do {
        pql_parse_next(p);
        if (!pql_parse_is(p, TOKEN_LEFT_PAREN))
            return fail(p, "Expected LEFT_PAREN for row value constructor");
        struct pql_node *row = pql_node_new(p, PQL_LIST, p->head);
        pql_parse_next(p);
        if (!pql_parse_list(p, row) || !pql_parse_expect(p, TOKEN_RIGHT_PAREN))
            return NULL;
        pql_node_add(p, n, row);
    } while (pql_parse_is(p, TOKEN_COMMA));
    return n;
}

struct pql_node *pql_parse_keyword(struct pql_parser *p)
{
    static const struct {
        const char *word;
        struct pql_node *(*parse)(struct pql_parser *p);
    } terms[] = {{"insert_into", parse_dml},
                 {"set", parse_dml},
                 {"remove", parse_dml},
                 {"update", parse_dml},
                 {"delete", parse_dml},
                 {"from", parse_dml},
                 {"case", parse_case},
                 {"cast", parse_cast},
                 {"create", parse_ddl},
                 {"drop", parse_ddl},
                 {"exec", parse_exec},
                 {"values", parse_values},
                 {"substring", parse_wordy_call},
                 {"trim", parse_wordy_call},
                 {"extract", parse_wordy_call},
                 {"date_add", parse_wordy_call},
                 {"date_diff", parse_wordy_call},
                 {"date", parse_date},
                 {"time", parse_date}};
    bool pivot = pql_parse_is_word(p, "pivot");
    if (pivot || pql_parse_is_word(p, "select")) {
        struct pql_node *n = pql_node_new(p, PQL_SELECT, p->head);
        pql_parse_next(p);
        return pql_parse_select(p, n, pivot);
    }
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        if (pql_parse_is_word(p, terms[i].word))
            return terms[i].parse(p);
    }
    return fail(p, "Unexpected keyword");
}

/* ---- the whole ---- */

bool pql_parse(struct arena *a, struct str text, struct pql_statement *ret, struct aws_err *err)
{
    struct pql_tokens tokens;
    if (!pql_lex(a, text, &tokens, err))
        return false;
    struct pql_parser p = {.a = a, .head = tokens.token, .left = tokens.count, .err = err};
    struct pql_node *root = pql_parse_expression(&p, -1);
    if (root == NULL)
        return false;
    if (pql_parse_is(&p, TOKEN_SEMICOLON) && p.left > 2)
        return pql_parse_fail(&p, "Unexpected token after semicolon. (Only one query is allowed.)");
    if (p.left > 2 || (p.left == 2 && !pql_parse_is(&p, TOKEN_SEMICOLON)))
        return pql_parse_fail(&p, "Unexpected token after expression");
    *ret = (struct pql_statement){root, tokens.params};
    return true;
}
