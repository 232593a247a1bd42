#include "io/files/file.h"
#include "io/weights/checkpoint.h"
#include "io/weights/checkpoint_writer.h"
#include "src/base/memory.h"
#include "tests/io/network.h"
#include "tests/io/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct training {
    parameters *p;
    optimizer optimizer;
    gradient *g;
    parameters *average;
    checkpoint_state state;
} training;

static optimizer_kind kind = OPTIMIZER_SGD; /* of every training that begins */
static bool averaged;                       /* whether it has averages */

static void begin(training *t, uint64_t seed, int classes, uint64_t settings, int64_t step) {
    t->p = network_create(seed, classes);
    assert_int_equal(
        optimizer_create(&t->optimizer, t->p, &(optimizer_options){.kind = kind}), STATUS_OK);
    t->g = gradient_create(t->p, GRADIENT_CHUNK);
    assert_non_null(t->g);
    for (int k = 0; k < t->optimizer.states; k++)
        for (size_t i = 0; i < t->p->count; i++)
            t->optimizer.state[k][i] = (float)(seed + i) + 0.5f * (float)k;
    for (int i = 0; i < t->p->trainable; i++) t->g->scale[i] = (int32_t)seed + i;
    t->average = averaged ? network_create(seed + 1, classes) : NULL;
    t->state = (checkpoint_state){.p = t->p,
        .optimizer = &t->optimizer,
        .g = t->g,
        .average = t->average,
        .settings = settings,
        .step = step};
}

static void end(training *t) {
    optimizer_destroy(&t->optimizer);
    gradient_destroy(t->g);
    parameters_destroy(t->p);
    parameters_destroy(t->average);
}

static bool same(const training *a, const training *b) {
    size_t scales = (size_t)a->p->trainable * sizeof *a->g->scale;
    size_t bytes = a->p->count * sizeof(float);
    for (int k = 0; k < a->optimizer.states; k++)
        if (memcmp(a->optimizer.state[k], b->optimizer.state[k], bytes) != 0) return false;
    if (a->average && !network_same(a->average, b->average)) return false;
    return network_same(a->p, b->p) && a->p->batches_tracked == b->p->batches_tracked &&
           memcmp(a->g->scale, b->g->scale, scales) == 0 && a->state.step == b->state.step;
}

static void save(uint64_t seed, uint64_t settings, int64_t step) {
    training t;
    begin(&t, seed, 4, settings, step);
    assert_int_equal(checkpoint_save(world, folder.folder, "pretrain", &t.state), STATUS_OK);
    end(&t);
}

/* Loads into a network of another seed; expects the state of `seed` at `step` (0: none found). */
static void expect(uint64_t seed, uint64_t settings, int64_t step) {
    training have, want, fresh;
    bool found = step == 0;
    begin(&have, 99, 4, settings, 0);
    begin(&fresh, 99, 4, settings, 0);
    begin(&want, seed, 4, settings, step);
    assert_int_equal(
        checkpoint_load(world, folder.folder, "pretrain", &have.state, &found), STATUS_OK);
    assert_true(found == (step != 0));
    assert_true(same(&have, step ? &want : &fresh));
    end(&have);
    end(&want);
    end(&fresh);
    comm_barrier(world);
}

/* Asked by every rank before any goes on to change the folder. */
static bool there(const char *name) {
    bool yes = file_exists(scratch_path(&folder, name));
    comm_barrier(world);
    return yes;
}

/* Rank 0 flips one bit of a file, or cuts it to `keep` bytes if keep is not 0. */
static void damage(const char *name, size_t at, size_t keep) {
    char *data;
    size_t bytes;
    comm_barrier(world);
    if (comm_root(world)) {
        const char *path = scratch_path(&folder, name);
        assert_int_equal(file_read(path, 1 << 20, (void **)&data, &bytes), STATUS_OK);
        data[at % bytes] ^= 4;
        scratch_write(path, data, keep ? keep : bytes);
        memory_free(data);
    }
    comm_barrier(world);
}

static void clear(void) {
    for (uint64_t k = 0; k < 8; k++) checkpoint_clear(world, folder.folder, "pretrain", k);
    comm_barrier(world);
}

