/* vtl_value.h - what mapping templates compute with: JSON's kinds and host objects ($input, $util).
 * Everything lives in the arena it was made in; lists and maps are shared by reference, as in Java.
 */
#ifndef PUDDLE_VTL_VALUE_H
#define PUDDLE_VTL_VALUE_H
#include "json.h"

enum vtl_type { VTL_NULL, VTL_BOOL, VTL_INT, VTL_DOUBLE, VTL_STRING, VTL_LIST, VTL_MAP, VTL_HOST };
struct vtl_value {
    enum vtl_type type;
    union {
        bool flag;
        int64_t integer;
        double number;
        struct str text;
        struct vtl_list *list;
        struct vtl_map *map;
        const struct vtl_host *host;
    };
};
struct vtl_list {
    struct vtl_value *items;
    size_t count, cap;
    bool is_json; /* came from a document: prints as JSON; a template's own list as Java does */
};
struct vtl_member {
    struct str key;
    struct vtl_value value;
};
struct vtl_map { /* in insertion order; of equal keys the last one counts */
    struct vtl_member *items;
    size_t count, cap;
};
/* An object of ours that templates may call. */
struct vtl_host {
    /* False: there is no such method for these arguments (the reference is then null). */
    bool (*call)(const struct vtl_host *self, struct str method, const struct vtl_value *args,
                 size_t count, struct arena *a, struct vtl_value *ret);
    /* A property; false: there is none. NULL: no properties. */
    bool (*get)(const struct vtl_host *self, struct str name, struct arena *a,
                struct vtl_value *ret);
    void *arg;
};

struct vtl_value vtl_null(void);
struct vtl_value vtl_bool(bool v);
struct vtl_value vtl_int(int64_t v);
struct vtl_value vtl_double(double v);
struct vtl_value vtl_string(struct str v);
struct vtl_value vtl_new_list(struct arena *a);
struct vtl_value vtl_new_map(struct arena *a);
void vtl_list_add(struct vtl_list *list, struct arena *a, struct vtl_value v);
/* Replaces or appends. */
void vtl_map_put(struct vtl_map *map, struct arena *a, struct str key, struct vtl_value v);
void vtl_map_remove(struct vtl_map *map, struct str key);
/* NULL: not there. */
struct vtl_value *vtl_map_get(const struct vtl_map *map, struct str key);

/* A JSON value as template value. */
struct vtl_value vtl_from_json(struct jval v, struct arena *a);
/* As JSON text; a host object is null. */
void vtl_write_json(const struct vtl_value *v, struct buf *out);
/* As a template prints it: strings bare, maps as Java's {k=v}. */
void vtl_print(const struct vtl_value *v, struct buf *out);
/* The same as text in a. */
struct str vtl_text(const struct vtl_value *v, struct arena *a);
/* Velocity's ==: numbers by value, otherwise same kind and content, or the same text. */
bool vtl_equal(const struct vtl_value *x, const struct vtl_value *y, struct arena *a);
bool vtl_is_number(const struct vtl_value *v);
double vtl_as_double(const struct vtl_value *v); /* of a number */
#endif
