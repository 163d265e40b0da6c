/* v2.h - what the operations of HTTP APIs share (private to v2_*.c). Documents are kept in the form
 * in which they are answered; every change of what a deployment holds goes through v2_changed,
 * which deploys to the stages that ask for it. */
#ifndef PUDDLE_V2_H
#define PUDDLE_V2_H
#include "apigatewayv2_model.h"
#include "gw_store.h"

struct v2_kind {
    enum gw_kind kind;
    const char *id_member; /* "routeId": of documents and of requests */
    const char *noun;      /* "Route": for messages */
    size_t id_length;      /* of random ids; 0: the caller's own (stage names) */
};
extern const struct v2_kind v2_route, v2_integration, v2_authorizer, v2_deployment, v2_stage;

bool v2_bad(struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "Puddle does not support ... yet" */
bool v2_unsupported(struct call *c, const char *what);
/* apiId of the caller's account and region; ret_doc may be NULL. */
bool v2_need_api(struct call *c, struct str *ret_id, struct str *ret_text, struct jval *ret_doc);
struct v2_target { /* one document of an API, as a request names it */
    struct str api, id, text;
    struct jval doc;
};
bool v2_need(struct call *c, const struct v2_kind *k, struct v2_target *ret);
/* Is there a document of that kind? */
bool v2_has(struct call *c, struct str api, const struct v2_kind *k, struct str id);

/* The new document: the body's members, then what fill adds. If check (may be NULL) finds it right
 * it is stored under a new id (or id, if not empty), deployed where stages ask for it, and
 * answered. */
typedef void v2_fill(struct call *c, struct json_out *w);
typedef bool v2_check(struct call *c, struct jval doc);
enum call_status v2_create(struct call *c, const struct v2_kind *k, struct str api, struct str id,
                           v2_fill *fill, v2_check *check);
/* Replaces the members that the body has; those named in merged (NULL ends) are maps, of which an
 * empty text removes the entry. Stores in t->text, without answering. */
bool v2_merge(struct call *c, struct v2_target *t, const char *const *merged);
enum call_status v2_store_and_answer(struct call *c, const struct v2_kind *k,
                                     const struct v2_target *t);
enum call_status v2_answer(struct call *c, const struct v2_kind *k);
enum call_status v2_answer_all(struct call *c, const struct v2_kind *k);
enum call_status v2_delete(struct call *c, const struct v2_kind *k);
/* {"items": [...], "nextToken": ...} of documents; maxResults and nextToken of the call. */
bool v2_page(struct call *c, size_t *ret_limit, struct str *ret_after);
void v2_write_page(struct call *c, const struct gw_doc *docs, size_t count, size_t limit);

bool v2_save(struct call *c, struct str api, enum gw_kind kind, struct str id, struct str text);
/* "2024-01-01T00:00:00Z" of the call. */
struct str v2_now(struct call *c);
/* What deployments hold has changed: the stages with autoDeploy get it. */
bool v2_changed(struct call *c, struct str api);
/* A deployment of the API as it is now; its id in *ret_id. */
bool v2_deploy(struct call *c, struct str api, struct str description, bool automatic,
               struct str *ret_id);
/* Points a stage at a deployment. */
bool v2_stage_point(struct call *c, struct str api, struct str stage, struct str deployment);
#endif