/* Averages come back; a state without does not stand in for one with them, nor the other way. */
static void averages_are_kept(void **state) {
    (void)state;
    save(1, 5, 1);
    averaged = true;
    expect(0, 5, 0);
    save(2, 5, 2);
    expect(2, 5, 2);
    averaged = false;
    expect(1, 5, 1);
    clear();
}

static void last_two_are_kept(void **state) {
    (void)state;
    expect(0, 5, 0);
    for (int step = 1; step <= 11; step++) save((uint64_t)step, 5, step);
    expect(11, 5, 11);
    assert_true(there("pretrain-10.safetensors"));
    assert_true(there("pretrain-11.safetensors"));
    assert_false(there("pretrain-9.safetensors"));
    clear();
    assert_false(there("pretrain-11.safetensors"));
    expect(0, 5, 0);
}

static void damaged_one_gives_way_to_the_one_before(void **state) {
    (void)state;
    save(1, 5, 10);
    save(2, 5, 20);
    damage("pretrain-20.safetensors", 5000, 0);
    expect(1, 5, 10);
    /* Going on from 10: the damaged 20 is replaced, and nothing in between is lost. */
    save(3, 5, 15);
    assert_true(there("pretrain-10.safetensors"));
    assert_false(there("pretrain-20.safetensors"));
    expect(3, 5, 15);
    damage("pretrain-15.safetensors", 0, 100);
    expect(1, 5, 10);
    damage("pretrain-10.safetensors", 0, 1);
    expect(0, 5, 0);
    clear();
}

static void every_damaged_byte_is_found(void **state) {
    (void)state;
    training t;
    bool found;
    size_t bytes = 0;
    save(1, 5, 1);
    if (comm_root(world)) {
        void *data;
        const char *path = scratch_path(&folder, "pretrain-1.safetensors");
        assert_int_equal(file_read(path, 1 << 20, &data, &bytes), STATUS_OK);
        memory_free(data);
    }
    comm_broadcast(world, &bytes, sizeof bytes);
    begin(&t, 2, 4, 5, 0);
    for (size_t at = 0; at < bytes; at += 37) {
        damage("pretrain-1.safetensors", at, 0);
        assert_int_equal(
            checkpoint_load(world, folder.folder, "pretrain", &t.state, &found), STATUS_OK);
        if (found) fail_msg("byte %zu of %zu", at, bytes);
        damage("pretrain-1.safetensors", at, 0); /* back again */
    }
    end(&t);
    expect(1, 5, 1);
    clear();
}

static void other_settings_and_networks_are_refused(void **state) {
    (void)state;
    training t;
    bool found = true;
    save(1, 5, 10);
    expect(0, 6, 0);
    begin(&t, 1, 7, 5, 0); /* other classes */
    assert_int_equal(
        checkpoint_load(world, folder.folder, "pretrain", &t.state, &found), STATUS_OK);
    assert_false(found);
    end(&t);
    /* A later run of other settings leaves it alone, and is not hidden by it. */
    for (int step = 1; step <= 4; step++) save((uint64_t)step, 6, step);
    assert_true(there("pretrain-10.safetensors"));
    assert_true(there("pretrain-3.safetensors"));
    assert_false(there("pretrain-2.safetensors"));
    expect(4, 6, 4);
    expect(1, 5, 10);
    /* Nor does it go when the other one's are removed. */
    checkpoint_clear(world, folder.folder, "pretrain", 6);
    comm_barrier(world);
    assert_true(there("pretrain-10.safetensors"));
    assert_false(there("pretrain-4.safetensors"));
    clear();
}

/* Each optimiser's whole state comes back; that of another is refused, and said to be that. */
static void other_optimizers_are_refused(void **state) {
    (void)state;
    for (kind = OPTIMIZER_SGD; kind <= OPTIMIZER_ADAMW; kind++) {
        optimizer_kind mine = kind;
        save(1, 5, 10);
        expect(1, 5, 10);
        for (kind = OPTIMIZER_SGD; kind <= OPTIMIZER_ADAMW; kind++)
            if (kind != mine) expect(0, 5, 0);
        kind = mine;
        clear();
    }
    kind = OPTIMIZER_SGD;
}

