#include "seam.h"

size_t lam_layer_dirs(struct rie *r, const struct lam_function *f, struct arena *a,
                      struct str **ret_dirs)
{
    (void)r, (void)f, (void)a;
    *ret_dirs = NULL;
    return 0;
}

void lam_async_settings(struct rie *r, const struct lam_function *f, struct str qualifier,
                        struct arena *a, struct lam_async_settings *ret)
{
    (void)r, (void)f, (void)qualifier, (void)a;
    *ret = (struct lam_async_settings){.max_retries = 2,
                                       .max_age_s = 21600,
                                       .on_success = STR(""),
                                       .on_failure = STR(""),
                                       .dead_letter = STR("")};
}

bool lam_url_find(struct rie *r, struct str url_id, struct arena *a, struct lam_url *ret)
{
    (void)r, (void)url_id, (void)a, (void)ret;
    return false;
}
