/* The models write Java regular expressions. Those that are one character class repeated come as a
 * 256-bit set from the generator. The rest are rewritten for POSIX regcomp, which knows no escapes
 * in brackets, no \d and no (?:; without back-references and sub-matches (REG_NOSUB) it runs as an
 * automaton, so no input makes it slow. The few with look-around are matched by hand. */
#include "pattern.h"
#include "map.h"
#include "panic.h"
#include <regex.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 64 * 1024 };

struct compiled {
    enum { ANYTHING, BY_HAND, REGEX } kind;
    bool (*match)(struct str s);
    regex_t regex;
};

/* ---- look-around ------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c) /* [a-zA-Z0-9_] */
{
    return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';
}

/* (?!^[0-9]+$)([a-zA-Z0-9-_]+) */
static bool match_not_only_digits(struct str s)
{
    bool other = false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_word(s.p[i]) && s.p[i] != '-')
            return false;
        other |= !is_digit(s.p[i]);
    }
    return other;
}

/* [0-9A-Za-z\.\-_]*(?<!\.) */
static bool match_no_final_dot(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_word(s.p[i]) && s.p[i] != '-' && s.p[i] != '.')
            return false;
    }
    return s.n == 0 || s.p[s.n - 1] != '.';
}

/* (^(?!(system\x2e)))(^[_a-zA-Z0-9])([^$]*) */
static bool match_collection(struct str s)
{
    return s.n > 0 && is_word(s.p[0]) && !str_starts(s, STR("system.")) && str_find(s, '$') < 0;
}

static const struct {
    const char *text;
    bool (*match)(struct str s);
} by_hand[] = {
    {"(?!^[0-9]+$)([a-zA-Z0-9-_]+)", match_not_only_digits},
    {"((?!^\\d+$)^[0-9a-zA-Z-_]+$)", match_not_only_digits},
    {"[0-9A-Za-z\\.\\-_]*(?<!\\.)", match_no_final_dot},
    {"(^(?!(system\\x2e)))(^[_a-zA-Z0-9])([^$]*)", match_collection},
};

/* ---- rewriting --------------------------------------------------------------------------- */

static void add_range(bool set[256], unsigned from, unsigned to)
{
    for (unsigned c = from; c <= to && c < 256; c++)
        set[c] = true;
}

/* At an escape's letter; adds what it stands for, returns the text behind it. *ret_single is the
 * byte, or -1 for a class. */
static const char *read_escape(const char *p, bool set[256], int *ret_single)
{
    *ret_single = -1;
    switch (*p) {
    case 'd':
        add_range(set, '0', '9');
        return p + 1;
    case 'w':
        add_range(set, '0', '9');
        add_range(set, 'A', 'Z');
        add_range(set, 'a', 'z');
        set['_'] = true;
        return p + 1;
    case 's':
    case 'S':
        for (unsigned c = 0; c < 256; c++) {
            bool blank = c == ' ' || (c >= 9 && c <= 13);
            if (blank == (*p == 's'))
                set[c] = true;
        }
        return p + 1;
    case 'x': {
        char hex[3] = {p[1], p[2], 0};
        *ret_single = (int)strtol(hex, NULL, 16);
        return p + 3;
    }
    case 't':
        *ret_single = '\t';
        return p + 1;
    case 'n':
        *ret_single = '\n';
        return p + 1;
    case 'r':
        *ret_single = '\r';
        return p + 1;
    case 'u': {
        char hex[5] = {p[1], p[2], p[3], p[4], 0};
        long c = strtol(hex, NULL, 16);
        *ret_single = c < 128 ? (int)c : 255; /* any byte of a longer sequence */
        if (c >= 128)
            add_range(set, 128, 255);
        return p + 5;
    }
    default:
        *ret_single = (unsigned char)*p;
        return p + 1;
    }
}

/* At '['; returns the text behind ']', or NULL if it does not parse. */
static const char *read_class(const char *p, bool set[256])
{
    bool negated = false;
    memset(set, 0, 256 * sizeof *set);
    p++;
    if (*p == '^') {
        negated = true;
        p++;
    }
    while (*p != '\0' && *p != ']') {
        int from, to;
        if (*p == '\\')
            p = read_escape(p + 1, set, &from);
        else if (*p == '[' || (*p == '&' && p[1] == '&'))
            return NULL;
        else
            from = (unsigned char)*p++;
        if (from < 0)
            continue;
        to = from;
        if (p[0] == '-' && p[1] != ']' && p[1] != '\0') {
            p++;
            if (*p == '\\')
                p = read_escape(p + 1, set, &to);
            else
                to = (unsigned char)*p++;
            if (to < from)
                to = 255;
        }
        add_range(set, (unsigned)from, (unsigned)to);
    }
    if (*p != ']')
        return NULL;
    if (negated) {
        for (unsigned c = 0; c < 256; c++)
            set[c] = !set[c];
    }
    return p + 1;
}

