/* Images are dealt to the threads of a parallel region.
 *
 * The dealing depends on load (dynamic) and on the number of threads; no result does, for an image
 * has the same arithmetic on any thread and in any team. */
#include "src/nn/plan/plan_team.h"

#include <omp.h>

/* Of a full wave. Teams of a smaller last one may be larger: direct convolutions then have fewer
 * parts than the team has threads, or none. */
int plan_largest_team(const plan *p) {
    int rest = p->o.images % p->o.threads;
    return rest > 0 ? (p->o.threads + rest - 1) / rest : 1;
}

static status run(
    plan *p, int image, const team *t, plan_work *work, const void *job, const step_context *c) {
    status st = work(p, image, t, job, c);
    if (t->thread == 0 && c->poll) c->poll(c->poll_context);
    return st;
}

/* The rest are dealt after the others: all threads are free by then, but for those that finish
 * late, for whom their team waits. */
status plan_each_image(
    plan *p, int first, int end, plan_work *work, const void *job, const step_context *c) {
    int thread = omp_get_thread_num(), threads = omp_get_num_threads(), image;
    int rest = (end - first) % threads, alone = end - rest;
    void *scratch = p->worker[thread].scratch;
    team one = team_alone(thread, scratch);
    status worst = STATUS_OK;
#pragma omp for schedule(dynamic)
    for (int i = first; i < alone; i++) {
        status st = run(p, i, &one, work, job, c);
        if (st != STATUS_OK) worst = st;
    }
    if (rest > 0) {
        team t = team_of(thread, threads, rest, &image);
        t.meeting = &p->meeting[image];
        t.scratch = scratch;
        t.shared = p->worker[t.leader].scratch;
        status st = run(p, alone + image, &t, work, job, c);
        if (st != STATUS_OK) worst = st;
    }
#pragma omp barrier
    return worst;
}
