/* PartiQL text to tokens. A text that cannot be split (an open quote, a character no token has, a
 * number out of all range) is answered with nothing after the colon: AWS's lexer has no message. */
#include "partiql_ast.h"
#include <string.h>

struct lexer {
    struct arena *a;
    struct str text;
    size_t at;             /* next byte */
    uint32_t line, column; /* of the next character */
    struct pql_tokens *out;
    struct aws_err *err;
};

static bool fail(struct lexer *x)
{
    return aws_fail(x->err, x->a, &AWS_ValidationException, PQL_NOT_WELL_FORMED);
}

static char peek(const struct lexer *x, size_t ahead)
{
    return x->at + ahead < x->text.n ? x->text.p[x->at + ahead] : '\0';
}

/* One byte on; continuation bytes of UTF-8 are part of the character before. */
static void skip(struct lexer *x, size_t bytes)
{
    for (size_t end = x->at + bytes; x->at < end; x->at++) {
        unsigned char c = (unsigned char)x->text.p[x->at];
        bool alone = c == '\r' && peek(x, 1) != '\n';
        if (c == '\n' || alone) {
            x->line++;
            x->column = 1;
        } else if (c != '\r' && (c & 0xC0) != 0x80) {
            x->column++;
        }
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

/* Words that together have one meaning, the longest first. */
static const struct {
    const char *word[4];
    const char *means;
    bool op;
} phrases[] = {
    {{"left", "outer", "cross", "join"}, "left_cross_join", false},
    {{"right", "outer", "cross", "join"}, "right_cross_join", false},
    {{"full", "outer", "cross", "join"}, "outer_cross_join", false},
    {{"inner", "cross", "join", NULL}, "cross_join", false},
    {{"left", "outer", "join", NULL}, "left_join", false},
    {{"left", "cross", "join", NULL}, "left_cross_join", false},
    {{"right", "outer", "join", NULL}, "right_join", false},
    {{"right", "cross", "join", NULL}, "right_cross_join", false},
    {{"full", "outer", "join", NULL}, "outer_join", false},
    {{"full", "cross", "join", NULL}, "outer_cross_join", false},
    {{"outer", "cross", "join", NULL}, "outer_cross_join", false},
    {{"not", "in", NULL, NULL}, "not_in", true},
    {{"is", "not", NULL, NULL}, "is_not", true},
    {{"not", "between", NULL, NULL}, "not_between", true},
    {{"not", "like", NULL, NULL}, "not_like", true},
    {{"union", "all", NULL, NULL}, "union_all", true},
    {{"except", "all", NULL, NULL}, "except_all", true},
    {{"intersect", "all", NULL, NULL}, "intersect_all", true},
    {{"union", "distinct", NULL, NULL}, "union_distinct", true},
    {{"except", "distinct", NULL, NULL}, "except_distinct", true},
    {{"intersect", "distinct", NULL, NULL}, "intersect_distinct", true},
    {{"character", "varying", NULL, NULL}, "character_varying", false},
    {{"double", "precision", NULL, NULL}, "double_precision", false},
    {{"cross", "join", NULL, NULL}, "cross_join", false},
    {{"inner", "join", NULL, NULL}, "inner_join", false},
    {{"left", "join", NULL, NULL}, "left_join", false},
    {{"right", "join", NULL, NULL}, "right_join", false},
    {{"full", "join", NULL, NULL}, "outer_join", false},
    {{"outer", "join", NULL, NULL}, "outer_join", false},
    {{"insert", "into", NULL, NULL}, "insert_into", false},
    {{"on", "conflict", NULL, NULL}, "on_conflict", false},
    {{"do", "nothing", NULL, NULL}, "do_nothing", false},
    {{"modified", "old", NULL, NULL}, "modified_old", false},
    {{"modified", "new", NULL, NULL}, "modified_new", false},
    {{"all", "old", NULL, NULL}, "all_old", false},
    {{"all", "new", NULL, NULL}, "all_new", false},
};

static bool is_word(const struct pql_token *t)
{
    return t->kind == TOKEN_KEYWORD || t->kind == TOKEN_OPERATOR;
}

/* The last tokens are one of the phrases: they become one token, at the place of the first. */
static void join_phrase(struct pql_tokens *out)
{
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        size_t n = 4;
        while (phrases[i].word[n - 1] == NULL)
            n--;
        bool all = out->count >= n;
        for (size_t k = 0; all && k < n; k++) {
            const struct pql_token *t = &out->token[out->count - n + k];
            all = is_word(t) && str_eq_c(t->text, phrases[i].word[k]);
        }
        if (!all)
            continue;
        out->count -= n - 1;
        struct pql_token *first = &out->token[out->count - 1];
        first->text = str_c(phrases[i].means);
        first->kind = phrases[i].op ? TOKEN_OPERATOR : TOKEN_KEYWORD;
        return;
    }
}

static void add(struct lexer *x, enum pql_token_kind kind, struct str text, struct pql_at at)
{
    struct pql_tokens *out = x->out;
    if (out->count == out->cap) {
        size_t cap = out->cap == 0 ? 64 : out->cap * 2;
        struct pql_token *grown = ARENA_ARRAY(x->a, struct pql_token, cap);
        if (out->count > 0)
            memcpy(grown, out->token, out->count * sizeof *grown);
        out->token = grown;
        out->cap = cap;
    }
    out->token[out->count++] = (struct pql_token){kind, text, at};
    if (kind == TOKEN_PARAM)
        out->params++;
    if (kind == TOKEN_KEYWORD || kind == TOKEN_OPERATOR)
        join_phrase(out);
}

static struct str lower(struct lexer *x, struct str s)
{
    char *out = arena_alloc(x->a, s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        out[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
    return (struct str){out, s.n};
}

static void add_word(struct lexer *x, struct str text, struct pql_at at)
{
    static const struct {
        const char *word;
        enum pql_token_kind kind;
    } special[] = {{"as", TOKEN_AS},     {"at", TOKEN_AT},           {"by", TOKEN_BY},
                   {"for", TOKEN_FOR},   {"asc", TOKEN_ASC},         {"desc", TOKEN_DESC},
                   {"null", TOKEN_NULL}, {"missing", TOKEN_MISSING}, {"true", TOKEN_FLAG},
                   {"false", TOKEN_FLAG}};
    struct str low = lower(x, text);
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        if (str_eq_c(low, special[i].word)) {
            add(x, special[i].kind, low, at);
            return;
        }
    }
    struct str keyword = pql_keyword(low);
    if (keyword.p != NULL)
        add(x, TOKEN_KEYWORD, keyword, at);
    else if (pql_precedence(low) > 0 || str_eq_c(low, "not"))
        add(x, TOKEN_OPERATOR, low, at);
    else
        add(x, TOKEN_NAME, text, at);
}

/* The quote doubled stands for itself. */
static bool read_quoted(struct lexer *x, char quote, struct str *ret)
{
    size_t start = x->at + 1, doubled = 0;
    for (skip(x, 1); peek(x, 0) != quote || peek(x, 1) == quote; skip(x, 1)) {
        if (x->at >= x->text.n)
            return fail(x);
        if (peek(x, 0) == quote) {
            skip(x, 1);
            doubled++;
        }
    }
    struct str raw = str_sub(x->text, start, x->at);
    skip(x, 1);
    *ret = raw;
    if (doubled == 0)
        return true;
    char *out = arena_alloc(x->a, raw.n);
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        out[n++] = raw.p[i];
        i += raw.p[i] == quote;
    }
    *ret = (struct str){out, n};
    return true;
}

/* An Ion literal: only its end matters, quotes in it may hold a backtick. */
static bool read_ion(struct lexer *x, struct str *ret)
{
    size_t start = x->at + 1;
    char quote = '\0';
    for (skip(x, 1); x->at < x->text.n; skip(x, 1)) {
        char c = peek(x, 0);
        if (quote != '\0') {
            if (c == '\\' && x->at + 1 < x->text.n)
                skip(x, 1);
            else if (c == quote)
                quote = '\0';
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '`') {
            *ret = str_sub(x->text, start, x->at);
            skip(x, 1);
            return true;
        }
    }
    return fail(x);
}

/* The reader behind it keeps exponent and scale (fraction digits less exponent) in 32 bits. */
static bool in_range(struct str fraction, struct str exponent)
{
    int64_t e = 0;
    bool minus = exponent.n > 0 && exponent.p[0] == '-';
    if (exponent.n > 0 && (minus || exponent.p[0] == '+'))
        exponent = str_sub(exponent, 1, exponent.n);
    for (size_t i = 0; i < exponent.n; i++) {
        e = e * 10 + (exponent.p[i] - '0');
        if (e > (int64_t)INT32_MAX + 1)
            return false;
    }
    if (minus)
        e = -e;
    int64_t scale = (int64_t)fraction.n - e;
    return e >= INT32_MIN && e <= INT32_MAX && scale >= INT32_MIN && scale <= INT32_MAX;
}

static void skip_digits(struct lexer *x)
{
    while (is_digit(peek(x, 0)))
        skip(x, 1);
}

static bool read_number(struct lexer *x, struct str *ret)
{
    size_t start = x->at;
    struct str fraction = STR(""), exponent = STR("");
    bool may_have_exponent = true;
    skip_digits(x);
    if (peek(x, 0) == '.') {
        skip(x, 1);
        size_t from = x->at;
        skip_digits(x);
        fraction = str_sub(x->text, from, x->at);
        may_have_exponent = fraction.n > 0;
    }
    if (may_have_exponent && (peek(x, 0) == 'e' || peek(x, 0) == 'E')) {
        skip(x, 1);
        size_t from = x->at;
        if (peek(x, 0) == '-' || peek(x, 0) == '+')
            skip(x, 1);
        if (!is_digit(peek(x, 0)))
            return fail(x);
        skip_digits(x);
        exponent = str_sub(x->text, from, x->at);
    }
    *ret = str_sub(x->text, start, x->at);
    return in_range(fraction, exponent) || fail(x);
}

/* White space and comments. False: a comment has no end. */
static bool skip_blank(struct lexer *x)
{
    for (;;) {
        char c = peek(x, 0);
        if (x->at >= x->text.n) {
            return true;
        } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
            skip(x, 1);
        } else if (c == '-' && peek(x, 1) == '-') {
            while (x->at < x->text.n && peek(x, 0) != '\n' && peek(x, 0) != '\r')
                skip(x, 1);
        } else if (c == '/' && peek(x, 1) == '*') {
            ptrdiff_t end = str_find_str(str_sub(x->text, x->at + 2, x->text.n), STR("*/"));
            if (end < 0)
                return fail(x);
            skip(x, (size_t)end + 4);
        } else {
            return true;
        }
    }
}

