/* Filter patterns. Sources: the filter pattern syntax page of the CloudWatch Logs user guide. */
#include "cwl_filter.h"
#include <regex.h>
#include <string.h>

enum { DEPTH_MAX = 32, PARTS_MAX = 256, COLUMNS_MAX = 128, JSON_DEPTH = 64 };

enum kind { MATCH_ALL, MATCH_TERMS, MATCH_JSON, MATCH_COLUMNS };
enum mode { MUST, MAY, MUST_NOT };
struct text { /* a literal, or a regular expression between % */
    struct str literal;
    regex_t *regex;
};
struct term {
    enum mode mode;
    struct text text;
};
enum node_type { NODE_AND, NODE_OR, NODE_COMPARE, NODE_IS, NODE_NOT_EXISTS };
enum op { OP_EQ, OP_NE, OP_GT, OP_LT, OP_GE, OP_LE };
struct node {
    enum node_type type;
    struct node *left, *right;
    struct str selector; /* "$.a.b[0]"; a column's name in the other form */
    enum op op;
    struct text value;
    bool is_number;
    double number;
    enum json_kind is; /* IS NULL, IS TRUE, IS FALSE */
    bool is_true;
};
struct column {
    bool is_rest;      /* "..." */
    struct node *test; /* NULL: any text */
};
struct cwl_filter {
    enum kind kind;
    struct term *terms;
    struct column *columns;
    size_t count;
    bool has_must; /* ?terms count only where there are no others */
    struct node *root;
};

struct parser {
    struct str in;
    size_t at;
    struct arena *a;
    int depth;
};

/* ---- text ---- */

static void free_regex(void *arg)
{
    regfree(arg);
}

/* AWS takes a part of the usual syntax. Counted repeats are refused: they can cost any amount of
 * memory; unverified: whether AWS has them. */
static bool compile(struct str source, struct arena *a, struct text *ret)
{
    regex_t *r = ARENA_NEW(a, regex_t);
    struct str z = arena_str(a, source);
    if (source.n == 0 || str_find(source, '{') >= 0 ||
        regcomp(r, z.p, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    arena_defer(a, free_regex, r);
    ret->regex = r;
    return true;
}

static bool regex_finds(const regex_t *r, struct str s)
{
    regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)s.n};
    return s.n > 0 && regexec(r, s.p, 1, &range, REG_STARTEND) == 0;
}

static bool contains(const struct text *t, struct str s)
{
    if (t->regex != NULL)
        return regex_finds(t->regex, s);
    return t->literal.n == 0 || str_find_str(s, t->literal) >= 0;
}

/* The whole of s, '*' standing for anything. Linear: only the last star is tried again. */
static bool glob(struct str p, struct str s)
{
    size_t i = 0, j = 0, star = SIZE_MAX, mark = 0;
    while (j < s.n) {
        if (i < p.n && p.p[i] == '*') {
            star = i++;
            mark = j;
        } else if (i < p.n && p.p[i] == s.p[j]) {
            i++, j++;
        } else if (star != SIZE_MAX) {
            i = star + 1;
            j = ++mark;
        } else {
            return false;
        }
    }
    while (i < p.n && p.p[i] == '*')
        i++;
    return i == p.n;
}

static bool to_double(struct str s, double *ret, struct arena *a)
{
    struct jval v;
    struct arena_mark m = arena_mark(a);
    bool ok = s.n > 0 && s.n < 64 && json_check(s, 1, NULL) &&
              json_parse(a, arena_str(a, s), 1, &v, NULL) && jval_double(v, ret);
    arena_rewind(a, m);
    return ok;
}

/* ---- scanning ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->in.n && is_blank(p->in.p[p->at]))
        p->at++;
}

static bool peek(const struct parser *p, const char *word)
{
    size_t n = strlen(word);
    return p->in.n - p->at >= n && memcmp(p->in.p + p->at, word, n) == 0;
}

static bool take(struct parser *p, const char *word)
{
    skip_blanks(p);
    if (!peek(p, word))
        return false;
    p->at += strlen(word);
    return true;
}

/* What stands between two of quote; backslash escapes. */
static bool scan_quoted(struct parser *p, char quote, struct str *ret)
{
    struct buf *b = arena_new_buf(p->a, 4096);
    for (p->at++; p->at < p->in.n; p->at++) {
        char c = p->in.p[p->at];
        if (c == quote) {
            p->at++;
            *ret = buf_view(b);
            if (ret->p == NULL)
                *ret = STR("");
            return true;
        }
        if (c == '\\' && quote == '"' && p->at + 1 < p->in.n)
            c = p->in.p[++p->at];
        buf_addc(b, c);
    }
    return false;
}

