/* gw_store.h - private to the gateway: its state, the documents it keeps, and the checks that
 * several operations share. Every record is a JSON object in one table; what is stored is what the
 * management operations answer. The data plane works on stages compiled from it. */
#ifndef PUDDLE_GW_STORE_H
#define PUDDLE_GW_STORE_H
#include "gateway.h"
#include "gw_match.h"
#include "map.h"

enum gw_kind {                    /* stored: append only */
               GW_API = 0,        /* id ''           RestApi        */
               GW_RESOURCE = 1,   /* id, Resource with resourceMethods in full (embed=methods)   */
               GW_DEPLOYMENT = 2, /* id, Deployment */
               GW_SNAPSHOT = 3,   /* deployment id: {resources, models, validators, authorizers,
                                     gatewayResponses} as they were (before: resources alone)  */
               GW_MODEL = 5,      /* name, Model */
               GW_VALIDATOR = 6,  /* id, RequestValidator */
               GW_AUTHORIZER = 7, /* id, Authorizer */
               GW_GATEWAY_RESPONSE = 8, /* type, GatewayResponse as it was put */
               /* of an account: api is '' */
               GW_API_KEY = 9,         /* id, ApiKey with its value */
               GW_USAGE_PLAN = 10,     /* id, UsagePlan */
               GW_USAGE_PLAN_KEY = 11, /* "<plan>/<key id>", UsagePlanKey */
               GW_DOMAIN = 12,         /* name, DomainName */
               GW_BASE_PATH = 13,      /* "<domain>/<base path>", BasePathMapping */
               GW_ACCOUNT = 14,        /* "<account>/<region>", Account */
               GW_USAGE = 15,          /* "<plan>/<key id>/<yyyy-mm-dd>", {"used": n, "left": n} */
               GW_STAGE = 4,           /* name, Stage       */
               /* HTTP APIs (v2): documents as their management operations answer them */
               GW2_API = 20,         /* id '', Api */
               GW2_ROUTE = 21,       /* id, Route */
               GW2_INTEGRATION = 22, /* id, Integration */
               GW2_AUTHORIZER = 23,  /* id, Authorizer */
               GW2_DEPLOYMENT = 24,  /* id, Deployment */
               GW2_SNAPSHOT = 25,    /* deployment id: {api, routes, integrations, authorizers} */
               GW2_STAGE = 26        /* name, Stage */
};

struct gateway {
    struct db *db;
    struct rie *rie;
    struct loop *loop; /* NULL: no timeouts */
    struct service service, service_v2;
    char *base_url; /* of the server, for the endpoints that operations show; NULL: not known */
    sqlite3_stmt *get, *put, *del, *del_api, *del_all, *list, *list_apis, *count, *has;
    struct map stages;    /* "<api>/<stage>" -> struct gw_stage: compiled when first used */
    struct map stages_v2; /* the same of HTTP APIs: struct v2_live */
    struct map buckets;   /* "<plan>/<key>" -> a token bucket of rest_key.c, in bucket_arena */
    struct arena *bucket_arena;
    struct map api_kinds; /* API id -> kind_rest or kind_http of gw_store.c: what was looked up */
    int domains;          /* custom domain names: -1 not counted yet */
    struct map jwks;      /* issuer -> struct jwks_entry: v2_jwks.c */
    struct net *net;      /* for requests of our own; NULL: there are none */
    gateway_auth_fn *auth;
    void *auth_arg;
    gateway_find_service_fn *find_service;
    void *find_service_arg;
    const char *const *jwks_files; /* "issuer=path" */
    size_t jwks_file_count;
    struct buf default_id, default_stage; /* empty: none */
};

/* What the data planes share: ids as AWS gives them, and the client's or a new trace root. */
void gw_make_ids(struct arena *a, struct str *request_id, struct str *extended_id);
struct str gw_trace_root(const struct http_req *req, struct arena *a, int64_t now_ms);
/* The request as it stands, for what outlives the exchange. */
void gw_copy_request(const struct http_req *req, struct arena *a, struct http_req *ret);
/* Has the request come by a custom domain name? Those serve even an API whose own endpoint is
 * disabled. */
