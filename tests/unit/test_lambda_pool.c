/* links: puddle_lambda */
#include "clock.h"
#include "harness.h"
#include "pool.h"
#include <stdlib.h>

/* Environments and invocations that only remember what happened to them. */
struct env {
    struct pool_env base;
    int stops, delivered;
};
struct job {
    struct pool_job base;
    struct env *ran_on;
    int refused; /* pool_refusal + 1 */
    bool init_failed;
};
static struct pool_set set;
static struct pool_group group;
static struct pool pool;
static struct env *last;
static int starts, emptied;
static bool cannot_start;

static struct pool_env *on_start(struct pool *p, bool provisioned)
{
    if (cannot_start)
        return NULL;
    struct env *e = calloc(1, sizeof *e);
    pool_env_init(&e->base, p, provisioned);
    starts++;
    last = e;
    return &e->base;
}
static void on_deliver(struct pool_env *e, struct pool_job *j)
{
    ((struct job *)j)->ran_on = (struct env *)e;
    ((struct env *)e)->delivered++;
}
static void on_stop(struct pool_env *e)
{
    ((struct env *)e)->stops++;
}
static void on_refuse(struct pool_job *j, enum pool_refusal why)
{
    ((struct job *)j)->refused = (int)why + 1;
}
static void on_init_failed(struct pool_env *e, struct pool_job *j)
{
    (void)e;
    ((struct job *)j)->init_failed = true;
    pool_job_done(j, -1);
}
static void on_emptied(struct pool *p)
{
    (void)p;
    emptied++;
}
static int patiences;
static void on_patience(struct pool *p)
{
    (void)p;
    patiences++;
}
static const struct pool_hooks hooks = {on_start,       on_deliver, on_stop,    on_refuse,
                                        on_init_failed, on_emptied, on_patience};

static void begin(void)
{
    clock_fake_set(1700000000000, 1000000);
    pool_set_init(&set, &hooks);
    group = (struct pool_group){.reserved = -1};
    pool_init(&pool, &set, &group);
    starts = emptied = patiences = 0;
    cannot_start = false;
    last = NULL;
}
static void ready(struct env *e)
{
    pool_env_ready(&e->base, clock_mono_ms());
}
static void gone(struct env *e)
{
    pool_env_gone(&e->base);
    free(e);
}
/* The invocation ends as a runtime ends it: response, then the next poll. */
static void answer(struct job *j)
{
    struct env *e = j->ran_on;
    pool_job_done(&j->base, -1);
    ready(e);
}
static void end(void)
{
    pool_set_stop(&set, true);
    for (struct list *n; (n = pool.envs.next) != &pool.envs;)
        gone(LIST_ITEM(n, struct env, base.link));
}

TEST(an_invocation_starts_an_environment_and_the_next_one_finds_it_warm)
{
    struct job a = {0}, b = {0};
    begin();
    pool_submit(&pool, &a.base);
    CHECK_I64(starts, 1);
    CHECK(a.ran_on == NULL);
    ready(last);
    CHECK(a.ran_on == last && last->base.state == POOL_BUSY);
    answer(&a);
    CHECK(last->base.state == POOL_IDLE);
    pool_submit(&pool, &b.base);
    CHECK(b.ran_on == last);
    CHECK_I64(starts, 1);
    answer(&b);
    CHECK_I64((long long)set.active, 0);
    end();
}

TEST(concurrent_invocations_scale_out_and_start_no_more_at_once_than_helps)
{
    struct job j[10] = {0};
    begin();
    set.max_starting = 4;
    for (int i = 0; i < 10; i++)
        pool_submit(&pool, &j[i].base);
    CHECK_I64(starts, 4);
    struct env *first = last;
    ready(first);
    CHECK(j[0].ran_on == first);
    CHECK_I64(starts, 5); /* nine wait, four are being started */
    while (!list_empty(&pool.jobs)) {
        for (struct list *n = pool.envs.next; n != &pool.envs; n = n->next) {
            struct env *e = LIST_ITEM(n, struct env, base.link);
            if (e->base.state == POOL_INIT) {
                ready(e);
                break;
            }
        }
    }
    CHECK_I64(starts, 10);
    for (int i = 0; i < 10; i++)
        CHECK(j[i].ran_on != NULL);
    for (int i = 0; i < 10; i++)
        pool_job_done(&j[i].base, -1);
    end();
}

