/* Counts a program's MPI calls and the bytes of their results, for LD_PRELOAD: each rank adds lines
 * "call calls bytes" to $AUXSEG_COUNT/RANK.txt when MPI ends. Bytes are those that the rank has
 * afterwards: of a reduction its result, of a gather all ranks' parts; of a message those that it
 * sends. */
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum call {
    ALLREDUCE,
    IALLREDUCE,
    ISEND,
    ALLGATHER,
    ALLGATHERV,
    BCAST,
    BARRIER,
    CALLS
} call;

static const char *const name[CALLS] = {
    "Allreduce", "Iallreduce", "Isend", "Allgather", "Allgatherv", "Bcast", "Barrier"};
static int64_t calls[CALLS], bytes[CALLS];

static void count(call c, int64_t elements, MPI_Datatype type) {
    int size;
    MPI_Type_size(type, &size);
    calls[c]++;
    bytes[c] += elements * size;
}

int MPI_Allreduce(const void *from, void *to, int n, MPI_Datatype type, MPI_Op op, MPI_Comm c) {
    count(ALLREDUCE, n, type);
    return PMPI_Allreduce(from, to, n, type, op, c);
}

int MPI_Iallreduce(const void *from, void *to, int n, MPI_Datatype type, MPI_Op op, MPI_Comm c,
    MPI_Request *request) {
    count(IALLREDUCE, n, type);
    return PMPI_Iallreduce(from, to, n, type, op, c, request);
}

int MPI_Isend(
    const void *x, int n, MPI_Datatype type, int to, int tag, MPI_Comm c, MPI_Request *request) {
    count(ISEND, n, type);
    return PMPI_Isend(x, n, type, to, tag, c, request);
}

int MPI_Allgather(const void *from, int n, MPI_Datatype type, void *to, int m,
    MPI_Datatype received, MPI_Comm c) {
    int size;
    MPI_Comm_size(c, &size);
    count(ALLGATHER, (int64_t)m * size, received);
    return PMPI_Allgather(from, n, type, to, m, received, c);
}

int MPI_Allgatherv(const void *from, int n, MPI_Datatype type, void *to, const int m[],
    const int offset[], MPI_Datatype received, MPI_Comm c) {
    int size;
    int64_t all = 0;
    MPI_Comm_size(c, &size);
    for (int r = 0; r < size; r++) all += m[r];
    count(ALLGATHERV, all, received);
    return PMPI_Allgatherv(from, n, type, to, m, offset, received, c);
}

int MPI_Bcast(void *x, int n, MPI_Datatype type, int root, MPI_Comm c) {
    count(BCAST, n, type);
    return PMPI_Bcast(x, n, type, root, c);
}

int MPI_Barrier(MPI_Comm c) {
    count(BARRIER, 0, MPI_BYTE);
    return PMPI_Barrier(c);
}

int MPI_Finalize(void) {
    char path[4096];
    int rank;
    const char *folder = getenv("AUXSEG_COUNT");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    snprintf(path, sizeof path, "%s/%d.txt", folder ? folder : ".", rank);
    FILE *f = fopen(path, "a");
    for (int i = 0; f && i < CALLS; i++)
        fprintf(f, "%s %lld %lld\n", name[i], (long long)calls[i], (long long)bytes[i]);
    if (f) fclose(f);
    return PMPI_Finalize();
}
