/* links: puddle_dynamo */
/* Whatever the page sizes, directions and segments: every item comes exactly once and in order.
 * The reference is the test's own list of what it put. */
#include "codec.h"
#include "read_fixture.h"

enum { ITEMS_MAX = 400, ROUNDS = 12 };

struct ref { /* one item as the test knows it */
    int pk, sk, g, r;
    bool in_gsi;
};
static struct ref refs[ITEMS_MAX];
static size_t ref_count;
static char types[4]; /* of pk, sk (0: none), g, r (0: none) */
static uint64_t seed = 42;

static unsigned rnd(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

/* The n-th value of a type, so that a smaller n sorts first: also with the bytes 0 and 255, and
 * with numbers of all signs and sizes. */
static const char *value(char type, int n)
{
    static const char *const numbers[] = {"-1E125",  "-77.5", "-77.4",  "-1",   "-0.001",
                                          "-1E-130", "0",     "1E-130", "0.5",  "0.51",
                                          "3",       "30",    "1E20",   "1E125"};
    static const char *const bytes[] = {"00", "0000", "0001", "00ff", "01",   "0100",   "7f",
                                        "80", "ff",   "ff00", "ff01", "ffff", "ffff00", "ffffff"};
    static const char *const strings[] = {"\\u0000",
                                          "\\u0000\\u0000",
                                          "\\u0000\\u0001",
                                          "\\u0000a",
                                          "\\u0001",
                                          "A",
                                          "AA",
                                          "a",
                                          "a\\u0000",
                                          "aa",
                                          "b",
                                          "~",
                                          "\u00e4",
                                          "\U0001F600"};
    if (type == 'N')
        return FX("{\"N\":\"%s\"}", numbers[n]);
    if (type == 'S')
        return FX("{\"S\":\"%s\"}", strings[n]);
    uint8_t raw[8];
    size_t size = strlen(bytes[n]) / 2;
    for (size_t i = 0; i < size; i++)
        sscanf(bytes[n] + 2 * i, "%2hhx", &raw[i]);
    struct str text = codec_base64_encode(fx_arena, (struct str){(char *)raw, size});
    return FX("{\"B\":\"%.*s\"}", STR_ARG(text));
}
enum { VALUES = 14 };

static const char *key_of(const struct ref *x)
{
    const char *pk = FX("\"pk\":%s", value(types[0], x->pk));
    return types[1] == 0 ? pk : FX("%s,\"sk\":%s", pk, value(types[1], x->sk));
}

static const char *item_of(const struct ref *x)
{
    const char *g = !x->in_gsi ? "" : FX(",\"g\":%s", value(types[2], x->g));
    const char *r = !x->in_gsi || types[3] == 0 ? "" : FX(",\"r\":%s", value(types[3], x->r));
    return FX("{%s%s%s,\"id\":{\"N\":\"%d\"}}", key_of(x), g, r, (int)(x - refs));
}

static const char *key_schema(const char *hash, const char *range)
{
    const char *h = FX("{\"AttributeName\":\"%s\",\"KeyType\":\"HASH\"}", hash);
    return range == NULL ? h : FX("%s,{\"AttributeName\":\"%s\",\"KeyType\":\"RANGE\"}", h, range);
}

static bool create(void)
{
    static const char *const names[] = {"pk", "sk", "g", "r"};
    const char *defs = "";
    for (int i = 0; i < 4; i++) {
        if (types[i] != 0)
            defs = FX("%s%s{\"AttributeName\":\"%s\",\"AttributeType\":\"%c\"}", defs,
                      i > 0 ? "," : "", names[i], types[i]);
    }
    const char *project = rnd(2) == 0 ? "\"ALL\"" : "\"INCLUDE\",\"NonKeyAttributes\":[\"id\"]";
    const char *gsi =
        FX("{\"IndexName\":\"gsi\",\"KeySchema\":[%s],\"Projection\":{\"ProjectionType\":%s}}",
           key_schema("g", types[3] != 0 ? "r" : NULL), project);
    const char *lsi =
        types[1] == 0 || types[3] == 0
            ? ""
            : FX(",\"LocalSecondaryIndexes\":[{\"IndexName\":\"lsi\",\"KeySchema\":[%s],"
                 "\"Projection\":{\"ProjectionType\":\"ALL\"}}]",
                 key_schema("pk", "r"));
    struct str made =
        fx_call("CreateTable", FX("{\"TableName\":\"tab\",\"BillingMode\":\"PAY_PER_REQUEST\","
                                  "\"AttributeDefinitions\":[%s],"
                                  "\"KeySchema\":[%s],\"GlobalSecondaryIndexes\":[%s]%s}",
                                  defs, key_schema("pk", types[1] != 0 ? "sk" : NULL), gsi, lsi));
    return str_find_str(made, STR("TableId")) >= 0;
}

static bool fill(size_t tries)
{
    ref_count = 0;
    for (size_t i = 0; i < tries; i++) {
        struct ref x = {(int)rnd(types[1] == 0 ? VALUES : 5), (int)rnd(VALUES), (int)rnd(3),
                        (int)rnd(VALUES / 2), rnd(4) != 0};
        size_t k = 0;
        while (k < ref_count && (refs[k].pk != x.pk || (types[1] != 0 && refs[k].sk != x.sk)))
            k++;
        refs[k] = x;
        ref_count = k == ref_count ? k + 1 : ref_count;
        if (!str_eq_c(
                fx_call("PutItem", FX("{\"TableName\":\"tab\",\"Item\":%s}", item_of(&refs[k]))),
                "{}"))
            return false;
    }
    return true;
}

/* All pages of a read with random limits: the ids in the order they came, or -1 in the first one.
 */
static size_t read_all(const char *op, const char *body, int *ids)
{
    struct str start = STR("");
    size_t n = 0;
    for (int pages = 0; pages < 2 * ITEMS_MAX; pages++) {
        const char *limit = rnd(3) == 0 ? "" : FX(",\"Limit\":%u", 1 + rnd(7));
        struct str reply =
            fx_call(op, FX("{\"TableName\":\"tab\"%s%s%s%.*s}", body, limit,
                           start.n > 0 ? ",\"ExclusiveStartKey\":" : "", STR_ARG(start)));
        struct jval v, it = {0};
        if (!json_parse(fx_arena, reply, 64, &v, NULL)) {
            fprintf(stderr, "  %.*s\n", STR_ARG(reply));
            ids[0] = -1;
            return 1;
        }
        while (jval_next(jval_get(v, "Items"), &it, NULL)) {
            int64_t id;
            if (!str_to_i64(jval_text(jval_get(jval_get(it, "id"), "N"), fx_arena), &id) ||
                n == ITEMS_MAX) {
                ids[0] = -1;
                return 1;
            }
            ids[n++] = (int)id;
        }
        struct jval last = jval_get(v, "LastEvaluatedKey");
        if (!jval_present(last))
            return n;
        start = jval_raw(last);
    }
    ids[0] = -1;
    return 1;
}

/* Each of the items for which wanted says yes is there once. */
static bool is_all(const int *ids, size_t n, bool (*wanted)(const struct ref *, int), int arg)
{
    bool seen[ITEMS_MAX] = {false};
    size_t want = 0;
    for (size_t i = 0; i < ref_count; i++)
        want += wanted(&refs[i], arg);
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < 0 || (size_t)ids[i] >= ref_count || seen[ids[i]] ||
            !wanted(&refs[ids[i]], arg))
            return false;
        seen[ids[i]] = true;
    }
    return n == want;
}

