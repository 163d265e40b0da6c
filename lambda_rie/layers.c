#include "layers.h"
#include "arn.h"
#include "code_store.h"
#include "seam.h"
#include "zip.h"
#include <string.h>

#define VERSION_LAST INT64_C(9999999999)

bool lam_layer_parse(struct str text, struct str account, struct str region,
                     struct lam_layer_name *ret)
{
    struct arn arn;
    *ret = (struct lam_layer_name){.account = account, .region = region, .name = text};
    if (!str_starts(text, STR("arn:")))
        return text.n > 0 && str_find(text, '/') < 0 && str_find(text, ':') < 0;
    if (!arn_parse(text, &arn) || !str_eq_c(arn.service, "lambda"))
        return false;
    struct str rest = arn.resource;
    if (!str_eq_c(str_cut(&rest, ':'), "layer") || rest.p == NULL)
        return false;
    ret->account = arn.account;
    ret->region = arn.region;
    ret->name = str_cut(&rest, ':');
    return ret->name.n > 0 && str_find(ret->name, '/') < 0 &&
           (rest.p == NULL || (str_to_i64(rest, &ret->version) && ret->version > 0));
}

struct str lam_layer_arn(const struct lam_layer_name *n, struct arena *a)
{
    return arn_format(
        a, "lambda", n->region, n->account,
        n->version == 0 ? arena_fmt(a, "layer:%.*s", STR_ARG(n->name))
                        : arena_fmt(a, "layer:%.*s:%lld", STR_ARG(n->name), (long long)n->version));
}

struct str lam_layer_key(const struct lam_layer_name *n, struct arena *a)
{
    return lam_doc_key(a, n->account, n->region, "%.*s/%010lld", STR_ARG(n->name),
                       (long long)(VERSION_LAST - n->version));
}

struct str lam_layer_dir(struct rie *r, const struct lam_layer_name *n, struct arena *a)
{
    struct jval doc;
    return n->version > 0 && lam_doc_get(r, DOC_LAYER_VER, lam_layer_key(n, a), a, &doc)
               ? jval_text(jval_get(doc, "dir"), a)
               : STR_NONE;
}

/* ---- the layers of a function ---- */

static bool add_layer(struct rie *r, struct str text, const struct lam_layer_name *n,
                      struct json_out *w, struct arena *a, struct aws_err *err)
{
    struct jval doc;
    if (n->version == 0 || !lam_doc_get(r, DOC_LAYER_VER, lam_layer_key(n, a), a, &doc))
        return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                        "Layer version %.*s does not exist.", STR_ARG(text));
    json_obj(w, NULL);
    json_str(w, "Arn", text);
    json_copy(w, "CodeSize", jval_get(doc, "CodeSize"));
    json_copy(w, "dir", jval_get(doc, "dir"));
    json_copy(w, "unpacked", jval_get(doc, "unpacked"));
    json_end(w);
    return true;
}

bool lam_layers_resolve(struct rie *r, struct jval list, struct str account, struct str region,
                        struct arena *a, struct str *ret_json, struct aws_err *err)
{
    const struct aws_err_kind *bad = &LAMBDA_InvalidParameterValueException;
    struct lam_layer_name names[LAYERS_MAX];
    struct str texts[LAYERS_MAX];
    struct buf *b = arena_new_buf(a, 64 * 1024);
    struct jval it = {0};
    struct json_out w;
    size_t n = 0;
    *ret_json = STR_NONE;
    if (jval_count(list) > LAYERS_MAX)
        return aws_fail(err, a, bad, "Cannot reference more than %d layers.", LAYERS_MAX);
    json_out_init(&w, b);
    json_arr(&w, NULL);
    for (; jval_next(list, &it, NULL); n++) {
        texts[n] = jval_text(it, a);
        if (!lam_layer_parse(texts[n], account, region, &names[n]))
            names[n] = (struct lam_layer_name){.region = region, .name = texts[n]};
        if (!str_eq(names[n].region, region))
            return aws_fail(err, a, bad,
                            "Layers are not in the same region as the function. Layers are "
                            "expected to be in region %.*s.",
                            STR_ARG(region));
        if (!add_layer(r, texts[n], &names[n], &w, a, err))
            return false;
        for (size_t i = 0; i < n; i++) {
            if (str_eq(names[i].name, names[n].name) && str_eq(names[i].account, names[n].account))
                return aws_fail(err, a, bad,
                                "Two different versions of the same layer are not allowed to be "
                                "referenced in the same function. %.*s and %.*s are versions of "
                                "the same layer.",
                                STR_ARG(texts[i]), STR_ARG(texts[n]));
        }
    }
    json_end(&w);
    if (n > 0)
        *ret_json = buf_view(b);
    return true;
}

