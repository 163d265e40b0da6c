/* Custom domain names and API mappings as the service of HTTP APIs shows them. They are those of
 * ops_domain.c, where they are routed too. unverified: the texts of errors. */
#include "clock.h"
#include "gw_domain.h"
#include "v2.h"

enum { KEY_MAX = 300 };

static struct str text_of(struct call *c, struct jval doc, const char *member)
{
    return jval_text(jval_get(doc, member), c->arena);
}

static bool parse(struct call *c, struct str text, struct jval *ret)
{
    return json_parse(c->arena, text, JSON_DEPTH_DEFAULT, ret, NULL) || gw_fail_store(c);
}

static void write_present(struct call *c, const char *name, struct str value)
{
    if (value.n > 0)
        json_str(&c->out, name, value);
}

static void write_configuration(struct call *c, struct jval doc)
{
    struct jval types = jval_get(jval_get(doc, "endpointConfiguration"), "types");
    struct str type = jval_text(jval_at(types, 0), c->arena);
    bool regional = str_eq_c(type, "REGIONAL");
    int64_t uploaded = 0;
    char date[25];
    jval_i64(jval_get(doc, "certificateUploadDate"), &uploaded);
    clock_format_iso(uploaded * 1000, date);
    json_obj(&c->out, NULL);
    write_present(c, "apiGatewayDomainName",
                  text_of(c, doc, regional ? "regionalDomainName" : "distributionDomainName"));
    write_present(c, "certificateArn",
                  text_of(c, doc, regional ? "regionalCertificateArn" : "certificateArn"));
    write_present(c, "certificateName",
                  text_of(c, doc, regional ? "regionalCertificateName" : "certificateName"));
    json_str(&c->out, "certificateUploadDate", arena_fmt(c->arena, "%.19sZ", date));
    json_cstr(&c->out, "domainNameStatus", "AVAILABLE");
    json_str(&c->out, "endpointType", type);
    write_present(c, "hostedZoneId",
                  text_of(c, doc, regional ? "regionalHostedZoneId" : "distributionHostedZoneId"));
    json_cstr(&c->out, "ipAddressType", "ipv4");
    struct str policy = text_of(c, doc, "securityPolicy");
    json_str(&c->out, "securityPolicy", policy.n > 0 ? policy : STR("TLS_1_2"));
    json_end(&c->out);
}

static void write_domain(struct call *c, struct jval doc)
{
    struct jval tags = jval_get(doc, "tags");
    json_obj(&c->out, NULL);
    json_cstr(&c->out, "apiMappingSelectionExpression", "$request.basepath");
    json_str(&c->out, "domainName", text_of(c, doc, "domainName"));
    json_str(&c->out, "domainNameArn", text_of(c, doc, "domainNameArn"));
    json_arr(&c->out, "domainNameConfigurations");
    write_configuration(c, doc);
    json_end(&c->out);
    json_cstr(&c->out, "routingMode", "API_MAPPING_ONLY");
    json_raw(&c->out, "tags", jval_present(tags) ? jval_raw(tags) : STR("{}"));
    json_end(&c->out);
}

static enum call_status answer_domain(struct call *c, struct str text)
{
    struct jval doc;
    if (!parse(c, text, &doc))
        return CALL_FAILED;
    write_domain(c, doc);
    return CALL_DONE;
}

/* The one configuration of the input; absent if there is none. */
static bool read_configuration(struct call *c, struct jval *ret)
{
    struct jval list = jval_get(c->in, "domainNameConfigurations");
    *ret = jval_at(list, 0);
    if (jval_count(list) > 1)
        return v2_bad(c, "Only one domain name configuration is allowed");
    struct str type = text_of(c, *ret, "endpointType");
    return type.n == 0 || str_eq_c(type, "REGIONAL") ||
           v2_bad(c, "Only REGIONAL domain names are allowed");
}

enum call_status gw2_create_domain_name(struct call *c)
{
    struct str name = gw_in(c, "domainName");
    struct jval configuration, tags = jval_get(c->in, "tags");
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    struct json_out w;
    if (!domain_check_new(c, name) || !read_configuration(c, &configuration))
        return CALL_FAILED;
    if (!jval_present(configuration)) {
        v2_bad(c, "Domain name configurations must not be empty");
        return CALL_FAILED;
    }
    struct str policy = text_of(c, configuration, "securityPolicy");
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "domainName", name);
    json_str(&w, "regionalCertificateArn", text_of(c, configuration, "certificateArn"));
    json_str(&w, "securityPolicy", policy.n > 0 ? policy : STR("TLS_1_2"));
    if (jval_present(tags))
        json_raw(&w, "tags", jval_raw(tags));
    domain_write_names(c, &w, name, STR("REGIONAL"));
    json_end(&w);
    if (b->overflow || !gw_save(c, STR(""), GW_DOMAIN, name, buf_view(b)))
        return b->overflow ? (gw_fail_store(c), CALL_FAILED) : CALL_FAILED;
    return answer_domain(c, buf_view(b));
}

