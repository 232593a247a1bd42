/* `auxseg forecast CONFIG --platform FILE`: how stages would scale on a cluster that is not there.
 * Not collective: it starts SimGrid's smpirun. */
#ifndef AUXSEG_APP_FORECAST_FORECAST_H
#define AUXSEG_APP_FORECAST_FORECAST_H

#include "src/base/status.h"

status command_forecast(int argc, char **argv);

#endif
