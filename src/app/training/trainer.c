/* The step of both training stages. Each rank holds the weights and the optimiser as a whole and a
 * part of the batch; what goes between ranks are the sums of the gradient, as integers, and a few
 * figures of each norm group. Ranks then do the same arithmetic on the same numbers, which keeps
 * their weights equal; that they are is looked at now and then, by a hash. */
#include "src/app/training/trainer.h"

#include "io/files/file.h"
#include "io/weights/checkpoint.h"
#include "io/weights/weights.h"
#include "mpi/shard.h"
#include "mpi/traffic.h"
#include "src/app/stage/choices.h"
#include "src/app/stage/deal.h"
#include "src/app/stage/setup.h"
#include "src/app/training/divergence.h"
#include "src/app/training/faults.h"
#include "src/app/training/saves.h"
#include "src/app/training/trainer_weights.h"
#include "src/app/training/validation.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/stop.h"
#include "src/nn/graph/average.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Steps from a comparison of the ranks to the next: milliseconds of some minutes. And a number of
 * steps from which on an average has its whole decay: what serves the training has it at once. */
enum { COMPARED = 200, SETTLED = 1 << 30 };

/* Images of the global batch that a rank holds: whole deals, in contiguous blocks. */
static int rank_first(const trainer *t, int rank) {
    int deals = deal_count(t->o.images, t->deal);
    int64_t first = shard_begin(deals, rank, comm_size(t->c)) * t->deal;
    return first < t->o.images ? (int)first : t->o.images;
}

/* The last unit of a batch may lack images. */
static int units_of(const trainer *t, int images) {
    return (images + t->unit - 1) / t->unit;
}

/* Contiguous blocks of the batch, so that gathering in the order of ranks is gathering in the order
 * of images. */
static void deal_images(trainer *t) {
    bool grouped = t->s->model.norm == MODEL_NORM_GROUP;
    int rank = comm_rank(t->c), ranks = comm_size(t->c);
    t->deal = deal_size(t->s, t->o.together);
    /* The views of an image stay together: settings_read refuses other groups. */
    assert(t->deal % t->o.together == 0);
    t->unit = grouped ? t->s->model.group : 1;
    t->units = units_of(t, t->o.images);
    t->first = rank_first(t, rank);
    t->local = rank_first(t, rank + 1) - t->first;
    int deals = deal_count(t->o.images, t->deal);
    if (ranks > deals)
        log_info("%s: a batch of %d images is dealt in %d parts of %d: %d of %d ranks are idle",
            t->o.stage, t->o.images, deals, t->deal, ranks - deals, ranks);
}

static status build_network(trainer *t) {
    t->model.network.twin = t->o.twin;
    t->model.network.contrast = t->o.contrast;
    status st = network_create(&t->g, &t->model.network, t->o.end, NULL);
    if (st != STATUS_OK) return st;
    t->p = parameters_create(t->g);
    if (!t->p) return STATUS_FAILED;
    /* Every rank draws the same numbers, keyed by the parameters' names: nothing is sent. */
    parameters_initialize(t->p, (uint64_t)t->s->run.seed);
    if (t->o.average > 0 && !(t->average = parameters_create(t->g))) return STATUS_FAILED;
    t->gradient = gradient_create(t->p, GRADIENT_CHUNK);
    if (!t->gradient) return STATUS_FAILED;
    return optimizer_create(&t->optimizer, t->p, &t->o.optimizer);
}

/* A rank without images plans for one: it takes part in all exchanges, and plan_create knows no
 * empty plan. */
static void set_options(const trainer *t, plan_options *o) {
    o->height = o->width = t->o.crop;
    o->mode = PLAN_TRAIN;
    o->group = t->s->model.group;
    o->images = t->local > 0 ? t->local : 1;
    o->batch = t->o.images;
    o->threads = t->threads;
    o->norm = choices_norm(t->s->model.norm);
    o->recompute = choices_recompute(t->s->model.recompute);
}

