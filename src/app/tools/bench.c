/* `auxseg bench WHAT`: finds the benchmark. Each is a file of its own, bench_WHAT.c. To add one,
 * write its file, give it a line in the table below and a line in the usage of command_list.c, from
 * which the help, the manual page and the completion come. */
#include "src/app/tools/bench.h"

#include "src/app/tools/bench_extract_train.h"
#include "src/app/tools/bench_kmeans.h"
#include "src/app/tools/bench_loss.h"
#include "src/app/tools/bench_roof.h"
#include "src/base/log.h"

#include <string.h>

/* Each benchmark reads the rest of the words by itself. */
status command_bench(const comm *c, int argc, char **argv) {
    static const struct {
        const char *name;
        status (*run)(const comm *c, int argc, char **argv);
    } bench[] = {{"kmeans", bench_kmeans}, {"loss", bench_loss}, {"extract", bench_extract},
        {"train", bench_train}, {"roof", bench_roof}};
    for (size_t i = 0; argc > 0 && i < sizeof bench / sizeof *bench; i++)
        if (strcmp(argv[0], bench[i].name) == 0) return bench[i].run(c, argc - 1, argv + 1);
    if (comm_root(c))
        log_error("bench %s: must be kmeans, loss, extract, train or roof (auxseg bench --help)",
            argc > 0 ? argv[0] : "");
    return STATUS_USAGE;
}