/* A word up to one of stops or a blank. */
static struct str scan_word(struct parser *p, const char *stops)
{
    size_t from = p->at;
    while (p->at < p->in.n && !is_blank(p->in.p[p->at]) && strchr(stops, p->in.p[p->at]) == NULL)
        p->at++;
    return str_sub(p->in, from, p->at);
}

static bool scan_text(struct parser *p, const char *stops, struct text *ret, bool *ret_quoted)
{
    struct str source;
    *ret = (struct text){0};
    *ret_quoted = peek(p, "\"");
    if (*ret_quoted)
        return scan_quoted(p, '"', &ret->literal);
    if (peek(p, "%"))
        return scan_quoted(p, '%', &source) && compile(source, p->a, ret);
    ret->literal = scan_word(p, stops);
    return ret->literal.n > 0;
}

/* ---- terms ---- */

static bool parse_terms(struct parser *p, struct cwl_filter *f)
{
    f->kind = MATCH_TERMS;
    f->terms = ARENA_ARRAY(p->a, struct term, PARTS_MAX);
    for (skip_blanks(p); p->at < p->in.n; skip_blanks(p)) {
        struct term *t = &f->terms[f->count];
        bool quoted;
        if (f->count++ == PARTS_MAX)
            return false;
        if (peek(p, "?") || peek(p, "-")) {
            t->mode = p->in.p[p->at] == '?' ? MAY : MUST_NOT;
            p->at++;
        }
        if (!scan_text(p, "", &t->text, &quoted))
            return false;
        f->has_must = f->has_must || t->mode != MAY;
    }
    if (f->count == 0)
        f->kind = MATCH_ALL;
    return true;
}

static bool match_terms(const struct cwl_filter *f, struct str s)
{
    bool any = false;
    for (size_t i = 0; i < f->count; i++) {
        const struct term *t = &f->terms[i];
        if (t->mode == MAY)
            any = any || (!f->has_must && contains(&t->text, s));
        else if (contains(&t->text, s) != (t->mode == MUST))
            return false;
    }
    return f->has_must || any;
}

/* ---- conditions ---- */

static bool parse_or(struct parser *p, struct node **ret);

static bool is_number_text(const struct text *t, bool quoted, struct parser *p, double *ret)
{
    return !quoted && t->regex == NULL && to_double(t->literal, ret, p->a);
}

static bool parse_operator(struct parser *p, enum op *ret)
{
    static const struct {
        const char *text;
        enum op op;
    } ops[] = {{"!=", OP_NE}, {">=", OP_GE}, {"<=", OP_LE},
               {"=", OP_EQ},  {">", OP_GT},  {"<", OP_LT}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (take(p, ops[i].text)) {
            *ret = ops[i].op;
            return true;
        }
    }
    return false;
}

static bool parse_is(struct parser *p, struct node *n)
{
    n->type = NODE_IS;
    n->is = JSON_BOOL;
    if (take(p, "NULL"))
        n->is = JSON_NULL;
    else if (take(p, "TRUE"))
        n->is_true = true;
    else if (!take(p, "FALSE"))
        return false;
    return true;
}

static bool parse_comparison(struct parser *p, struct node **ret)
{
    struct node *n = ARENA_NEW(p->a, struct node);
    bool quoted;
    *ret = n;
    skip_blanks(p);
    n->selector = scan_word(p, "=!<>(){},&|");
    if (n->selector.n == 0)
        return false;
    if (take(p, "IS "))
        return parse_is(p, n);
    if (take(p, "NOT EXISTS")) {
        n->type = NODE_NOT_EXISTS;
        return true;
    }
    n->type = NODE_COMPARE;
    if (!parse_operator(p, &n->op))
        return false;
    skip_blanks(p);
    if (!scan_text(p, "(){},&|]", &n->value, &quoted))
        return false;
    n->is_number = is_number_text(&n->value, quoted, p, &n->number);
    return n->is_number || n->op == OP_EQ || n->op == OP_NE;
}

static bool parse_primary(struct parser *p, struct node **ret)
{
    if (!take(p, "("))
        return parse_comparison(p, ret);
    if (++p->depth > DEPTH_MAX || !parse_or(p, ret) || !take(p, ")"))
        return false;
    p->depth--;
    return true;
}

