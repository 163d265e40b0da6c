/* Expressions and references of templates. */
#include "vtl_ast.h"
#include <string.h>

void vtl_fail(struct vtl_parser *s, const char *why)
{
    if (s->error.p == NULL)
        s->error = arena_str(s->a, str_c(why));
}

bool vtl_is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name_char(char c)
{
    return vtl_is_name_start(c) || (c >= '0' && c <= '9') || c == '-';
}

struct str vtl_take_name(struct vtl_parser *s)
{
    const char *from = s->p;
    while (s->p < s->end && is_name_char(*s->p))
        s->p++;
    return (struct str){from, (size_t)(s->p - from)};
}

void vtl_skip_blanks(struct vtl_parser *s, bool newlines)
{
    while (s->p < s->end &&
           (*s->p == ' ' || *s->p == '\t' || (newlines && (*s->p == '\n' || *s->p == '\r'))))
        s->p++;
}

static bool take(struct vtl_parser *s, const char *token)
{
    size_t n = strlen(token);
    vtl_skip_blanks(s, true);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, token, n) != 0)
        return false;
    s->p += n;
    return true;
}

/* A word operator: not the start of a longer name. */
static bool take_word(struct vtl_parser *s, const char *word)
{
    const char *before = s->p;
    if (take(s, word) && (s->p == s->end || !is_name_char(*s->p)))
        return true;
    s->p = before;
    return false;
}

static struct vtl_expr *new_expr(struct vtl_parser *s, enum expr_type type)
{
    struct vtl_expr *x = ARENA_NEW(s->a, struct vtl_expr);
    x->type = type;
    return x;
}

static struct vtl_expr *new_value(struct vtl_parser *s, struct vtl_value v)
{
    struct vtl_expr *x = new_expr(s, EX_VALUE);
    x->value = v;
    return x;
}

enum { LIST_MAX = 10000 };

struct items {
    struct vtl_expr **at;
    size_t count, cap;
};

static void add_item(struct vtl_parser *s, struct items *list, struct vtl_expr *x)
{
    if (list->count == list->cap) {
        list->cap = list->cap == 0 ? 8 : list->cap * 2;
        struct vtl_expr **more = ARENA_ARRAY(s->a, struct vtl_expr *, list->cap);
        if (list->count > 0)
            memcpy(more, list->at, list->count * sizeof *more);
        list->at = more;
    }
    list->at[list->count++] = x;
}

/* One element; pairs: key: value. */
static bool parse_item(struct vtl_parser *s, struct items *list, bool pairs)
{
    for (int i = 0; i < 1 + pairs; i++) {
        struct vtl_expr *x = vtl_parse_expr(s);
        if (x == NULL || (pairs && i == 0 && !take(s, ":")) || list->count >= LIST_MAX) {
            vtl_fail(s, "a list or map is malformed");
            return false;
        }
        add_item(s, list, x);
    }
    return true;
}

/* What follows the first element, up to close, which is taken. */
static bool parse_more(struct vtl_parser *s, const char *close, bool pairs, struct items *list)
{
    while (take(s, ",")) {
        if (!parse_item(s, list, pairs))
            return false;
    }
    if (take(s, close))
        return true;
    vtl_fail(s, "a closing bracket is missing");
    return false;
}

/* Comma-separated expressions up to close, which is taken. */
static bool parse_list(struct vtl_parser *s, const char *close, bool pairs,
                       struct vtl_expr ***ret_items, size_t *ret_count)
{
    struct items list = {0};
    bool ok = take(s, close) || (parse_item(s, &list, pairs) && parse_more(s, close, pairs, &list));
    *ret_items = list.at;
    *ret_count = list.count;
    return ok;
}

/* '...' is taken as it stands; "..." may hold references and directives; a doubled quote is one. */
static struct vtl_expr *parse_string(struct vtl_parser *s, char quote)
{
    struct buf *b = arena_new_buf(s->a, VTL_TEMPLATE_MAX);
    const char *p = s->p;
    for (;; p++) {
        if (p >= s->end) {
            vtl_fail(s, "a string does not end");
            return NULL;
        }
        if (*p == quote && p + 1 < s->end && p[1] == quote)
            p++;
        else if (*p == quote)
            break;
        buf_addc(b, *p);
    }
    s->p = p + 1;
    struct str text = arena_buf(s->a, b);
    bool plain = quote == '\'' || (str_find(text, '$') < 0 && str_find(text, '#') < 0);
    if (plain)
        return new_value(s, vtl_string(text));
    struct vtl_expr *x = new_expr(s, EX_TEXT);
    x->text = vtl_parse_text(s, text);
    return x->text == NULL ? NULL : x;
}

