/* Faults that tests ask for: the N-th time that a place is passed, on one rank or on all.
 *
 *   AUXSEG_HOOK_NAME=N[:RANK]   the place called NAME
 *   AUXSEG_HOOK_LOG=FILE        a line is added to it when one does its work
 *   AUXSEG_HOOK_PATHS=FILE      a line is added to it whenever a place is passed that has an N: its
 *                               name, the number, and the calls that led there, innermost first, as
 *                               distances from the program's beginning: for plans of a sweep
 *
 * Programs that are built without tests have none of it. Thread-safe; not collective. */
#ifndef AUXSEG_BASE_HOOK_H
#define AUXSEG_BASE_HOOK_H

#include <stdbool.h>

#ifdef AUXSEG_HOOKS
#include <stdatomic.h>

/* A place; static, and zero but for the name, in capitals. */
typedef struct hook {
    const char *name;
    atomic_long passed;
} hook;

/* Whether this is the N-th time, from 1. */
bool hook_now(hook *h);
/* Whether this is the N-th time or a later one. */
bool hook_from_now(hook *h);
/* N itself, for places that ask for a number; 0: none. */
long hook_number(const hook *h);
#else
typedef struct hook {
    const char *name;
} hook;

static inline bool hook_now(hook *h) {
    (void)h;
    return false;
}

static inline bool hook_from_now(hook *h) {
    (void)h;
    return false;
}

static inline long hook_number(const hook *h) {
    (void)h;
    return 0;
}
#endif

#endif
