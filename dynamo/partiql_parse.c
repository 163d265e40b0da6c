/* PartiQL expressions: operators by how tightly they bind, paths, literals, calls. */
#include "partiql_parse.h"
#include <string.h>

bool pql_parse_fail(struct pql_parser *p, const char *message)
{
    return aws_fail(p->err, p->a, &AWS_ValidationException, PQL_NOT_WELL_FORMED "%s", message);
}

static struct pql_node *fail(struct pql_parser *p, const char *message)
{
    pql_parse_fail(p, message);
    return NULL;
}

void pql_parse_next(struct pql_parser *p)
{
    if (p->left > 1) {
        p->head++;
        p->left--;
    }
}

bool pql_parse_is_word(const struct pql_parser *p, const char *word)
{
    return (p->head->kind == TOKEN_KEYWORD || p->head->kind == TOKEN_OPERATOR) &&
           str_eq_c(p->head->text, word);
}

bool pql_parse_expect(struct pql_parser *p, enum pql_token_kind kind)
{
    static const char *const names[] = {
        [TOKEN_AS] = "AS",
        [TOKEN_BY] = "BY",
        [TOKEN_COLON] = "COLON",
        [TOKEN_COMMA] = "COMMA",
        [TOKEN_LEFT_PAREN] = "LEFT_PAREN",
        [TOKEN_RIGHT_PAREN] = "RIGHT_PAREN",
        [TOKEN_RIGHT_BRACKET] = "RIGHT_BRACKET",
        [TOKEN_RIGHT_CURLY] = "RIGHT_CURLY",
        [TOKEN_RIGHT_BAG] = "RIGHT_DOUBLE_ANGLE_BRACKET",
    };
    if (!pql_parse_is(p, kind))
        return pql_parse_fail(p, arena_fmt(p->a, "Expected %s", names[kind]).p);
    pql_parse_next(p);
    return true;
}

bool pql_parse_expect_word(struct pql_parser *p, const char *word)
{
    char upper[16];
    size_t n = strlen(word);
    if (pql_parse_is_word(p, word)) {
        pql_parse_next(p);
        return true;
    }
    for (size_t i = 0; i <= n; i++)
        upper[i] = word[i] >= 'a' && word[i] <= 'z' ? (char)(word[i] - 32) : word[i];
    return pql_parse_fail(p, arena_fmt(p->a, "Expected %s keyword", upper).p);
}

struct pql_node *pql_node_new(struct pql_parser *p, enum pql_kind kind,
                              const struct pql_token *token)
{
    struct pql_node *n = ARENA_NEW(p->a, struct pql_node);
    n->kind = kind;
    if (token != NULL) {
        n->text = token->text;
        n->at = token->at;
    }
    return n;
}

void pql_node_add(struct pql_parser *p, struct pql_node *n, struct pql_node *child)
{
    if (n->count == n->cap) {
        uint32_t cap = n->cap == 0 ? 4 : n->cap * 2;
        struct pql_node **grown = ARENA_ARRAY(p->a, struct pql_node *, cap);
        if (n->count > 0)
            memcpy(grown, n->child, n->count * sizeof *grown);
        n->child = grown;
        n->cap = cap;
    }
    n->child[n->count++] = child;
}

bool pql_parse_list(struct pql_parser *p, struct pql_node *n)
{
    for (;;) {
        struct pql_node *x = pql_parse_expression(p, -1);
        if (x == NULL)
            return false;
        pql_node_add(p, n, x);
        if (!pql_parse_is(p, TOKEN_COMMA))
            return true;
        pql_parse_next(p);
    }
}

static struct pql_node *take(struct pql_parser *p, enum pql_kind kind)
{
    struct pql_node *n = pql_node_new(p, kind, p->head);
    pql_parse_next(p);
    return n;
}

