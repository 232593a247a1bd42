/* The words that tell whether this process gets on. They are written from inner loops and read once
 * a second by a thread of the watchdog, so that no order between them is asked for, and none costs
 * anything. A name is kept as whole words: a reader may see the beginning of one name and the end
 * of another, but never a pointer to what is gone. */
#include "src/base/pulse.h"

#include "src/base/hook.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

enum { WORDS = PULSE_STAGE / 8 };

static _Atomic uint64_t ticks, name[WORDS];
static atomic_int depth; /* of waits, which nest */
static atomic_int ended = -1;
static atomic_bool library;
static _Atomic int64_t step;
static hook freeze = {.name = "FREEZE"}, spin = {.name = "SPIN"};

/* For ever, and yet not taken for code without an effect. */
static void turn_round(void) {
    for (volatile bool on = true; on;) {
    }
}

static void count(void) {
    atomic_fetch_add_explicit(&ticks, 1, memory_order_relaxed);
    if (hook_now(&freeze)) raise(SIGSTOP);
    if (hook_now(&spin)) turn_round();
}

/* Who waits asks now and then whether to stop, which looks like work and brings nobody on. */
void pulse_tick(void) {
    if (atomic_load_explicit(&depth, memory_order_relaxed) == 0) count();
}

void pulse_stage(const char *stage, int64_t done) {
    uint64_t word[WORDS] = {0};
    size_t n = strnlen(stage, PULSE_STAGE - 1);
    memcpy(word, stage, n);
    for (int i = 0; i < WORDS; i++) atomic_store_explicit(&name[i], word[i], memory_order_relaxed);
    atomic_store_explicit(&step, done, memory_order_relaxed);
    pulse_tick();
}

void pulse_phase(phase p) {
    atomic_store_explicit(&ended, (int)p, memory_order_relaxed);
    pulse_tick();
}

/* Both ends are progress: a rank that goes from one exchange to the next gets on. */
void pulse_wait(void) {
    count();
    atomic_fetch_add_explicit(&depth, 1, memory_order_relaxed);
}

void pulse_go(void) {
    atomic_fetch_sub_explicit(&depth, 1, memory_order_relaxed);
    count();
}

void pulse_library(bool inside) {
    atomic_store_explicit(&library, inside, memory_order_relaxed);
    pulse_tick();
}

pulse pulse_now(void) {
    pulse p = {.ticks = atomic_load_explicit(&ticks, memory_order_relaxed),
        .waiting = atomic_load_explicit(&depth, memory_order_relaxed) > 0,
        .library = atomic_load_explicit(&library, memory_order_relaxed),
        .phase = atomic_load_explicit(&ended, memory_order_relaxed),
        .step = atomic_load_explicit(&step, memory_order_relaxed)};
    uint64_t word[WORDS];
    for (int i = 0; i < WORDS; i++) word[i] = atomic_load_explicit(&name[i], memory_order_relaxed);
    memcpy(p.stage, word, sizeof p.stage);
    p.stage[PULSE_STAGE - 1] = '\0';
    return p;
}