static bool any(const struct ref *x, int arg)
{
    (void)x, (void)arg;
    return true;
}

static bool of_partition(const struct ref *x, int pk)
{
    return x->pk == pk;
}

static bool in_gsi(const struct ref *x, int arg)
{
    (void)arg;
    return x->in_gsi;
}

static bool of_gsi(const struct ref *x, int g)
{
    return x->in_gsi && x->g == g;
}

static bool of_lsi(const struct ref *x, int pk)
{
    return x->in_gsi && x->pk == pk;
}

enum order { BY_SK, BY_R, BY_NOTHING };
static bool is_sorted(const int *ids, size_t n, enum order by, bool backward)
{
    for (size_t i = 1; i < n && by != BY_NOTHING; i++) {
        const struct ref *a = &refs[ids[i - 1]], *b = &refs[ids[i]];
        int order = by == BY_SK ? a->sk - b->sk : a->r - b->r;
        if (backward ? order < 0 : order > 0)
            return false;
    }
    return true;
}

static const char *query_of(const char *index, const char *name, char type, int n, bool backward)
{
    return FX(
        "%s%s,\"KeyConditionExpression\":\"%s = :v\",\"ExpressionAttributeValues\":{\":v\":%s}",
        index, backward ? ",\"ScanIndexForward\":false" : "", name, value(type, n));
}

static bool check_queries(const char *index, const char *name, char type, int count,
                          bool (*wanted)(const struct ref *, int), enum order by)
{
    static int up[ITEMS_MAX], down[ITEMS_MAX];
    for (int v = 0; v < count; v++) {
        size_t n = read_all("Query", query_of(index, name, type, v, false), up);
        size_t m = read_all("Query", query_of(index, name, type, v, true), down);
        if (!is_all(up, n, wanted, v) || !is_sorted(up, n, by, false) || m != n)
            return false;
        for (size_t i = 0; i < n; i++) {
            if (up[i] != down[n - 1 - i])
                return false;
        }
    }
    return true;
}

