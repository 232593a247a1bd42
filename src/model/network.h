/* The networks, each described as a list of layers. Not collective.
 * Parameter names are torchvision's: "backbone." + resnet's or squeezenet's, "classifier." + the
 * head's; ours alone: deeplabv3plus (src/model/deeplab.h), "projection." and "dense_projection.".
 */
#ifndef AUXSEG_MODEL_NETWORK_H
#define AUXSEG_MODEL_NETWORK_H

#include "src/base/settings_choices.h"
#include "src/model/vit.h"

#include <stdbool.h>

typedef struct network_options {
    model_backbone backbone;
    int stages;        /* 1 .. 4: the encoder is cut after this stage; one with fewer is whole */
    bool deep_stem;    /* ResNet's: src/model/resnet.h */
    bool stride_first; /* ResNet's bottlenecks': there, too */
    int output_stride; /* 8 | 16 | 32 */
    model_head head;
    int head_channels; /* width of the head body; 0: torchvision's (256, fcn: C / 4) */
    int classes;       /* of the classifier */
    int projection;    /* dimensions of the projection head's output */
    bool contrast; /* NETWORK_CLASSIFIER: the projection head beside the classifier; embeddings are
                      output 1; not with twin */
    bool twin;     /* NETWORK_CLASSIFIER: a second network of the same form on the same image, its
                      parameters' names behind NETWORK_TWIN; logits are output 1 */
    vit vit;       /* width > 0: this in place of all of the above, NETWORK_FEATURES only */
} network_options;

#define NETWORK_TWIN "twin."
/* Names of the projection head's parameters begin so; in NETWORK_EMBEDDING and NETWORK_DENSE it
 * stands on the encoder, and has another shape. */
#define NETWORK_EMBED "projection"

typedef enum network_end {
    NETWORK_FEATURES,   /* the layers named in `layers`, concatenated at the finest one's size */
    NETWORK_CLASSIFIER, /* encoder, head body, classifier: logits at the head's stride */
    NETWORK_PROJECTION, /* encoder, head body, projection head: embeddings at the head's stride, not
                           normalised */
    NETWORK_EMBEDDING,  /* encoder, mean over all pixels of its last map, projection head: one
                           embedding an image [1, 1, projection], not normalised */
    NETWORK_DENSE, /* three outputs: that embedding; one a pixel of the encoder's last map, by a
                      projection head of their own; and the map itself */
    NETWORK_IMAGE, /* the encoder whole and undilated, with the classifier of whole images that it
                      was published with ("fc", "classifier.1"): scores [1, 1, classes] */
} network_end;

/* layers (NETWORK_FEATURES only): comma-separated, each "layer1" .. "layer4" (a stage's output) or
 * "head" (the head body's, what the classifier reads); of a vision transformer those of vit.h.
 * STATUS_USAGE with a message that names what is unknown. Owned by the caller. */
status network_create(graph **out, const network_options *o, network_end end, const char *layers);

/* How many stages are built: of those asked for, the ones that the encoder has. */
int network_stages(const network_options *o);
/* Name of the last layer before the classes, as its parameters' names begin: "classifier.4". */
const char *network_classifier(const network_options *o);

#endif