/* { key: value, ... }; the head is behind the brace. */
static struct pql_node *parse_struct(struct pql_parser *p, struct pql_node *n)
{
    if (pql_parse_is(p, TOKEN_RIGHT_CURLY)) {
        pql_parse_next(p);
        return n;
    }
    for (;;) {
        struct pql_node *key = pql_parse_expression(p, -1);
        if (key == NULL || !pql_parse_expect(p, TOKEN_COLON))
            return NULL;
        struct pql_node *value = pql_parse_expression(p, -1);
        if (value == NULL)
            return NULL;
        pql_node_add(p, n, key);
        pql_node_add(p, n, value);
        if (!pql_parse_is(p, TOKEN_COMMA))
            return pql_parse_expect(p, TOKEN_RIGHT_CURLY) ? n : NULL;
        pql_parse_next(p);
    }
}

static struct pql_node *parse_sequence(struct pql_parser *p, enum pql_kind kind,
                                       enum pql_token_kind close)
{
    struct pql_node *n = take(p, kind);
    if (pql_parse_is(p, close)) {
        pql_parse_next(p);
        return n;
    }
    return pql_parse_list(p, n) && pql_parse_expect(p, close) ? n : NULL;
}

/* ( expression ), or a list in another spelling. */
static struct pql_node *parse_group(struct pql_parser *p)
{
    struct pql_node *n = take(p, PQL_LIST);
    if (!pql_parse_list(p, n) || !pql_parse_expect(p, TOKEN_RIGHT_PAREN))
        return NULL;
    if (n->count > 1)
        return n;
    n->child[0]->grouped = true;
    return n->child[0];
}

/* name ( argument, ... ); the head is the parenthesis. */
static struct pql_node *parse_call(struct pql_parser *p, const struct pql_token *name)
{
    static const char *const aggregates[] = {"count", "avg", "max", "min", "sum"};
    struct pql_node *n = pql_node_new(p, PQL_CALL, name);
    char *low = arena_alloc(p->a, name->text.n + 1);
    for (size_t i = 0; i < name->text.n; i++)
        low[i] = name->text.p[i] >= 'A' && name->text.p[i] <= 'Z' ? (char)(name->text.p[i] + 32)
                                                                  : name->text.p[i];
    n->text = (struct str){low, name->text.n};
    for (size_t i = 0; name->kind == TOKEN_KEYWORD && i < 5; i++) {
        if (str_eq_c(n->text, aggregates[i]))
            n->kind = PQL_AGGREGATE;
    }
    pql_parse_next(p);
    if (n->kind == PQL_AGGREGATE &&
        (pql_parse_is_word(p, "distinct") || pql_parse_is_word(p, "all")))
        pql_parse_next(p);
    if (pql_parse_is(p, TOKEN_STAR)) {
        if (!str_eq_c(n->text, "count") || n->kind != PQL_AGGREGATE)
            return fail(p, arena_fmt(p->a, "%.*s(*) is not allowed", STR_ARG(name->text)).p);
        pql_parse_next(p);
        return pql_parse_expect(p, TOKEN_RIGHT_PAREN) ? n : NULL;
    }
    if (pql_parse_is(p, TOKEN_RIGHT_PAREN)) {
        if (n->kind == PQL_AGGREGATE)
            return fail(p, "Aggregate functions are always unary");
        pql_parse_next(p);
        return n;
    }
    if (!pql_parse_list(p, n) || !pql_parse_expect(p, TOKEN_RIGHT_PAREN))
        return NULL;
    if (n->kind == PQL_AGGREGATE && n->count != 1)
        return fail(p, "Aggregate functions are always unary");
    /* lists and bags have names, too */
    if (str_eq_c(n->text, "list") && name->kind == TOKEN_KEYWORD)
        n->kind = PQL_LIST;
    else if (str_eq_c(n->text, "bag") && name->kind == TOKEN_KEYWORD)
        n->kind = PQL_BAG;
    return n;
}

static bool next_is(const struct pql_parser *p, enum pql_token_kind kind)
{
    return p->left > 1 && p->head[1].kind == kind;
}

static struct pql_node *parse_word_term(struct pql_parser *p)
{
    static const char *const functions[] = {
        "exists",       "count",      "avg",         "max",
        "min",          "sum",        "char_length", "character_length",
        "octet_length", "bit_length", "upper",       "lower",
        "size",         "sexp",       "list",        "bag"};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (!str_eq_c(p->head->text, functions[i]))
            continue;
        if (!next_is(p, TOKEN_LEFT_PAREN))
            return fail(p, "Unexpected keyword");
        const struct pql_token *name = p->head;
        pql_parse_next(p);
        return parse_call(p, name);
    }
    return pql_parse_keyword(p);
}

