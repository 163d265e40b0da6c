#include "head.h"
#include <string.h>

enum { METHOD_MAX = 32 };

bool head_is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-')
            continue;
        if (c == '\0' || strchr("!#$%&'*+.^_`|~", c) == NULL)
            return false;
    }
    return s.n > 0;
}

static bool all_digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    }
    return s.n > 0;
}

static void note_field(struct head_facts *f, struct str line)
{
    struct str value = line, name = str_cut(&value, ':');
    value = str_trim(value);
    if (name.n == 4 && str_case_eq(name, STR("host"))) {
        f->hosts++;
        f->host = value;
    } else if (name.n == 14 && str_case_eq(name, STR("content-length"))) {
        if (!all_digits(value) || (f->lengths > 0 && !str_eq(value, f->length)))
            f->wrong = "bad Content-Length";
        f->length = value;
        f->lengths++;
    } else if (name.n == 17 && str_case_eq(name, STR("transfer-encoding"))) {
        if (!str_case_eq(value, STR("chunked")))
            f->wrong = "bad Transfer-Encoding";
        f->codings++;
    }
}

static struct str next_line(struct str *rest)
{
    struct str line = str_cut(rest, '\n');
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

void head_scan(struct str raw, struct head_facts *ret)
{
    struct str rest = raw, line;
    *ret = (struct head_facts){0};
    do
        line = next_line(&rest);
    while (line.n == 0 && rest.p != NULL);
    ret->line_bytes = line.n;
    const char *fields = rest.p;
    while (rest.p != NULL) {
        line = next_line(&rest);
        if (line.n == 0)
            break;
        char c = line.p[0];
        const char *colon = memchr(line.p, ':', line.n);
        if (c == ' ' || c == '\t')
            ret->wrong = "folded header line";
        else if (colon == NULL || colon == line.p || colon[-1] == ' ' || colon[-1] == '\t')
            ret->wrong = "bad header line";
        else if (c == 'h' || c == 'c' || c == 't' || c == 'H' || c == 'C' || c == 'T')
            note_field(ret, line);
    }
    if (fields != NULL)
        ret->field_bytes = (size_t)((rest.p != NULL ? rest.p : raw.p + raw.n) - fields);
    if (ret->codings > 1)
        ret->wrong = "more than one Transfer-Encoding";
    else if (ret->codings > 0 && ret->lengths > 0)
        ret->wrong = "both Content-Length and Transfer-Encoding";
}

const char *head_refusal(const struct head_facts *f, struct str method, struct str target,
                         bool is_http10, size_t max_bytes)
{
    if (max_bytes > 0 && f->line_bytes > max_bytes)
        return "request line too long";
    if (max_bytes > 0 && f->field_bytes > max_bytes)
        return "header block too large";
    if (f->wrong != NULL)
        return f->wrong;
    if (f->codings > 0 && is_http10)
        return "Transfer-Encoding in HTTP/1.0";
    if (f->hosts > 1 || (f->hosts == 0 && !is_http10))
        return "not exactly one Host";
    if (method.n > METHOD_MAX || !head_is_token(method) || str_eq_c(method, "CONNECT"))
        return "bad method";
    bool whole_server = str_eq_c(target, "*") && str_eq_c(method, "OPTIONS");
    if (!whole_server && !str_starts(target, STR("/")))
        return "bad request target";
    return NULL;
}

bool head_absolute_target(struct str target, struct str *ret_host, struct str *ret_path)
{
    size_t start = 0;
    if (target.n > 7 && str_case_eq(str_sub(target, 0, 7), STR("http://")))
        start = 7;
    else if (target.n > 8 && str_case_eq(str_sub(target, 0, 8), STR("https://")))
        start = 8;
    size_t end = start;
    while (end < target.n && target.p[end] != '/' && target.p[end] != '?')
        end++;
    if (end == start || start == 0)
        return false;
    *ret_host = str_sub(target, start, end);
    *ret_path = str_sub(target, end, target.n);
    return true;
}
