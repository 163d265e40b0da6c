/* yaml_json.h - YAML as JSON and back: API definitions come and go in either. */
#ifndef PUDDLE_YAML_JSON_H
#define PUDDLE_YAML_JSON_H
#include "json.h"

/* One YAML document (YAML 1.2's core scalars) as JSON text in a. Aliases are expanded, up to a cap.
 * False with a reason in *ret_why (in a). */
bool yaml_to_json(struct arena *a, struct str text, struct str *ret_json, struct str *ret_why);
/* v as YAML in block style, texts in double quotes; in a. False: memory, or too deep. */
bool yaml_of_json(struct arena *a, struct jval v, struct str *ret_yaml);
#endif
