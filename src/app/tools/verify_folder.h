/* A run's folder against its record. Not collective. */
#ifndef AUXSEG_APP_TOOLS_VERIFY_FOLDER_H
#define AUXSEG_APP_TOOLS_VERIFY_FOLDER_H

#include "io/files/run_record.h"

#include <stdbool.h>

bool verify_is_folder(const char *path);
/* Every file that run.json of the folder names, metrics.csv, and checkpoints: a line each.
 * STATUS_DATA where there is no run.json; else the status of the last file with a mistake. */
status verify_folder(const char *folder);

#endif
