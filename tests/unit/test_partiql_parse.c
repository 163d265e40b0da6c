/* links: puddle_dynamo */
#include "harness.h"
#include "partiql_ast.h"
#include <stdlib.h>

static struct arena *arena;
static struct buf out;

static void dump(const struct pql_node *n, struct buf *to);

static void dump_children(const struct pql_node *n, uint32_t from, struct buf *to)
{
    for (uint32_t i = from; i < n->count; i++) {
        buf_addc(to, ' ');
        dump(n->child[i], to);
    }
}

static void dump_select(const struct pql_select *s, struct buf *to)
{
    buf_add(to, STR("(select"));
    for (size_t i = 0; i < s->item_count; i++) {
        buf_addc(to, ' ');
        if (s->items[i].node == NULL)
            buf_addc(to, '*');
        else
            dump(s->items[i].node, to);
    }
    buf_add(to, STR(" from "));
    dump(s->from.node, to);
    if (s->where != NULL) {
        buf_add(to, STR(" where "));
        dump(s->where, to);
    }
    for (size_t i = 0; i < s->order_count; i++) {
        buf_add(to, s->order[i].descending ? STR(" desc ") : STR(" asc "));
        dump(s->order[i].node, to);
    }
    buf_addc(to, ')');
}

static void dump_dml(const struct pql_dml *d, struct buf *to)
{
    static const char *const names[] = {"set", "remove", "insert-value", "insert", "delete"};
    buf_add(to, STR("(dml"));
    for (size_t i = 0; i < d->count; i++) {
        const struct pql_action *x = &d->actions[i];
        buf_addf(to, " (%s", names[x->kind]);
        if (x->target != NULL) {
            buf_addc(to, ' ');
            dump(x->target, to);
        }
        if (x->value != NULL) {
            buf_addc(to, ' ');
            dump(x->value, to);
        }
        buf_addc(to, ')');
    }
    if (d->from.node != NULL) {
        buf_add(to, STR(" from "));
        dump(d->from.node, to);
    }
    if (d->where != NULL) {
        buf_add(to, STR(" where "));
        dump(d->where, to);
    }
    for (size_t i = 0; i < d->returning_count; i++)
        buf_addf(to, " returning %.*s%s", STR_ARG(d->returning[i].mapping),
                 d->returning[i].column == NULL ? " *" : "");
    buf_addc(to, ')');
}

static void dump(const struct pql_node *n, struct buf *to)
{
    static const char *const names[] = {[PQL_LIST] = "list",
                                        [PQL_BAG] = "bag",
                                        [PQL_STRUCT] = "struct",
                                        [PQL_PATH] = "path",
                                        [PQL_STEP_EXPR] = "[]"};
    switch (n->kind) {
    case PQL_STRING:
        buf_addf(to, "'%.*s'", STR_ARG(n->text));
        break;
    case PQL_NUMBER:
    case PQL_FLAG:
    case PQL_NULL:
    case PQL_MISSING:
    case PQL_NAME:
        buf_add(to, n->text);
        break;
    case PQL_PARAM:
        buf_addf(to, "?%u", n->param);
        break;
    case PQL_STEP_NAME:
        buf_addf(to, ".%.*s", STR_ARG(n->text));
        break;
    case PQL_LIST:
    case PQL_BAG:
    case PQL_STRUCT:
    case PQL_PATH:
    case PQL_STEP_EXPR:
        buf_addf(to, "(%s", names[n->kind]);
        dump_children(n, 0, to);
        buf_addc(to, ')');
        break;
    case PQL_SELECT:
        dump_select(n->select, to);
        break;
    case PQL_DML:
        dump_dml(n->dml, to);
        break;
    case PQL_IS:
        buf_add(to, STR("(is"));
        dump_children(n, 0, to);
        buf_addf(to, " %.*s)", STR_ARG(n->text));
        break;
    default:
        buf_addf(to, "(%.*s", STR_ARG(n->text));
        dump_children(n, 0, to);
        buf_addc(to, ')');
    }
}

