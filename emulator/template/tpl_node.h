/* tpl_node.h - a template as a tree, from YAML or JSON, with line numbers. Short tags are already
 * in their long form: !Ref x is {Ref: x}, !GetAtt a.b is {Fn::GetAtt: [a, b]}. */
#ifndef PUDDLE_TPL_NODE_H
#define PUDDLE_TPL_NODE_H
#include "arena.h"

enum {
    TPL_FILE_MAX = 1024 * 1024,
    TPL_DEPTH_MAX = 64,
    TPL_HEIGHT_MAX = 128,
    TPL_WEIGHT_MAX = 200000
};

enum tpl_kind {
    TPL_SCALAR,
    TPL_SEQ,
    TPL_MAP,
    TPL_NONE /* AWS::NoValue: the member it is the value of is left out */
};
struct tpl_node {
    enum tpl_kind kind;
    bool is_null;  /* a scalar: empty, ~ or null, not quoted */
    bool is_plain; /* a scalar that is not quoted: it may be a number or a boolean */
    unsigned line;
    struct str text; /* a scalar's */
    struct tpl_pair {
        struct str key; /* empty in sequences */
        unsigned line;
        struct tpl_node *value;
    } * pairs;
    size_t count, cap;
    size_t weight;   /* nodes below, aliases counted as often as they are used */
    unsigned height; /* levels below, aliases followed */
};

/* One template being read: where errors and warnings go. */
struct tpl_log {
    struct arena *arena;
    const char *file;
    char *err;
    size_t err_size;
    struct tpl_warning {
        unsigned line;
        struct str text;
    } * warnings;
    size_t warning_count, warning_cap;
};
/* "file:line: message" for the user; always false. The first one stays. */
bool tpl_fail(struct tpl_log *log, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void tpl_warn(struct tpl_log *log, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

struct tpl_node *tpl_node_new(struct arena *a, enum tpl_kind kind, unsigned line);
struct tpl_node *tpl_scalar(struct arena *a, unsigned line, struct str text);
/* Appends to a sequence or map (no check for a second member of that name). */
void tpl_add(struct arena *a, struct tpl_node *n, struct str key, unsigned line,
             struct tpl_node *value);
/* The member of a map; NULL if absent, null or n is no map. */
struct tpl_node *tpl_get(const struct tpl_node *n, const char *key);
struct tpl_node *tpl_get_str(const struct tpl_node *n, struct str key);
/* NULL with an error: text is no YAML (or JSON) that a template may be. */
struct tpl_node *tpl_parse(struct tpl_log *log, struct str text);
/* The same for text that is JSON; NULL without an error if it is not. */
struct tpl_node *tpl_parse_json(struct tpl_log *log, struct str text);
#endif