/* Values that index memory come back within their bounds, or not at all. */
static void places_beyond_their_bounds_are_refused(void **state) {
    (void)state;
    int32_t place[3] = {0, 7, 3}, value[] = {7, 8, -1};
    for (int i = 0; i < 3; i++) {
        training t;
        bool found;
        checkpoint_extra x = {.name = "queue.next", .type = "I32", .data = place, .n = 3};
        begin(&t, 1, 4, 5, 10);
        t.state.extra = &x;
        t.state.extras = 1;
        place[1] = value[i];
        assert_int_equal(checkpoint_save(world, folder.folder, "pretrain", &t.state), STATUS_OK);
        comm_barrier(world);
        x.bounded = true;
        x.most = 7;
        place[1] = 5;
        assert_int_equal(
            checkpoint_load(world, folder.folder, "pretrain", &t.state, &found), STATUS_OK);
        assert_true(found == (i == 0));
        assert_int_equal(place[1], i == 0 ? 7 : 5);
        comm_barrier(world);
        end(&t);
        clear();
    }
}

/* Nothing is begun anew over what may be whole. Here a folder stands for a disk that fails. */
static void what_cannot_be_read_ends_the_load(void **state) {
    (void)state;
    training t;
    bool found;
    save(1, 5, 10);
    if (comm_root(world))
        assert_int_equal(mkdir(scratch_path(&folder, "pretrain-12.safetensors"), 0777), 0);
    comm_barrier(world);
    begin(&t, 2, 4, 5, 0);
    assert_int_equal(
        checkpoint_load(world, folder.folder, "pretrain", &t.state, &found), STATUS_OUTPUT);
    end(&t);
    save(3, 5, 14);
    expect(3, 5, 14);
    if (comm_root(world))
        assert_int_equal(rmdir(scratch_path(&folder, "pretrain-12.safetensors")), 0);
    comm_barrier(world);
    clear();
}

static void other_stages_are_left_alone(void **state) {
    (void)state;
    training t;
    bool found = true;
    begin(&t, 1, 4, 5, 100);
    assert_int_equal(checkpoint_save(world, folder.folder, "pretrain-2", &t.state), STATUS_OK);
    save(1, 5, 1);
    save(1, 5, 2);
    save(1, 5, 3);
    expect(1, 5, 3);
    clear();
    assert_true(there("pretrain-2-100.safetensors"));
    assert_int_equal(
        checkpoint_load(world, folder.folder, "finetune", &t.state, &found), STATUS_OK);
    assert_false(found);
    end(&t);
}

static void debris_is_removed(void **state) {
    (void)state;
    save(1, 5, 1);
    if (comm_root(world))
        scratch_write(scratch_path(&folder, "pretrain-2.safetensors.part"), "x", 1);
    comm_barrier(world);
    expect(1, 5, 1);
    assert_false(there("pretrain-2.safetensors.part"));
    clear();
}

/* A writer killed at any moment leaves a whole checkpoint. One rank: MPI must not be forked. */
static void killed_writers_leave_a_whole_one(void **state) {
    (void)state;
    if (comm_size(world) > 1) skip();
    save(1, 5, 1);
    for (int round = 0; round < 20; round++) {
        training t;
        pid_t child = fork();
        if (child == 0) {
            begin(&t, 1, 4, 5, 1);
            for (;; t.state.step++) checkpoint_save(NULL, folder.folder, "pretrain", &t.state);
        }
        usleep((useconds_t)(1000 + 731 * round));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        bool found = false;
        begin(&t, 2, 4, 5, 0);
        assert_int_equal(
            checkpoint_load(NULL, folder.folder, "pretrain", &t.state, &found), STATUS_OK);
        assert_true(found);
        end(&t);
    }
    clear();
}

/* ---- beside the steps: rank 0's alone ---- */

/* The values of another one; it stays where it is. */
static void take(training *t, const training *from) {
    size_t bytes = t->p->count * sizeof(float);
    memcpy(t->p->value, from->p->value, bytes);
    memcpy(t->p->buffer, from->p->buffer, t->p->buffers * sizeof(float));
    t->p->batches_tracked = from->p->batches_tracked;
    for (int k = 0; k < t->optimizer.states; k++)
        memcpy(t->optimizer.state[k], from->optimizer.state[k], bytes);
    memcpy(t->g->scale, from->g->scale, (size_t)t->p->trainable * sizeof *t->g->scale);
    t->state.step = from->state.step;
}

