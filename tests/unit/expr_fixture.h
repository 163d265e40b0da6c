/* expr_fixture.h - expressions in, answers out as one text: "true", "false", an item, or the
 * message of the error with "~" for its "Invalid ...Expression: ". */
#ifndef PUDDLE_EXPR_FIXTURE_H
#define PUDDLE_EXPR_FIXTURE_H
#include "expr.h"
#include "file.h"
#include "harness.h"
#include <stdlib.h>

static struct arena *xp_arena;

/* The values and names that the tables of cases use; each case is given those it mentions. */
static const char *const xp_values[][2] = {
    {":a", "{\"S\":\"x\"}"},
    {":s", "{\"S\":\"x\"}"},
    {":n", "{\"N\":\"1\"}"},
    {":b", "{\"B\":\"AAE=\"}"},
    {":ss", "{\"SS\":[\"a\",\"b\"]}"},
    {":ns", "{\"NS\":[\"1\"]}"},
    {":bs", "{\"BS\":[\"AAE=\"]}"},
    {":l", "{\"L\":[{\"S\":\"q\"}]}"},
    {":m", "{\"M\":{\"k\":{\"S\":\"v\"}}}"},
    {":t", "{\"BOOL\":true}"},
    {":nu", "{\"NULL\":true}"},
    {":s2", "{\"S\":\"N\"}"},
    {":n5", "{\"N\":\"5.0\"}"},
    {":lst", "{\"L\":[{\"N\":\"0\"},{\"N\":\"1\"},{\"N\":\"2.00\"}]}"},
    {":e50", "{\"N\":\"1E50\"}"},
};

static bool xp_mentions(struct str text, const char *ref)
{
    size_t n = strlen(ref);
    for (size_t i = 0; i + n <= text.n; i++) {
        if (memcmp(text.p + i, ref, n) != 0)
            continue;
        char next = i + n < text.n ? text.p[i + n] : ' ';
        if (!((next >= 'a' && next <= 'z') || (next >= '0' && next <= '9') || next == '_'))
            return true;
    }
    return false;
}

static struct jval xp_json(const char *text)
{
    struct jval v = {0};
    if (text != NULL && !json_parse(xp_arena, str_c(text), JSON_DEPTH_DEFAULT, &v, NULL))
        test_fail(__FILE__, __LINE__, "not JSON: %s", text);
    return v;
}

static __attribute__((unused)) const char *xp_values_of(struct str text)
{
    struct buf *b = arena_new_buf(xp_arena, 1 << 20);
    for (size_t i = 0; i < sizeof xp_values / sizeof xp_values[0]; i++) {
        if (xp_mentions(text, xp_values[i][0]))
            buf_addf(b, "%s\"%s\":%s", b->n == 0 ? "{" : ",", xp_values[i][0], xp_values[i][1]);
    }
    if (b->n == 0)
        return NULL;
    buf_addc(b, '}');
    buf_addc(b, '\0');
    return buf_view(b).p;
}

static struct str xp_item(const char *json)
{
    struct item item;
    struct aws_err err = {0};
    struct buf *text = arena_new_buf(xp_arena, ATTR_TEXT_MAX);
    if (json == NULL)
        return STR("");
    if (!item_read(xp_json(json), ATTR_BARE, xp_arena, text, &item, &err))
        test_fail(__FILE__, __LINE__, "not an item: %s: %.*s", json, STR_ARG(err.message));
    return item.json;
}

static struct str xp_message(const struct aws_err *err)
{
    struct str m = err->message;
    ptrdiff_t at = str_find_str(m, STR("Expression: "));
    if (str_starts(m, STR("Invalid ")) && at > 0 && at < 30)
        return arena_fmt(xp_arena, "~%.*s", STR_ARG(str_sub(m, (size_t)at + 12, m.n)));
    return m;
}

static struct expr_env *xp_env(const char *names, const char *values, struct aws_err *err)
{
    struct expr_given given = {1, 1, "nothing"};
    return expr_env_new(xp_arena, xp_json(names), xp_json(values), given, ATTR_OLDER, err);
}