static bool only_caret(const bool set[256])
{
    for (unsigned c = 0; c < 256; c++) {
        if (set[c] != (c == '^'))
            return false;
    }
    return true;
}

/* set as a POSIX bracket expression; NUL can not be written and is left out. */
static void write_class(struct buf *b, const bool set[256])
{
    if (only_caret(set)) { /* "[^]" would be no class */
        buf_add(b, STR("\\^"));
        return;
    }
    buf_addc(b, '[');
    if (set[']'])
        buf_addc(b, ']');
    for (unsigned c = 1; c < 256; c++) {
        if (!set[c] || c == ']' || c == '-' || c == '^' || c == '[')
            continue;
        buf_addc(b, (char)c);
    }
    if (set['['])
        buf_addc(b, '[');
    if (set['^'])
        buf_addc(b, '^');
    if (set['-'])
        buf_addc(b, '-');
    buf_addc(b, ']');
}

static bool translate(const char *p, struct buf *b)
{
    buf_add(b, STR("^("));
    while (*p != '\0') {
        bool set[256] = {false};
        int single;
        if (*p == '[') {
            p = read_class(p, set);
            if (p == NULL)
                return false;
            write_class(b, set);
        } else if (*p == '\\') {
            p = read_escape(p + 1, set, &single);
            if (single >= 0)
                set[single] = true;
            write_class(b, set);
        } else if (p[0] == '(' && p[1] == '?') {
            if (p[2] != ':')
                return false; /* look-around */
            buf_addc(b, '(');
            p += 3;
        } else if (*p == '^' || *p == '$') {
            p++; /* the whole string is matched anyway */
        } else {
            buf_addc(b, *p++);
        }
    }
    buf_add(b, STR(")$"));
    buf_addc(b, '\0');
    return true;
}

static struct compiled *compile(const char *text)
{
    struct compiled *c = calloc(1, sizeof *c);
    struct buf b;
    if (c == NULL)
        PANIC("out of memory");
    for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++) {
        if (strcmp(by_hand[i].text, text) == 0) {
            c->kind = BY_HAND;
            c->match = by_hand[i].match;
            return c;
        }
    }
    buf_init(&b, 64 * 1024);
    if (!translate(text, &b) || regcomp(&c->regex, b.p, REG_EXTENDED | REG_NOSUB) != 0)
        c->kind = ANYTHING;
    else
        c->kind = REGEX;
    buf_release(&b);
    return c;
}

static const struct compiled *compiled_of(const struct shape_pattern *p)
{
    static struct map cache; /* lives as long as the program; bounded by the models */
    struct compiled *c = map_get(&cache, str_c(p->text));
    if (c == NULL) {
        c = compile(p->text);
        map_put(&cache, str_c(p->text), c);
    }
    return c;
}

bool pattern_match(const struct shape_pattern *p, struct str s)
{
    if (p->set != NULL) {
        for (size_t i = 0; i < s.n; i++) {
            unsigned char c = (unsigned char)s.p[i];
            if ((p->set[c / 64] >> c % 64 & 1) == 0)
                return false;
        }
        return s.n > 0 || p->empty_ok;
    }
    const struct compiled *c = compiled_of(p);
    if (c->kind == BY_HAND)
        return c->match(s);
    if (c->kind == ANYTHING)
        return true;
    if (s.n > INPUT_MAX)
        return false; /* longer than any limit beside a pattern */
    if (str_find(s, '\0') >= 0)
        return false;
    /* a copy with its NUL: REG_STARTEND is not understood by the sanitizers' regexec */
    char small[512], *text = s.n < sizeof small ? small : malloc(s.n + 1);
    if (text == NULL)
        PANIC("out of memory");
    if (s.n > 0)
        memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    bool matches = regexec(&c->regex, text, 0, NULL, 0) == 0;
    if (text != small)
        free(text);
    return matches;
}

bool pattern_is_understood(const struct shape_pattern *p)
{
    return p->set != NULL || compiled_of(p)->kind != ANYTHING;
}
