/* Text, references and directives of a template. Which line ends a directive takes with it follows
 * Velocity 1.7: a closing parenthesis, #else and #end take blanks and the line end behind them,
 * #set also the blanks before it. */
#include "panic.h"
#include "vtl_ast.h"
#include <string.h>

static struct vtl_block *parse_block(struct vtl_parser *s, bool top);

static struct vtl_node *new_node(struct vtl_parser *s, enum node_type type)
{
    struct vtl_node *n = ARENA_NEW(s->a, struct vtl_node);
    n->type = type;
    return n;
}

static bool at(const struct vtl_parser *s, const char *token)
{
    size_t n = strlen(token);
    return (size_t)(s->end - s->p) >= n && memcmp(s->p, token, n) == 0;
}

static void eat_line_end(struct vtl_parser *s)
{
    const char *p = s->p;
    while (p < s->end && (*p == ' ' || *p == '\t'))
        p++;
    if (p < s->end && *p == '\r')
        p++;
    else if (p == s->end || *p != '\n')
        return;
    if (p < s->end && *p == '\n')
        p++;
    s->p = p;
}

/* "#name" or "#{name}", not the start of a longer word; taken if it is there. */
static bool take_directive(struct vtl_parser *s, const char *name)
{
    size_t n = strlen(name);
    const char *p = s->p + 1;
    bool braces = p < s->end && *p == '{';
    p += braces;
    if ((size_t)(s->end - p) < n || memcmp(p, name, n) != 0)
        return false;
    p += n;
    if (braces ? p == s->end || *p != '}' : p < s->end && (vtl_is_name_start(*p) || *p == '-'))
        return false;
    s->p = p + braces;
    return true;
}

static bool open_arguments(struct vtl_parser *s)
{
    vtl_skip_blanks(s, false);
    if (s->p == s->end || *s->p != '(') {
        vtl_fail(s, "a directive lacks its parenthesis");
        return false;
    }
    s->p++;
    return true;
}

static bool close_arguments(struct vtl_parser *s)
{
    vtl_skip_blanks(s, true);
    if (s->p == s->end || *s->p != ')') {
        vtl_fail(s, "a directive's parenthesis is not closed");
        return false;
    }
    s->p++;
    eat_line_end(s);
    return true;
}

static struct vtl_node *parse_set(struct vtl_parser *s)
{
    struct vtl_node *n = new_node(s, NODE_SET);
    if (!open_arguments(s))
        return NULL;
    vtl_skip_blanks(s, true);
    n->ref = s->p < s->end && *s->p == '$' ? vtl_parse_ref(s) : NULL;
    vtl_skip_blanks(s, true);
    if (n->ref == NULL || s->p == s->end || *s->p != '=') {
        vtl_fail(s, "#set wants a reference and =");
        return NULL;
    }
    s->p++;
    n->expr = vtl_parse_expr(s);
    return n->expr != NULL && close_arguments(s) ? n : NULL;
}

static bool take_end(struct vtl_parser *s)
{
    if (s->p == s->end || !take_directive(s, "end")) {
        vtl_fail(s, "#end is missing");
        return false;
    }
    eat_line_end(s);
    return true;
}

static struct vtl_node *parse_if(struct vtl_parser *s)
{
    struct vtl_node *n = new_node(s, NODE_IF);
    if (!open_arguments(s) || (n->expr = vtl_parse_expr(s)) == NULL || !close_arguments(s) ||
        (n->body = parse_block(s, false)) == NULL)
        return NULL;
    if (s->p < s->end && take_directive(s, "elseif")) {
        n->orelse = ARENA_NEW(s->a, struct vtl_block);
        if (++s->depth > VTL_DEPTH_MAX)
            vtl_fail(s, "the template is nested too deep");
        n->orelse->first = s->error.p != NULL ? NULL : parse_if(s); /* takes the #end */
        s->depth--;
        return n->orelse->first == NULL ? NULL : n;
    }
    if (s->p < s->end && take_directive(s, "else")) {
        eat_line_end(s);
        n->orelse = parse_block(s, false);
        if (n->orelse == NULL)
            return NULL;
    }
    return take_end(s) ? n : NULL;
}

static struct vtl_node *parse_foreach(struct vtl_parser *s)
{
    struct vtl_node *n = new_node(s, NODE_FOREACH);
    if (!open_arguments(s))
        return NULL;
    vtl_skip_blanks(s, true);
    struct vtl_ref *variable = s->p < s->end && *s->p == '$' ? vtl_parse_ref(s) : NULL;
    vtl_skip_blanks(s, true);
    if (variable == NULL || variable->steps != NULL || !at(s, "in")) {
        vtl_fail(s, "#foreach wants $name in a list");
        return NULL;
    }
    s->p += 2;
    n->text = variable->name;
    n->expr = vtl_parse_expr(s);
    if (n->expr == NULL || !close_arguments(s) || (n->body = parse_block(s, false)) == NULL)
        return NULL;
    return take_end(s) ? n : NULL;
}

/* At a '#': the directive's node. NULL without an error: it is text. */
static struct vtl_node *parse_directive(struct vtl_parser *s)
{
    if (take_directive(s, "set"))
        return parse_set(s);
    if (take_directive(s, "if"))
        return parse_if(s);
    if (take_directive(s, "foreach"))
        return parse_foreach(s);
    if (take_directive(s, "break"))
        return new_node(s, NODE_BREAK);
    if (take_directive(s, "stop"))
        return new_node(s, NODE_STOP);
    if (take_directive(s, "macro") || take_directive(s, "define"))
        vtl_fail(s, "#macro and #define are not supported"); /* unverified: what AWS does */
    return NULL;
}

