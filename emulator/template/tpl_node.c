#include "tpl_node.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WARNINGS_MAX = 200 };

bool tpl_fail(struct tpl_log *log, unsigned line, const char *fmt, ...)
{
    char message[600];
    va_list args;
    if (log->err_size == 0 || log->err[0] != '\0')
        return false;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    snprintf(log->err, log->err_size, "%s:%u: %s", log->file, line, message);
    for (char *p = log->err; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20)
            *p = ' '; /* one line, whatever a name holds */
    return false;
}

void tpl_warn(struct tpl_log *log, unsigned line, const char *fmt, ...)
{
    char message[600];
    va_list args;
    if (log->warning_count == WARNINGS_MAX)
        return;
    va_start(args, fmt);
    int n = vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    if (log->warning_count == log->warning_cap) {
        size_t cap = log->warning_cap == 0 ? 8 : log->warning_cap * 2;
        struct tpl_warning *grown = ARENA_ARRAY(log->arena, struct tpl_warning, cap);
        if (log->warning_count > 0)
            memcpy(grown, log->warnings, log->warning_count * sizeof *grown);
        log->warnings = grown;
        log->warning_cap = cap;
    }
    if (n < 0 || (size_t)n >= sizeof message)
        n = (int)strlen(message);
    log->warnings[log->warning_count++] =
        (struct tpl_warning){line, arena_str(log->arena, (struct str){message, (size_t)n})};
}

struct tpl_node *tpl_node_new(struct arena *a, enum tpl_kind kind, unsigned line)
{
    struct tpl_node *n = ARENA_NEW(a, struct tpl_node);
    n->kind = kind;
    n->line = line;
    n->weight = 1;
    return n;
}

struct tpl_node *tpl_scalar(struct arena *a, unsigned line, struct str text)
{
    struct tpl_node *n = tpl_node_new(a, TPL_SCALAR, line);
    n->text = text;
    return n;
}

void tpl_add(struct arena *a, struct tpl_node *n, struct str key, unsigned line,
             struct tpl_node *value)
{
    if (n->count == n->cap) {
        size_t cap = n->cap == 0 ? 4 : n->cap * 2;
        struct tpl_pair *grown = ARENA_ARRAY(a, struct tpl_pair, cap);
        if (n->count > 0)
            memcpy(grown, n->pairs, n->count * sizeof *grown);
        n->pairs = grown;
        n->cap = cap;
    }
    n->pairs[n->count++] = (struct tpl_pair){key, line, value};
    n->weight += value->weight;
    if (n->height <= value->height)
        n->height = value->height + 1;
}

struct tpl_node *tpl_get_str(const struct tpl_node *n, struct str key)
{
    if (n == NULL || n->kind != TPL_MAP)
        return NULL;
    for (size_t i = n->count; i-- > 0;) {
        struct tpl_node *value = n->pairs[i].value;
        if (str_eq(n->pairs[i].key, key))
            return value->is_null || value->kind == TPL_NONE ? NULL : value;
    }
    return NULL;
}

struct tpl_node *tpl_get(const struct tpl_node *n, const char *key)
{
    return tpl_get_str(n, str_c(key));
}
