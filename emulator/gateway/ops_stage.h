/* ops_stage.h - what CreateDeployment needs of the stages. */
#ifndef PUDDLE_OPS_STAGE_H
#define PUDDLE_OPS_STAGE_H
#include "gw_store.h"

/* Refuses stage settings of the input that would not be run. */
bool stage_check_settings(struct call *c);
bool stage_check_name(struct call *c, struct str name);
/* Points the stage at the deployment, making it if it does not exist; variables and description
 * come from the input of CreateDeployment. */
bool stage_deploy(struct call *c, struct str api, struct str name, struct str deployment_id);
#endif