bool gw_by_domain(struct gateway *g, const struct net_exchange *x);
/* v2_handle.c: a request for an HTTP API; path is all that follows the API's host or prefix. */
void gw2_handle(struct gateway *g, struct net_exchange *x, struct str api_id, struct str path);
/* Is the id that of an HTTP API? Looked up once. */
bool gw2_has_api(struct gateway *g, struct str api_id);
/* Forgets what was looked up: documents have changed. */
void gw_forget_lookups(struct gateway *g);
/* ${stageVariables.x} in text filled in. False: it is too long or does not close. */
bool gw_fill_variables(const struct gw_pair *variables, size_t count, struct str text,
                       struct arena *a, struct str *ret);
/* Forgets the compiled stages: anything they were made from has changed. */
void gw_stages_drop(void *gateway);

/* Fills ret_text (in a); false if there is none. */
bool gw_doc_get(struct gateway *g, struct str api, enum gw_kind kind, struct str id,
                struct arena *a, struct str *ret_text);
bool gw_doc_put(struct gateway *g, struct str api, enum gw_kind kind, struct str id,
                struct str account, struct str region, struct str text);
/* The same for GW_USAGE, which no compiled stage is made from. */
bool gw_usage_put(struct gateway *g, struct str id, struct str account, struct str region,
                  struct str text);
bool gw_doc_del(struct gateway *g, struct str api, enum gw_kind kind, struct str id);
bool gw_api_del(struct gateway *g, struct str api);
struct gw_doc {
    struct str id, text;
};
/* Documents of that kind with an id above after, in id order, at most limit (0: all). */
size_t gw_doc_list(struct gateway *g, struct str api, enum gw_kind kind, struct str after,
                   size_t limit, struct arena *a, struct gw_doc **ret);
/* The same over the APIs of an owner; account empty: of everybody. kind: GW_API or GW2_API. */
size_t gw_api_list(struct gateway *g, enum gw_kind kind, struct str account, struct str region,
                   struct str after, size_t limit, struct arena *a, struct gw_doc **ret);
/* Owner and document of an API, whoever asks. */
bool gw_api_get(struct gateway *g, enum gw_kind kind, struct str id, struct arena *a,
                struct str *ret_account, struct str *ret_region, struct str *ret_text);

/* --- for operations: each check writes AWS's error itself --- */
/* The member's text, empty if absent. */
struct str gw_in(struct call *c, const char *member);
/* restApiId of the caller's account and region; ret_doc and ret_text may be NULL. */
bool gw_need_api(struct call *c, struct str *ret_id, struct str *ret_text, struct jval *ret_doc);
/* Any other document; message is that of the NotFoundException. */
bool gw_need_doc(struct call *c, struct str api, enum gw_kind kind, struct str id,
                 const char *message, struct str *ret_text, struct jval *ret_doc);
/* restApiId, resourceId and httpMethod of the call. */
struct gw_target {
    struct str api, resource_id, method; /* method: upper case as stored */
    struct str text;                     /* the resource's document */
    struct jval resource, method_doc;
};
bool gw_need_resource(struct call *c, struct gw_target *ret);
bool gw_need_method(struct call *c, struct gw_target *ret);
/* Begins the transaction and stores; false with the service's own error. */
bool gw_save(struct call *c, struct str api, enum gw_kind kind, struct str id, struct str text);
bool gw_fail_store(struct call *c);
/* An object text with the member at path set to a JSON text, or removed (value.p == NULL); objects
 * on the way are made. */
struct str gw_doc_set(struct arena *a, struct str text, const struct str *path, size_t depth,
                      struct str value);