/* Of half of the memory that this rank may take, activations have what the gradient's sums in
 * fixed point, the packed weights and looks leave. The other half is for decoded images, of which
 * the cache may take half of it, for batches and for what is small. Before any rank makes its plan.
 */
static status choose_waves(trainer *t, plan_options *o) {
    enum { SHARE = 2 };
    size_t each, budget = memory_available("") / SHARE / (size_t)comm_node_size(t->c);
    size_t sums = t->p->count * (sizeof(int64_t) + 2 * sizeof(float)) + saves_bytes(t), looks;
    set_options(t, o);
    status st = plan_image_bytes(t->g, t->p, *o, &each);
    if (st == STATUS_OK) st = validation_bytes(t->o.validation, t, &looks);
    if (st != STATUS_OK) return st;
    sums += looks;
    waves_options w = {.stage = t->o.stage,
        .images = t->local,
        .unit = t->unit,
        .asked = t->s->model.wave,
        .whole = o->norm == NORM_SYNC,
        .each = each,
        .budget = budget > sums ? budget - sums : 0};
    t->waves = waves_choose(&w);
    o->images = t->waves.images;
    return STATUS_OK;
}

static status build_plan(trainer *t, plan_options o) {
    status st = plan_create(&t->plan, t->g, t->p, o);
    if (st != STATUS_OK) return st;
    st = saves_create(t);
    if (st != STATUS_OK) return st;
    return norm_statistics_create(&t->statistics, t->plan, units_of(t, t->local));
}

/* A checkpoint is further than any initial weights. */
static status load_weights(trainer *t, bool *resumed) {
    char folder[FILE_PATH];
    status st = comm_agree(t->c, setup_path(folder, t->s, "checkpoints", 1));
    checkpoint_state state = {.p = t->p,
        .optimizer = &t->optimizer,
        .g = t->gradient,
        .average = t->average,
        .settings = t->o.key,
        .extra = t->o.extra,
        .extras = t->o.extras};
    *resumed = false;
    if (st == STATUS_OK && t->s->run.resume == RUN_RESUME_AUTO)
        st = checkpoint_load(t->c, folder, t->o.stage, &state, resumed);
    if (st != STATUS_OK) return st;
    if (*resumed) {
        t->step = t->resumed = t->saved = state.step;
        log_info("%s: continues after step %" PRId64, t->o.stage, t->step);
        return STATUS_OK;
    }
    return trainer_initial_weights(t);
}

/* At the step that was loaded: what a killed run wrote beyond its checkpoint goes. */
static status open_metrics(trainer *t) {
    char path[FILE_PATH];
    status st = setup_path(path, t->s, "metrics.csv", 1);
    if (st == STATUS_OK && comm_root(t->c))
        st = metrics_open(&t->metrics, path, t->o.metric, t->o.round, t->step);
    if (t->s->run.tensorboard) metrics_show(t->metrics, t->o.stage, t->step);
    return comm_agree(t->c, st);
}

/* What a rank will take is said before it is taken: whoever reads the log of a job that was killed
 * for memory finds the reason. */
static void log_start(const trainer *t) {
    const double mib = 1048576;
    char how[EXACT_SUM_TEXT];
    double network = (double)plan_bytes(t->plan) / mib;
    size_t count = t->p->count, summed = gradient_bytes(t->gradient);
    /* No sum is complete before the last wave: all of them are held. */
    if (t->waves.count > 1) summed = count * (sizeof *t->gradient->value + sizeof(int64_t));
    summed += gradient_sync_describe(t->sync, how);
    double held = (double)(count * sizeof *t->p->value + summed) / mib;
    double state = (double)optimizer_bytes(&t->optimizer, t->p) / mib;
    log_info("%s: %d steps of %d images, %zu parameters, %s", t->o.stage, t->o.steps, t->o.images,
        t->p->count, optimizer_name(t->o.optimizer.kind));
    log_detail("%s: convolutions, algorithms forward, backward and for weights:", t->o.stage);
    plan_log(t->plan);
    log_detail("%s: %.0f MiB a rank: network %.0f, weights and gradient %.0f, optimizer %.0f",
        t->o.stage, network + held + state, network, held, state);
    if (comm_size(t->c) > 1) log_detail("%s: gradients are summed by %s", t->o.stage, how);
}

