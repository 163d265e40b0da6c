/* The gateway's life, its service table and what the rest of the program asks about it. */
#include "apigateway_model.h"
#include "apigatewayv2_model.h"
#include "gw_store.h"
#include "panic.h"
#include "v2_request.h"
#include <stdlib.h>
#include <string.h>

static const struct db_migration migrations[] = {
    {1, "CREATE TABLE gateway_doc(api TEXT NOT NULL, kind INTEGER NOT NULL, id TEXT NOT NULL,"
        " account TEXT NOT NULL, region TEXT NOT NULL, doc TEXT NOT NULL,"
        " PRIMARY KEY(api, kind, id));"
        "CREATE INDEX gateway_doc_owner ON gateway_doc(account, region, api) WHERE kind = 0;"},
};

static struct op ops[] = {
#define OP(name, handler, writes) {#name, handler, writes, NULL},
#include "ops.def"
#undef OP
};

static struct op ops_v2[] = {
#define OP(name, handler, writes) {#name, handler, writes, NULL},
#include "ops_v2.def"
#undef OP
};

struct gateway *gateway_new(struct db *db, struct rie *rie, char *reterr, size_t reterr_size)
{
    if (!db_migrate(db, "gateway", migrations, sizeof migrations / sizeof migrations[0], reterr,
                    reterr_size))
        return NULL;
    struct gateway *g = calloc(1, sizeof *g);
    if (g == NULL)
        PANIC("out of memory");
    g->db = db;
    g->rie = rie;
    g->service = (struct service){.id = "apigateway",
                                  .label = "apigateway",
                                  .protocol = WIRE_REST_JSON,
                                  .model = &apigateway_model,
                                  .ops = ops,
                                  .op_count = sizeof ops / sizeof ops[0],
                                  .state = g,
                                  .internal_error = &AWS_InternalFailure};
    service_init(&g->service);
    g->service_v2 = (struct service){.id = "apigatewayv2",
                                     .label = "apigatewayv2",
                                     .protocol = WIRE_REST_JSON,
                                     .model = &apigatewayv2_model,
                                     .ops = ops_v2,
                                     .op_count = sizeof ops_v2 / sizeof ops_v2[0],
                                     .state = g,
                                     .internal_error = &AWS_InternalFailure};
    service_init(&g->service_v2);
    map_init(&g->stages);
    map_init(&g->stages_v2);
    map_init(&g->jwks);
    map_init(&g->api_kinds);
    g->domains = -1;
    map_init(&g->buckets);
    g->bucket_arena = arena_new(0, SIZE_MAX);
    buf_init(&g->default_id, 64);
    buf_init(&g->default_stage, 256);
    db_on_rollback(db, gw_stages_drop, g);
    return g;
}

void gateway_free(struct gateway *g)
{
    if (g == NULL)
        return;
    db_off_rollback(g->db, gw_stages_drop, g);
    sqlite3_stmt **slots[] = {&g->get,  &g->put,       &g->del,   &g->del_api, &g->del_all,
                              &g->list, &g->list_apis, &g->count, &g->has};
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++)
        db_stmt_drop(g->db, slots[i]);
    gw_stages_drop(g);
    map_release(&g->stages);
    map_release(&g->stages_v2);
    v2_jwks_release(g);
    map_release(&g->api_kinds);
    map_release(&g->buckets);
    arena_free(g->bucket_arena);
    buf_release(&g->default_id);
    buf_release(&g->default_stage);
    free(g->base_url);
    free(g);
}

void gateway_set_loop(struct gateway *g, struct loop *loop)
{
    g->loop = loop;
}

struct service *gateway_service(struct gateway *g)
{
    return &g->service;
}

struct service *gateway_service_v2(struct gateway *g)
{
    return &g->service_v2;
}

void gateway_set_net(struct gateway *g, struct net *n)
{
    g->net = n;
}

void gateway_set_auth(struct gateway *g, gateway_auth_fn *fn, void *arg)
{
    g->auth = fn;
    g->auth_arg = arg;
}

void gateway_set_find_service(struct gateway *g, gateway_find_service_fn *fn, void *arg)
{
    g->find_service = fn;
    g->find_service_arg = arg;
}

void gateway_set_jwks_files(struct gateway *g, const char *const *entries, size_t count)
{
    g->jwks_files = entries;
    g->jwks_file_count = count;
}

void gateway_set_url(struct gateway *g, const char *base_url)
{
    free(g->base_url);
    g->base_url = strdup(base_url);
    if (g->base_url == NULL)
        PANIC("out of memory");
}

void gateway_set_default(struct gateway *g, struct str api_id, struct str stage)
{
    buf_clear(&g->default_id);
    buf_clear(&g->default_stage);
    buf_add(&g->default_id, api_id);
    buf_add(&g->default_stage, stage);
    ASSERT(!g->default_id.overflow && !g->default_stage.overflow);
}

bool gateway_default(const struct gateway *g, struct str *ret_api_id, struct str *ret_stage)
{
    struct str id = buf_view(&g->default_id);
    if (id.n == 0 || !gateway_has_api(g, id))
        return false;
    *ret_api_id = id;
    *ret_stage = buf_view(&g->default_stage);
    return true;
}

/* Where a stage answers here: DESIGN 1.2 rule 2. */
static struct str stage_url(const struct gateway *g, struct arena *a, struct str api,
                            struct str stage)
{
    const char *base = g->base_url == NULL ? "" : g->base_url;
    if (str_eq_c(stage, "$default"))
        return arena_fmt(a, "%s/_aws/execute-api/%.*s/", base, STR_ARG(api));
    return arena_fmt(a, "%s/_aws/execute-api/%.*s/%.*s/", base, STR_ARG(api), STR_ARG(stage));
}

static void write_apis(struct gateway *g, enum gw_kind kind, enum gw_kind stage_kind,
                       struct arena *a, struct json_out *out)
{
    struct gw_doc *apis, *stages;
    size_t count = gw_api_list(g, kind, STR_NONE, STR_NONE, STR_NONE, 0, a, &apis);
    for (size_t i = 0; i < count; i++) {
        struct jval doc;
        if (!json_parse(a, apis[i].text, JSON_DEPTH_DEFAULT, &doc, NULL))
            continue;
        json_obj(out, NULL);
        json_str(out, "id", apis[i].id);
        json_str(out, "name", jval_text(jval_get(doc, "name"), a));
        json_cstr(out, "protocol", kind == GW_API ? "REST" : "HTTP");
        json_arr(out, "stages");
        size_t stage_count = gw_doc_list(g, apis[i].id, stage_kind, STR_NONE, 0, a, &stages);
        for (size_t k = 0; k < stage_count; k++)
            json_str(out, NULL, stages[k].id);
        json_end(out);
        json_arr(out, "urls");
        for (size_t k = 0; k < stage_count; k++)
            json_str(out, NULL, stage_url(g, a, apis[i].id, stages[k].id));
        json_end(out);
        json_end(out);
    }
}

void gateway_write_status(struct gateway *g, struct json_out *out)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    json_arr(out, NULL);
    write_apis(g, GW_API, GW_STAGE, a, out);
    write_apis(g, GW2_API, GW2_STAGE, a, out);
    json_end(out);
    arena_free(a);
}