/* One level of operators: next (sign next)* */
static bool parse_level(struct parser *p, const char *sign, enum node_type type,
                        bool (*next)(struct parser *, struct node **), struct node **ret)
{
    if (!next(p, ret))
        return false;
    for (int i = 0; take(p, sign); i++) {
        struct node *n = ARENA_NEW(p->a, struct node);
        n->type = type;
        n->left = *ret;
        if (i > PARTS_MAX || !next(p, &n->right))
            return false;
        *ret = n;
    }
    return true;
}

static bool parse_and(struct parser *p, struct node **ret)
{
    return parse_level(p, "&&", NODE_AND, parse_primary, ret);
}

static bool parse_or(struct parser *p, struct node **ret)
{
    return parse_level(p, "||", NODE_OR, parse_and, ret);
}

static bool holds(enum op op, double a, double b)
{
    switch (op) {
    case OP_EQ:
        return a == b;
    case OP_NE:
        return a != b;
    case OP_GT:
        return a > b;
    case OP_LT:
        return a < b;
    case OP_GE:
        return a >= b;
    default:
        return a <= b;
    }
}

static bool text_holds(const struct node *n, struct str s)
{
    bool equal =
        n->value.regex != NULL ? regex_finds(n->value.regex, s) : glob(n->value.literal, s);
    return n->op == OP_EQ ? equal : n->op == OP_NE && !equal;
}

/* ---- JSON ---- */

/* One step of a selector: .name, [3], ['name']; *rest goes on behind it. */
static struct jval step(struct jval v, struct str *rest, struct arena *a)
{
    struct str s = *rest;
    size_t i = 1;
    if (s.p[0] == '.') {
        while (i < s.n && s.p[i] != '.' && s.p[i] != '[')
            i++;
        *rest = str_sub(s, i, s.n);
        return i == 1 ? v : jval_get_str(v, str_sub(s, 1, i)); /* "$.['a']" */
    }
    ptrdiff_t close = str_find(s, ']');
    int64_t index = 0;
    if (s.p[0] != '[' || close < 0) {
        *rest = STR_NONE;
        return (struct jval){0};
    }
    struct str inner = str_sub(s, 1, (size_t)close);
    *rest = str_sub(s, (size_t)close + 1, s.n);
    (void)a;
    if (inner.n >= 2 && (inner.p[0] == '\'' || inner.p[0] == '"'))
        return jval_get_str(v, str_sub(inner, 1, inner.n - 1));
    if (jval_kind(v) != JSON_ARRAY || !str_to_i64(inner, &index) || index < 0)
        return (struct jval){0};
    return jval_at(v, (size_t)index);
}

static struct jval select_value(struct jval root, struct str selector, struct arena *a)
{
    struct jval v = root;
    struct str rest = str_sub(selector, 1, selector.n);
    if (selector.p[0] != '$')
        return (struct jval){0};
    while (rest.n > 0 && jval_kind(v) != JSON_MISSING)
        v = step(v, &rest, a);
    return v;
}

static bool compare_json(const struct node *n, struct jval v, struct arena *a)
{
    double number;
    if (jval_kind(v) == JSON_MISSING || jval_kind(v) == JSON_NULL)
        return false;
    if (n->is_number && jval_kind(v) == JSON_NUMBER && jval_double(v, &number))
        return holds(n->op, number, n->number);
    return text_holds(n, jval_kind(v) == JSON_STRING ? jval_text(v, a) : jval_raw(v));
}

static bool eval_json(const struct node *n, struct jval root, struct arena *a)
{
    bool value = false;
    if (n->type == NODE_AND)
        return eval_json(n->left, root, a) && eval_json(n->right, root, a);
    if (n->type == NODE_OR)
        return eval_json(n->left, root, a) || eval_json(n->right, root, a);
    struct jval v = select_value(root, n->selector, a);
    if (n->type == NODE_NOT_EXISTS)
        return jval_kind(v) == JSON_MISSING;
    if (n->type == NODE_IS)
        return jval_kind(v) == n->is &&
               (n->is == JSON_NULL || (jval_bool(v, &value) && value == n->is_true));
    return compare_json(n, v, a);
}

static bool match_json(const struct cwl_filter *f, struct str message, struct arena *a)
{
    struct jval root;
    struct str s = str_trim(message);
    return s.n > 0 && (s.p[0] == '{' || s.p[0] == '[') &&
           json_parse(a, s, JSON_DEPTH, &root, NULL) && eval_json(f->root, root, a);
}

