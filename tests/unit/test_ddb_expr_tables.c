/* links: puddle_dynamo */
/* Expressions against tables of answers, each compared with DynamoDB Local's before it was written
 * down; where the two differ on purpose the table says why. */
#include "expr_fixture.h"

static struct str project(const char *text, const char *item, const char *names, const char *values)
{
    (void)values;
    return xp_project(text, item, names);
}

static struct str keys(const char *text, const char *item, const char *names, const char *values)
{
    (void)item;
    return xp_keys(text, names, values);
}

TEST(conditions)
{
    CHECK(xp_run_table("tests/unit/expr/condition.txt", xp_cond) > 300);
}

TEST(updates)
{
    CHECK(xp_run_table("tests/unit/expr/update.txt", xp_update) > 200);
}

TEST(projections)
{
    CHECK(xp_run_table("tests/unit/expr/projection.txt", project) > 40);
}

TEST(key_conditions)
{
    CHECK(xp_run_table("tests/unit/expr/key_condition.txt", keys) > 60);
}
