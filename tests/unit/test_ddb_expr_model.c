/* links: puddle_dynamo */
/* Random updates of random items against a small model that works another way: it marks what is
 * removed and collects what is appended, and puts each list together once at the end. */
#include "expr_fixture.h"

enum kind { K_N, K_S, K_SS, K_L, K_M };
struct node {
    enum kind kind;
    int64_t number;
    unsigned set; /* K_SS: bits of "a".."h" */
    char letter;  /* K_S */
    struct node *child[16];
    char name[16]; /* K_M: names of the children, one letter each */
    bool dead[16];
    struct node *extra[16]; /* K_L: set behind the end, and at which index */
    int extra_at[16];
    int count, extras;
};

static uint64_t seed = 88172645463325252u;
static unsigned rnd(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % below;
}

static struct node *new_node(enum kind kind)
{
    struct node *n = ARENA_NEW(xp_arena, struct node);
    n->kind = kind;
    return n;
}

static struct node *random_node(int depth)
{
    struct node *n = new_node((enum kind)rnd(depth > 3 ? 3 : 5));
    n->number = (int64_t)rnd(9) - 4;
    n->letter = (char)('p' + rnd(4));
    n->set = 1 + rnd(255);
    n->count = n->kind >= K_L ? (int)rnd(5) : 0;
    for (int i = 0; i < n->count; i++) {
        n->name[i] = (char)('a' + i);
        n->child[i] = random_node(depth + 1);
    }
    return n;
}

static struct node *copy_node(const struct node *n)
{
    struct node *c = ARENA_NEW(xp_arena, struct node);
    *c = *n;
    for (int i = 0; i < n->count; i++)
        c->child[i] = copy_node(n->child[i]);
    return c;
}

/* Canonical text; maps by name, so that two equal items give one text. */
static void print_node(struct buf *b, const struct node *n, bool item)
{
    bool first = true;
    static const char *const types[] = {"N", "S", "SS", "L", "M"};
    if (!item)
        buf_addf(b, "{\"%s\":", types[n->kind]);
    if (n->kind == K_N)
        buf_addf(b, "\"%lld\"", (long long)n->number);
    if (n->kind == K_S)
        buf_addf(b, "\"%c\"", n->letter);
    if (n->kind == K_SS) {
        for (int i = 0; i < 8; i++) {
            if (n->set & 1u << i)
                buf_addf(b, "%s\"%c\"", b->p[b->n - 1] == ':' ? "[" : ",", 'a' + i);
        }
        buf_addc(b, ']');
    }
    if (n->kind == K_L) {
        buf_addc(b, '[');
        for (int i = 0; i < n->count; i++) {
            if (!n->dead[i] && !first)
                buf_addc(b, ',');
            if (!n->dead[i])
                print_node(b, n->child[i], false), first = false;
        }
        for (int at = 0; at < 64; at++) {
            for (int i = 0; i < n->extras; i++) {
                if (n->extra_at[i] != at)
                    continue;
                buf_add(b, first ? STR("") : STR(","));
                print_node(b, n->extra[i], false);
                first = false;
            }
        }
        buf_addc(b, ']');
    }
    if (n->kind == K_M) {
        buf_addc(b, '{');
        for (char name = 'a'; name <= 'z'; name++) {
            for (int i = 0; i < n->count; i++) {
                if (n->name[i] != name || n->dead[i])
                    continue;
                buf_addf(b, "%s\"%c\":", first ? "" : ",", name);
                print_node(b, n->child[i], false);
                first = false;
            }
        }
        buf_addc(b, '}');
    }
    if (!item)
        buf_addc(b, '}');
}

