/* item_same.h - whether two items are equal as DynamoDB sees it: no order in items, maps and sets.
 * Pure. */
#ifndef PUDDLE_ITEM_SAME_H
#define PUDDLE_ITEM_SAME_H
#include "attr.h"

/* Canonical items. Allocates only when texts of equal length differ. */
bool item_same(const struct item *a, const struct item *b);
#endif
