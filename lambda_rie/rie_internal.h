/* rie_internal.h - what the files of lambda_rie share. */
#ifndef PUDDLE_RIE_INTERNAL_H
#define PUDDLE_RIE_INTERNAL_H
#include "lambda_model.h"
#include "list.h"
#include "map.h"
#include "rie.h"

enum {
    FUNCTION_NAME_MAX = 64,
    CODE_DIR_MAX = 4000 /* bytes of the absolute path, so that what is made below it fits a path */
};

struct lam_function;
struct lam_pool;
struct rie {
    struct loop *loop;
    struct net *net;
    struct db *db;
    struct rie_opts opts;
    char *code_dir, *runtime_dir, *endpoint_url, *default_account;
    struct service service;
    struct map functions; /* "account/region/id" -> struct lam_function, versions too */
    sqlite3_stmt *doc_stmts[5]; /* docs.c */
    bool follows_store;   /* a failed commit is undone in functions */
    struct map creating;  /* names whose code is being unpacked; value: any non-NULL */
    size_t environments;  /* alive, over all functions */
    size_t running;       /* invocations not finished yet */
    bool stopping;
    void (*stopped)(void *arg);
    void *stopped_arg;
    struct timer stop_timer;
    struct list retries;      /* asynchronous invocations waiting for their next attempt */
    struct list doomed;       /* code folders to remove: code_store.c */
    struct timer purge_timer; /* set while doomed waits for a commit */
};

call_fn lam_create_function, lam_get_function, lam_get_function_configuration, lam_list_functions,
    lam_update_function_code, lam_update_function_configuration, lam_delete_function, lam_invoke,
    lam_add_permission, lam_get_policy, lam_remove_permission, lam_list_versions_by_function,
    lam_list_tags, lam_tag_resource, lam_untag_resource, lam_get_function_code_signing_config;

/* op_url.c: deletes the URLs of a function. False: the store cannot be written. */
bool lam_urls_delete(struct rie *r, struct str account, struct str region, struct str function);
/* layers.c: the folders of these layers go if nothing needs them any more. */
void lam_layers_doom(struct rie *r, struct str layers_json);

/* pool.c */
struct lam_pool *lam_pool_new(struct rie *r);
void lam_pool_free(struct lam_pool *p); /* kills what is left */
/* Code or configuration changed: idle environments stop now, busy ones after their invocation. */
void lam_pool_replace(struct lam_pool *p);
void lam_pool_stop_all(struct rie *r);
/* rie.c: an invocation or an environment has ended. */
void lam_stop_if_idle(struct rie *r);
#endif