/* The tree as text, or the message without AWS's envelope. */
static struct str parse_n(struct str text)
{
    struct pql_statement s;
    struct aws_err err = {0};
    buf_release(&out);
    buf_init(&out, 1 << 20);
    if (arena == NULL)
        arena = arena_new(0, SIZE_MAX);
    arena_reset(arena);
    if (!pql_parse(arena, text, &s, &err)) {
        struct str envelope = STR(PQL_NOT_WELL_FORMED);
        if (!str_starts(err.message, envelope))
            return STR("without the envelope");
        buf_addf(&out, "! %.*s", STR_ARG(str_sub(err.message, envelope.n, err.message.n)));
        return buf_view(&out);
    }
    dump(s.root, &out);
    return buf_view(&out);
}

#define PARSE(text) parse_n(STR(text))

static struct str where(const char *condition)
{
    static const struct str prefix = {"(select * from t where ", 23};
    static char text[1024];
    snprintf(text, sizeof text, "SELECT * FROM t WHERE %s", condition);
    struct str r = parse_n(str_c(text));
    return str_starts(r, prefix) ? str_sub(r, prefix.n, r.n - 1) : r;
}

__attribute__((destructor)) static void release(void)
{
    arena_free(arena);
    buf_release(&out);
}

TEST(literals)
{
    CHECK_STR(PARSE("'it''s'"), "'it's'");
    CHECK_STR(PARSE("''"), "''");
    CHECK_STR(PARSE("''''"), "'''");
    CHECK_STR(PARSE("\"a\"\"b\""), "a\"b");
    CHECK_STR(PARSE("42"), "42");
    CHECK_STR(PARSE("-42"), "-42");
    CHECK_STR(PARSE("- -42"), "42");
    CHECK_STR(PARSE("+4.5e-3"), "4.5e-3");
    CHECK_STR(PARSE(".5E+3"), ".5E+3");
    CHECK_STR(PARSE("5."), "5.");
    CHECK_STR(PARSE("[1, 'a', TRUE, False, NULL, missing, ?]"),
              "(list 1 'a' true false null missing ?0)");
    CHECK_STR(PARSE("<<1,2>>"), "(bag 1 2)");
    CHECK_STR(PARSE("[]"), "(list)");
    CHECK_STR(PARSE("{}"), "(struct)");
    CHECK_STR(PARSE("{'a': 1, 'b': {'c': <<'x'>>}}"), "(struct 'a' 1 'b' (struct 'c' (bag 'x')))");
    CHECK_STR(PARSE("(1,2)"), "(list 1 2)");
    CHECK_STR(PARSE("(1)"), "1");
    CHECK_STR(PARSE("`{a:1}`"), "({a:1})");
    CHECK_STR(PARSE("list(1)"), "(list 1)");
}

