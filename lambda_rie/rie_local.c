/* Functions whose code is a folder of the user's: the template's. */
#include "clock.h"
#include "panic.h"
#include "seam.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool set_folder(struct lam_function *f, const char *folder, struct arena *a,
                       struct aws_err *err)
{
    char *absolute = realpath(folder, NULL);
    if (absolute == NULL)
        return aws_fail(err, a, &LAMBDA_InvalidParameterValueException, "%s: %s", folder,
                        strerror(errno));
    f->code_dir = arena_str(f->mem, str_c(absolute));
    free(absolute);
    f->code_sha256 = STR("");
    f->code_size = 0;
    f->is_local = true;
    return true;
}

bool rie_put_local_function(struct rie *r, struct str account, struct str region,
                            struct str config_json, const char *folder, struct arena *a,
                            struct aws_err *err)
{
    struct jval input;
    if (!json_parse(a, config_json, JSON_DEPTH_DEFAULT, &input, NULL))
        PANIC("rie_put_local_function: the configuration is not JSON");
    /* CreateFunction's input is this one's and Code */
    uint16_t shape = shape_find_op(&lambda_model, STR("UpdateFunctionConfiguration"))->input_shape;
    if (!shape_check_types(&lambda_model, shape, input, a, err) ||
        !shape_check_limits(&lambda_model, shape, input, a, err))
        return false;
    struct str name = jval_text(jval_get(input, "FunctionName"), a);
    if (name.n > FUNCTION_NAME_MAX)
        return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                        "the function name %.*s is longer than %d characters", STR_ARG(name),
                        FUNCTION_NAME_MAX);
    struct lam_function *f = lam_function_build(r, NULL, input, account, region, name, a, err);
    if (f == NULL)
        return false;
    const struct lam_function *before = lam_function_find(r, account, region, name);
    if (before != NULL) { /* what is not the template's stays */
        f->reserved = before->reserved;
        f->last_version = before->last_version;
    }
    bool ok = set_folder(f, folder, a, err);
    if (ok && !lam_function_save(r, f, LAM_CHANGE_RUNNING))
        ok = aws_fail(err, a, &LAMBDA_ServiceException, "the function could not be stored");
    if (!ok)
        lam_function_free(f);
    return ok;
}

bool rie_put_local_url(struct rie *r, struct str account, struct str region, struct str config_json,
                       struct str url_id, struct arena *a, struct aws_err *err)
{
    struct jval input, ignored;
    struct aws_err none = {0};
    struct service *svc = rie_service(r);
    if (!json_parse(a, config_json, JSON_DEPTH_DEFAULT, &input, NULL))
        PANIC("rie_put_local_url: the configuration is not JSON");
    struct lam_target t = {.account = account,
                           .region = region,
                           .name = jval_text(jval_get(input, "FunctionName"), a)};
    struct buf *name = arena_new_buf(a, 4096);
    struct json_out w;
    json_out_init(&w, name);
    json_obj(&w, NULL);
    json_str(&w, "FunctionName", t.name);
    json_end(&w);
    /* the one of the last start, if any: it may have had other members */
    call_run_local(svc, "DeleteFunctionUrlConfig", account, region, buf_view(name), a, &ignored,
                   &none);
    return call_run_local(svc, "CreateFunctionUrlConfig", account, region, config_json, a, &ignored,
                          err) &&
           (lam_url_set_id(r, &t, url_id, a) ||
            aws_fail(err, a, &LAMBDA_ServiceException, "the URL could not be stored"));
}
