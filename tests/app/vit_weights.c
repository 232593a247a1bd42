/* vit_weights FILE: a small vision transformer with random weights as safetensors, for vit_test.sh:
 * width 128, 2 blocks, patches of 8 pixels, positions of 4 x 4, 2 registers. */
#include "io/weights/weights.h"
#include "src/base/status.h"
#include "src/model/network.h"

#include <stdio.h>

int main(int argc, char **argv) {
    if (argc != 2) return STATUS_USAGE;
    network_options o = {.vit = {.width = 128,
                             .blocks = 2,
                             .scaled = true,
                             .embed = {.patch = 8,
                                 .channels = 128,
                                 .grid = 4,
                                 .class_position = true,
                                 .registers = 2,
                                 .register_tokens = true}}};
    graph *g = NULL;
    status st = network_create(&g, &o, NETWORK_FEATURES, "norm");
    if (st != STATUS_OK) return (int)st;
    parameters *p = parameters_create(g);
    if (!p) return STATUS_FAILED;
    parameters_initialize(p, 7);
    st = weights_save(NULL, argv[1], p, NULL, 0);
    parameters_destroy(p);
    graph_destroy(g);
    return (int)st;
}