/* ---- columns ---- */

static bool parse_column(struct parser *p, struct column *c)
{
    struct parser before = *p;
    *c = (struct column){0};
    if (take(p, "...")) {
        c->is_rest = true;
        return true;
    }
    skip_blanks(p);
    before = *p;
    if (scan_word(p, "=!<>(){},&|]").n == 0)
        return false;
    skip_blanks(p);
    if (peek(p, ",") || peek(p, "]")) /* a name alone */
        return true;
    *p = before;
    return parse_or(p, &c->test);
}

static bool parse_columns(struct parser *p, struct cwl_filter *f)
{
    size_t rests = 0;
    f->kind = MATCH_COLUMNS;
    f->columns = ARENA_ARRAY(p->a, struct column, COLUMNS_MAX);
    do {
        if (f->count == COLUMNS_MAX || !parse_column(p, &f->columns[f->count]))
            return false;
        rests += f->columns[f->count++].is_rest;
    } while (take(p, ","));
    if (!take(p, "]") || rests > 1)
        return false;
    skip_blanks(p);
    return p->at == p->in.n;
}

/* The message cut at blanks; "..." and [...] are one piece each. More than max: max + 1. */
static size_t split(struct str s, struct str *ret, size_t max)
{
    size_t n = 0, i = 0;
    while (true) {
        while (i < s.n && is_blank(s.p[i]))
            i++;
        if (i == s.n)
            return n;
        if (n == max)
            return max + 1;
        char close = s.p[i] == '"' ? '"' : s.p[i] == '[' ? ']' : '\0';
        size_t from = i + (close != '\0'), to = from;
        while (to < s.n && (close != '\0' ? s.p[to] != close : !is_blank(s.p[to])))
            to++;
        ret[n++] = str_sub(s, from, to);
        i = to + (close != '\0' && to < s.n);
    }
}

static bool eval_column(const struct node *n, struct str s, struct arena *a)
{
    double number;
    if (n->type == NODE_AND)
        return eval_column(n->left, s, a) && eval_column(n->right, s, a);
    if (n->type == NODE_OR)
        return eval_column(n->left, s, a) || eval_column(n->right, s, a);
    if (n->type != NODE_COMPARE)
        return false;
    if (n->is_number && to_double(s, &number, a))
        return holds(n->op, number, n->number);
    return text_holds(n, s);
}

static bool match_columns(const struct cwl_filter *f, struct str message, struct arena *a)
{
    enum { PIECES_MAX = 1024 };
    struct str *pieces = ARENA_ARRAY(a, struct str, PIECES_MAX);
    size_t n = split(message, pieces, PIECES_MAX), at = 0;
    bool has_rest = false;
    for (size_t i = 0; i < f->count; i++)
        has_rest = has_rest || f->columns[i].is_rest;
    if (n > PIECES_MAX || (has_rest ? n + 1 < f->count : n != f->count))
        return false;
    for (size_t i = 0; i < f->count; i++) {
        const struct column *c = &f->columns[i];
        if (c->is_rest) {
            at = n - (f->count - i - 1);
            continue;
        }
        if (c->test != NULL && !eval_column(c->test, pieces[at], a))
            return false;
        at++;
    }
    return true;
}

/* ---- */

bool cwl_filter_parse(struct str pattern, struct arena *a, struct cwl_filter **ret)
{
    struct parser p = {.in = str_trim(pattern), .a = a};
    struct cwl_filter *f = *ret = ARENA_NEW(a, struct cwl_filter);
    if (p.in.n == 0)
        return true; /* MATCH_ALL */
    if (take(&p, "{")) {
        f->kind = MATCH_JSON;
        if (!parse_or(&p, &f->root) || !take(&p, "}"))
            return false;
        skip_blanks(&p);
        return p.at == p.in.n;
    }
    return take(&p, "[") ? parse_columns(&p, f) : parse_terms(&p, f);
}

bool cwl_filter_match(const struct cwl_filter *f, struct str message, struct arena *scratch)
{
    struct arena_mark m = arena_mark(scratch);
    bool found = f->kind == MATCH_ALL     ? true
                 : f->kind == MATCH_TERMS ? match_terms(f, message)
                 : f->kind == MATCH_JSON  ? match_json(f, message, scratch)
                                          : match_columns(f, message, scratch);
    arena_rewind(scratch, m);
    return found;
}