/* Our answer, read into a node so that it can be printed the same way. */
static struct node *read_node(struct jval typed)
{
    struct jval it = {0}, v = {0};
    struct str type, key;
    jval_next(typed, &v, &type);
    struct node *n = new_node(str_eq_c(type, "N")    ? K_N
                              : str_eq_c(type, "S")  ? K_S
                              : str_eq_c(type, "SS") ? K_SS
                              : str_eq_c(type, "L")  ? K_L
                                                     : K_M);
    struct str text = jval_text(v, xp_arena);
    if (n->kind == K_N && !str_to_i64(text, &n->number))
        n->number = INT64_MIN;
    if (n->kind == K_S)
        n->letter = text.p[0];
    while (n->kind >= K_SS && jval_next(v, &it, &key)) {
        if (n->kind == K_SS) {
            n->set |= 1u << (jval_text(it, xp_arena).p[0] - 'a');
            continue;
        }
        n->name[n->count] = n->kind == K_M ? key.p[0] : '\0';
        n->child[n->count++] = read_node(it);
    }
    return n;
}

/* ---- updates ---- */

struct step {
    char name; /* '\0': an index */
    int index;
};
struct path {
    struct step step[4];
    int count;
};
struct action {
    int kind; /* 0 SET, 1 REMOVE, 2 ADD, 3 DELETE */
    struct path path;
    int form; /* of a SET: value, path, if_not_exists, list_append, sum */
    struct path from;
    struct node *value;
};

static struct path random_path(const struct node *item)
{
    struct path p = {.count = 1 + (int)(rnd(2) * rnd(3))};
    const struct node *at = item;
    for (int i = 0; i < p.count; i++) {
        bool index = i > 0 && (at != NULL && rnd(8) != 0 ? at->kind == K_L : rnd(2) == 0);
        p.step[i].name = index ? '\0' : (char)('a' + rnd(6));
        p.step[i].index = (int)rnd(6);
        if (at != NULL && at->count > 0 && rnd(4) != 0) { /* mostly what is there */
            int k = (int)rnd((unsigned)at->count);
            p.step[i].name = index ? '\0' : at->kind == K_M ? at->name[k] : 'a';
            p.step[i].index = k;
        }
        const struct node *next = NULL;
        for (int k = 0; at != NULL && k < at->count; k++) {
            if (index ? at->kind == K_L && k == p.step[i].index
                      : at->kind == K_M && at->name[k] == p.step[i].name)
                next = at->child[k];
        }
        at = next;
    }
    return p;
}

static void print_path(struct buf *b, const struct path *p)
{
    for (int i = 0; i < p->count; i++) {
        if (p->step[i].name == '\0')
            buf_addf(b, "[%d]", p->step[i].index);
        else
            buf_addf(b, "%s%c", i == 0 ? "" : ".", p->step[i].name);
    }
}

static bool clash(const struct path *x, const struct path *y)
{
    for (int i = 0; i < x->count && i < y->count; i++) {
        if ((x->step[i].name == '\0') != (y->step[i].name == '\0'))
            return true;
        if (x->step[i].name != y->step[i].name ||
            (x->step[i].name == '\0' && x->step[i].index != y->step[i].index))
            return false;
    }
    return true;
}

static struct node **find(struct node *n, const struct path *p, int steps, int *ret_at)
{
    static struct node *root;
    struct node **at = &root;
    root = n;
    for (int i = 0; i < steps; i++) {
        int k = 0;
        n = *at;
        if (n->kind != (p->step[i].name == '\0' ? K_L : K_M))
            return NULL;
        while (k < n->count &&
               (n->kind == K_L ? k != p->step[i].index : n->name[k] != p->step[i].name))
            k++;
        if (k == n->count)
            return NULL;
        *ret_at = k;
        at = &n->child[k];
    }
    return at;
}

static const struct node *look(const struct node *old, const struct path *p)
{
    int at;
    struct node **found = find((struct node *)old, p, p->count, &at);
    return found == NULL ? NULL : *found;
}

