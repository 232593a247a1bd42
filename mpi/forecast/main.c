/* A simulated rank: reads the profile, does its stage's steps, and rank 0 prints one line of
 * figures. Run by SimGrid's smpirun (`auxseg forecast` does it): smpirun ... auxseg-forecast
 * PROFILE STAGE THREADS STEPS IMAGES DEAL POOL ROWS */
#include "mpi/forecast/simulated.h"
#include "mpi/forecast/stages.h"
#include "src/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROFILE = 1, STAGE, THREADS, STEPS, IMAGES, DEAL, POOL, ROWS, WORDS };

static status run(const comm *c, char **word, simulated_times *t) {
    const simulated_work w = {.steps = atoi(word[STEPS]),
        .images = atoi(word[IMAGES]),
        .deal = atoi(word[DEAL]),
        .pool = atoll(word[POOL]),
        .rows = atoll(word[ROWS])};
    if (strcmp(word[STAGE], "extract") == 0) return simulated_extract(c, &w, t);
    if (strcmp(word[STAGE], "cluster") == 0) return simulated_cluster(c, &w, t);
    return simulated_train(c, &w, t);
}

/* One process holds all ranks: the first reads for all of them. */
int main(int argc, char **argv) {
    comm *c = NULL;
    simulated_times t = {0};
    status st = argc == WORDS ? STATUS_FAILED : STATUS_USAGE;
    MPI_Init(&argc, &argv);
    if (argc == WORDS && comm_create(&c, MPI_COMM_WORLD) == STATUS_OK) {
        st = STATUS_OK;
        if (c->rank == 0) {
            simulation.threads = atoi(argv[THREADS]);
            simulation.poll = 0.01;
            st = profile_read(&simulation.p, argv[PROFILE]);
        }
        st = comm_agree(c, st);
        if (st == STATUS_OK) st = run(c, argv, &t);
        if (st == STATUS_OK && c->rank == 0)
            printf("forecast %s ranks %d seconds %.9g exchange %.9g sent %.9g memory %.9g\n",
                argv[STAGE], c->size, t.seconds, t.exchange, t.sent, simulation.most / c->size);
        comm_destroy(c);
    }
    MPI_Finalize();
    return (int)st;
}
