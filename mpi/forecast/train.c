/* A training step between ranks: what src/app/training/trainer.c and the loss exchange, in their
 * order. Times are those of a rank's images on its threads; the gradient of a parameter is ready
 * when it was in the measured step, and the exchange is polled between images, as the program
 * does. */
#include "mpi/forecast/simulated.h"
#include "mpi/forecast/stages.h"
#include "mpi/gradient_sync.h"
#include "mpi/pool.h"
#include "mpi/shard.h"
#include "src/base/memory.h"

enum { DIMENSIONS = 128 }; /* of an embedding */

typedef struct training {
    const comm *c;
    const simulated_work *w;
    double share; /* of the profile's images that this rank computes on one thread */
    double input; /* seconds of decoding its images and cutting views */
    parameters *p;
    gradient *g;
    gradient_sync *sync;
    int32_t *exponent; /* [norms] */
    int64_t *moment;   /* [2, norms] */
    pool_exchange *pool;
    contrast_pool mine;
    float *gradient; /* [mine.n, D] */
    double exchange;
} training;

/* Whole deals. */
static int images_of(const training *t) {
    int64_t deals = (t->w->images + t->w->deal - 1) / t->w->deal;
    int64_t first = shard_begin(deals, t->c->rank, t->c->size) * t->w->deal;
    int64_t end = shard_begin(deals, t->c->rank + 1, t->c->size) * t->w->deal;
    return (int)((end < t->w->images ? end : t->w->images) - first);
}

/* Images of a rank are dealt to its threads; the last round may not have one for each. Where there
 * are fewer images than threads, teams share an image. Seconds of p.threads are divided in
 * simulated_compute. */
static double share_of(int images, int threads, double measured) {
    int rounds = (images + threads - 1) / threads;
    double whole = images >= threads ? (double)rounds * threads : images;
    return whole / measured;
}

/* By threads of the same cores, whichever of them. Both views of pretraining are of one image. */
static double input_of(const simulated_work *w, int images) {
    const profile *p = &simulation.p;
    return w->pool > 0 ? images * (p->pretrain_decode / 2 + p->pretrain_view)
                       : images * (p->finetune_decode + p->finetune_view);
}

/* Rows without contents: what counts is how many there are. */
static status allocate_rows(training *t) {
    size_t n = (size_t)(shard_begin(t->w->pool, t->c->rank + 1, t->c->size) -
                        shard_begin(t->w->pool, t->c->rank, t->c->size));
    float *z = memory_alloc(n * DIMENSIONS, sizeof *z, "embeddings");
    int32_t *words = memory_alloc(3 * n, sizeof *words, "labels");
    t->gradient = memory_alloc(n * DIMENSIONS, sizeof *t->gradient, "gradient");
    t->mine = (contrast_pool){.z = z, .label = words};
    if (!z || !words || !t->gradient) return STATUS_FAILED;
    for (size_t i = 0; i < n; i++) words[2 * n + i] = -1;
    t->mine = (contrast_pool){n, DIMENSIONS, z, words, words + n, words + 2 * n};
    return STATUS_OK;
}

/* What a rank needs by itself. Not collective. */
static status allocate(training *t) {
    const profile *p = &simulation.p;
    size_t norms = (size_t)p->norms;
    t->share = share_of(images_of(t), simulation.threads, p->images);
    t->input = input_of(t->w, images_of(t));
    t->p = simulated_parameters(p);
    t->g = t->p ? gradient_create(t->p, GRADIENT_CHUNK) : NULL;
    t->exponent = memory_alloc(norms + 1, sizeof *t->exponent, "norms");
    t->moment = memory_alloc(2 * norms + 1, sizeof *t->moment, "norms");
    if (!t->g || !t->exponent || !t->moment) return STATUS_FAILED;
    return t->w->pool > 0 ? allocate_rows(t) : STATUS_OK;
}

/* Ranks agree on what can fail on one of them before the others wait for it. Collective. */
static status create(training *t) {
    status st = comm_agree(t->c, allocate(t));
    if (st == STATUS_OK) st = gradient_sync_create(&t->sync, t->c, t->g, true);
    return st == STATUS_OK && t->w->pool > 0 ? pool_exchange_create(&t->pool, t->c, NULL) : st;
}

static void destroy(training *t) {
    pool_exchange_destroy(t->pool);
    gradient_sync_destroy(t->sync);
    gradient_destroy(t->g);
    memory_free((float *)t->mine.z);
    memory_free((int32_t *)t->mine.label);
    memory_free(t->gradient);
    memory_free(t->exponent);
    memory_free(t->moment);
    if (t->p) memory_free(t->p->item);
    memory_free(t->p);
}

/* Of this rank, what took `seconds` in the measured step. A rank without images does not even what
 * is done once. */
static double take(const training *t, double seconds, double once) {
    return t->share > 0 ? once + (seconds - once) * t->share : 0;
}

/* Until `to`, seconds of this rank's backward pass. */
static void compute_until(training *t, double *now, double to) {
    double rest = to - *now;
    if (rest > 0) *now = to;
    for (; rest > simulation.poll * simulation.threads;
         rest -= simulation.poll * simulation.threads) {
        simulated_compute(simulation.poll * simulation.threads);
        gradient_sync_poll(t->sync);
    }
    simulated_compute(rest);
    gradient_sync_poll(t->sync);
}

/* Parameters in the order of time. A rank without images takes part in the exchange alone. */
static void backward(training *t) {
    const profile *p = &simulation.p;
    double now = 0;
    for (int i = 0; i < p->parameters && t->share > 0; i++) {
        compute_until(t, &now, take(t, p->ready[i].seconds, p->ready[i].once));
        gradient_open(t->g, i);
        gradient_ready(t->g, i);
    }
    compute_until(t, &now, take(t, p->backward, p->backward_once));
}

static status loss(training *t) {
    const contrast_options o = {.temperature = 0.1,
        .threads = 1,
        .type = simulation.p.loss_bf16 > 0 ? DTYPE_BF16 : DTYPE_F32,
        .pairs = simulation.p.loss_bf16 > 0};
    contrast_stats stats;
    simulated_compute(take(t, simulation.p.loss, 0));
    if (t->w->pool == 0) return STATUS_OK;
    return pool_loss(t->pool, &o, &t->mine, &stats, t->gradient);
}

/* The optimiser's loop is over all weights on every rank, by its threads. */
static status step(training *t) {
    const profile *p = &simulation.p;
    bool again;
    size_t norms = (size_t)p->norms;
    gradient_sync_begin(t->sync, t->w->images);
    simulated_compute(t->input);
    simulated_compute(take(t, p->forward, p->forward_once));
    status st = comm_agree(t->c, loss(t));
    if (st != STATUS_OK) return st;
    backward(t);
    double now = MPI_Wtime();
    st = gradient_sync_end(t->sync, &again);
    st = comm_agree(t->c, st);
    t->exchange += MPI_Wtime() - now;
    simulated_compute(p->optimizer);
    comm_max_i32(t->c, t->exponent, norms);
    comm_sum_i64(t->c, t->moment, 2 * norms);
    st = comm_agree(t->c, st);
    return comm_agree(t->c, st);
}

status simulated_train(const comm *c, const simulated_work *w, simulated_times *out) {
    training t = {.c = c, .w = w};
    status st = comm_agree(c, create(&t));
    double sent = simulated_sent(c), now = MPI_Wtime();
    for (int i = 0; st == STATUS_OK && i < w->steps; i++) st = step(&t);
    double end = MPI_Wtime();
    *out = (simulated_times){end - now, t.exchange, simulated_sent(c) - sent};
    destroy(&t);
    return st;
}
