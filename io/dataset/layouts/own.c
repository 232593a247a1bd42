/* What is no published data set: lists and folders of one's own, and the built-in scenes, which are
 * written as a pair of lists before they are read. */
#include "io/dataset/layouts/layout_spec.h"

#include "src/image/synth.h"

#include <stddef.h>

const char *const layout_inside_root[] = {"", NULL};

static const layout_variant pairs = {.name = "pairs", .kind = LAYOUT_GIVEN, .separator = '\t'};
const layout_spec layout_pairs = {layout_inside_root, &pairs, 1};

static const layout_variant folder = {.name = "folder", .kind = LAYOUT_FOLDER};
const layout_spec layout_folder = {layout_inside_root, &folder, 1};

static const layout_variant synth = {.name = "synth",
    .kind = LAYOUT_LISTS,
    .separator = '\t',
    .name_of = synth_class_name,
    .classes = SYNTH_CLASSES};
const layout_spec layout_synth = {layout_inside_root, &synth, 1};
