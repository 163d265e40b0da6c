/* ops_stage.h - what the operations on stages and deployments share. */
#ifndef PUDDLE_OPS_STAGE_H
#define PUDDLE_OPS_STAGE_H
#include "gw_store.h"

/* Refuses stage settings of the input that would not be run. */
bool stage_check_settings(struct call *c);
#define STAGE_CACHE_SIZE "0.5" /* when none is given */
bool stage_check_cache_size(struct call *c, struct str size);
/* The stage's document with its cache switched. */
struct str stage_set_cache(struct call *c, struct str text, bool on);
/* UpdateStage: one patch applied to *text; false with AWS's error. ops_stage_patch.c */
bool stage_patch(struct call *c, const struct patch *p, struct str api, struct str *text);
/* "copy" is the promotion of a canary: refused with AWS's texts, for no stage has one. */
bool stage_check_copies(struct call *c);
bool stage_check_variable(struct call *c, struct str name);
bool stage_check_name(struct call *c, struct str name);
/* Points the stage at the deployment, making it if it does not exist; variables and description
 * come from the input of CreateDeployment. */
bool stage_deploy(struct call *c, struct str api, struct str name, struct str deployment_id);
#endif