/* At a comment: skips it. */
static bool skip_comment(struct vtl_parser *s)
{
    if (at(s, "##")) {
        while (s->p < s->end && *s->p != '\n')
            s->p++;
        s->p += s->p < s->end;
        return true;
    }
    if (!at(s, "#*"))
        return false;
    for (s->p += 2; s->p < s->end; s->p++) {
        if (at(s, "*#")) {
            s->p += 2;
            return true;
        }
    }
    vtl_fail(s, "a comment does not end");
    return true;
}

static void add(struct vtl_node ***tail, struct vtl_node *n)
{
    **tail = n;
    *tail = &n->next;
}

static void add_text(struct vtl_parser *s, struct vtl_node ***tail, const char *from,
                     const char *to)
{
    if (to == from)
        return;
    struct vtl_node *n = new_node(s, NODE_TEXT);
    n->text = (struct str){from, (size_t)(to - from)};
    add(tail, n);
}

/* #[[ ... ]]#: text as it stands. */
static bool parse_unparsed(struct vtl_parser *s, struct vtl_node ***tail)
{
    if (!at(s, "#[["))
        return false;
    const char *from = s->p + 3;
    for (s->p = from; s->p < s->end; s->p++) {
        if (at(s, "]]#")) {
            add_text(s, tail, from, s->p);
            s->p += 3;
            return true;
        }
    }
    vtl_fail(s, "#[[ does not end");
    return true;
}

/* #else, #elseif or #end: the enclosing directive goes on there. */
static bool at_block_end(const struct vtl_parser *s)
{
    static const char *const names[] = {"end", "elseif", "else"};
    for (size_t i = 0; i < 3; i++) {
        struct vtl_parser probe = *s;
        if (take_directive(&probe, names[i]))
            return true;
    }
    return false;
}

/* Something other than text begins at p. What stands from text on has been read as text so far. */
static bool parse_special(struct vtl_parser *s, struct vtl_node ***tail, const char *text)
{
    const char *start = s->p, *to = start;
    bool escaped = start > text && start[-1] == '\\';
    struct vtl_node *n = NULL;
    if (*start == '$') {
        struct vtl_ref *ref = vtl_parse_ref(s);
        if (ref != NULL) {
            n = new_node(s, NODE_REF);
            n->ref = ref;
        }
    } else if (!escaped && (skip_comment(s) || parse_unparsed(s, tail))) {
        if (s->p == start)
            return false;
        ASSERT(s->p > start);
        return true;
    } else {
        while (at(s, "#set") && to > text && (to[-1] == ' ' || to[-1] == '\t'))
            to--;
        n = parse_directive(s);
    }
    if (n == NULL)
        return false;
    if (escaped) { /* the backslash goes, the rest is text */
        add_text(s, tail, text, start - 1);
        add_text(s, tail, start, s->p);
        return true;
    }
    add_text(s, tail, text, to);
    add(tail, n);
    return true;
}

static struct vtl_block *parse_block(struct vtl_parser *s, bool top)
{
    struct vtl_block *block = ARENA_NEW(s->a, struct vtl_block);
    struct vtl_node **tail = &block->first;
    const char *text = s->p;
    if (++s->depth > VTL_DEPTH_MAX)
        vtl_fail(s, "the template is nested too deep");
    while (s->p < s->end && s->error.p == NULL) {
        if (*s->p != '$' && *s->p != '#') {
            s->p++;
            continue;
        }
        if (*s->p == '#' && at_block_end(s)) {
            if (top)
                vtl_fail(s, "#end or #else without a beginning");
            break;
        }
        const char *start = s->p;
        bool comment = at(s, "##") || at(s, "#*") || at(s, "#[[");
        if (comment && !(start > text && start[-1] == '\\')) {
            add_text(s, &tail, text, start);
            text = start;
        }
        if (parse_special(s, &tail, text))
            text = s->p;
        else if (s->p == start)
            s->p++;
    }
    s->depth--;
    if (s->error.p != NULL)
        return NULL;
    add_text(s, &tail, text, s->p);
    return block;
}

struct vtl_block *vtl_parse_text(struct vtl_parser *s, struct str text)
{
    struct vtl_parser inner = {s->a, text.p, text.p + text.n, STR_NONE, s->depth};
    struct vtl_block *block = parse_block(&inner, true);
    if (block == NULL && s->error.p == NULL)
        s->error = inner.error;
    return block;
}

bool vtl_parse(struct arena *a, struct str text, struct vtl_template **ret, struct str *ret_error)
{
    struct vtl_parser s = {a, text.p, text.p + text.n, STR_NONE, 0};
    *ret = ARENA_NEW(a, struct vtl_template);
    if (text.n > VTL_TEMPLATE_MAX)
        vtl_fail(&s, "the template is too long");
    else if (text.n == 0)
        (*ret)->block = ARENA_NEW(a, struct vtl_block);
    else
        (*ret)->block = parse_block(&s, true);
    *ret_error = s.error;
    return s.error.p == NULL;
}
