/* Literals and parameters as attribute values. Literals are written as a request's JSON and read by
 * attr.c, so that both obey the same rules; what PartiQL alone forbids is found while writing. */
#include "partiql.h"
#include <stdarg.h>
#include <stdio.h>

#define NESTED                                                                                     \
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "    \
    "beyond supported limit"

bool pql_fail(struct pql_context *x, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct buf *b = arena_new_buf(x->a, 1 << 20);
    char small[1024];
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof small) {
        buf_add(b, (struct str){small, (size_t)n});
    } else if (n > 0 && buf_reserve(b, (size_t)n + 1)) {
        va_start(ap, fmt);
        vsnprintf(b->p, (size_t)n + 1, fmt, ap);
        va_end(ap);
        b->n = (size_t)n;
    }
    return aws_fail(x->err, x->a, &AWS_ValidationException, "%.*s", STR_ARG(buf_view(b)));
}

/* ---- parameters ---- */

/* Numbers are read here as Java's BigDecimal reads them: exponent and scale (fraction digits less
 * exponent) have 32 bits, what does not fit is no number; and the magnitude, digits less scale,
 * wraps around (newest captures, PartiQL only). Whatever else is wrong with it attr.c says. */
static bool check_exponent(struct pql_context *x, struct jval v)
{
    struct str text;
    int64_t e = 0;
    if (!jval_str(v, x->a, &text))
        return true;
    ptrdiff_t at = str_find(text, 'e') >= 0 ? str_find(text, 'e') : str_find(text, 'E');
    if (at < 0)
        return true;
    struct str mantissa = str_sub(text, 0, (size_t)at);
    struct str exponent = str_sub(text, (size_t)at + 1, text.n);
    if (exponent.n > 0 && exponent.p[0] == '+')
        exponent = str_sub(exponent, 1, exponent.n);
    for (size_t i = exponent.n > 0 && exponent.p[0] == '-'; i < exponent.n; i++) {
        if (exponent.p[i] < '0' || exponent.p[i] > '9')
            return true;
    }
    ptrdiff_t point = str_find(mantissa, '.');
    int64_t fraction = point < 0 ? 0 : (int64_t)mantissa.n - point - 1;
    bool fits = str_to_i64(exponent, &e) && e >= INT32_MIN && e <= INT32_MAX &&
                fraction - e >= INT32_MIN && fraction - e <= INT32_MAX;
    if (!fits)
        return pql_fail(x, "The parameter cannot be converted to a numeric value: %.*s",
                        STR_ARG(text));
    int64_t digits = 0;
    for (size_t i = 0; i < mantissa.n; i++)
        digits += digits > 0 ? mantissa.p[i] != '.' : mantissa.p[i] >= '1' && mantissa.p[i] <= '9';
    if (digits - (fraction - e) > INT32_MAX)
        return pql_fail(x, "%.*s", STR_ARG(num_error_text(NUM_UNDERFLOW, text, x->a)));
    return true;
}

static bool check_numbers(struct pql_context *x, struct jval v, int depth)
{
    struct jval it = {0}, inner = {0};
    struct str type;
    if (depth >= ATTR_DEPTH_MAX)
        return pql_fail(x, NESTED);
    while (jval_next(v, &it, &type)) {
        if (str_eq_c(type, "N") && !check_exponent(x, it))
            return false;
        bool set = str_eq_c(type, "NS"), deep = str_eq_c(type, "M") || str_eq_c(type, "L");
        inner = (struct jval){0};
        while ((set || deep) && jval_next(it, &inner, NULL)) {
            if (set ? !check_exponent(x, inner) : !check_numbers(x, inner, depth + 1))
                return false;
        }
    }
    return true;
}

