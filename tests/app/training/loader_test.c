#include "src/app/training/loader.h"

#include <omp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { PARTS = 5, FIRST = 7, END = 47, ROOMS = 9, NEVER = -1 };

typedef struct content {
    int64_t step;
    uint64_t part[PARTS];
} content;

/* What the loader is given, and what it did. */
typedef struct world {
    int parts, bad_part;
    int64_t bad_step;
    pthread_t caller;
    pthread_mutex_t lock;
    int64_t begun; /* the last step */
    int active, most, foreign;
    bool ordered, signals;
    content room[ROOMS];
    void *place[ROOMS];
} world;

static uint64_t value(int64_t step, int part) {
    return (uint64_t)step * 1000003u + (uint64_t)part * 101u + 1;
}

static void begin(void *context, void *batch, int64_t step) {
    world *w = context;
    content *b = batch;
    pthread_mutex_lock(&w->lock);
    w->ordered = w->ordered && step == w->begun + 1;
    w->begun = step;
    pthread_mutex_unlock(&w->lock);
    memset(b, 0, sizeof *b);
    b->step = step;
}

/* Takes uneven times, so that parts and steps overtake each other. */
static status make(void *context, void *batch, int part) {
    world *w = context;
    content *b = batch;
    bool own = pthread_equal(pthread_self(), w->caller) || omp_in_parallel();
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    pthread_mutex_lock(&w->lock);
    w->active++;
    if (w->active > w->most) w->most = w->active;
    if (!own) w->foreign++;
    if (!own && !sigismember(&blocked, SIGTERM)) w->signals = true;
    pthread_mutex_unlock(&w->lock);
    usleep((useconds_t)(value(b->step, part) * 2654435761u % 300));
    b->part[part] = value(b->step, part);
    pthread_mutex_lock(&w->lock);
    w->active--;
    pthread_mutex_unlock(&w->lock);
    return b->step == w->bad_step && part == w->bad_part ? STATUS_DATA : STATUS_OK;
}

static loader *open_loader(world *w, int parts, int depth, int threads, int team) {
    loader *l = NULL;
    *w = (world){.parts = parts, .bad_step = NEVER, .begun = FIRST - 1, .ordered = true};
    w->caller = pthread_self();
    pthread_mutex_init(&w->lock, NULL);
    for (int i = 0; i < ROOMS; i++) w->place[i] = &w->room[i];
    loader_source source = {w, parts, begin, make};
    loader_options o = {FIRST, END, depth, threads, team};
    assert_int_equal(loader_create(&l, &source, &o, w->place), STATUS_OK);
    return l;
}

static void close_loader(world *w, loader *l) {
    loader_destroy(l);
    assert_int_equal(w->active, 0);
    assert_true(w->ordered);
    pthread_mutex_destroy(&w->lock);
}

static void check(const content *b, int64_t step, int parts) {
    assert_int_equal(b->step, step);
    for (int i = 0; i < PARTS; i++) assert_int_equal(b->part[i], i < parts ? value(step, i) : 0);
}

static const int setups[][3] = {/* depth, threads, team */
    {0, 0, 1}, {0, 0, 3}, {1, 1, 1}, {2, 1, 2}, {1, 3, 1}, {4, 2, 2}, {8, 6, 3}};

/* The same batches in the same order, whoever makes them, and each stays until the next is asked
 * for. */
static void batches_depend_on_nothing_else(void **state) {
    (void)state;
    for (size_t s = 0; s < sizeof setups / sizeof *setups; s++)
        for (int parts = 0; parts <= PARTS; parts += PARTS) {
            world w;
            const int *o = setups[s];
            loader *l = open_loader(&w, parts, o[0], o[1], o[2]);
            for (int64_t step = FIRST; step < END; step++) {
                void *batch;
                assert_int_equal(loader_next(l, &batch), STATUS_OK);
                check(batch, step, parts);
                if (step % 5 == 0) usleep(500);
                check(batch, step, parts);
                assert_true(w.begun <= step + o[0]);
            }
            assert_int_equal(w.begun, END - 1);
            assert_false(w.signals);
            assert_true(parts == 0 || loader_seconds(l) > 0);
            close_loader(&w, l);
        }
}

static int by_loader(world *w) {
    pthread_mutex_lock(&w->lock);
    int parts = w->foreign;
    pthread_mutex_unlock(&w->lock);
    return parts;
}

/* With time enough the loader's threads do it all; without any the caller's do. */
static void work_is_done_ahead(void **state) {
    (void)state;
    world w;
    void *batch;
    loader *l = open_loader(&w, PARTS, 2, 2, 1);
    for (int64_t step = FIRST; step < FIRST + 4; step++) {
        for (int wait = 0; wait < 2000 && by_loader(&w) < PARTS * (step - FIRST + 1); wait++)
            usleep(1000);
        assert_int_equal(loader_next(l, &batch), STATUS_OK);
        check(batch, step, PARTS);
    }
    close_loader(&w, l);
    assert_true(w.foreign >= 4 * PARTS);
    assert_true(w.most <= 2);
    l = open_loader(&w, PARTS, 0, 0, 1);
    assert_int_equal(loader_next(l, &batch), STATUS_OK);
    assert_int_equal(w.foreign, 0);
    close_loader(&w, l);
}

/* The step that a part failed in says so, those before are whole, none after is begun. */
static void errors_belong_to_their_step(void **state) {
    (void)state;
    for (size_t s = 0; s < sizeof setups / sizeof *setups; s++) {
        world w;
        void *batch;
        const int *o = setups[s];
        loader *l = open_loader(&w, PARTS, o[0], 0, o[2]);
        loader_destroy(l);
        w.bad_step = FIRST + 6;
        w.bad_part = (int)s % PARTS;
        loader_source source = {&w, PARTS, begin, make};
        loader_options options = {FIRST, END, o[0], o[1], o[2]};
        assert_int_equal(loader_create(&l, &source, &options, w.place), STATUS_OK);
        for (int64_t step = FIRST; step < w.bad_step; step++) {
            assert_int_equal(loader_next(l, &batch), STATUS_OK);
            check(batch, step, PARTS);
        }
        assert_int_equal(loader_next(l, &batch), STATUS_DATA);
        close_loader(&w, l);
        assert_true(w.begun <= w.bad_step + o[0]);
    }
}

/* At any moment, batches half made. */
static void it_can_be_left_at_any_time(void **state) {
    (void)state;
    loader_destroy(NULL);
    for (int after = 0; after < 20; after++) {
        world w;
        void *batch;
        loader *l = open_loader(&w, PARTS, 3, 3, 2);
        for (int i = 0; i < after % 3; i++) assert_int_equal(loader_next(l, &batch), STATUS_OK);
        usleep((useconds_t)(after * 50));
        close_loader(&w, l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_depend_on_nothing_else),
        cmocka_unit_test(work_is_done_ahead),
        cmocka_unit_test(errors_belong_to_their_step),
        cmocka_unit_test(it_can_be_left_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
