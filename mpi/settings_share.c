#include "mpi/settings_share.h"

status settings_share(
    const comm *c, settings *out, const char *file, const char *const *set, int sets) {
    status st = comm_root(c) ? settings_read(out, file, set, sets) : STATUS_OK;
    st = comm_agree(c, st);
    if (st == STATUS_OK) comm_broadcast(c, out, sizeof *out);
    return st;
}
