/* layers.h - layer versions: their documents, and the layers of a function (private to
 * lambda_rie). A layer's package is unpacked into a folder of the code store; its name is in the
 * document and in the layers_json of every function that has the layer, so that a layer version
 * that is deleted goes on working where it is in use. */
#ifndef PUDDLE_LAYERS_H
#define PUDDLE_LAYERS_H
#include "docs.h"

enum { LAYERS_MAX = 5 };

struct lam_layer_name { /* of a layer or a layer version */
    struct str account, region, name;
    int64_t version; /* 0: not given */
};
/* A name or an ARN with or without a version. False: neither. */
bool lam_layer_parse(struct str text, struct str account, struct str region,
                     struct lam_layer_name *ret);
struct str lam_layer_arn(const struct lam_layer_name *n, struct arena *a); /* with its version */
/* The key of a version's document; newer versions come first. */
struct str lam_layer_key(const struct lam_layer_name *n, struct arena *a);
/* layers_json of the ARNs in list, for a function in this account and region. False with *err. */
bool lam_layers_resolve(struct rie *r, struct jval list, struct str account, struct str region,
                        struct arena *a, struct str *ret_json, struct aws_err *err);
/* Does a layer version, or a function that has it, need this folder of the code store? */
bool lam_layers_use(struct rie *r, struct str dir);
/* Gives up the folders of all layers: their documents go next. */
bool lam_layers_reset(struct rie *r);
/* Bytes of all packages. */
int64_t lam_layers_size(struct rie *r, struct str account, struct str region, struct arena *a);
/* The folder of a version; empty: no such version. */
struct str lam_layer_dir(struct rie *r, const struct lam_layer_name *n, struct arena *a);
#endif
