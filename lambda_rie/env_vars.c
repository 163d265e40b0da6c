/* The environment variables of a handler process, as real Lambda sets them, and the program to
 * run. Nothing is inherited from the server. */
#include "pool.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct vars {
    struct arena *a;
    char **list;
    size_t n, cap;
};

/* Sets or replaces. */
static void set(struct vars *v, const char *name, struct str value)
{
    struct str text = arena_fmt(v->a, "%s=%.*s", name, STR_ARG(value));
    size_t name_n = strlen(name) + 1;
    for (size_t i = 0; i < v->n; i++) {
        if (strncmp(v->list[i], text.p, name_n) == 0) {
            v->list[i] = (char *)text.p;
            return;
        }
    }
    if (v->n + 2 > v->cap) {
        size_t cap = v->cap == 0 ? 64 : v->cap * 2;
        char **more = ARENA_ARRAY(v->a, char *, cap);
        if (v->n > 0)
            memcpy(more, v->list, v->n * sizeof *more);
        v->list = more;
        v->cap = cap;
    }
    v->list[v->n++] = (char *)text.p;
    v->list[v->n] = NULL;
}

static struct str get(const struct vars *v, const char *name)
{
    size_t name_n = strlen(name);
    for (size_t i = 0; i < v->n; i++) {
        if (strncmp(v->list[i], name, name_n) == 0 && v->list[i][name_n] == '=')
            return str_c(v->list[i] + name_n + 1);
    }
    return STR("");
}

static void set_users(struct vars *v, const struct lam_function *f)
{
    struct jval doc, it = {0};
    if (f->env_json.n == 0 || !json_parse(v->a, f->env_json, JSON_DEPTH_DEFAULT, &doc, NULL))
        return;
    while (jval_next(doc, &it, NULL)) {
        struct str value = jval_text(it, v->a);
        if (str_find(value, '\0') < 0)
            set(v, arena_str(v->a, jval_key_str(it, v->a)).p, value);
    }
}

static void set_platform(struct vars *v, const struct environment *e, const struct lam_function *f)
{
    struct arena *a = v->a;
    const char *inherited = getenv("PATH");
    struct str key = str_eq_c(f->account, e->r->default_account) ? STR("test") : f->account;
    set(v, "AWS_ACCESS_KEY_ID", key);
    set(v, "AWS_SECRET_ACCESS_KEY", STR("test"));
    set(v, "AWS_SESSION_TOKEN", STR("test"));
    set(v, "_HANDLER", f->handler);
    set(v, "LAMBDA_TASK_ROOT", f->code_dir);
    set(v, "LAMBDA_RUNTIME_DIR", str_c(e->r->runtime_dir));
    set(v, "AWS_LAMBDA_LOG_GROUP_NAME", f->log_group);
    set(v, "AWS_LAMBDA_LOG_STREAM_NAME", e->stream);
    set(v, "AWS_LAMBDA_FUNCTION_NAME", f->name);
    set(v, "AWS_LAMBDA_FUNCTION_VERSION", f->version);
    set(v, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", arena_fmt(a, "%lld", (long long)f->memory_mb));
    set(v, "AWS_LAMBDA_INITIALIZATION_TYPE", STR("on-demand"));
    set(v, "AWS_LAMBDA_RUNTIME_API", arena_fmt(a, "127.0.0.1:%u", net_listener_port(e->listener)));
    set(v, "AWS_REGION", f->region);
    set(v, "AWS_DEFAULT_REGION", f->region);
    set(v, "TZ", STR(":UTC"));
    if (get(v, "LANG").n == 0)
        set(v, "LANG", STR("en_US.UTF-8"));
    if (get(v, "PATH").n == 0)
        set(v, "PATH",
            arena_fmt(a, "%s:/opt/bin", inherited != NULL ? inherited : "/usr/bin:/bin"));
    if (get(v, "AWS_ENDPOINT_URL").n == 0)
        set(v, "AWS_ENDPOINT_URL", str_c(e->r->endpoint_url));
    set(v, "PUDDLE_ENDPOINT_URL", str_c(e->r->endpoint_url));
    set(v, "AWS_EC2_METADATA_DISABLED", STR("true"));
    set(v, "AWS_XRAY_CONTEXT_MISSING", STR("LOG_ERROR"));
    if (str_eq_c(f->log_format, "JSON"))
        set(v, "AWS_LAMBDA_LOG_FORMAT", STR("JSON"));
}

static void set_node(struct vars *v, const struct environment *e, const struct lam_function *f)
{
    struct arena *a = v->a;
    struct str options = get(v, "NODE_OPTIONS");
    set(v, "NODE_OPTIONS",
        arena_fmt(a, "%.*s%s--require %s/nodejs/preload.js", STR_ARG(options),
                  options.n > 0 ? " " : "", e->r->runtime_dir));
    set(v, "NODE_PATH",
        arena_fmt(a, "/opt/nodejs/node_modules:%.*s/node_modules:%.*s", STR_ARG(f->code_dir),
                  STR_ARG(f->code_dir)));
    set(v, "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE", STR("1"));
}

bool env_build(const struct environment *e, const struct lam_function *f, struct arena *a,
               char ***ret_env, char *ret_argv[8], struct str *ret_missing)
{
    struct vars v = {.a = a};
    char program[4096];
    size_t n = 0;
    bool node = str_starts(f->runtime, STR("nodejs"));
    bool provided = str_starts(f->runtime, STR("provided"));
    set_users(&v, f);
    set_platform(&v, e, f);
    if (!provided)
        set(&v, "AWS_EXECUTION_ENV", arena_fmt(a, "AWS_Lambda_%.*s", STR_ARG(f->runtime)));
    if (node) {
        struct str found = process_find_program("node", program, sizeof program);
        if (found.n == 0) {
            *ret_missing = STR("node");
            return false;
        }
        set_node(&v, e, f);
        ret_argv[n++] = (char *)arena_str(a, found).p;
        ret_argv[n++] = (char *)arena_fmt(a, "%s/nodejs/bootstrap.js", e->r->runtime_dir).p;
    } else {
        /* provided.*, and any other runtime whose package brings its own bootstrap */
        struct stat st;
        struct str path = arena_fmt(a, "%.*s/bootstrap", STR_ARG(f->code_dir));
        if (stat(path.p, &st) != 0 || !S_ISREG(st.st_mode)) {
            *ret_missing = STR("bootstrap");
            return false;
        }
        ret_argv[n++] = (char *)path.p;
    }
    ret_argv[n] = NULL;
    *ret_env = v.list;
    return true;
}
