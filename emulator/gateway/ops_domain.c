/* Custom domain names and their base path mappings: kept, shown, and routed by Host. Certificates
 * are named, never used: this server speaks plain HTTP. */
#include "apigateway_model.h"
#include "gw_domain.h"
#include "ids.h"

bool domain_check_name(struct call *c, struct str name)
{
    bool ok = name.n > 0 && name.n <= 253 && str_find(name, '.') > 0;
    for (size_t i = 0; i < name.n && ok; i++) {
        char x = name.p[i];
        ok = (x >= 'a' && x <= 'z') || (x >= '0' && x <= '9') || x == '-' || x == '.' ||
             (x == '*' && i == 0);
    }
    return ok || gw_bad(c, "Invalid domain name: %.*s", STR_ARG(name)); /* unverified */
}

void domain_write_names(struct call *c, struct json_out *w, struct str name, struct str type)
{
    char id[15];
    ids_lower_alnum(id, 10);
    json_str(w, "domainNameArn",
             arena_fmt(c->arena, "arn:aws:apigateway:%.*s::/domainnames/%.*s", STR_ARG(c->region),
                       STR_ARG(name)));
    json_i64(w, "certificateUploadDate", c->now_ms / 1000);
    if (str_eq_c(type, "REGIONAL")) {
        json_str(
            w, "regionalDomainName",
            arena_fmt(c->arena, "d-%s.execute-api.%.*s.amazonaws.com", id, STR_ARG(c->region)));
        json_cstr(w, "regionalHostedZoneId", "Z1UJRXOUMOOFQ8");
    } else {
        json_str(w, "distributionDomainName", arena_fmt(c->arena, "d%s.cloudfront.net", id));
        json_cstr(w, "distributionHostedZoneId", "Z2FDTNDATAQYW2");
    }
    json_obj(w, "endpointConfiguration");
    json_arr(w, "types");
    json_str(w, NULL, type);
    json_end(w);
    json_end(w);
    json_cstr(w, "domainNameStatus", "AVAILABLE");
}

static void write_domain(struct call *c, struct str name)
{
    static const char *const copied[] = {"certificateName",
                                         "certificateArn",
                                         "regionalCertificateName",
                                         "regionalCertificateArn",
                                         "tags",
                                         "securityPolicy",
                                         "endpointAccessMode",
                                         "ownershipVerificationCertificateArn",
                                         "routingMode",
                                         NULL};
    struct jval endpoint = jval_get(c->in, "endpointConfiguration");
    struct str type = jval_text(jval_at(jval_get(endpoint, "types"), 0), c->arena);
    json_obj(&c->out, NULL);
    json_str(&c->out, "domainName", name);
    gw_copy_members(c, &c->out, copied);
    domain_write_names(c, &c->out, name, type.n > 0 ? type : STR("EDGE"));
    json_end(&c->out);
}

bool domain_check_new(struct call *c, struct str name)
{
    struct str text;
    struct str routing = gw_in(c, "routingMode");
    if (!domain_check_name(c, name))
        return false;
    if (gw_doc_get(c->svc->state, STR(""), GW_DOMAIN, name, c->arena, &text))
        return aws_fail(&c->err, c->arena, &APIGATEWAY_ConflictException,
                        "The domain name you provided already exists."); /* unverified */
    if (jval_present(jval_get(c->in, "mutualTlsAuthentication"))) {
        gw_unsupported(c, "mutual TLS");
        return false;
    }
    if (routing.n > 0 && !str_eq_c(routing, "API_MAPPING_ONLY") &&
        !str_eq_c(routing, "BASE_PATH_MAPPING_ONLY")) {
        gw_unsupported(c, "routing rules");
        return false;
    }
    return true;
}

enum call_status gw_create_domain_name(struct call *c)
{
    struct str name = gw_in(c, "domainName");
    if (!domain_check_new(c, name))
        return CALL_FAILED;
    write_domain(c, name);
    return gw_save(c, STR(""), GW_DOMAIN, name, buf_view(c->out_buf)) ? CALL_DONE : CALL_FAILED;
}

bool domain_need(struct call *c, struct str *name, struct str *text)
{
    struct jval doc;
    *name = gw_in(c, "domainName");
    return gw_need_doc(c, STR(""), GW_DOMAIN, *name, "Invalid domain name identifier specified",
                       text, &doc);
}

