/* lambda_fixture.h - a lambda_rie of its own for unit tests, on a loop that the test turns by hand:
 * calls in (also those that park), reply text or "Code: message" out. No handler is run. */
#ifndef PUDDLE_LAMBDA_FIXTURE_H
#define PUDDLE_LAMBDA_FIXTURE_H
#include "clock.h"
#include "codec.h"
#include "fault.h"
#include "file.h"
#include "function.h"
#include "harness.h"
#include "log.h"
#include "zip_fixture.h"
#include <dirent.h>
#include <unistd.h>

#define FX_ROLE "\"Role\":\"arn:aws:iam::000000000000:role/r\""
#define FX_BASE "\"Runtime\":\"nodejs20.x\",\"Handler\":\"index.handler\"," FX_ROLE

static struct loop *fx_loop;
static struct db *fx_db;
static struct rie *fx;
static struct arena *fx_mem;
static char fx_folder[64], fx_code[80], fx_reason[512];
static bool fx_on_disk;

struct fx_call {
    struct call *call;
    bool done;
};

__attribute__((constructor)) static void fx_quiet(void)
{
    log_setup(LOG_TEXT, LOG_ERROR + 1);
}

static bool fx_commit(void *arg)
{
    (void)arg;
    return db_commit(fx_db);
}

static bool fx_start(void)
{
    struct db_opts db = {.dir = fx_on_disk ? fx_folder : NULL};
    struct rie_opts opts = {.code_dir = fx_code,
                            .endpoint_url = "http://127.0.0.1:4566",
                            .default_account = "000000000000",
                            .quiet = true};
    snprintf(fx_code, sizeof fx_code, "%s/code", fx_folder);
    fx_loop = loop_new();
    fx_db = db_open(&db, fx_reason, sizeof fx_reason);
    fx = fx_db == NULL ? NULL : rie_new(fx_loop, NULL, fx_db, &opts, fx_reason, sizeof fx_reason);
    loop_on_commit(fx_loop, fx_commit, NULL);
    return fx != NULL;
}

static void fx_stop(void)
{
    if (fx != NULL)
        rie_free(fx);
    loop_free(fx_loop);
    if (fx_db != NULL)
        db_close(fx_db);
}

static __attribute__((unused)) bool fx_restart(void)
{
    fx_stop();
    return fx_start();
}

static bool fx_open(bool on_disk)
{
    strcpy(fx_folder, "/tmp/puddle-test-lambda-XXXXXX");
    if (mkdtemp(fx_folder) == NULL)
        abort();
    fx_on_disk = on_disk;
    fx_mem = arena_new(0, SIZE_MAX);
    return fx_start();
}

static void fx_close(void)
{
    fx_stop();
    arena_free(fx_mem);
    file_remove_tree(fx_folder);
}

static inline void fx_replied(struct call *c)
{
    ((struct fx_call *)c->reply_arg)->done = true;
}

/* Starts a call; it may be done at once. */
static struct fx_call *fx_begin(const char *op, struct str json)
{
    struct fx_call *f = ARENA_NEW(fx_mem, struct fx_call);
    struct service *svc = rie_service(fx);
    const struct op *row = service_find_op(svc, str_c(op));
    if (row == NULL)
        abort();
    struct call *c = f->call = call_new(fx_mem, svc, row);
    c->account = STR("000000000000");
    c->region = STR("us-east-1");
    c->reply = fx_replied;
    c->reply_arg = f;
    if (!json_parse(fx_mem, json, JSON_DEPTH_DEFAULT, &c->in, NULL)) {
        fprintf(stderr, "the test's input is not JSON: %.*s\n", STR_ARG(json));
        abort();
    }
    call_run(c);
    return f;
}

/* Turns the loop until the call is done and its changes are committed. */
static struct str fx_end(struct fx_call *f)
{
    while (!f->done)
        loop_tick(fx_loop, 1000);
    loop_tick(fx_loop, 0);
    const struct call *c = f->call;
    if (c->status == CALL_FAILED)
        return arena_fmt(fx_mem, "%s: %.*s", c->err.kind->code, STR_ARG(c->err.message));
    return c->out_is_payload ? c->out_payload : buf_view(c->out_buf);
}

static struct str fx_call(const char *op, const char *json)
{
    return fx_end(fx_begin(op, str_c(json)));
}

static __attribute__((unused)) struct str fx_zip_of(const char *name, const char *content)
{
    struct zip_fx z;
    zip_fx_start(&z);
    zip_fx_file(&z, name, content);
    struct str zip = arena_str(fx_mem, zip_fx_end(&z));
    zip_fx_free(&z);
    return zip;
}

static __attribute__((unused)) const char *fx_base64(struct str bytes)
{
    return codec_base64_encode(fx_mem, bytes).p;
}

/* CreateFunction's input with index.js; more: further members with a leading comma, or "". */
static __attribute__((unused)) struct str fx_create_input(const char *name, const char *more)
{
    return arena_fmt(fx_mem,
                     "{\"FunctionName\":\"%s\"," FX_BASE ",\"Code\":{\"ZipFile\":\"%s\"}%s}", name,
                     fx_base64(fx_zip_of("index.js", "1")), more);
}

static __attribute__((unused)) struct str fx_create(const char *name, const char *more)
{
    return fx_end(fx_begin("CreateFunction", fx_create_input(name, more)));
}

static __attribute__((unused)) struct str fx_update_code(const char *name, const char *content,
                                                         const char *more)
{
    struct str input = arena_fmt(fx_mem, "{\"FunctionName\":\"%s\",\"ZipFile\":\"%s\"%s}", name,
                                 fx_base64(fx_zip_of("index.js", content)), more);
    return fx_end(fx_begin("UpdateFunctionCode", input));
}

/* The member of a reply as text, "a.b" for inner ones. */
static __attribute__((unused)) struct str fx_member(struct str reply, const char *path)
{
    struct jval v;
    struct str rest = str_c(path);
    if (!json_parse(fx_mem, reply, JSON_DEPTH_DEFAULT, &v, NULL))
        return reply;
    while (rest.p != NULL)
        v = jval_get_str(v, str_cut(&rest, '.'));
    return jval_kind(v) == JSON_MISSING  ? STR("(missing)")
           : jval_kind(v) == JSON_STRING ? jval_text(v, fx_mem)
                                         : jval_raw(v);
}

static __attribute__((unused)) struct lam_function *fx_find(const char *name)
{
    return lam_function_find(fx, STR("000000000000"), STR("us-east-1"), str_c(name));
}

/* Names in the code folder that start with prefix. */
static __attribute__((unused)) size_t fx_count(const char *prefix)
{
    size_t n = 0;
    DIR *d = opendir(fx_code);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
    if (d != NULL)
        closedir(d);
    return n;
}

static inline void fx_nothing(void *arg)
{
    (void)arg;
}

static inline void fx_flag(void *arg)
{
    *(bool *)arg = true;
}

/* Until the helper thread has done all that was given to it so far. */
static __attribute__((unused)) void fx_settle(void)
{
    bool done = false;
    for (int i = 0; i < 5; i++) { /* the purge timer may need a few ticks */
        usleep(1000);
        loop_tick(fx_loop, 0);
    }
    loop_offload(fx_loop, fx_nothing, fx_flag, &done);
    while (!done)
        loop_tick(fx_loop, 1000);
}
#endif
