/* docs.h - what belongs to functions besides their records, and what stands alone (aliases,
 * policies, URLs, layers, event source mappings, ...): JSON documents by kind and key in one table
 * (private to lambda_rie). There is no copy in memory: SQLite's page cache serves the reads, and a
 * commit that fails needs no undoing here. Keys are paths, "account/region/function/qualifier";
 * no part of one can hold a slash. */
#ifndef PUDDLE_DOCS_H
#define PUDDLE_DOCS_H
#include "rie_internal.h"

#define DOC_ALIAS       "alias"       /* a/r/function/alias */
#define DOC_POLICY      "policy"      /* a/r/function/qualifier: {RevisionId, Statement} */
#define DOC_URL         "url"         /* a/r/function/qualifier */
#define DOC_URL_ID      "url_id"      /* the id: the key of its DOC_URL */
#define DOC_INVOKE      "invoke"      /* a/r/function/qualifier: event invoke configuration */
#define DOC_PROVISIONED "provisioned" /* a/r/function/qualifier */
#define DOC_LAYER       "layer"       /* a/r/layer: {LastVersion} */
#define DOC_LAYER_VER   "layer_ver"   /* a/r/layer/0000000001 */
#define DOC_LAYER_POL   "layer_pol"   /* a/r/layer/0000000001: {RevisionId, Statement} */
#define DOC_MAPPING     "mapping"     /* a/r/uuid */
#define DOC_SIGNING     "signing"     /* a/r/csc-id */

struct lam_doc {
    struct str key, text;
    struct jval v;
};
/* At start-up: the table. */
bool lam_docs_open(struct rie *r, char *reterr, size_t reterr_size);
void lam_docs_close(struct rie *r);

/* The document in a; false if there is none. */
bool lam_doc_get(struct rie *r, const char *kind, struct str key, struct arena *a,
                 struct jval *ret);
/* False: the store cannot be written. */
bool lam_doc_put(struct rie *r, const char *kind, struct str key, const struct buf *text);
bool lam_doc_del(struct rie *r, const char *kind, struct str key);
/* Every document of the kind (NULL: of all kinds) whose key starts with prefix, which ends in '/'
 * or is empty. */
bool lam_doc_del_all(struct rie *r, const char *kind, struct str prefix);
/* At most limit documents below prefix whose keys come after `after`, in the order of their keys.
 * Returns their number. */
size_t lam_doc_list(struct rie *r, const char *kind, struct str prefix, struct str after,
                    size_t limit, struct arena *a, struct lam_doc **ret);

/* "account/region/rest" */
struct str lam_doc_key(struct arena *a, struct str account, struct str region, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* One page of a List operation: what Marker and MaxItems of c's input ask for, at most most. */
struct lam_page {
    struct lam_doc *docs;
    size_t count;
    struct str next; /* the next Marker; empty: this is the last page */
};
bool lam_doc_page(struct call *c, const char *kind, struct str prefix, size_t most,
                  struct lam_page *ret);
/* Closes the array and the object of the reply, with NextMarker between them. */
void lam_page_end(struct call *c, const struct lam_page *page);
/* The same for anything sorted: where to go on after (*ret_after, empty: from the start) and how
 * many to give. False with c->err set: Marker is not one of ours. */
bool lam_page_read(struct call *c, size_t most, struct str *ret_after, size_t *ret_limit);
struct str lam_page_marker(struct arena *a, struct str last);
#endif