bool pql_params_read(struct pql_context *x, struct jval parameters)
{
    struct jval it = {0};
    size_t count = jval_count(parameters);
    if (!jval_present(parameters))
        return true;
    struct attr *params = ARENA_ARRAY(x->a, struct attr, count);
    for (size_t i = 0; jval_next(parameters, &it, NULL); i++) {
        struct buf *text = arena_new_buf(x->a, ATTR_TEXT_MAX);
        if (!check_numbers(x, it, 0) || !attr_read(it, ATTR_OLDER, x->a, text, &params[i], x->err))
            return false;
    }
    x->params = params;
    x->param_count = count;
    return true;
}

/* ---- literals ---- */

struct writer { /* not json.h's: an item may be nested deeper than that writes */
    struct pql_context *x;
    struct buf *text, *place; /* place: "root.x[1]" */
};

static void put(struct writer *w, const char *text)
{
    buf_add(w->text, str_c(text));
}

static void put_string(struct writer *w, struct str s)
{
    buf_addc(w->text, '"');
    json_escape(w->text, s);
    buf_addc(w->text, '"');
}

static bool fail_at(struct writer *w, const struct pql_node *n, const char *what)
{
    return pql_fail(w->x, "%s under key %.*s" PQL_AT, what, STR_ARG(buf_view(w->place)),
                    PQL_AT_ARG(n->at));
}

/* What stands where only a value may: at the top AWS shows the word, below it the kind. */
static bool fail_kind(struct writer *w, const struct pql_node *n, bool top)
{
    static const char *const kinds[] = {[PQL_MISSING] = "LiteralMissing",
                                        [PQL_NAME] = "VariableReference",
                                        [PQL_PARAM] = "Parameter",
                                        [PQL_PATH] = "Path",
                                        [PQL_OP] = "NAry",
                                        [PQL_IS] = "Typed",
                                        [PQL_CALL] = "NAry",
                                        [PQL_AGGREGATE] = "CallAgg",
                                        [PQL_CASE] = "SearchedCase",
                                        [PQL_CAST] = "Typed",
                                        [PQL_DATE] = "DateTimeType",
                                        [PQL_SELECT] = "Select",
                                        [PQL_DML] = "DataManipulation",
                                        [PQL_DDL] = "CreateTable",
                                        [PQL_EXEC] = "Exec"};
    struct str place = buf_view(w->place);
    if (n->kind == PQL_MISSING && top)
        return fail_at(w, n, "Unsupported data type: MISSING");
    if (!top)
        return fail_at(w, n, arena_fmt(w->x->a, "Unsupported data type: %s", kinds[n->kind]).p);
    if (n->kind == PQL_PATH)
        return pql_fail(w->x, "Unsupported data type: PATH under key %.*s", STR_ARG(place));
    struct str shown = n->kind == PQL_IS       ? STR("is")
                       : n->kind == PQL_SELECT ? STR("SELECT")
                                               : n->text;
    return fail_at(w, n, arena_fmt(w->x->a, "Unsupported data type: %.*s", STR_ARG(shown)).p);
}

static const char *ion_type(struct str s)
{
    s = str_trim(s);
    char c = s.n > 0 ? s.p[0] : '\0';
    bool digit = (c >= '0' && c <= '9') || c == '-';
    if (c == '"')
        return "STRING";
    if (digit)
        return str_find(s, 'e') >= 0 ? "FLOAT" : str_find(s, '.') >= 0 ? "DECIMAL" : "INT";
    if (str_starts(s, STR("null")))
        return "NULL";
    if (str_eq_c(s, "true") || str_eq_c(s, "false"))
        return "BOOL";
    if (str_starts(s, STR("{{")))
        return "BLOB";
    return c == '{' ? "STRUCT" : c == '[' ? "LIST" : c == '(' ? "SEXP" : "SYMBOL";
}