/* Time and traffic are counted from here on. A training that ends within its untimed steps counts
 * all of them. */
static void begin_clock(trainer *t) {
    t->time = (timers){0};
    t->began = timer_now();
    t->timed = t->step;
    t->sent = traffic_sent();
}

/* The order is that of what may be agreed upon: the arithmetic, then what follows from it. */
status trainer_create(
    trainer **out, const comm *c, const settings *s, const dataset *d, const trainer_options *o) {
    trainer *t = memory_alloc(1, sizeof *t, "trainer");
    status st = comm_agree(c, t ? STATUS_OK : STATUS_FAILED);
    if (st != STATUS_OK) goto done;
    *t = (trainer){.c = c, .s = s, .o = *o, .threads = setup_threads(s)};
    /* Collective steps in one order on every rank, and each agreed upon: a rank that failed alone
     * would leave the others waiting in the next one. */
    deal_images(t);
    plan_options options = {0};
    bool resumed, contrast = o->contrast || o->end == NETWORK_PROJECTION;
    st = arithmetic_require(o->how, c, contrast && s->pretrain.loss_dtype == DTYPE_BF16);
    arithmetic_set(o->how, &options);
    /* A checkpoint made in another arithmetic would not continue to the same bits. */
    t->o.key = arithmetic_hash(t->o.key, o->how);
    /* Asked of the file, too, where a checkpoint goes on: its network is the one that was begun. */
    if (st == STATUS_OK) st = model_setup_read(c, s, o->weights, dataset_classes(d), &t->model);
    if (st == STATUS_OK) st = build_network(t);
    if (st == STATUS_OK) st = validation_room(o->validation, t);
    st = comm_agree(c, st);
    bool alone = s->model.norm != MODEL_NORM_SYNC; /* which exchanges sums in the backward pass */
    if (st == STATUS_OK) st = gradient_sync_create(&t->sync, c, t->gradient, alone);
    if (st == STATUS_OK) st = load_weights(t, &resumed);
    /* What is wrong with the network is wrong on all ranks: one says it. */
    if (st == STATUS_OK) st = comm_agree(c, comm_root(c) ? choose_waves(t, &options) : STATUS_OK);
    if (st == STATUS_OK) st = comm_agree(c, comm_root(c) ? STATUS_OK : choose_waves(t, &options));
    if (st == STATUS_OK) st = comm_agree(c, build_plan(t, options));
    if (st == STATUS_OK) st = open_metrics(t);
    if (st != STATUS_OK) goto done;
    log_start(t);
    begin_clock(t);
    t->bar = progress_begin(o->stage, "steps", t->step, o->steps);
    *out = t;
    return STATUS_OK;
done:
    trainer_destroy(t);
    return st;
}

void trainer_destroy(trainer *t) {
    if (!t) return;
    checkpoint_writer_destroy(t->writer);
    metrics_close(t->metrics);
    norm_statistics_destroy(&t->statistics);
    plan_destroy(t->plan);
    gradient_sync_destroy(t->sync);
    optimizer_destroy(&t->optimizer);
    gradient_destroy(t->gradient);
    parameters_destroy(t->p);
    parameters_destroy(t->average);
    graph_destroy(t->g);
    memory_free(t);
}

static bool is_over(const trainer *t) {
    return t->step >= t->o.steps || validation_ends(t->o.validation);
}