TEST(texts_that_are_no_tokens)
{
    static const char *const bad[] = {
        "'open", "\"open",       "`open",        "/* open",         "1 # note", "1e",
        "1e+",   "5e9999999999", "1e2147483648", "1.5e-2147483647", "a ^ b",    "a | b",
        "a ! b", "\\",           "\xc3\xa9",     "a \xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STR(parse_n(str_c(bad[i])), "! ");
    CHECK_STR(parse_n((struct str){"a\0b", 3}), "! ");
}

TEST(comments_and_blanks_are_nothing)
{
    CHECK_STR(PARSE("-- note\nSELECT * FROM t -- more\rWHERE a = 1 /* x * / */ AND b = 2 --"),
              "(select * from t where (and (= a 1) (= b 2)))");
    CHECK_STR(PARSE("SELECT\t*\v\fFROM\r\nt;"), "(select * from t)");
    CHECK_STR(PARSE("'-- not /* a comment'"), "'-- not /* a comment'");
    CHECK_STR(PARSE("1--2"), "1");
}

TEST(precedence_of_operators)
{
    CHECK_STR(where("a = 1 AND b = 2 OR c = 3 AND d = 4"),
              "(or (and (= a 1) (= b 2)) (and (= c 3) (= d 4)))");
    CHECK_STR(where("NOT a = 1 AND b = 2"), "(and (not (= a 1)) (= b 2))");
    CHECK_STR(where("NOT (a = 1 AND b = 2)"), "(not (and (= a 1) (= b 2)))");
    CHECK_STR(where("a < 1 = b > 2"), "(= (< a 1) (> b 2))");
    CHECK_STR(where("a + 1 - 2 * 3 = 4"), "(= (- (+ a 1) (* 2 3)) 4)");
    CHECK_STR(where("a BETWEEN 1 AND 2 AND b = 1"), "(and (between a 1 2) (= b 1))");
    CHECK_STR(where("a NOT BETWEEN 1 AND 2"), "(not (between a 1 2))");
    CHECK_STR(where("a != 1"), "(<> a 1)");
    CHECK_STR(where("a <> 1 or a<=2 oR a>=3"), "(or (or (<> a 1) (<= a 2)) (>= a 3))");
    CHECK_STR(where("a = -b"), "(= a (- b))");
    CHECK_STR(where("a LIKE 'x' ESCAPE 'y'"), "(like a 'x' 'y')");
    CHECK_STR(where("a || 'x' = 'y'"), "(= (|| a 'x') 'y')");
    CHECK_STR(where("n=5AND b=true"), "(and (= n 5) (= b true))");
}

TEST(in_and_is)
{
    CHECK_STR(where("a IN [1,2]"), "(in a (list 1 2))");
    CHECK_STR(where("a IN (1)"), "(in a (list 1))");
    CHECK_STR(where("a NOT IN <<1>>"), "(not (in a (bag 1)))");
    CHECK_STR(where("a IN ?"), "(in a ?0)");
    CHECK_STR(where("a IS MISSING"), "(is a missing)");
    CHECK_STR(where("a IS NOT NULL"), "(not (is a null))");
    CHECK_STR(where("a IS BOOL AND b IS VARCHAR"), "(and (is a boolean) (is b character_varying))");
    CHECK_STR(where("a IS DOUBLE PRECISION"), "(is a double_precision)");
    CHECK_STR(where("a IS DECIMAL(3)"), "(is a decimal)");
    CHECK_STR(where("a IS FOO"), "! Expected type name");
    CHECK_STR(where("a IS"), "! Expected type name");
    CHECK_STR(where("a IS MISSING(1)"), "! CAST for missing must have arity of 0..0");
}

TEST(paths_and_calls)
{
    CHECK_STR(where("a.b.\"c d\"[0]['x'][?] = 1"),
              "(= (path a .b .c d ([] 0) ([] 'x') ([] ?0)) 1)");
    CHECK_STR(where("@a = 1"), "(= a 1)");
    CHECK_STR(where("BEGINS_WITH(a, 'x') AND size(b) > 1"),
              "(and (begins_with a 'x') (> (size b) 1))");
    CHECK_STR(where("Exists(a)"), "(exists a)");
    CHECK_STR(where("f()"), "(f)");
    CHECK_STR(where("count(*) = 1"), "(= (count) 1)");
    CHECK_STR(where("f(*)"), "! f(*) is not allowed");
    CHECK_STR(where("count()"), "! Aggregate functions are always unary");
    CHECK_STR(where("size = 1"), "! Unexpected keyword");
    CHECK_STR(where("m.inner = 1"), "! Invalid path dot component");
    CHECK_STR(where("date = 1"),
              "! Expected date string followed by the keyword DATE, found SYMBOL");
    CHECK_STR(where("a[1 = 1"), "! Expected RIGHT_BRACKET");
    CHECK_STR(where("f(a"), "! Expected RIGHT_PAREN");
}

TEST(select_statements)
{
    CHECK_STR(PARSE("select * from \"t\".\"i\" where pk=? order by sk desc, pk"),
              "(select * from (path t .i) where (= pk ?0) desc sk asc pk)");
    CHECK_STR(PARSE("SELECT a, b.c, d[0] FROM t"), "(select a (path b .c) (path d ([] 0)) from t)");
    CHECK_STR(PARSE("(SELECT * FROM t)"), "(select * from t)");
    CHECK_STR(PARSE("EXISTS(SELECT * FROM t WHERE a=1)"),
              "(exists (select * from t where (= a 1)))");
}

TEST(changes)
{
    CHECK_STR(PARSE("INSERT INTO t VALUE {'pk': ?}"), "(dml (insert-value t (struct 'pk' ?0)))");
    CHECK_STR(PARSE("INSERT INTO t <<{'a':1}>>"), "(dml (insert t (bag (struct 'a' 1))))");
    CHECK_STR(PARSE("UPDATE t SET a=1, b.c[0]=b.c[0]+1 SET d=? REMOVE e WHERE pk='x' "
                    "RETURNING MODIFIED NEW *"),
              "(dml (set a 1) (set (path b .c ([] 0)) (+ (path b .c ([] 0)) 1)) (set d ?0) "
              "(remove e) from t where (= pk 'x') returning modified_new *)");
    CHECK_STR(PARSE("DELETE FROM t WHERE pk='x' RETURNING ALL OLD *"),
              "(dml (delete) from t where (= pk 'x') returning all_old *)");
    CHECK_STR(PARSE("FROM t WHERE pk='x' SET a=1 REMOVE b RETURNING ALL NEW *"),
              "(dml (set a 1) (remove b) from t where (= pk 'x') returning all_new *)");
    CHECK_STR(PARSE("set a = 1"), "(dml (set a 1))");
}

TEST(statements_that_break_off)
{
    CHECK_STR(PARSE(""), "! Unexpected term");
    CHECK_STR(PARSE("SELECT"), "! Unexpected term");
    CHECK_STR(PARSE("SELECT FROM t"), "! Expected data manipulation");
    CHECK_STR(PARSE("SELECT *"), "! Expected FROM after SELECT list");
    CHECK_STR(PARSE("SELECT * FROM"), "! Unexpected term");
    CHECK_STR(PARSE("SELECT * FROM t WHERE"), "! Unexpected term");
    CHECK_STR(PARSE("SELECT * FROM t WHERE;"), "! Unexpected term");
    CHECK_STR(PARSE("SELECT * FROM t WHERE NOT"), "! Unexpected term");
    CHECK_STR(PARSE("SELECT * FROM t WHERE ("), "! Unexpected term");
    CHECK_STR(PARSE("SELECT * FROM t WHERE ORDER BY pk"), "! Unexpected keyword");
    CHECK_STR(PARSE("SELECT * FROM t WHERE IS NULL"), "! Unexpected operator");
    CHECK_STR(PARSE("SELECT * FROM t WHERE pk = LIKE"), "! Unexpected operator");
    CHECK_STR(PARSE("SELECT * FROM t WHERE a = 1 AND"),
              "! Missing right-hand side expression of infix operator");
    CHECK_STR(PARSE("SELECT * FROM t WHERE a BETWEEN 1"), "! Expected AND keyword");
    CHECK_STR(PARSE("SELECT * FROM t WHERE a BETWEEN 1 AND"), "! Expected expression after AND");
    CHECK_STR(PARSE("SELECT *, a FROM t"), "! Other expressions may not be present in the select "
                                           "list when '*' is used without dot notation.");
    CHECK_STR(PARSE("SELECT * FROM t ORDER pk"), "! Expected BY");
    CHECK_STR(PARSE("SLECT * FROM t WHERE a = 1"), "! Expected data manipulation");
    CHECK_STR(PARSE("DELETE FROM"), "! Expected identifier for simple path");
    CHECK_STR(PARSE("DELETE FROM WHERE pk = 'a'"), "! Expected identifier for simple path");
    CHECK_STR(PARSE("DELETE t"), "! Expected FROM after DELETE");
    CHECK_STR(PARSE("UPDATE t"), "! Expected data manipulation");
    CHECK_STR(PARSE("UPDATE t SET"), "! Expected identifier for simple path");
    CHECK_STR(PARSE("UPDATE t SET a"), "! Expected '='");
    CHECK_STR(PARSE("UPDATE t SET a[?] = 1"), "! Invalid path component for simple path");
    CHECK_STR(PARSE("UPDATE t SET a.* = 1"), "! Invalid path dot component for simple path");
    CHECK_STR(PARSE("UPDATE t SET a = 1 WHERE"), "! Unexpected term");
    CHECK_STR(PARSE("DELETE FROM t WHERE a=1 RETURNING *"),
              "! Expected ( MODIFIED | ALL ) ( NEW | OLD ) in each returning element.");
    CHECK_STR(PARSE("INSERT INTO t VALUE {'a'}"), "! Expected COLON");
    CHECK_STR(PARSE("INSERT INTO t VALUE {'a':1 'b':2}"), "! Expected RIGHT_CURLY");
    CHECK_STR(PARSE("INSERT INTO t VALUES {'a':1}"),
              "! Expected LEFT_PAREN for row value constructor");
}

TEST(tokens_left_over)
{
    static const char *const left[] = {"SELECT * FROM t WHERE pk = 1 foo",
                                       "SELECT * FROM t WHERE pk = 1 e5",
                                       "INSERT INTO t VALUE {'pk': 1} foo",
                                       "UPDATE t SET a = 9 WHERE pk = 1 foo",
                                       "DELETE FROM t WHERE pk = 1 foo",
                                       "SELECT * FROM t WHERE pk = 1)",
                                       "DELETE FROM t WHERE pk = 1 ORDER BY pk",
                                       "SELECT * FROM t ORDER BY pk WHERE pk = 1",
                                       "INSERT INTO t x VALUE {'pk': 'x'}",
                                       "FROM t SET c = 1 WHERE pk = 'x'",
                                       "FROM t SET c = 1 WHERE pk = 'x' SET d = 2",
                                       "foo bar"};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        CHECK_STR(parse_n(str_c(left[i])), "! Unexpected token after expression");
    CHECK_STR(PARSE("SELECT * FROM t; SELECT * FROM t"),
              "! Unexpected token after semicolon. (Only one query is allowed.)");
    CHECK_STR(PARSE("SELECT * FROM t;;"),
              "! Unexpected token after semicolon. (Only one query is allowed.)");
}

TEST(places_are_counted_in_characters)
{
    struct pql_tokens tokens;
    struct aws_err err = {0};
    arena = arena == NULL ? arena_new(0, SIZE_MAX) : arena;
    CHECK(pql_lex(arena, STR("INSERT INTO '\xc3\xa9' x\n  \"y\""), &tokens, &err));
    CHECK_I64(tokens.count, 5);
    CHECK_I64(tokens.token[0].at.column, 1);
    CHECK_I64(tokens.token[0].at.length, 6);
    CHECK_I64(tokens.token[1].at.column, 13);
    CHECK_I64(tokens.token[1].at.length, 3);
    CHECK_I64(tokens.token[2].at.column, 17);
    CHECK_I64(tokens.token[3].at.line, 2);
    CHECK_I64(tokens.token[3].at.column, 3);
}

TEST(depth_is_limited)
{
    static char text[PQL_STATEMENT_MAX + 1];
    static const char *const openers[] = {"(",  "[",  "<<", "{'a':", "NOT ",
                                          "- ", "f(", "a[", "a = (", "SELECT * FROM ("};
    for (size_t i = 0; i < sizeof openers / sizeof *openers; i++) {
        size_t n = 0, step = strlen(openers[i]);
        while (n + step <= PQL_STATEMENT_MAX) {
            memcpy(text + n, openers[i], step);
            n += step;
        }
        CHECK(parse_n((struct str){text, n}).p[0] == '!');
    }
    /* long but not deep */
    size_t n = 0;
    memcpy(text, "a", n = 1);
    while (n + 8 < PQL_STATEMENT_MAX) {
        memcpy(text + n, " AND b=1", 8);
        n += 8;
    }
    CHECK(parse_n((struct str){text, n}).p[0] == '(');
}