static bool write_number(struct writer *w, const struct pql_node *n)
{
    struct num value;
    char text[NUM_TEXT_MAX];
    enum num_error e = num_parse(n->text, &value);
    if (e != NUM_OK)
        return pql_fail(w->x, "%.*s under %.*s", STR_ARG(num_error_text(e, n->text, w->x->a)),
                        STR_ARG(buf_view(w->place)));
    bool decimal =
        str_find(n->text, '.') >= 0 || str_find(n->text, 'e') >= 0 || str_find(n->text, 'E') >= 0;
    if (value.count == 0 && n->text.p[0] == '-' && decimal)
        return fail_at(w, n, "Negative zero decimal is not supported");
    put_string(w, (struct str){text, num_text(&value, text)});
    return true;
}

static bool write_bag(struct writer *w, const struct pql_node *n)
{
#define BAG_TYPES                                                                                  \
    "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"
    if (n->count == 0)
        return pql_fail(w->x, "Empty bags are not supported");
    enum pql_kind kind = n->child[0]->kind;
    for (uint32_t i = 0; i < n->count; i++) {
        const struct pql_node *c = n->child[i];
        if (c->kind != PQL_NUMBER && c->kind != PQL_STRING)
            return pql_fail(w->x, BAG_TYPES PQL_AT, PQL_AT_ARG(c->at));
        if (c->kind != kind)
            return pql_fail(w->x, BAG_TYPES);
    }
    put(w, kind == PQL_NUMBER ? "\"NS\":[" : "\"SS\":[");
    for (uint32_t i = 0; i < n->count; i++) {
        put(w, i == 0 ? "" : ",");
        if (kind == PQL_STRING)
            put_string(w, n->child[i]->text);
        else if (!write_number(w, n->child[i]))
            return false;
    }
    put(w, "]");
    return true;
}

static bool write_value(struct writer *w, const struct pql_node *n, bool top, int depth);

static bool check_key(struct writer *w, const struct pql_node *n, uint32_t i, struct pql_at at)
{
    static const char *const kinds[] = {[PQL_NUMBER] = "INT",      [PQL_FLAG] = "BOOL",
                                        [PQL_NULL] = "NULL",       [PQL_MISSING] = "LiteralMissing",
                                        [PQL_ION] = "SYMBOL",      [PQL_NAME] = "VariableReference",
                                        [PQL_PARAM] = "Parameter", [PQL_LIST] = "Seq",
                                        [PQL_BAG] = "Seq",         [PQL_STRUCT] = "Struct",
                                        [PQL_PATH] = "Path"};
    const struct pql_node *key = n->child[i];
    struct str place = buf_view(w->place);
    if (key->kind != PQL_STRING)
        return pql_fail(
            w->x, "Tuple keys must be of type String. Actual type: %s under %.*s" PQL_AT,
            key->kind <= PQL_PATH ? kinds[key->kind] : "NAry", STR_ARG(place), PQL_AT_ARG(key->at));
    for (uint32_t k = 0; k < i; k += 2) {
        if (str_eq(n->child[k]->text, key->text))
            return pql_fail(w->x, "Duplicate keys in tuple. Key: %.*s under %.*s" PQL_AT,
                            STR_ARG(key->text), STR_ARG(place), PQL_AT_ARG(at));
    }
    return key->text.n > 0 || pql_fail(w->x, "Path component cannot be an empty string");
}

static bool write_struct(struct writer *w, const struct pql_node *n, int depth)
{
    put(w, "\"M\":{");
    for (uint32_t i = 0; i < n->count; i += 2) {
        if (!check_key(w, n, i, n->at))
            return false;
        size_t place = w->place->n;
        buf_addf(w->place, ".%.*s", STR_ARG(n->child[i]->text));
        put(w, i == 0 ? "" : ",");
        put_string(w, n->child[i]->text);
        put(w, ":");
        if (!write_value(w, n->child[i + 1], false, depth + 1))
            return false;
        w->place->n = place;
    }
    put(w, "}");
    return true;
}

static bool write_list(struct writer *w, const struct pql_node *n, int depth)
{
    put(w, "\"L\":[");
    for (uint32_t i = 0; i < n->count; i++) {
        size_t place = w->place->n;
        buf_addf(w->place, "[%u]", i);
        put(w, i == 0 ? "" : ",");
        if (!write_value(w, n->child[i], false, depth + 1))
            return false;
        w->place->n = place;
    }
    put(w, "]");
    return true;
}