static struct vtl_expr *parse_number(struct vtl_parser *s)
{
    const char *from = s->p;
    bool real = false;
    char text[64];
    int64_t integer;
    if (*s->p == '-')
        s->p++;
    for (; s->p < s->end; s->p++) {
        bool digit = *s->p >= '0' && *s->p <= '9';
        bool point = *s->p == '.' && !real && s->p + 1 < s->end && s->p[1] >= '0' && s->p[1] <= '9';
        if (!digit && !point)
            break;
        real |= point;
    }
    struct str raw = {from, (size_t)(s->p - from)};
    if (!real && str_to_i64(raw, &integer))
        return new_value(s, vtl_int(integer));
    if (raw.n >= sizeof text) {
        vtl_fail(s, "a number is too long");
        return NULL;
    }
    struct jval v;
    double number = 0;
    if (!json_parse(s->a, raw, 1, &v, NULL) || !jval_double(v, &number)) {
        vtl_fail(s, "a number is malformed");
        return NULL;
    }
    return new_value(s, vtl_double(number));
}

static struct vtl_expr *parse_bracket(struct vtl_parser *s)
{
    struct vtl_expr *x = new_expr(s, EX_LIST);
    struct items list = {0};
    if (take(s, "]"))
        return x;
    if (!parse_item(s, &list, false))
        return NULL;
    if (take(s, "..")) {
        x->type = EX_RANGE;
        x->left = list.at[0];
        x->right = vtl_parse_expr(s);
        if (x->right == NULL || !take(s, "]")) {
            vtl_fail(s, "a range is malformed");
            return NULL;
        }
        return x;
    }
    if (!parse_more(s, "]", false, &list))
        return NULL;
    x->items = list.at;
    x->count = list.count;
    return x;
}

static struct vtl_expr *parse_reference(struct vtl_parser *s)
{
    struct vtl_expr *x = new_expr(s, EX_REF);
    x->ref = vtl_parse_ref(s);
    if (x->ref == NULL)
        vtl_fail(s, "a reference is malformed");
    return x->ref == NULL ? NULL : x;
}

static struct vtl_expr *parse_primary(struct vtl_parser *s)
{
    struct vtl_expr *x;
    vtl_skip_blanks(s, true);
    if (s->p == s->end) {
        vtl_fail(s, "an expression is missing");
        return NULL;
    }
    char c = *s->p;
    if (c == '$')
        return parse_reference(s);
    if ((c >= '0' && c <= '9') ||
        (c == '-' && s->p + 1 < s->end && s->p[1] >= '0' && s->p[1] <= '9'))
        return parse_number(s);
    if (c == '"' || c == '\'') {
        s->p++;
        return parse_string(s, c);
    }
    if (take(s, "[")) {
        return parse_bracket(s);
    }
    if (take(s, "{")) {
        x = new_expr(s, EX_MAP);
        return parse_list(s, "}", true, &x->items, &x->count) ? x : NULL;
    }
    if (take(s, "(")) {
        x = vtl_parse_expr(s);
        if (x != NULL && !take(s, ")")) {
            vtl_fail(s, "a closing parenthesis is missing");
            return NULL;
        }
        return x;
    }
    if (take_word(s, "true"))
        return new_value(s, vtl_bool(true));
    if (take_word(s, "false"))
        return new_value(s, vtl_bool(false));
    if (take_word(s, "null"))
        return new_value(s, vtl_null());
    vtl_fail(s, "an expression is malformed");
    return NULL;
}

static struct vtl_expr *parse_unary(struct vtl_parser *s)
{
    vtl_skip_blanks(s, true);
    bool mark = s->p < s->end && *s->p == '!' && !(s->p + 1 < s->end && s->p[1] == '=');
    if (mark)
        s->p++;
    if (!mark && !take_word(s, "not"))
        return parse_primary(s);
    struct vtl_expr *x = new_expr(s, EX_NOT);
    if (++s->depth > VTL_DEPTH_MAX)
        vtl_fail(s, "the template is nested too deep");
    x->left = s->error.p != NULL ? NULL : parse_unary(s);
    s->depth--;
    return x->left == NULL ? NULL : x;
}