/* Whether there is one more step, and its learning rate. The rate belongs to the step, so that it
 * stands in metrics.csv as it was used; it is a function of the step's number, not of the rate
 * before. */
bool trainer_next(trainer *t) {
    if (is_over(t)) return false;
    t->step_began = timer_now();
    t->rate =
        t->o.lr * schedule_factor(t->o.schedule, t->step, t->o.steps, t->o.warmup, t->o.power);
    return true;
}

/* Exchanges of norm "sync". */
static void largest_of_ranks(void *context, int32_t *x, size_t n) {
    comm_max_i32(((const trainer *)context)->c, x, n);
}

static void sum_of_ranks(void *context, int64_t *x, size_t n) {
    comm_sum_i64(((const trainer *)context)->c, x, n);
}

void trainer_input(trainer *t, float **input) {
    if (t->waves.count == 1 && t->local > 0) plan_swap_input(t->plan, input);
    t->input = *input;
}

/* Also for each repetition of a step whose scale was off. */
void trainer_begin(trainer *t) {
    t->left = t->waves.count;
    gradient_sync_begin(t->sync, t->units);
}

int trainer_wave(const trainer *t, int k, int *first) {
    int begin = k * t->waves.images, rest = t->local - begin;
    *first = begin;
    return rest < t->waves.images ? rest : t->waves.images;
}

static step_context context_of(trainer *t, int first) {
    return (step_context){.seed = (uint64_t)t->s->run.seed,
        .step = (uint64_t)t->step,
        .first = t->first + first,
        .exchange = {largest_of_ranks, sum_of_ranks, t, t->o.images},
        .poll = gradient_sync_poll,
        .poll_context = t->sync};
}

status trainer_forward(trainer *t, int k) {
    double now = timer_now();
    int first, images = trainer_wave(t, k, &first);
    step_context x = context_of(t, first);
    size_t floats = (size_t)t->o.crop * (size_t)t->o.crop * 3; /* of a view */
    /* With one wave the batch's buffer is the plan's input already. */
    if (t->waves.count > 1)
        memcpy(plan_input(t->plan, 0), t->input + (size_t)first * floats,
            (size_t)images * floats * sizeof *t->input);
    status st = plan_forward(t->plan, images, &x);
    /* Statistics of a wave must be taken before the next wave overwrites them. */
    if (t->s->model.norm == MODEL_NORM_GROUP)
        norm_statistics_keep(&t->statistics, t->plan, units_of(t, first));
    timer_lap(&t->time, PHASE_FORWARD, now);
    return st;
}

status trainer_backward(trainer *t, int k, status st) {
    int first, images = trainer_wave(t, k, &first);
    step_context x = context_of(t, first);
    /* Sums of the gradient are complete with the last wave alone: before that nothing may be
     * sent. */
    assert(t->left > 0);
    x.more = --t->left > 0;
    /* Under "sync" the backward pass exchanges sums: no rank may enter it alone. */
    if (t->s->model.norm == MODEL_NORM_SYNC) st = comm_agree(t->c, st);
    if (st != STATUS_OK) return st;
    double now = timer_now();
    st = plan_backward(t->plan, images, &x, t->gradient);
    timer_lap(&t->time, PHASE_BACKWARD, now);
    return st;
}

/* What a rank could not tell the others within its waves (st), and whether the sums fitted. Its own
 * failure outweighs a gradient that is not finite, which may be no more than what follows from
 * it. */
status trainer_end(trainer *t, status st, bool *again) {
    double now = timer_now();
    status all = gradient_sync_end(t->sync, again);
    timer_lap(&t->time, PHASE_EXCHANGE, now);
    st = comm_agree(t->c, st);
    if (st != STATUS_OK || all != STATUS_NONFINITE) return st != STATUS_OK ? st : all;
    char text[DIVERGENCE_TEXT];
    snprintf(text, sizeof text, "the gradient of %s is not finite", gradient_fault(t->gradient));
    return divergence_report(t, text);
}