/* What is written is the state as it was when the writing began. */
static void a_copy_is_written(void **state) {
    (void)state;
    training t;
    checkpoint_writer *w = NULL;
    char text[8] = "now";
    const char *metadata[] = {"when", text};
    if (comm_root(world)) {
        begin(&t, 1, 4, 5, 1);
        t.state.metadata = metadata;
        t.state.pairs = 1;
        assert_int_equal(checkpoint_writer_create(&w, &t.state), STATUS_OK);
        for (int step = 1; step <= 3; step++) {
            training next;
            begin(&next, (uint64_t)step, 4, 5, step);
            take(&t, &next);
            end(&next);
            strcpy(text, "now");
            assert_int_equal(
                checkpoint_writer_begin(w, folder.folder, "pretrain", &t.state), STATUS_OK);
            strcpy(text, "later");
            for (size_t i = 0; i < t.p->count; i++) t.p->value[i] = -1;
            memset(t.g->scale, 1, (size_t)t.p->trainable * sizeof *t.g->scale);
            t.state.step = 77;
        }
        assert_int_equal(checkpoint_writer_wait(w), STATUS_OK);
        assert_int_equal(checkpoint_writer_poll(w), STATUS_OK);
        assert_int_equal(checkpoint_writer_written(w).count, 3);
        assert_int_equal(checkpoint_writer_written(w).step, 3);
        checkpoint_writer_destroy(w);
        end(&t);
        safetensors *f;
        const char *path = scratch_path(&folder, "pretrain-3.safetensors");
        assert_int_equal(safetensors_read(&f, path), STATUS_OK);
        assert_string_equal(safetensors_metadata(f, "when"), "now");
        safetensors_close(f);
    }
    comm_barrier(world);
    expect(3, 5, 3);
    assert_true(there("pretrain-2.safetensors") && !there("pretrain-1.safetensors"));
    clear();
}

/* Told once, by whoever asks first; the one before stays. */
static void a_failure_is_told_once(void **state) {
    (void)state;
    training t;
    checkpoint_writer *w = NULL;
    save(1, 5, 1);
    if (comm_root(world)) {
        begin(&t, 2, 4, 5, 2);
        assert_int_equal(checkpoint_writer_create(&w, &t.state), STATUS_OK);
        const char *nowhere = scratch_path(&folder, "not/there");
        assert_int_equal(checkpoint_writer_begin(w, nowhere, "pretrain", &t.state), STATUS_OK);
        assert_int_equal(checkpoint_writer_wait(w), STATUS_OUTPUT);
        assert_int_equal(checkpoint_writer_wait(w), STATUS_OK);
        assert_int_equal(checkpoint_writer_begin(w, nowhere, "pretrain", &t.state), STATUS_OK);
        assert_int_equal(
            checkpoint_writer_begin(w, folder.folder, "pretrain", &t.state), STATUS_OUTPUT);
        t.p->value[0] = NAN;
        assert_int_equal(
            checkpoint_writer_begin(w, folder.folder, "pretrain", &t.state), STATUS_OK);
        status st = STATUS_OK;
        for (int i = 0; i < 20000 && st == STATUS_OK; i++) {
            st = checkpoint_writer_poll(w);
            usleep(1000);
        }
        assert_int_equal(st, STATUS_NONFINITE);
        assert_int_equal(checkpoint_writer_written(w).count, 0);
        checkpoint_writer_destroy(w);
        end(&t);
    }
    comm_barrier(world);
    expect(1, 5, 1);
    clear();
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(averages_are_kept),
        cmocka_unit_test(a_copy_is_written),
        cmocka_unit_test(a_failure_is_told_once),
        cmocka_unit_test(last_two_are_kept),
        cmocka_unit_test(damaged_one_gives_way_to_the_one_before),
        cmocka_unit_test(every_damaged_byte_is_found),
        cmocka_unit_test(other_settings_and_networks_are_refused),
        cmocka_unit_test(other_optimizers_are_refused),
        cmocka_unit_test(places_beyond_their_bounds_are_refused),
        cmocka_unit_test(what_cannot_be_read_ends_the_load),
        cmocka_unit_test(other_stages_are_left_alone),
        cmocka_unit_test(debris_is_removed),
        cmocka_unit_test(killed_writers_leave_a_whole_one),
    };
    int failed;
    WORLD_RUN(tests, failed);
    return failed;
}