/* NULL: the update is refused. */
static struct node *right_side(const struct node *old, const struct action *x)
{
    const struct node *from = look(old, &x->from);
    struct node *n;
    switch (x->form) {
    case 0:
        return copy_node(x->value);
    case 1:
        return from == NULL ? NULL : copy_node(from);
    case 2:
        return copy_node(from == NULL ? x->value : from);
    case 3:
        if (from == NULL || from->kind != K_L)
            return NULL;
        n = copy_node(from);
        for (int i = 0; i < x->value->count && n->count < 16; i++)
            n->child[n->count++] = copy_node(x->value->child[i]);
        return n;
    default:
        if (from == NULL || from->kind != K_N)
            return NULL;
        n = copy_node(from);
        n->number += x->form == 4 ? x->value->number : -x->value->number;
        return n;
    }
}

static bool put(struct node *now, const struct path *p, struct node *value)
{
    int at = 0;
    struct node **parent = find(now, p, p->count - 1, &at);
    const struct step *last = &p->step[p->count - 1];
    if (parent == NULL || (*parent)->kind != (last->name == '\0' ? K_L : K_M))
        return false;
    struct node *n = *parent, **old = find(now, p, p->count, &at);
    if (old != NULL) {
        *old = value;
    } else if (n->kind == K_M) {
        n->name[n->count] = last->name;
        n->child[n->count++] = value;
    } else {
        n->extra_at[n->extras] = last->index;
        n->extra[n->extras++] = value;
    }
    return true;
}

static bool take(struct node *now, const struct path *p)
{
    int at = 0;
    struct node **parent = find(now, p, p->count - 1, &at);
    if (parent == NULL || (*parent)->kind != (p->step[p->count - 1].name == '\0' ? K_L : K_M))
        return false;
    struct node *n = *parent;
    if (find(now, p, p->count, &at) != NULL)
        n->dead[at] = true;
    return true;
}

static bool apply(const struct node *old, struct node *now, const struct action *x)
{
    const struct node *target = look(old, &x->path);
    if (x->kind == 1)
        return take(now, &x->path);
    if (x->kind == 0) {
        struct node *value = right_side(old, x);
        return value != NULL && put(now, &x->path, value);
    }
    if (target != NULL && target->kind != x->value->kind)
        return false;
    if (x->kind == 3 && target == NULL) /* only the place above it is checked */
        return take(now, &x->path);
    struct node *sum = copy_node(target == NULL ? x->value : target);
    if (x->kind == 2 && target != NULL) {
        sum->number += x->value->number;
        sum->set |= x->value->set;
    }
    if (x->kind == 3) {
        sum->set &= ~x->value->set;
        if (sum->set == 0)
            return take(now, &x->path);
    }
    return put(now, &x->path, sum);
}

static struct action random_action(const struct node *item)
{
    struct action x = {.kind = (int)rnd(4), .path = random_path(item), .from = random_path(item)};
    x.form = (int)rnd(6);
    x.value = x.kind == 0 && x.form == 3   ? new_node(K_L)
              : x.kind == 0 && x.form >= 4 ? new_node(K_N)
              : x.kind == 0                ? random_node(2)
              : x.kind == 2 && rnd(2) == 0 ? new_node(K_N)
                                           : new_node(K_SS);
    if (x.value->kind == K_SS)
        x.value->set = 1 + rnd(255);
    if (x.value->kind == K_N)
        x.value->number = (int64_t)rnd(9) - 4;
    if (x.kind == 0 && x.form == 3 && rnd(2) == 0)
        x.value->child[x.value->count++] = random_node(3);
    return x;
}

static void print_action(struct buf *b, const struct action *x, int i)
{
    print_path(b, &x->path);
    if (x->kind == 1)
        return;
    if (x->kind != 0) {
        buf_addf(b, " :v%d", i);
        return;
    }
    static const char *const before[] = {"", "", "if_not_exists(", "list_append(", "", ""};
    static const char *const middle[] = {"", "", ", ", ", ", " + ", " - "};
    buf_addf(b, " = %s", before[x->form]);
    if (x->form != 0)
        print_path(b, &x->from);
    buf_add(b, str_c(middle[x->form]));
    if (x->form != 1)
        buf_addf(b, ":v%d", i);
    if (x->form == 2 || x->form == 3)
        buf_addc(b, ')');
}