/* Running averages enter no gradient, but the weights that are written: they are updated like them,
 * on every rank to the same bits. */
static void commit_statistics(trainer *t) {
    norm_statistics *s = &t->statistics;
    switch (t->s->model.norm) {
    case MODEL_NORM_FROZEN:
        break;
    case MODEL_NORM_SYNC:
        /* The batch is one unit, whose moments every rank has. */
        norm_statistics_keep(s, t->plan, 0);
        norm_statistics_commit(s, t->plan, NULL, (units_place){0, 1, 1});
        break;
    case MODEL_NORM_GROUP:
        norm_statistics_commit(s, t->plan, t->c,
            (units_place){units_of(t, t->first), units_of(t, t->local), t->units});
        break;
    }
}

/* Every rank has computed the same weights and states by itself, so that a bit that flips in one
 * rank's memory would never be noticed, and poisons all sums from then on. What is compared is a
 * hash; what is saved has been compared before. Collective. */
static status compare_ranks(trainer *t) {
    if (comm_size(t->c) == 1) return STATUS_OK;
    char what[160];
    uint64_t hash = weights_hash(t->p);
    for (int i = 0; i < t->optimizer.states; i++)
        hash = hash_append(hash, t->optimizer.state[i], t->p->count * sizeof(float));
    if (t->average) {
        uint64_t average = weights_hash(t->average); /* norm statistics, too */
        hash = hash_append(hash, &average, sizeof average);
    }
    for (int i = 0; i < t->o.extras; i++)
        hash = hash_append(hash, t->o.extra[i].data, checkpoint_extra_bytes(&t->o.extra[i]));
    snprintf(what, sizeof what, "%s: step %" PRId64 ": weights or the optimiser's state",
        t->o.stage, t->step);
    status st = comm_compare(t->c, what, hash);
    if (st == STATUS_OK || !comm_root(t->c)) return st;
    int64_t newest = saves_newest(t);
    log_error("%s: nothing is written of it; the same command goes on from %s %" PRId64, t->o.stage,
        newest > 0 ? "the checkpoint of step" : "step", newest);
    return st;
}

/* Rank 0 alone has the file; the norm is the gradient's before clipping. */
static status write_row(trainer *t, double loss, double anchors, double miou) {
    if (!comm_root(t->c)) return STATUS_OK;
    metrics_row row = METRICS_EMPTY(t->o.metric, t->o.round, t->step);
    row.loss = loss;
    row.anchors = anchors;
    row.miou = miou;
    row.learning_rate = t->rate;
    row.gradient_norm = gradient_norm(t->gradient);
    row.seconds = timer_now() - t->step_began;
    return metrics_write(t->metrics, &row);
}

/* New weights and statistics, if they are such that the next step can be taken. Collective. */
static status take_step(trainer *t, double loss) {
    char fault[DIVERGENCE_TEXT] = "the loss is not finite";
    double rate[2] = {t->rate, t->rate * t->o.head_lr};
    faults_inject(t);
    bool finite = optimizer_step(&t->optimizer, t->p, t->gradient, rate, t->step);
    commit_statistics(t);
    bool diverged = !isfinite(loss) || divergence_find(t, finite, fault);
    status st = comm_agree(t->c, diverged ? STATUS_NONFINITE : plan_pack(t->plan));
    return st == STATUS_NONFINITE ? divergence_report(t, diverged ? fault : "") : st;
}

/* Its time is no step's: speed and length of steps are as without looks. */
static status look(trainer *t, double *miou) {
    if (!t->o.validation) return STATUS_OK;
    double now = timer_now();
    status st = validation_look(t->o.validation, t, miou);
    t->step_began += timer_lap(&t->time, PHASE_VALIDATION, now) - now;
    return st;
}