static bool write_value(struct writer *w, const struct pql_node *n, bool top, int depth)
{
    bool ok = true;
    if (depth >= ATTR_DEPTH_MAX)
        return pql_fail(w->x, NESTED);
    put(w, "{");
    switch (n->kind) {
    case PQL_STRING:
        put(w, "\"S\":");
        put_string(w, n->text);
        break;
    case PQL_NUMBER:
        put(w, "\"N\":");
        ok = write_number(w, n);
        break;
    case PQL_FLAG:
        put(w, n->text.p[0] == 't' ? "\"BOOL\":true" : "\"BOOL\":false");
        break;
    case PQL_NULL:
        put(w, "\"NULL\":true");
        break;
    case PQL_ION:
        return fail_at(
            w, n, arena_fmt(w->x->a, "Ion Literals are not supported: %s", ion_type(n->text)).p);
    case PQL_LIST:
        ok = write_list(w, n, depth);
        break;
    case PQL_BAG:
        ok = write_bag(w, n);
        break;
    case PQL_STRUCT:
        ok = write_struct(w, n, depth);
        break;
    default:
        return fail_kind(w, n, top);
    }
    put(w, "}");
    return ok;
}

bool pql_is_value(const struct pql_node *n)
{
    return n->kind <= PQL_STRUCT && n->kind != PQL_NAME && n->kind != PQL_MISSING;
}

/* json: of an attribute value as in a request. */
static bool read_back(struct pql_context *x, struct str json, struct attr *ret)
{
    struct jval v;
    struct buf *text = arena_new_buf(x->a, ATTR_TEXT_MAX);
    if (!json_parse(x->a, json, JSON_DEPTH_DEFAULT, &v, NULL))
        return pql_fail(x, PQL_NOT_WELL_FORMED);
    return attr_read(v, ATTR_OLDER, x->a, text, ret, x->err);
}

bool pql_value(struct pql_context *x, const struct pql_node *n, struct attr *ret)
{
    if (n->kind == PQL_PARAM) {
        if (n->param >= x->param_count)
            return pql_fail(x, "Number of parameters in request and statement don't match.");
        *ret = x->params[n->param];
    } else {
        struct writer w = {
            .x = x, .text = arena_new_buf(x->a, 1 << 24), .place = arena_new_buf(x->a, 1 << 16)};
        buf_add(w.place, STR("root"));
        if (!write_value(&w, n, true, 0) || !read_back(x, buf_view(w.text), ret))
            return false;
    }
    return ret->size <= ATTR_ITEM_SIZE_MAX || pql_fail(x, "%s", x->too_big);
}

bool pql_item(struct pql_context *x, const struct pql_node *n, struct item *ret)
{
    struct writer w = {.x = x, .place = arena_new_buf(x->a, 64)};
    buf_add(w.place, STR("root"));
    struct buf *json = arena_new_buf(x->a, ATTR_TEXT_MAX),
               *text = arena_new_buf(x->a, ATTR_TEXT_MAX);
    struct json_out out;
    json_out_init(&out, json);
    json_obj(&out, NULL);
    for (uint32_t i = 0; i < n->count; i += 2) {
        struct attr value;
        if (!check_key(&w, n, i, n->child[i]->at) || !pql_value(x, n->child[i + 1], &value))
            return false;
        json_key(&out, n->child[i]->text);
        json_raw(&out, NULL, value.json);
    }
    json_end(&out);
    struct jval v;
    if (!json_parse(x->a, buf_view(json), JSON_DEPTH_DEFAULT, &v, NULL))
        return pql_fail(x, "%s", x->too_big);
    return item_read(v, ATTR_OLDER, x->a, text, ret, x->err) &&
           (ret->size <= ATTR_ITEM_SIZE_MAX || pql_fail(x, "%s", x->too_big));
}