static const char *text_of(struct buf *b)
{
    buf_addc(b, '\0');
    return buf_view(b).p;
}

/* if_not_exists(a, a) and the like are refused before any item is seen: not drawn. */
static bool usable(const struct action *list, int count, const struct action *x)
{
    for (int i = 0; i < count; i++) {
        if (clash(&list[i].path, &x->path))
            return false;
    }
    return true;
}

static const char *print_update(const struct action *list, int count, struct buf *values)
{
    static const char *const words[] = {"SET", "REMOVE", "ADD", "DELETE"};
    struct buf *text = arena_new_buf(xp_arena, 1 << 16);
    for (int kind = 0; kind < 4; kind++) {
        bool first = true;
        for (int i = 0; i < count; i++) {
            if (list[i].kind != kind)
                continue;
            buf_addf(text, "%s%s ", first ? " " : ",", first ? words[kind] : "");
            print_action(text, &list[i], i);
            first = false;
            if (kind == 1 || (kind == 0 && list[i].form == 1))
                continue;
            buf_addf(values, "%s\":v%d\":", values->n == 0 ? "{" : ",", i);
            print_node(values, list[i].value, false);
        }
    }
    if (values->n > 0)
        buf_addc(values, '}');
    return text_of(text);
}

/* Returns 1 if the update was carried out, 0 if it was refused, by both; -1: they differ. */
static int run_one(void)
{
    struct node *item = new_node(K_M), *now;
    struct action list[8];
    int count = 0, want = 1 + (int)rnd(4);
    struct buf *before = arena_new_buf(xp_arena, 1 << 16),
               *values = arena_new_buf(xp_arena, 1 << 16),
               *expected = arena_new_buf(xp_arena, 1 << 16),
               *got = arena_new_buf(xp_arena, 1 << 16);
    for (int i = 0; i < 5; i++) {
        item->name[item->count] = (char)('a' + i);
        item->child[item->count++] = random_node(0);
    }
    for (int tries = 0; count < want && tries < 20; tries++) {
        struct action x = random_action(item);
        if (count > 0 && rnd(2) == 0) { /* another element of the same list */
            x.path = list[count - 1].path;
            x.path.step[x.path.count - 1].index = (int)rnd(5);
            if (rnd(2) == 0)
                x.kind = 1;
        }
        if (usable(list, count, &x))
            list[count++] = x;
    }
    print_node(before, item, true);
    const char *text = print_update(list, count, values);
    bool ok = true;
    now = copy_node(item);
    for (int i = 0; i < count && ok; i++)
        ok = apply(item, now, &list[i]);
    print_node(expected, now, true);
    const char *item_text = text_of(before);
    struct str answer = xp_update(text, item_text, NULL, values->n == 0 ? NULL : text_of(values));
    bool ours_ok = answer.n > 0 && answer.p[0] == '{';
    if (ours_ok) {
        struct jval v;
        struct buf *wrapped = arena_new_buf(xp_arena, 1 << 16);
        buf_addf(wrapped, "{\"M\":%.*s}", STR_ARG(answer));
        if (!json_parse(xp_arena, buf_view(wrapped), JSON_DEPTH_DEFAULT, &v, NULL))
            return -1;
        print_node(got, read_node(v), true);
    }
    if (ours_ok != ok || (ok && !str_eq(buf_view(got), buf_view(expected)))) {
        test_fail(__FILE__, __LINE__, "%s\n    %s\n    %.*s\n    got  %.*s\n    want %.*s", text,
                  item_text, STR_ARG(buf_view(values)), STR_ARG(answer),
                  STR_ARG(ok ? buf_view(expected) : STR("an error")));
        return -1;
    }
    return ok;
}

TEST(random_updates_like_the_model)
{
    int done = 0, refused = 0;
    for (int i = 0; i < 30000; i++) {
        xp_arena = arena_new(0, SIZE_MAX);
        int result = run_one();
        arena_free(xp_arena);
        if (result < 0)
            return;
        done += result;
        refused += !result;
    }
    CHECK(done > 3000 && refused > 1000);
}