static bool check_scans(const char *index, bool (*wanted)(const struct ref *, int))
{
    static int whole[ITEMS_MAX], parts[ITEMS_MAX];
    size_t n = read_all("Scan", index, whole);
    for (unsigned total = 1; total < 9; total++) {
        size_t m = 0;
        for (unsigned segment = 0; segment < total; segment++)
            m += read_all("Scan",
                          FX("%s,\"Segment\":%u,\"TotalSegments\":%u", index, segment, total),
                          parts + m);
        /* Segments are parts of one order. */
        if (m != n || memcmp(whole, parts, n * sizeof *whole) != 0)
            return false;
    }
    return is_all(whole, n, wanted, 0);
}

TEST(every_item_comes_once_and_in_order)
{
    static const char kinds[] = "SNB";
    for (int round = 0; round < ROUNDS; round++) {
        CHECK(fx_open(NULL));
        types[0] = kinds[round % 3];
        types[1] = round % 4 == 3 ? 0 : kinds[rnd(3)];
        types[2] = kinds[rnd(3)];
        types[3] = rnd(3) == 0 ? 0 : kinds[rnd(3)];
        CHECK(create());
        CHECK(fill(types[1] == 0 ? 30 : 120));
        CHECK(
            check_queries("", "pk", types[0], 5, of_partition, types[1] != 0 ? BY_SK : BY_NOTHING));
        CHECK(check_queries(",\"IndexName\":\"gsi\"", "g", types[2], 3, of_gsi,
                            types[3] != 0 ? BY_R : BY_NOTHING));
        CHECK(check_scans("", any));
        CHECK(check_scans(",\"IndexName\":\"gsi\"", in_gsi));
        if (types[1] != 0 && types[3] != 0) {
            CHECK(check_queries(",\"IndexName\":\"lsi\"", "pk", types[0], 5, of_lsi, BY_R));
            CHECK(check_scans(",\"IndexName\":\"lsi\"", in_gsi));
        }
        fx_close();
    }
}

/* Every operator against every bound, on a table's sort key and on an index's. */
static bool matches(const char *op, int x, int low, int high)
{
    return strcmp(op, "=") == 0    ? x == low
           : strcmp(op, "<") == 0  ? x < low
           : strcmp(op, "<=") == 0 ? x <= low
           : strcmp(op, ">") == 0  ? x > low
           : strcmp(op, ">=") == 0 ? x >= low
                                   : x >= low && x <= high;
}

static bool check_operator(const char *op, bool index, int low, int high)
{
    static int ids[ITEMS_MAX];
    bool between = strcmp(op, "BETWEEN") == 0;
    const char *name = index ? "r" : "sk", *hash = index ? "g" : "pk";
    char type = types[index ? 3 : 1], hash_type = types[index ? 2 : 0];
    const char *second = between ? " AND :h" : "";
    const char *third = between ? FX(",\":h\":%s", value(type, high)) : "";
    size_t n = read_all("Query",
                        FX("%s,\"KeyConditionExpression\":\"%s = :v AND %s %s :l%s\","
                           "\"ExpressionAttributeValues\":{\":v\":%s,\":l\":%s%s}",
                           index ? ",\"IndexName\":\"gsi\"" : "", hash, name, op, second,
                           value(hash_type, 1), value(type, low), third),
                        ids);
    size_t want = 0;
    for (size_t i = 0; i < ref_count; i++) {
        const struct ref *x = &refs[i];
        want += (index ? of_gsi(x, 1) : of_partition(x, 1)) &&
                matches(op, index ? x->r : x->sk, low, high);
    }
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < 0 || !matches(op, index ? refs[ids[i]].r : refs[ids[i]].sk, low, high))
            return false;
    }
    return n == want && is_sorted(ids, n, index ? BY_R : BY_SK, false);
}

TEST(operators_select_exactly_their_ranges)
{
    static const char *const ops[] = {"=", "<", "<=", ">", ">=", "BETWEEN"};
    static const char kinds[] = "SNB";
    for (int k = 0; k < 3; k++) {
        CHECK(fx_open(NULL));
        types[0] = types[2] = 'S';
        types[1] = types[3] = kinds[k];
        CHECK(create());
        CHECK(fill(250));
        for (size_t o = 0; o < sizeof ops / sizeof *ops; o++) {
            for (int low = 0; low < VALUES; low += o == 5 ? 3 : 1) {
                CHECK(check_operator(ops[o], false, low, low + (int)rnd((unsigned)(VALUES - low))));
                CHECK(check_operator(ops[o], true, low, low + (int)rnd((unsigned)(VALUES - low))));
            }
        }
        fx_close();
    }
}