static struct pql_node *parse_term(struct pql_parser *p)
{
    struct pql_node *n;
    switch (p->head->kind) {
    case TOKEN_OPERATOR:
        if (!pql_parse_is_word(p, "@"))
            return fail(p, "Unexpected operator");
        if (!next_is(p, TOKEN_NAME) && !next_is(p, TOKEN_QUOTED))
            return fail(p, "Identifier must follow @-operator");
        pql_parse_next(p);
        return take(p, PQL_NAME);
    case TOKEN_KEYWORD:
        return parse_word_term(p);
    case TOKEN_LEFT_PAREN:
        return parse_group(p);
    case TOKEN_LEFT_BRACKET:
        return parse_sequence(p, PQL_LIST, TOKEN_RIGHT_BRACKET);
    case TOKEN_LEFT_BAG:
        return parse_sequence(p, PQL_BAG, TOKEN_RIGHT_BAG);
    case TOKEN_LEFT_CURLY:
        return parse_struct(p, take(p, PQL_STRUCT));
    case TOKEN_NAME:
    case TOKEN_QUOTED:
        if (next_is(p, TOKEN_LEFT_PAREN)) {
            const struct pql_token *name = p->head;
            pql_parse_next(p);
            return parse_call(p, name);
        }
        return take(p, PQL_NAME);
    case TOKEN_PARAM:
        n = take(p, PQL_PARAM);
        n->param = p->params++;
        return n;
    case TOKEN_STRING:
        return take(p, PQL_STRING);
    case TOKEN_NUMBER:
        return take(p, PQL_NUMBER);
    case TOKEN_FLAG:
        return take(p, PQL_FLAG);
    case TOKEN_NULL:
        return take(p, PQL_NULL);
    case TOKEN_MISSING:
        return take(p, PQL_MISSING);
    case TOKEN_ION:
        return take(p, PQL_ION);
    default:
        return fail(p, "Unexpected term");
    }
}

static struct pql_node *parse_dot_step(struct pql_parser *p, bool simple)
{
    pql_parse_next(p);
    switch (p->head->kind) {
    case TOKEN_NAME:
    case TOKEN_QUOTED:
        return take(p, PQL_STEP_NAME);
    case TOKEN_STAR:
        if (simple)
            return fail(p, "Invalid path dot component for simple path");
        return take(p, PQL_STEP_STAR);
    default:
        return fail(p, "Invalid path dot component");
    }
}

static bool is_atom(const struct pql_node *n)
{
    return n->kind <= PQL_NAME;
}

static struct pql_node *parse_bracket_step(struct pql_parser *p, bool simple)
{
    pql_parse_next(p);
    struct pql_node *step;
    if (pql_parse_is(p, TOKEN_STAR)) {
        step = take(p, PQL_STEP_ALL);
    } else {
        struct pql_node *x = pql_parse_expression(p, -1);
        if (x == NULL)
            return NULL;
        step = pql_node_new(p, PQL_STEP_EXPR, NULL);
        step->at = x->at;
        pql_node_add(p, step, x);
    }
    if (!pql_parse_expect(p, TOKEN_RIGHT_BRACKET))
        return NULL;
    if (simple && (step->kind == PQL_STEP_ALL || !is_atom(step->child[0])))
        return fail(p, "Invalid path component for simple path");
    return step;
}

