/* attr.h - attribute values: checked in DynamoDB's order with its messages, turned into the
 * canonical JSON text that is stored and sent, and sized. Pure. Facts 36-63 of
 * facts/dynamodb.md. */
#ifndef PUDDLE_ATTR_H
#define PUDDLE_ATTR_H
#include "aws_err.h"
#include "json.h"
#include "num.h"

enum attr_type {
    ATTR_NONE,
    ATTR_S,
    ATTR_N,
    ATTR_B,
    ATTR_SS,
    ATTR_NS,
    ATTR_BS,
    ATTR_M,
    ATTR_L,
    ATTR_NULL,
    ATTR_BOOL
};
enum {
    ATTR_ITEM_SIZE_MAX = 409600,
    ATTR_DEPTH_MAX = 32,      /* a value at this depth is refused; an item's own are at 0 */
    ATTR_NAME_MAX = 65535,    /* bytes */
    ATTR_TEXT_MAX = 64 << 20, /* text of an item of the maximal size: numbers expand */
};
const char *attr_type_name(enum attr_type type); /* "S", "NULL", ... */

struct attr { /* one top-level attribute of an item or key */
    struct str name;
    enum attr_type type;
    struct str bytes; /* S: its UTF-8; N: its stored text; B: the decoded bytes; others: empty */
    struct str json;  /* the canonical value with its type: {"S":"x"} */
    size_t size;      /* name included */
    size_t text_at;   /* where json begins in the reader's text: item_read's own */
};
struct item {
    struct attr *attrs; /* in the order given */
    size_t count;
    size_t size;     /* exact up to ATTR_ITEM_SIZE_MAX, above it only "too big" */
    struct str json; /* {"name":{"S":"x"},...}; meaningless when the item is too big */
};
const struct attr *item_find(const struct item *item, struct str name); /* NULL: absent */

/* How the operation words an error in a number or set (fact 36). ATTR_OLDER: the older layer's
 * texts (BatchWriteItem, Transact..., Scan), bare. */
enum attr_wording { ATTR_BARE, ATTR_ENVELOPED, ATTR_OLDER };
/* Reads the map of attribute values v. text receives the JSON; it and a must outlive *ret.
 * The size is not limited here: AWS reports that after other checks. */
bool item_read(struct jval v, enum attr_wording wording, struct arena *a, struct buf *text,
               struct item *ret, struct aws_err *err);
/* One value by the same rules, as an attribute without a name; size and json included. A value of
 * more than ATTR_ITEM_SIZE_MAX has its exact size only up to there, and no json. */
bool attr_read(struct jval v, enum attr_wording wording, struct arena *a, struct buf *text,
               struct attr *ret, struct aws_err *err);
/* An item as it was stored. False: the text is not an item (damaged). */
bool item_read_stored(struct str json, struct arena *a, struct buf *text, struct item *ret);

/* The bytes of an S, N or B that stand for it in a key (see key.h). */
struct str attr_key_bytes(const struct attr *at, struct arena *a);
#endif