enum call_status gw2_get_domain_name(struct call *c)
{
    struct str name, text;
    return domain_need(c, &name, &text) ? answer_domain(c, text) : CALL_FAILED;
}

enum call_status gw2_get_domain_names(struct call *c)
{
    size_t limit;
    struct str after;
    struct gw_doc *docs;
    struct jval doc;
    if (!v2_page(c, &limit, &after))
        return CALL_FAILED;
    size_t count =
        gw_doc_list(c->svc->state, STR(""), GW_DOMAIN, after, limit + 1, c->arena, &docs);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "items");
    for (size_t i = 0; i < count && i < limit; i++) {
        if (!parse(c, docs[i].text, &doc))
            return CALL_FAILED;
        write_domain(c, doc);
    }
    json_end(&c->out);
    if (count > limit)
        json_str(&c->out, "nextToken", docs[limit - 1].id);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status gw2_update_domain_name(struct call *c)
{
    struct str name, text, routing = gw_in(c, "routingMode");
    struct jval configuration;
    if (!domain_need(c, &name, &text) || !read_configuration(c, &configuration))
        return CALL_FAILED;
    if (jval_present(jval_get(c->in, "mutualTlsAuthentication"))) {
        v2_unsupported(c, "mutual TLS");
        return CALL_FAILED;
    }
    if (routing.n > 0 && !str_eq_c(routing, "API_MAPPING_ONLY")) {
        v2_unsupported(c, "routing rules");
        return CALL_FAILED;
    }
    struct str certificate = text_of(c, configuration, "certificateArn");
    struct str policy = text_of(c, configuration, "securityPolicy");
    if (certificate.n > 0)
        text = gw_doc_set(c->arena, text, &STR("regionalCertificateArn"), 1,
                          gw_quote(c->arena, certificate));
    if (policy.n > 0)
        text = gw_doc_set(c->arena, text, &STR("securityPolicy"), 1, gw_quote(c->arena, policy));
    return gw_save(c, STR(""), GW_DOMAIN, name, text) ? answer_domain(c, text) : CALL_FAILED;
}

/* ---- API mappings ---- */

static void write_mapping(struct call *c, struct jval doc)
{
    struct str key = text_of(c, doc, "basePath");
    json_obj(&c->out, NULL);
    json_str(&c->out, "apiId", text_of(c, doc, "restApiId"));
    json_str(&c->out, "apiMappingId", text_of(c, doc, "apiMappingId"));
    json_str(&c->out, "apiMappingKey", str_eq_c(key, "(none)") ? STR("") : key);
    json_str(&c->out, "stage", text_of(c, doc, "stage"));
    json_end(&c->out);
}

static enum call_status answer_mapping(struct call *c, struct str text)
{
    struct jval doc;
    if (!parse(c, text, &doc))
        return CALL_FAILED;
    write_mapping(c, doc);
    return CALL_DONE;
}

