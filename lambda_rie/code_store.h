/* code_store.h - the folders that uploaded code is unpacked into (private to lambda_rie). Below
 * code_dir: fn-<id>/ the unpacked package, fn-<id>.zip the package itself, tmp-<id>/ being
 * unpacked. A folder belongs to the one record whose code_dir names it; one that no stored record
 * names is left over from a crash or a failed commit and is removed at the next start. */
#ifndef PUDDLE_CODE_STORE_H
#define PUDDLE_CODE_STORE_H
#include "rie_internal.h"

enum { CODE_ZIPPED_MAX = 52428800, CODE_REQUEST_MAX = 70167211 };

struct lam_code {
    struct str dir;     /* the folder */
    struct str sha256;  /* of the package, base64 */
    int64_t size;       /* of the package */
    int64_t unpacked;   /* of what was in it */
    struct aws_err err; /* kind set: the package was refused, nothing is left of it */
};
/* Decodes, hashes and unpacks a package on the helper thread; fires w (armed by the caller) when
 * *ret is filled. base64, a and ret must live until then. */
void lam_code_unpack(struct rie *r, struct str base64, struct arena *a, struct lam_code *ret,
                     struct wait *w);
/* Has dir removed as soon as the change that gave it up is committed and nothing that may still
 * run from it does. A folder that a record names again by then (the commit failed) stays. */
void lam_code_doom(struct rie *r, struct str dir);
/* Removes doomed folders if the moment has come. */
void lam_code_purge(struct rie *r);
/* At start: removes what no record names. */
void lam_code_sweep(struct rie *r);
void lam_code_release(struct rie *r);
#endif
