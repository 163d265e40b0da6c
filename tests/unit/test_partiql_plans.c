/* links: puddle_dynamo */
/* Random conditions over keys and other attributes: however a SELECT is read (one item, ranges of
 * several partitions, an index, all of the table), it gives the items its condition is true for,
 * each once, in pages of any size. The reference is a bit an item, worked out beside the text. */
#include "partiql_fixture.h"

enum { ITEMS = 8, ROUNDS = 4000, EVERY = (1 << ITEMS) - 1 };
enum { TABLE, GLOBAL, LOCAL };
static int source; /* only attributes that it has are asked for */
static uint64_t seed = 7;

static int rnd(int below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (int)((unsigned)(seed >> 33) % (unsigned)below);
}

/* Item i of ccc: pk p or q, sk and l by i % 4, x is i, g of two values. */
static int number_of(const char *name, int i)
{
    return *name == 'x' ? i : i % 4 + 1;
}

static bool holds(int a, const char *op, int b)
{
    bool same = a == b;
    return op[0] == '='   ? same
           : op[0] == '<' ? (op[1] == '>' ? !same : a < b || (op[1] != '\0' && same))
                          : a > b || (op[1] != '\0' && same);
}

static int compare(struct buf *b, const char *name)
{
    static const char *const ops[] = {"=", "=", "<>", "<", "<=", ">", ">="};
    const char *op = ops[rnd(7)];
    int n = rnd(6), mask = 0;
    buf_addf(b, "%s %s %d", name, op, n);
    for (int i = 0; i < ITEMS; i++)
        mask |= holds(number_of(name, i), op, n) << i;
    return mask;
}

static int between(struct buf *b, const char *name)
{
    int from = rnd(5), to = rnd(6), mask = 0;
    buf_addf(b, "%s BETWEEN %d AND %d", name, from, to);
    for (int i = 0; i < ITEMS; i++)
        mask |= (number_of(name, i) >= from && number_of(name, i) <= to) << i;
    return mask;
}

static int one_of(struct buf *b, const char *name)
{
    int n = rnd(6), m = rnd(6), mask = 0;
    buf_addf(b, "%s IN [%d, %d]", name, n, m);
    for (int i = 0; i < ITEMS; i++)
        mask |= (number_of(name, i) == n || number_of(name, i) == m) << i;
    return mask;
}

static int partition(struct buf *b)
{
    static const struct {
        const char *text;
        int mask;
        int not_in; /* this index */
    } all[] = {{"pk = 'p'", 0x0f, TABLE},
               {"'q' = pk", 0xf0, TABLE},
               {"pk = 'p'", 0x0f, TABLE},
               {"pk = 'none'", 0, TABLE},
               {"pk IN ['p', 'q']", EVERY, TABLE},
               {"pk IN ['q', 'x']", 0xf0, TABLE},
               {"pk <> 'p'", 0xf0, TABLE},
               {"pk > 'p'", 0xf0, TABLE},
               {"begins_with(pk, 'p')", 0x0f, TABLE},
               {"g = 'g1'", 0x55, LOCAL},
               {"g = 'g0'", 0xaa, LOCAL},
               {"l = 'l2'", 0x44, GLOBAL},
               {"l > 'l2'", 0x33, GLOBAL},
               {"begins_with(l, 'l')", EVERY, GLOBAL},
               {"attribute_exists(pk)", EVERY, TABLE},
               {"none IS MISSING", EVERY, TABLE},
               {"none = 1", 0, TABLE}};
    size_t i;
    do {
        i = (size_t)rnd(sizeof all / sizeof *all);
    } while (all[i].not_in != TABLE && all[i].not_in == source);
    buf_add(b, str_c(all[i].text));
    return all[i].mask;
}

static const char *number(void)
{
    return source == GLOBAL || rnd(3) > 0 ? "sk" : "x";
}

