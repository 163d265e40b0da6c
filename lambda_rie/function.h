/* function.h - function records (private to lambda_rie). A record owns an arena for its strings;
 * every code or configuration update replaces it and bumps the generation, by which the pool knows
 * that execution environments are out of date. */
#ifndef PUDDLE_FUNCTION_H
#define PUDDLE_FUNCTION_H
#include "rie_internal.h"

struct lam_function {
    struct arena *mem;
    struct str account, region, name, arn;
    struct str runtime, handler, role, description;
    struct str env_json;    /* object text of Environment.Variables; empty: no Environment       */
    struct str tags_json;   /* object text; empty: none                                          */
    struct str policy_json; /* array text of statements; empty: none                             */
    struct str architecture, log_format, log_group, tracing;
    struct str code_dir; /* absolute; the user's own folder for local functions                  */
    struct str code_sha256, revision_id, last_modified;
    int64_t code_size, timeout_s, memory_mb, ephemeral_mb;
    bool is_local;
    bool updating; /* the reply of an update shows InProgress, later reads Successful     */
    uint64_t generation;
    struct lam_pool *pool; /* never NULL once the record is in the map; outlives updates          */
};

/* Migrates and loads the store. */
bool lam_functions_load(struct rie *r, char *reterr, size_t reterr_size);
struct lam_function *lam_function_find(struct rie *r, struct str account, struct str region,
                                       struct str name);
/* Name, name:qualifier, partial or full ARN, plus a separate qualifier: the function, or NULL with
 * *err as AWS words it. for_invoke: an unknown function is named with its qualifier. */
struct lam_function *lam_function_resolve(struct rie *r, struct str account, struct str region,
                                          struct str text, struct str qualifier, bool for_invoke,
                                          struct arena *a, struct aws_err *err);
/* Takes a filled record (its mem included): inserts or replaces in map and store. */
bool lam_function_save(struct rie *r, struct lam_function *f);
bool lam_function_delete(struct rie *r, struct lam_function *f);
void lam_function_free(struct lam_function *f);
/* A record with the members of input (CreateFunction or Update...Configuration) over those of base
 * (NULL: defaults), checked. NULL with *err set. */
struct lam_function *lam_function_build(struct rie *r, const struct lam_function *base,
                                        struct jval input, struct str account, struct str region,
                                        struct str name, struct arena *a, struct aws_err *err);
enum lam_show { LAM_SHOW_PENDING, LAM_SHOW_UPDATING, LAM_SHOW_ACTIVE };
/* The members of FunctionConfiguration into the open object. */
void lam_function_write(const struct lam_function *f, enum lam_show show, struct json_out *w);
#endif