struct pql_node *pql_parse_path(struct pql_parser *p, bool simple)
{
    if (simple && !pql_parse_is(p, TOKEN_NAME) && !pql_parse_is(p, TOKEN_QUOTED))
        return fail(p, "Expected identifier for simple path");
    struct pql_node *root = simple ? take(p, PQL_NAME) : parse_term(p);
    struct pql_node *path = NULL;
    while (root != NULL && (pql_parse_is(p, TOKEN_DOT) || pql_parse_is(p, TOKEN_LEFT_BRACKET))) {
        struct pql_node *step =
            pql_parse_is(p, TOKEN_DOT) ? parse_dot_step(p, simple) : parse_bracket_step(p, simple);
        if (step == NULL)
            return NULL;
        if (path == NULL) {
            path = pql_node_new(p, PQL_PATH, NULL);
            path->at = root->at;
            pql_node_add(p, path, root);
        }
        pql_node_add(p, path, step);
    }
    return path != NULL ? path : root;
}

static struct pql_node *parse_unary(struct pql_parser *p)
{
    bool plus = pql_parse_is_word(p, "+"), minus = pql_parse_is_word(p, "-");
    if (!plus && !minus && !pql_parse_is_word(p, "not"))
        return pql_parse_path(p, false);
    if (p->depth >= PQL_DEPTH_MAX)
        return fail(p, "");
    p->depth++;
    struct pql_node *n = take(p, PQL_OP);
    struct pql_node *x = plus || minus ? parse_unary(p) : pql_parse_expression(p, 30);
    p->depth--;
    if (x == NULL)
        return NULL;
    if (x->kind == PQL_NUMBER && plus)
        return x;
    if (x->kind == PQL_NUMBER && minus) { /* the literal itself is negative */
        x->text = x->text.p[0] == '-' ? str_sub(x->text, 1, x->text.n)
                                      : arena_fmt(p->a, "-%.*s", STR_ARG(x->text));
        return x;
    }
    pql_node_add(p, n, x);
    return n;
}

/* The right side of IS: a type's name. */
static struct pql_node *parse_type(struct pql_parser *p)
{
    static const char *const types[] = {"missing",
                                        "null",
                                        "boolean",
                                        "smallint",
                                        "integer4",
                                        "integer8",
                                        "integer",
                                        "float",
                                        "real",
                                        "decimal",
                                        "double_precision",
                                        "numeric",
                                        "date",
                                        "time",
                                        "character",
                                        "timestamp",
                                        "character_varying",
                                        "string",
                                        "symbol",
                                        "clob",
                                        "blob",
                                        "struct",
                                        "tuple",
                                        "list",
                                        "sexp",
                                        "bag",
                                        "any"};
    static const char *const with_length[] = {"float", "decimal",   "numeric",
                                              "time",  "character", "character_varying"};
    bool known = false, length = false;
    bool word = pql_parse_is(p, TOKEN_KEYWORD) || pql_parse_is(p, TOKEN_NULL) ||
                pql_parse_is(p, TOKEN_MISSING);
    for (size_t i = 0; word && i < sizeof types / sizeof *types; i++)
        known = known || str_eq_c(p->head->text, types[i]);
    if (!known)
        return fail(p, "Expected type name");
    struct pql_node *n = take(p, PQL_IS);
    if (!pql_parse_is(p, TOKEN_LEFT_PAREN))
        return n;
    for (size_t i = 0; i < sizeof with_length / sizeof *with_length; i++)
        length = length || str_eq_c(n->text, with_length[i]);
    struct pql_node *args = pql_node_new(p, PQL_LIST, NULL);
    pql_parse_next(p);
    if (!pql_parse_list(p, args) || !pql_parse_expect(p, TOKEN_RIGHT_PAREN))
        return NULL;
    if (!length || args->count > 2)
        return fail(p, arena_fmt(p->a, "CAST for %.*s must have arity of 0..%d", STR_ARG(n->text),
                                 length ? 1 : 0)
                           .p);
    for (size_t i = 0; i < args->count; i++) {
        if (args->child[i]->kind != PQL_NUMBER)
            return fail(p, "Type parameter must be an unsigned integer literal");
    }
    return n;
}

/* IN followed by a parenthesis is a list, even of one, unless a query stands in it. */
static bool is_plain_group(const struct pql_parser *p)
{
    return pql_parse_is(p, TOKEN_LEFT_PAREN) && p->left > 1 &&
           !(p->head[1].kind == TOKEN_KEYWORD &&
             (str_eq_c(p->head[1].text, "select") || str_eq_c(p->head[1].text, "values")));
}