TEST(a_waiting_invocation_takes_the_first_environment_that_becomes_free_in_order)
{
    struct job a = {0}, b = {0}, c = {0};
    begin();
    set.max_starting = 1;
    pool_submit(&pool, &a.base);
    pool_submit(&pool, &b.base);
    pool_submit(&pool, &c.base);
    struct env *e = last;
    ready(e);
    answer(&a);
    CHECK(b.ran_on == e && c.ran_on == NULL);
    answer(&b);
    CHECK(c.ran_on == e);
    answer(&c);
    end();
}

TEST(an_environment_that_crashed_is_replaced_for_those_who_wait)
{
    struct job a = {0}, b = {0};
    begin();
    set.max_environments = 1;
    pool_submit(&pool, &a.base);
    pool_submit(&pool, &b.base);
    ready(last);
    struct env *first = last;
    pool_job_done(&a.base, -1); /* the owner fails it */
    gone(first);
    CHECK_I64(starts, 2);
    ready(last);
    CHECK(b.ran_on == last && !b.init_failed);
    answer(&b);
    end();
}

TEST(an_environment_that_ends_in_init_fails_one_invocation_and_the_next_gets_a_new_one)
{
    struct job a = {0}, b = {0};
    begin();
    set.max_starting = 1;
    pool_submit(&pool, &a.base);
    pool_submit(&pool, &b.base);
    gone(last);
    CHECK(a.init_failed && !b.init_failed);
    CHECK_I64(starts, 2);
    gone(last);
    CHECK(b.init_failed);
    CHECK_I64(starts, 2);
    CHECK_I64((long long)(set.active + set.starting + set.environments), 0);
    end();
}

TEST(a_changed_function_stops_idle_environments_now_and_busy_ones_after_their_invocation)
{
    struct job a = {0}, b = {0}, c = {0};
    begin();
    pool_submit(&pool, &a.base);
    ready(last);
    struct env *busy = last;
    pool_submit(&pool, &b.base);
    ready(last);
    struct env *idle = last;
    answer(&b);
    pool_replace(&pool);
    CHECK_I64(idle->stops, 1);
    CHECK_I64(busy->stops, 0);
    pool_submit(&pool, &c.base);
    CHECK_I64(starts, 3);
    answer(&a);
    CHECK_I64(busy->stops, 1);
    CHECK(c.ran_on == NULL);
    gone(busy);
    gone(idle);
    ready(last);
    CHECK(c.ran_on == last);
    answer(&c);
    end();
}

TEST(an_environment_in_init_during_a_change_fails_no_invocation)
{
    struct job a = {0};
    begin();
    pool_submit(&pool, &a.base);
    struct env *old = last;
    pool_replace(&pool);
    CHECK_I64(old->stops, 1);
    gone(old);
    CHECK(!a.init_failed && a.refused == 0);
    CHECK_I64(starts, 2);
    ready(last);
    CHECK(a.ran_on == last);
    answer(&a);
    end();
}

TEST(idle_environments_are_reaped_when_their_time_has_come_and_not_before)
{
    struct job a = {0}, b = {0};
    begin();
    set.idle_ms = 1000;
    CHECK_I64(pool_set_reap(&set, clock_mono_ms()), -1);
    pool_submit(&pool, &a.base);
    ready(last);
    struct env *first = last;
    pool_submit(&pool, &b.base);
    ready(last);
    struct env *second = last;
    answer(&a);
    int64_t start = clock_mono_ms();
    clock_fake_advance_ms(400);
    answer(&b);
    CHECK_I64(pool_set_reap(&set, clock_mono_ms()), start + 1000);
    clock_fake_advance_ms(599);
    CHECK_I64(pool_set_reap(&set, clock_mono_ms()), start + 1000);
    CHECK_I64(first->stops + second->stops, 0);
    clock_fake_advance_ms(1);
    CHECK_I64(pool_set_reap(&set, clock_mono_ms()), start + 1400);
    CHECK_I64(first->stops, 1);
    CHECK_I64(second->stops, 0);
    clock_fake_advance_ms(400);
    CHECK_I64(pool_set_reap(&set, clock_mono_ms()), -1);
    CHECK_I64(second->stops, 1);
    end();
}

