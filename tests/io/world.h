/* What tests of collective files share: the communicator, and one folder for all ranks. */
#ifndef AUXSEG_TESTS_IO_WORLD_H
#define AUXSEG_TESTS_IO_WORLD_H

#include "mpi/comm.h"
#include "tests/io/scratch.h"

static comm *world;
static scratch folder;

static inline int world_setup(void **state) {
    (void)state;
    if (comm_root(world)) scratch_create(&folder);
    comm_broadcast(world, &folder, sizeof folder);
    return 0;
}

static inline int world_teardown(void **state) {
    (void)state;
    comm_barrier(world);
    if (comm_root(world)) scratch_destroy(&folder);
    return 0;
}

/* The test group's result, the worst of all ranks. */
#define WORLD_RUN(tests, failed)                                                                   \
    do {                                                                                           \
        MPI_Init(&argc, &argv);                                                                    \
        if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;                            \
        failed = cmocka_run_group_tests(tests, world_setup, world_teardown);                       \
        comm_destroy(world);                                                                       \
        MPI_Finalize();                                                                            \
    } while (0)

#endif