static struct pql_node *parse_right(struct pql_parser *p, struct str op, int precedence)
{
    if (str_eq_c(op, "is") || str_eq_c(op, "is_not")) {
        pql_parse_next(p);
        return parse_type(p);
    }
    bool in = str_eq_c(op, "in") || str_eq_c(op, "not_in");
    size_t left = p->left;
    if (!in || left < 3) {
        if (left < 3)
            return fail(p, "Missing right-hand side expression of infix operator");
        pql_parse_next(p);
        return pql_parse_expression(p, precedence);
    }
    pql_parse_next(p);
    if (!is_plain_group(p))
        return pql_parse_expression(p, precedence);
    struct pql_node *list = take(p, PQL_LIST);
    return pql_parse_list(p, list) && pql_parse_expect(p, TOKEN_RIGHT_PAREN) ? list : NULL;
}

/* Negated operators are NOT around the plain one. */
static struct pql_node *combine(struct pql_parser *p, const struct pql_token *op,
                                struct pql_node *left, struct pql_node *right,
                                struct pql_node *third)
{
    static const struct {
        const char *op, *means;
    } negated[] = {{"not_in", "in"}, {"not_between", "between"}, {"not_like", "like"}};
    bool is_not = str_eq_c(op->text, "is_not"), negate = is_not;
    struct pql_node *n;
    if (is_not || str_eq_c(op->text, "is")) {
        n = pql_node_new(p, PQL_IS, op);
        n->text = right->text;
        pql_node_add(p, n, left);
    } else {
        n = pql_node_new(p, PQL_OP, op);
        pql_node_add(p, n, left);
        pql_node_add(p, n, right);
        if (third != NULL)
            pql_node_add(p, n, third);
    }
    for (size_t i = 0; i < sizeof negated / sizeof *negated; i++) {
        if (str_eq_c(op->text, negated[i].op)) {
            n->text = str_c(negated[i].means);
            negate = true;
        }
    }
    if (!negate)
        return n;
    struct pql_node *not = pql_node_new(p, PQL_OP, op);
    not ->text = STR("not");
    pql_node_add(p, not, n);
    return not ;
}

static bool only_end(const struct pql_parser *p)
{
    return p->left == 1 || (p->left == 2 && pql_parse_is(p, TOKEN_SEMICOLON));
}

static struct pql_node *parse_third(struct pql_parser *p, const char *word, int precedence)
{
    if (!pql_parse_expect_word(p, word))
        return NULL;
    if (only_end(p))
        return fail(p, str_eq_c(str_c(word), "and") ? "Expected expression after AND"
                                                    : "Expected expression after ESCAPE");
    return pql_parse_expression(p, precedence);
}

static struct pql_node *parse_infix(struct pql_parser *p, struct pql_node *left, int precedence)
{
    while (left != NULL) {
        bool word = pql_parse_is(p, TOKEN_OPERATOR) || pql_parse_is(p, TOKEN_KEYWORD) ||
                    pql_parse_is(p, TOKEN_STAR);
        int binds = word ? pql_precedence(p->head->text) : 0;
        if (binds == 0 || precedence >= binds)
            return left;
        const struct pql_token *op = p->head;
        struct pql_node *right = parse_right(p, op->text, binds), *third = NULL;
        if (right == NULL)
            return NULL;
        bool between = str_eq_c(op->text, "between") || str_eq_c(op->text, "not_between");
        bool like = str_eq_c(op->text, "like") || str_eq_c(op->text, "not_like");
        if (between || (like && pql_parse_is_word(p, "escape"))) {
            third = parse_third(p, between ? "and" : "escape", binds);
            if (third == NULL)
                return NULL;
        }
        left = combine(p, op, left, right, third);
    }
    return NULL;
}

struct pql_node *pql_parse_expression(struct pql_parser *p, int precedence)
{
    if (p->depth >= PQL_DEPTH_MAX) /* ours: the stack is not endless */
        return fail(p, "");
    p->depth++;
    struct pql_node *n = parse_infix(p, parse_unary(p), precedence);
    p->depth--;
    return n;
}