TEST(the_accounts_concurrency_is_a_limit_and_counts_waiting_invocations)
{
    struct job j[3] = {0};
    begin();
    set.concurrency = 2;
    for (int i = 0; i < 3; i++)
        pool_submit(&pool, &j[i].base);
    CHECK_I64(j[2].refused, POOL_THROTTLED + 1);
    CHECK_I64(j[0].refused + j[1].refused, 0);
    ready(last);
    answer(&j[0]);
    struct job more = {0};
    pool_submit(&pool, &more.base);
    CHECK_I64(more.refused, 0);
    end();
}

TEST(reserved_concurrency_caps_a_function_and_is_kept_from_the_others)
{
    struct pool other;
    struct pool_group other_group = {.reserved = -1};
    struct job mine[3] = {0}, others[2] = {0};
    begin();
    pool_init(&other, &set, &other_group);
    set.concurrency = 3;
    pool_set_reserved(&set, &group, 2);
    for (int i = 0; i < 2; i++)
        pool_submit(&other, &others[i].base);
    CHECK_I64(others[0].refused, 0);
    CHECK_I64(others[1].refused, POOL_THROTTLED + 1);
    for (int i = 0; i < 3; i++)
        pool_submit(&pool, &mine[i].base);
    CHECK_I64(mine[1].refused, 0);
    CHECK_I64(mine[2].refused, POOL_THROTTLED_RESERVED + 1);
    pool_set_reserved(&set, &group, -1); /* its two now count against the account's three */
    struct job late = {0};
    pool_submit(&other, &late.base);
    CHECK_I64(late.refused, POOL_THROTTLED + 1);
    CHECK_I64((long long)set.active, 3);
    end();
    for (struct list *n; (n = other.envs.next) != &other.envs;)
        gone(LIST_ITEM(n, struct env, base.link));
}

TEST(reserved_concurrency_zero_refuses_every_invocation)
{
    struct job a = {0};
    begin();
    pool_set_reserved(&set, &group, 0);
    pool_submit(&pool, &a.base);
    CHECK_I64(a.refused, POOL_THROTTLED_RESERVED + 1);
    CHECK_I64(starts, 0);
    end();
}

TEST(versions_of_a_function_share_its_reserved_concurrency)
{
    struct pool version;
    struct job a = {0}, b = {0};
    begin();
    pool_init(&version, &set, &group);
    pool_set_reserved(&set, &group, 1);
    pool_submit(&pool, &a.base);
    pool_submit(&version, &b.base);
    CHECK_I64(b.refused, POOL_THROTTLED_RESERVED + 1);
    end();
}

TEST(provisioned_environments_start_without_an_invocation_stay_and_are_replaced)
{
    begin();
    set.idle_ms = 1000;
    pool_set_provisioned(&pool, 2);
    CHECK_I64(starts, 2);
    struct env *second = last;
    struct env *first = LIST_ITEM(pool.envs.next, struct env, base.link);
    CHECK_I64((long long)pool_provisioned_ready(&pool), 0);
    ready(first);
    ready(second);
    CHECK_I64((long long)pool_provisioned_ready(&pool), 2);
    clock_fake_advance_ms(100000);
    CHECK_I64(pool_set_reap(&set, clock_mono_ms()), -1);
    gone(first); /* it crashed */
    CHECK_I64(starts, 3);
    ready(last);
    pool_replace(&pool);
    CHECK_I64((long long)pool_provisioned_ready(&pool), 0);
    gone(second);
    CHECK_I64(starts, 4);
    pool_set_provisioned(&pool, 0);
    CHECK_I64((long long)pool.provisioned, 0);
    end();
}

TEST(a_provisioned_environment_that_dies_in_init_is_not_tried_again_for_ever)
{
    begin();
    pool_set_provisioned(&pool, 1);
    gone(last);
    CHECK_I64(starts, 1);
    CHECK(pool.provisioned_failed);
    pool_replace(&pool); /* new code, a new try */
    pool_set_provisioned(&pool, 1);
    CHECK_I64(starts, 2);
    end();
}

TEST(a_fresh_function_uses_each_environment_once)
{
    struct job a = {0}, b = {0};
    begin();
    pool.fresh = true;
    pool_submit(&pool, &a.base);
    ready(last);
    struct env *first = last;
    answer(&a);
    CHECK_I64(first->stops, 1);
    pool_submit(&pool, &b.base);
    CHECK(b.ran_on == NULL);
    CHECK_I64(starts, 2);
    ready(last);
    CHECK(b.ran_on == last);
    answer(&b);
    end();
}

