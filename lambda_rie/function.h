/* function.h - function records (private to lambda_rie): the seam between the management operations
 * and the execution environments. A record owns an arena for its strings and is never changed in
 * place: every update puts a new record in its place, so keep no pointer to one across ticks. An
 * update of code or configuration bumps the generation, by which the pool knows that execution
 * environments are out of date. */
#ifndef PUDDLE_FUNCTION_H
#define PUDDLE_FUNCTION_H
#include "rie_internal.h"

struct lam_function {
    struct arena *mem;
    struct str account, region, name, arn; /* arn: without a qualifier                           */
    struct str version; /* "$LATEST", or the number of a published version                      */
    struct str id;      /* what lam_function_find takes: the name; of a version "name:3"        */
    struct str runtime, handler, role, description;
    struct str env_json;    /* object text of Environment.Variables; empty: no Environment       */
    struct str tags_json;   /* object text; empty: none                                          */
    struct str layers_json; /* [{"Arn","CodeSize","dir"}] in their order; empty: none            */
    struct str dead_letter; /* ARN; empty: none                                                  */
    struct str content_id;  /* of versions: what was published, to see whether it has changed    */
    struct str architecture, log_format, log_group, tracing;
    struct str app_log_level, system_log_level; /* only with log format JSON                     */
    struct str kms_key, snap_start;             /* kept and given back, without effect           */
    struct str update_runtime_on, runtime_arn;  /* runtime management, the same                  */
    struct str recursive_loop, signing_arn;     /* the same                                      */
    struct str code_dir; /* absolute; the user's own folder for local functions                  */
    struct str code_sha256, revision_id, last_modified;
    int64_t code_unpacked; /* bytes of the unpacked package */
    int64_t code_size, timeout_s, memory_mb, ephemeral_mb;
    int64_t reserved;     /* of $LATEST: reserved concurrency of all versions; -1: none          */
    int64_t provisioned;  /* of a version: environments to keep warm; 0: none                    */
    int64_t last_version; /* of $LATEST: the number of the newest version ever published         */
    bool is_local;
    uint64_t generation;
    struct lam_pool *pool; /* never NULL once the record is in the map; outlives updates          */
};

/* ---- function.c: the records in memory and in the store ---- */

/* Migrates and loads the store; follows the store when a commit fails. */
bool lam_functions_load(struct rie *r, char *reterr, size_t reterr_size);
/* Frees all records and pools and stops following the store. */
void lam_functions_free(struct rie *r);
/* "account/region/name": the key of rie.functions and rie.creating. */
struct str lam_function_key(struct arena *a, struct str account, struct str region,
                            struct str name);
/* id: a name, or "name:3" for the record of a version. */
struct lam_function *lam_function_find(struct rie *r, struct str account, struct str region,
                                       struct str id);
struct lam_function *lam_function_find_version(struct rie *r, const struct lam_function *latest,
                                               struct str version);
bool lam_function_is_version(const struct lam_function *f); /* not $LATEST */
/* All of an account and region in the order of names, each $LATEST before its versions in the order
 * of their numbers; name empty: of all functions. Returns their number. */
size_t lam_functions_sorted(struct rie *r, struct str account, struct str region, struct str name,
                            bool versions, struct arena *a, struct lam_function ***ret);
/* A copy to change (NULL: an empty record), not in the map yet. */
struct lam_function *lam_function_copy(const struct lam_function *base);
enum lam_change {
    LAM_CHANGE_RUNNING, /* what runs has changed: environments are replaced */
    LAM_CHANGE_NOTES    /* tags, limits and the like: they stay             */
};
/* Takes a filled record (its mem included): inserts or replaces in map and store. False: the store
 * cannot be written; f is still the caller's. */
bool lam_function_save(struct rie *r, struct lam_function *f, enum lam_change change);
/* $LATEST: with its versions and all that belongs to it. */
bool lam_function_delete(struct rie *r, struct lam_function *f);
void lam_function_free(struct lam_function *f);

/* ---- function_name.c ---- */

struct lam_name { /* parts that the text does not have are empty */
    struct str account, region, name, qualifier;
};
/* name, name:qualifier, account:function:name, a full ARN, ... False: none of these. */
bool lam_name_parse(struct str text, struct lam_name *ret);
bool lam_is_number(struct str s); /* digits only: a version */
struct lam_target {
    struct str account, region, name;
    struct str qualifier;        /* as asked for; empty: none                                    */
    struct lam_function *latest; /* NULL: no such function                                       */
    struct lam_function *f;      /* what would run: $LATEST or a version (an alias is followed,
                                    by its weights); NULL: there is none                         */
    bool is_alias;               /* the qualifier names an alias that exists                     */
    struct jval alias;           /* its document                                                 */
};
/* A text as above plus a separate qualifier. False with *err set when they contradict each other or
 * lead to another region; that there is no such function is for the caller to say. */
bool lam_target_find(struct rie *r, struct str account, struct str region, struct str text,
                     struct str qualifier, struct arena *a, struct lam_target *ret,
                     struct aws_err *err);
