/* Which table is which layout's: the compiler names this switch when a word of dataset.layout is
 * missing from it. */
#include "io/dataset/layouts/layout_spec.h"

#include <stddef.h>

const layout_spec *layout_spec_of(dataset_layout kind) {
    switch (kind) {
    case DATASET_LAYOUT_CITYSCAPES:
        return &layout_cityscapes;
    case DATASET_LAYOUT_VOC:
        return &layout_voc;
    case DATASET_LAYOUT_ADE20K:
        return &layout_ade20k;
    case DATASET_LAYOUT_COCOSTUFF:
        return &layout_cocostuff;
    case DATASET_LAYOUT_COCO:
        return &layout_coco;
    case DATASET_LAYOUT_KITTI:
        return &layout_kitti;
    case DATASET_LAYOUT_CAMVID:
        return &layout_camvid;
    case DATASET_LAYOUT_MAPILLARY:
        return &layout_mapillary;
    case DATASET_LAYOUT_PAIRS:
        return &layout_pairs;
    case DATASET_LAYOUT_FOLDER:
        return &layout_folder;
    case DATASET_LAYOUT_SYNTH:
        break;
    }
    return &layout_synth;
}
