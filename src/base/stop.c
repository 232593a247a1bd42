/* A batch job is told to end before it is killed: by a signal from the batch system, by a file from
 * a person, or by the time that it was given. All three only set what stop_requested() answers; a
 * stage asks between steps, when its state is whole and can be saved. */
#include "src/base/stop.h"

#include "src/base/timer.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t asked; /* all that a handler may write */
static double deadline = INFINITY;
static char stop_file[4096];

static void on_signal(int number) {
    (void)number;
    asked = 1;
}

/* SA_RESTART: a write to a file that a signal interrupts goes on by itself. */
void stop_install(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    /* A file beyond the limit on its size is a failed write, not the end of the process. */
    action.sa_handler = SIG_IGN;
    sigaction(SIGXFSZ, &action, NULL);
}

void stop_set_deadline(double seconds) {
    deadline = seconds > 0 ? timer_now() + seconds : INFINITY;
}

void stop_set_file(const char *path) {
    snprintf(stop_file, sizeof stop_file, "%s", path);
}

/* The file is looked for at last and only while nothing else has asked: it is the one question that
 * reaches a file system. */
void stop_now(void) {
    asked = 1;
}

bool stop_requested(void) {
    return asked || timer_now() >= deadline || (stop_file[0] && access(stop_file, F_OK) == 0);
}