static bool read_symbol(struct lexer *x, struct pql_at at)
{
    static const struct {
        const char *text;
        enum pql_token_kind kind;
        const char *means; /* NULL: the text itself */
    } symbols[] = {{"<<", TOKEN_LEFT_BAG, NULL},     {">>", TOKEN_RIGHT_BAG, NULL},
                   {"<=", TOKEN_OPERATOR, NULL},     {">=", TOKEN_OPERATOR, NULL},
                   {"<>", TOKEN_OPERATOR, NULL},     {"!=", TOKEN_OPERATOR, "<>"},
                   {"||", TOKEN_OPERATOR, NULL},     {"<", TOKEN_OPERATOR, NULL},
                   {">", TOKEN_OPERATOR, NULL},      {"=", TOKEN_OPERATOR, NULL},
                   {"+", TOKEN_OPERATOR, NULL},      {"-", TOKEN_OPERATOR, NULL},
                   {"/", TOKEN_OPERATOR, NULL},      {"%", TOKEN_OPERATOR, NULL},
                   {"@", TOKEN_OPERATOR, NULL},      {"~", TOKEN_OPERATOR, NULL},
                   {"*", TOKEN_STAR, NULL},          {"(", TOKEN_LEFT_PAREN, NULL},
                   {")", TOKEN_RIGHT_PAREN, NULL},   {"[", TOKEN_LEFT_BRACKET, NULL},
                   {"]", TOKEN_RIGHT_BRACKET, NULL}, {"{", TOKEN_LEFT_CURLY, NULL},
                   {"}", TOKEN_RIGHT_CURLY, NULL},   {":", TOKEN_COLON, NULL},
                   {",", TOKEN_COMMA, NULL},         {";", TOKEN_SEMICOLON, NULL},
                   {"?", TOKEN_PARAM, NULL},         {".", TOKEN_DOT, NULL}};
    struct str rest = str_sub(x->text, x->at, x->text.n);
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        struct str s = str_c(symbols[i].text);
        if (!str_starts(rest, s))
            continue;
        skip(x, s.n);
        at.length = (uint32_t)s.n;
        add(x, symbols[i].kind,
            str_c(symbols[i].means != NULL ? symbols[i].means : symbols[i].text), at);
        return true;
    }
    return fail(x);
}

