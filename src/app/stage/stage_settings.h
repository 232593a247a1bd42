/* The settings of a stage that is not trained with the run's own: by its name alone. */
#ifndef AUXSEG_APP_STAGE_STAGE_SETTINGS_H
#define AUXSEG_APP_STAGE_STAGE_SETTINGS_H

#include "mpi/comm.h"
#include "src/base/settings.h"

/* *s, the run's, become those of the stage of that name ("baseline", "finetune-teacher-2"). Not
 * collective. */
void stage_settings_derive(settings *s, const char *stage);
/* A copy that is derived so, owned by the caller (memory_free). Collective. */
status stage_settings_create(settings **out, const comm *c, const settings *s, const char *stage);

#endif
