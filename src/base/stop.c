/* A batch job is told to end before it is killed: by a signal from the batch system, by a file from
 * a person, or by the time that it was given. All three only set what stop_requested() answers; a
 * stage asks between steps, when its state is whole and can be saved. Whoever presses Ctrl-C asks
 * in the same way, and ends the program at once when that takes too long: with the second. */
#include "src/base/stop.h"

#include "src/base/hook.h"
#include "src/base/pulse.h"
#include "src/base/timer.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t asked; /* all that a handler may write */
static double deadline = INFINITY;
static char stop_file[4096];
static hook asked_by_test = {.name = "STOP"};

static void on_signal(int number) {
    (void)number;
    asked = 1;
}

/* SA_RESTART: a write to a file that a signal interrupts goes on by itself. What the process was
 * started to ignore, as under nohup, it goes on ignoring. */
static void install(int number, int flags) {
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART | flags;
    sigemptyset(&action.sa_mask);
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN) return;
    sigaction(number, &action, NULL);
}

void stop_install(void) {
    static const int told[] = {SIGTERM, SIGUSR1, SIGUSR2, SIGHUP};
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) install(told[i], 0);
    install(SIGINT, (int)SA_RESETHAND); /* the second one kills */
    /* A file beyond the limit on its size is a failed write, not the end of the process. */
    signal(SIGXFSZ, SIG_IGN);
}

void stop_set_deadline(double seconds) {
    deadline = seconds > 0 ? timer_now() + seconds : INFINITY;
}

void stop_set_file(const char *path) {
    snprintf(stop_file, sizeof stop_file, "%s", path);
}

void stop_now(void) {
    asked = 1;
}

/* The file is looked for at last and only while nothing else has asked: it is the one question that
 * reaches a file system. Whoever asks has done a piece of work. */
bool stop_asked(void) {
    pulse_tick();
    if (hook_from_now(&asked_by_test)) asked = 1;
    return asked || (stop_file[0] && access(stop_file, F_OK) == 0);
}

bool stop_requested(void) {
    return timer_now() >= deadline || stop_asked();
}
