/* Settings are read by rank 0 and sent: thousands of ranks that open one file at once are a load
 * on the file system, and may see it in different states while somebody edits it. */
#include "mpi/settings_share.h"

/* A struct without pointers: its bytes are it. */
status settings_share(
    const comm *c, settings *out, const char *file, const char *const *set, int sets) {
    status st = comm_root(c) ? settings_read(out, file, set, sets) : STATUS_OK;
    st = comm_agree(c, st);
    if (st == STATUS_OK) comm_broadcast(c, out, sizeof *out);
    return st;
}