static const struct {
    const char *sign, *word;
    enum vtl_op op;
    int level;
} operators[] = {
    {"||", "or", OP_OR, 0}, {"&&", "and", OP_AND, 1}, {"==", "eq", OP_EQ, 2},
    {"!=", "ne", OP_NE, 2}, {"<=", "le", OP_LE, 3},   {">=", "ge", OP_GE, 3},
    {"<", "lt", OP_LT, 3},  {">", "gt", OP_GT, 3},    {"+", NULL, OP_ADD, 4},
    {"-", NULL, OP_SUB, 4}, {"*", NULL, OP_MUL, 5},   {"/", NULL, OP_DIV, 5},
    {"%", NULL, OP_MOD, 5},
};
enum { LEVELS = 6 };

static bool take_operator(struct vtl_parser *s, int level, enum vtl_op *ret)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (operators[i].level != level)
            continue;
        if (take(s, operators[i].sign) ||
            (operators[i].word != NULL && take_word(s, operators[i].word))) {
            *ret = operators[i].op;
            return true;
        }
    }
    return false;
}

static struct vtl_expr *parse_level(struct vtl_parser *s, int level)
{
    enum vtl_op op;
    if (level == LEVELS)
        return parse_unary(s);
    struct vtl_expr *left = parse_level(s, level + 1);
    while (left != NULL && take_operator(s, level, &op)) {
        struct vtl_expr *x = new_expr(s, EX_BINARY);
        x->op = op;
        x->left = left;
        x->right = parse_level(s, level + 1);
        left = x->right == NULL ? NULL : x;
    }
    return left;
}

struct vtl_expr *vtl_parse_expr(struct vtl_parser *s)
{
    if (++s->depth > VTL_DEPTH_MAX)
        vtl_fail(s, "the template is nested too deep");
    struct vtl_expr *x = s->error.p != NULL ? NULL : parse_level(s, 0);
    s->depth--;
    return x;
}

/* ---- references ---- */

static struct vtl_step *new_step(struct vtl_parser *s, enum step_type type, struct vtl_step ***tail)
{
    struct vtl_step *step = ARENA_NEW(s->a, struct vtl_step);
    step->type = type;
    **tail = step;
    *tail = &step->next;
    return step;
}

static bool parse_steps(struct vtl_parser *s, struct vtl_ref *ref)
{
    struct vtl_step **tail = &ref->steps;
    while (s->p < s->end) {
        if (*s->p == '.' && s->p + 1 < s->end && vtl_is_name_start(s->p[1])) {
            s->p++;
            struct vtl_step *step = new_step(s, STEP_PROPERTY, &tail);
            step->name = vtl_take_name(s);
            if (s->p < s->end && *s->p == '(') {
                s->p++;
                step->type = STEP_CALL;
                if (!parse_list(s, ")", false, &step->args, &step->count))
                    return false;
            }
        } else if (*s->p == '[') {
            s->p++;
            struct vtl_step *step = new_step(s, STEP_INDEX, &tail);
            if (!parse_list(s, "]", false, &step->args, &step->count) || step->count != 1)
                return false;
        } else {
            break;
        }
    }
    return true;
}

/* "$foo[" that is no index is text behind a reference, so a failed step is not an error there. */
static bool parse_steps_or_stop(struct vtl_parser *s, struct vtl_ref *ref)
{
    const char *before = s->p;
    if (parse_steps(s, ref))
        return true;
    if (s->p > before && *before == '[') {
        s->error = STR_NONE;
        s->p = before;
        ref->steps = NULL;
        return true;
    }
    vtl_fail(s, "a reference is malformed");
    return false;
}

struct vtl_ref *vtl_parse_ref(struct vtl_parser *s)
{
    const char *start = s->p;
    struct vtl_ref *ref = ARENA_NEW(s->a, struct vtl_ref);
    s->p++;
    if (s->p < s->end && *s->p == '!') {
        ref->quiet = true;
        s->p++;
    }
    bool formal = s->p < s->end && *s->p == '{';
    s->p += formal;
    if (s->p == s->end || !vtl_is_name_start(*s->p)) {
        s->p = start;
        return NULL;
    }
    ref->name = vtl_take_name(s);
    if (!parse_steps_or_stop(s, ref))
        return NULL;
    if (formal) {
        vtl_skip_blanks(s, false);
        if (s->p == s->end || *s->p != '}') {
            s->p = start;
            return NULL;
        }
        s->p++;
    }
    ref->source = (struct str){start, (size_t)(s->p - start)};
    return ref;
}