enum call_status gw_get_domain_name(struct call *c)
{
    struct str name, text;
    if (!domain_need(c, &name, &text))
        return CALL_FAILED;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status gw_get_domain_names(struct call *c)
{
    return gw_answer_page(c, STR(""), GW_DOMAIN);
}

enum call_status gw_update_domain_name(struct call *c)
{
    static const struct gw_patch_rule rules[] = {
        {"/certificateName", PATCH_TEXT, true, false, false},
        {"/certificateArn", PATCH_TEXT, true, false, false},
        {"/regionalCertificateName", PATCH_TEXT, true, false, false},
        {"/regionalCertificateArn", PATCH_TEXT, true, false, false},
        {"/securityPolicy", PATCH_TEXT, true, false, false}};
    struct str name, text;
    if (!domain_need(c, &name, &text) || !gw_patch_apply(c, rules, 5, false, &text))
        return CALL_FAILED;
    return gw_save_and_answer(c, STR(""), GW_DOMAIN, name, text);
}

size_t domain_mappings(struct call *c, struct str domain, struct gw_doc **ret)
{
    struct str start = arena_fmt(c->arena, "%.*s/", STR_ARG(domain));
    size_t kept = 0,
           count = gw_doc_list(c->svc->state, STR(""), GW_BASE_PATH, STR_NONE, 0, c->arena, ret);
    for (size_t i = 0; i < count; i++) {
        if (str_starts((*ret)[i].id, start))
            (*ret)[kept++] = (*ret)[i];
    }
    return kept;
}

enum call_status gw_delete_domain_name(struct call *c)
{
    struct gateway *g = c->svc->state;
    struct str name, text;
    struct gw_doc *docs;
    if (!domain_need(c, &name, &text))
        return CALL_FAILED;
    size_t count = domain_mappings(c, name, &docs);
    for (size_t i = 0; i < count; i++) {
        if (!db_begin(g->db) || !gw_doc_del(g, STR(""), GW_BASE_PATH, docs[i].id)) {
            gw_fail_store(c);
            return CALL_FAILED;
        }
    }
    return gw_remove(c, STR(""), GW_DOMAIN, name);
}

/* ---- base path mappings ---- */

struct str domain_mapping_id(struct call *c, struct str domain, struct str base)
{
    if (base.n == 0)
        base = STR("(none)");
    return arena_fmt(c->arena, "%.*s/%.*s", STR_ARG(domain), STR_ARG(base));
}

struct str domain_mapping_new(struct call *c, struct str base, struct str api, struct str stage)
{
    char id[7];
    struct buf *b = arena_new_buf(c->arena, 64 << 10);
    struct json_out w;
    ids_lower_alnum(id, 6);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "basePath", base.n > 0 ? base : STR("(none)"));
    json_str(&w, "restApiId", api);
    if (stage.n > 0)
        json_str(&w, "stage", stage);
    json_cstr(&w, "apiMappingId", id);
    json_end(&w);
    return buf_view(b);
}

/* A mapping as this service shows it: without the id that only API Gateway v2 has. */
static struct str shown(struct call *c, struct str text)
{
    return gw_doc_set(c->arena, text, &STR("apiMappingId"), 1, STR_NONE);
}

static bool check_target(struct call *c, struct str api, struct str stage)
{
    struct str account, region, text;
    if (!gw_api_get(c->svc->state, GW_API, api, c->arena, &account, &region, &text))
        return gw_bad(c, "Invalid REST API identifier specified");
    return stage.n == 0 || gw_doc_get(c->svc->state, api, GW_STAGE, stage, c->arena, &text) ||
           gw_bad(c, "Invalid stage identifier specified");
}

enum call_status gw_create_base_path_mapping(struct call *c)
{
    struct str name, text, base = gw_in(c, "basePath"), api = gw_in(c, "restApiId");
    struct str stage = gw_in(c, "stage");
    if (!domain_need(c, &name, &text) || !check_target(c, api, stage))
        return CALL_FAILED;
    struct str id = domain_mapping_id(c, name, base);
    if (gw_doc_get(c->svc->state, STR(""), GW_BASE_PATH, id, c->arena, &text))
        return CALL_FAIL(c, &APIGATEWAY_ConflictException,
                         "Base path already exists for this domain name");
    text = domain_mapping_new(c, base, api, stage);
    if (!gw_save(c, STR(""), GW_BASE_PATH, id, text))
        return CALL_FAILED;
    json_raw(&c->out, NULL, shown(c, text));
    return CALL_DONE;
}

static bool need_mapping(struct call *c, struct str *id, struct str *text)
{
    struct str name, domain_text;
    struct jval doc;
    if (!domain_need(c, &name, &domain_text))
        return false;
    *id = domain_mapping_id(c, name, gw_in(c, "basePath"));
    return gw_need_doc(c, STR(""), GW_BASE_PATH, *id,
                       "Invalid base path mapping identifier specified", text, &doc);
}

enum call_status gw_get_base_path_mapping(struct call *c)
{
    struct str id, text;
    if (!need_mapping(c, &id, &text))
        return CALL_FAILED;
    json_raw(&c->out, NULL, shown(c, text));
    return CALL_DONE;
}

