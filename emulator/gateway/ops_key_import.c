/* ImportApiKeys: keys from a CSV file whose first line names the columns: name, key, description,
 * enabled, usageplanIds, in any order. unverified: the texts of errors and warnings. */
#include "apigateway_model.h"
#include "ids.h"
#include "ops_key.h"

enum { COLUMNS_MAX = 16, KEYS_MAX = 10000, WARNING_BYTES = 1 << 20 };
enum column { COL_NAME, COL_KEY, COL_DESCRIPTION, COL_ENABLED, COL_PLANS, COL_COUNT };

/* The next record's fields; quoted ones may hold commas, line ends and doubled quotes. False: the
 * text is not CSV. */
static bool next_record(struct arena *a, struct str *rest, struct str *fields, size_t *ret_count)
{
    *ret_count = 0;
    for (bool more = true; more;) {
        char *out = arena_alloc_raw(a, rest->n + 1);
        size_t n = 0, i = 0;
        bool quoted = rest->n > 0 && rest->p[0] == '"', open = quoted;
        for (i = quoted ? 1 : 0; i < rest->n; i++) {
            char ch = rest->p[i];
            if (open && ch == '"') {
                open = i + 1 < rest->n && rest->p[i + 1] == '"';
                if (!open)
                    continue;
                i++;
            } else if (!open && (ch == ',' || ch == '\n')) {
                break;
            }
            if (open || ch != '\r')
                out[n++] = ch;
        }
        if (open || *ret_count == COLUMNS_MAX)
            return false;
        fields[(*ret_count)++] = str_trim((struct str){out, n});
        more = i < rest->n && rest->p[i] == ',';
        *rest = i < rest->n ? str_sub(*rest, i + 1, rest->n) : STR("");
        if (more && rest->n == 0) { /* a comma at the very end */
            if (*ret_count == COLUMNS_MAX)
                return false;
            fields[(*ret_count)++] = STR("");
            more = false;
        }
    }
    return true;
}

static bool read_header(struct call *c, struct str *rest, int *places)
{
    static const char *const names[] = {"name", "key", "description", "enabled", "usageplanIds"};
    struct str fields[COLUMNS_MAX];
    size_t count;
    for (size_t k = 0; k < COL_COUNT; k++)
        places[k] = -1;
    if (!next_record(c->arena, rest, fields, &count))
        return gw_bad(c, "Failed to parse the CSV file");
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < COL_COUNT; k++) {
            if (str_case_eq(fields[i], str_c(names[k])))
                places[k] = (int)i;
        }
    }
    return (places[COL_NAME] >= 0 && places[COL_KEY] >= 0) ||
           gw_bad(c, "The first line must name the columns, among them name and key");
}

static struct str field(const struct str *fields, size_t count, int place)
{
    return place >= 0 && (size_t)place < count ? fields[place] : STR("");
}

static bool add_to_plans(struct call *c, struct str plans, struct str key, struct str text,
                         struct json_out *warnings)
{
    struct str ignored;
    struct jval doc;
    if (!json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL))
        return gw_fail_store(c);
    while (plans.p != NULL && plans.n > 0) {
        struct str plan = str_trim(str_cut(&plans, ','));
        if (plan.n == 0)
            continue;
        if (!gw_doc_get(c->svc->state, STR(""), GW_USAGE_PLAN, plan, c->arena, &ignored))
            json_str(warnings, NULL,
                     arena_fmt(c->arena, "Invalid Usage Plan ID specified: %.*s", STR_ARG(plan)));
        else if (!plan_add_key(c, plan, key, doc, &ignored))
            return false;
    }
    return true;
}

static bool import_one(struct call *c, const struct str *fields, size_t count, const int *places,
                       struct json_out *warnings)
{
    struct str name = field(fields, count, places[COL_NAME]);
    struct str description = field(fields, count, places[COL_DESCRIPTION]);
    struct str enabled = field(fields, count, places[COL_ENABLED]);
    struct str value = field(fields, count, places[COL_KEY]);
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    struct json_out w;
    char id[11];
    if (!key_check_value(c, value))
        return false;
    if (name.n > KEY_NAME_MAX)
        return gw_bad(c, "Invalid API Key name, can be at most 1024 characters.");
    ids_lower_alnum(id, 10);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_cstr(&w, "id", id);
    json_str(&w, "value", value);
    json_str(&w, "name", name);
    if (description.n > 0)
        json_str(&w, "description", description);
    json_bool(&w, "enabled", str_case_eq(enabled, STR("true")));
    json_i64(&w, "createdDate", c->now_ms / 1000);
    json_i64(&w, "lastUpdatedDate", c->now_ms / 1000);
    json_raw(&w, "stageKeys", STR("[]"));
    json_end(&w);
    json_cstr(&c->out, NULL, id);
    return gw_save(c, STR(""), GW_API_KEY, str_c(id), buf_view(b)) &&
           add_to_plans(c, field(fields, count, places[COL_PLANS]), str_c(id), buf_view(b),
                        warnings);
}

static bool import_all(struct call *c, struct str rest, struct buf *warnings)
{
    struct str fields[COLUMNS_MAX];
    struct json_out w;
    int places[COL_COUNT];
    size_t count, keys = 0;
    bool strict = false;
    json_out_init(&w, warnings);
    json_arr(&w, NULL);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "ids");
    if (!read_header(c, &rest, places))
        return false;
    while (rest.n > 0) {
        if (!next_record(c->arena, &rest, fields, &count))
            return gw_bad(c, "Failed to parse the CSV file");
        if (count == 1 && fields[0].n == 0)
            continue;
        if (keys++ == KEYS_MAX)
            return gw_bad(c, "At most %d keys can be imported at once", KEYS_MAX);
        if (!import_one(c, fields, count, places, &w))
            return false;
    }
    json_end(&w);
    json_end(&c->out);
    jval_bool(jval_get(c->in, "failOnWarnings"), &strict);
    if (strict && warnings->n > 2)
        return gw_bad(c, "Warnings found during import: %.*s", STR_ARG(buf_view(warnings)));
    json_raw(&c->out, "warnings", buf_view(warnings));
    json_end(&c->out);
    return true;
}

enum call_status gw_import_api_keys(struct call *c)
{
    struct gateway *g = c->svc->state;
    struct buf *warnings = arena_new_buf(c->arena, WARNING_BYTES);
    if (!str_eq_c(gw_in(c, "format"), "csv")) {
        gw_bad(c, "Invalid format specified: it must be csv");
        return CALL_FAILED;
    }
    if (!db_begin(g->db) || !db_savepoint(g->db)) {
        gw_fail_store(c);
        return CALL_FAILED;
    }
    if (!import_all(c, c->payload, warnings)) {
        db_savepoint_rollback(g->db);
        return CALL_FAILED;
    }
    db_savepoint_release(g->db);
    return CALL_DONE;
}
