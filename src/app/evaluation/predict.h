/* The command that writes predictions as palette PNG. */
#ifndef AUXSEG_APP_EVALUATION_PREDICT_H
#define AUXSEG_APP_EVALUATION_PREDICT_H

#include "mpi/comm.h"
#include "src/base/settings.h"

/* Collective. */
status command_predict(const comm *c, const settings *s);

#endif
