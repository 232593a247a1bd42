#include "src/base/stop.h"

#include "src/base/timer.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t asked;
static double deadline = INFINITY;
static char stop_file[4096];

static void on_signal(int number) {
    (void)number;
    asked = 1;
}

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

bool stop_requested(void) {
    return asked || timer_now() >= deadline || (stop_file[0] && access(stop_file, F_OK) == 0);
}
