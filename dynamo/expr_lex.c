/* Text to tokens, and the messages that point at one. */
#include "expr_internal.h"
#include "panic.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_part(char c)
{
    return is_letter(c) || is_digit(c) || c == '_';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Words that are syntax belong to their language only: "add" is an ordinary (reserved) name in a
 * condition. unverified beyond the words of each grammar. */
enum keyword expr_keyword(enum expr_kind kind, struct str word)
{
    static const struct {
        const char *word;
        enum keyword w;
        bool update;
    } words[] = {
        {"AND", W_AND, false},      {"OR", W_OR, false},           {"NOT", W_NOT, false},
        {"IN", W_IN, false},        {"BETWEEN", W_BETWEEN, false}, {"SET", W_SET, true},
        {"REMOVE", W_REMOVE, true}, {"ADD", W_ADD, true},          {"DELETE", W_DELETE, true},
    };
    if (kind == EXPR_PROJECTION || word.n > 7)
        return W_NONE;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].update == (kind == EXPR_UPDATE) && str_case_eq(word, str_c(words[i].word)))
            return words[i].w;
    }
    return W_NONE;
}

static size_t word_end(struct str s, size_t i)
{
    while (i < s.n && is_word_part(s.p[i]))
        i++;
    return i;
}

/* Length of the UTF-8 character at s.p[i]. */
static size_t char_size(struct str s, size_t i)
{
    size_t n = 1;
    while (i + n < s.n && ((unsigned char)s.p[i + n] & 0xC0) == 0x80)
        n++;
    return n;
}

static size_t symbol_size(struct str s, size_t i)
{
    char c = s.p[i], next = i + 1 < s.n ? s.p[i + 1] : '\0';
    if (c == '<' && (next == '=' || next == '>'))
        return 2;
    if (c == '>' && next == '=')
        return 2;
    return strchr("()[].,+-=<>", c) != NULL ? 1 : 0;
}

static struct token next_token(const struct expr_parser *p, size_t i)
{
    struct str s = p->text;
    char c = s.p[i];
    size_t end = i + 1, n;
    enum token_kind kind = T_BAD;
    if (is_letter(c)) {
        end = word_end(s, i);
        kind = expr_keyword(p->kind, str_sub(s, i, end)) != W_NONE ? T_WORD : T_NAME;
    } else if (is_digit(c)) {
        while (c != '0' && end < s.n && is_digit(s.p[end])) /* no leading zeros */
            end++;
        kind = T_INDEX;
    } else if ((c == '#' || c == ':') && word_end(s, i + 1) > i + 1) {
        end = word_end(s, i + 1);
        kind = c == '#' ? T_REF : T_VALUE;
    } else if (c != '\0' && (n = symbol_size(s, i)) > 0) {
        end = i + n;
        kind = T_SYMBOL;
    } else {
        end = i + char_size(s, i);
    }
    return (struct token){kind, (uint32_t)i, (uint32_t)(end - i)};
}

static void lex(struct expr_parser *p)
{
    struct str s = p->text;
    p->token = ARENA_ARRAY(p->a, struct token, s.n + 1);
    for (size_t i = 0; i < s.n;) {
        if (is_blank(s.p[i])) {
            i++;
            continue;
        }
        struct token t = next_token(p, i);
        p->token[p->count++] = t;
        i += t.n;
    }
    p->token[p->count++] = (struct token){T_END, (uint32_t)s.n, 0};
}

struct str expr_token_text(const struct expr_parser *p, const struct token *t)
{
    return str_sub(p->text, t->at, t->at + t->n);
}

const char *expr_prefix(const struct expr_parser *p)
{
    if (p->kind_name == NULL) /* a tree of another language */
        return "";
    return arena_fmt(p->a, "%sInvalid %s: ", p->env->envelope, p->kind_name).p;
}

bool expr_fail(struct expr_parser *p, const char *fmt, ...)
{
    struct buf *b = arena_new_buf(p->a, SIZE_MAX / 2);
    va_list ap;
    char small[512];
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    ASSERT(n >= 0);
    char *text = small;
    if ((size_t)n >= sizeof small) {
        text = arena_alloc_raw(p->a, (size_t)n + 1);
        va_start(ap, fmt);
        vsnprintf(text, (size_t)n + 1, fmt, ap);
        va_end(ap);
    }
    buf_add(b, (struct str){text, (size_t)n});
    return aws_fail(p->err, p->a, &AWS_ValidationException, "%s%.*s", expr_prefix(p),
                    STR_ARG(buf_view(b)));
}

/* Near: the token with its neighbours, as written, blanks between them included. */
bool expr_syntax_error(struct expr_parser *p)
{
    const struct token *t = &p->token[p->at];
    size_t from = p->at > 0 ? t[-1].at : 0;
    size_t to = p->text.n;
    if (t->kind != T_END && t[1].kind != T_END)
        to = t[1].at + t[1].n;
    struct str near = str_sub(p->text, from, to);
    struct str shown = t->kind == T_END ? STR("<EOF>") : expr_token_text(p, t);
    return expr_fail(p, "Syntax error; token: \"%.*s\", near: \"%.*s\"", STR_ARG(shown),
                     STR_ARG(near));
}

bool expr_start(struct expr_parser *p, struct expr_env *env, enum expr_kind kind, struct str text,
                struct aws_err *err)
{
    static const char *const names[] = {
        [EXPR_CONDITION] = "ConditionExpression",        [EXPR_FILTER] = "FilterExpression",
        [EXPR_KEY_CONDITION] = "KeyConditionExpression", [EXPR_UPDATE] = "UpdateExpression",
        [EXPR_PROJECTION] = "ProjectionExpression",
    };
    *p = (struct expr_parser){
        .env = env, .a = env->a, .err = err, .kind = kind, .kind_name = names[kind], .text = text};
    if (text.n == 0)
        return expr_fail(p, "The expression can not be empty;");
    if (text.n > EXPR_SIZE_MAX)
        return expr_fail(p,
                         "Expression size has exceeded the maximum allowed size; expression size: "
                         "%zu",
                         text.n);
    lex(p);
    return true;
}
