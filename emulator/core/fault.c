#include "fault.h"
#include "panic.h"
#include "str.h"

enum { POINTS_MAX = 16 };
static struct point {
    struct str name;
    int64_t at, hits;
    bool onwards;
} points[POINTS_MAX];
static size_t point_count;
bool fault_armed;

void fault_setup(const char *spec)
{
    struct str rest = str_c(spec);
    point_count = 0;
    while (rest.p != NULL && rest.n > 0) {
        struct str item = str_cut(&rest, ','), name = str_cut(&item, ':');
        struct point *p = &points[point_count];
        ASSERT(point_count < POINTS_MAX);
        *p = (struct point){.name = name};
        if (item.n > 1 && item.p[item.n - 1] == '+') {
            p->onwards = true;
            item.n--;
        }
        if (!str_to_i64(item, &p->at) || p->at < 1)
            PANIC("PUDDLE_FAULT: expected name:number");
        point_count++;
    }
    fault_armed = point_count > 0;
}

bool fault_hit_slow(const char *point)
{
    bool hit = false;
    for (size_t i = 0; i < point_count; i++) { /* one name may stand several times */
        struct point *p = &points[i];
        if (!str_eq_c(p->name, point))
            continue;
        p->hits++;
        hit = hit || p->hits == p->at || (p->onwards && p->hits > p->at);
    }
    return hit;
}
