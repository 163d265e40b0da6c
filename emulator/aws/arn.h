/* arn.h - Amazon Resource Names. */
#ifndef PUDDLE_ARN_H
#define PUDDLE_ARN_H
#include "arena.h"

struct arn {
    struct str partition, service, region, account, resource; /* resource keeps its colons */
};
bool arn_parse(struct str text, struct arn *ret); /* views into text */
/* "arn:aws:<service>:<region>:<account>:<resource>" */
struct str arn_format(struct arena *a, const char *service, struct str region, struct str account,
                      struct str resource);
#endif
