/* template.h - an AWS SAM / CloudFormation template (YAML or JSON) read and made real. */
#ifndef PUDDLE_TEMPLATE_H
#define PUDDLE_TEMPLATE_H
#include "ddb.h"
#include "gateway.h"
#include "rie.h"

struct template_env {
    struct ddb *ddb;
    struct rie *rie;
    struct gateway *gateway;
    struct str account, region;
    struct str url;         /* "http://127.0.0.1:4566", for what GetAtt gives of APIs and URLs */
    struct template_param { /* --parameter Name=Value */
        struct str name, value;
    } * params;
    size_t param_count;
};
struct template_summary {
    size_t functions, tables, apis;
    struct str outputs;     /* "Name: value" lines */
    struct str example_api; /* id of the only API, or empty */
    struct str example_stage;
};
/* Reads path and creates or updates what it names: idempotent over restarts (tables keep their
 * items). Unknown resource types, properties and events are named in a warning (log) each. False
 * with one clear line ("template.yaml:12: ...") in reterr. */
bool template_apply(const char *path, const struct template_env *env, struct arena *a,
                    struct template_summary *ret, char *reterr, size_t reterr_size);
#endif
