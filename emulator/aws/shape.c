/* Lookups in the generated tables. The passes of the validator are shape_types.c (declared types)
 * and shape_limits.c (everything else); neither allocates while nothing is wrong. Their recursion
 * follows the document, whose depth the JSON reader has capped. */
#include "shape_internal.h"
#include <string.h>

const struct op_model *shape_find_op(const struct shape_model *m, struct str name)
{
    size_t low = 0, high = m->op_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp(str_c(m->ops[middle].name), name);
        if (order == 0)
            return &m->ops[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct shape_member *shape_find_member(const struct shape_model *m, const struct shape *s,
                                             struct jval iter, struct str key, struct arena *a)
{
    const struct shape_member *members = &m->members[s->first_member];
    if (key.n > 1 && memchr(key.p, '\\', key.n) != NULL)
        key = jval_key_str(iter, a); /* "Table\u004eame" is TableName to the handlers too */
    for (size_t i = 0; i < s->member_count && key.n > 0; i++) {
        if (members[i].name_n == key.n && members[i].name[0] == key.p[0] &&
            memcmp(members[i].name, key.p, key.n) == 0)
            return &members[i];
    }
    return NULL;
}
