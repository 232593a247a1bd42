/* Vision transformers (Dosovitskiy et al. 2021) as DINO, DINOv2 and timm publish them: pre-norm
 * blocks, a class token, learned positions, heads of 64 channels but for a few; DINOv2's layer
 * scale and registers (Oquab et al. 2023, Darcet et al. 2024). Forward only: extractors. Not
 * collective. Names: "backbone." + timm's. */
#ifndef AUXSEG_MODEL_VIT_H
#define AUXSEG_MODEL_VIT_H

#include "src/nn/graph/graph.h"

enum { VIT_HEAD = 64, VIT_BLOCKS = 64 }; /* channels of most networks' heads; most blocks */

typedef struct vit {
    int width, blocks; /* width 0: no vision transformer */
    bool scaled;       /* layer scale: ".ls1.gamma", ".ls2.gamma" */
    bool moco;         /* under MoCo v3's names: its small network has heads of its own */
    patch_embed embed;
} vit;

/* What is known of a tensor of a file without its values. */
typedef struct vit_tensor {
    const char *name;
    int dims;
    const int64_t *shape;
} vit_tensor;

/* Looks at one more tensor of a file, in any order, and notes what it says of the network; v is
 * zero before the first. Names may have anything in front of them that ends with a dot. */
void vit_look(vit *v, const vit_tensor *t);
/* Whether what has been looked at makes a network; reason [size] is written if it does not. */
bool vit_complete(const vit *v, char *reason, size_t size);

/* Heads of the attention, which no tensor tells. */
int vit_heads(const vit *v);

/* Adds the network, and its outputs joined: layers are separated by commas, each once: "block0" ..
 * (a block's output, as it is), "block0.keys", ".queries", ".values" (of its attention, all heads
 * side by side), "norm" (the last block's, normalised). Maps of patches, [h, w, width] each. Blocks
 * that nothing reads are left out. STATUS_USAGE with a message that names what is unknown. */
status vit_build(graph *g, value image, const vit *v, const char *layers, value *out);

#endif
