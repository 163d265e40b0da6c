/* partiql_run.h - a statement made ready and done, for the three operations of PartiQL: alone, as
 * one of a batch, as one of a transaction. */
#ifndef PUDDLE_PARTIQL_RUN_H
#define PUDDLE_PARTIQL_RUN_H
#include "capacity.h"
#include "change.h"
#include "partiql.h"

enum pql_does {
    PQL_DOES_SELECT,
    PQL_DOES_INSERT,
    PQL_DOES_UPDATE,
    PQL_DOES_DELETE,
    PQL_DOES_CHECK
};
enum pql_surface { PQL_ALONE, PQL_IN_BATCH, PQL_IN_TRANSACTION };
enum pql_returns {
    PQL_RETURN_NOTHING,
    PQL_RETURN_ALL_OLD,
    PQL_RETURN_ALL_NEW,
    PQL_RETURN_MODIFIED_OLD,
    PQL_RETURN_MODIFIED_NEW
};
struct pql_column {  /* of a select list */
    struct str name; /* in the result */
    struct expr_path *path;
};
struct pql_command {
    struct pql_context x; /* err is the call's */
    enum pql_surface surface;
    struct str statement_text;
    bool consistent;
    bool item_on_failure; /* ReturnValuesOnConditionCheckFailure ALL_OLD */
    /* filled by pql_command_parse */
    struct pql_statement statement;
    enum pql_does does;
    const struct pql_select *select; /* of SELECT and EXISTS */
    const struct pql_dml *dml;       /* of the others */
    /* filled by pql_command_prepare */
    struct table *t;
    struct index *index;        /* NULL: the table itself */
    struct expr_node *where;    /* NULL: none */
    struct pql_column *columns; /* NULL: all attributes */
    size_t column_count;
    bool whole; /* of an LSI: items are fetched from the table */
    enum pql_returns returning;
    struct ddb_change change; /* of writes and EXISTS */
    struct item key;          /* of a read of one item (not PQL_ALONE): its key */
    struct ddb_key key_bytes;
};
/* ---- partiql_command.c ---- */

/* A member of a request: what all three operations know about it. */
void pql_member_read(struct call *c, struct jval in, enum pql_surface surface,
                     struct pql_command *ret);
/* Parameters, syntax, what kind of statement it is. Parameters are read first, without a word about
 * which statement they are of: pql_command_parameters. False: c->err is set. */
bool pql_command_parameters(struct call *c, struct pql_command *m, struct jval parameters);
bool pql_command_parse(struct call *c, struct pql_command *m);
static inline bool pql_command_reads(const struct pql_command *m)
{
    return m->does == PQL_DOES_SELECT;
}
/* Everything that can be said before an item is looked at. False: c->err is set. */
bool pql_command_prepare(struct call *c, struct pql_command *m);

/* ---- partiql_write.c: the halves of prepare and what follows ---- */

bool pql_write_prepare(struct call *c, struct pql_command *m);
/* Does the write. False: c->err is set. */
bool pql_write_run(struct call *c, struct pql_command *m);
/* What RETURNING gives afterwards: canonical item; n 0: nothing. */
struct str pql_write_returned(struct pql_command *m);

/* ---- partiql_read.c ---- */

bool pql_read_prepare(struct call *c, struct pql_command *m);
/* FROM: table, perhaps index; words AWS's complaints. */
bool pql_source_names(struct pql_context *x, const struct pql_source *s, struct str *table,
                      struct str *index);
bool pql_find_table(struct call *c, struct pql_command *m, struct str name);
/* One item by its whole key. False: c->err is set. *ret_item n 0: there is none. */
bool pql_read_one(struct call *c, struct pql_command *m, struct str *ret_item, double *ret_units);
/* The columns of an item as canonical text. */
void pql_project(const struct pql_command *m, struct str item, struct buf *out);

/* ---- partiql_select.c ---- */

/* A SELECT on its own: the whole reply. */
enum call_status pql_select_run(struct call *c, struct pql_command *m, int64_t limit,
                                struct str next_token, enum capacity_mode mode);

/* ---- partiql_token.c ---- */

struct pql_position {
    size_t range;        /* of the plan */
    struct str last_key; /* canonical item; n 0: from its start */
};
struct str pql_token_make(const struct pql_command *m, struct pql_position at);
/* False: *err set. The last key is only known to be one that was given out. */
bool pql_token_read(struct pql_command *m, struct str token, struct pql_position *ret);
#endif
