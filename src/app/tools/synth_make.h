/* One job at a time makes the built-in scenes in a folder, and packs them: another with another
 * seed would put its own in their place meanwhile. One rank calls. */
#ifndef AUXSEG_APP_TOOLS_SYNTH_MAKE_H
#define AUXSEG_APP_TOOLS_SYNTH_MAKE_H

#include "io/files/lock.h"
#include "src/base/settings.h"

/* Takes the lock of dataset.root once no other job has it, and writes what is missing of the scenes
 * (synth_write). *lock: for file_lock_release, when they are packed, whatever the status; NULL
 * where there is nothing to lock: another layout than synth, where nothing is done, run.dir itself,
 * or a folder that holds these very scenes and cannot be written to. STATUS_STOPPED when a stop is
 * asked for; STATUS_USAGE where root holds another data set. */
status synth_make(file_lock **lock, const settings *s);

/* The command. One rank calls. */
status command_synth(const settings *s);

#endif
