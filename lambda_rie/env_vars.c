/* What a handler's process gets: the environment variables of real Lambda (nothing is inherited
 * from the server), the program to run, its layers and extensions. */
#include "env.h"
#include "log.h"
#include "programs.h"
#include "seam.h"
#include <dirent.h>
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

/* Where the handler finds its code and our runtime clients. */
static struct str task_root(const struct environment *e, const struct lam_function *f)
{
    return e->r->isolation == ISOLATION_FULL && !f->is_local ? STR("/var/task") : f->code_dir;
}

static struct str runtime_root(const struct environment *e)
{
    return e->r->isolation == ISOLATION_FULL ? STR("/var/runtime") : str_c(e->r->runtime_dir);
}

static void set_default(struct vars *v, const char *name, struct str value)
{
    if (get(v, name).n == 0)
        set(v, name, value);
}

static void set_platform(struct vars *v, const struct environment *e, const struct lam_function *f)
{
    struct arena *a = v->a;
    const char *inherited = getenv("PATH");
    struct str key = str_eq_c(f->account, e->r->default_account) ? STR("test") : f->account;
    struct str root = task_root(e, f), runtime = runtime_root(e);
    set(v, "AWS_ACCESS_KEY_ID", key);
    set(v, "AWS_SECRET_ACCESS_KEY", STR("test"));
    set(v, "AWS_SESSION_TOKEN", STR("test"));
    set(v, "_HANDLER", f->handler);
    set(v, "LAMBDA_TASK_ROOT", root);
    set(v, "LAMBDA_RUNTIME_DIR", runtime);
    set(v, "AWS_LAMBDA_LOG_GROUP_NAME", f->log_group);
    set(v, "AWS_LAMBDA_LOG_STREAM_NAME", e->stream);
    set(v, "AWS_LAMBDA_FUNCTION_NAME", f->name);
    set(v, "AWS_LAMBDA_FUNCTION_VERSION", e->version);
    set(v, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", arena_fmt(a, "%lld", (long long)f->memory_mb));
    set(v, "AWS_LAMBDA_INITIALIZATION_TYPE",
        e->base.provisioned ? STR("provisioned-concurrency") : STR("on-demand"));
    set(v, "AWS_LAMBDA_RUNTIME_API",
        arena_fmt(a, "127.0.0.1:%u", e->http == NULL ? 0 : rhttp_port(e->http)));
    set(v, "AWS_REGION", f->region);
    set(v, "AWS_DEFAULT_REGION", f->region);
    set(v, "TZ", STR(":UTC"));
    set_default(v, "LANG", STR("en_US.UTF-8"));
    set_default(v, "PATH",
                arena_fmt(a, "%s:/opt/bin", inherited != NULL ? inherited : "/usr/bin:/bin"));
    /* with namespaces the code is at /var/task, too, if it runs from a folder of the user: the same
     * text for all, so that a spare fits */
    struct str code = e->r->isolation == ISOLATION_FULL ? STR("/var/task") : root;
    set_default(v, "LD_LIBRARY_PATH",
                arena_fmt(a, "%.*s:%.*s/lib:/opt/lib", STR_ARG(code), STR_ARG(code)));
    set_default(v, "AWS_ENDPOINT_URL", str_c(e->r->endpoint_url));
    set(v, "PUDDLE_ENDPOINT_URL", str_c(e->r->endpoint_url));
    set(v, "AWS_EC2_METADATA_DISABLED", STR("true"));
    set(v, "AWS_XRAY_CONTEXT_MISSING", STR("LOG_ERROR"));
    set_default(v, "AWS_XRAY_DAEMON_ADDRESS", STR("127.0.0.1:2000"));
    set(v, "_AWS_XRAY_DAEMON_ADDRESS", STR("127.0.0.1"));
    set(v, "_AWS_XRAY_DAEMON_PORT", STR("2000"));
    if (e->json_logs) {
        set(v, "AWS_LAMBDA_LOG_FORMAT", STR("JSON"));
        set(v, "AWS_LAMBDA_LOG_LEVEL", f->app_log_level.n > 0 ? f->app_log_level : STR("INFO"));
    }
    if (e->tmp_dir != NULL)
        set_default(v, "TMPDIR", str_c(e->tmp_dir));
    if (e->r->opts.strict_runtimes)
        set(v, "PUDDLE_STRICT", STR("1"));
}

static void set_node(struct vars *v, const struct environment *e, const struct lam_function *f)
{
    struct arena *a = v->a;
    struct str options = get(v, "NODE_OPTIONS"), root = task_root(e, f), own = runtime_root(e);
    struct str number = str_sub(f->runtime, 6, f->runtime.n);
    set(v, "NODE_OPTIONS",
        arena_fmt(a, "%.*s%s--require %.*s/nodejs/preload.js", STR_ARG(options),
                  options.n > 0 ? " " : "", STR_ARG(own)));
    set(v, "NODE_PATH",
        arena_fmt(a,
                  "/opt/nodejs/node%.*s/node_modules:/opt/nodejs/node_modules:%.*s/node_modules:"
                  "%.*s:%.*s",
                  STR_ARG(str_cut(&number, '.')), STR_ARG(own), STR_ARG(own), STR_ARG(root)));
    set(v, "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE", STR("1"));
}

static void set_python(struct vars *v, const struct environment *e)
{
    struct str own = runtime_root(e), given = get(v, "PYTHONPATH");
    set(v, "PYTHONPATH",
        arena_fmt(v->a, "%.*s%s%.*s/python", STR_ARG(given), given.n > 0 ? ":" : "", STR_ARG(own)));
    set_default(v, "LC_CTYPE", STR("C.UTF-8"));
    set_default(v, "PYTHONDONTWRITEBYTECODE", STR("1")); /* the code is read-only */
}

/* ---- the program ---- */

/* A file of the code or of a layer: its path as the handler sees it in *ret_seen. */
static bool find_own(const struct environment *e, const struct lam_function *f,
                     const struct process_spec *spec, const char *name, struct arena *a,
                     struct str *ret_seen)
{
    struct stat st;
    struct str path = arena_fmt(a, "%.*s/%s", STR_ARG(f->code_dir), name);
    if (stat(path.p, &st) == 0 && S_ISREG(st.st_mode)) {
        *ret_seen = arena_fmt(a, "%.*s/%s", STR_ARG(task_root(e, f)), name);
        return true;
    }
    for (size_t i = spec->layer_count; i-- > 0;) {
        path = arena_fmt(a, "%s/%s", spec->layers[i], name);
        if (stat(path.p, &st) == 0 && S_ISREG(st.st_mode)) {
            *ret_seen = e->r->isolation == ISOLATION_FULL ? arena_fmt(a, "/opt/%s", name) : path;
            return true;
        }
    }
    return false;
}

/* python3.12: that very program if it is installed, else any python3. */
static struct str find_python(const struct environment *e, const struct lam_function *f)
{
    char name[24], real[4096];
    snprintf(name, sizeof name, "%.*s", STR_ARG(f->runtime));
    struct str found = program_find(name);
    if (found.n > 0)
        return found;
    found = program_find("python3");
    if (found.n > 0 && !e->pool->warned_version && realpath(found.p, real) != NULL) {
        ptrdiff_t slash = str_rfind(str_c(real), '/');
        log_msg(LOG_WARN, "lambda", "%.*s: its runtime is %s, this machine has %s: that is used",
                STR_ARG(f->name), name, real + slash + 1);
        e->pool->warned_version = true;
    }
    return found;
}

static bool find_program(const struct environment *e, const struct lam_function *f,
                         struct process_spec *spec, struct vars *v, char **argv,
                         struct str *ret_missing)
{
    struct arena *a = v->a;
    struct str found = STR_NONE, own = runtime_root(e);
    if (str_starts(f->runtime, STR("nodejs"))) {
        found = program_find("node");
        *ret_missing = STR("node");
        set_node(v, e, f);
        argv[1] = (char *)arena_fmt(a, "%.*s/nodejs/bootstrap.js", STR_ARG(own)).p;
    } else if (str_starts(f->runtime, STR("python"))) {
        *ret_missing = STR("python3");
        found = find_python(e, f);
        set_python(v, e);
        argv[1] = (char *)arena_fmt(a, "%.*s/python/bootstrap.py", STR_ARG(own)).p;
    } else if (find_own(e, f, spec, "bootstrap", a, &found)) {
        /* provided.*, and any other runtime whose package brings its own bootstrap */
    } else if (str_starts(f->runtime, STR("provided")) &&
               str_find_str(f->handler, STR(".so")) > 0) {
        found = arena_fmt(a, "%.*s/native/host", STR_ARG(own));
        argv[1] = (char *)task_root(e, f).p;
    } else {
        *ret_missing = STR("bootstrap");
    }
    if (found.n == 0)
        return false;
    /* AWS_LAMBDA_EXEC_WRAPPER: the program is given to it; not for provided runtimes */
    struct str wrapper = get(v, "AWS_LAMBDA_EXEC_WRAPPER");
    size_t n = 0;
    if (wrapper.n > 0 && !str_starts(f->runtime, STR("provided")))
        argv[n++] = (char *)arena_str(a, wrapper).p;
    char *script = argv[1];
    argv[n++] = (char *)arena_str(a, found).p;
    argv[n++] = script;
    argv[n] = NULL;
    return true;
}

/* ---- layers and extensions ---- */

static void add_extensions(const struct environment *e, struct arena *a, struct process_spec *spec,
                           const char *layer)
{
    struct str folder = arena_fmt(a, "%s/extensions", layer);
    DIR *d = opendir(folder.p);
    if (d == NULL)
        return;
    for (struct dirent *at; (at = readdir(d)) != NULL;) {
        struct str path = arena_fmt(a, "%s/%s", folder.p, at->d_name);
        struct stat st;
        if (stat(path.p, &st) != 0 || !S_ISREG(st.st_mode) ||
            spec->extension_count == EXTENSIONS_MAX)
            continue;
        spec->extensions[spec->extension_count++] =
            e->r->isolation == ISOLATION_FULL ? arena_fmt(a, "/opt/extensions/%s", at->d_name).p
                                              : path.p;
    }
    closedir(d);
}

static void set_layers(struct environment *e, const struct lam_function *f, struct arena *a,
                       struct process_spec *spec)
{
    struct str *dirs;
    size_t n = lam_layer_dirs(e->r, f, a, &dirs);
    for (size_t i = 0; i < n && spec->layer_count < PROCESS_LAYERS_MAX; i++) {
        spec->layers[spec->layer_count++] = arena_str(a, dirs[i]).p;
        add_extensions(e, a, spec, spec->layers[spec->layer_count - 1]);
    }
    for (size_t i = 0; i < spec->extension_count; i++) {
        struct str name = str_c(spec->extensions[i]);
        struct extension *x = &e->extensions[e->extension_count++];
        x->name = arena_str(e->mem, str_sub(name, (size_t)str_rfind(name, '/') + 1, name.n));
        x->external = true;
    }
}

/* A folder of the user that the new root would not show: below /tmp or /var, all of that branch, so
 * that node_modules above the function's own folder is found; below our data, the folder alone. */
static const char *kept_folder(const struct environment *e, const struct lam_function *f,
                               struct arena *a)
{
    struct str dir = f->code_dir;
    if (!f->is_local)
        return NULL;
    size_t hidden = strlen(e->r->data_dir);
    if (str_starts(dir, str_c(e->r->data_dir)) && (dir.n == hidden || dir.p[hidden] == '/'))
        return arena_str(a, dir).p;
    if (!str_starts(dir, STR("/tmp/")) && !str_starts(dir, STR("/var/")))
        return NULL;
    ptrdiff_t slash = str_find(str_sub(dir, 5, dir.n), '/');
    return arena_str(a, slash < 0 ? dir : str_sub(dir, 0, 5 + (size_t)slash)).p;
}

/* node_modules that is a link to another branch of /tmp. */
static const char *linked_folder(const struct lam_function *f, const char *kept, struct arena *a)
{
    char real[4096];
    struct str link = arena_fmt(a, "%.*s/node_modules", STR_ARG(f->code_dir));
    if (!f->is_local || kept == NULL || realpath(link.p, real) == NULL ||
        strncmp(real, "/tmp/", 5) != 0)
        return NULL;
    size_t n = strlen(kept);
    if (strncmp(real, kept, n) == 0 && (real[n] == '/' || real[n] == '\0'))
        return NULL;
    return arena_str(a, str_c(real)).p;
}

bool env_build(struct environment *e, const struct lam_function *f, struct arena *a,
               struct process_spec *spec, struct str *ret_missing)
{
    struct vars v = {.a = a};
    char **argv = ARENA_ARRAY(a, char *, 8);
    struct stat st;
    set_users(&v, f);
    set_layers(e, f, a, spec);
    set_platform(&v, e, f);
    if (!str_starts(f->runtime, STR("provided")))
        set(&v, "AWS_EXECUTION_ENV", arena_fmt(a, "AWS_Lambda_%.*s", STR_ARG(f->runtime)));
    if (!find_program(e, f, spec, &v, argv, ret_missing))
        return false;
    bool there = stat(f->code_dir.p, &st) == 0 && S_ISDIR(st.st_mode);
    if (there)
        spec->task = f->code_dir.p;
    spec->keep = kept_folder(e, f, a);
    spec->also = linked_folder(f, spec->keep, a);
    spec->runtime = e->r->runtime_dir;
    spec->cwd = there ? arena_str(a, task_root(e, f)).p : "/";
    spec->argv = argv;
    spec->env = v.list;
    return true;
}
