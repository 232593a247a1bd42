/* The watchdog's limit before the settings are shared: MPI's own start is watched, too. */
#ifndef AUXSEG_APP_SESSION_WATCH_H
#define AUXSEG_APP_SESSION_WATCH_H

/* The default of run.watchdog, for commands that have no settings. */
double session_watch_default(void);
/* run.watchdog as the words of a command line [argc], or the file that they name, seem to have it;
 * else its default. No mistake is told: settings_read will. Not collective. */
double session_watch_limit(int argc, char **argv);

#endif
