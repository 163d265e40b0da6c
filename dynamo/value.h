/* value.h - attribute values over their canonical text ({"S":"x"}, see attr.h), decoded only where
 * they are touched: a value that nobody looks into is a span of text, and is written as that span.
 * Pure. The texts come from item_read or the store, so a malformed one is our own bug (PANIC). */
#ifndef PUDDLE_VALUE_H
#define PUDDLE_VALUE_H
#include "attr.h"

struct value {
    enum attr_type type;
    bool open;       /* L, M and sets: the children are listed */
    struct str json; /* canonical text with its type; p == NULL: changed, written from the parts */
    uint32_t count, cap;
    uint32_t *slot, slots;     /* of a big map: children by a hash of their keys */
    struct value_child *child; /* L and sets: names empty; members of a set are S, N or B */
};
struct value_child {
    struct str key; /* of a map: the name as it stands in the text, escapes and all */
    struct value v;
    bool gone; /* removed; keeps its place until the value is written, so that indexes hold */
};

/* ---- the text ---- */

/* Walks the members of a canonical object, starting with *at == 0: name as it stands in the text
 * (between the quotes), value with its type. False: no more. */
bool text_next_member(struct str object, size_t *at, struct str *ret_key, struct str *ret_value);
/* The same for an array. */
bool text_next_element(struct str array, size_t *at, struct str *ret_element);
/* name as it stands in canonical text: itself if nothing needs an escape. */
struct str text_key(struct str name, struct arena *a);
/* The reverse. */
struct str text_unescape(struct str text, struct arena *a);
/* The value of a top-level attribute of a canonical item; STR_NONE: absent. key: see text_key. */
struct str text_find(struct str item, struct str key);

/* ---- values ---- */

struct value value_wrap(struct str json);
/* The item itself as a map; "" gives an empty one. */
struct value value_of_item(struct str item, struct arena *a);
/* What stands behind the type: "x", "12", [...], {...}, true. Not for changed values. */
struct str value_body(const struct value *v);
/* The characters of an S, the decoded bytes of a B, the text of an N. */
struct str value_bytes(const struct value *v, struct arena *a);
void value_number(const struct value *v, struct num *ret); /* N only */
bool value_flag(const struct value *v);                    /* BOOL only */

/* Lists the children of an L, M or set. */
void value_open(struct value *v, struct arena *a);
/* NULL: absent or not a map / list. They open v; the child may then be changed in place only by
 * a caller that calls value_touch on every value above it. */
struct value *value_member(struct value *v, struct str key, struct arena *a);
/* The same as an index; v->count: absent. */
size_t value_find(struct value *v, struct str key, struct arena *a);
struct value *value_element(struct value *v, size_t index, struct arena *a);
/* v (opened) will differ from its text. */
void value_touch(struct value *v);
/* Adds to or replaces in a map (key already as in text), appends to a list or set, removes the
 * index-th child (the others keep their indexes). All open and touch v. */
void value_put(struct value *v, struct str key, struct value x, struct arena *a);
void value_append(struct value *v, struct value x, struct arena *a);
void value_remove(struct value *v, size_t index);

struct value value_new(enum attr_type type); /* empty L, M or set */
struct value value_new_number(const struct num *n, struct arena *a);

/* By value: numbers are normal in their text already, sets and maps have no order. */
bool value_equal(struct value *x, struct value *y, struct arena *a);
/* Both S, both N or both B; otherwise false. */
bool value_compare(const struct value *x, const struct value *y, struct arena *a, int *ret);
/* The contains function: substring, member of a set, element of a list. Not for changed values. */
bool value_contains(struct value *x, struct value *y, struct arena *a);
/* size(): false where DynamoDB has none (N, BOOL, NULL). Not for changed values. */
bool value_size_function(const struct value *x, struct arena *a, size_t *ret);
/* What it counts in an item (facts 53-55), name not included. */
size_t value_size(const struct value *v);
/* Reads an item from text that is known to be canonical (the store's, an update's): several times
 * faster than item_read_stored, which also finds damage. The attributes stay spans of json. */
void item_of_text(struct str json, struct arena *a, struct item *ret);
/* Levels below it: a scalar, a set or an empty list or map 0. */
int value_depth(const struct value *v);
/* At least the length of the text that value_write would append. */
size_t value_text_size(const struct value *v);
/* Appends the canonical text. value_write_item: an M as an item, without its type. */
void value_write(const struct value *v, struct buf *out);
void value_write_item(const struct value *v, struct buf *out);
#endif