/* s as a JSON string text. */
struct str gw_quote(struct arena *a, struct str s);
/* The raw text of a member that the model has checked; p == NULL when absent. */
struct str gw_in_raw(struct call *c, const char *member);
/* Copies the members named (NULL ends) from the input as they are, those that are present. */
void gw_copy_members(struct call *c, struct json_out *w, const char *const *names);
/* "Puddle does not support ... yet": what is configured and would not be run is refused. */
enum call_status gw_unsupported(struct call *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* limit and position of a listing; false with an error. */
bool gw_need_page(struct call *c, size_t *ret_limit, struct str *ret_after);
/* {"item":[...],"position":...} of documents; more than limit means there is a next page. */
void gw_write_page(struct call *c, const struct gw_doc *docs, size_t count, size_t limit);
struct patch {
    struct str op, path, value;
    bool has_value;
};
bool gw_patches(struct call *c, struct patch **ret, size_t *ret_count);
/* What a patch may change. path: "/a/{}", where {} stands for the name of a map's entry. */
enum gw_patch_kind { PATCH_TEXT, PATCH_BOOL, PATCH_INT, PATCH_NUMBER };
struct gw_patch_rule {
    const char *path;
    enum gw_patch_kind kind;
    bool replace, add, remove;
};
/* Applies the call's patchOperations to *text by the rules; the same path in the document. False:
 * an error as AWS words it; bare: for kinds whose unknown paths AWS names without the list. */
bool gw_patch_apply(struct call *c, const struct gw_patch_rule *rules, size_t count, bool bare,
                    struct str *text);
/* The same for one patch. */
bool gw_patch_one(struct call *c, const struct patch *p, const struct gw_patch_rule *rules,
                  size_t count, bool bare, struct str *text);
bool gw_bad(struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Removes a document; the call is done. */
enum call_status gw_remove(struct call *c, struct str api, enum gw_kind kind, struct str id);
/* A page of the documents of a kind: limit and position of the call. */
enum call_status gw_answer_page(struct call *c, struct str api, enum gw_kind kind);
/* Stores text and answers it. */
enum call_status gw_save_and_answer(struct call *c, struct str api, enum gw_kind kind,
                                    struct str id, struct str text);
/* The rest of path after prefix, "~1" and "~0" decoded. False: another path. */
bool gw_patch_under(struct call *c, struct str path, const char *prefix, struct str *ret_rest);

/* LocalStack's convention: the tag _custom_id_ chooses an API's id; else a random one. */
bool gw_choose_id(struct call *c, const struct aws_err_kind *bad,
                  const struct aws_err_kind *conflict, char *out, size_t out_size);

/* ops_policy.c: a resource policy as the API's document keeps and AWS answers it: a string in which
 * the quotes are escaped once more. False with an error: it is none, or not one that can be
 * decided here. */
bool gw_policy_store(struct call *c, struct str policy, struct str *ret_json);
/* The document again. False: there is none. */
bool gw_policy_text(struct jval stored, struct arena *a, struct str *ret);
/* "https://cognito-idp.<region>.amazonaws.com/<pool>" of a user pool's ARN. */
bool gw_pool_issuer(struct str pool_arn, struct arena *a, struct str *ret);

/* Is host a custom domain name? */
bool gw_is_domain(struct gateway *g, struct str host, struct arena *a);

/* rest_key.c: the first day, yyyy-mm-dd, of the quota's period that runs. Weeks begin on Sunday. */
struct str gw_usage_period(struct jval quota, int64_t now_ms, struct arena *a);

/* What put and patch of a method, an integration or a resource check alike; doc as it will be. */
bool method_check(struct call *c, struct str api, struct jval doc);
bool integration_check(struct call *c, struct jval doc);
bool resource_check(struct call *c, struct str api, struct str parent, struct str part,
                    struct str self);

#define OP(name, handler, writes) enum call_status handler(struct call *c);
#include "ops.def"
#include "ops_v2.def"
#undef OP
#endif