size_t lam_layer_dirs(struct rie *r, const struct lam_function *f, struct arena *a,
                      struct str **ret_dirs)
{
    struct jval list, it = {0};
    size_t n = 0;
    *ret_dirs = ARENA_ARRAY(a, struct str, LAYERS_MAX);
    if (f->layers_json.n == 0 || !json_parse(a, f->layers_json, JSON_DEPTH_DEFAULT, &list, NULL))
        return 0;
    while (n < LAYERS_MAX && jval_next(list, &it, NULL))
        (*ret_dirs)[n++] =
            arena_fmt(a, "%s/%.*s", r->code_dir, STR_ARG(jval_text(jval_get(it, "dir"), a)));
    return n;
}

bool lam_layers_fit(const struct lam_function *f, struct arena *a, struct aws_err *err)
{
    struct jval list = {0}, it = {0};
    int64_t layers = 0;
    if (f->layers_json.n > 0)
        json_parse(a, f->layers_json, JSON_DEPTH_DEFAULT, &list, NULL);
    while (jval_next(list, &it, NULL)) {
        int64_t bytes = 0;
        jval_i64(jval_get(it, "unpacked"), &bytes);
        layers += bytes;
    }
    if (layers > ZIP_UNZIPPED_MAX)
        return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                        "Layers consume more than the available size of %d bytes",
                        ZIP_UNZIPPED_MAX);
    return layers + f->code_unpacked <= ZIP_UNZIPPED_MAX || layers == 0 ||
           aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                    "Function code combined with layers exceeds the maximum allowed size of %d "
                    "bytes. The actual size is %lld bytes.",
                    ZIP_UNZIPPED_MAX, (long long)(layers + f->code_unpacked));
}

/* ---- folders ---- */

void lam_layers_doom(struct rie *r, struct str layers_json)
{
    struct arena *a;
    struct jval list, it = {0};
    if (layers_json.n == 0)
        return;
    a = arena_new(0, 1 << 20);
    if (json_parse(a, layers_json, JSON_DEPTH_DEFAULT, &list, NULL)) {
        while (jval_next(list, &it, NULL))
            lam_code_doom(r, arena_fmt(a, "%s/%.*s", r->code_dir,
                                       STR_ARG(jval_text(jval_get(it, "dir"), a))));
    }
    arena_free(a);
}

bool lam_layers_use(struct rie *r, struct str dir)
{
    struct str name = str_sub(dir, (size_t)(str_rfind(dir, '/') + 1), dir.n);
    size_t at = 0;
    void *value;
    while (map_next(&r->functions, &at, NULL, &value)) {
        if (str_find_str(((const struct lam_function *)value)->layers_json, name) >= 0)
            return true;
    }
    struct arena *a = arena_new(0, SIZE_MAX);
    struct lam_doc *docs;
    size_t n = lam_doc_list(r, DOC_LAYER_VER, STR(""), STR_NONE, SIZE_MAX, a, &docs);
    bool used = false;
    for (size_t i = 0; i < n && !used; i++)
        used = str_eq(jval_text(jval_get(docs[i].v, "dir"), a), name);
    arena_free(a);
    return used;
}

bool lam_layers_reset(struct rie *r)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct lam_doc *docs;
    size_t n = lam_doc_list(r, DOC_LAYER_VER, STR(""), STR_NONE, SIZE_MAX, a, &docs);
    for (size_t i = 0; i < n; i++)
        lam_code_doom(r, arena_fmt(a, "%s/%.*s", r->code_dir,
                                   STR_ARG(jval_text(jval_get(docs[i].v, "dir"), a))));
    arena_free(a);
    return lam_doc_del_all(r, DOC_LAYER_VER, STR(""));
}

int64_t lam_layers_size(struct rie *r, struct str account, struct str region, struct arena *a)
{
    struct lam_doc *docs;
    struct str prefix = arena_fmt(a, "%.*s/%.*s/", STR_ARG(account), STR_ARG(region));
    size_t n = lam_doc_list(r, DOC_LAYER_VER, prefix, STR_NONE, SIZE_MAX, a, &docs);
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t size = 0;
        jval_i64(jval_get(docs[i].v, "CodeSize"), &size);
        sum += size;
    }
    return sum;
}