TEST(a_full_machine_gives_up_the_environment_that_idles_longest)
{
    struct pool other;
    struct pool_group other_group = {.reserved = -1};
    struct job a = {0}, b = {0};
    begin();
    pool_init(&other, &set, &other_group);
    set.max_environments = 1;
    pool_submit(&pool, &a.base);
    ready(last);
    struct env *idle = last;
    answer(&a);
    pool_submit(&other, &b.base);
    CHECK_I64(idle->stops, 1);
    CHECK_I64(starts, 1);
    gone(idle);
    CHECK_I64(starts, 2);
    ready(last);
    CHECK(b.ran_on == last);
    gone(last);
    end();
}

TEST(an_environment_that_cannot_be_started_refuses_the_invocation)
{
    struct job a = {0};
    begin();
    cannot_start = true;
    pool_submit(&pool, &a.base);
    CHECK_I64(a.refused, POOL_NO_ENVIRONMENT + 1);
    CHECK_I64((long long)set.active, 0);
    end();
}

TEST(a_deleted_function_refuses_what_waits_and_is_over_when_its_last_environment_is_gone)
{
    struct job a = {0}, b = {0};
    begin();
    set.max_environments = 1;
    pool_submit(&pool, &a.base);
    ready(last);
    pool_submit(&pool, &b.base);
    pool_delete(&pool);
    CHECK_I64(b.refused, POOL_DELETED + 1);
    CHECK_I64(emptied, 0);
    CHECK_I64(last->stops, 0); /* a runs to its end */
    answer(&a);
    CHECK_I64(last->stops, 1);
    gone(last);
    CHECK_I64(emptied, 1);
}

TEST(a_stopping_server_lets_invocations_finish_and_starts_no_new_ones)
{
    struct job a = {0}, b = {0}, c = {0};
    begin();
    set.max_environments = 1;
    pool_submit(&pool, &a.base);
    ready(last);
    pool_submit(&pool, &b.base);
    pool_set_stop(&set, false);
    pool_submit(&pool, &c.base);
    CHECK_I64(c.refused, POOL_STOPPING_SERVER + 1);
    answer(&a);
    CHECK(b.ran_on == last);
    answer(&b);
    CHECK_I64(last->stops, 1);
    end();
}

TEST(quick_handlers_are_waited_for_but_no_longer_than_patience_lasts)
{
    struct job j[4] = {0};
    begin();
    pool.typical_us = 200;
    pool_submit(&pool, &j[0].base);
    ready(last);
    struct env *only = last;
    pool_submit(&pool, &j[1].base);
    pool_submit(&pool, &j[2].base);
    CHECK_I64(starts, 1);
    CHECK_I64(patiences, 1);
    answer(&j[0]);
    answer(&j[1]);
    CHECK(j[2].ran_on == only);
    pool_submit(&pool, &j[3].base);
    pool_patience_over(&pool); /* j[3] came later: another while */
    CHECK_I64(starts, 1);
    CHECK_I64(patiences, 2);
    pool_patience_over(&pool); /* j[2] is stuck */
    CHECK_I64(starts, 2);
    ready(last);
    CHECK(j[3].ran_on == last && last != only);
    pool_patience_over(&pool); /* nothing waits: nothing happens */
    CHECK_I64(starts, 2);
    end();
}

TEST(slow_handlers_are_not_waited_for)
{
    struct job j[2] = {0};
    begin();
    pool.typical_us = 100000;
    pool_submit(&pool, &j[0].base);
    ready(last);
    pool_submit(&pool, &j[1].base);
    CHECK_I64(starts, 2);
    CHECK_I64(patiences, 0);
    end();
}

TEST(an_environment_that_has_answered_is_waited_for_a_while)
{
    struct job a = {0}, b = {0}, c = {0};
    begin();
    pool_submit(&pool, &a.base);
    ready(last);
    struct env *only = last;
    pool_job_done(&a.base, 50000); /* slow, and answered: it has not polled again yet */
    only->base.finishing = true;
    pool_submit(&pool, &b.base);
    CHECK_I64(starts, 1);
    pool_patience_over(&pool);
    CHECK_I64(starts, 1);
    ready(only);
    CHECK(b.ran_on == only);
    pool_patience_over(&pool);
    pool_job_done(&b.base, 50000);
    only->base.finishing = true;
    pool_submit(&pool, &c.base);
    for (int i = 0; i < POOL_FINISHING_ROUNDS; i++)
        pool_patience_over(&pool);
    CHECK_I64(starts, 2); /* but not for ever */
    end();
}