static int condition(struct buf *b, int depth)
{
    int kind = rnd(depth > 0 ? 10 : 5), left, right;
    if (kind < 3)
        return kind == 0 ? compare(b, number()) : partition(b);
    if (kind < 5)
        return kind == 3 ? between(b, number()) : one_of(b, number());
    buf_add(b, str_c(kind == 5 ? "NOT (" : "("));
    left = condition(b, depth - 1);
    buf_add(b, STR(")"));
    if (kind == 5)
        return EVERY & ~left;
    buf_add(b, str_c(kind < 8 ? " AND (" : " OR ("));
    right = condition(b, depth - 1);
    buf_add(b, STR(")"));
    return kind < 8 ? left & right : left | right;
}

/* The items of a reply as bits, added to *mask. False: one of them was there before. */
static bool add_found(struct str reply, int *mask)
{
    struct str rest = pql_keys_of(reply);
    while (rest.n > 0) {
        struct str key = str_cut(&rest, ' ');
        int bit = 1 << ((key.p[0] == 'q' ? 4 : 0) + key.p[1] - '1');
        if ((*mask & bit) != 0)
            return false;
        *mask |= bit;
    }
    return true;
}

/* All pages. -1: an error of the first page; -2: an item came twice or there was no end. */
static int found(const char *statement, int limit)
{
    struct str token = STR("");
    int mask = 0;
    for (int i = 0; i < 200; i++) {
        const char *next = token.n == 0 ? "" : FX(",\"NextToken\":%.*s", STR_ARG(token));
        const char *at_most = limit == 0 ? "" : FX(",\"Limit\":%d", limit);
        struct str r = pql_with(statement, FX("%s%s", at_most, next));
        if (str_starts(r, STR("ValidationException")))
            return i == 0 ? -1 : -2;
        if (!add_found(r, &mask))
            return -2;
        token = fx_get(r, "NextToken");
        if (str_eq_c(token, "(missing)"))
            return mask;
    }
    return -2;
}

TEST(a_select_finds_what_its_condition_says)
{
    static const char *const names[] = {"ccc", "ccc.gii", "ccc.lii"};
    int answered = 0;
    CHECK(pql_open());
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 200 == 199) { /* the arena of the test holds all replies */
            fx_close();
            CHECK(pql_open());
        }
        struct buf *where = arena_new_buf(fx_arena, 1 << 16);
        source = rnd(3);
        int want = condition(where, 3);
        const char *statement =
            FX("SELECT pk, sk FROM %s WHERE %.*s", names[source], STR_ARG(buf_view(where)));
        int got = found(statement, 0), paged = found(statement, 1 + rnd(4));
        if (got != paged || (got != -1 && got != want)) {
            test_fail(__FILE__, __LINE__, "%s\n    want %x, got %x, in pages %x", statement, want,
                      got, paged);
            return;
        }
        answered += got >= 0;
    }
    CHECK(answered > ROUNDS / 2);
    fx_close();
}

/* A write whose condition is false says so, and only changes its item. */
TEST(a_write_happens_as_its_condition_says)
{
    int done = 0;
    source = TABLE;
    CHECK(pql_open());
    for (int i = 0; i < ROUNDS / 4; i++) {
        struct buf *where = arena_new_buf(fx_arena, 1 << 16);
        int item = rnd(ITEMS), want = condition(where, 2);
        const char *statement = FX("UPDATE ccc SET touched = %d WHERE pk = '%c' AND sk = %d AND "
                                   "(%.*s) RETURNING ALL OLD *",
                                   i, item < 4 ? 'p' : 'q', item % 4 + 1, STR_ARG(buf_view(where)));
        struct str r = pql(statement);
        bool refused = str_starts(r, STR("ValidationException"));
        bool failed = str_starts(r, STR("ConditionalCheckFailedException"));
        if (!refused && failed == ((want >> item & 1) != 0)) {
            test_fail(__FILE__, __LINE__, "%s\n    want %x, got %.*s", statement, want, STR_ARG(r));
            return;
        }
        done += !refused && !failed;
    }
    CHECK(done > 50);
    fx_close();
}
