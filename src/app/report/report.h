/* The stage that writes report.html. */
#ifndef AUXSEG_APP_REPORT_REPORT_H
#define AUXSEG_APP_REPORT_REPORT_H

#include "mpi/comm.h"
#include "src/base/settings.h"

/* Collective. */
status command_report(const comm *c, const settings *s);

#endif