/* The members FunctionName and Qualifier of c's input. */
bool lam_target_of_call(struct call *c, struct lam_target *ret);
/* "arn:...:function:name[:qualifier]", of what was asked for. */
struct str lam_target_arn(const struct lam_target *t, struct arena *a);
/* Always false: "Function not found: ..." */
bool lam_target_missing(const struct lam_target *t, struct arena *a, struct aws_err *err);
/* A name plus a separate qualifier: what runs, or NULL with *err as AWS words it. for_invoke: an
 * unknown function is named with its qualifier. */
struct lam_function *lam_function_resolve(struct rie *r, struct str account, struct str region,
                                          struct str text, struct str qualifier, bool for_invoke,
                                          struct arena *a, struct aws_err *err);
/* The function that FunctionName of c's input names, for operations on whole functions: a qualifier
 * in the name has no meaning there and is dropped. NULL with c->err set. */
struct lam_function *lam_latest_of_call(struct call *c);

/* op_alias.c: the version that an alias's document leads to this time, by its weights. */
struct str lam_alias_pick(struct jval alias, struct arena *a);

/* ---- function_build.c ---- */

/* A record with the members of input (CreateFunction or Update...Configuration) over those of base
 * (NULL: defaults), checked beyond the model, with a new revision. NULL with *err set. */
struct lam_function *lam_function_build(struct rie *r, const struct lam_function *base,
                                        struct jval input, struct str account, struct str region,
                                        struct str name, struct arena *a, struct aws_err *err);
bool lam_runtime_known(struct str runtime);
struct str lam_runtime_names(struct arena *a); /* "nodejs20.x, ...", in AWS's order */
/* A new RevisionId and LastModified. */
void lam_function_touch(struct lam_function *f);
/* More tags than AWS takes? Then false with *err set. */
bool lam_tags_check(struct jval tags, struct arena *a, struct aws_err *err);

/* ---- function_write.c ---- */

enum lam_show {
    LAM_SHOW_PENDING,
    LAM_SHOW_UPDATING,
    LAM_SHOW_ACTIVE,
    LAM_SHOW_LISTED /* as lists show it: without states */
};
/* The members of FunctionConfiguration into the open object. with_qualifier: the ARN ends in the
 * version, as it does when the request named one. */
void lam_function_write(const struct lam_function *f, enum lam_show show, bool with_qualifier,
                        struct json_out *w);
/* The same with the qualifier that the ARN ends in (an alias); empty: none. */
void lam_function_write_as(const struct lam_function *f, enum lam_show show, struct str qualifier,
                           struct json_out *w);
/* The runtime's version as AWS shows it. */
struct str lam_runtime_arn(const struct lam_function *f, struct arena *a);

/* ---- op_checks.c: false with c->err set ---- */

extern const struct aws_err_kind lam_invalid_untyped;
bool lam_check_revision(struct call *c, struct str asked, struct str current);
bool lam_check_settled(struct call *c, const struct lam_function *f); /* no update is running */
bool lam_check_unqualified(struct call *c); /* FunctionName has no qualifier */
struct str lam_date(struct arena *a);       /* now, as Lambda writes it */

/* ---- op_version.c ---- */

/* The version that publishing makes of latest: a new one, or the newest if nothing has changed
 * since. description.p NULL: the function's. NULL with *err set. */
struct lam_function *lam_version_publish(struct rie *r, const struct lam_function *latest,
                                         struct str description, struct arena *a,
                                         struct aws_err *err);
/* DeleteFunction of a version. */
enum call_status lam_version_delete(struct call *c, const struct lam_target *t);
/* Policy, event invoke configuration and the like of one qualifier. */
bool lam_qualifier_delete(struct rie *r, const struct lam_target *t, struct arena *a);

/* ---- op_concurrency.c; false: the store cannot be written ---- */

/* An alias has moved: what is provisioned on it moves along. */
bool lam_provisioned_follow(struct rie *r, const struct lam_function *latest, struct str alias,
                            struct str before, struct str now, struct arena *a);
bool lam_provisioned_drop(struct rie *r, const struct lam_function *latest, struct str qualifier,
                          struct arena *a);

/* ---- op_url.c: key as in docs.h; false: the store cannot be written ---- */

bool lam_url_delete(struct rie *r, struct str key, struct arena *a);
/* Gives the URL of t another id; false also if t has no URL. */
bool lam_url_set_id(struct rie *r, const struct lam_target *t, struct str id, struct arena *a);
bool lam_urls_delete(struct rie *r, struct str account, struct str region, struct str function);

/* ---- op_event_invoke.c ---- */

/* May these be the destinations of t's events? False with c->err set. */
bool lam_destinations_check(struct call *c, const struct lam_target *t, struct jval config);

/* ---- op_signing.c ---- */

bool lam_signing_exists(struct rie *r, struct str arn, struct arena *a);

/* ---- op_function.c ---- */

/* Is there a package in source (Code, Content, UpdateFunctionCode's input) that can be had? False
 * with c->err set. */
bool lam_code_check_source(struct call *c, struct jval source);

/* ---- layers.c ---- */

/* The code and its layers must fit together. False with *err set. */
bool lam_layers_fit(const struct lam_function *f, struct arena *a, struct aws_err *err);

/* ---- invoke_payload.c ---- */

/* Is this event JSON, and not too large? */
bool lam_payload_check(struct str payload, bool asynchronous, struct arena *a, struct aws_err *err);
#endif