static bool check_key(struct call *c, struct str key)
{
    bool ok = key.n <= KEY_MAX && (key.n == 0 || (key.p[0] != '/' && key.p[key.n - 1] != '/'));
    for (size_t i = 0; i < key.n && ok; i++) {
        char x = key.p[i];
        ok = (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9') ||
             str_find(STR("-_.+!*'$/"), x) >= 0;
    }
    return ok || v2_bad(c,
                        "API mapping key should contain only letters, numbers and $-_.+!*'/, "
                        "and at most %d of them",
                        KEY_MAX);
}

/* An API of either kind and its stage. */
static bool check_target(struct call *c, struct str api, struct str stage)
{
    struct str account, region, text;
    bool http = gw_api_get(c->svc->state, GW2_API, api, c->arena, &account, &region, &text);
    if (!http && !gw_api_get(c->svc->state, GW_API, api, c->arena, &account, &region, &text))
        return v2_bad(c, "Invalid API identifier specified");
    return gw_doc_get(c->svc->state, api, http ? GW2_STAGE : GW_STAGE, stage, c->arena, &text) ||
           v2_bad(c, "Invalid stage identifier specified");
}

static bool check_free(struct call *c, struct str id)
{
    struct str text;
    return !gw_doc_get(c->svc->state, STR(""), GW_BASE_PATH, id, c->arena, &text) ||
           aws_fail(&c->err, c->arena, &APIGATEWAYV2_ConflictException,
                    "ApiMapping key already exists for this domain name");
}

enum call_status gw2_create_api_mapping(struct call *c)
{
    struct str name, text, api = gw_in(c, "apiId"), stage = gw_in(c, "stage");
    struct str key = gw_in(c, "apiMappingKey"), id;
    if (!domain_need(c, &name, &text) || !check_key(c, key) || !check_target(c, api, stage))
        return CALL_FAILED;
    id = domain_mapping_id(c, name, key);
    if (!check_free(c, id))
        return CALL_FAILED;
    text = domain_mapping_new(c, key, api, stage);
    return gw_save(c, STR(""), GW_BASE_PATH, id, text) ? answer_mapping(c, text) : CALL_FAILED;
}

/* domainName and apiMappingId of the call. */
static bool need_mapping(struct call *c, struct gw_doc *ret, struct jval *ret_doc)
{
    struct str name, text, id = gw_in(c, "apiMappingId");
    struct gw_doc *docs;
    if (!domain_need(c, &name, &text))
        return false;
    size_t count = domain_mappings(c, name, &docs);
    for (size_t i = 0; i < count; i++) {
        *ret = docs[i];
        if (!parse(c, docs[i].text, ret_doc))
            return false;
        if (str_eq(text_of(c, *ret_doc, "apiMappingId"), id))
            return true;
    }
    return aws_fail(&c->err, c->arena, &APIGATEWAYV2_NotFoundException,
                    "Invalid ApiMapping identifier specified");
}

enum call_status gw2_get_api_mapping(struct call *c)
{
    struct gw_doc found;
    struct jval doc;
    if (!need_mapping(c, &found, &doc))
        return CALL_FAILED;
    write_mapping(c, doc);
    return CALL_DONE;
}

enum call_status gw2_get_api_mappings(struct call *c)
{
    struct str name, text, after;
    struct gw_doc *docs;
    struct jval doc;
    size_t limit, shown = 0, last = 0;
    bool more = false;
    if (!domain_need(c, &name, &text) || !v2_page(c, &limit, &after))
        return CALL_FAILED;
    size_t count = domain_mappings(c, name, &docs);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "items");
    for (size_t i = 0; i < count; i++) {
        if (after.n > 0 && str_cmp(docs[i].id, after) <= 0)
            continue;
        more = shown == limit;
        if (more)
            break;
        if (!parse(c, docs[i].text, &doc))
            return CALL_FAILED;
        write_mapping(c, doc);
        shown++;
        last = i;
    }
    json_end(&c->out);
    if (more)
        json_str(&c->out, "nextToken", docs[last].id);
    json_end(&c->out);
    return CALL_DONE;
}

static struct str changed(struct call *c, struct str text, const char *member, const char *from)
{
    struct str path = str_c(member), value = gw_in(c, from);
    if (!jval_present(jval_get(c->in, from)))
        return text;
    if (value.n == 0)
        value = STR("(none)"); /* only a key may be empty */
    return gw_doc_set(c->arena, text, &path, 1, gw_quote(c->arena, value));
}

enum call_status gw2_update_api_mapping(struct call *c)
{
    struct gw_doc found;
    struct jval doc;
    if (!check_key(c, gw_in(c, "apiMappingKey")) || !need_mapping(c, &found, &doc))
        return CALL_FAILED;
    struct str text = changed(c, found.text, "basePath", "apiMappingKey");
    text = changed(c, text, "restApiId", "apiId");
    text = changed(c, text, "stage", "stage");
    if (!parse(c, text, &doc) ||
        !check_target(c, text_of(c, doc, "restApiId"), text_of(c, doc, "stage")))
        return CALL_FAILED;
    struct str id = domain_mapping_id(c, gw_in(c, "domainName"), text_of(c, doc, "basePath"));
    if (!str_eq(id, found.id) &&
        (!check_free(c, id) || gw_remove(c, STR(""), GW_BASE_PATH, found.id) != CALL_DONE))
        return CALL_FAILED;
    return gw_save(c, STR(""), GW_BASE_PATH, id, text) ? answer_mapping(c, text) : CALL_FAILED;
}

enum call_status gw2_delete_api_mapping(struct call *c)
{
    struct gw_doc found;
    struct jval doc;
    return need_mapping(c, &found, &doc) ? gw_remove(c, STR(""), GW_BASE_PATH, found.id)
                                         : CALL_FAILED;
}