enum call_status gw_get_base_path_mappings(struct call *c)
{
    struct str name, text, after;
    struct gw_doc *docs;
    size_t limit, kept = 0;
    if (!domain_need(c, &name, &text) || !gw_need_page(c, &limit, &after))
        return CALL_FAILED;
    size_t count = domain_mappings(c, name, &docs);
    for (size_t i = 0; i < count; i++) {
        if (after.n == 0 || str_cmp(docs[i].id, after) > 0)
            docs[kept++] = (struct gw_doc){docs[i].id, shown(c, docs[i].text)};
    }
    gw_write_page(c, docs, kept, limit);
    return CALL_DONE;
}

enum call_status gw_update_base_path_mapping(struct call *c)
{
    static const struct gw_patch_rule rules[] = {{"/basePath", PATCH_TEXT, true, false, false},
                                                 {"/stage", PATCH_TEXT, true, false, false},
                                                 {"/restapiId", PATCH_TEXT, true, false, false}};
    struct str id, text, base;
    struct jval doc;
    if (!need_mapping(c, &id, &text) || !gw_patch_apply(c, rules, 3, false, &text) ||
        !json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL))
        return CALL_FAILED;
    struct jval moved = jval_get(doc, "restapiId"); /* the path's spelling is not the member's */
    if (jval_present(moved)) {
        text = gw_doc_set(c->arena, text, &STR("restApiId"), 1, jval_raw(moved));
        text = gw_doc_set(c->arena, text, &STR("restapiId"), 1, STR_NONE);
        json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL);
    }
    if (!check_target(c, jval_text(jval_get(doc, "restApiId"), c->arena),
                      jval_text(jval_get(doc, "stage"), c->arena)))
        return CALL_FAILED;
    base = jval_text(jval_get(doc, "basePath"), c->arena);
    struct str new_id = domain_mapping_id(c, gw_in(c, "domainName"), base);
    if (!str_eq(new_id, id) && gw_remove(c, STR(""), GW_BASE_PATH, id) != CALL_DONE)
        return CALL_FAILED;
    if (!gw_save(c, STR(""), GW_BASE_PATH, new_id, text))
        return CALL_FAILED;
    json_raw(&c->out, NULL, shown(c, text));
    return CALL_DONE;
}

enum call_status gw_delete_base_path_mapping(struct call *c)
{
    struct str id, text;
    return need_mapping(c, &id, &text) ? gw_remove(c, STR(""), GW_BASE_PATH, id) : CALL_FAILED;
}

/* ---- routing ---- */

static bool find_mapping(struct gateway *g, struct str domain, struct str base, struct arena *a,
                         struct jval *ret)
{
    struct str text, id = arena_fmt(a, "%.*s/%.*s", STR_ARG(domain), STR_ARG(base));
    return gw_doc_get(g, STR(""), GW_BASE_PATH, id, a, &text) &&
           json_parse(a, text, JSON_DEPTH_DEFAULT, ret, NULL);
}

/* The mapping with the longest key that path begins with, whole segments counting. */
static bool longest_mapping(struct gateway *g, struct str host, struct str path, struct arena *a,
                            struct jval *ret, struct str *ret_rest)
{
    enum { KEY_MAX = 300 };
    size_t end = path.n < KEY_MAX + 1 ? path.n : KEY_MAX + 1;
    for (; end > 1; end--) {
        if (end < path.n && path.p[end] != '/')
            continue;
        if (find_mapping(g, host, str_sub(path, 1, end), a, ret)) {
            *ret_rest = end == path.n ? STR("/") : str_sub(path, end, path.n);
            return true;
        }
    }
    *ret_rest = path;
    return find_mapping(g, host, STR("(none)"), a, ret);
}

bool gw_is_domain(struct gateway *g, struct str host, struct arena *a)
{
    struct str text;
    struct gw_doc *docs;
    if (g->domains < 0) /* nearly always there is none, and then nothing is looked up */
        g->domains = gw_doc_list(g, STR(""), GW_DOMAIN, STR_NONE, 1, a, &docs) > 0;
    return g->domains > 0 && gw_doc_get(g, STR(""), GW_DOMAIN, host, a, &text);
}

bool gateway_domain(struct gateway *g, struct str host, struct str path, struct arena *a,
                    struct str *ret_api, struct str *ret_stage, struct str *ret_path)
{
    struct jval mapping;
    if (!gw_is_domain(g, host, a))
        return false;
    if (!longest_mapping(g, host, path, a, &mapping, ret_path)) {
        *ret_api = STR(""); /* a domain without an API for this path: 403 */
        *ret_stage = STR("");
        return true;
    }
    *ret_api = jval_text(jval_get(mapping, "restApiId"), a);
    *ret_stage = jval_text(jval_get(mapping, "stage"), a);
    if (ret_stage->n == 0) { /* the first segment names it */
        struct str rest = str_sub(*ret_path, 1, ret_path->n);
        *ret_stage = str_cut(&rest, '/');
        *ret_path = rest.p == NULL ? STR("/") : (struct str){rest.p - 1, rest.n + 1};
    }
    return true;
}
