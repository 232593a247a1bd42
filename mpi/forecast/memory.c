/* Memory of thousands of ranks in one process, in place of src/base/memory.c: what is long is one
 * piece for all of them, whose contents mean nothing, and which the simulator does not copy when it
 * is sent. What is short is a rank's own and keeps what is written. What ranks would hold is
 * counted. */
#include "mpi/forecast/simulated.h"
#include "src/base/hook.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <smpi/smpi.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 64, SHARED = 256 << 10 };

/* Before each block: how long it is. */
typedef struct head {
    size_t bytes;
} head;

/* An allocation fails: of which rank, its number among those of all says. */
static hook no_memory = {.name = "MEMORY"};

static void count(double bytes) {
    simulation.allocated += bytes;
    if (simulation.allocated > simulation.most) simulation.most = simulation.allocated;
}

/* The simulator's memory cannot have a head before it: what a caller frees is found in a list of
 * its own, which is short. */
enum { BLOCKS = 1 << 20 };
static struct {
    void *block;
    size_t bytes;
} * blocks;
static int used;

static void *shared_block(size_t bytes) {
    if (!blocks) blocks = calloc(BLOCKS, sizeof *blocks);
    if (!blocks || used == BLOCKS) return NULL;
    void *p = smpi_shared_malloc(bytes, "auxseg", 1);
    if (p) {
        blocks[used].block = p;
        blocks[used++].bytes = bytes;
    }
    return p;
}

void *memory_alloc(size_t count_, size_t size, const char *what) {
    size_t bytes = count_ * size;
    void *block = NULL;
    bool shared = bytes >= SHARED;
    bool lacks = hook_now(&no_memory);
    if (shared && !lacks)
        block = shared_block(bytes);
    else if (lacks || posix_memalign(&block, HEAD, bytes + HEAD) != 0)
        block = NULL;
    if (!block) {
        log_error("%s: out of memory", what);
        return NULL;
    }
    count((double)bytes);
    if (shared) return block;
    memset(block, 0, bytes + HEAD);
    *(head *)block = (head){.bytes = bytes};
    return (char *)block + HEAD;
}

void memory_free(void *p) {
    if (!p) return;
    for (int i = used - 1; i >= 0; i--) {
        if (blocks[i].block != p) continue;
        count(-(double)blocks[i].bytes);
        blocks[i] = blocks[--used];
        smpi_shared_free(p);
        return;
    }
    head *h = (head *)((char *)p - HEAD);
    count(-(double)h->bytes);
    free(h);
}