status trainer_update(trainer *t, double loss, double anchors) {
    double now = timer_now(), miou = NAN;
    status st = take_step(t, loss);
    if (st != STATUS_OK) return st;
    t->step++;
    if (t->average)
        average_update(t->average, t->p, t->o.average, t->o.average_aside ? SETTLED : t->step);
    timer_lap(&t->time, PHASE_OPTIMIZER, now);
    st = look(t, &miou);
    if (st != STATUS_OK) return st;
    now = timer_now();
    st = write_row(t, loss, anchors, miou);
    snprintf(t->note, sizeof t->note, "loss %.4f", loss);
    progress_update(&t->bar, t->step, t->note);
    timer_lap(&t->time, PHASE_WRITE, now);
    if (t->step == t->resumed + t->s->run.untimed_steps && t->step < t->o.steps) begin_clock(t);
    /* A checkpoint that could not be written ends the stage soon, not after hours in which nothing
     * is safe. */
    if (st == STATUS_OK) st = saves_poll(t);
    /* One rank that was signalled is enough: the code travels with the agreement. */
    if (st == STATUS_OK && stop_requested()) st = STATUS_STOPPED;
    st = comm_agree(t->c, st);
    /* Not after the last step: the weights themselves follow. */
    bool due = t->s->run.checkpoint_steps > 0 && t->step % t->s->run.checkpoint_steps == 0;
    bool over = is_over(t), save_now = (st == STATUS_OK && due && !over) || st == STATUS_STOPPED;
    if (save_now || (st == STATUS_OK && (t->step % COMPARED == 0 || over))) {
        status same = compare_ranks(t);
        if (same != STATUS_OK) return same;
    }
    if (save_now) {
        status saved = saves_state(t, st == STATUS_STOPPED);
        if (saved != STATUS_OK) return saved;
    }
    if (st == STATUS_STOPPED)
        log_info("%s: stopped after step %" PRId64 " of %d", t->o.stage, t->step, t->o.steps);
    return st;
}

/* Figures of images, not of ranks: whoever adds them up does it in the order of the batch. */
void trainer_gather_images(const trainer *t, double *figure) {
    /* Each element has one nonzero summand, and adding zeros is exact. */
    for (int i = 0; i < t->o.images; i++)
        if (i < t->first || i >= t->first + t->local) figure[i] = 0;
    comm_sum_f64_disjoint(t->c, figure, (size_t)t->o.images);
}

status trainer_finish(trainer *t, const char *path, uint64_t *hash) {
    char step[24], input[IMAGE_INPUT_TEXT];
    progress_end(&t->bar, t->step, t->note);
    snprintf(step, sizeof step, "%" PRId64, t->step);
    const char *metadata[12] = {
        "format", "pt", "program", "auxseg " AUXSEG_VERSION, "stage", t->o.stage, "steps", step};
    model_setup_metadata(&t->model, input, &metadata[8]);
    status st = comm_agree(t->c, metrics_sync(t->metrics));
    if (st == STATUS_OK) st = saves_finish(t);
    if (st == STATUS_OK) validation_restore(t->o.validation, t);
    double now = timer_now();
    if (st == STATUS_OK) st = trainer_write_weights(t, path, metadata, 6, hash);
    timer_lap(&t->time, PHASE_WRITE, now);
    return st;
}

/* Only now: a kill between the weights and the record must find the checkpoints. */
void trainer_forget(trainer *t) {
    char folder[FILE_PATH];
    if (setup_path(folder, t->s, "checkpoints", 1) == STATUS_OK)
        checkpoint_clear(t->c, folder, t->o.stage, t->o.key);
}

/* Of this start alone. */
double trainer_images_per_second(const trainer *t) {
    double seconds = timer_now() - t->began - t->time.seconds[PHASE_VALIDATION];
    int64_t steps = t->step - t->timed;
    return steps > 0 && seconds > 0 ? (double)steps * t->o.images / seconds : NAN;
}