static __attribute__((unused)) struct str xp_cond(const char *text, const char *item,
                                                  const char *names, const char *values)
{
    struct aws_err err = {0};
    struct expr_cond *x;
    struct expr_env *env = xp_env(names, values, &err);
    if (env == NULL || !expr_parse_condition(env, EXPR_CONDITION, str_c(text), &x, &err) ||
        !expr_env_finish(env, &err))
        return xp_message(&err);
    return expr_cond_eval(x, xp_item(item), xp_arena) ? STR("true") : STR("false");
}

static __attribute__((unused)) struct str xp_update(const char *text, const char *item,
                                                    const char *names, const char *values)
{
    struct aws_err err = {0};
    struct expr_update *x;
    struct buf *out = arena_new_buf(xp_arena, ATTR_TEXT_MAX);
    struct expr_env *env = xp_env(names, values, &err);
    if (env == NULL || !expr_parse_update(env, str_c(text), &x, &err) ||
        !expr_env_finish(env, &err) ||
        !expr_update_apply(x, xp_item(item), STR("{\"pk\":{\"S\":\"k\"}}"), xp_arena, out, &err))
        return xp_message(&err);
    return buf_view(out);
}

static __attribute__((unused)) struct str xp_project(const char *text, const char *item,
                                                     const char *names)
{
    struct aws_err err = {0};
    struct expr_projection *x;
    struct buf *out = arena_new_buf(xp_arena, ATTR_TEXT_MAX);
    struct expr_env *env = xp_env(names, NULL, &err);
    if (env == NULL || !expr_parse_projection(env, str_c(text), &x, &err) ||
        !expr_env_finish(env, &err))
        return xp_message(&err);
    expr_project(x, xp_item(item), out);
    return buf_view(out);
}

static __attribute__((unused)) struct str xp_keys(const char *text, const char *names,
                                                  const char *values)
{
    static const char *const ops[] = {"=", "<", "<=", ">", ">=", "between", "begins_with"};
    struct aws_err err = {0};
    struct expr_key_cond x;
    struct expr_env *env = xp_env(names, values, &err);
    if (env == NULL || !expr_parse_key_condition(env, str_c(text), &x, &err) ||
        !expr_env_finish(env, &err))
        return xp_message(&err);
    struct buf *out = arena_new_buf(xp_arena, 1 << 20);
    for (size_t i = 0; i < x.count; i++) {
        const struct expr_key_term *t = &x.terms[i];
        buf_addf(out, "%s%.*s %s %.*s", i == 0 ? "" : "; ", STR_ARG(t->name), ops[t->op],
                 STR_ARG(t->low.json));
        if (t->op == KEY_BETWEEN)
            buf_addf(out, " %.*s", STR_ARG(t->high.json));
    }
    return buf_view(out);
}

/* A table of cases: one a line, "expression -> answer"; \n stands for a line feed, "#" starts a
 * comment, "item: ..." sets the item for what follows. Returns how many there were. */
static __attribute__((unused)) size_t xp_run_table(const char *path,
                                                   struct str (*run)(const char *, const char *,
                                                                     const char *, const char *))
{
    char *text = NULL, *line, *rest;
    size_t cap = 0, count = 0;
    char *item = NULL;
    FILE *f = fopen(path, "r");
    if (f == NULL)
        test_fail(__FILE__, __LINE__, "cannot open %s", path);
    while (f != NULL && getline(&text, &cap, f) > 0) {
        line = text;
        line[strcspn(line, "\n")] = '\0';
        for (char *p = line; (p = strstr(p, "\\n")) != NULL;) {
            *p = '\n';
            memmove(p + 1, p + 2, strlen(p + 2) + 1);
        }
        if (strncmp(line, "item: ", 6) == 0) {
            free(item);
            item = strdup(line + 6);
            continue;
        }
        if (line[0] == '#' || (rest = strstr(line, " -> ")) == NULL)
            continue;
        *rest = '\0';
        const char *want = rest + 4;
        xp_arena = arena_new(0, SIZE_MAX);
        struct str got = run(line, item, NULL, xp_values_of(str_c(line)));
        if (!str_eq_c(got, want))
            test_fail(path, (int)count, "%s\n    got  %.*s\n    want %s", line, STR_ARG(got), want);
        arena_free(xp_arena);
        count++;
    }
    free(text);
    free(item);
    if (f != NULL)
        fclose(f);
    return count;
}
#endif
