/* The service, and the lines of functions on their way into the store. */
#include "clock.h"
#include "cwl_internal.h"
#include "log.h"
#include "panic.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_MS = 250, BUFFER_MAX = 256 * 1024, BUFFER_SPAN_MS = 3600 * 1000, KEY_MAX = 2048 };

#define OP(name, handler, writes) {#name, handler, writes, NULL},
static struct op ops[] = {
#include "ops.def"
};
#undef OP

struct cwl *cwl_new(struct loop *loop, struct db *db, char *reterr, size_t reterr_size)
{
    struct cwl *s = calloc(1, sizeof *s);
    if (s == NULL)
        PANIC("out of memory");
    s->loop = loop;
    s->db = db;
    map_init(&s->buffers);
    s->service = (struct service){.id = "logs",
                                  .label = "Logs_20140328",
                                  .protocol = WIRE_JSON,
                                  .model = &logs_model,
                                  .ops = ops,
                                  .op_count = sizeof ops / sizeof *ops,
                                  .state = s,
                                  .internal_error = &LOGS_ServiceUnavailableException,
                                  .invalid = &LOGS_InvalidParameterException};
    service_init(&s->service);
    if (!cwl_store_open(s, reterr, reterr_size)) {
        free(s);
        return NULL;
    }
    return s;
}

struct service *cwl_service(struct cwl *s)
{
    return &s->service;
}

/* ---- lines ---- */

struct cwl_buffer {
    struct arena *mem; /* the names */
    struct str account, region, group, stream;
    struct cwl_batch batch;
};

static void buffer_free(struct cwl_buffer *b)
{
    buf_release(&b->batch.data);
    arena_free(b->mem); /* b lives there */
}

static struct cwl_buffer *buffer_new(const struct cwl_line *l)
{
    struct arena *mem = arena_new(1024, 1 << 20);
    struct cwl_buffer *b = ARENA_NEW(mem, struct cwl_buffer);
    b->mem = mem;
    b->account = arena_str(mem, l->account);
    b->region = arena_str(mem, l->region);
    b->group = arena_str(mem, l->group);
    b->stream = arena_str(mem, l->stream);
    cwl_batch_init(&b->batch);
    return b;
}

static bool find_or_make(struct cwl *s, const struct cwl_buffer *b, struct cwl_group *g,
                         struct cwl_stream *st)
{
    if (!cwl_group_find(s, b->account, b->region, b->group, b->mem, g)) {
        *g = (struct cwl_group){.created_ms = clock_now_ms(),
                                .account = b->account,
                                .region = b->region,
                                .name = b->group,
                                .log_class = STR("STANDARD"),
                                .kms = STR(""),
                                .tags_json = STR("{}")};
        if (!cwl_group_insert(s, g))
            return false;
    }
    if (cwl_stream_find(s, g->id, b->stream, b->mem, st))
        return true;
    *st = (struct cwl_stream){.created_ms = clock_now_ms(), .name = b->stream};
    return cwl_stream_insert(s, g->id, st);
}

static void store(struct cwl *s, struct cwl_buffer *b)
{
    struct cwl_group g;
    struct cwl_stream st;
    if (b->batch.count == 0)
        return;
    if (!db_begin(s->db) || !find_or_make(s, b, &g, &st) ||
        !cwl_batch_store(s, g.id, st.id, &b->batch))
        log_msg(LOG_ERROR, "logs", "%zu lines of %.*s could not be stored", b->batch.count,
                STR_ARG(b->group));
    else if (g.retention_days > 0)
        cwl_expire(s, &g);
}

void cwl_flush(struct cwl *s)
{
    size_t at = 0;
    void *value;
    if (s->loop != NULL)
        timer_clear(s->loop, &s->timer);
    if (s->buffers.count == 0)
        return;
    while (map_next(&s->buffers, &at, NULL, &value)) {
        store(s, value);
        buffer_free(value);
    }
    map_release(&s->buffers);
    map_init(&s->buffers);
}

static void flush_due(struct timer *t)
{
    cwl_flush((struct cwl *)((char *)t - offsetof(struct cwl, timer)));
}

void cwl_emit(struct cwl *s, const struct cwl_line *l)
{
    char key[KEY_MAX];
    int n = snprintf(key, sizeof key, "%.*s\n%.*s\n%.*s\n%.*s", STR_ARG(l->account),
                     STR_ARG(l->region), STR_ARG(l->group), STR_ARG(l->stream));
    if (n < 0 || (size_t)n >= sizeof key)
        return;
    struct str id = {key, (size_t)n};
    struct cwl_buffer *b = map_get(&s->buffers, id);
    if (b == NULL) {
        if (s->buffers.count == 0 && s->loop != NULL) {
            s->timer.fn = flush_due;
            timer_set(s->loop, &s->timer, clock_mono_ms() + FLUSH_MS);
        }
        b = buffer_new(l);
        map_put(&s->buffers, id, b);
    }
    /* the clock may have been moved: a chunk covers an hour at most */
    if (b->batch.data.n + l->text.n > BUFFER_MAX ||
        (b->batch.count > 0 &&
         (l->time_ms < b->batch.first_ms || l->time_ms - b->batch.first_ms > BUFFER_SPAN_MS)))
        store(s, b);
    cwl_batch_add(&b->batch, l->time_ms,
                  l->text.n > CWL_EVENT_MAX ? str_sub(l->text, 0, CWL_EVENT_MAX) : l->text, l->end);
}

void cwl_free(struct cwl *s)
{
    cwl_flush(s);
    map_release(&s->buffers);
    for (size_t i = 0; i < CWL_STMTS; i++)
        db_stmt_drop(s->db, &s->stmts[i]);
    free(s);
}

int64_t cwl_ingested(const struct cwl *s)
{
    return s->ingested;
}

bool cwl_reset(struct cwl *s)
{
    cwl_flush(s);
    return db_begin(s->db) && db_exec(s->db, "DELETE FROM cwl_chunks") &&
           db_exec(s->db, "DELETE FROM cwl_streams") && db_exec(s->db, "DELETE FROM cwl_groups");
}