static bool read_token(struct lexer *x)
{
    struct pql_at at = {x->line, x->column, 0};
    size_t start = x->at;
    char c = peek(x, 0);
    struct str text = STR("");
    enum pql_token_kind kind;
    bool ok = true;
    if (is_name_start(c)) {
        while (is_name_start(peek(x, 0)) || is_digit(peek(x, 0)))
            skip(x, 1);
        kind = TOKEN_NAME;
        text = str_sub(x->text, start, x->at);
    } else if (is_digit(c) || (c == '.' && is_digit(peek(x, 1)))) {
        kind = TOKEN_NUMBER;
        ok = read_number(x, &text);
    } else if (c == '\'' || c == '"') {
        kind = c == '"' ? TOKEN_QUOTED : TOKEN_STRING;
        ok = read_quoted(x, c, &text);
    } else if (c == '`') {
        kind = TOKEN_ION;
        ok = read_ion(x, &text);
    } else {
        return read_symbol(x, at);
    }
    if (!ok)
        return false;
    at.length = (uint32_t)str_utf8_count(str_sub(x->text, start, x->at));
    if (kind == TOKEN_NAME)
        add_word(x, text, at);
    else
        add(x, kind, text, at);
    return true;
}

bool pql_lex(struct arena *a, struct str text, struct pql_tokens *ret, struct aws_err *err)
{
    struct lexer x = {.a = a, .text = text, .line = 1, .column = 1, .out = ret, .err = err};
    *ret = (struct pql_tokens){0};
    if (!str_is_utf8(text))
        return fail(&x);
    for (;;) {
        if (!skip_blank(&x))
            return false;
        if (x.at >= text.n)
            break;
        if (!read_token(&x))
            return false;
    }
    add(&x, TOKEN_END, STR(""), (struct pql_at){x.line, x.column, 0});
    return true;
}
